"""``toadstone clean``."""

from __future__ import annotations

import os
import sys
import time

from toadstone.core.errors import UsageError
from toadstone.core.finding import Severity
from toadstone.core.policy import Policy
from toadstone.core.record import replace
from toadstone.faces.cli.parser import Parser
from toadstone.faces.cli.reporting import add_record_options, add_report_options, configuration, deliver, today, write_text
from toadstone.faces.cli.rows import RowProgress, add_options, row_options

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    import argparse

    from toadstone.ledger.ledger import Ledger
    from toadstone.verbs.choices import Choices
    from toadstone.verbs.clean import Cleaned


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone clean",
        description="Split a data set into kept and quarantined rows, with a reason for each. Nothing is lost or altered: "
        "both files together are the input, row for row.",
        epilog="exit codes: 0 clean and complete · 1 findings at or above the gate · 2 usage error · 3 something was not read",
    )
    made.add_argument(
        "data",
        metavar="DATA",
        help=".parquet .arrow .jsonl[.gz] .csv .tsv .npz, a saved Hugging Face data set, or one at s3://…, hf://…, https://…",
    )
    made.add_argument("-o", "--kept", metavar="FILE", required=True, help="where the kept rows go, in the format of DATA")
    made.add_argument("--quarantine", metavar="FILE", help="where the others go, with row number, checks and p-value")
    made.add_argument("--relabel", action="store_true", help="keep rows whose label is to blame, with the label that fits")
    made.add_argument("--review", metavar="FILE", help="write a page on which to look at groups and rows and choose (HTML)")
    made.add_argument(
        "--suppress", metavar="FILE", action="append", default=[], help="choices exported from that page, or known findings"
    )
    add_report_options(made)
    add_record_options(made)
    add_options(made)
    return made


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    options = parser().parse_intermixed_args(words)
    from toadstone.verbs.clean import clean  # noqa: PLC0415  (numeric libraries, which a typo need not wait for)

    if "://" not in options.data and not os.path.exists(options.data):  # noqa: PTH110  (a path as it was typed)
        raise UsageError(f"{options.data} does not exist.")
    data = (options.data, options.kept, options.quarantine, options.scores, options.reference, options.baseline)
    for page in (options.output, options.review):
        _spared(page, (*data, *options.suppress))
    config = configuration(options.policy, [options.data], quiet=options.quiet)
    gate = Severity.parse(options.fail_on) if options.fail_on else config.gate
    config = replace(config, gate=gate, stage=options.stage or config.stage)
    choices = _choices(options.suppress)
    policy = Policy(gate, config.waivers, today())
    ledger = _ledger(options) if options.record else None
    began = time.monotonic()
    progress = RowProgress() if sys.stderr.isatty() and not options.quiet else None
    try:
        cleaned = clean(
            options.data,
            options.kept,
            options.quarantine,
            options=row_options(options),
            relabel=options.relabel,
            scores=options.scores,
            config=config,
            policy=policy,
            choices=choices,
            progress=progress,
        )
        if options.review:
            _reviewed(cleaned, options.review)
    finally:
        if progress is not None:
            progress.clear()
    deliver(cleaned.report, options, gate, began)
    if options.format == "terminal" and not options.quiet:
        went = f" -> {options.quarantine}" if options.quarantine else " (left out; --quarantine FILE keeps them)"
        changed = f" ({cleaned.relabelled:,} with another label)" if cleaned.relabelled else ""
        sys.stdout.write(f"kept {_rows(cleaned.kept)}{changed} -> {options.kept}\n")
        sys.stdout.write(f"quarantined {_rows(cleaned.quarantined)}{went if cleaned.quarantined or options.quarantine else ''}\n")
    if ledger is not None:
        _record(ledger, cleaned, options)
    return cleaned.report.exit_code(gate)


def _ledger(options: argparse.Namespace) -> Ledger:
    from toadstone.faces.cli.recording import opened  # noqa: PLC0415  (cryptography, only for those who ask)

    return opened(options)


def _record(ledger: Ledger, cleaned: Cleaned, options: argparse.Namespace) -> None:
    from toadstone.faces.cli.recording import tell  # noqa: PLC0415  (as above)
    from toadstone.verbs.record import record_cleaning  # noqa: PLC0415

    with ledger:
        receipt = record_cleaning(ledger, cleaned, options.data, options.kept, options.quarantine)
        tell(ledger, [receipt], options)


def _choices(files: list[str]) -> list[Choices]:
    """Read the choices of reviews."""
    from toadstone.verbs.choices import read_choices  # noqa: PLC0415  (numeric libraries)

    return [read_choices(name) for name in files]


def _reviewed(cleaned: Cleaned, output: str) -> None:
    """Write the page on which a person chooses."""
    from toadstone.formats.review import write_review  # noqa: PLC0415  (as above)
    from toadstone.verbs.review import review_of  # noqa: PLC0415

    write_text(write_review(review_of(cleaned.examined, today())), output)


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _spared(output: str | None, places: tuple[str | None, ...]) -> None:
    """See that the report replaces none of the data.

    Raises:
        UsageError: It would.
    """
    for place in places:
        if output is not None and place is not None and os.path.realpath(output) == os.path.realpath(place):
            raise UsageError(f"the report would replace {place}.", "Name another file with --output.")
