"""Measuring a derivative without knowing how it is computed.

Nudge one input up and down, and look at what the output does; or nudge it in the
imaginary direction, where nothing cancels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_utils.gradcheck.arguments import (
    float_copy,
    given_steps,
    number,
    refuse_changes,
)

EPS = {"d": np.finfo("d").eps, "f": np.finfo("f").eps}


def nudged_values(value: Callable[[], float], flat: np.ndarray, steps):
    """Values f(x + h·eᵢ) and f(x − h·eᵢ), one entry at a time; 2n calls for n entries.

    `value()` computes f from arrays that it holds; `flat` (n,) is a view into them,
    nudged in place and restored. `steps` (n,) holds the h of each entry.

    Taught in: 04_gradient_checking.
    """
    high, low = np.empty(flat.size), np.empty(flat.size)
    for i, (x, h) in enumerate(zip(flat.tolist(), steps.tolist(), strict=True)):
        flat[i] = x + h
        high[i] = value()
        flat[i] = x - h
        low[i] = value()
        flat[i] = x
    return high, low


def central_differences(flat: np.ndarray, steps, high, low):
    """Slopes (f(x + h) − f(x − h)) / 2h from the values at both sides.

    Divided by the distance really walked, (x + h) − (x − h): rounding makes it differ
    from 2h.

    Taught in: 04_gradient_checking.
    """
    return (high - low) / ((flat + steps) - (flat - steps))


def step_size(x, eps: float = EPS["d"]):
    """Step h = eps^(1/3)·max(1, |x|), but at most eps^(1/5)·|x| where x ≠ 0.

    The error of a central difference is h²·|f‴|/6 from the formula and eps·|f|/h from
    rounding; their sum is least near h = eps^(1/3) = 6e-6, times the scale of x. For a
    small x the step is a thousandth of x, so that log is still defined at x − h.

    Taught in: 04_gradient_checking.
    Source: J. Nocedal & S. Wright (2006), Numerical Optimization, section 8.1.
    """
    size = np.abs(x)
    h = eps ** (1 / 3) * np.maximum(size, 1)
    return np.where(size > 0, np.minimum(h, eps ** (1 / 5) * size), h)


def numerical_gradient(f: Callable, x, h: float | None = None):
    """Gradient of f at x by central differences, (f(x + h·eᵢ) − f(x − h·eᵢ)) / 2h.

    x: an array of any shape or a float; f(x) is a number. The result has the shape of
    x. f is called twice per entry, with a float64 copy of x that is nudged in place.
    Without `h`, `step_size` chooses a step for each entry.

    Raises TypeError for integers, ValueError for NaN or inf in x, for a step that is
    not positive or vanishes beside x, for f(x) that is no number, for f that changes x.

    Taught in: 04_gradient_checking.
    """
    x = float_copy("x", x)
    flat, before = x.reshape(-1), x.copy()
    steps = given_steps(flat, h) if h is not None else step_size(flat)
    high, low = nudged_values(lambda: number(f(x)), flat, steps)
    refuse_changes(["x"], [x], [before])
    slopes = central_differences(flat, steps, high, low)
    return slopes.reshape(x.shape)[()]


def complex_step_gradient(f: Callable, x, h: float = 1e-100):
    """Gradient of an analytic f by the complex step, Im f(x + ih·eᵢ) / h.

    Nothing is subtracted, so nothing cancels: h may be tiny and the result is exact to
    rounding. f must compute with complex numbers; `abs` and `max` break it.
    x: array or float; the result has its shape. n calls for n entries.

    Raises TypeError for integers, ValueError for NaN or inf in x, for f(x) that is no
    number.

    Taught in: 04_gradient_checking.
    Source: W. Squire & G. Trapp (1998), Using complex variables to estimate derivatives
    of real functions.
    """
    z = float_copy("x", x).astype(complex)
    flat, slopes = z.reshape(-1), np.empty(z.size)
    for i, real in enumerate(flat.tolist()):
        flat[i] = real + 1j * h
        slopes[i] = number(f(z), complex).imag / h
        flat[i] = real
    return slopes.reshape(z.shape)[()]
