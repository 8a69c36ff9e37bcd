"""Two models compared by their records, and one made again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toadstone.core.errors import UsageError
from toadstone.core.finding import Json
from toadstone.identity.files import FILE, entries
from toadstone.identity.lock import NAME
from toadstone.ledger.ledger import Ledger
from toadstone.ledger.lineage import read_lineage
from toadstone.ledger.things import TRAINED, Lineage, Step, Thing
from toadstone.verbs.admission import digests_of, shown_name
from toadstone.verbs.pin import Pinner, PinOptions

_CHUNK = 1 << 20
_STANDARD_ERROR = 2


@dataclass(frozen=True)
class Difference:
    """Something in which two runs differ.

    Attributes:
        what: ``input``, ``parameter``, ``seed``, ``code``, ``python``, ``package``, ``command``, ``hardware``.
        name: Which.
        before: In the first run; empty: it was not there.
        after: In the second.
    """

    what: str
    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Reproduced:
    """What making a model again gave.

    Attributes:
        record: Number of the record that was followed.
        equal: Whether every output is bit for bit the same.
        outputs: Name of each output, and how it differs; empty: it does not.
        exit_code: Of the command.
        notes: What was not as it was.
    """

    record: int
    equal: bool
    outputs: tuple[tuple[str, str], ...]
    exit_code: int
    notes: tuple[str, ...] = ()


def maker(path: str, lineage: Lineage, lock: Path) -> Step:
    """Give the last run that made a thing.

    Raises:
        UsageError: It is not there, or no run made it.
    """
    if not os.path.lexists(path):
        raise UsageError(f"{path} does not exist.")
    found = [
        step for step in lineage.makers(digests_of(Pinner(lock, PinOptions(), keep=False).pinned(path))) if step.kind == TRAINED
    ]
    if not found:
        raise UsageError(
            f"no record tells how {path} was made.", "`toadstone run` records it; a file that was changed since is another one."
        )
    name = shown_name(path, lock.absolute().parent)
    return next((step for step in reversed(found) if any(thing.name == name for thing in step.outputs)), found[-1])


def difference(first: str, second: str, ledger: Ledger, *, lock: str | os.PathLike[str] = NAME) -> list[Difference]:
    """Say in what the making of two models differed.

    Args:
        first: Path of a model that a recorded run made.
        second: And of another.
        ledger: What is recorded.
        lock: Path of the lock.

    Raises:
        UsageError: One of them is not there, or no run made it.
    """
    lineage = read_lineage(ledger)
    one, other = (maker(path, lineage, Path(lock)) for path in (first, second))
    return [*_inputs(one, other), *_settings(one, other)]


def _inputs(one: Step, other: Step) -> Iterator[Difference]:
    """Compare inputs by name and content; what has only another name is the same."""
    before, after = ({thing.name: thing for thing in step.inputs} for step in (one, other))
    everything = [frozenset().union(*(thing.digests for thing in step.inputs)) for step in (one, other)]
    for name in sorted(before.keys() | after.keys()):
        left, right = before.get(name), after.get(name)
        if left is not None and right is not None and left.digests & right.digests:
            continue
        if (left is None and right is not None and right.digests & everything[0]) or (
            right is None and left is not None and left.digests & everything[1]
        ):
            continue
        yield Difference("input", name, _told(left), _told(right))


def _told(thing: Thing | None) -> str:
    if thing is None:
        return ""
    rows = sum(table.rows for table in thing.tables)
    return f"{thing.digest}{f' ({rows:,} rows)' if rows else ''}"


def _settings(one: Step, other: Step) -> Iterator[Difference]:
    for what, key in (("parameter", "parameters"), ("seed", "seeds"), ("hardware", "hardware")):
        yield from _mappings(what, one.said.get(key), other.said.get(key))
    for what, left, right in (
        ("code", _code(one), _code(other)),
        ("command", _command(one), _command(other)),
        ("python", *(str(step.said.get("environment", {}).get("python", "")) for step in (one, other))),
    ):
        if left != right:
            yield Difference(what, what, left, right)
    packages = (
        {
            name: version
            for name, _, version in (str(line).partition("==") for line in step.said.get("environment", {}).get("packages", []))
        }
        for step in (one, other)
    )
    yield from _mappings("package", *packages)


def _mappings(what: str, left: object, right: object) -> Iterator[Difference]:
    before, after = (found if isinstance(found, dict) else {} for found in (left, right))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield Difference(what, str(name), *("" if found.get(name) is None else str(found[name]) for found in (before, after)))


def _code(step: Step) -> str:
    code = step.said.get("code")
    if not isinstance(code, dict):
        return ""
    commit = str(code.get("digest", {}).get("gitCommit", ""))
    patch = code.get("patch", {}).get("sha256", "") if isinstance(code.get("patch"), dict) else ""
    return f"{commit}{' with changes ' + str(patch)[:12] if code.get('dirty') else ''}"


def _command(step: Step) -> str:
    command: Json = step.said.get("command", [])
    return " ".join(str(word) for word in command) if isinstance(command, list) else ""


def reproduce(path: str, ledger: Ledger, *, lock: str | os.PathLike[str] = NAME) -> Reproduced:
    """Make a model again, in a clean copy, by the command that its record holds.

    The code is that of the recorded commit, or what is in the folder of the lock when there was none; the inputs are those that
    are there now, if they are still the same.

    Args:
        path: Of the model.
        ledger: What is recorded.
        lock: Path of the lock.

    Raises:
        UsageError: No run made it, an input is not there any more or is another, or the run was no command.
    """
    place = Path(lock)
    lineage = read_lineage(ledger)
    step = maker(path, lineage, place)
    command = step.said.get("command")
    if not isinstance(command, list) or not command:
        raise UsageError(f"record {step.index} holds no command.", "Only runs of `toadstone run … -- COMMAND` can be made again.")
    home = place.absolute().parent
    _see_inputs(step, place, home)
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="toadstone-") as made:
        clean = Path(made) / "project"
        _code_into(clean, step, home, notes)
        for thing in step.inputs:
            if not thing.uri:
                _copy(home / thing.name, clean / thing.name)
        folder = clean / str(step.said.get("workingDirectory", "."))
        done = subprocess.run([str(word) for word in command], cwd=folder, check=False, stdout=_STANDARD_ERROR)  # noqa: S603  (what was recorded, asked for)
        outputs = tuple((thing.name, _compared(home / thing.name, clean / thing.name, thing)) for thing in step.outputs)
    equal = all(not how for _, how in outputs)
    return Reproduced(step.index, equal, outputs, done.returncode, tuple(notes))


def _see_inputs(step: Step, lock: Path, home: Path) -> None:
    for thing in step.inputs:
        if thing.uri:
            continue
        path = home / thing.name
        if not os.path.lexists(path):
            raise UsageError(f"{thing.name}, which went in, is not there any more.", "Restore it, then try again.")
        now = digests_of(Pinner(lock, PinOptions(), keep=False).pinned(str(path)))
        if not now & thing.digests:
            raise UsageError(
                f"{thing.name} is not what went in.", "Restore it, then try again; `toadstone verify` tells what changed."
            )


def _code_into(clean: Path, step: Step, home: Path, notes: list[str]) -> None:
    """Put the code that ran into a clean folder."""
    code = step.said.get("code")
    commit = str(code.get("digest", {}).get("gitCommit", "")) if isinstance(code, dict) else ""
    git = shutil.which("git")
    if not commit or git is None:
        made = {(home / thing.name).resolve() for thing in step.outputs}
        notes.append("no commit was recorded: the code is what is in the folder now")
        shutil.copytree(home, clean, symlinks=True, ignore=lambda folder, names: _left(os.fspath(folder), names, made))
        return
    if isinstance(code, dict) and code.get("dirty"):
        notes.append("the code had changes that were not committed; they are not in the copy")
    top = subprocess.run([git, "-C", home, "rev-parse", "--show-prefix"], capture_output=True, text=True, check=True)  # noqa: S603  (fixed words)
    tree = clean.parent / "checkout"
    subprocess.run([git, "clone", "-q", "--no-checkout", _top(git, home), tree], check=True, capture_output=True)  # noqa: S603  (fixed words)
    done = subprocess.run([git, "-C", tree, "checkout", "-q", commit], check=False, capture_output=True)  # noqa: S603  (fixed words)
    if done.returncode:
        raise UsageError(f"the commit {commit[:12]} is not in the repository any more.", "Fetch it, then try again.")
    inner = tree / top.stdout.strip()
    inner.mkdir(parents=True, exist_ok=True)
    inner.rename(clean)


def _top(git: str, home: Path) -> str:
    done = subprocess.run([git, "-C", home, "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True)  # noqa: S603  (fixed words)
    return done.stdout.strip()


def _left(folder: str, names: list[str], made: set[Path]) -> set[str]:
    return {name for name in names if name in (".git", ".toadstone", "__pycache__") or Path(folder, name).resolve() in made}


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target)


def _compared(before: Path, after: Path, thing: Thing) -> str:
    """Say how an output differs from what it was; empty when it does not."""
    if not os.path.lexists(after):
        return "it was not made"
    lock = after.parent / NAME
    if digests_of(Pinner(lock, PinOptions(), keep=False).pinned(str(after))) & thing.digests:
        return ""
    if not os.path.lexists(before):
        return "it differs; the first one is not here, so that nothing says where"
    if after.is_dir() and before.is_dir():
        return _first_file(before, after)
    if after.is_dir() or before.is_dir():
        return "one is a folder, the other a file"
    return f"it differs from byte {_first_byte(before, after):,} on"


def _first_file(before: Path, after: Path) -> str:
    left, right = ({entry.path: entry for entry in entries(str(folder))} for folder in (before, after))
    for name in sorted(left.keys() | right.keys()):
        if name not in left or name not in right:
            return f"{name} is only in the {'first' if name in left else 'second'}"
        if left[name] != right[name]:
            if left[name].kind == right[name].kind == FILE:
                return f"{name} differs from byte {_first_byte(before / name, after / name):,} on"
            return f"{name} is a {left[name].kind} and became a {right[name].kind}"
    return "it differs from what was recorded; both copies here are the same"


def _first_byte(before: Path, after: Path) -> int:
    """Give the offset of the first byte in which two files differ."""
    at = 0
    with before.open("rb") as left, after.open("rb") as right:
        while True:
            one, other = left.read(_CHUNK), right.read(_CHUNK)
            if one != other:
                return at + next(
                    (index for index, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
                    min(len(one), len(other)),
                )
            if not one:
                return at
            at += len(one)
