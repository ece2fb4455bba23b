"""PyTensor's answers, in its default mode."""

import numpy as np
import pytensor
import pytensor.tensor as pt
from asking import ask

W = np.array([0.3, -0.6, 0.9, 0.1])
WINDOWS = np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4]])


def grad(f, *at):
    arrays = [np.array(x) for x in at]
    leaves = [pt.tensor(shape=x.shape, dtype=x.dtype) for x in arrays]
    grads = pytensor.grad(f(*leaves), leaves)
    return pytensor.function(leaves, grads)(*arrays)


def write(v):
    return pt.set_subtensor(pt.zeros(3)[np.array([1, 1])], v)[1]


def ignored(z):
    losses, counted = -pt.special.log_softmax(z)[1:2], pt.zeros(1)
    return (losses * counted).sum() / counted.sum()


FUNCTIONS = {
    "relu at 0": lambda x: pt.maximum(x, 0),
    "|x| at 0": pt.abs,
    "maximum(a, b), tie": pt.maximum,
    "minimum(a, b), tie": pt.minimum,
    "max of (1, 1)": pt.max,
    "clip to [0, 1] at 1": lambda x: pt.clip(x, 0, 1),
    "norm of (0, 0)": lambda x: pt.sqrt((x * x).sum()),
    "std of (1, 1, 1)": pt.std,
    "least of sorted (1, 1, 1)": lambda x: pt.sort(x)[0],
    "sqrt at 0": pt.sqrt,
    "a^b at (0, 0)": lambda a, b: a**b,
    "where(x > 0, √x, 0) at 0": lambda x: pt.where(x > 0, pt.sqrt(x), 0.0),
    "where(x > 0, log x, 0) at 0": lambda x: pt.where(x > 0, pt.log(x), 0.0),
    "logsumexp of (−∞, −∞)": pt.logsumexp,
    "x/|x| at (0, 0), first": lambda x: (x / pt.sqrt((x * x).sum()))[0],
    "1/(1 + exp(−x)) at −1000": lambda x: 1 / (1 + pt.exp(-x)),
    "atan2(y, x) at (0, 0)": pt.arctan2,
    "mean of no rows": lambda w: pt.dot(np.zeros((0, 2)), w).mean(),
    "loss, all labels ignored": ignored,
    "maximum(x, x) at 1": lambda x: pt.maximum(x, x),
    "x⁰ at 0": lambda x: x**0.0,
    "product of (0, 2, 3)": pt.prod,
    "product of (0, 0, 3)": pt.prod,
    "Σ cumprod of (0, 2, 3)": lambda x: pt.cumprod(x).sum(),
    "det (1 1; 1 1)": pt.linalg.det,
    "det (0 0; 0 2)": pt.linalg.det,
    "log_softmax of (−∞, 0), second": lambda x: pt.special.log_softmax(x)[1],
    "logaddexp at (0, 0)": pt.logaddexp,
    "read x[0, 0, 1]": lambda x: x[np.array([0, 0, 1])].sum(),
    "write y[1, 1] = v, y₁": write,
    "overlapping windows": lambda x: x[WINDOWS].sum(),
    "normalised, no scale": lambda x: ((x - x.mean()) / x.std() * W).sum(),
    "integer input: x/2 at 3": lambda x: 0.5 * x,
}

if __name__ == "__main__":
    ask("PyTensor", pytensor.__version__, FUNCTIONS, grad)
