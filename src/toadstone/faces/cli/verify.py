"""``toadstone verify``."""

from __future__ import annotations

import argparse
import os
import sys

from toadstone.core.errors import UsageError
from toadstone.faces.cli.parser import Parser
from toadstone.faces.cli.reporting import write_text
from toadstone.formats.verified import as_json, as_text

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from toadstone.identity.verified import Verified


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone verify",
        description="Compare every source with the lock: what was added, removed, edited, relabelled, reordered, down to rows "
        "and columns. A re-encoded file with the same rows is the same content.",
        epilog="exit codes: 0 the same content · 1 something changed · 2 usage error · 3 something could not be compared",
    )
    made.add_argument(
        "sources",
        metavar="SOURCE",
        nargs="*",
        help="names in the lock (default: all); a Croissant description, whose files and columns are checked",
    )
    made.add_argument("--lock", metavar="FILE", default="toadstone.lock", help="the lock (default: toadstone.lock)")
    made.add_argument("--download", action="store_true", help="fetch remote files and hash them, instead of believing their host")
    made.add_argument("--allow-host", metavar="HOST", action="append", default=[], help="addresses may lead to this private host")
    made.add_argument(
        "--format", choices=("terminal", "json"), default="terminal", help="how the answer is written (default: terminal)"
    )
    made.add_argument("--output", metavar="FILE", help="write the answer to FILE instead of standard output")
    made.add_argument("--quiet", action="store_true", help="print nothing; the exit code is the same")
    made.add_argument("--no-color", action="store_true", help="no colours (also NO_COLOR=1)")
    return made


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    options = parser().parse_intermixed_args(words)
    described = [source for source in options.sources if os.path.isfile(source) and source.endswith(".json")]
    if not os.path.exists(options.lock) and not described:
        raise UsageError(f"{options.lock} does not exist.", "`toadstone pin TARGET...` writes it.")
    found = _compared(options, described)
    colour = not options.output and sys.stdout.isatty() and not options.no_color and not os.environ.get("NO_COLOR")
    text = as_json(found) if options.format == "json" else as_text(found, colour=colour)
    if options.output:
        write_text(text, options.output)
    elif not options.quiet:
        sys.stdout.write(text)
    return found.exit_code


def _compared(options: argparse.Namespace, described: list[str]) -> Verified:
    """Compare sources with the lock, and descriptions that are none of its sources with what they describe."""
    from toadstone.identity.verified import Verified  # noqa: PLC0415  (numeric libraries, which a typo need not wait for)
    from toadstone.verbs.croissant import check_croissant, is_croissant  # noqa: PLC0415
    from toadstone.verbs.verify import pinned_names, verify  # noqa: PLC0415

    known = pinned_names(options.lock)
    checked = [path for path in described if path not in known and is_croissant(path)]
    found = [check_croissant(path, download=options.download, hosts=options.allow_host) for path in checked]
    others = [source for source in options.sources if source not in checked]
    if others or not options.sources:
        found.append(verify(*others, lock=options.lock, download=options.download, hosts=options.allow_host))
    changes = sorted((change for one in found for change in one.changes), key=lambda change: -change.severity)
    return Verified(
        tuple(name for one in found for name in one.sources), tuple(changes), tuple(gap for one in found for gap in one.unknown)
    )
