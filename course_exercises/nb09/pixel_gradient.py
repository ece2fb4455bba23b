"""09.4 · A step that hurts."""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

SCALE = "09_training_mnist#One scale for all pixels"
SPOILT = "09_training_mnist#Three ways to spoil a number"
LOOKS = "09_training_mnist#What it looks at"
LOSSES = "06_layers_and_losses#Softmax"
ACTIVATIONS = "06_layers_and_losses#Activations"

ex = Exercise(
    "09.4",
    "A step that hurts",
    gradient=True,
    absent={
        "at-output": "a ReLU's output is positive exactly where its input is",
        "assigned": "each picture is used once",
        "broadcast": "a picture is not shared by several rows",
    },
    hints=(
        "Write the way forward first, in four lines: normalise, linear, ReLU, "
        "linear. Keep what the way back needs.",
        "For the logits there is one rule for softmax and loss together. Then "
        "through `W2`, through the ReLU, through `W1`.",
        "Through a linear layer to its input: the gradient times `W.T`. Last comes "
        "the normalisation: one unit more of $x$ is $1/\\sigma$ more of $X$.",
    ),
    explanation=(
        "$dX = \\bigl((P - Y) W_2^\\top / N \\odot [Z > 0]\\bigr) W_1^\\top$, and the "
        "normalisation divides by $\\sigma$. The step along the signs hurts so much "
        "because all 784 small changes push in the same direction: their effects "
        "*add*, where random ones nearly cancel."
    ),
)


@ex.answer
def pixel_gradient(x, labels, mean, std, W1, b1, W2, b2):
    X = (x - mean) / std
    Z = F.linear(X, W1, b1)
    logits = F.linear(F.relu(Z), W2, b2)
    grad_logits = F.softmax_cross_entropy_vjp(1.0, logits, labels)
    grad_Z = F.relu_vjp(grad_logits @ W2.T, Z)
    return grad_Z @ W1.T / std  # (N, H) @ (H, D) -> (N, D)


@ex.given
def pixel_inputs(rng):
    sizes = (2, 3, 4, 3), (5, 4, 6, 10), (1, 5, 4, 3), (3, 3, 3, 3), (6, 8, 5, 10)
    cases = []
    for N, D, H, K in sizes:
        pictures = rng.uniform(0.05, 1, (N, D)), rng.integers(0, K, N)
        scale = rng.uniform(0.1, 0.3), rng.uniform(0.3, 0.6)
        weights = (rng.normal(size=shape) for shape in ((D, H), H, (H, K), K))
        cases.append((*pictures, *scale, *weights))
    return cases


@ex.right
def pixels_by_units(x, labels, mean, std, W1, b1, W2, b2):
    Z = (x - mean) / std @ W1 + b1
    grad = F.softmax(np.maximum(Z, 0) @ W2 + b2)
    grad[np.arange(len(x)), labels] -= 1
    out = np.zeros_like(x)
    for j in range(W1.shape[1]):
        out += np.outer(grad @ W2[j] * (Z[:, j] > 0), W1[:, j]) / std / len(x)
    return out


BACK = "grad_logits @ W2.T"
GATE = f"F.relu_vjp({BACK}, Z)"

# --- wrong ones: ReLU and softmax

ex.slip("input-for-gate", {GATE: f"{BACK} * Z"}, ACTIVATIONS).says("""
    The gradient is multiplied by ReLU's input. On the way back it is the derivative
    that counts, 0 or 1.
""")
ex.slip("gate-of-gradient", {GATE: "F.relu(grad_logits @ W2.T)"}, ACTIVATIONS).says("""
    The gate looks at the gradient. It is the *input* of ReLU that tells where it is
    open.
""")
ex.slip(
    "softmax-over-examples",
    {"softmax(": "softmax((", "+ b2)": "+ b2).T).T"},
    LOSSES,
    of=pixels_by_units,
).says("""
    The softmax runs over the examples. Each row has probabilities of its own.
""")
ex.slip("activation-missing", {GATE: BACK})

# --- the normalisation

ex.slip("std-missing", {"W1.T / std": "W1.T"}, LOOKS).says("""
    This is the gradient for the *normalised* pixels. Normalising is a step of the chain
    too, and has a derivative.
""")
ex.slip("std-multiplied", {"W1.T / std": "W1.T * std"}, LOOKS).says(r"""
    On the way back it is multiplied by `std`. What is the derivative of $(x -
    \mu)/\sigma$ by $x$?
""")
ex.slip("std-twice", {"W1.T / std": "W1.T / std**2"}, LOOKS).says("""
    It is divided by `std` twice. Each step of the chain counts once.
""")
ex.slip("mean-kept", {"W1.T / std": "W1.T * (1 - mean) / std"}, LOOKS).says("""
    `mean` plays a part in the derivative. What is subtracted is a constant.
""")

GRADIENT_NORMALISED = {"grad_Z @ W1.T": "(grad_Z @ W1.T - mean)"}
ex.slip("gradient-normalised", GRADIENT_NORMALISED, LOOKS).says("""
    The gradient is normalised like a picture. On the way back only the derivative
    counts: what is subtracted is a constant.
""")
ex.slip("value-for-derivative", {GATE: f"{BACK} * F.relu(Z)"}, ACTIVATIONS).says("""
    The gradient is multiplied by ReLU's value. On the way back it is the derivative
    that counts, 0 or 1.
""")

# --- another way forward

NOT_NORMALISED = {"(x - mean) / std": "x", "W1.T / std": "W1.T"}
ex.slip("not-normalised", NOT_NORMALISED, SCALE).says("""
    The network is fed with raw pixels. It has learnt from normalised ones.
""")
ex.slip("raw-forward", {"(x - mean) / std": "x"}, SCALE).says("""
    On the way back the normalisation is there, on the way forward it is not.
""")
ex.slip("not-shifted", {"(x - mean)": "x"}, SCALE).says("""
    The pixels are divided by `std`, but `mean` is not subtracted before.
""")
ex.slip("relu-missing-forward", {"F.relu(Z), W2": "Z, W2"}, ACTIVATIONS).says("""
    On the way forward the ReLU is left out. The gradient belongs to another network
    then.
""")

LINEAR = {
    "F.relu(Z), W2": "Z, W2",
    GATE: "grad_logits @ W2.T",
}
ex.slip("no-relu", LINEAR, ACTIVATIONS).says("""
    The ReLU is left out on both ways.
""")

OF_PIXELS = {
    GATE: "grad_logits @ W2.T",
    "W1.T /": "W1.T * (X > 0) /",
}
ex.slip("gate-of-pixels", OF_PIXELS, ACTIVATIONS).says("""
    The gate looks at the pixels. ReLU stands behind the first linear layer: its input
    is `Z`.
""")
ex.slip("of-the-weights", {"grad_Z @ W1.T / std": "X.T @ grad_Z"}, LOOKS).says("""
    This is the gradient of the first *weights*. Asked for is that of the pixels: the
    other factor of the product.
""")
ex.slip("of-the-hidden", {"grad_Z @ W1.T / std": "grad_Z"}, LOOKS).says("""
    It ends at the hidden layer. From there it goes on, through `W1` and the
    normalisation.
""")

TRUTH_MISSING = {"grad[np.arange(len(x)), labels] -= 1": "pass"}
ex.slip("truth-missing", TRUTH_MISSING, LOSSES, of=pixels_by_units).says("""
    The labels have no part in it: the gradient for the logits is prediction *minus
    truth*.
""")

EVERY_LABEL = {"[np.arange(len(x)), labels]": "[:, np.unique(labels)]"}
ex.slip("every-label", EVERY_LABEL, LOSSES, of=pixels_by_units).says("""
    In every row, the labels of *all* examples are subtracted. Each row has one label:
    rows and labels have to be picked in pairs.
""")
ex.slip("gate-reversed", {"W2.T, Z": "W2.T, -Z"}, ACTIVATIONS).says("""
    The gradient passes where ReLU is closed, and stops where it is open.
""")
ex.slip("softmax-missing", {"F.softmax": ""}, LOSSES, of=pixels_by_units).says("""
    The logits stand where the probabilities belong: the softmax is missing.
""")
ex.slip("softmax-twice", {"1.0, logits": "1.0, F.softmax(logits)"}, SPOILT).says("""
    The softmax is taken twice.
""")

BIASES_MISSING = {"W1, b1)": "W1, 0 * b1)", "Z), W2, b2": "Z), W2, 0 * b2"}
ex.slip("biases-missing", BIASES_MISSING, ACTIVATIONS).says("""
    The biases are left out on the way forward. They decide which ReLUs are open, and
    what the softmax gives.
""")
ex.slip("first-bias-missing", {"W1, b1)": "W1, 0 * b1)"}, ACTIVATIONS).says("""
    `b1` is left out on the way forward. It has a say in which ReLUs are open.
""")
ex.slip("second-bias-missing", {"Z), W2, b2": "Z), W2, 0 * b2"}, LOSSES).says("""
    `b2` is left out on the way forward. It has a say in what the softmax gives.
""")

SIGNS = {"grad_Z @ W1.T / std": "np.sign(grad_Z @ W1.T / std)"}
ex.slip("signs", SIGNS, LOOKS).says("""
    These are the signs. Asked for is the gradient; the signs come after.
""")
