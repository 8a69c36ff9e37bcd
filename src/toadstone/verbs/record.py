"""Records in the ledger: which ledger and key are meant, and what scanning and cleaning leave there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from toadstone.core.blob import open_blob
from toadstone.core.digest import digests
from toadstone.core.errors import UsageError
from toadstone.core.finding import Severity
from toadstone.core.report import Report
from toadstone.formats import Envelope, write
from toadstone.ledger import predicates
from toadstone.ledger.keys import PASSPHRASE_VARIABLE, Key, key_source
from toadstone.ledger.ledger import DEFAULT, LEDGER_VARIABLE, Ledger, Receipt

TYPE_CHECKING = False  # as typing.TYPE_CHECKING; cleaning takes numeric libraries
if TYPE_CHECKING:
    from toadstone.verbs.clean import Cleaned


def ledger_place(named: str | None = None, start: str = ".") -> str:
    """Say which ledger is meant: the one named, that of the environment, the nearest at or above a folder, or a new one there."""
    if place := named or os.environ.get(LEDGER_VARIABLE):
        return place
    folder, below = Path(start).resolve(), None
    while folder != below:
        if (folder / DEFAULT).is_file():
            return os.path.relpath(folder / DEFAULT)
        folder, below = folder.parent, folder
    return DEFAULT


def has_ledger() -> bool:
    """Say whether a ledger is named by the environment, or lies at or above this folder."""
    return bool(os.environ.get(LEDGER_VARIABLE)) or Path(ledger_place()).is_file()


def open_ledger(named: str | None = None, *, key: str | None = None, passphrase: str | None = None) -> Ledger:
    """Open the ledger that is meant for appending; begin it if there is none.

    Args:
        named: Path or address of the ledger.
        key: Path of the key, or its PEM; by default that of the environment, or the user's own.
        passphrase: Of the key; by default that of the environment.

    Raises:
        LedgerError: If the key or the ledger cannot be used.
    """
    secret = passphrase if passphrase is not None else os.environ.get(PASSPHRASE_VARIABLE)
    return Ledger.create(ledger_place(named), Key.load(key_source(key), secret), existing=True)


def record_scan(ledger: Ledger, report: Report, *, gate: Severity, stage: str = "") -> list[Receipt]:
    """Record what a scan found.

    Raises:
        LedgerError: If nothing was recorded.
    """
    return ledger.extend(predicates.scan(report, report_digest(report), gate=gate, stage=stage))


def record_cleaning(ledger: Ledger, cleaned: Cleaned, source: str, kept: str, quarantine: str | None) -> Receipt:
    """Record how a data set was split.

    Raises:
        UsageError: If one of the files cannot be read any more.
        LedgerError: If nothing was recorded.
    """
    decision = cleaned.examined.decision
    counts = {name: len(rows) for name, rows in zip(decision.checks, decision.flags, strict=True)}
    made = predicates.quarantine(
        _file(source),
        _file(kept),
        _file(quarantine) if quarantine else None,
        rows={"kept": cleaned.kept, "quarantined": cleaned.quarantined, "relabelled": cleaned.relabelled},
        checks=counts,
        document=report_digest(cleaned.report),
    )
    return ledger.append(made)


def report_digest(report: Report) -> dict[str, str]:
    """Hash a report as ``--format json`` writes it."""
    return {"sha256": hashlib.sha256(write(report, "json", Envelope()).encode()).hexdigest()}


def file_digests(name: str) -> dict[str, str]:
    """Give the digests by which records name a file; for a folder, one of the list that ``sha256sum`` would write of its files.

    Raises:
        UsageError: If it cannot be read.
    """
    path = Path(name)
    try:
        if not path.is_dir():
            return _digests(path)
        whole = hashlib.sha256()
        for inner in sorted(one for one in path.rglob("*") if one.is_file()):
            line = f"{_digests(inner)['sha256']}  {inner.relative_to(path).as_posix()}\n"
            whole.update(line.encode(errors="surrogateescape"))
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from None
    return {"sha256-sums": whole.hexdigest()}


def _digests(path: Path) -> dict[str, str]:
    blob = open_blob(path)
    try:
        return digests(blob)
    finally:
        blob.close()


def _file(name: str) -> predicates.Made:
    return predicates.resource(name, file_digests(name))
