"""05.2 · A factor for each row."""

from course_exercises.judge import Exercise

BY_INDEX = "05_vectorized_backprop#The rules, by index"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"
NO_ACTIVATION = "the layer has no activation"
VJP = "05_vectorized_backprop#One form for every rule: the vjp"

ex = Exercise(
    "05.2",
    "A factor for each row",
    gradient=True,
    outputs=("grad_X", "grad_s"),
    absent={"activation-missing": NO_ACTIVATION, "at-output": NO_ACTIVATION},
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


# --- wrong ones: the sum

ex.slip("assigned", {".sum(axis=1)": "[:, -1]"}, BIAS)
ex.slip("broadcast", {".sum(axis=1)": ""}, BIAS)
ex.slip("mean-for-sum", {"sum": "mean"}, BIAS).says("""
    `grad_s` is a mean over the columns. Each entry of a row gives its share to the
    factor of that row, and shares add.
""")
ex.slip("first-column", {".sum(axis=1)": "[:, 0]"}, BIAS).says("""
    Only the first column counts. The factor serves all entries of its row, and
    gradients add.
""")
ex.slip("extra-axis", {"axis=1": "axis=1, keepdims=True"}, BIAS)

# --- the products

ex.slip("factor-missing", {" * X": ""}, BY_INDEX).says("""
    `grad_s` is made without `X`. A factor multiplies `X`, so its gradient does too.
""")

SUM = "(grad_out * X).sum(axis=1)"
ex.slip("matrix-product", {SUM: "grad_out @ X.T"}, BY_INDEX).says("""
    A matrix product meets each row of `grad_out` with *each* row of `X`, $(N, N)$. A
    factor belongs to one row, and has to do with this row alone.
""")

SUMS = "grad_out.sum(axis=1) * X.sum(axis=1)"
ex.slip("product-of-sums", {SUM: SUMS}, BY_INDEX).says("""
    Both are summed before they are multiplied. Each entry has its own product, and
    these add.
""")
ex.slip("first-factor", {"s[:, None]": "s[0]"}, BY_INDEX).says("""
    The first factor is used for all rows. Each row has its own.
""")
ex.slip("product-for-both", {"* s[:, None]": "* X"}, BY_INDEX).says("""
    `grad_X` is made with `X` itself. In a product each factor gets the *other* one.
""")
ex.slip("one-after-the-other", {"(grad_out *": "(grad_X *"}, VJP).says("""
    `grad_X` was used to find `grad_s`. Both are inputs of the same operation: each gets
    its gradient from `grad_out`.
""")
ex.slip("incoming-missing", {"= grad_out": "= X"}, VJP).says("""
    `grad_X` is made of `X`, where the gradient that comes in belongs. This is the
    forward pass once more.
""")
ex.slip("passed-on", {" * s[:, None]": ""}, BY_INDEX).says("""
    `grad_X` is what came in, unchanged. Going back through the product, each row is
    multiplied by its factor.
""")
