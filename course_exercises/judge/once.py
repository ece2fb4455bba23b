"""Candidates computed once, on copies, and in silence."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable, Iterator

import numpy as np

Arrays = list[np.ndarray | None]  # one for each output; None: nothing to say about it
Compute = Callable[[tuple], Arrays]


def on_copies(compute: Compute) -> Compute:
    """Compute with copies: a wrong function may change what it is given. Plumbing."""
    return lambda args: compute(tuple(map(_copied, args)))


def _copied(value: object) -> object:
    return value.copy() if type(value) is np.ndarray else copy.deepcopy(value)


class Remembering:
    """A computation that remembers what came out of known inputs. Plumbing.

    And what each example, or each entry of what comes in, gives to it: several general
    mistakes are made of that.
    """

    def __init__(self, compute: Compute, inputs: list[tuple]) -> None:
        self._compute, self._known = compute, {id(args) for args in inputs}
        self._kept: dict[tuple, list | Exception] = {}

    def __call__(self, args: tuple) -> Arrays:
        """Compute, or remember."""
        return self.once("results", args, lambda: self._compute(args))

    def once(self, what: str, args: tuple, make: Callable[[], list]) -> list:
        """Make something of known inputs the first time, and give it again later."""
        if id(args) not in self._known:  # and may be the id of something else later
            return make()
        key = what, id(args)
        if key not in self._kept:
            try:
                self._kept[key] = make()
            except Exception as error:  # a wrong function may fail in any way
                self._kept[key] = error
        if isinstance(self._kept[key], Exception):
            raise self._kept[key]
        return list(self._kept[key])


def once(what: str, compute: Compute, args: tuple, make: Callable[[], list]) -> list:
    """The same for any computation, which may not be able to remember. Plumbing."""
    able = isinstance(compute, Remembering)
    return compute.once(what, args, make) if able else make()


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Let nothing warn: torch and NumPy have much to say of odd slips. Plumbing."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def tried(compute: Compute, args: tuple) -> Arrays | None:
    """Compute, in silence around it; None where it cannot be. Plumbing."""
    try:
        made = compute(args)
        return [None if y is None or y.dtype == object else y for y in made]
    except Exception:  # a wrong function may fail in any way
        return None


def quietly(compute: Compute, args: tuple) -> Arrays | None:
    """Compute without warnings; None where it cannot be. Plumbing."""
    with silence():
        return tried(compute, args)
