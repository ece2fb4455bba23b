"""What several exercises of 02 share."""

import math

HERE = "02_network_by_hand"
SIGMA = "01_chain_rule#The function σ"
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


BACKWARD = f"{HERE}#Backward, number by number"


SLOPE = f"{HERE}#Why one gradient is 5e-8"


LOOPS = f"{HERE}#The same in loops"


NETWORK = f"{HERE}#The network"


def one_example(*args):
    """The number of examples."""
    return 1


def sigma(x):
    return 1.0 / (1.0 + math.exp(-x))


def slope_right(z, y):
    return y * (1 - y)


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


def total(prices):
    return [sum(prices)] * 2


def mended_backward(x, t, h, y, V):
    dy = [2 * (y[j] - t[j]) for j in (0, 1)]
    dy_in = [dy[j] * y[j] * (1 - y[j]) for j in (0, 1)]
    dV = [[h[i] * dy_in[j] for j in (0, 1)] for i in (0, 1)]
    dh = [sum(V[i][j] * dy_in[j] for j in (0, 1)) for i in (0, 1)]
    dh_in = [dh[i] * h[i] * (1 - h[i]) for i in (0, 1)]
    dW = [[x[i] * dh_in[j] for j in (0, 1)] for i in (0, 1)]
    return dW, dV
