"""Artefacts that make their loader open other files or addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Link
from toadstone.core.finding import Finding, Indicator, Severity
from toadstone.core.place import Place

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@check(
    "read-on-load",
    severity=Severity.HIGH,
    reads=Link,
    references=(
        "CVE-2025-12058",
        "CVE-2026-1669",
        "CWE-73",
        "CWE-918",
        "CWE-200",
        "MITRE ATLAS 2026.08 AML.T0010.003",
        "OWASP ML 2023 ML06",
    ),
)
class ReadOnLoad(Check):
    """Loading the file makes the loader read another file or address, chosen by whoever wrote it.

    ## Why it matters
    A vocabulary given as a path, an HDF5 external link, external storage or a virtual dataset makes the loader open what they
    name, with the rights of whoever loads the model. The content becomes part of the model: secrets can be read back from its
    weights or predictions, an address can be made to answer from inside your network, and what is loaded can change after the
    model was checked.

    ## How it decides
    A target outside the artefact's folder (absolute, above it, on another host or drive), or any target named from inside an
    archive, which has no folder, is `high`. HDF5 storage in files next to the artefact is `low`: it is legal, and the other
    file has to be checked and kept with this one. A vocabulary by relative path is silent.

    ## What it misses
    Files that custom code opens, and a folder that a symbolic link leads out of (which is reported by itself).

    ## Remedy
    Do not load the file. Save the model again with the content inside: the vocabulary as a list, the weights as ordinary data.

    ## References
    CVE-2025-12058 (Keras vocabulary paths), CVE-2026-1669 (HDF5 external storage in Keras); HDF5 File Format Specification 3.0,
    messages "External Data Files" and "Link"; CWE-73, CWE-918.
    """

    RELATIONS: ClassVar[dict[str, str]] = {
        "read-on-load": "is opened while the model is built",
        "external-link": "is opened through an HDF5 external link",
        "external-storage": "is read as the data of an HDF5 dataset",
        "virtual-source": "is read as part of an HDF5 virtual dataset",
    }

    def examine(self, fact: Link) -> Iterator[Finding]:
        what = self.RELATIONS.get(fact.relation)
        if what is None or (fact.relation == "read-on-load" and not fact.escapes):
            return
        target = fact.target[:400]
        address = bool(_URL.match(target))
        indicator = Indicator("url" if address and not target.startswith("file:") else "path", target)
        severity = Severity.HIGH if fact.escapes else Severity.LOW
        outside = "outside its folder " if fact.escapes else ""
        message = f"{target} {outside}{what}."
        yield self.finding(
            fact.place,
            message,
            severity=severity,
            key=f"{fact.relation}:{target}",
            indicators=(indicator,),
            target=target,
            relation=fact.relation,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        place = Place("model.keras", "config.json")
        yield Link(place, "/etc/hostname", "read-on-load", escapes=True)
        yield Link(place, "http://192.0.2.7/vocabulary.txt", "read-on-load", escapes=True)
        yield Link(Place("model.weights.h5"), "../../secrets.bin", "external-storage", escapes=True)
        yield Link(Place("data.h5"), "part1.h5", "virtual-source", escapes=False)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        yield Link(Place("model.keras", "config.json"), "assets/vocabulary.txt", "read-on-load", escapes=False)
        yield Link(Place("model.onnx"), "model.onnx.data", "external-data", escapes=False)
