"""Operations on pictures (N, C, H, W) on the tape, and two that go with them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np

from course_utils import functional as F
from course_utils.rules import like, with_parameters
from course_utils.tape import Op, record
from course_utils.tensor import Tensor, as_tensor

BLOCK = 32  # pictures at a time: the windows of so many stay near the processor


def blocks(x: np.ndarray) -> Iterator[np.ndarray]:
    """Views of 32 pictures each, the rest in the last. Taught in: 13_convolution."""
    for start in range(0, max(len(x), 1), BLOCK):
        yield x[start : start + BLOCK]


def conv2d(x: Any, W: Any, b: Any, stride: int = 1, padding: int = 0) -> Tensor:
    """Convolution as one operation, 32 pictures at a time; constants get no gradient.

    x (N, C, H, W), W (M, C, kh, kw), b (M,) → (N, M, oh, ow). The blocks of pictures
    share W and b, so their gradients add. Taught in: 13_convolution.
    """
    x, W, b = as_tensor(x), as_tensor(W), as_tensor(b)
    how, input_grad = (stride, padding), x.requires_grad

    def forward(x, W, b):
        return np.concatenate([F.conv2d(part, W, b, *how) for part in blocks(x)])

    def vjp(g, y, x, W, b):
        pairs = zip(blocks(g), blocks(x), strict=True)
        grads = [F.conv2d_vjp(G, part, W, *how, input_grad) for G, part in pairs]
        for_x, for_W, for_b = zip(*grads, strict=True)
        for_x = np.concatenate(for_x) if input_grad else None
        grads = for_x, reduce(np.add, for_W), reduce(np.add, for_b)
        return tuple(map(like, grads, (x, W, b)))

    return record(Tensor, Op("conv2d", forward, vjp), x, W, b)


def max_pool2d(x: Any, size: int, stride: int | None = None) -> Tensor:
    """The largest of each window; of winners that tie, the first has the gradient.

    Plumbing.
    """

    def vjp(g, y, x):
        return (like(F.max_pool2d_vjp(g, y, x, size, stride), x),)

    op = Op("max pool", lambda x: F.max_pool2d(x, size, stride), vjp)
    return record(Tensor, op, as_tensor(x))


def mean_pool2d(x: Any, size: int, stride: int | None = None) -> Tensor:
    """The mean of each window. Plumbing."""
    make = with_parameters("mean pool", F.mean_pool2d, F.mean_pool2d_vjp)
    return record(Tensor, make(size, stride), as_tensor(x))


def dropout(x: Any, mask: np.ndarray, p: float = 0.5) -> Tensor:
    """x / (1 − p) where the constant `mask` is true, 0 elsewhere.

    Plumbing.
    """
    make = with_parameters(
        "dropout", F.dropout, lambda g, x, *how: F.dropout_vjp(g, *how)
    )
    return record(Tensor, make(mask, p), as_tensor(x))


def batch_norm(
    x: Any, gamma: Any, beta: Any, *statistics: np.ndarray, eps: float = 1e-5
) -> Tensor:
    """Batch normalisation γ x̂ + β as one operation, for x (N, C, …).

    With the mean and variance of the batch, through which gradients flow, or with
    `statistics` given: a mean and a variance (C,), which are constants.
    Raises TypeError for one of them alone, or three. Plumbing.
    """
    if len(statistics) not in (0, 2):
        raise TypeError(
            f"batch_norm: found {len(statistics)} statistics; expected a mean and a "
            f"variance (C,), or none. The rest goes by name: eps=1e-5"
        )
    f, rule = F.batch_norm, F.batch_norm_vjp
    if statistics:
        f, rule = F.batch_norm_eval, F.batch_norm_eval_vjp

    def forward(x, gamma, beta):
        return f(x, gamma, beta, *statistics, eps)

    def vjp(g, y, x, gamma, beta):
        grads = rule(g, x, gamma, *statistics, eps)
        return tuple(map(like, grads, (x, gamma, beta)))

    op = Op("batch norm", forward, vjp)
    return record(Tensor, op, as_tensor(x), as_tensor(gamma), as_tensor(beta))
