"""Drawings: the words go with the picture, nothing overlaps, nothing is cut off."""

import base64
import io
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

from course_utils import nn, viz
from course_utils.scalar import Value
from course_utils.tape import Tape
from course_utils.tensor import Tensor
from course_utils.viz.page import png_of

ALT = "Two straight lines that cross in the middle of the picture."


def w2():
    x, y = Value(3.0), Value(-4.0)
    out = (x + y.sigmoid()) / (x.sigmoid() + (x + y) ** 2)
    out.backward()
    return out, {"x": x, "y": y, "F": out}


def network_on_the_tape():
    W = [[Value(6.0), Value(-3.0)], [Value(-2.0), Value(5.0)]]
    V = [[Value(1.0), Value(-2.0)], [Value(0.25), Value(2.0)]]
    x = [Value(3.0, requires_grad=False), Value(1.0, requires_grad=False)]
    h = [(x[0] * W[0][j] + x[1] * W[1][j]).sigmoid() for j in (0, 1)]
    y = [(h[0] * V[0][j] + h[1] * V[1][j]).sigmoid() for j in (0, 1)]
    loss = (y[0] - 1.0) ** 2 + (y[1] - 0.0) ** 2
    loss.backward()
    return loss, {"loss": loss, "w₁₁": W[0][0], "h₁": h[0], "y₂": y[1]}


def square():
    x = Value(3.0)
    out = x * x + x
    out.backward()
    return out, {"x": x}


def arrays():
    rng = np.random.default_rng(0)
    X = Tensor(rng.normal(size=(5, 4)), requires_grad=False)
    W, b = Tensor(rng.normal(size=(4, 3))), Tensor(np.ones(3))
    loss = (X @ W + b).relu().softmax_cross_entropy(np.array([0, 1, 2, 0, 1]))
    loss.backward()
    return loss, {"X": X, "W": W, "b": b}


def lone_leaf():
    return Value(-5.3e-8), {}


GRAPHS = [w2, network_on_the_tape, square, arrays, lone_leaf]


def rectangles(fig, gid):
    """Pixel boxes of the artists called `gid`."""
    renderer = fig.canvas.get_renderer()
    [ax] = fig.axes
    found = [a for a in ax.get_children() if a.get_gid() == gid]
    return [a.get_window_extent(renderer) for a in found]


def words(fig):
    return [text.get_text() for text in fig.axes[0].texts]


def meet(a, b):
    return a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1


def holds(outer, inner):
    return (
        outer.x0 <= inner.x0
        and outer.y0 <= inner.y0
        and inner.x1 <= outer.x1
        and inner.y1 <= outer.y1
    )


def check_drawing(fig):
    """No two things overlap, every word is in its box, all is on the sheet."""
    boxes, labels = rectangles(fig, "box"), rectangles(fig, "label")
    captions = rectangles(fig, "caption")
    for a, b in combinations(boxes + labels + captions, 2):
        assert not meet(a, b)
    for text in rectangles(fig, "in box"):
        assert any(holds(box, text) for box in boxes)
    for text in rectangles(fig, "on edge"):
        assert any(holds(label.padded(1), text) for label in labels)
    for thing in boxes + labels + captions:
        assert holds(fig.bbox, thing)


def check_edges_meet_no_box(fig):
    """Points close together along every edge lie outside all boxes."""
    boxes = [box.padded(-1) for box in rectangles(fig, "box")]
    for arrow in (a for a in fig.axes[0].patches if a.get_gid() == "edge"):
        [line, *_], _ = arrow._get_path_in_displaycoord()
        for x, y in sampled(line):
            assert not any(b.x0 < x < b.x1 and b.y0 < y < b.y1 for b in boxes)


def sampled(path):
    """Points close together along the curve."""
    for curve, _ in path.iter_bezier():
        yield from curve(np.linspace(0, 1, 30))


# --- show ----------------------------------------------------------------------------


@pytest.fixture
def notebook():
    shell = InteractiveShell.instance()
    yield shell
    InteractiveShell.clear_instance()


def figure():
    fig, ax = viz.axes("Lines", "time (s)", "way (m)")
    ax.plot([0, 1], [0, 1])
    ax.plot([0, 1], [1, 0])
    return fig


def test_show_puts_one_png_with_its_alt_text_on_the_page(notebook):
    with capture_output() as captured:
        viz.show(figure(), alt=ALT)
    [output] = captured.outputs
    assert set(output.data) == {"image/png", "text/html", "text/plain"}
    code = output.data["image/png"]
    source = f'src="data:image/png;base64,{code}"'
    assert output.data["text/html"] == f'<img alt="{ALT}" {source}>'
    assert output.data["text/plain"] == ALT
    assert output.metadata == {"image/png": {"alt": ALT}}
    picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
    assert picture.format == "PNG"
    assert not picture.info  # no date, no version


def test_show_escapes_its_words(notebook):
    with capture_output() as captured:
        viz.show(figure(), alt='The curve "rises" where x < 1 & stays.')
    image = captured.outputs[0].data["text/html"]
    assert 'alt="The curve &quot;rises&quot; where x &lt; 1 &amp; stays."' in image


def test_show_without_ipython_prints_the_words(capsys, monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    viz.show(figure(), alt=ALT)
    assert capsys.readouterr().out == ALT + "\n"


def test_show_closes_a_figure_of_pyplot(monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    fig = plt.figure()
    viz.show(fig, alt=ALT)
    assert not plt.fignum_exists(fig.number)


@pytest.mark.parametrize("alt", ["", "   ", "A plot.", None])
def test_show_wants_a_sentence(alt):
    with pytest.raises(ValueError, match="sentence that says what the picture shows"):
        viz.show(figure(), alt=alt)


def test_show_wants_a_figure():
    with pytest.raises(TypeError, match="expected a figure, found list"):
        viz.show([1, 2], alt=ALT)


def test_importing_viz_imports_no_matplotlib():
    code = (
        "import sys, course_utils.viz as v\n"
        "heavy = {'matplotlib', 'fast_sugiyama', 'IPython', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "v.plot_curves({'a': [1, 2]}, title='t', xlabel='x', ylabel='y')\n"
        "assert 'matplotlib' in sys.modules\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- house style ---------------------------------------------------------------------


def test_axes_come_in_house_style_and_leave_the_settings_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    fig, ax = viz.axes("A finding", "epoch", "loss (nats)")
    lines = [ax.plot([0, k])[0] for k in range(7)]
    assert dict(matplotlib.rcParams) == before
    assert not ax.spines["top"].get_visible() and not ax.spines["right"].get_visible()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss (nats)")
    assert ax.get_title("left") == "A finding"
    assert len({line.get_color() for line in lines}) == 7
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == 7
    _, grid = viz.axes(rows=2, cols=3, sharey=True)
    assert grid.shape == (2, 3)


def test_style_applies_to_later_figures():
    import matplotlib

    with matplotlib.rc_context():
        viz.style()
        assert matplotlib.rcParams["axes.spines.top"] is False
        colors = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
        assert colors[0] == viz.COLORS.blue


def test_axes_refuses_no_rows():
    with pytest.raises(ValueError, match="rows and cols must be 1 or more"):
        viz.axes(rows=0)


# --- draw_graph ----------------------------------------------------------------------


@pytest.mark.parametrize("edges", [False, True])
@pytest.mark.parametrize("make", GRAPHS)
def test_graphs_overlap_nowhere_and_lose_nothing(make, edges):
    output, names = make()
    if make is lone_leaf:
        output.backward()
    fig = viz.draw_graph(output, names, edges=edges, title="A graph with a title")
    check_drawing(fig)
    check_edges_meet_no_box(fig)
    assert len(rectangles(fig, "box")) == len(Tape(output).nodes)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=16))
def test_any_graph_overlaps_nowhere(steps):
    nodes = [Value(1.5), Value(-2.0), Value(3.0, requires_grad=False)]
    for k, (i, j) in enumerate(steps):
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append((a + b, a * b, a - b, a.tanh())[k % 4])
    fig = viz.draw_graph(nodes[-1])
    check_drawing(fig)
    check_edges_meet_no_box(fig)


def test_a_graph_shows_values_gradients_and_names():
    output, names = w2()
    shown = words(viz.draw_graph(output, names))
    assert {"x", "y", "F (÷)", "σ", "(·)²"} <= set(shown)
    assert {"−4", "1.546", "∂ 2.06", "∂ 1.592", "0.01799"} <= set(shown)
    assert "∂ 2.06" not in words(viz.draw_graph(output, names, grads=False))
    assert "1.5456449" in words(viz.draw_graph(output, names, digits=8))


def test_a_symbol_in_parentheses_gets_no_second_pair():
    x = Value(3.0)
    shown = words(viz.draw_graph(g := (x * x) ** 2, {"x": x, "g": g}))
    assert "g (·)²" in shown


def test_an_edge_shows_what_it_brings_back():
    output, names = w2()
    fig = viz.draw_graph(output, names, edges=True)
    on_edges = [t.get_text() for t in fig.axes[0].texts if t.get_gid() == "on edge"]
    # x: −0.03576 through σ, 0.5121 through the numerator, 1.583 through x + y.
    x = names["x"]
    assert np.isclose(x.grad, -0.03576 + 0.5121 + 1.583, atol=1e-3)
    assert {"∂ −0.03576", "∂ 0.5121", "∂ 1.583"} <= set(on_edges)


def test_a_node_used_twice_has_two_edges():
    x = Value(3.0)
    out = x * x
    out.backward()
    fig = viz.draw_graph(out, edges=True)
    arrows = [a for a in fig.axes[0].patches if a.get_gid() == "edge"]
    ends = {tuple(a._path_original.vertices[-1]) for a in arrows}
    assert len(arrows) == len(ends) == 2
    assert words(fig).count("∂ 3") == 2


def test_arrays_show_shapes_and_norms():
    output, names = arrays()
    shown = words(viz.draw_graph(output, names))
    assert {"(5, 4)", "(4, 3)", "(3,)", "softmax CE"} <= set(shown)
    assert f"‖∂‖ {np.linalg.norm(names['W'].grad):.4g}" in shown


def test_inputs_enter_in_order_where_order_matters():
    a, b = Value(1.0), Value(2.0)
    for out in (a - b, b - a):
        fig = viz.draw_graph(out, {"a": a, "b": b})
        arrows = [p for p in fig.axes[0].patches if p.get_gid() == "edge"]
        first, second = (arrow._path_original.vertices[-1][1] for arrow in arrows)
        assert first > second


def test_the_kinds_of_nodes_differ_without_colour():
    x = Value(3.0)
    out = (x * 2.0).tanh()
    fig = viz.draw_graph(out)
    boxes = [p for p in fig.axes[0].patches if p.get_gid() == "box"]
    looks = {
        (p.get_linewidth(), p.get_linestyle(), sum(p.get_facecolor()) < 3.99)
        for p in boxes
    }
    assert len(looks) == 4


def test_a_tape_can_be_drawn_and_a_drawing_changes_nothing():
    output, names = w2()
    before = [(node.data, node.grad) for node in Tape(output).nodes]
    fig = viz.draw_graph(Tape(output), names, edges=True)
    assert words(fig) == words(viz.draw_graph(output, names, edges=True))
    assert [(node.data, node.grad) for node in Tape(output).nodes] == before


def test_too_many_nodes_are_refused_with_the_mend():
    x = Value(1.0)
    for _ in range(70):
        x = x.tanh()
    with pytest.raises(ValueError, match=r"has 71 nodes.*max_nodes=71"):
        viz.draw_graph(x)
    viz.draw_graph(x, max_nodes=71)


def test_bad_input_to_draw_graph():
    output, _ = w2()
    with pytest.raises(TypeError, match="expected a Value, a Tensor or a Tape"):
        viz.draw_graph(3.0)
    with pytest.raises(ValueError, match="'z' is not part of this computation"):
        viz.draw_graph(output, {"z": Value(1.0)})
    with pytest.raises(TypeError, match="names maps names to nodes"):
        viz.draw_graph(output, ["x"])
    with pytest.raises(ValueError, match=r"Call backward\(\)"):
        viz.draw_graph(Value(1.0) + 2.0, edges=True)


# --- draw_network --------------------------------------------------------------------


def network(sizes, scale=1.0):
    rng = np.random.default_rng(1)
    shapes = list(zip(sizes[:-1], sizes[1:], strict=True))
    return {
        "weights": [16 * rng.normal(size=shape) for shape in shapes],
        "activations": [rng.normal(size=n) for n in sizes],
        "weight_grads": [-scale * rng.random(shape) for shape in shapes],
        "activation_grads": [scale * rng.normal(size=n) for n in sizes],
        "names": [[f"a{k}{i}" for i in range(n)] for k, n in enumerate(sizes)],
    }


@pytest.mark.parametrize("sizes", [(2, 2, 2), (3, 4, 2), (1, 1), (2, 4, 1)])
@pytest.mark.parametrize("scale", [1.0, 5e-8])
def test_networks_overlap_nowhere_and_lose_nothing(sizes, scale):
    parts = network(sizes, scale)
    fig = viz.draw_network(**parts, title="A network")
    check_drawing(fig)
    assert len(rectangles(fig, "box")) == sum(sizes)
    assert len(rectangles(fig, "label")) == sum(W.size for W in parts["weights"])
    check_drawing(viz.draw_network(parts["weights"]))


def test_a_network_shows_small_and_large_numbers():
    W, grad = np.array([[16.0], [-0.25]]), np.array([[-5.34381483665323e-08], [0.5]])
    names = [["x₁", "x₂"], ["h"]]
    fig = viz.draw_network([W], weight_grads=[grad], names=names, digits=3)
    expected = {"16", "−0.25", "∂ −5.34e−08", "∂ 0.5", "x₁", "x₂", "h"}
    assert expected <= set(words(fig))


def test_a_network_takes_layers_without_numbers():
    parts = network((2, 3))
    fig = viz.draw_network(parts["weights"], activations=[[1.0, 2.0], None])
    assert {"1", "2"} <= set(words(fig))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": []}, "list of matrices"),
        ({"weights": [np.ones(3)]}, "list of matrices"),
        ({"weights": [np.ones((2, 3)), np.ones((2, 3))]}, "Is one transposed"),
        ({"weights": [np.ones((9, 9))]}, "81 weights cannot be read"),
        ({"activations": [np.ones(2), np.ones(2)]}, "activations should have the sh"),
        ({"weight_grads": [np.ones((3, 2))]}, "weight_grads should have the shapes"),
        ({"activation_grads": [np.ones(2)]}, "activation_grads should have"),
        ({"names": [["a", "b"], ["c"]]}, "names needs one list a layer"),
    ],
)
def test_bad_input_to_draw_network(change, message):
    with pytest.raises(ValueError, match=message):
        viz.draw_network(**({"weights": [np.ones((2, 3))]} | change))


# --- curves, matrices, images --------------------------------------------------------

LABELS = {"title": "A finding", "xlabel": "epoch", "ylabel": "loss (nats)"}


def test_curves_differ_in_colour_and_line_and_the_legend_covers_nothing():
    curves = {"low": [3, 2, 1], "high": ([0, 1, 2], [3, 4, 5]), "mid": np.full(3, 2.0)}
    fig = viz.plot_curves(curves, **LABELS)
    fig.canvas.draw()
    [ax], [legend] = fig.axes, fig.legends
    assert [t.get_text() for t in legend.get_texts()] == ["high", "mid", "low"]
    assert len({line.get_color() for line in ax.lines}) == 3
    assert len({line.get_linestyle() for line in ax.lines}) == 3
    assert not meet(legend.get_window_extent(), ax.get_window_extent())
    assert holds(fig.bbox, legend.get_window_extent())
    assert holds(fig.bbox, ax.get_tightbbox())


def test_curves_take_logarithmic_axes():
    fig = viz.plot_curves({"loss": [1.0, 0.1]}, **LABELS, log="y")
    assert (fig.axes[0].get_xscale(), fig.axes[0].get_yscale()) == ("linear", "log")
    assert not fig.legends


def test_levels_are_dotted_lines_under_the_curves():
    fig = viz.plot_curves({"loss": [1.0, 0.5]}, **LABELS, levels=(0.3, 0.4))
    _, *dotted = sorted(fig.axes[0].lines, key=lambda line: line.get_linestyle() == ":")
    assert [line.get_ydata()[0] for line in dotted] == [0.3, 0.4]
    assert not fig.legends
    assert not fig.axes[0].texts


def test_levels_have_their_names_below_them():
    fig = viz.plot_curves({"loss": [1.0, 0.5]}, **LABELS, levels={0.3: "floor"})
    ax = fig.axes[0]
    (name,) = ax.texts
    assert (name.get_text(), name.xy) == ("floor", (1, 0.3))
    fig.canvas.draw()
    box, line = name.get_window_extent(), ax.transData.transform((0, 0.3))
    assert box.y1 <= line[1] and box.x1 <= ax.get_window_extent().x1


def test_panels_beside_each_other_share_x_and_one_legend():
    x, y = [0, 1, 2], {"a": [1, 2, 3], "b": [3, 2, 1]}
    fig = viz.plot_beside(x, {"y": y, "slope": y}, title="A finding", xlabel="x")
    left, right = fig.axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("y", "slope")
    assert left.get_legend() and not right.get_legend()
    for ax in (left, right):
        assert [line.get_label() for line in ax.lines] == ["a", "b"]
        np.testing.assert_array_equal(ax.lines[1].get_xydata(), np.c_[x, y["b"]])


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ({}, "maps labels to curves"),
        ([1, 2], "maps labels to curves"),
        ({"y": {"a": [1, 2]}}, r"shapes \(3,\) and \(2,\)"),
    ],
)
def test_bad_input_to_plot_beside(panels, message):
    with pytest.raises(ValueError, match=message):
        viz.plot_beside([0, 1, 2], panels, title="A finding", xlabel="x")


@pytest.mark.parametrize(
    ("curves", "log", "message"),
    [
        ({}, None, "maps names to values"),
        ([1, 2], None, "maps names to values"),
        ({"a": ([1, 2], [1, 2, 3])}, None, r"shapes \(2,\) and \(3,\)"),
        ({"a": 3.0}, None, "sequence of numbers"),
        ({"a": []}, None, "sequence of numbers"),
        ({"a": [1]}, "z", "'z'"),
    ],
)
def test_bad_input_to_plot_curves(curves, log, message):
    with pytest.raises(ValueError, match=message):
        viz.plot_curves(curves, **LABELS, log=log)


def test_confusion_matrix_writes_every_count_and_colours_the_mistakes():
    fig = viz.confusion_matrix([[90, 10], [0, 50]], ["cat", "dog"])
    ax = fig.axes[0]
    assert [t.get_text() for t in ax.texts] == ["90", "10", "0", "50"]
    shares = np.ma.filled(ax.images[0].get_array(), np.nan)
    np.testing.assert_array_equal(shares, [[np.nan, 10.0], [0.0, np.nan]])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["cat", "dog"]


def test_confusion_matrix_takes_an_empty_class_and_no_mistakes():
    fig = viz.confusion_matrix([[3, 0], [0, 0]])
    fig.canvas.draw()
    assert [t.get_text() for t in fig.axes[0].texts] == ["3", "0", "0", "0"]


@pytest.mark.parametrize(
    ("matrix", "labels", "message"),
    [
        (np.ones(3), None, "expected a matrix"),
        (np.ones((2, 3)), None, r"square.*\(2, 3\)"),
        ([[1, -1], [0, 1]], None, "minimum -1"),
        (np.ones((2, 2)), ["a"], "2 classes, but 1 labels"),
    ],
)
def test_bad_input_to_confusion_matrix(matrix, labels, message):
    with pytest.raises(ValueError, match=message):
        viz.confusion_matrix(matrix, labels)


def test_image_grid_takes_rows_or_pictures_and_one_scale():
    images = np.linspace(0, 1, 3 * 784).reshape(3, 784)
    for given_images in (images, images.reshape(3, 28, 28)):
        fig = viz.image_grid(given_images, titles=[7, 1, 4], n_cols=2)
        shown = [ax.images[0] for ax in fig.axes if ax.images]
        np.testing.assert_array_equal(shown[1].get_array().ravel(), images[1])
        assert {image.get_clim() for image in shown} == {(0.0, 1.0)}
        assert [ax.get_title() for ax in fig.axes] == ["7", "1", "4", ""]


def test_image_grid_of_weights_is_symmetric_about_zero():
    fig = viz.image_grid(np.array([[-3.0, 0, 1, 2]]), shape=(2, 2), diverging=True)
    assert fig.axes[0].images[0].get_clim() == (-3.0, 3.0)


@pytest.mark.parametrize("images", [np.ones(784), np.ones((2, 783)), np.ones((0, 784))])
def test_image_grid_refuses_other_shapes(images):
    with pytest.raises(ValueError, match=r"expected images \(N, 784\)"):
        viz.image_grid(images)


def test_image_grid_refuses_a_wrong_number_of_titles():
    with pytest.raises(ValueError, match="2 images, but 1 titles"):
        viz.image_grid(np.ones((2, 784)), ["a"])


HEAT = {"title": "t", "xlabel": "x", "ylabel": "y", "label": "size (1)"}


def test_heat_map_scales():
    plain = viz.heat_map([[1.0, 2.0]], **HEAT, annotate=True)
    assert [t.get_text() for t in plain.axes[0].texts] == ["1", "2"]
    diverging = viz.heat_map([[1.0, -2.0]], **HEAT, diverging=True)
    assert diverging.axes[0].images[0].get_clim() == (-2.0, 2.0)
    logarithmic = viz.heat_map([[1e-8, 0.0, 10.0]], **HEAT, log=True)
    image = logarithmic.axes[0].images[0]
    logarithmic.canvas.draw()
    assert image.get_clim() == (1e-8, 10.0)
    assert np.ma.getmaskarray(np.ma.masked_invalid(image.get_array())).tolist() == [
        [False, True, False]
    ]


def test_blocks_of_a_heat_map_are_parted():
    ax = viz.heat_map(np.ones((4, 6)), **HEAT, blocks=(2, 3)).axes[0]
    assert list(ax.get_yticks()) == [0, 2] and list(ax.get_xticks()) == [0, 3]
    across, down = ax.lines
    assert set(across.get_ydata()) == {1.5} and set(down.get_xdata()) == {2.5}


@pytest.mark.parametrize(
    ("matrix", "options", "message"),
    [
        (np.ones(3), {}, "expected a matrix"),
        ([[-1.0]], {"log": True}, "values above 0"),
        ([[1.0]], {"log": True, "diverging": True}, "no diverging scale"),
    ],
)
def test_bad_input_to_heat_map(matrix, options, message):
    with pytest.raises(ValueError, match=message):
        viz.heat_map(matrix, **HEAT, **options)


SMALL = {"one": [[1.0, -2.0]], "two": [[0.0, 4.0]]}
SIDE_BY_SIDE = {"title": "t", "xlabel": "x", "ylabel": "y"}


def test_heat_maps_share_one_scale():
    plain = viz.heat_maps(SMALL, **SIDE_BY_SIDE, annotate=True)
    assert [ax.get_title() for ax in plain.axes] == ["one", "two"]  # and no bar
    assert [ax.images[0].get_clim() for ax in plain.axes] == [(-2.0, 4.0)] * 2
    written = [[t.get_text() for t in ax.texts] for ax in plain.axes]
    assert written == [["1", "−2"], ["0", "4"]]
    assert [ax.get_ylabel() for ax in plain.axes] == ["y", ""]


def test_heat_maps_know_signs_and_powers():
    signed = viz.heat_maps(SMALL, **SIDE_BY_SIDE, label="size", diverging=True)
    assert [ax.images[0].get_clim() for ax in signed.axes[:2]] == [(-4.0, 4.0)] * 2
    assert len(signed.axes) == 3  # the bar of colours
    powers = {"a": [[1e-8, 1.0]], "b": [[10.0, 0.0]]}
    logarithmic = viz.heat_maps(powers, **SIDE_BY_SIDE, label="size", log=True)
    logarithmic.canvas.draw()
    images = [ax.images[0] for ax in logarithmic.axes[:2]]
    assert [image.get_clim() for image in images] == [(1e-8, 10.0)] * 2
    shown = np.ma.masked_invalid(images[1].get_array())
    assert np.ma.getmaskarray(shown).tolist() == [[False, True]]


def test_heat_maps_may_have_scales_of_their_own():
    signed = viz.heat_maps(SMALL, **SIDE_BY_SIDE, diverging=True, own_scales=True)
    far = [np.abs(values).max() for values in SMALL.values()]
    assert [ax.images[0].get_clim() for ax in signed.axes] == [(-x, x) for x in far]
    assert far[0] != far[1]
    plain = viz.heat_maps(SMALL, **SIDE_BY_SIDE, own_scales=True)
    ends = [(np.min(values), np.max(values)) for values in SMALL.values()]
    assert [ax.images[0].get_clim() for ax in plain.axes] == ends


@pytest.mark.parametrize(
    ("matrices", "options", "message"),
    [
        ({}, {}, "of one shape, found none"),
        ({"a": [[1.0]]}, {"own_scales": True, "label": "size"}, "found a label with"),
        ({"a": [[1.0]], "b": [[1.0, 2.0]]}, {}, r"found \(1, 1\), \(1, 2\)"),
        ({"a": np.ones(3)}, {}, "heat_maps: expected a matrix"),
        ({"a": [[-1.0]]}, {"log": True}, "heat_maps: log=True needs values above 0"),
    ],
)
def test_bad_input_to_heat_maps(matrices, options, message):
    with pytest.raises(ValueError, match=message):
        viz.heat_maps(matrices, **SIDE_BY_SIDE, **options)


def texts_of(ax):
    return [text.get_text() for text in ax.texts]


def test_products_show_their_result_and_frame_what_meets():
    A, B = np.array([[1, 2], [3, 4], [0, 1]]), np.array([[5], [-6]])
    products = {
        "up": (("A", "B", "C"), A, B),
        "down": (("B", "Bᵀ", "D"), B, B.T),
    }
    first, second = viz.draw_products(products, at=(1, 0)).axes
    assert [ax.get_title(loc="left") for ax in (first, second)] == ["up", "down"]
    assert {"A (3, 2)", "B (2, 1)", "C (3, 1)", "−7", "−9", "−6"} <= set(
        texts_of(first)
    )
    assert {"D (2, 2)", "25", "−30", "36"} <= set(texts_of(second))
    row, column, entry = (line.get_xydata() for line in first.lines)
    assert (row[:, 1].min(), row[:, 1].max()) == (-0.5, 0.5)  # the middle one of three
    assert np.ptp(row, axis=0).tolist() == [2, 1]
    assert np.ptp(column, axis=0).tolist() == [1, 2]
    assert np.ptp(entry, axis=0).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("products", "message"),
    [
        ({}, "found none"),
        ({"t": (("A", "B", "C"), np.ones((2, 3)), np.ones((2, 3)))}, "as many columns"),
        ({"t": (("A", "b", "C"), np.ones((2, 3)), np.ones(3))}, "as many columns"),
    ],
)
def test_products_that_do_not_fit(products, message):
    with pytest.raises(ValueError, match=message):
        viz.draw_products(products)


POINTS = np.array([[-1.0, 0.0], [1.0, 1.0], [0.5, -1.0]])


def left_or_right(points):
    return points[:, 0]


def boundary_of(fig):
    lines = [c for c in fig.axes[0].collections if not getattr(c, "filled", True)]
    return np.concatenate([path.vertices for c in lines for path in c.get_paths()])


@pytest.mark.parametrize(
    ("predict", "threshold", "x"),
    [
        (left_or_right, None, 0.0),
        (lambda p: 1 / (1 + np.exp(-left_or_right(p))), None, 0.0),
        (lambda p: left_or_right(p)[:, None], 0.25, 0.25),
        (lambda p: (left_or_right(p) > 0.1).astype(int), None, 0.1),
        (lambda p: Tensor(p)[:, :1] * 2, None, 0.0),  # a network's logit, (M, 1)
    ],
)
def test_the_boundary_lies_where_the_classes_change(predict, threshold, x):
    y = np.array([0, 1, 1])
    fig = viz.decision_boundary(predict, POINTS, y, "title", threshold=threshold)
    # One cell of the grid is 0.011 wide.
    np.testing.assert_allclose(boundary_of(fig)[:, 0], x, atol=0.011)


def test_points_have_a_marker_a_class():
    fig = viz.decision_boundary(
        lambda p: np.zeros(len(p), int), POINTS, np.array([0, 1, 2]), "title"
    )
    [legend] = fig.legends
    assert [t.get_text() for t in legend.get_texts()] == [
        "class 0",
        "class 1",
        "class 2",
    ]
    scattered = [c for c in fig.axes[0].collections if c.get_label()[:5] == "class"]
    assert len({len(c.get_paths()[0].vertices) for c in scattered}) == 3


@pytest.mark.parametrize(
    ("predict", "X", "y", "message"),
    [
        (left_or_right, np.ones((3, 3)), np.ones(3), r"expected X \(N, 2\)"),
        (left_or_right, POINTS, np.ones(2), r"expected X \(N, 2\)"),
        (lambda p: p, POINTS, np.ones(3), "should return"),
        (left_or_right, POINTS, np.arange(3), "scores part two classes"),
    ],
)
def test_bad_input_to_decision_boundary(predict, X, y, message):
    with pytest.raises(ValueError, match=message):
        viz.decision_boundary(predict, X, y, "title")


PATHS = {
    "a": np.array([[0.0, 0.0], [2.0, 0.0]]),
    "b": np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 3.0]]),
}


def drawn(ax):
    return np.array(ax.lines[0].get_xydata())


def test_paths_stand_side_by_side_on_one_map():
    asked = []
    fig = viz.draw_paths(
        lambda p: asked.append(p) or p @ p, PATHS, title="t", levels=[1.0]
    )
    assert [ax.get_title("left") for ax in fig.axes] == ["a", "b"]
    for ax, path in zip(fig.axes, PATHS.values(), strict=True):
        np.testing.assert_array_equal(drawn(ax), path)
        [line] = ax.collections
        circle = np.concatenate([path.vertices for path in line.get_paths()])
        np.testing.assert_allclose(np.linalg.norm(circle, axis=1), 1, atol=0.01)
    low, high = np.min(asked, axis=0), np.max(asked, axis=0)
    assert (low < 0).all() and (high > [2, 3]).all()


def test_a_slice_goes_through_start_and_two_ends():
    p, q = nn.Parameter(np.zeros((2, 2))), nn.Parameter(np.zeros(1))
    start = np.array([1.0, 1, 1, 1, 1])
    ways = {"a": [2.0, 0, 0, 0, 0], "b": [0.0, 3, 0, 0, 0], "c": [0.0, 3, 4, 0, 0]}
    paths = {name: np.array([start, start + way]) for name, way in ways.items()}
    seen = []

    def loss():
        seen.append(np.concatenate([p.data.ravel(), q.data]))
        return Tensor(seen[-1].sum())

    fig = viz.draw_slice(loss, [p, q], paths, ("a", "b"), title="t", levels=[5.0])
    assert [ax.get_title("left") for ax in fig.axes] == [
        "a: 100% in the plane",
        "b: 100% in the plane",
        "c: 60% in the plane",
    ]
    a, b, c = (drawn(ax)[1] for ax in fig.axes)
    np.testing.assert_allclose([a @ a, b @ b, a @ b, b[1]], [4, 9, 0, 3], atol=1e-12)
    np.testing.assert_allclose(c, b, atol=1e-12)
    np.testing.assert_allclose(np.array(seen)[:, 2:], 1)  # never left the plane
    assert p.data.tolist() == [[1, 1], [1, 1]] and q.data.tolist() == [1]


@pytest.mark.parametrize(
    ("paths", "through", "message"),
    [
        (PATHS, ("a", "c"), r"no path is called \['c'\]"),
        ({**PATHS, "c": PATHS["a"] + 1}, ("a", "b"), "begin at the same point"),
    ],
)
def test_bad_input_to_draw_slice(paths, through, message):
    with pytest.raises(ValueError, match=message):
        viz.draw_slice(lambda: 0.0, [], paths, through, title="t", levels=[1.0])


@pytest.mark.parametrize("paths", [{}, {"a": np.zeros(3)}, {"a": np.zeros((3, 3))}])
def test_bad_input_to_draw_paths(paths):
    with pytest.raises(ValueError, match=r"row of points, \(T, 2\)"):
        viz.draw_paths(lambda p: 0.0, paths, title="t", levels=[1.0])


def test_tensors_are_drawn_by_their_data():
    matrix, points = nn.Parameter(np.array([[1.0, 2.0]])), Tensor(POINTS)
    fig = viz.heat_map(matrix, **HEAT)
    assert fig.axes[0].images[0].get_array().tolist() == [[1.0, 2.0]]
    viz.decision_boundary(left_or_right, points, Tensor([0.0, 1.0, 1.0]), "title")
    viz.image_grid(Tensor(np.ones((1, 4))), shape=(2, 2))
    viz.draw_network([matrix, nn.Parameter(np.ones((2, 1)))])
    curves = {"a": Tensor([1.0, 2.0]), "b": (np.arange(2), Tensor([1.0, 2.0]))}
    fig = viz.plot_curves(curves, **LABELS)
    assert [line.get_ydata().tolist() for line in fig.axes[0].lines[:2]] == [[1, 2]] * 2
    with pytest.raises(TypeError, match=r"\.data"):
        viz.plot_curves({"a": [Tensor(1.0), Tensor(2.0)]}, **LABELS)


# --- size ----------------------------------------------------------------------------


def digits():
    rng = np.random.default_rng(2)
    return viz.image_grid(rng.random((8, 784)), titles=range(8))


def test_picture_pairs_scale_each_picture_of_values_by_itself():
    values = np.stack([np.eye(28), -100 * np.eye(28)])
    fig = viz.picture_pairs(np.ones((2, 784)), values, title="A finding")
    above, below = fig.axes[:2], fig.axes[2:]
    assert all(ax.images[0].get_cmap().name == "gray" for ax in above)
    assert [ax.images[0].get_clim() for ax in below] == [(-1, 1), (-100, 100)]
    for ax, value in zip(below, values, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), value)
    with pytest.raises(ValueError, match="2 pictures, but values for 1"):
        viz.picture_pairs(np.ones((2, 784)), values[:1], title="A finding")


@pytest.mark.parametrize(
    "make",
    [
        lambda: viz.draw_graph(*w2(), edges=True),
        lambda: viz.draw_graph(*network_on_the_tape()),
        lambda: viz.draw_network(**network((2, 2, 2), 5e-8)),
        lambda: viz.plot_curves({"a": np.arange(9), "b": np.ones(9)}, **LABELS),
        lambda: viz.confusion_matrix(np.arange(100).reshape(10, 10)),
        digits,
    ],
)
def test_pictures_are_small_and_the_same_each_time(make):
    png = png_of(make())
    assert len(png) < 45_000
    assert png_of(make()) == png


def test_depth_maps_have_a_row_for_each_depth_and_share_their_colours():
    table = np.array([[1.0, 1e-3, np.nan], [10.0, 1.0, 0.1]])
    tables = {(f, w): table for f in ("tanh", "ReLU") for w in ("small", "large")}
    *maps, bar = viz.depth_maps(tables, [2, 3], title="norms").axes
    titles = [ax.get_title(loc="left") for ax in maps]
    assert titles == ["tanh, small", "tanh, large", "ReLU, small", "ReLU, large"]
    (mesh,) = maps[3].collections
    assert mesh.get_array().tolist() == [[0, -3, None], [1, 0, -1]]
    assert mesh.get_clim() == (-12, 6)
    assert bar.get_ylabel() == "log₁₀ of the norm"
    assert [ax.get_xlabel() for ax in maps] == ["", "", "layer", "layer"]


@pytest.mark.parametrize(
    ("tables", "found"),
    [({}, r"\[\]"), ({("a", "b"): np.ones((3, 4))}, r"\[\(3, 4\)\]")],
)
def test_depth_maps_need_a_row_for_each_depth(tables, found):
    with pytest.raises(ValueError, match=f"2 rows, one a depth; found shapes {found}"):
        viz.depth_maps(tables, [2, 3], title="norms")


def test_a_singular_value_that_is_noise_is_not_drawn():
    values = np.ones((5, 40))
    values[3:, 31] = 1e-15
    (ax,) = viz.plot_singular_values({"one": values}, title="t").axes
    assert [line.get_label() for line in ax.lines] == [
        f"no. {k}" for k in (1, 4, 16, 32)
    ]
    assert np.isfinite(ax.lines[3].get_ydata()).tolist() == [True] * 3 + [False] * 2
    assert all(np.isfinite(line.get_ydata()).all() for line in ax.lines[:3])


def test_the_axis_of_singular_values_begins_below_what_is_drawn():
    values = {"one": np.ones((5, 40)), "small": np.full((5, 40), 3e-4)}
    values["one"][3:, 31] = 1e-15  # noise: it does not stretch the axis
    for ax in viz.plot_singular_values(values, title="t").axes:
        assert ax.get_ylim() == pytest.approx((1e-5, 1e2))


@pytest.mark.parametrize("spectra", [{}, {"few": np.ones((5, 31))}])
def test_singular_values_need_32_in_a_row(spectra):
    with pytest.raises(ValueError, match="expected rows of 32 values or more, found"):
        viz.plot_singular_values(spectra, title="t")


def test_pairs_have_a_panel_each_with_log_2():
    curves = {"bad": [0.7, 0.7], "good": [0.7, 0.1]}
    first, *empty = viz.plot_pairs(curves, {"cure": ("bad", "good")}, title="t").axes
    bad, good, dotted = first.lines
    assert [list(line.get_ydata()) for line in (bad, good)] == list(curves.values())
    assert dotted.get_ydata() == pytest.approx([np.log(2)] * 2)
    assert [text.get_text() for text in first.get_legend().texts] == ["bad", "good"]
    assert not any(ax.axison for ax in empty) and len(empty) == 2


@pytest.mark.parametrize(
    ("pairs", "found"),
    [({}, "0 pairs"), ({"cure": ("bad", "x")}, r"curve for \['x'\]")],
)
def test_pairs_need_their_curves(pairs, found):
    with pytest.raises(ValueError, match=found):
        viz.plot_pairs({"bad": [1.0]}, pairs, title="t")


def test_predictions_are_lines_and_measurements_marks():
    up, down = [1.0, 2.0], [0.1, 0.5]
    measured = {"tanh": ([1.1, 2.1], [0.2, 0.6])}
    left, right = viz.plot_predicted({"tanh": (up, down)}, measured, title="t").axes
    line, marks = right.lines
    assert [list(one.get_ydata()) for one in right.lines] == [down, [0.2, 0.6]]
    assert (line.get_linestyle(), marks.get_marker()) == ("-", "o")
    assert marks.get_linestyle() == "None" and list(left.lines[0].get_ydata()) == up
    assert (left.get_yscale(), right.get_yscale()) == ("linear", "log")


@pytest.mark.parametrize(
    "measured", [{}, {"tanh": np.ones((2, 4))}, {"ReLU": np.ones((2, 3))}]
)
def test_predictions_need_a_measurement_each(measured):
    with pytest.raises(ValueError, match="expected a measurement for each prediction"):
        viz.plot_predicted({"tanh": np.ones((2, 3))}, measured, title="t")
