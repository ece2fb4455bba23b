"""03.5 · Second derivatives."""

import math
from functools import partial

from course_exercises.judge import Exercise
from course_utils.scalar import Value
from course_utils.tape import Tape

RULES = "03_tape_engine#The local rules"
ENGINE = "03_tape_engine#The engine"
WRONG = "03_tape_engine#Six ways to build it wrong"
CURVES = {
    "x³": (lambda x: x**3, 2.0),
    "x·x·x + x": (lambda x: x * x * x + x, 1.5),
    "tanh x": (lambda x: x.tanh(), 0.5),
    "σ(x)·eˣ": (lambda x: x.sigmoid() * x.exp(), -0.4),
    "x/(1 + x²)": (lambda x: x / (1 + x * x), 0.8),
    "log(x)·(2 − x)": (lambda x: x.log() * (2 - x), 1.7),
}

ex = Exercise(
    "03.5",
    "Second derivatives",
    hints=(
        "It is `Tape.backward` once more, with a dictionary in place of `.grad`. "
        "What does a rule do when it is given `Value`s?",
        "A rule multiplies and adds what it is given. Given nodes, each of these "
        "steps is recorded: so hand it `grads[node]`, `node`, `*node.inputs`, and "
        "never `.data`.",
        "At an input: the first part is put into the dictionary, further ones are "
        "added to what is there, `grads[a] + part`, which is a node again.",
    ),
    explanation=(
        "The backward pass is itself a computation, so it can be recorded. Where the "
        "rule of `relu` asks whether $x > 0$, it gets a plain yes or no, and nothing "
        "is recorded. Nothing is lost by that: its slope is constant on both sides."
    ),
)


@ex.answer
def recorded_gradient(output, x):
    grads = {output: Value(1.0)}
    for node in reversed(Tape(output).operations):
        parts_of_node = node.op.vjp(grads[node], node, *node.inputs)
        for a, part in zip(node.inputs, parts_of_node, strict=True):
            grads[a] = part if a not in grads else grads[a] + part
    return grads[x]


def both_slopes(answer, name):
    """The first and the second derivative, or a word for what came back instead."""
    f, at = CURVES[name]
    x = Value(at)
    found = answer(f(x), x)
    if not isinstance(found, Value):
        return "nothing" if found is None else "a number"
    x.grad, first = None, found.data
    if not found.requires_grad:
        return first, None
    found.backward()
    return first, x.grad


def made_by(slopes, mistake):
    """Whether a wrong answer gives the same for all curves."""
    made = {name: both_slopes(mistake.code, name) for name in CURVES}
    return all(alike(slopes[name], made[name]) for name in CURVES)


def alike(one, other):
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    pairs = zip(one, other, strict=True)
    return all(
        a is b if a is None or b is None else math.isclose(a, b, rel_tol=1e-9)
        for a, b in pairs
    )


@ex.judged
def judge_recorded_gradient(answer, run):
    slopes = {name: run(name, of=partial(both_slopes, answer)) for name in CURVES}
    right = {name: both_slopes(recorded_gradient, name) for name in CURVES}
    wrong = [name for name in CURVES if not alike(slopes[name], right[name])]
    if not wrong:
        return None
    for mistake in ex.mistakes:
        if made_by(slopes, mistake):
            return mistake
    return in_words(wrong[0], slopes[wrong[0]], right[wrong[0]])


def in_words(name, got, right):
    if got == "nothing":
        return "It returns None. Is a `return` missing?"
    if got == "a number":
        return ex.named("a-number")
    at = f"`{name}` at {CURVES[name][1]:g}"
    if not math.isclose(got[0], right[0], rel_tol=1e-9):
        return f"The first derivative of {at} is {right[0]:.6g}; yours is {got[0]:.6g}."
    if got[1] is None:
        return ex.named("cut-off")
    return (
        f"The first derivative of {at} is right, but its tape does not give the second "
        f"one: {right[1]:.6g}, not {got[1]:.6g}. Where does a number stand in place of "
        "a node?"
    )


ex.slip("a-number", {"grads[x]": "grads[x].data"}, ENGINE).says("""
    A number comes back, and a number has no tape. The gradient has to be a `Value` that
    was recorded, so that `backward()` can be called on it.
""")

ex.slip("cut-off", {"grads[x]": "Value(grads[x].data)"}, ENGINE).says("""
    The first derivative is right, but nothing leads from it back to `x`: a `Value` made
    of a number is a new leaf. Every step has to be recorded.
""")

ex.slip("output-as-number", {"node, *": "node.data, *"}, RULES).says("""
    The rules get the output as a number. tanh, σ and the exponential use their output,
    so half of what they depend on is off the tape.
""")

ex.slip(
    "inputs-as-numbers", {"*node.inputs": "*(a.data for a in node.inputs)"}, RULES
).says("""
    The rules get the inputs as numbers. In the rule of the product the other factor
    depends on `x` too, and that is off the tape.
""")

ex.slip(
    "incoming-as-number", {"grads[node]": "Value(grads[node].data)"}, RULES
).says("""
    The gradient that arrives is handed on as a number. It depends on `x` as well,
    through all that comes behind.
""")

ex.slip("assigned", {" if a not in grads else grads[a] + part": ""}, WRONG).says("""
    Only the last part is left at a value that is used more than once. The parts add,
    for nodes as for numbers.
""")
