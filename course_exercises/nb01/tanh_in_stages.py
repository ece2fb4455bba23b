"""01.1 · The slope of tanh, in stages"""

import itertools
import math

from course_exercises.judge import Exercise, Mistake

from .shared import floats, sigma

PRICES = "01_chain_rule#A derivative is a price"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
FORKS = "01_chain_rule#Forks add"
SIGMA = "01_chain_rule#The function σ"
STAGES = "01_chain_rule#An intricate expression"
NO_ARRAY = "plain numbers, nothing is broadcast"
NO_INCOMING = (
    "`grad_out` is not used. The price of the output is not always 1, and each price "
    "is a multiple of it."
)
NO_EXP = (
    "The prices of `a` and `b` go on to `x` as they are. Between them and `x` stands "
    "one more box each, $e^x$ and $e^{-x}$, with a price of its own."
)
PATHS = ("a → top", "b → top", "a → bottom", "b → bottom")
NO_OWN_NAME = [
    ("a → top", "b → top"),
    ("a → top", "a → bottom"),
    ("b → top", "b → bottom"),
]

ex = Exercise(
    "01.1",
    "The slope of tanh, in stages",
    gradient=True,
    absent={"broadcast": NO_ARRAY},
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


def tanh_without_exp(sign):
    def slopes_of_exp_missing(grad_out, x):
        a, b = math.exp(x), math.exp(-x)
        d_top = grad_out / (a + b)
        d_bottom = -grad_out * (a - b) / (a + b) ** 2
        return (d_top + d_bottom) + sign * (d_bottom - d_top)

    return slopes_of_exp_missing


@ex.wrong(FORKS)
def assigned(grad_out, x):
    """One half is missing: `x` goes into $e^x$ and into $e^{-x}$, and only one of the
    two prices is left. What comes back to a fork adds.
    """
    paths = tanh_paths(grad_out, x)
    return paths["b → top"] + paths["b → bottom"]


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
    return grad_out * (1 - math.tanh(math.tanh(x)) ** 2)


@ex.wrong(SIGMA)
def of_input(grad_out, x):
    r"""This is $1 - x^2$. The formula with the square wants the *output* of the box,
    $\tanh(x)$, and here it is given its input.
    """
    return grad_out * (1 - x**2)


@ex.wrong(SIGMA)
def like_sigma(grad_out, x):
    r"""With $t = \tanh(x)$ this is $t (1 - t)$: the slope of σ, for another function.
    In stages it comes out when the minus in `top = a - b` is lost on the way back.
    """
    t = math.tanh(x)
    return grad_out * t * (1 - t)


@ex.wrong(STAGES)
def plus(grad_out, x):
    """The price of `bottom` has the wrong sign. A larger denominator makes a smaller
    fraction.
    """
    return grad_out * (1 + math.tanh(x) ** 2)


@ex.wrong(CHAIN)
def not_squared(grad_out, x):
    r"""With $t = \tanh(x)$ this is $1 - t$. A square is missing, or two minus signs:
    one in `top = a - b`, one in the slope of $e^{-x}$.
    """
    return grad_out * (1 - math.tanh(x))


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


@ex.wrong(PRICES)
def not_squared_below(grad_out, x):
    """In the price of `bottom` a square is missing: look up $1/x$ in the price list."""
    a, b = math.exp(x), math.exp(-x)
    d_top, d_bottom = grad_out / (a + b), -grad_out * (a - b) / (a + b)
    return (d_top + d_bottom) * a - (d_bottom - d_top) * b


@ex.wrong(STAGES)
def top_missing(grad_out, x):
    """The price of `bottom` forgets `top`. The box is a product, `top * (1 / bottom)`,
    so each factor's price contains the other one.
    """
    a, b = math.exp(x), math.exp(-x)
    d_top, d_bottom = grad_out / (a + b), -grad_out / (a + b) ** 2
    return (d_top + d_bottom) * a - (d_bottom - d_top) * b


ex.mistake("returns-input", code=lambda grad_out, x: x)


@ex.wrong(CHAIN)
def zero(grad_out, x):
    """Nothing is left: the paths cancel. In $e^{-x}$ the inner function, $-x$, has a
    slope of its own; or is a zero returned?
    """
    a, b = math.exp(x), math.exp(-x)
    d_top = grad_out / (a + b)
    d_bottom = -grad_out * (a - b) / (a + b) ** 2
    return (d_top + d_bottom) * a + (d_bottom - d_top) * b


ex.mistake("exp-missing", CHAIN, code=tanh_without_exp(-1)).says(NO_EXP)

ex.mistake("both-exp-missing", CHAIN, code=tanh_without_exp(1)).says(NO_EXP)


@ex.wrong(CHAIN, says=NO_INCOMING)
def incoming_ignored(grad_out, x):
    return 1 - math.tanh(x) ** 2


ex.mistakes += tanh_lost_paths()  # TODO
