"""The stepping view: what it notes, says and draws, and how little it takes."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
import zlib
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course_utils import nn, viz
from course_utils.scalar import OPS, Value
from course_utils.tape import Node, Tape, record
from course_utils.tensor import Tensor
from course_utils.viz import naming, stepper
from course_utils.viz.boxes import HEAT, heat_levels
from course_utils.viz.naming import grad_words, words
from course_utils.viz.stepper.steps import Script
from course_utils.viz.stepper.svg import tiny_png
from course_utils.viz.stepper.views import Names, View, all_vertices
from course_utils.viz.stepper.watch import Arrival, Seed, play
from tests.browser.computations import arrays, assigning, fork, model, network

SVG = "{http://www.w3.org/2000/svg}"


def view(output, names=None, backward=None):
    nodes, events = play(output, backward)
    called = Names(nodes, naming.given_names(nodes, names or {}, "step"))
    return View(called, all_vertices(nodes, {}), events)


def said(output, names=None, backward=None):
    return [step.say for step in Script(view(output, names, backward)).steps]


def picture(page):
    """The SVG inside of a page, and the data for the player."""
    code = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', page.img)[1]
    root = ET.fromstring(base64.b64decode(code))
    packed = base64.b64decode(root.find(f"{SVG}metadata").text)
    return root, json.loads(zlib.decompress(packed))


def texts(group):
    return [text.text for text in group.iter(f"{SVG}text")]


def boxes(root, k=0):
    """The words in every box of view `k`."""
    group = root.findall(f"{SVG}g")[k]
    nodes = (g for g in group if g.get("class", "").startswith("n "))
    return [texts(node) for node in nodes]


# --- looking on -----------------------------------------------------------------------


def test_a_watched_pass_gives_the_same_gradients():
    output, names, _ = fork()
    nodes, events = play(output)
    watched = [node.grad for node in nodes]
    output.backward()
    assert watched == [node.grad for node in nodes]
    edges = sum(len(node.inputs) for node in nodes)
    assert isinstance(events[0], Seed) and events[0].after == 1.0
    assert len(events) == 1 + edges


def test_each_arrival_adds_its_part():
    x = Value(3.0)
    _, events = play(x * x)
    first, second = events[1:]
    assert (first.part, first.before, first.after) == (3.0, None, 3.0)
    assert (second.part, second.before, second.after) == (3.0, 3.0, 6.0)
    assert [event.slot for event in (first, second)] == [0, 1]


def test_looking_on_leaves_no_traces():
    output, names, _ = arrays()
    nodes = Tape(output).nodes
    before = [(type(node), node.op, node.data.copy()) for node in nodes]
    play(output)
    for node, (kind, op, data) in zip(nodes, before, strict=True):
        assert type(node) is kind and node.op is op
        np.testing.assert_array_equal(node.data, data)


def test_a_pass_that_fails_leaves_no_traces_either():
    x = Value(3.0)
    y = x * x

    def failing(output):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        play(y, failing)
    assert type(y) is Value and y.op is OPS["*"]


def test_gradients_that_are_there_stay():
    x = Value(2.0)
    y = x * x
    y.backward()
    y.backward(accumulate=True)
    assert x.grad == 8.0
    play(y)
    assert x.grad == 8.0


def test_without_gradients_a_view_leaves_the_right_ones():
    x = Value(2.0)
    play(x * x)
    assert x.grad == 4.0


def test_an_array_keeps_the_gradient_it_was_given():
    x = Tensor([1.0, 2.0])
    y = x * x
    y.backward(np.array([1.0, 10.0]))
    _, events = play(y)
    np.testing.assert_array_equal(events[0].after, [1.0, 10.0])
    np.testing.assert_array_equal(events[-1].after, [2.0, 40.0])


def test_arrays_are_noted_as_they_were():
    """A gradient that an engine adds to in place is noted before and after."""

    def in_place(output):
        output.grad = np.ones_like(output.data)
        for node in reversed(Tape(output).operations):
            inputs = [x.data for x in node.inputs]
            parts = node.op.vjp(node.grad, node.data, *inputs)
            for x, part in zip(node.inputs, parts, strict=True):
                if x.grad is None:
                    x.grad = np.zeros_like(x.data)
                x.grad += part

    x = Tensor([1.0, 2.0])
    _, events = play(x * x, in_place)
    first, second = (event for event in events if isinstance(event, Arrival))
    np.testing.assert_array_equal(first.after, [1.0, 2.0])
    np.testing.assert_array_equal(second.before, [1.0, 2.0])
    np.testing.assert_array_equal(second.after, [2.0, 4.0])


class Plain:
    """A node as a reader may write it, without slots."""

    def __init__(self, data, op=None, inputs=()):
        self.data, self.op, self.inputs = data, op, inputs
        self.grad, self.requires_grad = None, True
        self.number = next(Plain.count)

    count = iter(range(1000))


def test_nodes_of_other_classes_can_be_watched():
    x = Plain(3.0)
    y = Plain(9.0, OPS["*"], (x, x))
    assert said(y, {"x": x})[-1] == "Done. ∂out/∂x = 6."
    assert x.grad == 6.0 and type(x) is Plain


def test_what_a_view_cannot_show():
    with pytest.raises(TypeError, match="expected a Value, a Tensor or a Tape"):
        play(3.0)
    with pytest.raises(ValueError, match="a gradient is that of one number"):
        play(Tensor([1.0, 2.0]) * 2.0)
    with pytest.raises(ValueError, match="nothing here requires a gradient"):
        play(Value(1.0, requires_grad=False))


# --- broken engines -------------------------------------------------------------------


def parts(node):
    data = [x.data for x in node.inputs]
    return zip(node.inputs, node.op.vjp(node.grad, node.data, *data), strict=True)


def keeping(output):
    output.grad = 1.0
    for node in reversed(Tape(output).operations):
        for x, part in parts(node):
            x.grad = part if x.grad is None else x.grad + part


def reversing(tape):
    for node in tape.nodes:
        node.grad = 0.0
    tape.output.grad = 1.0
    tape.operations.reverse()
    for node in tape.operations:
        for x, part in parts(node):
            x.grad += part


def by_kind(output):
    operations = Tape(output).operations
    stored = {node.op.name: [x.data for x in node.inputs] for node in operations}
    output.grad = 1.0
    for node in reversed(operations):
        grads = node.op.vjp(node.grad, node.data, *stored[node.op.name])
        for x, grad in zip(node.inputs, grads, strict=True):
            x.grad = grad


def test_an_engine_that_assigns_is_told_on():
    x = Value(3.0)
    steps = said(x * x, {"x": x}, assigning)
    assert "∂out/∂x was 3; it is overwritten by 3." in steps[-2]
    assert steps[-1] == "Done. ∂out/∂x = 3."


def test_a_reversed_tape_passes_on_zeros():
    x, y = Value(2.0), Value(2.0)
    tape = Tape(x * y + x)
    reversing(tape)
    steps = said(tape, {"x": x, "y": y}, reversing)
    assert "∂out/∂v₁ × ∂v₁/∂y = 0 × 2 = 0" in steps[5]
    assert steps[-1] == "Done. ∂out/∂x = 1, ∂out/∂y = 0."


def test_a_rule_with_the_wrong_inputs_shows_what_it_was_given():
    a, b, c = Value(2.0), Value(3.0), Value(4.0)
    steps = said(a * b * c, {"a": a, "b": b, "c": c}, by_kind)
    assert any("∂out/∂v₁ × ∂v₁/∂a = 4 × 4 = 16" in step for step in steps)
    assert steps[-1] == "Done. ∂out/∂a = 16, ∂out/∂b = 24, ∂out/∂c = 6."


def test_an_engine_that_loses_a_factor_is_told_on():
    def halving(output):
        output.grad = 1.0
        for node in reversed(Tape(output).operations):
            for x, part in parts(node):
                x.grad = part / 2

    x = Value(3.0)
    steps = said(x.tanh() * 2.0, {"x": x}, halving)
    assert steps[4].endswith("1 × 2 = 2\n∂out/∂v₁ is set to 1.")


def test_parts_of_another_shape_are_no_sum():
    """A broadcast that is not undone leaves a gradient of the wrong shape."""

    def not_undone(output):
        output.grad = np.ones_like(output.data)
        for node in reversed(Tape(output).operations):
            for x in node.inputs:
                x.grad = node.grad

    b = Tensor(np.ones(3))
    steps = said(Tensor(np.ones((2, 3))) + b + b, {"b": b}, not_undone)
    assert "norm of ∂(Σ G·out)/∂b = 2.449" in steps[-1]


def test_what_is_left_from_an_earlier_pass_is_called_so():
    x = Value(5.0)
    y = x + 1.0 + 1.0 + 1.0
    keeping(y)
    x.grad = None
    steps = said(y, {"x": x}, keeping)
    assert "1 + 1 = 2. The first number is left from an earlier pass." in steps[5]
    assert steps[-1] == "Done. ∂out/∂x = 3."
    assert not any("left" in step for step in said(x + 1.0 + 1.0 + 1.0, {"x": x}))


# --- words ----------------------------------------------------------------------------


def test_the_steps_of_a_small_computation():
    x, w = Value(3.0), Value(-2.0)
    assert said((w * x) ** 2, {"x": x, "w": w}) == [
        "Given: x = 3, w = −2.",
        "Forward. v₁ = w × x = (−2) × 3 = −6.",
        "Forward. out = v₁² = (−6)² = 36.",
        "Backward. It begins at the end: ∂out/∂out = 1.",
        "Backward. From out = v₁² to v₁:\n∂out/∂out × ∂out/∂v₁ = 1 × (−12) = −12\n"
        "∂out/∂v₁ = −12, the first to arrive.",
        "Backward. From v₁ = w × x to w:\n∂out/∂v₁ × ∂v₁/∂w = (−12) × 3 = −36\n"
        "∂out/∂w = −36, the first to arrive.",
        "Backward. From v₁ = w × x to x:\n∂out/∂v₁ × ∂v₁/∂x = (−12) × (−2) = 24\n"
        "∂out/∂x = 24, the first to arrive.",
        "Done. ∂out/∂x = 24, ∂out/∂w = −36.",
    ]


def test_paths_that_join_are_summed():
    x = Value(3.0)
    steps = said(x * x, {"x": x})
    assert "(input 2):" in steps[-2]
    assert "Paths join: ∂out/∂x = 3 + 3 = 6." in steps[-2]


def test_the_gradient_of_an_array_is_that_of_a_sum():
    x = Tensor(np.ones((2, 3)))
    y = x * x
    y.backward(np.ones((2, 3)))
    page = stepper.page(y, {"x": x, "y": y})
    assert page.key.startswith("blue ∂: gradient of Σ G·y")
    assert "∂(Σ G·y)/∂x" in page.alt
    total = y.sum()
    total.backward()
    page = stepper.page(total, {"x": x})
    assert page.key.startswith("blue ∂: gradient, ∂out/∂(this)")


def test_arrays_go_back_by_a_named_rule():
    output, names, _ = arrays()
    steps = said(output, names)
    assert any("vjp of matmul: gradient (5, 3) → (4, 3), norm" in s for s in steps)
    undone = [s for s in steps if "broadcast undone" in s]
    assert len(undone) == 1 and "summed where b was copied" in undone[0]


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (lambda x: -x, "−x"),
        (lambda x: x.tanh(), "tanh(x)"),
        (lambda x: x - 2.0, "x − 2"),
        (lambda x: 1.0 / x, "1 ÷ x"),
        (lambda x: x**-1, "x⁻¹"),
        (lambda x: x**0.5, "x^0.5"),
        (lambda x: x * -2.0, "x × (−2)"),
    ],
)
def test_formulas(make, formula):
    x = Value(4.0)
    assert f"out = {formula} = " in said(make(x), {"x": x})[1]


def test_names_that_are_given_are_not_given_twice():
    x = Value(1.0)
    a = x.exp()
    called = Names(Tape(a.tanh().exp()).nodes, {id(x): "v₁"})
    assert list(called.of.values()) == ["v₁", "v₂", "v₃", "out"]


# --- the picture ----------------------------------------------------------------------


@pytest.mark.parametrize("make", [fork, network, arrays])
def test_the_picture_is_complete_without_a_player(make):
    output, names, theirs = make()
    root, _ = picture(stepper.page(output, names))
    nodes = Tape(output).nodes
    found = boxes(root)
    assert len(found) == len(nodes)
    for node, inside in zip(nodes, found, strict=True):
        assert words(node.data, 4) in inside
        if node.requires_grad:
            assert inside[-1] == grad_words(node.grad, 4)
    for name, grad in theirs().items():
        np.testing.assert_allclose(names[name].grad, grad, rtol=1e-12)


def test_an_edge_bears_its_slope_and_its_part():
    x, w = Value(3.0), Value(-2.0)
    root, _ = picture(stepper.page(w * x, {"x": x, "w": w}))
    edges = [g for g in root.iter(f"{SVG}g") if g.get("class") == "e"]
    assert [texts(edge) for edge in edges] == [["× 3", "∂ 3"], ["× −2", "∂ −2"]]


def test_steps_end_where_the_picture_stands():
    """What the last steps write into the boxes is what the picture shows."""
    output, names, _ = network()
    root, data = picture(stepper.page(output, names))
    last = {}
    for step in data["views"][0]["steps"]:
        if step["grad"]:
            last[step["vertex"]] = step["grad"]
    found = boxes(root)
    assert last and all(found[i][-1] == grad for i, grad in last.items())


def test_every_node_appears_once_and_every_edge_is_gone_back():
    output, names, _ = network()
    _, data = picture(stepper.page(output, names))
    [only] = data["views"]
    appear = [i for step in only["steps"] for i in step["shows"]]
    assert sorted(appear) == list(range(len(Tape(output))))
    gone = [step["edge"] for step in only["steps"] if step["edge"] >= 0]
    needs = [x for node in Tape(output).operations for x in node.inputs]
    assert len(gone) == len(set(gone)) == sum(x.requires_grad for x in needs)


def test_words_are_escaped():
    x = Value(1.0)
    page = stepper.page(x.exp(), {'<x> & "y"': x}, title="a < b & c")
    root, data = picture(page)
    assert '<x> & "y"' in boxes(root)[0]
    assert data["views"][0]["name"] == "a < b & c"
    assert "&lt;x&gt; &amp; &quot;y&quot;" in page.img


def test_two_runs_make_the_same_page():
    first, second = (stepper.markup([stepper.page(*fork()[:2])]) for _ in range(2))
    assert first == second


def overlap(a, b):
    across = abs(a.x - b.x) < (a.width + b.width) / 2 - 1e-9
    return across and abs(a.y - b.y) < (a.height + b.height) / 2 - 1e-9


def check_places(graph):
    """No two boxes or labels overlap, and no edge crosses a foreign box or label."""
    labels = {edge: graph.label(*edge) for edge in graph.edges()}
    things = [graph.boxes[i] for i in range(len(graph.tails))]
    things += [label for label in labels.values() if label]
    for a, b in combinations(things, 2):
        assert not overlap(a, b)
    for i, slot in graph.edges():
        own = labels[i, slot]
        for x, y in along(graph.route(i, slot)):
            for box in things:
                inside = abs(x - box.x) < box.width / 2 - 0.02
                assert box is own or not (inside and abs(y - box.y) < box.height / 2)


def along(points):
    """Points on an edge: level, then an S, and so on."""
    for k, ((xa, ya), (xb, yb)) in enumerate(zip(points[:-1], points[1:], strict=True)):
        for t in np.linspace(0, 1, 15):
            smooth = t**2 * (3 - 2 * t) if k % 2 else t
            yield xa + t * (xb - xa), ya + smooth * (yb - ya)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=24))
def test_any_graph_has_room_for_its_words(steps):
    nodes = [Value(1.5), Value(-2.0), Value(3.0, requires_grad=False)]
    for k, (i, j) in enumerate(steps):
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append((a + b, a * b, a - b, a.tanh())[k % 4])
    output = nodes[-1] + nodes[0]
    shown = view(output)
    check_places(stepper.picture.Picture(shown).lay_out())


# --- small heat maps ------------------------------------------------------------------


def test_heat_levels_are_symmetric_about_zero():
    levels = heat_levels([[-2.0, 0.0], [1.0, 2.0]])
    np.testing.assert_array_equal(levels, [[0, 7], [11, 14]])
    assert heat_levels(np.zeros((2, 3))).tolist() == [[7] * 3] * 2
    assert len(HEAT) == 15


@pytest.mark.parametrize("shape", [(3,), (1, 1), (60, 784), (2, 3, 4), (9, 1)])
def test_heat_maps_stay_small(shape):
    levels = heat_levels(np.ones(shape))
    assert max(levels.shape) <= 8 and (levels == 14).all()


def test_a_large_array_is_shown_by_its_means():
    values = np.repeat([1.0, -1.0], 50)[None]
    levels = heat_levels(values)
    assert levels[0, 0] == 14 and levels[0, -1] == 0


def test_a_heat_map_is_a_tiny_png():
    from io import BytesIO

    from PIL import Image

    levels = heat_levels(np.linspace(-1, 1, 64).reshape(8, 8))
    data = tiny_png(levels)
    assert len(data) < 200
    colors = np.asarray(Image.open(BytesIO(data)).convert("RGB"))
    assert tuple(colors[0, 0]) == (0x00, 0x22, 0x4E)


# --- modules --------------------------------------------------------------------------


def test_a_model_is_folded_and_can_be_opened():
    loss, net, _ = model()
    root, data = picture(stepper.page(loss, net, groups=net))
    assert [view["name"] for view in data["views"]] == ["", "layers.0", "layers.2"]
    folded = [inside[0] for inside in boxes(root)]
    assert folded == ["v₁", "layers.0", "layers.2", "out (softmax CE)"]
    inner = [inside[0] for inside in boxes(root, 1)]
    assert inner == ["layers.0.W", "layers.0.b", "v₁", "v₂ (linear)", "v₃ (ReLU)"]
    opened = dict(zip(inner, boxes(root, 1), strict=True))
    for name, parameter in net.named_parameters():
        if name in opened:
            assert opened[name][-1] == grad_words(parameter.grad, 4)
    steps = data["views"][1]["steps"]
    assert any("From outside arrives" in step["say"] for step in steps)


def scalar_layers(widths, rng):
    x = [Value(v, requires_grad=False) for v in rng.normal(size=widths[0]).tolist()]
    layers = {}
    for k, width in enumerate(widths[1:], start=1):
        W = [[Value(float(rng.normal())) for _ in x] for _ in range(width)]
        x = [sum((w * v for w, v in zip(row, x, strict=True)), Value(0.1)) for row in W]
        x = [v.tanh() for v in x]
        layers[f"layer {k}"] = x
    return (x[0] - 1.0) ** 2, layers


def test_layers_of_numbers_are_folded_by_what_comes_out_of_them():
    loss, layers = scalar_layers([2, 3, 1], np.random.default_rng(0))
    root, data = picture(stepper.page(loss, groups=layers))
    found = boxes(root)
    assert [inside[0] for inside in found[:2]] == ["layer 1", "layer 2"]
    assert "3 values" in found[0]
    hidden = np.linalg.norm([h.grad for h in layers["layer 1"]])
    assert found[0][-1] == f"‖∂‖ {words(hidden, 4)}"
    assert found[1][-1] == grad_words(layers["layer 2"][0].grad, 4)


def test_a_skip_connection_stays_to_be_seen():
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(3, 3, rng), nn.Residual(nn.Linear(3, 3, rng)))
    X = Tensor(rng.normal(size=(2, 3)), requires_grad=False)
    root, _ = picture(stepper.page(net(X).sum(), net, groups=net))
    titles = [inside[0] for inside in boxes(root)]
    assert titles[1:] == ["layers.0", "layers.1", "v₄ (+)", "out (Σ)"]


def test_beyond_its_limit_a_graph_is_folded_or_refused():
    loss, net, _ = model()
    root, _ = picture(stepper.page(loss, net, max_nodes=6))
    assert "layers.0" in [inside[0] for inside in boxes(root)]
    with pytest.raises(ValueError, match="shows 9 nodes, and beyond 6 nobody"):
        stepper.page(loss, max_nodes=6)


def test_a_loop_of_modules_is_refused():
    x = Value(1.0)
    a = x.exp()
    b = a.tanh()
    loss = (b * a).exp()
    page = stepper.page(loss, {"x": x}, groups={"first": a, "rest": b})
    assert [v["name"] for v in picture(page)[1]["views"]][1:] == ["first", "rest"]

    class Shared:
        def named_parameters(self):
            return [("cell.w", x)]

    y = (x * x).tanh() * x + 1.0
    stepper.page(y, groups=Shared())  # one after the other is no loop
    z = Value(2.0)
    loop = x * x * z * x + 1.0
    with pytest.raises(ValueError, match="out of 'cell' goes into it again"):
        stepper.page(loop, groups=Shared())


def test_groups_have_to_be_on_the_tape():
    x = Value(1.0)
    y = x.exp()
    with pytest.raises(ValueError, match="group 'h' has an output that is not part"):
        stepper.page(y, groups={"h": Value(2.0)})
    with pytest.raises(TypeError, match="groups is a model, or maps names"):
        stepper.page(y, groups=[x])
    with pytest.raises(ValueError, match="node named 'z' is not part"):
        stepper.page(y, {"z": Value(2.0)})


# --- how large, how fast --------------------------------------------------------------


@pytest.fixture
def notebook():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def stored(output, names, **options):
    with capture_output() as captured:
        viz.step(output, names, **options)
    [found] = captured.outputs
    return found


def thirty_arrays():
    """Six layers of arrays, the last one without a bias: 30 nodes."""
    rng = np.random.default_rng(0)
    x, names = Tensor(rng.normal(size=(8, 8)), requires_grad=False), {}
    for k in range(1, 7):
        names[f"W{k}"] = Tensor(rng.normal(size=(8, 8)))
        x = x @ names[f"W{k}"]
        if k < 6:
            names[f"b{k}"] = Tensor(rng.normal(size=8))
            x = x + names[f"b{k}"]
        x = x.tanh()
    return x.mean(), names, dict


@pytest.mark.parametrize("make", [network, thirty_arrays])
def test_thirty_nodes_take_sixty_kilobytes(notebook, make):
    output, names, _ = make()
    assert len(Tape(output)) >= 30
    found = stored(output, names, title="Thirty nodes and more")
    kept = {"data": found.data, "metadata": found.metadata}
    assert len(json.dumps(kept, ensure_ascii=False).encode()) <= 60_000


def test_two_hundred_nodes_are_laid_out():
    loss, _ = scalar_layers([3, 5, 4, 4, 1], np.random.default_rng(0))
    assert 180 <= len(Tape(loss)) <= 200
    assert stepper.page(loss).img.startswith("<img data-steps alt=")


# --- on the page ----------------------------------------------------------------------


def test_an_output_is_html_png_and_words(notebook):
    output, names, _ = fork()
    found = stored(output, names)
    assert set(found.data) == {"image/png", "text/html", "text/plain"}
    html, alt = found.data["text/html"], found.data["text/plain"]
    assert html.startswith("<img data-steps alt=") and "\n" not in html
    assert found.metadata == {"image/png": {"alt": alt}}
    assert alt.startswith("Computation graph of F, to be stepped through: 9 boxes.")
    assert "x = 3, ∂F/∂x = 2.06." in alt
    assert "http" not in html and "src=" not in html.partition("<script>")[2]


def test_a_given_alt_text_is_used(notebook):
    output, names, _ = fork()
    found = stored(output, names, alt="A graph of nine boxes, which x enters thrice.")
    assert found.data["text/plain"].startswith("A graph of nine")
    assert 'alt="A graph of nine' in found.data["text/html"]


def test_engines_stand_beside_each_other(notebook):
    x = Value(3.0)
    engines = {"assigned": assigning, "added": None}
    found = stored(x * x, {"x": x}, backward=engines)
    html = found.data["text/html"]
    assert html.count("<img") == 2 and html.count("<script>") == 1
    alt = found.data["text/plain"]
    assert "assigned. Computation" in alt and "∂out/∂x = 3." in alt
    assert "added. Computation" in alt and "∂out/∂x = 6." in alt


def test_without_a_notebook_the_words_are_printed(capsys, monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    output, names, _ = fork()
    viz.step(output, names)
    assert capsys.readouterr().out.startswith("Computation graph of F")


def test_many_nodes_are_not_all_read_aloud():
    output, names, _ = network()
    alt = stepper.page(output, names).alt
    assert "w₁₁ = 6" in alt and "loss = " in alt and "v₁ = " not in alt
    assert len(alt) < 1000


def test_a_lone_leaf_can_be_shown():
    page = stepper.page(Value(2.0), {})
    assert boxes(picture(page)[0]) == [["out", "2", "∂ 1"]]


def test_a_node_of_the_engine_itself_can_be_shown():
    x = Node(3.0)
    page = stepper.page(record(Node, OPS["*"], x, x), {"x": x})
    assert boxes(picture(page)[0])[0] == ["x", "3", "∂ 6"]
