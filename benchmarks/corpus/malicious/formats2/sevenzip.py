"""7z archives, honest and bent."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterator, Sequence

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.hosts import EVIL

_CODERS: dict[str, list[tuple[bytes, bytes, dict[str, int]]]] = {
    "copy": [(b"\x00", b"", {})],
    "lzma": [(b"\x03\x01\x01", b"\x5d\x00\x00\x10\x00", {"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20})],
    "lzma2": [(b"\x21", b"\x14", {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 22})],
    "bcj-lzma2": [
        (b"\x03\x03\x01\x03", b"", {"id": lzma.FILTER_X86}),
        (b"\x21", b"\x14", {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 22}),
    ],
    "bcj-lzma": [
        (b"\x03\x03\x01\x03", b"", {"id": lzma.FILTER_X86}),
        (b"\x03\x01\x01", b"\x5d\x00\x00\x10\x00", {"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20}),
    ],
    "delta-lzma2": [
        (b"\x03", b"\x03", {"id": lzma.FILTER_DELTA, "dist": 4}),
        (b"\x21", b"\x14", {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 22}),
    ],
    "deflate": [(b"\x04\x01\x08", b"", {})],
    "aes": [(b"\x06\xf1\x07\x01", b"\x13\x00", {})],
    "ppmd": [(b"\x03\x04\x01", b"\x06\x00\x00\x00\x01", {})],
}


def number(value: int) -> bytes:
    """A number as 7z writes it."""
    for extra in range(8):
        if value < 1 << (7 * (extra + 1)):
            return bytes([(0xFF00 >> extra) & 0xFF | value >> (8 * extra)]) + (value & (1 << 8 * extra) - 1).to_bytes(
                extra, "little"
            )
    return b"\xff" + value.to_bytes(8, "little")


def _pack(data: bytes, method: str) -> bytes:
    if method == "deflate":
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(data) + packer.flush()
    filters = [chosen for _, _, chosen in _CODERS[method] if chosen]
    if not filters:
        return data
    return lzma.compress(data, lzma.FORMAT_RAW, filters=filters)


def _streams(position: int, packed: int, size: int, method: str, files: Sequence[tuple[int, int]] = ()) -> bytes:
    coders = _CODERS[method]
    folder = number(len(coders))
    for identifier, properties, _ in coders:
        folder += bytes([len(identifier) | (0x20 if properties else 0)]) + identifier
        folder += number(len(properties)) + properties if properties else b""
    for index in range(len(coders) - 1):
        folder += number(index) + number(index + 1)
    out = b"\x06" + number(position) + number(1) + b"\x09" + number(packed) + b"\x00"
    out += b"\x07\x0b" + number(1) + b"\x00" + folder + b"\x0c" + number(size) * len(coders) + b"\x00"
    if files:
        out += b"\x08\x0d" + number(len(files)) + b"\x09" + b"".join(number(length) for length, _ in files[:-1])
        out += b"\x0a\x01" + b"".join(struct.pack("<I", crc) for _, crc in files) + b"\x00"
    return out + b"\x00"


def archive(
    files: dict[str, bytes] | Sequence[tuple[str, bytes]],
    method: str = "lzma2",
    *,
    packed_header: bool = False,
    attributes: dict[str, int] | None = None,
    wrong: bool = False,
) -> bytes:
    """An archive with one solid block."""
    pairs = list(files.items()) if isinstance(files, dict) else list(files)
    full = [(name, data) for name, data in pairs if data]
    content = b"".join(data for _, data in full)
    packed = _pack(content, method)
    sums = [(len(data), zlib.crc32(data) ^ wrong) for _, data in full]
    header = b"\x01\x04" + _streams(0, len(packed), len(content), method, sums) + b"\x05" + number(len(pairs))
    if len(full) < len(pairs):
        row = _bits([not data for _, data in pairs])
        header += b"\x0e" + number(len(row)) + row
        row = _bits([not name.endswith("/") for name, data in pairs if not data])
        header += b"\x0f" + number(len(row)) + row
    names = b"\0" + b"".join(name.rstrip("/").encode("utf-16-le") + b"\0\0" for name, _ in pairs)
    header += b"\x11" + number(len(names)) + names
    if attributes:
        modes = b"\x01\x00" + b"".join(struct.pack("<I", attributes.get(name, 0x20)) for name, _ in pairs)
        header += b"\x15" + number(len(modes)) + modes
    header += b"\x00\x00"
    body = packed
    if packed_header:
        small = _pack(header, "lzma")
        body += small
        header = b"\x17" + _streams(len(packed), len(small), len(header), "lzma")
    start = struct.pack("<QQI", len(body), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + body + header


def _bits(row: list[bool]) -> bytes:
    out = bytearray(-(-len(row) // 8))
    for index, bit in enumerate(row):
        out[index >> 3] |= 0x80 >> (index & 7) if bit else 0
    return bytes(out)


def cases() -> Iterator[Case]:
    """Every case."""
    notes = b"Weights of a small model.\n" * 40
    for method in ("copy", "lzma", "lzma2", "bcj-lzma2", "bcj-lzma", "delta-lzma2", "deflate"):
        name = f"7z-{method}"
        yield Case(f"sevenzip/{method}.7z", archive({"readme.txt": notes, "model.pkl": EVIL}, method), name)
        yield Case(
            f"sevenzip/benign-{method}.7z", archive({"readme.txt": notes}, method), f"{name}-benign", "benign", payload=False
        )
    whole = {"a/readme.txt": notes, "a/": b"", "a/empty": b"", "a/model.pkl": EVIL}
    bent = {
        "packed-header": archive(whole, packed_header=True),
        "traversal": archive({"../../home/user/.bashrc": notes}),
        "absolute": archive({"/etc/cron.d/x": notes}),
        "link": archive({"weights": b"/etc/passwd"}, attributes={"weights": 0x8000 | 0o120777 << 16}),
        "duplicate": archive([("model.pkl", notes), ("model.pkl", EVIL)]),
        "wrong-checksum": archive({"model.pkl": EVIL}, wrong=True),
        "trailing-pickle": archive({"readme.txt": notes}) + EVIL,
        "under-another-name": archive({"model.bin": EVIL}),
    }
    for name, data in bent.items():
        suffix = "bin" if name == "under-another-name" else "7z"
        yield Case(f"sevenzip/{name}.{suffix}", data, f"7z-{name}")
    nested = archive({"inner.7z": archive({"x.pkl": EVIL}), "readme.txt": notes}, packed_header=True)
    yield Case("sevenzip/nested.7z", nested, "7z-nested")
    benign = {
        "folders": archive({"a/": b"", "a/b.txt": notes, "a/c": b""}, packed_header=True),
        "empty-name": archive({"x": notes}),
    }
    for name, data in benign.items():
        yield Case(f"sevenzip/benign-{name}.7z", data, f"7z-benign-{name}", "benign", payload=False)
