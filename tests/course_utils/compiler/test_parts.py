"""The parts of the compiler, each alone: recording, shortening, placing, writing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import functional as F
from course_utils.compiler import CannotCompile
from course_utils.compiler.buffers import Life, block, most_at_once, placed, rounded
from course_utils.compiler.jit import compiled, numba, plus
from course_utils.compiler.kinds import axes_of
from course_utils.compiler.lines import Line, Program
from course_utils.compiler.naming import identifier
from course_utils.compiler.nests import nested
from course_utils.compiler.plan import Plan
from course_utils.compiler.rows import rows_back
from course_utils.compiler.shorten import shortened
from course_utils.compiler.source import Source
from course_utils.compiler.stages import Schedule, is_looped
from course_utils.compiler.symbols import Recorder, Symbol
from course_utils.compiler.watching import watching

A, B = np.arange(6.0).reshape(2, 3), np.arange(3.0)


def record(f: Callable, *arrays: np.ndarray) -> Program:
    """The program of a function of arrays."""
    recorder = Recorder()
    with watching(recorder):
        symbols = [recorder.input(a, f"x{k}") for k, a in enumerate(arrays)]
        out = f(*symbols)
    inputs = [(symbol.line, None) for symbol in symbols]
    return Program(recorder.lines, inputs, out.line, guards=recorder.guards)


def kinds(program: Program) -> list[str]:
    return [x.kind for x in program.lines if x.kind != "input"]


def names(program: Program) -> list[str]:
    return [x.function.__name__ for x in program.lines if x.kind != "input"]


# --- recording ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda a, b: a * 2 + b, ["map", "map"]),
        (lambda a, b: np.exp(a) @ b.reshape(3, 1), ["map", "axes", "product"]),
        (lambda a, b: a.sum(), ["fold", "axes"]),
        (lambda a, b: a.mean(axis=1, keepdims=True), ["fold", "map"]),
        (lambda a, b: a.T, ["axes"]),
        (lambda a, b: a[:, None], ["axes"]),
        (lambda a, b: np.broadcast_to(b, (4, 3)), ["axes"]),
        (lambda a, b: a[:1], ["axes"]),
        (lambda a, b: a[::-1], ["view"]),
        (lambda a, b: a.reshape(3, 2), ["view"]),
        (lambda a, b: a.reshape(2, -1), []),
        (lambda a, b: a.reshape(3, 2, order="F"), ["call", "axes"]),
        (lambda a, b: F.row_mean(a), ["fold", "map"]),
        (lambda a, b: F.getitem_vjp(a, (2, 3), slice(0, 2)), []),
        (lambda a, b: F.getitem_vjp(a, (2, 3), slice(0, 2, 1)), []),
        (lambda a, b: a[[1, 0]], ["call"]),
        (lambda a, b: np.sort(a), ["call"]),
        (lambda a, b: a.std(), ["call"]),
        (lambda a, b: np.where(a > 1, a, b), ["map", "map"]),
        (lambda a, b: a.astype(np.float32), ["map"]),
        (lambda a, b: a.astype(np.float64, copy=False), []),
        (lambda a, b: np.split(a, 3, axis=1)[1], ["call", "part", "part", "part"]),
        (lambda a, b: a[np.arange(2), np.array([2, 0])], 8 * ["…"]),
    ],
)
def test_a_call_of_numpy_is_a_line_of_its_kind(f, expected):
    found = kinds(record(f, A, B))
    if "…" in expected:  # with its guards: two sums, seen as numbers, compared
        assert found[-1] == "pick" and found.count("fold") == 2
        return
    assert found == expected


def test_formulas_have_their_names_and_others_are_looked_through():
    assert names(record(lambda a, b: F.relu(a), A, B)) == ["relu"]
    assert names(record(lambda a, b: F.mul_vjp(b, b, a)[1], A, B)) == ["multiply"] * 2
    assert names(record(lambda a, b: F.mul_vjp(a, a, a)[1], A, B)) == ["mul_vjp"] * 2
    assert "power" not in names(record(lambda a, b: F.power(a, 3), A, B))[1:]
    assert names(record(lambda a, b: F.softmax(a), A, B)).count("exp") == 1
    assert names(record(lambda a, b: F.getitem_vjp(a, (4, 3), [1, 1]), A, B)) == [
        "getitem_vjp"
    ]
    for index in (slice(0, 2), slice(None, None, -1), ...):
        shape = (4, 3) if index == slice(0, 2) else (2, 3)
        program = record(lambda a, b, i=index, s=shape: F.getitem_vjp(a, s, i), A, B)
        assert names(program) == ["getitem_vjp"]
    chosen = np.array([3, -4])
    program = record(lambda a, i: F.getitem_vjp(a, (4, 3), i), A, chosen)
    assert names(program)[-1] == "rows_back"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("rows", "shape"),
    [([3, -4, 3, 0], (4, 5)), ([[1, 1], [0, 1]], (2, 2, 3)), ([1, 1, 2], (3,))],
)
def test_rows_are_given_back_as_the_formula_does(rows, shape, dtype):
    rows = np.array(rows)
    g = np.random.default_rng(0).normal(size=(*rows.shape, *shape[1:])).astype(dtype)
    found = rows_back(g, shape, rows)
    np.testing.assert_array_equal(found, F.getitem_vjp(g, shape, rows), strict=True)
    assert not rows_back(g[:0], shape, rows[:0]).any()
    for wrong in (len(found), -len(found) - 1):
        rows.flat[1] = wrong
        with pytest.raises(IndexError, match=f"no row {wrong} among {len(found)}"):
            rows_back(g, shape, rows)


def test_a_formula_that_asks_for_a_size_is_no_loop_of_its_own():
    said = names(record(lambda a, b: F.mse_vjp(1.0, a, a), A, B))
    assert "mse_vjp" not in said and "multiply" in said


def test_functional_and_the_tape_are_as_they_were_afterwards():
    from course_utils.tape import Op
    from course_utils.tensor import Tensor

    before = dict(vars(F)), Op.forward, Op.vjp, Tensor.__init__
    with pytest.raises(ZeroDivisionError), watching(Recorder()):
        assert F.relu is not before[0]["relu"]
        raise ZeroDivisionError
    assert (dict(vars(F)), Op.forward, Op.vjp, Tensor.__init__) == before


def test_a_symbol_is_read_as_an_array_and_computed_as_one():
    recorder = Recorder()
    a, b = recorder.input(A, "a"), recorder.input(B, "b")
    pairs = [
        (2 - a, 2 - A), (2 / (a + 1), 2 / (A + 1)), (2**b, 2**B), (a // 2, A // 2),
        (a % 2, A % 2), (-a, -A), (abs(-a), A), (+a, A), (a @ a.T, A @ A.T),
        ((a > 1) & (a < 4), (A > 1) & (A < 4)), ((a > 1) | (a < 0), A > 1),
        (~(a > 1), ~(A > 1)), (a != 1, A != 1), (a >= 1, A >= 1), (a <= 1, A <= 1),
        (a == 1, A == 1), (b[1], B[1]), (a.max(), 5), (a.min(axis=0), A.min(axis=0)),
        (np.minimum(a, b), np.minimum(A, B)), (a.swapaxes(0, 1), A.T), (a.argmax(), 5),
        (np.concatenate([a, a]), np.concatenate([A, A])), (a.sum(axis=-1), [3, 12]),
        (np.sum(a > 2), 3), (a.transpose(1, 0), A.T), (a.transpose((1, 0)), A.T),
        (np.zeros_like(a), 0 * A), (np.ones_like(a), 0 * A + 1), (a.copy(), A),
    ]  # fmt: skip
    for found, expected in pairs:
        assert isinstance(found, Symbol)
        np.testing.assert_array_equal(found.line.value, expected)
    assert (a.shape, a.ndim, a.size, len(a), a.dtype) == ((2, 3), 2, 6, 2, np.float64)
    assert [row.shape for row in a] == [(3,), (3,)]
    assert np.shape(a) == (2, 3) and np.ndim(b) == 1 and np.size(a) == 6
    with pytest.raises(TypeError, match="without axes"):
        len(a.sum())


def test_changes_in_place_are_seen_by_whoever_holds_the_array():
    def f(a, b):
        c = a * 1.0
        d = c
        c += b
        d *= 2
        np.multiply(c, 3, out=c)
        c[...] = c - 1
        c[np.arange(2), np.array([0, 1])] -= 1
        return d

    expected = (A + B) * 6 - 1
    expected[[0, 1], [0, 1]] -= 1
    np.testing.assert_array_equal(record(f, A, B).result.value, expected)


def test_numbers_stay_numbers_of_python():
    recorder = Recorder()
    t, rate = recorder.input(3, "t"), recorder.input(0.5, "rate")
    t += 1
    out = (1 - rate**t) / 2
    assert (t.line.value, out.line.value) == (4, (1 - 0.5**4) / 2)
    assert type(t.line.value) is int and type(out.line.value) is float
    assert (out.line.kind, recorder.lines[-1].kind) == ("number", "number")
    assert (np.ones(2, np.float32) * rate).line.dtype == np.float32
    assert bool(t > 3) and recorder.guards[-1][1] is True


@pytest.mark.parametrize(
    ("function", "shape", "expected"),
    [
        (lambda a: a.T, (2, 3), ((1, 0), (3, 2))),
        (lambda a: a[None, :, 0], (2, 1), ((None, 0), (1, 2))),
        (lambda a: a[..., None], (2,), ((0, None), (2, 1))),
        (lambda a: np.broadcast_to(a, (4, 2, 3)), (1, 3), ((None, None, 1), (4, 2, 3))),
        (lambda a: a[0], (2, 3), None),
        (lambda a: a[:, ::2], (2, 3), None),
        (lambda a: a[:, 1:], (2, 3), None),
        (lambda a: a[::-1], (2, 3), None),
        (lambda a: np.squeeze(a, 0), (1, 3), ((1,), (3,))),
    ],
)
def test_views_that_only_turn_axes_are_told_from_others(function, shape, expected):
    assert axes_of(function, shape) == expected


def test_a_call_keeps_the_memory_that_it_looks_at():
    parts = [x for x in record(lambda a, b: np.split(a, 2)[0], A, B).lines if x.shares]
    assert [x.kind for x in parts] == ["call", "part", "part"]
    assert not record(lambda a, b: np.sort(a), A, B).result.shares


# --- shortening -----------------------------------------------------------------------


def test_what_is_computed_twice_is_computed_once():
    program = shortened(record(lambda a, b: np.exp(a - b) / np.exp(a - b).sum(), A, B))
    assert names(program).count("exp") == names(program).count("subtract") == 1


def test_sums_over_other_axes_are_no_twins():
    program = record(lambda a, b: a.sum(axis=0).sum() + a.sum(axis=1).sum(), A, B)
    assert kinds(shortened(program)).count("fold") == 4


def test_equal_constants_are_one_and_others_are_not():
    twice = shortened(record(lambda a, b: (a * 2.0) * (a * 2.0), A, B))
    assert kinds(twice) == ["map", "map"]
    for other in (3.0, 2, np.float32(2)):
        apart = shortened(record(lambda a, b, c=other: (a * 2.0) * (a * c), A, B))
        assert kinds(apart) == ["map"] * 3


def test_known_numbers_are_computed_beforehand():
    program = record(lambda a, b: a * (b.sum() ** 0 * 1 / 4), A, B)
    short = shortened(program)
    assert kinds(short) == ["map"] and short.lines[-1].inputs[1].value == 0.25
    assert not shortened(record(lambda a, b: a * 1 / 1, A, B)).lines[1:]
    assert len(shortened(record(lambda a, b: 1 * a, A, B)).lines) == 1
    assert kinds(shortened(record(lambda a, b: a * np.float32(1), A, B))) == []
    assert kinds(shortened(record(lambda a, b: a * 0, A, B))) == ["map"]
    assert kinds(shortened(record(lambda a, b: a + 1, A, B))) == ["map"]
    assert kinds(shortened(record(lambda a, b: 1 / a, A + 1, B))) == ["map"]
    assert kinds(shortened(record(lambda a, b: b * np.ones((2, 1)), A, B))) == ["map"]


def test_nobody_asks_for_a_line_and_it_is_gone_but_guards_stay():
    def f(a, b):
        np.exp(a)
        return b.sum() if a.sum() > 0 else b

    short = shortened(record(f, A, B))
    assert "exp" not in names(short) and [x for _, x in short.guards] == [True]
    assert names(short).count("greater") == 1


def test_a_guard_on_what_is_known_is_none():
    def f(a, b):
        return a.sum() if (a.sum() ** 0 * 2) > 1 else b

    assert shortened(record(f, A, B)).guards == []


def test_a_view_of_a_view_looks_at_what_that_one_looks_at():
    for f in (lambda a, b: a.T.T, lambda a, b: a.reshape(3, 2).reshape(2, 3)):
        assert not kinds(shortened(record(f, A, B)))
    program = shortened(record(lambda a, b: a[:, None].transpose(1, 2, 0), A, B))
    assert kinds(program) == ["axes"] and program.result.options["axes"] == (None, 1, 0)
    program = shortened(record(lambda a, b: a.reshape(6).reshape(3, 2), A, B))
    assert kinds(program) == ["view"] and program.result.inputs == (program.lines[0],)
    assert kinds(shortened(record(lambda a, b: a.T.reshape(2, 3), A, B))) == [
        *("axes", "view")
    ]


# --- stages and nests -----------------------------------------------------------------


def plan_of(f: Callable, *arrays: np.ndarray) -> Plan:
    return Plan(shortened(record(f, *arrays)))


def test_large_exponentials_are_left_to_numpy_and_small_ones_are_not():
    for n, looped in ((10, True), (2000, False)):
        program = record(lambda x: np.exp(x) + 1, np.ones(n))
        assert is_looped(program.lines[1]) is looped
        assert ("out=" in str(Source(Plan(shortened(program))))) is not looped


@pytest.mark.parametrize(("n", "written"), [(7, "range(7)"), (8, "range(x0.shape[1])")])
def test_only_rows_shorter_than_a_vector_have_their_length_in_the_loop(n, written):
    plan = plan_of(lambda x: x - x.sum(axis=1, keepdims=True), np.ones((9, n)))
    assert written in str(Source(plan))


def test_a_product_that_is_read_with_other_axes_is_laid_so():
    def heads(q, k, last=(0, 2, 1, 3), shape=(2, 4, 6)):
        return (q @ k).transpose(last).reshape(shape) * 2

    q, k = np.ones((2, 3, 4, 5)), np.ones((2, 3, 5, 2))
    plan = plan_of(heads, q, k)
    (axes,), (view,) = plan.laid.values(), Source(plan).once
    assert axes == (0, 2, 1, 3) and "np.reshape(" in view
    for other in ((0, 2, 3, 1), (0, 1, 2, 3)):  # rows of one number; no turn at all
        assert not plan_of(lambda q, k, o=other: heads(q, k, o), q, k).laid
    assert not plan_of(lambda q, k: heads(q, k).sum() + (q @ k).sum(), q, k).laid


@pytest.mark.parametrize(
    ("axis", "looped"),
    [(0, False), (1, False), (2, True), ((0, 1), True), (None, True), ((1, 2), False)],
)
def test_sums_over_the_last_axis_or_all_others_are_loops(axis, looped):
    program = record(lambda x: x.sum(axis=axis), np.ones((2, 3, 4)))
    assert is_looped(program.lines[1]) is looped


def test_a_row_is_gone_through_as_often_as_its_sums_ask_for():
    lines = shortened(record(lambda x: F.softmax(x), A)).lines
    (nest,) = nested([x for x in lines if is_looped(x)])
    assert sorted(set(nest.at.values())) == [
        ("element", 0),
        ("element", 1),
        ("element", 2),
    ]
    text = str(Source(plan_of(lambda x: F.softmax(x), A)))
    assert text.count("for j in range(3):") == 3 and text.count("for i in range(") == 1


def test_columns_and_totals_are_known_after_the_nest():
    nests = nested(
        [
            x
            for x in shortened(
                record(lambda x: (x * 2).sum(axis=0) / (x * 2).sum(), A)
            ).lines
            if is_looped(x)
        ]
    )
    assert [nest.shape for nest in nests] == [(2, 3), (3,)]


def test_two_nests_become_one_where_a_line_needs_both():
    plan = plan_of(lambda x, y: (x * 2 + y * 3).sum(), A, A + 1)
    assert [len(part.nests) for part in plan.parts] == [1]


def test_nothing_is_stored_before_a_guard_or_a_call():
    recorder = Recorder()
    slots = {}
    from course_utils.compiler.lines import Slot

    class Owner:
        w = np.ones(3)

    w, x = recorder.input(Owner.w, "w"), recorder.input(np.ones(3), "x")
    assert bool(np.isfinite((w * x).sum()))
    new, last = w - 1, np.sort(x)
    slots[Slot(Owner, "w", "w")] = new.line
    program = Program(
        recorder.lines,
        [(x.line, None), (w.line, Slot(Owner, "w", "w"))],
        (last.sum() * 1.0).line,
        list(slots.items()),
        recorder.guards,
    )
    schedule = Schedule(program)
    (store,) = schedule.stores
    guard = program.guards[0][0]
    assert schedule.stage[store] > schedule.stage[guard] + 1
    assert schedule.stage[store] > schedule.stage[last.line]


# --- memory ---------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 300)),
        max_size=12,
    )
)
def test_values_that_live_together_never_lie_together(drawn):
    lives = {
        f"v{k}": Life(born, born + long, size)
        for k, (born, long, size) in enumerate(drawn)
    }
    places, size = placed(lives)
    assert places.keys() == lives.keys()
    for a in lives:
        assert places[a] % 64 == 0 and places[a] + lives[a].size <= size
        for b in lives:
            if a < b and lives[a].meets(lives[b]) and lives[a].size and lives[b].size:
                ends = [places[x] + lives[x].size for x in (a, b)]
                assert ends[0] <= places[b] or ends[1] <= places[a]
    assert most_at_once(lives) <= size <= sum(rounded(x.size) for x in lives.values())


def test_a_block_is_no_longer_than_it_has_to_be():
    lives = {"a": Life(0, 1, 64), "b": Life(1, 2, 128), "c": Life(2, 3, 64)}
    assert placed(lives) == ({"b": 0, "a": 128, "c": 128}, 192)
    assert most_at_once(lives) == 192
    assert placed({}) == ({}, 0) and most_at_once({}) == 0


def test_a_hole_between_two_is_used():
    lives = {
        **{"a": Life(0, 9, 192), "b": Life(0, 1, 128), "c": Life(0, 9, 64)},
        "d": Life(2, 9, 64),
    }
    places, size = placed(lives)
    assert size == 384 and places["d"] == 192
    lives |= {"c": Life(0, 9, 128), "d": Life(2, 9, 128)}  # which it fills to the end
    places, size = placed(lives)
    assert size == 448 and places["d"] == 192


@pytest.mark.parametrize(("size", "whole"), [(0, 0), (1, 64), (64, 64), (65, 128)])
def test_buffers_are_whole_lines_of_the_cache(size, whole):
    assert rounded(size) == whole
    memory = block(size)
    assert memory.nbytes == size and (not size or memory.ctypes.data % 64 == 0)


def test_a_value_follows_another_one_in_its_place():
    plan = plan_of(
        lambda x, W: F.relu(x @ W + 1).sum(axis=1) @ np.ones((1, 2)).T, A, A.T
    )
    text = str(Source(plan))
    assert "matmul_1[i, j]" in text or "matmul_1.flat[i]" in text or "t" in text
    lives = plan.lives
    assert sum(1 for life in lives.values() if life.size == 2 * 2 * 8) <= 2


# --- text and compiler ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("layers.0.W", "layers_0_W"),
        ("softmax CE", "softmax_CE"),
        ("lambda", "n_lambda"),
        ("3d", "n_3d"),
        ("^2", "n_2"),
        ("+", "value"),
    ],
)
def test_names_are_names_of_python(text, name):
    assert identifier(text) == name and identifier(text).isidentifier()


def test_a_listing_reads_as_the_program():
    said = str(record(lambda a, b: (a * 2 + b).sum(), A, B)).splitlines()
    assert said[0].split()[:3] == ["t0", "=", "x0"]
    assert "multiply(t0, 2)" in said[2] and "add(t2, t1)" in said[3]
    assert "add.reduce(t3, axis=(0, 1), keepdims=True)" in said[4]


def double(x):
    return x + x


def quadruple(x):
    return double(double(x))


def test_a_compiled_function_compiles_what_it_calls():
    assert compiled(quadruple)(2.5) == 10.0
    assert compiled(quadruple) is compiled(quadruple)
    with pytest.raises(ZeroDivisionError):
        compiled(F.div)(1.0, 0.0)
    assert compiled(F.div, "numpy")(1.0, 0.0) == np.inf


def total(x):
    found = 0.0
    for i in range(len(x)):
        found = plus(found, x[i])
    return found


def test_plus_adds_up_in_any_order():
    x = np.random.default_rng(0).standard_normal(10_000)
    assert compiled(total)(x) == pytest.approx(x.sum(), rel=1e-12, abs=1e-10)
    assert plus(2.0, 3.0) == 5.0


def test_a_dtype_that_numba_does_not_know_is_an_error():
    from course_utils.compiler import compile_loss

    with pytest.raises(CannotCompile, match="Numba cannot compile loop_1"):
        compile_loss(lambda x: (x * x).sum())(np.ones(3, np.float16))


def test_a_line_says_what_it_is():
    line = Line("map", np.exp, value=np.ones((2, 3), np.float32))
    assert repr(line) == "<map exp: float32[2, 3]>"
    assert repr(Line("input", value=3)) == "<input NoneType: a number>"


# --- without Numba --------------------------------------------------------------------


def test_without_numba_one_sentence_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    said = "notebook 12 compiles with Numba.* pip install numba.* 00 to 11 work without"
    with pytest.raises(ImportError, match=said):
        numba()


def test_without_numba_the_package_can_be_imported():
    code = "import sys; sys.modules['numba'] = None; import course_utils.compiler"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
