"""Every formula of the course once: each function beside its vector–Jacobian product.

All functions are pure: arrays in, arrays out, nothing remembered, nothing changed in
place. For a function `y = f(x)` inside a longer computation of a loss L,
`f_vjp(grad_out, …)` turns `grad_out = ∂L/∂y` into `∂L/∂x`.

- Rows are examples: `X` is (N, D), `X @ W + b` with `W` (fan_in, fan_out).
- Losses are means over the batch; logits go in, unless a name says otherwise.
- An `axis` is counted from either end; `keepdims` keeps it, with length 1.
- The arithmetic rules (`add` … `relu`) work on floats and on arrays alike. Where NumPy
  broadcasts an input, its gradient has the shape of the *output* until `unbroadcast`
  sums it back.
"""

from __future__ import annotations

import math
from numbers import Real

import numpy as np

# --- arithmetic: one rule serves floats and arrays ------------------------------------


def add(a, b):
    """Sum a + b, elementwise. Taught in: 03_tape_engine."""
    return a + b


def add_vjp(grad_out):
    """Both inputs of a + b receive grad_out. Taught in: 03_tape_engine."""
    return grad_out, grad_out


def sub(a, b):
    """Difference a − b, elementwise. Taught in: 03_tape_engine."""
    return a - b


def sub_vjp(grad_out):
    """The inputs of a − b receive (grad_out, −grad_out). Taught in: 03_tape_engine."""
    return grad_out, -grad_out


def neg(x):
    """Negative −x. Taught in: 03_tape_engine."""
    return -x


def neg_vjp(grad_out):
    """∂(−x)/∂x = −1. Taught in: 03_tape_engine."""
    return -grad_out


def mul(a, b):
    """Product a · b, elementwise. Taught in: 03_tape_engine."""
    return a * b


def mul_vjp(grad_out, a, b):
    """Each factor receives grad_out times the other one. Taught in: 03_tape_engine."""
    return grad_out * b, grad_out * a


def div(a, b):
    """Quotient a / b, elementwise. Taught in: 03_tape_engine."""
    return a / b


def div_vjp(grad_out, a, b):
    """∂(a/b)/∂a = 1/b and ∂(a/b)/∂b = −a/b². Taught in: 03_tape_engine."""
    return grad_out / b, -grad_out * a / (b * b)


def power(x, n):
    """Power xⁿ with a constant exponent n; TypeError if n is not a number.

    Taught in: 03_tape_engine.
    """
    if not isinstance(n, Real):
        raise TypeError(
            f"x ** n takes a constant n, a number, not {type(n).__name__}. For a "
            f"variable exponent write (n * x.log()).exp()"
        )
    return x ** float(n)


def power_vjp(grad_out, x, n):
    """∂xⁿ/∂x = n xⁿ⁻¹, and 0 for n = 0. Taught in: 03_tape_engine."""
    n = float(n)
    return grad_out * (n * x ** (n - 1)) if n else grad_out * 0.0


def exp(x):
    """Exponential eˣ. Taught in: 03_tape_engine."""
    return np.exp(x)


def exp_vjp(grad_out, y):
    """∂eˣ/∂x = eˣ = y: the rule needs the output only. Taught in: 03_tape_engine."""
    return grad_out * y


def log(x):
    """Natural logarithm. Taught in: 03_tape_engine."""
    return np.log(x)


def log_vjp(grad_out, x):
    """∂ log x/∂x = 1/x. Taught in: 03_tape_engine."""
    return grad_out / x


def tanh(x):
    """Hyperbolic tangent. Taught in: 03_tape_engine."""
    return np.tanh(x)


def tanh_vjp(grad_out, y):
    """∂ tanh x/∂x = 1 − y², from the output y. Taught in: 03_tape_engine."""
    return grad_out * (1 - y * y)


def sqrt(x):
    """Square root √x. Taught in: 07_array_tape."""
    return np.sqrt(x)


def sqrt_vjp(grad_out, y):
    """∂√x/∂x = 1/(2y), from the output y. Taught in: 07_array_tape."""
    return grad_out / (2 * y)


def abs(x):  # noqa: A001 — the field's name
    """Absolute value |x|. Taught in: 07_array_tape."""
    return np.abs(x)


def abs_vjp(grad_out, x):
    """∂|x|/∂x = sign of x, and 0 at x = 0. Taught in: 07_array_tape."""
    return grad_out * np.sign(x)


def sin(x):
    """Sine of x in radians. Taught in: 07_array_tape."""
    return np.sin(x)


def sin_vjp(grad_out, x):
    """∂ sin x/∂x = cos x. Taught in: 07_array_tape."""
    return grad_out * np.cos(x)


def cos(x):
    """Cosine of x in radians. Taught in: 07_array_tape."""
    return np.cos(x)


def cos_vjp(grad_out, x):
    """∂ cos x/∂x = −sin x. Taught in: 07_array_tape."""
    return grad_out * -np.sin(x)


def raised(a, b):
    """Power aᵇ of two arrays. Taught in: 07_array_tape."""
    return a**b


def raised_vjp(grad_out, y, a, b):
    """∂aᵇ/∂a = b aᵇ⁻¹ and ∂aᵇ/∂b = aᵇ log a = y log a, from the output y.

    Where b = 0 the first is 0, and where a = 0 the second, as in PyTorch.
    Taught in: 07_array_tape.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        for_a = np.where(b == 0, 0, b * a ** (b - 1))
        for_b = np.where(a == 0, 0, y * np.log(a))
    return grad_out * for_a, grad_out * for_b


def sigmoid(x):
    """Logistic function σ(x) = 1/(1 + e⁻ˣ), without overflow at either end.

    e⁻|x| never overflows: σ = 1/(1 + e⁻ˣ) for x ≥ 0 and eˣ/(1 + eˣ) for x < 0.
    Taught in: 06_layers_and_losses.
    """
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def sigmoid_vjp(grad_out, y):
    """∂σ/∂x = σ(1 − σ) = y(1 − y), from the output y. Taught in: 03_tape_engine."""
    return grad_out * (y * (1 - y))


def relu(x):
    """Rectifier max(x, 0). Taught in: 06_layers_and_losses."""
    return np.maximum(x, 0)


def relu_vjp(grad_out, x):
    """The gate is open where the *input* is positive. Taught in: 03_tape_engine.

    At x = 0, where no derivative exists, it takes 0, as PyTorch does.
    """
    return grad_out * (x > 0)


def maximum(a, b):
    """The larger of a and b, elementwise. Taught in: 07_array_tape."""
    return np.maximum(a, b)


def maximum_vjp(grad_out, a, b):
    """The larger one receives grad_out; where they tie, each a half of it.

    Equal shares are what `torch.maximum` takes. Taught in: 07_array_tape.
    """
    share = np.where(a == b, grad_out / 2, grad_out)
    return share * (a >= b), share * (b >= a)


def minimum(a, b):
    """The smaller of a and b, elementwise. Taught in: 07_array_tape."""
    return np.minimum(a, b)


def minimum_vjp(grad_out, a, b):
    """The smaller one receives grad_out; where they tie, each a half of it.

    Taught in: 07_array_tape.
    """
    return maximum_vjp(grad_out, -a, -b)


def clip(x, low=None, high=None):
    """x, but `low` where it is below, and `high` where it is above; None is no bound.

    Taught in: 07_array_tape.
    """
    low, high = _bounds(low, high)
    return np.minimum(np.maximum(x, low), high)


def clip_vjp(grad_out, x, low=None, high=None):
    """The gate is open from `low` to `high`, both included, as in PyTorch.

    Taught in: 07_array_tape.
    """
    low, high = _bounds(low, high)
    return grad_out * ((x >= low) & (x <= high))


def _bounds(low, high):
    return (
        -math.inf if low is None else float(low),
        math.inf if high is None else float(high),
    )


def where(mask, a, b):
    """Elements of a where `mask` is true, of b elsewhere. Taught in: 07_array_tape."""
    return np.where(mask, a, b)


def where_vjp(grad_out, mask):
    """Each element's gradient goes to the one that it was taken from.

    Taught in: 07_array_tape.
    """
    return np.where(mask, grad_out, 0), np.where(mask, 0, grad_out)


# --- shapes ---------------------------------------------------------------------------


def unbroadcast(grad, shape):
    """Sum `grad` over the axes along which an input of `shape` was broadcast.

    A value that was copied is a value that was used several times: gradients add.
    Taught in: 07_array_tape.
    """
    if grad.shape == shape:
        return grad
    new = tuple(range(grad.ndim - len(shape)))
    stretched = tuple(len(new) + i for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=new + stretched, keepdims=True).reshape(shape)


def spread(values, shape, axis=None, keepdims=False):
    """Give every element of `shape` the value of the group along `axis` it belongs to.

    The way back from a reduction: `values` is what `sum(x, axis, keepdims)` returned
    for an `x` of `shape`. The result is a read-only view. Taught in: 07_array_tape.
    """
    if shape and axis is not None and not keepdims:  # a number has no axis to lose
        values = np.expand_dims(values, axis)
    return np.broadcast_to(values, shape)


def sum(x, axis=None, keepdims=False):  # noqa: A001 — the field's name
    """Sum over `axis` (all axes if None). Taught in: 07_array_tape."""
    return np.sum(x, axis=axis, keepdims=keepdims)


def sum_vjp(grad_out, shape, axis=None, keepdims=False):
    """Every summand of an input of `shape` receives the gradient of its sum.

    Taught in: 07_array_tape.
    """
    return spread(grad_out, shape, axis, keepdims).copy()


def mean(x, axis=None, keepdims=False):
    """Arithmetic mean over `axis` (all axes if None). Taught in: 07_array_tape."""
    return np.mean(x, axis=axis, keepdims=keepdims)


def mean_vjp(grad_out, shape, axis=None, keepdims=False):
    """Each of the n averaged elements receives grad_out / n.

    Taught in: 07_array_tape.
    """
    n = math.prod(shape) // math.prod(np.shape(grad_out)) if 0 not in shape else 1
    return spread(grad_out / n, shape, axis, keepdims).copy()


def max(x, axis=None, keepdims=False):  # noqa: A001 — the field's name
    """Maximum over `axis` (all axes if None). Taught in: 07_array_tape."""
    return np.max(x, axis=axis, keepdims=keepdims)


def max_vjp(grad_out, x, axis=None, keepdims=False):
    """The winner receives grad_out; winners that tie share it equally.

    At a tie no derivative exists; equal shares are what `torch.amax` takes.
    Taught in: 07_array_tape.
    """
    wins = x == np.max(x, axis=axis, keepdims=True)
    shares = wins / wins.sum(axis=axis, keepdims=True, dtype=x.dtype)
    return shares * spread(grad_out, x.shape, axis, keepdims)


def min(x, axis=None, keepdims=False):  # noqa: A001 — the field's name
    """Minimum over `axis` (all axes if None). Taught in: 07_array_tape."""
    return np.min(x, axis=axis, keepdims=keepdims)


def min_vjp(grad_out, x, axis=None, keepdims=False):
    """Where x is the smallest, −x is the largest: the rule of `max`, for −x.

    Taught in: 07_array_tape.
    """
    return max_vjp(grad_out, -x, axis, keepdims)


def var(x, axis=None, keepdims=False, ddof=0):
    """Variance Σ (x − mean)² / (n − ddof) over `axis` (all axes if None).

    Taught in: 07_array_tape.
    """
    return np.var(x, axis=axis, keepdims=keepdims, ddof=ddof)


def var_vjp(grad_out, x, axis=None, keepdims=False, ddof=0):
    """∂ var/∂x = 2 (x − mean) / (n − ddof), for the n elements of a mean.

    The mean moves as well, but the deviations from it sum to 0.
    Taught in: 07_array_tape.
    """
    centred = x - np.mean(x, axis=axis, keepdims=True)
    n = x.size // math.prod(np.shape(grad_out)) if x.size else 1
    return spread(grad_out, x.shape, axis, keepdims) * centred * (2 / (n - ddof))


def std(x, axis=None, keepdims=False, ddof=0):
    """Standard deviation √var over `axis` (all axes if None).

    Taught in: 07_array_tape.
    """
    return np.std(x, axis=axis, keepdims=keepdims, ddof=ddof)


def std_vjp(grad_out, x, axis=None, keepdims=False, ddof=0):
    """∂ std/∂x = ∂ var/∂x / (2 std), and 0 where all elements are equal.

    Taught in: 07_array_tape.
    """
    y = std(x, axis, keepdims, ddof)
    for_var = np.where(y == 0, 0, grad_out / np.where(y == 0, 1, 2 * y))
    return var_vjp(for_var, x, axis, keepdims, ddof)


def reshape(x, shape):
    """The same elements in another shape. Taught in: 07_array_tape."""
    return np.reshape(x, shape)


def reshape_vjp(grad_out, shape):
    """Back into the `shape` of the input. Taught in: 07_array_tape."""
    return grad_out.reshape(shape)


def transpose(x, axes=None):
    """Axes in another order (reversed if None). Taught in: 07_array_tape."""
    return np.transpose(x, axes)


def transpose_vjp(grad_out, axes=None):
    """Put the axes back: transpose by the inverse permutation.

    Axes counted from the end are counted from the front first: −1 of 3 axes is 2.
    Taught in: 07_array_tape.
    """
    if axes is not None:
        axes = np.argsort([axis % grad_out.ndim for axis in axes])
    return np.transpose(grad_out, axes)


def getitem(x, index):
    """Select x[index]. Taught in: 07_array_tape."""
    return x[index]


def getitem_vjp(grad_out, shape, index):
    """Back into an array of zeros, at the places taken; twice taken, twice added.

    Taught in: 07_array_tape.
    """
    grad = np.zeros(shape, np.asarray(grad_out).dtype)
    np.add.at(grad, index, grad_out)
    return grad


def concatenate(arrays, axis=0):
    """Arrays one after the other, along an axis that they have.

    Taught in: 07_array_tape.
    """
    return np.concatenate(arrays, axis)


def concatenate_vjp(grad_out, sizes, axis=0):
    """Each array receives its own piece; `sizes` are their lengths along `axis`.

    Taught in: 07_array_tape.
    """
    return tuple(np.split(grad_out, np.cumsum(sizes)[:-1], axis))


# --- matrix products ------------------------------------------------------------------


def matmul(A, B):
    """Matrix product (…, N, D) @ (…, D, H) → (…, N, H).

    Raises ValueError if an input has fewer than two axes or the inner ones differ.
    Taught in: 05_vectorized_backprop.
    """
    _check_matmul("matmul", "A", A, "B", B)
    return A @ B


def matmul_vjp(grad_out, A, B):
    """∂L/∂A = G Bᵀ and ∂L/∂B = Aᵀ G for G = grad_out.

    Taught in: 05_vectorized_backprop. Source: M. B. Giles (2008), Collected matrix
    derivative results for forward and reverse mode algorithmic differentiation.
    """
    return grad_out @ B.swapaxes(-1, -2), A.swapaxes(-1, -2) @ grad_out


def linear(X, W, b):
    """Affine layer X W + b: (N, D) @ (D, H) + (H,) → (N, H).

    Raises ValueError if the shapes do not fit, or X or W is no matrix.
    Taught in: 05_vectorized_backprop.
    """
    _check_matmul("linear", "X", X, "W", W, stacks=False)
    if b.shape != W.shape[1:]:
        raise ValueError(
            f"linear: b has shape {b.shape}; W {W.shape} has fan_out {W.shape[1]}, "
            f"so b must be {W.shape[1:]}"
        )
    out = X @ W
    out += b
    return out


def linear_vjp(grad_out, X, W, input_grad=True):
    """For G = grad_out (N, H): ∂L/∂X = G Wᵀ, ∂L/∂W = Xᵀ G, ∂L/∂b = Σₙ G.

    With `input_grad=False` the first is None: nobody asks for the gradient of the
    data, and it costs a matrix product.
    Taught in: 05_vectorized_backprop.
    """
    grad_X = grad_out @ W.T if input_grad else None
    return grad_X, X.T @ grad_out, grad_out.sum(axis=0)


def _check_matmul(operation, left, A, right, B, stacks=True):
    if not stacks and (A.ndim > 2 or B.ndim > 2):
        raise ValueError(
            f"{operation}: {left} has shape {A.shape} and {right} {B.shape}; both must "
            f"have two axes. Reshape {left} to rows and the result back, as "
            f"tensor.linear does"
        )
    if A.ndim < 2 or B.ndim < 2:
        raise ValueError(
            f"{operation}: {left} has shape {A.shape} and {right} {B.shape}; both need "
            f"two axes (reshape a vector to (1, n) or (n, 1))"
        )
    if A.shape[-1] != B.shape[-2]:
        raise ValueError(
            f"{operation}: {left} {A.shape} has {A.shape[-1]} columns, "
            f"{right} {B.shape} has {B.shape[-2]} rows; they must be equal"
        )


# --- softmax and its logarithm, over the last axis unless told ------------------------


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
    return (m if keepdims else np.squeeze(m, axis)) + np.log(total)


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
    return x.max(axis=axis, keepdims=True)


# --- normalisation, over the last axis ------------------------------------------------


def standardise(x, eps=1e-5):
    """Give x̂ = (x − mean)/s and s = √(variance + eps), each along the last axis.

    x̂ has the shape of x, s keeps a last axis of length 1.
    Taught in: 10_vanishing_exploding.
    """
    centred = x - x.mean(axis=-1, keepdims=True)
    s = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + eps)
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
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    grad_x = (u - u.mean(axis=-1, keepdims=True) - x_hat * along) / s
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


# --- losses: means over the batch; grad_out is a number -------------------------------


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


def _complain_about_nan(function, name, array):
    places = np.argwhere(np.isnan(array))
    if len(places):
        raise ValueError(
            f"{function}: NaN in {len(places)} places of {name}, the first at index "
            f"{tuple(places[0].tolist())}. Look where it comes from: an overflow, "
            f"log of 0, 0/0, or the data"
        )


def _check_labels(logits, labels):
    labels = np.asarray(labels)
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
