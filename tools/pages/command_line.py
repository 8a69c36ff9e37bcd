"""The command line, from its parsers. The rendering is our own: argparse's differs between versions of Python."""

from __future__ import annotations

import argparse
import importlib

from toadstone.faces.cli import COMMANDS
from tools.pages.markdown import GENERATED, page, table

_INTRODUCTION = """
Options may stand before or after the targets. `NO_COLOR=1` switches colours off. Progress goes to standard error, and only when
that is a terminal. Settings that stay belong into a file: see [configuration](configuration.md).
"""

EXITS = (
    ("0", "clean and complete: everything was read, no finding at or above the gate"),
    ("1", "a finding at or above the gate (wins over 3)"),
    ("2", "usage error: nothing was scanned"),
    ("3", "something could not be read, so nothing is called clean"),
)


def page_of(name: str) -> list[str]:
    """Give the blocks of one command."""
    module = importlib.import_module(f"toadstone.faces.cli.{name.replace('-', '_')}")
    parser: argparse.ArgumentParser = module.parser()
    arguments = [action for action in parser._actions if not action.option_strings]  # noqa: SLF001  (no public way)
    options = [action for action in parser._actions if action.option_strings]  # noqa: SLF001
    usage = " ".join([f"toadstone {name}", "[OPTION]...", *(_positional(action) for action in arguments)])
    rows = [(f"`{_positional(action)}`", action.help or "") for action in arguments]
    rows += [(f"`{_option(action)}`", action.help or "") for action in options]
    shown = "\n".join(table(("argument", "meaning"), rows))
    return [f"## `toadstone {name}`", parser.description or "", f"```text\n{usage}\n```", shown]


def _positional(action: argparse.Action) -> str:
    shown = str(action.metavar or action.dest)
    return f"{shown}..." if action.nargs == "+" else f"[{shown}]" if action.nargs in ("?", "*") else shown


def _option(action: argparse.Action) -> str:
    spelled = ", ".join(action.option_strings)
    if action.nargs == 0:
        return spelled
    value = action.metavar or ("|".join(str(choice) for choice in action.choices) if action.choices else action.dest.upper())
    return f"{spelled} {value}"


def command_line() -> str:
    """Write the page."""
    blocks: list[str] = [
        GENERATED,
        "# The command line",
        _INTRODUCTION,
        "\n".join(table(("command", "does"), [(f"[`{name}`](#toadstone-{name})", text) for name, text in COMMANDS.items()])),
        "## Exit codes",
        "\n".join(table(("code", "meaning"), EXITS)),
    ]
    for name in COMMANDS:
        blocks += page_of(name)
    return page(*blocks)
