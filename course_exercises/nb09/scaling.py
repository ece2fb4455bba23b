"""09.3 · Find the bugs: 97 % here, 10 % there."""

import numpy as np

from course_exercises.judge import Exercise

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


# --- wrong ones: the validation pictures by themselves

ex.slip(
    "as-shown",
    {"(x_val - mu) / sigma": "(x_val - x_val.mean(0)) / x_val.std(0)"},
    SCALE,
).says("""
    `X_val` is as the friend has it: each pixel is scaled by itself, and by numbers of
    the validation pictures.
""")

ex.slip(
    "nan-replaced",
    {"(x_val - mu) / sigma": "np.nan_to_num((x_val - x_val.mean(0)) / x_val.std(0))"},
    SCALE,
).says("""
    The NaN are gone, but not what made them: each pixel is still scaled by itself.
""")

ex.slip(
    "own-scale", {"(x_val - mu) / sigma": "(x_val - x_val.mean()) / x_val.std()"}, SCALE
).says("""
    One mistake is found. But the validation pictures still have a scale of their own:
    the same ink becomes another number.
""")

# --- each pixel by itself

ex.slip("by-pixel", {"mean()": "mean(axis=0)", "std()": "std(axis=0)"}, SCALE).says("""
    Each pixel is scaled by itself. One that is paper in all pictures has the standard
    deviation 0.
""")

ex.slip(
    "by-pixel-with-eps",
    {"mean()": "mean(axis=0)", "std()": "std(axis=0) + 1e-8"},
    SCALE,
).says("""
    Each pixel is scaled by itself, and a small number keeps the division from failing.
    The notebook has one scale for all pixels.
""")


@ex.wrong(SCALE)
def by_pixel_guarded(x_fit, x_val):
    """Each pixel is scaled by itself, with a guard against the standard deviation 0.
    The notebook has one scale for all pixels.
    """
    mu, sigma = x_fit.mean(axis=0), x_fit.std(axis=0)
    sigma[sigma == 0] = 1
    return (x_fit - mu) / sigma, (x_val - mu) / sigma


# --- two formulas

ex.slip("own-mean", {"x_val - mu": "x_val - x_val.mean()"}, SCALE).says("""
    The validation pictures are shifted by a mean of their own. Both sets need one and
    the same formula.
""")

ex.slip(
    "own-deviation", {"(x_val - mu) / sigma": "(x_val - mu) / x_val.std()"}, SCALE
).says("""
    The validation pictures are divided by a standard deviation of their own. Both sets
    need one and the same formula.
""")

ex.slip(
    "without-brackets",
    {"(x_fit - mu) / sigma, (x_val - mu)": "x_fit - mu / sigma, x_val - mu"},
    SCALE,
).says("""
    Only the mean is divided: `x - mu / sigma` lacks a pair of brackets.
""")

# --- another formula, or other numbers

ex.slip("n-minus-one", {"std()": "std(ddof=1)"}, SCALE).says("""
    The standard deviation divides by one less than the number of pixels (`ddof=1`). The
    notebook takes the plain mean of the squares.
""")


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
    return [((x.T - x.mean(axis=1)) / x.std(axis=1)).T for x in (x_fit, x_val)]


@ex.wrong(SCALE)
def together(x_fit, x_val):
    """The validation pictures have a say in the mean and the standard deviation. What
    judges may not take part in learning.
    """
    both = np.concatenate([x_fit, x_val])
    return tuple((x - both.mean()) / both.std() for x in (x_fit, x_val))


ex.slip("by-validation", {"x_fit.mean(), x_fit": "x_val.mean(), x_val"}, SCALE).says("""
    The two numbers come from the validation pictures. They belong to the pictures that
    are trained on.
""")

ex.slip(
    "numbers-of-mnist",
    {"x_fit.mean(), x_fit.std()": "np.float32(0.1307), np.float32(0.3081)"},
    SCALE,
).says("""
    0.1307 and 0.3081 belong to the training pictures of MNIST. The check has others:
    compute the two numbers.
""")

ex.slip(
    "numbers-of-mnist-written-out",
    {"x_fit.mean(), x_fit.std()": "0.1307, 0.3081"},
    SCALE,
).says("""
    0.1307 and 0.3081 belong to the training pictures of MNIST. The check has others:
    compute the two numbers.
""")

ex.slip("not-scaled", {"(x_val - mu) / sigma": "x_val"}, SCALE).says("""
    `X_val` is not scaled at all, or by numbers of pictures that were scaled already,
    which are 0 and 1.
""")

ex.slip(
    "shifted-only",
    {"(x_fit - mu) / sigma, (x_val - mu) / sigma": "x_fit - mu, x_val - mu"},
    SCALE,
).says("""
    The mean is 0, but the standard deviation is not 1: a division is missing.
""")

ex.slip("by-variance", {"std": "var"}, SCALE).says("""
    It divides by the variance. Its square root, the standard deviation, has the unit of
    the pixels.
""")
