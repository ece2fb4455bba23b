"""Matrix products."""

from __future__ import annotations


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
