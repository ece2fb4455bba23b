"""06.3 · The classifier that trains."""

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
        "Check the arrays from behind, with `gradcheck` or on paper: which lines hold "
        "a formula that this notebook has derived?",
        "Three formulas to compare: the vjp of softmax (how many terms has it?), the "
        "derivative of tanh from its output, the gradient of a bias.",
        "The diagonal of the softmax's Jacobian is only a part of it: use $(p - y)/N$ "
        "for the logits. tanh is not the sigmoid. And `mean` divides by $N$ a second "
        "time.",
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
def inputs(rng):
    sizes = (2, 3, 2, 3), (5, 4, 3, 6), (4, 4, 4, 4), (1, 3, 2, 4), (7, 2, 5, 3)
    cases = []
    for N, D, H, K in sizes:
        data = rng.normal(size=(N, D)), rng.integers(0, K, size=N)
        shapes = (D, H), H, (H, K), K
        cases.append((*data, *[rng.normal(size=shape) for shape in shapes]))
    return cases


# --- the three bugs of the code as it was found, and what is near to them

DIAGONAL = {"(probs - one_hot)": "-one_hot * (1 - probs)"}
SIGMOID = {"(1 - h**2)": "h * (1 - h)"}
MEAN = {"dZ1.sum": "dZ1.mean", "dZ2.sum": "dZ2.mean"}

ex.slip("value-for-derivative", {"(1 - h**2)": "h"}, ACTIVATIONS).says("""
    The gradient is multiplied by what the tanh gives. On the way back it is its
    derivative that counts.
""")

FOR_THE_PROBABILITIES = {"(probs - one_hot)": "-one_hot / probs"}
ex.slip("for-the-probabilities", FOR_THE_PROBABILITIES, SOFTMAX).says("""
    This is the gradient for the probabilities. Between them and the logits stands the
    softmax, and the way back leads through it.
""")
ex.slip("softmax-diagonal", DIAGONAL, SOFTMAX).says("""
    The softmax goes back as if each logit moved its own probability alone. It moves all
    of its row, through the sum.
""")
ex.slip("sigmoid-slope", SIGMOID, ACTIVATIONS).says("""
    $h(1-h)$ is the slope of the sigmoid. The hidden layer is a tanh.
""")
ex.slip("bias-averaged", MEAN, BIAS).says("""
    The gradient of the bias is a mean over the rows. The loss has brought in its $1/N$
    already; from there on, the rows are summed.
""")
ex.slip("several-left", DIAGONAL | SIGMOID | MEAN, SOFTMAX).says("""
    These numbers are still those of the code as it was found. There is more than one
    bug behind them: look at each of its last three lines.
""")
ex.slip("two-left", DIAGONAL | SIGMOID, SOFTMAX).says("""
    Two of the bugs are still in it: the way back through the softmax, and the slope of
    the hidden layer.
""")

COLUMNS = {"(probs - one_hot)": "(probs * one_hot.sum(axis=0) - one_hot)"}
ex.slip("softmax-down-columns", COLUMNS, SOFTMAX).says("""
    On the way back through the softmax, the sum runs down the columns. It is the
    probabilities of one *row* that depend on each other.
""")

FACTOR = {"(probs - one_hot)": "(1 - one_hot / probs)"}
ex.slip("softmax-factor", FACTOR, SOFTMAX).says("""
    The softmax's vjp has a factor in front that is missing: each entry of the bracket
    is multiplied by its own probability.
""")

# --- the slope of the tanh

ex.slip("activation-missing", {" * (1 - h**2)": ""})

ex.slip("at-output", {"h**2": "np.tanh(h) ** 2"}, ACTIVATIONS).says("""
    The slope $1 - y^2$ wants the output of the tanh, and `h` is the output already.
    Here the tanh is applied once more.
""")
ex.slip("at-input", {"h**2": "(X @ W1 + b1) ** 2"}, ACTIVATIONS).says("""
    The slope $1 - y^2$ wants the output of the tanh. Here it is given what went into
    it.
""")
ex.slip("weights-with-input", {"h.T": "(X @ W1 + b1).T"}, BY_HAND).says("""
    `dW2` is made with what goes *into* the tanh. The second layer is given what comes
    out of it.
""")
ex.slip("slope-twice", {"(1 - h**2)": "(1 - h**2) ** 2"}, ACTIVATIONS).says("""
    The slope of the tanh is multiplied in twice.
""")
ex.slip("not-squared", {"h**2": "h"}, ACTIVATIONS).says("""
    The slope of the tanh is not $1 - y$. One letter of it is squared.
""")
ex.slip("gate", {"(1 - h**2)": "(h > 0)"}, ACTIVATIONS).says("""
    This is the gate of a rectifier. The hidden layer is a tanh.
""")

# --- on the way forward

ex.slip("sigmoid-forward", {"np.tanh(X": "F.sigmoid(X"}, BY_HAND).says("""
    On the way forward the hidden layer is a sigmoid. This one is a tanh.
""")
ex.slip("first-bias-missing", {" + b1": ""}, BY_HAND).says("""
    `b1` is left out on the way forward.
""")
ex.slip("second-bias-missing", {" + b2": ""}, BY_HAND).says("""
    `b2` is left out on the way forward.
""")

# --- the sum over the rows

ex.slip("assigned", {"N = len(X)": "N, X, labels = len(X), X[-1:], labels[-1:]"}, BIAS)

ex.slip("broadcast", {"dZ1.sum(axis=0)": "dZ1", "dZ2.sum(axis=0)": "dZ2"}, BIAS)

ex.slip("mean-forgotten", {" / N": ""}, SOFTMAX).says("""
    The loss is a mean over the examples, and its $1/N$ is missing. It comes in once, at
    the loss.
""")

ONE_ROW = {"(probs": "np.ones((N, 1)) * (probs", "hot)": "hot).sum(axis=0)"}
ex.slip("one-row", ONE_ROW, SOFTMAX).says("""
    The gradient of the loss is summed over the batch, so that every example gets the
    same row. Each has a row of its own.
""")

# --- prediction minus truth

ex.slip("truth-missing", {" - one_hot": ""}, SOFTMAX).says("""
    The labels have no part in it. The gradient is prediction *minus truth*.
""")

EVERYWHERE = {
    "np.eye(len(b2))[labels]": "np.zeros((N, 1)) + np.eye(len(b2))[labels].max(0)"
}
ex.slip("every-label", EVERYWHERE, SOFTMAX).says("""
    In every row, the labels of *all* examples are subtracted. Each row has one label:
    rows and labels have to be picked in pairs.
""")
ex.slip("softmax-twice", {"(probs": "(F.softmax(probs)"}, TRAIN).says("""
    The softmax is applied to probabilities. They have been through it.
""")
ex.slip("softmax-missing", {"F.softmax": ""}, SOFTMAX).says("""
    The truth is subtracted from the logits. Logits are no probabilities: the softmax is
    missing.
""")
ex.slip("softmax-axis", {"(h @ W2 + b2)": "((h @ W2 + b2).T).T"}, SOFTMAX).says("""
    The softmax runs along the wrong axis: the probabilities of each *row* have the sum
    1.
""")

ALL = {"(h @ W2 + b2)": "((h @ W2 + b2).ravel()).reshape(N, -1)"}
ex.slip("softmax-over-all", ALL, SOFTMAX).says("""
    The softmax is taken over the whole array. Each row has a sum of its own.
""")
ex.slip("sigmoid-of-softmax", {"hot)": "hot) * probs * (1 - probs)"}, LOGITS).says("""
    Prediction minus truth is multiplied by $p(1-p)$, as it is for a squared error
    behind a sigmoid. In the cross-entropy that factor has cancelled.
""")
ex.slip("over-classes", {"/ N": "/ len(b2)"}, SOFTMAX).says("""
    It is divided by the number of classes. The mean is one over the examples.
""")
ex.slip("over-entries", {"/ N": "/ N / len(b2)"}, SOFTMAX).says("""
    It is divided by the number of classes as well. The mean of cross-entropy runs over
    the examples alone.
""")
ex.slip(
    "axis",
    {"dZ1.sum(axis=0": "dZ1.sum(axis=1", "dZ2.sum(axis=0": "dZ2.sum(axis=1"},
    BIAS,
)

ex.slip("first-only", {"dZ1.sum(axis=0)": "dZ1[0]", "dZ2.sum(axis=0)": "dZ2[0]"}, BIAS)

TWICE = {"dZ2 =": "dZ2 = F.softmax_vjp(", "/ N": "/ N, probs)"}
ex.slip("through-softmax-twice", TWICE, SOFTMAX).says("""
    `probs - one_hot` is the gradient for the *logits*: the softmax's vjp is inside it.
    Here it is multiplied in once more.
""")
