"""Normalisation, over the last axis."""

from __future__ import annotations

import numpy as np

from course_utils.functional.reductions import row_mean
from course_utils.functional.shapes import unbroadcast


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
