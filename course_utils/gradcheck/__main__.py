"""A referee in a terminal: python -m course_utils.gradcheck module:function.

The module, a file in this folder or one that can be imported, holds beside `function`

    function_inputs    the point: a dict of arrays, a sequence of arrays, or one array
    function_grad      the claimed gradients in the same form, or a function of the
                       inputs that gives them

The report is that of `gradcheck`. The command ends with 0 for right, 1 for wrong, and 2
where it cannot say: where f raises an error or is too noisy, or the question is not
whole.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from course_utils.gradcheck.checks import gradcheck
from course_utils.gradcheck.report import Report

RIGHT, WRONG, CANNOT_SAY = 0, 1, 2


class CannotSay(Exception):
    """The referee has no verdict; the text says why. Plumbing."""


def main(arguments: list[str] | None = None) -> int:
    """Judge what the command line names; print the report, give the exit status.

    Plumbing.
    """
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.gradcheck",
        description=__doc__.partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", metavar="module:function")
    parser.add_argument(
        "--float32", action="store_true", help="f computes in float32, on purpose"
    )
    chosen = parser.parse_args(arguments)
    try:
        report = judge(*found(chosen.target), np.float32 if chosen.float32 else "d")
    except CannotSay as why:
        print(f"cannot say: {why}")
        return CANNOT_SAY
    print(report)
    if report:
        return RIGHT
    return CANNOT_SAY if any(check.noisy for check in report.checks) else WRONG


def found(target: str) -> tuple[Callable, Any, Any]:
    """Find the function, its inputs and its claimed gradients. Plumbing."""
    module_name, colon, name = target.partition(":")
    if not (module_name and colon and name):
        raise CannotSay(f"expected module:function, such as mine:f; found {target!r}")
    try:
        module = importlib.import_module(module_name.removesuffix(".py"))
    except Exception as why:
        raise CannotSay(f"{module_name} cannot be imported: {said(why)}") from why
    return tuple(part(module, f"{name}{end}") for end in ("", "_inputs", "_grad"))


def part(module: Any, name: str) -> Any:
    """Give what a module holds under a name. Plumbing."""
    try:
        return getattr(module, name)
    except AttributeError:
        raise CannotSay(
            f"{module.__name__} has no {name}; expected f, f_inputs (the point) and "
            f"f_grad (what is claimed), for a function f"
        ) from None


def judge(f: Callable, inputs: Any, grads: Any, dtype: Any = "d") -> Report:
    """Give the report, whatever f and its gradient do. Plumbing."""
    try:
        claimed = grads(*each(inputs)) if callable(grads) else grads
        return gradcheck(f, inputs, claimed, dtype=dtype)
    except Exception as why:
        raise CannotSay(f"at this point {said(why)}") from why


def each(inputs: Any) -> list:
    """Give the inputs one by one, as f gets them; copies. Plumbing."""
    if isinstance(inputs, Mapping):
        inputs = list(inputs.values())
    if not isinstance(inputs, list | tuple):
        inputs = [inputs]
    return [np.array(x, float) for x in inputs]


def said(why: Exception) -> str:
    """Write an error in one line. Plumbing."""
    return f"{type(why).__name__}: {' '.join(str(why).split()) or 'no message'}"


if __name__ == "__main__":
    sys.exit(main())
