"""01.2 · A product of two forks"""

from course_exercises.judge import Exercise

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

ex = Exercise(
    "01.2",
    "A product of two forks",
    gradient=True,
    outputs=("dx", "dy", "dz"),
    absent={"broadcast": NO_ARRAY},
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
        "price is $s$, along the second $q \\cdot s (1 - s)$; they add. `x` and `y` "
        "have one path each, over `p` and `q`."
    ),
)


@ex.answer
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


@ex.given
def gate_inputs(rng):
    return floats(rng, 6, 4)


@ex.right
def gate_with_zeros_first(grad_out, x, y, z):
    s, dx, dy, dz = sigma(z), 0.0, 0.0, 0.0
    dz += grad_out * (x * y + z) * s * (1.0 - s)
    dz += grad_out * s
    dx += grad_out * s * y
    dy += grad_out * s * x
    return [dx, dy, dz]


def gate(grad_out, x, y, z, slope=None, dq=None, ds=None, direct=1.0):
    """The walk back with some of its parts replaced."""
    q, s = x * y + z, sigma(z)
    slope = s * (1 - s) if slope is None else slope(z, s)
    dq = grad_out * s if dq is None else dq(grad_out, q, s)
    ds = grad_out * q if ds is None else ds(grad_out, q, s)
    return dq * y, dq * x, direct * dq + ds * slope


@ex.wrong(FORKS)
def assigned(grad_out, x, y, z):
    """The path over `q` is lost, and only the one over `s` is left. `z` is used twice,
    so two prices come back to it, and they add.
    """
    return gate(grad_out, x, y, z, direct=0.0)


@ex.wrong(FORKS)
def one_path(grad_out, x, y, z):
    """Only the path over `q` counts. `z` is used a second time, inside σ."""
    return gate(grad_out, x, y, z, slope=lambda z, s: 0.0)


@ex.wrong(SIGMA)
def activation_missing(grad_out, x, y, z):
    """The price of `s` goes to `z` as it is. Between the two is the box σ, and its
    local price belongs to the path.
    """
    return gate(grad_out, x, y, z, slope=lambda z, s: 1.0)


@ex.wrong(FORKS)
def only_ds(grad_out, x, y, z):
    """`dz` is the price of `s` and nothing else. Two things are missing: the slope of
    σ, and the second path of `z`.
    """
    return gate(grad_out, x, y, z, slope=lambda z, s: 1.0, direct=0.0)


@ex.wrong(SIGMA)
def at_output(grad_out, x, y, z):
    """σ is taken twice: its slope is computed at `s`, which is already its output. In
    `s` the slope needs no σ any more.
    """
    return gate(grad_out, x, y, z, slope=lambda z, s: sigma(s) * (1 - sigma(s)))


@ex.wrong(SIGMA)
def of_input(grad_out, x, y, z):
    """The slope is computed as `z * (1 - z)`. The short formula wants the output of σ,
    not its input.
    """
    return gate(grad_out, x, y, z, slope=lambda z, s: z * (1 - z))


@ex.wrong(SIGMA)
def half_a_slope(grad_out, x, y, z):
    """The slope of σ is a product of two factors, and one of them is missing here."""
    return gate(grad_out, x, y, z, slope=lambda z, s: s)


@ex.wrong(SIGMA)
def other_half(grad_out, x, y, z):
    r"""Of the two factors in the slope of σ, only $1 - \sigma$ is here."""
    return gate(grad_out, x, y, z, slope=lambda z, s: 1 - s)


@ex.wrong(PRICES)
def own_factors(grad_out, x, y, z):
    """In `out = q * s` each one gets itself as its price. Look once more at the
    rectangle: what does one unit more of its width cost?
    """
    return gate(
        grad_out,
        x,
        y,
        z,
        dq=lambda grad, q, s: grad * q,
        ds=lambda grad, q, s: grad * s,
    )


@ex.wrong(PRICES)
def own_factors_xy(grad_out, x, y, z):
    """`dx` and `dy` are exchanged. In `p = x * y`, each factor's price is the other
    factor; or are they returned in the wrong order?
    """
    dx, dy, dz = gate_backward(grad_out, x, y, z)
    return dy, dx, dz


@ex.wrong(CHAIN)
def passed_on(grad_out, x, y, z):
    """The price goes through the product `q * s` unchanged. That is what an addition
    does; in a product the other factor comes in.
    """
    return gate(grad_out, x, y, z, dq=lambda grad, q, s: grad)


@ex.wrong(CHAIN)
def incoming_once(grad_out, x, y, z):
    """`grad_out` is missing on the path over `s`. It belongs to every path, since every
    path ends in `out`.
    """
    return gate(grad_out, x, y, z, ds=lambda grad, q, s: q)


@ex.wrong(SIGMA)
def minus(grad_out, x, y, z):
    r"""The path over σ is subtracted. Its slope $\sigma (1 - \sigma)$ is positive, and
    paths add.
    """
    return gate(grad_out, x, y, z, slope=lambda z, s: -s * (1 - s))


@ex.wrong(FORKS)
def multiplied(grad_out, x, y, z):
    """The prices of the two paths of `z` are multiplied. Along a path prices multiply;
    several paths add.
    """
    q, s = x * y + z, sigma(z)
    dq, ds = grad_out * s, grad_out * q
    return dq * y, dq * x, dq * ds * s * (1 - s)


@ex.wrong(STAGES)
def short_q(grad_out, x, y, z):
    """The price of `s` is the other factor, and that is the whole of `q`, with the `z`
    in it.
    """
    return gate(grad_out, x, y, z, ds=lambda grad, q, s: grad * (q - z))


@ex.wrong(SIGMA)
def slope_elsewhere(grad_out, x, y, z):
    """The slope of σ is computed at `q`. A slope belongs to the place where the box
    stands: what goes into this σ?
    """
    s = sigma(x * y + z)
    return gate(grad_out, x, y, z, slope=lambda *_: s * (1 - s))


@ex.wrong(SIGMA)
def slope_of_tanh(grad_out, x, y, z):
    """This is $1 - s^2$, the slope of tanh. σ has a slope of its own."""
    return gate(grad_out, x, y, z, slope=lambda z, s: 1 - s**2)


@ex.wrong(CHAIN, says=NO_INCOMING)
def incoming_ignored(grad_out, x, y, z):
    return gate_backward(1.0, x, y, z)


@ex.wrong()
def returns_input(grad_out, x, y, z):
    return x, y, z


@ex.wrong(STAGES)
def sum_as_product(grad_out, x, y, z):
    """`q = p + z` is treated like a product. An addition hands its price on, unchanged,
    to both.
    """
    p, s = x * y, sigma(z)
    dq, ds = grad_out * s, grad_out * (p + z)
    return dq * z * y, dq * z * x, dq * p + ds * s * (1 - s)
