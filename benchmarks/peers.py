"""The tools that are compared: pinned versions, own environments, exact command lines.

``python -m benchmarks.peers`` installs them all; ``python -m benchmarks.peers --check`` also runs each on a pickle that
would echo a word, on a harmless one, on a truncated one and on a text, and prints what each says.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import judges
from benchmarks.judges import Judge, judged
from benchmarks.measure import Limits, run
from benchmarks.place import REPOSITORY, work_folder

TARGET = "{target}"


@dataclass(frozen=True)
class Command:
    """One way to call a tool, and the modes that are judged from its one run.

    Attributes:
        arguments: After the program's name; ``{target}`` stands for the file or folder.
        modes: Judge by mode name.
        keep: Files that the tool writes into its working folder and a judge reads.
    """

    arguments: tuple[str, ...]
    modes: Mapping[str, Judge]
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class Peer:
    """A tool. ``revision`` is raised when a command or judge changes: it is part of the key of cached outcomes."""

    name: str
    version: str
    requirements: tuple[str, ...]
    program: str
    commands: tuple[Command, ...]
    revision: int = 1
    help: tuple[str, ...] = ("--help",)
    note: str = ""

    @property
    def folder(self) -> Path:
        """The tool's own environment."""
        return work_folder() / "peers" / self.name

    def command_line(self, command: Command, target: Path) -> list[str]:
        """Return the full command line for one target.

        Raises:
            ValueError: the target is a relative path; tools run in a folder of their own and would not find it.
        """
        if not target.is_absolute():
            raise ValueError(f"{target} is a relative path")
        arguments = [str(target) if part == TARGET else part for part in command.arguments]
        return [str(self.folder / "bin" / self.program), *arguments]


TOADSTONE = Peer(
    "toadstone",
    "checkout",
    (str(REPOSITORY),),
    "toadstone",
    (
        Command(
            ("scan", TARGET, "--format", "json", "--no-cache"),
            {
                "toadstone": judges.toadstone,
                "toadstone (high+)": judges.toadstone_high,
                "toadstone (medium+)": judges.toadstone_medium,
            },
        ),
    ),
)

PEERS = (
    TOADSTONE,
    Peer(
        "picklescan",
        "1.0.5",
        ("picklescan==1.0.5",),
        "picklescan",
        (
            Command(("--path", TARGET), {"picklescan": judges.picklescan}),
            Command(("--path", TARGET, "--strict"), {"picklescan --strict": judges.picklescan}),
        ),
    ),
    Peer(
        "modelscan",
        "0.8.8",
        ("modelscan==0.8.8",),
        "modelscan",
        (Command(("scan", "--path", TARGET), {"modelscan": judges.modelscan}),),
    ),
    Peer(
        "fickling",
        "0.1.12",
        ("fickling==0.1.12", "typing_extensions==4.16.0"),
        "fickling",
        (Command(("--check-safety", "--print-results", TARGET), {"fickling": judges.fickling}),),
        note="typing_extensions is needed and not declared; torch files and folders are not read",
    ),
    Peer(
        "modelaudit",
        "0.2.54",
        ("modelaudit==0.2.54",),
        "modelaudit",
        (
            Command(
                ("scan", "--format", "json", "--no-cache", "--quiet", TARGET),
                {"modelaudit": judges.modelaudit, "modelaudit (critical only)": judges.modelaudit_critical},
            ),
        ),
        note="telemetry off by PROMPTFOO_DISABLE_TELEMETRY",
    ),
    Peer(
        "hayward",
        "1.4.1",
        ("hayward==1.4.1",),
        "hayward",
        (
            Command(
                ("scan", "--format", "json", TARGET),
                {"hayward": judges.hayward, "hayward (medium+)": judges.hayward_medium},
            ),
        ),
    ),
    Peer(
        "aisbom",
        "1.7.0",
        ("aisbom-cli==1.7.0",),
        "aisbom",
        (
            Command(("scan", "--offline", "--output", "sbom.json", TARGET), {"aisbom": judges.aisbom}, ("sbom.json",)),
            Command(
                ("scan", "--offline", "--strict", "--output", "sbom.json", TARGET),
                {"aisbom --strict": judges.aisbom},
                ("sbom.json",),
            ),
        ),
    ),
)


class InstallError(Exception):
    """A tool could not be installed; the message is the installer's last error."""


def named(names: Iterable[str]) -> list[Peer]:
    """Return the tools of these names (all, when there are none).

    Raises:
        KeyError: no such tool.
    """
    table = {peer.name: peer for peer in PEERS}
    return [table[name] for name in names] or list(PEERS)


def identity(peer: Peer) -> str:
    """Return what distinguishes this installed tool: its version, or for the checkout a digest of what is installed."""
    if peer is not TOADSTONE:
        return f"{peer.name}-{peer.version}-r{peer.revision}"
    package = next(peer.folder.glob("lib/python3*/site-packages/toadstone"), None)
    return f"toadstone-{_digest(package)[:16]}-r{peer.revision}" if package else "toadstone-absent"


def install(peer: Peer) -> None:
    """Install a tool into its own environment unless it is there; the checkout again whenever its source changed.

    Raises:
        InstallError: the installer failed.
    """
    wanted = "\n".join(peer.requirements)
    if peer is TOADSTONE:
        wanted += _digest(REPOSITORY / "src") + hashlib.sha256((REPOSITORY / "pyproject.toml").read_bytes()).hexdigest()
    stamp = peer.folder / "installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    python = peer.folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(peer.folder)], check=True)
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        *shlex.split(os.environ.get("TOADSTONE_BENCH_PIP", "")),
    ]
    _pip([*command, *peer.requirements])
    if peer is TOADSTONE:
        # The version does not change between two states of a checkout, so pip would keep the old files.
        _pip([*command, "--force-reinstall", "--no-deps", *peer.requirements])
    stamp.write_text(wanted)


def _pip(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise InstallError((result.stderr.strip().splitlines() or ["the installer failed"])[-1])


def _digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            total.update(path.relative_to(folder).as_posix().encode() + b"\x00" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


class _Echo:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("echo inert",)


def check(peer: Peer) -> dict[str, dict[str, str]]:
    """Run a tool on four tiny files and return its outcomes: kind of file -> mode -> outcome."""
    folder = work_folder() / "probes"
    folder.mkdir(exist_ok=True)
    harmless = pickle.dumps({"weights": [1.0, 2.0], "name": "x" * 60}, 4)
    probes = {"bad.pkl": pickle.dumps(_Echo(), 4), "good.pkl": harmless, "broken.pkl": harmless[:40], "note.txt": b"hello\n"}
    for name, content in probes.items():
        (folder / name).write_bytes(content)
    table: dict[str, dict[str, str]] = {name: {} for name in probes}
    for command in peer.commands:
        for name in probes:
            result = run(peer.command_line(command, folder / name), Limits(), command.keep)
            table[name] |= {mode: judged(result, judge) for mode, judge in command.modes.items()}
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Install the tools; with ``--check`` show how each judges four tiny files. Status 1 when one is missing or blind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=main.__doc__)
    parser.add_argument("tool", nargs="*")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    failed = 0
    for peer in named(options.tool):
        try:
            install(peer)
        except InstallError as error:
            print(f"{peer.name} {peer.version}: not installed: {error}")
            failed = 1
            continue
        print(f"{peer.name} {peer.version}: installed as {identity(peer)}")
        if options.check:
            table = check(peer)
            for name, outcomes in table.items():
                print(f"  {name}: " + ", ".join(f"{mode} {outcome}" for mode, outcome in outcomes.items()))
            failed |= any(outcome != judges.DETECTED for outcome in table["bad.pkl"].values())
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
