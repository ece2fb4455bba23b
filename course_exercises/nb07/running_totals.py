"""07.2 · Running totals."""

import numpy as np

from course_exercises.judge import Exercise

BROADCAST = "07_array_tape#A broadcast, and how to undo it"
REDUCE = "07_array_tape#From many numbers to few: sum, mean, max"
MOVE = "07_array_tape#Moving elements about: reshape, transpose, selection"
VJP = "05_vectorized_backprop#One form for every rule: the vjp"
NO_ACTIVATION = "sums and copies have no derivative but 1"

ex = Exercise(
    "07.2",
    "Running totals",
    gradient=True,
    absent={"activation-missing": NO_ACTIVATION, "at-output": NO_ACTIVATION},
    hints=(
        "Write the totals of a row of three: $y_0 = x_0$, $y_1 = x_0 + x_1$, $y_2 = "
        "x_0 + x_1 + x_2$. Which of them contain $x_1$?",
        r"$dx_j = \sum_{i \ge j} G_i$: a running sum that begins at the end.",
        "`grad_out[:, ::-1]` turns the rows round. Sum, and turn back.",
    ),
    explanation=(
        r"$x_j$ goes into every $y_i$ with $i \ge j$, each time with the factor 1, so "
        r"$dx_j = \sum_{i \ge j} G_i$: a running total from the other end. The "
        "Jacobian is a triangle of ones, and the vjp multiplies by its transpose."
    ),
)


@ex.answer
def cumsum_vjp(grad_out):
    return np.cumsum(grad_out[:, ::-1], axis=1)[:, ::-1]


@ex.given
def inputs(rng):
    return [(rng.normal(size=s),) for s in ((2, 3), (5, 4), (3, 3), (1, 6), (4, 7))]


@ex.right
def by_loops(grad_out):
    grad = np.zeros_like(grad_out)
    for n, j in np.ndindex(grad_out.shape):
        for i in range(j, grad_out.shape[1]):
            grad[n, j] += grad_out[n, i]
    return grad


TOTALS = "np.cumsum(grad_out[:, ::-1], axis=1)[:, ::-1]"
COUNT = "np.arange(grad_out.shape[1], 0, -1)"

ex.slip("assigned", {"+=": "="}, BROADCAST, of=by_loops).says("""
    Every $x_j$ has the gradient of its last use alone. It goes into several totals, and
    gradients add.
""")

EACH = {TOTALS: "grad_out[:, :, None] * np.tri(grad_out.shape[1])"}
ex.slip("broadcast", EACH, BROADCAST).says("""
    These are the contributions, one for each pair of a total and an entry. What was
    used several times has to collect them.
""")
ex.slip("forward-again", {TOTALS: "np.cumsum(grad_out, axis=1)"}, REDUCE).says("""
    This is the running total itself. On the way back $x_j$ hears from the totals that
    come *after* it, not from those before.
""")
ex.slip("turned-once", {")[:, ::-1]": ")"}, MOVE).says("""
    The sums are right, their order is not: what was turned round has to be turned back.
""")
ex.slip("turned-after", {"out[:, ::-1]": "out"}, MOVE).says("""
    It is turned round after the running sum only. Which end does the running sum have
    to begin at?
""")

OTHER = {TOTALS: "np.cumsum(grad_out[::-1], axis=0)[::-1]"}
ex.slip("other-axis", OTHER, REDUCE).says("""
    The sum runs from row to row. The examples know nothing of each other; the totals
    ran along each row.
""")
ex.slip("own-twice", {TOTALS: f"{TOTALS} + grad_out"}, REDUCE).says("""
    The total that ends at $x_j$ itself is counted twice.
""")
ex.slip("own-left-out", {TOTALS: f"{TOTALS} - grad_out"}, REDUCE).says(r"""
    The total that ends at $x_j$ itself is left out: $j \le i$ contains $i = j$.
""")

FIRST = {TOTALS: f"{TOTALS} * (np.arange(grad_out.shape[1]) > 0)"}
ex.slip("first-left-out", FIRST, REDUCE).says("""
    The first entry of each row gets nothing. Where does the loop begin?
""")

ALL = {TOTALS: "np.ones_like(grad_out) * grad_out.sum(axis=1, keepdims=True)"}
ex.slip("all-totals", ALL, REDUCE).says(r"""
    Every entry hears from all totals. $x_j$ goes into those with $i \ge j$ only.
""")
ex.slip("inverse", {TOTALS: "np.diff(grad_out, axis=1, prepend=0)"}, VJP).says("""
    Differences undo a running total. The way back of a gradient is not the inverse of
    the function; it is the transposed Jacobian.
""")

BEHIND = {TOTALS: "-np.diff(grad_out, axis=1, append=0)"}
ex.slip("inverse-from-behind", BEHIND, BROADCAST).says("""
    Differences of neighbours undo a sum. A vjp undoes nothing: it adds up what comes
    back from every use.
""")
ex.slip("differences", {TOTALS: "np.diff(grad_out, axis=1)"}, VJP).says("""
    Differences undo a running total, and there is one too few of them. The way back of
    a gradient is not the inverse of the function.
""")

BEFORE = {TOTALS: "np.cumsum(grad_out, axis=1) - grad_out"}
ex.slip("those-before", BEFORE, REDUCE).says("""
    The totals *before* $x_j$ are added up. It goes into its own and into those after
    it.
""")
ex.slip("averaged", {TOTALS: f"{TOTALS} / {COUNT}"}, BROADCAST).says("""
    The gradients of the totals are averaged. Gradients of several uses add.
""")

FLAT = "np.cumsum(grad_out[::-1, ::-1])[::-1]"
ex.slip("no-axis", {TOTALS: FLAT}, REDUCE).says("""
    Without an axis, NumPy runs through all rows as if they were one. The examples know
    nothing of each other.
""")
ex.slip("rows-as-one", {TOTALS: f"{FLAT}.reshape(grad_out.shape)"}, REDUCE).says("""
    The sum runs on from one row into the next. The examples know nothing of each other:
    which axis does it run along?
""")

MIXED = {", axis=1)[:, ::-1]": ")[::-1].reshape(grad_out.shape)"}
ex.slip("rows-mixed", MIXED, REDUCE).says("""
    The sum runs on from one row into the next, and the rows are turned round with it.
    Which axis does it run along?
""")
ex.slip("own-only", {TOTALS: "grad_out.copy()"}, REDUCE).says("""
    Each entry hears only from the total that stands in its own place.
""")
ex.slip("counted", {TOTALS: f"grad_out * {COUNT}"}, BROADCAST).says("""
    You counted how many totals an entry goes into, and multiplied its own gradient by
    that. But each of these totals has a gradient of its own.
""")
