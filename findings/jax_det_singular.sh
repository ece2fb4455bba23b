#!/usr/bin/env bash
# JAX: the gradient of a determinant at a singular matrix is zeros, where it is not zero.
#
# Versions: jax and jaxlib 0.12.0.1, numpy 2.5.5, Python 3.12, CPU; seen 30 November 2026.
# Behaviour: det [[a, b], [c, d]] = ad - bc has the gradient [[d, -c], [-b, a]], a
#   polynomial, at every matrix. At [[0, 0], [0, 2]] that is [[2, 0], [0, 0]]; jax.grad
#   gives zeros. The value is right, and so is the gradient at [[1, 1], [1, 1]].
# Output seen:
#   jnp.linalg.det at [[0, 0], [0, 2]]: [[0.0, 0.0], [0.0, 0.0]]
#   a*d - b*c      at [[0, 0], [0, 2]]: [[2.0, 0.0], [0.0, 0.0]]
#   difference quotient for a: 2.0
# Ends with 0 while this is so, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.12}" -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet jax==0.12.0.1 jaxlib==0.12.0.1 numpy==2.5.5
"$folder/env/bin/python" - <<'PY'
import sys

import jax
import jax.numpy as jnp

A = jnp.array([[0.0, 0.0], [0.0, 2.0]])


def by_hand(A):
    return A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]


det, hand = (jax.grad(f)(A).tolist() for f in (jnp.linalg.det, by_hand))
h = 0.5  # exact: the determinant is linear in each entry
step = jnp.zeros((2, 2)).at[0, 0].set(h)
up, down = (float(jnp.linalg.det(A + s * step)) for s in (1, -1))
print("jnp.linalg.det at [[0, 0], [0, 2]]:", det)
print("a*d - b*c      at [[0, 0], [0, 2]]:", hand)
print("difference quotient for a:", (up - down) / (2 * h))
as_seen = det == [[0.0, 0.0], [0.0, 0.0]] and hand == [[2.0, 0.0], [0.0, 0.0]]
sys.exit(0 if as_seen and (up - down) / (2 * h) == 2.0 else 1)
PY
