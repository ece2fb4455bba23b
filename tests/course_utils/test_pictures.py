"""Convolution, pooling, dropout, batch norm: formulas, tape, modules; beside torch."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from course_utils import functional as F
from course_utils import nn, optim, pictures, training, weights
from course_utils.gradcheck import gradcheck
from course_utils.tape import Tape, no_grad
from course_utils.tensor import Tensor

peer = torch.nn.functional
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 4)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def assert_equal_torch(ours, theirs, *arrays):
    """Output and all gradients, for a random grad_out."""
    mine = [Tensor(a) for a in arrays]
    peers = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, t = ours(*mine), theirs(*peers)
    G = np.asarray(normal(*t.shape, seed=1))
    y.backward(G)
    t.backward(torch.tensor(G))
    pairs = [(y.data, t.detach())]
    pairs += [(x.grad, p.grad) for x, p in zip(mine, peers, strict=True)]
    for a, b in pairs:
        assert a.shape == tuple(b.shape)
        scale = max(1.0, np.abs(b.numpy()).max(initial=0))
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-12, atol=1e-12 * scale)


# --- against torch --------------------------------------------------------------------


@given(
    seed=seeds,
    N=st.sampled_from([0, 1, 2, 3, 33]),
    channels=st.tuples(sizes, sizes),
    picture=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    kernel=st.tuples(sizes, sizes),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
)
def test_convolution_equals_torch(seed, N, channels, picture, kernel, stride, padding):
    assume(all(k <= n + 2 * padding for k, n in zip(kernel, picture, strict=True)))
    C, M = channels
    x, W = normal(N, C, *picture, seed=seed), normal(M, C, *kernel, seed=seed + 1)
    assert_equal_torch(
        lambda x, W, b: pictures.conv2d(x, W, b, stride, padding),
        lambda x, W, b: peer.conv2d(x, W, b, stride, padding),
        *(x, W, normal(M, seed=seed + 2)),
    )


def test_the_mean_of_bytes_does_not_wrap_around():
    x = np.full((1, 4, 4), 200, np.uint8)
    np.testing.assert_array_equal(F.mean_pool2d(x, 2), np.full((1, 2, 2), 200.0))
    single = np.ones((1, 4, 4), np.float32)
    assert F.mean_pool2d(single, 2).dtype == np.float32


@given(
    seed=seeds,
    front=st.lists(st.integers(0, 3), max_size=2),
    picture=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    size=sizes,
    stride=st.sampled_from([None, 1, 2, 3, 5]),
)
@pytest.mark.parametrize("name", ["max_pool2d", "mean_pool2d"])
def test_pooling_equals_torch_at_ties_as_well(name, seed, front, picture, size, stride):
    assume(size <= min(picture))
    x = np.random.default_rng(seed).integers(-2, 3, (*front, *picture)) / 2
    four = (-1, 1, *picture) if x.size else (0, 1, *picture)
    theirs = getattr(peer, name.replace("mean", "avg"))
    assert_equal_torch(
        lambda x: getattr(pictures, name)(x.reshape(*four), size, stride),
        lambda x: theirs(x.reshape(four), size, stride),
        x,
    )


@given(
    seed=seeds,
    N=st.integers(2, 5),
    C=sizes,
    picture=st.lists(sizes, max_size=2),
    eps=st.sampled_from([1e-5, 1e-2]),
)
def test_batch_norm_equals_torch_in_training_and_after(seed, N, C, picture, eps):
    x = 2 + 3 * normal(N, C, *picture, seed=seed)
    gamma, beta = normal(2, C, seed=seed + 1)
    mean, var = normal(C, seed=seed + 2), normal(C, seed=seed + 3) ** 2
    running = torch.tensor(mean), torch.tensor(var)
    assume(x.var(axis=tuple({*range(x.ndim)} - {1})).min() > 1e-2)
    assert_equal_torch(
        lambda x, g, b: pictures.batch_norm(x, g, b, eps=eps),
        lambda x, g, b: peer.batch_norm(x, None, None, g, b, True, eps=eps),
        *(x, gamma, beta),
    )
    assert_equal_torch(
        lambda x, g, b: pictures.batch_norm(x, g, b, mean, var, eps=eps),
        lambda x, g, b: peer.batch_norm(x, *running, g, b, False, eps=eps),
        *(x, gamma, beta),
    )


@given(
    seed=seeds, shape=st.lists(sizes, max_size=3), p=st.sampled_from([0.0, 0.2, 0.5])
)
def test_dropout_is_a_product_with_a_scaled_mask(seed, shape, p):
    mask = np.random.default_rng(seed).random(shape) >= p
    assert_equal_torch(
        lambda x: pictures.dropout(x, mask, p),
        lambda t: t * torch.tensor(mask / (1 - p)),
        np.array(normal(*shape, seed=seed)),
    )


# --- by other ways --------------------------------------------------------------------


def test_a_convolution_by_hand():
    x = np.array([[1.0, 2, 0], [0, 1, 3], [2, 0, 1]])[None, None]
    W, b = np.array([[1.0, -1], [2, 0]])[None, None], np.array([0.5])
    np.testing.assert_array_equal(F.conv2d(x, W, b)[0, 0], [[-0.5, 4.5], [3.5, -1.5]])


def test_central_differences_agree():
    x, W, b = normal(2, 3, 5, 4), normal(4, 3, 3, 2, seed=1), normal(4, seed=2)
    y = F.conv2d(x, W, b, 2, 1)
    G = normal(*y.shape, seed=3)
    grads = F.conv2d_vjp(G, x, W, 2, 1)
    assert gradcheck(lambda *a: F.conv2d(*a, 2, 1), (x, W, b), grads, grad_out=G)
    gamma, G = normal(3, seed=4), normal(*x.shape, seed=5)
    grads = F.batch_norm_vjp(G, x, gamma)
    assert gradcheck(F.batch_norm, (x, gamma, b[:3]), grads, grad_out=G)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_windows_are_a_view_and_their_way_back_its_transpose(stride):
    x = normal(2, 3, 7, 6)
    seen = F.windows(x, (3, 2), stride)
    assert np.shares_memory(seen, x)
    assert seen.shape[2:4] == (F.out_size(7, 3, stride), F.out_size(6, 2, stride))
    np.testing.assert_array_equal(seen[1, 2, 1, 0], x[1, 2, stride : stride + 3, :2])
    G = normal(*seen.shape, seed=1)
    back = F.windows_vjp(G, x, stride)
    assert back.shape == x.shape
    assert np.sum(seen * G) == pytest.approx(np.sum(x * back), rel=1e-12)


def test_nobody_asks_for_the_gradient_of_the_data():
    x, W, b = normal(2, 1, 4, 4), Tensor(normal(3, 1, 2, 2)), Tensor(normal(3))
    G = normal(2, 3, 3, 3)
    spared = F.conv2d_vjp(G, x, W.data, input_grad=False)
    assert spared[0] is None
    pictures.conv2d(x, W, b).backward(G)
    np.testing.assert_allclose(W.grad, spared[1], rtol=1e-12)
    np.testing.assert_allclose(b.grad, F.conv2d_vjp(G, x, W.data)[2], rtol=1e-12)


def test_a_tie_goes_to_the_first_in_reading_order():
    x = np.array([[3.0, 3, 1], [3, 3, 1], [0, 0, 0]])
    y = F.max_pool2d(x, 2, 1)
    G = np.array([[1.0, 10], [100, 1000]])
    expected = [[1.0, 10, 0], [100, 1000, 0], [0, 0, 0]]
    np.testing.assert_array_equal(F.max_pool2d_vjp(G, y, x, 2, 1), expected)


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 1), (3, 2), (2, 3)])
def test_a_nan_gets_the_gradient_as_in_torch(size, stride):
    rng = np.random.default_rng(0)
    x = rng.integers(-2, 3, (3, 2, 7, 8)).astype(float)
    x[rng.random(x.shape) < 0.2] = np.nan  # often two in a window: the last gets it
    assert_equal_torch(
        lambda x: pictures.max_pool2d(x, size, stride),
        lambda x: peer.max_pool2d(x, size, stride),
        x,
    )


def test_float32_stays_float32():
    x = normal(3, 2, 6, 6).astype(np.float32)
    W, b = normal(4, 2, 3, 3).astype(np.float32), np.ones(4, np.float32)
    G, two, pooled = F.conv2d(x, W, b), b[:2], F.max_pool2d(x, 2)
    results = [
        *(F.pad(x, 1), F.columns(x, (3, 3)), F.windows_vjp(F.windows(x, (2, 2)), x)),
        *(G, *F.conv2d_vjp(G, x, W)),
        *(pooled, F.max_pool2d_vjp(pooled, pooled, x, 2)),
        *(F.mean_pool2d(x, 2), F.mean_pool2d_vjp(pooled, x, 2)),
        *(F.dropout(x, x > 0, 0.2), F.dropout_vjp(x, x > 0, 0.2)),
        *(F.batch_norm(x, two, two), *F.batch_norm_vjp(x, x, two)),
        *(F.batch_norm_eval(x, two, two, two, two), *F.batch_statistics(x)),
        *F.batch_norm_eval_vjp(x, x, two, two, two),
    ]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}


def test_nothing_is_changed_and_nothing_is_shared():
    x, W, b = normal(2, 2, 4, 4), normal(3, 2, 2, 2), normal(3)
    G = normal(2, 3, 3, 3)
    before = [a.copy() for a in (x, W, b, G)]
    results = [F.conv2d(x, W, b), *F.conv2d_vjp(G, x, W)]
    results += [F.max_pool2d(x, 1), F.max_pool2d_vjp(x, x, x, 1)]
    results += [F.mean_pool2d(x, 1), F.mean_pool2d_vjp(x, x, 1)]
    results += [F.put_back([x], x, 1)]
    results += F.batch_norm_vjp(x, x, b[:2])
    for result in results:
        result += 1
    for a, was in zip((x, W, b, G), before, strict=True):
        np.testing.assert_array_equal(a, was)


def test_a_tape_plays_its_convolution_again():
    x, W = Tensor(normal(40, 1, 5, 5)), Tensor(normal(2, 1, 3, 3, seed=1))
    y = pictures.max_pool2d(pictures.conv2d(x, W, np.zeros(2)), 3)
    tape = Tape(y)
    W.data = -W.data
    again = pictures.max_pool2d(pictures.conv2d(x.data, W.data, np.zeros(2)), 3)
    np.testing.assert_array_equal(tape.forward(), again.data)


# --- modules --------------------------------------------------------------------------


def small(rng, **how):
    """Every module of this notebook in one network."""
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, rng, padding=1, **how),
        nn.BatchNorm(3, **how),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 4, (2, 1), rng, stride=2, **how),
        nn.MeanPool2d(2, 1),
        nn.Flatten(),
        nn.Dropout(0.5, rng),
        nn.Linear(4, 2, rng, **how),
    )


def test_a_network_learns_one_batch_and_keeps_float32():
    rng = np.random.default_rng(0)
    model = small(rng, dtype=np.float32)
    x, y = rng.normal(size=(16, 1, 8, 8)).astype(np.float32), rng.integers(2, size=16)
    model.layers[7].p = 0.0
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    losses = [
        training.train_step(model, x, y, optimizer, Tensor.softmax_cross_entropy)
        for _ in range(120)
    ]
    assert losses[-1] < 0.1 < losses[0]
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    assert model(x).dtype == np.float32


def test_gradients_of_a_whole_network():
    rng = np.random.default_rng(1)
    model, x = small(rng), rng.normal(size=(5, 1, 8, 8))
    y, dropout = np.array([0, 1, 1, 0, 1]), model.layers[7]
    learnt = [p for p in model.parameters() if p.requires_grad]

    def loss(*arrays):
        dropout.rng = np.random.default_rng(2)  # the same mask each time
        for p, array in zip(learnt, arrays, strict=True):
            p.data = array
        return model(x).softmax_cross_entropy(y)

    values = [p.data.copy() for p in learnt]
    loss(*values).backward()
    grads = [p.grad for p in learnt]
    assert gradcheck(lambda *a: loss(*a).item(), values, grads)


def test_weights_begin_as_he_says():
    layer = nn.Conv2d(8, 300, 5, np.random.default_rng(0))
    assert layer.W.shape == (300, 8, 5, 5) and not layer.b.data.any()
    assert layer.W.data.var() == pytest.approx(2 / 200, rel=0.03)


def test_a_running_mean_is_torchs():
    ours, theirs = nn.BatchNorm(3), torch.nn.BatchNorm2d(3, dtype=torch.float64)
    for seed in range(4):
        x = 5 + 2 * normal(6, 3, 2, 2, seed=seed)
        y, t = ours(x), theirs(torch.tensor(x))
        np.testing.assert_allclose(y.data, t.detach(), rtol=1e-12, atol=1e-13)
    for name in ("running_mean", "running_var"):
        mine, other = getattr(ours, name).data, getattr(theirs, name)
        np.testing.assert_allclose(mine, other, rtol=1e-12)
    ours.eval(), theirs.eval()
    before = ours.running_mean.data.copy()
    np.testing.assert_allclose(
        ours(x).data, theirs(torch.tensor(x)).detach(), rtol=1e-12, atol=1e-13
    )
    np.testing.assert_array_equal(ours.running_mean.data, before)


def test_running_statistics_learn_nothing_and_are_saved(tmp_path):
    model = nn.Sequential(nn.BatchNorm(2), nn.Flatten())
    names = [name for name, _ in model.named_parameters()]
    assert names == [
        f"layers.0.{x}" for x in ("gamma", "beta", "running_mean", "running_var")
    ]
    optimizer = optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    model(normal(6, 2, 3, 3)).sum().backward()
    kept = [p.data.copy() for p in model.parameters()[2:]]
    optimizer.step()
    for p, array in zip(model.parameters()[2:], kept, strict=True):
        np.testing.assert_array_equal(p.data, array)
    weights.save(model, tmp_path / "w.npz")
    other = nn.Sequential(nn.BatchNorm(2), nn.Flatten())
    weights.load(other, tmp_path / "w.npz")
    x = normal(3, 2, 3, 3, seed=1)
    np.testing.assert_array_equal(other.eval()(x).data, model.eval()(x).data)


def test_train_and_eval_reach_every_module():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Residual(nn.Dropout(0.5, rng)), nn.BatchNorm(4))
    model.rows = [[nn.ReLU()], (nn.ReLU(),)]
    parts = [m for _, m in training.named_modules(model)]
    assert len(parts) == 6 and all(m.training for m in parts)
    assert model.eval() is model and not any(m.training for m in parts)
    assert model.train() is model and all(m.training for m in parts)


def test_dropout_drops_a_share_while_training_only():
    layer, x = nn.Dropout(0.25, np.random.default_rng(0)), np.ones((200, 100))
    y = layer(x).data
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert y.mean() == pytest.approx(1, abs=0.02)  # 20,000 draws: 0.004 a deviation
    assert (layer(x).data != y).any()
    with no_grad():  # no switch of its own, as in PyTorch
        assert (layer(x).data == 0).any()
    np.testing.assert_array_equal(layer.eval()(x).data, x)


def test_fit_switches_there_and_back():
    rng = np.random.default_rng(0)
    seen = []

    class Watched(nn.Linear):
        def forward(self, x):
            seen.append((self.training, len(x)))
            return super().forward(x)

    model, x, y = Watched(2, 2, rng), normal(8, 2), np.array([0, 1] * 4)
    how = {"optimizer": optim.SGD(model.parameters(), lr=0.1), "rng": rng}
    how |= {"epochs": 2, "batch_size": 4, "progress": False}
    training.fit(model, x, y, **how, validation=(x, y))
    assert seen == [(True, 4), (True, 4), (False, 8)] * 2


# --- what goes wrong ------------------------------------------------------------------

X, W3, B3 = np.ones((2, 3, 5, 5)), np.ones((4, 3, 3, 3)), np.ones(4)
BAD = [
    (lambda: F.conv2d(X, np.ones((4, 3, 6, 2)), B3), "6 × 2 does not fit .* 5 × 5. T"),
    (
        lambda: F.conv2d(X, np.ones((4, 3, 2, 8)), B3, 1, 1),
        "2 × 8 does not fit .* 5 × 5, 7 × 7 with a padding of 1",
    ),
    (lambda: F.conv2d(X[:, :2], W3, B3), "has 2 channels, .* have weights for 3"),
    (lambda: F.conv2d(X, W3, B3[:3]), r"b has shape \(3,\).* must be \(4,\)"),
    (lambda: F.conv2d(X[0], W3, B3), r"pictures \(N, C, H, W\).*found \(3, 5, 5\)"),
    (lambda: F.conv2d(X, W3[0], B3), r"found .* and \(3, 3, 3\)"),
    (lambda: F.conv2d(X, W3, B3, 0), "stride is 0; .* at least 1"),
    (lambda: F.conv2d(X, W3, B3, 1.5), "stride is 1.5; .* one whole number"),
    (lambda: F.conv2d(X, W3, B3, True), "stride is True; .* at least 1"),
    (lambda: F.conv2d(X, W3, B3, (2, 2)), r"stride is \(2, 2\); .* one whole number"),
    (lambda: F.conv2d(X, W3, B3, padding=(1, 1)), "one whole number, for rows and co"),
    (lambda: F.conv2d(X.transpose(0, 2, 3, 1), W3, B3), "5 channels.*0, 3, 1, 2"),
    (lambda: F.conv2d(X[0], W3, B3), r"one picture alone is x\[None\]"),
    (lambda: F.windows(X, 2), "a window of two whole sizes, .* found 2"),
    (lambda: F.conv2d(X, W3, B3, 1, -1), "padding is -1; .* at least 0"),
    (lambda: F.conv2d(X, W3, B3, 1, "same"), "padding is 'same'; .* one whole number"),
    (lambda: F.windows(X, (0, 2)), r"at least \(1, 1\), found \(0, 2\)"),
    (lambda: F.max_pool2d(X, 6), "pooling: a window of 6 × 6 does not fit"),
    (lambda: F.mean_pool2d(X, 2, 0), "pooling: stride is 0"),
    (lambda: F.max_pool2d(X, (2, 2)), r"one whole size, .* found \(2, 2\)"),
    (lambda: F.max_pool2d(X, 2, (2, 2)), r"pooling: stride is \(2, 2\)"),
    (lambda: F.max_pool2d(X, 2.0, 2), "one whole size, .* found 2.0"),
    (lambda: F.max_pool2d(np.ones(4), 2), r"expected pictures \(…, H, W\)"),
    (lambda: F.dropout(X, np.ones(5, bool)), r"mask has shape \(5,\), x has \(2, 3"),
    (lambda: F.dropout(X, X > 0, 1.0), "p is 1.0; .* below 1"),
    (lambda: F.dropout(X, X > 0, -0.1), "p is -0.1; .* at least 0"),
    (lambda: F.dropout(X, X > 0, "0.5"), "p is '0.5'; .* must be a number"),
    (lambda: F.batch_norm(X, B3, B3), r"gamma has shape \(4,\).* 3 channels"),
    (lambda: F.batch_norm(X, B3[:3], B3), r"beta has shape \(4,\).* must be \(3,\)"),
    (
        lambda: F.batch_norm_eval(X, *[B3[:3]] * 3, B3),
        r"var has shape \(4,\).* must be \(3,\)",
    ),
    (lambda: F.batch_norm(B3, B3, B3), r"expected x \(N, C\) .*found shape \(4,\)"),
    (lambda: F.batch_norm(np.ones((1, 4)), B3, B3), "less than two elements in each"),
    (lambda: F.batch_norm(np.ones((0, 4)), B3, B3), "less than two elements in each"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


KINDS = [
    (lambda: F.conv2d(X.tolist(), W3, B3), "conv2d: x is a list; expected a NumPy"),
    (lambda: F.conv2d(X, W3, None), "conv2d: b is a NoneType"),
    (lambda: F.conv2d(*(a.astype(np.uint8) for a in (X, W3, B3))), "uint8, would wrap"),
    (lambda: F.batch_norm(X, 1.0, B3[:3]), "batch_norm: gamma is a float"),
    (lambda: F.dropout(X.tolist(), X > 0), "dropout: x is a list"),
    (lambda: F.dropout(X, X), "mask of booleans, True where .* kept, found float64"),
    (lambda: F.dropout(X, X.astype(int)), "found int64.*mask > 0"),
    (lambda: pictures.batch_norm(X, B3[:3], B3[:3], 1e-3), "found 1 statistics; ex"),
]


@pytest.mark.parametrize(("call", "message"), KINDS, ids=[m for _, m in KINDS])
def test_input_of_another_kind_is_named(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_bytes_are_pictures_all_the_same():
    x = np.arange(200, 218, dtype=np.uint8).reshape(1, 2, 3, 3)
    W = normal(4, 2, 2, 2)
    np.testing.assert_array_equal(F.conv2d(x, W, B3), F.conv2d(x.astype(float), W, B3))
    np.testing.assert_array_equal(F.max_pool2d(x, 2), [[[[204]], [[213]]]])


def test_an_empty_batch_spoils_no_running_statistics():
    layer = nn.BatchNorm(4)
    with pytest.raises(ValueError, match="less than two elements"):
        layer(np.ones((0, 4)))
    assert np.isfinite(layer.running_mean.data).all()
    assert layer.eval()(np.ones((0, 4))).shape == (0, 4)
