"""From one blob to all the facts in it and in everything inside it, with every byte accounted for."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.blob import CHUNK
from toadstone.core.budget import BudgetError
from toadstone.core.coverage import Coverage
from toadstone.core.fact import Anomaly, Code, Document, Fact, Member, Unread
from toadstone.core.place import Place
from toadstone.core.shield import shielded
from toadstone.readers.pickle import carve
from toadstone.readers.reader import Reader, Source, candidates

_GAPS_FOLLOWED = 256
"""Unread spans of one blob that are looked into; more are reported as unread together."""


def walk(source: Source) -> Iterator[Fact]:
    """Yield the facts of a source, depth first.

    ``source.notes["kind"]`` is set to the kind of the first reader that understood anything. Bytes that no reader
    claimed are looked at again as embedded blobs; what is still not understood becomes an `Unread` fact.
    """
    if not source.blob.size:
        source.notes.setdefault("kind", "empty")
        return
    ran: list[Reader] = []

    def enough(reader: Reader) -> bool:
        """A weak candidate adds nothing once everything is understood, plain text once anything is."""
        if not ran or reader.rank < _WEAK:
            return False
        return source.coverage.covered > 0 if reader.rank >= _LAST else not source.coverage.gaps()

    for reader in shielded(candidates(source, enough), lambda reason: Unread(source.place, reason)):
        if isinstance(reader, Unread):
            yield reader
            break
        before = source.coverage.covered if ran else 0
        yield from _run(reader, source)
        ran.append(reader)
        if source.coverage.covered > before:
            source.notes.setdefault("kind", reader.kind)
    if source.documents and source.notes.get("kind") in _DOCUMENTS:
        yield from _document(source)
    source.notes.setdefault("kind", "unknown")
    yield from _gaps(source, bool(ran))


_LAST = 90
"""Rank of plain text."""
_WEAK = 80
"""Readers of this rank and above claim what plainer evidence left over: pickles without a header, text."""


_DOCUMENTS = frozenset(
    """text json yaml toml xml python notebook jinja template requirements spacy-config keras-config pmml openvino
    lightgbm""".split()
)
"""Kinds whose content is text throughout."""
_DOCUMENT_READ = 4 << 20
"""Bytes of a text that are looked through for indicators; what is beyond has been read, but not for these."""


def _document(source: Source) -> Iterator[Fact]:
    """Yield the text itself, in stretches that end with a line where there is one."""
    rest, line = b"", 0
    for chunk in source.blob.chunks(0, min(source.blob.size, _DOCUMENT_READ)):
        data = rest + chunk
        cut = data.rfind(b"\n") + 1 or len(data)
        rest = data[cut:]
        yield Document(source.place, _decoded(data[:cut]), line)
        line += data.count(b"\n", 0, cut)
    if rest:
        yield Document(source.place, _decoded(rest), line)


def _decoded(data: bytes) -> str:
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    return data.decode("utf-16" if wide else "utf-8", "replace")


def _run(reader: Reader, source: Source) -> Iterator[Fact]:
    def failed(reason: str) -> Fact:
        return Unread(source.place, f"{reader.kind}: {reason}")

    for fact in shielded(reader.read(source), failed):
        if isinstance(fact, Member):
            yield from enter(source, fact)
        else:
            yield fact


def enter(parent: Source, member: Member) -> Iterator[Fact]:
    """Walk a member of ``parent``, unless a budget says no."""
    place = member.place.inside(member.name)
    if parent.depth >= parent.budget.depth:
        yield Anomaly(place, "depth-bomb", f"more than {parent.budget.depth} containers inside each other")
        yield Unread(place, f"nested deeper than {parent.budget.depth} containers", member.blob.size)
        return
    parent.budget.members -= 1
    if parent.budget.members < 0:
        yield Unread(place, "more members than the budget allows", member.blob.size)
        return
    try:
        parent.budget.spend_entry(parent.depth + 1)
    except BudgetError as error:
        yield Unread(place, str(error), member.blob.size)
        return
    inner = Source(
        member.blob,
        member.name,
        place,
        parent.budget,
        depth=parent.depth + 1,
        hint=member.hint,
        sibling=parent.sibling,
        documents=parent.documents,
    )
    for fact in walk(inner):
        if not (member.derived and isinstance(fact, Unread)):  # the bytes that are stored were read already
            yield fact
    member.blob.close()


def _gaps(source: Source, understood: bool) -> Iterator[Fact]:
    gaps = source.coverage.gaps()
    for start, stop in gaps[:_GAPS_FOLLOWED]:
        yield from _gap(source, start, stop, understood)
    rest = gaps[_GAPS_FOLLOWED:]
    if rest:
        size = sum(stop - start for start, stop in rest)
        yield Unread(source.place.at(rest[0][0]), f"{size:,} bytes in {len(rest):,} further spans were not understood", size)


def _gap(source: Source, start: int, stop: int, understood: bool) -> Iterator[Fact]:
    """Follow one unread span: padding of zeros is inert, a known format is walked, the rest stays unread."""
    begin = _skip_zeros(source, start, stop)
    if begin >= stop:
        if not understood:  # padding belongs to something; a file that is nothing else was not recognised
            yield Unread(source.place.at(start), f"{stop - start:,} zeros and nothing else", stop - start)
        return
    size = stop - begin
    try:
        source.budget.spend_entry(source.depth + 1)
    except BudgetError as error:
        yield Unread(source.place.at(begin), f"{size:,} bytes were not looked into: {error}", size)
        return
    if (begin > 0 or stop < source.blob.size) and understood and source.depth < source.budget.depth:
        name = f"@{begin}"
        inner = Source(
            source.blob.window(begin, size),
            name,
            source.place.inside(name),
            source.budget,
            source.depth + 1,
            sibling=source.sibling,
            documents=source.documents,
        )
        found = next(shielded(candidates(inner), lambda reason: Unread(source.place.at(begin), reason)), None)
        if isinstance(found, Unread):
            yield found
        elif found is not None and found.rank < _LAST:
            yield Anomaly(source.place.at(begin), "hidden-data", f"{size:,} bytes outside what the format declares")
            yield from _hidden(inner, source.place.at(begin))
            return
    yield from _carved(source, begin, stop)
    head = source.blob.read(begin, 8).hex(" ")
    what = f"{size:,} bytes" if understood else f"content of {size:,} bytes"
    yield Unread(source.place.at(begin), f"{what} not recognised (begins {head})", size)


def _hidden(inner: Source, place: Place) -> Iterator[Fact]:
    """Walk what lies outside a format; a program there has no honest name at all."""
    for fact in walk(inner):
        yield fact
        if isinstance(fact, Code) and fact.language == "native" and fact.place == inner.place:
            yield Anomaly(place, "false-name", f"{fact.summary}, lies outside what the format declares")


def _carved(source: Source, start: int, stop: int) -> Iterator[Fact]:
    """Look for whole pickles in bytes that nobody claims; the bytes stay unread."""
    for fact in shielded(carve(source, start, stop), lambda reason: Unread(source.place.at(start), reason, stop - start)):
        if isinstance(fact, Member):
            yield from enter(source, fact)
        else:
            yield fact


_ZEROS = bytes(CHUNK)
"""Comparing is ten times as fast as stripping."""


def _skip_zeros(source: Source, start: int, stop: int) -> int:
    position = start
    for chunk in source.blob.chunks(start, stop - start):
        if chunk != _ZEROS[: len(chunk)]:
            kept = chunk.lstrip(b"\0")
            return position + len(chunk) - len(kept)
        position += len(chunk)
    return stop


def cover_all(coverage: Coverage) -> None:
    """Claim a whole blob as inert (used by readers of kinds that are plainly no model)."""
    coverage.inert(0, coverage.size)
