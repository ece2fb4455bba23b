"""Pooling: each window becomes one number, its largest or its mean."""

from __future__ import annotations

from functools import reduce

import numpy as np

from course_utils.functional.convolution import _check_windows


def shifts(x, size, stride=None):
    """For each of the size · size places in a window, what all windows have there.

    Views (…, oh, ow) of x (…, H, W), row by row; without a stride, windows do not
    overlap. What is written to a view is written to x.
    Raises ValueError if no window fits, or the stride is no whole number above 0.
    Taught in: 13_convolution.
    """
    stride = size if stride is None else stride
    _check_windows("pooling", x.shape, (size, size), stride)
    H, W = x.shape[-2] - size + 1, x.shape[-1] - size + 1
    places = [(i, j) for i in range(size) for j in range(size)]
    return [x[..., i : i + H : stride, j : j + W : stride] for i, j in places]


def max_pool2d(x, size, stride=None):
    """The largest of each window: (…, H, W) → (…, oh, ow).

    Taught in: 13_convolution.
    """
    first, *others = shifts(x, size, stride)
    return reduce(np.maximum, others, np.array(first))


def max_pool2d_vjp(grad_out, y, x, size, stride=None):
    """The winner of each window receives grad_out; of winners that tie, the first.

    The first in the order of reading is what `torch.nn.functional.max_pool2d` takes,
    unlike `torch.amax`, which shares. Taught in: 13_convolution.
    """
    grad, left = np.zeros_like(x), np.array(grad_out)
    views = shifts(x, size, stride), shifts(grad, size, stride)
    for value, place in zip(*views, strict=True):
        share = left * (value == y)
        place += share
        left -= share  # nothing is left for a second winner
    return grad


def mean_pool2d(x, size, stride=None):
    """The mean of each window: (…, H, W) → (…, oh, ow). Taught in: 13_convolution."""
    return reduce(np.add, shifts(x, size, stride)) / size**2


def mean_pool2d_vjp(grad_out, x, size, stride=None):
    """Each of the size · size pixels of a window receives grad_out / size².

    Taught in: 13_convolution.
    """
    grad = np.zeros_like(x)
    for place in shifts(grad, size, stride):
        place += grad_out / size**2
    return grad
