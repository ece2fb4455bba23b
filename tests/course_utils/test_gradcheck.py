"""The checker is checked with wrong gradients: each must be caught, and named."""

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from course_utils.gradcheck import (
    KINK,
    NOISE,
    Check,
    Look,
    agrees,
    all_float32,
    check_directions,
    close_values,
    compare,
    complex_step_gradient,
    error_map,
    extrapolate,
    gradcheck,
    is_kink,
    look_again,
    look_at_bends,
    looks_like,
    noise_level,
    numerical_gradient,
    relative_error,
    scatter_of,
    settle,
    sizes_of,
    step_size,
    still_to_go,
)
from course_utils.gradcheck import RIGHT as FINE
from course_utils.gradcheck import WRONG as BAD
from course_utils.gradcheck.look import _ladder
from course_utils.gradcheck.naming import _close, _factor_name, _summed_to
from course_utils.gradcheck.report import _matrix_shape
from course_utils.scalar import Value
from course_utils.tensor import Tensor

N, D, H = 5, 4, 3


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def layer_and_gradients(seed=0):
    """Mean of squares of tanh(X W + b), with the gradients of X, W and b by hand."""
    rng = np.random.default_rng(seed)
    inputs = {
        "X": rng.standard_normal((N, D)),
        "W": rng.standard_normal((D, H)),
        "b": rng.standard_normal((1, H)),
    }

    def f(X, W, b):
        return (np.tanh(X @ W + b) ** 2).sum() / N

    y = np.tanh(inputs["X"] @ inputs["W"] + inputs["b"])
    dz = 2 * y * (1 - y * y) / N
    grads = {"X": dz @ inputs["W"].T, "W": inputs["X"].T @ dz}
    return f, inputs, {**grads, "b": dz.sum(0, keepdims=True)}


def relu_sum(x):
    return np.maximum(x, 0).sum()


# --- measuring ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "slope", "x"),
    [
        (np.log, lambda x: 1 / x, 1e-8),
        (np.log, lambda x: 1 / x, 1e8),
        (np.square, lambda x: 2 * x, 1e8),
        (np.exp, np.exp, 1.0),
        (np.sin, np.cos, 0.0),
    ],
)
def test_slopes_at_every_scale(f, slope, x):
    # Truncation h²f‴/6f′ is below 4e-7 by the choice of the step, rounding far below.
    np.testing.assert_allclose(numerical_gradient(f, x), slope(x), rtol=5e-7)


def test_numerical_gradient_has_the_shape_of_x_and_leaves_x_alone():
    x = np.random.default_rng(0).standard_normal((2, 3))[:, ::-1]
    kept = x.copy()
    grad = numerical_gradient(lambda x: (x**3).sum(), x)
    np.testing.assert_allclose(grad, 3 * x**2, rtol=1e-8, atol=1e-9)
    np.testing.assert_array_equal(x, kept)


def test_numerical_gradient_calls_f_twice_an_entry():
    calls = []
    numerical_gradient(lambda x: calls.append(1) or float(x.sum()), np.ones(7))
    assert len(calls) == 14


def test_a_given_step_is_used():
    # (x³)′ at 1 by a central difference is exactly 3 + h².
    assert numerical_gradient(lambda x: x**3, 1.0, h=0.5) == pytest.approx(3.25)


def test_f_that_returns_its_own_argument():
    assert numerical_gradient(lambda x: x, np.array(2.0)) == pytest.approx(1)


def test_complex_step_is_exact():
    x = np.array([0.3, -1.2, 2.5])
    grad = complex_step_gradient(lambda x: (np.exp(x) * np.sin(x)).sum(), x)
    expected = np.exp(x) * (np.sin(x) + np.cos(x))
    np.testing.assert_allclose(grad, expected, rtol=1e-14)
    assert complex_step_gradient(lambda x: x * x, 3.0) == 6.0
    square = complex_step_gradient(lambda x: (x * x).sum(), np.ones((2, 3)))
    np.testing.assert_array_equal(square, 2 * np.ones((2, 3)))


def test_step_sizes():
    third, fifth = np.finfo(float).eps ** (1 / 3), np.finfo(float).eps ** (1 / 5)
    steps = step_size(np.array([0.0, 1.0, -1e8, 1e-8]))
    np.testing.assert_allclose(steps, [third, third, 1e8 * third, 1e-8 * fifth])


def test_relative_error():
    error = relative_error([1.0, 0.0, 2.0, -1.0, 0.0], [1.0, 0.0, 1.0, 1.0, 5.0])
    np.testing.assert_array_equal(error, [0, 0, 0.5, 2, 1])
    assert np.isnan(relative_error(np.nan, 1.0))
    assert np.isnan(relative_error(np.inf, 1.0))
    with pytest.raises(ValueError, match=r"\(3,\) and \(3, 1\)"):
        relative_error(np.ones(3), np.ones((3, 1)))


def test_noise_level_tells_float32_from_float64_and_ignores_a_kink():
    x = np.linspace(0.1, 1, 7, dtype=np.float32)

    def single(t):
        return float(np.tanh(x + np.float32(t)).mean())

    eps32, eps = np.finfo(np.float32).eps, np.finfo(float).eps
    assert eps32 / 30 < noise_level(single, 6e-6) < eps32
    assert noise_level(lambda t: math.tanh(0.7 + t), 6e-6) < 2 * eps
    assert noise_level(lambda t: 1 + abs(t), 6e-6) < 2 * eps


def test_relative_error_of_any_numbers_without_a_warning():
    half, quarter = [Fraction(1, 2)], [Fraction(1, 4)]
    for a, b in ((half, quarter), (half, [0.25]), ([0.25], half)):
        np.testing.assert_array_equal(relative_error(a, b), [0.5])
    with np.errstate(all="raise"):
        assert np.isnan(relative_error(np.inf, np.inf))


def test_relative_error_is_0_where_both_are_whatever_memory_held_before():
    for n in (1, 2, 100, 128, 1000, 100_000):
        assert not relative_error(np.zeros(n), np.zeros(n)).any()


# --- the parts of the second look -----------------------------------------------------

QUARTERS = 4.0 ** -np.arange(6)  # exact steps, so that results are exact


def seen_by(f, steps, noise=0.0):
    """What `extrapolate` gets to see of f at 0."""
    up, down = (np.array([f(s) for s in side]) for side in (steps, -steps))
    return extrapolate(steps, up, down, f(0.0), np.full(steps.shape, noise))


def test_the_scatter_of_16_close_points():
    assert close_values(lambda t: 3 * t, 0.5, 1.0) == [3 + 1.5 * k for k in range(16)]
    # Sixth differences of −1, 1, −1, … are ±64.
    assert scatter_of([(-1) ** k for k in range(16)]) == 64 / math.sqrt(924)


H10 = 2.0**-10
CLOSE = [at + k / 2**15 for at in (1 / 8, 1 / 2) for k in range(16)]
FAR = [1 / 8 + k / 8 for k in range(16)]


@pytest.mark.parametrize(
    ("f", "far"),
    [
        (lambda t: 0.0, True),  # closely spaced points tell nothing
        (lambda t: t, True),  # a line without rounding tells nothing, either
        (lambda t: math.floor(t / H10 * 2**12), True),  # three stairs are too few
        (lambda t: (-1) ** round(t / H10 * 2**15) + t, True),  # more than enough
        (lambda t: 0.01 * (-1) ** round(t / H10 * 2**15) + t, False),
    ],
)
def test_noise_level_looks_close_on_both_sides_and_far_where_it_has_to(f, far):
    points = []
    noise_level(lambda t: points.append(t / H10) or f(t), H10, enough=0.1)
    sides = [*CLOSE, *(FAR if far else [])]
    assert sorted(points) == sorted([*sides, *(-t for t in sides)])


def test_noise_level_with_kinks_and_with_stairs():
    h = H10
    assert noise_level(lambda t: 1 + 0.7 * abs(abs(t) - h), h) < 1e-15
    assert noise_level(lambda t: round(64 * t / h) % 3, h) > 0.1
    kink = [at + 5 / 2**15 for at in (1 / 8, 1 / 2, -1 / 8)]
    bent = lambda t: 1 + 0.7 * t + sum(abs(t - h * k) for k in kink)  # noqa: E731
    assert noise_level(bent, h) < 1e-15  # where there is none


def test_a_staircase_walked_at_its_own_pace_is_noise():
    """A step of half a stair, always the same, would look like a line."""
    grain = 2.0**-20
    stairs = lambda t: grain * round(t / grain)  # noqa: E731
    assert noise_level(stairs, 2.0**14 * grain) > grain / 20


@pytest.mark.parametrize("count", [3, 6])
def test_extrapolation_of_a_cubic_leaves_only_noise(count):
    steps, noise = QUARTERS[:count], 2.0**-40
    slope, margin, *_ = seen_by(lambda t: 2 * t + 3 * t**2 + 5 * t**3, steps, noise)
    assert slope == 2
    assert margin == 4 * (noise + noise / 16) / steps[2]


def test_extrapolation_counts_what_the_slope_still_moves():
    slope, margin, *_ = seen_by(lambda t: t + t**5, QUARTERS)
    # D = 1 + h⁴, so that R = 1 − h⁴/16 for the larger of its two steps h.
    *_, before, last = 1 - QUARTERS[:-1] ** 4 / 16
    assert (slope, margin) == (last, last - before)


def test_extrapolation_prefers_steps_on_one_side_of_a_kink():
    slope, *_ = seen_by(lambda t: max(t - 2.0**-7, 0.0), QUARTERS, 2.0**-50)
    assert slope == 0


def test_extrapolation_takes_slow_slopes_to_their_limit():
    slope, margin, *_ = seen_by(lambda t: t * abs(t) ** 0.2, 4.0 ** -np.arange(9))
    # D = h^0.2 and R is a multiple of it, which is all that is left to go.
    r = 4**-0.2
    R = (16 * r - 1) / 15 * r**7
    assert slope == pytest.approx(0, abs=1e-12)
    assert margin == pytest.approx(R * (1 / r - 1) + R / 2)


def test_extrapolation_leaves_out_what_is_not_finite():
    slope, *_ = seen_by(lambda t: 3 * t if abs(t) < 0.5 else np.nan, QUARTERS)
    assert slope == 3
    slope, margin, *_ = seen_by(lambda t: np.nan, QUARTERS)
    assert np.isnan(slope) and margin == 0


@pytest.mark.parametrize(
    ("moves", "rounding", "more"),
    [
        ([16, 8, 4, 2, 1], 0, 1),
        ([100, 16, 8, 4, 2, 1], 0, 1),  # the last five count
        ([16, 8, 4, 2, 1.1], 0, 0.55 / 0.45),  # and their last ratio
        ([8, 4, 2, 1], 0, 0),
        ([16, 8, 0, 4, 2, 1], 0, 0),
        ([16, 8, 4, 2, 1], 1 / 10.5, 1),
        ([16, 8, 4, 2, 1], 1 / 8, 0),
        ([32, 16, 8, 4, 2, 1.25], 1 / 8, 1),  # ten times rounding is not clear yet
        ([16, 8, 4, 2, 1.25], 0, 0),  # not steady
        ([625, 125, 25, 5, 1], 0, 0),  # fast enough by itself
        ([1, 1, 1, 1, 1], 0, 0),  # without an end
        ([16, 24, 36, 54, 81], 0, 0),
    ],
)
def test_still_to_go(moves, rounding, more):
    moves = np.array(moves, float)
    assert still_to_go(moves, np.full(moves.shape, rounding)) == pytest.approx(more)


@pytest.mark.parametrize(
    ("steps", "gap", "noise", "kink"),
    [
        ([4, 2, 1], [1, 1, 1], 0, True),
        ([4, 2, 1], [10, 10, 10], 0, True),
        ([4, 2], [1, 1], 0, False),
        ([4, 2, 1], [4, 2, 1], 0, False),  # it shrinks with h
        ([4, 2, 1], [1, 1, 1], [0, 0, 1 / 30], False),  # two are too few
        ([8, 4, 2, 1], [1, 1, 1, 3], [0, 0, 0, 3 / 20], True),  # 3 is not clear
        ([8, 4, 2, 1], [1, 1, 1, 3], [0, 0, 0, 3 / 20.5], False),  # and here it is
        ([100, 10, 4, 1], [9, 1, 1, 1], 0, True),  # far away, anything may be
        ([100.5, 10, 4, 1], [9, 1, 1, 1], 0, True),
        ([99, 10, 4, 1], [9, 1, 1, 1], 0, False),
        ([8, 4, 2, 1], [1.25, 0.2, 1.25, 1.25], [0, 0.125, 0, 0], True),
        ([8, 4, 2, 1], [1.25, 0.2, 1.25, 1.25], [0, 0.1235, 0, 0], False),
        ([8, 4, 2, 1], [1, 1, 0.5, 1], 0, False),
        ([8, 4, 2, 1], [1, 1, 0.6, 1], 0, True),
        ([8, 4, 2, 1], [1, 1, 1.9, 1], 0, True),
        ([8, 4, 2, 1], [1, 1, 2, 1], 0, False),
    ],
)
def test_a_kink_keeps_its_gap(steps, gap, noise, kink):
    steps, gap = np.array(steps, float), np.array(gap, float)
    assert is_kink(steps, gap, noise * np.ones(steps.shape)) is kink


@pytest.mark.parametrize(
    ("x", "h", "rungs"),
    [(0.0, 1.5 * 2.0**-18, 8), (-3.0, 1.5 * 2.0**-18, 9), (0.0, 0.5, 2)],
)
def test_the_ladder_of_steps(x, h, rungs):
    steps, at = _ladder(x, h)
    assert (at.start, at.stop) == (rungs, rungs + 2)
    np.testing.assert_allclose(steps[at], [h, h / 4])
    np.testing.assert_allclose(steps[:-1] / steps[1:], 4, rtol=1e-3)
    np.testing.assert_allclose(steps[-1], h / 4**13, rtol=1e-3)
    np.testing.assert_array_equal((x + steps) - x, steps)


def test_the_ladder_leaves_out_steps_that_vanish():
    steps, _ = _ladder(1e6, 1e-6)
    assert steps.min() > 0


def test_float32_values_are_known_by_many_examples():
    halves = [0.5, 1.0, 1.5, 2.0, 2.5]
    assert all_float32([*halves, *halves, np.nan, np.inf], 0.0)
    assert not all_float32([*halves[:4], *halves[:4], np.nan, np.inf], 0.0)
    assert not all_float32([*halves, 0.1], 0.0)


def test_numbers_that_rounding_alone_makes_coarse_say_nothing_of_float32():
    few_digits = [k * 2.0**-50 for k in range(1, 9)]
    assert all_float32(few_digits, 2.0**-75)
    assert not all_float32(few_digits, 2.0**-50)


# --- verdicts -------------------------------------------------------------------------


def checked(analytic, numeric, tolerance, verdict):
    arrays = [np.array(a, float) for a in (analytic, numeric, tolerance)]
    return Check("x", *arrays, np.array(verdict), "")


def test_scores_count_tolerances_without_a_warning():
    check = checked(
        [np.inf, np.nan, 1, 2, 3], [np.inf, 1, 1, 1, 2], [1, 1, 0, 0, 2], [BAD] * 5
    )
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(check.scores(), [np.inf, np.inf, 0, np.inf, 0.5])


def test_the_worst_entry_is_a_wrong_one_and_the_first_of_equals():
    check = checked([1, 1.00005], [0, 0], [1, 1], [FINE, BAD])
    assert check.worst().index == (1,)
    check = checked([2, 1000, 1000], [0, 0, 0], [1, 1, 1], [BAD] * 3)
    assert check.worst() == ("x", (1,), 1000.0, 0.0)


@pytest.mark.parametrize("size", [100, 5e-324])
def test_of_a_right_input_the_largest_entry_is_shown(size):
    numeric = [size / 100, size, size]
    check = checked(numeric, numeric, [1, 1, 1], [FINE] * 3)
    assert check.shown().index == (1,)


def test_agreement_includes_its_bound_and_nothing_infinite():
    with np.errstate(all="raise"):
        a, n = np.array([1, 1, np.inf, np.inf]), np.array([1.5, 2, np.inf, 1])
        assert agrees(a, n, 0.5).tolist() == [True, False, False, False]
        assert not agrees(1.0, np.inf, np.inf) and not agrees(np.nan, 1.0, np.inf)


def test_compare_tells_right_from_noise_from_wrong():
    a, n = np.array([1.0, 1.0, 1.0, -4.0]), np.array([1.0625, 1.25, 2.0, 3.0])
    check = compare("x", a, n, np.full(4, 0.25), 0.125)
    assert check.verdict.tolist() == [FINE, NOISE, BAD, BAD]
    strict = 0.125 * np.array([1.0625, 1.25, 2, 4])
    np.testing.assert_array_equal(check.tolerance, strict + 0.25)
    assert check.label == "(4,)"


def test_a_wrong_shape_has_no_entry_to_show():
    (check,) = gradcheck(np.sum, np.ones(3), np.ones((3, 1))).checks
    assert check.verdict.shape == check.tolerance.shape == (3,)
    assert check.worst().index is None
    assert math.isnan(check.worst().analytic) and math.isnan(check.worst().numeric)


def looks(check, found, bends=None, noisy="", wide=lambda i: np.nan):
    """Which entries are looked at again, when every look finds `found`."""
    seen = []

    def look(i):
        seen.append(int(i))
        return found(i) if callable(found) else found

    if bends is None:
        setting = SimpleNamespace(rtol=1e-6, noise_named=lambda look: noisy)
        slope = lambda i, k: wide(i) if k > 1 else np.nan  # noqa: E731
        look_again(check, look, slope, setting)
    else:
        look_at_bends(check, look, 1e-6, np.array(bends, float))
    return seen


SMOOTH, KINKED = (Look(0.0, 0.0, kink, 0.0, False) for kink in (False, True))


def test_wrong_entries_are_looked_at_worst_first_until_20_are_certain():
    wrong = np.ones(30)
    check = compare("x", wrong, 0 * wrong, 0 * wrong, 1e-6)
    assert looks(check, SMOOTH) == list(range(20))
    wrong[7] = 2
    check = compare("x", wrong, 0 * wrong, np.ones(30) / 2, 1e-6)
    assert looks(check, SMOOTH) == [7, *(i for i in range(20) if i != 7)]


def test_wrong_entries_that_turn_out_right_do_not_count():
    wrong = np.ones(30)
    check = compare("x", wrong, 0 * wrong, 0 * wrong, 1e-6)
    assert looks(check, Look(1.0, 0.0, False, 0.0, False)) == list(range(30))
    assert check and (check.verdict == FINE).all()


def test_of_what_noise_excuses_the_worst_few_are_looked_at():
    noise = np.linspace(0.1, 1, 100)
    check = compare("x", noise, 0 * noise, np.ones(100), 1e-6)
    assert looks(check, SMOOTH) == list(range(99, 92, -1))


def test_what_is_right_by_a_wider_step_is_not_looked_at_again():
    noise = np.linspace(0.1, 1, 100)
    check = compare("x", noise, 0 * noise, np.ones(100), 1e-6)
    off = {99: 1 + 0.9e-6, 98: 1 - 1.1e-6, 97: np.inf}
    seen = looks(check, SMOOTH, wide=lambda i: noise[i] * off.get(int(i), 1))
    assert seen == [98, 97]
    settled = check.verdict == FINE
    assert np.flatnonzero(settled).tolist() == [93, 94, 95, 96, 99]
    np.testing.assert_allclose(check.numeric[settled], noise[settled], rtol=1e-6)
    np.testing.assert_allclose(check.tolerance[settled], 1e-6 * noise[settled], 1e-5)


def test_a_wide_step_excuses_no_entry_that_is_wrong():
    check = compare("x", np.ones(3), np.zeros(3), np.zeros(3), 1e-6)
    assert looks(check, SMOOTH, wide=lambda i: 1.0) == [0, 1, 2]
    assert (check.verdict == BAD).all()


def test_few_calls_are_made_for_entries_that_noise_excuses():
    rng = np.random.default_rng(0)
    x, calls = 1e-3 * rng.standard_normal(200), []

    def f(x):
        calls.append(0)
        return 1 + np.exp(x).sum()  # 200 beside slopes of 1, and steps of 1e-6

    report = gradcheck(f, x, np.exp(x))
    assert report and (report.checks[0].verdict == FINE).sum() > 20
    looked = len(calls) - 2 * x.size
    assert looked < 100
    assert not gradcheck(f, x, np.exp(x) * (1 + 1e-3 * (np.arange(200) == 7)))


def test_noise_ends_the_second_look():
    wrong = np.ones(3)
    check = compare("x", wrong, 0 * wrong, 0 * wrong, 1e-6)
    assert looks(check, SMOOTH, noisy="noise") == [0]
    assert check.noisy == "noise"


@pytest.mark.parametrize(
    ("bends", "found", "seen"),
    [
        (np.ones(30), SMOOTH, [0, 1, 2, 3, 4]),
        ([1, 3, 2], SMOOTH, [1, 2, 0]),
        (np.ones(30), lambda i: KINKED if i == 3 else SMOOTH, list(range(9))),
        ([0.1, 0.2, 5], SMOOTH, [2, 1]),  # 1 % of the gradient is too little
    ],
)
def test_bends_are_looked_at_until_five_are_no_kinks(bends, found, seen):
    numeric = np.zeros(len(bends))
    numeric[0] = 10
    check = compare("x", numeric, numeric.copy(), 0 * numeric, 1e-6)
    assert looks(check, found, bends) == seen


def test_bends_of_small_wrong_and_noisy_gradients():
    small = np.full(2, 0.1)
    check = compare("x", small, small.copy(), 0 * small, 1e-6)
    assert looks(check, SMOOTH, [0.005, 0.005]) == [0, 1]
    check = compare("x", np.array([0.0, 1.0]), np.ones(2), np.zeros(2), 1e-6)
    assert looks(check, SMOOTH, [1, 1]) == [1]
    check.noisy = "noise"
    assert looks(check, SMOOTH, [1, 1]) == []


@pytest.mark.parametrize(
    ("look", "tolerance", "verdict"),
    [
        (Look(2.0, 0.0, False, 0.0, False), 0.25, FINE),
        (Look(2.0, 0.002, False, 0.0, False), 0.252, FINE),
        (Look(2.0, 0.5, False, 0.0, False), 0.75, NOISE),
        (Look(2.25, 0.0, False, 0.0, False), 0.28125, FINE),
        (Look(3.0, 0.5, True, 0.0, False), 0.875, BAD),
        (Look(3.0, 0.75, True, 0.0, False), 1.125, KINK),
    ],
)
def test_an_entry_is_settled_by_its_second_look(look, tolerance, verdict):
    check = checked([2, 2], [7, 7], [0, 0], [BAD, BAD])
    assert settle(check, 1, look, 0.125) == verdict
    assert check.verdict.tolist() == [BAD, verdict]
    assert check.numeric.tolist() == [7, look.slope]
    np.testing.assert_allclose(check.tolerance, [0, tolerance], rtol=1e-15)


# --- wrong gradients ------------------------------------------------------------------


def scaled_entry(grad, index, factor):
    grad = grad.copy()
    grad[index] *= factor
    return grad


def sign_in_row(grad, row):
    grad = grad.copy()
    grad[row] *= -1
    return grad


WRONG = {
    "0.1 % too large": ("W", lambda g: g * 1.001, None),
    "0.1 % too small": ("X", lambda g: g * 0.999, None),
    "one entry by 0.1 %": ("W", lambda g: scaled_entry(g, (2, 1), 1.001), (2, 1)),
    "T7: one sum for all": ("W", lambda g: np.full_like(g, g.sum()), None),
    "T8: errors cancel": ("X", lambda g: g + np.resize([1e-3, -1e-3], g.shape), None),
    "T9: all zero": ("W", np.zeros_like, None),
    "T10: (1, 3) as (3,)": ("b", lambda g: g[0], None),
    "T10: a number for all": ("b", lambda g: g.mean(), None),
    "T12: in float16": ("W", lambda g: g.astype(np.float16), None),
    "T12: in float32, 1e-5 off": ("W", lambda g: (g * 1.00001).astype("f"), None),
    "sign flipped": ("b", lambda g: -g, None),
    "sign in one row": ("W", lambda g: sign_in_row(g, 3), (3,)),
    "1/N forgotten": ("W", lambda g: g * N, None),
    "1/N twice": ("X", lambda g: g / N, None),
    "factor 2": ("b", lambda g: g * 2, None),
    "transposed": ("W", lambda g: g.T, None),
    "batch not summed": ("b", lambda g: np.resize(g / N, (N, H)), None),
    "rows in reverse order": ("X", lambda g: g[::-1], None),
    "nan": ("W", lambda g: scaled_entry(g, (1, 0), np.nan), (1, 0)),
    "inf": ("W", lambda g: scaled_entry(g, (3, 2), np.inf), (3, 2)),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_wrong_gradients_are_rejected_and_located(mistake):
    name, spoil, where = WRONG[mistake]
    f, inputs, grads = layer_and_gradients()
    assert gradcheck(f, inputs, grads)
    grads[name] = spoil(grads[name])
    report = gradcheck(f, inputs, grads)
    assert not report
    assert report.worst.input == name
    if where is not None:
        assert report.worst.index[: len(where)] == where
    assert [bool(c) for c in report.checks] == [n != name for n in inputs]


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("W", lambda g: -g, "−1 × numeric"),
        ("W", lambda g: 2 * g, "2 × numeric"),
        ("W", lambda g: g / 2, "0.5 × numeric"),
        ("W", lambda g: g * N, "5 × numeric: 5 is the length of axis 0 of X"),
        ("W", lambda g: -g / N, "−1/5 × numeric: 5 is the length of axis 0 of X"),
        ("W", lambda g: g.T, "numeric transposed"),
        ("W", lambda g: 0 * g, "0 throughout"),
        ("b", lambda g: g[0], "the right numbers in another shape"),
        ("b", lambda g: np.resize(g / N, (N, H)), "before the sum"),
        ("W", lambda g: 1.5 * g, "1.5 × numeric"),
    ],
)
def test_simple_mistakes_are_named(name, spoil, said):
    f, inputs, grads = layer_and_gradients()
    grads[name] = spoil(grads[name])
    assert said in repr(gradcheck(f, inputs, grads))


def test_a_square_matrix_shows_its_transposed_gradient():
    rng = np.random.default_rng(0)
    x, W, y = rng.standard_normal(4), rng.standard_normal((4, 4)), rng.random(4)
    f = lambda W: np.tanh(x @ W) @ y  # noqa: E731
    grad = np.outer(x, y * (1 - np.tanh(x @ W) ** 2))
    assert gradcheck(f, W, grad)
    report = gradcheck(f, W, grad.T)
    assert not report
    assert "numeric transposed" in repr(report)


def test_one_wrong_entry_in_100_000():
    x = np.random.default_rng(1).uniform(1, 2, (1000, 100))
    grad = scaled_entry(2 * x, (617, 42), 1.001)
    report = gradcheck(lambda x: float(np.vdot(x, x)), x, grad)
    assert not report
    assert report.worst[:2] == ("x", (617, 42))
    assert "WRONG in 1 of 100000" in repr(report)


@pytest.mark.parametrize("tiny", [1e-7, 1e-9, 1e-11])
def test_zeros_do_not_pass_for_tiny_gradients(tiny):
    # T9: |0 − 1e-7| is far below any usual absolute tolerance.
    def f(x):
        return 1 + tiny * (x**2).sum()

    x = np.array([1.0, 2.0, -0.5])
    assert gradcheck(f, x, 2 * tiny * x)
    assert not gradcheck(f, x, np.zeros(3))
    assert not gradcheck(f, x, 2 * tiny * x * [1, 1.01, 1])


def test_a_gradient_far_below_the_noise_is_accepted_and_said_to_be_unverified():
    report = gradcheck(lambda x: float(sigmoid(x)), 41.5, math.exp(-41.5))
    assert report
    assert "nothing was verified" in repr(report)
    # Seen from the other side, f itself is tiny, and 1e-18 is well above its noise.
    assert gradcheck(lambda x: float(sigmoid(x)), -41.5, math.exp(-41.5))
    assert not gradcheck(lambda x: float(sigmoid(x)), -41.5, 0.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_f_that_is_not_finite(value):
    report = gradcheck(lambda x: value, np.ones(2), np.zeros(2))
    assert not report
    assert "mend f" in repr(report)


def test_f_that_is_nan_beside_the_point():
    with np.errstate(invalid="ignore"):
        report = gradcheck(lambda x: float(np.sqrt(x)), 0.0, 0.0)
    assert not report
    assert report.worst.index == ()


# --- right gradients ------------------------------------------------------------------

RIGHT = {
    "cube": (lambda x: (x**3).sum(), np.array([1.0, -2.0, 0.5]), lambda x: 3 * x**2),
    "tiny x": (lambda x: np.log(x).sum(), np.array([1e-8, 1e-5]), lambda x: 1 / x),
    "tinier x": (lambda x: (x**-2.0).sum(), np.array([1e-8]), lambda x: -2 * x**-3.0),
    "huge x": (lambda x: (x**2).sum(), np.array([1e8, -3e7]), lambda x: 2 * x),
    "tiny among large": (lambda x: np.sin(x).sum(), np.array([1e-12, 1.0]), np.cos),
    "steep": (lambda x: np.exp(300 * x).sum(), np.ones(1),
              lambda x: 300 * np.exp(300 * x)),
    "a zero gradient": (lambda x: np.cos(x).sum(), np.zeros(2), lambda x: 0 * x),
    "a number": (lambda x: 3 * x * x, 2.0, lambda x: 6 * x),
    "constant": (lambda x: 7.0, np.ones((2, 2)), lambda x: 0 * x),
    "empty": (lambda x: x.sum(), np.zeros((0, 3)), lambda x: 0 * x),
    "an int from f": (lambda x: 1, np.ones(2), lambda x: 0 * x),
    "large offset": (lambda x: 1e6 + np.sin(x).sum(), np.ones(2), np.cos),
    "cancelling offset": (lambda x: (x + 1e5).sum() - 2e5, np.ones(2), np.ones_like),
    "saturated": (lambda x: sigmoid(x).sum(), np.array([41.5, 20.0, 36.0]),
                  lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_right_gradients_are_accepted(case):
    f, x, grad = RIGHT[case]
    report = gradcheck(f, x, grad(x))
    assert report, repr(report)
    if np.size(x) and np.any(grad(x)):
        largest = np.abs(grad(x)) >= np.abs(grad(x)).max()
        assert not gradcheck(f, x, grad(x) * np.where(largest, 1.001, 1.0))


# --- kinks ----------------------------------------------------------------------------


@pytest.mark.parametrize("subgradient", [0.0, 0.3, 0.5, 1.0])
def test_any_subgradient_of_relu_is_right_at_zero(subgradient):
    x = np.array([-1.0, 0.0, 2.0])
    report = gradcheck(relu_sum, x, np.array([0, subgradient, 1.0]))
    assert report
    assert report.kinks == [("x", (1,))]
    assert "on a kink" in repr(report)


@pytest.mark.parametrize("slope", [-0.001, 1.001, -1.0, 2.0])
def test_what_is_no_subgradient_is_wrong_at_a_kink(slope):
    report = gradcheck(relu_sum, np.array([-1.0, 0.0, 2.0]), np.array([0, slope, 1.0]))
    assert not report
    assert report.worst[:2] == ("x", (1,))


def test_kinks_are_listed_where_the_central_difference_agrees():
    report = gradcheck(lambda x: np.abs(x).sum(), np.zeros((2, 2)), np.zeros((2, 2)))
    assert report
    assert len(report.kinks) == 4


def test_kink_with_a_slope_and_a_bend():
    def f(x):
        return float(abs(x) + 5 * x + 1000 * x * x)

    for slope in (4.0, 4.5, 6.0):
        assert gradcheck(f, 0.0, slope).kinks == [("x", ())]
    assert not gradcheck(f, 0.0, 6.01)


def test_tie_in_max():
    x = np.array([1.0, 3.0, 3.0])
    for grad in ([0, 1, 0], [0, 0, 1], [0, 0.5, 0.5]):
        report = gradcheck(np.max, x, np.array(grad, float))
        assert report
        assert report.kinks == [("input 0", (1,)), ("input 0", (2,))] or report.kinks
    assert not gradcheck(np.max, x, np.array([0.5, 0.5, 0]))


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-7, 1e-9, 1e-11])
def test_near_a_kink_there_is_one_right_answer(distance):
    x = np.array([1 + distance, 1 - distance])
    f = lambda x: 1 + np.maximum(x - 1, 0).sum()  # noqa: E731
    report = gradcheck(f, x, np.array([1.0, 0.0]))
    assert report
    assert not report.kinks
    assert not gradcheck(f, x, np.array([0.0, 0.0]))
    assert not gradcheck(f, x, np.array([0.5, 0.5]))


def test_a_jump_has_no_gradient():
    assert not gradcheck(lambda x: float(x >= 0), 0.0, 0.0)


def test_curved_is_not_kinked():
    x = np.array([0.0, 1e-4, 1.0])
    report = gradcheck(lambda x: (1e4 * x * x).sum(), x, 2e4 * x)
    assert report
    assert not report.kinks


@pytest.mark.parametrize("power", [1.5, 2, 3])
def test_a_slope_that_bends_at_zero_is_no_kink(power):
    # The slope at 0 is 0, and measured ones approach it slowly, as h ** (power − 1).
    f = lambda x: float(max(x, 0.0) ** power)  # noqa: E731
    report = gradcheck(f, 0.0, 0.0)
    assert report
    assert not report.kinks
    assert not gradcheck(f, 0.0, 0.1)


# --- float32 --------------------------------------------------------------------------


def tanh32(x):
    return np.tanh(x.astype(np.float32))


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda x: tanh32(x).sum(), "f computes in float32"),
        (lambda x: float(tanh32(x).sum()), "f computes in float32"),
        (lambda x: tanh32(x).sum(dtype=float), "as if part of it computed in float32"),
    ],
)
def test_float32_inside_f_is_named(f, said):
    x = np.random.default_rng(0).standard_normal((4, 3))
    report = gradcheck(f, x, 1 - np.tanh(x) ** 2)
    assert not report
    assert said in repr(report)
    assert "CANNOT SAY" in repr(report)
    assert gradcheck(f, x, (1 - np.tanh(x) ** 2).astype("f"), dtype=np.float32)
    assert not gradcheck(f, x, 1.01 * (1 - np.tanh(x) ** 2), dtype=np.float32)


def test_two_boxes_in_float32_give_a_gradient_that_is_six_percent_off():
    W = np.array([[6.0, -3.0], [-2.0, 5.0]])
    V = np.array([[1.0, -2.0], [0.25, 2.0]])

    def loss(W):
        h = sigmoid(np.array([3.0, 1.0]) @ W)
        return ((sigmoid(h @ V) - [1.0, 0.0]) ** 2).sum()

    right = np.array(
        [[-5.34381483665323e-08, 0.0014201436720081408],
         [-1.7812716122177433e-08, 0.0004733812240027136]]
    )  # fmt: skip
    assert gradcheck(loss, W, right)
    single = right.astype(np.float32)
    single[0, 0] = -5.6607e-08  # what float32 makes of it: 5.9 % off
    report = gradcheck(loss, W, single)
    assert report.worst[:2] == ("W", (0, 0))
    assert not report
    assert "float32" in repr(report)


# --- naming a mistake -----------------------------------------------------------------

GRAD = np.array([[1.0, 2.0, 4.0], [3.0, -1.0, 0.5]])
SUMMED = "analytic = numeric before the sum over the axes that were broadcast"


@pytest.mark.parametrize(
    ("analytic", "numeric", "name"),
    [
        (0 * GRAD, GRAD, "analytic = 0 throughout: nothing flows back to this input"),
        (-GRAD, GRAD, "analytic = −1 × numeric: the sign is flipped"),
        (1.00001 * GRAD, GRAD, ""),
        (0.5 * GRAD, GRAD, "analytic = 1/2 × numeric: 2 is here"),
        (-2 * GRAD, GRAD, "analytic = −2 × numeric: 2 is here"),
        (0.3 * GRAD, GRAD, "analytic = 0.3 × numeric"),
        (GRAD + 1, GRAD, ""),
        (GRAD, 0 * GRAD, ""),
        (np.inf * GRAD, GRAD, ""),
        (3.0 * np.ones(1), np.ones(1), "analytic = 3 × numeric"),
        (GRAD.T, GRAD, "analytic = numeric transposed"),
        (GRAD[:, :2].T, GRAD[:, :2], "analytic = numeric transposed"),
        (GRAD[None], GRAD.sum(0, keepdims=True), SUMMED),
        (GRAD, GRAD.sum(0), SUMMED),
        (GRAD, GRAD.sum(1, keepdims=True), SUMMED),
        (GRAD.reshape(3, 2), GRAD, "the right numbers in another shape"),
        (GRAD[:, :2], GRAD, ""),
        (np.zeros((0, 2)), np.zeros((0, 2)), ""),
    ],
)
def test_the_name_of_a_mistake(analytic, numeric, name):
    assert looks_like(analytic, numeric, {1: "nowhere", 2: "here"}) == name


def test_a_name_may_be_wrong_by_a_ten_thousandth_of_the_largest_entry():
    assert _factor_name(2.0001, {2: "here"}).startswith("analytic = 2 ×")
    assert _factor_name(2.001, {2: "here"}) == "analytic = 2.001 × numeric"
    large = np.array([100.0, 1.0])
    assert _close(large + 0.009, large) and not _close(large + 0.011, large)
    assert _close(np.zeros(2), np.zeros(2)) and not _close(np.zeros(0), np.zeros(0))


def test_undoing_a_broadcast():
    array = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(_summed_to(array, (3, 4)), array.sum(0))
    np.testing.assert_array_equal(_summed_to(array, (4,)), array.sum((0, 1)))
    kept = array.sum(1, keepdims=True)
    np.testing.assert_array_equal(_summed_to(array, (2, 1, 4)), kept)


def test_dimensions_are_known_by_where_they_occur_first():
    assert sizes_of(["X", "b"], [np.ones((5, 4)), np.ones(4)]) == {
        5: "the length of axis 0 of X",
        4: "the length of axis 1 of X",
        20: "the number of entries of X",
    }


# --- blind checks ---------------------------------------------------------------------


def test_all_zero_parameters_are_pointed_out():
    f, inputs, grads = layer_and_gradients()
    x, W = np.ones(3), np.zeros((3, 2))
    report = gradcheck(lambda W: ((x @ W) ** 2).sum(), W, np.zeros((3, 2)))
    assert report
    assert "all entries of W are zero" in repr(report)
    assert "all entries" not in repr(gradcheck(f, inputs, grads))


def test_a_symmetric_gradient_is_pointed_out():
    W = np.arange(1.0, 10).reshape(3, 3)
    report = gradcheck(lambda W: np.trace(W), W, np.eye(3))
    assert report
    assert "symmetric" in repr(report)


def notes(f, x, grad):
    (check,) = gradcheck(f, {"x": x}, {"x": grad}).checks
    return check.notes


def test_the_notes_in_full():
    zero = (
        "all entries of x are zero: a check at zero cannot see mistakes in what x "
        "multiplies; check at random values"
    )
    nothing = "both gradients of x are zero throughout: nothing was verified"
    assert notes(lambda x: (x**2).sum(), np.zeros(2), np.zeros(2)) == [zero, nothing]
    assert notes(lambda x: x.sum(), np.zeros(2), np.ones(2)) == [zero]
    assert notes(lambda x: 7.0, np.ones(2), np.zeros(2)) == [nothing]
    assert notes(lambda x: x.sum(), np.zeros(0), np.zeros(0)) == []
    coarse = (
        "the gradient of x is float32: rounding alone may make it differ; compute it "
        "in float64, or pass dtype=np.float32 for a coarser check"
    )
    third = np.array([1 / 3], np.float32)
    assert notes(lambda x: (x / 3).sum(), np.ones(1), third) == []
    assert notes(lambda x: (x / 3).sum(), np.ones(1), 1.1 * third) == [coarse]
    assert notes(lambda x: (x / 3).sum(), np.ones(1), np.ones(1)) == []


@pytest.mark.parametrize(
    ("shape", "symmetric"), [((2, 2), True), ((1, 1), False), ((2,), False)]
)
def test_symmetry_is_a_matter_of_square_matrices(shape, symmetric):
    said = notes(lambda x: x.sum(), np.ones(shape), np.ones(shape))
    message = "the gradient of x is symmetric: a transposed one would pass"
    assert said == [message] * symmetric
    assert notes(lambda x: x.sum(), np.ones((2, 3)), np.ones((2, 3))) == []


def test_a_gradient_partly_below_the_noise_was_verified_in_part():
    f = lambda x: float(sigmoid(x).sum())  # noqa: E731
    x = np.array([41.5, 0.0])
    assert notes(f, x, np.array([math.exp(-41.5), 0.25])) == []
    below = "the gradient of x is below the noise of f: nothing was verified"
    assert notes(f, x[:1], np.array([math.exp(-41.5)])) == [below]


# --- ways to call ---------------------------------------------------------------------


def test_inputs_as_dict_sequence_or_array():
    f, inputs, grads = layer_and_gradients()
    arrays, gradients = list(inputs.values()), tuple(grads.values())
    assert gradcheck(f, arrays, gradients)
    names = [c.name for c in gradcheck(f, arrays, gradients).checks]
    assert names == ["X", "W", "b"]
    wrapped = gradcheck(lambda *arrays: f(*arrays), arrays, gradients)
    assert [c.name for c in wrapped.checks] == ["input 0", "input 1", "input 2"]
    assert gradcheck(lambda x, y: x * y, (2.0, 3.0), (3.0, 2.0))


def test_grad_out_weighs_the_entries_of_f():
    rng = np.random.default_rng(0)
    X, W, grad_out = (rng.standard_normal(s) for s in [(N, D), (D, H), (N, H)])
    grads = [grad_out @ W.T, X.T @ grad_out]
    assert gradcheck(np.matmul, [X, W], grads, grad_out=grad_out)
    assert not gradcheck(np.matmul, [X, W], [grads[0], grads[1] * 1.001],
                         grad_out=grad_out)  # fmt: skip
    assert gradcheck(lambda x: x, X, grad_out @ W.T * 0 + 1, grad_out=np.ones((N, D)))


def test_inputs_are_left_alone():
    f, inputs, grads = layer_and_gradients()
    kept = {n: a.copy() for n, a in inputs.items()}
    gradcheck(f, inputs, {n: 2 * g for n, g in grads.items()})
    check_directions(f, inputs, grads, np.random.default_rng(0))
    for name in inputs:
        np.testing.assert_array_equal(inputs[name], kept[name])


# --- the report -----------------------------------------------------------------------


def test_the_table():
    f, inputs, grads = layer_and_gradients()
    grads["W"] = scaled_entry(grads["W"], (2, 1), 1.001)
    report = gradcheck(f, inputs, grads)
    head, x, w, b = repr(report).splitlines()
    assert head.split() == "input shape entry analytic numeric error verdict".split()
    assert w.startswith("W      (4, 3)  (2, 1)")
    assert w.endswith("1.0e-03  WRONG in 1 of 12")
    assert x.endswith("right") and b.endswith("right")
    assert "< 1e-06" in x
    assert report.worst.numeric == pytest.approx(report.worst.analytic / 1.001)


def test_the_picture_needs_neither_script_nor_style_sheet():
    f, inputs, grads = layer_and_gradients()
    inputs = {"<X>": inputs["X"], "W": inputs["W"], "b": inputs["b"]}
    grads = {"<X>": grads["X"], "W": sign_in_row(grads["W"], 3), "b": grads["b"]}
    page = gradcheck(f, inputs, grads)._repr_html_()
    assert "<script" not in page and "<style" not in page and "<svg" not in page
    assert "&lt;X&gt;" in page and "<X>" not in page
    assert page.count("×</td>") == 3
    assert page.count("·</td>") == 9
    assert page.count("<tr>") == page.count("</tr>") == 4 + 4
    grads["W"] = layer_and_gradients()[2]["W"]
    assert "Errors of" not in gradcheck(f, inputs, grads)._repr_html_()


PAGE = (
    "<table style='border-collapse:collapse'><tr>"
    + "".join(
        f"<th style='text-align:left;padding:2px 8px'>{h}</th>"
        for h in "input shape entry analytic numeric error verdict".split()
    )
    + "</tr><tr>"
    + "".join(
        f"<td style='text-align:left;padding:2px 8px;{style}'>{cell}</td>"
        for cell, style in zip(
            ["x", "(1, 2)", "(0, 1)", "2", "1", "5.0e-01", "WRONG in 1 of 2"],
            [""] * 6 + ["border-left:6px solid #D55E00;font-weight:bold"],
            strict=True,
        )
    )
    + "</tr></table><div style='margin-top:8px'>Errors of x: × wrong, ∧ kink, · right"
    + "</div><table style='border-collapse:collapse'><tr>"
    + "".join(
        "<td style='width:14px;height:14px;padding:0;text-align:center;border:1px "
        f"solid #fff;background:{colour};color:#000'>{sign}</td>"
        for colour, sign in [("#CFE8DF", "·"), ("#D55E00", "×")]
    )
    + "</tr></table>"
)


def test_the_whole_picture_of_one_wrong_entry():
    x, grad = np.ones((1, 2)), np.array([[1.0, 2.0]])
    assert gradcheck(lambda x: float(x.sum()), x, grad)._repr_html_() == PAGE


def test_colours_of_right_and_of_cannot_say():
    right = gradcheck(lambda x: 3 * x, 1.0, 3.0)._repr_html_()
    assert ":6px solid #009E73;" in right
    noisy = gradcheck(lambda x: np.nan, 1.0, 3.0)._repr_html_()
    assert ":6px solid #E69F00;" in noisy and "Errors of" not in noisy


def test_a_kink_in_the_error_map():
    page = error_map(checked([[1, 2]], [[1, 0]], [[1, 1]], [[KINK, BAD]]))
    assert "background:#56B4E9;color:#000'>∧</td>" in page
    assert page.count("</td>") == 2 and "a cell is" not in page


@pytest.mark.parametrize(
    ("shape", "cells", "said"),
    [
        ((16, 32), 16 * 32, ""),
        ((17, 33), 9 * 17, "; a cell is 2 by 2 entries"),
        ((17, 5), 9 * 5, "; a cell is 2 by 1 entries"),
        ((3, 65), 3 * 22, "; a cell is 1 by 3 entries"),
    ],
)
def test_an_error_map_has_16_rows_and_32_columns_at_most(shape, cells, said):
    zeros = np.zeros(shape)
    page = error_map(checked(zeros, zeros, zeros, np.full(shape, FINE)))
    assert page.count("</td>") == cells
    assert f"· right{said}</div>" in page


def test_arrays_are_drawn_with_their_last_axis_to_the_right():
    shapes = [(), (3,), (2, 1), (2, 3, 4), (0,)]
    drawn = [_matrix_shape(shape) for shape in shapes]
    assert drawn == [(1, 1), (1, 3), (2, 1), (6, 4), (0, 0)]


@pytest.mark.parametrize(
    ("f", "x", "grad", "row"),
    [
        (np.sum, np.ones(3), np.ones((3, 1)),
         "(3,)   –      grad (3, 1)  –        –      WRONG SHAPE"),
        (np.sum, np.zeros(0), np.zeros(0),
         "(0,)   –      –         –        –      right (no entries)"),
        (lambda x: 3 * x, 1.0, 3.0,
         "()     ()     3         3        < 1e-06  right"),
        (np.abs, 0.0, 0.5,
         "()     ()     0.5       0        1.0e+00  right, 1 on a kink"),
        (lambda x: np.nan, 1.0, 3.0,
         "()     ()     3         nan      nan    CANNOT SAY"),
    ],
)  # fmt: skip
def test_rows_of_the_table(f, x, grad, row):
    report = gradcheck(f, {"x": x}, {"x": grad})
    head, line, *_ = repr(report).splitlines()
    assert line == f"x      {row}"


def test_a_large_error_map_is_drawn_in_blocks():
    x = np.ones((50, 200))
    grad = scaled_entry(2 * x, (49, 199), -1)
    page = gradcheck(lambda x: float(np.vdot(x, x)), x, grad)._repr_html_()
    assert page.count("×</td>") == 1
    assert page.count("</td>") < 16 * 32 + 10
    assert "a cell is" in page


def test_wrong_shape_and_number_without_axes_in_the_picture():
    assert "WRONG SHAPE" in gradcheck(np.sum, np.ones(3), np.ones((3, 1)))._repr_html_()
    assert "WRONG in 1 of 1" in gradcheck(lambda x: x, 1.0, 2.0)._repr_html_()


def test_worst_of_nothing_and_of_a_wrong_shape():
    assert gradcheck(np.sum, np.zeros(0), np.zeros(0)).worst is None
    report = gradcheck(np.sum, np.ones(3), np.ones((3, 1)))
    assert report.worst[:2] == ("input 0", None) or report.worst[:2] == ("a", None)
    assert "shape (3, 1) where (3,) was expected" in repr(report)


# --- directions -----------------------------------------------------------------------


def test_directions_accept_right_and_reject_wrong_gradients():
    f, inputs, grads = layer_and_gradients()
    rng = np.random.default_rng(0)
    assert check_directions(f, inputs, grads, rng)
    for name in inputs:
        for spoil in (lambda g: 1.001 * g, lambda g: -g, np.zeros_like, lambda g: g[0]):
            wrong = {**grads, name: spoil(grads[name])}
            report = check_directions(f, inputs, wrong, rng)
            assert not report
            assert report.worst.input == name


def test_directions_see_tiny_gradients_and_kinks():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(50)
    tiny = lambda x: 1 + 1e-9 * (x**2).sum()  # noqa: E731
    assert check_directions(tiny, x, 2e-9 * x, rng)
    assert not check_directions(tiny, x, np.zeros(50), rng)
    x = rng.standard_normal(2000) * 1e-3  # many kinks within a step
    assert check_directions(relu_sum, x, (x > 0).astype(float), rng)
    assert not check_directions(relu_sum, x, 1.001 * (x > 0), rng)


def test_directions_cost_little():
    calls = []

    def f(x):
        calls.append(1)
        return float(np.vdot(x, x))

    x = np.random.default_rng(0).standard_normal(10_000)
    report = check_directions(f, x, 2 * x, np.random.default_rng(1), n=4)
    assert report
    assert len(calls) == 2 + 2 * 4


# --- what is refused ------------------------------------------------------------------


def change(x):
    x += 1
    return x.sum()


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: gradcheck(np.sum, np.arange(3), np.ones(3)), TypeError, "integers"),
        (lambda: gradcheck(lambda x: x, 3, 1.0), TypeError, "1.0 for 1"),
        (lambda: gradcheck(np.sum, np.array(["a"]), 1.0), TypeError, "array of floats"),
        (lambda: gradcheck(np.sum, np.array([1, np.nan]), 1.0), ValueError, r"\(1,\)"),
        (lambda: gradcheck(np.sum, np.array([np.inf]), 1.0), ValueError, "finite"),
        (lambda: gradcheck(np.sum, np.ones(2), None), ValueError, "did backward run"),
        (lambda: gradcheck(np.sum, np.ones(2), "no"), TypeError, "array of numbers"),
        (lambda: gradcheck(np.sum, np.ones(2), [np.ones(2)]), ValueError, "one array"),
        (lambda: gradcheck(np.dot, [1.0, 2.0], [2.0]), ValueError, "expected 2 grad"),
        (lambda: gradcheck(np.dot, [1.0, 2.0], 2.0), ValueError, "list or tuple"),
        (lambda: gradcheck(np.sum, {"x": 1.0}, {}), ValueError, r"missing: \['x'\]"),
        (lambda: gradcheck(np.sum, {"x": 1.0}, {"x": 1.0, "y": 1.0}), ValueError,
         r"without an input: \['y'\]"),
        (lambda: gradcheck(np.sum, {"x": 1.0}, [1.0]), ValueError, "must be a dict"),
        (lambda: gradcheck(np.sum, {}, {}), ValueError, "at least one input"),
        (lambda: gradcheck(np.sin, np.ones(2), np.ones(2)), ValueError, "grad_out"),
        (lambda: gradcheck(np.sin, np.ones(2), np.ones(2), grad_out=np.ones(3)),
         ValueError, r"grad_out has shape \(3,\), but f gives shape \(2,\)"),
        (lambda: gradcheck(lambda x: 1j * x, 1.0, 1.0), TypeError, "complex"),
        (lambda: gradcheck(change, np.ones(2), np.ones(2)), ValueError, "in place"),
        (lambda: numerical_gradient(change, np.ones(2)), ValueError, "in place"),
        (lambda: gradcheck(lambda x: np.random.default_rng().random(), 1.0, 1.0),
         ValueError, "chance"),
        (lambda: gradcheck(np.sum, 1.0, 1.0, dtype=int), ValueError, "np.float32"),
        (lambda: numerical_gradient(np.sin, np.ones(2)), ValueError, "one number"),
        (lambda: numerical_gradient(np.sin, 1), TypeError, "integers"),
        (lambda: numerical_gradient(np.sin, 1.0, h=0.0), ValueError, "positive"),
        (lambda: numerical_gradient(np.sin, 1e8, h=1e-9), ValueError, "vanishes"),
        (lambda: complex_step_gradient(np.sin, np.ones(2)), ValueError, "one number"),
        (lambda: complex_step_gradient(np.sin, np.nan), ValueError, "finite"),
        (lambda: gradcheck(lambda x: {}, 1.0, 1.0), TypeError, "found dict: let it"),
        (lambda: gradcheck(lambda x: "1", 1.0, 1.0), TypeError, "found str: let it"),
        (lambda: gradcheck(lambda x: [x], 1.0, 1.0), ValueError, r"shape \(1,\)"),
    ],
)  # fmt: skip
def test_errors_say_how_to_mend(call, error, said):
    with pytest.raises(error, match=said):
        call()


FORGOTTEN = "expected a number from f, found None: does f end without a return?"
NODE = (
    "expected plain numbers from f, found a {}: let it return its .data, as in "
    "loss.data"
)
NODE_IN = (
    "{} holds a {}; expected an array of floats: pass its .data, and let f make a {} "
    "of the array that it gets"
)
NODE_GRAD = (
    "the gradient of x holds a {}; expected an array of numbers: pass x.grad, or the "
    ".data of what holds the gradient"
)


def along(f, x, grad, **more):
    return check_directions(f, x, grad, np.random.default_rng(0), **more)


def gradient(f, x, grad):
    return numerical_gradient(f, x)


def complex_gradient(f, x, grad):
    return complex_step_gradient(f, x)


CHECKS = [gradcheck, along, gradient, complex_gradient]
two, node = np.array([1.0, 2.0]), Tensor([1.0, 2.0])


@pytest.mark.parametrize("call", CHECKS)
@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda x: None, FORGOTTEN),
        (lambda x: (Tensor(two) ** 2).sum(), NODE.format("Tensor")),
        (lambda x: Tensor(two), NODE.format("Tensor")),
        (lambda x: Value(2.0), NODE.format("Value")),
        (lambda x: [Value(2.0), Value(3.0)], NODE.format("Value")),
    ],
)
def test_what_f_returns_has_to_be_numbers(call, f, said):
    with pytest.raises(TypeError) as caught:
        call(f, two, 2 * two)
    assert str(caught.value) == said


@pytest.mark.parametrize("call", CHECKS[:2])
def test_what_f_returns_is_looked_at_with_grad_out_too(call):
    for f, said in ((lambda x: None, FORGOTTEN), (Tensor, NODE.format("Tensor"))):
        with pytest.raises(TypeError) as caught:
            call(f, two, two, grad_out=two)
        assert str(caught.value) == said
    with pytest.raises(TypeError, match="^grad_out holds a Tensor; expected an array"):
        call(lambda x: x, two, two, grad_out=node)


@pytest.mark.parametrize("call", CHECKS)
@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (node, "Tensor"),
        (Value(2.0), "Value"),
    ],
)
def test_inputs_have_to_be_numbers(call, x, kind):
    with pytest.raises(TypeError) as caught:
        call(lambda x: (x * x).sum(), x, two)
    assert str(caught.value) == NODE_IN.format("x", kind, kind)


@pytest.mark.parametrize("call", CHECKS[:2])
def test_lists_of_inputs_and_gradients_have_to_be_numbers(call):
    f = lambda x, y: float((x * y).sum())  # noqa: E731
    with pytest.raises(TypeError, match="^y holds a Tensor; expected an array"):
        call(f, [two, node], [two, two])
    with pytest.raises(TypeError, match="^y holds a Value; expected an array"):
        call(f, {"x": two, "y": Value(1.0)}, {"x": two, "y": two})
    for grad in (node, Value(1.0)):
        with pytest.raises(TypeError) as caught:
            call(f, [two, two], [grad, two])
        assert str(caught.value) == NODE_GRAD.format(type(grad).__name__)


@pytest.mark.parametrize("call", CHECKS[:3])
@pytest.mark.parametrize("kind", [float, np.float64, np.array, np.longdouble])
def test_numbers_of_other_kinds_are_numbers(call, kind):
    assert np.all(call(lambda x: kind((x * x).sum()), two, 2 * two))


@pytest.mark.parametrize("call", CHECKS[:2])
def test_tensors_of_torch(call):
    """Their numbers are taken; where torch would rather not part with them, told."""
    torch = pytest.importorskip("torch")
    square = lambda x: (torch.as_tensor(x) ** 2).sum()  # noqa: E731
    assert call(square, torch.tensor(two), torch.tensor(2 * two))
    live = torch.tensor(two, requires_grad=True)
    detach = r"torch tensor that requires grad.*\.detach\(\)"
    with pytest.raises(TypeError, match=f"^expected plain numbers from f.* {detach}"):
        call(lambda x: (live * torch.as_tensor(x)).sum(), two, two)
    with pytest.raises(TypeError, match=f"^x holds a {detach}"):
        call(lambda x: (x * x).sum(), live, two)
    with pytest.raises(TypeError, match=f"^the gradient of x holds a {detach}"):
        call(lambda x: (x * x).sum(), two, live)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_f_that_is_not_finite_has_no_gradient(bad):
    for check in (gradcheck, along):
        (message,) = check(lambda x: bad, two, two).messages
        assert message == f"f is {bad} at the inputs: mend f before its gradient"
    with pytest.raises(ValueError, match="mend f before its gradient"):
        complex_step_gradient(lambda x: bad, two)
    for call in CHECKS:
        with pytest.raises(ValueError, match=f"x is {bad} at index .1,.: there is no"):
            call(lambda x: x.sum(), np.array([1.0, bad]), two)
    for check in (gradcheck, along):
        assert not check(lambda x: x.sum(), two, np.array([1.0, bad]))


def test_whole_numbers_and_complex_ones_are_numbers():
    assert gradcheck(lambda x: 3, two, 0 * two)
    assert complex_step_gradient(lambda x: 3, 1.0) == 0


FLOAT32 = (
    "f computes in float32: its values have 7 digits, so a step of 6e-06 changes "
    "little but noise. Let f and its constants compute in float64, or pass "
    "dtype=np.float32 for a coarser check"
)
INTEGERS = (
    "x holds integers (int64): a nudge of 6e-06 would be rounded away. Pass floats "
    "(1.0 for 1, x.astype(float)); labels and indices have no gradient: keep them out "
    "of inputs, as in lambda W: loss(W, labels)"
)
INFINITE = (
    "x is inf at index (1,): there is no slope at such a point; check at finite values"
)
CHANGED = (
    "f changed its input x in place; let it work on a copy, as in x = x + 1 instead of "
    "x += 1"
)
ARRAY = (
    "expected one number from f, found an array of shape (2,): sum or average it, or "
    "pass grad_out, an array of this shape, to check Σ f·grad_out"
)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: numerical_gradient(np.sum, np.ones(2, np.int64)), INTEGERS),
        (lambda: complex_step_gradient(np.sum, np.ones(2, np.int64)), INTEGERS),
        (lambda: numerical_gradient(np.sum, np.array([1, np.inf])), INFINITE),
        (lambda: numerical_gradient(change, np.ones(2)), CHANGED),
        (lambda: numerical_gradient(np.sin, np.ones(2)), ARRAY),
        (lambda: gradcheck(lambda x: 1j * x, 1.0, 1.0),
         "expected a real number from f, found a complex one"),
        (lambda: relative_error(np.ones(3), np.ones((3, 1))),
         "expected two arrays of one shape, found (3,) and (3, 1); broadcasting them "
         "would compare entries that do not belong together"),
        (lambda: gradcheck(np.sum, {}, {}),
         "expected at least one input to check, found none"),
        (lambda: gradcheck(np.sum, {"x": 1.0}, [1.0]),
         "inputs is a dict, so grads must be a dict with the same names; found list"),
        (lambda: gradcheck(np.dot, [1.0, 2.0], 2.0),
         "inputs is a sequence of 2, so grads must be a list or tuple of 2; found "
         "float"),
        (lambda: gradcheck(np.sum, np.ones(2), [np.ones(2)]),
         "inputs is one array, so grads must be one array; found list. For several "
         "inputs pass both as lists or dicts"),
        (lambda: gradcheck(np.sin, 1.0, 1.0, grad_out=[1.0]),
         "grad_out has shape (1,), but f gives shape (); they must be equal"),
        (lambda: gradcheck(np.sin, 1.0, 1.0, grad_out=1),
         INTEGERS.replace("x holds", "grad_out holds")),
    ],
)  # fmt: skip
def test_errors_in_full(call, said):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert str(caught.value) == said


def test_chance_and_float32_in_full():
    answers = iter([0.25, 0.5])
    with pytest.raises(ValueError) as caught:
        gradcheck(lambda x: next(answers), 1.0, 1.0)
    assert str(caught.value) == (
        "f gave 0.25, then 0.5 for the same inputs: a slope cannot be measured through "
        "chance or memory. Make its random generator anew inside f, or switch the "
        "randomness off"
    )
    report = gradcheck(lambda x: tanh32(x).sum(), np.ones(2), np.ones(2))
    assert report.messages == [FLOAT32]
    x = np.random.default_rng(0).standard_normal((4, 3))
    scatter = lambda x: tanh32(x).sum(dtype=float)  # noqa: E731
    (said,) = gradcheck(scatter, x, 1 - np.tanh(x) ** 2).messages
    assert said.startswith("f is noisy: its values scatter by ")
    assert said.endswith(
        " of their size, as if part of it computed in float32, or nearly equal numbers "
        "were subtracted. Let f and its constants compute in float64, or pass "
        "dtype=np.float32 for a coarser check"
    )


# --- properties -----------------------------------------------------------------------

seeds = st.integers(0, 2**32 - 1)


def random_network(seed):
    """Mean of squares of a tanh network with random sizes; gradients by hand."""
    rng = np.random.default_rng(seed)
    n, d, h, k = rng.integers(1, 6, 4)
    X, W, V = (rng.standard_normal(s) for s in [(n, d), (d, h), (h, k)])

    def f(W, V):
        return ((np.tanh(X @ W) @ V) ** 2).mean()

    a = np.tanh(X @ W)
    dy = 2 * (a @ V) / (n * k)
    return f, [W, V], [X.T @ ((dy @ V.T) * (1 - a * a)), a.T @ dy], rng


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_random_networks_pass(seed):
    f, inputs, grads, rng = random_network(seed)
    assert gradcheck(f, inputs, grads)
    assert check_directions(f, inputs, grads, rng)


@given(seeds, st.floats(1e-3, 10), st.sampled_from([-1, 1]))
@settings(max_examples=60, deadline=None)
def test_one_wrong_entry_of_a_random_network_is_found(seed, size, sign):
    f, inputs, grads, rng = random_network(seed)
    k = rng.integers(2)
    index = tuple(int(rng.integers(n)) for n in grads[k].shape)
    # Above the noise: eps·|f| over the largest useful step, a thousand times.
    assume(abs(grads[k][index]) > 1e-9 * f(*inputs))
    grads[k][index] *= 1 + sign * size
    report = gradcheck(f, inputs, grads)
    assert not report
    assert report.worst[:2] == ("WV"[k], index)


@given(
    st.lists(st.floats(-3, 3).map(lambda c: round(c, 3)), min_size=1, max_size=6),
    st.floats(-2, 2).map(lambda x: round(x, 3)),
    st.floats(1.001, 5),
)
@settings(deadline=None)
def test_polynomials(coefficients, x, factor):
    p = np.polynomial.Polynomial(coefficients)
    slope = float(p.deriv()(x))
    assert gradcheck(lambda x: float(p(x)), x, slope)
    if abs(slope) > 1e-3:
        assert not gradcheck(lambda x: float(p(x)), x, factor * slope)


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_random_points_on_kinks(seed):
    rng = np.random.default_rng(seed)
    x, c = rng.integers(-1, 2, 6).astype(float), rng.uniform(0.5, 2, 6)
    between = rng.random(6)
    grad = c * np.where(x == 0, between, x > 0)
    report = gradcheck(lambda x: float(c @ np.maximum(x, 0)), x, grad)
    assert report
    assert set(report.kinks) == {("x", (int(i),)) for i in np.flatnonzero(x == 0)}


# --- beside torch ---------------------------------------------------------------------


def test_agrees_with_the_checker_of_torch():
    torch = pytest.importorskip("torch")

    class Scaled(torch.autograd.Function):
        factor = 1.0

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return (x**3).sum()

        @staticmethod
        def backward(ctx, grad_out):
            (x,) = ctx.saved_tensors
            return grad_out * 3 * x**2 * Scaled.factor

    x = np.array([0.5, -1.5, 2.0])
    leaf = torch.tensor(x, requires_grad=True)
    for factor in (1.0, 1.01, -1.0, 0.0):
        Scaled.factor = factor
        theirs = torch.autograd.gradcheck(Scaled.apply, (leaf,), raise_exception=False)
        ours = gradcheck(lambda x: (x**3).sum(), x, factor * 3 * x**2)
        assert bool(ours) is theirs is (factor == 1.0)


def test_sees_what_an_absolute_tolerance_lets_pass():
    torch = pytest.importorskip("torch")

    class NoGradient(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 1e-7 * (x**2).sum()

        @staticmethod
        def backward(ctx, grad_out):
            return torch.zeros(3, dtype=torch.float64)

    x = torch.ones(3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(NoGradient.apply, (x,))  # atol = 1e-5
    assert not gradcheck(lambda x: 1e-7 * (x**2).sum(), np.ones(3), np.zeros(3))
