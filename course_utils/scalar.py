"""Floats on the tape: `Value` adds the local rules of arithmetic to `tape.Node`."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

from course_utils import functional as F
from course_utils.tape import Op, Quantity, record


def sigmoid(x: float) -> float:
    """Logistic function of one float, 1/(1 + e⁻ˣ), without overflow at either end.

    `functional.sigmoid` is the same for arrays. Taught in: 03_tape_engine.
    """
    e = math.exp(-abs(x))
    return (1.0 if x >= 0 else e) / (1.0 + e)


def log(x: float) -> float:
    """Natural logarithm of one float; ValueError for x ≤ 0.

    Plumbing.
    """
    if x <= 0:
        raise ValueError(f"log({x}): the logarithm needs a positive number")
    return math.log(x)


# One line an operation: how it runs on floats, and which rule brings its gradient back.
OPS = {
    "+": Op("+", F.add, lambda g, y, a, b: F.add_vjp(g)),
    "-": Op("−", F.sub, lambda g, y, a, b: F.sub_vjp(g)),
    "*": Op("×", F.mul, lambda g, y, a, b: F.mul_vjp(g, a, b)),
    "/": Op("÷", F.div, lambda g, y, a, b: F.div_vjp(g, a, b)),
    "neg": Op("neg", F.neg, lambda g, y, x: (F.neg_vjp(g),)),
    "exp": Op("exp", math.exp, lambda g, y, x: (F.exp_vjp(g, y),)),
    "log": Op("log", log, lambda g, y, x: (F.log_vjp(g, x),)),
    "tanh": Op("tanh", math.tanh, lambda g, y, x: (F.tanh_vjp(g, y),)),
    "sigmoid": Op("σ", sigmoid, lambda g, y, x: (F.sigmoid_vjp(g, y),)),
    "relu": Op("relu", lambda x: max(x, 0.0), lambda g, y, x: (F.relu_vjp(g, x),)),
}


def power_op(n: float) -> Op:
    """The operation xⁿ for one constant n; ValueError for a root of a negative number.

    Plumbing.
    """

    def forward(x: float) -> float:
        y = F.power(x, n)
        if isinstance(y, complex):
            raise ValueError(f"({x}) ** {n} is not a real number: roots need x ≥ 0")
        return y

    def vjp(g: float, y: float, x: float) -> tuple:
        if x == 0 < n < 1:  # a root is vertical at 0, where Python refuses 0 ** -½
            return (g * math.inf,)
        return (F.power_vjp(g, x, n),)

    return Op(f"^{n}", forward, vjp)


def exponential_op(base: float) -> Op:
    """The operation baseˣ for one constant base > 0: its slope is baseˣ · log base.

    Raises ValueError for another base. Plumbing.
    """
    rate = log(base)
    symbol = f"{base:g}^"
    return Op(symbol, lambda x: base**x, lambda g, y, x: (F.exp_vjp(g, y) * rate,))


def as_value(x: Any) -> Value:
    """A Value as it is; a number as a constant. Taught in: 03_tape_engine."""
    return x if isinstance(x, Value) else Value(x, requires_grad=False)


def recorded(name: str, turned: bool = False) -> Callable[..., Value]:
    """Make the method of `Value` that records operation `name` of `OPS`.

    `turned` is for operators whose left side is the other one, as in 2 − x.
    Taught in: 03_tape_engine.
    """
    op = OPS[name]

    def method(self: Value, *others: Any) -> Value:
        return record(Value, op, self, *map(as_value, others))

    def turned_method(self: Value, other: Any) -> Value:
        return record(Value, op, as_value(other), self)

    return turned_method if turned else method


class Value(Quantity):
    """A float on the tape: arithmetic with Values and numbers is recorded.

    It knows + − × ÷, powers with a constant exponent or a constant base, and the
    methods `exp`, `log` (ValueError for x ≤ 0), `tanh`, `sigmoid` and `relu`. `.data`,
    `.grad` and `.backward()` are those of `tape.Node`, comparing and printing those of
    `tape.Quantity`; a plain number in an expression is a constant.
    Raises TypeError for anything but one real number. Taught in: 03_tape_engine.
    """

    __slots__ = ()

    def __init__(self, data: float, requires_grad: bool = True):
        if not isinstance(data, float | Real):
            raise TypeError(
                f"Value holds one real number, not {type(data).__name__}. Arrays have "
                f"tensor.Tensor, and float(x) turns a one-element array into a number"
            )
        super().__init__(float(data), requires_grad)

    def __repr__(self) -> str:
        return f"Value({self.data:.6g}, grad={self.grad})"

    __add__ = __radd__ = recorded("+")
    __mul__ = __rmul__ = recorded("*")
    __sub__, __rsub__ = recorded("-"), recorded("-", turned=True)
    __truediv__, __rtruediv__ = recorded("/"), recorded("/", turned=True)
    __neg__ = recorded("neg")
    exp, log, tanh, sigmoid, relu = map(recorded, "exp log tanh sigmoid relu".split())

    def __pow__(self, n: float) -> Value:
        return record(Value, power_op(n), self)

    def __rpow__(self, base: float) -> Value:
        return record(Value, exponential_op(as_value(base).data), self)
