"""11.4 · Predict: what stands in .grad."""

from course_exercises.judge import Exercise
from course_utils.tensor import Tensor

from .shared import torch

FORKS = "01_chain_rule#Forks add"
ALIKE = "11_pytorch_and_beyond#Where the two behave alike, and where not"

ex = Exercise(
    "11.4",
    "Predict: what stands in .grad",
    outputs=("first", "second", "third", "fourth"),
    otherwise={
        "first": "What does one call bring, at 3? And what does the second do with it?",
        "second": "What is in `.grad` before, and what does the new product bring, at "
        "the new `w`?",
        "third": "`.grad` is empty before. One factor is still on the tape: what does "
        "it get?",
        "fourth": "What does one call bring, at 3? On our tape, does another one add?",
    },
    hints=(
        "Does torch's `backward` replace what stands in `.grad`, or add to it? And "
        "ours?",
        "The slope of $w \\cdot w$ is $2w$. At which `w`? And is anything emptied "
        "between the lines?",
        "After the first two calls there are two slopes at `w = 3`. The third adds "
        "one at `w = 2`. Then `.grad` is empty, and one of the two factors is a "
        "constant.",
    ),
    explanation=(
        "$6 + 6 = 12$; then $12 + 4 = 16$, since nobody emptied `.grad`, and `w` is 2 "
        "by then. With `detach` only one factor counts: the slope of $w \\cdot 2$ is "
        "2. Our engine replaces: 6, however often one calls."
    ),
)


@ex.answer
def in_grad():
    w = torch.tensor(3.0, requires_grad=True)
    y = w * w
    y.backward(retain_graph=True)
    y.backward()
    first = w.grad.item()
    with torch.no_grad():
        w -= 1
    (w * w).backward()
    second = w.grad.item()
    w.grad = None
    (w * w.detach()).backward()
    v = Tensor(3.0)
    z = v * v
    z.backward()
    z.backward()
    return first, second, w.grad.item(), float(v.grad)


REPLACED = {"first": 6}, {"second": 4}, {"first": 6, "second": 4}
for k, wrong in enumerate(REPLACED):
    ex.guess(f"replaced-{k}", wrong, ALIKE).says("""
        Here `.grad` would be replaced by each `backward`. Torch adds to what is there,
        until somebody empties it.
    """)
ex.guess("one-call", {"first": 6, "second": 10}, ALIKE).says("""
    One of the first two calls is not counted. Torch adds what each of them brings.
""")
ex.guess("forgotten-in-between", {"second": 10}, ALIKE).says("""
    One of the contributions is missing: after the step `.grad` still holds *all* that
    both calls have added.
""")
ex.guess("nothing-added", {"second": 12}, ALIKE).says("""
    The new product has a way back of its own, and its slope is added to what is there.
""")

for name, number in (("second", 18), ("third", 3)):
    ex.guess(f"old-value-{name}", {name: number}, ALIKE).says("""
        The value of `w` was changed: when the new product is computed, it is 2.
    """)
ex.guess("gradient-moved", {"second": 15}, ALIKE).says("""
    The step changes `w`, not `w.grad`. What is in `.grad` stays, and the slope of the
    new product is added in full.
""")
ex.guess("detach-ignored", {"third": 4}, ALIKE).says("""
    `w.detach()` is off the tape, a constant with the same value. So only one of the two
    factors hands a gradient back.
""")
ex.guess("detached-all", {"third": 0}, ALIKE).says("""
    Only the factor that was detached is a constant; the other one is still `w`.
""")

for number in (18, 20):
    ex.guess(f"not-emptied-{number}", {"third": number}, ALIKE).says("""
        Before (3) stands `w.grad = None`, so nothing old is left.
    """)
ex.guess("ours-adds", {"fourth": 12}, ALIKE).says("""
    (4) is on our tape. It replaces what stands in `.grad`, unless it is told to add.
""")
ex.guess("emptied", {"fourth": 0}, ALIKE).says("""
    Each call starts afresh, and fills `.grad` again.
""")

FACTOR = ("first", 3), ("second", 14), ("second", 8), ("third", 1), ("fourth", 3)
for k, (name, number) in enumerate(FACTOR):
    ex.guess(f"one-factor-{k}", {name: number}, FORKS).says(r"""
        $w \cdot w$ has two edges to `w`, each with the value of the other factor, and
        `w` is 3, then 2.
    """)

VALUES = ("first", 9), ("first", 18), ("second", 22), ("second", 13), ("fourth", 9)
for k, (name, number) in enumerate(VALUES):
    ex.guess(f"value-{k}", {name: number}, FORKS).says("""
        This looks like the product's *value*. In `.grad` stands its slope.
    """)
ex.guess("counted-wrongly", {"first": 24}, ALIKE).says("""
    Count the calls once more, and what each of them adds: twice the value that the
    number has at that moment.
""")
