"""Programs and libraries in machine code or virtual machine code: ELF, PE, Mach-O, Java, WebAssembly.

Sources: System V ABI (ELF), Microsoft PE Format, ``mach-o/loader.h`` and ``mach-o/fat.h``, Java Virtual Machine
Specification chapter 4, WebAssembly core specification section 5.5. The code itself is not read: that it is there is the fact.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from toadstone.core.fact import Code, Fact
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.plain.measure import FormatError
from toadstone.readers.reader import Reader, Source

_NAMES = """
png jpg jpeg gif bmp webp tif tiff ico svg wav mp3 ogg flac mp4 avi pdf txt md rst json jsonl yaml yml toml csv tsv parquet arrow
feather npy npz pt pth pkl pickle joblib dill ckpt bin safetensors gguf ggml onnx h5 hdf5 keras msgpack pb tflite mlmodel skops
model spm vocab dat data weights params jinja
"""
_DATA_SUFFIXES = frozenset(f".{name}" for name in _NAMES.split())
"""Suffixes that promise data, a model or a document."""


def promises_data(source: Source) -> bool:
    """Whether the name promises anything but a program."""
    return source.suffix in _DATA_SUFFIXES


def elf_end(cursor: Cursor, source: Source) -> int:
    """Follow the program and section headers of an ELF file."""
    ident = cursor.take(16)
    if ident[4] not in (1, 2) or ident[5] not in (1, 2):
        raise FormatError("neither 32 nor 64 bits, or no byte order")
    order, wide = "<" if ident[5] == 1 else ">", ident[4] == 2
    header = cursor.unpack(struct.Struct(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH")))
    programs, sections, size = header[4], header[5], header[7]
    program_size, program_count, section_size, section_count = header[8:12]
    source.budget.spend_steps(program_count + section_count)
    end = max(size, programs + program_size * program_count, sections + section_size * section_count)
    for index in range(program_count):
        cursor.position = programs + index * program_size
        entry = cursor.unpack(struct.Struct(order + ("IIQQQQ" if wide else "IIIII")))
        end = max(end, entry[2] + entry[5] if wide else entry[1] + entry[4])
    for index in range(section_count):
        cursor.position = sections + index * section_size
        kind, offset, length = _elf_section(cursor, order, wide=wide)
        if kind != 8:  # SHT_NOBITS takes no room in the file
            end = max(end, offset + length)
    return _within(cursor, end)


def _elf_section(cursor: Cursor, order: str, *, wide: bool) -> tuple[int, int, int]:
    entry = cursor.unpack(struct.Struct(order + ("IIQQQQ" if wide else "IIIIII")))
    return entry[1], entry[4], entry[5]


def pe_end(cursor: Cursor, source: Source) -> int:
    """Follow the section table and the certificate table of a PE file."""
    cursor.position = 0x3C
    (start,) = cursor.unpack(struct.Struct("<I"))
    cursor.position = start
    if cursor.take(4) != b"PE\0\0":
        raise FormatError("no PE header")
    fields = cursor.unpack(struct.Struct("<HHIIIHH"))
    sections, optional = fields[1], fields[5]
    base = cursor.position
    source.budget.spend_steps(sections)
    end = max(base + optional + 40 * sections, _symbols_end(cursor, fields[3], fields[4]))
    cursor.position = base
    if optional >= 2:
        (magic,) = cursor.unpack(struct.Struct("<H"))
        certificates = {0x10B: 96, 0x20B: 112}.get(magic, 1 << 16) + 32
        if optional >= certificates + 8:
            cursor.position = base + certificates
            offset, size = cursor.unpack(struct.Struct("<II"))
            end = max(end, offset + size)
    for index in range(sections):
        cursor.position = base + optional + 40 * index + 16
        size, offset = cursor.unpack(struct.Struct("<II"))
        end = max(end, offset + size)
    return _within(cursor, end)


def _symbols_end(cursor: Cursor, start: int, count: int) -> int:
    """Give the end of the symbol table and of the names behind it, which some linkers keep behind the sections."""
    if not start:
        return 0
    cursor.position = start + 18 * count
    return cursor.position + max(cursor.unpack(struct.Struct("<I"))[0], 4)


def macho_end(cursor: Cursor, source: Source) -> int:
    """Follow the load commands of a Mach-O file, or the table of a universal one."""
    magic = cursor.take(4)
    if magic[:3] == b"\xca\xfe\xba":
        (count,) = cursor.unpack(struct.Struct(">I"))
        layout = struct.Struct(">IIIII" if magic[3] == 0xBE else ">IIQQII")
        slices = [cursor.unpack(layout) for _ in range(min(count, 64))]
        return _within(cursor, max((entry[2] + entry[3] for entry in slices), default=8))
    order = "<" if magic[:1] in (b"\xce", b"\xcf") else ">"
    wide = 0xCF in magic
    fields = cursor.unpack(struct.Struct(order + "IIIIII"))
    commands, size = fields[3], fields[4]
    cursor.skip(4 if wide else 0)
    end = cursor.position + size
    source.budget.spend_steps(min(commands, size // 8))
    for _ in range(min(commands, size // 8)):
        start = cursor.position
        kind, length = cursor.unpack(struct.Struct(order + "II"))
        if kind in (1, 0x19):
            cursor.skip(24 if kind == 1 else 32)
            offset, count = cursor.unpack(struct.Struct(order + ("II" if kind == 1 else "QQ")))
            end = max(end, offset + count)
        if length < 8:
            raise FormatError("a load command shorter than its own head")
        cursor.position = start
        cursor.skip(length)
    return _within(cursor, end)


def wasm_end(cursor: Cursor, source: Source) -> int:
    """Walk the sections of a WebAssembly module or component."""
    cursor.skip(8)
    while cursor.left:
        start = cursor.position
        section = cursor.take(1)[0]
        size = shift = 0
        while True:
            byte = cursor.take(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift > 28:
                break
        source.budget.spend_steps(1)
        if section > 13 or byte >= 0x80 or size > cursor.left:
            return start
        cursor.skip(size)
    return cursor.position


_CONSTANTS = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}


def class_end(cursor: Cursor, source: Source) -> int:
    """Walk a Java class file: constants, fields, methods, attributes."""
    short, long = struct.Struct(">H"), struct.Struct(">I")
    cursor.skip(8)
    left = cursor.unpack(short)[0] - 1
    while left > 0:
        tag = cursor.take(1)[0]
        if tag != 1 and tag not in _CONSTANTS:
            raise FormatError(f"constant of kind {tag}")
        cursor.skip(cursor.unpack(short)[0] if tag == 1 else _CONSTANTS[tag])
        left -= 2 if tag in (5, 6) else 1
        source.budget.spend_steps(1)
    cursor.skip(6)
    cursor.skip(2 * cursor.unpack(short)[0])

    def attributes() -> None:
        for _ in range(cursor.unpack(short)[0]):
            cursor.skip(2)
            cursor.skip(cursor.unpack(long)[0])
            source.budget.spend_steps(1)

    for _ in range(2):
        for _ in range(cursor.unpack(short)[0]):
            cursor.skip(6)
            attributes()
    attributes()
    return cursor.position


def _within(cursor: Cursor, end: int) -> int:
    if end > cursor.stop:
        cursor.position = cursor.stop
        raise ShortError(cursor.stop)
    return end


def _reader(
    kind: str,
    what: str,
    measure: Callable[[Cursor, Source], int],
    *magic: bytes,
    claims: Callable[[Source], bool] | None = None,
) -> Reader:
    """Make a reader that says what is there, whether or not its structure can be followed."""

    def read(source: Source) -> Iterator[Fact]:
        if promises_data(source):
            yield source.anomaly("false-name", f"{what} is named {source.name[-80:]!r}", 0)
        else:
            yield Code(source.place, "native", source.name, f"{what}, {source.blob.size:,} bytes")
        cursor = Cursor(source.blob)
        try:
            source.coverage.inert(0, measure(cursor, source))
        except (ShortError, FormatError) as error:
            yield source.unread(
                f"{kind}: the structure cannot be followed to its end: {error}", min(cursor.position, cursor.stop)
            )

    if claims is None:
        return Reader(kind=kind, read=read, heads=magic, rank=20)
    return Reader(kind=kind, read=read, marks=tuple((0, mark) for mark in magic), claims=claims, rank=20)


def _is_pe(source: Source) -> bool:
    head = source.head(64)
    start = int.from_bytes(head[0x3C:0x40], "little")
    return head.startswith(b"MZ") and source.blob.read(start, 4) == b"PE\0\0"


_THIN = (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
_FAT = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")


def _is_macho(source: Source) -> bool:
    head = source.head(8)
    return head[:4] in _THIN or (head[:4] in _FAT and 0 < int.from_bytes(head[4:8], "big") < 45)


def _is_class(source: Source) -> bool:
    head = source.head(8)
    return head.startswith(b"\xca\xfe\xba\xbe") and 45 <= int.from_bytes(head[6:8], "big") < 200


READERS = (
    _reader("elf", "a program or library for Linux (ELF)", elf_end, b"\x7fELF"),
    _reader("pe", "a program or library for Windows (PE)", pe_end, b"MZ", claims=_is_pe),
    _reader("mach-o", "a program or library for macOS (Mach-O)", macho_end, *_THIN, *_FAT, claims=_is_macho),
    _reader("java-class", "compiled Java code (class file)", class_end, b"\xca\xfe\xba\xbe", claims=_is_class),
    _reader("wasm", "a WebAssembly module", wasm_end, b"\0asm"),
)
