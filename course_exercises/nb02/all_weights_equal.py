"""02.4 · Predict: all weights equal"""

import numpy as np

from course_exercises.judge import Exercise

from .shared import LOOPS, NETWORK, mended_backward, sigma

HERE = "02_network_by_hand"
STUCK = f"{HERE}#Training it on"
examples = [([3.0, 1.0], [1.0, 0.0]), ([-1.0, 4.0], [0.0, 1.0])]

ex = Exercise(
    "02.4",
    "Predict: all weights equal",
    outputs=("in dW", "in dV", "columns of W differ"),
    hints=(
        "$h_1$ and $h_2$ get the same inputs with the same weights. What follows "
        "for their values, and for their prices?",
        "`dW[i][j]` is $x_i$ times the price of hidden unit $j$; `dV[i][j]` is "
        "$h_i$ times the price of output $j$. In which places do the two hidden "
        "units stand?",
        "The hidden units number the columns of W and the rows of V. And what "
        "starts equal and moves equally stays equal.",
    ),
    explanation=(
        "The two hidden units are twins: equal values, equal prices, equal steps, for "
        "ever. A network with twin units is a network with one unit. This is why "
        "networks start from random weights."
    ),
)


def forward(x, W, V):
    h_in = [sum(x[i] * W[i][j] for i in (0, 1)) for j in (0, 1)]
    h = [sigma(z) for z in h_in]
    y_in = [sum(h[i] * V[i][j] for i in (0, 1)) for j in (0, 1)]
    y = [sigma(z) for z in y_in]
    return h, y


def gradients(W, V):
    dW, dV = np.zeros((2, 2)), np.zeros((2, 2))
    for x, t in examples:
        h, y = forward(x, W, V)
        part_W, part_V = mended_backward(x, t, h, y, V)
        dW, dV = dW + part_W, dV + part_V
    return None, dW.tolist(), dV.tolist()


def train(W, V, steps, lr=0.5):
    for _ in range(steps):
        _, dW, dV = gradients(W, V)
        W = (np.array(W) - lr * np.array(dW)).tolist()
        V = (np.array(V) - lr * np.array(dV)).tolist()
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


ex.guess("turned", ("rows", "columns", "?"), NETWORK).says("""
    It is the two *hidden units* that cannot be told apart. Which entries belong to the
    same hidden unit, in this matrix?
""")

ex.guess("differ", ("?", "?", "yes"), STUCK).says("""
    What starts equal and gets equal gradients takes equal steps. Which step could be
    the first to make a difference?
""")

ex.guess("all", ("all", "all", "?"), LOOPS).says("""
    Not all four are equal: the two inputs differ, and so do the two targets. Which two
    things are exactly alike in this network?
""")

ex.guess("none", ("none", "none", "?"), LOOPS).says("""
    Two units have the same inputs, the same weights, and the same edges that lead on.
    So what can be different in their prices?
""")
