"""01.5 · Open challenge: any list of stages."""

from course_exercises.judge import Exercise, Trouble
from course_exercises.judge.running import Stopped

from .programs import LADDER, PROGRAMS

CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
FORKS = "01_chain_rule#Forks add"
STAGES = "01_chain_rule#An intricate expression"
MOST_VISITS = 100  # of one box
EACH_PATH = (
    "Every path is walked here, and through thirty squares lead $2^{30}$. Visit each "
    "box once, when all that uses it is done: then it knows the whole of its price."
)

ex = Exercise(
    "01.5",
    "Open challenge: any list of stages",
    gradient=True,
    absent={"broadcast": "plain numbers, nothing is broadcast"},
    seconds=4,
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


def watched(stage, visits):
    name, inputs, function, local_prices = stage

    def counting(*values):
        visits[name] = visits.get(name, 0) + 1
        if visits[name] > MOST_VISITS:
            raise Trouble("stopped", EACH_PATH)
        return local_prices(*values)

    return name, inputs, function, counting


@ex.called
def play(answer, program):
    """Run an answer on one of the programs: its prices, in a fixed order."""
    stages, values = PROGRAMS[program]
    names, visits = [*values, *(name for name, *_ in stages)], {}
    try:
        prices = answer([watched(stage, visits) for stage in stages], dict(values))
    except KeyError as lost:
        if lost.args[0] not in names:
            raise
        says = f"There is no entry for {lost.args[0]!r} (KeyError). A stage enters its "
        says += "value on the way forward; every name begins with the price 0."
        raise Trouble("raised", says) from None
    except Stopped:
        if stages is not LADDER:  # before which all others have ended
            raise
        raise Trouble("stopped", EACH_PATH) from None
    if prices is None:
        return None
    if not isinstance(prices, dict):
        says = "Expected a dictionary of prices, with one for each name."
        raise Trouble("wrong type", says)
    return [float(prices.get(name, 0.0)) for name in names]


@ex.given
def programs(rng):
    return [(name,) for name in PROGRAMS]


# --- wrong ones: what is collected

ex.slip("assigned", {"+=": "="}, FORKS)
ex.slip("multiplied", {"0.0": "1.0", "+=": "*="}, FORKS).says("""
    What comes back over several arrows is multiplied. Along a path prices multiply;
    over paths they add.
""")
ex.mistake("zero", STAGES).says("""
    All prices are 0. One price is known before the walk begins: one unit of the output
    costs one unit.
""")
ex.slip("subtracted", {"+=": "-="}, FORKS).says("""
    What comes back is subtracted. It adds: a minus comes in with a local price, if at
    all.
""")
ex.slip("starts-at-one", {"0.0": "1.0"}, FORKS).says("""
    Every price starts at 1. That is right for the output alone; all others start at 0
    and collect.
""")
ex.slip("starts-with-value", {"1.0": "values[name]"}, CHAIN).says("""
    The walk back starts with the value of the output. One unit of output costs one unit
    of output.
""")
ex.slip("starts-elsewhere", {"stages[-1][0]": "stages[0][0]"}, CHAIN).says("""
    The walk back starts with a price of 1 at the *first* stage. The prices are in units
    of the last one.
""")

# --- what is sent back

ex.slip("local-only", {"prices[name] * ": ""}, CHAIN).says("""
    The local prices are added as they are. Each has to be multiplied by the price of
    the stage's output.
""")
ex.slip("activation-missing", {" * price": ""}, CHAIN).says("""
    The price of the output is handed on as it is. Each arrow multiplies it by its local
    price.
""")
ex.slip(
    "at-output", {"local_prices(*(values[i]": "local_prices(*(values[name]"}, CHAIN
).says("""
    The local prices are computed at the *output* of the stage. They belong to the
    values that went into it.
""")
ex.slip("value-for-price", {"prices[name]": "values[name]"}, CHAIN).says("""
    The local price is multiplied by the value of the output, where its price belongs.
""")
ex.slip("times-value", {"] * price": "] * values[name]"}, CHAIN).says("""
    The price is multiplied by the value of the stage. Each arrow has a local price.
""")
ex.slip("at-prices", {"local_prices(*(values": "local_prices(*(prices"}, CHAIN).says("""
    The local prices are computed from prices. They belong to the *values* that went
    into the stage.
""")

ALL = "zip(inputs, local, strict=True)"  # as in the right answer

ex.slip("one-input", {ALL: "[(inputs[0], local[0])]"}, FORKS).says("""
    Only the first input of each stage gets a price. Every arrow brings something back.
""")
ex.slip("last-input", {ALL: "[(inputs[-1], local[-1])]"}, FORKS).says("""
    Only the last input of each stage gets a price. Every arrow brings something back.
""")
ex.slip("first-for-all", {ALL: "[(i, local[0]) for i in inputs]"}, FORKS).says("""
    Every input of a stage gets the first local price. Each arrow has its own.
""")
ex.slip("each-input-once", {ALL: f"dict({ALL}).items()"}, FORKS).says("""
    An input that stands twice in a stage gets only one price. Each arrow brings one.
""")
ex.slip("other-way-round", {"local, strict": "local[::-1], strict"}, CHAIN).says("""
    The local prices are dealt out from the last input to the first. They come in the
    order of the inputs.
""")

# --- the walk

ex.slip("forward-order", {"reversed(stages)": "stages"}, STAGES).says("""
    Only the inputs of the last stage get a price. Either the second loop walks
    forwards, or it ends after one stage. A stage sends its price back when it has
    received its own.
""")
ex.slip("first-stage-missing", {"(stages)": "(stages[1:])"}, STAGES).says("""
    The first stage is left out on the way back. Where does the loop end?
""")
ex.slip("last-stage-missing", {"(stages)": "(stages[:-1])"}, STAGES).says("""
    No price ever leaves the output. Where does the walk back begin, and is what is sent
    a multiple of the price of the *stage*?
""")


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


ex.slip("forward-only", {"return prices": "return values"}, STAGES).says("""
    These are the values. The prices are asked for.
""")


@ex.wrong(STAGES)
def inputs_only(stages, values):
    """The prices of the inputs are right. The stages have prices too, and they are
    asked for.
    """
    prices = sweep_back(stages, values)
    return {name: prices[name] for name in values}
