"""Exercises of 04_gradient_checking."""

import numpy as np

from course_utils.gradcheck import agrees, gradcheck, numerical_gradient, step_size

from .exercise import Exercise, Mistake

SLOPE = "04_gradient_checking#How far can we trust a slope?"
ENTRIES = "04_gradient_checking#From one number to an array"
SINGLE = "04_gradient_checking#The case of the missing six per cent"
COMPARE = "04_gradient_checking#How to compare, and how not to"
SECOND = "04_gradient_checking#The second look"
CHECKER = "04_gradient_checking#The checker"
MANY = "04_gradient_checking#A million parameters"
TORCH = "04_gradient_checking#PyTorch's checker beside ours"
UNSEEN = "04_gradient_checking#What no check can see"
CHAIN = "01_chain_rule#Two boxes in a row: prices multiply"
RULES = "03_tape_engine#The local rules"
eps = np.finfo(float).eps

# --- 04.1: five points ----------------------------------------------------------------


def five_point(f, x, h):
    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return (8 * near - far) / (12 * h)


def wave(x):
    return np.sin(2 * x) + x**2


def decay(x):
    return x * np.exp(-x)


def five_point_inputs(rng):
    functions = (np.exp, np.sin, wave, decay, np.log)
    points = zip(functions, (1.0, 0.7, -0.4, 1.3, 2.5), strict=True)
    return [(f, x, 0.1 * (k + 1)) for k, (f, x) in enumerate(points)]


def from_two_centrals(f, x, h):
    def central(step):
        return (f(x + step) - f(x - step)) / (2 * step)

    return central(h) + (central(h) - central(2 * h)) / 3


def from_weights(f, x, h):
    weights = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}
    return sum(w * f(x + k * h) for k, w in weights.items()) / h


def from_an_array(f, x, h):
    values = [f(x + k * h) for k in range(-2, 3)]
    return np.dot([1, -8, 0, 8, -1], values) / 12 / h


def weighed(inner, outer, reach=2, divisor=12):
    """A rule of the same form with other numbers in it."""

    def rule(f, x, h):
        near, far = f(x + h) - f(x - h), f(x + reach * h) - f(x - reach * h)
        return (inner * near + outer * far) / (divisor * h)

    return rule


def five_point_forward(f, x, h):
    return (f(x + h) - f(x)) / h


def five_point_with_sums(f, x, h):
    near, far = f(x + h) + f(x - h), f(x + 2 * h) + f(x - 2 * h)
    return (8 * near - far) / (12 * h)


def five_point_far_sum(f, x, h):
    near, far = f(x + h) - f(x - h), f(x + 2 * h) + f(x - 2 * h)
    return (8 * near - far) / (12 * h)


def five_point_without_h(f, x, h):
    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return (8 * near - far) / 12


def five_point_to_one_side(f, x, h):
    return (8 * (f(x + h) - f(x)) - (f(x + 2 * h) - f(x))) / (12 * h)


def five_point_times_h(f, x, h):
    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return (8 * near - far) / 12 * h


def five_point_eight_for_all(f, x, h):
    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return 8 * (near - far) / (12 * h)


def five_point_broken_brackets(f, x, h):
    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return 8 * near - far / (12 * h)


def five_point_wrong_mixture(f, x, h):
    one, two = weighed(1, 0, divisor=2), weighed(0, 1, divisor=4)
    return (4 * two(f, x, h) - one(f, x, h)) / 3


# --- 04.2: softplus -------------------------------------------------------------------


def softplus_vjp(grad_out, x):
    return grad_out * np.exp(-np.logaddexp(0, -x))  # σ(x): no overflow, no 1 − σ


def softplus_inputs(rng):
    shapes = (2, 3), (5, 4), (3, 3), (1, 4), (6,)
    pairs = [(rng.normal(size=s), rng.normal(size=s) * 2) for s in shapes]
    pairs[1][1][0, 0], pairs[2][1][1, 2] = 40.0, -40.0
    pairs[4][1][2:4] = 800.0, -800.0
    return pairs


def softplus_by_sigmoid(grad_out, x):
    with np.errstate(over="ignore"):
        return grad_out / (1 + np.exp(-x))


def softplus_by_two_branches(grad_out, x):
    e = np.exp(-np.abs(x))
    return grad_out * np.where(x >= 0, 1, e) / (1 + e)


def softplus_from_the_output(grad_out, x):
    return np.exp(x - np.logaddexp(0, x)) * grad_out


def softplus_by_loop(grad_out, x):
    grad_x = np.empty_like(x)
    for index, z in np.ndenumerate(x):
        e = np.exp(-abs(z))
        grad_x[index] = grad_out[index] * (1 / (1 + e) if z > 0 else e / (1 + e))
    return grad_x


def sigma(x):
    return (1 + np.tanh(x / 2)) / 2


def softplus_passed_on(grad_out, x):
    return 1.0 * grad_out


def softplus_at_output(grad_out, x):
    return grad_out * sigma(np.logaddexp(0, x))


def softplus_of_sigmoid(grad_out, x):
    return grad_out * sigma(x) * sigma(-x)


def softplus_other_side(grad_out, x):
    return grad_out * sigma(-x)


def softplus_overflowing(grad_out, x):
    return grad_out * np.exp(x) / (1 + np.exp(x))


def softplus_inner_alone(grad_out, x):
    return grad_out * np.exp(x)


def softplus_as_relu(grad_out, x):
    return grad_out * (x > 0)


def softplus_of_tanh(grad_out, x):
    return grad_out * (1 - np.tanh(x) ** 2)


def softplus_itself(grad_out, x):
    return grad_out * np.logaddexp(0, x)


def softplus_half_tanh(grad_out, x):
    return grad_out * np.tanh(x / 2)


def softplus_by_matrix_product(grad_out, x):
    return grad_out @ sigma(x).T


def softplus_exchanged(grad_out, x):
    return sigma(grad_out) * x


def softplus_at_sigmoid(grad_out, x):
    return grad_out * sigma(sigma(x))


def softplus_without_incoming(grad_out, x):
    return sigma(x)


def softplus_subtracted(grad_out, x):
    return grad_out - sigma(x)


def softplus_as_tanh(grad_out, x):
    return grad_out * np.tanh(x)


# --- 04.3: a checker that accepts too much and too little ----------------------------


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


def judge_checker(answer, run):
    found, single = run(of=lambda: verdicts(answer))
    if found is None:
        return "It returns None. Is a `return` missing?"
    if found == "many":
        return CHECK_MISTAKES["many"]
    if single:
        shown = verdicts(check_as_shown)[0] == found
        return CHECK_MISTAKES["as-shown" if shown else "float32"]
    if len(set(found)) == 1:
        return CHECK_MISTAKES["always-true" if found[0] else "always-false"]
    names = [name for name, *_ in trials()]
    right = [k < names.index("shapes") for k in range(len(names))]
    for name, got, wanted in zip(names, found, right, strict=True):
        if got != wanted:
            return CHECK_MISTAKES[name]
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


CHECK_MISTAKES = {
    m.id: m
    for m in (
        Mistake(
            "as-shown",
            check_as_shown,
            "This still answers as the code in the task does. Begin with the numbers: "
            "what is 1 + 1e-8 in float32?",
            SINGLE,
        ),
        Mistake(
            "float32",
            checking(lambda a, n: np.allclose(a, n, 1e-3, 1e-12), slopes=single_slopes),
            "It still measures in float32, whose seven digits leave two or three for "
            "a slope. Check in float64.",
            SINGLE,
        ),
        Mistake(
            "always-true",
            checking(lambda a, n: True, same_shape=False),
            "It accepts every gradient that it is given, right or wrong.",
            CHECKER,
        ),
        Mistake(
            "always-false",
            checking(lambda a, n: False),
            "It refuses every gradient, the right ones too. An alarm that always rings "
            "is soon ignored.",
            SECOND,
        ),
        Mistake(
            "many",
            checking(lambda a, n: relative(a, n) < 1e-5),
            "It returns one verdict for each entry. Give one for the whole gradient.",
            COMPARE,
        ),
        Mistake(
            "refuses-right",
            checking(lambda a, n: np.all(np.abs(a - n) < 1e-5 * n)),
            "It refuses a right gradient: that of $x_1^2 + x_2^2 + x_3^2$, at $(1, -2, "
            "3)$ or at $(-1, 2, -3)$. Is every slope measured at the same point, and "
            "may it be negative?",
            ENTRIES,
        ),
        Mistake(
            "refuses-small",
            checking(lambda a, n: close(a, n) and np.abs(n).max() > 1e-5),
            "It refuses a right gradient that is small, about $10^{-7}$. Small "
            "gradients are common, and may be right.",
            COMPARE,
        ),
        Mistake(
            "noise",
            checking(close, slopes=forward_slopes),
            "It refuses a right gradient of a function whose value is about "
            "60,000. Rounding leaves $\\text{eps} \\cdot |f|/h$ in a slope: is the "
            "step too small, or the tolerance narrower than this?",
            COMPARE,
        ),
        Mistake(
            "shapes",
            checking(close, same_shape=False),
            "A gradient of shape (3, 1) passes for an `x` of shape (3,). The "
            "difference broadcasts; compare the shapes first.",
            COMPARE,
        ),
        Mistake(
            "signed",
            checking(lambda a, n: np.all(a - n < 1e-5 * np.abs(n))),
            "A gradient that is too small (or too large) in every entry passes: the "
            "error is compared with its sign.",
            COMPARE,
        ),
        Mistake(
            "mean",
            checking(lambda a, n: np.mean(relative(a, n)) < 1e-3),
            "Errors are added or averaged before they are compared: those of opposite "
            "sign cancel, or one wrong entry among many right ones hides.",
            COMPARE,
        ),
        Mistake(
            "whole",
            checking(lambda a, n: np.linalg.norm(a - n) < 1e-5 * np.linalg.norm(a + n)),
            "The errors are measured by the size of the whole gradient. A small entry "
            "beside a large one may then be wrong by per cents.",
            COMPARE,
        ),
        Mistake(
            "absolute",
            checking(lambda a, n: np.all(np.abs(a - n) < 1e-5 * (1 + np.abs(n)))),
            "Zeros pass for a gradient of about $10^{-7}$. The absolute tolerance is "
            "larger than what it is to judge.",
            COMPARE,
        ),
        Mistake(
            "loose",
            checking(lambda a, n: np.all(relative(a, n) < 1e-2)),
            "One entry that is wrong by 0.1 % passes. In float64 a slope has nine "
            "digits, so the tolerance may be much narrower.",
            COMPARE,
        ),
        Mistake(
            "nan",
            checking(lambda a, n: not np.any(relative(a, n) > 1e-5)),
            "A gradient with NaN passes. Every comparison with NaN is false: ask what "
            "is right, and not what is wrong.",
            COMPARE,
        ),
    )
}

# --- 04.4: four verdicts and a fifth --------------------------------------------------


def verdicts_of_gradcheck():
    def in_float32(x):
        return (x.astype(np.float32) ** 2).sum()

    x = np.random.default_rng(44).normal(size=4)
    zero, near = np.zeros(1), np.full(1, 1e-9)
    reports = [
        gradcheck(lambda x: np.abs(x).sum(), zero, np.full(1, 0.3)),
        gradcheck(lambda x: np.abs(x).sum(), near, np.full(1, 0.3)),
        gradcheck(lambda x: 1 + (np.maximum(x, 0) ** 2).sum(), zero, np.zeros(1)),
        gradcheck(lambda x: np.round(x, 3).sum(), x, np.zeros(4)),
        gradcheck(in_float32, x, 2 * x),
    ]
    return tuple(map(in_one_word, reports))


def in_one_word(report):
    if report.kinks:
        return "kink"
    if "CANNOT SAY" in repr(report):
        return "cannot say"
    return "right" if report else "wrong"


SAID = ("kink", "wrong", "right", "right", "cannot say")


def but(place, word):
    """A prediction with one wrong word."""
    return lambda: (*SAID[:place], word, *SAID[place + 1 :])


# --- 04.5: symmetry -------------------------------------------------------------------


def symmetry_check(grad, x, rng):
    u, v, h = rng.normal(size=x.shape), rng.normal(size=x.shape), 1e-5

    def second(w):  # S w: how the gradient changes along w
        return (grad(x + h * w) - grad(x - h * w)) / (2 * h)

    one, other = np.sum(u * second(v)), np.sum(v * second(u))
    size = np.abs(u * second(v)).sum() + np.abs(v * second(u)).sum()
    return bool(abs(one - other) <= 1e-6 * size)


def layer_grad(W):
    X = np.random.default_rng(45).normal(size=(6, len(W)))
    y = np.tanh(X @ W)
    return X.T @ (2 * y * (1 - y**2)) / len(X)


def scaled_layer_grad(W):
    grad = layer_grad(W)
    grad[1] *= 1.02
    return grad


MIXED = np.random.default_rng(46).normal(size=(5, 5))  # not symmetric
EVEN = MIXED + MIXED.T


def fields():
    """Functions that are gradients, or look like one: name, function, point, verdict.

    The name is that of the mistake which the wrong verdict gives away.
    """
    x, five = np.array([1.0, 2.0, 3.0]), np.linspace(-1.0, 1.5, 5)
    W = np.random.default_rng(47).normal(size=(4, 3))
    return [
        ("refuses-right", lambda x: 2 * x, x, True),
        ("refuses-right", lambda x: EVEN @ x + x**3, five, True),
        ("refuses-sign", lambda x: -2 * x, x, True),
        ("too-strict", lambda x: 1e6 * (EVEN @ x + np.exp(x)), five, True),
        ("matrices", layer_grad, W, True),
        ("loose", lambda x: 2 * np.roll(x, 1), x, False),
        ("loose", lambda x: MIXED @ x, five, False),
        *[("loose", scaled_layer_grad, W, False)] * 4,  # each with its own directions
        ("absolute", lambda x: 1e-10 * (MIXED @ x), five, False),
    ]


def symmetric(check):
    """What an answer says of each field."""
    said = []
    for k, (_, grad, x, _) in enumerate(fields()):
        verdict = check(grad, x.copy(), np.random.default_rng([4, 5, k]))
        if verdict is None or np.size(verdict) != 1:
            return verdict if verdict is None else "many"
        said.append(bool(verdict))
    return said


def judge_symmetry(answer, run):
    said = run(of=lambda: symmetric(answer))
    if said is None:
        return "It returns None. Is a `return` missing?"
    if isinstance(said, str):
        return "It returns several verdicts. Give one, True or False."
    if len(set(said)) == 1:
        return SYMMETRY["always-true" if said[0] else "always-false"]
    for (name, *_, right), got in zip(fields(), said, strict=True):
        if got != right:
            return SYMMETRY[name]
    return None


def same_number(one, other, share):
    return abs(one - other) <= share * max(abs(one), abs(other))


def testing(compare):
    """A check of symmetry with its own way to compare."""

    def check(grad, x, rng):
        u, v, h = rng.normal(size=x.shape), rng.normal(size=x.shape), 1e-5
        Su, Sv = ((grad(x + h * w) - grad(x - h * w)) / (2 * h) for w in (u, v))
        return compare(u, v, Su, Sv)

    return check


SYMMETRY = {
    m.id: m
    for m in (
        Mistake(
            "always-true",
            testing(lambda u, v, Su, Sv: np.isclose(np.sum(v * Sv), np.sum(v * Sv))),
            "It accepts everything. Is the same number computed twice? $u$ and $v$ "
            "have to be two different directions.",
            MANY,
        ),
        Mistake(
            "always-false",
            testing(lambda u, v, Su, Sv: np.allclose(Su, Sv, atol=0)),
            "It refuses everything, also what is symmetric. What has to be equal are "
            "two numbers: $u \\cdot (Sv)$ and $v \\cdot (Su)$.",
            MANY,
        ),
        Mistake(
            "refuses-right",
            testing(lambda u, v, Su, Sv: np.sum(u * Sv) - np.sum(v * Su) > 1e-12),
            "It refuses a gradient whose second derivatives are symmetric. Are the two "
            "numbers $u \\cdot (Sv)$ and $v \\cdot (Su)$, and does their distance "
            "count?",
            COMPARE,
        ),
        Mistake(
            "refuses-sign",
            testing(
                lambda u, v, Su, Sv: (
                    np.sum(u * Su) > -4
                    and same_number(np.sum(u * Sv), np.sum(v * Su), 1e-6)
                )
            ),
            "It refuses $-2x$. With the other sign it is the gradient of another "
            "function, and as symmetric: this check cannot see it, and should not "
            "pretend to.",
            UNSEEN,
        ),
        Mistake(
            "too-strict",
            testing(lambda u, v, Su, Sv: abs(np.sum(u * Sv) - np.sum(v * Su)) < 1e-7),
            "It refuses a right gradient of about a million. A fixed tolerance does "
            "not fit every size: let it grow with the numbers.",
            COMPARE,
        ),
        Mistake(
            "matrices",
            testing(
                lambda u, v, Su, Sv: u.ndim == 1 and same_number(u @ Sv, v @ Su, 1e-6)
            ),
            "It refuses a right gradient when `x` is a matrix. $u \\cdot w$ is then "
            "the sum over all products of entries, one number.",
            MANY,
        ),
        Mistake(
            "loose",
            testing(
                lambda u, v, Su, Sv: same_number(np.sum(u * Sv), np.sum(v * Su), 0.3)
            ),
            "It accepts a function that is no gradient: `2 * np.roll(x, 1)`, or one "
            "with a row that is 2 % too large. Is the tolerance too wide?",
            COMPARE,
        ),
        Mistake(
            "absolute",
            testing(
                lambda u, v, Su, Sv: (
                    abs(np.sum(u * Sv) - np.sum(v * Su))
                    < 1e-5 * (1 + abs(np.sum(u * Sv)))
                )
            ),
            "A wrong gradient of about $10^{-10}$ passes. The tolerance is larger than "
            "the numbers that it compares.",
            COMPARE,
        ),
    )
}


EXERCISES = [
    Exercise(
        number="04.1",
        title="Five points",
        reference=five_point,
        inputs=five_point_inputs,
        mistakes=[
            Mistake(
                "central",
                weighed(1, 0, divisor=2),
                "This is the central difference, with two points. The other two, "
                "$2h$ away, are to cancel the term with $h^2$.",
                SLOPE,
            ),
            Mistake(
                "forward",
                five_point_forward,
                "This is the forward difference. The five-point rule looks to both "
                "sides, near and far.",
                SLOPE,
            ),
            Mistake(
                "outer-sign",
                weighed(8, 1),
                "The far points are added. The near ones overestimate a term, and the "
                "far ones are there to take it away.",
                SLOPE,
            ),
            Mistake(
                "sums",
                five_point_with_sums,
                "The two sides are added. A slope is about how much they *differ*.",
                SLOPE,
            ),
            Mistake(
                "far-sum",
                five_point_far_sum,
                "The two far points are added to each other. As with the near pair, "
                "one is subtracted from the other.",
                SLOPE,
            ),
            Mistake(
                "far-missing",
                weighed(8, 0),
                "The far pair is missing; only its weight has been left in the 12.",
                SLOPE,
            ),
            Mistake(
                "backward",
                lambda f, x, h: (f(x) - f(x - h)) / h,
                "This is a difference to one side. The five-point rule looks to both "
                "sides, near and far.",
                SLOPE,
            ),
            Mistake(
                "value",
                lambda f, x, h: f(x),
                "This is the value of the function. The question is for its slope.",
                SLOPE,
            ),
            Mistake(
                "far-alone",
                weighed(0, 1, divisor=4),
                "This is the central difference with a step of $2h$. Its error is four "
                "times as large; the near pair is missing.",
                SLOPE,
            ),
            Mistake(
                "one-side",
                five_point_to_one_side,
                "All points lie to the right of `x`. Only if both sides are used, the "
                "even terms cancel.",
                SLOPE,
            ),
            Mistake(
                "h-missing",
                five_point_without_h,
                "The division by `h` is missing: this is a difference, not a slope.",
                SLOPE,
            ),
            Mistake(
                "eight-for-all",
                five_point_eight_for_all,
                "The 8 belongs to the near points alone.",
                SLOPE,
            ),
            Mistake(
                "eight-missing",
                weighed(1, -1),
                "Near and far points have the same weight here. The near ones have to "
                "count more, or even the slope itself does not come out.",
                SLOPE,
            ),
            Mistake(
                "exchanged",
                weighed(-1, 8),
                "The weights are exchanged: the *near* points count eight times.",
                SLOPE,
            ),
            Mistake(
                "too-near",
                weighed(8, -1, reach=0.5),
                "The far points are at half a step. They have to be at two steps, "
                "outside of the near ones.",
                SLOPE,
            ),
            Mistake(
                "too-far",
                weighed(8, -1, reach=3),
                "The far points are at three steps. The weights fit two.",
                SLOPE,
            ),
            Mistake(
                "times-h",
                five_point_times_h,
                "Python reads `/ 12 * h` from the left: it divides by 12 and "
                "*multiplies* by `h`. Brackets are missing.",
                SLOPE,
            ),
            Mistake(
                "brackets",
                five_point_broken_brackets,
                "Only the last term is divided. Brackets around the sum are missing.",
                SLOPE,
            ),
            Mistake(
                "twelve-missing",
                weighed(8, -1, divisor=1),
                "The 12 is missing. For $f(x) = x$ the numerator is $12h$, and the "
                "slope has to be 1.",
                SLOPE,
            ),
            Mistake(
                "wrong-mixture",
                five_point_wrong_mixture,
                "Two central differences are mixed, the coarse one with the greater "
                "weight. Whose error is four times the other's?",
                SLOPE,
            ),
            Mistake(
                "four-for-eight",
                weighed(4, -1, divisor=4),
                "A line gets its right slope, but the term with $h^3$ is still there. "
                "At twice the distance it is not four times as large, but eight.",
                SLOPE,
            ),
            Mistake(
                "undivided",
                weighed(4, -1, divisor=3),
                "Weights 4 and −1 over 3 are right for two *slopes*, which are "
                "differences divided by $2h$ and by $4h$. These divisors are "
                "missing.",
                SLOPE,
            ),
        ],
        variants=[from_two_centrals, from_weights, from_an_array],
        hints=(
            "Write Taylor's formula for the near pair, $f(x+h) - f(x-h)$: a term with "
            "$h$, one with $h^3$. What does the far pair give, with $2h$ for $h$?",
            "In the far pair, the term with $h$ is twice as large, and that with $h^3$ "
            "eight times. How many near pairs cancel it?",
            "Eight near pairs minus one far pair leave $16hf' - 4hf'$. Divide by what "
            "stands before $f'$, and mind the brackets.",
        ),
        explanation=(
            "Eight near pairs minus one far pair: $12 h f'$, and the terms with "
            "$h^3$ cancel. The first one left is $h^5$, so after the division the "
            "error falls like $h^4$. It meets $\\text{eps}/h$ at $h = "
            "\\text{eps}^{1/5} \\approx 7 \\cdot 10^{-4}$, with an error near "
            "$\\text{eps}^{4/5} \\approx 3 \\cdot 10^{-13}$."
        ),
    ),
    Exercise(
        number="04.2",
        title="A soft rectifier",
        reference=softplus_vjp,
        inputs=softplus_inputs,
        gradient=True,
        mistakes=[
            Mistake(
                "activation-missing",
                softplus_passed_on,
                "What arrived goes through unchanged, as if softplus had the slope 1 "
                "everywhere. It has it far on the right only.",
                RULES,
            ),
            Mistake(
                "at-output",
                softplus_at_output,
                "The slope is taken at the output, softplus(x). It belongs to the "
                "input, `x`.",
                RULES,
            ),
            Mistake(
                "sigmoid-slope",
                softplus_of_sigmoid,
                "That is the slope of the sigmoid. Here the sigmoid is itself a "
                "slope: one derivative too many.",
                RULES,
            ),
            Mistake(
                "other-side",
                softplus_other_side,
                "It falls where it should rise: this is the slope at $-x$. For large "
                "$x$ softplus is nearly $x$; which slope is that?",
                RULES,
            ),
            Mistake(
                "overflow",
                softplus_overflowing,
                "Right for most `x`, but at 800 the exponential overflows, and "
                "infinity over infinity is not a number. Write the fraction so that "
                "no large exponential stands above and below.",
                RULES,
            ),
            Mistake(
                "inner-alone",
                softplus_inner_alone,
                "This is the slope of what stands inside of the logarithm. The "
                "logarithm has a slope too: one over its input.",
                CHAIN,
            ),
            Mistake(
                "rule-of-relu",
                softplus_as_relu,
                "This is the gate of ReLU. Softplus has no kink: its slope passes from "
                "0 to 1 smoothly.",
                SECOND,
            ),
            Mistake(
                "rule-of-tanh", softplus_of_tanh, "This is the rule of tanh.", RULES
            ),
            Mistake(
                "exchanged",
                softplus_exchanged,
                "The two arguments are exchanged: the slope belongs to `x`, and is "
                "multiplied by `grad_out`.",
                RULES,
            ),
            Mistake(
                "sigmoid-twice",
                softplus_at_sigmoid,
                "The sigmoid is taken twice. Its argument is the input itself.",
                RULES,
            ),
            Mistake(
                "incoming-subtracted",
                softplus_subtracted,
                "What arrived is added or subtracted, where the chain rule multiplies.",
                CHAIN,
            ),
            Mistake(
                "half-tanh",
                softplus_half_tanh,
                "$\\tanh(x/2)$ runs from −1 to 1; the slope of softplus runs from 0 to "
                "1. Shift it and scale it.",
                RULES,
            ),
            Mistake(
                "matrix-product",
                softplus_by_matrix_product,
                "This is a matrix product. Softplus works on every entry alone, so "
                "does its vjp: entry times entry.",
                RULES,
            ),
            Mistake(
                "tanh",
                softplus_as_tanh,
                "tanh runs from −1 to 1. Softplus never falls, so its slope is never "
                "negative.",
                RULES,
            ),
            Mistake(
                "function-again",
                softplus_itself,
                "This is softplus itself, times what arrived. The way back needs its "
                "slope.",
                RULES,
            ),
            Mistake("incoming-ignored", softplus_without_incoming, where=TORCH),
        ],
        absent={
            "assigned": "each entry is used once",
            "broadcast": "nothing is broadcast, all arrays have one shape",
        },
        variants=[
            softplus_by_sigmoid,
            softplus_by_two_branches,
            softplus_from_the_output,
            softplus_by_loop,
        ],
        hints=(
            "Two functions in a row: $1 + e^x$, then the logarithm. The slope of the "
            "whole is a fraction. Which function of 02 is that?",
            "The slope is $e^x/(1 + e^x)$. Divide above and below by $e^x$: which "
            "exponential remains, and where is it harmless?",
            "It is $\\sigma(x) = 1/(1 + e^{-x})$, times what arrived. At $-800$ NumPy "
            "warns of an overflow, and one over infinity is 0, which is right.",
        ),
        explanation=(
            "The slope of $\\log(1 + e^x)$ is $e^x/(1 + e^x) = \\sigma(x)$, which is "
            "$e^{-\\text{softplus}(-x)}$: in this form nothing overflows and nothing "
            "cancels. With $1 - \\sigma(-x)$, or $(1 + \\tanh(x/2))/2$, the slope at "
            "$-40$ is 0 and not $4 \\cdot 10^{-18}$: a relative error of 100 %, in a "
            "slope that hardly matters."
        ),
    ),
    Exercise(
        number="04.3",
        title="Find the bugs: it accepts too much and too little",
        reference=mended_check,
        judge=judge_checker,
        mistakes=list(CHECK_MISTAKES.values()),
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
            "float32 loses the slope, the step is too small for a large value, the "
            "error has a sign, the mean lets errors cancel, $10^{-4}$ is absolute, and "
            "shapes broadcast. Mended, it is `quick_check` with one verdict."
        ),
    ),
    Exercise(
        number="04.4",
        title="Predict: what will the checker say?",
        reference=verdicts_of_gradcheck,
        helpers=(in_one_word,),
        outputs=("a", "b", "c", "d", "e"),
        mistakes=[
            Mistake(
                "kink-one-slope",
                but(0, "wrong"),
                "(a) On the kink of $|x|$ the slopes of both sides are −1 and 1. 0.3 "
                "lies between them.",
                SECOND,
            ),
            Mistake(
                "kink-unseen",
                but(0, "right"),
                "(a) It passes, but the report says more: no single slope is right "
                "there.",
                SECOND,
            ),
            Mistake(
                "kink-noise",
                but(0, "cannot say"),
                "(a) Nothing is noisy here; smaller steps show clearly that the slope "
                "jumps.",
                SECOND,
            ),
            Mistake(
                "near-is-kink",
                but(1, "kink"),
                "(b) The point lies *beside* the kink. There is one slope, and smaller "
                "steps no longer reach over.",
                SECOND,
            ),
            Mistake(
                "near-right",
                but(1, "right"),
                "(b) To the right of 0 the slope of $|x|$ is 1, however near.",
                SECOND,
            ),
            Mistake(
                "near-unknown",
                but(1, "cannot say"),
                "(b) The usual step would reach over the kink, but a smaller one does "
                "not, and nothing is noisy.",
                SECOND,
            ),
            Mistake(
                "square-is-kink",
                but(2, "kink"),
                "(c) The gate closes at 0, but its square leaves 0 with the slope 0. "
                "Left and right slope agree.",
                SECOND,
            ),
            Mistake(
                "square-wrong",
                but(2, "wrong"),
                "(c) The measured slope is not quite 0: it is about half a step. "
                "Smaller steps bring it to 0.",
                SECOND,
            ),
            Mistake(
                "square-unknown",
                but(2, "cannot say"),
                "(c) The value is 1, and its rounding is far smaller than what would "
                "be a wrong slope.",
                COMPARE,
            ),
            Mistake(
                "steps-wrong",
                but(3, "wrong"),
                "(d) Rounded to three digits, the function is a staircase, and between "
                "two steps it is flat. Which slope is measured there?",
                UNSEEN,
            ),
            Mistake(
                "steps-kink",
                but(3, "kink"),
                "(d) The jumps are 0.001 apart, and the checker's steps are far "
                "smaller. A random point lies between them.",
                UNSEEN,
            ),
            Mistake(
                "steps-unknown",
                but(3, "cannot say"),
                "(d) Between two jumps the function does not change at all. That is "
                "the opposite of noise.",
                UNSEEN,
            ),
            Mistake(
                "float32-right",
                but(4, "right"),
                "(e) The gradient is right. But what can be measured of a function "
                "with seven digits?",
                SINGLE,
            ),
            Mistake(
                "float32-wrong",
                but(4, "wrong"),
                "(e) The measured slopes differ from the right gradient, and the "
                "checker knows why: it does not call that wrong.",
                CHECKER,
            ),
            Mistake(
                "float32-kink",
                but(4, "kink"),
                "(e) A square has no kink. Its values have seven digits here.",
                CHECKER,
            ),
        ],
        hints=(
            "Sketch the functions of (a) to (d) around the point, from a millionth to "
            "the left of it to a millionth to the right.",
            "Ask of each: is there one slope at the point? Do smaller steps come to "
            "it? Is the value exact enough to measure it?",
            "(a) and (b) differ by a billionth, and in what they are called. In (c) "
            "left and right slope agree. In (d) nothing moves. (e) is the case of the "
            "missing six per cent.",
        ),
        explanation=(
            "(a) On the kink any slope from −1 to 1 is right: kink. (b) Beside it the "
            "slope is 1: wrong. (c) Both sides have the slope 0: right. (d) The "
            "staircase is flat almost everywhere: right, and useless for learning. (e) "
            "float32 leaves too few digits: cannot say."
        ),
    ),
    Exercise(
        number="04.5",
        title="A check that needs no f",
        reference=symmetry_check,
        judge=judge_symmetry,
        mistakes=list(SYMMETRY.values()),
        hints=(
            "Write a small function that gives $Sw$ for a direction $w$: a central "
            "difference of `grad`, which is an array.",
            "Draw $u$ and $v$ by `rng.normal(size=x.shape)`. The two numbers are "
            "`np.sum(u * S_v)` and `np.sum(v * S_u)`, also for matrices.",
            "Compare their distance with their size, not with a fixed number, and "
            "leave room for what a central difference misses: $10^{-6}$ of the sum of "
            "all products will do.",
        ),
        explanation=(
            "Second derivatives may be taken in either order, so $S$ is symmetric for "
            "every gradient. A wrong sign, a factor 2, the gradient of another "
            "function: all symmetric, all unseen. `forgetful` passes too: it is the "
            "right gradient of $\\sum 2\\log\\cosh(XW)/N$."
        ),
    ),
]
