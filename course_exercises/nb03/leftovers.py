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


ex.guess("first-x", (6.0, 24.0, 15.0), ENGINE).says("""
    (a) 6 is the slope of a square at 3. Which number enters the square here?
""")

ex.guess("leaf-for-name", (24.0, 24.0, 15.0), ENGINE).says("""
    (a) 24 is the gradient of the leaf. `x` is the product, which stands between the
    leaf and `y`.
""")

ex.guess("value", (36.0, 36.0, 15.0), ENGINE).says("""
    36 is the value of `y`. The question is for a gradient.
""")

ex.guess("one-factor", (3.0, 24.0, 15.0), WRONG).says("""
    (a) A product with itself has two edges to its input, and the parts of both add.
""")

ex.guess("name-for-leaf", (12.0, 12.0, 15.0), CHAIN).says("""
    (b) 12 is the gradient of `x`. Between `x` and the leaf stands one more operation.
""")

ex.guess("leaf-alone", (12.0, 6.0, 15.0), CHAIN).says("""
    (b) That would be the slope of a square of the leaf. As a function of the leaf $t$,
    the output is $(2t)^2$.
""")

ex.guess("last-factor", (12.0, 2.0, 15.0), CHAIN).says("""
    (b) 2 is the last factor of the chain. From the output to the leaf, all of them
    multiply.
""")

ex.guess("all-cleared", (12.0, 24.0, 1.0), WRONG).says("""
    (c) 1 is what it should give. But nothing clears the two nodes in between.
""")

ex.guess("second-call", (12.0, 24.0, 3.0), WRONG).says("""
    (c) Three is what the second call gives. In every further call the nodes in between
    have more.
""")

ex.guess("calls-counted", (12.0, 24.0, 5.0), WRONG).says("""
    (c) That is the number of calls. It stands in the *later* one of the nodes in
    between, and the earlier one adds these numbers up.
""")

ex.guess("two-more", (12.0, 24.0, 9.0), WRONG).says("""
    (c) From 1 to 3 it is two more; but what is added grows from call to call, since
    what is passed on grows too.
""")

ex.guess("tripled", (12.0, 24.0, 81.0), WRONG).says("""
    (c) The calls do not multiply: each one adds to what is left in between. Write the
    two gradients down, call by call.
""")

ex.guess("doubled", (12.0, 24.0, 31.0), WRONG).says("""
    (c) Doubling and one more would need `x` to keep its own gradient. It is cleared;
    the two nodes in between are not.
""")

ex.guess("call-before", (12.0, 24.0, 10.0), WRONG).says("""
    (c) That is the fourth call.
""")

ex.guess("squared", (12.0, 24.0, 25.0), WRONG).says("""
    (c) The numbers grow like squares, but they are sums: 1, 1 + 2, and so on.
""")

ex.guess("third-call", (12.0, 24.0, 6.0), WRONG).says("""
    (c) That is the third call.
""")

ex.guess("leaf-kept", (12.0, 24.0, 35.0), WRONG).says("""
    (c) That is the sum over all calls, as if `x.grad` were kept as well. It is cleared
    before each call.
""")
