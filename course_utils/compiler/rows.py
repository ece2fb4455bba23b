"""Rows of an array: gathered into a batch, and given back to where they came from."""

from __future__ import annotations

import numpy as np

from course_utils.compiler.jit import compiled


def gather(rows: np.ndarray, source: np.ndarray, out: np.ndarray):
    """Copy source[rows] (N, D) into out, eight rows asked for at a time.

    Rows lie far apart, and memory takes its time with each. So we ask for one number of
    every line of the cache (64 bytes) in eight rows, which are then on their way side
    by side, and copy them afterwards. What we asked for is added up and given back:
    else the compiler would see that nobody needs it.
    Plumbing.
    """
    asked, step = source[0, 0] * 0, 64 // source.itemsize
    for n in range(len(rows)):
        if n % 8 == 0 and n + 8 <= len(rows):
            for j in range(0, source.shape[1], step):
                for k in range(8):
                    asked += source[rows[n + k], j]
        row = rows[n]
        for j in range(source.shape[1]):
            out[n, j] = source[row, j]
    return asked


def outside(rows: np.ndarray, n: int) -> int:
    """The place of the first row that is none of n, or −1. Plumbing."""
    for k in range(len(rows)):
        if not -n <= rows[k] < n:
            return k
    return -1


def add_rows(rows: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Add values (N, D) to the rows of out, one after the other. Plumbing."""
    for n in range(len(rows)):
        row = rows[n]
        for j in range(values.shape[1]):
            out[row, j] += values[n, j]


def rows_back(g: np.ndarray, shape: tuple, rows: np.ndarray) -> np.ndarray:
    """`getitem_vjp` for rows of an array, to the last bit.

    Raises IndexError for a row that is not there. Plumbing.
    """
    rows, g = np.ravel(rows), np.asarray(g)
    if (wrong := compiled(outside)(rows, shape[0])) >= 0:
        raise IndexError(f"there is no row {rows[wrong]} among {shape[0]}")
    grad = np.zeros(shape, g.dtype)
    width = grad[:1].size
    if len(rows) and width:
        values = np.ascontiguousarray(g).reshape(len(rows), width)
        compiled(add_rows)(rows, values, grad.reshape(shape[0], width))
    return grad
