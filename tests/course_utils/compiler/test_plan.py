"""What is done in which order, and where values lie: whole plans, looked up by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from course_utils import functional as F
from course_utils import nn, optim
from course_utils.compiler import compile_step
from course_utils.compiler.lines import Program
from course_utils.compiler.plan import Plan, grouped, is_loop, lines_of
from course_utils.compiler.shorten import shortened
from course_utils.compiler.source import Source
from course_utils.compiler.stages import Schedule
from course_utils.compiler.symbols import Recorder
from course_utils.compiler.watching import watching
from course_utils.tensor import Tensor

X, W, V = np.ones((2, 3)), np.ones((3, 2)), np.ones((2, 2))


pytestmark = pytest.mark.usefixtures("plain")


def plan_of(f: Callable, *arrays: np.ndarray) -> Plan:
    recorder = Recorder()
    with watching(recorder):
        symbols = [recorder.input(a, f"x{k}") for k, a in enumerate(arrays)]
        out = f(*symbols)
    inputs = [(symbol.line, None) for symbol in symbols]
    program = Program(recorder.lines, inputs, out.line, guards=recorder.guards)
    return Plan(shortened(program))


def centred(h):
    return h - h.mean(axis=1, keepdims=True)


def centred_over_the_batch(h):
    return h - h.mean(axis=0)


def times_itself(h, V):
    return F.tanh(h) @ V * h


def two_of_one(x, W, V):
    first = F.tanh(x @ W)
    return (first @ V + (first * 2) @ V).sum()


def whole_and_by_rows(x, W, V):
    e = np.exp(x @ W)
    return (e / e.sum(axis=1, keepdims=True) @ V + e @ V).sum()


PLANS = {
    # A value written over the one that it is made of; the last lives to the end.
    "in its place": (
        lambda x, W, V: (F.tanh(x @ W) @ V).sum(),
        "product loop product loop",
        {"matmul_1": (0, 2, 32), "matmul_2": (2, 3, 32), "sum_1": (3, 4, 8)},
    ),
    # It is read once more: so tanh has an array of its own.
    "read again": (
        lambda x, W, V: times_itself(x @ W, V).sum(),
        "product loop product loop",
        {
            "matmul_1": (0, 3, 32),
            "value_1": (1, 2, 32),
            "matmul_2": (2, 3, 32),
            "sum_1": (3, 4, 8),
        },
    ),
    "turned, and turned back": (
        lambda x, W, V: (F.tanh(x @ W).T @ V).sum(),
        "product loop product loop",
        {"matmul_1": (0, 2, 32), "matmul_2": (2, 3, 32), "sum_1": (3, 4, 8)},
    ),
    "numbers of another kind": (
        lambda x, W, V: ((x @ W).astype(np.float32) @ np.float32(V)).sum(),
        "product loop product loop",
        {
            "matmul_1": (0, 1, 32),
            "value_1": (1, 2, 16),
            "matmul_2": (2, 3, 16),
            "sum_1": (3, 4, 4),
        },
    ),
    # In a row its mean is known before it is written over.
    "two runs over a row": (
        lambda x, W, V: (centred(x @ W) @ V).sum(),
        "product loop product loop",
        {"matmul_1": (0, 2, 32), "matmul_2": (2, 3, 32), "sum_1": (3, 4, 8)},
    ),
    # Columns are known when all rows have been seen.
    "two runs over the batch": (
        lambda x, W, V: (centred_over_the_batch(x @ W) @ V).sum(),
        "product loop loop loop product loop",
        {
            "matmul_1": (0, 3, 32),
            "mean_1": (1, 2, 16),
            "mean_2": (2, 3, 16),
            "subtract_1": (3, 4, 32),
            "matmul_2": (4, 5, 32),
            "sum_1": (5, 6, 8),
        },
    ),
    # Nobody needs a row of exponentials when the next one comes: room for one row.
    "one row is enough": (
        lambda x, W, V: F.softmax(x @ W).sum(),
        "product loop",
        {"matmul_1": (0, 1, 32), "exp_1": (1, 1, 16), "sum_1": (1, 2, 8)},
    ),
    # Only one of them can have the place of the product.
    "two of one": (
        two_of_one,
        "product loop product product loop",
        {
            "matmul_1": (0, 2, 32),
            "multiply_1": (1, 3, 32),
            "matmul_2": (2, 4, 32),
            "matmul_3": (3, 4, 32),
            "sum_1": (4, 5, 8),
        },
    ),
    # Exponentials are asked for once more, so one row of them is not enough.
    "whole and by rows": (
        whole_and_by_rows,
        "product loop product product loop",
        {
            "matmul_1": (0, 3, 32),
            "divide_1": (1, 2, 32),
            "matmul_2": (2, 4, 32),
            "matmul_3": (3, 4, 32),
            "sum_1": (4, 5, 8),
        },
    ),
    # What NumPy makes lies in NumPy's memory.
    "a call between": (
        lambda x, W, V: (np.sort(x @ W + 1, axis=0) * 2 @ V).sum(),
        "product loop call loop product loop",
        {
            "matmul_1": (0, 2, 32),
            "multiply_1": (3, 4, 32),
            "matmul_2": (4, 5, 32),
            "sum_1": (5, 6, 8),
        },
    ),
    # A view keeps what it looks at.
    "a view of it is read": (
        lambda x, W, V: (F.relu((x @ W)[::-1] + (x @ W)) @ V).sum(),
        "product view loop product loop",
        {
            "matmul_1": (0, 2, 32),
            "value_1": (2, 3, 32),
            "matmul_2": (3, 4, 32),
            "sum_1": (4, 5, 8),
        },
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_is_what_one_would_do_by_hand(name):
    f, parts, lives = PLANS[name]
    fixed = f if name != "numbers of another kind" else None
    plan = plan_of(fixed, X, W, V) if fixed else plan_of(lambda x, W: f(x, W, V), X, W)
    kinds = ["loop" if is_loop(part) else part.kind for part in plan.parts]
    assert kinds == parts.split()
    assert {name: tuple(life) for name, life in plan.lives.items()} == lives
    assert plan.size == max(
        plan.places[n] + -(-life.size // 64) * 64 for n, life in plan.lives.items()
    )
    assert plan.lent == {}
    rows = {"exp_1"} if name == "one row is enough" else set()
    assert {plan.names(line) for line in plan.rows} == rows


def test_two_values_of_one_loop_follow_those_that_they_are_made_of():
    def f(x, W, U, V):
        first, second = F.tanh(x @ W), x @ U
        return (first @ V + (F.relu(second) * first) @ V).sum()

    plan = plan_of(f, X, W, 2 * W, V)
    assert {name: tuple(life) for name, life in plan.lives.items()} == {
        "matmul_1": (0, 3, 32),
        "matmul_2": (1, 4, 32),
        "matmul_3": (3, 5, 32),
        "matmul_4": (4, 5, 32),
        "sum_1": (5, 6, 8),
    }


def test_a_row_is_as_long_as_the_last_axis():
    plan = plan_of(lambda x: F.softmax(x * 2).sum(), np.ones((2, 2, 3)))
    assert {n: life.size for n, life in plan.lives.items()} == {
        "multiply_1": 3 * 8,
        "exp_1": 3 * 8,
        "sum_1": 8,
    }


def loops_of(f: Callable, *arrays: np.ndarray) -> str:
    return str(Source(plan_of(f, *arrays))).partition("def step(")[0]


def test_a_number_that_may_be_that_of_the_batch_is_no_part_of_a_loop():
    text = loops_of(lambda x: (x * 5 - 7).sum(), np.ones((5, 3)))  # five examples
    assert "- 7" in text and "* 5" not in text


def step_of(*sizes: int, **options):
    net = nn.MLP(list(sizes), np.random.default_rng(0))
    optimizer = optim.SGD(net.parameters(), 0.1, **options)
    step = compile_step(net, Tensor.softmax_cross_entropy, optimizer)
    step(np.ones((2, sizes[0])), np.array([0, 1]))
    return step


def test_gradients_lie_where_the_optimizer_has_room():
    step = step_of(3, 4, 5)
    plan = step.plan
    labels = {name: slot.label for name, slot in plan.lent.items()}
    shapes = {name: plan.lives[name].size for name in labels}
    assert set(labels.values()) <= {f"optimizer.buffers.{k}" for k in range(4)}
    for name, slot in plan.lent.items():
        assert slot.get().nbytes == shapes[name]
        assert name not in plan.places and name in plan.lives
    assert sorted(shapes.values()) == [3 * 4 * 8, 4 * 5 * 8]
    assert plan.places.keys() | labels.keys() == plan.lives.keys()
    assert {line.kind for line in plan.kept} == {"map", "fold"}  # what is stored is not


def test_no_array_is_lent_twice():
    plan = step_of(4, 4, 4, 4).plan
    slots = [slot.label for slot in plan.lent.values()]
    assert len(slots) == len(set(slots)) == 3


def test_guards_are_asked_in_the_loop_that_knows_their_answer():
    def f(x):
        return x.max() if x.sum() > 0 else x.min()

    plan = plan_of(f, X)
    loops = [part for part in plan.parts if is_loop(part)]
    asked = [answer for loop in loops for _, answer in loop.guards]
    assert asked == [True]
    for loop in loops:
        known = set(lines_of(loop))
        assert all(line in known for line, _ in loop.guards)
    assert list(plan.lives) == ["max_1"]  # what is one number is asked without an array


def test_a_guard_that_is_no_number_of_the_loop_has_an_array():
    def f(x):
        return x.max() if x[:1, :1] > 0 else x.min()

    plan = plan_of(f, X)
    (guard,) = plan.guards_of(set(plan.times))
    assert plan.has_array(guard[0]) and guard[0] in plan.kept


def test_numbers_made_of_sums_stand_in_the_loop_of_these_sums():
    plan = plan_of(lambda x: x.sum() * 2 + 1, X)
    assert [len(part.nests) for part in plan.parts] == [2]
    assert {n: tuple(life) for n, life in plan.lives.items()} == {"add_1": (0, 1, 8)}
    nests = plan.parts[0].nests
    assert grouped(nests) == [nests] and grouped([]) == []
    assert lines_of(plan.parts[0]) == [x for nest in nests for x in nest.lines]


def test_a_line_that_is_no_loop_is_its_own_part():
    plan = plan_of(lambda x: np.sort(x).sum(), X)
    call = plan.parts[0]
    assert lines_of(call) == [call] and not is_loop(call)
    assert plan.times[call] == 0 and not plan.has_array(call)
    assert Schedule(plan.program).lines[-1] is not call


def product(x, W):
    return x @ W


@pytest.mark.parametrize(
    ("f", "laid"),
    [
        (lambda x, W: (x @ W).swapaxes(0, 1).reshape(6, 2) * 2, [(1, 0, 2)]),
        # What loops write, they write in order; NumPy multiplies what is turned.
        (lambda x, W: (x * 2 + x).swapaxes(0, 1).reshape(6, 3) * 2, []),
        (lambda x, W: (x @ W).swapaxes(0, 1) @ W.T, []),
        (lambda x, W: (x @ W)[1:].reshape(6) * 2, []),  # a part
        (product, []),  # nobody reads it
    ],
)
def test_only_products_that_a_reshape_reads_are_laid_in_another_order(f, laid):
    plan = plan_of(f, np.ones((2, 3, 3)), np.ones((3, 2)))
    assert list(plan.laid.values()) == laid


def test_a_view_has_a_place_where_it_looks_into_the_block():
    plan = plan_of(
        lambda x, W: x.T.reshape(6) + (x @ W).T.reshape(6), X, np.ones((3, 3))
    )
    views = [line for line in plan.times if line.kind == "view"]
    places = [plan.place_of(view) for view in views]
    assert [place and place.kind for place in places] == [None, "product"]


def test_the_room_of_a_line_has_its_shape_and_its_kind():
    x = np.ones((2, 2, 3), np.float32)
    plan = plan_of(lambda x: F.softmax(x * np.float32(2)).sum(), x)
    rooms = {
        plan.names(line): plan.room(line, np.empty(plan.lives[name].size, np.uint8))
        for line in plan.times
        if (name := plan.names(line)) in plan.lives
    }
    assert {name: (array.shape, array.dtype.name) for name, array in rooms.items()} == {
        "multiply_1": ((3,), "float32"),
        "exp_1": ((3,), "float32"),
        "sum_1": ((1, 1, 1), "float32"),
    }
