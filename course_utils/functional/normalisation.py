"""Normalisation: over the last axis of each example, or over the batch."""

from __future__ import annotations

import numpy as np

from course_utils.functional.reductions import row_mean
from course_utils.functional.shapes import _check_arrays, unbroadcast


def standardise(x, eps=1e-5):
    """Give x̂ = (x − mean)/s and s = √(variance + eps), each along the last axis.

    x̂ has the shape of x, s keeps a last axis of length 1.
    Taught in: 10_vanishing_exploding.
    """
    centred = x - row_mean(x)
    s = np.sqrt(row_mean(centred * centred) + eps)
    return centred / s, s


def layer_norm(x, gamma, beta, eps=1e-5):
    """Layer normalisation γ x̂ + β: every row with mean 0 and variance 1, then scaled.

    x (…, D), gamma and beta (D,). Raises ValueError if the shapes do not fit.
    Taught in: 10_vanishing_exploding.
    Source: J. L. Ba, J. R. Kiros, G. E. Hinton (2016), Layer normalization.
    """
    _check_layer_norm(x, gamma, beta)
    x_hat, _ = standardise(x, eps)
    return gamma * x_hat + beta


def layer_norm_vjp(grad_out, x, gamma, eps=1e-5):
    """For G = grad_out: ∂L/∂x = (u − mean(u) − x̂ mean(u x̂))/s with u = γ G.

    Means are taken along the last axis; ∂L/∂γ = Σ G x̂ and ∂L/∂β = Σ G over all rows.
    Taught in: 10_vanishing_exploding.
    """
    x_hat, s = standardise(x, eps)
    u = grad_out * gamma
    grad_x = (u - row_mean(u) - x_hat * row_mean(u * x_hat)) / s
    grad_gamma = unbroadcast(grad_out * x_hat, gamma.shape)
    return grad_x, grad_gamma, unbroadcast(grad_out, gamma.shape).copy()


def channelwise(values, x):
    """Values (C,), one for each channel, in a shape that broadcasts to x (N, C, …).

    Taught in: 13_convolution.
    """
    return values.reshape(-1, *[1] * (x.ndim - 2))


def batch_statistics(x):
    """Mean and variance of each channel of x (N, C, …), over all other axes: two (C,).

    The variance is divided by the number of elements. Taught in: 13_convolution.
    """
    axes = (0, *range(2, x.ndim))
    return x.mean(axis=axes), x.var(axis=axes)


def batch_norm_eval(x, gamma, beta, mean, var, eps=1e-5):
    """Give γ x̂ + β with x̂ = (x − mean)/√(var + eps), for a mean and variance given.

    x (N, C, …), all others (C,). Each example is on its own: for the time after
    training. Raises ValueError if the shapes do not fit. Taught in: 13_convolution.
    """
    _check_batch_norm(x, gamma=gamma, beta=beta, mean=mean, var=var)
    s = np.sqrt(var + eps)
    return (x - channelwise(mean, x)) * channelwise(gamma / s, x) + channelwise(beta, x)


def batch_norm_eval_vjp(grad_out, x, gamma, mean, var, eps=1e-5):
    """∂L/∂x = γ G/s for G = grad_out and s = √(var + eps): the statistics stay.

    ∂L/∂γ = Σ G x̂ and ∂L/∂β = Σ G, over all axes but that of the channels.
    Taught in: 13_convolution.
    """
    axes = (0, *range(2, x.ndim))
    s = np.sqrt(var + eps)
    x_hat = (x - channelwise(mean, x)) / channelwise(s, x)
    grad_x = grad_out * channelwise(gamma / s, x)
    return grad_x, (grad_out * x_hat).sum(axis=axes), grad_out.sum(axis=axes)


def batch_norm(x, gamma, beta, eps=1e-5):
    """Batch normalisation γ x̂ + β: every channel with mean 0 and variance 1 in a batch.

    x (N, C, …), gamma and beta (C,). An example depends on the others of its batch.
    Raises ValueError if the shapes do not fit, or a channel has one element or none.
    Taught in: 13_convolution.
    Source: S. Ioffe, C. Szegedy (2015), Batch normalization.
    """
    _check_batch_norm(x, gamma=gamma, beta=beta)
    if x.size <= x.shape[1]:
        raise ValueError(
            f"batch_norm: x {x.shape} has less than two elements in each channel, and "
            f"one is its own mean. Train on larger batches, or use layer_norm"
        )
    return batch_norm_eval(x, gamma, beta, *batch_statistics(x), eps)


def batch_norm_vjp(grad_out, x, gamma, eps=1e-5):
    """∂L/∂x = γ/s (G − mean(G) − x̂ mean(G x̂)): both means move with every x.

    Taught in: 13_convolution.
    """
    mean, var = batch_statistics(x)
    direct, grad_gamma, grad_beta = batch_norm_eval_vjp(
        grad_out, x, gamma, mean, var, eps
    )
    n, s = x.size // len(gamma), np.sqrt(var + eps)
    x_hat = (x - channelwise(mean, x)) / channelwise(s, x)
    shared = channelwise(grad_beta, x) + x_hat * channelwise(grad_gamma, x)
    return direct - shared * channelwise(gamma / (n * s), x), grad_gamma, grad_beta


def _check_batch_norm(x, **parameters):
    _check_arrays("batch_norm", x=x, **parameters)
    if x.ndim < 2:
        raise ValueError(
            f"batch_norm: expected x (N, C) or (N, C, H, W), found shape {x.shape}. "
            f"One example alone is x[None]"
        )
    for name, parameter in parameters.items():
        if parameter.shape != x.shape[1:2]:
            raise ValueError(
                f"batch_norm: {name} has shape {parameter.shape}; x {x.shape} has "
                f"{x.shape[1]} channels, so {name} must be {x.shape[1:2]}"
            )


def _check_layer_norm(x, gamma, beta):
    if x.ndim < 1 or not x.shape[-1]:
        raise ValueError(
            f"layer_norm: x has shape {x.shape}; it needs a last axis with at least "
            f"one feature to take the mean of"
        )
    for name, parameter in (("gamma", gamma), ("beta", beta)):
        if parameter.shape != x.shape[-1:]:
            raise ValueError(
                f"layer_norm: {name} has shape {parameter.shape}; x {x.shape} has "
                f"{x.shape[-1]} features, so {name} must be {x.shape[-1:]}"
            )
