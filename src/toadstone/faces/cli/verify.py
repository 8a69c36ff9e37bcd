"""``toadstone verify``."""

from __future__ import annotations

import os
import sys

from toadstone.core.errors import UsageError
from toadstone.faces.cli.parser import Parser
from toadstone.faces.cli.reporting import write_text
from toadstone.formats.verified import as_json, as_text


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone verify",
        description="Compare every source with the lock: what was added, removed, edited, relabelled, reordered, down to rows "
        "and columns. A re-encoded file with the same rows is the same content.",
        epilog="exit codes: 0 the same content · 1 something changed · 2 usage error · 3 something could not be compared",
    )
    made.add_argument("sources", metavar="SOURCE", nargs="*", help="names in the lock (default: all)")
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
    if not os.path.exists(options.lock):
        raise UsageError(f"{options.lock} does not exist.", "`toadstone pin TARGET...` writes it.")
    from toadstone.verbs.verify import verify  # noqa: PLC0415  (numeric libraries, which a typo need not wait for)

    found = verify(*options.sources, lock=options.lock, download=options.download, hosts=options.allow_host)
    colour = not options.output and sys.stdout.isatty() and not options.no_color and not os.environ.get("NO_COLOR")
    text = as_json(found) if options.format == "json" else as_text(found, colour=colour)
    if options.output:
        write_text(text, options.output)
    elif not options.quiet:
        sys.stdout.write(text)
    return found.exit_code
