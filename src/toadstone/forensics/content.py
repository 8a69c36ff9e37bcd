"""What decoded content is: whom it names, whether it is a program, a file of a known kind, or only bytes."""

from __future__ import annotations

import ast
import pickletools
import re
import struct
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from toadstone.forensics.syntax import tree_of
from toadstone.intel.spotting import spot
from toadstone.intel.spotting_types import Spotted
from toadstone.intel.wording import commands

EXCERPT = 4096
"""Characters of the last stage that are kept for a person."""

_EXAMINED = 1 << 18
_REMEMBERED = 1 << 14
_HINT = re.compile(
    r"^\s*(?:import|from)\s+[\w.]+|;\s*(?:import|from)\s|\b(?:exec|eval|compile|__import__|getattr|open|\w+\.\w+)\s*\(",
    re.MULTILINE,
)
_PRINTED = re.compile(r"[\x20-\x7e\t]{4,}")
_ADDRESSES = frozenset({"url", "ipv4", "ipv6", "domain", "email"})
_CALLS = frozenset(
    "exec eval compile __import__ system popen Popen run call check_output urlopen urlretrieve loads connect get post "
    "import_module getattr open socket create_connection b64decode spawn execv".split()
)
_BRACKETS = 80

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "executable"),
    (b"PK\x03\x04", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"wOF", "font"),
    (b"OTTO", "font"),
    (b"\x00\x01\x00\x00", "font"),
    (b"%PDF-", "document"),
)


@dataclass(frozen=True)
class Content:
    """What a decoded value is.

    Attributes:
        kind: ``text``, ``python``, ``command``, ``pickle``, ``bytecode``, ``executable``, ``archive``, ``image``, ``font``,
            ``document`` or ``bytes``.
        text: What a person is shown of it.
        addresses: Network addresses in it, in order.
    """

    kind: str
    text: str
    addresses: tuple[Spotted, ...] = ()

    @property
    def telling(self) -> bool:
        """Whether it names somebody or does something."""
        return bool(self.addresses) or self.kind in ("python", "command", "pickle", "bytecode", "executable")


def content_of(value: str | bytes) -> Content:
    """Say what a decoded value is."""
    return _remembered(value) if len(value) <= _REMEMBERED else _content_of(value)


@lru_cache(maxsize=512)
def _remembered(value: str | bytes) -> Content:
    return _content_of(value)


def _content_of(value: str | bytes) -> Content:
    if isinstance(value, bytes):
        kind = _binary_kind(value)
        text = readable(value) if kind == "bytes" else ""
        if not text:
            shown = "\n".join(found[0] for found in _PRINTED.finditer(value[:_EXAMINED].decode("latin-1")))
            named = addresses(shown) if kind in ("pickle", "bytecode", "executable") else ()
            return Content(kind, shown[:EXCERPT], named)
    else:
        text = value
    return _of_text(text)


def _of_text(text: str) -> Content:
    examined = text[:_EXAMINED]
    kind = "python" if is_python(examined) else "command" if commands(examined) else "text"
    return Content(kind, text[:EXCERPT], addresses(examined))


def addresses(text: str) -> tuple[Spotted, ...]:
    """List the network addresses in a text."""
    if "." not in text and "://" not in text and ":" not in text:
        return ()
    return tuple(found for found in spot(text) if found.type in _ADDRESSES)[:64]


def readable(data: bytes) -> str:
    """Give the text that bytes are; empty if they are none."""
    if len(data) >= 8 and data[1::2].count(0) >= 0.9 * (len(data) // 2):
        text = data.decode("utf-16-le", "replace").removeprefix("\ufeff")
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return ""
    return text if is_readable(text) else ""


def is_readable(text: str) -> bool:
    """Whether a text consists of characters that people write."""
    if not text:
        return False
    sample = text[:8192]
    if sample.isprintable():
        return True
    odd = sum(count for character, count in Counter(sample).items() if not (character.isprintable() or character in "\n\r\t"))
    return odd * 50 <= len(sample)


def _binary_kind(data: bytes) -> str:
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if is_bytecode(data):
        return "bytecode"
    if data[:1] == b"\x80" and is_pickle(data):
        return "pickle"
    if data[:2] == b"MZ" and b"PE\0\0" in data[:1024]:
        return "executable"
    return "bytes"


def is_bytecode(data: bytes) -> bool:
    """Whether bytes begin like a marshalled code object: arguments, stack and flags are small numbers in every version."""
    if len(data) < 48 or data[0] not in (0x63, 0xE3):
        return False
    numbers = struct.unpack_from("<4I", data, 1)
    return max(numbers) < 1 << 12 and any(code in data[17:30] for code in (b"s", b"S", b"\xf3"))


def is_pickle(data: bytes) -> bool:
    """Whether bytes are one whole pickle with a header that imports something."""
    if len(data) < 12 or len(data) > _EXAMINED * 4 or not 2 <= data[1] <= 5:
        return False
    named = False
    try:
        for opcode, _argument, _place in pickletools.genops(data):
            named = named or opcode.name in ("GLOBAL", "STACK_GLOBAL", "INST", "REDUCE")
    except (ValueError, KeyError, IndexError, OverflowError, MemoryError, struct.error):
        return False
    return named


def is_python(text: str) -> bool:
    """Whether a text is a Python program that imports or calls something of weight; prose parses now and then by chance."""
    if not _HINT.search(text) or any(text.count(bracket) > _BRACKETS * 50 for bracket in "([{"):
        return False
    tree = tree_of(text)
    if tree is None:
        return False
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return True
        if isinstance(node, ast.Call):
            name = (
                node.func.id
                if isinstance(node.func, ast.Name)
                else node.func.attr
                if isinstance(node.func, ast.Attribute)
                else ""
            )
            if name in _CALLS:
                return True
    return False
