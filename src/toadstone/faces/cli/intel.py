"""``toadstone intel``."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from pathlib import Path

from toadstone.core.config import find_config
from toadstone.core.errors import UsageError
from toadstone.core.finding import Indicator
from toadstone.faces.cli.parser import Parser
from toadstone.formats.indicators import about
from toadstone.formats.terminal import printable
from toadstone.intel.knowledge import lists_folder
from toadstone.verbs.intel import EXPORTS, export, import_list, lists, look_up, remove_list


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone intel",
        description="Lists of indicators that scans look up, offline: import them, show them, look values up, hand them on.",
        epilog="exit codes: 0 done, or nobody reports the values · 1 somebody reports a value that is looked up · 2 usage error",
    )
    where = "where lists are kept (default: TOADSTONE_INTEL, `intel` of toadstone.toml, the user's data folder)"
    made.add_argument("--folder", metavar="DIR", help=where)
    shared = Parser(add_help=False)  # the option may stand before or after the action
    shared.add_argument("--folder", metavar="DIR", default=argparse.SUPPRESS, help=where)
    actions = made.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    taking = actions.add_parser(
        "import",
        parents=[shared],
        help="read a file of indicators into a list",
        description="Read a file of indicators: CSV, plain text, a STIX 2.1 bundle, MISP JSON.",
    )
    taking.add_argument("file", metavar="FILE", help="the file")
    taking.add_argument(
        "--name", default="", metavar="N", help="name of the list, which findings show (default: the file's name)"
    )
    taking.add_argument(
        "--valid-days", type=_days, metavar="D", help="days after which entries without an end of their own no longer count"
    )
    actions.add_parser(
        "list",
        parents=[shared],
        help="show the lists",
        description="Show the bundle of incidents and the lists, with what they hold.",
    )
    looking = actions.add_parser(
        "lookup",
        parents=[shared],
        help="tell what is known of values",
        description="Tell what is known of addresses, domains, URLs and digests, in whatever spelling.",
    )
    looking.add_argument(
        "values", nargs="+", metavar="VALUE", help="an address, a domain, a URL, an e-mail address, a digest, a wallet"
    )
    looking.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how the answer is written")
    looking.add_argument("--all", action="store_true", help="also entries that have expired")
    handing = actions.add_parser(
        "export",
        parents=[shared],
        help="write lists for other tools",
        description="Write the bundle of incidents and the lists for other tools.",
    )
    handing.add_argument("names", nargs="*", metavar="NAME", help="lists to write; `incidents` is the bundle (default: all)")
    handing.add_argument("--format", choices=EXPORTS, default="csv", help="how they are written (default: csv)")
    removing = actions.add_parser("remove", parents=[shared], help="remove a list", description="Remove a list.")
    removing.add_argument("name", metavar="NAME", help="name of the list")
    return made


def _days(text: str) -> int:
    try:
        days = int(text)
    except ValueError:
        days = 0
    if not 0 < days <= 36500:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days")
    return days


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    options = parser().parse_args(words)
    folder = Path(options.folder or lists_folder(find_config(Path.cwd()).intel))
    today = dt.datetime.now(tz=dt.UTC).date()
    if options.action == "import":
        _import(options, folder, today)
    elif options.action == "list":
        _list(folder)
    elif options.action == "lookup":
        return _look_up(options, folder, None if options.all else today)
    elif options.action == "export":
        for text in export(folder, options.format, tuple(options.names), today):
            sys.stdout.write(text)
    else:
        remove_list(folder, options.name)
    return 0


def _import(options: argparse.Namespace, folder: Path, today: dt.date) -> None:
    file = Path(options.file)
    if not file.is_file():
        raise UsageError(f"{options.file} is no file.")
    made = import_list(file, folder, today, options.name, options.valid_days)
    sys.stdout.write(f"{made.name}: {len(made):,} indicators ({_types(made.types)})\n")
    for reason, count in made.skipped.items():
        sys.stdout.write(f"  not understood: {reason} ({count:,})\n")


def _types(types: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in types.items())


def _list(folder: Path) -> None:
    from toadstone.intel.incidents import by_value, incidents  # noqa: PLC0415  (start-up time)

    newest = max(incident.date for incident in incidents())
    sys.stdout.write(f"{'incidents':<24} {len(by_value()):>9,}  {len(incidents())} published incidents, the newest of {newest}\n")
    for found in lists(folder):
        expires = ", with validity" if found.expires else ""
        sys.stdout.write(f"{found.name:<24} {len(found):>9,}  imported {found.date}{expires}: {_types(found.types)}\n")


def _look_up(options: argparse.Namespace, folder: Path, today: dt.date | None) -> int:
    found = look_up(options.values, folder, today)
    if options.format == "json":
        sys.stdout.write(
            json.dumps(
                [indicator.as_dict() if indicator else {"type": None, "value": value, "intel": []} for value, indicator in found],
                indent=1,
            )
            + "\n"
        )
    else:
        for value, indicator in found:
            sys.stdout.write(_told(value, indicator) + "\n")
    return 1 if any(indicator is not None and _is_reported(indicator) for _, indicator in found) else 0


def _told(value: str, indicator: Indicator | None) -> str:
    if indicator is None:
        return f"{printable(value)}: no indicator"
    said = about(indicator) or "nothing is known"
    spelled = "" if indicator.value == value else f" ({indicator.value})"
    labels = [
        str(dict(entry).get("label", ""))
        for entry in indicator.intel
        if "asn" not in dict(entry) and dict(entry).get("source") != "warning list"
    ]
    told = "".join(f"\n  {printable(label)}" for label in labels if label)
    return f"{printable(value)}{printable(spelled)}: {indicator.type}, {printable(said)}{told}"


def _is_reported(indicator: Indicator) -> bool:
    return any("asn" not in dict(entry) and dict(entry).get("source") != "warning list" for entry in indicator.intel)
