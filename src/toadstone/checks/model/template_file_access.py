"""Templates that read other files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Lookup
from toadstone.core.finding import Finding, Indicator, Severity
from toadstone.core.place import Place
from toadstone.readers.jinja.names import is_page

_OUTSIDE = re.compile(r"^(?:[/\\~]|[A-Za-z]:|\w+://)|(?:^|[/\\])\.\.(?:[/\\]|$)")


@check(
    "template-file-access",
    severity=Severity.HIGH,
    reads=Lookup,
    references=("CWE-73", "CWE-98", "CWE-22", "MITRE ATLAS 2026.08 AML.T0025", "OWASP LLM 2026 LLM02"),
)
class TemplateFileAccess(Check):
    """The template includes, imports or extends another file.

    ## Why it matters
    An engine whose template loader can see the file system puts the file's content into the prompt, where the model can be
    asked for it: keys and configuration of the server leave through the answer.

    ## How it decides
    `include`, `import`, `from … import` and `extends`. A path that leaves the template's folder, or one that is only known when
    it runs, is `high`; a relative name is `medium`, for chat templates stand alone and have nothing to include. In templates of
    pages and documents (`report.html.j2`) a computed name is `medium`.

    ## What it misses
    Functions that an engine adds to its templates for reading files.

    ## Remedy
    Render templates without a loader. Put what is needed into one template.

    ## References
    Jinja documentation, "Loaders" and "Include"; CWE-73, CWE-98.
    """

    def examine(self, fact: Lookup) -> Iterator[Finding]:
        if fact.kind != "include":
            return
        outside = not fact.name or bool(_OUTSIDE.search(fact.name))
        yield self.finding(
            fact.place,
            f"The template reads {fact.name or 'a file whose name is computed'}.",
            severity=Severity.HIGH if outside and not (is_page(fact.place) and not fact.name) else Severity.MEDIUM,
            key=f"{fact.place.member}:{fact.name}",
            indicators=(Indicator("path", fact.name),) if fact.name else (),
            expression=fact.expression,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        yield Lookup(Place("chat_template.jinja", row=0), "'/etc/hostname'", "/etc/hostname", "include")
        yield Lookup(Place("chat_template.jinja", row=0), "name", "", "include")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        yield Lookup(Place("chat_template.jinja", row=0), "message.content", "content", "attribute")
