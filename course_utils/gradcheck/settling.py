"""Where the quick test fails, the second look settles the verdict."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_utils.gradcheck.comparing import KINK, NOISE, RIGHT, WRONG, Check, agrees
from course_utils.gradcheck.look import Look
from course_utils.gradcheck.setting import Setting

FINER, WIDER = (1 / 4,), (16, 256, 4096)  # steps, in those of the quick test


def look_again(check: Check, look: Callable, slope: Callable, setting: Setting) -> None:
    """Take the second look where the quick test failed; settle each entry's verdict.

    Wrong entries are taken worst first, until 20 are found wrong for certain. Of those
    that only noise excuses, the worst five and 2 % of all are looked at as well: the
    second look has less noise, so that gradients too small for the quick test do not
    pass unseen. Most need none, since `slope(i, k)`, with a step of k times the quick
    test's, agrees without an excuse and costs four calls: a wider one where noise was
    in the way, a finer one where the curvature of f was.

    Plumbing.
    """
    if np.all(check.verdict == RIGHT):
        return
    order = np.argsort(-check.scores().ravel(), stable=True)
    verdict = check.verdict.ravel()[order]
    confirmed, few = 0, 5 + order.size // 50
    wrong, noise = order[verdict == WRONG], order[verdict == NOISE][:few]
    for place, i in enumerate((*wrong, *noise)):
        factors = FINER if place < wrong.size else WIDER
        if any(right_by(check, i, slope(i, k), setting.rtol) for k in factors):
            continue
        found = look(i)
        check.noisy = setting.noise_named(found)
        confirmed += settle(check, i, found, setting.rtol) == WRONG
        if check.noisy or confirmed == 20:
            return


def look_at_bends(
    check: Check, look, rtol: float, bends, no_kink: Callable = lambda i: False
) -> None:
    """List the kinks where the quick test agreed, as 0 does for |x| at x = 0.

    `bends` (n,) holds |f(x + h) − 2·f(x) + f(x − h)| / h, the distance between the
    slopes on both sides. Where it is no small part of the gradient we look, largest
    first, until five in a row are no kinks; without a second look where `no_kink(i)`
    says so, which costs five calls.

    Plumbing.
    """
    size, misses = np.abs(check.numeric).max(initial=0.0), 0
    verdict = check.verdict.ravel()
    for i in np.argsort(-bends, stable=True):
        if check.noisy or misses == 5 or not bends[i] > 0.01 * size:
            return
        if verdict[i] in (RIGHT, NOISE):
            if no_kink(i):
                misses += 1
                continue
            found = look(i)
            misses = 0 if found.kink else misses + 1
            settle(check, i, found, rtol)


def right_by(check: Check, i: int, slope: float, rtol: float) -> bool:
    """Call entry i right if it agrees with a better slope, noise left out of account.

    Plumbing.
    """
    at = np.unravel_index(i, check.numeric.shape)
    a = float(check.analytic[at])  # a float16 would round the slope to its own digits
    tolerance = rtol * max(abs(a), abs(slope))
    if not agrees(a, slope, tolerance):
        return False
    check.numeric[at], check.tolerance[at] = slope, tolerance
    check.verdict[at] = RIGHT
    return True


def settle(check: Check, i: int, look: Look, rtol: float) -> int:
    """Judge entry i by its second look: |a − slope| ≤ rtol·max(|a|, |slope|) + margin.

    Plumbing.
    """
    at = np.unravel_index(i, check.numeric.shape)
    a, n = float(check.analytic[at]), look.slope
    size = max(abs(a), abs(n))
    if look.near:
        check.near.add(int(i))
    check.numeric[at], check.tolerance[at] = n, rtol * size + look.margin
    small = look.margin > 1e-3 * size
    good = KINK if look.kink else NOISE if small else RIGHT
    check.verdict[at] = good if agrees(a, n, check.tolerance[at]) else WRONG
    return int(check.verdict[at])
