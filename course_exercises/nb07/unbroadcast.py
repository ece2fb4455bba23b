"""07.3 · A friend undoes broadcasts."""

import numpy as np

from course_exercises.judge import Exercise

BROADCAST = "07_array_tape#A broadcast, and how to undo it"
REDUCE = "07_array_tape#From many numbers to few: sum, mean, max"
NO_ACTIVATION = "sums and copies have no derivative but 1"

ex = Exercise(
    "07.3",
    "A friend undoes broadcasts",
    gradient=True,
    absent={"activation-missing": NO_ACTIVATION, "at-output": NO_ACTIVATION},
    hints=(
        "Go through the table under *By shape*. For which row does the friend's "
        "function give another shape than that of the input?",
        "NumPy copies in two ways: it puts new axes in front, and it stretches axes "
        "of length 1. The loop knows of one.",
        "After the loop, `grad` and `shape` have equally many axes. Where `shape` has "
        "a 1, sum over that axis and keep it: `keepdims=True`.",
    ),
    explanation=(
        "The loop undoes new axes and forgets stretched ones: for `(5, 1)` the "
        "gradient keeps the shape `(5, 3)`, and the update makes a matrix of the "
        "column. With biases of shape `(3,)` nobody notices. The mend sums over all "
        "axes where `shape` has a 1, and keeps them."
    ),
)


@ex.answer
def unbroadcast_mended(grad, shape):
    while grad.ndim > len(shape):  # new axes, in front
        grad = grad.sum(axis=0)
    stretched = tuple(i for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=stretched, keepdims=True)


@ex.given
def inputs(rng):
    cases = [((2, 3), (3,)), ((5, 3), (5, 1)), ((2, 5, 3), (1, 3)), ((5, 3), ())]
    cases += [((5, 3), (5, 3)), ((4, 4), (1, 4)), ((2, 5, 3), (2, 1, 1))]
    cases += [((4, 2, 3), (2, 3))]
    return [(rng.normal(size=out), shape) for out, shape in cases]


NEW, STRETCHED = "grad.sum(axis=0)", "grad.sum(axis=stretched, keepdims=True)"

ex.slip("broadcast", {STRETCHED: "grad"}, BROADCAST).says("""
    New axes are summed, stretched ones are not: an axis of length 1 is copied as well.
    This is the code as it was found.
""")
ex.slip("new-from-behind", {"0": "-1"}, BROADCAST).says("""
    NumPy puts new axes in *front*. Here they are taken away from behind.
""")

ONLY = {"grad.ndim > len(shape)": "False", "tuple(i": "tuple(i - len(shape)"}
ex.slip("stretched-only", ONLY, BROADCAST).says("""
    The stretched axes are summed, the new ones are not any more.
""")

# --- averaged

AVERAGED = {"= grad.sum": "= grad.mean", "n grad.sum": "n grad.mean"}
ex.slip("averaged", AVERAGED, BROADCAST).says("""
    The copies are averaged. Every copy gives its share, and gradients add.
""")
ex.slip("new-averaged", {"= grad.sum": "= grad.mean"}, BROADCAST).says("""
    The new axes are averaged, the others summed. A copy is a copy: gradients add.
""")

STRETCHED_AVERAGED = {"return grad.sum": "return grad.mean"}
ex.slip("stretched-averaged", STRETCHED_AVERAGED, BROADCAST).says("""
    The stretched axes are averaged, the others summed. A copy is a copy: gradients add.
""")

# --- one copy for all


def copy(grad, axes, place):
    for axis in axes:
        grad = grad.take([place], axis)
    return grad


LAST, FIRST = "copy(grad, stretched, -1)", "copy(grad, stretched, 0)"

ex.slip("assigned", {NEW: "grad[-1]", STRETCHED: LAST}, BROADCAST).says("""
    Only the last copy counts; all others leave no trace.
""")
ex.slip("first-copy", {NEW: "grad[0]", STRETCHED: FIRST}, BROADCAST).says("""
    Only the first copy counts; all others leave no trace.
""")
ex.slip("new-first-copy", {NEW: "grad[0]"}, BROADCAST).says("""
    Of a new axis, only the first copy counts. All copies give a share, and gradients
    add.
""")
ex.slip("new-last-copy", {NEW: "grad[-1]"}, BROADCAST).says("""
    Of a new axis, only the last copy counts. All copies give a share, and gradients
    add.
""")
ex.slip("stretched-first-copy", {STRETCHED: FIRST}, BROADCAST).says("""
    Of a stretched axis, only the first copy counts. All copies give a share, and
    gradients add.
""")
ex.slip("stretched-last-copy", {STRETCHED: LAST}, BROADCAST).says("""
    Of a stretched axis, only the last copy counts. All copies give a share, and
    gradients add.
""")

# --- which axes

ex.slip("one-axis", {"axis=stretched": "axis=stretched[:1]"}, BROADCAST).says("""
    Only the first of the stretched axes is summed. There may be several: does a
    `return` stand inside the loop?
""")

EITHER = {
    "while": "new = grad.ndim > len(shape)\n    while",
    "return": "return grad if new else",
}
ex.slip("either-or", EITHER, BROADCAST).says("""
    Where there are new axes, the stretched ones are not summed. Are they left alone
    then, or looked up by numbers that mean other axes as long as the new ones stand in
    front?
""")


@ex.wrong(BROADCAST)
def counted_from_the_left(grad, shape):
    """While the new axes stand in front, the lengths of other axes are compared. Take
    the new ones away first.
    """
    for axis, size in enumerate(shape):
        if grad.shape[axis] != size:
            grad = grad.sum(axis=axis, keepdims=True)
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    return grad


ex.slip("one-new", {"while": "if"}, BROADCAST).says("""
    Only one new axis is summed. There may be several: an `if` does once what a `while`
    does as often as needed.
""")
ex.slip("first-axis-only", {"== 1": "== 1 and i == 0"}, BROADCAST).says("""
    Only the first axis is looked at. Any axis of length 1 may have been stretched.
""")
ex.slip("last-axis-only", {"== 1": "== 1 and i + 1 == len(shape)"}, BROADCAST).says("""
    Only the last axis is looked at. Any axis of length 1 may have been stretched.
""")
ex.slip("all-summed", {STRETCHED: "np.full(shape, grad.sum())"}, BROADCAST).says("""
    Everything is added up. Sum only over what was copied.
""")
ex.slip("the-others", {"==": "!="}, BROADCAST).says("""
    The axes that were *not* stretched are summed. Which length says that an axis was
    copied?
""")


@ex.wrong(BROADCAST)
def cut_off(grad, shape):
    """The shape is made to fit by leaving numbers away. What was copied has to collect
    them all.
    """
    return grad.ravel()[: int(np.prod(shape))].reshape(shape)


@ex.wrong(REDUCE)
def axes_move_up(grad, shape):
    """A stretched axis goes away when it is summed, and those behind it move up. It has
    to stay, with length 1: what does `keepdims` do?
    """
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis=axis)
    return grad


ex.slip("axis-lost", {", keepdims=True": ""}, REDUCE).says("""
    The sums are right, the shape is not: a stretched axis has length 1 afterwards, and
    does not go away. What does `keepdims` do?
""")
