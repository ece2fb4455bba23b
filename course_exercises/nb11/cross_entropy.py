"""11.1 · Cross-entropy in one piece."""

import numpy as np

from course_exercises.judge import Exercise, Trouble

from .shared import torch

LOSSES = "06_layers_and_losses#From logits"

TWO_THINGS = (
    "`backward` returns one thing for each input of `forward`: first the gradient of "
    "the logits; then what the labels get, which are integers and cannot be nudged."
)

ex = Exercise(
    "11.1",
    "Cross-entropy in one piece",
    gradient=True,
    n=lambda grad_out, z, labels: len(z),
    absent={
        "assigned": "nothing is used twice here",
        "broadcast": "nothing is broadcast here",
    },
    seconds=30,
    hints=(
        "Notebook 06 derived it: what is left when the softmax and the logarithm "
        "are differentiated together? And the loss is a mean.",
        "`torch.softmax(z, dim=1)` gives the probabilities, "
        "`torch.nn.functional.one_hot(labels, classes)` the targets.",
        "Probability minus target, divided by $N$, times what comes in. For an "
        "input that needs no gradient torch expects `None`.",
    ),
    explanation=(
        "$dz = g\\,(p - t)/N$, as `F.softmax_cross_entropy_vjp` has it. `backward` "
        "returns one thing for each input of `forward`; for the labels, which are "
        "integers, it is `None`."
    ),
)


@ex.answer
def fused_backward(grad_out, z, labels):
    N, classes = z.shape
    target = torch.nn.functional.one_hot(labels, classes).to(z.dtype)
    return grad_out * (torch.softmax(z, dim=1) - target) / N, None


@ex.called
def call_fused(answer, grad_out, z, labels):
    incoming = torch.tensor(grad_out, dtype=torch.float64)
    value = answer(incoming, torch.from_numpy(z), torch.tensor(labels))
    if value is None:
        return None
    if not isinstance(value, tuple | list) or len(value) != 2 or value[1] is not None:
        raise Trouble("wrong type", TWO_THINGS)
    return value[0]


@ex.given
def fused_inputs(rng):
    sizes = (2, 3), (3, 3), (5, 4), (1, 3), (7, 2)
    return [
        (
            float(rng.uniform(0.5, 2)),
            rng.normal(size=(N, C)),
            rng.permutation(np.arange(N) % C),
        )
        for N, C in sizes
    ]


@ex.right
def fused_by_indices(grad_out, z, labels):
    p = torch.exp(z - torch.logsumexp(z, dim=1, keepdim=True))
    p[torch.arange(len(z)), labels] -= 1.0
    return p * (grad_out / len(z)), None


@ex.right
def fused_by_loop(grad_out, z, labels):
    rows = []
    for row, label in zip(z, labels, strict=True):
        e = [float(torch.exp(v)) for v in row]
        p = [v / sum(e) for v in e]
        p[int(label)] -= 1
        rows.append([float(grad_out) * v / len(z) for v in p])
    return torch.tensor(rows, dtype=torch.float64), None


SOFTMAX = "torch.softmax(z, dim=1)"  # as in the right answer
OF_LABEL = "torch.arange(len(z)), labels"  # as in the one by indices

# --- wrong ones: the probabilities

ex.slip("at-output", {SOFTMAX: "z"}, LOSSES).says("""
    The logits themselves stand where the probabilities belong. The rule is made of what
    softmax makes of them.
""")
ex.slip("activation-missing", {SOFTMAX: "0"}, LOSSES).says("""
    The softmax is missing: only the target is left. The logits of the wrong classes
    have a gradient as well, since all share one sum.
""")
ex.slip("wrong-axis", {"dim=1": "dim=0"}, LOSSES).says("""
    The softmax runs over the examples. Each row is a distribution of its own: which
    `dim` numbers the classes?
""")
ex.slip("sigmoid", {SOFTMAX: "torch.sigmoid(z)"}, LOSSES).says("""
    A sigmoid stands where softmax belongs. Here the classes exclude each other.
""")
ex.slip("log-softmax", {"softmax": "log_softmax"}, LOSSES).says("""
    The logarithms of the probabilities stand where the probabilities belong.
""")
ex.slip("softmax-twice", {"(z,": f"({SOFTMAX},"}, LOSSES).says("""
    The softmax is taken twice. The second one makes all classes nearly alike.
""")
ex.slip("not-normalised", {SOFTMAX: "torch.exp(z)"}, LOSSES).says("""
    The exponentials are not divided by their sum.
""")
ex.slip("over-all", {SOFTMAX: "torch.exp(z) / torch.exp(z).sum()"}, LOSSES).says("""
    The exponentials are divided by the sum over the whole batch. Each row is a
    distribution of its own.
""")
ex.slip("over-largest", {"logsumexp": "amax"}, LOSSES, of=fused_by_indices).says("""
    The exponentials are divided by the largest of the row, and not by the row's sum.
""")

# --- the target

ex.slip("target-missing", {" - target": ""}, LOSSES).says("""
    The target is not subtracted, so every logit is pushed down, the right one too.
""")
ex.slip("one-everywhere", {"- target": "- 1"}, LOSSES).says("""
    1 is subtracted from every probability. It belongs to the class of the label alone.
""")
ex.slip("label-numbers", {"- target": "- labels[:, None]"}, LOSSES).says("""
    The labels themselves are subtracted, as numbers. Subtract a row that has a 1 at the
    place of the label.
""")
ex.slip("product", {"- target": "* target"}, LOSSES).says("""
    Probability and target are multiplied. The rule has their difference.
""")
ex.slip("right-class-only", {"- target)": "- 1) * target"}, LOSSES).says("""
    Only the entry of the right class has a gradient. The other logits stand in the sum
    of the softmax, too.
""")
ex.slip("columns-of-all", {OF_LABEL: ":, labels"}, LOSSES, of=fused_by_indices).says("""
    1 is subtracted in whole columns: `p[:, labels]` takes each label's column in every
    row. Each row has one entry of its own.
""")
ex.slip("first-row", {OF_LABEL: "0, labels[0]"}, LOSSES, of=fused_by_indices).says("""
    The 1 is subtracted in the first row alone. Each example has a label.
""")
for name, column in (("first-column", "0"), ("first-label", "labels[0]")):
    ex.slip(name, {OF_LABEL: f":, {column}"}, LOSSES, of=fused_by_indices).says("""
        The 1 is subtracted in the same column of every row. Each example has a label of
        its own.
    """)

# --- what is done with the difference

SLOPES = {"one-slope-more": f"{SOFTMAX} * (1 - {SOFTMAX})", "softmax-again": SOFTMAX}
for name, slope in SLOPES.items():
    ex.slip(name, {"grad_out *": f"grad_out * {slope} *"}, LOSSES).says("""
        A slope of the softmax is multiplied in. The difference of probability and
        target is the gradient of the *logits* already: that is why the two are fused.
    """)
ex.slip(
    "at-probabilities", {f"{SOFTMAX} - target": f"-target / {SOFTMAX}"}, LOSSES
).says("""
    This is the gradient of the probabilities. The way back through the softmax is still
    to go.
""")
ex.slip("difference-squared", {"target)": "target) ** 2"}, LOSSES).says("""
    The difference is squared. For cross-entropy the gradient is the difference itself.
""")

RULE = f"({SOFTMAX} - target)"
ex.slip("slope-alone", {RULE: f"{SOFTMAX} * (1 - {SOFTMAX})"}, LOSSES).says("""
    This is $p(1-p)$, a slope of the softmax. The loss behind it has a slope too, and
    there the labels come in.
""")

LOSS = {
    "losses": {RULE: "-target * torch.log_softmax(z, 1)"},
    "loss": {f"{RULE} / N": "torch.nn.functional.cross_entropy(z, labels)"},
}
for name, edits in LOSS.items():
    ex.slip(name, edits, LOSSES).says("""
        This is the loss, times what comes in. The way back needs its gradient.
    """)
