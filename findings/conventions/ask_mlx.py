"""MLX's answers, in float32."""

import mlx.core as mx
import mlx.nn as nn
from asking import ask

W = mx.array([0.3, -0.6, 0.9, 0.1])
WINDOWS = mx.array([[0, 1, 2], [1, 2, 3], [2, 3, 4]])


def grad(f, *at):
    found = mx.grad(f, tuple(range(len(at))))(*map(mx.array, at))
    return [g.tolist() for g in (found if isinstance(found, tuple | list) else [found])]


def write(v):
    y = mx.zeros(3)
    y[mx.array([1, 1])] = v
    return y[1]


def normalised(x):
    return (mx.fast.layer_norm(x, None, None, 0.0) * W).sum()


def pool(x):
    return nn.MaxPool2d(2, 2)(x.reshape(1, 2, 2, 1)).sum()


def ignored(z):
    losses, counted = nn.losses.cross_entropy(z[None], mx.array([1])), mx.zeros(1)
    return (losses * counted).sum() / counted.sum()


FUNCTIONS = {
    "relu at 0": nn.relu,
    "|x| at 0": mx.abs,
    "maximum(a, b), tie": mx.maximum,
    "minimum(a, b), tie": mx.minimum,
    "max of (1, 1)": mx.max,
    "clip to [0, 1] at 1": lambda x: mx.clip(x, 0, 1),
    "norm of (0, 0)": mx.linalg.norm,
    "std of (1, 1, 1)": mx.std,
    "least of sorted (1, 1, 1)": lambda x: mx.sort(x)[0],
    "median of (1, 1, 1)": mx.median,
    "max pool, four equal": pool,
    "sqrt at 0": mx.sqrt,
    "a^b at (0, 0)": mx.power,
    "where(x > 0, √x, 0) at 0": lambda x: mx.where(x > 0, mx.sqrt(x), 0.0),
    "where(x > 0, log x, 0) at 0": lambda x: mx.where(x > 0, mx.log(x), 0.0),
    "logsumexp of (−∞, −∞)": mx.logsumexp,
    "x/|x| at (0, 0), first": lambda x: (x / mx.linalg.norm(x))[0],
    "1/(1 + exp(−x)) at −1000": lambda x: 1 / (1 + mx.exp(-x)),
    "atan2(y, x) at (0, 0)": mx.arctan2,
    "mean of no rows": lambda w: (mx.zeros((0, 2)) @ w).mean(),
    "loss, all labels ignored": ignored,
    "maximum(x, x) at 1": lambda x: mx.maximum(x, x),
    "x⁰ at 0": lambda x: x**0.0,
    "product of (0, 2, 3)": mx.prod,
    "product of (0, 0, 3)": mx.prod,
    "Σ cumprod of (0, 2, 3)": lambda x: mx.cumprod(x).sum(),
    "log_softmax of (−∞, 0), second": lambda x: nn.log_softmax(x)[1],
    "BCE on logits at 0, label 0": lambda z: nn.losses.binary_cross_entropy(
        z, mx.zeros(1)
    ),
    "soft labels (1, 1, 0)": lambda z: nn.losses.cross_entropy(
        z, mx.array([1.0, 1, 0]), reduction="sum"
    ),
    "elu at 0": nn.elu,
    "logaddexp at (0, 0)": mx.logaddexp,
    "read x[0, 0, 1]": lambda x: x[mx.array([0, 0, 1])].sum(),
    "write y[1, 1] = v, y₁": write,
    "overlapping windows": lambda x: x[WINDOWS].sum(),
    "normalised, no scale": normalised,
    "integer input: x/2 at 3": lambda x: 0.5 * x,
}

if __name__ == "__main__":
    ask("MLX", mx.__version__, FUNCTIONS, grad)
