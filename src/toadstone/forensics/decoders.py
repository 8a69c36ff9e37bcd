"""Functions that turn hidden content into readable content, each total and bounded, by their dotted names.

Sources: the Python documentation of `base64`, `binascii`, `codecs`, `zlib`, `gzip`, `bz2`, `lzma`, `quopri`, `html` and
`urllib.parse`; RFC 4648, RFC 1924 and the ZeroMQ RFC 32 for the alphabets.
"""

# ruff: noqa: ANN401  (values of any type are worked out)
from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import html
import lzma
import quopri
import re
import struct
import urllib.parse
import warnings
import zlib
from collections.abc import Callable
from typing import Any

from toadstone.forensics.effort import LONGEST
from toadstone.forensics.serialised import unmarshal, unpickle

FOLD_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    OSError,
    RuntimeError,
    AssertionError,
    BufferError,
    MemoryError,
    StopIteration,
    struct.error,
    re.error,
)
"""What Python's own pure functions raise on arguments that they do not accept."""

_MEMORY = 64 << 20
_Z85 = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_B85 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_TO_B85 = bytes.maketrans(_Z85, _B85)
_HEX32 = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUV", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def inflate(data: bytes, wbits: int = 15) -> bytes:
    """Decompress a zlib, gzip (31) or raw (-15) stream, at most `LONGEST` bytes of it; what is cut off counts as well."""
    made = zlib.decompressobj(wbits).decompress(data, LONGEST)
    if not made and len(data) > 16:
        raise ValueError("no content")
    return made


def inflate_with(data: bytes, dictionary: bytes) -> bytes:
    """Decompress a zlib stream that was made with a dictionary, at most `LONGEST` bytes of it."""
    return zlib.decompressobj(zdict=bytes(dictionary)).decompress(data, LONGEST)


def bunzip(data: bytes) -> bytes:
    """Decompress bzip2, at most `LONGEST` bytes."""
    return bz2.BZ2Decompressor().decompress(data, LONGEST)


def unlzma(data: bytes, form: int = lzma.FORMAT_AUTO, _memlimit: object = None, filters: Any = None) -> bytes:
    """Decompress xz, lzma or (with filters) raw LZMA, at most `LONGEST` bytes and 64 MiB of dictionary."""
    if form == lzma.FORMAT_RAW:
        if any(isinstance(entry, dict) and entry.get("dict_size", 0) > _MEMORY for entry in filters or ()):
            raise ValueError("a dictionary that large")
        return lzma.LZMADecompressor(form, filters=filters).decompress(data, LONGEST)
    return lzma.LZMADecompressor(form, memlimit=_MEMORY).decompress(data, LONGEST)


def unuu(data: bytes) -> bytes:
    """Decode uuencoded lines, with or without ``begin`` and ``end``."""
    made: list[bytes] = []
    for line in data.splitlines():
        if not line.strip() or line.startswith((b"begin ", b"end")):
            continue
        made.append(binascii.a2b_uu(line))
    return b"".join(made)


def b85(data: Any) -> bytes:
    """Decode base85 as `base64.b85decode` does, in bounded memory."""
    return base64.b85decode(data)


def _base64(data: Any, altchars: Any = None, validate: Any = False) -> bytes:
    return base64.b64decode(data, altchars, validate=bool(validate))


def _lines(data: Any) -> bytes:
    return binascii.a2b_base64(data)


def _base32hex(data: Any, *_casefold: Any) -> bytes:
    return base64.b32decode(raw(data).upper().translate(_HEX32))


def _z85(data: Any) -> bytes:
    return base64.b85decode(raw(data).translate(_TO_B85))


def _ascii85(data: Any, *, foldspaces: Any = False, adobe: Any = False, ignorechars: Any = b" \t\n\r\v") -> bytes:
    return base64.a85decode(data, foldspaces=bool(foldspaces), adobe=bool(adobe), ignorechars=bytes(ignorechars))


def raw(data: Any) -> bytes:
    """Give the bytes of what a decoder accepts: bytes, or text of ASCII characters."""
    if isinstance(data, str):
        return data.encode("ascii")
    if not isinstance(data, (bytes, bytearray)):
        raise TypeError(type(data))
    return bytes(data)


def rot13(text: Any) -> str:
    """Move letters by thirteen."""
    return codecs.decode(text, "rot13") if isinstance(text, str) else codecs.decode(str(text, "ascii"), "rot13")


_BYTE_CODECS: dict[str, Callable[[bytes], bytes]] = {
    "hex": binascii.unhexlify,
    "base64": binascii.a2b_base64,
    "zlib": inflate,
    "zip": inflate,
    "bz2": bunzip,
    "uu": unuu,
    "quopri": quopri.decodestring,
    "quotedprintable": quopri.decodestring,
}
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "hex": binascii.hexlify,
    "base64": base64.encodebytes,
    "zlib": zlib.compress,
    "zip": zlib.compress,
    "bz2": bz2.compress,
    "quopri": quopri.encodestring,
}
_FOREIGN = frozenset({"idna", "mbcs", "oem", "undefined", "punycode"})
"""Codecs whose work grows faster than their input, or that depend on the machine."""


def codec_name(name: Any) -> str:
    """Normalise the name of a codec; empty for the default."""
    return str(name).lower().replace("-", "").replace("_", "").replace(" ", "").removesuffix("codec")


def decode(data: Any, encoding: Any = "utf-8", errors: Any = "strict") -> Any:
    """Do what `codecs.decode` and ``bytes.decode`` do, for every codec between bytes and text that Python brings."""
    name = codec_name(encoding)
    if name == "rot13":
        return rot13(data)
    if name in _BYTE_CODECS:
        return _BYTE_CODECS[name](raw(data) if not isinstance(data, str) else data.encode("latin-1"))
    if name in _FOREIGN and len(data) > 300:
        raise ValueError(name)
    held = data.encode("latin-1") if isinstance(data, str) else bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # escapes that Python does not know
        made = codecs.decode(held, str(encoding), str(errors))
    if not isinstance(made, str):
        raise TypeError(name)
    return made


def encode(data: Any, encoding: Any = "utf-8", errors: Any = "strict") -> Any:
    """Do what `codecs.encode` and ``str.encode`` do."""
    name = codec_name(encoding)
    if name == "rot13":
        return rot13(data)
    if name in _ENCODERS:
        return _ENCODERS[name](raw(data))
    if name in _FOREIGN and len(data) > 300:
        raise ValueError(name)
    if not isinstance(data, str):
        raise TypeError(data)
    return codecs.encode(data, str(encoding), str(errors))


def _unescaped(data: Any, *_errors: Any) -> tuple[bytes, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return codecs.escape_decode(raw(data))[0], len(data)


def _unquote_plus(text: Any, *options: Any) -> str:
    return urllib.parse.unquote_plus(text, *options)


def _decompress(data: Any, wbits: Any = 15, *_size: Any) -> bytes:
    return inflate(data, int(wbits))


DECODERS: dict[str, tuple[str, Callable[..., Any]]] = {
    "base64.b64decode": ("base64", _base64),
    "base64.standard_b64decode": ("base64", base64.b64decode),
    "base64.decodebytes": ("base64", _lines),
    "base64.decodestring": ("base64", _lines),
    "base64.urlsafe_b64decode": ("base64 (url-safe)", base64.urlsafe_b64decode),
    "base64.b32decode": ("base32", base64.b32decode),
    "base64.b32hexdecode": ("base32 (hex)", _base32hex),
    "base64.b16decode": ("base16", base64.b16decode),
    "base64.b85decode": ("base85", b85),
    "base64.a85decode": ("ascii85", _ascii85),
    "base64.z85decode": ("z85", _z85),
    "binascii.a2b_base64": ("base64", lambda data, **_strict: binascii.a2b_base64(data)),
    "binascii.unhexlify": ("hex", lambda data, *_sep: binascii.unhexlify(data)),
    "binascii.a2b_hex": ("hex", lambda data, *_sep: binascii.unhexlify(data)),
    "binascii.a2b_uu": ("uu", binascii.a2b_uu),
    "binascii.a2b_qp": ("quoted-printable", lambda data, *_h, **_header: quopri.decodestring(data)),
    "quopri.decodestring": ("quoted-printable", lambda data, *_h, **_header: quopri.decodestring(data)),
    "codecs.decode": ("codec", decode),
    "_codecs.decode": ("codec", decode),
    "codecs.encode": ("codec", encode),
    "_codecs.encode": ("codec", encode),
    "zlib.decompress": ("zlib", _decompress),
    "gzip.decompress": ("gzip", lambda data: inflate(data, 31)),
    "bz2.decompress": ("bz2", bunzip),
    "lzma.decompress": ("lzma", unlzma),
    "builtins.bytes.fromhex": ("hex", bytes.fromhex),
    "builtins.bytearray.fromhex": ("hex", bytes.fromhex),
    "urllib.parse.unquote": ("percent", urllib.parse.unquote),
    "urllib.parse.unquote_plus": ("percent", _unquote_plus),
    "urllib.parse.unquote_to_bytes": ("percent", urllib.parse.unquote_to_bytes),
    "urllib.unquote": ("percent", urllib.parse.unquote),
    "html.unescape": ("html entities", html.unescape),
    "html.parser.unescape": ("html entities", html.unescape),
    "codecs.escape_decode": ("escapes", _unescaped),
    "marshal.loads": ("marshal", unmarshal),
    **{f"{module}.loads": ("pickle", unpickle) for module in ("pickle", "_pickle", "cPickle", "dill", "cloudpickle")},
    "builtins.chr": ("character codes", chr),
    "builtins.unichr": ("character codes", chr),
}
"""Step name and function of everything that decodes."""

for _name in ("utf_8", "latin_1", "ascii", "utf_16", "utf_32", "raw_unicode_escape", "unicode_escape", "utf_7", "charmap"):
    if _name != "charmap":
        DECODERS[f"codecs.{_name}_decode"] = ("codec", lambda data, *_e, _codec=_name: (decode(data, _codec), len(data)))
        DECODERS[f"_codecs.{_name}_decode"] = DECODERS[f"codecs.{_name}_decode"]


def step_of(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Name the step that a call of a decoder is; empty for codecs that only turn bytes into text or back."""
    step = DECODERS[name][0]
    return codec_step(args[1] if len(args) > 1 else kwargs.get("encoding", "utf-8")) if step == "codec" else step


_CODEC_STEPS = {
    "zip": "zlib",
    "quopri": "quoted-printable",
    "unicodeescape": "escapes",
    "rawunicodeescape": "escapes",
    "utf7": "utf-7",
    "utf16": "utf-16",
    "utf16le": "utf-16",
    "utf16be": "utf-16",
    "utf32": "utf-32",
    "punycode": "punycode",
    "cp037": "ebcdic",
    "cp500": "ebcdic",
    "cp1140": "ebcdic",
    **{name: name for name in ("rot13", "hex", "base64", "zlib", "bz2", "uu", "quotedprintable")},
}


def codec_step(name: Any) -> str:
    """Name the step that a codec is; empty for plain text codecs."""
    return _CODEC_STEPS.get(codec_name(name), "")
