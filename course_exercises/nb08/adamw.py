"""08.2 · Weight decay beside the fraction."""

from functools import partial

import numpy as np

from course_exercises.judge import Exercise

STEP = "08_modules_and_optimizers#From a gradient to a step"

ex = Exercise(
    "08.2",
    "Weight decay beside the fraction",
    outputs=("w", "m", "s"),
    hints=(
        "Go through `adam_step` line by line. Which lines stay as they are, and "
        "which one changes?",
        "`m` and `s` know nothing of the decay: they are means of `g` and of its "
        "square. Only the last line changes.",
        "In the bracket that is multiplied by `lr` there are two parts: Adam's "
        "fraction, with hats, and `decay` times the weight as it was. `m` and `s` "
        "go back without hats.",
    ),
    explanation=(
        "Only the last line of `adam_step` changes. With Adam's own weight decay, "
        "$\\lambda w$ goes through the division like the rest, so a weight with large "
        "gradients is hardly pulled. Under AdamW every weight loses the share "
        "$\\text{lr} \\cdot \\lambda$ at each step, whatever its gradients. "
        "`torch.optim.AdamW` gives the same numbers."
    ),
)


@ex.answer
def adamw_step(w, g, m, s, t, lr, decay):
    m = 0.9 * m + 0.1 * g
    s = 0.999 * s + 0.001 * g**2
    m_hat, s_hat = m / (1 - 0.9**t), s / (1 - 0.999**t)
    w = w - lr * (m_hat / (np.sqrt(s_hat) + 1e-8) + decay * w)
    return w, m, s


@ex.given
def adamw_inputs(rng):
    """One without a past, then a square one, a single weight, and one near ε."""
    first = np.array([[2.0, 0.0, -0.5], [1.0, -3.0, 0.25]])  # a gradient is 0
    w = rng.normal(size=(2, 3))
    inputs = [(w, first, np.zeros((2, 3)), np.zeros((2, 3)), 1, 0.1, 0.5)]
    for shape, scale, t, lr, decay in (
        ((5, 4), 1.0, 3, 0.01, 0.1),
        ((3, 3), 100.0, 10, 0.2, 0.02),
        ((1,), 1.0, 2, 0.05, 0.3),
        ((7, 2), 1e-6, 25, 0.5, 0.25),
    ):
        g, m = scale * rng.normal(size=shape), scale * rng.normal(0, 0.3, shape)
        s = scale**2 * rng.uniform(0.001, 0.02, shape)
        inputs.append((rng.normal(size=shape), g, m, s, t, lr, decay))
    return inputs


slip, PULL = partial(ex.slip, where=STEP), " + decay * w"

# --- wrong ones: the decay

slip(
    "decay-in-gradient",
    {PULL: "", "0.1 * g": "0.1 * (g + decay * w)", "g**2": "(g + decay * w) ** 2"},
).says("""
    The decay is added to the gradient, so it is divided like the rest. That is the
    weight decay of `Adam`; AdamW keeps it out of both means.
""")
slip("no-decay", {PULL: ""}).says("""
    This is Adam: `decay` moves nothing.
""")
slip("decay-divided", {PULL: "", "m_hat / (": "(m_hat + decay * w) / ("}).says("""
    The pull stands in the numerator, so it is divided too. It belongs beside the
    fraction.
""")
slip("decay-without-lr", {" + decay * w)": ") - decay * w"}).says("""
    The pull is not multiplied by `lr`. In the formula the learning rate stands before
    both parts.
""")
slip("decay-of-the-new", {PULL: "", "return w": "return w - lr * decay * w"}).says("""
    The pull is that of the weight *after* its step. Both parts begin at the weight as
    it was.
""")
slip("lr-twice", {"decay * w)": "lr * decay * w)"}).says("""
    The pull is multiplied by `lr` twice: it stands inside of the bracket already.
""")
slip("pull-squared", {"decay * w)": "decay * w**2)"}).says("""
    The pull is made of $w^2$. It is the gradient of that: proportional to $w$.
""")
slip("pull-of-the-gradient", {"decay * w)": "decay * g)"}).says("""
    The decay is multiplied by the gradient. It pulls at the *weight*.
""")
slip("decay-pushes", {"+ decay": "- decay"}).says("""
    The decay pushes each weight away from 0. It is to pull it there.
""")
slip("upward", {"(m_hat /": "(-m_hat /"}).says("""
    The step goes along the gradient, uphill. Descent goes against it.
""")

# --- the hats

slip("no-correction", {"(m_hat": "(m", "sqrt(s_hat": "sqrt(s"}).says("""
    The hats are missing. Both means begin at 0 and are too small at first: what mends
    that?
""")
slip("half-corrected", {"sqrt(s_hat": "sqrt(s"}).says("""
    `m` is corrected and `s` is not. Both means begin at 0.
""")
slip("other-half-corrected", {"(m_hat": "(m"}).says("""
    `s` is corrected and `m` is not. Both means begin at 0.
""")
slip("correction-multiplied", {"m / (1": "m * (1", "s / (1": "s * (1"}).says(r"""
    The means are multiplied by $1 - \beta^t$, which makes them smaller still. They are
    to become larger.
""")
slip("loss-for-its-gradient", {"decay * w": "decay / 2 * w**2"}).says(r"""
    This is the extra loss of weight decay itself, $\frac{\lambda}{2} w^2$. What pulls
    is its gradient.
""")
slip("hats-kept", {"return w, m, s": "return w, m_hat, s_hat"}).says("""
    What comes back are the corrected means. The next step goes on from the plain ones,
    and corrects them anew.
""")
slip(
    "old-means",
    {
        "m = 0.9": "m_new = 0.9",
        "s = 0.999": "s_new = 0.999",
        "return w, m, s": "return w, m_new, s_new",
    },
).says("""
    The step is made with the means of before, which do not know this gradient yet.
    First the means, then the step.
""")

# --- the fraction

slip("no-root", {"np.sqrt": ""}).says("""
    It is divided by the mean of the *squares*. The size of a gradient is the root of
    that.
""")
slip("last-gradient", {"(m_hat": "(g"}).says("""
    The step follows the last gradient. In Adam it follows the running mean.
""")
slip("eps-inside", {"s_hat) + 1e-8": "s_hat + 1e-8)"}).says("""
    The ε stands under the root. There it counts as $10^{-4}$, and hides small
    gradients.
""")
slip("other-eps", {"1e-8": "1e-5"}).says("""
    The ε is larger than $10^{-8}$: where gradients are small, the steps are too short.
""")
slip("eps-missing", {" + 1e-8": ""}).says("""
    A weight whose gradient was always 0 is divided by 0. Which small number of the
    formula prevents that?
""")

# --- the running means

slip("not-squared", {"g**2": "g"}).says("""
    `s` is a mean of the gradient, not of its *square*. Its root does not even exist
    where the gradient is negative.
""")
slip("absolute", {"g**2": "abs(g)"}).says("""
    `s` is a mean of absolute values, not of *squares*. The root comes afterwards.
""")
slip("square-of-the-mean", {"g**2": "m**2"}).says("""
    `s` is made of the mean `m`. It is a mean of the squares of `g`.
""")
slip("share-squared", {"0.001 * g**2": "(0.001 * g) ** 2"}).says(r"""
    The share $1 - \beta_2$ is squared with the gradient. The square belongs to $g$
    alone.
""")
slip(
    "weights-exchanged",
    {"0.9 * m + 0.1": "0.1 * m + 0.9", "0.999 * s + 0.001": "0.001 * s + 0.999"},
).says(r"""
    The shares are exchanged: most of a mean is what it was before, and $1 - \beta$ of
    it is new.
""")
slip(
    "betas-exchanged",
    {
        "0.9 * m + 0.1": "0.999 * m + 0.001",
        "0.999 * s + 0.001": "0.9 * s + 0.1",
        "0.9**t), s / (1 - 0.999**t)": "0.999**t), s / (1 - 0.9**t)",
    },
).says("""
    The two β are exchanged: the squares are remembered for longer.
""")
slip("sums", {"0.1 * g": "g", "0.001 * g": "g"}).says(r"""
    The new gradient comes in whole, as in momentum. In a running mean it has the share
    $1 - \beta$.
""")
slip("other-beta", {"m / (1 - 0.9**t)": "m / (1 - 0.999**t)"}).says(r"""
    `m` is corrected with the $\beta$ of the squares. Each mean has its own.
""")
slip("next-t", {"0.9**t": "0.9 ** (t + 1)", "0.999**t": "0.999 ** (t + 1)"}).says("""
    The correction is that of the next step: `t` is 1 in the first one.
""")
slip("power-missing", {"0.9**t": "0.9", "0.999**t": "0.999"}).says(r"""
    The correction is the same in each step, that of the first one. $\beta$ is raised to
    the power $t$.
""")

ROOT_OF_ALL = {"np.sqrt(s_hat) + 1e-8": "np.sqrt(s) / (1 - 0.999**t) + 1e-8"}
slip("root-of-all", ROOT_OF_ALL).says("""
    `s` is corrected after the root. The hat stands under it.
""")
slip("step-alone", {"w = w - lr": "w = lr"}).says("""
    This is the step. Asked is where the weight is *after* it.
""")
