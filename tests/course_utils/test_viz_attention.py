"""Where attention looks: what is drawn, and what is refused."""

import numpy as np
import pytest

from course_utils import viz
from course_utils.tensor import Tensor


def test_weights_lie_on_their_pictures():
    images, weights = np.zeros((3, 784)), np.eye(3, 16)
    fig = viz.attention_on_images(images, weights, title="Three digits", titles="704")
    above, below = fig.axes[:3], fig.axes[3:]
    assert [ax.get_title() for ax in above] == ["7", "0", "4"]
    assert [len(ax.images) for ax in above + below] == [1, 1, 1, 2, 2, 2]
    shown = below[1].images[1]
    assert shown.get_array().shape == (4, 4) and shown.get_array()[0, 1] == 1
    assert shown.get_extent() == below[1].images[0].get_extent()


@pytest.mark.parametrize(
    ("images", "weights", "message"),
    [
        (np.zeros((2, 784)), np.ones((3, 16)), "2 images, 3 rows of weights and 2"),
        (np.zeros((2, 783)), np.ones((2, 16)), r"expected images .*\(2, 783\)"),
        (np.zeros((2, 784)), np.ones((2, 4, 4)), r"expected weights .*\(2, 4, 4\)"),
    ],
)
def test_what_does_not_fit_is_refused(images, weights, message):
    with pytest.raises(ValueError, match=message):
        viz.attention_on_images(images, weights, title="Two", titles="01")


def test_a_table_has_its_tokens_on_both_sides():
    weights = Tensor(np.eye(2, 3))
    fig = viz.attention_table(weights, ["|", 4], [7, 4, "|"], title="Who looks")
    ax = fig.axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["|", "4"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["7", "4", "|"]
    assert ax.images[0].get_clim() == (0, 1)
    assert ax.get_title(loc="left") == "Who looks"


def test_tables_stand_side_by_side_under_their_names():
    both = {"head 0": np.eye(2), "head 1": np.ones((2, 2)) / 2}
    fig = viz.attention_table(both, "ab", "ab", title="Two heads")
    assert [ax.get_title() for ax in fig.axes[:2]] == ["head 0", "head 1"]
    with pytest.raises(ValueError, match=r"shape \(2, 2\), but 2 queries and 3 keys"):
        viz.attention_table(both, "ab", "abc", title="Two heads")


def test_one_axes_in_an_array_has_its_title():
    """A single heat map, or a single image, is no special case."""
    fig = viz.heat_maps({"a": np.eye(2)}, title="One", xlabel="x", ylabel="y")
    assert fig.axes[0].get_title(loc="left") == "One"
    fig = viz.image_grid(np.zeros((1, 784)), title="One image")
    assert fig.axes[0].get_title(loc="left") == "One image"
