"""Saved weights: bit for bit, and nothing damaged or foreign gets in."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import nn, weights


def mlp(seed=0, sizes=(4, 6, 3), **how):
    return nn.MLP(list(sizes), np.random.default_rng(seed), **how)


def arrays_of(model):
    return {name: p.data.copy() for name, p in model.named_parameters()}


def same_bits(one, other):
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype
        and one[name].shape == other[name].shape
        and one[name].tobytes() == other[name].tobytes()
        for name in one
    )


class Odd(nn.Module):
    """No axes, no elements, order of columns, and every kind of number."""

    def __init__(self, dtype=np.float64):
        bits = np.array([0x7FF8000000000001, 0x8000000000000000, 1], np.uint64)
        self.special = nn.Parameter(
            np.concatenate([bits.view(float), [np.inf, -np.inf, np.pi]]).astype(dtype)
        )
        self.number, self.none = nn.Parameter(np.array(0.1)), nn.Parameter(np.ones(0))
        self.columns = nn.Parameter(np.asfortranarray(np.arange(6.0).reshape(2, 3)))
        self.shared = self.number


@pytest.mark.parametrize(
    "make", [mlp, lambda: mlp(dtype=np.float32), Odd, lambda: Odd(np.float32)]
)
def test_weights_return_bit_for_bit(make, tmp_path):
    model = make()
    saved = arrays_of(model)
    weights.save(model, tmp_path / "model.npz")
    held = [p.data for p in model.parameters()]
    for array in held:
        array[...] = 7
    weights.load(model, tmp_path / "model.npz")
    assert same_bits(arrays_of(model), saved)
    for p, array in zip(model.parameters(), held, strict=True):
        assert p.data is array  # an optimizer that holds it goes on
    assert os.listdir(tmp_path) == ["model.npz"]


def test_numpy_opens_it_without_pickle(tmp_path):
    model = mlp()
    weights.save(model, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        for name, array in arrays_of(model).items():
            np.testing.assert_array_equal(file[name], array)


def test_a_later_save_replaces_an_earlier_one(tmp_path):
    path = tmp_path / "folder" / "model.npz"
    weights.save(mlp(0), path)
    weights.save(mlp(1), str(path))
    model = mlp(2)
    weights.load(model, str(path))
    assert same_bits(arrays_of(model), arrays_of(mlp(1)))


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"ends in .npz, found 'model.pt'. Mend: "):
        weights.save(mlp(), tmp_path / "model.pt")


@pytest.mark.parametrize("moment", ["fsync", "replace"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left")])
def test_a_save_that_fails_leaves_the_earlier_file(
    tmp_path, monkeypatch, moment, error
):
    weights.save(mlp(0), tmp_path / "model.npz")

    def fail(*_):
        raise error

    with monkeypatch.context() as patch, pytest.raises((KeyboardInterrupt, OSError)):
        patch.setattr(os, moment, fail)
        weights.save(mlp(1), tmp_path / "model.npz")
    assert os.listdir(tmp_path) == ["model.npz"]
    model = mlp(2)
    weights.load(model, tmp_path / "model.npz")
    assert same_bits(arrays_of(model), arrays_of(mlp(0)))


# --- damaged --------------------------------------------------------------------------


def content_of(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "model.npz"
    weights.save(model, path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return content_of(mlp(sizes=(2, 2)), tmp_path_factory)


def refused_or_the_same(tmp_path, content):
    """Load into another model: an error that leaves it alone, or the saved bits."""
    path = tmp_path / "damaged.npz"
    path.write_bytes(content)
    model = mlp(1, sizes=(2, 2))
    try:
        weights.load(model, path)
    except ValueError as error:
        assert str(path) in str(error) and "Mend: " in str(error)
        assert same_bits(arrays_of(model), arrays_of(mlp(1, sizes=(2, 2))))
        return True
    assert same_bits(arrays_of(model), arrays_of(mlp(0, sizes=(2, 2))))
    return False


def test_every_truncation_is_refused(content, tmp_path):
    for n in range(0, len(content), 7):
        assert refused_or_the_same(tmp_path, content[:n])
    assert refused_or_the_same(tmp_path, content[:-1])


def test_a_flipped_bit_anywhere_is_refused_or_touches_no_weight(content, tmp_path):
    refused = 0
    for i in range(len(content)):
        damaged = bytearray(content)
        damaged[i] ^= 1 << (i % 8)
        refused += refused_or_the_same(tmp_path, bytes(damaged))
    assert refused > len(content) / 2  # the rest is padding, and dates of entries


@given(data=st.data())
@settings(max_examples=50)
def test_bytes_overwritten_at_random(content, tmp_path_factory, data):
    damaged = bytearray(content)
    start = data.draw(st.integers(0, len(content) - 1))
    new = data.draw(st.binary(min_size=1, max_size=64))
    damaged[start : start + len(new)] = new
    refused_or_the_same(tmp_path_factory.mktemp("weights"), bytes(damaged))


# --- foreign --------------------------------------------------------------------------


def rewritten(**changes):
    """Entries as save writes them, with some changed or added, some (None) left out."""
    arrays = arrays_of(mlp(sizes=(2, 2))) | {"sha256 of all": np.array("0" * 64)}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in {**arrays, **changes}.items():
            if array is not None:
                entry = io.BytesIO()
                np.lib.format.write_array(entry, np.asarray(array))
                archive.writestr(f"{name}.npy", entry.getvalue())
    return file.getvalue()


def zip_of(**texts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return file.getvalue()


def npy_of(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


class Trap:
    """What a pickle runs when it is opened."""

    def __reduce__(self):
        return os.mkdir, ("opened a pickle",)


FOREIGN = {
    "empty": b"",
    "text": b"weights: many\n" * 40,
    "a pickle": pickle.dumps(Trap()),
    "an array alone": npy_of(np.ones(3)),
    "another archive": zip_of(readme="hello"),
    "an empty archive": zip_of(),
    "a wrong sum": rewritten(),
    "objects": rewritten(**{"layers.0.W": np.array([Trap()], object)}),
    "a parameter missing": rewritten(**{"layers.0.b": None}),
    "one too many": rewritten(extra=np.ones(2)),
    "no sum": rewritten(**{"sha256 of all": None}),
    "another shape": rewritten(**{"layers.0.b": np.zeros(3)}),
    "another dtype": rewritten(**{"layers.0.b": np.zeros(2, np.float32)}),
    "integers": rewritten(**{"layers.0.b": np.zeros(2, int)}),
    "numbers for a sum": rewritten(**{"sha256 of all": np.zeros(64)}),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_refused_and_changes_nothing(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refused_or_the_same(tmp_path, FOREIGN[kind])
    assert os.listdir(tmp_path) == ["damaged.npz"]  # nothing was unpickled


def test_weights_of_another_model_are_refused_by_name(tmp_path):
    weights.save(mlp(sizes=(4, 6, 3)), tmp_path / "model.npz")
    cases = [
        (mlp(sizes=(4, 5, 3)), r"layers.0.W has shape \(4, 6\) .*expected \(4, 5\)"),
        (mlp(sizes=(4, 6, 3), dtype=np.float32), "dtype float64, expected .*float32"),
        (mlp(sizes=(4, 6, 6, 3)), r"lacks \['layers.4.W', 'layers.4.b'\]"),
        (mlp(sizes=(4, 3)), r"has \['layers.2.W', 'layers.2.b'\] besides"),
    ]
    for model, message in cases:
        before = arrays_of(model)
        with pytest.raises(ValueError, match=message):
            weights.load(model, tmp_path / "model.npz")
        assert same_bits(arrays_of(model), before)


def test_an_entry_that_would_fill_memory_is_not_read(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in [*arrays_of(mlp(sizes=(2, 2))), "sha256 of all"]:
            archive.writestr(f"{name}.npy", bytes(2**25))
    assert refused_or_the_same(tmp_path, file.getvalue())


def test_no_file_and_a_folder_are_errors_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        weights.load(mlp(), tmp_path / "none.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(OSError):
        weights.load(mlp(), tmp_path / "folder.npz")
