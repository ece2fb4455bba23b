"""09.3 · Find the bugs: 97 % here, 10 % there."""

from functools import partial

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


slip = partial(ex.slip, where=SCALE)
FIT, VAL, BOTH = (
    "(x_fit - mu) / sigma",
    "(x_val - mu) / sigma",
    "x_fit.mean(), x_fit.std()",
)

# --- wrong ones: the validation pictures by themselves

slip("as-shown", {VAL: "(x_val - x_val.mean(0)) / x_val.std(0)"}).says("""
    `X_val` is as the friend has it: each pixel is scaled by itself, and by numbers of
    the validation pictures.
""")

NAN_REPLACED = {VAL: "np.nan_to_num((x_val - x_val.mean(0)) / x_val.std(0))"}
slip("nan-replaced", NAN_REPLACED).says("""
    The NaN are gone, but not what made them: each pixel is still scaled by itself.
""")
slip("own-scale", {VAL: "(x_val - x_val.mean()) / x_val.std()"}).says("""
    One mistake is found. But the validation pictures still have a scale of their own:
    the same ink becomes another number.
""")

# --- each pixel by itself

slip("by-pixel", {"mean()": "mean(axis=0)", "std()": "std(axis=0)"}).says("""
    Each pixel is scaled by itself. One that is paper in all pictures has the standard
    deviation 0.
""")

BY_PIXEL_WITH_EPS = {"mean()": "mean(axis=0)", "std()": "std(axis=0) + 1e-8"}
slip("by-pixel-with-eps", BY_PIXEL_WITH_EPS).says("""
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

slip("own-mean", {"x_val - mu": "x_val - x_val.mean()"}).says("""
    The validation pictures are shifted by a mean of their own. Both sets need one and
    the same formula.
""")
slip("own-deviation", {VAL: "(x_val - mu) / x_val.std()"}).says("""
    The validation pictures are divided by a standard deviation of their own. Both sets
    need one and the same formula.
""")
slip(
    "without-brackets",
    {"(x_fit - mu) / sigma, (x_val - mu)": "x_fit - mu / sigma, x_val - mu"},
).says("""
    Only the mean is divided: `x - mu / sigma` lacks a pair of brackets.
""")

# --- another formula, or other numbers

slip("n-minus-one", {"std()": "std(ddof=1)"}).says("""
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
def to_one_of_fit(x_fit, x_val):
    """The pixels are stretched, by the smallest and the largest one. Wanted are the
    mean 0 and the standard deviation 1.
    """
    low, high = x_fit.min(), x_fit.max()
    return tuple((x - low) / (high - low) for x in (x_fit, x_val))


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


slip("by-validation", {"x_fit.mean(), x_fit": "x_val.mean(), x_val"}).says("""
    The two numbers come from the validation pictures. They belong to the pictures that
    are trained on.
""")
slip("numbers-of-mnist", {BOTH: "np.float32(0.1307), np.float32(0.3081)"}).says("""
    0.1307 and 0.3081 belong to the training pictures of MNIST. The check has others:
    compute the two numbers.
""")
slip("numbers-of-mnist-written-out", {BOTH: "0.1307, 0.3081"}).says("""
    0.1307 and 0.3081 belong to the training pictures of MNIST. The check has others:
    compute the two numbers.
""")
slip("not-scaled", {VAL: "x_val"}).says("""
    `X_val` comes back as it was. Nothing is done to it; or `x_fit` was overwritten
    before, and a mean of 0 and a deviation of 1 are taken from it.
""")
slip("fit-not-scaled", {FIT: "x_fit"}).says("""
    `X_fit` comes back as it was. The pictures to learn from are scaled as well.
""")
slip("not-shifted", {"(x_val - mu)": "x_val"}).says("""
    The mean is not subtracted from the validation pictures. Both sets need one and the
    same formula.
""")
slip("own-mean-by-pixel", {"(x_val - mu)": "(x_val - x_val.mean(axis=0))"}).says("""
    From the validation pictures a mean of each pixel is subtracted, their own. Both
    sets need one and the same formula.
""")
slip("deviation-by-pixel", {"x_fit.std()": "x_fit.std(axis=0) + 1e-8"}).says("""
    The deviation is one of each pixel. The notebook has one for all.
""")
slip("not-divided", {VAL: "x_val - mu"}).says("""
    The validation pictures are not divided by the deviation. Both sets need one and the
    same formula.
""")

NO_MEAN = {"(x_fit - mu)": "x_fit", "(x_val - mu)": "x_val"}
slip("divided-only", NO_MEAN).says("""
    The standard deviation is 1, but the mean is not 0: a subtraction is missing.
""")
slip("fit-by-pixel", {FIT: "(x_fit - x_fit.mean(0)) / x_fit.std(0)"}).says("""
    In `X_fit` each pixel is scaled by itself. One that is paper in all pictures has the
    standard deviation 0.
""")

SHIFTED_ONLY = {"(x_fit - mu) / sigma, (x_val - mu) / sigma": "x_fit - mu, x_val - mu"}
slip("shifted-only", SHIFTED_ONLY).says("""
    The mean is 0, but the standard deviation is not 1: a division is missing.
""")
slip("by-variance", {"std": "var"}).says("""
    It divides by the variance. Its square root, the standard deviation, has the unit of
    the pixels.
""")
