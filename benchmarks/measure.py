"""Runs a command as a user would and says what came out and what it cost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.place import work_folder

LAUNCHER = Path(__file__).with_name("launcher.py")
NO_TALK = {
    "AISBOM_NO_OSV": "1",
    "AISBOM_NO_TELEMETRY": "1",
    "AISBOM_OFFLINE": "1",
    "HF_HUB_OFFLINE": "1",
    "NO_ANALYTICS": "1",
    "NO_COLOR": "1",
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PYTHONHASHSEED": "0",
}
"""Telemetry and network off for every tool; colours off; one hash seed."""


@dataclass(frozen=True)
class Limits:
    """What one run may take.

    Attributes:
        seconds: CPU seconds of one process. Wall time would depend on what else the machine does; it is only a
            backstop, ten times as long, against what waits for ever.
        address_space: Bytes; 0 is unlimited.
    """

    seconds: int = 60
    address_space: int = 8 << 30


@dataclass(frozen=True)
class Run:
    """What one run of a command gave.

    Attributes:
        status: Exit status; negative for the signal that ended it; ``None`` when it ran out of time.
        output: Standard output.
        errors: Standard error.
        cpu: User plus system seconds, of the process and the children it waited for.
        peak: Largest resident size in bytes.
        files: Content of the files that the command wrote into its working folder, by name.
    """

    status: int | None
    output: str
    errors: str
    cpu: float
    peak: int
    files: Mapping[str, str] = field(default_factory=dict)


def run(command: Sequence[str], limits: Limits = Limits(), keep: Sequence[str] = ()) -> Run:
    """Run *command* in an empty folder, within *limits*; return the files named in *keep* with the result."""
    root = work_folder() / "runs"
    root.mkdir(exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=root))
    try:
        return _run(command, limits, keep, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _run(command: Sequence[str], limits: Limits, keep: Sequence[str], scratch: Path) -> Run:
    folder, home, cost = scratch / "work", scratch / "home", scratch / "cost"
    folder.mkdir()
    home.mkdir()
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(scratch), "LANG": "C.UTF-8", **NO_TALK}
    launcher = [
        sys.executable,
        "-I",
        "-S",
        str(LAUNCHER),
        str(limits.address_space),
        str(limits.seconds),
        str(cost),
        "--",
        *command,
    ]
    output, errors = scratch / "output", scratch / "errors"
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            launcher, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        try:
            process.wait(10 * limits.seconds)
            if not cost.exists():
                raise OSError(f"{command[0]} could not be started: {_text(errors).strip()[-200:]}")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    status, cpu, peak = None, limits.seconds, 0
    if cost.exists():
        first, second, third = cost.read_text().split()
        status, cpu, peak = int(first), float(second), int(third)
    if status in {-signal.SIGXCPU, -signal.SIGKILL} and cpu >= limits.seconds - 1:
        status = None
    kept = {name: _text(folder / name) for name in keep if (folder / name).is_file()}
    return Run(status, _text(output), _text(errors), cpu, peak, kept)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
