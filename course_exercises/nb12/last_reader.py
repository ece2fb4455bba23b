"""12.1 · The last reader."""

from functools import partial

from course_exercises.judge import Exercise

LIVES = "12_compiled_tape#Who lives when"
COLUMNS = "12_compiled_tape#The tape as four columns"

ex = Exercise(
    "12.1",
    "The last reader",
    hints=(
        "Go through the operations once, in order. Who reads a value later than all "
        "before takes its place in the list.",
        "Begin with a list in which every value has the number `len(left)`, and let "
        "each operation enter itself at the two places that it reads.",
        "`last[left[k]] = last[right[k]] = k`, for k from 0 on: later ones overwrite "
        "earlier ones, and the last one stays.",
    ),
    explanation=(
        "One run in the order of the operations, in which each enters itself: what is "
        "left is the last one. A value that nobody reads keeps `len(left)`; the output "
        "of the tape is always one of these."
    ),
)


@ex.answer
def last_readers(left, right, n):
    last = [len(left)] * n
    for k in range(len(left)):
        last[left[k]] = last[right[k]] = k
    return last


@ex.given
def tapes(rng):
    found = [([0, 4, 5, 6, 7, 8], [1, 2, 5, 3, 7, 7], 10), ([0] * 6, [1] * 6, 11)]
    for leaves in (4, 5, 6, 5, 4):
        ends = [min(leaves + k, 10) for k in range(6)]  # so that columns can be mixed
        columns = [[int(rng.integers(0, end)) for end in ends] for _ in range(2)]
        found.append((*columns, leaves + 6))
    return found


@ex.right
def backwards(left, right, n):
    last = [None] * n
    for k in range(len(left) - 1, -1, -1):
        for place in (left[k], right[k]):
            if last[place] is None:
                last[place] = k
    return [len(left) if k is None else k for k in last]


slip = partial(ex.slip, where=LIVES)

slip("first-reader", {"range(len(left))": "range(len(left) - 1, -1, -1)"}).says("""
    This is the *first* operation that reads a value. Going through the list from below,
    who comes first is the last reader; here the earlier ones overwrite it.
""")
slip("left-alone", {"last[left[k]] = last[right[k]] = k": "last[left[k]] = k"}).says("""
    Only the left inputs are looked at. A product reads two values, and either may be
    read for the last time.
""")
slip("right-alone", {"last[left[k]] = last[right[k]]": "last[right[k]]"}).says("""
    Only the right inputs are looked at. A product reads two values, and either may be
    read for the last time.
""")
slip("place-of-the-reader", {"] = k": "] = n - len(left) + k"}).says("""
    This is the place of the reader's *result* among all values. What is asked for is
    the number of the operation, counted from 0.
""")
slip("one-too-late", {"] = k": "] = k + 1"}).says("""
    Every number is one too large. Operation k reads its inputs itself: with it the
    value may go, if nobody else comes.
""")
slip("unread-at-0", {"[len(left)] * n": "[0] * n"}).says("""
    A value that nobody reads is said to be read by operation 0. It has to be kept to
    the end: the output is such a value.
""")
slip("unread-at-minus-1", {"[len(left)] * n": "[-1] * n"}).says("""
    A value that nobody reads is given −1, and would be dead before the first operation.
    It has to be kept to the end: the output is such a value.
""")
slip("unread-at-last", {"[len(left)] * n": "[len(left) - 1] * n"}).says("""
    A value that nobody reads is let go with the last operation. It has to be kept to
    the end, which is `len(left)`.
""")
slip("unread-at-n", {"[len(left)] * n": "[n] * n"}).says("""
    A value that nobody reads is given `n`, the number of all values. Operations are
    counted here: the end is `len(left)`.
""")
slip("results-alone", {"return last": "return last[n - len(left) :]"}).says("""
    The leaves are missing. A list for all `n` values was asked for: leaves have the
    first places.
""")


@ex.wrong(COLUMNS)
def written(left, right, n):
    """This is when a value is written, not when it is read. The columns `left` and
    `right` say who reads.
    """
    first = n - len(left)
    return [0] * first + list(range(len(left)))


@ex.wrong(LIVES)
def on_both_sides(left, right, n):
    """Only operations that read a value on *both* sides are counted. One side is
    enough: it is read.
    """
    last = [len(left)] * n
    for k in range(len(left)):
        if left[k] == right[k]:
            last[left[k]] = k
    return last


@ex.wrong(LIVES)
def one_column_after_the_other(left, right, n):
    """The two columns are gone through one after the other, and what the second one
    says overwrites later readers of the first. Go through the operations once.
    """
    last = [len(left)] * n
    for column in (right, left):
        for k in range(len(left)):
            last[column[k]] = k
    return last


@ex.wrong(LIVES)
def right_column_last(left, right, n):
    """The left column is gone through first, and what the right one says overwrites
    later readers. Go through the operations once, both inputs of each together.
    """
    last = [len(left)] * n
    for column in (left, right):
        for k in range(len(left)):
            last[column[k]] = k
    return last


@ex.wrong(LIVES)
def how_often(left, right, n):
    """This is how often a value is read. Asked for is which operation reads it last."""
    return [list(left).count(p) + list(right).count(p) for p in range(n)]
