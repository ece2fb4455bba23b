"""15.2 · A running product with a zero in it."""

import numpy as np

from course_exercises.judge import Exercise

CASE = "15_when_the_engine_is_wrong#Case 2 · Zero times infinity"
FORKS = "01_chain_rule#Forks add"
VJP = "05_vectorized_backprop#One form for every rule: the vjp"

ex = Exercise(
    "15.2",
    "A running product with a zero in it",
    gradient=True,
    absent={
        "at-output": "a product has no activation",
        "broadcast": "nothing is broadcast",
    },
    hints=(
        "Write the outputs for three inputs: $x_0$, $x_0x_1$, $x_0x_1x_2$. Which of "
        "them contain $x_1$, and what is the slope of each of these?",
        "The slope of a product for one factor is the product of the others. Put 1 in "
        "the place of $x_j$: then `cumprod` gives them all.",
        "For each j: copy x, put 1 in place j, take `np.cumprod`, multiply by "
        "`grad_out`, and add up from place j on.",
    ),
    explanation=(
        r"$dx_j = \sum_{i \ge j} G_i \prod_{k \le i, k \ne j} x_k$. Nothing is "
        "divided, so a zero is a number like any other. It takes n² multiplications; "
        "in two passes, one from each end, it can be done with n, and that still "
        "divides by nothing."
    ),
)


@ex.answer
def cumprod_vjp(grad_out, x):
    grad = np.zeros_like(x)
    for j in range(len(x)):
        others = x.copy()
        others[j] = 1
        grad[j] = (grad_out * np.cumprod(others))[j:].sum()
    return grad


@ex.given
def inputs(rng):
    cases = []
    for n, zeros in ((3, [0]), (5, [2]), (4, []), (6, [1, 4]), (2, [1])):
        x = rng.uniform(0.5, 2, size=n) * rng.choice([-1, 1], size=n)
        x[zeros] = 0
        cases.append((rng.normal(size=n), x))
    return cases


@ex.right
def from_behind(grad_out, x):
    grad, behind = np.zeros(len(x)), 0.0
    before = np.concatenate([[1.0], np.cumprod(x)[:-1]])
    for j in range(len(x) - 1, -1, -1):
        behind = grad_out[j] + (x[j + 1] * behind if j + 1 < len(x) else 0.0)
        grad[j] = before[j] * behind
    return grad


@ex.wrong(CASE)
def divided(grad_out, x):
    """
    The product without $x_j$ is computed by dividing by $x_j$. With a zero this is 0/0,
    and `nan` comes out. Is there a way that divides by nothing?
    """
    later = np.cumsum((grad_out * np.cumprod(x))[::-1])[::-1]
    with np.errstate(all="ignore"):
        return later / x


@ex.wrong(CASE)
def repaired(grad_out, x):
    """
    Where an input is 0 its gradient is 0: a 0/0 was made 0 for safety. The slope of
    $x_0 x_1$ for $x_0$ is $x_1$, also where $x_0$ is 0.
    """
    later = np.cumsum((grad_out * np.cumprod(x))[::-1])[::-1]
    with np.errstate(all="ignore"):
        return np.where(x == 0, 0, later / x)


@ex.wrong(CASE)
def nearly_zero(grad_out, x):
    """
    A tiny number in the place of 0, and then a division. It comes out about right, with
    half of its digits, and wrong where two inputs are 0. Find the form that does not
    divide.
    """
    moved = np.where(x == 0, 1e-8, x)
    later = np.cumsum((grad_out * np.cumprod(moved))[::-1])[::-1]
    return later / moved * (1 + 1e-8)


ex.slip("assigned", {".sum()": "[-1]"}, FORKS).says("""
    Only the last product counts. $x_j$ goes into every product from place j on, and
    gradients of several uses add.
""")
ex.slip("own-only", {".sum()": "[0]"}, FORKS).says("""
    Only the product that ends at $x_j$ counts. It goes into all later ones as well.
""")
ex.slip(
    "one-product",
    {"(grad_out * np.cumprod(others))[j:].sum()": "grad_out.sum() * np.prod(others)"},
    CASE,
).says("""
    This is the rule of `prod`: each slope is the product of *all* others. The i-th
    running product ends at place i, and takes only the factors up to there.
""")
ex.slip(
    "one-product-each",
    {"(grad_out * np.cumprod(others))[j:].sum()": "grad_out[j] * np.prod(others)"},
    CASE,
).says("""
    Each $x_j$ is paid by its own output alone, and times *all* other factors. It goes
    into every product from place j on; the i-th of them takes the factors up to i.
""")
ex.slip("all-products", {"[j:]": ""}, CASE).says("""
    All products count, also those before $x_j$ comes in. These do not know it.
""")
ex.slip("own-left-out", {"[j:]": "[j + 1 :]"}, CASE).says("""
    The product that ends at $x_j$ itself is left out.
""")
ex.slip("factor-stays", {"others[j] = 1": "others[j] *= 1"}, CASE).says("""
    $x_j$ itself still stands in the product. The slope for a factor is the product of
    the *others*.
""")
ex.slip("activation-missing", {" * np.cumprod(others)": ""}, VJP).says("""
    The gradients are added up, but each use of $x_j$ has a slope: the product of all
    other factors.
""")
ex.slip("sums-for-products", {"cumprod(others)": "cumsum(others)"}, CASE).says("""
    These are running sums. The slope for a factor is the *product* of the others.
""")
