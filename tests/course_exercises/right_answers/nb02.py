"""Right answers to the exercises of 02 in other styles."""

import numpy as np

from course_exercises.nb02.shared import sigma
from course_utils.scalar import Value

from . import right


@right("02.1")
def cross_entropy_simplified(y_in, t):
    return [sigma(z) - target for z, target in zip(y_in, t, strict=True)]


@right("02.1")
def cross_entropy_by_array(y_in, t):
    return 1 / (1 + np.exp(-np.asarray(y_in))) - t


def prices(t, h, y, V):
    dy_in = 2 * (y - t) * y * (1 - y)
    return dy_in, V @ dy_in * h * (1 - h)


@right("02.2")
def biases_by_arrays(x, t, h, y, V):
    dy_in, dh_in = prices(*map(np.asarray, (t, h, y, V)))
    return np.outer(x, dh_in), np.outer(h, dy_in), dh_in, dy_in


@right("02.2")
def biases_as_weights_of_one(x, t, h, y, V):
    """A bias is a weight that 1 comes into."""
    dy_in, dh_in = prices(t, h, y, V)
    dW, dV = np.outer([*x, 1.0], dh_in), np.outer([*h, 1.0], dy_in)
    return dW[:2].tolist(), dV[:2].tolist(), tuple(dW[2]), tuple(dV[2])


@right("02.3")
def weights_by_arrays(x, t, h, y, V):
    dy_in, dh_in = prices(t, h, y, V)
    return np.outer(x, dh_in), np.outer(h, dy_in)


@right("02.3")
def weights_by_einsum(x, t, h, y, V):
    dy_in = np.einsum("j,j,j->j", 2 * (y - t), y, 1 - y)
    dh_in = np.einsum("ij,j,i,i->i", V, dy_in, h, 1 - h)
    return [np.einsum("i,j->ij", x, dh_in), np.einsum("i,j->ij", h, dy_in)]


@right("02.5")
def deep_by_arrays(weights, x, t):
    layers = [np.array(x)]
    for W in weights:
        layers.append(1 / (1 + np.exp(-(layers[-1] @ np.array(W)))))
    price, found = 2 * (layers[-1] - t), []
    for W, before, after in zip(
        weights[::-1], layers[-2::-1], layers[:0:-1], strict=True
    ):
        d = price * after * (1 - after)
        found.insert(0, np.outer(before, d))
        price = np.array(W) @ d
    return found


@right("02.5")
def deep_by_recursion(weights, x, t):
    def walk(k, before):
        if k == len(weights):
            return [2 * (y - target) for y, target in zip(before, t, strict=True)], []
        columns = list(zip(*weights[k], strict=True))
        after = [
            sigma(sum(b * w for b, w in zip(before, column, strict=True)))
            for column in columns
        ]
        price, later = walk(k + 1, after)
        d = [p * a * (1 - a) for p, a in zip(price, after, strict=True)]
        own = [[b * e for e in d] for b in before]
        back = [sum(w * e for w, e in zip(row, d, strict=True)) for row in weights[k]]
        return back, [own, *later]

    return walk(0, x)[1]


@right("02.5")
def deep_on_a_tape(weights, x, t):
    weights = [[[Value(w) for w in row] for row in W] for W in weights]
    h = x
    for W in weights:
        columns = zip(*W, strict=True)
        h = [
            sum(w * b for w, b in zip(column, h, strict=True)).sigmoid()
            for column in columns
        ]
    sum((y - target) ** 2 for y, target in zip(h, t, strict=True)).backward()
    return [[[w.grad for w in row] for row in W] for W in weights]


@right("02.1")
def in_pieces(y_in, t):
    out = []
    for z, target in zip(y_in, t, strict=True):
        y, price = sigma(z), 0.0
        price += target * -(1 - y)
        price += (1 - target) * y
        out.append(price)
    return tuple(out)


@right("02.2")
def number_by_number(x, t, h, y, V):
    db, dc, dW, dV = [0.0, 0.0], [0.0, 0.0], np.zeros((2, 2)), np.zeros((2, 2))
    for j in range(2):
        dc[j] += 2 * (y[j] - t[j]) * (y[j] - y[j] ** 2)
        for i in range(2):
            dV[i, j] = h[i] * dc[j]
            db[i] += V[i][j] * dc[j] * (h[i] - h[i] ** 2)
    for i in range(2):
        for j in range(2):
            dW[i][j] = x[i] * db[j]
    return dW, dV, np.array(db), dc


@right("02.3")
def by_loops(x, t, h, y, V):
    dW, dV, dh = np.zeros((2, 2)), np.zeros((2, 2)), [0.0, 0.0]
    for i, j in np.ndindex(2, 2):
        d = (y[j] - t[j]) * 2 * y[j] * (1 - y[j])
        dV[i, j] += h[i] * d
        dh[i] += V[i][j] * d
    for i, j in np.ndindex(2, 2):
        dW[i, j] += x[i] * dh[j] * h[j] * (1 - h[j])
    return dW, dV
