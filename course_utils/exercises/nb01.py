"""Exercises of 01_chain_rule."""

import itertools
import math

import numpy as np

from course_utils.scalar import Value

from .exercise import Exercise, Mistake

PRICES = "01_chain_rule#A derivative is a price"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
FORKS = "01_chain_rule#Forks add"
SIGMA = "01_chain_rule#The function σ"
STAGES = "01_chain_rule#An intricate expression"
NAN = math.nan  # a number that a mistake does not speak of
NO_ACTIVATION = "no stage is an activation"
NO_ARRAY = "plain numbers, nothing is broadcast"
NO_INCOMING = (
    "`grad_out` is not used. The price of the output is not always 1, and each price "
    "is a multiple of it."
)
NO_EXP = (
    "The prices of `a` and `b` go on to `x` as they are. Between them and `x` stands "
    "one more box each, $e^x$ and $e^{-x}$, with a price of its own."
)


def sigma(x):
    return 1.0 / (1.0 + math.exp(-x))


def floats(rng, count, size, low=0.3, high=1.6):
    """Numbers away from zero, of both signs."""
    numbers = rng.uniform(low, high, size=(count, size))
    numbers *= rng.choice([-1, 1], size=numbers.shape)
    return [tuple(row) for row in numbers.tolist()]


# --- 01.1: tanh, in stages ------------------------------------------------------------


def tanh_backward(grad_out, x):
    a, b = math.exp(x), math.exp(-x)
    top, bottom = a - b, a + b
    d_top = grad_out / bottom
    d_bottom = grad_out * (-top / bottom**2)
    da = d_top + d_bottom
    db = -d_top + d_bottom
    return da * a + db * (-b)


def tanh_inputs(rng):
    return floats(rng, 6, 2)


def tanh_in_one_line(grad_out, x):
    return grad_out * (1 - math.tanh(x) ** 2)


def tanh_by_cosh(grad_out, x):
    return [grad_out][0] / np.cosh(x) ** 2


def tanh_by_sigma(grad_out, x):
    s = sigma(2 * x)
    return np.array(4 * grad_out * s * (1 - s))


def tanh_paths(grad_out, x):
    """The four paths: what each brings back to x."""
    a, b = math.exp(x), math.exp(-x)
    top, bottom = a - b, a + b
    d_top, d_bottom = grad_out / bottom, -grad_out * top / bottom**2
    return {
        "a → top": d_top * a,
        "b → top": d_top * b,
        "a → bottom": d_bottom * a,
        "b → bottom": d_bottom * -b,
    }


def tanh_with(*kept):
    def only_some_paths(grad_out, x):
        paths = tanh_paths(grad_out, x)
        return sum(paths[name] for name in kept)

    return only_some_paths


PATHS = ("a → top", "b → top", "a → bottom", "b → bottom")
# Kept by other mistakes, or equal to the right result but for a factor.
NO_OWN_NAME = [
    ("a → top", "b → top"),
    ("a → top", "a → bottom"),
    ("b → top", "b → bottom"),
]


def tanh_lost_paths():
    """Every way to lose some of the four paths."""
    for count in (3, 2, 1):
        for kept in itertools.combinations(PATHS, count):
            if kept not in NO_OWN_NAME:
                says = (
                    "Four paths lead from `x` to the result, and here "
                    f"{len(kept)} of them count: {', '.join(f'`{k}`' for k in kept)}. "
                    "`a` and `b` fork as well, so each collects two prices."
                )
                name = "only " + ", ".join(kept)
                yield Mistake(name, tanh_with(*kept), says, FORKS)


def tanh_assigned(grad_out, x):
    paths = tanh_paths(grad_out, x)
    return paths["b → top"] + paths["b → bottom"]


def tanh_skipped(grad_out, x):
    return grad_out


def tanh_at_output(grad_out, x):
    return grad_out * (1 - math.tanh(math.tanh(x)) ** 2)


def tanh_of_input(grad_out, x):
    return grad_out * (1 - x**2)


def tanh_like_sigma(grad_out, x):
    t = math.tanh(x)
    return grad_out * t * (1 - t)


def tanh_plus(grad_out, x):
    return grad_out * (1 + math.tanh(x) ** 2)


def tanh_not_squared(grad_out, x):
    return grad_out * (1 - math.tanh(x))


def tanh_inner_slope_missing(grad_out, x):
    a, b = math.exp(x), math.exp(-x)
    d_top = grad_out / (a + b)
    d_bottom = -grad_out * (a - b) / (a + b) ** 2
    return (d_top + d_bottom) * a + (d_bottom - d_top) * b


def tanh_without_exp(sign):
    def slopes_of_exp_missing(grad_out, x):
        a, b = math.exp(x), math.exp(-x)
        d_top = grad_out / (a + b)
        d_bottom = -grad_out * (a - b) / (a + b) ** 2
        return (d_top + d_bottom) + sign * (d_bottom - d_top)

    return slopes_of_exp_missing


def tanh_without_incoming(grad_out, x):
    return 1 - math.tanh(x) ** 2


def tanh_forward(grad_out, x):
    return grad_out * math.tanh(x)


def tanh_as_sigma(grad_out, x):
    return grad_out * sigma(x) * (1 - sigma(x))


def tanh_bottom_not_squared(grad_out, x):
    a, b = math.exp(x), math.exp(-x)
    d_top, d_bottom = grad_out / (a + b), -grad_out * (a - b) / (a + b)
    return (d_top + d_bottom) * a - (d_bottom - d_top) * b


def tanh_top_missing(grad_out, x):
    a, b = math.exp(x), math.exp(-x)
    d_top, d_bottom = grad_out / (a + b), -grad_out / (a + b) ** 2
    return (d_top + d_bottom) * a - (d_bottom - d_top) * b


# --- 01.2: a box that opens another ---------------------------------------------------


def gate_backward(grad_out, x, y, z):
    p = x * y
    q = p + z
    s = sigma(z)
    ds = grad_out * q
    dq = grad_out * s
    dp = dq
    dz = dq + ds * s * (1 - s)
    dx = dp * y
    dy = dp * x
    return dx, dy, dz


def gate_inputs(rng):
    return floats(rng, 6, 4)


def gate_with_zeros_first(grad_out, x, y, z):
    s, dx, dy, dz = sigma(z), 0.0, 0.0, 0.0
    dz += grad_out * (x * y + z) * s * (1.0 - s)
    dz += grad_out * s
    dx += grad_out * s * y
    dy += grad_out * s * x
    return [dx, dy, dz]


def gate_in_one_go(grad_out, x, y, z):
    e = np.exp(-z)
    slope = e / (1 + e) ** 2
    return np.array([y, x, 1.0]) * grad_out / (1 + e) + np.array(
        [0, 0, grad_out * (x * y + z) * slope]
    )


def gate_on_a_tape(grad_out, x, y, z):
    x, y, z = Value(x), Value(y), Value(z)
    (grad_out * ((x * y + z) * z.sigmoid())).backward()
    return x.grad, y.grad, z.grad


def gate(grad_out, x, y, z, slope=None, dq=None, ds=None, direct=1.0):
    """The walk back with some of its parts replaced."""
    q, s = x * y + z, sigma(z)
    slope = s * (1 - s) if slope is None else slope(z, s)
    dq = grad_out * s if dq is None else dq(grad_out, q, s)
    ds = grad_out * q if ds is None else ds(grad_out, q, s)
    return dq * y, dq * x, direct * dq + ds * slope


def gate_assigned(grad_out, x, y, z):
    return gate(grad_out, x, y, z, direct=0.0)


def gate_direct_only(grad_out, x, y, z):
    return gate(grad_out, x, y, z, slope=lambda z, s: 0.0)


def gate_without_slope(grad_out, x, y, z):
    return gate(grad_out, x, y, z, slope=lambda z, s: 1.0)


def gate_assigned_without_slope(grad_out, x, y, z):
    return gate(grad_out, x, y, z, slope=lambda z, s: 1.0, direct=0.0)


def gate_at_output(grad_out, x, y, z):
    return gate(grad_out, x, y, z, slope=lambda z, s: sigma(s) * (1 - sigma(s)))


def gate_of_input(grad_out, x, y, z):
    return gate(grad_out, x, y, z, slope=lambda z, s: z * (1 - z))


def gate_half_a_slope(grad_out, x, y, z):
    return gate(grad_out, x, y, z, slope=lambda z, s: s)


def gate_other_half(grad_out, x, y, z):
    return gate(grad_out, x, y, z, slope=lambda z, s: 1 - s)


def gate_own_factors(grad_out, x, y, z):
    return gate(
        grad_out,
        x,
        y,
        z,
        dq=lambda grad, q, s: grad * q,
        ds=lambda grad, q, s: grad * s,
    )


def gate_xy_own_factors(grad_out, x, y, z):
    dx, dy, dz = gate_backward(grad_out, x, y, z)
    return dy, dx, dz


def gate_all_passed_on(grad_out, x, y, z):
    return gate(grad_out, x, y, z, dq=lambda grad, q, s: grad)


def gate_incoming_once(grad_out, x, y, z):
    return gate(grad_out, x, y, z, ds=lambda grad, q, s: q)


def gate_without_incoming(grad_out, x, y, z):
    return gate_backward(1.0, x, y, z)


def gate_minus(grad_out, x, y, z):
    return gate(grad_out, x, y, z, slope=lambda z, s: -s * (1 - s))


def gate_multiplied(grad_out, x, y, z):
    q, s = x * y + z, sigma(z)
    dq, ds = grad_out * s, grad_out * q
    return dq * y, dq * x, dq * ds * s * (1 - s)


def gate_short_q(grad_out, x, y, z):
    return gate(grad_out, x, y, z, ds=lambda grad, q, s: grad * (q - z))


def gate_slope_at_q(grad_out, x, y, z):
    s = sigma(x * y + z)
    return gate(grad_out, x, y, z, slope=lambda *_: s * (1 - s))


def gate_like_tanh(grad_out, x, y, z):
    return gate(grad_out, x, y, z, slope=lambda z, s: 1 - s**2)


def gate_inputs_again(grad_out, x, y, z):
    return x, y, z


def gate_sum_as_product(grad_out, x, y, z):
    p, s = x * y, sigma(z)
    dq, ds = grad_out * s, grad_out * (p + z)
    return dq * z * y, dq * z * x, dq * p + ds * s * (1 - s)


# --- 01.3: where to build -------------------------------------------------------------


def site_prices(x, y, customers):
    dx, dy = 0.0, 0.0
    for px, py, weight in customers:
        du = weight * 2 * (x - px)
        dv = weight * 2 * (y - py)
        dx += du
        dy += dv
    return dx, dy


def site_inputs(rng):
    cases = []
    for count in (2, 1, 3, 5, 4):
        customers = rng.uniform(-3, 3, size=(count, 3))
        customers[:, 2] = rng.uniform(0.5, 3, size=count)
        cases.append((*rng.uniform(4, 6, size=2).tolist(), customers))
    return cases


def site_by_columns(x, y, customers):
    px, py, weight = np.transpose(customers)
    return 2 * np.sum(weight * (x - px)), 2 * np.sum(weight * (y - py))


def site_by_lists(x, y, customers):
    dx = [2 * w * (x - p) for p, _, w in customers]
    dy = [2 * w * (y - p) for _, p, w in customers]
    return sum(dx), sum(dy)


def site_by_center(x, y, customers):
    total = customers[:, 2].sum()
    center = customers[:, 2] @ customers[:, :2] / total
    return tuple(2 * total * (np.array([x, y]) - center))


def site_as_shown(x, y, customers):
    for px, py, weight in customers:
        dx, dy = 0.0, 0.0
        u, v = x - px, y - py
        du, dv = weight * 2 * u, weight * 2 * v
        dx += du
        dy += dv
    return dx, dy


def site_without_weight(x, y, customers):
    dx = sum(2 * (x - px) for px, _, _ in customers)
    return dx, sum(2 * (y - py) for _, py, _ in customers)


def site_weight_squared(x, y, customers):
    dx = sum(2 * w**2 * (x - px) for px, _, w in customers)
    return dx, sum(2 * w**2 * (y - py) for _, py, w in customers)


def site_squares(x, y, customers):
    dx = sum(w * (x - px) ** 2 for px, _, w in customers)
    return dx, sum(w * (y - py) ** 2 for _, py, w in customers)


def site_both_in_one(x, y, customers):
    both = sum(site_prices(x, y, customers))
    return both, both


def site_turned(x, y, customers):
    return site_prices(x, y, np.asarray(customers)[:, [1, 0, 2]])


def site_starting_at_one(x, y, customers):
    dx, dy = site_prices(x, y, customers)
    return dx + 1, dy + 1


def site_by_distance(x, y, customers):
    dx, dy = 0.0, 0.0
    for px, py, weight in customers:
        far = math.hypot(x - px, y - py)
        dx += weight * (x - px) / far
        dy += weight * (y - py) / far
    return dx, dy


def site_averaged(x, y, customers):
    total = customers[:, 2].sum()
    dx, dy = site_prices(x, y, customers)
    return dx / total, dy / total


def site_by_count(x, y, customers):
    dx, dy = site_prices(x, y, customers)
    return dx / len(customers), dy / len(customers)


def site_without_two(x, y, customers):
    dx, dy = site_prices(x, y, customers)
    return dx / 2, dy / 2


def site_first_only(x, y, customers):
    return site_prices(x, y, customers[:1])


def site_multiplied(x, y, customers):
    dx = math.prod(2 * w * (x - px) for px, _, w in customers)
    return dx, math.prod(2 * w * (y - py) for _, py, w in customers)


# --- 01.4: count the paths ------------------------------------------------------------


def counted():
    x = 2.0
    h = x * x
    paths = 2 * 3  # two arrows into h, three arrows into z
    one_path = (h * h) * x  # the product of the other two, times the other one
    return paths, one_path, paths * one_path


# --- 01.5: any list of stages ---------------------------------------------------------


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


# name: stages, values of the inputs
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
MOST_VISITS = 100  # of one box


def watched(stage, visits):
    name, inputs, function, local_prices = stage

    def counting(*values):
        visits[name] = visits.get(name, 0) + 1
        if visits[name] > MOST_VISITS:
            says = f"the box {name!r} is visited again and again, once for each path"
            raise RuntimeError(says)
        return local_prices(*values)

    return name, inputs, function, counting


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


def programs(rng):
    return [(name,) for name in PROGRAMS]


def sweep_by_pop(stages, values):
    values, prices = dict(values), {}
    for stage in stages:
        values[stage[0]] = stage[2](*[values[i] for i in stage[1]])
    prices[name := stages[-1][0]] = 1
    for name, inputs, _, local in stages[::-1]:
        for i, slope in enumerate(local(*[values[k] for k in inputs])):
            before = prices.get(inputs[i], 0)
            prices[inputs[i]] = before + slope * prices.get(name, 0)
    return prices


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


def sweep_assigned(stages, values):
    return sweep(stages, values, join=lambda old, price, slope: price * slope)


def sweep_in_order(stages, values):
    return sweep(stages, values, order=list)


def sweep_local_only(stages, values):
    return sweep(stages, values, join=lambda old, price, slope: old + slope)


def sweep_without_slope(stages, values):
    return sweep(stages, values, join=lambda old, price, slope: old + price)


def sweep_multiplied(stages, values):
    return sweep(
        stages, values, start=1.0, join=lambda old, price, slope: old * price * slope
    )


def sweep_from_one(stages, values):
    return sweep(stages, values, start=1.0)


def sweep_from_value(stages, values):
    return sweep(stages, values, first=lambda value: value)


def sweep_one_input(stages, values):
    return sweep(stages, values, cut=1)


def sweep_without_first(stages, values):
    return sweep(stages, values, order=lambda stages: reversed(stages[1:]))


def sweep_without_order(stages, values):
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


def sweep_each_input_once(stages, values):
    values = dict(values)
    for name, inputs, function, _ in stages:
        values[name] = function(*(values[i] for i in inputs))
    prices = dict.fromkeys(values, 0.0)
    prices[stages[-1][0]] = 1.0
    for name, inputs, _, local_prices in reversed(stages):
        local = local_prices(*(values[i] for i in inputs))
        for i, price in dict(zip(inputs, local, strict=True)).items():
            prices[i] += prices[name] * price
    return prices


def sweep_forward_only(stages, values):
    values = dict(values)
    for name, inputs, function, _ in stages:
        values[name] = function(*(values[i] for i in inputs))
    return values


def sweep_subtracted(stages, values):
    return sweep(stages, values, join=lambda old, price, slope: old - price * slope)


def sweep_last_input(stages, values):
    values = sweep_forward_only(stages, values)
    prices = dict.fromkeys(values, 0.0)
    prices[stages[-1][0]] = 1.0
    for name, inputs, _, local_prices in reversed(stages):
        local = local_prices(*(values[i] for i in inputs))
        prices[inputs[-1]] += prices[name] * local[-1]
    return prices


def sweep_without_last(stages, values):
    return sweep(stages, values, order=lambda stages: reversed(stages[:-1]))


def sweep_at_output(stages, values):
    values = sweep_forward_only(stages, values)
    prices = dict.fromkeys(values, 0.0)
    prices[stages[-1][0]] = 1.0
    for name, inputs, _, local_prices in reversed(stages):
        local = local_prices(*[values[name]] * len(inputs))
        for i, price in zip(inputs, local, strict=True):
            prices[i] += prices[name] * price
    return prices


def sweep_value_for_price(stages, values):
    values = sweep_forward_only(stages, values)
    prices = dict.fromkeys(values, 0.0)
    prices[stages[-1][0]] = 1.0
    for name, inputs, _, local_prices in reversed(stages):
        local = local_prices(*(values[i] for i in inputs))
        for i, price in zip(inputs, local, strict=True):
            prices[i] += values[name] * price
    return prices


def sweep_leaves_only(stages, values):
    return {name: sweep(stages, values)[name] for name in values}


EXERCISES = [
    Exercise(
        number="01.1",
        title="The slope of tanh, in stages",
        reference=tanh_backward,
        inputs=tanh_inputs,
        gradient=True,
        mistakes=[
            Mistake(
                "assigned",
                tanh_assigned,
                "One half is missing: `x` goes into $e^x$ and into $e^{-x}$, and only "
                "one of the two prices is left. What comes back to a fork adds.",
                FORKS,
            ),
            Mistake(
                "activation-missing",
                tanh_skipped,
                "The price goes back as it came, as if the box were not there. Or is "
                "only the path over `top` counted, and not the one over `bottom`?",
                CHAIN,
            ),
            Mistake(
                "at-output",
                tanh_at_output,
                "tanh is taken twice: the slope is computed at the output of the box. "
                "The local price belongs to what goes *into* the box, here `x`.",
                SIGMA,
            ),
            Mistake(
                "of-input",
                tanh_of_input,
                "This is $1 - x^2$. The formula with the square wants the *output* of "
                "the box, $\\tanh(x)$, and here it is given its input.",
                SIGMA,
            ),
            Mistake(
                "like-sigma",
                tanh_like_sigma,
                "With $t = \\tanh(x)$ this is $t (1 - t)$: the slope of σ, for another "
                "function. In stages it comes out when the minus in `top = a - b` is "
                "lost on the way back.",
                SIGMA,
            ),
            Mistake(
                "plus",
                tanh_plus,
                "The price of `bottom` has the wrong sign. A larger denominator makes "
                "a smaller fraction.",
                STAGES,
            ),
            Mistake(
                "not-squared",
                tanh_not_squared,
                "With $t = \\tanh(x)$ this is $1 - t$. A square is missing, or two "
                "minus signs: one in `top = a - b`, one in the slope of $e^{-x}$.",
                CHAIN,
            ),
            Mistake(
                "forward-again",
                tanh_forward,
                "This is the value of the box, times what comes in. On the way back "
                "its *slope* is needed.",
                CHAIN,
            ),
            Mistake(
                "slope-of-sigma",
                tanh_as_sigma,
                "This is the slope of σ. tanh is another function, with a slope of its "
                "own.",
                SIGMA,
            ),
            Mistake(
                "not-squared-below",
                tanh_bottom_not_squared,
                "In the price of `bottom` a square is missing: look up $1/x$ in the "
                "price list.",
                PRICES,
            ),
            Mistake(
                "top-missing",
                tanh_top_missing,
                "The price of `bottom` forgets `top`. The box is a product, "
                "`top * (1 / bottom)`, so each factor's price contains the other one.",
                STAGES,
            ),
            Mistake("returns-input", lambda grad_out, x: x),
            Mistake(
                "zero",
                tanh_inner_slope_missing,
                "Nothing is left: the paths cancel. In $e^{-x}$ the inner function, "
                "$-x$, has a slope of its own; or is a zero returned?",
                CHAIN,
            ),
            Mistake("exp-missing", tanh_without_exp(-1), NO_EXP, CHAIN),
            Mistake("both-exp-missing", tanh_without_exp(1), NO_EXP, CHAIN),
            Mistake("incoming-ignored", tanh_without_incoming, NO_INCOMING, CHAIN),
            *tanh_lost_paths(),
        ],
        absent={"broadcast": NO_ARRAY},
        variants=[tanh_in_one_line, tanh_by_cosh, tanh_by_sigma],
        hints=(
            "Draw the boxes. `x` goes into `a` and `b`, and each of these goes into "
            "`top` and into `bottom`. How many paths lead to the result?",
            "Walk back: `d_top` and `d_bottom` first, each times `grad_out`. Then `da` "
            "gets a part from both, and so does `db`. Which of the four parts have a "
            "minus?",
            "The price of `bottom` is `-top / bottom**2`. `db` gets `-d_top`, since "
            "`top = a - b`. And the slope of $e^{-x}$ is $-e^{-x}$.",
        ),
        explanation=(
            "Four paths. Over `a`: $(1 - t)\\,a / (a + b)$, over `b`: $(1 + t)\\,b / "
            "(a + b)$, with $t$ the output. Since $a / (a + b) = (1 + t)/2$ and "
            "$b / (a + b) = (1 - t)/2$, both are $(1 - t^2)/2$, and their sum is "
            "$1 - t^2$."
        ),
    ),
    Exercise(
        number="01.2",
        title="A product of two forks",
        reference=gate_backward,
        inputs=gate_inputs,
        gradient=True,
        outputs=("dx", "dy", "dz"),
        mistakes=[
            Mistake(
                "assigned",
                gate_assigned,
                "The path over `q` is lost, and only the one over `s` is left. `z` is "
                "used twice, so two prices come back to it, and they add.",
                FORKS,
            ),
            Mistake(
                "one-path",
                gate_direct_only,
                "Only the path over `q` counts. `z` is used a second time, inside σ.",
                FORKS,
            ),
            Mistake(
                "activation-missing",
                gate_without_slope,
                "The price of `s` goes to `z` as it is. Between the two is the box σ, "
                "and its local price belongs to the path.",
                SIGMA,
            ),
            Mistake(
                "only-ds",
                gate_assigned_without_slope,
                "`dz` is the price of `s` and nothing else. Two things are missing: "
                "the slope of σ, and the second path of `z`.",
                FORKS,
            ),
            Mistake(
                "at-output",
                gate_at_output,
                "σ is taken twice: its slope is computed at `s`, which is already its "
                "output. In `s` the slope needs no σ any more.",
                SIGMA,
            ),
            Mistake(
                "of-input",
                gate_of_input,
                "The slope is computed as `z * (1 - z)`. The short formula wants the "
                "output of σ, not its input.",
                SIGMA,
            ),
            Mistake(
                "half-a-slope",
                gate_half_a_slope,
                "The slope of σ is a product of two factors, and one of them is "
                "missing here.",
                SIGMA,
            ),
            Mistake(
                "other-half",
                gate_other_half,
                "Of the two factors in the slope of σ, only $1 - \\sigma$ is here.",
                SIGMA,
            ),
            Mistake(
                "own-factors",
                gate_own_factors,
                "In `out = q * s` each one gets itself as its price. Look once more at "
                "the rectangle: what does one unit more of its width cost?",
                PRICES,
            ),
            Mistake(
                "own-factors-xy",
                gate_xy_own_factors,
                "`dx` and `dy` are exchanged. In `p = x * y`, each factor's price is "
                "the other factor; or are they returned in the wrong order?",
                PRICES,
            ),
            Mistake(
                "passed-on",
                gate_all_passed_on,
                "The price goes through the product `q * s` unchanged. That is what an "
                "addition does; in a product the other factor comes in.",
                CHAIN,
            ),
            Mistake(
                "incoming-once",
                gate_incoming_once,
                "`grad_out` is missing on the path over `s`. It belongs to every path, "
                "since every path ends in `out`.",
                CHAIN,
            ),
            Mistake(
                "minus",
                gate_minus,
                "The path over σ is subtracted. Its slope $\\sigma (1 - \\sigma)$ is "
                "positive, and paths add.",
                SIGMA,
            ),
            Mistake(
                "multiplied",
                gate_multiplied,
                "The prices of the two paths of `z` are multiplied. Along a path "
                "prices multiply; several paths add.",
                FORKS,
            ),
            Mistake(
                "short-q",
                gate_short_q,
                "The price of `s` is the other factor, and that is the whole of `q`, "
                "with the `z` in it.",
                STAGES,
            ),
            Mistake(
                "slope-elsewhere",
                gate_slope_at_q,
                "The slope of σ is computed at `q`. A slope belongs to the place where "
                "the box stands: what goes into this σ?",
                SIGMA,
            ),
            Mistake(
                "slope-of-tanh",
                gate_like_tanh,
                "This is $1 - s^2$, the slope of tanh. σ has a slope of its own.",
                SIGMA,
            ),
            Mistake("incoming-ignored", gate_without_incoming, NO_INCOMING, CHAIN),
            Mistake("returns-input", gate_inputs_again),
            Mistake(
                "sum-as-product",
                gate_sum_as_product,
                "`q = p + z` is treated like a product. An addition hands its price "
                "on, unchanged, to both.",
                STAGES,
            ),
        ],
        absent={"broadcast": NO_ARRAY},
        variants=[gate_with_zeros_first, gate_in_one_go, gate_on_a_tape],
        hints=(
            "Go through the four lines in reverse, one line per arrow. Which of the "
            "three inputs occurs in two lines?",
            "`out = q * s` gives `dq` and `ds`, both with `grad_out`. The addition "
            "hands `dq` on to `p` and to `z`.",
            "`dz` starts at 0 and gets two parts: `dq` from the addition, and "
            "`ds * s * (1 - s)` from σ.",
        ),
        explanation=(
            "`z` forks: one arrow goes into the sum, one into σ. Along the first the "
            "price is $s$, along the second $q \\cdot s (1 - s)$; they add. `x` and "
            "`y` have one path each, over `p` and `q`."
        ),
    ),
    Exercise(
        number="01.3",
        title="Find the bug: where to build",
        reference=site_prices,
        inputs=site_inputs,
        gradient=True,
        outputs=("dx", "dy"),
        n=lambda x, y, customers: len(customers),
        mistakes=[
            Mistake(
                "assigned",
                site_as_shown,
                "Only the last customer is left. With one customer this cannot be "
                "seen. Look where the prices start at zero, and how often.",
                FORKS,
            ),
            Mistake(
                "weight-missing",
                site_without_weight,
                "The weights have gone: every customer pulls alike. The weight is "
                "a factor of the cost, so it is a factor of each price.",
                CHAIN,
            ),
            Mistake(
                "weight-twice",
                site_weight_squared,
                "The weight comes in twice. Along a path each box is passed once.",
                CHAIN,
            ),
            Mistake(
                "forward-again",
                site_squares,
                "These are the costs, not their prices: the squares have not been "
                "differentiated.",
                PRICES,
            ),
            Mistake(
                "both-in-one",
                site_both_in_one,
                "Everything is collected in one number. `x` and `y` are two inputs, "
                "and each has its own paths.",
                FORKS,
            ),
            Mistake(
                "turned",
                site_turned,
                "The coordinates of the customers are exchanged: `x` belongs to the "
                "first column, `y` to the second.",
                FORKS,
            ),
            Mistake(
                "starts-at-one",
                site_starting_at_one,
                "Every price is too large by 1. What is collected starts at zero.",
                FORKS,
            ),
            Mistake(
                "distance",
                site_by_distance,
                "These are the prices for the distance. The cost is the *squared* "
                "distance, without a root.",
                CHAIN,
            ),
            Mistake(
                "averaged",
                site_averaged,
                "The prices are divided by the sum of the weights. The cost is a sum "
                "over the customers, no mean.",
                FORKS,
            ),
            Mistake(
                "mean-twice",
                site_by_count,
                "The prices are divided by the number of customers. The cost is a sum "
                "over the customers, no mean.",
                FORKS,
            ),
            Mistake("half", site_without_two, where=PRICES),
            Mistake(
                "first-only",
                site_first_only,
                "Only the first customer counts. Does the loop end too early, with a "
                "`return` inside it?",
                FORKS,
            ),
            Mistake(
                "multiplied",
                site_multiplied,
                "The prices of the paths are multiplied. Along a path prices multiply; "
                "several paths add.",
                FORKS,
            ),
        ],
        absent={
            "activation-missing": NO_ACTIVATION,
            "at-output": NO_ACTIVATION,
            "broadcast": NO_ARRAY,
        },
        variants=[site_by_columns, site_by_lists, site_by_center],
        hints=(
            "Where does the run end? Compare the place with those of the customers.",
            "How many paths lead from `x` to the cost? How many of them are in `dx` "
            "when the loop has ended?",
            "`+=` is there, and yet nothing is added up. What happens in the first "
            "line of the loop, each time?",
        ),
        explanation=(
            "`dx, dy = 0.0, 0.0` stands inside the loop: every customer starts at zero "
            "again, and the last one stays. It belongs before the loop. A test with "
            "one customer has no fork, so it is blind for it; and the cost falls all "
            "the same, since the last customer is a part of it."
        ),
    ),
    Exercise(
        number="01.4",
        title="Predict: how many paths",
        reference=counted,
        outputs=("paths", "one path", "dz/dx"),
        mistakes=[
            Mistake(
                "paths-added",
                lambda: (5, NAN, 160),
                "Two arrows lead into $h$ and three into $z$. For each of the two "
                "there are three ways to go on.",
                FORKS,
            ),
            Mistake(
                "power",
                lambda: (8, NAN, 256),
                "The number of paths is a product of the arrows into each box. Count "
                "them for the two boxes.",
                FORKS,
            ),
            Mistake(
                "power-of-three",
                lambda: (9, NAN, 288),
                "The number of paths is a product of the arrows into each box, and the "
                "two boxes have not equally many.",
                FORKS,
            ),
            Mistake(
                "cube-slope",
                lambda: (NAN, 48, NAN),
                "$3h^2$ is the slope of the whole cube, the sum over its three arrows. "
                "A path takes one of them, and goes on to $x$.",
                FORKS,
            ),
            Mistake(
                "square-once",
                lambda: (3, 64, NAN),
                "$x \\cdot x$ has two arrows, though both come from the same $x$. "
                "Each of them is the beginning of paths of its own.",
                FORKS,
            ),
            Mistake(
                "cube-once",
                lambda: (2, 96, 64),
                "$h \\cdot h \\cdot h$ has three arrows, one for each factor, and a "
                "path takes one of them.",
                FORKS,
            ),
            Mistake(
                "whole-slope",
                lambda: (1, 192, 1152),
                "This is the slope of the whole, with every arrow in it: $2x$ is the "
                "sum over two arrows, and $3h^2$ over three. A single path has a "
                "single arrow at each box.",
                FORKS,
            ),
            Mistake(
                "own-factor",
                lambda: (NAN, 8, 48),
                "In a product of three the local price of one factor is the product of "
                "the other two.",
                PRICES,
            ),
            Mistake(
                "factor-itself",
                lambda: (NAN, 128, 768),
                "The local price of a factor does not contain the factor itself.",
                PRICES,
            ),
            Mistake(
                "added-along",
                lambda: (NAN, 18, 108),
                "Along a path prices multiply. Here they are added.",
                CHAIN,
            ),
            Mistake(
                "one-box",
                lambda: (NAN, 16, NAN),
                "This is the price of one arrow into $z$. The path goes on to $x$, "
                "through one more box.",
                CHAIN,
            ),
            Mistake(
                "half-of-all",
                lambda: (NAN, NAN, 96),
                "This is half of it. Is only one of the two arrows of $x \\cdot x$ "
                "counted, or is the price of that box missing in each path?",
                FORKS,
            ),
            Mistake(
                "one-path",
                lambda: (NAN, NAN, 32),
                "This is what one path brings. All of them lead back to $x$.",
                FORKS,
            ),
        ],
        hints=(
            "A path takes one arrow at each box. How many arrows lead into $h = x "
            "\\cdot x$, and how many into $z = h \\cdot h \\cdot h$?",
            "At $x = 2$, $h$ is 4. An arrow into $z$ costs the product of the other "
            "two factors; an arrow into $h$ costs the other factor.",
            "2 · 3 paths, all alike, each with the product (4 · 4) · 2. What is their "
            "sum?",
        ),
        explanation=(
            "Six paths, each with the product $16 \\cdot 2 = 32$, together 192. From "
            "school: $z = x^6$, and $6 x^5$ at 2 is 192."
        ),
    ),
    Exercise(
        number="01.5",
        title="Open challenge: any list of stages",
        reference=sweep_back,
        inputs=programs,
        gradient=True,
        call=play,
        mistakes=[
            Mistake("assigned", sweep_assigned, where=FORKS),
            Mistake(
                "forward-order",
                sweep_in_order,
                "The second loop walks forwards. A stage can send a price back only "
                "when it has received its own, so the last stage comes first.",
                STAGES,
            ),
            Mistake(
                "local-only",
                sweep_local_only,
                "The local prices are added as they are. Each has to be multiplied by "
                "the price of the stage's output.",
                CHAIN,
            ),
            Mistake(
                "activation-missing",
                sweep_without_slope,
                "The price of the output is handed on as it is. Each arrow multiplies "
                "it by its local price.",
                CHAIN,
            ),
            Mistake(
                "multiplied",
                sweep_multiplied,
                "What comes back over several arrows is multiplied. Along a path "
                "prices multiply; over paths they add.",
                FORKS,
            ),
            Mistake(
                "starts-at-one",
                sweep_from_one,
                "Every price starts at 1. That is right for the output alone; all "
                "others start at 0 and collect.",
                FORKS,
            ),
            Mistake(
                "starts-with-value",
                sweep_from_value,
                "The walk back starts with the value of the output. One unit of output "
                "costs one unit of output.",
                CHAIN,
            ),
            Mistake(
                "one-input",
                sweep_one_input,
                "Only the first input of each stage gets a price. Every arrow brings "
                "something back.",
                FORKS,
            ),
            Mistake(
                "first-stage-missing",
                sweep_without_first,
                "The first stage is left out on the way back. Where does the loop end?",
                STAGES,
            ),
            Mistake(
                "without-order",
                sweep_without_order,
                "A box sends its price back before all of it has arrived, and never "
                "again. Go through the stages in reverse: then everything that uses a "
                "box comes before it.",
                FORKS,
            ),
            Mistake(
                "each-input-once",
                sweep_each_input_once,
                "An input that stands twice in a stage gets only one price. Each arrow "
                "brings one.",
                FORKS,
            ),
            Mistake(
                "forward-only",
                sweep_forward_only,
                "These are the values. The prices are asked for.",
                STAGES,
            ),
            Mistake(
                "subtracted",
                sweep_subtracted,
                "What comes back is subtracted. It adds: a minus comes in with a local "
                "price, if at all.",
                FORKS,
            ),
            Mistake(
                "last-input",
                sweep_last_input,
                "Only the last input of each stage gets a price. Every arrow brings "
                "something back.",
                FORKS,
            ),
            Mistake(
                "last-stage-missing",
                sweep_without_last,
                "The last stage is left out on the way back, so no price ever leaves "
                "the output. Where does the loop begin?",
                STAGES,
            ),
            Mistake(
                "at-output",
                sweep_at_output,
                "The local prices are computed at the *output* of the stage. They "
                "belong to the values that went into it.",
                CHAIN,
            ),
            Mistake(
                "value-for-price",
                sweep_value_for_price,
                "The local price is multiplied by the value of the output, where its "
                "price belongs.",
                CHAIN,
            ),
            Mistake(
                "inputs-only",
                sweep_leaves_only,
                "The prices of the inputs are right. The stages have prices too, and "
                "they are asked for.",
                STAGES,
            ),
        ],
        absent={
            "broadcast": NO_ARRAY,
        },
        variants=[sweep_by_pop, sweep_by_index, sweep_by_kept_slopes],
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
            "local prices. A box is visited once, when everything that comes back to "
            "it is there; so thirty squares, with $2^{30}$ paths, take thirty steps. "
            "Notebook 03 records such a list by itself."
        ),
    ),
]
