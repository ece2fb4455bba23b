"""PyTorch's answers."""

import torch
import torch.nn.functional as F
from asking import ask

W = torch.tensor([0.3, -0.6, 0.9, 0.1])


def grad(f, *at):
    leaves = [torch.tensor(x, requires_grad=True) for x in at]
    f(*leaves).backward()
    return [leaf.grad for leaf in leaves]


def write(v):
    y = torch.zeros(3)
    y[[1, 1]] = v
    return y[1]


FUNCTIONS = {
    "relu at 0": torch.relu,
    "|x| at 0": torch.abs,
    "maximum(a, b), tie": torch.maximum,
    "minimum(a, b), tie": torch.minimum,
    "max of (1, 1)": torch.max,
    "clip to [0, 1] at 1": lambda x: torch.clamp(x, 0, 1),
    "norm of (0, 0)": torch.linalg.norm,
    "std of (1, 1, 1)": torch.std,
    "least of sorted (1, 1, 1)": lambda x: torch.sort(x).values[0],
    "median of (1, 1, 1)": torch.median,
    "max pool, four equal": lambda x: F.max_pool2d(x[None], 2).sum(),
    "sqrt at 0": torch.sqrt,
    "a^b at (0, 0)": torch.pow,
    "where(x > 0, √x, 0) at 0": lambda x: torch.where(x > 0, x.sqrt(), 0.0),
    "where(x > 0, log x, 0) at 0": lambda x: torch.where(x > 0, x.log(), 0.0),
    "logsumexp of (−∞, −∞)": lambda x: torch.logsumexp(x, 0),
    "x/|x| at (0, 0), first": lambda x: (x / torch.linalg.norm(x))[0],
    "1/(1 + exp(−x)) at −1000": lambda x: 1 / (1 + torch.exp(-x)),
    "atan2(y, x) at (0, 0)": torch.atan2,
    "mean of no rows": lambda w: (torch.zeros(0, 2) @ w).mean(),
    "loss, all labels ignored": lambda z: F.cross_entropy(
        z[None], torch.tensor([-1]), ignore_index=-1
    ),
    "maximum(x, x) at 1": lambda x: torch.maximum(x, x),
    "x⁰ at 0": lambda x: x**0.0,
    "product of (0, 2, 3)": torch.prod,
    "product of (0, 0, 3)": torch.prod,
    "Σ cumprod of (0, 2, 3)": lambda x: torch.cumprod(x, 0).sum(),
    "det (1 1; 1 1)": torch.linalg.det,
    "det (0 0; 0 2)": torch.linalg.det,
    "log_softmax of (−∞, 0), second": lambda x: torch.log_softmax(x, 0)[1],
    "BCE on logits at 0, label 0": lambda z: F.binary_cross_entropy_with_logits(
        z, torch.zeros(1)
    ),
    "soft labels (1, 1, 0)": lambda z: F.cross_entropy(z, torch.tensor([1.0, 1, 0])),
    "elu at 0": F.elu,
    "logaddexp at (0, 0)": torch.logaddexp,
    "read x[0, 0, 1]": lambda x: x[[0, 0, 1]].sum(),
    "write y[1, 1] = v, y₁": write,
    "overlapping windows": lambda x: x.unfold(0, 3, 1).sum(),
    "normalised, no scale": lambda x: (F.layer_norm(x, (4,), eps=0.0) * W).sum(),
    "integer input: x/2 at 3": lambda x: 0.5 * x,
}

if __name__ == "__main__":
    ask("PyTorch", torch.__version__.partition("+")[0], FUNCTIONS, grad)
