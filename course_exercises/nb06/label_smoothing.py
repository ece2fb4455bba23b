"""06.5 · A truth that is not quite sure."""

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
        r"Cross-entropy with a truth $q$ that is no longer one-hot: $L = -\frac1N "
        r"\sum_n \sum_k q_{nk} \log p_{nk}$. Which function gives $\log p$ without "
        "overflow?",
        r"Go back through `log_softmax`: with $G = -q/N$ its vjp is $G_j - p_j \sum_k "
        r"G_k$. What is $\sum_k q_k$?",
        "The sum of each row of $q$ is 1, so the gradient is $(p - q)/N$: prediction "
        "minus truth once more, with another truth.",
    ),
    explanation=(
        "Nothing in the derivation needs a one-hot truth, only that each row of $q$ "
        "adds up to 1: the gradient is $(p - q)/N$. It is 0 where $p = q$, and $q$ is "
        "nowhere 0, so the loss wants logits with finite differences, $z_t - z_k = "
        r"\log\frac{1 - \epsilon + \epsilon/K}{\epsilon/K}$; without smoothing it "
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
def inputs(rng):
    def one(N, K, eps):
        return 2 * rng.normal(size=(N, K)), rng.integers(0, K, size=N), eps

    cases = [one(2, 3, 0.1), one(5, 4, 0.2), one(3, 3, 0.3), one(1, 5, 0.25)]
    far = np.array([[1000.0, 0.0, -1000.0], [-700.0, 900.0, 0.0], [0.5, 0.1, -0.3]])
    return [*cases, one(7, 6, 0.05), (far, np.array([1, 1, 2]), 0.1)]


ex.slip("last-term", {".sum()": "[-1, -1]"}, LOGITS).says("""
    Of the loss, only the last term is left: each one overwrites the one before. A sum
    collects.
""")

AXIS = {"logits))": "logits.T).T)", "logits) -": "logits.T).T -"}
ex.slip("axis", AXIS, SOFTMAX).says("""
    The softmax runs down the columns: it compares examples with each other. Each
    example has probabilities of its own, one row that adds up to 1.
""")

# --- the truth

OVER_OTHERS = {"/ K": "/ (K - 1) * (1 - np.eye(K)[labels])"}
ex.slip("over-others", OVER_OTHERS, SOFTMAX).says(r"""
    The share $\epsilon$ is given to the *other* classes alone, $\epsilon/(K-1)$ each.
    In the formula all $K$ classes get $\epsilon/K$, the label too.
""")
ex.slip("label-left-out", {"/ K": "/ K * (1 - np.eye(K)[labels])"}, SOFTMAX).says(r"""
    The label gets no part of $\epsilon$, so that the smoothed truth does not add up to
    1.
""")
Q = "(1 - eps) * np.eye(K)[labels] + eps / K"
ex.slip("label-full", {Q: "np.maximum(np.eye(K)[labels], eps / K)"}, SOFTMAX).says("""
    The label keeps its 1, and the others get a share on top: a row of $q$ adds up to
    more than 1.
""")
ex.slip("one-too-few", {"eps / K": "eps / (K - 1)"}, SOFTMAX).says(r"""
    $\epsilon$ is divided by one class too few: the label has its share as well.
""")
EPS_EACH = {Q: "np.where(np.eye(K)[labels] > 0, 1 - eps, eps)"}
ex.slip("eps-for-each", EPS_EACH, SOFTMAX).says(r"""
    Each of the other classes gets the whole of $\epsilon$. It is spread: a row of $q$
    adds up to 1.
""")
ex.slip("by-examples", {"eps / K": "eps / N"}, SOFTMAX).says(r"""
    $\epsilon$ is divided by the number of examples. It is spread over the classes.
""")
ex.slip("spread-missing", {" + eps / K": ""}, SOFTMAX).says(r"""
    The label has given up its $\epsilon$, and nobody gets it. A row of $q$ adds up to
    1.
""")
ex.slip("not-divided", {" / K": ""}, SOFTMAX).says(r"""
    Every class gets the whole of $\epsilon$. Add up a row of $q$: a distribution has
    the sum 1.
""")
ex.slip("label-not-reduced", {"(1 - eps) * ": ""}, SOFTMAX).says(r"""
    The label keeps its full 1, and $\epsilon$ comes on top: a row of $q$ adds up to
    more than 1.
""")

EVERY_LABEL = {"np.eye(K)[labels]": "np.eye(K)[labels].max(axis=0)"}
ex.slip("every-label", EVERY_LABEL, SOFTMAX).says("""
    Every row gets the labels of *all* examples. Each row has one label: rows and labels
    have to be picked in pairs.
""")
ex.slip("not-smoothed", {"(1 - eps) * ": "", " + eps / K": ""}, SOFTMAX).says("""
    The truth is not smoothed here: it is still 1 at the label and 0 elsewhere.
""")
ex.slip("swapped", {"(1 - eps)": "eps", "+ eps": "+ (1 - eps)"}, SOFTMAX).says(r"""
    $\epsilon$ and $1-\epsilon$ have changed places: the label has almost no say.
""")

# --- loss and gradient


@ex.wrong(SOFTMAX)
def overflows(logits, labels, eps):
    """Right on paper, `nan` at logits of 1000: there $e^z$ overflows, and infinity over
    infinity is no number. What may be subtracted from all logits of a row?
    """
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -(q * np.log(probs)).sum() / N, (probs - q) / N


LOG = {"F.log_softmax(logits)": "np.log(F.softmax(logits))"}
ex.slip("log-of-zero", LOG, SOFTMAX).says("""
    The loss is infinite at logits of 1000: an exponential has overflowed, or rounded to
    0 before its logarithm was taken. Which form needs neither?
""")


@ex.wrong(SOFTMAX)
def largest_of_all(logits, labels, eps):
    """The largest of the whole array is subtracted from all logits. In a row that lies
    far below it nothing but zeros is left: each *row* needs its own largest.
    """
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    shifted = logits - logits.max()
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    loss = -(q * (shifted - np.log(total))).sum() / N
    return loss, (np.exp(shifted) / total - q) / N


ex.slip("activation-missing", {"F.softmax(logits)": "logits"}, SOFTMAX).says("""
    The truth is subtracted from the *logits*: the softmax is missing in the gradient.
""")

AT_OUTPUT = {"F.softmax(logits) - q": "-q / F.softmax(logits)"}
ex.slip("at-output", AT_OUTPUT, SOFTMAX).says("""
    This is the gradient for the probabilities. The function is given logits, so the
    gradient has to go on, through the softmax.
""")
ex.slip("truth-missing", {" - q": ""}, SOFTMAX).says("""
    The labels have no part in the gradient.
""")
ex.slip("prediction-missing", {"F.softmax(logits) - q": "-q"}, SOFTMAX).says("""
    The prediction has no part in the gradient: the second way, through the log-sum-exp,
    is left out.
""")
ex.slip("log-missing", {"log_softmax": "softmax"}, SOFTMAX).says("""
    The probabilities are averaged as they are. Cross-entropy takes their logarithms.
""")
ex.slip("one-for-each", {".sum() / N": ".sum(axis=1)"}, SOFTMAX).says("""
    There is one loss for each example. Asked for is their mean, one number.
""")
ex.mistake("small-only", LOGITS).says("""
    Right for small logits, not for those as large as 1000. Are they cut off, or is a
    small number added beside a probability?
""")


@ex.looked
def look_at_small_ones(answer, run):
    """Whether only the inputs with large logits go wrong."""
    *small, _ = ex.draw()
    for args in small:
        pairs = zip(run(*args), smoothed(*args), strict=True)
        if not all(np.allclose(a, b, rtol=1e-9) for a, b in pairs):
            return None
    return ex.named("small-only")


CLIPPED = {"F.log_softmax(logits)": "np.log(F.softmax(logits) + 1e-12)"}
ex.slip("clipped", CLIPPED, SOFTMAX).says("""
    A small number is added to the probability before its logarithm is taken. That keeps
    it finite, and makes it wrong where it matters: the worst predictions cost too
    little.
""")
ex.slip("divergence", {"F.log": "(F.log", "))": ") - np.log(q)))"}, SOFTMAX).says("""
    Something is subtracted that does not depend on the logits: this is the divergence
    between $q$ and $p$. Its gradient is the same; the loss asked for is the
    cross-entropy itself.
""")

TWICE = {"q) / N": "q) / N * F.sigmoid_vjp(1, F.softmax(logits))"}
ex.slip("sigmoid-of-softmax", TWICE, SOFTMAX).says("""
    Prediction minus truth is multiplied by $p(1-p)$ once more. The way back through the
    softmax is inside it already.
""")

OVER_ENTRIES = {".sum() / N": ".sum() / N / K", "q) / N": "q) / N / K"}
ex.slip("over-entries", OVER_ENTRIES, SOFTMAX).says("""
    It is divided by the number of classes too. The mean of cross-entropy runs over the
    examples alone.
""")
