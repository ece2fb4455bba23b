"""08.4 · Find the bugs: a run that looks fine"""

import numpy as np

from course_exercises.judge import Exercise

STEP = "08_modules_and_optimizers#From a gradient to a step"
FORGOTTEN = "08_modules_and_optimizers#Gradients that are not forgotten"
BATCHES = "08_modules_and_optimizers#Mini-batches"
KEPT = "The gradient of one step is still there in the next."
BY_ALL = "A mean over a batch is divided by the number of all examples."
SHORT = "The last batch of an epoch is never seen."

ex = Exercise(
    "08.4",
    "Find the bugs: a run that looks fine",
    outputs=("w", "losses"),
    hints=(
        "Try it with four examples and batches of two, and print `i`, `len(xb)` "
        "and `grad` in each step. Which of them is not what you expect?",
        "One mistake is in how far `range` goes, one in what is divided by, and "
        "one in what `+=` adds to.",
        "`range` ends *before* its end. The loss of a batch is a mean over "
        "`len(xb)` rows. And the gradient belongs to one step.",
    ),
    explanation=(
        "The gradient was never cleared, so steps grew; dividing by all examples made "
        "each of them small. The two hid each other, and the curve fell. The third, a "
        "`range` that ends one batch early, never shows in a training loss: what is "
        "not seen is not counted."
    ),
)


@ex.answer
def train_line(X, y, w, lr, batch_size):
    losses = []
    for _ in range(3):  # epochs
        for i in range(0, len(X), batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            error = xb @ w - yb
            grad = 2 * xb.T @ error / len(xb)
            w = w - lr * grad
            losses.append((error**2).mean())
    return w, losses


@ex.given
def train_line_inputs(rng):
    sizes = (4, 2, 2), (10, 3, 4), (7, 1, 2), (12, 5, 3), (9, 4, 5)
    return [
        (
            rng.normal(size=(N, D)),
            rng.normal(size=N),
            rng.normal(size=D),
            0.05,
            batch_size,
        )
        for N, D, batch_size in sizes
    ]


def train_with(kept, by_all, short, slope=2, epochs=3):
    """Make a training with some of the friend's mistakes."""

    def train(X, y, w, lr, batch_size):
        losses, grad = [], np.zeros_like(w)
        stop = len(X) - batch_size if short else len(X)
        for _ in range(epochs):
            for i in range(0, stop, batch_size):
                xb, yb = X[i : i + batch_size], y[i : i + batch_size]
                error = xb @ w - yb
                count = len(X) if by_all else len(xb)
                grad = kept * grad + slope * xb.T @ error / count
                w = w - lr * grad
                losses.append((error**2).mean())
        return w, losses

    return train


ex.mistake("as-shown", FORGOTTEN, code=train_with(1, True, True)).says("""
    All three of the friend's mistakes are still in it. Begin with `grad`: what does it
    hold in the second step?
""")

ex.mistake("not-cleared", FORGOTTEN, code=train_with(1, False, False)).says(KEPT)

ex.mistake("divided-by-all", BATCHES, code=train_with(0, True, False)).says(BY_ALL)

ex.mistake("last-batch-missing", BATCHES, code=train_with(0, False, True)).says(SHORT)

ex.mistake(
    "not-cleared-divided-by-all", FORGOTTEN, code=train_with(1, True, False)
).says(f"One is found, two are left. {KEPT} {BY_ALL}")

ex.mistake(
    "not-cleared-last-batch-missing", FORGOTTEN, code=train_with(1, False, True)
).says(f"One is found, two are left. {KEPT} {SHORT}")

ex.mistake(
    "divided-by-all-last-batch-missing", BATCHES, code=train_with(0, True, True)
).says(f"One is found, two are left. {BY_ALL} {SHORT}")


@ex.wrong(FORGOTTEN)
def cleared_by_epoch(X, y, w, lr, batch_size):
    """The gradient is cleared once an epoch. Each *step* needs its own."""
    losses = []
    for _ in range(3):
        grad = np.zeros_like(w)
        for i in range(0, len(X), batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            error = xb @ w - yb
            grad = grad + 2 * xb.T @ error / len(xb)
            w = w - lr * grad
            losses.append((error**2).mean())
    return w, losses


@ex.wrong(BATCHES)
def divided_by_full_size(X, y, w, lr, batch_size):
    """The last batch may be smaller than `batch_size`. A mean divides by the rows that
    are there.
    """
    losses = []
    for _ in range(3):
        for i in range(0, len(X), batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            error = xb @ w - yb
            w = w - lr * 2 * xb.T @ error / batch_size
            losses.append((error**2).mean())
    return w, losses


@ex.wrong(BATCHES)
def no_batches(X, y, w, lr, batch_size):
    """It takes one step an epoch, with all examples. The friend's run, and yours, goes
    by batches of `batch_size`.
    """
    return train_line(X, y, w, lr, len(X))


@ex.wrong(BATCHES)
def full_batches_only(X, y, w, lr, batch_size):
    """A last batch that is not full is left out. Here every example is to be seen in
    each epoch.
    """
    losses = []
    for _ in range(3):
        for i in range(0, len(X) - batch_size + 1, batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            error = xb @ w - yb
            w = w - lr * 2 * xb.T @ error / len(xb)
            losses.append((error**2).mean())
    return w, losses


ex.mistake("one-epoch", BATCHES, code=train_with(0, False, False, epochs=1)).says("""
    It ends after one epoch. Three are asked for; is a `return` too far to the right?
""")


@ex.wrong(BATCHES)
def sum_for_mean(X, y, w, lr, batch_size):
    """The gradient is that of a sum over the batch. The loss is a mean."""
    losses = []
    for _ in range(3):
        for i in range(0, len(X), batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            error = xb @ w - yb
            w = w - lr * 2 * xb.T @ error
            losses.append((error**2).mean())
    return w, losses


ex.mistake("two-missing", STEP, code=train_with(0, False, False, slope=1)).says("""
    The step is half as long as it should be. What does a square become when it is
    differentiated?
""")

ex.mistake("uphill", STEP, code=train_with(0, False, False, slope=-2)).says("""
    It goes uphill: the gradient is added, or has the wrong sign.
""")


@ex.wrong("08_modules_and_optimizers#The training loop")
def loss_afterwards(X, y, w, lr, batch_size):
    """The loss is noted after the step. The friend's run, and `fit`, note the loss that
    the gradient was computed from.
    """
    losses = []
    for _ in range(3):
        for i in range(0, len(X), batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            w = w - lr * 2 * xb.T @ (xb @ w - yb) / len(xb)
            losses.append(((xb @ w - yb) ** 2).mean())
    return w, losses
