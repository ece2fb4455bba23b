"""Modules on the tape: a network is an object that knows its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from course_utils import functional as F
from course_utils.layer_checks import (
    check_dropping,
    check_filters,
    check_pooling,
    check_running,
)
from course_utils.pictures import batch_norm, conv2d, dropout, max_pool2d, mean_pool2d
from course_utils.tape import _count
from course_utils.tensor import Tensor, as_tensor, layer_norm, linear


class Parameter(Tensor):
    """A tensor to be learnt.

    It notes when its data were set: `changed`, counted on the clock that numbers nodes.
    `Tensor.backward` looks whether that was after they were used.
    Taught in: 08_modules_and_optimizers.
    """

    __slots__ = ("changed",)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name == "data":
            object.__setattr__(self, "changed", next(_count))


class Module:
    """A function with parameters, found among its attributes.

    A subclass defines `forward`. Attributes that are Parameters, Modules, or lists of
    them (lists in lists as well) are found by `named_parameters`; a dictionary is not
    looked into. `training` says whether it is being trained: some modules do otherwise
    then. `train` and `eval` switch it, here and in all modules inside.
    Taught in: 08_modules_and_optimizers.
    """

    training = True

    def __call__(self, x: Any) -> Tensor:
        """Run `forward`."""
        return self.forward(x)

    def forward(self, x: Any) -> Tensor:
        """Compute the output."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Names like `layers.0.W`, and the parameters, in the order of definition."""
        for name, value in vars(self).items():
            for key, part in named_parts(name, value):
                if isinstance(part, Parameter):
                    yield prefix + key, part
                elif isinstance(part, Module):
                    yield from part.named_parameters(f"{prefix}{key}.")

    def parameters(self) -> list[Parameter]:
        """All parameters in the order of definition, a shared one once."""
        return list(dict.fromkeys(p for _, p in self.named_parameters()))

    def train(self, mode: bool = True) -> Module:
        """Switch to training, or with `mode=False` away from it; returns itself."""
        self.training = mode
        for name, value in vars(self).items():
            for _, part in named_parts(name, value):
                if isinstance(part, Module):
                    part.train(mode)
        return self

    def eval(self) -> Module:
        """Switch to the time after training; returns itself."""
        return self.train(False)


def named_parts(name: str, value: Any) -> list[tuple[str, Any]]:
    """The attribute itself, or the elements of a list, and of lists in it.

    A position is part of the name. Taught in: 08_modules_and_optimizers.
    """
    if not isinstance(value, list | tuple):
        return [(name, value)]
    parts = [named_parts(f"{name}.{i}", part) for i, part in enumerate(value)]
    return [pair for pairs in parts for pair in pairs]


def he_normal(
    fan_in: int, fan_out: int, rng: np.random.Generator, dtype: Any = np.float64
) -> np.ndarray:
    """Weights from N(0, 2/fan_in), which keep the scale of a signal through ReLUs.

    Taught in: 08_modules_and_optimizers. Source: K. He et al. (2015), Delving deep
    into rectifiers.
    """
    return rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out)).astype(dtype)


def xavier_normal(
    fan_in: int, fan_out: int, rng: np.random.Generator, dtype: Any = np.float64
) -> np.ndarray:
    """Weights from N(0, 2/(fan_in + fan_out)), for tanh and sigmoid layers.

    Taught in: 08_modules_and_optimizers. Source: X. Glorot, Y. Bengio (2010),
    Understanding the difficulty of training deep feedforward neural networks.
    """
    std = np.sqrt(2 / (fan_in + fan_out))
    return rng.normal(0, std, (fan_in, fan_out)).astype(dtype)


class Linear(Module):
    """Affine layer X W + b with W from `init` and b = 0.

    Taught in: 08_modules_and_optimizers.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        rng: np.random.Generator,
        init: Any = he_normal,
        dtype: Any = np.float64,
    ):
        self.W = Parameter(init(fan_in, fan_out, rng, dtype))
        self.b = Parameter(np.zeros(fan_out, dtype))

    def forward(self, X: Any) -> Tensor:
        """(…, fan_in) → (…, fan_out)."""
        return linear(X, self.W, self.b)


class ReLU(Module):
    """Rectifier max(x, 0). Taught in: 08_modules_and_optimizers."""

    def forward(self, x: Any) -> Tensor:
        """Apply it to each element."""
        return as_tensor(x).relu()


class Sigmoid(Module):
    """Logistic function. Taught in: 08_modules_and_optimizers."""

    def forward(self, x: Any) -> Tensor:
        """Apply it to each element."""
        return as_tensor(x).sigmoid()


class Tanh(Module):
    """Hyperbolic tangent. Taught in: 08_modules_and_optimizers."""

    def forward(self, x: Any) -> Tensor:
        """Apply it to each element."""
        return as_tensor(x).tanh()


class Sequential(Module):
    """One module after the other. Taught in: 08_modules_and_optimizers."""

    def __init__(self, *layers: Module):
        self.layers = layers

    def forward(self, x: Any) -> Tensor:
        """Apply the modules in order."""
        for layer in self.layers:
            x = layer(x)
        return x


class LayerNorm(Module):
    """Layer normalisation γ x̂ + β over `size` features; γ = 1 and β = 0 at first.

    Taught in: 10_vanishing_exploding.
    """

    def __init__(self, size: int, eps: float = 1e-5, dtype: Any = np.float64):
        self.gamma = Parameter(np.ones(size, dtype))
        self.beta = Parameter(np.zeros(size, dtype))
        self.eps = eps

    def forward(self, x: Any) -> Tensor:
        """(…, size) → (…, size), each row on its own."""
        return layer_norm(x, self.gamma, self.beta, self.eps)


class Residual(Module):
    """Residual connection x + block(x): a way past the block.

    Raises ValueError if the block changes the shape. Taught in: 10_vanishing_exploding.
    Source: K. He et al. (2016), Deep residual learning for image recognition.
    """

    def __init__(self, block: Module):
        self.block = block

    def forward(self, x: Any) -> Tensor:
        """The input, and what the block adds to it."""
        x = as_tensor(x)
        change = self.block(x)
        if change.shape != x.shape:
            raise ValueError(
                f"Residual: the block turns shape {x.shape} into {change.shape}; to be "
                f"added to its input, its output must have the same shape"
            )
        return x + change


class MLP(Sequential):
    """Linear layers of the given sizes with an activation between them.

    `MLP([784, 256, 10], rng)` has 784 inputs, 256 hidden ReLUs and 10 logits.
    Raises ValueError for fewer than two sizes. Taught in: 08_modules_and_optimizers.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        rng: np.random.Generator,
        activation: type[Module] = ReLU,
        init: Any = he_normal,
        dtype: Any = np.float64,
    ):
        if len(sizes) < 2:
            raise ValueError(f"MLP needs input and output size; got sizes={sizes}")
        layers = []
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
            layers += [Linear(fan_in, fan_out, rng, init, dtype), activation()]
        super().__init__(*layers[:-1])


class Conv2d(Module):
    """Convolution with W (out_channels, in_channels, kh, kw) from `init` and b = 0.

    `kernel_size` is a number, or a pair (kh, kw). Of what PyTorch's has, there are no
    groups, no dilation, and one stride and padding for rows and columns.
    Raises ValueError for sizes that make no filters, TypeError without a generator.
    Taught in: 13_convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        rng: np.random.Generator,
        stride: int = 1,
        padding: int = 0,
        init: Any = he_normal,
        dtype: Any = np.float64,
    ):
        size = check_filters(
            in_channels, out_channels, kernel_size, rng, stride, padding
        )
        W = init(in_channels * size[0] * size[1], out_channels, rng, dtype)
        self.W = Parameter(W.T.reshape(out_channels, in_channels, *size))
        self.b = Parameter(np.zeros(out_channels, dtype))
        self.stride, self.padding = stride, padding

    def forward(self, x: Any) -> Tensor:
        """(N, in_channels, H, W) → (N, out_channels, oh, ow)."""
        return conv2d(x, self.W, self.b, self.stride, self.padding)


class MaxPool2d(Module):
    """The largest of each window; without a stride, windows do not overlap.

    There is no padding: pixels that no window fits are left out. Raises ValueError for
    what is no size. Taught in: 13_convolution.
    """

    def __init__(self, kernel_size: int, stride: int | None = None):
        check_pooling(kernel_size, stride)
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x: Any) -> Tensor:
        """(…, H, W) → (…, oh, ow)."""
        return max_pool2d(x, self.kernel_size, self.stride)


class MeanPool2d(MaxPool2d):
    """The mean of each window: AvgPool2d in PyTorch. Plumbing."""

    def forward(self, x: Any) -> Tensor:
        """(…, H, W) → (…, oh, ow)."""
        return mean_pool2d(x, self.kernel_size, self.stride)


class Flatten(Module):
    """One row of features for each example. Plumbing."""

    def forward(self, x: Any) -> Tensor:
        """(N, …) → (N, D)."""
        return as_tensor(x).flatten(1)


class Dropout(Module):
    """While training, a share p of the elements becomes 0, drawn anew by `rng`.

    The rest is divided by 1 − p; after `eval()` nothing happens.
    Raises ValueError for p outside of [0, 1): PyTorch takes 1, too.
    Taught in: 13_convolution.
    """

    def __init__(self, p: float, rng: np.random.Generator):
        check_dropping(p, rng)
        self.p, self.rng = p, rng

    def forward(self, x: Any) -> Tensor:
        """Of the same shape."""
        x = as_tensor(x)
        if not self.training:
            return x
        return dropout(x, self.rng.random(x.shape) >= self.p, self.p)


class BatchNorm(Module):
    """Batch normalisation γ x̂ + β of x (N, num_features, …); γ = 1 and β = 0 at first.

    While training, x̂ has the mean and variance of the batch, and the running ones move
    towards them by a share `momentum`; after `eval()`, x̂ has the running ones. They are
    Parameters that learn nothing, so they are saved with the others. As in PyTorch, x̂
    has the variance of the batch, Σ (x − mean)²/n, and the running one gathers
    Σ (x − mean)²/(n − 1).
    Raises ValueError for a batch with less than two elements in a channel.
    Taught in: 13_convolution.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        dtype: Any = np.float64,
    ):
        check_running(num_features, eps, momentum)
        ones, zeros = np.ones(num_features, dtype), np.zeros(num_features, dtype)
        self.gamma, self.beta = Parameter(ones), Parameter(zeros)
        self.running_mean = Parameter(zeros.copy(), requires_grad=False)
        self.running_var = Parameter(ones.copy(), requires_grad=False)
        self.eps, self.momentum = eps, momentum

    def forward(self, x: Any) -> Tensor:
        """Of the same shape."""
        x, running = as_tensor(x), (self.running_mean, self.running_var)
        if not self.training:
            statistics = [p.data for p in running]
            return batch_norm(x, self.gamma, self.beta, *statistics, eps=self.eps)
        out = batch_norm(x, self.gamma, self.beta, eps=self.eps)
        n = x.size // x.shape[1]
        mean, var = F.batch_statistics(x.data)
        for p, now in zip(running, (mean, var * (n / (n - 1))), strict=True):
            p.data += self.momentum * (now - p.data)  # n − 1: as PyTorch has it
        return out
