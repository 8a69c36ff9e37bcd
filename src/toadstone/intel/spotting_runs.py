"""Digests and wallet addresses: long unbroken runs of letters and digits, each judged by its own check sum where it has one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from toadstone.intel.keccak import keccak256
from toadstone.intel.spotting_names import Known
from toadstone.intel.spotting_types import Spotted

_SHORTEST = 26
_RUN = b"a" * _SHORTEST
_SHAPE = bytes(97 if chr(code).isalnum() and code < 128 else 32 for code in range(256))
_HEX = re.compile(r"[0-9a-fA-F]+")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUE = {character: value for value, character in enumerate(_BASE58)}
_BECH32 = {character: value for value, character in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_DIGESTS = {32: "md5", 40: "sha1", 64: "sha256"}
_DIGEST_WORDS = re.compile(
    r"(?:\b|_)(?:md5|sha-?1|sha-?256|sha|hash|hashes|digest|checksum|fingerprint|ioc|sample)(?:sum)?\b"
    r"[\w .()]{0,12}[\"']?\s{0,3}[:=,]?[>\s\"'\[({:=]{0,4}$",
    re.IGNORECASE,
)
_COIN_WORDS = re.compile(
    r"\b(?:eth|ethereum|wallet|address|erc-?20|usdt|metamask|bsc|bnb|coin|donat\w*|pay\w*|send|to)\b[^\n]{0,24}$", re.IGNORECASE
)


def runs(text: str, known: Known | None = None) -> Iterator[Spotted]:
    """Yield MD5, SHA-1 and SHA-256 digests, Bitcoin and Ethereum addresses."""
    shape = text.encode("ascii", "replace").translate(_SHAPE)
    at = shape.find(_RUN)
    while at >= 0:
        start = shape.rfind(b" ", 0, at) + 1
        end = shape.find(b" ", at)
        end = len(shape) if end < 0 else end
        if end - start <= 92:
            found = _judged(text, start, end, known)
            if found is not None:
                yield found
        at = shape.find(_RUN, end)


def _judged(text: str, start: int, end: int, known: Known | None) -> Spotted | None:
    run = text[start:end]
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    if max(around, default="") >= "\x80" or "_" in around:
        return None
    if run[0] in "13" and len(run) <= 35:
        return Spotted("wallet", run, start, end) if bitcoin_base58(run) else None
    if run[:3].lower() == "bc1":
        return Spotted("wallet", run.lower(), start, end) if bitcoin_bech32(run) else None
    if run[:2] == "0x" and len(run) == 42:
        return _ethereum(text, run, start, end, known)
    kind = _DIGESTS.get(len(run))
    if kind is None or _HEX.fullmatch(run) is None or not _is_digest(text, run, start, end, known):
        return None
    return Spotted(kind, run.lower(), start, end)


def _is_digest(text: str, run: str, start: int, end: int, known: Known | None) -> bool:
    """Whether hexadecimal digits are a digest: by length alone they may be a key, a number, an id; a word before says so."""
    if not (run.islower() or run.isupper()) or run.isdigit() or len(set(run.lower())) < 8:
        return False
    if known is not None and known(run.lower()):
        return True
    if text[end : end + 1] in ("-", "/", "+", "=") or text[max(0, start - 1) : start] in ("-", "/", "+", "."):
        return False
    return _alone(text, start, end) or _DIGEST_WORDS.search(text[max(0, start - 40) : start]) is not None


def _alone(text: str, start: int, end: int) -> bool:
    """Whether nothing else stands on the line, as in lists of indicators."""
    line_end = text.find("\n", end)
    before = text[text.rfind("\n", 0, start) + 1 : start]
    after = text[end : line_end if line_end >= 0 else len(text)]
    return not before.strip("\"' \t-*") and not after.strip("\"', \t\r")


def _ethereum(text: str, run: str, start: int, end: int, known: Known | None) -> Spotted | None:
    digits = run[2:]
    if _HEX.fullmatch(digits) is None or digits.isdigit() or len(set(digits.lower())) < 8:
        return None
    value = eip55(digits)
    if digits.islower() or digits.isupper() or digits == digits.lower():
        if (
            not _alone(text, start, end)
            and _COIN_WORDS.search(text[max(0, start - 48) : start]) is None
            and not (known is not None and known(value))
        ):
            return None
    elif value != run:
        return None
    return Spotted("wallet", value, start, end)


def eip55(digits: str) -> str:
    """Write 40 hexadecimal digits as an Ethereum address with the check sum of EIP-55 in its capitals."""
    lower = digits.lower()
    check = keccak256(lower.encode("ascii")).hex()
    return "0x" + "".join(
        letter.upper() if int(nibble, 16) >= 8 else letter for letter, nibble in zip(lower, check, strict=False)
    )


def bitcoin_base58(text: str) -> bool:
    """Whether a text is a Bitcoin address of the old kinds: version, 20 bytes, and four bytes of a double SHA-256."""
    if not 25 <= len(text) <= 35:
        return False
    number = 0
    for character in text:
        value = _BASE58_VALUE.get(character)
        if value is None:
            return False
        number = number * 58 + value
    if number >> 200:
        return False
    data = number.to_bytes(25, "big")
    zeros = len(text) - len(text.lstrip("1"))
    if len(data) - len(data.lstrip(b"\0")) != zeros or data[0] not in (0, 5):
        return False
    return hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4] == data[21:]


def bitcoin_bech32(text: str) -> bool:
    """Whether a text is a segregated-witness address (BIP 173, BIP 350), check sum included."""
    if not 14 <= len(text) <= 90 or not (text.islower() or text.isupper()):
        return False
    lower = text.lower()
    values = [_BECH32.get(character, -1) for character in lower[3:]]
    if lower[:3] != "bc1" or min(values) < 0:
        return False
    constant = 1 if values[0] == 0 else 0x2BC830A3
    return _polymod([3, 3, 0, 2, 3, *values]) == constant


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for index, part in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> index & 1:
                check ^= part
    return check
