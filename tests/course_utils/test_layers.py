"""Layers with an explicit way back, against torch; networks of them; their traps."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from course_utils import functional as F
from course_utils import layers, nn

RTOL, ATOL = 1e-12, 1e-14


def arrays(seed=0, N=5, D=4, H=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, D)), rng.normal(size=(D, H)), rng.normal(size=H)


@pytest.mark.parametrize(
    ("layer", "peer"),
    [
        (layers.ReLU, torch.relu),
        (layers.Sigmoid, torch.sigmoid),
        (layers.Tanh, torch.tanh),
    ],
)
@settings(deadline=None)
@given(seed=st.integers(0, 999), N=st.integers(0, 4), D=st.integers(1, 4))
def test_activations_equal_torch(layer, peer, seed, N, D):
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=(N, D)), rng.normal(size=(N, D))
    t = torch.tensor(x, requires_grad=True)
    peer(t).backward(torch.tensor(g))
    ours = layer()
    np.testing.assert_allclose(
        ours(x), peer(t).detach().numpy(), rtol=RTOL, atol=ATOL, strict=True
    )
    np.testing.assert_allclose(
        ours.backward(g), t.grad.numpy(), rtol=RTOL, atol=ATOL, strict=True
    )
    assert ours.parameters() == []


def torch_network(W1, b1, W2, b2, dtype=torch.float64):
    first = torch.nn.Linear(*W1.shape, dtype=dtype)
    second = torch.nn.Linear(*W2.shape, dtype=dtype)
    for layer, W, b in ((first, W1, b1), (second, W2, b2)):
        layer.weight.data, layer.bias.data = torch.tensor(W.T), torch.tensor(b)
    return torch.nn.Sequential(first, torch.nn.Tanh(), second)


def our_network(W1, b1, W2, b2, **how):
    return layers.Sequential(
        layers.Linear(W1, b1, **how), layers.Tanh(), layers.Linear(W2, b2)
    )


@pytest.mark.parametrize(
    ("loss", "peer", "target"),
    [
        (layers.MSE, torch.nn.MSELoss, np.full((5, 2), 0.3)),
        (layers.BCEWithLogits, torch.nn.BCEWithLogitsLoss, np.full((5, 2), 0.3)),
        (layers.SoftmaxCrossEntropy, torch.nn.CrossEntropyLoss, np.arange(5) % 2),
    ],
)
def test_a_network_with_each_loss_equals_torch(loss, peer, target):
    X, W1, b1 = arrays(1)
    _, W2, b2 = arrays(2, D=3, H=2)
    net, criterion = our_network(W1, b1, W2, b2), loss()
    t_net, t_X = torch_network(W1, b1, W2, b2), torch.tensor(X, requires_grad=True)
    value = criterion(net(X), target)
    grad_X = net.backward(criterion.backward())
    t_value = peer()(t_net(t_X), torch.tensor(target))
    t_value.backward()
    assert value == pytest.approx(t_value.item(), rel=RTOL)
    np.testing.assert_allclose(grad_X, t_X.grad.numpy(), rtol=RTOL, atol=ATOL)
    theirs = [p.grad.numpy().T for p in t_net.parameters()]
    for ours, grad in zip(net.parameters(), theirs, strict=True):
        assert ours.grad.shape == ours.data.shape
        np.testing.assert_allclose(ours.grad, grad, rtol=RTOL, atol=ATOL)


def test_bce_on_probabilities_equals_bce_on_logits():
    z = np.random.default_rng(3).normal(size=(5, 1))
    y = np.array([[0.0], [1.0], [1.0], [0.0], [1.0]])
    sigmoid, bce, fused = layers.Sigmoid(), layers.BCE(), layers.BCEWithLogits()
    assert bce(sigmoid(z), y) == pytest.approx(fused(z, y), rel=RTOL)
    np.testing.assert_allclose(
        sigmoid.backward(bce.backward()), fused.backward(), rtol=RTOL, atol=ATOL
    )


def test_a_second_batch_owes_nothing_to_the_first():
    X, W, b = arrays()
    used, fresh = layers.Linear(W, b), layers.Linear(W, b)
    used(X)
    used.backward(np.ones((5, 3)))
    X2, g2 = X[:2] + 1, np.full((2, 3), 0.5)
    for layer in (used, fresh):
        layer(X2)
    np.testing.assert_array_equal(used.backward(g2), fresh.backward(g2))
    np.testing.assert_array_equal(used.W.grad, fresh.W.grad)
    np.testing.assert_array_equal(used.b.grad, fresh.b.grad)


def test_the_first_layer_may_spare_the_gradient_of_the_data():
    X, W1, b1 = arrays(1)
    _, W2, b2 = arrays(2, D=3, H=2)
    full = our_network(W1, b1, W2, b2)
    spare = our_network(W1, b1, W2, b2, input_grad=False)
    g = np.ones((5, 2))
    assert full(X).shape == spare(X).shape == (5, 2)
    assert full.backward(g).shape == X.shape
    assert spare.backward(g) is None
    for a, b in zip(full.parameters(), spare.parameters(), strict=True):
        np.testing.assert_array_equal(a.grad, b.grad)


def test_a_parameter_begins_without_a_gradient():
    W = np.ones((2, 3), np.float32)
    p = layers.Parameter(W)
    assert p.data is W and p.grad is None
    assert repr(p) == "Parameter(shape=(2, 3), dtype=float32)"


def test_the_same_object_in_two_places_is_refused():
    relu = layers.ReLU()
    with pytest.raises(ValueError) as error:
        layers.Sequential(relu, relu)
    assert str(error.value) == (
        "Sequential: the same layer object stands in two places; a layer remembers one "
        "input only. Make one object for each place"
    )


def test_the_same_object_on_another_level_is_refused():
    relu, linear = layers.ReLU(), layers.Linear(np.eye(2), np.zeros(2))
    inner = layers.Sequential(relu)
    for twice in (
        (inner, relu),
        (inner, inner),
        (inner, layers.Sequential(layers.Sequential(relu))),
        (layers.Sequential(linear), layers.ReLU(), linear),
    ):
        with pytest.raises(ValueError, match="the same layer object stands in two"):
            layers.Sequential(*twice)


def test_sequentials_in_sequentials_have_their_way_back():
    X, W1, b1 = arrays(1)
    _, W2, b2 = arrays(2, D=3, H=2)
    inner = layers.Sequential(layers.Tanh(), layers.Linear(W2, b2))
    nested = layers.Sequential(layers.Linear(W1, b1), inner)
    flat, g = our_network(W1, b1, W2, b2), np.ones((5, 2))
    np.testing.assert_array_equal(nested(X), flat(X))
    np.testing.assert_array_equal(nested.backward(g), flat.backward(g))
    assert len(nested.parameters()) == 4 and len(layers.leaves(nested.layers)) == 3


@pytest.mark.parametrize("targets", [np.float64, np.float32, int])
@pytest.mark.parametrize("loss", [layers.MSE, layers.BCEWithLogits])
def test_the_gradient_of_a_loss_has_the_dtype_of_the_predictions(loss, targets):
    for dtype in (np.float32, np.float64):
        criterion, z = loss(), np.full((3, 1), 0.5, dtype)
        criterion(z, np.ones((3, 1), targets))
        grad = criterion.backward()
        assert grad.dtype == dtype and grad.shape == z.shape
    whole = layers.MSE()
    whole(np.array([1, 2]), np.array([0.5, 0.0]))  # whole numbers stay no floats' fault
    np.testing.assert_array_equal(whole.backward(), [0.5, 2.0])


def test_a_linear_layer_takes_rows():
    layer = layers.Linear(np.ones((4, 2)), np.zeros(2))
    with pytest.raises(ValueError, match=r"X has shape \(2, 5, 4\).*two axes"):
        layer(np.ones((2, 5, 4)))


def test_a_layer_without_forward_says_which():
    class Half(layers.Layer):
        pass

    with pytest.raises(NotImplementedError, match="Half does not define forward"):
        Half()(np.ones(2))
    with pytest.raises(NotImplementedError, match="Half does not define backward"):
        Half().backward(np.ones(2))


@pytest.mark.parametrize(
    "layer",
    [
        layers.Linear(np.ones((2, 2)), np.ones(2)),
        layers.ReLU(),
        layers.Sigmoid(),
        layers.Tanh(),
        layers.Sequential(layers.ReLU()),
        layers.MSE(),
        layers.BCE(),
        layers.BCEWithLogits(),
        layers.SoftmaxCrossEntropy(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_backward_before_forward_says_what_is_missing(layer):
    with pytest.raises(AttributeError, match="belongs to a forward pass, so call the"):
        layer.backward(np.ones((1, 2)))


def test_layers_and_tape_give_the_same_gradients():
    X, W1, b1 = arrays(1)
    _, W2, b2 = arrays(2, D=3, H=2)
    labels = np.array([0, 1, 1, 0, 1])
    net, loss = our_network(W1, b1, W2, b2), layers.SoftmaxCrossEntropy()
    model = nn.MLP([4, 3, 2], np.random.default_rng(0), activation=nn.Tanh)
    for p, array in zip(model.parameters(), (W1, b1, W2, b2), strict=True):
        p.data = array
    value = loss(net(X), labels)
    net.backward(loss.backward())
    on_tape = model(X).softmax_cross_entropy(labels)
    on_tape.backward()
    assert value == on_tape.item()
    for a, b in zip(net.parameters(), model.parameters(), strict=True):
        np.testing.assert_array_equal(a.grad, b.grad)


def test_float32_stays_float32():
    X, W, b = (a.astype(np.float32) for a in arrays())
    net = layers.Sequential(layers.Linear(W, b), layers.Sigmoid())
    loss = layers.SoftmaxCrossEntropy()
    value = loss(net(X), np.array([0, 1, 2, 0, 1]))
    grads = [net.backward(loss.backward()), *(p.grad for p in net.parameters())]
    assert {np.asarray(a).dtype for a in [value, *grads]} == {np.dtype(np.float32)}


def test_the_formulas_are_those_of_functional():
    X, W, b = arrays()
    np.testing.assert_array_equal(layers.Linear(W, b)(X), F.linear(X, W, b))


# --- a classifier against PyTorch, in numbers that anybody can repeat -----------------


def eight_points():
    """Points and labels from NumPy's old generator, weights from PyTorch's."""
    old = np.random.RandomState(501)  # noqa: NPY002
    points, coins = old.uniform(-1, 1, (8, 2)), old.choice([0, 1], (8, 1))
    torch.manual_seed(501)
    return points, coins, [torch.nn.Linear(2, 4), torch.nn.Linear(4, 1)]


def near(actual, rounded):
    """Equal to what was rounded to four decimals, up to float32's rounding."""
    actual = np.squeeze(actual.detach().numpy() if torch.is_tensor(actual) else actual)
    assert actual.shape == np.shape(rounded)
    np.testing.assert_allclose(actual, rounded, rtol=0, atol=0.51e-4)


DPROBS = [0.27670447, -0.1991569, -0.21324057, -0.21276838]
DPROBS += [-0.21479973, -0.25149278, -0.2166928, 0.31130692]
DW_OUT = [-0.02906101, -0.01942071, -0.12120559, -0.08780599]


@pytest.mark.parametrize(
    ("dtype", "rtol", "atol"), [(np.float32, 1e-6, 1e-7), (np.float64, 1e-12, 0)]
)
def test_eight_points_give_the_numbers_of_pytorch(dtype, rtol, atol):
    points, coins, (hidden, output) = eight_points()
    assert coins.ravel().tolist() == [0, 1, 1, 1, 1, 1, 1, 0]
    near(hidden.weight.T[0], [-0.5283, -0.2843, -0.6374, -0.3771])
    near(hidden.weight.T[1], [-0.5109, 0.6360, 0.5668, 0.6981])
    near(hidden.bias, [-0.3359, -0.2572, 0.5822, 0.3144])
    near(output.weight, [0.3399, -0.3500, -0.2764, -0.0239])
    near(output.bias, 0.4749)

    theirs = torch.nn.Sequential(hidden, torch.nn.ReLU(), output)
    theirs = theirs.to(getattr(torch, dtype.__name__))
    x, y = points.astype(dtype), coins.astype(dtype)
    logits = theirs(torch.tensor(x))
    probs = torch.sigmoid(logits)
    probs.retain_grad()
    torch.nn.functional.binary_cross_entropy(probs, torch.tensor(y)).backward()

    W1, b1, W2, b2 = (p.detach().numpy().T for p in theirs.parameters())
    first, last = layers.Linear(W1, b1), layers.Linear(W2, b2)
    net = layers.Sequential(first, layers.ReLU(), last, layers.Sigmoid())
    bce = layers.BCE()
    near(bce(net(x), y), 0.6287)
    near(logits, [0.1936, 0.5221, 0.3482, 0.3536, 0.3307, -0.0119, 0.3099, 0.3991])
    np.testing.assert_allclose(
        log_loss(y.ravel(), net(x).ravel()), bce(net(x), y), rtol
    )
    dprobs = bce.backward()
    net.backward(dprobs)
    np.testing.assert_allclose(dprobs.ravel(), DPROBS, rtol=1e-6)
    np.testing.assert_allclose(last.W.grad.ravel(), DW_OUT, rtol=2e-6)
    near(last.b.grad, -0.1745)
    near(first.W.grad[0], [0.0140, -0.0114, 0.0051, 0.0014])
    near(first.W.grad[1], [0.0153, 0.0145, 0.0153, 0.0024])
    near(first.b.grad, [-0.0158, 0.0220, 0.0482, 0.0031])

    pairs = [(dprobs, probs.grad.numpy())]
    pairs += [
        (p.grad, q.grad.numpy().T)
        for p, q in zip(net.parameters(), theirs.parameters(), strict=True)
    ]
    for ours, pytorchs in pairs:
        np.testing.assert_allclose(ours, pytorchs, rtol=rtol, atol=atol, strict=True)
