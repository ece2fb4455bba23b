"""The same MNIST epoch in PyTorch, JAX, autograd and tinygrad, each as its users do.

Every maker returns an `Entrant` with the weights and batches of the task. Weights go in
and come out as ours are, (fan_in, fan_out); losses stay where the library computes
them until the clock has stopped, if its users would leave them there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.harness import Entrant, Unavailable

if TYPE_CHECKING:
    from benchmarks.mnist import Task

LR, MOMENTUM = 0.05, 0.9


def makers(t: Task, threads: int) -> dict[str, Callable[[], Entrant]]:
    """All peers by name, none of them imported yet."""
    return {
        "torch eager": lambda: torch_eager(t.copy(), threads),
        "torch eager, fused": lambda: torch_eager(t.copy(), threads, fused=True),
        "torch.compile": lambda: torch_compiled(t.copy(), threads),
        "jax jit": lambda: jax_jit(t.copy()),
        "jax scan": lambda: jax_scan(t.copy()),
        "autograd": lambda: hips_autograd(t.copy()),
        "tinygrad": lambda: tinygrad_jit(t.copy(), threads),
    }


# --- PyTorch --------------------------------------------------------------------------


def torch_model(torch, weights: list[np.ndarray]):
    """Linear layers and ReLUs with our weights, transposed once as torch does."""
    parts = []
    for W, b in zip(weights[::2], weights[1::2], strict=True):
        linear = torch.nn.Linear(*W.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W).T)
            linear.bias.copy_(torch.from_numpy(b))
        parts += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*parts[:-1])


def torch_weights(model) -> list[np.ndarray]:
    """The parameters as ours are: each W (fan_in, fan_out), then its b."""
    return [p.detach().numpy().T for p in model.parameters()]


def torch_epoch(t: Task, x_all, y_all, model, optimizer) -> None:
    """An epoch of torch's plain training loop."""
    import torch

    for rows in torch.from_numpy(t.order()):
        x, y = x_all.index_select(0, rows), y_all.index_select(0, rows)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        t.losses.append(loss.item())


def torch_eager(t: Task, threads: int, fused: bool | None = None) -> Entrant:
    """The plain training loop; the optimizer as it comes, or asked to be fused."""
    import torch

    torch.set_num_threads(threads)
    x_all, y_all = torch.from_numpy(t.x), torch.from_numpy(t.y)
    model = optimizer = None

    def reset(number: int) -> None:
        nonlocal model, optimizer
        t.start(number)
        model = torch_model(torch, t.weights)
        optimizer = torch.optim.SGD(
            model.parameters(), lr=LR, momentum=MOMENTUM, fused=fused
        )

    def work() -> None:
        torch_epoch(t, x_all, y_all, model, optimizer)

    name = "torch eager, fused" if fused else "torch eager"
    return Entrant(name, work, reset, lambda: t.answer(torch_weights(model)))


def torch_compiled(t: Task, threads: int) -> Entrant:
    """The loss compiled with its gradient, and the optimizer's step compiled."""
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise Unavailable(f"torch.compile needs a C++ compiler; {compiler} is not here")
    import torch

    torch.set_num_threads(threads)
    x_all, y_all = torch.from_numpy(t.x), torch.from_numpy(t.y)
    model = torch_model(torch, t.weights)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)

    @torch.compile
    def loss_of(x, y):
        return torch.nn.functional.cross_entropy(model(x), y)

    @torch.compile
    def step():
        optimizer.step()

    def reset(number: int) -> None:
        t.start(number)
        for state in optimizer.state.values():
            state["momentum_buffer"].zero_()  # as it starts; no need to compile anew
        model.load_state_dict(torch_model(torch, t.weights).state_dict())

    def work() -> None:
        for rows in torch.from_numpy(t.order()):
            x, y = x_all.index_select(0, rows), y_all.index_select(0, rows)
            optimizer.zero_grad()
            loss = loss_of(x, y)
            loss.backward()
            step()
            t.losses.append(loss.item())

    answer = lambda: t.answer(torch_weights(model))  # noqa: E731
    return Entrant("torch.compile", work, reset, answer)


# --- JAX ------------------------------------------------------------------------------


def jax_jit(t: Task) -> Entrant:
    """The whole step jitted, gathering included; parameters and velocities donated."""
    jax, data, state_of, update = jax_parts(t)
    step, state = jax.jit(update, donate_argnums=0), None

    def reset(number: int) -> None:
        nonlocal state
        t.start(number)
        state = state_of()

    def work() -> None:
        nonlocal state
        for rows in t.order():
            state, loss = step(state, data, rows)
            t.losses.append(loss)
        jax.block_until_ready(state)

    answer = lambda: t.answer(jax.tree.leaves(state[0]))  # noqa: E731
    return Entrant("jax jit", work, reset, answer)


def jax_scan(t: Task) -> Entrant:
    """The whole epoch as one compiled loop over its steps, which only JAX offers."""
    jax, data, state_of, update = jax_parts(t)
    epoch = jax.jit(
        lambda state, data, order: jax.lax.scan(
            lambda state, rows: update(state, data, rows), state, order
        ),
        donate_argnums=0,
    )
    state = None

    def reset(number: int) -> None:
        nonlocal state
        t.start(number)
        state = state_of()

    def work() -> None:
        nonlocal state
        state, losses = jax.block_until_ready(epoch(state, data, t.order()))
        t.losses.extend(np.asarray(losses))

    answer = lambda: t.answer(jax.tree.leaves(state[0]))  # noqa: E731
    return Entrant("jax scan", work, reset, answer)


def jax_parts(t: Task):
    """JAX, the data on its device, how a state begins, and one step of training."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    import jax.numpy as jnp

    data = jnp.asarray(t.x), jnp.asarray(t.y.astype(np.int32))

    def loss_of(params, x, y):
        *hidden, (W, b) = params
        for V, c in hidden:
            x = jax.nn.relu(x @ V + c)
        log_probs = jax.nn.log_softmax(x @ W + b)
        return -jnp.take_along_axis(log_probs, y[:, None], axis=1).mean()

    def update(state, data, rows):
        (params, velocities), (x, y) = state, data
        loss, grads = jax.value_and_grad(loss_of)(params, x[rows], y[rows])
        velocities = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocities, grads)
        params = jax.tree.map(lambda p, v: p - LR * v, params, velocities)
        return (params, velocities), loss

    def state_of():
        pairs = zip(t.weights[::2], t.weights[1::2], strict=True)
        params = [(jnp.array(W), jnp.array(b)) for W, b in pairs]
        state = params, jax.tree.map(jnp.zeros_like, params)
        return jax.block_until_ready(state)

    return jax, data, state_of, update


# --- autograd -------------------------------------------------------------------------


def hips_autograd(t: Task) -> Entrant:
    """value_and_grad of a loss in autograd.numpy; the step in NumPy, in place."""
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    targets = np.eye(t.sizes[-1], dtype=np.float32)[t.y]
    params = velocities = None

    def loss_of(params, x, y):
        for W, b in zip(params[:-2:2], params[1:-2:2], strict=True):
            x = anp.maximum(anp.dot(x, W) + b, 0)
        z = anp.dot(x, params[-2]) + params[-1]
        return anp.mean(logsumexp(z, axis=1) - anp.sum(z * y, axis=1))

    loss_and_grads = value_and_grad(loss_of)

    def reset(number: int) -> None:
        nonlocal params, velocities
        t.start(number)
        params = [w.copy() for w in t.weights]
        velocities = [np.zeros_like(w) for w in params]

    def work() -> None:
        for rows in t.order():
            loss, grads = loss_and_grads(params, t.x[rows], targets[rows])
            for p, v, g in zip(params, velocities, grads, strict=True):
                v *= MOMENTUM
                v += g
                p -= LR * v
            t.losses.append(loss)

    return Entrant("autograd", work, reset, lambda: t.answer(params))


# --- tinygrad -------------------------------------------------------------------------


def tinygrad_jit(t: Task, threads: int) -> Entrant:
    """The whole step under TinyJit, as in its own MNIST example."""
    compiler = os.environ.get("CC", "clang")
    if shutil.which(compiler) is None:
        raise Unavailable(
            f"tinygrad compiles with clang on a CPU; {compiler} is not here"
        )
    os.environ.setdefault("DEV", "CPU")
    from tinygrad import Context, Tensor, TinyJit
    from tinygrad.nn.optim import SGD

    params = [Tensor(w.copy()).realize() for w in t.weights]
    optimizer = SGD(params, lr=LR, momentum=MOMENTUM)

    @TinyJit
    def step(x, y):
        optimizer.zero_grad()
        for W, b in zip(params[:-2:2], params[1:-2:2], strict=True):
            x = (x @ W + b).relu()
        z = x @ params[-2] + params[-1]
        loss = z.sparse_categorical_crossentropy(y).backward()
        return loss.realize(*optimizer.schedule_step())

    def reset(number: int) -> None:
        t.start(number)
        for p, w in zip(params, t.weights, strict=True):
            p.assign(Tensor(w.copy())).realize()
        for v in optimizer.b:
            v.assign(v.zeros_like()).realize()

    def work() -> None:
        with Context(TRAINING=1):
            for rows in t.order():
                x, y = Tensor(t.x[rows]), Tensor(t.y[rows].astype(np.int32))
                t.losses.append(step(x.realize(), y.realize()).item())

    return Entrant(
        "tinygrad", work, reset, lambda: t.answer([p.numpy() for p in params])
    )
