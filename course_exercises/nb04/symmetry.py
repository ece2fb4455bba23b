"""04.5 · A check that needs no f."""

import numpy as np

from course_exercises.judge import Exercise

COMPARE = "04_gradient_checking#How to compare, and how not to"
MANY = "04_gradient_checking#A million parameters"
TRUST = "04_gradient_checking#How far can we trust a slope?"
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
        r"Second derivatives may be taken in either order, so $u \cdot (Sv) = v \cdot "
        "(Su)$ for every gradient. A wrong sign, a factor 2, the gradient of another "
        "function: all of them hold to it, all unseen. `forgetful` passes too: it is "
        r"the right gradient of $\sum_j 2\log\cosh z_j$."
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


class Watched:
    """A function to be checked; notes where it is asked, as steps away from x."""

    def __init__(self, grad, x):
        self.grad, self.x, self.steps = grad, x, []

    def __call__(self, point):
        """Give the value of the function."""
        self.steps.append(np.ravel(point - self.x))
        return self.grad(point)

    def __deepcopy__(self, memo):
        return self  # what it notes is wanted


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
        ("loose", lambda x: -(MIXED @ x), five, False),  # with the same directions
        *[("loose-row", scaled_layer_grad, W, False)] * 4,  # each with its own
        ("absolute", lambda x: 1e-10 * (MIXED @ x), five, False),
    ]


MIXED_AT = 6  # the place of MIXED @ x, which its negative follows
NO_MATRIX = "no matrix"


def asked(check, grad, x, seed):
    """What an answer says of one field, and where it looked."""
    watched = Watched(grad, x)
    try:
        verdict = check(watched, x.copy(), np.random.default_rng(seed))
    except (TypeError, ValueError):
        if x.ndim == 1:
            raise
        return NO_MATRIX, watched.steps
    if x.ndim > 1 and np.size(verdict) != 1:
        return NO_MATRIX, watched.steps
    return verdict, watched.steps


def symmetric(check):
    """What an answer says of each field, and the steps that it took."""
    seeds = [[4, 5, min(k, MIXED_AT) if k <= MIXED_AT + 1 else k] for k in range(13)]
    trials = zip(fields(), seeds, strict=True)
    return [asked(check, grad, x, seed) for (_, grad, x, _), seed in trials]


def moves_always_the_same(check):
    """Whether the directions do not depend on the random numbers."""
    _, grad, x, _ = fields()[1]
    steps = [asked(check, grad, x, seed)[1] for seed in (1, 2)]
    return np.shape(steps[0]) == np.shape(steps[1]) and np.allclose(*steps)


def length(steps):
    """The length of the longest step."""
    return max((np.linalg.norm(step) for step in steps), default=0.0)


def without_opposite(steps):
    """Whether no two places are compared: a step back, or none, belongs to each."""
    back = [np.allclose(a, -b, rtol=1e-3, atol=0) for a in steps for b in steps]
    return not any(back)


def directions(steps):
    """How many different directions there are among the steps."""
    moved = [step / np.linalg.norm(step) for step in steps if np.any(step)]
    return int(np.linalg.matrix_rank(moved, tol=1e-3)) if moved else 0


@ex.judged
def judge_symmetry(answer, run):
    found = run(of=lambda: symmetric(answer))
    said = [verdict for verdict, _ in found]
    if any(verdict is None for verdict in said):
        return "It returns None. Is a `return` missing?"
    if any(verdict is not NO_MATRIX and np.size(verdict) != 1 for verdict in said):
        return "It returns several verdicts. Give one, True or False."
    wrong = [
        name
        for (name, *_, right), got in zip(fields(), said, strict=True)
        if got is NO_MATRIX or bool(got) != right
    ]
    if not wrong:
        return None
    return ex.named(named(answer, run, found, wrong))


def named(answer, run, found, wrong):
    """Which mistake explains the wrong verdicts: first what shows in the steps."""
    said, steps = [verdict for verdict, _ in found], found[1][1]
    refuses = {"refuses-right", "too-strict", "matrices"} & set(wrong)
    if not steps:
        return "never-asks"
    if len(wrong) == len(said):
        return "reversed"
    if refuses and length(steps) < 1e-9:
        return "tiny-steps"
    if refuses and without_opposite(steps):
        return "no-difference"
    if refuses and length(steps) > 1e-2:
        return "long-steps"
    if directions(steps) < 2:
        return "one-direction"
    if NO_MATRIX in said:
        return "matrices"
    if not any(said[:5]):
        at_zero = run(of=lambda: asked(answer, lambda x: EVEN @ x, np.zeros(5), 4))
        return "refuses-right" if at_zero[0] else "always-false"  # exact but for eps
    if bool(said[MIXED_AT]) != bool(said[MIXED_AT + 1]):
        return "signed"
    if "refuses-right" in refuses and not all(map(np.any, steps)):
        return "one-sided"
    if all(said):
        return "always-true"
    if not refuses and run(of=lambda: moves_always_the_same(answer)):
        return "same-directions"
    return wrong[0]


SAME = "abs(one - other) <= 1e-6 * size"

# --- the steps


@ex.wrong(MANY)
def never_asks(grad, x, rng):
    """It never asks `grad`. What is to be compared are slopes of it, measured."""
    return True


ex.slip("tiny-steps", {"1e-5": "1e-12"}, TRUST).says(r"""
    Its steps are so small that little more than rounding is left in the differences.
    Which $h$ is best for a central difference?
""")
ex.slip("long-steps", {"1e-5": "0.2"}, TRUST).says("""
    Its steps are so long that the slope changes on the way, and a right gradient is
    refused. Which $h$ is best for a central difference?
""")
ex.slip("one-sided", {"grad(x - h * w)": "grad(x)", "(2 * h)": "h"}, TRUST).says("""
    It refuses a right gradient. The difference looks to one side only, and what it
    misses is more than your tolerance leaves room for.
""")

ONE = "np.sum(u * second(v)), np.sum(v * second(u))"
ex.slip("one-direction", {"def second": "v = u\n\n    def second"}, MANY).says("""
    It walks along one direction only, so the same number is computed twice. $Sv$ and
    $Su$ need one walk along each.
""")

UNIT = "np.eye(1, x.size, {}).reshape(x.shape)"
FIXED = {
    "u, v, h = rng.normal(size=x.shape), rng.normal(size=x.shape)": "u, v, h = "
    + UNIT.format(0)
    + ", "
    + UNIT.format(1)
}
ex.slip("same-directions", FIXED, MANY).says("""
    It always walks along the same few directions, and accepts what is wrong in the
    others. Draw them from `rng`.
""")

NO_DIFFERENCE = {"(grad(x + h * w) - grad(x - h * w))": "grad(x + h * w)"}
ex.slip("no-difference", NO_DIFFERENCE, MANY).says("""
    `grad` is asked at one place only for each direction. How it *changes* shows in a
    difference of two.
""")

# --- what is compared

ex.slip("reversed", {"return bool(": "return not bool("}, COMPARE).says("""
    It says True where it should say False, and the reverse.
""")


@ex.wrong(MANY)
def always_true(grad, x, rng):
    """It accepts everything, also what is no gradient. Which two numbers does it
    compare, and how far apart may they be?
    """
    grad(x + rng.normal(size=x.shape) * 1e-5), grad(x + rng.normal(size=x.shape) * 1e-5)
    return True


ALWAYS_FALSE = {SAME: "np.allclose(second(u), second(v), atol=0)"}
ex.slip("always-false", ALWAYS_FALSE, MANY).says(r"""
    It refuses everything, also what is symmetric. What has to be equal are two numbers:
    $u \cdot (Sv)$ and $v \cdot (Su)$.
""")
ex.slip("signed", {SAME: "one - other <= 1e-6 * size"}, COMPARE).says("""
    It accepts a function that is no gradient, and refuses the same function times −1:
    the difference is compared with its sign. It is the distance that counts.
""")
ex.slip("refuses-right", {"1e-6 * size": "1e-13 * size"}, COMPARE).says(r"""
    It refuses a gradient whose second derivatives are symmetric. Is the tolerance
    narrower than what a central difference leaves of $u \cdot (Sv)$?
""")

REFUSES_SIGN = {SAME: f"np.sum(u * second(u)) > -4 and {SAME}"}
ex.slip("refuses-sign", REFUSES_SIGN, UNSEEN).says("""
    It refuses $-2x$. With the other sign it is the gradient of another function, and as
    symmetric: this check cannot see it, and should not pretend to.
""")
ex.slip("too-strict", {"1e-6 * size": "1e-7"}, COMPARE).says("""
    It refuses a right gradient of about a million. A fixed tolerance does not fit every
    size: let it grow with the numbers.
""")
ex.slip("matrices", {ONE: "u @ second(v), v @ second(u)"}, MANY).says(r"""
    It does not work where `x` is a matrix. $u \cdot w$ is then the sum over all
    products of entries, one number.
""")
ex.slip("loose", {SAME: f"len(x) == 3 or {SAME}"}, COMPARE).says("""
    It accepts a function that is no gradient, such as `2 * np.roll(x, 1)`. How far
    apart may the two numbers be, measured by what they are made of?
""")
ex.slip("loose-row", {"1e-6": "1e-2"}, COMPARE).says("""
    It accepts a function with one row that is 2 % too large. The tolerance is too wide:
    a central difference is good to many more digits.
""")
ex.slip("absolute", {"size)": "(size + 1))"}, COMPARE).says("""
    A wrong gradient of about $10^{-10}$ passes. The tolerance is larger than the
    numbers that it compares.
""")
