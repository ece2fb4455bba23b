"""Convolution: a matrix product of windows, with the same weights everywhere.

Pictures are (N, C, H, W): N of them, C channels, H rows of W pixels. Filters are
(M, C, kh, kw): each of the M has weights for all channels.
"""

from __future__ import annotations

from numbers import Integral

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course_utils.functional.shapes import _check_arrays


def out_size(n, k, stride=1, padding=0):
    """How many windows of k fit into n pixels, at steps of `stride`.

    (n + 2 padding − k) // stride + 1. Taught in: 13_convolution.
    """
    return (n + 2 * padding - k) // stride + 1


def windows(x, size, stride=1):
    """All windows of `size` (kh, kw) in x (…, H, W), as a view: nothing is copied.

    The result is (…, oh, ow, kh, kw): the window at (i, j) begins at row i · stride
    and column j · stride.
    Raises ValueError if no window fits, or the stride is no whole number above 0.
    Taught in: 13_convolution.
    """
    _check_windows("windows", x.shape, size, stride)
    return sliding_window_view(x, size, (-2, -1))[..., ::stride, ::stride, :, :]


def windows_vjp(grad_out, x, stride=1):
    """A pixel in several windows was used several times: its gradients add.

    Taught in: 13_convolution.
    """
    grad = np.zeros_like(x)
    *_, oh, ow, kh, kw = grad_out.shape
    for i in range(kh):
        for j in range(kw):
            rows, columns = np.s_[i : i + stride * oh], np.s_[j : j + stride * ow]
            seen = grad[..., rows, columns][..., ::stride, ::stride]
            seen += grad_out[..., i, j]
    return grad


def pad(x, padding):
    """Copy of x (N, C, H, W) with `padding` zeros on each of the four sides.

    In memory the N pictures stand last, side by side: then long runs of numbers are
    moved at once, whatever the windows are. Taught in: 13_convolution.
    """
    N, C, H, W = x.shape
    out = np.zeros((C, H + 2 * padding, W + 2 * padding, N), x.dtype)
    out = out.transpose(3, 0, 1, 2)
    out[:, :, padding : padding + H, padding : padding + W] = x
    return out


def columns(x, size, stride=1):
    """The windows of x (N, C, H, W) as columns of matrices: (oh, C · kh · kw, ow · N).

    One matrix for each row of windows. Taught in: 13_convolution.
    """
    seen = windows(x, size, stride).transpose(2, 1, 4, 5, 3, 0)
    oh, C, kh, kw, ow, N = seen.shape
    return seen.reshape(oh, C * kh * kw, ow * N)


def conv2d(x, W, b, stride=1, padding=0):
    """Convolution (N, C, H, W) → (N, M, oh, ow): each window times each filter, plus b.

    out[n, m, i, j] = b[m] + Σ over c, p, q of W[m, c, p, q] · x[n, c, i s + p, j s + q]
    for stride s, where x has `padding` zeros around it. As everywhere in this field,
    the filter is not flipped. W is (M, C, kh, kw), b (M,).
    Raises ValueError if shapes do not fit, or stride or padding are no such numbers.
    Taught in: 13_convolution.
    Source: Y. LeCun et al. (1989), Backpropagation applied to handwritten zip code
    recognition.
    """
    _check_conv2d(x, W, b, stride, padding)
    (M, _, *size), N = W.shape, len(x)
    oh, ow = (
        out_size(n, k, stride, padding) for n, k in zip(x.shape[2:], size, strict=True)
    )
    cols = columns(pad(x, padding), size, stride)
    out = W.reshape(M, cols.shape[1]) @ cols  # (M, K) @ (oh, K, ow · N)
    return out.reshape(oh, M, ow, N).transpose(3, 1, 0, 2) + b[:, None, None]


def conv2d_vjp(grad_out, x, W, stride=1, padding=0, input_grad=True):
    """For G = grad_out: ∂L/∂W = Σ G · window, ∂L/∂b = Σ G, over all windows.

    ∂L/∂x brings G · W back to every window, where overlaps add. With
    `input_grad=False` it is None: nobody asks for the gradient of the data.
    Taught in: 13_convolution.
    """
    (M, C, kh, kw), (N, _, oh, ow) = W.shape, grad_out.shape
    padded = pad(x, padding)
    cols = columns(padded, (kh, kw), stride)  # (oh, K, ow · N)
    G = grad_out.transpose(2, 1, 3, 0).reshape(oh, M, ow * N)
    grad_W = (cols @ G.swapaxes(1, 2)).sum(axis=0).T.reshape(W.shape)
    grad_b = grad_out.sum(axis=(0, 2, 3))
    if not input_grad:
        return None, grad_W, grad_b
    seen = (W.reshape(M, cols.shape[1]).T @ G).reshape(oh, C, kh, kw, ow, N)
    grad = windows_vjp(seen.transpose(5, 1, 0, 4, 2, 3), padded, stride)
    inside = [slice(padding, padding + n) for n in x.shape[2:]]
    return grad[:, :, *inside], grad_W, grad_b


def _check_conv2d(x, W, b, stride, padding):
    _check_arrays("conv2d", x=x, W=W, b=b)
    if x.ndim != 4 or W.ndim != 4:
        raise ValueError(
            f"conv2d: expected pictures (N, C, H, W) and filters (M, C, kh, kw), found "
            f"{x.shape} and {W.shape}. Mend: x.reshape(N, C, H, W), with C = 1 for "
            f"grey; one picture alone is x[None]"
        )
    if x.shape[1] != W.shape[1]:
        last = x.shape[3] == W.shape[1]
        raise ValueError(
            f"conv2d: x {x.shape} has {x.shape[1]} channels, the filters {W.shape} "
            f"have weights for {W.shape[1]}; they must be equal"
            + (". If channels stand last: x.transpose(0, 3, 1, 2)" if last else "")
        )
    if (found := np.result_type(x, W, b)).kind in "iu" and found.itemsize < 8:
        raise TypeError(
            f"conv2d: expected floats, found {x.dtype}, {W.dtype} and {b.dtype}: the "
            f"sums, in {found}, would wrap around. Mend: x.astype(float)"
        )
    if b.shape != W.shape[:1]:
        raise ValueError(
            f"conv2d: b has shape {b.shape}; W {W.shape} has {W.shape[0]} filters, so "
            f"b must be {W.shape[:1]}"
        )
    _check_windows("conv2d", x.shape, W.shape[2:], stride, padding)


def _check_windows(operation, shape, size, stride, padding=0):
    _check_sizes(operation, size, stride, padding)
    if len(shape) < 2:
        raise ValueError(
            f"{operation}: expected pictures (…, H, W), found shape {tuple(shape)}"
        )
    H, W = (n + 2 * padding for n in shape[-2:])
    if size[0] > H or size[1] > W:
        padded = f", {H} × {W} with a padding of {padding}" if padding else ""
        raise ValueError(
            f"{operation}: a window of {size[0]} × {size[1]} does not fit into a "
            f"picture of {shape[-2]} × {shape[-1]}{padded}. Take a smaller window"
            + (", or a larger padding" if operation == "conv2d" else "")
        )


def _check_sizes(operation, size, stride, padding=0):
    pair = isinstance(size, tuple | list | np.ndarray) and np.shape(size) == (2,)
    if not pair or not all(_is_whole(k, 1) for k in size):
        if operation == "pooling":  # it takes one size, and makes the pair itself
            kind, size = "one whole size, for rows and columns, at least 1", size[0]
        else:
            kind = "two whole sizes, at least (1, 1)"
        found = tuple(size) if isinstance(size, list) else size
        raise ValueError(f"{operation}: expected a window of {kind}, found {found!r}")
    for name, number, least in (("stride", stride, 1), ("padding", padding, 0)):
        if not _is_whole(number, least):
            raise ValueError(
                f"{operation}: {name} is {number!r}; it must be one whole number, for "
                f"rows and columns, at least {least}"
            )


def _is_whole(number, least):
    whole = isinstance(number, Integral) and not isinstance(number, bool)
    return whole and number >= least
