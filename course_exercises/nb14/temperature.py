"""14.1 · A learnt temperature."""

from functools import partial

from course_exercises.judge import Exercise
from course_utils import functional as F

BY_HAND = "14_attention#A mean that chooses"
SHAPE = "14_attention#By shape"
ROOT = "14_attention#Why the scores are divided by √d"

ex = Exercise(
    "14.1",
    "A learnt temperature",
    gradient=True,
    outputs=("grad_scores", "grad_tau"),
    absent={"activation-missing": "the softmax has slips of its own"},
    hints=(
        "Give the product a name: $z = \\tau S$ and $W = \\operatorname{softmax}(z)$. "
        "What is the gradient of $z$?",
        "$dz = W \\odot (G - \\sum_j G\\,W)$, row by row. From the product: to each "
        "factor the other one. And how often is $\\tau$ used?",
        "`grad_scores` is $\\tau\\,dz$, and `grad_tau` the sum of $dz \\odot S$ over "
        "all entries: one number was used in all of them.",
    ),
    explanation=(
        "$dS = \\tau\\,dz$ and $d\\tau = \\sum_{ij} dz_{ij} S_{ij}$ with $dz = W "
        "\\odot (G - \\sum_j G\\,W)$. The same $\\tau$ stands in each entry, so its "
        "gradient is a sum over all of them. With $\\tau = 1/\\sqrt d$ the first line "
        "is that of attention."
    ),
)


@ex.answer
def temperature_vjp(grad_out, scores, tau):
    weights = F.softmax(tau * scores)
    total = (weights * grad_out).sum(axis=-1, keepdims=True)
    grad_z = weights * (grad_out - total)
    return tau * grad_z, (grad_z * scores).sum()


@ex.given
def scores_and_tau(rng):
    sizes = ((3, 4), 0.5), ((4, 4), 2.0), ((2, 5), 1.3), ((1, 3), -0.7), ((5, 2), 3.0)
    return [(rng.normal(size=s), rng.normal(size=s), tau) for s, tau in sizes]


slip = partial(ex.slip, where=SHAPE)

# --- the two factors

slip("tau-missing", {"tau * grad_z": "grad_z"}).says(r"""
    $\tau$ is missing in the gradient of the scores. A product hands to each factor the
    other one.
""")
slip("tau-divided", {"tau * grad_z": "grad_z / tau"}).says(r"""
    The gradient of the scores is divided by $\tau$. Forward they are multiplied by it,
    and so they are on the way back.
""")
slip("tau-twice", {"tau * grad_z": "tau**2 * grad_z"}).says(r"""
    $\tau$ stands twice in the gradient of the scores. It is passed once.
""")
slip("scores-missing", {"grad_z * scores": "grad_z"}).says(r"""
    In the gradient of $\tau$ the scores are missing. And without them its sum is always
    0: a constant added to a row changes nothing.
""")
slip("scaled-scores", {"grad_z * scores": "grad_z * tau * scores"}).says(r"""
    In the gradient of $\tau$ stands $\tau S$. What $\tau$ multiplies is $S$ alone.
""")
slip("assigned", {".sum()": "[-1, -1]"}).says(r"""
    The gradient of $\tau$ is that of its last use. It is used in every entry, and
    gradients add.
""")
slip("broadcast", {".sum()": ""}).says(r"""
    The gradient of $\tau$ is an array. It is one number, used in every entry: add them
    up.
""")
slip("tau-in-its-own", {"scores).sum()": "scores).sum() / tau"}).says(r"""
    The gradient of $\tau$ is divided by $\tau$. What $\tau$ multiplies is $S$, and
    nothing else stands in its gradient.
""")
slip("mean", {"scores).sum()": "scores).mean()"}).says(r"""
    The gradient of $\tau$ is a mean. What is used many times adds its gradients.
""")
slip("rows-of-tau", {"scores).sum()": "scores).sum(axis=-1)"}).says(r"""
    The gradient of $\tau$ is summed along the rows alone. All rows share the one
    number.
""")
slip("per-row", {"scores).sum()": "scores).sum() / len(scores)"}).says(r"""
    The gradient of $\tau$ is divided by the number of rows. Nothing here is a mean over
    rows.
""")

# --- the softmax

ex.slip("own-score-only", {"grad_out - total": "grad_out"}, BY_HAND).says(r"""
    Each weight hands its gradient to its own score alone. But a score changes *all*
    weights of its row: that is the $-\sum_j G\,W$.
""")
ex.slip("plain-mean", {"(weights * grad_out).sum": "grad_out.mean"}, BY_HAND).says(r"""
    The plain mean of the gradient is subtracted. It is the mean *with the weights*.
""")
ex.slip("sum-unweighted", {"(weights * grad_out)": "grad_out"}, BY_HAND).says(r"""
    The gradients of a row are added up without their weights.
""")
ex.slip("weights-missing", {"weights * (grad_out": "(grad_out"}, BY_HAND).says(r"""
    The factor $W$ in front of the bracket is missing: a score that has no weight cannot
    move anything.
""")
ex.slip(
    "elementwise", {"(grad_out - total)": "(1 - weights) * grad_out"}, BY_HAND
).says(
    r"""
    That is the slope $w(1 - w)$ of one weight by its own score, as of a sigmoid. A
    score also changes the other weights of its row.
"""
)
ex.slip("columns", {"axis=-1": "axis=0"}, BY_HAND).says(r"""
    The sum runs down the columns. Softmax works along each row.
""")
ex.slip("over-all", {".sum(axis=-1, keepdims=True)": ".sum()"}, BY_HAND).says(r"""
    The sum runs over all rows. Each row is a softmax of its own.
""")
ex.slip("added", {"grad_out - total": "grad_out + total"}, BY_HAND).says(r"""
    The mean of the row is added. A score is paid by how far its value lies *above* the
    mean.
""")
ex.slip("cold", {"softmax(tau * scores)": "softmax(scores)"}, ROOT).says(r"""
    The weights are computed without $\tau$. They are softmax$(\tau S)$.
""")
ex.slip("divided-scores", {"tau * scores)": "scores / tau)"}, ROOT).says(r"""
    The scores are divided by $\tau$. Physicists' temperature divides; this one
    multiplies.
""")
ex.slip("softmax-columns", {"tau * scores)": "tau * scores, 0)"}, ROOT).says(r"""
    The weights are a softmax down the columns. Each query, a row, shares itself out.
""")


@ex.wrong(BY_HAND)
def at_output(grad_out, scores, tau):
    """The rule of the softmax takes its *output*, the weights. Here it was given the
    scores.
    """
    grad_z = F.softmax_vjp(grad_out, tau * scores)
    return tau * grad_z, (grad_z * scores).sum()


@ex.wrong(SHAPE)
def softmax_left_out(grad_out, scores, tau):
    """The softmax is passed as if it were not there. Between the weights and the scores
    lies its rule.
    """
    return tau * grad_out, (grad_out * scores).sum()
