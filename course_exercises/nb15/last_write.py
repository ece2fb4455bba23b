"""15.3 · The last write stays."""

import numpy as np

from course_exercises.judge import Exercise

CASE = "15_when_the_engine_is_wrong#Case 3 · Assigned, where it should be added"
MOVE = "07_array_tape#Moving elements about: reshape, transpose, selection"
NO_ACTIVATION = "writing has no derivative but 1 and 0"

ex = Exercise(
    "15.3",
    "The last write stays",
    gradient=True,
    absent={
        "activation-missing": NO_ACTIVATION,
        "at-output": NO_ACTIVATION,
        "assigned": "nothing is used twice: what is written twice is lost",
        "broadcast": "nothing is broadcast",
    },
    hints=(
        "Take the index (1, 1). Which of the two values can be seen in y? What does "
        "the other one change?",
        "Reading `grad_out[index]` back is right for each value that stayed. So we "
        "need to know which ones did: the last write to each place.",
        "Write the *numbers* of the values, 0, 1, 2, …, by the same index into an "
        "array of integers. What stands there afterwards?",
    ),
    explanation=(
        "A value that was overwritten has no influence, so its gradient is 0; a value "
        "that stayed gets the gradient of its place. To find out who stayed, we let "
        "the same write happen to the numbers of the values. Several engines read the "
        "gradient back for all, and their answer is that of a *sum*, which nobody "
        "computed."
    ),
)


@ex.answer
def put_vjp(grad_out, index):
    numbers = np.arange(len(index))
    last = np.zeros(len(grad_out), int)
    last[index] = numbers
    return np.where(last[index] == numbers, grad_out[index], 0)


@ex.given
def inputs(rng):
    cases = ([1, 1], 3), ([0, 2, 0, 1], 4), ([3, 1, 0], 5), ([2, 2, 2, 0, 0], 3)
    return [(rng.normal(size=n), np.array(index)) for index, n in cases]


@ex.right
def from_behind(grad_out, index):
    grad, taken = np.zeros(len(index)), set()
    for k in range(len(index) - 1, -1, -1):
        place = int(index[k])
        if place not in taken:
            grad[k] = grad_out[place]
            taken.add(place)
    return grad


@ex.right
def by_a_table(grad_out, index):
    stayed = {int(place): k for k, place in enumerate(index)}
    grad = np.zeros(len(index))
    for place, k in stayed.items():
        grad[k] = grad_out[place]
    return grad


@ex.wrong(CASE)
def read_back(grad_out, index):
    """
    The gradient is read back at every place that was written to. But a value that was
    overwritten cannot be seen in y: its gradient is 0. This is what several engines
    answer.
    """
    return grad_out[index]


@ex.wrong(CASE)
def shared(grad_out, index):
    """
    All who wrote to a place share its gradient. Only one of them can be seen there, the
    last one; the others have no influence.
    """
    return grad_out[index] / np.bincount(index)[index]


@ex.wrong(CASE)
def the_first(grad_out, index):
    """
    The *first* value of each place gets the gradient. A later write overwrites it.
    """
    _, first = np.unique(index, return_index=True)
    grad = np.zeros(len(index))
    grad[first] = grad_out[index][first]
    return grad


@ex.wrong(CASE)
def nobody_who_met(grad_out, index):
    """
    Where two values met in one place, neither gets anything. One of them stayed: the
    last one.
    """
    return np.where(np.bincount(index)[index] == 1, grad_out[index], 0)


@ex.wrong(CASE)
def added_up(grad_out, index):
    """
    Gradients are added up by the index, as for a value that was *read* several times.
    Here was written: the result has one entry for each value in v.
    """
    grad = np.zeros(len(grad_out))
    np.add.at(grad, index, grad_out[index])
    return grad


@ex.wrong(MOVE)
def without_the_places(grad_out, index):
    """
    The gradient is not read at the places that were written to, but from the front. The
    k-th value stands at place `index[k]`.
    """
    numbers = np.arange(len(index))
    last = np.zeros(len(grad_out) + len(index), int)
    last[index] = numbers
    return np.where(last[index] == numbers, np.resize(grad_out, len(index)), 0)
