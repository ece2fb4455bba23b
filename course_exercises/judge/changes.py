"""General mistakes made from any right function: factors, and changes.

What is said about each stands in `general.py`, under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .comparing import as_array, parts
from .exercise import Exercise
from .once import Arrays, Compute, once

MOST_ENTRIES = 256  # of a gradient that is looked at entry by entry

# --- factors --------------------------------------------------------------------------


def _columns(args: tuple) -> int:
    """The length of a row in the first matrix."""
    return next((np.shape(a)[-1] for a in args if np.ndim(a) > 1), 1)


def _entries(args: tuple) -> int:
    """The number of entries of the first array."""
    return next((np.size(a) for a in args if np.ndim(a) > 0), 1)


SCALES: dict[str, Callable[[Exercise, tuple], float]] = {
    "sign": lambda exercise, args: -1.0,
    "double": lambda exercise, args: 2.0,
    "half": lambda exercise, args: 0.5,
    "mean-forgotten": lambda exercise, args: float(exercise.examples(args)),
    "mean-twice": lambda exercise, args: 1 / exercise.examples(args),
    "sum-for-mean": lambda exercise, args: float(_entries(args)),
    "entries-twice": lambda exercise, args: 1 / _entries(args),
    "columns-times": lambda exercise, args: float(_columns(args)),
    "columns-th": lambda exercise, args: 1 / _columns(args),
}
# Two factors that are one mistake.
_TOGETHER = {frozenset(("mean-forgotten", "columns-th")): ("mean-axis",)}


@dataclass(frozen=True)
class Scale:
    """A product of factors: their ids, and the product for each input. Plumbing."""

    ids: tuple[str, ...]
    values: np.ndarray


def scales(exercise: Exercise, inputs: list[tuple]) -> list[Scale]:
    """All products of none, one or two factors, simple ones first. Plumbing."""
    rows = {
        name: np.array([factor(exercise, args) for args in inputs])
        for name, factor in SCALES.items()
    }
    single = [Scale((name,), row) for name, row in rows.items()]
    double = [
        Scale(
            _TOGETHER.get(frozenset(a.ids + b.ids), a.ids + b.ids), a.values * b.values
        )
        for k, a in enumerate(single)
        for b in single[k + 1 :]
    ]
    one = Scale((), np.ones(len(inputs)))
    double.sort(key=lambda scale: len(scale.ids))
    return [one, *(s for s in single + double if not np.all(s.values == 1))]


# --- changes of a function ------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """A way to make a wrong function of a right one. Plumbing."""

    id: str
    make: Callable[[Compute, Exercise], Compute]


def _replaced(args: tuple, position: int, value: object) -> tuple:
    return (*args[:position], value, *args[position + 1 :])


def _axis(compute: Compute, exercise: Exercise) -> Compute:
    """Work on transposed arguments, and transpose back."""

    def wrong(args: tuple) -> Arrays:
        turned = tuple(a.T if np.ndim(a) == 2 else a for a in args)
        return [y if y is None else y.T for y in compute(turned)]

    return wrong


def _ignored(compute: Compute, exercise: Exercise) -> Compute:
    def wrong(args: tuple) -> Arrays:
        ones = np.ones_like(args[exercise.incoming])
        return compute(_replaced(args, exercise.incoming, ones[()]))

    return wrong


def _twice(compute: Compute, exercise: Exercise) -> Compute:
    def wrong(args: tuple) -> Arrays:
        k = exercise.incoming
        return compute(_replaced(args, k, args[k] * args[k]))

    return wrong


def _added(compute: Compute, exercise: Exercise) -> Compute:
    """Add what comes in to the local derivative, instead of multiplying.

    What comes in goes on as it is where there is no activation, which is one of the
    written mistakes in exercises that have one.
    """
    passed_on = next(
        (m.code for m in exercise.mistakes if m.id == "activation-missing"), None
    )

    def wrong(args: tuple) -> Arrays:
        local = _ignored(compute, exercise)(args)
        if passed_on is None:
            others = [np.asarray(args[exercise.incoming])] * len(local)
        else:
            value = parts(exercise.call(passed_on, *args), exercise.outputs)
            others = [as_array(part) for part in value]
        pairs = zip(local, others, strict=True)
        return [y + g if g.shape in ((), y.shape) else None for y, g in pairs]

    return wrong


def _alone(compute: Compute, exercise: Exercise, args: tuple, n: int) -> Arrays:
    """The outputs if example n is the only one that counts, or the only one at all."""
    k, count = exercise.incoming, exercise.examples(args)
    if k is not None and np.ndim(args[k]) and len(args[k]) == count:
        masked = np.zeros_like(args[k])
        masked[n] = args[k][n]
        return compute(_replaced(args, k, masked))
    one = [a[n : n + 1] if np.ndim(a) and len(a) == count else a for a in args]
    return compute(tuple(one))


def _placed(piece: np.ndarray, like: np.ndarray, n: int) -> np.ndarray:
    """Put the row of an example to its place among zeros, if there are such rows."""
    if piece.shape == like.shape:
        return piece
    whole = np.zeros_like(like, dtype=piece.dtype)
    whole[n] = piece[0]
    return whole


def shares(compute: Compute, exercise: Exercise, args: tuple) -> Arrays:
    """What each example gives to each output: (N, *shape of the output). Plumbing.

    The sum of the shares is the output, with the 1/N of a mean, if there is one.
    """
    return once("shares", compute, args, lambda: _shares(compute, exercise, args))


def _shares(compute: Compute, exercise: Exercise, args: tuple) -> Arrays:
    full, count = compute(args), exercise.examples(args)
    rows = [_alone(compute, exercise, args, n) for n in range(count)]
    stacks = []
    for k, like in enumerate(full):
        pieces = [_placed(row[k], like, n) for n, row in enumerate(rows)]
        stack = np.array(pieces)
        error = np.max(np.abs(stack.mean(0) - like), initial=0.0)
        mean = count > 1 and error <= 1e-9 * np.max(np.abs(like), initial=0.0)
        stacks.append(stack / count if mean else stack)
    return stacks


def _from_shares(reduce: Callable[[np.ndarray], np.ndarray | None]) -> Callable:
    """Make a change that puts the shares of the examples together wrongly."""

    def make(compute: Compute, exercise: Exercise) -> Compute:
        return lambda args: [reduce(s) for s in shares(compute, exercise, args)]

    return make


def _each(reduce: Callable[[np.ndarray], np.ndarray | None]) -> Callable:
    """Make a change that does the same to each output."""

    def make(compute: Compute, exercise: Exercise) -> Compute:
        return lambda args: [y if y is None else reduce(y) for y in compute(args)]

    return make


def contributions(
    compute: Compute, exercise: Exercise, args: tuple
) -> list[np.ndarray]:
    """What each entry of the incoming gradient adds to each output. Plumbing.

    Each result has the shape of the incoming gradient followed by the output's: the sum
    over the former is the output, since a vjp is linear in what comes in.
    """
    grad = args[exercise.incoming]
    if np.ndim(grad) == 0 or np.size(grad) > MOST_ENTRIES:
        raise ValueError("no entries, or too many")
    rows: list[Arrays] = []
    for index in np.ndindex(grad.shape):
        alone = np.zeros_like(grad)
        alone[index] = grad[index]
        rows.append(compute(_replaced(args, exercise.incoming, alone)))
    stacks = [np.array(column) for column in zip(*rows, strict=True)]
    return [s.reshape(grad.shape + s.shape[1:]) for s in stacks]


def _fits(small: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an input of the small shape may have been broadcast to the other."""
    if len(small) != len(shape):
        return len(small) < len(shape)
    pairs = zip(small, shape, strict=True)
    return small != shape and all(s in (1, n) for s, n in pairs)


def _not_summed(reduce: Callable[[np.ndarray], np.ndarray]) -> Callable:
    """Make a change for outputs that collect entries: leave or collect them wrongly."""

    def make(compute: Compute, exercise: Exercise) -> Compute:
        def entries(args: tuple) -> Arrays:
            return _collected(compute, exercise, args)

        def wrong(args: tuple) -> Arrays:
            kept = once("entries", compute, args, lambda: entries(args))
            return [None if local is None else reduce(local) for local in kept]

        return wrong

    return make


def _collected(compute: Compute, exercise: Exercise, args: tuple) -> Arrays:
    """What each entry that comes in gives in all, to outputs that collect entries."""
    shape = np.shape(args[exercise.incoming])
    rest = [
        (part.sum(axis=tuple(range(len(shape), part.ndim))), part.shape[len(shape) :])
        for part in contributions(compute, exercise, args)
    ]
    return [local if _fits(small, shape) else None for local, small in rest]


def _over_batch(spread: bool) -> Callable[[Compute, Exercise], Compute]:
    def make(compute: Compute, exercise: Exercise) -> Compute:
        def wrong(args: tuple) -> Arrays:
            n = exercise.examples(args)
            return [
                None
                if y is None or y.ndim == 0 or len(y) != n
                else np.broadcast_to(y.sum(0), y.shape if spread else y.shape[1:])
                for y in compute(args)
            ]

        return wrong

    return make


def _row(n: int) -> Callable[[Compute, Exercise], Compute]:
    """What belongs to one example alone, where each has a row of its own."""

    def make(compute: Compute, exercise: Exercise) -> Compute:
        def wrong(args: tuple) -> Arrays:
            count = exercise.examples(args)
            return [
                y[n] if y is not None and y.ndim and len(y) == count else None
                for y in compute(args)
            ]

        return wrong

    return make


def _argument_transposed(position: int) -> Callable[[Compute, Exercise], Compute]:
    def make(compute: Compute, exercise: Exercise) -> Compute:
        return lambda args: compute(_replaced(args, position, args[position].T))

    return make


def _input(position: int) -> Callable[[Compute, Exercise], Compute]:
    def make(compute: Compute, exercise: Exercise) -> Compute:
        return lambda args: [np.asarray(args[position])] * max(1, len(exercise.outputs))

    return make


def _rotated(by: int) -> Callable[[Compute, Exercise], Compute]:
    """Give each output the numbers of another one."""

    def make(compute: Compute, exercise: Exercise) -> Compute:
        def wrong(args: tuple) -> Arrays:
            right = compute(args)
            return right[by:] + right[:by]

        return wrong

    return make


_WITH_INCOMING = (
    Change("incoming-ignored", _ignored),
    Change("broadcast", _not_summed(lambda local: local)),
    Change("axis", _not_summed(lambda local: local.sum(-1))),
    Change("axis", _not_summed(lambda local: local.sum(0))),
)
_ALWAYS = (
    Change("transposed", _each(lambda y: y.T if y.ndim > 1 else None)),
    Change("axis", _axis),
    Change("not-summed", _from_shares(lambda s: s)),
    Change("assigned", _from_shares(lambda s: s[-1])),
    Change("first-only", _from_shares(lambda s: s[0])),
    Change("first-missing", _from_shares(lambda s: s[1:].sum(0))),
    Change("last-missing", _from_shares(lambda s: s[:-1].sum(0))),
    Change("axis", _from_shares(lambda s: s.sum(1) if s.ndim == 2 else None)),
    Change("summed-over-batch", _over_batch(spread=True)),
    Change("summed-over-batch", _over_batch(spread=False)),
    Change("summed-up", _each(lambda y: y.sum() if y.ndim else None)),
    Change("summed-away", _each(lambda y: y.sum(-1) if y.ndim > 1 else None)),
    Change("first-only", _row(0)),
    Change("last-only", _row(-1)),
)
_LAST = (Change("incoming-added", _added), Change("incoming-twice", _twice))


def changes(exercise: Exercise, inputs: list[tuple]) -> Iterator[Change]:
    """Give the changes that make sense for an exercise. Plumbing."""
    if exercise.incoming is not None:
        yield from _WITH_INCOMING
    yield from _ALWAYS
    arrays = [k for k, a in enumerate(inputs[0]) if isinstance(a, np.ndarray)]
    for k in arrays:
        if inputs[0][k].ndim == 2:
            yield Change("argument-transposed", _argument_transposed(k))
    for by in range(1, len(exercise.outputs)):
        yield Change("other-output", _rotated(by))
    for k in arrays:
        yield Change("returns-input", _input(k))
    if exercise.incoming is not None:
        yield from _LAST
