"""Choose the settings of notebook 09 on validation pictures, as its table shows them.

    python -m tools.choose_settings           each setting with three seeds: minutes
    python -m tools.choose_settings --test    then what was chosen, on the test pictures

The network, the first 50,000 pictures that train and the last 10,000 that judge are
those of the notebook. Each result is added to `choose_settings.txt` as it comes, so a
run that was stopped goes on; delete the file to measure anew. The setting with the best
mean accuracy is chosen. Only then, and with the same seeds, `--test` trains on all
60,000 and looks at the test pictures.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread for each training

import numpy as np

from course_utils import nn
from course_utils.data import mnist
from course_utils.optim import SGD
from course_utils.training import accuracy, fit, logits_of

FILE = Path(__file__).with_suffix(".txt")
SEEDS = (0, 1, 2)
HIDDEN, EPOCHS = 512, 5
RATES, DECAYS, BATCH = (0.025, 0.05, 0.1), (0.0, 0.0005, 0.001), 64
OTHER_BATCHES = (32, 128)  # tried with the best of the others
Setting = tuple[float, float, int]  # learning rate, weight decay, batch size
MEAN, STD = np.float32(0.1307), np.float32(0.3081)


def normalize(x: np.ndarray) -> np.ndarray:
    """Put all pixels on the notebook's scale."""
    return (x - MEAN) / STD


def network(seed: int) -> nn.Module:
    """Make the notebook's network: the last weights ten times smaller."""
    model = nn.MLP([784, HIDDEN, 10], np.random.default_rng(seed), dtype=np.float32)
    model.layers[-1].W.data *= 0.1
    return model


def trained(rate: float, decay: float, batch: int, seed: int, n: int) -> nn.Module:
    """Train on the first n pictures, as the notebook does."""
    x, y, _, _ = mnist()
    model = network(seed)
    optimizer = SGD(model.parameters(), rate, momentum=0.9, weight_decay=decay)
    how = {"optimizer": optimizer, "rng": np.random.default_rng(seed + 1)}
    how |= {"epochs": EPOCHS, "batch_size": batch, "schedule": lambda done: 1 - done}
    fit(model, normalize(x[:n]), y[:n], **how, progress=False)
    return model


def judged(judge: str, setting: Setting, seed: int) -> float:
    """Train, and give the accuracy on pictures that were not trained on."""
    x, y, x_test, y_test = mnist()
    n = 60_000 if judge == "test" else 50_000
    model = trained(*setting, seed, n)
    pictures, labels = (x_test, y_test) if judge == "test" else (x[n:], y[n:])
    return accuracy(logits_of(model, normalize(pictures)), labels)


# --- what was measured ----------------------------------------------------------------


def known(judge: str) -> dict[Setting, dict[int, float]]:
    """Give the accuracies on "validation" or "test": setting → seed → accuracy."""
    found: dict[Setting, dict[int, float]] = {}
    for line in FILE.read_text("utf-8").splitlines() if FILE.exists() else []:
        name, rate, decay, batch, seed, share = line.split()
        if name == judge:
            setting = float(rate), float(decay), int(batch)
            found.setdefault(setting, {})[int(seed)] = float(share)
    return found


def means(judge: str, settings: list[Setting]) -> dict[Setting, float]:
    """Give the mean over the seeds for each of these settings."""
    found = known(judge)
    return {s: float(np.mean([found[s][seed] for seed in SEEDS])) for s in settings}


def best(settings: list[Setting]) -> Setting:
    """Give the setting with the best mean on validation pictures."""
    found = means("validation", settings)
    return max(found, key=found.__getitem__)


# --- measuring ------------------------------------------------------------------------


def measure(judge: str, settings: list[Setting]) -> list[Setting]:
    """Train with each setting and each seed that is not known; give the settings."""
    found = known(judge)
    runs = [(s, k) for s in settings for k in SEEDS if k not in found.get(s, {})]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(judged, judge, *run): run for run in runs}
        for job in as_completed(jobs):
            setting, seed = jobs[job]
            line = " ".join(map(str, (judge, *setting, seed, job.result())))
            with FILE.open("a", encoding="utf-8") as file:
                print(line, file=file)
            print(line, flush=True)
    return settings


def table(judge: str, settings: list[Setting]) -> None:
    """Print each setting with its mean and the accuracies of its seeds."""
    found = known(judge)
    print(f"{judge}:   rate  decay  batch    mean    of seeds {SEEDS}")
    for setting, mean in means(judge, settings).items():
        rate, decay, batch = setting
        seeds = "  ".join(f"{found[setting][seed]:.2%}" for seed in SEEDS)
        print(f"{rate:18} {decay:6} {batch:6}  {mean:.2%}    {seeds}")


def grid() -> list[Setting]:
    """Give all rates with all decays, in batches of one size."""
    return [(rate, decay, BATCH) for rate in RATES for decay in DECAYS]


def other_batches() -> list[Setting]:
    """Give the best of the grid, in batches of other sizes."""
    rate, decay, _ = best(grid())
    return [(rate, decay, batch) for batch in OTHER_BATCHES]


def main(arguments: list[str]) -> int:
    """Measure, print the tables and what is chosen."""
    measure("validation", grid())
    settings = grid() + measure("validation", other_batches())
    table("validation", settings)
    chosen = best(settings)
    print("chosen: learning rate {}, weight decay {}, batches of {}".format(*chosen))
    if "--test" in arguments:
        table("test", measure("test", [chosen]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
