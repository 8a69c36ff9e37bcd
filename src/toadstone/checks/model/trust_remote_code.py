"""Configuration that asks its loader to run the repository's code."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Setting
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "trust-remote-code",
    severity=Severity.LOW,
    reads=Setting,
    references=("CWE-829", "CWE-1188", "MITRE ATLAS 2026.08 AML.T0010.001", "OWASP LLM 2026 LLM04"),
)
class TrustRemoteCode(Check):
    """The configuration switches on the execution of code from model repositories.

    ## Why it matters
    `trust_remote_code: true` in a training or serving configuration removes the question that a loader asks before it runs a
    repository's Python files, for every model that the configuration is used with from then on.

    ## How it decides
    The key with a true value, anywhere in a JSON, YAML or TOML file. It is a decision that somebody made, so it is `low`; the
    code that it lets run is judged by the other checks.

    ## What it misses
    The same argument in Python code and in environment variables.

    ## Remedy
    Leave it out, or pin the revision of the models that need it and scan that revision.

    ## References
    transformers documentation, `trust_remote_code`; CWE-829, CWE-1188.
    """

    def examine(self, fact: Setting) -> Iterator[Finding]:
        if fact.schema == "transformers" and fact.key.endswith("trust_remote_code") and fact.value is True:
            yield self.finding(
                fact.place,
                f"`{fact.key}` is true: code of model repositories is run without a question.",
                key=fact.key,
                setting=fact.key,
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        yield Setting(Place("train.yaml"), "transformers", "model.trust_remote_code", True)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        yield Setting(Place("train.yaml"), "transformers", "model.trust_remote_code", False)
        yield Setting(Place("config.json"), "transformers", "auto_map.AutoModel", "modeling_x.XModel")
