"""Starts one command, waits for it and writes what it cost: ``python -I -S launcher.py BYTES SECONDS RESULT -- COMMAND…``.

A separate small process because the kernel carries the peak memory of the process that spawns over to its child:
started from the harness itself, a small scanner would be charged with the harness's own memory.
"""

from __future__ import annotations

import os
import resource
import sys


def main() -> int:
    """Run the command within so much address space (0: any) and CPU time; write status, CPU seconds and peak bytes."""
    space, seconds, result, separator, *command = sys.argv[1:]
    if separator != "--" or not command:
        return 2
    if int(space):
        resource.setrlimit(resource.RLIMIT_AS, (int(space), int(space)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    cost = f"{code} {usage.ru_utime + usage.ru_stime:.6f} {usage.ru_maxrss * 1024}"
    # The driver may kill this process at any time: a half-written cost must not be read.
    with open(f"{result}.part", "w", encoding="ascii") as stream:
        stream.write(cost)
    os.rename(f"{result}.part", result)  # noqa: PTH104
    return 0


if __name__ == "__main__":
    sys.exit(main())
