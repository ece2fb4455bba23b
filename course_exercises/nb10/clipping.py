"""10.3 · Clipped, and bent."""

from functools import partial

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


@ex.right
def by_norms(a, b, max_norm):
    norm = np.hypot(np.linalg.norm(a), np.linalg.norm(b))
    return [g / max(1.0, norm / max_norm) for g in (a, b)]


FACTOR = "max(1.0, norm / max_norm)"
slip = partial(ex.slip, where=CLIP, of=by_norms)

# --- wrong ones: no common factor

slip("each-by-itself", {"norm / max": "np.linalg.norm(g) / max"}).says("""
    Each gradient has a factor of its own, as in the loop that was shown. The long ones
    shrink, the short ones do not, and the step points elsewhere.
""")


@ex.wrong(CLIP)
def entries(a, b, max_norm):
    """Each entry is cut by itself. That bends the direction: all entries need one
    common factor.
    """
    return np.clip(a, -max_norm, max_norm), np.clip(b, -max_norm, max_norm)


# --- another norm

slip("always", {FACTOR: "(norm / max_norm)"}).says("""
    Every gradient gets the length `max_norm`, short ones too. Clipping never makes
    anything longer.
""")
slip("squared", {"norm(b))": "norm(b)) ** 2"}).says("""
    It is divided by the squared length: the root is missing.
""")
slip("norms-added", {"np.hypot": "np.add"}).says("""
    The two lengths are added. The length of the long vector is the root of the sum of
    *all* squared entries.
""")
slip("largest-norm", {"np.hypot": "max"}).says("""
    The longer of the two gives the length. In one long vector both count.
""")

LARGEST_SINGULAR_VALUE = {"norm(a)": "norm(a, 2)", "norm(b)": "norm(b, 2)"}
slip("largest-singular-value", LARGEST_SINGULAR_VALUE).says("""
    Of a matrix, `np.linalg.norm(a, 2)` is the largest singular value. Without the 2 it
    is the root of the sum of all squared entries.
""")
slip(
    "largest-entry",
    {
        "np.hypot": "max",
        "norm(a)": "norm(a.ravel(), np.inf)",
        "norm(b)": "norm(b, np.inf)",
    },
).says("""
    The largest entry stands for the length. A norm is the root of the sum of all
    squared entries.
""")

ABSOLUTE = {"hypot": "add", "norm(a)": "norm(a.ravel(), 1)", "norm(b)": "norm(b, 1)"}
slip("absolute", ABSOLUTE).says("""
    Absolute values are summed. A norm is the root of a sum of squares.
""")
slip("mean", {"norm(b))": "norm(b)) / np.sqrt(a.size + b.size)"}).says("""
    The squares are averaged. A norm is the root of their sum.
""")
slip("to-one", {FACTOR: "(norm if norm > max_norm else 1)"}).says("""
    What is too long gets the length 1, whatever `max_norm` says.
""")
slip("when-over-one", {FACTOR: "(norm / max_norm if norm > 1 else 1)"}).says("""
    The length is compared with 1. The bound is `max_norm`.
""")
slip("lengthened", {"max(": "min("}).says("""
    The larger of the two factors is taken: long gradients stay long, and short ones
    grow.
""")


@ex.wrong(CLIP)
def one_after_the_other(a, b, max_norm):
    """When the second gradient is cut, the first is already shorter, so the norm is
    another one. One norm, one factor, for both.
    """
    a, _ = by_norms(a, b, max_norm)
    return a, by_norms(a, b, max_norm)[1]


slip("upside-down", {"g / max": "g * max"}).says("""
    The factor is upside down: what is too long becomes longer.
""")


@ex.wrong(CLIP)
def rows(a, b, max_norm):
    """Each row is cut by itself. All entries of all gradients need one common
    factor.
    """
    return tuple(
        g * np.minimum(1, max_norm / np.sqrt((g * g).sum(-1, keepdims=g.ndim > 1)))
        for g in (a, b)
    )


slip("nothing", {" / max(1.0, norm / max_norm)": ""}).says("""
    Both come back as they are, however long they are.
""")

SECOND = {"for g in (a, b)]": "for g in [a]] + [b]"}
slip("second-left", SECOND).says("""
    The second one comes back as it is. Both get the same factor.
""")

FIRST = {"return [": "return [a] + [", "for g in (a, b)]": "for g in [b]]"}
slip("first-left", FIRST).says("""
    The first one comes back as it is. Both get the same factor.
""")

# --- another length, or another factor

slip("to-unit", {FACTOR: "norm"}).says("""
    Both together get the length 1, always. Clipping shortens what is longer than
    `max_norm`, and leaves the rest.
""")
slip("to-half", {"norm / max": "2 * norm / max"}).says("""
    What is too long gets half the length it may have, or is cut too early. Where does a
    factor of 2 come from?
""")
slip("by-root", {"/ max_norm)": "/ max_norm) ** 0.5"}).says("""
    The root of the factor is taken. The root belongs to the sum of squares, once.
""")
slip("by-first", {"np.linalg.norm(b)": "0"}).says("""
    The first gradient alone gives the length. In one long vector both count.
""")
slip("by-last", {"np.linalg.norm(a)": "0"}).says("""
    The second gradient alone gives the length. In one long vector both count.
""")
slip("without-bound", {"norm / max_norm": "norm"}).says("""
    `max_norm` is not used: what is longer than 1 gets the length 1.
""")


@ex.wrong(CLIP)
def above(a, b, max_norm):
    """Each entry is cut from above. That bends the direction, and very negative entries
    stay as long as they are.
    """
    return np.minimum(a, max_norm), np.minimum(b, max_norm)


slip("to-double", {"norm / max": "norm / 2 / max"}).says("""
    What is too long gets twice the length it may have. Where does a factor of 2 come
    from?
""")
slip("factor-squared", {"/ max_norm)": "/ max_norm) ** 2"}).says("""
    The factor is squared: `max_norm` and the norm are both lengths, and the root of the
    sum of squares is taken once.
""")
slip("each-to-unit", {FACTOR: "np.linalg.norm(g)"}).says("""
    Each gradient gets the length 1 by itself. The two need one common factor, and only
    where they are too long together.
""")
slip("each-always", {"max(1.0, norm /": "(np.linalg.norm(g) /"}).says("""
    Each gradient gets the length `max_norm` by itself. The two need one common factor,
    and only where they are too long together.
""")
