"""11.5 · Open challenge: derivatives of derivatives"""

from functools import partial

import numpy as np

from course_exercises.judge import Exercise
from course_utils.tape import Tape
from course_utils.tensor import Tensor

from .shared import grad, torch

ALIKE = "11_pytorch_and_beyond#Where the two behave alike, and where not"
TAPE = "03_tape_engine"
ORDINALS = ("first", "second", "third")
POINTS = np.array([0.3, -0.7, 1.2])

ex = Exercise(
    "11.5",
    "Open challenge: derivatives of derivatives",
    hints=(
        "Walk through `reversed(Tape(y).operations)` as `Tape.backward` does, with "
        "a dictionary from nodes to gradients. What has to be different is what a "
        "gradient *is*.",
        "Let the gradients be `Tensor`s, and write three rules with `Tensor` "
        "operations: one for each `node.op.name`, `+`, `×` and `tanh`.",
        "In the rule of tanh use the node itself, not its `.data`: "
        "`g + g * y * y * -1.0`. It needs `+` and `×` alone, so the result can be "
        "differentiated again by the same three rules.",
    ),
    explanation=(
        "The loop is that of `Tape.backward`; only the rules compute with `Tensor`s, "
        "so the way back is on a tape of its own. The three rules use `+` and `×` "
        "alone, and so they are enough for derivatives of any order."
    ),
)


def _walk(y, x, times=None, tanh=None, plus=None, assign=False):
    rules = {
        "+": plus or (lambda g, y, a, b: (g, g)),
        "×": times or (lambda g, y, a, b: (g * b, g * a)),
        "tanh": tanh or (lambda g, y, a: (g * (y * y * -1.0 + 1.0),)),
    }
    grads = {y: Tensor(np.ones(y.shape))}
    for node in reversed(Tape(y).operations):
        if node not in grads:
            continue
        shares = rules[node.op.name](grads[node], node, *node.inputs)
        for source, share in zip(node.inputs, shares, strict=True):
            known = source in grads and not assign
            grads[source] = grads[source] + share if known else share
    return grads.get(x, Tensor(np.zeros(x.shape)))


def cube(x):
    return x * x * x


def mixed(x):
    return x.tanh() * x + x


def twice_tanh(x):
    return (x * x).tanh() + x.tanh().tanh()


def ramp(x):
    return x.tanh()


FORMULAS = (  # an expression, in words, and its first three derivatives by torch
    (ramp, "tanh(x)"),
    (cube, "x · x · x"),
    (mixed, "tanh(x) · x + x"),
    (twice_tanh, "tanh(x · x) + tanh(tanh(x))"),
)


OFF_THE_TAPE = {ramp: ex.mistakes[3], cube: ex.mistakes[4]}


def derivatives(f, at):
    t = torch.tensor(at, requires_grad=True)
    values, y = [], f(t)
    for _ in ORDINALS:
        (y,) = torch.autograd.grad(y.sum(), t, create_graph=True)
        values.append(y.detach().numpy())
    return values


def distance(got, right):
    """The largest error, of the largest number; infinite if the shapes differ."""
    if got.shape != right.shape:
        return np.inf
    return np.max(np.abs(got - right)) / np.max(np.abs(right))


@ex.judged
def judge_higher(answer, run):
    for depth in (1, len(ORDINALS)):  # first derivatives of all, then the others
        for f, words in FORMULAS:
            said = judge_one(f, words, depth, answer, run)
            if said is not None:
                return said
    return None


def judge_one(f, words, depth, answer, run):
    x = Tensor(POINTS)
    y = f(x)
    for k, right in enumerate(derivatives(f, POINTS)[:depth]):
        y = run(of=partial(answer, y, x))
        if y is None:
            return "It returns None. Is a `return` missing?"
        if not isinstance(y, Tensor):
            return ex.mistakes[0]
        error = distance(y.data, right)
        if error > 1e-12:
            if y.op is None and error < 1e-4:
                return ex.mistakes[2]
            return named_higher(words, k, answer, run)
        if k < 2 and y.op is None:
            return ex.mistakes[1]
        if k == 0 and not any(node is x for node in Tape(y).nodes):
            return OFF_THE_TAPE.get(f, "x is not on the tape of what it returns.")
    return None


def named_higher(words, k, answer, run):
    """Find the mistake that makes the same first derivatives of all expressions."""
    if k > 0:
        return next(m for m in ex.mistakes if m.id == "data-in-a-rule")
    got = first_derivatives(lambda *args: run(of=partial(answer, *args)))
    for mistake in ex.mistakes[2:]:
        made = first_derivatives(mistake.code)
        if all(distance(a, b) < 1e-9 for a, b in zip(got, made, strict=True)):
            return mistake
    return f"The {ORDINALS[k]} derivative of {words} is not right."


def first_derivatives(of):
    values = []
    for f, _ in FORMULAS:
        x = Tensor(POINTS)
        values.append(of(f(x), x).data)
    return values


ex.answer(grad)


@ex.wrong(ALIKE)
def as_array(y, x):
    """An array comes back. It has no memory of how it was made, so nobody can go back
    through it: it has to be a `Tensor` with a history.
    """
    y.backward(np.ones(y.shape))
    return x.grad


@ex.wrong(ALIKE)
def no_history(y, x):
    """What comes back is a `Tensor`, but a leaf: the arithmetic behind it was done on
    arrays. The rules themselves have to be `Tensor` operations.
    """
    y.backward(np.ones(y.shape))
    return Tensor(x.grad)


@ex.wrong(ALIKE)
def numeric(y, x):
    """This looks like a numerical derivative: right to some ten digits, without a
    history.
    """
    tape, here, step = Tape(y), x.data, 1e-5
    x.data = here + step
    above = tape.forward()
    x.data = here - step
    below = tape.forward()
    x.data = here
    tape.forward()
    return Tensor((above - below) / (2 * step))


@ex.wrong(ALIKE)
def tanh_of_data(y, x):
    """The first derivative is right, the second lacks a part: in the rule of tanh
    stands plain data, which the tape does not see.
    """
    return _walk(y, x, tanh=lambda g, y, a: (g * (1 - y.data**2),))


@ex.wrong(ALIKE)
def times_data(y, x):
    """The first derivative is right, the second lacks a part: in the rule of the
    product stands plain data, which the tape does not see.
    """
    return _walk(y, x, times=lambda g, y, a, b: (g * b.data, g * a.data))


@ex.wrong("01_chain_rule#Forks add")
def assigned(y, x):
    """What is used twice keeps only one of its gradients. They add."""
    return _walk(y, x, assign=True)


@ex.wrong(TAPE)
def own_factor(y, x):
    """In the rule of the product each factor gets itself. It gets the other one."""
    return _walk(y, x, times=lambda g, y, a, b: (g * a, g * b))


@ex.wrong("06_layers_and_losses#Activations")
def at_input(y, x):
    """The rule of tanh needs the square of its *output*; here stands its input."""
    return _walk(y, x, tanh=lambda g, y, a: (g * (a * a * -1.0 + 1.0),))


@ex.wrong("06_layers_and_losses#Activations")
def sigmoid_slope(y, x):
    """$y(1-y)$ is the slope of the sigmoid, not of tanh."""
    return _walk(y, x, tanh=lambda g, y, a: (g * y * (y * -1.0 + 1.0),))


@ex.wrong("06_layers_and_losses#Activations")
def tanh_open(y, x):
    """The slope of tanh is missing: the gradient goes through as if it were not there."""
    return _walk(y, x, tanh=lambda g, y, a: (g,))


@ex.wrong(TAPE)
def plus_halved(y, x):
    """A sum does not divide the gradient between its terms: each gets all of it."""
    return _walk(y, x, plus=lambda g, y, a, b: (g * 0.5, g * 0.5))


@ex.wrong(TAPE)
def incoming_lost(y, x):
    """The gradient that comes in is not multiplied in. Along a path, prices multiply."""
    return _walk(
        y,
        x,
        times=lambda g, y, a, b: (b, a),
        tanh=lambda g, y, a: (y * y * -1.0 + 1.0,),
    )


@ex.wrong(TAPE)
def sign(y, x):
    """The sign is reversed. With which number does the way back begin?"""
    return _walk(y, x) * -1.0


@ex.wrong("06_layers_and_losses#Activations")
def tanh_plus(y, x):
    """In the rule of tanh a plus stands where a minus belongs."""
    return _walk(y, x, tanh=lambda g, y, a: (g * (y * y + 1.0),))


@ex.wrong("06_layers_and_losses#Activations")
def tanh_no_square(y, x):
    """In the rule of tanh the output is not squared."""
    return _walk(y, x, tanh=lambda g, y, a: (g * (y * -1.0 + 1.0),))


@ex.wrong(TAPE)
def tanh_bare(y, x):
    """In the rule of tanh the gradient that comes in is missing. Along a path, prices
    multiply.
    """
    return _walk(y, x, tanh=lambda g, y, a: (y * y * -1.0 + 1.0,))


@ex.wrong(TAPE)
def times_bare(y, x):
    """In the rule of the product the gradient that comes in is missing. Along a path,
    prices multiply.
    """
    return _walk(y, x, times=lambda g, y, a, b: (b, a))


@ex.wrong(TAPE)
def returns_x(y, x):
    """$x$ itself comes back, not a derivative."""
    return x


@ex.wrong(TAPE)
def returns_y(y, x):
    """$y$ itself comes back, not its derivative."""
    return y


@ex.wrong(ALIKE)
def data_in_a_rule(y, x):
    """The first derivatives are right, and a later one is not. Does plain data stand in
    a rule (`.data`, or an array made of it)? The tape does not see that.
    """
    return _walk(y, x, times=lambda g, y, a, b: (b * g.data, a * g.data))
