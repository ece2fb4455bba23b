"""Steps of the two networks of notebook 14, on our tape and with PyTorch.

`attention-read` is the network that reads a digit in sixteen pieces, `attention-sort`
the decoder that sorts: the same modules, sizes and batches, with random examples.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Case, Entrant, gather
from course_utils import attention, nn, optim
from course_utils.tensor import Tensor
from course_utils.training import train_step

# Tokens, features that come in (0: numbers of an embedding), classes, heads, causal.
SIZES = {
    "attention-read": (16, 49, 10, 4, False),
    "attention-sort": (12, 0, 21, 1, True),
}
WHAT = {
    "attention-read": "20 steps with 64 digits in sixteen pieces each, 32 features",
    "attention-sort": "20 steps with 64 rows of twelve tokens each, 32 features",
}
D_MODEL, BATCH, STEPS, QUICK, LR = 32, 64, 20, 2, 1e-3
TOLERANCE = {"losses": (1e-4, 0)}  # float32: 6e-8 a rounding, and Adam divides by small


@dataclass
class Task:
    """The same work for all: examples, targets, and the first weights."""

    name: str
    x: np.ndarray
    y: np.ndarray

    @property
    def sizes(self) -> tuple:
        """Tokens, features, classes, heads, causal."""
        return SIZES[self.name]


class Network(nn.Module):
    """Tokens in, one block, and a linear layer on each token or on all together."""

    def __init__(self, sizes: tuple, rng: np.random.Generator, dtype=np.float32):
        n, n_in, n_out, heads, causal = sizes
        self.read = (
            nn.Linear(n_in, D_MODEL, rng, dtype=dtype)
            if n_in
            else attention.Embedding(n_out, D_MODEL, rng, dtype)
        )
        self.places = attention.Positions(n, D_MODEL, rng, dtype)
        how = D_MODEL, heads, rng, causal, dtype
        self.block = attention.TransformerBlock(*how)
        self.norm, self.together = nn.LayerNorm(D_MODEL, dtype=dtype), bool(n_in)
        self.head = nn.Linear(D_MODEL * (n if n_in else 1), n_out, rng, dtype=dtype)

    def forward(self, x):
        """Logits: of each example, or of each token."""
        x = self.norm(self.block(self.places(self.read(x))))
        return self.head(x.flatten(1) if self.together else x)


def task(name: str, steps: int) -> Task:
    """Random examples; a target for each of them, or for each of their tokens."""
    n, n_in, n_out, *_ = SIZES[name]
    rng = np.random.default_rng(0)
    if n_in:
        x = rng.normal(size=(steps, BATCH, n, n_in)).astype(np.float32)
        return Task(name, x, rng.integers(n_out, size=(steps, BATCH)))
    ids = rng.integers(n_out, size=(steps, BATCH, n + 1))
    return Task(name, ids[..., :-1], ids[..., 1:].reshape(steps, -1))


def loss_of(logits: Tensor, y: np.ndarray) -> Tensor:
    """Cross-entropy of all rows of logits."""
    return logits.reshape(-1, logits.shape[-1]).softmax_cross_entropy(y)


def ours(t: Task) -> Entrant:
    """The modules on the tape, with Adam."""
    model = optimizer = None
    losses: list[float] = []

    def reset(number: int) -> None:
        nonlocal model, optimizer
        model = Network(t.sizes, np.random.default_rng(1))
        optimizer = optim.Adam(model.parameters(), LR)
        losses.clear()

    def work() -> None:
        for x, y in zip(t.x, t.y, strict=True):
            losses.append(train_step(model, x, y, optimizer, loss_of))

    return Entrant("ours: tape", work, reset, lambda: {"losses": list(losses)})


def compiled(t: Task, facts: dict) -> Entrant:
    """The same steps as a plan; what its first call takes is told apart."""
    from course_utils.compiler import compile_step

    model = Network(t.sizes, np.random.default_rng(1))
    first = [p.data.copy() for p in model.parameters()]
    optimizer = optim.Adam(model.parameters(), LR)
    step = compile_step(model, loss_of, optimizer)
    losses: list[float] = []

    def reset(number: int) -> None:
        for p, w in zip(model.parameters(), first, strict=True):
            p.data = w.copy()
        for array in (*optimizer.means, *optimizer.squares):
            array[...] = 0
        optimizer.t[:] = [0] * len(first)  # in place, as the plan knows the list
        losses.clear()

    def work() -> None:
        for x, y in zip(t.x, t.y, strict=True):
            losses.append(step(x, y))

    began = time.perf_counter()
    step(t.x[0], t.y[0])
    facts["apart"] = {"recording and compiling": time.perf_counter() - began}
    return Entrant("ours: compiled", work, reset, lambda: {"losses": list(losses)})


def torch_block(torch, heads: int, causal: bool):
    """A block as its users write it: q, k and v in one product, their own attention."""
    functional = torch.nn.functional

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = (torch.nn.LayerNorm(D_MODEL) for _ in range(2))
            self.qkv = torch.nn.Linear(D_MODEL, 3 * D_MODEL)
            self.out = torch.nn.Linear(D_MODEL, D_MODEL)
            self.up = torch.nn.Linear(D_MODEL, 4 * D_MODEL)
            self.down = torch.nn.Linear(4 * D_MODEL, D_MODEL)

        def forward(self, x):
            B, N, _ = x.shape
            qkv = self.qkv(self.norm1(x)).reshape(B, N, 3, heads, -1)
            q, k, v = qkv.permute(2, 0, 3, 1, 4)
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
            x = x + self.out(y.transpose(1, 2).reshape(B, N, D_MODEL))
            return x + self.down(functional.relu(self.up(self.norm2(x))))

    return Block()


def torch_model(torch, t: Task):
    """The same network, with our first weights."""
    n, n_in, n_out, heads, causal = t.sizes

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.read = (
                torch.nn.Linear(n_in, D_MODEL)
                if n_in
                else torch.nn.Embedding(n_out, D_MODEL)
            )
            self.places = torch.nn.Parameter(torch.zeros(n, D_MODEL))
            self.block = torch_block(torch, heads, causal)
            self.norm = torch.nn.LayerNorm(D_MODEL)
            self.head = torch.nn.Linear(D_MODEL * (n if n_in else 1), n_out)

        def forward(self, x):
            x = self.norm(self.block(self.read(x) + self.places))
            return self.head(x.flatten(1) if n_in else x)

    model = Model()
    give(torch, model, Network(t.sizes, np.random.default_rng(1)))
    return model


def give(torch, peer, own: Network) -> None:
    """Hand our first weights to torch's model."""

    def linear(theirs, *mine) -> None:
        theirs.weight.copy_(torch.tensor(np.concatenate([m.W.data.T for m in mine])))
        theirs.bias.copy_(torch.tensor(np.concatenate([m.b.data for m in mine])))

    look, block = own.block.attention, peer.block
    with torch.no_grad():
        if isinstance(own.read, nn.Linear):
            linear(peer.read, own.read)
        else:
            peer.read.weight.copy_(torch.tensor(own.read.table.data))
        peer.places.copy_(torch.tensor(own.places.table.data))
        linear(block.qkv, look.query, look.key, look.value)
        linear(block.out, look.out)
        linear(block.up, own.block.mlp.layers[0])
        linear(block.down, own.block.mlp.layers[2])
        linear(peer.head, own.head)


def torch_eager(t: Task, threads: int, fused: bool | None = None) -> Entrant:
    """PyTorch with its own attention, and Adam as it comes or fused."""
    import torch

    torch.set_num_threads(threads)
    batches = list(zip(torch.tensor(t.x), torch.tensor(t.y), strict=True))
    model = optimizer = None
    losses: list[float] = []

    def reset(number: int) -> None:
        nonlocal model, optimizer
        model = torch_model(torch, t)
        optimizer = torch.optim.Adam(model.parameters(), lr=LR, fused=fused)
        losses.clear()

    def work() -> None:
        for x, y in batches:
            logits = model(x)
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, -2), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    name = "torch eager, fused" if fused else "torch eager"
    return Entrant(name, work, reset, lambda: {"losses": list(losses)})


def case(name: str, threads: int, quick: bool = False, only: tuple = ()) -> Case:
    """Both sides, step by step on the same batches."""
    t = task(name, QUICK if quick else STEPS)
    built = Case(name, WHAT[name], [ours(t)], dict(TOLERANCE))
    peers: dict[str, Callable[[], Entrant]] = {
        "ours: compiled": lambda: compiled(t, built.facts),
        "torch eager": lambda: torch_eager(t, threads),
        "torch eager, fused": lambda: torch_eager(t, threads, fused=True),
    }
    return built if only == ("ours",) else gather(built, peers, only)
