"""Reads code in tests and gives its facts in short form."""

from __future__ import annotations

from toadstone.core.blob import Blob, BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.check import discover
from toadstone.core.fact import Call, Fact, Import, Unread
from toadstone.core.finding import Severity
from toadstone.core.place import Place
from toadstone.core.value import render_call
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

CHECKS = ("embedded-code", "notebook-active-content", "remote-code", "startup-hook", "suspicious-code")


def facts_of(content: str | bytes, name: str = "module.py", hint: str = "", files: dict[str, bytes] | None = None) -> list[Fact]:
    data = content.encode() if isinstance(content, str) else content

    def sibling(wanted: str) -> Blob | None:
        return BytesBlob(files[wanted]) if files and wanted in files else None

    facts = list(walk(Source(BytesBlob(data), name, Place(name), Budget.of(len(data)), hint=hint, sibling=sibling)))
    assert not [fact for fact in facts if isinstance(fact, Unread) and "internal error" in fact.reason]
    return facts


def calls(facts: list[Fact]) -> list[str]:
    return [render_call(fact.callee, fact.args, fact.kwargs) for fact in facts if isinstance(fact, Call)]


def imports(facts: list[Fact]) -> list[str]:
    return [str(fact.symbol) for fact in facts if isinstance(fact, Import)]


def findings(facts: list[Fact]) -> dict[str, Severity]:
    """Worst severity by check id."""
    known = discover()
    found: dict[str, Severity] = {}
    for name in CHECKS:
        judge = known[name]()
        for fact in facts:
            if isinstance(fact, judge.reads):
                for finding in judge.examine(fact):
                    found[name] = max(found.get(name, Severity.INFO), finding.severity)
    return found
