"""The parts of a compiled step: each statement is timed, and belongs to a part."""

import pytest

from benchmarks import parts


def test_a_clock_stands_after_each_statement_and_changes_no_result():
    source = (
        "def step(x):\n    if x < 0:\n        return None\n    y = x + 1\n    return y"
    )
    text, statements = parts.clocked(source)
    taken = [[] for _ in statements]
    space = {"clock": iter(range(100)).__next__, "taken": taken}
    exec(text, space)
    assert [space["step"](x) for x in (-1, 2)] == [None, 3]
    assert statements == ["if x < 0:\n    return None", "y = x + 1"]
    assert taken == [[1], [1]]  # by a clock that ticks when it is read


def test_every_statement_of_a_step_belongs_to_a_part():
    found = parts.parts("mnist-64", rows=256, runs=5)
    assert list(found) == [
        *(parts.PRODUCTS, parts.LOOPS, parts.UPDATE, parts.REST, parts.TOGETHER)
    ]
    together = found.pop(parts.TOGETHER)
    assert sum(found.values()) == pytest.approx(together)
    assert min(found[x] for x in (parts.PRODUCTS, parts.LOOPS, parts.UPDATE)) > 0
    head, _, *rows = parts.table({"mnist-64": found}).splitlines()
    assert head == "| part of a step | `mnist-64` |" and len(rows) == 4


def test_parts_of_what_is_no_case(capsys):
    assert parts.main(["mnist-65"]) == 2
    assert "no case mnist-65; there are mnist-256" in capsys.readouterr().out
