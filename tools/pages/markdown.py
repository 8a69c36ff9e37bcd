"""The little Markdown that the generated pages need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

GENERATED = "<!-- Written by `python -m tools.pages`; change the code instead. -->"


def plain(text: str) -> str:
    """Turn the double back quotes of docstrings into Markdown's single ones."""
    return text.replace("``", "`")


def cell(text: str) -> str:
    """Put a text into one line of a table."""
    return " ".join(plain(text).split()).replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(cell(text) for text in row)} |" for row in rows]


def page(*blocks: Sequence[str] | str) -> str:
    """Join blocks of lines with one empty line between them; empty blocks are left out."""
    parts = [block if isinstance(block, str) else "\n".join(block) for block in blocks]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"
