"""PaddlePaddle's answers, on the CPU."""

import paddle
import paddle.nn.functional as F
from asking import ask

W = paddle.to_tensor([0.3, -0.6, 0.9, 0.1])


def grad(f, *at):
    leaves = [paddle.to_tensor(x, stop_gradient=False) for x in at]
    f(*leaves).sum().backward()
    return [None if x.grad is None else x.grad.numpy() for x in leaves]


def where(x, inside):
    return paddle.where(x > 0, inside, paddle.zeros_like(x))


def bce(z):
    return F.binary_cross_entropy_with_logits(z, paddle.zeros([1]))


def soft(z):
    labels = paddle.to_tensor([[1.0, 1, 0]])
    return F.cross_entropy(z.reshape([1, 3]), labels, soft_label=True)


def normalised(x):
    return F.group_norm(x.reshape([1, 4, 1]), 1, 1e-5).reshape([4]) * W


def write(v):
    return paddle.scatter(paddle.zeros([3]), paddle.to_tensor([1, 1]), v)[1]


def ignored(z):
    return F.cross_entropy(z.reshape([1, 3]), paddle.to_tensor([-1]), ignore_index=-1)


FUNCTIONS = {
    "relu at 0": F.relu,
    "|x| at 0": paddle.abs,
    "maximum(a, b), tie": paddle.maximum,
    "minimum(a, b), tie": paddle.minimum,
    "max of (1, 1)": paddle.max,
    "clip to [0, 1] at 1": lambda x: paddle.clip(x, 0, 1),
    "norm of (0, 0)": paddle.linalg.norm,
    "least of sorted (1, 1, 1)": lambda x: paddle.sort(x)[0],
    "median of (1, 1, 1)": paddle.median,
    "max pool, four equal": lambda x: F.max_pool2d(x.reshape([1, 1, 2, 2]), 2),
    "sqrt at 0": paddle.sqrt,
    "a^b at (0, 0)": paddle.pow,
    "where(x > 0, √x, 0) at 0": lambda x: where(x, x.sqrt()),
    "where(x > 0, log x, 0) at 0": lambda x: where(x, x.log()),
    "logsumexp of (−∞, −∞)": paddle.logsumexp,
    "x/|x| at (0, 0), first": lambda x: (x / paddle.linalg.norm(x))[0],
    "1/(1 + exp(−x)) at −1000": lambda x: 1 / (1 + paddle.exp(-x)),
    "atan2(y, x) at (0, 0)": paddle.atan2,
    "loss, all labels ignored": ignored,
    "maximum(x, x) at 1": lambda x: paddle.maximum(x, x),
    "x⁰ at 0": lambda x: x**0.0,
    "product of (0, 2, 3)": paddle.prod,
    "product of (0, 0, 3)": paddle.prod,
    "Σ cumprod of (0, 2, 3)": lambda x: paddle.cumprod(x, 0),
    "det (1 1; 1 1)": paddle.linalg.det,
    "det (0 0; 0 2)": paddle.linalg.det,
    "log_softmax of (−∞, 0), second": lambda x: F.log_softmax(x)[1],
    "BCE on logits at 0, label 0": bce,
    "soft labels (1, 1, 0)": soft,
    "elu at 0": F.elu,
    "read x[0, 0, 1]": lambda x: paddle.gather(x, paddle.to_tensor([0, 0, 1])),
    "write y[1, 1] = v, y₁": write,
    "overlapping windows": lambda x: x.unfold(0, 3, 1),
    "normalised, no scale": normalised,
    "integer input: x/2 at 3": lambda x: 0.5 * x,
}

if __name__ == "__main__":
    ask("PaddlePaddle", paddle.__version__, FUNCTIONS, grad)
