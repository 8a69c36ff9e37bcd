"""Unpacking the streams of 7z with what the standard library has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toadstone.core.blob import Blob
from toadstone.readers.sevenzip.header import Coder, Folder
from toadstone.readers.unpack import MEMORY_LIMIT, Maker, Stream, bzip2, deflate, raw_lzma, zstd

_LZMA, _LZMA2, _COPY = b"\x03\x01\x01", b"\x21", b"\x00"
_FILTERS = {
    b"\x03": "FILTER_DELTA",
    b"\x04": "FILTER_X86",
    b"\x05": "FILTER_POWERPC",
    b"\x06": "FILTER_IA64",
    b"\x07": "FILTER_ARM",
    b"\x08": "FILTER_ARMTHUMB",
    b"\x09": "FILTER_SPARC",
    b"\x03\x03\x01\x03": "FILTER_X86",
    b"\x03\x03\x02\x05": "FILTER_POWERPC",
    b"\x03\x03\x04\x01": "FILTER_IA64",
    b"\x03\x03\x05\x01": "FILTER_ARM",
    b"\x03\x03\x07\x01": "FILTER_ARMTHUMB",
    b"\x03\x03\x08\x05": "FILTER_SPARC",
}
_OTHERS: dict[bytes, Maker] = {b"\x04\x01\x08": deflate, b"\x04\x02\x02": bzip2, b"\x04\xf7\x11\x01": zstd}
_NAMES = {
    b"\x06\xf1\x07\x01": "AES encryption", b"\x03\x04\x01": "PPMd", b"\x03\x03\x01\x1b": "BCJ2", b"\x04\x01\x09": "Deflate64",
    b"\x04\xf7\x11\x02": "Brotli", b"\x04\xf7\x11\x04": "LZ4", b"\x0a": "the ARM64 filter", b"\x0b": "the RISC-V filter",
    b"\x02\x03\x02": "Swap2", b"\x02\x03\x04": "Swap4",
}  # fmt: skip
_HELD = 16
"""Bytes that a branch filter may hold back at the end of a stream of LZMA, which has no end mark."""


class CoderError(ValueError):
    """The content is packed in a way that is not opened."""


class Unpacked:
    """The content of a folder, given piece by piece.

    Args:
        blob: The archive.
        start: Offset of the packed stream.
        size: Its size.
        folder: How it is packed.
        budget: Pays for what comes out.

    Raises:
        CoderError: If a coder is not known here.
    """

    def __init__(self, blob: Blob, start: int, size: int, folder: Folder, budget: Any) -> None:  # noqa: ANN401  (Budget)
        self._blob = blob
        self._start = start
        self._stop = start + size
        self._size = folder.size
        self._budget = budget
        order = _order(folder)
        self._maker, self._plain = _maker(order, folder)
        self.reason = ""

    def __iter__(self) -> Iterator[bytes]:
        """Give exactly the stated size, or less and a `reason`."""
        if self._maker is None:
            yield from self._blob.chunks(self._start, min(self._size, self._stop - self._start))
            return
        stream = Stream(self._maker, self._blob, self._start, self._stop, self._budget)
        given = 0
        for piece in stream:
            kept = piece[: self._size - given]
            given += len(kept)
            yield kept
            if given >= self._size:
                return
        missing = self._size - given
        if self._plain is not None and 0 < missing <= _HELD:
            yield from self._held(missing)
        elif missing > 0:
            self.reason = stream.reason or f"{missing:,} bytes are missing"

    def _held(self, missing: int) -> Iterator[bytes]:
        """Give the last bytes without the filter: it leaves what is too short for a branch as it is."""
        assert self._plain is not None
        tail = b""
        for piece in Stream(self._plain, self._blob, self._start, self._stop, self._budget):
            tail = (tail + piece)[-missing:]
        yield tail


def _order(folder: Folder) -> list[Coder]:
    """List the coders from the content to the packed stream.

    Raises:
        CoderError: If they form no chain.
    """
    for coder in folder.coders:
        if coder.identifier in _NAMES:
            raise CoderError(f"packed with {_NAMES[coder.identifier]}, which is not opened by this version")
    if folder.packed != 1 or any(coder.inputs != 1 for coder in folder.coders):
        raise CoderError("packed with several streams at once, which is not opened by this version")
    after = dict(folder.binds)  # the input of one coder is the output of another
    taken = set(after.values())
    current: int | None = next((index for index in range(len(folder.coders)) if index not in taken), None)
    order: list[Coder] = []
    while current is not None and current < len(folder.coders) and len(order) < len(folder.coders):
        order.append(folder.coders[current])
        current = after.get(current)
    if current is not None or len(order) < len(folder.coders):
        raise CoderError("the coders form no chain")
    return order


def _maker(order: list[Coder], folder: Folder) -> tuple[Maker | None, Maker | None]:
    """Give the decoder of a chain (None for a plain copy), and the one without filters if filters hold bytes back."""
    import lzma  # noqa: PLC0415  (only for such content)

    order = [coder for coder in order if coder.identifier != _COPY]
    if not order:
        return None, None
    last = order[-1]
    if last.identifier in _OTHERS and len(order) == 1:
        return _OTHERS[last.identifier], None
    if last.identifier not in (_LZMA, _LZMA2) or any(coder.identifier not in _FILTERS for coder in order[:-1]):
        name = next((coder.identifier.hex() for coder in order if coder.identifier not in _FILTERS), "?")
        raise CoderError(f"packed with method {name}, which is not opened by this version")
    filters: list[dict[str, int]] = []
    for coder in order[:-1]:
        chosen = {"id": int(getattr(lzma, _FILTERS[coder.identifier]))}
        if chosen["id"] == lzma.FILTER_DELTA:
            chosen["dist"] = (coder.properties[0] if coder.properties else 0) + 1
        filters.append(chosen)
    if len(filters) > 3:
        raise CoderError("more filters than any archiver uses")
    base = _lzma(last, folder)
    held = last.identifier == _LZMA and bool(filters)
    return raw_lzma([*filters, base]), raw_lzma([base]) if held else None


def _lzma(coder: Coder, folder: Folder) -> dict[str, int]:
    """Describe LZMA or LZMA2; the dictionary is never larger than the content, whatever is claimed."""
    import lzma  # noqa: PLC0415

    raw = coder.properties
    if coder.identifier == _LZMA2:
        if len(raw) != 1 or raw[0] > 40:
            raise CoderError("the properties of LZMA2 make no sense")
        size = 0xFFFF_FFFF if raw[0] == 40 else (2 | raw[0] & 1) << (raw[0] // 2 + 11)
        chosen = {"id": int(lzma.FILTER_LZMA2)}
    else:
        if len(raw) != 5 or raw[0] >= 9 * 5 * 5:
            raise CoderError("the properties of LZMA make no sense")
        size, code = int.from_bytes(raw[1:], "little"), raw[0]
        chosen = {"id": int(lzma.FILTER_LZMA1), "lc": code % 9, "lp": code // 9 % 5, "pb": code // 45}
    if chosen.get("lc", 0) + chosen.get("lp", 0) > 4:
        raise CoderError("packed with LZMA parameters that the standard library does not take")
    needed = max(folder.sizes, default=0)
    chosen["dict_size"] = max(min(size, max(needed, 4096)), 4096)
    if chosen["dict_size"] > MEMORY_LIMIT:
        raise CoderError("the LZMA dictionary is larger than is followed")
    return chosen
