"""What a student wrote survives every correction of the course, in its place."""

from __future__ import annotations

import json
import re

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import merging
from tools.merging import merge
from tools.notebooks import lessons


def code(name, source, outputs=(), count=None, **metadata):
    """A code cell; `outputs` are texts that it has printed."""
    printed = [
        {"output_type": "stream", "name": "stdout", "text": text} for text in outputs
    ]
    return {
        "cell_type": "code",
        "id": name,
        "metadata": metadata,
        "source": source,
        "outputs": printed,
        "execution_count": count,
    }


def words(name, source, **metadata):
    return {
        "cell_type": "markdown",
        "id": name,
        "metadata": metadata,
        "source": source,
    }


STUB = "# Exercise 06.1\ndef f(x):\n    raise NotImplementedError"
ANSWER = "# Exercise 06.1\ndef f(x):\n    return x"


def stub(name="06-ex1", source=STUB):
    return code(name, source, tags=["stub", "exercise-06.1"])


def notebook(*cells, **metadata):
    made = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": [*cells]}
    return merging.read(json.dumps(made).encode())


def course(**changed):
    """A small notebook of the course, in which some texts may be others."""
    texts = {"title": "# Title", "one": "x = 1", "two": "print(x)", "end": "## Summary"}
    texts |= changed
    cells = [words("title", texts["title"]), code("one", texts["one"], count=1)]
    cells += [code("two", texts["two"], ["1\n"], 2), stub(), words("end", texts["end"])]
    return notebook(*cells)


def changed(base, **cells):
    """A student's copy: other texts, by id."""
    made = [
        {**cell, "source": cells.get(cell["id"].replace("-", "_"), cell["source"])}
        for cell in base["cells"]
    ]
    return {**base, "cells": made}


def with_cell(base, after, *cells):
    """A student's copy with own cells behind another one (None: at the top)."""
    at = [None, *(cell["id"] for cell in base["cells"])].index(after)
    return {**base, "cells": [*base["cells"][:at], *cells, *base["cells"][at:]]}


def merged(base, work, new):
    """Merge, and see that to merge again changes nothing, interrupted or not."""
    result, _ = merge(base, work, new)
    nbformat.validate(result)
    assert merge(new, result, new)[0] == result
    assert merge(base, result, new)[0] == result
    return result


def ids(result):
    return [cell["id"] for cell in result["cells"]]


def sources(result):
    return {cell["id"]: cell["source"] for cell in result["cells"]}


# --- corrections ----------------------------------------------------------------------


def test_an_untouched_copy_becomes_what_the_course_is_today():
    new = course(title="# A better title")
    assert merged(course(), course(), new) == new


def test_a_new_cell_comes_in_and_a_removed_one_goes():
    new = notebook(*course()["cells"][1:], words("more", "More."))
    assert merged(course(), course(), new)["cells"] == new["cells"]


def test_the_course_may_change_its_order():
    new = {**course(), "cells": course()["cells"][::-1]}
    own = code("own", "x = 5")
    result = merged(course(), with_cell(course(), "one", own), new)
    assert ids(result) == ["end", "06-ex1", "two", "one", "own", "title"]


def test_what_an_editor_does_to_metadata_is_no_change():
    opened = changed(course())
    for cell in opened["cells"]:
        cell["metadata"] = {**cell["metadata"], "trusted": True, "collapsed": False}
    kernel = {"kernelspec": {"name": "my-kernel", "display_name": "Mine"}}
    opened["metadata"] = kernel
    opened["cells"][1]["source"] += "\n"  # and so is a last line end
    new = course(one="x = 2", end="## The end")
    result = merged(course(), opened, new)
    assert sources(result) == sources(new)
    assert result["metadata"] == kernel


# --- answers --------------------------------------------------------------------------


def test_an_answer_stays_where_the_text_around_it_is_corrected():
    work = changed(course(), **{"06_ex1": ANSWER})
    result = merged(course(), work, course(title="# New", end="## New"))
    assert sources(result) == {**sources(course(title="# New", end="## New"))} | {
        "06-ex1": ANSWER
    }
    assert result["cells"][3]["metadata"]["tags"] == ["stub", "exercise-06.1"]


def test_an_answer_to_a_corrected_exercise_stays_and_the_new_stub_is_shown_below():
    better = STUB.replace("f(x)", "f(x, y)")
    new = changed(course(), **{"06_ex1": better})
    result = merged(course(), changed(course(), **{"06_ex1": ANSWER}), new)
    assert sources(result)["06-ex1"] == ANSWER
    below = result["cells"][ids(result).index("06-ex1") + 1]
    assert below["cell_type"] == "markdown" and better in below["source"]


def test_an_untouched_stub_is_corrected():
    better = STUB.replace("f(x)", "f(x, y)")
    new = changed(course(), **{"06_ex1": better})
    assert merged(course(), course(), new) == new


def test_an_answer_follows_its_exercise_to_a_cell_with_another_id():
    new = course()
    new["cells"][3] = stub("06-ex9")
    result = merged(course(), changed(course(), **{"06_ex1": ANSWER}), new)
    assert sources(result)["06-ex9"] == ANSWER and "06-ex1" not in ids(result)


@pytest.mark.parametrize("tags", [["stub", "exercise-06.1"], None])
def test_an_answer_in_a_cell_of_ones_own_is_found_by_its_number(tags):
    """The stub was removed, and the answer written into a new cell."""
    metadata = {"tags": tags} if tags else {}
    source = ANSWER if not tags else ANSWER.partition("\n")[2]
    work = course()
    work["cells"][3] = code("fresh", source, **metadata)
    result = merged(course(), work, course(title="# New"))
    assert sources(result)["06-ex1"] == source and "fresh" not in ids(result)


def test_a_second_try_is_a_cell_of_ones_own():
    work = with_cell(changed(course(), **{"06_ex1": ANSWER}), "06-ex1")
    work = with_cell(work, "06-ex1", code("try", "# Exercise 06.1\nf = abs"))
    result = merged(course(), work, course(title="# New"))
    assert ids(result)[3:5] == ["06-ex1", "try"]
    assert sources(result)["06-ex1"] == ANSWER


def test_an_answer_whose_exercise_is_gone_comes_to_the_end():
    new = course()
    del new["cells"][3]
    work = changed(course(), **{"06_ex1": ANSWER})
    result = merged(course(), work, new)
    assert [cell["source"] for cell in result["cells"][-2:]] == [
        merging.HEADING,
        ANSWER,
    ]
    # With the next correction it is a cell of their own, and there is one heading.
    again = merged(new, result, {**new, "cells": new["cells"][1:]})
    assert [cell["source"] for cell in again["cells"]].count(merging.HEADING) == 1
    assert again["cells"][-1]["source"] == ANSWER


# --- cells that the student changed, added, removed -----------------------------------


def test_what_only_the_student_changed_stays():
    work = changed(course(), two="print(x + 1)", title="# My title")
    result = merged(course(), work, course(end="## New"))
    assert sources(result)["two"] == "print(x + 1)"
    assert sources(result)["title"] == "# My title"
    assert sources(result)["end"] == "## New"


def test_what_both_changed_is_the_courses_and_below_it_the_students():
    work = changed(course(), two="print(x + 1)", title="# My title")
    work["cells"][0]["attachments"] = {"a.png": {"image/png": "AA=="}}
    result = merged(course(), work, course(two="print(f'{x}')", title="# New"))
    first, mine, _, code_of_course, kept = result["cells"][:5]
    assert (first["source"], code_of_course["source"]) == ("# New", "print(f'{x}')")
    assert mine["cell_type"] == "markdown" and mine["source"].endswith("# My title")
    assert mine["attachments"] == work["cells"][0]["attachments"]
    # Run twice, a cell may train twice: so the student's is text until they say else.
    assert kept["cell_type"] == "raw" and kept["source"].endswith("\nprint(x + 1)")
    compile(kept["source"], "kept", "exec")


def test_both_may_change_the_same_in_the_same_way():
    new = course(two="print(2)")
    assert merged(course(), changed(course(), two="print(2)"), new) == new


def test_own_cells_stay_behind_their_neighbours():
    work = with_cell(
        course(), "two", code("own1", "y = 2", ["2\n"], 7), words("own2", "!")
    )
    work = with_cell(
        with_cell(work, None, words("top", "Mine.")), "end", code("last", "z")
    )
    new = with_cell(course(one="x = 3"), "two", words("new", "A new remark."))
    result = merged(course(), work, new)
    assert ids(result) == [
        *("top", "title", "one", "two", "own1", "own2", "new", "06-ex1", "end", "last")
    ]
    assert result["cells"][4] == work["cells"][4]


def test_an_own_cell_whose_neighbour_is_gone_stays_behind_the_one_before():
    work = with_cell(course(), "two", code("own", "y = 2"))
    new = notebook(*(c for c in course()["cells"] if c["id"] != "two"))
    assert ids(merged(course(), work, new)) == ["title", "one", "own", "06-ex1", "end"]


def test_a_removed_cell_stays_away_unless_the_course_has_changed_it():
    work = course()
    del work["cells"][2], work["cells"][0]
    assert ids(merged(course(), work, course(end="New"))) == ["one", "06-ex1", "end"]
    result = merged(course(), work, course(title="# New"))
    assert ids(result) == ["title", "one", "06-ex1", "end"]


def test_a_text_written_into_a_cell_that_is_gone_comes_to_the_end():
    work = changed(course(), title="# Mine", one="x = 9")
    new = notebook(*course()["cells"][2:])
    result = merged(course(), work, new)
    assert ids(result) == ["two", "06-ex1", "end", merging.END, "title", "one"]


# --- outputs --------------------------------------------------------------------------


def test_outputs_stay_where_the_text_did_and_go_where_it_changed():
    work = course()
    work["cells"][1] = code("one", "x = 1", ["mine\n"], 8)
    work["cells"][2] = code("two", "print(x)", ["mine, too\n"], 9)
    new = course(two="print(2 * x)")
    new["cells"][2] = code("two", "print(2 * x)", ["2\n"], 2)
    one, two = merged(course(), work, new)["cells"][1:3]
    assert one == code("one", "x = 1", ["mine\n"], 8)
    assert two == new["cells"][2]


def test_outputs_that_nobody_made_anew_are_those_of_the_course():
    new = course()
    new["cells"][2] = code("two", "print(x)", ["1.0\n"], 2)
    assert merged(course(), course(), new) == new


def test_outputs_that_were_cleared_stay_so():
    work = course()
    work["cells"][2] = code("two", "print(x)")
    result = merged(course(), work, course(title="# New"))
    assert result["cells"][2] == work["cells"][2]


# --- editors that are careless with ids -----------------------------------------------


def test_without_ids_cells_are_known_by_their_text():
    work = with_cell(changed(course(), **{"06_ex1": ANSWER}), "one", code("own", "y"))
    for cell in work["cells"]:
        del cell["id"]
    work = merging.read(json.dumps({**work, "nbformat_minor": 4}).encode())
    result = merged(course(), work, course(end="## New"))
    own = result["cells"][2]["id"]
    assert ids(result) == ["title", "one", own, "two", "06-ex1", "end"]
    assert sources(result)["06-ex1"] == ANSWER and sources(result)[own] == "y"


def test_two_cells_with_one_id_are_two_cells():
    work = course()
    work["cells"].insert(2, code("one", "x = 1  # again"))
    work = merging.read(json.dumps(work).encode())
    result = merged(course(), work, course(title="# New"))
    assert [c["source"] for c in result["cells"][1:3]] == ["x = 1", "x = 1  # again"]


def test_without_a_base_nothing_of_the_students_is_lost():
    work = changed(course(), two="mine", **{"06_ex1": ANSWER})
    result, _ = merge({"cells": []}, work, course(title="# New"))
    nbformat.validate(result)
    assert sources(result)["06-ex1"] == ANSWER and sources(result)["title"] == "# New"
    assert any(cell["source"].endswith("\nmine") for cell in result["cells"])


# --- what is counted ------------------------------------------------------------------


def test_what_was_kept_is_counted():
    work = changed(course(), one="x = 7", two="mine", **{"06_ex1": ANSWER})
    work = with_cell(changed(work, end="My end."), "one", code("own", "y"))
    new = course(two="new", title="# New")
    del new["cells"][-1]
    result, kept = merge(course(), work, new)
    assert kept == {"answer": 1, "changed": 1, "own": 1, "both": 1, "end": 1}
    # What a merge has added is nothing of the student's.
    assert merge(new, result, new)[1]["own"] == 2  # "own", and what is at the end


# --- what is no notebook --------------------------------------------------------------


CELL = {"cell_type": "code", "metadata": {}, "source": "x", "outputs": []}
WHOLE = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [CELL]}
TORN = [
    *(b"", b'{"cells": [{"cell_ty', b"<<<<<<< HEAD\n{}", b"\xff\xfe\x00"),
    *([], {}, "text", 3, None, {"nbformat": 3, "worksheets": []}),
    *(WHOLE | {"cells": cells} for cells in ({}, None, [[]], ["x"], [None], [{}])),
    *(WHOLE | {key: None} for key in WHOLE),
    *(WHOLE | {"cells": [{**CELL, key: [3]}]} for key in CELL),
    WHOLE | {"cells": [CELL | {"outputs": [{"output_type": "x", "data": [1]}]}]},
]


@pytest.mark.parametrize("content", TORN, ids=str)
def test_what_is_no_notebook_is_a_value_error(content):
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    with pytest.raises(ValueError):
        merging.read(content)


def test_half_a_character_is_no_reason_to_stop():
    """An output that was cut within an emoji; JSON can hold that, UTF-8 cannot."""
    broken = course(two="'\ud83d'")
    assert merging.read(merging.write(broken)) == broken
    result = merged(course(), broken, course(two="new"))
    assert any(cell["source"].endswith("'\ud83d'") for cell in result["cells"])


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_every_notebook_of_the_course_is_read_and_written(path):
    found = merging.read(path.read_bytes())
    assert merging.read(merging.write(found)) == found
    nbformat.validate(found)
    assert len({cell["id"] for cell in found["cells"]}) == len(found["cells"])
    # Stubs are known by their first line and by their tags alike.
    asked = [cell for cell in found["cells"] if merging.number(cell)]
    tagged = [c for c in found["cells"] if "stub" in c["metadata"].get("tags", [])]
    assert asked == tagged and asked
    assert all(re.match(r"# Exercise \d\d\.\d+\n", cell["source"]) for cell in asked)


# --- whatever anybody does ------------------------------------------------------------

TEXTS = st.sampled_from("abcdefgh")


@st.composite
def three_notebooks(draw):
    """A course, a student's copy of it, and a corrected course."""
    names = [f"c{i}" for i in range(draw(st.integers(0, 5)))]
    base = [code(name, f"{name} {draw(TEXTS)}") for name in names]
    work, new = [], []
    for cell in base:
        for cells, who in ((work, "student"), (new, "course")):
            kind = draw(st.sampled_from(["same", "same", "changed", "removed"]))
            if kind == "same":
                cells.append(cell)
            elif kind == "changed":
                cells.append({**cell, "source": f"{who} {draw(TEXTS)}"})
            if draw(st.booleans()):
                name = f"{who}-{len(cells)}"
                cells.append(code(name, f"{name} {draw(TEXTS)}"))
    return notebook(*base), notebook(*work), notebook(*new)


@given(three_notebooks())
def test_nothing_that_anybody_wrote_is_lost(three):
    base, work, new = three
    result = merged(base, work, new)
    texts = "\n".join(cell["source"] for cell in result["cells"])
    of_course = {cell["source"] for cell in base["cells"]}
    for cell in work["cells"]:
        assert cell["source"] in of_course or cell["source"] in texts
    removed = of_course - {cell["source"] for cell in work["cells"]}
    for cell in new["cells"]:
        mine = sources(work).get(cell["id"]) not in (
            None,
            sources(base).get(cell["id"]),
        )
        assert cell["source"] in texts or cell["source"] in removed or mine
    code_order = [name for name in ids(result) if name in sources(new)]
    assert code_order == [name for name in ids(new) if name in code_order]
