"""The argument parser that all commands share."""

from __future__ import annotations

import argparse
import os
import sys

from toadstone.core.errors import UsageError, nearest

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import Any, NoReturn

# The words of argparse stay English, as all others here are: `error` goes by them, and looking for a catalogue of
# translations imports `locale` and searches the file system at each of them.
setattr(argparse, "_", str)  # noqa: B010  (it has no such attribute for type checkers)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Make what argparse asks for at every option, without importing ``shutil`` for the width."""
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
    except (ValueError, OSError, AttributeError):
        columns = 80
    return argparse.HelpFormatter(prog, width=max(columns, 20) - 2)


class Parser(argparse.ArgumentParser):
    """argparse with errors that say what was meant, and options before or after the positionals."""

    def __init__(self, **arguments: Any) -> None:  # noqa: ANN401  (those of argparse)
        super().__init__(formatter_class=_formatter, **arguments)

    def error(self, message: str) -> NoReturn:
        """Raise instead of exiting, with a suggestion for an unknown option."""
        advice = f"`{self.prog} --help` lists the options."
        if message.startswith("unrecognized arguments: "):
            word = message.removeprefix("unrecognized arguments: ").split()[0]
            options = [option for action in self._actions for option in action.option_strings]
            advice = nearest(word.split("=")[0], options) or advice
            message = f"unknown option {word}"
        raise UsageError(f"{self.prog}: {message}.", advice)
