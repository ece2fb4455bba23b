"""Answers in a table: a row a question, a column for each who was asked."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from course_utils.viz.house import COLORS
from course_utils.viz.naming import number

# A sign and a colour for each verdict: the table can be read without colours.
SIGNS = {
    "right": ("", "#DFF2EB"),
    "wrong": ("✗ ", COLORS.vermillion),
    "no number": ("○ ", COLORS.orange),
    "error": ("! ", "#E4E4E4"),
    "edge": ("", "#FFFFFF"),
    "absent": ("", "#FFFFFF"),
}

# A question stays in sight where the table is wider than the page, so it is opaque; on
# a narrow page it is broken into lines.
HEAD = (
    "position:sticky;left:0;background:#F2F2F2;color:#000000;text-align:left;"
    "min-width:min(14em,28vw)"
)


def words_of(answer: Any) -> str:
    """Write an answer: its numbers, short; "raises" for an error. Plumbing."""
    if not isinstance(answer, list):
        return "raises" if answer else "·"
    return " ".join(_short(x) for x in answer)


def _short(x: Any) -> str:
    x = float(x)
    if abs(x) < 1e-6:
        return "0"
    return number(x, 2).replace("0.", ".", 1) if abs(x) < 1 else number(x, 2)


class AnswerTable:
    """A table of answers with a verdict each; in a notebook, in colours.

    `rows` maps a question to {column: (answer, verdict)}. An answer is a list of
    numbers, the name of an error, or None. Plumbing.
    """

    def __init__(self, rows: Mapping[str, Mapping], columns: list[str], title: str):
        self.rows, self.columns, self.title = rows, columns, title

    def __repr__(self) -> str:
        lines = [self.title]
        for question, row in self.rows.items():
            said = (f"{name} {_text(*row[name])}" for name in row)
            lines.append(f"{question}: {'; '.join(said)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        column = "<th scope='col' style='text-align:center'>{}</th>"
        head = "".join(column.format(html.escape(c)) for c in self.columns)
        body = "".join(self._row(question) for question in self.rows)
        title = f"<caption style='text-align:left'>{html.escape(self.title)}</caption>"
        return (
            "<table style='border-collapse:collapse;font-size:80%'>"
            f"{title}<tr><th></th>{head}</tr>{body}</table>"
        )

    def _row(self, question: str) -> str:
        row = self.rows[question]
        cells = "".join(_cell(*row.get(c, (None, "absent"))) for c in self.columns)
        name = f"<th scope='row' style='{HEAD}'>{html.escape(question)}</th>"
        return f"<tr>{name}{cells}</tr>"


def _text(answer: Any, verdict: str) -> str:
    return SIGNS[verdict][0] + words_of(answer)


def _cell(answer: Any, verdict: str) -> str:
    colour = SIGNS[verdict][1]
    style = f"background:{colour};color:#000000;text-align:center;padding:1px 4px"
    return f"<td style='{style}'>{html.escape(_text(answer, verdict))}</td>"
