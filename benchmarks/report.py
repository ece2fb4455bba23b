"""From records to tables: medians, ratios, and which targets are reached.

Ratios are rounded up for the eye, and judged as they are.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent
RESULTS, README = FOLDER / "results.json", FOLDER / "README.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"

EAGER = ("torch eager", "torch eager, fused")
OURS = "ours: compiled"
MICROGRAD = ("micrograd", "micrograd, gc once a step")
MNIST = ("mnist-64", "mnist-256", "mnist-512-256")


class Target(NamedTuple):
    """A ratio of medians of one case, and the interval it has to lie in.

    `ours` over `other`, names of entrants; `scale` divides it further, where the two
    did not do the same amount of work. Of several others the fastest counts. With two
    threads `most_by_two` is the bound, where there is one. With `counts`, it is a share
    of what was counted, no times; without others, of all.
    """

    label: str
    case: str
    ours: str
    other: Sequence[str]
    most: float
    least: float = 0.0
    scale: float = 1.0
    most_by_two: float | None = None
    counts: bool = False

    def bound(self, threads: int) -> float:
        """What is allowed with so many threads."""
        two = threads == 2 and self.most_by_two is not None
        return self.most_by_two if two else self.most

    def ratio(self, record: dict) -> float | None:
        """The ratio in this record; None where one of the two is missing."""
        medians = record["median"] | record["facts"].get("counted", {})
        others = [medians[name] for name in self.other if name in medians]
        others += [] if self.other else [1.0]
        if self.ours not in medians or not others:
            return None
        return medians[self.ours] / min(others) / self.scale

    def reached(self, ratio: float | None, threads: int = 1) -> str:
        """Yes or no, without rounding."""
        if ratio is None:
            return "not measured"
        return "yes" if self.least <= ratio <= self.bound(threads) else "no"


def mnist_targets(case: str) -> Iterator[Target]:
    """The targets of the MNIST epoch for one network."""
    tape = "ours: tape"
    yield Target("tape ÷ torch eager", case, tape, EAGER, 0.60)
    yield Target("tape ÷ jax jit", case, tape, ("jax jit",), 1.00)
    most = {"mnist-256": 1.40, "mnist-512-256": 1.30}.get(case)
    if most:
        yield Target("tape ÷ matrix products", case, tape, ("matrix products",), most)
    yield from compiled_targets(case)
    layers = Target("layers ÷ tape", case, "ours: layers", (tape,), 1.10)
    yield layers._replace(least=0.90)


# compiled tape ÷ (jax jit, the best of torch, the products): for one thread, for two.
COMPILED = {
    "mnist-64": {"jax": (0.80, 0.85)},
    "mnist-256": {"jax": (0.88, 0.85), "torch": (0.68, 0.64), "products": (1.10, 1.32)},
    "mnist-512-256": {"products": (1.08, 1.20)},
}
OTHERS = {
    "jax": ("jax jit",),
    "torch": ("torch eager", "torch eager, fused", "torch.compile"),
    "products": ("matrix products",),
}
NAMES = {"jax": "jax jit", "torch": "the best of torch", "products": "matrix products"}


def compiled_targets(case: str) -> Iterator[Target]:
    """The targets of the compiled step for one network."""
    for key, (one, two) in COMPILED[case].items():
        target = Target(f"compiled ÷ {NAMES[key]}", case, OURS, OTHERS[key], one)
        yield target._replace(most_by_two=two)


def beside_torch(label: str, case: str) -> Target:
    """Ours over torch's eager loop."""
    return Target(label, case, "ours: tape", ("torch eager",), 1.5)


def attention_targets(what: str) -> Iterator[Target]:
    """The targets of a step of a network of notebook 14."""
    for label, ours in (("a step", "ours: tape"), ("compiled", OURS)):
        yield Target(f"{label} ÷ torch eager", f"attention-{what}", ours, EAGER, 0.80)


def counted(
    label: str, ours: str, other: Sequence[str], most: float, least: float = 0.0
) -> Target:
    """A share of what the referee counted."""
    return Target(label, "referee", ours, other, most, least, counts=True)


def growth(case: str) -> Target:
    """Cost per operation at 100,000 operations over that at 1,000."""
    label = "cost per node, 100,000 ÷ 1,000"
    return Target(label, case, "ours, 100,000", ("ours, 1,000",), 1.2, scale=100)


LONG_RUN = Target(
    "test accuracy", "accuracy", "ours: long run", (), 1, 0.994, 100, counts=True
)

TARGETS = [
    *(target for case in MNIST for target in mnist_targets(case)),
    *(target for what in ("read", "sort") for target in attention_targets(what)),
    Target("scalar tape ÷ micrograd", "moons", "ours: replayed", MICROGRAD, 0.30),
    Target("compiled ÷ micrograd", "moons", OURS, MICROGRAD, 0.003),
    Target("gradcheck ÷ torch's", "gradcheck", "ours", ("torch",), 0.50),
    Target("compiled ÷ torch's", "gradcheck", OURS, ("torch",), 0.25),
    Target("gradcheck ÷ torch's, slow mode", "referee", "ours", ("torch",), 0.50),
    counted("right gradients called wrong", "called wrong", ("judged",), 0.0),
    counted("mistakes of 0.1 % found", "found", ("planted",), 1.0, least=0.995),
    beside_torch("convolutional epoch ÷ torch eager", "pictures"),
    Target("compiled ÷ torch eager", "pictures", OURS, ("torch eager",), 1.00),
    beside_torch("memory of a convolution ÷ torch's", "memory-convolution"),
    LONG_RUN,
    growth("chain"),
    growth("wide"),
]


def judged(records: Sequence[dict]) -> list[tuple[Target, int, float | None]]:
    """Every target with each number of threads it was measured with."""
    found = []
    for target in TARGETS:
        mine = [r for r in records if r["case"] == target.case]
        found += [(target, r["threads"], target.ratio(r)) for r in mine]
        found += [] if mine else [(target, 0, None)]
    return found


# --- text -----------------------------------------------------------------------------


def shown(value: float, unit: str = "s") -> str:
    """A number with three digits and the unit that suits it."""
    if unit == "%":
        return f"{value:.2f} %"
    if unit != "s":
        return f"{value:.0f} {unit}"
    for factor, name in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {name}"
    return f"{value * 1e9:.3g} ns"


def up(ratio: float | None) -> str:
    """A ratio with two decimals, or four where it is small, rounded up."""
    if ratio is None:
        return "–"
    digits = 2 if ratio >= 0.05 else 4
    return f"{math.ceil(ratio * 10**digits - 1e-9) / 10**digits:.{digits}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def targets_table(records: Sequence[dict]) -> str:
    """What is to be reached, what was measured, and whether it is enough."""
    rows = []
    for target, threads, ratio in judged(records):
        most, found = target.bound(threads), up(ratio)
        bound = f"≤ {most:.2f}" if most >= 0.01 else f"≤ {most:g}"
        if target.least:
            bound = f"{target.least:.2f} … {most:.2f}"
        if target.counts:
            bound = f"≥ {target.least:.1%}" if target.least else f"≤ {most:g}"
            found = "–" if ratio is None else f"{100 * ratio:.3f} %"
        where = [target.label, target.case, str(threads or "–")]
        rows.append([*where, bound, found, target.reached(ratio, threads)])
    head = (
        "ratio of medians, or share",
        "case",
        "threads",
        "to reach",
        "measured",
        "reached",
    )
    return table(head, rows)


def reference(record: dict, name: str = "") -> str:
    """Ours that an entrant is compared with: that of its size, else the first one."""
    same_size = f"ours, {name.partition(', ')[2]}"
    return same_size if same_size in record["median"] else next(iter(record["median"]))


def case_table(record: dict) -> str:
    """Median, range and ratio of every entrant; who is missing, and why."""
    unit, medians = record["unit"], record["median"]
    rows = []
    for name, values in record["rounds_of"].items():
        middle = median(values)
        span = f"{shown(min(values), unit)} … {shown(max(values), unit)}"
        base = medians[reference(record, name)]
        rows.append([name, shown(middle, unit), span, up(base / middle)])
    rows += [[name, "–", why, "–"] for name, why in record["missing"].items()]
    return table(
        ("", "median", "range", f"{reference(record).partition(', ')[0]} ÷ it"), rows
    )


def per_node(record: dict) -> str:
    """Nanoseconds an operation and a node of our tape, where the record counts them."""
    rows = []
    for size, counts in record["facts"].get("counts", {}).items():
        for who in ("ours", "compiled", "torch"):
            if (name := f"{who}, {size}") in record["median"]:
                ns = record["median"][name] * 1e9
                each = f"{ns / counts['nodes']:.0f}" if who != "torch" else "–"
                rows.append([name, f"{ns / counts['operations']:.0f}", each])
    head = ("", "ns an operation", "ns a node (leaves included)")
    return table(head, rows) if rows else ""


def apart(record: dict) -> str:
    """What was done once, outside the clock."""
    parts = record["facts"].get("apart", {}).items()
    said = [f"{what} {shown(seconds)}" for what, seconds in parts]
    return f"Once, outside the clock: {', '.join(said)}." if said else ""


def counts(record: dict) -> str:
    """What the referee counted, and what it could not judge."""
    facts, parts = record["facts"], []
    for what in ("counted", "left out"):
        numbers = {k: n for k, n in facts.get(what, {}).items() if k != "names"}
        if numbers:
            told = ", ".join(f"{name} {n}" for name, n in numbers.items())
            parts.append(f"{what.capitalize()}: {told}.")
    for what, names in facts.get("counted", {}).get("names", {}).items():
        parts += [f"Named {what}: {', '.join(names)}."] if names else []
    return "\n\n".join(parts)


def agreed(record: dict) -> str:
    """How far the results lay apart, and what was allowed."""
    parts = []
    for key, gap in record["largest_difference"].items():
        rtol, atol = record["tolerance"][key]
        parts.append(f"{key} {gap:.1g} (allowed {max(rtol, atol):g})")
    return f"Largest difference: {', '.join(parts)}." if parts else ""


def case_text(record: dict) -> str:
    """Heading, conditions, tables and agreement of one record."""
    threads, rounds = record["threads"], record["rounds"]
    head = f"### {record['case']}, {threads} thread{'s' * (threads > 1)}"
    cores = record["cores"]
    held = f"held to {cores} core{'s' * (cores > 1)}" if cores else "not held to cores"
    what = f"What: {record['what']}. {rounds} rounds, {held}"
    load = record.get("load")
    what += f", {record['date']}" if "date" in record else ""
    what += f", load before {load:.1f}." if load is not None else "."
    parts = (
        head,
        what,
        case_table(record),
        per_node(record),
        apart(record),
        counts(record),
        agreed(record),
    )
    return "\n\n".join(part for part in parts if part)


def machine_text(results: dict) -> str:
    """Where and with what it was measured."""
    machine = ", ".join(f"{key} {value}" for key, value in results["machine"].items())
    versions = ", ".join(f"{key} {value}" for key, value in results["versions"].items())
    return f"Machine: {machine}.\n\nVersions: {versions}."


def whole(results: dict) -> str:
    """All tables in Markdown."""
    records = results["records"]
    cases = "\n\n".join(map(case_text, records))
    parts = (machine_text(results), "## Targets", targets_table(records))
    return "\n\n".join((*parts, "## Cases", cases))


# --- files ----------------------------------------------------------------------------


def merged(old: dict, new: dict, order: Callable[[str], int]) -> dict:
    """New records in place of old ones of the same case and threads.

    Records of another machine, or made with other versions, are left behind.
    """
    same = all(old.get(key) == new[key] for key in ("machine", "versions"))
    kept = old.get("records", []) if same else []
    records = {(r["case"], r["threads"]): r for r in (*kept, *new["records"])}
    ordered = sorted(records.values(), key=lambda r: (order(r["case"]), r["threads"]))
    return new | {"records": ordered}


def load(path: Path = RESULTS) -> dict:
    """What was measured before."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def store(results: dict, path: Path = RESULTS) -> None:
    """Write the JSON, a line ending at its end."""
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def write_readme(results: dict, path: Path = README) -> None:
    """Put the tables between their two marks; raises ValueError if they are missing."""
    text = path.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{path}: the lines {BEGIN} and {END} are missing")
    body = f"{BEGIN}\n\n{whole(results)}\n\n{END}"
    text = pattern.sub(lambda _: body, text)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_pyperf(results: dict, path: Path) -> None:
    """Write the rounds as a pyperf suite, for `python -m pyperf compare_to old new`."""
    import pyperf

    suite = []
    for record in (r for r in results["records"] if r["unit"] == "s"):
        for name, values in record["rounds_of"].items():
            title = f"{record['case']}, {record['threads']}: {name}"
            metadata = {"name": title, "unit": "second", "loops": 1}
            runs = [pyperf.Run([v], metadata=metadata, collect_metadata=False)
                    for v in values]  # fmt: skip
            suite.append(pyperf.Benchmark(runs))
    pyperf.BenchmarkSuite(suite).dump(str(path), replace=True)
