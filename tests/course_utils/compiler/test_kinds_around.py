"""What lies around a loss may be of any kind: keys, containers, attributes, arrays."""

from __future__ import annotations

import sys
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace

import numpy as np
import pytest

from course_utils.compiler import CannotCompile, compile_loss
from tests.course_utils.compiler import test_around
from tests.course_utils.compiler.test_around import Both, Net

ONES = np.ones(3)
FACTOR = 1.0
__here = sys.modules[__name__]


pytestmark = pytest.mark.usefixtures("plain")


class Colour(Enum):
    RED = 1


class Key:
    """An object that is a key."""


def sum_of(loss, *args):
    """The value, which has to be that of the interpreter."""
    value = loss(*args)
    assert value == pytest.approx(float(np.asarray(loss.f(*args))), rel=1e-12)
    return value


def n_plans(loss):
    return sum(map(len, loss.plans.values()))


@pytest.mark.parametrize(
    "key",
    [Key(), Colour.RED, Key, np.int64(3), np.nan, None, (Key, None), "reached", b"k"],
    ids=lambda key: type(key).__name__,
)
def test_a_key_of_a_dict_may_be_anything(key):
    table = {key: 2.0, "inner": {key: 3.0}}
    loss = compile_loss(lambda x: x.sum() * table[key] + x.sum() * table["inner"][key])
    assert sum_of(loss, ONES) == 15.0
    table["inner"][key] = 4.0
    assert sum_of(loss, ONES) == sum_of(loss, ONES) == 18.0
    assert n_plans(loss) == 2


@pytest.mark.parametrize("key", [Colour.RED, Key, None, np.nan])
def test_a_key_of_a_modules_dict_may_be_anything(key):
    both = Both(lambda self, z: z * self.table[key] + self.table["shift"][key])
    for net in both.nets:
        net.table = {key: 1.0, "shift": {key: np.zeros(4)}}
    both.go()
    for net in both.nets:
        net.table["shift"][key] = np.arange(4.0)  # another array of the same kind
    both.go()
    assert both.n_plans == 1
    for net in both.nets:
        net.table[key] = 3.0
    both.go()
    both.go()
    assert both.n_plans == 2
    for net in both.nets:
        net.table["shift"] = {key: 5.0}  # another dict in the dict
    both.go()
    for net in both.nets:
        net.table["shift"] = {key: 6.0}
    both.go()
    assert both.n_plans == 4


def test_an_attribute_may_have_any_name():
    both = Both(lambda self, z: z * getattr(self, "a factor") + vars(self)["class"])
    for net in both.nets:
        vars(net).update({"a factor": 1.0, "class": np.zeros(4)})
    both.go()
    for net in both.nets:
        vars(net)["a factor"] = 3.0
    both.go()
    assert both.n_plans == 2


def test_an_array_that_numpy_and_a_line_read():
    cw, y, table = np.ones(3), np.arange(3.0), np.arange(6.0).reshape(3, 2)
    a, b = table[:, 0], table[:, 1]
    weighted = compile_loss(lambda o: (o * cw).sum() / cw.sum())
    twice = compile_loss(lambda x: (x * (2 * y) + (x - y)).sum())
    columns = compile_loss(lambda x: (x * (2 * a) + b).sum())
    for loss in (weighted, twice, columns):
        sum_of(loss, ONES)
    cw[0], y[:], a[:] = 7.0, 5.0, -1.0
    for loss in (weighted, twice, columns):
        sum_of(loss, ONES)
        sum_of(loss, 2 * ONES)
        assert n_plans(loss) == 2


def test_an_array_that_only_a_line_reads_needs_no_new_plans():
    target, table = np.zeros(3), {"w": np.ones(3)}
    loss = compile_loss(lambda x: ((x - target) ** 2).sum() + (x * table["w"]).sum())
    for k in range(20):
        target[:], table["w"][k % 3] = k, k
        sum_of(loss, ONES)
    assert n_plans(loss) == 1


def test_a_branch_of_numpy_is_taken_again():
    mask = np.zeros(3)
    loss = compile_loss(lambda x: (x * mask).sum() if mask[0] > 2 else (x + mask).sum())
    for k in range(12):
        mask[:] = k % 5
        sum_of(loss, ONES)
    assert n_plans(loss) == 2


def test_what_is_read_at_the_same_numbers_may_be_another_array():
    one, other = np.ones(3), np.zeros(3)
    loss = compile_loss(lambda x: (x * (one if one[0] == 1 else other)).sum())
    assert sum_of(loss, ONES) == 3.0
    one[:] = 2.0
    other[:] = 2.0
    assert sum_of(loss, ONES) == 6.0
    other[:] = 5.0
    assert sum_of(loss, ONES) == 15.0


class Table(dict):
    """A dict with an attribute, which is no key."""

    factor = None


def test_heirs_of_containers_are_watched():
    point = namedtuple("point", "inner")({"k": 1.0})
    several = [
        defaultdict(float, k=1.0),
        OrderedDict(k=1.0),
        Table(k=1.0),
        type("Row", (list,), {})([1.0]),
    ]
    for table in several:
        key = 0 if isinstance(table, list) else "k"
        holder = SimpleNamespace(table=table)
        loss = compile_loss(lambda x, h=holder, key=key: x.sum() * h.table[key])
        assert sum_of(loss, ONES) == 3.0
        table[key] = 2.0
        assert sum_of(loss, ONES) == 6.0
    loss = compile_loss(lambda x: x.sum() * point.inner["k"])
    assert sum_of(loss, ONES) == 3.0
    point.inner["k"] = 2.0
    assert sum_of(loss, ONES) == 6.0
    own = several[2]
    loss = compile_loss(lambda x: x.sum() * (own.factor or own["k"]))
    assert sum_of(loss, ONES) == 6.0
    own.factor = 3.0
    assert sum_of(loss, ONES) == 9.0
    own.factor = 4.0
    assert sum_of(loss, ONES) == 12.0


def test_looking_at_a_defaultdict_puts_nothing_there():
    table = defaultdict(float, k=1.0)
    loss = compile_loss(lambda x: x.sum() * table.get("k", 5.0))
    assert sum_of(loss, ONES) == 3.0
    del table["k"]
    assert sum_of(loss, ONES) == 15.0 and not table


def test_functions_in_heirs_of_containers_are_followed(monkeypatch):
    steps = OrderedDict(first=lambda x: x * FACTOR)
    loss = compile_loss(lambda x: steps["first"](x).sum())
    assert sum_of(loss, ONES) == 3.0
    monkeypatch.setattr(__here, "FACTOR", 3.0)
    assert sum_of(loss, ONES) == 9.0


@dataclass(slots=True)
class Slotted:
    factor: float = 1.0
    step: int = 0


class Late:
    """None in the class, a number later; `_v` behind a property."""

    late, table, _v = None, {"k": 1.0}, 1.0

    @property
    def v(self):
        return self._v * FACTOR

    @staticmethod
    def shift():
        return FACTOR

    def __getitem__(self, key):
        return self.hidden


def test_attributes_that_come_later_or_lie_behind_something(monkeypatch):
    slotted, late, plain = Slotted(), Late(), SimpleNamespace(w1=1.0)
    late.hidden, mine, k = 1.0, Late(), 1
    mine.w1 = 1.0

    def changed(f, change):
        loss = compile_loss(f)
        before = sum_of(loss, ONES)
        change()
        assert sum_of(loss, ONES) != before
        assert n_plans(loss) == 2

    changed(lambda x: x.sum() * slotted.factor, lambda: setattr(slotted, "factor", 3.0))
    changed(lambda x: x.sum() * (late.late or 1), lambda: setattr(late, "late", 3.0))
    changed(lambda x: x.sum() * late.table["k"], lambda: late.table.update(k=3.0))
    changed(lambda x: x.sum() * late.v, lambda: setattr(late, "_v", 3.0))
    changed(lambda x: x.sum() * late[0], lambda: setattr(late, "hidden", 3.0))
    changed(
        lambda x: x.sum() * getattr(mine, f"w{k}"), lambda: setattr(mine, "w1", 3.0)
    )
    changed(lambda x: x.sum() * plain.w1, lambda: setattr(plain, "w1", 3.0))
    for read in (lambda x: x.sum() * late.v, lambda x: x.sum() * late.shift()):
        monkeypatch.setattr(__here, "FACTOR", 1.0)
        changed(read, lambda: monkeypatch.setattr(__here, "FACTOR", 3.0))


def test_what_a_loss_does_not_read_may_change_all_the_time():
    state = Slotted()
    loss = compile_loss(lambda x: x.sum() * state.factor)
    for k in range(12):
        state.step = k
        assert sum_of(loss, ONES) == 3.0
    assert n_plans(loss) == 1


def test_attributes_of_a_module_that_come_later(monkeypatch):
    class Slow(Net):
        __slots__ = ("slot",)
        scale, table = None, None

    monkeypatch.setattr(test_around, "Net", Slow)
    both = Both(lambda self, z: z * (self.scale or 1.0) * getattr(self, "slot", 1.0))
    both.go()
    for name in ("scale", "slot"):
        for net in both.nets:
            setattr(net, name, 2.0)
        both.go()
        both.go()
    assert both.n_plans == 3


def test_what_changes_all_the_time_is_named():
    rows, cw = [1.0], np.ones(3)
    for f, change, name in (
        (lambda x: x.sum() * len(rows), lambda k: rows.append(1.0), "length of a list"),
        (lambda x: x.sum() * cw.sum(), lambda k: cw.fill(k), "an array around"),
    ):
        loss = compile_loss(f)
        with pytest.raises(CannotCompile, match=name):
            for k in range(12):
                change(k)
                loss(ONES)
