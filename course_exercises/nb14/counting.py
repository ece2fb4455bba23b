"""14.4 · Predict: how many."""

import numpy as np

from course_exercises.judge import Exercise

MASKS = "14_attention#Masks: who may look where"
HEADS = "14_attention#Heads: several questions at once"

ex = Exercise(
    "14.4",
    "Predict: how many",
    outputs=("weights", "with 4 heads", "with 8 heads", "for 24 tokens"),
    hints=(
        "A causal mask lets token 0 see one token, token 1 two, … Add them up. For "
        "the others look at `__init__`: which layers are there, and of what size?",
        "Four linear layers from 32 to 32, each with its bias. Where does the number "
        "of heads come in, and where the number of tokens?",
        "$1 + 2 + \\dots + 12$, and $4 \\cdot (32 \\cdot 32 + 32)$; heads cut the "
        "features into pieces, and add none.",
    ),
    explanation=(
        "78 of 144 weights: the lower triangle with its diagonal, $12 \\cdot 13 / 2$. "
        "And 4224 numbers to learn, for any number of heads and of tokens: heads share "
        "the 32 features, and every token passes the same layers. (Positions do have a "
        "row for each place.)"
    ),
)


@ex.answer
def counts():
    return int(np.tri(12).sum()), *[4 * (32 * 32 + 32)] * 3


WEIGHTS, FOUR, EIGHT, LONG = ex.outputs

ex.guess("all", {WEIGHTS: 144}, MASKS).says("""
    That is the whole table. What lies above the diagonal is forbidden, and softmax
    gives it exactly 0.
""")
ex.guess("half", {WEIGHTS: 72}, MASKS).says("""
    Half of the table, but the diagonal belongs to it: a token sees itself.
""")
ex.guess("without-diagonal", {WEIGHTS: 66}, MASKS).says("""
    The diagonal is missing: a token sees itself.
""")
ex.guess("one-each", {WEIGHTS: 12}, MASKS).says("""
    That is one for each token. Token 3 sees four of them.
""")
ex.guess("no-bias", {FOUR: 4096}, HEADS).says("""
    The biases are missing: each of the four layers has 32.
""")
ex.guess("three-layers", {FOUR: 3168}, HEADS).says("""
    Those are queries, keys and values. A fourth layer mixes what the heads found.
""")
ex.guess("one-layer", {FOUR: 1056}, HEADS).says("""
    That is one linear layer. There are four: queries, keys, values, and the one that
    mixes.
""")
ex.guess("times-heads", {FOUR: 16896}, HEADS).says("""
    That would be layers of full size for each head. The heads *share* the 32 features.
""")
ex.guess("per-head", {FOUR: 1152}, HEADS).says("""
    With layers from 32 to 8 for one head, count all four heads.
""")
ex.guess("more-heads", {EIGHT: 8448}, HEADS).says("""
    Twice as many heads, each of half the size: how many columns do the layers have
    together?
""")
ex.guess("fewer", {EIGHT: 2112}, HEADS).says("""
    The heads are half as large, and there are twice as many of them.
""")
ex.guess("more-tokens", {LONG: 8448}, HEADS).says("""
    No parameter belongs to a token: all pass the same four layers. What grows with the
    row is the table of weights, and it is computed.
""")
ex.guess("four-times", {LONG: 16896}, HEADS).says("""
    The *table* has four times as many entries, but it is computed, not learnt.
""")
ex.guess("as-24", {WEIGHTS: 300}, MASKS).says("""
    That is the triangle for 24 tokens. These rows have 12.
""")
ex.guess("one-bias", {FOUR: 4128}, HEADS).says("""
    One bias for all four layers is too little: each of them has 32 of its own.
""")
