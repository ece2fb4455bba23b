"""Slips of the pen inside a computation: the right source with one thing changed.

General mistakes are made on the whole result. Deeper inside, the reference itself tells
what can go wrong: each operator, axis and transposition of its source is changed once.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import chain, islice, product
from typing import Any

from . import mixups
from .exercise import INCOMING
from .mixups import Slip, set_to
from .source import defined, source_of

_ONE, _NOTHING = ast.Constant(1.0), ast.Constant(0.0)
_BY = ast.Mult | ast.Div


def _operator(node: ast.BinOp) -> Iterator[Slip]:
    if isinstance(node.op, ast.Add | ast.Sub):
        yield from _powers(node)
        yield from _too_wide(node)
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "inner-sign", set_to("op", other)
        if isinstance(node.op, ast.Add):
            yield "product-for-sum", set_to("op", ast.Mult())
        yield "inner-sign", set_to("left", ast.UnaryOp(ast.USub(), node.left))
        for side in ("left", "right"):
            for factor in (2.0, 0.5):
                yield "inner-two", set_to(side, _times(factor, getattr(node, side)))
    if isinstance(node.op, ast.Mult):
        yield _missing(node.left), set_to("left", _ONE)
        yield "sum-for-product", set_to("op", ast.Add())
    if isinstance(node.op, ast.Mult | ast.Div):
        yield from _partly(node)
        yield from _partly_below(node)
        yield _missing(node.right), set_to("right", _ONE)
    if isinstance(node.op, _BY):
        yield from mixups.of_product(node)
    if isinstance(node.op, ast.Div):
        yield "upside-down", set_to("op", ast.Mult())
    if isinstance(node.op, ast.Pow):
        yield "power-missing", set_to("right", _ONE)
        yield from mixups.of_power(node)
        for term in _terms(node.left):
            yield "brackets", partial(_power_on, term=term)
    if isinstance(node.op, ast.MatMult):
        yield "entrywise", set_to("op", ast.Mult())
        yield "factors-exchanged", _exchanged


def _missing(factor: ast.expr) -> str:
    return "incoming-partly" if _comes_in(factor) else "factor-missing"


def _terms(total: ast.expr) -> tuple[str, ...]:
    """The sides of a sum; none of anything else."""
    is_sum = isinstance(total, ast.BinOp) and isinstance(total.op, ast.Add | ast.Sub)
    return ("left", "right") if is_sum else ()


def _too_wide(total: ast.BinOp) -> Iterator[Slip]:
    """Brackets around the sum and the factors beside it, of its last or first term."""
    for depth, _ in enumerate(_spine(total.right), start=1):
        yield "brackets", partial(_taken_in, depth=depth)
    left = total.left
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
        inside = ast.BinOp(left.right, total.op, total.right)
        yield "brackets", mixups.become(ast.BinOp(left.left, left.op, inside))


def _spine(term: ast.expr) -> Iterator[ast.BinOp]:
    """A product, the product on its left, and so on."""
    while isinstance(term, ast.BinOp) and isinstance(term.op, _BY):
        yield term
        term = term.left


def _taken_in(total: ast.BinOp, depth: int) -> None:
    term = total.right
    *_, lowest = islice(_spine(term), depth)
    lowest.left = ast.BinOp(total.left, total.op, lowest.left)
    mixups.become(term)(total)


def _powers(total: ast.BinOp) -> Iterator[Slip]:
    """The power of one term is taken of the whole sum."""
    for side in ("left", "right"):
        term = getattr(total, side)
        if isinstance(term, ast.BinOp) and isinstance(term.op, ast.Pow):
            yield "brackets", partial(_power_of_all, side=side)


def _power_of_all(total: ast.BinOp, side: str) -> None:
    term = getattr(total, side)
    setattr(total, side, term.left)
    inside = ast.BinOp(total.left, total.op, total.right)
    total.left, total.op, total.right = inside, term.op, term.right


def _power_on(node: ast.BinOp, term: str) -> None:
    """The power of a sum is taken of one of its terms."""
    total = node.left
    powered = ast.BinOp(getattr(total, term), node.op, node.right)
    setattr(total, term, powered)
    mixups.become(total)(node)


def _exchanged(node: ast.BinOp) -> None:
    node.left, node.right = node.right, node.left


def _times(factor: float, value: ast.expr) -> ast.BinOp:
    return ast.BinOp(ast.Constant(factor), ast.Mult(), value)


def _collected(node: ast.AugAssign) -> Iterator[Slip]:
    """Slips at one `+=` or `-=`: a factor, or what was there is written over."""
    if not isinstance(node.op, ast.Add | ast.Sub):
        return
    other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    yield "inner-sign", set_to("op", other)
    for factor in (2.0, 0.5):
        yield "inner-two", set_to("value", _times(factor, node.value))
    yield "assigned", _written_over


def _written_over(node: ast.AugAssign) -> None:
    """Make an assignment of the statement, in its place."""
    minus = isinstance(node.op, ast.Sub)
    value = ast.UnaryOp(ast.USub(), node.value) if minus else node.value
    node.__class__, node.targets, node.value = ast.Assign, [node.target], value


def _minus(node: ast.UnaryOp) -> Iterator[Slip]:
    if isinstance(node.op, ast.USub):
        yield "inner-sign", set_to("op", ast.UAdd())


def _attribute(node: ast.Attribute) -> Iterator[Slip]:
    if node.attr == "T":
        yield "argument-transposed", set_to("attr", "real")  # which is the array itself
    if node.attr in ("sum", "mean"):
        other = {"sum": "mean", "mean": "sum"}[node.attr]
        yield "mean-or-sum", set_to("attr", other)


def _keyword(node: ast.keyword) -> Iterator[Slip]:
    if node.arg == "axis":
        for axis in (0, 1, None):
            name = "axis-missing" if axis is None else "axis"
            yield name, set_to("value", ast.Constant(axis))
    if node.arg == "keepdims":
        yield "keepdims", set_to("value", ast.Constant(value=False))


def _subscript(node: ast.Subscript) -> Iterator[Slip]:
    """Leave out the new axis in `v[:, None]`."""
    index = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
    if any(isinstance(one, ast.Constant) and one.value is None for one in index):
        yield "axis", set_to("slice", ast.Constant(...))
    yield from mixups.of_subscript(node)


def _partly(node: ast.BinOp) -> Iterator[Slip]:
    """A factor, or a division, meets one term of a sum alone."""
    sides = ("left", "right") if isinstance(node.op, ast.Mult) else ("left",)
    for side in sides:
        total, factor = getattr(node, side), {"left": node.right, "right": node.left}
        name = "incoming-partly" if _comes_in(factor[side]) else "brackets"
        for term in _terms(total):
            yield name, _distributed(total, factor[side], term)


def _distributed(total: ast.BinOp, by: ast.expr, term: str) -> Callable[[Any], None]:
    def change(node: ast.BinOp) -> None:
        terms = {"left": total.left, "right": total.right}
        terms[term] = ast.BinOp(terms[term], node.op, by)
        node.left, node.op, node.right = terms["left"], total.op, terms["right"]

    return change


def _sums_in(product: ast.expr) -> Iterator[ast.BinOp]:
    """The sums among the factors of a product, and above its fraction lines."""
    if not isinstance(product, ast.BinOp):
        return
    if isinstance(product.op, ast.Add | ast.Sub):
        yield product
    if isinstance(product.op, ast.Mult | ast.Div):
        yield from _sums_in(product.left)
    if isinstance(product.op, ast.Mult):
        yield from _sums_in(product.right)


def _partly_below(node: ast.BinOp) -> Iterator[Slip]:
    """The last factor, or division, of a product meets one term of a sum in it."""
    if not isinstance(node.left.op if isinstance(node.left, ast.BinOp) else None, _BY):
        return
    name = "incoming-partly" if _comes_in(node.right) else "brackets"
    for k, _ in enumerate(_sums_in(node.left)):
        for term in ("left", "right"):
            yield name, partial(_moved_in, k=k, term=term)


def _moved_in(node: ast.BinOp, k: int, term: str) -> None:
    total = next(islice(_sums_in(node.left), k, None))
    setattr(total, term, ast.BinOp(getattr(total, term), node.op, node.right))
    mixups.become(node.left)(node)


def _parsed(source: str) -> ast.Module:
    """The tree of a function, with a mark wherever it uses the gradient that comes in.

    A variable of its own may have the same name.
    """
    tree = ast.parse(source)
    given = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            node.comes_in = node.id in INCOMING and node.id in given
    return tree


def _comes_in(node: ast.AST) -> bool:
    return getattr(node, "comes_in", False)


def _used_elsewise(source: str) -> Iterator[tuple[str, ast.Module]]:
    """Where what comes in is used several times: a 1, or its square, in one place."""
    count = sum(map(_comes_in, ast.walk(_parsed(source))))
    names = "incoming-partly", "incoming-twice"
    for name, k in product(names, range(count if count > 1 else 0)):
        slipped = _parsed(source)
        use = [node for node in ast.walk(slipped) if _comes_in(node)][k]
        it = ast.Name(use.id, ast.Load())
        square = ast.BinOp(it, ast.Mult(), it)
        ones = ast.BinOp(ast.BinOp(it, ast.Mult(), _NOTHING), ast.Add(), _ONE)
        mixups.become(ones if name == names[0] else square)(use)
        yield name, slipped


_SLIPS = {
    ast.AugAssign: _collected,
    ast.BinOp: _operator,
    ast.Subscript: _subscript,
    ast.UnaryOp: _minus,
    ast.Attribute: _attribute,
    ast.keyword: _keyword,
    ast.Call: mixups.of_call,
    ast.Compare: mixups.of_comparison,
    ast.For: mixups.of_loop,
    ast.Slice: mixups.of_slice,
    ast.comprehension: mixups.of_loop,
}


class _Assigned(ast.NodeTransformer):
    """Make every `+=` an `=`."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.Assign:  # noqa: D102
        return ast.Assign([node.target], node.value)


def _changed(source: str, only: tuple[str, ...]) -> Iterator[tuple[str, ast.Module]]:
    """Give the tree with one slip at a time, and its id."""
    tree = _parsed(source)
    for k, node in enumerate(ast.walk(tree)):
        found = _SLIPS.get(type(node), lambda node: ())(node)
        for place, name in enumerate([name for name, _ in found]):
            if not only or name in only:
                yield name, _slipped(source, k, place)
    elsewise = chain(
        _used_elsewise(source), mixups.written_out(source), _all_assigned(source)
    )
    yield from (made for made in elsewise if not only or made[0] in only)
    for name, node, other in mixups.mixed_up(tree):
        if not only or name in only:
            own, node.id, tree.detail = node.id, other, other
            yield name, tree  # which is made a function of before the next is asked for
            node.id = own


def _all_assigned(source: str) -> Iterator[tuple[str, ast.Module]]:
    tree = ast.parse(source)
    if any(isinstance(node, ast.AugAssign) for node in ast.walk(tree)):
        yield "assigned", _Assigned().visit(tree)


def _with(source: str, k: int, change: Callable[[Any], None]) -> ast.Module:
    """A tree of its own (to parse is faster than to copy), changed at node k."""
    tree = _parsed(source)
    change(next(islice(ast.walk(tree), k, None)))
    return tree


def _slipped(source: str, k: int, place: int) -> ast.Module:
    """The tree with one of the slips that node k allows."""

    def change(node: Any) -> None:
        _, slip = next(islice(_SLIPS[type(node)](node), place, None))
        slip(node)

    return _with(source, k, change)


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

    With `only`, those of certain ids. Each has a `detail`: a name in the place of
    another, or nothing.
    """
    made = []
    for name, tree in _changed(_source(reference), only):
        # A definition that does not even run is no slip.
        with contextlib.suppress(Exception):
            function = defined(ast.fix_missing_locations(tree), reference)
            function.detail = getattr(tree, "detail", "")
            made.append((name, function))
    return made
