"""07.5 · A convolution without a new rule."""

import numpy as np

from course_exercises.judge import Exercise
from course_utils.tensor import Tensor

REDUCE = "07_array_tape#From many numbers to few: sum, mean, max"
MOVE = "07_array_tape#Moving elements about: reshape, transpose, selection"
TENSOR = "07_array_tape#Tensor, piece by piece"

ex = Exercise(
    "07.5",
    "A convolution without a new rule",
    hints=(
        "Line up the pieces of the signal under each other: row $i$ holds $x_i, "
        r"x_{i+1}, \dots, x_{i+m-1}$. Each row times the kernel is one entry of the "
        "output.",
        "An index array selects all rows at once: `np.arange(n - m + 1)[:, None] + "
        "np.arange(m)`.",
        "`x[index]` is a tensor of shape $(n - m + 1, m)$. Multiply by the kernel and "
        "sum along each row.",
    ),
    explanation=(
        "Selection, product and sum have rules, so their chain has one. Each $x_i$ is "
        "selected up to $m$ times, and `np.add.at` in the rule of the selection adds "
        "up what comes back. Written as one fused operation, the tape would not keep "
        "the $(n - m + 1, m)$ copies of the signal."
    ),
)


@ex.answer
def convolve(x, k):
    m = len(k)
    index = np.arange(len(x) - m + 1)[:, None] + np.arange(m)  # (n - m + 1, m)
    return (x[index] @ k.reshape(m, 1)).reshape(-1)


@ex.judged
def judge_convolution(answer, run):
    def on_tensors(x, k):
        x, k = Tensor(x), Tensor(k)
        return answer(x, k), x, k

    rng = np.random.default_rng(75)
    for n, m in ((5, 2), (7, 3), (4, 4), (6, 1)):
        signal, kernel = rng.normal(size=n), rng.normal(size=m)
        G = rng.normal(size=n - m + 1)
        y, x, k = run(signal, kernel, of=on_tensors)
        if y is None:
            return "It returns None. Is a `return` missing?"
        if not isinstance(y, Tensor):
            return ex.named("array")
        if said := wrong_output(y.data, signal, kernel):
            return said
        if said := wrong_gradients(y, x, k, G):
            return said
    return None


def wrong_output(y, x, k):
    right = np.correlate(x, k, "valid")
    if y.shape == (len(right), 1) and np.allclose(y[:, 0], right):
        return ex.named("column")
    if y.shape != right.shape:
        if y.size == 1:
            return ex.named("one-number")
        if len(k) > 1 and y.shape == k.shape:
            return ex.named("other-axis")
        if y.shape == (len(right) - 1,):
            return ex.named("too-short")
        if y.shape == x.shape:
            return ex.named("around")
        return f"The output has shape {y.shape}; expected {right.shape}."
    if np.allclose(y, right, rtol=1e-12, atol=1e-14):
        return None
    if np.allclose(y, np.convolve(x, k, "valid")):
        return ex.named("flipped")
    if np.allclose(y * len(k), right):
        return ex.named("averaged")
    i = int(np.argmax(np.abs(y - right)))
    return (
        f"The output is wrong: for a signal of {len(x)} and a kernel of {len(k)} "
        f"numbers, entry {i} is {y[i]:.6g}; expected {right[i]:.6g}."
    )


def wrong_gradients(y, x, k, G):
    y.backward(G)
    if x.grad is None and k.grad is None:
        return ex.named("cut")
    if x.grad is None or k.grad is None:
        return ex.named("signal-cut")
    right = {"x": np.convolve(G, k.data), "k": np.correlate(x.data, G, "valid")}
    for name, node in (("x", x), ("k", k)):
        if not np.allclose(node.grad, right[name], rtol=1e-12, atol=1e-14):
            if np.any((node.grad == 0) & (right[name] != 0)):
                return ex.named("partly-cut")
            return (
                f"The output is right, the gradient of `{name}` is not. Which use of "
                f"its entries does the tape not know of?"
            )
    return None


PRODUCT = "(x[index] @ k.reshape(m, 1)).reshape(-1)"

ex.slip("flipped", {"arange(m)": "arange(m)[::-1]"}, MOVE).says("""
    The kernel is read backwards: $x_{i-j}$ in place of $x_{i+j}$. Mathematicians call
    that a convolution; deep learning, and this exercise, mean the other one.
""")

ex.slip("too-short", {" + 1)": ")"}, MOVE).says("""
    One place is missing at the end. In how many places does a kernel of length $m$ fit
    into a signal of length $n$? Try $m = n$.
""")

ex.slip("column", {".reshape(-1)": ""}, MOVE).says("""
    The output is a column. A signal goes in, shape $(n,)$, and a signal is to come out.
""")

ex.slip("around", {" - m + 1)": ")", "[index]": "[index % len(x)]"}, MOVE).says("""
    The kernel runs over the end of the signal, so that the output is too long. It only
    visits places where all of it fits.
""")

ex.slip("other-axis", {PRODUCT: "(x[index] * k).sum(axis=0)"}, REDUCE).says("""
    The sum runs along the wrong axis: one number for each entry of the kernel. There
    has to be one for each *place* of the kernel.
""")

ex.slip("averaged", {PRODUCT: "(x[index] * k).mean(axis=1)"}, REDUCE).says("""
    The products at a place are averaged. The formula sums them.
""")

ex.slip("one-number", {".reshape(-1)": ".sum()"}, REDUCE).says("""
    All places are added into one number. Each place of the kernel is an entry of the
    output.
""")

ex.slip("array", {"(-1)": "(-1).data"}, TENSOR).says("""
    What comes back is an array, not a `Tensor`: nobody can send a gradient back through
    it. Use the operations of `Tensor` alone.
""")

ex.slip("cut", {PRODUCT: f"Tensor({PRODUCT}.data)"}, TENSOR).says("""
    The output is right, but the tape does not know how it was made: no gradient
    arrives. A `Tensor` made of `.data` is a leaf, and begins anew.
""")

ex.slip("signal-cut", {"x[index]": "Tensor(x.data[index])"}, TENSOR).says("""
    One of the two gets no gradient: it has left the tape on the way, through `.data`.
    Select from the tensor itself.
""")


@ex.wrong(TENSOR)
def partly_cut(x, k):
    """The output is right, but some of its uses of an input are not on the tape, so
    that their gradients are missing. Does a `.data` stand in a loop?
    """
    n = len(x) - len(k) + 1
    y = x[:n] * k[0]
    for j in range(1, len(k)):
        y = y + x[j : j + n] * k.data[j]
    return y
