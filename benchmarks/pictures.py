"""The convolutional network of notebook 13: an epoch, and the memory of one step.

Both beside PyTorch's eager loop, from the same weights, on the same batches.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.harness import Case, Entrant, gather
from benchmarks.memory import megabytes
from benchmarks.mnist import Task, planned
from benchmarks.mnist_peers import torch_epoch
from course_utils import data, nn, optim
from course_utils.pictures import conv2d
from course_utils.tensor import Tensor
from course_utils.training import train_step

LR, BATCH = 0.001, 64
# Round 0 is six steps; float32, and Adam divides by gradients that are nearly 0.
TOLERANCE = {
    "losses": (1e-4, 0),
    "weights": (1e-3, 0),
    "mean loss of the epoch": (2e-2, 0),
}


def reader(rng: np.random.Generator) -> nn.Module:
    """The network of notebook 13."""
    f32 = {"dtype": np.float32}
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 5, rng, **f32), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(8, 16, 5, rng, **f32), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(256, 10, rng, **f32)),
    )


def task(rows: int | None = None) -> Task:
    """The work: pictures, first weights, batches of 64."""
    x, y, *_ = data.mnist()
    x, y = x[:rows].reshape(-1, 1, 28, 28), y[:rows]
    weights = [p.data for p in reader(np.random.default_rng(1)).parameters()]
    return Task([], BATCH, x, y, weights, steps=6)


def tape(t: Task) -> Entrant:
    """Ours, as in the notebook."""
    t, optimizer = t.copy(), None
    model = reader(np.random.default_rng(1))

    def reset(number: int) -> None:
        nonlocal optimizer
        t.start(number)
        for p, w in zip(model.parameters(), t.weights, strict=True):
            p.data, p.grad = w.copy(), None
        optimizer = optim.Adam(model.parameters(), LR)

    def work() -> None:
        for rows in t.order():
            step = model, t.x[rows], t.y[rows], optimizer
            t.losses.append(train_step(*step, Tensor.softmax_cross_entropy))

    def answer() -> dict:
        return t.answer([p.data for p in model.parameters()])

    return Entrant("ours: tape", work, reset, answer)


def compiled(t: Task, facts: dict) -> Entrant:
    """The same step as a plan, which gathers its batch itself; making it is apart."""
    from course_utils.compiler import compile_step

    model = reader(np.random.default_rng(1))
    optimizer = optim.Adam(model.parameters(), LR)
    step = compile_step(model, Tensor.softmax_cross_entropy, optimizer)

    def reset(number: int) -> None:
        t.start(number)
        for p, w in zip(model.parameters(), t.weights, strict=True):
            p.data = w.copy()
        optimizer.t[:] = [0] * len(optimizer.t)
        for moment in (*optimizer.means, *optimizer.squares):
            moment[...] = 0

    return planned(t, model, step, reset, facts)


def torch_eager(t: Task, threads: int) -> Entrant:
    """The same in torch, eager, as its users write it."""
    import torch

    torch.set_num_threads(threads)
    x_all, y_all = torch.from_numpy(t.x), torch.from_numpy(t.y)
    model = optimizer = None

    def reset(number: int) -> None:
        nonlocal model, optimizer
        t.start(number)
        model = torch_reader(torch)
        for p, w in zip(model.parameters(), t.weights, strict=True):
            p.data = torch.tensor(w.T.copy() if w.ndim == 2 else w)
        optimizer = torch.optim.Adam(model.parameters(), LR)

    def work() -> None:
        torch_epoch(t, x_all, y_all, model, optimizer)

    def answer() -> dict:
        arrays = [p.detach().numpy() for p in model.parameters()]
        return t.answer([a.T if a.ndim == 2 else a for a in arrays])

    return Entrant("torch eager", work, reset, answer)


def torch_reader(torch):
    """The network in torch, with the same modules in the same order."""
    T = torch.nn
    return T.Sequential(
        *(T.Conv2d(1, 8, 5), T.MaxPool2d(2), T.ReLU()),
        *(T.Conv2d(8, 16, 5), T.MaxPool2d(2), T.ReLU()),
        *(T.Flatten(), T.Linear(256, 10)),
    )


def case(name: str, threads: int, quick: bool = False, only: tuple = ()) -> Case:
    """An epoch of the convolutional network."""
    t = task(512 if quick else None)
    what = "one MNIST epoch of notebook 13's convolutional network, batch 64, Adam"
    built = Case(name, what, [tape(t)], TOLERANCE)
    peers = {
        "ours: compiled": lambda: compiled(t.copy(), built.facts),
        "torch eager": lambda: torch_eager(t.copy(), threads),
    }
    return gather(built, peers, only)


# --- memory ---------------------------------------------------------------------------


def step_of_ours(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> None:
    """One convolution and its way back, to all three inputs."""
    conv2d(Tensor(x), Tensor(W), Tensor(b)).sum().backward()


def step_of_torch(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> None:
    """The same in torch."""
    import torch

    leaves = [torch.from_numpy(a).requires_grad_() for a in (x, W, b)]
    torch.nn.functional.conv2d(*leaves).sum().backward()


STEPS = {"ours: tape": step_of_ours, "torch eager": step_of_torch}


def memory_of(entrant: str, n: int) -> float:
    """Megabytes of one step above those of its inputs, after a tiny step."""
    if entrant == "torch eager":
        import torch

        torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    W, b = rng.random((32, 16, 3, 3), np.float32), np.zeros(32, np.float32)
    x = rng.random((n, 16, 28, 28), np.float32)
    STEPS[entrant](x[:1].copy(), W, b)  # what is loaded at the first call
    before = megabytes()
    STEPS[entrant](x, W, b)
    return megabytes() - before


def memory_case(name: str, threads: int, quick: bool = False, only: tuple = ()) -> Case:
    """Peak memory of a convolution's step, each in a process of its own."""
    n, root = 64 if quick else 512, Path(__file__).resolve().parents[1]

    def gauge(entrant: str) -> float:
        command = [sys.executable, "-m", "benchmarks.pictures", entrant, str(n)]
        run = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE)
        return float(run.stdout)

    names = [n for n in STEPS if not only or n in only or only == (n.split(":")[0],)]
    entrants = [Entrant(n, partial(gauge, n), gauge=True) for n in names]
    what = f"peak memory of a convolution's step, {n} pictures, 16 to 32 channels"
    return Case(name, what, entrants, unit="MB", warm_up=0)


if __name__ == "__main__":
    print(memory_of(sys.argv[1], int(sys.argv[2])))
