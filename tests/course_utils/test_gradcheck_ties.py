"""Ties, and other entries on kinks: they have to be right together."""

from __future__ import annotations

import numpy as np
import pytest

from course_utils import nn
from course_utils.gradcheck import check_directions, gradcheck

A = np.array


def relu(x):
    return np.maximum(x, 0)


# --- ties: moved together -------------------------------------------------------------


def largest(w):
    return w.max()


def pooled(x):
    return x.reshape(2, 2, 2, 2).max(axis=(1, 3)).sum()


ONES, FIRST = np.ones((4, 4)), np.zeros((4, 4))
FIRST[::2, ::2] = 1
TIES = [
    (largest, A([2.0, 2, 1]), A([1.0, 1, 0]), False),
    (largest, A([2.0, 2, 1]), A([0.5, 0.5, 0]), True),
    (largest, A([2.0, 2, 1]), A([0.0, 1, 0]), True),
    (largest, A([2.0, 2, 1]), A([0.0, 0, 0]), False),
    (largest, np.zeros(3), np.ones(3) / 3, True),
    (largest, np.zeros(3), np.zeros(3), False),
    (lambda w: -w.min(), A([1.0, 1, 3]), A([-1.0, -1, 0]), False),
    (lambda w: abs(w[0] - w[1]), np.ones(2), A([1.0, 1.0]), False),
    (lambda w: abs(w[0] - w[1]), np.ones(2), A([0.0, 0.0]), True),
    (lambda w: abs(w[0] - w[1]), np.ones(2), A([-1.0, 1.0]), True),
    (lambda w: relu(w).sum(), np.zeros(4), np.zeros(4), True),
    (lambda w: relu(w).sum(), np.zeros(4), np.ones(4), True),
    (lambda w: relu(w).sum(), np.zeros(4), A([0.0, 1, 0, 1]), True),
    (lambda w: relu(w[0]) - relu(w[1]), np.zeros(2), np.zeros(2), True),
    (lambda w: np.abs(w).sum(), np.zeros(3), np.zeros(3), True),
    (pooled, ONES, ONES, False),
    (pooled, ONES, FIRST, True),
    (pooled, ONES, ONES / 4, True),
]


@pytest.mark.parametrize(("f", "x", "grad", "right"), TIES)
def test_entries_on_kinks_have_to_be_right_together(f, x, grad, right):
    report = gradcheck(f, x, grad)
    assert bool(report) is right, report
    if not right and "choice" in repr(report):
        assert "no choice of sides gives that" in repr(report)


@pytest.mark.parametrize(("f", "x", "grad", "right"), TIES)
def test_directions_never_contradict_the_entries(f, x, grad, right):
    for seed in range(4):
        report = check_directions(f, x, grad, np.random.default_rng(seed), n=8)
        assert bool(report) is right, report


def test_a_tie_between_two_inputs():
    assert gradcheck(max, [2.0, 2.0], [1.0, 0.0])
    assert gradcheck(max, [2.0, 2.0], [0.5, 0.5])
    report = gradcheck(max, [2.0, 2.0], [1.0, 1.0])
    assert not report and "f changes at a rate of 1, where the gradient says 2" in repr(
        report
    )


def test_a_blank_row_in_the_batch():
    """The hidden biases are 0, so that row lies on a kink of each hidden unit."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        net, X, y = (
            nn.MLP([4, 8, 3], rng),
            rng.normal(size=(5, 4)),
            rng.integers(0, 3, 5),
        )
        X[2] = 0
        parameters = net.parameters()
        net(X).softmax_cross_entropy(y).backward()
        arrays = [p.data.copy() for p in parameters]
        grads = [p.grad.copy() for p in parameters]

        def loss(*arrays, net=net, X=X, y=y, parameters=parameters):
            for p, a in zip(parameters, arrays, strict=True):
                p.data = a
            return net(X).softmax_cross_entropy(y).item()

        assert gradcheck(loss, arrays, grads)
        assert check_directions(loss, arrays, grads, rng)
        wrong = [1.001 * grads[0], *grads[1:]]
        assert not gradcheck(loss, arrays, wrong)
        assert not check_directions(loss, arrays, wrong, rng)


def test_smooth_functions_are_called_no_more_often_than_before():
    calls = []

    def f(x):
        calls.append(1)
        return float(np.sum(np.sin(x)))

    x = np.random.default_rng(0).normal(size=50)
    assert gradcheck(f, x, np.cos(x)) and len(calls) <= 2 * 50 + 2
    calls.clear()
    assert check_directions(f, x, np.cos(x), np.random.default_rng(0))
    assert len(calls) <= 2 * 5 + 2


# --- ties with many sides: no entry has a slope of its own ----------------------------


def middle(w):
    return np.median(w)


@pytest.mark.parametrize(
    ("x", "grad", "said"),
    [
        (np.ones(3), A([0.0, 1, 0]), "CANNOT SAY"),
        (np.ones(3), np.ones(3) / 3, "CANNOT SAY"),
        (A([0.0, 1, 1, 1, 3]), A([0.0, 0.3, 0.3, 0.4, 0]), "CANNOT SAY"),
        (np.ones(3), np.ones(3), "WRONG"),  # together they move f by 3, not by 1
        (np.ones(3), A([0.0, 1.5, -0.5]), "WRONG"),
        (A([0.0, 1, 1, 1, 3]), A([0.0, 0.3, 0.3, 0.3, 0]), "WRONG"),
        (A([0.0, 1, 1, 1, 3]), A([0.2, 0.3, 0.3, 0.2, 0]), "WRONG"),
        (A([0.0, 1, 2]), A([0.0, 1.001, 0]), "WRONG"),  # no tie
        (A([0.0, 1, 1]), A([0.0, 0.5, 0.6]), "WRONG"),
    ],
)
def test_of_many_equal_numbers_a_check_says_what_it_knows(x, grad, said):
    report = gradcheck(middle, x, grad)
    assert not report and said in repr(report), report
    if said == "CANNOT SAY":
        assert "check at a point without ties" in repr(report)


def test_a_tie_elsewhere_excuses_no_wrong_entry():
    f = lambda w, v: np.median(w) + (v * v).sum()  # noqa: E731
    x, rng = [np.ones(3), np.ones(4)], np.random.default_rng(0)
    for _ in range(5):
        wrong = 2 * x[1]
        wrong[rng.integers(4)] *= 1.001
        report = gradcheck(f, x, [A([0.0, 1, 0]), wrong])
        assert "WRONG in 1 of 4" in repr(report), report


def test_kinks_near_a_point_are_no_ties():
    near = lambda w: np.maximum(w - 1e-5, 0).sum() + np.sin(w).sum()  # noqa: E731
    x = np.zeros(5)
    assert gradcheck(near, x, np.ones(5))
    report = gradcheck(near, x, A([1.0, 1, 1.5, 1, 1]))
    assert "WRONG in 1 of 5" in repr(report), report


def test_of_very_many_entries_none_is_moved_beside_the_point():
    calls = []
    f = lambda w: calls.append(0) or (w * w).sum()  # noqa: E731
    x = np.ones(201)
    assert not gradcheck(f, x, 2 * x + (np.arange(201) == 7))
    assert len(calls) < 2 * 201 + 200


@pytest.mark.parametrize("slope", [1.01, -0.01, 1.5, -1.0])
def test_an_entry_with_a_kink_of_its_own_is_judged_by_it(slope):
    """Another entry's sides excuse nothing: between 0 and 1 is right, and no more."""
    f = lambda x: np.maximum(x, 0).sum()  # noqa: E731
    for x in ([0.0], [-1.0, 0.0, 2.0]):
        right = (np.array(x) > 0) * 1.0
        report = gradcheck(f, np.array(x), np.where(np.array(x) == 0, slope, right))
        assert "WRONG in 1" in repr(report) and "CANNOT SAY" not in repr(report)
