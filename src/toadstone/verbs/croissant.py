"""Croissant descriptions, really checked: every file that they name is hashed, every column that they name is looked for.

Source: MLCommons Croissant 1.0, https://docs.mlcommons.org/croissant/docs/croissant-spec.html. (`mlcroissant
validate` does not open the files.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from toadstone.core.errors import ToadstoneError, UsageError
from toadstone.identity.verified import Change, SourceChange, Verified
from toadstone.tables.open import open_dataset
from toadstone.verbs.addresses import Fetcher

_LARGEST = 64 << 20
_DIGESTS = ("sha256", "md5", "sha1")
_STEP = 1 << 20


def is_croissant(path: str) -> bool:
    """Whether a file is a Croissant description: JSON that is a data set and says that it conforms."""
    place = Path(path)
    if place.suffix != ".json" or not place.is_file() or place.stat().st_size > _LARGEST:
        return False
    try:
        held = json.loads(place.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return (
        isinstance(held, dict)
        and _short(held.get("@type")) == "Dataset"
        and "croissant" in str(held.get("conformsTo", held.get("@context")))
    )


def check_croissant(path: str, *, download: bool = False, hosts: Sequence[str] = ()) -> Verified:
    """Compare the files and columns that a description names with what is there.

    Args:
        path: Of the description; its files stand relative to it.
        download: Whether files on the web are fetched and hashed; otherwise they are told as unknown.
        hosts: Hosts that they may be fetched from although they are private.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        held = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None
    checker = _Checker(path, download=download, hosts=hosts)
    found = [*checker.files(held), *checker.columns(held)]
    found.sort(key=lambda one: (-one.severity, one.path, one.change.kind))
    return Verified((path,), tuple(found), tuple(checker.unknown))


class _Checker:
    def __init__(self, path: str, *, download: bool, hosts: Sequence[str]) -> None:
        self._path = path
        self._folder = Path(path).absolute().parent
        self._download = download
        self._hosts = hosts
        self._places: dict[str, Path] = {}
        self.unknown: list[str] = []

    def files(self, held: dict[str, Any]) -> Iterator[SourceChange]:
        """Hash every file."""
        for one in _listed(held.get("distribution")):
            if _short(one.get("@type")) != "FileObject":
                continue
            name, url = _id(one), str(one.get("contentUrl") or "")
            digests = {algorithm: str(one[algorithm]).lower() for algorithm in _DIGESTS if isinstance(one.get(algorithm), str)}
            if one.get("containedIn"):
                continue  # its content is that of the file that it lies in, which has a digest of its own
            if not digests:
                yield self._told(name, "edited", "it is described without a digest, so that anything can be in its place")
            if "://" in url:
                yield from self._remote(name, url, digests)
            else:
                yield from self._local(name, url, digests)

    def _local(self, name: str, url: str, digests: dict[str, str]) -> Iterator[SourceChange]:
        place = self._folder / url
        if not url or not place.is_file() or not place.resolve().is_relative_to(self._folder.resolve()):
            yield self._told(name, "removed", f"{url or 'it'} is not there, or outside of the folder")
            return
        self._places[name] = place
        for algorithm, expected in digests.items():
            found = _digest(place, algorithm)
            if found != expected:
                yield self._told(name, "edited", f"{algorithm} is {found[:12]}…, described as {expected[:12]}…")

    def _remote(self, name: str, url: str, digests: dict[str, str]) -> Iterator[SourceChange]:
        if not self._download:
            self.unknown.append(f"{self._path}: {name} is on the web; --download fetches it")
            return
        fetcher = Fetcher(self._hosts)
        try:
            (found,) = fetcher.fetched({0: url})
        finally:
            fetcher.close()
        if found.digest is None:
            if found.gone:
                yield self._told(name, "removed", found.trouble)
            else:
                self.unknown.append(f"{self._path}: {name}: {found.trouble}")
            return
        for algorithm, measured in (("sha256", found.digest.hex()), ("md5", found.md5.hex())):
            if digests.get(algorithm, measured) != measured:
                yield self._told(name, "edited", f"{algorithm} is {measured[:12]}…, described as {digests[algorithm][:12]}…")

    def columns(self, held: dict[str, Any]) -> Iterator[SourceChange]:
        """Look for every column that a field is taken from."""
        known: dict[str, list[str] | None] = {}
        for record in _listed(held.get("recordSet")):
            for field in _listed(record.get("field")):
                source = field.get("source")
                origin = _reference(source) if isinstance(source, dict) else ""
                extract = source.get("extract") if isinstance(source, dict) else None
                column = extract.get("column") if isinstance(extract, dict) else None
                if not isinstance(column, str) or origin not in self._places:
                    continue
                if origin not in known:
                    known[origin] = self._names(origin)
                names = known[origin]
                if names is not None and column not in names:
                    change = Change("removed", columns=(column,), note=f"the field {_id(field)} is taken from it")
                    yield SourceChange(self._path, origin, change)

    def _names(self, name: str) -> list[str] | None:
        try:
            return list(open_dataset(self._places[name]).schema.names)
        except ToadstoneError as error:
            self.unknown.append(f"{self._path}: {name} cannot be read as rows: {error}")
            return None

    def _told(self, name: str, kind: str, note: str) -> SourceChange:
        return SourceChange(self._path, name, Change(kind, note=note))


def _short(kind: Any) -> str:  # noqa: ANN401  (anything that JSON can hold)
    first = kind[0] if isinstance(kind, list) and kind else kind
    return str(first).rpartition(":")[2].rpartition("/")[2]


def _listed(found: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (as above)
    listed = found if isinstance(found, list) else [found]
    return [one for one in listed if isinstance(one, dict)]


def _id(one: dict[str, Any]) -> str:
    return str(one.get("@id") or one.get("name") or "a file without a name")


def _reference(source: dict[str, Any]) -> str:
    target = source.get("fileObject") or source.get("fileSet")
    return str(target.get("@id", "")) if isinstance(target, dict) else ""


def _digest(path: Path, algorithm: str) -> str:
    hasher = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as stream:
        while piece := stream.read(_STEP):
            hasher.update(piece)
    return hasher.hexdigest()
