"""What goes over the wire between the student's kernel and who judges.

The kernel holds the student's code, and neither solutions nor hidden inputs. It gets
the arguments of one call, and gives back what the call returned. What comes back is
data: nothing is unpickled, and nothing of it is run. A copy of this file lies in the
student's room.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

MOST_BYTES = 30_000_000
KINDS = "biufcU"  # of arrays: booleans, numbers, texts


class Garbage(ValueError):
    """What came over the wire is no data."""


# --- values ---------------------------------------------------------------------------


def pack(value: Any) -> dict:
    """Describe a value by what JSON has."""
    if type(value) in (bool, int, float, str) or value is None:
        return {"plain": value}
    if type(value) in (list, tuple):
        return {type(value).__name__: [pack(part) for part in value]}
    if type(value) is dict and all(type(key) is str for key in value):
        return {"dict": {key: pack(part) for key, part in value.items()}}
    if type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in KINDS:
        return pack_array(np.asarray(value))
    if isinstance(value, np.ndarray) and value.dtype.kind == "O" and value.ndim:
        return {"list": [pack(part) for part in value]}
    if value is Ellipsis:
        return {"dots": 3}
    if callable(value):
        return {"function": type(value).__name__}
    ours = type(value).__module__.startswith("course_utils") and hasattr(value, "data")
    return {"other": type(value).__name__, "ours": bool(ours)}


def pack_array(array: np.ndarray) -> dict:
    """Describe an array: type, shape, bytes."""
    array = array.astype(array.dtype.newbyteorder("<"))
    raw = base64.b64encode(array.tobytes()).decode()
    return {"array": raw, "type": array.dtype.str, "shape": array.shape}


def unpack(packed: Any) -> Any:
    """Make the value again; what is no data becomes an object that says its type."""
    if not isinstance(packed, dict):
        raise Garbage("not a description")
    if "plain" in packed:
        if type(packed["plain"]) in (bool, int, float, str, type(None)):
            return packed["plain"]
        raise Garbage("not plain")
    for kind in (list, tuple):
        if kind.__name__ in packed:
            return kind(unpack(part) for part in packed[kind.__name__])
    if "dict" in packed:
        return {str(key): unpack(part) for key, part in packed["dict"].items()}
    if "array" in packed:
        return unpack_array(packed)
    if "dots" in packed:
        return Ellipsis
    if "function" in packed:
        return lambda *args: None
    return stand_in(str(packed.get("other")), bool(packed.get("ours")))


def unpack_array(packed: dict) -> np.ndarray:
    """Make an array of bytes, and never of anything else."""
    dtype = np.dtype(packed["type"])
    if dtype.kind not in KINDS or dtype.fields or dtype.subdtype:
        raise Garbage("no array of numbers")
    raw = base64.b64decode(packed["array"])
    if not dtype.itemsize:
        return np.zeros(tuple(packed["shape"]), "U1")
    return np.frombuffer(raw, dtype).reshape(tuple(packed["shape"])).copy()


def stand_in(name: str, ours: bool) -> Any:
    """An object of a class of that name, for messages alone."""
    if not name.isidentifier():
        name = "object"
    module = "course_utils.tensor" if ours else "student"
    return type(name, (), {"__module__": module, "data": None} if ours else {})()


def dumps(packed: dict) -> str:
    """Write for the wire."""
    return base64.b64encode(json.dumps(packed).encode()).decode()


def loads(text: Any) -> dict:
    """Read from the wire; raise Garbage."""
    if not isinstance(text, str) or len(text) > MOST_BYTES:
        raise Garbage("too long, or no text")
    try:
        found = json.loads(base64.b64decode(text))
    except (ValueError, RecursionError) as why:
        raise Garbage(str(why)) from None
    if not isinstance(found, dict):
        raise Garbage("not a description")
    return found


# --- in the kernel --------------------------------------------------------------------


def look(names: dict, name: str) -> str:
    """Say what stands under a name: a value, or a function with its arguments."""
    import inspect

    if name not in names:
        return dumps({"missing": True})
    found = names[name]
    said: dict = {"value": pack(found)}
    if callable(found):
        try:
            said["takes"] = [
                [p.name, int(p.kind), p.default is not p.empty]
                for p in inspect.signature(found).parameters.values()
            ]
        except (TypeError, ValueError):
            said["takes"] = None
    return dumps(said)


def call(names: dict, name: str, text: str) -> str:
    """Call a function of the student within the limits; say what came of it."""
    from course_exercises.judge.exercise import plainly
    from course_exercises.judge.judging import told
    from course_exercises.judge.running import Runner, shortened

    asked = loads(text)
    args = tuple(unpack(part) for part in asked["args"])
    run = Runner(asked["seconds"])(plainly, names[name], args)
    trouble = None
    if run.error is not None:
        said = told(run.error, names[name], asked["limit"])
        trouble = [said.status, said.says]
    return dumps(
        {
            "value": pack(run.value),
            "trouble": trouble,
            "printed": shortened(run.printed),
            "warned": run.warned,
            "changed": list(run.changed),
        }
    )


KEPT: dict = {}  # what stood under a name where its check stands


def keep(names: dict, name: str) -> str:
    """Remember what stands under a name now, for when all has run."""
    if name in names:
        KEPT[name] = names[name]
    return dumps({"kept": name in names})


def judge_here(names: dict, name: str, number: str) -> str:
    """Judge in the kernel itself, where an exercise needs more than one call."""
    from course_exercises.judge.judging import Judge
    from course_exercises.library import find

    exercise = find(number)
    if name not in names:
        return dumps({"missing": True})
    said = Judge(exercise, names[name]).verdict()
    findings = [
        {
            "ids": list(f.ids),
            "says": f.says,
            "where": f.where,
            "output": f.output,
            "certain": f.certain,
        }
        for f in said.findings
    ]
    return dumps({"status": said.status, "says": said.says, "findings": findings})
