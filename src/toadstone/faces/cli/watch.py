"""``toadstone watch``."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time

from toadstone.core.errors import UsageError
from toadstone.faces.cli.parser import Parser
from toadstone.formats.terminal import printable
from toadstone.formats.verified import as_json, as_text, spans

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from toadstone.verbs.watch import Sampled, Watched

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone watch",
        description="Verify again and again: everything that is pinned, and of lists of addresses a sample in each round, judged "
        "by a test that one may look at whenever one likes.",
        epilog="exit codes: 0 nothing changed · 1 something changed, and with --every the watch ends · 2 usage error · "
        "3 something could not be compared",
    )
    made.add_argument("sources", metavar="SOURCE", nargs="*", help="names in the lock (default: all)")
    made.add_argument("--every", metavar="TIME", type=_time, help="go on, one round each 30s, 10m, 6h, 1d (default: one round)")
    made.add_argument("--rounds", metavar="N", type=_count, help="end after so many rounds")
    made.add_argument("--sample", metavar="N", type=_count, default=300, help="addresses fetched in a round (default: 300)")
    made.add_argument(
        "--benign", metavar="RATE", type=_rate, default=0.0, help="share of addresses that change by themselves (default: 0)"
    )
    made.add_argument("--alpha", metavar="RATE", type=_rate, default=0.01, help="chance of a false alarm, ever (default: 0.01)")
    made.add_argument("--seed", metavar="N", type=int, default=0, help="of the sampling (default: 0)")
    made.add_argument("--allow-host", metavar="HOST", action="append", default=[], help="addresses may lead to this private host")
    made.add_argument("--lock", metavar="FILE", default="toadstone.lock", help="the lock (default: toadstone.lock)")
    made.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how it is told; json: one line a round")
    made.add_argument("--quiet", action="store_true", help="print nothing; the exit code is the same")
    return made


def _time(text: str) -> float:
    try:
        found = float(text[:-1]) * _UNITS[text[-1:]] if text[-1:] in _UNITS else float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e8:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 30s, 10m, 6h or 1d")
    return found


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _rate(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate from 0 to 1")
    return found


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    options = parser().parse_intermixed_args(words)
    if not os.path.lexists(options.lock):
        raise UsageError(f"{options.lock} does not exist.", "`toadstone pin TARGET...` writes it.")
    from toadstone.verbs.watch import WatchOptions, watch  # noqa: PLC0415  (numeric libraries, which a typo need not wait for)

    told = WatchOptions(options.sample, options.benign, options.alpha, options.seed, tuple(options.allow_host))
    rounds = options.rounds or (0 if options.every is not None else 1)
    number = worst = 0
    while True:
        found = watch(*options.sources, lock=options.lock, options=told)
        number += 1
        if not options.quiet:
            sys.stdout.write(_line(found) if options.format == "json" else _text(found))
            sys.stdout.flush()
        worst = found.exit_code or worst
        if found.exit_code == 1 or number == rounds:
            return 1 if found.exit_code == 1 else worst
        time.sleep(options.every or 0)


def _line(found: Watched) -> str:
    document = json.loads(as_json(found.verified))
    sampled = []
    for one in found.sampled:
        held = {key: list(value) if isinstance(value, tuple) else value for key, value in vars(one).items()}
        sampled.append(held | {"log_e": None if math.isinf(one.log_e) else one.log_e})
    return json.dumps({**document, "schema": "toadstone.watch/1", "sampled": sampled, "exitCode": found.exit_code}) + "\n"


def _text(found: Watched) -> str:
    return as_text(found.verified) + "".join(_sampled(one) for one in found.sampled)


def _sampled(one: Sampled) -> str:
    place = printable(f"{one.source}/{one.path}" if one.path else one.source)
    lines = [
        f"  {place}: {one.changed:,} of {one.looked:,} addresses changed in {one.rounds:,} round{'' if one.rounds == 1 else 's'}"
    ]
    if one.rows:
        lines.append(f"    changed now: rows {spans(one.rows)}")
    if one.unknown:
        lines.append(f"    could not be fetched now: {one.unknown:,}")
    if one.alarm:
        where = f", most at {printable(one.worst)}" if one.worst else ""
        lines.append(f"    ALARM: more than chance explains{where}; fetch them all with `toadstone verify --download`")
    lines.append(f"    so many looks find a rate of {one.detectable:.2%} or more, nine times in ten")
    return "\n".join(lines) + "\n"
