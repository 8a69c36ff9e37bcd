"""A trick on the pickle machine, and the pieces that many tricks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.corpus.malicious.asm import REDUCE, TUPLE1, Encoder, short_unicode, stack_global
from benchmarks.corpus.malicious.payloads import COMMAND

SYSTEM = stack_global("os", "system")
RUN = short_unicode(COMMAND) + TUPLE1 + REDUCE
CALL = SYSTEM + RUN
PLAIN = Encoder(4, memo=False)
"""Encodes arguments without memo opcodes, so that a trick's own memo numbers stay what it says."""


@dataclass(frozen=True)
class Trick:
    """One stream.

    Attributes:
        name: file name without suffix.
        technique: the class of the trick.
        data: the bytes.
        expect: the oracle's event that proves the effect (see ``oracle``).
        source: advisory, issue or paper, else ``own``.
        options: for the oracle: ``starts``, ``buffers``, ``extensions``.
        label: ``malicious``, or ``code-carrying`` when nothing acts by itself.
    """

    name: str
    technique: str
    data: bytes
    expect: str = "call:os:system"
    source: str = "own"
    options: Mapping[str, object] = field(default_factory=dict)
    label: str = "malicious"
