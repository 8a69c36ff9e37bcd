"""Objects of R as facts: what runs when they are touched, and what they ask R to load."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Call, Code, Fact, Moment, Setting
from toadstone.core.value import Symbol, Value
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.nested import nested
from toadstone.readers.rdata.expressions import calls, render
from toadstone.readers.rdata.inputs import Binary, RError, Text
from toadstone.readers.rdata.items import CALL, CLOSURE, LIST, PROMISE, UNBOUND, Item, Items
from toadstone.readers.reader import Source

_BASE = frozenset("base stats utils graphics grDevices methods datasets tools parallel compiler splines grid tcltk".split())
_HOOKS = frozenset({".First", ".Last", ".First.sys", ".onLoad", ".onAttach"})
_SHOWN = 200


def read(source: Source, *, functions: bool = True) -> Iterator[Fact]:
    """Read objects to the end of the file; what is none stays unclaimed.

    Args:
        source: The file.
        functions: Whether functions and promises are reported that belong to a package as its code does.
    """
    cursor = Cursor(source.blob)
    is_workspace = re.match(rb"RD[XAB][23]\n", source.head(5)) is not None
    cursor.position = 5 if is_workspace else 0
    while cursor.left > 2:
        begin = cursor.position
        mark = source.blob.read(begin, 2)
        if mark not in (b"X\n", b"B\n", b"A\n"):
            return
        cursor.skip(2)
        stream = Text(cursor) if mark == b"A\n" else Binary(cursor, ">" if mark == b"X\n" else "<")
        items = Items(stream, source.budget)
        root: Item | None = None
        try:
            _versions(stream)
            root = items.read()
        except (ShortError, RError) as error:
            if begin <= 5:
                if isinstance(error, RError) and error.kind:
                    yield source.anomaly(error.kind, str(error), cursor.position)
                yield source.unread(f"rdata: cannot be followed: {error}", cursor.position)
        if root is not None or begin <= 5:
            if mark == b"A\n" and source.blob.read(cursor.position, 1) == b"\n":
                cursor.skip(1)
            source.coverage.read(0 if begin <= 5 else begin, cursor.position)
        if not functions:
            _forget_own_code(items)
        yield from _facts(source, items, root, is_workspace)
        if root is None:
            return


def _versions(stream: Binary | Text) -> None:
    version = stream.integer()
    stream.integer()
    stream.integer()
    if version == 3:
        size = stream.integer()
        if not 0 <= size <= 256:
            raise RError(f"an encoding with a name of {size:,} bytes", "resource-claim")
        stream.text(size, 256)
    elif version != 2:
        raise RError(f"version {version:,} is not known")


def _facts(source: Source, items: Items, root: Item | None, is_workspace: bool) -> Iterator[Fact]:
    if root is not None and root.kind == PROMISE and root not in items.promises:
        items.promises.append(root)
    yield from _lazy(source, items)
    if items.overflow:
        yield source.unread("more promises than any real object holds; not all of them were judged")
    hooks = dict(_hooks(root)) if is_workspace and root is not None else {}
    for name, item in hooks.items():
        yield from _code(source, item, "startup", f"{name}, which R runs by itself")
    known = {id(item) for item in (*items.actives, *hooks.values())}
    for item in items.closures:
        if id(item) not in known:
            yield from _code(source, item, "function", "a function")
    if root is not None and root.kind == CALL:
        yield from _calls(source, root, "call")
    for name in sorted(set(items.names)):
        if name not in _BASE:
            yield Setting(source.place, "r", "namespace", name[:_SHOWN])
    for start, size in items.raws:
        yield from nested(source, f"@{start}", source.blob.window(start, size))


def _forget_own_code(items: Items) -> None:
    """Leave out what every package has: functions, and promises that are bound to an environment of the package."""
    items.closures.clear()
    items.promises = [item for item in items.promises if _is_unbound(item)]
    items.delayed = [item for item in items.delayed if _is_unbound(item)]


def _is_unbound(item: Item) -> bool:
    """Whether a promise has no environment: R itself makes none."""
    return bool(item.value) and item.value[0][0] is None


def _lazy(source: Source, items: Items) -> Iterator[Fact]:
    """Give what runs as soon as somebody looks."""
    for item in filter(_is_unevaluated, items.promises):
        yield from _code(source, item, "promise", "an unevaluated promise")
    for item in filter(_is_unevaluated, items.delayed):
        if _is_unbound(item):
            yield from _code(source, item, "promise", "an unevaluated promise without an environment")
        else:
            yield from _calls(source, item, "delayed variable")
    for item in items.actives:
        yield from _code(source, item, "active binding", "a function that is called when a variable is looked at")


def _is_unevaluated(item: Item) -> bool:
    """Whether a promise has no value yet: then its expression runs when somebody looks at it."""
    return bool(item.value) and item.value[0][1].kind == UNBOUND


def _hooks(root: Item) -> Iterator[tuple[str, Item]]:
    """Find functions of a workspace that R runs without being asked."""
    for tag, item in root.value if root.kind == LIST else ():
        name = tag.value if tag is not None else None
        if isinstance(name, str) and name in _HOOKS and item.kind == CLOSURE:
            yield name, item


def _code(source: Source, item: Item, how: str, what: str) -> Iterator[Fact]:
    place = source.place.at(item.offset)
    yield Code(place, "r", how, f"{what}: {render(item, _SHOWN)}")
    yield from _calls(source, item, how)


def _calls(source: Source, item: Item, how: str) -> Iterator[Fact]:
    """Give the calls inside code that do more than compute."""
    for name, arguments in calls(item, source.budget):
        given: tuple[Value, ...] = tuple(value for tag, value in arguments if not tag)
        named = tuple((tag, value) for tag, value in arguments if tag)
        package, _, function = name.rpartition("::")
        callee = Symbol(package.rstrip(":") or "base", function)
        yield Call(source.place.at(item.offset), callee, given, named, how, "r", Moment.USE)
