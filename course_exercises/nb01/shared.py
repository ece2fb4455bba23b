"""What several exercises of 01 share."""

import math


def sigma(x):
    return 1.0 / (1.0 + math.exp(-x))


def floats(rng, count, size, low=0.3, high=1.6):
    """Numbers away from zero, of both signs."""
    numbers = rng.uniform(low, high, size=(count, size))
    numbers *= rng.choice([-1, 1], size=numbers.shape)
    return [tuple(row) for row in numbers.tolist()]
