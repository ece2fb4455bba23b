"""02.1 · Another loss: the cross-entropy"""

import math

import numpy as np

from course_exercises.judge import Exercise

from .shared import BACKWARD, LOOPS, NETWORK, one_example, sigma, slope_right, total

HERE = "02_network_by_hand"
SIGMA = "01_chain_rule#The function σ"
NO_ARRAY = "lists of plain numbers, nothing is broadcast"
HALF = (
    "The slope of σ is a product of two factors, $h$ and $1 - h$. One of them is "
    "missing here."
)

ex = Exercise(
    "02.1",
    "Another loss: the cross-entropy",
    gradient=True,
    absent={"broadcast": NO_ARRAY},
    hints=(
        "The price of $\\ln(y)$ is $1/y$. For $\\ln(1 - y)$ there are two boxes in "
        "a row.",
        "$\\partial L / \\partial y_j = -t_j / y_j + (1 - t_j) / (1 - y_j)$. Then "
        "comes the box σ, as in step 2.",
        "Multiply by $y_j (1 - y_j)$ and look at what cancels: "
        "$-t_j (1 - y_j) + (1 - t_j)\\, y_j$.",
    ),
    explanation=(
        "$-t (1 - y) + (1 - t)\\, y = y - t$. The slope of σ has cancelled, so an "
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
def cross_entropy_inputs(rng):
    targets = [(1, 0), (0.9, 0.3), (0, 1), (0.2, 0.4), (0.6, 0.8)]
    sums = [
        rng.uniform(0.4, 2.5, size=2) * rng.choice([-1, 1], size=2) for _ in range(5)
    ]
    return [(z, np.array(t, float)) for z, t in zip(sums, targets, strict=True)]


@ex.right
def cross_entropy_in_pieces(y_in, t):
    out = []
    for z, target in zip(y_in, t, strict=True):
        y, price = sigma(z), 0.0
        price += target * -(1 - y)
        price += (1 - target) * y
        out.append(price)
    return tuple(out)


def cross_entropy_with(dy, slope):
    def wrong(y_in, t):
        pairs = [(z, sigma(z), target) for z, target in zip(y_in, t, strict=True)]
        return [dy(y, target) * slope(z, y) for z, y, target in pairs]

    return wrong


def dy_right(y, t):
    return -t / y + (1 - t) / (1 - y)


def without_slope(z, y):
    return 1.0


def slope_at_output(z, y):
    return sigma(y) * (1 - sigma(y))


def slope_of_input(z, y):
    return z * (1 - z)


ex.n = one_example

ex.mistake(
    "half", BACKWARD, code=cross_entropy_with(lambda y, t: (y - t) / 2, without_slope)
).says("""
    Every number is half the right one. Was a mean taken over the two outputs? This loss
    is their *sum*.
""")

ex.mistake(
    "activation-missing", SIGMA, code=cross_entropy_with(dy_right, without_slope)
).says("""
    This is `dy`, the price of the output. One box lies between `y` and `y_in`: σ, and
    its slope is missing.
""")

ex.mistake(
    "slope-twice", BACKWARD, code=cross_entropy_with(lambda y, t: y - t, slope_right)
).says("""
    The slope of σ comes in twice. In $y - t$ it is already contained: it has cancelled
    against the slopes of the two logarithms.
""")

ex.mistake(
    "squared-error",
    BACKWARD,
    code=cross_entropy_with(lambda y, t: 2 * (y - t), slope_right),
).says("""
    This is the result for the squared error. The loss has changed, so `dy` is another
    one: what is the slope of a logarithm?
""")

ex.mistake(
    "at-output", SIGMA, code=cross_entropy_with(dy_right, slope_at_output)
).says("""
    σ is taken twice: its slope is computed at `y`, which is already its output. In `y`
    the slope needs no σ any more.
""")

ex.mistake(
    "of-input", SIGMA, code=cross_entropy_with(dy_right, slope_of_input)
).says("""
    The slope is computed as `y_in * (1 - y_in)`. The short formula wants the output of
    σ, not its input.
""")

ex.mistake(
    "first-term-only",
    "01_chain_rule#Forks add",
    code=cross_entropy_with(lambda y, t: -t / y, slope_right),
).says("""
    Only the logarithm of $y$ counts. $1 - y$ stands in the other logarithm, so $y$
    forks.
""")

ex.mistake(
    "assigned",
    "01_chain_rule#Forks add",
    code=cross_entropy_with(lambda y, t: (1 - t) / (1 - y), slope_right),
).says("""
    Only the second logarithm counts. $y$ stands in both, so it forks, and two prices
    come back to it.
""")

ex.mistake(
    "inner-minus",
    "01_chain_rule#Two boxes in a row: prices multiply",
    code=cross_entropy_with(lambda y, t: -t / y - (1 - t) / (1 - y), slope_right),
).says(r"""
    The two parts have the same sign. In $\ln(1 - y)$ there is an inner function, $1 -
    y$, with a slope of its own.
""")

ex.mistake(
    "sigma-twice",
    NETWORK,
    code=lambda y_in, t: [sigma(sigma(y_in[j])) - t[j] for j in (0, 1)],
).says("""
    σ is applied twice. `y_in` is the sum before σ, and one σ makes `y` of it.
""")

ex.mistake(
    "1-t-missing",
    BACKWARD,
    code=cross_entropy_with(lambda y, t: -t / y + 1 / (1 - y), slope_right),
).says("""
    In the second part the factor $1 - t$ has gone. It stands before the logarithm, and
    stays there.
""")

ex.mistake(
    "t-missing",
    BACKWARD,
    code=cross_entropy_with(lambda y, t: -1 / y + (1 - t) / (1 - y), slope_right),
).says("""
    In the first part the factor $t$ has gone. It stands before the logarithm, and stays
    there.
""")

ex.mistake(
    "half-a-slope", SIGMA, code=cross_entropy_with(dy_right, lambda z, y: y)
).says(HALF)

ex.mistake(
    "other-half", SIGMA, code=cross_entropy_with(dy_right, lambda z, y: 1 - y)
).says(HALF)

ex.mistake(
    "first-output-only", LOOPS, code=lambda y_in, t: [sigma(y_in[0]) - t[0], 0.0]
).says("""
    Only the first output gets a price. Does a loop end too early?
""")

ex.mistake(
    "added-up",
    BACKWARD,
    code=lambda y_in, t: total([sigma(y_in[j]) - t[j] for j in (0, 1)]),
).says("""
    The prices of the two outputs are added up. Each output has its own term in the
    loss, and its own price.
""")

ex.mistake(
    "no-target", NETWORK, code=lambda y_in, t: [sigma(y_in[j]) for j in (0, 1)]
).says("""
    This is the output `y`. The target does not occur in it.
""")

ex.mistake(
    "loss-itself",
    BACKWARD,
    code=lambda y_in, t: [
        -t[j] * math.log(sigma(y_in[j])) - (1 - t[j]) * math.log(1 - sigma(y_in[j]))
        for j in (0, 1)
    ],
).says("""
    These are the two terms of the loss, not yet differentiated.
""")

ex.mistake(
    "plus-t", BACKWARD, code=lambda y_in, t: [sigma(y_in[j]) + t[j] for j in (0, 1)]
).says("""
    The target comes in with the wrong sign. At $y = t$ the price is 0.
""")

ex.mistake(
    "tanh", NETWORK, code=lambda y_in, t: [math.tanh(y_in[j]) - t[j] for j in (0, 1)]
).says("""
    tanh stands in the place of σ.
""")

ex.mistake(
    "slope-three-times",
    BACKWARD,
    code=cross_entropy_with(lambda y, t: (y - t) * y * (1 - y), slope_right),
).says("""
    The slope of σ comes in too often; $y - t$ contains it already.
""")

ex.mistake(
    "y_in-minus-t", NETWORK, code=lambda y_in, t: [y_in[j] - t[j] for j in (0, 1)]
).says("""
    The target is compared with `y_in`, the sum before σ. The answer of the network is
    `y`.
""")
