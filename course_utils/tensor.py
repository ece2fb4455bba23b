"""Arrays on the tape: `Tensor` is a node whose operations are those of `rules`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from numbers import Real
from typing import Any

import numpy as np

from course_utils import functional as F
from course_utils.rules import MAKE_OP, OPS, broadcasting, like
from course_utils.tape import Node, Op, Quantity, Tape, check_unchanged, record


def as_tensor(x: Any, dtype: Any = None) -> Tensor:
    """A Tensor as it is; numbers and arrays as constants.

    A number takes `dtype`, so that 2 · (float32 array) stays float32.
    Taught in: 07_array_tape.
    """
    if isinstance(x, Tensor):
        return x
    number = isinstance(x, int | float | np.integer | np.floating)
    return Tensor(np.asarray(x, dtype if number else None), requires_grad=False)


def elementwise(name: str, a: Tensor, b: Tensor) -> Tensor:
    """Record the operation `name` of two tensors whose shapes broadcast.

    Raises ValueError if they do not. Plumbing.
    """
    try:
        return record(Tensor, OPS[name], a, b)
    except ValueError:
        raise ValueError(
            f"{name}: shapes {a.shape} and {b.shape} do not broadcast; counted from "
            f"the right, every two axes must be equal, or one of them 1 or absent"
        ) from None


def record_with(name: str, x: Tensor, *parameters: Any) -> Tensor:
    """Record an operation with parameters besides x. Taught in: 07_array_tape."""
    return record(Tensor, MAKE_OP[name](*parameters), x)


# --- what makes the methods of Tensor -------------------------------------------------


def function(name: str) -> Callable[[Tensor], Tensor]:
    """Make the method that records the function `name` of each element.

    Taught in: 07_array_tape.
    """

    @wraps(getattr(F, name))
    def method(self):
        return record(Tensor, OPS[name], self)

    return method


def operator(name: str, turned: bool = False) -> Callable[[Tensor, Any], Tensor]:
    """Make the method that records the operation `name` with another operand.

    `turned` is for operators whose left side is the other one, as in 2 − x.
    Taught in: 07_array_tape.
    """

    @wraps(getattr(F, name))
    def method(self, other):
        return elementwise(name, self, as_tensor(other, self.dtype))

    @wraps(getattr(F, name))
    def turned_method(self, other):
        return elementwise(name, as_tensor(other, self.dtype), self)

    return turned_method if turned else method


def along(name: str, x: Tensor, axis: Any, *parameters: Any, **unknown: Any) -> Tensor:
    """Record the operation `name` of x along `axis`; a number may have axis 0 or −1.

    Raises TypeError for a name such as `dim`. Plumbing.
    """
    if unknown:
        raise TypeError(
            f"{name} takes axis and keepdims, as in NumPy, not {', '.join(unknown)}. "
            f"PyTorch's dim is axis here, and its keepdim keepdims"
        )
    alone = x.ndim == 0 and axis in (0, -1)
    return record_with(name, x, None if alone else axis, *parameters)


def loss(name: str) -> Callable[[Tensor, Any], Tensor]:
    """Make the method that records the loss `name` against constant targets.

    Raises TypeError for a Tensor as target. Plumbing.
    """

    @wraps(getattr(F, name))
    def method(self, y):
        if isinstance(y, Node):
            raise TypeError(
                f"{name}: the targets are a {type(y).__name__}; expected an array, for "
                f"nobody differentiates by them. Take their .data"
            )
        return record_with(name, self, y)

    return method


def _one_tuple(numbers: tuple) -> tuple:
    """(2, 3) from both x.reshape(2, 3) and x.reshape((2, 3))."""
    alone = len(numbers) == 1 and isinstance(numbers[0], tuple | list)
    return numbers[0] if alone else numbers


class Tensor(Quantity):
    """A float array on the tape: operations with tensors, arrays and numbers.

    `.data` is the array (shared, not copied), `.grad` has its shape, `.backward()` is
    that of `tape.Node`; arrays and numbers in an expression are constants. Comparisons
    give NumPy arrays of booleans, which are constants, too.
    What is changed in `.data` between forward and backward is noticed where a
    Parameter is given new data (a step does so), and nowhere else: not in an array
    that is written to, and not in targets or an index.
    Raises TypeError for what is not an array of real numbers.
    Taught in: 07_array_tape.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True):
        data = np.asarray(data)
        if data.dtype.kind in "iub":
            data = data.astype(np.float64)
        if data.dtype.kind != "f":
            raise TypeError(
                f"Tensor holds real numbers; this array has dtype {data.dtype}"
            )
        super().__init__(data, requires_grad)

    def __repr__(self) -> str:
        return f"Tensor({self.data}, shape={self.shape}, dtype={self.dtype})"

    shape = property(lambda self: self.data.shape, doc="The shape of the data.")
    dtype = property(lambda self: self.data.dtype, doc="The dtype of the data.")
    ndim = property(lambda self: self.data.ndim, doc="How many axes the data have.")
    size = property(lambda self: self.data.size, doc="How many elements there are.")

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("iteration over a tensor of shape (): it is one number")
        return (self[i] for i in range(len(self)))

    def __array_function__(self, func, types, args, kwargs):
        raise TypeError(
            f"NumPy's {func.__name__} takes no Tensor, since it would not be recorded. "
            f"Use what tensor.py has for it, such as x.sum(), concatenate, stack or "
            f"where; or take .data: from then on it is a constant"
        )

    def item(self) -> float:
        """The one element as a Python float."""
        if self.size != 1:
            raise ValueError(
                f"one number was expected, and this tensor has shape {self.shape}. "
                f"Take .data, or reduce it first, as by .sum() or .mean()"
            )
        return self.data.item()

    def detach(self) -> Tensor:
        """A constant that shares the data."""
        return Tensor(self.data, requires_grad=False)

    def numpy(self) -> np.ndarray:
        """The data."""
        return self.data

    def argmax(self, axis: int | None = None) -> np.ndarray:
        """Where along `axis` the largest element stands; a constant."""
        return np.argmax(self.data, axis)

    def backward(self, grad_out: Any = None, *, accumulate: bool = False) -> None:
        """Fill `.grad` of everything behind this tensor, which must be one number.

        For an array, `grad_out` of its shape says how much each element counts.
        Raises ValueError if it is missing there, or has another shape.
        """
        if grad_out is None and self.size != 1:
            raise ValueError(
                f"backward: a gradient is that of one number; this output has shape "
                f"{self.shape}. Call it on a loss (.sum(), .mean()), or pass grad_out"
            )
        if grad_out is not None:
            grad_out = np.asarray(grad_out, self.dtype)
            if grad_out.shape != self.shape:
                raise ValueError(
                    f"backward: grad_out has shape {grad_out.shape}; the output has "
                    f"{self.shape}, and they must be equal"
                )
        tape = Tape(self)
        check_unchanged(tape)
        tape.backward(grad_out, accumulate=accumulate)

    # --- arithmetic -------------------------------------------------------------------

    __add__ = __radd__ = operator("add")
    __mul__ = __rmul__ = operator("mul")
    __sub__, __rsub__ = operator("sub"), operator("sub", turned=True)
    __truediv__, __rtruediv__ = operator("div"), operator("div", turned=True)
    __rpow__ = operator("raised", turned=True)
    maximum, minimum = operator("maximum"), operator("minimum")

    def __pow__(self, n: Any) -> Tensor:
        if isinstance(n, Real):
            return record_with("power", self, n)
        return elementwise("raised", self, as_tensor(n))

    def __matmul__(self, other: Any) -> Tensor:
        return matmul(self, as_tensor(other))

    def __rmatmul__(self, other: Any) -> Tensor:
        return matmul(as_tensor(other), self)

    # --- functions of each element ----------------------------------------------------

    __neg__, __abs__, abs = function("neg"), function("abs"), function("abs")
    exp, log, sqrt = function("exp"), function("log"), function("sqrt")
    sin, cos, tanh = function("sin"), function("cos"), function("tanh")
    sigmoid, relu = function("sigmoid"), function("relu")

    def clip(self, low: float | None = None, high: float | None = None) -> Tensor:
        """Elements below `low` become it, those above `high` that; None is no bound."""
        bounds = -math.inf if low is None else low, math.inf if high is None else high
        return record_with("clip", self, *bounds)

    # --- along axes -------------------------------------------------------------------

    def sum(self, axis: Any = None, keepdims: bool = False, **unknown) -> Tensor:
        """Sum over `axis` (all axes if None)."""
        return along("sum", self, axis, keepdims, **unknown)

    def mean(self, axis: Any = None, keepdims: bool = False, **unknown) -> Tensor:
        """Arithmetic mean over `axis` (all axes if None)."""
        return along("mean", self, axis, keepdims, **unknown)

    def max(self, axis: Any = None, keepdims: bool = False, **unknown) -> Tensor:
        """Maximum over `axis` (all axes if None); a tie shares its gradient."""
        return along("max", self, axis, keepdims, **unknown)

    def min(self, axis: Any = None, keepdims: bool = False, **unknown) -> Tensor:
        """Minimum over `axis` (all axes if None); a tie shares its gradient."""
        return along("min", self, axis, keepdims, **unknown)

    def var(
        self, axis: Any = None, keepdims: bool = False, ddof: int = 0, **unknown
    ) -> Tensor:
        """Variance over `axis` (all axes if None), divided by n − ddof."""
        return along("var", self, axis, keepdims, ddof, **unknown)

    def std(
        self, axis: Any = None, keepdims: bool = False, ddof: int = 0, **unknown
    ) -> Tensor:
        """Standard deviation, the root of the variance."""
        return along("std", self, axis, keepdims, ddof, **unknown)

    def logsumexp(self, axis: Any = -1, keepdims: bool = False, **unknown) -> Tensor:
        """Logarithm of the sum of the exponentials along `axis`."""
        return along("logsumexp", self, axis, keepdims, **unknown)

    def softmax(self, axis: Any = -1, **unknown) -> Tensor:
        """Probabilities along `axis`."""
        return along("softmax", self, axis, **unknown)

    def log_softmax(self, axis: Any = -1, **unknown) -> Tensor:
        """Logarithms of the probabilities along `axis`."""
        return along("log_softmax", self, axis, **unknown)

    # --- shapes -----------------------------------------------------------------------

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape, given as numbers or as one tuple."""
        return record_with("reshape", self, _one_tuple(shape))

    def flatten(self, start: int = 0) -> Tensor:
        """One axis in place of all from `start` on."""
        kept = self.shape[:start]
        return self.reshape(*kept, math.prod(self.shape[len(kept) :]))

    def squeeze(self, axis: Any = None) -> Tensor:
        """Without the axes of length 1, or without those named."""
        return self.reshape(np.squeeze(self.data, axis).shape)

    def expand_dims(self, axis: Any) -> Tensor:
        """With a new axis of length 1 at the place `axis`."""
        return self.reshape(np.expand_dims(self.data, axis).shape)

    def transpose(self, *axes: Any) -> Tensor:
        """Axes in another order: reversed, or as given."""
        return record_with("transpose", self, _one_tuple(axes) or None)

    T = property(transpose, doc="The transpose: all axes reversed.")

    def __getitem__(self, index: Any) -> Tensor:
        return record_with("getitem", self, index)

    # --- losses: the targets are constants --------------------------------------------

    mse = loss("mse")
    binary_cross_entropy_with_logits = loss("binary_cross_entropy_with_logits")
    softmax_cross_entropy = loss("softmax_cross_entropy")


def matmul(A: Tensor, B: Tensor) -> Tensor:
    """A @ B; a vector is a row on the left, a column on the right, and is left out.

    Plumbing.
    """
    row, column = A.ndim == 1, B.ndim == 1
    A = A.reshape(1, A.size) if row else A
    B = B.reshape(B.size, 1) if column else B
    C = record(Tensor, OPS["matmul"], A, B)
    if not (row or column):
        return C
    *stack, n, h = C.shape
    return C.reshape(*stack, *[n] * (not row), *[h] * (not column))


def linear(X: Any, W: Any, b: Any) -> Tensor:
    """Affine layer X W + b as one operation; a constant X gets no gradient.

    X may have any number of axes in front of its last one: (…, D) → (…, H).
    Taught in: 07_array_tape.
    """
    X, W, b = as_tensor(X), as_tensor(W), as_tensor(b)
    if X.ndim > 2 or X.ndim == 1:
        rows = X.reshape(math.prod(X.shape[:-1]), X.shape[-1])
        return linear(rows, W, b).reshape(*X.shape[:-1], W.shape[-1])
    input_grad = X.requires_grad

    def vjp(g, y, X, W, b):
        return tuple(map(like, F.linear_vjp(g, X, W, input_grad), (X, W, b)))

    return record(Tensor, Op("linear", F.linear, vjp), X, W, b)


def layer_norm(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Tensor:
    """Layer normalisation γ x̂ + β along the last axis, as one operation.

    Taught in: 10_vanishing_exploding.
    """

    def forward(x, gamma, beta):
        return F.layer_norm(x, gamma, beta, eps)

    def vjp(g, y, *inputs):
        return tuple(map(like, F.layer_norm_vjp(g, *inputs[:2], eps), inputs))

    op = Op("layer norm", forward, vjp)
    return record(Tensor, op, as_tensor(x), as_tensor(gamma), as_tensor(beta))


def where(mask: Any, a: Any, b: Any) -> Tensor:
    """Elements of a where `mask` is true, of b elsewhere; the mask is a constant.

    Plumbing.
    """
    a = as_tensor(a, b.dtype if isinstance(b, Tensor) else None)
    b = as_tensor(b, a.dtype)
    rule = broadcasting(lambda g, y, a, b: F.where_vjp(g, mask))
    return record(Tensor, Op("where", lambda a, b: F.where(mask, a, b), rule), a, b)


def concatenate(tensors: Iterable[Any], axis: int = 0) -> Tensor:
    """Tensors one after the other, along an axis that they have.

    Raises TypeError without an axis. Plumbing.
    """
    if axis is None:
        raise TypeError("concatenate needs an axis; flatten() the tensors to have one")

    def vjp(g, y, *arrays):
        sizes = [x.shape[axis] for x in arrays]
        return tuple(map(like, F.concatenate_vjp(g, sizes, axis), arrays))

    op = Op("concatenate", lambda *arrays: F.concatenate(arrays, axis), vjp)
    return record(Tensor, op, *map(as_tensor, tensors))


def stack(tensors: Iterable[Any], axis: int = 0) -> Tensor:
    """Tensors of one shape side by side, along a new axis. Plumbing."""
    return concatenate([as_tensor(x).expand_dims(axis) for x in tensors], axis)
