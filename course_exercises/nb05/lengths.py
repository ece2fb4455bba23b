"""05.5 · One length for each example."""

import tracemalloc
from functools import partial

import numpy as np

from course_exercises.judge import Exercise

BY_INDEX = "05_vectorized_backprop#The rules, by index"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"
LOSS = "05_vectorized_backprop#The loss: mean squared error"

ex = Exercise(
    "05.5",
    "One length for each example",
    hints=(
        "One example's gradient is an outer product, with the entries "
        "$X_{ni} G_{nj}$. Write the sum of their squares with two sums.",
        "$\\sum_i \\sum_j X_{ni}^2 G_{nj}^2$: no factor contains both $i$ and $j$.",
        "So the double sum is a product of two sums, "
        "$\\sum_i X_{ni}^2 \\cdot \\sum_j G_{nj}^2$. Both are sums along a row.",
    ),
    explanation=(
        "$\\sum_{ij} (X_{ni} G_{nj})^2 = \\sum_i X_{ni}^2 \\, \\sum_j G_{nj}^2$: the "
        "length of an outer product is the product of the lengths. It needs squares "
        "of `X` and `G`, and no array with three letters."
    ),
)


@ex.answer
def gradient_lengths(X, G):
    return np.sqrt((X * X).sum(axis=1) * (G * G).sum(axis=1))  # (N,)


def lengths_direct(X, G):
    return np.sqrt((np.einsum("ni,nj->nij", X, G) ** 2).sum(axis=(1, 2)))


@ex.given
def lengths_inputs(rng):
    sizes = (2, 3, 2), (5, 4, 3), (3, 3, 3), (1, 4, 2), (6, 2, 4)
    return [(rng.normal(size=(N, D)), rng.normal(size=(N, H))) for N, D, H in sizes]


@ex.afterwards
def judge_memory(answer, run):
    X, G = np.ones((200, 60)), np.ones((200, 50))
    most = run(X, G, of=partial(peak, answer))
    return ex.named("large") if most > 200 * 60 * 50 * 8 / 2 else None


def peak(answer, X, G):
    tracemalloc.start()
    try:
        answer(X, G)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- wrong ones

ex.slip("squared", {"np.sqrt": ""}, BY_INDEX).says("""
    These are the squares of the lengths: the root is missing.
""")
ex.slip("one-root", {") *": ")) * ("}, BY_INDEX).says("""
    The root is taken of one factor only. The length is the root of the whole sum.
""")

OF_SUMS = {
    "of-sums": {"sqrt((X * X)": "abs(X", "(G * G)": "G"},
    "of-signed-sums": {"np.sqrt((X * X)": "(X", "(G * G)": "G"},
    "of-sums-of-X": {"(X * X).sum(axis=1)": "X.sum(axis=1) ** 2"},
    "of-sums-of-G": {"(G * G).sum(axis=1)": "G.sum(axis=1) ** 2"},
}
for name, edits in OF_SUMS.items():
    ex.slip(name, edits, BY_INDEX).says("""
        Entries are summed before they are squared. The square of a sum is not the sum
        of the squares.
    """)
ex.slip("added", {") *": ") +"}, BY_INDEX).says("""
    The two sums are added. An entry of the gradient is a *product* of an entry of `X`
    and one of `G`.
""")
ex.slip("norms-added", {") *": ")) + np.sqrt("}, BY_INDEX).says("""
    The two lengths are added. An entry of the gradient is a *product* of an entry of
    `X` and one of `G`.
""")
ex.slip("averaged", {"X).sum": "X).mean", "G).sum": "G).mean"}, BY_INDEX).says("""
    The squares are averaged. A length is the root of their sum.
""")
ex.slip("X-alone", {" * (G * G).sum(axis=1)": ""}, BY_INDEX).says("""
    These are the lengths of the rows of `X`; `G` has no part in them.
""")
ex.slip("G-alone", {"(X * X).sum(axis=1) * ": ""}, BY_INDEX).says("""
    These are the lengths of the rows of `G`; `X` has no part in them.
""")
ex.slip("largest", {"X).sum": "X).max", "G).sum": "G).max"}, BY_INDEX).says("""
    This is the largest entry of each gradient. Its length is the root of the sum of all
    squared entries.
""")
ex.slip(
    "absolute", {"sqrt((X *": "abs(", "(G *": "np.abs(", "))": ")"}, BY_INDEX
).says("""
    The absolute values are summed. A length is the root of a sum of squares.
""")

BATCH = "05_vectorized_backprop#Both examples at once"
OF_ALL = "sqrt((X * X).sum(axis=1) * (G * G).sum(axis=1)"
for name, norm in (("over-the-batch", "X.T @ G"), ("of-each-input", "X.T @ G, axis=1")):
    ex.slip(name, {OF_ALL: f"linalg.norm({norm}"}, BATCH).says("""
        `X.T @ G` has added up the examples. Each of them is to have a length of its
        own.
    """)
ex.slip(
    "of-everything", {"sum(axis=1) *": "sum() *", "sum(axis=1))": "sum())"}, BATCH
).says("""
    It sums over all of `X`, and over all of `G`. Each example is to have a length of
    its own.
""")
ex.slip("columns", {"1) *": "0)[:, None] *", "1))": "0))"}, BIAS).says("""
    It is summed along the wrong axis: the examples are gone, and the inputs and neurons
    are left.
""")
ex.slip("extra-axis", {"))": "))[:, None]"}, LOSS).says("""
    The numbers are right, but they stand in a column. $N$ lengths have the shape
    $(N,)$.
""")
ex.mistake(
    "large",
    "05_vectorized_backprop#Loops, broadcasting, matrix product",
    code=lengths_direct,
).says("""
    The lengths are right, but on the way an array of all products is built, $(N, D,
    H)$. Write the sum of its squares by index: which letters stand alone?
""")
