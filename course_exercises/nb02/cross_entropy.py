"""02.1 · Another loss: the cross-entropy."""

import numpy as np

from course_exercises.judge import Exercise

from . import shared
from .shared import BACKWARD, HALF, LOOPS, NETWORK, NO_ARRAY, SIGMA, sigma

FORKS = "01_chain_rule#Forks add"
IN_A_ROW = "01_chain_rule#Two boxes in a row: prices multiply"

ex = Exercise(
    "02.1",
    "Another loss: the cross-entropy",
    gradient=True,
    n=shared.one_example,
    absent={"broadcast": NO_ARRAY},
    hints=(
        r"The price of $\ln(y)$ is $1/y$. For $\ln(1 - y)$ there are two boxes in a "
        "row.",
        r"$\partial L / \partial y_j = -t_j / y_j + (1 - t_j) / (1 - y_j)$. Then "
        "comes the box σ, as in step 2.",
        "Multiply by $y_j (1 - y_j)$ and look at what cancels: $-t_j (1 - y_j) + (1 - "
        r"t_j)\, y_j$.",
    ),
    explanation=(
        r"$-t (1 - y) + (1 - t)\, y = y - t$. The slope of σ has cancelled, so an "
        "output that is saturated on the wrong side still gets a price near 1. With "
        "the squared error it would get nearly none."
    ),
)


@ex.answer
def cross_entropy_back(y_in, t):
    y = [sigma(z) for z in y_in]
    dy = [-t[j] / y[j] + (1 - t[j]) / (1 - y[j]) for j in (0, 1)]
    return [dy[j] * y[j] * (1 - y[j]) for j in (0, 1)]


@ex.given
def inputs(rng):
    targets = [(1, 0), (0.9, 0.3), (0, 1), (0.2, 0.4), (0.6, 0.8)]
    sums = [
        rng.uniform(0.4, 2.5, size=2) * rng.choice([-1, 1], size=2) for _ in range(5)
    ]
    return [(z, np.array(t, float)) for z, t in zip(sums, targets, strict=True)]


@ex.right
def in_short(y_in, t):
    y = [sigma(z) for z in y_in]
    return [y[j] - t[j] for j in (0, 1)]


# --- the slope of σ

DY = "-t[j] / y[j] + (1 - t[j]) / (1 - y[j])"
SLOPE = " * y[j] * (1 - y[j])"

ex.slip("half", {"return [": "return [0.5 * "}, BACKWARD).says("""
    Every number is half the right one. Was a mean taken over the two outputs? This loss
    is their *sum*.
""")
ex.slip("activation-missing", {SLOPE: ""}, SIGMA).says("""
    This is `dy`, the price of the output. One box lies between `y` and `y_in`: σ, and
    its slope is missing.
""")
ex.slip("slope-twice", {DY: "y[j] - t[j]"}, BACKWARD).says("""
    The slope of σ comes in twice. In $y - t$ it is already contained: it has cancelled
    against the slopes of the two logarithms.
""")
ex.slip("squared-error", {DY: "2 * (y[j] - t[j])"}, BACKWARD).says("""
    This is the result for the squared error. The loss has changed, so `dy` is another
    one: what is the slope of a logarithm?
""")
ex.slip("at-output", {SLOPE: " * sigma(y[j]) * (1 - sigma(y[j]))"}, SIGMA).says("""
    σ is taken twice: its slope is computed at `y`, which is already its output. In `y`
    the slope needs no σ any more.
""")
ex.slip("of-input", {SLOPE: " * y_in[j] * (1 - y_in[j])"}, SIGMA).says("""
    The slope is computed as `y_in * (1 - y_in)`. The short formula wants the output of
    σ, not its input.
""")

# --- the two logarithms

ex.slip("first-term-only", {" + (1 - t[j]) / (1 - y[j])": ""}, FORKS).says("""
    Only the first logarithm is there. `y` stands in the second one as well, inside of
    $1 - y$: a second path, and paths add.
""")
ex.slip("assigned", {"-t[j] / y[j] + ": ""}, FORKS).says("""
    Only the second logarithm counts. $y$ stands in both, so it forks, and two prices
    come back to it.
""")
ex.slip("same-logarithm", {"/ (1 - y[j])": "/ y[j]"}, IN_A_ROW).says(r"""
    Both logarithms are differentiated as if `y` stood in them. In the second one stands
    $1 - y$: one over *that*.
""")
ex.slip("inner-minus", {"+ (1": "- (1"}, IN_A_ROW).says(r"""
    The two parts have the same sign. In $\ln(1 - y)$ there is an inner function, $1 -
    y$, with a slope of its own.
""")
ex.slip("sigma-twice", {"sigma(z)": "sigma(sigma(z))"}, NETWORK).says("""
    σ is applied twice. `y_in` is the sum before σ, and one σ makes `y` of it.
""")
ex.slip("1-t-missing", {"(1 - t[j])": "1"}, BACKWARD).says("""
    In the second part the factor $1 - t$ has gone. It stands before the logarithm, and
    stays there.
""")
ex.slip("t-missing", {"-t[j]": "-1"}, BACKWARD).says("""
    In the first part the factor $t$ has gone. It stands before the logarithm, and stays
    there.
""")
ex.slip("half-a-slope", {" * (1 - y[j])": ""}, SIGMA).says(HALF)
ex.slip("other-half", {" * y[j]": ""}, SIGMA).says(HALF)

# --- what is returned

RESULT = "dy[j] * y[j] * (1 - y[j])"

ex.slip("first-output-only", {RESULT: f"(1 - j) * {RESULT}"}, LOOPS).says("""
    Only the first output gets a price. Does a loop end too early?
""")


@ex.wrong(BACKWARD)
def added_up(y_in, t):
    """The prices of the two outputs are added up. Each output has its own term in the
    loss, and its own price.
    """
    return 2 * [sum(cross_entropy_back(y_in, t))]


@ex.wrong(BACKWARD)
def summed_up(y_in, t):
    """The prices of the two outputs are added up to one number. Each output has a price
    of its own.
    """
    return sum(cross_entropy_back(y_in, t))


@ex.wrong(LOOPS)
def backwards(y_in, t):
    """The right prices, the second one first."""
    return cross_entropy_back(y_in, t)[::-1]


ex.slip("other-unit", {RESULT: "y[1 - j] - t[j]"}, LOOPS).says("""
    The answer of one unit is compared with the target of the other one.
""")
ex.slip("slope-of-tanh", {SLOPE: " * (1 - y[j] ** 2)"}, SIGMA).says(shared.TANH)

ex.slip("no-target", {RESULT: "y[j]"}, NETWORK).says("""
    This is the output `y`. The target does not occur in it.
""")

LOSS = "-t[j] * np.log(y[j]) - (1 - t[j]) * np.log(1 - y[j])"
ex.slip("loss-itself", {RESULT: LOSS}, BACKWARD).says("""
    These are the two terms of the loss, not yet differentiated.
""")
ex.slip("plus-t", {RESULT: "y[j] + t[j]"}, BACKWARD).says("""
    The target comes in with the wrong sign. At $y = t$ the price is 0.
""")
ex.slip("tanh", {RESULT: "np.tanh(y_in[j]) - t[j]"}, NETWORK).says("""
    tanh stands in the place of σ.
""")
ex.slip("slope-three-times", {DY: f"(y[j] - t[j]){SLOPE}"}, BACKWARD).says("""
    The slope of σ comes in too often; $y - t$ contains it already.
""")
ex.slip("y_in-minus-t", {RESULT: "y_in[j] - t[j]"}, NETWORK).says("""
    The target is compared with `y_in`, the sum before σ. The answer of the network is
    `y`.
""")
