"""02.4 · Predict: all weights equal."""

import numpy as np

from course_exercises.judge import Exercise

from .falling_curve import mended_backward
from .shared import HERE, LOOPS, NETWORK

STUCK = f"{HERE}#Training it on"
EXAMPLES = [([3.0, 1.0], [1.0, 0.0]), ([-1.0, 4.0], [0.0, 1.0])]

ex = Exercise(
    "02.4",
    "Predict: all weights equal",
    outputs=("in dW", "in dV", "columns of W differ"),
    hints=(
        "$h_1$ and $h_2$ get the same inputs with the same weights. What follows for "
        "their values, and for their prices?",
        "`dW[i][j]` is $x_i$ times the price of hidden unit $j$; `dV[i][j]` is $h_i$ "
        "times the price of output $j$. In which places do the two hidden units stand?",
        "The hidden units number the columns of W and the rows of V. And what starts "
        "equal and moves equally stays equal.",
    ),
    explanation=(
        "The two hidden units are twins: equal values, equal prices, equal steps, for "
        "ever. A network with twin units is a network with one unit. This is why "
        "networks start from random weights."
    ),
)


def layer(x, W):
    return 1 / (1 + np.exp(-np.dot(x, W)))


def gradients(W, V):
    dW, dV = 0.0, 0.0
    for x, t in EXAMPLES:
        h = layer(x, W)
        part_W, part_V = mended_backward(x, t, h, layer(h, V), V)
        dW, dV = dW + np.array(part_W), dV + np.array(part_V)
    return None, dW, dV


def train(W, V, steps, lr=0.5):
    for _ in range(steps):
        _, dW, dV = gradients(W, V)
        W, V = W - lr * dW, V - lr * dV
    return W, V, []


@ex.answer
def equal():
    M = [[0.5, 0.5], [0.5, 0.5]]
    _, dW, dV = gradients(M, M)
    W, _, _ = train(M, M, 100)

    def which(A):
        rows = np.allclose(A[0], A[1], rtol=1e-9, atol=0)
        columns = np.allclose([A[0][0], A[1][0]], [A[0][1], A[1][1]], rtol=1e-9, atol=0)
        if rows and columns:
            return "all"
        return "rows" if rows else "columns" if columns else "none"

    return which(dW), which(dV), "no" if which(W) in ("columns", "all") else "yes"


IN_W, IN_V, DIFFER = ex.outputs

ex.guess("turned", {IN_W: "rows", IN_V: "columns"}, NETWORK).says("""
    It is the two *hidden units* that cannot be told apart. Which entries belong to the
    same hidden unit, in this matrix?
""")
ex.guess("differ", {DIFFER: "yes"}, STUCK).says("""
    What starts equal and gets equal gradients takes equal steps. Which step could be
    the first to make a difference?
""")
ex.guess("all", {IN_W: "all", IN_V: "all"}, LOOPS).says("""
    Not all four are equal: the two inputs differ, and so do the two targets. Which two
    things are exactly alike in this network?
""")
ex.guess("none", {IN_W: "none", IN_V: "none"}, LOOPS).says("""
    Two units have the same inputs, the same weights, and the same edges that lead on.
    So what can be different in their prices?
""")
