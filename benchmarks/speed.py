"""Speed and memory against picklescan in one run: ``python -m benchmarks.speed --date DAY``.

Every case runs its commands in turn, several rounds; a figure is the median of the rounds, a ratio is the median of
the rounds' own ratios with their smallest and largest. Seconds are CPU seconds (user and system) of the process.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import speed_cases as made
from benchmarks.judges import DETECTED, judged
from benchmarks.measure import Limits, Run, run
from benchmarks.peers import InstallError, Peer, install, named
from benchmarks.place import work_folder

LIMITS = Limits(seconds=300, address_space=0)
OURS = "toadstone"


@dataclass(frozen=True)
class Case:
    """One measurement.

    Attributes:
        name: As the table shows it.
        target: Makes the file or folder and returns its path; ``None`` measures ``--help``.
        ratio: Largest allowed CPU seconds as a multiple of *against*.
        against: ``picklescan``, ``digests`` (read once, SHA-256 and BLAKE3) or ``interpreter`` (start and stop Python).
        megabytes: Largest allowed peak.
        seconds: Largest allowed CPU seconds; above *against* where that is ``interpreter``.
        found: Whether the scan must report a finding.
        dirty: Whether the scan must not end with status 0.
    """

    name: str
    target: Callable[[], Path] | None
    ratio: float | None = None
    against: str = "picklescan"
    megabytes: float | None = None
    seconds: float | None = None
    found: bool = False
    dirty: bool = False


def _bomb(name: str, target: Callable[[], Path]) -> Case:
    return Case(name, target, megabytes=256, seconds=2, dirty=True)


CASES = (
    Case("start-up, --help", None, against="interpreter", seconds=0.1),
    Case("start-up, one tiny pickle", made.tiny, against="interpreter"),
    Case("5 M opcodes, protocol 2", lambda: made.rows(2), ratio=0.35, megabytes=100),
    Case("5 M opcodes, protocol 4", lambda: made.rows(4), ratio=0.35, megabytes=100),
    Case(
        "5 M opcodes, protocol 2, payload at the end", lambda: made.rows(2, payload=True), ratio=0.35, megabytes=100, found=True
    ),
    Case("200 MB torch zip", made.torch_zip, ratio=1.25, against="digests"),
    Case("tree of 1,000 small pickles", made.tree, ratio=2.5),
    Case("600 MB in one object, then the payload", made.padded_by_bytes, megabytes=100, found=True),
    Case("600 MB in many strings, then the payload", made.padded_by_strings, megabytes=100, found=True),
    Case("20 M junk opcodes, then the payload", made.padded_by_junk, megabytes=100, found=True),
    _bomb("gzip bomb, 100 MB to 100 GB", made.gzip_bomb),
    _bomb("xz bomb, 15 MB to 100 GB", made.xz_bomb),
    _bomb("bzip2 bomb, 80 kB to 100 GB", made.bz2_bomb),
    _bomb("zip bomb, 10 MB to 10 GB", made.zip_bomb),
    _bomb("gzip in gzip, 40 deep", made.nested_bomb),
)


@dataclass(frozen=True)
class Figures:
    """The rounds of one command of one case."""

    runs: tuple[Run, ...]
    word: str

    @property
    def cpu(self) -> float:
        """Median CPU seconds."""
        return median(run.cpu for run in self.runs)

    @property
    def megabytes(self) -> float:
        """Largest peak of all rounds."""
        return max(run.peak for run in self.runs) / 1e6

    @property
    def late(self) -> bool:
        """Whether a round ran out of time."""
        return any(run.status is None for run in self.runs)


def measure(case: Case, peers: Sequence[Peer], rounds: int) -> dict[str, Figures]:
    """Run the commands of one case alternately; return the figures by command name."""
    commands = dict(_commands(case, peers))
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, line in commands.items():
            # What takes minutes is clear after one round.
            if number == 0 or (runs[name][0].status is not None and runs[name][0].cpu < 60):
                runs[name].append(run(line, LIMITS))
    judges = {peer.name: next(iter(peer.commands[0].modes.values())) for peer in peers}
    for name in runs.keys() - judges.keys():
        if runs[name][0].status != 0:
            raise RuntimeError(f"{case.name}: the baseline {name} failed: {runs[name][0].errors.strip()[-200:]}")
    return {
        name: Figures(tuple(done), judged(done[0], judges[name]) if name in judges and case.target else "")
        for name, done in runs.items()
    }


def _commands(case: Case, peers: Sequence[Peer]) -> Iterator[tuple[str, list[str]]]:
    target = case.target() if case.target else None
    for peer in peers:
        program = str(peer.folder / "bin" / peer.program)
        yield peer.name, peer.command_line(peer.commands[0], target) if target else [program, *peer.help]
    python = str(named([OURS])[0].folder / "bin" / "python")
    if case.against == "interpreter":
        yield "interpreter", [python, "-c", "pass"]
    if case.against == "digests":
        yield "digests", [python, "-c", made.DIGESTS, str(target)]


def ratios(ours: Figures, theirs: Figures) -> tuple[float, float, float]:
    """Return median, smallest and largest ratio of CPU seconds, round by round."""
    each = [mine.cpu / max(other.cpu, 1e-3) for mine, other in zip(ours.runs, theirs.runs, strict=False)]
    return median(each), min(each), max(each)


def failures(case: Case, figures: Mapping[str, Figures]) -> list[str]:
    """Return the bars that toadstone does not meet in this case."""
    ours, theirs = figures[OURS], figures[case.against]
    extra = ours.cpu - theirs.cpu if case.against == "interpreter" else ours.cpu
    lost = ["ran out of time"] * ours.late
    if case.ratio is not None and ratios(ours, theirs)[0] > case.ratio:
        lost.append(f"above {case.ratio}x {case.against}")
    if case.megabytes is not None and ours.megabytes > case.megabytes:
        lost.append(f"above {case.megabytes:.0f} MB")
    if case.seconds is not None and extra > case.seconds:
        lost.append(f"above {case.seconds} s")
    if case.found and ours.word != DETECTED:
        lost.append(f"not found ({ours.word})")
    if case.dirty and ours.runs[0].status == 0:
        lost.append("passed as clean")
    return lost


def _table(results: Mapping[str, Mapping[str, Figures]], names: Sequence[str], date: str) -> str:
    lines = [
        "# Speed and memory",
        "",
        f"Measured on {date}, Python {platform.python_version()}, by `python -m benchmarks.speed`: CPU seconds (median), largest",
        "resident MB, and what the tool said.",
        "",
        "| case | " + " | ".join(names) + " | other | ratio to it [smallest, largest] | bar |",
        "|---|" + "---|" * (len(names) + 3),
    ]
    lines += [_line(case, results[case.name], names) for case in CASES if case.name in results]
    return "\n".join(lines) + "\n"


def _line(case: Case, figures: Mapping[str, Figures], names: Sequence[str]) -> str:
    cells = [_cell(figures[name]) for name in names]
    other = f"{case.against} {figures[case.against].cpu:.2f}" if case.against not in names else case.against
    comparison = "{:.2f}x [{:.2f}, {:.2f}]".format(*ratios(figures[OURS], figures[case.against]))
    bar = "; ".join(failures(case, figures)) or "met"
    return "| " + " | ".join([case.name, *cells, other, comparison, bar]) + " |"


def _cell(figures: Figures) -> str:
    words = "time-out" if figures.late else figures.word
    return f"{figures.cpu:.2f} / {figures.megabytes:.0f} {words}".rstrip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; write ``speed.json`` and ``speed.md``; status 1 when a bar is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=main.__doc__)
    parser.add_argument("--date", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tool", action="append", default=[], help="measure this peer too (repeatable)")
    parser.add_argument("--case", action="append", default=[], help="only cases whose name contains this (repeatable)")
    parser.add_argument("--output", type=Path, default=work_folder() / "speed.md")
    options = parser.parse_args(arguments)
    peers = named(dict.fromkeys([OURS, "picklescan", *options.tool]))
    for peer in peers:
        try:
            install(peer)
        except InstallError as error:
            # Every bar compares toadstone with picklescan: without one of them nothing can be said.
            print(f"cannot measure: {peer.name} is not installed: {error}")
            return 2
    results: dict[str, Mapping[str, Figures]] = {}
    for case in CASES:
        if not options.case or any(part in case.name for part in options.case):
            results[case.name] = measure(case, peers, options.rounds)
            print(_line(case, results[case.name], [peer.name for peer in peers]), flush=True)
    options.output.write_text(_table(results, [peer.name for peer in peers], options.date), encoding="utf-8")
    facts = {
        case: {
            name: {"cpu": [run.cpu for run in f.runs], "megabytes": f.megabytes, "word": f.word} for name, f in figures.items()
        }
        for case, figures in results.items()
    }
    (work_folder() / "speed.json").write_text(
        json.dumps({"date": options.date, "cases": facts}, indent=1) + "\n", encoding="utf-8"
    )
    return 1 if any(failures(case, results[case.name]) for case in CASES if case.name in results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
