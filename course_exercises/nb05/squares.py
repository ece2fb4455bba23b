"""05.3 · Tested on squares."""

import numpy as np

from course_exercises.judge import Exercise

BY_INDEX = "05_vectorized_backprop#The rules, by index"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"
NO_ACTIVATION = "the layer has no activation"

ex = Exercise(
    "05.3",
    "Tested on squares",
    gradient=True,
    outputs=("dX", "dW", "db"),
    absent={"activation-missing": NO_ACTIVATION, "at-output": NO_ACTIVATION},
    hints=(
        "Run the code with $N = 5$, $D = 4$, $H = 3$. Which line does NumPy "
        "refuse? And which result has a shape that none of the inputs has?",
        "`dX` has the shape of `X`, `(N, D)`; it is built from `grad_out`, "
        "`(N, H)`, and `W`, `(D, H)`. `db` has the shape `(H,)`.",
        "There is only one product for `dX` that fits: `W` is transposed. And "
        "`db` is a sum over the rows, that is, over axis 0.",
    ),
    explanation=(
        "With $D = H$ the product `grad_out @ W` can be formed, and with $N = H$ the "
        "sum over the wrong axis has the right shape. NumPy reports only the first, "
        "at unequal sizes; the second is found by comparing shapes, as `gradcheck` "
        "does before anything else."
    ),
)


@ex.answer
def layer_vjp(grad_out, X, W):
    dX = grad_out @ W.T  # (N, H) @ (H, D) -> (N, D)
    dW = X.T @ grad_out  # (D, N) @ (N, H) -> (D, H)
    db = grad_out.sum(axis=0)  # (N, H) -> (H,)
    return dX, dW, db


@ex.given
def layer_inputs(rng):
    sizes = (2, 3, 2), (4, 4, 4), (5, 4, 3), (1, 3, 2), (5, 3, 3), (7, 2, 6)
    return [
        (rng.normal(size=(N, H)), rng.normal(size=(N, D)), rng.normal(size=(D, H)))
        for N, D, H in sizes
    ]


@ex.right
def layer_by_examples(grad_out, X, W):
    dX, dW, db = [], np.zeros_like(W), np.zeros(W.shape[1])
    for g, x in zip(grad_out, X, strict=True):
        dX.append((W @ g).tolist())
        dW += np.outer(x, g)
        db += g
    return dX, dW, db


# --- wrong ones: as found, or mended by half

ex.slip("not-transposed", {"W.T": "W"}, BY_INDEX).says("""
    `dX` is still made with `W` as it is. By index its sum runs over the *second* letter
    of `W`.
""")
ex.slip("as-found", {"W.T": "W", "axis=0": "axis=1"}, BIAS).says("""
    `db` is still what it was, too: it has one number for each example. How many has the
    bias?
""")
ex.slip("other-axis", {"axis=0": "axis=1"}, BIAS).says("""
    `db` is still summed along each row: one number for each example. A bias belongs to
    a neuron, and is shared by the examples.
""")

# --- the sums, and what they are made of

ex.slip("broadcast", {".sum(axis=0)": ""}, BIAS)
ex.slip("assigned", {"dW +=": "dW =", "db +=": "db ="}, BIAS, of=layer_by_examples)
ex.slip("averaged", {"sum": "mean"}, BIAS).says("""
    `db` is a mean. The loss brings in its $1/N$ once; all rules after it sum.
""")
ex.slip("output-for-input", {"X.T": "(X @ W).T"}, BY_INDEX).says("""
    `dW` is made with the layer's output. A product's gradient for one factor needs the
    *other* factor.
""")
ex.slip("forward-again", {"grad_out @ W.T": "X @ W @ W.T"}, BY_INDEX).says("""
    `dX` is made with the layer's output. What comes back is `grad_out`.
""")
ex.slip("output-back", {"X.T @ grad_out": "X.T @ (X @ W)"}, BY_INDEX).says("""
    `dW` is made with the layer's output. What comes back is `grad_out`.
""")
ex.slip("forward-bias", {"grad_out.sum": "(X @ W).sum"}, BIAS).says("""
    `db` is made of the layer's output. What comes back, `grad_out`, has no part in it.
""")
ex.slip("extra-axis", {"axis=0": "axis=0, keepdims=True"}, BIAS)
