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


# --- 08.2: weight decay beside the fraction -------------------------------------------


def adamw_step(w, g, m, s, t, lr, decay):
    m = 0.9 * m + 0.1 * g
    s = 0.999 * s + 0.001 * g**2
    m_hat, s_hat = m / (1 - 0.9**t), s / (1 - 0.999**t)
    w = w - lr * (m_hat / (np.sqrt(s_hat) + 1e-8) + decay * w)
    return w, m, s


def adamw_inputs(rng):
    """One without a past, then a square one, a single weight, and one near ε."""
    first = np.array([[2.0, 0.0, -0.5], [1.0, -3.0, 0.25]])  # a gradient is 0
    w = rng.normal(size=(2, 3))
    inputs = [(w, first, np.zeros((2, 3)), np.zeros((2, 3)), 1, 0.1, 0.5)]
    for shape, scale, t, lr, decay in (
        ((5, 4), 1.0, 3, 0.01, 0.1),
        ((3, 3), 100.0, 10, 0.2, 0.02),
        ((1,), 1.0, 2, 0.05, 0.3),
        ((7, 2), 1e-6, 25, 0.5, 0.25),
    ):
        g, m = scale * rng.normal(size=shape), scale * rng.normal(0, 0.3, shape)
        s = scale**2 * rng.uniform(0.001, 0.02, shape)
        inputs.append((rng.normal(size=shape), g, m, s, t, lr, decay))
    return inputs


def adamw_pulled_first(w, g, m, s, t, lr, decay):
    shrunk = (1 - lr * decay) * w
    m, s = m + 0.1 * (g - m), s + 0.001 * (g * g - s)
    root = np.sqrt(s / (1 - 0.999**t)) + 1e-8
    return shrunk - lr * m / (1 - 0.9**t) / root, m, s


def adamw_by_entries(w, g, m, s, t, lr, decay):
    new = [np.zeros(w.shape) for _ in range(3)]
    for at in np.ndindex(w.shape):
        mean, square = 0.9 * m[at] + 0.1 * g[at], 0.999 * s[at] + 0.001 * g[at] ** 2
        size = (square / (1 - 0.999**t)) ** 0.5 + 1e-8
        pull = w[at] * decay
        new[0][at] = w[at] - lr * (mean / (1 - 0.9**t) / size + pull)
        new[1][at], new[2][at] = mean, square
    return new


def adamw_in_copies(w, g, m, s, t, lr, decay):
    w, m, s = w.copy(), m.copy(), s.copy()
    m *= 0.9
    m += 0.1 * g
    s *= 0.999
    s += 0.001 * g * g
    pull = lr * decay * w
    w -= lr * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    w -= pull
    return [w, m, s]


def means(g, m, s, t, b1=0.9, b2=0.999):
    """Both means after the step, plain and corrected."""
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
    return m, s, m / (1 - b1**t), s / (1 - b2**t)


def stepped(direction):
    """Make a step from right means in a wrong direction."""

    def wrong(w, g, m, s, t, lr, decay):
        m, s, m_hat, s_hat = means(g, m, s, t)
        with np.errstate(all="ignore"):
            way = direction(w, g, m, s, m_hat, s_hat, decay)
        return w - lr * way, m, s

    return wrong


def adamw_in_gradient(w, g, m, s, t, lr, decay):
    m, s, m_hat, s_hat = means(g + decay * w, m, s, t)
    return w - lr * m_hat / (np.sqrt(s_hat) + 1e-8), m, s


def adamw_without_lr(w, g, m, s, t, lr, decay):
    m, s, m_hat, s_hat = means(g, m, s, t)
    return w - lr * m_hat / (np.sqrt(s_hat) + 1e-8) - decay * w, m, s


def adamw_pulled_after(w, g, m, s, t, lr, decay):
    m, s, m_hat, s_hat = means(g, m, s, t)
    w = w - lr * m_hat / (np.sqrt(s_hat) + 1e-8)
    return w - lr * decay * w, m, s


def adamw_shrunk_means(w, g, m, s, t, lr, decay):
    m, s, _, _ = means(g, m, s, t)
    way = m * (1 - 0.9**t) / (np.sqrt(s * (1 - 0.999**t)) + 1e-8)
    return w - lr * (way + decay * w), m, s


def adamw_hats_kept(w, g, m, s, t, lr, decay):
    w, m, s = adamw_step(w, g, m, s, t, lr, decay)
    return w, m / (1 - 0.9**t), s / (1 - 0.999**t)


def adamw_old_means(w, g, m, s, t, lr, decay):
    m_hat, s_hat = m / (1 - 0.9**t), s / (1 - 0.999**t)
    m, s, _, _ = means(g, m, s, t)
    return w - lr * (m_hat / (np.sqrt(s_hat) + 1e-8) + decay * w), m, s


def adamw_not_squared(w, g, m, s, t, lr, decay):
    m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g
    with np.errstate(invalid="ignore"):
        root = np.sqrt(s / (1 - 0.999**t)) + 1e-8
    return w - lr * (m / (1 - 0.9**t) / root + decay * w), m, s


def adamw_weights_exchanged(w, g, m, s, t, lr, decay):
    m, s, _, _ = means(g, m, s, t, 0.1, 0.001)
    way = m / (1 - 0.9**t) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return w - lr * (way + decay * w), m, s


def adamw_betas_exchanged(w, g, m, s, t, lr, decay):
    m, s, m_hat, s_hat = means(g, m, s, t, 0.999, 0.9)
    return w - lr * (m_hat / (np.sqrt(s_hat) + 1e-8) + decay * w), m, s


def adamw_next_t(w, g, m, s, t, lr, decay):
    return adamw_step(w, g, m, s, t + 1, lr, decay)


def adamw_sum_of_gradients(w, g, m, s, t, lr, decay):
    m, s = 0.9 * m + g, 0.999 * s + g**2
    way = m / (1 - 0.9**t) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return w - lr * (way + decay * w), m, s


def adamw_step_alone(w, g, m, s, t, lr, decay):
    new, m, s = adamw_step(w, g, m, s, t, lr, decay)
    return w - new, m, s


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
        title="Weight decay beside the fraction",
        reference=adamw_step,
        inputs=adamw_inputs,
        outputs=("w", "m", "s"),
        mistakes=[
            Mistake(
                "decay-in-gradient",
                adamw_in_gradient,
                "The decay is added to the gradient, so it is divided like the rest. "
                "That is the weight decay of `Adam`; AdamW keeps it out of both means.",
                STEP,
            ),
            Mistake(
                "no-decay",
                stepped(lambda w, g, m, s, mh, sh, d: mh / (np.sqrt(sh) + 1e-8)),
                "This is Adam: `decay` moves nothing.",
                STEP,
            ),
            Mistake(
                "decay-divided",
                stepped(
                    lambda w, g, m, s, mh, sh, d: (mh + d * w) / (np.sqrt(sh) + 1e-8)
                ),
                "The pull stands in the numerator, so it is divided too. It belongs "
                "beside the fraction.",
                STEP,
            ),
            Mistake(
                "decay-without-lr",
                adamw_without_lr,
                "The pull is not multiplied by `lr`. In the formula the learning rate "
                "stands before both parts.",
                STEP,
            ),
            Mistake(
                "decay-of-the-new",
                adamw_pulled_after,
                "The pull is that of the weight *after* its step. Both parts begin at "
                "the weight as it was.",
                STEP,
            ),
            Mistake(
                "decay-pushes",
                stepped(
                    lambda w, g, m, s, mh, sh, d: mh / (np.sqrt(sh) + 1e-8) - d * w
                ),
                "The decay pushes each weight away from 0. It is to pull it there.",
                STEP,
            ),
            Mistake(
                "upward",
                stepped(
                    lambda w, g, m, s, mh, sh, d: d * w - mh / (np.sqrt(sh) + 1e-8)
                ),
                "The step goes along the gradient, uphill. Descent goes against it.",
                STEP,
            ),
            Mistake(
                "no-correction",
                stepped(lambda w, g, m, s, mh, sh, d: m / (np.sqrt(s) + 1e-8) + d * w),
                "The hats are missing. Both means begin at 0 and are too small at "
                "first: what mends that?",
                STEP,
            ),
            Mistake(
                "half-corrected",
                stepped(lambda w, g, m, s, mh, sh, d: mh / (np.sqrt(s) + 1e-8) + d * w),
                "`m` is corrected and `s` is not. Both means begin at 0.",
                STEP,
            ),
            Mistake(
                "other-half-corrected",
                stepped(lambda w, g, m, s, mh, sh, d: m / (np.sqrt(sh) + 1e-8) + d * w),
                "`s` is corrected and `m` is not. Both means begin at 0.",
                STEP,
            ),
            Mistake(
                "correction-multiplied",
                adamw_shrunk_means,
                "The means are multiplied by $1 - \\beta^t$, which makes them smaller "
                "still. They are to become larger.",
                STEP,
            ),
            Mistake(
                "loss-for-its-gradient",
                stepped(
                    lambda w, g, m, s, mh, sh, d: (
                        mh / (np.sqrt(sh) + 1e-8) + d / 2 * w**2
                    )
                ),
                "This is the extra loss of weight decay itself, $\\frac{\\lambda}{2} "
                "w^2$. What pulls is its gradient.",
                STEP,
            ),
            Mistake(
                "hats-kept",
                adamw_hats_kept,
                "What comes back are the corrected means. The next step goes on from "
                "the plain ones, and corrects them anew.",
                STEP,
            ),
            Mistake(
                "old-means",
                adamw_old_means,
                "The step is made with the means of before, which do not know this "
                "gradient yet. First the means, then the step.",
                STEP,
            ),
            Mistake(
                "no-root",
                stepped(lambda w, g, m, s, mh, sh, d: mh / (sh + 1e-8) + d * w),
                "It is divided by the mean of the *squares*. The size of a gradient is "
                "the root of that.",
                STEP,
            ),
            Mistake(
                "last-gradient",
                stepped(lambda w, g, m, s, mh, sh, d: g / (np.sqrt(sh) + 1e-8) + d * w),
                "The step follows the last gradient. In Adam it follows the running "
                "mean.",
                STEP,
            ),
            Mistake(
                "eps-inside",
                stepped(lambda w, g, m, s, mh, sh, d: mh / np.sqrt(sh + 1e-8) + d * w),
                "The ε stands under the root. There it counts as $10^{-4}$, and hides "
                "small gradients.",
                STEP,
            ),
            Mistake(
                "eps-missing",
                stepped(lambda w, g, m, s, mh, sh, d: mh / np.sqrt(sh) + d * w),
                "A weight whose gradient was always 0 is divided by 0. Which small "
                "number of the formula prevents that?",
                STEP,
            ),
            Mistake(
                "not-squared",
                adamw_not_squared,
                "`s` is a mean of the gradient, not of its *square*. Its root does not "
                "even exist where the gradient is negative.",
                STEP,
            ),
            Mistake(
                "weights-exchanged",
                adamw_weights_exchanged,
                "The shares are exchanged: most of a mean is what it was before, and "
                "$1 - \\beta$ of it is new.",
                STEP,
            ),
            Mistake(
                "betas-exchanged",
                adamw_betas_exchanged,
                "The two β are exchanged: the squares are remembered for longer.",
                STEP,
            ),
            Mistake(
                "sums",
                adamw_sum_of_gradients,
                "The new gradient comes in whole, as in momentum. In a running mean it "
                "has the share $1 - \\beta$.",
                STEP,
            ),
            Mistake(
                "next-t",
                adamw_next_t,
                "The correction is that of the next step: `t` is 1 in the first one.",
                STEP,
            ),
            Mistake(
                "step-alone",
                adamw_step_alone,
                "This is the step. Asked is where the weight is *after* it.",
                STEP,
            ),
        ],
        variants=[adamw_pulled_first, adamw_by_entries, adamw_in_copies],
        hints=(
            "Go through `adam_step` line by line. Which lines stay as they are, and "
            "which one changes?",
            "`m` and `s` know nothing of the decay: they are means of `g` and of its "
            "square. Only the last line changes.",
            "In the bracket that is multiplied by `lr` there are two parts: Adam's "
            "fraction, with hats, and `decay` times the weight as it was. `m` and `s` "
            "go back without hats.",
        ),
        explanation=(
            "Only the last line of `adam_step` changes. With Adam's own weight decay, "
            "$\\lambda w$ goes through the division like the rest, so a weight with "
            "large gradients is hardly pulled. Under AdamW every weight loses the "
            "share $\\text{lr} \\cdot \\lambda$ at each step, whatever its gradients. "
            "`torch.optim.AdamW` gives the same numbers."
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
                "All three of the friend's mistakes are still in it. Begin with "
                "`grad`: what does it hold in the second step?",
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
