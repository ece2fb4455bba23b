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


def put_back(shares, x, size, stride=None):
    """What each place of the windows is due, in the order of `shifts`, put back there.

    A pixel that stands in several windows gets the sum. Taught in: 13_convolution.
    """
    grad = np.zeros_like(x)
    for share, place in zip(shares, shifts(grad, size, stride), strict=True):
        place += share
    return grad


def max_pool2d(x, size, stride=None):
    """The largest of each window: (…, H, W) → (…, oh, ow).

    Taught in: 13_convolution.
    """
    first, *others = shifts(x, size, stride)
    return reduce(np.maximum, others, np.copy(first))


def firsts(masks):
    """Each mask without what is true in one before it. Taught in: 13_convolution."""
    free, found = True, []
    for mask in masks:
        found.append(free & mask)
        free = free & ~mask
    return found


def max_pool2d_vjp(grad_out, y, x, size, stride=None):
    """The winner of each window receives grad_out; of winners that tie, the first.

    The first in the order of reading is what `torch.nn.functional.max_pool2d` takes,
    unlike `torch.amax`, which shares. Where there are NaN, it takes the last of them.
    Taught in: 13_convolution.
    """
    values = shifts(x, size, stride)
    wins = firsts([value == y for value in values])
    lost = firsts([np.isnan(value) for value in reversed(values)])[::-1]
    won = [a | b for a, b in zip(wins, lost, strict=True)]
    return put_back([w * grad_out for w in won], x, size, stride)


def mean_pool2d(x, size, stride=None):
    """The mean of each window: (…, H, W) → (…, oh, ow), of bytes as well.

    Taught in: 13_convolution.
    """
    return reduce(np.add, shifts(x, size, stride), 0.0) / size**2


def mean_pool2d_vjp(grad_out, x, size, stride=None):
    """Each of the size · size pixels of a window receives grad_out / size².

    Taught in: 13_convolution.
    """
    return put_back([grad_out / size**2] * size**2, x, size, stride)
