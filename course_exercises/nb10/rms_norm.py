"""10.1 · RMS normalisation."""

from functools import partial

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

from .shared import NO_ACTIVATION, NORM, norm_inputs

ex = Exercise(
    "10.1",
    "RMS normalisation",
    gradient=True,
    outputs=("grad_x", "grad_gamma"),
    absent={"activation-missing": NO_ACTIVATION, "at-output": NO_ACTIVATION},
    hints=(
        "Take the differential for one row: $\\mathrm{d}\\hat x$ of $\\hat x = "
        "x/r$ by the quotient rule. What is $\\mathrm{d}r$?",
        "From $r^2 = \\operatorname{mean}(x^2) + \\varepsilon$ follows "
        "$r\\,\\mathrm{d}r = \\operatorname{mean}(x\\,\\mathrm{d}x)$, so "
        "$\\mathrm{d}r = \\operatorname{mean}(\\hat x\\,\\mathrm{d}x)$. The "
        "rest is as for layer normalisation, with one term fewer.",
        "$\\mathrm{d}\\hat x = (\\mathrm{d}x - \\hat x \\operatorname{mean}("
        "\\hat x\\,\\mathrm{d}x))/r$. With $u = \\gamma G$, collect what stands "
        "before $\\mathrm{d}x_j$. And `gamma` is shared by the rows.",
    ),
    explanation=(
        "$\\partial L/\\partial x = (u - \\hat x \\operatorname{mean}(u \\hat x))/r$ "
        "with $u = \\gamma G$: only the part along $\\hat x$ is removed, since only "
        "the scaling is undone. With ε = 0 the gradient is orthogonal to $x$ in each "
        "row."
    ),
)


@ex.answer
def rms_norm_vjp(grad_out, x, gamma, eps=1e-5):
    r = np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)
    x_hat, u = x / r, grad_out * gamma
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    grad_x = (u - x_hat * along) / r
    grad_gamma = (grad_out * x_hat).sum(axis=0)
    return grad_x, grad_gamma


@ex.given
def rms_inputs(rng):
    one = rng.normal(size=(1, 3)), 1 + rng.normal(size=(1, 3)), rng.normal(size=3), 0.2
    return [*norm_inputs(rng), one]


# --- other right answers


slip = partial(ex.slip, where=NORM)

# --- wrong ones: paths and sums

slip("tempting", {" - x_hat * along": ""}).says("""
    The denominator is treated as a constant. But each entry changes it, and with it all
    that is divided by it: a second path for the gradient.
""")
slip("broadcast", {".sum(axis=0)": ""}).says("""
    What belongs to `gamma` is not summed. It is shared by all rows, so its gradient
    collects from all of them.
""")
slip("assigned", {".sum(axis=0)": "[-1]"})


@ex.wrong(NORM)
def of_layer_norm(grad_out, x, gamma, eps=1e-5):
    """This is layer normalisation's rule. Here no mean is subtracted, neither from $x$
    nor from the gradient.
    """
    return F.layer_norm_vjp(grad_out, x, gamma, eps)[:2]


slip("mean-removed", {"(u -": "(u - u.mean(axis=-1, keepdims=True) -"}).says("""
    A mean is removed from the gradient. That part of layer normalisation's rule came
    from its subtracting a mean; here nothing is subtracted.
""")
slip("only-deviation", {"u - x_hat": "-x_hat"}).says("""
    Only the path through the denominator is there. The numerator depends on $x$ as
    well: two paths, and they add.
""")

# --- gamma, the root, and what is normalised

slip("gamma-missing", {"grad_out * gamma": "grad_out"}).says("""
    `gamma` is not in the gradient of $x$. A product hands to each factor the other one.
""")
slip("r-missing", {"grad_out * x_hat": "grad_out * x"}).says("""
    In the gradient of `gamma` stands `x` itself. What `gamma` multiplies on the way
    forward is $x/r$.
""")
slip("gamma-in-its-own", {"grad_out * x_hat": "u * x_hat"}).says("""
    `gamma` is in its own gradient. A product hands to each factor the *other* one.
""")
slip(
    "gamma-late",
    {
        "grad_out * gamma": "grad_out",
        "return grad_x, grad_gamma": "return grad_x * gamma, grad_gamma * gamma",
    },
).says("""
    `gamma` is multiplied in at the wrong end. On the way back it comes first: the
    gradient passes the scale before it meets the division.
""")
slip("root-missing", {"np.sqrt": ""}).says("""
    The root is missing: it is divided by the mean of the squares.
""")
slip("not-normalised", {"x / r": "x"}).says(r"""
    `x` stands where the normalised $\hat x = x/r$ belongs.
""")
slip("one-not-normalised", {"u * x_hat": "u * x"}).says(r"""
    In the second path one division by $r$ is missing. It needs the normalised numbers,
    $x/r$, in both places, and is divided by $r$ once more.
""")

# --- ε

slip("eps-missing", {" + eps": ""}).says("""
    ε is left out. It stands under the root in the forward pass, so it is there on the
    way back as well.
""")
slip("eps-outside", {" + eps)": ") + eps"}).says("""
    ε is added after the root. It stands under it, together with the mean of the
    squares.
""")
slip("eps-fixed", {"+ eps": "+ 1e-5"}).says("""
    The argument `eps` is not used: some other number stands in its place.
""")

# --- the second path, and what r is made of

slip(
    "over-all",
    {
        "(x * x).mean(axis=-1, keepdims=True)": "(x * x).mean()",
        "x_hat).mean(axis=-1, keepdims=True)": "x_hat).mean()",
    },
).says("""
    The mean runs over the whole batch. Each row has an $r$ of its own.
""")
slip("path-added", {"u - x_hat": "u + x_hat"}).says("""
    The second path is added. A larger $r$ makes the result smaller, so it is
    subtracted.
""")

SUM = {"x_hat).mean(": "x_hat).sum("}
slip("sum-along", SUM).says("""
    In the second path a sum stands where a mean belongs: it comes from the mean under
    the root, with its division.
""")
slip("r-of-all", {"(x * x).mean(axis=-1, keepdims=True)": "(x * x).mean()"}).says("""
    $r$ is made of the whole batch. Each row has one of its own.
""")
slip("along-of-all", {"x_hat).mean(axis=-1, keepdims=True)": "x_hat).mean()"}).says("""
    In the second path the mean runs over the whole batch. Each row has an $r$ of its
    own.
""")
slip("mean-missing", {"x_hat * along": "x_hat * u * x_hat"}).says("""
    In the second path the mean is missing: $r$ depends on all entries of its row.
""")
slip("divided-by-square", {"along) / r": "along) / r**2"}).says("""
    At the end it is divided by $r^2$. The numerator was divided by $r$.
""")
slip("division-missing", {"along) / r": "along)"}).says("""
    The last division is missing. The numerator was divided by $r$, so its gradient is.
""")

COLUMNS = {
    "(x * x).mean(axis=-1": "(x * x).mean(axis=0",
    "x_hat).mean(axis=-1": "x_hat).mean(axis=0",
}
slip("columns", COLUMNS).says("""
    The means run down the columns. Each *row* has an $r$ of its own.
""")
slip("along-twice", {"- x_hat": "- 2 * x_hat"}).says("""
    The second path counts twice. The 2 of the square meets the ½ of the root.
""")
slip("along-halved", {"- x_hat": "- 0.5 * x_hat"}).says("""
    The second path counts half. The ½ of the root meets the 2 of the square.
""")
slip("power-of-r", {"- x_hat": "- x / r**2"}).says(r"""
    In the second path the power of $r$ is wrong. Count the divisions: those inside
    $\hat x$, and the one in front.
""")
slip("gamma-in-one-place", {"u * x_hat": "grad_out * x_hat"}).says("""
    `gamma` is in the first path alone. What comes back through the scale goes both ways
    afterwards.
""")
slip("absolute", {"np.sqrt((x * x)": "(np.abs(x)"}).says("""
    $r$ is made of absolute values here. It is the root of a mean of squares.
""")
slip("deviation", {"(x * x).mean": "x.var"}).says("""
    $r$ is the standard deviation here. This normalisation does not subtract the mean,
    under the root neither.
""")
slip("length", {"(x * x).mean": "(x * x).sum"}).says("""
    $r$ is the length of the row here. Under the root stands a *mean*.
""")
slip("beta-for-gamma", {"(grad_out * x_hat)": "grad_out"}).says("""
    `grad_gamma` knows nothing of `x`. This would be the gradient of a shift; a scale
    gets what it multiplies.
""")
