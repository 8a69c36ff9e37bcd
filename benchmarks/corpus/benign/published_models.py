"""Models that packages bring with them: what their authors published, in every format that they published it in."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from benchmarks.corpus.benign.workshop import Shelf


def _home(package: str) -> Path:
    """Find the folder of a package without importing it: only its files are wanted."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(next(iter(found.submodule_search_locations)))


def pitch(shelf: Shelf) -> None:
    """One network as SavedModel, ONNX, TensorFlow Lite and Core ML package."""
    home = _home("basic_pitch") / "saved_models" / "icassp_2022"
    for item in sorted(home.iterdir()):
        path = shelf.put(item.name, library="basic-pitch", subject="nmp", technique=item.suffix.lstrip(".") or "saved-model")
        if item.is_dir():
            shutil.copytree(item, path)
        else:
            shutil.copy(item, path)


def layout(shelf: Shelf) -> None:
    """A Core ML network with layers of its application."""
    path = shelf.put("blla.mlmodel", library="kraken", subject="blla", technique="mlmodel")
    shutil.copy(_home("kraken") / "blla.mlmodel", path)
