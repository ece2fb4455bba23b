"""00.1 · Predict: the weights of a smaller network"""

from course_exercises.judge import Exercise

NETWORK = "00_start_here#Twenty seconds to a trained network"

ex = Exercise(
    "00.1",
    "Predict: the weights of a smaller network",
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


def as_on_the_page():
    return (784 + 1) * 128 + (128 + 1) * 10


@ex.wrong(NETWORK)
def constants_missing():
    """These are the factors alone. Each new number also has a constant of its own, and
    we may change it, so it counts as a weight.
    """
    return 784 * 32 + 32 * 10


@ex.wrong(NETWORK)
def second_layer_missing():
    """This leads from the picture to the 32 numbers in the middle, and ends there. The
    10 scores have factors and constants, too.
    """
    return (784 + 1) * 32


@ex.wrong(NETWORK)
def constants_at_the_start():
    """A constant was given to each number that goes in. It belongs to each number that
    comes out.
    """
    return 784 * (32 + 1) + 32 * (10 + 1)


@ex.wrong(NETWORK)
def constants_of_the_scores_missing():
    """Nearly: the 32 numbers in the middle have their constants, and the 10 scores have
    none.
    """
    return (784 + 1) * 32 + 32 * 10


@ex.wrong(NETWORK)
def constants_of_the_middle_missing():
    """Nearly: the 10 scores have their constants, and the 32 numbers in the middle have
    none.
    """
    return 784 * 32 + (32 + 1) * 10


@ex.wrong(NETWORK)
def one_constant_each_():
    """One constant was counted for all the new numbers together. Each of them has its
    own.
    """
    return 784 * 32 + 1 + 32 * 10 + 1


ex.mistake("not-changed", NETWORK, code=as_on_the_page).says("""
    This is the network of the page, with 128 numbers in the middle. Here there are 32.
""")


@ex.wrong(NETWORK)
def a_quarter():
    """A quarter of the numbers in the middle leaves a quarter of the weights, but for
    some: the constants of the 10 scores stay as many.
    """
    return as_on_the_page() / 4


@ex.wrong(NETWORK)
def one_product():
    """All three sizes were multiplied. The picture leads to the middle, and the middle
    to the scores: that is two products, and they are added.
    """
    return 784 * 32 * 10
