"""08.2 · Weight decay beside the fraction"""

import numpy as np

from course_exercises.judge import Exercise

STEP = "08_modules_and_optimizers#From a gradient to a step"

ex = Exercise(
    "08.2",
    "Weight decay beside the fraction",
    outputs=("w", "m", "s"),
    hints=(
        "Go through `adam_step` line by line. Which lines stay as they are, and "
        "which one changes?",
        "`m` and `s` know nothing of the decay: they are means of `g` and of its "
        "square. Only the last line changes.",
        "In the bracket that is multiplied by `lr` there are two parts: Adam's "
        "fraction, with hats, and `decay` times the weight as it was. `m` and `s` "
        "go back without hats.",
    ),
    explanation=(
        "Only the last line of `adam_step` changes. With Adam's own weight decay, "
        "$\\lambda w$ goes through the division like the rest, so a weight with large "
        "gradients is hardly pulled. Under AdamW every weight loses the share "
        "$\\text{lr} \\cdot \\lambda$ at each step, whatever its gradients. "
        "`torch.optim.AdamW` gives the same numbers."
    ),
)


@ex.answer
def adamw_step(w, g, m, s, t, lr, decay):
    m = 0.9 * m + 0.1 * g
    s = 0.999 * s + 0.001 * g**2
    m_hat, s_hat = m / (1 - 0.9**t), s / (1 - 0.999**t)
    w = w - lr * (m_hat / (np.sqrt(s_hat) + 1e-8) + decay * w)
    return w, m, s


@ex.given
def adamw_inputs(rng):
    """One without a past, then a square one, a single weight, and one near ε."""
    first = np.array([[2.0, 0.0, -0.5], [1.0, -3.0, 0.25]])  # a gradient is 0
    w = rng.normal(size=(2, 3))
    inputs = [(w, first, np.zeros((2, 3)), np.zeros((2, 3)), 1, 0.1, 0.5)]
    for shape, scale, t, lr, decay in (
        ((5, 4), 1.0, 3, 0.01, 0.1),
        ((3, 3), 100.0, 10, 0.2, 0.02),
        ((1,), 1.0, 2, 0.05, 0.3),
        ((7, 2), 1e-6, 25, 0.5, 0.25),
    ):
        g, m = scale * rng.normal(size=shape), scale * rng.normal(0, 0.3, shape)
        s = scale**2 * rng.uniform(0.001, 0.02, shape)
        inputs.append((rng.normal(size=shape), g, m, s, t, lr, decay))
    return inputs


@ex.right
def adamw_in_copies(w, g, m, s, t, lr, decay):
    w, m, s = w.copy(), m.copy(), s.copy()
    m *= 0.9
    m += 0.1 * g
    s *= 0.999
    s += 0.001 * g * g
    pull = lr * decay * w
    w -= lr * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    w -= pull
    return [w, m, s]


def means(g, m, s, t, b1=0.9, b2=0.999):
    """Both means after the step, plain and corrected."""
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
    return m, s, m / (1 - b1**t), s / (1 - b2**t)


def stepped(direction):
    """Make a step from right means in a wrong direction."""

    def wrong(w, g, m, s, t, lr, decay):
        m, s, m_hat, s_hat = means(g, m, s, t)
        with np.errstate(all="ignore"):
            way = direction(w, g, m, s, m_hat, s_hat, decay)
        return w - lr * way, m, s

    return wrong


@ex.wrong(STEP)
def decay_in_gradient(w, g, m, s, t, lr, decay):
    """The decay is added to the gradient, so it is divided like the rest. That is the
    weight decay of `Adam`; AdamW keeps it out of both means.
    """
    m, s, m_hat, s_hat = means(g + decay * w, m, s, t)
    return w - lr * m_hat / (np.sqrt(s_hat) + 1e-8), m, s


ex.mistake(
    "no-decay",
    STEP,
    code=stepped(lambda w, g, m, s, mh, sh, d: mh / (np.sqrt(sh) + 1e-08)),
).says("""
    This is Adam: `decay` moves nothing.
""")

ex.mistake(
    "decay-divided",
    STEP,
    code=stepped(lambda w, g, m, s, mh, sh, d: (mh + d * w) / (np.sqrt(sh) + 1e-08)),
).says("""
    The pull stands in the numerator, so it is divided too. It belongs beside the
    fraction.
""")


@ex.wrong(STEP)
def decay_without_lr(w, g, m, s, t, lr, decay):
    """The pull is not multiplied by `lr`. In the formula the learning rate stands
    before both parts.
    """
    m, s, m_hat, s_hat = means(g, m, s, t)
    return w - lr * m_hat / (np.sqrt(s_hat) + 1e-8) - decay * w, m, s


@ex.wrong(STEP)
def decay_of_the_new(w, g, m, s, t, lr, decay):
    """The pull is that of the weight *after* its step. Both parts begin at the weight
    as it was.
    """
    m, s, m_hat, s_hat = means(g, m, s, t)
    w = w - lr * m_hat / (np.sqrt(s_hat) + 1e-8)
    return w - lr * decay * w, m, s


ex.mistake(
    "decay-pushes",
    STEP,
    code=stepped(lambda w, g, m, s, mh, sh, d: mh / (np.sqrt(sh) + 1e-08) - d * w),
).says("""
    The decay pushes each weight away from 0. It is to pull it there.
""")

ex.mistake(
    "upward",
    STEP,
    code=stepped(lambda w, g, m, s, mh, sh, d: d * w - mh / (np.sqrt(sh) + 1e-08)),
).says("""
    The step goes along the gradient, uphill. Descent goes against it.
""")

ex.mistake(
    "no-correction",
    STEP,
    code=stepped(lambda w, g, m, s, mh, sh, d: m / (np.sqrt(s) + 1e-08) + d * w),
).says("""
    The hats are missing. Both means begin at 0 and are too small at first: what mends
    that?
""")

ex.mistake(
    "half-corrected",
    STEP,
    code=stepped(lambda w, g, m, s, mh, sh, d: mh / (np.sqrt(s) + 1e-08) + d * w),
).says("""
    `m` is corrected and `s` is not. Both means begin at 0.
""")

ex.mistake(
    "other-half-corrected",
    STEP,
    code=stepped(lambda w, g, m, s, mh, sh, d: m / (np.sqrt(sh) + 1e-08) + d * w),
).says("""
    `s` is corrected and `m` is not. Both means begin at 0.
""")


@ex.wrong(STEP)
def correction_multiplied(w, g, m, s, t, lr, decay):
    r"""The means are multiplied by $1 - \beta^t$, which makes them smaller still. They
    are to become larger.
    """
    m, s, _, _ = means(g, m, s, t)
    way = m * (1 - 0.9**t) / (np.sqrt(s * (1 - 0.999**t)) + 1e-8)
    return w - lr * (way + decay * w), m, s


ex.mistake(
    "loss-for-its-gradient",
    STEP,
    code=stepped(
        lambda w, g, m, s, mh, sh, d: mh / (np.sqrt(sh) + 1e-08) + d / 2 * w**2
    ),
).says(r"""
    This is the extra loss of weight decay itself, $\frac{\lambda}{2} w^2$. What pulls
    is its gradient.
""")


@ex.wrong(STEP)
def hats_kept(w, g, m, s, t, lr, decay):
    """What comes back are the corrected means. The next step goes on from the plain
    ones, and corrects them anew.
    """
    w, m, s = adamw_step(w, g, m, s, t, lr, decay)
    return w, m / (1 - 0.9**t), s / (1 - 0.999**t)


@ex.wrong(STEP)
def old_means(w, g, m, s, t, lr, decay):
    """The step is made with the means of before, which do not know this gradient yet.
    First the means, then the step.
    """
    m_hat, s_hat = m / (1 - 0.9**t), s / (1 - 0.999**t)
    m, s, _, _ = means(g, m, s, t)
    return w - lr * (m_hat / (np.sqrt(s_hat) + 1e-8) + decay * w), m, s


ex.mistake(
    "no-root",
    STEP,
    code=stepped(lambda w, g, m, s, mh, sh, d: mh / (sh + 1e-08) + d * w),
).says("""
    It is divided by the mean of the *squares*. The size of a gradient is the root of
    that.
""")

ex.mistake(
    "last-gradient",
    STEP,
    code=stepped(lambda w, g, m, s, mh, sh, d: g / (np.sqrt(sh) + 1e-08) + d * w),
).says("""
    The step follows the last gradient. In Adam it follows the running mean.
""")

ex.mistake(
    "eps-inside",
    STEP,
    code=stepped(lambda w, g, m, s, mh, sh, d: mh / np.sqrt(sh + 1e-08) + d * w),
).says("""
    The ε stands under the root. There it counts as $10^{-4}$, and hides small
    gradients.
""")

ex.mistake(
    "eps-missing",
    STEP,
    code=stepped(lambda w, g, m, s, mh, sh, d: mh / np.sqrt(sh) + d * w),
).says("""
    A weight whose gradient was always 0 is divided by 0. Which small number of the
    formula prevents that?
""")


@ex.wrong(STEP)
def not_squared(w, g, m, s, t, lr, decay):
    """`s` is a mean of the gradient, not of its *square*. Its root does not even exist
    where the gradient is negative.
    """
    m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g
    with np.errstate(invalid="ignore"):
        root = np.sqrt(s / (1 - 0.999**t)) + 1e-8
    return w - lr * (m / (1 - 0.9**t) / root + decay * w), m, s


@ex.wrong(STEP)
def weights_exchanged(w, g, m, s, t, lr, decay):
    r"""The shares are exchanged: most of a mean is what it was before, and $1 - \beta$
    of it is new.
    """
    m, s, _, _ = means(g, m, s, t, 0.1, 0.001)
    way = m / (1 - 0.9**t) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return w - lr * (way + decay * w), m, s


@ex.wrong(STEP)
def betas_exchanged(w, g, m, s, t, lr, decay):
    """The two β are exchanged: the squares are remembered for longer."""
    m, s, m_hat, s_hat = means(g, m, s, t, 0.999, 0.9)
    return w - lr * (m_hat / (np.sqrt(s_hat) + 1e-8) + decay * w), m, s


@ex.wrong(STEP)
def sums(w, g, m, s, t, lr, decay):
    r"""The new gradient comes in whole, as in momentum. In a running mean it has the
    share $1 - \beta$.
    """
    m, s = 0.9 * m + g, 0.999 * s + g**2
    way = m / (1 - 0.9**t) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return w - lr * (way + decay * w), m, s


@ex.wrong(STEP)
def next_t(w, g, m, s, t, lr, decay):
    """The correction is that of the next step: `t` is 1 in the first one."""
    return adamw_step(w, g, m, s, t + 1, lr, decay)


@ex.wrong(STEP)
def step_alone(w, g, m, s, t, lr, decay):
    """This is the step. Asked is where the weight is *after* it."""
    new, m, s = adamw_step(w, g, m, s, t, lr, decay)
    return w - new, m, s
