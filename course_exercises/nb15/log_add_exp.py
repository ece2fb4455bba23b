"""15.1 · Two kinks that must cancel."""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

CASE = "15_when_the_engine_is_wrong#Case 1 · The loss is ln 2, as it should be"
STABLE = "06_layers_and_losses#Softmax"
VJP = "05_vectorized_backprop#One form for every rule: the vjp"

ex = Exercise(
    "15.1",
    "Two kinks that must cancel",
    gradient=True,
    outputs=("grad_a", "grad_b"),
    absent={
        "at-output": "the derivative is no function of the output alone",
        "assigned": "each input is used once",
        "broadcast": "both inputs have the shape of the output",
    },
    hints=(
        r"Differentiate $\log(e^a + e^b)$ itself, not the stable form: what stands "
        "over what?",
        r"$e^a/(e^a + e^b)$. Divide both by $e^a$: you know this function of $a - b$.",
        r"It is $\sigma(a - b)$, and `F.sigmoid` never overflows. What is left for b?",
    ),
    explanation=(
        r"The slopes are the two probabilities of a softmax, $\sigma(a - b)$ and "
        r"$\sigma(b - a)$; they add up to 1, and are one half each where $a = b$. "
        "The maximum and the absolute value have a kink there, but the function has "
        "none: so the rule is one for the whole, not one a piece."
    ),
)


@ex.answer
def logaddexp_vjp(grad_out, a, b):
    share = F.sigmoid(a - b)
    return grad_out * share, grad_out * (1 - share)


@ex.given
def inputs(rng):
    cases = []
    for size in (4, 5, 3, 7):
        a, b = rng.normal(size=size), rng.normal(size=size)
        b[0] = a[0]  # equal: where the pieces have their kinks
        a[1], b[1] = 1000.0, 999.0
        a[2], b[2] = -800.0, -799.5
        cases.append((rng.normal(size=size), a, b))
    return cases


@ex.right
def by_parts_that_fit(grad_out, a, b):
    far = np.exp(-np.abs(a - b))
    larger, smaller = 1 / (1 + far), far / (1 + far)
    share = np.where(a >= b, larger, smaller)
    return grad_out * share, grad_out - grad_out * share


@ex.wrong(CASE)
def tie_to_nobody(grad_out, a, b):
    """
    Where a and b are equal, b gets everything and a nothing: the maximum gave its
    slope to one side, and $|a - b|$ took 0 there. The function is smooth at this
    point, and by symmetry each share is one half.
    """
    small = np.sign(a - b) * F.sigmoid(-np.abs(a - b))
    share = (a > b) - small
    return grad_out * share, grad_out * (1 - share)


@ex.wrong(CASE)
def tie_to_the_first(grad_out, a, b):
    """
    Where a and b are equal, a gets everything. The maximum gave its slope to the first,
    and $|a - b|$ took 0 there. The function is smooth at this point, and by symmetry
    each share is one half.
    """
    small = np.sign(a - b) * F.sigmoid(-np.abs(a - b))
    share = (a >= b) - small
    return grad_out * share, grad_out * (1 - share)


@ex.wrong(CASE)
def tie_lost(grad_out, a, b):
    """
    Where a and b are equal, neither gets anything: two strict comparisons leave the tie
    to nobody. The shares have to add up to 1 everywhere.
    """
    share = F.sigmoid(a - b)
    return grad_out * share * (a != b), grad_out * (1 - share) * (a != b)


OVERFLOWS = {"F.sigmoid(a - b)": "np.exp(a) / (np.exp(a) + np.exp(b))"}
ex.slip("overflows", OVERFLOWS, STABLE).says("""
    The right formula, but $e^{1000}$ is more than a float can hold, and
    $e^{-800}$ is 0: at large inputs comes out `nan`. Only the difference of a and b
    matters.
""")
ex.slip("mirrored", {"a - b": "b - a"}, VJP).says("""
    The two shares are exchanged. The larger of the two inputs has the larger share.
""")
ex.slip("who-is-larger", {"a - b": "np.abs(a - b)"}, VJP).says("""
    The first input always gets the larger share, even where it is the smaller one:
    $|a - b|$ no longer knows who is larger.
""")
ex.slip("the-maximum", {"F.sigmoid(a - b)": "(a > b)"}, CASE).says("""
    This is the slope of the maximum alone. The other one counts as well, the more so
    the nearer it is.
""")
ex.slip("activation-missing", {"F.sigmoid(a - b)": "1"}, VJP).says("""
    `grad_out` passes as if this were a sum. Each input gets its share of it.
""")
ex.slip("not-the-rest", {"(1 - share)": "share"}, VJP).says("""
    Both get the same share. Adding the same number to a and b adds it to the result:
    so the shares add up to 1.
""")
ex.slip("exponentials", {"F.sigmoid(a - b)": "np.exp(-np.abs(a - b))"}, CASE).says("""
    This is the term that is added to 1 inside the logarithm, not the share.
""")
