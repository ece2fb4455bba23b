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


SIZES = ((5, 2), (7, 3), (4, 4), (6, 1), (9, 4))


def outcomes(answer):
    """What an answer gives for each size: the output and both gradients.

    Where it gives no tensor, the kind of what it gives.
    """
    found, rng = [], np.random.default_rng(75)
    for n, m in SIZES:
        x, k = Tensor(rng.normal(size=n)), Tensor(rng.normal(size=m))
        y = answer(x, k)
        if not isinstance(y, Tensor):
            found.append(None if y is None else type(y).__name__)
            continue
        y.backward(np.cos(1 + np.arange(y.data.size)).reshape(y.shape))
        found.append((y.data, x.grad, k.grad))
    return found


def same(one, other):
    """Whether two outcomes are equal in all that they hold."""
    if one is None or other is None or one is other:
        return one is other
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    alike = np.shape(one) == np.shape(other)
    return alike and np.allclose(one, other, rtol=1e-12, atol=1e-14)


def known(found):
    """The written mistake that has these outcomes, where there is a sum at all."""
    found = [one for one, (_, m) in zip(found, SIZES, strict=True) if m > 1]
    for mistake in ex.mistakes:
        try:
            made = outcomes(mistake.code)
            made = [one for one, (_, m) in zip(made, SIZES, strict=True) if m > 1]
        except Exception:  # a wrong answer may fail in any way
            continue
        if same(made, found):
            return mistake
    return None


def longer(found, right):
    """Whether every output with a kernel of several numbers is too long."""
    pairs = [(a, b) for a, b, (_, m) in zip(found, right, SIZES, strict=True) if m > 1]
    return all(
        isinstance(a, tuple) and np.ndim(a[0]) == 1 and len(a[0]) > len(b[0])
        for a, b in pairs
    )


@ex.judged
def judge_convolution(answer, run):
    found, right = run(of=lambda: outcomes(answer)), outcomes(convolve)
    if None in found:
        return "It returns None. Is a `return` missing?"
    if same(found, right):
        return None
    if mistake := known(found):
        return mistake
    if longer(found, right):
        return ex.named("too-long")
    if kind := next((one for one in found if isinstance(one, str)), None):
        return f"What comes back is no tensor, but: {kind}."
    pairs = zip(SIZES, found, right, strict=True)
    return next(words for sizes, a, b in pairs if (words := difference(sizes, a, b)))


def difference(sizes, found, right):
    """Say in words what is wrong for a signal and a kernel of these sizes."""
    (n, m), y, wanted = sizes, found[0], right[0]
    if y.shape != wanted.shape:
        return (
            f"For a signal of {n} numbers and a kernel of {m} the output has shape "
            f"{y.shape}; expected {wanted.shape}."
        )
    if not same(y, wanted):
        i = int(np.argmax(np.abs(y - wanted)))
        return (
            f"The output is wrong: for a signal of {n} and a kernel of {m} numbers, "
            f"entry {i} is {y[i]:.6g}; expected {wanted[i]:.6g}."
        )
    for k, name in ((1, "x"), (2, "k")):
        if not same(found[k], right[k]):
            return (
                f"The output is right, the gradient of `{name}` is not. Which use of "
                f"its entries does the tape not know of?"
            )
    return ""


PRODUCT = "(x[index] @ k.reshape(m, 1)).reshape(-1)"

ex.slip("flipped", {"arange(m)": "arange(m)[::-1]"}, MOVE).says("""
    The kernel is read backwards: $x_{i-j}$ in place of $x_{i+j}$. Mathematicians call
    that a convolution; deep learning, and this exercise, mean the other one.
""")
ex.slip("too-short", {" + 1)": ")"}, MOVE).says("""
    One place is missing at the end. In how many places does a kernel of length $m$ fit
    into a signal of length $n$? Try $m = n$.
""")
ex.mistake("too-long", MOVE).says("""
    The output is too long: the kernel hangs over an end of the signal. It only visits
    places where all of it fits.
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
ex.slip("not-summed", {PRODUCT: "x[index] * k"}, REDUCE).says("""
    The products are there, not yet their sum: one number for each *place* is asked for.
""")
ex.slip("largest", {PRODUCT: "(x[index] * k).max(axis=1)"}, REDUCE).says("""
    Of the products at a place the largest is taken. The formula sums them.
""")
EVERY_OTHER_PLACE = {"len(x) - m + 1)": "0, len(x) - m + 1, 2)"}
ex.slip("every-other-place", EVERY_OTHER_PLACE, MOVE).says("""
    Only every other place is visited. The kernel moves on by one.
""")
ex.slip("signal-reversed", {"x[index]": "x[len(x) - 1 - index]"}, MOVE).says("""
    The signal is read backwards. At place $i$ stands $x_i$ under $k_0$.
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

LIST = {"return ": "return [x[i] for i in range(len(x))] or "}
ex.slip("list", LIST, MOVE).says("""
    What comes back is a list of tensors, not one tensor. Let a loop run over the
    *kernel*: then whole pieces of the signal are multiplied and added.
""")
ex.slip("cut", {PRODUCT: f"Tensor({PRODUCT}.data)"}, TENSOR).says("""
    The output is right, but the tape does not know how it was made: no gradient
    arrives. A `Tensor` made of `.data` is a leaf, and begins anew.
""")
ex.slip("signal-cut", {"x[index]": "Tensor(x.data[index])"}, TENSOR).says("""
    `x` gets no gradient: it has left the tape on the way, through `.data`. Select from
    the tensor itself.
""")
ex.slip("kernel-cut", {"k.reshape": "k.data.reshape"}, TENSOR).says("""
    `k` gets no gradient: it has left the tape on the way, through `.data`. Use the
    tensor itself.
""")


@ex.right
def by_shifts(x, k):
    n, y = len(x) - len(k) + 1, 0.0
    for j in range(len(k)):
        y = y + x[j : j + n] * k[j]
    return y


# --- in a loop over the kernel


def shifted(name, edits, where=REDUCE):
    return ex.slip(name, edits, where, of=by_shifts)


shifted("last-term", {"y + ": "0.0 + "}).says("""
    Only the last product of each place is left: every one overwrites the one before. A
    sum collects.
""")

shifted("loop-too-short", {"len(k))": "len(k) - 1)"}).says("""
    The last number of the kernel has no part in it. Where does the loop end?
""")

shifted("first-term", {"len(k))": "1)"}).says("""
    Only the first number of the kernel counts. Each place is a sum over all of it.
""")

shifted("begins-late", {"range(": "range(1, "}).says("""
    The first number of the kernel has no part in it. Where does the loop begin?
""")

shifted("kernel-stands-still", {"k[j]": "k[0]"}, MOVE).says("""
    Every piece of the signal meets the same number of the kernel. Its index has to move
    along.
""")

shifted("signal-stands-still", {"x[j : j + n]": "x[:n]"}, MOVE).says("""
    All numbers of the kernel meet the same piece of the signal. The piece has to move
    along: $x_{i+j}$.
""")

shifted("subtracted", {"y + x": "y - x"}).says("""
    The products are subtracted. The formula adds them.
""")
shifted("kernel-missing", {" * k[j]": ""}).says("""
    The kernel has no part in it: the numbers of each piece are added as they are.
""")
ex.slip("minus", {" + np.arange(m)": " - np.arange(m)"}, MOVE).says("""
    $x_{i-j}$ stands where the formula has $x_{i+j}$; and an index below 0 counts from
    the end.
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
