"""Rules that only move elements: broadcasting undone, other shapes, selections."""

from __future__ import annotations

import numpy as np


def unbroadcast(grad, shape):
    """Sum `grad` over the axes along which an input of `shape` was broadcast.

    A value that was copied is a value that was used several times: gradients add.
    Taught in: 07_array_tape.
    """
    if grad.shape == shape:
        return grad
    new = tuple(range(grad.ndim - len(shape)))
    stretched = tuple(len(new) + i for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=new + stretched, keepdims=True).reshape(shape)


def spread(values, shape, axis=None, keepdims=False):
    """Give every element of `shape` the value of the group along `axis` it belongs to.

    The way back from a reduction: `values` is what `sum(x, axis, keepdims)` returned
    for an `x` of `shape`. The result is a read-only view. Taught in: 07_array_tape.
    """
    if axis is not None and not keepdims:
        values = np.expand_dims(values, axis)
    return np.broadcast_to(values, shape)


def reshape(x, shape):
    """The same elements in another shape. Taught in: 07_array_tape."""
    return np.reshape(x, shape)


def reshape_vjp(grad_out, shape):
    """Back into the `shape` of the input. Taught in: 07_array_tape."""
    return grad_out.reshape(shape)


def transpose(x, axes=None):
    """Axes in another order (reversed if None). Taught in: 07_array_tape."""
    return np.transpose(x, axes)


def transpose_vjp(grad_out, axes=None):
    """Put the axes back: transpose by the inverse permutation.

    Taught in: 07_array_tape.
    """
    return np.transpose(grad_out, None if axes is None else np.argsort(axes))


def getitem(x, index):
    """Select x[index]. Taught in: 07_array_tape."""
    return x[index]


def getitem_vjp(grad_out, shape, index):
    """Back into an array of zeros, at the places taken; twice taken, twice added.

    Taught in: 07_array_tape.
    """
    grad = np.zeros(shape, np.asarray(grad_out).dtype)
    np.add.at(grad, index, grad_out)
    return grad
