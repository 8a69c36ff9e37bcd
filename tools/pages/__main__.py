"""Writes the generated pages and indexes, or says which of them no longer tell the truth.

::

    python -m tools.pages            write them
    python -m tools.pages --check    show the difference and fail if there is one
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from tools.pages.checks import pages as check_pages
from tools.pages.command_line import command_line
from tools.pages.formats import formats
from tools.pages.indexes import indexes
from tools.pages.predicates import predicates

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs/checks",)
"""Folders that hold nothing but generated pages."""


def pages() -> dict[str, str]:
    """Give every generated file by its path below the repository."""
    docs = {**check_pages(), "command-line.md": command_line(), "formats.md": formats(), "predicates.md": predicates()}
    return {**{f"docs/{path}": text for path, text in docs.items()}, **indexes()}


def existing(made: dict[str, str]) -> dict[str, str]:
    """Give the pages as they are on disk, with those that no longer belong."""
    there = [ROOT / path for path in made] + [path for folder in FOLDERS for path in (ROOT / folder).glob("*")]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in there if path.is_file()}


def differences(made: dict[str, str], there: dict[str, str]) -> list[str]:
    """List the lines of a unified diff from what is there to what should be."""
    lines: list[str] = []
    for path in sorted(made.keys() | there.keys()):
        old, new = there.get(path, "").splitlines(), made.get(path, "").splitlines()
        lines += difflib.unified_diff(old, new, f"{path} (on disk)", f"{path} (from the code)", lineterm="")
    return lines


def main() -> int:
    """Run; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.pages", description="Write the generated pages of docs/.")
    parser.add_argument("--check", action="store_true", help="only compare; fail with a difference")
    options = parser.parse_args()
    made = pages()
    there = existing(made)
    if options.check:
        lines = differences(made, there)
        if lines:
            print("\n".join(lines[:400]))
            print("\nThe generated pages are stale: `make docs` writes them.")
        return 1 if lines else 0
    for path in there.keys() - made.keys():
        (ROOT / path).unlink()
    for path, text in made.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
