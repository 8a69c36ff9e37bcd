"""Literal text of a template, and characters in it that no person sees."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from jinja2 import nodes

from toadstone.core.fact import Anomaly, Fact
from toadstone.readers.jinja.parse import every, line_of
from toadstone.readers.reader import Source

_SHORTEST = 8
"""Shorter literals are separators and markers."""

_INVISIBLE = frozenset(
    [
        0x00AD,
        0x034F,
        0x061C,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        0x180E,
        0x3164,
        0xFEFF,
        0xFFA0,
        *range(0x200B, 0x2010),
        *range(0x2060, 0x2070),
    ]
)
_BIDI = frozenset([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_MARKS = frozenset([0x061C, 0x200E, 0x200F])
_SPARING = 8
"""Marks of direction in one literal up to which they serve its letters; ordering with them takes no more."""
_TAGS = range(0xE0000, 0xE0080)
_SELECTORS = range(0xE0100, 0xE01F0)
_STRAY = 2
"""Joiners in one literal that say nothing yet: copied text carries them."""
_JOINERS = frozenset([0x200C, 0x200D])


def literals(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Yield ``(line, text)`` for literal output and string constants worth reading, each once."""
    seen: set[str] = set()
    for node in every(tree):
        text = node.data if isinstance(node, nodes.TemplateData) else node.value if isinstance(node, nodes.Const) else None
        if isinstance(text, str) and len(text.strip()) >= _SHORTEST and text not in seen:
            seen.add(text)
            yield line_of(node), text


def hidden(source: Source, tree: nodes.Template) -> Iterator[Fact]:
    """Yield an `Anomaly` for every literal that carries invisible characters.

    Joiners between letters of scripts that need them, emoji sequences, and literals that a template only removes
    from text (arguments of ``replace`` and of comparisons) are ordinary.
    """
    ordinary = {id(part) for node in every(tree) for part in _operands_only(node)}
    for node in every(tree):
        text = node.data if isinstance(node, nodes.TemplateData) else node.value if isinstance(node, nodes.Const) else None
        if not isinstance(text, str) or text.isascii() or id(node) in ordinary:
            continue
        found = invisible(text)
        if found:
            grave = sum(found.values()) > _STRAY or set(found) != {"joiner"}
            kinds = ", ".join(f"{count} {name}" for name, count in sorted(found.items()))
            shown = "".join(character for character in text if ord(character) not in _INVISIBLE and character.isprintable())[:80]
            decoded = tag_text(text)
            detail = f"invisible characters in a literal of the template ({kinds}) around {shown!r}"
            yield Anomaly(
                source.place.line(line_of(node)),
                "hidden-text" if grave else "stray-character",
                detail + (f"; as text: {decoded[:160]!r}" if decoded else ""),
            )


def _operands_only(node: nodes.Node) -> list[nodes.Node]:
    if isinstance(node, nodes.Compare):
        return [node.expr, *(operand.expr for operand in node.ops)]
    if isinstance(node, nodes.Filter) and node.name in {"replace", "trim"}:
        return list(node.args[:1])
    if (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Getattr)
        and node.node.attr in {"replace", "split", "strip", "lstrip", "rstrip"}
    ):
        return list(node.args[:1])
    return []


def invisible(text: str) -> dict[str, int]:
    """Count characters without a picture, by kind: ``tag``, ``direction``, ``selector``, ``joiner``, ``zero-width``."""
    counts: dict[str, int] = {}
    for index, character in enumerate(text):
        code = ord(character)
        if code < 0xAD:
            continue
        kind = _kind(text, index, code)
        if kind:
            counts[kind] = counts.get(kind, 0) + 1
    return counts


def _kind(text: str, index: int, code: int) -> str:
    if code in _TAGS:
        return "" if _in_flag(text, index) else "tag"
    if code in _SELECTORS:
        return "selector"
    if code in _MARKS and _right_to_left(text):
        return ""
    if code in _BIDI:
        return "direction"
    if code in _JOINERS:
        return "" if _joins(text, index) else "joiner"
    return "zero-width" if code in _INVISIBLE else ""


def _right_to_left(text: str) -> bool:
    """Whether a text has letters of a script that runs from right to left, and no more marks of direction than it needs."""
    if sum(ord(character) in _MARKS for character in text) > _SPARING:
        return False
    return any(unicodedata.bidirectional(character) in {"R", "AL"} and character.isalpha() for character in text)


def _in_flag(text: str, index: int) -> bool:
    """Whether a tag character belongs to an emoji flag, which has at most seven of them after a black flag."""
    return "\U0001f3f4" in text[max(index - 7, 0) : index]


def _joins(text: str, index: int) -> bool:
    """Whether a joiner stands between letters of a joining script or between pictures."""
    before = text[index - 1] if index else ""
    after = text[index + 1] if index + 1 < len(text) else ""
    return _joinable(before) and _joinable(after)


def _joinable(character: str) -> bool:
    if not character or ord(character) < 0x300:
        return False
    category = unicodedata.category(character)
    return category in {"So", "Sk", "Mn", "Mc", "Lo"} or 0xFE00 <= ord(character) <= 0xFE0F


def tag_text(text: str) -> str:
    """Read the tag characters in a text as the ASCII that they mirror (a known way to hide instructions)."""
    return "".join(chr(ord(character) - 0xE0000) for character in text if 0xE0020 <= ord(character) < 0xE007F)
