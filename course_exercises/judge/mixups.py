"""Slips that put one name, index, function or bound in the place of another.

Each is made at one node of a syntax tree; `slips.py` makes functions of them.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

# A name in the place of another: too many of them to be believed beside a factor.
ALONE = ("other-variable", "indices", "index-fixed", "comparison")
Slip = tuple[str, Callable[[Any], None]]  # an id, and what it does to a node
_MARK = "__a_sum_stands_here__"
_INSTEAD = {  # what is taken for each other
    **{"cos": ("sin", "tan"), "sin": ("cos",), "exp": ("log",), "log": ("exp", "log2")},
    **{"sigmoid": ("tanh",), "tanh": ("sigmoid",), "softmax": ("log_softmax",)},
    **{"maximum": ("minimum",), "minimum": ("maximum",), "max": ("min",)},
    **{"argmax": ("argmin",), "sqrt": ("square",), "zeros": ("ones",)},
    **{"zeros_like": ("ones_like",), "std": ("var",), "sum": ("max",)},
}
_ASIDE = (  # no step of a computation: to leave them out, or take them twice, is none
    *("array", "asarray", "arange", "eye", "zeros", "ones", "zeros_like", "ones_like"),
    *("len", "range", "sum", "zip", "reversed", "list", "enumerate", "copy", "float"),
)


def set_to(name: str, value: Any) -> Callable[[Any], None]:
    """Make a change that gives a node another part. Plumbing."""
    return lambda node: setattr(node, name, value)


def become(other: ast.AST) -> Callable[[Any], None]:
    """Make a change that puts another expression in the place of a node. Plumbing."""

    def change(node: ast.AST) -> None:
        node.__class__, node.__dict__ = other.__class__, dict(vars(other))

    return change


# --- functions and bounds -------------------------------------------------------------


def of_call(node: ast.Call) -> Iterator[Slip]:
    """A function left out, or taken twice; a loop that begins or ends elsewhere."""
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name == "range":
        yield from _ranges(node.args)
    if node.args and isinstance(node.args[0], ast.Name) and name not in _ASIDE:
        minus = ast.UnaryOp(ast.USub(), node.args[0])
        yield "inner-sign", set_to("args", [minus, *node.args[1:]])
    for other in _INSTEAD.get(name, ()):
        yield "other-function", _renamed(other)
    if len(node.args) == 1 and not node.keywords and name not in _ASIDE:
        yield "function-missing", become(node.args[0])
        again = ast.Call(node.func, node.args, [])
        yield "function-twice", set_to("args", [again])
        (inside,) = node.args
        if isinstance(inside, ast.BinOp) and isinstance(inside.op, ast.Pow):
            of_base = ast.Call(node.func, [inside.left], [])
            yield "power-inside", become(ast.BinOp(of_base, inside.op, inside.right))


def _renamed(other: str) -> Callable[[Any], None]:
    """Call another function of the same module."""

    def change(call: ast.Call) -> None:
        part = "attr" if isinstance(call.func, ast.Attribute) else "id"
        setattr(call.func, part, other)

    return change


def _ranges(bounds: list[ast.expr]) -> Iterator[Slip]:
    first = [ast.Constant(0)] if len(bounds) == 1 else bounds[:1]
    last, step = bounds[:2][-1], bounds[2:]
    for k, by in ((0, 1), (1, -1), (1, 1)):
        pair = [*first, last]
        pair[k] = ast.BinOp(pair[k], ast.Add(), ast.Constant(by))
        yield "off-by-one", set_to("args", [*pair, *step])


def of_loop(node: ast.comprehension | ast.For) -> Iterator[Slip]:
    """A loop over numbers written down that leaves out the first or the last."""
    if isinstance(node.iter, ast.Tuple) and len(node.iter.elts) > 1:
        for some in (node.iter.elts[1:], node.iter.elts[:-1]):
            yield "off-by-one", set_to("iter", ast.Tuple(some, ast.Load()))


def of_slice(node: ast.Slice) -> Iterator[Slip]:
    """A slice that begins one later or ends one earlier."""
    for side, bound, by in (("lower", node.lower, 1), ("upper", node.upper, -1)):
        moved = ast.Constant(by)
        if bound is not None:
            moved = ast.BinOp(bound, ast.Add(), moved)
        yield "off-by-one", set_to(side, moved)


def of_comparison(node: ast.Compare) -> Iterator[Slip]:
    """A comparison the wrong way round."""
    turned = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE}
    if len(node.ops) == 1 and type(node.ops[0]) in turned:
        yield "comparison", set_to("ops", [turned[type(node.ops[0])]()])


def of_product(node: ast.BinOp) -> Iterator[Slip]:
    """A factor that comes in twice, or divides where it multiplies."""
    if isinstance(node.op, ast.Mult):
        yield "upside-down", become(ast.BinOp(node.left, ast.Div(), node.right))
        yield "upside-down", become(ast.BinOp(node.right, ast.Div(), node.left))
    for side in ("left", "right"):
        factor = getattr(node, side)
        if isinstance(factor, ast.Name | ast.Subscript):
            square = ast.BinOp(factor, ast.Mult(), factor)
            comes_in = getattr(factor, "comes_in", False)
            yield "incoming-twice" if comes_in else "factor-twice", set_to(side, square)


def of_power(node: ast.BinOp) -> Iterator[Slip]:
    """The power of a function's result, taken of what goes into it."""
    call = node.left
    if isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords:
        inside = ast.BinOp(call.args[0], node.op, node.right)
        yield "power-inside", become(ast.Call(call.func, [inside], []))


# --- brackets -------------------------------------------------------------------------


def written_out(source: str) -> Iterator[tuple[str, ast.Module]]:
    """A sum written in the place of its name, without the brackets that it needs.

    Plumbing. It is done with the text, as a student does it.
    """
    nodes = list(ast.walk(ast.parse(source)))
    named = [node for node in nodes if isinstance(node, ast.Assign)]
    for k, node in enumerate(nodes):
        for one in named if _read(node) else ():
            if _is_sum(one.value) and ast.unparse(one.targets[0]) == node.id:
                tree = ast.parse(source)
                next(islice(ast.walk(tree), k, None)).id = _MARK
                text = ast.unparse(tree).replace(_MARK, ast.unparse(one.value))
                with contextlib.suppress(SyntaxError):  # it may be written to
                    yield "brackets", ast.parse(text)


def _is_sum(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


# --- names and indices ----------------------------------------------------------------


def of_subscript(node: ast.Subscript) -> Iterator[Slip]:
    """Two indices exchanged, or one that stands still."""
    pair = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
    if len(pair) == 2 and all(isinstance(one, ast.Name) for one in pair):
        yield "indices", set_to("slice", ast.Tuple(pair[::-1], ast.Load()))
        for fixed in ([ast.Constant(0), pair[1]], [pair[0], ast.Constant(0)]):
            yield "index-fixed", set_to("slice", ast.Tuple(fixed, ast.Load()))
    if not isinstance(node.slice, ast.Name):
        return
    first = node.value.slice if isinstance(node.value, ast.Subscript) else None
    if isinstance(first, ast.Name):
        yield "indices", _exchange
    yield "index-fixed", set_to("slice", ast.Constant(0))


def _exchange(node: ast.Subscript) -> None:
    inner = ast.Subscript(node.value.value, node.slice, ast.Load())
    node.value, node.slice = inner, node.value.slice


def mixed_up(tree: ast.Module) -> Iterator[tuple[str, ast.Name, str]]:
    """Where one name may stand for another: an id, the node, the other name.

    Plumbing. Indices are exchanged for indices, and values for values.
    """
    nodes = list(ast.walk(tree))
    counting = dict.fromkeys(name for node in nodes for name in _targets(node))
    values = [name for name in dict.fromkeys(_bound(nodes)) if name not in counting]
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        if not _read(node) or id(node) in called:
            continue
        own = node.id
        kind = "indices" if own in counting else "other-variable"
        others = counting if own in counting else values
        if own in others:
            yield from ((kind, node, name) for name in others if name != own)


def _read(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _targets(node: ast.AST) -> Iterator[str]:
    """The names that a loop counts with."""
    if isinstance(node, ast.comprehension | ast.For) and isinstance(
        node.target, ast.Name
    ):
        yield node.target.id


def _bound(nodes: list[ast.AST]) -> Iterator[str]:
    """The names of arguments, and of what is assigned."""
    for node in nodes:
        if isinstance(node, ast.arg):
            yield node.arg
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
