"""01.3 · Find the bug: where to build"""

import math

import numpy as np

from course_exercises.judge import Exercise

PRICES = "01_chain_rule#A derivative is a price"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
FORKS = "01_chain_rule#Forks add"
NO_ACTIVATION = "no stage is an activation"
NO_ARRAY = "plain numbers, nothing is broadcast"

ex = Exercise(
    "01.3",
    "Find the bug: where to build",
    gradient=True,
    outputs=("dx", "dy"),
    n=lambda x, y, customers: len(customers),
    absent={
        "activation-missing": NO_ACTIVATION,
        "at-output": NO_ACTIVATION,
        "broadcast": NO_ARRAY,
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
        cases.append((*rng.uniform(4, 6, size=2).tolist(), customers))
    return cases


@ex.wrong(FORKS)
def assigned(x, y, customers):
    """Only the last customer is left. With one customer this cannot be seen. Look where
    the prices start at zero, and how often.
    """
    for px, py, weight in customers:
        dx, dy = 0.0, 0.0
        u, v = x - px, y - py
        du, dv = weight * 2 * u, weight * 2 * v
        dx += du
        dy += dv
    return dx, dy


@ex.wrong(CHAIN)
def weight_missing(x, y, customers):
    """The weights have gone: every customer pulls alike. The weight is a factor of the
    cost, so it is a factor of each price.
    """
    dx = sum(2 * (x - px) for px, _, _ in customers)
    return dx, sum(2 * (y - py) for _, py, _ in customers)


@ex.wrong(CHAIN)
def weight_twice(x, y, customers):
    """The weight comes in twice. Along a path each box is passed once."""
    dx = sum(2 * w**2 * (x - px) for px, _, w in customers)
    return dx, sum(2 * w**2 * (y - py) for _, py, w in customers)


@ex.wrong(PRICES)
def forward_again(x, y, customers):
    """These are the costs, not their prices: the squares have not been differentiated."""
    dx = sum(w * (x - px) ** 2 for px, _, w in customers)
    return dx, sum(w * (y - py) ** 2 for _, py, w in customers)


@ex.wrong(FORKS)
def both_in_one(x, y, customers):
    """Everything is collected in one number. `x` and `y` are two inputs, and each has
    its own paths.
    """
    both = sum(site_prices(x, y, customers))
    return both, both


@ex.wrong(FORKS)
def turned(x, y, customers):
    """The coordinates of the customers are exchanged: `x` belongs to the first column,
    `y` to the second.
    """
    return site_prices(x, y, np.asarray(customers)[:, [1, 0, 2]])


@ex.wrong(FORKS)
def starts_at_one(x, y, customers):
    """Every price is too large by 1. What is collected starts at zero."""
    dx, dy = site_prices(x, y, customers)
    return dx + 1, dy + 1


@ex.wrong(CHAIN)
def distance(x, y, customers):
    """These are the prices for the distance. The cost is the *squared* distance,
    without a root.
    """
    dx, dy = 0.0, 0.0
    for px, py, weight in customers:
        far = math.hypot(x - px, y - py)
        dx += weight * (x - px) / far
        dy += weight * (y - py) / far
    return dx, dy


@ex.wrong(FORKS)
def averaged(x, y, customers):
    """The prices are divided by the sum of the weights. The cost is a sum over the
    customers, no mean.
    """
    total = customers[:, 2].sum()
    dx, dy = site_prices(x, y, customers)
    return dx / total, dy / total


@ex.wrong(FORKS)
def mean_twice(x, y, customers):
    """The prices are divided by the number of customers. The cost is a sum over the
    customers, no mean.
    """
    dx, dy = site_prices(x, y, customers)
    return dx / len(customers), dy / len(customers)


@ex.wrong(PRICES)
def half(x, y, customers):
    dx, dy = site_prices(x, y, customers)
    return dx / 2, dy / 2


@ex.wrong(FORKS)
def first_only(x, y, customers):
    """Only the first customer counts. Does the loop end too early, with a `return`
    inside it?
    """
    return site_prices(x, y, customers[:1])


@ex.wrong(FORKS)
def multiplied(x, y, customers):
    """The prices of the paths are multiplied. Along a path prices multiply; several
    paths add.
    """
    dx = math.prod(2 * w * (x - px) for px, _, w in customers)
    return dx, math.prod(2 * w * (y - py) for _, py, w in customers)
