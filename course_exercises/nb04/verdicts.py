"""04.4 · Predict: what will the checker say?"""

import numpy as np

from course_exercises.judge import Exercise
from course_utils.gradcheck import gradcheck

SINGLE = "04_gradient_checking#The case of the missing six per cent"
COMPARE = "04_gradient_checking#How to compare, and how not to"
SECOND = "04_gradient_checking#The second look"
CHECKER = "04_gradient_checking#The checker"
UNSEEN = "04_gradient_checking#What no check can see"

ex = Exercise(
    "04.4",
    "Predict: what will the checker say?",
    outputs=("a", "b", "c", "d", "e"),
    hints=(
        "Sketch the functions of (a) to (d) around the point, from a millionth to the "
        "left of it to a millionth to the right.",
        "Ask of each: is there one slope at the point? Do smaller steps come to it? "
        "Is the value exact enough to measure it?",
        "(a) and (b) differ by a billionth, and in what they are called. In (c) left "
        "and right slope agree. In (d) nothing moves. (e) is the case of the missing "
        "six per cent.",
    ),
    explanation=(
        "(a) On the kink any slope from −1 to 1 is right: kink. (b) Beside it the "
        "slope is 1: wrong. (c) Both sides have the slope 0: right. (d) The staircase "
        "is flat almost everywhere: right, and useless for learning. (e) float32 "
        "leaves too few digits: cannot say."
    ),
)


@ex.helper
def in_one_word(report):
    if report.kinks:
        return "kink"
    if "CANNOT SAY" in repr(report):
        return "cannot say"
    return "right" if report else "wrong"


@ex.answer
def verdicts_of_gradcheck():
    def in_float32(x):
        return (x.astype(np.float32) ** 2).sum()

    x = np.random.default_rng(44).normal(size=4)
    zero, near = np.zeros(1), np.full(1, 1e-9)
    reports = [
        gradcheck(lambda x: np.abs(x).sum(), zero, np.full(1, 0.3)),
        gradcheck(lambda x: np.abs(x).sum(), near, np.full(1, 0.3)),
        gradcheck(lambda x: 1 + (np.maximum(x, 0) ** 2).sum(), zero, np.zeros(1)),
        gradcheck(lambda x: np.round(x, 3).sum(), x, np.zeros(4)),
        gradcheck(in_float32, x, 2 * x),
    ]
    return tuple(map(in_one_word, reports))


ex.guess("kink-one-slope", {"a": "wrong"}, SECOND).says("""
    (a) On the kink of $|x|$ the slopes of both sides are −1 and 1. 0.3 lies between
    them.
""")
ex.guess("kink-unseen", {"a": "right"}, SECOND).says("""
    (a) It passes, but the report says more: no single slope is right there.
""")
ex.guess("kink-noise", {"a": "cannot say"}, SECOND).says("""
    (a) Nothing is noisy here; smaller steps show clearly that the slope jumps.
""")
ex.guess("near-is-kink", {"b": "kink"}, SECOND).says("""
    (b) The point lies *beside* the kink. There is one slope, and smaller steps no
    longer reach over.
""")
ex.guess("near-right", {"b": "right"}, SECOND).says("""
    (b) To the right of 0 the slope of $|x|$ is 1, however near.
""")
ex.guess("near-unknown", {"b": "cannot say"}, SECOND).says("""
    (b) The usual step would reach over the kink, but a smaller one does not, and
    nothing is noisy.
""")
ex.guess("square-is-kink", {"c": "kink"}, SECOND).says("""
    (c) The gate closes at 0, but its square leaves 0 with the slope 0. Left and right
    slope agree.
""")
ex.guess("square-wrong", {"c": "wrong"}, SECOND).says("""
    (c) The measured slope is not quite 0: it is about half a step. Smaller steps bring
    it to 0.
""")
ex.guess("square-unknown", {"c": "cannot say"}, COMPARE).says("""
    (c) The value is 1, and its rounding is far smaller than what would be a wrong
    slope.
""")
ex.guess("steps-wrong", {"d": "wrong"}, UNSEEN).says("""
    (d) Rounded to three digits, the function is a staircase, and between two steps it
    is flat. Which slope is measured there?
""")
ex.guess("steps-kink", {"d": "kink"}, UNSEEN).says("""
    (d) The jumps are 0.001 apart, and the checker's steps are far smaller. A random
    point lies between them.
""")
ex.guess("steps-unknown", {"d": "cannot say"}, UNSEEN).says("""
    (d) Between two jumps the function does not change at all. That is the opposite of
    noise.
""")
ex.guess("float32-right", {"e": "right"}, SINGLE).says("""
    (e) The gradient is right. But what can be measured of a function with seven digits?
""")
ex.guess("float32-wrong", {"e": "wrong"}, CHECKER).says("""
    (e) The measured slopes differ from the right gradient, and the checker knows why:
    it does not call that wrong.
""")
ex.guess("float32-kink", {"e": "kink"}, CHECKER).says("""
    (e) A square has no kink. Its values have seven digits here.
""")
