"""Exercises of 00_start_here."""

import numpy as np

from .exercise import Exercise, Mistake

NETWORK = "00_start_here#Twenty seconds to a trained network"
ANSWERS = "00_start_here#How the exercises answer"
NO_ACTIVATION = "a formula without activation"

# --- 00.1: how many weights -----------------------------------------------------------


def n_weights_32():
    into_middle = (784 + 1) * 32
    into_scores = (32 + 1) * 10
    return into_middle + into_scores


def without_constants():
    return 784 * 32 + 32 * 10


def middle_alone():
    return (784 + 1) * 32


def constants_of_inputs():
    return 784 * (32 + 1) + 32 * (10 + 1)


def constants_of_the_middle():
    return (784 + 1) * 32 + 32 * 10


def constants_of_the_scores():
    return 784 * 32 + (32 + 1) * 10


def one_constant_each():
    return 784 * 32 + 1 + 32 * 10 + 1


def as_on_the_page():
    return (784 + 1) * 128 + (128 + 1) * 10


def a_quarter_of_the_page():
    return as_on_the_page() / 4


def a_product():
    return 784 * 32 * 10


# --- 00.2: the slopes of a mean -------------------------------------------------------


def slopes(w):
    inner = w**2 - 1
    return 2 * inner * 2 * w / len(w)


def slopes_inputs(rng):
    sizes = 3, 5, 1, 4, 8
    return [(rng.choice([-1, 1], n) * rng.uniform(0.2, 2.5, n),) for n in sizes]


def slopes_multiplied_out(w):
    return (4 * w**3 - 4 * w) / w.size


def slopes_in_a_list(w):
    return [4 * number * (number**2 - 1) / len(w) for number in w]


def slopes_one_by_one(w):
    found = np.zeros(len(w))
    for k, number in enumerate(w):
        found[k] += 2 * (number**2 - 1) / len(w) * (2 * number)
    return found


def inner_missing(w):
    return 2 * (w**2 - 1) / len(w)


def inner_of_the_page(w):
    return 2 * (w**2 - 1) * 3 / len(w)


def inner_with_constant(w):
    return 2 * (w**2 - 1) * (2 * w - 1) / len(w)


def inner_inside(w):
    return 2 * (2 * w) / len(w)


def outer_missing(w):
    return 2 * w / len(w)


def outer_not_lowered(w):
    return 2 * (w**2 - 1) ** 2 * 2 * w / len(w)


def middle_term_missing(w):
    return 4 * w**3 / len(w)


def results_themselves(w):
    return (w**2 - 1) ** 2 / len(w)


def mean_forgotten(w):
    return 4 * w * (w**2 - 1)


def two_missing(w):
    return 2 * w * (w**2 - 1) / len(w)


def one_number(w):
    return np.mean(4 * w * (w**2 - 1))


EXERCISES = [
    Exercise(
        number="00.1",
        title="Predict: the weights of a smaller network",
        reference=n_weights_32,
        mistakes=[
            Mistake(
                "constants-missing",
                without_constants,
                "These are the factors alone. Each new number also has a constant of "
                "its own, and we may change it, so it counts as a weight.",
                NETWORK,
            ),
            Mistake(
                "second-layer-missing",
                middle_alone,
                "This leads from the picture to the 32 numbers in the middle, and ends "
                "there. The 10 scores have factors and constants, too.",
                NETWORK,
            ),
            Mistake(
                "constants-at-the-start",
                constants_of_inputs,
                "A constant was given to each number that goes in. It belongs to each "
                "number that comes out.",
                NETWORK,
            ),
            Mistake(
                "constants-of-the-scores-missing",
                constants_of_the_middle,
                "Nearly: the 32 numbers in the middle have their constants, and the 10 "
                "scores have none.",
                NETWORK,
            ),
            Mistake(
                "constants-of-the-middle-missing",
                constants_of_the_scores,
                "Nearly: the 10 scores have their constants, and the 32 numbers in the "
                "middle have none.",
                NETWORK,
            ),
            Mistake(
                "one-constant-each",
                one_constant_each,
                "One constant was counted for all the new numbers together. Each of "
                "them has its own.",
                NETWORK,
            ),
            Mistake(
                "not-changed",
                as_on_the_page,
                "This is the network of the page, with 128 numbers in the middle. Here "
                "there are 32.",
                NETWORK,
            ),
            Mistake(
                "a-quarter",
                a_quarter_of_the_page,
                "A quarter of the numbers in the middle leaves a quarter of the "
                "weights, but for some: the constants of the 10 scores stay as many.",
                NETWORK,
            ),
            Mistake(
                "one-product",
                a_product,
                "All three sizes were multiplied. The picture leads to the middle, and "
                "the middle to the scores: that is two products, and they are added.",
                NETWORK,
            ),
        ],
        hints=(
            "Count in two parts: the weights that lead into the middle, and those that "
            "lead into the scores.",
            "Each new number has one factor for every number before it, and a constant "
            "besides.",
            "Each number in the middle has 784 + 1 weights. How many has each score, "
            "when 32 numbers stand before it?",
        ),
        explanation=(
            "Each of the 32 numbers has 784 factors and a constant, each of the 10 "
            "scores has 32 factors and a constant: (784 + 1) · 32 + (32 + 1) · 10 = "
            "25,450."
        ),
    ),
    Exercise(
        number="00.2",
        title="The slopes of a mean",
        reference=slopes,
        inputs=slopes_inputs,
        gradient=True,
        mistakes=[
            Mistake(
                "inner-missing",
                inner_missing,
                "The slope of the inner formula is missing: when `w` changes, "
                "`w**2 - 1` does not change by as much, but by its own slope times as "
                "much.",
                ANSWERS,
            ),
            Mistake(
                "inner-of-the-page",
                inner_of_the_page,
                "The factor 3 is the slope of `3 * w - 6`. Here the inner formula is "
                "another one, and its slope is not the same everywhere.",
                ANSWERS,
            ),
            Mistake(
                "inner-with-constant",
                inner_with_constant,
                "The −1 of the inner formula is still there after its slope was taken. "
                "A constant does not change, so its slope is 0.",
                ANSWERS,
            ),
            Mistake(
                "inner-inside",
                inner_inside,
                "The slope of the square was taken at the inner *slope*. It belongs "
                "to the inner formula itself; then the inner slope multiplies it.",
                ANSWERS,
            ),
            Mistake(
                "outer-missing",
                outer_missing,
                "This is the slope of the inner formula alone. The square around it "
                "has a slope, too, and the two multiply.",
                ANSWERS,
            ),
            Mistake(
                "outer-not-lowered",
                outer_not_lowered,
                "The exponent came down in front as the 2, and stayed where it was as "
                "well. The slope of a square has no square any more.",
                ANSWERS,
            ),
            Mistake(
                "middle-term-missing",
                middle_term_missing,
                "This is the slope of $w^4$. Multiplied out, the square has a middle "
                "term as well, and it changes with `w`.",
                ANSWERS,
            ),
            Mistake(
                "mean-forgotten",
                mean_forgotten,
                "These are the slopes of the sum. The mean divides it by N, the number "
                "of numbers in `w`, and so it divides each slope.",
            ),
            Mistake(
                "half",
                two_missing,
                "Every number is half the right one. Two slopes bring a factor of 2: "
                "that of the square outside, and that of $w^2$ inside.",
                ANSWERS,
            ),
            Mistake(
                "results-themselves",
                results_themselves,
                "These are the numbers whose mean is taken, not their slopes.",
                ANSWERS,
            ),
            Mistake(
                "one-number",
                one_number,
                "This is one number for all. A gradient has a slope for each number "
                "of `w`: how the result changes when this one alone is nudged.",
                ANSWERS,
            ),
        ],
        absent={
            "activation-missing": NO_ACTIVATION,
            "at-output": NO_ACTIVATION,
            "assigned": "every number of w is used once",
            "broadcast": "nothing is broadcast",
        },
        variants=[slopes_multiplied_out, slopes_in_a_list, slopes_one_by_one],
        hints=(
            "Begin as on the page: the slope of a square is twice what stands inside "
            "it, times the slope of what stands inside.",
            "Inside stands $w^2 - 1$, and its slope is not a fixed number: it depends "
            "on `w`.",
            "Multiply three things: 2, the inner formula, and its slope. Then the "
            "mean: each number has only one N-th of a say in it.",
        ),
        explanation=(
            "Outside a square, inside $w^2 - 1$ with the slope $2 w$: each term has "
            "the slope $2 (w^2 - 1) \\cdot 2 w$. The mean divides the sum by $N$, so "
            "it divides each slope by $N$."
        ),
    ),
]
