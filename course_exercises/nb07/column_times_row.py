"""07.4 · Predict: a column times a row, twice."""

import numpy as np

from course_exercises.judge import Exercise
from course_utils.tensor import Tensor

BROADCAST = "07_array_tape#A broadcast, and how to undo it"

ex = Exercise(
    "07.4",
    "Predict: a column times a row, twice",
    outputs=(
        "shape of x.grad",
        "entries of x.grad",
        "shape of y.grad",
        "entries of y.grad",
    ),
    hints=(
        "The product has the shape $(3, 4)$. How often does one entry of `x` stand in "
        "it, and how often one entry of `y`?",
        "A gradient has the shape of its data. Its entries are sums over the copies.",
        r"By index: $L = \sum_{ij} x_i y_j^2$. Differentiate for $x_i$, and for "
        "$y_j$, with all numbers 1.",
    ),
    explanation=(
        r"$L = \sum_{ij} x_i y_j^2$, so $dx_i = \sum_j y_j^2 = 4$ and $dy_j = \sum_i 2 "
        "x_i y_j = 6$. The shapes are those of the data, $(3, 1)$ and $(4,)$: the sums "
        "over the copies are what `unbroadcast` does."
    ),
)


@ex.answer
def grads_of_ones():
    x, y = Tensor(np.ones((3, 1))), Tensor(np.ones(4))
    (x * y * y).sum().backward()
    return x.grad.shape, x.grad[0, 0], y.grad.shape, y.grad[0]


ex.guess("number-first", (4, (3, 1), 6, (4,)), BROADCAST).says("""
    A shape and a number have changed places: each shape comes before its number.
""")

X_SHAPE, X_ENTRIES, Y_SHAPE, Y_ENTRIES = ex.outputs

ex.guess("number-for-shape", {X_SHAPE: 3, Y_SHAPE: 4}, BROADCAST).says("""
    This is a number. A shape is a tuple; with one axis it is written with a comma, such
    as `(5,)`.
""")

BOTH_SHAPES = {X_SHAPE: (3, 4), Y_SHAPE: (3, 4)}
ex.guess("shape-of-the-product", BOTH_SHAPES, BROADCAST).says("""
    This is the shape of the product, before the broadcast is undone. A gradient has the
    shape of its data.
""")
ex.guess("axis-lost", {X_SHAPE: (3,), Y_SHAPE: (1, 4)}, BROADCAST).says("""
    An axis of length 1 is too much or missing. The shape is that of the data, axis for
    axis.
""")
ex.guess("turned", {X_SHAPE: (1, 3), Y_SHAPE: (4, 1)}, BROADCAST).says("""
    A row and a column are exchanged. The shape is that of the data, axis for axis.
""")

EXCHANGED = {X_SHAPE: (4,), X_ENTRIES: 6, Y_SHAPE: (3, 1), Y_ENTRIES: 4}
ex.guess("exchanged", EXCHANGED, BROADCAST).says("""
    This belongs to the other one of the two.
""")
ex.mistake("shape-otherwise", BROADCAST).says("""
    A gradient has the shape of its data, axis for axis. Which shape has this one?
""")
ex.mistake("number-otherwise", BROADCAST).says("""
    Take one entry. In how many entries of the product does it stand, and how often in
    each? That is how often it hears something.
""")


@ex.looked
def look_at_each(answer, run):
    """Point at what each wrong part is made of."""
    about = "shape-otherwise", "number-otherwise"
    parts = zip(about * 2, answer, ex.reference(), strict=True)
    wrong = [name for name, a, b in parts if not np.array_equal(a, b)]
    return [ex.named(name) for name in dict.fromkeys(wrong)]


# --- the numbers

ex.guess("not-summed", {X_ENTRIES: 1, Y_ENTRIES: 2}, BROADCAST).says("""
    This is what one place of the product brings back. An entry collects from all its
    copies.
""")
ex.guess("other-copies", {X_ENTRIES: 3, Y_ENTRIES: 8}, BROADCAST).says("""
    The copies are counted along the other axis. `x` is copied into new columns, `y`
    into new rows: how many of each are there?
""")
ex.guess("all-summed", {X_ENTRIES: 12, Y_ENTRIES: 24}, BROADCAST).says("""
    This is the sum over all entries of the product. Each entry collects only from its
    own copies.
""")
ex.guess("used-once", {Y_ENTRIES: 3}, "01_chain_rule#Forks add").says("""
    `y` is used twice in each product, so its entries hear twice from each row.
""")
ex.guess("once-not-summed", {Y_ENTRIES: 1}, "01_chain_rule#Forks add").says("""
    `y` is used twice in each product, and each of its entries is copied into three
    rows. How often does an entry hear something?
""")
ex.guess("twice-for-x", {X_ENTRIES: 8}, "01_chain_rule#Forks add").says("""
    `x` is used once in each product. It is `y` that stands in it twice.
""")
