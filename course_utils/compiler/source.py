"""The source of a plan: the loops, and the step that calls them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from course_utils.compiler.kinds import seen, sliced
from course_utils.compiler.lines import Line, Slot, name_of
from course_utils.compiler.loops import Loop, right, wrapped
from course_utils.compiler.places import slices
from course_utils.compiler.plan import Plan, is_loop
from course_utils.compiler.stages import base_of

SIGNS = {
    **{operator.add: "{} + {}", operator.sub: "{} - {}", operator.mul: "{} * {}"},
    **{operator.truediv: "{} / {}", operator.floordiv: "{} // {}"},
    **{operator.mod: "{} % {}", operator.pow: "{} ** {}", operator.neg: "-{}"},
    **{operator.lt: "{} < {}", operator.le: "{} <= {}", operator.gt: "{} > {}"},
    **{operator.ge: "{} >= {}", operator.eq: "{} == {}", operator.ne: "{} != {}"},
    operator.abs: "abs({})",
}


class Source:
    """The text of a plan, and the objects that are named in it. Plumbing.

    - `texts`: the loops, as they are read; `step`: the step that calls them.
    - `once`: views of arrays that stay where they are.
    - `loops`: for each call of a loop its name, and its text with other names.
    - `space`: what the names of the step mean, but for arrays and loops.
    """

    def __init__(self, plan: Plan):
        self.plan, self.names = plan, plan.names
        self.loops: list[tuple[str, str, Loop]] = []
        self.known: dict[str, str] = {}
        self.texts: list[str] = []
        self.once: list[str] = []
        self.space: dict[str, Any] = {"np": np, "seen": seen, "left": {}}
        given = [self.names(x) for x, slot in plan.program.inputs if slot is None]
        head = f"def step({', '.join(given)}):"
        self.step = "\n".join([head, *right(list(self.body()))])

    def __str__(self) -> str:
        once = ["\n".join(["# Once and for all:", *self.once])] if self.once else []
        return "\n\n\n".join([*self.texts, *once, self.step]) + "\n"

    def body(self) -> Iterator[str]:
        """The step, statement by statement."""
        yield from self.numbers()
        for part in self.plan.parts:
            if is_loop(part):
                yield from self.loop(part)
            elif self.stays(part):
                self.once.append(self.call(part))
            else:
                yield self.call(part)
        for k, (slot, new) in enumerate(self.plan.schedule.left):
            if isinstance(new, Line) and new.is_number:
                yield f"{text_of(slot)} = {self.number(new)}"
            elif isinstance(new, Line):
                yield f"left[{k}] = {self.operand(new)}  # {slot.label}"
        result = base_of(self.plan.program.result)
        zeros = ", ".join("0" * len(result.shape)) or "()"
        yield f"return {self.names(result)}[{zeros}].item()"

    # --- numbers of Python ------------------------------------------------------------

    def numbers(self) -> Iterator[str]:
        """Read the numbers, compute with them, and ask what was asked about them."""
        for line, slot in self.plan.program.inputs:
            if slot is not None and line.is_number and self.is_read(line):
                self.space[text_of(slot).partition(".")[0]] = slot.owner
                yield f"{self.names(line)} = {text_of(slot)}"
        for line in self.plan.schedule.lines:
            if line.kind == "number":
                inputs = map(self.number, line.inputs)
                yield f"{self.names(line)} = {SIGNS[line.function].format(*inputs)}"
        for line, answer in self.plan.program.guards:
            if line.kind in ("input", "number"):
                yield f"if {'not ' if answer else ''}{self.number(line)}:"
                yield "    return None  # this plan is for the other case"

    def is_read(self, line: Line) -> bool:
        """Whether anybody asks for an input."""
        outputs = self.plan.program.outputs()
        return line in self.plan.schedule.users or line in outputs

    def number(self, line: Line) -> str:
        """A number by its name, or as it is."""
        return repr(line.value) if line.kind == "constant" else self.names(line)

    # --- loops and calls --------------------------------------------------------------

    def loop(self, loop: Loop) -> Iterator[str]:
        """Call a loop; where a guard does not hold, the plan ends."""
        name = self.name_of(loop)
        arguments = [*loop.arrays, *loop.numbers]
        for line in arguments:
            if line.kind == "constant":
                known = line.is_known and line.dtype is not None
                value = line.value.reshape(())[()] if known else line.value
                self.space[self.names(line)] = value
        tail = "):" if loop.guards else ")"
        head = f"{'if not ' if loop.guards else ''}{name}("
        yield from wrapped(head, list(map(self.names, arguments)), tail).split("\n")
        if loop.guards:
            yield "    return None  # a guard does not hold"

    def name_of(self, loop: Loop) -> str:
        """The name of a loop; two that do the same to other arrays share it."""
        text = loop.text("loop")
        plain = without_names(
            text, [self.names(x) for x in (*loop.arrays, *loop.numbers)]
        )
        if plain not in self.known:
            self.known[plain] = f"loop_{len(self.known) + 1}"
            self.texts.append(text.replace("def loop(", f"def {self.known[plain]}("))
        self.loops.append((self.known[plain], plain, loop))
        return self.known[plain]

    def call(self, line: Line) -> str:
        """What NumPy does, in an array that is there or in one of its own."""
        operands = [self.operand(x) for x in line.inputs]
        name = self.names(line)
        if line.kind in ("product", "map", "fold"):
            function = f"np.{name_of(line.function)}"
            options = [f"{k}={v!r}" for k, v in line.options.items()]
            return f"{function}({', '.join([*operands, *options])}, out={name})"
        text = self.result(line, operands)
        return f"{name} = {text if line.shape else f'np.asarray({text})'}"

    def result(self, line: Line, operands: list[str]) -> str:
        """What a line gives that has memory of its own, or looks at another's."""
        name = self.names(line)
        if line.kind == "part":
            return f"{operands[0]}[{line.options['k']}]"
        if line.function is sliced:
            self.space[f"at_{name}"] = line.options["index"]
            return f"{operands[0]}[at_{name}]"
        if line.kind == "view":
            return f"np.reshape({operands[0]}, {line.options['shape']})"
        self.space[f"do_{name}"] = self.checked(line)
        return f"do_{name}({', '.join(operands)})"

    def checked(self, line: Line) -> Callable:
        """A call whose errors say where, and whose result is like the one recorded."""
        shapes = shapes_of(line.value)

        def call(*values: Any) -> Any:
            try:
                found = line.function(*values)
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                raise placed_error(error, line.place) from error
            if shapes_of(found) != shapes:
                raise ValueError(
                    f"{line.place}: {line.function.__name__} gave an array of shape "
                    f"{shapes_of(found)}; when the step was recorded it was {shapes}. "
                    f"A plan needs shapes that do not depend on numbers: keep all "
                    f"elements, and weight them with 0 and 1"
                )
            return found

        return call

    def operand(self, line: Line) -> str:
        """An array, with its axes as they are seen."""
        if line.kind == "axes":
            return self.turned(line)
        if line.kind == "constant":
            self.space[self.names(line)] = line.value
        return self.names(line)

    def stays(self, line: Line) -> bool:
        """Whether a line is a view of the block, and so the same in each step."""
        place = self.plan.place_of(line) if line.shares else None
        if place is None:
            return False
        size = self.plan.lives[self.names(place)].size
        trial = self.plan.room(place, np.empty(size, np.uint8))
        return np.may_share_memory(trial, looked_at(line, place, trial))

    def turned(self, line: Line) -> str:
        """A view of an array: turned, or with other axes."""
        inner = self.operand(line.inputs[0])
        if "places" in line.options:
            return f"{inner}[{part_text(line)}]"
        axes = line.options["axes"]
        rank = len(line.inputs[0].shape)
        if axes == tuple(range(rank))[::-1]:
            return f"{inner}.T"
        if len(axes) == rank and set(axes) == set(range(rank)):
            return f"{inner}.transpose({axes})"
        text = f"seen({inner}, {axes}, {line.options['shape']})"
        if not self.stays(line):
            return text
        if (said := f"{self.names(line)} = {text}") not in self.once:
            self.once.append(said)
        return self.names(line)


def looked_at(line: Line, place: Line, array: np.ndarray) -> np.ndarray:
    """What a view shows of an array in the place of the line `place`. Plumbing."""
    if line is place:
        return array
    return line.function(looked_at(line.inputs[0], place, array), **line.options)


def part_text(line: Line) -> str:
    """The index of a part: `0:32, ::2`. Plumbing."""
    texts = []
    for part in slices(line.options["places"], line.shape):
        start, stop, step = (part.start or "", part.stop or "", part.step or 1)
        texts.append(f"{start}:{stop}" + (f":{step}" if step != 1 else ""))
    while texts[-1] == ":":
        texts.pop()
    return ", ".join(texts)


def without_names(text: str, names: list[str]) -> str:
    """A text in which names and numbers of lines are those of their order. Plumbing."""
    for k, name in enumerate(names):
        text = re.sub(rf"(?<![\w.]){re.escape(name)}\b", f"a{k}", text)
    order: dict[str, str] = {}
    return re.sub(
        r"\b([st])(\d+)\b",
        lambda found: found[1] + order.setdefault(found[2], str(len(order))),
        text,
    )


def placed_error(error: Exception, place: object) -> Exception:
    """An error of the same kind, or a ValueError, that says where. Plumbing."""
    try:
        return type(error)(f"{place}: {error}")
    except TypeError:  # it wants other arguments
        return ValueError(f"{place}: {error}")


def shapes_of(value: Any) -> Any:
    """The shape of an array, or those of several. Plumbing."""
    if isinstance(value, tuple | list):
        return [shapes_of(x) for x in value]
    return np.shape(value)


def text_of(slot: Slot) -> str:
    """A slot as Python would write it: `optimizer.betas[0]`. Plumbing."""
    root = slot.label.partition(".")[0]
    return f"{root}.{slot.name}" + "".join(f"[{key!r}]" for key in slot.keys)
