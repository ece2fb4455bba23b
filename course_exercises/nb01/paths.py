"""01.4 · Predict: how many paths."""

from course_exercises.judge import Exercise

PRICES = "01_chain_rule#A derivative is a price"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
FORKS = "01_chain_rule#Forks add"

ex = Exercise(
    "01.4",
    "Predict: how many paths",
    outputs=("paths", "one path", "dz/dx"),
    otherwise={
        "paths": "How many arrows lead into $h$, and how many into $z$?",
        "one path": "Walk along one path: what costs the arrow into $z$ that it takes, "
        "and what the one into $h$?",
        "dz/dx": "All paths lead back to $x$, and what they bring adds.",
    },
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


# --- wrong ones: how many

ex.guess("paths-added", {"paths": 5, "dz/dx": 160}, FORKS).says("""
    Two arrows lead into $h$ and three into $z$. For each of the two there are three
    ways to go on.
""")
ex.guess("power", {"paths": 8, "dz/dx": 256}, FORKS).says("""
    The number of paths is a product of the arrows into each box. Count them for the two
    boxes.
""")
ex.guess("power-of-three", {"paths": 9, "dz/dx": 288}, FORKS).says("""
    The number of paths is a product of the arrows into each box, and the two boxes have
    not equally many.
""")
ex.guess("square-once", {"paths": 3, "dz/dx": 96}, FORKS).says(r"""
    $x \cdot x$ has two arrows, though both come from the same $x$. Each of them is the
    beginning of paths of its own.
""")
ex.guess("cube-once", {"paths": 2, "dz/dx": 64}, FORKS).says(r"""
    $h \cdot h \cdot h$ has three arrows, one for each factor, and a path takes one of
    them.
""")

for count in (1, 4, 12):
    ex.guess(f"paths-{count}", {"paths": count}, FORKS).says("""
        Draw the arrows: $h$ has two factors, and $z$ has three. A path takes one arrow
        into each box; in how many ways?
    """)

ex.guess("exchanged", {"paths": 32, "one path": 6}, FORKS).says("""
    The first two numbers are exchanged.
""")

# --- one path

ex.guess("cube-slope", {"one path": 48}, FORKS).says("""
    $3h^2$ is the slope of the whole cube, the sum over its three arrows. A path takes
    one of them, and goes on to $x$.
""")

for name, price in (("square-slope", 64), ("cube-slope-on", 96), ("whole-slope", 192)):
    ex.guess(name, {"one path": price}, FORKS).says("""
        The slope of a whole box is in it: $2x$ is the sum over two arrows, and $3h^2$
        over three. A single path has a single arrow at each box.
    """)
ex.guess("own-factor", {"one path": 8, "dz/dx": 48}, PRICES).says("""
    In a product of three the local price of one factor is the product of the other two,
    and each of them is $h = 4$.
""")
ex.guess("h-itself", {"one path": 4}, CHAIN).says("""
    4 is $h$, or the slope of the square. A path passes two boxes: what costs the arrow
    into $z$, and what the one into $h$?
""")
ex.guess("factor-itself", {"one path": 128, "dz/dx": 768}, PRICES).says("""
    The local price of a factor does not contain the factor itself.
""")
ex.guess("added-along", {"one path": 18, "dz/dx": 108}, CHAIN).says("""
    Along a path prices multiply. Here they are added.
""")
ex.guess("one-box", {"one path": 16}, CHAIN).says("""
    This is the price of one arrow into $z$. The path goes on to $x$, through one more
    box.
""")

# --- all of them

ex.guess("half-of-all", {"dz/dx": 96}, FORKS).says(r"""
    This is half of it. Is only one of the two arrows of $x \cdot x$ counted, or is the
    price of that box missing in each path?
""")
ex.guess("one-path", {"dz/dx": 32}, FORKS).says("""
    This is what one path brings. All of them lead back to $x$.
""")
ex.guess("value", {"dz/dx": 64}, PRICES).says("""
    This is the value of $z$. Its price is asked for: what one unit more of $x$ costs.
""")
ex.guess("count", {"dz/dx": 6}, FORKS).says("""
    This is the number of paths. Each of them brings the product of its prices, and
    these add.
""")
