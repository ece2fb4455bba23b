"""Exercises of 07_array_tape."""

import numpy as np

from course_utils import functional as F
from course_utils.tensor import Tensor

from .exercise import Exercise, Mistake

BROADCAST = "07_array_tape#A broadcast, and how to undo it"
REDUCE = "07_array_tape#From many numbers to few: sum, mean, max"
MOVE = "07_array_tape#Moving elements about: reshape, transpose, selection"
EACH = "07_array_tape#Functions of each element, and matrix products"
TENSOR = "07_array_tape#Tensor, piece by piece"
NO_ACTIVATION = "sums and copies have no derivative but 1"

# --- 07.1: the length of a row --------------------------------------------------------


def length_vjp(grad_out, x):
    y = np.sqrt((x * x).sum(axis=1))  # (N, D) -> (N,)
    return (grad_out / y)[:, None] * x  # (N, 1) * (N, D)


def length_inputs(rng):
    sizes = (2, 3), (5, 4), (3, 3), (1, 4), (6, 2)
    return [(rng.normal(size=N), rng.normal(size=(N, D))) for N, D in sizes]


def length_by_einsum(grad_out, x):
    y = np.linalg.norm(x, axis=1)
    return np.einsum("n,nd->nd", grad_out / y, x)


def length_by_loop(grad_out, x):
    return [(g * row / np.sqrt(row @ row)).tolist() for g, row in zip(grad_out, x)]  # noqa: B905


def length_on_the_tape(grad_out, x):
    t = Tensor(x)
    (t * t).sum(axis=1).sqrt().backward(grad_out)
    return t.grad


def length_without_root(grad_out, x):
    return grad_out[:, None] * 2 * x


def length_at_output(grad_out, x):
    y = np.sqrt((x * x).sum(axis=1))
    return (grad_out / np.sqrt(y))[:, None] * x


def length_by_square(grad_out, x):
    return (grad_out / (x * x).sum(axis=1))[:, None] * x


def length_outer_only(grad_out, x):
    y = np.sqrt((x * x).sum(axis=1))
    return np.broadcast_to((grad_out / (2 * y))[:, None], x.shape).copy()


def length_two_x_only(grad_out, x):
    y = np.sqrt((x * x).sum(axis=1))
    return (grad_out / y)[:, None] * x * x


def length_for_each(grad_out, x):
    return grad_out[:, None] * np.sign(x)


def length_of_all(grad_out, x):
    return grad_out[:, None] * x / np.sqrt((x * x).sum())


def length_of_columns(grad_out, x):
    return grad_out[:, None] * x / np.sqrt((x * x).sum(axis=0))


def length_times_y(grad_out, x):
    y = np.sqrt((x * x).sum(axis=1))
    return (grad_out * y)[:, None] * x


def length_forward(grad_out, x):
    return grad_out * np.sqrt((x * x).sum(axis=1))


def length_added(grad_out, x):
    return grad_out[:, None] + length_vjp(np.ones_like(grad_out), x)


def length_absolute(grad_out, x):
    return (grad_out / np.abs(x).sum(axis=1))[:, None] * x


def length_of_mean(grad_out, x):
    return (grad_out / np.sqrt((x * x).mean(axis=1)))[:, None] * x


def length_summed_first(grad_out, x):
    y = np.sqrt((x * x).sum(axis=1))
    return np.broadcast_to((grad_out * x.sum(axis=1) / y)[:, None], x.shape).copy()


# --- 07.2: running totals -------------------------------------------------------------


def cumsum_vjp(grad_out):
    return np.cumsum(grad_out[:, ::-1], axis=1)[:, ::-1]


def cumsum_inputs(rng):
    return [(rng.normal(size=s),) for s in ((2, 3), (5, 4), (3, 3), (1, 6), (4, 7))]


def cumsum_by_matrix(grad_out):
    D = grad_out.shape[1]
    return grad_out @ np.tril(np.ones((D, D)))


def cumsum_by_difference(grad_out):
    total = grad_out.sum(axis=1, keepdims=True)
    return total - np.cumsum(grad_out, axis=1) + grad_out


def cumsum_by_loops(grad_out):
    grad = np.zeros_like(grad_out)
    for n, j in np.ndindex(grad_out.shape):
        for i in range(j, grad_out.shape[1]):
            grad[n, j] += grad_out[n, i]
    return grad


def cumsum_forward(grad_out):
    return np.cumsum(grad_out, axis=1)


def cumsum_turned_once(grad_out):
    return np.cumsum(grad_out[:, ::-1], axis=1)


def cumsum_turned_after(grad_out):
    return np.cumsum(grad_out, axis=1)[:, ::-1]


def cumsum_along_rows(grad_out):
    return np.cumsum(grad_out[::-1], axis=0)[::-1]


def cumsum_without_own(grad_out):
    return cumsum_vjp(grad_out) - grad_out


def cumsum_total(grad_out):
    return np.broadcast_to(grad_out.sum(axis=1, keepdims=True), grad_out.shape).copy()


def cumsum_inverse(grad_out):
    return np.diff(grad_out, axis=1, prepend=0)


def cumsum_last_use(grad_out):
    grad = np.zeros_like(grad_out)
    for i in range(grad_out.shape[1]):
        grad[:, : i + 1] = grad_out[:, i : i + 1]
    return grad


def cumsum_own_use(grad_out):
    return grad_out.copy()


def cumsum_not_summed(grad_out):
    D = grad_out.shape[1]
    return grad_out[:, :, None] * np.tril(np.ones((D, D)))


def cumsum_counted(grad_out):
    return grad_out * np.arange(grad_out.shape[1], 0, -1)


def cumsum_before(grad_out):
    return np.cumsum(grad_out, axis=1) - grad_out


def cumsum_averaged(grad_out):
    return cumsum_vjp(grad_out) / np.arange(grad_out.shape[1], 0, -1)


def cumsum_flat(grad_out):
    return np.cumsum(grad_out[::-1, ::-1])[::-1]


def cumsum_flat_reshaped(grad_out):
    return np.cumsum(grad_out[::-1, ::-1])[::-1].reshape(grad_out.shape)


def cumsum_rows_kept(grad_out):
    return np.cumsum(grad_out[:, ::-1])[::-1].reshape(grad_out.shape)


def cumsum_inverse_behind(grad_out):
    return -np.diff(grad_out, axis=1, append=0)


def cumsum_differences(grad_out):
    return np.diff(grad_out, axis=1)


# --- 07.3: a friend's unbroadcast -----------------------------------------------------


def unbroadcast_mended(grad, shape):
    while grad.ndim > len(shape):  # new axes, in front
        grad = grad.sum(axis=0)
    stretched = tuple(i for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=stretched, keepdims=True)


def unbroadcast_inputs(rng):
    cases = [((2, 3), (3,)), ((5, 3), (5, 1)), ((2, 5, 3), (1, 3)), ((5, 3), ())]
    cases += [((5, 3), (5, 3)), ((4, 4), (1, 4)), ((2, 5, 3), (2, 1, 1))]
    return [(rng.normal(size=out), shape) for out, shape in cases]


def unbroadcast_by_formula(grad, shape):
    return F.unbroadcast(grad, shape)


def unbroadcast_by_padding(grad, shape):
    full = (1,) * (grad.ndim - len(shape)) + tuple(shape)
    for axis, (big, small) in enumerate(zip(grad.shape, full, strict=True)):
        if big != small:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad.reshape(shape)


def unbroadcast_by_adding(grad, shape):
    result = np.zeros(shape)
    places = np.broadcast_to(np.arange(result.size).reshape(shape), grad.shape)
    np.add.at(result.reshape(-1), places, grad)
    return result


def unbroadcast_found(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    return grad


def unbroadcast_from_behind(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=-1)
    stretched = tuple(i for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=stretched, keepdims=True)


def unbroadcast_stretched_only(grad, shape):
    stretched = tuple(i - len(shape) for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=stretched, keepdims=True)


def unbroadcast_averaged(grad, shape):
    right = F.unbroadcast(grad, shape)
    return right * (right.size / grad.size)


def unbroadcast_new_averaged(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.mean(axis=0)
    stretched = tuple(i for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=stretched, keepdims=True)


def unbroadcast_stretched_averaged(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    stretched = tuple(i for i, size in enumerate(shape) if size == 1)
    return grad.mean(axis=stretched, keepdims=True) if stretched else grad


def unbroadcast_one_copy(grad, shape):
    while grad.ndim > len(shape):
        grad = grad[-1]
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.take([-1], axis)
    return grad


def unbroadcast_first_copy(grad, shape):
    while grad.ndim > len(shape):
        grad = grad[0]
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.take([0], axis)
    return grad


def unbroadcast_one_axis(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            return grad.sum(axis=axis, keepdims=True)
    return grad


def unbroadcast_axis_lost(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    return grad.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1))


def unbroadcast_either_or(grad, shape):
    if grad.ndim > len(shape):
        while grad.ndim > len(shape):
            grad = grad.sum(axis=0)
        return grad
    stretched = tuple(i for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=stretched, keepdims=True)


def unbroadcast_one_new(grad, shape):
    if grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    stretched = tuple(i for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=stretched, keepdims=True)


def unbroadcast_at(place):
    def wrong(grad, shape):
        while grad.ndim > len(shape):
            grad = grad.sum(axis=0)
        if shape and shape[place] == 1:
            grad = grad.sum(axis=place, keepdims=True)
        return grad

    return wrong


def unbroadcast_all(grad, shape):
    return np.full(shape, grad.sum())


def unbroadcast_new_copy(place):
    def wrong(grad, shape):
        while grad.ndim > len(shape):
            grad = grad[place]
        stretched = tuple(i for i, size in enumerate(shape) if size == 1)
        return grad.sum(axis=stretched, keepdims=True)

    return wrong


def unbroadcast_stretched_copy(place):
    def wrong(grad, shape):
        while grad.ndim > len(shape):
            grad = grad.sum(axis=0)
        for axis, size in enumerate(shape):
            if size == 1:
                grad = grad.take([place], axis)
        return grad

    return wrong


def unbroadcast_the_others(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    others = tuple(i for i, size in enumerate(shape) if size != 1)
    return grad.sum(axis=others, keepdims=True)


def unbroadcast_cut_off(grad, shape):
    return grad.ravel()[: int(np.prod(shape))].reshape(shape)


# --- 07.4: shapes and values ----------------------------------------------------------


def grads_of_ones():
    x, y = Tensor(np.ones((3, 1))), Tensor(np.ones(4))
    (x * y * y).sum().backward()
    return x.grad.shape, x.grad[0, 0], y.grad.shape, y.grad[0]


# --- 07.5: a convolution --------------------------------------------------------------


def convolve(x, k):
    m = len(k)
    index = np.arange(len(x) - m + 1)[:, None] + np.arange(m)  # (n - m + 1, m)
    return (x[index] @ k.reshape(m, 1)).reshape(-1)


def convolve_by_sum(x, k):
    n = len(x) - len(k) + 1
    return sum((x[j : j + n] * k[j] for j in range(1, len(k))), x[:n] * k[0])


def convolve_by_product(x, k):
    index = np.arange(len(x) - len(k) + 1)[:, None] + np.arange(len(k))
    return (x[index] * k).sum(axis=1)


def convolve_flipped(x, k):
    index = np.arange(len(x) - len(k) + 1)[:, None] + np.arange(len(k))[::-1]
    return (x[index] * k).sum(axis=1)


def convolve_too_short(x, k):
    index = np.arange(len(x) - len(k))[:, None] + np.arange(len(k))
    return (x[index] * k).sum(axis=1)


def convolve_cut(x, k):
    index = np.arange(len(x) - len(k) + 1)[:, None] + np.arange(len(k))
    return Tensor((x.data[index] * k.data).sum(axis=1))


def convolve_signal_cut(x, k):
    index = np.arange(len(x) - len(k) + 1)[:, None] + np.arange(len(k))
    return (Tensor(x.data[index]) * k).sum(axis=1)


def convolve_column(x, k):
    index = np.arange(len(x) - len(k) + 1)[:, None] + np.arange(len(k))
    return x[index] @ k.reshape(len(k), 1)


def convolve_around(x, k):
    index = np.arange(len(x))[:, None] + np.arange(len(k))
    return (x[index % len(x)] * k).sum(axis=1)


def convolve_other_axis(x, k):
    index = np.arange(len(x) - len(k) + 1)[:, None] + np.arange(len(k))
    return (x[index] * k).sum(axis=0)


def convolve_averaged(x, k):
    index = np.arange(len(x) - len(k) + 1)[:, None] + np.arange(len(k))
    return (x[index] * k).mean(axis=1)


def convolve_one_number(x, k):
    index = np.arange(len(x) - len(k) + 1)[:, None] + np.arange(len(k))
    return (x[index] * k).sum()


def convolve_partly_cut(x, k):
    n = len(x) - len(k) + 1
    y = x[:n] * k[0]
    for j in range(1, len(k)):
        y = y + x[j : j + n] * k.data[j]
    return y


def convolve_arrays(x, k):
    return np.correlate(x.data, k.data, "valid")


CUT = Mistake(
    "cut",
    convolve_cut,
    "The output is right, but the tape does not know how it was made: no gradient "
    "arrives. A `Tensor` made of `.data` is a leaf, and begins anew.",
    TENSOR,
)
SIGNAL_CUT = Mistake(
    "signal-cut",
    convolve_signal_cut,
    "One of the two gets no gradient: it has left the tape on the way, through "
    "`.data`. Select from the tensor itself.",
    TENSOR,
)
FLIPPED = Mistake(
    "flipped",
    convolve_flipped,
    "The kernel is read backwards: $x_{i-j}$ in place of $x_{i+j}$. Mathematicians "
    "call that a convolution; deep learning, and this exercise, mean the other one.",
    MOVE,
)
TOO_SHORT = Mistake(
    "too-short",
    convolve_too_short,
    "One place is missing at the end. In how many places does a kernel of length $m$ "
    "fit into a signal of length $n$? Try $m = n$.",
    MOVE,
)
COLUMN = Mistake(
    "column",
    convolve_column,
    "The output is a column. A signal goes in, shape $(n,)$, and a signal is to come "
    "out.",
    MOVE,
)
AROUND = Mistake(
    "around",
    convolve_around,
    "The kernel runs over the end of the signal, so that the output is too long. It "
    "only visits places where all of it fits.",
    MOVE,
)
OTHER_AXIS = Mistake(
    "other-axis",
    convolve_other_axis,
    "The sum runs along the wrong axis: one number for each entry of the kernel. "
    "There has to be one for each *place* of the kernel.",
    REDUCE,
)
AVERAGED = Mistake(
    "averaged",
    convolve_averaged,
    "The products at a place are averaged. The formula sums them.",
    REDUCE,
)
ONE_NUMBER = Mistake(
    "one-number",
    convolve_one_number,
    "All places are added into one number. Each place of the kernel is an entry of "
    "the output.",
    REDUCE,
)
PARTLY_CUT = Mistake(
    "partly-cut",
    convolve_partly_cut,
    "The output is right, but some of its uses of an input are not on the tape, so "
    "that their gradients are missing. Does a `.data` stand in a loop?",
    TENSOR,
)
ARRAY = Mistake(
    "array",
    convolve_arrays,
    "What comes back is an array, not a `Tensor`: nobody can send a gradient back "
    "through it. Use the operations of `Tensor` alone.",
    TENSOR,
)


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
            return ARRAY
        if said := wrong_output(y.data, signal, kernel):
            return said
        if said := wrong_gradients(y, x, k, G):
            return said
    return None


def wrong_output(y, x, k):
    right = np.correlate(x, k, "valid")
    if y.shape == (len(right), 1) and np.allclose(y[:, 0], right):
        return COLUMN
    if y.shape != right.shape:
        if y.size == 1:
            return ONE_NUMBER
        if len(k) > 1 and y.shape == k.shape:
            return OTHER_AXIS
        if y.shape == (len(right) - 1,):
            return TOO_SHORT
        if y.shape == x.shape:
            return AROUND
        return f"The output has shape {y.shape}; expected {right.shape}."
    if np.allclose(y, right, rtol=1e-12, atol=1e-14):
        return None
    if np.allclose(y, np.convolve(x, k, "valid")):
        return FLIPPED
    if np.allclose(y * len(k), right):
        return AVERAGED
    i = int(np.argmax(np.abs(y - right)))
    return (
        f"The output is wrong: for a signal of {len(x)} and a kernel of {len(k)} "
        f"numbers, entry {i} is {y[i]:.6g}; expected {right[i]:.6g}."
    )


def wrong_gradients(y, x, k, G):
    y.backward(G)
    if x.grad is None and k.grad is None:
        return CUT
    if x.grad is None or k.grad is None:
        return SIGNAL_CUT
    right = {"x": np.convolve(G, k.data), "k": np.correlate(x.data, G, "valid")}
    for name, node in (("x", x), ("k", k)):
        if not np.allclose(node.grad, right[name], rtol=1e-12, atol=1e-14):
            if np.any((node.grad == 0) & (right[name] != 0)):
                return PARTLY_CUT
            return (
                f"The output is right, the gradient of `{name}` is not. Which use of "
                f"its entries does the tape not know of?"
            )
    return None


def length_by_value(grad_out, x):
    return grad_out[:, None] * np.sqrt((x**2).sum(1, keepdims=True)) * np.ones_like(x)


EXERCISES = [
    Exercise(
        number="07.1",
        title="The length of a row",
        reference=length_vjp,
        inputs=length_inputs,
        gradient=True,
        mistakes=[
            Mistake(
                "value-for-derivative",
                length_by_value,
                "What came in is multiplied by the length itself. On the way back it "
                "is the derivative that counts.",
                EACH,
            ),
            Mistake(
                "activation-missing",
                length_without_root,
                "The root is passed as if it were not there: this is the gradient of "
                "the *squared* length.",
                EACH,
            ),
            Mistake(
                "at-output",
                length_at_output,
                "The root's rule $1/2y$ wants its output `y`. Here a root of `y` is "
                "taken once more.",
                EACH,
            ),
            Mistake(
                "divided-by-square",
                length_by_square,
                "It is divided by the square of the length. Which of the two does the "
                "rule of the root, $1/2y$, ask for?",
                EACH,
            ),
            Mistake(
                "outer-only",
                length_outer_only,
                "The rule of the root is there, that of the square is not: every "
                "entry of a row gets the same.",
                EACH,
            ),
            Mistake(
                "square-for-slope",
                length_two_x_only,
                "The square itself stands where its derivative belongs.",
                EACH,
            ),
            Mistake(
                "each-alone",
                length_for_each,
                "This is the rule of $|x|$, for each number by itself. Here a *row* "
                "has one length, made of all its entries.",
                REDUCE,
            ),
            Mistake(
                "one-length",
                length_of_all,
                "It is divided by the length of the whole array. Each row has a "
                "length of its own.",
                REDUCE,
            ),
            Mistake(
                "columns",
                length_of_columns,
                "It is divided by the lengths of the columns. Without the axis put "
                "back, numbers that belong to rows stand along the columns.",
                REDUCE,
            ),
            Mistake(
                "forward",
                length_forward,
                "`grad_out` is multiplied by the length itself, where its derivative "
                "belongs; and each entry of `x` has one of its own.",
                REDUCE,
            ),
            Mistake(
                "incoming-added",
                length_added,
                "The gradient that comes in is added, where the chain rule multiplies.",
                EACH,
            ),
            Mistake(
                "absolute",
                length_absolute,
                "It is divided by the sum of the absolute values. The length is the "
                "root of the sum of the squares.",
                EACH,
            ),
            Mistake(
                "root-of-mean",
                length_of_mean,
                "The squares are averaged, where the length sums them.",
                REDUCE,
            ),
            Mistake(
                "row-summed",
                length_summed_first,
                "The entries of a row are added up, so that all of them get the same. "
                "On the way back from a sum each summand keeps its own derivative.",
                REDUCE,
            ),
            Mistake(
                "multiplied",
                length_times_y,
                "It is multiplied by the length, where the rule of the root divides.",
                EACH,
            ),
        ],
        absent={
            "assigned": "each entry is used in one length",
            "broadcast": "nothing is broadcast forward",
        },
        variants=[length_by_einsum, length_by_loop, length_on_the_tape],
        hints=(
            "Three links: square each entry, sum along the row, take the root. You "
            "know the rule of each.",
            "By index: $\\frac{\\partial y_n}{\\partial x_{nd}} = \\frac{1}{2 y_n} "
            "\\cdot 2 x_{nd}$.",
            "`grad_out` and `y` have shape $(N,)$. Divide one by the other, put the "
            "summed axis back (`[:, None]`), and multiply by `x`.",
        ),
        explanation=(
            "$\\frac{\\partial y_n}{\\partial x_{nd}} = x_{nd}/y_n$: a step along the "
            "row itself lengthens it most. The way back from the sum is a copy, and "
            "for it the axis that was summed away has to be put back."
        ),
    ),
    Exercise(
        number="07.2",
        title="Running totals",
        reference=cumsum_vjp,
        inputs=cumsum_inputs,
        gradient=True,
        mistakes=[
            Mistake(
                "assigned",
                cumsum_last_use,
                "Every $x_j$ has the gradient of its last use alone. It goes into "
                "several totals, and gradients add.",
                BROADCAST,
            ),
            Mistake(
                "broadcast",
                cumsum_not_summed,
                "These are the contributions, one for each pair of a total and an "
                "entry. What was used several times has to collect them.",
                BROADCAST,
            ),
            Mistake(
                "forward-again",
                cumsum_forward,
                "This is the running total itself. On the way back $x_j$ hears from "
                "the totals that come *after* it, not from those before.",
                REDUCE,
            ),
            Mistake(
                "turned-once",
                cumsum_turned_once,
                "The sums are right, their order is not: what was turned round has to "
                "be turned back.",
                MOVE,
            ),
            Mistake(
                "turned-after",
                cumsum_turned_after,
                "It is turned round after the running sum only. Which end does the "
                "running sum have to begin at?",
                MOVE,
            ),
            Mistake(
                "other-axis",
                cumsum_along_rows,
                "The sum runs from row to row. The examples know nothing of each "
                "other; the totals ran along each row.",
                REDUCE,
            ),
            Mistake(
                "own-left-out",
                cumsum_without_own,
                "The total that ends at $x_j$ itself is left out: $j \\le i$ contains "
                "$i = j$.",
                REDUCE,
            ),
            Mistake(
                "all-totals",
                cumsum_total,
                "Every entry hears from all totals. $x_j$ goes into those with "
                "$i \\ge j$ only.",
                REDUCE,
            ),
            Mistake(
                "inverse",
                cumsum_inverse,
                "Differences undo a running total. The way back of a gradient is not "
                "the inverse of the function; it is the transposed Jacobian.",
                "05_vectorized_backprop#One form for every rule: the vjp",
            ),
            Mistake(
                "inverse-from-behind",
                cumsum_inverse_behind,
                "Differences of neighbours undo a sum. A vjp undoes nothing: it adds "
                "up what comes back from every use.",
                BROADCAST,
            ),
            Mistake(
                "differences",
                cumsum_differences,
                "Differences undo a running total, and there is one too few of them. "
                "The way back of a gradient is not the inverse of the function.",
                "05_vectorized_backprop#One form for every rule: the vjp",
            ),
            Mistake(
                "those-before",
                cumsum_before,
                "The totals *before* $x_j$ are added up. It goes into its own and into "
                "those after it.",
                REDUCE,
            ),
            Mistake(
                "averaged",
                cumsum_averaged,
                "The gradients of the totals are averaged. Gradients of several uses "
                "add.",
                BROADCAST,
            ),
            Mistake(
                "no-axis",
                cumsum_flat,
                "Without an axis, NumPy runs through all rows as if they were one. The "
                "examples know nothing of each other.",
                REDUCE,
            ),
            Mistake(
                "rows-as-one",
                cumsum_flat_reshaped,
                "The sum runs on from one row into the next. The examples know nothing "
                "of each other: which axis does it run along?",
                REDUCE,
            ),
            Mistake(
                "rows-mixed",
                cumsum_rows_kept,
                "The sum runs on from one row into the next, and the rows are turned "
                "round with it. Which axis does it run along?",
                REDUCE,
            ),
            Mistake(
                "own-only",
                cumsum_own_use,
                "Each entry hears only from the total that stands in its own place.",
                REDUCE,
            ),
            Mistake(
                "counted",
                cumsum_counted,
                "You counted how many totals an entry goes into, and multiplied its "
                "own gradient by that. But each of these totals has a gradient of its "
                "own.",
                BROADCAST,
            ),
        ],
        absent={
            "activation-missing": NO_ACTIVATION,
            "at-output": NO_ACTIVATION,
        },
        variants=[cumsum_by_matrix, cumsum_by_difference, cumsum_by_loops],
        hints=(
            "Write the totals of a row of three: $y_0 = x_0$, $y_1 = x_0 + x_1$, "
            "$y_2 = x_0 + x_1 + x_2$. Which of them contain $x_1$?",
            "$dx_j = \\sum_{i \\ge j} G_i$: a running sum that begins at the end.",
            "`grad_out[:, ::-1]` turns the rows round. Sum, and turn back.",
        ),
        explanation=(
            "$x_j$ goes into every $y_i$ with $i \\ge j$, each time with the factor 1, "
            "so $dx_j = \\sum_{i \\ge j} G_i$: a running total from the other end. The "
            "Jacobian is a triangle of ones, and the vjp multiplies by its transpose."
        ),
    ),
    Exercise(
        number="07.3",
        title="A friend undoes broadcasts",
        reference=unbroadcast_mended,
        inputs=unbroadcast_inputs,
        gradient=True,
        mistakes=[
            Mistake(
                "broadcast",
                unbroadcast_found,
                "New axes are summed, stretched ones are not: an axis of length 1 is "
                "copied as well. This is the code as it was found.",
                BROADCAST,
            ),
            Mistake(
                "new-from-behind",
                unbroadcast_from_behind,
                "NumPy puts new axes in *front*. Here they are taken away from behind.",
                BROADCAST,
            ),
            Mistake(
                "stretched-only",
                unbroadcast_stretched_only,
                "The stretched axes are summed, the new ones are not any more.",
                BROADCAST,
            ),
            Mistake(
                "averaged",
                unbroadcast_averaged,
                "The copies are averaged. Every copy gives its share, and gradients "
                "add.",
                BROADCAST,
            ),
            Mistake(
                "new-averaged",
                unbroadcast_new_averaged,
                "The new axes are averaged, the others summed. A copy is a copy: "
                "gradients add.",
                BROADCAST,
            ),
            Mistake(
                "stretched-averaged",
                unbroadcast_stretched_averaged,
                "The stretched axes are averaged, the others summed. A copy is a copy: "
                "gradients add.",
                BROADCAST,
            ),
            Mistake(
                "assigned",
                unbroadcast_one_copy,
                "Only the last copy counts; all others leave no trace.",
                BROADCAST,
            ),
            Mistake(
                "first-copy",
                unbroadcast_first_copy,
                "Only the first copy counts; all others leave no trace.",
                BROADCAST,
            ),
            Mistake(
                "one-axis",
                unbroadcast_one_axis,
                "Only the first of the stretched axes is summed. There may be several: "
                "does a `return` stand inside the loop?",
                BROADCAST,
            ),
            Mistake(
                "either-or",
                unbroadcast_either_or,
                "Where there are new axes, the stretched ones are not summed. Are they "
                "left alone then, or looked up by numbers that mean other axes as long "
                "as the new ones stand in front?",
                BROADCAST,
            ),
            Mistake(
                "one-new",
                unbroadcast_one_new,
                "Only one new axis is summed. There may be several: an `if` does once "
                "what a `while` does as often as needed.",
                BROADCAST,
            ),
            Mistake(
                "first-axis-only",
                unbroadcast_at(0),
                "Only the first axis is looked at. Any axis of length 1 may have been "
                "stretched.",
                BROADCAST,
            ),
            Mistake(
                "last-axis-only",
                unbroadcast_at(-1),
                "Only the last axis is looked at. Any axis of length 1 may have been "
                "stretched.",
                BROADCAST,
            ),
            Mistake(
                "all-summed",
                unbroadcast_all,
                "Everything is added up. Sum only over what was copied.",
                BROADCAST,
            ),
            Mistake(
                "new-first-copy",
                unbroadcast_new_copy(0),
                "Of a new axis, only the first copy counts. All copies give a share, "
                "and gradients add.",
                BROADCAST,
            ),
            Mistake(
                "new-last-copy",
                unbroadcast_new_copy(-1),
                "Of a new axis, only the last copy counts. All copies give a share, "
                "and gradients add.",
                BROADCAST,
            ),
            Mistake(
                "stretched-first-copy",
                unbroadcast_stretched_copy(0),
                "Of a stretched axis, only the first copy counts. All copies give a "
                "share, and gradients add.",
                BROADCAST,
            ),
            Mistake(
                "stretched-last-copy",
                unbroadcast_stretched_copy(-1),
                "Of a stretched axis, only the last copy counts. All copies give a "
                "share, and gradients add.",
                BROADCAST,
            ),
            Mistake(
                "the-others",
                unbroadcast_the_others,
                "The axes that were *not* stretched are summed. Which length says that "
                "an axis was copied?",
                BROADCAST,
            ),
            Mistake(
                "cut-off",
                unbroadcast_cut_off,
                "The shape is made to fit by leaving numbers away. What was copied has "
                "to collect them all.",
                BROADCAST,
            ),
            Mistake(
                "axis-lost",
                unbroadcast_axis_lost,
                "The sums are right, the shape is not: a stretched axis has length 1 "
                "afterwards, and does not go away. What does `keepdims` do?",
                REDUCE,
            ),
        ],
        absent={
            "activation-missing": NO_ACTIVATION,
            "at-output": NO_ACTIVATION,
        },
        variants=[
            unbroadcast_by_formula,
            unbroadcast_by_padding,
            unbroadcast_by_adding,
        ],
        hints=(
            "Go through the table under *By shape*. For which row does the friend's "
            "function give another shape than that of the input?",
            "NumPy copies in two ways: it puts new axes in front, and it stretches "
            "axes of length 1. The loop knows of one.",
            "After the loop, `grad` and `shape` have equally many axes. Where `shape` "
            "has a 1, sum over that axis and keep it: `keepdims=True`.",
        ),
        explanation=(
            "The loop undoes new axes and forgets stretched ones: for `(5, 1)` the "
            "gradient keeps the shape `(5, 3)`, and the update makes a matrix of the "
            "column. With biases of shape `(3,)` nobody notices. The mend sums over "
            "all axes where `shape` has a 1, and keeps them."
        ),
    ),
    Exercise(
        number="07.4",
        title="Predict: a column times a row, twice",
        reference=grads_of_ones,
        outputs=("shape of x.grad", "its entries", "shape of y.grad", "their value"),
        mistakes=[
            Mistake(
                "number-first",
                lambda: (4, (3, 1), 6, (4,)),
                "A shape and a number have changed places: each shape comes before its "
                "number.",
                BROADCAST,
            ),
            Mistake(
                "number-for-shape",
                lambda: (3, 4, 4, 6),
                "This is a number. A shape is a tuple; with one axis it is written "
                "with a comma, such as `(5,)`.",
                BROADCAST,
            ),
            Mistake(
                "not-undone",
                lambda: ((3, 4), 1, (3, 4), 2),
                "This is the gradient before the broadcast is undone. A gradient has "
                "the shape of its data, and an entry collects from all its copies.",
                BROADCAST,
            ),
            Mistake(
                "used-once",
                lambda: ((3, 4), 1, (4,), 3),
                "`y` is used twice in each product, so its entries hear twice from "
                "each row.",
                "01_chain_rule#Forks add",
            ),
            Mistake(
                "copies-exchanged",
                lambda: ((3,), 3, (1, 4), 8),
                "The shape is that of the data, axis for axis. And count the copies: "
                "`x` is copied along its axis of length 1, `y` into new rows; an entry "
                "hears from as many copies as there are.",
                BROADCAST,
            ),
            Mistake(
                "shapes-exchanged",
                lambda: ((4,), 6, (3, 1), 4),
                "This belongs to the other one of the two.",
                BROADCAST,
            ),
            Mistake(
                "all-summed",
                lambda: ((), 12, (), 24),
                "This is the sum over all entries of the product. Each entry collects "
                "only from its own copies.",
                BROADCAST,
            ),
            Mistake(
                "twice-for-x",
                lambda: ((1, 3), 8, (4, 1), 12),
                "Count the uses once more: `x` is used once in each product, `y` "
                "twice; and there are three rows and four columns.",
                BROADCAST,
            ),
        ],
        hints=(
            "The product has the shape $(3, 4)$. How often does one entry of `x` stand "
            "in it, and how often one entry of `y`?",
            "A gradient has the shape of its data. Its entries are sums over the "
            "copies.",
            "By index: $L = \\sum_{ij} x_i y_j^2$. Differentiate for $x_i$, and for "
            "$y_j$, with all numbers 1.",
        ),
        explanation=(
            "$L = \\sum_{ij} x_i y_j^2$, so $dx_i = \\sum_j y_j^2 = 4$ and "
            "$dy_j = \\sum_i 2 x_i y_j = 6$. The shapes are those of the data, "
            "$(3, 1)$ and $(4,)$: the sums over the copies are what `unbroadcast` does."
        ),
    ),
    Exercise(
        number="07.5",
        title="A convolution without a new rule",
        reference=convolve,
        judge=judge_convolution,
        mistakes=[
            FLIPPED,
            TOO_SHORT,
            COLUMN,
            AROUND,
            OTHER_AXIS,
            AVERAGED,
            ONE_NUMBER,
            ARRAY,
            CUT,
            SIGNAL_CUT,
            PARTLY_CUT,
        ],
        variants=[convolve_by_sum, convolve_by_product],
        hints=(
            "Line up the pieces of the signal under each other: row $i$ holds "
            "$x_i, x_{i+1}, \\dots, x_{i+m-1}$. Each row times the kernel is one entry "
            "of the output.",
            "An index array selects all rows at once: "
            "`np.arange(n - m + 1)[:, None] + np.arange(m)`.",
            "`x[index]` is a tensor of shape $(n - m + 1, m)$. Multiply by the kernel "
            "and sum along each row.",
        ),
        explanation=(
            "Selection, product and sum have rules, so their chain has one. Each $x_i$ "
            "is selected up to $m$ times, and `np.add.at` in the rule of the selection "
            "adds up what comes back. Written as one fused operation, the tape would "
            "not keep the $(n - m + 1, m)$ copies of the signal."
        ),
    ),
]
