"""Attention: weighted means whose weights are computed."""

from __future__ import annotations

import math

import numpy as np

from course_utils.functional.logits import softmax, softmax_vjp
from course_utils.functional.products import matmul_vjp
from course_utils.functional.shapes import _check_arrays


def attention_weights(q, k, mask=None):
    """Weights softmax(Q Kᵀ/√d): what share of each key a query takes; rows add to 1.

    q (…, N, d) and k (…, M, d) → (…, N, M). `mask` is boolean, True where a query may
    look, in a shape that broadcasts to that of the weights.
    Raises ValueError if the shapes do not fit, or a query may look nowhere (PyTorch's
    function answers 0 for it, its module NaN), TypeError for a mask of numbers (PyTorch
    would add them to the scores). Taught in: 14_attention.
    """
    _check_queries(q, k)
    scores = q / math.sqrt(q.shape[-1]) @ k.swapaxes(-1, -2)
    if mask is not None:
        _check_mask(mask, scores.shape)
        scores = np.where(mask, scores, -np.inf)
    return softmax(scores)


def attention_weights_vjp(grad_out, q, k, weights):
    """∂L/∂Q = S K/√d and ∂L/∂K = Sᵀ Q/√d with S the way back through the softmax.

    From the output `weights`; a masked place has weight 0, so nothing comes back there.
    Taught in: 14_attention.
    """
    grad_scores = softmax_vjp(grad_out, weights) / math.sqrt(q.shape[-1])
    return grad_scores @ k, grad_scores.swapaxes(-1, -2) @ q


def scaled_dot_product_attention(q, k, v, mask=None):
    """Weighted means softmax(Q Kᵀ/√d) V of the rows of V, one for each query.

    q (…, N, d), k (…, M, d), v (…, M, h) → (…, N, h). A mask as `attention_weights`
    has it: True where a query may look, as in PyTorch's function of this name, and
    unlike its module `nn.MultiheadAttention`, where True is what is masked.
    Raises ValueError if the shapes do not fit. Taught in: 14_attention.
    Source: A. Vaswani et al. (2017), Attention is all you need.
    """
    _check_values(q, k, v)
    return attention_weights(q, k, mask) @ v


def scaled_dot_product_attention_vjp(grad_out, q, k, v, mask=None):
    """∂L/∂Q, ∂L/∂K, ∂L/∂V for G = grad_out: the weights receive G Vᵀ, and V Wᵀ G.

    Taught in: 14_attention.
    """
    weights = attention_weights(q, k, mask)
    grad_weights, grad_v = matmul_vjp(grad_out, weights, v)
    return *attention_weights_vjp(grad_weights, q, k, weights), grad_v


def _check_queries(q, k):
    _check_arrays("attention", q=q, k=k)
    if q.ndim < 2 or k.ndim < 2 or q.shape[-1] != k.shape[-1] or not q.shape[-1]:
        raise ValueError(
            f"attention: q has shape {q.shape} and k {k.shape}; expected (…, N, d) and "
            f"(…, M, d) with the same d above 0, for each query meets each key in a "
            f"dot product"
        )
    if not k.shape[-2]:
        raise ValueError(
            f"attention: k has shape {k.shape}, no key at all; a mean needs at least "
            f"one, so M in (…, M, d) must be above 0"
        )
    _check_in_front(q=q, k=k)


def _check_values(q, k, v):
    _check_queries(q, k)
    _check_arrays("attention", v=v)
    if v.ndim < 2 or v.shape[-2] != k.shape[-2]:
        raise ValueError(
            f"attention: k has shape {k.shape} and v {v.shape}; each key belongs to a "
            f"value, so v must be (…, {k.shape[-2]}, h)"
        )
    _check_in_front(q=q, k=k, v=v)


def _check_in_front(**arrays):
    shapes = [array.shape for array in arrays.values()]
    try:
        np.broadcast_shapes(*(shape[:-2] for shape in shapes))
    except ValueError:
        found = ", ".join(f"{n} {x.shape}" for n, x in arrays.items())
        raise ValueError(
            f"attention: the axes in front of the last two do not broadcast: {found}; "
            f"expected the same numbers of examples (and heads), or 1"
        ) from None


def _check_mask(mask, shape):
    if np.asarray(mask).dtype != np.bool_:
        raise TypeError(
            f"attention: expected a mask of booleans, True where a query may look, "
            f"found {np.asarray(mask).dtype}. From 1 and 0, or 0 and −∞, make it by a "
            f"comparison, as mask > 0 or mask == 0"
        )
    try:
        whole = np.broadcast_to(mask, shape)
    except ValueError:
        padding = len(shape) > 2 and np.shape(mask) == (shape[0], shape[-1])
        axes = ", ".join([":", *["None"] * (len(shape) - 2)])
        raise ValueError(
            f"attention: the mask has shape {np.shape(mask)}; expected one that "
            f"broadcasts to the weights {shape}: a row for each query, a column for "
            f"each key" + f". The same for all queries: mask[{axes}]" * padding
        ) from None
    if not (looks := whole.any(axis=-1)).all():
        place = tuple(np.argwhere(~looks)[0].tolist())
        raise ValueError(
            f"attention: the mask lets query {place} look nowhere (of weights {shape}),"
            f" so softmax would divide 0 by 0. Let each row have at least one True; if "
            f"True means masked in yours, take ~mask"
        )
