"""Weights in a file: a `.npz` that numpy.load opens as well, without pickle.

Each parameter is an entry under its name, such as `layers.0.W`; the entry `sha256 of
all` is the sum of names, dtypes, shapes and bytes. A file is loaded whole or not at
all.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from course_utils.data import write_whole
from course_utils.nn import Module

_SUM = "sha256 of all"  # no parameter can have this name
# What a damaged archive makes of its readers.
_DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def save(model: Module, path: str | os.PathLike) -> None:
    """Write all parameters of `model` to `path`, a name that ends in .npz.

    The file appears whole or not at all; one of that name is replaced.
    Raises ValueError for another ending, OSError if it cannot be written. Plumbing.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise ValueError(
            f"save: expected a name that ends in .npz, found {path.name!r}. "
            f"Mend: save(model, {path.name + '.npz'!r})"
        )
    arrays = {name: p.data for name, p in model.named_parameters()}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in {**arrays, _SUM: np.array(_sum_of(arrays))}.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    write_whole(content.getvalue(), path.absolute())


def load(model: Module, path: str | os.PathLike) -> None:
    """Fill the parameters of `model`, in place, with what `save` wrote to `path`.

    Bit for bit, and all of them or none.
    Raises ValueError if the file is damaged, is something else, or belongs to another
    model; OSError if it cannot be read. Nothing is unpickled. Plumbing.
    """
    parameters = dict(model.named_parameters())
    content = io.BytesIO(Path(path).read_bytes())
    try:
        with zipfile.ZipFile(content) as archive:
            _check_names(archive, parameters, path)
            arrays = {n: _entry(archive, n, p.data) for n, p in parameters.items()}
            said = str(_entry(archive, _SUM, np.array("0" * 64)))
    except _DAMAGE as error:
        if isinstance(error, _Foreign):
            raise
        raise ValueError(
            f"{path} holds no weights that can be read: {error}. Expected an undamaged "
            f"file written by save. Mend: save the model again, or copy the file again"
        ) from error
    _check_arrays(arrays, parameters, path)
    if said != (found := _sum_of(arrays)):
        raise ValueError(
            f"{path} is damaged: its weights should have the SHA-256 {said}, but have "
            f"{found}. Mend: save the model again, or copy the file again"
        )
    for name, parameter in parameters.items():
        parameter.data[...] = arrays[name]


class _Foreign(ValueError):
    """A file in order, but of another model."""


def _sum_of(arrays: dict[str, np.ndarray]) -> str:
    total = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        total.update(repr((name, array.dtype.str, array.shape)).encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def _check_names(archive: zipfile.ZipFile, parameters: dict, path) -> None:
    found = [name.removesuffix(".npy") for name in archive.namelist()]
    expected = [*parameters, _SUM]
    if sorted(found) != sorted(expected):
        missing = [name for name in expected if name not in found]
        surplus = [name for name in found if name not in expected]
        raise _Foreign(
            f"{path} does not belong to this model: it lacks {missing} and has "
            f"{surplus} besides. Mend: build the model as it was when it was saved"
        )


def _entry(archive: zipfile.ZipFile, name: str, like: np.ndarray) -> np.ndarray:
    """One array of the archive, if it is not far larger than expected."""
    # One of another shape is read, to say which; one that would fill memory is not.
    if archive.getinfo(f"{name}.npy").file_size > 16 * like.nbytes + 2**24:
        raise ValueError(f"its entry {name} is far too large")
    with archive.open(f"{name}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _check_arrays(arrays: dict, parameters: dict, path) -> None:
    for name, p in parameters.items():
        found = arrays[name]
        if (found.shape, found.dtype) != (p.data.shape, p.data.dtype):
            raise ValueError(
                f"{path} does not belong to this model: {name} has shape {found.shape} "
                f"and dtype {found.dtype}, expected {p.data.shape} and {p.data.dtype}. "
                f"Mend: build the model as it was when it was saved"
            )
