"""03.1 · The rule of the sine"""

import math

from course_exercises.judge import Exercise

RULES = "03_tape_engine#The local rules"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
USED_ONCE = "each input is used once"
NUMBERS = "these are plain numbers, and nothing is broadcast"

ex = Exercise(
    "03.1",
    "The rule of the sine",
    gradient=True,
    absent={"assigned": USED_ONCE, "broadcast": NUMBERS},
    hints=(
        "A rule returns what arrived, times the slope of the operation. Which "
        "function is the slope of the sine?",
        "The sine is steepest at 0, flat at $\\pi/2$, and falls after that. Its "
        "slope is 1, then 0, then negative.",
        "$\\sin' x = \\cos x$, at the input. `exp_vjp` shows the form: one line, a "
        "product.",
    ),
    explanation=(
        "$\\sin' x = \\cos x$, so the rule needs the input. From the output $y$ we "
        "would only get $\\cos x = \\pm\\sqrt{1 - y^2}$, and the sign would be lost."
    ),
)


@ex.answer
def sin_vjp(grad_out, x):
    return grad_out * math.cos(x)


@ex.given
def sin_inputs(rng):
    points = (0.7, 1.3), (-1.2, 2.5), (2.5, -0.8), (0.3, 4.0), (1.1, -2.2)
    return [(g, x + rng.normal(scale=0.01)) for g, x in points]


@ex.wrong(RULES)
def activation_missing(grad_out, x):
    """The gradient comes back as it arrived, as if the sine were not there. A rule
    multiplies it by the slope of the operation.
    """
    return grad_out


ex.slip("at-output", {"(x": "(math.sin(x)"}, RULES).says(r"""
    The slope is taken at the output, $\sin x$. This rule gets the input, and needs it
    there.
""")

ex.slip("function-again", {"cos": "sin"}, RULES).says("""
    This is the sine itself once more, times what arrived. The way back needs its slope.
""")


@ex.wrong(RULES)
def sign_lost(grad_out, x):
    """A root is never negative, but the sine falls as often as it rises. The output
    alone does not tell which of the two it does here.
    """
    y = math.sin(x)
    return grad_out * math.sqrt(1 - y * y)


@ex.wrong(RULES)
def rule_of_tanh(grad_out, x):
    """$1 - y^2$ is the rule of tanh. The sine has another slope, though its square
    looks like this.
    """
    y = math.sin(x)
    return grad_out * (1 - y * y)


@ex.wrong(CHAIN)
def incoming_inside(grad_out, x):
    """What arrived is multiplied with `x`, inside of the slope. The slope is taken at
    `x`, and then multiplied by what arrived.
    """
    return math.cos(grad_out * x)


@ex.wrong(CHAIN)
def incoming_divided(grad_out, x):
    """It divides by the gradient that arrives. Prices along a path multiply."""
    return math.cos(x) / grad_out


ex.slip("degrees", {"(x": "(math.radians(x)"}, RULES).says("""
    The angle is turned from degrees into radians, but `math.sin` takes radians from the
    start.
""")

ex.slip("times-input", {"(x)": "(x) * x"}, CHAIN).says("""
    There is a factor `x` too much. An inner derivative belongs to the operation that
    computed `x`, which has its own rule.
""")

ex.slip("returns-input", {"grad_out * math.cos(x)": "x"}, RULES).says("""
    `x` comes back as it is. What has to be computed of it, and of what arrived, is
    missing.
""")


@ex.wrong(RULES)
def exchanged(grad_out, x):
    """The two arguments are exchanged: the slope belongs to `x`, and is multiplied by
    `grad_out`.
    """
    return math.cos(grad_out) * x


@ex.wrong(CHAIN)
def incoming_subtracted(grad_out, x):
    """What arrived is subtracted, where the chain rule multiplies."""
    return math.cos(x) - grad_out


ex.slip("cosine-twice", {"(x": "(math.cos(x)"}, RULES).says("""
    The cosine is taken twice. Its argument is the input itself.
""")

ex.slip("a-tuple", {"return": "return (", "(x)": "(x),)"}, RULES).says("""
    The number is right, but it stands in a tuple. The table of operations wants one;
    here `sin_vjp` is to return the number itself, as `exp_vjp` does.
""")

ex.slip("sign", {"return": "return -"}, RULES).says("""
    The sign is reversed. At 0 the sine rises, so its slope there is 1, not −1.
""")


@ex.wrong(CHAIN)
def incoming_ignored(grad_out, x):
    return math.cos(x)
