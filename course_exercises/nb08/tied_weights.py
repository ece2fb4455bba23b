"""08.3 · One matrix, used twice."""

import numpy as np

from course_exercises.judge import Exercise

TAPE = "08_modules_and_optimizers#Third: modules on the tape"
VJP = "05_vectorized_backprop#One form for every rule: the vjp"
ACTIVATIONS = "06_layers_and_losses#Activations"

ex = Exercise(
    "08.3",
    "One matrix, used twice",
    gradient=True,
    outputs=("grad_X", "grad_W"),
    absent={"broadcast": "nothing is broadcast in matrix products"},
    hints=(
        "Give the two uses different names, $Y = \\tanh(X W_1) W_2^\\top$, and derive "
        "both gradients. What is left to do when $W_1 = W_2 = W$?",
        "Second use: $dW_2$ is $(D, H)$, built from `grad_out`, $(N, D)$, and `H`, "
        "$(N, H)$. First use: the rule of a linear layer, after tanh's.",
        "`grad_H = grad_out @ W`, and through the tanh with its output. The two "
        "gradients of `W` have one shape, and they add.",
    ),
    explanation=(
        "With two names it is a network of two layers: $dW_2 = G^\\top H$, and $dW_1 = "
        "X^\\top \\bigl((G W) \\odot (1 - H^2)\\bigr)$. One parameter used twice gets "
        "the sum, as `Module` and the tape would give it."
    ),
)


@ex.answer
def tied_vjp(grad_out, X, W):
    H = np.tanh(X @ W)  # (N, D) @ (D, H) -> (N, H)
    grad_H = grad_out @ W  # (N, D) @ (D, H) -> (N, H)
    grad_Z = grad_H * (1 - H**2)
    grad_X = grad_Z @ W.T
    grad_W = X.T @ grad_Z + grad_out.T @ H  # both uses, (D, H)
    return grad_X, grad_W


@ex.given
def tied_inputs(rng):
    sizes = (2, 3, 2), (5, 4, 3), (1, 3, 2), (3, 3, 3), (7, 2, 6)
    return [
        (*rng.normal(size=(2, N, D)), 0.5 * rng.normal(size=(D, H)))
        for N, D, H in sizes
    ]


@ex.right
def tied_by_loops(grad_out, X, W):
    grad_X, grad_W = [], np.zeros_like(W)
    for g, x in zip(grad_out, X, strict=True):
        h = np.tanh(x @ W)
        grad_z = (W.T @ g) / np.cosh(x @ W) ** 2
        grad_W += np.outer(x, grad_z)
        grad_W += np.outer(g, h)
        grad_X.append(list(W @ grad_z))
    return grad_X, grad_W


# --- wrong ones: the derivative of tanh, and the two uses

ex.slip("activation-missing", {" * (1 - H**2)": ""})

ex.slip("at-output", {"H**2": "(X @ W) ** 2"}, ACTIVATIONS).says(r"""
    $1 - \tanh^2$ is made from the input `Z`, without the tanh. The formula in terms of
    the output needs the output.
""")
ex.slip("assigned", {" + grad_out.T @ H": ""}, TAPE).says("""
    `grad_W` knows only of the first use of `W`. On the way back it comes last, and has
    overwritten what the second use gave.
""")
ex.slip("last-use-alone", {"X.T @ grad_Z + ": ""}, TAPE).says(r"""
    `grad_W` knows only of the second use, $H W^\top$. `W` also made the hidden values.
""")
ex.slip("second-use-turned", {"grad_out.T @ H": "H.T @ grad_out"}, VJP).says("""
    For the second use, the gradient of `W.T` is added as it is, $(H, D)$. `W` itself is
    $(D, H)$: it has to be transposed back.
""")
FIRST_USE_TWICE = {"X.T @ grad_Z + grad_out.T @ H": "2 * X.T @ grad_Z"}
ex.slip("first-use-twice", FIRST_USE_TWICE, TAPE).says("""
    The first use is counted twice, and the second not at all. Each has a gradient of
    its own.
""")
USES_MULTIPLIED = {"grad_Z + grad_out": "grad_Z * (grad_out", "T @ H  #": "T @ H)  #"}
ex.slip("uses-multiplied", USES_MULTIPLIED, TAPE).says("""
    The two uses are multiplied. Shares of several uses add.
""")
ex.slip("tanh-missing", {"np.tanh(X @ W)": "X @ W"}, ACTIVATIONS).says("""
    The tanh is left out on the way forward.
""")
ex.slip("uses-subtracted", {"+ grad_out": "- grad_out"}, TAPE).says("""
    The second use is subtracted. Shares of several uses add.
""")
ex.slip("averaged", {"grad_X, grad_W": "grad_X, grad_W / 2"}, TAPE).says("""
    `grad_W` is the mean over both uses. Shares of several uses add; nothing divides
    them.
""")
ex.slip("as-sigmoid", {"1 - H**2": "H * (1 - H)"}, ACTIVATIONS).says("""
    $h(1 - h)$ is the derivative of the sigmoid. The activation here is tanh.
""")
ex.slip("not-squared", {"H**2": "H"}, ACTIVATIONS).says("""
    The derivative of tanh is taken as $1 - h$. Is a square missing?
""")
ex.slip("tanh-twice", {"H**2": "np.tanh(H) ** 2"}, ACTIVATIONS).says("""
    The derivative takes the tanh once more, of what is a tanh already.
""")
ex.slip("value-for-derivative", {"(1 - H**2)": "H"}, ACTIVATIONS).says("""
    The gradient is multiplied by the value of the tanh. On the way back it is the
    derivative that counts.
""")
ex.slip("linear-second-use", {"grad_out.T @ H": "grad_out.T @ (X @ W)"}, VJP).says("""
    For the second use, `W` is met by $X W$. What `W.T` multiplies is what comes *out*
    of the tanh.
""")
