"""gradcheck judges functions of any engine, with errors of any kind."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
import torch

from course_utils.gradcheck import KINK, check_directions, gradcheck, numerical_gradient

PARTS = {"PyTorch": "torch", "JAX": "jax"}


class Lost(Exception):
    """An engine's own error, which no other engine knows."""


@pytest.mark.parametrize("engine", PARTS)
def test_the_how_to_for_other_engines(engine):
    module = pytest.importorskip(PARTS[engine])
    text = gradcheck.__doc__
    start = text.index(f"{engine}") if engine == "JAX" else text.index("In PyTorch")
    end = text.index("JAX computes") if engine == "PyTorch" else text.index("Raises")
    names = {"np": np, "gradcheck": gradcheck, PARTS[engine]: module}
    names["x"] = np.array([0.5, -1.0])
    test = doctest.DocTestParser().get_doctest(text[start:end], names, engine, None, 0)
    assert len(test.examples) > 2
    result = doctest.DocTestRunner().run(test)
    assert (result.failed, result.attempted) == (0, len(test.examples))


def inside(x, f, low, high):
    """f where all entries lie between low and high; Lost elsewhere."""
    if np.any(x < low) or np.any(x > high):
        raise Lost("out of bounds")
    return f(x)


def test_an_error_beside_the_point_is_named_and_nothing_said():
    """As of a loss whose labels must not leave [0, 1], at a label of 1."""
    x, y = np.array([0.3, 1.0]), np.array([2.0, 3.0])

    def f(x, y):
        return inside(x, lambda x: float(x @ x + y @ y), 0, 1)

    report = gradcheck(f, {"x": x, "y": y}, {"x": 2 * x, "y": 2 * y})
    bounded, free = report.checks
    assert not report and "CANNOT SAY" in repr(report)
    assert "raises Lost beside it (out of bounds)" in bounded.noisy
    assert free, "the other input is judged, at the same point as before"
    np.testing.assert_allclose(free.numeric, 2 * y)


def test_an_error_at_the_point_is_the_callers():
    with pytest.raises(Lost, match="out of bounds"):
        gradcheck(lambda x: inside(x, np.sum, 0, 1), np.array([2.0]), np.ones(1))


def test_a_wrong_shape_is_said_where_f_raises_too():
    def f(x):
        return inside(x, lambda x: float(np.sum(x)), 0, 1)

    report = gradcheck(f, np.array([1.0]), np.ones((1, 1)))
    assert report.checks[0].reason.startswith("shape (1, 1)")


@pytest.mark.parametrize("error", [Lost, RuntimeError, KeyError, AssertionError])
def test_the_second_look_leaves_out_what_raises(error):
    """Its large steps leave the place where f is defined; the small ones tell."""

    def f(x):
        if abs(x[0] - 1) > 0.01 or abs(x[1] - 1) > 0.01:
            raise error("too far")
        return float(abs(x[0] - 1) + abs(x[1] - 1) + x[0] ** 2)

    x = np.ones(2)
    report = gradcheck(f, x, np.array([1.5, 0.5]))
    assert report and (report.checks[0].verdict == KINK).all()
    assert not gradcheck(f, x, np.array([3.1, 0.5]))
    rng = np.random.default_rng(0)
    assert check_directions(lambda x: f(x) + 0.0, x + 0.005, np.array([3.01, 1.0]), rng)


def test_a_numerical_gradient_passes_errors_on():
    with pytest.raises(Lost):
        numerical_gradient(lambda x: inside(x, math.fsum, 0, 1), np.array([1.0]))


def test_a_gradient_of_torch_is_judged_entry_by_entry():
    x = np.random.default_rng(0).standard_normal((3, 4))
    leaf = torch.tensor(x, requires_grad=True)
    torch.logsumexp(leaf, 1).sum().backward()
    grad = leaf.grad.numpy().copy()

    def f(x):
        return torch.logsumexp(torch.from_numpy(x), 1).sum().item()

    assert gradcheck(f, x, grad)
    grad[1, 2] *= 1.001
    report = gradcheck(f, x, grad)
    assert not report and report.worst.index == (1, 2)
