"""Modules of notebook 13 in a compiled step: windows, chance, running statistics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from course_utils import nn, optim
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
