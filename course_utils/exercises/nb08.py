"""Exercises of 08_modules_and_optimizers."""

from dataclasses import replace

import numpy as np

from course_utils import functional as F
from course_utils.nn import Linear, Module, Parameter, ReLU, Sequential
from course_utils.optim import SGD, Adam, Optimizer
from course_utils.tensor import Tensor

from .exercise import Exercise, Mistake

TAPE = "08_modules_and_optimizers#Third: modules on the tape"
STEP = "08_modules_and_optimizers#From a gradient to a step"
FORGOTTEN = "08_modules_and_optimizers#Gradients that are not forgotten"
BATCHES = "08_modules_and_optimizers#Mini-batches"
ACTIVATIONS = "06_layers_and_losses#Activations"
BY_SHAPE = "05_vectorized_backprop#The rules, by shape"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"

# --- 08.1: what is found, what is added up --------------------------------------------


def prediction():
    class Net(Module):
        def __init__(self, rng):
            self.hidden = {"first": Linear(2, 32, rng)}
            self.head = Linear(32, 2, rng)

    rng = np.random.default_rng(81)
    layer, w = Linear(8, 8, rng), Parameter(rng.normal(size=(4, 1)))
    X, Y = rng.normal(size=(60, 4)), rng.normal(size=(60, 1))
    for i in range(0, 60, 15):
        (Tensor(X[i : i + 15]) @ w).mse(Y[i : i + 15]).backward(accumulate=True)
    in_pieces = w.grad
    (Tensor(X) @ w).mse(Y).backward()
    factor = round((in_pieces / w.grad).mean(), 6)
    found = len(Net(rng).parameters())
    return found, len(Sequential(layer, ReLU(), layer).parameters()), factor


# --- 08.2: a slope that is learnt -----------------------------------------------------


def prelu_vjp(grad_out, z, a):
    grad_z = np.where(z > 0, grad_out, a * grad_out)
    grad_a = np.where(z > 0, 0, z * grad_out).sum(axis=0)  # (N, D) -> (D,)
    return grad_z, grad_a


def prelu_inputs(rng):
    sizes = (2, 3), (5, 4), (3, 3), (1, 4), (6, 2)
    return [
        (
            rng.normal(size=(N, D)),
            rng.uniform(0.1, 2, (N, D)) * rng.choice([-1, 1], (N, D)),
            rng.uniform(0.1, 1, D) * (-1.0) ** np.arange(D),
        )
        for N, D in sizes
    ]


def prelu_by_masks(grad_out, z, a):
    shut = (z <= 0).astype(float)
    return grad_out * (1 - shut + shut * a), np.einsum("nd,nd,nd->d", grad_out, z, shut)


def prelu_by_loops(grad_out, z, a):
    grad_z, grad_a = np.zeros_like(z), [0.0] * len(a)
    for n, i in np.ndindex(z.shape):
        grad_z[n, i] = grad_out[n, i] if z[n, i] > 0 else a[i] * grad_out[n, i]
        grad_a[i] += grad_out[n, i] * min(z[n, i], 0)
    return grad_z, grad_a


def prelu_by_relus(grad_out, z, a):
    grad_z = F.relu_vjp(grad_out, z) + a * F.relu_vjp(grad_out, -z)
    return [grad_z, -(F.relu(-z) * grad_out).sum(0)]


def prelu_not_undone_in_z(grad_out, z, a):
    return grad_out.copy(), prelu_vjp(grad_out, z, a)[1]


def prelu_at_output(grad_out, z, a):
    return prelu_vjp(grad_out, np.where(z > 0, z, a * z), a)


def prelu_assigned(grad_out, z, a):
    grad_a = np.zeros_like(a)
    for g, row in zip(grad_out, z, strict=True):
        grad_a = np.where(row > 0, 0, row * g)
    return prelu_vjp(grad_out, z, a)[0], grad_a


def prelu_overwritten(grad_out, z, a):
    grad_a = np.zeros_like(a)
    for n, i in np.ndindex(z.shape):
        if z[n, i] <= 0:
            grad_a[i] = z[n, i] * grad_out[n, i]
    return prelu_vjp(grad_out, z, a)[0], grad_a


def prelu_not_summed(grad_out, z, a):
    return prelu_vjp(grad_out, z, a)[0], np.where(z > 0, 0, z * grad_out)


def prelu_one_slope(grad_out, z, a):
    return prelu_vjp(grad_out, z, a)[0], np.where(z > 0, 0, z * grad_out).sum()


def prelu_as_relu(grad_out, z, a):
    return F.relu_vjp(grad_out, z), prelu_vjp(grad_out, z, a)[1]


def prelu_slope_everywhere(grad_out, z, a):
    return a * grad_out, (z * grad_out).sum(axis=0)


def prelu_value_for_slope(grad_out, z, a):
    return np.where(z > 0, z, a * z) * grad_out, prelu_vjp(grad_out, z, a)[1]


def prelu_reversed(grad_out, z, a):
    grad_z = np.where(z > 0, a * grad_out, grad_out)
    return grad_z, np.where(z > 0, z * grad_out, 0).sum(axis=0)


def prelu_a_for_z(grad_out, z, a):
    grad_a = np.where(z > 0, 0, a * grad_out).sum(axis=0)
    return prelu_vjp(grad_out, z, a)[0], grad_a


def prelu_without_z(grad_out, z, a):
    grad_a = np.where(z > 0, 0, grad_out).sum(axis=0)
    return prelu_vjp(grad_out, z, a)[0], grad_a


def prelu_output_for_z(grad_out, z, a):
    grad_a = np.where(z > 0, 0, a * z * grad_out).sum(axis=0)
    return prelu_vjp(grad_out, z, a)[0], grad_a


# --- 08.3: one matrix, used twice -----------------------------------------------------


def tied_vjp(grad_out, X, W):
    H = np.tanh(X @ W)  # (N, D) @ (D, H) -> (N, H)
    grad_H = grad_out @ W  # (N, D) @ (D, H) -> (N, H)
    grad_Z = grad_H * (1 - H**2)
    grad_X = grad_Z @ W.T
    grad_W = X.T @ grad_Z + grad_out.T @ H  # both uses, (D, H)
    return grad_X, grad_W


def tied_inputs(rng):
    sizes = (2, 3, 2), (5, 4, 3), (1, 3, 2), (3, 3, 3), (7, 2, 6)
    return [
        (
            rng.normal(size=(N, D)),
            rng.normal(size=(N, D)),
            0.5 * rng.normal(size=(D, H)),
        )
        for N, D, H in sizes
    ]


def tied_by_rules(grad_out, X, W):
    Z = F.matmul(X, W)
    H = F.tanh(Z)
    grad_H, grad_W_T = F.matmul_vjp(grad_out, H, W.T)
    grad_X, grad_W = F.matmul_vjp(F.tanh_vjp(grad_H, H), X, W)
    grad_W += grad_W_T.T
    return grad_X, grad_W


def tied_by_tape(grad_out, X, W):
    x, w = Tensor(X), Tensor(W)
    ((((x @ w).tanh()) @ w.T) * grad_out).sum().backward()
    return x.grad, w.grad


def tied_by_loops(grad_out, X, W):
    grad_X, grad_W = [], np.zeros_like(W)
    for g, x in zip(grad_out, X, strict=True):
        h = np.tanh(x @ W)
        grad_z = (W.T @ g) / np.cosh(x @ W) ** 2
        grad_W += np.outer(x, grad_z)
        grad_W += np.outer(g, h)
        grad_X.append(list(W @ grad_z))
    return grad_X, grad_W


def tied_with(grad_out, X, W, derivative):
    Z = X @ W
    H = np.tanh(Z)
    grad_Z = (grad_out @ W) * derivative(Z, H)
    return grad_Z @ W.T, X.T @ grad_Z, grad_out.T @ H


def tied_activation_missing(grad_out, X, W):
    grad_X, first, second = tied_with(grad_out, X, W, lambda Z, H: 1)
    return grad_X, first + second


def tied_at_input(grad_out, X, W):
    grad_X, first, second = tied_with(grad_out, X, W, lambda Z, H: 1 - Z**2)
    return grad_X, first + second


def tied_as_sigmoid(grad_out, X, W):
    grad_X, first, second = tied_with(grad_out, X, W, lambda Z, H: H * (1 - H))
    return grad_X, first + second


def tied_not_squared(grad_out, X, W):
    grad_X, first, second = tied_with(grad_out, X, W, lambda Z, H: 1 - H)
    return grad_X, first + second


def tied_tanh_twice(grad_out, X, W):
    grad_X, first, second = tied_with(grad_out, X, W, lambda Z, H: 1 - np.tanh(H) ** 2)
    return grad_X, first + second


def tied_value_for_slope(grad_out, X, W):
    grad_X, first, second = tied_with(grad_out, X, W, lambda Z, H: H)
    return grad_X, first + second


def tied_overwritten(grad_out, X, W):
    grad_X, first, _ = tied_with(grad_out, X, W, lambda Z, H: 1 - H**2)
    return grad_X, first


def tied_last_use_alone(grad_out, X, W):
    grad_X, _, second = tied_with(grad_out, X, W, lambda Z, H: 1 - H**2)
    return grad_X, second


def tied_averaged(grad_out, X, W):
    grad_X, grad_W = tied_vjp(grad_out, X, W)
    return grad_X, grad_W / 2


def tied_linear_second(grad_out, X, W):
    grad_X, first, _ = tied_with(grad_out, X, W, lambda Z, H: 1 - H**2)
    return grad_X, first + grad_out.T @ (X @ W)


# --- 08.4: a run that looks fine ------------------------------------------------------


def train_line(X, y, w, lr, batch_size):
    losses = []
    for _ in range(3):  # epochs
        for i in range(0, len(X), batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            error = xb @ w - yb
            grad = 2 * xb.T @ error / len(xb)
            w = w - lr * grad
            losses.append((error**2).mean())
    return w, losses


def train_line_inputs(rng):
    sizes = (4, 2, 2), (10, 3, 4), (7, 1, 2), (12, 5, 3), (9, 4, 5)
    return [
        (
            rng.normal(size=(N, D)),
            rng.normal(size=N),
            rng.normal(size=D),
            0.05,
            batch_size,
        )
        for N, D, batch_size in sizes
    ]


def train_with(kept, by_all, short, slope=2, epochs=3):
    """Make a training with some of the friend's mistakes."""

    def train(X, y, w, lr, batch_size):
        losses, grad = [], np.zeros_like(w)
        stop = len(X) - batch_size if short else len(X)
        for _ in range(epochs):
            for i in range(0, stop, batch_size):
                xb, yb = X[i : i + batch_size], y[i : i + batch_size]
                error = xb @ w - yb
                count = len(X) if by_all else len(xb)
                grad = kept * grad + slope * xb.T @ error / count
                w = w - lr * grad
                losses.append((error**2).mean())
        return w, losses

    return train


def train_cleared_by_epoch(X, y, w, lr, batch_size):
    losses = []
    for _ in range(3):
        grad = np.zeros_like(w)
        for i in range(0, len(X), batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            error = xb @ w - yb
            grad = grad + 2 * xb.T @ error / len(xb)
            w = w - lr * grad
            losses.append((error**2).mean())
    return w, losses


def train_by_full_size(X, y, w, lr, batch_size):
    losses = []
    for _ in range(3):
        for i in range(0, len(X), batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            error = xb @ w - yb
            w = w - lr * 2 * xb.T @ error / batch_size
            losses.append((error**2).mean())
    return w, losses


def train_by_sum(X, y, w, lr, batch_size):
    losses = []
    for _ in range(3):
        for i in range(0, len(X), batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            error = xb @ w - yb
            w = w - lr * 2 * xb.T @ error
            losses.append((error**2).mean())
    return w, losses


def train_on_all(X, y, w, lr, batch_size):
    return train_line(X, y, w, lr, len(X))


def train_full_batches_only(X, y, w, lr, batch_size):
    losses = []
    for _ in range(3):
        for i in range(0, len(X) - batch_size + 1, batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            error = xb @ w - yb
            w = w - lr * 2 * xb.T @ error / len(xb)
            losses.append((error**2).mean())
    return w, losses


def train_loss_afterwards(X, y, w, lr, batch_size):
    losses = []
    for _ in range(3):
        for i in range(0, len(X), batch_size):
            xb, yb = X[i : i + batch_size], y[i : i + batch_size]
            w = w - lr * 2 * xb.T @ (xb @ w - yb) / len(xb)
            losses.append(((xb @ w - yb) ** 2).mean())
    return w, losses


def train_by_mse(X, y, w, lr, batch_size):
    w, losses = list(w), []
    starts = list(range(0, len(X), batch_size))
    for i in starts * 3:
        rows = slice(i, min(i + batch_size, len(X)))
        y_hat = X[rows] @ np.array(w)
        losses.append(float(F.mse(y_hat, y[rows])))
        grad = F.mse_vjp(1.0, y_hat, y[rows]) @ X[rows]
        w = [a - lr * g for a, g in zip(w, grad, strict=True)]
    return w, losses


def train_by_sgd(X, y, w, lr, batch_size):
    p, losses = Parameter(w[:, None].copy()), []
    optimizer = SGD([p], lr)
    for step in range(3 * -(-len(X) // batch_size)):
        i = step % -(-len(X) // batch_size) * batch_size
        optimizer.zero_grad()
        loss = (Tensor(X[i : i + batch_size]) @ p).mse(y[i : i + batch_size, None])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return p.data[:, 0], np.array(losses)


KEPT = "The gradient of one step is still there in the next."
BY_ALL = "A mean over a batch is divided by the number of all examples."
SHORT = "The last batch of an epoch is never seen."

# --- 08.5: ten steps ------------------------------------------------------------------


def my_optimizer(parameters):
    return SGD(parameters, lr=0.12, momentum=0.5)


class Nesterov(Optimizer):
    """Momentum that looks ahead."""

    def __init__(self, parameters, lr, momentum):
        super().__init__(parameters, lr, 0.0)
        self.momentum = momentum
        self.velocities = [np.zeros_like(p.data) for p in self.parameters]

    def step(self):
        """Go along the velocity that the next step will have."""
        pairs = zip(self.parameters, self.gradients(), self.velocities, strict=True)
        for p, g, v in pairs:
            v *= self.momentum
            v += g
            p.data -= self.lr * (g + self.momentum * v)


def my_nesterov(parameters):
    return Nesterov(parameters, lr=0.055, momentum=0.875)


TURN = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
MOST_STEPS = 10


def height(p, turned):
    u = p @ TURN if turned else p
    return (u * u * np.array([0.5, 10.0])).sum()


def steps_through(answer, run, turned):
    """Count the steps until the loss is below 0.01: 61 if it never is."""
    start = np.array([-4.0, 1.0])
    p = Parameter((TURN @ start if turned else start)[None])
    optimizer = run(of=lambda: answer([p]))
    before = p.data.copy()
    for count in range(1, 61):
        height(p, turned).backward()
        run(of=optimizer.step)
        if not np.all(np.isfinite(p.data)) or np.abs(p.data).max() > 1e6:
            return np.inf, optimizer
        if height(p, turned).item() < 0.01:
            return count, optimizer
        if count == 3 and np.array_equal(before, p.data):
            return 0, optimizer
    return 61, optimizer


def judge_steps(answer, run):
    straight, optimizer = steps_through(answer, run, turned=False)
    turned, _ = steps_through(answer, run, turned=True)
    if max(straight, turned) <= MOST_STEPS and min(straight, turned) > 0:
        return None
    return _why_slow(straight, turned, optimizer)


def _why_slow(straight, turned, optimizer):
    """Say which mistake it is, and how many steps there were."""
    if 0 in (straight, turned):
        return SLOW["stands-still"]
    if np.inf in (straight, turned):
        return SLOW["explodes"]
    name = "too-slow"
    if isinstance(optimizer, Adam):
        name = "adam"
    elif isinstance(optimizer, SGD) and not optimizer.momentum:
        name = "no-momentum"
    elif isinstance(optimizer, SGD) and optimizer.momentum > 0.7:
        name = "too-much-momentum"
    counted = " and ".join(
        f"{count if count <= 60 else 'more than 60'} steps in the {valley} valley"
        for count, valley in ((straight, "straight"), (turned, "turned"))
    )
    return replace(SLOW[name], says=f"It takes {counted}. {SLOW[name].says}")


SLOW = {
    mistake.id: mistake
    for mistake in (
        Mistake(
            "stands-still",
            lambda ps: SGD(ps, lr=0.0, momentum=0.5),
            "After three steps the parameters are where they were. A step has to "
            "change `p.data` in place.",
            STEP,
        ),
        Mistake(
            "explodes",
            lambda ps: SGD(ps, lr=0.3, momentum=0.4),
            "It flies out of the valley: the steps are too long for the steep "
            "direction, whose gradient is 20 times as large.",
            STEP,
        ),
        Mistake(
            "no-momentum",
            lambda ps: SGD(ps, lr=0.09),
            "Without momentum the steep direction sets the limit, and no rate is quick "
            "in the gentle one.",
            STEP,
        ),
        Mistake(
            "adam",
            lambda ps: Adam(ps, lr=0.5, betas=(0.8, 0.99)),
            "Adam gives each *coordinate* a scale of its own. Is that of use where the "
            "valley does not run along a coordinate?",
            STEP,
        ),
        Mistake(
            "too-much-momentum",
            lambda ps: SGD(ps, lr=0.05, momentum=0.9),
            "With this much momentum the ball swings on for long. How much of its "
            "speed is left after five steps?",
            STEP,
        ),
        Mistake(
            "too-slow",
            lambda ps: SGD(ps, lr=0.01, momentum=0.3),
            f"At most {MOST_STEPS} are wanted in both. Vary one setting at a time, and "
            "look at the path.",
            STEP,
        ),
    )
}


def tied_by_examples(grad_out, X, W):
    grad_X, grad_W = np.zeros_like(X), np.zeros_like(W)
    for n, x in enumerate(X):
        h = np.tanh(x @ W)
        grad_z = grad_out[n] @ W * (1 - h**2)
        grad_X[n] += W @ grad_z
        grad_W += np.outer(grad_out[n], h)
        grad_W += np.outer(x, grad_z)
    return grad_X, grad_W


EXERCISES = [
    Exercise(
        number="08.1",
        title="Predict: what is found, what is added up",
        reference=prediction,
        outputs=("a", "b", "c"),
        mistakes=[
            Mistake(
                "dictionary",
                lambda: (4, 2, 4),
                "Four parameters are there, but are they found? Look at where a module "
                "looks: attributes, and lists and tuples.",
                TAPE,
            ),
            Mistake(
                "shared-twice",
                lambda: (2, 4, 4),
                "The same layer stands there twice. What happens in `parameters()` to "
                "an object that comes a second time?",
                TAPE,
            ),
            Mistake(
                "layers-counted",
                lambda: (1, 1, 4),
                "These are layers. Each linear layer has a weight matrix and a bias.",
                TAPE,
            ),
            Mistake(
                "entries-counted",
                lambda: (66, 72, 4),
                "These are numbers. `parameters()` is a list of arrays, however large.",
                TAPE,
            ),
            Mistake(
                "all-entries-counted",
                lambda: (162, 144, 4),
                "These are numbers, and too many: `parameters()` is a list of arrays, "
                "and not everything is found, or counted twice.",
                TAPE,
            ),
            Mistake(
                "already-a-mean",
                lambda: (2, 2, 1),
                "It would be the same if each piece knew of the others. But each loss "
                "is a mean over its own 15 examples.",
                FORGOTTEN,
            ),
            Mistake(
                "upside-down",
                lambda: (2, 2, 0.25),
                "This is what one has to multiply by to put it right. Asked is how "
                "much too large the gradient is.",
                FORGOTTEN,
            ),
            Mistake(
                "all-examples",
                lambda: (2, 2, 60),
                "This is the number of examples. Each loss is a mean, which has "
                "divided by its own 15 already.",
                FORGOTTEN,
            ),
            Mistake(
                "piece-size",
                lambda: (2, 2, 15),
                "This is the size of a piece. What counts is how many means are added "
                "where one is wanted.",
                FORGOTTEN,
            ),
        ],
        hints=(
            "For (a) and (b), read `named_parts` and `parameters` again: which kinds "
            "of attributes are opened, and what does `dict.fromkeys` do?",
            "For (a): a dictionary is neither a parameter, nor a module, nor a list. "
            "For (c): what is the mean of four means of equal size?",
            "For (b): one layer, one matrix, one bias. For (c): four means are added, "
            "where their mean is wanted.",
        ),
        explanation=(
            "(a) A dictionary is not opened, so only the two arrays of `head` are "
            "found; the hidden layer would never learn, without any error. A list "
            "mends it. (b) The second occurrence is the same object, counted once. "
            "(c) Four means are added; their *mean* is the gradient of the whole "
            "batch. With pieces of different sizes no single factor helps: each piece "
            "needs its share of the examples as a weight."
        ),
    ),
    Exercise(
        number="08.2",
        title="A slope that is learnt",
        reference=prelu_vjp,
        inputs=prelu_inputs,
        gradient=True,
        outputs=("grad_z", "grad_a"),
        mistakes=[
            Mistake("activation-missing", prelu_not_undone_in_z),
            Mistake(
                "at-output",
                prelu_at_output,
                "The question whether an entry is positive is asked of the output. A "
                "negative input with a negative slope gives a positive output.",
                ACTIVATIONS,
            ),
            Mistake("assigned", prelu_assigned, where=BIAS),
            Mistake(
                "overwritten",
                prelu_overwritten,
                "Of each feature, only the last negative entry counts: it overwrites "
                "the ones before. What is used several times collects all shares.",
                BIAS,
            ),
            Mistake("broadcast", prelu_not_summed),
            Mistake(
                "one-slope",
                prelu_one_slope,
                "`grad_a` is a single number: the features were added up too. Each "
                "feature has a slope of its own.",
                BIAS,
            ),
            Mistake(
                "as-relu",
                prelu_as_relu,
                "This is the rule of ReLU: nothing passes where the input is negative. "
                "Here something passes there as well.",
                ACTIVATIONS,
            ),
            Mistake(
                "slope-everywhere",
                prelu_slope_everywhere,
                "The slope is treated as if it were used for every entry. Positive "
                "entries pass without it.",
                ACTIVATIONS,
            ),
            Mistake(
                "value-for-derivative",
                prelu_value_for_slope,
                "The gradient is multiplied by the function's value. On the way back "
                "it is the derivative that counts.",
                ACTIVATIONS,
            ),
            Mistake(
                "reversed",
                prelu_reversed,
                "The two cases are exchanged: the slope belongs to the negative "
                "entries.",
                ACTIVATIONS,
            ),
            Mistake(
                "a-for-z",
                prelu_a_for_z,
                "`grad_a` is made with `a` itself. In a product, the gradient for one "
                "factor needs the *other* factor.",
                "05_vectorized_backprop#The rules, by index",
            ),
            Mistake(
                "without-z",
                prelu_without_z,
                "`grad_a` knows nothing of the size of `z`. One unit more of a slope "
                "matters more where what it multiplies is large.",
                "05_vectorized_backprop#The rules, by index",
            ),
            Mistake(
                "output-for-z",
                prelu_output_for_z,
                "`grad_a` is made with the output, where the slope is already in. The "
                "slope multiplies the input.",
                ACTIVATIONS,
            ),
        ],
        variants=[prelu_by_masks, prelu_by_loops, prelu_by_relus],
        hints=(
            "Treat the two cases apart. What is $\\partial y/\\partial z$ for a "
            "positive entry, and for a negative one? And $\\partial y/\\partial a$?",
            "A slope is used in all $N$ rows. A value that is used many times collects "
            "what comes from every use.",
            "`np.where(z > 0, …, …)` keeps the cases apart. `grad_a` has the shape "
            "$(D,)$: which axis has to go?",
        ),
        explanation=(
            "Where $z > 0$, $y = z$: the gradient passes as it is, and `a` gets "
            "nothing. Where $z < 0$, $y = a z$ is a product: `z` gets $a\\,g$, and `a` "
            "gets $z\\,g$, summed over the rows that it was broadcast to. As a module, "
            "`a` is a `Parameter` beside a `forward`; the tape does the rest."
        ),
    ),
    Exercise(
        number="08.3",
        title="One matrix, used twice",
        reference=tied_vjp,
        inputs=tied_inputs,
        gradient=True,
        outputs=("grad_X", "grad_W"),
        mistakes=[
            Mistake("activation-missing", tied_activation_missing),
            Mistake(
                "at-output",
                tied_at_input,
                "$1 - \\tanh^2$ is made from the input `Z`, without the tanh. The "
                "formula in terms of the output needs the output.",
                ACTIVATIONS,
            ),
            Mistake(
                "assigned",
                tied_overwritten,
                "`grad_W` knows only of the first use of `W`. On the way back it comes "
                "last, and has overwritten what the second use gave.",
                TAPE,
            ),
            Mistake(
                "last-use-alone",
                tied_last_use_alone,
                "`grad_W` knows only of the second use, $H W^\\top$. `W` also made the "
                "hidden values.",
                TAPE,
            ),
            Mistake(
                "averaged",
                tied_averaged,
                "`grad_W` is the mean over both uses. Shares of several uses add; "
                "nothing divides them.",
                TAPE,
            ),
            Mistake(
                "as-sigmoid",
                tied_as_sigmoid,
                "$h(1 - h)$ is the derivative of the sigmoid. The activation here is "
                "tanh.",
                ACTIVATIONS,
            ),
            Mistake(
                "not-squared",
                tied_not_squared,
                "The derivative of tanh is taken as $1 - h$. Is a square missing?",
                ACTIVATIONS,
            ),
            Mistake(
                "tanh-twice",
                tied_tanh_twice,
                "The derivative takes the tanh once more, of what is a tanh already.",
                ACTIVATIONS,
            ),
            Mistake(
                "value-for-derivative",
                tied_value_for_slope,
                "The gradient is multiplied by the value of the tanh. On the way back "
                "it is the derivative that counts.",
                ACTIVATIONS,
            ),
            Mistake(
                "linear-second-use",
                tied_linear_second,
                "For the second use, `W` is met by $X W$. What `W.T` multiplies is "
                "what comes *out* of the tanh.",
                "05_vectorized_backprop#One form for every rule: the vjp",
            ),
        ],
        absent={"broadcast": "nothing is broadcast in matrix products"},
        variants=[tied_by_examples, tied_by_rules, tied_by_tape, tied_by_loops],
        hints=(
            "Give the two uses different names, $Y = \\tanh(X W_1) W_2^\\top$, and "
            "derive both gradients. What is left to do when $W_1 = W_2 = W$?",
            "Second use: $dW_2$ is $(D, H)$, built from `grad_out`, $(N, D)$, and "
            "`H`, $(N, H)$. First use: the rule of a linear layer, after tanh's.",
            "`grad_H = grad_out @ W`, and through the tanh with its output. The two "
            "gradients of `W` have one shape, and they add.",
        ),
        explanation=(
            "With two names it is a network of two layers: $dW_2 = G^\\top H$, and "
            "$dW_1 = X^\\top \\bigl((G W) \\odot (1 - H^2)\\bigr)$. One parameter used "
            "twice gets the sum, as `Module` and the tape would give it."
        ),
    ),
    Exercise(
        number="08.4",
        title="Find the bugs: a run that looks fine",
        reference=train_line,
        inputs=train_line_inputs,
        outputs=("w", "losses"),
        mistakes=[
            Mistake(
                "as-shown",
                train_with(1, True, True),
                f"This makes the friend's three mistakes. {KEPT} {SHORT}",
                FORGOTTEN,
            ),
            Mistake("not-cleared", train_with(1, False, False), KEPT, FORGOTTEN),
            Mistake("divided-by-all", train_with(0, True, False), BY_ALL, BATCHES),
            Mistake("last-batch-missing", train_with(0, False, True), SHORT, BATCHES),
            Mistake(
                "not-cleared-divided-by-all",
                train_with(1, True, False),
                f"One is found, two are left. {KEPT} {BY_ALL}",
                FORGOTTEN,
            ),
            Mistake(
                "not-cleared-last-batch-missing",
                train_with(1, False, True),
                f"One is found, two are left. {KEPT} {SHORT}",
                FORGOTTEN,
            ),
            Mistake(
                "divided-by-all-last-batch-missing",
                train_with(0, True, True),
                f"One is found, two are left. {BY_ALL} {SHORT}",
                BATCHES,
            ),
            Mistake(
                "cleared-by-epoch",
                train_cleared_by_epoch,
                "The gradient is cleared once an epoch. Each *step* needs its own.",
                FORGOTTEN,
            ),
            Mistake(
                "divided-by-full-size",
                train_by_full_size,
                "The last batch may be smaller than `batch_size`. A mean divides by "
                "the rows that are there.",
                BATCHES,
            ),
            Mistake(
                "no-batches",
                train_on_all,
                "It takes one step an epoch, with all examples. The friend's run, and "
                "yours, goes by batches of `batch_size`.",
                BATCHES,
            ),
            Mistake(
                "full-batches-only",
                train_full_batches_only,
                "A last batch that is not full is left out. Here every example is to "
                "be seen in each epoch.",
                BATCHES,
            ),
            Mistake(
                "one-epoch",
                train_with(0, False, False, epochs=1),
                "It ends after one epoch. Three are asked for; is a `return` too far "
                "to the right?",
                BATCHES,
            ),
            Mistake(
                "sum-for-mean",
                train_by_sum,
                "The gradient is that of a sum over the batch. The loss is a mean.",
                BATCHES,
            ),
            Mistake(
                "two-missing",
                train_with(0, False, False, slope=1),
                "The step is half as long as it should be. What does a square become "
                "when it is differentiated?",
                STEP,
            ),
            Mistake(
                "uphill",
                train_with(0, False, False, slope=-2),
                "It goes uphill: the gradient is added, or has the wrong sign.",
                STEP,
            ),
            Mistake(
                "loss-afterwards",
                train_loss_afterwards,
                "The loss is noted after the step. The friend's run, and `fit`, note "
                "the loss that the gradient was computed from.",
                "08_modules_and_optimizers#The training loop",
            ),
        ],
        variants=[train_by_mse, train_by_sgd],
        hints=(
            "Try it with four examples and batches of two, and print `i`, `len(xb)` "
            "and `grad` in each step. Which of them is not what you expect?",
            "One mistake is in how far `range` goes, one in what is divided by, and "
            "one in what `+=` adds to.",
            "`range` ends *before* its end. The loss of a batch is a mean over "
            "`len(xb)` rows. And the gradient belongs to one step.",
        ),
        explanation=(
            "The gradient was never cleared, so steps grew; dividing by all examples "
            "made each of them small. The two hid each other, and the curve fell. The "
            "third, a `range` that ends one batch early, never shows in a training "
            "loss: what is not seen is not counted."
        ),
    ),
    Exercise(
        number="08.5",
        title="Open challenge: ten steps",
        reference=my_optimizer,
        judge=judge_steps,
        mistakes=list(SLOW.values()),
        variants=[my_nesterov],
        hints=(
            "Begin with the three walkers of the notebook. Which of them needs the "
            "same number of steps in both valleys, and why?",
            "Momentum walks a turned path in a turned valley: its formulas know no "
            "coordinates. In the notebook it needed 15 steps. Was the ball too fast, "
            "or too slow?",
            "A little less momentum than 0.7, and a rate about 0.1: with momentum, "
            "larger rates are possible than without.",
        ),
        explanation=(
            "SGD and momentum use sums and multiples of gradients alone; turn the "
            "valley, and the path turns with it. Adam divides coordinate by "
            "coordinate, so its path depends on how the valley lies. For a valley with "
            "slopes 1 and 20 theory gives momentum "
            "$((\\sqrt{20} - 1)/(\\sqrt{20} + 1))^2 \\approx 0.4$ and a rate of "
            "$4/(\\sqrt{20} + 1)^2 \\approx 0.13$."
        ),
    ),
]
