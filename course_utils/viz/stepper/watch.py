"""Looking on while a backward pass runs: which gradient arrived where, in what order.

The engine itself adds and multiplies. So a broken engine shows its own wrong numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import MemberDescriptorType
from typing import Any

import numpy as np

from course_utils.tape import Tape


@dataclass
class Arrival:
    """What came back through `node` to its input number `slot`. Plumbing.

    `data` is what the rule was given after the incoming gradient: output and inputs.
    """

    node: Any
    slot: int
    data: tuple
    incoming: Any
    part: Any
    before: Any
    after: Any
    stale: bool = False

    @property
    def at(self) -> Any:
        """The input at which it arrived."""
        return self.node.inputs[self.slot]


@dataclass
class Seed:
    """A gradient that was set from outside, as the output's 1 is. Plumbing."""

    at: Any
    after: Any


class _Watch:
    """Keeps the account of a backward pass: which rule was called, what was set."""

    def __init__(self) -> None:
        self.events: list[Arrival | Seed] = []
        self.last: dict[int, Any] = {}
        self.touched: set[int] = set()
        self.called: tuple[Any, tuple, Any] = (None, (), None)
        self.due: list[tuple[int, Any]] = []

    def rule_of(self, node: Any, vjp: Callable[..., tuple]) -> Callable[..., tuple]:
        """Make the rule of a node say when it is called, and what it gives back."""

        def rule(grad_out: Any, *rest: Any) -> tuple:
            parts = vjp(grad_out, *rest)
            self.called = (node, rest, _copy(grad_out))
            self.due = [(k, _copy(part)) for k, part in enumerate(parts)]
            return parts

        return rule

    def was_set(self, node: Any, value: Any) -> None:
        """Note that a gradient was set, and by which edge."""
        value, before = _copy(value), self.last.get(id(node))
        self.last[id(node)] = value
        stale = before is not None and id(node) not in self.touched
        self.touched.add(id(node))
        source, data, incoming = self.called
        for k, (slot, part) in enumerate(self.due):
            begins = not np.any(value) and np.any(part)  # a zero that waits for its sum
            if source.inputs[slot] is node and not begins:
                del self.due[k]
                notes = (source, slot, data, incoming, part, before, value, stale)
                if node.requires_grad:  # what a constant gets is not looked at
                    self.events.append(Arrival(*notes))
                return
        if value is not None and np.any(value):
            self.events.append(Seed(node, value))
        else:
            self.last[id(node)] = None  # cleared: what comes next is the first


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _watched(kind: type, watch: _Watch) -> type:
    """The same class, whose `grad` tells `watch` when it is set."""
    slot = getattr(kind, "grad", None)

    def get(node: Any) -> Any:
        is_slot = isinstance(slot, MemberDescriptorType)
        return slot.__get__(node) if is_slot else node.__dict__["grad"]

    def put(node: Any, value: Any) -> None:
        watch.was_set(node, value)
        if isinstance(slot, MemberDescriptorType):
            slot.__set__(node, value)
        else:
            node.__dict__["grad"] = value

    return type(kind.__name__, (kind,), {"__slots__": (), "grad": property(get, put)})


@contextmanager
def _watching(nodes: list[Any]) -> Iterator[_Watch]:
    watch, before = _Watch(), [(node, type(node), node.op) for node in nodes]
    kinds = {kind: _watched(kind, watch) for _, kind, _ in before}
    try:
        for node, kind, op in before:
            watch.last[id(node)] = _copy(node.grad)
            node.__class__ = kinds[kind]
            if op is not None:
                node.op = op._replace(vjp=watch.rule_of(node, op.vjp))
        yield watch
    finally:
        for node, kind, op in before:
            node.__class__, node.op = kind, op


def play(
    output: Any, backward: Callable[[Any], None] | None = None
) -> tuple[list[Any], list[Arrival | Seed]]:
    """Run a backward pass under observation; give the nodes and what happened.

    Gradients that were there before stay as they were, unless `backward` is given.

    Raises
    ------
    ValueError : if the output is an array and has no gradient yet, or needs none.
    TypeError : if `output` is neither a node nor a tape.

    Plumbing.
    """
    tape = _tape(output)
    earlier = [(node, node.grad) for node in tape.nodes if node.grad is not None]
    if backward is None:
        _can_go_back(tape.output)
    with _watching(tape.nodes) as watch:
        if backward is None:
            tape.backward(tape.output.grad)
        else:
            backward(output)
    if backward is None:
        for node, grad in earlier:
            node.grad = grad
    return tape.nodes, watch.events


def _tape(output: Any) -> Tape:
    # A notebook that builds its own Tape and Node can be stepped through as well.
    last = output.output if hasattr(output, "operations") else output
    if not all(hasattr(last, name) for name in ("inputs", "data", "op", "grad")):
        raise TypeError(
            "step: expected a Value, a Tensor or a Tape, "
            f"found {type(output).__name__}."
        )
    return Tape(last)


def _can_go_back(output: Any) -> None:
    if output.grad is None and np.size(output.data) != 1:
        raise ValueError(
            f"step: the output has shape {np.shape(output.data)}, and a gradient is "
            "that of one number. Step through a loss (.sum(), .mean()), or call "
            "output.backward(grad_out) first."
        )
