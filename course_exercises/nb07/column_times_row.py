"""07.4 · Predict: a column times a row, twice."""

import numpy as np

from course_exercises.judge import Exercise
from course_utils.tensor import Tensor

BROADCAST = "07_array_tape#A broadcast, and how to undo it"

ex = Exercise(
    "07.4",
    "Predict: a column times a row, twice",
    outputs=("shape of x.grad", "its entries", "shape of y.grad", "their value"),
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

ex.guess("number-for-shape", (3, 4, 4, 6), BROADCAST).says("""
    This is a number. A shape is a tuple; with one axis it is written with a comma, such
    as `(5,)`.
""")

ex.guess("not-undone", ((3, 4), 1, (3, 4), 2), BROADCAST).says("""
    This is the gradient before the broadcast is undone. A gradient has the shape of its
    data, and an entry collects from all its copies.
""")

ex.guess("used-once", ((3, 4), 1, (4,), 3), "01_chain_rule#Forks add").says("""
    `y` is used twice in each product, so its entries hear twice from each row.
""")

ex.guess("copies-exchanged", ((3,), 3, (1, 4), 8), BROADCAST).says("""
    The shape is that of the data, axis for axis. And count the copies: `x` is copied
    along its axis of length 1, `y` into new rows; an entry hears from as many copies as
    there are.
""")

ex.guess("shapes-exchanged", ((4,), 6, (3, 1), 4), BROADCAST).says("""
    This belongs to the other one of the two.
""")

ex.guess("all-summed", ((), 12, (), 24), BROADCAST).says("""
    This is the sum over all entries of the product. Each entry collects only from its
    own copies.
""")

ex.guess("twice-for-x", ((1, 3), 8, (4, 1), 12), BROADCAST).says("""
    Count the uses once more: `x` is used once in each product, `y` twice; and there are
    three rows and four columns.
""")
