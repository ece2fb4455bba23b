"""Right answers to the exercises of 10 in other styles."""

import numpy as np

from course_utils import functional as F

from . import right


@right("10.1")
def rms_by_jacobian(grad_out, x, gamma, eps=1e-5):
    rows, grad_gamma = [], 0.0
    for g, row in zip(grad_out, x, strict=True):
        r, D = np.sqrt(np.mean(row**2) + eps), len(row)
        J = np.eye(D) / r - np.outer(row, row) / (D * r**3)
        rows.append(J @ (g * gamma))
        grad_gamma = grad_gamma + g * row / r
    return np.array(rows), grad_gamma


@right("10.1")
def rms_staged(grad_out, x, gamma, eps=1e-5):
    """Operation by operation, backward."""
    m = np.mean(x**2, axis=1)[:, None] + eps
    r = m**0.5
    grad_hat = grad_out * gamma
    grad_r = -(grad_hat * x).sum(axis=1, keepdims=True) / r**2
    grad_m = grad_r / (2 * r)
    grad_x = grad_hat / r + grad_m * 2 * x / x.shape[1]
    return [grad_x, np.einsum("ni,ni->i", grad_out, x / r)]


@right("10.2")
def batch_by_layer_norm(grad_out, x, gamma, eps=1e-5):
    u = (grad_out * gamma).T
    grad_x = F.layer_norm_vjp(u, x.T, np.ones(len(x)), eps)[0].T
    x_hat = F.standardise(x.T, eps)[0].T
    return grad_x, (grad_out * x_hat).sum(axis=0), grad_out.sum(axis=0)


@right("10.2")
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


@right("10.2")
def batch_staged(grad_out, x, gamma, eps=1e-5):
    N = len(x)
    c = x - np.einsum("nd->d", x) / N
    v = (c**2).sum(0) / N + eps
    grad_hat = grad_out * gamma
    grad_v = (grad_hat * c).sum(0) * -0.5 * v**-1.5
    grad_c = grad_hat * v**-0.5 + grad_v * 2 * c / N
    grad_x = grad_c - grad_c.sum(0) / N
    return grad_x, (grad_out * c).sum(0) * v**-0.5, np.ones(N) @ grad_out


@right("10.3")
def clipped_by_concatenation(a, b, max_norm):
    length = np.linalg.norm(np.concatenate([a.ravel(), b.ravel()]))
    if length <= max_norm:
        return a.copy(), b.copy()
    return max_norm * a / length, max_norm * b / length


@right("10.5")
def gain_by_drawing(f):
    z = np.random.default_rng(0).normal(size=1_000_000)
    return np.mean(f(z) ** 2) ** -0.5


@right("10.5")
def gain_by_quadrature(f):
    z, w = np.polynomial.hermite_e.hermegauss(180)
    return float(np.sqrt(w.sum() / (w @ f(z) ** 2)))


@right("10.5")
def gain_by_network(f):
    rng = np.random.default_rng(1)
    z = rng.normal(size=(2000, 500))
    W = rng.normal(0, 1 / np.sqrt(500), (500, 500))
    return 1 / (f(z) @ W).std()


@right("10.1")
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


@right("10.1")
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
