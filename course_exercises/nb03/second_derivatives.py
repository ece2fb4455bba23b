"""03.5 · Second derivatives."""

from course_exercises.judge import Exercise, Trouble
from course_utils.scalar import Value
from course_utils.tape import Tape

RULES = "03_tape_engine#The local rules"
ENGINE = "03_tape_engine#The engine"
WRONG = "03_tape_engine#Six ways to build it wrong"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
A_NUMBER = (
    "A number comes back, and a number has no tape. The gradient has to be a `Value` "
    "that was recorded, so that `backward()` can be called on it."
)
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
    outputs=("first derivative", "second derivative"),
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


@ex.called
def both_slopes(answer, curve):
    f, at = CURVES[curve]
    x = Value(at)
    found = answer(f(x), x)
    if found is None:
        return None
    if not isinstance(found, Value):
        raise Trouble("wrong type", A_NUMBER)
    x.grad, first = None, found.data
    if found.requires_grad:
        found.backward()
    return first, x.grad or 0.0


@ex.given
def curves(rng):
    return [(name,) for name in CURVES]


# --- wrong ones: a number in the place of a node

ex.slip("zero", {"grads[x]": "Value(grads[x].data)"}, ENGINE).says("""
    Nothing leads back to `x` from what is returned: a `Value` made of a number is a new
    leaf. Every step has to be recorded.
""")
ex.slip(
    "sum-as-number", {"grads[a] + part": "Value(grads[a].data + part.data)"}, ENGINE
).says("""
    Where parts add, the sum is a new `Value` made of a number, so nothing leads back
    from it. Nodes can be added, and that is recorded.
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

# --- the walk, and what is collected

ex.slip("assigned", {" if a not in grads else grads[a] + part": ""}, WRONG).says("""
    Only the last part is left at a value that is used more than once. The parts add,
    for nodes as for numbers.
""")
ex.slip("first-only", {"grads[a] + part": "grads[a]"}, WRONG).says("""
    Only the first part that arrives at a value is kept, and the later ones are dropped.
    The parts add.
""")
ex.slip("multiplied", {"grads[a] + part": "grads[a] * part"}, WRONG).says("""
    Parts that come by several edges are multiplied. They add.
""")
ex.slip("incoming-ignored", {"vjp(grads[node]": "vjp(Value(1.0)"}, CHAIN).says("""
    Every rule is given 1, whatever has arrived at its node. The chain rule multiplies
    by what comes from behind.
""")
ex.slip("from-value", {"Value(1.0)": "output"}, ENGINE).says("""
    The way back begins with the output itself. It begins with 1: one unit more of the
    output is one unit more.
""")
ex.slip("from-zero", {"Value(1.0)": "Value(0.0)"}, ENGINE).says("""
    The way back begins with 0, and 0 it remains. One unit more of the output is one
    unit more.
""")
ex.slip("of-output", {"grads[x]": "grads[output]"}, ENGINE).says("""
    This is the gradient of the output for itself, which is 1. Asked for is that of `x`.
""")
ex.slip("forwards", {"reversed(": "("}, ENGINE).says("""
    The operations are played from the first to the last. At the first one nothing has
    arrived yet; the way back begins at the output.
""")
ex.slip("too-early", {"    return": "        return"}, ENGINE).says("""
    It returns after the first step, inside the loop. Only where `x` goes into the last
    operation directly has anything arrived by then.
""")
ex.slip("other-way-round", {"(node.inputs,": "(node.inputs[::-1],"}, RULES).says("""
    The parts are dealt out from the last input to the first. A rule gives them in the
    order of the inputs.
""")
AT_ONCE = {"return grads[x]": "grads[x].backward()\n    return Value(x.grad)"}
ex.slip("second-at-once", AT_ONCE, ENGINE).says("""
    This is the second derivative. Return the first, as a node: its own `backward()`
    then leaves the second in `x.grad`.
""")
