"""Files that rows name: read within the data set's own folder, within bounds."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

LARGEST = 32 << 20
"""Bytes of a file that is read."""


def with_bytes(column: pa.Array, base: str) -> tuple[pa.Array, list[str]]:
    """Give the content of the files that a column names, as a struct of ``bytes`` and ``path``.

    A column of texts names files; so does a struct ``{bytes, path}`` where the bytes are missing, as Hugging Face ``datasets``
    writes it. Names lead below the data set's folder or nowhere.

    Args:
        column: Of the data set.
        base: The folder that names are relative to; empty: there is none.

    Returns:
        The column (any other as it is), and why rows could not be read, one reason a row.
    """
    kind = column.type
    named = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    struct = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0 and kind.get_field_index("path") >= 0
    if not named and not struct:
        return column, []
    paths = (column if named else column.field("path")).to_pylist()
    held = [None] * len(column) if named else column.field("bytes").to_pylist()
    contents: list[bytes | None] = []
    troubles: list[str] = []
    for path, raw in zip(paths, held, strict=True):
        content = raw
        if raw is None and path:
            content, reason = read(base, str(path))
            troubles += [reason] if reason else []
        contents.append(content)
    return pa.StructArray.from_arrays(
        [pa.array(contents, pa.large_binary()), pa.array(paths, pa.string())], ["bytes", "path"]
    ), troubles


def read(base: str, path: str) -> tuple[bytes | None, str]:
    """Read one file below a folder; gives its content, or None and why not."""
    if not base or "://" in path or Path(path).is_absolute():
        return None, "an image lies outside the data set's folder; it was not read"
    root = Path(base).resolve()
    try:
        place = Path(root, path).resolve()
        if root not in place.parents:
            return None, "an image lies outside the data set's folder; it was not read"
        if not place.is_file():
            return None, "an image that a row names is not there"
        if place.stat().st_size > LARGEST:
            return None, f"an image is larger than {LARGEST >> 20} MiB; it was not read"
        return place.read_bytes(), ""
    except (OSError, ValueError):
        return None, "an image that a row names cannot be read"


def base_of(name: str) -> str:
    """Give the folder that the names in a data set are relative to: its own; empty for what is in memory."""
    place = Path(name)
    if not name or not place.exists():
        return ""
    return name if place.is_dir() else str(place.absolute().parent)
