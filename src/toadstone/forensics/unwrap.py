"""Decoding of constants whose decoder is out of sight, to a fixed point.

A constant counts as encoded only when all of it is strictly written in an encoding's alphabet and form, and what comes out
counts only when it is plainly meant: text that names an address, a program, a file of a known kind. Everything in between is
tried and thrown away. The search is bounded in stages, in tries and in bytes.
"""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from toadstone.forensics.candidates import SHELL, SHORTEST
from toadstone.forensics.content import Content, content_of, readable
from toadstone.forensics.decoders import FOLD_ERRORS, bunzip, inflate, rot13, unlzma, unuu
from toadstone.forensics.effort import NotWorkedOut

STAGES = 8
"""Stages inside each other that are taken off."""

_TRIES = 160
_LARGEST = 8 << 20
_AMBIGUOUS = 1 << 16
"""Characters up to which readings are tried that nearly any text allows."""

_SPACE = re.compile(r"\s+")
_HEX = re.compile(r"[0-9A-Fa-f]{12,}")
"""No pairs: each would cost the engine a hundred bytes, and the decoder refuses an odd number of digits."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]{12,}={0,2}|[A-Za-z0-9_-]{12,}={0,2}")
_BASE32 = re.compile(r"(?:[A-Z2-7]{14,}|[a-z2-7]{14,})={0,6}")
_BASE32HEX = re.compile(r"[0-9A-V]{14,}={0,6}")
_BASE85 = re.compile(r"[0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{15,}")
_ASCII85 = re.compile(r"[!-uz]{15,}")
_Z85 = re.compile(r"[0-9A-Za-z.:+=^!/*?&<>()\[\]{}@%$#-]{15,}")
_CODES = re.compile(r"\[?\s*(?:0x[0-9a-fA-F]{1,2}|\d{1,3})(?:[\s,;:.|-]+(?:0x[0-9a-fA-F]{1,2}|\d{1,3})){7,}\s*[\],]?")
_BITS = re.compile(r"(?:[01]{8}\s*){6,}")
_ESCAPES = re.compile(r"(?:\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[0-7]{3}){3,}")
_ENTITIES = re.compile(r"(?:&#x?[0-9a-fA-F]{2,6};){3,}")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}.{0,12}?){3,}", re.DOTALL)
_QUOTED = re.compile(r"(?:=[0-9A-F]{2}.{0,12}?){3,}", re.DOTALL)
_SCHEME = re.compile(r"\b(?:https?|ftps?|wss?|tcp|udp|ssh)://[\w\[]", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z+]{3,6}://")

_THROUGHOUT = re.compile(r"(?:%[0-9a-fA-F]{2}|&#x?[0-9a-fA-F]{2,6};|\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|=[0-9A-F]{2}|\s)+")
"""Text of which every character is escaped."""
_QUAD = re.compile(r"\s*(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?::\d{1,5})?\s*")

Decoder = Callable[[str], "str | bytes"]


@dataclass(frozen=True)
class Unwrapped:
    """What a constant turned out to hide.

    Attributes:
        steps: Stages that were taken off, the last one first.
        value: The content.
        content: What it is.
    """

    steps: tuple[str, ...]
    value: str | bytes
    content: Content


def _padded(text: str, width: int) -> str:
    text = text.rstrip("=")
    return text + "=" * (-len(text) % width)


def _base64(text: str) -> bytes:
    body = text.rstrip("=")
    if len(body) % 4 == 1:
        raise ValueError("no base64")
    return binascii.a2b_base64(_padded(body.replace("-", "+").replace("_", "/"), 4))


def _base32hex(text: str) -> bytes:
    table = str.maketrans("0123456789ABCDEFGHIJKLMNOPQRSTUV", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    return base64.b32decode(_padded(text.rstrip("=").translate(table), 8))


def _z85(text: str) -> bytes:
    from toadstone.forensics.decoders import DECODERS  # noqa: PLC0415

    return bytes(DECODERS["base64.z85decode"][1](text))


def _codes(text: str) -> bytes | str:
    numbers = [int(word, 0) for word in re.findall(r"0x[0-9a-fA-F]+|\d+", text)]
    return bytes(numbers) if max(numbers) < 256 else "".join(map(chr, numbers))


def _percent(text: str) -> str | bytes:
    made = urllib.parse.unquote_to_bytes(text)
    try:
        return made.decode("utf-8")
    except UnicodeDecodeError:
        return made


_ESCAPED = re.compile(r"\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\([0-7]{3})")


def _escapes(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16) if found[3] is None else int(found[3], 8)), text)


_WHOLE: tuple[tuple[str, re.Pattern[str], Decoder], ...] = (
    ("hex", _HEX, bytes.fromhex),
    ("base32", _BASE32, lambda text: base64.b32decode(_padded(text.upper(), 8))),
    ("base64", _BASE64, _base64),
    ("base32 (hex)", _BASE32HEX, _base32hex),
)
"""Encodings of whole texts, those with the smallest alphabets first."""

_LOOSE: tuple[tuple[str, re.Pattern[str], Decoder], ...] = (
    ("base85", _BASE85, base64.b85decode),
    ("ascii85", _ASCII85, base64.a85decode),
    ("z85", _Z85, _z85),
)
"""Encodings whose alphabets take nearly any word."""

_LOOSE_LONGEST = 1 << 18
"""Characters beyond which these are not tried: their decoders are written in Python, and payloads are short."""

_INSIDE: tuple[tuple[str, re.Pattern[str], Decoder], ...] = (
    ("percent", _PERCENT, _percent),
    ("html entities", _ENTITIES, html.unescape),
    ("escapes", _ESCAPES, _escapes),
    ("quoted-printable", _QUOTED, lambda text: quopri.decodestring(text.encode("ascii"))),
)
"""Encodings that leave ordinary characters as they are."""


_TURNED = re.compile(r"//:|^=|\bnigeb$|uggcf?:|ortva \d{3}")
"""Signs of text that is written backwards or moved by thirteen."""


def stages(value: str | bytes, *, thorough: bool = True) -> Iterator[tuple[str, str | bytes]]:
    """Give every reading of a value as one encoding, with what it says then.

    Args:
        value: Text or bytes.
        thorough: Whether to turn every text round and move its letters, which any text allows, or only those that show signs.
    """
    if isinstance(value, bytes):
        yield from _of_bytes(value)
        try:
            value = value.decode("ascii")
        except UnicodeDecodeError:
            return
    stripped = value.strip()
    body = _SPACE.sub("", stripped) if _SPACE.search(stripped) else stripped
    for step, pattern, decode in _candidates(stripped, body):
        if pattern is None or pattern.fullmatch(body):
            yield from _tried(step, decode, body)
    yield from _of_lines(stripped)
    if len(stripped) <= _AMBIGUOUS:
        yield from _of_parts(stripped)
        if thorough or _TURNED.search(stripped):
            yield "reversed", stripped[::-1]
            if any(character.isalpha() for character in stripped):
                yield "rot13", rot13(stripped)


def _of_parts(text: str) -> Iterator[tuple[str, str | bytes]]:
    """Read text in which only parts are encoded: a shell's words, escaped characters."""
    if SHELL.search(text):
        yield from _of_command(text)
    for step, pattern, decode in _INSIDE:
        if pattern.search(text):
            yield from _tried(f"{step} throughout" if _THROUGHOUT.fullmatch(text) else step, decode, text)


def _candidates(text: str, body: str) -> Iterator[tuple[str, re.Pattern[str] | None, Decoder]]:
    plain = body.isascii()
    if plain and len(body) >= SHORTEST:
        yield from _WHOLE
    if plain and len(body) >= 15 and (len(body) <= _AMBIGUOUS or len(text) == len(body)):
        if body.startswith("<~") and body.endswith("~>"):
            yield "ascii85", None, lambda held: base64.a85decode(held, adobe=True)
        elif len(text) - len(body) <= len(body) >> 4 and len(body) <= _LOOSE_LONGEST:
            yield from _LOOSE


def _of_lines(text: str) -> Iterator[tuple[str, str | bytes]]:
    if len(text) <= _AMBIGUOUS << 2:
        if _BITS.fullmatch(text):
            yield from _tried("binary digits", lambda held: bytes(int(bits, 2) for bits in re.findall("[01]{8}", held)), text)
        if _CODES.fullmatch(text):
            yield from _tried("character codes", _codes, text)
    lines = text.splitlines()
    if text.startswith("begin ") or ((len(lines[0]) > 4 if lines else False) and all(_uu_line(line) for line in lines[:64])):
        yield from _tried("uu", lambda held: unuu(held.encode("ascii")), text)


def _of_command(text: str) -> Iterator[tuple[str, str | bytes]]:
    """Give the words of a shell's command that are long enough to hide something, and the programs in it."""
    for found in _PROGRAM.finditer(text):
        yield f"{found[1]} -c", found[3].replace('\\"', '"')
    for word in _WORD.findall(text)[:32]:
        yield "shell word", word.removeprefix("=")


_PROGRAM = re.compile(r"\b(python[\d.]*|bash|sh)\b[^'\"\n]{0,40}\s-\w*c\s*(['\"])((?:\\.|(?!\2).)+)\2", re.DOTALL)
_WORD = re.compile(r"[^\s'\"|;&<>()$`]{12,}")


def _uu_line(line: str) -> bool:
    """Whether a line has the length that its first character says."""
    if not line or not "!" <= line[0] <= "M":
        return line in ("`", " ", "end", "")
    wanted = 1 + (ord(line[0]) - 32 + 2) // 3 * 4
    return wanted - 2 <= len(line) <= wanted + 1


_SQUEEZED: tuple[tuple[str, bytes, Callable[[bytes], bytes]], ...] = (
    ("gzip", b"\x1f\x8b\x08", lambda data: inflate(data, 31)),
    ("bz2", b"BZh", bunzip),
    ("lzma", b"\xfd7zXZ\x00", unlzma),
    ("lzma", b"\x5d\x00\x00", unlzma),
    ("zlib", b"\x78", inflate),
)


_UPPER, _LOWER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz"
_ROT13 = bytes.maketrans(_UPPER + _LOWER, _UPPER[13:] + _UPPER[:13] + _LOWER[13:] + _LOWER[:13])
_ZLIB_LEVELS = (b"\x01", b"\x5e", b"\x9c", b"\xda")


def _of_bytes(data: bytes) -> Iterator[tuple[str, str | bytes]]:
    squeezed = False
    for step, magic, expand in _SQUEEZED:
        if data.startswith(magic) and (step != "zlib" or int.from_bytes(data[:2], "big") % 31 == 0):
            for found in _tried(step, expand, data):
                squeezed = True
                yield found
    if squeezed:
        return
    if len(data) <= _AMBIGUOUS:
        turned = data[::-1]
        if _squeezed(turned) or turned[:1] in (b"\x80", b"\xe3"):
            yield "reversed", turned
        moved = data.translate(_ROT13)
        if _squeezed(moved) or _squeezed(moved[::-1]):
            yield "rot13", moved
        if len(data) > 8 and not data.isascii():
            yield from _tried("zlib (raw)", lambda held: inflate(held, -15), data)
        yield from _keyed(data)


def _squeezed(data: bytes) -> bool:
    return data.startswith((b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ")) or (data[:1] == b"x" and data[1:2] in _ZLIB_LEVELS)


def _keyed(data: bytes) -> Iterator[tuple[str, str | bytes]]:
    """Find the one-byte key under which bytes hold a scheme and ``://``: the differences in it do not depend on the key."""
    differences = (int.from_bytes(data[:-1], "big") ^ int.from_bytes(data[1:], "big")).to_bytes(max(len(data) - 1, 0), "big")
    index = differences.find(_SCHEME_MARK)
    while index >= 0:
        key = data[index + 2] ^ ord("/")
        if key:
            opened = data.translate(bytes(value ^ key for value in range(256)))
            if _TAG.search(opened.decode("latin-1")) and readable(opened):
                yield "xor", opened
                return
        index = differences.find(_SCHEME_MARK, index + 1)


_SCHEME_MARK = bytes([ord(":") ^ ord("/"), 0])
"""Differences between neighbours in ``://``."""


def _tried(step: str, decode: Callable[..., str | bytes], value: str | bytes) -> Iterator[tuple[str, str | bytes]]:
    try:
        made = decode(value)
    except (*FOLD_ERRORS, NotWorkedOut):
        return
    if made and made != value:
        yield step, made


_WEAK = frozenset({"reversed", "rot13", "percent", "html entities", "escapes", "quoted-printable", "shell word"})
"""Readings that turn ordinary text into other text."""


def unwrap(constant: str | bytes, *, thorough: bool = True) -> Unwrapped | None:
    """Take all stages off a constant; None when nothing that is plainly meant is inside.

    The shortest way to telling content counts, and what lies further inside that content is taken off in its turn.

    Args:
        constant: Text or bytes, all of it.
        thorough: As for `stages`.
    """
    if len(constant) < SHORTEST or len(constant) > _LARGEST:
        return None
    best: Unwrapped | None = None
    queue: list[tuple[tuple[str, ...], str | bytes]] = [((), constant)]
    seen: set[str | bytes] = {constant}
    spent = 0
    for steps, value in queue:
        for step, made in stages(value, thorough=thorough) if len(steps) < STAGES else ():
            spent += len(made)
            if made in seen or len(seen) > _TRIES or spent > _LARGEST + 8 * len(constant) or _turns_back(steps, step):
                continue
            seen.add(made)
            taken = (step, *steps)
            found = meant(taken, made, constant)
            if found is not None:
                best = found
                break
            if len(made) >= SHORTEST:
                queue.append((taken, made))
        if best is not None:
            break
    if best is None:
        return None
    deeper = unwrap(best.value) if len(best.steps) < STAGES and best.content.kind in ("text", "command") else None
    return Unwrapped((*deeper.steps, *best.steps)[:STAGES], deeper.value, deeper.content) if deeper is not None else best


def _turns_back(steps: tuple[str, ...], step: str) -> bool:
    """Whether a step undoes the one before, or only such steps were taken that turn any text into another."""
    return bool(steps) and step == steps[0] and step in ("reversed", "rot13")


def meant(steps: tuple[str, ...], value: str | bytes, constant: str | bytes) -> Unwrapped | None:
    """Give a decoded value if it is plainly meant.

    What is only reversed, moved or unescaped has to name an address with its scheme that could not be read before.
    """
    if isinstance(value, bytes) and value[:1] not in _HEADS and not readable(value):
        return None
    if isinstance(value, str) and not readable(value.encode("utf-8", "replace")):
        return None
    weak = all(step in _WEAK for step in steps)
    shown = value if isinstance(value, str) else readable(value) or value.decode("latin-1")
    if weak and (not _SCHEME.search(shown) or _same_addresses(shown, constant)) and not _turned_quad(steps, shown, constant):
        return None
    content = content_of(value)
    if content.kind == "text" and (not content.addresses or len(shown) < 7):
        return None
    if content.kind in ("pickle", "bytecode") and len(value) < 24:
        return None
    return Unwrapped(steps, value, content) if content.telling else None


_HEADS = frozenset({b"\x80", b"\xe3", b"c", b"\x7f", b"M"})


def _turned_quad(steps: tuple[str, ...], shown: str, constant: str | bytes) -> bool:
    """Whether a constant is nothing but an address written backwards, and no address as it stands."""
    return steps == ("reversed",) and isinstance(constant, str) and bool(_QUAD.fullmatch(shown)) and not _QUAD.fullmatch(constant)


def _same_addresses(shown: str, constant: str | bytes) -> bool:
    before = constant if isinstance(constant, str) else constant.decode("latin-1")
    return {found[0].lower() for found in _URLS.finditer(shown)} <= {found[0].lower() for found in _URLS.finditer(before)}


_URLS = re.compile(r"\w+://[\w.\[\]:-]+")
