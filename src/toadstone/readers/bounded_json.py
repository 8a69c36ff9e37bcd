"""JSON from hostile bytes: memory is estimated before anything is built, repeated keys are kept."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import Any

_ROOM = 128 << 20
"""Bytes of Python objects that a document may become."""


class JsonError(ValueError):
    """The bytes are no JSON, or more than may be built."""


class Document:
    """A parsed document.

    Attributes:
        root: The value; objects are dicts in which the last of repeated keys wins, as in most parsers.
        repeated: Repeated keys, in order, and whether their values differ; of the first 64 objects that have any.
        shadowed: The pairs that a later value of the same key replaced, at most 64; some parsers take these.
    """

    def __init__(self) -> None:
        self.root: Any = None
        self.repeated: dict[str, bool] = {}
        self.shadowed: list[dict[str, Any]] = []


def parse(data: bytes, *, utf8_only: bool = False) -> Document:
    """Parse a document whose whole text is in memory.

    Args:
        data: UTF-8, or with a byte order mark or zero pattern also UTF-16 and UTF-32 as RFC 4627 had it and Python reads it.
        utf8_only: Refuse the other encodings, `NaN` and the infinities, as strict parsers do.

    Raises:
        JsonError: If it is no JSON, is nested too deeply, or would need too much memory.
    """
    import json  # noqa: PLC0415  (start-up time)

    if _estimate(data) > _ROOM:
        raise JsonError("the document would need more memory than any real one")
    document = Document()
    doubled: list[None] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(items)
        if len(built) < len(items) and len(doubled) < 64:
            doubled.append(None)
            last = {key: index for index, (key, _) in enumerate(items)}
            earlier = [(key, value) for index, (key, value) in enumerate(items) if last[key] != index][:64]
            for key, value in earlier:
                document.repeated[key] = document.repeated.get(key, False) or value != built[key]
            document.shadowed += [{key: value} for key, value in earlier][: 64 - len(document.shadowed)]
        return built

    def constant(name: str) -> float:
        if utf8_only:
            raise JsonError(f"{name} is no JSON")
        return float(name.replace("Infinity", "inf"))

    try:
        text = data.decode("utf-8" if utf8_only else json.detect_encoding(data))
        document.root = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except RecursionError:
        raise JsonError("nested deeper than any parser goes") from None
    except ValueError as error:
        raise JsonError(str(error).splitlines()[0][:120]) from None
    return document


def is_affordable(data: bytes) -> bool:
    """Whether a document may be parsed as a whole."""
    return _estimate(data) <= _ROOM


def _estimate(data: bytes) -> int:
    """Bound the memory of the objects: a dict, a list, an item of either, and the text itself twice."""
    return data.count(b"{") * 300 + data.count(b"[") * 120 + data.count(b",") * 60 + 2 * len(data)
