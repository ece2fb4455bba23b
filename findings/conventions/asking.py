"""Ask an engine for its gradients at the points of `course_utils.conventions`."""

from __future__ import annotations

import json
import sys

import numpy as np

from course_utils.conventions import POINTS


def ask(engine: str, version: str, functions: dict, grad, note: str = "") -> None:
    """Print what `engine` answers, as JSON.

    `functions` has the engine's own form of the points; `grad(f, *at)` gives the
    gradients for the inputs `at`, None where the engine says so. An error is stored as
    its name.
    """
    unknown = set(functions) - set(POINTS)
    if unknown:
        raise ValueError(f"no such points: {sorted(unknown)}; see course_utils")
    answers = {
        name: answer(grad, functions[name], POINTS[name].at)
        for name in POINTS
        if name in functions
    }
    found = {"version": version, "note": note, "answers": answers}
    json.dump({engine: found}, sys.stdout, ensure_ascii=False, indent=1)
    print()


def answer(grad, f, at):
    try:
        grads = grad(f, *at)
    except Exception as why:
        return type(why).__name__
    if any(g is None for g in grads):
        return None
    flat = np.concatenate([np.ravel(np.asarray(g, float)) for g in grads])
    return [float(f"{x:.7g}") if np.isfinite(x) else str(x) for x in flat]
