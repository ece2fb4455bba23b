"""Slips of the pen inside a computation: the right source with one thing changed.

General mistakes are made on the whole result. Deeper inside, the reference itself tells
what can go wrong: each operator, axis and transposition of its source is changed once.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from .exercise import INCOMING
from .source import defined, source_of

Slip = tuple[str, Callable[[Any], None]]  # an id, and what it does to a node
_ONE = ast.Constant(1.0)


def _set(name: str, value: Any) -> Callable[[Any], None]:
    return lambda node: setattr(node, name, value)


def _operator(node: ast.BinOp) -> Iterator[Slip]:
    if isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "inner-sign", _set("op", other)
        yield "inner-sign", _set("left", ast.UnaryOp(ast.USub(), node.left))
        for side in ("left", "right"):
            for factor in (2.0, 0.5):
                yield "inner-two", _set(side, _times(factor, getattr(node, side)))
    if isinstance(node.op, ast.Mult):
        yield from _incoming(node)
        yield "factor-missing", _set("left", _ONE)
        yield "sum-for-product", _set("op", ast.Add())
    if isinstance(node.op, ast.Mult | ast.Div):
        yield "factor-missing", _set("right", _ONE)
    if isinstance(node.op, ast.Div):
        yield "upside-down", _set("op", ast.Mult())
    if isinstance(node.op, ast.Pow):
        yield "power-missing", _set("right", _ONE)


def _times(factor: float, value: ast.expr) -> ast.BinOp:
    return ast.BinOp(ast.Constant(factor), ast.Mult(), value)


def _collected(node: ast.AugAssign) -> Iterator[Slip]:
    """Slips at one `+=` or `-=`: a factor, or what was there is written over."""
    if not isinstance(node.op, ast.Add | ast.Sub):
        return
    other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    yield "inner-sign", _set("op", other)
    for factor in (2.0, 0.5):
        yield "inner-two", _set("value", _times(factor, node.value))
    yield "assigned", _written_over


def _written_over(node: ast.AugAssign) -> None:
    """Make an assignment of the statement, in its place."""
    minus = isinstance(node.op, ast.Sub)
    value = ast.UnaryOp(ast.USub(), node.value) if minus else node.value
    node.__class__, node.targets, node.value = ast.Assign, [node.target], value


def _minus(node: ast.UnaryOp) -> Iterator[Slip]:
    if isinstance(node.op, ast.USub):
        yield "inner-sign", _set("op", ast.UAdd())


def _attribute(node: ast.Attribute) -> Iterator[Slip]:
    if node.attr == "T":
        yield "argument-transposed", _set("attr", "real")  # which is the array itself
    if node.attr in ("sum", "mean"):
        other = {"sum": "mean", "mean": "sum"}[node.attr]
        yield "mean-or-sum", _set("attr", other)


def _keyword(node: ast.keyword) -> Iterator[Slip]:
    if node.arg == "axis":
        for axis in (0, 1, None):
            name = "summed-up" if axis is None else "axis"
            yield name, _set("value", ast.Constant(axis))


def _subscript(node: ast.Subscript) -> Iterator[Slip]:
    """Leave out the new axis in `v[:, None]`."""
    index = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
    if any(isinstance(one, ast.Constant) and one.value is None for one in index):
        yield "axis", _set("slice", ast.Constant(...))


def _incoming(node: ast.BinOp) -> Iterator[Slip]:
    """What comes in multiplies one term of a sum alone."""
    for side, other in (("left", "right"), ("right", "left")):
        grad, rest = getattr(node, side), getattr(node, other)
        if isinstance(rest, ast.BinOp) and isinstance(rest.op, ast.Add | ast.Sub):
            if _comes_in(grad):
                for term in ("left", "right"):
                    yield "incoming-partly", _multiplied(grad, rest, term)


def _multiplied(grad: ast.expr, total: ast.BinOp, term: str) -> Callable[[Any], None]:
    def change(node: ast.BinOp) -> None:
        parts = {"left": total.left, "right": total.right}
        parts[term] = ast.BinOp(grad, ast.Mult(), parts[term])
        node.left, node.op, node.right = parts["left"], total.op, parts["right"]

    return change


def _comes_in(node: ast.AST) -> bool:
    loaded = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    return loaded and node.id in INCOMING


def _used_once_less(source: str) -> Iterator[tuple[str, ast.Module]]:
    """Where what comes in is used several times: a 1 in the place of one of them."""
    count = sum(map(_comes_in, ast.walk(ast.parse(source))))
    for k in range(count if count > 1 else 0):
        slipped = ast.parse(source)
        use = [node for node in ast.walk(slipped) if _comes_in(node)][k]
        use.__class__, use.value, use.attr = ast.Attribute, _ones(use), "real"
        yield "incoming-partly", slipped


def _ones(use: ast.Name) -> ast.expr:
    """Ones in the shape of what comes in."""
    nothing = ast.BinOp(ast.Name(use.id, ast.Load()), ast.Mult(), ast.Constant(0.0))
    return ast.BinOp(nothing, ast.Add(), _ONE)


_SLIPS = {
    ast.AugAssign: _collected,
    ast.BinOp: _operator,
    ast.Subscript: _subscript,
    ast.UnaryOp: _minus,
    ast.Attribute: _attribute,
    ast.keyword: _keyword,
}


class _Assigned(ast.NodeTransformer):
    """Make every `+=` an `=`."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.Assign:  # noqa: D102
        return ast.Assign([node.target], node.value)


def _changed(source: str, only: tuple[str, ...]) -> Iterator[tuple[str, ast.Module]]:
    """Give the tree with one slip at a time, and its id."""
    tree = ast.parse(source)
    for k, node in enumerate(ast.walk(tree)):
        found = _SLIPS.get(type(node), lambda node: ())(node)
        for place, name in enumerate([name for name, _ in found]):
            if not only or name in only:
                yield name, _slipped(source, k, place)
    yield from _used_once_less(source)
    if any(isinstance(node, ast.AugAssign) for node in ast.walk(tree)):
        yield "assigned", _Assigned().visit(tree)


def _slipped(source: str, k: int, place: int) -> ast.Module:
    """A tree of its own (to parse is faster than to copy) with one slip at node k."""
    tree = ast.parse(source)
    node = next(islice(ast.walk(tree), k, None))
    _, change = next(islice(_SLIPS[type(node)](node), place, None))
    change(node)
    return tree


def _source(reference: Callable) -> str:
    """The source; none if there is none, or a loop may never end in it."""
    try:
        source = source_of(reference)
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError):
        return ""
    endless = any(isinstance(node, ast.While) for node in ast.walk(tree))
    return "" if endless else source


@cache
def slips(
    reference: Callable, only: tuple[str, ...] = ()
) -> list[tuple[str, Callable]]:
    """All functions that differ from the reference by one slip, with ids. Plumbing.

    With `only`, those of certain ids.
    """
    made = []
    for name, tree in _changed(_source(reference), only):
        # A definition that does not even run is no slip.
        with contextlib.suppress(Exception):
            made.append((name, defined(ast.fix_missing_locations(tree), reference)))
    return made
