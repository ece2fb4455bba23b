"""Exercises of 05_vectorized_backprop."""

import tracemalloc

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


def scale_rows_one_after_the_other(grad_out, X, s):
    grad_X = grad_out * s[:, None]
    return grad_X, (grad_X * X).sum(axis=1)


def scale_rows_first_column(grad_out, X, s):
    return grad_out * s[:, None], (grad_out * X)[:, 0]


def scale_rows_passed_on(grad_out, X, s):
    return grad_out, (grad_out * X).sum(axis=1)


def scale_rows_as_column(grad_out, X, s):
    return grad_out * s[:, None], (grad_out * X).sum(axis=1, keepdims=True)


# --- 05.3: tested on squares ----------------------------------------------------------


def layer_vjp(grad_out, X, W):
    dX = grad_out @ W.T  # (N, H) @ (H, D) -> (N, D)
    dW = X.T @ grad_out  # (D, N) @ (N, H) -> (D, H)
    db = grad_out.sum(axis=0)  # (N, H) -> (H,)
    return dX, dW, db


def layer_inputs(rng):
    sizes = (2, 3, 2), (4, 4, 4), (5, 4, 3), (1, 3, 2), (5, 3, 3), (7, 2, 6)
    return [
        (rng.normal(size=(N, H)), rng.normal(size=(N, D)), rng.normal(size=(D, H)))
        for N, D, H in sizes
    ]


def layer_by_einsum(grad_out, X, W):
    dX = np.einsum("nj,ij->ni", grad_out, W)
    return dX, np.einsum("ni,nj->ij", X, grad_out), np.einsum("nj->j", grad_out)


def layer_by_ones(grad_out, X, W):
    dX = (W @ grad_out.T).T
    return [dX, (grad_out.T @ X).T, np.ones(len(X)) @ grad_out]


def layer_by_examples(grad_out, X, W):
    dX, dW, db = [], np.zeros_like(W), np.zeros(W.shape[1])
    for g, x in zip(grad_out, X, strict=True):
        dX.append((W @ g).tolist())
        dW += np.outer(x, g)
        db += g
    return dX, dW, db


def layer_found(grad_out, X, W):
    return grad_out @ W, X.T @ grad_out, grad_out.sum(axis=1)


def layer_not_transposed(grad_out, X, W):
    return grad_out @ W, X.T @ grad_out, grad_out.sum(axis=0)


def layer_other_axis(grad_out, X, W):
    return grad_out @ W.T, X.T @ grad_out, grad_out.sum(axis=1)


def layer_not_summed(grad_out, X, W):
    return grad_out @ W.T, X.T @ grad_out, grad_out


def layer_assigned(grad_out, X, W):
    for g, x in zip(grad_out, X, strict=True):
        dW, db = np.outer(x, g), g
    return grad_out @ W.T, dW, db


def layer_averaged(grad_out, X, W):
    return grad_out @ W.T, X.T @ grad_out, grad_out.mean(axis=0)


def layer_bias_as_row(grad_out, X, W):
    return grad_out @ W.T, X.T @ grad_out, grad_out.sum(axis=0, keepdims=True)


def layer_forward_bias(grad_out, X, W):
    return grad_out @ W.T, X.T @ grad_out, (X @ W).sum(axis=0)


def layer_output_for_X(grad_out, X, W):
    return grad_out @ W.T, (X @ W).T @ grad_out, grad_out.sum(axis=0)


# --- 05.4: what happens to grad_W -----------------------------------------------------


def growth():
    rng = np.random.default_rng(54)
    X, W, grad_out = (rng.normal(size=shape) for shape in ((5, 4), (4, 3), (5, 3)))
    before = F.linear_vjp(grad_out, X, W)[1]
    doubled = F.linear_vjp(2 * grad_out, 2 * X, W)[1]
    twice = F.linear_vjp(np.tile(grad_out, (2, 1)), np.tile(X, (2, 1)), W)[1]
    return (doubled / before).mean(), (twice / before).mean()


# --- 05.5: one length for each example ------------------------------------------------


def gradient_lengths(X, G):
    return np.sqrt((X * X).sum(axis=1) * (G * G).sum(axis=1))  # (N,)


def lengths_by_norm(X, G):
    return np.linalg.norm(X, axis=1) * np.linalg.norm(G, axis=1)


def lengths_by_loop(X, G):
    return [np.linalg.norm(np.outer(x, g)) for x, g in zip(X, G, strict=True)]


def lengths_direct(X, G):
    return np.sqrt((np.einsum("ni,nj->nij", X, G) ** 2).sum(axis=(1, 2)))


def lengths_squared(X, G):
    return (X * X).sum(axis=1) * (G * G).sum(axis=1)


def lengths_of_sums(X, G):
    return np.abs(X.sum(axis=1) * G.sum(axis=1))


def lengths_added(X, G):
    return np.sqrt((X * X).sum(axis=1) + (G * G).sum(axis=1))


def lengths_of_columns(X, G):
    return np.sqrt(np.outer((X * X).sum(axis=0), (G * G).sum(axis=0)))


def lengths_of_all(X, G):
    return np.linalg.norm(X.T @ G)


def lengths_absolute(X, G):
    return np.abs(X).sum(axis=1) * np.abs(G).sum(axis=1)


def lengths_one_root(X, G):
    return np.sqrt((X * X).sum(axis=1)) * (G * G).sum(axis=1)


def lengths_norms_added(X, G):
    return np.linalg.norm(X, axis=1) + np.linalg.norm(G, axis=1)


def lengths_averaged(X, G):
    return np.sqrt((X * X).mean(axis=1) * (G * G).mean(axis=1))


def lengths_of_X(X, G):
    return np.linalg.norm(X, axis=1)


def lengths_of_G(X, G):
    return np.linalg.norm(G, axis=1)


def lengths_largest(X, G):
    return np.abs(X).max(axis=1) * np.abs(G).max(axis=1)


def lengths_kept_axis(X, G):
    return np.sqrt((X * X).sum(axis=1, keepdims=True) * (G * G).sum(axis=1)[:, None])


LARGE = Mistake(
    "large",
    lengths_direct,
    "The lengths are right, but on the way an array of all products is built, "
    "$(N, D, H)$. Write the sum of its squares by index: which letters stand alone?",
    "05_vectorized_backprop#Loops, broadcasting, matrix product",
)
LENGTHS = [
    Mistake(
        "squared",
        lengths_squared,
        "These are the squares of the lengths: the root is missing.",
        BY_INDEX,
    ),
    Mistake(
        "one-root",
        lengths_one_root,
        "The root is taken of one factor only. The length is the root of the whole "
        "sum.",
        BY_INDEX,
    ),
    Mistake(
        "of-sums",
        lengths_of_sums,
        "The entries are summed before they are squared. The square of a sum is not "
        "the sum of the squares.",
        BY_INDEX,
    ),
    Mistake(
        "added",
        lengths_added,
        "The two sums are added. An entry of the gradient is a *product* of an entry "
        "of `X` and one of `G`.",
        BY_INDEX,
    ),
    Mistake(
        "norms-added",
        lengths_norms_added,
        "The two lengths are added. An entry of the gradient is a *product* of an "
        "entry of `X` and one of `G`.",
        BY_INDEX,
    ),
    Mistake(
        "averaged",
        lengths_averaged,
        "The squares are averaged. A length is the root of their sum.",
        BY_INDEX,
    ),
    Mistake(
        "X-alone",
        lengths_of_X,
        "These are the lengths of the rows of `X`; `G` has no part in them.",
        BY_INDEX,
    ),
    Mistake(
        "G-alone",
        lengths_of_G,
        "These are the lengths of the rows of `G`; `X` has no part in them.",
        BY_INDEX,
    ),
    Mistake(
        "largest",
        lengths_largest,
        "This is the largest entry of each gradient. Its length is the root of the "
        "sum of all squared entries.",
        BY_INDEX,
    ),
    Mistake(
        "absolute",
        lengths_absolute,
        "The absolute values are summed. A length is the root of a sum of squares.",
        BY_INDEX,
    ),
    Mistake(
        "over-the-batch",
        lengths_of_all,
        "This is one number, for the whole batch. Each example is to have a length of "
        "its own.",
        "05_vectorized_backprop#Both examples at once",
    ),
    Mistake(
        "columns",
        lengths_of_columns,
        "It is summed along the wrong axis: the examples are gone, and the inputs and "
        "neurons are left.",
        BIAS,
    ),
    Mistake(
        "extra-axis",
        lengths_kept_axis,
        "The numbers are right, but they stand in a column. $N$ lengths have the shape "
        "$(N,)$.",
        LOSS,
    ),
]


def judge_lengths(answer, run):
    rng = np.random.default_rng(55)
    for N, D, H in ((2, 3, 2), (5, 4, 3), (3, 3, 3), (1, 4, 2)):
        X, G = rng.normal(size=(N, D)), rng.normal(size=(N, H))
        got, right = run(X, G), lengths_direct(X, G)
        if got is None:
            return "It returns None. Is a `return` missing?"
        got = np.asarray(got)
        if got.dtype.kind not in "fiu":
            return f"Expected {N} numbers; it returns something else."
        if got.shape != right.shape or not np.allclose(got, right, rtol=1e-9):
            return wrong_lengths(got, right, X, G)
    X, G = rng.normal(size=(200, 60)), rng.normal(size=(200, 50))
    return LARGE if run(X, G, of=peak_of(answer)) > 200 * 60 * 50 * 8 / 2 else None


def wrong_lengths(got, right, X, G):
    for mistake in LENGTHS:
        made = np.asarray(mistake.code(X, G))
        if got.shape == made.shape and np.allclose(got, made, rtol=1e-9):
            return mistake
    if got.size == 1:
        return next(m for m in LENGTHS if m.id == "over-the-batch")
    if got.shape != right.shape:
        return f"It returns the shape {got.shape}; expected {right.shape}."
    n = int(np.argmax(np.abs(got - right)))
    return f"Example {n}: it returns {got[n]:.6g}, the length is {right[n]:.6g}."


def peak_of(answer):
    def peak(X, G):
        tracemalloc.start()
        try:
            answer(X, G)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return peak


def matmul_t_other_letter(grad_out, X, W):
    return (grad_out[:, :, None] * W).sum(axis=2), (grad_out.T[:, :, None] * X).sum(2)


EXERCISES = [
    Exercise(
        number="05.1",
        title="A weight matrix the other way round",
        reference=matmul_t_vjp,
        inputs=matmul_t_inputs,
        gradient=True,
        outputs=("grad_X", "grad_W"),
        mistakes=[
            Mistake(
                "axis",
                matmul_t_other_letter,
                "The sum runs along the wrong axis. The letter that is summed is the "
                "one that the result does not have.",
                BY_INDEX,
            ),
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
                "one-after-the-other",
                scale_rows_one_after_the_other,
                "`grad_X` was used to find `grad_s`. Both are inputs of the same "
                "operation: each gets its gradient from `grad_out`.",
                "05_vectorized_backprop#One form for every rule: the vjp",
            ),
            Mistake(
                "first-column",
                scale_rows_first_column,
                "Only the first column counts. The factor serves all entries of its "
                "row, and gradients add.",
                BIAS,
            ),
            Mistake(
                "incoming-missing",
                scale_rows_by_X,
                "`grad_X` is made of `X`, where the gradient that comes in belongs. "
                "This is the forward pass once more.",
                "05_vectorized_backprop#One form for every rule: the vjp",
            ),
            Mistake(
                "passed-on",
                scale_rows_passed_on,
                "`grad_X` is what came in, unchanged. Going back through the product, "
                "each row is multiplied by its factor.",
                BY_INDEX,
            ),
            Mistake("extra-axis", scale_rows_as_column, where=BIAS),
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
        number="05.3",
        title="Tested on squares",
        reference=layer_vjp,
        inputs=layer_inputs,
        gradient=True,
        outputs=("dX", "dW", "db"),
        mistakes=[
            Mistake(
                "not-transposed",
                layer_not_transposed,
                "`dX` is still made with `W` as it is. By index its sum runs over the "
                "*second* letter of `W`.",
                BY_INDEX,
            ),
            Mistake(
                "as-found",
                layer_found,
                "`db` is still what it was, too: it has one number for each example. "
                "How many has the bias?",
                BIAS,
            ),
            Mistake(
                "other-axis",
                layer_other_axis,
                "`db` is still summed along each row: one number for each example. A "
                "bias belongs to a neuron, and is shared by the examples.",
                BIAS,
            ),
            Mistake("broadcast", layer_not_summed, where=BIAS),
            Mistake("assigned", layer_assigned, where=BIAS),
            Mistake(
                "averaged",
                layer_averaged,
                "`db` is a mean. The loss brings in its $1/N$ once; all rules after it "
                "sum.",
                BIAS,
            ),
            Mistake(
                "output-for-input",
                layer_output_for_X,
                "`dW` is made with the layer's output. A product's gradient for one "
                "factor needs the *other* factor.",
                BY_INDEX,
            ),
            Mistake(
                "forward-bias",
                layer_forward_bias,
                "`db` is made of the layer's output. What comes back, `grad_out`, has "
                "no part in it.",
                BIAS,
            ),
            Mistake("extra-axis", layer_bias_as_row, where=BIAS),
        ],
        absent={
            "activation-missing": NO_ACTIVATION,
            "at-output": NO_ACTIVATION,
        },
        variants=[layer_by_einsum, layer_by_ones, layer_by_examples],
        hints=(
            "Run the code with $N = 5$, $D = 4$, $H = 3$. Which line does NumPy "
            "refuse? And which result has a shape that none of the inputs has?",
            "`dX` has the shape of `X`, `(N, D)`; it is built from `grad_out`, "
            "`(N, H)`, and `W`, `(D, H)`. `db` has the shape `(H,)`.",
            "There is only one product for `dX` that fits: `W` is transposed. And "
            "`db` is a sum over the rows, that is, over axis 0.",
        ),
        explanation=(
            "With $D = H$ the product `grad_out @ W` can be formed, and with $N = H$ "
            "the sum over the wrong axis has the right shape. NumPy reports only the "
            "first, at unequal sizes; the second is found by comparing shapes, as "
            "`gradcheck` does before anything else."
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
            "With both doubled, each term has two factors that double. With every "
            "example shown twice, each term stays as it is and occurs twice.",
        ),
        explanation=(
            "$dW_{ij} = \\sum_n X_{ni} G_{nj}$: with both factors doubled each term "
            "grows by $2 \\cdot 2 = 4$; with every example shown twice each term "
            "stands in the sum twice, a factor of 2."
        ),
    ),
    Exercise(
        number="05.5",
        title="One length for each example",
        reference=gradient_lengths,
        judge=judge_lengths,
        mistakes=[*LENGTHS, LARGE],
        variants=[lengths_by_norm, lengths_by_loop],
        hints=(
            "One example's gradient is an outer product, with the entries "
            "$X_{ni} G_{nj}$. Write the sum of their squares with two sums.",
            "$\\sum_i \\sum_j X_{ni}^2 G_{nj}^2$: no factor contains both $i$ and $j$.",
            "So the double sum is a product of two sums, "
            "$\\sum_i X_{ni}^2 \\cdot \\sum_j G_{nj}^2$. Both are sums along a row.",
        ),
        explanation=(
            "$\\sum_{ij} (X_{ni} G_{nj})^2 = \\sum_i X_{ni}^2 \\, \\sum_j G_{nj}^2$: "
            "the length of an outer product is the product of the lengths. It needs "
            "squares of `X` and `G`, and no array with three letters."
        ),
    ),
]
