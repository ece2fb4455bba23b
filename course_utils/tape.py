"""The tape: what was computed, in the order in which it was computed.

Every result of an operation is a `Node` that remembers its operation and its inputs.
A `Tape` gathers the nodes behind an output, plays them forward again, and plays them
backward. It never looks inside: floats (`scalar.Value`) and arrays (`tensor.Tensor`)
differ only in the rules that their operations bring along.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, NamedTuple

_count = itertools.count()
_recording = True


class Op(NamedTuple):
    """One operation: how it runs forward, and how a gradient comes back through it.

    Parameters
    ----------
    name : what a drawing of the tape calls it.
    forward : `forward(*inputs) -> out`, on plain floats or arrays.
    vjp : `vjp(grad_out, out, *inputs) -> gradients`, one for each input:
        vjp_i = grad_out · ∂out/∂input_i. `None` stands for "not needed".

    Taught in: 03_tape_engine.
    Source: R. Wengert (1964), A simple automatic derivative evaluation program.
    """

    name: str
    forward: Callable[..., Any]
    vjp: Callable[..., tuple]


class Node:
    """A number or an array that knows how it was made.

    Attributes
    ----------
    data : the value.
    grad : d(output)/d(data) after `backward`, in the shape of `data`; `None` before.
    op, inputs : how `data` was made; a leaf has `None` and `()`.
    requires_grad : whether a gradient is to reach it. A constant has no use for one.
    number : counts nodes as they are made. A result is always younger than its
        inputs, so this order is a topological order, and nothing needs sorting by
        graph.

    Taught in: 03_tape_engine.
    """

    __slots__ = ("data", "grad", "op", "inputs", "requires_grad", "number")

    def __init__(self, data: Any, requires_grad: bool = True):
        self.data = data
        self.grad = None
        self.op = None
        self.inputs = ()
        self.requires_grad = requires_grad
        self.number = next(_count)

    def backward(self, accumulate: bool = False) -> None:
        """Fill `.grad` of everything behind this node: see `Tape.backward`."""
        Tape(self).backward(accumulate)


def record(kind: type[Node], op: Op, *inputs: Node) -> Node:
    """Run `op` forward on the data of `inputs`, and remember that it was run.

    If no input requires a gradient, or inside `no_grad()`, the result is a constant.

    Taught in: 03_tape_engine.
    """
    out = kind.__new__(kind)
    out.data = op.forward(*[x.data for x in inputs])
    out.grad = None
    out.number = next(_count)
    for x in inputs:
        if x.requires_grad and _recording:
            out.op, out.inputs, out.requires_grad = op, inputs, True
            return out
    out.op, out.inputs, out.requires_grad = None, (), False
    return out


class Tape:
    """The operations that led to `output`, in the order in which they were made.

    Taught in: 03_tape_engine.
    Source: S. Linnainmaa (1970), the cumulative rounding error of an algorithm;
    A. Griewank, A. Walther (2008), Evaluating Derivatives, ch. 3.
    """

    def __init__(self, output: Node):
        self.output = output
        nodes, waiting = {output}, [output]
        while waiting:
            for x in waiting.pop().inputs:
                if x not in nodes:
                    nodes.add(x)
                    waiting.append(x)
        self.nodes = sorted(nodes, key=attrgetter("number"))
        self.operations = [node for node in self.nodes if node.op is not None]
        self.leaves = [node for node in self.nodes if node.op is None]

    def __len__(self) -> int:
        return len(self.nodes)

    def forward(self) -> Any:
        """Play the operations again, in order, with the leaves as they are now."""
        for node in self.operations:
            node.data = node.op.forward(*[x.data for x in node.inputs])
        return self.output.data

    def backward(self, accumulate: bool = False) -> None:
        """Play the operations in reverse: grad_input += vjp(grad_out).

        Every call starts afresh, so calling it twice gives the same gradients. With
        `accumulate`, what the leaves already hold is added to, as PyTorch does.
        """
        kept = [x.grad for x in self.leaves] if accumulate else []
        for node in self.nodes:
            node.grad = None
        self.output.grad = self.output.data * 0 + 1
        for node in reversed(self.operations):
            ...
