"""What several exercises of 02 share."""

import math

HERE = "02_network_by_hand"
BACKWARD = f"{HERE}#Backward, number by number"
LOOPS = f"{HERE}#The same in loops"
NETWORK = f"{HERE}#The network"
SATURATED = f"{HERE}#Why one gradient is 5e-8"
SIGMA = "01_chain_rule#The function σ"
NO_ARRAY = "lists of plain numbers, nothing is broadcast"

NO_SLOPE_OUT = """
    The price goes from `y` to `y_in` as it is. Between the two is σ, and its slope
    belongs to every path through an output unit. Where `dy_in` is needed, is `dy`
    taken?
"""
NO_SLOPE_HIDDEN = """
    The price goes from `h` to `h_in` as it is. Between the two is σ, and its slope
    belongs to every path that leads through a hidden unit.
"""
TWICE = """
    σ is taken twice: the slope is computed as if `h` and `y` were still to be squeezed.
    They are outputs of σ already.
"""
TANH = """
    This is $1 - h^2$, the slope of another function, tanh. With σ it trains all the
    same, to something.
"""
SLOPE_TWICE = """
    The slope of σ comes in twice. A path leads through each σ once, and meets its slope
    once.
"""
HALF = """
    The slope of σ is a product of two factors, $h$ and $1 - h$. One of them is missing
    here.
"""


def sigma(x):
    return 1.0 / (1.0 + math.exp(-x))


def slope(x):
    """The slope of σ where x goes in."""
    return sigma(x) * (1 - sigma(x))


def one_example(*args):
    """The number of examples."""
    return 1


def numbers(rng):
    """Inputs for 02.2 and 02.3: x, t, h, y, V."""
    cases = []
    for _ in range(5):
        x = rng.uniform(0.5, 3, size=2) * rng.choice([-1, 1], size=2)
        t = rng.choice([(0.0, 1.0), (1.0, 0.0)])
        h, y = rng.uniform(0.15, 0.85, size=(2, 2))
        V = rng.uniform(0.4, 2, size=(2, 2)) * rng.choice([-1, 1], size=(2, 2))
        cases.append((x, t, h, y, V))
    return cases


def way_back(ex):
    """Register what goes wrong on the way back in 02.2 as in 02.3, line by line."""
    out, hidden = " * y[j] * (1 - y[j])", " * h[i] * (1 - h[i])"
    fork = "sum(V[i][j] * dy_in[j] for j in (0, 1))"

    ex.slip("activation-missing", {out: ""}, SIGMA).says(NO_SLOPE_OUT)
    ex.slip("hidden-slope-missing", {hidden: ""}, SIGMA).says(NO_SLOPE_HIDDEN)
    ex.slip("no-slopes", {out: "", hidden: ""}, SIGMA).says("""
        No slope of σ is there, neither at the outputs nor at the hidden units.
    """)

    again = {hidden: " * shared.slope(h[i])"}
    both = {out: " * shared.slope(y[j])", **again}
    ex.slip("at-output", both, SATURATED).says(TWICE)
    ex.slip("at-output-hidden", again, SATURATED).says(TWICE)

    of_tanh = {hidden: " * (1 - h[i] ** 2)"}
    both = {out: " * (1 - y[j] ** 2)", **of_tanh}
    ex.slip("slope-of-tanh", both, SIGMA).says(TANH)
    ex.slip("slope-of-tanh-hidden", of_tanh, SIGMA).says(TANH)

    half = {" * (1 - h[i])": ""}
    both = {" * (1 - y[j])": "", **half}
    ex.slip("half-a-slope", both, SIGMA).says(HALF)
    ex.slip("half-a-slope-hidden", half, SIGMA).says(HALF)
    ex.slip("half-a-slope-outputs", {" * (1 - y[j])": ""}, SIGMA).says(HALF)

    squared = {hidden: 2 * hidden}  # the characters twice
    both = {out: 2 * out, **squared}
    ex.slip("slope-squared", both, SIGMA).says(SLOPE_TWICE)
    ex.slip("slope-squared-hidden", squared, SIGMA).says(SLOPE_TWICE)

    ex.slip(
        "still-a-square", {"2 * (y[j] - t[j])": "(y[j] - t[j]) ** 2"}, BACKWARD
    ).says("""
        `dy` is the error itself, still squared. What is the price of a square?
    """)
    ex.slip("error-missing", {" * (y[j] - t[j])": ""}, BACKWARD).says("""
        The error $y - t$ does not occur in `dy`. What is the price of a square?
    """)
    price = {"2 * (y[j] - t[j])": "2 * y[j]"}
    ex.slip("target-missing", price, BACKWARD).says("""
        The target does not occur in `dy`. The error is the output *minus the target*.
    """)
    ex.slip("dW-turned", {"x[i] * dh_in[j]": "x[j] * dh_in[i]"}, BACKWARD).says("""
        In `dW` the two indices have changed places. $w_{ij}$ leads from input $i$ to
        hidden unit $j$.
    """)
    ex.slip("dV-turned", {"h[i] * dy_in[j]": "h[j] * dy_in[i]"}, BACKWARD).says("""
        In `dV` the two indices have changed places. $v_{ij}$ leads from hidden unit $i$
        to output $j$.
    """)
    ex.slip("other-error", {"V[i][j] * dy_in": "V[i][j] * dy"}, SIGMA).says("""
        `dh` is made of `dy`, the price after σ. The edges end at the sums before it:
        they carry `dy_in`.
    """)
    ex.slip("weights-missing", {"V[i][j] * ": ""}, BACKWARD).says("""
        The prices come back over the edges without their weights. The local price of an
        edge is the weight on it.
    """)
    ex.slip("straight-on", {fork: "V[i][i] * dy_in[i]"}, BACKWARD).says("""
        Only the edge from unit i to output i counts. From each hidden unit two edges
        lead on, one to each output, and both bring a price back.
    """)
    ex.slip("assigned", {fork: "V[i][1] * dy_in[1]"}, BACKWARD).says("""
        Of the two paths that lead on from a hidden unit, only the last one counts. What
        comes back over several edges adds.
    """)
    ex.slip("first-path", {fork: "V[i][0] * dy_in[0]"}, BACKWARD).says("""
        Of the two paths that lead on from a hidden unit, only the one to the first
        output counts. What comes back over several edges adds.
    """)
    ex.slip("fork-transposed", {"V[i][j]": "V[j][i]"}, BACKWARD).says("""
        In the fork the indices of `V` are exchanged. $v_{ij}$ leads from hidden unit
        $i$ to output $j$; on the way back the same edge is used, in the other
        direction.
    """)
