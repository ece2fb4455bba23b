"""09.1 · Dropout on the way back"""

import numpy as np

from course_exercises.judge import Exercise

SPOILT = "09_training_mnist#Three ways to spoil a number"
ACTIVATIONS = "06_layers_and_losses#Activations"
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
        (
            rng.normal(size=(N, H)),
            rng.normal(size=(N, D)),
            rng.normal(size=(D, H)),
            rng.normal(size=H),
            mask(N, H),
        )
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


def hidden_from(grad_Z, X, W):
    return grad_Z @ W.T, X.T @ grad_Z, grad_Z.sum(axis=0)


@ex.right
def hidden_by_units(grad_out, X, W, b, mask):
    grad_X, grad_W, grad_b = np.zeros_like(X), np.zeros_like(W), np.zeros_like(b)
    for n in range(len(X)):
        for j in range(len(b)):
            if X[n] @ W[:, j] + b[j] > 0:
                g = grad_out[n, j] * mask[n, j]
                grad_X[n] += g * W[:, j]
                grad_W[:, j] += g * X[n]
                grad_b[j] += g
    return grad_X, grad_W, grad_b


@ex.wrong(ACTIVATIONS)
def input_for_gate(grad_out, X, W, b, mask):
    """The gradient is multiplied by ReLU's input. On the way back it is the derivative
    that counts, 0 or 1.
    """
    grad_Z = grad_out * mask * (X @ W + b)
    return grad_Z @ W.T, X.T @ grad_Z, grad_Z.sum(axis=0)


@ex.wrong()
def activation_missing(grad_out, X, W, b, mask):
    return hidden_from(grad_out * mask, X, W)


@ex.wrong(SPOILT)
def mask_missing(grad_out, X, W, b, mask):
    """The gradient passes as if nothing had been dropped. A value that was set to 0 had
    no part in the loss.
    """
    return hidden_from(grad_out * (X @ W + b > 0), X, W)


@ex.wrong(SPOILT)
def not_doubled(grad_out, X, W, b, mask):
    """What is kept passes, but not doubled: everything is half of what it should be. On
    the way forward the values that remain were doubled.
    """
    return hidden_from(grad_out * (mask > 0) * (X @ W + b > 0), X, W)


@ex.wrong(SPOILT)
def mask_twice(grad_out, X, W, b, mask):
    """The mask is multiplied in twice, so what is kept is doubled twice. `H` in the
    formula may contain it already.
    """
    return hidden_from(grad_out * mask**2 * (X @ W + b > 0), X, W)


@ex.wrong(SPOILT)
def mask_reversed(grad_out, X, W, b, mask):
    """The gradient passes where values were dropped, and stops where they were kept."""
    return hidden_from(grad_out * (2 - mask) * (X @ W + b > 0), X, W)


@ex.wrong(ACTIVATIONS)
def mask_as_gate(grad_out, X, W, b, mask):
    """The mask is compared with the input. It is a factor, and ReLU's question is
    whether its own input is above 0.
    """
    return hidden_from(grad_out * (X @ W + b > mask), X, W)


@ex.wrong(ACTIVATIONS)
def value_for_derivative(grad_out, X, W, b, mask):
    """The gradient is multiplied by ReLU's value. On the way back it is the derivative
    that counts, 0 or 1.
    """
    return hidden_from(grad_out * mask * np.maximum(X @ W + b, 0), X, W)


@ex.wrong(ACTIVATIONS)
def neither_undone(grad_out, X, W, b, mask):
    """Neither the dropout nor the ReLU is there on the way back: the gradient goes
    straight to the linear layer.
    """
    return hidden_from(grad_out, X, W)


@ex.wrong(ACTIVATIONS)
def gate_reversed(grad_out, X, W, b, mask):
    """The gradient passes where ReLU is closed, and stops where it is open."""
    return hidden_from(grad_out * mask * (X @ W + b <= 0), X, W)


@ex.wrong("05_vectorized_backprop#One form for every rule: the vjp")
def forward_again(grad_out, X, W, b, mask):
    """The values of the layer go back, where the gradient that comes in belongs."""
    return hidden_from(np.maximum(X @ W + b, 0) * mask, X, W)


@ex.wrong(BIAS)
def assigned(grad_out, X, W, b, mask):
    grad_Z = grad_out * mask * (X @ W + b > 0)
    for x, g in zip(X, grad_Z, strict=True):
        grad_W, grad_b = np.outer(x, g), g
    return grad_Z @ W.T, grad_W, grad_b


@ex.wrong(BIAS)
def broadcast(grad_out, X, W, b, mask):
    grad_Z = grad_out * mask * (X @ W + b > 0)
    return grad_Z @ W.T, X.T @ grad_Z, grad_Z


@ex.wrong(ACTIVATIONS)
def bias_missing(grad_out, X, W, b, mask):
    """ReLU's question is asked without the bias: its input is all of `X @ W + b`."""
    return hidden_from(grad_out * mask * (X @ W > 0), X, W)
