"""gradcheck under fire: two tables, of wrong gradients and of right ones.

Every wrong one is rejected, and the input and the entries named are those that are
wrong, no other; test_gradcheck.py finds one wrong entry in 100,000. Every right one is
accepted, on a kink or not, at every scale.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

from course_utils import functional as F
from course_utils.gradcheck import WRONG as WRONG_ENTRY
from course_utils.gradcheck import check_directions, gradcheck

N, D, H, K = 5, 4, 6, 3


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers from N(0, 1), away from 0 by 0.1 so that no kink is near."""
    x = np.random.default_rng([seed, *shape]).standard_normal(shape)
    return x + 0.1 * np.sign(x)


# --- every rule of the package, distorted ---------------------------------------------


class Rule(NamedTuple):
    """A function, its inputs, and the gradients that its vjp gives them."""

    f: Callable
    inputs: dict[str, np.ndarray]
    vjp: Callable


def unary(f: Callable, vjp: Callable, x: np.ndarray | None = None) -> Rule:
    """A rule with one input; `vjp(g, y, x)`."""
    x = draw(N, D) if x is None else x
    return Rule(f, {"x": x}, lambda g, x: (vjp(g, f(x), x),))


a, b = draw(N, D), np.abs(draw(N, D, seed=1))
labels, target = np.array([0, 2, 1, 1, 0]), np.abs(draw(N, K, seed=2)) / 4
RULES = {
    "add": Rule(F.add, {"a": a, "b": b}, lambda g, a, b: F.add_vjp(g)),
    "sub": Rule(F.sub, {"a": a, "b": b}, lambda g, a, b: F.sub_vjp(g)),
    "mul": Rule(F.mul, {"a": a, "b": b}, F.mul_vjp),
    "div": Rule(F.div, {"a": a, "b": b}, F.div_vjp),
    "neg": unary(F.neg, lambda g, y, x: F.neg_vjp(g)),
    "power": unary(lambda x: F.power(x, 3), lambda g, y, x: F.power_vjp(g, x, 3)),
    "root": unary(lambda x: F.power(x, 0.3), lambda g, y, x: F.power_vjp(g, x, 0.3), b),
    "exp": unary(F.exp, lambda g, y, x: F.exp_vjp(g, y)),
    "log": unary(F.log, lambda g, y, x: F.log_vjp(g, x), b),
    "sqrt": unary(F.sqrt, lambda g, y, x: F.sqrt_vjp(g, y), b),
    "tanh": unary(F.tanh, lambda g, y, x: F.tanh_vjp(g, y)),
    "sigmoid": unary(F.sigmoid, lambda g, y, x: F.sigmoid_vjp(g, y)),
    "relu": unary(F.relu, lambda g, y, x: F.relu_vjp(g, x)),
    "sum": unary(lambda x: F.sum(x, 0), lambda g, y, x: F.sum_vjp(g, x.shape, 0)),
    "mean": unary(lambda x: F.mean(x, 1), lambda g, y, x: F.mean_vjp(g, x.shape, 1)),
    "max": unary(lambda x: F.max(x, 1), lambda g, y, x: F.max_vjp(g, x, 1)),
    "reshape": unary(
        lambda x: F.reshape(x, (D, N)), lambda g, y, x: F.reshape_vjp(g, x.shape)
    ),
    "transpose": unary(F.transpose, lambda g, y, x: F.transpose_vjp(g)),
    "getitem": unary(
        lambda x: F.getitem(x, [0, 0, 2]),
        lambda g, y, x: F.getitem_vjp(g, x.shape, [0, 0, 2]),
    ),
    "broadcast": Rule(
        lambda x: x + np.zeros((N, D)),
        {"x": draw(1, D)},
        lambda g, x: (F.unbroadcast(g, x.shape),),
    ),
    "matmul": Rule(F.matmul, {"A": a, "B": draw(D, H)}, F.matmul_vjp),
    "linear": Rule(
        F.linear,
        {"X": a, "W": draw(D, H), "b": draw(H)},
        lambda g, X, W, b: F.linear_vjp(g, X, W),
    ),
    "softmax": unary(F.softmax, lambda g, y, x: F.softmax_vjp(g, y)),
    "log_softmax": unary(F.log_softmax, lambda g, y, x: F.log_softmax_vjp(g, y)),
    "logsumexp": unary(F.logsumexp, lambda g, y, x: F.logsumexp_vjp(g, x)),
    "layer_norm": Rule(
        F.layer_norm,
        {"x": a, "gamma": draw(D), "beta": draw(D, seed=1)},
        lambda g, x, gamma, beta: F.layer_norm_vjp(g, x, gamma),
    ),
    "mse": unary(
        lambda x: F.mse(x, target),
        lambda g, y, x: F.mse_vjp(g, x, target),
        draw(N, K),
    ),
    "binary_cross_entropy": unary(
        lambda x: F.binary_cross_entropy(x, target),
        lambda g, y, x: F.binary_cross_entropy_vjp(g, x, target),
        F.sigmoid(draw(N, K)),
    ),
    "binary_cross_entropy_with_logits": unary(
        lambda x: F.binary_cross_entropy_with_logits(x, target),
        lambda g, y, x: F.binary_cross_entropy_with_logits_vjp(g, x, target),
        draw(N, K),
    ),
    "softmax_cross_entropy": unary(
        lambda x: F.softmax_cross_entropy(x, labels),
        lambda g, y, x: F.softmax_cross_entropy_vjp(g, x, labels),
        draw(N, K),
    ),
}


def somewhere(grad: np.ndarray) -> tuple[int, ...]:
    """An entry of middling size that is not 0."""
    order = np.argsort(np.abs(grad), axis=None)
    order = order[np.abs(grad).ravel()[order] > 0]
    return tuple(int(i) for i in np.unravel_index(order[len(order) // 2], grad.shape))


def entry(factor: float) -> Callable:
    """Multiply one entry."""

    def distort(grad):
        out = grad.copy()
        out[somewhere(grad)] *= factor
        return out

    return distort


def row_turned(grad: np.ndarray) -> np.ndarray:
    """A wrong sign in one row."""
    out = grad.copy()
    out[somewhere(grad)[0]] *= -1
    return out


DISTORTIONS = {
    "0.1 % too large": lambda grad: grad * 1.001,
    "0.1 % too small": lambda grad: grad * 0.999,
    "one entry 0.1 % too large": entry(1.001),
    "one entry 0.1 % too small": entry(0.999),
    "one entry missing": entry(0.0),
    "a wrong sign in one row": row_turned,
    "a wrong sign": np.negative,
    "doubled": lambda grad: 2 * grad,
    "zero": np.zeros_like,
    "float16 inside": lambda grad: grad.astype(np.float16).astype(float),
    "not a number": entry(np.nan),
}


def gradients(rule: Rule) -> tuple[dict, np.ndarray | None]:
    """The right gradients of Σ f·grad_out, and that grad_out."""
    arrays = rule.inputs.values()
    shape = np.shape(rule.f(*arrays))
    grad_out = draw(*shape, seed=3) if shape else None
    grads = rule.vjp(1.0 if grad_out is None else grad_out, *arrays)
    return dict(zip(rule.inputs, grads, strict=True)), grad_out


def really_wrong(right: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Where a gradient is wrong by more than the check promises to accept."""
    with np.errstate(invalid="ignore"):
        size = np.maximum(np.abs(right), np.abs(given))
        return ~(np.abs(right - given) <= 2e-6 * size)


def named(report, name: str, right: np.ndarray, given: np.ndarray) -> None:
    """The report is false, for this input only, at these entries only."""
    assert not report, repr(report)
    assert [check.name for check in report.checks if not check] == [name]
    found = next(check for check in report.checks if check.name == name)
    wrong = really_wrong(right, given)
    np.testing.assert_array_equal(found.verdict == WRONG_ENTRY, wrong)
    assert report.worst.input == name and wrong[report.worst.index]


@pytest.mark.parametrize("name", RULES)
def test_each_rule_is_accepted_and_each_distortion_of_it_rejected(name):
    rule = RULES[name]
    grads, grad_out = gradients(rule)
    report = gradcheck(rule.f, rule.inputs, grads, grad_out=grad_out)
    assert report and not report.kinks, repr(report)
    for key, right in grads.items():
        for distort in DISTORTIONS.values():
            given = distort(right)
            if not really_wrong(right, given).any():
                continue  # a gradient of ones in float16 is the same
            wrong = {**grads, key: given}
            report = gradcheck(rule.f, rule.inputs, wrong, grad_out=grad_out)
            named(report, key, right, given)


# --- the traps of 04 to 06 ------------------------------------------------------------


class Net:
    """Two layers and a softmax, whose way back may contain a trap."""

    def __init__(self, trap: str = "", activation: str = "tanh"):
        self.trap, self.activation = trap, activation
        self.inputs = {
            "X": draw(N, D),
            "W1": draw(D, D) / 2,
            "b1": draw(D) / 2,
            "W2": draw(D, K),
            "b2": draw(K),
        }

    def forward(self, X, W1, b1, W2, b2):
        """The loss, and what is kept for the way back."""
        z = X @ W1 + b1
        h = {"tanh": F.tanh, "relu": F.relu, "sigmoid": F.sigmoid}[self.activation](z)
        return F.softmax_cross_entropy(h @ W2 + b2, labels), z, h, h @ W2 + b2

    def loss(self, X, W1, b1, W2, b2):
        """The loss alone."""
        return self.forward(X, W1, b1, W2, b2)[0]

    def local_slope(self, z, h):
        """σ′ of the activation, or what a trap makes of it."""
        if self.trap in ("T18", "T19"):
            return {"T18": h * (1 - h), "T19": h >= 0}[self.trap]
        one = {"tanh": 1 - h * h, "relu": z > 0, "sigmoid": h * (1 - h)}
        return one[self.activation]

    def backward(self):
        """The gradients by hand, with the trap in its place."""
        X, W1, _, W2, _ = self.inputs.values()
        _, z, h, logits = self.forward(**self.inputs)
        dlogits = F.softmax_cross_entropy_vjp(1.0, logits, labels)
        dlogits = dlogits * {"T15 forgotten": N, "T15 twice": 1 / N}.get(self.trap, 1)
        if self.trap == "T22":
            dlogits = np.tile(dlogits.sum(0), (N, 1))
        if self.trap == "T21":
            dlogits = F.softmax_cross_entropy_vjp(1.0, F.softmax(logits), labels)
        dW2, db2 = h.T @ dlogits, dlogits.sum(0)
        later = W2 - 0.1 * dW2 if self.trap == "T25" else W2
        dz = (dlogits @ later.T) * self.local_slope(z, h)
        dW1 = (X.T @ dz).T if self.trap == "T16" else X.T @ dz
        db1 = dz[0] if self.trap == "T15 batch" else dz.sum(0)
        grads = {"X": dz @ W1.T, "W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
        if self.trap == "T23":  # what the batch before has left behind
            grads |= {name: 2 * grads[name] for name in ("W1", "b1", "W2", "b2")}
        return grads


# Which gradients a trap spoils.
EARLY, ALL = {"X", "W1", "b1"}, {"X", "W1", "b1", "W2", "b2"}
TRAPS = {
    "T15 forgotten": ("tanh", ALL),
    "T15 twice": ("tanh", ALL),
    "T15 batch": ("tanh", {"b1"}),
    "T16": ("tanh", {"W1"}),
    "T18": ("tanh", EARLY),
    "T19": ("relu", EARLY),
    "T21": ("tanh", ALL),
    "T22": ("tanh", ALL),
    "T23": ("tanh", {"W1", "b1", "W2", "b2"}),
    "T25": ("tanh", EARLY),
}


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_the_network_without_traps_is_right(activation):
    net = Net(activation=activation)
    assert gradcheck(net.loss, net.inputs, net.backward())
    rng = np.random.default_rng(0)
    assert check_directions(net.loss, net.inputs, net.backward(), rng)


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_rejected_in_the_inputs_that_it_spoils(trap):
    activation, spoilt = TRAPS[trap]
    net, right = Net(trap, activation), Net("", activation).backward()
    given = net.backward()
    report = gradcheck(net.loss, net.inputs, given)
    assert {check.name for check in report.checks if not check} == spoilt
    assert really_wrong(right[report.worst.input], given[report.worst.input])[
        report.worst.index
    ]
    assert not check_directions(net.loss, net.inputs, given, np.random.default_rng(0))
    for name in sorted(spoilt):  # and each alone, beside right ones
        alone = {**right, name: given[name]}
        named(gradcheck(net.loss, net.inputs, alone), name, right[name], given[name])


def all_at_once(f: Callable, x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """T7: every entry is nudged at the same time."""
    return np.full(x.shape, (f(x + h) - f(x - h)) / (2 * h))


def in_float32(x: np.ndarray) -> np.ndarray:
    """T12: forward differences of Σ tanh in float32, with the usual step."""
    x, h = x.astype(np.float32), np.float32(1e-5)
    return ((np.tanh(x + h) - np.tanh(x)) / h).astype(float)


def half_wide(x, y):
    """T14: (N, 1) − (N,) is (N, N)."""
    return ((x - y) ** 2).mean()


x54, column = draw(N, D), draw(N, 1)
MORE_TRAPS = {
    "T7 one slope for all": (
        lambda x: np.tanh(x).sum(), x54, lambda x: 1 - np.tanh(x) ** 2,
        lambda x: all_at_once(lambda v: np.tanh(v).sum(), x),
    ),
    "T8 errors that cancel": (
        lambda x: np.tanh(x).sum(), x54, lambda x: 1 - np.tanh(x) ** 2,
        lambda x: 1 - np.tanh(x) ** 2 + np.resize([1e-4, -1e-4], x.shape),
    ),
    "T9 zero where it is tiny": (
        lambda x: 1e-7 * np.tanh(x).sum(), x54, lambda x: 1e-7 / np.cosh(x) ** 2,
        np.zeros_like,
    ),
    "T9 zero beside a large loss": (
        lambda x: 1 + 1e-9 * np.tanh(x).sum(), x54, lambda x: 1e-9 / np.cosh(x) ** 2,
        np.zeros_like,
    ),
    "T11 zero at zero": (
        lambda W: F.softmax_cross_entropy(draw(N, D) @ W, labels), np.zeros((D, K)),
        lambda W: draw(N, D).T @ F.softmax_cross_entropy_vjp(1, draw(N, D) @ W, labels),
        np.zeros_like,
    ),
    "T12 in float32": (
        lambda x: np.tanh(x).sum(), x54, lambda x: 1 - np.tanh(x) ** 2, in_float32,
    ),
    "T13 no slope of the kink": (
        lambda x: np.maximum(x, 0).sum(), np.array([-1.0, 0, 2]),
        lambda x: np.array([0, 0.5, 1]), lambda x: np.array([0, 1.5, 1]),
    ),
    "T13 a tie shared three ways": (
        lambda x: x.max(), np.array([3.0, 1, 3]),
        lambda x: np.array([1, 0, 1]) / 2, lambda x: np.array([1, 1, 1]) / 2,
    ),
    "T14 a mean over (N, N)": (
        lambda x: half_wide(x, column[:, 0]), column,
        lambda x: 2 * (x - column.mean()) / N, lambda x: 2 * (x - column) / N + 0.01,
    ),
    "T20 softmax without its maximum": (
        lambda x: F.softmax_cross_entropy(x, labels), 1000 * draw(N, K),
        lambda x: F.softmax_cross_entropy_vjp(1.0, x, labels),
        lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True),
    ),
    "0.1 % at a scale of 1e-150": (
        lambda x: float(1e-150 * np.sin(x).sum()), x54, lambda x: 1e-150 * np.cos(x),
        lambda x: entry(1.001)(1e-150 * np.cos(x)),
    ),
    "0.1 % at a scale of 1e150": (
        lambda x: float(1e150 * np.sin(x).sum()), x54, lambda x: 1e150 * np.cos(x),
        lambda x: entry(1.001)(1e150 * np.cos(x)),
    ),
    "a saturated sigmoid, taken to be flat": (
        lambda x: F.sigmoid(x).sum(), np.array([-41.5]), lambda x: np.exp(x),
        np.zeros_like,
    ),
    "a gate that is shut, taken to be open": (
        lambda x: 1e-9 * np.maximum(x - 1, 0).sum(), np.array([0.5, 2, 3]),
        lambda x: np.array([0, 1e-9, 1e-9]), lambda x: np.full(3, 1e-9),
    ),
    "no axes": (lambda x: x**3, np.array(2.0), lambda x: 3 * x**2, lambda x: 12.012),
}  # fmt: skip


@pytest.mark.parametrize("trap", MORE_TRAPS)
def test_more_traps_are_rejected_at_the_entries_that_are_wrong(trap):
    f, x, right, spoilt = MORE_TRAPS[trap]
    assert gradcheck(f, {"x": x}, {"x": right(x)})
    with np.errstate(all="ignore"):
        given = np.asarray(spoilt(x))
    named(gradcheck(f, {"x": x}, {"x": given}), "x", np.asarray(right(x)), given)


SHAPES = {
    "T10 (N, 1) as (N,)": lambda grad: grad[:, 0],
    "T10 (N, 1) as (1, N)": lambda grad: grad.T,
    "T10 one number for all": lambda grad: grad.mean(),
    "T17 broadcast not undone": lambda grad: np.tile(grad, (1, D)) / D,
    "no entries": lambda grad: grad[:0],
}


@pytest.mark.parametrize("trap", SHAPES)
def test_a_gradient_of_another_shape_is_rejected(trap):
    f = lambda b: np.tanh(b + draw(N, D)).sum()  # noqa: E731
    right = (1 - np.tanh(column + draw(N, D)) ** 2).sum(1, keepdims=True)
    assert gradcheck(f, {"b": column}, {"b": right})
    report = gradcheck(f, {"b": column}, {"b": SHAPES[trap](right)})
    assert not report and report.worst[:2] == ("b", None)
    assert "WRONG SHAPE" in repr(report)


def single(x):
    return np.tanh(x.astype(np.float32)).astype(float)


FLOAT32 = {
    "a layer in float32": lambda x: (single(x) ** 2).sum(),
    "weights in float32": lambda x: single(x @ draw(D, H)).sum(),
    "a sum in float32": lambda x: np.tanh(x).sum(dtype="f"),
    "a constant away": lambda x: float(1 + single(x).mean()),
}  # fmt: skip


@pytest.mark.parametrize("how", FLOAT32)
def test_float32_inside_is_never_called_right(how):
    report = gradcheck(FLOAT32[how], {"x": x54}, {"x": np.ones_like(x54)})
    assert not report
    assert "float32" in repr(report)


def test_where_a_zero_hides_everything_nothing_is_said_to_be_verified():
    """At W2 = 0 the first layer's gradient is 0, right or missing: no check can see."""
    net = Net()
    net.inputs["W2"] = np.zeros((D, K))
    report = gradcheck(net.loss, net.inputs, net.backward())
    assert report
    for name in ("X", "W1", "b1"):
        assert f"both gradients of {name} are zero throughout: nothing was" in repr(
            report
        )
    assert "all entries of W2 are zero" in repr(report)


# --- right gradients ------------------------------------------------------------------

three = np.array([1.0, -2.0, 0.5])
corner = np.array([0.0, 1.0, -1.0])
RIGHT: dict[str, tuple] = {}  # what f is, f, x, its gradient


def right(what: str, f: Callable, x, grad) -> None:
    """Enter a row of the table."""
    assert what not in RIGHT
    RIGHT[what] = f, x, grad


for _p in (1.05, 1.1, 1.2, 1.25, 1.3, 1.5, 1.75, 2.0, 2.5):
    _bends = {
        "max(x, 0)": (lambda x, p=_p: (np.maximum(x, 0) ** p).sum(), [0, _p, 0]),
        "|x|": (lambda x, p=_p: (np.abs(x) ** p).sum(), [0, _p, -_p]),
        "±|x|": (lambda x, p=_p: (np.sign(x) * np.abs(x) ** p).sum(), [0, _p, _p]),
        "3 x + max(x, 0)": (
            lambda x, p=_p: (3 * x + np.maximum(x, 0) ** p).sum(),
            [3, 3 + _p, 3],
        ),
    }
    for _name, (_f, _grad) in _bends.items():
        right(f"{_name} to the power of {_p} at 0", _f, corner, np.array(_grad))
        right(f"{_name} to the power of {_p} at 0 alone", _f, 0.0, float(_grad[0]))
    for _d in (1e-3, 1e-6, 1e-9, 1e-12):
        _x = np.array([1 + _d, 2.0])
        right(
            f"max(x − 1, 0) to the power of {_p} at 1 + {_d}",
            lambda x, p=_p: (np.maximum(x - 1, 0) ** p).sum(),
            _x,
            _p * (_x - 1) ** (_p - 1),
        )

for _s in (1e-300, 1e-200, 1e-100, 1e-50, 1e-8, 1e8, 1e50, 1e100, 1e140):
    right(f"x² at {_s:g}", lambda x: (x * x).sum(), _s * three, 2 * _s * three)
    right(f"Σ x at {_s:g}", lambda x: x.sum(), _s * three, np.ones(3))
    right(f"log at {_s:g}", lambda x: np.log(x), _s, 1 / _s)
    right(f"√x at {_s:g}", lambda x: np.sqrt(x), _s, 0.5 / np.sqrt(_s))
    right(
        f"{_s:g} sin x", lambda x, s=_s: s * np.sin(x).sum(), three, _s * np.cos(three)
    )
    right(
        f"tanh(x / {_s:g})",
        lambda x, s=_s: np.tanh(x / s).sum(),
        _s * three,
        (1 - np.tanh(three) ** 2) / _s,
    )

for _z in (-800, -745, -300, -100, -40, -20, -5, 0, 5, 20, 36, 40, 100, 800):
    _up, _down = float(F.sigmoid(_z)), float(F.sigmoid(-_z))
    right(f"sigmoid at {_z}", lambda x: F.sigmoid(x), float(_z), _up * _down)
    _steep = float(4 * F.sigmoid(2 * _z) * F.sigmoid(-2 * _z))
    right(f"tanh at {_z}", np.tanh, float(_z), _steep)
    right(
        f"binary cross-entropy at {_z}",
        lambda x: F.binary_cross_entropy_with_logits(x, np.ones(1)),
        np.array([float(_z)]),
        np.array([-_down]),
    )
    right(
        f"softmax cross-entropy at {_z}",
        lambda x: F.softmax_cross_entropy(x, np.array([0])),
        np.array([[0.0, _z]]),
        np.array([[-_up, _up]]),
    )

RIGHT |= {
    "empty": (lambda x: x.sum(), np.zeros((0, 3)), np.zeros((0, 3))),
    "empty, three axes": (lambda x: (x * x).sum(), np.zeros((2, 0, 3)),
                          np.zeros((2, 0, 3))),
    "no axes": (lambda x: x**3, np.array(2.0), np.array(12.0)),
    "constant": (lambda x: 7.0, three, np.zeros(3)),
    "zero": (lambda x: 0.0, three, np.zeros(3)),
    "x⁰": (lambda x: (x**0).sum(), corner, np.zeros(3)),
    "all of max tie": (lambda x: x.max(), np.ones(5), np.full(5, 0.2)),
    "ties in rows": (lambda x: x.max(1).sum(), np.array([[1.0, 1, 0], [2, 2, 2]]),
                     np.array([[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]])),
    "nearly a tie": (lambda x: x.max(), np.array([1, 1 + 1e-9]), np.array([0.0, 1])),
    "|x| at 0": (lambda x: np.abs(x).sum(), np.zeros(3), np.array([-1.0, 0, 1])),
    "|x| at 0 on a slope": (lambda x: (1e-9 * np.abs(x) + x).sum(), np.zeros(1),
                            np.ones(1)),
    "1e8 |x|": (lambda x: 1e8 * np.abs(x).sum(), np.zeros(2), np.array([0, 1e8])),
    "1e6 + |x|": (lambda x: 1e6 + np.abs(x).sum(), np.zeros(2), np.array([0.0, 1])),
    "a kink at 1000": (lambda x: np.maximum(x - 1e3, 0).sum(), np.array([1e3]),
                       np.zeros(1)),
    "two kinks at once": (lambda x: abs(x) + np.maximum(x, 0), 0.0, 0.5),
    "a kink and slow bends": (lambda x: abs(x) + abs(x) ** 1.2, 0.0, 0.9),
    "hinge": (lambda x: np.maximum(1 - x, 0).sum(), np.array([1.0, 0, 2]),
              np.array([0.0, -1, 0])),
    "clip": (lambda x: np.clip(x, 0, 1).sum(), np.array([1.0, 0, 2, 0.5]),
             np.array([0.0, 0, 0, 1])),
    "leaky relu": (lambda x: np.where(x > 0, x, x / 100).sum(), corner,
                   np.array([0.01, 1, 0.01])),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))).sum(), corner,
            np.array([1, 1, np.exp(-1)])),
    "Huber": (lambda x: np.where(abs(x) < 1, x * x / 2, abs(x) - 0.5).sum(),
              np.array([1.0, 0, -1, 2]), np.array([1.0, 0, -1, 1])),
    "the norm at 0": (lambda x: np.sqrt((x * x).sum()), np.zeros(3), np.zeros(3)),
    "the norm": (lambda x: np.sqrt((x * x).sum()), np.array([3.0, 4, 0]),
                 np.array([0.6, 0.8, 0])),
    "relu of biases at 0": (lambda b: F.relu(np.zeros((4, 3)) + b).mean(),
                            np.zeros(3), np.zeros(3)),
    "layer norm of equal entries": (
        lambda x: (F.layer_norm(x, np.ones(3), np.zeros(3)) * np.arange(3)).sum(),
        np.ones((2, 3)),
        np.array([[-1, 0, 1], [-1, 0, 1]]) / np.sqrt(1e-5),
    ),
    "fast waves": (lambda x: np.sin(1e4 * x).sum(), np.array([1.0, 0.3]),
                   1e4 * np.cos(1e4 * np.array([1.0, 0.3]))),
    "a small sum of large numbers": (lambda x: (x + 1e5).sum() - 3e5, three,
                                     np.ones(3)),
    "a mean of many": (lambda x: (x * x).mean(), np.linspace(-1, 1, 2000),
                       np.linspace(-1, 1, 2000) / 1000),
}  # fmt: skip


@pytest.mark.parametrize("what", RIGHT)
def test_a_right_gradient_is_never_called_wrong(what):
    f, x, grad = RIGHT[what]
    with np.errstate(all="ignore"):
        report = gradcheck(lambda x: float(f(x)), x, grad)
    assert report, repr(report)


def test_a_saturated_cross_entropy_is_never_called_wrong():
    """Its value is what is left of numbers near 40: few digits, or a staircase."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        N, K, gap = rng.integers(1, 4), rng.integers(2, 11), rng.uniform(15, 45)
        z, labels = rng.normal(size=(N, K)), rng.integers(0, K, N)
        z *= rng.choice([0.1, 1, 3])
        z[np.arange(N), labels] = z.max(axis=1) + gap
        z += rng.choice([0, 10, -30])
        grad = F.softmax_cross_entropy_vjp(1.0, z, labels)
        report = gradcheck(partial(F.softmax_cross_entropy, labels=labels), z, grad)
        assert report, f"gap {gap}: {report!r}"


def test_a_wrong_cross_entropy_is_found_as_long_as_its_digits_last():
    z, labels = np.array([[15.0, 0.3, -1.2]]), np.array([0])
    grad = F.softmax_cross_entropy_vjp(1.0, z, labels)
    f = partial(F.softmax_cross_entropy, labels=labels)
    assert gradcheck(f, z, grad)
    assert not gradcheck(f, z, grad * [[1, 1.01, 1]])


def test_the_tables_are_as_large_as_they_are_said_to_be():
    rules = sum(len(rule.inputs) for rule in RULES.values())
    assert rules == 39 and rules * len(DISTORTIONS) == 429
    traps = sum(1 + len(spoilt) for _, spoilt in TRAPS.values())
    assert traps + len(MORE_TRAPS) + len(SHAPES) + len(FLOAT32) >= 60
    assert len(RIGHT) >= 200
