"""Rows without names: IDX arrays (as MNIST has them) and TFRecord files (TensorFlow data and TensorBoard logs).

Sources: "The IDX file format" (LeCun, MNIST page); TensorFlow "TFRecord and tf.train.Example", with CRC-32C as in RFC 3720.
"""

from __future__ import annotations

import struct
from functools import lru_cache

from toadstone.readers.checksum import crc32c
from toadstone.readers.cursor import Cursor
from toadstone.readers.plain.measure import measured
from toadstone.readers.reader import Source

_IDX_WIDTHS = {8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8}


def _idx_size(source: Source) -> int:
    """Compute the size of an IDX array; -1 if none begins here."""
    head = source.head(4 + 4 * 255)
    if head[:2] != b"\0\0" or len(head) < 8 or head[2] not in _IDX_WIDTHS or not 0 < head[3] <= 8 or len(head) < 4 + 4 * head[3]:
        return -1
    size = _IDX_WIDTHS[head[2]]
    for dimension in struct.unpack_from(f">{head[3]}I", head, 4):
        size *= dimension
    return 4 + 4 * head[3] + size


def idx_end(_cursor: Cursor, source: Source) -> int:
    """Multiply the dimensions; `claims` has seen that the data are there."""
    return _idx_size(source)


def _is_idx(source: Source) -> bool:
    """Whether an array of exactly the file's size begins here: the magic is too weak for less."""
    return _idx_size(source) == source.blob.size


@lru_cache(maxsize=1024)
def _masked_crc(data: bytes) -> int:
    """CRC-32C as TFRecord stores it: rotated and offset."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFF_FFFF


def _record(head: bytes) -> int:
    """Give the size of a record with its frame; -1 if its length does not carry the right checksum."""
    if len(head) < 12 or int.from_bytes(head[8:], "little") != _masked_crc(head[:8]):
        return -1
    return int.from_bytes(head[:8], "little") + 16


def _is_tfrecord(source: Source) -> bool:
    head = source.head(12)
    return len(head) == 12 and int.from_bytes(head[:8], "little") + 16 <= source.blob.size and _record(head) > 0


def tfrecord_end(cursor: Cursor, source: Source) -> int:
    """Walk the records as long as the checksum of the next length is right."""
    while cursor.left >= 16:
        buffer, index = cursor.buffered(12)
        size = _record(buffer[index : index + 12])
        if size < 0:
            break
        source.budget.spend_steps(8)
        cursor.skip(size)
    return cursor.position


READERS = (
    measured("idx", idx_end, marks=((0, b"\0\0"),), claims=_is_idx),
    measured("tfrecord", tfrecord_end, marks=((6, b"\0\0"),), claims=_is_tfrecord),  # no record has 2**48 bytes,
)
