"""Expressions of R: rendered for a person, and searched for calls of functions that act on the world."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toadstone.core.budget import Budget
from toadstone.core.value import Opaque, Value
from toadstone.readers.rdata.items import (
    BYTECODE,
    CALL,
    CLOSURE,
    EXPRESSIONS,
    LIST,
    PROMISE,
    STRING,
    STRINGS,
    SYMBOL,
    VECTOR,
    Item,
)

ACTING = frozenset(
    """
    system system2 shell shell.exec pipe fifo eval evalq eval.parent source sys.source dyn.load library.dynam download.file
    url socketConnection serverSocket socketSelect unlink file.remove file.rename file.copy file.create write writeLines cat
    sink install.packages install_github Sys.setenv setwd do.call match.fun get get0 getFromNamespace getNativeSymbolInfo
    .Call .External .C processx::run callr::r reticulate::py_run_string py_run_string source_python py_eval import readRDS
    load loadNamespace requireNamespace library require curl_download curl_fetch_memory GET POST browseURL Rscript quit q
    makeActiveBinding reg.finalizer addTaskCallback trace assign parse str2lang str2expression
    """.split(),
)
"""Functions that run commands or code, load, fetch, delete, or name another function; checks tell them apart."""

_KEPT_ARGUMENTS = 16
_NODES = 100_000
_TEXT = 1000


def _children(item: Item) -> list[Item]:
    return [child for tag, child in item.value if isinstance(child, Item)] if isinstance(item.value, list) else []


def calls(item: Item, budget: Budget) -> Iterator[tuple[str, list[tuple[str, Value]]]]:
    """Yield the calls of `ACTING` functions inside an item, in order: name with its package, and arguments with their tags."""
    stack = [item]
    seen = 0
    while stack and seen < _NODES:
        top = stack.pop()
        seen += 1
        if top.kind == CALL and top.value:
            name = name_of(top.value[0][1])
            if name.rpartition(":")[2] in ACTING or name in ACTING:
                yield name, [(_tag(tag), value_of(child)) for tag, child in top.value[1 : 1 + _KEPT_ARGUMENTS]]
        if top.kind in (CALL, LIST, CLOSURE, PROMISE, BYTECODE, EXPRESSIONS, VECTOR):
            stack.extend(reversed(_children(top)))
    budget.spend_steps(min(seen, max(budget.steps, 0)))


def name_of(item: Item) -> str:
    """Name what is called: a symbol, ``package::symbol``, or nothing that can be told."""
    if item.kind == SYMBOL:
        return str(item.value)
    if item.kind == CALL and len(item.value) == 3 and item.value[0][1].value in ("::", ":::"):
        return f"{_text(item.value[1][1])}::{_text(item.value[2][1])}"
    if item.kind in (STRING, STRINGS):
        return _text(item)
    return ""


def _tag(tag: Item | None) -> str:
    return str(tag.value) if tag is not None and tag.kind == SYMBOL else ""


def _text(item: Item) -> str:
    if item.kind == STRINGS and item.value and isinstance(item.value[0][1].value, str):
        return str(item.value[0][1].value)
    return item.value if isinstance(item.value, str) else ""


def value_of(item: Item) -> Value:
    """Give a constant as it is, and anything else as it reads."""
    if item.kind in (STRING, STRINGS):
        return _text(item)[:_TEXT]
    if item.kind == CALL and item.value and (joined := _joined(item)):
        return joined[:_TEXT]
    return Opaque(render(item, 200))


def _joined(item: Item) -> str:
    """Join the constant parts of ``paste0`` and ``c``: a command in pieces is a command."""
    name = name_of(item.value[0][1])
    if name not in ("paste0", "paste", "c"):
        return ""
    parts = [_text(child) for tag, child in item.value[1:] if not _tag(tag)]
    return (" " if name == "paste" else "").join(parts)


def render(item: Any, room: int) -> str:  # noqa: ANN401
    """Write an item as R, at most about ``room`` characters long."""
    parts: list[str] = []
    stack: list[Any] = [item]
    left = room
    while stack and left > 0:
        top = stack.pop()
        text = top if isinstance(top, str) else _opened(top, stack)
        parts.append(text[:left])
        left -= len(text)
    return "".join(parts) + ("…" if left <= 0 else "")


def _opened(item: Item, stack: list[Any]) -> str:
    """Give what is written at once, and put what follows on the stack."""
    if item.kind == SYMBOL:
        return str(item.value)
    if item.kind in (STRING, STRINGS):
        return '"' + _text(item)[:120].replace("\n", "\\n") + '"'
    if item.kind == PROMISE:
        stack.extend([">", item.value[-1][1]] if len(item.value) > 1 else [">"])
        return "<promise: "
    if item.kind == CLOSURE:
        stack.extend([item.value[-1][1]] if item.value else [])
        return "function(…) "
    if item.kind == BYTECODE:
        first = next((child for child in _children(item) if child.kind in (CALL, SYMBOL)), None)
        stack.extend([first] if first is not None else [])
        return ""
    if item.kind in (CALL, LIST) and item.value:
        stack.append(")")
        for index, (tag, child) in reversed(list(enumerate(item.value[1:9]))):
            stack.append(child)
            stack.append((", " if index else "") + (f"{_tag(tag)} = " if _tag(tag) else ""))
        stack.append("(")
        stack.append(item.value[0][1])
        return ""
    return item.value if isinstance(item.value, str) and item.value else "…"
