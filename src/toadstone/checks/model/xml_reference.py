"""`xml-reference`: XML that makes its parser read other files or addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Link
from toadstone.core.finding import Finding, Indicator, Severity
from toadstone.core.place import Place

_WEB = re.compile(r"https?://", re.IGNORECASE)


@check(
    "xml-reference",
    severity=Severity.HIGH,
    reads=Link,
    references=("CWE-611", "CWE-776", "CWE-918", "MITRE ATLAS 2026.08 AML.T0010.003", "OWASP ML 2023 ML06"),
)
class XmlReference(Check):
    """Parsing the model's XML makes the parser read another file or address.

    ## Why it matters
    An external entity (`<!ENTITY x SYSTEM "file:///etc/passwd">`), an external document type or an XInclude is opened by parsers
    that do not refuse it, with the rights of whoever loads the model. Files end up in predictions, error messages or requests
    to somebody's server; addresses are called from inside the network. Evaluators of PMML run on servers that score requests.

    ## How it decides
    In a model (PMML, OpenVINO): every entity, document type or include that stands outside the model's folder is `high`, one
    next to it `low`, a style sheet `medium`. In other XML: entities and includes that name a file of this machine or another
    scheme than the web's are `high`, those on the web `low`; document types of the web are as common as XML itself. The document
    types that the Data Mining Group and the W3C publish are silent. Entities that expand without bounds are reported as
    ``decompression-bomb``.

    ## What it misses
    Entities that an external document type would declare: it is not fetched.

    ## Remedy
    Remove the document type: no model format of today needs one. Parse XML with external entities switched off.

    ## References
    CWE-611 (XXE), CWE-776; OWASP "XML External Entity Prevention"; XML 1.0 section 4.2.2; XInclude 1.1.
    """

    RELATIONS: ClassVar[dict[str, str]] = {
        "external-entity": "an external entity",
        "external-subset": "an external document type",
        "xinclude": "an include",
        "stylesheet": "a style sheet",
    }

    def examine(self, fact: Link) -> Iterator[Finding]:
        """Judge one reference."""
        is_model = not fact.relation.startswith("document-")
        relation = fact.relation.removeprefix("document-")
        what = self.RELATIONS.get(relation)
        severity = _severity(fact, relation, is_model=is_model)
        if what is None or severity is None:
            return
        target = fact.target[:400]
        kind = "url" if _WEB.match(target) else "path"
        yield self.finding(
            fact.place,
            f"The XML refers to {target} by {what}.",
            severity=severity,
            key=f"{relation}:{target}",
            indicators=(Indicator(kind, target),),
            target=target,
            relation=relation,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give an entity, a document type and an include in a model, and an entity in another document."""
        place = Place("model.pmml")
        yield Link(place, "file:///etc/hostname", "external-entity", escapes=True)
        yield Link(place, "http://198.51.100.7/evil.dtd", "external-subset", escapes=True)
        yield Link(place, "/etc/hostname", "xinclude", escapes=True)
        yield Link(Place("picture.svg"), "file:///etc/hostname", "document-external-entity", escapes=True)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give what ordinary documents have."""
        place = Place("picture.svg")
        yield Link(place, "http://example.com/svg.dtd", "document-external-subset", escapes=False)
        yield Link(place, "style.xsl", "document-stylesheet", escapes=False)
        yield Link(Place("model.onnx"), "model.onnx.data", "external-data", escapes=False)


def _severity(fact: Link, relation: str, *, is_model: bool) -> Severity | None:
    if is_model:
        if relation == "stylesheet":
            return Severity.MEDIUM
        return Severity.HIGH if fact.escapes else Severity.LOW
    if relation in ("external-entity", "xinclude"):
        return Severity.HIGH if fact.escapes and relation == "external-entity" else Severity.LOW
    return None
