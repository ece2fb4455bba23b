"""04.1 · Five points"""

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
        "like $h^4$. It meets $\\text{eps}/h$ at $h = \\text{eps}^{1/5} \\approx 7 \\cdot "
        "10^{-4}$, with an error near $\\text{eps}^{4/5} \\approx 3 \\cdot 10^{-13}$."
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
def five_point_inputs(rng):
    functions = (np.exp, np.sin, wave, decay, np.log)
    points = zip(functions, (1.0, 0.7, -0.4, 1.3, 2.5), strict=True)
    return [(f, x, 0.1 * (k + 1)) for k, (f, x) in enumerate(points)]


def weighed(inner, outer, reach=2, divisor=12):
    """A rule of the same form with other numbers in it."""

    def rule(f, x, h):
        near, far = f(x + h) - f(x - h), f(x + reach * h) - f(x - reach * h)
        return (inner * near + outer * far) / (divisor * h)

    return rule


ex.mistake("central", SLOPE, code=weighed(1, 0, divisor=2)).says("""
    This is the central difference, with two points. The other two, $2h$ away, are to
    cancel the term with $h^2$.
""")


@ex.wrong(SLOPE)
def forward(f, x, h):
    """This is the forward difference. The five-point rule looks to both sides, near and
    far.
    """
    return (f(x + h) - f(x)) / h


ex.mistake("outer-sign", SLOPE, code=weighed(8, 1)).says("""
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

ex.mistake("far-missing", SLOPE, code=weighed(8, 0)).says("""
    The far pair is missing; only its weight has been left in the 12.
""")

ex.mistake("backward", SLOPE, code=lambda f, x, h: (f(x) - f(x - h)) / h).says("""
    This is a difference to one side. The five-point rule looks to both sides, near and
    far.
""")

ex.mistake("value", SLOPE, code=lambda f, x, h: f(x)).says("""
    This is the value of the function. The question is for its slope.
""")

ex.mistake("far-alone", SLOPE, code=weighed(0, 1, divisor=4)).says("""
    This is the central difference with a step of $2h$. Its error is four times as
    large; the near pair is missing.
""")


@ex.wrong(SLOPE)
def one_side(f, x, h):
    """All points lie to the right of `x`. Only if both sides are used, the even terms
    cancel.
    """
    return (8 * (f(x + h) - f(x)) - (f(x + 2 * h) - f(x))) / (12 * h)


ex.slip("h-missing", {"(12 * h)": "12"}, SLOPE).says("""
    The division by `h` is missing: this is a difference, not a slope.
""")

ex.slip("eight-for-all", {"(8 *": "8 * ("}, SLOPE).says("""
    The 8 belongs to the near points alone.
""")

ex.mistake("eight-missing", SLOPE, code=weighed(1, -1)).says("""
    Near and far points have the same weight here. The near ones have to count more, or
    even the slope itself does not come out.
""")

ex.mistake("exchanged", SLOPE, code=weighed(-1, 8)).says("""
    The weights are exchanged: the *near* points count eight times.
""")

ex.mistake("too-near", SLOPE, code=weighed(8, -1, reach=0.5)).says("""
    The far points are at half a step. They have to be at two steps, outside of the near
    ones.
""")

ex.mistake("too-far", SLOPE, code=weighed(8, -1, reach=3)).says("""
    The far points are at three steps. The weights fit two.
""")

ex.slip("times-h", {"(12 * h)": "12 * h"}, SLOPE).says("""
    Python reads `/ 12 * h` from the left: it divides by 12 and *multiplies* by `h`.
    Brackets are missing.
""")


@ex.wrong(SLOPE)
def brackets(f, x, h):
    """Only the last term is divided. Brackets around the sum are missing."""
    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return 8 * near - far / (12 * h)


ex.mistake("twelve-missing", SLOPE, code=weighed(8, -1, divisor=1)).says("""
    The 12 is missing. For $f(x) = x$ the numerator is $12h$, and the slope has to be 1.
""")


@ex.wrong(SLOPE)
def wrong_mixture(f, x, h):
    """Two central differences are mixed, the coarse one with the greater weight. Whose
    error is four times the other's?
    """
    one, two = weighed(1, 0, divisor=2), weighed(0, 1, divisor=4)
    return (4 * two(f, x, h) - one(f, x, h)) / 3


ex.mistake("four-for-eight", SLOPE, code=weighed(4, -1, divisor=4)).says("""
    A line gets its right slope, but the term with $h^3$ is still there. At twice the
    distance it is not four times as large, but eight.
""")

ex.mistake("undivided", SLOPE, code=weighed(4, -1, divisor=3)).says("""
    Weights 4 and −1 over 3 are right for two *slopes*, which are differences divided by
    $2h$ and by $4h$. These divisors are missing.
""")
