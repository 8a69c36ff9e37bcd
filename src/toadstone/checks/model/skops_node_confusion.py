"""`skops-node-confusion`: what a reviewer of a skops file is shown is not what is built."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "skops-node-confusion",
    severity=Severity.HIGH,
    reads=Anomaly,
    references=(
        "CWE-351",
        "CWE-502",
        "CVE-2025-54412",
        "CVE-2025-54413",
        "CVE-2025-54886",
        "GHSA-m7f4-hrc6-fwg3",
        "GHSA-4v6w-xpmh-gfgp",
        "GHSA-378x-6p4f-8jgm",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP LLM 2026 LLM04",
        "NIST AI 100-2e2025 NISTAML.051",
    ),
)
class SkopsNodeConfusion(Check):
    """A skops file shows one type to its reviewer and makes its loader build another.

    ## Why it matters
    skops asks its user to trust the types that a file names, and then builds them. Where a loader builds something else than
    the node names, the user has approved the wrong thing: an `OperatorFuncNode` calls `operator.<name>` whatever module the
    node states (CVE-2025-54412), a `MethodNode` binds a method of whatever object it holds (CVE-2025-54413), a random
    generator calls the `numpy.random` attribute that a string inside it names, a repeated id stands for the earlier object,
    and a `.skops` file that is no zip archive went to joblib, which unpickles (CVE-2025-54886).

    ## How it decides
    Every node of the schema is compared with what its loader builds, for all protocols. skops itself writes the same type in
    both places, so any difference was made by hand: `high`, whatever version of skops will load the file.

    ## What it misses
    Nothing that the schema can say about types; but a trusted type with hostile content (tree indices that point outside
    their array) is not found here. What is really imported and called is judged by `unsafe-import` and `unreviewed-call`.

    ## Remedy
    Do not load the file. If it is yours, save it again with skops 0.13 or later and compare.

    ## References
    GHSA-m7f4-hrc6-fwg3, GHSA-4v6w-xpmh-gfgp, GHSA-378x-6p4f-8jgm; `skops/io/_audit.py`.
    """

    def examine(self, fact: Anomaly) -> Iterator[Finding]:
        """Judge one contradiction."""
        if fact.kind == "loader-mismatch":
            yield self.finding(fact.place, f"The file names one type and builds another: {fact.detail}.", kind=fact.kind)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """An operator under a builtin's name."""
        detail = "OperatorFuncNode builds operator.methodcaller, but the node says 'builtins.int'"
        yield Anomaly(Place("model.skops", "schema.json"), "loader-mismatch", detail)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """A contradiction of another kind."""
        yield Anomaly(Place("model.skops"), "duplicate-member", "schema.json twice")
