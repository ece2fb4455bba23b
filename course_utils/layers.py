"""Layers with an explicit way back: `layer(x)`, then `layer.backward(grad_out)`.

A layer remembers from its last forward pass what its vjp needs, and nothing else. The
formulas are those of `functional`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_utils import functional as F


class Parameter:
    """An array to be learnt: `.data`, and `.grad` of the same shape after backward.

    Taught in: 06_layers_and_losses.
    """

    def __init__(self, data: np.ndarray):
        self.data = data
        self.grad = None

    def __repr__(self) -> str:
        return f"Parameter(shape={self.data.shape}, dtype={self.data.dtype})"


class Remembering:
    """Whoever has forgotten, or never knew, says what to do first.

    Raises AttributeError for what is not there. Plumbing.
    """

    def __getattr__(self, name: str) -> None:
        raise AttributeError(
            f"{type(self).__name__} has no {name!r}. If this was backward: it belongs "
            f"to a forward pass, so call the layer or the loss first"
        )


class Layer(Remembering):
    """A function with its vjp: `forward(x)` and `backward(grad_out)`.

    `backward` belongs to the forward pass just before it, and replaces the gradients
    of the parameters: it does not add to them, as PyTorch does.
    Taught in: 06_layers_and_losses.
    """

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Run `forward`."""
        return self.forward(x)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Compute the output, and remember what `backward` will need."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def backward(self, grad_out: np.ndarray) -> np.ndarray:
        """Turn the gradient of the output into that of the input."""
        raise NotImplementedError(f"{type(self).__name__} does not define backward")

    def parameters(self) -> list[Parameter]:
        """What there is to learn."""
        return []


class Linear(Layer):
    """Affine layer X W + b: (N, fan_in) → (N, fan_out), from given arrays W and b.

    As the first layer of a network, it may be made with `input_grad=False`: then
    `backward` returns None and spares a matrix product.
    Taught in: 06_layers_and_losses.
    """

    def __init__(self, W: np.ndarray, b: np.ndarray, input_grad: bool = True):
        self.W, self.b = Parameter(W), Parameter(b)
        self.input_grad = input_grad

    def forward(self, X: np.ndarray) -> np.ndarray:
        """Compute X W + b, and remember X."""
        self.X = X
        return F.linear(X, self.W.data, self.b.data)

    def backward(self, grad_out: np.ndarray) -> np.ndarray | None:
        """Set the gradients of W and b; return the gradient of X."""
        grad_X, self.W.grad, self.b.grad = F.linear_vjp(
            grad_out, self.X, self.W.data, self.input_grad
        )
        return grad_X

    def parameters(self) -> list[Parameter]:
        """The weights and the biases."""
        return [self.W, self.b]


class ReLU(Layer):
    """Rectifier max(x, 0). Taught in: 06_layers_and_losses."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Compute max(x, 0), and remember x."""
        self.x = x
        return F.relu(x)

    def backward(self, grad_out: np.ndarray) -> np.ndarray:
        """Let the gradient through where the input was positive."""
        return F.relu_vjp(grad_out, self.x)


class Sigmoid(Layer):
    """Logistic function 1/(1 + e⁻ˣ). Taught in: 06_layers_and_losses."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Compute σ(x), and remember it."""
        self.y = F.sigmoid(x)
        return self.y

    def backward(self, grad_out: np.ndarray) -> np.ndarray:
        """Multiply by σ′ = y (1 − y)."""
        return F.sigmoid_vjp(grad_out, self.y)


class Tanh(Layer):
    """Hyperbolic tangent. Taught in: 06_layers_and_losses."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Compute tanh x, and remember it."""
        self.y = F.tanh(x)
        return self.y

    def backward(self, grad_out: np.ndarray) -> np.ndarray:
        """Multiply by tanh′ = 1 − y²."""
        return F.tanh_vjp(grad_out, self.y)


class Sequential(Layer):
    """One layer after the other; the gradient takes the same way back.

    Each layer object has one place, here and in the Sequentials inside: the same object
    twice would forget its first input. Raises ValueError for it.
    Taught in: 06_layers_and_losses.
    """

    def __init__(self, *layers: Layer):
        self.layers = each_once(layers)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Apply the layers in order."""
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, grad_out: np.ndarray) -> np.ndarray:
        """Pull the gradient back through the layers, last one first."""
        for layer in reversed(self.layers):
            grad_out = layer.backward(grad_out)
        return grad_out

    def parameters(self) -> list[Parameter]:
        """The parameters of all layers, first layer first."""
        return [p for layer in self.layers for p in layer.parameters()]


def leaves(layers: Sequence[Layer]) -> list[Layer]:
    """The layers that do the work: of each Sequential, those inside. Plumbing."""
    parts = [leaves(x.layers) if isinstance(x, Sequential) else [x] for x in layers]
    return [leaf for part in parts for leaf in part]


def each_once(layers: Sequence[Layer]) -> Sequence[Layer]:
    """The layers, if each object has one place, here and inside of Sequentials.

    Raises ValueError where one stands twice. Plumbing.
    """
    inside = leaves(layers)
    if len({id(leaf) for leaf in inside}) < len(inside):
        raise ValueError(
            "Sequential: the same layer object stands in two places; a layer "
            "remembers one input only. Make one object for each place"
        )
    return layers


class Loss(Remembering):
    """A loss object: `loss(y_hat, y)` is a number, `loss.backward()` its gradient.

    A subclass names its `function` and the `vjp` of it.
    Taught in: 06_layers_and_losses.
    """

    function = None
    vjp = None

    def __call__(self, y_hat: np.ndarray, y: np.ndarray) -> float:
        """Compute the loss, and remember both arrays."""
        self.y_hat, self.y = y_hat, y
        return self.function(y_hat, y)

    def backward(self, grad_out: float = 1.0) -> np.ndarray:
        """Return the gradient of the loss for y_hat."""
        grad = self.vjp(grad_out, self.y_hat, self.y)
        # float32 predictions have a float32 gradient, whatever the targets are.
        return grad.astype(np.result_type(self.y_hat, np.float16), copy=False)


class MSE(Loss):
    """Mean squared error. Taught in: 06_layers_and_losses."""

    function = staticmethod(F.mse)
    vjp = staticmethod(F.mse_vjp)


class BCE(Loss):
    """Binary cross-entropy on probabilities. Taught in: 06_layers_and_losses."""

    function = staticmethod(F.binary_cross_entropy)
    vjp = staticmethod(F.binary_cross_entropy_vjp)


class BCEWithLogits(Loss):
    """Binary cross-entropy on logits. Taught in: 06_layers_and_losses."""

    function = staticmethod(F.binary_cross_entropy_with_logits)
    vjp = staticmethod(F.binary_cross_entropy_with_logits_vjp)


class SoftmaxCrossEntropy(Loss):
    """Cross-entropy on logits, integer labels. Taught in: 06_layers_and_losses."""

    function = staticmethod(F.softmax_cross_entropy)
    vjp = staticmethod(F.softmax_cross_entropy_vjp)
