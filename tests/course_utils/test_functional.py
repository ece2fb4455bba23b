"""Every formula against torch and against central differences, over random shapes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils import functional as F
from course_utils.gradcheck import gradcheck

RTOL, ATOL = 1e-12, 1e-14
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 5)


def torch_vjp(function, grad_out, *inputs):
    """Output and gradients of the same function in torch, float64."""
    leaves = [torch.tensor(x, requires_grad=True) for x in inputs]
    out = function(*leaves)
    out.backward(torch.tensor(grad_out))
    return out.detach().numpy(), [leaf.grad.numpy() for leaf in leaves]


def assert_same(actual, expected):
    assert np.shape(actual) == np.shape(expected)
    assert np.asarray(actual).dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(actual, expected, rtol=RTOL, atol=ATOL)


# name, forward and vjp as (g, y, *inputs) -> gradients, torch's name, positive input?
ELEMENTWISE = [
    ("add", lambda g, y, a, b: F.add_vjp(g), torch.add, False),
    ("sub", lambda g, y, a, b: F.sub_vjp(g), torch.sub, False),
    ("mul", lambda g, y, a, b: F.mul_vjp(g, a, b), torch.mul, False),
    ("div", lambda g, y, a, b: F.div_vjp(g, a, b), torch.div, True),
    ("neg", lambda g, y, x: F.neg_vjp(g), torch.neg, False),
    ("exp", lambda g, y, x: F.exp_vjp(g, y), torch.exp, False),
    ("log", lambda g, y, x: F.log_vjp(g, x), torch.log, True),
    ("sqrt", lambda g, y, x: F.sqrt_vjp(g, y), torch.sqrt, True),
    ("tanh", lambda g, y, x: F.tanh_vjp(g, y), torch.tanh, False),
    ("sigmoid", lambda g, y, x: F.sigmoid_vjp(g, y), torch.sigmoid, False),
    ("relu", lambda g, y, x: F.relu_vjp(g, x), torch.relu, False),
    ("abs", lambda g, y, x: F.abs_vjp(g, x), torch.abs, False),
    ("sin", lambda g, y, x: F.sin_vjp(g, x), torch.sin, False),
    ("cos", lambda g, y, x: F.cos_vjp(g, x), torch.cos, False),
]


@pytest.mark.parametrize(
    ("name", "vjp", "peer", "positive"),
    ELEMENTWISE,
    ids=[row[0] for row in ELEMENTWISE],
)
@given(seed=seeds, shape=st.lists(st.integers(0, 4), max_size=3))
def test_elementwise_rules_equal_torch(name, vjp, peer, positive, seed, shape):
    rng = np.random.default_rng(seed)
    n_inputs = 2 if name in ("add", "sub", "mul", "div") else 1
    inputs = [np.array(rng.normal(size=shape)) for _ in range(n_inputs)]
    if positive:
        inputs = [np.abs(x) + 0.1 for x in inputs]
    g = np.array(rng.normal(size=shape))
    out = np.asarray(getattr(F, name)(*inputs))
    expected, grads = torch_vjp(peer, g, *inputs)
    assert_same(out, expected)
    ours = vjp(g, out, *inputs)
    for a, b in zip(ours if n_inputs == 2 else [ours], grads, strict=True):
        assert_same(a, b)


@pytest.mark.parametrize(
    ("name", "vjp", "peer", "positive"),
    ELEMENTWISE,
    ids=[row[0] for row in ELEMENTWISE],
)
def test_arithmetic_rules_work_on_plain_floats(name, vjp, peer, positive):
    inputs = [0.7, 1.9][: 2 if name in ("add", "sub", "mul", "div") else 1]
    y = float(getattr(F, name)(*inputs))
    grads = vjp(1.5, y, *inputs)
    _, expected = torch_vjp(peer, np.array(1.5), *[np.array(x) for x in inputs])
    for a, b in zip(grads if len(inputs) == 2 else [grads], expected, strict=True):
        assert isinstance(a, float)
        assert a == pytest.approx(float(b), rel=RTOL)


@pytest.mark.parametrize("n", [0, 1, 2, 3, -1, 0.5, -2.5])
def test_power_equals_torch(n):
    x, g = np.array([0.3, 1.0, 2.5]), np.array([1.0, -2.0, 0.5])
    expected, (grad,) = torch_vjp(lambda t: t**n, g, x)
    assert_same(F.power(x, n), expected)
    assert_same(F.power_vjp(g, x, n), grad)


def test_a_numpy_exponent_changes_no_dtype():
    x = np.array([1.0, 4.0], np.float32)
    for n in (np.float64(0.5), np.float32(2), np.int64(3)):
        assert F.power(x, n).dtype == F.power_vjp(x, x, n).dtype == np.float32
        assert type(F.power(4.0, n)) is type(F.power_vjp(1.0, 4.0, n)) is float
    assert F.power(0.1, np.float32(2)) == 0.1**2  # as float64 has it


def test_an_exponent_that_is_no_number_is_named():
    with pytest.raises(TypeError, match="a number, not str\\. For"):
        F.power(np.ones(2), "2")


def test_relu_is_shut_at_its_kink():
    np.testing.assert_array_equal(
        F.relu_vjp(np.ones(3), np.array([-1.0, 0, 1])), [0, 0, 1]
    )


def test_power_at_zero_has_no_nan():
    x = np.array([0.0, 2.0])
    assert_same(F.power_vjp(np.ones(2), x, 0), np.zeros(2))
    assert_same(F.power_vjp(np.ones(2), x, 1), np.ones(2))


def test_sigmoid_is_accurate_and_silent_at_both_ends():
    x = np.array([-1000.0, -40.0, -1.0, 0.0, 1.0, 40.0, 1000.0])
    with np.errstate(all="raise", under="ignore"):
        y = F.sigmoid(x)
    np.testing.assert_allclose(y, torch.sigmoid(torch.tensor(x)).numpy(), rtol=1e-15)
    assert y[0] == 0 and y[-1] == 1 and y[1] == pytest.approx(np.exp(-40), rel=1e-15)


@given(
    seed=seeds,
    shape=st.lists(st.integers(1, 4), max_size=4),
    drop=st.integers(0, 3),
    data=st.data(),
)
def test_unbroadcast_is_the_transpose_of_broadcasting(seed, shape, drop, data):
    ones = data.draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
    small = tuple(1 if one else n for one, n in zip(ones, shape, strict=True))[drop:]
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=small), rng.normal(size=shape)
    back = F.unbroadcast(g, small)
    assert back.shape == small
    # ⟨broadcast(x), g⟩ = ⟨x, unbroadcast(g)⟩ is what "transpose" means.
    assert np.sum(np.broadcast_to(x, shape) * g) == pytest.approx(
        np.sum(x * back), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (0, 1, 2), ()])
@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reductions_equal_torch(name, axis, keepdims):
    if axis == () and name == "max":
        pytest.skip("torch has no maximum over no axis")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, 4, 2))
    out = getattr(F, name)(x, axis, keepdims)
    g = rng.normal(size=np.shape(out))
    peer = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}[name]
    if axis == ():  # torch reads () as "all axes"; NumPy and we read "none"
        expected, grad = x, g
    else:
        dims = (0, 1, 2) if axis is None else axis
        expected, (grad,) = torch_vjp(
            lambda t: peer(t, dim=dims, keepdim=keepdims), g, x
        )
    assert_same(out, expected)
    what = x if name == "max" else x.shape
    assert_same(getattr(F, name + "_vjp")(g, what, axis, keepdims), grad)


def test_reductions_drop_their_axes_unless_told():
    x, g = np.arange(6.0).reshape(2, 3), np.ones(2)
    for reduce in (F.sum, F.mean, F.max):
        assert reduce(x, 0).shape == (3,) and np.shape(reduce(x)) == ()
    grads = F.sum_vjp(g, (2, 3), 1), F.mean_vjp(g, (2, 3), 1), F.max_vjp(g, x, 1)
    assert {grad.shape for grad in (*grads, F.spread(g, (2, 3), 1))} == {(2, 3)}


@pytest.mark.parametrize(("axis", "left"), [(None, ()), (0, (3,)), (1, (0,))])
def test_the_mean_of_nothing_hands_nothing_back(axis, left):
    with np.errstate(all="raise"):
        grad = F.mean_vjp(np.ones(left), (0, 3), axis)
    assert grad.shape == (0, 3)


def test_max_shares_a_tie_as_torch_amax_does():
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    g = np.array([6.0, 9.0])
    _, (grad,) = torch_vjp(lambda t: torch.amax(t, dim=1), g, x)
    assert_same(F.max_vjp(g, x, 1), grad)
    assert_same(F.max_vjp(g, x, 1), np.array([[0.0, 3, 3], [3, 3, 3]]))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_a_reduction_to_nothing_less_hands_back_its_shape(shape):
    x = np.full(shape, 2.0)
    for axis in (-1, 0) if shape else (0,):
        y = np.sum(x, axis)
        assert np.shape(F.sum_vjp(y, shape, axis)) == shape
        assert np.shape(F.max_vjp(np.max(x, axis), x, axis)) == shape
        assert F.logsumexp_vjp(y, x, axis).shape == shape


def test_the_smallest_shares_as_the_largest_does():
    x, g = np.array([[1.0, 3.0, 1.0], [2.0, 2.0, 2.0]]), np.array([6.0, 9.0])
    _, (grad,) = torch_vjp(lambda t: torch.amin(t, dim=1), g, x)
    assert_same(F.min_vjp(g, x, 1), grad)
    assert_same(F.min_vjp(g, x, 1), np.array([[3.0, 0, 3], [3, 3, 3]]))


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("name", ["var", "std"])
def test_variances_equal_torch(name, ddof):
    x = np.random.default_rng(8).normal(size=(3, 4, 2))
    for axis, keepdims in ((0, False), ((0, -1), True), (None, False)):
        out = getattr(F, name)(x, axis, keepdims, ddof)
        g = np.asarray(np.random.default_rng(9).normal(size=np.shape(out)))
        how = {"dim": axis, "keepdim": keepdims, "correction": ddof}
        peer = getattr(torch, name)
        expected, (grad,) = torch_vjp(lambda t, p=peer, h=how: p(t, **h), g, x)
        np.testing.assert_allclose(out, expected, rtol=RTOL)
        ours = getattr(F, name + "_vjp")(g, x, axis, keepdims, ddof)
        np.testing.assert_allclose(ours, grad, rtol=RTOL, atol=ATOL)


@pytest.mark.parametrize(
    "axes",
    [None, (1, 2, 0), (2, 0, 1), (0, 2, 1), (0, -1, -2), (-1, 0, 1), (1, -3, -1)],
)
def test_transpose_equals_torch(axes):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2, 3, 4))
    g = rng.normal(size=F.transpose(x, axes).shape)
    expected, (grad,) = torch_vjp(lambda t: t.permute(axes or (2, 1, 0)), g, x)
    assert_same(F.transpose(x, axes), expected)
    assert_same(F.transpose_vjp(g, axes), grad)


@pytest.mark.parametrize(
    "index",
    [1, -1, slice(0, 2), (slice(None), 1), [0, 0, 2], ([0, 0], [1, 1]), (..., None)],
    ids=str,
)
def test_getitem_equals_torch_and_adds_what_is_taken_twice(index):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3, 4))
    g = rng.normal(size=x[index].shape)
    expected, (grad,) = torch_vjp(lambda t: t[index], g, x)
    assert_same(F.getitem(x, index), expected)
    assert_same(F.getitem_vjp(g, x.shape, index), grad)


def test_reshape_goes_back():
    x = np.arange(6.0).reshape(2, 3)
    assert_same(F.reshape_vjp(F.reshape(x, (3, 2)), x.shape), x)


@given(seed=seeds, N=sizes, D=sizes, H=sizes, batch=st.integers(0, 2))
def test_matmul_equals_torch(seed, N, D, H, batch):
    rng = np.random.default_rng(seed)
    lead = (3,) * batch
    A, B = rng.normal(size=(*lead, N, D)), rng.normal(size=(*lead, D, H))
    g = rng.normal(size=(*lead, N, H))
    expected, grads = torch_vjp(torch.matmul, g, A, B)
    assert_same(F.matmul(A, B), expected)
    for a, b in zip(F.matmul_vjp(g, A, B), grads, strict=True):
        assert_same(a, b)


@given(seed=seeds, N=st.integers(0, 5), D=sizes, H=sizes)
def test_linear_equals_torch(seed, N, D, H):
    rng = np.random.default_rng(seed)
    X, W, b = rng.normal(size=(N, D)), rng.normal(size=(D, H)), rng.normal(size=H)
    g = rng.normal(size=(N, H))
    expected, grads = torch_vjp(lambda x, w, c: x @ w + c, g, X, W, b)
    assert_same(F.linear(X, W, b), expected)
    for ours, theirs in zip(F.linear_vjp(g, X, W), grads, strict=True):
        assert_same(ours, theirs)
    spared, *rest = F.linear_vjp(g, X, W, input_grad=False)
    assert spared is None
    for ours, theirs in zip(rest, grads[1:], strict=True):
        assert_same(ours, theirs)


@pytest.mark.parametrize("scale", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("shape", [(5, 3), (4,), (2, 3, 4)])
def test_softmax_family_equals_torch(scale, shape):
    rng = np.random.default_rng(4)
    z = scale * rng.normal(size=shape)
    for name, peer, needs in (
        ("softmax", torch.softmax, "out"),
        ("log_softmax", torch.log_softmax, "out"),
        ("logsumexp", torch.logsumexp, "in"),
    ):
        out = getattr(F, name)(z)
        g = rng.normal(size=np.shape(out))
        expected, (grad,) = torch_vjp(lambda t, peer=peer: peer(t, dim=-1), g, z)
        assert_same(out, expected)
        vjp = getattr(F, name + "_vjp")
        np.testing.assert_allclose(
            vjp(g, out if needs == "out" else z), grad, rtol=1e-12, atol=1e-13
        )


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("K", [1, 2, 31, 32, 33, 100])
def test_rows_of_any_length_have_their_maximum(K, axis):
    """Short rows take another way to their maximum than long ones."""
    z = 1000 * np.random.default_rng(K).normal(size=(3, K))
    z[1] = -np.inf  # masked but for one place
    z[1, K // 2] = 7.0
    theirs = torch.tensor(z)
    assert_same(F.softmax(z, axis), torch.softmax(theirs, axis).numpy())
    assert_same(F.logsumexp(z, axis), torch.logsumexp(theirs, axis).numpy())


@pytest.mark.parametrize("shape", [(4,), (0, 3), (3, 1), (2, 3, 5), (7, 64)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_row_means_are_means(shape, dtype):
    x = np.random.default_rng(3).normal(size=shape).astype(dtype)
    ours, expected = F.row_mean(x), x.mean(axis=-1, keepdims=True)
    assert ours.shape == expected.shape and ours.dtype == dtype
    tolerance = 1e-14 if dtype == np.float64 else 1e-6
    np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance)


@given(seed=seeds, N=sizes, K=sizes)
def test_losses_equal_torch(seed, N, K):
    rng = np.random.default_rng(seed)
    z, t = 3 * rng.normal(size=(N, K)), rng.uniform(size=(N, K))
    labels, p = rng.integers(K, size=N), F.sigmoid(z)
    tt, tl = torch.tensor(t), torch.tensor(labels)
    nn = torch.nn.functional
    cases = [
        ("mse", z, t, lambda a: nn.mse_loss(a, tt)),
        ("binary_cross_entropy", p, t, lambda a: nn.binary_cross_entropy(a, tt)),
        (
            "binary_cross_entropy_with_logits",
            z,
            t,
            lambda a: nn.binary_cross_entropy_with_logits(a, tt),
        ),
        ("softmax_cross_entropy", z, labels, lambda a: nn.cross_entropy(a, tl)),
    ]
    for name, a, target, peer in cases:
        expected, (grad,) = torch_vjp(peer, np.array(1.7), a)
        assert_same(getattr(F, name)(a, target), expected[()])
        assert_same(getattr(F, name + "_vjp")(1.7, a, target), grad)


@given(
    seed=seeds,
    shape=st.lists(st.integers(0, 4), max_size=2),
    D=sizes,
    eps=st.sampled_from([1e-5, 1e-2]),
)
def test_layer_norm_equals_torch(seed, shape, D, eps):
    rng = np.random.default_rng(seed)
    x = 2 + 3 * rng.normal(size=(*shape, D))
    gamma, beta = rng.normal(size=D), rng.normal(size=D)
    g = rng.normal(size=x.shape)
    expected, grads = torch_vjp(
        lambda a, b, c: torch.nn.functional.layer_norm(a, (D,), b, c, eps),
        g,
        x,
        gamma,
        beta,
    )
    assert_near(F.layer_norm(x, gamma, beta, eps), expected)
    for ours, theirs in zip(F.layer_norm_vjp(g, x, gamma, eps), grads, strict=True):
        assert_near(ours, theirs)


def assert_near(actual, expected):
    """As `assert_same`, where close rows are divided by a small s: up to 1/√eps."""
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    scale = max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(actual, expected, rtol=RTOL, atol=RTOL * scale)


def test_layer_norm_against_central_differences():
    rng = np.random.default_rng(10)
    inputs = rng.normal(size=(5, 4)), rng.normal(size=4), rng.normal(size=4)
    g = rng.normal(size=(5, 4))
    grads = F.layer_norm_vjp(g, inputs[0], inputs[1])
    assert gradcheck(F.layer_norm, inputs, grads, grad_out=g)


def test_standardise_gives_mean_0_and_variance_1():
    x = 7 + 3 * np.random.default_rng(11).normal(size=(5, 6))
    x_hat, s = F.standardise(x, eps=0)
    assert s.shape == (5, 1)
    np.testing.assert_allclose(x_hat.mean(axis=1), 0, atol=1e-14)
    np.testing.assert_allclose(x_hat.std(axis=1), 1, rtol=RTOL)
    np.testing.assert_allclose(s[:, 0], x.std(axis=1), rtol=RTOL)
    assert (F.standardise(np.ones((2, 3)))[0] == 0).all()


def test_eps_is_1e_5_unless_told():
    x, gamma, g = np.array([[1.0, 1.01]]), np.ones(2), np.array([[1.0, 3.0]])
    for a, b in (
        (F.standardise(x), F.standardise(x, 1e-5)),
        (F.layer_norm(x, gamma, gamma), F.layer_norm(x, gamma, gamma, 1e-5)),
        (F.layer_norm_vjp(g, x, gamma), F.layer_norm_vjp(g, x, gamma, 1e-5)),
    ):
        for ours, expected in zip(a, b, strict=True):
            np.testing.assert_array_equal(ours, expected)


def test_layer_norm_keeps_to_itself():
    x, gamma = np.ones((1, 3)), np.ones(3)
    g = np.arange(3.0).reshape(1, 3)
    grad_beta = F.layer_norm_vjp(g[0], x[0], gamma)[2]
    grad_beta += 100
    np.testing.assert_array_equal(g, [[0.0, 1.0, 2.0]])


def test_losses_on_logits_stay_finite_where_probabilities_do_not():
    z, y = np.array([1000.0, -1000.0]), np.array([0.0, 1.0])
    assert F.binary_cross_entropy_with_logits(z, y) == 1000.0
    assert_same(
        F.binary_cross_entropy_with_logits_vjp(1.0, z, y), np.array([0.5, -0.5])
    )
    assert F.softmax_cross_entropy(np.array([[0.0, 2000.0]]), np.array([0])) == 2000.0
    assert F.binary_cross_entropy(F.sigmoid(z), y) == np.inf
    assert F.binary_cross_entropy(np.array([0.0, 1.0]), np.array([0.0, 1.0])) == 0.0


def test_binary_cross_entropy_at_0_and_1_raises_no_alarm():
    certain = np.array([0.0, 1.0])
    with np.errstate(all="raise"):
        assert F.binary_cross_entropy(certain, certain) == 0.0
        assert F.binary_cross_entropy(certain, certain[::-1]) == np.inf


def test_float32_stays_float32_everywhere():
    rng = np.random.default_rng(5)
    z = rng.normal(size=(4, 3)).astype(np.float32)
    labels, t = np.array([0, 1, 2, 0]), np.ones_like(z)
    results = [
        F.softmax(z),
        F.sigmoid(z),
        F.relu_vjp(z, z),
        F.mean_vjp(np.float32(1), z.shape),
        F.max_vjp(z.max(1), z, 1),
        F.getitem_vjp(z[0], z.shape, 0),
        F.softmax_cross_entropy(z, labels),
        F.softmax_cross_entropy_vjp(np.float32(1), z, labels),
        F.mse_vjp(np.float32(1), z, t),
        F.binary_cross_entropy_with_logits_vjp(np.float32(1), z, t),
        *F.linear_vjp(z, z, np.ones((3, 3), np.float32)),
        *F.standardise(z),
        F.layer_norm(z, z[0], z[1]),
        *F.layer_norm_vjp(z, z, z[0]),
        F.softmax(z, 0),
        F.logsumexp(z, None),
        F.logsumexp_vjp(z[0], z, 0),
        *F.maximum_vjp(z, z, z[::-1]),
        *F.where_vjp(z, z > 0),
        *F.raised_vjp(z, z, np.abs(z), z),
        F.clip(z, 0, 1),
        F.clip_vjp(z, z, 0.0),
        F.min_vjp(z.min(1), z, 1),
        F.var_vjp(z[0], z, 0),
        F.std_vjp(z[0], z, 0),
        *F.concatenate_vjp(z, [1, 3]),
    ]
    assert [r.dtype for r in results] == [np.dtype(np.float32)] * len(results)


def test_nothing_is_changed_in_place():
    rng = np.random.default_rng(6)
    z, t = rng.normal(size=(4, 3)), rng.uniform(size=(4, 3))
    labels, W, b = np.array([0, 1, 2, 0]), rng.normal(size=(3, 2)), np.ones(2)
    arrays = [z, t, labels, W, b]
    before = [a.copy() for a in arrays]
    F.linear(z, W, b), F.linear_vjp(z @ W, z, W)
    F.layer_norm(z, t[0], t[1]), F.layer_norm_vjp(z, z, t[0])
    for loss, target in ((F.mse, t), (F.softmax_cross_entropy, labels)):
        loss(z, target)
    F.softmax_cross_entropy_vjp(1.0, z, labels), F.mse_vjp(1.0, z, t)
    F.softmax(z), F.logsumexp(z), F.sigmoid(z), F.relu(z), F.getitem_vjp(z, (4, 3), ...)
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)


BAD = [
    (
        lambda: F.linear(np.ones((5, 4)), np.ones((3, 2)), np.ones(2)),
        "4 columns.*3 rows",
    ),
    (lambda: F.linear(np.ones((5, 4)), np.ones((4, 2)), np.ones(3)), r"must be \(2,\)"),
    (lambda: F.linear(np.ones(4), np.ones((4, 2)), np.ones(2)), "two axes"),
    (
        lambda: F.linear(np.ones((2, 5, 4)), np.ones((4, 2)), np.ones(2)),
        r"X has shape \(2, 5, 4\) and W \(4, 2\); both must have two axes",
    ),
    (lambda: F.matmul(np.ones((2, 3)), np.ones((2, 3))), "3 columns.*2 rows"),
    (
        lambda: F.layer_norm(np.ones((5, 4)), np.ones(3), np.ones(4)),
        r"gamma has shape \(3,\).* 4 features.* must be \(4,\)",
    ),
    (
        lambda: F.layer_norm(np.ones((5, 4)), np.ones(4), np.ones((5, 4))),
        r"beta has shape \(5, 4\).*must be \(4,\)",
    ),
    (
        lambda: F.layer_norm(np.ones((2, 5, 4)), np.ones(5), np.ones(4)),
        r"x \(2, 5, 4\) has 4 features, so gamma must be \(4,\)",
    ),
    (lambda: F.layer_norm(np.array(1.0), np.ones(1), np.ones(1)), "needs a last axis"),
    (
        lambda: F.layer_norm(np.ones((2, 0)), np.ones(0), np.ones(0)),
        r"x has shape \(2, 0\).*at least one feature",
    ),
    (lambda: F.mse(np.ones(3), np.ones((3, 1))), r"\(3,\).*\(3, 1\).*equal"),
    (
        lambda: F.mse(np.array([1, np.nan]), np.ones(2)),
        r"NaN in 1 places of y_hat.*\(1,\)",
    ),
    (
        lambda: F.mse(np.ones(2), np.array([np.nan, 1])),
        r"NaN in 1 places of y,.*\(0,\)",
    ),
    (lambda: F.binary_cross_entropy(np.array([1.5]), np.ones(1)), r"\[0, 1\].*1.5"),
    (
        lambda: F.binary_cross_entropy_with_logits(np.ones(2), np.ones((2, 1))),
        "must be equal",
    ),
    (
        lambda: F.softmax_cross_entropy(np.ones((2, 3)), np.array([0, 3])),
        "0 … 3.*0 … 2",
    ),
    (lambda: F.softmax_cross_entropy(np.ones((2, 3)), np.array([-1, 0])), "-1 … 0"),
    (
        lambda: F.softmax_cross_entropy(np.ones((2, 3)), np.zeros((2, 3), int)),
        "one row",
    ),
    (lambda: F.softmax_cross_entropy(np.ones((2, 3)), np.zeros(3, int)), r"\(N, K\)"),
    (
        lambda: F.softmax_cross_entropy(np.full((1, 2), np.nan), np.array([0])),
        r"NaN in 2 places of logits, the first at index \(0, 0\)",
    ),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[row[1] for row in BAD])
def test_bad_input_says_what_was_expected_and_found(call, message):
    with pytest.raises(ValueError, match=message):
        call()


one, nan = np.ones(2), np.array([np.nan, 1.0])
NAMED = [
    (lambda: F.matmul(one, np.ones((2, 3))), r"^matmul: A has .* and B \(2, 3\); both"),
    (lambda: F.matmul(np.ones((2, 3)), one), r"^matmul: A has .* and B \(2,\); both"),
    (
        lambda: F.matmul(np.ones((2, 3, 4)), np.ones((2, 5, 6))),
        r"^matmul: A \(2, 3, 4\) has 4 columns, B \(2, 5, 6\) has 5 rows",
    ),
    (lambda: F.linear(one, np.ones((2, 3)), one), r"^linear: X has .* and W \(2, 3\)"),
    (lambda: F.layer_norm(np.ones((5, 4)), np.ones(3), one), "^layer_norm: gamma has"),
    (lambda: F.layer_norm(np.ones((5, 4)), np.ones(4), one), "^layer_norm: beta has"),
    (lambda: F.mse(one, np.ones(3)), "^mse: y_hat has shape"),
    (lambda: F.mse(nan, one), r"^mse: NaN in 1 places of y_hat, .*index \(0,\)\."),
    (lambda: F.mse(one, nan), "^mse: NaN in 1 places of y, "),
    (
        lambda: F.binary_cross_entropy(one, np.ones(3)),
        "^binary_cross_entropy: probs has",
    ),
    (
        lambda: F.binary_cross_entropy_with_logits(one, np.ones(3)),
        "^binary_cross_entropy_with_logits: logits has",
    ),
    (
        lambda: F.softmax_cross_entropy(np.full((1, 2), np.nan), np.array([0])),
        "^softmax_cross_entropy: NaN in 2 places of logits, ",
    ),
]


@pytest.mark.parametrize(("call", "message"), NAMED, ids=[row[1] for row in NAMED])
def test_complaints_begin_with_the_function_and_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("labels", [np.array([0.0, 1.0]), np.array([True, False])])
def test_labels_must_be_integers(labels):
    with pytest.raises(TypeError, match="expected integers"):
        F.softmax_cross_entropy(np.ones((2, 3)), labels)
