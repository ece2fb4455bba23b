"""The tape and its scalars: order, replay, accumulation, and numbers against torch."""

import ast
import inspect
import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.scalar import OPS, Value, as_value, power_op, recorded, sigmoid
from course_utils.tape import Node, Op, Tape, no_grad, record


def expression(x, y):
    return (x + y.sigmoid()) / (x.sigmoid() + (x + y) ** 2)


def test_an_intricate_expression_has_its_known_gradients():
    x, y = Value(3.0), Value(-4.0)
    out = expression(x, y)
    out.backward()
    assert out.data == pytest.approx(1.5456448841066441, rel=1e-12)
    assert x.grad == pytest.approx(2.0595697955721652, rel=1e-12)
    assert y.grad == pytest.approx(1.5922327514838093, rel=1e-12)


OPERATIONS = {
    "add": lambda x, y: x + y,
    "radd": lambda x, y: 2.5 + x,
    "sub": lambda x, y: x - y,
    "rsub": lambda x, y: 2.5 - x,
    "mul": lambda x, y: x * y,
    "rmul": lambda x, y: 2.5 * x,
    "div": lambda x, y: x / y,
    "rdiv": lambda x, y: 2.5 / x,
    "square": lambda x, y: x * x,
    "neg": lambda x, y: -x,
    "pow": lambda x, y: x**3 + y**0.5 + x**-1 + y**0,
    "rpow": lambda x, y: 2.5**x + 2**y,
    "pos": lambda x, y: +x,
    "exp": lambda x, y: x.exp(),
    "log": lambda x, y: y.log(),
    "tanh": lambda x, y: x.tanh(),
    "sigmoid": lambda x, y: x.sigmoid(),
    "relu": lambda x, y: x.relu() + (-y).relu(),
    "fork": lambda x, y: (x * y).tanh() * x + (x * y) ** 2,
}


@pytest.mark.parametrize("name", OPERATIONS)
@given(x=st.floats(-3, 3).filter(lambda v: abs(v) > 0.1), y=st.floats(0.1, 3))
def test_every_operation_equals_torch(name, x, y):
    def run(leaf):
        a, b = leaf(x), leaf(y)
        out = OPERATIONS[name](a, b) + 0.5 * a * b  # both are used, so both have a grad
        out.backward()
        return [float(v) for v in (out.data, a.grad, b.grad)]

    ours = run(Value)
    theirs = run(lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True))
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-14)


def test_backward_twice_gives_the_same_gradients():
    x = Value(3.0)
    out = (x * x) * x + x
    out.backward()
    first = x.grad
    out.backward()
    assert x.grad == first == 28.0


def test_leaves_accumulate_only_where_asked():
    x, y = Value(2.0), Value(5.0)
    (x * y).backward()
    (x * 3).backward(accumulate=True)
    assert (x.grad, y.grad) == (8.0, 2.0)
    (x * 3).backward()
    assert (x.grad, y.grad) == (3.0, 2.0)


def test_accumulating_on_an_intermediate_does_not_happen():
    x = Value(2.0)
    h = x * x
    out = h * h
    out.backward()
    out.backward(accumulate=True)
    assert (h.grad, x.grad) == (8.0, 64.0)


def test_a_leaf_that_a_sweep_leaves_out_keeps_what_it_had():
    first = Op("first", lambda a, b: a, lambda g, y, a, b: (g, None))
    x, y = Value(2.0), Value(5.0)
    (x * y).backward()
    record(Value, first, x, y).backward(accumulate=True)
    assert (x.grad, y.grad) == (6.0, 2.0)


def test_grad_out_scales_the_sweep():
    x = Value(3.0)
    (x * x).backward(0.5)
    assert x.grad == 3.0


def test_an_output_that_is_a_leaf_has_gradient_one():
    x = Value(3.0)
    x.backward()
    assert x.grad == 1.0


def test_forward_replays_with_changed_leaves():
    x, y = Value(3.0), Value(-4.0)
    tape = Tape(expression(x, y))
    x.data, y.data = 1.25, 0.5
    fresh_x, fresh_y = Value(1.25), Value(0.5)
    fresh = expression(fresh_x, fresh_y)
    fresh.backward()
    assert tape.forward() == fresh.data
    tape.backward()
    assert (x.grad, y.grad) == (fresh_x.grad, fresh_y.grad)


def test_replay_follows_a_relu_that_changes_sides():
    x = Value(1.0)
    tape = Tape(x.relu() * 3)
    x.data = -1.0
    assert tape.forward() == 0.0
    tape.backward()
    assert x.grad == 0.0


def test_creation_order_is_a_topological_order():
    x, y = Value(3.0), Value(-4.0)
    tape = Tape(expression(x, y))
    place = {node: i for i, node in enumerate(tape.nodes)}
    assert all(place[a] < place[n] for n in tape.operations for a in n.inputs)
    assert len(tape) == len(tape.operations) + len(tape.leaves)
    assert tape.nodes[-1] is tape.output


def test_a_chain_of_100_000_operations_works():
    assert sys.getrecursionlimit() < 100_000
    x = Value(1.0)
    out = x
    for _ in range(100_000):
        out = out + x
    out.backward()
    assert (out.data, x.grad) == (100_001.0, 100_001.0)


def test_many_paths_cost_one_visit_each():
    x = Value(1.0)
    out = x
    for _ in range(200):  # 2²⁰⁰ paths
        out = out + out
    out.backward()
    assert x.grad == 2.0**200


def test_constants_get_no_gradient():
    x, c = Value(3.0), Value(2.0, requires_grad=False)
    out = x * c + 1
    out.backward()
    assert (x.grad, c.grad) == (2.0, None)
    assert (c * 2).op is None


def test_no_grad_records_nothing_and_ends_also_after_an_error():
    x = Value(3.0)
    with pytest.raises(RuntimeError), no_grad():
        assert (x * x).op is None
        with no_grad():
            pass
        assert not (x * x).requires_grad
        raise RuntimeError
    assert (x * x).op is OPS["*"]


def test_backward_from_a_constant_says_so():
    with no_grad():
        out = Value(3.0) * 2
    with pytest.raises(ValueError) as error:
        out.backward()
    assert str(error.value) == (
        "backward: nothing here requires a gradient. The output was computed from "
        "constants only, or inside no_grad()"
    )


def test_a_new_node_has_no_history_and_no_gradient():
    x = Node(2.0)
    assert x.requires_grad is True
    assert (x.grad, x.op, x.inputs) == (None, None, ())
    assert (Value(2.0) * 3).grad is None
    assert (Value(2.0, requires_grad=False) * 3).inputs == ()


def test_a_tape_starts_afresh_each_time():
    x = Value(3.0)
    tape = Tape(x * x)
    tape.backward()
    tape.backward()
    assert x.grad == 6.0


def test_numbers_become_constants_and_values_stay():
    x = Value(3.0)
    assert as_value(x) is x
    assert as_value(3).requires_grad is False and as_value(3).data == 3.0


def test_an_operation_carries_its_name():
    x = Value(4.0)
    names = [node.op.name for node in (x**3, x.exp(), -x, 2**x)]
    assert names == ["^3", "exp", "neg", "2^"]
    assert power_op(0.5).name == "^0.5"


def test_recorded_makes_the_method_of_its_operation():
    x, y = Value(3.0), Value(5.0)
    out = recorded("*")(x, y)
    assert out.op is OPS["*"] and out.inputs == (x, y) and out.data == 15.0
    assert recorded("-")(x, 2).inputs[1].requires_grad is False
    assert recorded("-", turned=True)(x, 2).data == -1.0
    assert recorded("/", turned=True)(x, 6).inputs[0].requires_grad is False


def test_a_rule_with_too_few_gradients_is_noticed():
    half = Op("half a rule", lambda a, b: a * b, lambda g, y, a, b: (g * b,))
    out = record(Value, half, Value(2.0), Value(3.0))
    with pytest.raises(ValueError, match="1 gradients for 2 inputs"):
        out.backward()


def test_the_tape_carries_any_data():
    cat = Op("join", lambda a, b: a + b, lambda g, y, a, b: (g, g))
    out = record(Node, cat, Node("back"), Node("prop"))
    assert out.data == "backprop"
    assert Tape(out).forward() == "backprop"


@pytest.mark.parametrize(
    "bad", ["3", None, [1.0], 1j, np.ones(3), Value(1.0)], ids=repr
)
def test_a_value_holds_one_real_number(bad):
    with pytest.raises(TypeError, match=f"real number, not {type(bad).__name__}\\. "):
        Value(bad)


@pytest.mark.parametrize("good", [3, True, np.float32(3), np.int64(3)])
def test_a_value_is_a_float_inside(good):
    assert type(Value(good).data) is float


def test_numpy_numbers_on_the_left_leave_the_operation_to_us():
    x = Value(3.0)
    for out in (np.float64(2) * x, np.float32(2) * x, np.int64(2) * x):
        assert isinstance(out, Value) and out.data == 6.0


def test_a_variable_exponent_is_refused_with_the_way_out():
    with pytest.raises(TypeError, match=r"\(n \* x.log\(\)\).exp\(\)"):
        Value(2.0) ** Value(3.0)


@pytest.mark.parametrize("bad", ["2", None, 1j])
def test_an_exponent_is_a_number(bad):
    with pytest.raises(TypeError, match="constant n"):
        Value(2.0) ** bad


@pytest.mark.parametrize("n", [0.5, 0.25])
def test_a_root_is_vertical_at_0(n):
    x = Value(0.0)
    (x**n).backward()
    assert x.grad == math.inf
    (-(x**n)).backward()
    assert x.grad == -math.inf
    t = torch.tensor(0.0, requires_grad=True)
    (t**n).backward()
    assert t.grad.item() == math.inf


def test_other_powers_of_0_have_the_slopes_they_have():
    x = Value(0.0)
    for n, slope in ((2, 0.0), (1, 1.0), (0, 0.0), (1.5, 0.0)):
        (x**n).backward()
        assert x.grad == slope


def test_a_numpy_exponent_is_computed_in_full():
    x = Value(0.1)
    y = x ** np.float32(2)
    y.backward()
    assert type(y.data) is float and (y.data, x.grad) == (0.1**2, 0.2)


def test_a_base_is_above_0():
    for base in (0, -2.0):
        with pytest.raises(ValueError, match="needs a positive number"):
            base ** Value(2.0)
    for base in (2, np.float64(2), np.float32(2)):
        y = base ** Value(3.0)
        assert type(y.data) is float and y.data == 8.0 and y.op.name == "2^"
    with pytest.raises(TypeError, match="one real number, not ndarray"):
        np.ones(2) ** Value(3.0)


def test_log_of_nothing_and_roots_of_negatives_are_refused():
    for x in (-1.0, 0.0):
        with pytest.raises(ValueError, match=rf"^log\({x}\).*positive"):
            Value(x).log()
    with pytest.raises(ValueError, match=r"\(-8.0\) \*\* 0.5.*not a real number"):
        Value(-8.0) ** 0.5


@pytest.mark.parametrize("x", [-1000.0, -40.0, 0.0, 16.0, 1000.0])
def test_sigmoid_of_a_float_is_accurate_at_both_ends(x):
    with np.errstate(over="ignore"):
        expected = 1 / (1 + math.exp(-x)) if x > -700 else 0.0
    assert sigmoid(x) == pytest.approx(expected, rel=1e-14)


def test_repr_shows_value_and_gradient():
    x = Value(3.0)
    assert repr(x) == "Value(3, grad=None)"
    (x * 2).backward()
    assert repr(x) == "Value(3, grad=2.0)"


def code_lines(thing):
    """Its lines as ast writes them: no comments, no docstrings, no blank lines."""
    tree = ast.parse(inspect.getsource(thing))
    for part in ast.walk(tree):
        if isinstance(part, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(part):
            part.body = part.body[1:]
    return sum(1 for line in ast.unparse(tree).splitlines() if line.strip())


def test_the_core_is_under_eighty_lines():
    """03 says so."""
    sizes = {thing.__name__: code_lines(thing) for thing in (Op, Node, record, Tape)}
    assert sum(sizes.values()) + code_lines(Value) < 80, sizes
