"""Data: MNIST from verified files, two toy sets, and mini-batches.

MNIST lies in the repository under `data/MNIST/raw`. Where it is missing, a cache folder
stands in, filled by a download: `COURSE_DATA` if that variable is set, else the user's
cache folder. Every file is compared with its SHA-256 before a byte of it is used.
"""

from __future__ import annotations

import glob
import gzip
import hashlib
import os
import secrets
import sys
import time
from collections.abc import Iterator
from numbers import Integral, Real
from pathlib import Path

import numpy as np

_SHA256 = {
    "train-images-idx3-ubyte.gz": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train-labels-idx1-ubyte.gz": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}
# The package is installed in place, so its data lie beside it.
_BUNDLED = Path(__file__).resolve().parents[1] / "data" / "MNIST" / "raw"
_MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_TIMEOUT = 30  # seconds without a byte


def mnist() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Load MNIST as `(x_train, y_train, x_test, y_test)`, in fresh arrays.

    Images are float32 in [0, 1], (60000, 784) and (10000, 784), a picture of 28 × 28
    pixels in each row; labels are int64 in 0 … 9.

    Raises
    ------
    ValueError : a file, or what the network sent for it, is not the original.
    ConnectionError : a file is neither here nor to be had from the network.
    OSError : a file cannot be read, or the cache folder cannot be written.

    Plumbing.
    Source: Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database.
    """
    return (
        _images("train-images-idx3-ubyte.gz"),
        _labels("train-labels-idx1-ubyte.gz"),
        _images("t10k-images-idx3-ubyte.gz"),
        _labels("t10k-labels-idx1-ubyte.gz"),
    )


def _images(name: str) -> np.ndarray:
    # The header holds four numbers of four bytes: format, pictures, rows, columns.
    pixels = np.frombuffer(gzip.decompress(_find(name)), np.uint8, offset=16)
    # With dtype given, no float64 copy of the whole set is made on the way.
    return np.divide(pixels.reshape(-1, 28 * 28), 255, dtype=np.float32)


def _labels(name: str) -> np.ndarray:
    # The header holds two numbers of four bytes: format and how many labels follow.
    labels = np.frombuffer(gzip.decompress(_find(name)), np.uint8, offset=8)
    return labels.astype(np.int64)


def _find(name: str) -> bytes:
    """Give the verified bytes of a file: bundled, else cached, else downloaded."""
    content = _read(
        _BUNDLED / name,
        "delete it; `git checkout -- data/MNIST/raw` in the repository then brings the "
        "original back (without git, it is downloaded).",
    )
    if content is not None:
        return content
    cached = _cache_folder() / name
    content = _read(cached, "delete it, and it is downloaded again.")
    return _download(cached) if content is None else content


def _cache_folder() -> Path:
    """Name the cache folder, which is laid out as the repository's `data` is."""
    if chosen := os.environ.get("COURSE_DATA"):
        return Path(chosen).expanduser().absolute() / "MNIST" / "raw"
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        home = "~/Library/Caches"
    else:
        home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    base = Path(home).expanduser().absolute()
    return base / "backpropagation-from-scratch" / "MNIST" / "raw"


def _read(path: Path, mend: str) -> bytes | None:
    """Give the verified bytes of a file; `None` if there is nothing of that name.

    A damaged file raises, though another might do: passed over, it would stay for ever.
    """
    try:
        if path.is_dir():  # Windows would speak of missing permission
            raise IsADirectoryError("a folder lies where a file is expected")
        if path.exists() and not path.is_file():  # reading a pipe would never end
            raise OSError("it is no ordinary file")
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise OSError(
            f"{path} cannot be read: {error}. Mend: get permission to read it and the "
            f"folders above; or {mend}"
        ) from error
    except OSError as error:
        raise OSError(f"{path} cannot be read: {error}. Mend: {mend}") from error
    return _verified(content, path.name, str(path), mend)


def _verified(content: bytes, name: str, where: str, mend: str) -> bytes:
    """Give back `content` if it is the original file `name`."""
    found = hashlib.sha256(content).hexdigest()
    if found == _SHA256[name]:
        return content
    raise ValueError(
        f"{where} is damaged: expected SHA-256 {_SHA256[name]}, "
        f"found {found} ({len(content):,} bytes). Mend: {mend}"
    )


def _download(path: Path) -> bytes:
    """Fetch the file that belongs at `path`, verify it, and only then keep it there."""
    url = _MIRROR + path.name
    mend = (
        "nothing was kept, so run it again. If that fails too, something on the way (a "
        f"proxy, a log-in page) changes it: copy the original into {path.parent}."
    )
    content = _verified(_fetch(url, path), path.name, f"What {url} sent", mend)
    try:
        write_whole(content, path)
    except OSError as error:
        raise OSError(
            f"The cache folder {path.parent} cannot be written: {error}. Mend: make "
            "room, or set the environment variable COURSE_DATA to a folder of yours."
        ) from error
    return content


def _fetch(url: str, path: Path) -> bytes:
    """Get what `url` sends, in memory: a download broken off leaves nothing on disk."""
    import http.client  # here, since nearly nobody needs them
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
            return response.read()
    except http.client.IncompleteRead as error:
        return error.partial  # its sum will not agree, and says so
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(
            f"{path.name} is neither in {_BUNDLED} nor in {path.parent}, and {url} "
            f"cannot be had: {error}. Mend: run `git checkout -- data/MNIST/raw` in "
            "the repository, or connect to a network, or copy the file into "
            f"{path.parent} (the environment variable COURSE_DATA names another)."
        ) from error


def write_whole(content: bytes, path: Path) -> None:
    """Write a file whole or not at all, also beside others who do the same.

    Nobody ever finds half a file under its name. What somebody left who was killed
    while writing, is taken away by the next who writes, an hour later.

    Raises
    ------
    OSError : the disk is full, or the folder cannot be written.

    Plumbing.
    """
    # Not `tempfile`: its files are closed to other users, who may share the cache.
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:  # Ctrl-C too
        part.unlink(missing_ok=True)
        raise
    _sweep(path)


def _sweep(path: Path) -> None:
    """Delete parts of `path` that nobody has written to for an hour."""
    for part in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        try:
            if time.time() - part.stat().st_mtime > 3600:
                part.unlink()
        except OSError:
            pass  # another's, or just gone: it does no harm


def two_moons(
    n: int, noise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw two interlocking half circles, X (n, 2) float64, and their labels y (n,).

    Class 0 is (cos t, sin t), class 1 is (1 − cos t, ½ − sin t), t uniform in [0, π];
    `noise` is the standard deviation of what is added to each coordinate. The classes
    take turns: row i belongs to class i mod 2.

    Raises
    ------
    ValueError : `n` is no whole number ≥ 1, or `noise` no finite number ≥ 0.
    TypeError : `rng` is no `np.random.Generator`.

    Plumbing.
    """
    _check_draw(n, noise, rng)
    y = np.arange(n, dtype=np.int64) % 2
    t = rng.uniform(0, np.pi, n)
    sign = 1 - 2 * y
    X = np.stack([y + sign * np.cos(t), y / 2 + sign * np.sin(t)], axis=1)
    return X + noise * rng.standard_normal((n, 2)), y


def spirals(
    n: int, n_classes: int, noise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the arms of a spiral, X (n, 2) float64, and their labels y (n,).

    Arm k is r·(cos a, sin a) with a = 2π (k / n_classes + ¾ r), r uniform in
    [0.1, 1]; `noise` is the standard deviation of what is added to each coordinate.
    The classes take turns: row i belongs to class i mod n_classes.

    Raises
    ------
    ValueError : `n` or `n_classes` is no whole number ≥ 1, or `noise` no finite
        number ≥ 0.
    TypeError : `rng` is no `np.random.Generator`.

    Plumbing.
    """
    _check_draw(n, noise, rng)
    _check_whole("n_classes", n_classes)
    y = np.arange(n, dtype=np.int64) % n_classes
    r = rng.uniform(0.1, 1, n)
    a = 2 * np.pi * (y / n_classes + 0.75 * r)
    X = np.stack([r * np.cos(a), r * np.sin(a)], axis=1)
    return X + noise * rng.standard_normal((n, 2)), y


def one_hot(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Turn labels (N,) into rows (N, n_classes), float64: out[i, k] = [labels[i] = k].

    Raises
    ------
    TypeError : the labels are not integers.
    ValueError : they are not one-dimensional or not in 0 … n_classes − 1, or
        `n_classes` is no whole number ≥ 1.

    Plumbing.
    """
    _check_whole("n_classes", n_classes)
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"labels: expected integers, found {labels.dtype}. "
            "Mend: labels.astype(np.int64), if they are whole numbers."
        )
    if labels.ndim != 1:
        raise ValueError(
            f"labels: expected the shape (N,), found {labels.shape}. "
            "Mend: labels.ravel(), if it holds one label for each example."
        )
    outside = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(outside):
        raise ValueError(
            f"labels: expected 0 … {n_classes - 1}, found {labels[outside[0]]} at "
            f"index {outside[0]}. Mend: count classes from 0, or raise n_classes."
        )
    return np.eye(n_classes)[labels]


def minibatches(
    x: np.ndarray,
    y: np.ndarray,
    batch_size: int,
    rng: np.random.Generator | None = None,
    *,
    drop_last: bool = False,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Go once through all examples, in pairs `(x[rows], y[rows])` of `batch_size` rows.

    With `rng` the order is shuffled, drawn when this is called; without, batches are
    views of x and y in their order. The last batch is smaller if `batch_size` does not
    divide N; `drop_last` leaves it out.

    Raises
    ------
    ValueError : x and y differ in length, or `batch_size` is no whole number ≥ 1.
    TypeError : x or y is no array, or `rng` no `np.random.Generator`.

    Taught in: 08_modules_and_optimizers.
    """
    _check_minibatches(x, y, batch_size, rng)
    stop = len(x) - len(x) % batch_size if drop_last else len(x)
    batches = [slice(i, i + batch_size) for i in range(0, stop, batch_size)]
    if rng is not None:
        order = rng.permutation(len(x))
        batches = [order[rows] for rows in batches]
    return ((x[rows], y[rows]) for rows in batches)


def _check_minibatches(
    x: np.ndarray, y: np.ndarray, batch_size: int, rng: np.random.Generator | None
) -> None:
    for name, array in (("x", x), ("y", y)):
        if not getattr(array, "shape", ()):
            raise TypeError(
                f"{name}: expected an array with a row for each example, found "
                f"{type(array).__name__}. Mend: np.array({name})."
            )
    if len(x) != len(y):
        raise ValueError(
            f"x and y: expected a label for each example, found {len(x)} rows in x "
            f"and {len(y)} in y. Mend: select the same rows from both."
        )
    _check_whole("batch_size", batch_size)
    if rng is not None:
        _check_rng(rng)


def _check_draw(n: int, noise: float, rng: np.random.Generator) -> None:
    _check_whole("n", n)
    if not (isinstance(noise, Real) and 0 <= noise < np.inf):
        raise ValueError(
            f"noise: expected a finite number ≥ 0, found {noise!r}. "
            "Mend: pass a standard deviation such as 0.1."
        )
    _check_rng(rng)


def _check_whole(name: str, value: int) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(
            f"{name}: expected a whole number ≥ 1, found {value!r}. "
            "Mend: pass an int such as 10."
        )


def _check_rng(rng: np.random.Generator) -> None:
    if not isinstance(rng, np.random.Generator):
        seed = rng if isinstance(rng, Integral) else "seed"
        raise TypeError(
            f"rng: expected a np.random.Generator, found {type(rng).__name__}. "
            f"Mend: rng = np.random.default_rng({seed}), and pass it on."
        )
