"""What several exercises of 11 share."""

from importlib import import_module

import numpy as np

from course_utils.tape import Tape
from course_utils.tensor import Tensor


class _Later:
    """PyTorch, imported when it is first asked for something."""

    def __getattr__(self, name):
        return getattr(import_module("torch"), name)


torch = _Later()


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
