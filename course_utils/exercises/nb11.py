"""Exercises of 11_pytorch_and_beyond."""

from functools import partial
from importlib import import_module

import numpy as np

from course_utils import functional as F
from course_utils.tape import Tape
from course_utils.tensor import Tensor

from .exercise import Exercise, Mistake

RULE = "11_pytorch_and_beyond#Our rule inside PyTorch"
ALIKE = "11_pytorch_and_beyond#Where the two behave alike, and where not"
SHARED = "11_pytorch_and_beyond#Gradients add, so work can be shared"
LOSSES = "06_layers_and_losses#From logits"
TAPE = "03_tape_engine"
NOTHING_COPIED = "nothing is broadcast here"


class _Later:
    """PyTorch, imported when it is first asked for something."""

    def __getattr__(self, name):
        return getattr(import_module("torch"), name)


torch = _Later()

# --- 11.1: cross-entropy in one piece -------------------------------------------------


def fused_backward(grad_out, z, labels):
    N, classes = z.shape
    target = torch.nn.functional.one_hot(labels, classes)
    return grad_out * (torch.softmax(z, dim=1) - target) / N, None


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


def fused_by_indices(grad_out, z, labels):
    p = torch.exp(z - torch.logsumexp(z, dim=1, keepdim=True))
    p[torch.arange(len(z)), labels] -= 1.0
    return p * (grad_out / len(z)), None


def fused_by_our_rule(grad_out, z, labels):
    grad = F.softmax_cross_entropy_vjp(grad_out.item(), z.numpy(), labels.numpy())
    return torch.from_numpy(grad), None


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


def fused_on_logits(grad_out, z, labels):
    return _fused(grad_out, z, labels)


def fused_without_target(grad_out, z, labels):
    return grad_out * torch.softmax(z, dim=1) / len(z), None


def fused_target_alone(grad_out, z, labels):
    return _fused(grad_out, torch.zeros_like(z), labels)


def fused_wrong_axis(grad_out, z, labels):
    return _fused(grad_out, torch.softmax(z, dim=0), labels)


def fused_sigmoid(grad_out, z, labels):
    return _fused(grad_out, torch.sigmoid(z), labels)


def fused_log(grad_out, z, labels):
    return _fused(grad_out, torch.log_softmax(z, dim=1), labels)


def fused_twice(grad_out, z, labels):
    return _fused(grad_out, torch.softmax(torch.softmax(z, dim=1), dim=1), labels)


def fused_not_normalised(grad_out, z, labels):
    return _fused(grad_out, torch.exp(z), labels)


def fused_softmax_slope(grad_out, z, labels):
    p = torch.softmax(z, dim=1)
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return grad_out * (p - target) * p * (1 - p) / len(z), None


def fused_at_probabilities(grad_out, z, labels):
    p = torch.softmax(z, dim=1)
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return -grad_out * target / p / len(z), None


def fused_wrong_label(grad_out, z, labels):
    p = torch.softmax(z, dim=1)
    p[:, labels] -= 1
    return grad_out * p / len(z), None


def fused_of_the_right_one_only(grad_out, z, labels):
    p = torch.softmax(z, dim=1)
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return grad_out * (p - 1) * target / len(z), None


def fused_over_all(grad_out, z, labels):
    return _fused(grad_out, torch.exp(z) / torch.exp(z).sum(), labels)


def fused_over_largest(grad_out, z, labels):
    return _fused(grad_out, torch.exp(z - z.amax(1, keepdim=True)), labels)


def fused_target_twice(grad_out, z, labels):
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return _fused(grad_out, torch.softmax(z, dim=1) - target, labels)


def fused_squared(grad_out, z, labels):
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return grad_out * (torch.softmax(z, dim=1) - target) ** 2 / len(z), None


def fused_label_numbers(grad_out, z, labels):
    return grad_out * (torch.softmax(z, dim=1) - labels[:, None]) / len(z), None


def fused_product(grad_out, z, labels):
    target = torch.nn.functional.one_hot(labels, z.shape[1])
    return grad_out * torch.softmax(z, dim=1) * target / len(z), None


def fused_added(grad_out, z, labels):
    one = torch.ones_like(grad_out)
    return grad_out + fused_backward(one, z, labels)[0], None


def fused_first_row(grad_out, z, labels):
    p = torch.softmax(z, dim=1)
    p[0, labels[0]] -= 1
    return grad_out * p / len(z), None


def fused_first_column(grad_out, z, labels):
    p = torch.softmax(z, dim=1)
    p[:, 0] -= 1
    return grad_out * p / len(z), None


FUSED = [
    Mistake(
        "at-output",
        fused_on_logits,
        "The logits themselves stand where the probabilities belong. The rule is made "
        "of what softmax makes of them.",
        LOSSES,
    ),
    Mistake(
        "target-missing",
        fused_without_target,
        "The target is not subtracted, so every logit is pushed down, the right one "
        "too.",
        LOSSES,
    ),
    Mistake(
        "activation-missing",
        fused_target_alone,
        "The softmax is missing: only the target is left. The logits of the wrong "
        "classes have a gradient as well, since all share one sum.",
        LOSSES,
    ),
    Mistake(
        "wrong-axis",
        fused_wrong_axis,
        "The softmax runs over the examples. Each row is a distribution of its own: "
        "which `dim` numbers the classes?",
        LOSSES,
    ),
    Mistake(
        "sigmoid",
        fused_sigmoid,
        "A sigmoid stands where softmax belongs. Here the classes exclude each other.",
        LOSSES,
    ),
    Mistake(
        "log-softmax",
        fused_log,
        "The logarithms of the probabilities stand where the probabilities belong.",
        LOSSES,
    ),
    Mistake(
        "softmax-twice",
        fused_twice,
        "The softmax is taken twice. The second one makes all classes nearly alike.",
        LOSSES,
    ),
    Mistake(
        "not-normalised",
        fused_not_normalised,
        "The exponentials are not divided by their sum.",
        LOSSES,
    ),
    Mistake(
        "one-slope-more",
        fused_softmax_slope,
        "A slope $p(1-p)$ is multiplied in. The difference of probability and target "
        "is the gradient of the *logits* already: that is why the two are fused.",
        LOSSES,
    ),
    Mistake(
        "at-probabilities",
        fused_at_probabilities,
        "This is the gradient of the probabilities. The way back through the softmax "
        "is still to go.",
        LOSSES,
    ),
    Mistake(
        "columns-of-all",
        fused_wrong_label,
        "1 is subtracted in whole columns: `p[:, labels]` takes each label's column "
        "in every row. Each row has one entry of its own.",
        LOSSES,
    ),
    Mistake(
        "right-class-only",
        fused_of_the_right_one_only,
        "Only the entry of the right class has a gradient. The other logits stand in "
        "the sum of the softmax, too.",
        LOSSES,
    ),
    Mistake(
        "over-all",
        fused_over_all,
        "The exponentials are divided by the sum over the whole batch. Each row "
        "is a distribution of its own.",
        LOSSES,
    ),
    Mistake(
        "over-largest",
        fused_over_largest,
        "The exponentials are divided by the largest of the row, and not by the "
        "row's sum.",
        LOSSES,
    ),
    Mistake(
        "target-twice",
        fused_target_twice,
        "The target is subtracted twice.",
        LOSSES,
    ),
    Mistake(
        "difference-squared",
        fused_squared,
        "The difference is squared. For cross-entropy the gradient is the "
        "difference itself.",
        LOSSES,
    ),
    Mistake(
        "label-numbers",
        fused_label_numbers,
        "The labels themselves are subtracted, as numbers. Subtract a row that "
        "has a 1 at the place of the label.",
        LOSSES,
    ),
    Mistake(
        "product",
        fused_product,
        "Probability and target are multiplied. The rule has their difference.",
        LOSSES,
    ),
    Mistake(
        "incoming-added",
        fused_added,
        "The gradient that comes in is added, where the chain rule multiplies.",
        RULE,
    ),
    Mistake(
        "first-row",
        fused_first_row,
        "The 1 is subtracted in the first row alone. Each example has a label.",
        LOSSES,
    ),
    Mistake(
        "first-column",
        fused_first_column,
        "The 1 is subtracted in the same column of every row. Each example has "
        "a label of its own.",
        LOSSES,
    ),
]

# --- 11.2: a rule that can be differentiated ------------------------------------------


def swish_backward(grad_out, x):
    s = torch.sigmoid(x)
    return grad_out * (s + x * s * (1 - s))


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
        return grad

    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    swish = type("Swish", (torch.autograd.Function,), methods).apply
    x, g = torch.tensor(x, requires_grad=True), torch.tensor(grad_out)
    (first,) = torch.autograd.grad(swish(x), x, g, create_graph=True, allow_unused=True)
    if first is None:
        return None
    if not first.requires_grad:
        raise RuntimeError(
            "the first derivative is there, but torch cannot go back through it: on "
            "the way something leaves torch's tape (`.numpy()`, `.detach()`, "
            "`.item()`, `no_grad()`)"
        )
    (second,) = torch.autograd.grad(first.sum(), x, allow_unused=True)
    return first, torch.zeros_like(x) if second is None else second


def swish_inputs(rng):
    return [
        (rng.normal(size=shape), rng.normal(size=shape))
        for shape in ((3,), (2, 3), (4, 4), (1, 5), (6, 2))
    ]


def swish_by_value(grad_out, x):
    s = 1 / (1 + torch.exp(-x))
    y = x * s
    return grad_out * (y + s * (1 - y))


def swish_by_product(grad_out, x):
    s = torch.sigmoid(x)
    through_s = grad_out * x * s * (1 - s)
    return grad_out.mul(s).add(through_s)


def swish_by_tanh(grad_out, x):
    t = torch.tanh(x / 2)
    return grad_out * ((1 + t) / 2 + x * (1 - t**2) / 4)


def swish_sigmoid_alone(grad_out, x):
    return grad_out * torch.sigmoid(x)


def swish_slope_alone(grad_out, x):
    s = torch.sigmoid(x)
    return grad_out * s * (1 - s)


def swish_other_path(grad_out, x):
    s = torch.sigmoid(x)
    return grad_out * x * s * (1 - s)


def swish_x_missing(grad_out, x):
    s = torch.sigmoid(x)
    return grad_out * (s + s * (1 - s))


def swish_at_output(grad_out, x):
    y = x * torch.sigmoid(x)
    s = torch.sigmoid(y)
    return grad_out * (s + y * s * (1 - s))


def swish_slope_of_value(grad_out, x):
    s = torch.sigmoid(x)
    return grad_out * (s + x * x * (1 - x))


def swish_tanh_slope(grad_out, x):
    s = torch.sigmoid(x)
    return grad_out * (s + x * (1 - s**2))


def swish_sigma_twice(grad_out, x):
    s = torch.sigmoid(x)
    slope = torch.sigmoid(s) * (1 - torch.sigmoid(s))
    return grad_out * (s + x * slope)


def swish_forward(grad_out, x):
    return grad_out * x * torch.sigmoid(x)


def swish_product_of_slopes(grad_out, x):
    s = torch.sigmoid(x)
    return grad_out * s * x * s * (1 - s)


def swish_y_slope(grad_out, x):
    y = x * torch.sigmoid(x)
    return grad_out * y * (1 - y)


def swish_slopes_only(grad_out, x):
    s = torch.sigmoid(x)
    return grad_out * s * s * (1 - s)


def swish_square(grad_out, x):
    s = torch.sigmoid(x)
    return grad_out * (s + x * s * s)


def swish_with_x(grad_out, x):
    return grad_out * (torch.sigmoid(x) + x)


def swish_at_y(grad_out, x):
    s = torch.sigmoid(x * torch.sigmoid(x))
    return grad_out * (s + x * s * (1 - s))


SWISH = [
    Mistake(
        "x-alone",
        swish_with_x,
        "The second path is cut short at $x$. It leads through the sigmoid, and this "
        "has a derivative.",
        RULE,
    ),
    Mistake(
        "at-y",
        swish_at_y,
        "The sigmoid is taken at $y$, the output. Both paths need it at the input.",
        RULE,
    ),
    Mistake(
        "activation-missing",
        swish_sigmoid_alone,
        "The path through the sigmoid is missing. $x$ stands in the formula twice, as "
        "a factor and inside σ (and σ has to stay on the tape).",
        "01_chain_rule#Forks add",
    ),
    Mistake(
        "other-path",
        swish_other_path,
        "The path through the factor $x$ is missing; only the one through σ is there.",
        "01_chain_rule#Forks add",
    ),
    Mistake(
        "slope-alone",
        swish_slope_alone,
        "This is the derivative of σ alone. A product has two terms.",
        "01_chain_rule#Forks add",
    ),
    Mistake(
        "x-missing",
        swish_x_missing,
        "In the second term the factor $x$ is missing: σ′ is multiplied by what stood "
        "beside σ.",
        "01_chain_rule#Two boxes in a row: prices multiply",
    ),
    Mistake("at-output", swish_at_output, where=RULE),
    Mistake(
        "slope-of-x",
        swish_slope_of_value,
        "$x(1-x)$ stands where σ′ belongs. The handy form $s(1-s)$ is in terms of the "
        "sigmoid's *output*.",
        "06_layers_and_losses#Activations",
    ),
    Mistake(
        "tanh-slope",
        swish_tanh_slope,
        "$1 - s^2$ is the slope of tanh. The one of the sigmoid is another.",
        "06_layers_and_losses#Activations",
    ),
    Mistake(
        "sigmoid-twice",
        swish_sigma_twice,
        "σ is applied to what has been through σ already.",
        "06_layers_and_losses#Activations",
    ),
    Mistake(
        "forward-again",
        swish_forward,
        "This is swish itself, times what comes in: the forward pass, no slope.",
        RULE,
    ),
    Mistake(
        "multiplied",
        swish_product_of_slopes,
        "The two terms are multiplied. They belong to two paths, and paths add.",
        "01_chain_rule#Forks add",
    ),
    Mistake(
        "slope-of-y",
        swish_y_slope,
        "$y(1-y)$ of swish's own output is no slope of anything here: that form "
        "belongs to the sigmoid alone.",
        "06_layers_and_losses#Activations",
    ),
    Mistake(
        "factors-of-slope",
        swish_slopes_only,
        "σ and σ′ are multiplied. They belong to two paths, and paths add; and "
        "on the path through σ stands $x$.",
        "01_chain_rule#Forks add",
    ),
    Mistake(
        "square",
        swish_square,
        "$s^2$ stands where the slope of σ belongs. One of the two factors is $1 - s$.",
        "06_layers_and_losses#Activations",
    ),
]

# --- 11.3: four small batches ---------------------------------------------------------


def whole_gradient(X, labels, W, size):
    w = torch.tensor(W, requires_grad=True)
    for k in range(0, len(X), size):
        x, y = torch.tensor(X[k : k + size]), torch.tensor(labels[k : k + size])
        loss = torch.nn.functional.cross_entropy(x @ w, y)
        loss = loss * (len(x) / len(X))
        loss.backward()
    return w.grad


def whole_inputs(rng):
    sizes = (4, 3, 2, 2), (5, 3, 4, 2), (6, 6, 6, 4), (7, 2, 3, 3), (11, 4, 3, 4)
    return [
        (
            rng.normal(size=(N, D)),
            rng.permutation(np.arange(N) % C),
            rng.normal(size=(D, C)),
            size,
        )
        for N, D, C, size in sizes
    ]


def whole_at_once(X, labels, W, size):
    w = torch.tensor(W, requires_grad=True)
    torch.nn.functional.cross_entropy(
        torch.tensor(X) @ w, torch.tensor(labels)
    ).backward()
    return w.grad


def whole_by_sums(X, labels, W, size):
    w, N = torch.tensor(W, requires_grad=True), len(X)
    for k in range(0, N, size):
        z = torch.tensor(X[k : k + size]) @ w
        y = torch.tensor(labels[k : k + size])
        torch.nn.functional.cross_entropy(z, y, reduction="sum").backward()
    return w.grad / N


def whole_on_our_tape(X, labels, W, size):
    w = Tensor(W)
    for k in range(0, len(X), size):
        x = Tensor(X[k : k + size], requires_grad=False)
        loss = (x @ w).softmax_cross_entropy(labels[k : k + size]) * x.shape[0]
        loss.backward(accumulate=True)
    return w.grad / len(X)


def whole_by_formula(X, labels, W, size):
    p = F.softmax(X @ W)
    p[np.arange(len(X)), labels] -= 1
    return X.T @ p / len(X)


def _parts(X, labels, W, size):
    """The gradient of each part's mean loss, and the part's length."""
    for k in range(0, len(X), size):
        x = X[k : k + size]
        yield whole_by_formula(x, labels[k : k + size], W, size), len(x)


def whole_as_found(X, labels, W, size):
    return sum(g for g, _ in _parts(X, labels, W, size))


def whole_mean_of_means(X, labels, W, size):
    return np.mean([g for g, _ in _parts(X, labels, W, size)], axis=0)


def whole_last_part(X, labels, W, size):
    return list(_parts(X, labels, W, size))[-1][0]


def whole_last_share(X, labels, W, size):
    g, n = list(_parts(X, labels, W, size))[-1]
    return g * n / len(X)


def whole_first_part(X, labels, W, size):
    return next(_parts(X, labels, W, size))[0]


def whole_first_share(X, labels, W, size):
    g, n = next(_parts(X, labels, W, size))
    return g * n / len(X)


def whole_full_parts_only(X, labels, W, size):
    return sum(g * n for g, n in _parts(X, labels, W, size) if n == size) / len(X)


def whole_full_parts_mean(X, labels, W, size):
    full = [g for g, n in _parts(X, labels, W, size) if n == size]
    return sum(full) / len(full)


def whole_full_parts_sum(X, labels, W, size):
    return sum(g for g, n in _parts(X, labels, W, size) if n == size)


def whole_by_size(X, labels, W, size):
    return sum(g for g, _ in _parts(X, labels, W, size)) / size


def whole_times_size(X, labels, W, size):
    return sum(g for g, _ in _parts(X, labels, W, size)) * size / len(X)


def whole_floor(X, labels, W, size):
    return sum(g for g, _ in _parts(X, labels, W, size)) / (len(X) // size)


def whole_sums_by_size(X, labels, W, size):
    return sum(g * n for g, n in _parts(X, labels, W, size)) / size


def whole_sums_by_parts(X, labels, W, size):
    total = sum(g * n for g, n in _parts(X, labels, W, size))
    return total / len(list(_parts(X, labels, W, size)))


def whole_divided_by_examples(X, labels, W, size):
    return sum(g for g, _ in _parts(X, labels, W, size)) / len(X)


def whole_halved(X, labels, W, size):
    """Divide what stands in .grad after each part, so old parts fade."""
    total = 0.0
    for g, n in _parts(X, labels, W, size):
        total = total + g * n
        total = total / len(X)
    return total


def whole_upside_down(X, labels, W, size):
    return sum(g * len(X) / n for g, n in _parts(X, labels, W, size))


def whole_by_own_length(X, labels, W, size):
    return sum(g / n for g, n in _parts(X, labels, W, size))


def whole_quarter(X, labels, W, size):
    return sum(g for g, _ in _parts(X, labels, W, size)) / 4


def whole_overlapping(X, labels, W, size):
    total = 0.0
    for k in range(len(X)):
        x, y = X[k : k + size], labels[k : k + size]
        total = total + whole_by_formula(x, y, W, size) * len(x) / len(X)
    return total


def whole_step(X, labels, W, size):
    return W - whole_by_formula(X, labels, W, size)


def _whole_from(gradient):
    def wrong(X, labels, W, size):
        total = np.zeros_like(W)
        for k in range(0, len(X), size):
            x, y = X[k : k + size], labels[k : k + size]
            total += x.T @ gradient(x @ W, np.eye(W.shape[1])[y])
        return total / len(X)

    return wrong


WHOLE = [
    Mistake(
        "softmax-over-examples",
        _whole_from(lambda z, truth: F.softmax(z.T).T - truth),
        "The softmax runs over the examples. Each row has probabilities of its own.",
        LOSSES,
    ),
    Mistake(
        "activation-missing",
        _whole_from(lambda z, truth: z - truth),
        "The logits stand where the probabilities belong: the softmax is missing.",
        LOSSES,
    ),
    Mistake(
        "prediction-missing",
        _whole_from(lambda z, truth: F.softmax(z) * (1 - truth) - truth),
        "At the label stands −1 alone. The probability there was overwritten, and it "
        "belongs to the difference.",
        LOSSES,
    ),
    Mistake(
        "as-found",
        whole_as_found,
        "This is the friend's code: each part's loss is a mean over the *part*, and "
        "these means are added up.",
        SHARED,
    ),
    Mistake(
        "mean-of-means",
        whole_mean_of_means,
        "A mean of means. It is right only while all parts are equally long; the last "
        "one may be shorter, and its examples then count for too much.",
        SHARED,
    ),
    Mistake(
        "floor",
        whole_floor,
        "It is divided by the number of *full* parts, and each part counts alike. The "
        "last one may be shorter.",
        SHARED,
    ),
    Mistake(
        "times-size",
        whole_times_size,
        "Each part's mean is weighted with the same `size`. The last part may be "
        "shorter.",
        SHARED,
    ),
    Mistake(
        "assigned",
        whole_last_part,
        "Only the last part is left. Is `.grad` emptied, or overwritten, between the "
        "parts? What was gathered before has to stay.",
        ALIKE,
    ),
    Mistake(
        "last-share",
        whole_last_share,
        "Only the last part is left, with its right share. Is `.grad` emptied, or "
        "overwritten, between the parts?",
        ALIKE,
    ),
    Mistake(
        "first-part",
        whole_first_part,
        "Only the first part counts. Does the loop return too early?",
        SHARED,
    ),
    Mistake(
        "first-share",
        whole_first_share,
        "Only the first part counts, with its right share. Does the loop return too "
        "early?",
        SHARED,
    ),
    Mistake(
        "rest-lost",
        whole_full_parts_only,
        "The examples after the last full part are left out.",
        SHARED,
    ),
    Mistake(
        "rest-lost-mean",
        whole_full_parts_mean,
        "This is the mean over the full parts; the examples after them are left out.",
        SHARED,
    ),
    Mistake(
        "rest-lost-sum",
        whole_full_parts_sum,
        "The means of the full parts are added up, and the examples after them are "
        "left out.",
        SHARED,
    ),
    Mistake(
        "by-size",
        whole_by_size,
        "It is divided by the length of a part. The mean inside each loss has done "
        "that already.",
        SHARED,
    ),
    Mistake(
        "sums-by-size",
        whole_sums_by_size,
        "The sum over all examples is divided by the length of *one* part.",
        SHARED,
    ),
    Mistake(
        "sums-by-parts",
        whole_sums_by_parts,
        "The sum over all examples is divided by the number of parts, where the "
        "number of examples belongs.",
        SHARED,
    ),
    Mistake(
        "divided-twice",
        whole_divided_by_examples,
        "Each part is a mean already, and is divided by the number of all examples "
        "besides. How much of the whole is one part?",
        SHARED,
    ),
    Mistake(
        "divided-in-the-loop",
        whole_halved,
        "What has been gathered is divided again in every round, so the early parts "
        "fade.",
        SHARED,
    ),
    Mistake(
        "upside-down",
        whole_upside_down,
        "The factor is upside down: each part's loss is made larger. How much "
        "of the whole is one part?",
        SHARED,
    ),
    Mistake(
        "by-own-length",
        whole_by_own_length,
        "Each part's mean is divided by the part's length once more. What is "
        "its share of the whole?",
        SHARED,
    ),
    Mistake(
        "quarter",
        whole_quarter,
        "It is divided by 4, whatever the number of parts. And parts of other "
        "lengths count for other shares.",
        SHARED,
    ),
    Mistake(
        "overlapping",
        whole_overlapping,
        "The parts overlap: each begins one example after the one before. How "
        "far does the loop have to go on each time?",
        SHARED,
    ),
    Mistake(
        "step",
        whole_step,
        "The weights after a step come back. Asked for is their gradient.",
        SHARED,
    ),
]

# --- 11.4: what stands in .grad -------------------------------------------------------


def in_grad():
    w = torch.tensor(3.0, requires_grad=True)
    y = w * w
    y.backward(retain_graph=True)
    y.backward()
    first = w.grad.item()
    with torch.no_grad():
        w -= 1
    (w * w).backward()
    second = w.grad.item()
    w.grad = None
    (w * w.detach()).backward()
    v = Tensor(3.0)
    z = v * v
    z.backward()
    z.backward()
    return first, second, w.grad.item(), float(v.grad)


IN_GRAD = [
    Mistake(
        "replaced",
        lambda: (6, 4, 2, 6),
        "Here `.grad` would be replaced by each `backward`. Torch adds to what is "
        "there, until somebody empties it.",
        ALIKE,
    ),
    Mistake(
        "forgotten-in-between",
        lambda: (12, 10, 2, 6),
        "One of the contributions is missing: after the step `.grad` still holds "
        "*all* that both calls have added.",
        ALIKE,
    ),
    Mistake(
        "old-value",
        lambda: (12, 18, 3, 6),
        "The value of `w` was changed: when the new product is computed, it is 2.",
        ALIKE,
    ),
    Mistake(
        "gradient-moved",
        lambda: (12, 15, 2, 6),
        "The step changes `w`, not `w.grad`. What is in `.grad` stays, and the slope "
        "of the new product is added in full.",
        ALIKE,
    ),
    Mistake(
        "detach-ignored",
        lambda: (12, 16, 4, 6),
        "`w.detach()` is off the tape, a constant with the same value. So only one of "
        "the two factors hands a gradient back.",
        ALIKE,
    ),
    Mistake(
        "detached-all",
        lambda: (12, 16, 0, 6),
        "Only the factor that was detached is a constant; the other one is still `w`.",
        ALIKE,
    ),
    Mistake(
        "not-emptied",
        lambda: (12, 16, 18, 6),
        "Before (3) stands `w.grad = None`, so nothing old is left.",
        ALIKE,
    ),
    Mistake(
        "ours-adds",
        lambda: (12, 16, 2, 12),
        "(4) is on our tape. It replaces what stands in `.grad`, unless it is told to "
        "add.",
        ALIKE,
    ),
    Mistake(
        "one-factor",
        lambda: (6.5, 8, 1, 3),
        "$w \\cdot w$ uses `w` twice, and each use hands back its share.",
        "01_chain_rule#Forks add",
    ),
    Mistake(
        "values",
        lambda: (18, 22, 5, 9),
        "This looks like the product's *value*. In `.grad` stands its slope.",
        "01_chain_rule#Forks add",
    ),
    Mistake(
        "counted-wrongly",
        lambda: (24, 12, 6, 18),
        "Count the calls once more, and what each of them adds: twice the value "
        "that the number has at that moment.",
        ALIKE,
    ),
    Mistake(
        "other-slope",
        lambda: (9, 14, 6.5, 1),
        "The slope of $w \\cdot w$ is $2w$: 6 where `w` is 3, and 4 where it is 2.",
        "01_chain_rule#Forks add",
    ),
]

# --- 11.5: derivatives of derivatives -------------------------------------------------


def grad(y, x):
    rules = {
        "+": lambda g, y, a, b: (g, g),
        "×": lambda g, y, a, b: (g * b, g * a),
        "tanh": lambda g, y, a: (g + g * y * y * -1.0,),
    }
    grads = {y: Tensor(np.ones(y.shape))}
    for node in reversed(Tape(y).operations):
        if node not in grads:
            continue
        shares = rules[node.op.name](grads[node], node, *node.inputs)
        for source, share in zip(node.inputs, shares, strict=True):
            grads[source] = grads[source] + share if source in grads else share
    return grads[x]


def grad_by_recursion(y, x):
    """Forward mode: the derivative of each node along x."""
    if y is x:
        return Tensor(np.ones(x.shape), requires_grad=False)
    if not y.inputs:
        return Tensor(np.zeros(y.shape), requires_grad=False)
    slopes = [grad_by_recursion(source, x) for source in y.inputs]
    if y.op.name == "+":
        return slopes[0] + slopes[1]
    if y.op.name == "×":
        return slopes[0] * y.inputs[1] + y.inputs[0] * slopes[1]
    return slopes[0] * (y * y * -1.0 + 1.0)


def grad_by_position(y, x):
    """In pairs of a node and its gradient, without a dictionary of nodes."""
    nodes = Tape(y).nodes
    sums = [None] * len(nodes)
    sums[-1] = Tensor(np.ones(y.shape), requires_grad=False)
    for k in range(len(nodes) - 1, -1, -1):
        node, g = nodes[k], sums[k]
        if node is x:
            return g
        if node.op is None or g is None:
            continue
        if node.op.name == "tanh":
            shares = [g * (node * node * -1.0 + 1.0)]
        elif node.op.name == "+":
            shares = [g, g]
        else:
            shares = [g * node.inputs[1], g * node.inputs[0]]
        for source, share in zip(node.inputs, shares, strict=True):
            j = nodes.index(source)
            sums[j] = share if sums[j] is None else sums[j] + share
    return None


def grad_as_array(y, x):
    y.backward(np.ones(y.shape))
    return x.grad


def grad_without_history(y, x):
    y.backward(np.ones(y.shape))
    return Tensor(x.grad)


def grad_of_data(y, x):
    """Rules on plain arrays, and a Tensor around the result."""
    return _walk(y, x, tanh=lambda g, y, a: (g * (1 - y.data**2),))


def grad_times_data(y, x):
    return _walk(y, x, times=lambda g, y, a, b: (g * b.data, g * a.data))


def _walk(y, x, times=None, tanh=None, plus=None, assign=False):
    rules = {
        "+": plus or (lambda g, y, a, b: (g, g)),
        "×": times or (lambda g, y, a, b: (g * b, g * a)),
        "tanh": tanh or (lambda g, y, a: (g * (y * y * -1.0 + 1.0),)),
    }
    grads = {y: Tensor(np.ones(y.shape))}
    for node in reversed(Tape(y).operations):
        if node not in grads:
            continue
        shares = rules[node.op.name](grads[node], node, *node.inputs)
        for source, share in zip(node.inputs, shares, strict=True):
            known = source in grads and not assign
            grads[source] = grads[source] + share if known else share
    return grads.get(x, Tensor(np.zeros(x.shape)))


def grad_assigned(y, x):
    return _walk(y, x, assign=True)


def grad_own_factor(y, x):
    return _walk(y, x, times=lambda g, y, a, b: (g * a, g * b))


def grad_at_input(y, x):
    return _walk(y, x, tanh=lambda g, y, a: (g * (a * a * -1.0 + 1.0),))


def grad_sigmoid_slope(y, x):
    return _walk(y, x, tanh=lambda g, y, a: (g * y * (y * -1.0 + 1.0),))


def grad_tanh_open(y, x):
    return _walk(y, x, tanh=lambda g, y, a: (g,))


def grad_plus_halved(y, x):
    return _walk(y, x, plus=lambda g, y, a, b: (g * 0.5, g * 0.5))


def grad_incoming_lost(y, x):
    return _walk(
        y,
        x,
        times=lambda g, y, a, b: (b, a),
        tanh=lambda g, y, a: (y * y * -1.0 + 1.0,),
    )


def grad_numeric(y, x):
    tape, here, step = Tape(y), x.data, 1e-5
    x.data = here + step
    above = tape.forward()
    x.data = here - step
    below = tape.forward()
    x.data = here
    tape.forward()
    return Tensor((above - below) / (2 * step))


def grad_negative(y, x):
    return _walk(y, x) * -1.0


def grad_tanh_plus(y, x):
    return _walk(y, x, tanh=lambda g, y, a: (g * (y * y + 1.0),))


def grad_tanh_no_square(y, x):
    return _walk(y, x, tanh=lambda g, y, a: (g * (y * -1.0 + 1.0),))


def grad_tanh_bare(y, x):
    return _walk(y, x, tanh=lambda g, y, a: (y * y * -1.0 + 1.0,))


def grad_times_bare(y, x):
    return _walk(y, x, times=lambda g, y, a, b: (b, a))


def grad_of_x(y, x):
    return x


def grad_of_y(y, x):
    return y


def grad_incoming_as_data(y, x):
    return _walk(y, x, times=lambda g, y, a, b: (b * g.data, a * g.data))


HIGHER = [
    Mistake(
        "as-array",
        grad_as_array,
        "An array comes back. It has no memory of how it was made, so nobody can go "
        "back through it: it has to be a `Tensor` with a history.",
        ALIKE,
    ),
    Mistake(
        "no-history",
        grad_without_history,
        "What comes back is a `Tensor`, but a leaf: the arithmetic behind it was done "
        "on arrays. The rules themselves have to be `Tensor` operations.",
        ALIKE,
    ),
    Mistake(
        "numeric",
        grad_numeric,
        "This looks like a numerical derivative: right to some ten digits, without a "
        "history.",
        ALIKE,
    ),
    Mistake(
        "tanh-of-data",
        grad_of_data,
        "The first derivative is right, the second lacks a part: in the rule of tanh "
        "stands plain data, which the tape does not see.",
        ALIKE,
    ),
    Mistake(
        "times-data",
        grad_times_data,
        "The first derivative is right, the second lacks a part: in the rule of the "
        "product stands plain data, which the tape does not see.",
        ALIKE,
    ),
    Mistake(
        "assigned",
        grad_assigned,
        "What is used twice keeps only one of its gradients. They add.",
        "01_chain_rule#Forks add",
    ),
    Mistake(
        "own-factor",
        grad_own_factor,
        "In the rule of the product each factor gets itself. It gets the other one.",
        TAPE,
    ),
    Mistake(
        "at-input",
        grad_at_input,
        "The rule of tanh needs the square of its *output*; here stands its input.",
        "06_layers_and_losses#Activations",
    ),
    Mistake(
        "sigmoid-slope",
        grad_sigmoid_slope,
        "$y(1-y)$ is the slope of the sigmoid, not of tanh.",
        "06_layers_and_losses#Activations",
    ),
    Mistake(
        "tanh-open",
        grad_tanh_open,
        "The slope of tanh is missing: the gradient goes through as if it were not "
        "there.",
        "06_layers_and_losses#Activations",
    ),
    Mistake(
        "plus-halved",
        grad_plus_halved,
        "A sum does not divide the gradient between its terms: each gets all of it.",
        TAPE,
    ),
    Mistake(
        "incoming-lost",
        grad_incoming_lost,
        "The gradient that comes in is not multiplied in. Along a path, prices "
        "multiply.",
        TAPE,
    ),
    Mistake(
        "sign",
        grad_negative,
        "The sign is reversed. With which number does the way back begin?",
        TAPE,
    ),
    Mistake(
        "tanh-plus",
        grad_tanh_plus,
        "In the rule of tanh a plus stands where a minus belongs.",
        "06_layers_and_losses#Activations",
    ),
    Mistake(
        "tanh-no-square",
        grad_tanh_no_square,
        "In the rule of tanh the output is not squared.",
        "06_layers_and_losses#Activations",
    ),
    Mistake(
        "tanh-bare",
        grad_tanh_bare,
        "In the rule of tanh the gradient that comes in is missing. Along a "
        "path, prices multiply.",
        TAPE,
    ),
    Mistake(
        "times-bare",
        grad_times_bare,
        "In the rule of the product the gradient that comes in is missing. "
        "Along a path, prices multiply.",
        TAPE,
    ),
    Mistake(
        "returns-x",
        grad_of_x,
        "$x$ itself comes back, not a derivative.",
        TAPE,
    ),
    Mistake(
        "returns-y",
        grad_of_y,
        "$y$ itself comes back, not its derivative.",
        TAPE,
    ),
    Mistake(
        "data-in-a-rule",
        grad_incoming_as_data,
        "The first derivatives are right, and a later one is not. Does plain "
        "data stand in a rule (`.data`, or an array made of it)? The tape does "
        "not see that.",
        ALIKE,
    ),
]


def cube(x):
    return x * x * x


def mixed(x):
    return x.tanh() * x + x


def twice_tanh(x):
    return (x * x).tanh() + x.tanh().tanh()


def ramp(x):
    return x.tanh()


FORMULAS = (  # an expression, in words, and its first three derivatives by torch
    (ramp, "tanh(x)"),
    (cube, "x · x · x"),
    (mixed, "tanh(x) · x + x"),
    (twice_tanh, "tanh(x · x) + tanh(tanh(x))"),
)
OFF_THE_TAPE = {ramp: HIGHER[3], cube: HIGHER[4]}
ORDINALS = ("first", "second", "third")


def derivatives(f, at):
    t = torch.tensor(at, requires_grad=True)
    values, y = [], f(t)
    for _ in ORDINALS:
        (y,) = torch.autograd.grad(y.sum(), t, create_graph=True)
        values.append(y.detach().numpy())
    return values


POINTS = np.array([0.3, -0.7, 1.2])


def distance(got, right):
    """The largest error, of the largest number; infinite if the shapes differ."""
    if got.shape != right.shape:
        return np.inf
    return np.max(np.abs(got - right)) / np.max(np.abs(right))


def judge_higher(answer, run):
    for depth in (1, len(ORDINALS)):  # first derivatives of all, then the others
        for f, words in FORMULAS:
            said = judge_one(f, words, depth, answer, run)
            if said is not None:
                return said
    return None


def judge_one(f, words, depth, answer, run):
    x = Tensor(POINTS)
    y = f(x)
    for k, right in enumerate(derivatives(f, POINTS)[:depth]):
        y = run(of=partial(answer, y, x))
        if y is None:
            return "It returns None. Is a `return` missing?"
        if not isinstance(y, Tensor):
            return HIGHER[0]
        error = distance(y.data, right)
        if error > 1e-12:
            if y.op is None and error < 1e-4:
                return HIGHER[2]
            return named_higher(words, k, answer, run)
        if k < 2 and y.op is None:
            return HIGHER[1]
        if k == 0 and not any(node is x for node in Tape(y).nodes):
            return OFF_THE_TAPE.get(f, "x is not on the tape of what it returns.")
    return None


def named_higher(words, k, answer, run):
    """Find the mistake that makes the same first derivatives of all expressions."""
    if k > 0:
        return next(m for m in HIGHER if m.id == "data-in-a-rule")
    got = first_derivatives(lambda *args: run(of=partial(answer, *args)))
    for mistake in HIGHER[2:]:
        made = first_derivatives(mistake.code)
        if all(distance(a, b) < 1e-9 for a, b in zip(got, made, strict=True)):
            return mistake
    return f"The {ORDINALS[k]} derivative of {words} is not right."


def first_derivatives(of):
    values = []
    for f, _ in FORMULAS:
        x = Tensor(POINTS)
        values.append(of(f(x), x).data)
    return values


EXERCISES = [
    Exercise(
        number="11.1",
        title="Cross-entropy in one piece",
        reference=fused_backward,
        inputs=fused_inputs,
        call=call_fused,
        gradient=True,
        n=lambda grad_out, z, labels: len(z),
        mistakes=FUSED,
        absent={
            "assigned": "nothing is used twice here",
            "broadcast": NOTHING_COPIED,
        },
        variants=[fused_by_indices, fused_by_our_rule, fused_by_loop],
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
    ),
    Exercise(
        number="11.2",
        title="A rule that torch can differentiate",
        reference=swish_backward,
        inputs=swish_inputs,
        call=call_swish,
        gradient=True,
        outputs=("first derivative", "second derivative"),
        mistakes=SWISH,
        absent={
            "assigned": "each entry stands for itself",
            "broadcast": NOTHING_COPIED,
        },
        variants=[swish_by_value, swish_by_product, swish_by_tanh],
        hints=(
            "$x\\,\\sigma(x)$ is a product of two things that both depend on $x$. "
            "How many paths lead from $x$ to the result?",
            "The product rule: $\\sigma(x) + x\\,\\sigma'(x)$, with "
            "$\\sigma' = \\sigma(1-\\sigma)$. And the chain rule: times `grad_out`.",
            "Use `torch.sigmoid(x)` and torch's `+`, `-`, `*` alone: no `.numpy()`, no "
            "`.detach()`, no `.item()`. Then torch can go back through it.",
        ),
        explanation=(
            "$\\bar x = \\bar y\\,(s + x\\,s(1-s))$ with $s = \\sigma(x)$. As all of "
            "it is torch operations, `create_graph=True` records the way back, and the "
            "second derivative needs no further rule."
        ),
    ),
    Exercise(
        number="11.3",
        title="Four small batches",
        reference=whole_gradient,
        inputs=whole_inputs,
        gradient=True,
        mistakes=WHOLE,
        absent={
            "at-output": "the loss brings its softmax along",
            "broadcast": NOTHING_COPIED,
        },
        variants=[whole_at_once, whole_by_sums, whole_on_our_tape, whole_by_formula],
        seconds=30,
        hints=(
            "`cross_entropy` gives the mean over the part it is shown. What would the "
            "whole batch divide by?",
            "Torch adds in `.grad`. So each part has to hand in its share of the whole "
            "mean: which factor turns the mean over a part into this share?",
            "A part of $n$ examples out of $N$ counts $n/N$. Multiply each loss by "
            "that before `backward`; the last part is shorter than the others.",
        ),
        explanation=(
            "Four means added up are four times the mean: hence the learning rate that "
            "seemed four times too large. Each loss times $n/N$, or sums instead of "
            "means and one division by $N$: both are right for parts of any length. "
            "Dividing by the number of parts is right for equal parts alone."
        ),
    ),
    Exercise(
        number="11.4",
        title="Predict: what stands in .grad",
        reference=in_grad,
        outputs=("first", "second", "third", "fourth"),
        mistakes=IN_GRAD,
        hints=(
            "Does torch's `backward` replace what stands in `.grad`, or add to it? And "
            "ours?",
            "The slope of $w \\cdot w$ is $2w$. At which `w`? And is anything emptied "
            "between the lines?",
            "After the first two calls there are two slopes at `w = 3`. The third adds "
            "one at `w = 2`. Then `.grad` is empty, and one of the two factors is a "
            "constant.",
        ),
        explanation=(
            "$6 + 6 = 12$; then $12 + 4 = 16$, since nobody emptied `.grad`, and "
            "`w` is 2 by then. With `detach` only one factor counts: the slope of "
            "$w \\cdot 2$ is 2. Our engine replaces: 6, however often one calls."
        ),
    ),
    Exercise(
        number="11.5",
        title="Open challenge: derivatives of derivatives",
        reference=grad,
        judge=judge_higher,
        mistakes=HIGHER,
        variants=[grad_by_recursion, grad_by_position],
        hints=(
            "Walk through `reversed(Tape(y).operations)` as `Tape.backward` does, with "
            "a dictionary from nodes to gradients. What has to be different is what a "
            "gradient *is*.",
            "Let the gradients be `Tensor`s, and write three rules with `Tensor` "
            "operations: one for each `node.op.name`, `+`, `×` and `tanh`.",
            "In the rule of tanh use the node itself, not its `.data`: "
            "`g + g * y * y * -1.0`. It needs `+` and `×` alone, so the result can be "
            "differentiated again by the same three rules.",
        ),
        explanation=(
            "The loop is that of `Tape.backward`; only the rules compute with "
            "`Tensor`s, so the way back is on a tape of its own. The three rules use "
            "`+` and `×` alone, and so they are enough for derivatives of any order."
        ),
    ),
]
