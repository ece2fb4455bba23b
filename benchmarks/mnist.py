"""MNIST epochs on our tape and on our explicit layers; the matrix products alone.

What the notebooks teach, used as they use it: `nn`, `optim`, `data.minibatches` and
`training.train_step`, nothing special for the clock. The peers are in `mnist_peers`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.harness import Case, Entrant, gather
from course_utils import data, layers, nn, optim
from course_utils.tensor import Tensor
from course_utils.training import train_step

SIZES = {
    "mnist-256": ([784, 256, 10], 128),
    "mnist-64": ([784, 64, 10], 64),
    "mnist-512-256": ([784, 512, 256, 10], 128),
}
LR, MOMENTUM = 0.05, 0.9
# The answers of round 0 are those after so many steps. In the seventh step of the
# deepest network the input of one ReLU is 2e-8: rounding decides on which side of 0 it
# falls, and so whether a gradient passes. From there on right answers differ by 1e-4.
STEPS = {"mnist-256": 10, "mnist-64": 10, "mnist-512-256": 6}

# float32 keeps 6e-8. Two orders of summing 784 products differ by some 1e-6; ten steps
# with momentum make ten times that of it, and the whole epoch a hundred times more.
TOLERANCE = {
    "losses": (1e-5, 0),
    "weights": (1e-5, 0),
    "mean loss of the epoch": (1e-3, 0),
}


@dataclass
class Task:
    """The same work for all: data, first weights, and the batches of each round.

    Every entrant has its own copy (the arrays are shared), and fills `losses`, a number
    a step.
    """

    sizes: list[int]
    batch_size: int
    x: np.ndarray
    y: np.ndarray
    weights: list[np.ndarray]
    steps: int
    number: int = 0
    losses: list = field(default_factory=list)

    def copy(self) -> Task:
        """The same task for another entrant."""
        return replace(self, losses=[])

    def start(self, number: int) -> None:
        """Begin a round: the next batches, and no losses yet."""
        self.number, self.losses = number, []

    @property
    def rows(self) -> int:
        """How many examples to draw batches from: few in round 0."""
        few = self.steps * self.batch_size
        return min(few, len(self.x)) if self.number == 0 else len(self.x)

    def rng(self) -> np.random.Generator:
        """The generator whose permutation shuffles the examples of this round."""
        return np.random.default_rng(self.number)

    def order(self) -> np.ndarray:
        """Rows of all batches of this round, (steps, batch_size), as ours draws them.

        Only full batches, so that what is compiled is compiled for one shape.
        """
        steps = self.rows // self.batch_size
        order = self.rng().permutation(self.rows)[: steps * self.batch_size]
        return order.reshape(steps, self.batch_size)

    def answer(self, weights: list[np.ndarray]) -> dict:
        """Losses and weights after the short round 0, else the mean loss alone."""
        losses = np.array([float(loss) for loss in self.losses])
        if self.number:
            return {"mean loss of the epoch": losses.mean()}
        flat = np.concatenate([np.ravel(w) for w in weights])
        return {"losses": losses, "weights": flat}


def task(name: str, rows: int | None = None) -> Task:
    """The work of a case; with `rows`, on so many random examples instead of MNIST."""
    sizes, batch_size = SIZES[name]
    if rows is None:
        x, y, *_ = data.mnist()
    else:
        rng = np.random.default_rng(0)
        x = rng.random((rows, sizes[0]), dtype=np.float32)
        y = rng.integers(0, sizes[-1], rows)
    model = nn.MLP(sizes, np.random.default_rng(1), dtype=np.float32)
    weights = [p.data for p in model.parameters()]
    return Task(sizes, batch_size, x, y, weights, STEPS[name])


# --- ours -----------------------------------------------------------------------------


def tape(t: Task) -> Entrant:
    """`nn` on the tape, as in notebook 09."""
    t, optimizer = t.copy(), None
    model = nn.MLP(t.sizes, np.random.default_rng(1), dtype=np.float32)

    def reset(number: int) -> None:
        nonlocal optimizer
        t.start(number)
        for p, w in zip(model.parameters(), t.weights, strict=True):
            p.data, p.grad = w.copy(), None
        optimizer = optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)

    def work() -> None:
        x, y = t.x[: t.rows], t.y[: t.rows]
        loss = Tensor.softmax_cross_entropy
        for x_batch, y_batch in data.minibatches(
            x, y, t.batch_size, t.rng(), drop_last=True
        ):
            t.losses.append(train_step(model, x_batch, y_batch, optimizer, loss))

    def answer() -> dict:
        return t.answer([p.data for p in model.parameters()])

    return Entrant("ours: tape", work, reset, answer)


def compiled(t: Task, facts: dict) -> Entrant:
    """The same step as a plan, which gathers its batch itself; making it is apart."""
    t = t.copy()
    step, model, optimizer = compiled_step(t)

    def reset(number: int) -> None:
        t.start(number)
        for p, w, v in zip(
            model.parameters(), t.weights, optimizer.velocities, strict=True
        ):
            p.data, v[...] = w.copy(), 0

    return planned(t, model, step, reset, facts)


def compiled_step(t: Task) -> tuple:
    """The step, not yet recorded, with its model and optimizer."""
    from course_utils.compiler import compile_step

    model = nn.MLP(t.sizes, np.random.default_rng(1), dtype=np.float32)
    optimizer = optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
    step = compile_step(model, Tensor.softmax_cross_entropy, optimizer)
    return step, model, optimizer


def planned(t: Task, model: nn.Module, step, reset, facts: dict) -> Entrant:
    """Steps by a plan; what the first two take is told apart.

    The first makes the plan, the second compiles what gathers its rows.
    """

    def work() -> None:
        for rows in t.order():
            t.losses.append(step(t.x, t.y, rows))

    reset(0)
    began = time.perf_counter()
    for rows in t.order()[:2]:
        step(t.x, t.y, rows)
    facts["apart"] = {"recording and compiling": time.perf_counter() - began}
    answer = lambda: t.answer([p.data for p in model.parameters()])  # noqa: E731
    return Entrant("ours: compiled", work, reset, answer)


def explicit(t: Task) -> Entrant:
    """The layers of notebook 06, each with its own `backward`."""
    t, loss = t.copy(), layers.SoftmaxCrossEntropy()
    net = optimizer = None

    def reset(number: int) -> None:
        nonlocal net, optimizer
        t.start(number)
        net = explicit_network([w.copy() for w in t.weights])
        optimizer = optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM)

    def work() -> None:
        x, y = t.x[: t.rows], t.y[: t.rows]
        for x_batch, y_batch in data.minibatches(
            x, y, t.batch_size, t.rng(), drop_last=True
        ):
            t.losses.append(loss(net(x_batch), y_batch))
            net.backward(loss.backward())
            optimizer.step()

    def answer() -> dict:
        return t.answer([p.data for p in net.parameters()])

    return Entrant("ours: layers", work, reset, answer)


def explicit_network(weights: list[np.ndarray]) -> layers.Sequential:
    """Linear layers with ReLUs between them; no gradient for the data."""
    parts: list[layers.Layer] = []
    for i in range(0, len(weights), 2):
        parts += [layers.Linear(weights[i], weights[i + 1], input_grad=i > 0)]
        parts += [layers.ReLU()]
    return layers.Sequential(*parts[:-1])


# --- the floor ------------------------------------------------------------------------


def products(t: Task) -> Entrant:
    """The matrix products of an epoch into arrays made once, and nothing else."""
    t, Ws = t.copy(), t.weights[::2]
    rng = np.random.default_rng(2)
    xs = [rng.random((t.batch_size, n), dtype=np.float32) for n in t.sizes]
    grads = [np.empty_like(W) for W in Ws]
    backs = [np.empty_like(x) for x in xs]

    def step() -> None:
        for x, W, out in zip(xs, Ws, backs[1:], strict=False):
            np.matmul(x, W, out=out)
        for k in reversed(range(len(Ws))):
            np.matmul(xs[k].T, xs[k + 1], out=grads[k])
            if k:
                np.matmul(xs[k + 1], Ws[k].T, out=backs[k])

    def work() -> None:
        for _ in range(t.rows // t.batch_size):
            step()

    return Entrant("matrix products", work, t.start)


# --- the case -------------------------------------------------------------------------


def case(name: str, threads: int, quick: bool = False, only: tuple = ()) -> Case:
    """One epoch in full batches, SGD with momentum, float32, the same in each round."""
    t = task(name, 2048 if quick else None)
    shape = "–".join(map(str, t.sizes))
    what = f"one MNIST epoch, {shape}, batch {t.batch_size}, SGD with momentum"
    ours = [tape(t), explicit(t), products(t)]
    built = Case(name, what, ours, TOLERANCE)
    if only == ("ours",):
        return built
    from benchmarks import mnist_peers

    peers = {"ours: compiled": lambda: compiled(t, built.facts)}
    return gather(built, peers | mnist_peers.makers(t, threads), only)
