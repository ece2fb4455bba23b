"""A gradient check of every parameter of a small network, ours beside PyTorch's.

64–32–10, tanh, softmax cross-entropy, a batch of 100, float64. Each computes the
gradients of its own loss and checks them against its own central differences, as its
users would call it; all 2,410 parameters are nudged by both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.harness import Case, Entrant, gather
from course_utils import functional as F
from course_utils.gradcheck import gradcheck
from course_utils.tensor import Tensor, linear

SIZES, BATCH = (64, 32, 10), 100
QUICK_SIZES, QUICK_BATCH = (6, 4, 3), 5

TOLERANCE = {
    "gradients": (1e-12, 0),  # float64, sums in another order
    "parameters checked": (0, 0),
    "found right": (0, 0),
}


def network(sizes, batch: int) -> tuple[np.ndarray, np.ndarray, dict]:
    """Inputs, labels, and parameters by name."""
    rng = np.random.default_rng(0)
    n_in, n_hidden, n_out = sizes
    X, labels = rng.standard_normal((batch, n_in)), rng.integers(0, n_out, batch)
    parameters = {
        "W1": rng.standard_normal((n_in, n_hidden)) / np.sqrt(n_in),
        "b1": 0.1 * rng.standard_normal(n_hidden),
        "W2": rng.standard_normal((n_hidden, n_out)) / np.sqrt(n_hidden),
        "b2": 0.1 * rng.standard_normal(n_out),
    }
    return X, labels, parameters


def ours(
    X: np.ndarray, labels: np.ndarray, parameters: dict, made: Callable = lambda f: f
) -> Entrant:
    """Gradients from the tape, checked by `gradcheck` on the plain function."""
    found: dict = {}

    @made
    def loss(W1, b1, W2, b2):
        hidden = F.tanh(F.linear(X, W1, b1))
        return F.softmax_cross_entropy(F.linear(hidden, W2, b2), labels)

    def work() -> None:
        p = {name: Tensor(array) for name, array in parameters.items()}
        hidden = linear(X, p["W1"], p["b1"]).tanh()
        linear(hidden, p["W2"], p["b2"]).softmax_cross_entropy(labels).backward()
        grads = {name: tensor.grad for name, tensor in p.items()}
        found["report"] = gradcheck(loss, parameters, grads)
        found["grads"] = grads

    def answer() -> dict:
        checks = found["report"].checks
        return {
            "gradients": np.concatenate([g.ravel() for g in found["grads"].values()]),
            "parameters checked": sum(check.numeric.size for check in checks),
            "found right": bool(found["report"]),
        }

    return Entrant("ours", work, answer=answer)


def compiled(
    X: np.ndarray, labels: np.ndarray, parameters: dict, facts: dict
) -> Entrant:
    """The same, the loss recorded once and replayed for every nudge."""
    from course_utils.compiler import compile_loss

    entrant = ours(X, labels, parameters, compile_loss)
    began = time.perf_counter()
    entrant.work()
    facts["apart"] = {"recording and compiling": time.perf_counter() - began}
    return replace(entrant, name="ours: compiled")


def by_torch(
    X: np.ndarray, labels: np.ndarray, parameters: dict, threads: int
) -> Entrant:
    """`torch.autograd.gradcheck` as it comes; it raises where a gradient is wrong."""
    import torch

    torch.set_num_threads(threads)
    X_t, labels_t = torch.from_numpy(X), torch.from_numpy(labels)
    inputs = [torch.tensor(p, requires_grad=True) for p in parameters.values()]
    found: dict = {}

    def loss(W1, b1, W2, b2):
        hidden = torch.tanh(torch.addmm(b1, X_t, W1))
        logits = torch.addmm(b2, hidden, W2)
        return torch.nn.functional.cross_entropy(logits, labels_t)

    def work() -> None:
        found["right"] = torch.autograd.gradcheck(loss, inputs)

    def answer() -> dict:
        grads = torch.autograd.grad(loss(*inputs), inputs)
        return {
            "gradients": np.concatenate([g.numpy().ravel() for g in grads]),
            "parameters checked": sum(p.numel() for p in inputs),
            "found right": found["right"],
        }

    return Entrant("torch", work, answer=answer)


def case(name: str, threads: int, quick: bool = False, only: tuple = ()) -> Case:
    """Both checkers on the same network."""
    sizes, batch = (QUICK_SIZES, QUICK_BATCH) if quick else (SIZES, BATCH)
    task = network(sizes, batch)
    what = "gradient check of every parameter, 64–32–10, tanh, batch 100, float64"
    facts: dict = {}
    peers: dict[str, Callable[[], Entrant]] = {
        "ours: compiled": lambda: compiled(*task, facts),
        "torch": lambda: by_torch(*task, threads),
    }
    built = Case(name, what, [ours(*task)], TOLERANCE, facts=facts)
    return built if only == ("ours",) else gather(built, peers, only)
