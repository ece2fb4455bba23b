"""04.5 · A check that needs no f."""

import numpy as np

from course_exercises.judge import Exercise

COMPARE = "04_gradient_checking#How to compare, and how not to"
MANY = "04_gradient_checking#A million parameters"
UNSEEN = "04_gradient_checking#What no check can see"
MIXED = np.random.default_rng(46).normal(size=(5, 5))  # not symmetric
EVEN = MIXED + MIXED.T

ex = Exercise(
    "04.5",
    "A check that needs no f",
    hints=(
        "Write a small function that gives $Sw$ for a direction $w$: a central "
        "difference of `grad`, which is an array.",
        "Draw $u$ and $v$ by `rng.normal(size=x.shape)`. The two numbers are "
        "`np.sum(u * S_v)` and `np.sum(v * S_u)`, also for matrices.",
        "Compare their distance with their size, not with a fixed number, and leave "
        "room for what a central difference misses: $10^{-6}$ of the sum of all "
        "products will do.",
    ),
    explanation=(
        "Second derivatives may be taken in either order, so $S$ is symmetric for "
        "every gradient. A wrong sign, a factor 2, the gradient of another function: "
        "all symmetric, all unseen. `forgetful` passes too: it is the right gradient "
        r"of $\sum 2\log\cosh(XW)/N$."
    ),
)


@ex.answer
def symmetry_check(grad, x, rng):
    u, v, h = rng.normal(size=x.shape), rng.normal(size=x.shape), 1e-5

    def second(w):  # S w: how the gradient changes along w
        return (grad(x + h * w) - grad(x - h * w)) / (2 * h)

    one, other = np.sum(u * second(v)), np.sum(v * second(u))
    size = np.abs(u * second(v)).sum() + np.abs(v * second(u)).sum()
    return bool(abs(one - other) <= 1e-6 * size)


def layer_grad(W):
    X = np.random.default_rng(45).normal(size=(6, len(W)))
    y = np.tanh(X @ W)
    return X.T @ (2 * y * (1 - y**2)) / len(X)


def scaled_layer_grad(W):
    grad = layer_grad(W)
    grad[1] *= 1.02
    return grad


def fields():
    """Functions that are gradients, or look like one: name, function, point, verdict.

    The name is that of the mistake which the wrong verdict gives away.
    """
    x, five = np.array([1.0, 2.0, 3.0]), np.linspace(-1.0, 1.5, 5)
    W = np.random.default_rng(47).normal(size=(4, 3))
    return [
        ("refuses-right", lambda x: 2 * x, x, True),
        ("refuses-right", lambda x: EVEN @ x + x**3, five, True),
        ("refuses-sign", lambda x: -2 * x, x, True),
        ("too-strict", lambda x: 1e6 * (EVEN @ x + np.exp(x)), five, True),
        ("matrices", layer_grad, W, True),
        ("loose", lambda x: 2 * np.roll(x, 1), x, False),
        ("loose", lambda x: MIXED @ x, five, False),
        *[("loose", scaled_layer_grad, W, False)] * 4,  # each with its own directions
        ("absolute", lambda x: 1e-10 * (MIXED @ x), five, False),
    ]


def symmetric(check):
    """What an answer says of each field."""
    said = []
    for k, (_, grad, x, _) in enumerate(fields()):
        verdict = check(grad, x.copy(), np.random.default_rng([4, 5, k]))
        if verdict is None or np.size(verdict) != 1:
            return verdict if verdict is None else "many"
        said.append(bool(verdict))
    return said


@ex.judged
def judge_symmetry(answer, run):
    said = run(of=lambda: symmetric(answer))
    if said is None:
        return "It returns None. Is a `return` missing?"
    if isinstance(said, str):
        return "It returns several verdicts. Give one, True or False."
    if len(set(said)) == 1:
        return ex.named("always-true" if said[0] else "always-false")
    for (name, *_, right), got in zip(fields(), said, strict=True):
        if got != right:
            return ex.named(name)
    return None


SAME = "abs(one - other) <= 1e-6 * size"

ex.slip(
    "always-true", {"np.sum(u * second(v))": "np.sum(v * second(u))"}, MANY
).says("""
    It accepts everything. Is the same number computed twice? $u$ and $v$ have to be two
    different directions.
""")

ex.slip(
    "always-false", {SAME: "np.allclose(second(u), second(v), atol=0)"}, MANY
).says(r"""
    It refuses everything, also what is symmetric. What has to be equal are two numbers:
    $u \cdot (Sv)$ and $v \cdot (Su)$.
""")

ex.slip("refuses-right", {SAME: "one - other > 1e-6 * size"}, COMPARE).says(r"""
    It refuses a gradient whose second derivatives are symmetric. Are the two numbers $u
    \cdot (Sv)$ and $v \cdot (Su)$, and does their distance count?
""")

ex.slip(
    "refuses-sign", {SAME: f"np.sum(u * second(u)) > -4 and {SAME}"}, UNSEEN
).says("""
    It refuses $-2x$. With the other sign it is the gradient of another function, and as
    symmetric: this check cannot see it, and should not pretend to.
""")

ex.slip("too-strict", {"1e-6 * size": "1e-7"}, COMPARE).says("""
    It refuses a right gradient of about a million. A fixed tolerance does not fit every
    size: let it grow with the numbers.
""")

ex.slip("matrices", {SAME: f"x.ndim == 1 and {SAME}"}, MANY).says(r"""
    It refuses a right gradient when `x` is a matrix. $u \cdot w$ is then the sum over
    all products of entries, one number.
""")

ex.slip("loose", {"1e-6": "1e-2"}, COMPARE).says("""
    It accepts a function that is no gradient: `2 * np.roll(x, 1)`, or one with a row
    that is 2 % too large. Is the tolerance too wide?
""")

ex.slip("absolute", {"size)": "(size + 1))"}, COMPARE).says("""
    A wrong gradient of about $10^{-10}$ passes. The tolerance is larger than the
    numbers that it compares.
""")
