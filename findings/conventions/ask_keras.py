"""Keras's answers, with TensorFlow behind it."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from asking import ask  # noqa: E402
from keras import losses, ops  # noqa: E402

W = ops.convert_to_tensor([0.3, -0.6, 0.9, 0.1])
WINDOWS = [[0, 1, 2], [1, 2, 3], [2, 3, 4]]


def grad(f, *at):
    leaves = [tf.constant(x) for x in at]
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        y = f(*leaves)
    grads = tape.gradient(y, leaves)
    return [None if g is None else tf.convert_to_tensor(g) for g in grads]


def write(v):
    return ops.scatter_update(ops.zeros(3), [[1], [1]], v)[1]


def pool(x):
    return ops.max_pool(ops.reshape(x, (1, 2, 2, 1)), 2, 2)


def normalised(x):
    return ops.layer_normalization(x, epsilon=0.0) * W


def bce(z):
    loss = losses.BinaryCrossentropy(from_logits=True)
    return loss(ops.zeros((1, 1)), ops.reshape(z, (1, 1)))


def soft(z):
    labels = ops.convert_to_tensor([[1.0, 1, 0]])
    loss = losses.CategoricalCrossentropy(from_logits=True)
    return loss(labels, ops.reshape(z, (1, 3)))


def ignored(z):
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)
    return loss(ops.convert_to_tensor([1]), ops.reshape(z, (1, 3)))


FUNCTIONS = {
    "relu at 0": ops.relu,
    "|x| at 0": ops.absolute,
    "maximum(a, b), tie": ops.maximum,
    "minimum(a, b), tie": ops.minimum,
    "max of (1, 1)": ops.max,
    "clip to [0, 1] at 1": lambda x: ops.clip(x, 0, 1),
    "norm of (0, 0)": ops.norm,
    "std of (1, 1, 1)": ops.std,
    "least of sorted (1, 1, 1)": lambda x: ops.sort(x)[0],
    "median of (1, 1, 1)": ops.median,
    "max pool, four equal": pool,
    "sqrt at 0": ops.sqrt,
    "a^b at (0, 0)": ops.power,
    "where(x > 0, √x, 0) at 0": lambda x: ops.where(x > 0, ops.sqrt(x), 0.0),
    "where(x > 0, log x, 0) at 0": lambda x: ops.where(x > 0, ops.log(x), 0.0),
    "logsumexp of (−∞, −∞)": ops.logsumexp,
    "x/|x| at (0, 0), first": lambda x: (x / ops.norm(x))[0],
    "1/(1 + exp(−x)) at −1000": lambda x: 1 / (1 + ops.exp(-x)),
    "atan2(y, x) at (0, 0)": ops.arctan2,
    "mean of no rows": lambda w: ops.mean(ops.matmul(ops.zeros((0, 2)), w)),
    "loss, all labels ignored": ignored,
    "maximum(x, x) at 1": lambda x: ops.maximum(x, x),
    "x⁰ at 0": lambda x: ops.power(x, 0.0),
    "product of (0, 2, 3)": ops.prod,
    "product of (0, 0, 3)": ops.prod,
    "Σ cumprod of (0, 2, 3)": lambda x: ops.sum(ops.cumprod(x)),
    "det (1 1; 1 1)": ops.det,
    "det (0 0; 0 2)": ops.det,
    "log_softmax of (−∞, 0), second": lambda x: ops.log_softmax(x)[1],
    "BCE on logits at 0, label 0": bce,
    "soft labels (1, 1, 0)": soft,
    "elu at 0": ops.elu,
    "logaddexp at (0, 0)": ops.logaddexp,
    "read x[0, 0, 1]": lambda x: ops.take(x, [0, 0, 1]),
    "write y[1, 1] = v, y₁": write,
    "overlapping windows": lambda x: ops.take(x, WINDOWS),
    "normalised, no scale": normalised,
    "integer input: x/2 at 3": lambda x: ops.multiply(0.5, x),
}

if __name__ == "__main__":
    ask("Keras", keras.__version__, FUNCTIONS, grad)
