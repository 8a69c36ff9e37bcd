"""Pure functions of constants by their dotted names, each total and bounded."""

# ruff: noqa: ANN401  (values of any type are worked out)
from __future__ import annotations

import ast
import binascii
import hashlib
import html
import ipaddress
import json
import re
import string
import struct
import urllib.parse
import warnings
from base64 import a85encode, b16encode, b32encode, b64encode, b85encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from toadstone.forensics.decoders import bunzip, inflate, inflate_with, unlzma
from toadstone.forensics.effort import BITS, ITEMS, Effort, NotWorkedOut
from toadstone.forensics.formatting import specified
from toadstone.forensics.objects import address, array, frombuffer, identifier, inflater, numbers
from toadstone.forensics.operators import binary, compare, unary

_LITERAL = 1 << 16
_DIGEST = 1 << 16


def as_bytes(items: Any = b"", *encoding: Any, **named: Any) -> bytes:
    """Make bytes of a list of numbers, of text, or a few zeros."""
    if isinstance(items, str):
        return bytes(items, *encoding, **named)
    if isinstance(items, int) and items > _LITERAL:
        raise NotWorkedOut("size")
    return bytes(items)


def _text(value: Any = "", *encoding: Any, **named: Any) -> str:
    if encoding or named:
        return str(value, *encoding, **named)
    if isinstance(value, int) and value.bit_length() > 8192:
        raise NotWorkedOut("a large number")
    return str(value)


def _integer(value: Any = 0, base: Any = None) -> int:
    if isinstance(value, (str, bytes)) and len(value) > BITS // 4:
        raise NotWorkedOut("a large number")
    return int(value) if base is None else int(value, base)


def _from_bytes(data: Any, byteorder: Any = "big", *, signed: Any = False) -> int:
    return int.from_bytes(data, byteorder, signed=bool(signed))


def _literal(text: Any) -> Any:
    if len(text) > _LITERAL or any(text.count(bracket) > 400 for bracket in "([{-"):
        raise NotWorkedOut("size")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(text)
    except SyntaxError:
        raise ValueError("no literal") from None


def _json(text: Any) -> Any:
    if len(text) > _LITERAL or text.count("[" if isinstance(text, str) else b"[") > 2000:
        raise NotWorkedOut("size")
    return json.loads(text)


def _range(*args: Any) -> range:
    made = range(*args)
    if len(made) > ITEMS:
        raise NotWorkedOut("size")
    return made


def _based(function: Callable[[Any], str]) -> Callable[[Any], str]:
    def apply(value: Any) -> str:
        if not isinstance(value, int):
            raise TypeError(type(value))
        return function(value)

    return apply


def _powered(effort: Effort, base: Any, exponent: Any, modulus: Any = None) -> Any:
    if modulus is None:
        return binary(effort, "**", base, exponent)
    if any(not isinstance(value, int) or value.bit_length() > 4096 for value in (base, exponent, modulus)):
        raise NotWorkedOut("a large number")
    effort.step(1 + exponent.bit_length() * (modulus.bit_length() >> 6))
    return pow(base, exponent, modulus)


def _packed(layout: Any, *values: Any) -> bytes:
    if struct.calcsize(layout) > _LITERAL:
        raise NotWorkedOut("size")
    return struct.pack(layout, *values)


def _unpacked(layout: Any, data: Any) -> tuple[Any, ...]:
    if struct.calcsize(layout) > _LITERAL:
        raise NotWorkedOut("size")
    return struct.unpack(layout, data)


_SIMPLE = re.compile(r"(?:\\[swdSWD]|\.|[^\\.\[\](){}*+?^$|]|\[\^?[\w\s:,;.=%#@!&/ -]+\])(?:\{\d{1,3}(?:,\d{1,3})?\}|\+)?\Z")
"""A pattern of one character or class, repeated at most once: no backtracking."""


def _pattern(pattern: Any, text: Any) -> Any:
    shown = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    if not (_SIMPLE.match(shown) or shown.replace(".", "") == "" or re.fullmatch(r"[\w :,;=%#@!&/-]+", shown)):
        raise NotWorkedOut("a pattern that may take long")
    if len(text) > _LITERAL << 4:
        raise NotWorkedOut("size")
    return re.compile(pattern)


def _substituted(effort: Effort, pattern: Any, new: Any, text: Any) -> Any:
    if not isinstance(new, (str, bytes)) or b"\\"[0] in (new if isinstance(new, bytes) else new.encode()):
        raise NotWorkedOut("a replacement that is no text")
    effort.hold(len(text) * (len(new) + 1))
    return _pattern(pattern, text).sub(new, text)


def _digest(name: str) -> Callable[..., Any]:
    def make(data: Any = b"", **_usedforsecurity: Any) -> Any:
        if len(data) > _DIGEST:
            raise NotWorkedOut("size")
        return Digest(hashlib.new(name, bytes(data), usedforsecurity=False).digest())

    return make


def _operator(sign: str) -> Callable[..., Any]:
    return lambda effort, left, right: binary(effort, sign, left, right)


def _comparison(sign: str) -> Callable[..., Any]:
    return lambda effort, left, right: compare(effort, sign, left, right)


def _getitem(_effort: Effort, owner: Any, key: Any) -> Any:
    return owner[key]


def _dotted_quad(data: Any) -> str:
    if len(data) != 4:
        raise ValueError(len(data))
    return ".".join(map(str, bytes(data)))


WITH_EFFORT: dict[str, Callable[..., Any]] = {
    "builtins.pow": _powered,
    "re.sub": _substituted,
    "builtins.divmod": lambda effort, a, b: (binary(effort, "//", a, b), binary(effort, "%", a, b)),
    **{
        f"{module}.{name}": _operator(sign)
        for module in ("operator", "_operator")
        for name, sign in {
            "add": "+", "concat": "+", "iadd": "+", "iconcat": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//",
            "mod": "%", "pow": "**", "lshift": "<<", "rshift": ">>", "xor": "^", "ixor": "^", "and_": "&", "or_": "|",
            "__xor__": "^", "__add__": "+",
        }.items()
    },
    **{f"operator.{name}": _comparison(sign) for name, sign in {"eq": "==", "ne": "!=", "lt": "<", "gt": ">"}.items()},
    "operator.getitem": _getitem,
    "_operator.getitem": _getitem,
    "operator.neg": lambda effort, value: unary(effort, "-", value),
    "operator.invert": lambda effort, value: unary(effort, "~", value),
}  # fmt: skip
"""Functions that account for their own work."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "builtins.str": _text,
    "builtins.unicode": _text,
    "builtins.bytes": as_bytes,
    "builtins.bytearray": lambda *a, **k: bytearray(as_bytes(*a, **k)),
    "builtins.memoryview": bytes,
    "builtins.int": _integer,
    "builtins.float": float,
    "builtins.bool": bool,
    "builtins.ord": ord,
    "builtins.len": len,
    "builtins.hex": _based(hex),
    "builtins.oct": _based(oct),
    "builtins.bin": _based(bin),
    "builtins.abs": abs,
    "builtins.round": round,
    "builtins.repr": repr,
    "builtins.ascii": ascii,
    "builtins.format": lambda value, spec="": specified(value, spec),
    "builtins.list": list,
    "builtins.tuple": tuple,
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.dict": dict,
    "builtins.range": _range,
    "builtins.xrange": _range,
    "builtins.slice": slice,
    "builtins.int.from_bytes": _from_bytes,
    "builtins.str.maketrans": str.maketrans,
    "builtins.bytes.maketrans": bytes.maketrans,
    "builtins.bytearray.maketrans": bytes.maketrans,
    "string.maketrans": bytes.maketrans,
    "builtins.dict.fromkeys": dict.fromkeys,
    "ast.literal_eval": _literal,
    "json.loads": _json,
    "struct.pack": _packed,
    "struct.unpack": _unpacked,
    "struct.calcsize": struct.calcsize,
    "os.path.join": lambda *a: "/".join(a),
    "posixpath.join": lambda *a: "/".join(a),
    "os.fsdecode": lambda data: data if isinstance(data, str) else data.decode(),
    "os.fsencode": lambda data: data if isinstance(data, bytes) else data.encode(),
    "urllib.parse.quote": urllib.parse.quote,
    "urllib.parse.urljoin": urllib.parse.urljoin,
    "html.escape": html.escape,
    "socket.inet_ntoa": _dotted_quad,
    "socket.inet_aton": lambda text: ipaddress.IPv4Address(text).packed,
    "socket.htonl": lambda value: int.from_bytes(value.to_bytes(4, "little"), "big"),
    "socket.ntohl": lambda value: int.from_bytes(value.to_bytes(4, "little"), "big"),
    "ipaddress.ip_address": address,
    "ipaddress.IPv4Address": address,
    "ipaddress.IPv6Address": address,
    "uuid.UUID": identifier,
    "array.array": array,
    "numpy.frombuffer": frombuffer,
    "numpy.array": numbers,
    "numpy.asarray": numbers,
    "base64.b64encode": b64encode,
    "base64.urlsafe_b64encode": urlsafe_b64encode,
    "base64.encodebytes": encodebytes,
    "base64.b32encode": b32encode,
    "base64.b16encode": b16encode,
    "base64.b85encode": b85encode,
    "base64.a85encode": a85encode,
    "binascii.hexlify": lambda data, *_sep: binascii.hexlify(data),
    "binascii.b2a_hex": lambda data, *_sep: binascii.hexlify(data),
    "binascii.b2a_base64": lambda data, **_newline: binascii.b2a_base64(data),
    "binascii.crc32": binascii.crc32,
    "re.findall": lambda pattern, text: _pattern(pattern, text).findall(text),
    "re.split": lambda pattern, text: _pattern(pattern, text).split(text),
    **{f"hashlib.{name}": _digest(name) for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")},
}

CONSTANTS: dict[str, Any] = {
    **{f"string.{name}": getattr(string, name) for name in (
        "ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "octdigits", "printable",
        "punctuation", "whitespace",
    )},
    "zlib.MAX_WBITS": 15,
    "os.sep": "/",
    "lzma.FORMAT_AUTO": 0, "lzma.FORMAT_XZ": 1, "lzma.FORMAT_ALONE": 2, "lzma.FORMAT_RAW": 3,
}  # fmt: skip
"""Attributes of modules that are constants."""


class Digest:
    """What a hash function gives; keys of home-made ciphers are often made of one."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def method(self, name: str, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Any:
        """Give ``digest()`` or ``hexdigest()``.

        Raises:
            NotWorkedOut: For anything else.
        """
        if name not in ("digest", "hexdigest"):
            raise NotWorkedOut(f"method {name}")
        return self.data if name == "digest" else self.data.hex()


class Buffer:
    """A byte buffer (``io.BytesIO``), a compressed file over one, or a decompressor: objects that honest code reads from."""

    def __init__(self, kind: str, data: bytes = b"") -> None:
        self.kind = kind
        self.data = data

    def method(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Give what a method gives.

        Raises:
            NotWorkedOut: If it is none of those that are worked out.
        """
        if name == "__enter__":
            return self
        if self.kind in OPENERS and name == "decompress":
            return OPENERS[self.kind](args[0])
        if name in ("read", "getvalue") and self.kind in ("bytes", *OPENERS):
            made = OPENERS[self.kind](self.data) if self.kind in OPENERS else self.data
            return made[: args[0]] if args and isinstance(args[0], int) and args[0] >= 0 else made
        del kwargs
        raise NotWorkedOut(f"method {name}")


OPENERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: inflate(data, 31),
    "zlib": inflate,
    "bz2": bunzip,
    "lzma": unlzma,
}


def _buffer(data: Any = b"") -> Buffer:
    return Buffer("bytes", data.encode() if isinstance(data, str) else bytes(data))


def _opened(kind: str) -> Callable[..., Buffer]:
    def make(filename: Any = None, mode: Any = "rb", *_level: Any, fileobj: Any = None, **_options: Any) -> Buffer:
        held = fileobj if fileobj is not None else filename
        if not isinstance(held, Buffer) or "w" in str(mode):
            raise NotWorkedOut("a file")
        return Buffer(kind, held.data)

    return make


FUNCTIONS.update(
    {
        "io.BytesIO": _buffer,
        "_io.BytesIO": _buffer,
        "io.StringIO": _buffer,
        "gzip.GzipFile": _opened("gzip"),
        "gzip.open": _opened("gzip"),
        "zlib.decompressobj": lambda wbits=15, zdict=b"": (
            inflater(inflate_with, zdict) if zdict else Buffer("gzip" if wbits > 15 else "zlib")
        ),
        "bz2.BZ2Decompressor": lambda: Buffer("bz2"),
        "lzma.LZMADecompressor": lambda *_f, **_k: Buffer("lzma"),
        "bz2.BZ2File": _opened("bz2"),
        "bz2.open": _opened("bz2"),
        "lzma.LZMAFile": _opened("lzma"),
        "lzma.open": _opened("lzma"),
    }
)
