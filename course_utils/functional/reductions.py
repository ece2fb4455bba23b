"""Sums, means and maxima over axes."""

from __future__ import annotations

import math

import numpy as np

from course_utils.functional.shapes import spread


def sum(x, axis=None, keepdims=False):  # noqa: A001 — the field's name
    """Sum over `axis` (all axes if None). Taught in: 07_array_tape."""
    return np.sum(x, axis=axis, keepdims=keepdims)


def sum_vjp(grad_out, shape, axis=None, keepdims=False):
    """Every summand of an input of `shape` receives the gradient of its sum.

    Taught in: 07_array_tape.
    """
    return spread(grad_out, shape, axis, keepdims).copy()


def mean(x, axis=None, keepdims=False):
    """Arithmetic mean over `axis` (all axes if None). Taught in: 07_array_tape."""
    return np.mean(x, axis=axis, keepdims=keepdims)


def mean_vjp(grad_out, shape, axis=None, keepdims=False):
    """Each of the n averaged elements receives grad_out / n.

    Taught in: 07_array_tape.
    """
    n = math.prod(shape) // math.prod(np.shape(grad_out)) if 0 not in shape else 1
    return spread(grad_out / n, shape, axis, keepdims).copy()


def max(x, axis=None, keepdims=False):  # noqa: A001 — the field's name
    """Maximum over `axis` (all axes if None). Taught in: 07_array_tape."""
    return np.max(x, axis=axis, keepdims=keepdims)


def max_vjp(grad_out, x, axis=None, keepdims=False):
    """The winner receives grad_out; winners that tie share it equally.

    At a tie no derivative exists; equal shares are what `torch.amax` takes.
    Taught in: 07_array_tape.
    """
    wins = x == np.max(x, axis=axis, keepdims=True)
    shares = wins / wins.sum(axis=axis, keepdims=True, dtype=x.dtype)
    return shares * spread(grad_out, x.shape, axis, keepdims)
