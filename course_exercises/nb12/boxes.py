"""12.4 · A friend shares memory."""

from functools import partial

from course_exercises.judge import Exercise

LIVES = "12_compiled_tape#Who lives when"

ex = Exercise(
    "12.4",
    "A friend shares memory",
    hints=(
        "Take the three values of the example. When is box 0 free: at time 1, or after "
        "it?",
        "`Life.meets` in the notebook says that both ends are included. A value that "
        "dies at time 1 and one that is born at time 1 meet.",
        "A box is free for a value if what lies in it has died *before* its birth: "
        "`<` for `<=`. Then an empty box needs a time before 0.",
    ),
    explanation=(
        "Both ends of a life are included: an operation reads its inputs while it "
        "makes its result. So a box is free from the time *after* the death. (A loop "
        "that goes through arrays element by element may write over its input; a "
        "product may not.)"
    ),
)


@ex.answer
def boxes_for(lives):
    boxes, last = [], []  # last[k]: when the value in box k dies
    for born, dies in lives:
        fitting = [k for k, time in enumerate(last) if time < born]
        if not fitting:
            fitting = [len(last)]
            last.append(-1)
        boxes.append(fitting[0])
        last[fitting[0]] = dies
    return boxes


@ex.given
def lives(rng):
    chain = [(k, k + 1) for k in range(5)]
    there_and_back = [(0, 9), (1, 8), (2, 7), (3, 4), (4, 6), (5, 8), (7, 9)]
    found = [(chain,), (there_and_back,), ([(0, 1), (1, 3), (2, 3)],)]
    found += [([(0, 2), (1, 4), (6, 7), (6, 8), (9, 9)],)]  # both boxes are free
    found += [([(0, 4), (1, 2), (6, 7), (6, 8), (9, 9)],)]
    for n in (6, 10, 15):
        found.append(([(k, k + int(rng.integers(0, 5))) for k in range(n)],))
    return found


@ex.right
def by_sets(lives):
    boxes = []
    for n, (born, _) in enumerate(lives):
        taken = {boxes[m] for m in range(n) if lives[m][1] >= born}
        boxes.append(next(k for k in range(n + 1) if k not in taken))
    return boxes


slip = partial(ex.slip, where=LIVES)

slip("while-it-is-read", {"time < born": "time <= born"}).says("""
    As the friend does: a box is given away while the value in it is still to be read.
    What is born when something else dies needs another box.
""")
slip("one-step-more", {"time < born": "time + 1 < born"}).says("""
    A box stays empty for one time too long. What died at time 3 is not there any more
    at time 4.
""")
slip("highest", {"boxes.append(fitting[0])": "boxes.append(fitting[-1])"}).says("""
    Two different boxes: one is written down, and another one is noted as taken.
""")
slip(
    "highest-free",
    {
        "append(fitting[0])": "append(fitting[-1])",
        "last[fitting[0]]": "last[fitting[-1]]",
    },
).says("""
    Each value goes into the free box with the *highest* number. Asked for is the
    lowest.
""")
slip("counted-from-1", {"return boxes": "return [k + 1 for k in boxes]"}).says("""
    Boxes are counted from 1. As places in a list, their numbers begin with 0.
""")
slip("birth-for-death", {"] = dies": "] = born"}).says("""
    Every value goes into box 0, and they overwrite each other: the box is noted as
    taken until the *birth* of its value. It is taken until the value dies.
""")
slip(
    "death-noted-once",
    {"last.append(-1)": "last.append(dies)", "        last[fitting[0]] = dies\n": ""},
).says("""
    The death of a value is noted when its box is new, and not when the box is used
    again: from then on it counts as empty. Note it for every value.
""")
slip("never-free", {"time < born": "False"}).says("""
    Every value has a box of its own: nothing is shared.
""")


def _by_time(lives, choose):
    boxes, last = [], []
    for born, dies in lives:
        fitting = [k for k, time in enumerate(last) if time < born]
        if not fitting:
            fitting = [len(last)]
            last.append(-1)
        boxes.append(choose(fitting, key=last.__getitem__))
        last[boxes[-1]] = dies
    return boxes


@ex.wrong(LIVES)
def free_since_just_now(lives):
    """Of several free boxes, the one that was left last is taken. Asked for is the
    lowest.
    """
    return _by_time(lives, max)


@ex.wrong(LIVES)
def free_for_the_longest_time(lives):
    """Of several free boxes, the one that has been free for the longest time is taken.
    Asked for is the lowest.
    """
    return _by_time(lives, min)


@ex.wrong(LIVES)
def how_many_live(lives):
    """This is how many of the earlier values are alive when one is born. Their boxes
    need not be the first ones: look for the lowest that is free.
    """
    return [
        sum(dies >= born for _, dies in lives[:n]) for n, (born, _) in enumerate(lives)
    ]


@ex.wrong(LIVES)
def taken_until_all_are_dead(lives):
    """A box is used again only when everything before has died. One value that lives
    long does not keep the others.
    """
    boxes, ends, k = [], -1, 0
    for born, dies in lives:
        k = 0 if ends < born else k
        boxes.append(k)
        ends, k = max(ends, dies), k + 1
    return boxes
