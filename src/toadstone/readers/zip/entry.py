"""One member of a zip file, as its two headers and its descriptor tell of it."""

from __future__ import annotations

from toadstone.core.record import dataclass
from toadstone.readers.zip.records import DESCRIBED, ENCRYPTED, FULL32, STRONG, Descriptor, Header, unicode_name

STORED = 0
DEFLATED = 8


@dataclass(frozen=True, slots=True)
class View:
    """How one loader takes the member's content.

    Attributes:
        method: Compression method.
        packed: Bytes of packed content.
        unpacked: Bytes that it should unpack to, or -1 when not told.
        crc: CRC-32 that it should have, or -1 when not told.
        told_by: ``directory`` or ``header``.
    """

    method: int
    packed: int
    unpacked: int
    crc: int
    told_by: str


@dataclass(slots=True)
class Entry:
    """A member.

    Attributes:
        name: The name that the directory gives (the header's if no directory names the member), cut at NUL as C
            loaders and Python do.
        central: Its directory record; None when no directory names it.
        local: The header in front of its content; None when there is none where the directory points.
        offset: Where the local header stands or should stand.
        extent: Packed bytes that belong to it, by the authoritative view, cut where the file ends.
        descriptor: The data descriptor after the content, if there is one.
        directory: Index of the directory that names it; -1 when none does.
        taken: Whether a reader has dealt with its content.
    """

    name: str
    central: Header | None
    local: Header | None
    offset: int
    extent: int = 0
    descriptor: Descriptor | None = None
    directory: int = 0
    taken: bool = False

    @property
    def header(self) -> Header:
        """The authoritative header: the directory's, else the local one."""
        header = self.central or self.local
        assert header is not None  # an entry is made from one of them
        return header

    @property
    def data_offset(self) -> int:
        """Where the packed content begins, or -1 when the local header is missing."""
        return self.local.end if self.local is not None else -1

    @property
    def data_end(self) -> int:
        """Where the packed content ends."""
        return self.data_offset + self.extent

    @property
    def end(self) -> int:
        """Where the member ends, with its descriptor."""
        return self.data_end + (self.descriptor.size if self.descriptor else 0)

    @property
    def stored(self) -> bool:
        """Whether the content stands in the file as it is, by every header."""
        return self.header.method == STORED and (self.local is None or self.local.method == STORED)

    @property
    def plain(self) -> bool:
        """Whether it is stored, whole and not encrypted, and every loader sees the same name and the same bytes."""
        central, local = self.central, self.local
        if central is None or local is None or central.raw_name != local.raw_name or central.method or local.method:
            return False
        if (central.flags | local.flags) & (ENCRYPTED | STRONG) or not self.extent == central.packed == central.unpacked:
            return False
        if local.packed != central.packed and not (local.flags & DESCRIBED and local.packed in {0, FULL32}):
            return False
        return b"\x75\x70" not in central.extra and b"\x75\x70" not in local.extra

    @property
    def size(self) -> int:
        """Unpacked size as stated."""
        return self.header.unpacked if self.central or not self.described else -1

    @property
    def described(self) -> bool:
        """Whether the local header leaves the sizes to a descriptor."""
        return self.local is not None and bool(self.local.flags & DESCRIBED)

    @property
    def is_directory(self) -> bool:
        """Whether the name says that it is a folder."""
        return self.name.endswith("/")

    @property
    def mode(self) -> int:
        """Unix mode bits; 0 when the member was made elsewhere."""
        central = self.central
        return central.attributes >> 16 if central is not None and central.system in {3, 19} else 0

    @property
    def names(self) -> list[str]:
        """Every name that some loader uses, the authoritative one first."""
        found = [self.name]
        for header in (self.central, self.local):
            if header is not None:
                found.append(header.name.partition("\0")[0])
                found.append(unicode_name(header) or "")
        return [name for name in dict.fromkeys(found) if name]

    def views(self) -> list[View]:
        """List the ways in which loaders take the content, the directory's first, without repetition."""
        found: list[View] = []
        central, local = self.central, self.local
        if central is not None:
            found.append(View(central.method, central.packed, central.unpacked, central.crc, "directory"))
            if central.method == STORED and central.unpacked > central.packed and not central.encrypted:
                # loaders that map stored members into memory go by the unpacked size
                found.append(View(STORED, central.unpacked, central.unpacked, central.crc, "directory"))
        if local is None:
            return found
        view = self._local_view(local)
        if not found or (view.method, view.packed) != (found[0].method, found[0].packed):
            found.append(view)
        return found

    def _local_view(self, local: Header) -> View:
        packed, unpacked, crc = local.packed, local.unpacked, local.crc
        if self.described and (packed in {0, FULL32} or self.central is None):
            packed, unpacked, crc = self.extent, -1, -1
            if self.descriptor is not None:
                unpacked, crc = self.descriptor.unpacked, self.descriptor.crc
        return View(local.method, packed, unpacked, crc, "header")
