"""04.2 · A soft rectifier."""

import numpy as np

from course_exercises.judge import Exercise

SECOND = "04_gradient_checking#The second look"
SINGLE = "04_gradient_checking#The case of the missing six per cent"
MANY = "04_gradient_checking#A million parameters"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
RULES = "03_tape_engine#The local rules"

ex = Exercise(
    "04.2",
    "A soft rectifier",
    gradient=True,
    entrywise=True,  # the task asks for a slope of 4e-18
    absent={
        "assigned": "each entry is used once",
        "broadcast": "nothing is broadcast, all arrays have one shape",
    },
    hints=(
        "Two functions in a row: $1 + e^x$, then the logarithm. The slope of the "
        "whole is a fraction. Which function of 02 is that?",
        "The slope is $e^x/(1 + e^x)$. Divide above and below by $e^x$: which "
        "exponential remains, and where is it harmless?",
        r"It is $\sigma(x) = 1/(1 + e^{-x})$, times what arrived. At $-800$ NumPy "
        "warns of an overflow, and one over infinity is 0, which is right.",
    ),
    explanation=(
        r"The slope of $\log(1 + e^x)$ is $e^x/(1 + e^x) = \sigma(x)$, which is "
        r"$e^{-\text{softplus}(-x)}$: in this form nothing overflows and nothing "
        r"cancels. With $1 - \sigma(-x)$, or $(1 + \tanh(x/2))/2$, the slope at $-40$ "
        r"is 0 and not $4 \cdot 10^{-18}$: a relative error of 100 %, in a slope that "
        "hardly matters."
    ),
)


@ex.answer
def softplus_vjp(grad_out, x):
    return grad_out * np.exp(-np.logaddexp(0, -x))  # σ(x): no overflow, no 1 − σ


@ex.given
def inputs(rng):
    shapes = (2, 3), (5, 4), (3, 3), (1, 4), (6,)
    pairs = [(rng.normal(size=s), rng.normal(size=s) * 2) for s in shapes]
    pairs[1][1][0, 0], pairs[2][1][1, 2] = 40.0, -40.0
    pairs[4][1][2:4] = 800.0, -800.0
    return pairs


def sigma(x):
    return (1 + np.tanh(x / 2)) / 2


SIGMA = "np.exp(-np.logaddexp(0, -x))"  # in the right answer

ex.slip("activation-missing", {SIGMA: "1.0"}, RULES).says("""
    What arrived goes through unchanged, as if softplus had the slope 1 everywhere. It
    has it far on the right only.
""")
ex.slip("at-output", {SIGMA: "sigma(np.logaddexp(0, x))"}, RULES).says("""
    The slope is taken at the output, softplus(x). It belongs to the input, `x`.
""")
ex.slip("sigmoid-slope", {SIGMA: "sigma(x) * sigma(-x)"}, RULES).says("""
    That is the slope of the sigmoid. Here the sigmoid is itself a slope: one derivative
    too many.
""")
ex.slip("other-side", {SIGMA: "sigma(-x)"}, RULES).says("""
    It falls where it should rise: this is the slope at $-x$. For large $x$ softplus is
    nearly $x$; which slope is that?
""")
ex.slip("overflow", {SIGMA: "np.exp(x) / (1 + np.exp(x))"}, RULES).says("""
    Right for most `x`, but at 800 the exponential overflows, and infinity over infinity
    is not a number. Write the fraction so that no large exponential stands above and
    below.
""")

ex.slip("cancels", {SIGMA: "sigma(x)"}, SINGLE).says("""
    At $-40$ it gives 0. There a number that rounds to 1 is taken from 1, or one that
    rounds to −1 is added to it, and nothing is left: write it without that difference.
""")
ex.slip("absolute", {SIGMA: "sigma(abs(x))"}, RULES).says("""
    It is the same at $x$ and $-x$. The slope rises from 0 to 1: below 0 the second form
    of the fraction has another numerator.
""")

MIRROR = {f"grad_out * {SIGMA}": "-grad_out * sigma(-x)"}
ex.slip("of-minus-x", MIRROR, RULES).says(r"""
    This is the slope of $\log(1 + e^{-x})$, the same curve from the other side.
""")
ex.slip("output-formula", {SIGMA: "(1 - np.exp(-x))"}, RULES).says("""
    $1 - e^{-y}$ is a slope in terms of the *output*. It is given the input, `x`.
""")

INCOMING_INSIDE = {f"grad_out * {SIGMA}": "sigma(grad_out * x)"}
ex.slip("incoming-inside", INCOMING_INSIDE, CHAIN).says("""
    What arrived stands inside of the function. It multiplies the slope, and the slope
    is taken at `x`.
""")
ex.slip("inner-alone", {SIGMA: "np.exp(x)"}, CHAIN).says("""
    This is the slope of what stands inside of the logarithm. The logarithm has a slope
    too: one over its input.
""")
ex.slip("rule-of-relu", {SIGMA: "(x > 0)"}, SECOND).says("""
    This is the gate of ReLU. Softplus has no kink: its slope passes from 0 to 1
    smoothly.
""")
ex.slip("rule-of-tanh", {SIGMA: "(1 - np.tanh(x) ** 2)"}, RULES).says("""
    This is the rule of tanh.
""")
ex.slip("exchanged", {f"grad_out * {SIGMA}": "sigma(grad_out) * x"}, RULES).says("""
    The two arguments are exchanged: the slope belongs to `x`, and is multiplied by
    `grad_out`.
""")
ex.slip("sigmoid-twice", {SIGMA: "sigma(sigma(x))"}, RULES).says("""
    The sigmoid is taken twice. Its argument is the input itself.
""")
ex.slip("incoming-subtracted", {f"* {SIGMA}": "- sigma(x)"}, CHAIN).says("""
    What arrived is added or subtracted, where the chain rule multiplies.
""")
ex.slip("half-tanh", {SIGMA: "np.tanh(x / 2)"}, RULES).says(r"""
    $\tanh(x/2)$ runs from −1 to 1; the slope of softplus runs from 0 to 1. Shift it and
    scale it.
""")
ex.slip("matrix-product", {f"* {SIGMA}": "@ sigma(x).T"}, RULES).says("""
    This is a matrix product. Softplus works on every entry alone, so does its vjp:
    entry times entry.
""")
ex.slip("tanh", {SIGMA: "np.tanh(x)"}, RULES).says("""
    tanh runs from −1 to 1. Softplus never falls, so its slope is never negative.
""")
ex.slip("function-again", {SIGMA: "np.logaddexp(0, x)"}, RULES).says("""
    This is softplus itself, times what arrived. The way back needs its slope.
""")

ex.slip("incoming-ignored", {f"grad_out * {SIGMA}": "sigma(x)"}, MANY)
