#!/usr/bin/env bash
# PyTorch: the gradient of as_strided_scatter goes to what was overwritten, not kept.
#
# Versions: torch 2.15.0, numpy 2.5.5, Python 3.12, CPU; seen 30 November 2026.
# Behaviour: y is a copy of x in which a window is overwritten by v. With x of three
#   entries and a window on the first, y = (v, x2, x3): x1 has no part in y, so that its
#   gradient is 0, and x2 and x3 get theirs from y. The answer is the other way round:
#   x1 gets the gradient of y1, which v gets too, and x2 and x3 get 0. slice_scatter,
#   which writes the same y, is right.
# Output seen:
#   y                      [9.0, 2.0, 3.0]
#   as_strided_scatter     x [1.0, 0.0, 0.0] v [1.0]
#   slice_scatter          x [0.0, 10.0, 100.0] v [1.0]
#   measured               x [0.0, 10.0, 100.0]
# Ends with 0 while this is so, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.12}" -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet torch==2.15.0 numpy==2.5.5
"$folder/env/bin/python" - <<'PY'
import sys

import torch

X, PRICES = [1.0, 2.0, 3.0], torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)


def by_strides(x, v):
    return torch.as_strided_scatter(x, v, (1,), (1,), 0)


def by_slice(x, v):
    return torch.slice_scatter(x, v, 0, 0, 1)


def gradients(write):
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    v = torch.tensor([9.0], dtype=torch.float64, requires_grad=True)
    (write(x, v) * PRICES).sum().backward()
    return x.grad.tolist(), v.grad.tolist()


def slope(k, h=2.0**-10):
    moved = [torch.tensor(X, dtype=torch.float64) for _ in range(2)]
    moved[0][k] += h
    moved[1][k] -= h
    v = torch.tensor([9.0], dtype=torch.float64)
    up, down = ((by_strides(x, v) * PRICES).sum().item() for x in moved)
    return (up - down) / (2 * h)


print("y                     ", by_strides(torch.tensor(X), torch.tensor([9.0])).tolist())
strides, slices = gradients(by_strides), gradients(by_slice)
measured = [slope(k) for k in range(3)]
print("as_strided_scatter     x", *strides[:1], "v", *strides[1:])
print("slice_scatter          x", *slices[:1], "v", *slices[1:])
print("measured               x", measured)
right = ([0.0, 10.0, 100.0], [1.0])
as_seen = strides == ([1.0, 0.0, 0.0], [1.0]) and slices == right
sys.exit(0 if as_seen and measured == right[0] else 1)
PY
