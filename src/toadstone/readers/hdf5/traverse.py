"""From the superblock to every object that can be reached, each visited once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from toadstone.core.fact import Fact, Link, Setting
from toadstone.readers.hdf5 import header as h
from toadstone.readers.hdf5.attribute import Attribute, attributes
from toadstone.readers.hdf5.content import Contents
from toadstone.readers.hdf5.dataset import Dataset, dataset_facts, external_files
from toadstone.readers.hdf5.datatype import Datatype, read_dataspace, read_datatype, shared_datatype
from toadstone.readers.hdf5.freespace import settle_unreferenced
from toadstone.readers.hdf5.group import EXTERNAL, HARD, SOFT, group_links
from toadstone.readers.hdf5.medium import Broken, Cursor, Medium
from toadstone.readers.hdf5.messages import claim_plain
from toadstone.readers.hdf5.storage import Filter, Layout, read_filters, read_layout
from toadstone.readers.hdf5.superblock import Superblock, driver_block, read_superblock
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source

_PATH = 160
_SINGLE = frozenset({h.DATASPACE, h.DATATYPE, h.LAYOUT, h.FILTERS, h.EXTERNAL})
"""Messages that an object has once; the library takes the first."""

_REPORTED = 64
"""Broken parts of one file that are reported one by one."""

Parsed = TypeVar("Parsed")
_MATLAB = re.compile(rb"MATLAB [0-9.]+ MAT-file[ -~]{0,112}$")


def traverse(source: Source, start: int) -> Iterator[Fact]:
    """Give the facts of the HDF5 file whose superblock is at ``start``."""
    if start:
        yield from _user_block(source, start)
    try:
        medium, block = read_superblock(source, start)
    except Broken as error:
        yield source.unread(error.reason, error.offset)
        return
    if block.end > source.blob.size and block.end != medium.undefined:
        yield source.anomaly("malformed", f"the file ends before its declared end {block.end:,}", start)
    yield from _File(medium, block).facts()
    shared = medium.overlaps()
    if shared:
        yield source.anomaly("overlap", f"payload shares {shared[1] - shared[0]:,} bytes with another structure", shared[0])
    left = settle_unreferenced(medium, min(block.end, source.blob.size))
    if left:
        yield Setting(source.place, "hdf5", "unreferenced-bytes", left)


def _user_block(source: Source, start: int) -> Iterator[Fact]:
    """The bytes before the superblock belong to whoever wrote the file; MATLAB writes a line of text."""
    head = source.blob.read(0, 128)
    if _MATLAB.match(head[:116].rstrip(b"\0 ")) and head[126:128] in {b"IM", b"MI"}:
        source.coverage.read(0, 128)
        if not source.blob.read(128, start - 128).strip(b"\0"):
            return
    if any(piece.strip(b"\0") for piece in source.blob.chunks(0, start)):
        source.coverage.read(0, start)
        yield source.member("user-block", source.blob.window(0, start))


class _File:
    """The walk over the objects of one file."""

    def __init__(self, medium: Medium, block: Superblock) -> None:
        self._medium = medium
        self._block = block
        self._contents = Contents(medium)
        self._types: dict[int, Datatype] = {}
        self._seen: set[int] = set()
        self._broken = 0

    def facts(self) -> Iterator[Fact]:
        """Visit every object; a broken one does not hide the others."""
        if self._block.driver >= 0:
            yield from self._guarded("driver information", driver_block(self._medium, self._block.driver))
        stack = [("/", self._block.root)]
        if self._block.extension >= 0:
            stack.append(("superblock extension", self._block.extension))
        while stack:
            path, address = stack.pop()
            if address in self._seen:
                continue  # a second hard link, possibly to a parent: legal, and read already
            self._seen.add(address)
            yield from self._guarded(path, self._object(path, address, stack))
        if self._broken > _REPORTED:
            yield self._medium.source.unread(f"{self._broken - _REPORTED:,} further parts of the file are broken")

    def _guarded(self, path: str, work: Iterator[Fact]) -> Iterator[Fact]:
        try:
            yield from work
        except Broken as error:
            yield from self._report(path, error)

    def _report(self, path: str, error: Broken) -> Iterator[Fact]:
        self._broken += 1
        if self._broken <= _REPORTED:
            yield self._medium.source.unread(f"{path}: {error.reason}", error.offset)

    def _object(self, path: str, address: int, stack: list[tuple[str, int]]) -> Iterator[Fact]:
        medium = self._medium
        messages = h.read_header(medium, address)
        pickled = False
        for found in attributes(medium, messages, self._resolve):
            if isinstance(found, Broken):
                yield from self._report(path, found)
            else:
                pickled = pickled or _holds_objects(found)
                if path == "/" and found.name == "model_config":
                    medium.source.notes.setdefault("kind", "keras-h5")
                yield from self._guarded(f"{path}@{found.name}", self._contents.attribute(path, found))
        yield from self._links(path, messages, stack)
        yield from self._guarded(path, self._dataset(path, address, messages, pickled=pickled))
        for message in messages:
            yield from claim_plain(medium, message, path)

    def _links(self, path: str, messages: list[h.Message], stack: list[tuple[str, int]]) -> Iterator[Fact]:
        source = self._medium.source
        below: list[tuple[str, int]] = []
        try:
            for link in group_links(self._medium, messages):
                name = f"{path.rstrip('/')}/{link.name}"[:_PATH]
                if link.kind == HARD:
                    below.append((name, link.address))
                elif link.kind == EXTERNAL:
                    file, _, inner = link.target.partition("\0")
                    outside = escapes(file, nested=source.depth > 0)
                    yield Link(source.place.at(link.offset), f"{file}:{inner}" if inner else file, "external-link", outside)
                elif link.kind == SOFT:
                    if ".." in link.target.split("/"):
                        where = f"the soft link {name!r} leads to {link.target[:_PATH]!r}"
                        detail = f"{where}; HDF5 has no '..', tools that unpack groups into folders have"
                        yield source.anomaly("name-trick", detail, link.offset)
                else:
                    yield source.unread(f"{name}: a user-defined link of class {link.kind} leads somewhere", link.offset)
        except Broken as error:
            yield from self._report(path, error)
        stack.extend(reversed(below))

    def _dataset(self, path: str, address: int, messages: list[h.Message], *, pickled: bool) -> Iterator[Fact]:
        """Put the messages of a dataset together; any other object has no layout."""
        medium = self._medium
        offset = medium.base + address
        by_type: dict[int, h.Message] = {}
        for message in messages:
            if message.type in _SINGLE and message.type in by_type:
                detail = f"{path} has two header messages of type 0x{message.type:02x}"
                yield medium.source.anomaly("ambiguous-record", detail, message.offset)
            else:
                by_type[message.type] = message
        datatype = self._datatype(by_type)
        if h.LAYOUT not in by_type or h.DATASPACE not in by_type or datatype is None:
            return
        if by_type[h.DATASPACE].shared:
            raise Broken("a dataspace is kept in the file's table of shared messages", offset)
        space = self._parsed(by_type[h.DATASPACE], read_dataspace)
        layout: Layout = self._parsed(by_type[h.LAYOUT], lambda cursor: read_layout(cursor, datatype.size))
        filters: tuple[Filter, ...] = ()
        if h.FILTERS in by_type:
            if by_type[h.FILTERS].shared:
                raise Broken("a filter pipeline is kept in the file's table of shared messages", offset)
            filters = self._parsed(by_type[h.FILTERS], read_filters)
        if h.EXTERNAL in by_type:
            message = by_type[h.EXTERNAL]
            cursor = message.cursor(medium)
            yield from external_files(medium, cursor, offset)
            message.claim(medium, cursor.position)
        dataset = Dataset(path, datatype, space, layout, filters, offset, pickled)
        yield from dataset_facts(medium, self._contents, dataset)

    def _datatype(self, by_type: dict[int, h.Message]) -> Datatype | None:
        message = by_type.get(h.DATATYPE)
        if message is None:
            return None
        if message.shared:
            return self._resolve(self._parsed(message, lambda cursor: shared_datatype(self._medium, cursor)))
        return self._parsed(message, read_datatype)

    def _parsed(self, message: h.Message, parse: Callable[[Cursor], Parsed]) -> Parsed:
        cursor = message.cursor(self._medium)
        result = parse(cursor)
        message.claim(self._medium, cursor.position)
        return result

    def _resolve(self, address: int) -> Datatype:
        """Give the named datatype at an address; its other messages are read when the walk gets there."""
        if address not in self._types:
            for message in h.read_header(self._medium, address):
                if message.type == h.DATATYPE and not message.shared:
                    self._types[address] = self._parsed(message, read_datatype)
                    break
            else:
                raise Broken("a named datatype is not there", self._medium.base + address)
        return self._types[address]


def _holds_objects(attribute: Attribute) -> bool:
    """Whether PyTables marks a dataset as holding pickled objects."""
    return attribute.name == "PSEUDOATOM" and b"object" in attribute.data
