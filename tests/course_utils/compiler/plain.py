"""Loops of a plan run by Python itself: slow, and without a compiler between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from course_utils.compiler import held, rows, running, scalars, watching


class Plain:
    """A function that needs no compiling."""

    def __init__(self, function: Callable):
        self.function = function

    def __call__(self, *args):
        return self.function(*args)

    def compile(self, kinds: tuple) -> None:
        """Nothing to do."""


@contextmanager
def plain_loops() -> Iterator[None]:
    """Within, plans run their loops as the Python that they are."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (held, rows, running, scalars):
            patch.setattr(module, "compiled", lambda f, *_: Plain(f))
        patch.setattr(watching, "compiles", lambda f, kinds: f.__name__ != "power")
        yield


@pytest.fixture
def plain(request: pytest.FixtureRequest) -> Iterator[None]:
    """Loops as Python, unless the name of a test says that it is about Numba.

    For a whole module: `pytestmark = pytest.mark.usefixtures("plain")`.
    """
    if "numba" in request.node.name:
        yield
        return
    with plain_loops():
        yield
