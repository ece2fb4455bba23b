"""10.3 · Clipped, and bent"""

import numpy as np

from course_exercises.judge import Exercise

CLIP = "10_vanishing_exploding#Remedy four: clipping"

ex = Exercise(
    "10.3",
    "Clipped, and bent",
    outputs=("a", "b"),
    tolerance=1e-5,
    hints=(
        "Apply the loop to (3, 4) and (0.3, 0.4) by hand. Which of the two is "
        "shortened, and what was the ratio of their lengths before and after?",
        "The direction stays if *all* entries are multiplied by the same number. "
        "So first one norm is needed, that of all entries of both arrays.",
        "The norm is $\\sqrt{\\lVert a \\rVert^2 + \\lVert b \\rVert^2}$; the "
        "factor is `max_norm` through it, but never above 1.",
    ),
    explanation=(
        "The loop makes (3, 4) five times shorter and leaves (0.3, 0.4): they stood "
        "10 to 1, and now 2 to 1, and the cosine between before and after is below 1. "
        "One norm and one factor for all keep the direction. The `1e-6` is the guard "
        "against a division by 0."
    ),
)


@ex.answer
def clipped(a, b, max_norm):
    norm = np.sqrt((a * a).sum() + (b * b).sum())
    factor = min(1, max_norm / (norm + 1e-6))
    return a * factor, b * factor


@ex.given
def clip_inputs(rng):
    fixed = [
        (np.array([3.0, 4.0]), np.array([0.3, 0.4]), 1.0),
        (np.array([0.3, 0.4]), np.array([0.6, 0.5, 0.1]), 2.0),
    ]
    drawn = [
        (rng.normal(size=(4, 3)), 5 * rng.normal(size=3), 1.0),
        (2 * rng.normal(size=(3, 3)), rng.normal(size=3), 0.5),
        (0.1 * rng.normal(size=(5, 4)), 0.1 * rng.normal(size=4), 3.0),
        (rng.normal(size=(2, 2)), rng.normal(size=2), 1.7),
    ]
    return fixed + drawn


@ex.right
def clipped_by_loop(a, b, max_norm):
    total = 0.0
    for v in [*a.flat, *b.flat]:
        total += v * v
    factor = max_norm / total**0.5 if total > max_norm**2 else 1.0
    return (factor * a).tolist(), (factor * b).tolist()


def _cut(g, norm, max_norm):
    return g * min(1, max_norm / norm)


@ex.wrong(CLIP)
def each_by_itself(a, b, max_norm):
    """Each gradient has a factor of its own, as in the loop that was shown. The long
    ones shrink, the short ones do not, and the step points elsewhere.
    """
    return tuple(_cut(g, np.linalg.norm(g), max_norm) for g in (a, b))


@ex.wrong(CLIP)
def entries(a, b, max_norm):
    """Each entry is cut by itself. That bends the direction: all entries need one
    common factor.
    """
    return np.clip(a, -max_norm, max_norm), np.clip(b, -max_norm, max_norm)


@ex.wrong(CLIP)
def always(a, b, max_norm):
    """Every gradient gets the length `max_norm`, short ones too. Clipping never makes
    anything longer.
    """
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return a * max_norm / norm, b * max_norm / norm


@ex.wrong(CLIP)
def squared(a, b, max_norm):
    """It is divided by the squared length: the root is missing."""
    norm = (a * a).sum() + (b * b).sum()
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


@ex.wrong(CLIP)
def norms_added(a, b, max_norm):
    """The two lengths are added. The length of the long vector is the root of the sum
    of *all* squared entries.
    """
    norm = np.linalg.norm(a) + np.linalg.norm(b)
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


@ex.wrong(CLIP)
def largest_norm(a, b, max_norm):
    """The longer of the two gives the length. In one long vector both count."""
    norm = max(np.linalg.norm(a), np.linalg.norm(b))
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


@ex.wrong(CLIP)
def largest_singular_value(a, b, max_norm):
    """Of a matrix, `np.linalg.norm(a, 2)` is the largest singular value. Without the 2
    it is the root of the sum of all squared entries.
    """
    norm = np.hypot(np.linalg.norm(a, 2), np.linalg.norm(b, 2))
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


@ex.wrong(CLIP)
def largest_entry(a, b, max_norm):
    """The largest entry stands for the length. A norm is the root of the sum of all
    squared entries.
    """
    norm = max(np.abs(a).max(), np.abs(b).max())
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


@ex.wrong(CLIP)
def absolute(a, b, max_norm):
    """Absolute values are summed. A norm is the root of a sum of squares."""
    norm = np.abs(a).sum() + np.abs(b).sum()
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


@ex.wrong(CLIP)
def mean(a, b, max_norm):
    """The squares are averaged. A norm is the root of their sum."""
    norm = np.sqrt(np.mean(np.concatenate([a.ravel(), b.ravel()]) ** 2))
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


@ex.wrong(CLIP)
def to_one(a, b, max_norm):
    """What is too long gets the length 1, whatever `max_norm` says."""
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return (a / norm, b / norm) if norm > max_norm else (a, b)


@ex.wrong(CLIP)
def when_over_one(a, b, max_norm):
    """The length is compared with 1. The bound is `max_norm`."""
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return (a * max_norm / norm, b * max_norm / norm) if norm > 1 else (a, b)


@ex.wrong(CLIP)
def lengthened(a, b, max_norm):
    """The larger of the two factors is taken: long gradients stay long, and short ones
    grow.
    """
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return a * max(1, max_norm / norm), b * max(1, max_norm / norm)


@ex.wrong(CLIP)
def one_after_the_other(a, b, max_norm):
    """When the second gradient is cut, the first is already shorter, so the norm is
    another one. One norm, one factor, for both.
    """
    a = _cut(a, np.hypot(np.linalg.norm(a), np.linalg.norm(b)), max_norm)
    b = _cut(b, np.hypot(np.linalg.norm(a), np.linalg.norm(b)), max_norm)
    return a, b


@ex.wrong(CLIP)
def upside_down(a, b, max_norm):
    """The factor is upside down: what is too long becomes longer."""
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return (a, b) if norm <= max_norm else (a * norm / max_norm, b * norm / max_norm)


@ex.wrong(CLIP)
def rows(a, b, max_norm):
    """Each row is cut by itself. All entries of all gradients need one common factor."""
    return tuple(
        g * np.minimum(1, max_norm / np.sqrt((g * g).sum(-1, keepdims=g.ndim > 1)))
        for g in (a, b)
    )


@ex.wrong(CLIP)
def nothing(a, b, max_norm):
    """Both come back as they are, however long they are."""
    return a, b


@ex.wrong(CLIP)
def to_unit(a, b, max_norm):
    """Both together get the length 1, always. Clipping shortens what is longer than
    `max_norm`, and leaves the rest.
    """
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return a / norm, b / norm


@ex.wrong(CLIP)
def to_half(a, b, max_norm):
    """What is too long gets half the length it may have, or is cut too early. Where
    does a factor of 2 come from?
    """
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return _cut(a, 2 * norm, max_norm), _cut(b, 2 * norm, max_norm)


@ex.wrong(CLIP)
def by_root(a, b, max_norm):
    """The root of the factor is taken. The root belongs to the sum of squares, once."""
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    factor = np.sqrt(min(1, max_norm / norm))
    return a * factor, b * factor


@ex.wrong(CLIP)
def by_first(a, b, max_norm):
    """The first gradient alone gives the length. In one long vector both count."""
    norm = np.linalg.norm(a)
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


@ex.wrong(CLIP)
def by_last(a, b, max_norm):
    """The second gradient alone gives the length. In one long vector both count."""
    norm = np.linalg.norm(b)
    return _cut(a, norm, max_norm), _cut(b, norm, max_norm)


@ex.wrong(CLIP)
def without_bound(a, b, max_norm):
    """`max_norm` is not used: what is longer than 1 gets the length 1."""
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return (a / norm, b / norm) if norm > 1 else (a, b)


@ex.wrong(CLIP)
def above(a, b, max_norm):
    """Each entry is cut from above. That bends the direction, and very negative entries
    stay as long as they are.
    """
    return np.minimum(a, max_norm), np.minimum(b, max_norm)


@ex.wrong(CLIP)
def to_double(a, b, max_norm):
    """What is too long gets twice the length it may have. Where does a factor of 2 come
    from?
    """
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return _cut(a, norm / 2, max_norm), _cut(b, norm / 2, max_norm)


@ex.wrong(CLIP)
def factor_squared(a, b, max_norm):
    """The factor is squared: `max_norm` and the norm are both lengths, and the root of
    the sum of squares is taken once.
    """
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return _cut(a, norm**2, max_norm**2), _cut(b, norm**2, max_norm**2)


@ex.wrong(CLIP)
def each_to_unit(a, b, max_norm):
    """Each gradient gets the length 1 by itself. The two need one common factor, and
    only where they are too long together.
    """
    return a / np.linalg.norm(a), b / np.linalg.norm(b)


@ex.wrong(CLIP)
def each_always(a, b, max_norm):
    """Each gradient gets the length `max_norm` by itself. The two need one common
    factor, and only where they are too long together.
    """
    return a * max_norm / np.linalg.norm(a), b * max_norm / np.linalg.norm(b)
