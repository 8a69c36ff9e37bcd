"""The options of all commands that end in a report, and what is done with them."""

from __future__ import annotations

import os
import sys
import time

from toadstone.core.check import ALL_STAGES
from toadstone.core.config import find_config, read_config
from toadstone.core.errors import UsageError
from toadstone.formats import FORMATS, Envelope, write
from toadstone.verbs.targets import is_inside

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    import argparse
    import datetime as dt

    from toadstone.core.finding import Severity
    from toadstone.core.policy import Config
    from toadstone.core.report import Report
    from toadstone.faces.cli.parser import Parser

_LEVELS = ("low", "medium", "high", "critical")


def add_report_options(parser: Parser) -> None:
    """Add the options to a command's parser."""
    parser.add_argument("--format", choices=FORMATS, default="terminal", help="how the report is written (default: terminal)")
    parser.add_argument("--output", metavar="FILE", help="write the report to FILE instead of standard output")
    parser.add_argument(
        "--fail-on", choices=_LEVELS, help="the gate: findings from this severity on give exit code 1 (default: high)"
    )
    parser.add_argument("--stage", choices=ALL_STAGES, help="only checks of this stage of a model's life")
    parser.add_argument(
        "--policy", metavar="FILE", help="configuration to use instead of the nearest toadstone.toml or pyproject.toml"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing; the exit code is the same")
    parser.add_argument("--no-color", action="store_true", help="no colours (also NO_COLOR=1)")
    parser.add_argument("--verbose", action="store_true", help="list every subject and every finding, also below the gate")


def add_record_options(parser: Parser) -> None:
    """Add the options of commands whose outcome can be recorded."""
    parser.add_argument(
        "--record", action="store_true", help="record the outcome, signed, in the ledger (see `toadstone ledger`)"
    )
    parser.add_argument(
        "--ledger",
        metavar="WHERE",
        help="the ledger: a path or a postgresql:// address (default: TOADSTONE_LEDGER, the nearest .toadstone/ledger.sqlite)",
    )


def configuration(policy: str | None, targets: list[str], *, quiet: bool) -> Config:
    """Read the named configuration, or the nearest one at or above the working folder.

    Configurations elsewhere are never read: whoever made a model must not decide how it is judged. Somebody who stands
    inside what is scanned may be using the settings of that somebody else, and is told so.
    """
    if policy:
        return read_config(policy)
    config = find_config(os.getcwd())
    if config.origin and not quiet:
        origin = os.path.realpath(config.origin)
        if any(is_inside(origin, os.path.realpath(target)) for target in targets if "://" not in target):
            advice = "which is part of what is scanned; --policy FILE names others."
            sys.stderr.write(f"toadstone: using the settings of {config.origin}, {advice}\n")
    return config


def deliver(report: Report, options: argparse.Namespace, gate: Severity, began: float, date: str = "") -> None:
    """Write a report in the form, and where, its reader asked for.

    Args:
        report: What was found.
        options: As parsed.
        gate: Severity from which findings count.
        began: When the work began, by `time.monotonic`.
        date: Day that the report bears.

    Raises:
        UsageError: The file cannot be written.
    """
    if options.quiet and not options.output:
        return
    colour = options.output is None and sys.stdout.isatty() and not options.no_color and not os.environ.get("NO_COLOR")
    envelope = Envelope(gate=gate, seconds=time.monotonic() - began, colour=colour, verbose=options.verbose, date=date)
    text = write(report, options.format, envelope)
    if options.output is None:
        sys.stdout.write(text)
    else:
        write_text(text, options.output)


def write_text(text: str, output: str) -> None:
    """Write text to a file.

    Raises:
        UsageError: The file cannot be written.
    """
    try:
        with open(output, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}.") from None


def today() -> dt.date:
    """Give the day by UTC."""
    import datetime as dt  # noqa: PLC0415  (start-up time; only waivers and entries of lists expire)

    return dt.datetime.now(tz=dt.UTC).date()
