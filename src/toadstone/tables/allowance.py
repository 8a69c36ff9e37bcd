"""What looking at the rows of a file may cost when nobody asked for it.

Rows cost what they hold, not what their bytes are on disk: thirty kilobytes of gzip are eight million lines, half a megabyte of
Parquet sixty million rows. A file that was only named as something to scan must not choose that (see `toadstone.core.budget`);
whoever asks for rows, or names a column, gets all of them.
"""

from __future__ import annotations

from io import RawIOBase
from typing import BinaryIO, cast

from toadstone.core.errors import UsageError
from toadstone.tables.claims import RATIO
from toadstone.tables.dataset import Dataset

FREE_BYTES = 32 << 20
"""Bytes of rows that may come out of any file; above, no more than `RATIO` for each of its bytes."""
FREE_ROWS = 500_000
"""Rows that may come out of any file; above, no more than one for each of its bytes."""


class OutsizedError(UsageError):
    """The rows of a file are far more than its bytes.

    Args:
        what: Rows or bytes, with their number.
        size: Bytes of the file.
    """

    def __init__(self, what: str, size: int) -> None:
        advice = "to examine them, ask for it with --rows or name a column"
        super().__init__(f"{what} in {size:,} bytes are more than is looked at unasked; {advice}")


def check_rows(rows: int, size: int, more: str = "") -> None:
    """Refuse far more rows than bytes.

    Args:
        rows: How many.
        size: Bytes of the file.
        more: Said before the number when there may be more of them.

    Raises:
        OutsizedError: They are.
    """
    if rows > FREE_ROWS and rows > size:
        raise OutsizedError(f"{more}{rows:,} rows", size)


def check_bytes(unpacked: int, size: int, more: str = "") -> None:
    """Refuse what unpacks to far more than it is; arguments and error as of `check_rows`."""
    if unpacked > FREE_BYTES and unpacked > RATIO * size:
        raise OutsizedError(f"{more}{unpacked:,} bytes of rows", size)


def check_claims(dataset: Dataset) -> None:
    """Refuse a data set whose parts say that they hold far more than they are.

    Raises:
        OutsizedError: They do.
    """
    rows = unpacked = 0
    for fragment in dataset.fragments:
        some, size = fragment.claims()
        rows, unpacked = rows + some, unpacked + size
    check_rows(rows, dataset.size)
    check_bytes(unpacked, dataset.size)


class Counted(RawIOBase):
    """A stream that ends with an error when far more lines or bytes come out of it than its file has.

    Args:
        stream: Of what is unpacked.
        size: Bytes of the file.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        super().__init__()
        self._stream = stream
        self._size = size
        self._unpacked = self._lines = 0

    def read(self, size: int = -1) -> bytes:
        """Read as the stream does.

        Raises:
            OutsizedError: It is too much by now.
        """
        block = self._stream.read(size)
        self._unpacked += len(block)
        self._lines += block.count(b"\n")
        check_rows(self._lines, self._size, "at least ")
        check_bytes(self._unpacked, self._size, "at least ")
        return block

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go somewhere else; what is passed over counts as unpacked, not as lines."""
        place = self._stream.seek(offset, whence)
        self._unpacked = max(self._unpacked, place)
        return place


def counted(stream: BinaryIO, size: int) -> BinaryIO:
    """Bound a stream (see `Counted`)."""
    return cast("BinaryIO", Counted(stream, size))
