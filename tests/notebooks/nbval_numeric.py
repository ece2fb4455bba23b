"""Strict nbval whose numbers may differ by one unit in their last printed digit.

    pytest --nbval --nbval-current-env -p tests.notebooks.nbval_numeric notebooks/

nbval runs every notebook and compares stored with fresh outputs letter by letter.
Another BLAS or another NumPy rounds the last digit otherwise, and the letters differ
though nothing is wrong. This plugin replaces that one comparison. What it holds to:

Numbers
    A number with a decimal point or an exponent may differ by **one unit in its last
    printed digit**: 0.123 agrees with 0.124, 0.9999 with 1.0000, and 9.99e-06 with
    1.00e-05. If the two show different counts of digits, because trailing zeros were
    trimmed, the *finer* one sets the unit: 0.12 agrees with 0.1199999, and 0.1 never
    with 0.1499.
    In one array or list, `[0.12345678 0.5]`, the finest member sets the digits for all
    (NumPy trims them together, so 0.5 stands there for 0.50000000). A bare point, `1.`,
    has lost all its zeros: it is exact unless its partner or its array shows digits.
    Neighbouring doubles agree always: 0.30000000000000004 and 0.3 print no nearer.
    An integer is a count, a shape or a seed: it is exact. So are `nan` and `inf`.
    Digits glued into a word (`W1`, `0x7f`, `640x480`, `2.15.0`) are part of the word;
    a unit may follow a number (`1.25s`).
Words
    Everything else is identical, up to the amount of white space, because one more
    digit or sign moves columns. Lines stay lines, except inside of square brackets,
    where NumPy wraps. A progress bar counts as what a terminal shows in the end.
Outputs
    The same outputs of the same kinds: none missing, none new, no other MIME types.
    Pictures must be there, but their bytes are not compared (they change with every
    version of the drawing library), not even inside of HTML.
Cells
    A cell that was never run fails, and so does a cell tagged `raises-exception` that
    raises no more; nbval lets both pass. What cannot be compared, timings and progress
    bars, is marked in its cell with `# NBVAL_IGNORE_OUTPUT`.
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

# --- one printed number ---------------------------------------------------------------

NUMBER = re.compile(
    r"""
    (?P<sign>(?<![\w.)\]])[-+−])?        # a sign, unless it is an operator: 3-0.5
    (?<![\w.])                           # not inside of a word or a version
    (?>
        (?P<mantissa>
            \d{1,3}(?:,\d{3})+\.\d+      # 1,234.5
          | \d+\.\d*                     # 0.5 and NumPy's 1.
          | \.\d+
          | \d+(?=[eE][-+]?\d+(?!\w))    # 1e-05: an integer needs its exponent
        )
        (?P<exponent>[eE][-+]?\d+)?
    )
    (?!\.?\d)                            # 2.15.0 is no number
    """,
    re.VERBOSE,
)


@dataclass
class Number:
    """A printed number: its text, value, exponent, and decimals of the mantissa."""

    text: str
    value: Decimal
    exponent: int
    decimals: int
    trimmed: bool  # a bare point, as in `1.`: its zeros are gone

    @property
    def unit(self) -> Decimal:
        """One unit in the last printed digit; 0 means exact."""
        if self.trimmed and not self.decimals:
            return Decimal(0)
        return Decimal(1).scaleb(self.exponent - self.decimals)


def read_number(match: re.Match) -> Number:
    """Make a Number of a match of NUMBER."""
    sign, mantissa, exponent = match.group("sign", "mantissa", "exponent")
    plain = mantissa.replace(",", "")
    places = int(exponent[1:]) if exponent else 0
    minus = "-" if sign in ("-", "−") else ""
    return Number(
        text=match.group(),
        value=Decimal(minus + plain).scaleb(places),
        exponent=places,
        decimals=len(plain.partition(".")[2]),
        trimmed=plain.endswith("."),
    )


def pair_unit(expected: Number, found: Number) -> Decimal:
    """Give the unit by which two numbers may differ: the finer one that is shown."""
    shown = [n.unit for n in (expected, found) if n.unit]
    return min(shown, default=Decimal(0))


def numbers_agree(expected: Number, found: Number) -> bool:
    """Tell whether two numbers differ by one unit at most, or are neighbours."""
    if abs(expected.value - found.value) <= pair_unit(expected, found):
        return True
    a, b = float(expected.value), float(found.value)
    return math.nextafter(a, b) == b


# --- a text as words and numbers ------------------------------------------------------


def settle(text: str) -> str:
    """Keep of each line what a terminal shows after its last carriage return."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(lines)


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
    """Remove what does not count: picture bytes, progress, amounts of white space."""
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


def number_complaint(expected: Number, found: Number) -> str:
    """Say by how much two numbers differ."""
    off = abs(expected.value - found.value)
    unit = pair_unit(expected, found)
    much = (
        f"{float(off / unit):.4g} units of the last printed digit"
        if unit
        else "no digits"
    )
    allowed = f"{float(unit):.0e}" if unit else "0"
    return (
        f"a number differs: expected {expected.text}, found {found.text}; "
        f"by {float(off):.3g} ({much}; allowed: {allowed})"
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


def token_complaint(expected: str | Number, found: str | Number) -> str | None:
    """Compare two tokens; say what differs, or None."""
    if isinstance(expected, Number) and isinstance(found, Number):
        agree = numbers_agree(expected, found)
        return None if agree else number_complaint(expected, found)
    return None if expected == found else word_complaint(expected, found)


def difference(expected: str, found: str) -> str | None:
    """Compare two printed texts; say what differs, or None if they agree."""
    if expected == found:
        return None
    left, right = tokens(expected), tokens(found)
    for one, other in zip(left, right, strict=False):
        if complaint := token_complaint(one, other):
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
    lines = [settle(text).splitlines() for text in (expected, found)]
    diff = difflib.unified_diff(*lines, "expected", "found", lineterm="", n=1)
    return [line[:300] for line in diff][:60]


def complaints(expected: list[dict], found: list[dict], skip: tuple) -> list[str]:
    """Compare the outputs of one cell; list what differs."""
    left, right = output_parts(expected, skip), output_parts(found, skip)
    said = [f"missing output: {label}" for label in left if label not in right]
    said += [f"unexpected output: {label}" for label in right if label not in left]
    for label in left.keys() & right.keys():
        one, other = left[label], right[label]
        if one is not None and (complaint := difference(one, other or "")):
            said += [f"{label}: {complaint}", *side_by_side(one, other or "")]
    return said


# --- nbval's cell, with this comparison -----------------------------------------------


def nbval_fits() -> None:
    """Stop loudly where nbval is not the one that this plugin was written for."""
    version = metadata.version("nbval")
    cell = nbval.plugin.IPyNbCell
    known = (
        version.startswith("0.11.")
        and list(inspect.signature(cell.compare_outputs).parameters)
        == ["self", "test", "ref", "skip_compare"]
        and "compare_outputs" in cell.runtest.__code__.co_names
        and "test_outputs" in cell.runtest.__code__.co_names
    )
    if not known:
        raise ImportError(
            f"tests/notebooks/nbval_numeric.py hooks into nbval 0.11; found {version} "
            "with other internals. Install requirements/course.lock, or adapt the plugin to it."
        )


nbval_fits()


NbCell = nbval.plugin.IPyNbCell
nbval_runtest = NbCell.runtest
nbval_repr_failure = NbCell.repr_failure


def compare_outputs(cell: NbCell, test, ref, skip_compare=None) -> bool:
    """Compare fresh outputs with the stored ones; keep the complaints."""
    skip = skip_compare or cell.parent.skip_compare
    ref, test = cell.sanitize_outputs(ref), cell.sanitize_outputs(test)
    compared = len(output_parts(ref, skip))
    cell.user_properties.append(("nbval_compared", compared))
    cell.comparison_traceback = complaints(ref, test, skip)
    return not cell.comparison_traceback


def runtest(cell: NbCell) -> None:
    """Run a cell; also fail where it was never run, or raises no more."""
    exempt = cell.options["skip"] or not cell.options["check"]
    cell.user_properties.append(("nbval_exempt", int(exempt)))
    if cell.cell.source.strip() and cell.cell.execution_count is None:
        cell.raise_cell_error("Never run: no execution count is stored")
    nbval_runtest(cell)
    kinds = {output["output_type"] for output in cell.test_outputs}
    if cell.options["check_exception"] and "error" not in kinds:
        cell.raise_cell_error("Tagged raises-exception, but nothing was raised")


def repr_failure(cell: NbCell, excinfo) -> str:
    """Name the notebook and the cell's id before nbval's own message."""
    where = f"{cell.parent.path.name}, cell id {cell.cell.get('id', '?')}"
    return f"{where}\n{nbval_repr_failure(cell, excinfo)}"


def pytest_configure(config: pytest.Config) -> None:
    """Put our comparison into nbval's cells."""
    for method in (compare_outputs, runtest, repr_failure):
        setattr(NbCell, method.__name__, method)


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
    exempt = sum(counts["nbval_exempt"] for counts in cells)
    terminalreporter.write_line(
        f"notebooks: {len(cells)} cells, {compared} outputs compared, {exempt} exempt"
    )
