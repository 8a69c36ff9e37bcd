"""Hostile inputs against the installed command: ``python -m benchmarks.hostile --date DAY``.

Writes the family ``hostile`` of the malicious corpus, scans every case in a process of its own and compares it with the
bars: no crash, no hang, at most `SECONDS` of CPU and `MEGABYTES` of memory for a small file, and exit code 0 only for
what is truly clean. The figures go into ``docs/robustness.md``. Status 1 when a bar is broken.
"""

from __future__ import annotations

import argparse
import json
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus.malicious import hostile
from benchmarks.corpus.malicious.cases import Case, write_family
from benchmarks.measure import Limits, Run, run
from benchmarks.peers import TOADSTONE, install
from benchmarks.place import REPOSITORY, work_folder

SECONDS = 2.0
"""CPU seconds of one scan, interpreter start included."""

PER_GIBIBYTE = 5.0
"""More of them for bytes that are really there: they are read twice, to be hashed and to be understood."""

MEGABYTES = 256
PAGE = REPOSITORY / "docs" / "robustness.md"
BEGIN, END = "<!-- measured by `python -m benchmarks.hostile` -->", "<!-- end of what was measured -->"
_LIMITS = Limits(seconds=60, address_space=4 << 30)
_SLOWEST = 25
_VERDICTS = {0: "clean", 1: "findings", 3: "incomplete"}


@dataclass(frozen=True)
class Outcome:
    """What one case cost and what was said about it.

    Attributes:
        case: The case.
        size: Its bytes.
        run: The scan.
    """

    case: Case
    size: int
    run: Run

    @property
    def megabytes(self) -> float:
        """Largest resident size."""
        return self.run.peak / 1e6

    @property
    def allowed(self) -> float:
        """CPU seconds that a case of this size may take."""
        return SECONDS + PER_GIBIBYTE * self.size / (1 << 30) if self.size > 64 << 20 else SECONDS

    @property
    def verdict(self) -> str:
        """The exit status in a word."""
        if self.run.status is None:
            return "time-out"
        return _VERDICTS.get(self.run.status, f"status {self.run.status}")

    def broken(self) -> Iterator[str]:
        """Yield the bars that it breaks."""
        if self.run.status is None:
            yield "hangs"
        elif self.run.status not in _VERDICTS or "Traceback" in self.run.errors:
            yield "crashes"
        if "internal error" in self.run.output:
            yield "fails inside"
        if self.run.status == 0 and self.case.label == "malicious":
            yield "passes as clean"
        if self.run.cpu > self.allowed:
            yield f"more than {self.allowed:.1f} s"
        if self.megabytes > MEGABYTES:
            yield f"more than {MEGABYTES} MB"


def measure(command: Sequence[str], case: Case, folder: Path, rounds: int) -> Outcome:
    """Scan one case; what breaks a bar of cost is measured again, because another process may have disturbed it."""
    target = folder / case.path
    size = sum(path.stat().st_size for path in ([target] if target.is_file() else target.rglob("*")) if path.is_file())
    line = [*command, "scan", "--no-cache", "--format", "json", str(target)]
    outcome = Outcome(case, size, run(line, _LIMITS))
    for _ in range(rounds - 1):
        if not any(reason.startswith("more than") for reason in outcome.broken()):
            break
        again = Outcome(case, size, run(line, _LIMITS))
        outcome = min(outcome, again, key=lambda each: each.run.cpu)
    return outcome


def table(outcomes: Sequence[Outcome], date: str) -> str:
    """Write the part of the page that is measured."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    failed = [outcome for outcome in outcomes if any(outcome.broken())]
    clean = [outcome.case.path for outcome in outcomes if outcome.run.status == 0]
    small = [outcome for outcome in outcomes if outcome.allowed == SECONDS]
    slowest = max(small, key=lambda outcome: outcome.run.cpu)
    fattest = max(outcomes, key=lambda outcome: outcome.run.peak)
    lines = [
        BEGIN,
        "",
        f"Measured on {date}: {len(outcomes)} inputs, each in a process of its own, start-up included.",
        "",
        "| | |",
        "|---|---|",
        f"| verdicts | {', '.join(f'{name} {count}' for name, count in sorted(counts.items()))} |",
        f"| bars broken | {len(failed)} |",
        f"| most CPU of a file up to 64 MB | {slowest.run.cpu:.2f} s (`{slowest.case.path}`) |",
        f"| most memory | {fattest.megabytes:.0f} MB (`{fattest.case.path}`) |",
        f"| exit code 0 | {', '.join(f'`{path}`' for path in clean)} |",
        "",
        f"The {_SLOWEST} slowest and all that break a bar:",
        "",
        "| input | bytes | exit code | CPU s | peak MB | verdict | bar |",
        "|---|---|---|---|---|---|---|",
    ]
    shown = sorted(outcomes, key=lambda outcome: -outcome.run.cpu)
    lines += [line(outcome) for place, outcome in enumerate(shown) if place < _SLOWEST or outcome in failed]
    return "\n".join([*lines, "", END])


def line(outcome: Outcome) -> str:
    """Write one line of the table."""
    cells = [
        f"`{outcome.case.path}`",
        f"{outcome.size:,}",
        str(outcome.run.status),
        f"{outcome.run.cpu:.2f}",
        f"{outcome.megabytes:.0f}",
        outcome.verdict,
        "; ".join(outcome.broken()) or "met",
    ]
    return "| " + " | ".join(cells) + " |"


def replaced(page: str, part: str) -> str:
    """Put the measured part between the marks of the page.

    Raises:
        ValueError: If the page has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} has no marks for what is measured")
    return before + part + after


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all cases, or those whose path contains a word; the page is written only after all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=main.__doc__)
    parser.add_argument("word", nargs="*", help="only cases whose path contains one of these")
    parser.add_argument("--date", help="day of the measurement; writes docs/robustness.md")
    parser.add_argument("--rounds", type=int, default=3, help="how often a case above a bar is measured; the least counts")
    parser.add_argument("--folder", type=Path, default=work_folder() / "hostile", help="where the cases are written")
    parser.add_argument("--keep", action="store_true", help="take the cases that are already there")
    parser.add_argument("--command", help="how toadstone is started; by default the checkout is installed and taken")
    options = parser.parse_args(arguments)
    if options.command:
        command = shlex.split(options.command)
    else:
        install(TOADSTONE)
        command = [str(TOADSTONE.folder / "bin" / TOADSTONE.program)]
    cases = [case for case in hostile.cases() if not options.word or any(word in case.path for word in options.word)]
    if not options.keep:
        write_family(hostile.NAME, cases, options.folder)
    outcomes: list[Outcome] = []
    for case in cases:
        outcomes.append(measure(command, case, options.folder / hostile.NAME, options.rounds))
        print(line(outcomes[-1]), flush=True)
    failed = [outcome for outcome in outcomes if any(outcome.broken())]
    for outcome in failed:
        print(f"BROKEN {outcome.case.path}: {'; '.join(outcome.broken())}")
    print(f"{len(outcomes)} inputs, {len(failed)} break a bar")
    facts = [
        {"path": o.case.path, "size": o.size, "status": o.run.status, "cpu": o.run.cpu, "peak": o.run.peak} for o in outcomes
    ]
    (work_folder() / "hostile.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    if options.date and not options.word:
        PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), table(outcomes, options.date)), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
