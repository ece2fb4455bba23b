"""01.4 · Predict: how many paths."""

import math

from course_exercises.judge import Exercise

PRICES = "01_chain_rule#A derivative is a price"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
FORKS = "01_chain_rule#Forks add"
NAN = math.nan  # a number that a mistake does not speak of

ex = Exercise(
    "01.4",
    "Predict: how many paths",
    outputs=("paths", "one path", "dz/dx"),
    hints=(
        "A path takes one arrow at each box. How many arrows lead into $h = x "
        "\\cdot x$, and how many into $z = h \\cdot h \\cdot h$?",
        "At $x = 2$, $h$ is 4. An arrow into $z$ costs the product of the other "
        "two factors; an arrow into $h$ costs the other factor.",
        "2 · 3 paths, all alike, each with the product (4 · 4) · 2. What is their sum?",
    ),
    explanation=(
        "Six paths, each with the product $16 \\cdot 2 = 32$, together 192. From "
        "school: $z = x^6$, and $6 x^5$ at 2 is 192."
    ),
)


@ex.answer
def counted():
    x = 2.0
    h = x * x
    paths = 2 * 3  # two arrows into h, three arrows into z
    one_path = (h * h) * x  # the product of the other two, times the other one
    return paths, one_path, paths * one_path


ex.guess("paths-added", (5, NAN, 160), FORKS).says("""
    Two arrows lead into $h$ and three into $z$. For each of the two there are three
    ways to go on.
""")

ex.guess("power", (8, NAN, 256), FORKS).says("""
    The number of paths is a product of the arrows into each box. Count them for the two
    boxes.
""")

ex.guess("power-of-three", (9, NAN, 288), FORKS).says("""
    The number of paths is a product of the arrows into each box, and the two boxes have
    not equally many.
""")

ex.guess("cube-slope", (NAN, 48, NAN), FORKS).says("""
    $3h^2$ is the slope of the whole cube, the sum over its three arrows. A path takes
    one of them, and goes on to $x$.
""")

ex.guess("square-once", (3, 64, NAN), FORKS).says(r"""
    $x \cdot x$ has two arrows, though both come from the same $x$. Each of them is the
    beginning of paths of its own.
""")

ex.guess("cube-once", (2, 96, 64), FORKS).says(r"""
    $h \cdot h \cdot h$ has three arrows, one for each factor, and a path takes one of
    them.
""")

ex.guess("whole-slope", (1, 192, 1152), FORKS).says("""
    This is the slope of the whole, with every arrow in it: $2x$ is the sum over two
    arrows, and $3h^2$ over three. A single path has a single arrow at each box.
""")

ex.guess("own-factor", (NAN, 8, 48), PRICES).says("""
    In a product of three the local price of one factor is the product of the other two.
""")

ex.guess("factor-itself", (NAN, 128, 768), PRICES).says("""
    The local price of a factor does not contain the factor itself.
""")

ex.guess("added-along", (NAN, 18, 108), CHAIN).says("""
    Along a path prices multiply. Here they are added.
""")

ex.guess("one-box", (NAN, 16, NAN), CHAIN).says("""
    This is the price of one arrow into $z$. The path goes on to $x$, through one more
    box.
""")

ex.guess("half-of-all", (NAN, NAN, 96), FORKS).says(r"""
    This is half of it. Is only one of the two arrows of $x \cdot x$ counted, or is the
    price of that box missing in each path?
""")

ex.guess("one-path", (NAN, NAN, 32), FORKS).says("""
    This is what one path brings. All of them lead back to $x$.
""")
