"""Strict nbval whose numbers may differ by one unit in their last printed digit.

    pytest --nbval --nbval-current-env -p tests.notebooks.nbval_numeric notebooks/

nbval makes a test of every cell, runs it, and compares outputs letter by letter. This
plugin replaces both. A notebook is run whole, before its first test, by `tools.runner`,
which stores outputs as well: what is stored and what is compared come the same way.
And numbers are compared as numbers, since another BLAS or another NumPy rounds the last
digit otherwise, and the letters differ though nothing is wrong. What it holds to:

Numbers
    A number with a decimal point or an exponent may differ by **one unit in its last
    printed digit**: 0.123 agrees with 0.124, 0.9999 with 1.0000, and 9.99e-06 with
    1.00e-05. If the two show different counts of digits, because trailing zeros were
    trimmed, the *finer* one sets the unit: 0.12 agrees with 0.1199999, and 0.1 never
    with 0.1499.
    In one array or list, `[0.12345678 0.5]`, the finest member sets the digits for all
    (NumPy trims them together, so 0.5 stands there for 0.50000000). Where nothing but
    bare points is left, `[1. 2. 3.]`, all eight digits were zeros: it agrees with
    `[1. 2. 2.9999999]`, in which a partner shows seven digits or more, and never with
    `[1. 2. 3.1]`.
    Neighbouring doubles agree always: 0.30000000000000004 and 0.3 print no nearer.
    An integer is a count, a shape or a seed: it is exact. So are `nan` and `inf`.
    Digits glued into a word (`W1`, `0x7f`, `640x480`, `2.15.0`) are part of the word;
    a unit may follow a number (`1.25s`).
    In a cell with the line `# NBVAL_WITHIN 5%` they may differ by five per cent of the
    larger one, where that is more than the unit: what is trained rounds otherwise on
    each machine, and more than a last digit. All else stays as exact as it is. Zero has
    no per cent and a sign is a sign, so there the unit alone decides: 0.000 agrees with
    0.001, and 0.01 never with -0.01. A line that is written otherwise fails its cell.
Words
    Everything else is identical, up to the amount of white space, because one more
    digit or sign moves columns. Lines stay lines, except inside of square brackets,
    where NumPy wraps. A progress bar counts as what a terminal shows in the end.
    Colours do not count: they come and go with versions of Python.
Outputs
    The same outputs of the same kinds: none missing, none new, no other MIME types.
    What was cleared is gone, and a display that was updated shows its last state, also
    where a later cell did it.
    Pictures must be there, but their bytes are not compared (they change with every
    version of the drawing library), not even inside of HTML.
Cells
    A cell that was never run fails, and so does a cell tagged `raises-exception` that
    raises no more; nbval lets both pass. Where the kernel dies, its cell fails, and so
    do the cells after it. What cannot be compared, timings and progress bars, is marked
    in its cell with `# NBVAL_IGNORE_OUTPUT`.
"""

from __future__ import annotations

import difflib
import inspect
import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from importlib import metadata

import nbval.plugin
import pytest

from tools import runner
from tools.notebooks import within
from tools.runner import ANSI, settle

# --- one printed number ---------------------------------------------------------------

ALL_DIGITS = 7  # at least so many has a float32 that is not a round number

MINUS = (
    "−–-"  # U+2212, which viz writes, and a dash in its place; in a class, - is last
)
EXPONENT = rf"[eE][+{MINUS}]?\d+"
NUMBER = re.compile(
    rf"""
    (?P<sign>(?<![\w.)\]])[+{MINUS}])?  # a sign, unless it is an operator: 3-0.5
    (?<![\w.])                          # not inside of a word or a version
    (?>
        (?P<mantissa>
            \d{{1,3}}(?:,\d{{3}})+\.\d+  # 1,234.5
          | \d+\.\d*                    # 0.5 and NumPy's 1.
          | \.\d+
          | \d+(?={EXPONENT}(?!\w))      # 1e-05: an integer needs its exponent
        )
        (?P<exponent>{EXPONENT})?
    )
    (?!\.?\d)                           # 2.15.0 is no number
    """,
    re.VERBOSE,
)


@dataclass
class Number:
    """A printed number: its text and value, and the three parts of its digits."""

    text: str
    value: Decimal
    exponent: int
    whole: int  # digits before the point
    decimals: int  # digits behind it
    point: bool

    @property
    def bare(self) -> bool:
        """Whether nothing is left behind its point, as in `1.`: all zeros, trimmed."""
        return self.point and not self.decimals

    @property
    def unit(self) -> Decimal:
        """One unit in the last printed digit."""
        return Decimal(1).scaleb(self.exponent - self.decimals)


def read_number(match: re.Match) -> Number:
    """Make a Number of a match of NUMBER."""
    sign, mantissa, exponent = match.group("sign", "mantissa", "exponent")
    whole, point, decimals = mantissa.replace(",", "").partition(".")
    places = int(ascii_minus(exponent[1:])) if exponent else 0
    return Number(
        text=match.group(),
        value=Decimal(f"{ascii_minus(sign or '')}{whole}.{decimals}").scaleb(places),
        exponent=places,
        whole=len(whole),
        decimals=len(decimals),
        point=bool(point),
    )


def ascii_minus(text: str) -> str:
    """Write every kind of minus as Python does."""
    return re.sub(f"[{MINUS}]", "-", text)


def pair_unit(expected: Number, found: Number) -> Decimal:
    """Give the unit by which two numbers may differ: the finer one that is shown.

    It is 0, exact, if a bare point meets fewer than the digits that NumPy prints.
    """
    shown = [number for number in (expected, found) if not number.bare]
    if len(shown) < 2:
        shown = [n for n in shown if n.whole + n.decimals >= ALL_DIGITS]
    return min((number.unit for number in shown), default=Decimal(0))


def allowed(expected: Number, found: Number, share: Decimal) -> Decimal:
    """Give by how much two numbers may differ: the unit, or a share of the larger."""
    larger = max(abs(expected.value), abs(found.value))
    return max(pair_unit(expected, found), share * larger)


def numbers_agree(expected: Number, found: Number, share: Decimal) -> bool:
    """Tell whether two numbers differ by no more than they may, or are neighbours."""
    if abs(expected.value - found.value) <= allowed(expected, found, share):
        return True
    a, b = float(expected.value), float(found.value)
    return math.nextafter(a, b) == b


# --- a text as words and numbers ------------------------------------------------------


def brackets(text: str) -> list[tuple[int, int]]:
    """Give the outermost balanced pairs of square brackets as (start, stop)."""
    opened: list[int] = []
    pairs: list[tuple[int, int]] = []
    for match in re.finditer(r"[\[\]]", text):
        if match.group() == "[":
            opened.append(match.start())
        elif opened:
            start = opened.pop()
            pairs = [pair for pair in pairs if pair[0] < start]
            pairs.append((start, match.end()))
    return pairs


def flatten_arrays(text: str) -> str:
    """Put each bracketed array on one line, without padding."""
    for start, stop in reversed(brackets(text)):
        inside = re.sub(r"\s+", " ", text[start:stop])
        inside = inside.replace("[ ", "[").replace(" ]", "]")
        text = text[:start] + inside + text[stop:]
    return text


def normalise(text: str) -> str:
    """Remove what does not count: colours, picture bytes, progress, white space."""
    text = ANSI.sub("", text)
    text = re.sub(r"(data:image/[\w.+-]+(?:;[\w=.-]+)*,)[^\"'\s)>]*", r"\1…", text)
    text = flatten_arrays(settle(text))
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r" ?\n ?", "\n", text).strip()


def share_digits(numbers: list[Number]) -> None:
    """Give all members of one array the digits of the finest."""
    finest = max((number.decimals for number in numbers), default=0)
    for number in numbers:
        number.decimals = finest


def tokens(text: str) -> list[str | Number]:
    """Split a text into words and numbers, in turn, beginning and ending with words."""
    text = normalise(text)
    spans = brackets(text)
    groups: dict[tuple[int, int], list[Number]] = {span: [] for span in spans}
    parts: list[str | Number] = []
    end = 0
    for match in NUMBER.finditer(text):
        number = read_number(match)
        parts += [text[end : match.start()].strip(" "), number]
        end = match.end()
        for start, stop in spans:
            if start < match.start() < stop:
                groups[start, stop].append(number)
    for numbers in groups.values():
        share_digits(numbers)
    return [*parts, text[end:].strip(" ")]


# --- two texts ------------------------------------------------------------------------


def number_complaint(expected: Number, found: Number, share: Decimal) -> str:
    """Say by how much two numbers differ."""
    off = abs(expected.value - found.value)
    unit, most = pair_unit(expected, found), allowed(expected, found, share)
    much = (
        f"{float(off / unit):.4g} units of the last printed digit"
        if unit
        else "no digits"
    )
    limit = (
        f"{float(unit):.0e}"
        if most == unit
        else f"{float(100 * share):g}% of the larger"
    )
    return (
        f"a number differs: expected {expected.text}, found {found.text}; "
        f"by {float(off):.3g} ({much}; allowed: {limit if most else 0})"
    )


def around(text: str, start: int) -> str:
    """Show a piece of text from where it begins to differ."""
    begin = max(0, start - 20)
    piece = text[begin : start + 60]
    dots = ("…" if begin else "", "…" if start + 60 < len(text) else "")
    return f"{dots[0]}{piece!r}{dots[1]}"


def word_complaint(expected: str | Number, found: str | Number) -> str:
    """Say which words differ."""
    texts = [p.text if isinstance(p, Number) else p for p in (expected, found)]
    same = 0
    while texts[0][: same + 1] == texts[1][: same + 1]:
        same += 1
    shown = [around(text, same) for text in texts]
    return f"the text differs: expected {shown[0]}, found {shown[1]}"


def token_complaint(
    expected: str | Number, found: str | Number, share: Decimal
) -> str | None:
    """Compare two tokens; say what differs, or None."""
    if isinstance(expected, Number) and isinstance(found, Number):
        agree = numbers_agree(expected, found, share)
        return None if agree else number_complaint(expected, found, share)
    return None if expected == found else word_complaint(expected, found)


NO_SHARE = Decimal(0)


def difference(expected: str, found: str, share: Decimal = NO_SHARE) -> str | None:
    """Compare two printed texts; say what differs, or None if they agree.

    Numbers may differ by one unit in their last digit, or by a share of the larger.
    """
    if expected == found:
        return None
    left, right = tokens(expected), tokens(found)
    for one, other in zip(left, right, strict=False):
        if complaint := token_complaint(one, other, share):
            return complaint
    if len(left) == len(right):
        return None
    more = (left if len(left) > len(right) else right)[min(len(left), len(right))]
    which = "missing" if len(left) > len(right) else "new"
    return f"the text differs: the number {more.text} is {which}"


# --- the outputs of a cell ------------------------------------------------------------

ERROR_FIELDS = ("ename", "evalue")


def as_text(value: object) -> str:
    """Give a MIME payload as text: JSON is written with its keys in order."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, indent=1, default=str)


def display_parts(output: dict, label: str, skip: tuple) -> dict[str, str | None]:
    """List what a display shows, by MIME type; None means: must be there, unread."""
    data = output["data"]
    return {
        f"{label} {mime}": None if mime in skip else as_text(data[mime])
        for mime in sorted(data)
    }


def output_parts(outputs: list[dict], skip: tuple) -> dict[str, str | None]:
    """List everything a cell printed: label → text, streams by name, displays in order.

    As in nbval the order of a stream and a display is not compared: it is a race.
    """
    parts: dict[str, str | None] = {}
    shows = [output for output in outputs if output["output_type"] != "stream"]
    for output in outputs:
        if output["output_type"] == "stream":
            parts[output["name"]] = parts.get(output["name"], "") + output["text"]
    for count, output in enumerate(shows, start=1):
        kind = output["output_type"]
        if kind == "error":
            parts |= {f"error {name}": output[name] for name in ERROR_FIELDS}
        else:
            parts |= display_parts(output, f"{kind} {count}", skip)
    # A stream of white space alone is a progress bar that wiped itself out.
    return {k: v for k, v in parts.items() if v is None or normalise(v) or " " in k}


def side_by_side(expected: str, found: str) -> list[str]:
    """Show both texts line by line, as a unified diff."""
    lines = [settle(ANSI.sub("", text)).splitlines() for text in (expected, found)]
    diff = difflib.unified_diff(*lines, "expected", "found", lineterm="", n=1)
    return [line[:300] for line in diff][:60]


def complaints(
    expected: list[dict], found: list[dict], skip: tuple, share: Decimal = NO_SHARE
) -> list[str]:
    """Compare the outputs of one cell; list what differs."""
    left, right = output_parts(expected, skip), output_parts(found, skip)
    said = [f"missing output: {label}" for label in left if label not in right]
    said += [f"unexpected output: {label}" for label in right if label not in left]
    for label in left.keys() & right.keys():
        one, other = left[label], right[label]
        if one is not None and (complaint := difference(one, other or "", share)):
            said += [f"{label}: {complaint}", *side_by_side(one, other or "")]
    return said


# --- nbval's notebooks and cells, with this run and this comparison -------------------

NbFile, NbCell = nbval.plugin.IPyNbFile, nbval.plugin.IPyNbCell
INIT = ["self", "name", "parent", "cell_num", "cell", "options"]
nbval_repr_failure = NbCell.repr_failure


def nbval_fits() -> None:
    """Stop loudly where nbval is not the one that this plugin was written for."""
    version = metadata.version("nbval")
    known = (
        version.startswith("0.11.")
        and {"setup", "setup_sanitize_files", "kernel"} <= set(vars(NbFile))
        and {"runtest", "sanitize_outputs", "raise_cell_error"} <= set(vars(NbCell))
        and list(inspect.signature(NbCell.__init__).parameters) == INIT
    )
    if not known:
        raise ImportError(
            f"tests/notebooks/nbval_numeric.py hooks into nbval 0.11; found {version} "
            "with other internals. Install requirements/course.lock, or adapt the "
            "plugin to it."
        )


nbval_fits()


def setup(file: NbFile) -> None:
    """Run the whole notebook, as it is run for storing; its cells only compare."""
    file.setup_sanitize_files()
    file.fresh, file.stopped = runner.read(file.path), None
    try:
        runner.run(file.fresh, file.path.parent, go_on=True)
    except runner.NotebookError as why:
        file.stopped = why
    runner.clean(file.fresh)


def fresh_cell(cell: NbCell) -> dict:
    """Give the cell that was just run; fail where the run did not come past it."""
    codes = [c for c in enumerate(cell.parent.fresh.cells) if c[1].cell_type == "code"]
    index, fresh = codes[cell.cell_num]
    stopped = cell.parent.stopped
    if stopped and index >= stopped.cell:
        cell.raise_cell_error("The run ended before the end of this cell", str(stopped))
    return fresh


def check_errors(cell: NbCell, fresh: dict) -> None:
    """Fail where a cell raised that must not, or the other way round."""
    raised = [o for o in fresh.outputs if o.output_type == "error"]
    meant = "raises-exception" in fresh.metadata.get("tags", [])
    if raised and not meant:
        traceback = "\n".join(raised[0].traceback)
        cell.raise_cell_error("Cell execution caused an exception", traceback)
    if meant and not raised:
        cell.raise_cell_error("Tagged raises-exception, but nothing was raised")


def share_of(cell: NbCell) -> Decimal:
    """Give the share that a cell asks for; fail where its line cannot be read."""
    try:
        return within(cell.cell.source)
    except ValueError as why:
        cell.raise_cell_error("The line NBVAL_WITHIN cannot be read", str(why))


def compare(cell: NbCell, fresh: dict) -> None:
    """Compare fresh outputs with the stored ones; fail with what differs."""
    skip, share = cell.parent.skip_compare, share_of(cell)
    stored, found = map(cell.sanitize_outputs, (cell.cell.outputs, fresh.outputs))
    compared = len(output_parts(stored, skip))
    cell.user_properties.append(("nbval_compared", compared))
    cell.user_properties.append(("nbval_within", compared if share else 0))
    if said := complaints(stored, found, skip, share):
        cell.raise_cell_error("Cell outputs differ", "\n".join(said))


def runtest(cell: NbCell) -> None:
    """Judge a cell of the notebook that was run; fail where none is stored."""
    exempt = cell.options["skip"] or not cell.options["check"]
    cell.user_properties.append(("nbval_exempt", int(exempt)))
    if cell.cell.source.strip() and cell.cell.execution_count is None:
        cell.raise_cell_error("Never run: no execution count is stored")
    if cell.options["skip"]:
        pytest.skip()
    fresh = fresh_cell(cell)
    cell.test_outputs = fresh.outputs
    check_errors(cell, fresh)
    if cell.options["check"]:
        compare(cell, fresh)


def repr_failure(cell: NbCell, excinfo) -> str:
    """Name the notebook and the cell's id before nbval's own message."""
    where = f"{cell.parent.path.name}, cell id {cell.cell.get('id', '?')}"
    return f"{where}\n{nbval_repr_failure(cell, excinfo)}"


def pytest_configure(config: pytest.Config) -> None:
    """Put our run and our comparison into nbval's notebooks and cells."""
    NbFile.setup = setup
    NbCell.runtest, NbCell.repr_failure = runtest, repr_failure


def pytest_terminal_summary(terminalreporter) -> None:
    """Say in one line how much was compared (workers send their counts along)."""
    reports = [
        dict(report.user_properties)
        for group in terminalreporter.stats.values()
        for report in group
        if getattr(report, "when", None) == "call"
    ]
    cells = [counts for counts in reports if "nbval_exempt" in counts]
    compared = sum(counts.get("nbval_compared", 0) for counts in cells)
    wide = sum(counts.get("nbval_within", 0) for counts in cells)
    exempt = sum(counts["nbval_exempt"] for counts in cells)
    terminalreporter.write_line(
        f"notebooks: {len(cells)} cells, {compared} outputs compared "
        f"({wide} within a share), {exempt} exempt"
    )
