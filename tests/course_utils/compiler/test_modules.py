"""Modules of 13 and 14 in a compiled step: windows, chance, statistics, attention."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from course_utils import nn, optim
from course_utils.attention import (
    Embedding,
    MultiHeadAttention,
    Positions,
    TransformerBlock,
)
from course_utils.compiler import compile_step
from course_utils.tensor import Tensor
from course_utils.training import train_step

X, LABELS = np.random.default_rng(1).normal(size=(6, 1, 8, 8)), np.arange(6) % 4
CE = Tensor.softmax_cross_entropy


def conv(rng):
    return [nn.Conv2d(1, 3, 3, rng, padding=1), nn.ReLU(), nn.MaxPool2d(2)], 48


def strided(rng):
    return [nn.Conv2d(1, 3, (3, 2), rng, stride=2), nn.Tanh(), nn.MeanPool2d(2, 1)], 18


def dropout(rng):
    return [nn.Flatten(), nn.Dropout(0.5, np.random.default_rng(3))], 64


def norm_of_features(rng):
    return [nn.Flatten(), nn.Linear(64, 8, rng), nn.BatchNorm(8), nn.ReLU()], 8


def norm_of_channels(rng):
    return [nn.Conv2d(1, 3, 3, rng), nn.BatchNorm(3), nn.ReLU()], 108


KINDS = (conv, strided, dropout, norm_of_features, norm_of_channels)


def made(kind: Callable, dtype=np.float64):
    rng = np.random.default_rng(0)
    layers, width = kind(rng)
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(width, 4, rng))
    for p in net.parameters():
        p.data = p.data.astype(dtype)
    return net, optim.SGD(net.parameters(), lr=0.1, momentum=0.9)


def everything(net: nn.Module) -> list[np.ndarray]:
    """Parameters, running statistics among them."""
    return [p.data for _, p in net.named_parameters()]


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_those_of_the_interpreter(kind):
    (net, optimizer), (other, theirs) = made(kind), made(kind)
    step = compile_step(net, CE, optimizer)
    for n in (6, 6, 5, 6):  # another size, and back
        ours = step(X[:n], LABELS[:n])
        expected = train_step(other, X[:n], LABELS[:n], theirs, CE)
        np.testing.assert_allclose(ours, expected, 1e-12)
    for a, b in zip(everything(net), everything(other), strict=True):
        np.testing.assert_allclose(a, b, 1e-9, 1e-12)
    assert len(step.plans) == 2


@pytest.mark.parametrize("kind", [dropout, norm_of_features])
def test_a_module_that_does_not_train_has_a_plan_of_its_own(kind):
    (net, optimizer), (other, theirs) = made(kind), made(kind)
    step = compile_step(net, CE, optimizer)
    for mode in ("train", "eval", "train"):
        getattr(net, mode)()
        getattr(other, mode)()
        ours = step(X, LABELS)
        np.testing.assert_allclose(
            ours, train_step(other, X, LABELS, theirs, CE), 1e-12
        )
    for a, b in zip(everything(net), everything(other), strict=True):
        np.testing.assert_allclose(a, b, 1e-9, 1e-12)
    assert [len(plans) for plans in step.plans.values()] == [2]


# --- attention ------------------------------------------------------------------------

TOKENS = np.random.default_rng(2).integers(0, 7, (6, 5))


class Reader(nn.Module):
    """Tokens or vectors (B, N, 8), some layers, their mean over the tokens, logits."""

    def __init__(self, *layers: nn.Module):
        self.layers = nn.Sequential(*layers)
        self.last = nn.Linear(8, 4, np.random.default_rng(9))

    def forward(self, x):
        """Logits."""
        return self.last(self.layers(x).mean(axis=1))


def words(rng, *layers):
    return Reader(Embedding(7, 8, rng), *layers)


READERS = {
    "embedding": words,
    "positions": lambda rng: words(rng, Positions(6, 8, rng)),
    "attention": lambda rng: words(rng, MultiHeadAttention(8, 2, rng)),
    "causal": lambda rng: words(rng, MultiHeadAttention(8, 4, rng, causal=True)),
    "norm": lambda rng: words(rng, nn.LayerNorm(8)),
    "block": lambda rng: words(rng, TransformerBlock(8, 2, rng)),
    "two blocks": lambda rng: words(
        rng,
        Positions(5, 8, rng),
        TransformerBlock(8, 2, rng, causal=True),
        TransformerBlock(8, 4, rng),
    ),
    "vectors": lambda rng: Reader(Positions(5, 8, rng), TransformerBlock(8, 2, rng)),
}
OPTIMIZERS = {  # the gradient of a key's bias is 0, rounded: eps is far above that
    "momentum": lambda parameters: optim.SGD(parameters, lr=0.1, momentum=0.9),
    "Adam": lambda parameters: optim.Adam(parameters, 0.01, eps=1e-4),
}


def batches(kind: str) -> list[np.ndarray]:
    """Tokens of several steps, also fewer, shorter and others; or their vectors."""
    found = [TOKENS, TOKENS[::-1], TOKENS[:4], TOKENS[:, :3], (TOKENS + 1) % 7, TOKENS]
    table = np.random.default_rng(4).normal(size=(7, 8))
    return [table[x] for x in found] if kind == "vectors" else found


@pytest.mark.parametrize("how", OPTIMIZERS)
@pytest.mark.parametrize("kind", READERS)
def test_steps_of_attention_are_those_of_the_interpreter(kind, how):
    nets = [READERS[kind](np.random.default_rng(0)) for _ in "12"]
    optimizer, theirs = (OPTIMIZERS[how](net.parameters()) for net in nets)
    step = compile_step(nets[0], CE, optimizer)
    for x in batches(kind):
        expected = train_step(nets[1], x, LABELS[: len(x)], theirs, CE)
        np.testing.assert_allclose(step(x, LABELS[: len(x)]), expected, 1e-12)
    for a, b in zip(*map(everything, nets), strict=True):
        np.testing.assert_allclose(a, b, 1e-9, 1e-12)
    # Where attention keeps weights: a plan also for the shape left by the step before.
    assert max(map(len, step.plans.values())) <= 3


def test_the_weights_of_the_last_step_can_be_looked_at():
    nets = [READERS["causal"](np.random.default_rng(0)) for _ in "12"]
    optimizer, theirs = (OPTIMIZERS["momentum"](net.parameters()) for net in nets)
    step = compile_step(nets[0], CE, optimizer)
    for x in batches("causal"):
        step(x, LABELS[: len(x)])
        train_step(nets[1], x, LABELS[: len(x)], theirs, CE)
        found, expected = (net.layers.layers[1].weights for net in nets)
        np.testing.assert_allclose(found, expected, 1e-9, 1e-12)


@pytest.mark.parametrize(
    ("bad", "kind", "match"),
    [
        (TOKENS + 1, ValueError, r"step 2.*numbers in 0 … 6.*found 1 … 7"),
        (TOKENS - 1, ValueError, r"step 2.*numbers in 0 … 6.*found -1 … 5"),
        (TOKENS * 1.0, TypeError, r"step 2.*expected whole numbers, found float64"),
    ],
)
def test_a_token_that_is_not_in_the_table_is_an_error_in_any_step(bad, kind, match):
    net = words(np.random.default_rng(0))
    step = compile_step(net, CE, optim.SGD(net.parameters(), lr=0.1))
    step(TOKENS, LABELS)
    before = [x.copy() for x in everything(net)]
    with pytest.raises(kind, match=match):
        step(bad, LABELS)
    for a, b in zip(before, everything(net), strict=True):
        np.testing.assert_array_equal(a, b)
    step(TOKENS, LABELS)
