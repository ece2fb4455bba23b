"""What backward costs a node, in a chain and in a wide sum, small and large.

`Tape(output).backward()` is timed as users call it, `output.backward()`: it finds the
nodes, brings them in order, and plays them back. Recording is not part of it.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.harness import Case, Entrant, gather
from course_utils.scalar import Value
from course_utils.tape import Tape

SIZES = (1_000, 10_000, 100_000)
QUICK = (10, 100, 1000)
FACTOR, SHIFT = 0.999, 0.001  # keep a long product where floats are comfortable

RTOL = 1e-12  # float64; 100,000 factors, each product rounded to 1e-16 of itself


def chain(leaf, n: int):
    """A chain of n operations on one leaf: times FACTOR, plus SHIFT, in turn."""
    y = leaf
    for i in range(n):
        y = y + SHIFT if i % 2 else y * FACTOR
    return y


def wide(leaves: list, n: int):
    """A sum of n products, each of two leaves of its own."""
    products = [leaves[2 * i] * leaves[2 * i + 1] for i in range(n)]
    return sum(products[1:], products[0])


def grounds(shape: str, n: int) -> list[float]:
    """The values of the leaves."""
    return [1.0] if shape == "chain" else [(i % 7 + 1) / 8 for i in range(2 * n)]


def grown(shape: str, leaves: list, n: int):
    """The output of the graph on these leaves."""
    return chain(leaves[0], n) if shape == "chain" else wide(leaves, n)


def ours(shape: str, n: int, repeat: int) -> Entrant:
    """`backward` on our scalar tape."""
    leaves = [Value(x) for x in grounds(shape, n)]
    output = grown(shape, leaves, n)

    def answer() -> dict:
        return {f"gradients, {n:,}": [leaf.grad for leaf in leaves]}

    return Entrant(f"ours, {n:,}", output.backward, answer=answer, repeat=repeat)


def compiled(shape: str, n: int, repeat: int) -> Entrant:
    """`backward` of the same tape by the compiled loop; listing and compiling apart."""
    from course_utils.compiler import CompiledTape

    leaves = [Value(x) for x in grounds(shape, n)]
    tape = CompiledTape(grown(shape, leaves, n))
    tape.backward()

    def answer() -> dict:
        return {f"gradients, {n:,}": [leaf.grad for leaf in leaves]}

    return Entrant(f"compiled, {n:,}", tape.backward, answer=answer, repeat=repeat)


def by_torch(shape: str, n: int, repeat: int, threads: int) -> Entrant:
    """`backward` of PyTorch on numbers without axes; the graph is kept."""
    import torch

    torch.set_num_threads(threads)
    leaves = [
        torch.tensor(x, dtype=torch.float64, requires_grad=True)
        for x in grounds(shape, n)
    ]
    output = grown(shape, leaves, n)

    def work() -> None:
        for leaf in leaves:
            leaf.grad = None
        output.backward(retain_graph=True)

    def answer() -> dict:
        return {f"gradients, {n:,}": [leaf.grad.item() for leaf in leaves]}

    return Entrant(f"torch, {n:,}", work, answer=answer, repeat=repeat)


def counts(shape: str, n: int) -> dict[str, int]:
    """How many operations there are, and how many nodes our tape has with its leaves.

    A constant such as FACTOR is a leaf as well, each time it is used.
    """
    tape = Tape(grown(shape, [Value(x) for x in grounds(shape, n)], n))
    return {"operations": len(tape.operations), "nodes": len(tape)}


WHAT = {
    "chain": "backward() along a chain of 1,000, 10,000 and 100,000 operations",
    "wide": "backward() of a sum of 1,000 and 100,000 products of two leaves each",
}


def case(name: str, threads: int, quick: bool = False, only: tuple = ()) -> Case:
    """All sizes of one shape in turn, so that their costs are those of one time."""
    sizes = QUICK if quick else SIZES
    sizes = sizes if name == "chain" else (sizes[0], sizes[-1])
    # As often that the small ones take as long as the largest.
    repeat = {n: sizes[-1] // n for n in sizes}
    built = Case(name, WHAT[name], [ours(name, n, repeat[n]) for n in sizes])
    built.tolerance = {f"gradients, {n:,}": (RTOL, 0) for n in sizes}
    built.facts = {"counts": {f"{n:,}": counts(name, n) for n in sizes}}
    peers: dict[str, Callable[[], Entrant]] = {}
    for n in sizes:
        peers[f"compiled, {n:,}"] = lambda n=n: compiled(name, n, repeat[n])
        peers[f"torch, {n:,}"] = lambda n=n: by_torch(name, n, repeat[n], threads)
    return built if only == ("ours",) else gather(built, peers, only)
