"""The referee in a terminal: python -m course_utils.gradcheck module:function."""

from __future__ import annotations

import subprocess
import sys

import pytest

from course_utils.gradcheck.__main__ import CANNOT_SAY, RIGHT, WRONG, main

MINE = """
import numpy as np

class Lost(Exception):
    pass

def f(x):
    return float((x**3).sum())

f_inputs = np.array([1.0, 2.0])

def f_grad(x):
    return 3 * x**2

def off(a, b):
    return float((a * b).sum())

off_inputs = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])}
off_grad = {"a": np.array([3.0, 4.004]), "b": np.array([1.0, 2.0])}

def noisy(x):
    return float((x.astype(np.float32) ** 2).sum())

noisy_inputs, noisy_grad = np.array([1.5, 2.5]), np.array([3.0, 5.0])

def raises(x):
    raise Lost("no\\n way")

raises_inputs, raises_grad = [np.ones(2)], [np.ones(2)]

def sometimes(x):
    if x[0] != 1:
        raise Lost("only at 1")
    return 1.0

sometimes_inputs, sometimes_grad = [np.ones(2)], [np.ones(2)]

def array(x):
    return x

array_inputs, array_grad = [np.ones(2)], [np.ones(2)]

def nothing(x):
    x.sum()

nothing_inputs, nothing_grad = [np.ones(2)], [np.ones(2)]
rng = np.random.default_rng(0)

def restless(x):
    return float(x.sum() + rng.normal())

restless_inputs, restless_grad = [np.ones(2)], [np.ones(2)]

def bare(x):
    return 0.0

def bad_grad(x):
    return float(x.sum())

bad_grad_inputs = np.ones(2)

def bad_grad_grad(x):
    raise Lost
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "mine_to_judge.py").write_text(MINE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield "mine_to_judge"
    sys.modules.pop("mine_to_judge", None)


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("f", RIGHT, "right"),
        ("off", WRONG, "WRONG in 1 of 2"),
        ("noisy", CANNOT_SAY, "CANNOT SAY"),
        ("raises", CANNOT_SAY, "cannot say: at this point Lost: no way"),
        ("sometimes", CANNOT_SAY, "raises Lost beside it (only at 1)"),
        ("array", CANNOT_SAY, "cannot say: at this point ValueError"),
        ("nothing", CANNOT_SAY, "found None"),
        ("restless", CANNOT_SAY, "cannot say: at this point ValueError"),
        ("bad_grad", CANNOT_SAY, "cannot say: at this point Lost: no message"),
        ("bare", CANNOT_SAY, "has no bare_inputs"),
        ("absent", CANNOT_SAY, "has no absent"),
    ],
)
def test_a_verdict_and_its_status(mine, capsys, name, status, words):
    assert main([f"{mine}:{name}"]) == status
    assert words in capsys.readouterr().out


def test_float32_on_purpose(mine, capsys):
    assert main([f"{mine}:noisy", "--float32"]) == RIGHT


@pytest.mark.parametrize("target", ["mine", "mine:", ":f", ""])
def test_a_target_that_is_none(capsys, target):
    assert main([target]) == CANNOT_SAY
    assert "expected module:function" in capsys.readouterr().out


def test_a_module_that_cannot_be_imported(tmp_path, monkeypatch, capsys):
    (tmp_path / "broken_to_judge.py").write_text("1 / 0", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("broken_to_judge:f", "no_such_module_here:f"):
        assert main([name]) == CANNOT_SAY
    said = capsys.readouterr().out
    assert "ZeroDivisionError" in said and "ModuleNotFoundError" in said


def test_as_a_command_in_a_folder(tmp_path):
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "course_utils.gradcheck", "mine:off"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == WRONG and "WRONG in 1 of 2" in run.stdout, run.stderr
