"""Right answers to the exercises of 04 in other styles."""

import numpy as np

from . import right


@right("04.1")
def from_two_centrals(f, x, h):
    def central(step):
        return (f(x + step) - f(x - step)) / (2 * step)

    return central(h) + (central(h) - central(2 * h)) / 3


@right("04.1")
def from_weights(f, x, h):
    weights = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}
    return sum(w * f(x + k * h) for k, w in weights.items()) / h


@right("04.1")
def from_an_array(f, x, h):
    values = [f(x + k * h) for k in range(-2, 3)]
    return np.dot([1, -8, 0, 8, -1], values) / 12 / h


@right("04.2")
def softplus_by_sigmoid(grad_out, x):
    with np.errstate(over="ignore"):
        return grad_out / (1 + np.exp(-x))


@right("04.2")
def softplus_by_two_branches(grad_out, x):
    e = np.exp(-np.abs(x))
    return grad_out * np.where(x >= 0, 1, e) / (1 + e)


@right("04.2")
def softplus_from_the_output(grad_out, x):
    return np.exp(x - np.logaddexp(0, x)) * grad_out


@right("04.2")
def softplus_by_loop(grad_out, x):
    grad_x = np.empty_like(x)
    for index, z in np.ndenumerate(x):
        e = np.exp(-abs(z))
        grad_x[index] = grad_out[index] * (1 / (1 + e) if z > 0 else e / (1 + e))
    return grad_x
