"""What a piece of text is made of: prose or markup, addresses, commands, and text that is encoded inside it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote

from toadstone.core.regex import regex

_MARKUP = regex(r"<[^<>\n]{0,120}>|\[/?[A-Z_ ]{2,40}\]|[<\[]\|?[\w/ ]{1,40}\|?[>\]]|\{[^{}\n]{0,200}\}|\\[ntr]")
_WORD = regex(r"[^\W\d_]{2,}")
_SENTENCE = regex(r"[^\W\d_]+(?:[ \u00a0,.;:!?'\u2019-]+\n?[^\W\d_]+)+")
_ROLES = frozenset(
    [
        "user",
        "assistant",
        "system",
        "model",
        "tool",
        "tools",
        "human",
        "bot",
        "gpt",
        "developer",
        "message",
        "messages",
        "content",
        "role",
        "ipython",
        "function",
        "im",
        "start",
        "end",
        "header",
        "id",
        "eot",
        "bos",
        "eos",
        "inst",
        "sys",
    ]
)
_IDEOGRAPH = regex("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_URL = regex(r"(?:https?|ftps?|wss?|ssh|tcp)://[^\s\"'<>`|{}\\^]{2,400}", re.IGNORECASE)
_BARE = regex(
    r"(?<![\w@.])(?:www\.[a-z0-9-]+(?:\.[a-z0-9-]+)+|(?:[a-z0-9-]+\.)+(?:com|net|org|io|ai|ru|cn|xyz|top|info|invalid|example|test|onion)(?:/[^\s\"'<>`|{}]{0,200})?)(?![\w.-])",
    re.IGNORECASE,
)
_IPV4 = regex(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?::\d{1,5})?(?![\d.])")
_COMMAND = regex(
    r"\b(?:curl|wget)\s+[^\n|;&]{0,200}(?:\||;|&&|-o\b|-O\b|https?:)|\|\s*(?:ba|z|da)?sh\b|\bpowershell(?:\.exe)?\s+-|\b(?:ba|z)?sh\s+-c\s|\bpython3?\s+-c\s|"
    r"\brm\s+-rf?\s+[~/]|\bnc\s+(?:-\w+\s+)*-e\b|/dev/tcp/|\bos\.system\(|\bsubprocess\.|\bInvoke-Expression\b|\bbase64\s+(?:-d|--decode)\b|\bchmod\s+\+x\b",
    re.IGNORECASE,
)
_BASE64 = regex(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,4000}={0,2}(?![A-Za-z0-9+/=])")
_HEX = regex(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}){10,2000}(?![0-9a-fA-F])")


def words(text: str) -> int:
    """Count the words of prose in a text: words beside words, without markup, placeholders and the names of roles.

    Two ideographs count as a word. Lines are also counted as if they were written without a break, because a template may
    write a sentence in pieces.
    """
    plain = _MARKUP.sub("\n", text)
    return max(_count(plain), _count(plain.replace("\n", "")))


def _count(text: str) -> int:
    found = [word for sentence in _SENTENCE.findall(text) for word in _WORD.findall(sentence)]
    prose = sum(word.lower() not in _ROLES and not _IDEOGRAPH.match(word) for word in found)
    return prose + len(_IDEOGRAPH.findall(text)) // 2


def is_markup(text: str) -> bool:
    """Whether a text is nothing but markup: a special token, brackets, punctuation."""
    return not _WORD.search(_MARKUP.sub(" ", text.strip())) and bool(re.search(r"[<\[|{]", text))


def addresses(text: str) -> list[tuple[str, str]]:
    """List the addresses in a text as ``(type, value)`` with the types of `toadstone.core.finding.Indicator`."""
    found = [("url", value.rstrip(".,;:!?)")) for value in _URL.findall(text)]
    rest = _URL.sub(" ", text)
    found += [("ipv4", value) for value in _IPV4.findall(rest)]
    found += [("domain", value.rstrip(".,;:!?)")) for value in _BARE.findall(rest)]
    return list(dict.fromkeys(found))[:32]


def commands(text: str) -> list[str]:
    """List the places of a text that look like a command for a shell."""
    return [found[0][:200] for found in _COMMAND.finditer(text)][:16]


def decoded(text: str) -> Iterator[str]:
    """Yield readable text that is encoded in a text as Base64, hexadecimal or percent signs, also twice."""
    for _ in range(2):
        inner = "\n".join(_once(text))
        if not inner:
            return
        yield inner
        text = inner


def _once(text: str) -> Iterator[str]:
    for found in _BASE64.findall(text)[:64]:
        try:
            data = base64.b64decode(
                found.replace("-", "+").replace("_", "/").rstrip("=") + "=" * (-len(found.rstrip("=")) % 4), validate=True
            )
        except (binascii.Error, ValueError):
            continue
        if plain := _readable(data):
            yield plain
    for found in _HEX.findall(text)[:64]:
        if plain := _readable(bytes.fromhex(found)):
            yield plain
    if text.count("%") >= 6:
        plain = unquote(text)
        if plain != text:
            yield plain


def _readable(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    printable = sum(character.isprintable() or character in "\n\r\t" for character in text)
    return text if text and printable >= 0.97 * len(text) else ""
