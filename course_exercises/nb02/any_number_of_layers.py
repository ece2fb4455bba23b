"""02.5 · Open challenge: any number of layers"""

import numpy as np

from course_exercises.judge import Exercise

from .shared import (
    BACKWARD,
    NETWORK,
    SLOPE,
    one_example,
    sigma,
    slope_of_tanh,
    slope_right,
)

HERE = "02_network_by_hand"
SIGMA = "01_chain_rule#The function σ"
NO_ARRAY = "lists of plain numbers, nothing is broadcast"
NO_SLOPE_OUT = (
    "The price goes from `y` to `y_in` as it is. Between the two is σ, and its slope "
    "belongs to every path through an output unit. Where `dy_in` is needed, is `dy` "
    "taken?"
)
NO_SLOPE_HIDDEN = (
    "The price goes from `h` to `h_in` as it is. Between the two is σ, and its slope "
    "belongs to every path that leads through a hidden unit."
)
TWICE = (
    "σ is taken twice: the slope is computed as if `h` and `y` were still to be "
    "squeezed. They are outputs of σ already."
)
TANH = (
    "This is $1 - h^2$, the slope of another function, tanh. With σ it trains all "
    "the same, to something."
)
SLOPE_TWICE = (
    "The slope of σ comes in twice. A path leads through each σ once, and meets its "
    "slope once."
)
SIZES = ("2-2-2", "2-3-4-2", "3-1-2", "2-3-2-4-1", "4-2")

ex = Exercise(
    "02.5",
    "Open challenge: any number of layers",
    gradient=True,
    absent={"broadcast": NO_ARRAY},
    hints=(
        "Forward: keep a list of the values of *all* layers, beginning with the "
        "inputs. Backward: three kinds of step, again and again.",
        "Carry one list backward: the prices of the units of the present layer. "
        "At the end it is `2 * (y - t)`.",
        "For each layer, from the last to the first: through σ, then to the "
        "weights (what came in, times the price), then to the units before (sum "
        "over the edges that leave).",
    ),
    explanation=(
        "One loop forward, one backward. The price of a layer's units is all that the "
        "layer before has to know. For two layers of weights these are the lines of "
        "the notebook."
    ),
)


@ex.answer
def deep_gradients(weights, x, t):
    layers = [x]
    for W in weights:
        before = layers[-1]
        sums = [
            sum(before[i] * W[i][j] for i in range(len(before)))
            for j in range(len(W[0]))
        ]
        layers.append([sigma(z) for z in sums])
    price = [2 * (y - target) for y, target in zip(layers[-1], t, strict=True)]
    found = []
    for k in reversed(range(len(weights))):
        W, before, after = weights[k], layers[k], layers[k + 1]
        d = [price[j] * after[j] * (1 - after[j]) for j in range(len(after))]
        found.append([[b * d[j] for j in range(len(d))] for b in before])
        price = [sum(row[j] * d[j] for j in range(len(d))) for row in W]
    return found[::-1]


@ex.given
def networks(rng):
    return [(sizes,) for sizes in SIZES]


@ex.called
def deep(answer, sizes):
    """Let an answer find the gradients of a network: all of them, one after another."""
    units = [int(n) for n in sizes.split("-")]
    rng = np.random.default_rng(units)
    shapes = list(zip(units, units[1:], strict=False))
    weights = [rng.uniform(-1, 1, size=shape).tolist() for shape in shapes]
    x = rng.uniform(0.5, 2, size=units[0]).tolist()
    t = rng.uniform(0, 1, size=units[-1]).tolist()
    found = answer(weights, x, t)
    if found is None:
        return None
    if len(found) != len(weights):
        says = f"{len(found)} gradients for {len(weights)} lists of weights"
        raise ValueError(says)
    return np.concatenate([np.ravel(np.asarray(M)) for M in found])


def deep_with(
    *,
    hidden=lambda h: h * (1 - h),
    last=lambda y: y * (1 - y),
    fork=lambda W, d: W @ d,
    into=lambda before, after: before,
    start=lambda y, t: 2 * (y - t),
    done=lambda found: found,
):
    """The walk through all layers with some parts replaced."""

    def wrong(weights, x, t):
        layers = [np.array(x)]
        for W in weights:
            layers.append(1 / (1 + np.exp(-(layers[-1] @ np.array(W)))))
        price, found = start(layers[-1], np.array(t)), []
        for k in reversed(range(len(weights))):
            before, after = layers[k], layers[k + 1]
            slope = last if k == len(weights) - 1 else hidden
            d = price * slope(after)
            found.insert(0, np.outer(into(before, after), d))
            price = fork(np.array(weights[k]), d)
        return done(found)

    return wrong


def sigma_again(h):
    return slope_right(0, 1 / (1 + np.exp(-h)))


ex.n = one_example


@ex.wrong(BACKWARD)
def averaged(weights, x, t):
    """It is divided by the number of outputs, as if the loss were a mean. It is the
    *sum* of the squared errors.
    """
    return [
        [[price / len(t) for price in row] for row in rows]
        for rows in deep_gradients(weights, x, t)
    ]


ex.mistake("activation-missing", SIGMA, code=deep_with(hidden=lambda h: 1.0)).says(
    NO_SLOPE_HIDDEN
)

ex.mistake("output-slope-missing", SIGMA, code=deep_with(last=lambda y: 1.0)).says(
    NO_SLOPE_OUT
)

ex.mistake(
    "no-slopes", SIGMA, code=deep_with(hidden=lambda h: 1.0, last=lambda y: 1.0)
).says("""
    No slope of σ is there, in none of the layers.
""")

ex.mistake(
    "at-output", SLOPE, code=deep_with(hidden=sigma_again, last=sigma_again)
).says(TWICE)

ex.mistake(
    "slope-of-tanh", SIGMA, code=deep_with(hidden=slope_of_tanh, last=slope_of_tanh)
).says(TANH)

ex.mistake(
    "assigned", BACKWARD, code=deep_with(fork=lambda W, d: W[:, -1] * d[-1])
).says("""
    Of all the edges that leave a unit, only the last one counts. What comes back over
    several edges adds.
""")

ex.mistake(
    "first-path", BACKWARD, code=deep_with(fork=lambda W, d: W[:, 0] * d[0])
).says("""
    Of all the edges that leave a unit, only the first one counts. What comes back over
    several edges adds.
""")

ex.mistake(
    "weights-missing",
    BACKWARD,
    code=deep_with(fork=lambda W, d: np.full(len(W), d.sum())),
).says("""
    The prices come back over the edges without their weights. The local price of an
    edge is the weight on it.
""")

ex.mistake(
    "fork-transposed", BACKWARD, code=deep_with(fork=lambda W, d: W.T @ d)
).says("""
    In the fork the two indices of a weight are exchanged. Where a layer is as wide as
    the next one nobody complains.
""")

ex.mistake(
    "last-layer-only",
    BACKWARD,
    code=deep_with(done=lambda found: [0 * M for M in found[:-1]] + found[-1:]),
).says("""
    Only the last layer has gradients; those before it are zero. The price has to be
    carried on to the units before.
""")

ex.mistake(
    "slope-squared",
    SIGMA,
    code=deep_with(
        hidden=lambda h: (h * (1 - h)) ** 2, last=lambda y: (y * (1 - y)) ** 2
    ),
).says(SLOPE_TWICE)

ex.mistake("returns-input", code=lambda weights, x, t: weights)

ex.mistake(
    "reversed", BACKWARD, code=deep_with(done=lambda found: found[::-1])
).says("""
    The right gradients, in the order in which they were found: the last layer first.
""")

ex.mistake(
    "transposed", NETWORK, code=deep_with(done=lambda found: [M.T for M in found])
).says("""
    Rows and columns are exchanged. `dW[i][j]` belongs to the weight from unit i to unit
    j.
""")
