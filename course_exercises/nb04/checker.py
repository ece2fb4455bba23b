"""04.3 · Find the bugs: it accepts too much and too little."""

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
        r"with the step $\text{eps}^{1/3}$. Compare the worst entry, and take its "
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
    """A function with its gradient; notes how it is asked."""

    def __init__(self, f, slope):
        self.f, self.slope, self.single, self.asked = f, slope, False, []

    def __call__(self, x):
        """Give the sum over what f makes of the entries."""
        self.single |= np.asarray(x).dtype == np.float32
        self.asked.append(np.array(x, float))
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


def trials():
    """The gradients that are checked: id, function, point, change; right ones first.

    The id is that of the mistake which the wrong verdict gives away.
    """
    size = np.array([1e3, 1e-2])
    bowl = np.square, lambda x: 2 * x
    small = lambda x: 1e-7 * np.sin(x), lambda x: 1e-7 * np.cos(x)
    high = lambda x: 20_000 + np.sin(x), np.cos
    uneven = lambda x: size * np.sin(x), lambda x: size * np.cos(x)
    rng = np.random.default_rng(43)
    x, two = np.array([1.0, -2.0, 3.0]), np.array([0.5, 1.0])
    four, many = rng.normal(size=4), rng.normal(size=200) + 3
    rows = [
        ("refuses-right", bowl, x, lambda grad: grad),
        ("refuses-right", bowl, -x, lambda grad: grad),
        ("refuses-small", small, x, lambda grad: grad),
        ("noise", high, np.array([0.5, 1.0, 0.2]), lambda grad: grad),
        ("shapes", bowl, np.full(3, 0.5), lambda grad: grad[:, None]),
        ("signed", bowl, four, lambda grad: grad - 0.5),
        ("signed", bowl, four, lambda grad: grad + 0.5),
        ("cancelling", bowl, four, lambda grad: grad + np.array([1, -1, 1, -1]) / 10),
        ("mean", bowl, many, spoilt(17, 1.05)),
        ("whole", uneven, two, spoilt(1, 1.05)),
        ("absolute", small, x, lambda grad: 0 * grad),
        ("loose", bowl, x, spoilt(1, 1.001)),
        ("nan", bowl, x, spoilt(2, np.nan)),
        ("mean", bowl, many, spoilt(17, 1.002)),
    ]
    return [(name, Watched(*pair), x, change) for name, pair, x, change in rows]


def verdicts(check):
    """Which of the trials are accepted, and whether float32 was used."""
    found, single, moved = [], False, 1
    for _, f, x, change in trials():
        said = check(f, x.copy(), change(f.slope(x)))
        single |= f.single
        places = [place for place in f.asked if place.shape == x.shape]
        moved = max([moved, *(np.sum(place != x) for place in places)])
        if said is None or np.size(said) != 1:
            return said if said is None else "many", single, moved
        found.append(bool(said))
    return found, single, moved


@ex.judged
def judge_checker(answer, run):
    found, single, moved = run(of=lambda: verdicts(answer))
    if found is None:
        return "It returns None. Is a `return` missing?"
    if found == "many":
        return ex.named("many")
    if single:
        return ex.named("as-shown" if found == verdicts(as_shown)[0] else "float32")
    names = [name for name, *_ in trials()]
    right = [k < names.index("shapes") for k in range(len(names))]
    wrong = [n for n, a, b in zip(names, found, right, strict=True) if a != b]
    if moved > 1 and not any(found[:4]):
        return ex.named("not-taken-back")
    if len(set(found)) == 1:
        return ex.named("always-true" if found[0] else "always-false")
    if len(wrong) == len(names):
        return ex.named("reversed")
    if {"loose", "mean", "whole", "nan"} == set(wrong) - {"shapes"}:
        return ex.named("any")
    # Shapes and NaN are one thing each, and one fault of the numbers shows in several.
    apart = [name for name in wrong if name in ("shapes", "nan")]
    numbers = [name for name in wrong if name not in apart]
    return [ex.named(name) for name in numbers[:1] + apart]


RULE = "bool(np.all(agrees(grad, numeric, 1e-6 * size + floor)))"

# --- how the slope is measured


@ex.wrong(SINGLE)
def as_shown(f, x, grad):
    """This still answers as the code in the task does. Begin with the numbers: what is
    1 + 1e-8 in float32?
    """
    x = x.astype(np.float32)
    numeric = np.zeros(x.size)
    for i in range(x.size):
        moved = x.copy()
        moved[i] += 1e-8
        numeric[i] = (f(moved) - f(x)) / 1e-8
    return np.mean(grad - numeric) < 1e-4


IN_SINGLE = {"gradient(f, x": "gradient(lambda x: f(np.float32(x)), x, 0.01"}
ex.slip("float32", {**IN_SINGLE, "1e-6": "1e-3"}, SINGLE).says("""
    It still measures in float32, whose seven digits leave two or three for a slope.
    Check in float64.
""")


@ex.wrong(CHECKER)
def always_true(f, x, grad):
    """It accepts every gradient that it is given, right or wrong."""
    return True


ex.slip("always-false", {RULE: "False"}, SECOND).says("""
    It refuses every gradient, the right ones too. An alarm that always rings is soon
    ignored.
""")

KEPT = {"numerical_gradient(f, x)": "kept(f, x)"}


def kept(f, x):
    """Slopes, measured by nudges that are not taken back."""
    moved, slopes = x.copy(), []
    for i in range(x.size):
        moved[i] += 1e-5
        slopes.append((f(moved) - f(x)) / 1e-5)
    return np.array(slopes)


ex.slip("not-taken-back", KEPT, ENTRIES).says("""
    A nudge is not taken back: when the second slope is measured, the first entry is
    still moved.
""")

REVERSED = {"return False": "return True", "bool(": "not bool("}
ex.slip("reversed", REVERSED, COMPARE).says("""
    It says True where it should say False, and the reverse.
""")
ex.slip("any", {"np.all": "np.any"}, COMPARE).says("""
    A gradient passes if one of its entries is right. All of them have to be.
""")
ex.slip("many", {"bool(np.all(": "", "floor)))": "floor)"}, COMPARE).says("""
    It returns one verdict for each entry. Give one for the whole gradient.
""")
ex.slip("refuses-right", {"* size": "* numeric"}, ENTRIES).says("""
    It refuses a right gradient: that of $x_1^2 + x_2^2 + x_3^2$, at $(1, -2, 3)$ or at
    $(-1, 2, -3)$. Is every slope measured at the same point, and may it be negative?
""")
ex.slip("refuses-small", {"bool(": "bool(np.max(size) > 1e-5 and "}, COMPARE).says("""
    It refuses a right gradient that is small, about $10^{-7}$. Small gradients are
    common, and may be right.
""")
ex.slip("noise", {"gradient(f, x": "gradient(f, x, 1e-8"}, COMPARE).says(r"""
    It refuses a right gradient of a function whose value is about 60,000. Rounding
    leaves $\text{eps} \cdot |f|/h$ in a slope: is the step too small, or the tolerance
    narrower than this?
""")

# --- how it is compared

ex.slip("shapes", {"return False": "pass"}, COMPARE).says("""
    A gradient of shape (3, 1) passes for an `x` of shape (3,). The difference
    broadcasts; compare the shapes first.
""")

SIGNED = {RULE: "np.all(grad - numeric < 1e-6 * size + floor)"}
ex.slip("signed", SIGNED, COMPARE).says("""
    A gradient that is wrong by the same amount everywhere passes: the error is compared
    with its sign, and one sign is never large enough.
""")

CANCELLING = {RULE: "np.abs(np.sum(grad - numeric)) <= 1e-6 * size.min()"}
ex.slip("cancelling", CANCELLING, COMPARE).says("""
    Errors of opposite sign pass: they are added up before they are compared, and
    cancel. Take the distance of each entry first.
""")

MEAN = {RULE: "np.mean(np.abs(grad - numeric) / size) < 1e-3"}
ex.slip("mean", MEAN, COMPARE).says("""
    One wrong entry of 200 passes: in a mean or a sum over all entries it hides among
    those that are right. Look at the worst one.
""")
ex.slip("whole", {"* size": "* np.linalg.norm(size)"}, COMPARE).says("""
    The errors are measured by the size of the whole gradient. A small entry beside a
    large one may then be wrong by per cents.
""")
ex.slip("absolute", {"+ floor": "+ 1e-5"}, COMPARE).says("""
    Zeros pass for a gradient of about $10^{-7}$. The absolute tolerance is larger than
    what it is to judge.
""")
ex.slip("loose", {"1e-6": "1e-2"}, COMPARE).says("""
    One entry that is wrong by 0.1 % passes. In float64 a slope has nine digits, so the
    tolerance may be much narrower.
""")

NAN = {RULE: "not np.any(abs(grad - numeric) > 1e-6 * size + floor)"}
ex.slip("nan", NAN, COMPARE).says("""
    A gradient with NaN passes. Every comparison with NaN is false: ask what is right,
    and not what is wrong.
""")
