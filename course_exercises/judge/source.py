"""The source of a registered function, and functions made by editing it."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

_REGISTERED = re.compile(r"\A(@ex\.[^\n]*\n)+")


@cache
def source_of(function: Callable) -> str:
    """The source of a function or class, without how it is registered. Plumbing."""
    source = textwrap.dedent(inspect.getsource(function)).strip()
    return _REGISTERED.sub("", source)


def defined(source: str | ast.Module, like: Callable) -> Any:
    """Run the source of a function where another one stands; give it. Plumbing."""
    names = dict(vars(sys.modules[like.__module__]))
    exec(compile(source, f"<slip of {like.__name__}>", "exec"), names)  # our own source
    return names[like.__name__]


def edited(right: Callable, edits: Mapping[str, str]) -> Any:
    """Make a function of another one's source, some characters changed. Plumbing.

    Raises ValueError where the characters do not occur exactly once.
    """
    source = source_of(right)
    for old, new in edits.items():
        if (count := source.count(old)) != 1:
            raise ValueError(
                f"{right.__name__}: expected {old!r} once in its source, found it "
                f"{count} times; write down more of what stands around it"
            )
        source = source.replace(old, new)
    return defined(source, right)
