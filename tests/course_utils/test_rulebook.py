"""The page of all rules: what stands there is run, and nothing wrong stands there."""

import inspect
import re

import numpy as np
import pytest

from course_utils import functional, optim
from course_utils.rulebook import RuleTable, both_ways, facts, numbers, steps
from tools.notebooks import FOLDER, SUMMARY, headings, read

HERE = "03_tape_engine#The local rules"
A, B = [1.0, 2.0, 4.0], [3.0, 5.0, 2.0]


def cells(table):
    return [row[1:-1] for row in table.rows]


# --- rules that are right -------------------------------------------------------------


def test_a_rule_is_run_as_it_stands():
    table = both_ways(HERE, "product | a * b | g * b, g * a | mul", a=A, b=B)
    (row,) = table.rows
    assert row[:2] == ["product", "`a * b`"]
    assert row[2:] == ["3 10 8", "`g * b, g * a`", "3 50 200, 1 20 400", HERE]
    assert table.note == "with a = 1 2 4 · b = 3 5 2"


def test_statements_share_their_names_with_the_way_back():
    text = "path | h = a * b; h**2 | dh = 2 * h; g * dh * b, g * dh * a | -"
    assert cells(both_ways(HERE, text, a=3.0, b=2.0))[0][1::2] == ["36", "24, 36"]


def test_a_loss_gets_the_gradient_1_and_labels_get_none():
    text = "mse | np.mean((p - t) ** 2) | g * 2 * (p - t) / 3 | mse"
    assert cells(both_ways(HERE, text, p=A, t=B))[0][3] == "−1.333 −2 1.333"


def test_lines_go_on_below_and_places_differ():
    text = """
    sum | a + b |
        g, g | add
    other | c = a + b;
        c * 2 | 2 * g, 2 * g | - | 01_chain_rule#Forks add
    """
    first, second = both_ways(HERE, text, a=A, b=B).rows
    assert first[-1] == HERE
    assert second[1] == "`c = a + b; c * 2`"
    assert second[-1] == "01_chain_rule#Forks add"


def test_steps_are_those_of_the_optimizer():
    text = "momentum | v = 0.9 * v + g; w = w - lr * v | SGD([p], lr, momentum=0.9)"
    table = steps(HERE, text, w=[1.0], g=[10.0], lr=0.1)
    assert cells(table)[0][1:] == ["0", "−1.9"]


def test_facts_are_computed():
    assert cells(facts(HERE, "loss | np.log(K)", K=[2, 10]))[0] == [
        "`np.log(K)`",
        "0.6931 2.303",
    ]


# --- rules that are wrong -------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "product | a * b | g * a, g * b | mul",
        "product | a * b | g * b, g * a * 1.001 | -",
        "sum | a + b | g, -g | -",
        "sigmoid | 1 / (1 + np.exp(-a)) | g * a * (1 - a) | -",
        "mean | a.mean() | g * np.ones(3) | mean",
        "shape | a.sum() | g | -",
    ],
)
def test_a_wrong_way_back_is_refused(text):
    with pytest.raises(AssertionError, match="is not what is measured"):
        both_ways(HERE, text, a=A, b=B)


def test_a_rule_that_the_package_has_otherwise_is_refused():
    """Its way back is right for its way forward; the name is another's."""
    for text in (
        "double | 2 * a | 2 * g | neg",
        "product | a * b | g * b, g * a | add",
    ):
        with pytest.raises(AssertionError, match="Not equal"):
            both_ways(HERE, text, a=A, b=B)


def test_a_vjp_that_differs_from_the_page_is_refused(monkeypatch):
    monkeypatch.setattr(functional, "neg_vjp", lambda grad_out: grad_out)
    with pytest.raises(AssertionError, match="Not equal"):
        both_ways(HERE, "negative | -a | -g | neg", a=A)


@pytest.mark.parametrize("line", ["w = w + lr * g", "w = w - 0.2 * g"])
def test_a_step_that_goes_elsewhere_is_refused(line):
    with pytest.raises(AssertionError, match="Not equal"):
        steps(HERE, f"descent | {line} | SGD([p], lr)", w=A, g=B, lr=0.1)


@pytest.mark.parametrize("name", ["y", "g"])
def test_names_that_mean_something_are_refused(name):
    with pytest.raises(ValueError, match=f"an input is called {name}; y is the result"):
        both_ways(HERE, f"negative | -{name} | -g | -", **{name: A})


@pytest.mark.parametrize(
    "text", ["product | a * b | g * b, g * a", "a | b | c | d | e"]
)
def test_a_row_with_other_cells_is_refused(text):
    with pytest.raises(ValueError, match="a row has other cells than expected"):
        both_ways(HERE, text, a=A, b=B)


# --- the table ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (3.0, "3"),
        (-0.0, "0"),
        (0.33333, "0.3333"),
        (10010.0, "10010"),
        (9.5e-13, "9.5e−13"),
        (1e9, "1e+09"),
        ([1.0, -2.5], "1 −2.5"),
        ([[1, 2], [3, 4]], "1 2 / 3 4"),
        ((np.ones(2), 0.5), "1 1, 0.5"),
    ],
)
def test_numbers_are_short(values, text):
    assert numbers(values) == text


TABLE = RuleTable(["rule", "code", "in"], [["a < b", "`x = 1; x < 2`", HERE]], "with x")


def test_a_table_is_text():
    assert repr(TABLE).splitlines() == [
        "rule   code          in",
        "a < b  x = 1; x < 2  03 · The local rules",
        "with x",
    ]


def test_a_table_is_a_page():
    page = TABLE._repr_html_()
    assert "<code>x = 1</code><br><code>x &lt; 2</code>" in page
    link = (
        '<a href="03_tape_engine.ipynb#The-local-rules" title="The local rules">03</a>'
    )
    assert link in page
    assert ">a &lt; b</th>" in page and "with x</caption>" in page


def test_a_row_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="a row has 1 cells, the head 2"):
        RuleTable(["rule", "in"], [["a"]])


# --- the page -------------------------------------------------------------------------

PAGE = "\n".join(cell.source for cell in read(FOLDER / f"{SUMMARY}.ipynb").cells)
PLACES = sorted(set(re.findall(r"(\d\d_\w+)#([^|\"\n]+)", PAGE)))
LINKS = sorted(set(re.findall(r"\]\((\d\d_\w+)\.ipynb#([^)]+)\)", PAGE)))


def test_every_rule_of_the_package_is_on_the_page():
    names = {name.removesuffix("_vjp") for name in vars(functional) if "_vjp" in name}
    said = set(re.findall(r"(?:\||^) *(\w+) *(?=\||$)", PAGE, re.MULTILINE))
    assert len(names) > 25 and names <= said, names - said


def test_every_optimizer_is_on_the_page():
    kinds = [c for _, c in inspect.getmembers(optim, inspect.isclass)]
    names = {c.__name__ for c in kinds if optim.Optimizer in c.__bases__}
    assert names == set(re.findall(r"(\w+)\(\[p\]", PAGE))


@pytest.mark.parametrize(("stem", "title"), [*PLACES, *LINKS])
def test_every_place_is_a_section(stem, title):
    titles = {
        t.replace("`", "") for _, _, t in headings(read(FOLDER / f"{stem}.ipynb"))
    }
    assert title.strip() in titles | {t.replace(" ", "-") for t in titles}
