"""What tools that identify data and models report when somebody tampers with them, and when nobody does.

Each case: a fresh project (two shards of 12,000 rows, a model folder), the tool writes down what is there, something happens, the
tool looks again. Peers are installed into environments of their own, in the versions below. The hub's attacks (moved tags, other
owners, answers that differ) are tests of our own (`tests/remotes/test_pin_remote.py`): no peer here looks at them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.place import REPOSITORY, work_folder

ROWS = 12_000
REQUIREMENTS = {
    "model-signing": ("model-signing==1.1.1", "pyopenssl"),
    "mlflow": ("mlflow-skinny==3.17.2", "pandas", "pyarrow"),
    "dvc": ("dvc==3.67.1",),
    "mlcroissant": ("mlcroissant==1.1.1",),
}

Action = Callable[[Path], object]


def environment(name: str) -> Path:
    """Give the folder of a peer's programs; installed when it is not there."""
    folder = work_folder() / "identity-peers" / name
    if not (folder / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "-q", *REQUIREMENTS[name]], check=True)
    return folder / "bin"


def rows(seed: int = 0) -> pa.Table:
    """Make a shard."""
    rng = np.random.default_rng(seed)
    return pa.table({"text": [f"text {seed} {number}" for number in range(ROWS)], "label": rng.integers(0, 2, ROWS)})


def project(home: Path) -> None:
    """Make a fresh project."""
    (home / "data").mkdir(parents=True)
    (home / "model" / "empty").mkdir(parents=True)
    for shard in (0, 1):
        pq.write_table(rows(shard), home / "data" / f"{shard}.parquet")
    (home / "model" / "weights.bin").write_bytes(np.random.default_rng(3).bytes(20_000))
    (home / "model" / "config.json").write_text("{}")


def _flipped(home: Path) -> None:
    table = pq.read_table(home / "data" / "0.parquet")
    labels = table["label"].to_numpy().copy()
    labels[10_000:] = 1 - labels[10_000:]
    pq.write_table(table.set_column(1, "label", pa.array(labels)), home / "data" / "0.parquet")


def _one_cell(home: Path) -> None:
    table = pq.read_table(home / "data" / "0.parquet")
    labels = table["label"].to_numpy().copy()
    labels[11_111] = 1 - labels[11_111]
    pq.write_table(table.set_column(1, "label", pa.array(labels)), home / "data" / "0.parquet")


def _swapped(home: Path) -> None:
    pq.write_table(rows(7), home / "data" / "1.parquet")


def _hidden(home: Path) -> None:
    (home / "model" / ".git").mkdir()
    (home / "model" / ".git" / "hook").write_text("echo inert")


def _bit(home: Path) -> None:
    path = home / "model" / "weights.bin"
    held = bytearray(path.read_bytes())
    held[10_000] ^= 1
    path.write_bytes(bytes(held))


ATTACKS: dict[str, Action] = {
    "labels flipped behind row 10,000": _flipped,
    "one label of 24,000": _one_cell,
    "a shard swapped for another": _swapped,
    "one bit of the weights": _bit,
    "a file renamed": lambda home: (home / "model" / "config.json").rename(home / "model" / "c.json"),
    "a planted hidden file": _hidden,
    "an empty folder removed": lambda home: (home / "model" / "empty").rmdir(),
}


def benign() -> Iterator[tuple[str, Action]]:
    """A hundred ways in which nothing happened: other encodings of the same rows, files fetched again."""
    codecs = ("snappy", "zstd", "gzip", "lz4", "brotli", "none")
    for codec, group, dictionary, version in product(codecs, (500, 5000, 100_000), (True, False), ("1.0", "2.6")):
        how = {"compression": codec, "row_group_size": group, "use_dictionary": dictionary, "version": version}
        yield f"{codec}, groups of {group}", lambda home, how=how: pq.write_table(rows(), home / "data" / "0.parquet", **how)
    for number in range(28):
        yield f"fetched again {number}", lambda home, number=number: _again(home, number)


def _again(home: Path, number: int) -> None:
    """Write the same bytes anew, with another time and mode."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.parent.name in ("data", "model"):
            held = path.read_bytes()
            path.unlink()
            path.write_bytes(held)
            os.utime(path, (10_000 * number, 10_000 * number))
            path.chmod(0o644 if number % 2 else 0o600)


class Tool:
    """Something that writes down what is there and looks again."""

    name = ""

    def pin(self, home: Path) -> None:
        """Write down what is there."""
        raise NotImplementedError

    def reports(self, home: Path) -> bool:
        """Look again: whether a change is reported."""
        raise NotImplementedError


class Ours(Tool):
    """``toadstone pin`` and ``verify``."""

    name = "toadstone"

    def pin(self, home: Path) -> None:
        _run([sys.executable, "-m", "toadstone", "pin", "data", "model", "--no-scan", "--quiet"], home, check=True)

    def reports(self, home: Path) -> bool:
        return _run([sys.executable, "-m", "toadstone", "verify", "--quiet"], home).returncode != 0


class ModelSigning(Tool):
    """OpenSSF model signing with a key."""

    name = "model-signing"

    def pin(self, home: Path) -> None:
        for words in (
            ("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "k"),
            ("ec", "-in", "k", "-pubout", "-out", "p"),
        ):
            _run(["openssl", *words], home, check=True)
        for folder in ("data", "model"):
            _run([self._program, "sign", "key", "--private_key", "k", "--signature", f"{folder}.sig", folder], home, check=True)

    def reports(self, home: Path) -> bool:
        words = ("verify", "key", "--public_key", "p", "--signature")
        return any(_run([self._program, *words, f"{folder}.sig", folder], home).returncode for folder in ("data", "model"))

    @property
    def _program(self) -> str:
        return str(environment(self.name) / "model_signing")


class MlFlow(Tool):
    """Digests of the data sets, as a run logs them; it has none for folders of files."""

    name = "mlflow"
    _script = (
        "import sys, pandas, warnings; warnings.simplefilter('ignore'); import mlflow.data\n"
        "for path in sys.argv[1:]:\n    print(mlflow.data.from_pandas(pandas.read_parquet(path)).digest)"
    )

    def pin(self, home: Path) -> None:
        (home / "digests").write_text(self._digests(home))

    def reports(self, home: Path) -> bool:
        return (home / "digests").read_text() != self._digests(home)

    def _digests(self, home: Path) -> str:
        paths = [str(path) for path in sorted((home / "data").iterdir())]
        return _run([str(environment(self.name) / "python"), "-c", self._script, *paths], home, check=True).stdout


class Dvc(Tool):
    """``dvc add`` and ``dvc status``."""

    name = "dvc"

    def pin(self, home: Path) -> None:
        program = str(environment(self.name) / "dvc")
        for words in (("init", "--no-scm", "-q"), ("add", "-q", "data", "model")):
            _run([program, *words], home, check=True)

    def reports(self, home: Path) -> bool:
        done = _run([str(environment(self.name) / "dvc"), "status"], home, check=True)
        return "up to date" not in done.stdout


class Croissant(Tool):
    """A description with the SHA-256 of every file, held against them by ``mlcroissant validate``."""

    name = "mlcroissant"

    def pin(self, home: Path) -> None:
        listed = [path for path in sorted(home.rglob("*")) if path.is_file()]
        files = [
            {
                "@type": "cr:FileObject",
                "@id": path.name,
                "name": path.name,
                "contentUrl": path.relative_to(home).as_posix(),
                "encodingFormat": "application/octet-stream",
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in listed
        ]
        context = {"@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/"}
        context |= {"@language": "en", "dct": "http://purl.org/dc/terms/", "conformsTo": "dct:conformsTo"}
        context |= {
            name: f"cr:{name}" for name in ("citeAs", "column", "extract", "field", "fileObject", "fileSet", "format", "includes")
        }
        context |= {
            name: f"cr:{name}" for name in ("isLiveDataset", "jsonPath", "md5", "parentField", "path", "recordSet", "references")
        }
        context |= {
            name: f"cr:{name}" for name in ("regex", "repeated", "replace", "separator", "source", "subField", "transform")
        }
        context |= {"data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"}}
        about = {"name": "project", "conformsTo": "http://mlcommons.org/croissant/1.0", "license": "CC0-1.0", "version": "1.0.0"}
        about |= {"description": "a project", "url": "https://data.example/", "datePublished": "2026-01-01", "citeAs": "project"}
        about |= {"creator": {"@type": "sc:Person", "name": "nobody"}}
        document = {"@context": context, "@type": "sc:Dataset", **about, "distribution": files}
        (home / "croissant.json").write_text(json.dumps(document))

    def reports(self, home: Path) -> bool:
        program = str(environment(self.name) / "mlcroissant")
        return _run([program, "validate", "--jsonld", "croissant.json"], home).returncode != 0


TOOLS = (Ours, MlFlow, Dvc, Croissant, ModelSigning)


def _run(words: list[str], home: Path, *, check: bool = False) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {
        "PYTHONPATH": os.environ.get("PYTHONPATH", str(REPOSITORY / "src")),
        "DVC_NO_ANALYTICS": "1",
        "DO_NOT_TRACK": "1",
    }
    if words[0] != sys.executable:
        environ.pop("PYTHONPATH")
    return subprocess.run(words, cwd=home, env=environ, capture_output=True, text=True, check=check)


def looked(tool: type[Tool], action: Action) -> bool:
    """Whether a tool reports what happened to a fresh project."""
    with tempfile.TemporaryDirectory(dir=work_folder()) as held:
        home = Path(held) / "project"
        project(home)
        judge = tool()
        judge.pin(home)
        action(home)
        return judge.reports(home)


def table() -> list[str]:
    """Run every case with every tool and write the tables."""
    shutil.rmtree(work_folder() / "project", ignore_errors=True)
    lines = [
        "## What is reported of tampering",
        "",
        "| case | " + " | ".join(tool.name for tool in TOOLS) + " |",
        "|---|" + "---|" * len(TOOLS),
    ]
    for name, action in ATTACKS.items():
        lines.append(f"| {name} | " + " | ".join("reported" if looked(tool, action) else "**silent**" for tool in TOOLS) + " |")
    cases = list(benign())
    alarms = {}
    for tool in TOOLS:
        chosen = cases if tool is Ours else cases[::10]
        alarms[tool.name] = f"{sum(looked(tool, action) for _, action in chosen)} of {len(chosen)}"
    lines.append(
        "| false alarms: other encodings, files fetched again | " + " | ".join(alarms[tool.name] for tool in TOOLS) + " |"
    )
    versions = ", ".join(wanted[0] for wanted in REQUIREMENTS.values())
    return [
        *lines,
        "",
        f"Peers: {versions}. Those that compare bytes (model-signing, dvc) take another encoding for a change.",
        "`mlcroissant validate` compares nothing.",
    ]
