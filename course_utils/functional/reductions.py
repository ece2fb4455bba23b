"""Sums, means and maxima over axes."""

from __future__ import annotations

import math

import numpy as np

from course_utils.functional.shapes import spread


def sum(x, axis=None, keepdims=False):  # noqa: A001 — the field's name
    """Sum over `axis` (all axes if None). Plumbing."""
    return np.sum(x, axis=axis, keepdims=keepdims)


def sum_vjp(grad_out, shape, axis=None, keepdims=False):
    """Every summand of an input of `shape` receives the gradient of its sum.

    Taught in: 07_array_tape.
    """
    return spread(grad_out, shape, axis, keepdims).copy()


def mean(x, axis=None, keepdims=False):
    """Arithmetic mean over `axis` (all axes if None). Plumbing."""
    return np.mean(x, axis=axis, keepdims=keepdims)


def mean_vjp(grad_out, shape, axis=None, keepdims=False):
    """Each of the n averaged elements receives grad_out / n.

    Taught in: 07_array_tape.
    """
    n = math.prod(shape) // math.prod(np.shape(grad_out)) if 0 not in shape else 1
    return spread(grad_out / n, shape, axis, keepdims).copy()


def max(x, axis=None, keepdims=False):  # noqa: A001 — the field's name
    """Maximum over `axis` (all axes if None). Plumbing."""
    return np.max(x, axis=axis, keepdims=keepdims)


def max_vjp(grad_out, x, axis=None, keepdims=False):
    """The winner receives grad_out; winners that tie share it equally.

    At a tie no derivative exists; equal shares are what `torch.amax` takes.
    Taught in: 07_array_tape.
    """
    wins = x == np.max(x, axis=axis, keepdims=True)
    shares = wins / wins.sum(axis=axis, keepdims=True, dtype=x.dtype)
    return shares * spread(grad_out, x.shape, axis, keepdims)


def min(x, axis=None, keepdims=False):  # noqa: A001 — the field's name
    """Minimum over `axis` (all axes if None). Plumbing."""
    return np.min(x, axis=axis, keepdims=keepdims)


def min_vjp(grad_out, x, axis=None, keepdims=False):
    """Where x is the smallest, −x is the largest: the rule of `max`, for −x.

    A row of the table in 07_array_tape. Plumbing.
    """
    return max_vjp(grad_out, -x, axis, keepdims)


def var(x, axis=None, keepdims=False, ddof=0):
    """Variance Σ (x − mean)² / (n − ddof) over `axis` (all axes if None).

    Plumbing.
    """
    return np.var(x, axis=axis, keepdims=keepdims, ddof=ddof)


def var_vjp(grad_out, x, axis=None, keepdims=False, ddof=0):
    """∂ var/∂x = 2 (x − mean) / (n − ddof), for the n elements of a mean.

    The mean moves as well, but the deviations from it sum to 0.
    A row of the table in 07_array_tape. Plumbing.
    """
    centred = x - np.mean(x, axis=axis, keepdims=True)
    n = x.size // math.prod(np.shape(grad_out)) if x.size else 1
    return spread(grad_out, x.shape, axis, keepdims) * (2 * centred) / (n - ddof)


def std(x, axis=None, keepdims=False, ddof=0):
    """Standard deviation √var over `axis` (all axes if None).

    Plumbing.
    """
    return np.std(x, axis=axis, keepdims=keepdims, ddof=ddof)


def std_vjp(grad_out, x, axis=None, keepdims=False, ddof=0):
    """∂ std/∂x = ∂ var/∂x / (2 std), and 0 where all elements are equal.

    A row of the table in 07_array_tape. Plumbing.
    """
    y = std(x, axis, keepdims, ddof)
    for_var = np.where(y == 0, 0, grad_out / np.where(y == 0, 1, 2 * y))
    return var_vjp(for_var, x, axis, keepdims, ddof)


def row_mean(x):
    """Mean along the last axis, which stays, with length 1.

    A product with a column of ones: for short rows BLAS is several times as fast as
    `x.mean(axis=-1)`. Plumbing.
    """
    D = x.shape[-1]
    total = x.reshape(-1, D) @ np.ones((D, 1), x.dtype)
    return total.reshape(*x.shape[:-1], 1) / D
