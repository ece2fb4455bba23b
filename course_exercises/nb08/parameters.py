"""08.1 · Predict: what is found, what is added up."""

import numpy as np

from course_exercises.judge import Exercise
from course_utils.nn import Linear, Module, Parameter, ReLU, Sequential
from course_utils.tensor import Tensor

TAPE = "08_modules_and_optimizers#Third: modules on the tape"
FORGOTTEN = "08_modules_and_optimizers#Gradients that are not forgotten"

ex = Exercise(
    "08.1",
    "Predict: what is found, what is added up",
    outputs=("a", "b", "c"),
    hints=(
        "For (a) and (b), read `named_parts` and `parameters` again: which kinds "
        "of attributes are opened, and what does `dict.fromkeys` do?",
        "For (a): a dictionary is neither a parameter, nor a module, nor a list. "
        "For (c): what is the mean of four means of equal size?",
        "For (b): one layer, one matrix, one bias. For (c): four means are added, "
        "where their mean is wanted.",
    ),
    explanation=(
        "(a) A dictionary is not opened, so only the two arrays of `head` are found; "
        "the hidden layer would never learn, without any error. A list mends it. (b) "
        "The second occurrence is the same object, counted once. (c) Four means are "
        "added; their *mean* is the gradient of the whole batch. With pieces of "
        "different sizes no single factor helps: each piece needs its share of the "
        "examples as a weight."
    ),
)


@ex.answer
def prediction():
    class Net(Module):
        def __init__(self, rng):
            self.hidden = {"first": Linear(2, 32, rng)}
            self.head = Linear(32, 2, rng)

    rng = np.random.default_rng(81)
    layer, w = Linear(8, 8, rng), Parameter(rng.normal(size=(4, 1)))
    X, Y = rng.normal(size=(60, 4)), rng.normal(size=(60, 1))
    for i in range(0, 60, 15):
        (Tensor(X[i : i + 15]) @ w).mse(Y[i : i + 15]).backward(accumulate=True)
    in_pieces = w.grad
    (Tensor(X) @ w).mse(Y).backward()
    factor = round((in_pieces / w.grad).mean(), 6)
    found = len(Net(rng).parameters())
    return found, len(Sequential(layer, ReLU(), layer).parameters()), factor


ex.guess("dictionary", {"a": 4}, TAPE).says("""
    Four parameters are there, but are they found? Look at where a module looks:
    attributes, and lists and tuples.
""")
ex.guess("nothing-found", {"a": 0}, TAPE).says("""
    One of the two layers is found: `self.head` is an attribute, and a module itself.
""")
ex.guess("layers-counted", {"a": 1, "b": 1}, TAPE).says("""
    These are layers. Each linear layer has a weight matrix and a bias.
""")
ex.guess("shared-twice", {"b": 4}, TAPE).says("""
    The same layer stands there twice. What happens in `parameters()` to an object that
    comes a second time?
""")
ex.guess("relu-counted", {"b": 6}, TAPE).says("""
    A rectifier has nothing to learn; and the same layer stands there twice.
""")
ex.guess("entries-counted", {"a": 66, "b": 72}, TAPE).says("""
    These are numbers. `parameters()` is a list of arrays, however large.
""")
ex.guess("all-entries-counted", {"a": 162}, TAPE).says("""
    These are numbers, and those of both layers. `parameters()` is a list of arrays, of
    what is found.
""")
ex.guess("entries-twice", {"b": 144}, TAPE).says("""
    These are numbers, and each is counted twice. `parameters()` is a list of arrays; an
    object that comes a second time is the same object.
""")
ex.guess("already-a-mean", {"c": 1}, FORGOTTEN).says("""
    It would be the same if each piece knew of the others. But each loss is a mean over
    its own 15 examples.
""")
ex.guess("upside-down", {"c": 0.25}, FORGOTTEN).says("""
    This is what one has to multiply by to put it right. Asked is how much too large the
    gradient is.
""")
ex.guess("all-examples", {"c": 60}, FORGOTTEN).says("""
    This is the number of examples. Each loss is a mean, which has divided by its own 15
    already.
""")
ex.guess("piece-size", {"c": 15}, FORGOTTEN).says("""
    This is the size of a piece. What counts is how many means are added where one is
    wanted.
""")
ex.mistake("found-otherwise", TAPE).says("""
    Ask two things: which attributes does a module open, and how many arrays has a
    `Linear`?
""")
ex.mistake("list-otherwise", TAPE).says("""
    How many arrays has a `Linear`, how many a `ReLU`, and what becomes of an object
    that stands there twice?
""")
ex.mistake("factor-otherwise", FORGOTTEN).says("""
    Write the gradient of each piece as a mean over its 15 examples, and add the four
    up. How does a mean over all 60 look?
""")


@ex.looked
def look_at_each(answer, run):
    """Point at what each wrong number is made of."""
    about = "found-otherwise", "list-otherwise", "factor-otherwise"
    parts = zip(about, answer, ex.reference(), strict=True)
    return [ex.named(name) for name, a, b in parts if a != b]
