"""The general mistakes: made in every gradient, and written down once.

A general mistake is a sentence with an id (`SENTENCES`). Where the wrong numbers can be
made from any right function, it is also the way to make them: a factor (`SCALES`) or a
change of the function (`changes`). All others are written by hand with an exercise.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .comparing import as_array, parts
from .exercise import Exercise

Arrays = list[np.ndarray | None]  # one for each output; None: nothing to say about it
Compute = Callable[[tuple], Arrays]
MOST_ENTRIES = 256  # of a gradient that is looked at entry by entry


class Sentence(NamedTuple):
    """What a tutor says about a general mistake, and where it is explained. Plumbing.

    A place that lies ahead of the exercise's notebook is not named.
    """

    says: str
    where: str = ""


_SHAPE = "05_vectorized_backprop#The rules, by shape"
_BIAS = "05_vectorized_backprop#The bias: a sum over the rows"
_LOSS = "05_vectorized_backprop#The loss: mean squared error"
_CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
_FORKS = "01_chain_rule#Forks add"
_CAST = "07_array_tape#A broadcast, and how to undo it"
_VJP = "05_vectorized_backprop#One form for every rule: the vjp"
_TWICE = "06_layers_and_losses#Two layers that go wrong"
_CHECK = "04_gradient_checking#What no check can see"
_DIGITS = "04_gradient_checking#The case of the missing six per cent"
_COMPARE = "04_gradient_checking#How to compare, and how not to"

SENTENCES = {
    # factors
    "sign": Sentence(
        "The sign is reversed: every number is the right one times −1. Look for a "
        "minus that got lost, or one too many: a difference has an inner derivative.",
        _CHAIN,
    ),
    "double": Sentence(
        "Every number is twice the right one. A factor of 2 came in twice, or does not "
        "belong here.",
        _CHAIN,
    ),
    "half": Sentence(
        "Every number is half the right one. A factor of 2 is missing: what does a "
        "square become when it is differentiated?",
        _LOSS,
    ),
    "mean-forgotten": Sentence(
        "Every number is N times too large, for N examples. Over the examples there is "
        "a mean, and its 1/N is missing here (or a sum was taken once too often).",
        _LOSS,
    ),
    "mean-twice": Sentence(
        "Every number is N times too small, for N examples. A division by N is too "
        "much here: the 1/N of a mean comes in once, at the loss, and nowhere else.",
        _LOSS,
    ),
    "sum-for-mean": Sentence(
        "Every number is too large by the number of entries. This is the result for a "
        "sum over all entries; a mean divides by how many they are.",
        _LOSS,
    ),
    "entries-twice": Sentence(
        "Every number is too small by the number of entries. A division by the number "
        "of entries is too much here; a mean divides once.",
        _LOSS,
    ),
    "columns-times": Sentence(
        "Every number is too large by the number of columns. A mean over each row has "
        "lost its division, or was taken for a sum.",
        _LOSS,
    ),
    "columns-th": Sentence(
        "Every number is too small by the number of columns. Somewhere a mean divides "
        "by the length of a row, which does not belong here.",
        _LOSS,
    ),
    "mean-axis": Sentence(
        "The mean divides by the number of columns instead of the number of examples. "
        "Which axis holds the examples?",
        _LOSS,
    ),
    "factor": Sentence(
        "The numbers point in the right direction, but all of them are wrong by one "
        "and the same factor. Look for a constant that is missing or too much.",
        _CHAIN,
    ),
    "length": Sentence(
        "The direction is right and the length is not: the factor changes from input "
        "to input. Look for a division or a product that depends on the data or the "
        "shape.",
        _COMPARE,
    ),
    # changes of the function
    "transposed": Sentence(
        "Rows and columns are exchanged: this is the right result, transposed. A "
        "gradient has the shape of what it is the gradient of.",
        _SHAPE,
    ),
    "argument-transposed": Sentence(
        "A matrix is used with rows and columns exchanged: a transposition is missing "
        "or too much. Where the matrix is square nobody complains, so write down the "
        "shape of each factor.",
        _SHAPE,
    ),
    "axis": Sentence(
        "The axes are confused: it works along the other axis than it should. Ask "
        "which axis numbers the examples, and which one has to remain.",
        _BIAS,
    ),
    "incoming-ignored": Sentence(
        "The gradient that comes in is not used: the result is right only where all of "
        "it is 1. The chain rule multiplies by what comes from behind.",
        _VJP,
    ),
    "incoming-added": Sentence(
        "The gradient that comes in is added, where the chain rule multiplies. Along a "
        "path, prices multiply; it is several paths that add.",
        _CHAIN,
    ),
    "incoming-twice": Sentence(
        "The gradient that comes in is multiplied in twice. Each step of the chain "
        "rule uses it once.",
        _VJP,
    ),
    "assigned": Sentence(
        "Only the last contribution is left. What is used several times gets a "
        "gradient from each use, and they add; here each one overwrites the one "
        "before.",
        _FORKS,
    ),
    "first-only": Sentence(
        "Only the first example counts; the others leave no trace. Does a loop end too "
        "early (a `return` inside it), or is there an index 0 too much?",
        _BIAS,
    ),
    "first-missing": Sentence(
        "The first example is left out. Where does the loop, or the slice, begin?",
        _BIAS,
    ),
    "last-missing": Sentence(
        "The last example is left out. Where does the loop, or the slice, end?",
        _BIAS,
    ),
    "broadcast": Sentence(
        "A broadcast is not undone: what was copied for many entries has to collect "
        "the gradient of every copy. The result must have the shape of the input it "
        "belongs to.",
        _CAST,
    ),
    "summed-over-batch": Sentence(
        "The examples are mixed: the rows are added up, although each example has a "
        "gradient of its own here. Sum only over what was shared.",
        _BIAS,
    ),
    "summed-up": Sentence(
        "Everything is added up into one number: one axis too many is summed. Which "
        "axis has to remain?",
        _BIAS,
    ),
    "returns-input": Sentence(
        "One of the inputs comes back as it is. What has to be done to it is missing.",
        _CHAIN,
    ),
    "other-output": Sentence(
        "This is the right number for another one of the results. Look at the order in "
        "which they are returned.",
    ),
    "order": Sentence(
        "All results are right, but they are returned in another order than asked for.",
    ),
    "extra-axis": Sentence(
        "The numbers are right, but their shape is not: an axis of length 1 is too "
        "much or missing. `keepdims`, slices and `reshape` make such axes, and a later "
        "operation would broadcast along them.",
        _CAST,
    ),
    "other-shape": Sentence(
        "The right numbers stand in an array of another shape. A gradient has the "
        "shape of what it is the gradient of.",
        _SHAPE,
    ),
    # one slip inside the computation
    "inner-sign": Sentence(
        "Somewhere inside, a plus stands where a minus belongs, or the reverse. All "
        "else is right. Go through the signs of each sum once more.",
        _CHAIN,
    ),
    "inner-two": Sentence(
        "One term of a sum is twice or half as large as it should be; all else is "
        "right. Where does a 2 come from, or get lost?",
        _CHAIN,
    ),
    "factor-missing": Sentence(
        "One factor is missing inside the computation; the rest is right. Along a path "
        "all local derivatives are multiplied: which one is not there?",
        _CHAIN,
    ),
    "sum-for-product": Sentence(
        "Somewhere inside, two numbers are added that have to be multiplied. Along a "
        "path, prices multiply; it is several paths that add.",
        _CHAIN,
    ),
    "upside-down": Sentence(
        "Somewhere inside, a division and a multiplication are exchanged. Look at what "
        "stands below the fraction line.",
        _CHAIN,
    ),
    "power-missing": Sentence(
        "A power is missing inside the computation: something is used as it is that "
        "has to be squared.",
        _CHAIN,
    ),
    "mean-or-sum": Sentence(
        "Somewhere inside, a mean stands where a sum belongs, or the reverse. They "
        "differ by the number of terms.",
        _LOSS,
    ),
    # what shows in the numbers alone
    "zero": Sentence(
        "All numbers are zero. Is something computed and not returned, or multiplied "
        "by a zero?",
        _CHECK,
    ),
    "constant": Sentence(
        "The result does not depend on the input: it is the same number everywhere. A "
        "formula has to replace it.",
        _CHECK,
    ),
    "not-finite": Sentence(
        "Some numbers are not finite: `nan` or `inf`. Look for a division by zero, the "
        "logarithm of a number that is not positive, or an exponential too large.",
        "06_layers_and_losses#From logits",
    ),
    "float32": Sentence(
        "Right to about seven digits: somewhere it is computed in float32, or by a "
        "difference instead of a formula. Keep float64 for checks.",
        _DIGITS,
    ),
    "imprecise": Sentence(
        "Nearly right, and yet too far off for rounding alone. Is there a small number "
        "(an eps, a step) that does not belong into the formula?",
        _DIGITS,
    ),
    "in-place": Sentence(
        "It changes one of its inputs: `+=`, `*=` and `x[...] = …` work on the array "
        "of the one who called. Others still need these numbers; work on a copy.",
        _TWICE,
    ),
    "square-only": Sentence(
        "It works only where all matrices are square. Equal dimensions hide a wrong "
        "axis or a wrong transposition, so test with unequal ones.",
        _SHAPE,
    ),
    "single-example": Sentence(
        "It fails where there is one example only. Does `squeeze`, or an index, lose "
        "the axis of the batch?",
        _SHAPE,
    ),
    "single-only": Sentence(
        "It is right where there is one example only. What has to happen when there "
        "are several?",
        _BIAS,
    ),
    # written by hand with the exercises, told here
    "activation-missing": Sentence(
        "The derivative of the activation is missing: the gradient goes back through "
        "it as if it were not there.",
        "06_layers_and_losses#Activations",
    ),
    "at-output": Sentence(
        "The derivative is taken at the wrong place. A formula in terms of the output "
        "needs the output, one in terms of the input needs the input.",
        "06_layers_and_losses#Activations",
    ),
}

# --- factors --------------------------------------------------------------------------


def _columns(args: tuple) -> int:
    """The length of a row in the first matrix."""
    return next((a.shape[-1] for a in args if np.ndim(a) > 1), 1)


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
    if len(small) < len(shape):
        return True
    return len(small) == len(shape) and all(
        s in (1, n) for s, n in zip(small, shape, strict=True)
    )


def _not_summed(reduce: Callable[[np.ndarray], np.ndarray]) -> Callable:
    """Make a change for outputs that collect entries: leave them, or collect "
    "wrongly.
    """

    def make(compute: Compute, exercise: Exercise) -> Compute:
        def wrong(args: tuple) -> Arrays:
            shape = np.shape(args[exercise.incoming])
            results = []
            for part in contributions(compute, exercise, args):
                local = part.sum(axis=tuple(range(len(shape), part.ndim)))
                collects = _fits(part.shape[len(shape) :], shape)
                results.append(reduce(local) if collects else None)
            return results

        return wrong

    return make


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
    Change("broadcast", _from_shares(lambda s: s)),
    Change("assigned", _from_shares(lambda s: s[-1])),
    Change("first-only", _from_shares(lambda s: s[0])),
    Change("first-missing", _from_shares(lambda s: s[1:].sum(0))),
    Change("last-missing", _from_shares(lambda s: s[:-1].sum(0))),
    Change("axis", _from_shares(lambda s: s.sum(1) if s.ndim == 2 else None)),
    Change("summed-over-batch", _over_batch(spread=True)),
    Change("summed-over-batch", _over_batch(spread=False)),
    Change("summed-up", _each(lambda y: y.sum() if y.ndim else None)),
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


def quietly(compute: Compute, args: tuple) -> Arrays | None:
    """Compute with copies, without warnings; None where it cannot be. Plumbing."""
    try:
        with np.errstate(all="ignore"):
            results = compute(copy.deepcopy(args))
        return [None if np.asarray(y).dtype == object else y for y in results]
    except Exception:  # a wrong function may fail in any way
        return None
