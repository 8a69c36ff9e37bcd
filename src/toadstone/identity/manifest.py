"""The digests of a table's blocks as a file, so that a later look can say where the table differs.

One line of JSON (the columns, and the rows of every block), then the digests, 32 bytes each: those of the columns of every block
of fixed length, then for every block that is cut by content its root and those of its columns. The roots follow from the file, so
that an edited one is recognised by whoever knows them (`toadstone.lock` does).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from toadstone.core.errors import ToadstoneError
from toadstone.identity.blocks import SIZE, Block
from toadstone.identity.table import Cut, TableIdentity

SCHEMA = "toadstone.blocks/1"
_LINE = 256 << 20


class ManifestError(ToadstoneError):
    """A manifest cannot be used."""


def write_manifest(path: Path, identity: TableIdentity) -> None:
    """Write the digests of the blocks, aside first.

    Args:
        path: Of the file.
        identity: Of the table.
    """
    cuts = identity.cuts or ()
    head = {
        "schema": SCHEMA,
        "columns": identity.columns,
        "blocks": [block.rows for block in identity.blocks],
        "cuts": None if identity.cuts is None else [cut.block.rows for cut in cuts],
    }
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("wb") as stream:
        stream.write(json.dumps(head, separators=(",", ":")).encode() + b"\n")
        stream.writelines(b"".join(block.columns) for block in identity.blocks)
        stream.writelines(cut.root + b"".join(cut.block.columns) for cut in cuts)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def read_manifest(path: Path) -> TableIdentity:
    """Read the digests of the blocks; the rows' own are in the index.

    Raises:
        ManifestError: It is not there, of another version, or damaged.
    """
    try:
        with path.open("rb") as stream:
            line = stream.readline(_LINE)
            digests = stream.read()
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}.", "`toadstone pin` writes it again.") from None
    try:
        head = json.loads(line)
        columns = tuple((str(name), str(kind)) for name, kind in head["columns"])
        fixed, cut = _counts(head["blocks"]), None if head["cuts"] is None else _counts(head["cuts"])
        version = head["schema"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ManifestError(f"{path} is no manifest: {error}.", "`toadstone pin` writes it again.") from None
    if version != SCHEMA:
        raise ManifestError(f"{path} is of version {version!r}, not {SCHEMA}.", "Use the toadstone that wrote it, or pin again.")
    width = SIZE * len(columns)
    if len(digests) != width * len(fixed) + (width + SIZE) * len(cut or ()):
        raise ManifestError(f"{path} is cut off or damaged.", "`toadstone pin` writes it again.")
    blocks = tuple(_block(rows, digests, index * width, len(columns)) for index, rows in enumerate(fixed))
    if cut is None:
        return TableIdentity(sum(fixed), columns, blocks)
    begin, step = width * len(fixed), width + SIZE
    cuts = []
    for index, rows in enumerate(cut):
        at = begin + index * step
        cuts.append(Cut(_block(rows, digests, at + SIZE, len(columns)), digests[at : at + SIZE]))
    return TableIdentity(sum(fixed), columns, blocks, tuple(cuts))


def _counts(found: Any) -> list[int]:  # noqa: ANN401  (anything that JSON can hold)
    counts = [count for count in found if type(count) is int and count > 0]
    if len(counts) != len(found):
        raise ValueError("a block has no rows")
    return counts


def _block(rows: int, digests: bytes, at: int, columns: int) -> Block:
    return Block(rows, tuple(digests[at + SIZE * index : at + SIZE * (index + 1)] for index in range(columns)))
