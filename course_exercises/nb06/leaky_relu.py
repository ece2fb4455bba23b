"""06.2 · A leak that learns."""

import numpy as np

from course_exercises.judge import Exercise

ACTIVATIONS = "06_layers_and_losses#Activations"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"
BY_INDEX = "05_vectorized_backprop#The rules, by index"
VJP = "05_vectorized_backprop#One form for every rule: the vjp"

ex = Exercise(
    "06.2",
    "A leak that learns",
    gradient=True,
    outputs=("grad_x", "grad_slope"),
    hints=(
        "Take one entry: $y_{nh} = x_{nh}$ above 0, and $y_{nh} = a_h x_{nh}$ below. "
        "Write the two derivatives, for $x_{nh}$ and for $a_h$, on each side.",
        "For $x$: 1 above, $a_h$ below. For $a_h$: 0 above, $x_{nh}$ below. The same "
        "$a_h$ serves every row.",
        "`np.where(x > 0, …, …)` makes the factors for `grad_x`. For `grad_slope` "
        "multiply `grad_out` by `x` where it is negative, by 0 elsewhere, and sum "
        "over the axis that `slope` does not have.",
    ),
    explanation=(
        "Below 0 the entry is a product $a_h x_{nh}$, so each factor gets the other "
        "one times $G_{nh}$; above 0 the slope has no part. The slope was broadcast "
        "over the rows, so its gradient is summed over them. If all slopes were "
        "positive, the sign of the output would tell the sign of the input, and a "
        "layer could remember its output alone. This layer is known as PReLU."
    ),
)


@ex.answer
def leaky_vjp(grad_out, x, slope):
    grad_x = grad_out * np.where(x > 0, 1, slope)
    grad_slope = (grad_out * np.minimum(x, 0)).sum(axis=0)  # (N, H) -> (H,)
    return grad_x, grad_slope


@ex.given
def inputs(rng):
    sizes = (2, 3), (5, 4), (3, 3), (1, 4), (7, 2)
    cases = []
    for N, H in sizes:
        x = rng.normal(size=(N, H))
        x += 0.1 * np.sign(x)  # away from the kink
        x[0] = -np.abs(x[0])  # every column leaks somewhere
        slope = 0.3 * rng.normal(size=H) + 0.1
        slope[0] = -0.4  # the output does not tell the sign of the input
        cases.append((rng.normal(size=(N, H)), x, slope))
    return cases


def leaky(x, slope):
    return np.where(x > 0, x, slope * x)


@ex.right
def by_loops(grad_out, x, slope):
    grad_x, grad_slope = [], [0.0] * len(slope)
    for g_row, x_row in zip(grad_out.tolist(), x.tolist(), strict=True):
        row = []
        for h, (g, value) in enumerate(zip(g_row, x_row, strict=True)):
            row.append(g if value > 0 else g * slope[h])
            grad_slope[h] += 0.0 if value > 0 else g * value
        grad_x.append(row)
    return grad_x, grad_slope


GATE, LEAK = "np.where(x > 0, 1, slope)", "np.minimum(x, 0)"  # as in the right answer

ex.slip("everywhere", {GATE: "slope", LEAK: "x"}, ACTIVATIONS).says("""
    The slope is taken for all inputs, also for those above 0. There the output is `x`
    itself, and the slope has no say.
""")
ex.slip("activation-missing", {f" * {GATE}": "", LEAK: "x"}, ACTIVATIONS).says("""
    The gradient passes as if there were no gate: what is below 0 was multiplied by a
    slope, and what is above was not.
""")

AT_OUTPUT = {"(x >": "(leaky(x, slope) >", LEAK: "x * (leaky(x, slope) <= 0)"}
ex.slip("at-output", AT_OUTPUT, ACTIVATIONS).says("""
    The gate is set by the sign of the *output*. With a negative slope, a negative input
    has a positive output. Only the input tells.
""")
ex.slip("assigned", {".sum(axis=0)": "[-1]"}, BIAS)

ex.slip("broadcast", {".sum(axis=0)": ""}, BIAS)

ex.slip("closed", {"1, slope": "1, 0"}, ACTIVATIONS).says("""
    This is the rectifier's gate, closed below 0. A leaky one lets a share of the
    gradient pass there.
""")
ex.slip("swapped", {"1, slope": "slope, 1", "minimum": "maximum"}, ACTIVATIONS).says("""
    The two sides are exchanged: the slope belongs to the inputs below 0.
""")
ex.slip("of-the-output", {LEAK: "leaky(x, slope)"}, BY_INDEX).says("""
    The gradient of the slope is built from the output. What is one unit more of the
    slope multiplied with in the forward formula, and for which entries?
""")
ex.slip("only-counted", {LEAK: "(x < 0)"}, BY_INDEX).says("""
    The entries below 0 are added up as if each counted the same. A unit more of the
    slope matters more where the input is farther from 0.
""")
ex.slip("all-entries", {LEAK: "x"}, BY_INDEX).says("""
    In `grad_slope` every entry counts, also those above 0. There the output is `x`
    itself, and the slope has no say.
""")
ex.slip("above", {LEAK: "np.maximum(x, 0)"}, BY_INDEX).says("""
    The entries *above* 0 are added up. The slope has a say below 0 only.
""")
ex.slip("slope-again", {LEAK: "(x < 0) * slope"}, BY_INDEX).says("""
    The slope itself stands in its own gradient. In the product $a_h x_{nh}$ the
    derivative for one factor is the *other* one.
""")
ex.slip("one-after-the-other", {"= (grad_out": "= (grad_x"}, VJP).says("""
    `grad_x` was used to find `grad_slope`. Both are inputs of the same operation: each
    gets its gradient from `grad_out`.
""")
ex.slip("forward", {GATE: "leaky(x, slope)"}, ACTIVATIONS).says("""
    `grad_out` is multiplied by the output, where the derivative belongs.
""")

LEAK_OF_THE_VALUE = {GATE: "np.where(x > 0, 1, slope * x)"}
ex.slip("leak-of-the-value", LEAK_OF_THE_VALUE, ACTIVATIONS).says("""
    Below 0 `grad_out` is multiplied by the output, $a_h x_{nh}$. It is the derivative
    for $x$ that belongs there.
""")
ex.slip("one-minus-slope", {"1, slope": "1, 1 - slope"}, ACTIVATIONS).says("""
    Below 0 stands 1 minus the slope. The factor is the slope itself.
""")
ex.slip("slope-negative", {"1, slope": "1, -slope"}, ACTIVATIONS).says("""
    Below 0 the sign is turned round. The input is negative there; its factor is the
    slope as it is.
""")
ex.slip("last-leak", {"+= 0.0": "= grad_slope[h]"}, BIAS, of=by_loops).says("""
    Only the last negative entry of each column is left: every one overwrites the one
    before. They all use the same slope, so they add.
""")
ex.slip("all-summed", {"axis=0": ""}, BIAS).says("""
    All columns are added into one number. Each column has a slope of its own, so only
    what was copied, the rows, is summed.
""")
