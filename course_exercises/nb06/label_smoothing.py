"""06.5 · A truth that is not quite sure"""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

LOGITS = "06_layers_and_losses#From logits"
SOFTMAX = "06_layers_and_losses#Softmax"

ex = Exercise(
    "06.5",
    "A truth that is not quite sure",
    gradient=True,
    outputs=("loss", "grad"),
    absent={
        "assigned": "each logit is used in one row",
        "broadcast": "nothing that has a gradient is broadcast",
    },
    hints=(
        "Cross-entropy with a truth $q$ that is no longer one-hot: "
        "$L = -\\frac1N \\sum_n \\sum_k q_{nk} \\log p_{nk}$. Which function gives "
        "$\\log p$ without overflow?",
        "Go back through `log_softmax`: with $G = -q/N$ its vjp is "
        "$G_j - p_j \\sum_k G_k$. What is $\\sum_k q_k$?",
        "The sum of each row of $q$ is 1, so the gradient is $(p - q)/N$: "
        "prediction minus truth once more, with another truth.",
    ),
    explanation=(
        "Nothing in the derivation needs a one-hot truth, only that each row of $q$ "
        "adds up to 1: the gradient is $(p - q)/N$. It is 0 where $p = q$, and $q$ is "
        "nowhere 0, so the loss wants logits with finite differences, $z_t - z_k = "
        "\\log\\frac{1 - \\epsilon + \\epsilon/K}{\\epsilon/K}$; without smoothing it "
        "wanted infinite ones."
    ),
)


@ex.answer
def smoothed(logits, labels, eps):
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K  # (N, K)
    loss = -(q * F.log_softmax(logits)).sum() / N
    return loss, (F.softmax(logits) - q) / N


@ex.given
def smoothed_inputs(rng):
    def one(N, K, eps):
        return 2 * rng.normal(size=(N, K)), rng.integers(0, K, size=N), eps

    inputs = [one(2, 3, 0.1), one(5, 4, 0.2), one(3, 3, 0.3), one(1, 5, 0.25)]
    far = np.array([[1000.0, 0.0, -1000.0], [-700.0, 900.0, 0.0]])
    return [*inputs, one(7, 6, 0.05), (far, np.array([1, 1]), 0.1)]


@ex.right
def smoothed_as_mixture(logits, labels, eps):
    hard = F.softmax_cross_entropy(logits, labels)
    grad = (1 - eps) * F.softmax_cross_entropy_vjp(1.0, logits, labels)
    even = (F.logsumexp(logits) - logits.mean(axis=1)).mean()
    grad += eps * (F.softmax(logits) - 1 / logits.shape[1]) / len(logits)
    return (1 - eps) * hard + eps * even, grad


@ex.right
def smoothed_by_loop(logits, labels, eps):
    loss, grad = 0.0, []
    for z, label in zip(logits, labels, strict=True):
        q = np.full(len(z), eps / len(z))
        q[label] += 1 - eps
        shifted = z - z.max()
        log_sum = np.log(np.exp(shifted).sum())
        loss += (q * (log_sum - shifted)).sum() / len(logits)
        grad.append((np.exp(shifted - log_sum) - q) / len(logits))
    return loss, grad


def with_truth(q_of):
    def wrong(logits, labels, eps):
        q = q_of(np.eye(logits.shape[1])[labels], eps, logits.shape[1])
        loss = -(q * F.log_softmax(logits)).sum() / len(logits)
        return loss, (F.softmax(logits) - q) / len(logits)

    return wrong


def q_of_others(y, eps, K):
    return (1 - eps) * y + eps / (K - 1) * (1 - y)


def q_without_label(y, eps, K):
    return (1 - eps) * y + eps / K * (1 - y)


def q_with_eps(y, eps, K):
    return (1 - eps) * y + eps


def q_over_one(y, eps, K):
    return y + eps / K


def q_hard(y, eps, K):
    return y


def q_swapped(y, eps, K):
    return eps * y + (1 - eps) / K


@ex.wrong(LOGITS)
def last_term(logits, labels, eps):
    """Of the loss, only the last term is left: each one overwrites the one before. A
    sum collects.
    """
    _, grad = smoothed(logits, labels, eps)
    N, K = logits.shape
    q = np.full(K, eps / K)
    q[labels[-1]] += 1 - eps
    return (F.logsumexp(logits[-1]) - logits[-1, -1]) * q[-1] / N, grad


@ex.wrong(SOFTMAX)
def axis(logits, labels, eps):
    """The softmax runs down the columns: it compares examples with each other. Each
    example has probabilities of its own, one row that adds up to 1.
    """
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    return -(q * F.log_softmax(logits.T).T).sum() / N, (F.softmax(logits.T).T - q) / N


ex.mistake("over-others", SOFTMAX, code=with_truth(q_of_others)).says(r"""
    The share $\epsilon$ is given to the *other* classes alone, $\epsilon/(K-1)$ each.
    In the formula all $K$ classes get $\epsilon/K$, the label too.
""")

ex.mistake("label-left-out", SOFTMAX, code=with_truth(q_without_label)).says(r"""
    The label gets no part of $\epsilon$, so that the smoothed truth does not add up to
    1.
""")

ex.mistake("not-divided", SOFTMAX, code=with_truth(q_with_eps)).says(r"""
    Every class gets the whole of $\epsilon$. Add up a row of $q$: a distribution has
    the sum 1.
""")

ex.mistake("label-not-reduced", SOFTMAX, code=with_truth(q_over_one)).says(r"""
    The label keeps its full 1, and $\epsilon$ comes on top: a row of $q$ adds up to
    more than 1.
""")

ex.mistake("not-smoothed", SOFTMAX, code=with_truth(q_hard)).says("""
    The truth is not smoothed here: it is still 1 at the label and 0 elsewhere.
""")

ex.mistake("swapped", SOFTMAX, code=with_truth(q_swapped)).says(r"""
    $\epsilon$ and $1-\epsilon$ have changed places: the label has almost no say.
""")


@ex.wrong(SOFTMAX)
def overflows(logits, labels, eps):
    """Right on paper, `nan` or infinite at logits of 1000: there $e^z$ overflows, and a
    probability that has rounded to 0 has no logarithm. Which form needs neither?
    """
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -(q * np.log(probs)).sum() / N, (probs - q) / N


@ex.wrong(SOFTMAX)
def activation_missing(logits, labels, eps):
    """The truth is subtracted from the *logits*: the softmax is missing in the
    gradient.
    """
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    return smoothed(logits, labels, eps)[0], (logits - q) / N


@ex.wrong(SOFTMAX)
def at_output(logits, labels, eps):
    """This is the gradient for the probabilities. The function is given logits, so the
    gradient has to go on, through the softmax.
    """
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    return smoothed(logits, labels, eps)[0], -q / F.softmax(logits) / N


@ex.wrong(SOFTMAX)
def truth_missing(logits, labels, eps):
    """The labels have no part in the gradient."""
    loss, _ = smoothed(logits, labels, eps)
    return loss, F.softmax(logits) / len(logits)


@ex.wrong(SOFTMAX)
def prediction_missing(logits, labels, eps):
    """The prediction has no part in the gradient: the second way, through the
    log-sum-exp, is left out.
    """
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    return smoothed(logits, labels, eps)[0], -q / N


@ex.wrong(SOFTMAX)
def log_missing(logits, labels, eps):
    """The probabilities are averaged as they are. Cross-entropy takes their logarithms."""
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    return -(q * F.softmax(logits)).sum() / N, (F.softmax(logits) - q) / N


@ex.wrong(SOFTMAX)
def clipped(logits, labels, eps):
    """A small number is added to the probability before its logarithm is taken. That
    keeps it finite, and makes it wrong where it matters: the worst predictions cost too
    little.
    """
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    probs = F.softmax(logits)
    return -(q * np.log(probs + 1e-12)).sum() / N, (probs - q) / N


@ex.wrong(SOFTMAX)
def divergence(logits, labels, eps):
    """Something is subtracted that does not depend on the logits: this is the
    divergence between $q$ and $p$. Its gradient is the same; the loss asked for is the
    cross-entropy itself.
    """
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    loss, grad = smoothed(logits, labels, eps)
    return loss + (q * np.log(q)).sum() / N, grad


@ex.wrong(SOFTMAX)
def sigmoid_of_softmax(logits, labels, eps):
    """Prediction minus truth is multiplied by $p(1-p)$ once more. The way back through
    the softmax is inside it already.
    """
    loss, grad = smoothed(logits, labels, eps)
    probs = F.softmax(logits)
    return loss, grad * probs * (1 - probs)


@ex.wrong(SOFTMAX)
def over_entries(logits, labels, eps):
    """It is divided by the number of classes too. The mean of cross-entropy runs over
    the examples alone.
    """
    loss, grad = smoothed(logits, labels, eps)
    return loss / logits.shape[1], grad / logits.shape[1]
