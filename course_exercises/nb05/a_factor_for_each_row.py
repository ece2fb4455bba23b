"""05.2 · A factor for each row"""

import numpy as np

from course_exercises.judge import Exercise

BY_INDEX = "05_vectorized_backprop#The rules, by index"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"
NO_ACTIVATION = "the layer has no activation"

ex = Exercise(
    "05.2",
    "A factor for each row",
    gradient=True,
    outputs=("grad_X", "grad_s"),
    absent={
        "activation-missing": NO_ACTIVATION,
        "at-output": NO_ACTIVATION,
    },
    hints=(
        "One factor `s[n]` is used for every entry of row `n`. A value that is "
        "used several times is a value that forks.",
        "By index: $Z_{ni} = X_{ni} s_n$. What is $\\partial Z_{ni}/\\partial "
        "s_n$, and over which letter is it summed?",
        "`grad_s` has the shape $(N,)$. Multiply what comes in by `X`, entry by "
        "entry, and sum over the axis that `s` does not have.",
    ),
    explanation=(
        "$Z_{ni} = X_{ni} s_n$ is a product, so each factor gets the other one times "
        "$G_{ni}$. `s` was broadcast over the columns, so its gradient is collected "
        "over the columns: $ds_n = \\sum_i G_{ni} X_{ni}$."
    ),
)


@ex.answer
def scale_rows_vjp(grad_out, X, s):
    grad_X = grad_out * s[:, None]
    grad_s = (grad_out * X).sum(axis=1)  # (N, D) -> (N,)
    return grad_X, grad_s


@ex.given
def scale_rows_inputs(rng):
    sizes = (2, 3), (5, 4), (3, 3), (1, 4), (6, 2)
    return [
        (rng.normal(size=(N, D)), rng.normal(size=(N, D)), rng.normal(size=N))
        for N, D in sizes
    ]


@ex.wrong(BIAS)
def assigned(grad_out, X, s):
    grad_s = np.zeros_like(s)
    for n, i in np.ndindex(X.shape):
        grad_s[n] = grad_out[n, i] * X[n, i]
    return grad_out * s[:, None], grad_s


@ex.wrong(BIAS)
def broadcast(grad_out, X, s):
    return grad_out * s[:, None], grad_out * X


@ex.wrong(BIAS)
def mean_for_sum(grad_out, X, s):
    """`grad_s` is a mean over the columns. Each entry of a row gives its share to the
    factor of that row, and shares add.
    """
    return grad_out * s[:, None], (grad_out * X).mean(axis=1)


@ex.wrong(BY_INDEX)
def factor_missing(grad_out, X, s):
    """`grad_s` knows nothing of `X`. One unit more of a factor matters more where what
    it multiplies is large.
    """
    return grad_out * s[:, None], grad_out.sum(axis=1)


@ex.wrong("05_vectorized_backprop#One form for every rule: the vjp")
def one_after_the_other(grad_out, X, s):
    """`grad_X` was used to find `grad_s`. Both are inputs of the same operation: each
    gets its gradient from `grad_out`.
    """
    grad_X = grad_out * s[:, None]
    return grad_X, (grad_X * X).sum(axis=1)


@ex.wrong(BIAS)
def first_column(grad_out, X, s):
    """Only the first column counts. The factor serves all entries of its row, and
    gradients add.
    """
    return grad_out * s[:, None], (grad_out * X)[:, 0]


@ex.wrong("05_vectorized_backprop#One form for every rule: the vjp")
def incoming_missing(grad_out, X, s):
    """`grad_X` is made of `X`, where the gradient that comes in belongs. This is the
    forward pass once more.
    """
    return X * s[:, None], (grad_out * X).sum(axis=1)


@ex.wrong(BY_INDEX)
def passed_on(grad_out, X, s):
    """`grad_X` is what came in, unchanged. Going back through the product, each row is
    multiplied by its factor.
    """
    return grad_out, (grad_out * X).sum(axis=1)


@ex.wrong(BIAS)
def extra_axis(grad_out, X, s):
    return grad_out * s[:, None], (grad_out * X).sum(axis=1, keepdims=True)
