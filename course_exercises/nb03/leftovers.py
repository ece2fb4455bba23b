"""03.4 · Predict: names, leaves, leftovers."""

from course_exercises.judge import Exercise
from course_utils.scalar import Value
from course_utils.tape import Tape

from .shared import parts

ENGINE = "03_tape_engine#The engine"
WRONG = "03_tape_engine#Six ways to build it wrong"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"

ex = Exercise(
    "03.4",
    "Predict: names, leaves, leftovers",
    outputs=("a", "b", "c"),
    otherwise={
        "a": "(a) Which number enters the square, and how steep is a square there?",
        "b": "(b) From `x` it is one more operation to the leaf. Its slope multiplies.",
        "c": "(c) Write down the gradients of the two nodes in between, call by call, "
        "and what each call adds to them.",
    },
    hints=(
        "`leaf` and `x` are two nodes. Which number does each of them hold, and "
        "which one is squared?",
        "For (c), call the gradients of the two nodes in between $p$ (of `x + 1`) "
        "and $q$. A call adds 1 to $q$, then $q$ to $p$, and passes $p$ on.",
        "After the calls, $q$ is 1, 2, 3, …, and $p$ is the sum of these: 1, 3, 6, ….",
    ),
    explanation=(
        "(a) `x` is the product, 6, and $y = x^2$ has the slope 12 there. (b) The "
        "leaf, 3, gets twice that, 24. (c) In between stand 1, 2, 3, 4, 5 and their "
        "sums 1, 3, 6, 10, 15; the leaf gets 15."
    ),
)


def backward_keeping(output):
    output.grad = 1.0
    for node in reversed(Tape(output).operations):
        for x, part in parts(node, node.grad):
            x.grad = part if x.grad is None else x.grad + part


@ex.answer
def prediction():
    leaf = Value(3.0)
    x = 2 * leaf
    y = x * x
    y.backward()
    of_x, of_leaf = x.grad, leaf.grad
    x = Value(5.0)
    y = x + 1 + 1 + 1
    for _ in range(5):
        x.grad = None
        backward_keeping(y)
    return of_x, of_leaf, x.grad


# --- wrong ones: names

ex.guess("half", {"a": 6.0}, ENGINE).says(r"""
    (a) 6 is half of it. Was `x` taken for 3, the leaf's number? Or was one of the two
    edges of $x \cdot x$ left out?
""")
ex.guess("half-of-both", {"a": 6.0, "b": 12.0}, ENGINE).says(r"""
    Both are half of what they are, and (b) follows from (a). Was `x` taken for 3, the
    leaf's number? Or was one of the two edges of $x \cdot x$ left out?
""")
ex.guess("exchanged", {"a": 24.0, "b": 12.0}, ENGINE).says("""
    The two are exchanged. `x` is the product, which stands between the leaf and `y`.
""")
ex.guess("leaf-for-name", {"a": 24.0}, ENGINE).says("""
    (a) 24 is the gradient of the leaf. `x` is the product, which stands between the
    leaf and `y`.
""")

for name in ("a", "b"):
    ex.guess(f"value-{name}", {name: 36.0}, ENGINE).says("""
        36 is the value of `y`. The question is for a gradient.
    """)
ex.guess("one-factor", {"a": 3.0}, WRONG).says("""
    (a) 3 is the number of the leaf. A product with itself hands its value back along
    two edges, and they add; which value has `x`?
""")
ex.guess("name-for-leaf", {"b": 12.0}, CHAIN).says("""
    (b) 12 is the gradient of `x`. Between `x` and the leaf stands one more operation.
""")
ex.guess("leaf-alone", {"b": 6.0}, CHAIN).says("""
    (b) That would be the slope of a square of the leaf. As a function of the leaf $t$,
    the output is $(2t)^2$.
""")

for name, factor in (("last-factor", 2.0), ("two-factors", 4.0)):
    ex.guess(name, {"b": factor}, CHAIN).says("""
        (b) From the output to the leaf, all slopes multiply: that of the product `2 *
        leaf`, and that of `x * x` where it stands.
    """)
ex.guess("factor-twice", {"b": 48.0}, CHAIN).says("""
    (b) The factor 2 is multiplied in twice. Each operation is passed once.
""")

# --- leftovers

ex.guess("all-cleared", {"c": 1.0}, WRONG).says("""
    (c) 1 is what it should give. But nothing clears the two nodes in between.
""")
ex.guess("cleared-at-last", {"c": 0.0}, WRONG).says("""
    (c) `x.grad` is set to None *before* each call, and the call fills it.
""")
ex.guess("second-call", {"c": 3.0}, WRONG).says("""
    (c) Three is what the second call gives. In every further call the nodes in between
    have more.
""")
ex.guess("calls-counted", {"c": 5.0}, WRONG).says("""
    (c) That is the number of calls. It stands in the *later* one of the nodes in
    between, and the earlier one adds these numbers up.
""")
ex.guess("two-more", {"c": 9.0}, WRONG).says("""
    (c) From 1 to 3 it is two more; but what is added grows from call to call, since
    what is passed on grows too.
""")

for power in (16.0, 31.0, 32.0, 81.0, 120.0):
    ex.guess(f"grows-{power:.0f}", {"c": power}, WRONG).says("""
        (c) The calls do not multiply: each one adds to what is left in between. Write
        the two gradients down, call by call.
    """)

for number, word in ((6.0, "third"), (10.0, "fourth"), (21.0, "sixth")):
    ex.guess(f"{word}-call", {"c": number}, WRONG).says(f"(c) That is the {word} call.")

ex.guess("squared", {"c": 25.0}, WRONG).says("""
    (c) The numbers grow like squares, but they are sums: 1, 1 + 2, and so on.
""")

for total in (35.0, 20.0):
    ex.guess(f"leaf-kept-{total:.0f}", {"c": total}, WRONG).says("""
        (c) That is a sum over several calls, as if `x.grad` were kept as well. It is
        cleared before each call.
    """)

for value in (8.0, 40.0):
    ex.guess(f"value-{value:.0f}", {"c": value}, ENGINE).says("""
        (c) 8 is the value of `y`. The question is for a gradient.
    """)
