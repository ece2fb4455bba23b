"""01.3 · Find the bug: where to build."""

from course_exercises.judge import Exercise

PRICES = "01_chain_rule#A derivative is a price"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
FORKS = "01_chain_rule#Forks add"
NO_ACTIVATION = "no stage is an activation"

ex = Exercise(
    "01.3",
    "Find the bug: where to build",
    gradient=True,
    outputs=("dx", "dy"),
    n=lambda x, y, customers: len(customers),
    absent={
        "activation-missing": NO_ACTIVATION,
        "at-output": NO_ACTIVATION,
        "broadcast": "plain numbers, nothing is broadcast",
    },
    hints=(
        "Where does the run end? Compare the place with those of the customers.",
        "How many paths lead from `x` to the cost? How many of them are in `dx` "
        "when the loop has ended?",
        "`+=` is there, and yet nothing is added up. What happens in the first "
        "line of the loop, each time?",
    ),
    explanation=(
        "`dx, dy = 0.0, 0.0` stands inside the loop: every customer starts at zero "
        "again, and the last one stays. It belongs before the loop. A test with one "
        "customer has no fork, so it is blind for it; and the cost falls all the "
        "same, since the last customer is a part of it."
    ),
)


@ex.answer
def site_prices(x, y, customers):
    dx, dy = 0.0, 0.0
    for px, py, weight in customers:
        du = weight * 2 * (x - px)
        dv = weight * 2 * (y - py)
        dx += du
        dy += dv
    return dx, dy


@ex.given
def site_inputs(rng):
    cases = []
    for count in (2, 1, 3, 5, 4):
        customers = rng.uniform(-3, 3, size=(count, 3))
        customers[:, 2] = rng.uniform(0.5, 3, size=count)
        cases.append((*rng.uniform(-2, 2, size=2).tolist(), customers))
    return cases


OF_X, OF_Y = "2 * (x - px)", "2 * (y - py)"  # as in the right answer

# --- wrong ones: what is collected

ex.slip("assigned", {"dx +=": "dx =", "dy +=": "dy ="}, FORKS).says("""
    Only the last customer is left. With one customer this cannot be seen. Look where
    the prices start at zero, and how often.
""")
ex.slip("both-in-one", {"+= du": "+= du + dv", "+= dv": "+= du + dv"}, FORKS).says("""
    Everything is collected in one number. `x` and `y` are two inputs, and each has its
    own paths.
""")
ex.slip("turned", {"px, py": "py, px"}, FORKS).says("""
    The coordinates of the customers are exchanged: `x` belongs to the first column, `y`
    to the second.
""")
ex.slip("columns", {"px, py, weight": "weight, px, py"}, FORKS).says("""
    The columns are taken in another order. A row holds the two coordinates first, then
    the weight.
""")

MOVED = {"(x - px)": "(x := x - px)", "(y - py)": "(y := y - py)"}
ex.slip("moved", MOVED, FORKS).says("""
    `x` and `y` are changed inside the loop, so the second customer finds another place.
    A distance needs a name of its own.
""")
ex.slip("starts-at-one", {"0.0, 0.0": "1.0, 1.0"}, FORKS).says("""
    Every price is too large by 1. What is collected starts at zero.
""")

COUNTS = {"averaged": "sum(customers[:, 2])", "mean-twice": "len(customers)"}
for name, n in COUNTS.items():
    ex.slip(name, {"return dx, dy": f"return dx / {n}, dy / {n}"}, FORKS).says(f"""
        The prices are divided by `{n}`. The cost is a sum over the customers, no mean.
    """)


@ex.wrong(FORKS)
def three_customers(x, y, customers):
    """It looks at three customers, however many there are. A loop over `customers`
    itself needs no number.
    """
    return site_prices(x, y, [customers[i] for i in range(3)])


ex.slip("first-only", {"return": "    return"}, FORKS).says("""
    Only the first customer counts. Does the loop end too early, with a `return` inside
    it?
""")
ex.slip(
    "multiplied", {"0.0, 0.0": "1.0, 1.0", "dx +=": "dx *=", "dy +=": "dy *="}, FORKS
).says("""
    The prices of the paths are multiplied. Along a path prices multiply; several paths
    add.
""")

# --- one price

ABSOLUTE = {"(x - px)": "abs(x - px)", "(y - py)": "abs(y - py)"}
ex.slip("absolute", ABSOLUTE, PRICES).says("""
    The sign of the difference is lost. Whoever lives on the other side pulls the other
    way.
""")
ex.slip(
    "weight-missing", {f"weight * {OF_X}": OF_X, f"weight * {OF_Y}": OF_Y}, CHAIN
).says("""
    The weights have gone: every customer pulls alike. The weight is a factor of the
    cost, so it is a factor of each price.
""")
ex.slip(
    "weight-added",
    {f"weight * {OF_X}": f"weight + {OF_X}", f"weight * {OF_Y}": f"weight + {OF_Y}"},
    CHAIN,
).says("""
    The weight is added. It multiplies the cost, so it multiplies each price.
""")
ex.slip(
    "weight-twice", {OF_X: f"weight * {OF_X}", OF_Y: f"weight * {OF_Y}"}, CHAIN
).says("""
    The weight comes in twice. Along a path each box is passed once.
""")
ex.slip(
    "forward-again", {OF_X: "(x - px) ** 2", OF_Y: "(y - py) ** 2"}, PRICES
).says("""
    These are the costs, not their prices: the squares have not been differentiated.
""")
ex.slip("half", {OF_X: "(x - px)", OF_Y: "(y - py)"}, PRICES)
ex.slip(
    "distance",
    {"customers:": "customers:\n        weight /= 2 * abs(x - px + 1j * (y - py))"},
    CHAIN,
).says("""
    These are the prices for the distance. The cost is the *squared* distance, without a
    root.
""")
