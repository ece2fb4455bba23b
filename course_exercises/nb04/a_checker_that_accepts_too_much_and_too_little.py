"""04.3 · Find the bugs: it accepts too much and too little"""

import numpy as np

from course_exercises.judge import Exercise
from course_utils.gradcheck import agrees, numerical_gradient, step_size

ENTRIES = "04_gradient_checking#From one number to an array"
SINGLE = "04_gradient_checking#The case of the missing six per cent"
COMPARE = "04_gradient_checking#How to compare, and how not to"
SECOND = "04_gradient_checking#The second look"
CHECKER = "04_gradient_checking#The checker"
eps = np.finfo(float).eps

ex = Exercise(
    "04.3",
    "Find the bugs: it accepts too much and too little",
    hints=(
        "Three questions, in this order: have the two the same shape? Is the "
        "measurement good? How is it compared? Each has a bug or two here.",
        "Measure as this notebook does, entry by entry, in float64, to both sides, "
        "with the step $\\text{eps}^{1/3}$. Compare the worst entry, and take its "
        "distance without a sign.",
        "`numerical_gradient` and `agrees` exist, and `quick_check` shows how the "
        "tolerance is made: a relative part, and a floor for the noise of $f$.",
    ),
    explanation=(
        "float32 loses the slope, the step is too small for a large value, the error "
        "has a sign, the mean lets errors cancel, $10^{-4}$ is absolute, and shapes "
        "broadcast. Mended, it is `quick_check` with one verdict."
    ),
)


@ex.answer
def mended_check(f, x, grad):
    numeric = numerical_gradient(f, x)
    if np.shape(grad) != numeric.shape:
        return False
    size = np.maximum(np.abs(grad), np.abs(numeric))
    floor = 4 * eps * np.abs(f(x)) / step_size(x)
    return bool(np.all(agrees(grad, numeric, 1e-6 * size + floor)))


class Watched:
    """A function with its gradient; notes in which precision it is asked."""

    def __init__(self, f, slope):
        self.f, self.slope, self.single = f, slope, False

    def __call__(self, x):
        """Give the sum over what f makes of the entries."""
        self.single |= np.asarray(x).dtype == np.float32
        return float(np.sum(self.f(np.asarray(x, float))))

    def __deepcopy__(self, memo):
        return self  # what it notes is wanted


def spoilt(index, factor):
    """A gradient with one wrong entry."""

    def change(grad):
        grad = grad.copy()
        grad[index] *= factor
        return grad

    return change


def bowl():
    return Watched(np.square, lambda x: 2 * x)


def small():
    return Watched(lambda x: 1e-7 * np.sin(x), lambda x: 1e-7 * np.cos(x))


def high():
    return Watched(lambda x: 20_000 + np.sin(x), np.cos)


def uneven():
    size = np.array([1e3, 1e-2])
    return Watched(lambda x: size * np.sin(x), lambda x: size * np.cos(x))


def as_it_is(grad):
    return grad


def trials():
    """The gradients that are checked: id, function, point, change; right ones first.

    The id is that of the mistake which the wrong verdict gives away.
    """
    rng = np.random.default_rng(43)
    x, two = np.array([1.0, -2.0, 3.0]), np.array([0.5, 1.0])
    four, many = rng.normal(size=4), rng.normal(size=200) + 3
    return [
        ("refuses-right", bowl(), x, as_it_is),
        ("refuses-right", bowl(), -x, as_it_is),
        ("refuses-small", small(), x, as_it_is),
        ("noise", high(), np.array([0.5, 1.0, 0.2]), as_it_is),
        ("shapes", bowl(), np.full(3, 0.5), lambda grad: grad[:, None]),
        ("signed", bowl(), four, lambda grad: grad - 0.5),
        ("signed", bowl(), four, lambda grad: grad + 0.5),
        ("mean", bowl(), four, lambda grad: grad + np.array([1, -1, 1, -1]) / 10),
        ("mean", bowl(), many, spoilt(17, 1.05)),
        ("whole", uneven(), two, spoilt(1, 1.05)),
        ("absolute", small(), x, lambda grad: 0 * grad),
        ("loose", bowl(), x, spoilt(1, 1.001)),
        ("nan", bowl(), x, spoilt(2, np.nan)),
    ]


def verdicts(check):
    """Which of the trials are accepted, and whether float32 was used."""
    found, single = [], False
    for _, f, x, change in trials():
        said = check(f, x.copy(), change(f.slope(x)))
        single |= f.single
        if said is None or np.size(said) != 1:
            return said if said is None else "many", single
        found.append(bool(said))
    return found, single


@ex.judged
def judge_checker(answer, run):
    found, single = run(of=lambda: verdicts(answer))
    if found is None:
        return "It returns None. Is a `return` missing?"
    if found == "many":
        return ex.named("many")
    if single:
        shown = verdicts(check_as_shown)[0] == found
        return ex.named("as-shown" if shown else "float32")
    if len(set(found)) == 1:
        return CHECK_MISTAKES["always-true" if found[0] else "always-false"]
    names = [name for name, *_ in trials()]
    right = [k < names.index("shapes") for k in range(len(names))]
    for name, got, wanted in zip(names, found, right, strict=True):
        if got != wanted:
            return ex.named(name)
    return None


def check_as_shown(f, x, grad):
    x = x.astype(np.float32)
    numeric = np.zeros(x.size)
    for i in range(x.size):
        moved = x.copy()
        moved[i] += 1e-8
        numeric[i] = (f(moved) - f(x)) / 1e-8
    return np.mean(grad - numeric) < 1e-4


def checking(compare, same_shape=True, slopes=numerical_gradient):
    """A checker of this form with its own way to compare."""

    def check(f, x, grad):
        if same_shape and np.shape(grad) != x.shape:
            return False
        with np.errstate(all="ignore"):
            return compare(grad, slopes(f, x))

    return check


def forward_slopes(f, x):
    nudges = 1e-8 * np.eye(x.size)
    return np.array([(f(x + nudge) - f(x)) / 1e-8 for nudge in nudges])


def single_slopes(f, x):
    x, h = x.astype(np.float32), np.float32(1e-2)
    nudges = h * np.eye(x.size, dtype=np.float32)
    return np.array([(f(x + n) - f(x - n)) / (2 * h) for n in nudges])


def close(a, n):
    return np.allclose(a, n, rtol=1e-5, atol=1e-12)


def relative(a, n):
    return np.abs(a - n) / np.maximum(np.abs(a), np.abs(n))


ex.mistake("as-shown", SINGLE, code=check_as_shown).says("""
    This still answers as the code in the task does. Begin with the numbers: what is 1 +
    1e-8 in float32?
""")

ex.mistake(
    "float32",
    SINGLE,
    code=checking(lambda a, n: np.allclose(a, n, 0.001, 1e-12), slopes=single_slopes),
).says("""
    It still measures in float32, whose seven digits leave two or three for a slope.
    Check in float64.
""")

ex.mistake(
    "always-true", CHECKER, code=checking(lambda a, n: True, same_shape=False)
).says("""
    It accepts every gradient that it is given, right or wrong.
""")

ex.mistake("always-false", SECOND, code=checking(lambda a, n: False)).says("""
    It refuses every gradient, the right ones too. An alarm that always rings is soon
    ignored.
""")

ex.mistake("many", COMPARE, code=checking(lambda a, n: relative(a, n) < 1e-05)).says("""
    It returns one verdict for each entry. Give one for the whole gradient.
""")

ex.mistake(
    "refuses-right",
    ENTRIES,
    code=checking(lambda a, n: np.all(np.abs(a - n) < 1e-05 * n)),
).says("""
    It refuses a right gradient: that of $x_1^2 + x_2^2 + x_3^2$, at $(1, -2, 3)$ or at
    $(-1, 2, -3)$. Is every slope measured at the same point, and may it be negative?
""")

ex.mistake(
    "refuses-small",
    COMPARE,
    code=checking(lambda a, n: close(a, n) and np.abs(n).max() > 1e-05),
).says("""
    It refuses a right gradient that is small, about $10^{-7}$. Small gradients are
    common, and may be right.
""")

ex.mistake("noise", COMPARE, code=checking(close, slopes=forward_slopes)).says(r"""
    It refuses a right gradient of a function whose value is about 60,000. Rounding
    leaves $\text{eps} \cdot |f|/h$ in a slope: is the step too small, or the tolerance
    narrower than this?
""")

ex.mistake("shapes", COMPARE, code=checking(close, same_shape=False)).says("""
    A gradient of shape (3, 1) passes for an `x` of shape (3,). The difference
    broadcasts; compare the shapes first.
""")

ex.mistake(
    "signed", COMPARE, code=checking(lambda a, n: np.all(a - n < 1e-05 * np.abs(n)))
).says("""
    A gradient that is too small (or too large) in every entry passes: the error is
    compared with its sign.
""")

ex.mistake(
    "mean", COMPARE, code=checking(lambda a, n: np.mean(relative(a, n)) < 0.001)
).says("""
    Errors are added or averaged before they are compared: those of opposite sign
    cancel, or one wrong entry among many right ones hides.
""")

ex.mistake(
    "whole",
    COMPARE,
    code=checking(lambda a, n: np.linalg.norm(a - n) < 1e-05 * np.linalg.norm(a + n)),
).says("""
    The errors are measured by the size of the whole gradient. A small entry beside a
    large one may then be wrong by per cents.
""")

ex.mistake(
    "absolute",
    COMPARE,
    code=checking(lambda a, n: np.all(np.abs(a - n) < 1e-05 * (1 + np.abs(n)))),
).says("""
    Zeros pass for a gradient of about $10^{-7}$. The absolute tolerance is larger than
    what it is to judge.
""")

ex.mistake(
    "loose", COMPARE, code=checking(lambda a, n: np.all(relative(a, n) < 0.01))
).says("""
    One entry that is wrong by 0.1 % passes. In float64 a slope has nine digits, so the
    tolerance may be much narrower.
""")

ex.mistake(
    "nan", COMPARE, code=checking(lambda a, n: not np.any(relative(a, n) > 1e-05))
).says("""
    A gradient with NaN passes. Every comparison with NaN is false: ask what is right,
    and not what is wrong.
""")
