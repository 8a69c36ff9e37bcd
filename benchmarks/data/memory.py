"""Memory on a file ten times the budget: ``python -m benchmarks.data.memory``.

Runs the command on a large file with a small budget, as a user would, and asks the system, five times a second, what the process
and those that help it have in memory: the largest resident size of one of them, and the sum of their proportional shares (pages
that several have count once). Status 1 when the largest, or that sum, is beyond the budget. ``--rows`` makes it smaller.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.data.sources import folder
from benchmarks.data.speed_cases import texts
from benchmarks.place import REPOSITORY

_EVERY = 0.2
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def below(process: int) -> Iterator[int]:
    """Yield a process and all that it started."""
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            for child in children.read_text().split():
                yield from below(int(child))
        except OSError:  # it has ended
            continue


def number(path: Path, name: str) -> int:
    """Give a number of kB that the system tells of a process, 0 when it has ended."""
    try:
        return next((int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith(name)), 0)
    except OSError:
        return 0


def measured(path: Path, memory: str, effort: str, jobs: int) -> dict[str, float | int | str]:
    """Scan a file; give rows, CPU seconds, the largest resident size and the largest sum, in MiB."""
    largest = together = 0
    with tempfile.TemporaryDirectory() as work:
        options = [
            "--memory",
            memory,
            "--effort",
            effort,
            "--jobs",
            str(jobs),
            "--label",
            "label",
            "--text",
            "text",
            "--source",
            "source",
        ]
        command = [sys.executable, "-m", "toadstone", "scan", str(path), "--no-cache", "--format", "json", *options]
        places = {"PYTHONPATH": f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}", "TMPDIR": work}
        with (Path(work) / "report").open("wb") as report:
            places |= {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **_ENVIRONMENT}
            process = subprocess.Popen([*command, "--scores", f"{work}/scores.parquet"], stdout=report, env=places)
            while process.poll() is None:
                every = [Path(f"/proc/{one}") for one in below(process.pid)]
                largest = max(largest, *(number(one / "status", "VmHWM") for one in every))
                together = max(together, sum(number(one / "smaps_rollup", "Pss:") for one in every))
                time.sleep(_EVERY)
        told = json.loads((Path(work) / "report").read_text(encoding="utf-8"))["subjects"][0]
    spent = os.times()
    return {
        "file": path.name,
        "mib": path.stat().st_size >> 20,
        "budget": memory,
        "effort": effort,
        "jobs": jobs,
        "rows": told["statistics"]["rows"],
        "seconds": round(spent.children_user + spent.children_system),
        "largest": largest >> 10,
        "together": together >> 10,
        "unread": "; ".join(gap["reason"] for gap in told["coverage"]["unread"])[:200],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; status 1 when a peak is beyond the budget."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data.memory", description=main.__doc__)
    parser.add_argument("--data", default="sotu", help="development data whose words are drawn")
    parser.add_argument("--characters", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=2_621_440)
    parser.add_argument("--budget", type=int, default=256, help="MiB")
    parser.add_argument("--effort", default="quick")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    path = texts(options.data, options.rows, options.characters)
    said = measured(path, f"{options.budget}M", options.effort, options.jobs)
    print(json.dumps(said))
    with (folder() / "memory.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(said) + "\n")
    return 1 if max(int(said["largest"]), int(said["together"])) > options.budget else 0


if __name__ == "__main__":
    raise SystemExit(main())
