"""12.5 · What was computed already."""

from functools import partial

from course_exercises.judge import Exercise

LISTING = "12_compiled_tape#Recording without numbers"

ex = Exercise(
    "12.5",
    "What was computed already",
    hints=(
        "A dictionary from what a line computes to the line that did it first. What is "
        "its key?",
        "The key has the function and its inputs, but each input by its first place: "
        "only then a line that uses the second copy is found as well.",
        'For `"add"` and `"mul"` sort the two inputs. Names and numbers cannot be '
        "compared: sort by `repr`, or make a `frozenset`.",
    ),
    explanation=(
        "This is *value numbering*: one run, a dictionary, and inputs that are "
        "replaced by their first places before they are looked up. So a whole chain "
        "that was computed twice is found, line by line. Our plans do it too, in "
        "`compiler/shorten.py`."
    ),
)


@ex.answer
def first_places(program):
    first, seen = [], {}
    for k, (name, *inputs) in enumerate(program):
        inputs = [first[x] if isinstance(x, int) else x for x in inputs]
        if name in ("add", "mul"):
            inputs.sort(key=repr)
        first.append(seen.setdefault((name, *inputs), k))
    return first


@ex.given
def programs(rng):
    squares = [("mul", "x", "x"), ("mul", "x", "x"), ("add", 0, 1), ("add", 0, 0)]
    squares += [("sub", 2, "x"), ("sub", 3, "x"), ("sub", "x", 3)]
    turned = [("add", "x", "y"), ("add", "y", "x"), ("sub", "x", "y")]
    turned += [("sub", "y", "x"), ("div", 0, 2), ("div", 1, 2), ("div", 2, 0)]
    turned += [("mul", 4, "x"), ("mul", "x", 5), ("add", 4, "x")]
    found = [(squares,), (turned,)]
    for n in (8, 14, 20):
        lines = []
        for k in range(n):
            known = ["x", "y", *range(k)]
            pair = [known[int(rng.integers(0, min(len(known), 4)))] for _ in range(2)]
            lines.append((("add", "sub", "mul")[int(rng.integers(0, 3))], *pair))
        found.append((lines,))
    return found


@ex.right
def by_search(program):
    first = []
    for k in range(len(program)):
        places = (j for j in range(k) if _alike(program[j], program[k], first))
        first.append(next(places, k))
    return first


@ex.helper
def _alike(one, other, first):
    pairs = [
        [first[x] if isinstance(x, int) else x for x in line[1:]]
        for line in (one, other)
    ]
    turned = one[0] in ("add", "mul") and pairs[0] == pairs[1][::-1]
    return one[0] == other[0] and (pairs[0] == pairs[1] or turned)


slip = partial(ex.slip, where=LISTING)

slip("inputs-as-they-stand", {"first[x] if isinstance(x, int) else x": "x"}).says("""
    Inputs are compared as they are written. A line that reads the second copy of a
    value computes the same as one that reads the first: replace inputs first.
""")
slip("order-counts", {'("add", "mul")': "()"}).says("""
    `x + y` and `y + x` are taken for two different things. Sums and products do not
    care about the order.
""")
slip("order-never-counts", {'name in ("add", "mul")': "True"}).says("""
    `x − y` and `y − x` are taken for the same. Only sums and products do not care about
    the order.
""")
slip("all-but-differences", {'name in ("add", "mul")': 'name != "sub"'}).says("""
    `x / y` and `y / x` are taken for the same. Only sums and products do not care about
    the order.
""")
slip("sums-alone", {'("add", "mul")': '("add",)'}).says("""
    Products are taken in order. They do not care about it, as sums do not.
""")
slip("function-left-out", {"(name, *inputs), k)": "tuple(inputs), k)"}).says("""
    Lines with the same inputs are taken for the same, whatever their function is.
""")
slip("function-alone", {"(name, *inputs), k)": "name, k)"}).says("""
    Lines with the same function are taken for the same, whatever their inputs are.
""")
slip("last-place", {"seen.setdefault((name, *inputs), k)": "k"}).says("""
    Every line is its own first place: nothing is found.
""")


@ex.wrong(LISTING)
def numbered_anew(program):
    """The lines that are left have been numbered anew. Asked for is the number that a
    line has in the program as it was given.
    """
    places = first_places(program)
    new = {k: n for n, k in enumerate(dict.fromkeys(places))}
    return [new[k] for k in places]


@ex.wrong(LISTING)
def the_latest(program):
    """The line *before* with the same result is given, not the first of all."""
    first, latest = [], {}
    places = first_places(program)
    for k in range(len(program)):
        first.append(latest.get(places[k], k))
        latest[places[k]] = k
    return first
