"""The tape: what was computed, in the order in which it was computed.

Every result of an operation is a `Node` that remembers its operation and its inputs.
A `Tape` gathers the nodes behind an output, plays them forward again, and plays them
backward. It never looks inside: floats (`scalar.Value`) and arrays (`tensor.Tensor`)
differ only in the rules that their operations bring along.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

_count = itertools.count()
_recording = True
data_of = attrgetter("data")


class Op(NamedTuple):
    """One operation: how it runs forward, and how a gradient comes back through it.

    - `name`: what a drawing of the tape calls it.
    - `forward(*inputs) -> out`, on plain floats or arrays.
    - `vjp(grad_out, out, *inputs) -> gradients`, a tuple with grad_out · ∂out/∂input
      for each input, or None for an input that needs none. No two of them may share
      their memory.

    Taught in: 03_tape_engine.
    Source: R. E. Wengert (1964), A simple automatic derivative evaluation program.
    """

    name: str
    forward: Callable[..., Any]
    vjp: Callable[..., tuple]


class Node:
    """A number or an array that knows how it was made.

    - `data`: the value; `grad`: d(output)/d(data) after `backward`, None before.
    - `op` and `inputs`: how it was made; a leaf has None and ().
    - `requires_grad`: False for a constant, which has no use for a gradient.
    - `number`: counts nodes as they are made. A result is younger than its inputs, so
      this order is a topological order, and nobody has to sort the graph.

    Taught in: 03_tape_engine.
    """

    __slots__ = ("data", "grad", "op", "inputs", "requires_grad", "number")

    def __init__(self, data: Any, requires_grad: bool = True):
        self.data, self.requires_grad = data, requires_grad
        self.grad = None
        self.op, self.inputs = None, ()
        self.number = next(_count)

    def backward(self, grad_out: Any = None, *, accumulate: bool = False) -> None:
        """Fill `.grad` of everything behind this node: see `Tape.backward`."""
        Tape(self).backward(grad_out, accumulate=accumulate)


def compared(name: str) -> Callable[..., Any]:
    """Make the comparison `name` of a node's data with a node, a number or an array.

    Plumbing.
    """
    compare = getattr(operator, name)

    def method(self: Node, other: Any) -> Any:
        return compare(self.data, other.data if isinstance(other, Node) else other)

    return method


class Quantity(Node):
    """A node that holds real numbers, and answers what Python asks of numbers.

    Comparisons look at `.data` and give plain booleans, one for each element; `item()`,
    `float(…)`, `if …:` and `f"{…:.4f}"` ask for one number. None of them is recorded.
    As a key of a dictionary, a node stands for itself, whatever its data.
    NumPy gets nothing: TypeError says how to hand it the data.
    Plumbing.
    """

    __slots__ = ()
    __array_ufunc__ = None  # a number or an array on the left leaves the rest to us
    __hash__ = Node.__hash__

    __eq__, __ne__, __lt__ = compared("eq"), compared("ne"), compared("lt")
    __le__, __gt__, __ge__ = compared("le"), compared("gt"), compared("ge")

    def item(self) -> float:
        """The one number as a Python float."""
        return float(self.data)

    def __float__(self) -> float:
        return self.item()

    def __bool__(self) -> bool:
        return bool(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __pos__(self) -> Any:
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if dtype != np.dtype(object):
            raise TypeError(
                f"NumPy takes no {type(self).__name__}, for nothing would be recorded. "
                f"Take its .data, which is a constant from then on (several tensors "
                f"become one by tensor.stack or concatenate)"
            )
        alone = np.empty((), object)
        alone[()] = self
        return alone


def record(kind: type, op: Op, *inputs: Node) -> Any:
    """Run `op` on the data of `inputs`; the result, a new `kind`, remembers both.

    Where no input requires a gradient, and inside `no_grad()`, it is a constant and
    remembers nothing.

    Taught in: 03_tape_engine.
    """
    out = kind.__new__(kind)
    out.data = op.forward(*[x.data for x in inputs])
    out.grad = None
    out.requires_grad = _recording and any([x.requires_grad for x in inputs])
    out.op, out.inputs = (op, inputs) if out.requires_grad else (None, ())
    out.number = next(_count)
    return out


def check_shape(name: str, grad: Any, data: Any) -> None:
    """Raise ValueError if what `name` brings back has not the shape of its data.

    Plumbing.
    """
    if shape_of(grad) != shape_of(data):
        raise ValueError(
            f"backward: {name} brings a gradient of shape {shape_of(grad)} to data of "
            f"shape {shape_of(data)}; they must be equal. Where a rule's input was "
            f"copied (broadcast), the gradients of the copies have to be added up"
        )


def shape_of(x: Any) -> tuple:
    """The shape of an array, () of a number. Plumbing."""
    if type(x) is float:
        return ()
    try:
        return x.shape
    except AttributeError:
        return np.shape(x)


class Tape:
    """The operations that led to `output`, in the order in which they were made.

    Taught in: 03_tape_engine.
    Source: S. Linnainmaa (1970), The representation of the cumulative rounding error
    of an algorithm as a Taylor expansion of the local rounding errors; A. Griewank and
    A. Walther (2008), Evaluating Derivatives, 2nd ed., ch. 3.
    """

    def __init__(self, output: Node):
        found, waiting = {output}, [output]
        while waiting:
            for x in waiting.pop().inputs:
                if x not in found:
                    found.add(x)
                    if x.inputs:  # leaves have nothing behind them
                        waiting.append(x)
        self.nodes = sorted(found, key=attrgetter("number"))
        self.operations = [node for node in self.nodes if node.op is not None]
        self.leaves = [node for node in self.nodes if node.op is None]

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def output(self) -> Node:
        """The node made last; held by the list alone, a long tape is freed in order."""
        return self.nodes[-1]

    def forward(self) -> Any:
        """Play the operations again, in order, with the leaves as they are now."""
        for node in self.operations:
            node.data = node.op.forward(*[x.data for x in node.inputs])
        return self.output.data

    def backward(self, grad_out: Any = None, *, accumulate: bool = False) -> None:
        """Play the operations in reverse: grad of input += vjp(grad of output).

        It begins with ∂output/∂output = 1, or with `grad_out`. Every call starts
        afresh, so two calls give the same gradients as one. With `accumulate`, what
        the leaves hold already is added to, as PyTorch does.
        """
        if not self.output.requires_grad:
            raise ValueError(
                "backward: nothing here requires a gradient. The output was computed "
                "from constants only, or inside no_grad()"
            )
        held = [(x, x.grad) for x in self.leaves] if accumulate else []
        for node in self.nodes:
            node.grad = None
        # x⁰ = 1 for floats and arrays alike, in an array of its own.
        self.output.grad = self.output.data**0 * (1 if grad_out is None else grad_out)
        check_shape("grad_out", self.output.grad, self.output.data)
        fits = float if type(self.output.data) is float else None
        for node in reversed(self.operations):
            grads = node.op.vjp(node.grad, node.data, *map(data_of, node.inputs))
            if len(grads) != len(node.inputs):
                raise ValueError(
                    f"backward: the vjp of {node.op.name} gave {len(grads)} gradients "
                    f"for {len(node.inputs)} inputs; it must give one each"
                )
            for x, grad in zip(node.inputs, grads):  # noqa: B905 — counted, and faster
                if x.requires_grad and grad is not None:
                    if grad.__class__ is not fits:  # on a tape of floats, a float does
                        check_shape(node.op.name, grad, x.data)
                    x.grad = grad if x.grad is None else x.grad + grad
        for leaf, grad in held:
            if grad is not None:
                leaf.grad = grad if leaf.grad is None else leaf.grad + grad


def check_unchanged(tape: Tape) -> None:
    """Raise ValueError if parameters on the tape were changed after they were used.

    A Parameter notes when its `.data` were set (`changed`, counted as nodes are). Where
    that is later than the first operation, what they went into is computed once more.
    Plumbing.
    """
    begun = tape.operations[0].number if tape.operations else math.inf
    late = {x for x in tape.leaves if getattr(x, "changed", 0) > begun}
    for node in tape.operations if late else []:
        if late.intersection(node.inputs):
            again = node.op.forward(*[x.data for x in node.inputs])
            if not np.array_equal(again, node.data, equal_nan=True):
                raise ValueError(
                    f"backward: a parameter was changed after {node.op.name} had used "
                    f"it, so this would be the gradient of no point. Step after "
                    f"backward, or compute the output anew"
                )


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: `with no_grad(): …`. Plumbing.

    What is made inside is a constant, and costs no memory for a way back.
    """
    global _recording
    before, _recording = _recording, False
    try:
        yield
    finally:
        _recording = before
