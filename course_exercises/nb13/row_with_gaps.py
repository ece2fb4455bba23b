"""13.1 · A row with gaps."""

from functools import partial

import numpy as np

from course_exercises.judge import Exercise

from .shared import HAND, NO_ACTIVATION

ex = Exercise(
    "13.1",
    "A row with gaps",
    gradient=True,
    outputs=("grad_x", "grad_w"),
    absent={"activation-missing": NO_ACTIVATION, "at-output": NO_ACTIVATION},
    hints=(
        "Which pixels does weight $k$ meet? In window $i$ it is pixel $is + k$: every "
        "$s$-th pixel, from $k$ on. Write them as a slice.",
        "Forward, weight $k$ adds `w[k] * x[:, those]` to `y`. So it is a product: "
        "each factor gets `grad_out` times the other one.",
        "`grad_w[k]` is a sum over all examples and all windows. `grad_x` at those "
        "pixels gets `grad_out * w[k]` *added*, since other weights meet them, too.",
    ),
    explanation=(
        "For one weight after the other, the pixels it meets are a slice with the "
        "step $s$. The weight is shared, so its gradient is a sum over examples and "
        "windows; windows overlap where $s < K$, so the gradients of the pixels add "
        "up over $k$. `windows_vjp` does the same in two dimensions."
    ),
)


@ex.answer
def conv1d_vjp(grad_out, x, w, stride):
    grad_x, grad_w = np.zeros_like(x), np.zeros_like(w)
    for k in range(len(w)):
        met = slice(k, k + stride * grad_out.shape[1], stride)
        grad_x[:, met] += grad_out * w[k]
        grad_w[k] = (grad_out * x[:, met]).sum()
    return grad_x, grad_w


@ex.given
def rows(rng):
    cases = []
    for N, D, K, stride in ((3, 7, 3, 2), (4, 6, 3, 1), (2, 9, 4, 3), (5, 8, 2, 2)):
        n_windows = (D - K) // stride + 1
        grad_out, x = rng.normal(size=(N, n_windows)), rng.normal(size=(N, D))
        cases.append((grad_out, x, rng.normal(size=K), stride))
    return cases


slip = partial(ex.slip, where=HAND)

# --- what adds

slip("assigned", {"+= grad_out": "= grad_out"}).says("""
    Where windows overlap, the last one replaces what the others said. A pixel that was
    seen several times was used several times: its gradients add.
""")


@ex.wrong(HAND)
def broadcast(grad_out, x, w, stride):
    """`grad_w` has a row for each example. The weights are shared by all examples, so
    what comes from each of them adds.
    """
    grad_x, grad_w = conv1d_vjp(grad_out, x, w, stride)[0], []
    for k in range(len(w)):
        met = slice(k, k + stride * grad_out.shape[1], stride)
        grad_w.append((grad_out * x[:, met]).sum(axis=1))
    return grad_x, np.transpose(grad_w)


slip("first-window-only", {"met]).sum()": "met])[:, 0].sum()"}).says("""
    The gradient of the weights comes from the first window alone. Each weight was used
    in every window, and each use adds.
""")
slip("first-example-only", {"met]).sum()": "met])[0].sum()"}).says("""
    The gradient of the weights comes from the first example alone. All examples share
    the weights.
""")
slip("mean-of-windows", {"met]).sum()": "met]).mean()"}).says("""
    For the weights a mean is taken. What comes from each use *adds*; a mean would come
    from a loss that is one.
""")

# --- which pixels, which weights

slip("stride-forgotten", {"stride * grad_out.shape[1], stride": "grad_out.shape[1]"})
ex.mistakes[-1].says("""
    The windows are taken side by side, as with a stride of 1. Window $i$ begins at
    pixel $i s$.
""")
slip("turned-for-x", {"grad_out * w[k]": "grad_out * w[-1 - k]"}).says("""
    For `x` the weights are read from behind. Turned round is the *filter of the
    convolution* that leads back; here, weight by weight, each goes back to the pixels
    that it met.
""")
slip("turned-for-w", {"grad_w[k]": "grad_w[-1 - k]"}).says("""
    The gradients of the weights stand in reverse order.
""")
slip("weight-in-its-own", {"* x[:, met]": "* w[k]"}).says("""
    In the gradient of a weight stands the weight. A product hands to each factor the
    *other* one, and that is the pixels that it met.
""")
slip("weight-missing", {"grad_out * w[k]": "grad_out"}).says("""
    The weights are not in the gradient of `x`. A product hands to each factor the other
    one.
""")
slip("pixel-in-its-own", {"grad_out * w[k]": "grad_out * x[:, met]"}).says("""
    In the gradient of a pixel stands the pixel. A product hands to each factor the
    *other* one, and that is the weight.
""")


@ex.right
def window_by_window(grad_out, x, w, stride):
    grad_x, grad_w = np.zeros_like(x), np.zeros_like(w)
    for i in range(grad_out.shape[1]):
        window = slice(i * stride, i * stride + len(w))
        g = grad_out[:, i : i + 1]
        grad_x[:, window] += g * w
        grad_w += (g * x[:, window]).sum(axis=0)
    return grad_x, grad_w


slip("window-assigned", {"+= g * w": "= g * w"}, of=window_by_window).says("""
    Where windows overlap, the last one replaces what the others said. A pixel that was
    seen several times was used several times: its gradients add.
""")
slip("last-window-only", {"+= (g": "= (g"}, of=window_by_window).says("""
    The gradient of the weights is that of the last window. Each window adds its own.
""")


@ex.wrong(HAND)
def gaps_inside(grad_out, x, w, stride):
    """The gaps are inside the windows here: weight $k$ meets pixel $i + ks$. The stride
    lies between the windows, so it meets pixel $is + k$.
    """
    grad_x, grad_w = np.zeros_like(x), np.zeros_like(w)
    for k in range(len(w)):
        met = x[:, k * stride :][:, : grad_out.shape[1]]
        g = grad_out[:, : met.shape[1]]
        grad_x[:, k * stride :][:, : g.shape[1]] += g * w[k]
        grad_w[k] = (g * met).sum()
    return grad_x, grad_w


@ex.wrong(HAND)
def mean_where_windows_overlap(grad_out, x, w, stride):
    """Where windows overlap, a mean is taken. A pixel that was seen twice has two ways
    to the loss, and what comes on them *adds*.
    """
    grad_x, grad_w = conv1d_vjp(grad_out, x, w, stride)
    seen, _ = conv1d_vjp(np.ones_like(grad_out), x, np.ones_like(w), stride)
    return grad_x / np.maximum(seen, 1), grad_w
