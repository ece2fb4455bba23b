"""The rules of array operations: tables of operations for `tensor.Tensor`.

Each entry names an operation, and says how it runs forward and how a gradient comes
back. The formulas are those of `functional`; what is added here is that every gradient
has the shape and the dtype of its input.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course_utils import functional as F
from course_utils.tape import Op


def like(grad: Any, x: Any) -> Any:
    """The gradient `grad` with the shape and the dtype of its input x.

    Where broadcasting copied x, the gradients of the copies are added up; None stays.
    Taught in: 07_array_tape.
    """
    if grad is None:
        return None
    if grad.shape != x.shape:
        grad = F.unbroadcast(grad, x.shape)
    return grad if grad.dtype == x.dtype else grad.astype(x.dtype)


def broadcasting(vjp: Callable[..., tuple]) -> Callable[..., tuple]:
    """Make `vjp(g, y, a, b)` give gradients that are like a and b.

    Taught in: 07_array_tape.
    """

    def rule(g, y, a, b):
        for_a, for_b = vjp(g, y, a, b)
        for_a, for_b = like(for_a, a), like(for_b, b)
        # a's gradient must not change when somebody changes b's in place.
        return for_a, for_b.copy() if for_b is for_a else for_b

    return rule


# The table of rules, one line an operation: forward, and the way back.
OPS = {
    "add": Op("+", F.add, broadcasting(lambda g, y, a, b: F.add_vjp(g))),
    "sub": Op("−", F.sub, broadcasting(lambda g, y, a, b: F.sub_vjp(g))),
    "mul": Op("×", F.mul, broadcasting(lambda g, y, a, b: F.mul_vjp(g, a, b))),
    "div": Op("÷", F.div, broadcasting(lambda g, y, a, b: F.div_vjp(g, a, b))),
    "raised": Op("pow", F.raised, broadcasting(F.raised_vjp)),
    "maximum": Op(
        "max", F.maximum, broadcasting(lambda g, y, a, b: F.maximum_vjp(g, a, b))
    ),
    "minimum": Op(
        "min", F.minimum, broadcasting(lambda g, y, a, b: F.minimum_vjp(g, a, b))
    ),
    "matmul": Op("@", F.matmul, broadcasting(lambda g, y, A, B: F.matmul_vjp(g, A, B))),
    "neg": Op("neg", F.neg, lambda g, y, x: (F.neg_vjp(g),)),
    "abs": Op("abs", F.abs, lambda g, y, x: (F.abs_vjp(g, x),)),
    "exp": Op("exp", F.exp, lambda g, y, x: (F.exp_vjp(g, y),)),
    "log": Op("log", F.log, lambda g, y, x: (F.log_vjp(g, x),)),
    "sqrt": Op("√", F.sqrt, lambda g, y, x: (F.sqrt_vjp(g, y),)),
    "sin": Op("sin", F.sin, lambda g, y, x: (F.sin_vjp(g, x),)),
    "cos": Op("cos", F.cos, lambda g, y, x: (F.cos_vjp(g, x),)),
    "tanh": Op("tanh", F.tanh, lambda g, y, x: (F.tanh_vjp(g, y),)),
    "sigmoid": Op("σ", F.sigmoid, lambda g, y, x: (F.sigmoid_vjp(g, y),)),
    "relu": Op("relu", F.relu, lambda g, y, x: (F.relu_vjp(g, x),)),
}


def with_parameters(
    symbol: str, f: Callable[..., Any], vjp: Callable[..., Any], by: str = "input"
) -> Callable[..., Op]:
    """Give `make(*parameters) -> Op` for x ↦ f(x, *parameters).

    `vjp(g, x, *parameters)` gives the gradient for x; where `by` is "output", it is
    handed the output in place of x. Both ways the dtype stays that of x. A `{}` in
    `symbol` is filled with the first parameter. Plumbing.
    """

    def make(*parameters):
        def forward(x):
            y = f(x, *parameters)
            return y if y.dtype == x.dtype else y.astype(x.dtype)

        def rule(g, y, x):
            return (like(vjp(g, y if by == "output" else x, *parameters), x),)

        return Op(symbol.format(*parameters), forward, rule)

    return make


# Operations with parameters: MAKE_OP[name](*parameters) is the operation.
MAKE_OP = {
    "power": with_parameters("^{}", F.power, F.power_vjp),
    "clip": with_parameters("clip", F.clip, F.clip_vjp),
    "sum": with_parameters("sum", F.sum, lambda g, x, *p: F.sum_vjp(g, x.shape, *p)),
    "mean": with_parameters(
        "mean", F.mean, lambda g, x, *p: F.mean_vjp(g, x.shape, *p)
    ),
    "max": with_parameters("max", F.max, F.max_vjp),
    "min": with_parameters("min", F.min, F.min_vjp),
    "var": with_parameters("var", F.var, F.var_vjp),
    "std": with_parameters("std", F.std, F.std_vjp),
    "logsumexp": with_parameters("logsumexp", F.logsumexp, F.logsumexp_vjp),
    "softmax": with_parameters("softmax", F.softmax, F.softmax_vjp, by="output"),
    "log_softmax": with_parameters(
        "log softmax", F.log_softmax, F.log_softmax_vjp, by="output"
    ),
    "reshape": with_parameters(
        "reshape", F.reshape, lambda g, x, shape: F.reshape_vjp(g, x.shape)
    ),
    "transpose": with_parameters(
        "transpose", F.transpose, lambda g, x, axes: F.transpose_vjp(g, axes)
    ),
    "getitem": with_parameters(
        "[ ]", F.getitem, lambda g, x, index: F.getitem_vjp(g, x.shape, index)
    ),
    "mse": with_parameters("mse", F.mse, F.mse_vjp),
    "binary_cross_entropy_with_logits": with_parameters(
        "BCE",
        F.binary_cross_entropy_with_logits,
        F.binary_cross_entropy_with_logits_vjp,
    ),
    "softmax_cross_entropy": with_parameters(
        "softmax CE", F.softmax_cross_entropy, F.softmax_cross_entropy_vjp
    ),
}
