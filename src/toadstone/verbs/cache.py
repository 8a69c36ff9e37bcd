"""Results by content: the second scan of an unchanged tree costs its hashes."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

from toadstone.core.finding import Confidence, Finding, Indicator, Severity
from toadstone.core.place import Place
from toadstone.core.policy import Config, Policy
from toadstone.core.report import Gap, Subject
from toadstone.core.version import __version__

SMALLEST = 256 << 10
"""Subjects below this size are scanned again: that costs less than looking them up."""


def cache_folder() -> Path:
    """Give the folder of the user's cache (``XDG_CACHE_HOME`` or ``~/.cache``)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "toadstone"


class Cache:
    """A table from (content, name, product, settings) to findings. Private to the user; never trusted across settings.

    Args:
        folder: Where the table is kept; made with mode 0700.
        config: Settings that the results depend on.
        code: Identity of the installed product's own files, so that a changed rule is a new scan.

    Raises:
        OSError: If the folder cannot be made.
    """

    def __init__(self, folder: Path, config: Config, code: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = json.dumps([config.checks, config.stage, config.plugins], sort_keys=True, default=sorted)
        self._salt = f"{__version__}\0{code}\0{settings}"
        self._database = sqlite3.connect(folder / "results-1.sqlite", timeout=1.0)
        self._database.execute("CREATE TABLE IF NOT EXISTS result (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")

    def _key(self, identity: dict[str, str], shown: str) -> str:
        name = shown.rsplit("/", 1)[-1]
        return hashlib.sha256(f"{identity['sha256']}\0{identity['blake3']}\0{name}\0{self._salt}".encode("utf-8", "surrogateescape")).hexdigest()

    def get(self, identity: dict[str, str], shown: str, policy: Policy) -> Subject | None:
        """Give the result for this content under this name, with today's waivers applied."""
        try:
            row = self._database.execute("SELECT value FROM result WHERE key = ?", (self._key(identity, shown),)).fetchone()
        except sqlite3.Error:
            return None
        if row is None:
            return None
        kept = json.loads(row[0])
        findings = [_finding(entry, shown) for entry in kept["findings"]]
        gaps = tuple(Gap(_place(entry["place"], shown), entry["reason"]) for entry in kept["unread"])
        counted, waived = policy.split(findings, identity)
        return Subject(shown, kept["kind"], kept["size"], identity, gaps, tuple(counted), tuple(waived))

    def put(self, identity: dict[str, str], shown: str, subject: Subject) -> None:
        """Keep a result (before waivers). A cache that cannot be written is no error."""
        if subject.size < SMALLEST:
            return
        findings = sorted(subject.findings, key=lambda finding: finding.order)
        value = {
            "kind": subject.kind,
            "size": subject.size,
            "unread": [gap.as_dict() for gap in subject.unread],
            "findings": [finding.as_dict() for finding in findings],
        }
        try:
            with self._database:
                self._database.execute("INSERT OR REPLACE INTO result VALUES (?, ?)", (self._key(identity, shown), json.dumps(value)))
        except sqlite3.Error:
            return

    def close(self) -> None:
        """Close the table."""
        self._database.close()


def code_identity() -> str:
    """Hash the names, sizes and times of the product's own files: changes whenever any rule changes."""
    root = Path(__file__).resolve().parent.parent
    state = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".tsv", ".json", ".toml"}:
            status = path.stat()
            state.update(f"{path.relative_to(root)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return state.hexdigest()


def _place(form: dict[str, object], shown: str) -> Place:
    fields = {key: value for key, value in form.items() if key != "path"}
    return replace(Place(shown), **fields)  # type: ignore[arg-type]


def _finding(form: dict[str, object], shown: str) -> Finding:
    indicators = form["indicators"]
    assert isinstance(indicators, list)
    return Finding(
        check=str(form["check"]),
        severity=Severity.parse(str(form["severity"])),
        confidence=Confidence[str(form["confidence"]).upper()],
        place=_place(form["place"], shown),  # type: ignore[arg-type]
        message=str(form["message"]),
        evidence=form["evidence"],  # type: ignore[arg-type]
        remedy=str(form["remedy"]),
        indicators=tuple(Indicator(entry["type"], entry["value"], tuple(tuple(known.items()) for known in entry["intel"])) for entry in indicators),
        references=tuple(form["references"]),  # type: ignore[arg-type]
    )
