"""09.1 · Dropout on the way back."""

import numpy as np

from course_exercises.judge import Exercise

SPOILT = "09_training_mnist#Three ways to spoil a number"
ACTIVATIONS = "06_layers_and_losses#Activations"
VJP = "05_vectorized_backprop#One form for every rule: the vjp"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"

ex = Exercise(
    "09.1",
    "Dropout on the way back",
    gradient=True,
    outputs=("grad_X", "grad_W", "grad_b"),
    absent={
        "at-output": "with ReLU and dropout the output is positive exactly where "
        "the gradient passes"
    },
    hints=(
        "Name the steps: `Z`, `A = relu(Z)`, `H = A * mask`. Go back through "
        "the three, one after the other.",
        "The mask is a constant. In a product with a constant, the gradient is "
        "multiplied by the constant.",
        "With `grad_Z`, what remains are the three rules of a linear layer from "
        "notebook 05.",
    ),
    explanation=(
        "$G \\odot M$ undoes the dropout: 0 where a value was dropped, doubled where "
        "it was kept. ReLU lets pass where $Z > 0$. The rest is a linear layer. To "
        "check it with `gradcheck`, the mask has to stay the same in each call: draw "
        "it once, before."
    ),
)


@ex.answer
def hidden_vjp(grad_out, X, W, b, mask):
    Z = X @ W + b  # (N, D) @ (D, H) -> (N, H)
    grad_Z = grad_out * mask * (Z > 0)
    return grad_Z @ W.T, X.T @ grad_Z, grad_Z.sum(axis=0)


@ex.given
def hidden_inputs(rng):
    def mask(N, H):
        kept = 2.0 * (rng.random((N, H)) < 0.5)
        kept[0, 0], kept[-1, -1] = 2, 0
        return kept

    sizes = (2, 3, 4), (5, 4, 3), (1, 3, 6), (4, 4, 4), (7, 2, 6)
    return [
        (*(rng.normal(size=s) for s in ((N, H), (N, D), (D, H), H)), mask(N, H))
        for N, D, H in sizes
    ]


@ex.right
def hidden_by_loops(grad_out, X, W, b, mask):
    grad_X, grad_W, grad_b = np.zeros_like(X), np.zeros_like(W), np.zeros_like(b)
    for n, j in np.ndindex(mask.shape):
        if mask[n, j] == 0 or X[n] @ W[:, j] + b[j] <= 0:
            continue
        g = 2 * grad_out[n, j]
        grad_b[j] += g
        grad_W[:, j] += g * X[n]
        grad_X[n] += g * W[:, j]
    return grad_X, grad_W, grad_b


# --- wrong ones: the ReLU and the mask

ex.slip("input-for-gate", {"(Z > 0)": "Z"}, ACTIVATIONS).says("""
    The gradient is multiplied by ReLU's input. On the way back it is the derivative
    that counts, 0 or 1.
""")
ex.slip("activation-missing", {" * (Z > 0)": ""})

ex.slip("mask-missing", {" * mask": ""}, SPOILT).says("""
    The gradient passes as if nothing had been dropped. A value that was set to 0 had no
    part in the loss.
""")
ex.slip("not-doubled", {"* mask": "* (mask > 0)"}, SPOILT).says("""
    What is kept passes, but not doubled: everything is half of what it should be. On
    the way forward the values that remain were doubled.
""")
ex.slip("mask-twice", {"* mask": "* mask**2"}, SPOILT).says("""
    The mask is multiplied in twice, so what is kept is doubled twice. `H` in the
    formula may contain it already.
""")
ex.slip("one-minus-mask", {"* mask": "* (1 - mask)"}, SPOILT).says("""
    It is multiplied by 1 minus the mask. On the way forward the mask itself multiplied.
""")
ex.slip("sign-for-gate", {"(Z > 0)": "np.sign(Z)"}, ACTIVATIONS).says("""
    Below 0 the gradient comes back with the other sign. ReLU is closed there: 0.
""")
ex.slip("mask-reversed", {"* mask": "* (2 - mask)"}, SPOILT).says("""
    The gradient passes where values were dropped, and stops where they were kept.
""")
ex.slip("mask-as-gate", {"mask * (Z > 0)": "(Z > mask)"}, ACTIVATIONS).says("""
    The mask is compared with the input. It is a factor, and ReLU's question is whether
    its own input is above 0.
""")
ex.slip("value-for-derivative", {"(Z > 0)": "np.maximum(Z, 0)"}, ACTIVATIONS).says("""
    The gradient is multiplied by ReLU's value. On the way back it is the derivative
    that counts, 0 or 1.
""")
ex.slip("neither-undone", {" * mask * (Z > 0)": ""}, ACTIVATIONS).says("""
    Neither the dropout nor the ReLU is there on the way back: the gradient goes
    straight to the linear layer.
""")
ex.slip("gate-reversed", {"Z > 0": "Z <= 0"}, ACTIVATIONS).says("""
    The gradient passes where ReLU is closed, and stops where it is open.
""")

FORWARD_AGAIN = {"grad_out * mask * (Z > 0)": "np.maximum(Z, 0) * mask"}
ex.slip("forward-again", FORWARD_AGAIN, VJP).says("""
    The values of the layer go back, where the gradient that comes in belongs.
""")

# --- the linear layer

ex.slip(
    "assigned",
    {"X.T @ grad_Z": "np.outer(X[-1], grad_Z[-1])", ".sum(axis=0)": "[-1]"},
    BIAS,
)

ex.slip("broadcast", {".sum(axis=0)": ""}, BIAS)

ex.slip("bias-missing", {" + b": ""}, ACTIVATIONS).says("""
    ReLU's question is asked without the bias: its input is all of `X @ W + b`.
""")
