"""Nests of loops: which lines of one stage are computed side by side.

A nest runs over the elements of one shape: its outer loops over all axes but the last,
its innermost over the last one. A row may be gone through several times, since a sum
over the row is known only at its end:

    for i in …:                 # outer loops: one row after the other
        for j in …: …           # pass 0: values of elements, sums over the row
        …                       # time 1: values of the row, from those sums
        for j in …: …           # pass 1: values of elements that need them

A sum over all rows is known after the nest; who needs it is in a later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from course_utils.compiler.lines import Line
from course_utils.compiler.places import At
from course_utils.compiler.stages import base_of

# The loop that runs over each axis; None: it has length 1; or the place along it.
Axes = tuple[int | At | None, ...]

ELEMENT, ROW, LATER = "element", "row", "later"


@dataclass(eq=False)
class Nest:
    """Lines that are computed in one nest of loops. Plumbing.

    - `axes`: for each line, the loops that run over the axes of what it gives.
    - `domain`: the same for what it goes through: a sum goes through its input.
    - `at`: when it is computed: ("element", pass) or ("row", time).
    - `when`: when its result is there: the same, but for sums, and ("later", 0).
    - `sources`: arrays from outside, each with the loops over its axes.
    """

    shape: tuple[int, ...]
    lines: list[Line] = field(default_factory=list)
    axes: dict[Line, Axes] = field(default_factory=dict)
    domain: dict[Line, Axes] = field(default_factory=dict)
    at: dict[Line, tuple[str, int]] = field(default_factory=dict)
    when: dict[Line, tuple[str, int]] = field(default_factory=dict)
    sources: dict[Line, set[Axes]] = field(default_factory=dict)

    @property
    def identity(self) -> Axes:
        """The loops over an array of the shape of the nest."""
        return tuple(k if n != 1 else None for k, n in enumerate(self.shape))

    def domains(self, line: Line) -> list[Axes]:
        """The ways in which a line could go through this nest: by element, by row."""
        shape, rank = domain_of(line), len(self.shape)
        found = [tuple(range(rank))] if shape == self.shape else []
        rows = tuple(range(rank - 1))
        if rank and line.kind not in ("store", "spread"):
            found += [(*rows, None)] if shape == (*self.shape[:-1], 1) else []
            found += [rows] if shape == self.shape[:-1] else []
        return found

    def fitting(self, line: Line) -> Axes | None:
        """The way in which a line goes through this nest, or None if it cannot."""
        for domain in self.domains(line):
            uses = uses_of(line, domain)
            within = [(x, axes) for x, axes in uses if x in self.axes]
            by_row = len(domain) < len(self.shape) or domain[-1:] == (None,)
            levels = (ROW,) if by_row else (ROW, ELEMENT)
            right = all(
                self.axes[x] == axes and self.when[x][0] in levels for x, axes in within
            )
            if right and (within or not by_row) and self.in_order(line, uses):
                return domain
        return None

    def in_order(self, line: Line, uses: list[tuple[Line, Axes]]) -> bool:
        """Whether nobody here reads what a store would have overwritten by then."""
        if line.kind != "store":
            return True
        old, time = line.inputs[1], self.time_of(uses)
        readers = [x for x in self.lines if any(old is base_of(y) for y in x.inputs)]
        return self.sources.get(old, set()) <= {self.identity} and all(
            self.at[x][0] == ELEMENT and self.at[x][1] <= time for x in readers
        )

    def shares(self, line: Line) -> bool:
        """Whether a line reads what is read or computed here."""
        near = [base_of(x) for x in line.inputs]
        return any(x in self.axes or (x in self.sources and x.shape) for x in near)

    def add(self, line: Line, domain: Axes) -> None:
        """Take a line in."""
        uses, rank = uses_of(line, domain), len(self.shape)
        by_element = rank > 0 and len(domain) == rank and domain[-1] is not None
        time = self.time_of(uses)
        axes = result_axes(line, domain)
        self.at[line] = self.when[line] = (ELEMENT if by_element else ROW), time
        if line.kind == "pick":
            after = self.when.get(uses[0][0], (ROW, 0))[0] == ELEMENT
            self.at[line] = self.when[line] = ROW, time + after
        elif line.kind == "fold":
            of_row = by_element and without_none(axes) == without_none(
                self.identity[:-1]
            )
            self.when[line] = (ROW, time + 1) if of_row else (LATER, 0)
        elif line.kind == "spread":
            self.when[line] = LATER, 0
        self.lines.append(line)
        self.domain[line], self.axes[line] = domain, axes
        for x, loops in uses:
            if x not in self.axes:
                self.sources.setdefault(x, set()).add(loops)

    def time_of(self, uses: list[tuple[Line, Axes]]) -> int:
        """The first time at which everything that a line reads is there."""
        return max([self.when[x][1] for x, _ in uses if x in self.when], default=0)


def without_none(axes: Axes) -> list[int]:
    """The loops alone. Plumbing."""
    return [k for k in axes if k is not None]


def domain_of(line: Line) -> tuple[int, ...]:
    """The shape that a line goes through. Plumbing."""
    own = line.kind not in ("fold", "pick", "spread")
    return line.shape if own else line.inputs[0].shape


def result_axes(line: Line, domain: Axes) -> Axes:
    """The loops over the axes of what a line gives. Plumbing."""
    if line.kind == "pick":
        return domain[:1]
    if line.kind == "spread":
        return line.function.places[0]
    return tuple(k if n != 1 else None for k, n in zip(domain, line.shape, strict=True))


def uses_of(line: Line, domain: Axes) -> list[tuple[Line, Axes]]:
    """What a line reads, each with the loops over its axes. Plumbing."""
    inputs = line.inputs
    if line.kind == "store":
        inputs = inputs[:1]
    row = line.kind in ("pick", "put")  # one number a row: axes from the left
    uses = [used(x, domain[:1] if row and k else domain) for k, x in enumerate(inputs)]
    return [(x, axes) for x, axes in uses if not (x.is_number or x.is_known)]


def used(line: Line, domain: Axes) -> tuple[Line, Axes]:
    """The array that a line is seen from, and the loops over its axes. Plumbing."""
    loops = without_ones(domain[len(domain) - len(line.shape) :], line)
    while line.kind == "axes":
        base = line.inputs[0]
        inner: list[int | At | None] = [None] * len(base.shape)
        for k, j in enumerate(line.options.get("axes", ())):
            if j is not None:
                inner[j] = loops[k]
        for k, at in enumerate(line.options.get("places", ())):
            inner[k] = at.of(loops) if isinstance(at, At) else loops[at]
        line, loops = base, without_ones(inner, base)
    return line, loops


def without_ones(loops: Sequence, line: Line) -> Axes:
    """The loops over the axes of a line, None for those of length 1. Plumbing."""
    return tuple(k if n != 1 else None for k, n in zip(loops, line.shape, strict=True))


def nested(lines: list[Line]) -> list[Nest]:
    """Lines of one stage as nests, in an order in which they can be run.

    A line joins the first nest behind those that it needs where it fits and where
    something that it reads is at hand; else it begins one. If it needs values of two
    nests that can be one, they become one.
    Plumbing.
    """
    nests: list[Nest] = []
    for line in lines:
        needs = needed_by(line, lines)
        homes = [k for k, nest in enumerate(nests) if needs & nest.axes.keys()]
        while len(homes) > 1 and (both := merged(nests, homes[-2], homes[-1], line)):
            nests[homes[-1]] = both
            del nests[homes[-2]]
            homes = [k for k, nest in enumerate(nests) if needs & nest.axes.keys()]
        place(line, nests, homes[-1] if homes else 0)
    return nests


def needed_by(line: Line, lines: list[Line]) -> set[Line]:
    """What has to be computed before a line: for a store, all that reads the old value.

    Plumbing.
    """
    needs = set(map(base_of, line.inputs))
    if line.kind == "store":
        old = line.inputs[1]
        needs |= {x for x in lines if x is not line and old in map(base_of, x.inputs)}
    return needs


def place(line: Line, nests: list[Nest], first: int) -> None:
    """Let a line join a nest from `first` on, or begin one. Plumbing."""
    for nest in nests[first:]:
        domain = nest.fitting(line) if nest.shares(line) else None
        if domain is not None:
            nest.add(line, domain)
            return
    shape = domain_of(line)
    nests.append(Nest(shape))
    nests[-1].add(line, tuple(range(len(shape))))


def merged(nests: list[Nest], a: int, b: int, line: Line) -> Nest | None:
    """Two nests as one in the place of the second, with room for a line; or None.

    Plumbing.
    """
    between = [x for nest in nests[a + 1 : b] for x in nest.lines]
    if nests[a].shape != nests[b].shape:
        return None
    if any(base_of(x) in nests[a].axes for y in between for x in y.inputs):
        return None
    both = Nest(nests[a].shape)
    for x in [*nests[a].lines, *nests[b].lines, line]:
        domain = both.fitting(x)
        if domain is None:
            return None
        if x is not line:
            both.add(x, domain)
    return both
