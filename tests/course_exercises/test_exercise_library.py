"""Every exercise is whole: right answers pass, each mistake is named as itself."""

from __future__ import annotations

import ast
import functools
import inspect
import re

import numpy as np
import pytest
import torch

from course_exercises import hint, solution
from course_exercises.general import SENTENCES
from course_exercises.judge.changes import (
    SCALES,
    changes,
    contributions,
    scales,
)
from course_exercises.judge.comparing import computing
from course_exercises.judge.exercise import BY_HAND, Exercise
from course_exercises.judge.judging import Judge
from course_exercises.judge.once import quietly
from course_exercises.judge.source import source_of
from course_exercises.library import exercises, notebooks
from course_exercises.nb11 import higher_derivatives
from tests.course_exercises.right_answers import right_answers
from tools.exercise_cells import asked, body, library, solved, with_exercises
from tools.notebooks import COURSE, FOLDER, headings, paths, read

LIBRARY = library()
GRADIENTS = [e for e in LIBRARY if e.gradient]
FUNCTIONS = [e for e in LIBRARY if e.kind == "function"]


def cases(exercises_, many):
    """Parametrise over pairs of an exercise and one of its many things."""
    return [
        pytest.param(e, thing, id=f"{e.number}-{name}")
        for e in exercises_
        for name, thing in many(e)
    ]


def answer_of(exercise: Exercise, function):
    """What a student would hand in: the function, or the value it computes."""
    return function() if exercise.is_value else function


def verdict(exercise: Exercise, answer):
    return Judge(exercise, answer).verdict()


by_number = functools.partial(pytest.mark.parametrize, ids=lambda e: e.number)


# --- right answers --------------------------------------------------------------------


@by_number("exercise", LIBRARY)
def test_the_reference_passes(exercise):
    said = verdict(exercise, answer_of(exercise, exercise.reference))
    assert said.passed, said


@pytest.mark.parametrize(
    ("exercise", "variant"), cases(LIBRARY, lambda e: enumerate(right_answers(e)))
)
def test_another_right_answer_passes(exercise, variant):
    answer = variant() if exercise.is_value and callable(variant) else variant
    assert (said := verdict(exercise, answer)).passed, said


@by_number("exercise", GRADIENTS)
def test_a_gradient_has_three_variants(exercise):
    assert len({source_of(v) for v in right_answers(exercise)}) >= 3


# --- written mistakes -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("exercise", "mistake"),
    cases(LIBRARY, lambda e: [(m.id, m) for m in e.mistakes if m.code]),
)
def test_a_mistake_is_named_as_itself(exercise, mistake):
    said = verdict(exercise, answer_of(exercise, mistake.code))
    assert not said.passed
    certain = [name for f in said.findings if f.certain for name in f.ids]
    assert mistake.id in certain, said


SLIPS = cases(LIBRARY, lambda e: [(m.id, m) for m in e.mistakes if m.slip])


@pytest.mark.parametrize(("exercise", "mistake"), SLIPS)
def test_a_slip_fits_exactly_once(exercise, mistake):
    right, edits = mistake.slip
    source = source_of(right)
    for old, new in edits.items():
        assert source.count(old) == 1 and old != new, old
        source = source.replace(old, new)


def results(exercise: Exercise, function) -> list:
    inputs = exercise.draw() if exercise.inputs else [()]
    return [quietly(computing(exercise, function), args) for args in inputs]


def same_results(one: list, other: list) -> bool:
    def same(a, b):
        if a is None or b is None:
            return a is b
        return all(
            x.shape == y.shape
            and (
                np.array_equal(x, y)
                if x.dtype.kind == "U"
                else np.allclose(x, y, rtol=1e-9, atol=1e-12, equal_nan=True)
            )
            for x, y in zip(a, b, strict=True)
        )

    return all(same(a, b) for a, b in zip(one, other, strict=True))


@by_number("exercise", [e for e in LIBRARY if e.kind != "challenge"])
def test_no_two_mistakes_make_the_same_numbers(exercise):
    made = [(m.id, results(exercise, m.code)) for m in exercise.mistakes if m.code]
    for k, (name, one) in enumerate(made):
        for other_name, other in made[:k]:
            assert not same_results(one, other), f"{name} and {other_name}"


@by_number("exercise", LIBRARY)
def test_mistakes_have_different_names_and_a_sentence(exercise):
    names = [m.id for m in exercise.mistakes]
    assert len(names) == len(set(names))
    for mistake in exercise.mistakes:
        assert mistake.sentence or mistake.id in SENTENCES, mistake.id


# --- general mistakes -----------------------------------------------------------------


def with_factor(exercise: Exercise, factors) -> object:
    """The reference, every output multiplied by a product of factors."""
    compute = computing(exercise, exercise.reference)
    inputs = exercise.draw()

    def wrong(*args):
        product = np.prod([SCALES[name](exercise, args) for name in factors])
        return packed(exercise, [product * out for out in compute(args)])

    assert inputs
    return wrong


def packed(exercise: Exercise, outputs: list):
    return tuple(outputs) if exercise.outputs else outputs[0]


def named(exercise: Exercise, said, ids: set[str]) -> bool:
    """Whether all that is said is sure, and names these mistakes or a written one."""
    written = {m.id for m in exercise.mistakes}
    return bool(said.findings) and all(
        f.certain and (set(f.ids) <= ids or set(f.ids) & written or len(f.ids) == 1)
        for f in said.findings
    )


PLAIN = [e for e in GRADIENTS if e.called_plainly]


@pytest.mark.parametrize(
    ("exercise", "factor"), cases(PLAIN, lambda e: [(s, s) for s in SCALES])
)
def test_a_factor_is_named(exercise, factor):
    choices = [s for s in scales(exercise, exercise.draw()) if s.ids == (factor,)]
    if not choices:
        pytest.skip("1 on every input")
    said = verdict(exercise, with_factor(exercise, [factor]))
    assert not said.passed
    assert named(exercise, said, {factor}), said


PAIRS = [("sign", "double"), ("sign", "mean-forgotten"), ("half", "mean-twice")]


@pytest.mark.parametrize(
    ("exercise", "pair"), cases(PLAIN, lambda e: [("+".join(p), p) for p in PAIRS])
)
def test_two_factors_are_named(exercise, pair):
    said = verdict(exercise, with_factor(exercise, pair))
    assert not said.passed
    assert said.findings
    assert all(f.certain and len(f.ids) <= 2 for f in said.findings), said


def changed(exercise: Exercise, change, factor: float = 1.0):
    """The reference with those outputs changed that the change speaks of."""
    right = computing(exercise, exercise.reference)
    wrong = change.make(right, exercise)
    made = [quietly(wrong, args) for args in exercise.draw()]
    if None in made:
        return None
    hit = [all(out is not None for out in column) for column in zip(*made, strict=True)]

    def function(*args):
        triples = zip(hit, wrong(args), right(args), strict=True)
        return packed(exercise, [factor * (w if h else r) for h, w, r in triples])

    return function


def applying(exercise: Exercise, change, factor: float = 1.0):
    """The changed reference, if that is possible and changes something."""
    function = changed(exercise, change)
    right = results(exercise, exercise.reference)
    if function is None or same_results(as_results(exercise, function), right):
        pytest.skip("nothing changes, or not on every input")
    return changed(exercise, change, factor)


def as_results(exercise: Exercise, function) -> list:
    return [computing(exercise, function)(args) for args in exercise.draw()]


def every_change(exercise: Exercise):
    for k, change in enumerate(changes(exercise, exercise.draw())):
        yield f"{change.id}-{k}", change


@pytest.mark.parametrize(("exercise", "change"), cases(PLAIN, every_change))
def test_a_general_mistake_is_named(exercise, change):
    said = verdict(exercise, applying(exercise, change))
    assert not said.passed
    assert named(exercise, said, {change.id, "order"}), said


@pytest.mark.parametrize(("exercise", "change"), cases(PLAIN, every_change))
def test_a_general_mistake_with_the_wrong_sign_is_named(exercise, change):
    said = verdict(exercise, applying(exercise, change, -1.0))
    assert not said.passed
    assert said.findings
    assert all(f.certain and len(f.ids) <= 2 for f in said.findings), said


@by_number("exercise", PLAIN)
def test_changes_in_place_and_float32_are_named(exercise):
    arrays = [k for k, a in enumerate(exercise.draw()[0]) if np.ndim(a)]
    if not arrays:
        pytest.skip("numbers cannot be changed in place")

    def in_place(*args):
        out = exercise.reference(*args)
        args[arrays[0]][...] += 1
        return out

    def in_float32(*args):
        low = [np.float32(a) if np.asarray(a).dtype == float else a for a in args]
        made = computing(exercise, exercise.reference)(tuple(low))
        return packed(exercise, [np.float32(out) for out in made])

    assert verdict(exercise, in_place).mistake == "in-place"
    said = verdict(exercise, in_float32)
    assert "float32" in said.mistakes, said


@by_number("exercise", PLAIN)
def test_zeros_and_inputs_fail(exercise):
    compute = computing(exercise, exercise.reference)

    def zeros(*args):
        return packed(exercise, [np.zeros_like(out) for out in compute(args)])

    assert verdict(exercise, zeros).mistake == "zero"
    count = max(1, len(exercise.outputs))
    for k in range(len(exercise.arguments)):

        def returned(*args, k=k):
            return packed(exercise, [args[k]] * count)

        assert not verdict(exercise, returned).passed


@by_number("exercise", PLAIN)
def test_the_contributions_sum_to_the_gradient(exercise):
    """The general mistakes suppose that a vjp is linear in what comes in."""
    args = exercise.draw()[0]
    if exercise.incoming is None or not np.ndim(args[exercise.incoming]):
        pytest.skip("no array comes in")
    compute = computing(exercise, exercise.reference)
    for part, out in zip(
        contributions(compute, exercise, args), compute(args), strict=True
    ):
        axes = tuple(range(np.ndim(args[exercise.incoming])))
        np.testing.assert_allclose(part.sum(axis=axes), out, rtol=1e-9, atol=1e-12)


def noisy(exercise: Exercise):
    """A wrong answer that nobody has a name for."""
    compute = computing(exercise, exercise.reference)

    def wrong(*args):
        right = compute(args)
        rng = np.random.default_rng(int(1e6 * abs(np.sum(right[0]))))
        return packed(exercise, [out + rng.normal(size=out.shape) for out in right])

    return wrong


@by_number("exercise", [e for e in FUNCTIONS if e.called_plainly])
def test_noise_is_never_named_for_certain(exercise):
    if any(out.dtype.kind == "U" for out in results(exercise, exercise.reference)[0]):
        pytest.skip("a text")
    said = verdict(exercise, noisy(exercise))
    assert not said.passed
    assert not any(f.certain for f in said.findings), said


def test_three_derivatives_are_those_of_torch():
    ex = higher_derivatives.ex
    for words, formula in higher_derivatives.FORMULAS.items():
        t = torch.tensor(higher_derivatives.POINTS, requires_grad=True)
        y = formula(t)
        for made in ex.call(ex.reference, words):
            (y,) = torch.autograd.grad(y.sum(), t, create_graph=True)
            np.testing.assert_allclose(made, y.detach(), rtol=1e-12, err_msg=words)


# --- words ----------------------------------------------------------------------------


@by_number("exercise", LIBRARY)
def test_words(exercise):
    assert exercise.title and exercise.explanation
    assert len(exercise.hints) == 3
    assert len(set(exercise.hints)) == 3
    assert exercise.reference.__name__ in solution(exercise.number).text
    assert exercise.hints[0] in hint(exercise.number).text


@by_number("exercise", GRADIENTS)
def test_general_mistakes_are_made_or_excused(exercise):
    made = {m.id for m in exercise.mistakes}
    assert set(exercise.absent) <= set(BY_HAND)
    assert not made & set(exercise.absent)
    assert set(BY_HAND) <= made | set(exercise.absent)


SECTIONS = {
    name: {t for _, level, t in headings(read(FOLDER / f"{name}.ipynb")) if level == 2}
    for name in COURSE
}


def places():
    for name, sentence in SENTENCES.items():
        yield pytest.param(sentence.where, id=name)
    for exercise in LIBRARY:
        for mistake in exercise.mistakes:
            yield pytest.param(mistake.where, id=f"{exercise.number}-{mistake.id}")


@pytest.mark.parametrize("where", list(places()))
def test_places_exist(where):
    notebook, _, section = where.partition("#")
    assert not where or notebook in SECTIONS
    assert not section or section in SECTIONS[notebook]


# --- in the notebooks -----------------------------------------------------------------


@pytest.mark.parametrize("notebook", notebooks())
def test_the_notebook_asks_all_of_them(notebook):
    (path,) = FOLDER.glob(f"{notebook}_*.ipynb")
    own = exercises(notebook)
    assert [e.number for e in own] == [a.number for a in asked(read(path))]
    assert all(e.notebook == notebook for e in own)


ASKED = [(path, a) for path in with_exercises() for a in asked(read(path))]


@pytest.mark.parametrize(
    ("path", "one"), ASKED, ids=lambda x: getattr(x, "number", None)
)
def test_stub_and_check(path, one):
    (exercise,) = [e for e in LIBRARY if e.number == one.number]
    assert one.heading.source.startswith(f"### {one.number} · {exercise.title}\n")
    assert one.stub.source.startswith(f"# Exercise {one.number}\n")
    assert one.heading.number < one.stub.number < one.check.number
    module = inspect.getmodule(exercise.reference)
    names = {k: v for k, v in vars(module).items() if not k.startswith("__")}
    names.pop(exercise.reference.__name__, None)
    exec(one.stub.source, names)  # noqa: S102
    said = verdict(exercise, names[one.name])
    assert said.status == "not attempted", said


@pytest.mark.parametrize(
    ("path", "one"), ASKED, ids=lambda x: getattr(x, "number", None)
)
def test_a_stub_does_not_tell_the_solution(path, one):
    (exercise,) = [e for e in LIBRARY if e.number == one.number]
    secret = body(source_of(exercise.reference))
    assert secret not in one.stub.source
    assert secret in body(solved(exercise, one.name))


# --- no solution is handed out --------------------------------------------------------


def empty(node: ast.stmt) -> bool:
    """Whether a statement of a stub does nothing yet."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        inside = node.body[1:] if ast.get_docstring(node) else node.body
        return all(map(empty, inside))
    if isinstance(node, ast.Assign):
        parts = ast.walk(node.value)
        return all(
            isinstance(x, ast.Tuple | ast.Load) or getattr(x, "value", 0) is ...
            for x in parts
        )
    return ast.unparse(node) in ("raise NotImplementedError", "...", "pass")


@pytest.mark.parametrize(
    ("path", "one"), ASKED, ids=lambda x: getattr(x, "number", None)
)
def test_a_stub_holds_nothing_but_what_is_asked(path, one):
    for node in ast.parse(one.stub.source).body:
        assert isinstance(node, ast.Import | ast.ImportFrom) or empty(node), (
            f"{one.stub}: {ast.unparse(node)}"
        )


def trees(source: str) -> dict[str, str]:
    """The functions of a source, as syntax trees without name and docstring."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:  # magics, and errors made on purpose
        return {}
    found = {}
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            inside = node.body[1:] if ast.get_docstring(node) else node.body
            found[ast.dump(node.args) + "".join(map(ast.dump, inside))] = node.name
    return found


def sources(path):
    """The code of a notebook: its cells, and the blocks in its text."""
    for cell in read(path).cells:
        if cell.kind == "code":
            yield cell, cell.source
        for block in re.findall(r"```python\n(.*?)```", cell.source, re.DOTALL):
            yield cell, block


@functools.cache
def handed_out():
    """Every function in every student notebook: its tree, and where it stands."""
    return [
        (tree, path.stem[:2], cell)
        for path in paths()
        for cell, source in sources(path)
        for tree in trees(source)
    ]


def first_stub(notebook: str) -> int:
    """The number of the cell in which a notebook begins to ask."""
    return min(a.heading.number for p, a in ASKED if p.stem.startswith(notebook))


@by_number("exercise", LIBRARY)
def test_no_notebook_holds_the_solution(exercise):
    """A right answer of more than one statement stands in no cell and in no text.

    But for what the notebook builds before it asks: a bug that is mended is that again.
    """
    secrets = set()
    for answer in (
        exercise.reference,
        *filter(inspect.isfunction, right_answers(exercise)),
    ):
        source = source_of(answer)
        if source.startswith("def ") and len(ast.parse(source).body[0].body) > 1:
            secrets |= set(trees(source))
    own, asks = exercise.notebook, first_stub(exercise.notebook)
    for tree, notebook, cell in handed_out():
        if notebook != own or cell.number >= asks:
            assert tree not in secrets, f"{notebook}: {cell}"


def test_a_solution_that_is_handed_out_is_found():
    shown = 'def f(x):\n    """Say."""\n    y = x + 1\n    return y\n'
    assert set(trees(shown)) == set(trees("def g(x):\n    y = x + 1\n    return y"))
    for source in ("def f(x):\n    return x", "answer = 3", "answer = (1, ...)"):
        assert not all(map(empty, ast.parse(source).body)), source
    for source in ("answer = ...", "a, b = ..., ...", "def f():\n    pass"):
        assert all(map(empty, ast.parse(source).body)), source
