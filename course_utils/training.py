"""The training loop, what it remembers, and how far it has come."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.data import _check_whole, minibatches
from course_utils.nn import Module, named_parts
from course_utils.optim import Optimizer
from course_utils.tape import Node, Tape, no_grad
from course_utils.tensor import Tensor


@dataclass
class History:
    """What a training run remembers: a loss for each step, the rest for each epoch.

    `seconds` is the time of training alone, without the look at the validation set.
    Plumbing.
    """

    step_loss: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    interrupted: bool = False

    def summary(self) -> str:
        """Say the last epoch in one line."""
        if not self.train_loss:
            return "no epoch has ended yet"
        text = f"loss {self.train_loss[-1]:.4f}"
        if self.validation_loss:
            text += f", validation {self.validation_loss[-1]:.4f}"
        if self.validation_accuracy:
            text += f", accuracy {self.validation_accuracy[-1]:.2%}"
        return text


def progress_bar(total: int, title: str, show: bool = True) -> Any:
    """A tqdm bar in plain text, on stdout, without timings. Plumbing.

    Plain text reads well in a terminal and in a stored notebook; without rates, two
    runs store the same line.
    """
    from tqdm import tqdm

    layout = "{desc} |{bar:20}| {n_fmt}/{total_fmt}{postfix}"
    how = {"desc": title, "disable": not show, "file": sys.stdout}
    return tqdm(total=total, bar_format=layout, **how)


@contextmanager
def named_step(step: str, model: Module, x: Any) -> Iterator[None]:
    """Let a FloatingPointError inside say its step, and the first layer to blame.

    The loss complains of NaN logits with a ValueError; that becomes one, too, if a
    layer made them. Other errors stay as they are, and the good case pays nothing: only
    after an error the model sees x once more, layer by layer. Plumbing.
    """
    try:
        yield
    except (FloatingPointError, ValueError) as error:
        name = first_not_finite(model, x)
        if name:
            place = f"The first layer whose output is not finite is {name}"
        elif isinstance(error, FloatingPointError):
            place = "The output of every layer is finite: it is the loss that overflows"
        else:
            raise
        raise FloatingPointError(f"{step}: {error}. {place}") from error


def first_not_finite(model: Module, x: Any) -> str:
    """Name the first layer, inner ones first, whose output for x is not finite, or "".

    Each layer's `forward` is watched while the model runs once without recording; a
    layer that refuses its input ends the look. Plumbing.
    """
    broken: list[str] = []
    layers = dict(named_modules(model))

    def watch(name: str, forward: Callable) -> Callable:
        def watched(*inputs: Any) -> Any:
            out = forward(*inputs)
            if not np.isfinite(out.data).all():
                kind = type(layers[name]).__name__
                broken.append(f"{name} ({kind})" if name else f"the model ({kind})")
            return out

        return watched

    for name, layer in layers.items():
        layer.forward = watch(name, layer.forward)
    try:
        with no_grad(), np.errstate(all="ignore"), suppress(ValueError):
            model(x)
    finally:
        for layer in layers.values():
            del layer.forward
    return broken[0] if broken else ""


def named_modules(model: Module, name: str = "") -> Iterator[tuple[str, Module]]:
    """Names like `layers.0`, and the modules; the model itself has none. Plumbing."""
    yield name, model
    for key, value in vars(model).items():
        for part_name, part in named_parts(key, value):
            if isinstance(part, Module):
                yield from named_modules(part, f"{name}.{part_name}".lstrip("."))


def logits_of(model: Module, x: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """Outputs of the model for all rows of x, computed without recording.

    Plumbing.
    """
    with no_grad():
        parts = [model(x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
    return np.concatenate([part.data for part in parts])


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Share of rows whose largest logit stands at the label.

    logits (N, K) and labels (N,) or (N, 1). One logit a row, (N,) or (N, 1), stands for
    class 1 where it is positive, for class 0 elsewhere.
    Raises ValueError for other shapes, and for one logit and labels besides 0 and 1.
    Plumbing.
    """
    logits, labels = np.asarray(logits), np.asarray(labels)
    check_labels(logits, labels)
    one = logits.size == len(logits)
    classes = logits.ravel() > 0 if one else logits.argmax(axis=1)
    return float(np.mean(classes == labels.ravel()))


def check_labels(logits: np.ndarray, labels: np.ndarray) -> None:
    """Raise ValueError unless there is one label for each row of logits. Plumbing."""
    if logits.ndim not in (1, 2) or labels.shape not in ((n := len(logits),), (n, 1)):
        raise ValueError(
            f"accuracy: expected logits (N, K) and labels (N,), found {logits.shape} "
            f"and {labels.shape}. Other shapes would be compared by broadcasting"
        )
    if logits.size == n and not np.isin(labels, (0, 1)).all():
        raise ValueError(
            f"accuracy: one logit a row can tell classes 0 and 1; the labels lie in "
            f"{labels.min()} … {labels.max()}. Amounts have a loss, and no accuracy"
        )


def train_step(
    model: Module, x: np.ndarray, y: np.ndarray, optimizer: Optimizer, loss: Callable
) -> float:
    """Forward, backward, one step; returns the loss, as it was before the step.

    Raises FloatingPointError if it is not finite; the step is not taken then.
    Taught in: 08_modules_and_optimizers.
    """
    output = loss(model(x), y)
    check_finite(output.item(), model)
    optimizer.zero_grad()  # of parameters that this loss does not contain
    output.backward()
    optimizer.step()
    return output.item()


def check_finite(loss: float, model: Module) -> None:
    """Raise FloatingPointError that names a culprit if the loss is not finite.

    Plumbing.
    """
    if math.isfinite(loss):
        return
    broken = [n for n, p in model.named_parameters() if not np.isfinite(p.data).all()]
    raise FloatingPointError(
        f"the loss is {loss}; "
        + (
            f"the first parameter that is not finite is {broken[0]}. Try a smaller lr"
            if broken
            else "all parameters are finite. Look at the inputs, or try a smaller lr"
        )
    )


def evaluate(
    model: Module, x: np.ndarray, y: np.ndarray, loss: Callable, history: History
) -> None:
    """Append the loss on (x, y) to `history`, and the accuracy where there is one.

    Plumbing.
    """
    model.eval()
    outputs = logits_of(model, x)
    value = loss(Tensor(outputs), y)
    history.validation_loss.append(value.item())
    if tells_classes(value, outputs, np.asarray(y)):
        history.validation_accuracy.append(accuracy(outputs, y))


def tells_classes(value: Tensor, outputs: np.ndarray, y: np.ndarray) -> bool:
    """Whether the outputs are logits of classes, and y the number of one a row.

    Several outputs and one whole number a row are; one output a row only if the loss
    on the tape is a cross-entropy: else it may be an age.
    Plumbing.
    """
    if y.dtype.kind not in "iub" or outputs.ndim > 2 or y.size != len(outputs):
        return False
    if outputs.size > len(outputs):
        return y.ndim == 1
    return any(node.op.name == "BCE" for node in Tape(value).operations)


def fit(
    model: Module,
    x: np.ndarray,
    y: np.ndarray,
    *,
    optimizer: Optimizer,
    rng: np.random.Generator,
    epochs: int = 5,
    batch_size: int = 128,
    loss: Callable = Tensor.softmax_cross_entropy,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    schedule: Callable[[float], float] = lambda done: 1.0,
    progress: bool = True,
) -> History:
    """Train on mini-batches, shuffled anew by `rng` in each epoch.

    `loss(output, y)` is a mean over the batch. The learning rate of a step is the
    optimizer's times `schedule(share of all steps done)`. The stop button
    (KeyboardInterrupt) ends the training and keeps what was learnt so far.
    Raises ValueError if x and y do not belong together, x holds NaN, or batch_size is
    no whole number above 0; TypeError if examples are Tensors; FloatingPointError if
    the loss stops being finite. Taught in: 08_modules_and_optimizers.
    """
    check_examples(x, y, batch_size)
    if validation is not None:
        check_examples(*validation, what="validation")
    history = History()
    n_steps, lr = -(-len(x) // batch_size), optimizer.lr
    try:
        for epoch in range(1, epochs + 1):
            with progress_bar(n_steps, f"epoch {epoch}/{epochs}", progress) as bar:
                start = time.perf_counter()
                model.train()
                for xb, yb in minibatches(x, y, batch_size, rng):
                    done = len(history.step_loss)
                    optimizer.lr = lr * float(schedule(done / (epochs * n_steps)))
                    step = f"epoch {epoch}/{epochs}, step {done % n_steps + 1}"
                    with named_step(f"{step} of {n_steps}", model, xb):
                        step_loss = train_step(model, xb, yb, optimizer, loss)
                    history.step_loss.append(step_loss)
                    bar.update()
                history.seconds.append(time.perf_counter() - start)
                history.train_loss.append(float(np.mean(history.step_loss[-n_steps:])))
                if validation is not None:
                    evaluate(model, *validation, loss, history)
                bar.set_postfix_str(history.summary())
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        optimizer.lr = lr
    return history


def check_examples(
    x: np.ndarray, y: np.ndarray, batch_size: int = 1, what: str = "fit"
) -> None:
    """Raise ValueError if x and y differ in length, are empty, or x holds NaN.

    TypeError if they are Tensors, ValueError for a batch_size below 1. Plumbing.
    """
    for name, array in (("x", x), ("y", y)):
        if isinstance(array, Node):
            raise TypeError(
                f"{what}: expected arrays, found {name} as a {type(array).__name__}; "
                f"examples are constants. Take {name}.data"
            )
    _check_whole("batch_size", batch_size)
    if len(x) != len(y) or not len(x):
        raise ValueError(
            f"{what}: {len(x)} examples and {len(y)} targets; their numbers must be "
            f"equal and not 0"
        )
    if np.isnan(np.sum(x)):
        places = np.argwhere(np.isnan(x))
        raise ValueError(
            f"{what}: NaN in {len(places)} places of x, the first at index "
            f"{tuple(places[0].tolist())}. Mend or leave out those examples"
        )
