"""11.3 · Four small batches"""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

from .shared import torch

ALIKE = "11_pytorch_and_beyond#Where the two behave alike, and where not"
SHARED = "11_pytorch_and_beyond#Gradients add, so work can be shared"
LOSSES = "06_layers_and_losses#From logits"
NOTHING_COPIED = "nothing is broadcast here"

ex = Exercise(
    "11.3",
    "Four small batches",
    gradient=True,
    absent={
        "at-output": "the loss brings its softmax along",
        "broadcast": NOTHING_COPIED,
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


def _parts(X, labels, W, size):
    """The gradient of each part's mean loss, and the part's length."""
    for k in range(0, len(X), size):
        x = X[k : k + size]
        yield whole_by_formula(x, labels[k : k + size], W, size), len(x)


def _whole_from(gradient):
    def wrong(X, labels, W, size):
        total = np.zeros_like(W)
        for k in range(0, len(X), size):
            x, y = X[k : k + size], labels[k : k + size]
            total += x.T @ gradient(x @ W, np.eye(W.shape[1])[y])
        return total / len(X)

    return wrong


ex.mistake(
    "softmax-over-examples",
    LOSSES,
    code=_whole_from(lambda z, truth: F.softmax(z.T).T - truth),
).says("""
    The softmax runs over the examples. Each row has probabilities of its own.
""")

ex.mistake(
    "activation-missing", LOSSES, code=_whole_from(lambda z, truth: z - truth)
).says("""
    The logits stand where the probabilities belong: the softmax is missing.
""")

ex.mistake(
    "prediction-missing",
    LOSSES,
    code=_whole_from(lambda z, truth: F.softmax(z) * (1 - truth) - truth),
).says("""
    At the label stands −1 alone. The probability there was overwritten, and it belongs
    to the difference.
""")


@ex.wrong(SHARED)
def as_found(X, labels, W, size):
    """This is the friend's code: each part's loss is a mean over the *part*, and these
    means are added up.
    """
    return sum(g for g, _ in _parts(X, labels, W, size))


@ex.wrong(SHARED)
def mean_of_means(X, labels, W, size):
    """A mean of means. It is right only while all parts are equally long; the last one
    may be shorter, and its examples then count for too much.
    """
    return np.mean([g for g, _ in _parts(X, labels, W, size)], axis=0)


@ex.wrong(SHARED)
def floor(X, labels, W, size):
    """It is divided by the number of *full* parts, and each part counts alike. The last
    one may be shorter.
    """
    return sum(g for g, _ in _parts(X, labels, W, size)) / (len(X) // size)


@ex.wrong(SHARED)
def times_size(X, labels, W, size):
    """Each part's mean is weighted with the same `size`. The last part may be shorter."""
    return sum(g for g, _ in _parts(X, labels, W, size)) * size / len(X)


@ex.wrong(ALIKE)
def assigned(X, labels, W, size):
    """Only the last part is left. Is `.grad` emptied, or overwritten, between the
    parts? What was gathered before has to stay.
    """
    return list(_parts(X, labels, W, size))[-1][0]


@ex.wrong(ALIKE)
def last_share(X, labels, W, size):
    """Only the last part is left, with its right share. Is `.grad` emptied, or
    overwritten, between the parts?
    """
    g, n = list(_parts(X, labels, W, size))[-1]
    return g * n / len(X)


@ex.wrong(SHARED)
def first_part(X, labels, W, size):
    """Only the first part counts. Does the loop return too early?"""
    return next(_parts(X, labels, W, size))[0]


@ex.wrong(SHARED)
def first_share(X, labels, W, size):
    """Only the first part counts, with its right share. Does the loop return too early?"""
    g, n = next(_parts(X, labels, W, size))
    return g * n / len(X)


@ex.wrong(SHARED)
def rest_lost(X, labels, W, size):
    """The examples after the last full part are left out."""
    return sum(g * n for g, n in _parts(X, labels, W, size) if n == size) / len(X)


@ex.wrong(SHARED)
def rest_lost_mean(X, labels, W, size):
    """This is the mean over the full parts; the examples after them are left out."""
    full = [g for g, n in _parts(X, labels, W, size) if n == size]
    return sum(full) / len(full)


@ex.wrong(SHARED)
def rest_lost_sum(X, labels, W, size):
    """The means of the full parts are added up, and the examples after them are left
    out.
    """
    return sum(g for g, n in _parts(X, labels, W, size) if n == size)


@ex.wrong(SHARED)
def by_size(X, labels, W, size):
    """It is divided by the length of a part. The mean inside each loss has done that
    already.
    """
    return sum(g for g, _ in _parts(X, labels, W, size)) / size


@ex.wrong(SHARED)
def sums_by_size(X, labels, W, size):
    """The sum over all examples is divided by the length of *one* part."""
    return sum(g * n for g, n in _parts(X, labels, W, size)) / size


@ex.wrong(SHARED)
def sums_by_parts(X, labels, W, size):
    """The sum over all examples is divided by the number of parts, where the number of
    examples belongs.
    """
    total = sum(g * n for g, n in _parts(X, labels, W, size))
    return total / len(list(_parts(X, labels, W, size)))


@ex.wrong(SHARED)
def divided_twice(X, labels, W, size):
    """Each part is a mean already, and is divided by the number of all examples
    besides. How much of the whole is one part?
    """
    return sum(g for g, _ in _parts(X, labels, W, size)) / len(X)


@ex.wrong(SHARED)
def divided_in_the_loop(X, labels, W, size):
    """What has been gathered is divided again in every round, so the early parts fade."""
    total = 0.0
    for g, n in _parts(X, labels, W, size):
        total = total + g * n
        total = total / len(X)
    return total


@ex.wrong(SHARED)
def upside_down(X, labels, W, size):
    """The factor is upside down: each part's loss is made larger. How much of the whole
    is one part?
    """
    return sum(g * len(X) / n for g, n in _parts(X, labels, W, size))


@ex.wrong(SHARED)
def by_own_length(X, labels, W, size):
    """Each part's mean is divided by the part's length once more. What is its share of
    the whole?
    """
    return sum(g / n for g, n in _parts(X, labels, W, size))


@ex.wrong(SHARED)
def quarter(X, labels, W, size):
    """It is divided by 4, whatever the number of parts. And parts of other lengths
    count for other shares.
    """
    return sum(g for g, _ in _parts(X, labels, W, size)) / 4


@ex.wrong(SHARED)
def overlapping(X, labels, W, size):
    """The parts overlap: each begins one example after the one before. How far does the
    loop have to go on each time?
    """
    total = 0.0
    for k in range(len(X)):
        x, y = X[k : k + size], labels[k : k + size]
        total = total + whole_by_formula(x, y, W, size) * len(x) / len(X)
    return total


@ex.wrong(SHARED)
def step(X, labels, W, size):
    """The weights after a step come back. Asked for is their gradient."""
    return W - whole_by_formula(X, labels, W, size)
