"""13.4 · A ring instead of a row."""

from functools import partial

import numpy as np

from course_exercises.judge import Exercise

from .shared import BACK, HAND, NO_ACTIVATION

ex = Exercise(
    "13.4",
    "A ring instead of a row",
    gradient=True,
    outputs=("grad_x", "grad_w"),
    absent={"activation-missing": NO_ACTIVATION, "at-output": NO_ACTIVATION},
    hints=(
        "`np.roll(x, 1, axis=1)` moves every pixel one place to the right, and the "
        "last one to the front. Which roll of `x` puts $x_{i+k}$ at the place $i$?",
        "Forward it is `sum(w[k] * np.roll(x, -k, axis=1) for k in range(K))`. Each "
        "summand is a product, and a roll: what undoes a roll?",
        "`grad_w[k]` is the sum of `grad_out * np.roll(x, -k, axis=1)`. For `x`, roll "
        "`grad_out * w[k]` back by `k`, and add over all $k$.",
    ),
    explanation=(
        "The way back of a roll is the roll in the other direction: what moved a "
        "pixel to the left moves its gradient to the right. So $\\partial L/\\partial "
        "x_j = \\sum_k w_k\\, g_{(j-k) \\bmod D}$, the convolution of mathematics, "
        "with the filter turned round; and as there is no border, nothing has to be "
        "padded."
    ),
)


@ex.answer
def ring_vjp(grad_out, x, w):
    grad_x, grad_w = np.zeros_like(x), np.zeros_like(w)
    for k in range(len(w)):
        grad_x += w[k] * np.roll(grad_out, k, axis=1)
        grad_w[k] = (grad_out * np.roll(x, -k, axis=1)).sum()
    return grad_x, grad_w


@ex.given
def rings(rng):
    sizes = (3, 6, 3), (2, 5, 5), (4, 7, 2), (5, 4, 3)
    return [(*rng.normal(size=(2, N, D)), rng.normal(size=K)) for N, D, K in sizes]


slip = partial(ex.slip, where=BACK)

slip("rolled-on", {"grad_out, k": "grad_out, -k"}).says("""
    For `x` the gradient is rolled in the direction of the way forward. Forward, $x_j$
    came to the place $j - k$; its gradient has to come back from there.
""")
slip("pixels-rolled-back", {"x, -k": "x, k"}).says("""
    For the weights `x` is rolled the wrong way: at the place $i$ weight $k$ met the
    pixel $i + k$.
""")
slip("both-rolled-wrong", {"grad_out, k": "grad_out, -k", "x, -k": "x, k"}).says("""
    Both rolls run the wrong way. `np.roll` with a positive number moves to the *right*:
    `np.roll(x, 1)[0]` is the last element.
""")
slip("not-rolled", {"np.roll(grad_out, k, axis=1)": "grad_out"}).says("""
    For `x` nothing is rolled back: each weight has met every pixel, but for another
    output.
""")
slip("pixels-not-rolled", {"np.roll(x, -k, axis=1)": "x"}).says("""
    For the weights, `x` is not rolled: weight $k$ met the pixel $k$ places further on.
""")
slip(
    "wrong-axis", {"k, axis=1)\n        grad_w": "k, axis=0)\n        grad_w"}
).says("""
    For `x` the examples are rolled, not the pixels of each.
""")
slip("no-axis", {"k, axis=1)\n        grad_w": "k)\n        grad_w"}).says("""
    Without an axis `np.roll` rolls the whole array as one long row: what leaves one
    example comes in at the next. Each example is a ring by itself.
""")

ex.slip("assigned", {"+=": "="}, HAND).says("""
    Only the last weight is left in the gradient of `x`. Each pixel has met all weights,
    and what they say adds.
""")


@ex.wrong(HAND)
def broadcast(grad_out, x, w):
    """`grad_w` has a row for each example. The weights are shared by all examples, so
    what comes from each of them adds.
    """
    met = [(grad_out * np.roll(x, -k, axis=1)).sum(axis=1) for k in range(len(w))]
    return ring_vjp(grad_out, x, w)[0], np.transpose(met)


ex.slip("mean-of-windows", {"axis=1)).sum()": "axis=1)).mean()"}, HAND).says("""
    For the weights a mean is taken. What comes from each use *adds*.
""")
slip("turned-for-x", {"+= w[k]": "+= w[-1 - k]"}).says("""
    For `x` the weights are read from behind, and rolled as well. One of both is enough:
    here weight $k$ goes back by $k$ places.
""")
slip("turned-for-w", {"grad_w[k]": "grad_w[-1 - k]"}).says("""
    The gradients of the weights stand in reverse order.
""")
slip("weight-missing", {"w[k] * ": ""}).says("""
    The weights are not in the gradient of `x`. A product hands to each factor the other
    one.
""")
ex.slip("first-example-only", {"axis=1)).sum()": "axis=1))[0].sum()"}, HAND).says("""
    The gradient of the weights comes from the first example alone. All examples share
    the weights.
""")


@ex.wrong(BACK)
def no_ring(grad_out, x, w):
    """What leaves on the right is lost: that is a row with zeros behind it. In a ring
    it comes in again on the left.
    """
    D, K = x.shape[1], len(w)
    wide, padded = np.zeros((len(x), D + K)), np.pad(x, ((0, 0), (0, K)))
    grad_w = np.zeros_like(w)
    for k in range(K):
        wide[:, k : k + D] += w[k] * grad_out
        grad_w[k] = (grad_out * padded[:, k : k + D]).sum()
    return wide[:, :D], grad_w


ex.slip("forward", {"np.roll(grad_out, k": "np.roll(x, -k"}, BACK).says("""
    That is the way forward: `x` stands in its own gradient. A product hands to each
    factor the other one, times the gradient that comes in.
""")
