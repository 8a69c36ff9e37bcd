"""What surrounds models: archives of models, documents, images, tables, notebooks, settings, package sources."""

from __future__ import annotations

import bz2
import csv
import gzip
import importlib.util
import io
import json
import lzma
import pickle
import shutil
import tarfile
import zipfile
from pathlib import Path

import joblib
import numpy as np
import safetensors.numpy
import torch
import zstandard
from PIL import Image
from sklearn import datasets, ensemble

from benchmarks.corpus.benign.workshop import SEED, Shelf

SOURCES = {
    "sklearn": ("base.py", "pipeline.py", "ensemble/_forest.py", "externals/_packaging/version.py", "utils/validation.py"),
    "transformers": ("tokenization_utils_base.py", "dynamic_module_utils.py", "configuration_utils.py", "utils/hub.py"),
    "torch": ("serialization.py", "nn/modules/linear.py", "hub.py", "utils/data/dataloader.py", "utils/cpp_extension.py"),
    "joblib": ("numpy_pickle.py", "memory.py", "parallel.py"),
    "huggingface_hub": ("hf_api.py", "file_download.py"),
}


def containers(shelf: Shelf) -> None:
    """The same models in zip, tar, tar.gz, tar.xz, gz, bz2, xz, zst, and zip in tar."""
    folder = _models(shelf.folder / ".source")
    files = sorted(folder.iterdir())
    with zipfile.ZipFile(_archive(shelf, "models.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
    with zipfile.ZipFile(_archive(shelf, "stored.zip"), "w") as archive:
        archive.writestr("empty/", "")
        for file in files:
            archive.write(file, f"folder/{file.name}")
    for suffix, kind in ((".tar", "tar"), (".tar.gz", "gztar"), (".tar.xz", "xztar"), (".tar.bz2", "bztar")):
        path = _archive(shelf, f"models{suffix}")
        shutil.make_archive(path.removesuffix(suffix), kind, folder)
    with tarfile.open(_archive(shelf, "nested.tar"), "w") as outer:
        outer.add(shelf.folder / "models.zip", "inner/models.zip")
        outer.add(shelf.folder / "models.tar.gz", "inner/models.tar.gz")
    plain = (folder / "forest.pkl").read_bytes()
    for suffix, packed in {
        "gz": gzip.compress(plain, mtime=0),
        "bz2": bz2.compress(plain),
        "xz": lzma.compress(plain),
        "zst": zstandard.compress(plain),
    }.items():
        Path(_archive(shelf, f"forest.pkl.{suffix}")).write_bytes(packed)


def documents(shelf: Shelf) -> None:
    """Single files that are no model: text, tables, images, settings, a notebook, page and requirement lists."""
    texts = {
        "README.md": "# Tiny model\n\nLoad it with `pickle.load(stream)`, if you trust it!\n\n    os.system('echo no')\n",
        "LICENSE": "Permission is granted to use this text for tests.\n" * 20,
        "requirements.txt": "numpy>=2\nscikit-learn==1.9.1\ntorch\n",
        "config.yaml": "model: {name: tiny, layers: [1, 2]}\npaths:\n  data: /data\n  logs: ./logs\nurl: https://data.example/x\n",
        "hydra.yaml": "optimizer: {_target_: torch.optim.AdamW, lr: 0.001}\nmodel: {_target_: torch.nn.Linear, in_features: 4}\n",
        "environment.yml": "name: tiny\nchannels: [conda-forge]\ndependencies:\n  - python=3.11\n  - pip:\n    - torch\n",
        "pyproject.toml": '[project]\nname = "tiny"\nversion = "0.1"\ndependencies = ["numpy"]\n',
        ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        "pointer.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:" + "ab" * 32 + "\nsize 12345\n",
        "vocab.txt": "\n".join(f"token{n}" for n in range(300)) + "\n",
        "merges.txt": "#version: 0.2\nt h\nth e\n",
        "index.html": "<!doctype html><title>Report</title><p>Loss fell.</p>\n",
        "train.sh": "#!/bin/sh\nset -e\npython train.py --epochs 3\n",
        "empty.txt": "",
        "metrics.jsonl": "".join(json.dumps({"step": n, "loss": 1 / (n + 1)}) + "\n" for n in range(50)),
    }
    for name, text in texts.items():
        _document(shelf, name).write_text(text)
    with _document(shelf, "table.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["text", "label"], ["=SUM(A1)", 1], ["hello, world", 0]] * 20)
    rng = np.random.default_rng(SEED)
    picture = Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8))
    for name in ("image.png", "image.jpg", "image.gif", "image.webp", "image.bmp", "image.tiff"):
        picture.save(_document(shelf, name))
    _document(shelf, "notebook.ipynb").write_text(json.dumps(_notebook()))


def sources(shelf: Shelf) -> None:
    """Real modules of installed libraries, some of which run commands or load pickles for good reasons."""
    for package, names in SOURCES.items():
        spec = importlib.util.find_spec(package)
        root = Path(spec.origin or "").parent if spec else Path()
        for name in names:
            path = shelf.put(
                f"{package}/{name}", library=package, subject=f"source {name}", technique="python-source", group="project"
            )
            shutil.copy(root / name, path)


def whole(shelf: Shelf) -> None:
    """Two project folders as people keep them: models, data, code, documents side by side."""
    for name in ("classifier", "vision"):
        folder = shelf.put(name, library="project", subject=name, technique="project-folder", group="project")
        (folder / "src").mkdir(parents=True)
        _models(folder / "models")
        (folder / "README.md").write_text(f"# {name}\n\nA small project.\n")
        (folder / "src" / "__init__.py").write_text("")
        (folder / "src" / "train.py").write_text(TRAIN)
        (folder / "notebook.ipynb").write_text(json.dumps(_notebook()))
        np.savez(folder / "data.npz", x=np.ones((4, 2)), y=np.zeros(4))
        Image.new("RGB", (16, 16), "teal").save(folder / "figure.png")


TRAIN = '''"""Train the classifier."""
import argparse
import subprocess
from pathlib import Path

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier


def commit() -> str:
    """Name the revision for the log."""
    return subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("models"))
    out = parser.parse_args().out
    x, y = load_iris(return_X_y=True)
    joblib.dump(RandomForestClassifier().fit(x, y), out / "forest.joblib")
    print("trained at", commit())


if __name__ == "__main__":
    main()
'''


def _notebook() -> dict[str, object]:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Look at the data\n", "It is small."]},
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {},
            "outputs": [{"output_type": "stream", "name": "stdout", "text": ["(150, 4)\n"]}],
            "source": [
                "%matplotlib inline\n",
                "import pandas as pd\n",
                "from sklearn.datasets import load_iris\n",
                "load_iris().data.shape",
            ],
        },
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": ["!pip install pandas\n"]},
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _models(folder: Path) -> Path:
    folder.mkdir(parents=True)
    x, y = datasets.load_iris(return_X_y=True)
    forest = ensemble.RandomForestClassifier(5, random_state=SEED).fit(x, y)
    (folder / "forest.pkl").write_bytes(pickle.dumps(forest, 4))
    joblib.dump(forest, folder / "forest.joblib")
    joblib.dump(forest, folder / "forest.joblib.z", compress=3)
    torch.save(torch.nn.Linear(3, 2).state_dict(), folder / "linear.pt")
    safetensors.numpy.save_file({"w": np.ones((2, 2), np.float32)}, str(folder / "model.safetensors"))
    buffer = io.BytesIO()
    np.save(buffer, x)
    (folder / "x.npy").write_bytes(buffer.getvalue())
    return folder


def _archive(shelf: Shelf, name: str) -> str:
    technique = "archive-" + "-".join(Path(name).suffixes).replace(".", "")
    return str(shelf.put(name, library="archives", subject=name, technique=technique, group="container"))


def _document(shelf: Shelf, name: str) -> Path:
    return shelf.put(name, library="documents", subject=name, technique=Path(name).suffix or "text", group="project")
