"""09.2 · Labels that leave a doubt"""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

SPOILT = "09_training_mnist#Three ways to spoil a number"
LOSSES = "06_layers_and_losses#Softmax"

ex = Exercise(
    "09.2",
    "Labels that leave a doubt",
    gradient=True,
    n=lambda grad_out, z, labels: len(z),
    absent={
        "assigned": "each logit is used for its own example alone",
        "broadcast": "nothing that the gradient is asked for is shared",
    },
    hints=(
        "$\\log p_k = z_k - \\mathrm{logsumexp}(z)$, and $\\sum_k q_k = 1$. Write "
        "the loss of one example with these two.",
        "The loss of one example is $\\mathrm{logsumexp}(z) - \\sum_k q_k z_k$. "
        "What is the derivative of each part by $z_k$?",
        "It is a difference of two vectors, as for hard labels; only the second "
        "vector changes. And a mean over the examples divides by N.",
    ),
    explanation=(
        "Since $\\sum_k q_k = 1$, the loss of an example is $\\mathrm{logsumexp}(z) - "
        "\\sum_k q_k z_k$, and its gradient $p - q$. It is 0 when the network gives "
        "the label 0.9 and a bit, not 1: so it has no reason to be surer and surer."
    ),
)


@ex.answer
def smooth_vjp(grad_out, z, labels):
    N, K = z.shape
    q = np.full((N, K), 0.1 / K)
    q[np.arange(N), labels] += 0.9
    return grad_out * (F.softmax(z) - q) / N


@ex.given
def smooth_inputs(rng):
    sizes = (2, 3), (5, 10), (4, 4), (1, 5), (7, 10)
    return [
        (rng.uniform(0.5, 2), 2 * rng.normal(size=(N, K)), rng.integers(0, K, N))
        for N, K in sizes
    ]


@ex.right
def smooth_by_rows(grad_out, z, labels):
    rows = []
    for row, label in zip(z, labels, strict=True):
        powers = np.exp(row - row.max())
        g = powers / powers.sum() - 0.1 / len(row)
        g[label] -= 0.9
        rows.append([float(grad_out * x / len(z)) for x in g])
    return rows


def smooth_with(grad_out, z, p, q):
    return grad_out * (p - q) / len(z)


def targets(z, labels, at_label=0.9, elsewhere=None):
    K = z.shape[1]
    even = 0.1 / K if elsewhere is None else elsewhere
    return at_label * np.eye(K)[labels] + even


@ex.right
def smooth_by_indices(grad_out, z, labels):
    grad = F.softmax(z) - 0.1 / z.shape[1]
    grad[np.arange(len(z)), labels] -= 0.9
    return grad_out * grad / len(z)


@ex.right
def smooth_by_two_indices(grad_out, z, labels):
    grad = F.softmax(z)
    for n, label in enumerate(labels):
        for k in range(z.shape[1]):
            grad[n, k] -= 0.1 / z.shape[1] + (0.9 if k == label else 0.0)
    return grad_out * grad / len(z)


@ex.wrong(LOSSES)
def activation_missing(grad_out, z, labels):
    """The logits stand where the probabilities belong: the softmax is missing."""
    return smooth_with(grad_out, z, z, targets(z, labels))


@ex.wrong(SPOILT)
def at_output(grad_out, z, labels):
    """The softmax is taken twice: the probabilities are put in once more where the
    logits belong.
    """
    return smooth_with(grad_out, z, F.softmax(F.softmax(z)), targets(z, labels))


@ex.wrong(LOSSES)
def hard_labels(grad_out, z, labels):
    """This is the gradient for the labels as they are. The smoothing has left no trace."""
    return F.softmax_cross_entropy_vjp(grad_out, z, labels)


@ex.wrong(LOSSES)
def rest_missing(grad_out, z, labels):
    """The label has its 0.9, but the remaining 0.1 is given to nobody. Do the targets
    of a row add up to 1?
    """
    return smooth_with(grad_out, z, F.softmax(z), targets(z, labels, 0.9, 0))


@ex.wrong(LOSSES)
def too_much(grad_out, z, labels):
    """The label keeps its 1, and the 0.1 comes on top. Do the targets of a row add up
    to 1?
    """
    return smooth_with(grad_out, z, F.softmax(z), targets(z, labels, 1))


@ex.wrong(LOSSES)
def others_only(grad_out, z, labels):
    """The 0.1 is spread over the *other* classes. Here it is spread over all $K$, the
    label included.
    """
    K = z.shape[1]
    q = np.where(np.eye(K)[labels] == 1, 0.9, 0.1 / (K - 1))
    return smooth_with(grad_out, z, F.softmax(z), q)


@ex.wrong(LOSSES)
def label_without_share(grad_out, z, labels):
    """The label has 0.9 and no part of what is spread over all classes. Do the targets
    of a row add up to 1?
    """
    q = np.where(np.eye(z.shape[1])[labels] == 1, 0.9, 0.1 / z.shape[1])
    return smooth_with(grad_out, z, F.softmax(z), q)


@ex.wrong(LOSSES)
def always_ten(grad_out, z, labels):
    """0.01 is right for ten classes. The check also tries other numbers of classes."""
    return smooth_with(grad_out, z, F.softmax(z), targets(z, labels, 0.9, 0.01))


@ex.wrong(LOSSES)
def spread_over_examples(grad_out, z, labels):
    """The 0.1 is divided by the number of examples. It is spread over the classes, the
    columns.
    """
    q = targets(z, labels, 0.9, 0.1 / len(z))
    return smooth_with(grad_out, z, F.softmax(z), q)


@ex.wrong(LOSSES)
def exchanged(grad_out, z, labels):
    """0.9 and 0.1 have changed places: most of the weight belongs to the label."""
    q = targets(z, labels, 0.1, 0.9 / z.shape[1])
    return smooth_with(grad_out, z, F.softmax(z), q)


@ex.wrong(LOSSES)
def softmax_over_examples(grad_out, z, labels):
    """The softmax runs over the examples. Each *row* has probabilities that add up to
    1.
    """
    return smooth_with(grad_out, z, F.softmax(z.T).T, targets(z, labels))


@ex.wrong(LOSSES)
def softmax_over_all(grad_out, z, labels):
    """The softmax runs over all examples together. Each *row* has probabilities that
    add up to 1.
    """
    powers = np.exp(z - z.max())
    return smooth_with(grad_out, z, powers / powers.sum(), targets(z, labels))


@ex.wrong(LOSSES)
def log_probabilities(grad_out, z, labels):
    """The *logarithms* of the probabilities stand where the probabilities belong."""
    return smooth_with(grad_out, z, F.log_softmax(z), targets(z, labels))


@ex.wrong(LOSSES)
def targets_missing(grad_out, z, labels):
    """The probabilities alone: they would all be pushed down. The targets are missing."""
    return smooth_with(grad_out, z, F.softmax(z), 0)


@ex.wrong(LOSSES)
def probabilities_missing(grad_out, z, labels):
    """The targets alone: this gradient never ends. What the network says itself is
    missing.
    """
    return smooth_with(grad_out, z, 0, targets(z, labels))


@ex.wrong(LOSSES)
def as_sigmoid(grad_out, z, labels):
    """It is multiplied by $p(1 - p)$ besides. $p - q$ has the softmax in it already."""
    p = F.softmax(z)
    return smooth_with(grad_out, z, p, targets(z, labels)) * p * (1 - p)


@ex.wrong(LOSSES)
def not_spread(grad_out, z, labels):
    """Every class gets the whole 0.1. Do the targets of a row add up to 1?"""
    return smooth_with(grad_out, z, F.softmax(z), targets(z, labels, 0.9, 0.1))


@ex.wrong(LOSSES)
def through_softmax_again(grad_out, z, labels):
    """$p - q$ is already the gradient for the logits. Here it goes back through the
    softmax once more.
    """
    p = F.softmax(z)
    return F.softmax_vjp(smooth_with(grad_out, z, p, targets(z, labels)), p)


@ex.wrong(LOSSES)
def for_the_probabilities(grad_out, z, labels):
    """This is the gradient for the probabilities, $-q/p$. The way back through the
    softmax is missing.
    """
    return grad_out * -targets(z, labels) / F.softmax(z) / len(z)
