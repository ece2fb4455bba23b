"""03.3 · Find the bug: each node only once."""

from course_exercises.judge import Exercise, Trouble
from course_utils.scalar import Value
from course_utils.tape import Tape

from .shared import parts

ENGINE = "03_tape_engine#The engine"
ORDER = "03_tape_engine#Why the order of creation is the right order"
TWICE = "03_tape_engine#Calling backward twice"
WRONG = "03_tape_engine#Six ways to build it wrong"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"

ex = Exercise(
    "03.3",
    "Find the bug: each node only once",
    outputs=("x.grad", "x.grad after a second call"),
    hints=(
        "On the graph of $s = x + x$, $y = s + s$: when is $s$ visited, and how "
        "much has arrived there by then?",
        "A node may pass on only when it is complete: when all operations that use "
        "it have been played. In which order does that hold for every node?",
        "`Tape(output).operations` lies in the order of creation. Read it from the "
        "end; then no `seen` is needed, and nothing calls itself.",
    ),
    explanation=(
        "Reversed, the order of creation plays every operation after all those that "
        "use its result, so what it passes on is complete. Visiting once was not the "
        "mistake; it was the moment of the visit."
    ),
)


@ex.answer
def mended_backward(output):
    tape = Tape(output)
    for node in tape.nodes:
        node.grad = None
    output.grad = 1.0
    for node in reversed(tape.operations):  # complete: all later ones are done
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad + part


def forked(x):
    u = x.tanh()
    v = u * x
    return (u + v * u) * v.sigmoid()


NOTHING_RETURNED = (
    "It returns something. A backward pass of this engine returns nothing: it leaves "
    "each gradient in its node, in `.grad`."
)
PROGRAMS = {
    "s = x + x; y = s + s": lambda x: (lambda s: s + s)(x + x),
    "a = 2 * x; y = a * 3 + a": lambda x: (lambda a: a * 3 + a)(2 * x),
    "a = 2 * x; y = a + a * 3": lambda x: (lambda a: a + a * 3)(2 * x),
    "c = Value(2.0); y = c * x + x": lambda x: Value(2.0) * x + x,
    "y = x * x * x + x": lambda x: x * x * x + x,
    "u = x.tanh(); v = u * x; y = (u + v * u) * v.sigmoid()": forked,
}


@ex.called
def two_calls(backward, program, x):
    leaf, slopes = Value(x), []
    y = PROGRAMS[program](leaf)
    for _ in range(2):
        if backward(y) is not None:
            raise Trouble("wrong type", NOTHING_RETURNED)
        slopes.append(0.0 if leaf.grad is None else leaf.grad)
    return slopes


@ex.given
def program_inputs(rng):
    return [(program, 1.5 - 0.2 * k) for k, program in enumerate(PROGRAMS)]


def cleared(output, value=None):
    for node in Tape(output).nodes:
        node.grad = value
    output.grad = 1.0


# --- wrong ones: the moment of the visit


@ex.wrong(ORDER)
def as_shown(output):
    """A node still passes its gradient on at the first visit, before its other uses
    have brought theirs.
    """
    cleared(output)
    seen = set()

    def visit(node):
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad + part
            if x not in seen:
                seen.add(x)
                visit(x)

    visit(output)


ex.slip(
    "second-loop",
    {"            if": "        for x in node.inputs:\n            if"},
    ORDER,
    of=as_shown,
).says("""
    All parts of *one* node are brought before its inputs are visited, but a part may
    still come from another node, by a longer way.
""")


@ex.wrong(ORDER)
def breadth_first(output):
    """The nodes are taken by their distance from the output. The distance is no order:
    a node may be near by one way and far by another.
    """
    cleared(output)
    seen, waiting = {output}, [output]
    while waiting:
        node = waiting.pop(0)
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad + part
            if x not in seen:
                seen.add(x)
                waiting.append(x)


@ex.wrong(ORDER)
def depth_first(output):
    """A stack takes the newest entry first and runs down one branch to its end. What
    other branches bring comes too late.
    """
    cleared(output, 0.0)
    done, waiting = set(), [output]
    while waiting:
        node = waiting.pop()
        if node not in done:
            done.add(node)
            for x, part in parts(node, node.grad):
                x.grad += part
                waiting.append(x)


for name, of in (("every-visit", as_shown), ("every-visit-in-turn", breadth_first)):
    ex.slip(name, {"x not in seen": "True"}, WRONG, of=of).says("""
        A node is visited by every path, and passes on its whole sum each time. What
        came first is counted again.
    """)
ex.slip("dropped", {"x.grad + part": "x.grad"}, ORDER, of=as_shown).says("""
    A part counts at the first visit alone, and what comes by another way is dropped.
    All parts add; it is the passing on that has to wait.
""")
ex.slip("forwards", {"= None": "= 0.0", "reversed": ""}, WRONG).says("""
    The operations are played from the first to the last. Each of them runs before
    anything has arrived at it.
""")

# --- what is passed on, and added

ex.slip("assigned", {" if x.grad is None else x.grad + part": ""}, WRONG).says("""
    The order is right, but each part overwrites the one before. At a value that is used
    twice, the parts add.
""")
ex.slip("first-only", {"x.grad + part": "x.grad"}, WRONG).says("""
    Only the first part that arrives is kept, and the later ones are dropped. At a value
    that is used twice, the parts add.
""")
ex.mistake("zero", ENGINE).says("""
    Nothing arrives at `x`. All are cleared, *then* the output is given 1; from there
    the walk goes back to the first operation, and fills in each `.grad`.
""")
ex.slip(
    "subtracted", {"= None": "= 0.0", "x.grad + part": "x.grad - part"}, WRONG
).says("""
    The parts are subtracted. What comes by several edges adds.
""")
FIRST = {"= None": "= 0.0", "parts(node": "list(parts(node", "grad):": "grad))[:1]:"}
ex.slip("first-input", FIRST, WRONG).says("""
    Only the first input of each operation gets its part. Every edge brings one.
""")
ex.slip(
    "edges-merged", {"parts(": "dict(parts(", "grad):": "grad)).items():"}, WRONG
).says(r"""
    Two edges that lead to the same input count as one, in $x \cdot x$ for example: a
    dictionary has one place for each key.
""")
ex.slip("incoming-ignored", {"node, node.grad": "node, 1.0"}, CHAIN).says("""
    Every rule is given 1, whatever has arrived at its node. The chain rule multiplies
    by what comes from behind.
""")
ex.slip("from-value", {"1.0": "output.data"}, ENGINE).says("""
    The way back begins with the value of the output. It begins with 1: one unit more of
    the output is one unit more.
""")
ex.slip("from-ones", {"= None": "= 1.0"}, ENGINE).says("""
    Every node begins with 1. That is the output's gradient alone; the others begin with
    nothing.
""")

# --- the second call

CLEARED = "        for x in node.inputs:\n            x.grad = None\n"
ex.slip("cleared-late", {"        for x,": f"{CLEARED}        for x,"}, TWICE).says("""
    The inputs are cleared in each round, and with them what others have brought. Clear
    all nodes before the walk begins.
""")
ex.slip("nothing-cleared", {"node.grad = None": "pass"}, TWICE).says("""
    The first call is right, the second one starts with the gradients of the first. They
    have to be cleared, in all nodes.
""")
ex.slip("between-kept", {"tape.nodes": "tape.leaves"}, WRONG).says("""
    The first call is right, in the second one the nodes in between still hold what they
    had. Only the leaves are cleared.
""")
ex.slip("leaves-kept", {"tape.nodes": "tape.operations"}, TWICE).says("""
    The second call adds to the first, in the leaves. Here every call is to start
    afresh.
""")
