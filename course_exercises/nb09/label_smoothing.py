"""09.2 · Labels that leave a doubt."""

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
def smooth_by_indices(grad_out, z, labels):
    grad = F.softmax(z) - 0.1 / z.shape[1]
    grad[np.arange(len(z)), labels] -= 0.9
    return grad_out * grad / len(z)


# --- wrong ones: probabilities and targets

ex.slip("activation-missing", {"F.softmax(z)": "z"}, LOSSES).says("""
    The logits stand where the probabilities belong: the softmax is missing.
""")
ex.slip("at-output", {"F.softmax(z)": "F.softmax(F.softmax(z))"}, SPOILT).says("""
    The softmax is taken twice: the probabilities are put in once more where the logits
    belong.
""")
ex.slip("hard-labels", {"0.1 / K": "0.0", "+= 0.9": "+= 1"}, LOSSES).says("""
    This is the gradient for the labels as they are. The smoothing has left no trace.
""")
ex.slip("rest-missing", {"0.1 / K": "0.0"}, LOSSES).says("""
    The label has its 0.9, but the remaining 0.1 is given to nobody. Do the targets of a
    row add up to 1?
""")
ex.slip("too-much", {"+= 0.9": "+= 1"}, LOSSES).says("""
    The label keeps its 1, and the 0.1 comes on top. Do the targets of a row add up to
    1?
""")
ex.slip("others-only", {"0.1 / K": "0.1 / (K - 1)", "+= 0.9": "= 0.9"}, LOSSES).says("""
    The 0.1 is spread over the *other* classes. Here it is spread over all $K$, the
    label included.
""")
ex.slip("label-without-share", {"+= 0.9": "= 0.9"}, LOSSES).says("""
    The label has 0.9 and no part of what is spread over all classes. Do the targets of
    a row add up to 1?
""")
ex.slip("tenth-for-each", {"0.1 / K": "0.1", "+= 0.9": "= 0.9"}, LOSSES).says("""
    Every other class gets the whole 0.1. It is spread over them: do the targets of a
    row add up to 1?
""")

ONE_HOT = "np.eye(K)[labels]"
SMOOTHED = {"F.softmax(z) - q": f"0.9 * F.softmax(z) + 0.1 / K - {ONE_HOT}"}
ex.slip("prediction-smoothed", SMOOTHED, LOSSES).says("""
    The *prediction* is smoothed here, and the targets are as hard as before. It is the
    other way round.
""")
ex.slip("one-too-few", {"0.1 / K": "0.1 / (K - 1)"}, LOSSES).says("""
    The 0.1 is divided by one class too few. It is spread over all $K$, the label
    included.
""")
ex.slip("sigmoid", {"F.softmax": "F.sigmoid"}, LOSSES).says("""
    Each logit goes through a sigmoid by itself. The probabilities of a row come from
    the softmax, and add up to 1.
""")
ex.slip("label-full", {"+= 0.9": "= 1.0"}, LOSSES).says("""
    The label keeps its 1, and the others get a share on top. Do the targets of a row
    add up to 1?
""")
ex.slip("neighbour", {"labels] +=": "labels - 1] +="}, LOSSES).says("""
    The 0.9 belongs to the class *before* the label. Labels count from 0, as columns do.
""")
ALONE = {"(F.softmax(z) - q)": "(F.softmax(z) - q) * np.eye(K)[labels]"}
ex.slip("label-alone", ALONE, LOSSES).says("""
    Only the label's logit gets a gradient. Through the softmax, and through $q$, all
    logits of the row have a say.
""")
TIMES = {"(F.softmax(z) - q)": "F.softmax(z) * (F.softmax(z) - q)"}
ex.slip("times-p", TIMES, LOSSES).says("""
    The difference is multiplied by $p$ once more. The way back through the softmax is
    in it already.
""")
ex.slip("every-label", {"np.arange(N), labels": ":, labels"}, LOSSES).says("""
    In every row, the labels of *all* examples get their 0.9. Each row has one label:
    rows and labels have to be picked in pairs.
""")

BRACKETS = {"(F.softmax(z) - q) / N": "(F.softmax(z) - q / N)"}
ex.slip("brackets", BRACKETS, LOSSES).says("""
    Only the targets are divided by $N$. Brackets are missing around the difference.
""")


@ex.wrong(LOSSES)
def loss_itself(grad_out, z, labels):
    """This is the loss, one number. Asked for is its gradient, one number for each
    logit.
    """
    q = 0.9 * np.eye(z.shape[1])[labels] + 0.1 / z.shape[1]
    return -(q * F.log_softmax(z)).sum() / len(z)


ex.slip("always-ten", {"0.1 / K": "0.01"}, LOSSES).says("""
    0.01 is right for ten classes. The check also tries other numbers of classes.
""")
ex.slip("spread-over-examples", {"0.1 / K": "0.1 / N"}, LOSSES).says("""
    The 0.1 is divided by the number of examples. It is spread over the classes, the
    columns.
""")
ex.slip("exchanged", {"0.1 / K": "0.9 / K", "+= 0.9": "+= 0.1"}, LOSSES).says("""
    0.9 and 0.1 have changed places: most of the weight belongs to the label.
""")

# --- another softmax, a part that is missing, a step too many

ex.slip("softmax-over-examples", {"softmax(z)": "softmax(z.T).T"}, LOSSES).says("""
    The softmax runs over the examples. Each *row* has probabilities that add up to 1.
""")

SOFTMAX_OVER_ALL = {"F.softmax(z)": "np.exp(z) / np.exp(z).sum()"}
ex.slip("softmax-over-all", SOFTMAX_OVER_ALL, LOSSES).says("""
    The softmax runs over all examples together. Each *row* has probabilities that add
    up to 1.
""")
ex.slip("log-probabilities", {"softmax": "log_softmax"}, LOSSES).says("""
    The *logarithms* of the probabilities stand where the probabilities belong.
""")
ex.slip("targets-missing", {" - q": ""}, LOSSES).says("""
    The probabilities alone: they would all be pushed down. The targets are missing.
""")
ex.slip("probabilities-missing", {"F.softmax(z) - q": "-q"}, LOSSES).says("""
    The targets alone: this gradient never ends. What the network says itself is
    missing.
""")


@ex.wrong(LOSSES)
def as_sigmoid(grad_out, z, labels):
    """It is multiplied by $p(1 - p)$ besides. $p - q$ has the softmax in it already."""
    p = F.softmax(z)
    return smooth_vjp(grad_out, z, labels) * p * (1 - p)


ex.slip("not-spread", {"0.1 / K": "0.1"}, LOSSES).says("""
    Every class gets the whole 0.1. Do the targets of a row add up to 1?
""")


@ex.wrong(LOSSES)
def through_softmax_again(grad_out, z, labels):
    """$p - q$ is already the gradient for the logits. Here it goes back through the
    softmax once more.
    """
    return F.softmax_vjp(smooth_vjp(grad_out, z, labels), F.softmax(z))


FOR_THE_PROBABILITIES = {"(F.softmax(z) - q)": "-q / F.softmax(z)"}
ex.slip("for-the-probabilities", FOR_THE_PROBABILITIES, LOSSES).says("""
    This is the gradient for the probabilities, $-q/p$. The way back through the softmax
    is missing.
""")
