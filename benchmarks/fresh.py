"""Attacks that were written after the checks: what is found of them, at which severity, and whose addresses are named.

    python -m benchmarks.corpus.malicious formats3 tricks
    python -m benchmarks.fresh formats3 tricks [--misses]

Scans each case in this process. *High* counts as found; *unread* is a report that says it is incomplete and finds nothing. Cases
with an address that is hidden or disguised are counted a second time, by whether the address is among the indicators.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.place import work_folder
from toadstone.core.finding import Severity
from toadstone.verbs.scan import scan

LEVELS = ("high", "medium", "unread", "missed")


@dataclass(frozen=True)
class Seen:
    """What is said of one case: its row of the manifest, the level, and the indicators."""

    row: dict[str, Any]
    level: str
    indicators: tuple[str, ...]

    @property
    def named(self) -> bool | None:
        """Whether the address that the case hides is among the indicators; None when it hides none."""
        address = self.row.get("address")
        return any(address in indicator for indicator in self.indicators) if address else None


def seen(folder: Path) -> Iterator[Seen]:
    """Scan every case of a family."""
    for row in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]:
        report = scan(str(folder / row["path"]))
        findings = [finding for subject in report.subjects for finding in subject.findings]
        worst = max((finding.severity for finding in findings), default=Severity.INFO)
        unread = any(subject.unread for subject in report.subjects)
        level = "high" if worst >= Severity.HIGH else "medium" if worst >= Severity.MEDIUM else "unread" if unread else "missed"
        yield Seen(row, level, tuple(str(indicator.value) for finding in findings for indicator in finding.indicators))


def main() -> None:
    """Print a table of each family, and on demand what was missed in the half that may be looked at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("family", nargs="+")
    parser.add_argument("--folder", type=Path, default=work_folder() / "malicious")
    parser.add_argument("--misses", action="store_true", help="list what is not high in the half that rules are tuned on")
    options = parser.parse_args()
    print("| family | half | cases | high | medium | unread | missed | benign at high | addresses |")
    print("|---|---|---|---|---|---|---|---|---|")
    for family in options.family:
        found = list(seen(options.folder / family))
        for half in ("tune", "report"):
            part = [case for case in found if case.row["split"] == half]
            malicious = [case for case in part if case.row["label"] == "malicious"]
            counts = Counter(case.level for case in malicious)
            false = sum(case.level == "high" for case in part if case.row["label"] == "benign")
            named = [case.named for case in part if case.named is not None]
            levels = " | ".join(str(counts[level]) for level in LEVELS)
            print(f"| {family} | {half} | {len(malicious)} | {levels} | {false} | {sum(named)}/{len(named)} |")
            if options.misses and half == "tune":
                for case in malicious:
                    if case.level != "high" or case.named is False:
                        print(f"  {case.level}: {case.row['path']}")


if __name__ == "__main__":
    main()
