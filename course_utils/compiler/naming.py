"""Names that a reader of the generated source can follow."""

from __future__ import annotations

import builtins
import keyword
import re

from course_utils import functional as F
from course_utils.compiler.lines import Line

WORDS = {"+": "sum", "−": "difference", "×": "product", "÷": "quotient", "@": "matmul"}
WORDS |= {"√": "sqrt", "σ": "sigmoid", "[ ]": "part", "": "value"}
WORDS |= {"step of the optimizer": "update"}

# Loops, values and what the source adds have names of this kind.
OURS = re.compile(r"[i-r]|[st]\d+|(loop|do|at)_.*")


def identifier(text: str) -> str:
    """A text as a name of Python: `layers.0.W` as `layers_0_W`. Plumbing."""
    text = re.sub(r"\W+", "_", text).strip("_") or "value"
    if text[0].isdigit() or keyword.iskeyword(text):
        text = f"n_{text}"
    return text


class Names:
    """A name for each line that has an array or is a number. Plumbing."""

    def __init__(self, inputs: list[Line], lines: list[Line]):
        self.given: dict[Line, str] = {}
        self.taken = {
            "np",
            "plus",
            "seen",
            "left",
            "step",
            "optimizer",
            *vars(F),
            *dir(builtins),
        }
        self.number = {line: k for k, line in enumerate(lines)}
        for line in inputs:
            self.given[line] = self.free(line.options["label"])

    def free(self, label: str, many: bool = False) -> str:
        """A name that nobody has yet; with `many`, it has a number in any case."""
        name = whole = identifier(label.removeprefix("optimizer."))
        k = 1 if many else 2
        if many:
            whole = f"{name}_1"
        while whole in self.taken or OURS.fullmatch(whole):
            k, whole = k + 1, f"{name}_{k}"
        self.taken.add(whole)
        return whole

    def __call__(self, line: Line) -> str:
        """The name of a line: after its operation, `back_` for the way back."""
        if line not in self.given:
            op = WORDS.get(line.place.op, line.place.op)
            label = f"back_{op}" if line.place.back else op
            label = "constant" if line.kind == "constant" else label
            self.given[line] = self.free(label, many=True)
        return self.given[line]

    def value(self, line: Line) -> str:
        """The name of a value inside a loop: that of its line in the program."""
        return f"t{self.number.setdefault(line, len(self.number))}"
