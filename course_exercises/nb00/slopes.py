"""00.2 · The slopes of a mean."""

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
    for k in range(len(w)):
        found[k] = 2 * (w[k] ** 2 - 1) / len(w) * (2 * w[k])
    return found


# --- wrong ones: the inner formula

ex.slip("inner-missing", {" * 2 * w": ""}, ANSWERS).says("""
    The slope of the inner formula is missing: when `w` changes, `w**2 - 1` does not
    change by as much, but by its own slope times as much.
""")
ex.slip("inner-constant", {"2 * w": "2"}, ANSWERS).says("""
    In the slope of the inner formula `w` is missing: a square does not change by the
    same everywhere.
""")
ex.slip("inner-of-the-page", {"2 * w": "3"}, ANSWERS).says("""
    The factor 3 is the slope of `3 * w - 6`. Here the inner formula is another one, and
    its slope is not the same everywhere.
""")
ex.slip("inner-with-constant", {"2 * w": "(2 * w - 1)"}, ANSWERS).says("""
    The −1 of the inner formula is still there after its slope was taken. A constant
    does not change, so its slope is 0.
""")
ex.slip("inner-inside", {"inner * 2": "2"}, ANSWERS).says("""
    The slope of the square was taken at the inner *slope*. It belongs to the inner
    formula itself; then the inner slope multiplies it.
""")
ex.slip("added", {"2 * inner * 2 * w": "(2 * inner + 2 * w)"}, ANSWERS).says("""
    The two slopes are added. One formula stands inside the other, so they multiply.
""")
ex.slip("multiplied-by-half", {"2 * inner * 2 * w": "(4 * w**3 - 1)"}, ANSWERS).says("""
    The outer slope multiplies *both* terms inside, the 1 as well. Are brackets missing?
""")
ex.slip("sum-inside", {"w**2 - 1": "sum(w**2 - 1)"}, ANSWERS).says("""
    Everything inside is added up first. Each number has an inner formula, and a square,
    of its own.
""")
ex.slip("middle-term-missing", {" - 1": ""}, ANSWERS).says("""
    This is the slope of $w^4$. Multiplied out, the square has a middle term as well,
    and it changes with `w`.
""")

# --- the square around it

ex.slip("outer-missing", {"2 * inner * ": ""}, ANSWERS).says("""
    This is the slope of the inner formula alone. The square around it has a slope, too,
    and the two multiply.
""")
ex.slip("outer-not-lowered", {"inner *": "inner**2 *"}, ANSWERS).says("""
    The exponent came down in front as the 2, and stayed where it was as well. The slope
    of a square has no square any more.
""")
ex.slip("half", {"2 * inner": "inner"}, ANSWERS).says("""
    Every number is half the right one. Two slopes bring a factor of 2: that of the
    square outside, and that of $w^2$ inside.
""")
ex.slip("results-themselves", {"2 * inner * 2 * w": "inner**2"}, ANSWERS).says("""
    These are the numbers whose mean is taken, not their slopes.
""")


@ex.wrong(ANSWERS)
def mean_itself(w):
    """This is the mean itself. Its slopes are asked for: one for each number of `w`."""
    return np.mean((w**2 - 1) ** 2)


# --- the mean

ex.slip("one-less", {"len(w)": "(len(w) - 1)"}).says("""
    It is divided by $N - 1$. The mean divides by how many numbers there are.
""")
ex.slip("by-the-numbers", {"len(w)": "w"}).says("""
    It is divided by the numbers in `w` themselves. The mean divides by how many they
    are.
""")
ex.slip("mean-forgotten", {" / len(w)": ""}).says("""
    These are the slopes of the sum. The mean divides it by N, the number of numbers in
    `w`, and so it divides each slope.
""")
ex.slip("one-number", {"inner * 2 * w": "sum(inner * 2 * w)"}, ANSWERS).says("""
    This is one number for all. A gradient has a slope for each number of `w`: how the
    result changes when this one alone is nudged.
""")
