"""micrograd's own example, two moons, beside the same on our scalar tape.

The example is that of micrograd's demo: 100 moons with noise 0.1, MLP(2, [16, 16, 1])
with ReLUs, max-margin loss plus 1e-4 · Σ w², a full batch a step, 100 steps, learning
rate 1 − 0.9 k/100. One function writes the loss down for both: what runs beneath it is
the difference.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.harness import Case, Entrant, gather
from course_utils.data import two_moons
from course_utils.scalar import Value
from course_utils.tape import Tape

STEPS = 100  # of the whole example; the learning rate is made for it
TIMED = 20  # steps of a timed round; round 0, which compares, is the whole example
ALPHA = 1e-4
WIDTHS = [2, 16, 16, 1]

# The same float64 operations, gradients added in another order: 1e-16 a time, and a
# training run multiplies what it is given. Twelve digits are left.
TOLERANCE = {"losses": (1e-12, 0), "weights": (1e-12, 0)}


@dataclass
class Moons:
    """Points, labels −1 and 1, and first weights, drawn as micrograd draws them.

    `whole` is how many steps round 0 has, `steps` how many the round ahead.
    """

    points: list[list[float]]
    labels: list[float]
    first: list[float]
    whole: int
    steps: int
    losses: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def start(self, number: int) -> None:
        """Begin a round: all steps in round 0, else as many as are timed."""
        self.steps = min(TIMED, self.whole) if number else self.whole

    def answer(self) -> dict:
        """The loss of every step, and the weights after the last one."""
        return {"losses": self.losses, "weights": self.weights}


def moons(n: int = 100, steps: int = STEPS) -> Moons:
    """Draw the task; a weight is uniform in [−1, 1], a bias 0, neuron by neuron."""
    X, y = two_moons(n, 0.1, np.random.default_rng(1337))
    draw = random.Random(1337)
    first = []
    for fan_in, fan_out in zip(WIDTHS[:-1], WIDTHS[1:], strict=True):
        for _ in range(fan_out):
            first += [draw.uniform(-1, 1) for _ in range(fan_in)] + [0.0]
    return Moons(X.tolist(), [2.0 * label - 1 for label in y], first, steps, steps)


def rate(k: int) -> float:
    """Learning rate of step k, as in the demo."""
    return 1.0 - 0.9 * k / STEPS


def total_loss(scores: Sequence, labels: Sequence[float], parameters: Sequence):
    """Mean of max(0, 1 − label · score) + ALPHA · Σ w², for any kind of number."""
    losses = [(1 + -y * score).relu() for y, score in zip(labels, scores, strict=True)]
    return sum(losses) * (1.0 / len(losses)) + ALPHA * sum(p * p for p in parameters)


# --- ours -----------------------------------------------------------------------------


def network(parameters: Sequence[Value], x: Sequence) -> Value:
    """The MLP written down on Values; weights of a neuron, then its bias."""
    weights = iter(parameters)
    for fan_out in WIDTHS[1:]:
        neurons = [([next(weights) for _ in x], next(weights)) for _ in range(fan_out)]
        sums = [
            sum((w * a for w, a in zip(ws, x, strict=True)), b) for ws, b in neurons
        ]
        x = sums if fan_out == 1 else [s.relu() for s in sums]
    return x[0]


def recorded(m: Moons, parameters: Sequence[Value]) -> Value:
    """Record the loss of all points once."""
    points = [[Value(x, requires_grad=False) for x in point] for point in m.points]
    scores = [network(parameters, x) for x in points]
    return total_loss(scores, m.labels, parameters)


def replayed(m: Moons) -> Entrant:
    """Record the example once, then play the tape forward and backward a step.

    A round pays the recording in full, which the whole example spreads over five times
    as many steps.
    """

    def work() -> None:
        parameters = [Value(w) for w in m.first]
        tape = Tape(recorded(m, parameters))
        m.losses = [descend(tape, parameters, 0)]
        for k in range(1, m.steps):
            tape.forward()
            m.losses.append(descend(tape, parameters, k))
        m.weights = [p.data for p in parameters]

    return Entrant("ours: replayed", work, m.start, m.answer)


def rerecorded(m: Moons) -> Entrant:
    """Record the loss anew in every step, as micrograd does."""

    def work() -> None:
        parameters = [Value(w) for w in m.first]
        m.losses = []
        for k in range(m.steps):
            tape = Tape(recorded(m, parameters))
            m.losses.append(descend(tape, parameters, k))
        m.weights = [p.data for p in parameters]

    return Entrant("ours: recorded anew", work, m.start, m.answer)


def compiled(m: Moons, facts: dict) -> Entrant:
    """Play the recorded example by compiled loops; recording and compiling apart."""
    from course_utils.compiler import CompiledTape

    began = time.perf_counter()
    parameters = [Value(w) for w in m.first]
    tape = CompiledTape(recorded(m, parameters))
    tape.forward()
    tape.backward()
    facts["apart"] = {"recording and compiling": time.perf_counter() - began}

    def work() -> None:
        for p, w in zip(parameters, m.first, strict=True):
            p.data = w
        m.losses = []
        for k in range(m.steps):
            tape.forward()
            m.losses.append(descend(tape, parameters, k))
        m.weights = [p.data for p in parameters]

    return Entrant("ours: compiled", work, m.start, m.answer)


def descend(tape: Tape, parameters: Sequence[Value], k: int) -> float:
    """Take step k downhill; give the loss before it."""
    tape.backward()
    for p in parameters:
        p.data -= rate(k) * p.grad
    return tape.output.data


# --- micrograd ------------------------------------------------------------------------


def micrograd(m: Moons) -> Entrant:
    """Its own MLP, its own Values, the loop of its demo."""
    from micrograd.engine import Value as Theirs
    from micrograd.nn import MLP

    def work(end_of_step: Callable[[], object] = int) -> None:
        model = MLP(WIDTHS[0], WIDTHS[1:])
        parameters = model.parameters()
        for p, w in zip(parameters, m.first, strict=True):
            p.data = w
        m.losses = []
        for k in range(m.steps):
            scores = [model(list(map(Theirs, x))) for x in m.points]
            loss = total_loss(scores, m.labels, parameters)
            model.zero_grad()
            loss.backward()
            for p in parameters:
                p.data -= rate(k) * p.grad
            m.losses.append(loss.data)
            del scores, loss
            end_of_step()
        m.weights = [p.data for p in parameters]

    return Entrant("micrograd", work, m.start, m.answer)


def micrograd_collected(m: Moons) -> Entrant:
    """The same, with Python's garbage collector called once a step, and no more.

    Each of its graphs is a web of cycles, through which the collector goes again and
    again while the next one grows: most of its time. Who knows that can spare it.
    """
    plain = micrograd(m)

    def work() -> None:
        gc.disable()
        try:
            plain.work(gc.collect)
        finally:
            gc.enable()

    return Entrant("micrograd, gc once a step", work, m.start, m.answer)


def case(name: str, threads: int, quick: bool = False, only: tuple = ()) -> Case:
    """The example from its first weights on; whole in round 0, its beginning timed."""
    size = {"n": 10, "steps": 3} if quick else {}
    what = (
        "micrograd's moons example, 100 points; compared over all 100 steps, 20 timed"
    )
    ours = [replayed(moons(**size)), rerecorded(moons(**size))]
    facts: dict = {}
    peers: dict[str, Callable[[], Entrant]] = {
        "ours: compiled": lambda: compiled(moons(**size), facts),
        "micrograd": lambda: micrograd(moons(**size)),
        "micrograd, gc once a step": lambda: micrograd_collected(moons(**size)),
    }
    built = Case(name, what, ours, TOLERANCE, warm_up=0, facts=facts)
    return built if only == ("ours",) else gather(built, peers, only)
