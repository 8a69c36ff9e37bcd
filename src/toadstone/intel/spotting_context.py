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
    r"|\\\\)$",
    re.IGNORECASE,
)
_PORT_ARGUMENT = re.compile(r"[\"']\s*,\s*(?:port\s*=\s*)?[\"']?\d{2,5}[\"']?\s*[),\]]|:\d{2,5}[\"'/]")
_CODE_BEFORE = re.compile(
    r"(?:\b(?:import|from|def|class|package|include|using|require|return|lambda|elif|assert|del|raise|yield)\s+|[@$#%]|->\s*|\)\.|\]\.|[\"']\.|::|->)$"
)
_CODE_AFTER = re.compile(r"\s?(?:\(|\[|=(?!\")|\+=|-=|\*=|::|->)|\.\*|\.(?:[A-Z_]|\()|\{|\w")
_VERSION_WORDS = re.compile(
    r"(?:\b(?:v|ver|vers|version|versions|release|rel|rev|revision|build|upgrade[ds]? to|update[ds]? to|since|until|section|sections|sec|"
    r"chapter|clause|paragraph|appendix|annex|table|figure|fig|rfc|oid|id|python|java|jdk|jre|numpy|cuda|cudnn|driver|firmware|kernel|linux|"
    r"chrome|firefox|opera|mozilla|safari|eudora|sendmail|exim|postfix|outlook|mailer)[\"']?\s*(?:[:=<>~!^]=?=?\s*)?[\"'(vV]?|[=<>~!^]=\s*[\"']?|§+\s*|[\w)]\s?[-_/+]|\$)$",
    re.IGNORECASE,
)
_HOST_WORDS = re.compile(
    r"(?:\b(?:from|at|to|by|via|ip|ips|ipv4|addr|addrs|address|addresses|host|hosts|hostname|server|servers|dns|nameserver|gateway|route|netmask|subnet|cidr|"
    r"listen|bind|client|peer|remote|source|destination|src|dst|c2|beacon|payload|attacker|and|or|for|on|ping|connect|connected|connecting|"
    r"proxy|login|resolver|router|network|range)[\"']?\s*(?:is|was|=|:|of)?\s*[\"'(\[<]?\s*|@|://|//|,\s?|\[|\")$",
    re.IGNORECASE,
)
_TCP_PATH = re.compile(r"/dev/(?:tcp|udp)/$|(?:^|[\s\"'=(])//?$|://[^\s/]*/?$")
_LETTERS_BEFORE = re.compile(r"[A-Za-z][\w.+-]*[ \t]*$")
_ENDPOINT_AFTER = re.compile(r"(?::\d{1,5}(?![\d.])|/\d{1,2}(?!\d)|[\"']?\s*,\s*\d{2,5}\b|/\d{2,5}\b| \d{2,5}\b)")


def _head(text: str, start: int) -> str:
    """Give what stands before on the same line."""
    head = text[max(0, start - _BEFORE) : start]
    return head[head.rfind("\n") + 1 :]


def is_quoted(text: str, start: int, end: int) -> bool:
    """Whether quotes stand on both sides."""
    return 0 < start and text[start - 1] in "\"'`" and text[end : end + 1] in ('"', "'", "`", ":")


def asks_for_host(text: str, start: int, end: int) -> bool:
    """Whether the surroundings take a host: a network command or call, an address with a port, a setting of that name."""
    if start and _ASKS.search(_head(text, start)):
        return text[end : end + 1] not in ("(", "[")
    return is_quoted(text, start, end) and _PORT_ARGUMENT.match(text, end) is not None


def in_code(text: str, start: int, end: int) -> bool:
    """Whether a dotted word is an attribute, a module or a call of source code."""
    after = text[end : end + 4]
    if after and _CODE_AFTER.match(after):
        return True
    if not start:
        return False
    before = text[start - 1]
    if before in "/\\" and start > 1 and text[start - 2 : start] not in ("//", "\\\\", "s/", "p/"):
        return True  # a part of a path
    return (
        before in "$#%_)]}"
        or (not before.isspace() and _CODE_BEFORE.search(text[max(0, start - 16) : start]) is not None)
        or (before == " " and _CODE_BEFORE.search(text[max(0, start - 16) : start]) is not None)
    )


def in_version(text: str, start: int, end: int, value: str) -> bool:
    """Whether four numbers are a version or the number of a section, not an address."""
    head = _head(text, start)
    after = text[end : end + 8]
    if after[:1] in ("-", "_", "+") and after[1:2].isalnum():
        return not (after[0] == "-" and after[1:2].isdigit())  # a range of addresses is none
    if _TCP_PATH.search(head):
        return False
    if _VERSION_WORDS.search(head):
        return True
    octets = [int(part) for part in value.split(".")]
    if octets[0] in (10, 127) or value.startswith(("192.168.", "172.16.", "169.254.")):
        return max(octets[1:]) == 0 and not _ENDPOINT_AFTER.match(after)  # 10.0.0.0: a version as often as a network
    if max(octets) > 63 or _ENDPOINT_AFTER.match(after) or _HOST_WORDS.search(head):
        return False
    if not head.strip():
        return after[:1] in (" ", "\t") and after.strip()[:1].isupper()
    return _LETTERS_BEFORE.search(head) is not None
