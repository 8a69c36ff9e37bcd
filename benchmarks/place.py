"""Where the benchmarks keep what they make: environments, corpora, outcomes.

Nothing below this folder is committed; deleting it costs only the time to make it again.
"""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def work_folder() -> Path:
    """Return the work folder: ``TOADSTONE_BENCH``, or ``.bench`` in the repository; created if absent."""
    folder = Path(os.environ.get("TOADSTONE_BENCH") or REPOSITORY / ".bench").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
