"""How a dataset's bytes are stored: the layout and filter messages, and where each piece lies."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from toadstone.core.blob import Blob
from toadstone.core.record import dataclass
from toadstone.readers.hdf5.chunks import Chunk, extensible_array, fixed_array, tree2
from toadstone.readers.hdf5.medium import METADATA, Broken, Cursor, Medium
from toadstone.readers.hdf5.tree import chunk_leaves

COMPACT, CONTIGUOUS, CHUNKED, VIRTUAL = range(4)
DEFLATE, SHUFFLE, FLETCHER32, LZF = 1, 2, 3, 32000

_SINGLE, _IMPLICIT, _FIXED, _EXTENSIBLE, _TREE2 = 1, 2, 3, 4, 5
_SINGLE_FILTERED = 2
_RANK = 33
"""Most dimensions of a chunk: those of the largest shape, and the element."""


@dataclass(frozen=True)
class Filter:
    """One step of a filter pipeline: its registered number and parameters."""

    number: int
    parameters: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """Where a dataset's bytes are.

    Attributes:
        kind: `COMPACT`, `CONTIGUOUS`, `CHUNKED` or `VIRTUAL`.
        address: Of the bytes, of the chunk index, or of the global heap that holds the virtual mapping.
        size: Bytes of compact or contiguous storage; the heap index of a virtual mapping; stored bytes of a single chunk.
        chunk: Extents of a chunk, the element's size last.
        index: Kind of chunk index; 0 for the version-1 B-tree.
        mask: Filters skipped by a single chunk.
        inline: File offset of compact bytes.
    """

    kind: int
    address: int
    size: int = 0
    chunk: tuple[int, ...] = ()
    index: int = 0
    mask: int = 0
    inline: int = -1

    @property
    def chunk_bytes(self) -> int:
        """Bytes of an unpacked chunk."""
        product = 1
        for extent in self.chunk:
            product *= extent
        return product


def read_layout(cursor: Cursor, element: int) -> Layout:
    """Read a layout message body.

    Args:
        cursor: Over the body.
        element: Bytes of an element, which older versions do not repeat.

    Raises:
        Broken: If it is cut or of an unknown version or class.
    """
    version = cursor.number(1)
    if version in {1, 2}:
        return _old_layout(cursor, element)
    if version not in {3, 4, 5}:
        raise Broken(f"layout version {version} is not known", cursor.offset)
    kind = cursor.number(1)
    if kind == COMPACT:
        size = cursor.number(2)
        start = cursor.offset + cursor.position
        cursor.take(size)
        return Layout(COMPACT, -1, size, inline=start)
    if kind == CONTIGUOUS:
        return Layout(CONTIGUOUS, cursor.address(), cursor.length())
    if kind == VIRTUAL and version >= 4:
        return Layout(VIRTUAL, cursor.address(), cursor.number(4))
    if kind != CHUNKED:
        raise Broken(f"layout class {kind} is not known", cursor.offset)
    if version == 3:
        rank = _rank(cursor)
        address = cursor.address()
        return Layout(CHUNKED, address, chunk=tuple(cursor.number(4) for _ in range(rank)))
    return _new_chunked(cursor)


def _rank(cursor: Cursor) -> int:
    rank = cursor.number(1)
    if rank > _RANK:
        raise Broken(f"chunks of {rank} dimensions", cursor.offset)
    return rank


def _old_layout(cursor: Cursor, element: int) -> Layout:
    rank, kind = _rank(cursor), cursor.number(1)
    cursor.take(5)
    address = cursor.address() if kind != COMPACT else -1
    extents = tuple(cursor.number(4) for _ in range(rank))
    if kind == CHUNKED:
        return Layout(CHUNKED, address, chunk=extents)
    if kind == COMPACT:
        size = cursor.number(4)
        start = cursor.offset + cursor.position
        cursor.take(size)
        return Layout(COMPACT, -1, size, inline=start)
    if kind != CONTIGUOUS:
        raise Broken(f"layout class {kind} is not known", cursor.offset)
    size = element
    for extent in extents:
        size *= extent
    return Layout(CONTIGUOUS, address, size)


def _new_chunked(cursor: Cursor) -> Layout:
    flags, rank, width = cursor.number(1), _rank(cursor), cursor.number(1)
    chunk = tuple(cursor.number(width) for _ in range(rank))
    index = cursor.number(1)
    size = mask = 0
    if index == _SINGLE and flags & _SINGLE_FILTERED:
        size, mask = cursor.length(), cursor.number(4)
    elif index in {_FIXED, _EXTENSIBLE, _TREE2}:
        cursor.take({_FIXED: 1, _EXTENSIBLE: 5, _TREE2: 6}[index])
    elif index not in {_SINGLE, _IMPLICIT}:
        raise Broken(f"chunk index {index} is not known", cursor.offset)
    return Layout(CHUNKED, cursor.address(), size, chunk, index, mask)


def read_filters(cursor: Cursor) -> tuple[Filter, ...]:
    """Read a filter-pipeline message body.

    Raises:
        Broken: If it is cut or of an unknown version.
    """
    version, count = cursor.number(1), cursor.number(1)
    if version not in {1, 2}:
        raise Broken(f"filter pipeline version {version} is not known", cursor.offset)
    if version == 1:
        cursor.take(6)
    found: list[Filter] = []
    for _ in range(count):
        number = cursor.number(2)
        length = cursor.number(2) if version == 1 or number >= 256 else 0
        cursor.take(2)
        values = cursor.number(2)
        cursor.take((length + 7) // 8 * 8 if version == 1 else length)
        found.append(Filter(number, tuple(cursor.number(4) for _ in range(values))))
        if version == 1 and values & 1:
            cursor.take(4)
    return tuple(found)


def chunks(medium: Medium, layout: Layout, shape: tuple[int, ...], *, filtered: bool) -> Iterator[Chunk]:
    """Give the stored chunks of a chunked dataset.

    Raises:
        Broken: If the index is cut, contradicts itself or leads outside the file.
    """
    if layout.address == medium.undefined:
        return
    plain = layout.chunk_bytes
    if layout.index == 0:
        found: Iterator[Chunk] = (
            Chunk(at, size, mask, number)
            for number, (at, size, mask, _) in enumerate(chunk_leaves(medium, layout.address, len(layout.chunk)))
        )
    elif layout.index == _SINGLE:
        found = iter((Chunk(layout.address, layout.size if filtered else plain, layout.mask, 0),))
    elif layout.index == _IMPLICIT:
        found = iter((Chunk(layout.address, plain * _chunk_count(layout, shape), 0, 0),))
    elif layout.index == _FIXED:
        found = fixed_array(medium, layout.address, plain)
    elif layout.index == _EXTENSIBLE:
        found = extensible_array(medium, layout.address, plain)
    else:
        found = tree2(medium, layout.address, plain, len(layout.chunk) - 1, filtered=filtered)
    end = medium.source.blob.size - medium.base
    for chunk in found:
        if chunk.address + chunk.size > end:
            raise Broken("a chunk lies partly outside the file", medium.base + min(chunk.address, end))
        yield chunk


def _chunk_count(layout: Layout, shape: tuple[int, ...]) -> int:
    count = 1
    for extent, step in zip(shape, layout.chunk, strict=False):
        count *= (extent + step - 1) // step if step else 0
    return count


def unpack(medium: Medium, chunk: Chunk, filters: tuple[Filter, ...], plain: int, most: int) -> bytes:
    """Undo the filters of a chunk, as far as the first ``most`` bytes need.

    Args:
        medium: The file.
        chunk: Which.
        filters: The pipeline.
        plain: Bytes of the unpacked chunk.
        most: Bytes wanted; a shuffled chunk is unpacked whole, whatever is wanted.

    Raises:
        Broken: If a filter is not one of deflate, shuffle, Fletcher-32 and LZF, or the content does not unpack.
        BudgetError: If no budget is left.
    """
    if plain > METADATA:
        raise Broken(f"a chunk of {plain:,} bytes is too large to be unpacked here", medium.base + chunk.address)
    active = [step for number, step in enumerate(filters) if not chunk.mask >> number & 1]
    wanted = plain if any(step.number == SHUFFLE for step in active) else min(most, plain)
    size = chunk.size if any(step.number in {DEFLATE, LZF} for step in active) else min(chunk.size, wanted)
    data = medium.source.blob.read(medium.base + chunk.address, size)
    for step in reversed(active):
        if step.number == FLETCHER32:
            data = data[: max(0, min(len(data), chunk.size - 4))] if size == chunk.size else data
        elif step.number == DEFLATE:
            data = _inflate(medium, data, wanted)
        elif step.number == SHUFFLE:
            data = _unshuffle(data, step.parameters[0] if step.parameters else 1)
        elif step.number == LZF:
            data = _expand(medium, data, wanted)
        else:
            raise Broken(f"filter {step.number} is not known here", medium.base + chunk.address)
    return data[:most]


def _inflate(medium: Medium, data: bytes, most: int) -> bytes:
    try:
        plain = zlib.decompressobj().decompress(data, max(most, 1))
    except zlib.error as error:
        raise Broken(f"a chunk does not inflate: {error}", medium.base) from None
    medium.source.budget.spend_unpacked(len(plain), len(data))
    return plain


def _expand(medium: Medium, data: bytes, most: int) -> bytes:
    """Undo LZF (h5py's own filter): literal runs, and copies of what was written before."""
    out = bytearray()
    position = 0
    while position < len(data) and len(out) < most:
        control = data[position]
        position += 1
        if control < 32:
            out += data[position : position + control + 1]
            position += control + 1
            continue
        length = control >> 5
        if length == 7:
            length += data[position] if position < len(data) else 0
            position += 1
        back = ((control & 31) << 8) + (data[position] if position < len(data) else 0) + 1
        position += 1
        if back > len(out):
            raise Broken("a chunk's LZF stream refers to what is not there", medium.base)
        for _ in range(length + 2):
            out.append(out[-back])
    medium.source.budget.spend_unpacked(len(out), len(data))
    medium.source.budget.spend_steps(len(out))
    return bytes(out)


def _unshuffle(data: bytes, size: int) -> bytes:
    if size <= 1 or len(data) < size:
        return data
    count = len(data) // size
    whole = bytearray(len(data))
    for byte in range(size):
        whole[byte : count * size : size] = data[byte * count : (byte + 1) * count]
    whole[count * size :] = data[count * size :]
    return bytes(whole)


def pieces(medium: Medium, layout: Layout, found: list[Chunk]) -> list[Blob]:
    """Give the stored bytes of a dataset without filters, in order, as windows of the file."""
    blob = medium.source.blob
    if layout.kind == COMPACT:
        return [blob.window(layout.inline, layout.size)]
    if layout.kind == CONTIGUOUS:
        return [blob.window(medium.base + layout.address, layout.size)]
    return [blob.window(medium.base + chunk.address, chunk.size) for chunk in found]
