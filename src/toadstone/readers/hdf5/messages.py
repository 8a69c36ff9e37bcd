"""Header messages of which nothing follows but their own bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from toadstone.core.fact import Fact
from toadstone.readers.hdf5 import header as h
from toadstone.readers.hdf5.freespace import claim_free_space
from toadstone.readers.hdf5.medium import Broken, Cursor, Medium

_MODIFIED_OLD, _MODIFIED, _COMMENT, _TREE_K, _REFERENCES, _SPACE = 0x0E, 0x12, 0x0D, 0x13, 0x16, 0x17
_HANDLED = {
    h.NIL, h.DATASPACE, h.LINK_INFO, h.DATATYPE, h.LINK, h.EXTERNAL, h.LAYOUT, h.FILTERS,
    h.ATTRIBUTE, h.SYMBOL_TABLE, h.ATTRIBUTE_INFO,
}  # fmt: skip


def claim_plain(medium: Medium, message: h.Message, path: str) -> Iterator[Fact]:
    """Claim a message that only describes; an unknown one becomes unread.

    Messages that lead somewhere are claimed by those who follow them. The body of a NIL message is nobody's.
    """
    if message.type in _HANDLED:
        return
    parse = _PLAIN.get(message.type)
    if parse is None:
        must = "; whoever does not know it must not open the object" if message.flags & h.FAIL_ALWAYS else ""
        reason = f"{path}: a header message of type 0x{message.type:02x} is not known{must}"
        yield medium.source.unread(reason, message.offset, len(message.data))
        message.claim(medium, len(message.data))  # reported just now; once is enough
        return
    cursor = message.cursor(medium)
    try:
        if message.shared:
            cursor.take(cursor.left)
        else:
            parse(medium, cursor)
    except Broken as error:
        yield medium.source.unread(f"{path}: {error.reason}", error.offset)
    message.claim(medium, cursor.position)


def _fill(_medium: Medium, cursor: Cursor) -> None:
    version = cursor.number(1)
    if version == 3:
        if cursor.number(1) & 0x20:
            cursor.take(cursor.number(4))
        return
    if version not in {1, 2}:
        raise Broken(f"fill value version {version} is not known", cursor.offset)
    cursor.take(2)
    if cursor.number(1) or version == 1:
        cursor.take(cursor.number(4))


def _fill_old(_medium: Medium, cursor: Cursor) -> None:
    cursor.take(cursor.number(4))


def _group_info(_medium: Medium, cursor: Cursor) -> None:
    cursor.take(1)
    flags = cursor.number(1)
    cursor.take(4 * (flags & 1) + 2 * (flags & 2))


def _comment(_medium: Medium, cursor: Cursor) -> None:
    cursor.text()


def _sized(size: int) -> Callable[[Medium, Cursor], None]:
    def take(_medium: Medium, cursor: Cursor) -> None:
        cursor.take(size)

    return take


def _tree_k(medium: Medium, cursor: Cursor) -> None:
    cursor.take(1)
    medium.chunk_internal = cursor.number(2)
    medium.group_internal = cursor.number(2)
    medium.group_leaf = cursor.number(2)


def _space(medium: Medium, cursor: Cursor) -> None:
    """File-space handling: managers of free space are there only if the file keeps them between uses."""
    version = cursor.number(1)
    cursor.take(1)
    managers = 6
    persistent = True
    if version == 1:
        persistent = bool(cursor.number(1))
        managers = 12
    cursor.length()
    if version == 1:
        cursor.length()
        cursor.take(2)
        cursor.address()
    for _ in range(managers if persistent and cursor.left else 0):
        claim_free_space(medium, cursor.address())


_PLAIN: dict[int, Callable[[Medium, Cursor], None]] = {
    h.FILL_OLD: _fill_old,
    h.FILL: _fill,
    h.GROUP_INFO: _group_info,
    _COMMENT: _comment,
    _MODIFIED_OLD: _sized(16),
    _MODIFIED: _sized(8),
    _TREE_K: _tree_k,
    _REFERENCES: _sized(5),
    _SPACE: _space,
}
