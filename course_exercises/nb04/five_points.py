"""04.1 · Five points."""

import numpy as np

from course_exercises.judge import Exercise

SLOPE = "04_gradient_checking#How far can we trust a slope?"

ex = Exercise(
    "04.1",
    "Five points",
    hints=(
        "Write Taylor's formula for the near pair, $f(x+h) - f(x-h)$: a term with "
        "$h$, one with $h^3$. What does the far pair give, with $2h$ for $h$?",
        "In the far pair, the term with $h$ is twice as large, and that with $h^3$ "
        "eight times. How many near pairs cancel it?",
        "Eight near pairs minus one far pair leave $16hf' - 4hf'$. Divide by what "
        "stands before $f'$, and mind the brackets.",
    ),
    explanation=(
        "Eight near pairs minus one far pair: $12 h f'$, and the terms with $h^3$ "
        "cancel. The first one left is $h^5$, so after the division the error falls "
        r"like $h^4$. It meets $\text{eps}/h$ at $h = \text{eps}^{1/5} \approx 7 \cdot "
        r"10^{-4}$, with an error near $\text{eps}^{4/5} \approx 3 \cdot 10^{-13}$."
    ),
)


@ex.answer
def five_point(f, x, h):
    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return (8 * near - far) / (12 * h)


def wave(x):
    return np.sin(2 * x) + x**2


def decay(x):
    return x * np.exp(-x)


@ex.given
def inputs(rng):
    functions = (np.exp, np.sin, wave, decay, np.log)
    points = zip(functions, (1.0, 0.7, -0.4, 1.3, 2.5), strict=True)
    return [(f, x, 0.1 * (k + 1)) for k, (f, x) in enumerate(points)]


RULE = "(8 * near - far) / (12 * h)"

ex.slip("central", {RULE: "near / (2 * h)"}, SLOPE).says("""
    This is the central difference, with two points. The other two, $2h$ away, are to
    cancel the term with $h^2$.
""")
ex.slip("forward", {RULE: "(f(x + h) - f(x)) / h"}, SLOPE).says("""
    This is the forward difference. The five-point rule looks to both sides, near and
    far.
""")
ex.slip("outer-sign", {"- far": "+ far"}, SLOPE).says("""
    The far points are added. The near ones overestimate a term, and the far ones are
    there to take it away.
""")
ex.slip("sums", {"+ h) -": "+ h) +", "* h) -": "* h) +"}, SLOPE).says("""
    The two sides are added. A slope is about how much they *differ*.
""")
ex.slip("far-sum", {"* h) -": "* h) +"}, SLOPE).says("""
    The two far points are added to each other. As with the near pair, one is subtracted
    from the other.
""")
ex.slip("far-missing", {" - far": ""}, SLOPE).says("""
    The far pair is missing; only its weight has been left in the 12.
""")
ex.slip("backward", {RULE: "(f(x) - f(x - h)) / h"}, SLOPE).says("""
    This is a difference to one side. The five-point rule looks to both sides, near and
    far.
""")
ex.slip("value", {RULE: "f(x)"}, SLOPE).says("""
    This is the value of the function. The question is for its slope.
""")
ex.slip("far-alone", {RULE: "far / (4 * h)"}, SLOPE).says("""
    This is the central difference with a step of $2h$. Its error is four times as
    large; the near pair is missing.
""")
ex.slip("one-side", {"f(x - h)": "f(x)", "f(x - 2 * h)": "f(x)"}, SLOPE).says("""
    All points lie to the right of `x`. Only if both sides are used, the even terms
    cancel.
""")
ex.slip("h-missing", {"(12 * h)": "12"}, SLOPE).says("""
    The division by `h` is missing: this is a difference, not a slope.
""")
ex.slip("eight-for-all", {"(8 *": "8 * ("}, SLOPE).says("""
    The 8 belongs to the near points alone.
""")
ex.slip("eight-missing", {"8 * ": ""}, SLOPE).says("""
    Near and far points have the same weight here. The near ones have to count more, or
    even the slope itself does not come out.
""")
ex.slip("exchanged", {"8 * near - far": "near - 8 * far"}, SLOPE).says("""
    The weights are exchanged: the *near* points count eight times.
""")

STEP_SQUARED = {"x + 2 * h": "x + h**2", "x - 2 * h": "x - h**2"}
SAME = {"x + 2 * h": "x + h", "x - 2 * h": "x - h"}
ex.slip("far-is-near", SAME, SLOPE).says("""
    Near and far points are the same. The far ones are at $2h$.
""")
ex.slip("near-one-sided", {"f(x + h) - f(x - h)": "f(x + h) - f(x)"}, SLOPE).says("""
    The near difference begins at `x` itself. It goes from one side to the other.
""")
ex.slip("sixteen-for-eight", {"8": "16", "12": "28"}, SLOPE).says("""
    16 is the factor of the *fourth* power. In a difference stands $h^3$: at twice the
    distance it is eight times as large.
""")
ex.slip("by-h-squared", {"12 * h": "12 * h**2"}, SLOPE).says("""
    It is divided by $h^2$. A slope is a difference over a distance, not over its
    square.
""")

SECOND = {
    "(8 * near - far) / (12 * h)": "(16 * near - far) / (12 * h**2)",
    "+ h) -": "+ h) - 2 * f(x) +",
    "2 * h) -": "2 * h) - 2 * f(x) +",
}
ex.slip("second-derivative", SECOND, SLOPE).says("""
    This is the rule for the *second* derivative. For a slope the two sides are
    subtracted.
""")
ex.slip("six-for-twelve", {"12": "6"}, SLOPE).says("""
    It is divided by half of what it should be. For $f(x) = x$ the numerator is $12h$,
    and the slope has to be 1.
""")
ex.slip("too-near", {"+ 2 *": "+ 0.5 *", "- 2 *": "- 0.5 *"}, SLOPE).says("""
    The far points are at half a step. They have to be at two steps, outside of the near
    ones.
""")
ex.slip("too-far", {"+ 2 *": "+ 3 *", "- 2 *": "- 3 *"}, SLOPE).says("""
    The far points are at three steps. The weights fit two.
""")
ex.slip("times-h", {"(12 * h)": "12 * h"}, SLOPE).says("""
    Python reads `/ 12 * h` from the left: it divides by 12 and *multiplies* by `h`.
    Brackets are missing.
""")
ex.slip("brackets", {"(8 * near - far)": "8 * near - far"}, SLOPE).says("""
    Only the last term is divided. Brackets around the sum are missing.
""")
ex.slip("twelve-missing", {"12 * ": ""}, SLOPE).says("""
    The 12 is missing. For $f(x) = x$ the numerator is $12h$, and the slope has to be 1.
""")

WRONG_MIXTURE = {RULE: "(4 * far / (4 * h) - near / (2 * h)) / 3"}
ex.slip("averaged", {RULE: "(near / (2 * h) + far / (4 * h)) / 2"}, SLOPE).says("""
    The two central differences are averaged, so their errors are as well. They have to
    cancel.
""")
ex.slip("wrong-mixture", WRONG_MIXTURE, SLOPE).says("""
    Two central differences are mixed, the coarse one with the greater weight. Whose
    error is four times the other's?
""")
ex.slip("four-for-eight", {"8": "4", "12": "4"}, SLOPE).says("""
    A line gets its right slope, but the term with $h^3$ is still there. At twice the
    distance it is not four times as large, but eight.
""")
ex.slip("undivided", {"8": "4", "12": "3"}, SLOPE).says("""
    Weights 4 and −1 over 3 are right for two *slopes*, which are differences divided by
    $2h$ and by $4h$. These divisors are missing.
""")
