"""14.5 · Open challenge: attention in pieces."""

from functools import partial

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

CHOOSES = "14_attention#A mean that chooses"
ROOT = "14_attention#Why the scores are divided by √d"

ex = Exercise(
    "14.5",
    "Open challenge: attention in pieces",
    hints=(
        "Softmax is a quotient: $\\sum_j e^{s_j} v_j$ over $\\sum_j e^{s_j}$. Both are "
        "sums, and can be gathered piece by piece; divide at the end.",
        "So that nothing overflows, keep $e^{s_j - m}$ with $m$ the largest score *so "
        "far*, for each query. When a larger one comes, what was summed with the old "
        "$m$ is too large by $e^{m_\\text{new} - m_\\text{old}}$.",
        "Begin with $m = -\\infty$ and sums of 0. For each block: new $m$; multiply "
        "both sums by $e^{m_\\text{old} - m}$; add those of the block.",
    ),
    explanation=(
        "$e^{s - m}$ changes by a factor when $m$ does, the same one above and below. "
        "So both sums are corrected by $e^{m_\\text{old} - m_\\text{new}}$ whenever a "
        "larger score turns up. This is the heart of FlashAttention: the table of "
        "weights is never there as a whole."
    ),
)


@ex.answer
def attend_in_pieces(q, blocks):
    m, above, below = -np.inf, 0.0, 0.0
    for k, v in blocks:
        s = q @ k.T / np.sqrt(q.shape[1])
        new = np.maximum(m, s.max(axis=1, keepdims=True))
        e = np.exp(s - new)
        above = above * np.exp(m - new) + e @ v
        below = below * np.exp(m - new) + e.sum(axis=1, keepdims=True)
        m = new
    return above / below


@ex.given
def queries_and_blocks(rng):
    cases = []
    for scale, sizes in ((1, (2, 3)), (1, (4, 1, 2)), (20, (3, 3)), (30, (1, 2, 3))):
        q = scale * rng.normal(size=(3, 4))
        blocks = [(rng.normal(size=(n, 4)), rng.normal(size=(n, 2))) for n in sizes]
        cases.append((q, blocks))
    large = np.array([[1000.0], [-1000.0]])
    keys = np.array([[1.0], [2.0]]), np.array([[3.0]])
    values = np.array([[1.0], [2.0]]), np.array([[7.0]])
    blocks = list(zip(keys, values, strict=True))
    return [*cases, (large, blocks), (large, blocks[::-1])]


@ex.called
def one_after_the_other(answer, q, blocks):
    return answer(q, iter(blocks))


@ex.right
def all_at_once(q, blocks):
    k, v = (np.concatenate(part) for part in zip(*blocks, strict=True))
    return F.scaled_dot_product_attention(q, k, v)


slip = partial(ex.slip, where=CHOOSES)

slip("not-corrected", {"above * np.exp(m - new)": "above"}).says("""
    The numerator keeps its old maximum while the denominator takes the new one. Both
    are to be corrected.
""")
slip("denominator", {"below * np.exp(m - new)": "below"}).says("""
    The denominator keeps its old maximum while the numerator takes the new one. Both
    are to be corrected.
""")
slip(
    "neither",
    {"above * np.exp(m - new)": "above", "below * np.exp(m - new)": "below"},
).says("""
    Each block is summed with a maximum of its own, and nothing is corrected: blocks
    with small scores then count as much as those with large ones.
""")
ex.slip("root-missing", {" / np.sqrt(q.shape[1])": ""}, ROOT).says(r"""
    The scores are not divided by $\sqrt d$.
""")
ex.slip("root-of-the-keys", {"q.shape[1]": "len(k)"}, ROOT).says(r"""
    The scores are divided by the root of the number of keys. $d$ is the size of a key,
    the number of columns.
""")
ex.slip("divided-by-d", {"np.sqrt(q.shape[1])": "q.shape[1]"}, ROOT).says(r"""
    The scores are divided by $d$. It is its root.
""")


@ex.wrong(CHOOSES)
def mean_of_blocks(q, blocks):
    """Each block is a softmax of its own, and their answers are averaged. A block in
    which nothing fits should count little.
    """
    return np.mean([F.scaled_dot_product_attention(q, k, v) for k, v in blocks], 0)


@ex.wrong(CHOOSES)
def sum_of_blocks(q, blocks):
    """Each block is a softmax of its own, and their answers are added. All weights of a
    query together make 1.
    """
    return sum(F.scaled_dot_product_attention(q, k, v) for k, v in blocks)


@ex.wrong(CHOOSES)
def overflows(q, blocks):
    """It overflows: $e^s$ is taken as it is. The largest score so far has to be
    subtracted.
    """
    above = below = 0.0
    with np.errstate(all="ignore"):
        for k, v in blocks:
            e = np.exp(q @ k.T / np.sqrt(q.shape[1]))
            above, below = above + e @ v, below + e.sum(axis=1, keepdims=True)
        return above / below


@ex.wrong(CHOOSES)
def last_block(q, blocks):
    """Only the last block is there. What was summed before has to be kept."""
    for k, v in blocks:
        y = F.scaled_dot_product_attention(q, k, v)
    return y


@ex.wrong(CHOOSES)
def first_block(q, blocks):
    """Only the first block is there: the others were not asked."""
    k, v = next(iter(blocks))
    return F.scaled_dot_product_attention(q, k, v)


slip(
    "block-maximum",
    {"np.maximum(m, s.max(axis=1, keepdims=True))": "s.max(axis=1, keepdims=True)"},
).says("""
    The maximum is that of the last block, not the largest *so far*. Where it falls, the
    sums are multiplied by something large, and overflow.
""")
slip("one-maximum", {"s.max(axis=1, keepdims=True)": "s.max()"}).says("""
    One maximum serves all queries. A query whose scores all lie far below it has only
    zeros left: each query needs its own.
""")
slip("not-divided", {"above / below": "above"}).says("""
    The sum of the values is not divided by that of the weights. Shares add up to 1.
""")


@ex.wrong(CHOOSES)
def first_maximum(q, blocks):
    """The maximum of the first block serves all of them. A later block may have far
    larger scores, and overflow.
    """
    m, above, below = None, 0.0, 0.0
    with np.errstate(all="ignore"):
        for k, v in blocks:
            s = q @ k.T / np.sqrt(q.shape[1])
            m = s.max(axis=1, keepdims=True) if m is None else m
            e = np.exp(s - m)
            above, below = above + e @ v, below + e.sum(axis=1, keepdims=True)
        return above / below


@ex.wrong(CHOOSES)
def by_length(q, blocks):
    """Each block counts by its number of keys. It should count by what its keys are
    worth to the query, the sum of its $e^s$.
    """
    pairs = [(len(k), F.scaled_dot_product_attention(q, k, v)) for k, v in blocks]
    return sum(n * y for n, y in pairs) / sum(n for n, _ in pairs)
