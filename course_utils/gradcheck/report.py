"""What a check found, as a table, and as a picture of where a gradient is wrong."""

from __future__ import annotations

import html
from math import prod

import numpy as np

from course_utils.gradcheck.comparing import KINK, WRONG, Check, Worst, relative_error

HEADINGS = ("input", "shape", "entry", "analytic", "numeric", "error", "verdict")


class Report:
    """What a gradient check found; true exactly if every gradient is right.

    `checks`: one `Check` per input. `worst`: the worst entry as (input, index,
    analytic, numeric), None where there are no entries. `kinks`: (input, index) of the
    entries where f has a kink and the gradient is one of its subgradients. The table
    shows the worst entry of a wrong input and the largest of a right one.

    Plumbing.
    """

    def __init__(self, checks: list[Check], rtol: float):
        self.checks, self.rtol = checks, rtol

    def __bool__(self) -> bool:
        return all(self.checks)

    @property
    def worst(self) -> Worst | None:
        """The worst entry of all inputs: of a wrong input, if there is one."""
        shown = [(_rank(check), check.worst()) for check in self.checks]
        shown = [pair for pair in shown if pair[1] is not None]
        return max(shown, key=lambda pair: pair[0])[1] if shown else None

    @property
    def kinks(self) -> list[tuple[str, tuple[int, ...]]]:
        """Entries where f has a kink, and the gradient lies between its two slopes."""
        return [
            (check.name, tuple(index.tolist()))
            for check in self.checks
            for index in np.argwhere(check.verdict == KINK)
        ]

    @property
    def messages(self) -> list[str]:
        """Everything that the table has no column for, one sentence each."""
        wrong = [f"{c.name}: {c.reason}" for c in self.checks if c.reason]
        alike = [f"{c.name} looks like: {c.looks_like}" for c in self.checks]
        noisy = list(dict.fromkeys(c.noisy for c in self.checks))
        notes = [note for c in self.checks for note in c.notes]
        alike = [line for line in alike if not line.endswith(": ")]
        return [line for line in wrong + alike + noisy + notes if line]

    def __repr__(self) -> str:
        rows = [HEADINGS, *(_row(check, self.rtol) for check in self.checks)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)) for row in rows]
        return "\n".join(line.rstrip() for line in [*lines, *self.messages])

    def _repr_html_(self) -> str:
        rows = [_html_row(_row(c, self.rtol), _colour(c)) for c in self.checks]
        parts = ["<table style='border-collapse:collapse'>", _html_head(), *rows]
        said = [f"<div>{html.escape(line)}</div>" for line in self.messages]
        wrong = [c for c in self.checks if not (c or c.reason or c.noisy)]
        maps = [error_map(check) for check in wrong]
        return "".join([*parts, "</table>", *said, *maps])


def _rank(check: Check) -> tuple[bool, float]:
    """Wrong inputs before right ones; among equals the larger error first."""
    if check.reason:
        return True, np.inf
    return not check, float(np.max(check.scores(), initial=0.0))


def _verdict(check: Check) -> str:
    """The verdict on one input in a few words."""
    wrong, kinks = (int(np.sum(check.verdict == v)) for v in (WRONG, KINK))
    if check.reason:
        return "WRONG SHAPE"
    if check.noisy:
        return "CANNOT SAY"
    if wrong:
        return f"WRONG in {wrong} of {check.numeric.size}"
    if not check.numeric.size:
        return "right (no entries)"
    return "right" + (f", {kinks} on a kink" if kinks else "")


def _row(check: Check, rtol: float) -> tuple[str, ...]:
    """One line of the table, as text; a right error is only said to be small enough."""
    entry, verdict = check.shown(), _verdict(check)
    if entry is None or entry.index is None:
        found = f"grad {check.analytic.shape}" if check.reason else "–"
        return check.name, check.label, "–", found, "–", "–", verdict
    error = relative_error(entry.analytic, entry.numeric)
    said = f"{error:.1e}" if not check or error >= rtol else f"< {rtol:.0e}"
    pair = (f"{entry.analytic:.6g}", f"{entry.numeric:.6g}")
    return check.name, check.label, str(entry.index), *pair, said, verdict


def _colour(check: Check) -> str:
    """Okabe–Ito green for right, vermilion for wrong, orange for cannot say."""
    return "#009E73" if check else "#E69F00" if check.noisy else "#D55E00"


def _html_head() -> str:
    cells = (f"<th style='text-align:left;padding:2px 8px'>{h}</th>" for h in HEADINGS)
    return f"<tr>{''.join(cells)}</tr>"


def _html_row(row: tuple[str, ...], colour: str) -> str:
    cell = "<td style='text-align:left;padding:2px 8px;{}'>{}</td>"
    styles = [""] * (len(row) - 1) + [
        f"border-left:6px solid {colour};font-weight:bold"
    ]
    cells = map(cell.format, styles, map(html.escape, row))
    return f"<tr>{''.join(cells)}</tr>"


def error_map(check: Check, rows: int = 16, columns: int = 32) -> str:
    """Picture of where a gradient is wrong: an HTML table, a cell per block of entries.

    A cell shows the worst verdict of its block: × wrong, ∧ kink, · right.

    Plumbing.
    """
    wide = check.verdict.reshape(_matrix_shape(check.verdict.shape))
    blocks = _block_max(_block_max(wide, rows, 0), columns, 1)
    each = -(-np.array(wide.shape) // blocks.shape)
    title = f"Errors of {html.escape(check.name)}: × wrong, ∧ kink, · right"
    title += f"; a cell is {each[0]} by {each[1]} entries" if each.max() > 1 else ""
    lines = (f"<tr>{''.join(map(_map_cell, line))}</tr>" for line in blocks.tolist())
    table = f"<table style='border-collapse:collapse'>{''.join(lines)}</table>"
    return f"<div style='margin-top:8px'>{title}</div>{table}"


def _matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns to draw an array in: its last axis runs to the right."""
    columns = shape[-1] if shape else 1
    return prod(shape) // max(columns, 1), columns


def _block_max(array, most: int, axis: int):
    """Maximum over equal blocks along an axis, so that at most `most` are left."""
    size = -(-array.shape[axis] // most)
    starts = np.arange(0, array.shape[axis], size)
    return np.maximum.reduceat(array, starts, axis=axis)


def _map_cell(verdict: int) -> str:
    """A coloured cell with a sign in it: colour alone does not reach everybody."""
    sign, colour = {WRONG: ("×", "#D55E00"), KINK: ("∧", "#56B4E9")}.get(
        verdict, ("·", "#CFE8DF")
    )
    style = "width:14px;height:14px;padding:0;text-align:center;border:1px solid #fff"
    return f"<td style='{style};background:{colour};color:#000'>{sign}</td>"
