"""Files that are made to exhaust whoever opens them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "decompression-bomb",
    severity=Severity.HIGH,
    reads=Anomaly,
    references=(
        "CWE-409",
        "CWE-400",
        "CWE-789",
        "CWE-674",
        "MITRE ATLAS 2026.08 AML.T0029",
        "OWASP ML 2023 ML06",
    ),
)
class DecompressionBomb(Check):
    """Opening the file needs far more memory, disk or depth than its size allows.

    ## Why it matters
    A few kilobytes can unpack to terabytes, a header can claim an array of exabytes, and archives can be nested until every
    tool gives up. The loader dies, or fills the disk of the machine that serves models; a scanner that gives up silently
    passes what lies behind the bomb.

    ## How it decides
    Unpacking has a budget that grows with the size of the file: 128 MiB and 32 times its size. Real models stay far below
    (weights hardly compress, text shrinks tenfold). What was unpacked before the budget ended is read, the rest is reported
    as unread, so a bomb never counts as clean. Nesting deeper than 16 containers, and declared sizes that nothing in the file
    backs, are treated in the same way.

    ## What it misses
    Content whose cost only shows in use: a model that is slow to run, an expression that takes exponential time.

    ## Remedy
    Do not open it. If it is an honest file with very repetitive content (an array of zeros), store that without compression.

    ## References
    CWE-409; D. Fifield, "A better zip bomb" (WOOT 2019); R. Cox, "Zip files all the way down" (2010).
    """

    KINDS: ClassVar[dict[str, str]] = {
        "expansion-bomb": "Unpacking explodes",
        "depth-bomb": "Nesting has no end",
        "resource-claim": "A declared size would exhaust the loader",
    }

    def examine(self, fact: Anomaly) -> Iterator[Finding]:
        """Judge one claim on resources."""
        if fact.kind in self.KINDS:
            yield self.finding(fact.place, f"{self.KINDS[fact.kind]}: {fact.detail}.", key=fact.kind, kind=fact.kind)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give one of each kind."""
        place = Place("model.npz", "a.npy")
        yield Anomaly(place, "expansion-bomb", "1,043,656 bytes unpack to more than 167,358,072")
        yield Anomaly(place, "depth-bomb", "more than 16 containers inside each other")
        yield Anomaly(place, "resource-claim", "the header claims 1,099,511,627,776 bytes of data; 12 are there")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give another anomaly."""
        yield Anomaly(Place("model.npz"), "checksum-mismatch", "'a.npy' has CRC-32 00000001 and declares 00000002")
