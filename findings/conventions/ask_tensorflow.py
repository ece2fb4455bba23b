"""TensorFlow's answers."""

import tensorflow as tf
from asking import ask

W = tf.constant([0.3, -0.6, 0.9, 0.1])
WINDOWS = [[0, 1, 2], [1, 2, 3], [2, 3, 4]]


def grad(f, *at):
    leaves = [tf.Variable(x) for x in at]
    with tf.GradientTape() as tape:
        y = f(*leaves)
    grads = tape.gradient(y, leaves)
    return [None if g is None else tf.convert_to_tensor(g) for g in grads]


def write(v):
    return tf.tensor_scatter_nd_update(tf.zeros(3), [[1], [1]], v)[1]


def pool(x):
    return tf.nn.max_pool2d(tf.reshape(x, (1, 2, 2, 1)), 2, 2, "VALID")


def layer_norm(x):
    mean, variance = tf.nn.moments(x, 0)
    return tf.nn.batch_normalization(x, mean, variance, None, None, 0.0) * W


def bce(z):
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=[0.0], logits=z)


def soft(z):
    return tf.nn.softmax_cross_entropy_with_logits(labels=[1.0, 1, 0], logits=z)


def ignored(z):
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits([0], [z])
    return tf.reduce_mean(tf.boolean_mask(losses, [False]))


FUNCTIONS = {
    "relu at 0": tf.nn.relu,
    "|x| at 0": tf.abs,
    "maximum(a, b), tie": tf.maximum,
    "minimum(a, b), tie": tf.minimum,
    "max of (1, 1)": tf.reduce_max,
    "clip to [0, 1] at 1": lambda x: tf.clip_by_value(x, 0, 1),
    "norm of (0, 0)": tf.norm,
    "std of (1, 1, 1)": tf.math.reduce_std,
    "least of sorted (1, 1, 1)": lambda x: tf.sort(x)[0],
    "max pool, four equal": pool,
    "sqrt at 0": tf.sqrt,
    "a^b at (0, 0)": tf.pow,
    "where(x > 0, √x, 0) at 0": lambda x: tf.where(x > 0, tf.sqrt(x), 0.0),
    "where(x > 0, log x, 0) at 0": lambda x: tf.where(x > 0, tf.math.log(x), 0.0),
    "logsumexp of (−∞, −∞)": tf.reduce_logsumexp,
    "x/|x| at (0, 0), first": lambda x: (x / tf.norm(x))[0],
    "1/(1 + exp(−x)) at −1000": lambda x: 1 / (1 + tf.exp(-x)),
    "atan2(y, x) at (0, 0)": tf.atan2,
    "mean of no rows": lambda w: tf.reduce_mean(tf.linalg.matvec(tf.zeros((0, 2)), w)),
    "loss, all labels ignored": ignored,
    "maximum(x, x) at 1": lambda x: tf.maximum(x, x),
    "x⁰ at 0": lambda x: x**0.0,
    "product of (0, 2, 3)": tf.reduce_prod,
    "product of (0, 0, 3)": tf.reduce_prod,
    "Σ cumprod of (0, 2, 3)": tf.math.cumprod,
    "det (1 1; 1 1)": tf.linalg.det,
    "det (0 0; 0 2)": tf.linalg.det,
    "log_softmax of (−∞, 0), second": lambda x: tf.nn.log_softmax(x)[1],
    "BCE on logits at 0, label 0": bce,
    "soft labels (1, 1, 0)": soft,
    "elu at 0": tf.nn.elu,
    "read x[0, 0, 1]": lambda x: tf.gather(x, [0, 0, 1]),
    "write y[1, 1] = v, y₁": write,
    "overlapping windows": lambda x: tf.gather(x, WINDOWS),
    "normalised, no scale": layer_norm,
    "integer input: x/2 at 3": lambda x: 0.5 * x,
}

if __name__ == "__main__":
    ask("TensorFlow", tf.__version__, FUNCTIONS, grad)
