"""Writes pickles opcode by opcode, says what a scan makes of them, and asks the real unpicklers what they reach."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

from toadstone.core.blob import BytesBlob
from toadstone.core.finding import Severity
from toadstone.core.policy import Config, Policy
from toadstone.core.report import Subject
from toadstone.verbs.scan import Scanner

ORACLE = Path(__file__).parent.parent / "pickles" / "oracle.py"
HEADER = b"\x80\x04"


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def name(module: str, qualname: str) -> bytes:
    return f"c{module}\n{qualname}\n".encode()


def dotted(module: str, qualname: str) -> bytes:
    return text(module) + text(qualname) + b"\x93"


def of(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def call(callee: bytes, *parts: bytes) -> bytes:
    return callee + of(*parts) + b"R"


PAYLOAD = call(name("posix", "system"), b"S'id'\n")
"""Runs a command that no list of suspicious words knows."""

_SCANNER = Scanner(Config(), Policy())


def subject(data: bytes, file: str = "model.pkl") -> Subject:
    return _SCANNER.blob(BytesBlob(data), file)


def worst(data: bytes, file: str = "model.pkl") -> Severity:
    return max((finding.severity for finding in subject(data, file).findings), default=Severity.INFO)


def stopped(data: bytes, file: str = "model.pkl") -> bool:
    """Whether a scan fails at the usual gate."""
    return worst(data, file) >= Severity.HIGH


def clean(data: bytes, file: str = "model.pkl") -> bool:
    found = subject(data, file)
    return found.complete and not any(finding.severity >= Severity.MEDIUM for finding in found.findings)


def reached(data: bytes, symbol: str = "posix:system") -> bool:
    """Whether a real unpickler, with an inert ``find_class`` in a process of its own, gets to a symbol."""
    answer = subprocess.run(
        [sys.executable, str(ORACLE)], input=data.hex() + "\n", capture_output=True, text=True, timeout=100, check=True
    )
    seen = json.loads(answer.stdout)
    return symbol in seen["native"] or symbol in seen["pure"]
