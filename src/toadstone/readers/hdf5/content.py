"""Content that programs take out of HDF5 and interpret: pickles, archives, JSON; and where it must be looked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.blob import Blob, BytesBlob
from toadstone.core.fact import Fact, Setting
from toadstone.core.value import Excerpt, Value
from toadstone.readers.carried import carried_pickle
from toadstone.readers.hdf5.attribute import Attribute
from toadstone.readers.hdf5.datatype import STRING, VARIABLE, Datatype
from toadstone.readers.hdf5.heap import GlobalHeap
from toadstone.readers.hdf5.medium import Broken, Medium
from toadstone.readers.reader import Source, candidates

_MAGIC = (
    *(bytes([0x80, protocol]) for protocol in range(2, 6)),
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"7z\xbc\xaf\x27\x1c",
    b"\x7fELF",
    b"MZ\x90\0",
    b"\x89HDF\r\n\x1a\n",
    b"\x93NUMPY",
    b"GGUF",
    b"#!/",
)
"""First bytes that make a value worth opening. Short enough to be fast, long enough not to be met in weights by chance."""

_TEXT_RANK = 90
_SETTINGS = 4096
_SETTING_BYTES = 4096
KERAS_CONFIGS = frozenset({"model_config", "training_config", "config"})
"""Root attributes that Keras turns into objects when it loads a model."""
_JSON = re.compile(rb"[\s\0\xef\xbb\xbf\xff\xfe]*[{\[]")
"""The beginning of JSON in any encoding."""


def begins_like_a_file(head: bytes) -> bool:
    """Whether bytes begin like a format that some program would open."""
    return head.startswith(_MAGIC)


class Contents:
    """Turns values of attributes and datasets into facts.

    Args:
        medium: The file.
    """

    def __init__(self, medium: Medium) -> None:
        self._medium = medium
        self.heap = GlobalHeap(medium)
        self._settings = _SETTINGS

    def attribute(self, path: str, attribute: Attribute) -> Iterator[Fact]:
        """Give the facts of one attribute: its text as a `Setting`, or what it holds as a member."""
        name = f"{path}@{attribute.name}"
        datatype = attribute.datatype
        single = attribute.space.count == 1
        for blob, offset in self._values(attribute):
            head = blob.read(0, 64)
            if begins_like_a_file(head) or self._pickle(blob):
                yield self._medium.source.member(name, blob)
            elif path == "/" and attribute.name in KERAS_CONFIGS and _JSON.match(head):
                yield self._medium.source.member(name, blob, "keras-config")
            elif datatype.text and head.lstrip()[:1] in {b"{", b"["}:
                yield self._medium.source.member(name, blob)
            elif datatype.text and single and self._settings > 0:
                self._settings -= 1
                text = _text(blob, offset)
                yield Setting(self._medium.source.place.at(offset), "hdf5", name, text)
                if isinstance(text, str):
                    yield from carried_pickle(self._medium.source, name, text)

    def items(self, name: str, size: int, data: bytes) -> Iterator[Fact]:
        """Look at each of the fixed-size items in ``data``: strings and opaque values that begin like a file."""
        self._medium.source.budget.spend_steps(len(data) // size)
        for start in range(0, len(data), size):
            if data.startswith(_MAGIC, start):
                yield self._medium.source.member(name, BytesBlob(data[start : start + size]))

    def slots(self, name: str, datatype: Datatype, data: bytes, *, pickled: bool) -> Iterator[Fact]:
        """Read what the elements in ``data`` keep in the global heap; ``pickled`` says that the writer pickles it.

        A broken slot does not hide the others; the first one's reason is reported once.
        """
        places = datatype.heaped()
        broken: Broken | None = None
        count = 0
        for start in range(0, len(data) - datatype.size + 1, datatype.size or 1):
            self._medium.source.budget.spend_steps(8 + 8 * len(places))
            for at, kind in places:
                try:
                    found = self._slot(data, start + at, kind)
                except Broken as error:
                    broken = broken or error
                    count += 1
                    continue
                if found and (pickled or begins_like_a_file(found.read(0, 64))):
                    yield self._medium.source.member(name, found, "pickle" if pickled else "")
        if broken:
            yield self._medium.source.unread(f"{name}: {broken.reason} ({count:,} such values)", broken.offset)

    def _slot(self, data: bytes, start: int, kind: Datatype) -> Blob | None:
        """Resolve one heap reference and, through it, references inside what it leads to."""
        medium = self._medium
        lead = 4 if kind.kind == VARIABLE else 0
        length = int.from_bytes(data[start : start + 4], "little") if lead else 1
        address = int.from_bytes(data[start + lead : start + lead + medium.wide], "little")
        stop = start + lead + medium.wide
        index = int.from_bytes(data[stop : stop + 4], "little")
        if not length or address in {0, medium.undefined}:
            return None
        where, size = self.heap.find(address, index)
        base = kind.base
        if base is not None and (inner := base.heaped()):
            content = medium.take(where, min(size, length * base.size), "variable-length value")
            for at in range(0, len(content) - base.size + 1, base.size or 1):
                medium.source.budget.spend_steps(8 + 8 * len(inner))
                for more, deeper in inner:
                    self._slot(content, at + more, deeper)
        return medium.source.blob.window(medium.base + where, size)

    def _values(self, attribute: Attribute) -> Iterator[tuple[Blob, int]]:
        """Give the values that may hold text or bytes, each with its file offset."""
        datatype, data = attribute.datatype, attribute.data
        if datatype.kind == STRING and datatype.size:
            for start in range(0, len(data), datatype.size):
                value = data[start : start + datatype.size].rstrip(b"\0 " if datatype.bits & 0xF == 2 else b"\0")
                yield BytesBlob(value), attribute.offset
        elif datatype.bytewise:
            yield BytesBlob(data), attribute.offset
        elif places := datatype.heaped():
            for start in range(0, len(data) - datatype.size + 1, datatype.size or 1):
                self._medium.source.budget.spend_steps(8 + 8 * len(places))
                for at, kind in places:
                    found = self._slot(data, start + at, kind)
                    if found is not None:
                        yield found, attribute.offset

    def _pickle(self, blob: Blob) -> bool:
        """Whether PyTables would unpickle an attribute and some reader (not plain text) understands it."""
        if blob.size < 2 or blob.read(blob.size - 1, 1) != b".":  # PyTables unpickles whatever ends in a full stop
            return False
        place = self._medium.source.place
        probe = Source(blob, "", place, self._medium.source.budget)
        return any(reader.rank < _TEXT_RANK for reader in candidates(probe))


def _text(blob: Blob, offset: int) -> Value:
    head = blob.read(0, _SETTING_BYTES)
    if blob.size > _SETTING_BYTES:
        return Excerpt("str", head, blob.size, offset)
    return head.decode("utf-8", "replace")
