"""11.1 · Cross-entropy in one piece"""

import numpy as np

from course_exercises.judge import Exercise

from .shared import torch

RULE = "11_pytorch_and_beyond#Our rule inside PyTorch"
LOSSES = "06_layers_and_losses#From logits"
NOTHING_COPIED = "nothing is broadcast here"

ex = Exercise(
    "11.1",
    "Cross-entropy in one piece",
    gradient=True,
    n=lambda grad_out, z, labels: len(z),
    absent={
        "assigned": "nothing is used twice here",
        "broadcast": NOTHING_COPIED,
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
    target = torch.nn.functional.one_hot(labels, classes)
    return grad_out * (torch.softmax(z, dim=1) - target) / N, None


@ex.called
def call_fused(answer, grad_out, z, labels):
    incoming = torch.tensor(grad_out, dtype=torch.float64)
    value = answer(incoming, torch.from_numpy(z), torch.tensor(labels))
    if value is None:
        return None
    if not isinstance(value, tuple | list) or len(value) != 2 or value[1] is not None:
        raise TypeError(
            "`backward` returns one thing for each input of `forward`: here the "
            "gradient of the logits, and for the labels, which are integers and "
            "cannot be nudged, None"
        )
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


def _fused(grad_out, p, labels, divide=True):
    target = torch.nn.functional.one_hot(labels, p.shape[1])
    return grad_out * (p - target) / (len(p) if divide else 1), None


@ex.wrong(LOSSES)
def at_output(grad_out, z, labels):
    """The logits themselves stand where the probabilities belong. The rule is made of
    what softmax makes of them.
    """
    return _fused(grad_out, z, labels)


@ex.wrong(LOSSES)
def target_missing(grad_out, z, labels):
    """The target is not subtracted, so every logit is pushed down, the right one too."""
    return grad_out * torch.softmax(z, dim=1) / len(z), None


@ex.wrong(LOSSES)
def activation_missing(grad_out, z, labels):
    """The softmax is missing: only the target is left. The logits of the wrong classes
    have a gradient as well, since all share one sum.
    """
    return _fused(grad_out, torch.zeros_like(z), labels)


@ex.wrong(LOSSES)
def wrong_axis(grad_out, z, labels):
    """The softmax runs over the examples. Each row is a distribution of its own: which
    `dim` numbers the classes?
    """
    return _fused(grad_out, torch.softmax(z, dim=0), labels)


@ex.wrong(LOSSES)
def sigmoid(grad_out, z, labels):
    """A sigmoid stands where softmax belongs. Here the classes exclude each other."""
    return _fused(grad_out, torch.sigmoid(z), labels)


@ex.wrong(LOSSES)
def log_softmax(grad_out, z, labels):
    """The logarithms of the probabilities stand where the probabilities belong."""
    return _fused(grad_out, torch.log_softmax(z, dim=1), labels)


@ex.wrong(LOSSES)
def softmax_twice(grad_out, z, labels):
    """The softmax is taken twice. The second one makes all classes nearly alike."""
    return _fused(grad_out, torch.softmax(torch.softmax(z, dim=1), dim=1), labels)


@ex.wrong(LOSSES)
def not_normalised(grad_out, z, labels):
    """The exponentials are not divided by their sum."""
    return _fused(grad_out, torch.exp(z), labels)


@ex.wrong(LOSSES)
def one_slope_more(grad_out, z, labels):
    """A slope $p(1-p)$ is multiplied in. The difference of probability and target is
    the gradient of the *logits* already: that is why the two are fused.
    """
    p = torch.softmax(z, dim=1)
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return grad_out * (p - target) * p * (1 - p) / len(z), None


@ex.wrong(LOSSES)
def at_probabilities(grad_out, z, labels):
    """This is the gradient of the probabilities. The way back through the softmax is
    still to go.
    """
    p = torch.softmax(z, dim=1)
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return -grad_out * target / p / len(z), None


@ex.wrong(LOSSES)
def columns_of_all(grad_out, z, labels):
    """1 is subtracted in whole columns: `p[:, labels]` takes each label's column in
    every row. Each row has one entry of its own.
    """
    p = torch.softmax(z, dim=1)
    p[:, labels] -= 1
    return grad_out * p / len(z), None


@ex.wrong(LOSSES)
def right_class_only(grad_out, z, labels):
    """Only the entry of the right class has a gradient. The other logits stand in the
    sum of the softmax, too.
    """
    p = torch.softmax(z, dim=1)
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return grad_out * (p - 1) * target / len(z), None


@ex.wrong(LOSSES)
def over_all(grad_out, z, labels):
    """The exponentials are divided by the sum over the whole batch. Each row is a
    distribution of its own.
    """
    return _fused(grad_out, torch.exp(z) / torch.exp(z).sum(), labels)


@ex.wrong(LOSSES)
def over_largest(grad_out, z, labels):
    """The exponentials are divided by the largest of the row, and not by the row's sum."""
    return _fused(grad_out, torch.exp(z - z.amax(1, keepdim=True)), labels)


@ex.wrong(LOSSES)
def target_twice(grad_out, z, labels):
    """The target is subtracted twice."""
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return _fused(grad_out, torch.softmax(z, dim=1) - target, labels)


@ex.wrong(LOSSES)
def difference_squared(grad_out, z, labels):
    """The difference is squared. For cross-entropy the gradient is the difference
    itself.
    """
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return grad_out * (torch.softmax(z, dim=1) - target) ** 2 / len(z), None


@ex.wrong(LOSSES)
def label_numbers(grad_out, z, labels):
    """The labels themselves are subtracted, as numbers. Subtract a row that has a 1 at
    the place of the label.
    """
    return grad_out * (torch.softmax(z, dim=1) - labels[:, None]) / len(z), None


@ex.wrong(LOSSES)
def product(grad_out, z, labels):
    """Probability and target are multiplied. The rule has their difference."""
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return grad_out * torch.softmax(z, dim=1) * target / len(z), None


@ex.wrong(RULE)
def incoming_added(grad_out, z, labels):
    """The gradient that comes in is added, where the chain rule multiplies."""
    one = torch.ones_like(grad_out)
    return grad_out + fused_backward(one, z, labels)[0], None


@ex.wrong(LOSSES)
def first_row(grad_out, z, labels):
    """The 1 is subtracted in the first row alone. Each example has a label."""
    p = torch.softmax(z, dim=1)
    p[0, labels[0]] -= 1
    return grad_out * p / len(z), None


@ex.wrong(LOSSES)
def first_column(grad_out, z, labels):
    """The 1 is subtracted in the same column of every row. Each example has a label of
    its own.
    """
    p = torch.softmax(z, dim=1)
    p[:, 0] -= 1
    return grad_out * p / len(z), None
