"""Our engine at the points where engines differ, and the stored answers of others."""

from __future__ import annotations

import importlib
import importlib.util

import numpy as np
import pytest
import torch

from course_utils import conventions
from course_utils.conventions import EDGE, KINK, POINTS, SMOOTH, answers, judged
from course_utils.gradcheck import gradcheck, numerical_gradient
from course_utils.tape import record
from course_utils.tensor import Tensor
from tools.notebooks import ROOT

STORED = conventions.stored()
ENGINES = STORED["engines"]
OURS = answers()

# What we answer on a kink: torch's answer unless a reason stands beside it.
ON_KINKS = {
    "relu at 0": [0],
    "|x| at 0": [0],
    "maximum(a, b), tie": [0.5, 0.5],
    "minimum(a, b), tie": [0.5, 0.5],
    "max of (1, 1)": [0.5, 0.5],
    "clip to [0, 1] at 1": [0],
    "norm of (0, 0)": [np.nan, np.nan],
    "std of (1, 1, 1)": [0, 0, 0],
    "least of sorted (1, 1, 1)": [1, 0, 0],
    "max pool, four equal": [0.25] * 4,
}
UNLIKE_TORCH = {
    "norm of (0, 0)": "we have no norm; the root of a sum is at its edge",
    "max pool, four equal": "ours is a max, which shares",
}


def of_kind(kind):
    return [name for name, point in POINTS.items() if point.kind == kind]


@pytest.mark.parametrize("name", of_kind(SMOOTH))
def test_ours_is_right_where_it_is_smooth(name):
    np.testing.assert_allclose(OURS[name], POINTS[name].right, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("name", of_kind(SMOOTH))
def test_what_is_right_can_be_measured(name):
    point = POINTS[name]
    arrays = [np.asarray(x, float) for x in point.at]
    if not all(np.isfinite(x).all() for x in arrays):
        pytest.skip("no nudge leaves an infinite input")

    def value(flat):
        ends = np.cumsum([x.size for x in arrays])[:-1]
        parts = zip(np.split(flat, ends), arrays, strict=True)
        return point.f(*(Tensor(p.reshape(x.shape)) for p, x in parts)).item()

    flat = np.concatenate([x.ravel() for x in arrays])
    measured = numerical_gradient(value, flat)
    np.testing.assert_allclose(measured, point.right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", of_kind(KINK))
def test_ours_on_a_kink_is_the_convention(name):
    np.testing.assert_array_equal(OURS[name], ON_KINKS[name])
    assert judged(name, OURS[name]) in ("right", "no number")


@pytest.mark.parametrize("name", of_kind(KINK))
def test_the_convention_is_torchs_unless_said(name):
    stored = np.array(ENGINES["PyTorch"]["answers"][name], float)
    same = np.allclose(OURS[name], stored, equal_nan=True)
    assert same == (name not in UNLIKE_TORCH)


def test_ours_at_what_has_no_value():
    """A mean over nothing is 0/0; an angle has no slope where its arm has no length."""
    assert OURS["mean of no rows"] == [0, 0]
    for name in ("loss, all labels ignored", "atan2(y, x) at (0, 0)"):
        assert np.isnan(OURS[name]).all()


def test_the_rule_of_the_angle_is_right_elsewhere():
    y, x = Tensor(np.array([1.5, -0.5])), Tensor(np.array([-2.0, -0.3]))
    record(Tensor, conventions.ATAN2, y, x).sum().backward()
    f = lambda y, x: np.arctan2(y, x).sum()  # noqa: E731
    assert gradcheck(f, [y.data, x.data], [y.grad, x.grad])


def test_an_integer_input_becomes_a_float():
    x = Tensor(3)
    (0.5 * x).backward()
    assert x.data.dtype == np.float64 and x.grad == 0.5


def test_the_other_engines_are_asked_the_same():
    assert STORED["points"] == list(POINTS)
    for engine in ENGINES.values():
        assert set(engine["answers"]) <= set(POINTS)
        assert {"version", "date"} <= set(engine)


@pytest.mark.parametrize("content", [None, "", "{", "\x00"])
def test_a_missing_or_damaged_file_is_named(tmp_path, monkeypatch, content):
    path = tmp_path / "conventions.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    monkeypatch.setattr(conventions, "STORED", path)
    with pytest.raises(ValueError, match=r"conventions.json.*ask_all"):
        conventions.stored()


@pytest.mark.parametrize("name", POINTS)
def test_a_stored_answer_has_the_size_of_the_inputs(name):
    size = sum(np.size(x) for x in POINTS[name].at)
    for engine in ENGINES.values():
        answer = engine["answers"].get(name)
        assert not isinstance(answer, list) or len(answer) == size


def test_this_torch_answers_as_stored(monkeypatch):
    """For the version that the table names; another one may differ."""
    if torch.__version__.partition("+")[0] != ENGINES["PyTorch"]["version"]:
        pytest.skip("the table is of another version of torch")
    monkeypatch.syspath_prepend(ROOT / "findings" / "conventions")
    answer = importlib.import_module("asking").answer
    asked = importlib.import_module("ask_torch")
    column = ENGINES["PyTorch"]["answers"]
    assert list(column) == [name for name in POINTS if name in asked.FUNCTIONS]
    for name, stored in column.items():
        found = answer(asked.grad, asked.FUNCTIONS[name], POINTS[name].at)
        if isinstance(stored, list):
            found, stored = np.array(found, float), np.array(stored, float)
            np.testing.assert_allclose(found, stored, rtol=1e-5, atol=1e-6)
        else:
            assert found == stored


# --- the referee ----------------------------------------------------------------------


def test_the_referee_tells_answers_apart():
    assert judged("maximum(a, b), tie", [0.3, 0.7]) == "right"
    assert judged("maximum(a, b), tie", [0.0, 0.0]) == "wrong"
    assert judged("maximum(a, b), tie", [1.0, 1.0]) == "wrong"
    assert judged("maximum(a, b), tie", ["nan", 1.0]) == "no number"
    assert judged("|x| at 0", [1.0]) == "right"
    assert judged("|x| at 0", [1.01]) == "wrong"
    assert judged("x⁰ at 0", [1e-7]) == "right"
    assert judged("x⁰ at 0", [1e-3]) == "wrong"
    assert judged("elu at 0", [1.0009]) == "wrong"
    assert judged("elu at 0", "TypeError") == "error"
    assert judged("elu at 0", None) == "absent"
    assert judged("sqrt at 0", [3.0]) == "edge" and POINTS["sqrt at 0"].kind == EDGE


# --- merging --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def merge():
    path = ROOT / "findings" / "conventions" / "merge.py"
    spec = importlib.util.spec_from_file_location("merge", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_column_that_was_not_asked_again_stays(merge):
    old = {"version": "1", "date": "2020-01-01", "note": "", "answers": {"gone": [1]}}
    new = {"version": "2", "note": "", "answers": {"elu at 0": [1.0]}}
    table = merge.merged({"engines": {"a": old, "b": old}}, [{"b": new}], "2021-01-01")
    kept, asked = table["engines"]["a"], table["engines"]["b"]
    assert (kept["version"], kept["date"], kept["answers"]) == ("1", "2020-01-01", {})
    assert (asked["version"], asked["date"]) == ("2", "2021-01-01")
    assert asked["answers"] == {"elu at 0": [1.0]}


def test_the_stored_file_is_written_as_merged(merge):
    text = (ROOT / "data" / "conventions.json").read_text(encoding="utf-8")
    assert merge.written(STORED) == text
