"""Arithmetic and activations: one rule serves floats and arrays."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np

from course_utils.functional.shapes import _check_arrays


def add(a, b):
    """Sum a + b, elementwise. Plumbing."""
    return a + b


def add_vjp(grad_out):
    """Both inputs of a + b receive grad_out. Taught in: 03_tape_engine."""
    return grad_out, grad_out


def sub(a, b):
    """Difference a − b, elementwise. Plumbing."""
    return a - b


def sub_vjp(grad_out):
    """The inputs of a − b receive (grad_out, −grad_out). Taught in: 03_tape_engine."""
    return grad_out, -grad_out


def neg(x):
    """Negative −x. Plumbing."""
    return -x


def neg_vjp(grad_out):
    """∂(−x)/∂x = −1. Taught in: 03_tape_engine."""
    return -grad_out


def mul(a, b):
    """Product a · b, elementwise. Plumbing."""
    return a * b


def mul_vjp(grad_out, a, b):
    """Each factor receives grad_out times the other one. Taught in: 03_tape_engine."""
    return grad_out * b, grad_out * a


def div(a, b):
    """Quotient a / b, elementwise. Plumbing."""
    return a / b


def div_vjp(grad_out, a, b):
    """∂(a/b)/∂a = 1/b and ∂(a/b)/∂b = −a/b². Taught in: 03_tape_engine."""
    return grad_out / b, -grad_out * a / (b * b)


def power(x, n):
    """Power xⁿ with a constant exponent n; TypeError if n is not a number.

    Plumbing.
    """
    if not isinstance(n, Real):
        raise TypeError(
            f"x ** n takes a constant n, a number, not {type(n).__name__}. For a "
            f"variable exponent write (n * x.log()).exp()"
        )
    return x ** float(n)


def power_vjp(grad_out, x, n):
    """∂xⁿ/∂x = n xⁿ⁻¹, and 0 for n = 0. Taught in: 03_tape_engine."""
    n = float(n)
    return grad_out * (n * x ** (n - 1)) if n else grad_out * 0.0


def exp(x):
    """Exponential eˣ. Plumbing."""
    return np.exp(x)


def exp_vjp(grad_out, y):
    """∂eˣ/∂x = eˣ = y: the rule needs the output only. Taught in: 03_tape_engine."""
    return grad_out * y


def log(x):
    """Natural logarithm. Plumbing."""
    return np.log(x)


def log_vjp(grad_out, x):
    """∂ log x/∂x = 1/x. Taught in: 03_tape_engine."""
    return grad_out / x


def tanh(x):
    """Hyperbolic tangent. Plumbing."""
    return np.tanh(x)


def tanh_vjp(grad_out, y):
    """∂ tanh x/∂x = 1 − y², from the output y. Taught in: 03_tape_engine."""
    return grad_out * (1 - y * y)


def sqrt(x):
    """Square root √x. Plumbing."""
    return np.sqrt(x)


def sqrt_vjp(grad_out, y):
    """∂√x/∂x = 1/(2y), from the output y. Taught in: 07_array_tape."""
    return grad_out / (2 * y)


def abs(x):  # noqa: A001 — the field's name
    """Absolute value |x|. Plumbing."""
    return np.abs(x)


def abs_vjp(grad_out, x):
    """∂|x|/∂x = sign of x, and 0 at x = 0. Plumbing."""
    return grad_out * np.sign(x)


def sin(x):
    """Sine of x in radians. Plumbing."""
    return np.sin(x)


def sin_vjp(grad_out, x):
    """∂ sin x/∂x = cos x. Plumbing."""
    return grad_out * np.cos(x)


def cos(x):
    """Cosine of x in radians. Plumbing."""
    return np.cos(x)


def cos_vjp(grad_out, x):
    """∂ cos x/∂x = −sin x. Plumbing."""
    return grad_out * -np.sin(x)


def raised(a, b):
    """Power aᵇ of two arrays. Plumbing."""
    return a**b


def raised_vjp(grad_out, y, a, b):
    """∂aᵇ/∂a = b aᵇ⁻¹ and ∂aᵇ/∂b = aᵇ log a = y log a, from the output y.

    Where b = 0 the first is 0, and where a = 0 the second, as in PyTorch.
    A row of the table in 07_array_tape. Plumbing.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        for_a = np.where(b == 0, 0, b * a ** (b - 1))
        for_b = np.where(a == 0, 0, y * np.log(a))
    return grad_out * for_a, grad_out * for_b


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


def maximum(a, b):
    """The larger of a and b, elementwise. Plumbing."""
    return np.maximum(a, b)


def maximum_vjp(grad_out, a, b):
    """The larger one receives grad_out; where they tie, each a half of it.

    Equal shares are what `torch.maximum` takes. Taught in: 07_array_tape.
    """
    share = np.where(a == b, grad_out / 2, grad_out)
    return share * (a >= b), share * (b >= a)


def minimum(a, b):
    """The smaller of a and b, elementwise. Plumbing."""
    return np.minimum(a, b)


def minimum_vjp(grad_out, a, b):
    """The smaller one receives grad_out; where they tie, each a half of it.

    A row of the table in 07_array_tape. Plumbing.
    """
    return maximum_vjp(grad_out, -a, -b)


def clip(x, low=-math.inf, high=math.inf):
    """x, but `low` where it is below, and `high` where it is above.

    Plumbing.
    """
    return np.minimum(np.maximum(x, low), high)


def clip_vjp(grad_out, x, low=-math.inf, high=math.inf):
    """The gate is open between `low` and `high`; at the bounds it is shut, as a relu.

    A row of the table in 07_array_tape. Plumbing.
    """
    return grad_out * ((x > low) & (x < high))


def where(mask, a, b):
    """Elements of a where `mask` is true, of b elsewhere. Plumbing."""
    return np.where(mask, a, b)


def where_vjp(grad_out, mask):
    """Each element's gradient goes to the one that it was taken from.

    A row of the table in 07_array_tape. Plumbing.
    """
    return np.where(mask, grad_out, 0), np.where(mask, 0, grad_out)


def dropout(x, mask, p=0.5):
    """x / (1 − p) where `mask` is True, 0 elsewhere: the mean stays, if p are False.

    The mask, booleans in the shape of x, says what is *kept*. Raises ValueError if it
    has another shape, or p is not in [0, 1) (PyTorch takes 1 as well, and gives zeros),
    TypeError for a mask of numbers.
    Taught in: 13_convolution.
    Source: N. Srivastava et al. (2014), Dropout: a simple way to prevent neural
    networks from overfitting.
    """
    _check_dropout(x, mask, p)
    return np.where(mask, x / (1 - p), 0)


def dropout_vjp(grad_out, mask, p=0.5):
    """What was dropped has no say; the rest is scaled, as it was on the way forward.

    Taught in: 13_convolution.
    """
    return np.where(mask, grad_out / (1 - p), 0)


def _check_dropout(x, mask, p):
    _check_arrays("dropout", x=x)
    _check_share(p)
    found = np.asarray(mask)
    if found.dtype != np.bool_:
        raise TypeError(
            f"dropout: expected a mask of booleans, True where an element is kept, "
            f"found {found.dtype}. Draw it as rng.random(x.shape) >= p; from 1 and 0, "
            f"make it by mask > 0"
        )
    if np.shape(mask) != np.shape(x):
        raise ValueError(
            f"dropout: the mask has shape {np.shape(mask)}, x has {np.shape(x)}; they "
            f"must be equal. Draw it as rng.random(x.shape) >= p"
        )


def _check_share(p):
    if not (isinstance(p, Real) and 0 <= p < 1):
        raise ValueError(
            f"dropout: p is {p!r}; the share that is dropped must be a number, at "
            f"least 0 and below 1"
        )
