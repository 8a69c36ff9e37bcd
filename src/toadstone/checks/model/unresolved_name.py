"""Names that cannot be told before loading."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Import, Moment
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import Symbol


@check(
    "unresolved-name",
    severity=Severity.HIGH,
    reads=Import,
    references=("CWE-502", "CWE-470", "MITRE ATLAS 2026.08 AML.T0011.000", "OWASP LLM 2026 LLM04"),
)
class UnresolvedName(Check):
    """The file imports something under a name that is only known once it is loaded.

    ## Why it matters

    ``EXT1``, ``EXT2`` and ``EXT4`` name a callable by a number in the process's extension registry, and ``STACK_GLOBAL``
    accepts strings that an earlier call computed. Both hide from every reader what will be imported.

    ## How it decides

    The opcode is an extension code, or an operand of ``STACK_GLOBAL`` is not a constant. No pickler of a model library
    writes either.

    ## What it misses

    Nothing of this kind. What the name resolves to stays unknown.

    ## Remedy

    Do not load the file. If your own code registers extension codes, allow them by number.

    ## References

    - https://docs.python.org/3/library/copyreg.html
    - PEP 307, section on the extension registry
    """

    allow: frozenset[str] = frozenset()
    """Extension codes that this project registers, as ``extension-NUMBER``."""

    def examine(self, fact: Import) -> Iterator[Finding]:
        """Judge one import."""
        if fact.language != "pickle" or fact.when is not Moment.LOAD:
            return
        if fact.how == "EXT" and fact.symbol.name not in self.allow:
            code = fact.symbol.name.removeprefix("extension-")
            yield self.finding(
                fact.place,
                f"Loading this imports whatever extension code {code} stands for in the process.",
                key=fact.symbol.name,
            )
        elif fact.how.endswith("computed"):
            known = f" (known so far: {fact.symbol})" if str(fact.symbol).strip(".") else ""
            yield self.finding(
                fact.place, f"Loading this imports a name that is computed while loading{known}.", key=f"computed {fact.symbol}"
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give an extension code and a computed name."""
        yield Import(Place("model.pkl", offset=2), Symbol("", "extension-7"), "EXT", "pickle")
        yield Import(Place("model.pkl", offset=2), Symbol("os", ""), "STACK_GLOBAL computed", "pickle")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give a constant name."""
        yield Import(Place("model.pkl", offset=2), Symbol("numpy", "dtype"), "STACK_GLOBAL", "pickle")
