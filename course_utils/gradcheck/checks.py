"""The two checks: entry by entry, and along random directions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from course_utils.gradcheck.arguments import refuse_changes
from course_utils.gradcheck.comparing import (
    KINK,
    RIGHT,
    WRONG,
    Check,
    agrees,
    compare,
    misshapen,
)
from course_utils.gradcheck.look import Look, bends_no_more, second_look, wide_slope
from course_utils.gradcheck.naming import looks_like, notes_on, sizes_of
from course_utils.gradcheck.noise import TINY
from course_utils.gradcheck.numerical import (
    central_differences,
    nudged_values,
    step_size,
)
from course_utils.gradcheck.report import Report
from course_utils.gradcheck.setting import Setting
from course_utils.gradcheck.settling import look_again, look_at_bends
from course_utils.gradcheck.together import (
    Place,
    contradiction,
    kinks_along,
    look_together,
)


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
    the two one-sided slopes is right; several entries on kinks have to be right for one
    choice of sides, as when both inputs of max(a, b) are equal. A float32 computation
    inside f is named, and the report is false: so much noise proves little. Where f
    raises an error beside the point, of whatever kind, the report says *cannot say*.

    f may be of any engine: it gets arrays, gives a number, and the gradient comes as an
    array. In PyTorch, where a float64 array makes a float64 tensor:

    >>> x = np.array([0.5, -1.0])
    >>> leaf = torch.tensor(x, requires_grad=True)
    >>> torch.sin(leaf).sum().backward()
    >>> f = lambda x: torch.sin(torch.from_numpy(x)).sum().item()
    >>> bool(gradcheck(f, x, leaf.grad.numpy()))
    True

    JAX computes in float32 unless told otherwise before its first array:

    >>> jax.config.update("jax_enable_x64", True)
    >>> loss = lambda x: jax.numpy.sin(x).sum()
    >>> bool(gradcheck(lambda x: float(loss(x)), x, np.asarray(jax.grad(loss)(x))))
    True

    Raises TypeError for inputs or gradients that are not floating-point numbers and for
    complex results, ValueError for NaN or inf in the inputs, missing or surplus
    gradients, f without a single number as its result, f that changes its inputs or
    gives two answers to one question.

    Taught in: 04_gradient_checking.
    Source: J. Nocedal & S. Wright (2006), Numerical Optimization, section 8.1; for the
    second look see `extrapolate` and `noise_level`.
    """
    setting = Setting.of(f, inputs, grads, grad_out, rtol, dtype)
    checks = [check_input(setting, k) for k in range(len(setting.arrays))]
    look_together(checks, setting)  # entries on kinks, for one choice of sides
    return Report(checks, setting.rtol)


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
    The report has one row an input; its index counts directions. A direction that fails
    is halved until single entries remain: they may be right on a kink, as in gradcheck.

    Taught in: 04_gradient_checking.
    """
    setting = Setting.of(f, inputs, grads, grad_out, rtol, dtype)
    every = range(len(setting.arrays))
    return Report([check_along(setting, k, rng, n) for k in every], setting.rtol)


def check_input(setting: Setting, k: int) -> Check:
    """Quick test of every entry of input k, then the second look where it is needed.

    Plumbing.
    """
    x, rtol = setting.arrays[k], setting.rtol
    flat, before = x.ravel(), [a.copy() for a in setting.arrays]
    steps = step_size(flat, setting.eps)
    try:
        high, low = nudged_values(setting.value_along(k), flat, steps)
    except Exception as why:  # f of any engine, with errors of any kind
        x[...] = before[k]
        return _refused(setting, k, why)
    refuse_changes(setting.names, setting.arrays, before)
    with np.errstate(invalid="ignore"):  # an infinite f is reported, not warned of
        numeric = central_differences(flat, steps, high, low).reshape(x.shape)
        bends = np.abs(high - 2 * setting.middle + low) / steps
    floor = 4 * (setting.eps * abs(setting.middle) + TINY) / steps
    check = compare(
        setting.names[k], setting.grads[k], numeric, floor.reshape(x.shape), rtol
    )
    look = _looker(setting, k, steps, numeric)

    def slope(i: int, factor: float) -> float:
        at, h = abs(float(flat[i])), float(steps[i])
        return _slope_by(_probe(setting, k, i), at, h, factor)

    def no_kink(i: int) -> bool:
        h, bend = float(steps[i]), float(bends[i] * steps[i])
        return bends_no_more(_probe(setting, k, i), h, bend, setting.eps)

    return _finish(check, setting, k, (look, slope, no_kink), bends)


def _refused(setting: Setting, k: int, why: Exception) -> Check:
    """The verdict where f raises an error beside the point: cannot say."""
    nothing = np.full(setting.arrays[k].shape, np.nan)
    check = compare(setting.names[k], setting.grads[k], nothing, nothing, setting.rtol)
    check.noisy = setting.noisy or (
        f"f gives a value at the point, but raises {type(why).__name__} beside it "
        f"({' '.join(str(why).split()) or 'no message'}): check at other values"
    )
    return check


def _looker(setting: Setting, k: int, steps, numeric) -> Callable[[int], Look]:
    """The second look at entry i of input k, as a function of i."""
    x, slopes = setting.arrays[k], np.abs(numeric[np.isfinite(numeric)])
    size = float(np.abs(x).max(initial=0.0) * slopes.max(initial=1.0))

    def look(i: int) -> Look:
        at, h = float(x.flat[i]), float(steps[i])
        return second_look(_probe(setting, k, i), at, h, setting.eps, size)

    return look


def _probe(setting: Setting, k: int, i: int) -> Callable[[float], float]:
    """f of how far entry i of input k is moved."""
    flat = setting.arrays[k].ravel()
    return partial(_nudged, setting.value, flat, i, float(flat[i]))


def _slope_by(probe, x: float, h: float, factor: float) -> float:
    """The slope by steps of factor·h; NaN where they are wider than max(1, |x|)."""
    near = 4 * factor * h <= max(1.0, x)
    return wide_slope(probe, h, factor) if near else np.nan


def check_along(setting: Setting, k: int, rng, n: int) -> Check:
    """n random directions through input k; steps in proportion to each entry's own.

    Plumbing.
    """
    x, grad, value = setting.arrays[k], setting.grads[k], setting.value
    if grad.shape != x.shape:
        return misshapen(setting.names[k], grad, x)
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

    def settle_kinks(check: Check) -> None:
        for i in np.flatnonzero(check.verdict >= KINK):
            right = right_on_kinks(setting, k, vs[i], own, h, look(i).near)
            check.verdict[i] = KINK if right else WRONG

    def slope(i: int, factor: float) -> float:
        return _slope_by(probes[i], float(np.abs(x).max(initial=0.0)), h, factor)

    looks = look, slope, lambda i: False
    return _finish(check, setting, k, looks, np.zeros(n), settle_kinks)


def right_on_kinks(setting: Setting, k: int, v, own, h: float, near: bool) -> bool:
    """Whether a direction fails for entries alone that are right on kinks. Plumbing."""
    x, grad = setting.arrays[k].ravel(), setting.grads[k].ravel()
    v, length = v.ravel(), float(np.linalg.norm(grad * (own.ravel() / h)))
    before = x.copy()
    looker = cache(_looker(setting, k, own.ravel(), setting.grads[k]))

    def fails(part) -> bool:
        some = np.zeros_like(v)
        some[part] = v[part]
        probe = partial(_moved, setting.value, x, before, some)
        claimed, slope = grad @ some, (probe(h) - probe(-h)) / (2 * h)
        floor = 4 * setting.eps * abs(setting.middle) / h + setting.rtol * length
        return not agrees(claimed, slope, floor + setting.rtol * abs(claimed))

    def right(i: int) -> bool:
        found = looker(i)
        allowed = setting.rtol * max(abs(grad[i]), abs(found.slope)) + found.margin
        return bool(agrees(grad[i], found.slope, allowed))

    blamed = kinks_along(fails, right, x.size)
    if not blamed:  # all parts pass alone: where kinks are near no more can be said
        return near and blamed is not None
    kinks = [i for i in blamed if looker(i).kink and not looker(i).near]
    places = [Place(k, np.unravel_index(i, setting.arrays[k].shape)) for i in kinks]
    return len(kinks) < 2 or not contradiction(setting, places, grad[kinks])


def _finish(
    check: Check, setting: Setting, k: int, looks, bends, settle_kinks=None
) -> Check:
    """Second look where needed; then a name for the mistake, and notes."""
    check.noisy, (look, slope, no_kink) = setting.noisy, looks
    look = cache(look)  # a second look, not a third
    if not (check.reason or check.noisy):
        with np.errstate(all="ignore"):
            look_again(check, look, slope, setting)
            look_at_bends(check, look, setting.rtol, bends, no_kink)
            if settle_kinks and not check.noisy:
                settle_kinks(check)
    if not check and not check.noisy:
        sizes = sizes_of(setting.names, setting.arrays)
        check.looks_like = looks_like(check.analytic, check.numeric, sizes)
    check.notes = notes_on(check, setting.arrays[k], setting.grads[k])
    return check


def _nudged(value, flat, i: int, x: float, t: float) -> float:
    """f with entry i moved from x to x + t; NaN where f refuses."""
    flat[i] = x + t
    try:
        return value()
    except Exception:  # f of any engine, with errors of any kind
        return np.nan
    finally:
        flat[i] = x


def _moved(value, x, before, v, t: float) -> float:
    """f with the whole input moved from `before` along t·v; NaN where f refuses."""
    np.multiply(v, t, out=x)  # in place: x may be large
    x += before
    try:
        return value()
    except Exception:  # f of any engine, with errors of any kind
        return np.nan
    finally:
        x[...] = before
