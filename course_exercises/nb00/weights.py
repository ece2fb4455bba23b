"""00.1 · Predict: the weights of a smaller network."""

from course_exercises.judge import Exercise

NETWORK = "00_start_here#Twenty seconds to a trained network"
ON_THE_PAGE = (784 + 1) * 128 + (128 + 1) * 10

ex = Exercise(
    "00.1",
    "Predict: the weights of a smaller network",
    otherwise={
        "the result": "Count in two parts: what leads into the middle, and what leads "
        "into the scores. Each new number has a factor for every number before it, and "
        "a constant."
    },
    hints=(
        "Count in two parts: the weights that lead into the middle, and those that "
        "lead into the scores.",
        "Each new number has one factor for every number before it, and a constant "
        "besides.",
        "Each number in the middle has 784 + 1 weights. How many has each score, "
        "when 32 numbers stand before it?",
    ),
    explanation=(
        "Each of the 32 numbers has 784 factors and a constant, each of the 10 scores "
        "has 32 factors and a constant: (784 + 1) · 32 + (32 + 1) · 10 = 25,450."
    ),
)


@ex.answer
def n_weights_32():
    into_middle = (784 + 1) * 32
    into_scores = (32 + 1) * 10
    return into_middle + into_scores


ex.guess("constants-missing", 784 * 32 + 32 * 10, NETWORK).says("""
    These are the factors alone. Each new number also has a constant of its own, and we
    may change it, so it counts as a weight.
""")
for k, count in enumerate((785 * 32, 784 * 32, 784 * 32 + 1)):
    ex.guess(f"second-layer-missing-{k}", count, NETWORK).says("""
        This leads from the picture to the 32 numbers in the middle, and ends there. The
        10 scores have factors and constants, too.
    """)
ex.guess("picture-twice", 785 * 32 + 785 * 10, NETWORK).says("""
    The scores are computed from the 32 numbers in the middle, not from the picture.
""")
ex.guess("constants-at-the-start", 784 * (32 + 1) + 32 * (10 + 1), NETWORK).says("""
    A constant was given to each number that goes in. It belongs to each number that
    comes out.
""")
ex.guess("constants-of-the-scores-missing", (784 + 1) * 32 + 32 * 10, NETWORK).says("""
    Nearly: the 32 numbers in the middle have their constants, and the 10 scores have
    none.
""")
ex.guess("constants-of-the-middle-missing", 784 * 32 + (32 + 1) * 10, NETWORK).says("""
    Nearly: the 10 scores have their constants, and the 32 numbers in the middle have
    none.
""")

ONE_FOR_ALL = {
    "one-constant-each": 784 * 32 + 1 + 32 * 10 + 1,
    "one-constant-for-the-middle": 784 * 32 + 1 + (32 + 1) * 10,
    "one-constant-for-the-scores": (784 + 1) * 32 + 32 * 10 + 1,
}
for name, count in ONE_FOR_ALL.items():
    ex.guess(name, count, NETWORK).says("""
        One constant was counted for several new numbers together. Each of them has its
        own.
    """)
ex.guess("first-layer-missing", (32 + 1) * 10, NETWORK).says("""
    This leads from the 32 numbers in the middle to the scores. The middle is computed
    from the picture, with weights of its own.
""")
ex.guess("middle-missing", (784 + 1) * 10, NETWORK).says("""
    Here the picture leads to the scores directly. Between the two stand 32 numbers.
""")
ex.guess("one-score", (784 + 1) * 32 + (32 + 1), NETWORK).says("""
    One score was counted. There are 10, each with its own factors and its constant.
""")
ex.guess("nine-scores", (784 + 1) * 32 + (32 + 1) * 9, NETWORK).says("""
    Nine scores were counted. The digits go from 0 to 9.
""")
ex.guess("not-changed", ON_THE_PAGE, NETWORK).says("""
    This is the network of the page, with 128 numbers in the middle. Here there are 32.
""")

for name, count in (("middle", 785 * 128 + 33 * 10), ("scores", 785 * 32 + 129 * 10)):
    ex.guess(f"half-changed-{name}", count, NETWORK).says("""
        One of the two parts still has the 128 numbers of the page.
    """)
ex.guess("a-quarter", ON_THE_PAGE / 4, NETWORK).says("""
    A quarter of the numbers in the middle leaves a quarter of the weights, but for
    some: the constants of the 10 scores stay as many.
""")

for k, count in enumerate((784 * 32 * 10, 785 * 32 * 10, 785 * 33 * 10)):
    ex.guess(f"one-product-{k}", count, NETWORK).says("""
        All three sizes were multiplied. The picture leads to the middle, and the middle
        to the scores: that is two products, and they are added.
    """)

for k, count in enumerate((784 + 32 + 10, 784 + 1 + 32 + 1 + 10, 32 + 10)):
    ex.guess(f"numbers-{k}", count, NETWORK).says("""
        These are numbers that are computed, or go in. A weight stands between two of
        them: each new number has one for every number before it.
    """)
