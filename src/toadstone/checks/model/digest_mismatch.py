"""Files that are not what the server says they are."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Claim, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "digest-mismatch",
    severity=Severity.HIGH,
    reads=Claim,
    references=("CWE-345", "CWE-353", "MITRE ATLAS 2026.08 AML.T0010.003"),
)
class DigestMismatch(Check):
    """The content is not that whose digest a server, or its own name, states.

    ## Why it matters

    A hub lists each file with a digest of its content. Other bytes under that listing mean that somebody between the listing
    and the content, a store, a cache, a mirror, exchanged the file, and that whoever reviewed the listed one reviewed another.

    ## How it decides

    The SHA-256 of large files (Git LFS) and the Git object id of small ones are computed over the bytes that were scanned, and
    compared with the listing. That needs every byte: files up to 1 MiB, and larger ones that cannot be understood without
    reading them whole, are always compared; all others with `--digests`.

    Stores of container images and of Ollama keep every layer in a file that is called by its SHA-256 (`blobs/sha256/...`); such
    files are compared with their names. Tools that fetch them check that once, and trust the store from then on.

    ## What it misses

    Layers inside an archive of an image. Larger files without `--digests`; servers that lie in the listing as well; sources
    that claim no digest.

    ## Remedy

    Do not use the file. Fetch it anew from the hub itself, and tell whoever runs the mirror or the store in between.

    ## References

    - Git LFS specification, the pointer's `oid`
    - Git, object ids: SHA-1 over the word ``blob``, the size, a zero byte and the content
    """

    def examine(self, fact: Claim) -> Iterator[Finding]:
        """Compare one claim."""
        if fact.claimed.lower() != fact.measured.lower():
            says = "says" if fact.server == "its name" else "lists"
            message = f"The content is not what {fact.server} {says}: its {fact.algorithm} is another one."
            yield self.finding(fact.place, message, algorithm=fact.algorithm, claimed=fact.claimed, measured=fact.measured)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give a file whose content was exchanged."""
        yield Claim(Place("hf://owner/name/model.bin"), "the hub", "sha256", "a" * 64, "b" * 64)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give a file that is what it is said to be."""
        yield Claim(Place("hf://owner/name/model.bin"), "the hub", "sha256", "AB" * 32, "ab" * 32)
