"""The scalar tape as arrays: the numbers of `Tape`, to the last bit."""

from __future__ import annotations

import math
import struct
import sys

import numpy as np
import pytest
from hypothesis import given, note

from course_utils.compiler import CompiledTape
from course_utils.compiler.jit import compiled
from course_utils.compiler.scalars import (
    EXPONENTIAL,
    POWER,
    finite_after,
    listed,
    row_of,
)
from course_utils.scalar import OPS, Value, exponential_op, power_op
from course_utils.tape import Op, Tape, record
from course_utils.tensor import Tensor
from tests.course_utils.test_programs import MANY, run, scalar_programs


def bits(*numbers: float | None) -> list[bytes | None]:
    """The bytes of numbers: 0 and −0 differ, and NaN equals itself."""
    return [None if x is None else struct.pack("d", x) for x in numbers]


def expression(x, y):
    return (x + y.sigmoid()) / (x.sigmoid() + (x + y) ** 2) + (x * y).tanh().exp()


def both(build, *leaves: float):
    """The same expression on two tapes: ours as arrays, and the interpreted one."""
    pairs = [[Value(x) for x in leaves] for _ in range(2)]
    return CompiledTape(build(*pairs[0])), pairs[0], Tape(build(*pairs[1])), pairs[1]


def same(compiled: CompiledTape, ours: list, tape: Tape, theirs: list) -> None:
    """Output and gradients of all leaves are equal to the last bit."""
    assert bits(compiled.output.data) == bits(tape.output.data)
    assert bits(*(x.grad for x in ours)) == bits(*(x.grad for x in theirs))


# --- the numbers ----------------------------------------------------------------------


@given(scalar_programs)
@MANY
def test_programs_of_floats_equal_the_tape_bit_for_bit(program):
    note(program.text())
    names, _ = run(program)
    tape = CompiledTape(names["x_loss"])
    reference = Tape(names["x_loss"])
    for shift in (0.0, 0.125):
        for leaf in tape.leaves:
            leaf.data += shift
        try:
            expected = reference.forward()
            reference.backward()
        except (ArithmeticError, ValueError) as error:
            with pytest.raises(type(error)):
                tape.forward()
                tape.backward()
            return
        grads = [node.grad for node in reference.nodes]
        assert bits(tape.forward()) == bits(expected)
        tape.backward()
        assert bits(*(x.grad for x in tape.leaves)) == bits(
            *(x.grad for x in reference.leaves)
        )
        tape.store()
        assert bits(*(node.grad for node in reference.nodes)) == bits(*grads)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: x + y,
        lambda x, y: x - y,
        lambda x, y: x * y,
        lambda x, y: x / y,
        lambda x, y: -x,
        lambda x, y: x.exp(),
        lambda x, y: y.log(),
        lambda x, y: x.tanh(),
        lambda x, y: x.sigmoid(),
        lambda x, y: x.relu(),
        lambda x, y: y.relu(),
        lambda x, y: x**3,
        lambda x, y: 1.5**x,
    ],
)
def test_each_operation_is_played_by_the_loops(f):
    tapes = both(f, -0.75, 1.5)
    for tape in (tapes[0], tapes[2]):
        tape.forward()
        tape.backward()
    same(*tapes)
    assert not tapes[0].stored  # the interpreter would have filled the nodes


def test_a_loop_that_divides_by_zero_did_not_run_to_its_end():
    def loop(numbers):
        raise ZeroDivisionError

    assert not finite_after(loop, np.ones(3))


def test_a_replay_with_other_leaves_equals_the_tape():
    tapes = both(expression, 3.0, -4.0)
    for values in [(3.0, -4.0), (-1.0, 0.5), (0.0, -0.0)]:
        for leaves in (tapes[1], tapes[3]):
            leaves[0].data, leaves[1].data = values
        for tape in (tapes[0], tapes[2]):
            tape.forward()
            tape.backward()
        same(*tapes)


def test_backward_without_a_forward_uses_what_was_recorded():
    tapes = both(expression, 3.0, -4.0)
    tapes[0].backward()
    tapes[2].backward()
    same(*tapes)


@pytest.mark.parametrize("grad_out", [None, 0.5, -0.0])
def test_grad_out_scales_the_sweep(grad_out):
    tapes = both(expression, 1.5, 2.0)
    tapes[0].backward(grad_out)
    tapes[2].backward(grad_out)
    same(*tapes)


def test_leaves_accumulate_where_asked():
    tapes = both(expression, 1.5, 2.0)
    for tape in (tapes[0], tapes[2]):
        tape.backward()
        tape.backward(0.5, accumulate=True)
    same(*tapes)


@pytest.mark.parametrize("n", [2, 3, 0, 1, -1, -2.0, 0.5, 2.5, np.float64(1.5)])
def test_powers_know_their_exponents(n):
    tapes = both(lambda x: x**n * x, 1.75)
    tapes[0].forward()
    tapes[0].backward()
    tapes[2].backward()
    same(*tapes)
    assert row_of(power_op(n)) == (POWER, float(n))


@pytest.mark.parametrize("base", [2, 10.0, 0.5, 1])
def test_exponentials_know_their_bases(base):
    tapes = both(lambda x: base**x * x, 1.75)
    tapes[0].forward()
    tapes[0].backward()
    tapes[2].backward()
    same(*tapes)
    assert row_of(exponential_op(base)) == (EXPONENTIAL, float(base))


def test_a_gradient_of_minus_zero_keeps_its_sign():
    tapes = both(lambda x: (-x).relu() * 1.0, 2.0)  # g · 0 = −0 comes back
    tapes[0].backward()
    tapes[2].backward()
    same(*tapes)
    assert math.copysign(1, tapes[1][0].grad) == -1


def test_a_chain_of_100_000_operations_works():
    def chain(x):
        y = x
        for i in range(100_000):
            y = y + 0.001 if i % 2 else y * 0.999
        return y

    tapes = both(chain, 1.0)
    tapes[0].forward()
    tapes[0].backward()
    tapes[2].backward()
    same(*tapes)


def test_constants_get_no_gradient_and_a_leaf_alone_is_a_tape():
    x, c = Value(3.0), Value(2.0, requires_grad=False)
    CompiledTape(x * c).backward()
    assert (x.grad, c.grad) == (2.0, None)
    alone = CompiledTape(x)
    assert alone.forward() == 3.0
    alone.backward()
    assert x.grad == 1.0


def test_a_leaf_that_was_given_an_int_is_a_float_here():
    x = Value(3.0)
    x.data = 3
    tape = CompiledTape(x)
    x.data = 2.5
    assert tape.forward() == 2.5


# --- what lies between ----------------------------------------------------------------


def test_nodes_between_hold_no_old_numbers():
    x = Value(3.0)
    h = x * x
    tape = CompiledTape(h + 1.0)
    x.data = 4.0
    assert tape.forward() == 17.0
    tape.backward()
    assert math.isnan(h.data) and math.isnan(h.grad)
    tape.store()
    assert (h.data, h.grad, x.data) == (16.0, 1.0, 4.0)
    x.data = 5.0
    tape.forward()
    assert math.isnan(h.data)
    assert not tape.stored  # so the next replay need not write NaN once more


def test_nodes_filled_by_the_interpreter_are_emptied_by_the_next_replay():
    x = Value(2.0)
    h = x * 1e308
    tape = CompiledTape(h + 1.0)
    assert tape.forward() == h.data == math.inf
    x.data = 0.5
    assert tape.forward() == 0.5e308
    assert math.isnan(h.data)


def test_store_leaves_the_leaves_alone():
    x = Value(3.0)
    tape = CompiledTape(x * x)
    tape.forward()
    x.data = 10.0
    tape.store()
    assert x.data == 10.0


def test_the_columns_say_what_the_tape_says():
    x, y = Value(2.0), Value(5.0)
    op, left, right, constant = listed(Tape((x * y + x) ** 3))
    add, mul = list(OPS).index("+"), list(OPS).index("*")
    assert op.tolist() == [mul, add, POWER]
    assert (left.tolist(), right.tolist()) == ([0, 2, 3], [1, 0, 3])
    assert constant.tolist() == [0.0, 0.0, 3.0]


@pytest.mark.parametrize("build", [lambda x: x, lambda x: x * x])
def test_columns_are_of_one_kind_so_that_loops_are_compiled_once(build):
    kinds = [column.dtype.name for column in listed(Tape(build(Value(2.0))))]
    assert kinds == ["int64", "int64", "int64", "float64"]


# --- where the interpreter would complain ---------------------------------------------


@pytest.mark.parametrize(
    ("build", "bad", "error"),
    [
        (lambda x: (x * 1000).exp(), 1.0, OverflowError),
        (lambda x: 1 / x, 0.0, ZeroDivisionError),
        (lambda x: x.log(), 0.0, ValueError),
        (lambda x: x.log(), -1.0, ValueError),
        (lambda x: x**-1, 0.0, ZeroDivisionError),
        (lambda x: x**0.5, -1.0, ValueError),
        (lambda x: x**400, 10.0, OverflowError),
    ],
)
def test_errors_are_those_of_the_tape(build, bad, error):
    tape, leaves, reference, theirs = both(build, 0.5)
    leaves[0].data = theirs[0].data = bad
    with pytest.raises(error) as expected:
        reference.forward()
    with pytest.raises(error) as found:
        tape.forward()
    assert str(found.value) == str(expected.value)
    assert leaves[0].data == bad
    leaves[0].data = theirs[0].data = 0.25
    for each in (tape, reference):
        each.forward()
        each.backward()
    same(tape, leaves, reference, theirs)


def test_infinite_numbers_that_python_allows_are_those_of_the_tape():
    tapes = both(lambda x: x * 1e308 * 10.0 + x, 0.0)
    for leaves in (tapes[1], tapes[3]):
        leaves[0].data = 2.0
    for tape in (tapes[0], tapes[2]):
        tape.forward()
        tape.backward()
    assert tapes[0].output.data == math.inf
    same(*tapes)


def test_the_slope_of_a_root_at_0_is_that_of_the_tape():
    tapes = both(lambda x: x**0.5, 4.0)
    for leaves, tape in (tapes[1::-1], tapes[3:1:-1]):
        leaves[0].data = 0.0
        tape.forward()
        tape.backward()
    assert tapes[1][0].grad == math.inf
    same(*tapes)


def test_a_gradient_that_divides_by_zero_is_an_error_of_the_tape():
    tape, leaves, reference, theirs = both(lambda x: (x * 0.0) / x, 4.0)
    leaves[0].data = theirs[0].data = 1e-200
    assert tape.forward() == reference.forward() == 0.0
    for each in (reference, tape):
        with pytest.raises(ZeroDivisionError):
            each.backward()


def test_a_tape_of_constants_says_so():
    with pytest.raises(ValueError, match="nothing here requires a gradient"):
        CompiledTape(Value(3.0, requires_grad=False)).backward()


def test_an_unknown_operation_is_named():
    odd = Op("cube", lambda x: x**3, lambda g, y, x: (g * 3 * x * x,))
    with pytest.raises(ValueError, match="operation cube is neither in scalar.OPS"):
        CompiledTape(record(Value, odd, Value(2.0)))


def test_arrays_are_sent_to_the_other_compiler():
    with pytest.raises(TypeError, match=r"found Tensor.*compile_step"):
        CompiledTape(Tensor(np.ones(3)).sum())


def test_without_numba_one_sentence_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ImportError) as error:
        compiled(lambda x: x)
    assert str(error.value) == (
        "notebook 12 compiles with Numba, which is not installed here: "
        "python -m pip install numba brings it, and 00 to 11 work without"
    )
