"""02.3 · Find the bugs: a curve that looks fine"""

import numpy as np

from course_exercises.judge import Exercise, Mistake

from .shared import (
    ALSO_MADE,
    BACKWARD,
    SLOPE,
    back,
    mended_backward,
    network_inputs,
    one_example,
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
    "02.3",
    "Find the bugs: a curve that looks fine",
    gradient=True,
    outputs=("dW", "dV"),
    absent={"broadcast": NO_ARRAY},
    hints=(
        "Compare each line with the formulas of the seven steps; and nudge: "
        "`h1` and `w12` on the notebook's own numbers tell different stories.",
        "All of `dV` is wrong by one and the same factor. What is the price of "
        "$(y - t)^2$?",
        "In the line of `dh`, read the indices aloud: `V[i][j]` leads from hidden "
        "unit i to output j. Which of the two is summed over?",
    ),
    explanation=(
        "The 2 of the square is missing in `dy`, and `V[j][i]` takes the weight of "
        "another edge. The first halves the learning rate. The second spoils `dW` "
        "alone, and no test would notice it for a symmetric V. The loss falls all the "
        "same, since here V does nearly all the work: a falling curve is no check of "
        "a gradient. A nudge is."
    ),
)


def weights_with(**parts):
    """A function that gives dW and dV, with some parts replaced."""

    def wrong(x, t, h, y, V):
        prices = back(x, t, h, y, V, **parts)
        return prices["dW"], prices["dV"]

    return wrong


@ex.right
def weights_by_loops(x, t, h, y, V):
    dW, dV, dh = np.zeros((2, 2)), np.zeros((2, 2)), [0.0, 0.0]
    for i, j in np.ndindex(2, 2):
        d = (y[j] - t[j]) * 2 * y[j] * (1 - y[j])
        dV[i, j] += h[i] * d
        dh[i] += V[i][j] * d
    for i, j in np.ndindex(2, 2):
        dW[i, j] += x[i] * dh[j] * h[j] * (1 - h[j])
    return dW, dV


ex.answer(mended_backward)


ex.inputs = network_inputs
ex.n = one_example


@ex.wrong(BACKWARD)
def half(x, t, h, y, V):
    """Every number is half the right one. Training shows this only as a smaller
    learning rate. What is the price of a square?
    """
    return weights_with(dy=lambda y, t: y - t)(x, t, h, y, V)


ex.mistake("fork-transposed", BACKWARD, code=weights_with(fork=transposed_fork)).says(
    TURNED
)


@ex.wrong(BACKWARD)
def as_shown(x, t, h, y, V):
    """There are still two mistakes in it: a factor in every number, and one more on the
    way to `dW`.
    """
    dy = [y[j] - t[j] for j in (0, 1)]
    dy_in = [dy[j] * y[j] * (1 - y[j]) for j in (0, 1)]
    dV = [[h[i] * dy_in[j] for j in (0, 1)] for i in (0, 1)]
    dh = [sum(V[j][i] * dy_in[j] for j in (0, 1)) for i in (0, 1)]
    dh_in = [dh[i] * h[i] * (1 - h[i]) for i in (0, 1)]
    dW = [[x[i] * dh_in[j] for j in (0, 1)] for i in (0, 1)]
    return dW, dV


ex.mistakes += (
    Mistake(i, weights_with(**parts), s, w) for i, parts, s, w in ALSO_MADE
)  # TODO


@ex.wrong(SLOPE)
def slope_of_outputs_(x, t, h, y, V):
    """The slope of the hidden units is computed with `y`. Each σ has its slope at its
    own output.
    """
    prices = back(x, t, h, y, V)
    dh_in = [prices["dh"][i] * y[i] * (1 - y[i]) for i in (0, 1)]
    return np.outer(x, dh_in), prices["dV"]


@ex.wrong(BACKWARD)
def other_inputs_(x, t, h, y, V):
    """The price is multiplied by the values of the wrong layer. `x` comes into W, `h`
    comes into V.
    """
    prices = back(x, t, h, y, V)
    return np.outer(h, prices["dh_in"]), np.outer(x, prices["dy_in"])
