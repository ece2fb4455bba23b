"""MyGrad's answers."""

from importlib.metadata import version

import mygrad as mg
import numpy as np
from asking import ask
from mygrad.nnet.activations import elu, logsoftmax, relu

WINDOWS = np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4]])
W = np.array([0.3, -0.6, 0.9, 0.1])


def grad(f, *at):
    leaves = [mg.tensor(np.array(x)) for x in at]
    f(*leaves).sum().backward()
    return [leaf.grad for leaf in leaves]


def write(v):
    y = mg.zeros(3)
    y[[1, 1]] = v
    return y[1]


def ignored(z):
    counted = np.zeros(1)
    return -(logsoftmax(z)[1] * counted).sum() / counted.sum()


FUNCTIONS = {
    "relu at 0": relu,
    "|x| at 0": mg.abs,
    "maximum(a, b), tie": mg.maximum,
    "minimum(a, b), tie": mg.minimum,
    "max of (1, 1)": mg.max,
    "clip to [0, 1] at 1": lambda x: mg.clip(x, 0, 1),
    "norm of (0, 0)": mg.linalg.norm,
    "std of (1, 1, 1)": mg.std,
    "sqrt at 0": mg.sqrt,
    "a^b at (0, 0)": mg.power,
    "where(x > 0, √x, 0) at 0": lambda x: mg.where(x.data > 0, mg.sqrt(x), 0.0),
    "where(x > 0, log x, 0) at 0": lambda x: mg.where(x.data > 0, mg.log(x), 0.0),
    "logsumexp of (−∞, −∞)": lambda x: mg.log(mg.exp(x).sum()),
    "x/|x| at (0, 0), first": lambda x: (x / mg.linalg.norm(x))[0],
    "1/(1 + exp(−x)) at −1000": lambda x: 1 / (1 + mg.exp(-x)),
    "atan2(y, x) at (0, 0)": mg.arctan2,
    "mean of no rows": lambda w: mg.matmul(np.zeros((0, 2)), w).mean(),
    "loss, all labels ignored": ignored,
    "maximum(x, x) at 1": lambda x: mg.maximum(x, x),
    "x⁰ at 0": lambda x: x**0.0,
    "product of (0, 2, 3)": mg.prod,
    "product of (0, 0, 3)": mg.prod,
    "Σ cumprod of (0, 2, 3)": mg.cumprod,
    "log_softmax of (−∞, 0), second": lambda x: logsoftmax(x)[1],
    "elu at 0": lambda x: elu(x, alpha=1.0),
    "logaddexp at (0, 0)": mg.logaddexp,
    "read x[0, 0, 1]": lambda x: x[np.array([0, 0, 1])],
    "write y[1, 1] = v, y₁": write,
    "overlapping windows": lambda x: x[WINDOWS],
    "normalised, no scale": lambda x: (x - x.mean()) / x.std() * W,
    "integer input: x/2 at 3": lambda x: 0.5 * x,
}

if __name__ == "__main__":
    ask("MyGrad", version("mygrad"), FUNCTIONS, grad)
