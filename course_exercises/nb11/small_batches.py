"""11.3 · Four small batches."""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

from .shared import torch

ALIKE = "11_pytorch_and_beyond#Where the two behave alike, and where not"
SHARED = "11_pytorch_and_beyond#Gradients add, so work can be shared"
LOSSES = "06_layers_and_losses#From logits"

ex = Exercise(
    "11.3",
    "Four small batches",
    gradient=True,
    absent={
        "at-output": "the loss brings its softmax along",
        "broadcast": "nothing is broadcast here",
    },
    seconds=30,
    hints=(
        "`cross_entropy` gives the mean over the part it is shown. What would the "
        "whole batch divide by?",
        "Torch adds in `.grad`. So each part has to hand in its share of the whole "
        "mean: which factor turns the mean over a part into this share?",
        "A part of $n$ examples out of $N$ counts $n/N$. Multiply each loss by "
        "that before `backward`; the last part is shorter than the others.",
    ),
    explanation=(
        "Four means added up are four times the mean: hence the learning rate that "
        "seemed four times too large. Each loss times $n/N$, or sums instead of means "
        "and one division by $N$: both are right for parts of any length. Dividing by "
        "the number of parts is right for equal parts alone."
    ),
)


@ex.answer
def whole_gradient(X, labels, W, size):
    w = torch.tensor(W, requires_grad=True)
    for k in range(0, len(X), size):
        x, y = torch.tensor(X[k : k + size]), torch.tensor(labels[k : k + size])
        loss = torch.nn.functional.cross_entropy(x @ w, y)
        loss = loss * (len(x) / len(X))
        loss.backward()
    return w.grad


@ex.given
def whole_inputs(rng):
    sizes = (4, 3, 2, 2), (5, 3, 4, 2), (6, 6, 6, 4), (7, 2, 3, 3), (11, 4, 3, 4)
    return [
        (
            rng.normal(size=(N, D)),
            rng.permutation(np.arange(N) % C),
            rng.normal(size=(D, C)),
            size,
        )
        for N, D, C, size in sizes
    ]


@ex.right
def whole_by_formula(X, labels, W, size):
    p = F.softmax(X @ W)
    p[np.arange(len(X)), labels] -= 1
    return X.T @ p / len(X)


SHARE = "* (len(x) / len(X))"  # as in the right answer
ALL = "0, len(X), size"

# --- wrong ones: the loss


@ex.wrong(LOSSES)
def softmax_over_examples(X, labels, W, size):
    """The softmax runs over the examples. Each row has probabilities of its own."""
    parts = np.split(X @ W, range(size, len(X), size))
    p = np.vstack([F.softmax(part.T).T for part in parts])
    p[np.arange(len(X)), labels] -= 1
    return X.T @ p / len(X)


ex.slip("activation-missing", {"F.softmax": ""}, LOSSES, of=whole_by_formula).says("""
    The logits stand where the probabilities belong: the softmax is missing.
""")
ex.slip("prediction-missing", {"-= 1": "= -1"}, LOSSES, of=whole_by_formula).says("""
    At the label stands −1 alone. The probability there was overwritten, and it belongs
    to the difference.
""")
CE = "cross_entropy(x @ w, y)"
ex.slip("no-logarithm", {CE: "nll_loss((x @ w).softmax(1), y)"}, LOSSES).says("""
    The logarithm is missing: `nll_loss` takes logarithms of probabilities.
    `cross_entropy` does both.
""")
ex.slip("softmax-twice", {"(x @ w, y)": "((x @ w).softmax(1), y)"}, LOSSES).says("""
    Probabilities go into `cross_entropy`. It takes logits, and brings its softmax
    along.
""")


@ex.wrong(LOSSES)
def loss(X, labels, W, size):
    """This is the loss. Its gradient is asked for."""
    p = F.softmax(X @ W)
    return -np.log(p[np.arange(len(X)), labels]).mean()


# --- the share of a part

ex.slip("as-found", {SHARE: ""}, SHARED).says("""
    This is the friend's code: each part's loss is a mean over the *part*, and these
    means are added up.
""")
ex.slip("mean-of-means", {SHARE: f"/ len(range({ALL}))"}, SHARED).says("""
    A mean of means. It is right only while all parts are equally long; the last one may
    be shorter, and its examples then count for too much.
""")
ex.slip("floor", {SHARE: "/ (len(X) // size)"}, SHARED).says("""
    It is divided by the number of *full* parts, and each part counts alike. The last
    one may be shorter.
""")
ex.slip("times-size", {"len(x) /": "size /"}, SHARED).says("""
    Each part's mean is weighted with the same `size`. The last part may be shorter.
""")
ex.slip("by-size", {SHARE: "/ size"}, SHARED).says("""
    It is divided by the length of a part. The mean inside each loss has done that
    already.
""")
ex.slip("sums-by-size", {"/ len(X)": "/ size"}, SHARED).says("""
    The sum over all examples is divided by the length of *one* part.
""")
ex.slip("sums-by-parts", {"/ len(X)": f"/ len(range({ALL}))"}, SHARED).says("""
    The sum over all examples is divided by the number of parts, where the number of
    examples belongs.
""")
ex.slip("divided-twice", {SHARE: "/ len(X)"}, SHARED).says("""
    Each part is a mean already, and is divided by the number of all examples besides.
    How much of the whole is one part?
""")
ex.slip(
    "divided-in-the-loop",
    {SHARE: "* len(x)", "()\n": "()\n        w.grad /= len(X)\n"},
    SHARED,
).says("""
    What has been gathered is divided again in every round, so the early parts fade.
""")
ex.slip("upside-down", {SHARE: "* (len(X) / len(x))"}, SHARED).says("""
    The factor is upside down: each part's loss is made larger. How much of the whole is
    one part?
""")
ex.slip("by-own-length", {SHARE: "/ len(x)"}, SHARED).says("""
    Each part's mean is divided by the part's length once more. What is its share of the
    whole?
""")
ex.slip("quarter", {SHARE: "/ 4"}, SHARED).says("""
    It is divided by 4, whatever the number of parts. And parts of other lengths count
    for other shares.
""")

# --- the parts, and what is gathered

ex.slip(
    "assigned", {SHARE: "", "loss.": "w.grad = None\n        loss."}, ALIKE
).says("""
    Only the last part is left. Is `.grad` emptied, or overwritten, between the parts?
    What was gathered before has to stay.
""")
ex.slip("last-share", {"loss.": "w.grad = None\n        loss."}, ALIKE).says("""
    Only the last part is left, with its right share. Is `.grad` emptied, or
    overwritten, between the parts?
""")
ex.slip("first-part", {SHARE: "", "return": "    return"}, SHARED).says("""
    Only the first part counts. Does the loop return too early?
""")
ex.slip("first-share", {"return": "    return"}, SHARED).says("""
    Only the first part counts, with its right share. Does the loop return too early?
""")

TOTAL = {
    "\n    for": "\n    total = 0\n    for",
    "backward()": "backward()\n        total = total + w.grad",
    "return w.grad": "return total",
}
ex.slip("gathered-twice", TOTAL, ALIKE).says("""
    What stands in `.grad` is added up once more, round by round. Torch has gathered the
    parts already.
""")

FIRST = "labels[:size][: len(X) - k]"
ex.slip("first-labels", {"labels[k : k + size]": FIRST}, SHARED).says("""
    Every part gets the labels of the first one. Examples and labels are cut alike.
""")
ex.slip("rest-lost", {ALL: "0, len(X) - size + 1, size"}, SHARED).says("""
    The examples after the last full part are left out.
""")
ex.slip(
    "rest-lost-mean",
    {SHARE: "/ (len(X) // size)", ALL: "0, len(X) - size + 1, size"},
    SHARED,
).says("""
    This is the mean over the full parts; the examples after them are left out.
""")
ex.slip(
    "rest-lost-sum", {SHARE: "", ALL: "0, len(X) - size + 1, size"}, SHARED
).says("""
    The means of the full parts are added up, and the examples after them are left out.
""")
ex.slip("overlapping", {ALL: "len(X)"}, SHARED).says("""
    The parts overlap: each begins one example after the one before. How far does the
    loop have to go on each time?
""")
ex.slip("step", {"w.grad": "W - w.grad.numpy()"}, SHARED).says("""
    The weights after a step come back. Asked for is their gradient.
""")
