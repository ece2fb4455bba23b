"""Losses: means over the batch; `grad_out` is a number."""

from __future__ import annotations

import numpy as np

from course_utils.functional.elementwise import sigmoid
from course_utils.functional.logits import logsumexp, softmax


def mse(y_hat, y):
    """Mean squared error: mean of (ŷ − y)² over all entries; shapes must be equal.

    Raises ValueError if they differ (NumPy would broadcast without a word).
    Taught in: 05_vectorized_backprop.
    """
    _check_targets("mse", "y_hat", y_hat, y)
    return np.mean((y_hat - y) ** 2)


def mse_vjp(grad_out, y_hat, y):
    """∂L/∂ŷ = 2 (ŷ − y) / (number of entries). Taught in: 05_vectorized_backprop."""
    return grad_out * (y_hat - y) * (2 / y_hat.size)


def binary_cross_entropy(probs, y):
    """Mean of −y log p − (1 − y) log(1 − p); p and y of one shape.

    At p = 0 or 1 a logarithm is infinite: use the form on logits for training.
    Raises ValueError if the shapes differ or a probability leaves [0, 1].
    Taught in: 06_layers_and_losses.
    """
    _check_targets("binary_cross_entropy", "probs", probs, y)
    if not ((probs >= 0) & (probs <= 1)).all():
        raise ValueError(
            f"binary_cross_entropy: probs must lie in [0, 1]; found "
            f"{probs.min()} … {probs.max()}. For logits use "
            f"binary_cross_entropy_with_logits"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where y = 0 the first term is absent, where y = 1 the second: 0 · log 0 is 0.
        hit = np.where(y == 0, 0, y * np.log(probs))
        miss = np.where(y == 1, 0, (1 - y) * np.log1p(-probs))
    return -np.mean(hit + miss)


def binary_cross_entropy_vjp(grad_out, probs, y):
    """∂L/∂p = (p − y) / (p (1 − p)) / (number of entries).

    Taught in: 06_layers_and_losses.
    """
    return grad_out * (probs - y) / (probs * (1 - probs)) / probs.size


def binary_cross_entropy_with_logits(logits, y):
    """Mean of max(z, 0) − z y + log(1 + e⁻|z|), the same loss from logits z.

    Finite for every finite logit. Raises ValueError if the shapes differ.
    Taught in: 06_layers_and_losses.
    """
    _check_targets("binary_cross_entropy_with_logits", "logits", logits, y)
    return np.mean(
        np.maximum(logits, 0) - logits * y + np.log1p(np.exp(-np.abs(logits)))
    )


def binary_cross_entropy_with_logits_vjp(grad_out, logits, y):
    """∂L/∂z = (σ(z) − y) / (number of entries). Taught in: 06_layers_and_losses."""
    return grad_out * (sigmoid(logits) - y) / logits.size


def softmax_cross_entropy(logits, labels):
    """Mean over the batch of logsumexp(zₙ) − zₙ[labelₙ].

    logits (N, K), labels (N,) integers in 0 … K − 1.
    Raises ValueError or TypeError if shapes, dtype or range of the labels are wrong,
    ValueError if a logit is NaN. Taught in: 06_layers_and_losses.
    """
    _check_labels(logits, labels)
    picked = logits[np.arange(len(labels)), labels]
    loss = (logsumexp(logits) - picked).sum() / len(labels)
    if np.isnan(loss):
        _complain_about_nan("softmax_cross_entropy", "logits", logits)
    return loss


def softmax_cross_entropy_vjp(grad_out, logits, labels):
    """∂L/∂z = (softmax(z) − onehot(labels)) / N. Taught in: 06_layers_and_losses."""
    grad = softmax(logits)
    grad[np.arange(len(labels)), labels] -= 1
    grad *= grad_out / len(labels)
    return grad


def _check_targets(loss, name, y_hat, y):
    if np.shape(y_hat) != np.shape(y):
        raise ValueError(
            f"{loss}: {name} has shape {np.shape(y_hat)}, y has {np.shape(y)}; they "
            f"must be equal. Broadcasting them would compare every prediction with "
            f"every target: reshape one of them"
        )
    for what, array in ((name, y_hat), ("y", y)):
        if np.isnan(np.sum(array)):
            _complain_about_nan(loss, what, array)


def _check_labels(logits, labels):
    labels = np.copy(labels)  # an array, or what the compiler has in place of one
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"softmax_cross_entropy: logits {logits.shape} and labels {labels.shape}; "
            f"expected (N, K) and (N,): one row of logits and one integer per example"
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"softmax_cross_entropy: labels have dtype {labels.dtype}; expected "
            f"integers (class numbers, not one-hot rows or probabilities)"
        )
    n_classes = logits.shape[1]
    if labels.size and (labels.min() < 0 or labels.max() >= n_classes):
        raise ValueError(
            f"softmax_cross_entropy: labels lie in {labels.min()} … {labels.max()}; "
            f"with {n_classes} logits a row they must lie in 0 … {n_classes - 1}"
        )


def _complain_about_nan(function, name, array):
    places = np.argwhere(np.isnan(array))
    if len(places):
        raise ValueError(
            f"{function}: NaN in {len(places)} places of {name}, the first at index "
            f"{tuple(places[0].tolist())}. Look where it comes from: an overflow, "
            f"log of 0, 0/0, or the data"
        )
