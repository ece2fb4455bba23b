"""Answers of tinygrad, by its device PYTHON, which needs no compiler."""

import os
from importlib.metadata import version

os.environ.setdefault("DEV", "PYTHON")

from asking import ask  # noqa: E402
from tinygrad import Tensor  # noqa: E402

WINDOWS = Tensor([[0, 1, 2], [1, 2, 3], [2, 3, 4]])
W = Tensor([0.3, -0.6, 0.9, 0.1])


def grad(f, *at):
    leaves = [Tensor(x if isinstance(x, tuple) else [x]) for x in at]
    return [g.numpy() for g in f(*leaves).sum().gradient(*leaves)]


def bce(z):
    return z.binary_crossentropy_logits(Tensor([0.0]))


def ignored(z):
    labels = Tensor([-1])
    return z.reshape(1, 3).sparse_categorical_crossentropy(labels, ignore_index=-1)


FUNCTIONS = {
    "relu at 0": lambda x: x.relu(),
    "|x| at 0": lambda x: x.abs(),
    "maximum(a, b), tie": lambda a, b: a.maximum(b),
    "minimum(a, b), tie": lambda a, b: a.minimum(b),
    "max of (1, 1)": lambda x: x.max(),
    "clip to [0, 1] at 1": lambda x: x.clip(0, 1),
    "norm of (0, 0)": lambda x: x.square().sum().sqrt(),
    "std of (1, 1, 1)": lambda x: x.std(),
    "least of sorted (1, 1, 1)": lambda x: x.sort()[0][0],
    "max pool, four equal": lambda x: x.reshape(1, 1, 2, 2).max_pool2d((2, 2)),
    "sqrt at 0": lambda x: x.sqrt(),
    "a^b at (0, 0)": lambda a, b: a.pow(b),
    "where(x > 0, √x, 0) at 0": lambda x: (x > 0).where(x.sqrt(), 0.0),
    "where(x > 0, log x, 0) at 0": lambda x: (x > 0).where(x.log(), 0.0),
    "logsumexp of (−∞, −∞)": lambda x: x.logsumexp(),
    "x/|x| at (0, 0), first": lambda x: (x / x.square().sum().sqrt())[0],
    "1/(1 + exp(−x)) at −1000": lambda x: 1 / (1 + (-x).exp()),
    "mean of no rows": lambda w: (Tensor.zeros(0, 2) @ w).mean(),
    "loss, all labels ignored": ignored,
    "maximum(x, x) at 1": lambda x: x.maximum(x),
    "x⁰ at 0": lambda x: x**0.0,
    "product of (0, 2, 3)": lambda x: x.prod(),
    "product of (0, 0, 3)": lambda x: x.prod(),
    "Σ cumprod of (0, 2, 3)": lambda x: x.cumprod(0),
    "log_softmax of (−∞, 0), second": lambda x: x.log_softmax()[1],
    "BCE on logits at 0, label 0": bce,
    "soft labels (1, 1, 0)": lambda z: z.reshape(1, 3).cross_entropy(
        Tensor([[1.0, 1, 0]])
    ),
    "elu at 0": lambda x: x.elu(),
    "read x[0, 0, 1]": lambda x: x[[0, 0, 1]],
    "overlapping windows": lambda x: x[WINDOWS],
    "normalised, no scale": lambda x: x.layernorm(eps=0.0) * W,
    "integer input: x/2 at 3": lambda x: 0.5 * x,
}

if __name__ == "__main__":
    ask("tinygrad", version("tinygrad"), FUNCTIONS, grad)
