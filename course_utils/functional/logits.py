"""Softmax and its logarithm, over the last axis."""

from __future__ import annotations

import numpy as np


def softmax(logits):
    """Probabilities pₖ = e^zₖ / Σⱼ e^zⱼ along the last axis.

    Subtracting the maximum changes nothing and keeps e^z from overflowing.
    Taught in: 06_layers_and_losses.
    """
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_vjp(grad_out, probs):
    """∂L/∂z = p ⊙ (G − Σₖ Gₖ pₖ) for G = grad_out, from the output p.

    Taught in: 06_layers_and_losses.
    """
    return probs * (grad_out - (grad_out * probs).sum(axis=-1, keepdims=True))


def logsumexp(logits):
    """log Σⱼ e^zⱼ = m + log Σⱼ e^(zⱼ − m) along the last axis, m = max z.

    Taught in: 06_layers_and_losses.
    """
    m = logits.max(axis=-1, keepdims=True)
    return m[..., 0] + np.log(np.exp(logits - m).sum(axis=-1))


def logsumexp_vjp(grad_out, logits):
    """∂ logsumexp/∂z = softmax(z). Taught in: 06_layers_and_losses."""
    return grad_out[..., None] * softmax(logits)


def log_softmax(logits):
    """log pₖ = zₖ − logsumexp(z). Taught in: 06_layers_and_losses."""
    return logits - logsumexp(logits)[..., None]


def log_softmax_vjp(grad_out, log_probs):
    """∂L/∂z = G − p Σₖ Gₖ for G = grad_out, from the output log p.

    Taught in: 06_layers_and_losses.
    """
    return grad_out - np.exp(log_probs) * grad_out.sum(axis=-1, keepdims=True)
