"""13.3 · Find the bug: more than there was."""

from functools import partial

import numpy as np

from course_exercises.judge import Exercise

from .shared import NO_ACTIVATION, POOLING

ex = Exercise(
    "13.3",
    "Find the bug: more than there was",
    gradient=True,
    absent={
        "activation-missing": NO_ACTIVATION,
        "at-output": NO_ACTIVATION,
        "assigned": "windows do not overlap, so nothing has to be added",
        "broadcast": "nothing is shared, so nothing has to be summed",
    },
    hints=(
        "Behind a ReLU whole windows are 0. How many winners has such a window, and "
        "how much does each of them get here?",
        "The first winner in the order of reading takes all. Go through the four "
        "places in this order, and remember what is left to be handed out.",
        "`x[:, i::2, j::2]` is what all windows have at the place $(i, j)$. Compare it "
        "with the largest, let it take what is left where they are equal, and subtract "
        "that from what is left.",
    ),
    explanation=(
        "Every winner got the whole gradient, so a window of four zeros made four of "
        "one. There is no derivative at a tie, and several answers are defensible, but "
        "they have to hand on *one* gradient: PyTorch's pooling gives it to the first, "
        "its `amax` in equal shares."
    ),
)


@ex.answer
def pool_vjp(grad_out, x):
    N, H, W = x.shape
    largest = x.reshape(N, H // 2, 2, W // 2, 2).max(axis=(2, 4))
    grad, left = np.zeros_like(x), grad_out.copy()
    for i in (0, 1):
        for j in (0, 1):
            share = left * (x[:, i::2, j::2] == largest)
            grad[:, i::2, j::2] = share
            left = left - share
    return grad


@ex.given
def maps(rng):
    cases = []
    for N, H, W in ((2, 4, 6), (3, 4, 4), (1, 6, 2), (4, 2, 4)):
        x = rng.integers(-2, 3, size=(N, H, W)).astype(float)
        grad_out = rng.normal(size=(N, H // 2, W // 2))
        cases.append((grad_out, np.maximum(x, 0)))  # behind a ReLU
    return cases


slip = partial(ex.slip, where=POOLING)

slip("all-winners", {"left - share": "left"}).says("""
    Each winner of a tie gets the whole gradient, so more goes down than came. Only one
    may have it: the first.
""")
slip(
    "last-winner", {"for i in (0, 1)": "for i in (1, 0)", "j in (0, 1)": "j in (1, 0)"}
)
ex.mistakes[-1].says("""
    The last winner gets everything. PyTorch takes the first in the order of reading.
""")
slip("lower-row-first", {"for i in (0, 1)": "for i in (1, 0)"}).says("""
    The lower row of a window comes first here. One reads from above.
""")
slip("right-column-first", {"for j in (0, 1)": "for j in (1, 0)"}).says("""
    In a row, the right pixel comes first here. One reads from the left.
""")


@ex.wrong(POOLING)
def shared(grad_out, x):
    """The winners of a tie share. So does `torch.amax`, and our `max` along an axis;
    PyTorch's *pooling* gives everything to the first.
    """
    N, H, W = x.shape
    cells = x.reshape(N, H // 2, 2, W // 2, 2)
    wins = cells == cells.max(axis=(2, 4), keepdims=True)
    shares = wins / wins.sum(axis=(2, 4), keepdims=True)
    return (shares * grad_out[:, :, None, :, None]).reshape(x.shape)


@ex.wrong(POOLING)
def by_columns(grad_out, x):
    """Of two winners, the upper one of the left column is taken, then the lower one:
    that is reading by columns. PyTorch reads row by row.
    """
    turned = pool_vjp(grad_out.swapaxes(1, 2), x.swapaxes(1, 2))
    return turned.swapaxes(1, 2)


slip("smallest", {".max(": ".min("}).says("""
    The smallest of each window wins here.
""")
slip("of-the-mean", {"left * (x[:, i::2, j::2] == largest)": "grad_out / 4"}).says("""
    Each pixel gets a quarter: that is the way back of the *mean*. Of a maximum, only
    the winner gets something.
""")
slip("everyone", {"left * (x[:, i::2, j::2] == largest)": "grad_out"}).says("""
    Each pixel gets everything. Only the winner of a window had a say in its maximum.
""")
slip("times-value", {"largest)\n": "largest) * largest\n"}).says("""
    What goes back is multiplied by the value of the winner. The maximum *is* its
    winner: one unit more of it is one unit more.
""")
slip("zeros-get-nothing", {"== largest)\n": "== largest) * (largest > 0)\n"}).says("""
    A window of zeros hands nothing on. That its pixels were cut by a ReLU is for the
    ReLU to say; the pooling hands on what it got.
""")


@ex.wrong(POOLING)
def four_in_a_row(grad_out, x):
    """These are not the windows: a `reshape` to four takes four pixels of one row,
    which lie side by side in memory. A window has two of each of two rows.
    """
    N, H, W = x.shape
    first = x.reshape(N, H // 2, W // 2, 4).argmax(axis=-1)
    return (np.eye(4)[first] * grad_out[..., None]).reshape(x.shape)


@ex.wrong(POOLING)
def winners_above_zero(grad_out, x):
    """Zeros get nothing, and several winners above 0 still get everything each. Ties
    are the fault, wherever they are: one winner takes all, and a 0 may be it.
    """
    N, H, W = x.shape
    cells = x.reshape(N, H // 2, 2, W // 2, 2)
    wins = (cells == cells.max(axis=(2, 4), keepdims=True)) & (cells > 0)
    return (wins * grad_out[:, :, None, :, None]).reshape(x.shape)


@ex.wrong(POOLING)
def all_above_zero(grad_out, x):
    """Every pixel above 0 gets the gradient of its window: that is the rule of the
    ReLU. Of a maximum, only the winner gets something.
    """
    return grad_out.repeat(2, axis=1).repeat(2, axis=2) * (x > 0)
