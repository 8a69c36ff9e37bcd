"""``toadstone trace``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from toadstone.core.errors import UsageError
from toadstone.faces.cli.parser import Parser
from toadstone.faces.cli.reporting import write_text
from toadstone.formats.terminal import printable

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from toadstone.ledger.ledger import Ledger
    from toadstone.ledger.things import Traced
    from toadstone.trackers.run import Tracked

_FORMATS = ("terminal", "json", "mermaid", "svg", "html", "openlineage")


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone trace",
        description="Say what went into a model, and which models saw a row, a file, a source, and what was built on them.",
        epilog="exit codes: 0 answered · 1 --reproduce: it differs, --diff: they differ · 2 usage error",
    )
    made.add_argument("what", metavar="WHAT", nargs="*", help="a path, known by its content; the name of a source; a digest")
    made.add_argument(
        "--row", metavar="N", type=int, action="append", default=[], help="row of the data set WHAT, from 0 (repeatable)"
    )
    made.add_argument("--rows", metavar="FILE", help="the rows of this data set; `-`: all rows of WHAT")
    made.add_argument(
        "--source",
        metavar="NAME",
        default="",
        help="rows of WHAT that this contributor gave; without WHAT: a source, as it was pinned",
    )
    made.add_argument("--diff", action="store_true", help="two models: in what their making differed")
    made.add_argument("--reproduce", action="store_true", help="make the model again in a clean copy and compare it")
    made.add_argument("--lock", metavar="FILE", default="toadstone.lock", help="the lock (default: toadstone.lock)")
    made.add_argument(
        "--ledger", metavar="WHERE", help="path or postgresql:// address (default: the nearest .toadstone/ledger.sqlite)"
    )
    made.add_argument(
        "--mlflow",
        metavar="STORE",
        help="also what MLflow says: its folder mlruns, or its SQLite database; no ledger is needed then",
    )
    made.add_argument("--format", choices=_FORMATS, default="terminal", help="how the answer is written (default: terminal)")
    made.add_argument("--output", metavar="FILE", help="write the answer to FILE instead of standard output")
    made.add_argument("--no-color", action="store_true", help="no colours (also NO_COLOR=1)")
    return made


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    options = parser().parse_intermixed_args(words)
    wanted = 2 if options.diff else 1
    if len(options.what) != wanted and not (not options.what and (options.rows or options.source)):
        raise UsageError(
            f"{'--diff takes two models' if options.diff else 'one thing is traced at a time'}; got {len(options.what)}."
        )
    if options.mlflow and (options.diff or options.reproduce):
        raise UsageError("--diff and --reproduce compare records of the ledger.", "Leave --mlflow out.")
    from toadstone.ledger.ledger import Ledger  # noqa: PLC0415  (a typo need not wait for it)
    from toadstone.verbs.record import has_ledger, ledger_place  # noqa: PLC0415

    if options.mlflow and not options.ledger and not has_ledger():
        _write(_written(_traced(options, None), options), options)
        return 0
    with Ledger.open(ledger_place(options.ledger)) as ledger:
        if options.diff:
            return _diff(options, ledger)
        if options.reproduce:
            return _reproduce(options, ledger)
        found = _traced(options, ledger)
    _write(_written(found, options), options)
    return 0


def _traced(options: argparse.Namespace, ledger: Ledger | None) -> Traced:
    from toadstone.verbs.trace import trace, trace_rows  # noqa: PLC0415  (numeric libraries)

    what = options.what[0] if options.what else ""
    tracked = _tracked(options.mlflow) if options.mlflow else None
    about = {"source": options.source, "lock": options.lock, "tracked": tracked}
    if options.rows:
        return trace_rows(what if options.rows == "-" else options.rows, ledger, None, **about)
    if options.row or (options.source and os.path.lexists(what)):
        return trace_rows(what, ledger, options.row or None, **about)
    return trace(what or options.source, ledger, lock=options.lock, tracked=tracked)


def _tracked(store: str) -> Tracked:
    from toadstone.trackers.mlflow import read_mlflow  # noqa: PLC0415  (start-up time)

    return read_mlflow(Path(store))


def _written(found: Traced, options: argparse.Namespace) -> str:
    from toadstone.formats.traced import as_json, as_mermaid, as_text  # noqa: PLC0415  (start-up time)

    if options.format == "json":
        return as_json(found)
    if options.format == "mermaid":
        return as_mermaid(found)
    if options.format in ("svg", "html"):
        from toadstone.formats.lineage_page import write_html, write_svg  # noqa: PLC0415  (start-up time)

        return write_svg(found) if options.format == "svg" else write_html(found)
    if options.format == "openlineage":
        from toadstone.formats.openlineage import write  # noqa: PLC0415  (start-up time)

        return write(found)
    return as_text(
        found, colour=not options.output and sys.stdout.isatty() and not options.no_color and not os.environ.get("NO_COLOR")
    )


def _write(text: str, options: argparse.Namespace) -> None:
    if options.output:
        write_text(text, options.output)
    else:
        sys.stdout.write(text)


def _diff(options: argparse.Namespace, ledger: Ledger) -> int:
    from toadstone.verbs.comparison import difference  # noqa: PLC0415  (numeric libraries)

    first, second = options.what
    found = difference(first, second, ledger, lock=options.lock)
    if options.format == "json":
        text = json.dumps({"schema": "toadstone.difference/1", "differences": [vars(one) for one in found]}, indent=2) + "\n"
    else:
        lines = [
            f"{one.what:<10} {printable(one.name)}: {printable(one.before) or 'none'} -> {printable(one.after) or 'none'}"
            for one in found
        ]
        text = "\n".join(lines or ["the records of both say the same"]) + "\n"
    _write(text, options)
    return 1 if found else 0


def _reproduce(options: argparse.Namespace, ledger: Ledger) -> int:
    from toadstone.verbs.comparison import reproduce  # noqa: PLC0415  (numeric libraries)

    found = reproduce(options.what[0], ledger, lock=options.lock)
    if options.format == "json":
        outputs = [{"path": name, "equal": not how, "difference": how} for name, how in found.outputs]
        document = {
            "record": found.record,
            "equal": found.equal,
            "outputs": outputs,
            "exitCode": found.exit_code,
            "notes": list(found.notes),
        }
        text = json.dumps({"schema": "toadstone.reproduction/1", **document}, indent=2) + "\n"
    else:
        lines = [f"{printable(name)}: {how or 'bit for bit the same'}" for name, how in found.outputs]
        text = "\n".join([*(f"note: {note}" for note in found.notes), *lines]) + "\n"
    _write(text, options)
    return 0 if found.equal else 1
