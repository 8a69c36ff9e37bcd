"""Templates that exhaust whoever renders them."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "template-resource",
    severity=Severity.HIGH,
    reads=Anomaly,
    references=(
        "CWE-400",
        "CWE-770",
        "CWE-1336",
        "MITRE ATLAS 2026.08 AML.T0029",
        "OWASP LLM 2026 LLM06",
    ),
)
class TemplateResource(Check):
    """The template needs memory or time without bound, whatever the conversation says.

    ## Why it matters
    A chat template is rendered on every request, in the process that serves the model. `'A' * 10**10` takes all its memory,
    nested loops over large ranges take its processor, and neither needs to leave the sandbox: Jinja's limits only `range`.
    One upload of a model stops a service for all its users.

    ## How it decides
    Sizes of texts, lists and numbers, and rounds of nested loops (through macros as well), are computed on the syntax tree from
    the template's own constants. A value of more than 16 million characters or items, a number of more than a million bits,
    more than 4 million rounds, a variable that doubles in every round, and a macro that calls itself without a condition are
    `high`: no template needs them. What depends on the conversation's length counts as one.

    ## What it misses
    Cost that only a particular message causes, and loops whose bounds a template computes from the conversation.

    ## Remedy
    Do not serve the model with this template. Replace it by the original publisher's.

    ## References
    Jinja documentation, "Sandbox: Security Considerations"; CWE-400, CWE-770.
    """

    def examine(self, fact: Anomaly) -> Iterator[Finding]:
        """Judge one costly place."""
        if fact.kind == "template-resource":
            yield self.finding(
                fact.place, f"Rendering this template is made to exhaust the server ({fact.detail}).", key=fact.detail[:80]
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give a huge text."""
        place = Place("model.gguf", "tokenizer.chat_template")
        yield Anomaly(place, "template-resource", "line 1: a value of 2^33 characters or items is made in `'A' * 10 ** 10`")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give another anomaly of a template."""
        yield Anomaly(Place("chat_template.jinja"), "hidden-text", "invisible characters in a literal of the template")
