"""Notebook 09 trains with what was chosen on validation pictures, and shows it."""

import ast
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from course_utils import nn
from tools import choose_settings as choice
from tools.notebooks import FOLDER, ROOT, read

CELLS = read(FOLDER / "09_training_mnist.ipynb").cells


def settings():
    """All that were compared."""
    return choice.grid() + choice.other_batches()


def source_with(text):
    """The one code cell of notebook 09 that holds a text."""
    (found,) = [c.source for c in CELLS if c.kind == "code" and text in c.source]
    return found


def names_of(source, **known):
    """What a cell defines, run by itself."""
    names = {"np": np, "nn": nn, **known}
    exec(source, names)
    return names


# --- the page -------------------------------------------------------------------------


def test_three_seeds_at_least_and_all_of_them():
    found = choice.known("validation")
    assert len(choice.SEEDS) >= 3
    assert set(settings()) == set(found)
    assert all(set(by_seed) == set(choice.SEEDS) for by_seed in found.values())


def test_the_page_trains_with_what_was_chosen():
    found = re.search(r"EPOCHS, LR, DECAY, BATCH, SEED = (.+)", source_with("SEED = "))
    epochs, *setting, seed = ast.literal_eval(found.group(1))
    assert tuple(setting) == choice.best(settings())
    assert (epochs, seed) == (choice.EPOCHS, choice.SEEDS[0])


def test_the_page_shows_what_was_measured():
    names = names_of(source_with("by_rate_and_decay = "))
    assert names["rates"] == list(choice.RATES)
    assert names["decays"] == list(choice.DECAYS)
    found = {
        s: 100 * mean for s, mean in choice.means("validation", settings()).items()
    }
    grid = [[found[r, d, choice.BATCH] for d in choice.DECAYS] for r in choice.RATES]
    np.testing.assert_allclose(names["by_rate_and_decay"], grid, atol=0.0051)
    rate, decay, _ = choice.best(choice.grid())
    batches = {batch: found[rate, decay, batch] for batch in names["by_batch"]}
    assert set(batches) == {choice.BATCH, *choice.OTHER_BATCHES}
    assert names["by_batch"] == pytest.approx(batches, abs=0.0051)


def test_the_page_shows_what_the_test_set_said():
    """Looked at with what was chosen, and with nothing else."""
    found = choice.known("test")
    assert list(found) == [choice.best(settings())]
    (by_seed,) = found.values()
    shown = re.search(r"by_seed = (\[.+\])", source_with("by_seed = ")).group(1)
    assert ast.literal_eval(shown) == [
        round(100 * by_seed[seed], 2) for seed in choice.SEEDS
    ]


def test_the_program_trains_the_network_of_the_page():
    page = names_of(source_with("def network("))
    ours = choice.network(3).parameters()
    theirs = page["network"](choice.HIDDEN, np.random.default_rng(3)).parameters()
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.data, other.data, strict=True)
    x = np.random.default_rng(0).random((2, 784), dtype=np.float32)
    normalize = names_of(source_with("def normalize("))["normalize"]
    np.testing.assert_array_equal(choice.normalize(x), normalize(x), strict=True)


def test_the_claim_is_one_everywhere():
    """README, title, summary and the assertion name the same share."""
    claimed = {
        re.search(r"MNIST\].*?(\d\d(?:\.\d)?) % and more", readme()).group(1),
        re.search(r"accuracy of at least (\d\d(?:\.\d)?) %", CELLS[0].source).group(1),
        re.search(r"at least \*\*(\d\d(?:\.\d)?) %\*\*", summary()).group(1),
    }
    (share,) = claimed
    asserted = re.search(
        r"assert test_accuracy - 2 \* error >= ([\d.]+)",
        source_with("test_accuracy - 2"),
    )
    assert float(asserted.group(1)) == float(share) / 100


def readme():
    return (ROOT / "README.md").read_text(encoding="utf-8")


def summary():
    (cell,) = [c for c in CELLS if c.source.startswith("## Summary")]
    return cell.source


# --- the program ----------------------------------------------------------------------


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Accuracies that cost nothing: best at rate 0.05, decay 0.001, batches of 128."""
    asked = []

    def judged(judge, setting, seed):
        asked.append((judge, setting, seed))
        rate, decay, batch = setting
        off = abs(rate - 0.05) + abs(decay - 0.001) + abs(batch - 128) / 1e5
        return 0.98 - off / 100 + seed / 1e6

    monkeypatch.setattr(choice, "FILE", tmp_path / "measured.txt")
    monkeypatch.setattr(choice, "judged", judged)
    monkeypatch.setattr(choice, "ProcessPoolExecutor", ThreadPoolExecutor)
    return asked


def test_validation_chooses_and_the_test_set_is_asked_last(made_up, capsys):
    assert choice.main(["--test"]) == 0
    judges = [judge for judge, _, _ in made_up]
    n_test = len(choice.SEEDS)
    assert set(judges[:-n_test]) == {"validation"}
    chosen = [("test", (0.05, 0.001, 128), seed) for seed in choice.SEEDS]
    assert sorted(made_up[-n_test:]) == chosen
    said = capsys.readouterr().out
    assert "chosen: learning rate 0.05, weight decay 0.001, batches of 128" in said


def test_without_being_told_it_leaves_the_test_set_alone(made_up):
    choice.main([])
    assert {judge for judge, _, _ in made_up} == {"validation"}


def test_a_run_that_was_stopped_goes_on(made_up):
    choice.main([])
    lines = choice.FILE.read_text(encoding="utf-8").splitlines(keepends=True)
    choice.FILE.write_text("".join(lines[:-2]), encoding="utf-8")
    made_up.clear()
    choice.main([])
    assert len(made_up) == 2
    made_up.clear()
    choice.main([])
    assert made_up == []


def test_the_two_sets_of_pictures(monkeypatch):
    """Validation is judged on the last 10,000 of training, and trained without them."""
    x = np.arange(60_000, dtype=np.float32)[:, None]
    data = (x, np.zeros(60_000, int), -1 - x[:10_000], np.ones(10_000, int))
    seen = {}
    monkeypatch.setattr(choice, "mnist", lambda: data)
    monkeypatch.setattr(choice, "normalize", lambda x: x)
    monkeypatch.setattr(choice, "trained", lambda *_args: seen.update(n=_args[-1]))
    monkeypatch.setattr(choice, "logits_of", lambda _model, x: seen.update(x=x))
    monkeypatch.setattr(choice, "accuracy", lambda _z, y: y.mean())
    assert choice.judged("validation", (0.1, 0, 64), 0) == 0
    assert seen["n"] == 50_000
    np.testing.assert_array_equal(seen["x"].ravel(), np.arange(50_000, 60_000))
    assert choice.judged("test", (0.1, 0, 64), 0) == 1
    assert seen["n"] == 60_000 and (seen["x"] < 0).all()
