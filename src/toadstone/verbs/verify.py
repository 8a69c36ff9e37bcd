"""``verify``: compare every source with what the lock says of it, down to rows and columns."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from toadstone.core.errors import ToadstoneError, UsageError, nearest
from toadstone.identity import lock as locks
from toadstone.identity.difference import Known, compare
from toadstone.identity.files import FILE, LINK, Entry, entries, entry_of, folder_root
from toadstone.identity.index import RowIndex
from toadstone.identity.lock import Lock, Pin, TablePin
from toadstone.identity.manifest import read_manifest
from toadstone.identity.table import identify
from toadstone.identity.verified import Change, SourceChange, Verified
from toadstone.tables.open import open_dataset
from toadstone.verbs.pin import STORE, TABLES, kept_entries, own

FETCHED = 20_000
"""Addresses that are fetched without being asked for."""
NOTES = {
    "edited": "the address leads to something else",
    "removed": "the address leads nowhere any more",
    "added": "the address led nowhere and leads somewhere now",
}


def verify(
    *sources: str,
    lock: str | os.PathLike[str] = locks.NAME,
    download: bool = False,
    hosts: Sequence[str] = (),
    addresses: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Verified:
    """Compare sources with the lock.

    Args:
        sources: Names in the lock, or paths that lead to the same; none: all.
        lock: Path of the lock.
        download: Whether remote files are fetched and hashed, instead of believing the digests that their host states.
        hosts: Hosts that addresses in data may lead to although they are private.
        addresses: Whether what addresses in data lead to is compared, too.
        progress: Called with each source before it is read.

    Raises:
        UsageError: A source is not in the lock.
        LockError: The lock cannot be read.
    """
    path = Path(lock)
    held = locks.read_lock(path)
    checker = _Checker(path.absolute().parent, hosts)
    chosen = _chosen(held, sources, checker.home)
    changes: list[SourceChange] = []
    for pin in chosen:
        if progress is not None:
            progress(pin.name)
        changes += checker.changes(pin, download=download)
        if addresses:
            changes += checker.addresses(pin, download=download)
    changes.sort(key=lambda found: (-found.severity, found.source, found.path, found.change.kind))
    return Verified(tuple(pin.name for pin in chosen), tuple(changes), tuple(checker.unknown))


def pinned_names(lock: str | os.PathLike[str]) -> set[str]:
    """Give the names of the sources in a lock; none when there is no lock."""
    path = Path(lock)
    return {pin.name for pin in locks.read_lock(path).pins} if path.exists() else set()


def _chosen(held: Lock, sources: Sequence[str], home: Path) -> list[Pin]:
    if not sources:
        return list(held.pins)
    by_name = {pin.name: pin for pin in held.pins}
    found = []
    for source in sources:
        name = source if "://" in source else Path(os.path.relpath(os.path.abspath(source), home)).as_posix()
        pin = by_name.get(source) or by_name.get(name)
        if pin is None:
            raise UsageError(f"{source} is not in the lock.", nearest(source, by_name) or f"`toadstone pin {source}` adds it.")
        found.append(pin)
    return found


class _Checker:
    """Compares sources.

    Args:
        home: Folder of the lock.
        hosts: Hosts that addresses in data may lead to although they are private.
    """

    def __init__(self, home: Path, hosts: Sequence[str] = ()) -> None:
        self.home = home
        self._hosts = hosts
        self.unknown: list[str] = []

    def changes(self, pin: Pin, *, download: bool) -> Iterator[SourceChange]:
        """Compare one source."""
        if pin.kind == "remote":
            try:
                yield from self._remote(pin, download=download)
            except UsageError as error:
                self.unknown.append(f"{pin.name}: {error}")
            return
        path = os.path.join(self.home, pin.name)
        if not os.path.lexists(path):
            yield SourceChange(pin.name, "", Change("removed", note="it is not there any more"))
            return
        try:
            yield from self._folder(pin, path) if pin.kind == "folder" else self._file(pin, path)
        except UsageError as error:
            self.unknown.append(f"{pin.name}: {error}")

    def _file(self, pin: Pin, path: str) -> Iterator[SourceChange]:
        if os.path.isdir(path):
            yield SourceChange(pin.name, "", Change("edited", note="it is a folder now"))
            return
        now = entry_of(path)
        if now.sha256 != pin.root:
            before = Entry("", FILE, pin.size, pin.root, pin.blake3)
            table = next(iter(pin.tables), None)
            yield from (
                SourceChange(pin.name, "", change) for change in self._content(before, replace(now, kind=FILE), table, path)
            )

    def addresses(self, pin: Pin, *, download: bool) -> Iterator[SourceChange]:
        """Compare what the addresses in a source's tables lead to with what they led to."""
        for table in pin.tables:
            if not table.urls or pin.kind == "remote":
                continue
            if table.rows > FETCHED and not download:
                self.unknown.append(
                    f"{pin.name}: {table.rows:,} addresses are too many to fetch at once; `toadstone watch` samples them"
                )
                continue
            yield from self._addresses(pin, table)

    def _addresses(self, pin: Pin, table: TablePin) -> Iterator[SourceChange]:
        from toadstone.verbs.addresses import Fetcher, expected_of  # noqa: PLC0415  (network code is loaded only for addresses)

        fetcher = Fetcher(self._hosts)
        try:
            dataset = open_dataset(Path(self.home, pin.name, table.path) if table.path else Path(self.home, pin.name))
            expected = expected_of(table, dataset, self.home / STORE)
            rows = expected.rows()
            judged: dict[str, list[int]] = {}
            for found in fetcher.fetched({row: expected.urls[row] for row in rows}):
                judged.setdefault(expected.judge(found), []).append(found.row)
        except ToadstoneError as error:
            self.unknown.append(f"{pin.name}: {error}")
            return
        finally:
            fetcher.close()
        for kind in ("edited", "removed", "added"):
            if kind in judged:
                change = Change(kind, tuple(judged[kind]), (table.urls,), NOTES[kind])
                yield SourceChange(pin.name, table.path, change)
        if lost := judged.get("unknown"):
            self.unknown.append(f"{pin.name}: {len(lost):,} addresses could not be fetched, among them row {lost[0]}")

    def _folder(self, pin: Pin, path: str) -> Iterator[SourceChange]:
        if not os.path.isdir(path):
            yield SourceChange(pin.name, "", Change("edited", note="it is no folder any more"))
            return
        now = {entry.path: entry for entry in entries(path, leave=own(self.home))}
        kept = kept_entries(pin, self.home)
        if kept is None:
            yield from self._unlisted(pin, list(now.values()))
            return
        before = {entry.path: entry for entry in kept}
        tables = {table.path: table for table in pin.tables}
        for change in _came_and_went(before, now):
            yield replace(change, source=pin.name)
        for name in sorted(before.keys() & now.keys()):
            if before[name] != now[name]:
                changes = self._content(before[name], now[name], tables.get(name), os.path.join(path, name))
                yield from (SourceChange(pin.name, name, change) for change in changes)

    def _remote(self, pin: Pin, *, download: bool) -> Iterator[SourceChange]:
        from toadstone.verbs.pin_remote import Visit, told_changes  # noqa: PLC0415  (network code is loaded only for remotes)

        with Visit(download=download) as visit:
            found = visit.found(pin.name, TABLES)
            yield from (SourceChange(pin.name, "", change) for change in told_changes(pin, found, visit))
            kept = kept_entries(pin, self.home)
            if kept is None:
                yield from self._unlisted(pin, list(found.entries))
                return
            before, now = ({entry.path: entry for entry in listed} for listed in (kept, found.entries))
            tables = {table.path: table for table in pin.tables}
            for change in _came_and_went(before, now):
                yield replace(change, source=pin.name)
            for name in sorted(before.keys() & now.keys()):
                if before[name].sha256 != now[name].sha256:
                    table = tables.get(name) if name in found.fetched else None
                    changes = self._content(before[name], now[name], table, str(found.fetched.get(name, "")))
                    yield from (SourceChange(pin.name, name, change) for change in changes)

    def _unlisted(self, pin: Pin, now: list[Entry]) -> Iterator[SourceChange]:
        """Without the entries as they were one knows whether something changed, not what."""
        if folder_root(now).hex() != pin.root:
            note = f"{pin.count:,} entries became {len(now):,}; their list is not in {STORE}, so that none can be named"
            yield SourceChange(pin.name, "", Change("edited", note=note))

    def _content(self, before: Entry, now: Entry, table: TablePin | None, path: str) -> list[Change]:
        """Compare something that has the same name."""
        if (before.kind, before.target) != (now.kind, now.target):
            said = {LINK: f"a link to {now.target}", FILE: "a file"}.get(now.kind, f"a {now.kind}")
            return [
                Change("edited", note=f"it was a {before.kind}{' to ' + before.target if before.target else ''} and is {said}")
            ]
        if before.sha256 == now.sha256:
            return [] if before.size == now.size else [Change("edited", note="its length differs")]
        if table is None:
            return [Change("edited", note=f"{before.size:,} bytes became {now.size:,}")]
        try:
            dataset = open_dataset(path)
            found = identify(dataset, rows=False)
        except UsageError as error:
            return [Change("edited", note=f"it cannot be read as rows any more: {error}")]
        if found.troubles:
            return [Change("edited", note=f"it cannot be read as rows any more: {found.troubles[0]}")]
        if found.content.hex() == table.content:
            return [Change("re-encoded", note=f"{found.rows:,} rows are the same")]
        known = self._known(table)
        if known is None:
            lost = f"their digests are not in {STORE}, so that none can be named"
            return [Change("edited", note=f"{table.rows:,} rows became {found.rows:,}; {lost}")]
        return compare(known, found, dataset) or [Change("edited")]

    def _known(self, table: TablePin) -> Known | None:
        """Read the digests that were kept of a table, if they are those that the lock names."""
        base = self.home / STORE / table.content[:32]
        try:
            identity = read_manifest(base.with_suffix(".blocks"))
            if identity.content.hex() != table.content:
                self.unknown.append(f"{base}.blocks is not what the lock names; rows and columns are not named")
                return None
        except ToadstoneError:
            return None
        if not table.index:
            return Known(identity, None, table.label or None)
        try:
            index = RowIndex(base.with_suffix(".rows"))
            if index.digest() != table.index:
                self.unknown.append(f"{base}.rows is not what the lock names; rows are not named")
                return Known(identity, None, table.label or None)
            return Known(identity, index.prefixes(), table.label or None)
        except ToadstoneError:
            return Known(identity, None, table.label or None)


def _came_and_went(before: dict[str, Entry], now: dict[str, Entry]) -> Iterator[SourceChange]:
    """Name what is new and what is gone; what has only another name is said to."""
    gone = [before[name] for name in sorted(before.keys() - now.keys())]
    fresh = [now[name] for name in sorted(now.keys() - before.keys())]
    by_content = {entry.sha256: entry.path for entry in gone if entry.sha256}
    for entry in fresh:
        old = by_content.get(entry.sha256, "")
        yield SourceChange("", entry.path, Change("added", note=f"the content of {old}, which is gone" if old else _what(entry)))
    names = {entry.sha256: entry.path for entry in fresh if entry.sha256}
    for entry in gone:
        new = names.get(entry.sha256, "")
        yield SourceChange("", entry.path, Change("removed", note=f"its content is called {new} now" if new else _what(entry)))


def _what(entry: Entry) -> str:
    if entry.kind == LINK:
        return f"a link to {entry.target}"
    hidden = any(part.startswith(".") for part in entry.path.split("/"))
    return f"a {'hidden ' if hidden else ''}{entry.kind}"
