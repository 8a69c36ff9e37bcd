"""``toadstone inventory``."""

from __future__ import annotations

import json
import os
import sys

from toadstone.core.errors import UsageError
from toadstone.core.finding import Severity
from toadstone.core.version import __version__
from toadstone.faces.cli.parser import Parser
from toadstone.faces.cli.reporting import write_text
from toadstone.formats.terminal import printable

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from toadstone.verbs.inventory import Part

SCHEMA = "toadstone.inventory/1"
_LEVELS = ("low", "medium", "high", "critical")
_TITLES = {"model": "models", "dataset": "data sets", "prompt": "prompts", "service": "services", "package": "packages"}


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone inventory",
        description="Find the AI supply chain of a source tree: models, data sets, prompts, references to hubs, services, "
        "packages; and say what of it is unpinned or unscanned.",
        epilog="exit codes: 0 nothing at or above the gate · 1 something is · 2 usage error",
    )
    made.add_argument("tree", metavar="FOLDER", nargs="?", default=".", help="the source tree (default: here)")
    made.add_argument(
        "--lock", metavar="FILE", default="toadstone.lock", help="the lock, which says what is pinned (default: toadstone.lock)"
    )
    made.add_argument("--fail-on", choices=_LEVELS, default="high", help="the gate (default: high)")
    made.add_argument(
        "--format", choices=("terminal", "json"), default="terminal", help="how the answer is written (default: terminal)"
    )
    made.add_argument("--output", metavar="FILE", help="write the answer to FILE instead of standard output")
    made.add_argument("--quiet", action="store_true", help="print nothing; the exit code is the same")
    return made


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    options = parser().parse_intermixed_args(words)
    if not os.path.lexists(options.tree):
        raise UsageError(f"{options.tree} does not exist.")
    from toadstone.verbs.inventory import inventory  # noqa: PLC0415  (a typo need not wait for it)

    found = inventory(options.tree, lock=options.lock)
    text = _json(found) if options.format == "json" else _text(found)
    if options.output:
        write_text(text, options.output)
    elif not options.quiet:
        sys.stdout.write(text)
    gate = Severity.parse(options.fail_on)
    return int(any(part.flaws and part.severity >= gate for part in found))


def _json(found: list[Part]) -> str:
    parts = [{**vars(part), "flaws": list(part.flaws), "severity": part.severity.label} for part in found]
    return json.dumps({"schema": SCHEMA, "tool": {"name": "toadstone", "version": __version__}, "parts": parts}, indent=2) + "\n"


def _text(found: list[Part]) -> str:
    lines: list[str] = []
    for kind, title in _TITLES.items():
        parts = [part for part in found if part.kind == kind]
        if parts:
            lines.append(f"{title} ({len(parts):,})")
            lines += [_line(part) for part in parts]
    flawed = sum(bool(part.flaws) for part in found)
    lines.append(
        f"{len(found):,} part{'' if len(found) == 1 else 's'}, {flawed:,} unpinned, unscanned or otherwise to be looked at"
    )
    return "\n".join(lines) + "\n"


def _line(part: Part) -> str:
    place = f"{part.path}:{part.line}" if part.line else part.path
    where = "" if place == part.name else f"  {printable(place)}"
    told = "; ".join(part.flaws) or (f"pinned {part.pinned}" if part.pinned else "")
    label = part.severity.label if part.flaws else "ok" if part.pinned else ""
    return f"  {label:<8} {printable(part.name)}{where}{f'  ({printable(told)})' if told else ''}"
