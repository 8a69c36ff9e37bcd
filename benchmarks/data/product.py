"""What the product says about material: through its Python interface, in this process."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.place import REPOSITORY
from toadstone.attacks.attack import Material
from toadstone.core.finding import Finding
from toadstone.verbs.rows import RowOptions, examine

PARTS = ("checks/data", "study", "stats", "views", "tables", "engine", "verbs")


@dataclass(frozen=True)
class Answer:
    """What one examination gave.

    Attributes:
        findings: In the order of the report.
        scores: One a row, higher is worse.
        flagged: Rows to be quarantined, bool.
        gaps: Why the report is incomplete.
        cpu: CPU seconds.
    """

    findings: tuple[Finding, ...]
    scores: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    gaps: tuple[str, ...]
    cpu: float


def asked(material: Material, *, reference: pa.Table | None = None, effort: str = "standard", seed: int = 0) -> Answer:
    """Let the product examine material."""
    begun = time.process_time()
    options = RowOptions(roles=material.roles, effort=effort, seed=seed, reference=reference, jobs=1)
    examined = examine(material.table, options)
    decision = examined.decision
    gaps = tuple(gap.reason for gap in examined.gaps)
    return Answer(tuple(decision.findings), decision.scores, decision.flagged, gaps, time.process_time() - begun)


def identity() -> str:
    """Give a digest of the code that decides, and of what makes the poison: outcomes of other code do not count."""
    source = REPOSITORY / "src" / "toadstone"
    return _digest(path for part in PARTS for path in (source / part).rglob("*.py")) + "-" + poison_identity()


def poison_identity() -> str:
    """Give a digest of the attacks, and of what is drawn for them."""
    attacks = (REPOSITORY / "src" / "toadstone" / "attacks").rglob("*.py")
    return _digest([*attacks, REPOSITORY / "benchmarks" / "data" / "trials.py"])


def _digest(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(path.read_bytes())
    return total.hexdigest()[:8]
