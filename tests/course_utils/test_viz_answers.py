"""The table of answers: words, signs, and a row that lacks a column."""

from __future__ import annotations

import re

from course_utils.viz import AnswerTable

ROWS = {
    "a < b": {
        "one": ([1.0, -0.5, 1e-9], "right"),
        "two": (["nan", 0.123], "no number"),
        "three": ("TypeError", "error"),
    },
    "c": {"one": ([2.0], "wrong"), "two": (None, "absent")},
}
TABLE = AnswerTable(ROWS, ["one", "two", "three"], "A & B")


def test_it_can_be_read_without_colours():
    lines = repr(TABLE).splitlines()
    assert lines[0] == "A & B"
    assert lines[1] == "a < b: one 1 −.5 0; two ○ nan .12; three ! raises"
    assert lines[2] == "c: one ✗ 2; two ·"


def test_in_a_notebook_each_row_has_each_column():
    page = TABLE._repr_html_()
    rows = re.findall(r"<tr>.*?</tr>", page)
    assert len(rows) == 3 and all(row.count("<td") == 3 for row in rows[1:])
    assert "a &lt; b" in page and "A &amp; B" in page
    assert page.count("scope='col'") == 3 and page.count("scope='row'") == 2
