"""What both checks need: f on its own copies of the inputs, and how to judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from course_utils.gradcheck.arguments import as_number, paired
from course_utils.gradcheck.look import Look
from course_utils.gradcheck.noise import float32_message, noise_message
from course_utils.gradcheck.numerical import EPS

RTOL = {"d": 1e-6, "f": 1e-3}  # by dtype.char: float64, float32


@dataclass
class Setting:
    """What both checks need: f on its own copies of the inputs, and how to judge.

    `value()` is f of the arrays as they are; `value_along(k)` gives a function that is
    right as long as nothing but array k changes.

    Plumbing.
    """

    names: list[str]
    arrays: list[np.ndarray]
    grads: list[np.ndarray]
    value: Callable[[], float]
    value_along: Callable[[int], Callable[[], float]]
    middle: float
    rtol: float
    eps: float
    noisy: str

    @classmethod
    def of(cls, f, inputs, grads, grad_out, rtol, dtype) -> Setting:
        """Check everything that can be checked before the first nudge."""
        names, arrays, grads = paired(f, inputs, grads)
        kind = kind_of(dtype)
        value, middle, float32 = as_number(f, names, arrays, grad_out)
        noisy = float32_message() if float32 and kind == "d" else ""
        if not np.isfinite(middle):
            noisy = f"f is {middle} at the inputs: mend f before its gradient"
        rtol = RTOL[kind] if rtol is None else rtol
        along = partial(alone, f, arrays, value, grad_out)
        return cls(names, arrays, grads, value, along, middle, rtol, EPS[kind], noisy)

    def noise_named(self, look: Look) -> str:
        """Why f is too noisy to be checked in float64, or an empty string."""
        if self.eps > EPS["d"]:
            return ""
        if look.float32:
            return float32_message()
        return noise_message(look.scatter) if look.scatter > 1e-10 else ""


def alone(f, arrays, value, grad_out, k: int) -> Callable[[], float]:
    """f of input k, the others held: from f itself if it offers that. Plumbing.

    A loss that `course_utils.compiler` has compiled does, and then computes no more
    than what depends on input k.
    """
    but_for = getattr(f, "but_for", None)
    return value if but_for is None or grad_out is not None else but_for(k, *arrays)


def kind_of(dtype) -> str:
    """Letter of a dtype: d for float64, f for float32. Plumbing."""
    kind = np.dtype(dtype).char
    if kind not in RTOL:
        raise ValueError(f"dtype must be np.float64 or np.float32, found {dtype}")
    return kind
