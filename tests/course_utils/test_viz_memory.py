"""Memory over time: boxes where they belong, and caches where a table leaves them."""

import numpy as np
import pytest

from course_utils import viz
from course_utils.viz import memory

LIVES = {"a": (0, 2, 512), "b": (1, 3, 256), "c": (3, 4, 16)}
PLACES = {"a": 0, "b": 512, "c": 0}
LABELS = {"title": "A finding", "xlabel": "nodes", "ylabel": "ns"}


def boxes(ax):
    """The corners of all boxes, and their width and height."""
    found = [c.get_paths()[0].get_extents() for c in ax.collections]
    return [(box.x0, box.y0, box.width, box.height) for box in found]


def test_each_value_is_a_box_of_its_time_and_its_bytes():
    [ax] = viz.draw_memory(LIVES, PLACES, title="A finding").axes
    assert boxes(ax) == [(-0.5, 0, 3, 512), (0.5, 512, 3, 256), (2.5, 0, 2, 16)]
    assert [text.get_text() for text in ax.texts] == ["a", "b"]  # c has no room
    assert ax.get_ylabel() == "byte"


@pytest.mark.parametrize("places", [{}, {"a": 0}, PLACES | {"d": 0}])
def test_bad_input_to_draw_memory(places):
    with pytest.raises(ValueError, match="need the same names"):
        viz.draw_memory(LIVES, places, title="A finding")


def test_a_cache_is_marked_where_the_table_leaves_it(monkeypatch):
    monkeypatch.setattr(memory, "cache_sizes", lambda: {"L1": 4800, "L2": 48_000})
    curves = {"near": ([10, 100, 1000], [1, 2, 3])}
    [ax] = viz.plot_cached(curves, bytes_each=48, **LABELS).axes
    assert [line.get_xdata()[0] for line in ax.lines[1:]] == [100, 1000]
    assert [text.get_text() for text in ax.texts] == ["L1", "L2"]
    assert ax.get_xscale() == "log" and ax.get_ylim()[0] == 0


def test_caches_grow():
    sizes = list(memory.cache_sizes().values())
    assert len(sizes) == 3 and np.all(np.diff(sizes) > 0)


def test_a_system_that_does_not_tell_has_the_caches_of_many_laptops(monkeypatch):
    monkeypatch.delattr(memory.os, "sysconf_names", raising=False)
    assert memory.cache_sizes() == {"L1": 2**15, "L2": 2**20, "L3": 2**24}
