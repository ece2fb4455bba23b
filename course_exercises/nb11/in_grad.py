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


ex.guess("replaced", (6, 4, 2, 6), ALIKE).says("""
    Here `.grad` would be replaced by each `backward`. Torch adds to what is there,
    until somebody empties it.
""")

ex.guess("forgotten-in-between", (12, 10, 2, 6), ALIKE).says("""
    One of the contributions is missing: after the step `.grad` still holds *all* that
    both calls have added.
""")

ex.guess("old-value", (12, 18, 3, 6), ALIKE).says("""
    The value of `w` was changed: when the new product is computed, it is 2.
""")

ex.guess("gradient-moved", (12, 15, 2, 6), ALIKE).says("""
    The step changes `w`, not `w.grad`. What is in `.grad` stays, and the slope of the
    new product is added in full.
""")

ex.guess("detach-ignored", (12, 16, 4, 6), ALIKE).says("""
    `w.detach()` is off the tape, a constant with the same value. So only one of the two
    factors hands a gradient back.
""")

ex.guess("detached-all", (12, 16, 0, 6), ALIKE).says("""
    Only the factor that was detached is a constant; the other one is still `w`.
""")

ex.guess("not-emptied", (12, 16, 18, 6), ALIKE).says("""
    Before (3) stands `w.grad = None`, so nothing old is left.
""")

ex.guess("ours-adds", (12, 16, 2, 12), ALIKE).says("""
    (4) is on our tape. It replaces what stands in `.grad`, unless it is told to add.
""")

ex.guess("one-factor", (6.5, 8, 1, 3), FORKS).says(r"""
    $w \cdot w$ uses `w` twice, and each use hands back its share.
""")

ex.guess("values", (18, 22, 5, 9), FORKS).says("""
    This looks like the product's *value*. In `.grad` stands its slope.
""")

ex.guess("counted-wrongly", (24, 12, 6, 18), ALIKE).says("""
    Count the calls once more, and what each of them adds: twice the value that the
    number has at that moment.
""")

ex.guess("other-slope", (9, 14, 6.5, 1), FORKS).says(r"""
    The slope of $w \cdot w$ is $2w$: 6 where `w` is 3, and 4 where it is 2.
""")
