"""Builds the benign corpus: ``python -m benchmarks.corpus.benign [FAMILY ...]``.

Families are independent and resumable. One that cannot be installed, or a recipe that fails, is listed under
``not_run`` in the manifest with its reason; the command then ends with status 1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.corpus.benign.environment import FAMILIES, Family, NotInstalledError, install
from benchmarks.corpus.benign.workshop import PARTS
from benchmarks.corpus.manifest import Entry, Manifest, save
from benchmarks.place import REPOSITORY, work_folder

SECONDS_PER_FAMILY = 1800
FAILURES = ".failures"


def build(corpus: Path, environment: str, family: Family) -> list[str]:
    """Run every recipe of one family; return the reasons why some did not."""
    try:
        python = install(environment, family)
    except NotInstalledError as error:
        return [f"not installed: {error}"]
    command = [str(python), "-W", "ignore", "-m", "benchmarks.corpus.benign.workshop", environment, family.name, str(corpus)]
    variables = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONHASHSEED": "0", "CUDA_VISIBLE_DEVICES": ""}
    failed: list[str] = []
    reasons: list[str] = []
    while True:
        skips = [item for name in failed for item in ("--skip", name)]
        try:
            result = subprocess.run(
                [*command, *skips],
                env=variables,
                capture_output=True,
                text=True,
                timeout=SECONDS_PER_FAMILY,
                check=False,
                cwd=REPOSITORY,
            )
        except subprocess.TimeoutExpired:
            return [*reasons, f"stopped after {SECONDS_PER_FAMILY} s"]
        if result.returncode == 0:
            return reasons
        started = [line.removeprefix("recipe ") for line in result.stdout.splitlines() if line.startswith("recipe ")]
        last = (result.stderr.strip().splitlines() or [f"status {result.returncode}"])[-1]
        if not started or started[-1] in failed:
            return [*reasons, f"not started: {last}"]
        failed.append(started[-1])
        reasons.append(f"{started[-1]}: {last}")


def _collect(corpus: Path) -> Manifest:
    manifest = Manifest("benign", corpus)
    for part in sorted((corpus / PARTS).glob("*.json")):
        manifest.files += [Entry(**raw) for raw in json.loads(part.read_text())["files"]]
    recorded = {tuple(part.name.split(".")[:2]) for part in (corpus / PARTS).glob("*.json")}
    for environment, family in _pairs(()):
        failures = corpus / FAILURES / f"{environment}.{family.name}.json"
        reasons = json.loads(failures.read_text()) if failures.is_file() else []
        if not reasons and (environment, family.name) not in recorded:
            reasons = ["not built yet"]
        manifest.not_run += [{"family": f"{environment}: {family.name}", "reason": reason} for reason in reasons]
    return manifest


def _pairs(names: Sequence[str]) -> Iterator[tuple[str, Family]]:
    for family in FAMILIES:
        if not names or family.name in names:
            for environment in family.environments:
                yield environment, family


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the named families (default: all) and write the manifest."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus.benign", description=main.__doc__)
    parser.add_argument("family", nargs="*", choices=[[], *(family.name for family in FAMILIES)])
    parser.add_argument("--fresh", action="store_true", help="forget what was built before")
    options = parser.parse_args(arguments)
    corpus = work_folder() / "benign"
    (corpus / FAILURES).mkdir(parents=True, exist_ok=True)
    for environment, family in _pairs(options.family):
        if options.fresh:
            for part in (corpus / PARTS).glob(f"{environment}.{family.name}.*.json"):
                part.unlink()
            shutil.rmtree(corpus / environment / family.name, ignore_errors=True)
        reasons = build(corpus, environment, family)
        (corpus / FAILURES / f"{environment}.{family.name}.json").write_text(json.dumps(reasons))
        print(f"{environment}: {family.name}: {'; '.join(reasons) or 'built'}", file=sys.stderr, flush=True)
        save(_collect(corpus))
    manifest = _collect(corpus)
    counts = Counter(entry.family for entry in manifest.files)
    print(f"{len(manifest.files)} subjects of {len(counts)} libraries in {corpus}")
    for missing in manifest.not_run:
        print(f"not run: {missing['family']}: {missing['reason']}")
    return 1 if manifest.not_run else 0


if __name__ == "__main__":
    raise SystemExit(main())
