#!/usr/bin/env bash
# PaddlePaddle: without a scale, group_norm's gradient lacks the way through the mean.
#
# Versions: paddlepaddle 3.3.1, Python 3.12, CPU; seen 30 November 2026.
# Behaviour: y = (x - m)/s. For prices g the gradient is (g - mean(g) - y mean(g y))/s.
#   With a scale of ones and a shift of zeros group_norm gives it; without them, for the
#   same values, it gives (g - y mean(g y))/s: the term mean(g), which comes through m,
#   is lost. So the entries of the gradient do not add up to 0, though the function does
#   not change where the same number is added to all x.
# Output seen:
#   with scale    [0.2072, -0.0968, 0.1516, -0.2621] sum 0.0
#   without scale [0.3165, 0.0126, 0.2609, -0.1527] sum 0.4373
#   measured      [0.2072, -0.0968, 0.1516, -0.2621]
# Ends with 0 while this is so, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.12}" -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet paddlepaddle==3.3.1
"$folder/env/bin/python" - 2>/dev/null <<'PY'
import sys

import paddle
import paddle.nn.functional as F

X = [[[0.5], [-1.0], [3.0], [2.5]]]  # one example, four channels
PRICES = paddle.to_tensor([[[0.3], [-0.6], [0.9], [0.1]]], "float64")
ONES, ZEROS = paddle.ones([4], "float64"), paddle.zeros([4], "float64")


def loss(x, *scale):
    return (F.group_norm(x, 1, 1e-5, *scale) * PRICES).sum()


def gradient(*scale):
    x = paddle.to_tensor(X, "float64", stop_gradient=False)
    loss(x, *scale).backward()
    return [round(float(g), 4) for g in x.grad.reshape([4])]


def slope(k, h=1e-5):
    moved = [paddle.to_tensor(X, "float64") for _ in range(2)]
    moved[0][0, k, 0] += h
    moved[1][0, k, 0] -= h
    up, down = (float(loss(x)) for x in moved)
    return round((up - down) / (2 * h), 4)


scaled, bare, measured = gradient(ONES, ZEROS), gradient(), [slope(k) for k in range(4)]
print("with scale   ", scaled, "sum", round(abs(sum(scaled)), 3))
print("without scale", bare, "sum", round(sum(bare), 4))
print("measured     ", measured)
right, wrong = [0.2072, -0.0968, 0.1516, -0.2621], [0.3165, 0.0126, 0.2609, -0.1527]
near = lambda a, b: max(abs(p - q) for p, q in zip(a, b)) < 2e-4  # noqa: E731
sys.exit(0 if near(scaled, right) and near(measured, right) and near(bare, wrong) else 1)
PY
