"""Arrays on the tape: a zoo of expressions against torch, and errors for students."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import functional as F
from course_utils.rules import MAKE_OP, OPS, broadcasting, like, with_parameters
from course_utils.tape import Tape, no_grad
from course_utils.tensor import (
    Tensor,
    as_tensor,
    layer_norm,
    linear,
)

RTOL, ATOL = 1e-12, 1e-13

# Each runs on ours and on torch: `m` is the module of functions that differ in name.
ZOO = {
    "a + b": lambda a, b, c, m: a + b,
    "a - b": lambda a, b, c, m: a - b,
    "a * b": lambda a, b, c, m: a * b,
    "a / (b*b + 1)": lambda a, b, c, m: a / (b * b + 1),
    "2 - a, 2 / c": lambda a, b, c, m: (2 - a) * (2 / (c * c + 1)) + 3 * a + (1 + a),
    "-a": lambda a, b, c, m: -a,
    "a**3": lambda a, b, c, m: a**3 + (c * c + 1) ** -0.5,
    "exp": lambda a, b, c, m: a.exp(),
    "log": lambda a, b, c, m: (a * a + 0.5).log(),
    "sqrt": lambda a, b, c, m: (a * a + 0.5).sqrt(),
    "tanh": lambda a, b, c, m: a.tanh() * b,
    "sigmoid": lambda a, b, c, m: a.sigmoid() * c,
    "relu": lambda a, b, c, m: a.relu() - b.relu(),
    "softmax": lambda a, b, c, m: m.softmax(a) * b,
    "sin cos abs": lambda a, b, c, m: a.sin() * b.cos() + c.abs(),
    "larger, smaller": lambda a, b, c, m: m.maximum(a, b) - m.minimum(a, c),
    "clip": lambda a, b, c, m: a.clip(-0.5, 0.7) * b.clip(0.1, None),
    "powers of tensors": lambda a, b, c, m: (a * a + 0.1) ** (b * c) + 2**a,
    "min": lambda a, b, c, m: m.min(a, 1, True) * b,
    "spread": lambda a, b, c, m: m.var(a, 0, True) * b + m.std(a, 1, True),
    "logsumexp": lambda a, b, c, m: a - m.logsumexp(a * b, 0, True),
    "log_softmax": lambda a, b, c, m: m.log_softmax(a + c) * b,
    "a.T @ a": lambda a, b, c, m: a.T @ a,
    "matmul": lambda a, b, c, m: (a @ a.T) @ c,
    "row sums": lambda a, b, c, m: a * m.sum(a, 1, True) + m.sum(b, 0, False),
    "mean": lambda a, b, c, m: (a - m.mean(a, 0, True)) ** 2 + m.mean(c, 0, False),
    "variance": lambda a, b, c, m: m.mean((a - m.mean(a, 1, True)) ** 2, 1, False),
    "max": lambda a, b, c, m: m.max(a, 1, True) * b,
    "reshape": lambda a, b, c, m: a.reshape(3, 4) @ c.reshape((4, 1)),
    "transpose": lambda a, b, c, m: m.transpose(a.reshape(2, 2, 3), (1, 2, 0)) * 2,
    "index": lambda a, b, c, m: a[1] * b + a[2:, :2].sum(),
    "index twice": lambda a, b, c, m: a[[0, 0, 3]] * b,
    "diamond": lambda a, b, c, m: (a * b).tanh() * a + (a * b) * (a * b).exp(),
    "used as a whole and in part": lambda a, b, c, m: a * a[0] + a.sum() * b,
    "normalise": lambda a, b, c, m: (
        (a - m.mean(a, 1, True)) / (m.mean(a * a, 1, True) + 1e-5).sqrt() * b
    ),
    "linear": lambda a, b, c, m: m.linear(a, a.T, c.reshape(4)),
    "layer norm": lambda a, b, c, m: m.layer_norm(a * c, b, a[0]) * a,
    "residual": lambda a, b, c, m: a + m.layer_norm(a, b, 2 * b).tanh() * c,
    "nothing happens": lambda a, b, c, m: a,
}


class Ours:
    sum = staticmethod(Tensor.sum)
    mean = staticmethod(Tensor.mean)
    max = staticmethod(Tensor.max)
    min = staticmethod(Tensor.min)
    var = staticmethod(Tensor.var)
    std = staticmethod(Tensor.std)
    logsumexp = staticmethod(Tensor.logsumexp)
    maximum = staticmethod(Tensor.maximum)
    minimum = staticmethod(Tensor.minimum)
    transpose = staticmethod(Tensor.transpose)
    softmax = staticmethod(Tensor.softmax)
    log_softmax = staticmethod(Tensor.log_softmax)
    linear = staticmethod(linear)
    layer_norm = staticmethod(layer_norm)


class Torchs:
    sum, mean, max = (
        staticmethod(lambda t, d, k, f=f: f(t, dim=d, keepdim=k))
        for f in (torch.sum, torch.mean, torch.amax)
    )
    min, logsumexp = (
        staticmethod(lambda t, d, k, f=f: f(t, dim=d, keepdim=k))
        for f in (torch.amin, torch.logsumexp)
    )
    var, std = (
        staticmethod(lambda t, d, k, f=f: f(t, dim=d, keepdim=k, correction=0))
        for f in (torch.var, torch.std)
    )
    maximum, minimum = staticmethod(torch.maximum), staticmethod(torch.minimum)
    transpose = staticmethod(torch.permute)
    softmax = staticmethod(lambda t: torch.softmax(t, -1))
    log_softmax = staticmethod(lambda t: torch.log_softmax(t, -1))
    linear = staticmethod(lambda X, W, b: X @ W + b)
    layer_norm = staticmethod(
        lambda x, g, b: torch.nn.functional.layer_norm(x, x.shape[-1:], g, b)
    )


def run(expression, leaves, functions, weights=None):
    out = expression(*leaves, functions)
    weights = np.ones(out.shape) if weights is None else weights(out.shape)
    total = (out * (weights if functions is Ours else torch.tensor(weights))).sum()
    # All three are used, so that each has a gradient in both engines.
    total = total + sum((leaf * 0.1).sum() for leaf in leaves)
    total.backward()
    return out, total, [leaf.grad for leaf in leaves]


@pytest.mark.parametrize("name", ZOO)
def test_zoo_equals_torch(name):
    rng = np.random.default_rng(7)
    arrays = [rng.normal(size=s) for s in ((4, 3), (3,), (4, 1))]

    def weights(shape):
        return np.random.default_rng(8).normal(size=shape)

    out, total, grads = run(ZOO[name], [Tensor(x) for x in arrays], Ours, weights)
    leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
    t_out, t_total, t_grads = run(ZOO[name], leaves, Torchs, weights)
    assert out.shape == tuple(t_out.shape)
    np.testing.assert_allclose(out.data, t_out.detach(), rtol=RTOL, atol=ATOL)
    assert total.item() == pytest.approx(t_total.item(), rel=RTOL)
    for x, grad, t_grad in zip(arrays, grads, t_grads, strict=True):
        assert grad.shape == x.shape and grad.flags.writeable
        np.testing.assert_allclose(grad, t_grad.numpy(), rtol=RTOL, atol=ATOL)


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.lists(st.integers(0, 3), max_size=3),
    cut=st.integers(0, 3),
    thin=st.lists(st.booleans(), min_size=3, max_size=3),
    op=st.sampled_from(["add", "sub", "mul", "div"]),
)
def test_every_broadcast_is_undone(seed, shape, cut, thin, op):
    rng = np.random.default_rng(seed)
    small = [1 if t else n for n, t in zip(shape, thin, strict=False)][cut:]
    a, b = np.array(rng.normal(size=shape)), np.array(rng.uniform(0.5, 2, size=small))
    for x, y in ((a, b), (b + 0.1, np.abs(a) + 0.5)):
        ours = [Tensor(x), Tensor(y)]
        theirs = [torch.tensor(v, requires_grad=True) for v in (x, y)]
        for (p, q), total in ((ours, Tensor.sum), (theirs, torch.sum)):
            f = {"add": p + q, "sub": p - q, "mul": p * q, "div": p / q}[op]
            total(f * f).backward()
        for p, q in zip(ours, theirs, strict=True):
            assert p.grad.shape == p.shape
            np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("mse", np.ones((4, 3)) * 0.3),
        ("binary_cross_entropy_with_logits", np.ones((4, 3)) * 0.3),
        ("softmax_cross_entropy", np.array([0, 2, 1, 2])),
    ],
)
def test_losses_on_the_tape_equal_torch(name, target):
    x = np.random.default_rng(9).normal(size=(4, 3))
    ours, theirs = Tensor(x), torch.tensor(x, requires_grad=True)
    loss = getattr(ours, name)(target)
    peer = {"mse": "mse_loss", "softmax_cross_entropy": "cross_entropy"}.get(name, name)
    t_loss = getattr(torch.nn.functional, peer)(theirs, torch.tensor(target))
    loss.backward(), t_loss.backward()
    assert loss.item() == pytest.approx(t_loss.item(), rel=RTOL)
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=RTOL, atol=ATOL)


def test_every_operation_of_the_table_is_in_the_zoo_or_tested_as_a_loss():
    a, b, c = Tensor(np.ones((4, 3))), Tensor(np.ones(3)), Tensor(np.ones((4, 1)))
    seen = {"mse", "BCE", "softmax CE"}
    for expression in ZOO.values():
        seen |= {node.op.name for node in Tape(expression(a, b, c, Ours)).operations}
    made = [MAKE_OP[name](0) for name in MAKE_OP]
    assert {op.name for op in [*OPS.values(), *made]} <= seen | {"^0"}


def test_replay_with_new_data():
    X, W = Tensor(np.ones((2, 3))), Tensor(np.full((3, 2), 0.5))
    tape = Tape((X @ W).tanh().sum())
    W.data = np.arange(6.0).reshape(3, 2) / 10
    assert tape.forward() == pytest.approx(np.tanh(X.data @ W.data).sum(), rel=RTOL)
    tape.backward()
    assert W.grad == pytest.approx(2 * (1 - np.tanh(X.data @ W.data)[[0, 0, 0]] ** 2))


def test_twice_backward_and_accumulate():
    x = Tensor([1.0, 2.0])
    loss = (x * x).sum()
    loss.backward()
    loss.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    loss.backward(accumulate=True)
    np.testing.assert_array_equal(x.grad, [4.0, 8.0])


def test_leaves_do_not_share_their_gradients():
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    (a + b).sum().backward()
    a.grad *= 100
    np.testing.assert_array_equal(b.grad, [1.0, 1.0])


def test_the_data_gets_no_gradient_and_costs_no_product():
    X, W, b = np.ones((5, 4)), Tensor(np.ones((4, 3))), Tensor(np.zeros(3))
    out = linear(X, W, b)
    node = Tape(out).operations[0]
    assert node.op.vjp(np.ones((5, 3)), out.data, X, W.data, b.data)[0] is None
    out.sum().backward()
    np.testing.assert_array_equal(W.grad, np.full((4, 3), 5.0))
    np.testing.assert_array_equal(b.grad, np.full(3, 5.0))


def test_arrays_and_numbers_mix_in_as_constants_from_both_sides():
    x, array = Tensor(np.ones((2, 2))), np.arange(4.0).reshape(2, 2)
    for out in (array + x, array * x, array - x, array / x, array @ x, 3 - x, 2 / x):
        assert isinstance(out, Tensor) and out.requires_grad
    np.testing.assert_array_equal((array - x).data, array - 1)


def test_float32_stays_float32():
    x = Tensor(np.ones((2, 3), np.float32))
    out = (2 * x + 1 - x / 3).tanh().mean() * 0.5
    out.backward()
    assert out.dtype == x.grad.dtype == np.float32
    (
        x * np.ones((2, 3))
    ).sum().backward()  # float64 joins in: x's gradient is x's dtype
    assert x.grad.dtype == np.float32


def test_no_grad_makes_constants():
    x = Tensor([1.0])
    with no_grad():
        assert (x * 2).op is None
    assert (x * 2).op is not None


def test_grad_out_weighs_an_array_output():
    x = Tensor([1.0, 2.0, 3.0])
    (x * x).backward(np.array([1.0, 0.0, 10.0]))
    np.testing.assert_array_equal(x.grad, [2.0, 0.0, 60.0])


def test_empty_and_zero_dimensional_arrays():
    x, empty = Tensor(3.0), Tensor(np.zeros((0, 3)))
    (x * x).backward()
    assert x.grad.shape == () and x.grad == 6.0
    (empty * 2).sum().backward()
    assert empty.grad.shape == (0, 3)


def test_integers_become_floats_and_other_things_are_refused():
    assert Tensor([1, 2]).dtype == np.float64
    for bad in ("text", [1j], None):
        with pytest.raises(TypeError, match="Tensor holds real numbers"):
            Tensor(bad)


BAD = [
    (lambda x: x + np.ones(2), r"add: shapes \(4, 3\) and \(2,\) do not broadcast"),
    (lambda x: np.ones((3, 4)) / x, r"div: shapes \(3, 4\) and \(4, 3\)"),
    (lambda x: x @ x, "matmul: A .* 3 columns.* 4 rows"),
    (lambda x: x @ np.float64(3), "two axes"),
    (lambda x: x @ np.ones(4), "matmul: A .* 3 columns.* 4 rows"),
    (lambda x: linear(x, np.ones((1, 3, 3)), np.ones(3)), "must have two axes"),
    (lambda x: x.sum().item() and x.item(), r"one number.*\(4, 3\)"),
    (lambda x: linear(x, np.ones((2, 3)), np.ones(3)), "3 columns.* 2 rows"),
    (lambda x: layer_norm(x, np.ones(4), np.ones(3)), r"gamma .*\(4,\).*\(3,\)"),
    (lambda x: x.backward(), r"that of one number.*\(4, 3\)"),
    (lambda x: x.sum().backward(np.ones(3)), r"grad_out has shape \(3,\)"),
    (lambda x: (x * 1).backward(np.ones(3)), r"grad_out has shape \(3,\)"),
    (lambda x: x.mse(np.ones((3, 4))), "must be equal"),
    (lambda x: x.softmax_cross_entropy(np.array([0, 1, 2, 3])), "0 … 3.*0 … 2"),
    (lambda x: x.reshape(5, 2), "cannot reshape"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[row[1] for row in BAD])
def test_bad_shapes_say_which_operation_and_what_was_found(call, message):
    with pytest.raises(ValueError, match=message):
        call(Tensor(np.ones((4, 3))))


def test_the_gradient_passed_in_stays_the_callers_own():
    a, b, g = Tensor([1.0, 2.0]), Tensor([3.0, 4.0]), np.array([5.0, 6.0])
    (a + b).backward(g)
    a.grad *= 100
    np.testing.assert_array_equal(g, [5.0, 6.0])
    np.testing.assert_array_equal(b.grad, [5.0, 6.0])


def test_broadcasting_brings_gradients_home():
    a, b = np.full((3, 1), 2.0, np.float32), np.arange(4.0)
    g, y = np.arange(12.0).reshape(3, 4), np.full((3, 4), 0.5)
    rule = broadcasting(lambda g, y, a, b: (g * y * b, g * y * a))
    grad_a, grad_b = rule(g, y, a, b)
    np.testing.assert_allclose(grad_a, (g * y * b).sum(1, keepdims=True))
    np.testing.assert_allclose(grad_b, (g * y * a).sum(0))
    assert (grad_a.shape, grad_a.dtype) == (a.shape, a.dtype)
    assert (grad_b.shape, grad_b.dtype) == (b.shape, b.dtype)


def test_broadcasting_copies_only_what_is_shared():
    x, g, h = np.ones(3), np.arange(3.0), np.arange(3.0)
    first, second = broadcasting(lambda g, y, a, b: (g, h))(g, x, x, x)
    assert first is g and second is h
    first, second = broadcasting(lambda g, y, a, b: (g, g))(g, x, x, x)
    assert first is g and second is not g
    np.testing.assert_array_equal(second, g)
    with pytest.raises(ValueError, match="not enough values"):
        broadcasting(lambda g, y, a, b: (g,))(g, x, x, x)


def test_what_is_like_its_input_has_its_shape_and_dtype():
    x = np.zeros((3, 1), np.float32)
    G = np.arange(12.0).reshape(3, 4)
    grad = like(G, x)
    assert grad.shape == x.shape and grad.dtype == np.float32
    np.testing.assert_array_equal(grad[:, 0], G.sum(1))
    fits = np.ones((3, 1), np.float32)
    assert like(fits, x) is fits and like(None, x) is None


def test_an_operation_with_parameters_passes_them_on():
    make = with_parameters(
        "^{}", lambda x, m, n: x * m + n, lambda g, x, m, n: g + x * n
    )
    op, x = make(2, 5), np.float32(3)
    assert op.name == "^2"
    assert op.forward(x) == 11.0 and op.forward(x).dtype == np.float32
    assert op.vjp(np.float64(1), np.float32(11), x) == (16.0,)
    assert op.vjp(np.float64(1), np.float32(11), x)[0].dtype == np.float32
    by_output = with_parameters("x", lambda x: x * 2, lambda g, y: g * y, by="output")()
    assert by_output.vjp(x, np.float32(7), x) == (21.0,)


def test_as_tensor_makes_constants():
    x = Tensor([1.0])
    assert as_tensor(x) is x
    for raw in (2, 2.0, np.ones(3), [1.0, 2.0]):
        assert as_tensor(raw).requires_grad is False
    assert as_tensor(2, np.float32).dtype == np.float32
    assert as_tensor(np.ones(3), np.float32).dtype == np.float64


def test_a_number_beside_float32_changes_no_dtype():
    x = Tensor(np.full((2, 3), 2.0, np.float32))
    for out in (x + 3, x - 3, x * 3, x / 3, 3 + x, 3 - x, 3 * x, 3 / x):
        assert out.dtype == np.float32


def test_reductions_drop_their_axes_unless_told():
    x = Tensor(np.arange(6.0).reshape(2, 3))
    for reduce in (x.sum, x.mean, x.max):
        assert (reduce().shape, reduce(0).shape) == ((), (3,))
        assert (reduce(0, True).shape, reduce(keepdims=True).shape) == ((1, 3), (1, 1))


def test_layers_carry_their_names_and_pass_eps_on():
    x, gamma, beta = Tensor([[1.0, 2.0, 4.0]]), Tensor(np.ones(3)), Tensor(np.ones(3))
    assert linear(x, np.ones((3, 2)), np.ones(2)).op.name == "linear"
    out = layer_norm(x, gamma, beta, eps=0.5)
    assert out.op.name == "layer norm"
    g = np.array([[1.0, -2.0, 0.5]])
    out.backward(g)
    expected = F.layer_norm_vjp(g, x.data, gamma.data, 0.5)
    for leaf, grad in zip((x, gamma, beta), expected, strict=True):
        np.testing.assert_array_equal(leaf.grad, grad)
