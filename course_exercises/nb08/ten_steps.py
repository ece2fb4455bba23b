"""08.5 · Open challenge: ten steps."""

from dataclasses import replace

import numpy as np

from course_exercises.judge import Exercise
from course_utils.nn import Parameter
from course_utils.optim import SGD, Adam

STEP = "08_modules_and_optimizers#From a gradient to a step"
TURN = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
MOST_STEPS = 10

ex = Exercise(
    "08.5",
    "Open challenge: ten steps",
    hints=(
        "Begin with the three walkers of the notebook. Which of them needs the same "
        "number of steps in both valleys, and why?",
        "Momentum walks a turned path in a turned valley: its formulas know no "
        "coordinates. In the notebook it needed 15 steps. Was the ball too fast, or "
        "too slow?",
        "A little less momentum than 0.7, and a rate about 0.1: with momentum, larger "
        "rates are possible than without.",
    ),
    explanation=(
        "SGD and momentum use sums and multiples of gradients alone; turn the valley, "
        "and the path turns with it. Adam divides coordinate by coordinate, so its "
        "path depends on how the valley lies. For a valley with slopes 1 and 20 theory "
        "gives momentum $((\\sqrt{20} - 1)/(\\sqrt{20} + 1))^2 \\approx 0.4$ and a "
        "rate of $4/(\\sqrt{20} + 1)^2 \\approx 0.13$."
    ),
)


@ex.answer
def my_optimizer(parameters):
    return SGD(parameters, lr=0.12, momentum=0.5)


def height(p, turned):
    u = p @ TURN if turned else p
    return (u * u * np.array([0.5, 10.0])).sum()


def steps_through(answer, run, turned):
    """Count the steps until the loss is below 0.01: 61 if it never is."""
    start = np.array([-4.0, 1.0])
    p = Parameter((TURN @ start if turned else start)[None])
    optimizer = run(of=lambda: answer([p]))
    before = p.data.copy()
    for count in range(1, 61):
        height(p, turned).backward()
        run(of=optimizer.step)
        if not np.all(np.isfinite(p.data)) or np.abs(p.data).max() > 1e6:
            return np.inf, optimizer
        if height(p, turned).item() < 0.01:
            return count, optimizer
        if count == 3 and np.array_equal(before, p.data):
            return 0, optimizer
    return 61, optimizer


@ex.judged
def judge_steps(answer, run):
    straight, optimizer = steps_through(answer, run, turned=False)
    turned, _ = steps_through(answer, run, turned=True)
    if max(straight, turned) <= MOST_STEPS and min(straight, turned) > 0:
        return None
    return _why_slow(straight, turned, optimizer)


def _why_slow(straight, turned, optimizer):
    """Say which mistake it is, and how many steps there were."""
    if 0 in (straight, turned):
        return ex.named("stands-still")
    if np.inf in (straight, turned):
        return ex.named("explodes")
    name = "too-slow"
    if isinstance(optimizer, Adam):
        name = "adam"
    elif isinstance(optimizer, SGD) and not optimizer.momentum:
        name = "no-momentum"
    elif isinstance(optimizer, SGD) and optimizer.momentum > 0.7:
        name = "too-much-momentum"
    counted = " and ".join(
        f"{count if count <= 60 else 'more than 60'} steps in the {valley} valley"
        for count, valley in ((straight, "straight"), (turned, "turned"))
    )
    return replace(
        ex.named(name), sentence=f"It takes {counted}. {ex.named(name).sentence}"
    )


ex.slip("stands-still", {"0.12": "0.0"}, STEP).says("""
    After three steps the parameters are where they were. A step has to change `p.data`
    in place.
""")

ex.slip("explodes", {"0.12": "0.3", "0.5": "0.4"}, STEP).says("""
    It flies out of the valley: the steps are too long for the steep direction, whose
    gradient is 20 times as large.
""")

ex.slip("no-momentum", {"0.12, momentum=0.5": "0.09"}, STEP).says("""
    Without momentum the steep direction sets the limit, and no rate is quick in the
    gentle one.
""")

ex.slip(
    "adam", {"SGD": "Adam", "lr=0.12, momentum=0.5": "lr=0.5, betas=(0.8, 0.99)"}, STEP
).says("""
    Adam gives each *coordinate* a scale of its own. Is that of use where the valley
    does not run along a coordinate?
""")

ex.slip("too-much-momentum", {"0.12": "0.05", "0.5": "0.9"}, STEP).says("""
    With this much momentum the ball swings on for long. How much of its speed is left
    after five steps?
""")

ex.slip("too-slow", {"0.12": "0.01", "0.5": "0.3"}, STEP).says(f"""
    At most {MOST_STEPS} are wanted in both. Vary one setting at a time, and look at the
    path.
""")
