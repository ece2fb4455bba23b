#!/usr/bin/env bash
# PyTorch: in float64 its Bessel functions have seven digits about x = 5, not sixteen.
#
# Versions: torch 2.15.0, numpy 2.5.5, Python 3.12, CPU; seen 30 November 2026.
# Behaviour: J1(x) Y0(x) - J0(x) Y1(x) = 2/(pi x) at every x > 0. With the values of
#   torch.special.bessel_j0 and its siblings the two sides differ by 1.5e-7 of their size
#   at x = 5.01; at x = 20 they agree to rounding. Since Y0' = -Y1, and each of them has
#   mistakes of its own, the gradient of bessel_y0 (which is -bessel_y1) is not the slope
#   of the values of bessel_y0: they differ by 1.1e-5 of their size.
# Output seen:
#   x = 5.01: identity off by 1.5e-07, gradient off its own slope by 1.1e-05
#   x = 20.0: identity off by 2.0e-15, gradient off its own slope by 3.1e-12
# Ends with 0 while this is so, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.12}" -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet torch==2.15.0 numpy==2.5.5
"$folder/env/bin/python" - <<'PY'
import math
import sys

import torch


def off(x, h=2.0**-17):
    at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    j0, j1, y0, y1 = (
        getattr(torch.special, f"bessel_{name}")(at) for name in ("j0", "j1", "y0", "y1")
    )
    identity = (j1 * y0 - j0 * y1).item() * math.pi * x / 2 - 1
    (gradient,) = torch.autograd.grad(y0, at)
    with torch.no_grad():
        up, down = (torch.special.bessel_y0(at + t).item() for t in (h, -h))
    slope = (up - down) / (2 * h)
    return abs(identity), abs(gradient.item() - slope) / abs(slope)


near, far = off(5.01), off(20.0)
for x, (identity, gradient) in ((5.01, near), (20.0, far)):
    print(f"x = {x}: identity off by {identity:.1e},", end=" ")
    print(f"gradient off its own slope by {gradient:.1e}")
as_seen = 1e-8 < near[0] < 1e-6 and 1e-6 < near[1] < 1e-4
sys.exit(0 if as_seen and far[0] < 1e-12 and far[1] < 1e-9 else 1)
PY
