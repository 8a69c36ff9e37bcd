"""What a reader is, what it is handed, and how all of them are found."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import lru_cache

from toadstone.core.blob import Blob
from toadstone.core.budget import Budget
from toadstone.core.coverage import Coverage
from toadstone.core.fact import Anomaly, Fact, Member, Unread
from toadstone.core.modules import index_of, names_below
from toadstone.core.place import Place
from toadstone.core.record import dataclass, field

HEAD = 4096
"""Bytes of the beginning that `Reader.claims` may look at without reading."""


@dataclass
class Source:
    """What a reader is handed: bytes, their name and place, and the accounts it has to keep.

    Attributes:
        blob: The bytes.
        name: File or member name, without folders of the scanned tree (members keep their inner folders).
        place: Where the blob is.
        budget: Shared by the whole subject.
        coverage: Of this blob; a reader claims what it understood with `read` and `inert`.
        depth: How many containers are around it.
        hint: Kind that the parent asked for; empty otherwise.
        sibling: Opens a file next to this one by its relative name, or gives None. Only for linking (does that file
            exist, what does it refer to); the sibling is a subject of its own.
        notes: Set by readers for readers further in or for the report (``kind`` refinements and the like).
        documents: Whether somebody wants texts as `Document` facts, here and in everything inside.
        shared: What one candidate parsed and the next candidates for the same bytes reuse (a zip's directory).
    """

    blob: Blob
    name: str
    place: Place
    budget: Budget
    coverage: Coverage = field(init=False)
    depth: int = 0
    hint: str = ""
    sibling: Callable[[str], Blob | None] = lambda _name: None
    notes: dict[str, str] = field(default_factory=dict)
    shared: dict[str, object] = field(default_factory=dict)
    documents: bool = False

    def __post_init__(self) -> None:
        self.coverage = Coverage(self.blob.size)
        self._head: bytes | None = None

    @property
    def suffix(self) -> str:
        """Lower-case last suffix of the name, with its dot; empty if there is none."""
        base = self.name.rsplit("/", 1)[-1].lower()
        return base[base.rfind(".") :] if "." in base else ""

    def head(self, size: int = HEAD) -> bytes:
        """Give the first bytes; the reader of each format asks for them."""
        if size > HEAD:
            return self.blob.read(0, size)
        if self._head is None:
            self._head = self.blob.read(0, HEAD)
        return self._head[:size]

    def anomaly(self, kind: str, detail: str, offset: int = -1) -> Anomaly:
        """Make an `Anomaly` at an offset of this blob."""
        return Anomaly(self.place.at(offset), kind, detail)

    def unread(self, reason: str, offset: int = -1, size: int = -1) -> Unread:
        """Make an `Unread` at an offset of this blob."""
        return Unread(self.place.at(offset), reason, size)

    def member(self, name: str, blob: Blob, hint: str = "") -> Member:
        """Make a `Member` of this blob."""
        return Member(self.place, name, blob, hint)


@dataclass(frozen=True)
class Reader:
    """A format.

    Attributes:
        kind: Name of the format in reports.
        read: Turns a source into facts and claims coverage. Total.
        heads: Magic numbers at offset 0; any of them makes the reader a candidate.
        suffixes: Name suffixes (with dot, lower case) or whole base names that make it a candidate if `claims` agrees.
        marks: Weak magic, each with its offset: content that has one of these is a candidate if `claims` agrees.
        claims: Looks at the content of a candidate by name, by mark, or (with ``always``) of anything; cheap and strict.
        always: Ask `claims` of everything. Only where no mark can be told: the module is imported for every file.
        rank: Candidates run in order of rank, then kind; plain text comes last.
    """

    kind: str
    read: Callable[[Source], Iterator[Fact]]
    heads: tuple[bytes, ...] = ()
    suffixes: tuple[str, ...] = ()
    marks: tuple[tuple[int, bytes], ...] = ()
    claims: Callable[[Source], bool] | None = None
    always: bool = False
    rank: int = 50

    def marked(self, head: bytes) -> bool:
        """Whether the beginning of some content has a mark."""
        return any(head.startswith(mark, offset) for offset, mark in self.marks)


def later(
    home: str,
    kind: str,
    *,
    heads: tuple[bytes, ...] = (),
    suffixes: tuple[str, ...] = (),
    marks: tuple[tuple[int, bytes], ...] = (),
    claims: bool = False,
    always: bool = False,
    rank: int = 50,
) -> Reader:
    """Make a reader whose module is imported when it is first asked or run. For the generated index.

    Args:
        home: Module whose ``READERS`` holds the real one.
        kind: Its kind.
        heads: Its magic numbers.
        suffixes: Its names.
        marks: Its weak magic.
        claims: Whether it has `Reader.claims`.
        always: Whether `claims` is asked of everything.
        rank: Its rank.
    """

    def real() -> Reader:
        known: tuple[Reader, ...] = importlib.import_module(home).READERS
        return next(reader for reader in known if reader.kind == kind)

    def read(source: Source) -> Iterator[Fact]:
        yield from real().read(source)

    def asked(source: Source) -> bool:
        claims = real().claims
        return claims is not None and claims(source)

    return Reader(kind, read, heads, suffixes, marks, asked if claims else None, always, rank)


@lru_cache(maxsize=1)
def readers() -> tuple[Reader, ...]:
    """Give all readers in the order in which they are tried.

    They come from the generated index, and are imported when they are needed. If a module is there that the index does not
    know, or the other way round, everything is imported instead: an index can be stale, a run without a reader cannot be.
    """
    index = index_of(importlib.import_module("toadstone.readers"))
    if index is None:
        return registered()
    known: tuple[Reader, ...] = index.READERS
    return known


def registered() -> tuple[Reader, ...]:
    """Import every reader module of this package and give their `Reader` objects, in the order in which they are tried.

    A reader module is one that has a ``READERS`` tuple. One that fails to import raises: a run without all of its
    readers is no run.
    """
    found: list[Reader] = []
    for name in names_below(importlib.import_module("toadstone.readers"), deep=False):
        found.extend(getattr(importlib.import_module(name), "READERS", ()))
    return tuple(sorted(found, key=lambda reader: (reader.rank, reader.kind)))


@lru_cache(maxsize=1)
def _by_kind() -> dict[str, Reader]:
    return {reader.kind: reader for reader in readers()}


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(name for reader in readers() for name in reader.suffixes)


@lru_cache(maxsize=4096)
def _plan(first: bytes, suffix: str, base: str) -> tuple[Reader, ...]:
    """List the readers that can come into question for a first byte and a name, in the order in which they are tried."""
    return tuple(
        reader
        for reader in readers()
        if any(magic[:1] == first for magic in reader.heads)
        or any(offset or mark[:1] == first for offset, mark in reader.marks)
        or (reader.claims is not None and (reader.always or suffix in reader.suffixes or base in reader.suffixes))
    )


def candidates(source: Source, enough: Callable[[Reader], bool] = lambda _reader: False) -> Iterator[Reader]:
    """Yield the readers that may understand a source: the hinted one first, then by rank.

    Args:
        source: What is to be read.
        enough: Asked before each reader is; when it says yes, neither that reader nor any weaker one is tried, which
            saves a plain file the questions of all the formats that it is not.
    """
    hinted = _by_kind().get(source.hint) if source.hint else None
    if hinted is not None:
        yield hinted
    head = source.head()
    names = _names()
    suffix, base = source.suffix, source.name.rsplit("/", 1)[-1].lower()
    for reader in _plan(head[:1], suffix if suffix in names else "", base if base in names else ""):
        if reader is hinted:
            continue
        if enough(reader):
            return
        asked = reader.always or suffix in reader.suffixes or base in reader.suffixes or reader.marked(head)
        if (reader.heads and head.startswith(reader.heads)) or (asked and reader.claims is not None and reader.claims(source)):
            yield reader
