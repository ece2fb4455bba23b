"""03.2 · A length as one operation."""

import math

from course_exercises.judge import Exercise

RULES = "03_tape_engine#The local rules"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"

ex = Exercise(
    "03.2",
    "A length as one operation",
    gradient=True,
    outputs=("grad_a", "grad_b"),
    absent={
        "assigned": "each input is used once",
        "broadcast": "these are plain numbers, and nothing is broadcast",
    },
    hints=(
        "Write $r = \\sqrt{s}$ with $s = a^2 + b^2$, and go back through both "
        "steps: the root, then the squares.",
        "The root gives $g / (2r)$ to $s$. Each square multiplies that by its own "
        "slope, $2a$ and $2b$. Which factor cancels?",
        "What is left is a side over the length, times what arrived. No square and "
        "no root has to be computed anew.",
    ),
    explanation=(
        r"$\partial r/\partial a = \frac{1}{2r} \cdot 2a = a/r$, and the same for $b$. "
        "The two slopes are cosine and sine of the angle: a side counts as far as it "
        "points along the vector."
    ),
)


@ex.answer
def hypot_vjp(grad_out, r, a, b):
    return grad_out * a / r, grad_out * b / r


@ex.given
def hypot_inputs(rng):
    points = (0.7, 3.0, -4.0), (-1.2, 0.5, 2.5), (2.5, -1.5, -0.8), (0.3, 6.0, 2.0)
    points = (*points, (1.6, -0.9, 1.4))
    return [(g, math.hypot(a, b), a, b) for g, a, b in points]


# --- wrong ones: the two slopes

OF_A, OF_B = "a / r", "b / r"  # as in the right answer

ex.slip("activation-missing", {f" * {OF_A}": "", f" * {OF_B}": ""}, RULES).says("""
    Both inputs get what arrived, as a sum would give it. The squares and the root have
    slopes of their own.
""")
ex.slip(
    "at-output", {OF_A: "r / math.hypot(r, b)", OF_B: "r / math.hypot(a, r)"}, RULES
).says("""
    The output stands where the input belongs. `r` is the length already; on top of the
    fraction there has to be the side.
""")
ex.slip("root-alone", {OF_A: "1 / (2 * r)", OF_B: "1 / (2 * r)"}, CHAIN).says("""
    This is the slope of the root alone. Inside it stands a square, and the chain rule
    multiplies by its slope too.
""")
ex.slip("squares-alone", {OF_A: "2 * a", OF_B: "2 * b"}, CHAIN).says("""
    This is the slope of the squares alone. A root is taken of their sum, and it has a
    slope too.
""")
ex.slip("upside-down", {OF_A: "r / a", OF_B: "r / b"}, RULES).says("""
    The fraction stands on its head. A side never changes faster than it pulls the
    length along, so the slope is at most 1.
""")
ex.slip("square-kept", {OF_A: "a**2 / r", OF_B: "b**2 / r"}, RULES).says("""
    The square is still a square. Differentiated, its exponent falls by one.
""")
ex.slip("divided-by-square", {OF_A: "a / r**2", OF_B: "b / r**2"}, RULES).says("""
    It divides by the square of the length. Take lengths ten times as great: the slope
    must stay as it is.
""")
ex.slip("root-of-length", {OF_A: "a / r**0.5", OF_B: "b / r**0.5"}, RULES).says("""
    It divides by the root of the length. `r` is the length already, root and all.
""")
ex.slip("all-squared", {OF_A: "a**2 / r**2", OF_B: "b**2 / r**2"}, RULES).says("""
    Side and length are both squared. The two slopes would then add up to 1; it is their
    squares that do.
""")
ex.slip("sum-for-length", {OF_A: "a / (a + b)", OF_B: "b / (a + b)"}, RULES).says("""
    It divides by the sum of the sides. The length is the root of the sum of squares,
    which is shorter.
""")
ex.slip("sign-lost", {OF_A: "abs(a) / r", OF_B: "abs(b) / r"}, RULES).says("""
    The sign of the input is lost. Where a side is negative, one unit more makes the
    length shorter.
""")
ex.slip("half", {OF_A: "a / (2 * r)", OF_B: "b / (2 * r)"}, CHAIN).says("""
    Every number is half the right one. The root brings a 2 below the line; what does a
    square bring, above it?
""")

# --- another rule, or none

ex.slip("rule-of-product", {OF_A: "b", OF_B: "a"}, RULES).says("""
    This is the rule of the product: each gets the other one. Here each input has a
    square of its own.
""")
ex.slip("output-for-slope", {OF_A: "r", OF_B: "r"}, RULES).says("""
    What arrived is multiplied by the length itself. That is the rule of the
    exponential, the only one whose slope is its output.
""")
ex.slip("divided-by-input", {OF_A: "1 / a", OF_B: "1 / b"}, RULES).says("""
    It divides by the input. That is the rule of the logarithm.
""")
ex.slip(
    "returns-input", {f"grad_out * {OF_A}": "a", f"grad_out * {OF_B}": "b"}, RULES
).says("""
    The inputs come back as they are. What has to be computed of them, and of what
    arrived, is missing.
""")
ex.slip(
    "incoming-ignored", {f"grad_out * {OF_A}": OF_A, f"grad_out * {OF_B}": OF_B}, CHAIN
)
