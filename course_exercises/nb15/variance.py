"""15.4 · A variance that learns."""

from course_exercises.judge import Exercise

CASE = "15_when_the_engine_is_wrong#Case 4 · The branch that nobody tested"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
VJP = "05_vectorized_backprop#One form for every rule: the vjp"
NO_ACTIVATION = "a loss has no activation"

ex = Exercise(
    "15.4",
    "A variance that learns",
    gradient=True,
    outputs=("grad_mu", "grad_var"),
    absent={
        "activation-missing": NO_ACTIVATION,
        "at-output": NO_ACTIVATION,
        "assigned": "each entry is used by one term",
        "broadcast": "all inputs have one shape",
    },
    hints=(
        "Take one entry. The mean μ stands in the square only. The variance v stands "
        "in two places: which?",
        r"$\partial/\partial v$ of $\tfrac12\log v$ is $\tfrac1{2v}$, and of "
        r"$\tfrac{d^2}{2v}$ it is $-\tfrac{d^2}{2v^2}$, with $d = \mu - y$.",
        "Both are divided by the number of entries, for the loss is a mean.",
    ),
    explanation=(
        r"$d\mu = \frac{\mu - y}{v\,N}$ and $dv = \frac{1}{2N}\left(\frac1v - "
        r"\frac{(\mu - y)^2}{v^2}\right)$: the variance is at rest where it equals the "
        "squared error. If it gets no gradient, the loss falls all the same, since μ "
        "learns; only the certainty that the network states is the one that it was "
        "born with."
    ),
)


@ex.answer
def gaussian_nll_vjp(grad_out, mu, var, y):
    error = (mu - y) / var
    grad_mu = grad_out * error / mu.size
    grad_var = grad_out * (1 / var - error**2) / (2 * mu.size)
    return grad_mu, grad_var


@ex.given
def inputs(rng):
    cases = []
    for size in (5, 3, 7, 4):
        mu, y = rng.normal(size=size), rng.normal(size=size)
        cases.append((rng.normal(), mu, rng.uniform(0.3, 2.5, size=size), y))
    return cases


@ex.right
def by_one_fraction(grad_out, mu, var, y):
    d, n = mu - y, len(mu)
    return grad_out * d / (var * n), grad_out * (var - d * d) / (2 * n * var * var)


@ex.right
def by_loops(grad_out, mu, var, y):
    n, grad_mu, grad_var = len(mu), [], []
    for m, v, t in zip(mu.tolist(), var.tolist(), y.tolist(), strict=True):
        grad_mu.append(grad_out * (m - t) / v / n)
        grad_var.append(grad_out * (0.5 / v - 0.5 * ((m - t) / v) ** 2) / n)
    return grad_mu, grad_var


TERM = "(1 / var - error**2)"
ex.slip("variance-constant", {TERM: "0 * var"}, CASE).says("""
    The variance gets no gradient at all: the very mistake of the engine. Two of the
    terms of the loss depend on it.
""")
ex.slip("square-forgotten", {TERM: "(1 / var)"}, CASE).says("""
    Only the logarithm of the variance counts here. It stands below the squared error as
    well.
""")
ex.slip("logarithm-forgotten", {TERM: "(-(error**2))"}, CASE).says("""
    Only the squared error counts here. The logarithm of the variance has a slope, too;
    without it the variance would grow for ever.
""")
ex.slip("error-not-squared", {TERM: "(1 / var - error)"}, CHAIN).says(r"""
    $\frac{d^2}{v}$ has the slope $-\frac{d^2}{v^2}$ for v. The square is missing.
""")
ex.slip("once-divided", {TERM: "(1 / var - error**2 * var)"}, CHAIN).says(r"""
    $\frac{d^2}{v}$ has the slope $-\frac{d^2}{v^2}$ for v: v stands below twice.
""")
ex.slip(
    "for-the-deviation", {TERM: "2 * (1 / var - error**2) * var**0.5"}, VJP
).says("""
    This is the gradient for the standard deviation, the root of `var`. Asked for is
    that of the variance.
""")
ex.slip("for-the-logarithm", {TERM: "(1 - error**2 * var)"}, VJP).says("""
    This is the gradient for the logarithm of the variance. Asked for is that of the
    variance itself.
""")
ex.slip("mean-not-weighed", {"error / mu.size": "(mu - y) / mu.size"}, VJP).says("""
    `grad_mu` is that of a plain squared error. Here each error is divided by its
    variance: who is less certain pays less.
""")
ex.slip("turned", {"(1 / var - error**2)": "(error**2 - 1 / var)"}, CHAIN).says("""
    `grad_var` has the wrong sign: where the variance is too small, this makes it
    smaller still.
""")
