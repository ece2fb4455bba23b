"""10.1 · RMS normalisation"""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

from .shared import norm_inputs, norm_mistakes

NORM = "10_vanishing_exploding#Remedy three, continued: layer normalisation"
NO_ACTIVATION = "there is no activation"

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
        "$\\partial L/\\partial x = (u - \\hat x \\operatorname{mean}(u \\hat x))/r$ with "
        "$u = \\gamma G$: only the part along $\\hat x$ is removed, since only the "
        "scaling is undone. With ε = 0 the gradient is orthogonal to $x$ in each row."
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


def _r(x, eps):
    return np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)


@ex.right
def rms_by_loops(grad_out, x, gamma, eps=1e-5):
    N, D = x.shape
    grad_x, grad_gamma = [[0.0] * D for _ in range(N)], [0.0] * D
    for n in range(N):
        r = (sum(v * v for v in x[n]) / D + eps) ** 0.5
        shared = sum(grad_out[n, i] * gamma[i] * x[n, i] for i in range(D))
        for j in range(D):
            own = grad_out[n, j] * gamma[j] / r
            grad_x[n][j] = own - shared * x[n, j] / (D * r**3)
            grad_gamma[j] += grad_out[n, j] * x[n, j] / r
    return grad_x, grad_gamma


def rms_tempting(grad_out, x, gamma, eps=1e-5):
    r = _r(x, eps)
    return grad_out * gamma / r, (grad_out * x / r).sum(axis=0)


def rms_assigned(grad_out, x, gamma, eps=1e-5):
    grad_x, _ = rms_norm_vjp(grad_out, x, gamma, eps)
    for g, row in zip(grad_out, x, strict=True):
        grad_gamma = g * row / np.sqrt(np.mean(row**2) + eps)
    return grad_x, grad_gamma


def rms_not_summed(grad_out, x, gamma, eps=1e-5):
    grad_x, _ = rms_norm_vjp(grad_out, x, gamma, eps)
    return grad_x, grad_out * x / _r(x, eps)


def _rms(grad_out, x, gamma, eps, times=1.0, in_mean=None, r_of=_r):
    r = r_of(x, eps)
    x_hat, u = x / r, grad_out * gamma
    meets = u if in_mean is None else in_mean
    along = times * (meets * x_hat).mean(axis=-1, keepdims=True)
    return (u - x_hat * along) / r, (grad_out * x_hat).sum(axis=0)


@ex.right
def rms_by_sums(grad_out, x, gamma, eps=1e-5):
    grad_x, grad_gamma = np.zeros_like(x), np.zeros_like(gamma)
    N, D = x.shape
    for n in range(N):
        r, grad_r = np.sqrt(x[n] @ x[n] / D + eps), 0.0
        for d in range(D):
            grad_gamma[d] += grad_out[n, d] * x[n, d] / r
            grad_r -= grad_out[n, d] * gamma[d] * x[n, d] / r**2
        grad_x[n] = grad_out[n] * gamma / r + grad_r * x[n] / (r * D)
    return grad_x, grad_gamma


ex.mistakes += norm_mistakes(rms_tempting, rms_not_summed, rms_assigned, "rows")  # TODO


@ex.wrong(NORM)
def of_layer_norm(grad_out, x, gamma, eps=1e-5):
    """This is layer normalisation's rule. Here no mean is subtracted, neither from $x$
    nor from the gradient.
    """
    return F.layer_norm_vjp(grad_out, x, gamma, eps)[:2]


@ex.wrong(NORM)
def mean_removed(grad_out, x, gamma, eps=1e-5):
    """A mean is removed from the gradient. That part of layer normalisation's rule came
    from its subtracting a mean; here nothing is subtracted.
    """
    r = _r(x, eps)
    x_hat, u = x / r, grad_out * gamma
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    return (u - u.mean(-1, keepdims=True) - x_hat * along) / r, (grad_out * x_hat).sum(
        axis=0
    )


@ex.wrong(NORM)
def only_deviation(grad_out, x, gamma, eps=1e-5):
    """Only the path through the denominator is there. The numerator depends on $x$ as
    well: two paths, and they add.
    """
    r = _r(x, eps)
    u, x_hat = grad_out * gamma, x / r
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    return -x_hat * along / r, (grad_out * x_hat).sum(axis=0)


@ex.wrong(NORM)
def gamma_missing(grad_out, x, gamma, eps=1e-5):
    """A factor of the forward pass is not in its gradient: `gamma` for $x$, or $r$ for
    `gamma`. A product hands to each factor the other one.
    """
    return (
        rms_norm_vjp(grad_out, x, np.ones_like(gamma), eps)[0],
        (grad_out * x).sum(axis=0),
    )


@ex.wrong(NORM)
def gamma_late(grad_out, x, gamma, eps=1e-5):
    """`gamma` is multiplied in at the wrong end. On the way back it comes first: the
    gradient passes the scale before it meets the division.
    """
    grad_x, grad_gamma = rms_norm_vjp(grad_out, x, np.ones_like(gamma), eps)
    return grad_x * gamma, grad_gamma * gamma


@ex.wrong(NORM)
def root_missing(grad_out, x, gamma, eps=1e-5):
    """The root is missing: it is divided by the mean of the squares."""
    r = (x * x).mean(axis=-1, keepdims=True) + eps
    x_hat, u = x / r, grad_out * gamma
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    return (u - x_hat * along) / r, (grad_out * x_hat).sum(axis=0)


@ex.wrong(NORM)
def not_normalised(grad_out, x, gamma, eps=1e-5):
    r"""`x` stands where the normalised $\hat x = x/r$ belongs."""
    r, u = _r(x, eps), grad_out * gamma
    along = (u * x).mean(axis=-1, keepdims=True)
    return (u - x * along) / r, (grad_out * x).sum(axis=0)


@ex.wrong(NORM)
def one_not_normalised(grad_out, x, gamma, eps=1e-5):
    r"""In the mean along $\hat x$ stands `x` itself. Both places of the second path
    need the normalised numbers.
    """
    r, u = _r(x, eps), grad_out * gamma
    along = (u * x).mean(axis=-1, keepdims=True)
    return (u - x / r * along) / r, (grad_out * x / r).sum(axis=0)


@ex.wrong(NORM)
def eps_missing(grad_out, x, gamma, eps=1e-5):
    """ε is left out. It stands under the root in the forward pass, so it is there on
    the way back as well.
    """
    return rms_norm_vjp(grad_out, x, gamma, 0.0)


@ex.wrong(NORM)
def eps_outside(grad_out, x, gamma, eps=1e-5):
    """ε is added after the root. It stands under it, together with the mean of the
    squares.
    """
    r = np.sqrt((x * x).mean(axis=-1, keepdims=True)) + eps
    x_hat, u = x / r, grad_out * gamma
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    return (u - x_hat * along) / r, (grad_out * x_hat).sum(axis=0)


@ex.wrong(NORM)
def eps_fixed(grad_out, x, gamma, eps=1e-5):
    """The argument `eps` is not used: some other number stands in its place."""
    return rms_norm_vjp(grad_out, x, gamma, 1e-5)


@ex.wrong(NORM)
def over_all(grad_out, x, gamma, eps=1e-5):
    """The mean runs over the whole batch. Each row has an $r$ of its own."""
    r, u = np.sqrt((x * x).mean() + eps), grad_out * gamma
    x_hat = x / r
    return (u - x_hat * (u * x_hat).mean()) / r, (grad_out * x_hat).sum(axis=0)


@ex.wrong(NORM)
def along_twice(grad_out, x, gamma, eps=1e-5):
    """The second path counts twice. The 2 of the square meets the ½ of the root."""
    return _rms(grad_out, x, gamma, eps, times=2)


@ex.wrong(NORM)
def along_halved(grad_out, x, gamma, eps=1e-5):
    """The second path counts half. The ½ of the root meets the 2 of the square."""
    return _rms(grad_out, x, gamma, eps, times=0.5)


@ex.wrong(NORM)
def power_of_r(grad_out, x, gamma, eps=1e-5):
    r"""In the second path the power of $r$ is wrong. Count the divisions: those inside
    $\hat x$, and the one in front.
    """
    r, u = _r(x, eps), grad_out * gamma
    x_hat = x / r
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    return u / r - x * along / r**3, (grad_out * x_hat).sum(axis=0)


@ex.wrong(NORM)
def gamma_in_one_place(grad_out, x, gamma, eps=1e-5):
    """`gamma` is in the first path alone. What comes back through the scale goes both
    ways afterwards.
    """
    return _rms(grad_out, x, gamma, eps, in_mean=grad_out)


@ex.wrong(NORM)
def absolute(grad_out, x, gamma, eps=1e-5):
    """$r$ is made of absolute values here. It is the root of a mean of squares."""

    def r_of(x, eps):
        return np.abs(x).mean(axis=-1, keepdims=True) + eps

    return _rms(grad_out, x, gamma, eps, r_of=r_of)


@ex.wrong(NORM)
def deviation(grad_out, x, gamma, eps=1e-5):
    """$r$ is the standard deviation here. This normalisation does not subtract the
    mean, under the root neither.
    """

    def r_of(x, eps):
        return np.sqrt(x.var(axis=-1, keepdims=True) + eps)

    return _rms(grad_out, x, gamma, eps, r_of=r_of)


@ex.wrong(NORM)
def length(grad_out, x, gamma, eps=1e-5):
    """$r$ is the length of the row here. Under the root stands a *mean*."""

    def r_of(x, eps):
        return np.sqrt((x * x).sum(axis=-1, keepdims=True) + eps)

    return _rms(grad_out, x, gamma, eps, r_of=r_of)


@ex.wrong(NORM)
def beta_for_gamma(grad_out, x, gamma, eps=1e-5):
    """`grad_gamma` knows nothing of `x`. This would be the gradient of a shift; a scale
    gets what it multiplies.
    """
    grad_x, _ = rms_norm_vjp(grad_out, x, gamma, eps)
    return grad_x, grad_out.sum(axis=0)
