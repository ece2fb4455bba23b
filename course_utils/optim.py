"""Optimisers: what to do with a gradient once we have it.

A parameter is anything with an array `.data` and its gradient `.grad`. Steps are taken
in place, so the arrays stay where they are; what a step needs besides is computed in
buffers that are made once. Names and defaults are those of `torch.optim`, and so are
the numbers, step for step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def clip_gradients(parameters: Iterable[Any], max_norm: float) -> float:
    """Shorten all gradients by one factor, so that their joint norm is ≤ max_norm.

    The norm is that of all entries of all gradients, as one long vector; it is
    returned as it was before. Each `.grad` that is shortened becomes a new array:
    what other nodes hold stays as it is. Parameters without a gradient are passed by.
    Raises ValueError for a max_norm that is not positive, FloatingPointError if the
    norm is not finite: then no factor helps.
    Taught in: 10_vanishing_exploding.
    Source: R. Pascanu, T. Mikolov, Y. Bengio (2013), On the difficulty of training
    recurrent neural networks; the 1e-6 is PyTorch's.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm is {max_norm}; it must be positive")
    learning = [p for p in parameters if p.grad is not None]
    norms = [np.linalg.norm(p.grad.astype(np.float64)) for p in learning]
    norm = float(np.linalg.norm(norms))
    if not np.isfinite(norm):
        raise FloatingPointError(
            f"the norm of the gradients is {norm}; no factor mends that. Try a smaller "
            f"lr or smaller first weights"
        )
    factor = max_norm / (norm + 1e-6)
    if factor < 1:
        for p in learning:
            p.grad = p.grad * factor
    return norm


class Optimizer:
    """Holds parameters and a learning rate; `step` is for the heirs to define.

    Raises ValueError if there is nothing to learn, or a rate is negative.
    Taught in: 08_modules_and_optimizers.
    """

    def __init__(self, parameters: Iterable[Any], lr: float, weight_decay: float):
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("an optimizer needs at least one parameter; got none")
        for name, rate in (("lr", lr), ("weight_decay", weight_decay)):
            if not rate >= 0:
                raise ValueError(f"{name} is {rate}; it must be 0 or more")
        self.lr, self.weight_decay = lr, weight_decay
        self.buffers = [np.empty_like(p.data) for p in self.parameters]

    def gradients(self) -> list[np.ndarray]:
        """Gradients in the order of the parameters, weight decay λ·w included.

        With weight decay they stand in the buffers.
        """
        missing = [i for i, p in enumerate(self.parameters) if p.grad is None]
        if missing:
            raise ValueError(
                f"step: parameters {missing} have no gradient. Call backward() on a "
                f"loss that depends on them first"
            )
        if not self.weight_decay:
            return [p.grad for p in self.parameters]
        for p, g in zip(self.parameters, self.buffers, strict=True):
            np.multiply(p.data, self.weight_decay, out=g)
            g += p.grad
        return self.buffers

    def zero_grad(self) -> None:
        """Forget the gradients: needed where backward() accumulates."""
        for p in self.parameters:
            p.grad = None


class SGD(Optimizer):
    """Gradient descent with momentum: v ← μ v + g, w ← w − lr · v.

    With `momentum` = 0, w ← w − lr · g. Weight decay λ adds λ·w to g first.
    Taught in: 08_modules_and_optimizers.
    Source: B. T. Polyak (1964), Some methods of speeding up the convergence of
    iteration methods; velocity in PyTorch's form.
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr, weight_decay)
        self.momentum = momentum
        self.velocities = [np.zeros_like(p.data) for p in self.parameters]

    def step(self) -> None:
        """Move every parameter one step downhill."""
        arrays = (self.parameters, self.gradients(), self.velocities, self.buffers)
        for p, g, v, step in zip(*arrays, strict=True):
            if self.momentum:
                v *= self.momentum
                v += g
                g = v
            np.multiply(g, self.lr, out=step)
            p.data -= step


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    m ← β₁ m + (1 − β₁) g,  s ← β₂ s + (1 − β₂) g²,
    w ← w − lr · m̂ / (√ŝ + ε) with m̂ = m/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ).
    Weight decay λ adds λ·w to g first.
    Taught in: 08_modules_and_optimizers.
    Source: D. P. Kingma, J. Ba (2015), Adam: a method for stochastic optimization.
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr, weight_decay)
        self.betas, self.eps, self.t = betas, eps, 0
        self.means = [np.zeros_like(p.data) for p in self.parameters]
        self.squares = [np.zeros_like(p.data) for p in self.parameters]
        self.steps = [np.empty_like(p.data) for p in self.parameters]

    def step(self) -> None:
        """Move every parameter one step, each at its own scale."""
        self.t += 1
        b1, b2 = self.betas
        scale, scale_squares = 1 - b1**self.t, 1 - b2**self.t
        moments = zip(self.means, self.squares, strict=True)
        arrays = (self.parameters, self.gradients(), moments, self.steps)
        for p, g, (m, s), step in zip(*arrays, strict=True):
            np.subtract(g, m, out=step)
            step *= 1 - b1
            m += step  # m += (1 - b1) * (g - m)
            np.multiply(g, g, out=step)
            step -= s
            step *= 1 - b2
            s += step  # s += (1 - b2) * (g * g - s)
            np.sqrt(s, out=step)
            step /= scale_squares**0.5
            step += self.eps
            np.divide(m, step, out=step)
            step *= self.lr / scale
            p.data -= step  # p.data -= lr * m_hat / (sqrt(s_hat) + eps)
