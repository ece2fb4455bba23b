"""08.4 · Find the bugs: a run that looks fine."""

import numpy as np

from course_exercises.judge import Exercise

STEP = "08_modules_and_optimizers#From a gradient to a step"
FORGOTTEN = "08_modules_and_optimizers#Gradients that are not forgotten"
BATCHES = "08_modules_and_optimizers#Mini-batches"
LOOP = "08_modules_and_optimizers#The training loop"

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
        (*(rng.normal(size=s) for s in ((N, D), N, D)), 0.05, batch_size)
        for N, D, batch_size in sizes
    ]


# --- the friend's three mistakes: as slips, and as sentences

NOT_CLEARED = {"losses = []": "losses, grad = [], 0", "grad = 2": "grad = grad + 2"}
BY_ALL = {"len(xb)": "len(X)"}
ENDS_EARLY = {"len(X), batch": "len(X) - batch_size, batch"}
KEPT = "The gradient of one step is still there in the next."
DIVIDED = "A mean over a batch is divided by the number of all examples."
SHORT = "The last batch of an epoch is never seen."

ex.slip("as-shown", NOT_CLEARED | BY_ALL | ENDS_EARLY, FORGOTTEN).says("""
    All three of the friend's mistakes are still in it. Begin with `grad`: what does it
    hold in the second step?
""")
ex.slip("not-cleared", NOT_CLEARED, FORGOTTEN).says(KEPT)
ex.slip("divided-by-all", BY_ALL, BATCHES).says(DIVIDED)
ex.slip("last-batch-missing", ENDS_EARLY, BATCHES).says(SHORT)
ex.slip("not-cleared-divided-by-all", NOT_CLEARED | BY_ALL, FORGOTTEN).says(
    f"One is found, two are left. {KEPT} {DIVIDED}"
)

ex.slip("not-cleared-last-batch-missing", NOT_CLEARED | ENDS_EARLY, FORGOTTEN).says(
    f"One is found, two are left. {KEPT} {SHORT}"
)

ex.slip("divided-by-all-last-batch-missing", BY_ALL | ENDS_EARLY, BATCHES).says(
    f"One is found, two are left. {DIVIDED} {SHORT}"
)

# --- others

ex.slip(
    "cleared-by-epoch",
    {
        "range(3):  # epochs": "range(3):\n        grad = 0",
        "grad = 2": "grad = grad + 2",
    },
    FORGOTTEN,
).says("""
    The gradient is cleared once an epoch. Each *step* needs its own.
""")
ex.slip("divided-by-full-size", {"len(xb)": "batch_size"}, BATCHES).says("""
    The last batch may be smaller than `batch_size`. A mean divides by the rows that are
    there.
""")


@ex.wrong(BATCHES)
def no_batches(X, y, w, lr, batch_size):
    """It takes one step an epoch, with all examples. The friend's run, and yours, goes
    by batches of `batch_size`.
    """
    return train_line(X, y, w, lr, len(X))


FULL_BATCHES_ONLY = {"len(X), batch": "len(X) - batch_size + 1, batch"}
ex.slip("full-batches-only", FULL_BATCHES_ONLY, BATCHES).says("""
    A last batch that is not full is left out. Here every example is to be seen in each
    epoch.
""")
ex.slip("one-epoch", {"range(3)": "range(1)"}, BATCHES).says("""
    It ends after one epoch. Three are asked for; is a `return` too far to the right?
""")

LAST = "            losses.append((error**2).mean())"
ex.slip("one-loss-an-epoch", {LAST: LAST[4:]}, LOOP).says("""
    One loss is noted in each epoch. Asked for is one for each *step*: does `append`
    stand inside of the inner loop?
""")
ex.slip("loss-summed", {"(error**2).mean()": "(error**2).sum()"}, BATCHES).says("""
    The losses are sums over the batch. The mean squared error is a mean.
""")
NOTED = {"= xb @ w - yb": "= xb @ w - yb\n            of_all = X @ w - y"}
ex.slip("loss-of-all", {**NOTED, "(error**2)": "(of_all**2)"}, LOOP).says("""
    The losses noted are those of all examples. Each step has the loss of its own batch.
""")

LAST_LOSSES_ONLY = {"(3):  # epochs": "(3):\n        losses = []"}
ex.slip("last-losses-only", LAST_LOSSES_ONLY, LOOP).says("""
    Only the losses of the last epoch are left: the list begins anew in each. It is made
    once.
""")

OF_ALL = {"xb.T @ error / len(xb)": "X.T @ (X @ w - y) / len(X)"}
ex.slip("gradient-of-all", OF_ALL, BATCHES).says("""
    Each step follows the gradient of *all* examples. It is to be that of its own batch.
""")

FIRST_TARGETS = {"y[i : i + batch_size]": "y[: len(X[i : i + batch_size])]"}
ex.slip("first-targets", FIRST_TARGETS, BATCHES).says("""
    Every batch is compared with the first targets. Inputs and targets are cut at the
    same places.
""")

FIRST_BATCH_MISSING = {"range(0, len": "range(batch_size, len"}
ex.slip("first-batch-missing", FIRST_BATCH_MISSING, BATCHES).says("""
    The first batch of an epoch is never seen. Where does the loop begin?
""")
ex.slip("by-columns", {"len(xb)": "len(w)"}, BATCHES).says("""
    It is divided by the number of weights. The mean is one over the rows of the batch.
""")
ex.slip("four-epochs", {"range(3)": "range(4)"}, BATCHES).says("""
    It runs for more than three epochs.
""")
ex.slip("loss-rooted", {"(error**2).mean()": "(error**2).mean() ** 0.5"}, LOOP).says("""
    The losses are roots of the mean squared error. It is noted as it is.
""")
ex.slip("overlapping", {"len(X), batch_size)": "len(X))"}, BATCHES).says("""
    The batches overlap: each begins one example after the one before. It begins where
    that one ends.
""")
ex.slip("loss-unsquared", {"(error**2).mean()": "error.mean()"}, BATCHES).says("""
    The losses are means of the errors as they are, so that they cancel. It is their
    squares that are averaged.
""")


ex.slip(
    "begins-anew",
    {
        "(3):  # epochs": "(3):\n        w = 1 * start",
        "losses = []": "losses, start = [], w",
    },
    LOOP,
).says("""
    Each epoch begins again at the first `w`. What one epoch has learnt, the next one
    goes on from.
""")
ex.mistake("shuffled", BATCHES).says("""
    The examples come in another order. Here they are taken as they stand, so that the
    run can be compared.
""")


@ex.looked
def look_at_the_order(answer, run):
    """Without steps, the losses of an epoch are those of parts, in some order."""
    X, y, w, _, size = ex.draw()[2]
    _, losses = run(X, y, w, 0.0, size)
    _, right = train_line(X, y, w, 0.0, size)
    if np.shape(losses) != np.shape(right) or np.allclose(losses, right):
        return None
    shares = [len(X[i : i + size]) for i in range(0, len(X), size)]
    sums = [np.dot(shares, each[: len(shares)]) for each in (losses, right)]
    mixed = np.isclose(*sums) and np.ptp(losses) > 0
    return ex.named("shuffled") if mixed else None


ex.slip("sum-for-mean", {" / len(xb)": ""}, BATCHES).says("""
    The gradient is that of a sum over the batch. The loss is a mean.
""")
ex.slip("two-missing", {"2 * xb": "xb"}, STEP).says("""
    The step is half as long as it should be. What does a square become when it is
    differentiated?
""")
ex.slip("uphill", {"w - lr": "w + lr"}, STEP).says("""
    It goes uphill: the gradient is added, or has the wrong sign.
""")
ex.slip("loss-afterwards", {"(error**2)": "((xb @ w - yb) ** 2)"}, LOOP).says("""
    The loss is noted after the step. The friend's run, and `fit`, note the loss that
    the gradient was computed from.
""")
