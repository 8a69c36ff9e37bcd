"""One examination, as a process of its own: ``python -m benchmarks.data.speed_run PATH EFFORT MEMORY_IN_MIB``."""

from __future__ import annotations

import json
import sys

from toadstone.tables.roles import Roles
from toadstone.verbs.rows import RowOptions, examine


def main(path: str, effort: str, memory: str) -> None:
    """Examine a file on one core and print what was read and found; with the path ``-`` only start."""
    if path == "-":
        import numpy  # noqa: ICN001, PLC0415
        import pyarrow as pa  # noqa: PLC0415
        import scipy.sparse  # noqa: PLC0415
        import scipy.special  # noqa: F401, PLC0415

        print(json.dumps({"rows": 0, "numpy": numpy.__version__, "pyarrow": pa.__version__}))
        return
    roles = Roles(embedding="vector", label="label") if "vectors" in path else Roles(text="text", label="label", source="source")
    examined = examine(path, RowOptions(roles=roles, effort=effort, memory=int(memory) << 20, jobs=1))
    gaps = sorted({gap.reason for gap in examined.gaps})
    flagged = int(examined.decision.flagged.sum())
    checks = sorted(examined.decision.tests)
    print(json.dumps({"rows": examined.rows, "flagged": flagged, "checks": checks, "gaps": gaps}))


if __name__ == "__main__":
    main(*sys.argv[1:])
