"""A compiled step of training does what `train_step` does, step by step."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from course_utils import nn, optim
from course_utils.compiler import compile_step
from course_utils.data import minibatches
from course_utils.optim import Optimizer
from course_utils.tensor import Tensor
from course_utils.training import train_step
from tests.course_utils.compiler.plain import plain_loops

N, D, K = 12, 5, 4
RTOL = {np.float64: 1e-12, np.float32: 2e-5}

rng = np.random.default_rng(0)
X = rng.standard_normal((N, D))
LABELS = rng.integers(0, K, N)
TARGETS = rng.standard_normal((N, K))


def mlp(activation: type[nn.Module]) -> Callable:
    return lambda rng, dtype: nn.MLP([D, 7, 6, K], rng, activation, dtype=dtype)


def residual(rng, dtype) -> nn.Module:
    inner = nn.Sequential(
        nn.LayerNorm(6, dtype=dtype), nn.Linear(6, 6, rng, dtype=dtype)
    )
    return nn.Sequential(
        nn.Linear(D, 6, rng, dtype=dtype),
        nn.Residual(nn.Sequential(inner, nn.Tanh())),
        nn.Linear(6, K, rng, nn.xavier_normal, dtype),
    )


MODELS = {
    "ReLU": mlp(nn.ReLU),
    "Tanh": mlp(nn.Tanh),
    "Sigmoid": mlp(nn.Sigmoid),
    "Residual, LayerNorm": residual,
}
LOSSES = {
    "softmax": (Tensor.softmax_cross_entropy, lambda dtype: LABELS),
    "mse": (Tensor.mse, TARGETS.astype),
    "BCE": (Tensor.binary_cross_entropy_with_logits, (TARGETS > 0).astype),
    "written out": (lambda z, y: ((z - y) ** 2).sum(axis=1).mean(), TARGETS.astype),
}
OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, 0.1),
    "momentum": lambda p: optim.SGD(p, 0.1, 0.9),
    "momentum, decay": lambda p: optim.SGD(p, 0.1, 0.9, 0.01),
    "Adam": lambda p: optim.Adam(p, 0.01),
    "Adam, decay": lambda p: optim.Adam(p, 0.01, (0.8, 0.99), 1e-6, 0.1),
}


def pair(model: str, optimizer: str, dtype=np.float64) -> list[tuple]:
    """The same network with its optimizer, twice."""
    made = []
    for _ in range(2):
        net = MODELS[model](np.random.default_rng(1), dtype)
        made.append((net, OPTIMIZERS[optimizer](net.parameters())))
    return made


def alike(ours: tuple, theirs: tuple, rtol: float) -> None:
    """Parameters agree, and what the optimizers remember."""
    pairs = [
        (p.data, q.data)
        for p, q in zip(*(x[0].parameters() for x in (ours, theirs)), strict=True)
    ]
    for name in ("velocities", "means", "squares"):
        states = [getattr(x[1], name, []) for x in (ours, theirs)]
        pairs += zip(*states, strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(a, b, rtol, rtol)
        assert a.dtype == b.dtype
    assert getattr(ours[1], "t", []) == getattr(theirs[1], "t", [])


def in_step(model: str, loss: str, optimizer: str, dtype, steps: int = 3) -> None:
    """Run both for some steps, the last on a batch of another size."""
    ours, theirs = pair(model, optimizer, dtype)
    function, targets = LOSSES[loss]
    step = compile_step(ours[0], function, ours[1])
    x, y, rtol = X.astype(dtype), targets(dtype), RTOL[dtype]
    for rows in [slice(0, 8)] * (steps - 1) + [slice(8, N)]:
        found = step(x[rows], y[rows])
        expected = train_step(theirs[0], x[rows], y[rows], theirs[1], function)
        assert found == pytest.approx(expected, rel=rtol, abs=rtol)
        alike(ours, theirs, rtol)


@pytest.mark.parametrize("dtype", RTOL, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize(
    ("model", "loss", "optimizer"), [*product(MODELS, LOSSES, OPTIMIZERS)]
)
def test_every_model_loss_and_optimizer_in_step(model, loss, optimizer, dtype):
    with plain_loops():
        in_step(model, loss, optimizer, dtype)


@pytest.mark.parametrize("dtype", RTOL, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize(
    ("model", "loss", "optimizer"),
    [
        ("ReLU", "softmax", "momentum"),
        ("Tanh", "BCE", "Adam"),
        ("Sigmoid", "mse", "SGD"),
        ("Residual, LayerNorm", "softmax", "Adam, decay"),
    ],
)
def test_compiled_by_numba_in_step(model, loss, optimizer, dtype):
    in_step(model, loss, optimizer, dtype)


def test_every_optimizer_and_module_is_met():
    modules = {"Linear", "ReLU", "Sigmoid", "Tanh", "Sequential", "LayerNorm"}
    modules |= {"Residual", "MLP"}
    # In test_modules.py:
    modules |= {"Conv2d", "MaxPool2d", "MeanPool2d", "Flatten", "Dropout", "BatchNorm"}
    made = {
        name
        for name, kind in vars(nn).items()
        if isinstance(kind, type)
        and issubclass(kind, nn.Module)
        and kind is not nn.Module
    }
    assert made == modules
    heirs = {
        kind.__name__
        for kind in Optimizer.__subclasses__()
        if kind.__module__ == "course_utils.optim"
    }
    assert heirs == {"SGD", "Adam"}


# --- how it is used -------------------------------------------------------------------


pytestmark = pytest.mark.usefixtures("plain")


def network(dtype=np.float64):
    net = MODELS["ReLU"](np.random.default_rng(1), dtype)
    return net, optim.SGD(net.parameters(), 0.1, 0.9)


CE = Tensor.softmax_cross_entropy


def test_rows_are_gathered():
    ours, theirs = network(), network()
    step = compile_step(ours[0], CE, ours[1])
    draw = np.random.default_rng(2)
    for _ in range(3):
        rows = draw.permutation(N)[:6]
        found = step(X, LABELS, rows)
        expected = train_step(theirs[0], X[rows], LABELS[rows], theirs[1], CE)
        assert found == pytest.approx(expected, rel=1e-12)
    found = step(X, LABELS, [-1, 0, 5, 5, 2, -12])
    rows = np.array([-1, 0, 5, 5, 2, -12])
    assert found == pytest.approx(
        train_step(theirs[0], X[rows], LABELS[rows], theirs[1], CE), rel=1e-12
    )
    alike(ours, theirs, 1e-12)
    assert [len(plans) for plans in step.plans.values()] == [1]


def test_numba_gathers_rows_as_numpy_does():
    ours, theirs = network(np.float32), network(np.float32)
    step = compile_step(ours[0], CE, ours[1])
    x = X.astype(np.float32)
    for rows in (np.arange(11), np.arange(11)[::-1], np.arange(11) - 5):
        found = step(x, LABELS, rows)
        expected = train_step(theirs[0], x[rows], LABELS[rows], theirs[1], CE)
        assert found == pytest.approx(expected, rel=1e-5)
    alike(ours, theirs, 2e-5)


@pytest.mark.parametrize("bad", [N, -N - 1])
def test_a_row_that_is_not_there_is_named(bad):
    net, optimizer = network()
    step = compile_step(net, CE, optimizer)
    rows = np.array([0, bad, 1])
    with pytest.raises(IndexError, match=f"index {bad} is out of bounds"):
        step(X, LABELS, rows)
    step(X, LABELS, np.array([0, 1, 2]))
    with pytest.raises(IndexError, match=f"step 2: there is no row {bad} among {N}"):
        step(X, LABELS, rows)


def test_a_whole_training_with_a_schedule_in_step():
    ours, theirs = network(), network()
    step = compile_step(ours[0], CE, ours[1])
    for k, (x, y) in enumerate(minibatches(X, LABELS, 5, np.random.default_rng(3))):
        ours[1].lr = theirs[1].lr = 0.1 / (k + 1)
        found = step(x, y)
        assert found == pytest.approx(train_step(theirs[0], x, y, theirs[1], CE))
    alike(ours, theirs, 1e-12)
    assert step.count == 3 and sorted(k[0][0] for k in step.plans) == [2, 5]


def test_changed_hyperparameters_are_seen():
    ours, theirs = network(), network()
    step = compile_step(ours[0], CE, ours[1])
    changes = [{}, {"lr": 0.01}, {"momentum": 0.5}, {"momentum": 0.0}]
    changes += [{"weight_decay": 0.1}, {"momentum": 0.9, "weight_decay": 0.0}]
    for change in changes:
        for optimizer in (ours[1], theirs[1]):
            vars(optimizer).update(change)
        found = step(X, LABELS)
        assert found == pytest.approx(train_step(theirs[0], X, LABELS, theirs[1], CE))
    alike(ours, theirs, 1e-12)
    # Momentum or none, decay or none: `if` on a number makes plans of their own.
    assert [len(plans) for plans in step.plans.values()] == [3]


def test_parameters_stay_where_they_are_and_get_no_gradient():
    net, optimizer = network()
    arrays = [p.data for p in net.parameters()]
    step = compile_step(net, CE, optimizer)
    assert isinstance(step(X, LABELS), float)
    assert all(p.data is a for p, a in zip(net.parameters(), arrays, strict=True))
    assert all(p.grad is None for p in net.parameters())


def test_lists_integers_and_tensors_serve_as_a_batch():
    ours, theirs = network(), network()
    step = compile_step(ours[0], CE, ours[1])
    x = (10 * X).astype(int)
    for given in (x, x.tolist(), Tensor(x.astype(float), requires_grad=False)):
        found = step(given, LABELS.tolist())
        assert found == pytest.approx(
            train_step(theirs[0], x, LABELS, theirs[1], CE), rel=1e-12
        )


def test_a_batch_may_lie_in_memory_as_it_likes():
    ours, theirs = network(), network()
    step = compile_step(ours[0], CE, ours[1])
    for x in (X, np.asfortranarray(X), X[::-1], np.repeat(X, 2, axis=1)[:, ::2]):
        found = step(x, LABELS)
        assert found == pytest.approx(train_step(theirs[0], x, LABELS, theirs[1], CE))
    alike(ours, theirs, 1e-12)


def test_two_steps_of_one_shape_share_their_loops():
    first, second = network(), network()
    for net, optimizer in (first, second):
        compile_step(net, CE, optimizer)(X, LABELS)
    step = compile_step(*first[:1], CE, first[1])
    with pytest.raises(ValueError, match="no plan before the first step"):
        _ = step.source
    step(X, LABELS)
    assert step.source.count("def loop_") < 8 and step.source.count("loop_") > 12


# --- its source -----------------------------------------------------------------------


def test_the_source_reads_as_the_step():
    net, optimizer = network()
    step = compile_step(net, CE, optimizer)
    step(X, LABELS)
    source = step.source
    compile(source, "<source>", "exec")  # it is Python
    for text in (
        "np.matmul(x, layers_0_W, out=linear_1)",
        "relu(",
        "relu_vjp(",
        "np.matmul(x.T, ",
        "momentum = optimizer.momentum",
        "return None  # a guard does not hold",
    ):
        assert text in source
    loops, _, body = source.partition("def step(x, y):")
    assert (
        "np.exp(" in loops and loops.count("np.exp(") == 1
    )  # softmax: once, not twice
    assert all(len(line) <= 88 for line in source.splitlines())
    assert "optimizer." not in loops and ".grad" not in body


def test_no_gradient_for_the_data_is_computed():
    net, optimizer = network()
    step = compile_step(net, CE, optimizer)
    step(X, LABELS)
    assert step.source.count("np.matmul(") == 3 + 3 + 2


def test_adam_counts_the_steps_of_each_parameter():
    net = MODELS["ReLU"](np.random.default_rng(1), np.float64)
    optimizer = optim.Adam(net.parameters())
    step = compile_step(net, CE, optimizer)
    for _ in range(3):
        step(X, LABELS)
    body = step.source.partition("def step(x, y):")[2]
    assert (
        "optimizer.t[5] = " in body and body.count("** update_") == 2 * 6
    )  # b₁ᵗ and b₂ᵗ
    assert optimizer.t == [3] * 6 and type(optimizer.t[0]) is int


def test_memory_is_told_and_shared():
    net, optimizer = network()
    step = compile_step(net, CE, optimizer)
    step(X, LABELS)
    apart = sum(life.size for life in step.plan.lives.values())
    assert 0 < step.plan.size < apart + 64 * len(step.plan.lives)
