"""``toadstone checks``."""

from __future__ import annotations

import sys

from toadstone.core.check import discover, summary
from toadstone.faces.cli.parser import Parser


def parser() -> Parser:
    """Make the parser of this command."""
    return Parser(prog="toadstone checks", description="List every check with its severity and what it finds.")


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    parser().parse_args(words)
    for name, cls in discover().items():
        sys.stdout.write(f"{name:<28} {cls.severity.label:<9} {summary(cls)}\n")
    return 0
