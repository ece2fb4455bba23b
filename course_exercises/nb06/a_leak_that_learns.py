"""06.2 · A leak that learns"""

import numpy as np

from course_exercises.judge import Exercise

ACTIVATIONS = "06_layers_and_losses#Activations"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"

ex = Exercise(
    "06.2",
    "A leak that learns",
    gradient=True,
    outputs=("grad_x", "grad_slope"),
    hints=(
        "Take one entry: $y_{nh} = x_{nh}$ above 0, and $y_{nh} = a_h x_{nh}$ "
        "below. Write the two derivatives, for $x_{nh}$ and for $a_h$, on each "
        "side.",
        "For $x$: 1 above, $a_h$ below. For $a_h$: 0 above, $x_{nh}$ below. The "
        "same $a_h$ serves every row.",
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
def leaky_inputs(rng):
    sizes = (2, 3), (5, 4), (3, 3), (1, 4), (7, 2)
    inputs = []
    for N, H in sizes:
        x = rng.normal(size=(N, H))
        x += 0.1 * np.sign(x)  # away from the kink
        x[0] = -np.abs(x[0])  # every column leaks somewhere
        slope = 0.3 * rng.normal(size=H) + 0.1
        slope[0] = -0.4  # the output does not tell the sign of the input
        inputs.append((rng.normal(size=(N, H)), x, slope))
    return inputs


@ex.right
def leaky_by_loops(grad_out, x, slope):
    grad_x, grad_slope = [], [0.0] * len(slope)
    for g_row, x_row in zip(grad_out.tolist(), x.tolist(), strict=True):
        row = []
        for h, (g, value) in enumerate(zip(g_row, x_row, strict=True)):
            row.append(g if value > 0 else g * slope[h])
            grad_slope[h] += 0.0 if value > 0 else g * value
        grad_x.append(row)
    return grad_x, grad_slope


@ex.right
def leaky_in_place(grad_out, x, slope):
    grad_x, rows, columns = grad_out.copy(), *np.nonzero(x < 0)
    grad_x[rows, columns] *= slope[columns]
    grad_slope = np.zeros_like(slope)
    np.add.at(grad_slope, columns, grad_out[rows, columns] * x[rows, columns])
    return grad_x, grad_slope


@ex.wrong(ACTIVATIONS)
def everywhere(grad_out, x, slope):
    """The slope is taken for all inputs, also for those above 0. There the output is
    `x` itself, and the slope has no say.
    """
    return grad_out * slope, (grad_out * x).sum(axis=0)


@ex.wrong(ACTIVATIONS)
def activation_missing(grad_out, x, slope):
    """The gradient passes as if there were no gate: what is below 0 was multiplied by a
    slope, and what is above was not.
    """
    return grad_out, (grad_out * x).sum(axis=0)


@ex.wrong(ACTIVATIONS)
def at_output(grad_out, x, slope):
    """The gate is set by the sign of the *output*. With a negative slope, a negative
    input has a positive output. Only the input tells.
    """
    y = np.where(x > 0, x, slope * x)
    grad_slope = (grad_out * np.where(y > 0, 0, x)).sum(axis=0)
    return grad_out * np.where(y > 0, 1, slope), grad_slope


@ex.wrong(BIAS)
def assigned(grad_out, x, slope):
    for g, row in zip(grad_out, x, strict=True):
        grad_slope = g * np.minimum(row, 0)
    return grad_out * np.where(x > 0, 1, slope), grad_slope


@ex.wrong(BIAS)
def broadcast(grad_out, x, slope):
    return grad_out * np.where(x > 0, 1, slope), grad_out * np.minimum(x, 0)


@ex.wrong(ACTIVATIONS)
def closed(grad_out, x, slope):
    """This is the rectifier's gate, closed below 0. A leaky one lets a share of the
    gradient pass there.
    """
    return grad_out * (x > 0), (grad_out * np.minimum(x, 0)).sum(axis=0)


@ex.wrong(ACTIVATIONS)
def swapped(grad_out, x, slope):
    """The two sides are exchanged: the slope belongs to the inputs below 0."""
    grad_slope = (grad_out * np.maximum(x, 0)).sum(axis=0)
    return grad_out * np.where(x > 0, slope, 1), grad_slope


@ex.wrong("05_vectorized_backprop#The rules, by index")
def of_the_output(grad_out, x, slope):
    """The gradient of the slope is built from the output. What is one unit more of the
    slope multiplied with in the forward formula, and for which entries?
    """
    y = np.where(x > 0, x, slope * x)
    return grad_out * np.where(x > 0, 1, slope), (grad_out * y).sum(axis=0)


@ex.wrong("05_vectorized_backprop#The rules, by index")
def only_counted(grad_out, x, slope):
    """The entries below 0 are added up as if each counted the same. A unit more of the
    slope matters more where the input is farther from 0.
    """
    return grad_out * np.where(x > 0, 1, slope), (grad_out * (x < 0)).sum(axis=0)


@ex.wrong("05_vectorized_backprop#One form for every rule: the vjp")
def one_after_the_other(grad_out, x, slope):
    """`grad_x` was used to find `grad_slope`. Both are inputs of the same operation:
    each gets its gradient from `grad_out`.
    """
    grad_x = grad_out * np.where(x > 0, 1, slope)
    return grad_x, (grad_x * np.minimum(x, 0)).sum(axis=0)


@ex.wrong(ACTIVATIONS)
def forward(grad_out, x, slope):
    """`grad_out` is multiplied by the output, where the derivative belongs."""
    y = np.where(x > 0, x, slope * x)
    return grad_out * y, (grad_out * np.minimum(x, 0)).sum(axis=0)


@ex.wrong(ACTIVATIONS)
def slope_negative(grad_out, x, slope):
    """Below 0 the sign is turned round. The input is negative there; its factor is the
    slope as it is.
    """
    grad_slope = (grad_out * np.minimum(x, 0)).sum(axis=0)
    return grad_out * np.where(x > 0, 1, -slope), grad_slope


@ex.wrong(BIAS)
def last_leak(grad_out, x, slope):
    """Only the last negative entry of each column is left: every one overwrites the one
    before. They all use the same slope, so they add.
    """
    grad_slope = np.zeros_like(slope)
    for n, h in np.argwhere(x < 0):
        grad_slope[h] = grad_out[n, h] * x[n, h]
    return grad_out * np.where(x > 0, 1, slope), grad_slope


@ex.wrong(BIAS)
def all_summed(grad_out, x, slope):
    """All columns are added into one number. Each column has a slope of its own, so
    only what was copied, the rows, is summed.
    """
    return grad_out * np.where(x > 0, 1, slope), (grad_out * np.minimum(x, 0)).sum()
