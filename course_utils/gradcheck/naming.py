"""A name for a wrong gradient's mistake, and reasons not to trust a right one."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose

import numpy as np

from course_utils.gradcheck.comparing import NOISE, Check


def looks_like(analytic, numeric, sizes: Mapping[int, str]) -> str:
    """Name of a simple mistake that explains the whole gradient, or an empty string.

    `sizes` maps a dimension to where it occurs, to recognise a lost or doubled 1/N.

    Plumbing.
    """
    if analytic.shape != numeric.shape:
        return _wrong_shape_like(analytic, numeric)
    if not np.any(numeric) or not np.all(np.isfinite(analytic) & np.isfinite(numeric)):
        return ""
    if not np.any(analytic):
        return "analytic = 0 throughout: nothing flows back to this input"
    if numeric.ndim == 2 and _close(analytic, numeric.T):
        return "analytic = numeric transposed"
    c = np.vdot(numeric, analytic) / np.vdot(numeric, numeric)
    return _factor_name(c, sizes) if c and _close(analytic, c * numeric) else ""


def _wrong_shape_like(analytic, numeric) -> str:
    """The mistake behind a wrong shape: transposed, not summed, or only reshaped."""
    if _close(analytic.T, numeric):
        return "analytic = numeric transposed"
    if _close(_summed_to(analytic, numeric.shape), numeric):
        return "analytic = numeric before the sum over the axes that were broadcast"
    if _close(analytic.ravel(), numeric.ravel()):
        return "the right numbers in another shape"
    return ""


def _summed_to(array, shape):
    """Sum over leading axes, and over axes where shape has a 1: undo a broadcast."""
    array = array.sum(tuple(range(array.ndim - len(shape))))
    ones = tuple(i for i, n in enumerate(shape[: array.ndim]) if n == 1)
    return array.sum(ones, keepdims=True)


def _factor_name(c: float, sizes: Mapping[int, str]) -> str:
    """Say c·numeric as −1, as a dimension N or 1/N, or as a number."""
    sign, size = ("−" if np.signbit(c) else ""), abs(c)
    if isclose(size, 1, rel_tol=1e-4):
        return "analytic = −1 × numeric: the sign is flipped" if sign else ""
    for n, where in sizes.items():
        if isclose(size, n, rel_tol=1e-4):
            return f"analytic = {sign}{n} × numeric: {n} is {where}"
        if isclose(size * n, 1, rel_tol=1e-4):
            return f"analytic = {sign}1/{n} × numeric: {n} is {where}"
    return f"analytic = {sign}{size:.4g} × numeric"


def _close(a, b) -> bool:
    """Equal shapes, and all entries equal to 1e-4 of the largest."""
    if a.shape != b.shape or not a.size:
        return False
    return bool(np.all(np.abs(a - b) <= 1e-4 * np.abs(b).max()))


def sizes_of(names, arrays) -> dict[int, str]:
    """Every dimension of the inputs and where it occurs first: {5: "axis 0 of X"}.

    Plumbing.
    """
    found: dict[int, str] = {}
    for name, array in zip(names, arrays, strict=True):
        for axis, n in enumerate(array.shape):
            found.setdefault(n, f"the length of axis {axis} of {name}")
    for name, array in zip(names, arrays, strict=True):
        found.setdefault(array.size, f"the number of entries of {name}")
    return found


def notes_on(check: Check, x, grad) -> list[str]:
    """Reasons not to trust a check that passes; a hint where one that fails has one.

    A check at zero is blind: terms that a zero multiplies vanish, and their gradients
    are zero whether the code for them is right or missing. Plumbing.
    """
    name, notes = check.name, []
    if x.size and not np.any(x):
        notes.append(
            f"all entries of {name} are zero: a check at zero cannot see mistakes in "
            f"what {name} multiplies; check at random values"
        )
    if check.near:
        notes.append(
            f"kinks lie nearer than a step to {len(check.near)} of what was looked at "
            f"in {name}: slopes are known only roughly there; check at other values"
        )
    if grad.dtype in (np.float32, np.float16) and not check:
        notes.append(
            f"the gradient of {name} is {grad.dtype}: rounding alone may make it "
            "differ; compute it in float64, or pass dtype=np.float32 for a coarser "
            "check"
        )
    blind = _blind(check) if check and x.size else ""
    return [*notes, blind] if blind else notes


def _blind(check: Check) -> str:
    """Why a check that passes has seen nothing of this input, or an empty string."""
    name, n = check.name, check.numeric
    if not np.any(n) and not np.any(check.analytic):
        return f"both gradients of {name} are zero throughout: nothing was verified"
    if np.all((check.verdict == NOISE) | ((n == 0) & (check.analytic == 0))):
        return f"the gradient of {name} is below the noise of f: nothing was verified"
    if n.ndim == 2 and len(n) > 1 and _close(check.analytic, check.analytic.T):
        return f"the gradient of {name} is symmetric: a transposed one would pass"
    return ""
