"""11.5 · Open challenge: derivatives of derivatives."""

from functools import partial

import numpy as np

from course_exercises.judge import Exercise
from course_utils.tape import Tape
from course_utils.tensor import Tensor

from .shared import torch

FORKS = "01_chain_rule#Forks add"
TAPE = "03_tape_engine"
ACTIVATIONS = "06_layers_and_losses#Activations"
ALIKE = "11_pytorch_and_beyond#Where the two behave alike, and where not"
ORDINALS = ("first", "second", "third")
POINTS = np.array([0.3, -0.7, 1.2])
FORMULAS = {  # an expression in words, and in code
    "tanh(x)": lambda x: x.tanh(),
    "x · x · x": lambda x: x * x * x,
    "tanh(x) · x + x": lambda x: x.tanh() * x + x,
    "tanh(x · x) + tanh(tanh(x))": lambda x: (x * x).tanh() + x.tanh().tanh(),
}
OFF_THE_TAPE = {"tanh(x)": "tanh-of-data", "x · x · x": "times-data"}

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


@ex.answer
def grad(y, x):
    rules = {
        "+": lambda g, y, a, b: (g, g),
        "×": lambda g, y, a, b: (g * b, g * a),
        "tanh": lambda g, y, a: (g + g * y * y * -1.0,),
    }
    grads = {y: Tensor(np.ones(y.shape))}
    for node in reversed(Tape(y).operations):
        if node not in grads:
            continue
        shares = rules[node.op.name](grads[node], node, *node.inputs)
        for source, share in zip(node.inputs, shares, strict=True):
            grads[source] = grads[source] + share if source in grads else share
    return grads[x]


@ex.judged
def judge_higher(answer, run):
    for depth in (1, len(ORDINALS)):  # first derivatives of all, then the others
        for words in FORMULAS:
            said = judge_one(words, depth, answer, run)
            if said is not None:
                return said
    return None


def judge_one(words, depth, answer, run):
    x = Tensor(POINTS)
    y = FORMULAS[words](x)
    for k, right in enumerate(by_torch(words)[:depth]):
        y = run(of=partial(answer, y, x))
        if y is None:
            return "It returns None. Is a `return` missing?"
        if not isinstance(y, Tensor):
            return ex.named("as-array")
        error = distance(y.data, right)
        if error > 1e-12:
            if y.op is None and error < 1e-4:
                return ex.named("numeric")
            return named_higher(words, k, answer, run)
        if k < 2 and y.op is None:
            return ex.named("no-history")
        if k == 0 and not any(node is x for node in Tape(y).nodes):
            if words in OFF_THE_TAPE:
                return ex.named(OFF_THE_TAPE[words])
            return "x is not on the tape of what it returns."
    return None


def by_torch(words):
    """The first three derivatives."""
    t = torch.tensor(POINTS, requires_grad=True)
    values, y = [], FORMULAS[words](t)
    for _ in ORDINALS:
        (y,) = torch.autograd.grad(y.sum(), t, create_graph=True)
        values.append(y.detach().numpy())
    return values


def distance(got, right):
    """The largest error, of the largest number; infinite if the shapes differ."""
    if got.shape != right.shape:
        return np.inf
    return np.max(np.abs(got - right)) / np.max(np.abs(right))


def named_higher(words, k, answer, run):
    """Find the mistake that makes the same first derivatives of all expressions."""
    if k > 0:
        return ex.named("data-in-a-rule")
    got = first_derivatives(lambda *args: run(of=partial(answer, *args)))
    for mistake in ex.mistakes[2:]:
        made = first_derivatives(mistake.code)
        if all(distance(a, b) < 1e-9 for a, b in zip(got, made, strict=True)):
            return mistake
    return f"The {ORDINALS[k]} derivative of {words} is not right."


def first_derivatives(of):
    leaves = [Tensor(POINTS) for _ in FORMULAS]
    pairs = zip(FORMULAS.values(), leaves, strict=True)
    return [of(f(x), x).data for f, x in pairs]


# --- wrong ones: off the tape


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


TANH, TIMES = "g + g * y * y * -1.0", "g * b, g * a"  # the rules of the right answer

ex.slip("tanh-of-data", {TANH: "g * (1 - y.data**2)"}, ALIKE).says("""
    The first derivative is right, the second lacks a part: in the rule of tanh stands
    plain data, which the tape does not see.
""")

ex.slip("times-data", {TIMES: "g * b.data, g * a.data"}, ALIKE).says("""
    The first derivative is right, the second lacks a part: in the rule of the product
    stands plain data, which the tape does not see.
""")

# --- the walk

ex.slip(
    "assigned", {"grads[source] + share if source in grads else share": "share"}, FORKS
).says("""
    What is used twice keeps only one of its gradients. They add.
""")

ex.slip("plus-halved", {"(g, g)": "(g * 0.5, g * 0.5)"}, TAPE).says("""
    A sum does not divide the gradient between its terms: each gets all of it.
""")

ex.slip("incoming-lost", {TIMES: "b, a", TANH: "y * y * -1.0 + 1.0"}, TAPE).says("""
    The gradient that comes in is not multiplied in. Along a path, prices multiply.
""")

ex.slip("sign", {"grads[x]": "grads[x] * -1.0"}, TAPE).says("""
    The sign is reversed. With which number does the way back begin?
""")

ex.slip("returns-x", {"grads[x]": "x"}, TAPE).says("""
    $x$ itself comes back, not a derivative.
""")

ex.slip("returns-y", {"grads[x]": "y"}, TAPE).says("""
    $y$ itself comes back, not its derivative.
""")

# --- a rule

ex.slip("own-factor", {TIMES: "g * a, g * b"}, TAPE).says("""
    In the rule of the product each factor gets itself. It gets the other one.
""")

ex.slip("times-bare", {TIMES: "b, a"}, TAPE).says("""
    In the rule of the product the gradient that comes in is missing. Along a path,
    prices multiply.
""")

ex.slip("at-input", {"y * y": "a * a"}, ACTIVATIONS).says("""
    The rule of tanh needs the square of its *output*; here stands its input.
""")

ex.slip("sigmoid-slope", {TANH: "g * y + g * y * y * -1.0"}, ACTIVATIONS).says("""
    $y(1-y)$ is the slope of the sigmoid, not of tanh.
""")

ex.slip("tanh-open", {TANH: "g"}, ACTIVATIONS).says("""
    The slope of tanh is missing: the gradient goes through as if it were not there.
""")

ex.slip("tanh-plus", {" * -1.0": ""}, ACTIVATIONS).says("""
    In the rule of tanh a plus stands where a minus belongs.
""")

ex.slip("tanh-no-square", {"y * y": "y"}, ACTIVATIONS).says("""
    In the rule of tanh the output is not squared.
""")

ex.slip("tanh-bare", {TANH: "y * y * -1.0 + 1.0"}, TAPE).says("""
    In the rule of tanh the gradient that comes in is missing. Along a path, prices
    multiply.
""")

ex.slip("data-in-a-rule", {TIMES: "b * g.data, a * g.data"}, ALIKE).says("""
    The first derivatives are right, and a later one is not. Does plain data stand in a
    rule (`.data`, or an array made of it)? The tape does not see that.
""")
