"""Configuration that takes code from somebody else's repository."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Link
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "foreign-code",
    severity=Severity.MEDIUM,
    reads=Link,
    references=("CWE-829", "CWE-494", "MITRE ATLAS 2026.08 AML.T0010.001", "OWASP LLM 2026 LLM04"),
)
class ForeignCode(Check):
    """The model's configuration takes code from another repository, which can change at any time.

    ## Why it matters
    `auto_map` entries of the form `owner/name--module.Class`, and kernels named by repository, make the loader fetch and run
    code that is not part of this model. Its owner can change it after the model was reviewed, and a name that is given up can
    be taken over by somebody else.

    ## How it decides
    Every entry that names another repository is reported at `medium`: some publishers share their code this way. What the code
    does cannot be seen from here; scan that repository as well, at the revision that you will load.

    ## What it misses
    Code that this repository's own Python files download.

    ## Remedy
    Copy the code into your own repository and name it without the repository, or pin `code_revision` and scan that revision.

    ## References
    transformers documentation, "Customizing models" (`auto_map`, `code_revision`); CWE-829, CWE-494.
    """

    def examine(self, fact: Link) -> Iterator[Finding]:
        if fact.relation == "remote-code":
            yield self.finding(
                fact.place, f"Code is taken from the repository {fact.target}.", key=fact.target, repository=fact.target
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        yield Link(Place("config.json"), "owner/name", "remote-code", escapes=True)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        yield Link(Place("config.json"), "model-00001.safetensors", "weights", escapes=False)
