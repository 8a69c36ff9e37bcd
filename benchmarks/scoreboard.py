"""Compares all tools on all corpora and writes ``docs/scoreboard.md``: ``python -m benchmarks.scoreboard --date DAY``.

Outcomes are kept in the work folder: a second run costs nothing for tools and files that have not changed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.corpus.manifest import MANIFEST, Manifest, load
from benchmarks.outcomes import complete, memory, sample, subjects_of
from benchmarks.peers import PEERS, InstallError, Peer, identity, install, named
from benchmarks.place import REPOSITORY, work_folder
from benchmarks.scoreboard_page import document, page
from benchmarks.tally import columns, detected


def corpora(folders: Sequence[Path]) -> list[Manifest]:
    """Load the manifests of *folders*, or all below the work folder's ``benign`` and ``malicious``.

    Raises:
        FileNotFoundError: there is none.
    """
    roots = folders or [work_folder() / "benign", work_folder() / "malicious"]
    found = sorted(path for root in roots for path in root.rglob(MANIFEST) if path.is_file())
    # A saved project inside a corpus may hold a file of the same name.
    own = [path for path in found if not any(other.parent in path.parents and other != path for other in found)]
    if not own:
        raise FileNotFoundError(f"no {MANIFEST} below {', '.join(str(root) for root in roots)}")
    return [load(path.parent) for path in own]


def available(names: Sequence[str]) -> tuple[list[Peer], list[str]]:
    """Install the named tools; return those that are there and the reasons why others are not."""
    there, absent = [], []
    for peer in named(names):
        try:
            install(peer)
        except InstallError as error:
            absent.append(f"{peer.name} {peer.version}: not installed: {error}")
        else:
            there.append(peer)
    return there, absent


def sampled(options: Sequence[str]) -> dict[str, int]:
    """Read ``TOOL=N`` options.

    Raises:
        ValueError: one is of another form, or names no tool.
    """
    sizes = {}
    for option in options:
        name, _, size = option.partition("=")
        if name not in {peer.name for peer in PEERS} or not size.isdigit() or int(size) < 1:
            raise ValueError(f"{option!r} is not TOOL=N with one of {', '.join(peer.name for peer in PEERS)}")
        sizes[name] = int(size)
    return sizes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what has not been run, write the page and the JSON, and print one line for each mode."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoreboard", description=main.__doc__)
    parser.add_argument("--date", required=True, help="the day of the measurement, as the page shall show it")
    parser.add_argument("--corpus", type=Path, action="append", default=[], help="a folder with manifests (repeatable)")
    parser.add_argument("--tool", action="append", default=[], choices=[peer.name for peer in PEERS])
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "scoreboard.md")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--sample",
        action="append",
        default=[],
        metavar="TOOL=N",
        help="run a slow tool on N subjects of each corpus only, drawn by a hash of their paths; the page says so (repeatable)",
    )
    options = parser.parse_args(arguments)
    sizes = sampled(options.sample)
    manifests = corpora(options.corpus)
    subjects, known = subjects_of(manifests), memory()
    peers, absent = available(options.tool)
    table = []
    for peer in peers:
        chosen = sample(subjects, sizes[peer.name]) if peer.name in sizes else subjects
        runs = complete(peer, chosen, known, options.jobs)
        print(f"{identity(peer)}: {runs} new runs", file=sys.stderr, flush=True)
        table += columns(peer, chosen, known)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(page(options.date, manifests, peers, table, absent, sizes), encoding="utf-8")
    facts = json.dumps(document(options.date, manifests, table, absent, sizes), indent=1, ensure_ascii=False)
    options.output.with_suffix(".json").write_text(facts + "\n", encoding="utf-8")
    for column in table:
        found, alarms = detected(column.chosen("malicious", payload=True)), detected(column.chosen("benign"))
        print(f"{column.mode}: payload found {found}; false alarms {alarms}")
    for reason in absent:
        print(f"not run: {reason}")
    return 1 if absent else 0


if __name__ == "__main__":
    raise SystemExit(main())
