"""Parts of the course in a browser that need no browser to be tested."""

from __future__ import annotations

import importlib.util
from itertools import pairwise

import pytest

from lecture.lite.wasm import leb, number, with_depth
from tools.notebooks import ROOT

# --- the layers of a graph ------------------------------------------------------------


@pytest.fixture(scope="module")
def layout():
    """The module of the browser, beside the compiled one that has its name."""
    path = ROOT / "lecture" / "lite" / "python" / "fast_sugiyama.py"
    spec = importlib.util.spec_from_file_location("layers_of_a_graph", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GRAPHS = {
    "one edge": [(0, 1)],
    "a chain": [(0, 1), (1, 2), (2, 3)],
    "a diamond": [(0, 1), (0, 2), (1, 3), (2, 3)],
    "a shortcut": [(0, 1), (1, 2), (2, 3), (0, 3)],
    "a late leaf": [(0, 1), (1, 2), (4, 2), (2, 3)],
    "crossed as given": [(0, 5), (1, 4), (2, 3), (3, 6), (4, 6), (5, 6)],
}


@pytest.mark.parametrize("edges", GRAPHS.values(), ids=GRAPHS)
def test_each_step_goes_to_the_next_layer_and_each_edge_is_a_path(layout, edges):
    ((positions, width, height, steps),) = layout.from_edges(edges)
    place = dict(positions)
    assert {v for edge in edges for v in edge} <= place.keys()
    assert len(set(place.values())) == len(place)
    assert all(place[a][1] - place[b][1] == 1 for a, b in steps)
    levels = [y for _, y in place.values()]
    assert (min(levels), max(levels)) == (0, height)
    assert width == max(levels.count(y) for y in levels)
    after = {}
    for a, b in steps:
        after.setdefault(a, []).append(b)
    real = {v for edge in edges for v in edge}
    for tail, head in edges:
        ends = list(after[tail])
        while any(v not in real for v in ends):
            ends = [u for v in ends for u in ([v] if v in real else after[v])]
        assert head in ends


@pytest.mark.parametrize("edges", GRAPHS.values(), ids=GRAPHS)
def test_no_step_crosses_another_where_none_has_to(layout, edges):
    ((positions, _, _, steps),) = layout.from_edges(edges)
    place = dict(positions)
    lines = [(place[a][1], place[a][0], place[b][0]) for a, b in steps]
    for (y, a, b), (z, c, d) in pairwise(sorted(lines)):
        assert y != z or (a - c) * (b - d) >= 0


def test_it_has_as_many_layers_as_the_compiled_one(layout):
    compiled = pytest.importorskip("fast_sugiyama")
    for edges in GRAPHS.values():
        ours, theirs = layout.from_edges(edges), compiled.from_edges(edges)
        levels = [{y for _, (_, y) in found[0][0]} for found in (ours, list(theirs))]
        assert len(levels[0]) == len(levels[1])


# --- the binary -----------------------------------------------------------------------


def section(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + leb(len(body)) + body


def named(text: str) -> bytes:
    return leb(len(text)) + text.encode()


def miniature(name: str) -> bytes:
    """One function from outside, and one of its own that takes and gives nothing."""
    kinds = section(1, b"\x02\x60\x00\x00\x60\x01\x7f\x00")
    imports = section(2, b"\x01" + named("host") + named("call") + b"\x00\x00")
    functions = section(3, b"\x02\x00\x01")
    codes = section(10, b"\x02" + b"\x02\x00\x0b" + b"\x04\x00\x10\x00\x0b")
    names = b"\x02" + b"\x01" + named("other") + b"\x02" + named(name)
    custom = section(0, named("name") + b"\x01" + leb(len(names)) + names)
    return b"\0asm\x01\0\0\0" + kinds + imports + functions + codes + custom


def test_the_function_moves_to_the_end_and_a_new_one_calls_it():
    made = with_depth(miniature("_Py_Dealloc"))
    assert section(3, b"\x03\x00\x01\x01") in made
    down, up = b"\x23\0\x41\xc0\0\x6b\x24\0", b"\x23\0\x41\xc0\0\x6a\x24\0"
    body = b"\0" + down + b"\x20\0\x10\x03" + up + b"\x0b"
    codes = b"\x03" + b"\x02\0\x0b" + leb(len(body)) + body + b"\x04\0\x10\0\x0b"
    assert section(10, codes) in made


def test_another_binary_is_refused():
    with pytest.raises(ValueError, match="no function _Py_Dealloc: another version"):
        with_depth(miniature("Something_Else"))


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**31])
def test_numbers_of_seven_bits_a_byte(value):
    assert number(b"\0" + leb(value), 1) == (value, 1 + len(leb(value)))
