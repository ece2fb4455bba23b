"""What a module complains about when it is made, before anything runs through it."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from course_utils import functional as F


def check_counts(module: str, **counts: Any) -> None:
    """Raise ValueError unless all are whole numbers, at least 1. Plumbing."""
    for name, count in counts.items():
        if not F._is_whole(count, 1):
            raise ValueError(
                f"{module}: {name} is {count!r}; it must be a whole number, at least 1"
            )


def check_generator(module: str, rng: Any, hint: str = "") -> None:
    """Raise TypeError unless `rng` draws random numbers. Plumbing."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"{module}: rng is {rng!r}; expected a generator, as "
            f"np.random.default_rng(0){hint}"
        )


def check_table(module: str, rng: Any, **counts: Any) -> None:
    """Raise for counts or a generator that make no table of vectors. Plumbing."""
    check_counts(module, **counts)
    check_generator(module, rng)


def check_filters(
    in_channels: Any,
    out_channels: Any,
    kernel_size: Any,
    rng: Any,
    stride: Any,
    padding: Any,
) -> tuple[int, int]:
    """Give the window (kh, kw); raise for what makes no filters of it. Plumbing."""
    check_counts("Conv2d", in_channels=in_channels, out_channels=out_channels)
    check_generator("Conv2d", rng, hint="; a stride goes by name, as stride=2")
    pair = isinstance(kernel_size, tuple | list)
    size = tuple(kernel_size) if pair else (kernel_size, kernel_size)
    F._check_sizes("Conv2d", size, stride, padding)
    return size


def check_pooling(kernel_size: Any, stride: Any) -> None:
    """Raise ValueError unless both are whole numbers, at least 1. Plumbing."""
    step = kernel_size if stride is None else stride
    F._check_sizes("pooling", (kernel_size, kernel_size), step)


def check_dropping(p: Any, rng: Any) -> None:
    """Raise ValueError unless p is in [0, 1), TypeError for no generator. Plumbing."""
    F._check_share(p)
    check_generator("Dropout", rng)


def check_running(num_features: Any, eps: Any, momentum: Any) -> None:
    """Raise ValueError unless batch statistics can run by these. Plumbing."""
    check_counts("BatchNorm", num_features=num_features)
    if not (isinstance(eps, Real) and eps > 0):
        raise ValueError(
            f"BatchNorm: eps is {eps!r}; it must be above 0, for a channel may be "
            f"constant, and its variance 0"
        )
    if not (isinstance(momentum, Real) and 0 <= momentum <= 1):
        raise ValueError(
            f"BatchNorm: momentum is {momentum!r}; it must be in 0 … 1, the share by "
            f"which a batch moves the running statistics"
        )
