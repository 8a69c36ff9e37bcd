"""``toadstone bom``."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

from toadstone.core.errors import UsageError
from toadstone.core.policy import Policy
from toadstone.faces.cli.parser import Parser
from toadstone.faces.cli.reporting import configuration, today, write_text

_VERSIONS = ("1.6", "1.7")


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone bom",
        description="Write the bill of materials of a model, a folder or a project as CycloneDX: files with digests, model "
        "cards, pinned data with owners and roots, how things were made (from the ledger), and what a scan finds.",
        epilog="exit codes: 0 written · 2 usage error",
    )
    made.add_argument("target", metavar="TARGET", help="a file, a folder, hf://owner/name@revision")
    made.add_argument("--spec", choices=_VERSIONS, default="1.6", help="version of CycloneDX (default: 1.6)")
    made.add_argument("--output", metavar="FILE", help="write it to FILE instead of standard output")
    made.add_argument("--lock", metavar="FILE", default="toadstone.lock", help="the lock (default: toadstone.lock)")
    made.add_argument(
        "--ledger", metavar="WHERE", help="path or postgresql:// address (default: the nearest .toadstone/ledger.sqlite)"
    )
    made.add_argument(
        "--policy", metavar="FILE", help="configuration to use instead of the nearest toadstone.toml or pyproject.toml"
    )
    return made


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    options = parser().parse_intermixed_args(words)
    if "://" not in options.target and not os.path.lexists(options.target):
        raise UsageError(f"{options.target} does not exist.")
    from toadstone.ledger.ledger import Ledger  # noqa: PLC0415  (a typo need not wait for it)
    from toadstone.verbs.bom import bom  # noqa: PLC0415
    from toadstone.verbs.record import ledger_place  # noqa: PLC0415

    config = configuration(options.policy, [options.target], quiet=False)
    policy = Policy(config.gate, config.waivers, today())
    place = ledger_place(options.ledger)
    with ExitStack() as closing:
        there = "://" in place or os.path.lexists(place)
        ledger = closing.enter_context(Ledger.open(place)) if there or options.ledger else None
        text = bom(options.target, version=options.spec, lock=options.lock, ledger=ledger, config=config, policy=policy)
    if options.output:
        write_text(text, options.output)
    else:
        sys.stdout.write(text)
    return 0
