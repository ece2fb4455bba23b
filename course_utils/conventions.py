"""The points at which engines differ, and what our own engine answers there.

A point is smooth (one answer is right), a kink (several are, by convention) or an edge
(no number is: the slope is infinite, or the function ends). What other engines answer
is stored in `data/conventions.json`; `findings/conventions` asks them. Plumbing.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils.gradcheck import gradcheck
from course_utils.tape import Op, record
from course_utils.tensor import Tensor, layer_norm, where

SMOOTH, KINK, EDGE = "smooth", "kink", "edge"
STORED = Path(__file__).resolve().parents[1] / "data" / "conventions.json"


class Point(NamedTuple):
    """A question: the gradient of f at the inputs `at`, and what is right there.

    `kind` is smooth, kink or edge; `right` the gradients one after the other, None but
    for a smooth point. Plumbing.
    """

    kind: str
    right: tuple | None
    at: tuple
    f: Callable[..., Tensor]


TIE, ONES, ZERO = (1.0, 1.0), ((1.0, 1.0), (1.0, 1.0)), (0.0, 0.0)
ROW, NEVER = (0.5, -1.0, 3.0, 2.5), float("-inf")
SHARES = (0.3, -0.6, 0.9, 0.1)  # what each entry of a normalised row counts
NORMALISED = (0.2072159, -0.0967516, 0.1516028, -0.2620672)


def _elu(x):
    # Not x.minimum(0).exp(): its tie at 0 would share the slope, and 0.5 is wrong.
    below = where(x.data > 0, 0.0, x)
    return where(x.data > 0, x, below.exp() - 1)


def _det(A):
    return A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]


def _cumprod(x):
    return x[0] + x[0] * x[1] + x[0] * x[1] * x[2]


def _layer_norm(x):
    return (layer_norm(x, np.ones(4), np.zeros(4), 0.0) * SHARES).sum()


def _windows(x):
    return x[np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4]])].sum()


def _write(v):
    # Our tensors are not written to; the last of several writes is the one that stays.
    kept = {place: k for k, place in enumerate((1, 1))}
    return v[kept[1]]


def _atan2_vjp(g, angle, y, x):
    square = x * x + y * y
    return g * x / square, -g * y / square


# No operation of the course needs it: the rule is here.
ATAN2, NO_ROWS = Op("arctan2", np.arctan2, _atan2_vjp), np.zeros((0, 2))


def _ignored(z):
    counted = np.zeros(1)  # no label counts: a mean over nothing, 0/0
    return -(z.log_softmax()[np.array([1])] * counted).sum() / counted.sum()


POINTS = {
    "relu at 0": Point(KINK, None, (0.0,), lambda x: x.relu()),
    "|x| at 0": Point(KINK, None, (0.0,), lambda x: x.abs()),
    "maximum(a, b), tie": Point(KINK, None, (1.0, 1.0), lambda a, b: a.maximum(b)),
    "minimum(a, b), tie": Point(KINK, None, (1.0, 1.0), lambda a, b: a.minimum(b)),
    "max of (1, 1)": Point(KINK, None, (TIE,), lambda x: x.max()),
    "clip to [0, 1] at 1": Point(KINK, None, (1.0,), lambda x: x.clip(0, 1)),
    "norm of (0, 0)": Point(KINK, None, (ZERO,), lambda x: (x * x).sum().sqrt()),
    "std of (1, 1, 1)": Point(KINK, None, ((1.0,) * 3,), lambda x: x.std()),
    "least of sorted (1, 1, 1)": Point(
        KINK, None, ((1.0,) * 3,), lambda x: x[np.argsort(x.data, kind="stable")][0]
    ),
    # No entry alone moves this median, all together do: no gradient says both.
    "median of (1, 1, 1)": Point(
        EDGE, None, ((1.0,) * 3,), lambda x: x[np.argsort(x.data, kind="stable")][1]
    ),
    "max pool, four equal": Point(KINK, None, (ONES,), lambda x: x.max()),
    "sqrt at 0": Point(EDGE, None, (0.0,), lambda x: x.sqrt()),
    "a^b at (0, 0)": Point(EDGE, None, (0.0, 0.0), lambda a, b: a**b),
    "where(x > 0, √x, 0) at 0": Point(
        EDGE, None, (0.0,), lambda x: where(x.data > 0, x.sqrt(), 0.0)
    ),
    "where(x > 0, log x, 0) at 0": Point(
        EDGE, None, (0.0,), lambda x: where(x.data > 0, x.log(), 0.0)
    ),
    "logsumexp of (−∞, −∞)": Point(
        EDGE, None, ((NEVER, NEVER),), lambda x: x.logsumexp()
    ),
    "x/|x| at (0, 0), first": Point(
        EDGE, None, (ZERO,), lambda x: (x / (x * x).sum().sqrt())[0]
    ),
    "1/(1 + exp(−x)) at −1000": Point(  # eˣ leaves the floats
        EDGE, None, (-1000.0,), lambda x: 1 / ((-x).exp() + 1)
    ),
    "atan2(y, x) at (0, 0)": Point(
        EDGE, None, (0.0, 0.0), lambda y, x: record(Tensor, ATAN2, y, x)
    ),
    "mean of no rows": Point(EDGE, None, ((3.0, 4.0),), lambda w: (NO_ROWS @ w).mean()),
    "loss, all labels ignored": Point(EDGE, None, ((0.5, -1.0, 2.0),), _ignored),
    "maximum(x, x) at 1": Point(SMOOTH, (1,), (1.0,), lambda x: x.maximum(x)),
    "x⁰ at 0": Point(SMOOTH, (0,), (0.0,), lambda x: x**0.0),
    "product of (0, 2, 3)": Point(
        SMOOTH, (6, 0, 0), ((0.0, 2.0, 3.0),), lambda x: x[0] * x[1] * x[2]
    ),
    "product of (0, 0, 3)": Point(
        SMOOTH, (0, 0, 0), ((0.0, 0.0, 3.0),), lambda x: x[0] * x[1] * x[2]
    ),
    "Σ cumprod of (0, 2, 3)": Point(SMOOTH, (9, 0, 0), ((0.0, 2.0, 3.0),), _cumprod),
    "det (1 1; 1 1)": Point(SMOOTH, (1, -1, -1, 1), (ONES,), _det),
    "det (0 0; 0 2)": Point(SMOOTH, (2, 0, 0, 0), (((0.0, 0.0), (0.0, 2.0)),), _det),
    "log_softmax of (−∞, 0), second": Point(
        SMOOTH, (0, 0), ((NEVER, 0.0),), lambda x: x.log_softmax()[1]
    ),
    "BCE on logits at 0, label 0": Point(
        SMOOTH,
        (0.5,),
        ((0.0,),),
        lambda z: z.binary_cross_entropy_with_logits(np.zeros(1)),
    ),
    "soft labels (1, 1, 0)": Point(
        SMOOTH,
        (-1 / 3, -1 / 3, 2 / 3),
        ((0.0, 0.0, 0.0),),
        lambda z: -(z.log_softmax() * np.array([1.0, 1, 0])).sum(),
    ),
    "elu at 0": Point(SMOOTH, (1,), (0.0,), _elu),
    "logaddexp at (0, 0)": Point(
        SMOOTH,
        (0.5, 0.5),
        (0.0, 0.0),
        lambda a, b: a.maximum(b) + ((-(a - b).abs()).exp() + 1).log(),
    ),
    "read x[0, 0, 1]": Point(
        SMOOTH, (2, 1), ((3.0, 4.0),), lambda x: x[np.array([0, 0, 1])].sum()
    ),
    "overlapping windows": Point(
        SMOOTH, (1, 2, 3, 2, 1), ((0.5, -1.0, 2.0, 0.3, 1.1),), _windows
    ),
    "normalised, no scale": Point(SMOOTH, NORMALISED, (ROW,), _layer_norm),
    "write y[1, 1] = v, y₁": Point(SMOOTH, (0, 1), ((5.0, 7.0),), _write),
    "integer input: x/2 at 3": Point(SMOOTH, (0.5,), (3,), lambda x: 0.5 * x),
}


def stored() -> dict:
    """What other engines answered: the names of the points, and a column for each.

    `["engines"][name]` has the version, the date and the answers. Raises ValueError
    where the file is missing or damaged. Plumbing.
    """
    try:
        return json.loads(STORED.read_text(encoding="utf-8"))
    except (OSError, ValueError) as why:
        raise ValueError(
            f"expected the answers of other engines in {STORED}, found {why}; take the "
            f"file from the course again, or ask anew: findings/conventions/ask_all.sh"
        ) from why


def answers() -> dict[str, list[float] | str]:
    """What our engine answers at each point: numbers, or the name of an error.

    Plumbing.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing
        return {name: _answer(point) for name, point in POINTS.items()}


def _answer(point: Point) -> list[float] | str:
    leaves = [Tensor(np.asarray(x)) for x in point.at]
    try:
        point.f(*leaves).backward()
    except (ArithmeticError, TypeError, ValueError) as why:
        return type(why).__name__
    return np.concatenate([np.ravel(leaf.grad) for leaf in leaves]).tolist()


def judged(name: str, answer: list | str | None) -> str:
    """What the referee says to an answer: right, wrong, no number, error or absent.

    At an edge nothing is judged, and the verdict is "edge". On a kink, "right" is what
    lies between the slopes of both sides. Plumbing.
    """
    point = POINTS[name]
    if not isinstance(answer, list):
        return "absent" if answer is None else "error"
    if point.kind == EDGE:
        return "edge"
    found = np.array(answer, float)
    if not np.isfinite(found).all():
        return "no number"
    if point.right is not None:
        near = np.allclose(found, point.right, 1e-4, 1e-5)  # float32 on the other side
        return "right" if near else "wrong"
    return "right" if _allowed(point, found) else "wrong"


def _allowed(point: Point, found: np.ndarray) -> bool:
    inputs = [np.asarray(x, float) for x in point.at]
    ends = np.cumsum([x.size for x in inputs])[:-1]
    parts = np.split(found, ends)
    grads = [part.reshape(x.shape) for part, x in zip(parts, inputs, strict=True)]

    def value(*arrays):
        return point.f(*map(Tensor, arrays)).item()

    return bool(gradcheck(value, inputs, grads, rtol=1e-4))
