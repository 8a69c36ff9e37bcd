"""Datasets: claims their payload, follows their links out of the file, looks into what may hold more than numbers."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.blob import Blob, JoinedBlob, SpooledBlob
from toadstone.core.fact import Fact, Link
from toadstone.core.record import dataclass
from toadstone.readers.hdf5.chunks import Chunk
from toadstone.readers.hdf5.content import Contents, begins_like_a_file
from toadstone.readers.hdf5.datatype import OPAQUE, STRING, Dataspace, Datatype
from toadstone.readers.hdf5.heap import LocalHeap
from toadstone.readers.hdf5.medium import METADATA, Broken, Cursor, Medium
from toadstone.readers.hdf5.storage import CHUNKED, CONTIGUOUS, VIRTUAL, Filter, Layout, chunks, pieces, unpack
from toadstone.readers.hdf5.virtual import virtual_sources
from toadstone.readers.outside import escapes

_BOMB = 1 << 32
_BOMB_RATIO = 1000
"""Keras' own limits: a dataset of more than 4 GiB must not be a thousand times larger than what is stored."""

_JOINED = 64
_SHORTEST = 8
"""Bytes that an item must have to hold a file worth opening."""


@dataclass(frozen=True)
class Dataset:
    """What the header of a dataset says.

    Attributes:
        path: Its name in the file.
        datatype: Of its elements.
        space: Its shape.
        layout: Where its bytes are.
        filters: What was done to them.
        offset: File offset of the object header.
        pickled: Whether its writer (PyTables) declares that its values are pickles.
    """

    path: str
    datatype: Datatype
    space: Dataspace
    layout: Layout
    filters: tuple[Filter, ...]
    offset: int
    pickled: bool

    @property
    def size(self) -> int:
        """Bytes of all elements as a program sees them."""
        return self.space.count * self.datatype.size


def dataset_facts(medium: Medium, contents: Contents, dataset: Dataset) -> Iterator[Fact]:
    """Claim the payload of a dataset and give the facts in it.

    Raises:
        Broken: If its storage is cut or contradicts itself.
    """
    layout = dataset.layout
    if layout.kind == VIRTUAL:
        yield from _virtual(medium, contents, dataset)
        return
    found: list[Chunk] = []
    stored = 0
    looked_into = dataset.datatype.bytewise or bool(dataset.datatype.heaped())
    if layout.kind == CHUNKED:
        for chunk in chunks(medium, layout, dataset.space.shape or (), filtered=bool(dataset.filters)):
            medium.inert(chunk.address, chunk.size)
            stored += chunk.size
            if looked_into:
                found.append(chunk)
    elif layout.kind == CONTIGUOUS and layout.address != medium.undefined and layout.size:
        if layout.address + medium.base + layout.size > medium.source.blob.size:
            raise Broken("the data lies partly outside the file", dataset.offset)
        stored = layout.size
        medium.inert(layout.address, layout.size)
    elif layout.kind not in {CHUNKED, CONTIGUOUS}:
        stored = layout.size
        medium.inert(layout.inline - medium.base, layout.size)
    if dataset.size > _BOMB and dataset.size > _BOMB_RATIO * stored:
        detail = f"{dataset.path} declares {dataset.size:,} bytes of which {stored:,} are stored"
        yield medium.source.anomaly("resource-claim", detail, dataset.offset)
    if stored:
        yield from _interpret(medium, contents, dataset, found)


def _interpret(medium: Medium, contents: Contents, dataset: Dataset, found: list[Chunk]) -> Iterator[Fact]:
    if dataset.datatype.heaped():
        for data in _elements(medium, dataset, found):
            yield from contents.slots(dataset.path, dataset.datatype, data, pickled=dataset.pickled)
    elif dataset.datatype.bytewise:
        try:
            head = next(_elements(medium, dataset, found[:1], most=64), b"")
        except Broken as error:
            if dataset.datatype.kind in {STRING, OPAQUE}:
                yield medium.source.unread(f"{dataset.path}: {error.reason}", error.offset)
            return  # numbers behind an unknown filter stay numbers
        if begins_like_a_file(head):
            yield medium.source.member(dataset.path, _content(medium, dataset, found))
        elif dataset.datatype.kind in {STRING, OPAQUE} and dataset.datatype.size > _SHORTEST:
            for data in _elements(medium, dataset, found):
                yield from contents.items(dataset.path, dataset.datatype.size, data)


def _elements(medium: Medium, dataset: Dataset, found: list[Chunk], most: int = METADATA) -> Iterator[bytes]:
    """Give the elements in pieces that end between two of them."""
    if dataset.layout.kind == CHUNKED and dataset.filters:
        for chunk in found:
            yield unpack(medium, chunk, dataset.filters, dataset.layout.chunk_bytes, most)
        return
    step = max(1, (1 << 20) // max(dataset.datatype.size, 1)) * max(dataset.datatype.size, 1)
    for piece in pieces(medium, dataset.layout, found):
        if step > METADATA:
            raise Broken("an element is too large to be read here", dataset.offset)
        yield from piece.chunks(0, min(piece.size, most), step)


def _content(medium: Medium, dataset: Dataset, found: list[Chunk]) -> Blob:
    """Give the whole content as a blob; chunks of more than one dimension come in storage order."""
    if not dataset.filters or dataset.layout.kind != CHUNKED:
        parts = pieces(medium, dataset.layout, found)
        if len(parts) <= _JOINED:
            return JoinedBlob(parts).window(0, dataset.size)
    return SpooledBlob(_streamed(medium, dataset, found))


def _streamed(medium: Medium, dataset: Dataset, found: list[Chunk]) -> Iterator[bytes]:
    left = dataset.size
    for data in _elements(medium, dataset, found):
        if not dataset.filters:
            medium.source.budget.spend_expand(len(data))
        yield data[:left]
        left -= len(data)
        if left <= 0:
            return


def _virtual(medium: Medium, contents: Contents, dataset: Dataset) -> Iterator[Fact]:
    if dataset.layout.address == medium.undefined:
        return
    where, size = contents.heap.find(dataset.layout.address, dataset.layout.size)
    data = medium.take(where, size, "virtual dataset mapping")
    nested = medium.source.depth > 0
    for file in sorted(set(virtual_sources(Cursor(data, medium.base + where, medium.wide, medium.long)))):
        if file != ".":  # the file itself
            place = medium.source.place.at(dataset.offset)
            yield Link(place, file, "virtual-source", escapes(file, nested=nested))


def external_files(medium: Medium, cursor: Cursor, offset: int) -> Iterator[Fact]:
    """Give the links of an external-data-files message: raw bytes of other files become this dataset's data.

    Raises:
        Broken: If it is cut or of an unknown version.
    """
    version = cursor.number(1)
    if version != 1:
        raise Broken(f"external file list version {version} is not known", cursor.offset)
    cursor.take(5)
    used = cursor.number(2)
    heap = LocalHeap(medium, cursor.address())
    nested = medium.source.depth > 0
    for _ in range(used):
        name = heap.name(cursor.length()).decode("utf-8", "replace")
        cursor.length()
        cursor.length()
        yield Link(medium.source.place.at(offset), name, "external-storage", escapes(name, nested=nested))
