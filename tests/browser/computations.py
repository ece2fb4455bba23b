"""Computations to be stepped through: output, names, and the same by PyTorch.

Each gives `(output, names, gradients)`; the last computes torch's gradients by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils import nn, viz
from course_utils.scalar import Value
from course_utils.tape import Tape
from course_utils.tensor import Tensor

Made = tuple[Any, Any, Callable[[], dict[str, Any]]]


def by_torch(formula: Callable[..., Any], values: dict[str, Any]) -> dict[str, Any]:
    """The gradients of `formula(**values)`; torch is imported when they are wanted."""
    import torch

    inputs = {k: torch.tensor(v, dtype=torch.float64) for k, v in values.items()}
    for x in inputs.values():
        x.requires_grad_()
    formula(**inputs).backward()
    return {name: x.grad.numpy() for name, x in inputs.items()}


def fork() -> Made:
    """A fraction in which x and y are used three times and twice."""

    def formula(x: Any, y: Any) -> Any:
        return (x + y.sigmoid()) / (x.sigmoid() + (x + y) ** 2)

    start = {"x": 3.0, "y": -4.0}
    ours = {name: Value(value) for name, value in start.items()}
    out = formula(**ours)
    return out, {**ours, "F": out}, lambda: by_torch(formula, start)


WEIGHTS = {"w₁₁": 6.0, "w₁₂": -3.0, "w₂₁": -2.0, "w₂₂": 5.0}
WEIGHTS |= {"v₁₁": 1.0, "v₁₂": -2.0, "v₂₁": 0.25, "v₂₂": 2.0}


def network() -> Made:
    """Eight weights, 33 nodes: two inputs, two hidden neurons, two outputs."""

    def formula(**w: Any) -> Any:
        x1, x2 = inputs
        h = [(x1 * w[f"w₁{j}"] + x2 * w[f"w₂{j}"]).sigmoid() for j in "₁₂"]
        y = [(h[0] * w[f"v₁{j}"] + h[1] * w[f"v₂{j}"]).sigmoid() for j in "₁₂"]
        return (y[0] - 1.0) ** 2 + (y[1] - 0.0) ** 2

    ours = {name: Value(value) for name, value in WEIGHTS.items()}
    inputs = [Value(v, requires_grad=False) for v in (3.0, 1.0)]
    out = formula(**ours)
    inputs = [3.0, 1.0]
    return out, {**ours, "loss": out}, lambda: by_torch(formula, WEIGHTS)


def arrays() -> Made:
    """One layer of a network: a broadcast to be undone, and a path that joins."""
    rng = np.random.default_rng(1)
    start = {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=3)}
    X = rng.normal(size=(5, 4))

    def theirs(W: Any, b: Any) -> Any:
        h = (W.new_tensor(X) @ W + b).tanh()
        return (h * h).mean()

    ours = {name: Tensor(value) for name, value in start.items()}
    h = (Tensor(X, requires_grad=False) @ ours["W"] + ours["b"]).tanh()
    return (h * h).mean(), {**ours, "h": h}, lambda: by_torch(theirs, start)


def model() -> Made:
    """A network of modules, folded."""
    rng = np.random.default_rng(2)
    net = nn.MLP([4, 5, 3], rng)
    X = Tensor(rng.normal(size=(6, 4)), requires_grad=False)
    return net(X).softmax_cross_entropy(np.array([0, 1, 2, 0, 1, 2])), net, dict


def broken() -> Made:
    """A square, for an engine that assigns gradients."""
    x = Value(3.0)
    return x * x, {"x": x}, dict


def assigning(output: Any) -> None:
    """A backward pass with = where += belongs."""
    output.grad = 1.0
    for node in reversed(Tape(output).operations):
        data = [x.data for x in node.inputs]
        for x, part in zip(
            node.inputs, node.op.vjp(node.grad, node.data, *data), strict=True
        ):
            x.grad = part


OPTIONS: dict[str, dict[str, Any]] = {
    "fork": {"title": "A fork & <three> paths"},
    "network": {"title": "Eight weights"},
    "arrays": {},
    "model": {"title": "Two modules"},
    "broken": {"backward": {"assigned": assigning, "added": None}},
}


def show(name: str) -> None:
    """Step through one of them, as a cell of a notebook does."""
    output, names, _ = globals()[name]()
    folds = {"groups": names} if name == "model" else {}
    viz.step(output, names, **OPTIONS[name], **folds)
