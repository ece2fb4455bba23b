"""The second look: what it takes for noise, and when it would rather not say.

Noise taken too small makes a right gradient wrong, and noise taken too large lets a
wrong one pass, or says that f is noisy where it is the gradient that is wrong.
"""

import numpy as np
import pytest

from course_utils.gradcheck import (
    EPS,
    Look,
    all_float32,
    bends_no_more,
    gradcheck,
    hidden_noise,
    noise_level,
    second_look,
    wide_slope,
)
from course_utils.gradcheck.look import _ladder

EIGHTH = 4.0 ** -np.arange(8)  # exact steps, so that results are exact


def hidden(f, rounding=0.0):
    """What `hidden_noise` says of f at 0, and where it asked f."""
    points = []
    up, down = (np.array([f(t) for t in side]) for side in (EIGHTH, -EIGHTH))
    probe = lambda t: points.append(t) or f(t)  # noqa: E731
    return hidden_noise(probe, EIGHTH, up, down, f(0.0), rounding), points


def from_here(sign, *rungs):
    """Sixteen points close to one another, further out from each of these steps."""
    ends = [sign * EIGHTH[i] for i in rungs]
    return [end + k * end / 2**15 for end in ends for k in range(16)]


@pytest.mark.parametrize(
    ("f", "sign"),
    [
        (lambda t: t if t > 0.01 else 0.0, 1),
        (lambda t: t if t < -0.01 else 0.0, -1),
        (lambda t: t if abs(t) > 0.01 else 0.0, 1),
    ],
)
def test_a_flat_f_is_asked_where_it_begins_to_move(f, sign):
    assert hidden(f)[1] == from_here(sign, 1, 2, 3)


def test_f_is_flat_if_the_last_three_steps_make_no_difference():
    assert hidden(lambda t: t if t >= EIGHTH[4] else 0.0)[1] == from_here(1, 2, 3, 4)
    assert hidden(lambda t: t if t >= EIGHTH[5] else 0.0) == (0.0, [])
    assert hidden(lambda t: t) == (0.0, [])


def test_noise_that_was_hidden_is_that_of_f_where_it_moves():
    calls = []

    def alternating(t):
        return calls.append(t) or (-1.0) ** len(calls)

    moved = np.where(EIGHTH > 0.01, 1.0, 0.0)
    noise = hidden_noise(alternating, EIGHTH, moved, 0 * moved, 0.0, 0.0)
    assert noise == 64 / np.sqrt(924)  # sixth differences of −1, 1, −1, … are ±64


@pytest.mark.parametrize(
    ("f", "rounding", "noise"),
    [
        (lambda t: 0.0, 2.0, 0.5),  # f is rounding alone
        (lambda t: 1e6, 2.0, 0.5),  # or never moves
        (lambda t: 2.0 + (t > 0), 2.0, 0.5),
        (lambda t: 2.25 + (t > 0), 2.0, 1.0),  # a stair that begins at x
        (lambda t: 2.25 + (t > 0), 0.75, 0.75),  # higher than a stair can be
        (lambda t: 9.0 + 3.0 * (t > 0.2) + (t > 0.01), 2.0, 1.0),  # the first stair
        (lambda t: 9.0 - 0.5 * (t > 0.05) + (t > 0.01), 2.0, 1.0),
    ],
)
def test_the_first_stair_of_a_flat_f_is_its_noise(f, rounding, noise):
    assert hidden(f, rounding)[0] == noise


def test_a_float32_is_known_where_rounding_leaves_all_its_24_digits():
    values = [1.125, 1.25, 1.5, 1.75, 1.875]
    assert all_float32(values, 2.0**-24)
    assert not all_float32([1.0, *values[1:]], 2.0**-24)


# --- what a look says -----------------------------------------------------------------

H, EPS64 = 2.0**-18, EPS["d"]


def look(f, size=0.0):
    return second_look(f, 0.0, H, EPS64, size)


def test_the_look_at_a_line():
    slope = 1 + 2.0**-40  # more digits than float32 has
    found = look(lambda t: slope * t)
    assert found == Look(slope, found.margin, False, found.scatter, False)
    assert found.kink is False and found.float32 is False
    assert 0 < found.margin < 1e-14 and found.scatter == EPS64
    assert look(lambda t: 3 * t).float32 is True


def test_the_look_at_a_kink_adds_four_roundings_to_the_distance_of_its_slopes():
    kink = Look(0.0, 1 + 4 * EPS64, True, EPS64, True, False)
    assert look(abs) == kink
    bent = look(lambda t: (1 + 2.0**-40) * abs(t))
    assert bent.kink is True and bent.float32 is False


def test_the_look_at_nothing_knows_what_numbers_inside_may_hide():
    steps, _ = _ladder(0.0, H)
    rounding = EPS64 * (1 + 1 / 16) / steps[2]
    assert look(lambda t: 0.0, size=8.0).margin == 4 * 8 * rounding
    assert look(lambda t: 0.0).margin > 0  # 5e-324 is a rounding, too


def test_the_scatter_of_an_f_that_is_zero_here_is_not_made_relative():
    noisy = lambda t: 1e-9 * (abs(t) > H / 3) * (-1) ** round(8 * t / H)  # noqa: E731
    assert look(noisy).scatter == noise_level(noisy, H) > 1e-10


# --- a wrong gradient is called wrong, and f is not called noisy ----------------------


def said(f, x, grad):
    (check,) = gradcheck(f, {"x": np.array(x)}, {"x": np.array(grad)}).checks
    return check.noisy or ("right" if check else "wrong")


def test_near_the_zero_of_a_difference_of_large_numbers():
    """What rounding leaves of f here is much of f, and little of x times its slope."""
    scale = 1e5
    f = lambda x: float(sum(x[0] * scale * w for w in (0.1, 0.2, 0.7)) - scale / 3)  # noqa: E731
    assert said(f, [1 / 3], [scale]) == "right"
    assert said(f, [1 / 3], [1.1 * scale]) == "wrong"


@pytest.mark.parametrize(
    ("f", "right", "wrong"),
    [
        (lambda x: float(x[1] ** 2), [0.0, 2.0], [0.0, 3.0]),
        (lambda x: float((x[0] + x[1]) - 1e8), [1.0, 1.0], [1.0, 1.5]),
    ],
)
def test_beside_an_entry_of_a_hundred_million(f, right, wrong):
    """It is no noise if f rounds numbers as large as this one, nor if it does not."""
    assert said(f, [1e8, 1.0], right) == "right"
    assert said(f, [1e8, 1.0], wrong) == "wrong"


@pytest.mark.parametrize("scale", [1e-160, 3e-162])
def test_where_f_is_smaller_than_any_normal_number(scale):
    """Squares are multiples of 5e-324 then, a staircase without kinks."""
    x = scale * np.array([1.0, -2.0, 0.5])
    assert said(lambda x: float((x * x).sum()), x, 2 * x) == "right"


@pytest.mark.parametrize("scale", [1.0, 1e-9])
def test_float32_inside_is_named_at_every_scale(scale):
    x = scale * np.array([0.3, -0.7, 0.9])
    f = lambda x: float(np.sin(x.astype(np.float32)).sum(dtype=float))  # noqa: E731
    assert "as if part of it computed in float32" in said(f, x, 1.5 * np.cos(x))


def test_a_wide_slope_is_exact_for_a_polynomial_of_fourth_degree():
    calls = []

    def probe(t):
        calls.append(t)
        return 5.0 + 3 * t + 2 * t**2 + 7 * t**3 - t**4

    assert wide_slope(probe, 2.0**-10) == pytest.approx(3.0, rel=1e-12)
    assert calls == [2.0**-6, -(2.0**-6), 2.0**-4, -(2.0**-4)]


# --- a few calls instead of a second look ---------------------------------------------


def calls_beyond_the_quick_test(f, x, grad):
    calls = []
    report = gradcheck(lambda x: calls.append(0) or f(x), x, grad)
    return bool(report), len(calls) - 2 * x.size - 2


def test_four_calls_with_a_finer_step_where_curvature_was_in_the_way():
    x = np.array([3e-3])
    f = lambda x: float((1 / x**3).sum())  # noqa: E731
    assert calls_beyond_the_quick_test(f, x, -3 / x**4) == (True, 4)
    right, calls = calls_beyond_the_quick_test(f, x, -3.003 / x**4)
    assert not right and calls > 100


def test_wider_and_wider_steps_until_one_needs_no_excuse():
    x, f = np.zeros(1), lambda x: float(1 + 1e-8 * np.sin(x[0]))
    assert calls_beyond_the_quick_test(f, x, np.full(1, 1e-8)) == (True, 12)
    right, calls = calls_beyond_the_quick_test(f, x, np.full(1, 1.001e-8))
    assert not right and calls > 100


@pytest.mark.parametrize("level", [0.0, 1.0, 1e6])
@pytest.mark.parametrize(
    ("f", "none"),
    [
        (lambda t: 0.0, True),
        (lambda t: 3 * t, True),
        (lambda t: float(t != 0), True),  # a value that f has at x alone
        (abs, False),
        (lambda t: max(t, 0.0), False),
        (lambda t: 1e-3 * abs(t), False),
        (lambda t: t * t, False),  # a second look has to tell
    ],
)
def test_no_kink_where_f_bends_no_more_with_wider_steps(f, none, level):
    g = lambda t: level + f(t)  # noqa: E731
    bend = abs(g(H) - 2 * g(0.0) + g(-H))
    assert bends_no_more(g, H, bend, EPS64) is none


def test_a_target_with_a_value_of_its_own_costs_five_calls_an_entry():
    """As the targets 1 and −1 of a hinge loss: beside them f takes another branch."""
    x, y = np.linspace(0.1, 0.9, 8), np.ones(8)
    f = lambda x, y: float(np.where(y == 1, x, np.maximum(0, 2 - x)).sum())  # noqa: E731
    calls = []
    g = lambda *a: calls.append(0) or f(*a)  # noqa: E731
    assert gradcheck(g, [x, y], [np.ones(8), np.zeros(8)])
    assert len(calls) == 2 + 2 * 16 + 5 * 5
