"""02.2 · A bias for each unit."""

from course_exercises.judge import Exercise

from . import shared
from .shared import BACKWARD, LOOPS, NETWORK, NO_ARRAY, SIGMA

ex = Exercise(
    "02.2",
    "A bias for each unit",
    gradient=True,
    outputs=("dW", "dV", "db", "dc"),
    n=shared.one_example,
    absent={"broadcast": NO_ARRAY},
    hints=(
        r"$h^{in}_j = \sum_i x_i w_{ij} + b_j$. What does one unit more of $b_j$ do "
        "to $h^{in}_j$?",
        "An addition hands its price on, unchanged. Which of the prices in `backward` "
        "are prices of sums?",
        "The local price is 1, so `db` is the price of `h_in`, and `dc` that of "
        "`y_in`. None of the other lines changes.",
    ),
    explanation=(
        "A bias is added, so its local price is 1, and it has the price of the sum it "
        "goes into. One can also see it as a weight that the constant 1 comes into. "
        "The other lines stay: they use `h` and `y`, and these have changed in the "
        "forward pass."
    ),
)


@ex.answer
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


ex.given(shared.numbers)


def biases(db, dc):
    """Other prices in the place of the right ones."""
    return {"db = dh_in": f"db = {db}", "dc = dy_in": f"dc = {dc}"}


ex.slip("before-sigma", biases("dh", "dy"), SIGMA).says("""
    A bias is added *before* σ, and this price is the one after it. The slope of σ is
    missing on the way.
""")
ex.slip("hidden-before-sigma", {"db = dh_in": "db = dh"}, SIGMA).says("""
    A bias is added *before* σ, and this price is the one after it. The slope of σ is
    missing on the way.
""")
ex.slip("output-before-sigma", {"dc = dy_in": "dc = dy"}, SIGMA).says("""
    A bias is added *before* σ, and this price is the one after it. The slope of σ is
    missing on the way.
""")

AS_ROWS = {"return dW, dV": "return dW + [db], dV + [dc]"}
ex.slip("as-rows", AS_ROWS, NETWORK).says("""
    The prices of the biases stand in `dW` and `dV` as another row. They are results of
    their own.
""")
ex.slip("constant", biases("[1.0, 1.0]", "[1.0, 1.0]"), BACKWARD).says("""
    1 is the local price of an addition. It still has to meet the price of the sum that
    the bias goes into.
""")

TIMES_VALUE = biases("h * dh_in", "y * dy_in")
ex.slip("times-own-value", TIMES_VALUE, BACKWARD).says("""
    The price is multiplied by the value of a unit, as if the bias were a weight. It is
    added, with the factor 1: nothing multiplies its price.
""")
ex.slip("copied-line", biases("h * dh_in", "h * dy_in"), BACKWARD).says("""
    The price is multiplied by the value of a unit, as if the bias were a weight. It is
    added, with the factor 1: nothing multiplies its price.
""")
ex.slip("like-a-weight", biases("x * dh_in", "h * dy_in"), BACKWARD).says("""
    This is the rule for a weight: what came in, times the price of where it leads.
    Nothing comes into a bias; it is added as it is.
""")
ex.slip(
    "slope-twice", biases("dh_in * h * (1 - h)", "dy_in * y * (1 - y)"), BACKWARD
).says("""
    The slope of σ comes in twice: `dh_in` has it already.
""")
ex.slip(
    "one-for-all", biases("[sum(dh_in)] * 2", "[sum(dy_in)] * 2"), BACKWARD
).says("""
    The prices of the two units are added up. Each unit has a bias of its own; a sum
    comes in where *one* number is used twice.
""")
ex.slip("a-single-number", biases("sum(dh_in)", "sum(dy_in)"), BACKWARD).says("""
    The prices of the two units are added up to one number. Each unit has a bias of its
    own, so there are two prices.
""")
ex.slip("other-layer", biases("dy_in", "dh_in"), NETWORK).says("""
    `db` and `dc` are exchanged: b belongs to the hidden units, c to the outputs.
""")
ex.slip("last-only", biases("[0, dh_in[1]]", "[0, dy_in[1]]"), LOOPS).says("""
    Only the second unit gets a price. Is a list overwritten in a loop?
""")
ex.slip("first-unit-only", biases("[dh_in[0], 0]", "[dy_in[0], 0]"), LOOPS).says("""
    Only the first unit gets a price. Does a loop end too early?
""")
ex.slip(
    "sum-of-weights",
    biases("[sum(w) for w in zip(*dW)]", "[sum(v) for v in zip(*dV)]"),
    BACKWARD,
).says("""
    The prices of a unit's weights are added up. They contain what came into the
    weights, and nothing of that goes through a bias.
""")
ex.slip("half", {"2 * ": ""}, BACKWARD)

shared.way_back(ex)
