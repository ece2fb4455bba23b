"""05.1 · A weight matrix the other way round."""

import numpy as np

from course_exercises.judge import Exercise

BY_INDEX = "05_vectorized_backprop#The rules, by index"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"
NO_ACTIVATION = "the layer has no activation"

ex = Exercise(
    "05.1",
    "A weight matrix the other way round",
    gradient=True,
    outputs=("grad_X", "grad_W"),
    absent={
        "activation-missing": NO_ACTIVATION,
        "at-output": NO_ACTIVATION,
        "broadcast": "nothing is broadcast in a matrix product",
    },
    hints=(
        "Write $Z_{nj} = \\sum_i X_{ni} W_{ji}$. In which entries of $Z$ does one "
        "entry $W_{ji}$ occur, and with which factor?",
        "$dW_{ji} = \\sum_n G_{nj} X_{ni}$, and $dX_{ni} = \\sum_j G_{nj} W_{ji}$. "
        "Which of the two sums runs over a first axis, and which over a second?",
        "`grad_W` is $(H, D)$. It is built from `grad_out`, $(N, H)$, and `X`, "
        "$(N, D)$: only one product fits. `grad_X` needs no transposition at all.",
    ),
    explanation=(
        "By index, $dX_{ni} = \\sum_j G_{nj} W_{ji}$ is $G W$, and $dW_{ji} = \\sum_n "
        "G_{nj} X_{ni}$ is $G^\\top X$. Against the rules for $X W$, the transposition "
        "has moved from `grad_X` to `grad_W`."
    ),
)


@ex.answer
def matmul_t_vjp(grad_out, X, W):
    grad_X = grad_out @ W  # (N, H) @ (H, D) -> (N, D)
    grad_W = grad_out.T @ X  # (H, N) @ (N, D) -> (H, D)
    return grad_X, grad_W


@ex.given
def matmul_t_inputs(rng):
    sizes = (2, 3, 2), (5, 4, 3), (1, 3, 2), (3, 3, 3), (7, 2, 6)
    return [
        (rng.normal(size=(N, H)), rng.normal(size=(N, D)), rng.normal(size=(H, D)))
        for N, D, H in sizes
    ]


@ex.right
def matmul_t_by_loops(grad_out, X, W):
    grad_X = [[0.0] * X.shape[1] for _ in X]
    grad_W = [[0.0] * W.shape[1] for _ in W]
    for n, i in np.ndindex(X.shape):
        for j in range(len(W)):
            grad_X[n][i] += grad_out[n, j] * W[j, i]
            grad_W[j][i] += grad_out[n, j] * X[n, i]
    return grad_X, grad_W


@ex.right
def matmul_t_by_outer(grad_out, X, W):
    grad_W = np.zeros_like(W)
    for g, x in zip(grad_out, X, strict=True):
        grad_W += np.outer(g, x)
    return [np.stack([W.T @ g for g in grad_out]), grad_W]


@ex.wrong(BY_INDEX)
def axis(grad_out, X, W):
    """The sum runs along the wrong axis. The letter that is summed is the one that the
    result does not have.
    """
    return (grad_out[:, :, None] * W).sum(axis=2), (grad_out.T[:, :, None] * X).sum(2)


ex.slip("assigned", {"+=": "="}, BIAS, of=matmul_t_by_outer)
ex.slip(
    "rule-of-matmul", {"@ W": "@ W.T", "grad_out.T @ X": "X.T @ grad_out"}, BY_INDEX
).says("""
    These are the rules for `X @ W`. Here the forward pass transposes `W`, so the
    letters of the sum stand in other places.
""")

for name, place in (("grad-X-of-Z", "grad_out @"), ("grad-W-of-Z", "grad_out.T")):
    of_Z = place.replace("grad_out", "(X @ W.T)")
    ex.slip(name, {place: of_Z}, BY_INDEX).says("""
        It is made of the layer's output, `X @ W.T`. What comes back is `grad_out`.
    """)
ex.slip("grad-W-with-W", {"@ X": "@ grad_X"}, BY_INDEX).says("""
    `grad_W` is made with `W`. A product's gradient for one factor needs the *other*
    factor.
""")
