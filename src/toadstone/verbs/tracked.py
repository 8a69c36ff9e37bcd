"""What an experiment tracker says of runs, as steps beside those of the ledger: joined to things by what is on the disk now."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from toadstone.core.errors import ToadstoneError
from toadstone.core.finding import Json
from toadstone.formats.markup import counted
from toadstone.identity.files import entries, entry_of, folder_root
from toadstone.ledger.things import TRAINED, Lineage, Step, Thing
from toadstone.trackers.run import Tracked, TrackedData, TrackedOutput, TrackedRun

_MOST_FILES = 20_000
_SHORT = 8


def joined(lineage: Lineage, tracked: Tracked) -> Lineage:
    """Add what a tracker says to what the ledger tells; its steps come behind all records.

    A data set of MLflow is known by name, place and a digest of its own (32 bits over the first 10,000 rows); whether a file
    holds now what it held then does not follow from it. What a run made is identified by the bytes that lie in the store today.
    """
    after = max((step.index for step in lineage.steps), default=-1) + 1
    return Lineage((*lineage.steps, *(_step(run, tracked, after + number) for number, run in enumerate(tracked.runs))))


def read_at(path: str, lineage: Lineage) -> tuple[frozenset[str], list[str]]:
    """Find the data sets that runs of a tracker are said to have read from a path.

    Args:
        path: Of a file or folder that is there.
        lineage: With the steps of the tracker.

    Returns:
        The digests by which they are known, and a note for each of them.
    """
    wanted = os.path.realpath(path)
    found: set[str] = set()
    notes = []
    for step in lineage.steps:
        for thing in step.inputs if step.origin else ():
            if thing.uri and "://" not in thing.uri and os.path.realpath(thing.uri) == wanted and not thing.digests <= found:
                found |= thing.digests
                notes.append(
                    f"{step.origin} says that it read {thing.uri}; its digest covers 10,000 rows at most, in 32 bits: "
                    "whether the file held then what it holds now cannot be said"
                )
    return frozenset(found), notes


def also_known(digests: frozenset[str], lineage: Lineage) -> frozenset[str]:
    """Add the other names of what runs of a tracker made: one knows a model by its number, another by its bytes."""
    made = [thing.digests for step in lineage.steps if step.origin for thing in step.outputs if thing.digests & digests]
    return digests.union(*made)


def notes_of(tracked: Tracked) -> list[str]:
    """Say what was imported and what could not be."""
    told = f"{counted(len(tracked.runs), 'run')} of {tracked.tracker} as it tells them: nothing of it is signed or sealed"
    return [told, *tracked.notes]


def _step(run: TrackedRun, tracked: Tracked, index: int) -> Step:
    said: dict[str, Json] = {"parameters": dict(run.parameters), "tracker": tracked.tracker, "run": run.id}
    if run.commit:
        said["code"] = {"commit": run.commit}
    if 0 < run.started < 1 << 45:
        said["recordedAt"] = datetime.fromtimestamp(run.started / 1000, UTC).isoformat(timespec="seconds")
    name = f" {run.name}" if run.name else ""
    taken = [Thing(model, frozenset([_model(model)])) for model in run.models]
    inputs = (*(_data(one) for one in run.data), *taken)
    outputs = tuple(thing for one in run.outputs if (thing := _made(one)) is not None)
    return Step(index, TRAINED, run.status, inputs, outputs, said, f"{tracked.tracker} run{name} ({run.id[:_SHORT]})")


def _data(one: TrackedData) -> Thing:
    digest = f"mlflow:{one.digest or 'none'}"
    # Two data sets of the same digest at two places are two until somebody proves that they are one.
    return Thing(one.name, frozenset([f"{digest}:{one.location or one.name}"]), uri=one.location)


def _model(model: str) -> str:
    return f"mlflowModel:{model}"


def _made(one: TrackedOutput) -> Thing | None:
    """Identify what a run made; None when nothing tells what it was."""
    digests = {_model(one.model)} if one.model else set[str]()
    parts: frozenset[str] = frozenset()
    if one.place is not None:
        try:
            whole, parts = _identified(one.place)
        except ToadstoneError:
            whole = ""
        digests |= {whole} if whole else set()
    return Thing(one.name, frozenset(digests), parts=parts) if digests else None


def _identified(place: Path) -> tuple[str, frozenset[str]]:
    """Give the digest of a file or folder, and those of the files in it."""
    if not place.is_dir():
        return f"sha256:{entry_of(str(place)).sha256}", frozenset()
    found = entries(str(place))
    return f"toadstoneFolder:{folder_root(found).hex()}", _files(f"sha256:{entry.sha256}" for entry in found if entry.sha256)


def _files(digests: Iterable[str]) -> frozenset[str]:
    return frozenset(digest for _, digest in zip(range(_MOST_FILES), digests, strict=False))
