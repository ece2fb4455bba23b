"""06.3 · The classifier that trains"""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

ACTIVATIONS = "06_layers_and_losses#Activations"
BY_HAND = "06_layers_and_losses#A classifier with two layers, every derivative by hand"
LOGITS = "06_layers_and_losses#From logits"
SOFTMAX = "06_layers_and_losses#Softmax"
TRAIN = "06_layers_and_losses#Mistakes that train"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"

ex = Exercise(
    "06.3",
    "The classifier that trains",
    gradient=True,
    outputs=("dW1", "db1", "dW2", "db2"),
    hints=(
        "Check the arrays from behind, with `gradcheck` or on paper: which lines "
        "hold a formula that this notebook has derived?",
        "Three formulas to compare: the vjp of softmax (how many terms has it?), "
        "the derivative of tanh from its output, the gradient of a bias.",
        "The diagonal of the softmax's Jacobian is only a part of it: use "
        "$(p - y)/N$ for the logits. tanh is not the sigmoid. And `mean` divides "
        "by $N$ a second time.",
    ),
    explanation=(
        "Three bugs. `dprobs * probs * (1 - probs)` takes the diagonal of the "
        "softmax's Jacobian and leaves out that each logit moves the whole row; as "
        "`dprobs` is 0 but at the label, the label's entries come out right and the "
        "others are 0. `h * (1 - h)` is the sigmoid's slope. `mean` divides the bias "
        "gradients by $N$ once more. The loss falls all the same: the logit of the "
        "right class is pushed up, and that is enough for a while."
    ),
)


@ex.answer
def classifier_grads(X, labels, W1, b1, W2, b2):
    N = len(X)
    h = np.tanh(X @ W1 + b1)  # (N, H)
    probs = F.softmax(h @ W2 + b2)  # (N, K)
    one_hot = np.eye(len(b2))[labels]  # (N, K)
    dZ2 = (probs - one_hot) / N  # (N, K)
    dZ1 = (dZ2 @ W2.T) * (1 - h**2)  # (N, H)
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


@ex.given
def classifier_inputs(rng):
    sizes = (2, 3, 2, 3), (5, 4, 3, 6), (4, 4, 4, 4), (1, 3, 2, 4), (7, 2, 5, 3)
    return [
        (
            rng.normal(size=(N, D)),
            rng.integers(0, K, size=N),
            rng.normal(size=(D, H)),
            rng.normal(size=H),
            rng.normal(size=(H, K)),
            rng.normal(size=K),
        )
        for N, D, H, K in sizes
    ]


def back_from(dZ2, h, X, W2):
    dZ1 = (dZ2 @ W2.T) * (1 - h**2)
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


def two_layers(X, labels, W1, b1, W2, b2):
    h = np.tanh(X @ W1 + b1)
    probs = F.softmax(h @ W2 + b2)
    return h, probs, np.eye(len(b2))[labels]


@ex.right
def classifier_by_example(X, labels, W1, b1, W2, b2):
    grads = [np.zeros_like(p) for p in (W1, b1, W2, b2)]
    for x, label in zip(X, labels, strict=True):
        h = np.tanh(x @ W1 + b1)
        dz2 = F.softmax(h @ W2 + b2)
        dz2[label] -= 1
        dz1 = (W2 @ dz2) * (1 - h * h)
        parts = np.outer(x, dz1), dz1, np.outer(h, dz2), dz2
        for grad, part in zip(grads, parts, strict=True):
            grad += part / len(X)
    return grads


def hidden_slope(slope_of):
    def wrong(X, labels, W1, b1, W2, b2):
        h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
        dZ2 = (probs - one_hot) / len(X)
        dZ1 = (dZ2 @ W2.T) * slope_of(X @ W1 + b1)
        return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)

    return wrong


def logit_grad(dZ2_of):
    def wrong(X, labels, W1, b1, W2, b2):
        h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
        dZ2 = dZ2_of(h @ W2 + b2, probs, one_hot) / len(X)
        return back_from(dZ2, h, X, W2)

    return wrong


def bias_grad(reduce):
    def wrong(X, labels, W1, b1, W2, b2):
        h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
        dZ2 = (probs - one_hot) / len(X)
        dZ1 = (dZ2 @ W2.T) * (1 - h**2)
        return X.T @ dZ1, reduce(dZ1), h.T @ dZ2, reduce(dZ2)

    return wrong


def along_other_axis(z):
    e = np.exp(z)
    return e / e.sum(axis=0)


def over_all(z):
    e = np.exp(z)
    return e / e.sum()


@ex.wrong(ACTIVATIONS)
def value_for_derivative(X, labels, W1, b1, W2, b2):
    """The gradient is multiplied by what the tanh gives. On the way back it is its
    derivative that counts.
    """
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = dZ2 @ W2.T * h
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


@ex.wrong(SOFTMAX)
def for_the_probabilities(X, labels, W1, b1, W2, b2):
    """This is the gradient for the probabilities. Between them and the logits stands
    the softmax, and the way back leads through it.
    """
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    return back_from(-one_hot / probs / len(X), h, X, W2)


@ex.wrong(SOFTMAX)
def softmax_diagonal(X, labels, W1, b1, W2, b2):
    """The softmax goes back as if each logit moved its own probability alone. It moves
    all of its row, through the sum.
    """
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    return back_from(-one_hot * (1 - probs) / len(X), h, X, W2)


@ex.wrong(ACTIVATIONS)
def sigmoid_slope(X, labels, W1, b1, W2, b2):
    """$h(1-h)$ is the slope of the sigmoid. The hidden layer is a tanh."""
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = (dZ2 @ W2.T) * h * (1 - h)
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


@ex.wrong(BIAS)
def bias_averaged(X, labels, W1, b1, W2, b2):
    """The gradient of the bias is a mean over the rows. The loss has brought in its
    $1/N$ already; from there on, the rows are summed.
    """
    dW1, db1, dW2, db2 = classifier_grads(X, labels, W1, b1, W2, b2)
    return dW1, db1 / len(X), dW2, db2 / len(X)


@ex.wrong(SOFTMAX)
def several_left(X, labels, W1, b1, W2, b2):
    """These numbers are still those of the code as it was found. There is more than one
    bug behind them: look at each of its last three lines.
    """
    N = len(X)
    h = np.tanh(X @ W1 + b1)
    probs = F.softmax(h @ W2 + b2)
    one_hot = np.eye(len(b2))[labels]
    dprobs = -one_hot / probs / N
    dZ2 = dprobs * probs * (1 - probs)
    dZ1 = (dZ2 @ W2.T) * h * (1 - h)
    return X.T @ dZ1, dZ1.mean(axis=0), h.T @ dZ2, dZ2.mean(axis=0)


@ex.wrong(SOFTMAX)
def two_left(X, labels, W1, b1, W2, b2):
    """Two of the bugs are still in it: the way back through the softmax, and the slope
    of the hidden layer.
    """
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = -one_hot * (1 - probs) / len(X)
    dZ1 = (dZ2 @ W2.T) * h * (1 - h)
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


@ex.wrong()
def activation_missing(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = dZ2 @ W2.T
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


@ex.wrong(ACTIVATIONS)
def at_output(X, labels, W1, b1, W2, b2):
    """The slope $1 - y^2$ wants the output of the tanh, and `h` is the output already.
    Here the tanh is applied once more.
    """
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = (dZ2 @ W2.T) * (1 - np.tanh(h) ** 2)
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


ex.mistake("at-input", ACTIVATIONS, code=hidden_slope(lambda z: 1 - z**2)).says("""
    The slope $1 - y^2$ wants the output of the tanh. Here it is given what went into
    it.
""")


@ex.wrong(BY_HAND)
def weights_with_input(X, labels, W1, b1, W2, b2):
    """`dW2` is made with what goes *into* the tanh. The second layer is given what
    comes out of it.
    """
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = (dZ2 @ W2.T) * (1 - h**2)
    return X.T @ dZ1, dZ1.sum(axis=0), (X @ W1 + b1).T @ dZ2, dZ2.sum(axis=0)


ex.mistake(
    "slope-twice", ACTIVATIONS, code=hidden_slope(lambda z: (1 - np.tanh(z) ** 2) ** 2)
).says("""
    The slope of the tanh is multiplied in twice.
""")

ex.mistake(
    "not-squared", ACTIVATIONS, code=hidden_slope(lambda z: 1 - np.tanh(z))
).says("""
    The slope of the tanh is not $1 - y$. One letter of it is squared.
""")

ex.mistake("gate", ACTIVATIONS, code=hidden_slope(lambda z: z > 0)).says("""
    This is the gate of a rectifier. The hidden layer is a tanh.
""")


@ex.wrong(BIAS)
def assigned(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    return back_from(dZ2[-1:], h[-1:], X[-1:], W2)


@ex.wrong(BIAS)
def broadcast(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = (dZ2 @ W2.T) * (1 - h**2)
    return X.T @ dZ1, dZ1, h.T @ dZ2, dZ2


ex.mistake(
    "mean-forgotten", SOFTMAX, code=logit_grad(lambda z, p, y: (p - y) * len(p))
).says("""
    The loss is a mean over the examples, and its $1/N$ is missing. It comes in once, at
    the loss.
""")


@ex.wrong(SOFTMAX)
def one_row(X, labels, W1, b1, W2, b2):
    """The gradient of the loss is summed over the batch, so that every example gets the
    same row. Each has a row of its own.
    """
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    row = ((probs - one_hot) / len(X)).sum(axis=0)
    return back_from(np.ones_like(probs) * row, h, X, W2)


@ex.wrong(SOFTMAX)
def truth_missing(X, labels, W1, b1, W2, b2):
    """The labels have no part in it. The gradient is prediction *minus truth*."""
    h, probs, _ = two_layers(X, labels, W1, b1, W2, b2)
    return back_from(probs / len(X), h, X, W2)


@ex.wrong(TRAIN)
def softmax_twice(X, labels, W1, b1, W2, b2):
    """The softmax is applied to probabilities. They have been through it."""
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    return back_from((F.softmax(probs) - one_hot) / len(X), h, X, W2)


ex.mistake("softmax-missing", SOFTMAX, code=logit_grad(lambda z, p, y: z - y)).says("""
    The truth is subtracted from the logits. Logits are no probabilities: the softmax is
    missing.
""")

ex.mistake(
    "softmax-axis", SOFTMAX, code=logit_grad(lambda z, p, y: along_other_axis(z) - y)
).says("""
    The softmax runs along the wrong axis: the probabilities of each *row* have the sum
    1.
""")

ex.mistake(
    "softmax-over-all", SOFTMAX, code=logit_grad(lambda z, p, y: over_all(z) - y)
).says("""
    The softmax is taken over the whole array. Each row has a sum of its own.
""")

ex.mistake(
    "sigmoid-of-softmax", LOGITS, code=logit_grad(lambda z, p, y: (p - y) * p * (1 - p))
).says("""
    Prediction minus truth is multiplied by $p(1-p)$, as it is for a squared error
    behind a sigmoid. In the cross-entropy that factor has cancelled.
""")

ex.mistake(
    "over-entries", SOFTMAX, code=logit_grad(lambda z, p, y: (p - y) / p.shape[1])
).says("""
    It is divided by the number of classes as well. The mean of cross-entropy runs over
    the examples alone.
""")

ex.mistake("axis", BIAS, code=bias_grad(lambda dZ: dZ.sum(axis=1)))

ex.mistake("first-only", BIAS, code=bias_grad(lambda dZ: dZ[0]))


@ex.wrong(SOFTMAX)
def through_softmax_twice(X, labels, W1, b1, W2, b2):
    """`probs - one_hot` is the gradient for the *logits*: the softmax's vjp is inside
    it. Here it is multiplied in once more.
    """
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    return back_from(F.softmax_vjp((probs - one_hot) / len(X), probs), h, X, W2)
