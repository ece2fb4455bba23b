"""09.4 · A step that hurts"""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

SCALE = "09_training_mnist#One scale for all pixels"
SPOILT = "09_training_mnist#Three ways to spoil a number"
LOOKS = "09_training_mnist#What it looks at"
LOSSES = "06_layers_and_losses#Softmax"
ACTIVATIONS = "06_layers_and_losses#Activations"

ex = Exercise(
    "09.4",
    "A step that hurts",
    gradient=True,
    absent={
        "at-output": "a ReLU's output is positive exactly where its input is",
        "assigned": "each picture is used once",
        "broadcast": "a picture is not shared by several rows",
    },
    hints=(
        "Write the way forward first, in four lines: normalise, linear, ReLU, "
        "linear. Keep what the way back needs.",
        "For the logits there is one rule for softmax and loss together. Then "
        "through `W2`, through the ReLU, through `W1`.",
        "Through a linear layer to its input: the gradient times `W.T`. Last comes "
        "the normalisation: one unit more of $x$ is $1/\\sigma$ more of $X$.",
    ),
    explanation=(
        "$dX = \\bigl((P - Y) W_2^\\top / N \\odot [Z > 0]\\bigr) W_1^\\top$, and the "
        "normalisation divides by $\\sigma$. The step along the signs hurts so much "
        "because all 784 small changes push in the same direction: their effects "
        "*add*, where random ones nearly cancel."
    ),
)


@ex.answer
def pixel_gradient(x, labels, mean, std, W1, b1, W2, b2):
    X = (x - mean) / std
    Z = F.linear(X, W1, b1)
    logits = F.linear(F.relu(Z), W2, b2)
    grad_logits = F.softmax_cross_entropy_vjp(1.0, logits, labels)
    grad_Z = F.relu_vjp(grad_logits @ W2.T, Z)
    return grad_Z @ W1.T / std  # (N, H) @ (H, D) -> (N, D)


@ex.given
def pixel_inputs(rng):
    sizes = (2, 3, 4, 3), (5, 4, 6, 10), (1, 5, 4, 3), (3, 3, 3, 3), (6, 8, 5, 10)
    return [
        (
            rng.uniform(0.05, 1, (N, D)),
            rng.integers(0, K, N),
            rng.uniform(0.1, 0.3),
            rng.uniform(0.3, 0.6),
            rng.normal(size=(D, H)),
            rng.normal(size=H),
            rng.normal(size=(H, K)),
            rng.normal(size=K),
        )
        for N, D, H, K in sizes
    ]


@ex.right
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


def pixels_with(x, labels, net, shift=(0, 1), out=1, gate=True, soft=F.softmax, bias=1):
    """Make the pixel gradient in one of several wrong ways."""
    W1, b1, W2, b2 = net
    mean, std = shift
    Z = (x - mean) / std @ W1 + bias * b1
    H = np.maximum(Z, 0)
    grad = soft(H @ W2 + bias * b2) - np.eye(W2.shape[1])[labels]
    grad_Z = grad @ W2.T / len(x)
    return (grad_Z * (Z > 0) if gate else grad_Z) @ W1.T * out


def _pixels_through(gate, softmax=F.softmax):
    def wrong(x, labels, mean, std, W1, b1, W2, b2):
        Z = (x - mean) / std @ W1 + b1
        grad = softmax(np.maximum(Z, 0) @ W2 + b2)
        grad[np.arange(len(x)), labels] -= 1
        grad_H = grad / len(x) @ W2.T
        return grad_H * gate(Z, grad_H) @ W1.T / std

    return wrong


def _softmax_of_columns(z):
    return F.softmax(z.T).T


@ex.right
def pixels_by_units(x, labels, mean, std, W1, b1, W2, b2):
    Z = (x - mean) / std @ W1 + b1
    grad = F.softmax(np.maximum(Z, 0) @ W2 + b2)
    grad[np.arange(len(x)), labels] -= 1
    out = np.zeros_like(x)
    for j in range(W1.shape[1]):
        out += np.outer(grad @ W2[j] * (Z[:, j] > 0), W1[:, j]) / std / len(x)
    return out


ex.mistake(
    "input-for-gate", ACTIVATIONS, code=_pixels_through(lambda Z, grad: Z)
).says("""
    The gradient is multiplied by ReLU's input. On the way back it is the derivative
    that counts, 0 or 1.
""")

ex.mistake(
    "gate-of-gradient", ACTIVATIONS, code=_pixels_through(lambda Z, grad: grad > 0)
).says("""
    The gate looks at the gradient. It is the *input* of ReLU that tells where it is
    open.
""")

ex.mistake(
    "softmax-over-examples",
    LOSSES,
    code=_pixels_through(lambda Z, grad: Z > 0, _softmax_of_columns),
).says("""
    The softmax runs over the examples. Each row has probabilities of its own.
""")


@ex.wrong()
def activation_missing(x, labels, mean, std, *net):
    return pixels_with(x, labels, net, (mean, std), 1 / std, gate=False)


@ex.wrong(LOOKS)
def std_missing(x, labels, mean, std, *net):
    """This is the gradient for the *normalised* pixels. Normalising is a step of the
    chain too, and has a derivative.
    """
    return pixels_with(x, labels, net, (mean, std))


@ex.wrong(LOOKS)
def std_multiplied(x, labels, mean, std, *net):
    r"""On the way back it is multiplied by `std`. What is the derivative of $(x -
    \mu)/\sigma$ by $x$?
    """
    return pixels_with(x, labels, net, (mean, std), std)


@ex.wrong(LOOKS)
def std_twice(x, labels, mean, std, *net):
    """It is divided by `std` twice. Each step of the chain counts once."""
    return pixels_with(x, labels, net, (mean, std), 1 / std**2)


@ex.wrong(LOOKS)
def mean_kept(x, labels, mean, std, *net):
    """`mean` plays a part in the derivative. What is subtracted is a constant."""
    return pixels_with(x, labels, net, (mean, std), (1 - mean) / std)


@ex.wrong(LOOKS)
def gradient_normalised(x, labels, mean, std, *net):
    """The gradient is normalised like a picture. On the way back only the derivative
    counts: what is subtracted is a constant.
    """
    return (pixels_with(x, labels, net, (mean, std)) - mean) / std


@ex.wrong(ACTIVATIONS)
def value_for_derivative(x, labels, mean, std, W1, b1, W2, b2):
    """The gradient is multiplied by ReLU's value. On the way back it is the derivative
    that counts, 0 or 1.
    """
    Z = F.linear((x - mean) / std, W1, b1)
    logits = F.linear(F.relu(Z), W2, b2)
    grad = F.softmax_cross_entropy_vjp(1.0, logits, labels)
    return (grad @ W2.T * F.relu(Z)) @ W1.T / std


@ex.wrong(SCALE)
def not_normalised(x, labels, mean, std, *net):
    """The network is fed with raw pixels. It has learnt from normalised ones."""
    return pixels_with(x, labels, net)


@ex.wrong(SCALE)
def raw_forward(x, labels, mean, std, *net):
    """On the way back the normalisation is there, on the way forward it is not."""
    return pixels_with(x, labels, net, out=1 / std)


@ex.wrong(SCALE)
def not_shifted(x, labels, mean, std, *net):
    """The pixels are divided by `std`, but `mean` is not subtracted before."""
    return pixels_with(x, labels, net, (0, std), 1 / std)


@ex.wrong(ACTIVATIONS)
def gate_reversed(x, labels, mean, std, W1, b1, W2, b2):
    """The gradient passes where ReLU is closed, and stops where it is open."""
    Z = F.linear((x - mean) / std, W1, b1)
    logits = F.linear(F.relu(Z), W2, b2)
    grad = F.softmax_cross_entropy_vjp(1.0, logits, labels)
    return F.relu_vjp(grad @ W2.T, -Z) @ W1.T / std


@ex.wrong(LOSSES)
def softmax_missing(x, labels, mean, std, *net):
    """The logits stand where the probabilities belong: the softmax is missing."""
    return pixels_with(x, labels, net, (mean, std), 1 / std, soft=lambda z: z)


@ex.wrong(SPOILT)
def softmax_twice(x, labels, mean, std, *net):
    """The softmax is taken twice."""

    def twice(z):
        return F.softmax(F.softmax(z))

    return pixels_with(x, labels, net, (mean, std), 1 / std, soft=twice)


@ex.wrong(ACTIVATIONS)
def bias_missing(x, labels, mean, std, *net):
    """The biases are left out on the way forward. They decide which ReLUs are open, and
    what the softmax gives.
    """
    return pixels_with(x, labels, net, (mean, std), 1 / std, bias=0)


@ex.wrong(LOOKS)
def signs(x, labels, mean, std, *net):
    """These are the signs. Asked for is the gradient; the signs come after."""
    return np.sign(pixels_with(x, labels, net, (mean, std), 1 / std))
