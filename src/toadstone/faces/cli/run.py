"""``toadstone run``."""

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
    from toadstone.ledger.ledger import Ledger

EXIT_REFUSED = 1


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone run",
        description="Run a command with its evidence: inputs are identified and have to be pinned, unchanged, scanned and not "
        "quarantined; outputs are hashed; everything is sealed into the ledger.",
        epilog="exit codes: those of COMMAND · 1 also when the gate refused · 2 usage error",
    )
    made.add_argument(
        "--input", metavar="PATH", action="append", default=[], help="what goes in: a file, a folder, a remote (repeatable)"
    )
    made.add_argument(
        "--output", metavar="PATH", action="append", default=[], help="what comes out: a file or folder (repeatable)"
    )
    made.add_argument(
        "--param", metavar="NAME=VALUE", action="append", default=[], type=_pair, help="a parameter, written down (repeatable)"
    )
    made.add_argument(
        "--seed", metavar="NAME=VALUE", action="append", default=[], type=_pair, help="a seed, written down (repeatable)"
    )
    made.add_argument("--stage", choices=ALL_STAGES, default="", help="stage of a model's life")
    made.add_argument("--force", metavar="REASON", default="", help="go on although the gate refuses; the reason is recorded")
    made.add_argument("--lock", metavar="FILE", default="toadstone.lock", help="the lock (default: toadstone.lock)")
    made.add_argument(
        "--ledger", metavar="WHERE", help="path or postgresql:// address (default: the nearest .toadstone/ledger.sqlite)"
    )
    made.add_argument("--quiet", action="store_true", help="say nothing besides what COMMAND says")
    made.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="behind --: program and arguments")
    return made


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    at = words.index("--") if "--" in words else len(words)
    options = parser().parse_args(words[:at])
    command = [*options.command, *words[at + 1 :]]
    if not command:
        raise UsageError("there is no command to run.", "toadstone run --input DATA --output MODEL -- python train.py")
    from toadstone.verbs.admission import RefusedError  # noqa: PLC0415  (numeric libraries, which a typo need not wait for)
    from toadstone.verbs.run import Run, RunOptions, run_command  # noqa: PLC0415

    told = RunOptions(dict(options.param), dict(options.seed), options.stage, options.force)
    with _ledger(options.ledger, quiet=options.quiet) as ledger:
        recorded = Run(options.input, options.output, ledger, lock=options.lock, options=told, command=command, scanned=_scanned)
        try:
            with recorded:
                code = run_command(recorded, command)
        except RefusedError as error:
            sys.stderr.write(f"toadstone: {error}\n")
            return EXIT_REFUSED
        if not options.quiet:
            for note in recorded.notes:
                sys.stderr.write(f"toadstone: {printable(note)}\n")
            assert recorded.receipt is not None
            sys.stderr.write(f"toadstone: recorded -> {ledger.place}, entry {recorded.receipt.index}\n")
    return code


def _ledger(named: str | None, *, quiet: bool) -> Ledger:
    """Open the ledger, beginning it, and making a key, when there is none yet."""
    from toadstone.faces.cli.passphrase import load_key  # noqa: PLC0415  (only here)
    from toadstone.ledger.keys import KEY_VARIABLE, PASSPHRASE_VARIABLE, Key, default_key_file  # noqa: PLC0415
    from toadstone.ledger.ledger import Ledger  # noqa: PLC0415
    from toadstone.verbs.record import ledger_place  # noqa: PLC0415

    place = ledger_place(named)
    own = default_key_file()
    if not os.environ.get(KEY_VARIABLE) and not own.exists() and ("://" in place or not os.path.lexists(place)):
        secret = os.environ.get(PASSPHRASE_VARIABLE, "")
        Key.make().save(own, secret)
        if not quiet:
            how = f"with the passphrase of {PASSPHRASE_VARIABLE}" if secret else "without a passphrase"
            sys.stderr.write(f"toadstone: made the key {own}, {how}; `toadstone ledger key` tells more\n")
    return Ledger.create(place, load_key(), existing=True)


def _scanned(target: str) -> str:
    from toadstone.verbs.scan import scan  # noqa: PLC0415  (start-up time)

    config = find_config(".")
    return scan(target, config=config, policy=Policy(config.gate, config.waivers, today())).verdict
