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
    Raises ValueError for a max_norm that is not positive, TypeError for what is no list
    of parameters, FloatingPointError if the norm is not finite: then no factor helps.
    Taught in: 10_vanishing_exploding.
    Source: R. Pascanu, T. Mikolov, Y. Bengio (2013), On the difficulty of training
    recurrent neural networks; the 1e-6 is PyTorch's.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm is {max_norm}; it must be positive")
    learning = [p for p in parameter_list(parameters) if p.grad is not None]
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


def parameter_list(parameters: Iterable[Any]) -> list[Any]:
    """The parameters, each of them once; they have `.data` and `.grad`.

    Raises TypeError for one parameter alone, for pairs of names and parameters, and for
    whatever else is none. Plumbing.
    """
    if hasattr(parameters, "grad") or isinstance(parameters, dict | str):
        raise TypeError(
            f"expected a list of parameters, found one {type(parameters).__name__}. "
            f"Mend: [parameter], model.parameters(), list(….values())"
        )
    if not isinstance(parameters, Iterable):
        raise TypeError(
            f"expected a list of parameters, found a {type(parameters).__name__}. "
            f"Mend: model.parameters()"
        )
    found = list({id(p): p for p in parameters}.values())
    for p in found:
        if not (hasattr(p, "data") and hasattr(p, "grad")):
            raise TypeError(
                f"expected parameters, objects with .data and .grad, found a "
                f"{type(p).__name__} among them. Mend: model.parameters()"
            )
    return found


class Optimizer:
    """Holds parameters and a learning rate; `step` is for the heirs to define.

    A parameter that is given twice is held once. Raises ValueError if there is nothing
    to learn, or a rate is negative, TypeError for what is no list of parameters.
    Taught in: 08_modules_and_optimizers.
    """

    def __init__(self, parameters: Iterable[Any], lr: float, weight_decay: float):
        self.parameters = parameter_list(parameters)
        if not self.parameters:
            raise ValueError("an optimizer needs at least one parameter; got none")
        for name, rate in (("lr", lr), ("weight_decay", weight_decay)):
            if not rate >= 0:
                raise ValueError(f"{name} is {rate}; it must be 0 or more")
        self.lr, self.weight_decay = lr, weight_decay
        self.buffers = [np.empty_like(p.data) for p in self.parameters]

    def gradients(self) -> list[np.ndarray | None]:
        """Gradients in the order of the parameters, weight decay λ·w included.

        None for a parameter without: the loss does not depend on it, and a step passes
        it by. With weight decay they stand in the buffers.
        Raises ValueError if there is none at all.
        """
        grads = [p.grad for p in self.parameters]
        if all(g is None for g in grads):
            raise ValueError(
                "step: no parameter has a gradient. Call backward() on a loss that "
                "depends on them; a step forgets the gradients that it has used"
            )
        if not self.weight_decay:
            return grads
        for p, g, decayed in zip(self.parameters, grads, self.buffers, strict=True):
            if g is not None:
                np.multiply(p.data, self.weight_decay, out=decayed)
                decayed += g
        pairs = zip(grads, self.buffers, strict=True)
        return [None if g is None else decayed for g, decayed in pairs]

    def zero_grad(self) -> None:
        """Forget the gradients, as every step does with those that it has used."""
        for p in self.parameters:
            if p.grad is not None:
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
        """Move every parameter that has a gradient downhill; forget the gradients."""
        arrays = (self.parameters, self.gradients(), self.velocities, self.buffers)
        for p, g, v, step in zip(*arrays, strict=True):
            if g is None:
                continue
            if self.momentum:
                v *= self.momentum
                v += g
                g = v
            np.multiply(g, self.lr, out=step)
            p.data -= step
        self.zero_grad()


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    m ← β₁ m + (1 − β₁) g,  s ← β₂ s + (1 − β₂) g²,
    w ← w − lr · m̂ / (√ŝ + ε) with m̂ = m/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ),
    where t counts the steps of this parameter.
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
        self.betas, self.eps = betas, eps
        self.t = [0] * len(self.parameters)
        self.means = [np.zeros_like(p.data) for p in self.parameters]
        self.squares = [np.zeros_like(p.data) for p in self.parameters]
        self.steps = [np.empty_like(p.data) for p in self.parameters]

    def step(self) -> None:
        """Move every parameter that has a gradient, each entry at its own scale."""
        b1, b2 = self.betas
        moments = zip(self.means, self.squares, strict=True)
        arrays = (self.parameters, self.gradients(), moments, self.steps)
        for i, (p, g, (m, s), step) in enumerate(zip(*arrays, strict=True)):
            if g is None:
                continue
            self.t[i] += 1
            np.subtract(g, m, out=step)
            step *= 1 - b1
            m += step  # m += (1 - b1) * (g - m)
            np.multiply(g, g, out=step)
            step -= s
            step *= 1 - b2
            s += step  # s += (1 - b2) * (g * g - s)
            np.sqrt(s, out=step)
            step /= (1 - b2 ** self.t[i]) ** 0.5
            step += self.eps
            np.divide(m, step, out=step)
            step *= self.lr / (1 - b1 ** self.t[i])
            p.data -= step  # p.data -= lr * m_hat / (sqrt(s_hat) + eps)
        self.zero_grad()
