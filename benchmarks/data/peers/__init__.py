"""Other detectors, each a script for an environment of their own: ``python SCRIPT INPUT.parquet OUTPUT.json``."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.place import work_folder
from toadstone.attacks.attack import Material

REQUIREMENTS = ("cleanlab[datalab]==2.9.0", "pyod==3.6.7", "scikit-learn==1.9.1")
SCRIPTS = ("label_issues", "outliers", "ngram_z")
FLIP_SCRIPTS = ("flip_learners",)
HERE = Path(__file__).parent


def environment() -> Path:
    """Return the Python of the peers' environment; made at the first call (``TOADSTONE_BENCH_PEERS`` names another)."""
    if named := os.environ.get("TOADSTONE_BENCH_PEERS"):
        return Path(named)
    place = work_folder() / "peers" / "data"
    python = place / "bin" / "python"
    if not (place / "installed").is_file():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        more = shlex.split(os.environ.get("TOADSTONE_BENCH_PIP", ""))
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--no-input", *more, *REQUIREMENTS], check=True)
        (place / "installed").touch()
    return python


def run(script: str, material: Material, seconds: float = 1800) -> dict[str, Any]:
    """Let one script judge material.

    Returns:
        ``detectors``: name → ``scores`` (one a row, higher is worse), ``flags`` (bool a row, or None) and ``rank`` (of the
        first group whose rows are given in ``group``; only where the peer has groups); ``cpu``: seconds.

    Raises:
        RuntimeError: the script failed.
    """
    roles = material.roles
    assert roles.text is not None
    assert roles.label is not None
    table = material.table.select([roles.text, roles.label]).rename_columns(["text", "label"])
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "in.parquet", Path(folder) / "out.json"
        pq.write_table(table, source)
        variables = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        variables.pop("PYTHONPATH", None)
        line = [str(environment()), str(HERE / f"{script}.py"), str(source), str(out)]
        result = subprocess.run(line, env=variables, capture_output=True, text=True, check=False, timeout=seconds)
        if result.returncode or not out.is_file():
            raise RuntimeError(f"{script}: {result.stderr.strip()[-400:]}")
        answer: dict[str, Any] = json.loads(out.read_text())
    return answer


def source_of(scripts: Iterable[str]) -> bytes:
    """Give the scripts' own text: outcomes of an older text do not count."""
    return b"".join((HERE / f"{script}.py").read_bytes() for script in scripts)
