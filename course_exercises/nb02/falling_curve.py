"""02.3 · Find the bugs: a curve that looks fine."""

from course_exercises.judge import Exercise

from . import shared
from .shared import BACKWARD, NO_ARRAY, SATURATED

ex = Exercise(
    "02.3",
    "Find the bugs: a curve that looks fine",
    gradient=True,
    outputs=("dW", "dV"),
    n=shared.one_example,
    absent={"broadcast": NO_ARRAY},
    hints=(
        "Compare each line with the formulas of the seven steps; and nudge: `h1` and "
        "`w12` on the notebook's own numbers tell different stories.",
        "All of `dV` is wrong by one and the same factor. What is the price of $(y - "
        "t)^2$?",
        "In the line of `dh`, read the indices aloud: `V[i][j]` leads from hidden "
        "unit i to output j. Which of the two is summed over?",
    ),
    explanation=(
        "The 2 of the square is missing in `dy`, and `V[j][i]` takes the weight of "
        "another edge. The first halves the learning rate. The second spoils `dW` "
        "alone, and no test would notice it for a symmetric V. The loss falls all the "
        "same, since here V does nearly all the work: a falling curve is no check of a "
        "gradient. A nudge is."
    ),
)


@ex.answer
def mended_backward(x, t, h, y, V):
    dy = [2 * (y[j] - t[j]) for j in (0, 1)]
    dy_in = [dy[j] * y[j] * (1 - y[j]) for j in (0, 1)]
    dV = [[h[i] * dy_in[j] for j in (0, 1)] for i in (0, 1)]
    dh = [sum(V[i][j] * dy_in[j] for j in (0, 1)) for i in (0, 1)]
    dh_in = [dh[i] * h[i] * (1 - h[i]) for i in (0, 1)]
    dW = [[x[i] * dh_in[j] for j in (0, 1)] for i in (0, 1)]
    return dW, dV


ex.given(shared.numbers)


ex.slip("half", {"2 * ": ""}, BACKWARD).says("""
    Every number is half the right one. Training shows this only as a smaller learning
    rate. What is the price of a square?
""")
ex.slip("as-shown", {"2 * ": "", "V[i][j]": "V[j][i]"}, BACKWARD).says("""
    There are still two mistakes in it: a factor in every number, and one more on the
    way to `dW`.
""")

shared.way_back(ex)

SLOPE_OF_OUTPUTS = {"h[i] * (1 - h[i])": "y[i] * (1 - y[i])"}
ex.slip("slope-of-outputs", SLOPE_OF_OUTPUTS, SATURATED).says("""
    The slope of the hidden units is computed with `y`. Each σ has its slope at its own
    output.
""")

OTHER_INPUTS = {"h[i] * dy": "x[i] * dy", "x[i] * dh": "h[i] * dh"}
ex.slip("other-inputs", OTHER_INPUTS, BACKWARD).says("""
    The price is multiplied by the values of the wrong layer. `x` comes into W, `h`
    comes into V.
""")
