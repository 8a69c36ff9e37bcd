"""A run as an experiment tracker tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SUCCEEDED, FAILED, INTERRUPTED, RUNNING = "succeeded", "failed", "interrupted", "running"


@dataclass(frozen=True)
class TrackedData:
    """A data set that a run is said to have read.

    Attributes:
        name: As the run calls it.
        digest: Of the tracker; MLflow's has 32 bits and covers the first 10,000 rows.
        location: Path or address; empty when none was told.
    """

    name: str
    digest: str
    location: str = ""


@dataclass(frozen=True)
class TrackedOutput:
    """Something that a run is said to have made.

    Attributes:
        name: As the tracker calls it.
        place: Where it is, below the folder of the store; None when it is not there, or elsewhere.
        model: Identifier of a logged model; empty for other artifacts.
    """

    name: str
    place: Path | None
    model: str = ""


@dataclass(frozen=True)
class TrackedRun:
    """A run.

    Attributes:
        id: As the tracker numbers it.
        name: As its author calls it; may be empty.
        status: ``succeeded``, ``failed``, ``interrupted`` or ``running``.
        started: Milliseconds since 1970 (UTC); 0 when it is not told.
        parameters: By name.
        commit: Of the code; empty when it is not told.
        data: What it read.
        models: Identifiers of logged models that it took in.
        outputs: What it made.
    """

    id: str
    name: str
    status: str
    started: int
    parameters: dict[str, str]
    commit: str
    data: tuple[TrackedData, ...]
    models: tuple[str, ...]
    outputs: tuple[TrackedOutput, ...]


@dataclass(frozen=True)
class Tracked:
    """What a store holds.

    Attributes:
        tracker: Its name, for people.
        runs: In the order in which they began.
        notes: What could not be read, and why.
    """

    tracker: str
    runs: tuple[TrackedRun, ...]
    notes: tuple[str, ...] = ()
