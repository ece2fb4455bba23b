"""00.2 · The slopes of a mean"""

import numpy as np

from course_exercises.judge import Exercise

ANSWERS = "00_start_here#How the exercises answer"
NO_ACTIVATION = "a formula without activation"

ex = Exercise(
    "00.2",
    "The slopes of a mean",
    gradient=True,
    absent={
        "activation-missing": NO_ACTIVATION,
        "at-output": NO_ACTIVATION,
        "assigned": "every number of w is used once",
        "broadcast": "nothing is broadcast",
    },
    hints=(
        "Begin as on the page: the slope of a square is twice what stands inside "
        "it, times the slope of what stands inside.",
        "Inside stands $w^2 - 1$, and its slope is not a fixed number: it depends "
        "on `w`.",
        "Multiply three things: 2, the inner formula, and its slope. Then the "
        "mean: each number has only one N-th of a say in it.",
    ),
    explanation=(
        "Outside a square, inside $w^2 - 1$ with the slope $2 w$: each term has the "
        "slope $2 (w^2 - 1) \\cdot 2 w$. The mean divides the sum by $N$, so it "
        "divides each slope by $N$."
    ),
)


@ex.answer
def slopes(w):
    inner = w**2 - 1
    return 2 * inner * 2 * w / len(w)


@ex.given
def slopes_inputs(rng):
    sizes = 3, 5, 1, 4, 8
    return [(rng.choice([-1, 1], n) * rng.uniform(0.2, 2.5, n),) for n in sizes]


@ex.right
def slopes_one_by_one(w):
    found = np.zeros(len(w))
    for k, number in enumerate(w):
        found[k] += 2 * (number**2 - 1) / len(w) * (2 * number)
    return found


@ex.wrong(ANSWERS)
def inner_missing_(w):
    """The slope of the inner formula is missing: when `w` changes, `w**2 - 1` does not
    change by as much, but by its own slope times as much.
    """
    return 2 * (w**2 - 1) / len(w)


@ex.wrong(ANSWERS)
def inner_of_the_page_(w):
    """The factor 3 is the slope of `3 * w - 6`. Here the inner formula is another one,
    and its slope is not the same everywhere.
    """
    return 2 * (w**2 - 1) * 3 / len(w)


@ex.wrong(ANSWERS)
def inner_with_constant_(w):
    """The −1 of the inner formula is still there after its slope was taken. A constant
    does not change, so its slope is 0.
    """
    return 2 * (w**2 - 1) * (2 * w - 1) / len(w)


@ex.wrong(ANSWERS)
def inner_inside_(w):
    """The slope of the square was taken at the inner *slope*. It belongs to the inner
    formula itself; then the inner slope multiplies it.
    """
    return 2 * (2 * w) / len(w)


@ex.wrong(ANSWERS)
def outer_missing_(w):
    """This is the slope of the inner formula alone. The square around it has a slope,
    too, and the two multiply.
    """
    return 2 * w / len(w)


@ex.wrong(ANSWERS)
def outer_not_lowered_(w):
    """The exponent came down in front as the 2, and stayed where it was as well. The
    slope of a square has no square any more.
    """
    return 2 * (w**2 - 1) ** 2 * 2 * w / len(w)


@ex.wrong(ANSWERS)
def middle_term_missing_(w):
    """This is the slope of $w^4$. Multiplied out, the square has a middle term as well,
    and it changes with `w`.
    """
    return 4 * w**3 / len(w)


@ex.wrong()
def mean_forgotten_(w):
    """These are the slopes of the sum. The mean divides it by N, the number of numbers
    in `w`, and so it divides each slope.
    """
    return 4 * w * (w**2 - 1)


@ex.wrong(ANSWERS)
def half(w):
    """Every number is half the right one. Two slopes bring a factor of 2: that of the
    square outside, and that of $w^2$ inside.
    """
    return 2 * w * (w**2 - 1) / len(w)


@ex.wrong(ANSWERS)
def results_themselves_(w):
    """These are the numbers whose mean is taken, not their slopes."""
    return (w**2 - 1) ** 2 / len(w)


@ex.wrong(ANSWERS)
def one_number_(w):
    """This is one number for all. A gradient has a slope for each number of `w`: how
    the result changes when this one alone is nudged.
    """
    return np.mean(4 * w * (w**2 - 1))
