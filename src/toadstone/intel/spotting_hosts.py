"""Hosts: names and addresses in every spelling that programs take."""

from __future__ import annotations

import functools
import ipaddress
import re
import unicodedata

from toadstone.intel.spotting_scripts import is_lookalike
from toadstone.intel.top_levels import tlds

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PLAIN_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.[a-z][a-z0-9-]*")
_PARTS = {
    "decimal": re.compile(r"0|[1-9][0-9]{0,9}"),
    "octal": re.compile(r"0[0-7]{1,30}"),
    "hex": re.compile(r"0[xX][0-9a-fA-F]{1,24}"),
}
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_ONION = re.compile(r"(?:[a-z2-7]{16}|[a-z2-7]{56})")


_OCTETS = {str(number): number for number in range(256)}


def octets(text: str) -> tuple[int, ...]:
    """Give the four numbers of an address in four decimal parts without leading zeros; empty when it is none."""
    parts = text.split(".")
    if len(parts) != 4:
        return ()
    try:
        return (_OCTETS[parts[0]], _OCTETS[parts[1]], _OCTETS[parts[2]], _OCTETS[parts[3]])
    except KeyError:
        return ()


def ipv4(text: str) -> str:
    """Give an address in four decimal parts in its canonical form, or an empty string."""
    return text if octets(text) else ""


def ipv4_any(text: str) -> tuple[str, str]:
    """Read an address as ``inet_aton`` does: one to four parts, each decimal, octal or hexadecimal.

    Returns:
        The address in four decimal parts and the form: ``plain``, ``integer``, ``octal``, ``hex`` or ``mixed``;
        two empty strings when it is none.
    """
    parts = text.split(".")
    if not 1 <= len(parts) <= 4:
        return "", ""
    values: list[int] = []
    bases: list[str] = []
    for part in parts:
        base = next((name for name, pattern in _PARTS.items() if pattern.fullmatch(part)), "")
        if not base:
            return "", ""
        values.append(int(part, {"decimal": 10, "octal": 8, "hex": 16}[base]))
        if part != "0":
            bases.append(base)
    room = 256 ** (5 - len(parts))
    if values[-1] >= room or any(value > 255 for value in values[:-1]):
        return "", ""
    number = values[-1]
    for index, value in enumerate(values[:-1]):
        number += value << (24 - 8 * index)
    return str(ipaddress.IPv4Address(number)), _form(parts, set(bases))


def _form(parts: list[str], bases: set[str]) -> str:
    if bases <= {"decimal"}:
        return {4: "plain", 1: "integer"}.get(len(parts), "mixed")
    return bases.pop() if len(bases) == 1 else "mixed"


def ipv6(text: str) -> str:
    """Give an IPv6 address in its canonical form (RFC 5952) without zone, or an empty string."""
    bare = text.partition("%")[0]
    if not bare.isascii() or not 2 <= len(bare) <= 45 or ":" not in bare:
        return ""
    try:
        address = ipaddress.IPv6Address(bare)
    except ValueError:
        return ""
    if address.ipv4_mapped is not None and int(address) >> 32 == 0xFFFF:
        return f"::ffff:{address.ipv4_mapped}"  # as Python 3.13 writes it, and no earlier version
    return str(address)


@functools.lru_cache(maxsize=1 << 14)
def name(text: str) -> tuple[str, str, str]:
    """Read a domain name of at least two labels.

    Returns:
        Its canonical form (lower case, ``xn--`` labels), the form (``plain``, ``idna``, ``look-alike``) and the class of its
        top-level domain; three empty strings when it is none.
    """
    text = text.removesuffix(".")
    if not 4 <= len(text) <= 253:
        return "", "", ""
    lower = text.lower()
    if lower.isascii() and "xn--" not in lower:
        kind = tlds().get(lower.rpartition(".")[2], "")
        if not kind or _PLAIN_NAME.fullmatch(lower) is None or not _onion(lower):
            return "", "", ""
        return lower, "plain", kind
    return _international(lower)


def _onion(lower: str) -> bool:
    """Onion services are the hash of a key: other labels below ``.onion`` are names of something else."""
    return not lower.endswith(".onion") or _ONION.fullmatch(lower.split(".")[-2]) is not None


def _international(lower: str) -> tuple[str, str, str]:
    labels = unicodedata.normalize("NFKC", lower.translate(_DOTS)).lower().split(".")
    if len(labels) < 2:
        return "", "", ""
    kind = tlds().get(labels[-1], "")
    written = [_label(label) for label in labels]
    if not kind or not all(written):
        return "", "", ""
    value = ".".join(ascii_form for ascii_form, _ in written)
    if len(value) > 253:
        return "", "", ""
    shown = [unicode_form for _, unicode_form in written]
    likeness = any(is_lookalike(label, shown[-1]) for label in shown[:-1])
    return value, "look-alike" if likeness else "idna", kind


def _label(label: str) -> tuple[str, str]:
    """Give a label's ASCII and Unicode forms; empty strings when it is none."""
    if label.isascii():
        if _LABEL.fullmatch(label) is None:
            return "", ""
        if not label.startswith("xn--"):
            return label, label
        try:
            return label, label[4:].encode("ascii").decode("punycode")
        except (UnicodeError, ValueError, OverflowError):
            return "", ""
    if not 1 <= len(label) <= 63 or not all(_in_label(character) for character in label):
        return "", ""
    if label[0] == "-" or label[-1] == "-":
        return "", ""
    written = "xn--" + label.encode("punycode").decode("ascii")
    return (written, label) if len(written) <= 63 else ("", "")


def _in_label(character: str) -> bool:
    """Letters, marks and digits (RFC 5892 in short), hyphens and the joiners of Indic and Persian words."""
    return character in "-\u200c\u200d\u00b7\u30fb" or unicodedata.category(character)[0] in "LM" or character.isdecimal()


def host(text: str) -> tuple[str, str, str]:
    """Read the host of a URL, where every spelling of an address counts.

    Returns:
        Type (``ipv4``, ``ipv6``, ``domain``), canonical value and form; empty strings when it is none.
    """
    if text.startswith("[") and text.endswith("]"):
        value = ipv6(text[1:-1])
        return ("ipv6", value, "plain") if value else ("", "", "")
    last = text.rstrip(".").rpartition(".")[2]
    if last[:1].isdigit():
        value, form = ipv4_any(text.rstrip("."))
        return ("ipv4", value, form) if value else ("", "", "")
    value, form, _ = name(text)
    if value:
        return "domain", value, form
    return ("domain", "localhost", "plain") if text.lower() == "localhost" else ("", "", "")
