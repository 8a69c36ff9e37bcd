"""What stands around a dotted word: code, a version, a command or a call that takes a host."""

from __future__ import annotations

import re

_BEFORE = 48
_COMMANDS = (
    r"(?:curl|wget|ping6?|nslookup|dig|host|nc|ncat|netcat|socat|telnet|ssh|sftp|ftp|traceroute|tracert|mtr|nmap|whois|certutil|bitsadmin|"
    r"xmrig|iwr|irm|rsync|scp)"
)
_ASKS = re.compile(
    rf"(?:\b{_COMMANDS}(?:\.exe)?(?:\s+-{{1,2}}[\w-]+(?:[= ][\w./:-]+)??)*\s+[\"']?"
    r"|\b(?:gethostbyname(?:_ex)?|getaddrinfo|create_connection|connect(?:_ex)?|open_connection|HTTPS?Connection|inet_aton|inet_addr|"
    r"Dns\.Resolve|TcpClient|TCPClient|Net\.Sockets\.\w+|IPAddress|ip_address|resolve|sendto)\s*\(+\s*[a-z]*[\"']"
    r"|(?:https?|ftp|tcp|udp)://\S*[/?&=@]"
    r"|\b(?:host|hostname|server|domain|c2|c&c|remote|rhost|lhost|address|addr|ip|nameserver|proxy|pool|fqdn|endpoint)[\"']?\s*[:=]\s*[\"']"
    r"|/dev/(?:tcp|udp)/"
    r"|(?:^|[\s\"'=(])\\{2,4})$",
    re.IGNORECASE,
)
_TRANSFERS = re.compile(r"\b(?:curl|wget|scp|sftp|rsync|certutil|bitsadmin|iwr|irm|host)\b", re.IGNORECASE)
_PORT_ARGUMENT = re.compile(r"[\"']\s*,\s*(?:port\s*=\s*)?[\"']?\d{2,5}[\"']?\s*[),\]]|:\d{2,5}[\"'/]")
_CODE_BEFORE = re.compile(
    r"(?:\b(?:import|from|def|class|package|include|using|require|return|lambda|elif|assert|del|raise|yield)\s+|[@$#%]|->\s*|\)\.|\]\.|[\"']\.|::|->)$"
)
_CODE_AFTER = re.compile(r"\s?(?:\(|\[|=(?!\")|\+=|-=|\*=|::|->)|\.\*|\.(?:[A-Z_]|\()|\{|\w")
_VERSION_WORDS = frozenset(
    """v ver vers version versions release rel rev revision build since until section sections sec chapter clause
    paragraph appendix annex table figure fig rfc oid java jdk jre numpy cuda cudnn driver firmware kernel linux
    chrome firefox opera mozilla safari eudora sendmail exim postfix outlook mailer upgrade upgraded update
    updated python requires torch tensorflow""".split()
)
_LINKING = frozenset("from at to by via and or for on is was of".split())
_HOST_WORDS = frozenset(
    """ip ips addr addrs address addresses host hosts hostname server servers dns nameserver nameservers gateway
    route netmask subnet cidr listen bind client peer remote source destination src dst c2 beacon payload attacker
    ping connect connected connecting proxy login resolver router network range curl wget nc ssh telnet""".split()
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
_HOSTLIKE = tuple(
    """server host addr dns connect socket proxy url cidr bind listen remote peer gateway c2 resolve client target network
    ping""".split()
)
_VERSION_TEXTS = tuple(
    """upgrad downgrad updat bump rolled patch release version identifier merged object changelog v8""".split()
)
_DECIMAL = re.compile(r"[-+]?\d*\.\d+(?:[-.]\d*)*")
_QUAD_LINE = re.compile(r"\s*(?:[#;]|\d{1,3}(?:\.\d{1,3}){3}(?![\w.]))")
_REVISION = re.compile(r"(?:\w\.[A-Za-z]\w{0,7}|\.\d+|[A-Z]{4,}|[a-z]-[a-z]+),$")
_RANGE = re.compile(r"-\d{1,3}(?:\.\d{1,3}){3}|-\d{1,3}(?![\w.])")
_TCP_PATH = re.compile(r"/dev/(?:tcp|udp)/$|(?:^|[\s\"'=(])//?$|://[^\s/]*/?$")
_ENDPOINT_AFTER = re.compile(r"(?::\d{1,5}(?![\d.])|/(?:[89]|[12]\d|3[0-2])(?!\d)|[\"']?\s*,\s*\d{2,5}\b|/\d{2,5}\b| \d{2,5}\b)")


_RELEASES = frozenset(
    """upgrade upgraded upgrades upgrading downgrade downgraded update updated updates updating bump bumped bumps roll rolled
    patch patched release released version versions merged v8""".split()
)


def _tells_of_version(head: str) -> bool:
    lower = head.lower()
    return any(text in lower for text in _VERSION_TEXTS) or "oid" in lower.replace(":", " ").replace("=", " ").split()


def _names_host(lower: str) -> bool:
    """Whether a word or a line, in lower case, speaks of a host: ``remoteAddr``, ``setServers``, ``host_ip``."""
    return any(text in lower for text in _HOSTLIKE) or lower.endswith(("ip", "ips", "ipv4")) or "ip_" in lower


def _head(text: str, start: int) -> str:
    """Give what stands before on the same line."""
    head = text[max(0, start - _BEFORE) : start]
    return head[head.rfind("\n") + 1 :]


def is_quoted(text: str, start: int, end: int) -> bool:
    """Whether quotes stand on both sides."""
    return start > 0 and text[start - 1] in "\"'`" and text[end : end + 1] in ('"', "'", "`", ":")


_SENTENCE = re.compile(r"(?:^|\b(?:visit|at|to|from|via|domain|site|website|host|server|contact|c2)\s+)$", re.IGNORECASE)


def in_sentence(text: str, start: int) -> bool:
    """Whether a word stands where a sentence names a host, or at the very beginning."""
    return _SENTENCE.search(text[max(0, start - 16) : start]) is not None


def asks_for_host(text: str, start: int, end: int, *, file: bool = False) -> bool:
    """Whether the surroundings take a host: a network command or call, an address with a port, a setting of that name.

    Args:
        text: The text.
        start: Where the word begins.
        end: Where it ends.
        file: Whether it may as well be the name of a file: then commands that take files as well do not count.
    """
    head = _head(text, start)
    if start and _ASKS.search(head) and not (file and _TRANSFERS.search(head)):
        return text[end : end + 1] not in ("(", "[")
    if file:
        return False
    if (
        text[end - 1 : end].isdigit()
        and text[max(0, start - 2) : start - 1] == "("
        and text[max(0, start - 3) : start - 2].isalnum()
    ):
        return False  # int('1904440554', 11)
    return is_quoted(text, start, end) and _PORT_ARGUMENT.match(text, end) is not None


_OPERATOR = re.compile(r"\s?(?:[-+*/&|%]|[=<>!]=?)\s")


def beside_operator(text: str, start: int, end: int) -> bool:
    """Whether a dotted word is an operand: ``2 * res.fr + 1``."""
    return _OPERATOR.match(text, end) is not None or _OPERATOR.match(text, max(0, start - 2)) is not None


def in_code(text: str, start: int, end: int) -> bool:
    """Whether a dotted word is an attribute, a module or a call of source code."""
    after = text[end : end + 4]
    if after and _CODE_AFTER.match(after):
        return True
    if not start:
        return False
    before = text[start - 1]
    if before == "(" and text[max(0, start - 2) : start - 1].isalnum():
        return True  # an argument without quotes
    if before in "/\\" and start > 1 and text[start - 2 : start] not in ("//", "\\\\", "s/", "p/"):
        return True  # a part of a path
    return (
        before in "$#%_)]}"
        or (not before.isspace() and _CODE_BEFORE.search(text[max(0, start - 16) : start]) is not None)
        or (before == " " and _CODE_BEFORE.search(text[max(0, start - 16) : start]) is not None)
    )


def in_version(text: str, start: int, end: int, octets: tuple[int, ...]) -> bool:
    """Whether four numbers are a version, the number of a section or data, not an address."""
    head = _head(text, start)
    after = text[end : end + 24]
    bare = head.rstrip()
    words = bare.rstrip(":=<>(\"'[ \t")
    word = words[len(words.rstrip(_LETTERS)) :].lower().strip("_")
    marked = _marked(head, bare, word, after)
    if marked is not None:
        return marked
    first = octets[0]
    if first == 0:
        return octets != (0, 0, 0, 0)
    if first in (10, 127) or octets[:2] in _PRIVATE:
        return _private(head, bare, word, after, octets)
    if first >= 32:
        return after[:1] == "-" and after[1:2].isalnum() and not _RANGE.match(after)
    return _small(text, start, end, (head, bare, word, after), max(octets))


_PRIVATE = frozenset(((172, 16), (169, 254), (192, 168)))


def _marked(head: str, bare: str, word: str, after: str) -> bool | None:
    """Judge by the signs and the word around four numbers; None when they say nothing."""
    near = bare[-1:]
    if not near.isalnum():
        if near in ("@", "|", ";") or (near in ("/", "\\") and _TCP_PATH.search(head)):
            return False
        if near and near in "-_/+$§~^<>" and (near != "-" or bare == head):
            return True
        if bare[-2:] in ("==", ">=", "<=", "!=", "~=", "^="):
            return True
    if (word in _VERSION_WORDS or word.endswith("version")) or (after[:1] in ("_", "+") and after[1:2].isalnum()):
        return True
    return None


def _private(head: str, bare: str, word: str, after: str, octets: tuple[int, ...]) -> bool:
    """Judge numbers of a private range: 10.0.0.0 is a version as often as a network, and so is what begins with 10."""
    named = octets[0] == 10 and bare != head and bare[-1:].isalpha() and word not in _HOST_WORDS
    if named and (word not in _LINKING or not _RELEASES.isdisjoint(head.lower().split())):
        return True
    return octets == (10, 0, 0, 0) and word not in _HOST_WORDS | _LINKING and not _ENDPOINT_AFTER.match(after)


def _small(text: str, start: int, end: int, around: tuple[str, str, str, str], highest: int) -> bool:
    """Judge four numbers of which the first is as small as those of versions are: without a sign of a host they are none."""
    head, bare, word, after = around
    if _tells_of_version(head) or (after[:1] == "-" and after[1:2].isalnum() and not (highest > 63 and _RANGE.match(after))):
        return True
    before_word, after_word = bare.rpartition(" ")[2], after.split(" ", 2)
    if _DECIMAL.fullmatch(before_word) or (len(after_word) > 1 and not after_word[0] and _DECIMAL.fullmatch(after_word[1])):
        return True  # one number of many
    if _ENDPOINT_AFTER.match(after) or word in _HOST_WORDS or _names_host(word):
        return False
    if word in _LINKING:
        return highest <= 31 and not _names_host(head.lower())
    if not bare:
        return _lonely(text, start, end, highest)
    if bare[-1] == "," and bare == head and _REVISION.search(bare):
        return True  # cells of a list of files and revisions
    if highest > 63:
        return bare[-1].isalnum() and bare[-1].isalpha()
    return True


def _lonely(text: str, start: int, end: int, highest: int) -> bool:
    """Judge four numbers at the beginning of a line: addresses come in lists, sections have titles."""
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    rest = text[end : min(line_end, end + 80)].strip("\"' \t\r,;")
    if rest:
        return rest[0].isupper() or highest <= 9
    if highest > 63 or (not text[:start].strip() and not text[line_end:].strip()):
        return False
    begin = text.rfind("\n", 0, start) + 1
    previous = text[text.rfind("\n", 0, max(0, begin - 1)) + 1 : begin]
    return not (_QUAD_LINE.match(previous) or _QUAD_LINE.match(text, line_end + 1))
