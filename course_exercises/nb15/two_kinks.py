"""15.5 · Predict: two kinks, five answers."""

from course_exercises.judge import Exercise

KINDS = "15_when_the_engine_is_wrong#What can be wrong"
TIES = "15_when_the_engine_is_wrong#Case 5 · A tie, and who gets the prize"
TABLE = "15_when_the_engine_is_wrong#What the engines answer"

ex = Exercise(
    "15.5",
    "Predict: two kinks, five answers",
    outputs=("left", "right", "ours", "jax", "pytensor"),
    otherwise={
        "left": "What is f for a small negative x? The rectifier is shut, |x| is −x.",
        "right": "What is f for a small positive x? Both pieces count.",
        "ours": "Each rule answers for itself: what do ours take for relu and |x|?",
        "jax": "Look into the table: what does JAX take for relu, and what for |x|?",
        "pytensor": "Look into the table: PyTensor's relu at 0, and its |x|.",
    },
    hints=(
        "Write f without bars and maxima, once for x < 0 and once for x > 0: two "
        "straight lines.",
        "An engine takes its slope for the rectifier at 0, minus twice its slope for "
        "|x| at 0. Both stand in the table of kinks.",
        "Left $0 - 2\\cdot(-1)$, right $1 - 2\\cdot 1$. Ours: $0 - 2\\cdot 0$. "
        "JAX takes 0 and 1, PyTensor 1 and 0.",
    ),
    explanation=(
        "Left 2, right −1: so −1 to 2 is allowed. Ours says 0, PyTensor 1: allowed. "
        "JAX says −2, which is not: each of its two conventions is a right one, and "
        "their sum is wrong. Subgradients may be added only where both kinks are "
        "taken from the same side."
    ),
)


@ex.answer
def slopes():
    relu = {"left": 0, "right": 1, "ours": 0, "jax": 0, "pytensor": 1}
    length = {"left": -1, "right": 1, "ours": 0, "jax": 1, "pytensor": 0}
    return tuple(float(relu[who] - 2 * length[who]) for who in relu)


ex.guess("left-turned", {"left": -2}, KINDS).says("""
    Left of 0, |x| *falls* as x grows: its slope is −1, and −2 times that is 2.
""")
ex.guess("exchanged", {"left": -1, "right": 2}, KINDS).says("""
    Left and right are exchanged. Left of 0 the rectifier is shut, and |x| falls.
""")
ex.guess("left-closed", {"left": 0}, KINDS).says("""
    Left of 0 the rectifier is shut, but |x| goes on: it has the slope −1 there.
""")
ex.guess("left-open", {"left": 3}, KINDS).says("""
    Left of 0 the rectifier is shut, so its slope is 0.
""")
ex.guess("left-once", {"left": 1}, KINDS).says("""
    |x| counts twice in f.
""")
ex.guess("right-length-only", {"right": -2}, KINDS).says("""
    Right of 0 the rectifier is open, and adds its slope 1.
""")
ex.guess("right-once", {"right": 0}, KINDS).says("""
    |x| counts twice in f: 1 − 2.
""")
ex.guess("right-added", {"right": 3}, KINDS).says("""
    There is a minus in front of 2|x|.
""")
ex.guess("right-rectifier-only", {"right": 1}, KINDS).says("""
    This is the slope of the rectifier alone. |x| has one, too.
""")
ex.guess("ours-in-the-middle", {"ours": 0.5}, TIES).says("""
    One half is the middle of both slopes, what a central difference measures. An engine
    measures nothing: it adds what its rules say.
""")
ex.guess("ours-from-the-right", {"ours": -1}, TABLE).says("""
    Our rules take 0 for the rectifier and 0 for |x| at 0, not the slopes of the right
    side.
""")
ex.guess("ours-as-pytensor", {"ours": 1}, TABLE).says("""
    Our rectifier takes 0 at 0, not 1.
""")
ex.guess("jax-as-ours", {"jax": 0}, TABLE).says("""
    JAX takes 1 for |x| at 0, as the only engine of the table.
""")
ex.guess("jax-from-the-right", {"jax": -1}, TABLE).says("""
    JAX takes the right side for |x|, but not for its relu: there it takes 0.
""")
ex.guess("jax-sign", {"jax": 2}, TABLE).says("""
    There is a minus in front of 2|x|.
""")
ex.guess("pytensor-from-the-right", {"pytensor": -1}, TABLE).says("""
    PyTensor takes 1 for the rectifier at 0, and 0 for |x|.
""")
ex.guess("pytensor-as-ours", {"pytensor": 0}, TABLE).says("""
    PyTensor has no relu of its own; of `maximum(x, 0)` the first argument gets all.
""")
