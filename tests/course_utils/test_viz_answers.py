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


def test_every_word_stands_out_from_what_lies_below_it():
    page = TABLE._repr_html_()
    pairs = re.findall(r"background:(#\w{6});color:(#\w{6})", page)
    assert len(pairs) == 2 + 6  # the questions, and the cells
    for below, ink in pairs:
        dark, light = sorted(map(luminance, (below, ink)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (below, ink)


def luminance(colour):  # of WCAG 2, from 0 for black to 1 for white
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x < 0.04 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_question_stays_in_sight_when_the_table_is_moved():
    rows = re.findall(r"<th scope='row' style='(.*?)'", TABLE._repr_html_())
    assert len(rows) == 2
    assert all("position:sticky;left:0;background:" in style for style in rows)
