"""What Python and NumPy ask of a node: to be compared, printed, walked, converted."""

import copy
import math
import operator

import numpy as np
import pytest

from course_utils import functional as F
from course_utils import layers, nn
from course_utils.scalar import Value
from course_utils.tape import Tape
from course_utils.tensor import Tensor, stack

SIGNS = ["eq", "ne", "lt", "le", "gt", "ge"]


# --- comparing ------------------------------------------------------------------------


@pytest.mark.parametrize("name", SIGNS)
@pytest.mark.parametrize("other", [1.0, 2.0, 3, np.float64(2), np.float32(3)])
def test_floats_compare_as_their_data_do(name, other):
    compare, v = getattr(operator, name), Value(2.0)
    assert compare(v, other) == compare(2.0, other)
    assert compare(other, v) == compare(other, 2.0)
    assert compare(v, Value(other)) is compare(2.0, float(other))


@pytest.mark.parametrize("name", SIGNS)
@pytest.mark.parametrize(
    "other",
    [np.array([[1.0, 5, 3], [9, 1, 1]]), np.array([1.0, 2, 3]), 2.0, [1.0, 2.0, 3.0]],
    ids=["same shape", "broadcast", "number", "list"],
)
def test_arrays_compare_by_element_from_both_sides(name, other):
    compare, data = getattr(operator, name), np.array([[1.0, 2, 3], [4, 5, 6]])
    x, raw = Tensor(data), np.asarray(other)
    for found, wanted in (
        (compare(x, other), compare(data, raw)),
        (compare(other, x), compare(raw, data)),
        (compare(x, Tensor(raw)), compare(data, raw)),
    ):
        assert type(found) is np.ndarray and found.dtype == bool
        np.testing.assert_array_equal(found, wanted, strict=True)


def test_an_accuracy_can_be_written_as_one_thinks_it():
    logits, y = Tensor([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0]]), np.array([0, 1, 1])
    assert (logits.argmax(1) == y).mean() == pytest.approx(2 / 3)
    assert np.mean(Tensor([1.0, 2.0]) == np.array([1.0, 2.0])) == 1.0
    assert logits.argmax() == 4 and type(logits.argmax(0)) is np.ndarray


def test_shapes_that_do_not_fit_are_no_silent_false():
    with pytest.raises(ValueError, match="broadcast"):
        Tensor([1.0, 2.0]) == np.ones(3)  # noqa: B015 — it raises


def test_membership_looks_at_values():
    v = Value(2.0)
    assert v in [Value(2.0)] and 2.0 in [v] and v not in [Value(3.0)]
    assert max(Value(1.0), v) is v and sorted([v, Value(1.0)])[1] is v


def test_as_keys_nodes_stand_for_themselves():
    a, b = Value(2.0), Value(2.0)
    assert len({a, b}) == len({a: 1, b: 2}) == 2 and {a: 1}[a] == 1
    p, q = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2))
    assert len({p, q}) == 2 and hash(p) != hash(q)


def test_equal_numbers_stay_different_nodes_on_a_tape():
    a, b = Value(2.0), Value(2.0)
    (a * b + a).backward()
    assert (a.grad, b.grad) == (3.0, 2.0)
    x, y = Tensor(np.zeros(3)), Tensor(np.zeros(3))
    out = (x * 2 + y).sum()
    assert len(Tape(out).leaves) == 3
    out.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 2.0, 2.0])
    np.testing.assert_array_equal(y.grad, [1.0, 1.0, 1.0])


# --- one number -----------------------------------------------------------------------


@pytest.mark.parametrize("make", [Value, Tensor, lambda x: Tensor([[x]])])
def test_one_number_prints_converts_and_decides(make):
    loss = make(0.123456)
    assert f"{loss:.4f}" == "0.1235" and f"{loss:8.1e}" == " 1.2e-01"
    assert float(loss) == loss.item() == 0.123456 and type(loss.item()) is float
    assert math.sqrt(loss) == math.sqrt(0.123456)
    assert bool(loss) and not make(0.0)
    assert f"{loss}" == repr(loss)


@pytest.mark.parametrize("ask", [float, bool, Tensor.item, lambda x: f"{x:.2f}"])
@pytest.mark.parametrize("shape", [(3,), (0,), (2, 1)])
def test_several_numbers_are_not_one(ask, shape):
    with pytest.raises(
        ValueError, match="one number was expected, and this tensor has"
    ):
        ask(Tensor(np.ones(shape)))


def test_plus_is_the_node_itself():
    for x in (Value(3.0), Tensor([1.0, 2.0])):
        assert +x is x


# --- walking --------------------------------------------------------------------------


def test_a_number_cannot_be_walked():
    for walk in (list, sum, iter, tuple):
        with pytest.raises(TypeError, match=r"iteration over a tensor of shape \(\)"):
            walk(Tensor(3.0))
        with pytest.raises(TypeError, match="not iterable"):
            walk(Value(3.0))
    with pytest.raises(TypeError, match="len"):
        len(Tensor(3.0))


def test_rows_are_recorded_as_they_are_walked():
    x = Tensor(np.arange(6.0).reshape(2, 3))
    first, second = x
    total = sum(first * 2) + sum(second)
    assert total.item() == 2 * 3 + 12
    total.backward()
    np.testing.assert_array_equal(x.grad, [[2, 2, 2], [1, 1, 1]])
    assert list(Tensor(np.zeros((0, 2)))) == [] and len(x) == 2


# --- NumPy ----------------------------------------------------------------------------

X = Tensor(np.arange(6.0).reshape(2, 3))
INTO_NUMPY = {
    "asarray": lambda: np.asarray(X),
    "array": lambda: np.array(X),
    "array of some": lambda: np.array([X, X]),
    "a float array": lambda: np.array(X, float),
    "stack": lambda: np.stack([X, X]),
    "concatenate": lambda: np.concatenate([X, X.data]),
    "reshape": lambda: np.reshape(X, 6),
    "transpose": lambda: np.transpose(X),
    "sum": lambda: np.sum(X),
    "mean": lambda: np.mean(X, axis=0),
    "max": lambda: np.max(X),
    "argmax": lambda: np.argmax(X, axis=1),
    "dot": lambda: np.dot(X, X.T),
    "where": lambda: np.where(X.data > 2, X, 0),
    "norm": lambda: np.linalg.norm(X),
    "shape": lambda: np.shape(X),
    "array_equal": lambda: np.array_equal(X, X.data),
    "allclose": lambda: np.testing.assert_allclose(X, X.data),
    "a Tensor again": lambda: Tensor(X),
    "a list of them": lambda: Tensor([X, X]),
    "an operand": lambda: X + [X, X],
    "an index": lambda: X.data[X],
    "our index": lambda: X[Tensor([0.0])],
    "grad_out": lambda: X.backward(X),
    "a number": lambda: np.asarray(Value(3.0)),
    "numbers": lambda: np.array([Value(3.0), Value(4.0)]),
    "sum of numbers": lambda: np.sum([Value(3.0)]),
}


@pytest.mark.parametrize("name", INTO_NUMPY)
def test_numpy_is_told_to_take_the_data(name):
    with pytest.raises(TypeError, match=r"\.data"):
        INTO_NUMPY[name]()


def test_refusing_records_nothing_and_takes_no_time():
    big, before = Tensor(np.zeros((300, 784))), Value(0.0).number
    with pytest.raises(TypeError, match="argmax takes no Tensor"):
        np.argmax(big, axis=1)
    assert Value(0.0).number == before + 1  # no node was made in between


def test_arrays_of_nodes_are_made_on_demand():
    nodes = [Value(1.0), Value(2.0)]
    boxed = np.array(nodes, dtype=object)
    assert boxed.shape == (2,) and boxed[0] is nodes[0]
    (boxed @ boxed).backward()
    assert nodes[1].grad == 4.0


def test_numpy_on_the_left_leaves_the_operation_to_us():
    out = np.ones((2, 3)) * X - np.float64(1)
    assert isinstance(out, Tensor) and out.requires_grad
    for v in (np.float64(2) * Value(3.0), np.int64(6) / Value(1.0)):
        assert isinstance(v, Value) and v.data == 6.0


LOSSES = {
    "mse": np.ones((2, 3)),
    "binary_cross_entropy_with_logits": np.ones((2, 3)),
    "softmax_cross_entropy": np.array([0.0, 2.0]),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("grad", [True, False])
def test_targets_are_constants_and_no_tensors(name, grad):
    with pytest.raises(TypeError, match=rf"^{name}: the targets are a Tensor.*\.data$"):
        getattr(X, name)(Tensor(LOSSES[name], requires_grad=grad))


def test_losses_of_layers_and_functions_say_it_too():
    for loss in (layers.MSE(), F.mse, F.softmax_cross_entropy):
        with pytest.raises(TypeError, match=r"\.data"):
            loss(np.ones((2, 3)), Tensor(np.ones((2, 3))))


def test_constants_and_copies():
    x = Tensor([1.0, 2.0])
    loose = (x * 2).detach()
    assert not loose.requires_grad and loose.op is None
    assert x.numpy() is x.data and x.detach().data is x.data
    twin = copy.deepcopy(nn.Parameter(np.ones(2)))
    twin.data -= 1
    assert (twin.data == 0).all()
    assert (x.ndim, x.size, x.shape, len(x)) == (1, 2, (2,), 2)
    assert stack([x, x]).ndim == 2
