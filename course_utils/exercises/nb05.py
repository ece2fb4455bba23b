"""Exercises of 05_vectorized_backprop."""

import numpy as np

from course_utils import functional as F

from .exercise import Exercise, Mistake

BY_INDEX = "05_vectorized_backprop#The rules, by index"
BY_SHAPE = "05_vectorized_backprop#The rules, by shape"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"
LOSS = "05_vectorized_backprop#The loss: mean squared error"
NO_ACTIVATION = "the layer has no activation"

# --- 05.1: torch's way round ----------------------------------------------------------


def matmul_t_vjp(grad_out, X, W):
    grad_X = grad_out @ W  # (N, H) @ (H, D) -> (N, D)
    grad_W = grad_out.T @ X  # (H, N) @ (N, D) -> (H, D)
    return grad_X, grad_W


def matmul_t_inputs(rng):
    sizes = (2, 3, 2), (5, 4, 3), (1, 3, 2), (3, 3, 3), (7, 2, 6)
    return [
        (rng.normal(size=(N, H)), rng.normal(size=(N, D)), rng.normal(size=(H, D)))
        for N, D, H in sizes
    ]


def matmul_t_by_einsum(grad_out, X, W):
    return np.einsum("nj,ji->ni", grad_out, W), np.einsum("nj,ni->ji", grad_out, X)


def matmul_t_by_loops(grad_out, X, W):
    grad_X = [[0.0] * X.shape[1] for _ in X]
    grad_W = [[0.0] * W.shape[1] for _ in W]
    for n, i in np.ndindex(X.shape):
        for j in range(len(W)):
            grad_X[n][i] += grad_out[n, j] * W[j, i]
            grad_W[j][i] += grad_out[n, j] * X[n, i]
    return grad_X, grad_W


def matmul_t_by_outer(grad_out, X, W):
    grad_W = np.zeros_like(W)
    for g, x in zip(grad_out, X, strict=True):
        grad_W += np.outer(g, x)
    return [np.stack([W.T @ g for g in grad_out]), grad_W]


def matmul_t_assigned(grad_out, X, W):
    for g, x in zip(grad_out, X, strict=True):
        grad_W = np.outer(g, x)
    return grad_out @ W, grad_W


def rule_of_matmul(grad_out, X, W):
    return grad_out @ W.T, X.T @ grad_out


def grad_W_with_W(grad_out, X, W):
    return grad_out @ W, grad_out.T @ (grad_out @ W)


# --- 05.2: a factor for each row ------------------------------------------------------


def scale_rows_vjp(grad_out, X, s):
    grad_X = grad_out * s[:, None]
    grad_s = (grad_out * X).sum(axis=1)  # (N, D) -> (N,)
    return grad_X, grad_s


def scale_rows_inputs(rng):
    sizes = (2, 3), (5, 4), (3, 3), (1, 4), (6, 2)
    return [
        (rng.normal(size=(N, D)), rng.normal(size=(N, D)), rng.normal(size=N))
        for N, D in sizes
    ]


def scale_rows_by_einsum(grad_out, X, s):
    return np.einsum("nd,n->nd", grad_out, s), np.einsum("nd,nd->n", grad_out, X)


def scale_rows_by_loop(grad_out, X, s):
    rows = zip(grad_out, X, s, strict=True)
    pairs = [(g * factor, float(g @ x)) for g, x, factor in rows]
    return [p[0] for p in pairs], [p[1] for p in pairs]


def scale_rows_by_diagonal(grad_out, X, s):
    return np.diag(s) @ grad_out, np.diag(grad_out @ X.T)


def scale_rows_assigned(grad_out, X, s):
    grad_s = np.zeros_like(s)
    for n, i in np.ndindex(X.shape):
        grad_s[n] = grad_out[n, i] * X[n, i]
    return grad_out * s[:, None], grad_s


def scale_rows_not_summed(grad_out, X, s):
    return grad_out * s[:, None], grad_out * X


def scale_rows_averaged(grad_out, X, s):
    return grad_out * s[:, None], (grad_out * X).mean(axis=1)


def scale_rows_without_X(grad_out, X, s):
    return grad_out * s[:, None], grad_out.sum(axis=1)


def scale_rows_by_X(grad_out, X, s):
    return X * s[:, None], (grad_out * X).sum(axis=1)


# --- 05.4: what happens to grad_W -----------------------------------------------------


def growth():
    rng = np.random.default_rng(54)
    X, W, grad_out = (rng.normal(size=shape) for shape in ((5, 4), (4, 3), (5, 3)))
    before = F.linear_vjp(grad_out, X, W)[1]
    doubled = F.linear_vjp(2 * grad_out, 2 * X, W)[1]
    twice = F.linear_vjp(np.tile(grad_out, (2, 1)), np.tile(X, (2, 1)), W)[1]
    return (doubled / before).mean(), (twice / before).mean()


EXERCISES = [
    Exercise(
        number="05.1",
        title="A weight matrix the other way round",
        reference=matmul_t_vjp,
        inputs=matmul_t_inputs,
        gradient=True,
        outputs=("grad_X", "grad_W"),
        mistakes=[
            Mistake("assigned", matmul_t_assigned, where=BIAS),
            Mistake(
                "rule-of-matmul",
                rule_of_matmul,
                "These are the rules for `X @ W`. Here the forward pass transposes "
                "`W`, so the letters of the sum stand in other places.",
                BY_INDEX,
            ),
            Mistake(
                "grad-W-with-W",
                grad_W_with_W,
                "`grad_W` is made with `W`. A product's gradient for one factor needs "
                "the *other* factor.",
                BY_INDEX,
            ),
        ],
        absent={
            "activation-missing": NO_ACTIVATION,
            "at-output": NO_ACTIVATION,
            "broadcast": "nothing is broadcast in a matrix product",
        },
        variants=[matmul_t_by_einsum, matmul_t_by_loops, matmul_t_by_outer],
        hints=(
            "Write $Z_{nj} = \\sum_i X_{ni} W_{ji}$. In which entries of $Z$ does one "
            "entry $W_{ji}$ occur, and with which factor?",
            "$dW_{ji} = \\sum_n G_{nj} X_{ni}$, and $dX_{ni} = \\sum_j G_{nj} W_{ji}$. "
            "Which of the two sums runs over a first axis, and which over a second?",
            "`grad_W` is $(H, D)$. It is built from `grad_out`, $(N, H)$, and `X`, "
            "$(N, D)$: only one product fits. `grad_X` needs no transposition at all.",
        ),
        explanation=(
            "By index, $dX_{ni} = \\sum_j G_{nj} W_{ji}$ is $G W$, and "
            "$dW_{ji} = \\sum_n G_{nj} X_{ni}$ is $G^\\top X$. Against the rules for "
            "$X W$, the transposition has moved from `grad_X` to `grad_W`."
        ),
    ),
    Exercise(
        number="05.2",
        title="A factor for each row",
        reference=scale_rows_vjp,
        inputs=scale_rows_inputs,
        gradient=True,
        outputs=("grad_X", "grad_s"),
        mistakes=[
            Mistake("assigned", scale_rows_assigned, where=BIAS),
            Mistake("broadcast", scale_rows_not_summed, where=BIAS),
            Mistake(
                "mean-for-sum",
                scale_rows_averaged,
                "`grad_s` is a mean over the columns. Each entry of a row gives its "
                "share to the factor of that row, and shares add.",
                BIAS,
            ),
            Mistake(
                "factor-missing",
                scale_rows_without_X,
                "`grad_s` knows nothing of `X`. One unit more of a factor matters more "
                "where what it multiplies is large.",
                BY_INDEX,
            ),
            Mistake(
                "incoming-missing",
                scale_rows_by_X,
                "`grad_X` is made of `X`, where the gradient that comes in belongs. "
                "This is the forward pass once more.",
                "05_vectorized_backprop#One form for every rule: the vjp",
            ),
        ],
        absent={
            "activation-missing": NO_ACTIVATION,
            "at-output": NO_ACTIVATION,
        },
        variants=[scale_rows_by_einsum, scale_rows_by_loop, scale_rows_by_diagonal],
        hints=(
            "One factor `s[n]` is used for every entry of row `n`. A value that is "
            "used several times is a value that forks.",
            "By index: $Z_{ni} = X_{ni} s_n$. What is $\\partial Z_{ni}/\\partial "
            "s_n$, and over which letter is it summed?",
            "`grad_s` has the shape $(N,)$. Multiply what comes in by `X`, entry by "
            "entry, and sum over the axis that `s` does not have.",
        ),
        explanation=(
            "$Z_{ni} = X_{ni} s_n$ is a product, so each factor gets the other one "
            "times $G_{ni}$. `s` was broadcast over the columns, so its gradient is "
            "collected over the columns: $ds_n = \\sum_i G_{ni} X_{ni}$."
        ),
    ),
    Exercise(
        number="05.4",
        title="Predict: twice as large, twice as many",
        reference=growth,
        outputs=("doubled", "shown twice"),
        mistakes=[
            Mistake(
                "one-factor",
                lambda: (2, 2),
                "Both factors of the product grow, not one of them.",
                BY_SHAPE,
            ),
            Mistake(
                "mean",
                lambda: (4, 1),
                "`linear_vjp` sums over the examples; a mean over the batch comes in "
                "at the loss, and the loss is not in this picture.",
                LOSS,
            ),
            Mistake(
                "squared",
                lambda: (4, 4),
                "To show every example twice adds terms to a sum. No term grows.",
                BIAS,
            ),
        ],
        hints=(
            "`grad_W` is `X.T @ grad_out`. How often does each of the two occur in it?",
            "Written out, an entry is $\\sum_n X_{ni} G_{nj}$. What happens to one "
            "term, and what to the number of terms?",
            "In (c) each term has two factors, and each of the two doubles. In (d) "
            "each term stays as it is and occurs twice.",
        ),
        explanation=(
            "$dW_{ij} = \\sum_n X_{ni} G_{nj}$: with both factors doubled each term "
            "grows by $2 \\cdot 2 = 4$; with every example shown twice each term "
            "stands in the sum twice, a factor of 2."
        ),
    ),
]
