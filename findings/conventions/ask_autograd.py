"""Autograd's answers."""

from importlib.metadata import version

import autograd
import autograd.numpy as np
from asking import ask
from autograd.scipy.special import logsumexp  # needs SciPy

WINDOWS = np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4]])
W = np.array([0.3, -0.6, 0.9, 0.1])


def grad(f, *at):
    return [autograd.grad(f, k)(*map(np.array, at)) for k in range(len(at))]


def layer_norm(x):
    return np.sum((x - np.mean(x)) / np.std(x) * W)


def ignored(z):
    losses, counted = np.array([logsumexp(z) - z[1]]), np.zeros(1)
    return np.sum(losses * counted) / np.sum(counted)


FUNCTIONS = {
    "relu at 0": lambda x: np.maximum(x, 0),
    "|x| at 0": np.abs,
    "maximum(a, b), tie": np.maximum,
    "minimum(a, b), tie": np.minimum,
    "max of (1, 1)": np.max,
    "clip to [0, 1] at 1": lambda x: np.clip(x, 0, 1),
    "norm of (0, 0)": np.linalg.norm,
    "std of (1, 1, 1)": np.std,
    "least of sorted (1, 1, 1)": lambda x: np.sort(x)[0],
    "sqrt at 0": np.sqrt,
    "a^b at (0, 0)": np.power,
    "where(x > 0, √x, 0) at 0": lambda x: np.where(x > 0, np.sqrt(x), 0.0),
    "where(x > 0, log x, 0) at 0": lambda x: np.where(x > 0, np.log(x), 0.0),
    "logsumexp of (−∞, −∞)": logsumexp,
    "x/|x| at (0, 0), first": lambda x: (x / np.linalg.norm(x))[0],
    "1/(1 + exp(−x)) at −1000": lambda x: 1 / (1 + np.exp(-x)),
    "atan2(y, x) at (0, 0)": np.arctan2,
    "mean of no rows": lambda w: np.mean(np.dot(np.zeros((0, 2)), w)),
    "loss, all labels ignored": ignored,
    "maximum(x, x) at 1": lambda x: np.maximum(x, x),
    "x⁰ at 0": lambda x: x**0.0,
    "product of (0, 2, 3)": np.prod,
    "product of (0, 0, 3)": np.prod,
    "Σ cumprod of (0, 2, 3)": lambda x: np.sum(np.cumprod(x)),
    "det (1 1; 1 1)": np.linalg.det,
    "det (0 0; 0 2)": np.linalg.det,
    "logaddexp at (0, 0)": np.logaddexp,
    "read x[0, 0, 1]": lambda x: np.sum(x[np.array([0, 0, 1])]),
    "overlapping windows": lambda x: np.sum(x[WINDOWS]),
    "normalised, no scale": layer_norm,
    "integer input: x/2 at 3": lambda x: 0.5 * x,
}

if __name__ == "__main__":
    ask("autograd", version("autograd"), FUNCTIONS, grad)
