"""13.5 · Open challenge: digits that are anywhere."""

from dataclasses import replace
from functools import cache

import numpy as np

from course_exercises.judge import Exercise
from course_utils import nn
from course_utils.data import minibatches, mnist
from course_utils.optim import Adam
from course_utils.tensor import Tensor
from course_utils.training import logits_of, train_step

from .shared import MOVES, READER

SWITCH = "13_convolution#Two layers that behave otherwise in training"
WANTED = 0.88

ex = Exercise(
    "13.5",
    "Open challenge: digits that are anywhere",
    slow=True,
    seconds=600,
    hints=(
        "Begin with the network of the notebook, trained on the pictures as they are. "
        "It knows its pictures by heart and reads half of the moved ones: what has it "
        "never seen?",
        "Show it moved pictures, with the same labels. `np.roll(picture, (2, -3), "
        "(1, 2))` moves a picture (1, 28, 28): there is room enough around a digit.",
        "Draw two numbers from −4 to 4 for each picture, anew in each epoch, and train "
        "for 20 epochs or more: there are 81 ways to move a picture.",
    ),
    explanation=(
        "A convolution finds a stroke wherever it is, but the linear layer behind it "
        "has a weight for each place. What it has to know about other places, it must "
        "be shown: 2,000 pictures, each in 81 positions, are 162,000."
    ),
)


@ex.helper
def reader(rng):
    f32 = {"dtype": np.float32}
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 5, rng, **f32), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(8, 16, 5, rng, **f32), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(256, 10, rng, **f32)),
    )


@ex.helper
def moved(pictures, steps):
    pairs = zip(pictures, steps, strict=True)
    return np.stack([np.roll(picture, step, (1, 2)) for picture, step in pairs])


@ex.answer
def learn(x, y, rng):
    model = reader(rng)
    optimizer, epochs = Adam(model.parameters()), 30
    for epoch in range(epochs):
        optimizer.lr = 0.004 * (1 - epoch / epochs)
        pictures = moved(x, rng.integers(-4, 5, (len(x), 2)))  # anew in each epoch
        for xb, yb in minibatches(pictures, y, 64, rng):
            train_step(model, xb, yb, optimizer, Tensor.softmax_cross_entropy)
    return lambda x: logits_of(model.eval(), x).argmax(axis=1)


@cache
def digits():
    """The pictures to learn from, those to judge by, and the latter moved."""
    x, y, _, _ = mnist()
    x = x.reshape(-1, 1, 28, 28)
    x_val, rng = x[50_000:51_000], np.random.default_rng(135)
    away = moved(x_val, rng.integers(-4, 5, (len(x_val), 2)))
    return x[:2000].copy(), y[:2000], x_val.copy(), away, y[50_000:51_000]


def share_right(predicted, labels):
    return float(np.mean(np.asarray(predicted) == labels))


@ex.judged
def judge_learner(answer, run):
    x, y, x_val, away, y_val = digits()
    read = run(x, y, np.random.default_rng(96))
    if isinstance(read, nn.Module):
        return ex.named("network-itself")
    if not callable(read):
        return ex.named("no-function")
    predicted = np.asarray(run(away, of=read))
    if predicted.shape == (len(away), 10):
        return ex.named("logits")
    if predicted.shape != (len(away),):
        return (
            f"`answer` returned an array of shape {predicted.shape} for {len(away)} "
            f"pictures; expected one digit for each, {(len(away),)}."
        )
    if not np.array_equal(predicted, np.asarray(run(away, of=read))):
        return ex.named("still-training")
    right = share_right(predicted, y_val)
    if right >= WANTED:
        return None
    return _why_weak(right, share_right(run(x_val, of=read), y_val))


def _why_weak(right, centred):
    """Say what keeps a reader below what is wanted."""
    if centred < 0.5:
        name = "not-learnt"
    elif centred > right + 0.25:
        name = "centred-only"
    else:
        name = "too-little"
    counts = f"{right:.0%} of the moved pictures are right, and {centred:.0%} of the"
    named = ex.named(name)
    return replace(named, sentence=f"{counts} same pictures unmoved. {named.sentence}")


def trained(x, y, rng, epochs=1, reach=0, lr=0.004):
    model = reader(rng)
    optimizer = Adam(model.parameters(), lr)
    for _ in range(epochs):
        pictures = moved(x, rng.integers(-reach, reach + 1, (len(x), 2)))
        for xb, yb in minibatches(pictures, y, 64, rng):
            train_step(model, xb, yb, optimizer, Tensor.softmax_cross_entropy)
    return model


@ex.wrong(READER)
def no_function(x, y, rng):
    """`learn` has to return a function: given pictures, it gives a digit for each."""
    return trained(x, y, rng).parameters()


@ex.wrong(READER)
def network_itself(x, y, rng):
    """`learn` returns the network. Asked for is a function from pictures to digits: ask
    the network, take the largest.
    """
    return trained(x, y, rng)


@ex.wrong(READER)
def logits(x, y, rng):
    """`answer` returns ten numbers for each picture. Which of them is the network's
    answer?
    """
    model = trained(x, y, rng)
    return lambda x: logits_of(model, x)


@ex.wrong(SWITCH)
def still_training(x, y, rng):
    """Asked twice about the same pictures, `answer` gives two answers. Something random
    is still on: was `eval()` forgotten?
    """
    model = nn.Sequential(nn.Dropout(0.5, rng), trained(x, y, rng))
    return lambda x: logits_of(model, x).argmax(axis=1)


@ex.wrong(READER)
def not_learnt(x, y, rng):
    """Not even unmoved pictures are read. Does the loss fall, is the learning rate
    right, do pictures and labels stand in the same order?
    """
    model = trained(x, y, rng, lr=0)
    return lambda x: logits_of(model, x).argmax(axis=1)


@ex.wrong(MOVES)
def centred_only(x, y, rng):
    """It reads digits where it has learnt them. What would show it other places?"""
    model = trained(x, y, rng, epochs=3)
    return lambda x: logits_of(model, x).argmax(axis=1)


@ex.wrong(MOVES)
def too_little(x, y, rng):
    """It reads moved digits nearly as well as unmoved ones, and neither well enough.
    Longer, with a rate that falls, with more filters?
    """
    model = trained(x, y, rng, epochs=4, reach=4)
    return lambda x: logits_of(model, x).argmax(axis=1)
