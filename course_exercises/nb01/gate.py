"""01.2 · A product of two forks."""

from course_exercises.judge import Exercise

from .shared import floats, sigma

PRICES = "01_chain_rule#A derivative is a price"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
FORKS = "01_chain_rule#Forks add"
SIGMA = "01_chain_rule#The function σ"
STAGES = "01_chain_rule#An intricate expression"

ex = Exercise(
    "01.2",
    "A product of two forks",
    gradient=True,
    outputs=("dx", "dy", "dz"),
    absent={"broadcast": "plain numbers, nothing is broadcast"},
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


SLOPE = "s * (1 - s)"  # of σ, as in the right answer

# --- wrong ones: the fork

ex.slip("assigned", {"dq + ": ""}, FORKS).says("""
    The path over `q` is lost, and only the one over `s` is left. `z` is used twice, so
    two prices come back to it, and they add.
""")
ex.slip("one-path", {f" + ds * {SLOPE}": ""}, FORKS).says("""
    Only the path over `q` counts. `z` is used a second time, inside σ.
""")
ex.slip("only-ds", {f"dq + ds * {SLOPE}": "ds"}, FORKS).says("""
    `dz` is the price of `s` and nothing else. Two things are missing: the slope of σ,
    and the second path of `z`.
""")
ex.slip("multiplied", {"dq + ds": "dq * ds"}, FORKS).says("""
    The prices of the two paths of `z` are multiplied. Along a path prices multiply;
    several paths add.
""")

# --- the slope of σ

ex.slip("activation-missing", {f" * {SLOPE}": ""}, SIGMA).says("""
    The price of `s` goes to `z` as it is. Between the two is the box σ, and its local
    price belongs to the path.
""")
ex.slip("at-output", {SLOPE: "sigma(s) * (1 - sigma(s))"}, SIGMA).says("""
    σ is taken twice: its slope is computed at `s`, which is already its output. In `s`
    the slope needs no σ any more.
""")
ex.slip("of-input", {SLOPE: "z * (1 - z)"}, SIGMA).says("""
    The slope is computed as `z * (1 - z)`. The short formula wants the output of σ, not
    its input.
""")
ex.slip("half-a-slope", {" * (1 - s)": ""}, SIGMA).says("""
    The slope of σ is a product of two factors, and one of them is missing here.
""")
ex.slip("other-half", {SLOPE: "(1 - s)"}, SIGMA).says(r"""
    Of the two factors in the slope of σ, only $1 - \sigma$ is here.
""")
ex.slip("minus", {"dq + ds": "dq - ds"}, SIGMA).says(r"""
    The path over σ is subtracted. Its slope $\sigma (1 - \sigma)$ is positive, and
    paths add.
""")

for name, square in (("s-squared", "s * s"), ("rest-squared", "(1 - s) ** 2")):
    ex.slip(name, {SLOPE: square}, SIGMA).says("""
        A square stands where the slope of σ belongs. It is a product of two different
        factors.
    """)
ex.slip("slope-alone", {"ds * s": "s"}, CHAIN).says("""
    On the path over σ stands its slope alone. What has arrived at `s` multiplies it.
""")
ex.slip("slope-elsewhere", {SLOPE: "sigma(q) * (1 - sigma(q))"}, SIGMA).says("""
    The slope of σ is computed at `q`. A slope belongs to the place where the box
    stands: what goes into this σ?
""")
ex.slip("slope-of-tanh", {SLOPE: "(1 - s**2)"}, SIGMA).says("""
    This is $1 - s^2$, the slope of tanh. σ has a slope of its own.
""")

# --- the products and the sum

ex.slip(
    "own-factors",
    {"ds = grad": "dq = grad", "dq = grad_out * s": "ds = grad_out * s"},
    PRICES,
).says("""
    In `out = q * s` each one gets itself as its price. Look once more at the rectangle:
    what does one unit more of its width cost?
""")
ex.slip("own-factors-xy", {"dx, dy": "dy, dx"}, PRICES).says("""
    `dx` and `dy` are exchanged. In `p = x * y`, each factor's price is the other
    factor; or are they returned in the wrong order?
""")
ex.slip("product-as-sum", {"dp * y": "dp", "dp * x": "dp"}, PRICES).says("""
    `p = x * y` is treated like a sum. In a product each one's price is the other
    factor.
""")
ex.slip("passed-on", {"grad_out * s": "grad_out"}, CHAIN).says("""
    The price goes through the product `q * s` unchanged. That is what an addition does;
    in a product the other factor comes in.
""")
ex.slip("short-q", {"grad_out * q": "grad_out * p"}, STAGES).says("""
    The price of `s` is the other factor, and that is the whole of `q`, with the `z` in
    it.
""")
ex.slip(
    "sum-as-product", {"dp = dq": "dp = dq * z", "dq +": "dq * p +"}, STAGES
).says("""
    `q = p + z` is treated like a product. An addition hands its price on, unchanged, to
    both.
""")

# --- what comes in

ex.slip("incoming-once", {"grad_out * q": "q"}, CHAIN).says("""
    `grad_out` is missing on the path over `s`. It belongs to every path, since every
    path ends in `out`.
""")
ex.slip("incoming-ignored", {"grad_out * q": "q", "grad_out * s": "s"}, CHAIN).says("""
    `grad_out` is not used. The price of the output is not always 1, and each price is a
    multiple of it.
""")
ex.slip("returns-input", {"dx, dy, dz": "x, y, z"})
