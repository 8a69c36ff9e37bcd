"""MLflow's stores: the folder ``mlruns`` of MLflow 1 to 3, and the SQLite database of a tracking server.

The layouts are those of `mlflow/store/tracking/file_store.py` and of the tables of `mlflow/store/tracking/dbmodels/models.py`
(MLflow 1.30 to 3.17). Nothing is unpickled and MLflow is not needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from toadstone.core.errors import UnreadError, UsageError
from toadstone.trackers.run import FAILED, INTERRUPTED, RUNNING, SUCCEEDED, Tracked, TrackedData, TrackedOutput

COMMIT = "mlflow.source.git.commit"
_STATUS = {"3": SUCCEEDED, "FINISHED": SUCCEEDED, "4": FAILED, "FAILED": FAILED, "5": INTERRUPTED, "KILLED": INTERRUPTED}
_LONGEST = 4096
_MOST_OUTPUTS = 1000


def read_mlflow(store: Path) -> Tracked:
    """Read the runs of a store.

    Args:
        store: The folder ``mlruns``, or a SQLite database.

    Raises:
        UsageError: There is nothing, or it is no store of MLflow.
        UnreadError: It cannot be read.
    """
    try:
        if store.is_dir():
            from toadstone.trackers.mlflow_files import read_files  # noqa: PLC0415  (only for folders: PyYAML)

            return read_files(store)
        with store.open("rb") as stream:
            begins = stream.read(16)
    except FileNotFoundError:
        raise UsageError(f"{store} does not exist.", "Name the folder mlruns, or the database mlflow.db.") from None
    except OSError as error:
        raise UnreadError(f"{store} cannot be read: {error.strerror}.") from None
    if begins != b"SQLite format 3\0":
        raise UsageError(f"{store} is no store of MLflow.", "Name the folder mlruns, or the SQLite database mlflow.db.")
    from toadstone.trackers.mlflow_database import read_database  # noqa: PLC0415

    return read_database(store)


def status_of(said: object) -> str:
    """Say how a run ended, as ``status`` or ``runs.status`` has it."""
    return _STATUS.get(str(said), RUNNING)


def data_of(said: Mapping[str, object]) -> TrackedData:
    """Give a data set of its row: ``name``, ``digest``, ``source_type``, ``source`` (JSON)."""
    name, digest = str(said.get("name", ""))[:_LONGEST], str(said.get("digest", ""))[:_LONGEST]
    try:
        source = json.loads(str(said.get("source", "")))
    except (ValueError, RecursionError):
        source = None
    if not isinstance(source, dict):
        return TrackedData(name, digest)
    if said.get("source_type") == "hugging_face" and isinstance(source.get("path"), str):
        revision = source.get("revision")
        return TrackedData(name, digest, f"hf://datasets/{source['path']}" + (f"@{revision}" if revision else ""))
    location = next((source[key] for key in ("uri", "url", "path", "table_name") if isinstance(source.get(key), str)), "")
    return TrackedData(name, digest, _plain(str(location)[:_LONGEST]))


def _plain(location: str) -> str:
    """Write the address of a local file as its path."""
    return unquote(urlsplit(location).path) if location.startswith("file:") else location


class Places:
    """Finds what runs made, below the folder of the store and nowhere else: a store may name any folder of the machine.

    Args:
        store: Folder ``mlruns``, or the database.
    """

    def __init__(self, store: Path) -> None:
        self._home = store.resolve().parent
        self._roots = [store.resolve()] if store.is_dir() else [self._home / "mlruns", self._home / "mlartifacts", self._home]

    def found(self, said: str, tail: Iterable[str]) -> Path | None:
        """Give the folder that a store names, or, if the store was moved, where it would be now; None if it is not there.

        Args:
            said: Path or ``file:`` address as recorded.
            tail: The last parts of the path, below the root of the artifacts.
        """
        parts = [part for part in tail if part not in ("", ".", "..") and "/" not in part]
        for place in (self._recorded(said), *(root.joinpath(*parts) for root in self._roots if parts)):
            if place is not None and self._within(place) and place.is_dir():
                return place
        return None

    @staticmethod
    def _recorded(said: str) -> Path | None:
        if not said or "\0" in said or len(said) > _LONGEST:
            return None
        if "://" not in said and not said.startswith("file:"):
            return Path(said)
        address = urlsplit(said)
        return Path(unquote(address.path)) if address.scheme == "file" and address.netloc in ("", "localhost") else None

    def _within(self, place: Path) -> bool:
        try:
            real = place.resolve()
        except (OSError, RuntimeError, ValueError):
            return False
        return self._home in real.parents

    def artifacts(self, folder: Path | None) -> list[TrackedOutput]:
        """Give what lies in the folder of a run's artifacts, one each."""
        if folder is None:
            return []
        try:
            names = sorted(one.name for one in folder.iterdir())[:_MOST_OUTPUTS]
        except OSError:
            return []
        return [TrackedOutput(name, folder / name) for name in names if self._within(folder / name)]
