"""10.5 · Open challenge: first weights for any activation."""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

WEIGHTS = "10_vanishing_exploding#How large should the first weights be?"
ACTIVATIONS = {
    "ReLU": F.relu,
    "tanh": np.tanh,
    "the sigmoid": F.sigmoid,
    "2z + 1": lambda z: 2 * z + 1,
    "sine": np.sin,
    "half of |z|": lambda z: 0.5 * np.abs(z),
}

ex = Exercise(
    "10.5",
    "Open challenge: first weights for any activation",
    hints=(
        "$\\operatorname{Var}(z) = \\text{fan\\_in} \\cdot v \\cdot E[h^2]$. With "
        "$v = \\text{gain}^2/\\text{fan\\_in}$, what must $E[h^2]$ and the gain "
        "have to do with each other?",
        "$\\text{gain}^2 \\cdot E[f(z)^2] = 1$, where $z$ is normal with variance "
        "1. How did `bell_mean` find such a mean? And could one also draw?",
        "A fine grid of $u$ with the weights $e^{-u^2/2}$, or a million normal "
        "random numbers: the mean of $f(u)^2$, then 1 through its root.",
    ),
    explanation=(
        "$\\text{gain} = 1/\\sqrt{E[f(z)^2]}$ makes the next $z$ as large as this one. "
        "For ReLU it is $\\sqrt2$: He's rule. It says nothing about the way back, for "
        "which the slopes count: with the sigmoid the gradients still vanish."
    ),
)


@ex.answer
def gain(f):
    u = np.linspace(-8, 8, 2001)
    weights = np.exp(-u * u / 2)
    mean_square = (weights * f(u) ** 2).sum() / weights.sum()
    return 1 / np.sqrt(mean_square)


@ex.judged
def judge_gain(answer, run):
    got = {name: run(f) for name, f in ACTIVATIONS.items()}
    if any(value is None for value in got.values()):
        return "It returns None. Is a `return` missing?"
    got = {name: np.asarray(value, dtype=float) for name, value in got.items()}
    if any(value.size != 1 for value in got.values()):
        return ex.named("many-numbers")
    values = np.array([value.item() for value in got.values()])
    if near(values, gain):
        return None
    for mistake in ex.mistakes:
        if mistake.code and near(values, mistake.code):
            return mistake
    right = np.array([gain(f) for f in ACTIVATIONS.values()])
    if named := roughly(values, right):
        return ex.named(named)
    k = int(np.argmax(~np.isclose(values, right, rtol=0.02)))
    name = list(ACTIVATIONS)[k]
    return (
        f"For {name}: with z of variance 1, and weights as large as your gain says, "
        f"the next z has variance {(values[k] / right[k]) ** 2:.3g}. It should be 1."
    )


def roughly(values, right):
    """Name what has no code of its own, or has it with other numbers."""
    if np.ptp(values) < 1e-6:
        return "constant"
    flat = [lambda f, a=a: _uniform(f, a) for a in (2, 3, 4, 5, 6, 10)]
    if any(near(values, of) for of in flat):
        return "flat"
    if np.ptp(values / right) < 0.02:
        return "one-factor"
    return "too-few" if np.all(np.abs(values / right - 1) < 0.25) else None


def _uniform(f, a):
    return 1 / np.sqrt(np.mean(f(np.linspace(-a, a, 2001)) ** 2))


def near(values, of):
    with np.errstate(all="ignore"):
        made = [of(f) for f in ACTIVATIONS.values()]
        close = np.isclose(values, made, rtol=0.02)
        return bool((close | (np.abs(made) > 1e3) & (np.abs(values) > 1e3)).all())


# --- wrong ones: the root, the fraction, the square

ex.slip("without-root", {"np.sqrt": ""}, WEIGHTS).says("""
    This is the factor for the *variance* of the weights. Their standard deviation is
    multiplied, and that is its root.
""")
ex.slip("inverse", {"1 / ": ""}, WEIGHTS).says("""
    This is the size that $f$ leaves. The weights have to make up for it: the smaller
    $f(z)$ is, the larger they must be.
""")
ex.slip("mean-square", {"1 / np.sqrt": ""}, WEIGHTS).says("""
    This is the mean square itself. What must the weights be multiplied by, so that the
    next $z$ has variance 1 again?
""")

OF_VARIANCE = {"f(u)": "(f(u) - np.average(f(u), weights=weights))"}
ex.slip("of-variance", OF_VARIANCE, WEIGHTS).says(r"""
    The variance of $f(z)$ is taken, the mean of $f(z)$ subtracted. In the sum for
    $\operatorname{Var}(z)$ stands $E[h^2]$; it is only the weights that have mean 0.
""")
ex.slip("of-absolute", {"f(u) ** 2": "abs(f(u))", "np.sqrt": ""}, WEIGHTS).says("""
    The mean of $|f(z)|$ is taken. The derivation needs the mean of its square, and the
    root comes after the mean.
""")
ex.slip("absolute-under-root", {"f(u) ** 2": "abs(f(u))"}, WEIGHTS).says("""
    Under the root stands the mean of $|f(z)|$. The derivation needs the mean of its
    *square*.
""")
ex.slip("of-mean", {"f(u) ** 2": "f(u)", "np.sqrt": ""}, WEIGHTS).says("""
    The mean of $f(z)$ is taken. The derivation needs the mean of its *square*.
""")

# --- how likely each $z$ is

ex.slip("one-factor", {"weights.sum()": "800"}, WEIGHTS).says("""
    The gains are right but for one factor, the same for every $f$. Is the mean a mean:
    do the weights of all $z$ add up to 1?
""")
ex.slip("flat", {"np.exp(-u * u / 2)": "np.ones(2001)"}, WEIGHTS).says("""
    All $z$ of a wide interval count alike. But $z$ is near 0 most of the time: the mean
    needs the weights of the bell curve.
""")

UNIFORM = {"-8, 8": "-1, 1", "np.exp(-u * u / 2)": "np.ones(2001)"}
ex.slip("uniform", UNIFORM, WEIGHTS).says("""
    $z$ is taken between −1 and 1, all equally likely. It is a normal random number of
    variance 1.
""")
ex.slip("not-divided", {" / weights.sum()": ""}, WEIGHTS).says("""
    The weighted sum is not divided by the sum of the weights, so it is no mean.
""")
ex.slip("positive-half", {"-8, 8": "0, 8"}, WEIGHTS).says("""
    Only positive $z$ count, or $|z|$. Half of the time $z$ is negative.
""")
ex.slip("wide-bell", {"u * u / 2": "u * u / 8"}, WEIGHTS).says("""
    The bell is too wide. $e^{-u^2/2}$ has variance 1.
""")
ex.slip("narrow-bell", {"u * u / 2": "u * u"}, WEIGHTS).says("""
    The bell is too narrow: $e^{-u^2}$ has variance ½. With $e^{-u^2/2}$ it is 1.
""")
ex.slip("backward", {"f(u)": "((f(u + 1e-5) - f(u - 1e-5)) / 2e-5)"}, WEIGHTS).says("""
    This keeps the size of the gradients on the way *back*: it is made of slopes. Here
    the forward pass is asked for.
""")

# --- one number for all


@ex.wrong(WEIGHTS)
def of_relu(f):
    r"""$\sqrt2$ is right for ReLU alone. Another $f$ needs another number."""
    return np.sqrt(2)


@ex.wrong(WEIGHTS)
def one(f):
    """Without a gain the size stays only if $f$ changes nothing."""
    return 1.0


@ex.wrong(WEIGHTS)
def constant(f):
    """It is the same number for every $f$. Another $f$ needs another number."""
    return 2.0


ex.mistake("many-numbers", WEIGHTS).says("""
    It returns many numbers. A gain is one: was the mean of the squares taken?
""")


# --- at one place, and nearly right

OVER_VARIANCE = {"f(u)": "(f(u) - np.average(f(u), weights=weights))", "np.sqrt": ""}
ex.slip("over-variance", OVER_VARIANCE, WEIGHTS).says("""
    It is divided by the variance of $f(z)$: that is the mean square without the square
    of the mean, and the root is missing as well.
""")


@ex.wrong(WEIGHTS)
def at_one(f):
    """Only $z = 1$ is looked at. What counts is the mean over all $z$ that occur."""
    return 1 / f(1.0)


@ex.wrong(WEIGHTS)
def at_zero(f):
    """Only the slope at 0 is looked at. What counts is the mean of $f(z)^2$ over all
    $z$ that occur.
    """
    return 2e-5 / (f(1e-5) - f(-1e-5))


POSITIVE = {"-8, 8": "0, 1", "np.exp(-u * u / 2)": "np.ones(2001)"}
ex.slip("positive", POSITIVE, WEIGHTS).says("""
    $z$ is taken between 0 and 1, all equally likely. It is a normal random number: half
    of the time it is negative.
""")
ex.slip("he-besides", {"1 / ": "np.sqrt(2) / "}, WEIGHTS).says(r"""
    The gains are right times $\sqrt2$. He's 2 made up for ReLU's half; the mean of
    $f(z)^2$ says that already.
""")
ex.slip("sign", {"1 / ": "-1 / "}, WEIGHTS).says("""
    The gains are negative. A standard deviation cannot be.
""")


@ex.wrong(WEIGHTS)
def too_few(f):
    """Near, but not within two per cent. Are there enough random numbers, or is the
    grid fine enough?
    """
    return 1 / np.sqrt(np.mean(f(np.random.default_rng(0).normal(size=50)) ** 2))
