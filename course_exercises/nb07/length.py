"""07.1 · The length of a row."""

import numpy as np

from course_exercises.judge import Exercise

REDUCE = "07_array_tape#From many numbers to few: sum, mean, max"
EACH = "07_array_tape#Functions of each element, and matrix products"

ex = Exercise(
    "07.1",
    "The length of a row",
    gradient=True,
    absent={
        "assigned": "each entry is used in one length",
        "broadcast": "nothing is broadcast forward",
    },
    hints=(
        "Three links: square each entry, sum along the row, take the root. You know "
        "the rule of each.",
        r"By index: $\frac{\partial y_n}{\partial x_{nd}} = \frac{1}{2 y_n} \cdot 2 "
        "x_{nd}$.",
        "`grad_out` and `y` have shape $(N,)$. Divide one by the other, put the "
        "summed axis back (`[:, None]`), and multiply by `x`.",
    ),
    explanation=(
        r"$\frac{\partial y_n}{\partial x_{nd}} = x_{nd}/y_n$: a step along the row "
        "itself lengthens it most. The way back from the sum is a copy, and for it the "
        "axis that was summed away has to be put back."
    ),
)


@ex.answer
def length_vjp(grad_out, x):
    y = np.sqrt((x * x).sum(axis=1))  # (N, D) -> (N,)
    return (grad_out / y)[:, None] * x  # (N, 1) * (N, D)


@ex.given
def inputs(rng):
    sizes = (2, 3), (5, 4), (3, 3), (1, 4), (6, 2)
    return [(rng.normal(size=N), rng.normal(size=(N, D))) for N, D in sizes]


BACK = "(grad_out / y)[:, None] * x"

VALUE_FOR_DERIVATIVE = {"/ y": "* y", "] * x": "] * np.ones_like(x)"}
ex.slip("value-for-derivative", VALUE_FOR_DERIVATIVE, EACH).says("""
    What came in is multiplied by the length itself. On the way back it is the
    derivative that counts.
""")
ex.slip("activation-missing", {"/ y": "* 2"}, EACH).says("""
    The root is passed as if it were not there: this is the gradient of the *squared*
    length.
""")
ex.slip("at-output", {"/ y": "/ np.sqrt(y)"}, EACH).says("""
    The root's rule $1/2y$ wants its output `y`. Here a root of `y` is taken once more.
""")
ex.slip("length-missing", {"(grad_out / y)": "grad_out"}, EACH).says("""
    The length does not occur in it. The root has a rule too: what does it divide by?
""")
ex.slip("divided-by-square", {"/ y": "/ y**2"}, EACH).says("""
    It is divided by the square of the length. Which of the two does the rule of the
    root, $1/2y$, ask for?
""")
ex.slip("outer-only", {"/ y": "/ y / 2", "] * x": "] * np.ones_like(x)"}, EACH).says("""
    The rule of the root is there, that of the square is not: every entry of a row gets
    the same.
""")
ex.slip("entry-missing", {"] * x": "] * np.ones_like(x)"}, EACH).says("""
    Every entry of a row gets the same. Which factor does the square bring in, for each
    entry its own?
""")
ex.slip("square-for-slope", {"] * x": "] * x * x"}, EACH).says("""
    The square itself stands where its derivative belongs.
""")
ex.slip("each-alone", {BACK: "grad_out[:, None] * np.sign(x)"}, REDUCE).says("""
    This is the rule of $|x|$, for each number by itself. Here a *row* has one length,
    made of all its entries.
""")
ex.slip("one-length", {"axis=1": ""}, REDUCE).says("""
    It is divided by the length of the whole array. Each row has a length of its own.
""")

COLUMNS = {"axis=1": "axis=0", BACK: "grad_out[:, None] * x / y"}
ex.slip("columns", COLUMNS, REDUCE).says("""
    It is divided by the lengths of the columns. Without the axis put back, numbers that
    belong to rows stand along the columns.
""")
ex.slip("forward", {BACK: "grad_out * y"}, REDUCE).says("""
    `grad_out` is multiplied by the length itself, where its derivative belongs; and
    each entry of `x` has one of its own.
""")
ex.slip("incoming-added", {BACK: "grad_out[:, None] + x / y[:, None]"}, EACH).says("""
    The gradient that comes in is added, where the chain rule multiplies.
""")
ex.slip("sign-lost", {"] * x": "] * abs(x)"}, EACH).says("""
    The sign of `x` has gone. More of a negative entry makes its row shorter.
""")
ex.slip("entries-summed", {"np.sqrt((x * x)": "(x", "/ y": "/ abs(y)"}, REDUCE).says("""
    It is divided by the sum of the entries. The length is the root of the sum of their
    *squares*.
""")
ex.slip("length-not-put-back", {BACK: "grad_out[:, None] * x / y"}, REDUCE).says("""
    The lengths belong to the rows. Without a new axis behind them, they stand along the
    columns.
""")
ex.slip("incoming-summed", {"(grad_out / y)": "(grad_out.sum() / y)"}, REDUCE).says("""
    All of `grad_out` is added up. Each row has a length of its own, and one number that
    comes in for it.
""")
ex.slip("first-length", {"grad_out / y": "grad_out / y[0]"}, REDUCE).says("""
    Every row is divided by the length of the first one. An index stands still.
""")
PLAIN = {BACK: "grad_out * x / y[:, None]"}
ex.slip("axis-not-put-back", PLAIN, REDUCE).says("""
    `grad_out` has one number for each row. Without a new axis behind it, its numbers
    stand along the columns.
""")
ex.slip("of-the-output", {"] * x": "] * y[:, None]"}, EACH).says("""
    It is multiplied by the length, where the derivative of the square brings in the
    entry of `x` itself.
""")
ex.slip("absolute", {"np.sqrt((x * x)": "(abs(x)"}, EACH).says("""
    It is divided by the sum of the absolute values. The length is the root of the sum
    of the squares.
""")
ex.slip("root-of-mean", {".sum": ".mean"}, REDUCE).says("""
    The squares are averaged, where the length sums them.
""")

ALL = {"/ y": "/ y * x.sum(axis=1)", "] * x": "] * np.ones_like(x)"}
ex.slip("row-summed", ALL, REDUCE).says("""
    The entries of a row are added up, so that all of them get the same. On the way back
    from a sum each summand keeps its own derivative.
""")
ex.slip("multiplied", {"/": "*"}, EACH).says("""
    It is multiplied by the length, where the rule of the root divides.
""")
