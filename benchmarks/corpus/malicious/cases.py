"""Cases, their labels, and the manifest that goes with a family of files.

A manifest is ``{"name", "files": [{"path", "label", "family", "technique", "source", "payload", "split", ...}]}``. A ``path`` is
relative to the manifest's folder; it names a file, or a folder when the case is a folder (a model repository).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.corpus.manifest import LABELS, MANIFEST, split_of
from benchmarks.place import work_folder

Content = bytes | Mapping[str, bytes] | Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """One labelled file (or folder) of a corpus.

    Attributes:
        path: where to write it, relative to the family's folder.
        content: the bytes; or name → bytes for a folder; or a writer, for files too big to hold.
        technique: what is special about it. The split follows a hash of it, so that a technique is wholly in one half.
        label: one of ``LABELS``.
        source: the advisory or paper that first described the technique, or ``own``.
        payload: whether the file carries something that would act on load.
        notes: further keys for the manifest.
    """

    path: str
    content: Content
    technique: str
    label: str = "malicious"
    source: str = "own"
    payload: bool = True
    notes: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.label not in LABELS:
            raise ValueError(f"label {self.label!r} of {self.path} is not one of {sorted(LABELS)}")


def write_family(name: str, cases: Iterable[Case], folder: Path | None = None) -> Path:
    """Write every case of a family below ``folder/name`` and its ``manifest.json``; what was there before is removed.

    Raises:
        ValueError: two cases want the same path.
    """
    made = list(cases)  # all of them first: a recipe that fails leaves the previous corpus alone
    target = (folder or work_folder() / "malicious") / name
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    rows: list[dict[str, object]] = []
    seen: set[str] = set()
    for case in made:
        if case.path in seen:
            raise ValueError(f"two cases of {name} want the path {case.path}")
        seen.add(case.path)
        _write(target / case.path, case.content)
        rows.append(
            {
                "path": case.path,
                "label": case.label,
                "family": name,
                "technique": case.technique,
                "source": case.source,
                "payload": case.payload,
                "split": split_of(case.technique),
                **case.notes,
            },
        )
    rows.sort(key=lambda row: str(row["path"]))
    (target / MANIFEST).write_text(json.dumps({"name": name, "files": rows}, indent=1) + "\n", encoding="utf-8")
    return target


def _write(path: Path, content: Content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, Mapping):
        for name, data in content.items():
            _write(path / name, data)
    else:
        content(path)
