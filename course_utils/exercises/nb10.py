"""Exercises of 10_vanishing_exploding."""

import numpy as np

from course_utils import functional as F

from .exercise import Exercise, Mistake

NORM = "10_vanishing_exploding#Remedy three, continued: layer normalisation"
CLIP = "10_vanishing_exploding#Remedy four: clipping"
WEIGHTS = "10_vanishing_exploding#How large should the first weights be?"
STRETCH = "10_vanishing_exploding#Singular values: how much a matrix stretches"
NO_ACTIVATION = "there is no activation"

# --- 10.1: RMS normalisation ----------------------------------------------------------


def rms_norm_vjp(grad_out, x, gamma, eps=1e-5):
    r = np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)
    x_hat, u = x / r, grad_out * gamma
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    grad_x = (u - x_hat * along) / r
    grad_gamma = (grad_out * x_hat).sum(axis=0)
    return grad_x, grad_gamma


def norm_inputs(rng):
    sizes = (3, 4), (4, 4), (5, 3), (7, 2), (4, 6)
    return [
        (
            rng.normal(size=(N, D)),
            1 + 2 * rng.normal(size=(N, D)),
            rng.normal(size=D),
            eps,
        )
        for (N, D), eps in zip(sizes, (1e-5, 0.1, 1e-5, 0.3, 0.5), strict=True)
    ]


def rms_inputs(rng):
    one = rng.normal(size=(1, 3)), 1 + rng.normal(size=(1, 3)), rng.normal(size=3), 0.2
    return [*norm_inputs(rng), one]


def _r(x, eps):
    return np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)


def rms_by_jacobian(grad_out, x, gamma, eps=1e-5):
    rows, grad_gamma = [], 0.0
    for g, row in zip(grad_out, x, strict=True):
        r, D = np.sqrt(np.mean(row**2) + eps), len(row)
        J = np.eye(D) / r - np.outer(row, row) / (D * r**3)
        rows.append(J @ (g * gamma))
        grad_gamma = grad_gamma + g * row / r
    return np.array(rows), grad_gamma


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


def rms_staged(grad_out, x, gamma, eps=1e-5):
    """Operation by operation, backward."""
    m = np.mean(x**2, axis=1)[:, None] + eps
    r = m**0.5
    grad_hat = grad_out * gamma
    grad_r = -(grad_hat * x).sum(axis=1, keepdims=True) / r**2
    grad_m = grad_r / (2 * r)
    grad_x = grad_hat / r + grad_m * 2 * x / x.shape[1]
    return [grad_x, np.einsum("ni,ni->i", grad_out, x / r)]


def rms_tempting(grad_out, x, gamma, eps=1e-5):
    r = _r(x, eps)
    return grad_out * gamma / r, (grad_out * x / r).sum(axis=0)


def rms_of_layer_norm(grad_out, x, gamma, eps=1e-5):
    return F.layer_norm_vjp(grad_out, x, gamma, eps)[:2]


def rms_mean_removed(grad_out, x, gamma, eps=1e-5):
    r = _r(x, eps)
    x_hat, u = x / r, grad_out * gamma
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    return (u - u.mean(-1, keepdims=True) - x_hat * along) / r, (grad_out * x_hat).sum(
        axis=0
    )


def rms_only_deviation(grad_out, x, gamma, eps=1e-5):
    r = _r(x, eps)
    u, x_hat = grad_out * gamma, x / r
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    return -x_hat * along / r, (grad_out * x_hat).sum(axis=0)


def rms_without_gamma(grad_out, x, gamma, eps=1e-5):
    return (
        rms_norm_vjp(grad_out, x, np.ones_like(gamma), eps)[0],
        (grad_out * x).sum(axis=0),
    )


def rms_gamma_late(grad_out, x, gamma, eps=1e-5):
    grad_x, grad_gamma = rms_norm_vjp(grad_out, x, np.ones_like(gamma), eps)
    return grad_x * gamma, grad_gamma * gamma


def rms_r_squared(grad_out, x, gamma, eps=1e-5):
    r = (x * x).mean(axis=-1, keepdims=True) + eps
    x_hat, u = x / r, grad_out * gamma
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    return (u - x_hat * along) / r, (grad_out * x_hat).sum(axis=0)


def rms_x_not_normalised(grad_out, x, gamma, eps=1e-5):
    r, u = _r(x, eps), grad_out * gamma
    along = (u * x).mean(axis=-1, keepdims=True)
    return (u - x * along) / r, (grad_out * x).sum(axis=0)


def rms_one_x_plain(grad_out, x, gamma, eps=1e-5):
    r, u = _r(x, eps), grad_out * gamma
    along = (u * x).mean(axis=-1, keepdims=True)
    return (u - x / r * along) / r, (grad_out * x / r).sum(axis=0)


def rms_without_eps(grad_out, x, gamma, eps=1e-5):
    return rms_norm_vjp(grad_out, x, gamma, 0.0)


def rms_eps_outside(grad_out, x, gamma, eps=1e-5):
    r = np.sqrt((x * x).mean(axis=-1, keepdims=True)) + eps
    x_hat, u = x / r, grad_out * gamma
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    return (u - x_hat * along) / r, (grad_out * x_hat).sum(axis=0)


def rms_eps_fixed(grad_out, x, gamma, eps=1e-5):
    return rms_norm_vjp(grad_out, x, gamma, 1e-5)


def rms_over_all(grad_out, x, gamma, eps=1e-5):
    r, u = np.sqrt((x * x).mean() + eps), grad_out * gamma
    x_hat = x / r
    return (u - x_hat * (u * x_hat).mean()) / r, (grad_out * x_hat).sum(axis=0)


def rms_assigned(grad_out, x, gamma, eps=1e-5):
    grad_x, _ = rms_norm_vjp(grad_out, x, gamma, eps)
    for g, row in zip(grad_out, x, strict=True):
        grad_gamma = g * row / np.sqrt(np.mean(row**2) + eps)
    return grad_x, grad_gamma


def rms_gamma_of_u(grad_out, x, gamma, eps=1e-5):
    grad_x, _ = rms_norm_vjp(grad_out, x, gamma, eps)
    return grad_x, grad_out.sum(axis=0)


def rms_not_summed(grad_out, x, gamma, eps=1e-5):
    grad_x, _ = rms_norm_vjp(grad_out, x, gamma, eps)
    return grad_x, grad_out * x / _r(x, eps)


def _rms(grad_out, x, gamma, eps, times=1.0, in_mean=None, r_of=_r):
    r = r_of(x, eps)
    x_hat, u = x / r, grad_out * gamma
    meets = u if in_mean is None else in_mean
    along = times * (meets * x_hat).mean(axis=-1, keepdims=True)
    return (u - x_hat * along) / r, (grad_out * x_hat).sum(axis=0)


def rms_along_twice(grad_out, x, gamma, eps=1e-5):
    return _rms(grad_out, x, gamma, eps, times=2)


def rms_along_halved(grad_out, x, gamma, eps=1e-5):
    return _rms(grad_out, x, gamma, eps, times=0.5)


def rms_gamma_in_one_place(grad_out, x, gamma, eps=1e-5):
    return _rms(grad_out, x, gamma, eps, in_mean=grad_out)


def rms_too_often_divided(grad_out, x, gamma, eps=1e-5):
    r, u = _r(x, eps), grad_out * gamma
    x_hat = x / r
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    return u / r - x * along / r**3, (grad_out * x_hat).sum(axis=0)


def rms_of_absolutes(grad_out, x, gamma, eps=1e-5):
    def r_of(x, eps):
        return np.abs(x).mean(axis=-1, keepdims=True) + eps

    return _rms(grad_out, x, gamma, eps, r_of=r_of)


def rms_of_standard_deviation(grad_out, x, gamma, eps=1e-5):
    def r_of(x, eps):
        return np.sqrt(x.var(axis=-1, keepdims=True) + eps)

    return _rms(grad_out, x, gamma, eps, r_of=r_of)


def rms_of_length(grad_out, x, gamma, eps=1e-5):
    def r_of(x, eps):
        return np.sqrt((x * x).sum(axis=-1, keepdims=True) + eps)

    return _rms(grad_out, x, gamma, eps, r_of=r_of)


def norm_mistakes(tempting, not_summed, assigned, axis_word):
    return [
        Mistake(
            "tempting",
            tempting,
            "The denominator is treated as a constant. But each entry changes it, and "
            "with it all that is divided by it: a second path for the gradient.",
            NORM,
        ),
        Mistake(
            "broadcast",
            not_summed,
            f"What belongs to `gamma` is not summed. It is shared by all {axis_word}, "
            "so its gradient collects from all of them.",
            NORM,
        ),
        Mistake("assigned", assigned, where=NORM),
    ]


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


RMS_MISTAKES = [
    *norm_mistakes(rms_tempting, rms_not_summed, rms_assigned, "rows"),
    Mistake(
        "of-layer-norm",
        rms_of_layer_norm,
        "This is layer normalisation's rule. Here no mean is subtracted, neither from "
        "$x$ nor from the gradient.",
        NORM,
    ),
    Mistake(
        "mean-removed",
        rms_mean_removed,
        "A mean is removed from the gradient. That part of layer normalisation's rule "
        "came from its subtracting a mean; here nothing is subtracted.",
        NORM,
    ),
    Mistake(
        "only-deviation",
        rms_only_deviation,
        "Only the path through the denominator is there. The numerator depends on $x$ "
        "as well: two paths, and they add.",
        NORM,
    ),
    Mistake(
        "gamma-missing",
        rms_without_gamma,
        "A factor of the forward pass is not in its gradient: `gamma` for $x$, or $r$ "
        "for `gamma`. A product hands to each factor the other one.",
        NORM,
    ),
    Mistake(
        "gamma-late",
        rms_gamma_late,
        "`gamma` is multiplied in at the wrong end. On the way back it comes first: "
        "the gradient passes the scale before it meets the division.",
        NORM,
    ),
    Mistake(
        "root-missing",
        rms_r_squared,
        "The root is missing: it is divided by the mean of the squares.",
        NORM,
    ),
    Mistake(
        "not-normalised",
        rms_x_not_normalised,
        "`x` stands where the normalised $\\hat x = x/r$ belongs.",
        NORM,
    ),
    Mistake(
        "one-not-normalised",
        rms_one_x_plain,
        "In the mean along $\\hat x$ stands `x` itself. Both places of the second "
        "path need the normalised numbers.",
        NORM,
    ),
    Mistake(
        "eps-missing",
        rms_without_eps,
        "ε is left out. It stands under the root in the forward pass, so it is there "
        "on the way back as well.",
        NORM,
    ),
    Mistake(
        "eps-outside",
        rms_eps_outside,
        "ε is added after the root. It stands under it, together with the mean of the "
        "squares.",
        NORM,
    ),
    Mistake(
        "eps-fixed",
        rms_eps_fixed,
        "The argument `eps` is not used: some other number stands in its place.",
        NORM,
    ),
    Mistake(
        "over-all",
        rms_over_all,
        "The mean runs over the whole batch. Each row has an $r$ of its own.",
        NORM,
    ),
    Mistake(
        "along-twice",
        rms_along_twice,
        "The second path counts twice. The 2 of the square meets the ½ of the root.",
        NORM,
    ),
    Mistake(
        "along-halved",
        rms_along_halved,
        "The second path counts half. The ½ of the root meets the 2 of the square.",
        NORM,
    ),
    Mistake(
        "power-of-r",
        rms_too_often_divided,
        "In the second path the power of $r$ is wrong. Count the divisions: "
        "those inside $\\hat x$, and the one in front.",
        NORM,
    ),
    Mistake(
        "gamma-in-one-place",
        rms_gamma_in_one_place,
        "`gamma` is in the first path alone. What comes back through the scale goes "
        "both ways afterwards.",
        NORM,
    ),
    Mistake(
        "absolute",
        rms_of_absolutes,
        "$r$ is made of absolute values here. It is the root of a mean of squares.",
        NORM,
    ),
    Mistake(
        "deviation",
        rms_of_standard_deviation,
        "$r$ is the standard deviation here. This normalisation does not subtract the "
        "mean, under the root neither.",
        NORM,
    ),
    Mistake(
        "length",
        rms_of_length,
        "$r$ is the length of the row here. Under the root stands a *mean*.",
        NORM,
    ),
    Mistake(
        "beta-for-gamma",
        rms_gamma_of_u,
        "`grad_gamma` knows nothing of `x`. This would be the gradient of a shift; a "
        "scale gets what it multiplies.",
        NORM,
    ),
]

# --- 10.2: batch normalisation --------------------------------------------------------


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


def batch_by_layer_norm(grad_out, x, gamma, eps=1e-5):
    u = (grad_out * gamma).T
    grad_x = F.layer_norm_vjp(u, x.T, np.ones(len(x)), eps)[0].T
    x_hat = F.standardise(x.T, eps)[0].T
    return grad_x, (grad_out * x_hat).sum(axis=0), grad_out.sum(axis=0)


def batch_by_columns(grad_out, x, gamma, eps=1e-5):
    columns, grad_gamma, grad_beta = [], [], []
    for j in range(x.shape[1]):
        v, g, N = x[:, j], grad_out[:, j], len(x)
        s = np.sqrt(v.var() + eps)
        hat = (v - v.mean()) / s
        J = (np.eye(N) - 1 / N - np.outer(hat, hat) / N) / s
        columns.append(J @ g * gamma[j])
        grad_gamma.append(g @ hat)
        grad_beta.append(g.sum())
    return np.stack(columns, axis=1), grad_gamma, grad_beta


def batch_staged(grad_out, x, gamma, eps=1e-5):
    N = len(x)
    c = x - np.einsum("nd->d", x) / N
    v = (c**2).sum(0) / N + eps
    grad_hat = grad_out * gamma
    grad_v = (grad_hat * c).sum(0) * -0.5 * v**-1.5
    grad_c = grad_hat * v**-0.5 + grad_v * 2 * c / N
    grad_x = grad_c - grad_c.sum(0) / N
    return grad_x, (grad_out * c).sum(0) * v**-0.5, np.ones(N) @ grad_out


def batch_tempting(grad_out, x, gamma, eps=1e-5):
    x_hat, s = _hat(x, eps)
    return grad_out * gamma / s, (grad_out * x_hat).sum(0), grad_out.sum(0)


def batch_of_layer_norm(grad_out, x, gamma, eps=1e-5):
    return F.layer_norm_vjp(grad_out, x, gamma, eps)


def batch_transposed(grad_out, x, gamma, eps=1e-5):
    grad_x, *others = F.layer_norm_vjp(grad_out.T, x.T, gamma, eps)
    return grad_x.T, *others


def batch_stats_of_rows(grad_out, x, gamma, eps=1e-5):
    x_hat, s = _hat(x, eps, -1)
    u = grad_out * gamma
    grad_x = (u - u.mean(0) - x_hat * (u * x_hat).mean(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


def batch_means_of_rows(grad_out, x, gamma, eps=1e-5):
    x_hat, s = _hat(x, eps)
    u = grad_out * gamma
    along = (u * x_hat).mean(axis=-1, keepdims=True)
    grad_x = (u - u.mean(axis=-1, keepdims=True) - x_hat * along) / s
    return grad_x, (grad_out * x_hat).mean(0), grad_out.mean(0)


def batch_sums_of_rows(grad_out, x, gamma, eps=1e-5):
    grad_x = batch_norm_vjp(grad_out, x, gamma, eps)[0]
    x_hat = _hat(x, eps)[0]
    return grad_x, (grad_out * x_hat).sum(axis=-1), grad_out.sum(axis=-1)


def batch_without_mean(grad_out, x, gamma, eps=1e-5):
    x_hat, s = _hat(x, eps)
    u = grad_out * gamma
    grad_x = (u - x_hat * (u * x_hat).mean(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


def batch_without_deviation(grad_out, x, gamma, eps=1e-5):
    x_hat, s = _hat(x, eps)
    u = grad_out * gamma
    return (u - u.mean(0)) / s, (grad_out * (x - x.mean(0))).sum(0), grad_out.sum(0)


def batch_sums_in_x(grad_out, x, gamma, eps=1e-5):
    x_hat, s = _hat(x, eps)
    u = grad_out * gamma
    grad_x = (u - u.sum(0) - x_hat * (u * x_hat).sum(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


def batch_without_gamma(grad_out, x, gamma, eps=1e-5):
    grad_x = batch_norm_vjp(grad_out, x, np.ones_like(gamma), eps)[0]
    x_hat = _hat(x, eps)[0]
    return grad_x, (grad_out * x_hat * gamma).sum(0), (grad_out * gamma).sum(0)


def batch_unbiased(grad_out, x, gamma, eps=1e-5):
    centred = x - x.mean(axis=0)
    s = np.sqrt(x.var(axis=0, ddof=1) + eps)
    x_hat, u = centred / s, grad_out * gamma
    grad_x = (u - u.mean(0) - x_hat * (u * x_hat).mean(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


def batch_variance_for_root(grad_out, x, gamma, eps=1e-5):
    centred = x - x.mean(axis=0)
    s = x.var(axis=0) + eps
    x_hat, u = centred / s, grad_out * gamma
    grad_x = (u - u.mean(0) - x_hat * (u * x_hat).mean(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


def batch_without_eps(grad_out, x, gamma, eps=1e-5):
    return batch_norm_vjp(grad_out, x, gamma, 0.0)


def batch_eps_outside(grad_out, x, gamma, eps=1e-5):
    s = x.std(axis=0) + eps
    x_hat, u = (x - x.mean(axis=0)) / s, grad_out * gamma
    grad_x = (u - u.mean(0) - x_hat * (u * x_hat).mean(0)) / s
    return grad_x, (grad_out * x_hat).sum(0), grad_out.sum(0)


def batch_eps_fixed(grad_out, x, gamma, eps=1e-5):
    return batch_norm_vjp(grad_out, x, gamma, 1e-5)


def _batch(grad_out, x, gamma, eps, formula):
    x_hat, s = _hat(x, eps)
    grad_x = formula(grad_out * gamma, x_hat, s)
    return grad_x, (grad_out * x_hat).sum(axis=0), grad_out.sum(axis=0)


def batch_first_mean_of_rows(grad_out, x, gamma, eps=1e-5):
    def formula(u, h, s):
        return (u - u.mean(axis=1, keepdims=True) - h * (u * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


def batch_second_mean_of_rows(grad_out, x, gamma, eps=1e-5):
    def formula(u, h, s):
        return (u - u.mean(0) - h * (u * h).mean(axis=1, keepdims=True)) / s

    return _batch(grad_out, x, gamma, eps, formula)


def batch_means_of_all(grad_out, x, gamma, eps=1e-5):
    def formula(u, h, s):
        return (u - u.mean() - h * (u * h).mean()) / s

    return _batch(grad_out, x, gamma, eps, formula)


def batch_not_centred(grad_out, x, gamma, eps=1e-5):
    def formula(u, h, s):
        return (u - u.mean(0) - x / s * (u * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


def batch_gamma_in_one_place(grad_out, x, gamma, eps=1e-5):
    def formula(u, h, s):
        return (u - u.mean(0) - h * (grad_out * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


def batch_gamma_not_in_means(grad_out, x, gamma, eps=1e-5):
    def formula(u, h, s):
        return (u - grad_out.mean(0) - h * (grad_out * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


def batch_gamma_not_in_first_mean(grad_out, x, gamma, eps=1e-5):
    def formula(u, h, s):
        return (u - grad_out.mean(0) - h * (u * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


def batch_divided_by_variance(grad_out, x, gamma, eps=1e-5):
    def formula(u, h, s):
        return (u - u.mean(0) - h * (u * h).mean(0)) / s**2

    return _batch(grad_out, x, gamma, eps, formula)


def batch_mean_alone(grad_out, x, gamma, eps=1e-5):
    return _batch(grad_out, x, gamma, eps, lambda u, h, s: u - u.mean(0))


def batch_along_twice(grad_out, x, gamma, eps=1e-5):
    def formula(u, h, s):
        return (u - u.mean(0) - 2 * h * (u * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


def batch_along_halved(grad_out, x, gamma, eps=1e-5):
    def formula(u, h, s):
        return (u - u.mean(0) - 0.5 * h * (u * h).mean(0)) / s

    return _batch(grad_out, x, gamma, eps, formula)


def batch_not_summed(grad_out, x, gamma, eps=1e-5):
    grad_x = batch_norm_vjp(grad_out, x, gamma, eps)[0]
    return grad_x, grad_out * _hat(x, eps)[0], grad_out


def batch_assigned(grad_out, x, gamma, eps=1e-5):
    grad_x = batch_norm_vjp(grad_out, x, gamma, eps)[0]
    for g, row in zip(grad_out, _hat(x, eps)[0], strict=True):
        grad_gamma, grad_beta = g * row, g
    return grad_x, grad_gamma, grad_beta


def batch_not_normalised(grad_out, x, gamma, eps=1e-5):
    x_hat, s = _hat(x, eps)
    u = grad_out * gamma
    grad_x = (u - u.mean(0) - x * (u * x).mean(0)) / s
    return grad_x, (grad_out * x).sum(0), grad_out.sum(0)


def batch_in_three_steps(grad_out, x, gamma, eps=1e-5):
    N, centred = len(x), x - x.mean(0)
    inverse = ((centred**2).mean(0) + eps) ** -0.5
    u = grad_out * gamma
    grad_x = u * inverse
    grad_x += (u * centred).sum(0) * -(inverse**3) * centred / N
    grad_x += -(u * inverse).sum(0) / N
    return grad_x, (grad_out * centred * inverse).sum(0), grad_out.sum(0)


BATCH_MISTAKES = [
    Mistake(
        "not-normalised",
        batch_not_normalised,
        "$x$ stands where the standardised values belong. What `gamma` multiplies is "
        "$\\hat x$.",
        NORM,
    ),
    *norm_mistakes(batch_tempting, batch_not_summed, batch_assigned, "examples"),
    Mistake(
        "of-layer-norm",
        batch_of_layer_norm,
        "This is layer normalisation: each row is standardised by itself. Here each "
        "*feature* is, over the examples of the batch.",
        NORM,
    ),
    Mistake(
        "transposed",
        batch_transposed,
        "On the transposed arrays, `layer_norm_vjp` standardises each feature, as it "
        "should. But it takes `gamma` for a scale of the columns, and those are the "
        "examples now. Where must `gamma` come in, and what do its sums run over?",
        NORM,
    ),
    Mistake(
        "rows-standardised",
        batch_stats_of_rows,
        "$\\hat x$ and $s$ are still those of the rows. Each feature has a mean and a "
        "deviation of its own, over the batch.",
        NORM,
    ),
    Mistake(
        "means-of-rows",
        batch_means_of_rows,
        "A mean is wrong here: those of the gradient run over the examples, like the "
        "ones of the forward pass, and for `gamma` and `beta` it is a sum.",
        NORM,
    ),
    Mistake(
        "sums-of-rows",
        batch_sums_of_rows,
        "The sums for `gamma` and `beta` run along the rows. Both have one number for "
        "each feature, and are shared by the examples.",
        NORM,
    ),
    Mistake(
        "mean-path-missing",
        batch_without_mean,
        "The path through the mean is missing: if one example grows, the mean does, "
        "and all other examples of this feature shrink.",
        NORM,
    ),
    Mistake(
        "deviation-missing",
        batch_without_deviation,
        "The path through the deviation is missing, or the division by it.",
        NORM,
    ),
    Mistake(
        "sums-in-x",
        batch_sums_in_x,
        "Sums stand where the means of the formula belong. The means come from the "
        "means of the forward pass, each with its division.",
        NORM,
    ),
    Mistake(
        "gamma-misplaced",
        batch_without_gamma,
        "`gamma` is at the wrong place. It scales what goes back to `x`; its own "
        "gradient and that of `beta` do not meet it.",
        NORM,
    ),
    Mistake(
        "unbiased",
        batch_unbiased,
        "The deviation divides by $N - 1$. Here it is a plain mean of squares, as in "
        "the notebook's formula.",
        NORM,
    ),
    Mistake(
        "root-missing",
        batch_variance_for_root,
        "The root is missing: it is divided by the variance.",
        NORM,
    ),
    Mistake(
        "eps-missing",
        batch_without_eps,
        "ε is left out. It stands under the root in the forward pass, so it is there "
        "on the way back as well.",
        NORM,
    ),
    Mistake(
        "eps-outside",
        batch_eps_outside,
        "ε is added after the root. It stands under it, together with the variance.",
        NORM,
    ),
    Mistake(
        "eps-fixed",
        batch_eps_fixed,
        "The argument `eps` is not used: some other number stands in its place.",
        NORM,
    ),
    Mistake(
        "first-mean-of-rows",
        batch_first_mean_of_rows,
        "The mean of the gradient runs along the rows. The mean that it comes "
        "from, in the forward pass, runs over the examples.",
        NORM,
    ),
    Mistake(
        "second-mean-of-rows",
        batch_second_mean_of_rows,
        "The mean along $\\hat x$ is taken of each row. The deviation that it "
        "comes from, in the forward pass, runs over the examples.",
        NORM,
    ),
    Mistake(
        "means-of-all",
        batch_means_of_all,
        "The means run over the whole array. Each feature has a mean of its own.",
        NORM,
    ),
    Mistake(
        "not-centred",
        batch_not_centred,
        "On the path through the deviation stands `x`, where $x - m$ belongs.",
        NORM,
    ),
    Mistake(
        "gamma-in-one-place",
        batch_gamma_in_one_place,
        "In the mean along $\\hat x$ `gamma` is missing. What comes back "
        "through the scale goes all ways afterwards.",
        NORM,
    ),
    Mistake(
        "gamma-not-in-means",
        batch_gamma_not_in_means,
        "`gamma` is missing in both means. What comes back through the scale "
        "goes all ways afterwards.",
        NORM,
    ),
    Mistake(
        "gamma-not-in-first",
        batch_gamma_not_in_first_mean,
        "In the first mean `gamma` is missing. What comes back through the "
        "scale goes all ways afterwards.",
        NORM,
    ),
    Mistake(
        "divided-by-variance",
        batch_divided_by_variance,
        "The gradient of $x$ is divided by the variance. It is divided by the "
        "deviation, once.",
        NORM,
    ),
    Mistake(
        "mean-alone",
        batch_mean_alone,
        "Only the mean is undone here. The division by the deviation is still to go.",
        NORM,
    ),
    Mistake(
        "along-twice",
        batch_along_twice,
        "The path through the deviation counts twice. The 2 of the square meets "
        "the ½ of the root.",
        NORM,
    ),
    Mistake(
        "along-halved",
        batch_along_halved,
        "The path through the deviation counts half. The ½ of the root meets "
        "the 2 of the square.",
        NORM,
    ),
]

# --- 10.3: clipped, and bent ----------------------------------------------------------


def clipped(a, b, max_norm):
    norm = np.sqrt((a * a).sum() + (b * b).sum())
    factor = min(1, max_norm / (norm + 1e-6))
    return a * factor, b * factor


def clip_inputs(rng):
    fixed = [
        (np.array([3.0, 4.0]), np.array([0.3, 0.4]), 1.0),
        (np.array([0.3, 0.4]), np.array([0.6, 0.5, 0.1]), 2.0),
    ]
    drawn = [
        (rng.normal(size=(4, 3)), 5 * rng.normal(size=3), 1.0),
        (2 * rng.normal(size=(3, 3)), rng.normal(size=3), 0.5),
        (0.1 * rng.normal(size=(5, 4)), 0.1 * rng.normal(size=4), 3.0),
        (rng.normal(size=(2, 2)), rng.normal(size=2), 1.7),
    ]
    return fixed + drawn


def clipped_by_concatenation(a, b, max_norm):
    length = np.linalg.norm(np.concatenate([a.ravel(), b.ravel()]))
    if length <= max_norm:
        return a.copy(), b.copy()
    return max_norm * a / length, max_norm * b / length


def clipped_by_norms(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return [g / max(1.0, norm / max_norm) for g in (a, b)]


def clipped_by_loop(a, b, max_norm):
    total = 0.0
    for v in [*a.flat, *b.flat]:
        total += v * v
    factor = max_norm / total**0.5 if total > max_norm**2 else 1.0
    return (factor * a).tolist(), (factor * b).tolist()


def _cut(g, norm, max_norm):
    return g * min(1, max_norm / norm)


def clipped_each(a, b, max_norm):
    return tuple(_cut(g, np.linalg.norm(g), max_norm) for g in (a, b))


def clipped_entries(a, b, max_norm):
    return np.clip(a, -max_norm, max_norm), np.clip(b, -max_norm, max_norm)


def clipped_always(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return a * max_norm / norm, b * max_norm / norm


def clipped_squared(a, b, max_norm):
    norm = (a * a).sum() + (b * b).sum()
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


def clipped_norms_added(a, b, max_norm):
    norm = np.linalg.norm(a) + np.linalg.norm(b)
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


def clipped_largest(a, b, max_norm):
    norm = max(np.linalg.norm(a), np.linalg.norm(b))
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


def clipped_by_entry(a, b, max_norm):
    norm = max(np.abs(a).max(), np.abs(b).max())
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


def clipped_spectral(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a, 2), np.linalg.norm(b, 2))
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


def clipped_by_sum(a, b, max_norm):
    norm = np.abs(a).sum() + np.abs(b).sum()
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


def clipped_by_mean(a, b, max_norm):
    norm = np.sqrt(np.mean(np.concatenate([a.ravel(), b.ravel()]) ** 2))
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


def clipped_to_one(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return (a / norm, b / norm) if norm > max_norm else (a, b)


def clipped_lengthened(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return a * max(1, max_norm / norm), b * max(1, max_norm / norm)


def clipped_one_after_the_other(a, b, max_norm):
    a = _cut(a, np.hypot(np.linalg.norm(a), np.linalg.norm(b)), max_norm)
    b = _cut(b, np.hypot(np.linalg.norm(a), np.linalg.norm(b)), max_norm)
    return a, b


def clipped_nothing(a, b, max_norm):
    return a, b


def clipped_upside_down(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return (a, b) if norm <= max_norm else (a * norm / max_norm, b * norm / max_norm)


def clipped_rows(a, b, max_norm):
    return tuple(
        g * np.minimum(1, max_norm / np.sqrt((g * g).sum(-1, keepdims=g.ndim > 1)))
        for g in (a, b)
    )


def clipped_when_over_one(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return (a * max_norm / norm, b * max_norm / norm) if norm > 1 else (a, b)


def clipped_to_unit(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return a / norm, b / norm


def clipped_to_half(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return _cut(a, 2 * norm, max_norm), _cut(b, 2 * norm, max_norm)


def clipped_by_root(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    factor = np.sqrt(min(1, max_norm / norm))
    return a * factor, b * factor


def clipped_by_first(a, b, max_norm):
    norm = np.linalg.norm(a)
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


def clipped_by_last(a, b, max_norm):
    norm = np.linalg.norm(b)
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


def clipped_without_bound(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return (a / norm, b / norm) if norm > 1 else (a, b)


def clipped_above(a, b, max_norm):
    return np.minimum(a, max_norm), np.minimum(b, max_norm)


def clipped_to_double(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return _cut(a, norm / 2, max_norm), _cut(b, norm / 2, max_norm)


def clipped_factor_squared(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return _cut(a, norm**2, max_norm**2), _cut(b, norm**2, max_norm**2)


def clipped_each_to_unit(a, b, max_norm):
    return a / np.linalg.norm(a), b / np.linalg.norm(b)


def clipped_each_always(a, b, max_norm):
    return a * max_norm / np.linalg.norm(a), b * max_norm / np.linalg.norm(b)


CLIP_MISTAKES = [
    Mistake(
        "each-by-itself",
        clipped_each,
        "Each gradient has a factor of its own, as in the loop that was shown. "
        "The long ones shrink, the short ones do not, and the step points elsewhere.",
        CLIP,
    ),
    Mistake(
        "entries",
        clipped_entries,
        "Each entry is cut by itself. That bends the direction: all entries need one "
        "common factor.",
        CLIP,
    ),
    Mistake(
        "always",
        clipped_always,
        "Every gradient gets the length `max_norm`, short ones too. Clipping never "
        "makes anything longer.",
        CLIP,
    ),
    Mistake(
        "squared",
        clipped_squared,
        "It is divided by the squared length: the root is missing.",
        CLIP,
    ),
    Mistake(
        "norms-added",
        clipped_norms_added,
        "The two lengths are added. The length of the long vector is the root of the "
        "sum of *all* squared entries.",
        CLIP,
    ),
    Mistake(
        "largest-norm",
        clipped_largest,
        "The longer of the two gives the length. In one long vector both count.",
        CLIP,
    ),
    Mistake(
        "largest-singular-value",
        clipped_spectral,
        "Of a matrix, `np.linalg.norm(a, 2)` is the largest singular value. Without "
        "the 2 it is the root of the sum of all squared entries.",
        CLIP,
    ),
    Mistake(
        "largest-entry",
        clipped_by_entry,
        "The largest entry stands for the length. A norm is the root of the sum of "
        "all squared entries.",
        CLIP,
    ),
    Mistake(
        "absolute",
        clipped_by_sum,
        "Absolute values are summed. A norm is the root of a sum of squares.",
        CLIP,
    ),
    Mistake(
        "mean",
        clipped_by_mean,
        "The squares are averaged. A norm is the root of their sum.",
        CLIP,
    ),
    Mistake(
        "to-one",
        clipped_to_one,
        "What is too long gets the length 1, whatever `max_norm` says.",
        CLIP,
    ),
    Mistake(
        "when-over-one",
        clipped_when_over_one,
        "The length is compared with 1. The bound is `max_norm`.",
        CLIP,
    ),
    Mistake(
        "lengthened",
        clipped_lengthened,
        "The larger of the two factors is taken: long gradients stay long, and short "
        "ones grow.",
        CLIP,
    ),
    Mistake(
        "one-after-the-other",
        clipped_one_after_the_other,
        "When the second gradient is cut, the first is already shorter, so the norm "
        "is another one. One norm, one factor, for both.",
        CLIP,
    ),
    Mistake(
        "upside-down",
        clipped_upside_down,
        "The factor is upside down: what is too long becomes longer.",
        CLIP,
    ),
    Mistake(
        "rows",
        clipped_rows,
        "Each row is cut by itself. All entries of all gradients need one common "
        "factor.",
        CLIP,
    ),
    Mistake(
        "nothing",
        clipped_nothing,
        "Both come back as they are, however long they are.",
        CLIP,
    ),
    Mistake(
        "to-unit",
        clipped_to_unit,
        "Both together get the length 1, always. Clipping shortens what is "
        "longer than `max_norm`, and leaves the rest.",
        CLIP,
    ),
    Mistake(
        "to-half",
        clipped_to_half,
        "What is too long gets half the length it may have, or is cut too "
        "early. Where does a factor of 2 come from?",
        CLIP,
    ),
    Mistake(
        "by-root",
        clipped_by_root,
        "The root of the factor is taken. The root belongs to the sum of "
        "squares, once.",
        CLIP,
    ),
    Mistake(
        "by-first",
        clipped_by_first,
        "The first gradient alone gives the length. In one long vector both count.",
        CLIP,
    ),
    Mistake(
        "by-last",
        clipped_by_last,
        "The second gradient alone gives the length. In one long vector both count.",
        CLIP,
    ),
    Mistake(
        "without-bound",
        clipped_without_bound,
        "`max_norm` is not used: what is longer than 1 gets the length 1.",
        CLIP,
    ),
    Mistake(
        "above",
        clipped_above,
        "Each entry is cut from above. That bends the direction, and very "
        "negative entries stay as long as they are.",
        CLIP,
    ),
    Mistake(
        "to-double",
        clipped_to_double,
        "What is too long gets twice the length it may have. Where does a "
        "factor of 2 come from?",
        CLIP,
    ),
    Mistake(
        "factor-squared",
        clipped_factor_squared,
        "The factor is squared: `max_norm` and the norm are both lengths, and "
        "the root of the sum of squares is taken once.",
        CLIP,
    ),
    Mistake(
        "each-to-unit",
        clipped_each_to_unit,
        "Each gradient gets the length 1 by itself. The two need one common "
        "factor, and only where they are too long together.",
        CLIP,
    ),
    Mistake(
        "each-always",
        clipped_each_always,
        "Each gradient gets the length `max_norm` by itself. The two need one "
        "common factor, and only where they are too long together.",
        CLIP,
    ),
]

# --- 10.4: what becomes of the stretch ------------------------------------------------

RUNS = {"linear": lambda z: z, "tanh": np.tanh, "ReLU": F.relu}
SLOPES = {
    "linear": np.ones_like,
    "tanh": lambda z: F.tanh_vjp(1.0, np.tanh(z)),
    "ReLU": lambda z: F.relu_vjp(1.0, z),
}


def normal(std):
    return lambda fan_in, fan_out, rng: rng.normal(0, std, (fan_in, fan_out))


def orthogonal(fan_in, fan_out, rng):
    return np.linalg.qr(rng.normal(size=(fan_in, fan_out)))[0]


def products_of_jacobians(act, init, depth=20, n=64):
    """Do what the notebook's function of this name does."""
    rng = np.random.default_rng(4)
    h, product, products = rng.normal(size=n), np.eye(n), []
    for _ in range(depth):
        W = init(n, n, rng)
        product = product @ (W * SLOPES[act](h @ W))
        h = RUNS[act](h @ W)
        products.append(product)
    return products


def fates():
    def fate(act, init, number):
        products = products_of_jacobians(act, init)
        values = np.linalg.svd(products, compute_uv=False)[:, number - 1]
        factor = values[-1] / values[0]  # from 1 layer to 20
        return "grows" if factor > 100 else "falls" if factor < 0.01 else "stays"

    return (
        fate("linear", normal(1 / 8), 1),
        fate("linear", normal(1 / 8), 32),
        fate("tanh", orthogonal, 32),
        fate("ReLU", orthogonal, 1),
    )


AVERAGE = (
    "With $v = 1/64$ the *mean* square of a vector stays, so the largest singular "
    "value can neither run away nor die: there are directions with more, and with less."
)
FATES = [
    Mistake("explodes", lambda: ("grows", "falls", "stays", "falls"), AVERAGE, STRETCH),
    Mistake("dies", lambda: ("falls", "falls", "stays", "falls"), AVERAGE, STRETCH),
    Mistake(
        "a-circle-stays",
        lambda: ("stays", "stays", "stays", "falls"),
        "The size stays on average, the shape does not: a product of random matrices "
        "turns the circle into a needle. What of the directions across the needle?",
        STRETCH,
    ),
    Mistake(
        "slopes-below-one",
        lambda: ("stays", "falls", "falls", "falls"),
        "Tanh's slopes are at most 1, and near 1 where $z$ is small. How large is $z$ "
        "after a few layers that make it smaller each time?",
        STRETCH,
    ),
    Mistake(
        "half-forgotten",
        lambda: ("stays", "falls", "stays", "stays"),
        "An orthogonal matrix keeps the length, and ReLU then throws half of it away, "
        "in each layer. What did He's rule need its 2 for?",
        WEIGHTS,
    ),
]
NO_GROWTH = (
    "Nothing here can grow: orthogonal matrices keep each length, and slopes are at "
    "most 1."
)
FATES += [
    Mistake(
        "middle-grows",
        lambda: ("stays", "grows", "stays", "falls"),
        "The largest one only stays, and the 32nd is smaller in each product.",
        STRETCH,
    ),
    Mistake(
        "tanh-grows", lambda: ("stays", "falls", "grows", "falls"), NO_GROWTH, STRETCH
    ),
    Mistake(
        "relu-grows", lambda: ("stays", "falls", "stays", "grows"), NO_GROWTH, STRETCH
    ),
]

# --- 10.5: first weights for any activation -------------------------------------------


def gain(f):
    u = np.linspace(-8, 8, 2001)
    weights = np.exp(-u * u / 2)
    mean_square = (weights * f(u) ** 2).sum() / weights.sum()
    return 1 / np.sqrt(mean_square)


def gain_by_drawing(f):
    z = np.random.default_rng(0).normal(size=1_000_000)
    return np.mean(f(z) ** 2) ** -0.5


def gain_by_quadrature(f):
    z, w = np.polynomial.hermite_e.hermegauss(180)
    return float(np.sqrt(w.sum() / (w @ f(z) ** 2)))


def gain_by_network(f):
    rng = np.random.default_rng(1)
    z = rng.normal(size=(2000, 500))
    W = rng.normal(0, 1 / np.sqrt(500), (500, 500))
    return 1 / (f(z) @ W).std()


def _bell(f, of):
    u = np.linspace(-8, 8, 2001)
    weights = np.exp(-u * u / 2)
    return (weights * of(f(u))).sum() / weights.sum()


def gain_of_relu(f):
    return np.sqrt(2)


def gain_without_root(f):
    return 1 / _bell(f, np.square)


def gain_inverse(f):
    return np.sqrt(_bell(f, np.square))


def gain_of_variance(f):
    return 1 / np.sqrt(_bell(f, np.square) - _bell(f, np.positive) ** 2)


def gain_of_absolute(f):
    return 1 / _bell(f, np.abs)


def gain_of_mean(f):
    return 1 / _bell(f, np.positive)


def gain_flat(f):
    u = np.linspace(-8, 8, 2001)
    return 1 / np.sqrt(np.mean(f(u) ** 2))


def gain_flat_sum(f):
    u = np.linspace(-8, 8, 2001)
    return 1 / np.sqrt((np.exp(-u * u / 2) * f(u) ** 2).sum())


def gain_narrow_bell(f):
    u = np.linspace(-8, 8, 2001)
    weights = np.exp(-u * u)
    return 1 / np.sqrt((weights * f(u) ** 2).sum() / weights.sum())


def gain_backward(f):
    def slope(u):
        return (f(u + 1e-5) - f(u - 1e-5)) / 2e-5

    return 1 / np.sqrt(_bell(slope, np.square))


def gain_uniform_draw(f):
    z = np.linspace(-1, 1, 2001)
    return 1 / np.sqrt(np.mean(f(z) ** 2))


def gain_mean_square(f):
    return _bell(f, np.square)


def gain_one(f):
    return 1.0


def gain_of_two(f):
    return 2.0


def gain_over_variance(f):
    return 1 / (_bell(f, np.square) - _bell(f, np.positive) ** 2)


def gain_at_one(f):
    return 1 / f(1.0)


def gain_at_zero(f):
    return 2e-5 / (f(1e-5) - f(-1e-5))


def gain_positive(f):
    return 1 / np.sqrt(np.mean(f(np.linspace(0, 1, 2001)) ** 2))


def gain_with_two(f):
    return np.sqrt(2) * gain(f)


def gain_negative(f):
    return -gain(f)


def gain_of_twenty(f):
    return 1 / np.sqrt(np.mean(f(np.random.default_rng(0).normal(size=50)) ** 2))


GAINS = [
    Mistake(
        "without-root",
        gain_without_root,
        "This is the factor for the *variance* of the weights. Their standard "
        "deviation is multiplied, and that is its root.",
        WEIGHTS,
    ),
    Mistake(
        "inverse",
        gain_inverse,
        "This is the size that $f$ leaves. The weights have to make up for it: the "
        "smaller $f(z)$ is, the larger they must be.",
        WEIGHTS,
    ),
    Mistake(
        "mean-square",
        gain_mean_square,
        "This is the mean square itself. What must the weights be multiplied by, so "
        "that the next $z$ has variance 1 again?",
        WEIGHTS,
    ),
    Mistake(
        "of-variance",
        gain_of_variance,
        "The variance of $f(z)$ is taken, the mean of $f(z)$ subtracted. In the sum "
        "for $\\operatorname{Var}(z)$ stands $E[h^2]$; it is only the weights that "
        "have mean 0.",
        WEIGHTS,
    ),
    Mistake(
        "of-absolute",
        gain_of_absolute,
        "The mean of $|f(z)|$ is taken. The derivation needs the mean of its square, "
        "and the root comes after the mean.",
        WEIGHTS,
    ),
    Mistake(
        "of-mean",
        gain_of_mean,
        "The mean of $f(z)$ is taken. The derivation needs the mean of its *square*.",
        WEIGHTS,
    ),
    Mistake(
        "flat",
        gain_flat,
        "All $z$ of a wide interval count alike. But $z$ is near 0 most of the time: "
        "the mean needs the weights of the bell curve.",
        WEIGHTS,
    ),
    Mistake(
        "uniform",
        gain_uniform_draw,
        "$z$ is taken between −1 and 1, all equally likely. It is a normal random "
        "number of variance 1.",
        WEIGHTS,
    ),
    Mistake(
        "not-divided",
        gain_flat_sum,
        "The weighted sum is not divided by the sum of the weights, so it is no mean.",
        WEIGHTS,
    ),
    Mistake(
        "narrow-bell",
        gain_narrow_bell,
        "The bell is too narrow: $e^{-u^2}$ has variance ½. With $e^{-u^2/2}$ it is 1.",
        WEIGHTS,
    ),
    Mistake(
        "backward",
        gain_backward,
        "This keeps the size of the gradients on the way *back*: it is made of "
        "slopes. Here the forward pass is asked for.",
        WEIGHTS,
    ),
    Mistake(
        "of-relu",
        gain_of_relu,
        "$\\sqrt2$ is right for ReLU alone. Another $f$ needs another number.",
        WEIGHTS,
    ),
    Mistake(
        "one",
        gain_one,
        "Without a gain the size stays only if $f$ changes nothing.",
        WEIGHTS,
    ),
    Mistake(
        "constant",
        gain_of_two,
        "It is the same number for every $f$. Another $f$ needs another number.",
        WEIGHTS,
    ),
    Mistake(
        "over-variance",
        gain_over_variance,
        "It is divided by the variance of $f(z)$: that is the mean square "
        "without the square of the mean, and the root is missing as well.",
        WEIGHTS,
    ),
    Mistake(
        "at-one",
        gain_at_one,
        "Only $z = 1$ is looked at. What counts is the mean over all $z$ that occur.",
        WEIGHTS,
    ),
    Mistake(
        "at-zero",
        gain_at_zero,
        "Only the slope at 0 is looked at. What counts is the mean of $f(z)^2$ "
        "over all $z$ that occur.",
        WEIGHTS,
    ),
    Mistake(
        "positive",
        gain_positive,
        "$z$ is taken between 0 and 1, all equally likely. It is a normal "
        "random number: half of the time it is negative.",
        WEIGHTS,
    ),
    Mistake(
        "he-besides",
        gain_with_two,
        "The gains are right times $\\sqrt2$. He's 2 made up for ReLU's half; "
        "the mean of $f(z)^2$ says that already.",
        WEIGHTS,
    ),
    Mistake(
        "sign",
        gain_negative,
        "The gains are negative. A standard deviation cannot be.",
        WEIGHTS,
    ),
    Mistake(
        "too-few",
        gain_of_twenty,
        "Near, but not within two per cent. Are there enough random numbers, or "
        "is the grid fine enough?",
        WEIGHTS,
    ),
]
ACTIVATIONS = {
    "ReLU": F.relu,
    "tanh": np.tanh,
    "the sigmoid": F.sigmoid,
    "2z + 1": lambda z: 2 * z + 1,
    "sine": np.sin,
    "half of |z|": lambda z: 0.5 * np.abs(z),
}


def judge_gain(answer, run):
    got = {name: run(f) for name, f in ACTIVATIONS.items()}
    if None in got.values():
        return "It returns None. Is a `return` missing?"
    got = {name: np.asarray(value, dtype=float) for name, value in got.items()}
    name = next((n for n, value in got.items() if value.size != 1), None)
    if name is not None:
        return f"For {name} it returns the shape {got[name].shape}; expected a number."
    values = np.array([value.item() for value in got.values()])
    if near(values, gain):
        return None
    for mistake in GAINS:
        if near(values, mistake.code):
            return mistake
    right = np.array([gain(f) for f in ACTIVATIONS.values()])
    if named := roughly(values, right):
        return next(m for m in GAINS if m.id == named)
    k = int(np.argmax(~np.isclose(values, right, rtol=0.02)))
    name = list(ACTIVATIONS)[k]
    return (
        f"For {name}: with z of variance 1, and weights as large as your gain says, "
        f"the next z has variance {(values[k] / right[k]) ** 2:.3g}. It should be 1."
    )


def roughly(values, right):
    """Name what has no code of its own, or has it with other numbers."""
    if np.ptp(values) < 1e-6:
        return "constant"
    flat = [lambda f, a=a: _uniform(f, a) for a in (2, 3, 4, 5, 6, 10)]
    if any(near(values, of) for of in flat):
        return "flat"
    return "too-few" if np.all(np.abs(values / right - 1) < 0.4) else None


def _uniform(f, a):
    return 1 / np.sqrt(np.mean(f(np.linspace(-a, a, 2001)) ** 2))


def near(values, of):
    with np.errstate(all="ignore"):
        made = [of(f) for f in ACTIVATIONS.values()]
        close = np.isclose(values, made, rtol=0.02)
        return bool((close | (np.abs(made) > 1e3) & (np.abs(values) > 1e3)).all())


EXERCISES = [
    Exercise(
        number="10.1",
        title="RMS normalisation",
        reference=rms_norm_vjp,
        inputs=rms_inputs,
        gradient=True,
        outputs=("grad_x", "grad_gamma"),
        mistakes=RMS_MISTAKES,
        absent={"activation-missing": NO_ACTIVATION, "at-output": NO_ACTIVATION},
        variants=[rms_by_sums, rms_by_jacobian, rms_by_loops, rms_staged],
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
            "$\\partial L/\\partial x = (u - \\hat x \\operatorname{mean}(u \\hat x))/"
            "r$ with $u = \\gamma G$: only the part along $\\hat x$ is removed, since "
            "only the scaling is undone. With ε = 0 the gradient is orthogonal to $x$ "
            "in each row."
        ),
    ),
    Exercise(
        number="10.2",
        title="Batch normalisation",
        reference=batch_norm_vjp,
        inputs=norm_inputs,
        gradient=True,
        outputs=("grad_x", "grad_gamma", "grad_beta"),
        mistakes=BATCH_MISTAKES,
        absent={"activation-missing": NO_ACTIVATION, "at-output": NO_ACTIVATION},
        variants=[
            batch_in_three_steps,
            batch_by_layer_norm,
            batch_by_columns,
            batch_staged,
        ],
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
    ),
    Exercise(
        number="10.3",
        title="Clipped, and bent",
        reference=clipped,
        inputs=clip_inputs,
        outputs=("a", "b"),
        mistakes=CLIP_MISTAKES,
        variants=[clipped_by_concatenation, clipped_by_norms, clipped_by_loop],
        tolerance=1e-5,
        hints=(
            "Apply the loop to (3, 4) and (0.3, 0.4) by hand. Which of the two is "
            "shortened, and what was the ratio of their lengths before and after?",
            "The direction stays if *all* entries are multiplied by the same number. "
            "So first one norm is needed, that of all entries of both arrays.",
            "The norm is $\\sqrt{\\lVert a \\rVert^2 + \\lVert b \\rVert^2}$; the "
            "factor is `max_norm` through it, but never above 1.",
        ),
        explanation=(
            "The loop makes (3, 4) five times shorter and leaves (0.3, 0.4): they "
            "stood 10 to 1, and now 2 to 1, and the cosine between before and after is "
            "below 1. One norm and one factor for all keep the direction. The `1e-6` "
            "is the guard against a division by 0."
        ),
    ),
    Exercise(
        number="10.4",
        title="Predict: grows, stays or falls",
        reference=fates,
        outputs=(
            "normal, no. 1",
            "normal, no. 32",
            "orthogonal with tanh, no. 32",
            "orthogonal with ReLU, no. 1",
        ),
        mistakes=FATES,
        hints=(
            "Look at the four panels on singular values: which lines are level, which "
            "fall, and by how much in 20 layers?",
            "Normal weights with $v = 1/64$ are Xavier's for a square layer, and there "
            "is no activation to take anything away. For the other two ask: what does "
            "$f$ do to lengths, if the matrix does nothing?",
            "Tanh makes a large $z$ smaller until it is small, and a small one passes "
            "unharmed. ReLU halves the mean square in every layer, and never stops.",
        ),
        explanation=(
            "Normal weights: the largest one stays within a factor of ten, the 32nd "
            "falls by several hundred: the needle. Orthogonal with tanh: all slopes "
            "come near 1, and even the 32nd stays. Orthogonal with ReLU: a factor of "
            "about $1/\\sqrt2$ a layer, and $2^{-10}$ is about a thousandth."
        ),
    ),
    Exercise(
        number="10.5",
        title="Open challenge: first weights for any activation",
        reference=gain,
        judge=judge_gain,
        mistakes=GAINS,
        variants=[gain_by_drawing, gain_by_quadrature, gain_by_network],
        hints=(
            "$\\operatorname{Var}(z) = \\text{fan\\_in} \\cdot v \\cdot E[h^2]$. With "
            "$v = \\text{gain}^2/\\text{fan\\_in}$, what must $E[h^2]$ and the gain "
            "have to do with each other?",
            "$\\text{gain}^2 \\cdot E[f(z)^2] = 1$, where $z$ is normal with variance "
            "1. How did `bell_mean` find such a mean? And could one also draw?",
            "A fine grid of $u$ with the weights $e^{-u^2/2}$, or a million normal "
            "random numbers: the mean of $f(u)^2$, then 1 through its root.",
        ),
        explanation=(
            "$\\text{gain} = 1/\\sqrt{E[f(z)^2]}$ makes the next $z$ as large as this "
            "one. For ReLU it is $\\sqrt2$: He's rule. It says nothing about the way "
            "back, for which the slopes count: with the sigmoid the gradients still "
            "vanish."
        ),
    ),
]
