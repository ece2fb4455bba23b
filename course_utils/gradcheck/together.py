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

ASIDE, STEP = 1e-4, 2e-6  # ρ, and the step of the slopes, in parts of max(1, |x|)
WAYS, DIRECTIONS = 8, 4  # random ones, besides those with a reason
MOST = 200  # entries that are moved together


class Place(NamedTuple):
    """An entry: the number of its input, and its index there. Plumbing."""

    input: int
    index: tuple[int, ...]


def on_kinks(checks: list[Check]) -> list[Place]:
    """The entries whose gradient lies between the slopes of two sides. Plumbing."""
    return [
        Place(k, tuple(index.tolist()))
        for k, check in enumerate(checks)
        for index in np.argwhere(check.verdict == KINK)
    ]


def look_together(checks: list[Check], setting: Setting) -> None:
    """Call entries on kinks wrong if no choice of sides gives what they say together.

    Plumbing.
    """
    places = on_kinks(checks)
    if len(places) < 2 or any(check.noisy for check in checks):
        return
    grads = np.array([checks[k].analytic[index] for k, index in places])
    said = contradiction(setting, places, grads)
    if said:
        for k, index in places:
            checks[k].verdict[index] = WRONG
        checks[places[0].input].notes.append(said)


def contradiction(setting: Setting, places: list[Place], grads) -> str:
    """What is wrong with gradients of entries on kinks, in a sentence, or nothing.

    Plumbing.
    """
    f, rng = _moving(setting, places), np.random.default_rng(0)
    n = len(places)
    some = rng.permutation(n)[:MOST]
    bends = np.zeros(n)
    bends[some] = [_bend(f, np.eye(1, n, i)[0]) for i in some]
    for v in (np.ones(n), *rng.standard_normal((DIRECTIONS, n))):
        low, high = _slopes(f, v, bends, rng)
        claimed = float(grads @ v)
        allowed = 0.01 * max(abs(low), abs(high), abs(claimed)) + (high - low) / 4
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
        except (ArithmeticError, ValueError):
            return np.nan
        finally:
            put(before)

    return f


def _bend(f: Callable, v) -> float:
    """How much steeper f is ahead than behind, along one entry."""
    return (f(ASIDE * v) - 2 * f(0 * v) + f(-ASIDE * v)) / ASIDE


def _slopes(f: Callable, v, bends, rng) -> tuple[float, float]:
    """Least and largest slope along v beside the point, for many ways to leave it."""
    steep, all_ = np.sign(v * bends) + (bends == 0), np.ones_like(v)
    ways = [all_, -all_, steep, -steep, *rng.uniform(-1, 1, (WAYS, v.size))]
    rise = [
        (f(ASIDE * u + STEP * v) - f(ASIDE * u - STEP * v)) / (2 * STEP) for u in ways
    ]
    rise = [slope for slope in rise if np.isfinite(slope)]
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
