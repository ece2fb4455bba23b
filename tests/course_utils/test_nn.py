"""Modules, optimisers and the training loop; steps against torch.optim."""

import _thread
import signal
import threading

import numpy as np
import pytest
import torch

from course_utils import layers, nn, optim, training
from course_utils.data import two_moons
from course_utils.gradcheck import gradcheck
from course_utils.tape import Tape
from course_utils.tensor import Tensor


def mlp(seed=0, sizes=(4, 6, 3), **how):
    return nn.MLP(list(sizes), np.random.default_rng(seed), **how)


def test_parameters_are_found_in_order_and_by_name():
    names = [name for name, _ in mlp().named_parameters()]
    assert names == ["layers.0.W", "layers.0.b", "layers.2.W", "layers.2.b"]


def test_parameters_are_found_among_attributes_lists_and_modules():
    class Net(nn.Module):
        def __init__(self, rng):
            self.scale = nn.Parameter(np.ones(1))
            self.blocks = [nn.Linear(2, 2, rng), nn.Linear(2, 3, rng)]
            self.head = nn.Linear(3, 1, rng)
            self.note, self.constant = "no parameter", Tensor([1.0])

        def forward(self, x):
            for block in self.blocks:
                x = block(x).tanh()
            return self.head(x) * self.scale

    net = Net(np.random.default_rng(0))
    names = [name for name, _ in net.named_parameters()]
    assert names[0] == "scale" and names[-1] == "head.b" and "blocks.1.W" in names
    assert len(net.parameters()) == 7
    out = net(np.ones((5, 2))).mean()
    out.backward()
    assert all(p.grad.shape == p.shape for p in net.parameters())


def test_a_shared_parameter_counts_once():
    class Tied(nn.Module):
        def __init__(self):
            self.a = nn.Parameter(np.ones((2, 2)))
            self.b = self.a

        def forward(self, x):
            return (x @ self.a) @ self.b

    net = Tied()
    assert len(net.parameters()) == 1
    net(np.ones((1, 2))).sum().backward()
    np.testing.assert_array_equal(net.a.grad, [[4.0, 4.0], [4.0, 4.0]])


def test_results_of_parameters_are_tensors_not_parameters():
    p = nn.Parameter(np.ones(2))
    assert type(p * 2) is Tensor


def test_modules_with_every_activation_equal_torch():
    X = np.random.default_rng(1).normal(size=(5, 4))
    for ours, theirs in (
        (nn.ReLU, torch.nn.ReLU),
        (nn.Sigmoid, torch.nn.Sigmoid),
        (nn.Tanh, torch.nn.Tanh),
    ):
        model = mlp(activation=ours)
        peer = torch_mlp(model, theirs)
        np.testing.assert_allclose(
            model(X).data, peer(torch.tensor(X)).detach().numpy(), rtol=1e-12
        )


def torch_mlp(model, activation=torch.nn.ReLU):
    """The same network in torch, with copies of our weights (transposed)."""
    parts = []
    weights = [p.data for p in model.parameters()]
    for W, b in zip(weights[::2], weights[1::2], strict=True):
        linear = torch.nn.Linear(*W.shape, dtype=torch.tensor(W).dtype)
        linear.weight.data = torch.tensor(W.T.copy())
        linear.bias.data = torch.tensor(b.copy())
        parts += [linear, activation()]
    return torch.nn.Sequential(*parts[:-1])


@pytest.mark.parametrize(
    ("init", "variance"), [(nn.he_normal, 2 / 300), (nn.xavier_normal, 2 / 500)]
)
def test_initial_weights_have_the_promised_scale(init, variance):
    W = init(300, 200, np.random.default_rng(0), np.float32)
    assert W.shape == (300, 200) and W.dtype == np.float32
    # 60,000 draws: the relative standard error of a variance is √(2/n) = 0.6 %.
    assert W.var() == pytest.approx(variance, rel=0.03)
    assert abs(W.mean()) < 4 * np.sqrt(variance / W.size)


@pytest.mark.parametrize("sizes", [[], [3]])
def test_an_mlp_needs_two_sizes(sizes):
    with pytest.raises(ValueError, match="input and output size"):
        nn.MLP(sizes, np.random.default_rng(0))


def test_a_module_without_forward_says_which():
    class Half(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Half does not define forward"):
        Half()(np.ones(2))


OPTIMISERS = [
    (optim.SGD, torch.optim.SGD, {"lr": 0.1}),
    (optim.SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    (
        optim.SGD,
        torch.optim.SGD,
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
    ),
    (optim.Adam, torch.optim.Adam, {}),
    (
        optim.Adam,
        torch.optim.Adam,
        {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.01},
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "how"), OPTIMISERS, ids=str)
def test_every_step_equals_torch(ours, theirs, how):
    rng = np.random.default_rng(2)
    X, labels = rng.normal(size=(20, 4)), rng.integers(3, size=20)
    model = mlp()
    peer = torch_mlp(model)
    a = ours(model.parameters(), **{"lr": 1e-3, **how})
    b = theirs(peer.parameters(), **{"lr": 1e-3, **how})
    for _ in range(25):
        model(X).softmax_cross_entropy(labels).backward()
        b.zero_grad()
        torch.nn.functional.cross_entropy(
            peer(torch.tensor(X)), torch.tensor(labels)
        ).backward()
        a.step(), b.step()
        for p, q in zip(model.parameters(), peer.parameters(), strict=True):
            expected = q.detach().numpy().T
            np.testing.assert_allclose(p.data, expected, rtol=1e-10, atol=1e-12)


def test_defaults_are_those_of_torch():
    p, q = nn.Parameter(np.ones(3)), torch.ones(3)
    ours, theirs = optim.Adam([p]), torch.optim.Adam([q]).defaults
    for name in ("lr", "betas", "eps", "weight_decay"):
        assert getattr(ours, name) == theirs[name]
    ours, theirs = optim.SGD([p], lr=0.1), torch.optim.SGD([q], lr=0.1).defaults
    for name in ("lr", "momentum", "weight_decay"):
        assert getattr(ours, name) == theirs[name]


def test_steps_are_taken_in_place():
    p, g = nn.Parameter(np.ones(3)), np.full(3, 2.0)
    array = p.data
    for optimizer in (optim.SGD([p], lr=0.1, momentum=0.9), optim.Adam([p])):
        p.grad = g
        optimizer.step()
    assert p.data is array and (g == 2.0).all()


def test_zero_grad_forgets():
    p = nn.Parameter(np.ones(3))
    p.grad = np.ones(3)
    optim.SGD([p], lr=0.1).zero_grad()
    assert p.grad is None


def test_bad_optimisers_say_so():
    p = nn.Parameter(np.ones(3))
    with pytest.raises(ValueError, match="^an optimizer needs at .*; got none$"):
        optim.SGD([], lr=0.1)
    with pytest.raises(ValueError, match="^weight_decay is -2"):
        optim.SGD([p], lr=0.1, weight_decay=-2)
    with pytest.raises(ValueError, match="^lr is -1"):
        optim.SGD([p], lr=-1)
    with pytest.raises(ValueError, match="lr is nan"):
        optim.Adam([p], lr=float("nan"))
    with pytest.raises(ValueError, match="^step: no parameter has a gradient"):
        optim.SGD([p], lr=0.1).step()


HEADS = [
    (optim.SGD, torch.optim.SGD, {"lr": 0.1}),
    (optim.SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
    (optim.Adam, torch.optim.Adam, {"lr": 0.1, "weight_decay": 0.1}),
]


@pytest.mark.parametrize(("ours", "theirs", "how"), HEADS, ids=str)
def test_two_losses_in_turn_move_what_they_contain_as_in_torch(ours, theirs, how):
    """A shared part and two heads, of which only one is trained at a time."""
    p = [nn.Parameter(np.array([1.0, 2.0])) for _ in range(3)]
    q = [torch.tensor(a.data, requires_grad=True) for a in p]
    a, b = ours(p, **how), theirs(q, **how)
    for turn in (0, 1, 1, 0, 1, 0, 0):
        for x, optimizer in ((p, a), (q, b)):
            if optimizer is b:
                b.zero_grad()
            shared, head = x[2], x[turn]
            (head * head * shared).sum().backward()
            optimizer.step()
        for mine, peer in zip(p, q, strict=True):
            np.testing.assert_allclose(mine.data, peer.detach(), rtol=1e-12)


def test_a_gradient_is_used_once():
    p, q = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))
    optimizer = optim.SGD([p, q], lr=0.1)
    (p * p + q * q).sum().backward()
    optimizer.step()
    assert p.grad is None and q.grad is None
    (q * q).sum().backward()
    optimizer.step()
    assert p.data == pytest.approx(0.8) and q.data == pytest.approx(0.64)
    with pytest.raises(ValueError, match="forgets the gradients that it has used"):
        optimizer.step()


def test_a_clipped_gradient_is_used_once_as_well():
    p, q = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))
    optimizer = optim.SGD([p, q], lr=1.0)
    for loss, norm in (
        (lambda: (p * 3 + q * 4).sum(), 5.0),
        (lambda: q.sum() * 4, 4.0),
    ):
        loss().backward()
        assert optim.clip_gradients([p, q], 1.0) == pytest.approx(norm)
        optimizer.step()
    assert p.data == pytest.approx(0.4) and q.data == pytest.approx(1 - 0.8 - 1)


def test_frozen_and_unused_parameters_are_passed_by():
    frozen = nn.Parameter(np.ones(2), requires_grad=False)
    used, unused = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2))
    for optimizer in (optim.Adam([frozen, unused, used]), optim.SGD([frozen, used], 1)):
        (used * frozen).sum().backward()
        optimizer.step()
    assert (frozen.data == 1).all() and (unused.data == 1).all()
    assert (used.data < 0.5).all()
    (frozen * 2 + used).sum().backward()
    with pytest.raises(ValueError, match="no parameter has a gradient"):
        optim.SGD([frozen, unused], 0.1).step()


def test_accumulated_pieces_are_one_step_and_then_forgotten():
    p = nn.Parameter(np.ones(1))
    optimizer = optim.SGD([p], lr=0.1)
    for _ in range(2):
        for _ in range(3):
            (p * 2).sum().backward(accumulate=True)
        optimizer.step()
    assert p.data == pytest.approx(1 - 2 * 0.6)


def test_train_step_begins_without_what_another_loss_has_left():
    model, other = mlp(0, (2, 4, 1)), nn.Parameter(np.ones(1))
    optimizer = optim.SGD([*model.parameters(), other], lr=0.1)
    (other * 100).sum().backward()  # and no step
    x, y = np.ones((3, 2)), np.zeros((3, 1))
    training.train_step(model, x, y, optimizer, Tensor.mse)
    assert other.data == 1.0 and all(p.grad is None for p in model.parameters())


def test_a_parameter_given_twice_is_held_once():
    for kind, array in ((nn.Parameter, np.ones(2)), (layers.Parameter, np.ones(2))):
        p = kind(array)
        optimizer = optim.SGD([p, p], lr=0.1)
        p.grad = np.ones(2)
        assert optim.clip_gradients([p, p], 10) == pytest.approx(np.sqrt(2))
        optimizer.step()
        np.testing.assert_allclose(p.data, 0.9)
        assert len(optimizer.parameters) == 1


NO_LISTS = [
    (lambda m, p: p, "found one Parameter. Mend: \\[parameter\\]"),
    (lambda m, p: layers.Parameter(np.ones(2)), "found one Parameter"),
    (lambda m, p: m, r"found a MLP. Mend: model.parameters\(\)"),
    (lambda m, p: m.named_parameters(), "found a tuple among them"),
    (lambda m, p: dict(m.named_parameters()), "found one dict"),
    (lambda m, p: "W", "found one str"),
    (lambda m, p: np.ones(3), "found a float64 among them"),
    (lambda m, p: [np.ones(3)], "found a ndarray among them"),
    (lambda m, p: [m], "found a MLP among them"),
    (lambda m, p: None, "found a NoneType"),
]


@pytest.mark.parametrize(("make", "message"), NO_LISTS, ids=[x[1] for x in NO_LISTS])
@pytest.mark.parametrize(
    "taker",
    [
        lambda p: optim.SGD(p, lr=0.1),
        optim.Adam,
        lambda p: optim.clip_gradients(p, 1.0),
    ],
    ids=["SGD", "Adam", "clip"],
)
def test_what_is_no_list_of_parameters_is_named(taker, make, message):
    p = nn.Parameter(np.ones((3, 2)))
    p.grad = np.ones((3, 2))
    with pytest.raises(TypeError, match=f"^expected .*{message}"):
        taker(make(mlp(), p))
    assert (p.grad == 1).all()


def test_lists_in_lists_are_found():
    class Grid(nn.Module):
        def __init__(self, rng):
            self.rows = [[nn.Linear(2, 2, rng)], (nn.Linear(2, 1, rng), [nn.ReLU()])]
            self.free = [nn.Parameter(np.ones(1)), [nn.Parameter(np.ones(2))]]

    grid = Grid(np.random.default_rng(0))
    assert [name for name, _ in grid.named_parameters()] == [
        *("rows.0.0.W", "rows.0.0.b", "rows.1.0.W", "rows.1.0.b", "free.0", "free.1.0")
    ]


def deep(rng):
    """A linear layer, two residual blocks with normalisation, and a head."""
    blocks = [
        nn.Residual(nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 6, rng), nn.Tanh()))
        for _ in range(2)
    ]
    return nn.Sequential(nn.Linear(4, 6, rng), *blocks, nn.Linear(6, 3, rng))


def test_layer_norm_is_a_module_with_two_parameters():
    norm = nn.LayerNorm(4, eps=1e-3, dtype=np.float32)
    assert [name for name, _ in norm.named_parameters()] == ["gamma", "beta"]
    assert all(p.dtype == np.float32 and p.shape == (4,) for p in norm.parameters())
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    peer = torch.nn.LayerNorm(4, eps=1e-3, dtype=torch.float64)
    expected = peer(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(norm(x).data, expected, rtol=1e-12, atol=1e-14)


def test_residual_blocks_are_found_and_differentiated():
    rng = np.random.default_rng(7)
    model, X, labels = deep(rng), rng.normal(size=(5, 4)), np.array([0, 2, 1, 0, 1])
    names = [name for name, _ in model.named_parameters()]
    assert "layers.2.block.layers.0.gamma" in names and len(names) == 12
    parameters = model.parameters()
    for p in parameters:  # off the symmetric start, where a mistake may hide
        p.data += 0.1 * rng.normal(size=p.shape)
    values = [p.data.copy() for p in parameters]
    model(X).softmax_cross_entropy(labels).backward()
    grads = [p.grad for p in parameters]

    def loss(*arrays):
        for p, array in zip(parameters, arrays, strict=True):
            p.data = array
        return model(X).softmax_cross_entropy(labels).item()

    assert gradcheck(loss, values, grads)


def test_a_residual_block_keeps_the_shape_or_says_so():
    x = np.ones((5, 4))
    np.testing.assert_array_equal(nn.Residual(nn.ReLU())(x).data, x + x)
    for fan_out in (3, 1):  # a single column would broadcast without a word
        block = nn.Residual(nn.Linear(4, fan_out, np.random.default_rng(0)))
        with pytest.raises(ValueError, match=rf"\(5, 4\) into \(5, {fan_out}\)"):
            block(x)


def with_gradients(*arrays):
    parameters = [nn.Parameter(np.zeros_like(a)) for a in arrays]
    for p, array in zip(parameters, arrays, strict=True):
        p.grad = array
    return parameters


@pytest.mark.parametrize("max_norm", [0.1, 1.0, 1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clipping_equals_torch(max_norm, dtype):
    rng = np.random.default_rng(12)
    arrays = [rng.normal(size=s).astype(dtype) for s in ((4, 3), (3,), ())]
    ours = with_gradients(*[np.array(a) for a in arrays])
    theirs = [torch.zeros(a.shape, dtype=torch.tensor(a).dtype) for a in arrays]
    for q, a in zip(theirs, arrays, strict=True):
        q.grad = torch.tensor(a)
    norm = optim.clip_gradients(ours, max_norm)
    rtol = 1e-12 if dtype is np.float64 else 1e-6
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm)
    assert norm == pytest.approx(expected.item(), rel=rtol)
    for p, q in zip(ours, theirs, strict=True):
        assert p.grad.dtype == dtype and p.grad.shape == p.shape
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=rtol)
    assert optim.clip_gradients(ours, max_norm) <= max_norm * (1 + 1e-6)


def test_clipping_changes_no_array_of_anybody_else():
    g = np.array([3.0, 4.0])
    a, b = nn.Parameter(np.zeros(2)), nn.Parameter(np.zeros(2))
    out = a + b
    out.backward(g)
    assert optim.clip_gradients([a], 1.0) == 5.0
    np.testing.assert_allclose(a.grad, [0.6, 0.8], rtol=1e-6)
    for untouched in (g, out.grad, b.grad):
        np.testing.assert_array_equal(untouched, [3.0, 4.0])


@pytest.mark.parametrize("max_norm", [3.0 + 1e-6, 4.0])  # a factor of 1, and above
def test_what_is_short_enough_stays_the_same_array(max_norm):
    g = np.array([3.0])
    p = with_gradients(g)[0]
    assert optim.clip_gradients([p], max_norm) == 3.0
    assert p.grad is g


def test_clipping_needs_no_gradient_but_finite_ones():
    p, idle = with_gradients(np.full(4, 1e30, np.float32))[0], nn.Parameter(np.ones(1))
    assert optim.clip_gradients([p, idle], 1.0) == pytest.approx(2e30)
    np.testing.assert_allclose(p.grad, 0.5, rtol=1e-6)
    assert idle.grad is None and optim.clip_gradients([idle], 1.0) == 0
    for bad in (np.nan, np.inf):
        p.grad = np.array([bad])
        with pytest.raises(FloatingPointError, match="no factor"):
            optim.clip_gradients([p], 1.0)
    for bad in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="max_norm is"):
            optim.clip_gradients([p], bad)


def moons(n=200, seed=3):
    return two_moons(n, 0.1, np.random.default_rng(seed))


def train(seed=4, **how):
    X, y = moons()
    model = mlp(seed, (2, 16, 2))
    options = {"epochs": 40, "batch_size": 32, "progress": False, **how}
    history = training.fit(
        model,
        X,
        y,
        optimizer=optim.SGD(model.parameters(), lr=0.2, momentum=0.9),
        rng=np.random.default_rng(5),
        **options,
    )
    return model, history


def test_fit_learns_two_moons_and_remembers():
    model, history = train(validation=moons(seed=6))
    assert history.validation_accuracy[-1] > 0.97
    assert len(history.step_loss) == 40 * 7
    for kept in (history.train_loss, history.validation_loss, history.seconds):
        assert len(kept) == 40
    assert history.train_loss[0] == np.mean(history.step_loss[:7])
    assert not history.interrupted


def test_fit_is_repeatable_with_a_seed():
    first, second = train(epochs=3), train(epochs=3)
    assert first[1].step_loss == second[1].step_loss
    assert first[1].step_loss != train(seed=5, epochs=3)[1].step_loss


def test_the_schedule_scales_the_learning_rate_and_gives_it_back():
    seen = []

    class Spy(optim.SGD):
        def step(self):
            seen.append(self.lr)
            super().step()

    X, y = moons(60)
    model = mlp(0, (2, 4, 2))
    spy = Spy(model.parameters(), lr=0.4)
    training.fit(
        model,
        X,
        y,
        optimizer=spy,
        rng=np.random.default_rng(0),
        epochs=2,
        batch_size=30,
        schedule=lambda done: 1 - done,
        progress=False,
    )
    assert seen == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert spy.lr == 0.4


def test_an_interrupt_keeps_what_was_learnt():
    class Stopping(optim.SGD):
        steps = 0

        def step(self):
            self.steps += 1
            if self.steps == 9:
                raise KeyboardInterrupt
            super().step()

    X, y = moons()
    model = mlp(4, (2, 16, 2))
    before = [p.data.copy() for p in model.parameters()]
    history = training.fit(
        model,
        X,
        y,
        optimizer=Stopping(model.parameters(), lr=0.1),
        rng=np.random.default_rng(5),
        batch_size=32,
        progress=False,
    )
    assert history.interrupted and len(history.train_loss) == 1
    for p, old in zip(model.parameters(), before, strict=True):
        assert not np.array_equal(p.data, old)


def test_a_loss_that_is_not_finite_stops_with_the_culprit():
    X, y = moons()
    model = mlp(4, (2, 16, 2))
    model.layers[2].W.data[0, 0] = np.inf
    where = r"epoch 1/5, step 1 of 2: .* NaN in .* is layers.2 \(Linear\)"
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=where):
        training.fit(
            model,
            X,
            y,
            optimizer=optim.SGD(model.parameters(), lr=0.1),
            rng=np.random.default_rng(5),
            progress=False,
        )
    with pytest.raises(FloatingPointError, match="layers.2.W"):
        training.check_finite(float("inf"), model)


def test_bad_examples_are_refused_before_anything_happens():
    X, y = moons()
    broken = X.copy()
    broken[17, 1] = np.nan
    for x, labels, message in (
        (broken, y, r"NaN in 1 places of x, the first at index \(17, 1\)"),
        (X[:-1], y, "199 examples and 200 targets"),
        (X[:0], y[:0], "0 examples"),
    ):
        with pytest.raises(ValueError, match=message):
            training.check_examples(x, labels)
    for x, labels, name in ((Tensor(X), y, "x"), (X, Tensor(y), "y")):
        with pytest.raises(TypeError, match=rf"found {name} as a Tensor.*{name}\.data"):
            train_on(x, labels)
    for size in (0, -1, 2.5):
        with pytest.raises(ValueError, match="batch_size: expected a whole number ≥ 1"):
            train_on(X, y, batch_size=size)
    for bad, message in (
        ((X[:0], y[:0]), "validation: 0 examples and 0 targets"),
        ((broken, y), "validation: NaN in 1 places of x"),
        ((X, y[:-1]), "validation: 200 examples and 199 targets"),
    ):
        with pytest.raises(ValueError, match=message):
            train_on(X, y, validation=bad)


def train_on(x, y, sizes=(2, 4, 2), **how):
    """One epoch, silently; give its history."""
    model = mlp(0, sizes)
    how = {"epochs": 1, "progress": False, **how}
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    return training.fit(
        model, x, y, optimizer=optimizer, rng=np.random.default_rng(0), **how
    )


def test_a_history_without_an_epoch_says_so():
    X, y = moons(20)
    for history in (training.History(), train_on(X, y, epochs=0)):
        assert history.summary() == "no epoch has ended yet"
        assert history.train_loss == []


# --- accuracy -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logits", "labels", "share"),
    [
        (np.eye(3), [0, 1, 2], 1.0),
        (np.eye(3), [[0], [1], [2]], 1.0),
        (np.eye(3), [0, 1, 1], 2 / 3),
        ([[5.0], [-5.0]], [[1], [0]], 1.0),
        ([[5.0], [-5.0]], [1, 0], 1.0),
        ([5.0, -5.0, 0.0], [1, 1, 0], 2 / 3),
        ([5.0, -5.0], [True, False], 1.0),
        ([[3.0, 1.0]], [0], 1.0),
        ([[1.0]], [1], 1.0),
    ],
)
def test_accuracy_is_right_for_classes_and_for_one_logit(logits, labels, share):
    found = training.accuracy(np.array(logits), np.array(labels))
    assert found == pytest.approx(share)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.eye(3), np.eye(3, dtype=int), r"\(3, 3\) and \(3, 3\)"),
        (np.eye(3), np.array([0, 1]), r"\(3, 3\) and \(2,\)"),
        (np.eye(3), np.array([[0, 1, 2]]), r"\(3, 3\) and \(1, 3\)"),
        (np.ones((2, 3, 4)), np.array([0, 1]), r"\(2, 3, 4\)"),
        (np.float64(3), np.array(1), r"\(\) and \(\)"),
        (np.ones((3, 1)), np.array([13, 40, 80]), "labels lie in 13 … 80"),
        (np.ones((2, 1)), np.array([1, -1]), "labels lie in -1 … 1"),
    ],
)
def test_accuracy_compares_nothing_by_broadcasting(logits, labels, message):
    with pytest.raises(ValueError, match=f"^accuracy: .*{message}"):
        training.accuracy(logits, labels)


def test_accuracy_asks_for_the_data_of_a_tensor():
    with pytest.raises(TypeError, match=r"\.data"):
        training.accuracy(Tensor(np.eye(3)), np.array([0, 1, 2]))


X60, Y60 = two_moons(60, 0.1, np.random.default_rng(2))
BCE = Tensor.binary_cross_entropy_with_logits
SEEN = {  # loss, sizes, labels, and whether there is an accuracy
    "classes": (Tensor.softmax_cross_entropy, (2, 4, 2), Y60, True),
    "one logit": (BCE, (2, 4, 1), Y60[:, None], True),
    "one logit, bool": (BCE, (2, 4, 1), Y60[:, None] > 0, True),
    "one logit, flat": (lambda o, t: BCE(o.reshape(-1), t), (2, 4, 1), Y60, True),
    "one-hot inside": (lambda o, t: o.mse(np.eye(2)[t]), (2, 4, 2), Y60, True),
    "ages": (Tensor.mse, (2, 4, 1), Y60[:, None] + 40, False),
    "zeros and ones": (Tensor.mse, (2, 4, 1), Y60[:, None], False),
    "counts of two": (Tensor.mse, (2, 4, 2), np.stack([Y60, Y60], 1), False),
    "several labels": (BCE, (2, 4, 2), np.stack([Y60, 1 - Y60], 1), False),
    "shares": (BCE, (2, 4, 1), Y60[:, None] * 0.5, False),
}


@pytest.mark.parametrize("name", SEEN)
def test_an_accuracy_is_recorded_where_there_is_one(name):
    loss, sizes, y, has_one = SEEN[name]
    history = train_on(X60, y, sizes, loss=loss, validation=(X60, y), epochs=2)
    assert len(history.validation_loss) == 2
    assert len(history.validation_accuracy) == 2 * has_one


def test_a_classifier_with_one_logit_is_as_good_as_it_is():
    X, y = moons(400)
    model = mlp(4, (2, 16, 1))
    history = training.fit(
        model,
        X,
        y[:, None],
        optimizer=optim.Adam(model.parameters(), lr=0.02),
        rng=np.random.default_rng(5),
        loss=BCE,
        validation=(X, y[:, None]),
        batch_size=32,
        epochs=30,
        progress=False,
    )
    right = np.mean((training.logits_of(model, X)[:, 0] > 0) == y)
    assert history.validation_accuracy[-1] == right > 0.97


def test_regression_has_no_accuracy():
    X, _ = moons()
    model = mlp(0, (2, 4, 1))
    history = training.fit(
        model,
        X,
        X[:, :1] * 2,
        optimizer=optim.Adam(model.parameters()),
        rng=np.random.default_rng(0),
        loss=Tensor.mse,
        validation=(X, X[:, :1] * 2),
        epochs=2,
        progress=False,
    )
    assert len(history.validation_loss) == 2 and history.validation_accuracy == []


def test_progress_ends_in_one_line_an_epoch(capsys):
    train(epochs=2, progress=True, validation=moons())
    lines = capsys.readouterr().out.strip().split("\n")
    ends = [line.split("\r")[-1] for line in lines if line]
    assert len(ends) == 2
    assert ends[1].startswith("epoch 2/2 |") and "7/7" in ends[1]
    assert "loss" in ends[1] and "accuracy" in ends[1] and "it/s" not in ends[1]


def test_evaluation_records_nothing():
    model = mlp()
    out = training.logits_of(model, np.ones((2500, 4)))
    assert out.shape == (2500, 3)
    assert all(p.grad is None for p in model.parameters())
    assert training.accuracy(np.eye(3), np.array([0, 1, 1])) == pytest.approx(2 / 3)


def test_a_model_replays_from_its_tape():
    model = mlp()
    tape = Tape(model(np.ones((2, 4))).softmax_cross_entropy(np.array([0, 1])))
    tape.backward()
    optim.SGD(model.parameters(), lr=0.1).step()
    fresh = model(np.ones((2, 4))).softmax_cross_entropy(np.array([0, 1]))
    assert tape.forward() == fresh.data


class Overflow(nn.Module):
    """Finite parameters, and an output that is not finite from the third step on."""

    def __init__(self):
        self.inner, self.calls = nn.Sequential(nn.ReLU(), nn.Tanh()), 0

    def forward(self, x):
        self.calls += 1
        return self.inner(x) * (np.inf if self.calls > 2 else 1.0)


def stop(layers, lr=0.1, loss=Tensor.softmax_cross_entropy, y=None):
    """Train until it stops; give the message, and the optimizer."""
    X, labels = moons(300)
    model = nn.Sequential(*layers)
    optimizer = optim.SGD(model.parameters(), lr=lr)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught:
        training.fit(
            model,
            X,
            labels if y is None else y,
            optimizer=optimizer,
            rng=np.random.default_rng(0),
            batch_size=100,
            loss=loss,
            progress=False,
        )
    assert all("forward" not in vars(layer) for layer in layers)
    assert optimizer.lr == lr
    return str(caught.value)


def test_a_loss_that_is_not_finite_names_the_step_and_the_first_layer():
    rng = np.random.default_rng(0)
    layers = [nn.Linear(2, 4, rng), nn.ReLU(), Overflow(), nn.Linear(4, 2, rng)]
    said = stop(layers)
    assert said.startswith("epoch 1/5, step 3 of 3: ")
    assert "first layer whose output is not finite is layers.2 (Overflow)" in said


def test_a_learning_rate_that_is_far_too_large_names_the_first_layer():
    rng = np.random.default_rng(0)
    said = stop([nn.Linear(2, 4, rng), nn.ReLU(), nn.Linear(4, 2, rng)], lr=1e200)
    assert said.startswith("epoch 1/5, step 2 of 3: ")
    assert "not finite is layers.2 (Linear)" in said


def test_a_loss_that_overflows_alone_is_said_to_do_so():
    rng = np.random.default_rng(0)
    far = np.full((300, 1), 1e200)
    said = stop([nn.Linear(2, 1, rng)], loss=Tensor.mse, y=far)
    assert said.startswith("epoch 1/5, step 1 of 3: the loss is inf")
    assert "it is the loss that overflows" in said


def test_other_errors_of_a_step_stay_as_they_are():
    X, y = moons()
    model = mlp(0, (2, 4, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    how = {"optimizer": optimizer, "rng": np.random.default_rng(0), "progress": False}
    with pytest.raises(ValueError, match="^softmax_cross_entropy: labels lie in 0 … 6"):
        training.fit(model, X, y * 6, batch_size=200, **how)


@pytest.fixture
def heard():
    """What a shell starts in its background ignores Ctrl-C; here it is heard."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_a_real_interrupt_returns_what_was_learnt():
    X, y = moons(2000)
    model = mlp(0, (2, 64, 2))
    before = [p.data.copy() for p in model.parameters()]
    timer = threading.Timer(0.5, _thread.interrupt_main)
    timer.start()
    history = training.fit(
        model,
        X,
        y,
        optimizer=optim.Adam(model.parameters()),
        rng=np.random.default_rng(0),
        epochs=100_000,
        progress=False,
        validation=(X, y),
    )
    assert history.interrupted
    for p, old in zip(model.parameters(), before, strict=True):
        assert np.isfinite(p.data).all() and not np.array_equal(p.data, old)
    assert len(history.step_loss) > 1
    np.testing.assert_allclose(history.train_loss[:1], np.mean(history.step_loss[:16]))
