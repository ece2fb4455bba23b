"""The lists of stages that the check of 01.5 plays."""

from .shared import sigma


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


EXPRESSION = [
    squashed("sig_y", "y"),
    plus("top", "x", "sig_y"),
    squashed("sig_x", "x"),
    plus("total", "x", "y"),
    squared("square", "total"),
    plus("bottom", "sig_x", "square"),
    inverted("inverse", "bottom"),
    times("F", "top", "inverse"),
]
LADDER = [times("h0", "x", "x")]
LADDER += [times(f"h{k}", f"h{k - 1}", f"h{k - 1}") for k in range(1, 30)]
PROGRAMS = {
    "x · x": ([times("z", "x", "x")], {"x": 3.0}),
    "x · y, squared": ([times("h", "x", "y"), squared("g", "h")], {"x": 3.0, "y": 2.0}),
    "F": (EXPRESSION, {"x": 3.0, "y": -4.0}),
    "x · x, cubed": ([times("h", "x", "x"), product_of_three("z", "h")], {"x": 1.3}),
    "an input without use": (
        [plus("s", "a", "b"), times("t", "s", "a"), squashed("u", "t")],
        {"a": 0.4, "b": -0.9, "c": 5.0},
    ),
    "a fork at every box": (LADDER, {"x": 1.0}),
}
