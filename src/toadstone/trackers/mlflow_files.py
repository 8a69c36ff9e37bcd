"""MLflow's folder ``mlruns``: ``EXPERIMENT/RUN/meta.yaml`` with ``params/``, ``tags/``, ``inputs/``, ``outputs/`` beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from toadstone.core.errors import UsageError
from toadstone.trackers.mlflow import COMMIT, Places, data_of, status_of
from toadstone.trackers.run import Tracked, TrackedData, TrackedOutput, TrackedRun

_META = "meta.yaml"
_LARGEST_META, _LARGEST_VALUE = 4 << 20, 64 << 10
_MOST_VALUES = 10_000


class _MetaError(ValueError):
    """A description cannot be read; its message says why."""


def read_files(store: Path) -> Tracked:
    """Read the runs of a folder.

    Args:
        store: The folder.

    Raises:
        UsageError: No experiment of MLflow is in it.
    """
    experiments = [folder for folder in _folders(store) if (folder / _META).is_file()]
    if not experiments:
        raise UsageError(f"{store} is no store of MLflow.", "Name the folder mlruns, or the SQLite database mlflow.db.")
    notes: list[str] = []
    runs = [run for folder in experiments for run in _Experiment(store, folder, notes).runs()]
    return Tracked("MLflow", tuple(sorted(runs, key=lambda run: (run.started, run.id))), tuple(notes))


class _Experiment:
    """One experiment.

    Args:
        store: The folder of all.
        folder: Its own.
        notes: Where it is said what cannot be read.
    """

    def __init__(self, store: Path, folder: Path, notes: list[str]) -> None:
        self._folder = folder
        self._notes = notes
        self._places = Places(store)

    def runs(self) -> Iterator[TrackedRun]:
        """Yield the runs that are not deleted."""
        for folder in _folders(self._folder):
            if folder.name in ("datasets", "models", "tags") or not (folder / _META).is_file():
                continue
            said = self._meta(folder)
            if said and said.get("lifecycle_stage", "active") == "active":
                yield self._run(folder, said)

    def _run(self, folder: Path, said: dict[str, str]) -> TrackedRun:
        tags = _values(folder / "tags")
        data, models = self._inputs(folder)
        artifacts = self._places.found(str(said.get("artifact_uri", "")), (self._folder.name, folder.name, "artifacts"))
        started = said.get("start_time", "")
        return TrackedRun(
            folder.name,
            said.get("run_name") or tags.get("mlflow.runName", ""),
            status_of(said.get("status")),
            int(started) if started.isascii() and started.isdigit() and len(started) < 16 else 0,
            _values(folder / "params"),
            tags.get(COMMIT, ""),
            data,
            models,
            (*self._logged(folder), *self._places.artifacts(artifacts)),
        )

    def _inputs(self, folder: Path) -> tuple[tuple[TrackedData, ...], tuple[str, ...]]:
        data, models = [], []
        for one in _folders(folder / "inputs"):
            said = self._meta(one)
            if said.get("source_type") == "DATASET":
                held = self._meta(self._folder / "datasets" / Path(said.get("source_id", "")).name)
                if held:
                    data.append(data_of(held))
            elif said.get("destination_type") == "MODEL_INPUT" or said.get("source_type") == "MODEL_INPUT":
                models.append(said.get("destination_id", ""))
        return tuple(data), tuple(filter(None, models))

    def _logged(self, folder: Path) -> Iterator[TrackedOutput]:
        """Yield the logged models of MLflow 3."""
        for one in _folders(folder / "outputs"):
            model = Path(self._meta(one).get("destination_id", "")).name
            if not model:
                continue
            said = self._meta(self._folder / "models" / model)
            tail = (self._folder.name, "models", model, "artifacts")
            yield TrackedOutput(said.get("name", model), self._places.found(said.get("artifact_location", ""), tail), model)

    def _meta(self, folder: Path) -> dict[str, str]:
        """Read a description; empty, with a note, when it cannot be read."""
        path = folder / _META
        try:
            return _flat(_bytes(path, _LARGEST_META))
        except (OSError, _MetaError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._notes.append(f"{path} cannot be read: {reason}")
            return {}


def _flat(data: bytes) -> dict[str, str]:
    """Read the scalars of a mapping in YAML; what is nested in it is passed over, nothing is constructed."""
    import yaml  # noqa: PLC0415  (start-up time)

    found: dict[str, str] = {}
    key: str | None = None
    depth = 0
    try:
        for event in yaml.parse(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            kind, value = type(event).__name__, str(getattr(event, "value", ""))
            if kind in ("MappingStartEvent", "SequenceStartEvent"):
                depth += 1
                key = None if depth > 1 else key
            elif kind in ("MappingEndEvent", "SequenceEndEvent"):
                depth -= 1
            elif depth == 1 and kind == "AliasEvent":
                key = None
            elif depth == 1 and kind == "ScalarEvent":
                if key is None:
                    key = value
                else:
                    found[key] = "" if value in ("null", "~") else value
                    key = None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _MetaError(" ".join(str(error).split())[:120]) from None
    return found


def _values(folder: Path) -> dict[str, str]:
    """Read a folder in which each file is a value, named by its key; keys may have folders of their own."""
    found: dict[str, str] = {}
    pending = [folder]
    while pending and len(found) < _MOST_VALUES:
        below = pending.pop()
        try:
            listed = sorted(below.iterdir())
        except OSError:
            continue
        for path in listed[:_MOST_VALUES]:
            if path.is_symlink():
                continue
            if path.is_dir():
                pending.append(path)
                continue
            try:
                found[path.relative_to(folder).as_posix()] = _bytes(path, _LARGEST_VALUE).decode("utf-8", "replace")
            except (OSError, _MetaError):
                continue
    return found


def _bytes(path: Path, most: int) -> bytes:
    """Read a regular file: a pipe would never end."""
    if not path.is_file():
        raise _MetaError("it is no file")
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise _MetaError(f"it has more than {most:,} bytes")
    return data


def _folders(folder: Path) -> list[Path]:
    """List the folders in one; links are not followed."""
    try:
        return sorted(one for one in folder.iterdir() if one.is_dir() and not one.is_symlink())
    except OSError:
        return []
