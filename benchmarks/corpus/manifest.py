"""The list that says what every file of a corpus is, and its reader and writer.

A corpus is a folder with a ``manifest.json``: ``{"name", "files": [...], "not_run": [...]}``. An entry's ``path`` is
relative to that folder and names a file, or a folder that is judged as one subject (a saved project).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

LABELS = frozenset({"benign", "malicious", "harmless-arguments", "code-carrying"})
SPLITS = frozenset({"tune", "report"})
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Entry:
    """One subject of a corpus.

    Attributes:
        path: File or folder, relative to the manifest's folder, with forward slashes.
        label: One of ``LABELS``.
        family: What made it: a library (benign) or a family of attacks (malicious).
        technique: How it was saved or hidden, e.g. ``pickle-4``, ``joblib-zlib``, ``torch-zip``.
        source: Recipe, advisory or paper it comes from.
        payload: Whether it carries arguments that do harm.
        split: ``tune`` may be looked at while rules are written; ``report`` is held out.
        subject: What was saved (an estimator, a layer): variants of one subject share their split.
        group: ``model``, ``container``, ``project`` or ``attack``: rows of the scoreboard's false-alarm table.
    """

    path: str
    label: str
    family: str
    technique: str
    source: str
    payload: bool
    split: str
    subject: str = ""
    group: str = "attack"


@dataclass
class Manifest:
    """A corpus: its folder, its entries, and what could not be made (``{"family", "reason"}``)."""

    name: str
    folder: Path
    files: list[Entry] = field(default_factory=list)
    not_run: list[Mapping[str, str]] = field(default_factory=list)


def split_of(*identity: str) -> str:
    """Return ``tune`` or ``report``, about half each, by a stable hash of *identity*."""
    digest = hashlib.sha256("\x00".join(identity).encode()).digest()
    return "report" if digest[0] & 1 else "tune"


def load(folder: Path) -> Manifest:
    """Read the manifest of *folder*.

    Raises:
        ValueError: an entry has an unknown label or split, leaves the folder, or does not exist.
    """
    folder = folder.resolve()
    document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    known = {item.name for item in fields(Entry)}
    entries = [Entry(**{k: v for k, v in raw.items() if k in known}) for raw in document["files"]]
    for entry in entries:
        _require(entry, folder)
    return Manifest(str(document["name"]), folder, entries, list(document.get("not_run", [])))


def save(manifest: Manifest) -> Path:
    """Write *manifest* into its folder, sorted by path, and return the file's path."""
    document = {
        "name": manifest.name,
        "files": [asdict(entry) for entry in sorted(manifest.files, key=lambda entry: entry.path)],
        "not_run": sorted(manifest.not_run, key=lambda item: (item["family"], item["reason"])),
    }
    path = manifest.folder / MANIFEST
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's names and contents, as hexadecimal digits."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    parts: Sequence[Path] = sorted(item for item in path.rglob("*") if item.is_file())
    lines = (f"{item.relative_to(path).as_posix()}\x00{digest_of(item)}\n" for item in parts)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _require(entry: Entry, folder: Path) -> None:
    if entry.label not in LABELS or entry.split not in SPLITS:
        raise ValueError(f"{folder / MANIFEST}: {entry.path}: label {entry.label!r} or split {entry.split!r} is unknown")
    # A link may lead out of the folder (that is one of the attacks), so only the spelling is checked.
    if Path(entry.path).is_absolute() or ".." in Path(entry.path).parts:
        raise ValueError(f"{folder / MANIFEST}: {entry.path} leaves the corpus folder")
    if not (folder / entry.path).exists() and not (folder / entry.path).is_symlink():
        raise ValueError(f"{folder / MANIFEST}: {entry.path} is listed and does not exist")
