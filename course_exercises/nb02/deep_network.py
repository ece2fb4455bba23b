"""02.5 · Open challenge: any number of layers."""

import numpy as np

from course_exercises.judge import Exercise

from .shared import (
    BACKWARD,
    HALF,
    NETWORK,
    NO_ARRAY,
    NO_SLOPE_HIDDEN,
    NO_SLOPE_OUT,
    SATURATED,
    SIGMA,
    SLOPE_TWICE,
    TANH,
    TWICE,
    one_example,
    sigma,
)

SIZES = ("2-2-2", "2-3-4-2", "3-1-2", "2-3-2-4-1", "4-2")

ex = Exercise(
    "02.5",
    "Open challenge: any number of layers",
    gradient=True,
    n=one_example,
    absent={"broadcast": NO_ARRAY},
    hints=(
        "Forward: keep a list of the values of *all* layers, beginning with the "
        "inputs. Backward: three kinds of step, again and again.",
        "Carry one list backward: the prices of the units of the present layer. At "
        "the end it is `2 * (y - t)`.",
        "For each layer, from the last to the first: through σ, then to the weights "
        "(what came in, times the price), then to the units before (sum over the "
        "edges that leave).",
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
def called(answer, sizes):
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


ex.slip("averaged", {"2 * (y": "2 / len(t) * (y"}, BACKWARD).says("""
    It is divided by the number of outputs, as if the loss were a mean. It is the *sum*
    of the squared errors.
""")

ERROR = "2 * (y - target)"
ex.slip("still-a-square", {ERROR: "(y - target) ** 2"}, BACKWARD).says("""
    The price of the outputs is the error itself, still squared. What is the price of a
    square?
""")

LINEAR = {"[sigma(z) for z": "[z if W is weights[-1] else sigma(z) for z"}
ex.slip("linear-forward", LINEAR, NETWORK).says("""
    The outputs are not squeezed on the way forward. Every unit after the inputs is.
""")


@ex.wrong(BACKWARD)
def two_layers_only(weights, x, t):
    """It works for two lists of weights alone. How many there are is seen from
    `len(weights)`; a loop goes through all of them.
    """
    _, _ = weights
    return deep_gradients(weights, x, t)


# --- the slope of σ

SLOPE, LAST = "after[j] * (1 - after[j])", "after is layers[-1]"

ex.slip("activation-missing", {SLOPE: f"({SLOPE} if {LAST} else 1)"}, SIGMA).says(
    NO_SLOPE_HIDDEN
)

ex.slip("output-slope-missing", {SLOPE: f"(1 if {LAST} else {SLOPE})"}, SIGMA).says(
    NO_SLOPE_OUT
)

LINEAR_BOTH = LINEAR | {SLOPE: f"(1 if {LAST} else {SLOPE})"}
ex.slip("linear-outputs", LINEAR_BOTH, NETWORK).says("""
    The outputs are not squeezed, neither forward nor on the way back. Every unit after
    the inputs is.
""")
ex.slip("no-slopes", {SLOPE: "1"}, SIGMA).says("""
    No slope of σ is there, in none of the layers.
""")
ex.slip(
    "at-output", {SLOPE: "sigma(after[j]) * (1 - sigma(after[j]))"}, SATURATED
).says(TWICE)
ex.slip("slope-of-tanh", {SLOPE: "(1 - after[j] ** 2)"}, SIGMA).says(TANH)

# --- from a layer to the one before

PRICE = "[sum(row[j] * d[j] for j in range(len(d))) for row in W]"

ex.slip("assigned", {PRICE: "[row[-1] * d[-1] for row in W]"}, BACKWARD).says("""
    Of all the edges that leave a unit, only the last one counts. What comes back over
    several edges adds.
""")
ex.slip("first-path", {PRICE: "[row[0] * d[0] for row in W]"}, BACKWARD).says("""
    Of all the edges that leave a unit, only the first one counts. What comes back over
    several edges adds.
""")
AVERAGED = {PRICE: "[sum(row[j] * d[j] for j in range(len(d))) / len(d) for row in W]"}
ex.slip("fork-averaged", AVERAGED, BACKWARD).says("""
    What comes back over the edges of a unit is averaged. Several edges add.
""")
ex.slip("weights-missing", {PRICE: "[sum(d) for row in W]"}, BACKWARD).says("""
    The prices come back over the edges without their weights. The local price of an
    edge is the weight on it.
""")
ex.slip("fork-transposed", {PRICE: "np.transpose(W) @ d"}, BACKWARD).says("""
    In the fork the two indices of a weight are exchanged. Where a layer is as wide as
    the next one nobody complains.
""")
ex.slip("last-layer-only", {PRICE: "[0 for row in W]"}, BACKWARD).says("""
    Only the last layer has gradients; those before it are zero. The price has to be
    carried on to the units before.
""")

HIDDEN = (  # the slope of the hidden units alone
    ("slope-of-tanh-hidden", "(1 - after[j] ** 2)", TANH),
    ("half-a-slope-hidden", "after[j]", HALF),
    ("other-half-hidden", "(1 - after[j])", HALF),
    ("at-output-hidden", "sigma(after[j]) * (1 - sigma(after[j]))", TWICE),
    ("slope-squared-hidden", f"({SLOPE}) ** 2", SLOPE_TWICE),
)
for name, other, words in HIDDEN:
    here = {SLOPE: f"({SLOPE} if {LAST} else {other})"}
    ex.slip(name, here, SIGMA).says(words)

ex.slip("slope-squared", {SLOPE: f"({SLOPE}) ** 2"}, SIGMA).says(SLOPE_TWICE)

# --- what is returned

ex.slip("returns-input", {"found[::-1]": "weights"})

ex.slip("reversed", {"[::-1]": ""}, BACKWARD).says("""
    The right gradients, in the order in which they were found: the last layer first.
""")
ex.slip("transposed", {"found[": "[np.transpose(M) for M in found]["}, NETWORK).says("""
    Rows and columns are exchanged. `dW[i][j]` belongs to the weight from unit i to unit
    j.
""")
