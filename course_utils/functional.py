"""Every formula of the course once: each function beside its vector–Jacobian product.

All functions are pure: arrays in, arrays out, nothing remembered, nothing changed in
place. For a function `y = f(x)` inside a longer computation of a loss L,
`f_vjp(grad_out, …)` turns `grad_out = ∂L/∂y` into `∂L/∂x`.

- Rows are examples: `X` is (N, D), `X @ W + b` with `W` (fan_in, fan_out).
- Losses are means over the batch; logits go in, unless a name says otherwise.
- The arithmetic rules (`add` … `relu`) work on floats and on arrays alike. Where NumPy
  broadcasts an input, its gradient has the shape of the *output* until `unbroadcast`
  sums it back.
"""

from __future__ import annotations

import numpy as np

# --- arithmetic: one rule serves floats and arrays ------------------------------------


def add(a, b):
    """Sum a + b, elementwise. Taught in: 03_tape_engine."""
    return a + b


def add_vjp(grad_out):
    """Both inputs of a + b receive grad_out. Taught in: 03_tape_engine."""
    return grad_out, grad_out


def sub(a, b):
    """Difference a − b, elementwise. Taught in: 03_tape_engine."""
    return a - b


def sub_vjp(grad_out):
    """The inputs of a − b receive (grad_out, −grad_out). Taught in: 03_tape_engine."""
    return grad_out, -grad_out


def neg(x):
    """Negative −x. Taught in: 03_tape_engine."""
    return -x


def neg_vjp(grad_out):
    """∂(−x)/∂x = −1. Taught in: 03_tape_engine."""
    return -grad_out


def mul(a, b):
    """Product a · b, elementwise. Taught in: 03_tape_engine."""
    return a * b


def mul_vjp(grad_out, a, b):
    """Each factor receives grad_out times the other one. Taught in: 03_tape_engine."""
    return grad_out * b, grad_out * a


def div(a, b):
    """Quotient a / b, elementwise. Taught in: 03_tape_engine."""
    return a / b


def div_vjp(grad_out, a, b):
    """∂(a/b)/∂a = 1/b and ∂(a/b)/∂b = −a/b². Taught in: 03_tape_engine."""
    return grad_out / b, -grad_out * a / (b * b)


def power(x, n):
    """Power xⁿ with a constant exponent n. Taught in: 03_tape_engine."""
    return x**n


def power_vjp(grad_out, x, n):
    """∂xⁿ/∂x = n xⁿ⁻¹, and 0 for n = 0. Taught in: 03_tape_engine."""
    return grad_out * (n * x ** (n - 1)) if n else grad_out * 0.0


def exp(x):
    """Exponential eˣ. Taught in: 03_tape_engine."""
    return np.exp(x)


def exp_vjp(grad_out, y):
    """∂eˣ/∂x = eˣ = y: the rule needs the output only. Taught in: 03_tape_engine."""
    return grad_out * y


def log(x):
    """Natural logarithm. Taught in: 03_tape_engine."""
    return np.log(x)


def log_vjp(grad_out, x):
    """∂ log x/∂x = 1/x. Taught in: 03_tape_engine."""
    return grad_out / x


def tanh(x):
    """Hyperbolic tangent. Taught in: 03_tape_engine."""
    return np.tanh(x)


def tanh_vjp(grad_out, y):
    """∂ tanh x/∂x = 1 − y², from the output y. Taught in: 03_tape_engine."""
    return grad_out * (1 - y * y)


def sqrt(x):
    """Square root √x. Taught in: 07_array_tape."""
    return np.sqrt(x)


def sqrt_vjp(grad_out, y):
    """∂√x/∂x = 1/(2y), from the output y. Taught in: 07_array_tape."""
    return grad_out / (2 * y)


def sigmoid(x):
    """Logistic function σ(x) = 1/(1 + e⁻ˣ), without overflow at either end.

    e⁻|x| never overflows: σ = 1/(1 + e⁻ˣ) for x ≥ 0 and eˣ/(1 + eˣ) for x < 0.
    Taught in: 06_layers_and_losses.
    """
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def sigmoid_vjp(grad_out, y):
    """∂σ/∂x = σ(1 − σ) = y(1 − y), from the output y. Taught in: 03_tape_engine."""
    return grad_out * (y * (1 - y))


def relu(x):
    """Rectifier max(x, 0). Taught in: 06_layers_and_losses."""
    return np.maximum(x, 0)


def relu_vjp(grad_out, x):
    """The gate is open where the *input* is positive. Taught in: 03_tape_engine.

    At x = 0, where no derivative exists, it takes 0, as PyTorch does.
    """
    return grad_out * (x > 0)


# --- shapes ---------------------------------------------------------------------------


def unbroadcast(grad, shape):
    """Sum `grad` over the axes along which an input of `shape` was broadcast.

    A value that was copied is a value that was used several times: gradients add.
    Taught in: 07_array_tape.
    """
    if grad.shape == shape:
        return grad
    new_axes = tuple(range(grad.ndim - len(shape)))
    stretched = tuple(
        axis
        for axis, size in enumerate(shape, start=len(new_axes))
        if size == 1 and grad.shape[axis] != 1
    )
    return grad.sum(axis=new_axes + stretched, keepdims=True).reshape(shape)


def sum(x, axis=None, keepdims=False):  # noqa: A001 — the field's name
    """Sum over `axis` (all axes if None). Taught in: 07_array_tape."""
    return np.sum(x, axis=axis, keepdims=keepdims)


def _spread(values, shape, axis, keepdims):
    """Give every element of `shape` the value of the group that it belongs to."""
    if axis is not None and not keepdims:
        values = np.expand_dims(values, axis)
    return np.broadcast_to(values, shape)


def sum_vjp(grad_out, shape, axis=None, keepdims=False):
    """Every summand of an input of `shape` receives its sum's gradient.

    Taught in: 07_array_tape.
    """
    return _spread(grad_out, shape, axis, keepdims).copy()


def mean(x, axis=None, keepdims=False):
    """Arithmetic mean over `axis` (all axes if None). Taught in: 07_array_tape."""
    return np.mean(x, axis=axis, keepdims=keepdims)


def mean_vjp(grad_out, shape, axis=None, keepdims=False):
    """Every one of n averaged elements receives grad_out / n.

    Taught in: 07_array_tape.
    """
    n = np.prod(shape, dtype=int) // max_size(grad_out)
    return sum_vjp(grad_out / n, shape, axis, keepdims)


def matmul(A, B):
    """Matrix product A @ B; leading axes broadcast. Taught in: 05_vectorized_backprop.

    Raises ValueError if the inner dimensions differ.
    """
    _check_inner("matmul", "A", A, "B", B)
    return A @ B
