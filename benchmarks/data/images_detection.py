"""The bars of images: ``python -m benchmarks.data.images_detection [--data mnist ...] [--attack "image-patch 1%" ...]``.

Every attack on images poisons samples of the development sets; the product examines them. Shown is the share of poisoned rows
above the score that 1 % of the others exceed, what is flagged, the place of the first group reported that is the poison, the lift
of the attack (share of unseen images that go where the attacker wants once they carry the trigger, less what a clean model makes
of them) before and after what was flagged is left out, and the accuracy that cleaning costs. ``--clean`` examines samples that
nobody poisoned, ``--peers`` lets other tools judge the same rows, ``--output`` writes the page. Outcomes are kept under the
digest of the code that gave them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.data import product
from benchmarks.data.image_learner import Convolutions, rate
from benchmarks.data.images import SETS, image_set, material
from benchmarks.data.images_page import page
from benchmarks.data.kept import Kept, Record, spread
from benchmarks.data.peers import images as peers
from benchmarks.data.scores import flags_of, found_at, ranked
from benchmarks.data.sources import folder
from benchmarks.data.tables_detection import generator
from toadstone.attacks.attack import Material, Poisoned, named
from toadstone.core.finding import Severity

ROWS, HELD_OUT = 2500, 800


@dataclass(frozen=True)
class Case:
    """An attack at a size.

    Attributes:
        attack: Its id.
        settings: Of the attack.
        of_class: Whether ``rate`` is a share of one class, not of all rows.
    """

    attack: str
    settings: dict[str, Any] = field(default_factory=dict)
    of_class: bool = False

    @property
    def name(self) -> str:
        """The attack with its size, as tables show it."""
        more = "".join(f", {key} {value}" for key, value in sorted(self.settings.items()) if key != "rate")
        return f"{self.attack} {self.settings['rate']:.0%}{' of a class' if self.of_class else ''}{more}"

    def poison(self, clean: Material, seed: int, data: str) -> tuple[Any, Poisoned]:
        """Give the attack and what it makes of material."""
        random = generator("poison", self.name, data, seed)
        settings = dict(self.settings)
        if self.of_class:
            names, counts = np.unique(clean.labels().astype(str), return_counts=True)
            place = int(random.integers(len(names)))
            flips = self.attack == "pair-flip"
            settings |= {"count": round(settings.pop("rate") * int(counts[place]))}
            settings |= {"origin": str(names[place])} if flips else {"target": str(names[place])}
        made = named(self.attack, **settings)
        return made, made.poison(clean, random)


CASES = {
    case.name: case
    for case in (
        Case("image-patch", {"rate": 0.01}),
        Case("image-patch", {"rate": 0.05}),
        Case("jittered-patch", {"rate": 0.05}),
        Case("noisy-blend", {"rate": 0.01}),
        Case("noisy-blend", {"rate": 0.05}),
        Case("sinusoid", {"rate": 0.05}),
        Case("sinusoid", {"rate": 0.3, "clean_label": True}, of_class=True),
        Case("clean-label-patch", {"rate": 0.3}, of_class=True),
        Case("frequency", {"rate": 0.05}),
        Case("frequency", {"rate": 0.05, "window": 8}),
        Case("warp", {"rate": 0.05}),
        Case("warp", {"rate": 0.05, "covers": 1.0}),
        Case("all-to-all", {"rate": 0.05}),
        Case("sample-specific", {"rate": 0.05}),
        Case("random-flip", {"rate": 0.05}),
        Case("random-flip", {"rate": 0.1}),
        Case("random-flip", {"rate": 0.2}),
        Case("pair-flip", {"rate": 0.3}, of_class=True),
        Case("foreign-images", {"rate": 0.02}),
        Case("jittered-images", {"rate": 0.02}),
        Case("jittered-images", {"rate": 0.03, "seeds": 10, "true_label": True}),
    )
}


@lru_cache(maxsize=4)
def sample(data: str, seed: int) -> tuple[Material, Material]:
    """Draw images to learn from and images to test with."""
    images, labels = image_set(data)
    order = generator("sample", data, seed).permutation(len(images))
    rows = min(ROWS, int(0.75 * len(images)))
    parts = order[:rows], order[rows : rows + HELD_OUT]
    first, second = (material(images[part], [labels[row] for row in part.tolist()]) for part in parts)
    return first, second


@lru_cache(maxsize=4)
def clean_model(data: str, seed: int) -> Convolutions:
    """Learn from images that nobody poisoned."""
    clean, _ = sample(data, seed)
    return Convolutions(clean, names_of(clean))


def names_of(clean: Material) -> list[str]:
    """Give the labels, sorted."""
    return sorted(set(clean.labels().tolist()))


def harm(case: Case, data: str, seed: int, bad: Poisoned, attack: Any, flagged: Any) -> Record:  # noqa: ANN401
    """Measure what a model learns from the poison, before and after what was flagged is left out."""
    clean, test = sample(data, seed)
    honest, names = clean_model(data, seed), names_of(clean)
    probe = attack.probe(test, bad.trigger, generator("probe", case.name, data, seed))
    kept = Material(bad.material.table.filter(pa.array(~flagged)), bad.material.roles)
    record: Record = {"accuracy": honest.accuracy(test)}
    for when, given in (("before", bad.material), ("after", kept)):
        model = Convolutions(given, names)
        record[f"lost_{when}"] = record["accuracy"] - model.accuracy(test)
        if probe is not None and probe.table.num_rows:
            wanted = attack.aims(probe, bad.trigger, names)
            record[f"lift_{when}"] = rate(model, probe, wanted) - rate(honest, probe, wanted)
    return record


def examined(case: Case, data: str, seed: int) -> Record:
    """Poison a sample, let the product examine it, retrain.

    Raises:
        UsageError: the attack does not fit the images.
    """
    clean, _ = sample(data, seed)
    attack, bad = case.poison(clean, seed, data)
    answer = product.asked(bad.material, seed=seed)
    loud = [one for one in answer.findings if one.severity >= Severity.HIGH]
    return {
        "rows": int(bad.mask.sum()),
        "trigger": list(bad.trigger.values),
        "found_at_1": found_at(answer.scores, bad.mask, bad.cover),
        **flags_of(answer.flagged, bad.mask, bad.cover),
        **ranked(answer.findings, bad.mask, bad.trigger),
        **harm(case, data, seed, bad, attack, answer.flagged),
        "findings": [f"{one.check}: {one.message[:110]}" for one in loud[:3]],
        "gaps": list(answer.gaps),
        "cpu": round(answer.cpu, 2),
    }


def untouched(data: str, seed: int) -> Record:
    """Examine a sample that nobody poisoned."""
    clean, _ = sample(data, 1000 + seed)
    answer = product.asked(clean, seed=seed)
    loud = [one for one in answer.findings if one.severity >= Severity.HIGH]
    return {
        "high": len(loud),
        "findings": [f"{one.check}: {one.message[:110]}" for one in loud[:3]],
        "flagged": float(answer.flagged.mean()),
        "cpu": round(answer.cpu, 2),
    }


def judged_by_peers(case: Case, data: str, seed: int) -> Record:
    """Let other tools judge the same poisoned rows."""
    clean, _ = sample(data, seed)
    _, bad = case.poison(clean, seed, data)
    features = clean_model(data, seed).features(bad.material)
    answer = peers.run(features, bad.material.labels().astype(str))
    found = {}
    for name, judged in answer["detectors"].items():
        flags = np.array(judged["flags"], bool) if judged["flags"] is not None else np.zeros(len(bad.mask), bool)
        found[name] = {
            "found_at_1": found_at(np.array(judged["scores"]), bad.mask, bad.cover),
            **flags_of(flags, bad.mask, bad.cover),
        }
    return {"rows": int(bad.mask.sum()), "detectors": found, "cpu": answer["cpu"]}


SHOWN = ("found_at_1", "recall", "false_positives", "rank", "lift_before", "lift_after", "lost_after", "cpu")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what has not been measured yet and print one line for each set and attack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", default=["mnist", "photos", "surfaces"], choices=sorted(SETS))
    parser.add_argument("--attack", nargs="*", default=list(CASES), help="a name, or the beginning of some")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--clean", action="store_true", help="samples that nobody poisoned")
    parser.add_argument("--peers", action="store_true", help="other tools on the same rows")
    parser.add_argument("--output", type=Path, help="write the page from what was measured with this code")
    options = parser.parse_args(arguments)
    kept = Kept(folder() / "images-detection.jsonl")
    if options.output:
        options.output.write_text(page(kept, product.identity(), list(CASES)), encoding="utf-8")
        return 0
    kind = "clean" if options.clean else "peers" if options.peers else "ours"
    code = product.poison_identity() + peers.identity() if options.peers else product.identity()
    chosen = [name for name in CASES if any(name.startswith(asked) for asked in options.attack)]
    for data in options.data:
        for name in ["clean"] if options.clean else chosen:
            records = [
                kept.once(f"images|{kind}|{code}|{name}|{data}|{seed}", lambda: measured(kind, name, data, seed))  # noqa: B023
                for seed in range(options.first, options.first + options.seeds)
            ]
            print(f"{data:13}{name:42}" + told(kind, records), flush=True)
    return 0


def measured(kind: str, name: str, data: str, seed: int) -> Record:
    """Measure one sample."""
    if kind == "clean":
        return untouched(data, seed)
    return judged_by_peers(CASES[name], data, seed) if kind == "peers" else examined(CASES[name], data, seed)


def told(kind: str, records: list[Record]) -> str:
    """Write the measurements of some seeds as one line."""
    if kind == "peers":
        names = records[0]["detectors"]
        return "  ".join(f"{name} {spread([one['detectors'][name]['found_at_1'] for one in records])}" for name in names)
    shown = ("high", "flagged", "cpu") if kind == "clean" else SHOWN
    return "  ".join(f"{key} {spread([record.get(key) for record in records])}" for key in shown)


if __name__ == "__main__":
    raise SystemExit(main())
