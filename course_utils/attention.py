"""Attention on the tape, and the modules that a transformer is built of."""

from __future__ import annotations

from typing import Any

import numpy as np

from course_utils import functional as F
from course_utils.layer_checks import check_counts, check_generator, check_table
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
    q, k, v = as_tensor(q), as_tensor(k), as_tensor(v)
    F._check_values(q, k, v)
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
    PyTorch's module takes query, key and value, and drops weights out if asked: ours
    takes x, which is all three, and drops none.
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
        check_heads(d_model, n_heads, rng, causal)
        self.d_model, self.n_heads = d_model, n_heads
        self.causal, self.weights = causal, None
        four = (Linear(d_model, d_model, rng, xavier_normal, dtype) for _ in range(4))
        self.query, self.key, self.value, self.out = four

    def split(self, x: Tensor) -> Tensor:
        """(B, N, d_model) → (B, heads, N, d_model / heads)."""
        B, N, d = x.shape
        return x.reshape(B, N, self.n_heads, d // self.n_heads).transpose(0, 2, 1, 3)

    def forward(self, x: Any) -> Tensor:
        """(B, N, d_model) → the same shape."""
        x = check_tokens(x, self.d_model)
        mask = causal_mask(x.shape[1]) if self.causal else None
        q, k, v = (self.split(f(x)) for f in (self.query, self.key, self.value))
        weights = attention_weights(q, k, mask)  # (B, heads, N, N)
        self.weights = weights.data
        found = (weights @ v).transpose(0, 2, 1, 3)  # (B, N, heads, d_model / heads)
        return self.out(found.reshape(x.shape))


def check_heads(d_model: Any, n_heads: Any, rng: Any, causal: Any) -> None:
    """Raise ValueError unless d_model is n_heads times a whole number.

    Raises TypeError for an rng that draws nothing, or a mask as causal. Plumbing.
    """
    check_counts("MultiHeadAttention", d_model=d_model, n_heads=n_heads)
    check_generator("MultiHeadAttention", rng)
    if not isinstance(causal, bool):
        raise TypeError(
            f"MultiHeadAttention: causal is a {type(causal).__name__}; expected True "
            f"or False: it makes its mask by itself, for rows of any length"
        )
    if d_model % n_heads:
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

    Raises ValueError for numbers outside of 0 … n_tokens − 1, and below 0 as well, for
    none counts from the end; TypeError for what is no whole number.
    Taught in: 14_attention.
    """

    def __init__(
        self,
        n_tokens: int,
        d_model: int,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ):
        check_table("Embedding", rng, n_tokens=n_tokens, d_model=d_model)
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
            f"number of a row. Mend: np.asarray(ids, int)"
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
        check_table("Positions", rng, n_places=n_places, d_model=d_model)
        self.table = Parameter(rng.normal(size=(n_places, d_model)).astype(dtype))

    def forward(self, x: Any) -> Tensor:
        """(…, N, d_model) → the same shape."""
        x = check_places(x, self.table.shape)
        return x + self.table[: x.shape[-2]]


def check_places(x: Any, table: tuple[int, int]) -> Tensor:
    """Give x as a Tensor; raise ValueError unless each token has a place. Plumbing."""
    x, (n_places, d_model) = as_tensor(x), table
    if x.ndim < 2 or x.shape[-1] != d_model:
        raise ValueError(
            f"Positions: x has shape {x.shape}; expected (…, N, {d_model}): tokens, "
            f"features. Numbers of tokens go through an Embedding first"
        )
    if (N := x.shape[-2]) > n_places:
        raise ValueError(
            f"Positions: x has shape {x.shape}, {N} tokens in a row; there are "
            f"vectors for {n_places} places. Make it with n_places={N} or more"
        )
    return x


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
