"""Arithmetic and activations: one rule serves floats and arrays."""

from __future__ import annotations

from numbers import Real

import numpy as np


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
    """Power xⁿ with a constant exponent n; TypeError if n is not a number.

    Taught in: 03_tape_engine.
    """
    if not isinstance(n, Real):
        raise TypeError(
            f"x ** n takes a constant n, a number, not {type(n).__name__}. For a "
            f"variable exponent write (n * x.log()).exp()"
        )
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
