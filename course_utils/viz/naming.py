"""What nodes are called in a drawing, and how numbers are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def number(value: Any, digits: int) -> str:
    """Write `digits` significant digits, a real minus sign, and no negative zero.

    Plumbing.
    """
    text = f"{float(value) + 0.0:.{digits}g}"
    return text.replace("-", "−")


def words(data: Any, digits: int) -> str:
    """Write a number as itself, an array as its shape. Plumbing."""
    if np.ndim(data) == 0:
        return number(data, digits)
    return str(np.shape(data))


def grad_words(grad: Any, digits: int) -> str:
    """Write a gradient as ∂ and its value; of an array, its norm. Plumbing."""
    if np.ndim(grad) == 0:
        return f"∂ {number(grad, digits)}"
    return f"‖∂‖ {number(np.linalg.norm(grad), digits)}"


SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

_SYMBOLS = {"relu": "ReLU", "sum": "Σ"}


def symbol(operation: str) -> str:
    """How a drawing writes the name of an operation. Plumbing."""
    exponent = operation.removeprefix("^")
    if exponent != operation and exponent.removeprefix("-").isdigit():
        return f"(·){exponent.translate(SUPERSCRIPTS)}"
    return _SYMBOLS.get(operation, operation.replace("_", " "))


def given_names(nodes: list[Any], names: Mapping[str, Any], who: str) -> dict[int, str]:
    """Give the name of each named node by its id; equal ones are joined by =.

    Raises
    ------
    ValueError : for a name whose node is not among `nodes`.
    TypeError : if `names` is no mapping.

    Plumbing.
    """
    if not isinstance(names, Mapping):
        raise TypeError(f'{who}: names maps names to nodes: {{"x": x, "y": y}}.')
    given: dict[int, list[str]] = {}
    for name, node in names.items():
        if not any(node is x for x in nodes):
            raise ValueError(
                f"{who}: the node named {name!r} is not part of this computation. "
                "Was it made anew after the output was computed?"
            )
        given.setdefault(id(node), []).append(name)
    return {key: " = ".join(same) for key, same in given.items()}


def title(node: Any, name: str) -> str:
    """What a node's box is called: `name`, `operation`, or `name (operation)`.

    Plumbing.
    """
    if node.op is None:
        return name
    sign = symbol(node.op.name)
    if not name or sign.startswith("("):
        return f"{name} {sign}".strip()
    return f"{name} ({sign})"


def kind(node: Any, output: Any) -> str:
    """Tell a constant, a leaf, an operation and the output apart. Plumbing."""
    if node is output:
        return "output"
    if node.op is not None:
        return "operation"
    return "leaf" if node.requires_grad else "constant"


_UNORDERED = {"+", "×"}


def unordered(nodes: list[Any]) -> set[int]:
    """Give the positions of the operations whose inputs may change places. Plumbing."""
    return {i for i, node in enumerate(nodes) if node.op and node.op.name in _UNORDERED}
