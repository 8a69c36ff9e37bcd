"""One examination, timed: ``python -m benchmarks.data.ray_run FILE local|ray|ADDRESS EFFORT JOBS SMALL``.

With Ray, the workers are started and warmed by the file SMALL before the clock runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.data.memory import below
from toadstone.adapters.ray_cluster import connected
from toadstone.engine.elsewhere import LOCAL
from toadstone.verbs.rows import Examined, RowOptions, examine

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds() -> dict[int, float]:
    """Give the CPU seconds of this process and of all that it started, by process."""
    found = {}
    for process in below(os.getpid()):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        found[process] = (int(fields[11]) + int(fields[12])) / _TICKS
    return found


def digest(examined: Examined) -> str:
    """Give what two reports share only when they are the same, bit for bit."""
    decision = examined.decision
    state = hashlib.sha256(repr((decision.findings, examined.statistics, examined.gaps)).encode())
    for values in (decision.scores, decision.p_values, decision.flagged):
        state.update(np.ascontiguousarray(values).tobytes())
    return state.hexdigest()


def main(path: str, engine: str, effort: str, jobs: str, small: str) -> None:
    """Examine and print what it took."""
    options = RowOptions(effort=effort, engine=engine, jobs=int(jobs), memory=4 << 30)
    end = None
    if engine != LOCAL:
        _, end = connected(engine, int(jobs), options.memory)
        examine(small, options)
    before, begun = seconds(), time.monotonic()
    examined = examine(path, options)
    wall, after = time.monotonic() - begun, seconds()
    spent = {process: value - before.get(process, 0.0) for process, value in after.items()}
    own = spent.pop(os.getpid(), 0.0)
    workers = sorted(spent.values(), reverse=True)
    told = {
        "rows": examined.rows,
        "wall": round(wall, 2),
        "own": round(own, 2),
        "workers": [round(one, 2) for one in workers[: int(jobs) or 1]],
    }
    print(json.dumps({**told, "others": round(sum(workers[int(jobs) or 1 :]), 2), "digest": digest(examined)}))
    if end is not None:
        end()


if __name__ == "__main__":
    main(*sys.argv[1:])
