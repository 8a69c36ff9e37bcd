"""MLflow's tracking database in SQLite, opened for reading only."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from toadstone.core.errors import UnreadError, UsageError
from toadstone.trackers.mlflow import COMMIT, Places, data_of, status_of
from toadstone.trackers.run import Tracked, TrackedData, TrackedOutput, TrackedRun

_LONGEST = 64 << 10
_MOST_STEPS = 200
_STEPS = 1_000_000
"""Instructions of SQLite's machine between two looks at how many were spent: a crafted view may otherwise count for ever."""

Row = Mapping[str, object]


def read_database(path: Path) -> Tracked:
    """Read the runs of a database.

    Args:
        path: Of the file.

    Raises:
        UsageError: It has no table of runs.
        UnreadError: It is damaged, or locked by another process.
    """
    try:
        held = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=2.0)
    except sqlite3.Error as error:
        raise UnreadError(f"{path} cannot be opened: {error}.") from None
    try:
        return _Database(held, path).tracked()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise UnreadError(f"{path} cannot be read: {error}.", "If a server writes to it, try again, or read a copy.") from None
    finally:
        held.close()


class _Database:
    """Reads whole tables, joined here: old databases lack some of them.

    Args:
        held: The database.
        path: Its path.
    """

    def __init__(self, held: sqlite3.Connection, path: Path) -> None:
        self._held = held
        self._path = path
        self._places = Places(path)
        self._spent = 0
        held.row_factory = sqlite3.Row
        held.execute("PRAGMA trusted_schema = OFF")
        held.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 16 << 20)
        held.set_progress_handler(self._step, _STEPS)
        self._tables = {str(row[0]) for row in held.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def _step(self) -> int:
        self._spent += 1
        return self._spent > _MOST_STEPS

    def tracked(self) -> Tracked:
        """Read everything."""
        runs = self._rows(
            "runs", ("run_uuid", "name", "status", "start_time", "artifact_uri", "experiment_id", "lifecycle_stage")
        )
        if "runs" not in self._tables or "experiments" not in self._tables:
            raise UsageError(f"{self._path} is no database of MLflow.", "It has no tables of runs and experiments.")
        params, tags = self._by_run("params"), self._by_run("tags")
        data, models, made = self._joined()
        found = []
        for row in runs:
            run = str(row["run_uuid"])
            if row.get("lifecycle_stage", "active") != "active":
                continue
            tail = (str(row.get("experiment_id")), run, "artifacts")
            artifacts = self._places.artifacts(self._places.found(str(row.get("artifact_uri") or ""), tail))
            started = row.get("start_time")
            found.append(
                TrackedRun(
                    run,
                    str(row.get("name") or tags[run].get("mlflow.runName", "")),
                    status_of(row.get("status")),
                    started if isinstance(started, int) else 0,
                    params[run],
                    tags[run].get(COMMIT, ""),
                    tuple(data[run]),
                    tuple(models[run]),
                    (*made[run], *artifacts),
                )
            )
        return Tracked("MLflow", tuple(sorted(found, key=lambda run: (run.started, run.id))))

    def _joined(
        self,
    ) -> tuple[dict[str, list[TrackedData]], dict[str, list[str]], dict[str, list[TrackedOutput]]]:
        """Give data sets, models taken in and models made, by run."""
        data: dict[str, list[TrackedData]] = defaultdict(list)
        taken: dict[str, list[str]] = defaultdict(list)
        made: dict[str, list[TrackedOutput]] = defaultdict(list)
        columns = ("dataset_uuid", "name", "digest", "dataset_source_type", "dataset_source")
        sets = {str(row["dataset_uuid"]): row for row in self._rows("datasets", columns)}
        models = {
            str(row["model_id"]): row
            for row in self._rows("logged_models", ("model_id", "name", "artifact_location", "experiment_id", "lifecycle_stage"))
        }
        for row in self._rows("inputs", ("source_type", "source_id", "destination_type", "destination_id")):
            kinds, source, target = (
                (row["source_type"], row["destination_type"]),
                str(row["source_id"]),
                str(row["destination_id"]),
            )
            if kinds == ("DATASET", "RUN") and source in sets:
                held = sets[source]
                said = {"source_type": held["dataset_source_type"], "source": held["dataset_source"]}
                data[target].append(data_of({"name": held["name"], "digest": held["digest"], **said}))
            elif kinds[1] == "MODEL_INPUT":
                taken[source].append(target)
            elif kinds[1] == "MODEL_OUTPUT" and target in models:
                made[source].append(self._model(target, models[target]))
        return data, taken, made

    def _model(self, model: str, row: Row) -> TrackedOutput:
        tail = (str(row.get("experiment_id")), "models", model, "artifacts")
        return TrackedOutput(
            str(row.get("name") or model), self._places.found(str(row.get("artifact_location") or ""), tail), model
        )

    def _by_run(self, table: str) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for row in self._rows(table, ("key", "value", "run_uuid")):
            found[str(row["run_uuid"])][str(row["key"])] = str(row["value"])[:_LONGEST]
        return found

    def _rows(self, table: str, columns: Sequence[str]) -> Iterable[dict[str, object]]:
        """Read columns of a table; those that an older database lacks are left out, and so is a table."""
        if table not in self._tables:
            return []
        there = {str(row[1]) for row in self._held.execute(f'PRAGMA table_info("{table}")')}
        wanted = [name for name in columns if name in there]
        if not wanted or columns[0] not in there:
            return []
        chosen = ", ".join(f'"{name}"' for name in wanted)
        return [dict(row) for row in self._held.execute(f'SELECT {chosen} FROM "{table}"')]  # noqa: S608  (names are ours)
