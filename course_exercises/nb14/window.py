"""14.2 · A window."""

from functools import partial

import numpy as np

from course_exercises.judge import Exercise

MASKS = "14_attention#Masks: who may look where"

ex = Exercise(
    "14.2",
    "A window",
    hints=(
        "Take the places as a column `i` and as a row `j`: comparisons broadcast. What "
        "must hold for $i - j$?",
        "Not what comes: $j \\le i$. And not too far back: with `size` = 1 a token "
        "sees itself alone, so $i - j < $ `size`.",
        "Both at once: `(j <= i) & (i - j < size)`, or two triangles of `np.tri`.",
    ),
    explanation=(
        "The window is the causal triangle without a smaller one: $0 \\le i - j < $ "
        "`size`. Each row has `size` Trues, but for the first ones, which begin with "
        "less. With several blocks a token still learns of what lies further back: "
        "each block reaches `size` − 1 tokens further."
    ),
)


@ex.answer
def window_mask(n, size):
    i, j = np.arange(n)[:, None], np.arange(n)
    return (j <= i) & (i - j < size)


@ex.given
def sizes_of_masks(rng):
    return [(5, 2), (6, 3), (4, 1), (3, 8), (7, 4), (1, 1)]


@ex.right
def by_triangles(n, size):
    return np.tri(n, dtype=bool) & ~np.tri(n, k=-size, dtype=bool)


slip = partial(ex.slip, where=MASKS)

slip("one-too-many", {"i - j < size": "i - j <= size"}).says("""
    One token too many at the left end: with `size` 1 a token sees itself alone.
""")
slip("one-too-few", {"i - j < size": "i - j < size - 1"}).says("""
    One token too few: the token itself is one of the `size`. With `size` 1 your rows
    would be empty, and softmax would divide 0 by 0.
""")
slip("leaks", {"(j <= i) & (i - j < size)": "abs(i - j) < size"}).says("""
    The mask leaks: a token sees what comes after it. The window reaches back only.
""")
slip("leaks-everywhere", {"(j <= i) & ": ""}).says("""
    The mask leaks: everything that comes later may be seen. The condition on the other
    side is missing.
""")
slip("transposed", {"(j <= i) & (i - j": "(i <= j) & (j - i"}).says("""
    The mask is transposed: each token sees itself and what comes *after* it. Rows are
    the tokens that look.
""")
slip("without-itself", {"(j <= i)": "(j < i)"}).says("""
    A token does not see itself. It may, and the first one would have nothing else.
""")
slip("no-window", {" & (i - j < size)": ""}).says("""
    This is the causal mask: `size` is not used.
""")
slip("opposite", {"(j <= i) & (i - j < size)": "~((j <= i) & (i - j < size))"}).says(
    """
    True and False are exchanged. Here True means "may look"; PyTorch's module has it
    the other way round, its function as here.
"""
)
slip("further-than", {"i - j < size": "i - j >= size"}).says("""
    Exactly what lies within the window is left out: the second comparison is turned
    round.
""")
slip("from-the-left", {"i - j < size": "j < size"}).says("""
    Every token sees the first `size` tokens of the row. The window goes along with the
    token that looks.
""")
slip("blocks", {"i - j < size": "i // size == j // size"}).says("""
    The row is cut into blocks, and each token sees its own block alone. The window goes
    along with the token.
""")
slip("double", {"i - j < size": "i - j < 2 * size"}).says("""
    The window is twice as wide as it should be.
""")
slip("one-later", {"(j <= i) & (i - j": "(j <= i + 1) & (i - j"}).says("""
    The mask leaks by one: each token sees the one that comes next, which it is to
    predict.
""")
slip("ahead", {"(j <= i) & (i - j < size)": "j <= i + size"}).says("""
    The mask leaks: `size` reaches forward, and everything before may be seen. It counts
    back from the token, and what comes after is forbidden.
""")
slip("centred", {"(j <= i) & (i - j < size)": "abs(i - j) <= size // 2"}).says("""
    The window lies around the token, so half of it is what comes after: the mask leaks.
    It ends at the token.
""")
slip("from-the-right", {"i - j < size": "j >= n - size"}).says("""
    Only the last `size` tokens of the row may be seen, whoever looks. The window goes
    along with the token.
""")


@ex.wrong(MASKS)
def counted_from_the_end(n, size):
    """
    In the first rows the slice begins at a negative place. Python counts that from the
    end, so the slice is empty, and the token sees nothing. No window begins before
    place 0.
    """
    mask = np.zeros((n, n), bool)
    for i in range(n):
        mask[i, i - size + 1 : i + 1] = True
    return mask


def numbers(n, size):
    return np.tri(n) - np.tri(n, k=-size)


ex.mistake("numbers", MASKS, code=numbers).says("""
    Ones and zeros stand where they should, but they are numbers: asked for are
    booleans, and attention refuses any other mask. A comparison makes them: `mask > 0`.
""")


@ex.afterwards
def judge_kind(answer, run):
    boolean = np.asarray(run(5, 2)).dtype == np.bool_
    return None if boolean else ex.named("numbers")
