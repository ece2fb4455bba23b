"""The general mistakes: what a tutor says about those that every gradient invites.

Where the wrong numbers can be made from any right function, `judge/changes.py` makes
them, under the same id, and so do `judge/slips.py` and `judge/mixups.py`, from its
source. All others are written by hand with an exercise.
"""

from __future__ import annotations

from typing import NamedTuple


class Sentence(NamedTuple):
    """What a tutor says about a general mistake, and where it is explained. Plumbing.

    A place that lies ahead of the exercise's notebook is not named.
    """

    says: str
    where: str = ""


_SHAPE = "05_vectorized_backprop#The rules, by shape"
_INDEX = "05_vectorized_backprop#The rules, by index"
_BIAS = "05_vectorized_backprop#The bias: a sum over the rows"
_LOSS = "05_vectorized_backprop#The loss: mean squared error"
_CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
_FORKS = "01_chain_rule#Forks add"
_CAST = "07_array_tape#A broadcast, and how to undo it"
_VJP = "05_vectorized_backprop#One form for every rule: the vjp"
_TWICE = "06_layers_and_losses#Two layers that go wrong"
_CHECK = "04_gradient_checking#What no check can see"
_DIGITS = "04_gradient_checking#The case of the missing six per cent"
_COMPARE = "04_gradient_checking#How to compare, and how not to"

SENTENCES = {
    # factors
    "sign": Sentence(
        "The sign is reversed: every number is the right one times −1. Look for a "
        "minus that got lost, or one too many: a difference has an inner derivative.",
        _CHAIN,
    ),
    "double": Sentence(
        "Every number is twice the right one. A factor of 2 came in twice, or does not "
        "belong here.",
        _CHAIN,
    ),
    "half": Sentence(
        "Every number is half the right one. A factor of 2 is missing: what does a "
        "square become when it is differentiated?",
        _LOSS,
    ),
    "mean-forgotten": Sentence(
        "Every number is N times too large, for N examples. Over the examples there is "
        "a mean, and its 1/N is missing here (or a sum was taken once too often).",
        _LOSS,
    ),
    "mean-twice": Sentence(
        "Every number is N times too small, for N examples. A division by N is too "
        "much here: the 1/N of a mean comes in once, at the loss, and nowhere else.",
        _LOSS,
    ),
    "sum-for-mean": Sentence(
        "Every number is too large by the number of entries. This is the result for a "
        "sum over all entries; a mean divides by how many they are.",
        _LOSS,
    ),
    "entries-twice": Sentence(
        "Every number is too small by the number of entries. A division by the number "
        "of entries is too much here; a mean divides once.",
        _LOSS,
    ),
    "columns-times": Sentence(
        "Every number is too large by the number of columns. A mean over each row has "
        "lost its division, or was taken for a sum.",
        _LOSS,
    ),
    "columns-th": Sentence(
        "Every number is too small by the number of columns. Somewhere a mean divides "
        "by the length of a row, which does not belong here.",
        _LOSS,
    ),
    "mean-axis": Sentence(
        "The mean divides by the number of columns instead of the number of examples. "
        "Which axis holds the examples?",
        _LOSS,
    ),
    "factor": Sentence(
        "The numbers point in the right direction, but all of them are wrong by one "
        "and the same factor. Look for a constant that is missing or too much.",
        _CHAIN,
    ),
    "length": Sentence(
        "The direction is right and the length is not: the factor changes from input "
        "to input. Look for a division or a product that depends on the data or the "
        "shape.",
        _COMPARE,
    ),
    # changes of the function
    "transposed": Sentence(
        "Rows and columns are exchanged: this is the right result, transposed. A "
        "gradient has the shape of what it is the gradient of.",
        _SHAPE,
    ),
    "argument-transposed": Sentence(
        "A matrix is used with rows and columns exchanged: a transposition is missing "
        "or too much. Where the matrix is square nobody complains, so write down the "
        "shape of each factor.",
        _SHAPE,
    ),
    "axis": Sentence(
        "The axes are confused: it works along the other axis than it should. Ask "
        "which axis numbers the examples, and which one has to remain.",
        _BIAS,
    ),
    "incoming-ignored": Sentence(
        "The gradient that comes in is not used: the result is right only where all of "
        "it is 1. The chain rule multiplies by what comes from behind.",
        _VJP,
    ),
    "incoming-added": Sentence(
        "The gradient that comes in is added, where the chain rule multiplies. Along a "
        "path, prices multiply; it is several paths that add.",
        _CHAIN,
    ),
    "incoming-partly": Sentence(
        "The gradient that comes in is used on some of the paths only. It multiplies "
        "all of them: put brackets around their sum, or bring it to each.",
        _VJP,
    ),
    "incoming-twice": Sentence(
        "The gradient that comes in is multiplied in twice. Each step of the chain "
        "rule uses it once.",
        _VJP,
    ),
    "assigned": Sentence(
        "Only the last contribution is left. What is used several times gets a "
        "gradient from each use, and they add; here each one overwrites the one "
        "before.",
        _FORKS,
    ),
    "first-only": Sentence(
        "Only the first example counts; the others leave no trace. Does a loop end too "
        "early (a `return` inside it), or is there an index 0 too much?",
        _BIAS,
    ),
    "first-missing": Sentence(
        "The first example is left out. Where does the loop, or the slice, begin?",
        _BIAS,
    ),
    "last-only": Sentence(
        "Only what belongs to the last example comes back. Does each round of a loop "
        "write over what the one before has found?",
        _BIAS,
    ),
    "last-missing": Sentence(
        "The last example is left out. Where does the loop, or the slice, end?",
        _BIAS,
    ),
    "broadcast": Sentence(
        "A broadcast is not undone: what was copied for many entries has to collect "
        "the gradient of every copy. The result must have the shape of the input it "
        "belongs to.",
        _CAST,
    ),
    "not-summed": Sentence(
        "What the examples give stands side by side here. What all of them share "
        "collects from all of them: add up.",
        _BIAS,
    ),
    "summed-over-batch": Sentence(
        "The examples are mixed: the rows are added up, although each example has a "
        "gradient of its own here. Sum only over what was shared.",
        _BIAS,
    ),
    "summed-up": Sentence(
        "Everything is added up into one number: one axis too many is summed. Which "
        "axis has to remain?",
        _BIAS,
    ),
    "summed-away": Sentence(
        "An axis is summed away that has to remain. Which letters does the result "
        "have, and which ones are left here?",
        _BIAS,
    ),
    "returns-input": Sentence(
        "One of the inputs comes back as it is. What has to be done to it is missing.",
        _CHAIN,
    ),
    "other-output": Sentence(
        "This is the right number for another one of the results. Look at the order in "
        "which they are returned.",
    ),
    "copied-output": Sentence(
        "This is the number of another one of the results, which is right in its own "
        "place. Was a line copied, and not all of it changed?",
    ),
    "order": Sentence(
        "All results are right, but they are returned in another order than asked for.",
    ),
    "extra-axis": Sentence(
        "The numbers are right, but their shape is not: an axis of length 1 is too "
        "much or missing. `keepdims`, slices and `reshape` make such axes, and a later "
        "operation would broadcast along them.",
        _CAST,
    ),
    "other-shape": Sentence(
        "The right numbers stand in an array of another shape than was asked for. (A "
        "gradient has the shape of what it is the gradient of.)",
        _SHAPE,
    ),
    # one slip inside the computation
    "inner-sign": Sentence(
        "Somewhere inside, a plus stands where a minus belongs, or the reverse. All "
        "else is right. Go through the signs of each sum once more.",
        _CHAIN,
    ),
    "inner-two": Sentence(
        "One term of a sum is twice or half as large as it should be; all else is "
        "right. Where does a 2 come from, or get lost?",
        _CHAIN,
    ),
    "factor-missing": Sentence(
        "One factor is missing inside the computation; the rest is right. Along a path "
        "all local derivatives are multiplied: which one is not there?",
        _CHAIN,
    ),
    "factor-twice": Sentence(
        "One factor comes in twice inside the computation; the rest is right. Along a "
        "path each box is passed once.",
        _CHAIN,
    ),
    "sum-for-product": Sentence(
        "Somewhere inside, two numbers are added that have to be multiplied. Along a "
        "path, prices multiply; it is several paths that add.",
        _CHAIN,
    ),
    "product-for-sum": Sentence(
        "Somewhere inside, two numbers are multiplied that have to be added. Prices "
        "multiply along a path; several paths add.",
        _FORKS,
    ),
    "upside-down": Sentence(
        "Somewhere inside, a division and a multiplication are exchanged. Look at what "
        "stands below the fraction line.",
        _CHAIN,
    ),
    "power-missing": Sentence(
        "A power is missing inside the computation: something is used as it is that "
        "has to be squared.",
        _CHAIN,
    ),
    "entrywise": Sentence(
        "Two matrices are multiplied entry by entry, `*`, where their matrix product, "
        "`@`, belongs.",
        _SHAPE,
    ),
    "factors-exchanged": Sentence(
        "Two factors of a matrix product are exchanged. Their order counts: write down "
        "the shape of each, and which letter is summed.",
        _SHAPE,
    ),
    "brackets": Sentence(
        "Brackets are missing, or stand in another place: a factor, a division or a "
        "power meets one term of a sum, where it should meet all of it, or the "
        "reverse.",
        _CHAIN,
    ),
    "power-inside": Sentence(
        "A power stands inside a function where it belongs outside, or the reverse: "
        "the square of $f(x)$ is not $f(x^2)$.",
        _CHAIN,
    ),
    "other-function": Sentence(
        "One function stands in the place of another inside the computation; all else "
        "is right.",
        _CHAIN,
    ),
    "function-missing": Sentence(
        "A function is left out inside the computation: something is used as it is "
        "that has to go through one first. All else is right.",
        _CHAIN,
    ),
    "function-twice": Sentence(
        "A function is applied twice inside the computation; all else is right.",
        _CHAIN,
    ),
    "off-by-one": Sentence(
        "A loop begins or ends one step off: a term is missing, or one too many is "
        "there. Which is the first that counts, and which the last?",
    ),
    "comparison": Sentence(
        "A comparison is the wrong way round, or the two sides of a choice are "
        "exchanged. All else is right.",
    ),
    "indices": Sentence(
        "Two indices are confused: something is taken from another place than it "
        "should be. Read the formula aloud, with its indices, beside your lines.",
        _INDEX,
    ),
    "index-fixed": Sentence(
        "An index stands still: the same entry is used again and again. Which one has "
        "to move along?",
        _INDEX,
    ),
    "other-variable": Sentence(
        "Somewhere inside, one variable stands where another belongs; all else is "
        "right. Go through your lines, and ask of each name what it means.",
        _INDEX,
    ),
    "axis-missing": Sentence(
        "Somewhere inside, a sum or a mean runs over the whole array, where it should "
        "run along one axis.",
        _BIAS,
    ),
    "keepdims": Sentence(
        "A sum or a mean has lost its axis, so that numbers which belong to the rows "
        "stand along the columns. `keepdims` keeps it.",
        _CAST,
    ),
    "mean-or-sum": Sentence(
        "Somewhere inside, a mean stands where a sum belongs, or the reverse. They "
        "differ by the number of terms.",
        _LOSS,
    ),
    # what shows in the numbers alone
    "zero": Sentence(
        "All numbers are zero. Is something computed and not returned, or multiplied "
        "by a zero?",
        _CHECK,
    ),
    "cancelled": Sentence(
        "Nothing but rounding is left: terms cancel that should not. Look at the sign "
        "of each, and at what each is made of.",
        _CHAIN,
    ),
    "constant": Sentence(
        "The result does not depend on the input: it is the same number everywhere. A "
        "formula has to replace it.",
        _CHECK,
    ),
    "not-finite": Sentence(
        "Some numbers are not finite: `nan` or `inf`. Look for a division by zero, the "
        "logarithm of a number that is not positive, or an exponential too large.",
        "06_layers_and_losses#From logits",
    ),
    "float32": Sentence(
        "Right to about seven digits: somewhere it is computed in float32, or by a "
        "difference instead of a formula. Keep float64 for checks.",
        _DIGITS,
    ),
    "imprecise": Sentence(
        "Nearly right, and yet too far off for rounding alone. Is there a small number "
        "(an eps, a step) that does not belong into the formula?",
        _DIGITS,
    ),
    "in-place": Sentence(
        "It changes one of its inputs: `+=`, `*=` and `x[...] = …` work on the array "
        "of the one who called. Others still need these numbers; work on a copy.",
        _TWICE,
    ),
    "square-only": Sentence(
        "It works only where all matrices are square. Equal dimensions hide a wrong "
        "axis or a wrong transposition, so test with unequal ones.",
        _SHAPE,
    ),
    "single-example": Sentence(
        "It fails where there is one only: one example, one entry. Does `squeeze`, or "
        "an index, lose an axis there?",
        _SHAPE,
    ),
    "single-only": Sentence(
        "It is right where there is one only: one example, one entry. What has to "
        "happen when there are several?",
        _BIAS,
    ),
    "one-length": Sentence(
        "It works for one length of the input alone. Is that number written down in "
        "it, where it has to ask how many there are?",
    ),
    "random": Sentence(
        "Called twice with the same numbers, it gives two results. Is something drawn "
        "at random, or kept from the call before? Use what is given.",
    ),
    "argument-ignored": Sentence(
        "What comes back is the same whatever this argument is. The right answer "
        "depends on it.",
    ),
    # written by hand
    "activation-missing": Sentence(
        "The derivative of the activation is missing: the gradient goes back through "
        "it as if it were not there.",
        "06_layers_and_losses#Activations",
    ),
    "at-output": Sentence(
        "The derivative is taken at the wrong place. A formula in terms of the output "
        "needs the output, one in terms of the input needs the input.",
        "06_layers_and_losses#Activations",
    ),
}
