"""What Numba does for us: a function of ours, compiled with all that it calls."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any


def numba() -> Any:
    """The module `numba`; ImportError says in one sentence what is missing. Plumbing.

    It is imported where it is needed: nothing else of the course asks for it.
    """
    try:
        import numba
    except ImportError as error:
        raise ImportError(
            "notebook 12 compiles with Numba, which is not installed here: "
            "python -m pip install numba brings it, and 00 to 11 work without"
        ) from error
    return numba


@cache
def compiled(function: Callable, error_model: str = "python") -> Callable:
    """Compile a function with Numba, and with it every function of Python it calls.

    Numba compiles a function as it stands, when it is first called, anew for each kind
    of arguments. What it cannot do is call a function that is not compiled: so those
    that the code names are compiled as well. With `error_model="numpy"` a division by
    zero gives inf; else it raises ZeroDivisionError.
    Raises ImportError if there is no Numba. Taught in: 12_compiled_tape.
    """
    names = function.__globals__
    for name in function.__code__.co_names:
        if isinstance(called := names.get(name), FunctionType):
            names = names | {name: compiled(called, error_model)}
    code, defaults, cells = "__code__", "__defaults__", "__closure__"
    parts = [getattr(function, part) for part in (code, defaults, cells)]
    copy = FunctionType(parts[0], names, function.__name__, *parts[1:])
    fast = getattr(function, "fastmath", False)
    return numba().njit(error_model=error_model, fastmath=fast)(copy)


def plus(a: float, b: float) -> float:
    """Sum a + b as a summand of a long sum, whose order is left to the compiler.

    Then it adds up eight partial sums at a time, as NumPy and BLAS do.
    Plumbing.
    """
    return a + b


plus.fastmath = {"reassoc", "nsz"}
