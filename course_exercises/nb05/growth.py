"""05.4 · Predict: twice as large, twice as many."""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

BY_SHAPE = "05_vectorized_backprop#The rules, by shape"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"
LOSS = "05_vectorized_backprop#The loss: mean squared error"

ex = Exercise(
    "05.4",
    "Predict: twice as large, twice as many",
    outputs=("doubled", "shown twice"),
    otherwise={
        "doubled": "Write down one term of the sum. Which of its factors are doubled?",
        "shown twice": "Write down the sum over the examples. Which terms are new, and "
        "does an old one change?",
    },
    hints=(
        "`grad_W` is `X.T @ grad_out`. How often does each of the two occur in it?",
        "Written out, an entry is $\\sum_n X_{ni} G_{nj}$. What happens to one "
        "term, and what to the number of terms?",
        "With both doubled, each term has two factors that double. With every "
        "example shown twice, each term stays as it is and occurs twice.",
    ),
    explanation=(
        "$dW_{ij} = \\sum_n X_{ni} G_{nj}$: with both factors doubled each term grows "
        "by $2 \\cdot 2 = 4$; with every example shown twice each term stands in the "
        "sum twice, a factor of 2."
    ),
)


@ex.answer
def growth():
    rng = np.random.default_rng(54)
    X, W, grad_out = (rng.normal(size=shape) for shape in ((5, 4), (4, 3), (5, 3)))
    before = F.linear_vjp(grad_out, X, W)[1]
    doubled = F.linear_vjp(2 * grad_out, 2 * X, W)[1]
    twice = F.linear_vjp(np.tile(grad_out, (2, 1)), np.tile(X, (2, 1)), W)[1]
    return (doubled / before).mean(), (twice / before).mean()


ex.guess("one-factor", {"doubled": 2}, BY_SHAPE).says("""
    Both factors of the product grow, not one of them.
""")
ex.guess("three-factors", {"doubled": 8}, BY_SHAPE).says("""
    8 is 2 · 2 · 2. How many factors has each term of the sum?
""")
ex.guess("each-squared", {"doubled": 16}, BY_SHAPE).says("""
    16 is 4 · 4. Each of the two factors is doubled, and each is in a term once.
""")
ex.guess("cancelled", {"doubled": 1}, BY_SHAPE).says("""
    Nothing divides here: what is made larger makes the gradient larger.
""")
ex.guess("mean", {"shown twice": 1}, LOSS).says("""
    `linear_vjp` sums over the examples; a mean over the batch comes in at the loss, and
    the loss is not in this picture.
""")

for name, share in (("divided", 0.5), ("divided-twice", 0.25)):
    ex.guess(name, {"shown twice": share}, LOSS).says("""
        `linear_vjp` divides by nothing. It sums over the examples, and here are more of
        them.
    """)

for name, factor in (("squared", 4), ("cubed", 8)):
    ex.guess(name, {"shown twice": factor}, BIAS).says("""
        To show every example twice adds terms to a sum. No term grows.
    """)
ex.guess("exchanged", {"doubled": 2, "shown twice": 4}, BIAS).says("""
    The two are exchanged. When does a *term* of the sum grow, and when are there more
    of them?
""")
