"""The command line: one module a command, loaded only when it is called."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Sequence

from toadstone.core.errors import ToadstoneError, UnreadError, UsageError, nearest
from toadstone.core.version import __version__

COMMANDS = {
    "scan": "look at models, data sets, code and configuration; say what would hurt whoever uses them",
    "clean": "split a data set into kept and quarantined rows",
    "pin": "write down what identifies every source of a project: toadstone.lock",
    "verify": "compare every source with toadstone.lock, down to rows and columns",
    "watch": "keep verifying, and sample lists of addresses",
    "run": "run a command with its evidence: what went in, what came out, sealed into the ledger",
    "trace": "say what went into a model, and which models saw a row, a file, a source",
    "bom": "write the bill of materials of models and data (CycloneDX)",
    "sign": "sign a model, or verify its signature (OpenSSF Model Signing)",
    "inventory": "find the models, data, services and packages of a source tree, and what is unpinned",
    "checks": "list every check",
    "intel": "import, list and look up indicators: addresses, domains, digests",
    "ledger": "begin, list, prove, check and export the record of what was done",
    "explain": "show the manual page of a check",
}
"""Command to one-line help; the command's module has the same name."""

EXIT_USAGE = 2
EXIT_UNREAD = 3

alone = False
"""Whether the process does nothing but run a command."""


def overview() -> str:
    """Write the text of ``toadstone --help``."""
    lines = [
        "usage: toadstone COMMAND ...",
        "",
        "Defends AI and ML systems against data poisoning and model manipulation.",
        "",
        "commands:",
        *(f"  {name:<9} {text}" for name, text in COMMANDS.items()),
        "",
        "options:",
        "  --help     show this help; `toadstone COMMAND --help` shows a command's",
        "  --version  show the version",
        "",
        "exit codes: 0 clean and complete · 1 findings at or above the gate · 2 usage error · 3 something could not be read",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; by default those of the process.

    Returns:
        The exit code (see `overview`).
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except ToadstoneError as error:
        sys.stderr.write(f"toadstone: {error}\n")
        return EXIT_UNREAD if isinstance(error, UnreadError) else EXIT_USAGE
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_USAGE
    except KeyboardInterrupt:
        sys.stderr.write("toadstone: interrupted; nothing was decided.\n")
        return 130


def entry() -> int:
    """Run the command line as a process of its own."""
    global alone  # noqa: PLW0603  (true of the process)
    alone = True
    gc.set_threshold(100_000, 20, 50)  # files may hold millions of values, nearly none of them in cycles
    code = main()
    gc.freeze()  # nothing is looked for in what the end of the process frees anyway
    return code


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(overview() + "\n")
        return 0 if words else EXIT_USAGE
    if words[0] in ("-V", "--version"):
        sys.stdout.write(f"toadstone {__version__}\n")
        return 0
    if words[0] not in COMMANDS:
        what = "option" if words[0].startswith("-") else "command"
        raise UsageError(
            f"there is no {what} {words[0]!r}.", nearest(words[0], COMMANDS) or "`toadstone --help` lists the commands."
        )
    module = importlib.import_module(f"toadstone.faces.cli.{words[0]}")
    code: int = module.run(words[1:])
    return code
