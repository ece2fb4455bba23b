"""07.3 · A friend undoes broadcasts"""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

BROADCAST = "07_array_tape#A broadcast, and how to undo it"
REDUCE = "07_array_tape#From many numbers to few: sum, mean, max"
NO_ACTIVATION = "sums and copies have no derivative but 1"

ex = Exercise(
    "07.3",
    "A friend undoes broadcasts",
    gradient=True,
    absent={
        "activation-missing": NO_ACTIVATION,
        "at-output": NO_ACTIVATION,
    },
    hints=(
        "Go through the table under *By shape*. For which row does the friend's "
        "function give another shape than that of the input?",
        "NumPy copies in two ways: it puts new axes in front, and it stretches "
        "axes of length 1. The loop knows of one.",
        "After the loop, `grad` and `shape` have equally many axes. Where `shape` "
        "has a 1, sum over that axis and keep it: `keepdims=True`.",
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
def unbroadcast_inputs(rng):
    cases = [((2, 3), (3,)), ((5, 3), (5, 1)), ((2, 5, 3), (1, 3)), ((5, 3), ())]
    cases += [((5, 3), (5, 3)), ((4, 4), (1, 4)), ((2, 5, 3), (2, 1, 1))]
    return [(rng.normal(size=out), shape) for out, shape in cases]


def unbroadcast_at(place):
    def wrong(grad, shape):
        while grad.ndim > len(shape):
            grad = grad.sum(axis=0)
        if shape and shape[place] == 1:
            grad = grad.sum(axis=place, keepdims=True)
        return grad

    return wrong


def unbroadcast_new_copy(place):
    def wrong(grad, shape):
        while grad.ndim > len(shape):
            grad = grad[place]
        stretched = tuple(i for i, size in enumerate(shape) if size == 1)
        return grad.sum(axis=stretched, keepdims=True)

    return wrong


def unbroadcast_stretched_copy(place):
    def wrong(grad, shape):
        while grad.ndim > len(shape):
            grad = grad.sum(axis=0)
        for axis, size in enumerate(shape):
            if size == 1:
                grad = grad.take([place], axis)
        return grad

    return wrong


@ex.wrong(BROADCAST)
def broadcast(grad, shape):
    """New axes are summed, stretched ones are not: an axis of length 1 is copied as
    well. This is the code as it was found.
    """
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    return grad


ex.slip("new-from-behind", {"0": "-1"}, BROADCAST).says("""
    NumPy puts new axes in *front*. Here they are taken away from behind.
""")


@ex.wrong(BROADCAST)
def stretched_only(grad, shape):
    """The stretched axes are summed, the new ones are not any more."""
    stretched = tuple(i - len(shape) for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=stretched, keepdims=True)


@ex.wrong(BROADCAST)
def averaged(grad, shape):
    """The copies are averaged. Every copy gives its share, and gradients add."""
    right = F.unbroadcast(grad, shape)
    return right * (right.size / grad.size)


ex.slip("new-averaged", {"= grad.sum": "= grad.mean"}, BROADCAST).says("""
    The new axes are averaged, the others summed. A copy is a copy: gradients add.
""")

ex.slip(
    "stretched-averaged",
    {"return grad.sum": "return grad.mean", "True)": "True) if stretched else grad"},
    BROADCAST,
).says("""
    The stretched axes are averaged, the others summed. A copy is a copy: gradients add.
""")


@ex.wrong(BROADCAST)
def assigned(grad, shape):
    """Only the last copy counts; all others leave no trace."""
    while grad.ndim > len(shape):
        grad = grad[-1]
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.take([-1], axis)
    return grad


@ex.wrong(BROADCAST)
def first_copy(grad, shape):
    """Only the first copy counts; all others leave no trace."""
    while grad.ndim > len(shape):
        grad = grad[0]
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.take([0], axis)
    return grad


@ex.wrong(BROADCAST)
def one_axis(grad, shape):
    """Only the first of the stretched axes is summed. There may be several: does a
    `return` stand inside the loop?
    """
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            return grad.sum(axis=axis, keepdims=True)
    return grad


@ex.wrong(BROADCAST)
def either_or(grad, shape):
    """Where there are new axes, the stretched ones are not summed. Are they left alone
    then, or looked up by numbers that mean other axes as long as the new ones stand in
    front?
    """
    if grad.ndim > len(shape):
        while grad.ndim > len(shape):
            grad = grad.sum(axis=0)
        return grad
    stretched = tuple(i for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=stretched, keepdims=True)


ex.slip("one-new", {"while": "if"}, BROADCAST).says("""
    Only one new axis is summed. There may be several: an `if` does once what a `while`
    does as often as needed.
""")

ex.mistake("first-axis-only", BROADCAST, code=unbroadcast_at(0)).says("""
    Only the first axis is looked at. Any axis of length 1 may have been stretched.
""")

ex.mistake("last-axis-only", BROADCAST, code=unbroadcast_at(-1)).says("""
    Only the last axis is looked at. Any axis of length 1 may have been stretched.
""")


@ex.wrong(BROADCAST)
def all_summed(grad, shape):
    """Everything is added up. Sum only over what was copied."""
    return np.full(shape, grad.sum())


ex.mistake("new-first-copy", BROADCAST, code=unbroadcast_new_copy(0)).says("""
    Of a new axis, only the first copy counts. All copies give a share, and gradients
    add.
""")

ex.mistake("new-last-copy", BROADCAST, code=unbroadcast_new_copy(-1)).says("""
    Of a new axis, only the last copy counts. All copies give a share, and gradients
    add.
""")

ex.mistake(
    "stretched-first-copy", BROADCAST, code=unbroadcast_stretched_copy(0)
).says("""
    Of a stretched axis, only the first copy counts. All copies give a share, and
    gradients add.
""")

ex.mistake(
    "stretched-last-copy", BROADCAST, code=unbroadcast_stretched_copy(-1)
).says("""
    Of a stretched axis, only the last copy counts. All copies give a share, and
    gradients add.
""")

ex.slip(
    "the-others",
    {"stretched =": "others =", "==": "!=", "=stretched": "=others"},
    BROADCAST,
).says("""
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
def axis_lost(grad, shape):
    """The sums are right, the shape is not: a stretched axis has length 1 afterwards,
    and does not go away. What does `keepdims` do?
    """
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    return grad.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1))
