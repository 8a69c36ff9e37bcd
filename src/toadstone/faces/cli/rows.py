"""The options of all commands that examine the rows of data sets."""

from __future__ import annotations

import signal
import sys
import time

from toadstone.core.errors import UsageError

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    import argparse

    from toadstone.faces.cli.parser import Parser
    from toadstone.verbs.rows import RowOptions

ROLES = {
    "label": "what a model learns to predict",
    "text": "what it reads",
    "image": "images",
    "embedding": "vectors",
    "source": "who contributed the row",
    "time": "when",
    "prompt": "what is asked",
    "response": "what is answered",
}
"""Options that name a column, and what the column holds."""

_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def add_options(parser: Parser) -> None:
    """Add the options to a command's parser."""
    group = parser.add_argument_group("rows of data sets")
    for role, meaning in ROLES.items():
        group.add_argument(f"--{role}", metavar="COLUMN", help=f"column: {meaning} (default: guessed)")
    group.add_argument(
        "--features",
        metavar="COLUMNS",
        type=_names,
        help="columns of numbers and categories, as a,b,c (default: guessed where there are no texts, images or embeddings)",
    )
    group.add_argument("--reference", metavar="FILE", help="rows known to be good, with the same columns")
    group.add_argument("--baseline", metavar="FILE", help="the previous version of the data set")
    group.add_argument("--scores", metavar="FILE", help="write the evidence on every row to FILE (Parquet)")
    group.add_argument(
        "--effort", choices=("quick", "standard", "deep"), default="standard", help="how hard to look (default: standard)"
    )
    group.add_argument("--fdr", type=float, default=0.05, metavar="RATE", help="false-discovery rate (default: 0.05)")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of every random choice (default: 0)")
    group.add_argument("--memory", type=_size, default=1 << 30, metavar="SIZE", help="memory to use, as 500M or 4G (default: 1G)")
    group.add_argument(
        "--engine",
        default="local",
        metavar="WHERE",
        help="where to compute: local, ray (started here), ray://host:port or host:port of a Ray cluster (default: local)",
    )
    group.add_argument(
        "--jobs", type=int, default=0, metavar="N", help="processes (default: as many as cores, for large data sets)"
    )
    group.add_argument(
        "--allow-host",
        metavar="HOST",
        action="append",
        default=[],
        help="a private host that servers may redirect to (HOST or HOST:PORT)",
    )


def _names(text: str) -> tuple[str, ...]:
    """Take names apart at commas."""
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def _size(text: str) -> int:
    word = text.strip().lower().removesuffix("ib").removesuffix("b")
    unit = _UNITS.get(word[-1:], 1)
    number = word[:-1] if word[-1:] in _UNITS else word
    try:
        return int(float(number) * unit)
    except (ValueError, OverflowError):
        import argparse  # noqa: PLC0415  (start-up time)

        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 500M or 4G") from None


def row_options(options: argparse.Namespace) -> RowOptions:
    """Make the options of an examination from what was typed.

    Raises:
        UsageError: A value is out of its range.
    """
    from toadstone.engine.memory import without_pandas  # noqa: PLC0415  (start-up time)
    from toadstone.faces import cli  # noqa: PLC0415
    from toadstone.remotes.access import Access  # noqa: PLC0415
    from toadstone.tables.roles import Roles  # noqa: PLC0415
    from toadstone.verbs.rows import RowOptions  # noqa: PLC0415

    if options.jobs < 0:
        raise UsageError(f"--jobs must not be negative. Got {options.jobs} instead.")
    if cli.alone:
        without_pandas()
        signal.signal(signal.SIGTERM, _ended)
    return RowOptions(
        roles=Roles(**{role: getattr(options, role) for role in ROLES}, features=options.features or ()),
        effort=options.effort,
        seed=options.seed,
        fdr=options.fdr,
        memory=options.memory,
        jobs=options.jobs,
        engine=options.engine,
        reference=options.reference,
        baseline=options.baseline,
        access=Access(hosts=tuple(options.allow_host)),
    )


def _ended(*_: object) -> None:
    """End as after a Ctrl-C: what lies in temporary folders is taken away."""
    raise KeyboardInterrupt


def wants_rows(options: argparse.Namespace) -> bool:
    """Whether an option was given that makes sense for rows only."""
    return any(getattr(options, name) for name in (*ROLES, "features", "reference", "baseline", "scores"))


class RowProgress:
    """One line on standard error: the step, how far it is, and the time left."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._step = ""
        self._shown = 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step != self._step:
            self._step, self._began = step, now
        if now - self._shown < 0.1:
            return
        self._shown = now
        seconds = now - self._began
        left = f", {seconds / done * (total - done):.0f} s left" if done and seconds > 1 else ""
        rate = f", {done / seconds:,.1f}/s" if seconds > 1 else ""
        sys.stderr.write(f"\r\x1b[K{step}: {done:,}/{total:,} parts{rate}{left}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
