"""The comparator accepts a rounded last digit and rejects everything else."""

import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.notebooks.nbval_numeric import complaints, difference, settle, tokens
from tools.notebooks import within

ROOT = Path(__file__).parents[2]

AGREE = [
    ("loss 0.123", "loss 0.124"),
    ("0.9999", "1.0000"),
    ("1.0000", "0.9999"),
    ("9.99e-06", "1.00e-05"),
    ("1.00e-05", "9.99e-06"),
    ("1.2345e-05", "1.2346e-05"),
    ("-0.0", "0.0"),
    ("-0.001", "0.000"),
    ("+0.000", "-0.000"),
    ("0.0001", "9.9999e-05"),
    ("0.12", "0.1199999"),
    ("0.3", "0.30000000000000004"),
    ("1.0000000000000002", "1.0"),
    ("[1. 2.]", "[0.99999999 2.]"),
    ("[0.5  0.25]", "[0.5  0.25 ]"),
    ("[0.01 0.99 0.5 ]", "[0.   1.   0.5 ]"),
    ("[9.99 0.5 ]", "[10.    0.5]"),
    ("[[0.1 0.2]\n [0.3 0.4]]", "[[0.1\n  0.2]\n [0.3 0.4]]"),
    ("a= 9.999 b", "a=10.000 b"),
    ("1,999.9 ms", "2,000.0 ms"),
    ("1.25s", "1.26s"),
    ("98.21%", "98.22%"),
    ("nan inf", "nan inf"),
    ("50%|##   |\r100%|#####|\n", "10%|\r70%|\r100%|#####|\n"),
    ('<img src="data:image/png;base64,AAAA">', '<img src="data:image/png;base64,BB=">'),
    ("−0.50", "−0.51"),
    ("∂w = 9.999e−06", "∂w = 1.000e−05"),
    ("5e−05", "6e−05"),
    ("5e–05", "6e-05"),
    ("−1.25e−08", "−1.26e−08"),
    ("1.5e−05s", "1.6e−05s"),
    ("\x1b[31m0.123\x1b[0m", "\x1b[31m0.124\x1b[0m"),
    ("\x1b[1;38;5;9mError\x1b[0m: 0.5", "Error: 0.5"),
    ("\x1b]8;;https://example.org\x1b\\0.5\x1b]8;;\x1b\\", "0.6"),
    ("10%\r\x1b[K100%", "100%"),
    ("[1. 2. 3.]", "[1.        2.        2.9999999]"),
    ("[8. 1.]", "[8.000001 1.      ]"),
    ("[1.e-08 1.e+00]", "[9.9999999e-09 1.0000000e+00]"),
]

DIFFER = [
    ("loss 0.123", "loss 0.125"),
    ("loss 0.123", "cost 0.123"),
    ("0.1", "0.1499"),
    ("0.12", "0.1199998"),
    ("1.234e-05", "1.244e-05"),
    ("1.234e-05", "1.234e-06"),
    ("0.5", "-0.5"),
    ("60000", "60001"),
    ("(3, 4)", "(3, 5)"),
    ("seed 1", "seed 2"),
    ("1", "1.0"),
    ("1.", "2."),
    ("[1. 2.]", "[1. 3.]"),
    ("[0.5  0.25]", "[0.6  0.25]"),
    ("[0.5 0.25]", "[0.5 0.25 0.25]"),
    ("0.30000000000000004", "0.3000000000000002"),
    ("nan", "0.5"),
    ("inf", "nan"),
    ("-inf", "inf"),
    ("W1 0.5", "W2 0.5"),
    ("x2", "x3"),
    ("0x7f", "0x7e"),
    ("2.15.0", "2.15.1"),
    ("v1.5", "v1.6"),
    ("1e5f", "2e5f"),
    ("3-0.5", "3+0.5"),
    ("0.5\n0.6", "0.5 0.6"),
    ("a, 0.5", "a; 0.5"),
    ("100%|#####|", "99%|####|"),
    ('<img src="data:image/png;base64,AAAA">', '<img src="data:image/jpeg;base64,AA">'),
    (
        '<img src="data:image/png;base64,A" alt="a">',
        '<img src="data:image/png;base64,A">',
    ),
    ("[0, 1) 0.5\n0.25", "[0, 1) 0.7\n0.25"),
    ("9.999e−06", "9.997e−06"),
    ("1.5e−05", "1.5e−06"),
    ("5e−05", "5e05"),
    ("\x1b[31m0.123\x1b[0m", "\x1b[31m0.125\x1b[0m"),
    ("\x1b[31mred\x1b[0m", "\x1b[31mrod\x1b[0m"),
    ("1.", "1.1"),
    ("[3.]", "[3.1]"),
    ("[1. 2. 3.]", "[1.  2.  3.1]"),
    ("[0. 1.]", "[0.01 0.99]"),
    ("[1. 2.]", "[1.0002 2.    ]"),
    ("[1. 2. 3.]", "[1.        2.        2.9999995]"),
]


@pytest.mark.parametrize(("expected", "found"), AGREE)
def test_agree(expected, found):
    assert difference(expected, found) is None
    assert difference(found, expected) is None


@pytest.mark.parametrize(("expected", "found"), DIFFER)
def test_differ(expected, found):
    assert difference(expected, found)
    assert difference(found, expected)


# Within 5 %: numbers may differ by so much of the larger one, and nothing else may.
NEAR = [
    ("accuracy 97.3 %", "accuracy 95.1 %"),
    ("loss 0.0123", "loss 0.0118"),
    ("gap 4.21e-09", "gap 4.40e-09"),
    ("9.8e-06", "1.0e-05"),
    ("-0.500", "-0.520"),
    ("100.0", "95.0"),
    ("[1. 2. 3.]", "[1.   2.05 3.  ]"),
    ("1,234.5 ms", "1,200.0 ms"),
    ("0.000", "0.001"),  # one unit, as everywhere
    ("step 17: 0.50", "step 17: 0.51"),
    ("nan", "nan"),
]
FAR = [
    ("100.0", "94.9"),
    ("accuracy 97.3 %", "accuracy 92.3 %"),
    ("0.000", "0.002"),  # zero has no per cent
    ("0.", "0.001"),
    ("0.01", "-0.01"),
    ("0.500", "-0.500"),
    ("1.0e-05", "1.0e-06"),
    ("9800 right", "9801 right"),  # integers are counts
    ("(100, 784)", "(101, 784)"),
    ("step 17: 0.50", "step 18: 0.50"),
    ("1.0", "1"),
    ("0.5 learnt", "0.5 failed"),
    ("0.50 0.50", "0.50"),
    ("[0.5 0.5]", "[0.5 0.5 0.5]"),
    ("0.5\n0.6", "0.5 0.6"),
    ("0.5\n", "0.5\n0.5\n"),
    ("inf", "1.0"),
    ("W1 0.5", "W2 0.5"),
    ("True 0.5", "False 0.5"),
]


@pytest.mark.parametrize(("expected", "found"), NEAR)
def test_near(expected, found):
    share = within("# NBVAL_WITHIN 5%")
    assert difference(expected, found, share) is None
    assert difference(found, expected, share) is None


@pytest.mark.parametrize(("expected", "found"), FAR)
def test_far(expected, found):
    share = within("# NBVAL_WITHIN 5%")
    assert difference(expected, found, share)
    assert difference(found, expected, share)


@given(
    st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from("0.1 2.5 50".split())
)
def test_a_share_of_the_larger(one, other, percent):
    """Printed with more digits than the share asks for, in either order."""
    texts = [f"{number / 1000:.9f}" for number in (one, other)]
    share = within(f"# NBVAL_WITHIN {percent}%")
    near = abs(one - other) <= share * max(one, other)
    assert (difference(*texts, share) is None) == near
    assert (difference(*reversed(texts), share) is None) == near


@given(st.text(alphabet="ab.-+e019[] ,\n\r", max_size=40))
def test_a_share_refuses_nothing_that_was_right(text):
    other = text.replace("9", "0")
    if difference(text, other) is None:
        assert difference(text, other, within("# NBVAL_WITHIN 0.1%")) is None


@pytest.mark.parametrize(
    ("source", "share"),
    [
        ("print(1)", "0"),
        ("# NBVAL_WITHIN 5%\nprint(1)", "0.05"),
        ("x = 1\n# NBVAL_WITHIN 0.1%\nprint(x)", "0.001"),
        ("# NBVAL_WITHIN 50%", "0.5"),
        ("# NBVAL_WITHIN 2.5%  \nx", "0.025"),
        ("# NBVAL_IGNORE_OUTPUT\nwithin = 5", "0"),
    ],
)
def test_a_share_is_read(source, share):
    assert within(source) == Decimal(share)


@pytest.mark.parametrize(
    "line",
    [
        "# NBVAL_WITHIN",
        "# NBVAL_WITHIN 5",
        "# NBVAL_WITHIN 5 %",
        "# NBVAL_WITHIN: 5%",
        "# NBVAL_WITHIN 0.05",
        "# NBVAL_WITHIN 0%",
        "# NBVAL_WITHIN 0.09%",
        "# NBVAL_WITHIN 50.1%",
        "# NBVAL_WITHIN -5%",
        "# NBVAL_WITHIN five%",
        "# NBVAL_WITHIN 5% of the loss",
        "#NBVAL_WITHIN 5%",
        "  # NBVAL_WITHIN 5%",
        "# nbval_within 5%",
        "# NBVAL-WITHIN 5%",
        "print(x)  # NBVAL_WITHIN 5%",
        "# NBVAL_WITHIN 5%\n# NBVAL_WITHIN 5%",
    ],
)
def test_a_share_written_otherwise_is_refused(line):
    with pytest.raises(
        ValueError, match="expected one line such as '# NBVAL_WITHIN 5%'"
    ):
        within(f"x = 1\n{line}\nprint(x)")


@given(st.integers(-(10**6), 10**6), st.integers(0, 8), st.integers(-12, 12))
def test_one_unit_and_no_more(digits, places, off):
    """Printed with any count of decimals: one unit passes, two fail."""
    if places == 0:
        off = 0 if off == 0 else 2  # integers are exact
    expected, found = (f"{n / 10**places:.{places}f}" for n in (digits, digits + off))
    assert (difference(expected, found) is None) == (abs(off) <= 1)


@given(st.integers(1000, 9998), st.integers(-30, 30))
def test_one_unit_with_exponent(digits, exponent):
    expected, near, far = (
        f"{(digits + k) / 1000:.3f}e{exponent:+03d}" for k in (0, 1, 3)
    )
    assert difference(expected, near) is None
    assert difference(expected, far)


@given(st.text(alphabet="ab.-+e019[] ,\n\r", max_size=40))
def test_every_text_agrees_with_itself(text):
    assert len(tokens(text)) % 2 == 1
    assert difference(text, "\n" + text) is None


def test_messages_say_by_how_much():
    said = difference("loss 0.123", "loss 0.153")
    assert "expected 0.123, found 0.153" in said
    assert "by 0.03 (30 units" in said
    assert "'cost" in difference("loss 0.1", "cost 0.1")
    assert "0.7 is missing" in difference("0.5 0.7", "0.5")
    said = difference("loss 0.123", "loss 0.153", within("# NBVAL_WITHIN 2.5%"))
    assert "by 0.03 (30 units of the last printed digit; allowed: 2.5% of" in said
    said = difference("0.00", "0.05", within("# NBVAL_WITHIN 2.5%"))
    assert "allowed: 1e-02)" in said


def test_progress_bars_settle():
    assert settle("a\rbb\nc\r\n") == "bb\nc\n"
    assert settle("|\b/\b-\bok\nab\b\bc\n") == "ok\nc\n"


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def show(**data):
    named = {name.replace("_", "/"): text for name, text in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": named}


SKIP = ("image/png",)


def test_streams_are_joined_and_pictures_counted():
    left = [stream("a 0.5\n"), show(image_png="A"), stream("b\n")]
    assert not complaints(left, [stream("a 0.5\nb\n"), show(image_png="B")], SKIP)
    assert complaints(left, [stream("a 0.5\nb\n")], SKIP) == [
        "missing output: display_data 1 image/png"
    ]


def test_kinds_are_compared():
    left = [show(text_plain="1", text_html="<b>1</b>")]
    assert complaints(left, [show(text_plain="1")], SKIP)
    result = [{**show(text_plain="1", text_html="<b>1</b>"), "output_type": "result"}]
    assert complaints(left, result, SKIP)
    assert complaints([], [stream("x")], SKIP) == ["unexpected output: stdout"]
    assert not complaints([], [stream("  \r   ", "stderr")], SKIP)


# --- end to end: one notebook, a verdict for each cell --------------------------------

HTML = "from IPython.display import HTML\nHTML('<td>0.123</td>')"
WIDE = "# NBVAL_WITHIN 5%"
SHIFTS = [
    # name, source, replace in the stored output, tags, verdict
    ("same", "print('loss', 0.1234)", None, [], "passed"),
    ("unit", "print('loss', 0.1234)", ("0.1234", "0.1235"), [], "passed"),
    ("digit", "print('loss', 0.1234)", ("0.1234", "0.1264"), [], "failed"),
    ("word", "print('loss', 0.1234)", ("loss", "cost"), [], "failed"),
    ("integer", "print((3, 60000))", ("60000", "60001"), [], "failed"),
    ("missing", "pass", ("add", None), [], "failed"),
    ("extra", "print('new')", ("drop", None), [], "failed"),
    ("unrun", "y = 1", ("count", None), [], "failed"),
    ("raises", "1 / 0", None, ["raises-exception"], "passed"),
    ("calmed", "x = 1", None, ["raises-exception"], "failed"),
    ("html", HTML, ("0.123", "0.124"), [], "passed"),
    ("html2", HTML, ("td>", "th>"), [], "failed"),
    ("repr", "0.1 + 0.2", ("0.30000000000000004", "0.3"), [], "passed"),
    ("exempt", "# NBVAL_IGNORE_OUTPUT\nprint(9)", ("9", "8"), [], "passed"),
    ("share", f"{WIDE}\nprint('loss', 0.1234)", ("0.1234", "0.1264"), [], "passed"),
    ("share2", f"{WIDE}\nprint('loss', 0.1234)", ("0.1234", "0.1364"), [], "failed"),
    ("share3", f"{WIDE}\nprint(0.5, 100)", ("100", "101"), [], "failed"),
    ("torn", "# NBVAL_WITHIN 5\nprint(0.1)", None, [], "failed"),
    (
        "bar",
        "import sys\nprint('10%\\r100%')\nsys.stdout.flush()\nprint('done')",
        ("10%\r", ""),
        [],
        "passed",
    ),
]


def shift(cell, change):
    """Falsify the stored cell: what an older run might have left behind."""
    old, new = change
    if old == "add":
        cell.outputs = [nbformat.v4.new_output("stream", text="gone\n")]
    elif old == "drop":
        cell.outputs = []
    elif old == "count":
        cell.execution_count = None
    else:
        text = json.dumps(cell.outputs)
        changed = text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1])
        cell.outputs = [nbformat.from_dict(out) for out in json.loads(changed)]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Run one notebook, changed cell by cell, through nbval with the plugin."""
    from nbclient import NotebookClient

    cells = [
        nbformat.v4.new_code_cell(source, metadata={"tags": tags}, id=name)
        for name, source, _, tags, _ in SHIFTS
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, record_timing=False).execute()
    for cell, (_, _, change, _, _) in zip(notebook.cells, SHIFTS, strict=True):
        if change:
            shift(cell, change)
    path = tmp_path_factory.mktemp("nb") / "shifted.ipynb"
    nbformat.write(notebook, path)
    command = (
        "-m pytest -v -rN --nbval --nbval-current-env -p tests.notebooks.nbval_numeric"
    )
    run = subprocess.run(
        [sys.executable, *command.split(), "-n", "1", "--color=no", path],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
    )
    print(run.stdout, run.stderr)
    return run.stdout


@pytest.mark.parametrize("number", range(len(SHIFTS)), ids=[s[0] for s in SHIFTS])
def test_verdict(verdicts, number):
    word = re.search(rf"(PASSED|FAILED|ERROR).*Cell {number}\b", verdicts)
    assert word, verdicts
    assert word.group(1).lower() == SHIFTS[number][4]


def test_report_names_cell_numbers_and_counts(verdicts):
    assert "shifted.ipynb, cell id digit" in verdicts
    assert "expected 0.1264, found 0.1234; by 0.003 (30 units" in verdicts
    assert "Never run: no execution count is stored" in verdicts
    assert "Tagged raises-exception, but nothing was raised" in verdicts
    assert "expected 0.1364, found 0.1234; by 0.013" in verdicts
    assert "allowed: 5% of the larger" in verdicts
    assert "The line NBVAL_WITHIN cannot be read" in verdicts
    assert "found ['# NBVAL_WITHIN 5']" in verdicts
    counts = "19 cells, 17 outputs compared (3 within a share), 1 exempt"
    assert f"notebooks: {counts}" in verdicts
