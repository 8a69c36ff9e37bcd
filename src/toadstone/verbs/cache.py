"""Results by content: the second scan of an unchanged tree costs its hashes."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from toadstone.core.finding import Confidence, Finding, Indicator, Severity
from toadstone.core.place import Place
from toadstone.core.policy import Config, Policy
from toadstone.core.record import replace
from toadstone.core.report import Gap, Subject
from toadstone.core.version import __version__

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    import sqlite3

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
    """

    def __init__(self, folder: Path, config: Config) -> None:
        self._folder = folder
        self._config = config
        self._salt = ""
        self._lists = ""
        self._opened: sqlite3.Connection | None = None
        self._broken = False

    def depends_on(self, identity: str) -> None:
        """Name what else the results depend on, such as the lists of indicators; to be said before the first look-up."""
        self._lists = identity

    def _database(self) -> sqlite3.Connection | None:
        """Open the table when it is first needed; a cache that cannot be opened is no error."""
        if self._opened is None and not self._broken:
            import sqlite3  # noqa: PLC0415  (most scans of small files never need it)

            settings = json.dumps([self._config.checks, self._config.stage, self._config.plugins], sort_keys=True, default=sorted)
            self._salt = f"{__version__}\0{code_identity()}\0{settings}\0{self._lists}"
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._opened = sqlite3.connect(self._folder / "results-1.sqlite", timeout=1.0)
                self._opened.execute(
                    "CREATE TABLE IF NOT EXISTS result (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
                )
            except (OSError, sqlite3.Error):
                self._broken = True
                self._opened = None
        return self._opened

    def _key(self, identity: dict[str, str], shown: str) -> str:
        name = shown.rsplit("/", 1)[-1]
        text = f"{identity['sha256']}\0{identity['blake3']}\0{name}\0{self._salt}"
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

    def get(self, identity: dict[str, str], size: int, shown: str, policy: Policy) -> Subject | None:
        """Give the result for this content under this name, with today's waivers applied."""
        database = self._database() if size >= SMALLEST else None
        if database is None:
            return None
        try:
            row = database.execute("SELECT value FROM result WHERE key = ?", (self._key(identity, shown),)).fetchone()
        except database.Error:
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
        database = self._database() if subject.size >= SMALLEST else None
        if database is None:
            return
        findings = sorted(subject.findings, key=lambda finding: finding.order)
        value = {
            "kind": subject.kind,
            "size": subject.size,
            "unread": [gap.as_dict() for gap in subject.unread],
            "findings": [finding.as_dict() for finding in findings],
        }
        try:
            with database:
                database.execute("INSERT OR REPLACE INTO result VALUES (?, ?)", (self._key(identity, shown), json.dumps(value)))
        except database.Error:
            return

    def close(self) -> None:
        """Close the table."""
        if self._opened is not None:
            self._opened.close()


def code_identity() -> str:
    """Hash the names, sizes and times of the product's own files: changes whenever any rule changes."""
    root = Path(__file__).resolve().parent.parent
    state = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".tsv", ".json", ".toml", ".xz"}:
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
        indicators=tuple(
            Indicator(entry["type"], entry["value"], tuple(tuple(known.items()) for known in entry["intel"]))
            for entry in indicators
        ),
        references=tuple(form["references"]),  # type: ignore[arg-type]
    )
