"""10.2 · Batch normalisation."""

from functools import partial

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

from .shared import NO_ACTIVATION, NORM, norm_inputs

ex = Exercise(
    "10.2",
    "Batch normalisation",
    gradient=True,
    outputs=("grad_x", "grad_gamma", "grad_beta"),
    absent={"activation-missing": NO_ACTIVATION, "at-output": NO_ACTIVATION},
    hints=(
        "Nothing new has to be derived for `x`: a feature plays the part that a "
        "row played in layer normalisation.",
        "All means that made $\\hat x$ and $s$ run along axis 0 now, and so do the "
        "two means in the gradient. Which axis did `gamma` not have?",
        "`gamma` belongs to a feature in both normalisations. So $u = \\gamma G$ "
        "and the sums for `gamma` and `beta` stay as they were: over axis 0.",
    ),
    explanation=(
        "The formula for $x$ is that of layer normalisation with every mean along "
        "axis 0. The sums for $\\gamma$ and $\\beta$ run along axis 0 in both: one "
        "scale for each feature, shared by the examples. `layer_norm_vjp` on the "
        "transposed arrays gives the gradient of $x$ too."
    ),
)


@ex.answer
def batch_norm_vjp(grad_out, x, gamma, eps=1e-5):
    centred = x - x.mean(axis=0)
    s = np.sqrt((centred * centred).mean(axis=0) + eps)
    x_hat, u = centred / s, grad_out * gamma
    grad_x = (u - u.mean(axis=0) - x_hat * (u * x_hat).mean(axis=0)) / s
    grad_gamma = (grad_out * x_hat).sum(axis=0)
    grad_beta = grad_out.sum(axis=0)
    return grad_x, grad_gamma, grad_beta


ex.inputs = norm_inputs


@ex.right
def batch_in_three_steps(grad_out, x, gamma, eps=1e-5):
    N, centred = len(x), x - x.mean(0)
    inverse = ((centred**2).mean(0) + eps) ** -0.5
    u = grad_out * gamma
    grad_x = u * inverse
    grad_x += (u * centred).sum(0) * -(inverse**3) * centred / N
    grad_x += -(u * inverse).sum(0) / N
    return grad_x, (grad_out * centred * inverse).sum(0), grad_out.sum(0)


slip = partial(ex.slip, where=NORM)

# --- wrong ones: what is normalised, and what is summed

slip("not-normalised", {"centred / s": "x"}).says(r"""
    $x$ stands where the standardised values belong. What `gamma` multiplies is
    $\hat x$.
""")
slip("tempting", {"- u.mean(axis=0) - x_hat * (u * x_hat).mean(axis=0)": ""}).says("""
    The denominator is treated as a constant. But each entry changes it, and with it all
    that is divided by it: a second path for the gradient.
""")
slip("broadcast", {"x_hat).sum(axis=0)": "x_hat)", "out.sum(axis=0)": "out"}).says("""
    What belongs to `gamma` is not summed. It is shared by all examples, so its gradient
    collects from all of them.
""")
slip("assigned", {"x_hat).sum(axis=0)": "x_hat)[-1]", "out.sum(axis=0)": "out[-1]"})

# --- rows for features


@ex.wrong(NORM)
def of_layer_norm(grad_out, x, gamma, eps=1e-5):
    """This is layer normalisation: each row is standardised by itself. Here each
    *feature* is, over the examples of the batch.
    """
    return F.layer_norm_vjp(grad_out, x, gamma, eps)


@ex.wrong(NORM)
def transposed(grad_out, x, gamma, eps=1e-5):
    """On the transposed arrays, `layer_norm_vjp` standardises each feature, as it
    should. But it takes `gamma` for a scale of the columns, and those are the examples
    now. Where must `gamma` come in, and what do its sums run over?
    """
    grad_x, *others = F.layer_norm_vjp(grad_out.T, x.T, gamma, eps)
    return grad_x.T, *others


slip(
    "rows-standardised",
    {
        "x.mean(axis=0)": "x.mean(-1, keepdims=True)",
        "centred).mean(axis=0)": "centred).mean(-1, keepdims=True)",
    },
).says(r"""
    $\hat x$ and $s$ are still those of the rows. Each feature has a mean and a
    deviation of its own, over the batch.
""")
slip(
    "means-of-rows",
    {
        "u.mean(axis=0)": "u.mean(-1, keepdims=True)",
        "x_hat).mean(axis=0)": "x_hat).mean(-1, keepdims=True)",
    },
).says("""
    The two means of the gradient run along the rows. They come from those of the
    forward pass, which run over the examples.
""")

MEANS = {"x_hat).sum": "x_hat).mean", "out.sum": "out.mean"}
slip("means-for-sums", MEANS).says("""
    For `gamma` and `beta` a mean is taken over the examples. They are shared, so what
    comes from each example *adds*.
""")
slip(
    "sums-of-rows",
    {"x_hat).sum(axis=0": "x_hat).sum(axis=-1", "out.sum(axis=0": "out.sum(axis=-1"},
).says("""
    The sums for `gamma` and `beta` run along the rows. Both have one number for each
    feature, and are shared by the examples.
""")

# --- a path, a division or `gamma` at the wrong place

slip("mean-path-missing", {" - u.mean(axis=0)": ""}).says("""
    The path through the mean is missing: if one example grows, the mean does, and all
    other examples of this feature shrink.
""")
slip("deviation-missing", {" - x_hat * (u * x_hat).mean(axis=0)": ""}).says("""
    The path through the deviation is missing: each example changes $s$, and with it all
    that is divided by it.
""")
slip("not-divided", {"grad_out * x_hat": "grad_out * centred"}).says("""
    In the gradient of `gamma` the division by the deviation is missing. What `gamma`
    multiplies is $x - m$ over $s$.
""")
slip("division-missing", {"(axis=0)) / s": "(axis=0))"}).says("""
    The last division is missing. On the way forward it was divided by $s$, so its
    gradient is.
""")
slip("mean-added", {"- u.mean": "+ u.mean"}).says("""
    The path through the mean is added. A larger mean makes the result smaller, so it is
    subtracted.
""")
slip("centred-once", {"(u * x_hat)": "(u * centred)"}).says("""
    In the path through the deviation one division by $s$ is missing.
""")
slip("centred-twice", {"- x_hat * (u * x_hat)": "- centred * (u * centred)"}).says("""
    In the path through the deviation two divisions by $s$ are missing.
""")
slip("forward-again", {"return grad_x": "return gamma * x_hat"}).says("""
    This is the output of the layer, where the gradient of $x$ belongs.
""")
slip("path-added", {"- x_hat": "+ x_hat"}).says("""
    The path through the deviation is added. A larger deviation makes the result
    smaller, so it is subtracted.
""")
slip("gamma-in-its-own", {"grad_out * x_hat": "u * x_hat"}).says("""
    `gamma` is in its own gradient. A product hands to each factor the *other* one.
""")
slip("gamma-missing", {"grad_out * gamma": "grad_out"}).says("""
    `gamma` is not in the gradient of $x$. A product hands to each factor the other one.
""")
slip("sum-along", {"x_hat).mean": "x_hat).sum"}).says("""
    In the path through the deviation a sum stands where a mean belongs.
""")
slip("sum-first", {"u.mean": "u.sum"}).says("""
    In the path through the mean a sum stands where a mean belongs.
""")
slip("sums-in-x", {"u.mean": "u.sum", "x_hat).mean": "x_hat).sum"}).says("""
    Sums stand where the means of the formula belong. The means come from the means of
    the forward pass, each with its division.
""")
slip(
    "gamma-misplaced",
    {
        "grad_out * gamma": "grad_out",
        "grad_out * x_hat": "grad_out * x_hat * gamma",
        "grad_out.sum": "(grad_out * gamma).sum",
    },
).says("""
    `gamma` is at the wrong place. It scales what goes back to `x`; its own gradient and
    that of `beta` do not meet it.
""")

# --- the root and ε

slip("unbiased", {"(centred * centred).mean(axis=0)": "x.var(axis=0, ddof=1)"}).says("""
    The deviation divides by $N - 1$. Here it is a plain mean of squares, as in the
    notebook's formula.
""")
slip("root-missing", {"np.sqrt": ""}).says("""
    The root is missing: it is divided by the variance.
""")
slip("eps-missing", {" + eps": ""}).says("""
    ε is left out. It stands under the root in the forward pass, so it is there on the
    way back as well.
""")
slip("eps-outside", {" + eps)": ") + eps"}).says("""
    ε is added after the root. It stands under it, together with the variance.
""")
slip("eps-fixed", {"+ eps": "+ 1e-5"}).says("""
    The argument `eps` is not used: some other number stands in its place.
""")

# --- inside the formula for $x$

slip("first-mean-of-rows", {"u.mean(axis=0)": "u.mean(1, keepdims=True)"}).says("""
    The mean of the gradient runs along the rows. The mean that it comes from, in the
    forward pass, runs over the examples.
""")

SECOND_MEAN_OF_ROWS = {"x_hat).mean(axis=0)": "x_hat).mean(1, keepdims=True)"}
slip("second-mean-of-rows", SECOND_MEAN_OF_ROWS).says(r"""
    The mean along $\hat x$ is taken of each row. The deviation that it comes from, in
    the forward pass, runs over the examples.
""")

MEANS_OF_ALL = {"u.mean(axis=0)": "u.mean()", "x_hat).mean(axis=0)": "x_hat).mean()"}
slip("means-of-all", MEANS_OF_ALL).says("""
    The means run over the whole array. Each feature has a mean of its own.
""")
slip("not-centred", {"- x_hat": "- x / s"}).says("""
    On the path through the deviation stands `x`, where $x - m$ belongs.
""")
slip("gamma-in-one-place", {"u * x_hat": "grad_out * x_hat"}).says(r"""
    In the mean along $\hat x$ `gamma` is missing. What comes back through the scale
    goes all ways afterwards.
""")

GAMMA_NOT_IN_MEANS = {"u.mean": "grad_out.mean", "u * x_hat": "grad_out * x_hat"}
slip("gamma-not-in-means", GAMMA_NOT_IN_MEANS).says("""
    `gamma` is missing in both means. What comes back through the scale goes all ways
    afterwards.
""")
slip("gamma-not-in-first", {"u.mean": "grad_out.mean"}).says("""
    In the first mean `gamma` is missing. What comes back through the scale goes all
    ways afterwards.
""")
slip("divided-by-variance", {") / s": ") / s**2"}).says("""
    The gradient of $x$ is divided by the variance. It is divided by the deviation,
    once.
""")
slip("mean-alone", {" - x_hat * (u * x_hat).mean(axis=0)) / s": ")"}).says("""
    Only the mean is undone here. The division by the deviation is still to go.
""")
slip("along-twice", {"- x_hat": "- 2 * x_hat"}).says("""
    The path through the deviation counts twice. The 2 of the square meets the ½ of the
    root.
""")
slip("along-halved", {"- x_hat": "- 0.5 * x_hat"}).says("""
    The path through the deviation counts half. The ½ of the root meets the 2 of the
    square.
""")
