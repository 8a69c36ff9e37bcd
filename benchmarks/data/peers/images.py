"""Peers on images: they judge features of the images and labels, in an environment of their own."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.place import work_folder

REQUIREMENTS = ("cleanlab[datalab]==2.9.0", "pyod==3.6.7", "scikit-learn==1.9.1", "adversarial-robustness-toolbox==1.20.1")
SCRIPT = Path(__file__).parent / "image_features.py"


def environment() -> Path:
    """Return the Python of the peers' environment; made at the first call (``TOADSTONE_BENCH_IMAGE_PEERS`` names another)."""
    if given := os.environ.get("TOADSTONE_BENCH_IMAGE_PEERS"):
        return Path(given)
    place = work_folder() / "peers" / "images"
    python = place / "bin" / "python"
    if not (place / "installed").is_file():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        more = shlex.split(os.environ.get("TOADSTONE_BENCH_PIP", ""))
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--no-input", *more, *REQUIREMENTS], check=True)
        (place / "installed").touch()
    return python


def identity() -> str:
    """Give a digest of what is asked of the peers."""
    return hashlib.sha256(SCRIPT.read_bytes() + " ".join(REQUIREMENTS).encode()).hexdigest()[:8]


def run(features: NDArray[np.float32], labels: NDArray[np.str_], seconds: float = 1800) -> dict[str, Any]:
    """Let the peers judge rows.

    Args:
        features: Shape (rows, features).
        labels: One a row.
        seconds: After which to give up.

    Returns:
        ``detectors``: name → ``scores`` (one a row, higher is worse) and ``flags`` (bool a row, or None); ``cpu``: seconds.

    Raises:
        RuntimeError: the script failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "in.npz", Path(folder) / "out.json"
        np.savez(source, x=features.astype(np.float32), y=labels)
        variables = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        variables.pop("PYTHONPATH", None)
        line = [str(environment()), str(SCRIPT), str(source), str(out)]
        result = subprocess.run(line, env=variables, capture_output=True, text=True, check=False, timeout=seconds)
        if result.returncode or not out.is_file():
            raise RuntimeError(f"{SCRIPT.name}: {result.stderr.strip()[-600:]}")
        answer: dict[str, Any] = json.loads(out.read_text())
    return answer
