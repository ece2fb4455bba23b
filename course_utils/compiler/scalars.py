"""The scalar tape as arrays: an operation a row, played by two short loops.

A `Tape` of floats is a list of Python objects, and playing it means looking at each.
`CompiledTape` writes the same list into arrays (operation, two inputs, a constant) and
plays them by two functions that Numba compiles. The formulas are those of `scalar` and
`functional`, compiled as they stand, and so are the numbers, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, tanh
from typing import Any

import numpy as np

from course_utils.compiler.jit import compiled
from course_utils.functional import (
    add,
    add_vjp,
    div,
    div_vjp,
    exp_vjp,
    log_vjp,
    mul,
    mul_vjp,
    neg,
    neg_vjp,
    power_vjp,
    relu_vjp,
    sigmoid_vjp,
    sub,
    sub_vjp,
    tanh_vjp,
)
from course_utils.scalar import OPS, Value, exponential_op, power_op, sigmoid
from course_utils.tape import Node, Op, Tape

# In the order of the table of rules; the power is no row of it, having a constant.
ADD, SUB, MUL, DIV, NEG, EXP, LOG, TANH, SIGMOID, RELU = range(len(OPS))
POWER, EXPONENTIAL = len(OPS), len(OPS) + 1
NUMBERS = {id(op): number for number, op in enumerate(OPS.values())}
relu = OPS["relu"].forward


def play_forward(op, left, right, constant, value):
    """Compute the value of each operation from those before it; leaves stand in front.

    Operation k has the number op[k], its inputs stand in value[left[k]] and
    value[right[k]], and its own place is behind those of all before it.
    Taught in: 12_compiled_tape.
    """
    first = len(value) - len(op)
    for k in range(len(op)):
        a, b, y = value[left[k]], value[right[k]], 0.0
        if op[k] == ADD:
            y = add(a, b)
        elif op[k] == SUB:
            y = sub(a, b)
        elif op[k] == MUL:
            y = mul(a, b)
        elif op[k] == DIV:
            y = div(a, b)
        elif op[k] == NEG:
            y = neg(a)
        elif op[k] == EXP:
            y = exp(a)
        elif op[k] == LOG:
            y = log(a)
        elif op[k] == TANH:
            y = tanh(a)
        elif op[k] == SIGMOID:
            y = sigmoid(a)
        elif op[k] == RELU:
            y = relu(a)
        elif op[k] == POWER:
            y = a ** constant[k]
        elif op[k] == EXPONENTIAL:
            y = constant[k] ** a
        value[first + k] = y


def play_backward(op, left, right, constant, value, grad):
    """Bring the gradient of the last value back to all others, last operation first.

    Sums begin with −0, since −0 + g is g to the last bit, also for g = −0. An operation
    with one input has it on both sides, and gives the right one −0.
    Taught in: 12_compiled_tape.
    """
    first = len(value) - len(op)
    for k in range(len(op) - 1, -1, -1):
        a, b, y = value[left[k]], value[right[k]], value[first + k]
        g, da, db = grad[first + k], -0.0, -0.0
        if op[k] == ADD:
            da, db = add_vjp(g)
        elif op[k] == SUB:
            da, db = sub_vjp(g)
        elif op[k] == MUL:
            da, db = mul_vjp(g, a, b)
        elif op[k] == DIV:
            da, db = div_vjp(g, a, b)
        elif op[k] == NEG:
            da = neg_vjp(g)
        elif op[k] == EXP:
            da = exp_vjp(g, y)
        elif op[k] == LOG:
            da = log_vjp(g, a)
        elif op[k] == TANH:
            da = tanh_vjp(g, y)
        elif op[k] == SIGMOID:
            da = sigmoid_vjp(g, y)
        elif op[k] == RELU:
            da = relu_vjp(g, a)
        elif op[k] == POWER:
            da = power_vjp(g, a, constant[k])
        elif op[k] == EXPONENTIAL:
            da = exp_vjp(g, y) * log(constant[k])
        grad[left[k]] += da
        grad[right[k]] += db


def row_of(op: Op) -> tuple[int, float]:
    """The number of an operation, and its constant: n of xⁿ, b of bˣ, else 0.

    n is the slope of xⁿ at x = 1, and b is b¹: no need to look into the operation.
    Raises ValueError for one that the loops do not know. Taught in: 12_compiled_tape.
    """
    if id(op) in NUMBERS:
        return NUMBERS[id(op)], 0.0
    if op.forward.__code__ is power_op(1.0).forward.__code__:
        return POWER, op.vjp(1.0, 1.0, 1.0)[0]
    if op.forward.__code__ is exponential_op(1.0).forward.__code__:
        return EXPONENTIAL, op.forward(1.0)
    raise ValueError(
        f"CompiledTape: the operation {op.name} is neither in scalar.OPS nor a power; "
        f"play this tape with Tape"
    )


class CompiledTape(Tape):
    """A tape of floats that is played by compiled loops, with the same numbers.

    `forward()` reads the leaves and fills the output, `backward()` the gradients of the
    leaves. What lies between is in the arrays `value` and `grad`; the nodes there hold
    NaN, so that nobody takes an old number for a new one, until `store()` fills them.
    Where a number is not finite, Python would often have raised an error: then the
    tape is played by the interpreter, which says what it always says.
    Raises TypeError for a tape of arrays, ValueError for an unknown operation,
    ImportError without Numba. Taught in: 12_compiled_tape.
    """

    def __init__(self, output: Node):
        if not isinstance(output, Value):
            raise TypeError(
                f"CompiledTape plays floats, scalar.Value; found "
                f"{type(output).__name__}. For arrays there is compile_step"
            )
        super().__init__(output)
        self.nodes = self.leaves + self.operations  # leaves stand in front
        self.listing = listed(self)
        self.value = np.array([node.data for node in self.nodes], np.float64)
        self.grad = np.empty_like(self.value)
        self.stored = True  # whether the nodes hold what the arrays hold
        self.loops = compiled(play_forward), compiled(play_backward)

    def forward(self) -> float:
        """Play the operations again, in order, with the leaves as they are now."""
        self.value[: len(self.leaves)] = [leaf.data for leaf in self.leaves]
        if not finite_after(self.loops[0], *self.listing, self.value):
            super().forward()
            self.value[:] = [node.data for node in self.nodes]
            self.stored = True
            return self.output.data
        if self.stored:
            for node in self.operations:
                node.data = node.grad = np.nan
            self.stored = False
        self.output.data = self.value[-1].item()
        return self.output.data

    def backward(self, grad_out: Any = None, *, accumulate: bool = False) -> None:
        """Play the operations in reverse; fill the gradients of the leaves."""
        self.grad.fill(-0.0)
        self.grad[-1] = 1.0 if grad_out is None else grad_out
        done = finite_after(self.loops[1], *self.listing, self.value, self.grad)
        if accumulate or not done or not self.output.requires_grad:
            self.store()
            super().backward(grad_out, accumulate=accumulate)
            return
        grads = self.grad[: len(self.leaves)].tolist()
        for leaf, grad in zip(self.leaves, grads, strict=True):
            leaf.grad = grad if leaf.requires_grad else None

    def store(self) -> None:
        """Give every node between leaves and output its number and its gradient."""
        first = len(self.leaves)
        numbers = self.value[first:].tolist(), self.grad[first:].tolist()
        for node, number, grad in zip(self.operations, *numbers, strict=True):
            node.data, node.grad = number, grad
        self.stored = True


def listed(tape: Tape) -> tuple[np.ndarray, ...]:
    """A tape as four columns: operation, place of both inputs, constant.

    Leaves have the first places, operations those behind them. The input of an
    operation that has one stands on both sides. Taught in: 12_compiled_tape.
    """
    place = {x.number: k for k, x in enumerate(tape.leaves + tape.operations)}
    rows = [
        (*row_of(x.op), place[x.inputs[0].number], place[x.inputs[-1].number])
        for x in tape.operations
    ]
    op, constant, left, right = zip(*rows, strict=True) if rows else ((),) * 4
    return *(np.array(x, np.int64) for x in (op, left, right)), np.array(
        constant, float
    )


def finite_after(loop: Callable, *arrays: np.ndarray) -> bool:
    """Whether a loop ran to its end, and left finite numbers in its last array.

    Taught in: 12_compiled_tape.
    """
    try:
        loop(*arrays)
    except ZeroDivisionError:
        return False
    return bool(np.isfinite(arrays[-1]).all())
