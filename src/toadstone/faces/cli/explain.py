"""``toadstone explain``."""

from __future__ import annotations

import sys

from toadstone.core.check import discover, manual
from toadstone.core.errors import UsageError, nearest
from toadstone.core.taxonomy import resolve
from toadstone.faces.cli.parser import Parser


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(prog="toadstone explain", description="Show the manual page of a check.")
    made.add_argument("check", metavar="CHECK", help="id of a check, as `toadstone checks` lists it")
    return made


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    name = parser().parse_args(words).check
    known = discover()
    if name not in known:
        raise UsageError(f"there is no check {name!r}.", nearest(name, known) or "`toadstone checks` lists them all.")
    cls = known[name]
    page = manual(cls).replace("``", "`")
    lines = [f"{name} ({cls.severity.label})", "", page]
    if cls.settings:
        lines += ["", "## Settings", *(f"  {key} = {value!r}" for key, value in cls.settings.items())]
    if cls.references:
        lines += ["", "## Taxonomy", *(f"  {reference:<38} {resolve(reference).name}".rstrip() for reference in cls.references)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
