"""Arrays on the tape: `Tensor` adds the rules of array operations to `tape.Node`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils import functional as F
from course_utils.tape import Node, Op, record


def broadcasting(vjp: Callable[..., tuple]) -> Callable[..., tuple]:
    """Make `vjp(g, y, a, b)` give gradients with the shapes and dtypes of a and b.

    Where broadcasting copied an input, the gradients of its copies are added up.
    Taught in: 07_array_tape.
    """

    def rule(g, y, *inputs):
        grads = [
            F.unbroadcast(grad, x.shape).astype(x.dtype, copy=False)
            for x, grad in zip(inputs, vjp(g, y, *inputs), strict=True)
        ]
        # a's gradient must not change when somebody changes b's in place.
        return (grads[0], grads[1].copy()) if grads[0] is grads[1] else tuple(grads)

    return rule


# The table of rules, one line an operation: forward, and the way back.
OPS = {
    "add": Op("+", F.add, broadcasting(lambda g, y, a, b: F.add_vjp(g))),
    "sub": Op("−", F.sub, broadcasting(lambda g, y, a, b: F.sub_vjp(g))),
    "mul": Op("×", F.mul, broadcasting(lambda g, y, a, b: F.mul_vjp(g, a, b))),
    "div": Op("÷", F.div, broadcasting(lambda g, y, a, b: F.div_vjp(g, a, b))),
    "matmul": Op("@", F.matmul, broadcasting(lambda g, y, A, B: F.matmul_vjp(g, A, B))),
    "neg": Op("neg", F.neg, lambda g, y, x: (F.neg_vjp(g),)),
    "exp": Op("exp", F.exp, lambda g, y, x: (F.exp_vjp(g, y),)),
    "log": Op("log", F.log, lambda g, y, x: (F.log_vjp(g, x),)),
    "sqrt": Op("√", F.sqrt, lambda g, y, x: (F.sqrt_vjp(g, y),)),
    "tanh": Op("tanh", F.tanh, lambda g, y, x: (F.tanh_vjp(g, y),)),
    "sigmoid": Op("σ", F.sigmoid, lambda g, y, x: (F.sigmoid_vjp(g, y),)),
    "relu": Op("relu", F.relu, lambda g, y, x: (F.relu_vjp(g, x),)),
    "softmax": Op("softmax", F.softmax, lambda g, y, x: (F.softmax_vjp(g, y),)),
    "log_softmax": Op(
        "log softmax", F.log_softmax, lambda g, y, x: (F.log_softmax_vjp(g, y),)
    ),
}


def with_parameters(
    symbol: str, f: Callable[..., Any], vjp: Callable[..., Any]
) -> Callable[..., Op]:
    """Give `make(*parameters) -> Op` for x ↦ f(x, *parameters).

    `vjp(g, x, *parameters)` gives the gradient for x; a `{}` in `symbol` is filled
    with the first parameter. Taught in: 07_array_tape.
    """

    def make(*parameters):
        return Op(
            symbol.format(*parameters),
            lambda x: f(x, *parameters),
            lambda g, y, x: (vjp(g, x, *parameters),),
        )

    return make


# Operations with parameters: MAKE_OP[name](*parameters) is the operation.
MAKE_OP = {
    "power": with_parameters("^{}", F.power, F.power_vjp),
    "sum": with_parameters("sum", F.sum, lambda g, x, *p: F.sum_vjp(g, x.shape, *p)),
    "mean": with_parameters(
        "mean", F.mean, lambda g, x, *p: F.mean_vjp(g, x.shape, *p)
    ),
    "max": with_parameters("max", F.max, F.max_vjp),
    "reshape": with_parameters(
        "reshape", F.reshape, lambda g, x, shape: F.reshape_vjp(g, x.shape)
    ),
    "transpose": with_parameters(
        "transpose", F.transpose, lambda g, x, axes: F.transpose_vjp(g, axes)
    ),
    "getitem": with_parameters(
        "[ ]", F.getitem, lambda g, x, index: F.getitem_vjp(g, x.shape, index)
    ),
    "mse": with_parameters("mse", F.mse, F.mse_vjp),
    "binary_cross_entropy_with_logits": with_parameters(
        "BCE",
        F.binary_cross_entropy_with_logits,
        F.binary_cross_entropy_with_logits_vjp,
    ),
    "softmax_cross_entropy": with_parameters(
        "softmax CE", F.softmax_cross_entropy, F.softmax_cross_entropy_vjp
    ),
}


def as_tensor(x: Any, dtype: Any = None) -> Tensor:
    """A Tensor as it is; numbers and arrays as constants.

    A plain number takes `dtype`, so that 2 · (float32 array) stays float32.
    Taught in: 07_array_tape.
    """
    if isinstance(x, Tensor):
        return x
    number = isinstance(x, int | float)
    return Tensor(np.asarray(x, dtype if number else None), requires_grad=False)


def elementwise(name: str, a: Tensor, b: Tensor) -> Tensor:
    """Record the operation `name` of two tensors whose shapes broadcast.

    Raises ValueError if they do not. Taught in: 07_array_tape.
    """
    try:
        return record(Tensor, OPS[name], a, b)
    except ValueError:
        raise ValueError(
            f"{name}: shapes {a.shape} and {b.shape} do not broadcast; counted from "
            f"the right, every two axes must be equal, or one of them 1 or absent"
        ) from None


def record_with(name: str, x: Tensor, *parameters: Any) -> Tensor:
    """Record an operation that has parameters besides its input.

    Taught in: 07_array_tape.
    """
    return record(Tensor, MAKE_OP[name](*parameters), x)


def _one_tuple(numbers: tuple) -> tuple:
    """(2, 3) from both x.reshape(2, 3) and x.reshape((2, 3))."""
    alone = len(numbers) == 1 and isinstance(numbers[0], tuple | list)
    return numbers[0] if alone else numbers


class Tensor(Node):
    """A float array on the tape: operations with tensors, arrays and numbers.

    `.data` is the array (shared, not copied), `.grad` has its shape, `.backward()` is
    that of `tape.Node`; arrays and numbers in an expression are constants.
    Raises TypeError for what is not an array of real numbers.
    Taught in: 07_array_tape.
    """

    __slots__ = ()
    __array_ufunc__ = None  # a NumPy array on the left leaves the operation to us

    def __init__(self, data: Any, requires_grad: bool = True):
        data = np.asarray(data)
        if data.dtype.kind in "iub":
            data = data.astype(np.float64)
        if data.dtype.kind != "f":
            raise TypeError(
                f"Tensor holds real numbers; this array has dtype {data.dtype}. Of a "
                f"Tensor, take .data"
            )
        super().__init__(data, requires_grad)

    def __repr__(self) -> str:
        return f"Tensor({self.data}, shape={self.shape}, dtype={self.dtype})"

    def __len__(self) -> int:
        return len(self.data)

    shape = property(lambda self: self.data.shape, doc="The shape of the data.")
    dtype = property(lambda self: self.data.dtype, doc="The dtype of the data.")

    def item(self) -> float:
        """The one element as a Python float."""
        return self.data.item()

    def backward(self, grad_out: Any = None, *, accumulate: bool = False) -> None:
        """Fill `.grad` of everything behind this tensor, which must be one number.

        For an array, `grad_out` of its shape says how much each element counts.
        Raises ValueError if it is missing there, or has another shape.
        """
        if grad_out is None and self.data.size != 1:
            raise ValueError(
                f"backward: a gradient is that of one number; this output has shape "
                f"{self.shape}. Call it on a loss (.sum(), .mean()), or pass grad_out"
            )
        if grad_out is not None and np.shape(grad_out) != self.shape:
            raise ValueError(
                f"backward: grad_out has shape {np.shape(grad_out)}; the output has "
                f"{self.shape}, and they must be equal"
            )
        super().backward(grad_out, accumulate=accumulate)

    # --- arithmetic -------------------------------------------------------------------

    def __add__(self, other: Any) -> Tensor:
        return elementwise("add", self, as_tensor(other, self.dtype))

    def __sub__(self, other: Any) -> Tensor:
        return elementwise("sub", self, as_tensor(other, self.dtype))

    def __mul__(self, other: Any) -> Tensor:
        return elementwise("mul", self, as_tensor(other, self.dtype))

    def __truediv__(self, other: Any) -> Tensor:
        return elementwise("div", self, as_tensor(other, self.dtype))

    def __rsub__(self, other: Any) -> Tensor:
        return as_tensor(other, self.dtype) - self

    def __rtruediv__(self, other: Any) -> Tensor:
        return as_tensor(other, self.dtype) / self

    __radd__, __rmul__ = __add__, __mul__

    def __matmul__(self, other: Any) -> Tensor:
        return record(Tensor, OPS["matmul"], self, as_tensor(other))

    def __rmatmul__(self, other: Any) -> Tensor:
        return as_tensor(other) @ self

    def __neg__(self) -> Tensor:
        return record(Tensor, OPS["neg"], self)

    def __pow__(self, n: float) -> Tensor:
        return record_with("power", self, n)

    # --- functions of each element, and of each row -----------------------------------

    def exp(self) -> Tensor:
        """Exponential eˣ."""
        return record(Tensor, OPS["exp"], self)

    def log(self) -> Tensor:
        """Natural logarithm."""
        return record(Tensor, OPS["log"], self)

    def sqrt(self) -> Tensor:
        """Square root."""
        return record(Tensor, OPS["sqrt"], self)

    def tanh(self) -> Tensor:
        """Hyperbolic tangent."""
        return record(Tensor, OPS["tanh"], self)

    def sigmoid(self) -> Tensor:
        """Logistic function 1/(1 + e⁻ˣ)."""
        return record(Tensor, OPS["sigmoid"], self)

    def relu(self) -> Tensor:
        """Rectifier max(x, 0)."""
        return record(Tensor, OPS["relu"], self)

    def softmax(self) -> Tensor:
        """Probabilities along the last axis."""
        return record(Tensor, OPS["softmax"], self)

    def log_softmax(self) -> Tensor:
        """Logarithms of the probabilities along the last axis."""
        return record(Tensor, OPS["log_softmax"], self)

    # --- reductions and shapes: each with parameters of its own -----------------------

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Sum over `axis` (all axes if None)."""
        return record_with("sum", self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Arithmetic mean over `axis` (all axes if None)."""
        return record_with("mean", self, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Maximum over `axis` (all axes if None); a tie shares its gradient."""
        return record_with("max", self, axis, keepdims)

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape, given as numbers or as one tuple."""
        return record_with("reshape", self, _one_tuple(shape))

    def transpose(self, *axes: Any) -> Tensor:
        """Axes in another order: reversed, or as given."""
        return record_with("transpose", self, _one_tuple(axes) or None)

    T = property(transpose, doc="The transpose: all axes reversed.")

    def __getitem__(self, index: Any) -> Tensor:
        return record_with("getitem", self, index)

    # --- losses: the targets are constants --------------------------------------------

    def mse(self, y: Any) -> Tensor:
        """Mean squared error against y of the same shape."""
        return record_with("mse", self, y)

    def binary_cross_entropy_with_logits(self, y: Any) -> Tensor:
        """Mean binary cross-entropy of these logits against y of the same shape."""
        return record_with("binary_cross_entropy_with_logits", self, y)

    def softmax_cross_entropy(self, labels: Any) -> Tensor:
        """Mean cross-entropy of these logits (N, K) against integer labels (N,)."""
        return record_with("softmax_cross_entropy", self, labels)


def linear(X: Any, W: Any, b: Any) -> Tensor:
    """Affine layer X W + b as one operation; a constant X gets no gradient.

    Taught in: 07_array_tape.
    """
    X, W, b = as_tensor(X), as_tensor(W), as_tensor(b)
    input_grad = X.requires_grad
    op = Op("linear", F.linear, lambda g, y, X, W, b: F.linear_vjp(g, X, W, input_grad))
    return record(Tensor, op, X, W, b)


def layer_norm(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Tensor:
    """Layer normalisation γ x̂ + β along the last axis, as one operation.

    Taught in: 10_vanishing_exploding.
    """
    op = Op(
        "layer norm",
        lambda x, gamma, beta: F.layer_norm(x, gamma, beta, eps),
        lambda g, y, x, gamma, beta: F.layer_norm_vjp(g, x, gamma, eps),
    )
    return record(Tensor, op, as_tensor(x), as_tensor(gamma), as_tensor(beta))
