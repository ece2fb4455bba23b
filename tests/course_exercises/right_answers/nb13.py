"""Right answers to the exercises of 13 in other styles."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course_utils import functional as F
from course_utils.tensor import Tensor

from . import right


@right("13.1")
def row_by_index(grad_out, x, w, stride):
    grad_x, grad_w = np.zeros_like(x), np.zeros_like(w)
    for n, i in np.ndindex(*grad_out.shape):
        for k in range(len(w)):
            grad_x[n, i * stride + k] += grad_out[n, i] * w[k]
            grad_w[k] += grad_out[n, i] * x[n, i * stride + k]
    return grad_x, grad_w


@right("13.1")
def row_by_windows(grad_out, x, w, stride):
    seen = sliding_window_view(x, len(w), 1)[:, ::stride]
    T = np.zeros((x.shape[1], grad_out.shape[1]))
    for i in range(T.shape[1]):
        T[i * stride : i * stride + len(w), i] = w
    return [grad_out @ T.T, np.einsum("ni,nik->k", grad_out, seen)]


@right("13.1")
def row_by_pictures(grad_out, x, w, stride):
    high = grad_out[:, None, None], x[:, None, None], w[None, None, None]
    grad_x, grad_w, _ = F.conv2d_vjp(*high, stride)
    return grad_x[:, 0, 0], grad_w[0, 0, 0]


@right("13.3")
def winner_by_argmax(grad_out, x):
    N, H, W = x.shape
    cells = x.reshape(N, H // 2, 2, W // 2, 2).swapaxes(2, 3)
    first = cells.reshape(N, H // 2, W // 2, 4).argmax(axis=-1)
    hot = np.eye(4)[first] * grad_out[..., None]
    return hot.reshape(N, H // 2, W // 2, 2, 2).swapaxes(2, 3).reshape(x.shape)


@right("13.3")
def winner_by_loops(grad_out, x):
    grad = [[[0.0] * x.shape[2] for _ in range(x.shape[1])] for _ in x]
    for n, i, j in np.ndindex(*grad_out.shape):
        cell = x[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].ravel()
        k = int(np.argmax(cell))
        grad[n][2 * i + k // 2][2 * j + k % 2] = float(grad_out[n, i, j])
    return np.array(grad)


@right("13.3")
def winner_by_pooling(grad_out, x):
    return F.max_pool2d_vjp(grad_out, F.max_pool2d(x, 2), x, 2)


@right("13.4")
def ring_by_matrix(grad_out, x, w):
    D, K = x.shape[1], len(w)
    T = sum(w[k] * np.roll(np.eye(D), k, axis=0) for k in range(K))
    grad_T = x.T @ grad_out
    return grad_out @ T.T, [np.roll(grad_T, -k, axis=0).trace() for k in range(K)]


@right("13.4")
def ring_by_index(grad_out, x, w):
    grad_x, grad_w, D = np.zeros_like(x), np.zeros_like(w), x.shape[1]
    for n, i in np.ndindex(*grad_out.shape):
        for k in range(len(w)):
            grad_x[n, (i + k) % D] += grad_out[n, i] * w[k]
            grad_w[k] += grad_out[n, i] * x[n, (i + k) % D]
    return grad_x, grad_w


@right("13.4")
def ring_on_the_tape(grad_out, x, w):
    tx, tw, D = Tensor(x), Tensor(w), x.shape[1]
    places = (np.arange(D)[:, None] + np.arange(len(w))) % D
    (tx[:, places] @ tw).backward(grad_out)
    return [tx.grad, tw.grad]
