"""How a function of each element is written in a loop, on one number at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def as_type(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The same numbers in another dtype. Plumbing."""
    return np.asarray(x).astype(dtype)[()]


# What is an operator on arrays is the same one on numbers.
WRITTEN: dict[Callable, str] = {
    np.add: "{} + {}",
    np.subtract: "{} - {}",
    np.multiply: "{} * {}",
    np.true_divide: "{} / {}",
    np.negative: "-{}",
    np.positive: "{}",
    np.square: "{0} * {0}",
    np.power: "{} ** {}",
    np.greater: "{} > {}",
    np.greater_equal: "{} >= {}",
    np.less: "{} < {}",
    np.less_equal: "{} <= {}",
    np.equal: "{} == {}",
    np.not_equal: "{} != {}",
    np.bitwise_and: "{} & {}",
    np.bitwise_or: "{} | {}",
    np.invert: "~{}",
    np.where: "{1} if {0} else {2}",
    as_type: "{}",
}
# What has a name keeps it: Numba knows these functions of NumPy.
WRITTEN |= {
    f: f"np.{f.__name__}({', '.join(['{}'] * f.nin)})"
    for f in (
        *(np.exp, np.log, np.log1p, np.expm1, np.sqrt, np.tanh, np.sinh, np.cosh),
        *(np.sin, np.cos, np.tan, np.arctan, np.absolute, np.sign, np.reciprocal),
        *(np.floor, np.ceil, np.rint, np.isnan, np.isfinite, np.isinf),
        *(np.maximum, np.minimum, np.hypot, np.arctan2),
        *(np.logical_and, np.logical_or, np.logical_not),
    )
}
# NumPy computes these eight and more at a time, Numba one by one.
MANY = 1000  # elements, from which on that is worth a call
SLOW = (np.exp, np.log, np.log1p, np.expm1, np.tanh, np.sinh, np.cosh, np.sin, np.cos)
