"""Entries on kinks, moved together: one by one, wrong gradients would pass there.

At the tie of max(a, b) every share between 0 and 1 is right for a, and for b; that both
have 1 is not, since f moves by 1 when both do. So several entries on kinks are moved
together along a few directions v. Beside the point, at x + ρu, f has ordinary slopes
along v; for each way u to leave the kinks it is what one choice of sides gives. A
gradient whose grad·v lies outside of all of them belongs to no choice of sides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from course_utils.gradcheck.comparing import KINK, WRONG, Check
from course_utils.gradcheck.setting import Setting

ASIDE, STEP = 1e-4, 0.02  # ρ in parts of max(1, |x|), at most; and h in parts of ρ
WAYS, DIRECTIONS = 8, 4  # random ones, besides those with a reason
MOST = 200  # entries that are moved together
SIDES = (
    "moved alone these entries have one slope, and beside the point they have others, "
    "as where three numbers are equal and f is their median: no slope of a single "
    "entry is right or wrong there; check at a point without ties"
)


class Place(NamedTuple):
    """An entry: the number of its input, and its index there. Plumbing."""

    input: int
    index: tuple[int, ...]


def on_kinks(checks: list[Check]) -> list[Place]:
    """The entries whose gradient lies between the slopes of two sides.

    Those with more kinks beside them are left out: what they do together depends on
    how far they move. Plumbing.
    """
    return [
        Place(k, np.unravel_index(i, check.verdict.shape))
        for k, check in enumerate(checks)
        for i in np.flatnonzero(check.verdict == KINK).tolist()
        if i not in check.near
    ]


def look_together(checks: list[Check], setting: Setting) -> None:
    """Call entries on kinks wrong if no choice of sides gives what they say together.

    Of entries that are wrong alone first those are told apart that might be right.

    Plumbing.
    """
    look_beside(checks, setting)
    places = on_kinks(checks)
    if len(places) < 2 or any(check.noisy for check in checks):
        return
    grads = np.array([checks[k].analytic[index] for k, index in places])
    said = contradiction(setting, places, grads)
    if said:
        for k, index in places:
            checks[k].verdict[index] = WRONG
        checks[places[0].input].notes.append(said)


def look_beside(checks: list[Check], setting: Setting) -> None:
    """Say nothing of entries that are wrong alone, and right on one of many sides.

    Where all of (1, 1, 1) are equal, the median stays as it is when one of them moves,
    and moves when all do: no slope of a single entry tells what is right there.

    Plumbing.
    """
    verdict = np.concatenate([check.verdict.ravel() for check in checks])
    wrong = np.flatnonzero(verdict == WRONG)
    if any(check.noisy or check.reason for check in checks):
        return
    if not 0 < wrong.size <= verdict.size <= MOST:
        return
    every = [
        Place(k, index)
        for k, check in enumerate(checks)
        for index in np.ndindex(check.verdict.shape)
    ]
    grads = np.array([checks[k].analytic[index] for k, index in every])
    if not np.isfinite(grads).all():
        return
    f = _moving(setting, every)
    if not all(_right_beside(f, i, grads, setting.eps) for i in wrong):
        return
    if not contradiction(setting, every, grads):
        for check in checks:
            if np.any(check.verdict == WRONG):
                check.noisy = SIDES


def _right_beside(f: Callable, i: int, grads, eps: float) -> bool:
    """Whether entry i has other slopes beside the point, however near, and is one."""
    v, seen = np.eye(1, grads.size, i)[0], 0
    for aside in ASIDE * 0.1 ** np.arange(12):
        rng = np.random.default_rng(0)  # the same ways to leave, at any distance
        low, high = _slopes(f, v, 0 * v, rng, aside, 5 * WAYS)
        if not np.isfinite((low, high)).all():
            return False
        size = max(abs(low), abs(high), abs(grads[i]))
        rounded = 4 * eps / (2 * STEP * aside) * (size + abs(f(0 * v)))
        if not rounded <= 0.05 * size:
            break
        allowed = 0.01 * size + rounded
        if abs(_bend(f, v, aside)) > allowed:
            return False  # it has a kink of its own, which tells what is right
        if (
            high - low < 0.1 * size
            or not low <= grads[i] + allowed <= high + 2 * allowed
        ):
            return False
        seen += 1
    return seen > 2


def contradiction(setting: Setting, places: list[Place], grads) -> str:
    """What is wrong with gradients of entries on kinks, in a sentence, or nothing.

    Other kinks may lie as near as the steps: what is wrong further out is looked at
    closer by, until rounding hides it. There it has to be wrong as well.

    Plumbing.
    """
    f, all_said = _moving(setting, places), []
    for aside in ASIDE * 0.1 ** np.arange(12):
        blur = 4 * setting.eps / (2 * STEP * aside)
        said = _contradiction_at(f, grads, aside, blur)
        if said is None:  # too close to see anything
            break
        all_said.append(said)
        if not all_said[0]:
            break
    return all_said[0] if all_said and all_said[-1] else ""


def _contradiction_at(f: Callable, grads, aside: float, blur: float) -> str | None:
    """What is wrong at a distance from the point; None where slopes are a blur."""
    rng, n = np.random.default_rng(0), len(grads)
    some = rng.permutation(n)[:MOST]
    bends = np.zeros(n)
    bends[some] = [_bend(f, np.eye(1, n, i)[0], aside) for i in some]
    for v in (np.ones(n), *rng.standard_normal((DIRECTIONS, n))):
        low, high = _slopes(f, v, bends, rng, aside)
        claimed = float(grads @ v)
        size = max(abs(low), abs(high), abs(claimed))
        rounded = blur * (size + abs(f(0 * v)))
        if not rounded <= 0.05 * size:
            return None
        allowed = 0.01 * size + (high - low) / 4 + rounded
        if not low - allowed <= claimed <= high + allowed:
            return _told(n, claimed, low, high)
    return ""


def _told(n: int, claimed: float, low: float, high: float) -> str:
    low, high = round(low, 6) + 0.0, round(high, 6) + 0.0
    rate = f"of {low:.3g}" if low == high else f"between {low:.3g} and {high:.3g}"
    return (
        f"each of {n} entries lies on a kink and may be right by itself, but when all "
        f"move together f changes at a rate {rate}, where the gradient says "
        f"{claimed:.3g}: no choice of sides gives that"
    )


def _moving(setting: Setting, places: list[Place]) -> Callable:
    """f with the entries moved by t·max(1, |x|), over max(1, |x|); NaN if f refuses."""
    arrays, value = setting.arrays, setting.value
    before = np.array([arrays[k][index] for k, index in places])
    size = np.maximum(1, np.abs(before)).max()

    def put(values) -> None:
        for (k, index), x in zip(places, values, strict=True):
            arrays[k][index] = x

    def f(t) -> float:
        put(before + size * t)
        try:
            return value() / size
        except Exception:  # f of any engine, with errors of any kind
            return np.nan
        finally:
            put(before)

    return f


def _bend(f: Callable, v, aside: float) -> float:
    """How much steeper f is ahead than behind, along one entry."""
    return (f(aside * v) - 2 * f(0 * v) + f(-aside * v)) / aside


def _slopes(
    f: Callable, v, bends, rng, aside: float, more: int = WAYS
) -> tuple[float, float]:
    """Least and largest slope along v beside the point, for many ways to leave it."""
    steep, all_ = np.sign(v * bends) + (bends == 0), np.ones_like(v)
    ways = [all_, -all_, steep, -steep, *rng.uniform(-1, 1, (more, v.size))]
    both = [(f(aside * (u + STEP * v)), f(aside * (u - STEP * v))) for u in ways]
    with np.errstate(invalid="ignore"):  # ∞ − ∞, which is left out
        rise = [np.subtract(*pair) for pair in both]
    rise = [r / (2 * STEP * aside) for r in rise if np.isfinite(r)]
    return (min(rise), max(rise)) if rise else (-np.inf, np.inf)


# --- a direction that fails -----------------------------------------------------------


def kinks_along(fails: Callable, right: Callable, n: int) -> list[int] | None:
    """The entries on kinks for which a direction fails; None if another one is wrong.

    A direction that fails is halved until single entries remain. `fails(part)` says
    whether the entries of a part, moved together, go another way than their gradient
    says; `right(i)` whether a second look finds entry i on a kink, and right.

    Plumbing.
    """
    parts, found = [np.arange(n)], []
    while parts:
        part = parts.pop()
        if not fails(part):
            continue
        if part.size == 1:
            if not right(int(part[0])):
                return None
            found.append(int(part[0]))
        else:
            parts += np.array_split(part, 2)
    return found
