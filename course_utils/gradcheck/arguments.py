"""What comes in, looked at before the first nudge: every mistake in one sentence."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import numpy as np

TORCHS = "torch tensor that requires grad"


def paired(f, inputs, grads):
    """Names, float64 copies of the inputs, and gradients: three lists of one length.

    Plumbing.
    """
    if isinstance(inputs, Mapping):
        names, values = list(inputs), list(inputs.values())
        grads = _grads_of_dict(names, grads)
    elif isinstance(inputs, (list, tuple)):
        names, values = _names(f, len(inputs)), list(inputs)
        grads = _grads_of_sequence(len(values), grads)
    else:
        names, values = _names(f, 1), [inputs]
        grads = _grads_of_one(grads)
    if not values:
        raise ValueError("expected at least one input to check, found none")
    arrays = list(map(float_copy, names, values))
    return names, arrays, list(map(_gradient, names, grads))


def _names(f, count: int) -> list[str]:
    """The names of f's parameters, or "input 0", … where it does not tell."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in plain]
    return (
        names[:count] if len(names) >= count else [f"input {i}" for i in range(count)]
    )


def _grads_of_dict(names, grads) -> list:
    if not isinstance(grads, Mapping):
        raise ValueError(
            "inputs is a dict, so grads must be a dict with the same names; found "
            f"{type(grads).__name__}"
        )
    missing = [n for n in names if n not in grads]
    surplus = [n for n in grads if n not in names]
    if missing or surplus:
        raise ValueError(
            f"expected one gradient for each of {names}; missing: {missing}, "
            f"without an input: {surplus}"
        )
    return [grads[n] for n in names]


def _grads_of_sequence(count: int, grads) -> list:
    if not isinstance(grads, (list, tuple)):
        raise ValueError(
            f"inputs is a sequence of {count}, so grads must be a list or tuple of "
            f"{count}; found {type(grads).__name__}"
        )
    if len(grads) != count:
        raise ValueError(
            f"expected {count} gradients, one an input; found {len(grads)}"
        )
    return list(grads)


def _grads_of_one(grads) -> list:
    if isinstance(grads, (Mapping, list, tuple)):
        raise ValueError(
            "inputs is one array, so grads must be one array; found "
            f"{type(grads).__name__}. For several inputs pass both as lists or dicts"
        )
    return [grads]


def float_copy(name: str, x) -> np.ndarray:
    """A contiguous float64 copy of an input, or an error that says what is amiss.

    Plumbing.
    """
    if node := _node_in(x):
        raise TypeError(
            f"{name} holds a {node}; expected an array of floats: pass its "
            f"{_content(node)}, and let f make a {node} of the array that it gets"
        )
    x = np.asarray(x)
    if x.dtype.kind in "iub":
        raise TypeError(
            f"{name} holds integers ({x.dtype}): a nudge of 6e-06 would be rounded "
            "away. Pass floats (1.0 for 1, x.astype(float)); labels and indices have "
            "no gradient: keep them out of inputs, as in lambda W: loss(W, labels)"
        )
    if x.dtype.kind != "f":
        raise TypeError(
            f"{name}: expected an array of floats, found dtype {x.dtype}; pass "
            "numbers, as in np.array([1.0, 2.0])"
        )
    if not np.all(np.isfinite(x)):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise ValueError(
            f"{name} is {x[where]} at index {where}: there is no slope at such a "
            "point; check at finite values"
        )
    return np.array(x, dtype=np.float64, order="C")


def _gradient(name: str, grad) -> np.ndarray:
    """A gradient as an array: wrong it may be, missing it must not."""
    if grad is None:
        raise ValueError(
            f"the gradient of {name} is None: did backward run, and does it reach "
            f"{name}?"
        )
    if node := _node_in(grad):
        raise TypeError(
            f"the gradient of {name} holds a {node}; expected an array of numbers: "
            f"pass {name}.grad, or the {_content(node)} of what holds the gradient"
        )
    grad = np.asarray(grad)
    if grad.dtype.kind not in "fiu":
        raise TypeError(
            f"gradient of {name}: expected an array of numbers, found dtype "
            f"{grad.dtype}; pass what backward left in .grad"
        )
    return grad


def as_number(f, names, arrays, grad_out):
    """A function without arguments that computes the scalar; its value; if in float32.

    f is called twice, to see that it leaves its inputs alone and keeps its answer.
    Plumbing.
    """
    before = [a.copy() for a in arrays]
    first = f(*arrays)
    float32 = getattr(first, "dtype", None) in (np.float32, np.float16)
    if grad_out is None:
        value = lambda: number(f(*arrays))  # noqa: E731
        middle = number(first)
    else:
        weights = float_copy("grad_out", grad_out)
        _refuse_shape(tuple(np.shape(_plain(first))), weights.shape)
        value = lambda: float(np.vdot(_plain(f(*arrays)), weights))  # noqa: E731
        middle = float(np.vdot(first, weights))
    refuse_changes(names, arrays, before)
    _refuse_chance(middle, value())
    return value, middle, float32


def number(out, kind: type = float):
    """The result of f as a Python number, or an error that says how to get one.

    Plumbing.
    """
    if kind is float and isinstance(out, float):  # the usual case, which comes often
        return float(out)
    if np.ndim(_plain(out)):
        raise ValueError(
            f"expected one number from f, found an array of shape {np.shape(out)}: sum "
            "or average it, or pass grad_out, an array of this shape, to check "
            "Σ f·grad_out"
        )
    if kind is float and np.iscomplexobj(out):
        raise TypeError("expected a real number from f, found a complex one")
    if not (hasattr(out, "__float__") or hasattr(out, "__complex__")):
        raise TypeError(
            f"expected one number from f, found {type(out).__name__}: let it return "
            "the value of the loss, as a float or as an array without axes"
        )
    if kind is complex and not np.isfinite(complex(out)):
        raise ValueError(f"f is {complex(out)} beside x: mend f before its gradient")
    return kind(out)


def _plain(out):
    """What f returned, if it is neither forgotten nor a node of a tape."""
    if out is None:
        raise TypeError(
            "expected a number from f, found None: does f end without a return?"
        )
    if node := _node_in(out):
        raise TypeError(
            f"expected plain numbers from f, found a {node}: let it return its "
            f"{_content(node)}, as in loss{_content(node)}"
        )
    return out


def _node_in(x) -> str:
    """The name of its class if x is a node of a tape, or an array or list of such."""
    if isinstance(x, np.ndarray) and x.dtype == object and x.size:
        x = x.flat[0]
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    if all(hasattr(x, name) for name in ("data", "op", "inputs")):
        return type(x).__name__
    return TORCHS if getattr(x, "requires_grad", False) is True else ""


def _content(node: str) -> str:
    """How to get at the numbers in a node."""
    return ".detach()" if node == TORCHS else ".data"


def given_steps(flat, h: float):
    """The step h for every entry, if it is one that moves every entry. Plumbing."""
    if not h > 0:
        raise ValueError(f"the step h must be positive, found {h}")
    if np.any(flat + h == flat - h):
        raise ValueError(
            f"the step h = {h:g} vanishes beside an entry of size "
            f"{np.max(np.abs(flat)):g}; take a larger one, or leave h out"
        )
    return np.full(flat.shape, float(h))


def _refuse_shape(found, expected) -> None:
    if found != expected:
        raise ValueError(
            f"grad_out has shape {expected}, but f gives shape {found}; "
            "they must be equal"
        )


def refuse_changes(names, arrays, before) -> None:
    """Raise ValueError if f has changed one of its inputs. Plumbing."""
    for name, now, then in zip(names, arrays, before, strict=True):
        if not np.array_equal(now, then):
            raise ValueError(
                f"f changed its input {name} in place; let it work on a copy, as in "
                f"{name} = {name} + 1 instead of {name} += 1"
            )


def _refuse_chance(first: float, second: float) -> None:
    if first != second and not np.isnan(first):
        raise ValueError(
            f"f gave {first!r}, then {second!r} for the same inputs: a slope cannot be "
            "measured through chance or memory. Make its random generator anew "
            "inside f, or switch the randomness off"
        )
