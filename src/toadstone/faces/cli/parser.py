"""The argument parser that all commands share."""

from __future__ import annotations

import argparse
from typing import NoReturn

from toadstone.core.errors import UsageError, nearest


class Parser(argparse.ArgumentParser):
    """argparse with errors that say what was meant, and options before or after the positionals."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of exiting, with a suggestion for an unknown option."""
        advice = f"`{self.prog} --help` lists the options."
        if message.startswith("unrecognized arguments: "):
            word = message.removeprefix("unrecognized arguments: ").split()[0]
            options = [option for action in self._actions for option in action.option_strings]
            advice = nearest(word.split("=")[0], options) or advice
            message = f"unknown option {word}"
        raise UsageError(f"{self.prog}: {message}.", advice)
