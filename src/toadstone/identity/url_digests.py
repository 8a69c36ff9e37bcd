"""What the addresses in a data set led to: one SHA-256 a row, beside the lock."""

from __future__ import annotations

import os
from pathlib import Path

from blake3 import blake3

from toadstone.core.errors import ToadstoneError

MAGIC = b"toadurl1"
_HEAD = 16
_EACH = 33
KNOWN, GONE, UNKNOWN = 1, 2, 0


class UrlDigestsError(ToadstoneError):
    """The digests of addresses cannot be used."""


def write_url_digests(path: Path, found: list[bytes | None], gone: set[int]) -> str:
    """Write the digests, aside first.

    Args:
        path: Of the file.
        found: For each row the SHA-256 of what its address led to; None: it could not be had.
        gone: Rows whose address led to nothing (404, 410).

    Returns:
        BLAKE3 of the file, hexadecimal.
    """
    lines = [
        bytes([GONE if row in gone else UNKNOWN]) + bytes(32) if one is None else bytes([KNOWN]) + one
        for row, one in enumerate(found)
    ]
    body = MAGIC + len(found).to_bytes(8, "little") + b"".join(lines)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(body)
    part.replace(path)
    return blake3(body).hexdigest()


class UrlDigests:
    """The digests, in memory: 33 bytes a row.

    Args:
        path: Of the file.
        digest: BLAKE3 that the lock names.

    Raises:
        UrlDigestsError: It is not there, or not what the lock names.
    """

    def __init__(self, path: Path, digest: str) -> None:
        try:
            self._data = path.read_bytes()
        except OSError as error:
            raise UrlDigestsError(f"{path} cannot be read: {error.strerror}.", "`toadstone pin` writes it again.") from None
        if blake3(self._data).hexdigest() != digest:
            raise UrlDigestsError(f"{path} is not what the lock names.", "Restore it, or pin the addresses again.")

    def __len__(self) -> int:
        return int.from_bytes(self._data[8:_HEAD], "little")

    def state(self, row: int) -> int:
        """Say what is known of a row's address: `KNOWN`, `GONE` or `UNKNOWN`."""
        return self._data[_HEAD + _EACH * row]

    def digest(self, row: int) -> bytes:
        """Give the SHA-256 of what a row's address led to."""
        at = _HEAD + _EACH * row + 1
        return self._data[at : at + 32]
