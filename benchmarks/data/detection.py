"""The bars of data sets: ``python -m benchmarks.data.detection``.

For every attack, data set and seed a sample is poisoned, examined and cleaned, and models are trained on it before and after;
peers judge the same rows. ``--clean`` examines clean subsamples instead, ``--reference`` gives the product 500 rows known to
be good. Every outcome is kept under the digest of the code that gave it: what was measured is not measured again.
"""

from __future__ import annotations

import argparse
import json
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import peers, product
from benchmarks.data.detection_page import page
from benchmarks.data.kept import Kept, Record
from benchmarks.data.learners import Trained
from benchmarks.data.scores import flags_of, found_at, rank_of, ranked
from benchmarks.data.sources import TEXTS, folder
from benchmarks.data.trials import FLIPS, Case, chosen, generator, most_rows, poisoned, sample
from toadstone.attacks.attack import Material, Poisoned

REFERENCE = 500
CLEAN_ROWS = 2000
CLEAN_SEEDS = 15
LEARNER = "svm"


def examined(case: Case, data: str, rows: int, seed: int, *, reference: bool, effort: str) -> Record:
    """Poison, examine, clean, and train before and after."""
    drawn = sample(data, rows, seed)
    bad = poisoned(case, drawn, rows)
    good = drawn.test.table.slice(0, REFERENCE) if reference else None
    answer = product.asked(bad.material, reference=good, effort=effort, seed=seed)
    return {
        "rows": int(bad.mask.sum()),
        "trigger": [str(value)[:80] for value in bad.trigger.values[:5]],
        "target": bad.trigger.target,
        **ranked(answer.findings, bad.mask, bad.trigger),
        **flags_of(answer.flagged, bad.mask, bad.cover),
        "found_at_1": found_at(answer.scores, bad.mask, bad.cover),
        "flagged": int(answer.flagged.sum()),
        "gaps": sorted(set(answer.gaps))[:5],
        "cpu": round(answer.cpu, 2),
        **_trained(case, bad, data, rows, seed, answer.flagged),
    }


def _trained(case: Case, bad: Poisoned, data: str, rows: int, seed: int, flagged: NDArray[np.bool_]) -> Record:
    """Train on poisoned and cleaned rows; compare with the clean twin on rows that were no reference."""
    drawn = sample(data, rows, seed)
    test = Material(drawn.test.table.slice(REFERENCE), drawn.test.roles)
    clean, before = _clean(data, rows, seed), Trained(bad.material, (LEARNER,))
    kept = Material(bad.material.table.take(np.flatnonzero(~flagged)), bad.material.roles)
    after = Trained(kept, (LEARNER,)) if flagged.any() else before
    truth = clean.accuracy(test)[LEARNER]
    record: Record = {
        "lost_before": truth - before.accuracy(test)[LEARNER],
        "lost_after": truth - after.accuracy(test)[LEARNER],
    }
    probe = case.make().probe(test, bad.trigger, generator("probe", case.name, data, seed))
    if probe is not None and probe.table.num_rows and bad.trigger.target is not None:
        base = clean.rate(probe, bad.trigger.target)[LEARNER]
        record["lift_before"] = before.rate(probe, bad.trigger.target)[LEARNER] - base
        record["lift_after"] = after.rate(probe, bad.trigger.target)[LEARNER] - base
    return record


@lru_cache(maxsize=2)
def _clean(data: str, rows: int, seed: int) -> Trained:
    return Trained(sample(data, rows, seed).train, (LEARNER,))


def by_peers(case: Case, data: str, rows: int, seed: int, script: str) -> Record:
    """Let a peer judge the same rows."""
    bad = poisoned(case, sample(data, rows, seed), rows)
    answer = peers.run(script, bad.material)
    found: Record = {"cpu": round(answer["cpu"], 2), "detectors": {}}
    for name, said in answer["detectors"].items():
        record = {"found_at_1": found_at(np.array(said["scores"], float), bad.mask, bad.cover)}
        if said["flags"] is not None:
            record |= flags_of(np.array(said["flags"], bool), bad.mask, bad.cover)
        if "groups" in said:
            record["rank"] = rank_of(said["groups"], bad.mask)
        found["detectors"][name] = record
    return found


def on_clean(data: str, rows: int, seed: int, effort: str) -> Record:
    """Examine rows that nobody poisoned."""
    drawn = sample(data, rows, 1000 + seed)
    answer = product.asked(drawn.train, effort=effort, seed=seed)
    repeated = repeats(drawn.train.texts())
    loud = [one for one in answer.findings if one.severity.label in ("high", "critical")]
    return {
        "high": len(loud),
        "checks": sorted({one.check for one in loud}),
        "findings": len(answer.findings),
        "flagged": int(answer.flagged.sum()) / rows,
        "flagged_singles": int((answer.flagged & ~repeated).sum()) / rows,
        "gaps": sorted(set(answer.gaps))[:5],
        "cpu": round(answer.cpu, 2),
    }


def repeats(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Say which texts occur more than once, but for case, spaces and punctuation."""
    bare = [re.sub(r"[\W_]+", "", text.lower()) for text in texts]
    counts = Counter(bare)
    return np.array([counts[text] > 1 for text in bare], bool)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what has not been measured yet; write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data.detection", description=main.__doc__)
    parser.add_argument("--attack", action="append", default=[], help="id, or id with its size (repeatable)")
    parser.add_argument("--data", action="append", default=[], choices=sorted(TEXTS), help="repeatable")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=0, help="instead of the size that belongs to the attack")
    parser.add_argument("--effort", default="standard", choices=("quick", "standard", "deep"))
    parser.add_argument("--clean", action="store_true", help="clean subsamples instead of attacks")
    parser.add_argument("--reference", action="store_true", help="give the product rows known to be good")
    parser.add_argument("--peers", action="store_true", help="let the peers judge too")
    parser.add_argument("--page", action="store_true", help="only write the page from what was measured")
    parser.add_argument("--output", type=Path, default=folder() / "data-scoreboard.md")
    options = parser.parse_args(arguments)
    kept = Kept(folder() / "detection.jsonl")
    code = product.identity()
    for data in [] if options.page else options.data or sorted(TEXTS):
        for seed in range(CLEAN_SEEDS if options.clean else options.seeds):
            _measure(kept, code, data, seed, options)
    options.output.write_text(page(kept, code, peers_code()), encoding="utf-8")
    (folder() / "data-scoreboard.json").write_text(json.dumps(dict(kept.under("")), indent=1) + "\n", encoding="utf-8")
    return 0


def _measure(kept: Kept, code: str, data: str, seed: int, options: argparse.Namespace) -> None:
    if options.clean:
        rows = options.rows or CLEAN_ROWS
        key = f"clean|{code}|{options.effort}|{data}|{rows}|{seed}"
        _say(key, kept.once(key, lambda: on_clean(data, rows, seed, options.effort)))
        return
    for case in sorted(chosen(options.attack, data), key=lambda case: case.rows):
        rows = options.rows or case.rows
        if rows > most_rows(data):
            continue
        mode = "reference" if options.reference else "plain"
        key = f"{mode}|{code}|{options.effort}|{case.name}|{data}|{rows}|{seed}"

        def ours(case: Case = case, rows: int = rows) -> Record:
            return examined(case, data, rows, seed, reference=options.reference, effort=options.effort)

        _say(key, kept.once(key, ours))
        if not options.peers:
            continue
        for script in (*peers.SCRIPTS, *(peers.FLIP_SCRIPTS if case.attack in FLIPS else ())):
            key = f"peers|{peers_code()}|{script}|{case.name}|{data}|{rows}|{seed}"

            def theirs(case: Case = case, rows: int = rows, script: str = script) -> Record:
                return by_peers(case, data, rows, seed, script)

            _say(key, kept.once(key, theirs))


def peers_code() -> str:
    """Give a digest of the peers' scripts and of what makes the poison."""
    scripts = peers.source_of((*peers.SCRIPTS, *peers.FLIP_SCRIPTS))
    return f"{zlib.crc32(scripts):08x}-{product.poison_identity()}"


def _say(key: str, record: Record) -> None:
    print(key, json.dumps(record, ensure_ascii=False)[:600], flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
