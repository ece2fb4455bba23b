"""Every operation of the array tape: all ways to write it, its dtypes, its shapes."""

import itertools
import warnings

import numpy as np
import pytest
import torch

from course_utils import functional as F
from course_utils import nn
from course_utils.gradcheck import gradcheck
from course_utils.rules import MAKE_OP, OPS
from course_utils.scalar import Value
from course_utils.tape import Node, Op, Tape, record
from course_utils.tensor import (
    Tensor,
    concatenate,
    layer_norm,
    linear,
    stack,
    where,
)

CLOSE = {"rtol": 1e-12, "atol": 1e-14}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def equal_torch(ours, theirs, *arrays):
    """Output and gradients of both sides, for a random grad_out."""
    mine = [Tensor(a) for a in arrays]
    peers = [torch.tensor(a, requires_grad=True) for a in arrays]
    with np.errstate(divide="ignore"):  # 0 to the power of −2 is ∞ on both sides
        y, t = ours(*mine), theirs(*peers)
    assert y.shape == tuple(t.shape)
    np.testing.assert_allclose(y.data, t.detach().numpy(), **CLOSE)
    G = np.asarray(normal(*y.shape, seed=1))
    y.backward(G)
    t.backward(torch.tensor(G))
    for x, peer in zip(mine, peers, strict=True):
        assert x.grad.shape == x.shape
        np.testing.assert_allclose(x.grad, peer.grad.numpy(), **CLOSE)


# --- transpose: every way to write every permutation ----------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_every_way_to_write_a_permutation(n):
    x = normal(*range(2, 2 + n))
    for axes in itertools.permutations(range(n)):
        for negative in itertools.product([0, n], repeat=n):
            written = tuple(a - m for a, m in zip(axes, negative, strict=True))
            equal_torch(
                lambda t, w=written: t.transpose(*w),
                lambda t, w=written: t.permute(w),
                x,
            )


def test_the_usual_line_of_attention():
    q, k = normal(2, 3, 4), normal(2, 5, 4, seed=2)
    equal_torch(
        lambda q, k: (q @ k.transpose(0, -1, -2)).softmax() @ k,
        lambda q, k: (q @ k.permute(0, -1, -2)).softmax(-1) @ k,
        q,
        k,
    )


def test_the_inverse_of_negative_axes_by_numbers():
    G = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(F.transpose_vjp(G, (-1, 0)), G.T)
    np.testing.assert_array_equal(F.transpose_vjp(G, (-2, -1)), G)


# --- layers on any number of axes -----------------------------------------------------


@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 5, 4), (2, 0, 4), (3, 2, 5, 4)])
def test_linear_takes_any_axes_in_front(shape):
    equal_torch(
        linear,
        lambda X, W, b: X @ W + b,
        normal(*shape),
        normal(4, 3, seed=2),
        normal(3, seed=3),
    )


def test_a_square_linear_layer_on_three_axes_has_square_gradients():
    layer = nn.Linear(4, 4, np.random.default_rng(0))
    layer(np.ones((4, 4, 4))).sum().backward()
    assert layer.W.grad.shape == (4, 4) and layer.b.grad.shape == (4,)
    np.testing.assert_array_equal(layer.W.grad, np.full((4, 4), 16.0))


def test_linear_of_a_number_is_refused():
    with pytest.raises(ValueError, match="two axes"):
        linear(Tensor(3.0), np.ones((1, 2)), np.ones(2))


VECTORS = [((4,), (4,)), ((4,), (4, 3)), ((5, 4), (4,)), ((2, 5, 4), (4,))]
VECTORS += [((4,), (2, 4, 3)), ((0,), (0,)), ((0,), (0, 3)), ((5, 0), (0,))]


@pytest.mark.parametrize("shapes", VECTORS, ids=str)
def test_vectors_in_products(shapes):
    arrays = normal(*shapes[0]), normal(*shapes[1], seed=2)
    equal_torch(lambda a, b: a @ b, torch.matmul, *arrays)
    assert (arrays[0] @ Tensor(arrays[1])).shape == (arrays[0] @ arrays[1]).shape


# --- a number and its axes ------------------------------------------------------------

ALONG = ["sum", "mean", "max", "min", "softmax", "log_softmax", "logsumexp"]


@pytest.mark.parametrize("name", ALONG)
@pytest.mark.parametrize("axis", [0, -1])
def test_a_number_has_axis_0_and_minus_1_as_in_torch(name, axis):
    peer = {"max": "amax", "min": "amin"}.get(name, name)
    equal_torch(
        lambda x: getattr(x, name)(axis),
        lambda t: getattr(t, peer)(axis),
        np.array(1.5),
    )


@pytest.mark.parametrize("name", ["var", "std"])
def test_one_number_does_not_vary(name):
    for x, axis in ((Tensor(3.0), 0), (Tensor([[2.0]]), 1), (Tensor([4.0]), None)):
        y = getattr(x, name)(axis)
        y.sum().backward()
        assert not y.data.any() and x.grad.shape == x.shape and not x.grad.any()


def test_a_sample_of_one_has_no_variance_as_in_torch():
    x, t = Tensor([4.0]), torch.tensor([4.0], requires_grad=True)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y, peer = x.var(ddof=1), t.var()
        y.backward(), peer.backward()
    assert np.isnan([y.item(), peer.item(), x.grad[0], t.grad.item()]).all()


def test_reductions_at_an_axis_that_is_not_there_say_so_at_once():
    for name in [*ALONG, "var", "std"]:
        for x in (Tensor(3.0), Tensor(np.ones(2))):
            with pytest.raises(np.exceptions.AxisError):
                getattr(x, name)(1)


@pytest.mark.parametrize("name", [*ALONG, "var", "std"])
def test_torchs_names_of_the_axes_are_translated(name):
    with pytest.raises(
        TypeError, match=rf"^{name} takes axis.*not dim\. PyTorch's dim"
    ):
        getattr(Tensor(np.ones((2, 3))), name)(dim=1)
    with pytest.raises(TypeError, match="not keepdim"):
        getattr(Tensor(np.ones((2, 3))), name)(1, keepdim=True)


def test_softmax_of_an_empty_row_is_an_empty_row():
    x = Tensor(np.zeros((3, 0)))
    with np.errstate(divide="ignore"):  # the logarithm of no sum
        outputs = x.softmax(), x.log_softmax()
    for y in outputs:
        assert y.shape == (3, 0)
        y.sum().backward()
        assert x.grad.shape == (3, 0)


AXES = [-1, 0, 1, (0, 2), (-1, 0), None]


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keep", [False, True])
def test_functions_along_axes_against_central_differences(axis, keep):
    x = normal(2, 3, 4)
    for name, more in (
        ("logsumexp", (keep,)),
        ("softmax", ()),
        ("log_softmax", ()),
        ("var", (keep, 0)),
        ("var", (keep, 1)),
        ("std", (keep, 0)),
        ("std", (keep, 1)),
        ("min", (keep,)),
    ):
        op = MAKE_OP[name](axis, *more)
        y = op.forward(x)
        G = np.asarray(normal(*np.shape(y), seed=1))
        assert gradcheck(op.forward, [x], list(op.vjp(G, y, x)), grad_out=G), name


# --- kinks: what PyTorch takes there --------------------------------------------------

TIED = np.array([[1.0, -2.0, 0.0], [0.0, 3.0, 3.0], [5.0, 5.0, 5.0]])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (abs, torch.abs),
        (lambda x: x.min(1), lambda t: torch.amin(t, 1)),
        (lambda x: x.min(), torch.amin),
        (
            lambda x: x.maximum(TIED[1]),
            lambda t: torch.maximum(t, torch.tensor(TIED[1])),
        ),
        (
            lambda x: x.minimum(0.0),
            lambda t: torch.minimum(t, torch.tensor(0.0).double()),
        ),
        (lambda x: x.maximum(x), lambda t: torch.maximum(t, t)),
        (lambda x: x.std(1), lambda t: torch.std(t, 1, correction=0)),
        (lambda x: x.std(), lambda t: torch.std(t, correction=0)),
        (lambda x: x.clip(-1.5, 4.0), lambda t: t.clip(-1.5, 4.0)),
        (lambda x: (x + 2) ** x, lambda t: (t + 2) ** t),
        (lambda x: 2**x, lambda t: 2**t),
    ],
)
def test_ties_and_kinks_are_torchs(ours, theirs):
    equal_torch(ours, theirs, TIED)


def test_a_clip_is_shut_at_its_bounds():
    x = Tensor([-1.0, 0.0, 0.5, 1.0, 2.0])
    x.clip(0, 1).sum().backward()
    assert x.grad.tolist() == [0, 0, 1, 0, 0]
    x.clip(high=1).sum().backward()
    assert x.grad.tolist() == [1, 1, 1, 0, 0]
    assert x.clip(0.5).data.tolist() == [0.5, 0.5, 0.5, 1, 2]


def test_powers_at_0_have_no_nan():
    a, b = Tensor([0.0, 0.0, 2.0]), Tensor([0.0, 2.0, 0.0])
    with np.errstate(all="raise"):
        (a**b).sum().backward()
    np.testing.assert_array_equal(a.grad, [0.0, 0.0, 0.0])
    np.testing.assert_allclose(b.grad, [0.0, 0.0, np.log(2)])


# --- joining and choosing -------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_concatenate_and_stack(axis):
    shapes = [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
    for k in (0, 1):
        shapes[k][axis] = k  # one of them empty
    arrays = [normal(*shape, seed=k) for k, shape in enumerate(shapes)]
    equal_torch(
        lambda *xs: concatenate(xs, axis), lambda *ts: torch.cat(ts, axis), *arrays
    )
    same = [arrays[2], arrays[2] + 1]
    equal_torch(lambda *xs: stack(xs, axis), lambda *ts: torch.stack(ts, axis), *same)


def test_what_is_joined_twice_collects_both():
    x = Tensor([1.0, 2.0])
    (concatenate([x, x, np.ones(1)]) * np.arange(5.0)).sum().backward()
    np.testing.assert_array_equal(x.grad, [0 + 2, 1 + 3])
    (stack([x, x * 3]) * np.array([[1.0, 1], [10, 100]])).sum().backward()
    np.testing.assert_array_equal(x.grad, [31.0, 301.0])


def test_joining_nothing_or_what_does_not_fit_says_so():
    for bad in ([], [np.ones((2, 3)), np.ones((3, 2))], [1.0, 2.0]):
        with pytest.raises(ValueError):
            concatenate(bad)
    with pytest.raises(TypeError, match="needs an axis"):
        concatenate([np.ones(2)], axis=None)


def test_where_takes_tensors_arrays_and_numbers():
    mask = np.array([[True, False, True], [False, False, True]])
    x, row = normal(2, 3), normal(3, seed=2)
    equal_torch(
        lambda a, b: where(mask, a, b),
        lambda a, b: torch.where(torch.tensor(mask), a, b),
        x,
        row,
    )
    t = Tensor(x.astype(np.float32))
    for y in (where(t > 0, t, 0.0), where(t > 0, 1, t), where(mask, np.float64(2), t)):
        assert y.dtype == np.float32
        y.sum().backward()
        assert t.grad.dtype == np.float32


def test_shapes_written_as_one_knows_them():
    x = Tensor(np.arange(6.0).reshape(1, 2, 3, 1))
    assert x.flatten().shape == (6,) and x.flatten(2).shape == (1, 2, 3)
    assert x.flatten(-2).shape == (1, 2, 3) and Tensor(3.0).flatten().shape == (1,)
    assert x.squeeze().shape == (2, 3) and x.squeeze(-1).shape == (1, 2, 3)
    assert x.expand_dims((0, -1)).shape == (1, 1, 2, 3, 1, 1)
    with pytest.raises(ValueError, match="squeeze"):
        x.squeeze(1)


# --- the dtype of a gradient is that of its data --------------------------------------

HALF = np.full((3, 4), 0.5, np.float32)
WIDE = np.full((3, 4), 0.25)
MIXED = {
    "mse": lambda x: x.mse(WIDE),
    "mse, whole numbers": lambda x: x.mse(np.ones((3, 4), int)),
    "BCE": lambda x: x.binary_cross_entropy_with_logits(WIDE),
    "BCE, booleans": lambda x: x.binary_cross_entropy_with_logits(WIDE > 0),
    "cross-entropy": lambda x: x.softmax_cross_entropy(np.array([0, 1, 2])),
    "power": lambda x: (x ** np.float64(2)).sum(),
    "a NumPy number": lambda x: (x * np.float64(2) / np.int64(3)).sum(),
    "raised": lambda x: (x**x).sum() + (np.float64(2) ** x).sum(),
    "clip": lambda x: x.clip(np.float64(0), np.float64(1)).sum(),
    "layer norm": lambda x: layer_norm(x, np.ones(4), np.ones(4)).sum(),
    "linear": lambda x: linear(x, np.ones((4, 2)), np.ones(2)).sum(),
    "weights": lambda x: linear(WIDE.T, x, np.ones(4)).sum(),
    "product": lambda x: (x @ WIDE.T).sum(),
    "where": lambda x: where(WIDE > 0, x, WIDE).sum(),
    "larger": lambda x: x.maximum(WIDE).sum(),
    "joined": lambda x: concatenate([x, WIDE]).sum(),
    "index": lambda x: x[[0, 0]].sum(),
}
KEPT = ["mse", "mse, whole numbers", "BCE", "BCE, booleans", "cross-entropy", "power"]
KEPT += ["a NumPy number", "raised", "clip", "index"]


@pytest.mark.parametrize("name", MIXED)
def test_a_float32_tensor_gets_a_float32_gradient(name):
    x = Tensor(HALF.copy())
    loss = MIXED[name](x)
    loss.backward()
    assert x.grad.dtype == np.float32
    if name in KEPT:
        assert {node.data.dtype for node in Tape(loss).operations} == {loss.dtype}
        assert loss.dtype == np.float32
    for node in Tape(loss).operations:
        assert node.grad.dtype == node.data.dtype, node.op.name
    double = Tensor(HALF.astype(float))
    MIXED[name](double).backward()
    np.testing.assert_allclose(x.grad, double.grad, rtol=1e-5)


@pytest.mark.parametrize("name", [*OPS, *MAKE_OP])
def test_every_rule_keeps_float32(name):
    a, b = np.full((2, 2), 0.5, np.float32), np.full((2, 2), 0.25, np.float32)
    parameters = {
        "reshape": (4,),
        "transpose": (1, 0),
        "mse": np.ones((2, 2)),
        "binary_cross_entropy_with_logits": np.ones((2, 2), int),
        "softmax_cross_entropy": np.array([0, 1]),
    }
    if name in OPS:
        two = name in ("add", "sub", "mul", "div", "raised", "maximum", "minimum")
        op, inputs = OPS[name], (a, b) if two or name == "matmul" else (a,)
    else:
        op, inputs = MAKE_OP[name](parameters.get(name, 0)), (a,)
    y = op.forward(*inputs)
    assert y.dtype == np.float32
    G = np.asarray(np.ones_like(y))
    for grad, x in zip(op.vjp(G, y, *inputs), inputs, strict=True):
        assert grad.dtype == np.float32 and grad.shape == x.shape


def test_grad_out_takes_the_dtype_of_the_output():
    x = Tensor(HALF)
    (x * 2).tanh().backward(np.ones((3, 4)))
    assert x.grad.dtype == np.float32
    (x.sum() * 2).backward(np.float64(3))
    assert x.grad.dtype == np.float32 and (x.grad == 6).all()


@pytest.mark.parametrize("targets", [np.float64, np.float32, int, bool])
def test_a_float32_network_stays_float32_whatever_the_targets(targets):
    rng = np.random.default_rng(0)
    model = nn.MLP([4, 8, 1], rng, dtype=np.float32)
    x, y = rng.normal(size=(5, 4)).astype(np.float32), np.ones((5, 1), targets)
    for loss in (Tensor.mse, Tensor.binary_cross_entropy_with_logits):
        out = loss(model(x), y)
        out.backward()
        found = {np.asarray(node.grad).dtype for node in Tape(out).operations}
        assert found | {p.grad.dtype for p in model.parameters()} == {np.dtype("f4")}


def test_parameters_keep_float32_where_the_data_are_float64():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.MLP([4, 8, 3], rng, dtype=np.float32), nn.LayerNorm(3))
    model.layers[1].gamma.data = np.ones(3, np.float32)
    model(rng.normal(size=(5, 4))).softmax_cross_entropy(np.arange(5) % 3).backward()
    assert all(p.grad.dtype == p.dtype for p in model.parameters())


# --- a gradient that has not the shape of its data ------------------------------------

WRONG_RULES = {
    "not summed": (np.add, lambda g, y, a, b: (g, g)),
    "a number": (lambda a, b: a.sum() + b.sum(), lambda g, y, a, b: (g, g)),
    "a float": (np.add, lambda g, y, a, b: (g, 1.0)),
    "a list": (np.add, lambda g, y, a, b: (g, [1.0, 2.0])),
    "not turned back": (lambda a, b: a.T, lambda g, y, a, b: (g, None)),
    "one axis too many": (np.add, lambda g, y, a, b: (g, g.sum(0, keepdims=True))),
    "hidden by the other use": (np.add, lambda g, y, a, b: (g.sum(0), b * 0)),
}


@pytest.mark.parametrize("name", WRONG_RULES)
@pytest.mark.parametrize("kind", [Tensor, Node])
def test_a_gradient_of_another_shape_is_refused_by_name(name, kind):
    forward, vjp = WRONG_RULES[name]
    a, b = kind(np.ones((5, 3))), kind(np.ones(3))
    out = record(kind, Op("my rule", forward, vjp), a, b)
    total = record(kind, OPS["mul"], out, kind(np.ones(out.data.shape)))
    with pytest.raises(
        ValueError, match=r"backward: my rule brings a gradient of shape"
    ):
        Tape(total).backward()


def test_a_gradient_that_would_broadcast_onto_a_right_one_is_refused():
    x = Tensor(np.ones((5, 3)))
    bad = record(Tensor, Op("mean row", lambda a: a, lambda g, y, a: (g.mean(0),)), x)
    with pytest.raises(
        ValueError, match=r"mean row .* \(3,\) to data of shape \(5, 3\)"
    ):
        (bad + x).sum().backward()


def test_floats_get_no_arrays():
    v = Value(2.0)
    for rule in (lambda g, y, a: (np.ones(3),), lambda g, y, a: ([g],)):
        out = record(Value, Op("my rule", lambda a: a * a, rule), v)
        with pytest.raises(ValueError, match="my rule brings a gradient of shape"):
            out.backward()
    for bad in (np.ones(3), np.ones(1)):
        for output in (v * v, v):
            with pytest.raises(ValueError, match="grad_out brings a gradient of shape"):
                output.backward(bad)
    (v * v).backward(np.float64(0.5))
    assert v.grad == 2.0


def test_no_gradient_is_a_gradient_too():
    a, b = Tensor(np.ones((2, 3))), Tensor(np.ones(3))
    first = record(
        Tensor, Op("first", lambda a, b: a, lambda g, y, a, b: (g, None)), a, b
    )
    (first * b).sum().backward()
    np.testing.assert_array_equal(b.grad, [2.0, 2.0, 2.0])
    first.sum().backward()
    assert b.grad is None


# --- data that change between forward and backward ------------------------------------


def test_a_step_between_forward_and_backward_is_noticed():
    rng = np.random.default_rng(0)
    layer, x = nn.Linear(3, 3, rng), np.ones((2, 3))
    loss = layer(layer(x).tanh()).sum()
    loss.backward()
    layer.W.data -= 0.1 * layer.W.grad
    with pytest.raises(
        ValueError, match="a parameter was changed after linear had used"
    ):
        loss.backward()
    loss = layer(x).sum()
    layer.b.data = np.full(3, 7.0)  # given anew
    with pytest.raises(ValueError, match="Step after backward"):
        loss.backward()


def test_a_change_halfway_through_is_noticed():
    w = nn.Parameter(np.array([2.0]))
    half = w * 3
    w.data += 1
    with pytest.raises(ValueError, match="after × had used"):
        (half * w).sum().backward()


def test_a_replay_and_what_came_before_are_no_such_change():
    w = nn.Parameter(np.array([2.0]))
    w.data -= 1
    loss = (w * w).sum()
    loss.backward()
    tape = Tape(loss)
    for _ in range(3):
        w.data -= 0.1 * w.grad
        tape.forward()
        loss.backward()
        assert w.grad == 2 * w.data
    w.data = w.data.copy()  # the same numbers
    loss.backward()
    assert w.grad == 2 * w.data
    w.backward(np.ones(1))
    assert w.grad == 1
