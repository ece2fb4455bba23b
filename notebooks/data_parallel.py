"""Train the MLP of notebook 09 with several processes, each on a shard of every batch.

    torchrun --standalone --nproc-per-node=2 data_parallel.py

Without torchrun, `python data_parallel.py` is the same training in one process. Where
there is a GPU for each process, they are used (nccl), else the CPU (gloo). On several
machines, start the same line on each of them, with one of them as the meeting point:

    torchrun --nnodes=2 --nproc-per-node=8 --rdzv-backend=c10d --rdzv-id=mnist
             --rdzv-endpoint=FIRST_MACHINE:29500 data_parallel.py

Notebook 11 explains it, and runs it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from functools import cache

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from course_utils import nn
from course_utils.data import mnist

SIZES, BATCH, LR, MOMENTUM = [784, 512, 10], 64, 0.05, 0.9
MEAN, STD = np.float32(0.1307), np.float32(0.3081)


@cache
def training_set() -> tuple[np.ndarray, np.ndarray]:
    """Read the images and labels, once."""
    return mnist()[:2]


def batches(steps: int, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give the same batches to whoever asks: every worker draws the same numbers."""
    x, y = training_set()
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        rows = rng.integers(0, len(x), BATCH)
        yield (x[rows] - MEAN) / STD, y[rows]


def first_weights(seed: int = 0) -> list[np.ndarray]:
    """Give W₁, b₁, W₂, b₂ as in 09: He's rule, and a small last layer; float64."""
    model = nn.MLP(SIZES, np.random.default_rng(seed))
    model.layers[-1].W.data *= 0.1
    return [p.data for p in model.parameters()]


def network(device: torch.device) -> torch.nn.Module:
    """Make the network in torch, which stores its matrices transposed."""
    d, h, k = SIZES
    model = torch.nn.Sequential(
        torch.nn.Linear(d, h), torch.nn.ReLU(), torch.nn.Linear(h, k)
    )
    with torch.no_grad():
        for p, values in zip(model.parameters(), first_weights(), strict=True):
            p.data = torch.tensor(values.T)
    return model.to(device)


def train(
    model: torch.nn.Module,
    steps: int,
    rank: int = 0,
    size: int = 1,
    ddp: bool = False,
    die_at: int | None = None,
) -> list[float]:
    """Take `steps` steps with `size` workers, of which this one is number `rank`."""
    device = next(model.parameters()).device
    net = DistributedDataParallel(model) if ddp else model
    velocities = [torch.zeros_like(p) for p in model.parameters()]
    losses = []
    for step, (x, y) in enumerate(batches(steps)):
        if step == die_at:
            raise RuntimeError(f"worker {rank} dies before step {step}, as asked")
        x, y = x[rank::size], y[rank::size]  # the shard: every size-th example
        logits = net(torch.tensor(x, dtype=torch.float64, device=device))
        total = cross_entropy(logits, torch.tensor(y).to(device), reduction="sum")
        loss = total / BATCH  # of the whole batch: then shards can be added
        model.zero_grad()
        # DDP takes the mean over the workers where we take the sum.
        (loss * size if ddp else loss).backward()
        if size > 1 and not ddp:
            for p in model.parameters():
                dist.all_reduce(p.grad)  # now the sum over all workers
        with torch.no_grad():  # SGD with momentum, as in notebook 08
            for p, v in zip(model.parameters(), velocities, strict=True):
                v.mul_(MOMENTUM).add_(p.grad)
                p.sub_(LR * v)
        losses.append(sum_over_workers(loss.detach(), size).item())
    return losses


def sum_over_workers(x: torch.Tensor, size: int) -> torch.Tensor:
    """Give every worker the sum of all workers' x."""
    if size > 1:
        dist.all_reduce(x)
    return x


def apart(model: torch.nn.Module, size: int) -> float:
    """Give the largest difference between two workers' weights."""
    weights = torch.cat([p.detach().ravel() for p in model.parameters()])
    most, least = weights.clone(), weights.clone()
    if size > 1:
        dist.all_reduce(most, dist.ReduceOp.MAX)
        dist.all_reduce(least, dist.ReduceOp.MIN)
    return (most - least).abs().max().item()


def join() -> tuple[int, int, torch.device]:
    """Meet the other workers; give this one's rank, their number, and its device."""
    if "RANK" not in os.environ:  # started without torchrun
        return 0, 1, torch.device("cpu")
    local, here = int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    if torch.cuda.device_count() >= here:  # a GPU for each
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
        dist.init_process_group("nccl")
    else:
        device = torch.device("cpu")
        alone = os.environ["WORLD_SIZE"] == os.environ["LOCAL_WORLD_SIZE"]
        if alone and sys.platform == "linux":  # one machine needs no network
            os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        dist.init_process_group("gloo")
    return dist.get_rank(), dist.get_world_size(), device


def arrays(model: torch.nn.Module) -> dict[str, np.ndarray]:
    """Give gradients and weights by name, as NumPy arrays."""
    named = dict(model.named_parameters())
    weights = {f"weight {n}": p.detach().cpu().numpy() for n, p in named.items()}
    return weights | {f"grad {n}": p.grad.cpu().numpy() for n, p in named.items()}


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--ddp", action="store_true", help="compare with torch's own")
    parser.add_argument("--save", help="write losses, gradients and weights (.npz)")
    parser.add_argument("--die-at", type=int, metavar="STEP", help="one worker fails")
    parser.add_argument("--rank", type=int, default=1, help="which one (1)")
    asked = parser.parse_args()
    rank, size, device = join()
    model = network(device)
    die_at = asked.die_at if rank == asked.rank else None
    losses = train(model, asked.steps, rank, size, die_at=die_at)
    between = apart(model, size)
    if asked.ddp and size > 1:
        twin = network(device)
        train(twin, asked.steps, rank, size, ddp=True)
        named = zip(model.parameters(), twin.parameters(), strict=True)
        off = max((p - q).abs().max().item() for p, q in named)
    if rank == 0:
        backend = dist.get_backend() if size > 1 else "none"
        print(f"{size} workers, backend {backend}, {asked.steps} steps of {BATCH}")
        print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")
        print(f"largest difference between two workers: {between:g}")
        if asked.ddp and size > 1:
            print(f"largest difference from DistributedDataParallel: {off:g}")
        if asked.save:
            np.savez(asked.save, losses=losses, **arrays(model))
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
