"""Right answers to the exercises of 12 in other styles."""

import numpy as np

from . import right


@right("12.1")
def by_search(left, right_, n):
    pairs = list(zip(left, right_, strict=True))
    found = [[k for k, pair in enumerate(pairs) if place in pair] for place in range(n)]
    return [readers[-1] if readers else len(pairs) for readers in found]


@right("12.1")
def by_numpy(left, right_, n):
    last = np.full(n, len(left))
    for k, pair in enumerate(zip(left, right_, strict=True)):
        last[list(pair)] = k
    return last


@right("12.2")
def by_where(grad_out, z):
    grad_z = np.where(z > 0, grad_out, 0.0)
    return grad_z, np.ones(len(z)) @ grad_z


@right("12.2")
def by_rows(grad_out, z):
    grad_z, grad_b = np.array(grad_out), np.zeros(z.shape[1])
    for row, at in zip(grad_z, z, strict=True):
        row[at <= 0] = 0
        grad_b += row
    return grad_z, grad_b


@right("12.4")
def by_a_table_of_times(lives):
    ends = max(dies for _, dies in lives) + 1
    taken, boxes = np.zeros((len(lives), ends), dtype=bool), []
    for born, dies in lives:
        k = int(np.argmin(taken[:, born : dies + 1].any(axis=1)))
        taken[k, born : dies + 1] = True
        boxes.append(k)
    return boxes


@right("12.5")
def by_frozen_sets(program):
    places, first = {}, []
    for k, (name, a, b) in enumerate(program):
        a, b = [first[x] if isinstance(x, int) else x for x in (a, b)]
        both = frozenset([a, b]) if name in ("add", "mul") else (a, b)
        places.setdefault((name, both), k)
        first.append(places[name, both])
    return first
