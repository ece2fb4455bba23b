"""03.1 · The rule of the sine."""

import math

from course_exercises.judge import Exercise

RULES = "03_tape_engine#The local rules"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"

ex = Exercise(
    "03.1",
    "The rule of the sine",
    gradient=True,
    absent={
        "assigned": "each input is used once",
        "broadcast": "these are plain numbers, and nothing is broadcast",
    },
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


# --- wrong ones: the slope

ex.slip("activation-missing", {" * math.cos(x)": ""}, RULES).says("""
    The gradient comes back as it arrived, as if the sine were not there. A rule
    multiplies it by the slope of the operation.
""")
ex.slip("at-output", {"(x": "(math.sin(x)"}, RULES).says(r"""
    The slope is taken at the output, $\sin x$. This rule gets the input, and needs it
    there.
""")
ex.slip("function-again", {"cos": "sin"}, RULES).says("""
    This is the sine itself once more, times what arrived. The way back needs its slope.
""")
ex.slip("sign-lost", {"math.cos(x)": "math.sqrt(1 - math.sin(x) ** 2)"}, RULES).says("""
    A root is never negative, but the sine falls as often as it rises. The output alone
    does not tell which of the two it does here.
""")
ex.slip("rule-of-tanh", {"math.cos(x)": "(1 - math.sin(x) ** 2)"}, RULES).says("""
    $1 - y^2$ is the rule of tanh. The sine has another slope, though its square looks
    like this.
""")

ex.slip("root-of-input", {"math.cos(x)": "abs(1 - x**2) ** 0.5"}, RULES).says("""
    Under the root stands the input, as if it were the output. The slope of the sine is
    a function of the angle.
""")
for turn in ("radians", "degrees"):
    ex.slip(turn, {"(x": f"(math.{turn}(x)"}, RULES).says("""
        The angle is converted, but `math.sin` takes radians, and so does its slope.
    """)
ex.slip("slope-of-cosine", {"math.cos(x)": "-math.sin(x)"}, RULES).says("""
    This is the slope of the *cosine*.
""")

OTHERS = "math.tan(x)", "1 / math.cos(x)", "math.cosh(x)", "(1 - math.sin(x))"
for k, other in enumerate(OTHERS):
    ex.slip(f"another-function-{k}", {"math.cos(x)": other}, RULES).says("""
        This is no slope of the sine. Draw its curve: how steep is it at 0, at its top,
        and behind it?
    """)
ex.slip("sign", {"return": "return -"}, RULES).says("""
    The sign is reversed. At 0 the sine rises, so its slope there is 1, not −1.
""")

# --- what it is multiplied with, and what comes back

ex.slip("times-input", {"(x)": "(x) * x"}, CHAIN).says("""
    There is a factor `x` too much. An inner derivative belongs to the operation that
    computed `x`, which has its own rule.
""")
ex.slip(
    "incoming-inside", {"grad_out * math.cos(": "math.cos(grad_out * "}, CHAIN
).says("""
    What arrived is multiplied with `x`, inside of the slope. The slope is taken at `x`,
    and then multiplied by what arrived.
""")
ex.slip(
    "incoming-divided", {"grad_out * math.cos(x)": "math.cos(x) / grad_out"}, CHAIN
).says("""
    It divides by the gradient that arrives. Prices along a path multiply.
""")
ex.slip(
    "incoming-subtracted", {"grad_out * math.cos(x)": "math.cos(x) - grad_out"}, CHAIN
).says("""
    What arrived is subtracted, where the chain rule multiplies.
""")
ex.slip("incoming-ignored", {"grad_out * ": ""}, CHAIN)
ex.slip("exchanged", {"grad_out *": "x *", "(x": "(grad_out"}, RULES).says("""
    The two arguments are exchanged: the slope belongs to `x`, and is multiplied by
    `grad_out`.
""")
ex.slip("returns-input", {"grad_out * math.cos(x)": "x"}, RULES).says("""
    `x` comes back as it is. What has to be computed of it, and of what arrived, is
    missing.
""")
ex.slip("a-tuple", {"return": "return (", "(x)": "(x),)"}, RULES).says("""
    The number is right, but it stands in a tuple. The table of operations wants one;
    here `sin_vjp` is to return the number itself, as `exp_vjp` does.
""")
