"""Softmax and its logarithm, over the last axis unless told."""

from __future__ import annotations

import numpy as np

_SHORT = 32  # rows up to this length have their maximum sooner as columns


def softmax(logits, axis=-1):
    """Probabilities pₖ = e^zₖ / Σⱼ e^zⱼ along `axis`.

    Subtracting the maximum changes nothing and keeps e^z from overflowing.
    Taught in: 06_layers_and_losses.
    """
    e = np.exp(logits - _largest(logits, axis))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_vjp(grad_out, probs, axis=-1):
    """∂L/∂z = p ⊙ (G − Σₖ Gₖ pₖ) for G = grad_out, from the output p.

    Taught in: 06_layers_and_losses.
    """
    return probs * (grad_out - (grad_out * probs).sum(axis=axis, keepdims=True))


def logsumexp(logits, axis=-1, keepdims=False):
    """log Σⱼ e^zⱼ = m + log Σⱼ e^(zⱼ − m) along `axis`, m = max z.

    Taught in: 06_layers_and_losses.
    """
    m = _largest(logits, axis)
    total = np.exp(logits - m).sum(axis=axis, keepdims=keepdims)
    return (m if keepdims else m.squeeze(axis)) + np.log(total)


def logsumexp_vjp(grad_out, logits, axis=-1, keepdims=False):
    """∂ logsumexp/∂z = softmax(z). Taught in: 06_layers_and_losses."""
    if logits.ndim and axis is not None and not keepdims:
        grad_out = np.expand_dims(grad_out, axis)
    return grad_out * softmax(logits, axis)


def log_softmax(logits, axis=-1):
    """log pₖ = zₖ − logsumexp(z). Taught in: 06_layers_and_losses."""
    return logits - logsumexp(logits, axis, keepdims=True)


def log_softmax_vjp(grad_out, log_probs, axis=-1):
    """∂L/∂z = G − p Σₖ Gₖ for G = grad_out, from the output log p.

    Taught in: 06_layers_and_losses.
    """
    return grad_out - np.exp(log_probs) * grad_out.sum(axis=axis, keepdims=True)


def _largest(x, axis):
    """Maximum along `axis`, which stays; 0 of nothing."""
    if not x.size:
        return x.sum(axis=axis, keepdims=True)
    if axis in (-1, x.ndim - 1) and x.ndim > 1 and x.shape[-1] <= _SHORT:
        columns = np.ascontiguousarray(x.reshape(-1, x.shape[-1]).T)
        return columns.max(axis=0).reshape(*x.shape[:-1], 1)
    return x.max(axis=axis, keepdims=True)
