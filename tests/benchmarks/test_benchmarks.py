"""The benchmarks measure what they say: in turn, on equal work, judged as measured.

Peers take no part here; `make bench-quick` lets them.
"""

from __future__ import annotations

import json
from functools import partial
from statistics import median

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import (
    accuracy,
    attention,
    chain,
    checks,
    mnist,
    pictures,
    report,
    scalar,
    start,
    worker,
)
from benchmarks.harness import (
    Case,
    Disagreement,
    Entrant,
    Unavailable,
    compare,
    distance,
    gather,
    measure,
    rotated,
    timed,
)
from tests.test_house import text
from tools.pin_environment import direct

quickly = partial(measure, rounds=2, pause=0)


@pytest.fixture(autouse=True)
def no_collection(monkeypatch):
    """Other tests leave much behind; to collect it before each round takes seconds."""
    monkeypatch.setattr("gc.collect", int)


def entrant(name: str, answer, log: list | None = None) -> Entrant:
    log = [] if log is None else log
    return Entrant(name, lambda: log.append(name), answer=lambda: {"losses": answer})


def two(a, b, rtol=1e-6, atol=0.0) -> Case:
    entrants = [entrant("ours", a), entrant("theirs", b)]
    return Case("a case", "", entrants, {"losses": (rtol, atol)})


# --- in turn --------------------------------------------------------------------------


def test_every_round_begins_with_another():
    orders = [rotated("abc", number) for number in range(4)]
    assert ["".join(order) for order in orders] == ["abc", "bca", "cab", "abc"]


def test_rounds_are_interleaved():
    log = []
    case = Case("a case", "", [entrant(name, 1, log) for name in "abc"])
    case.tolerance = {"losses": (0, 0)}
    record = measure(case, rounds=7, pause=0)
    assert "".join(log) == "abc" + "bcacababc" * 2 + "bcacab"
    assert {len(values) for values in record["rounds_of"].values()} == {7}


def test_the_warm_up_does_not_count():
    numbers = iter([1000.0, 3.0, 1.0, 2.0])
    case = Case("a case", "", [Entrant("a", lambda: next(numbers), gauge=True)])
    record = measure(case, rounds=3, pause=0)
    assert record["rounds_of"] == {"a": [3.0, 1.0, 2.0]}
    assert record["median"] == {"a": 2.0}


def test_a_case_may_ask_for_other_rounds():
    case = Case("a case", "", [Entrant("a", int)], rounds=4, warm_up=0)
    assert len(quickly(case)["rounds_of"]["a"]) == 4


def test_reset_is_outside_the_clock(monkeypatch):
    now = [0.0]

    def wait(seconds, *_):
        now[0] += seconds

    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    slow_start = Entrant("a", partial(wait, 3), reset=lambda number: wait(100))
    assert timed(slow_start, 1, 0) == 3
    assert timed(Entrant("a", partial(wait, 3), repeat=5), 1, 0) == 3


# --- equal work -----------------------------------------------------------------------


def test_equal_results_are_measured():
    record = quickly(two([1.0, 2.0], np.array([1.0, 2.0 + 1e-7])))
    assert record["largest_difference"]["losses"] == pytest.approx(5e-8)


@pytest.mark.parametrize(
    "theirs", [[1.0, 2.1], [1.0], [1.0, 2.0, 3.0], [1.0, float("nan")], []]
)
def test_unequal_results_are_refused(theirs):
    case = two([1.0, 2.0], theirs)
    with pytest.raises(Disagreement, match="theirs and ours differ in their losses"):
        quickly(case)


def test_the_tolerance_is_the_limit():
    answers = {"ours": {"losses": [100.0]}, "theirs": {"losses": [101.0]}}
    compare(two(0, 0, rtol=0.0101), answers)
    compare(two(0, 0, rtol=0, atol=1.01), answers)
    for rtol, atol in ((0.0099, 0), (0, 0.99)):
        with pytest.raises(Disagreement, match="by 1 where ours has up to 100"):
            compare(two(0, 0, rtol, atol), answers)


def test_nan_is_far_from_nan():
    assert distance([float("nan")], [float("nan")])[0] == float("inf")


def test_results_that_part_later_are_found():
    case = two(0, 0)
    drifting = iter([[1.0], [2.0]])
    case.entrants = [entrant("ours", [1.0]), entrant("theirs", [1.0])]
    case.entrants[1].answer = lambda: {"losses": next(drifting)}
    with pytest.raises(Disagreement):
        quickly(case)


def test_a_peer_that_cannot_run_is_named_with_the_reason():
    def no_compiler():
        raise Unavailable("no compiler here")

    def no_package():
        raise ImportError("No module named 'peer'")

    peers = {"a": no_compiler, "b": no_package, "c": lambda: entrant("c", 1)}
    case = gather(Case("a case", "", []), peers)
    assert [e.name for e in case.entrants] == ["c"]
    assert case.missing == {"a": "no compiler here", "b": "No module named 'peer'"}


def test_a_peer_that_fails_otherwise_is_no_missing_peer():
    with pytest.raises(ZeroDivisionError):
        gather(Case("a case", "", []), {"a": lambda: 1 / 0})


# --- ours, small ----------------------------------------------------------------------

BUILDERS = {
    "mnist-64": mnist.case,
    "moons": scalar.case,
    "attention-read": attention.case,
    "attention-sort": attention.case,
    "chain": chain.case,
    "wide": chain.case,
    "gradcheck": checks.case,
    "pictures": pictures.case,
}


@pytest.mark.parametrize("name", BUILDERS)
def test_ours_takes_part(name):
    record = quickly(BUILDERS[name](name, 1, quick=True, only=("ours",)))
    assert all(seconds > 0 for seconds in record["median"].values())
    assert record["largest_difference"], "nothing was compared"
    assert not record["missing"]
    json.dumps(record)


@pytest.mark.parametrize("name", BUILDERS)
def test_the_compiled_one_does_the_same_work(name):
    sizes = [f"compiled, {n:,}" for n in chain.QUICK]
    only = ("ours: compiled", *sizes)
    record = quickly(BUILDERS[name](name, 1, quick=True, only=only))
    assert any("compiled" in found for found in record["median"])
    assert not record["missing"]
    if "ours: compiled" in record["median"]:
        assert "Once, outside the clock: recording and compiling" in report.apart(
            record
        )


def test_a_long_run_gives_an_accuracy_a_seed():
    record = quickly(accuracy.case("accuracy", 1, quick=True, only=("ours",)))
    (values,) = record["rounds_of"].values()
    assert len(values) == 1 and 0 <= values[0] <= 100 and record["unit"] == "%"
    x, y, *_ = accuracy.data.mnist()
    how = accuracy.SETTINGS | {"filters": (4, 8), "epochs": 6}
    model = accuracy.trained(x[:300], y[:300], 1, **how)
    assert not model.training and accuracy.percent(model, x[:300], y[:300]) > 60


def test_both_of_ours_train_alike_and_learn():
    task = mnist.task("mnist-64", 640)
    answers = {}
    for ours in (mnist.tape(task), mnist.explicit(task)):
        ours.reset(0)
        ours.work()
        answers[ours.name] = ours.answer()
    losses = answers["ours: tape"]["losses"]
    assert len(losses) == task.steps and losses[-1] != losses[0]
    compare(Case("mnist", "", [], mnist.TOLERANCE), answers)


@pytest.mark.parametrize("name", attention.SIZES)
def test_attention_takes_the_steps_of_torch(name):
    """float32, two steps: the same losses, and they fall or rise alike."""
    record = quickly(attention.case(name, 1, quick=True, only=("torch eager",)))
    assert record["largest_difference"]["losses"] < 1e-4
    assert len(record["median"]) == 2


def test_a_wrong_learning_rate_is_found(monkeypatch):
    case = mnist.case("mnist-64", 1, quick=True, only=("ours",))
    case.entrants[0].reset(0)
    case.entrants[0].work()
    monkeypatch.setattr(mnist, "LR", mnist.LR * 1.001)
    case.entrants[1].reset(0)
    case.entrants[1].work()
    answers = {e.name: e.answer() for e in case.entrants[:2]}
    with pytest.raises(Disagreement, match="layers and ours: tape differ"):
        compare(case, answers)


def test_batches_are_those_of_minibatches():
    task = mnist.task("mnist-64", 200)
    task.start(3)
    drawn = mnist.data.minibatches(task.x, task.y, 64, task.rng(), drop_last=True)
    rows = task.order()
    assert rows.shape == (3, 64)
    for (x, y), mine in zip(drawn, rows, strict=True):
        assert np.array_equal(x, task.x[mine]) and np.array_equal(y, task.y[mine])


def test_a_replayed_tape_gives_the_losses_of_one_recorded_anew():
    short = scalar.moons(6, 4)
    first, again = scalar.replayed(short), scalar.rerecorded(scalar.moons(6, 4))
    first.work()
    again.work()
    assert first.answer()["losses"] == again.answer()["losses"]
    assert len(first.answer()["losses"]) == 4
    assert len(first.answer()["weights"]) == 2 * 16 + 16 + 16 * 16 + 16 + 16 + 1


def test_chain_and_wide_have_the_operations_they_promise():
    assert chain.counts("chain", 30) == {"operations": 30, "nodes": 61}
    assert chain.counts("wide", 30) == {"operations": 59, "nodes": 119}


def test_gradcheck_counts_every_parameter():
    case = checks.case("gradcheck", 1, quick=True, only=("ours",))
    case.entrants[0].work()
    answer = case.entrants[0].answer()
    assert answer["parameters checked"] == 6 * 4 + 4 + 4 * 3 + 3
    assert answer["found right"]


def test_all_of_the_package_is_imported():
    found = start.modules()
    assert {"course_utils.tape", "course_utils.viz"} <= set(found)
    case = start.imports_case("imports", 1, only=("ours",))
    assert [e.name.split(",")[0] for e in case.entrants] == [
        "ours: all of course_utils",
        *["ours: `check` and its first answer"] * 2,
    ]
    assert not any("__" in name for name in found)


# --- judged as measured ---------------------------------------------------------------


def record(case: str, medians: dict[str, float], **more) -> dict:
    return {
        "case": case,
        "what": "work",
        "threads": 1,
        "cores": 1,
        "rounds": 7,
        "unit": "s",
        "rounds_of": {name: [m, m, m] for name, m in medians.items()},
        "median": medians,
        "tolerance": {"losses": [1e-5, 0]},
        "largest_difference": {"losses": 2e-7},
        "missing": {},
        "facts": {},
        **more,
    }


@pytest.mark.parametrize(("ours", "verdict"), [(0.3, "yes"), (0.3000001, "no")])
def test_a_target_is_judged_without_rounding(ours, verdict):
    found = record("moons", {"ours: replayed": ours, "micrograd": 1.0})
    ((target, threads, ratio),) = [
        row for row in report.judged([found]) if row[0].ours == "ours: replayed"
    ]
    assert (threads, target.reached(ratio)) == (1, verdict)
    row = report.targets_table([found])
    assert f"| {0.30 if verdict == 'yes' else 0.31:.2f} | {verdict} |" in row


def test_the_faster_torch_counts():
    medians = {"ours: tape": 1.0, "torch eager": 4.0, "torch eager, fused": 1.25}
    target = next(iter(report.mnist_targets("mnist-256")))
    assert target.ratio(record("mnist-256", medians)) == pytest.approx(0.8)


def test_layers_may_be_neither_slower_nor_faster():
    target = [t for t in report.mnist_targets("mnist-64") if "layers" in t.label][0]
    verdicts = [target.reached(ratio) for ratio in (0.89, 0.9, 1.1, 1.11, None)]
    assert verdicts == ["no", "yes", "yes", "no", "not measured"]


def test_two_threads_have_a_bound_of_their_own():
    target = next(report.compiled_targets("mnist-256"))
    assert [target.bound(n) for n in (1, 2)] == [0.88, 0.85]
    assert [target.reached(0.86, n) for n in (1, 2)] == ["yes", "no"]


def test_a_small_ratio_keeps_its_digits():
    assert [report.up(r) for r in (0.00291, 0.049, 0.05, None)] == [
        *("0.0030", "0.0490", "0.05", "–")
    ]


def test_growth_is_that_of_one_node():
    medians = {"ours, 1,000": 1e-3, "ours, 100,000": 0.13}
    assert report.growth("chain").ratio(record("chain", medians)) == pytest.approx(1.3)


@pytest.mark.parametrize(("found", "verdict"), [(99.40, "yes"), (99.39, "no")])
def test_a_test_accuracy_is_a_share_of_all(found, verdict):
    medians = {"ours: long run": found}
    table = report.targets_table([record("accuracy", medians, unit="%")])
    assert f"| accuracy | 1 | ≥ 99.4% | {found:.3f} % | {verdict} |" in table


def test_targets_name_cases_that_exist():
    assert {target.case for target in report.TARGETS} <= set(worker.CASES)


def test_a_peer_that_is_missing_leaves_its_target_open():
    found = record("moons", {"ours: replayed": 1.0}, missing={"micrograd": "why not"})
    assert "| moons | 1 | ≤ 0.30 | – | not measured |" in report.targets_table([found])
    assert "| micrograd | – | why not | – |" in report.case_text(found)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(2.5, "2.5 s"), (0.0125, "12.5 ms"), (3e-6, "3 µs"), (4e-9, "4 ns")],
)
def test_seconds_are_readable(value, shown):
    assert report.shown(value) == shown
    assert report.shown(188.2, "MB") == "188 MB"
    assert report.shown(99.412, "%") == "99.41 %"


def test_ratios_are_rounded_up():
    assert [report.up(x) for x in (0.301, 0.3, 0.6000001)] == ["0.31", "0.30", "0.61"]


def test_a_cost_a_node_stands_beside_ours_of_that_size():
    medians = {"ours, 10": 2e-6, "ours, 100": 3e-5, "torch, 100": 6e-5}
    counts = {size: {"operations": int(size), "nodes": 200} for size in ("10", "100")}
    found = record("chain", medians, facts={"counts": counts})
    shown = report.case_text(found)
    assert "| torch, 100 | 60 µs | 60 µs … 60 µs | 0.50 |" in shown
    assert "| ours, 100 | 300 | 150 |" in shown
    assert "| torch, 100 | 600 | – |" in shown


# --- files ----------------------------------------------------------------------------


def results(records: list[dict], numpy: str = "2") -> dict:
    return {"machine": {"cores": "2"}, "versions": {"numpy": numpy}, "records": records}


def test_new_records_take_the_place_of_old_ones():
    order = ["moons", "chain"].index
    old = results([record("moons", {"ours": 1.0}), record("chain", {"ours": 2.0})])
    merged = report.merged(old, results([record("moons", {"ours": 9.0})]), order)
    assert [r["median"]["ours"] for r in merged["records"]] == [9.0, 2.0]
    other = results([record("moons", {"ours": 9.0})], numpy="3")
    assert len(report.merged(old, other, order)["records"]) == 1
    assert len(report.merged({}, other, order)["records"]) == 1


def test_results_are_stored_and_shown(tmp_path):
    found = results([record("moons", {"ours: replayed": 1.0, "micrograd": 4.0})])
    path, readme = tmp_path / "results.json", tmp_path / "README.md"
    report.store(found, path)
    assert report.load(path) == found and report.load(tmp_path / "none") == {}
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_readme(found, readme)
    written = readme.read_text(encoding="utf-8")
    assert "old" not in written and "| micrograd | 4 s |" in written
    assert written.startswith("before\n") and written.endswith("after\n")
    report.write_readme(found, readme)
    assert readme.read_text(encoding="utf-8") == written
    readme.write_text("no marks")
    with pytest.raises(ValueError, match="are missing"):
        report.write_readme(found, readme)


def test_the_tables_are_those_of_the_stored_results():
    written, found = text("benchmarks/README.md"), report.load()
    assert report.BEGIN in written and report.END in written
    if found:
        assert report.whole(found) in written, "run `make bench`"
        for stored in found["records"]:
            medians = {n: median(v) for n, v in stored["rounds_of"].items()}
            assert medians == stored["median"]


# --- the command ----------------------------------------------------------------------


def test_slow_cases_run_only_where_named():
    chosen = command.arguments(["--quick"])
    assert "notebooks" not in {order["case"] for order in command.orders(chosen)}
    (order,) = command.orders(command.arguments(["notebooks"]))
    assert (order["case"], order["rounds"]) == ("notebooks", 7)


def test_each_number_of_threads_is_an_order_of_its_own():
    both = command.orders(command.arguments(["mnist-256"]))
    assert [order["threads"] for order in both] == [1, 2]
    (one,) = command.orders(command.arguments(["mnist-256", "--threads", "2"]))
    assert one["threads"] == 2


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nonsense"], "no case nonsense"),
        (["--rounds", "6"], "from 7 rounds up"),
        (["accuracy", "--threads", "1"], "accuracy: measured with --threads 2"),
    ],
)
def test_wrong_orders_are_refused(argv, message, capsys):
    with pytest.raises(SystemExit):
        command.arguments(argv)
    assert message in capsys.readouterr().err


def test_a_failed_case_fails_the_command(monkeypatch, capsys):
    monkeypatch.setattr(command, "measured", lambda order: None)
    assert command.main(["moons", "--no-store"]) == 1
    assert "Failed: moons, threads: 1" in capsys.readouterr().err


def test_a_disagreement_fails_the_worker(monkeypatch, capsys):
    def differ(order):
        raise Disagreement("by a mile")

    monkeypatch.setattr(worker, "run", differ)
    assert worker.main("{}") == 3
    assert "by a mile" in capsys.readouterr().err


def test_a_worker_has_its_threads_before_it_starts():
    found = worker.environment(1)
    assert {found[name] for name in worker.THREAD_VARIABLES} == {"1"}
    assert found["JAX_PLATFORMS"] == "cpu"


def test_quick_runs_store_nothing(monkeypatch):
    monkeypatch.setattr(
        command, "measured", lambda order: record("moons", {"ours": 1.0})
    )
    monkeypatch.setattr(report, "store", lambda *_: pytest.fail("stored"))
    for argv in (["--quick"], ["--no-store"], ["--only", "ours"]):
        assert command.main(["moons", *argv]) == 0


# --- pins -----------------------------------------------------------------------------


def test_the_peers_stay_out_of_the_course():
    for peer in ("jax", "autograd", "micrograd", "tinygrad", "pyperf"):
        assert f"\n{peer}==" in text("requirements/bench.lock")
        assert f"\n{peer}==" not in text("requirements/course.lock")
        assert peer not in direct(text("pyproject.toml"))
