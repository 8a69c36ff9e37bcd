"""Rows a second, memory, and the job on vectors: ``python -m benchmarks.data.speed``.

Every figure is CPU seconds (user and system) of a process of its own on one core, start and imports included, so that what
else the machine does counts little. ``--rows`` makes all of it smaller.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import peers, product
from benchmarks.data.kept import Kept, Record
from benchmarks.data.sources import folder
from benchmarks.data.speed_cases import texts, vectors
from benchmarks.measure import Limits, run
from benchmarks.place import REPOSITORY

SHORT, LONG = 80, 1000
ONE_CORE = ("OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1", "ARROW_NUM_THREADS=1", "HF_HUB_OFFLINE=1")


@dataclass(frozen=True)
class Case:
    """One measurement.

    Attributes:
        name: As the table shows it.
        make: Writes the file for a number of rows.
        rows: How many, unless told otherwise.
        effort: Of the examination.
        least: Rows a second that are promised, 0: none.
        budget: MiB that the examination may take.
        bounded: Whether the peak has to stay within the budget.
    """

    name: str
    make: Callable[[int], Path]
    rows: int
    effort: str
    least: int = 0
    budget: int = 1024
    bounded: bool = False


def _short(rows: int) -> Path:
    return texts("reviews", rows, SHORT)


def _long(rows: int) -> Path:
    return texts("sotu", rows, LONG)


def _vectors(rows: int) -> Path:
    return vectors(rows, 64)


CASES = (
    Case("short texts", _short, 200_000, "quick", 20_000),
    Case("1 kB texts", _long, 200_000, "quick", 4_000),
    Case("short texts", _short, 200_000, "standard", 3_000),
    Case("1 kB texts", _long, 200_000, "standard", 800),
    Case("ten times the budget", _long, 2_621_440, "quick", 0, 256, bounded=True),
    Case("vectors", _vectors, 80_000, "standard"),
)


def measured(case: Case, path: Path) -> Record:
    """Examine a file in a process of its own."""
    said, cpu, peak = _python(["-m", "benchmarks.data.speed_run", str(path), case.effort, str(case.budget)])
    idle = _python(["-m", "benchmarks.data.speed_run", "-", "quick", "64"])[2]
    size = path.stat().st_size / 2**20
    return {**said, "cpu": round(cpu, 2), "peak": round(peak / 2**20), "idle": round(idle / 2**20), "size": round(size)}


def _python(arguments: list[str], python: str = sys.executable, seconds: int = 7200) -> tuple[Record, float, int]:
    places = f"PYTHONPATH={REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}"
    result = run(["/usr/bin/env", places, *ONE_CORE, python, *arguments], Limits(seconds, 0))
    if result.status != 0:
        raise RuntimeError(result.errors.strip()[-400:] or f"status {result.status}")
    said: Record = json.loads(result.output.strip().splitlines()[-1])
    return said, result.cpu, result.peak


def page(kept: Kept, code: str) -> str:
    """Write the table of what was measured with this code."""
    heads = "case | effort | rows | CPU seconds | rows a second | promised | peak MiB (idle) | budget MiB | file MiB | checks"
    lines = [f"| {heads} |", "|---" * (heads.count("|") + 1) + "|"]
    for case in CASES:
        for _, one in kept.under(f"speed|{code}|{case.name}|{case.effort}|"):
            rate = one["rows"] / max(one["cpu"], 1e-9)
            wanted = f"{case.least:,}" if case.least else ("within the budget" if case.bounded else "")
            cells = [case.name, case.effort, f"{one['rows']:,}", f"{one['cpu']:.1f}", f"{rate:,.0f}", wanted]
            cells += [f"{one['peak']:,} ({one['idle']:,})", f"{case.budget:,}", f"{one['size']:,}", str(len(one["checks"]))]
            lines.append(f"| {' | '.join(cells)} |")
    for key, one in kept.under("speed|Datalab|"):
        rows = int(key.rpartition("|")[2])
        cells = ["vectors", "Datalab outlier, near-duplicate", f"{rows:,}", f"{one['cpu']:.1f}", f"{rows / one['cpu']:,.0f}"]
        lines.append(f"| {' | '.join([*cells, '', str(one['peak']), '', '', ''])} |")
    return "\n".join(lines) + "\n"


def datalab(path: Path) -> Record:
    """Let Datalab look for outliers and near-duplicates in the same vectors."""
    said, cpu, peak = _python([str(peers.HERE / "datalab_vectors.py"), str(path)], str(peers.environment()))
    return {**said, "cpu": round(cpu, 2), "peak": round(peak / 2**20)}


def failures(kept: Kept, code: str) -> list[str]:
    """Give the promises that are not kept."""
    found = []
    for case in CASES:
        for _, one in kept.under(f"speed|{code}|{case.name}|{case.effort}|"):
            if case.least and one["rows"] / one["cpu"] < case.least:
                found.append(f"{case.name}, {case.effort}: {one['rows'] / one['cpu']:,.0f} rows a second")
            if case.bounded and one["peak"] > case.budget:
                found.append(f"{case.name}: a peak of {one['peak']:,} MiB")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what has not been measured yet; status 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data.speed", description=main.__doc__)
    parser.add_argument("--case", action="append", default=[], help="only cases whose name contains this (repeatable)")
    parser.add_argument("--effort", action="append", default=[], help="only this effort (repeatable)")
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--peers", action="store_true", help="Datalab on the vectors too")
    parser.add_argument("--output", type=Path, default=folder() / "data-speed.md")
    options = parser.parse_args(arguments)
    kept, code = Kept(folder() / "speed.jsonl"), product.identity()
    for case in CASES:
        if options.case and not any(part in case.name for part in options.case):
            continue
        if options.effort and case.effort not in options.effort:
            continue
        rows = options.rows or case.rows
        path = case.make(rows)

        def ours(case: Case = case, path: Path = path) -> Record:
            return measured(case, path)

        key = f"speed|{code}|{case.name}|{case.effort}|{rows}"
        print(key, json.dumps(kept.once(key, ours)), flush=True)
        if options.peers and case.name == "vectors":

            def theirs(path: Path = path) -> Record:
                return datalab(path)

            key = f"speed|Datalab|{rows}"
            print(key, json.dumps(kept.once(key, theirs)), flush=True)
    options.output.write_text(page(kept, code), encoding="utf-8")
    for failure in failures(kept, code):
        print(f"not kept: {failure}")
    return 1 if failures(kept, code) else 0


if __name__ == "__main__":
    raise SystemExit(main())
