"""06.1 · A rectifier with a round corner."""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
ACTIVATIONS = "06_layers_and_losses#Activations"

ex = Exercise(
    "06.1",
    "A rectifier with a round corner",
    gradient=True,
    absent={"assigned": "each entry is used once", "broadcast": "nothing is broadcast"},
    hints=(
        "Two links of a chain: the logarithm, and what stands inside it. What is the "
        "derivative of each?",
        r"$\frac{d}{dx}\log(1+e^x) = \frac{e^x}{1+e^x}$. You have met this function; "
        "and its second form does not overflow where this one does.",
        r"Divide above and below by $e^x$: it is $\sigma(x)$. The package has it, "
        "safe at both ends. The vjp multiplies, entry by entry.",
    ),
    explanation=(
        r"$\frac{d}{dx}\log(1+e^x) = \frac{e^x}{1+e^x} = \sigma(x)$: the slope of the "
        "round rectifier is a gate that opens gradually. Written as it stands it gives "
        "infinity over infinity at $x = 1000$; `F.sigmoid` does not."
    ),
)


@ex.answer
def softplus_vjp(grad_out, x):
    return grad_out * F.sigmoid(x)


@ex.given
def inputs(rng):
    shapes = (2, 3), (5, 4), (3, 3), (1, 4), (7,)
    pairs = [(rng.normal(size=s), rng.normal(size=s)) for s in shapes]
    far = np.array([[-1000.0, -40.0, 0.5], [-0.5, 40.0, 1000.0]])
    return [*pairs, (rng.normal(size=far.shape), far)]


ex.slip("sigmoid-twice", {"(x": "(F.sigmoid(x)"}, ACTIVATIONS).says("""
    The sigmoid is taken twice. Its argument is the input itself.
""")
ex.slip("activation-missing", {" * F.sigmoid(x)": ""})

ex.slip("at-output", {"(x": "(np.logaddexp(0, x)"}, ACTIVATIONS).says(r"""
    The derivative is taken at the output, $y = \log(1+e^x)$. Your formula is one in
    terms of the input `x`.
""")

OVERFLOWS = {"F.sigmoid(x": "np.exp(x) / (1 + np.exp(x)"}
ex.slip("overflows", OVERFLOWS, ACTIVATIONS).says("""
    The formula is right on paper, and gives `nan` where $e^x$ overflows: infinity
    divided by infinity. Which form of it needs only $e^{-|x|}$?
""")
ex.slip("one-derivative-too-many", {"(x": "_vjp(1, F.sigmoid(x)"}, ACTIVATIONS).says("""
    This is the slope of the sigmoid: one derivative too many. Begin with the softplus
    itself.
""")
ex.slip("sigmoid-rule", {"F.sigmoid(x)": "x * (1 - x)"}, ACTIVATIONS).says("""
    This is $x(1-x)$, the rule of the sigmoid with `x` for its output. Softplus has a
    derivative of its own: differentiate the logarithm.
""")
ex.slip("output-formula", {"F.sigmoid(x)": "(1 - np.exp(-x))"}, ACTIVATIONS).says("""
    $1 - e^{-y}$ is a slope in terms of the *output*. It is given the input, `x`.
""")
ex.slip("inner-alone", {"F.sigmoid(x)": "np.exp(x)"}, CHAIN).says("""
    $e^x$ is the slope of what stands inside of the logarithm. The logarithm has a slope
    of its own: one over what it is given.
""")
ex.slip("outer-alone", {"F.sigmoid(x)": "np.exp(-x)"}, CHAIN).says("""
    $e^{-x}$ is one over the exponential alone. Inside of the logarithm stands a sum.
""")
ex.slip("tanh", {"F.sigmoid": "np.tanh"}, ACTIVATIONS).says("""
    tanh runs from −1 to 1. Softplus never falls, so its slope is never negative.
""")
EXCHANGED = {"grad_out * F.sigmoid(x)": "x * F.sigmoid(grad_out)"}
ex.slip("exchanged", EXCHANGED, CHAIN).says("""
    The two arguments are exchanged: the slope is taken at `x`, and multiplied by
    `grad_out`.
""")
ex.slip("incoming-inside", {"grad_out * ": "", "(x)": "(grad_out * x)"}, CHAIN).says("""
    `grad_out` stands inside of the function. It multiplies the slope, and the slope is
    taken at `x`.
""")
ex.slip("absolute", {"(x)": "(abs(x))"}, ACTIVATIONS).says("""
    It is the same at $x$ and $-x$. The slope rises from 0 to 1: below 0 the second form
    of the fraction has another numerator.
""")

MIRROR = {"grad_out * F.sigmoid(x)": "-grad_out * F.sigmoid(-x)"}
ex.slip("of-minus-x", MIRROR, ACTIVATIONS).says(r"""
    This is the slope of $\log(1 + e^{-x})$, the same curve from the other side.
""")
ex.slip("matrix-product", {"* F.sigmoid(x)": "@ F.sigmoid(x).T"}, ACTIVATIONS).says("""
    This is a matrix product. Softplus works on every entry alone, and so does its vjp.
""")
ex.slip("gate", {"F.sigmoid(x": "(x > 0"}, ACTIVATIONS).says("""
    This is the gate of the rectifier, open or closed. Softplus has a round corner: near
    0 the gate is half open.
""")
ex.slip("mirrored", {"sigmoid(": "sigmoid(-"}, ACTIVATIONS).says("""
    This slope falls from 1 to 0; that of softplus rises from 0 to 1. Is a sign in the
    exponent wrong, or the derivative of $1 + e^x$ left out?
""")
ex.slip("forward", {"F.sigmoid(": "np.logaddexp(0, "}, ACTIVATIONS).says("""
    Here `grad_out` is multiplied by the function itself, where its derivative belongs.
""")
