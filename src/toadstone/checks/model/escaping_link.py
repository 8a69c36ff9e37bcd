"""Links that lead out of the artefact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Link
from toadstone.core.finding import Finding, Indicator, Severity
from toadstone.core.place import Place


@check(
    "escaping-link",
    severity=Severity.HIGH,
    reads=Link,
    references=(
        "CVE-2022-25882",
        "CVE-2024-5187",
        "CVE-2025-4330",
        "CWE-59",
        "CWE-61",
        "CWE-22",
        "MITRE ATLAS 2026.08 AML.T0010.003",
        "OWASP ML 2023 ML06",
    ),
)
class EscapingLink(Check):
    """The artefact contains a link or a data reference that leads out of its folder.

    ## Why it matters
    A symbolic or hard link in an archive gives whoever unpacks it a file that is really another one: reading it discloses a
    secret, writing through it overwrites what it points to. An ONNX tensor whose external data lies at ``../../../etc/passwd``
    puts that file's content into the model.

    ## How it decides
    The target is resolved by name against the folder of the link (hard links: against the root of the archive). Absolute
    targets, drive letters, addresses, and targets that climb above the root are `high`. Links that stay inside are silent.
    References that other formats open while they load are reported as ``read-on-load``.

    ## What it misses
    Chains of links that are harmless one by one: names are resolved as text, without the links that they pass through. A
    member that is written through a link is reported as ``path-traversal``.

    ## Remedy
    Unpack with a tool that refuses such links (``tarfile`` with ``filter="data"``), or delete the file. Save models with
    external data next to them, under plain names.

    ## References
    CVE-2022-25882 and CVE-2024-5187 (ONNX), CVE-2025-4330 (``tarfile`` filters and links); CWE-59; PEP 706.
    """

    RELATIONS: ClassVar[dict[str, str]] = {
        "symlink": "A symbolic link",
        "hardlink": "A hard link",
        "external-data": "A tensor's external data",
    }

    def examine(self, fact: Link) -> Iterator[Finding]:
        """Judge one link."""
        what = self.RELATIONS.get(fact.relation)
        if what is None or not fact.escapes:
            return
        target = fact.target[:400]
        message = f"{what} leads out of the artefact's folder, to {target}."
        indicator = Indicator("path", target)
        yield self.finding(fact.place, message, key=f"{fact.relation}:{target}", indicators=(indicator,), relation=fact.relation)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give one link of each relation."""
        yield Link(Place("model.nemo", "keys"), "/etc/shadow", "hardlink", escapes=True)
        yield Link(Place("model.zip", "out"), "../../../root", "symlink", escapes=True)
        yield Link(Place("model.onnx", offset=40), "../../../etc/passwd", "external-data", escapes=True)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give links that stay inside, and one that another check judges."""
        yield Link(Place("model.tar", "latest"), "checkpoint-10", "symlink", escapes=False)
        yield Link(Place("model.onnx"), "model.onnx.data", "external-data", escapes=False)
        yield Link(Place("model.keras"), "/etc/hostname", "read-on-load", escapes=True)
