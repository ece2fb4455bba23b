"""Pictures of a price: what is drawn is what is so."""

import numpy as np
import pytest

from course_utils import viz
from course_utils.gradcheck import numerical_gradient


def square(x):
    return x**2


def all_words_are_on_the_sheet(fig):
    renderer = fig.canvas.get_renderer()
    fig.draw(renderer)
    texts = [text for ax in fig.axes for text in ax.texts if text.get_text()]
    for text in texts:
        box = text.get_window_extent(renderer)
        assert fig.bbox.x0 <= box.x0 and box.x1 <= fig.bbox.x1, text.get_text()
        assert fig.bbox.y0 <= box.y0 and box.y1 <= fig.bbox.y1, text.get_text()
    return [text.get_text() for text in texts]


def slope_of(line):
    (x0, *_, x1), (y0, *_, y1) = line.get_data()
    return (y1 - y0) / (x1 - x0)


def test_secants_have_the_slopes_that_they_say():
    fig = viz.draw_secants(square, 6.0, [6.0, 3.0, 1.5], price=12.0, title="Closing in")
    words = all_words_are_on_the_sheet(fig)
    assert words == ["buy 6: 18", "buy 3: 15", "buy 1.5: 13.5", "the price: 12"]
    long = [line for line in fig.axes[0].lines if len(line.get_xdata()) > 1]
    curve, *straight = long
    np.testing.assert_allclose(curve.get_ydata(), square(curve.get_xdata()))
    np.testing.assert_allclose(
        [slope_of(line) for line in straight], [18, 15, 13.5, 12]
    )
    assert len({str(line._unscaled_dash_pattern) for line in straight}) == 4
    for line in straight:
        np.testing.assert_allclose(np.interp(6.0, *line.get_data()), 36.0)


def test_a_window_ten_times_smaller_shows_a_gap_a_hundred_times_smaller():
    widths = [6.0, 1.0, 0.1]
    fig = viz.draw_magnified(square, 6.0, price=12.0, widths=widths, title="A glass")
    all_words_are_on_the_sheet(fig)
    assert len(fig.axes) == 3
    for ax, width in zip(fig.axes, widths, strict=True):
        curve, tangent, _ = ax.lines
        gaps = curve.get_ydata() - tangent.get_ydata()
        np.testing.assert_allclose(gaps[[0, -1]], width**2, rtol=1e-9)
        assert ax.get_title() == f"6 ± {width:g}"
        assert np.ptp(curve.get_xdata()) == pytest.approx(2 * width)


def test_the_parts_of_the_square_make_the_larger_square():
    fig = viz.draw_square(3.0, 0.4, title="It grows")
    assert all_words_are_on_the_sheet(fig) == ["3 · 3 = 9", "3s", "3s", "s · s"]
    areas = [part.get_width() * part.get_height() for part in fig.axes[0].patches]
    np.testing.assert_allclose(areas, [9.0, 1.2, 1.2, 0.16])
    assert sum(areas) == pytest.approx(3.4**2)


@pytest.mark.parametrize(("a", "b", "price"), [(3.0, 5.0, 2.0), (4.0, -1.5, 0.5)])
def test_what_a_box_sends_back_is_what_a_nudge_finds(a, b, price):
    fig = viz.draw_rules(a, b, price, title="One price comes back")
    all_words_are_on_the_sheet(fig)
    point = np.array([a, b])
    for ax, box in zip(fig.axes, (np.sum, np.prod, np.max), strict=False):
        shown = [text.get_text() for text in ax.texts]
        numbers = [text for text in shown if text.startswith("∂")]
        back = numerical_gradient(lambda p, box=box: price * float(box(p)), point)
        found = [float(text[2:].replace("−", "-")) for text in numbers]
        np.testing.assert_allclose(found, [*back, price], atol=1e-6)
        assert f"{box(point):.4g}".replace("-", "−") in shown


def test_what_comes_back_to_a_fork_adds():
    ax = viz.draw_rules(3.0, 5.0, 2.0, title="One price comes back").axes[3]
    shown = [text.get_text() for text in ax.texts if text.get_text()]
    assert shown == ["3", "∂ 7", "3", "∂ 2", "3", "∂ 5"]


def test_units_stand_on_σ_and_on_its_slope():
    fig = viz.draw_squeeze({"h₁": 16.0, "h₂": -4.0}, ["It is flat", "It vanishes"])
    assert all_words_are_on_the_sheet(fig) == ["h₁", "h₂", "h₁", "h₂"]
    left, right = fig.axes
    assert [ax.get_title("left") for ax in fig.axes] == ["It is flat", "It vanishes"]
    marks = [[float(line.get_ydata()[0]) for line in ax.lines[1:]] for ax in fig.axes]
    np.testing.assert_allclose(marks[0], [1 - 1.1253516e-07, 0.01798621], rtol=1e-6)
    np.testing.assert_allclose(marks[1], [1.1253516e-07, 0.0176627], rtol=1e-5)
    assert left.get_yscale() == "linear" and right.get_yscale() == "log"
