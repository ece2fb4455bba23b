"""How an answer is run, judged, shown and remembered, on small made-up exercises."""

from __future__ import annotations

import collections.abc
import concurrent.futures
import contextlib
import copy
import json
import os
import queue
import random
import re
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from dataclasses import replace

import nbformat
import numpy as np
import pytest
import torch

import course_exercises as front
from course_exercises import library, record
from course_exercises.judge import running
from course_exercises.judge.answer import Answer, Finding, marked
from course_exercises.judge.comparing import Trouble, as_array, parts, right
from course_exercises.judge.exercise import Exercise, Mistake
from course_exercises.judge.judging import Judge
from course_exercises.judge.slips import slips
from course_utils.tensor import Tensor
from tools import store_outputs
from tools.notebooks import ROOT


def scale_vjp(grad_out, X, s):
    """Z = X * s, s with one factor for each column."""
    return grad_out * s, (grad_out * X).sum(axis=0)


def inputs(rng):
    sizes = (2, 3), (5, 4), (3, 3), (1, 3), (6, 2)
    return [
        (rng.normal(size=(N, D)), rng.normal(size=(N, D)), rng.normal(size=D))
        for N, D in sizes
    ]


VJP = Exercise(
    number="99.1",
    title="Scale",
    reference=scale_vjp,
    inputs=inputs,
    gradient=True,
    outputs=("grad_X", "grad_s"),
    mistakes=[
        Mistake("no-X", lambda g, X, s: (g * s, g.sum(0)), "X is missing.", "01_a#B")
    ],
    hints=("one", "two", "three"),
    explanation="Because.",
    seconds=0.5,
)
ONE = Exercise("99.2", "Double", lambda x: 2 * x, lambda rng: [(rng.normal(size=3),)])
VALUE = Exercise(
    "99.3",
    "Predict",
    lambda: (0.25, "up"),
    outputs=("how much", "which way"),
    mistakes=[
        Mistake("half", lambda: (0.5, "up"), "Not halved twice."),
        Mistake("nothing", lambda: (0.0, "up"), "Something is left."),
    ],
)


def verdict(exercise, answer):
    return Judge(exercise, answer).verdict()


def of_vjp(function):
    return verdict(VJP, function)


# --- every status ---------------------------------------------------------------------


def none(grad_out, X, s):
    pass


def stub(grad_out, X, s):
    raise NotImplementedError


def wrong_line(grad_out, X, s):
    total = grad_out @ X
    return total, total


def many(grad_out, X, s):
    return grad_out, X, s


STATUSES = [
    (scale_vjp, "passed", ""),
    (stub, "not attempted", 'hint("99.1")'),
    (..., "not attempted", 'hint("99.1")'),
    (lambda grad_out, X, s: (grad_out * s, ...), "not attempted", "hint"),
    (none, "returned None", "`return` missing"),
    (lambda grad_out, X, s: (grad_out * s, None), "returned None", "grad_s is None"),
    (wrong_line, "raised", "Line 2"),
    (lambda grad_out: grad_out, "wrong arguments", "`(grad_out, X, s)`"),
    (3.0, "wrong type", "the function itself"),
    (many, "wrong type", "grad_X, grad_s"),
    (lambda grad_out, X, s: grad_out, "wrong type", "2 results"),
    (lambda grad_out, X, s: ([[1], [1, 2]], s), "wrong type", "differ in length"),
    (lambda grad_out, X, s: ("a", s), "wrong type", "a number"),
    (lambda grad_out, X, s: (np.sum, s), "wrong type", "its `()`"),
    (lambda grad_out, X, s: (Tensor(X), s), "wrong type", "`.data`"),
    (lambda grad_out, X, s: ({1}, s), "wrong type", "type set"),
    (lambda grad_out, X, s: (grad_out, 0 * s), "wrong value", ""),
    (lambda grad_out, X, s: (grad_out * s, X), "wrong shape", ""),
]


@pytest.mark.parametrize(("function", "status", "says"), STATUSES)
def test_status(function, status, says):
    said = of_vjp(function)
    if says.startswith("Line"):
        line = wrong_line.__code__.co_firstlineno + 1
        says = f"Line {line} of your cell: `total = grad_out @ X`."
    assert said.status == status, said
    assert says in repr(said)
    assert bool(said) is said.passed is (status == "passed")
    assert "Traceback" not in repr(said) + said._repr_html_()


RAISED = [
    (RecursionError, "without end"),
    (MemoryError, "more memory"),
    (SystemExit, "end Python"),
    (ZeroDivisionError, "ZeroDivisionError"),
    (KeyError("a"), "KeyError: 'a'"),
    (GeneratorExit, "GeneratorExit"),
]


@pytest.mark.parametrize(("error", "says"), RAISED, ids=str)
def test_what_is_raised_is_told(error, says):
    def answer(grad_out, X, s):
        raise error

    said = of_vjp(answer)
    assert said.status == "raised"
    assert says in said.says
    assert "`raise error`" in said.says


def test_an_exception_that_cannot_be_written_is_told():
    class Odd(Exception):
        def __str__(self):
            raise ValueError

    def answer(grad_out, X, s):
        raise Odd

    assert "It raised Odd." in of_vjp(answer).says


def test_an_interrupt_passes_through():
    def answer(grad_out, X, s):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        of_vjp(answer)


# --- right answers, written in many ways ----------------------------------------------

RIGHT = [
    lambda grad_out, X, s: list(scale_vjp(grad_out, X, s)),
    lambda g, X, s: tuple(out.tolist() for out in scale_vjp(g, X, s)),
    lambda g, X, s: {"grad_s": (g * X).sum(0), "grad_X": g * s},
    lambda g, X, s: tuple(map(np.longdouble, scale_vjp(g, X, s))),
    lambda g, X, s: tuple(map(np.asfortranarray, scale_vjp(g, X, s))),
    lambda g, X, s: tuple(map(torch.tensor, scale_vjp(g, X, s))),
    lambda *args: scale_vjp(*args),
    lambda g, X, s, more=1: scale_vjp(g, X, s),
    lambda g, X, s: (g * s, [sum(column) for column in (g * X).T]),
    lambda g, X, s: (g * s * (1 + 1e-12), (g * X).sum(0)),
]


@pytest.mark.parametrize("function", RIGHT)
def test_right_is_right_however_it_is_written(function):
    assert (said := of_vjp(function)).passed, said


def test_a_reused_array_is_right():
    buffer = np.empty((10, 10))

    def answer(grad_out, X, s):
        out = buffer[: len(X), : len(s)]
        np.multiply(grad_out, s, out=out)
        return out, (grad_out * X).sum(0)

    assert of_vjp(answer).passed


def test_a_number_may_come_as_an_array_of_no_axes():
    exercise = replace(ONE, reference=lambda x: x.sum())
    for answer in (sum, lambda x: np.array(x.sum()), lambda x: float(sum(x))):
        assert verdict(exercise, answer).passed


def test_rounding_is_right_where_the_result_is_zero():
    exercise = replace(ONE, reference=lambda x: 0 * x)
    assert verdict(exercise, lambda x: (0.1 + 0.2 - 0.3) * x).passed
    assert not verdict(exercise, lambda x: 1e-6 * x).passed


def test_nan_is_never_right_but_where_it_is_expected():
    said = verdict(ONE, lambda x: np.log(-np.abs(x)))
    assert said.mistake == "not-finite"
    assert "NumPy warned" in repr(said)
    assert verdict(replace(ONE, reference=lambda x: x * np.nan), lambda x: x * np.nan)


def test_tolerance_is_that_of_the_largest_entry():
    def off(error):
        return lambda x: 2 * x + error * np.abs(2 * x).max() * np.eye(3)[0]

    assert verdict(ONE, off(0.9e-9)).passed
    assert not verdict(ONE, off(1.1e-9)).passed


# --- naming ---------------------------------------------------------------------------


def test_each_output_has_its_own_mistake():
    said = of_vjp(lambda g, X, s: (-g * s, g.sum(0)))
    assert [(f.output, f.ids) for f in said.findings] == [
        ("grad_X", ("sign",)),
        ("grad_s", ("no-X",)),
    ]
    assert said.mistake == "sign"
    assert said.mistakes == ("sign", "no-X")


def test_one_mistake_in_all_outputs_is_said_once():
    (finding,) = of_vjp(lambda g, X, s: (-g * s, -(g * X).sum(0))).findings
    assert finding.output == "grad_X, grad_s"


def test_a_written_mistake_and_a_factor():
    (finding,) = of_vjp(lambda g, X, s: (g * s, -g.sum(0))).findings
    assert finding.ids == ("no-X", "sign")
    assert finding.says.startswith("Several things at once. (1) X is missing. (2) The")
    assert finding.certain


def test_most_inputs_alike_is_not_certain():
    def answer(g, X, s):
        return g * s, g.sum(0) * (1 if len(g) > 1 else 3.3)

    (finding,) = of_vjp(answer).findings
    assert (finding.ids, finding.certain) == (("no-X",), False)
    assert "looks like" in repr(of_vjp(answer))


@pytest.mark.parametrize(
    ("factor", "name"),
    [
        (lambda X: 1.7, "factor"),
        (lambda X: np.abs(X).max(), "length"),
        (lambda X: 1 + 1e-7, "float32"),
        (lambda X: 1 + 2e-5, "imprecise"),
    ],
)
def test_what_only_looks_like_it(factor, name):
    said = of_vjp(lambda g, X, s: (factor(X) * g * s, (g * X).sum(0)))
    assert said.mistake == name
    assert not said.findings[0].certain


def test_a_count_is_not_nearly_right():
    count = Exercise("99.5", "How many", lambda: 25450)
    said = verdict(count, 25451)
    assert (said.status, said.mistake) == ("wrong value", None)


@pytest.mark.parametrize(("number", "place"), [("04.9", ""), ("06.9", "05")])
def test_a_place_that_is_still_to_come_is_not_named(number, place):
    half = Judge(
        replace(VJP, number=number), lambda g, X, s: (g * s / 2, (g * X).sum(0))
    )
    (finding,) = half.verdict().findings
    assert (finding.ids, finding.where[:2]) == (("half",), place)


@pytest.mark.parametrize(
    ("good", "name"),
    [
        (lambda X: X.shape[0] == X.shape[1], "square-only"),
        (lambda X: len(X) > 1, "single-example"),
        (lambda X: len(X) == 1, "single-only"),
    ],
)
def test_kinds_of_inputs(good, name):
    def answer(g, X, s):
        return g * s, (g * X).sum(0) if good(X) else np.full(len(s), X[0, 0] ** 3)

    def raising(g, X, s):
        return (g * s, (g * X).sum(0)) if good(X) else X.reshape(99)

    assert of_vjp(answer).mistakes == (name,)
    said = of_vjp(raising)
    assert (said.status, said.mistakes) == ("raised", (name,))


def tanh_vjp(grad_out, X, W):
    y = np.tanh(X @ W)
    slope = 1 - y**2
    return (grad_out * slope).sum(axis=0)


SLIPS = [
    ("inner-sign", lambda y, g: g * (1 + y**2)),
    ("power-missing", lambda y, g: g * (1 - y)),
    ("sum-for-product", lambda y, g: g + 1 - y**2),
    ("factor-missing", lambda y, g: g),
]


@pytest.mark.parametrize(("name", "wrong"), SLIPS)
def test_slips_inside_a_computation(name, wrong):
    exercise = Exercise(
        "99.6",
        "Inside",
        tanh_vjp,
        lambda rng: [
            (rng.normal(size=(N, 2)), rng.normal(size=(N, 3)), rng.normal(size=(3, 2)))
            for N in (2, 5, 1)
        ],
    )

    def answer(grad_out, X, W):
        return wrong(np.tanh(X @ W), grad_out).sum(axis=0)

    assert verdict(exercise, answer).mistakes == (name,)


def collected(grad_out, x):
    total = grad_out.sum(axis=0)
    total += 3 * (x**2).sum(axis=0)
    return total - x[0][None, :][0]


COLLECTED = [
    ("assigned", lambda g, x: 3 * (x**2).sum(axis=0) - x[0]),
    ("inner-two", lambda g, x: g.sum(axis=0) + 6 * (x**2).sum(axis=0) - x[0]),
    ("inner-sign", lambda g, x: -g.sum(axis=0) - 3 * (x**2).sum(axis=0) - x[0]),
]


@pytest.mark.parametrize(("name", "wrong"), COLLECTED)
def test_slips_where_something_is_collected(name, wrong):
    exercise = Exercise(
        "99.6",
        "Inside",
        collected,
        lambda rng: [tuple(rng.normal(size=(2, N, 3))) for N in (2, 5, 1)],
    )
    assert verdict(exercise, wrong).mistakes == (name,)


def by_matrix(grad_out, X):
    return grad_out @ X


def by_units(grad_out, X):
    out = np.zeros((len(grad_out), X.shape[1]))
    for k in range(X.shape[0]):
        out += np.outer(grad_out[:, k], X[k])
    return out


def test_another_right_answer_tells_what_may_be_written_over():
    exercise = Exercise(
        "99.6",
        "Inside",
        by_matrix,
        lambda rng: [
            (rng.normal(size=(N, 4)), rng.normal(size=(4, 3))) for N in (2, 5)
        ],
        variants=[by_units],
    )

    def last_unit(grad_out, X):
        return np.outer(grad_out[:, -1], X[-1])

    assert verdict(exercise, last_unit).mistakes == ("assigned",)


def test_what_is_changed_inside_a_list_or_a_tensor_is_seen():
    for before, after in ((1.0, 2.0), ([1.0, [2]], [1.0, [3]]), ({"a": 1}, {"a": 2})):
        assert running.same(before, copy.deepcopy(before))
        assert not running.same(before, after)
    x = torch.ones(2)
    assert running.same(x, x.clone())
    assert not running.same(x, x + 1)


def endless_reference(x):
    n = 0
    while n < 3:
        n += 1
    return n * x


def test_a_source_with_an_endless_loop_in_reach_is_not_changed():
    assert not slips(endless_reference)
    assert len(slips(tanh_vjp)) > 5


def test_changed_input_is_told_with_its_name():
    def answer(grad_out, X, s):
        X *= grad_out
        return grad_out * s, X.sum(0)

    said = of_vjp(answer)
    assert (said.status, said.mistake) == ("changed its input", "in-place")
    assert said.findings[0].output == "X"
    allowed = replace(VJP, may_change=("X",))
    assert verdict(allowed, answer).passed


def test_noise_has_no_name():
    def noise(grad_out, X, s):
        rng = np.random.default_rng(len(X))
        return grad_out * s, (grad_out * X).sum(0) + rng.normal(size=s.shape)

    said = of_vjp(noise)
    assert not said.findings
    assert "no name" in said.says


def test_the_first_difference_is_shown():
    def answer(grad_out, X, s):
        grad_X = grad_out * s
        grad_X[1, 2] = 7
        return grad_X, (grad_out * X).sum(0)

    text = repr(of_vjp(answer))
    for part in ("grad_X[1, 2]", "got", " 7\n", "expected", "X (2, 3)", "s (3,)"):
        assert part in text


# --- other kinds ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "name"),
    [
        ((0.25, "up"), "passed", None),
        ([1 / 4, " UP "], "passed", None),
        ({"which way": "up", "how much": np.float32(0.25)}, "passed", None),
        (..., "not attempted", None),
        ((0.25, ...), "not attempted", None),
        ((0.5, "up"), "wrong value", "half"),
        ((-0.25, "up"), "wrong value", "sign"),
        ((0, "up"), "wrong value", "nothing"),
        ((0.25, "down"), "wrong value", None),
        ((0.25, 3), "wrong type", None),
        (("up", 0.25), "wrong type", None),
        (0.25, "wrong type", None),
        (None, "returned None", None),
    ],
)
def test_a_value(answer, status, name):
    said = verdict(VALUE, answer)
    assert (said.status, said.mistake) == (status, name), said
    assert "expected" not in dict(said.facts)  # it would be the solution


def test_a_misspelt_word_is_said_to_be_one():
    ways = Exercise(
        "99.6",
        "Which way",
        lambda: ("upwards", "rows"),
        outputs=("way", "which"),
        mistakes=[Mistake("down", lambda: ("downwards", "columns"), "Not down.")],
    )
    assert "“column” is none of the words" in repr(verdict(ways, ("upwards", "column")))
    assert "“upward” is none of the words" in repr(verdict(ways, ("upward", "rows")))
    assert verdict(ways, ("downwards", "rows")).mistake == "down"
    assert "no name here" in repr(verdict(ways, ("sideways", "rows")))


def judge_sorting(answer, run):
    got = run([3, 1, 2])
    if got == [3, 2, 1]:
        return Mistake("order", sentence="From the largest to the smallest.")
    if list(got) == [1, 2, 3]:
        return None
    return "Not sorted."


CHALLENGE = Exercise("99.4", "Sort", sorted, judge=judge_sorting)


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (sorted, "passed", ""),
        (lambda x: sorted(x)[::-1], "wrong value", "From the largest"),
        (lambda x: [], "wrong value", "Not sorted."),
        (lambda x: None, "wrong type", "cannot be used"),
        (lambda x: x.sort_me(), "raised", "sort_me"),
        (stub, "raised", "TypeError"),
        (..., "not attempted", "hint"),
    ],
)
def test_a_challenge(answer, status, says):
    said = verdict(CHALLENGE, answer)
    assert said.status == status, said
    assert says in repr(said)


class Counter:
    def __init__(self, start):
        self.count = start

    def step(self, by):
        self.count += by


def test_a_class_is_used_as_the_exercise_says():
    exercise = Exercise(
        "99.5",
        "Count",
        Counter,
        inputs=lambda rng: [(1.0, 2.0), (5.0, 3.0)],
        call=lambda answer, start, by: (made := answer(start)).step(by) or made.count,
    )

    class Wrong(Counter):
        def step(self, by):
            self.count = by

    assert exercise.arguments == ("start", "by")
    assert verdict(exercise, Counter).passed
    assert verdict(exercise, Wrong).status == "wrong value"


# --- limits ---------------------------------------------------------------------------


def endless(grad_out, X, s):
    while True:
        pass


def swallowing(grad_out, X, s):
    while True:
        try:
            time.sleep(0.02)
        except BaseException:  # noqa: S110
            pass


def sleeping(grad_out, X, s):
    time.sleep(60)


def waits_for_a_queue(grad_out, X, s):
    return queue.Queue().get()


def waits_for_an_event(grad_out, X, s):
    threading.Event().wait()


def waits_for_a_thread(grad_out, X, s):
    thread = threading.Thread(target=time.sleep, args=(60,), daemon=True)
    thread.start()
    thread.join()


def waits_for_a_lock_twice(grad_out, X, s):
    lock = threading.Condition()
    with lock, contextlib.ExitStack():
        lock.wait_for(lambda: False)


def waits_for_a_future(grad_out, X, s):
    return concurrent.futures.Future().result()


def waits_for_a_barrier(grad_out, X, s):
    while True:
        with contextlib.suppress(BaseException):
            threading.Barrier(2).wait()


class Slow:
    """Numbers that come too late: to whoever makes an array of this."""

    def __array__(self, dtype=None, copy=None):
        time.sleep(60)


class SlowSequence(collections.abc.Sequence):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        time.sleep(60)


def slow_array(grad_out, X, s):
    return Slow()


def slow_parts(grad_out, X, s):
    return [X, Slow()]


def slow_by_name(grad_out, X, s):
    return {"grad_X": Slow(), "grad_s": 0.0}


def slow_sequence(grad_out, X, s):
    return SlowSequence()


def chatty(grad_out, X, s):
    while True:
        print("hello " * 10)


def chatty_and_deaf(grad_out, X, s):
    for _ in range(1000):
        try:
            print("hello " * 100)
        except BaseException:  # noqa: S110
            pass
    return scale_vjp(grad_out, X, s)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (endless, "Stopped after 0.5 s"),
        (swallowing, "Stopped after 0.5 s"),
        (sleeping, "Stopped after 0.5 s"),
        (waits_for_a_queue, "Stopped after 0.5 s"),
        (waits_for_an_event, "Stopped after 0.5 s"),
        (waits_for_a_thread, "Stopped after 0.5 s"),
        (waits_for_a_lock_twice, "Stopped after 0.5 s"),
        (waits_for_a_future, "Stopped after 0.5 s"),
        (waits_for_a_barrier, "Stopped after 0.5 s"),
        (slow_array, "Stopped after 0.5 s"),
        (slow_parts, "Stopped after 0.5 s"),
        (slow_by_name, "Stopped after 0.5 s"),
        (slow_sequence, "Stopped after 0.5 s"),
        (chatty, "100,000 characters"),
        (chatty_and_deaf, "100,000 characters"),
    ],
)
def test_limits(function, says):
    said = of_vjp(function)
    assert said.status == "stopped"
    assert says in said.says
    assert of_vjp(scale_vjp).passed  # nothing is left behind


def test_limits_hold_for_a_value():
    said = verdict(replace(VALUE, seconds=0.5), (Slow(), "up"))
    assert said.status == "stopped" and "Stopped after 0.5 s" in said.says
    assert verdict(VALUE, (0.25, "up")).passed


class OwnNumbers(collections.abc.Sequence):
    """A sequence of the student's own, which gives its numbers at once."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return [1.5, 2.5][index]


class Point(collections.namedtuple("Point", "x y")):
    pass


def test_numbers_are_taken_out_while_the_clock_runs():
    """What is compared later is made of plain lists, tuples, dicts and arrays."""
    np.testing.assert_array_equal(running.kept(OwnNumbers()), [1.5, 2.5])
    long = list(range(2 * running.LONG))
    for many in (long, tuple(long), range(len(long))):
        np.testing.assert_array_equal(running.kept(many), long, strict=True)
    ragged = [[1.0]] * running.LONG + [[1.0, 2.0]]
    assert running.kept(ragged) == ragged
    assert running.kept(Point(1, "up")) == (1, "up")
    for plain in (None, ..., 1, 2.5, "up", np.float64(2.5), {"a": [1]}, [1, (2,)]):
        assert running.kept(plain) == plain and type(running.kept(plain)) is type(plain)


def test_what_is_kept_is_a_copy():
    array = np.zeros(2)
    copies = running.kept([array, {"a": array}, (array,)])
    array += 1
    assert [copies[0].sum(), copies[1]["a"].sum(), copies[2][0].sum()] == [0, 0, 0]


@pytest.mark.parametrize("function", [endless, chatty])
def test_limits_hold_in_other_threads(function):
    said = []
    thread = threading.Thread(target=lambda: said.append(of_vjp(function)), daemon=True)
    thread.start()
    thread.join(timeout=30)
    assert said[0].status == "stopped"


def test_limits_hold_without_alarm_signals(monkeypatch):
    monkeypatch.delattr(running.signal, "setitimer")
    assert of_vjp(endless).status == "stopped"
    assert of_vjp(scale_vjp).passed


def test_a_slow_import_is_neither_cut_in_two_nor_counted(tmp_path, monkeypatch):
    slow = tmp_path / "slow_to_import.py"
    slow.write_text("import time\nfor _ in range(80): time.sleep(0.01)\ndone = 1\n")
    monkeypatch.syspath_prepend(tmp_path)

    def answer(x):
        import slow_to_import

        return slow_to_import.done * x

    run = running.Runner(0.3)(lambda f, x: f(x), answer, (2.0,))
    assert (run.value, run.error) == (2.0, None)


def test_the_time_is_for_all_inputs_together():
    def slow(grad_out, X, s):
        time.sleep(0.2)
        return scale_vjp(grad_out, X, s)

    assert of_vjp(slow).status == "stopped"


def test_settings_are_given_back():
    def careless(grad_out, X, s):
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        np.seterr(all="raise")
        np.set_printoptions(precision=2)
        warnings.simplefilter("error")
        return scale_vjp(grad_out, X, s)

    before = (
        np.geterr(),
        np.get_printoptions(),
        random.getstate(),
        warnings.filters[:],
    )
    assert of_vjp(careless).passed
    assert before == (
        np.geterr(),
        np.get_printoptions(),
        random.getstate(),
        warnings.filters[:],
    )


def test_what_is_printed_is_shown_once_and_short(capsys):
    def printing(grad_out, X, s):
        for k in range(30):
            print("line", k, len(X))
        return scale_vjp(grad_out, X, s)

    judge = Judge(VJP, printing)
    assert judge.verdict().passed
    lines = judge.printed.splitlines()
    assert len(lines) == 21
    assert lines[0] == "line 0 2"
    assert lines[-1] == "… and 10 more lines"
    assert capsys.readouterr().out == ""


# --- what is shown --------------------------------------------------------------------

SHOWN = Answer(
    "99.1",
    "A <b>",
    "wrong value",
    "Look at `a < b`.",
    (Finding(("sign",), "Not `+`.", "01_chain_rule#Forks add", "dX", False),),
    (("got", "1 < 2"),),
)


def test_text():
    assert repr(SHOWN).splitlines() == [
        "✗ not yet · 99.1 · A <b>",
        "Look at `a < b`.",
        "[dX · looks like] Not `+`. Explained in notebook 01, section “Forks add”.",
        "  got  1 < 2",
    ]


def test_stress_is_set_but_not_in_code_or_math():
    said = marked("the *other* factor, `a * b * c`, $x * y * z$, 2 * 3 * 4")
    assert said == (
        "the <em>other</em> factor, <code>a * b * c</code>, $x * y * z$, 2 * 3 * 4"
    )


def test_html_is_escaped_and_links():
    shown = SHOWN._repr_html_()
    assert "A &lt;b&gt;" in shown
    assert "<code>a &lt; b</code>" in shown
    assert 'href="01_chain_rule.ipynb#Forks-add"' in shown
    assert "<style" not in shown and "<script" not in shown


def test_an_answer_is_the_same_every_time():
    def answer(g, X, s):
        return g * s, g.sum(0)

    assert repr(of_vjp(answer)) == repr(of_vjp(answer))


# --- small parts ----------------------------------------------------------------------


def test_parts_and_arrays():
    assert parts(3, ()) == [3]
    assert parts([1, 2], ("a", "b")) == [1, 2]
    with pytest.raises(Trouble, match="one \\(int\\)"):
        parts(3, ("a", "b"))
    assert as_array([torch.tensor(1.0), 2]).tolist() == [1, 2]
    assert as_array(["Up ", "down"]).tolist() == ["up", "down"]


def test_right_compares_infinities():
    got, wanted = np.array([np.inf, np.nan, 1]), np.array([np.inf, 1, np.inf])
    assert right(got, wanted, 1.0).tolist() == [True, False, False]


# --- check, hint, solution, progress --------------------------------------------------


@pytest.fixture
def made_up(monkeypatch, tmp_path):
    """Let notebook 99 have three exercises, in an empty folder."""
    monkeypatch.setattr(library, "notebooks", lambda: ["99"])
    monkeypatch.setattr(library, "exercises", lambda notebook: [VJP, ONE, VALUE])
    monkeypatch.setattr(front, "_given", {})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_attempt_need_not_be_kept(made_up):
    assert front.check("99.1", scale_vjp, keep=False).passed
    assert not list(made_up.iterdir())


def states(folder):
    return json.loads((folder / record.FILE).read_text(encoding="utf-8"))["exercises"]


def test_progress_is_kept(made_up):
    front.check("99.1", stub)
    assert not list(made_up.iterdir())
    front.check("99.1", none)
    front.check("99.3", (0.25, "up"))
    assert states(made_up) == {"99.1": "tried", "99.3": "done"}
    front.check("99.3", (0.25, "down"))  # what is done stays done
    front.check("99.1", scale_vjp)
    assert states(made_up) == {"99.1": "done", "99.3": "done"}
    shown = front.progress()
    assert repr(shown).startswith("2 done, 0 tried, 1 open of 3 exercises")
    assert "✓ 99.1  ○ 99.2  ✓ 99.3" in shown._repr_html_()


@pytest.mark.parametrize("text", ["{", "[]", '{"exercises": {"99.1": 3}}', "\x00", "1"])
def test_a_damaged_file_is_set_aside(made_up, capsys, text):
    (made_up / record.FILE).write_text(text, encoding="utf-8")
    assert front.check("99.1", scale_vjp).passed
    assert "was damaged: kept as progress.json.damaged" in capsys.readouterr().out
    assert (made_up / f"{record.FILE}.damaged").read_text(encoding="utf-8") == text
    assert states(made_up) == {"99.1": "done"}


def test_progress_tells_of_a_damaged_file(made_up):
    (made_up / record.FILE).write_bytes(b"\xff\xfe")
    assert "was damaged" in repr(front.progress())


def test_a_folder_that_cannot_be_written(made_up, capsys, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(record.tempfile, "mkstemp", refuse)
    assert front.check("99.1", scale_vjp).passed
    assert "Progress is not kept" in capsys.readouterr().out


def test_hints_become_clearer(made_up):
    said = [repr(front.hint("99.1")) for _ in range(4)]
    assert [text[:11] for text in said] == [f"Hint {k} of 3" for k in (1, 2, 3, 3)]
    assert said[0].endswith("one")
    assert "no hints" in repr(front.hint("99.2"))


def test_the_solution_is_source_and_explanation(made_up):
    shown = front.solution("99.1")
    assert "def scale_vjp(grad_out, X, s):" in repr(shown)
    assert repr(shown).endswith("Because.")
    assert "<pre" in shown._repr_html_()


@pytest.mark.parametrize("call", [front.check, front.hint, front.solution])
@pytest.mark.parametrize("number", ["99.7", "12.1", "double", 99, 1e300, -1, ""])
def test_an_unknown_number_names_the_near_ones(made_up, call, number):
    more = (scale_vjp,) if call is front.check else ()
    said = repr(call(number, *more))
    assert re.match(r"There is no exercise .*99\.1", said) and "\n" not in said
    with pytest.raises(ValueError, match=r"no exercise .*99\.1"):
        library.find(number)


@pytest.mark.parametrize("number", ["99.1", 99.1, "99.1 ", "99,1", "Exercise 99.1:"])
def test_a_number_is_understood_as_it_is_meant(made_up, number):
    assert front.check(number, scale_vjp).passed
    assert states(made_up) == {"99.1": "done"}
    assert "Hint 1" in repr(front.hint(number))
    assert "def scale_vjp" in repr(front.solution(number))


@pytest.mark.parametrize("number", ["6.1", 6.1, "06.1", "06.10"])
def test_a_number_is_written_with_two_digits(number):
    assert library.written(number) in ("06.1", "06.10")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Say which exercise"),
        (("99.1",), 'The answer is missing: .*check\\("99.1", …\\)'),
        ((scale_vjp, "99.1"), 'The number comes first.*check\\("99.1", scale_vjp\\)'),
        ((scale_vjp, 99.1), 'check\\("99.1", scale_vjp\\)'),
        ((scale_vjp,), "The number comes first"),
        ((np.ones(3), np.ones(3)), "The number comes first"),
        ((None, scale_vjp), "The number comes first"),
        ((True, scale_vjp), "The number comes first"),
    ],
)
def test_a_call_that_cannot_be_understood_gets_one_sentence(made_up, arguments, says):
    said = front.check(*arguments)
    assert not said and re.search(says, repr(said)) and "\n" not in repr(said)
    assert "✗" not in said._repr_html_() and not list(made_up.iterdir())


@pytest.mark.parametrize("call", [front.hint, front.solution])
@pytest.mark.parametrize("arguments", [(), (scale_vjp,), (None,)])
def test_hints_and_solutions_ask_for_the_number(made_up, call, arguments):
    assert repr(call(*arguments)) == f'Say which exercise: {call.__name__}("06.1").'


PROBE = """
import sys, numpy
import course_exercises as e
print(*[m for m in sys.modules if m.startswith("course_")])
e.check("05.1", ...)
print(*[m for m in sys.modules if "exercises.nb" in m])
print(*[m for m in ("torch", "matplotlib", "IPython") if m in sys.modules])
"""


def test_importing_costs_nothing(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    first, second, third = run.stdout.split("\n")[:3]
    assert first.split() == ["course_exercises"]
    assert {name.split(".")[1] for name in second.split()} == {"nb05"}
    assert third == ""


# --- in a kernel ----------------------------------------------------------------------

CELLS = """
from course_exercises import check
###
def f(grad_out, X, W):
    exit()
check("05.1", f)
###
def helper(X):
    # a comment
    return X @ X
###
def f(grad_out, X, W):
    return helper(X)
check("05.1", f)
###
from course_exercises import library
library.find("05.1").seconds = 2
def f(grad_out, X, W):
    while True:
        pass
check("05.1", f)
###
def f(grad_out, X, W):
    print("shapes", X.shape)
    return grad_out @ W, grad_out.T @ X
check("05.1", f)
"""


def test_a_kernel_survives(tmp_path):
    sources = [part.strip() for part in textwrap.dedent(CELLS).split("###")]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    store_outputs.run(notebook, tmp_path)
    said = ["".join(map(str, cell.outputs)) for cell in cells]
    assert "end Python" in said[1]
    assert "Line 3 of the cell with `helper`: `return X @ X`." in said[3]
    assert "Stopped after 2 s" in said[4]
    assert "✓ passed" in said[5] and "shapes (2, 3)" in said[5]
