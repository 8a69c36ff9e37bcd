"""One page a check: what it finds, how it decides, its settings, and what it says of its own example."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator

from toadstone.core.check import ALL_STAGES, SECTIONS, Check, discover, section, summary
from toadstone.core.finding import Finding, Severity
from toadstone.core.taxonomy import resolve
from tools.pages.markdown import GENERATED, page, plain, table

_INTRODUCTION = """
Each check knows one flaw and is one file. `toadstone explain CHECK` shows the same pages in the terminal. The severity is the
one that a check usually gives; a single finding may be better or worse, and says so.
"""

_SHOWN = 3
"""Findings of its own example that a page shows."""

_LEVELS = {
    Severity.CRITICAL: "critical: loading or using the artefact does harm",
    Severity.HIGH: "high: no benign real artefact does this (fails the default gate)",
    Severity.MEDIUM: "medium: a person should look",
    Severity.LOW: "low: worth knowing",
    Severity.INFO: "info",
}


def pages() -> dict[str, str]:
    """Give ``checks/ID.md`` for every check, and ``checks/index.md``."""
    known = discover()
    made = {f"checks/{name}.md": check_page(cls) for name, cls in known.items()}
    return {**made, "checks/index.md": index(known)}


def index(known: dict[str, type[Check]]) -> str:
    """Write the list of all checks, worst first."""
    blocks: list[list[str] | str] = [
        GENERATED,
        "# Checks",
        _INTRODUCTION,
    ]
    for severity, meaning in _LEVELS.items():
        rows = [(f"[`{name}`]({name}.md)", summary(cls)) for name, cls in known.items() if cls.severity is severity]
        if rows:
            blocks += [f"## {meaning.partition(':')[0].capitalize()}", table(("check", "finds"), rows)]
    return page(*blocks)


def check_page(cls: type[Check]) -> str:
    """Write the page of one check."""
    reads = ", ".join(f"`{kind.__name__}`" for kind in cls.reads)
    stages = "all" if cls.stages == ALL_STAGES else ", ".join(cls.stages)
    facts = table(("severity", "reads", "stages"), [(cls.severity.label, reads, stages)])
    sections = [f"## {title}\n\n{plain(section(cls, title))}" for title in SECTIONS[:-1]]
    cited = f"## References\n\n{references(cls)}"
    return page(GENERATED, f"# `{cls.id}`", plain(summary(cls)), facts, *sections, settings(cls), example(cls), cited)


def settings(cls: type[Check]) -> str:
    """Write the table of settings, from the annotated class attributes and the strings below them."""
    if not cls.settings:
        return ""
    rows = [(f"`{name}`", f"`{kind}`", f"`{default}`", text) for name, kind, default, text in described(cls)]
    sample = [f"{name} = {_toml(value)}" for name, value in cls.settings.items()]
    shown = ["```toml", f"[checks.{cls.id}]", *sample, "```"]
    return page("## Settings", table(("setting", "type", "default", "meaning"), rows), shown)


def described(cls: type[Check]) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, type, default and documentation of every setting of a check, in the order of the source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(tree, ast.ClassDef)
    following: list[ast.stmt | None] = [*tree.body[1:], None]
    for statement, below in zip(tree.body, following, strict=True):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if statement.target.id not in cls.settings:
            continue
        text = ""
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            text = inspect.cleandoc(below.value.value)
        default = ast.unparse(statement.value) if statement.value is not None else ""
        yield statement.target.id, ast.unparse(statement.annotation), default, text


def _toml(value: object) -> str:
    if isinstance(value, (frozenset, tuple)):
        return "[" + ", ".join(_toml(item) for item in sorted(value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def findings(cls: type[Check]) -> list[Finding]:
    """Run a check over its own bad example."""
    judge = cls()
    return [finding for fact in cls.bad() for finding in judge.examine(fact)]


def example(cls: type[Check]) -> str:
    """Show what a check says of its own bad example."""
    shown = findings(cls)
    lines: list[str] = []
    for finding in shown[:_SHOWN]:
        lines.append(f"{finding.severity.label:<9} {finding.place}")
        lines += textwrap.wrap(finding.message, 100, initial_indent=" " * 10, subsequent_indent=" " * 10)
        code = finding.evidence.get("code")
        if isinstance(code, str):
            lines += textwrap.wrap(code, 100, initial_indent=" " * 10, subsequent_indent=" " * 12)
    if len(shown) > _SHOWN:
        lines.append(f"... and {len(shown) - _SHOWN} more")
    return page("## Example", "What it says of its own example:", ["```text", *lines, "```"])


def references(cls: type[Check]) -> str:
    """Write the taxonomy entries with their names, then what the check's own page cites."""
    rows: list[tuple[str, str]] = []
    for reference in cls.references:
        found = resolve(reference)
        rows.append((f"[{reference}]({found.url})", found.name))
    return page(table(("taxonomy", "name"), rows) if rows else "", plain(section(cls, "References")))
