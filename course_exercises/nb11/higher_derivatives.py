"""11.5 · Open challenge: derivatives of derivatives."""

import numpy as np

from course_exercises.judge import Exercise, Trouble
from course_utils.tape import Tape
from course_utils.tensor import Tensor

FORKS = "01_chain_rule#Forks add"
TAPE = "03_tape_engine"
ACTIVATIONS = "06_layers_and_losses#Activations"
ALIKE = "11_pytorch_and_beyond#Where the two behave alike, and where not"
POINTS = np.array([0.3, -0.7, 1.2])
FORMULAS = {  # an expression in words, and in code
    "tanh(x)": lambda x: x.tanh(),
    "x · x · x": lambda x: x * x * x,
    "tanh(x) · x + x": lambda x: x.tanh() * x + x,
    "tanh(x · x) + tanh(tanh(x))": lambda x: (x * x).tanh() + x.tanh().tanh(),
}
AN_ARRAY = (
    "An array comes back. It has no memory of how it was made, so nobody can go back "
    "through it: it has to be a `Tensor` with a history."
)
NOTHING_YET = (
    "Nothing has arrived at a node that is asked for (KeyError). Does the walk begin "
    "at the output, and end when the first operation is played?"
)
ENOUGH = "A rule made of `+` and `×` alone can be differentiated again."

ex = Exercise(
    "11.5",
    "Open challenge: derivatives of derivatives",
    outputs=("first derivative", "second derivative", "third derivative"),
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


@ex.called
def three_derivatives(answer, expression):
    """One after the other, and 0 where `x` is on the tape no more."""
    x, found = Tensor(POINTS), []
    y = FORMULAS[expression](x)
    while len(found) < 3:
        try:
            y = answer(y, x)
        except KeyError as lost:
            raise Trouble("raised", without(lost.args[0])) from None
        if y is None:
            return None
        if not isinstance(y, Tensor):
            raise Trouble("wrong type", AN_ARRAY)
        found.append(y.data)
        if not any(node is x for node in Tape(y).nodes):
            break
    return (found + 2 * [np.zeros(POINTS.shape)])[:3]


def without(key):
    """What to say of a KeyError."""
    if isinstance(key, Tensor):
        return NOTHING_YET
    if key in ("+", "×", "tanh"):
        return f"There is no rule for `{key}`: so the tape calls this operation."
    return f"There is no rule for `{key}`, which stands in one of the rules. {ENOUGH}"


@ex.given
def expressions(rng):
    return [(words,) for words in FORMULAS]


# --- wrong ones: off the tape


@ex.wrong(ALIKE)
def zero(y, x):
    """What comes back has forgotten `x`: the arithmetic behind it was done on arrays,
    and a `Tensor` made of them is a leaf. The rules themselves have to be `Tensor`
    operations.
    """
    y.backward(np.ones(y.shape))
    return Tensor(x.grad)


TANH, TIMES = "g + g * y * y * -1.0", "g * b, g * a"  # the rules of the right answer

OF_DATA = {
    "tanh-of-data": ({TANH: "g * (1 - y.data**2)"}, "rule of tanh"),
    "times-data": ({TIMES: "g * b.data, g * a.data"}, "rule of the product"),
    "data-in-a-rule": (
        {TIMES: "b * g.data, a * g.data"},
        "rule of the product, for `g`,",
    ),
    "data-arrives": (
        {"grads[node]": "Tensor(grads[node].data)"},
        "place of what arrives",
    ),
    "sum-of-data": (
        {"source] + share if": "source] + share.data if"},
        "sum of two parts",
    ),
}
for name, (edits, place) in OF_DATA.items():
    ex.slip(name, edits, ALIKE).says(f"""
        The first derivative is right, a later one lacks a part: in the {place} stands
        plain data, which the tape does not see.
    """)

# --- the walk

ex.slip("forwards", {"reversed(": "("}, TAPE).says("""
    The operations are played from the first to the last. The way back begins at the
    output.
""")
ex.slip(
    "assigned", {"grads[source] + share if source in grads else share": "share"}, FORKS
).says("""
    What is used twice keeps only one of its gradients. They add.
""")

FIRST = {"grads[source] + share if source in": "grads[source] if source in"}
ex.slip("first-only", FIRST, FORKS).says("""
    Of what arrives at a node only the first part is kept. The parts add.
""")
ex.slip("from-value", {"Tensor(np.ones(y.shape))": "y"}, TAPE).says("""
    The way back begins with $y$ itself. It begins with 1, in the shape of $y$.
""")
ex.slip("from-zero", {"np.ones": "np.zeros"}, TAPE).says("""
    The way back begins with 0, and 0 it remains. It begins with 1.
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
ex.slip("both-factors", {TIMES: "g * a * b, g * a * b"}, TAPE).says("""
    In the rule of the product each factor gets the whole product. It gets the other
    one, times what arrives.
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
ex.slip("rule-of-exp", {TANH: "g * y"}, ACTIVATIONS).says("""
    That the slope is the output itself is the rule of the exponential.
""")
ex.slip("tanh-open", {TANH: "g"}, ACTIVATIONS).says("""
    The slope of tanh is missing: the gradient goes through as if it were not there.
""")
ex.slip("tanh-plus", {" * -1.0": ""}, ACTIVATIONS).says("""
    In the rule of tanh a plus stands where a minus belongs.
""")
ex.slip("tanh-without-one", {TANH: "g * y * y * -1.0"}, ACTIVATIONS).says("""
    In the rule of tanh the 1 of $1 - y^2$ is missing.
""")
ex.slip("tanh-no-square", {"y * y": "y"}, ACTIVATIONS).says("""
    In the rule of tanh the output is not squared.
""")
ex.slip("tanh-bare", {TANH: "y * y * -1.0 + 1.0"}, TAPE).says("""
    In the rule of tanh the gradient that comes in is missing. Along a path, prices
    multiply.
""")
