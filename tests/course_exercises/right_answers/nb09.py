"""Right answers to the exercises of 09 in other styles."""

import numpy as np

from course_exercises.nb09.few_pictures import network, normalize
from course_utils import functional as F
from course_utils import layers
from course_utils.optim import SGD
from course_utils.tensor import Tensor
from course_utils.training import fit, logits_of

from . import right


@right("09.1")
def hidden_by_rules(grad_out, X, W, b, mask):
    grad_H = F.mul_vjp(grad_out, F.relu(F.linear(X, W, b)), mask)[0]
    return F.linear_vjp(F.relu_vjp(grad_H, F.linear(X, W, b)), X, W)


@right("09.1")
def hidden_by_tape(grad_out, X, W, b, mask):
    x, w, c = Tensor(X), Tensor(W), Tensor(b)
    ((x @ w + c).relu() * mask * grad_out).sum().backward()
    return [x.grad, w.grad, c.grad]


@right("09.2")
def paired_by_lists(right_a, right_b):
    d = [float(a) - float(b) for a, b in zip(right_a, right_b, strict=True)]
    lead = sum(d) / len(d)
    variance = sum((x - lead) ** 2 for x in d) / len(d)
    return [lead, (variance / len(d)) ** 0.5]


@right("09.2")
def paired_by_numpy(right_a, right_b):
    d = np.subtract(right_a, right_b)
    return np.mean(d), np.std(d) / np.sqrt(d.size)


@right("09.2")
def paired_by_accuracies(right_a, right_b):
    n = np.size(right_a)
    p, q, both = np.mean(right_a), np.mean(right_b), np.mean(right_a * right_b)
    variance = p * (1 - p) + q * (1 - q) - 2 * (both - p * q)
    return {"lead": p - q, "error": np.sqrt(variance / n)}


@right("09.3")
def prepare_by_squares(x_fit, x_val):
    mu = np.sum(x_fit) / x_fit.size
    sigma = np.sqrt(np.mean(x_fit**2) - mu**2)
    return tuple((x - mu) / sigma for x in (x_fit, x_val))


@right("09.3")
def prepare_by_lists(x_fit, x_val):
    flat = [float(value) for row in x_fit for value in row]
    mu = sum(flat) / len(flat)
    sigma = (sum((value - mu) ** 2 for value in flat) / len(flat)) ** 0.5
    return [[[(v - mu) / sigma for v in row] for row in x] for x in (x_fit, x_val)]


@right("09.4")
def pixels_by_tape(x, labels, mean, std, W1, b1, W2, b2):
    pixels = Tensor(x)
    hidden = (((pixels - mean) / std) @ W1 + b1).relu()
    (hidden @ W2 + b2).softmax_cross_entropy(labels).backward()
    return pixels.grad


@right("09.4")
def pixels_by_layers(x, labels, mean, std, W1, b1, W2, b2):
    net = layers.Sequential(layers.Linear(W1, b1), layers.ReLU(), layers.Linear(W2, b2))
    loss = layers.SoftmaxCrossEntropy()
    loss(net((x - mean) / std), labels)
    return net.backward(loss.backward()) * (1 / std)


@right("09.5")
def learn_widely(x, y, rng):
    """Learn from nine copies of each picture, moved in all directions."""
    pictures = x.reshape(-1, 28, 28)
    ways = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    moved = np.concatenate([np.roll(pictures, way, (1, 2)) for way in ways])
    X, labels = normalize(moved.reshape(-1, 784)), np.tile(y, 9)
    model = network(128, rng)
    optimizer = SGD(model.parameters(), 0.05, momentum=0.9)
    how = {"optimizer": optimizer, "rng": rng, "progress": False}
    how["schedule"] = lambda done: 1 - done
    fit(model, X, labels, epochs=3, batch_size=64, **how)
    return lambda x: list(logits_of(model, normalize(x)).argmax(axis=1))


@right("09.1")
def hidden_by_units(grad_out, X, W, b, mask):
    grad_X, grad_W, grad_b = np.zeros_like(X), np.zeros_like(W), np.zeros_like(b)
    for n in range(len(X)):
        for j in range(len(b)):
            if X[n] @ W[:, j] + b[j] > 0:
                g = grad_out[n, j] * mask[n, j]
                grad_X[n] += g * W[:, j]
                grad_W[:, j] += g * X[n]
                grad_b[j] += g
    return grad_X, grad_W, grad_b


@right("09.4")
def pixels_by_hand(x, labels, mean, std, W1, b1, W2, b2):
    rows = []
    for row, label in zip(x, labels, strict=True):
        z = (row - mean) / std @ W1 + b1
        logits = np.maximum(z, 0) @ W2 + b2
        p = np.exp(logits - logits.max())
        p /= p.sum()
        p[label] -= 1
        rows.append(W1 @ ((W2 @ p) * (z > 0)) / std / len(x))
    return rows
