"""Exercises of 02_network_by_hand."""

import math

import numpy as np

from course_utils.scalar import Value

from .exercise import Exercise, Mistake

HERE = "02_network_by_hand"
BACKWARD = f"{HERE}#Backward, number by number"
SLOPE = f"{HERE}#Why one gradient is 5e-8"
LOOPS = f"{HERE}#The same in loops"
NETWORK = f"{HERE}#The network"
STUCK = f"{HERE}#Training it on"
SIGMA = "01_chain_rule#The function σ"
NO_ARRAY = "lists of plain numbers, nothing is broadcast"


def one_example(*args):
    """The number of examples."""
    return 1


# --- what the notebook has defined ----------------------------------------------------

examples = [([3.0, 1.0], [1.0, 0.0]), ([-1.0, 4.0], [0.0, 1.0])]


def sigma(x):
    return 1.0 / (1.0 + math.exp(-x))


def forward(x, W, V):
    h_in = [sum(x[i] * W[i][j] for i in (0, 1)) for j in (0, 1)]
    h = [sigma(z) for z in h_in]
    y_in = [sum(h[i] * V[i][j] for i in (0, 1)) for j in (0, 1)]
    y = [sigma(z) for z in y_in]
    return h, y


def gradients(W, V):
    dW, dV = np.zeros((2, 2)), np.zeros((2, 2))
    for x, t in examples:
        h, y = forward(x, W, V)
        part_W, part_V = mended_backward(x, t, h, y, V)
        dW, dV = dW + part_W, dV + part_V
    return None, dW.tolist(), dV.tolist()


def train(W, V, steps, lr=0.5):
    for _ in range(steps):
        _, dW, dV = gradients(W, V)
        W = (np.array(W) - lr * np.array(dW)).tolist()
        V = (np.array(V) - lr * np.array(dV)).tolist()
    return W, V, []


# --- 02.1: another loss ---------------------------------------------------------------


def cross_entropy_back(y_in, t):
    y = [sigma(z) for z in y_in]
    dy = [-t[j] / y[j] + (1 - t[j]) / (1 - y[j]) for j in (0, 1)]
    return [dy[j] * y[j] * (1 - y[j]) for j in (0, 1)]


def cross_entropy_inputs(rng):
    targets = [(1, 0), (0.9, 0.3), (0, 1), (0.2, 0.4), (0.6, 0.8)]
    sums = [
        rng.uniform(0.4, 2.5, size=2) * rng.choice([-1, 1], size=2) for _ in range(5)
    ]
    return [(z, np.array(t, float)) for z, t in zip(sums, targets, strict=True)]


def cross_entropy_simplified(y_in, t):
    return [sigma(z) - target for z, target in zip(y_in, t, strict=True)]


def cross_entropy_by_array(y_in, t):
    return 1 / (1 + np.exp(-np.asarray(y_in))) - t


def cross_entropy_in_pieces(y_in, t):
    out = []
    for z, target in zip(y_in, t, strict=True):
        y, price = sigma(z), 0.0
        price += target * -(1 - y)
        price += (1 - target) * y
        out.append(price)
    return tuple(out)


def cross_entropy_with(dy, slope):
    def wrong(y_in, t):
        pairs = [(z, sigma(z), target) for z, target in zip(y_in, t, strict=True)]
        return [dy(y, target) * slope(z, y) for z, y, target in pairs]

    return wrong


def dy_right(y, t):
    return -t / y + (1 - t) / (1 - y)


def slope_right(z, y):
    return y * (1 - y)


def without_slope(z, y):
    return 1.0


def slope_at_output(z, y):
    return sigma(y) * (1 - sigma(y))


def slope_of_input(z, y):
    return z * (1 - z)


# --- 02.2 and 02.3: the backward pass, with parts that can be replaced ----------------


def back(
    x,
    t,
    h,
    y,
    V,
    *,
    dy=lambda y, t: 2 * (y - t),
    out_slope=lambda y: y * (1 - y),
    hidden_slope=lambda h: h * (1 - h),
    fork=lambda V, d, i: V[i][0] * d[0] + V[i][1] * d[1],
):
    """All prices, by name."""
    pair = (0, 1)
    d_y = [dy(y[j], t[j]) for j in pair]
    dy_in = [d_y[j] * out_slope(y[j]) for j in pair]
    dh = [fork(V, dy_in, i) for i in pair]
    dh_in = [dh[i] * hidden_slope(h[i]) for i in pair]
    return {
        "dy": d_y,
        "dy_in": dy_in,
        "dh": dh,
        "dh_in": dh_in,
        "dV": [[h[i] * dy_in[j] for j in pair] for i in pair],
        "dW": [[x[i] * dh_in[j] for j in pair] for i in pair],
    }


def weights_with(**parts):
    """A function that gives dW and dV, with some parts replaced."""

    def wrong(x, t, h, y, V):
        prices = back(x, t, h, y, V, **parts)
        return prices["dW"], prices["dV"]

    return wrong


def all_with(**parts):
    """A function that gives dW, dV, db and dc, with some parts replaced."""

    def wrong(x, t, h, y, V):
        prices = back(x, t, h, y, V, **parts)
        return prices["dW"], prices["dV"], prices["dh_in"], prices["dy_in"]

    return wrong


def biases_from(db, dc):
    """The right dW and dV, and other prices in the place of db and dc."""

    def wrong(x, t, h, y, V):
        prices = back(x, t, h, y, V)
        return prices["dW"], prices["dV"], db(x, h, prices), dc(x, h, prices)

    return wrong


def last_path(V, d, i):
    return V[i][1] * d[1]


def first_path(V, d, i):
    return V[i][0] * d[0]


def transposed_fork(V, d, i):
    return V[0][i] * d[0] + V[1][i] * d[1]


def no_slope(value):
    return 1.0


def slope_taken_twice(value):
    return sigma(value) * (1 - sigma(value))


def slope_of_tanh(value):
    return 1 - value**2


def half_a_slope(value):
    return value


def network_inputs(rng):
    cases = []
    for _ in range(5):
        x = rng.uniform(0.5, 3, size=2) * rng.choice([-1, 1], size=2)
        t = rng.choice([(0.0, 1.0), (1.0, 0.0)])
        h, y = rng.uniform(0.15, 0.85, size=(2, 2))
        V = rng.uniform(0.4, 2, size=(2, 2)) * rng.choice([-1, 1], size=(2, 2))
        cases.append((x, t, h, y, V))
    return cases


NO_SLOPE_OUT = (
    "The price goes from `y` to `y_in` as it is. Between the two is σ, and its slope "
    "belongs to every path through an output unit. Where `dy_in` is needed, is `dy` "
    "taken?"
)
NO_SLOPE_HIDDEN = (
    "The price goes from `h` to `h_in` as it is. Between the two is σ, and its slope "
    "belongs to every path that leads through a hidden unit."
)
TWICE = (
    "σ is taken twice: the slope is computed as if `h` and `y` were still to be "
    "squeezed. They are outputs of σ already."
)
TANH = (
    "This is $1 - h^2$, the slope of another function, tanh. With σ it trains all "
    "the same, to something."
)
SLOPE_TWICE = (
    "The slope of σ comes in twice. A path leads through each σ once, and meets its "
    "slope once."
)
NO_WEIGHTS = (
    "The prices come back over the edges without their weights. The local price of an "
    "edge is the weight on it."
)
STRAIGHT = (
    "Only the edge from unit i to output i counts. From each hidden unit two edges "
    "lead on, one to each output, and both bring a price back."
)
HALF = (
    "The slope of σ is a product of two factors, $h$ and $1 - h$. One of them is "
    "missing here."
)
LAST_PATH = (
    "Of the two paths that lead on from a hidden unit, only the last one counts. What "
    "comes back over several edges adds."
)
FIRST_PATH = (
    "Of the two paths that lead on from a hidden unit, only the one to the first "
    "output counts. What comes back over several edges adds."
)
TURNED = (
    "In the fork the indices of `V` are exchanged. $v_{ij}$ leads from hidden unit "
    "$i$ to output $j$; on the way back the same edge is used, in the other direction."
)
ALSO_MADE = [
    ("activation-missing", {"out_slope": no_slope}, NO_SLOPE_OUT, SIGMA),
    ("hidden-slope-missing", {"hidden_slope": no_slope}, NO_SLOPE_HIDDEN, SIGMA),
    (
        "no-slopes",
        {"out_slope": no_slope, "hidden_slope": no_slope},
        "No slope of σ is there, neither at the outputs nor at the hidden units.",
        SIGMA,
    ),
    (
        "at-output",
        {"out_slope": slope_taken_twice, "hidden_slope": slope_taken_twice},
        TWICE,
        SLOPE,
    ),
    ("at-output-hidden", {"hidden_slope": slope_taken_twice}, TWICE, SLOPE),
    (
        "slope-of-tanh",
        {"out_slope": slope_of_tanh, "hidden_slope": slope_of_tanh},
        TANH,
        SIGMA,
    ),
    ("slope-of-tanh-hidden", {"hidden_slope": slope_of_tanh}, TANH, SIGMA),
    (
        "half-a-slope",
        {"out_slope": half_a_slope, "hidden_slope": half_a_slope},
        HALF,
        SIGMA,
    ),
    ("half-a-slope-hidden", {"hidden_slope": half_a_slope}, HALF, SIGMA),
    (
        "slope-squared",
        {
            "out_slope": lambda y: (y * (1 - y)) ** 2,
            "hidden_slope": lambda h: (h * (1 - h)) ** 2,
        },
        SLOPE_TWICE,
        SIGMA,
    ),
    (
        "slope-squared-hidden",
        {"hidden_slope": lambda h: (h * (1 - h)) ** 2},
        SLOPE_TWICE,
        SIGMA,
    ),
    ("weights-missing", {"fork": lambda V, d, i: d[0] + d[1]}, NO_WEIGHTS, BACKWARD),
    ("straight-on", {"fork": lambda V, d, i: V[i][i] * d[i]}, STRAIGHT, BACKWARD),
    ("assigned", {"fork": last_path}, LAST_PATH, BACKWARD),
    ("first-path", {"fork": first_path}, FIRST_PATH, BACKWARD),
]

# --- 02.2: biases ---------------------------------------------------------------------


def backward_with_biases(x, t, h, y, V):
    dy = [2 * (y[j] - t[j]) for j in (0, 1)]
    dy_in = [dy[j] * y[j] * (1 - y[j]) for j in (0, 1)]
    dV = [[h[i] * dy_in[j] for j in (0, 1)] for i in (0, 1)]
    dh = [sum(V[i][j] * dy_in[j] for j in (0, 1)) for i in (0, 1)]
    dh_in = [dh[i] * h[i] * (1 - h[i]) for i in (0, 1)]
    dW = [[x[i] * dh_in[j] for j in (0, 1)] for i in (0, 1)]
    dc = dy_in
    db = dh_in
    return dW, dV, db, dc


def biases_by_arrays(x, t, h, y, V):
    x, t, h, y, V = map(np.asarray, (x, t, h, y, V))
    dy_in = 2 * (y - t) * y * (1 - y)
    dh_in = V @ dy_in * h * (1 - h)
    return np.outer(x, dh_in), np.outer(h, dy_in), dh_in, dy_in


def biases_number_by_number(x, t, h, y, V):
    db, dc, dW, dV = [0.0, 0.0], [0.0, 0.0], np.zeros((2, 2)), np.zeros((2, 2))
    for j in range(2):
        dc[j] += 2 * (y[j] - t[j]) * (y[j] - y[j] ** 2)
        for i in range(2):
            dV[i, j] = h[i] * dc[j]
            db[i] += V[i][j] * dc[j] * (h[i] - h[i] ** 2)
    for i in range(2):
        for j in range(2):
            dW[i][j] = x[i] * db[j]
    return dW, dV, np.array(db), dc


def biases_as_weights_of_one(x, t, h, y, V):
    """A bias is a weight that 1 comes into."""
    prices = back([*x, 1.0], t, [*h, 1.0], y, V)
    dc = [1.0 * d for d in prices["dy_in"]]
    return prices["dW"], prices["dV"], tuple(prices["dh_in"]), tuple(dc)


def total(prices):
    return [sum(prices)] * 2


# --- 02.3: find the bugs --------------------------------------------------------------


def mended_backward(x, t, h, y, V):
    dy = [2 * (y[j] - t[j]) for j in (0, 1)]
    dy_in = [dy[j] * y[j] * (1 - y[j]) for j in (0, 1)]
    dV = [[h[i] * dy_in[j] for j in (0, 1)] for i in (0, 1)]
    dh = [sum(V[i][j] * dy_in[j] for j in (0, 1)) for i in (0, 1)]
    dh_in = [dh[i] * h[i] * (1 - h[i]) for i in (0, 1)]
    dW = [[x[i] * dh_in[j] for j in (0, 1)] for i in (0, 1)]
    return dW, dV


def broken_backward(x, t, h, y, V):
    dy = [y[j] - t[j] for j in (0, 1)]
    dy_in = [dy[j] * y[j] * (1 - y[j]) for j in (0, 1)]
    dV = [[h[i] * dy_in[j] for j in (0, 1)] for i in (0, 1)]
    dh = [sum(V[j][i] * dy_in[j] for j in (0, 1)) for i in (0, 1)]
    dh_in = [dh[i] * h[i] * (1 - h[i]) for i in (0, 1)]
    dW = [[x[i] * dh_in[j] for j in (0, 1)] for i in (0, 1)]
    return dW, dV


def factor_missing(x, t, h, y, V):
    return weights_with(dy=lambda y, t: y - t)(x, t, h, y, V)


def other_inputs(x, t, h, y, V):
    prices = back(x, t, h, y, V)
    return np.outer(h, prices["dh_in"]), np.outer(x, prices["dy_in"])


def slope_of_outputs(x, t, h, y, V):
    prices = back(x, t, h, y, V)
    dh_in = [prices["dh"][i] * y[i] * (1 - y[i]) for i in (0, 1)]
    return np.outer(x, dh_in), prices["dV"]


def weights_by_arrays(x, t, h, y, V):
    dy_in = 2 * (y - t) * y * (1 - y)
    return np.outer(x, V @ dy_in * h * (1 - h)), np.outer(h, dy_in)


def weights_by_loops(x, t, h, y, V):
    dW, dV, dh = np.zeros((2, 2)), np.zeros((2, 2)), [0.0, 0.0]
    for i, j in np.ndindex(2, 2):
        d = (y[j] - t[j]) * 2 * y[j] * (1 - y[j])
        dV[i, j] += h[i] * d
        dh[i] += V[i][j] * d
    for i, j in np.ndindex(2, 2):
        dW[i, j] += x[i] * dh[j] * h[j] * (1 - h[j])
    return dW, dV


def weights_by_einsum(x, t, h, y, V):
    dy_in = np.einsum("j,j,j->j", 2 * (y - t), y, 1 - y)
    dh_in = np.einsum("ij,j,i,i->i", V, dy_in, h, 1 - h)
    return [np.einsum("i,j->ij", x, dh_in), np.einsum("i,j->ij", h, dy_in)]


# --- 02.4: all weights equal ----------------------------------------------------------


def equal():
    M = [[0.5, 0.5], [0.5, 0.5]]
    _, dW, dV = gradients(M, M)
    W, _, _ = train(M, M, 100)

    def which(A):
        rows = np.allclose(A[0], A[1], rtol=1e-9, atol=0)
        columns = np.allclose([A[0][0], A[1][0]], [A[0][1], A[1][1]], rtol=1e-9, atol=0)
        if rows and columns:
            return "all"
        return "rows" if rows else "columns" if columns else "none"

    return which(dW), which(dV), "no" if which(W) in ("columns", "all") else "yes"


# --- 02.5: any number of layers -------------------------------------------------------


def deep_gradients(weights, x, t):
    layers = [x]
    for W in weights:
        before = layers[-1]
        sums = [
            sum(before[i] * W[i][j] for i in range(len(before)))
            for j in range(len(W[0]))
        ]
        layers.append([sigma(z) for z in sums])
    price = [2 * (y - target) for y, target in zip(layers[-1], t, strict=True)]
    found = []
    for k in reversed(range(len(weights))):
        W, before, after = weights[k], layers[k], layers[k + 1]
        d = [price[j] * after[j] * (1 - after[j]) for j in range(len(after))]
        found.append([[b * d[j] for j in range(len(d))] for b in before])
        price = [sum(row[j] * d[j] for j in range(len(d))) for row in W]
    return found[::-1]


SIZES = ("2-2-2", "2-3-4-2", "3-1-2", "2-3-2-4-1", "4-2")


def networks(rng):
    return [(sizes,) for sizes in SIZES]


def deep(answer, sizes):
    """Let an answer find the gradients of a network: all of them, one after another."""
    units = [int(n) for n in sizes.split("-")]
    rng = np.random.default_rng(units)
    shapes = list(zip(units, units[1:], strict=False))
    weights = [rng.uniform(-1, 1, size=shape).tolist() for shape in shapes]
    x = rng.uniform(0.5, 2, size=units[0]).tolist()
    t = rng.uniform(0, 1, size=units[-1]).tolist()
    found = answer(weights, x, t)
    if found is None:
        return None
    if len(found) != len(weights):
        says = f"{len(found)} gradients for {len(weights)} lists of weights"
        raise ValueError(says)
    return np.concatenate([np.ravel(np.asarray(M)) for M in found])


def deep_by_arrays(weights, x, t):
    layers = [np.array(x)]
    for W in weights:
        layers.append(1 / (1 + np.exp(-(layers[-1] @ np.array(W)))))
    price, found = 2 * (layers[-1] - t), []
    for W, before, after in zip(
        weights[::-1], layers[-2::-1], layers[:0:-1], strict=True
    ):
        d = price * after * (1 - after)
        found.insert(0, np.outer(before, d))
        price = np.array(W) @ d
    return found


def deep_by_recursion(weights, x, t):
    def walk(k, before):
        if k == len(weights):
            return [2 * (y - target) for y, target in zip(before, t, strict=True)], []
        columns = list(zip(*weights[k], strict=True))
        after = [
            sigma(sum(b * w for b, w in zip(before, column, strict=True)))
            for column in columns
        ]
        price, later = walk(k + 1, after)
        d = [p * a * (1 - a) for p, a in zip(price, after, strict=True)]
        own = [[b * e for e in d] for b in before]
        back = [sum(w * e for w, e in zip(row, d, strict=True)) for row in weights[k]]
        return back, [own, *later]

    return walk(0, x)[1]


def deep_on_a_tape(weights, x, t):
    weights = [[[Value(w) for w in row] for row in W] for W in weights]
    h = x
    for W in weights:
        columns = zip(*W, strict=True)
        h = [
            sum(w * b for w, b in zip(column, h, strict=True)).sigmoid()
            for column in columns
        ]
    sum((y - target) ** 2 for y, target in zip(h, t, strict=True)).backward()
    return [[[w.grad for w in row] for row in W] for W in weights]


def deep_with(
    *,
    hidden=lambda h: h * (1 - h),
    last=lambda y: y * (1 - y),
    fork=lambda W, d: W @ d,
    into=lambda before, after: before,
    start=lambda y, t: 2 * (y - t),
    done=lambda found: found,
):
    """The walk through all layers with some parts replaced."""

    def wrong(weights, x, t):
        layers = [np.array(x)]
        for W in weights:
            layers.append(1 / (1 + np.exp(-(layers[-1] @ np.array(W)))))
        price, found = start(layers[-1], np.array(t)), []
        for k in reversed(range(len(weights))):
            before, after = layers[k], layers[k + 1]
            slope = last if k == len(weights) - 1 else hidden
            d = price * slope(after)
            found.insert(0, np.outer(into(before, after), d))
            price = fork(np.array(weights[k]), d)
        return done(found)

    return wrong


def sigma_again(h):
    return slope_right(0, 1 / (1 + np.exp(-h)))


def deep_averaged(weights, x, t):
    return [
        [[price / len(t) for price in row] for row in rows]
        for rows in deep_gradients(weights, x, t)
    ]


EXERCISES = [
    Exercise(
        number="02.1",
        title="Another loss: the cross-entropy",
        reference=cross_entropy_back,
        inputs=cross_entropy_inputs,
        gradient=True,
        n=one_example,
        mistakes=[
            Mistake(
                "half",
                cross_entropy_with(lambda y, t: (y - t) / 2, without_slope),
                "Every number is half the right one. Was a mean taken over the two "
                "outputs? This loss is their *sum*.",
                BACKWARD,
            ),
            Mistake(
                "activation-missing",
                cross_entropy_with(dy_right, without_slope),
                "This is `dy`, the price of the output. One box lies between `y` and "
                "`y_in`: σ, and its slope is missing.",
                SIGMA,
            ),
            Mistake(
                "slope-twice",
                cross_entropy_with(lambda y, t: y - t, slope_right),
                "The slope of σ comes in twice. In $y - t$ it is already contained: it "
                "has cancelled against the slopes of the two logarithms.",
                BACKWARD,
            ),
            Mistake(
                "squared-error",
                cross_entropy_with(lambda y, t: 2 * (y - t), slope_right),
                "This is the result for the squared error. The loss has changed, so "
                "`dy` is another one: what is the slope of a logarithm?",
                BACKWARD,
            ),
            Mistake(
                "at-output",
                cross_entropy_with(dy_right, slope_at_output),
                "σ is taken twice: its slope is computed at `y`, which is already its "
                "output. In `y` the slope needs no σ any more.",
                SIGMA,
            ),
            Mistake(
                "of-input",
                cross_entropy_with(dy_right, slope_of_input),
                "The slope is computed as `y_in * (1 - y_in)`. The short formula wants "
                "the output of σ, not its input.",
                SIGMA,
            ),
            Mistake(
                "first-term-only",
                cross_entropy_with(lambda y, t: -t / y, slope_right),
                "Only the logarithm of $y$ counts. $1 - y$ stands in the other "
                "logarithm, so $y$ forks.",
                "01_chain_rule#Forks add",
            ),
            Mistake(
                "assigned",
                cross_entropy_with(lambda y, t: (1 - t) / (1 - y), slope_right),
                "Only the second logarithm counts. $y$ stands in both, so it forks, "
                "and two prices come back to it.",
                "01_chain_rule#Forks add",
            ),
            Mistake(
                "inner-minus",
                cross_entropy_with(
                    lambda y, t: -t / y - (1 - t) / (1 - y), slope_right
                ),
                "The two parts have the same sign. In $\\ln(1 - y)$ there is an inner "
                "function, $1 - y$, with a slope of its own.",
                "01_chain_rule#Two boxes in a row: prices multiply",
            ),
            Mistake(
                "sigma-twice",
                lambda y_in, t: [sigma(sigma(y_in[j])) - t[j] for j in (0, 1)],
                "σ is applied twice. `y_in` is the sum before σ, and one σ makes `y` "
                "of it.",
                NETWORK,
            ),
            Mistake(
                "1-t-missing",
                cross_entropy_with(lambda y, t: -t / y + 1 / (1 - y), slope_right),
                "In the second part the factor $1 - t$ has gone. It stands before the "
                "logarithm, and stays there.",
                BACKWARD,
            ),
            Mistake(
                "t-missing",
                cross_entropy_with(
                    lambda y, t: -1 / y + (1 - t) / (1 - y), slope_right
                ),
                "In the first part the factor $t$ has gone. It stands before the "
                "logarithm, and stays there.",
                BACKWARD,
            ),
            Mistake(
                "half-a-slope",
                cross_entropy_with(dy_right, lambda z, y: y),
                HALF,
                SIGMA,
            ),
            Mistake(
                "other-half",
                cross_entropy_with(dy_right, lambda z, y: 1 - y),
                HALF,
                SIGMA,
            ),
            Mistake(
                "first-output-only",
                lambda y_in, t: [sigma(y_in[0]) - t[0], 0.0],
                "Only the first output gets a price. Does a loop end too early?",
                LOOPS,
            ),
            Mistake(
                "added-up",
                lambda y_in, t: total([sigma(y_in[j]) - t[j] for j in (0, 1)]),
                "The prices of the two outputs are added up. Each output has its own "
                "term in the loss, and its own price.",
                BACKWARD,
            ),
            Mistake(
                "no-target",
                lambda y_in, t: [sigma(y_in[j]) for j in (0, 1)],
                "This is the output `y`. The target does not occur in it.",
                NETWORK,
            ),
            Mistake(
                "loss-itself",
                lambda y_in, t: [
                    -t[j] * math.log(sigma(y_in[j]))
                    - (1 - t[j]) * math.log(1 - sigma(y_in[j]))
                    for j in (0, 1)
                ],
                "These are the two terms of the loss, not yet differentiated.",
                BACKWARD,
            ),
            Mistake(
                "plus-t",
                lambda y_in, t: [sigma(y_in[j]) + t[j] for j in (0, 1)],
                "The target comes in with the wrong sign. At $y = t$ the price is 0.",
                BACKWARD,
            ),
            Mistake(
                "tanh",
                lambda y_in, t: [math.tanh(y_in[j]) - t[j] for j in (0, 1)],
                "tanh stands in the place of σ.",
                NETWORK,
            ),
            Mistake(
                "slope-three-times",
                cross_entropy_with(lambda y, t: (y - t) * y * (1 - y), slope_right),
                "The slope of σ comes in too often; $y - t$ contains it already.",
                BACKWARD,
            ),
            Mistake(
                "y_in-minus-t",
                lambda y_in, t: [y_in[j] - t[j] for j in (0, 1)],
                "The target is compared with `y_in`, the sum before σ. The answer of "
                "the network is `y`.",
                NETWORK,
            ),
        ],
        absent={"broadcast": NO_ARRAY},
        variants=[
            cross_entropy_simplified,
            cross_entropy_by_array,
            cross_entropy_in_pieces,
        ],
        hints=(
            "The price of $\\ln(y)$ is $1/y$. For $\\ln(1 - y)$ there are two boxes in "
            "a row.",
            "$\\partial L / \\partial y_j = -t_j / y_j + (1 - t_j) / (1 - y_j)$. Then "
            "comes the box σ, as in step 2.",
            "Multiply by $y_j (1 - y_j)$ and look at what cancels: "
            "$-t_j (1 - y_j) + (1 - t_j)\\, y_j$.",
        ),
        explanation=(
            "$-t (1 - y) + (1 - t)\\, y = y - t$. The slope of σ has cancelled, so an "
            "output that is saturated on the wrong side still gets a price near 1. "
            "With the squared error it would get nearly none."
        ),
    ),
    Exercise(
        number="02.2",
        title="A bias for each unit",
        reference=backward_with_biases,
        inputs=network_inputs,
        gradient=True,
        outputs=("dW", "dV", "db", "dc"),
        n=one_example,
        mistakes=[
            Mistake(
                "before-sigma",
                biases_from(lambda x, h, p: p["dh"], lambda x, h, p: p["dy"]),
                "A bias is added *before* σ, and this price is the one after it. The "
                "slope of σ is missing on the way.",
                SIGMA,
            ),
            Mistake(
                "like-a-weight",
                biases_from(
                    lambda x, h, p: [x[j] * p["dh_in"][j] for j in (0, 1)],
                    lambda x, h, p: [h[j] * p["dy_in"][j] for j in (0, 1)],
                ),
                "This is the rule for a weight: what came in, times the price of where "
                "it leads. Nothing comes into a bias; it is added as it is.",
                BACKWARD,
            ),
            Mistake(
                "slope-twice",
                biases_from(
                    lambda x, h, p: [p["dh_in"][j] * h[j] * (1 - h[j]) for j in (0, 1)],
                    lambda x, h, p: [0.0, 0.0],
                ),
                "The slope of σ comes in twice: `dh_in` has it already.",
                BACKWARD,
            ),
            Mistake(
                "one-for-all",
                biases_from(
                    lambda x, h, p: total(p["dh_in"]), lambda x, h, p: total(p["dy_in"])
                ),
                "The prices of the two units are added up. Each unit has a bias of its "
                "own; a sum comes in where *one* number is used twice.",
                BACKWARD,
            ),
            Mistake(
                "a-single-number",
                biases_from(
                    lambda x, h, p: sum(p["dh_in"]), lambda x, h, p: sum(p["dy_in"])
                ),
                "The prices of the two units are added up to one number. Each unit has "
                "a bias of its own, so there are two prices.",
                BACKWARD,
            ),
            Mistake(
                "other-layer",
                biases_from(lambda x, h, p: p["dy_in"], lambda x, h, p: p["dh_in"]),
                "`db` and `dc` are exchanged: b belongs to the hidden units, c to the "
                "outputs.",
                NETWORK,
            ),
            Mistake(
                "last-only",
                biases_from(
                    lambda x, h, p: [0.0, p["dh_in"][1]],
                    lambda x, h, p: [0.0, p["dy_in"][1]],
                ),
                "Only the second unit gets a price. Is a list overwritten in a loop?",
                LOOPS,
            ),
            Mistake(
                "first-unit-only",
                biases_from(
                    lambda x, h, p: [p["dh_in"][0], 0.0],
                    lambda x, h, p: [p["dy_in"][0], 0.0],
                ),
                "Only the first unit gets a price. Does a loop end too early?",
                LOOPS,
            ),
            Mistake(
                "sum-of-weights",
                lambda x, t, h, y, V: biases_from(
                    lambda x, h, p: np.sum(p["dW"], axis=0),
                    lambda x, h, p: np.sum(p["dV"], axis=0),
                )(x, t, h, y, V),
                "The prices of a unit's weights are added up. They contain what came "
                "into the weights, and nothing of that goes through a bias.",
                BACKWARD,
            ),
            Mistake("half", all_with(dy=lambda y, t: y - t), where=BACKWARD),
            *(Mistake(i, all_with(**parts), s, w) for i, parts, s, w in ALSO_MADE),
            Mistake(
                "fork-transposed", all_with(fork=transposed_fork), TURNED, BACKWARD
            ),
        ],
        absent={"broadcast": NO_ARRAY},
        variants=[
            biases_by_arrays,
            biases_number_by_number,
            biases_as_weights_of_one,
        ],
        hints=(
            "$h^{in}_j = \\sum_i x_i w_{ij} + b_j$. What does one unit more of $b_j$ "
            "do to $h^{in}_j$?",
            "An addition hands its price on, unchanged. Which of the prices in "
            "`backward` are prices of sums?",
            "The local price is 1, so `db` is the price of `h_in`, and `dc` that of "
            "`y_in`. None of the other lines changes.",
        ),
        explanation=(
            "A bias is added, so its local price is 1, and it has the price of the sum "
            "it goes into. One can also see it as a weight that the constant 1 comes "
            "into. The other lines stay: they use `h` and `y`, and these have changed "
            "in the forward pass."
        ),
    ),
    Exercise(
        number="02.3",
        title="Find the bugs: a curve that looks fine",
        reference=mended_backward,
        inputs=network_inputs,
        gradient=True,
        outputs=("dW", "dV"),
        n=one_example,
        mistakes=[
            Mistake(
                "half",
                factor_missing,
                "Every number is half the right one. Training shows this only as a "
                "smaller learning rate. What is the price of a square?",
                BACKWARD,
            ),
            Mistake(
                "fork-transposed", weights_with(fork=transposed_fork), TURNED, BACKWARD
            ),
            Mistake(
                "as-shown",
                broken_backward,
                "There are still two mistakes in it: a factor in every number, and "
                "one more on the way to `dW`.",
                BACKWARD,
            ),
            *(Mistake(i, weights_with(**parts), s, w) for i, parts, s, w in ALSO_MADE),
            Mistake(
                "slope-of-outputs",
                slope_of_outputs,
                "The slope of the hidden units is computed with `y`. Each σ has its "
                "slope at its own output.",
                SLOPE,
            ),
            Mistake(
                "other-inputs",
                other_inputs,
                "The price is multiplied by the values of the wrong layer. `x` comes "
                "into W, `h` comes into V.",
                BACKWARD,
            ),
        ],
        absent={"broadcast": NO_ARRAY},
        variants=[weights_by_arrays, weights_by_loops, weights_by_einsum],
        hints=(
            "Compare each line with the formulas of the seven steps; and nudge: "
            "`h1` and `w12` on the notebook's own numbers tell different stories.",
            "All of `dV` is wrong by one and the same factor. What is the price of "
            "$(y - t)^2$?",
            "In the line of `dh`, read the indices aloud: `V[i][j]` leads from hidden "
            "unit i to output j. Which of the two is summed over?",
        ),
        explanation=(
            "The 2 of the square is missing in `dy`, and `V[j][i]` takes the weight "
            "of another edge. The first halves the learning rate. The second spoils "
            "`dW` alone, and no test would notice it for a symmetric V. The loss falls "
            "all the same, since here V does nearly all the work: a falling curve is "
            "no check of a gradient. A nudge is."
        ),
    ),
    Exercise(
        number="02.4",
        title="Predict: all weights equal",
        reference=equal,
        outputs=("in dW", "in dV", "columns of W differ"),
        mistakes=[
            Mistake(
                "turned",
                lambda: ("rows", "columns", "?"),
                "It is the two *hidden units* that cannot be told apart. Which "
                "entries belong to the same hidden unit, in this matrix?",
                NETWORK,
            ),
            Mistake(
                "differ",
                lambda: ("?", "?", "yes"),
                "What starts equal and gets equal gradients takes equal steps. Which "
                "step could be the first to make a difference?",
                STUCK,
            ),
            Mistake(
                "all",
                lambda: ("all", "all", "?"),
                "Not all four are equal: the two inputs differ, and so do the two "
                "targets. Which two things are exactly alike in this network?",
                LOOPS,
            ),
            Mistake(
                "none",
                lambda: ("none", "none", "?"),
                "Two units have the same inputs, the same weights, and the same edges "
                "that lead on. So what can be different in their prices?",
                LOOPS,
            ),
        ],
        hints=(
            "$h_1$ and $h_2$ get the same inputs with the same weights. What follows "
            "for their values, and for their prices?",
            "`dW[i][j]` is $x_i$ times the price of hidden unit $j$; `dV[i][j]` is "
            "$h_i$ times the price of output $j$. In which places do the two hidden "
            "units stand?",
            "The hidden units number the columns of W and the rows of V. And what "
            "starts equal and moves equally stays equal.",
        ),
        explanation=(
            "The two hidden units are twins: equal values, equal prices, equal steps, "
            "for ever. A network with twin units is a network with one unit. This is "
            "why networks start from random weights."
        ),
    ),
    Exercise(
        number="02.5",
        title="Open challenge: any number of layers",
        reference=deep_gradients,
        inputs=networks,
        gradient=True,
        call=deep,
        n=one_example,
        mistakes=[
            Mistake(
                "averaged",
                deep_averaged,
                "It is divided by the number of outputs, as if the loss were a mean. "
                "It is the *sum* of the squared errors.",
                BACKWARD,
            ),
            Mistake(
                "activation-missing",
                deep_with(hidden=lambda h: 1.0),
                NO_SLOPE_HIDDEN,
                SIGMA,
            ),
            Mistake(
                "output-slope-missing",
                deep_with(last=lambda y: 1.0),
                NO_SLOPE_OUT,
                SIGMA,
            ),
            Mistake(
                "no-slopes",
                deep_with(hidden=lambda h: 1.0, last=lambda y: 1.0),
                "No slope of σ is there, in none of the layers.",
                SIGMA,
            ),
            Mistake(
                "at-output",
                deep_with(hidden=sigma_again, last=sigma_again),
                TWICE,
                SLOPE,
            ),
            Mistake(
                "slope-of-tanh",
                deep_with(hidden=slope_of_tanh, last=slope_of_tanh),
                TANH,
                SIGMA,
            ),
            Mistake(
                "assigned",
                deep_with(fork=lambda W, d: W[:, -1] * d[-1]),
                "Of all the edges that leave a unit, only the last one counts. What "
                "comes back over several edges adds.",
                BACKWARD,
            ),
            Mistake(
                "first-path",
                deep_with(fork=lambda W, d: W[:, 0] * d[0]),
                "Of all the edges that leave a unit, only the first one counts. What "
                "comes back over several edges adds.",
                BACKWARD,
            ),
            Mistake(
                "weights-missing",
                deep_with(fork=lambda W, d: np.full(len(W), d.sum())),
                "The prices come back over the edges without their weights. The local "
                "price of an edge is the weight on it.",
                BACKWARD,
            ),
            Mistake(
                "fork-transposed",
                deep_with(fork=lambda W, d: W.T @ d),
                "In the fork the two indices of a weight are exchanged. Where a layer "
                "is as wide as the next one nobody complains.",
                BACKWARD,
            ),
            Mistake(
                "last-layer-only",
                deep_with(done=lambda found: [0 * M for M in found[:-1]] + found[-1:]),
                "Only the last layer has gradients; those before it are zero. The "
                "price has to be carried on to the units before.",
                BACKWARD,
            ),
            Mistake(
                "slope-squared",
                deep_with(
                    hidden=lambda h: (h * (1 - h)) ** 2,
                    last=lambda y: (y * (1 - y)) ** 2,
                ),
                SLOPE_TWICE,
                SIGMA,
            ),
            Mistake("returns-input", lambda weights, x, t: weights),
            Mistake(
                "reversed",
                deep_with(done=lambda found: found[::-1]),
                "The right gradients, in the order in which they were found: the last "
                "layer first.",
                BACKWARD,
            ),
            Mistake(
                "transposed",
                deep_with(done=lambda found: [M.T for M in found]),
                "Rows and columns are exchanged. `dW[i][j]` belongs to the weight from "
                "unit i to unit j.",
                NETWORK,
            ),
        ],
        absent={"broadcast": NO_ARRAY},
        variants=[deep_by_arrays, deep_by_recursion, deep_on_a_tape],
        hints=(
            "Forward: keep a list of the values of *all* layers, beginning with the "
            "inputs. Backward: three kinds of step, again and again.",
            "Carry one list backward: the prices of the units of the present layer. "
            "At the end it is `2 * (y - t)`.",
            "For each layer, from the last to the first: through σ, then to the "
            "weights (what came in, times the price), then to the units before (sum "
            "over the edges that leave).",
        ),
        explanation=(
            "One loop forward, one backward. The price of a layer's units is all that "
            "the layer before has to know. For two layers of weights these are the "
            "lines of the notebook."
        ),
    ),
]
