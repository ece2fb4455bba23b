"""What several exercises of 10 share."""

from course_exercises.judge import Mistake

NORM = "10_vanishing_exploding#Remedy three, continued: layer normalisation"


def norm_inputs(rng):
    sizes = (3, 4), (4, 4), (5, 3), (7, 2), (4, 6)
    return [
        (
            rng.normal(size=(N, D)),
            1 + 2 * rng.normal(size=(N, D)),
            rng.normal(size=D),
            eps,
        )
        for (N, D), eps in zip(sizes, (1e-5, 0.1, 1e-5, 0.3, 0.5), strict=True)
    ]


def norm_mistakes(tempting, not_summed, assigned, axis_word):
    return [
        Mistake(
            "tempting",
            tempting,
            "The denominator is treated as a constant. But each entry changes it, and "
            "with it all that is divided by it: a second path for the gradient.",
            NORM,
        ),
        Mistake(
            "broadcast",
            not_summed,
            f"What belongs to `gamma` is not summed. It is shared by all {axis_word}, "
            "so its gradient collects from all of them.",
            NORM,
        ),
        Mistake("assigned", assigned, where=NORM),
    ]
