"""Archives that show different content to different loaders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "archive-mismatch",
    severity=Severity.HIGH,
    reads=Anomaly,
    references=(
        "CVE-2025-1944",
        "CVE-2025-1945",
        "CVE-2025-10156",
        "CVE-2025-62518",
        "CWE-436",
        "CWE-694",
        "CWE-345",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP ML 2023 ML06",
    ),
)
class ArchiveMismatch(Check):
    """An archive contradicts itself, so that two loaders unpack two different things from it.

    ## Why it matters
    A zip file describes each member twice and a tar file can state a size twice. PyTorch's zip reader takes names, sizes and
    methods from the directory and compares names without case; Python's ``zipfile`` insists that both names agree and takes
    the last of two members with one name; libzip takes the first; Java's ``ZipInputStream`` never sees the directory. Whoever
    writes the archive can choose which of them sees the payload, and make a scanner stop at an error that the loader ignores:
    a changed name (CVE-2025-1944), a changed flag (CVE-2025-1945) or a wrong checksum (CVE-2025-10156) were enough.

    ## How it decides
    `high`, because no writer produces them: different names, methods, sizes or encryption flags in the two headers of a
    member; two members with one name and different content; members that share bytes; two directories, end records or sizes
    of which different unpackers take different ones. `medium`: content that does not match its checksum, because
    ``torch.save`` can be told to skip checksums (``torch.serialization.set_crc32_options``) and downloads break. `low`: a
    member twice with the same content (appending writers leave that), names that differ only in case. What real writers leave
    open (sizes in a data descriptor, macOS's half-filled headers, version and date fields) is no contradiction.
    Whatever the severity, every version of every member is read.

    ## What it misses
    Checksums of stored members above 1 MiB, which loaders map into memory without looking. Differences that only show when
    the archive is unpacked on a file system with rules of its own.

    ## Remedy
    Do not load the file: it was made by hand. Get it again from its source and compare digests; if that copy is the same,
    distrust the source.

    ## References
    PKWARE APPNOTE 6.3.10; POSIX.1-2017 ``pax``; D. Fifield, "A better zip bomb" (WOOT 2019); CVE-2025-1944, CVE-2025-1945,
    CVE-2025-10156 (zip tricks against model scanners), CVE-2025-62518 (tar sizes); CWE-436.
    """

    KINDS: ClassVar[dict[str, tuple[Severity, str]]] = {
        "name-mismatch": (Severity.HIGH, "A member has two names"),
        "header-mismatch": (Severity.HIGH, "The two headers of a member contradict each other or the content"),
        "duplicate-member": (Severity.HIGH, "Two members share a name"),
        "overlap": (Severity.HIGH, "Two regions share bytes"),
        "archive-confusion": (Severity.HIGH, "Unpackers find different members"),
        "checksum-mismatch": (Severity.MEDIUM, "Content does not match its checksum"),
        "repeated-member": (Severity.LOW, "A member is there twice"),
        "name-collision": (Severity.LOW, "Two names are one for some loaders"),
    }

    def examine(self, fact: Anomaly) -> Iterator[Finding]:
        """Judge one contradiction."""
        if fact.kind in self.KINDS:
            severity, what = self.KINDS[fact.kind]
            yield self.finding(fact.place, f"{what}: {fact.detail}.", severity=severity, key=fact.kind, kind=fact.kind)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give one contradiction of each kind."""
        place = Place("model.pt", offset=64)
        yield Anomaly(place, "name-mismatch", "the directory says 'archive/data.pkl', the header says 'archive/readme.txt'")
        yield Anomaly(place, "header-mismatch", "'archive/data.pkl': flags 0x0001 in the directory, 0x0000 in the header")
        yield Anomaly(place, "duplicate-member", "'archive/data.pkl' is there twice with different content")
        yield Anomaly(place, "overlap", "'b' shares bytes with 'a'")
        yield Anomaly(place, "archive-confusion", "a second directory that some loaders take instead")
        yield Anomaly(place, "checksum-mismatch", "'archive/data.pkl' has CRC-32 00000001 and declares 00000002")
        yield Anomaly(place, "repeated-member", "'a' is there twice with the same content")
        yield Anomaly(place, "name-collision", "'A' and 'a' are one name for loaders that ignore case or Unicode form")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give an anomaly that other checks judge."""
        yield Anomaly(Place("model.zip"), "hidden-data", "12 bytes outside what the format declares")
