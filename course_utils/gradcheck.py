"""The conscience of the course: it says whether a gradient is right.

A derivative can be measured without knowing how it is computed: nudge one input up
and down, and look at what the output does. `gradcheck` measures every entry in this way
and compares. Where an entry disagrees it looks a second time, with many step sizes,
before it calls the gradient wrong: the point may lie on a kink, or f may be noisy.

What is compared, and how strictly:

- Shapes first. A gradient of another shape is wrong; nothing is ever broadcast.
- Entry by entry, never a sum or a mean: |a − n| ≤ rtol·max(|a|, |n|) + noise.
- `noise` is what rounding leaves in the quotient (eps·|f|/h), never a fixed number: a
  fixed number as large as the gradient would let zeros pass.
- rtol = 1e-6. The central difference is good to about eps^(2/3) = 4e-11, times what the
  curvature of f adds. That leaves room for four lost digits, and is still a thousand
  times stricter than the smallest mistake that we promise to find (0.1 %).
"""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from math import isclose, prod
from typing import NamedTuple

import numpy as np

RTOL = {"d": 1e-6, "f": 1e-3}  # by dtype.char: float64, float32
EPS = {"d": np.finfo("d").eps, "f": np.finfo("f").eps}
TINY = np.nextafter(0.0, 1.0)  # 5e-324: no number is closer to 0, nor another to it
RIGHT, NOISE, KINK, WRONG = range(4)  # the verdict on one entry

# --- measuring a derivative -----------------------------------------------------------


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


def numerical_gradient(f: Callable, x, h: float | None = None):
    """Gradient of f at x by central differences, (f(x + h·eᵢ) − f(x − h·eᵢ)) / 2h.

    x: an array of any shape or a float; f(x) is a number. The result has the shape of
    x. f is called twice per entry, with a float64 copy of x that is nudged in place.
    Without `h`, `step_size` chooses a step for each entry.

    Raises TypeError for integers, ValueError for NaN or inf in x, for a step that is
    not positive or vanishes beside x, for f(x) that is no number, for f that changes x.

    Taught in: 04_gradient_checking.
    """
    x = _float_copy("x", x)
    flat, before = x.reshape(-1), x.copy()
    steps = _given_steps(flat, h) if h is not None else step_size(flat)
    high, low = nudged_values(lambda: _number(f(x)), flat, steps)
    _refuse_changes(["x"], [x], [before])
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
    z = _float_copy("x", x).astype(complex)
    flat, slopes = z.reshape(-1), np.empty(z.size)
    for i, real in enumerate(flat.tolist()):
        flat[i] = real + 1j * h
        slopes[i] = _number(f(z), complex).imag / h
        flat[i] = real
    return slopes.reshape(z.shape)[()]


def relative_error(a, b):
    """Elementwise |a − b| / max(|a|, |b|), and 0 where both are 0.

    Between 0 and 2: 2 for an opposite sign, 1 where one side is 0. Nothing is
    broadcast. NaN and inf on either side give NaN.

    Raises ValueError for unequal shapes.

    Taught in: 04_gradient_checking.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        raise ValueError(
            f"expected two arrays of one shape, found {a.shape} and {b.shape}; "
            "broadcasting them would compare entries that do not belong together"
        )
    with np.errstate(invalid="ignore"):
        gap, size = np.abs(a - b), np.maximum(np.abs(a), np.abs(b))
        return np.divide(gap, size, out=np.zeros(a.shape), where=size != 0)[()]


# --- the second look ------------------------------------------------------------------


class Look(NamedTuple):
    """What a second look at one entry found: the slope, give or take `margin`.

    On a kink every value between the two one-sided slopes is a subgradient: `slope` is
    then their middle and `margin` half their distance. `scatter` is the noise of f's
    values in parts of their size; `float32` says that all are float32 numbers.

    Plumbing.
    """

    slope: float
    margin: float
    kink: bool
    scatter: float
    float32: bool


def scatter_level(
    probe: Callable[[float], float], step: float, start: float = 0.0
) -> float:
    """Scatter of f's values: root mean square of Δ⁶f / √924 over 16 close points.

    Sixth differences of a smooth f vanish at close points; what remains is rounding,
    enlarged by √(12!/(6!·6!)) = √924.

    Plumbing.
    Source: J. Moré & S. Wild (2011), Estimating computational noise.
    """
    values = [probe(start + k * step) for k in range(16)]
    return np.sqrt(np.mean(np.diff(values, 6) ** 2) / 924)


def noise_level(probe: Callable[[float], float], h: float) -> float:
    """Least scatter of four: on both sides of the point, at wide and at narrow spacing.

    A kink among the points looks like noise; on one side, or closer by, there is none.
    The narrow points keep many spacings away from x, since a slope that bends there
    without end, like that of |x|^1.2, looks like noise from close by. Points so close
    that f does not change at all (in float32, say) tell nothing.

    Plumbing.
    """
    wide = min(scatter_level(probe, h / 8), scatter_level(probe, -h / 8))
    away, near = h / 8, h / 2**15
    narrow = min(scatter_level(probe, near, away), scatter_level(probe, -near, -away))
    return min(wide, narrow) if narrow > 0 else wide


def extrapolate(steps, up, down, middle, noise):
    """Best slope over many steps and its margin: R(h) = (16·D(h) − D(4h)) / 15.

    D(h) = (f(x+h) − f(x−h)) / 2h is wrong by a multiple of h², which R cancels. The
    error counts how much R still moves from step to step, the rounding noise/h, and
    whether the gap between the one-sided slopes fails to shrink with h: it does where
    the step straddles a kink. `steps` fall by factors of 4; `noise` is that of f there.
    The margin is what R still moves, and four times the rounding. Where R converges
    slowly, `still_to_go` takes it to its limit.

    Plumbing.
    Source: L. Richardson (1911), The approximate arithmetical solution by finite
    differences; C. Ridders (1982), Accurate computation of F′(x) and F′(x)F″(x).
    """
    D, gap = (up - down) / (2 * steps), (up - 2 * middle + down) / steps
    R = (16 * D[1:] - D[:-1]) / 15
    moves, rounding = np.diff(R), (noise[2:] + noise[1:-1] / 16) / steps[2:]
    error = np.abs(moves) + np.abs(4 * gap[2:] - gap[1:-1]) + rounding
    rest = moves * still_to_go(np.abs(moves), rounding)
    margin = np.abs(moves) + np.abs(rest) / 2 + 4 * rounding
    finite = np.flatnonzero(np.isfinite(error))
    if finite.size == 0:
        return np.nan, 0.0
    R, error, margin = (R[1:] + rest)[finite], error[finite], margin[finite]
    best = np.argmin(error / (np.abs(R) + error.min()))
    return R[best], margin[best]


def still_to_go(moves, rounding) -> float:
    """How many more moves like its last one a slow sequence has before it: r/(1 − r).

    Where f bends like |x|^1.2, slopes approach their limit as h^0.2: each move is r
    times the one before. If the last five that stand clear of rounding say so, the
    moves to come add up to r + r² + … = r/(1 − r) of the last; else to nothing much.

    Plumbing.
    Source: A. C. Aitken (1926), On Bernoulli's numerical solution of algebraic
    equations.
    """
    clear = np.flatnonzero(moves > 10 * rounding)[-5:]
    if clear.size < 5 or clear[-1] - clear[0] != 4:
        return 0.0
    ratios = moves[clear[1:]] / moves[clear[:-1]]
    r = ratios[-1]
    steady = ratios.max() < 1.25 * ratios.min() and 0.2 < r < 1
    return float(r / (1 - r)) if steady else 0.0


def is_kink(steps, gap, noise) -> bool:
    """Whether the one-sided slopes keep their distance |f′₊ − f′₋| however small h is.

    For a smooth f the gap is |f″|·h and shrinks with h. We take the gap at the smallest
    step where it stands clear of the noise; on a kink it is the same at larger steps,
    and at every smaller step where noise would let us see it.

    Plumbing.
    """
    clear = np.flatnonzero(gap > 20 * noise / steps)
    if clear.size < 3:
        return False
    jump = gap[clear[-1]]
    near = (steps < 100 * steps[clear[-1]]) & (40 * noise / steps < jump)
    same = (gap[near] > jump / 2) & (gap[near] < 2 * jump)
    return bool(same.size > 2 and same.all())


def one_sided_slopes(steps, up, down, middle):
    """Slopes f′₋ and f′₊ at x: (4·F(h/4) − F(h)) / 3, F(h) = (f(x ± h) − f(x)) / ±h.

    The error h·f″/2 of a one-sided difference cancels. `steps`: (h, h/4).

    Plumbing.
    """
    left, right = (middle - down) / steps, (up - middle) / steps
    return (4 * left[1] - left[0]) / 3, (4 * right[1] - right[0]) / 3


def hidden_noise(probe: Callable, steps, up, down, middle, rounding: float):
    """Noise of an f that does not move near x, seen where it begins to move, or 0.

    A flat f hides its rounding: log(1 + eˣ) is 0 at x = −40, as a difference of larger
    numbers, and its slope of 4e-18 is not wrong. At x = −25 it is a staircase, and the
    first stair, which may begin at x itself, is its noise, but no more than the numbers
    inside may round. Where f never moves, or is `rounding` alone, a part of it is.

    Plumbing.
    """
    moves = np.maximum(np.abs(up - middle), np.abs(down - middle))
    if np.ptp(moves[-3:]) != 0:
        return 0.0
    moved = np.flatnonzero(moves)[-3:]
    ends = [steps[i] if up[i] != middle else -steps[i] for i in moved]
    seen = [scatter_level(probe, end / 2**15, end) for end in ends]
    stair = min([rounding, *moves[moved[-1:]]])
    inside = abs(middle) <= rounding or not moved.size
    return max([rounding / 4 if inside else stair, *seen])


def second_look(
    probe: Callable[[float], float], x: float, h: float, eps: float, size: float
) -> Look:
    """Slope of t ↦ probe(t) = f(x + t) at t = 0, over many steps.

    Rounding numbers inside f may move its value by some eps·`size`: that is no scatter
    to speak of, though f itself may be smaller still.

    Plumbing.
    """
    (steps, at), rounding = _ladder(x, h), 4 * eps * size
    middle = probe(0.0)
    up, down = (np.array([probe(s) for s in side]) for side in (steps, -steps))
    values = np.maximum(np.maximum(np.abs(up), np.abs(down)), abs(middle))
    own = np.fmax(noise_level(probe, h), eps * values + TINY)
    hidden = hidden_noise(probe, steps, up, down, middle, rounding)
    noise = np.fmax(own, hidden)
    slope, margin = extrapolate(steps, up, down, middle, noise)
    sides = _kink_slopes(steps, up, down, middle, noise, at)
    near = own[at][1], max(abs(x * slope), values[at][1])
    scatter = max(0.0, near[0] - rounding) / (near[1] or 1.0)
    float32 = _all_float32([middle, *up, *down], rounding)
    if sides is None:
        return Look(slope, margin, False, scatter, float32)
    # The slope is between those of the sides, or further on where they still move.
    left, *_, right = sorted([*sides, slope])
    half, rounding = (right - left) / 2, (noise / steps)[at][1]
    return Look(left + half, half + 4 * rounding, True, scatter, float32)


def _kink_slopes(steps, up, down, middle, noise, at: slice):
    """The slopes on both sides if the point lies on a kink, else None.

    A kink nearer than the last three steps cannot be told from one at the point itself.
    """
    gap = np.abs(up - 2 * middle + down) / steps
    if not is_kink(steps[:-3], gap[:-3], noise[:-3]):
        return None
    return one_sided_slopes(steps[at], up[at], down[at], middle)


def _ladder(x: float, h: float) -> tuple[np.ndarray, slice]:
    """Steps h·4ᵏ from max(1, |x|) down to 1e-8·h, and where among them (h, h/4) stand.

    Each is made a step that x + step takes without rounding.
    """
    rungs = max(2, int(np.log(max(1, abs(x)) / h) / np.log(4)))
    steps = h * 4.0 ** np.arange(rungs, -14, -1)
    steps = (x + steps) - x
    return steps[steps > 0], slice(rungs, rungs + 2)


def _all_float32(values, rounding: float) -> bool:
    """Whether f, at many points, gave many different numbers, and float32 ones only.

    What is left of larger numbers, such as log(1 + eˣ) at x = −25, has few digits, too:
    where `rounding` is as coarse as float32, a number says nothing.
    """
    values = np.unique(values)
    values = values[np.isfinite(values) & (np.abs(values) * 2.0**-24 > rounding)]
    return values.size > 4 and bool(np.all(values == values.astype(np.float32)))


# --- comparing ------------------------------------------------------------------------


@dataclass
class Check:
    """The verdict on one input: `analytic` against `numeric`, entry by entry.

    `tolerance` and `verdict` have the shape of `numeric`. `reason` is filled where the
    gradient as a whole cannot be right, `looks_like` where a wrong one has a name.
    `noisy` is the reason why nothing could be said.

    Plumbing.
    """

    name: str
    analytic: np.ndarray
    numeric: np.ndarray
    tolerance: np.ndarray
    verdict: np.ndarray
    label: str
    reason: str = ""
    looks_like: str = ""
    noisy: str = ""
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not (self.reason or self.noisy or np.any(self.verdict == WRONG))

    def scores(self):
        """Error in units of the tolerance; 0 where a is n, inf where not finite."""
        with np.errstate(invalid="ignore", divide="ignore"):
            gap = np.abs(self.analytic - self.numeric)
            scores = np.where(gap == 0, 0.0, gap / self.tolerance)
        finite = np.isfinite(self.analytic) & np.isfinite(self.numeric)
        return np.where(finite, scores, np.inf)

    def worst(self) -> Worst | None:
        """The wrong entry of largest error; if all are right, the one nearest to it."""
        if self.reason or not self.numeric.size:
            return Worst(self.name, None, np.nan, np.nan) if self.reason else None
        scores = self.scores()
        if np.any(self.verdict == WRONG):
            scores = np.where(self.verdict == WRONG, scores, -np.inf)
        # Of equals the first: which one rounding would choose differs by machine.
        return self.entry(np.argmax(scores >= 0.9999 * scores.max()))

    def shown(self) -> Worst | None:
        """What the table shows: the worst entry, or of a right input the largest."""
        if not self or not self.numeric.size:
            return self.worst()
        size = np.abs(self.numeric)
        return self.entry(np.argmax(size >= 0.9999 * size.max()))

    def entry(self, i: int) -> Worst:
        """Entry number i, counted through the flattened array."""
        index = tuple(int(k) for k in np.unravel_index(i, self.numeric.shape))
        pair = self.analytic[index], self.numeric[index]
        return Worst(self.name, index, float(pair[0]), float(pair[1]))


class Worst(NamedTuple):
    """One entry of a check; `index` is None where a whole gradient has the wrong shape.

    Plumbing.
    """

    input: str
    index: tuple[int, ...] | None
    analytic: float
    numeric: float


def agrees(a, n, tolerance):
    """Elementwise |a − n| ≤ tolerance; False where a or n is NaN or infinite.

    Taught in: 04_gradient_checking.
    """
    with np.errstate(invalid="ignore"):
        return (np.abs(a - n) <= tolerance) & np.isfinite(a) & np.isfinite(n)


def compare(name, analytic, numeric, floor, rtol: float, label: str = "") -> Check:
    """Verdict by the quick test: |a − n| ≤ rtol·max(|a|, |n|), or else ≤ that + floor.

    Entries that need the floor are marked NOISE: they agree within what rounding leaves
    in the quotient, no better. `floor` has the shape of `numeric`.

    Plumbing.
    """
    label = label or str(numeric.shape)
    if analytic.shape != numeric.shape:
        return _misshapen(name, analytic, numeric)
    strict = rtol * np.maximum(np.abs(analytic), np.abs(numeric))
    verdict = np.full(numeric.shape, WRONG)
    verdict[agrees(analytic, numeric, strict + floor)] = NOISE
    verdict[agrees(analytic, numeric, strict)] = RIGHT
    return Check(name, analytic, numeric, np.asarray(strict + floor), verdict, label)


def _misshapen(name: str, analytic, numeric) -> Check:
    """The verdict on a gradient of another shape than its input's."""
    reason = f"shape {analytic.shape} where {numeric.shape} was expected"
    nothing, label = np.zeros(numeric.shape), str(numeric.shape)
    return Check(name, analytic, numeric, nothing, nothing, label, reason)


def look_again(check: Check, look: Callable, setting: Setting) -> None:
    """Take the second look where the quick test failed; settle each entry's verdict.

    Wrong entries are taken worst first, until 20 are found wrong for certain. Of those
    that only noise excuses, the worst five and 2 % of all are looked at as well: the
    second look has less noise, so that gradients too small for the quick test do not
    pass unseen.

    Plumbing.
    """
    order = np.argsort(-check.scores().ravel(), stable=True)
    verdict = check.verdict.ravel()[order]
    confirmed, few = 0, 5 + order.size // 50
    for i in (*order[verdict == WRONG], *order[verdict == NOISE][:few]):
        found = look(i)
        check.noisy = setting.noise_named(found)
        confirmed += settle(check, i, found, setting.rtol) == WRONG
        if check.noisy or confirmed == 20:
            return


def look_at_bends(check: Check, look, rtol: float, bends) -> None:
    """List the kinks where the quick test agreed, as 0 does for |x| at x = 0.

    `bends` (n,) holds |f(x + h) − 2·f(x) + f(x − h)| / h, the distance between the
    slopes on both sides. Where it is no small part of the gradient we look, largest
    first, until five in a row are no kinks.

    Plumbing.
    """
    size, misses = np.abs(check.numeric).max(initial=0.0), 0
    verdict = check.verdict.ravel()
    for i in np.argsort(-bends, stable=True):
        if check.noisy or misses == 5 or not bends[i] > 0.01 * size:
            return
        if verdict[i] in (RIGHT, NOISE):
            found = look(i)
            misses = 0 if found.kink else misses + 1
            settle(check, i, found, rtol)


def settle(check: Check, i: int, look: Look, rtol: float) -> int:
    """Judge entry i by its second look: |a − slope| ≤ rtol·max(|a|, |slope|) + margin.

    Plumbing.
    """
    at = np.unravel_index(i, check.numeric.shape)
    a, n = check.analytic[at], look.slope
    size = max(abs(a), abs(n))
    check.numeric[at], check.tolerance[at] = n, rtol * size + look.margin
    small = look.margin > 1e-3 * size
    good = KINK if look.kink else NOISE if small else RIGHT
    check.verdict[at] = good if agrees(a, n, check.tolerance[at]) else WRONG
    return int(check.verdict[at])


# --- naming a mistake -----------------------------------------------------------------


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


def _sizes(names, arrays) -> dict[int, str]:
    """Every dimension of the inputs and where it occurs first: {5: "axis 0 of X"}."""
    found: dict[int, str] = {}
    for name, array in zip(names, arrays, strict=True):
        for axis, n in enumerate(array.shape):
            found.setdefault(n, f"the length of axis {axis} of {name}")
    for name, array in zip(names, arrays, strict=True):
        found.setdefault(array.size, f"the number of entries of {name}")
    return found


def _notes(check: Check, x, grad) -> list[str]:
    """Reasons not to trust a check that passes; a hint where one that fails has one.

    A check at zero is blind: terms that a zero multiplies vanish, and their gradients
    are zero whether the code for them is right or missing.
    """
    name, notes = check.name, []
    if x.size and not np.any(x):
        notes.append(
            f"all entries of {name} are zero: a check at zero cannot see mistakes in "
            f"what {name} multiplies; check at random values"
        )
    if grad.dtype in (np.float32, np.float16) and not check:
        notes.append(
            f"the gradient of {name} is {grad.dtype}: rounding alone may make it "
            "differ; compute it in float64, or pass dtype=np.float32 for a coarser "
            "check"
        )
    return notes + ([_blind(check)] if check and x.size and _blind(check) else [])


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


# --- the report -----------------------------------------------------------------------

HEADINGS = ("input", "shape", "entry", "analytic", "numeric", "error", "verdict")


class Report:
    """What a gradient check found; true exactly if every gradient is right.

    `checks`: one `Check` per input. `worst`: the worst entry as (input, index,
    analytic, numeric), None where there are no entries. `kinks`: (input, index) of the
    entries where f has a kink and the gradient is one of its subgradients. The table
    shows the worst entry of a wrong input and the largest of a right one.

    Plumbing.
    """

    def __init__(self, checks: list[Check], rtol: float):
        self.checks, self.rtol = checks, rtol

    def __bool__(self) -> bool:
        return all(self.checks)

    @property
    def worst(self) -> Worst | None:
        """The worst entry of all inputs: of a wrong input, if there is one."""
        shown = [(_rank(check), check.worst()) for check in self.checks]
        shown = [pair for pair in shown if pair[1] is not None]
        return max(shown, key=lambda pair: pair[0])[1] if shown else None

    @property
    def kinks(self) -> list[tuple[str, tuple[int, ...]]]:
        """Entries where f has a kink, and the gradient lies between its two slopes."""
        return [
            (check.name, tuple(index.tolist()))
            for check in self.checks
            for index in np.argwhere(check.verdict == KINK)
        ]

    @property
    def messages(self) -> list[str]:
        """Everything that the table has no column for, one sentence each."""
        wrong = [f"{c.name}: {c.reason}" for c in self.checks if c.reason]
        alike = [f"{c.name} looks like: {c.looks_like}" for c in self.checks]
        noisy = list(dict.fromkeys(c.noisy for c in self.checks))
        notes = [note for c in self.checks for note in c.notes]
        alike = [line for line in alike if not line.endswith(": ")]
        return [line for line in wrong + alike + noisy + notes if line]

    def __repr__(self) -> str:
        rows = [HEADINGS, *(_row(check, self.rtol) for check in self.checks)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)) for row in rows]
        return "\n".join(line.rstrip() for line in [*lines, *self.messages])

    def _repr_html_(self) -> str:
        rows = [_html_row(_row(c, self.rtol), _colour(c)) for c in self.checks]
        parts = ["<table style='border-collapse:collapse'>", _html_head(), *rows]
        said = [f"<div>{html.escape(line)}</div>" for line in self.messages]
        wrong = [c for c in self.checks if not (c or c.reason or c.noisy)]
        maps = [error_map(check) for check in wrong]
        return "".join([*parts, "</table>", *said, *maps])


def _rank(check: Check) -> tuple[bool, float]:
    """Wrong inputs before right ones; among equals the larger error first."""
    if check.reason:
        return True, np.inf
    return not check, float(np.max(check.scores(), initial=0.0))


def _verdict(check: Check) -> str:
    """The verdict on one input in a few words."""
    wrong, kinks = (int(np.sum(check.verdict == v)) for v in (WRONG, KINK))
    if check.reason:
        return "WRONG SHAPE"
    if check.noisy:
        return "CANNOT SAY"
    if wrong:
        return f"WRONG in {wrong} of {check.numeric.size}"
    if not check.numeric.size:
        return "right (no entries)"
    return "right" + (f", {kinks} on a kink" if kinks else "")


def _row(check: Check, rtol: float) -> tuple[str, ...]:
    """One line of the table, as text; a right error is only said to be small enough."""
    entry, verdict = check.shown(), _verdict(check)
    if entry is None or entry.index is None:
        found = f"grad {check.analytic.shape}" if check.reason else "–"
        return check.name, check.label, "–", found, "–", "–", verdict
    error = relative_error(entry.analytic, entry.numeric)
    said = f"{error:.1e}" if not check or error >= rtol else f"< {rtol:.0e}"
    pair = (f"{entry.analytic:.6g}", f"{entry.numeric:.6g}")
    return check.name, check.label, str(entry.index), *pair, said, verdict


def _colour(check: Check) -> str:
    """Okabe–Ito green for right, vermilion for wrong, orange for cannot say."""
    return "#009E73" if check else "#E69F00" if check.noisy else "#D55E00"


def _html_head() -> str:
    cells = (f"<th style='text-align:left;padding:2px 8px'>{h}</th>" for h in HEADINGS)
    return f"<tr>{''.join(cells)}</tr>"


def _html_row(row: tuple[str, ...], colour: str) -> str:
    cell = "<td style='text-align:left;padding:2px 8px;{}'>{}</td>"
    styles = [""] * (len(row) - 1) + [
        f"border-left:6px solid {colour};font-weight:bold"
    ]
    cells = map(cell.format, styles, map(html.escape, row))
    return f"<tr>{''.join(cells)}</tr>"


def error_map(check: Check, rows: int = 16, columns: int = 32) -> str:
    """Picture of where a gradient is wrong: an HTML table, a cell per block of entries.

    A cell shows the worst verdict of its block: × wrong, ∧ kink, · right.

    Plumbing.
    """
    wide = check.verdict.reshape(_matrix_shape(check.verdict.shape))
    blocks = _block_max(_block_max(wide, rows, 0), columns, 1)
    each = -(-np.array(wide.shape) // blocks.shape)
    title = f"Errors of {html.escape(check.name)}: × wrong, ∧ kink, · right"
    title += f"; a cell is {each[0]} by {each[1]} entries" if each.max() > 1 else ""
    lines = (f"<tr>{''.join(map(_map_cell, line))}</tr>" for line in blocks.tolist())
    table = f"<table style='border-collapse:collapse'>{''.join(lines)}</table>"
    return f"<div style='margin-top:8px'>{title}</div>{table}"


def _matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns to draw an array in: its last axis runs to the right."""
    columns = shape[-1] if shape else 1
    return prod(shape) // max(columns, 1), columns


def _block_max(array, most: int, axis: int):
    """Maximum over equal blocks along an axis, so that at most `most` are left."""
    size = -(-array.shape[axis] // most)
    starts = np.arange(0, array.shape[axis], size)
    return np.maximum.reduceat(array, starts, axis=axis)


def _map_cell(verdict: int) -> str:
    """A coloured cell with a sign in it: colour alone does not reach everybody."""
    sign, colour = {WRONG: ("×", "#D55E00"), KINK: ("∧", "#56B4E9")}.get(
        verdict, ("·", "#CFE8DF")
    )
    style = "width:14px;height:14px;padding:0;text-align:center;border:1px solid #fff"
    return f"<td style='{style};background:{colour};color:#000'>{sign}</td>"


# --- the two checks -------------------------------------------------------------------


def gradcheck(
    f: Callable, inputs, grads, *, grad_out=None, rtol: float | None = None, dtype="d"
) -> Report:
    """Compare grads with central differences of f, entry by entry; 2 calls per entry.

    Parameters
    ----------
    f : f(*inputs) is a number, or an array if `grad_out` is given; the checked scalar
        is then Σ f·grad_out. f gets float64 copies and must not change them.
    inputs : dict of name and array, a sequence of arrays, or one array. Floats serve as
        arrays without axes. A dict's arrays are passed in its order.
    grads : the gradients to check, in the same structure.
    grad_out : array in the shape of f's result.
    rtol : largest relative error of a right entry: 1e-6, or 1e-3 for float32.
    dtype : np.float32 says that f, or the gradient, computes in float32 on purpose:
        steps and tolerances are then made for 7 digits; mistakes below 1 % may pass.

    An entry that fails is looked at again with many steps. On a kink, any value between
    the two one-sided slopes is right. A float32 computation inside f is named, and the
    report is false: with so much noise a check proves little.

    Raises TypeError for inputs or gradients that are not floating-point numbers and for
    complex results, ValueError for NaN or inf in the inputs, missing or surplus
    gradients, f without a single number as its result, f that changes its inputs or
    gives two answers to one question.

    Taught in: 04_gradient_checking.
    Source: J. Nocedal & S. Wright (2006), Numerical Optimization, section 8.1; for the
    second look see `extrapolate` and `noise_level`.
    """
    setting = Setting.of(f, inputs, grads, grad_out, rtol, dtype)
    every = range(len(setting.arrays))
    return Report([_check_input(setting, k) for k in every], setting.rtol)


def check_directions(
    f: Callable,
    inputs,
    grads,
    rng: np.random.Generator,
    n: int = 5,
    *,
    grad_out=None,
    rtol: float | None = None,
    dtype="d",
) -> Report:
    """Compare grad·v with (f(x + hv) − f(x − hv)) / 2h for n random directions v.

    Two calls a direction and input, however many entries: a check for big networks.
    Nudging everything at once gives one slope, not a gradient, so the slope is compared
    with the gradient's share in that direction. A difference counts against the length
    of the whole gradient, rtol·‖grad‖: a mistake in one small entry may hide.

    Parameters and errors as in `gradcheck`; `rng` draws v from the normal distribution.
    The report has one row an input; its index counts directions.

    Taught in: 04_gradient_checking.
    """
    setting = Setting.of(f, inputs, grads, grad_out, rtol, dtype)
    every = range(len(setting.arrays))
    return Report([_check_along(setting, k, rng, n) for k in every], setting.rtol)


@dataclass
class Setting:
    """What both checks need: f on its own copies of the inputs, and how to judge.

    Plumbing.
    """

    names: list[str]
    arrays: list[np.ndarray]
    grads: list[np.ndarray]
    value: Callable[[], float]
    middle: float
    rtol: float
    eps: float
    noisy: str

    @classmethod
    def of(cls, f, inputs, grads, grad_out, rtol, dtype) -> Setting:
        """Check everything that can be checked before the first nudge."""
        names, arrays, grads = _paired(f, inputs, grads)
        kind = _kind(dtype)
        value, middle, float32 = _as_number(f, names, arrays, grad_out)
        noisy = _float32_message() if float32 and kind == "d" else ""
        if not np.isfinite(middle):
            noisy = f"f is {middle} at the inputs: mend f before its gradient"
        rtol = RTOL[kind] if rtol is None else rtol
        return cls(names, arrays, grads, value, middle, rtol, EPS[kind], noisy)

    def noise_named(self, look: Look) -> str:
        """Why f is too noisy to be checked in float64, or an empty string."""
        if self.eps > EPS["d"]:
            return ""
        if look.float32:
            return _float32_message()
        return _noise_message(look.scatter) if look.scatter > 1e-10 else ""


def _check_input(setting: Setting, k: int) -> Check:
    """Quick test of every entry of input k, then the second look where it is needed."""
    x, value, rtol = setting.arrays[k], setting.value, setting.rtol
    flat, before = x.ravel(), [a.copy() for a in setting.arrays]
    steps = step_size(flat, setting.eps)
    high, low = nudged_values(value, flat, steps)
    _refuse_changes(setting.names, setting.arrays, before)
    with np.errstate(invalid="ignore"):  # an infinite f is reported, not warned of
        numeric = central_differences(flat, steps, high, low).reshape(x.shape)
        bends = np.abs(high - 2 * setting.middle + low) / steps
    floor = 4 * (setting.eps * abs(setting.middle) + TINY) / steps
    check = compare(
        setting.names[k], setting.grads[k], numeric, floor.reshape(x.shape), rtol
    )
    look = _looker(setting, k, steps, numeric)
    return _finish(check, setting, k, look, bends)


def _looker(setting: Setting, k: int, steps, numeric) -> Callable[[int], Look]:
    """The second look at entry i of input k, as a function of i."""
    x, value, eps = setting.arrays[k], setting.value, setting.eps
    flat, slopes = x.ravel(), np.abs(numeric[np.isfinite(numeric)])
    size = float(np.abs(x).max(initial=0.0) * slopes.max(initial=1.0))

    def look(i: int) -> Look:
        at = float(flat[i])
        probe = partial(_nudged, value, flat, i, at)
        return second_look(probe, at, float(steps[i]), eps, size)

    return look


def _check_along(setting: Setting, k: int, rng, n: int) -> Check:
    """n random directions through input k; steps in proportion to each entry's own."""
    x, grad, value = setting.arrays[k], setting.grads[k], setting.value
    if grad.shape != x.shape:
        return _misshapen(setting.names[k], grad, x)
    own = step_size(x, setting.eps)
    h = float(np.max(own, initial=0.0)) or 1.0
    vs = rng.standard_normal((n, *x.shape)) * (own / h)
    probes = [partial(_moved, value, x, x.copy(), v) for v in vs]
    numeric = np.array([(p(h) - p(-h)) / (2 * h) for p in probes])
    label, name = f"{n} direction{'s' * (n != 1)}", setting.names[k]
    analytic = np.array([np.vdot(grad, v) for v in vs])
    length = float(np.linalg.norm(grad * (own / h)))
    floor = 4 * setting.eps * abs(setting.middle) / h + setting.rtol * length
    check = compare(name, analytic, numeric, np.full(n, floor), setting.rtol, label)
    check.verdict[agrees(analytic, numeric, setting.rtol * length)] = RIGHT

    def look(i):
        size = float(np.abs(x).max(initial=0.0))
        found = second_look(probes[i], 0.0, h, setting.eps, size)
        return found._replace(margin=found.margin + setting.rtol * length)

    return _finish(check, setting, k, look, np.zeros(n))


def _finish(check: Check, setting: Setting, k: int, look, bends) -> Check:
    """Second look where needed; then a name for the mistake, and notes."""
    check.noisy, look = setting.noisy, cache(look)  # a second look, not a third
    if not (check.reason or check.noisy):
        with np.errstate(all="ignore"):
            look_again(check, look, setting)
            look_at_bends(check, look, setting.rtol, bends)
    if not check and not check.noisy:
        sizes = _sizes(setting.names, setting.arrays)
        check.looks_like = looks_like(check.analytic, check.numeric, sizes)
    check.notes = _notes(check, setting.arrays[k], setting.grads[k])
    return check


def _nudged(value, flat, i: int, x: float, t: float) -> float:
    """f with entry i moved from x to x + t; NaN where f refuses."""
    flat[i] = x + t
    try:
        return value()
    except (ArithmeticError, ValueError):
        return np.nan
    finally:
        flat[i] = x


def _moved(value, x, before, v, t: float) -> float:
    """f with the whole input moved from `before` along t·v; NaN where f refuses."""
    np.multiply(v, t, out=x)  # in place: x may be large
    x += before
    try:
        return value()
    except (ArithmeticError, ValueError):
        return np.nan
    finally:
        x[...] = before


# --- what comes in --------------------------------------------------------------------


def _paired(f, inputs, grads):
    """Names, float64 copies of the inputs, and gradients, each a list of one length."""
    if isinstance(inputs, Mapping):
        names, values = list(inputs), list(inputs.values())
        grads = _grads_of_dict(names, grads)
    elif isinstance(inputs, (list, tuple)):
        names, values = _names(f, len(inputs)), list(inputs)
        grads = _grads_of_sequence(len(values), grads)
    else:
        names, values = _names(f, 1), [inputs]
        grads = _grads_of_one(grads)
    if not values:
        raise ValueError("expected at least one input to check, found none")
    arrays = list(map(_float_copy, names, values))
    return names, arrays, list(map(_gradient, names, grads))


def _names(f, count: int) -> list[str]:
    """The names of f's parameters, or "input 0", … where it does not tell."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in plain]
    return (
        names[:count] if len(names) >= count else [f"input {i}" for i in range(count)]
    )


def _grads_of_dict(names, grads) -> list:
    if not isinstance(grads, Mapping):
        raise ValueError(
            "inputs is a dict, so grads must be a dict with the same names; found "
            f"{type(grads).__name__}"
        )
    missing = [n for n in names if n not in grads]
    surplus = [n for n in grads if n not in names]
    if missing or surplus:
        raise ValueError(
            f"expected one gradient for each of {names}; missing: {missing}, "
            f"without an input: {surplus}"
        )
    return [grads[n] for n in names]


def _grads_of_sequence(count: int, grads) -> list:
    if not isinstance(grads, (list, tuple)):
        raise ValueError(
            f"inputs is a sequence of {count}, so grads must be a list or tuple of "
            f"{count}; found {type(grads).__name__}"
        )
    if len(grads) != count:
        raise ValueError(
            f"expected {count} gradients, one an input; found {len(grads)}"
        )
    return list(grads)


def _grads_of_one(grads) -> list:
    if isinstance(grads, (Mapping, list, tuple)):
        raise ValueError(
            "inputs is one array, so grads must be one array; found "
            f"{type(grads).__name__}. For several inputs pass both as lists or dicts"
        )
    return [grads]


def _float_copy(name: str, x) -> np.ndarray:
    """A contiguous float64 copy of an input, or an error that says what is amiss."""
    x = np.asarray(x)
    if x.dtype.kind in "iub":
        raise TypeError(
            f"{name} holds integers ({x.dtype}): a nudge of 6e-06 would be rounded "
            "away. Pass floats (1.0 for 1, x.astype(float)); labels and indices have "
            "no gradient: keep them out of inputs, as in lambda W: loss(W, labels)"
        )
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: expected an array of floats, found dtype {x.dtype}")
    if not np.all(np.isfinite(x)):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise ValueError(
            f"{name} is {x[where]} at index {where}: there is no slope at such a "
            "point; check at finite values"
        )
    return np.array(x, dtype=np.float64, order="C")


def _gradient(name: str, grad) -> np.ndarray:
    """A gradient as an array: wrong it may be, missing it must not."""
    if grad is None:
        raise ValueError(
            f"the gradient of {name} is None: did backward run, and does it reach "
            f"{name}?"
        )
    grad = np.asarray(grad)
    if grad.dtype.kind not in "fiu":
        raise TypeError(
            f"gradient of {name}: expected an array of numbers, found dtype "
            f"{grad.dtype}"
        )
    return grad


def _kind(dtype) -> str:
    """Letter of a dtype: d for float64, f for float32."""
    kind = np.dtype(dtype).char
    if kind not in RTOL:
        raise ValueError(f"dtype must be np.float64 or np.float32, found {dtype}")
    return kind


def _as_number(f, names, arrays, grad_out):
    """A function without arguments that computes the scalar; its value; if in float32.

    f is called twice, to see that it leaves its inputs alone and keeps its answer.
    """
    before = [a.copy() for a in arrays]
    first = f(*arrays)
    float32 = getattr(first, "dtype", None) in (np.float32, np.float16)
    if grad_out is None:
        value = lambda: _number(f(*arrays))  # noqa: E731
        middle = _number(first)
    else:
        weights = _float_copy("grad_out", grad_out)
        _refuse_shape(np.shape(first), weights.shape)
        value = lambda: float(np.vdot(f(*arrays), weights))  # noqa: E731
        middle = float(np.vdot(first, weights))
    _refuse_changes(names, arrays, before)
    _refuse_chance(middle, value())
    return value, middle, float32


def _number(out, kind: type = float):
    """The result of f as a Python number, or an error that says how to get one."""
    if isinstance(out, float):  # the usual case, which comes often
        return kind(out)
    if np.ndim(out):
        raise ValueError(
            f"expected one number from f, found an array of shape {np.shape(out)}: sum "
            "or average it, or pass grad_out, an array of this shape, to check "
            "Σ f·grad_out"
        )
    if kind is float and np.iscomplexobj(out):
        raise TypeError("expected a real number from f, found a complex one")
    return kind(out)


def _given_steps(flat, h: float):
    """The step h for every entry, if it is one that moves every entry."""
    if not h > 0:
        raise ValueError(f"the step h must be positive, found {h}")
    if np.any(flat + h == flat - h):
        raise ValueError(
            f"the step h = {h:g} vanishes beside an entry of size "
            f"{np.max(np.abs(flat)):g}; take a larger one, or leave h out"
        )
    return np.full(flat.shape, float(h))


def _refuse_shape(found, expected) -> None:
    if found != expected:
        raise ValueError(
            f"grad_out has shape {expected}, but f gives shape {found}; "
            "they must be equal"
        )


def _refuse_changes(names, arrays, before) -> None:
    for name, now, then in zip(names, arrays, before, strict=True):
        if not np.array_equal(now, then):
            raise ValueError(
                f"f changed its input {name} in place; let it work on a copy, as in "
                f"{name} = {name} + 1 instead of {name} += 1"
            )


def _refuse_chance(first: float, second: float) -> None:
    if first != second and not np.isnan(first):
        raise ValueError(
            f"f gave {first!r}, then {second!r} for the same inputs: a slope cannot be "
            "measured through chance or memory. Make its random generator anew "
            "inside f, or switch the randomness off"
        )


def _float32_message() -> str:
    return (
        "f computes in float32: its values have 7 digits, so a step of 6e-06 changes "
        "little but noise. Let f and its constants compute in float64, or pass "
        "dtype=np.float32 for a coarser check"
    )


def _noise_message(scatter: float) -> str:
    return (
        f"f is noisy: its values scatter by {scatter:.0e} of their size, as if part of "
        "it computed in float32, or nearly equal numbers were subtracted. Let f and "
        "its constants compute in float64, or pass dtype=np.float32 for a coarser check"
    )
