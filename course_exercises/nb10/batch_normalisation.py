"""10.2 · Batch normalisation"""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

from .shared import norm_inputs, norm_mistakes

NORM = "10_vanishing_exploding#Remedy three, continued: layer normalisation"
NO_ACTIVATION = "there is no activation"

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


def _hat(x, eps, axis=0):
    centred = x - x.mean(axis=axis, keepdims=True)
    s = np.sqrt((centred**2).mean(axis=axis, keepdims=True) + eps)
    return centred / s, s


def batch_tempting(grad_out, x, gamma, eps=1e-5):
    x_hat, s = _hat(x, eps)
    return grad_out * gamma / s, (grad_out * x_hat).sum(0), grad_out.sum(0)


def _batch(grad_out, x, gamma, eps, formula):
    x_hat, s = _hat(x, eps)
    grad_x = formula(grad_out * gamma, x_hat, s)
    return grad_x, (grad_out * x_hat).sum(axis=0), grad_out.sum(axis=0)


def batch_not_summed(grad_out, x, gamma, eps=1e-5):
    grad_x = batch_norm_vjp(grad_out, x, gamma, eps)[0]
    return grad_x, grad_out * _hat(x, eps)[0], grad_out


def batch_assigned(grad_out, x, gamma, eps=1e-5):
    grad_x = batch_norm_vjp(grad_out, x, gamma, eps)[0]
    for g, row in zip(grad_out, _hat(x, eps)[0], strict=True):
        grad_gamma, grad_beta = g * row, g
    return grad_x, grad_gamma, grad_beta


@ex.right
def batch_in_three_steps(grad_out, x, gamma, eps=1e-5):
    N, centred = len(x), x - x.mean(0)
    inverse = ((centred**2).mean(0) + eps) ** -0.5
    u = grad_out * gamma
    grad_x = u * inverse
    grad_x += (u * centred).sum(0) * -(inverse**3) * centred / N
    grad_x += -(u * inverse).sum(0) / N
    return grad_x, (grad_out * centred * inverse).sum(0), grad_out.sum(0)


ex.inputs = norm_inputs


@ex.wrong(NORM)
def not_normalised(grad_out, x, gamma, eps=1e-5):
    r"""$x$ stands where the standardised values belong. What `gamma` multiplies is
    $\hat x$.
    """
    x_hat, s = _hat(x, eps)
    u = grad_out * gamma
    grad_x = (u - u.mean(0) - x * (u * x).mean(0)) / s
    return grad_x, (grad_out * x).sum(0), grad_out.sum(0)


ex.mistakes += norm_mistakes(
    batch_tempting, batch_not_summed, batch_assigned, "examples"
)  # TODO


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


@ex.wrong(NORM)
def rows_standardised(grad_out, x, gamma, eps=1e-5):
    r"""$\hat x$ and $s$ are still those of the rows. Each feature has a mean and a
    deviation of its own, over the batch.
    """
    x_hat, s = _hat(x, eps, -1)
    u = grad_out * gamma
    grad_x = (u - u.mean(0) - x_hat * (u * x_hat).mean(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


@ex.wrong(NORM)
def means_of_rows(grad_out, x, gamma, eps=1e-5):
    """A mean is wrong here: those of the gradient run over the examples, like the ones
    of the forward pass, and for `gamma` and `beta` it is a sum.
    """
    x_hat, s = _hat(x, eps)
    u = grad_out * gamma
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    grad_x = (u - u.mean(axis=-1, keepdims=True) - x_hat * along) / s
    return grad_x, (grad_out * x_hat).mean(0), grad_out.mean(0)


@ex.wrong(NORM)
def sums_of_rows(grad_out, x, gamma, eps=1e-5):
    """The sums for `gamma` and `beta` run along the rows. Both have one number for each
    feature, and are shared by the examples.
    """
    grad_x = batch_norm_vjp(grad_out, x, gamma, eps)[0]
    x_hat = _hat(x, eps)[0]
    return grad_x, (grad_out * x_hat).sum(axis=-1), grad_out.sum(axis=-1)


@ex.wrong(NORM)
def mean_path_missing(grad_out, x, gamma, eps=1e-5):
    """The path through the mean is missing: if one example grows, the mean does, and
    all other examples of this feature shrink.
    """
    x_hat, s = _hat(x, eps)
    u = grad_out * gamma
    grad_x = (u - x_hat * (u * x_hat).mean(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


@ex.wrong(NORM)
def deviation_missing(grad_out, x, gamma, eps=1e-5):
    """The path through the deviation is missing, or the division by it."""
    x_hat, s = _hat(x, eps)
    u = grad_out * gamma
    return (u - u.mean(0)) / s, (grad_out * (x - x.mean(0))).sum(0), grad_out.sum(0)


@ex.wrong(NORM)
def sums_in_x(grad_out, x, gamma, eps=1e-5):
    """Sums stand where the means of the formula belong. The means come from the means
    of the forward pass, each with its division.
    """
    x_hat, s = _hat(x, eps)
    u = grad_out * gamma
    grad_x = (u - u.sum(0) - x_hat * (u * x_hat).sum(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


@ex.wrong(NORM)
def gamma_misplaced(grad_out, x, gamma, eps=1e-5):
    """`gamma` is at the wrong place. It scales what goes back to `x`; its own gradient
    and that of `beta` do not meet it.
    """
    grad_x = batch_norm_vjp(grad_out, x, np.ones_like(gamma), eps)[0]
    x_hat = _hat(x, eps)[0]
    return grad_x, (grad_out * x_hat * gamma).sum(0), (grad_out * gamma).sum(0)


@ex.wrong(NORM)
def unbiased(grad_out, x, gamma, eps=1e-5):
    """The deviation divides by $N - 1$. Here it is a plain mean of squares, as in the
    notebook's formula.
    """
    centred = x - x.mean(axis=0)
    s = np.sqrt(x.var(axis=0, ddof=1) + eps)
    x_hat, u = centred / s, grad_out * gamma
    grad_x = (u - u.mean(0) - x_hat * (u * x_hat).mean(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


@ex.wrong(NORM)
def root_missing(grad_out, x, gamma, eps=1e-5):
    """The root is missing: it is divided by the variance."""
    centred = x - x.mean(axis=0)
    s = x.var(axis=0) + eps
    x_hat, u = centred / s, grad_out * gamma
    grad_x = (u - u.mean(0) - x_hat * (u * x_hat).mean(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


@ex.wrong(NORM)
def eps_missing(grad_out, x, gamma, eps=1e-5):
    """ε is left out. It stands under the root in the forward pass, so it is there on
    the way back as well.
    """
    return batch_norm_vjp(grad_out, x, gamma, 0.0)


@ex.wrong(NORM)
def eps_outside(grad_out, x, gamma, eps=1e-5):
    """ε is added after the root. It stands under it, together with the variance."""
    s = x.std(axis=0) + eps
    x_hat, u = (x - x.mean(axis=0)) / s, grad_out * gamma
    grad_x = (u - u.mean(0) - x_hat * (u * x_hat).mean(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


@ex.wrong(NORM)
def eps_fixed(grad_out, x, gamma, eps=1e-5):
    """The argument `eps` is not used: some other number stands in its place."""
    return batch_norm_vjp(grad_out, x, gamma, 1e-5)


@ex.wrong(NORM)
def first_mean_of_rows(grad_out, x, gamma, eps=1e-5):
    """The mean of the gradient runs along the rows. The mean that it comes from, in the
    forward pass, runs over the examples.
    """

    def formula(u, h, s):
        return (u - u.mean(axis=1, keepdims=True) - h * (u * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


@ex.wrong(NORM)
def second_mean_of_rows(grad_out, x, gamma, eps=1e-5):
    r"""The mean along $\hat x$ is taken of each row. The deviation that it comes from,
    in the forward pass, runs over the examples.
    """

    def formula(u, h, s):
        return (u - u.mean(0) - h * (u * h).mean(axis=1, keepdims=True)) / s

    return _batch(grad_out, x, gamma, eps, formula)


@ex.wrong(NORM)
def means_of_all(grad_out, x, gamma, eps=1e-5):
    """The means run over the whole array. Each feature has a mean of its own."""

    def formula(u, h, s):
        return (u - u.mean() - h * (u * h).mean()) / s

    return _batch(grad_out, x, gamma, eps, formula)


@ex.wrong(NORM)
def not_centred(grad_out, x, gamma, eps=1e-5):
    """On the path through the deviation stands `x`, where $x - m$ belongs."""

    def formula(u, h, s):
        return (u - u.mean(0) - x / s * (u * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


@ex.wrong(NORM)
def gamma_in_one_place(grad_out, x, gamma, eps=1e-5):
    r"""In the mean along $\hat x$ `gamma` is missing. What comes back through the scale
    goes all ways afterwards.
    """

    def formula(u, h, s):
        return (u - u.mean(0) - h * (grad_out * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


@ex.wrong(NORM)
def gamma_not_in_means(grad_out, x, gamma, eps=1e-5):
    """`gamma` is missing in both means. What comes back through the scale goes all ways
    afterwards.
    """

    def formula(u, h, s):
        return (u - grad_out.mean(0) - h * (grad_out * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


@ex.wrong(NORM)
def gamma_not_in_first(grad_out, x, gamma, eps=1e-5):
    """In the first mean `gamma` is missing. What comes back through the scale goes all
    ways afterwards.
    """

    def formula(u, h, s):
        return (u - grad_out.mean(0) - h * (u * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


@ex.wrong(NORM)
def divided_by_variance(grad_out, x, gamma, eps=1e-5):
    """The gradient of $x$ is divided by the variance. It is divided by the deviation,
    once.
    """

    def formula(u, h, s):
        return (u - u.mean(0) - h * (u * h).mean(0)) / s**2

    return _batch(grad_out, x, gamma, eps, formula)


@ex.wrong(NORM)
def mean_alone(grad_out, x, gamma, eps=1e-5):
    """Only the mean is undone here. The division by the deviation is still to go."""
    return _batch(grad_out, x, gamma, eps, lambda u, h, s: u - u.mean(0))


@ex.wrong(NORM)
def along_twice(grad_out, x, gamma, eps=1e-5):
    """The path through the deviation counts twice. The 2 of the square meets the ½ of
    the root.
    """

    def formula(u, h, s):
        return (u - u.mean(0) - 2 * h * (u * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


@ex.wrong(NORM)
def along_halved(grad_out, x, gamma, eps=1e-5):
    """The path through the deviation counts half. The ½ of the root meets the 2 of the
    square.
    """

    def formula(u, h, s):
        return (u - u.mean(0) - 0.5 * h * (u * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)
