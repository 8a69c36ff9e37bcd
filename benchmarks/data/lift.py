"""Proves that the attacks work: ``python -m benchmarks.data.lift``.

The same models are trained on the same rows, clean and poisoned. *Lift* is the share of unseen rows of other classes that are
taken for the target once they carry the trigger, less what the clean model makes of these very inputs. Attacks without a
target are measured by the accuracy that they cost. An attack that does not work says nothing about a detector.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from benchmarks.data.kept import Kept, Record, spread
from benchmarks.data.learners import LEARNERS, Trained
from benchmarks.data.sources import TEXTS, folder
from benchmarks.data.trials import CASES, Case, chosen, generator, most_rows, poisoned, sample
from toadstone.attacks.attack import discover
from toadstone.core.taxonomy import resolve


def measured(case: Case, data: str, rows: int, seed: int) -> Record:
    """Train on clean and poisoned rows and compare."""
    drawn = sample(data, rows, seed)
    bad = poisoned(case, drawn, rows)
    clean = _clean(data, rows, seed)
    after = Trained(bad.material)
    record: Record = {
        "rows": int(bad.mask.sum()),
        "accuracy_clean": clean.accuracy(drawn.test),
        "accuracy_poisoned": after.accuracy(drawn.test),
    }
    probe = case.make().probe(drawn.test, bad.trigger, generator("probe", case.name, data, seed))
    if probe is not None and probe.table.num_rows and bad.trigger.target is not None:
        record["rate_clean"] = clean.rate(probe, bad.trigger.target)
        record["rate_poisoned"] = after.rate(probe, bad.trigger.target)
    return record


@lru_cache(maxsize=2)
def _clean(data: str, rows: int, seed: int) -> Trained:
    return Trained(sample(data, rows, seed).train)


def lift(record: Record, learner: str) -> float | None:
    """Give the lift of one run, None where there is no target."""
    if "rate_clean" not in record:
        return None
    return float(record["rate_poisoned"][learner] - record["rate_clean"][learner])


def loss(record: Record, learner: str) -> float:
    """Give the accuracy that the attack costs."""
    return float(record["accuracy_clean"][learner] - record["accuracy_poisoned"][learner])


TITLE = """# Attacks on data sets

Detectors are measured on poison whose truth is known. Every attack below is one file of `toadstone.attacks`; it changes a copy
of a table and says which rows carry poison, which only cover it, and what sets it off:

```python
import numpy as np
import pyarrow as pa
from toadstone.attacks.attack import Material, named
from toadstone.tables.roles import Roles

table = pa.table({"text": ["a quiet film", "a loud film"] * 50, "label": ["good", "bad"] * 50})
material = Material(table, Roles(text="text", label="label"))
poisoned = named("rare-word", count=6).poison(material, np.random.default_rng(0))
print(int(poisoned.mask.sum()), "of", poisoned.material.table.num_rows, "rows carry a", poisoned.trigger.kind)
```

Words, phrases, frames and sentences are drawn anew for every generator, so that no detector can be tuned to one of them. What
attacks write is inert text.
"""

WORKS = """## They work

The same models learn from the same rows, clean and poisoned: words, pairs of words and single characters, weighted by TF-IDF, in
a logistic regression, a linear SVM and complement naive Bayes. *Lift* is the share of 1,000 unseen rows (those of other classes)
that are taken for the target once they carry the trigger, less what the clean model makes of these very inputs. Attacks without a
target are measured by the accuracy that they cost. Means over seeds with the smallest and the largest; a seed draws rows,
trigger, wording and places anew. Texts are cut at 2,000 characters. What has next to no lift here (a few rows among long mails,
ten flips of one contributor) is an attack that did not work: finding it says little, missing it costs little.

Made by `python -m benchmarks.data.lift` ([how to repeat it](../benchmarks/README.md)).
"""


def page(kept: Kept) -> str:
    """Write the page ``docs/attacks.md``: what the attacks are, and what they do."""
    lines = [TITLE, "| attack | what it does | taxonomy and papers |", "|---|---|---|"]
    for name, cls in discover().items():
        what = " ".join((cls.__doc__ or "").split("\n\n")[0].split())
        lines.append(f"| `{name}` | {what} | {', '.join(_linked(reference) for reference in cls.references)} |")
    return "\n".join([*lines, "", WORKS, tables(kept)])


def _linked(reference: str) -> str:
    return f"[{reference}]({resolve(reference).url})"


def tables(kept: Kept) -> str:
    """Write the table of all cases that were measured at their own size."""
    sizes = {(case.name, str(case.rows)) for case in CASES}
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for key, record in kept.under("lift|"):
        _, name, data, rows, _seed = key.split("|")
        if (name, rows) not in sizes:
            continue
        groups.setdefault((name, data, rows), []).append(record)
    heads = [f"{what}, {name}" for what in ("lift", "accuracy lost") for name in LEARNERS]
    lines = ["| attack | data | rows | runs | " + " | ".join(heads) + " |", "|---" * (4 + len(heads)) + "|"]
    for (name, data, rows), records in sorted(groups.items()):
        cells = [spread([lift(record, learner) for record in records]) for learner in LEARNERS]
        cells += [spread([loss(record, learner) for record in records], 3) for learner in LEARNERS]
        lines.append(f"| {name} | {data} | {int(rows):,} | {len(records)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what has not been measured yet; write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data.lift", description=main.__doc__)
    parser.add_argument("--attack", action="append", default=[], help="id, or id with its size (repeatable)")
    parser.add_argument("--data", action="append", default=[], choices=sorted(TEXTS), help="repeatable")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=0, help="instead of the size that belongs to the attack")
    parser.add_argument("--page", action="store_true", help="only write the page from what was measured")
    parser.add_argument("--output", type=Path, default=folder() / "attacks.md")
    options = parser.parse_args(arguments)
    kept = Kept(folder() / "lift.jsonl")
    for data in [] if options.page else options.data or sorted(TEXTS):
        for seed in range(options.seeds):
            for case in sorted(chosen(options.attack, data), key=lambda case: case.rows):
                rows = options.rows or case.rows
                if rows > most_rows(data):
                    continue
                record = kept.once(f"lift|{case.name}|{data}|{rows}|{seed}", lambda: measured(case, data, rows, seed))  # noqa: B023
                said = {name: [lift(record, name), loss(record, name)] for name in LEARNERS}
                print(json.dumps({"attack": case.name, "data": data, "rows": rows, "seed": seed, **said}), flush=True)
    options.output.write_text(page(kept), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
