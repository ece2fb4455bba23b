"""What may be said for certain: chance hits, several readings, what an answer does."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from course_exercises.judge.comparing import Trouble
from course_exercises.judge.exercise import Exercise, Mistake
from course_exercises.judge.judging import Judge
from course_exercises.judge.source import edited


def verdict(exercise, answer):
    return Judge(exercise, answer).verdict()


def certain(said):
    return [name for f in said.findings if f.certain for name in f.ids]


# --- what comes in, on some of the paths ----------------------------------------------


def swish_vjp(grad_out, x):
    s = 1 / (1 + np.exp(-x))
    return grad_out * (s + x * s * (1 - s))


def staged_vjp(grad_out, a, b):
    d_top = grad_out / b
    d_bottom = -grad_out * a / b**2
    return 2 * a * d_top + d_bottom, d_top - d_bottom


SWISH = Exercise(
    "99.4",
    "Swish",
    swish_vjp,
    lambda rng: [(rng.normal(size=n), rng.normal(size=n)) for n in (3, 4, 5)],
    gradient=True,
)
STAGED = Exercise(
    "99.5",
    "Stages",
    staged_vjp,
    lambda rng: [tuple(rng.uniform(0.5, 2, size=3)) for _ in range(5)],
    gradient=True,
    outputs=("da", "db"),
)


def first_path(grad_out, x):
    s = 1 / (1 + np.exp(-x))
    return grad_out * s + x * s * (1 - s)


def second_path(grad_out, x):
    s = 1 / (1 + np.exp(-x))
    return s + grad_out * x * s * (1 - s)


def top_alone(grad_out, a, b):
    d_top, d_bottom = 1 / b, -grad_out * a / b**2
    return 2 * a * d_top + d_bottom, d_top - d_bottom


def bottom_alone(grad_out, a, b):
    d_top, d_bottom = grad_out / b, -a / b**2
    return 2 * a * d_top + d_bottom, d_top - d_bottom


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        (SWISH, first_path),
        (SWISH, second_path),
        (STAGED, top_alone),
        (STAGED, bottom_alone),
    ],
)
def test_what_comes_in_is_missing_on_one_path(exercise, answer):
    assert set(certain(verdict(exercise, answer))) == {"incoming-partly"}


def top_twice(grad_out, a, b):
    d_top, d_bottom = grad_out**2 / b, -grad_out * a / b**2
    return 2 * a * d_top + d_bottom, d_top - d_bottom


def test_what_comes_in_twice_on_one_path():
    assert set(certain(verdict(STAGED, top_twice))) == {"incoming-twice"}


# --- one thing in the place of another ------------------------------------------------


def centred(x, w):
    """Centred rows, weighted, by a formula and by loops."""
    g = x - x.mean(axis=1, keepdims=True)  # no gradient comes in, in spite of its name
    out = np.zeros(x.shape)
    for i in range(len(x)):
        for j in range(len(w)):
            if w[j] > 0.1:
                out[i, j] = (g[i, j] + w[j]) * np.sqrt(np.abs(w[j]))
    return out


def weighted(rng):
    sizes = (3, 4), (5, 5), (2, 6), (4, 4), (5, 2)
    return [(rng.normal(size=s), rng.normal(size=s[1])) for s in sizes]


CENTRED = Exercise("99.12", "Centred", centred, weighted)
MIXED_UP = [
    ("axis-missing", "x.mean(axis=1", "x.mean(axis=None"),
    ("brackets", "(g[i, j] + w[j]) *", "g[i, j] + w[j] *"),
    ("comparison", "> 0.1", "< 0.1"),
    ("function-missing", "np.sqrt(np.abs(w[j]))", "np.abs(w[j])"),
    ("function-twice", "np.sqrt(np.abs(w[j]))", "np.sqrt(np.sqrt(np.abs(w[j])))"),
    ("index-fixed", "if w[j]", "if w[0]"),
    ("index-fixed", "(g[i, j]", "(g[i, 0]"),
    ("indices", "(g[i, j]", "(g[j, i]"),
    ("keepdims", "keepdims=True", "keepdims=False"),
    ("product-for-sum", "g[i, j] + w", "g[i, j] * w"),
    ("off-by-one", "len(w))", "len(w) - 1)"),
    ("other-variable", "(g[i", "(x[i"),
]


@pytest.mark.parametrize(("name", "old", "new"), MIXED_UP)
def test_one_thing_in_the_place_of_another_is_named(name, old, new):
    assert certain(verdict(CENTRED, edited(centred, {old: new}))) == [name]


def product_vjp(grad_out, X, y):
    N, shares = len(X), grad_out @ X
    return shares * (y - 1) / N


def products(rng):
    sizes = (3, 4), (5, 5), (2, 6), (4, 4), (5, 2), (1, 3)
    return [(rng.normal(size=(n, n)), *rng.normal(size=(2, n, d))) for n, d in sizes]


PRODUCT = Exercise("99.16", "A product", product_vjp, products, gradient=True)
IN_PRODUCTS = [
    ("brackets", {"(y - 1) / N": "(y - 1 / N)"}),
    ("entrywise", {"grad_out @ X": "grad_out * X"}),
    ("factors-exchanged", {"grad_out @ X": "X @ grad_out"}),
    ("first-only", {"return": "out =", "/ N": "/ N\n    return out[0]"}),
    ("first-only", {"return": "out =", "/ N": "/ N\n    return out[:1]"}),
    ("last-only", {"return": "out =", "/ N": "/ N\n    return out[-1]"}),
    ("summed-away", {"return": "out =", "/ N": "/ N\n    return out.sum(axis=-1)"}),
]


@pytest.mark.parametrize(("name", "edits"), IN_PRODUCTS)
def test_a_slip_in_a_product_is_named(name, edits):
    assert certain(verdict(PRODUCT, edited(product_vjp, edits))) == [name]


def squares(x, y):
    inner = x - y
    return 3 * inner * y + (1 - x**2) * (x + y) ** 2


SQUARES = Exercise("99.21", "Squares", squares, lambda rng: rng.normal(size=(5, 2)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("3 * inner * y", "3 * x - y * y"),
        ("(1 - x**2)", "(1 - x) ** 2"),
        ("(x + y) ** 2", "(x**2 + y)"),
        ("(x + y) ** 2", "(x + y**2)"),
        ("3 * inner * y + (1 - x**2)", "(3 * inner * y + (1 - x**2))"),
        ("y + (1 - x**2) * (x + y) ** 2", "(y + (1 - x**2) * (x + y) ** 2)"),
    ],
)
def test_brackets_that_are_missing_or_too_much(old, new):
    wrong = edited(squares, {old: new})
    assert certain(verdict(SQUARES, wrong)) == ["brackets"]


def waves(x, y):
    return 3 * np.tanh(x) ** 2 + np.cos(y**2) * y


WAVES = Exercise("99.23", "Waves", waves, lambda rng: rng.normal(size=(5, 2)))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("power-inside", "(x) ** 2", "(x**2)"),
        ("power-inside", "(y**2)", "(y) ** 2"),
        ("inner-sign", "tanh(x) ** 2", "tanh(x) ** 2 * -1"),
        ("other-function", "np.cos", "np.sin"),
        ("factor-twice", "* y", "* y * y"),
        ("upside-down", "* y", "/ y"),
        ("upside-down", "np.cos(y**2) * y", "y / np.cos(y**2)"),
    ],
)
def test_functions_powers_and_factors_elsewhere(name, old, new):
    assert certain(verdict(WAVES, edited(waves, {old: new}))) == [name]


def test_the_sign_of_what_goes_into_a_function():
    def curve(x, y):
        return x / (1 + np.exp(y))

    exercise = Exercise("99.25", "Curve", curve, WAVES.inputs)
    assert certain(verdict(exercise, edited(curve, {"(y)": "(-y)"}))) == ["inner-sign"]


def test_what_examples_give_is_not_summed():
    exercise = Exercise("99.7", "Customers", costs, COSTS.inputs)
    said = verdict(exercise, lambda x, c: [w * (x - place) for place, _, w in c])
    assert certain(said) == ["not-summed"]


def test_a_variable_in_the_place_of_another_is_called_by_its_name():
    said = verdict(WAVES, edited(waves, {"y**2": "x**2"}))
    assert certain(said) == ["other-variable"]
    assert said.findings[0].says.startswith("`x` stands where something else belongs")


def test_a_slip_with_a_factor_besides_is_never_certain():
    said = verdict(WAVES, edited(waves, {"3 *": "2 * 3 *", "y**2": "y", "+": "+ 2 *"}))
    assert set(said.mistakes) == {"power-missing", "double"} and not certain(said)


def test_two_slips_with_the_same_numbers_are_both_offered():
    def total(x, y):
        return x * 2 + y

    exercise = Exercise("99.22", "A sum", total, SQUARES.inputs)
    said = verdict(exercise, lambda x, y: x + y)
    assert len(said.mistakes) == 2 and not certain(said)
    assert said.findings[0].says.startswith("Several mistakes give these numbers.")


def test_what_a_change_does_not_speak_of_is_left_as_it_is():
    def both(grad_out, X, y):
        return product_vjp(grad_out, X, y), grad_out.sum(axis=0)

    exercise = Exercise("99.16", "Two", both, products, outputs=("a", "b"))
    said = verdict(exercise, lambda *args: (both(*args)[0].T, both(*args)[1]))
    assert certain(said) == ["transposed"] and said.findings[0].output == "a"


def test_a_written_mistake_and_a_general_one_are_never_certain():
    exercise = Exercise("99.16", "A product", product_vjp, products, gradient=True)
    exercise.slip("product-alone", {" * (y - 1)": ""}).says(
        "Only the product is there."
    )
    said = verdict(exercise, lambda g, X, y: (g @ X / len(X)).T)
    assert set(said.mistakes) == {"product-alone", "transposed"} and not certain(said)


def test_two_general_mistakes_at_once_are_never_certain():
    said = verdict(PRODUCT, lambda g, X, y: product_vjp(g * g, X, y).T)
    assert set(said.mistakes) == {"incoming-twice", "transposed"} and not certain(said)


def test_a_coarse_step_is_nearly_right():
    def by_difference(grad_out, mask, h=1e-3):
        return grad_out * ((mask + h) ** 3 - mask**3) / (3 * h)

    exercise = Exercise(
        "99.17", "A cube", lambda grad_out, mask: grad_out * mask**2, masks
    )
    said = verdict(exercise, by_difference)
    assert said.mistakes == ("imprecise",) and not certain(said)


# --- results that are another one's ---------------------------------------------------


def both(x, y, w):
    return 2 * w * (x - 1), 3 * w * (y - 2)


TWO = Exercise(
    "99.6",
    "Two results",
    both,
    lambda rng: [tuple(rng.normal(size=3)) for _ in range(5)],
    outputs=("dx", "dy"),
)


def test_a_copied_line_is_no_exchange():
    said = verdict(TWO, lambda x, y, w: (both(x, y, w)[0],) * 2)
    assert certain(said) == ["copied-output"] and said.findings[0].output == "dy"
    assert certain(verdict(TWO, lambda x, y, w: both(x, y, w)[::-1])) == ["order"]


def test_a_copied_line_is_no_exchange_where_one_is_written_down():
    exercise = Exercise("99.6", "Two", both, TWO.inputs, outputs=("dx", "dy"))
    exercise.slip("exchanged", {"2 * w * (x - 1)": "3 * w * (y - 2)"}).says("The other")
    exercise.mistake("turned", code=lambda x, y, w: both(x, y, w)[::-1]).says("Turned.")
    said = verdict(exercise, lambda x, y, w: (both(x, y, w)[0],) * 2)
    assert certain(said) == ["copied-output"]
    assert certain(verdict(exercise, exercise.mistakes[1].code)) == ["turned"]


def test_three_results_in_another_order_are_right():
    def three(x, y, w):
        return *both(x, y, w), x * y * w

    exercise = Exercise("99.6", "Three", three, TWO.inputs, outputs=("a", "b", "c"))
    exercise.mistake("half-turned", code=lambda x, y, w: (0, both(x, y, w)[0], 0))
    said = verdict(exercise, lambda x, y, w: (x * y * w, *both(x, y, w)))
    assert certain(said) == ["order"] and not said.findings[0].output


# --- inputs of one kind ---------------------------------------------------------------


def costs(x, customers):
    return sum(w * (x - place) for place, _, w in customers)


COSTS = Exercise(
    "99.7",
    "Customers",
    costs,
    lambda rng: [(rng.normal(), rng.normal(size=(n, 3))) for n in (3, 1, 5, 2, 3)],
)


def three_customers(x, customers):
    return sum(customers[i][2] * (x - customers[i][0]) for i in range(3))


def test_three_customers_with_three_numbers_are_no_square_matrix():
    assert verdict(COSTS, three_customers).mistakes == ("one-length",)


def masked_vjp(grad_out, mask):
    return grad_out * mask


def masks(rng):
    cases = [
        (rng.normal(size=(n, 4)), 2.0 * (rng.random((n, 4)) < 0.5)) for n in (1, 3, 5)
    ]
    cases[0][1][:] = 2.0  # as a draw of one row may well be
    return cases


MASKED = Exercise("99.8", "A mask", masked_vjp, masks, gradient=True)


def test_a_coincidence_of_the_draw_is_not_taken_for_a_rule():
    exercise = Exercise("99.8", "A mask", masked_vjp, masks, gradient=True)
    first = [True]

    def lucky(grad_out, mask):  # right on what has one row, but by luck
        lucky_one = len(mask) == 1 and first and first.pop()
        return grad_out * (mask if lucky_one else mask**2 + 0.5)

    assert "single-only" not in verdict(exercise, lucky).mistakes


def test_who_is_right_up_to_an_error_is_told_why():
    exercise = Exercise("99.8", "A mask", masked_vjp, masks, gradient=True)

    def small_only(grad_out, mask):
        if len(mask) > 3:
            raise ValueError("too many")
        return grad_out * mask

    exercise.mistake("small-only", code=small_only).says("For small ones only.")
    said = verdict(exercise, lambda g, mask: g * mask if len(g) < 4 else {}[g])
    assert said.status == "raised" and certain(said) == ["small-only"]
    assert not verdict(exercise, lambda g, mask: {}[0]).findings


def test_what_holds_on_new_inputs_too_is_said():
    said = verdict(MASKED, lambda g, mask: g * mask if len(g) == 1 else g * mask + 0.3)
    assert "single-only" in said.mistakes and not certain(said)


# --- behaviour ------------------------------------------------------------------------


def test_who_draws_anew_is_told_so():
    rng = np.random.default_rng(0)
    said = verdict(MASKED, lambda g, mask: g * (rng.random(g.shape) < 0.5))
    assert certain(said) == ["random"]


def test_a_nan_is_no_draw():
    """NaN equals nothing, itself neither: that is no other result."""
    said = verdict(MASKED, lambda g, mask: g * mask * (np.nan if len(g) == 3 else 1))
    assert "random" not in said.mistakes


def test_no_pattern_is_read_off_what_is_drawn_anew():
    rng = np.random.default_rng(0)
    said = verdict(
        MASKED,
        lambda g, mask: g * (mask if len(g) == 1 else 2 * (rng.random(g.shape) < 0.5)),
    )
    assert certain(said) == ["random"]


def test_an_argument_that_makes_no_difference_is_named():
    def fixed(grad_out, mask):
        return grad_out * np.where(np.arange(mask.size).reshape(mask.shape) % 3, 2, 0.7)

    said = verdict(MASKED, fixed)
    assert certain(said) == ["argument-ignored"] and said.findings[0].output == "mask"


def test_a_step_that_is_written_down_is_an_argument_ignored():
    def slope(f, x, h):
        return (f(x + h) - f(x)) / h

    places = [(np.exp, 1.0, 0.1), (np.sin, 0.5, 0.2), (np.exp, -1.0, 0.3)]
    exercise = Exercise("99.15", "A slope", slope, lambda rng: places)
    said = verdict(exercise, lambda f, x, h: slope(f, x, 1e-4))
    assert certain(said) == ["argument-ignored"] and said.findings[0].output == "h"


def test_an_argument_that_may_be_ignored_is_no_mistake():
    def total(x, size):
        return sum(x[k : k + size].sum() for k in range(0, len(x), size))

    parts = [(np.arange(n) / 7, k) for n, k in ((5, 2), (7, 3), (9, 4))]
    exercise = Exercise("99.18", "In parts", total, lambda rng: parts)
    said = verdict(exercise, lambda x, size: np.sin(x).max())
    assert not said.findings


def test_what_depends_on_all_arguments_has_no_name():
    said = verdict(MASKED, lambda g, mask: np.sin(g) * np.cos(mask) + 0.1)
    assert not said.findings and "no name" in said.says


def test_what_else_an_exercise_tries_comes_last():
    exercise = Exercise("99.8", "A mask", masked_vjp, masks, gradient=True)
    exercise.mistake("wave").says("A wave.")

    @exercise.looked
    def look(answer, run):
        at_zero = run(np.zeros(2), np.zeros(2))
        return exercise.named("wave") if np.allclose(at_zero, 0.1) else None

    assert certain(verdict(exercise, lambda g, m: np.sin(g) * np.cos(m) + 0.1))
    assert not verdict(exercise, lambda g, m: np.sin(g) * np.cos(m) + 0.2).findings
    assert certain(verdict(exercise, lambda g, m: -g * m)) == ["sign"]


# --- several readings -----------------------------------------------------------------


def test_two_mistakes_with_the_same_numbers_are_both_offered():
    exercise = Exercise("99.9", "Two", both, TWO.inputs, outputs=("dx", "dy"))
    exercise.mistakes = [
        Mistake("this", lambda x, y, w: (w * x**2, x - y), "This happened."),
        Mistake("that", lambda x, y, w: (w * x**2, y * w), "That happened."),
    ]
    said = verdict(exercise, lambda x, y, w: (w * x**2, both(x, y, w)[1]))
    assert not certain(said) and set(said.mistakes) == {"this", "that"}
    assert "(1) This happened. (2) That happened." in said.findings[0].says
    for mistake in exercise.mistakes:  # the other result tells which
        assert set(certain(verdict(exercise, mistake.code))) == {mistake.id}


def test_a_number_without_a_name_may_have_a_way_to_find_it():
    way = {"b": "Look at b once more."}
    exercise = Exercise(
        "99.26", "Three", lambda: (1, 2, 3), outputs=("a", "b", "c"), otherwise=way
    )
    assert verdict(exercise, (1, 7, 3)).says.endswith(
        "no name here. Look at b once more."
    )
    assert verdict(exercise, (1, 2, 7)).says.endswith("no name here.")


def test_zeros_of_a_written_mistake_are_told_as_that():
    exercise = Exercise("99.24", "Two", both, TWO.inputs, outputs=("dx", "dy"))
    exercise.mistake("flat", code=lambda x, y, w: (w * x**2, 0.0)).says("It is flat.")
    said = verdict(exercise, exercise.mistakes[0].code)
    assert certain(said) == ["flat"] and said.findings[0].output == "dx, dy"
    assert certain(verdict(exercise, lambda x, y, w: (w, 0.0))) == ["zero"]


def test_two_mistakes_that_say_the_same_are_one():
    exercise = Exercise("99.9", "Two", both, TWO.inputs, outputs=("dx", "dy"))
    exercise.mistakes = [
        Mistake("this", lambda x, y, w: (w * x**2, x - y), "It happened."),
        Mistake("that", lambda x, y, w: (w * x**2, y * w), "It happened."),
    ]
    said = verdict(exercise, lambda x, y, w: (w * x**2, both(x, y, w)[1]))
    assert certain(said) == ["this"] and said.findings[0].says == "It happened."


def test_rounding_that_is_left_is_no_zero():
    said = verdict(TWO, lambda x, y, w: (0.1 * 3 - 0.3, 0.0))
    assert certain(said) == ["cancelled", "zero"]


def test_one_predicted_number_of_several_may_come_from_elsewhere():
    exercise = Exercise("99.10", "Predict", lambda: (1, 2, 3), outputs=("a", "b", "c"))
    exercise.guess("added", (4, 2, 9)).says("It was added.")
    assert set(certain(verdict(exercise, (4, 2, 9)))) == {"added"}
    said = verdict(exercise, (4, 2, 7))
    assert said.mistakes == ("added",) and not certain(said)


def test_a_wrong_number_among_others_is_named_by_itself():
    exercise = Exercise("99.10", "Predict", lambda: (1, 2, 3), outputs=("a", "b", "c"))
    exercise.guess("added", {"a": 4}).says("It was added.")
    exercise.guess("exchanged", {"b": 3, "c": 2}).says("They were exchanged.")
    assert certain(verdict(exercise, (4, 2, 3))) == ["added"]
    assert certain(verdict(exercise, (4, 3, 2))) == ["added", "exchanged"]
    said = verdict(exercise, (4, 3, 7))
    assert certain(said) == ["added", "exchanged"]


def test_a_judge_may_name_several_mistakes():
    exercise = Exercise("99.13", "Both", lambda: 1)
    for name in ("one", "other"):
        exercise.mistake(name).says(name)
    exercise.judged(lambda answer, run: [m for m in exercise.mistakes if answer])
    assert certain(verdict(exercise, 1)) == ["one", "other"]
    assert verdict(exercise, 0).passed


# --- in silence -----------------------------------------------------------------------


def warning_vjp(grad_out, mask):
    warnings.warn("odd, but known", stacklevel=1)
    np.log(np.zeros(1))
    return grad_out + mask


@pytest.mark.parametrize("judged", [False, True])
def test_wrong_answers_that_are_compared_with_do_not_warn(judged, recwarn):
    exercise = Exercise("99.14", "A mask", masked_vjp, masks, gradient=True)
    exercise.mistake("odd", code=warning_vjp).says("This is odd.")
    if judged:
        odd = exercise.mistakes[0]
        exercise.judged(lambda answer, run: [odd, odd.code(1.0, np.ones(1))][:1])
    assert certain(verdict(exercise, warning_vjp)) == ["odd"]
    assert not recwarn.list


# --- what an exercise says by itself --------------------------------------------------


def test_trouble_in_a_call_is_told_in_its_own_words():
    def call(answer, x):
        if not isinstance(found := answer(x), tuple):
            raise Trouble("wrong type", "Two things are asked for.")
        return found[0]

    exercise = Exercise("99.19", "Two", lambda x: (x, 0), lambda rng: [(1.0,), (2.0,)])
    exercise.called(call)
    assert verdict(exercise, lambda x: (x, 5)).passed
    said = verdict(exercise, lambda x: x)
    assert (said.status, said.says) == ("wrong type", "Two things are asked for.")


def test_two_numbers_side_by_side_are_not_one():
    exercise = Exercise("99.27", "One", lambda x: 2 * x, lambda rng: [(1.5,), (2.5,)])
    said = verdict(exercise, lambda x: (np.sin(x), 2 * x)).says
    assert said == "Expected one number. What it returns has 2, side by side."


def test_what_is_asked_when_the_numbers_are_right():
    exercise = Exercise("99.20", "Twice", lambda x: 2 * x, lambda rng: [(1.0,), (3.0,)])
    slow = exercise.mistake("slow").says("It takes long.")
    exercise.afterwards(lambda answer, run: slow if run(9.0) == 18 else None)
    assert certain(verdict(exercise, lambda x: x + x)) == ["slow"]
    assert verdict(exercise, lambda x: x + x if x < 9 else 0).passed
    assert verdict(exercise, lambda x: -2 * x).mistake == "sign"


# --- entry by entry -------------------------------------------------------------------


def tail_vjp(grad_out, x):
    return grad_out * np.exp(-np.logaddexp(0, -x))


def tails(rng):
    return [(rng.normal(size=3), np.array([-40.0, 0.5, far])) for far in (2, 30, -30)]


def test_small_entries_count_where_the_exercise_says_so():
    def cancelling(grad_out, x):
        return grad_out * (1 + np.tanh(x / 2)) / 2

    loose = Exercise("99.11", "Tails", tail_vjp, tails, gradient=True)
    strict = Exercise("99.11", "Tails", tail_vjp, tails, gradient=True, entrywise=True)
    assert verdict(loose, cancelling).passed
    assert verdict(strict, tail_vjp).passed
    assert verdict(strict, lambda g, x: g / (1 + np.exp(-x))).passed
    assert not verdict(strict, cancelling).passed
    strict.wrong()(cancelling)
    assert certain(verdict(strict, cancelling)) == ["cancelling"]


# --- in words that a student knows ----------------------------------------------------


def test_a_product_that_does_not_fit_is_told_by_its_lengths():
    def wrong(grad_out, mask):
        return grad_out @ mask

    said = verdict(MASKED, wrong)
    assert (
        "the rows of the first have 4 entries, the columns of the second 1" in said.says
    )
    assert "gufunc" not in said.says


def test_one_question_about_many_numbers_is_told_in_plain_words():
    said = verdict(MASKED, lambda g, mask: g if mask > 0 else 0 * g)
    assert "asks one question of many numbers" in said.says and "a.any" not in said.says


def test_an_underflow_is_no_news():
    def wrong(grad_out, mask):
        return np.exp(np.full(mask.shape, -1000.0)) / 0.0 * grad_out

    said = verdict(MASKED, wrong)
    assert "underflow" not in repr(said) and "NumPy warned" in repr(said)
