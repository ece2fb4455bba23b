"""Attention on the tape, and the modules that a transformer is built of."""

from __future__ import annotations

from typing import Any

import numpy as np

from course_utils import functional as F
from course_utils.nn import MLP, LayerNorm, Linear, Module, Parameter, xavier_normal
from course_utils.rules import broadcasting
from course_utils.tape import Op, record
from course_utils.tensor import Tensor, as_tensor


def attention_weights(q: Any, k: Any, mask: Any = None) -> Tensor:
    """Weights softmax(Q Kᵀ/√d) as one operation; the mask is a constant.

    Taught in: 14_attention.
    """
    rule = broadcasting(lambda g, y, q, k: F.attention_weights_vjp(g, q, k, y))
    op = Op("attention", lambda q, k: F.attention_weights(q, k, mask), rule)
    return record(Tensor, op, as_tensor(q), as_tensor(k))


def scaled_dot_product_attention(q: Any, k: Any, v: Any, mask: Any = None) -> Tensor:
    """Weighted means softmax(Q Kᵀ/√d) V: the weights, and a product with them.

    The tape keeps the weights, since the way back needs them.
    Raises ValueError if the shapes do not fit. Taught in: 14_attention.
    """
    v = as_tensor(v)
    F._check_values(as_tensor(k), v)
    return attention_weights(q, k, mask) @ v


def causal_mask(n: int) -> np.ndarray:
    """Booleans (n, n): True where token i may look at token j, which is j ≤ i.

    Taught in: 14_attention.
    """
    return np.tri(n, dtype=bool)


class MultiHeadAttention(Module):
    """Attention of the rows of x to each other, in `n_heads` ways side by side.

    Each head has queries, keys and values of size d_model / n_heads; what the heads
    find is mixed by a last linear layer. With `causal`, a token sees itself and those
    before it. `weights` (B, heads, N, N) holds where the last forward looked.
    Raises ValueError if n_heads does not divide d_model. Taught in: 14_attention.
    Source: A. Vaswani et al. (2017), Attention is all you need.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        rng: np.random.Generator,
        causal: bool = False,
        dtype: Any = np.float64,
    ):
        check_heads(d_model, n_heads)
        self.n_heads, self.causal, self.weights = n_heads, causal, None
        self.query = Linear(d_model, d_model, rng, xavier_normal, dtype)
        self.key = Linear(d_model, d_model, rng, xavier_normal, dtype)
        self.value = Linear(d_model, d_model, rng, xavier_normal, dtype)
        self.out = Linear(d_model, d_model, rng, xavier_normal, dtype)

    def split(self, x: Tensor) -> Tensor:
        """(B, N, d_model) → (B, heads, N, d_model / heads)."""
        B, N, d = x.shape
        return x.reshape(B, N, self.n_heads, d // self.n_heads).transpose(0, 2, 1, 3)

    def forward(self, x: Any) -> Tensor:
        """(B, N, d_model) → the same shape."""
        x = check_tokens(x, len(self.out.b))
        mask = causal_mask(x.shape[1]) if self.causal else None
        q, k, v = (self.split(f(x)) for f in (self.query, self.key, self.value))
        weights = attention_weights(q, k, mask)
        self.weights = weights.data
        return self.out((weights @ v).transpose(0, 2, 1, 3).reshape(x.shape))


def check_heads(d_model: int, n_heads: int) -> None:
    """Raise ValueError unless d_model is n_heads times a whole number. Plumbing."""
    if n_heads < 1 or d_model < 1 or d_model % n_heads:
        raise ValueError(
            f"MultiHeadAttention: d_model is {d_model} and n_heads {n_heads}; the "
            f"heads share d_model evenly, so n_heads must divide it"
        )


def check_tokens(x: Any, d_model: int) -> Tensor:
    """Give x as a Tensor; raise ValueError unless it is (B, N, d_model). Plumbing."""
    x = as_tensor(x)
    if x.ndim != 3 or x.shape[-1] != d_model:
        raise ValueError(
            f"MultiHeadAttention: x has shape {x.shape}; expected (B, N, {d_model}): "
            f"examples, tokens, features. One example alone is x[None]"
        )
    return x


class Embedding(Module):
    """A table with a row for each token; a row that is chosen twice is paid twice.

    Raises ValueError for numbers outside of 0 … n_tokens − 1, TypeError for what is no
    whole number. Taught in: 14_attention.
    """

    def __init__(
        self,
        n_tokens: int,
        d_model: int,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ):
        self.table = Parameter(rng.normal(size=(n_tokens, d_model)).astype(dtype))

    def forward(self, ids: Any) -> Tensor:
        """Whole numbers (…) → their rows (…, d_model)."""
        check_ids(ids, len(self.table))
        return self.table[ids]


def check_ids(ids: Any, n_tokens: int) -> None:
    """Raise unless `ids` are whole numbers that stand in the table. Plumbing."""
    found = ids if hasattr(ids, "dtype") else np.asarray(ids)
    if found.dtype.kind not in "iu":
        raise TypeError(
            f"Embedding: expected whole numbers, found {found.dtype}; a token is the "
            f"number of a row. Mend: ids.astype(int)"
        )
    if found.size and not (0 <= found.min() and found.max() < n_tokens):
        raise ValueError(
            f"Embedding: expected numbers in 0 … {n_tokens - 1}, one for each row of "
            f"the table, found {found.min()} … {found.max()}"
        )


class Positions(Module):
    """Adds to each token a vector for its place, which is learnt.

    Raises ValueError for more tokens than places. Taught in: 14_attention.
    """

    def __init__(
        self,
        n_places: int,
        d_model: int,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ):
        self.table = Parameter(rng.normal(size=(n_places, d_model)).astype(dtype))

    def forward(self, x: Any) -> Tensor:
        """(…, N, d_model) → the same shape."""
        x = as_tensor(x)
        N, n_places = x.shape[-2], len(self.table)
        if N > n_places:
            raise ValueError(
                f"Positions: x has shape {x.shape}, {N} tokens in a row; there are "
                f"vectors for {n_places} places. Make it with n_places={N} or more"
            )
        return x + self.table[:N]


class TransformerBlock(Module):
    """Two residual steps: x + attention(norm(x)), then x + mlp(norm(x)).

    The MLP has one hidden layer of 4 · d_model ReLUs and sees each token alone.
    Raises ValueError if n_heads does not divide d_model. Taught in: 14_attention.
    Source: A. Vaswani et al. (2017); the norm first as in R. Xiong et al. (2020), On
    layer normalization in the transformer architecture.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        rng: np.random.Generator,
        causal: bool = False,
        dtype: Any = np.float64,
    ):
        self.norm1 = LayerNorm(d_model, dtype=dtype)
        self.attention = MultiHeadAttention(d_model, n_heads, rng, causal, dtype)
        self.norm2 = LayerNorm(d_model, dtype=dtype)
        self.mlp = MLP([d_model, 4 * d_model, d_model], rng, dtype=dtype)

    def forward(self, x: Any) -> Tensor:
        """(B, N, d_model) → the same shape."""
        x = as_tensor(x)
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))
