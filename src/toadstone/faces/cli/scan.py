"""``toadstone scan``."""

from __future__ import annotations

import os
import sys
import time

from toadstone.core.config import read_suppressions
from toadstone.core.finding import Severity
from toadstone.core.policy import Config, Policy
from toadstone.core.record import replace
from toadstone.faces.cli.parser import Parser
from toadstone.faces.cli.reporting import add_record_options, add_report_options, configuration, deliver, today
from toadstone.faces.cli.rows import RowProgress, add_options, row_options, wants_rows
from toadstone.intel.knowledge import lists_folder
from toadstone.verbs.scan import scan
from toadstone.verbs.targets import is_data

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    import argparse
    import datetime as dt

    from toadstone.core.report import Report
    from toadstone.ledger.ledger import Ledger
    from toadstone.remotes.access import Access
    from toadstone.verbs.cache import Cache


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone scan",
        description="Look at models, data sets, code and configuration; say what would hurt whoever loads them or trains on "
        "them, and what could not be read.",
        epilog="exit codes: 0 clean and complete · 1 findings at or above the gate · 2 usage error · 3 something was not read",
    )
    made.add_argument(
        "targets", nargs="+", metavar="TARGET", help="a file, a folder, or a remote: hf://owner/name@revision, https://…, s3://…"
    )
    add_report_options(made)
    made.add_argument(
        "--suppress", metavar="FILE", action="append", default=[], help="known findings, each with a reason and an expiry"
    )
    made.add_argument(
        "--exclude", metavar="GLOB", action="append", default=[], help="paths below a folder that are not looked at"
    )
    made.add_argument(
        "--date",
        type=_day,
        metavar="DAY",
        help="judge expiry as of DAY (YYYY-MM-DD, default: today); with --format stix, the day that the indicators bear",
    )
    made.add_argument("--no-cache", action="store_true", help="scan unchanged files again")
    made.add_argument(
        "--digests", action="store_true", help="fetch remote files whole, and compare their digests with those claimed"
    )
    made.add_argument("--rows", action="store_true", help="examine the rows of data files inside folders, too")
    add_record_options(made)
    add_options(made)
    return made


def _day(text: str) -> dt.date:
    import argparse  # noqa: PLC0415  (start-up time)
    import datetime as dt  # noqa: PLC0415

    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day such as 2027-01-31") from None


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    options = parser().parse_intermixed_args(words)
    config = configuration(options.policy, options.targets, quiet=options.quiet)
    config = replace(
        config,
        gate=Severity.parse(options.fail_on) if options.fail_on else config.gate,
        stage=options.stage or config.stage,
        exclude=(*config.exclude, *options.exclude),
        waivers=(*config.waivers, *(waiver for name in options.suppress for waiver in read_suppressions(name))),
    )
    day = options.date or (today() if config.waivers or os.path.isdir(lists_folder(config.intel)) else None)
    policy = Policy(config.gate, config.waivers, day)
    cache = None if options.no_cache else _cache(config)
    ledger = _ledger(options) if options.record else None
    began = time.monotonic()
    progress = _Progress() if sys.stderr.isatty() and not options.quiet else None
    try:
        access = _access(options.targets, tuple(options.allow_host), digests=options.digests)
        report = scan(*options.targets, config=config, policy=policy, cache=cache, progress=progress, access=access)
        if options.rows or wants_rows(options) or any(is_data(target) for target in options.targets):
            report = _with_rows(report, options, config, policy)
    finally:
        if progress is not None:
            progress.clear()
        if cache is not None:
            cache.close()
    deliver(report, options, policy.gate, began, options.date.isoformat() if options.date else "")
    if ledger is not None:
        _record(ledger, report, options, policy)
    return report.exit_code(policy.gate)


def _ledger(options: argparse.Namespace) -> Ledger:
    from toadstone.faces.cli.recording import opened  # noqa: PLC0415  (cryptography, only for those who ask)

    return opened(options)


def _record(ledger: Ledger, report: Report, options: argparse.Namespace, policy: Policy) -> None:
    from toadstone.faces.cli.recording import tell  # noqa: PLC0415  (as above)
    from toadstone.verbs.record import record_scan  # noqa: PLC0415

    with ledger:
        tell(ledger, record_scan(ledger, report, gate=policy.gate, stage=options.stage or ""), options)


def _with_rows(report: Report, options: argparse.Namespace, config: Config, policy: Policy) -> Report:
    from toadstone.verbs.data_targets import with_rows  # noqa: PLC0415  (numeric libraries, only for data sets)

    progress = RowProgress() if sys.stderr.isatty() and not options.quiet else None
    try:
        return with_rows(
            report,
            options.targets,
            row_options(options),
            config=config,
            policy=policy,
            inside=options.rows,
            scores=options.scores,
            progress=progress,
        )
    finally:
        if progress is not None:
            progress.clear()


def _access(targets: list[str], hosts: tuple[str, ...], *, digests: bool) -> Access | None:
    """Say how remotes are read; None when there are none, so that no network code is loaded."""
    if not any("://" in target for target in targets):
        return None
    from toadstone.remotes.access import Access  # noqa: PLC0415  (see above)

    return Access(digests, hosts)


def _cache(config: Config) -> Cache:
    from toadstone.verbs.cache import Cache, cache_folder  # noqa: PLC0415  (start-up time)

    return Cache(cache_folder(), config)


class _Progress:
    """One line on standard error that says which file is being read."""

    def __init__(self) -> None:
        from toadstone.formats.terminal import printable  # noqa: PLC0415  (start-up time)

        self._printable = printable
        self._shown = 0.0

    def __call__(self, number: int, total: int, name: str) -> None:
        now = time.monotonic()
        if now - self._shown > 0.1:
            self._shown = now
            sys.stderr.write(f"\r\x1b[K{number:,}/{total:,} {self._printable(name[-60:])}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
