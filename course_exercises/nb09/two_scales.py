"""09.3 · Find the bugs: 97 % here, 10 % there"""

import numpy as np

from course_exercises.judge import Exercise

from .shared import MEAN, STD

SCALE = "09_training_mnist#One scale for all pixels"

ex = Exercise(
    "09.3",
    "Find the bugs: 97 % here, 10 % there",
    outputs=("X_fit", "X_val"),
    n=lambda x_fit, x_val: len(x_fit),
    hints=(
        "A pixel at the margin is paper in every picture. What are its mean and "
        "its standard deviation?",
        "The network has learnt that a certain number means ink. Which formula "
        "turned ink into that number?",
        "Two numbers in all, from the pictures that are trained on, and the same "
        "formula for both sets.",
    ),
    explanation=(
        "A pixel that never varies has the standard deviation 0, and $0/0$ is NaN: "
        "with one NaN in a row, all its logits are NaN. With `axis=0` gone, the "
        "pictures still had a scale of their own. Both sets go through one formula, "
        "with two numbers of the training pictures."
    ),
)


@ex.answer
def prepare(x_fit, x_val):
    mu, sigma = x_fit.mean(), x_fit.std()
    return (x_fit - mu) / sigma, (x_val - mu) / sigma


@ex.given
def prepare_inputs(rng):
    def pictures(rows, D):
        x = rng.beta(1, 3, (rows, D))
        x[:, 0] = 0  # paper in all of them
        return x

    sizes = (3, 2, 4), (6, 4, 5), (5, 5, 5), (9, 3, 6)
    return [(pictures(N, D), 0.8 * pictures(M, D)) for N, M, D in sizes]


def scaled(x, mu, sigma):
    return (x - mu) / sigma


def by_itself(x, axis=None):
    keep = axis == 1
    return scaled(x, x.mean(axis=axis, keepdims=keep), x.std(axis=axis, keepdims=keep))


@ex.wrong(SCALE)
def as_shown(x_fit, x_val):
    """`X_val` is as the friend has it: each pixel is scaled by itself, and by numbers
    of the validation pictures.
    """
    return by_itself(x_fit), by_itself(x_val, 0)


@ex.wrong(SCALE)
def nan_replaced(x_fit, x_val):
    """The NaN are gone, but not what made them: each pixel is still scaled by itself."""
    return by_itself(x_fit), np.nan_to_num(by_itself(x_val, 0))


@ex.wrong(SCALE)
def own_scale(x_fit, x_val):
    """One mistake is found. But the validation pictures still have a scale of their
    own: the same ink becomes another number.
    """
    return by_itself(x_fit), by_itself(x_val)


@ex.wrong(SCALE)
def by_pixel(x_fit, x_val):
    """Each pixel is scaled by itself. One that is paper in all pictures has the
    standard deviation 0.
    """
    mu, sigma = x_fit.mean(axis=0), x_fit.std(axis=0)
    return scaled(x_fit, mu, sigma), scaled(x_val, mu, sigma)


@ex.wrong(SCALE)
def by_pixel_with_eps(x_fit, x_val):
    """Each pixel is scaled by itself, and a small number keeps the division from
    failing. The notebook has one scale for all pixels.
    """
    mu, sigma = x_fit.mean(axis=0), x_fit.std(axis=0) + 1e-8
    return scaled(x_fit, mu, sigma), scaled(x_val, mu, sigma)


@ex.wrong(SCALE)
def by_pixel_guarded(x_fit, x_val):
    """Each pixel is scaled by itself, with a guard against the standard deviation 0.
    The notebook has one scale for all pixels.
    """
    mu, sigma = x_fit.mean(axis=0), x_fit.std(axis=0)
    sigma[sigma == 0] = 1
    return scaled(x_fit, mu, sigma), scaled(x_val, mu, sigma)


@ex.wrong(SCALE)
def own_mean(x_fit, x_val):
    """The validation pictures are shifted by a mean of their own. Both sets need one
    and the same formula.
    """
    return by_itself(x_fit), scaled(x_val, x_val.mean(), x_fit.std())


@ex.wrong(SCALE)
def own_deviation(x_fit, x_val):
    """The validation pictures are divided by a standard deviation of their own. Both
    sets need one and the same formula.
    """
    return by_itself(x_fit), scaled(x_val, x_fit.mean(), x_val.std())


ex.slip(
    "without-brackets",
    {"(x_fit - mu) / sigma, (x_val - mu)": "x_fit - mu / sigma, x_val - mu"},
    SCALE,
).says("""
    Only the mean is divided: `x - mu / sigma` lacks a pair of brackets.
""")


@ex.wrong(SCALE)
def n_minus_one(x_fit, x_val):
    """The standard deviation divides by one less than the number of pixels (`ddof=1`).
    The notebook takes the plain mean of the squares.
    """
    return tuple(scaled(x, x_fit.mean(), x_fit.std(ddof=1)) for x in (x_fit, x_val))


@ex.wrong(SCALE)
def to_one(x_fit, x_val):
    """The pixels are stretched to 0 … 1. Wanted are the mean 0 and the standard
    deviation 1.
    """
    return tuple((x - x.min()) / (x.max() - x.min()) for x in (x_fit, x_val))


@ex.wrong(SCALE)
def by_picture(x_fit, x_val):
    """Each picture is scaled by itself, so thick and thin strokes become alike. The
    notebook has one scale for all pictures.
    """
    return by_itself(x_fit, 1), by_itself(x_val, 1)


@ex.wrong(SCALE)
def together(x_fit, x_val):
    """The validation pictures have a say in the mean and the standard deviation. What
    judges may not take part in learning.
    """
    both = np.concatenate([x_fit, x_val])
    return tuple(scaled(x, both.mean(), both.std()) for x in (x_fit, x_val))


@ex.wrong(SCALE)
def by_validation(x_fit, x_val):
    """The two numbers come from the validation pictures. They belong to the pictures
    that are trained on.
    """
    return tuple(scaled(x, x_val.mean(), x_val.std()) for x in (x_fit, x_val))


@ex.wrong(SCALE)
def numbers_of_mnist(x_fit, x_val):
    """0.1307 and 0.3081 belong to the training pictures of MNIST. The check has others:
    compute the two numbers.
    """
    return tuple(scaled(x, MEAN, STD) for x in (x_fit, x_val))


@ex.wrong(SCALE)
def numbers_of_mnist_written_out(x_fit, x_val):
    """0.1307 and 0.3081 belong to the training pictures of MNIST. The check has others:
    compute the two numbers.
    """
    return tuple(scaled(x, 0.1307, 0.3081) for x in (x_fit, x_val))


@ex.wrong(SCALE)
def not_scaled(x_fit, x_val):
    """`X_val` is not scaled at all, or by numbers of pictures that were scaled already,
    which are 0 and 1.
    """
    return by_itself(x_fit), x_val.copy()


@ex.wrong(SCALE)
def shifted_only(x_fit, x_val):
    """The mean is 0, but the standard deviation is not 1: a division is missing."""
    return x_fit - x_fit.mean(), x_val - x_fit.mean()


@ex.wrong(SCALE)
def by_variance(x_fit, x_val):
    """It divides by the variance. Its square root, the standard deviation, has the unit
    of the pixels.
    """
    return tuple(scaled(x, x_fit.mean(), x_fit.var()) for x in (x_fit, x_val))
