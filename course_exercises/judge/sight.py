"""What the numbers of one output show by themselves, without any candidate."""

from __future__ import annotations

import numpy as np

from .comparing import scale_of
from .fitting import Column, equal

_ROUNDING = 1e-13  # of the right numbers: so much may be left of a zero


def at_sight(gots: Column, wanted: Column) -> str:
    """See whether they are zeros, or one constant: its id, or nothing. Plumbing."""
    found = [got for got in gots if got is not None and got.size]
    if not found or any(got.dtype.kind == "U" for got in found):
        return ""
    if _all_zero(gots, wanted):
        rounding = any(map(np.any, found))  # is all that is left
        if rounding and _other_shapes(gots, wanted):
            return "axis"  # a sum that cancels, taken along the wrong axis
        name = "cancelled" if rounding else "zero"
        return name if any(map(np.any, wanted)) else ""
    first = found[0].flat[0]
    same = len(found) > 1 and all(np.all(got == first) for got in found)
    return "constant" if same else ""


def _all_zero(gots: Column, wanted: Column) -> bool:
    """Whether nothing but rounding is left, where terms cancel that should not."""
    pairs = zip(gots, scale_of(wanted), strict=True)
    return all(
        got is None or np.all(np.abs(got) <= _ROUNDING * size) for got, size in pairs
    )


def _other_shapes(gots: Column, wanted: Column) -> bool:
    """Whether the output has as many axes as it should, and other lengths."""
    pairs = zip(gots, wanted, strict=True)
    known = [(got.shape, right.shape) for got, right in pairs if got is not None]
    return any(got != right for got, right in known) and all(
        len(got) == len(right) for got, right in known
    )


def not_finite(gots: Column, wanted: Column) -> bool:
    """Whether there are NaN or infinities that do not belong there. Plumbing."""
    return any(
        not np.all(np.isfinite(got)) and np.all(np.isfinite(right))
        for got, right in zip(gots, wanted, strict=True)
        if got is not None and got.dtype.kind != "U"
    )


def reshaped(gots: Column, wanted: Column) -> bool:
    """Whether the right numbers stand in another shape. Plumbing."""
    pairs = [
        (got, right)
        for got, right in zip(gots, wanted, strict=True)
        if got is not None and "U" not in (got.dtype.kind, right.dtype.kind)
    ]
    return bool(pairs) and all(equal(got, right) for got, right in pairs)
