"""02.2 · A bias for each unit"""

import numpy as np

from course_exercises.judge import Exercise, Mistake

from .shared import (
    ALSO_MADE,
    BACKWARD,
    LOOPS,
    NETWORK,
    back,
    network_inputs,
    one_example,
    total,
    transposed_fork,
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
NO_WEIGHTS = (
    "The prices come back over the edges without their weights. The local price of an "
    "edge is the weight on it."
)
STRAIGHT = (
    "Only the edge from unit i to output i counts. From each hidden unit two edges "
    "lead on, one to each output, and both bring a price back."
)
HALF = (
    "The slope of σ is a product of two factors, $h$ and $1 - h$. One of them is "
    "missing here."
)
LAST_PATH = (
    "Of the two paths that lead on from a hidden unit, only the last one counts. What "
    "comes back over several edges adds."
)
FIRST_PATH = (
    "Of the two paths that lead on from a hidden unit, only the one to the first "
    "output counts. What comes back over several edges adds."
)
TURNED = (
    "In the fork the indices of `V` are exchanged. $v_{ij}$ leads from hidden unit "
    "$i$ to output $j$; on the way back the same edge is used, in the other direction."
)

ex = Exercise(
    "02.2",
    "A bias for each unit",
    gradient=True,
    outputs=("dW", "dV", "db", "dc"),
    absent={"broadcast": NO_ARRAY},
    hints=(
        "$h^{in}_j = \\sum_i x_i w_{ij} + b_j$. What does one unit more of $b_j$ "
        "do to $h^{in}_j$?",
        "An addition hands its price on, unchanged. Which of the prices in "
        "`backward` are prices of sums?",
        "The local price is 1, so `db` is the price of `h_in`, and `dc` that of "
        "`y_in`. None of the other lines changes.",
    ),
    explanation=(
        "A bias is added, so its local price is 1, and it has the price of the sum it "
        "goes into. One can also see it as a weight that the constant 1 comes into. "
        "The other lines stay: they use `h` and `y`, and these have changed in the "
        "forward pass."
    ),
)


@ex.answer
def backward_with_biases(x, t, h, y, V):
    dy = [2 * (y[j] - t[j]) for j in (0, 1)]
    dy_in = [dy[j] * y[j] * (1 - y[j]) for j in (0, 1)]
    dV = [[h[i] * dy_in[j] for j in (0, 1)] for i in (0, 1)]
    dh = [sum(V[i][j] * dy_in[j] for j in (0, 1)) for i in (0, 1)]
    dh_in = [dh[i] * h[i] * (1 - h[i]) for i in (0, 1)]
    dW = [[x[i] * dh_in[j] for j in (0, 1)] for i in (0, 1)]
    dc = dy_in
    db = dh_in
    return dW, dV, db, dc


def all_with(**parts):
    """A function that gives dW, dV, db and dc, with some parts replaced."""

    def wrong(x, t, h, y, V):
        prices = back(x, t, h, y, V, **parts)
        return prices["dW"], prices["dV"], prices["dh_in"], prices["dy_in"]

    return wrong


def biases_from(db, dc):
    """The right dW and dV, and other prices in the place of db and dc."""

    def wrong(x, t, h, y, V):
        prices = back(x, t, h, y, V)
        return prices["dW"], prices["dV"], db(x, h, prices), dc(x, h, prices)

    return wrong


@ex.right
def biases_number_by_number(x, t, h, y, V):
    db, dc, dW, dV = [0.0, 0.0], [0.0, 0.0], np.zeros((2, 2)), np.zeros((2, 2))
    for j in range(2):
        dc[j] += 2 * (y[j] - t[j]) * (y[j] - y[j] ** 2)
        for i in range(2):
            dV[i, j] = h[i] * dc[j]
            db[i] += V[i][j] * dc[j] * (h[i] - h[i] ** 2)
    for i in range(2):
        for j in range(2):
            dW[i][j] = x[i] * db[j]
    return dW, dV, np.array(db), dc


ex.inputs = network_inputs
ex.n = one_example

ex.mistake(
    "before-sigma",
    SIGMA,
    code=biases_from(lambda x, h, p: p["dh"], lambda x, h, p: p["dy"]),
).says("""
    A bias is added *before* σ, and this price is the one after it. The slope of σ is
    missing on the way.
""")

ex.mistake(
    "like-a-weight",
    BACKWARD,
    code=biases_from(
        lambda x, h, p: [x[j] * p["dh_in"][j] for j in (0, 1)],
        lambda x, h, p: [h[j] * p["dy_in"][j] for j in (0, 1)],
    ),
).says("""
    This is the rule for a weight: what came in, times the price of where it leads.
    Nothing comes into a bias; it is added as it is.
""")

ex.mistake(
    "slope-twice",
    BACKWARD,
    code=biases_from(
        lambda x, h, p: [p["dh_in"][j] * h[j] * (1 - h[j]) for j in (0, 1)],
        lambda x, h, p: [0.0, 0.0],
    ),
).says("""
    The slope of σ comes in twice: `dh_in` has it already.
""")

ex.mistake(
    "one-for-all",
    BACKWARD,
    code=biases_from(
        lambda x, h, p: total(p["dh_in"]), lambda x, h, p: total(p["dy_in"])
    ),
).says("""
    The prices of the two units are added up. Each unit has a bias of its own; a sum
    comes in where *one* number is used twice.
""")

ex.mistake(
    "a-single-number",
    BACKWARD,
    code=biases_from(lambda x, h, p: sum(p["dh_in"]), lambda x, h, p: sum(p["dy_in"])),
).says("""
    The prices of the two units are added up to one number. Each unit has a bias of its
    own, so there are two prices.
""")

ex.mistake(
    "other-layer",
    NETWORK,
    code=biases_from(lambda x, h, p: p["dy_in"], lambda x, h, p: p["dh_in"]),
).says("""
    `db` and `dc` are exchanged: b belongs to the hidden units, c to the outputs.
""")

ex.mistake(
    "last-only",
    LOOPS,
    code=biases_from(
        lambda x, h, p: [0.0, p["dh_in"][1]], lambda x, h, p: [0.0, p["dy_in"][1]]
    ),
).says("""
    Only the second unit gets a price. Is a list overwritten in a loop?
""")

ex.mistake(
    "first-unit-only",
    LOOPS,
    code=biases_from(
        lambda x, h, p: [p["dh_in"][0], 0.0], lambda x, h, p: [p["dy_in"][0], 0.0]
    ),
).says("""
    Only the first unit gets a price. Does a loop end too early?
""")

ex.mistake(
    "sum-of-weights",
    BACKWARD,
    code=lambda x, t, h, y, V: biases_from(
        lambda x, h, p: np.sum(p["dW"], axis=0), lambda x, h, p: np.sum(p["dV"], axis=0)
    )(x, t, h, y, V),
).says("""
    The prices of a unit's weights are added up. They contain what came into the
    weights, and nothing of that goes through a bias.
""")

ex.mistake("half", BACKWARD, code=all_with(dy=lambda y, t: y - t))

ex.mistakes += (
    Mistake(i, all_with(**parts), s, w) for i, parts, s, w in ALSO_MADE
)  # TODO

ex.mistake("fork-transposed", BACKWARD, code=all_with(fork=transposed_fork)).says(
    TURNED
)
