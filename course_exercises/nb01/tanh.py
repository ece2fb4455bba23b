"""01.1 · The slope of tanh, in stages."""

import itertools
import math

from course_exercises.judge import Exercise

from .shared import floats, sigma

PRICES = "01_chain_rule#A derivative is a price"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
FORKS = "01_chain_rule#Forks add"
SIGMA = "01_chain_rule#The function σ"
STAGES = "01_chain_rule#An intricate expression"
NO_EXP = r"""
    The prices of `a` and `b` go on to `x` as they are. Between them and `x` stands one
    more box each, $e^x$ and $e^{-x}$, with a price of its own. In one line this is
    $1/\cosh x$, and a square is missing.
"""

ex = Exercise(
    "01.1",
    "The slope of tanh, in stages",
    gradient=True,
    absent={"broadcast": "plain numbers, nothing is broadcast"},
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
        "Four paths. Over `a`: $(1 - t)\\,a / (a + b)$, over `b`: $(1 + t)\\,b / (a + "
        "b)$, with $t$ the output. Since $a / (a + b) = (1 + t)/2$ and $b / (a + b) = "
        "(1 - t)/2$, both are $(1 - t^2)/2$, and their sum is $1 - t^2$."
    ),
)


@ex.answer
def tanh_backward(grad_out, x):
    a, b = math.exp(x), math.exp(-x)
    top, bottom = a - b, a + b
    d_top = grad_out / bottom
    d_bottom = grad_out * (-top / bottom**2)
    da = d_top + d_bottom
    db = -d_top + d_bottom
    return da * a + db * (-b)


@ex.given
def tanh_inputs(rng):
    return floats(rng, 6, 2)


@ex.right
def tanh_in_one_line(grad_out, x):
    return grad_out * (1 - math.tanh(x) ** 2)


@ex.right
def tanh_by_quotient_rule(grad_out, x):
    a, b = math.exp(x), math.exp(-x)
    return grad_out * ((a + b) * (a + b) - (a - b) * (a - b)) / (a + b) ** 2


# --- wrong ones: the walk back

ex.slip("assigned", {"da * a + ": ""}, FORKS).says("""
    One half is missing: `x` goes into $e^x$ and into $e^{-x}$, and only one of the two
    prices is left. What comes back to a fork adds.
""")
ex.slip("plus", {"-top": "top"}, STAGES).says("""
    The price of `bottom` has the wrong sign. A larger denominator makes a smaller
    fraction.
""")
ex.slip("top-missing", {"-top": "-1"}, STAGES).says("""
    The price of `bottom` forgets `top`. The box is a product, `top * (1 / bottom)`, so
    each factor's price contains the other one.
""")
ex.slip("not-squared-below", {"**2": ""}, PRICES).says("""
    In the price of `bottom` a square is missing: look up $1/x$ in the price list.
""")
ex.slip("upside-down", {"-top / bottom**2": "-bottom / top**2"}, PRICES).says("""
    In the price of `bottom` the two are exchanged. It is `bottom` whose square stands
    below.
""")
ex.slip("like-sigma", {"-d_top": "d_top"}, SIGMA).says(r"""
    With $t = \tanh(x)$ this is $t (1 - t)$: the slope of σ, for another function. In
    stages it comes out when the minus in `top = a - b` is lost on the way back.
""")
ex.slip("not-squared", {"-d_top": "d_top", "(-b)": "b"}, CHAIN).says(r"""
    With $t = \tanh(x)$ this is $1 - t$. Written with $t$, a square is missing; in
    stages, look at the signs of `db`, and of the slope of $e^{-x}$.
""")
ex.slip("cancelled", {"(-b)": "b"}, CHAIN).says("""
    Nothing is left: the paths cancel. In $e^{-x}$ the inner function, $-x$, has a slope
    of its own.
""")
ex.slip("x-for-exp", {"da * a": "da * x", "(-b)": "(-x)"}, PRICES).says("""
    Between `a` and `x` stands `x` itself. The price of the box $e^x$ is its output.
""")
ex.slip(
    "like-a-power", {"* a +": "* x * a / math.e +", "(-b)": "(-x) * b / math.e"}, PRICES
).says("""
    $e^x$ is treated like a power of $x$. There the variable is below; here it is the
    exponent, and $e^x$ has itself as its slope.
""")
ex.slip("exp-missing", {"da * a": "da", "(-b)": "-1"}, CHAIN).says(NO_EXP)
ex.slip("both-exp-missing", {"da * a": "da", " * (-b)": ""}, CHAIN).says(NO_EXP)
ex.slip("incoming-ignored", {"grad_out /": "1 /", "grad_out *": "1 *"}, CHAIN).says("""
    `grad_out` is not used. The price of the output is not always 1, and each price is a
    multiple of it.
""")
ex.slip("side-by-side", {"da * a + db": "da * a, db"}, FORKS).says("""
    Two prices come back side by side, one over `a` and one over `b`. Both belong to
    `x`, and what comes back to a fork adds.
""")
ex.slip("returns-input", {"da * a + db * (-b)": "x"})

# --- in one line


@ex.wrong(CHAIN)
def activation_missing(grad_out, x):
    """The price goes back as it came, as if the box were not there. Or is only the path
    over `top` counted, and not the one over `bottom`?
    """
    return grad_out


@ex.wrong(SIGMA)
def at_output(grad_out, x):
    """tanh is taken twice: the slope is computed at the output of the box. The local
    price belongs to what goes *into* the box, here `x`.
    """
    return tanh_backward(grad_out, math.tanh(x))


@ex.wrong(SIGMA)
def of_input(grad_out, x):
    r"""This is $1 - x^2$. The formula with the square wants the *output* of the box,
    $\tanh(x)$, and here it is given its input.
    """
    return grad_out * (1 - x**2)


@ex.wrong(CHAIN)
def forward_again(grad_out, x):
    """This is the value of the box, times what comes in. On the way back its *slope* is
    needed.
    """
    return grad_out * math.tanh(x)


@ex.wrong(SIGMA)
def slope_of_sigma(grad_out, x):
    """This is the slope of σ. tanh is another function, with a slope of its own."""
    return grad_out * sigma(x) * (1 - sigma(x))


# --- every way to lose some of the four paths

LOST = {  # a path: what it adds in the right answer, and what is there without it
    "a → top": ("da = d_top", "da = 0"),
    "b → top": ("-d_top", "0"),
    "a → bottom": (" + d_bottom\n    db", "\n    db"),
    "b → bottom": (" + d_bottom\n    return", "\n    return"),
}
NO_OWN_NAME = [
    ("a → top", "b → top"),
    ("a → top", "a → bottom"),
    ("b → top", "b → bottom"),
]

for count in (3, 2, 1):
    for kept in itertools.combinations(LOST, count):
        if kept not in NO_OWN_NAME:
            lost = dict(LOST[path] for path in LOST if path not in kept)
            ex.slip("only " + ", ".join(kept), lost, FORKS).says(
                f"""Four paths lead from `x` to the result, and here {count} of them
                count: {", ".join(f"`{path}`" for path in kept)}. `a` and `b` fork as
                well, so each collects two prices."""
            )
