"""PyTorch's export archives (``.pt2``): programs as JSON, weights as plain files that a configuration declares.

A weight that its configuration describes is inert; programs, pickled weights, example inputs, libraries of AOTInductor and
everything else are read as what they are. Source: ``torch/export/pt2_archive`` of PyTorch 2.13.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Fact, Link
from toadstone.core.regex import regex
from toadstone.readers.bounded_json import JsonError, parse
from toadstone.readers.outside import escapes
from toadstone.readers.pickle import carve
from toadstone.readers.reader import Reader, Source
from toadstone.readers.zip import Archive, Entry, open_zip

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import Any

_CONFIGURATION = regex(r"((?:.*/)?data/(?:weights|constants)/)[^/]*_(?:weights|constants)_config\.json", re.DOTALL)
_LIMIT = 64 << 20
_MOST = 1 << 17
_WIDTHS = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 9: 4, 10: 8, 11: 16, 12: 1, 13: 2, 28: 2, 29: 1, 30: 1, 31: 1, 32: 1,
    33: 1, 34: 4, 35: 8,
}  # fmt: skip
"""Bytes of an element by ``torch._export.serde.schema.ScalarType``."""


def read(source: Source) -> Iterator[Fact]:
    """Declare the described weights inert, and read all other members."""
    archive = open_zip(source)
    names = {entry.name: entry for entry in archive.entries}
    for name, entry in names.items():
        if found := _CONFIGURATION.fullmatch(name):
            yield from _weights(source, archive, names, found[1], entry)
    yield from archive.facts(source)


def _weights(source: Source, archive: Archive, names: dict[str, Entry], folder: str, entry: Entry) -> Iterator[Fact]:
    blob = archive.content(source, entry)
    if blob is None or blob.size > _LIMIT:
        return
    try:
        document = parse(blob.read(0, blob.size)).root
    except JsonError:
        return  # the member itself is reported as unread
    config = document.get("config") if isinstance(document, dict) else None
    for described in list(config.values())[:_MOST] if isinstance(config, dict) else []:
        path = described.get("path_name") if isinstance(described, dict) else None
        if not isinstance(path, str):
            continue
        if escapes(path, nested=False):
            yield Link(source.place.inside(entry.name), path[:1000], "read-on-load", escapes=True)
        weight = names.get(folder + path)
        if weight is not None and not described.get("use_pickle") and _fits(described.get("tensor_meta"), weight.size):
            _plain(source, archive, weight)


def _plain(source: Source, archive: Archive, weight: Entry) -> None:
    """Claim a weight, unless a loader of another format would take its content for its own; then it is read as a member."""
    blob = archive.content(source, weight)
    if blob is None or blob.read(0, 4) in (b"PK\x03\x04", b"\x93NUM", b"\x7fELF"):
        return
    inside = Source(blob, weight.name, source.place.inside(weight.name), source.budget)
    if next(carve(inside, 0, blob.size), None) is None:
        archive.inert(source, weight)


def _fits(meta: Any, size: int) -> bool:  # noqa: ANN401  (parsed JSON)
    """Whether a described tensor lies in a storage of so many bytes."""
    if not isinstance(meta, dict) or meta.get("dtype") not in _WIDTHS:
        return False
    sizes, strides = _numbers(meta.get("sizes")), _numbers(meta.get("strides"))
    offset = _numbers([meta.get("storage_offset")])
    if sizes is None or strides is None or offset is None or len(sizes) != len(strides):
        return False
    extent = offset[0] + 1 + sum((count - 1) * stride for count, stride in zip(sizes, strides, strict=True)) if all(sizes) else 0
    return 0 <= extent * _WIDTHS[meta["dtype"]] <= size


def _numbers(values: Any) -> list[int] | None:  # noqa: ANN401
    numbers = (
        [value.get("as_int") if isinstance(value, dict) else None for value in values] if isinstance(values, list) else [None]
    )
    known = [number for number in numbers if isinstance(number, int) and 0 <= number < 1 << 48]
    return known if len(known) == len(numbers) <= 64 else None


def _claims(source: Source) -> bool:
    if source.head(4) != b"PK\x03\x04":
        return False
    archive = open_zip(source)
    return any(
        entry.name.rpartition("/")[2] == "archive_format" and archive.read(source, entry, 8).strip() == b"pt2"
        for entry in archive.entries
    )


READERS = (Reader("torch-export", read, marks=((0, b"PK\x03\x04"),), claims=_claims, rank=7),)
