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
    if shape and axis is not None and not keepdims:  # a number has no axis to lose
        values = np.expand_dims(values, axis)
    return np.broadcast_to(values, shape)


def reshape(x, shape):
    """The same elements in another shape. Plumbing."""
    return np.reshape(x, shape)


def reshape_vjp(grad_out, shape):
    """Back into the `shape` of the input. Plumbing."""
    return grad_out.reshape(shape)


def transpose(x, axes=None):
    """Axes in another order (reversed if None). Plumbing."""
    return np.transpose(x, axes)


def transpose_vjp(grad_out, axes=None):
    """Put the axes back: transpose by the inverse permutation.

    Axes counted from the end are counted from the front first: −1 of 3 axes is 2.
    Taught in: 07_array_tape.
    """
    if axes is not None:
        axes = np.argsort([axis % grad_out.ndim for axis in axes])
    return np.transpose(grad_out, axes)


def getitem(x, index):
    """Select x[index]. Plumbing."""
    return x[index]


def getitem_vjp(grad_out, shape, index):
    """Back into an array of zeros, at the places taken; twice taken, twice added.

    Taught in: 07_array_tape.
    """
    grad = np.zeros(shape, np.asarray(grad_out).dtype)
    np.add.at(grad, index, grad_out)
    return grad


def concatenate(arrays, axis=0):
    """Arrays one after the other, along an axis that they have.

    Plumbing.
    """
    return np.concatenate(arrays, axis)


def concatenate_vjp(grad_out, sizes, axis=0):
    """Each array receives its own piece; `sizes` are their lengths along `axis`.

    Taught in: 07_array_tape.
    """
    return tuple(np.split(grad_out, np.cumsum(sizes)[:-1], axis))


def _check_arrays(operation, **arrays):
    for name, array in arrays.items():
        if not hasattr(array, "dtype"):
            raise TypeError(
                f"{operation}: {name} is a {type(array).__name__}; expected a NumPy "
                f"array. Mend: np.asarray({name}, float)"
            )
