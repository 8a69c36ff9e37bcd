"""``python -m benchmarks.corpus.malicious [FAMILY...]``: write the families (all by default) into the work folder."""

from __future__ import annotations

import argparse
import importlib
import json
from collections import Counter
from pathlib import Path

from benchmarks.corpus.malicious.cases import write_family

FAMILIES = ("gadgets", "opcodes", "containers", "formats", "formats2", "formats3", "tricks", "hostile")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("family", nargs="*", help=", ".join(FAMILIES))
    parser.add_argument("--folder", type=Path, help="write here instead of the work folder")
    options = parser.parse_args()
    if unknown := set(options.family) - set(FAMILIES):
        parser.error(f"no such family: {', '.join(sorted(unknown))}")
    for name in options.family or FAMILIES:
        module = importlib.import_module(f"benchmarks.corpus.malicious.{name}")
        target = write_family(module.NAME, module.cases(), options.folder)
        rows = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["files"]
        counts = Counter((row["label"], row["split"]) for row in rows)
        print(f"{name}: {len(rows)} files;", ", ".join(f"{label} {split} {n}" for (label, split), n in sorted(counts.items())))


if __name__ == "__main__":
    main()
