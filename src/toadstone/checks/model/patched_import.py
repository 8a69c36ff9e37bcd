"""Pickles that change modules, classes or registries of the process that loads them."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Call, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import Items, Symbol, render


@check(
    "patched-import",
    severity=Severity.CRITICAL,
    reads=Call,
    references=("CWE-502", "CWE-915", "MITRE ATLAS 2026.08 AML.T0011.000", "OWASP LLM 2026 LLM04"),
)
class PatchedImport(Check):
    """Loading the file overwrites attributes or entries of something that it imported.

    ## Why it matters

    ``BUILD`` sets attributes on whatever is on the stack, and ``SETITEMS`` and ``APPENDS`` change it. Pointed at a module,
    class or registry instead of a fresh object, they replace functions that other code trusts, or the allow-list of a
    restricted unpickler itself, without calling anything suspicious.

    ## How it decides

    The target of an attribute or item change is an imported name and not an object that the stream has made.

    ## What it misses

    Changes made by a function that is called; those are calls, and `unsafe-import` judges them.

    ## Remedy

    Do not load the file. No library writes such a stream.

    ## References

    - ShadowPickle, arXiv 2607.17503
    - modelscan issue 330
    """

    def examine(self, fact: Call) -> Iterator[Finding]:
        """Judge one change of an object."""
        if not fact.how.endswith(" on import") or not isinstance(fact.callee, Symbol):
            return
        change = render(fact.args[0] if fact.args else None, room=300)
        yield self.finding(
            fact.place,
            f"Loading this changes {fact.callee}, which it imported and did not make.",
            key=str(fact.callee),
            symbol=str(fact.callee),
            code=f"{fact.callee}.__dict__.update({change})"
            if fact.how.startswith("BUILD")
            else f"{fact.callee}.update({change})",
            how=fact.how,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give a change of a module's attribute and of a registry's entry."""
        state = Items("dict", [Items("tuple", ["find_class", Symbol("os", "system")])])
        yield Call(Place("model.pkl", offset=4), Symbol("pickle", "Unpickler"), (state,), (), "BUILD on import", "pickle")
        yield Call(Place("model.pkl", offset=4), Symbol("sys", "modules"), (state,), (), "SETITEMS on import", "pickle")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give the state of an object that the stream made."""
        yield Call(Place("model.pkl", offset=4), Symbol("sklearn.svm", "SVC"), (Items("dict"),), (), "BUILD", "pickle")
