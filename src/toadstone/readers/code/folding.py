"""The pure functions, methods and operators that are worked out on constants, each total and bounded."""

# ruff: noqa: ANN401  (constants of any type are folded)
from __future__ import annotations

import ast
import base64
import binascii
import bz2
import codecs
import html
import lzma
import urllib.parse
import zlib
from collections.abc import Callable
from typing import Any

from toadstone.readers.code.names import TEXT_CODECS
from toadstone.readers.code.values import UNKNOWN

LONGEST = 1 << 20
"""Characters or bytes of one worked-out string at most."""

FOLD_ERRORS = (ValueError, TypeError, LookupError, OverflowError, ArithmeticError, EOFError, zlib.error, lzma.LZMAError, OSError)
"""What Python's own pure functions raise on arguments that they do not accept."""


def _inflate(data: bytes, wbits: int = 15) -> bytes:
    return zlib.decompressobj(wbits).decompress(data, LONGEST)


def _unpack(data: bytes, *_options: object) -> bytes:
    if data[:3] == b"BZh":
        return bz2.BZ2Decompressor().decompress(data, LONGEST)
    if data[:2] == b"\x1f\x8b":
        return _inflate(data, 31)
    return lzma.LZMADecompressor(memlimit=64 << 20).decompress(data, LONGEST)


_CODECS: dict[str, Callable[[Any], Any]] = {
    "rot13": lambda data: codecs.decode(data, "rot13"),
    "rot_13": lambda data: codecs.decode(data, "rot13"),
    "hex": binascii.unhexlify,
    "hex_codec": binascii.unhexlify,
    "base64": binascii.a2b_base64,
    "base64_codec": binascii.a2b_base64,
    "zlib": _inflate,
    "zip": _inflate,
    "zlib_codec": _inflate,
    "bz2": _unpack,
    "bz2_codec": _unpack,
}


def _codec_decode(data: Any, name: Any = "utf-8", *_errors: object) -> str | bytes:
    codec = str(name).lower()
    if codec in _CODECS:
        made: Any = _CODECS[codec](data)
        return made if isinstance(made, (str, bytes)) else b""
    if codec.replace("_", "-") not in TEXT_CODECS and codec not in TEXT_CODECS:
        raise ValueError(codec)
    return bytes(data, "latin-1").decode(codec) if isinstance(data, str) else bytes(data).decode(codec)


def _codec_encode(data: Any, name: Any = "utf-8", *_errors: object) -> str | bytes:
    codec = str(name).lower()
    if codec.startswith("rot"):
        return str(codecs.decode(data, "rot13"))
    if codec not in TEXT_CODECS:
        raise ValueError(codec)
    return str(data).encode(codec)


def _chr(number: Any) -> str:
    return chr(number)


def as_bytes(items: Any = b"", *encoding: Any) -> bytes:
    """Make bytes of a list of numbers or of text, but never of a length."""
    if isinstance(items, str):
        return bytes(items, *encoding)
    if isinstance(items, int):
        raise TypeError(items)
    return bytes(items)


def _literal(text: Any) -> Any:
    if len(text) > 4096:
        raise ValueError(text[:10])
    try:
        made = ast.literal_eval(text)
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError(text[:10]) from None
    return list(made) if isinstance(made, (tuple, list)) else made


def _joined(base: Any, items: Any) -> Any:
    return base.join(items)


DECODERS: dict[str, Callable[..., Any]] = {
    "base64.b64decode": base64.b64decode,
    "base64.standard_b64decode": base64.b64decode,
    "base64.decodebytes": binascii.a2b_base64,
    "base64.decodestring": binascii.a2b_base64,
    "base64.urlsafe_b64decode": base64.urlsafe_b64decode,
    "base64.b32decode": base64.b32decode,
    "base64.b16decode": base64.b16decode,
    "base64.b85decode": base64.b85decode,
    "base64.a85decode": base64.a85decode,
    "binascii.a2b_base64": binascii.a2b_base64,
    "binascii.unhexlify": binascii.unhexlify,
    "binascii.a2b_hex": binascii.unhexlify,
    "binascii.a2b_uu": binascii.a2b_uu,
    "codecs.decode": _codec_decode,
    "codecs.encode": _codec_encode,
    "zlib.decompress": lambda data, *_: _inflate(data),
    "gzip.decompress": lambda data: _inflate(data, 31),
    "bz2.decompress": _unpack,
    "lzma.decompress": _unpack,
    "builtins.bytes.fromhex": bytes.fromhex,
    "builtins.bytearray.fromhex": bytes.fromhex,
    "urllib.parse.unquote": urllib.parse.unquote,
    "urllib.parse.unquote_to_bytes": urllib.parse.unquote_to_bytes,
    "html.unescape": html.unescape,
    "builtins.chr": _chr,
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "builtins.str": lambda *a: (
        a[0].decode(a[1])
        if len(a) == 2 and isinstance(a[0], bytes) and a[1] in TEXT_CODECS
        else str(*a)
        if not isinstance(a[0], (list, bytes)) and abs(a[0] if isinstance(a[0], int) else 0) < 1 << 512
        else UNKNOWN
    ),
    "builtins.bytes": as_bytes,
    "builtins.bytearray": as_bytes,
    "builtins.int": lambda text, base=10: int(text, base) if isinstance(text, str) and len(text) < 300 else int(text),
    "builtins.ord": ord,
    "builtins.len": len,
    "builtins.hex": hex,
    "builtins.list": list,
    "builtins.tuple": list,
    "builtins.reversed": lambda items: list(items)[::-1],
    "builtins.sorted": sorted,
    "builtins.range": lambda *a: list(range(*a)) if len(range(*a)) <= 4096 else UNKNOWN,
    "ast.literal_eval": _literal,
    "os.path.join": lambda *a: "/".join(a),
    "posixpath.join": lambda *a: "/".join(a),
    "operator.concat": lambda a, b: a + b,
    "operator.add": lambda a, b: a + b,
    "operator.xor": lambda a, b: a ^ b,
    "builtins.str.join": _joined,
}


def _format(text: Any, *args: Any) -> Any:
    if not isinstance(text, str) or len(text) > 10_000 or any(character in text for character in ":!.["):
        raise ValueError("only plain fields are filled in")
    return text.format(*args)


def _ljust(text: Any, name: str, *args: Any) -> Any:
    return getattr(text, name)(*args)


def _replace(text: Any, old: Any, new: Any, *count: Any) -> Any:
    if len(text) * max(len(new), 1) > LONGEST:
        raise ValueError("too long")
    return text.replace(old, new, *count)


METHODS: dict[str, Callable[..., Any]] = {
    "join": _joined,
    "decode": _codec_decode,
    "encode": _codec_encode,
    "format": _format,
    "replace": _replace,
    "hex": lambda base: base.hex() if isinstance(base, bytes) else UNKNOWN,
    **{
        name: (lambda base, *a, _name=name: _ljust(base, _name, *a))
        for name in (
            "lower",
            "upper",
            "strip",
            "lstrip",
            "rstrip",
            "split",
            "swapcase",
            "title",
            "capitalize",
            "removeprefix",
            "removesuffix",
            "splitlines",
        )
    },
}


def _power(left: Any, right: Any) -> Any:
    if not isinstance(left, int) or not isinstance(right, int) or not 0 <= right <= 64 or abs(left) > 1 << 32:
        raise ValueError("too large")
    return left**right


def _times(left: Any, right: Any) -> Any:
    for text, count in ((left, right), (right, left)):
        if isinstance(text, (str, bytes, list)) and (not isinstance(count, int) or len(text) * max(count, 0) > LONGEST):
            raise ValueError("too long")
    return _small(left) * _small(right)


def _small(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > 512:
        raise ValueError("too large")
    return value


def _percent(left: Any, right: Any) -> Any:
    given = tuple(right) if isinstance(right, list) else right
    if isinstance(left, bytes):
        left, given = (
            left.decode("latin-1"),
            tuple(item.decode("latin-1") if isinstance(item, bytes) else item for item in _tupled(given)),
        )
        return str(_percent(left, list(given))).encode("latin-1")
    if isinstance(left, str) and left.count("%") != left.count("%s") + left.count("%d"):
        raise ValueError("only plain fields are filled in")
    return left % given


def _tupled(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "%": _percent,
    "*": _times,
    "**": _power,
    "-": lambda a, b: _small(a) - _small(b),
    "^": lambda a, b: _small(a) ^ _small(b),
    "&": lambda a, b: _small(a) & _small(b),
    "|": lambda a, b: _small(a) | _small(b),
    "//": lambda a, b: _small(a) // _small(b),
    ">>": lambda a, b: _small(a) >> min(_small(b), 1024),
    "<<": lambda a, b: _small(a) << b if b < 256 else UNKNOWN,
    "/": lambda a, b: _small(a) / _small(b),
}

NAMES = {
    "%": "mod",
    "*": "mul",
    "**": "pow",
    "-": "sub",
    "^": "xor",
    "&": "and_",
    "|": "or_",
    "//": "floordiv",
    ">>": "rshift",
    "<<": "lshift",
    "/": "truediv",
    "@": "matmul",
    "[]": "getitem",
}

SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.FloorDiv: "//",
    ast.MatMult: "@",
}
"""How operators are written, by their class in the syntax tree."""
