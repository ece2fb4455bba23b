"""09.2 · Two networks, the same pictures."""

from functools import partial

import numpy as np

from course_exercises.judge import Exercise

SPOILT = "09_training_mnist#Three ways to spoil a number"

ex = Exercise(
    "09.2",
    "Two networks, the same pictures",
    outputs=("lead", "error"),
    n=lambda right_a, right_b: len(right_a),
    hints=(
        "Where both networks are right, or both wrong, the picture says nothing about "
        "the difference: $d_i = 0$.",
        "The variance of the $d_i$ is the mean of their squares minus the square of "
        "their mean. What is $d_i^2$, if $d_i$ is 1, −1 or 0?",
        "A mean of $n$ numbers has an $n$-th of their variance, and the standard error "
        "is the root of that.",
    ),
    explanation=(
        "With $m$ pictures that only one of the two gets right, the mean square is "
        "$m/n$, and the error $\\sqrt{(m/n - \\text{lead}^2)/n}$. Pictures that are "
        "easy or hard for both drop out, so it is mostly smaller than for two "
        "independent sets of pictures."
    ),
)


@ex.answer
def paired(right_a, right_b):
    n = len(right_a)
    d = right_a - right_b
    lead = d.mean()
    error = np.sqrt((np.mean(d**2) - lead**2) / n)
    return lead, error


@ex.given
def paired_inputs(rng):
    def answers(n, hard):
        # Hard for both, or not: the two are right together more often than by chance.
        easy = rng.random(n) > hard
        return [1.0 * (rng.random(n) < np.where(easy, p, 0.4)) for p in (0.95, 0.8)]

    return [tuple(answers(n, hard)) for n, hard in ((40, 0.3), (25, 0.5), (60, 0.2))]


@ex.right
def paired_by_counts(right_a, right_b):
    n = len(right_a)
    only_a = np.sum((right_a == 1) & (right_b == 0))
    only_b = np.sum((right_a == 0) & (right_b == 1))
    lead = (only_a - only_b) / n
    return lead, ((only_a + only_b) / n - lead**2) ** 0.5 / n**0.5


slip = partial(ex.slip, where=SPOILT)
VARIANCE = "(np.mean(d**2) - lead**2)"
ERROR = f"np.sqrt({VARIANCE} / n)"

# --- the lead

slip("reversed", {"right_a - right_b": "right_b - right_a"}).says("""
    The sign is turned round: it is positive where `b` is ahead. Asked for is the lead
    of `a`.
""")
slip("distance", {"lead = d.mean()": "lead = abs(d.mean())"}).says("""
    The sign of the lead is gone. It is negative where `b` is ahead.
""")
slip("counted", {"return lead": "return lead * n"}).says("""
    The lead is a number of pictures. Divide it by how many there are.
""")
slip("in-per-cent", {"return lead, error": "return 100 * lead, 100 * error"}).says("""
    Both numbers are in per cent. Here they are shares.
""")
slip("only-a", {"d = right_a - right_b": "d = right_a * (1 - right_b)"}).says("""
    Pictures that only `b` gets right are left out: there $d_i$ is −1, and not 0.
""")
slip("disagreement", {"right_a - right_b": "abs(right_a - right_b)"}).says("""
    $d_i$ has lost its sign: where only `b` is right it is −1.
""")
slip("a-alone", {"right_a - right_b": "right_a"}).says("""
    This is the accuracy of `a`, and its standard error. `b` does not occur.
""")

# --- the error

TWO = "(np.var(right_a) + np.var(right_b))"
slip("independent", {VARIANCE: TWO}).says("""
    The error is that of two *independent* sets of pictures. Here both answered the same
    ones, and those on which they agree drop out: take the variance of the $d_i$.
""")
slip("square-missing", {VARIANCE: "np.mean(d**2)"}).says("""
    In the variance, the square of the mean is not subtracted.
""")
slip("root-missing", {ERROR: f"{VARIANCE} / n"}).says("""
    The error is a variance still: the root is missing.
""")
slip("n-missing", {ERROR: f"np.sqrt({VARIANCE})"}).says("""
    This is the standard deviation of the $d_i$. That of their *mean* is smaller.
""")
slip("n-outside", {ERROR: f"np.sqrt({VARIANCE}) / n"}).says("""
    It is divided by $n$ outside of the root. The variance has an $n$-th; of that the
    root.
""")
slip("n-minus-one", {ERROR: "d.std(ddof=1) / np.sqrt(n)"}).says("""
    The variance divides by one less than the number of pictures. The notebook takes the
    plain mean of the squares.
""")

OF_THE_SHARE = "(np.mean(d**2) * (1 - np.mean(d**2)))"
slip("share-of-disagreement", {VARIANCE: OF_THE_SHARE}).says("""
    $p(1-p)$ is taken of the share of pictures on which the two disagree. That formula
    is for numbers 0 and 1, and $d_i$ can also be −1.
""")
OF_THE_LEAD = "(abs(lead) * (1 - abs(lead)))"
slip("formula-for-the-lead", {VARIANCE: OF_THE_LEAD}).says("""
    The lead stands in $p(1-p)$. That formula is for numbers 0 and 1, and $d_i$ can also
    be −1: begin with the variance.
""")
OF_A = "(np.mean(right_a) * (1 - np.mean(right_a)))"
slip("error-of-a", {VARIANCE: OF_A}).says("""
    This is the standard error of `a` alone. Asked for is that of the difference.
""")
slip("twice-of-one", {VARIANCE: f"(2 * {OF_A})"}).says("""
    The error is that of `a` alone, times $\\sqrt2$. That holds for two independent sets
    of pictures.
""")
slip("twice-n", {ERROR: f"np.sqrt({VARIANCE} / (2 * n))"}).says("""
    It is divided by $2n$. There are $n$ pictures, and one $d_i$ for each.
""")
