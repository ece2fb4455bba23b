"""The page of all rules: each is run as it stands there, measured, and compared.

A table is written as text, a row a line, its cells parted by |. A cell that holds code
is run, and shown with what it gives; statements are parted by a semicolon. The last
cell is the place that teaches the rule, `03_tape_engine#The local rules`; a row without
one is taught where most of its table is. A line that ends in | or ; goes on below.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from inspect import signature
from types import SimpleNamespace
from typing import Any

import numpy as np

from course_utils import functional as F
from course_utils import optim
from course_utils.gradcheck import gradcheck

# --- three kinds of tables ------------------------------------------------------------


def both_ways(place: str, text: str, **inputs: Any) -> RuleTable:
    """Rules with a way back: name | forward | way back | name in functional, or -.

    In the way back `y` is the result, and `g` the gradient that arrives there: 1, 10,
    100 … in the shape of y. It gives a gradient for each input, in order; those that it
    leaves out, such as labels, have none.
    Raises AssertionError where a way back is not what `gradcheck` measures, or where
    `functional` has it otherwise, and ValueError for an input called y or g. Plumbing.
    """
    if taken := {"y", "g"} & set(inputs):
        raise ValueError(
            f"both_ways: an input is called {sorted(taken)[0]}; y is the result of the "
            f"way forward and g the gradient that arrives there. Give it another name"
        )
    inputs = {name: _given(value) for name, value in inputs.items()}
    rows = []
    for (name, forward, back, function), where in _rows(text, place, 4):
        y, grads = _both_ways(forward, back, function, inputs)
        gives = numbers(y), numbers(grads)
        rows.append([name, f"`{forward}`", gives[0], f"`{back}`", gives[1], where])
    head = ["rule", "forward", "gives", "way back", "gives", "in"]
    return RuleTable(head, rows, _note(inputs))


def steps(place: str, text: str, w: Any, g: Any, lr: float) -> RuleTable:
    """Rules that move w against g, taken twice: name | step | the same in optim.

    Raises AssertionError where the optimizer goes elsewhere. Plumbing.
    """
    given = {"lr": lr, "w": _given(w), "g": _given(g)}
    rows = []
    for (name, lines, optimizer), where in _rows(text, place, 3):
        once, twice = map(numbers, _two_steps(lines, optimizer, given))
        rows.append([name, f"`{lines}`", once, twice, where])
    return RuleTable(["rule", "step", "once", "twice", "in"], rows, _note(given))


def facts(place: str, text: str, **inputs: Any) -> RuleTable:
    """Formulas that are no part of a network: name | formula. Plumbing."""
    inputs = {name: _given(value) for name, value in inputs.items()}
    rows = []
    for (name, lines), where in _rows(text, place, 2):
        value = _run(lines, {"np": np, "F": F, **inputs})
        rows.append([name, f"`{lines}`", numbers(value), where])
    return RuleTable(["rule", "formula", "gives", "in"], rows, _note(inputs))


# --- a rule, run and compared ---------------------------------------------------------


def _given(value: Any) -> Any:
    """A list as an array; a number stays one."""
    return np.array(value) if isinstance(value, list) else value


def _rows(text: str, place: str, count: int) -> Iterator[tuple[list[str], str]]:
    """Each row: its first `count` cells, and where it is taught."""
    for line in re.sub(r"(?<=[|;])\n\s*", " ", text).strip().splitlines():
        *cells, where = [c.strip() for c in f"{line} | {place}".split("|")[: count + 1]]
        if len(cells) != count or "#" not in where:
            raise ValueError(
                f"a row has other cells than expected: {line.strip()!r}. Expected "
                f"{count} cells, and a place such as 03_tape_engine#The engine or none"
            )
        yield cells, where


def _run(lines: str, scope: dict[str, Any]) -> Any:
    """Run lines of code as they stand; give the value of the last."""
    *before, last = lines.split("; ")
    exec("\n".join(before), scope)
    return eval(last, scope)


def _both_ways(forward: str, back: str, function: str, inputs: Mapping[str, Any]):
    """What a rule gives forward and backward, once both have been checked."""
    used = {k: v for k, v in inputs.items() if re.search(rf"\b{k}\b", forward)}
    scope = {"np": np, "F": F, **used}
    y = _run(forward, scope)
    g = 10.0 ** np.arange(np.size(y)).reshape(np.shape(y))
    grads = _run(back, {**scope, "y": y, "g": g})
    each = grads if isinstance(grads, tuple) else (grads,)
    wrt = {name: used[name] for name, _ in zip(used, each, strict=False)}

    def again(*arrays):
        new = dict(zip(wrt, arrays, strict=True))
        return _run(forward, {"np": np, "F": F, **used, **new})

    report = gradcheck(again, wrt, dict(zip(wrt, each, strict=True)), grad_out=g)
    if not report:
        raise AssertionError(
            f"{forward}: the way back {back} is not what is measured\n{report}"
        )
    if function != "-":
        _compare(function, list(used.values()), y, g, each)
    return y, grads


def _compare(function: str, used: list, y: Any, g: Any, grads: Sequence) -> None:
    """Fail where functional has it otherwise, called with what its rule asks for."""
    forward, vjp = getattr(F, function), getattr(F, f"{function}_vjp")
    np.testing.assert_allclose(y, forward(*used), rtol=1e-12)
    known = dict(zip(signature(forward).parameters, used, strict=False))
    known |= {"grad_out": g, "shape": np.shape(used[0])}
    asked = [p.name for p in signature(vjp).parameters.values() if p.default is p.empty]
    theirs = vjp(*[known.get(name, y) for name in asked])  # what is not known is y
    theirs = theirs if isinstance(theirs, tuple) else (theirs,)
    for mine, right in zip(grads, theirs, strict=True):
        np.testing.assert_allclose(mine, right, rtol=1e-12)


def _two_steps(lines: str, optimizer: str, given: Mapping[str, Any]) -> Iterator:
    """The weights after the first step and the second, each held to the optimizer's."""
    scope = {"np": np, **given, "v": 0, "m": 0, "s": 0}
    p = SimpleNamespace(data=given["w"].copy(), grad=None)
    referee = eval(optimizer, {**vars(optim), "p": p, "lr": given["lr"]})
    for scope["t"] in (1, 2):
        exec(lines.replace("; ", "\n"), scope)
        p.grad = given["g"]  # anew for each step, which forgets what it has used
        referee.step()
        np.testing.assert_allclose(scope["w"], p.data, rtol=1e-7)
        yield scope["w"]


# --- the table ------------------------------------------------------------------------


def numbers(values: Any) -> str:
    """Write an array on one line, its rows parted by /; of several arrays, all.

    Four significant digits, and none is cut off before the point. Plumbing.
    """
    if isinstance(values, tuple):
        return ", ".join(map(numbers, values))
    rows = np.reshape(values, (-1, np.shape(values)[-1] if np.ndim(values) else 1))
    return " / ".join(" ".join(map(_short, row)) for row in rows)


def _short(value: float) -> str:
    whole = len(f"{abs(value):.0f}")
    digits = whole if 4 < whole < 8 else 4
    return f"{value + 0.0:.{digits}g}".replace("-", "−")


def _note(inputs: Mapping[str, Any]) -> str:
    """The inputs of a table, as its caption."""
    return "with " + " · ".join(f"{k} = {numbers(v)}" for k, v in inputs.items())


_PLACE = re.compile(r"(\d\d)(_\w+)#(.+)")
_CELL = "text-align:left;vertical-align:top;padding:1px 10px 1px 0"
_CAPTION = "text-align:left;caption-side:top"


class RuleTable:
    """Rows of cells below a head, as text and as HTML.

    In a cell, `code` stands in backticks, statement below statement; a place is a link
    to that section of that notebook.
    Raises ValueError if a row has more or fewer cells than the head. Plumbing.
    """

    def __init__(self, head: Sequence[str], rows: Sequence[Sequence[str]], note=""):
        for row in rows:
            if len(row) != len(head):
                raise ValueError(
                    f"RuleTable: a row has {len(row)} cells, the head {len(head)}: "
                    f"{list(row)}. Every row needs a cell for each of {list(head)}"
                )
        self.head, self.rows, self.note = list(head), list(map(list, rows)), note

    def __repr__(self) -> str:
        rows = [self.head, *([_text(cell) for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)) for row in rows]
        return "\n".join(line.rstrip() for line in [*lines, self.note])

    def _repr_html_(self) -> str:
        heads = (f"<th scope='col' style='{_CELL}'>{h}</th>" for h in self.head)
        rows = [f"<tr>{''.join(heads)}</tr>", *map(_html_row, self.rows)]
        note = f"<caption style='{_CAPTION}'>{html.escape(self.note)}</caption>"
        style = "border-collapse:collapse;table-layout:auto;width:100%"
        return f"<table class='rules' style='{style}'>{note}{''.join(rows)}</table>"


def _text(cell: str) -> str:
    """A cell in a terminal: code without its backticks, a place as 03 · The engine."""
    place = _PLACE.fullmatch(cell)
    return f"{place[1]} · {place[3]}" if place else cell.strip("`")


def _html_row(row: Sequence[str]) -> str:
    name, *cells = row
    first = f"<th scope='row' style='{_CELL}'>{html.escape(name)}</th>"
    rest = (f"<td style='{_CELL}'>{_html(cell)}</td>" for cell in cells)
    return f"<tr>{first}{''.join(rest)}</tr>"


def _html(cell: str) -> str:
    """A cell on a page: code as code, a place as a link."""
    if place := _PLACE.fullmatch(cell):
        number, name, title = map(html.escape, place.groups())
        section = title.replace(" ", "-")
        return f'<a href="{number}{name}.ipynb#{section}" title="{title}">{number}</a>'
    if cell.startswith("`"):
        lines = map(html.escape, cell.strip("`").split("; "))
        return "<br>".join(f"<code>{line}</code>" for line in lines)
    return html.escape(cell)
