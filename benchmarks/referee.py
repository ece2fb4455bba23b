"""Our gradcheck as a referee over torch: the samples that torch tests itself with.

torch keeps sample inputs for each of its operations (OpInfo). Of these, so many from
every operation, each is made a function of float64 arrays whose value is a number:
the sum of the result, times fixed random weights. torch's gradient at the sample is
judged by our `gradcheck`, and by torch's in its slow mode, sample by sample in turn.
The clock, that of the processor, sees both check the same right gradients. Outside of
it, one entry of each gradient is made 0.1 % too large, and ours has to find it.

What is left out is counted by reason in the record, under `facts`.
"""

from __future__ import annotations

import random
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, islice, zip_longest
from unittest import mock

import numpy as np
import torch
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

from benchmarks.harness import Case, Entrant, Unavailable, gather
from course_utils.gradcheck import KINK, Report, gradcheck

SAMPLES, QUICK, ROUNDS = 1500, 12, 7
FIRST, OF_EACH = 60, 8  # of an operation's first samples, so many are candidates
MISTAKE, SMALL = 1.001, 1e-3  # times an entry of no less than SMALL of the largest
TINY = 1e-6  # and no less than so many times the value
MOST = 250  # entries of a sample, and numbers of its result
RIGHT, WRONG, CANNOT_SAY = "right", "wrong", "cannot say"
TOLERANCE = {"samples": (0, 0), "entries": (0, 0), "gradients": (1e-12, 0)}

# torch 2.15 is wrong here, as difference quotients by hand say, or means another thing.
WRONG_IN_TORCH = {
    "as_strided_scatter": "the price goes to what was overwritten",
    "nn.functional.max_unpool1d": "of two writes to one place, both get the price",
    "nn.functional.max_unpool2d": "of two writes to one place, both get the price",
    "nn.functional.max_unpool3d": "of two writes to one place, both get the price",
    "normal": "0 for the mean: a draw is a constant to torch",
    "normal number_mean": "0 for the deviation: a draw is a constant to torch",
    "special.bessel_j0": "it and its slope, -j1, have 7 digits each about 5",
    "special.bessel_j1": "it and its slope have 7 digits each about 5",
    "special.bessel_y0": "it and its slope, -y1, have 7 digits each about 5",
    "special.bessel_y1": "it and its slope have 7 digits each about 5",
}


class LeftOut(Exception):
    """A sample that no referee can judge; the text says why, in a few words."""


@dataclass
class Sample:
    """A function of arrays, the point, and torch's gradient there.

    `result(*tensors)` is the operation's own; of its tensors, those that have a
    gradient are `kept`. `value(*arrays)` is the number for ours, and
    `of_tensors(*tensors)` the same for torch's checker. `prices` are the weights as
    arrays.
    """

    name: str
    arrays: list[np.ndarray]
    result: Callable
    kept: list[int] = field(default_factory=list)
    weights: list[torch.Tensor] = field(default_factory=list)
    prices: list[np.ndarray] = field(default_factory=list)
    grads: list[np.ndarray] = field(default_factory=list)

    def tensors(self) -> list[torch.Tensor]:
        """Leaves with the values of the point."""
        return [torch.tensor(x, requires_grad=True) for x in self.arrays]

    def of_tensors(self, *tensors: torch.Tensor) -> torch.Tensor:
        """Σ result·weights, with a history."""
        first, *more = self.whole(*tensors)
        total = torch.dot(first.reshape(-1), self.weights[0])
        for out, weights in zip(more, self.weights[1:], strict=True):
            total = total + torch.dot(out.reshape(-1), weights)
        return total

    def whole(self, *tensors: torch.Tensor) -> list[torch.Tensor]:
        """The operation's results, not summed up."""
        outs = tensors_in(self.result(*tensors))
        return [outs[i] for i in self.kept]

    def value(self, *arrays: np.ndarray) -> float:
        """The same number of arrays: what does not require grad leaves no history."""
        first, *more = self.whole(*map(torch.from_numpy, arrays))
        total = first.numpy().ravel() @ self.prices[0]
        for out, prices in zip(more, self.prices[1:], strict=True):
            total = total + out.numpy().ravel() @ prices
        return float(total)

    def gradient(self) -> list[np.ndarray]:
        """What torch says; zeros where an input is not used."""
        leaves = self.tensors()
        found = torch.autograd.grad(
            self.of_tensors(*leaves), leaves, allow_unused=True, materialize_grads=True
        )
        return [g.numpy(force=True) for g in found]


def tensors_in(result) -> list[torch.Tensor]:
    """The tensors of a result, however it is nested."""
    if isinstance(result, torch.Tensor):  # the usual case, which comes often
        return [result]
    return [x for x in tree_leaves(result) if isinstance(x, torch.Tensor)]


def recomposed(op, sample) -> tuple[list[np.ndarray], Callable]:
    """The arrays that have a gradient, and the operation as a function of them."""
    inputs = [sample.input, *sample.args, *sample.kwargs.values()]
    leaves, form = tree_flatten(inputs, is_leaf=lambda x: not tensors_in(x))
    at = [
        i
        for i, x in enumerate(leaves)
        if isinstance(x, torch.Tensor) and x.requires_grad and x.numel()
    ]
    fixed = [x.detach() if isinstance(x, torch.Tensor) else x for x in leaves]
    if any(fixed[i].layout != torch.strided for i in at):
        raise LeftOut("sparse input")
    if any(fixed[i].is_complex() for i in at):
        raise LeftOut("complex input")
    nested = (x for x in inputs if not isinstance(x, torch.Tensor))
    flat = not any(map(tensors_in, nested))
    operation, names = op.get_op(), list(sample.kwargs)
    wrapper, process = op.gradcheck_wrapper, sample.output_process_fn_grad
    n = 1 + len(sample.args)

    def result(*tensors: torch.Tensor):
        parts = list(fixed)
        for i, tensor in zip(at, tensors, strict=True):
            parts[i] = tensor
        parts = parts if flat else tree_unflatten(parts, form)
        kwargs = dict(zip(names, parts[n:], strict=True)) if names else {}
        return process(wrapper(operation, *parts[:n], **kwargs))

    return [fixed[i].contiguous().numpy().copy() for i in at], result


def made(op, sample, rng: np.random.Generator) -> Sample:
    """A sample that can be judged; raises LeftOut with the reason where it cannot."""
    if named(op) in WRONG_IN_TORCH:
        raise LeftOut("gradient that is wrong in torch")
    arrays, result = recomposed(op, sample)
    if not sum(x.size for x in arrays):
        raise LeftOut("no entry to nudge")
    if sum(x.size for x in arrays) > MOST:
        raise LeftOut(f"more than {MOST} entries")
    if not all(np.isfinite(x).all() for x in arrays):
        raise LeftOut("input that is not finite")
    found = Sample(named(op), arrays, result)
    with mock.patch.object(torch, "manual_seed", wraps=torch.manual_seed) as seeded_it:
        try:
            outs = tensors_in(result(*found.tensors()))
        except RuntimeError as why:  # as of as_strided, which looks past its input
            raise LeftOut("error where its inputs are copies") from why
    if seeded_it.called:
        raise LeftOut("result of chance, from a seed")
    found.kept = [i for i, out in enumerate(outs) if out.requires_grad]
    outs = [outs[i] for i in found.kept]
    if not sum(out.numel() for out in outs):
        raise LeftOut("no result with a gradient")
    if any(out.is_complex() for out in outs):
        raise LeftOut("complex result")
    if any(out.dtype != torch.float64 for out in outs):
        raise LeftOut("result of another precision")
    if any(out.layout != torch.strided for out in outs):
        raise LeftOut("sparse result")
    if sum(out.numel() for out in outs) > MOST:
        raise LeftOut(f"a result of more than {MOST} numbers")
    found.prices = [rng.standard_normal(out.numel()) for out in outs]
    found.weights = [*map(torch.from_numpy, found.prices)]
    first, again = found.value(*arrays), found.value(*arrays)
    if not np.isfinite(first):
        raise LeftOut("result that is not finite")
    if first != again:
        raise LeftOut("result of chance")
    found.grads = found.gradient()
    return found


def named(op) -> str:
    """The name of an operation and of its variant."""
    return f"{op.name} {op.variant_test_name}".strip()


def operations() -> list:
    """torch's operations with a gradient in float64."""
    try:
        from torch.testing._internal.common_methods_invocations import op_db
    except ImportError as why:
        raise Unavailable(f"torch's samples need a package: {why}") from why
    return [
        op
        for op in op_db
        if op.supports_autograd and torch.float64 in op.supported_backward_dtypes("cpu")
    ]


def candidates(op) -> list:
    """A few samples of an operation, drawn by a seed from the first that torch has."""
    seeded(0)
    every = op.sample_inputs("cpu", torch.float64, requires_grad=True)
    found = list(islice(every, FIRST))
    return random.Random(named(op)).sample(found, min(OF_EACH, len(found)))


def seeded(seed: int) -> None:
    """Start every generator that torch's samples draw from."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - some of torch's samples draw from it
    random.seed(seed)


def samples(count: int, left_out: Counter) -> list[Sample]:
    """So many samples: the first of every operation, then the second, and so on."""
    every = [[(op, s) for s in candidates(op)] for op in operations()]
    rng, found = np.random.default_rng(0), []
    for op, sample in filter(None, chain.from_iterable(zip_longest(*every))):
        if len(found) == count:
            break
        try:
            found.append(made(op, sample, rng))
        except LeftOut as why:
            left_out[str(why)] += 1
    return found


# --- the verdicts ---------------------------------------------------------------------


def verdict(report: Report) -> str:
    """Right, wrong, or cannot say."""
    if any(check.noisy for check in report.checks):
        return CANNOT_SAY
    return RIGHT if report else WRONG


def judged(sample: Sample, grads: list[np.ndarray]) -> Report:
    """What our gradcheck says; the values that it asks for need no gradient."""
    with torch.inference_mode():
        return gradcheck(sample.value, sample.arrays, grads)


def planted(sample: Sample, report: Report, rng) -> list[np.ndarray] | None:
    """The gradient with one entry 0.1 % too large; None where it has none to spoil.

    Not on a kink, where an entry may be right though it is another one; and none that
    is nothing beside the others, or beside the rounding of the value.
    """
    grads = [g.copy() for g in sample.grads]
    size = np.concatenate([np.abs(g).ravel() for g in grads])
    least = max(SMALL * size.max(), TINY * abs(sample.value(*sample.arrays)))
    kinks = [(check.verdict == KINK).ravel() for check in report.checks]
    places = np.flatnonzero((size >= least) & (size > 0) & ~np.concatenate(kinks))
    if not places.size:
        return None
    i = int(rng.choice(places))
    for g in grads:
        if i < g.size:
            g.flat[i] *= MISTAKE
            return grads
        i -= g.size
    raise AssertionError("the place lies in one of the gradients")


def counted(found: list[Sample]) -> dict:
    """What ours says to right gradients and to spoilt ones: counts, and names."""
    rng, counts, names = np.random.default_rng(1), Counter(), {WRONG: [], "missed": []}
    for sample in found:
        report = judged(sample, sample.grads)
        said = verdict(report)
        counts[f"right gradients: {said}"] += 1
        if said == WRONG:
            names[WRONG].append(sample.name)
        spoilt = planted(sample, report, rng) if said == RIGHT else None
        if spoilt is None:
            continue
        counts["planted"] += 1
        if judged(sample, spoilt):
            names["missed"].append(sample.name)
        else:
            counts["found"] += 1
    wanted = {"planted": 0, "found": 0, "called wrong": len(names[WRONG])}
    return wanted | {"judged": len(found)} | dict(counts) | {"names": names}


class SideBySide:
    """Checkers that take one sample after the other, so that all see the same clock.

    A round is one pass over the samples, which the first that is asked for its seconds
    begins. Of two samples in a row, each checker is first at one.
    """

    def __init__(self, count: int):
        self.count, self.checks = count, {}
        self.number, self.spent = 0, {}

    def entrant(self, name: str, check: Callable[[int], object], answer) -> Entrant:
        """The entrant of a checker: `check(i)` judges sample i."""
        self.checks[name] = check
        return Entrant(name, lambda: self.seconds(name), self.begin, answer, gauge=True)

    def begin(self, number: int) -> None:
        """Another round: what was measured before is of another."""
        if number != self.number:
            self.number, self.spent = number, {}

    def seconds(self, name: str) -> float:
        """What a checker needed in this round, of the processor's time."""
        if not self.spent:
            self.spent = dict.fromkeys(self.checks, 0.0)
            turns = list(self.checks.items())
            for i in range(self.count):
                for who, check in turns[:: 1 if i % 2 else -1]:
                    began = time.process_time()
                    check(i)
                    self.spent[who] += time.process_time() - began
        return self.spent[name]


def ours(found: list[Sample], beside: SideBySide) -> Entrant:
    """Our gradcheck on every sample, with torch's gradient."""
    reports: dict[int, Report] = {}

    def check(i: int) -> None:
        reports[i] = judged(found[i], found[i].gradient())

    def answer() -> dict:
        checks = [check for i in sorted(reports) for check in reports[i].checks]
        return {
            "samples": len(reports),
            "entries": sum(check.numeric.size for check in checks),
            "gradients": np.concatenate([check.analytic.ravel() for check in checks]),
        }

    return beside.entrant("ours", check, answer)


def by_torch(found: list[Sample], counts: dict, beside: SideBySide) -> Entrant:
    """`torch.autograd.gradcheck` as it comes, in its slow mode; it may refuse, too."""
    leaves = [s.tensors() for s in found]
    said: dict[int, bool] = {}

    def check(i: int) -> None:
        said[i] = torch.autograd.gradcheck(
            found[i].of_tensors, leaves[i], raise_exception=False
        )

    def answer() -> dict:
        counts["torch: refused"] = list(said.values()).count(False)
        grads = [g.ravel() for s in found for g in s.gradient()]
        return {
            "samples": len(said),
            "entries": sum(x.numel() for at in leaves for x in at),
            "gradients": np.concatenate(grads),
        }

    return beside.entrant("torch", check, answer)


def case(name: str, threads: int, quick: bool = False, only: tuple = ()) -> Case:
    """Both checkers on the same samples; the counts are made first."""
    warnings.filterwarnings("ignore")  # torch's own, of its own samples
    torch.set_num_threads(threads)
    left_out: Counter = Counter()
    found = samples(QUICK if quick else SAMPLES, left_out)
    what = f"gradient checks of {len(found)} samples of torch's, processor time"
    beside = SideBySide(len(found))
    built = Case(name, what, [ours(found, beside)], TOLERANCE, warm_up=0)
    built.rounds = 1 if quick else ROUNDS  # the answers of round 0 warm up
    counts = counted(found)
    counts["names"]["wrong in torch"] = list(WRONG_IN_TORCH)
    built.facts = {"counted": counts, "left out": dict(left_out)}
    peers = {"torch": lambda: by_torch(found, counts, beside)}
    return built if only == ("ours",) else gather(built, peers, only)
