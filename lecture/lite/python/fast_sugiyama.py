"""The layers of a graph, in Python: a browser has no compiled fast-sugiyama.

The same call and the same answer, by the textbook: layers by the longest path, a vertex
at each layer that an edge passes, and the order within a layer by its neighbours' mean.

Source: K. Sugiyama, S. Tagawa, M. Toda, Methods for Visual Understanding of
Hierarchical System Structures, IEEE Transactions on Systems, Man, and Cybernetics,
1981.
"""

from __future__ import annotations

from statistics import fmean

SWEEPS = 24


def from_edges(edges, dummy_vertices=True, vertex_spacing=1, ranking_type="minimize"):
    """Give `[(positions, width, height, steps)]`; a position is `(across, level)`."""
    layer = _layers(edges)
    steps, layer = _short_steps(edges, layer)
    rows = _ordered(steps, layer)
    deepest = len(rows) - 1
    positions = [
        (v, ((k - len(row) / 2) * vertex_spacing, deepest - n))
        for n, row in enumerate(rows)
        for k, v in enumerate(row)
    ]
    return [(positions, max(map(len, rows)), deepest, steps)]


def _layers(edges) -> dict[int, int]:
    """Put each vertex one layer behind the last of its inputs; pull inputs close."""
    layer = dict.fromkeys((v for edge in edges for v in edge), 0)
    for _ in layer:  # as often as the longest path can be long
        moved = False
        for tail, head in edges:
            if layer[head] <= layer[tail]:
                layer[head], moved = layer[tail] + 1, True
        if not moved:
            break
    heads = {head for _, head in edges}
    for v in layer.keys() - heads:
        layer[v] = min(layer[head] for tail, head in edges if tail == v) - 1
    return layer


def _short_steps(edges, layer) -> tuple[list, dict]:
    """Cut each long edge into steps from one layer to the next."""
    layer, steps, new = dict(layer), [], max(layer) + 1
    for tail, head in edges:
        here = tail
        for n in range(layer[tail] + 1, layer[head]):
            layer[new] = n
            steps.append((here, new))
            here, new = new, new + 1
        steps.append((here, head))
    return steps, layer


def _ordered(steps, layer) -> list[list[int]]:
    """Order each layer by the mean place of the neighbours, forth and back."""
    rows = [[] for _ in range(max(layer.values()) + 1)]
    for v in sorted(layer):
        rows[layer[v]].append(v)
    before, after = {}, {}
    for tail, head in steps:
        after.setdefault(tail, []).append(head)
        before.setdefault(head, []).append(tail)
    best, fewest = [row[:] for row in rows], _crossings(rows, after)
    for sweep in range(SWEEPS):
        near, order = (after, rows[::-1]) if sweep % 2 else (before, rows)
        place = {v: k for row in rows for k, v in enumerate(row)}
        for row in order:
            row.sort(key=lambda v: fmean([place[u] for u in near.get(v, [v])]))
            place.update((v, k) for k, v in enumerate(row))
        if (crossings := _crossings(rows, after)) < fewest:
            best, fewest = [row[:] for row in rows], crossings
    return best


def _crossings(rows, after) -> int:
    """Count the pairs of steps that cross between two layers."""
    place = {v: k for row in rows for k, v in enumerate(row)}
    count = 0
    for row in rows:
        ends = [sorted(place[u] for u in after.get(v, ())) for v in row]
        flat: list[int] = []
        for some in ends:
            count += sum(b > e for e in some for b in flat)
            flat += some
    return count
