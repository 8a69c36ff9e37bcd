"""URLs in running text: where they begin and end, and what they are when nobody disguises them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.intel.spotting_hosts import host as read_host
from toadstone.intel.spotting_types import Spotted

SCHEMES = frozenset(
    """http https ftp ftps sftp ssh scp git git+http git+https git+ssh svn svn+ssh hg+https hg+http bzr+https ws wss
    tcp udp tls ssl telnet rtsp rtmp ldap ldaps rmi dns iiop corba nds irc ircs smb cifs nfs tftp gopher socks
    socks4 socks5 socks5h redis rediss mongodb mongodb+srv postgres postgresql mysql mysql+pymysql amqp amqps mqtt
    mqtts nats kafka stratum stratum+tcp stratum+ssl s3 s3a s3n gs gcs abfs abfss wasb wasbs az adl hdfs webhdfs
    webdav dav davs hf docker oci registry docker-image dbfs nxm xmpp rsync imap imaps pop3 pop3s smtp smtps sip
    sips vnc rdp feed grpc grpcs zmq""".split()
)
"""Schemes whose authority is a host (or a bucket, see `_BUCKETS`)."""

_BUCKETS = frozenset("s3 s3a s3n gs gcs hf az dbfs".split())
_DEFANGED = {
    "hxxp": "http",
    "hxxps": "https",
    "hxtp": "http",
    "hxtps": "https",
    "htxp": "http",
    "htxps": "https",
    "fxp": "ftp",
    "fxps": "ftps",
    "meow": "http",
    "hxp": "http",
    "hxps": "https",
    "xxxp": "http",
    "xxxps": "https",
}
_BORDER = re.compile(r":(?<=[A-Za-z0-9\[(]:)([\])]?)((?:\\{0,4}/){2})([\])]?)")
_SCHEME_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-*"
_REST = re.compile(r"(?:[^\s\"'<>`|\\^{}\x00-\x20\x7f]|\{\.\}|\\{1,4}/|\\\.(?=\w))+")
_ENTITY = re.compile(r"&(?:quot|lt|gt|apos|nbsp|#3[49]|#x2[27]);|,(?:https?|ftp)://")
_AUTHORITY = re.compile(r"(?:[^/?#\[\](){}]|\[[0-9A-Fa-f:.%\w]*:[0-9A-Fa-f:.%\w]*\]|[\[({](?:\.|:|@|dot|at|DOT|AT)[\])}])*")
_BRACKETED = re.compile(r"[\[({]\s?(\.|:|@|dot|at)\s?[\])}]", re.IGNORECASE)
_SIGNS = {"dot": ".", "at": "@"}
_LONGEST = 2048
_KEPT = 256
"""URLs of one text that are read once however often they come."""
_SHORT = 128
"""Characters of a URL where URLs stand inside each other, so that all of them cost more than the text has."""


def refang(text: str) -> str:
    """Undo the spellings that keep people from following a link: ``[.]``, ``(dot)``, ``[at]``, ``[:]``."""
    plain = _BRACKETED.sub(lambda found: _SIGNS.get(found[1].lower(), found[1]), text)
    return plain.replace("\\.", ".")


def urls(text: str) -> Iterator[Spotted]:
    """Yield every URL with a host that can exist."""
    spent, room = 0, 2 * len(text) + (1 << 16)
    read: dict[tuple[str, str, str], tuple[str, tuple[str, str, str, str] | None]] = {}
    for border in _BORDER.finditer(text):
        head = text[max(0, border.start() - 20) : border.start()].rstrip("[(")
        raw = head[len(head.rstrip(_SCHEME_CHARACTERS)) :].lower()
        scheme, form = _scheme(raw)
        if not scheme:
            continue
        rest = _REST.match(text, border.end(), border.end() + (_LONGEST if spent < room else _SHORT))
        if rest is None:
            continue
        spent += len(rest[0])
        if border[1] or border[3] or "[" in text[border.start() - 1]:
            form = "defanged"
        key = (scheme, form, rest[0])
        known = read.get(key)
        if known is None:
            written = _trimmed(rest[0])
            known = written, _read(scheme, written, form)
            if len(read) < _KEPT:
                read[key] = known
        written, found = known
        if found is None:
            continue
        start = border.start() - (len(text[max(0, border.start() - 20) : border.start()]) - len(head)) - len(raw)
        _, value, host, form = found
        yield Spotted("url", value, start + _lead(raw, scheme), border.end() + len(written), form, host)


def _lead(raw: str, scheme: str) -> int:
    """Characters before the scheme that are no part of it (``see.http://`` and the like)."""
    return max(0, len(raw) - len(scheme)) if raw.endswith(scheme) else 0


def _scheme(raw: str) -> tuple[str, str]:
    """Give the scheme that was meant and the form it is written in."""
    if raw in SCHEMES:
        return raw, "plain"
    if raw in _DEFANGED:
        return _DEFANGED[raw], "defanged"
    if "*" in raw and raw.strip("*") and re.fullmatch(r"h[t*x]{2}ps?", raw):
        return "https" if raw.endswith("s") else "http", "defanged"
    tail = re.search(r"(?:https?|ftp|hxxps?)$", raw)
    if tail is not None and not raw[: tail.start()][-1:].isalpha():
        return _scheme(tail[0])
    return "", ""


def _trimmed(text: str) -> str:
    """Cut what follows a URL in a sentence, in brackets, in markup."""
    entity = _ENTITY.search(text)
    if entity is not None:
        text = text[: entity.start()]
    depth = {")": 0, "]": 0}
    if ")" in text or "]" in text:
        for index, character in enumerate(text):
            if character in "([":
                depth[")" if character == "(" else "]"] += 1
            elif character in ")]":
                depth[character] -= 1
                if depth[character] < 0:
                    text = text[:index]
                    break
    while text and text[-1] in ".,;:!?*\\([":
        text = text[:-1]
    return text


def _read(scheme: str, written: str, form: str) -> tuple[str, str, str, str] | None:
    """Take a URL behind its scheme apart.

    Returns:
        Type of the host, canonical URL, canonical host, form; None when the host cannot exist.
    """
    plain = re.sub(r"\\+/", "/", written)
    found = _AUTHORITY.match(plain)
    assert found is not None
    authority, rest = found[0], plain[found.end() :]
    clear = refang(authority)
    if clear != authority:
        form = "defanged"
    user, at, endpoint = clear.rpartition("@")
    name, port = _endpoint(endpoint)
    if name is None or (rest and rest[0] not in "/?#"):
        return None
    kind, value, spelled = read_host(name)
    if not kind and scheme in _BUCKETS and re.fullmatch(r"[A-Za-z0-9][\w.-]{1,62}", name) and rest[:1] == "/":
        kind, value, spelled = "bucket", name, "plain"
    if not kind:
        return None
    shown = f"[{value}]" if kind == "ipv6" else value
    url = f"{scheme}://{user}{at}{shown}{f':{port}' if port else ''}{rest}"
    return kind, url, value if kind != "bucket" else "", form if spelled == "plain" else spelled


def _endpoint(text: str) -> tuple[str | None, str]:
    """Split ``host:port``; None when the port is none."""
    if text.startswith("["):
        name, bracket, tail = text.partition("]")
        name += bracket
        if not bracket or (tail and not tail.startswith(":")):
            return None, ""
        port = tail[1:]
    else:
        name, _, port = text.partition(":")
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        return None, ""
    return name, port
