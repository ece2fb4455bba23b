"""What gradcheck says, word by word, and what it takes in, down to the last option.

test_gradcheck.py asks for the verdict. Here is what stands beside it, which a reader
goes by: which entry is shown, with which label and note, and that every option arrives.
"""

import re

import numpy as np
import pytest

from course_utils.gradcheck import (
    EPS,
    KINK,
    NOISE,
    TINY,
    Check,
    Look,
    Report,
    Setting,
    check_directions,
    error_map,
    gradcheck,
    look_at_bends,
    looks_like,
    step_size,
)
from course_utils.gradcheck import RIGHT as FINE
from course_utils.gradcheck import WRONG as BAD
from course_utils.gradcheck import checks as module
from course_utils.gradcheck.naming import _blind


def checked(analytic, numeric, tolerance, verdict, name="x"):
    arrays = [np.array(a, float) for a in (analytic, numeric, tolerance)]
    return Check(name, *arrays, np.array(verdict), "")


def text(page):
    """What a reader of the page sees."""
    return re.sub("<[^>]*>", "", page)


# --- which entry is shown -------------------------------------------------------------


def test_the_worst_of_right_entries_is_the_one_nearest_to_wrong():
    check = checked([1, 1.5, 1], [1, 1, 1], [1, 1, 1], [FINE] * 3)
    assert check.worst().index == (1,)


def test_the_worst_of_right_inputs_is_the_one_nearest_to_wrong():
    near, far = (checked([a], [1], [1], [FINE], str(a)) for a in (1.25, 1.5))
    assert Report([near, far], 1e-6).worst.input == "1.5"
    assert Report([far, near], 1e-6).worst.input == "1.5"


def test_a_wrong_shape_is_worse_than_a_wrong_number():
    x = np.ones(3)
    shape, number = np.ones((3, 1)), np.full(3, 2.0)
    for grads in ({"a": number, "b": shape}, {"b": shape, "a": number}):
        report = gradcheck(lambda a, b: (a + b).sum(), {n: x for n in grads}, grads)
        assert report.worst.input == "b"


def test_an_error_as_large_as_rtol_is_not_said_to_be_below():
    row = repr(Report([checked([1], [2], [1], [FINE])], 0.5)).splitlines()[1]
    assert "5.0e-01  right" in row
    row = repr(Report([checked([1], [1.5], [1], [FINE])], 0.5)).splitlines()[1]
    assert "< 5e-01  right" in row


def test_an_error_map_has_signs_and_no_other_words():
    verdicts = [[BAD, FINE], [FINE, KINK]]
    page = error_map(checked(np.ones((2, 2)), np.ones((2, 2)), 0, verdicts))
    assert text(page) == "Errors of x: × wrong, ∧ kink, · right×··∧"


# --- names and notes ------------------------------------------------------------------

GRAD = np.array([[1.0, 2.0, 4.0], [3.0, -1.0, 0.5]])


@pytest.mark.parametrize(
    ("analytic", "numeric"),
    [
        (GRAD, 0 * GRAD),
        (0 * GRAD, 0 * GRAD),
        (np.inf * GRAD, GRAD),
        (0 * GRAD, np.inf * GRAD),  # no slope was found: 0 is no more wrong than 1
    ],
)
def test_where_no_name_fits_there_is_no_warning_either(analytic, numeric):
    with np.errstate(all="raise"):
        assert looks_like(analytic, numeric, {}) == ""


def test_other_numbers_in_another_shape_are_not_called_the_right_ones():
    assert looks_like(GRAD.reshape(3, 2) + 1, GRAD, {}) == ""


def test_a_factor_is_known_by_its_first_four_digits():
    sizes = {0: "nothing", 1: "one", 7: "here"}
    for factor, name in [(7.0003, "7"), (-6.9997, "−7"), (1.00003 / 7, "1/7")]:
        said = f"analytic = {name} × numeric: 7 is here"
        assert looks_like(factor * GRAD, GRAD, sizes) == said
    assert looks_like(7.01 * GRAD, GRAD, sizes) == "analytic = 7.01 × numeric"


def test_a_gradient_within_the_noise_is_not_said_to_be_zero():
    said = _blind(checked([0, 0], [1e-9, 0], [1, 1], [NOISE, NOISE]))
    assert said == "the gradient of x is below the noise of f: nothing was verified"


def test_noise_beside_zeros_verifies_nothing_and_a_kink_does():
    saturated = lambda x: float(1 / (1 + np.exp(-x[0])))  # noqa: E731
    grad = np.array([np.exp(-41.5), 0.0])
    (check,) = gradcheck(saturated, {"x": np.array([41.5, 1.0])}, {"x": grad}).checks
    said = "the gradient of x is below the noise of f: nothing was verified"
    assert check.notes == [said]
    (check,) = gradcheck(lambda x: abs(x - 1), {"x": 1.0}, {"x": 0.5}).checks
    assert check.verdict == KINK and check.notes == []


# --- float32, and f without finite values ---------------------------------------------


def test_float32_is_named_even_where_every_gradient_seems_to_agree():
    report = gradcheck(lambda x: np.float32(7), np.ones(2), np.zeros(2))
    assert not report
    assert "f computes in float32" in repr(report)
    assert gradcheck(lambda x: np.float32(7), np.ones(2), np.zeros(2), dtype="f")


def test_a_second_look_in_float32_has_no_complaint_of_its_own():
    """A kink needs a second look: that f is float32 is then no news."""
    f = lambda x: np.float32(np.maximum(x.astype("f"), 0).sum())  # noqa: E731
    x = np.array([0.0, 1.0])
    report = gradcheck(f, {"x": x}, {"x": np.array([0.25, 1])}, dtype=np.float32)
    assert report and report.kinks == [("x", (0,))], repr(report)
    report = gradcheck(f, {"x": x}, {"x": np.array([0.25, 1.5])}, dtype=np.float32)
    assert "WRONG in 1 of 2" in repr(report)


@pytest.mark.parametrize("way", ["gradcheck", "check_directions"])
def test_in_float32_a_step_is_larger(way):
    """With the step of float64, rounding would excuse whatever is wrong by 50 %."""
    x, seen = np.ones(1), []

    def f(x):
        seen.append(float(x[0]))
        return float(x[0])

    call = gradcheck if way == "gradcheck" else check_directions
    rng = [np.random.default_rng(0)] * (way == "check_directions")
    call(f, x, x, *rng, dtype=np.float32)
    assert np.ptp(seen) > EPS["f"] ** (1 / 3) / 10


def test_noise_is_named_above_a_ten_billionth():
    setting = Setting([], [], [], float, float, 0.0, 1e-6, EPS["d"], "")
    assert setting.noise_named(Look(0.0, 0.0, False, 1e-10, False)) == ""
    assert "1e-09" in setting.noise_named(Look(0.0, 0.0, False, 1e-9, False))


def test_infinities_beside_the_point_are_reported_and_not_warned_of():
    f = lambda x: 0.0 if x == 1 else np.inf  # noqa: E731
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        report = gradcheck(f, 1.0, 0.0)
        assert not report and "WRONG in 1 of 1" in repr(report)
        assert report.messages == []
        assert not check_directions(f, 1.0, 0.0, np.random.default_rng(0))


# --- what comes in --------------------------------------------------------------------


def test_arrays_of_any_order_and_of_float32_are_checked_in_float64():
    x = np.arange(6.0).reshape(2, 3) + 1
    f = lambda x: (x**3).sum()  # noqa: E731
    for array in (x.T, np.asfortranarray(x), x[:, ::-1], x.astype(np.float32)):
        report = gradcheck(f, array, 3 * array.astype(float) ** 2)
        assert report, repr(report)
        assert not gradcheck(f, array, 3.01 * array.astype(float) ** 2)


def test_f_that_does_not_tell_its_parameters():
    """`max` has no signature."""
    report = gradcheck(max, [2.0, 1.0], [1.0, 0.0])
    assert report and [c.name for c in report.checks] == ["input 0", "input 1"]


def test_errors_name_the_input():
    f = lambda a, b: a + b  # noqa: E731
    with pytest.raises(TypeError, match=r"^b holds integers"):
        gradcheck(f, {"a": 1.0, "b": 1}, {"a": 1.0, "b": 1.0})
    with pytest.raises(ValueError, match=r"^the gradient of b is None.*reach b\?$"):
        gradcheck(f, {"a": 1.0, "b": 1.0}, {"a": 1.0, "b": None})


@pytest.mark.parametrize("way", ["gradcheck", "check_directions"])
def test_rtol_decides_and_is_what_the_table_says(way):
    def check(**options):
        if way == "gradcheck":
            return gradcheck(lambda x: 2 * x, 1.0, 2.0002, **options)
        rng = np.random.default_rng(0)
        return check_directions(lambda x: 2 * x, 1.0, 2.0002, rng, **options)

    assert not check()
    assert check(rtol=1e-3) and "< 1e-03" in repr(check(rtol=1e-3))
    assert not check(rtol=1e-5)
    assert check(dtype=np.float32)


# --- a gradient as large as the quick test lets it be ---------------------------------


@pytest.mark.parametrize("f", [lambda x: float(x[0] ** 2 + x[1]), lambda x: 0.0])
def test_the_noise_that_excuses_an_entry_comes_from_rounding_f(f):
    x = np.array([3.0, 1000.0])
    grad = np.array([6.0, 1.0]) * bool(f(x))
    (check,) = gradcheck(f, x, grad).checks
    rounding = 4 * (EPS["d"] * f(x) + TINY) / step_size(x)
    np.testing.assert_allclose(check.tolerance, 1e-6 * grad + rounding, rtol=1e-9)


def test_a_kink_is_found_among_smooth_entries_of_a_large_f():
    x = np.array([1.0] * 20 + [0.0])
    f = lambda x: float(1e3 + x[:20].sum() + abs(x[20]))  # noqa: E731
    report = gradcheck(f, {"x": x}, {"x": np.sign(x)})
    assert report and report.kinks == [("x", (20,))]


def test_of_equal_bends_the_first_is_looked_at_first():
    """On every machine: which of equals a faster sort puts first depends on it."""
    seen, bends = [], np.ones(30)
    bends[7] = 2
    check = checked(bends, bends, 0 * bends, [FINE] * 30)
    look = lambda i: seen.append(int(i)) or Look(1.0, 1.0, False, 0.0, False)  # noqa: E731
    look_at_bends(check, look, 1e-6, bends)
    assert seen == [7, 0, 1, 2, 3]


def test_kinks_are_found_in_every_row_of_a_matrix():
    x = np.array([[1.0, 2.0], [3.0, 0.0], [-1.0, 0.0]])
    grad = np.array([[1.0, 1.0], [1.0, 0.25], [0.0, 0.75]])
    report = gradcheck(lambda x: np.maximum(x, 0).sum(), {"x": x}, {"x": grad})
    assert report and report.kinks == [("x", (1, 1)), ("x", (2, 1))]


# --- directions -----------------------------------------------------------------------


def label(n, x=1.0):
    (check,) = check_directions(
        lambda x: x.sum(), x, np.ones_like(x), np.random.default_rng(0), n
    ).checks
    return check.label


def test_directions_are_counted_in_the_table():
    assert [label(n) for n in (1, 2, 3)] == [
        "1 direction",
        "2 directions",
        "3 directions",
    ]
    report = check_directions(lambda x: x, 1.0, 1.0, np.random.default_rng(0))
    assert "5 directions" in repr(report)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_directions_are_those_that_rng_draws(scale):
    """Entries near 1 move along v itself, a larger one further than those beside it."""
    grad = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, 1.0]])
    f = lambda x: float(np.vdot(grad, x))  # noqa: E731
    x, rng = np.ones((2, 3)), np.random.default_rng(7)
    x[1] = scale
    (check,) = check_directions(f, x, grad, rng, 4).checks
    vs = np.random.default_rng(7).standard_normal((4, 2, 3))
    expected = (vs * (x / scale) * grad).sum((1, 2))
    np.testing.assert_allclose(check.analytic, expected, rtol=1e-12)
    np.testing.assert_allclose(check.numeric, expected, rtol=1e-6)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_direction_counts_against_the_length_of_the_gradient(factor):
    """Quick test and second look alike; entries move in proportion to their size."""
    x, slope = np.array([1.0, 1000.0]), np.array([3.0, 0.125])
    f = lambda x: float(1e5 + slope @ x)  # noqa: E731
    grad = factor * slope
    (check,) = check_directions(f, x, grad, np.random.default_rng(0)).checks
    assert bool(check) is (factor == 1.0)
    own = step_size(x)
    length = np.linalg.norm(grad * own / own.max())
    expected = 1e-6 * (np.maximum(abs(check.analytic), abs(check.numeric)) + length)
    if factor == 1.0:
        expected += 4 * EPS["d"] * f(x) / own.max()
    near = 1e-3 if factor == 1.0 else 0.05  # a second look adds noise of its own
    np.testing.assert_allclose(check.tolerance, expected, rtol=near)


def test_directions_weigh_f_with_grad_out():
    x, weights = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    rng = np.random.default_rng(0)
    assert check_directions(np.square, x, 2 * x * weights, rng, grad_out=weights)
    assert not check_directions(np.square, x, 2 * x, rng, grad_out=weights)


def test_directions_through_nothing():
    nothing = np.zeros((0, 3))
    rng = np.random.default_rng(0)
    report = check_directions(lambda x: 1 + x.sum(), nothing, nothing, rng)
    assert report and report.worst.analytic == 0.0


@pytest.fixture
def sizes(monkeypatch):
    """How large the second look is told that the numbers inside f may be."""
    told, look = [], module.second_look

    def second_look(probe, x, h, eps, size):
        told.append((x, size))
        return look(probe, x, h, eps, size)

    monkeypatch.setattr(module, "second_look", second_look)
    return told


@pytest.mark.parametrize(("slope", "size"), [(0.25, 0.5), (4.0, 2.0)])
def test_numbers_inside_f_are_as_large_as_x_and_as_x_times_its_slope(
    sizes, slope, size
):
    f, x = lambda x: float(slope * x.sum()), np.array([0.5, -0.25])
    gradcheck(f, x, np.full(2, 2 * slope))
    assert [at for at, _ in sizes] == [0.5, -0.25]
    np.testing.assert_allclose([found for _, found in sizes], size)
    sizes.clear()
    check_directions(f, x, np.full(2, 2 * slope), np.random.default_rng(0), 1)
    assert sizes[0] == (0.0, 0.5)  # and, as it fails, a look at its entries
