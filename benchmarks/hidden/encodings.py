"""Encodings that hide a payload: each encodes bytes, and writes the Python that takes it off again."""

# ruff: noqa: E501  (one encoding a line)
from __future__ import annotations

import base64
import bz2
import codecs
import gzip
import lzma
import marshal
import pickle
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Encoding:
    """One way to hide bytes.

    Attributes:
        name: Of the encoding.
        encode: Hides bytes; gives bytes.
        undo: Writes an expression of Python that gives the bytes back, from one that gives the hidden bytes.
        text: Whether what it gives is ASCII text.
        blind: Whether it can be taken off without its key.
        pickled: Modules and names of callables of one argument that take it off in a pickle, outermost first.
    """

    name: str
    encode: Callable[[bytes, random.Random], bytes]
    undo: Callable[[str, random.Random], str]
    text: bool = True
    blind: bool = True
    pickled: tuple[str, ...] = ()


def _plain(function: Callable[[bytes], bytes]) -> Callable[[bytes, random.Random], bytes]:
    return lambda data, _random: function(data)


def _import(module: str) -> str:
    return f"__import__('{module}')"


def _calls(module: str, name: str) -> Callable[[str, random.Random], str]:
    return lambda inner, _random: f"{_import(module)}.{name}({inner})"


def _codec(name: str) -> Callable[[str, random.Random], str]:
    return lambda inner, _random: f"{_import('codecs')}.decode({inner}, '{name}')"


def _rot13(data: bytes) -> bytes:
    return codecs.encode(data.decode("latin-1"), "rot13").encode("latin-1")


def _undo_rot13(inner: str, _random: random.Random) -> str:
    return f"{_import('codecs')}.decode({inner}.decode('latin-1'), 'rot13').encode('latin-1')"


def _undo_url_safe(inner: str, _random: random.Random) -> str:
    return f"(lambda s: {_import('base64')}.urlsafe_b64decode(s + b'=' * (-len(s) % 4)))({inner})"


_REVERSALS = ("{0}[::-1]", "bytes(reversed({0}))", "b''.join([bytes([c]) for c in {0}][::-1])")


def _undo_reversed(inner: str, choice: random.Random) -> str:
    return choice.choice(_REVERSALS).format(f"({inner})")


_KEY = 0x5A
_XORS = (
    "bytes(c ^ 90 for c in {0})",
    "bytes([c ^ 0x5a for c in {0}])",
    "bytes(map(lambda c: c ^ 90, {0}))",
    "bytes(bytearray(c ^ (45 * 2) for c in {0}))",
    "''.join(chr(c ^ 90) for c in {0}).encode('latin-1')",
    "(lambda d, k: bytes(c ^ k for c in d))({0}, 90)",
    "__import__('functools').reduce(lambda a, c: a + bytes([c ^ 90]), {0}, b'')",
)
_WORD = b"k3y!"
_REPEATED = (
    "bytes(a ^ b for a, b in zip({0}, __import__('itertools').cycle(b'k3y!')))",
    "bytes(c ^ b'k3y!'[i % 4] for i, c in enumerate({0}))",
    "(lambda d, k: bytes(d[i] ^ k[i % len(k)] for i in range(len(d))))({0}, b'k3y!')",
)
_SHIFTS = ("bytes((c - 7) % 256 for c in {0})", "bytes(map(lambda c: (c + 249) & 255, {0}))")


def _styles(*styles: str) -> Callable[[str, random.Random], str]:
    return lambda inner, choice: choice.choice(styles).format(f"({inner})")


def _numbers(data: bytes) -> bytes:
    return " ".join(map(str, data)).encode()


def _percent(data: bytes) -> bytes:
    return b"".join(b"%%%02X" % value for value in data)


def _marshalled(data: bytes) -> bytes:
    return marshal.dumps(data)


ENCODINGS: tuple[Encoding, ...] = (
    Encoding("base64", _plain(base64.b64encode), _calls("base64", "b64decode"), pickled=("base64 b64decode",)),
    Encoding("base64-url", _plain(lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")), _undo_url_safe),
    Encoding("base85", _plain(base64.b85encode), _calls("base64", "b85decode"), pickled=("base64 b85decode",)),
    Encoding("ascii85", _plain(base64.a85encode), _calls("base64", "a85decode"), pickled=("base64 a85decode",)),
    Encoding("base32", _plain(base64.b32encode), _calls("base64", "b32decode"), pickled=("base64 b32decode",)),
    Encoding("base16", _plain(base64.b16encode), _calls("base64", "b16decode"), pickled=("base64 b16decode",)),
    Encoding("hex", _plain(lambda data: data.hex().encode()), _calls("binascii", "unhexlify"), pickled=("binascii unhexlify",)),
    Encoding("zlib", _plain(zlib.compress), _calls("zlib", "decompress"), text=False, pickled=("zlib decompress",)),
    Encoding("gzip", _plain(lambda data: gzip.compress(data, mtime=0)), _calls("gzip", "decompress"), text=False, pickled=("gzip decompress",)),
    Encoding("bz2", _plain(bz2.compress), _calls("bz2", "decompress"), text=False, pickled=("bz2 decompress",)),
    Encoding("lzma", _plain(lzma.compress), _calls("lzma", "decompress"), text=False, pickled=("lzma decompress",)),
    Encoding("rot13", _plain(_rot13), _undo_rot13),
    Encoding("reversed", _plain(lambda data: data[::-1]), _undo_reversed),
    Encoding("xor", _plain(lambda data: bytes(value ^ _KEY for value in data)), _styles(*_XORS), text=False, blind=False),
    Encoding(
        "xor-key",
        _plain(lambda data: bytes(value ^ _WORD[index % 4] for index, value in enumerate(data))),
        _styles(*_REPEATED),
        text=False,
        blind=False,
    ),
    Encoding("shifted", _plain(lambda data: bytes((value + 7) % 256 for value in data)), _styles(*_SHIFTS), text=False, blind=False),
    Encoding("codes", _plain(_numbers), _styles("bytes(int(n) for n in {0}.split())", "bytes(map(int, {0}.split()))")),
    Encoding("percent", _plain(_percent), _calls("urllib.parse", "parse.unquote_to_bytes"), pickled=("urllib.parse unquote_to_bytes",)),
    Encoding("uu", _plain(lambda data: codecs.encode(data, "uu")), _codec("uu")),
    Encoding("quoted-printable", _plain(lambda data: b"".join(b"=%02X" % value for value in data)), _codec("quopri")),
    Encoding("integer", _plain(lambda data: str(int.from_bytes(b"\x01" + data, "big")).encode()), _styles("(lambda n: n.to_bytes((n.bit_length() + 7) // 8, 'big')[1:])(int({0}))"), blind=False),
    Encoding("marshal", _plain(_marshalled), _calls("marshal", "loads"), text=False, blind=False, pickled=("marshal loads",)),
    Encoding("pickle", _plain(lambda data: pickle.dumps(data, protocol=4)), _calls("pickle", "loads"), text=False, blind=False, pickled=("pickle loads",)),
)  # fmt: skip
BY_NAME = {encoding.name: encoding for encoding in ENCODINGS}
_LARGEST_INTEGER = 1600


def hidden(data: bytes, names: tuple[str, ...], choice: random.Random) -> tuple[bytes, str] | None:
    """Hide data behind encodings, the first one innermost.

    Returns:
        The hidden bytes, and an expression with ``{0}`` for them that gives the data back; None when an encoding cannot take
        what the one before it gives.
    """
    steps: list[Encoding] = []
    for name in names:
        encoding = BY_NAME[name]
        if name == "integer" and len(data) > _LARGEST_INTEGER:
            return None
        data = encoding.encode(data, choice)
        steps.append(encoding)
    expression = "{0}"
    for encoding in reversed(steps):
        expression = encoding.undo(expression, choice).replace("{0}", "{0}")
    return data, expression
