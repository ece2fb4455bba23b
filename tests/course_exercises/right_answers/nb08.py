"""Right answers to the exercises of 08 in other styles."""

import numpy as np

from course_utils import functional as F
from course_utils.nn import Parameter
from course_utils.optim import SGD, Optimizer
from course_utils.tensor import Tensor

from . import right


@right("08.2")
def adamw_pulled_first(w, g, m, s, t, lr, decay):
    shrunk = (1 - lr * decay) * w
    m, s = m + 0.1 * (g - m), s + 0.001 * (g * g - s)
    root = np.sqrt(s / (1 - 0.999**t)) + 1e-8
    return shrunk - lr * m / (1 - 0.9**t) / root, m, s


@right("08.2")
def adamw_by_entries(w, g, m, s, t, lr, decay):
    new = [np.zeros(w.shape) for _ in range(3)]
    for at in np.ndindex(w.shape):
        mean, square = 0.9 * m[at] + 0.1 * g[at], 0.999 * s[at] + 0.001 * g[at] ** 2
        size = (square / (1 - 0.999**t)) ** 0.5 + 1e-8
        pull = w[at] * decay
        new[0][at] = w[at] - lr * (mean / (1 - 0.9**t) / size + pull)
        new[1][at], new[2][at] = mean, square
    return new


@right("08.3")
def tied_by_tape(grad_out, X, W):
    x, w = Tensor(X), Tensor(W)
    ((((x @ w).tanh()) @ w.T) * grad_out).sum().backward()
    return x.grad, w.grad


@right("08.4")
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


@right("08.4")
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


@right("08.5")
def my_nesterov(parameters):
    return Nesterov(parameters, lr=0.055, momentum=0.875)


@right("08.3")
def tied_by_examples(grad_out, X, W):
    grad_X, grad_W = np.zeros_like(X), np.zeros_like(W)
    for n, x in enumerate(X):
        h = np.tanh(x @ W)
        grad_z = grad_out[n] @ W * (1 - h**2)
        grad_X[n] += W @ grad_z
        grad_W += np.outer(grad_out[n], h)
        grad_W += np.outer(x, grad_z)
    return grad_X, grad_W


@right("08.2")
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


@right("08.3")
def tied_by_rules(grad_out, X, W):
    Z = F.matmul(X, W)
    H = F.tanh(Z)
    grad_H, grad_W_T = F.matmul_vjp(grad_out, H, W.T)
    grad_X, grad_W = F.matmul_vjp(F.tanh_vjp(grad_H, H), X, W)
    grad_W += grad_W_T.T
    return grad_X, grad_W
