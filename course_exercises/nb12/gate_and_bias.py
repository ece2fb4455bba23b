"""12.2 · One loop for bias and gate."""

from functools import partial

from course_exercises.judge import Exercise
from course_utils import functional as F

FUSED = "12_compiled_tape#One loop instead of many"
GATE = "06_layers_and_losses#Activations"

ex = Exercise(
    "12.2",
    "One loop for bias and gate",
    outputs=("grad_z", "grad_b"),
    hints=(
        "Two rules, one after the other: that of the gate, and that of a sum in which "
        "one row was copied.",
        "The gate is open where $z > 0$. What comes through is the gradient by $z$; "
        "the bias gets the sum of *it* over the batch.",
        "`grad_z = grad_out * (z > 0)`, and `grad_z` summed over axis 0. In a loop: "
        "the same number goes into its place and into the sum.",
    ),
    explanation=(
        "$\\partial L/\\partial z = G \\cdot [z > 0]$, and $b$ was added to every row "
        "of $z$: its gradient is the sum of the rows of $\\partial L/\\partial z$. A "
        "fused loop has the number in hand when it is needed for the sum."
    ),
)


@ex.answer
def gate_and_bias(grad_out, z):
    grad_z = grad_out * (z > 0)
    return grad_z, grad_z.sum(axis=0)


@ex.given
def inputs(rng):
    shapes = (5, 3), (4, 6), (1, 4), (3, 3), (7, 2)
    return [(rng.normal(size=s), rng.normal(size=s)) for s in shapes]


@ex.right
def in_one_loop(grad_out, z):
    grad_z = [[0.0] * z.shape[1] for _ in range(len(z))]
    grad_b = [0.0] * z.shape[1]
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            grad_z[i][j] = F.relu_vjp(grad_out[i, j], z[i, j])
            grad_b[j] += grad_z[i][j]
    return grad_z, grad_b


slip = partial(ex.slip, where=FUSED)

slip("bias-before-the-gate", {"grad_z.sum": "grad_out.sum"}).says("""
    The bias gets what arrived *before* the gate. It stands inside of the rectifier, so
    what a shut gate holds back does not reach it.
""")
slip("gate-missing", {" * (z > 0)": ""}).says("""
    The gate is missing: where $z$ is negative, the rectifier gives 0, whatever $z$ is.
""")
slip("gate-turned", {"z > 0": "z < 0"}).says("""
    The gate is open where it should be shut.
""")
slip("value-for-gate", {"(z > 0)": "F.relu(z)"}).says("""
    The gradient is multiplied by the value of the rectifier. Its slope is 1 or 0.
""")
slip("input-for-gate", {"(z > 0)": "z"}).says("""
    The gradient is multiplied by $z$. The slope of the rectifier is 1 or 0.
""")
slip("slope-alone", {"grad_out * (z > 0)": "(z > 0) * 1.0"}).says("""
    This is the slope of the rectifier alone. The gradient that arrives, `grad_out`, has
    to be multiplied by it.
""")
slip("gate-of-the-gradient", {"z > 0": "grad_out > 0"}).says("""
    The gate looks at the sign of the gradient. It was set on the way forward, by the
    sign of $z$.
""")
slip("mean", {".sum": ".mean"}).says("""
    The bias gets a mean over the batch. It was added to each row, and gradients of
    copies *add*; the mean of the loss is in `grad_out` already.
""")
slip("last-row", {"grad_z.sum(axis=0)": "grad_z[-1]"}).says("""
    Only the last row is left: each row has overwritten the one before, `=` for `+=`.
""")
slip("other-axis", {"axis=0": "axis=1"}).says("""
    The sum runs along the rows and has one number for each example. The bias has one
    for each unit.
""")
slip("not-summed", {".sum(axis=0)": ""}).says("""
    The gradient of the bias is not summed over the batch. It has the shape of the bias.
""")
slip("one-number", {"sum(axis=0)": "sum()"}).says("""
    Everything is added up to one number. Each unit has a bias of its own.
""")
slip(
    "exchanged",
    {"return grad_z, grad_z.sum(axis=0)": "return grad_z.sum(axis=0), grad_z"},
)
ex.mistakes[-1].says("""
    The two results are exchanged: first the gradient by $z$, then that by $b$.
""")
slip("bias-on-slope", {"grad_z.sum": "(z > 0).sum"}).says("""
    The bias counts how many gates are open. What comes through them has to be added up.
""")
