"""08.5 · Open challenge: ten steps."""

from dataclasses import replace

import numpy as np

from course_exercises.judge import Exercise, Mistake
from course_utils.nn import Parameter
from course_utils.optim import SGD, Adam, Optimizer

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


VALLEYS = {"straight": np.eye(2), "turned": TURN}
START, ELSEWHERE = np.array([-4.0, 1.0]), np.array([3.0, -2.0])


def height(p, valley, lowest=0.0):
    u = (p - lowest) @ VALLEYS[valley]
    return (u * u * np.array([0.5, 10.0])).sum()


def steps_through(answer, run, valley, lowest=0.0):
    """Count the steps until the loss is below 0.01: 61 if it never is.

    0 if it does not move at all.
    """
    p = Parameter((VALLEYS[valley] @ START + lowest)[None])
    optimizer = run(of=lambda: answer([p]))
    if said := no_optimizer(optimizer):
        return said
    if of_others(optimizer, p):
        return ex.named("other-parameters")
    before = p.data.copy()
    for count in range(1, 61):
        height(p, valley, lowest).backward()
        run(of=optimizer.step)
        if not np.all(np.isfinite(p.data)) or np.abs(p.data).max() > 1e6:
            return np.inf
        if height(p, valley, lowest).item() < 0.01:
            return count
        if count == 3 and np.array_equal(before, p.data):
            return 0
    return 61


def no_optimizer(thing):
    """The mistake, if what came back is no optimizer."""
    if thing is None:
        return "It returns None. Is a `return` missing?"
    if isinstance(thing, type):
        return ex.named("class")
    return "" if callable(getattr(thing, "step", None)) else ex.named("no-step")


def of_others(optimizer, p):
    """Whether it has parameters, and not the one that it was given."""
    own = getattr(optimizer, "parameters", [p])
    return isinstance(own, list) and not any(one is p for one in own)


@ex.judged
def judge_steps(answer, run):
    counts = {valley: steps_through(answer, run, valley) for valley in VALLEYS}
    straight, turned = counts.values()
    if isinstance(straight, str | Mistake):
        return straight
    if 0 in (straight, turned):
        return ex.named("stands-still")
    if max(straight, turned) <= MOST_STEPS:
        moved = steps_through(answer, run, "straight", ELSEWHERE)
        return None if 0 < moved <= MOST_STEPS else ex.named("knows-the-place")
    if begins_uphill(answer, run):
        return ex.named("uphill")
    if straight == np.inf:
        return ex.named("explodes")
    return counted(why_slow(answer, run, straight), counts)


def begins_uphill(answer, run):
    """Whether the first step goes along the gradient."""
    p = Parameter(START[None].copy())
    optimizer = run(of=lambda: answer([p]))
    height(p, "straight").backward()
    before, along = p.data.copy(), p.grad.copy()
    run(of=optimizer.step)
    return np.vdot(p.data - before, along) > 0


def why_slow(answer, run, straight):
    """The name of what makes it slow in the turned valley, or in both."""
    p = Parameter(START[None].copy())
    optimizer = run(of=lambda: answer([p]))
    if isinstance(optimizer, Adam):
        return "adam"
    if straight <= MOST_STEPS:
        return "by-coordinate"
    if isinstance(optimizer, SGD):
        much = "too-much-momentum" if optimizer.momentum > 0.7 else "too-slow"
        return much if optimizer.momentum else "no-momentum"
    return "too-slow" if remembers(optimizer, p, run) else "no-memory"


def remembers(optimizer, p, run):
    """Whether a second step along the same gradient is another one than the first."""
    places = [p.data.copy()]
    for _ in range(2):
        p.grad = np.ones_like(p.data)
        run(of=optimizer.step)
        places.append(p.data.copy())
    return not np.allclose(*np.diff(places, axis=0))


def counted(name, counts):
    """A mistake, told with the steps in each valley."""
    told = {np.inf: "it flies out", 61: "more than 60"}
    straight, turned = (told.get(count, count) for count in counts.values())
    words = f"Steps in the straight valley: {straight}; in the turned one: {turned}."
    mistake = ex.named(name)
    return replace(mistake, sentence=f"{words} {mistake.sentence}")


ex.slip("stands-still", {"0.12": "0.0"}, STEP).says("""
    After three steps the parameters are where they were. A step has to change `p.data`
    in place.
""")
ex.slip("class", {"(parameters, lr=0.12, momentum=0.5)": ""}, STEP).says("""
    It returns the class, not an optimizer: the brackets with the parameters and the
    settings are missing.
""")


@ex.wrong(STEP)
def other_parameters(parameters):
    """It moves parameters of its own. Those that came in are to be moved."""
    return SGD([Parameter(np.zeros((1, 2)))], lr=0.12, momentum=0.5)


NO_STEP = {"SGD(parameters, lr=0.12, momentum=0.5)": "[0.12, 0.5]"}
ex.slip("no-step", NO_STEP, STEP).says("""
    What it returns has no method `step`. An optimizer has one, such as `SGD`.
""")


@ex.wrong(STEP)
def uphill(parameters):
    """Its first step goes uphill: the gradient is added. It has to be subtracted."""

    class Uphill(SGD):
        def step(self):
            for p in self.parameters:
                p.data = p.data + self.lr * p.grad

    return Uphill(parameters, 0.05)


@ex.wrong(STEP)
def knows_the_place(parameters):
    """It arrives here, but not where the lowest point lies elsewhere: it seems to know
    the place. An optimizer knows the gradients alone.
    """

    class Zero(SGD):
        def step(self):
            for p in self.parameters:
                p.data = 0 * p.data

    return Zero(parameters, 0.05)


@ex.wrong(STEP)
def by_coordinate(parameters):
    """Each *coordinate* has a scale of its own. That is of no use where the valley does
    not run along a coordinate.
    """

    class Scaled(SGD):
        def step(self):
            for p in self.parameters:
                p.data = p.data - p.grad * np.array([1.0, 0.05])

    return Scaled(parameters, 1.0)


@ex.wrong(STEP)
def no_memory(parameters):
    """It remembers nothing: a second step along the same gradient is as the first. A
    velocity has to be kept from step to step, as an attribute.
    """

    class Forgetful(Optimizer):
        def step(self):
            for p in self.parameters:
                p.data = p.data - self.lr * p.grad

    return Forgetful(parameters, 0.09, 0.0)


ex.slip("explodes", {"0.12": "0.3", "0.5": "0.4"}, STEP).says("""
    It flies out of the valley: the steps are too long for the steep direction, whose
    gradient is 20 times as large.
""")
ex.slip("no-momentum", {"0.12, momentum=0.5": "0.09"}, STEP).says("""
    Without momentum the steep direction sets the limit, and no rate is quick in the
    gentle one.
""")

ADAM = {"SGD": "Adam", "lr=0.12, momentum=0.5": "lr=0.5, betas=(0.8, 0.99)"}
ex.slip("adam", ADAM, STEP).says("""
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
