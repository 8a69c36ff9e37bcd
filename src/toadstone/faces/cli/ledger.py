"""``toadstone ledger``."""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from toadstone.core.errors import UsageError
from toadstone.faces.cli.parser import Parser
from toadstone.faces.cli.passphrase import load_key, new_passphrase
from toadstone.formats.terminal import printable
from toadstone.ledger.checking import Checked, check
from toadstone.ledger.envelope import recorded_at
from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.keys import KEY_VARIABLE, PASSPHRASE_VARIABLE, Key, Verifier, default_key_file, key_source
from toadstone.ledger.ledger import Entry, Ledger
from toadstone.ledger.predicates import kind
from toadstone.ledger.proof import Growth, Inclusion
from toadstone.verbs.record import file_digests, ledger_place

_KEY = f"the private key: a PEM file (default: {KEY_VARIABLE}, which may also hold the PEM itself; else the user's data folder)"


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone ledger",
        description="The record that cannot be rewritten unseen: begin it, list it, prove and check it, hand it on.",
        epilog="exit codes: 0 done, and everything holds · 1 `check`: something does not hold · 2 usage error",
    )
    where = "path or postgresql:// address (default: TOADSTONE_LEDGER, the nearest .toadstone/ledger.sqlite)"
    made.add_argument("--ledger", metavar="WHERE", help=where)
    shared = Parser(add_help=False)  # the option may stand before or after the action
    shared.add_argument("--ledger", metavar="WHERE", default=argparse.SUPPRESS, help=where)
    form = Parser(add_help=False)
    form.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how the answer is written")
    actions = made.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    _add_beginnings(actions, shared)
    _add_readers(actions, shared, form)
    checking = actions.add_parser(
        "check",
        parents=[shared, form],
        help="see whether every record, signature and checkpoint holds",
        description="Check every record, hash, signature and checkpoint, and what was kept elsewhere. Exit code 1 when something "
        f"does not hold. The key that signs is not needed, and neither is {PASSPHRASE_VARIABLE}.",
    )
    checking.add_argument(
        "--checkpoint",
        metavar="FILE",
        action="append",
        default=[],
        help="a checkpoint that was kept elsewhere, or a folder that `export` wrote (which names rewritten entries one by one)",
    )
    checking.add_argument("--verifier", metavar="KEY", help="the verifier key to judge by, as `init` printed it; kept elsewhere")
    checking.add_argument(
        "--proof", metavar="FILE", action="append", default=[], help="check a proof instead, which needs no ledger but --verifier"
    )
    return made


def _add_beginnings(actions: argparse._SubParsersAction[Parser], shared: Parser) -> None:
    key = actions.add_parser(
        "key",
        help="make a key, or show its public half",
        description=f"Make a key, unless it is there, and show its public half. {PASSPHRASE_VARIABLE} holds its passphrase.",
    )
    key.add_argument("--key", metavar="FILE", help=_KEY)
    key.add_argument("--no-passphrase", action="store_true", help="leave the key file unencrypted; who reads it can sign")
    beginning = actions.add_parser(
        "init",
        parents=[shared],
        help="begin a ledger",
        description="Begin a ledger and print its verifier key. Keep that elsewhere: it is what everything is judged by.",
    )
    beginning.add_argument("--key", metavar="FILE", help=_KEY)
    beginning.add_argument(
        "--origin", default="", metavar="NAME", help="its name, best an address without scheme (default: a random one)"
    )


def _add_readers(actions: argparse._SubParsersAction[Parser], shared: Parser, form: Parser) -> None:
    listing = actions.add_parser(
        "list", parents=[shared, form], help="show the records", description="Show the records, oldest first."
    )
    listing.add_argument("--last", type=_count, metavar="N", help="only the last N")
    listing.add_argument("--about", metavar="WHAT", help="only those that name a file or a digest (algorithm:value)")
    listing.add_argument("--kind", metavar="KIND", help="only this kind: scan, quarantine, training, dataset-manifest, or a URI")
    showing = actions.add_parser(
        "show", parents=[shared], help="show one record", description="Show the statement of one record, as JSON."
    )
    showing.add_argument("entry", type=_number, metavar="N", help="number of the record")
    proving = actions.add_parser(
        "prove",
        parents=[shared],
        help="prove that a record is in, or that nothing was rewritten",
        description="Write a proof that stands alone: that a record is in the ledger (c2sp.org/tlog-proof), or with --since that "
        "the ledger begins with what an older checkpoint covered (JSON). `check --proof` checks it.",
    )
    proving.add_argument("what", nargs="?", metavar="WHAT", help="number of a record, a file, or a digest (its latest record)")
    proving.add_argument("--since", metavar="FILE", help="an older checkpoint of this ledger")
    proving.add_argument("--output", metavar="FILE", help="write the proof to FILE instead of standard output")
    last = actions.add_parser(
        "checkpoint",
        parents=[shared],
        help="print the last signed checkpoint",
        description="Print the last signed checkpoint. Keep it elsewhere: what it covers can no longer be changed unseen.",
    )
    last.add_argument("--output", metavar="FILE", help="write it to FILE instead of standard output")
    handing = actions.add_parser(
        "export",
        parents=[shared],
        help="write static files that other tools verify",
        description="Write the ledger as static files in the layout of c2sp.org/tlog-tiles, or add to such a folder.",
    )
    handing.add_argument("folder", metavar="DIR", help="the folder")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 62):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of records")
    return int(text)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 1 << 62):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a record")
    return int(text)


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    options = parser().parse_args(words)
    if options.action == "key":
        return _key(options)
    if options.action == "init":
        return _init(options)
    if options.action == "check":
        return _check_proofs(options) if options.proof else _check(options)
    with Ledger.open(ledger_place(options.ledger)) as ledger:
        if options.action == "list":
            _list(ledger, options)
        elif options.action == "show":
            entry = ledger.entry(options.entry)
            sys.stdout.write(json.dumps(entry.statement, indent=1) + "\n")
        elif options.action == "prove":
            _prove(ledger, options)
        elif options.action == "checkpoint":
            _write(ledger.checkpoint(), options.output)
        else:
            written = ledger.export(options.folder)
            sys.stdout.write(f"{len(ledger):,} records, {written:,} files written -> {options.folder}\n")
    return 0


def _key(options: argparse.Namespace) -> int:
    source = key_source(options.key)
    if "-----BEGIN" not in source and not Path(source).exists():
        key = Key.make()
        key.save(Path(source), "" if options.no_passphrase else new_passphrase(source))
        sys.stdout.write(f"a new key -> {source}\n")
        sys.stdout.write("Keep a copy of it: nothing is ever added to a ledger without the key that began it.\n")
        if Path(source) != default_key_file():
            sys.stdout.write(f"{KEY_VARIABLE}={source} makes it the one that is used.\n")
    else:
        key = load_key(options.key)
    sys.stdout.write(Verifier("key", key.public).pem())
    return 0


def _init(options: argparse.Namespace) -> int:
    key = load_key(options.key)
    place = ledger_place(options.ledger)
    with Ledger.create(place, key, origin=options.origin) as ledger:
        sys.stdout.write(f"a new ledger -> {ledger.place}\nverifier key: {ledger.verifier}\n")
        sys.stdout.write("Keep the verifier key elsewhere: it is what everything is judged by.\n")
    return 0


def _list(ledger: Ledger, options: argparse.Namespace) -> None:
    if options.format == "terminal":
        for entry in _selected(ledger, options):
            sys.stdout.write(_line(entry) + "\n")
        return
    before = "[\n"
    for entry in _selected(ledger, options):
        sys.stdout.write(before + json.dumps(_form(entry)))
        before = ",\n"
    sys.stdout.write("[]\n" if before == "[\n" else "\n]\n")


def _selected(ledger: Ledger, options: argparse.Namespace) -> Iterable[Entry]:
    entries: Iterable[Entry]
    if options.about is not None:
        entries = (ledger.entry(number) for number in _about(ledger, options.about))
    elif options.kind is None and options.last:
        entries = ledger.entries(max(0, len(ledger) - options.last))
    else:
        entries = ledger.entries()
    chosen = (entry for entry in entries if options.kind in (None, kind(entry.predicate_type), entry.predicate_type))
    return deque(chosen, options.last) if options.last else chosen


def _about(ledger: Ledger, what: str) -> list[int]:
    """Give the records that name a file or a digest."""
    if Path(what).exists():
        wanted = [f"{name}:{value}" for name, value in file_digests(what).items()]
    elif ":" in what:
        wanted = [what]
    else:
        raise UsageError(f"{what} is neither a file nor a digest.", "A digest is written algorithm:value: sha256:9f86d0….")
    return sorted({number for one in wanted for number in ledger.find(one)})


def _form(entry: Entry) -> dict[str, object]:
    return {
        "entry": entry.index,
        "kind": kind(entry.predicate_type),
        "recordedAt": recorded_at(entry.statement),
        "statement": entry.statement,
    }


def _line(entry: Entry) -> str:
    """Tell of a record in one line."""
    subjects = entry.statement.get("subject")
    names = [str(one.get("name", "")) for one in subjects if isinstance(one, dict)] if isinstance(subjects, list) else []
    predicate = entry.statement.get("predicate")
    said = predicate if isinstance(predicate, dict) else {}
    outcome = str(said.get("verdict") or said.get("status") or "")
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    time = recorded_at(entry.statement)[:19].replace("T", " ")
    text = f"{entry.index:>7}  {time:<19}  {kind(entry.predicate_type):<16} {outcome:<11} {(names or [''])[0]}{more}"
    return printable(text.rstrip())


def _prove(ledger: Ledger, options: argparse.Namespace) -> None:
    if (options.what is None) == (options.since is None):
        raise UsageError("say either which record, or --since which checkpoint.")
    if options.since is not None:
        _write(ledger.prove_growth(_read(options.since)).text(), options.output)
        return
    if options.what.isascii() and options.what.isdecimal():
        number = _number(options.what)
    else:
        found = _about(ledger, options.what)
        if not found:
            raise UsageError(f"no record names {options.what}.", "`toadstone ledger list` shows what there is.")
        number = found[-1]
    _write(ledger.prove(number).text(), options.output)


def _check(options: argparse.Namespace) -> int:
    shows = sys.stderr.isatty()

    def progress(number: int) -> None:
        if shows:
            sys.stderr.write(f"\r\x1b[K{number:,} records")

    place = ledger_place(options.ledger)
    done = check(place, key=options.verifier, kept=options.checkpoint, progress=progress)
    if shows:
        sys.stderr.write("\r\x1b[K")
    if options.format == "json":
        sys.stdout.write(json.dumps(_checked_form(done), indent=1) + "\n")
    else:
        for problem in done.problems:
            sys.stdout.write(printable(f"{problem.place}: {problem.message}") + "\n")
        if done.count > len(done.problems):
            sys.stdout.write(f"… and {done.count - len(done.problems):,} more\n")
        for note in done.notes[:20]:
            sys.stdout.write(f"note: {printable(note)}\n")
        sys.stdout.write(f"{done.place}: {_told(done)}\n")
        if done.holds and not options.verifier:
            sys.stdout.write(f"judged by the key that it names itself: {done.key}\n")
    return 0 if done.holds else 1


def _told(done: Checked) -> str:
    if not done.holds:
        return f"{done.count:,} {'problem' if done.count == 1 else 'problems'}"
    return f"{done.size:,} records and {done.checkpoints:,} checkpoints hold"


def _checked_form(done: Checked) -> dict[str, object]:
    return {
        "ledger": done.place,
        "origin": done.origin,
        "verifier": done.key,
        "holds": done.holds,
        "records": done.size,
        "checkpoints": done.checkpoints,
        "problems": [{"place": problem.place, "message": problem.message} for problem in done.problems],
        "count": done.count,
        "notes": done.notes,
    }


def _check_proofs(options: argparse.Namespace) -> int:
    if not options.verifier:
        raise UsageError("--proof needs --verifier.", "A proof is judged by a key that did not come with it.")
    verifier, code = Verifier.parse(options.verifier), 0
    for name in options.proof:
        text = _read(name)
        try:
            if text.startswith("{"):
                old, new = Growth.parse(text).verify(verifier)
                said = f"holds: the ledger of {new.size:,} records begins with that of {old.size:,}"
            else:
                proof = Inclusion.parse(text)
                checkpoint, statement = proof.verify(verifier)
                entry = Entry(proof.index, proof.entry, statement)
                said = f"holds: one of {checkpoint.size:,} records of {checkpoint.origin}\n{_line(entry)}"
        except BrokenError as error:
            said, code = error.message, 1
        sys.stdout.write(f"{name}: {said}\n")
    return code


def _read(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{name} cannot be read: {said}.") from None


def _write(text: str, output: str | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LedgerError(f"{output} cannot be written: {error.strerror}.") from None
