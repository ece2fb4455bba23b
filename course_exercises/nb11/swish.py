"""11.2 · A rule that torch can differentiate."""

import numpy as np

from course_exercises.judge import Exercise, Trouble

from .shared import torch

FORKS = "01_chain_rule#Forks add"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
ACTIVATIONS = "06_layers_and_losses#Activations"
RULE = "11_pytorch_and_beyond#Our rule inside PyTorch"

OTHER_SHAPE = (
    "It returns the shape {}, where x has {}. A gradient has that of its input."
)
OFF_THE_TAPE = (
    "The first derivative is there, but torch cannot go back through it: on the way "
    "all of it leaves torch's tape (`.numpy()`, `.detach()`, `.item()`, `no_grad()`)."
)

ex = Exercise(
    "11.2",
    "A rule that torch can differentiate",
    gradient=True,
    outputs=("first derivative", "second derivative"),
    absent={
        "assigned": "each entry stands for itself",
        "broadcast": "nothing is broadcast here",
    },
    hints=(
        "$x\\,\\sigma(x)$ is a product of two things that both depend on $x$. "
        "How many paths lead from $x$ to the result?",
        "The product rule: $\\sigma(x) + x\\,\\sigma'(x)$, with "
        "$\\sigma' = \\sigma(1-\\sigma)$. And the chain rule: times `grad_out`.",
        "Use `torch.sigmoid(x)` and torch's `+`, `-`, `*` alone: no `.numpy()`, no "
        "`.detach()`, no `.item()`. Then torch can go back through it.",
    ),
    explanation=(
        "What goes back is $g\\,(s + x\\,s(1-s))$ with $s = \\sigma(x)$. As all of it "
        "is torch operations, `create_graph=True` records the way back, and the second "
        "derivative needs no further rule."
    ),
)


@ex.answer
def swish_backward(grad_out, x):
    s = torch.sigmoid(x)
    return grad_out * (s + x * s * (1 - s))


@ex.called
def call_swish(answer, grad_out, x):
    """Put the rule into a Function, as the notebook does, and go back twice."""

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    def backward(ctx, grad_out):
        (x,) = ctx.saved_tensors
        grad = answer(grad_out, x)
        if grad is None or grad is NotImplemented:
            return None
        if not isinstance(grad, torch.Tensor):
            grad = torch.as_tensor(np.asarray(grad), dtype=x.dtype)
        if grad.shape != x.shape:
            raise Trouble(
                "wrong shape", OTHER_SHAPE.format(*map(tuple, (grad.shape, x.shape)))
            )
        return grad

    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    swish = type("Swish", (torch.autograd.Function,), methods).apply
    x, g = torch.tensor(x, requires_grad=True), torch.tensor(grad_out)
    (first,) = torch.autograd.grad(swish(x), x, g, create_graph=True, allow_unused=True)
    if first is None:
        return None
    if not first.requires_grad:
        raise Trouble("raised", OFF_THE_TAPE)
    (second,) = torch.autograd.grad(first.sum(), x, allow_unused=True)
    return first, torch.zeros_like(x) if second is None else second


@ex.given
def swish_inputs(rng):
    return [
        (rng.normal(size=shape), rng.normal(size=shape))
        for shape in ((3,), (2, 3), (4, 4), (1, 5), (6, 2))
    ]


@ex.right
def swish_factored(grad_out, x):
    s = torch.sigmoid(x)
    return grad_out * s * (1 + x * (1 - s))


SLOPE = "s * (1 - s)"  # of the sigmoid, as in the right answer

# --- wrong ones: two paths

ex.slip("x-alone", {f" * {SLOPE}": ""}, RULE).says("""
    The second path is cut short at $x$. It leads through the sigmoid, and this has a
    derivative.
""")
ex.slip("activation-missing", {f" + x * {SLOPE}": ""}, FORKS).says("""
    The path through the sigmoid is missing. $x$ stands in the formula twice, as a
    factor and inside σ.
""")
ex.slip("other-path", {"s + x": "x"}, FORKS).says("""
    The path through the factor $x$ is missing; only the one through σ is there.
""")
ex.slip("slope-alone", {"s + x * s": "s"}, FORKS).says("""
    This is the derivative of σ alone. A product has two terms.
""")
ex.slip("x-missing", {"x * s": "s"}, CHAIN).says("""
    In the second term the factor $x$ is missing: σ′ is multiplied by what stood beside
    σ.
""")
ex.slip("forward-again", {f"(s + x * {SLOPE})": "x * s"}, RULE).says("""
    This is swish itself, times what comes in: the forward pass, no slope.
""")
ex.slip("multiplied", {"(s +": "s *", "))": ")"}, FORKS).says("""
    The two terms are multiplied. They belong to two paths, and paths add.
""")
ex.slip("factors-of-slope", {"(s + x": "s", "))": ")"}, FORKS).says("""
    σ and σ′ are multiplied. They belong to two paths, and paths add; and on the path
    through σ stands $x$.
""")

# --- which slope, and where

ex.slip("at-y", {"(x": "(x * torch.sigmoid(x)"}, RULE).says("""
    The sigmoid is taken at $y$, the output. Both paths need it at the input.
""")


@ex.wrong(RULE)
def at_output(grad_out, x):
    return swish_backward(grad_out, x * torch.sigmoid(x))


ex.slip("slope-of-x", {SLOPE: "x * (1 - x)"}, ACTIVATIONS).says("""
    $x(1-x)$ stands where σ′ belongs. The handy form $s(1-s)$ is in terms of the
    sigmoid's *output*.
""")
ex.slip("tanh-slope", {SLOPE: "(1 - s**2)"}, ACTIVATIONS).says("""
    $1 - s^2$ is the slope of tanh. The one of the sigmoid is another.
""")
ex.slip(
    "sigmoid-twice", {SLOPE: "torch.sigmoid(s) * torch.sigmoid(-s)"}, ACTIVATIONS
).says("""
    σ is applied to what has been through σ already.
""")

OF_Y = {
    "slope-of-y": {SLOPE: "x * s * (1 - x * s)"},
    "slope-of-y-alone": {f"(s + x * {SLOPE})": "x * s * (1 - x * s)"},
}
for name, edits in OF_Y.items():
    ex.slip(name, edits, ACTIVATIONS).says("""
        $y(1-y)$ of swish's own output is no slope of anything here: that form belongs
        to the sigmoid alone.
    """)

OFF = {
    "sigma-off": {"torch.sigmoid(x)": "torch.sigmoid(x).detach()"},
    "x-off": {"x * s": "x.detach() * s"},
    "slope-off": {SLOPE: f"({SLOPE}).detach()"},
}
for name, edits in OFF.items():
    ex.slip(name, edits, RULE).says("""
        The first derivative is right, the second lacks a part: something in the rule is
        off torch's tape (`.detach()`, `.data`, `no_grad()`).
    """)
ex.slip("square", {SLOPE: "s * s"}, ACTIVATIONS).says("""
    $s^2$ stands where the slope of σ belongs. One of the two factors is $1 - s$.
""")
