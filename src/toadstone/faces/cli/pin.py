"""``toadstone pin``."""

from __future__ import annotations

import argparse
import os
import sys

from toadstone.core.check import ALL_STAGES
from toadstone.core.config import find_config
from toadstone.core.errors import UsageError
from toadstone.core.policy import Policy
from toadstone.faces.cli.parser import Parser
from toadstone.faces.cli.reporting import today
from toadstone.formats.terminal import printable

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable

    from toadstone.verbs.pin import Pinned, PinOptions


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone pin",
        description="Write down what identifies every source of a project: files, folders, data sets row by row, remotes. "
        "`toadstone verify` compares them with it.",
        epilog="exit codes: 0 written · 2 usage error, and nothing is written",
    )
    made.add_argument(
        "targets", metavar="TARGET", nargs="+", help="a file, a folder, hf://owner/name@revision, https://…, s3://…"
    )
    made.add_argument("--lock", metavar="FILE", default="toadstone.lock", help="the lock (default: toadstone.lock)")
    made.add_argument("--label", metavar="COLUMN", default="", help="column of labels in data sets (default: guessed)")
    made.add_argument(
        "--no-rows", action="store_true", help="do not hash single rows: ten times faster, and changes are named by block"
    )
    made.add_argument("--no-scan", action="store_true", help="do not scan what is pinned")
    made.add_argument(
        "--download", action="store_true", help="fetch remote files whole instead of believing the digests their host states"
    )
    made.add_argument("--url-column", metavar="COLUMN", default="", help="column of addresses: what they lead to is pinned, too")
    made.add_argument(
        "--hash-column", metavar="COLUMN", default="", help="column that states SHA-256 or MD5 of what they lead to"
    )
    made.add_argument("--allow-host", metavar="HOST", action="append", default=[], help="addresses may lead to this private host")
    made.add_argument("--licence", metavar="TEXT", default="", help="licence of the sources, written down")
    made.add_argument("--stage", choices=ALL_STAGES, default="", help="stage of a model's life at which they are used")
    made.add_argument("--trust", metavar="TEXT", default="", help="how far the sources are trusted, in your own words")
    made.add_argument("--vouched-by", metavar="NAME", default="", help="who vouches for them")
    made.add_argument("--quiet", action="store_true", help="print nothing; the exit code is the same")
    return made


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    options = parser().parse_intermixed_args(words)
    for target in options.targets:
        if "://" not in target and not os.path.lexists(target):
            raise UsageError(f"{target} does not exist.")
    from toadstone.verbs.pin import pin  # noqa: PLC0415  (numeric libraries, which a typo need not wait for)

    scanned = None if options.no_scan else _scanned(quiet=options.quiet)
    found = pin(*options.targets, lock=options.lock, options=_options(options), today=str(today()), scanned=scanned)
    if not options.quiet:
        _tell(found, options.lock)
    return 0


def _options(options: argparse.Namespace) -> PinOptions:
    from toadstone.verbs.pin import PinOptions  # noqa: PLC0415  (as above)

    return PinOptions(
        label=options.label,
        rows=not options.no_rows,
        licence=options.licence,
        stage=options.stage,
        trust=options.trust,
        vouched=options.vouched_by,
        download=options.download,
        url_column=options.url_column,
        url_hashes=options.hash_column,
        hosts=tuple(options.allow_host),
    )


def _scanned(*, quiet: bool) -> Callable[[str], str]:
    """Give what scans a target; what it finds is told at once, since a pin is a promise."""
    config = find_config(os.getcwd())
    policy = Policy(config.gate, config.waivers, today())

    def verdict(target: str) -> str:
        from toadstone.verbs.scan import scan  # noqa: PLC0415  (start-up time)

        report = scan(target, config=config, policy=policy)
        if report.verdict not in ("clean", "incomplete") and not quiet:
            sys.stderr.write(
                f"toadstone: {printable(target)} is {report.verdict}; `toadstone scan` tells why. It is pinned as it is.\n"
            )
        return report.verdict

    return verdict


def _tell(found: Pinned, lock: str) -> None:
    for pin in found.pins:
        rows = sum(table.rows for table in pin.tables)
        what = f"{pin.count:,} entries, " if pin.kind != "file" else ""
        told = (
            f"{what}{pin.size:,} bytes" + (f", {rows:,} rows" if pin.tables else "") + (f", scan: {pin.scan}" if pin.scan else "")
        )
        sys.stdout.write(f"  {printable(pin.name)}: {told}\n    sha256 {pin.root}\n")
    for note in found.notes:
        sys.stdout.write(f"  note: {printable(note)}\n")
    count = len(found.pins)
    sys.stdout.write(
        f"pinned {count:,} source{'' if count == 1 else 's'} -> {printable(lock)} ({len(found.lock.pins):,} in all)\n"
    )
