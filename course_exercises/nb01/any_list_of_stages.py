"""01.5 · Open challenge: any list of stages"""

import numpy as np

from course_exercises.judge import Exercise

from .shared import sigma

CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
FORKS = "01_chain_rule#Forks add"
STAGES = "01_chain_rule#An intricate expression"
NO_ARRAY = "plain numbers, nothing is broadcast"
MOST_VISITS = 100  # of one box

ex = Exercise(
    "01.5",
    "Open challenge: any list of stages",
    gradient=True,
    absent={
        "broadcast": NO_ARRAY,
    },
    hints=(
        "Forward: a dictionary from names to values, which grows by one entry per "
        "stage. Look up the values of `inputs`, call the function, enter the "
        "result under `name`.",
        "Backward: a dictionary of prices, all 0, and 1 for the last name. Go "
        "through the stages in reverse; a stage needs nothing but its own price "
        "and the values of its inputs.",
        "For each input of the stage: `prices[i] += prices[name] * local[k]`, "
        "with `local = local_prices(*…)`. If an input stands there twice, this "
        "line runs twice for it.",
    ),
    explanation=(
        "The two loops know nothing of the formula: each stage is one box with its "
        "local prices. A box is visited once, when everything that comes back to it "
        "is there; so thirty squares, with $2^{30}$ paths, take thirty steps. "
        "Notebook 03 records such a list by itself."
    ),
)


@ex.answer
def sweep_back(stages, values):
    values = dict(values)
    for name, inputs, function, _ in stages:
        values[name] = function(*(values[i] for i in inputs))
    prices = dict.fromkeys(values, 0.0)
    prices[stages[-1][0]] = 1.0
    for name, inputs, _, local_prices in reversed(stages):
        local = local_prices(*(values[i] for i in inputs))
        for i, price in zip(inputs, local, strict=True):
            prices[i] += prices[name] * price
    return prices


def times(name, a, b):
    return name, (a, b), lambda a, b: a * b, lambda a, b: (b, a)


def plus(name, a, b):
    return name, (a, b), lambda a, b: a + b, lambda a, b: (1.0, 1.0)


def squashed(name, a):
    return name, (a,), sigma, lambda a: (sigma(a) * (1 - sigma(a)),)


def squared(name, a):
    return name, (a,), lambda a: a**2, lambda a: (2 * a,)


def inverted(name, a):
    return name, (a,), lambda a: 1 / a, lambda a: (-1 / a**2,)


def product_of_three(name, a):
    return (
        name,
        (a, a, a),
        lambda a, b, c: a * b * c,
        lambda a, b, c: (b * c, a * c, a * b),
    )


def expression():
    return [
        squashed("sig_y", "y"),
        plus("top", "x", "sig_y"),
        squashed("sig_x", "x"),
        plus("total", "x", "y"),
        squared("square", "total"),
        plus("bottom", "sig_x", "square"),
        inverted("inverse", "bottom"),
        times("F", "top", "inverse"),
    ]


def ladder(count):
    names = ["x", *(f"h{k}" for k in range(count))]
    pairs = zip(names, names[1:], strict=False)
    return [times(name, before, before) for before, name in pairs]


PROGRAMS = {
    "x · x": lambda: ([times("z", "x", "x")], {"x": 3.0}),
    "x · y, squared": lambda: (
        [times("h", "x", "y"), squared("g", "h")],
        {"x": 3.0, "y": 2.0},
    ),
    "F": lambda: (expression(), {"x": 3.0, "y": -4.0}),
    "x · x, cubed": lambda: (
        [times("h", "x", "x"), product_of_three("z", "h")],
        {"x": 1.3},
    ),
    "an input without use": lambda: (
        [plus("s", "a", "b"), times("t", "s", "a"), squashed("u", "t")],
        {"a": 0.4, "b": -0.9, "c": 5.0},
    ),
    "a fork at every box": lambda: (ladder(30), {"x": 1.0}),
}


def watched(stage, visits):
    name, inputs, function, local_prices = stage

    def counting(*values):
        visits[name] = visits.get(name, 0) + 1
        if visits[name] > MOST_VISITS:
            says = f"the box {name!r} is visited again and again, once for each path"
            raise RuntimeError(says)
        return local_prices(*values)

    return name, inputs, function, counting


@ex.called
def play(answer, program):
    """Run an answer on one of the programs: its prices, in a fixed order."""
    stages, values = PROGRAMS[program]()
    visits = {}
    prices = answer([watched(stage, visits) for stage in stages], dict(values))
    if prices is None:
        return None
    if not isinstance(prices, dict):
        raise TypeError("expected a dictionary of prices, one for each name")
    names = [*values, *(name for name, *_ in stages)]
    return [float(prices.get(name, 0.0)) for name in names]


@ex.given
def programs(rng):
    return [(name,) for name in PROGRAMS]


@ex.right
def sweep_by_index(stages, values):
    values = dict(values)
    for k in range(len(stages)):
        name, inputs, function, _ = stages[k]
        values[name] = function(*map(values.get, inputs))
    prices = {name: 0.0 for name in values}
    prices[name] = 1.0
    k = len(stages) - 1
    while k >= 0:
        name, inputs, _, local = stages[k]
        given = [values[i] for i in inputs]
        for j in range(len(inputs)):
            prices[inputs[j]] += local(*given)[j] * prices[name]
        k -= 1
    return prices


@ex.right
def sweep_by_kept_slopes(stages, values):
    values, kept = {**values}, []
    for name, inputs, function, local in stages:
        given = [values[i] for i in inputs]
        values[name] = function(*given)
        kept.append((name, list(zip(inputs, local(*given), strict=True))))
    prices = np.zeros(len(values))
    where = {name: k for k, name in enumerate(values)}
    prices[where[kept[-1][0]]] = 1
    while kept:
        name, arrows = kept.pop()
        for i, slope in arrows:
            prices[where[i]] += prices[where[name]] * slope
    return dict(zip(where, prices, strict=True))


def sweep(
    stages, values, *, start=0.0, first=None, join=None, order=reversed, cut=None
):
    """The two loops with something in them replaced."""
    values = dict(values)
    for name, inputs, function, _ in stages:
        values[name] = function(*(values[i] for i in inputs))
    prices = dict.fromkeys(values, start)
    prices[stages[-1][0]] = 1.0 if first is None else first(values[stages[-1][0]])
    join = join or (lambda old, price, slope: old + price * slope)
    for name, inputs, _, local_prices in order(stages):
        local = local_prices(*(values[i] for i in inputs))
        for i, slope in list(zip(inputs, local, strict=True))[:cut]:
            prices[i] = join(prices[i], prices[name], slope)
    return prices


def sweep_forward_only(stages, values):
    values = dict(values)
    for name, inputs, function, _ in stages:
        values[name] = function(*(values[i] for i in inputs))
    return values


@ex.wrong(FORKS)
def assigned(stages, values):
    return sweep(stages, values, join=lambda old, price, slope: price * slope)


@ex.wrong(STAGES)
def forward_order(stages, values):
    """The second loop walks forwards. A stage can send a price back only when it has
    received its own, so the last stage comes first.
    """
    return sweep(stages, values, order=list)


@ex.wrong(CHAIN)
def local_only(stages, values):
    """The local prices are added as they are. Each has to be multiplied by the price of
    the stage's output.
    """
    return sweep(stages, values, join=lambda old, price, slope: old + slope)


@ex.wrong(CHAIN)
def activation_missing(stages, values):
    """The price of the output is handed on as it is. Each arrow multiplies it by its
    local price.
    """
    return sweep(stages, values, join=lambda old, price, slope: old + price)


@ex.wrong(FORKS)
def multiplied(stages, values):
    """What comes back over several arrows is multiplied. Along a path prices multiply;
    over paths they add.
    """
    return sweep(
        stages, values, start=1.0, join=lambda old, price, slope: old * price * slope
    )


@ex.wrong(FORKS)
def starts_at_one(stages, values):
    """Every price starts at 1. That is right for the output alone; all others start at
    0 and collect.
    """
    return sweep(stages, values, start=1.0)


@ex.wrong(CHAIN)
def starts_with_value(stages, values):
    """The walk back starts with the value of the output. One unit of output costs one
    unit of output.
    """
    return sweep(stages, values, first=lambda value: value)


@ex.wrong(FORKS)
def one_input(stages, values):
    """Only the first input of each stage gets a price. Every arrow brings something
    back.
    """
    return sweep(stages, values, cut=1)


@ex.wrong(STAGES)
def first_stage_missing(stages, values):
    """The first stage is left out on the way back. Where does the loop end?"""
    return sweep(stages, values, order=lambda stages: reversed(stages[1:]))


@ex.wrong(FORKS)
def without_order(stages, values):
    """A box sends its price back before all of it has arrived, and never again. Go
    through the stages in reverse: then everything that uses a box comes before it.
    """
    values, by_name = dict(values), {stage[0]: stage for stage in stages}
    for name, inputs, function, _ in stages:
        values[name] = function(*(values[i] for i in inputs))
    prices, seen = dict.fromkeys(values, 0.0), set()

    def walk(name):
        if name in by_name and name not in seen:
            seen.add(name)
            _, inputs, _, local_prices = by_name[name]
            local = local_prices(*(values[i] for i in inputs))
            for i, price in zip(inputs, local, strict=True):
                prices[i] += prices[name] * price
                walk(i)

    prices[stages[-1][0]] = 1.0
    walk(stages[-1][0])
    return prices


ex.slip(
    "each-input-once", {"price in": "price in dict(", "True": "True)).items("}, FORKS
).says("""
    An input that stands twice in a stage gets only one price. Each arrow brings one.
""")

ex.mistake("forward-only", STAGES, code=sweep_forward_only).says("""
    These are the values. The prices are asked for.
""")


@ex.wrong(FORKS)
def subtracted(stages, values):
    """What comes back is subtracted. It adds: a minus comes in with a local price, if
    at all.
    """
    return sweep(stages, values, join=lambda old, price, slope: old - price * slope)


@ex.wrong(FORKS)
def last_input(stages, values):
    """Only the last input of each stage gets a price. Every arrow brings something
    back.
    """
    values = sweep_forward_only(stages, values)
    prices = dict.fromkeys(values, 0.0)
    prices[stages[-1][0]] = 1.0
    for name, inputs, _, local_prices in reversed(stages):
        local = local_prices(*(values[i] for i in inputs))
        prices[inputs[-1]] += prices[name] * local[-1]
    return prices


@ex.wrong(STAGES)
def last_stage_missing(stages, values):
    """The last stage is left out on the way back, so no price ever leaves the output.
    Where does the loop begin?
    """
    return sweep(stages, values, order=lambda stages: reversed(stages[:-1]))


@ex.wrong(CHAIN)
def at_output(stages, values):
    """The local prices are computed at the *output* of the stage. They belong to the
    values that went into it.
    """
    values = sweep_forward_only(stages, values)
    prices = dict.fromkeys(values, 0.0)
    prices[stages[-1][0]] = 1.0
    for name, inputs, _, local_prices in reversed(stages):
        local = local_prices(*[values[name]] * len(inputs))
        for i, price in zip(inputs, local, strict=True):
            prices[i] += prices[name] * price
    return prices


@ex.wrong(CHAIN)
def value_for_price(stages, values):
    """The local price is multiplied by the value of the output, where its price
    belongs.
    """
    values = sweep_forward_only(stages, values)
    prices = dict.fromkeys(values, 0.0)
    prices[stages[-1][0]] = 1.0
    for name, inputs, _, local_prices in reversed(stages):
        local = local_prices(*(values[i] for i in inputs))
        for i, price in zip(inputs, local, strict=True):
            prices[i] += values[name] * price
    return prices


@ex.wrong(STAGES)
def inputs_only(stages, values):
    """The prices of the inputs are right. The stages have prices too, and they are
    asked for.
    """
    return {name: sweep(stages, values)[name] for name in values}
