"""``run``: a command with its evidence: what went in, under which gate, what came out, sealed into the ledger."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from toadstone.core.errors import UsageError
from toadstone.core.finding import Json
from toadstone.identity import lock as locks
from toadstone.identity.lock import Lock, Pin
from toadstone.ledger import predicates
from toadstone.ledger.ledger import Ledger, Receipt
from toadstone.ledger.lineage import read_lineage
from toadstone.ledger.things import CLEANED, Lineage
from toadstone.verbs.admission import Admission, Admitted, RefusedError, digest_set, digests_of, shown_name
from toadstone.verbs.circumstances import code_of, environment_of, hardware_of
from toadstone.verbs.pin import STORE, Pinner, PinOptions

SUCCEEDED, FAILED, INTERRUPTED = "succeeded", "failed", "interrupted"
_TABLES = 50
"""Tables of a folder that are named in the record itself; an entry of a ledger holds at most 64 KiB."""
_LISTED = 100
"""Files of a folder that was made which are named one by one in the record."""


@dataclass(frozen=True)
class RunOptions:
    """What is told about a run.

    Attributes:
        parameters: By name, as text.
        seeds: By name.
        stage: Of a model's life.
        force: Why it goes on although the gate objects; empty: it does not.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    seeds: Mapping[str, str] = field(default_factory=dict)
    stage: str = ""
    force: str = ""


class Run:
    """A run that is being recorded.

    ::

        with toadstone.run(inputs=["train.parquet"], outputs=["model.bin"], ledger=ledger) as recorded:
            train()

    On the way in the inputs are identified and the gate asked; on the way out the outputs are hashed, the inputs compared with
    what they were, and everything is sealed. A run that raises is recorded as failed, one that is interrupted as interrupted.

    Args:
        inputs: Files, folders, remotes.
        outputs: Files and folders that the run is to make.
        ledger: Where it is recorded.
        lock: Path of the lock.
        options: What is told about it.
        command: What runs; empty for code of the same process.
        scanned: Scans a target and gives the verdict; None: `toadstone.scan` with its defaults.
    """

    def __init__(
        self,
        inputs: Sequence[str | os.PathLike[str]],
        outputs: Sequence[str | os.PathLike[str]],
        ledger: Ledger,
        *,
        lock: str | os.PathLike[str] = locks.NAME,
        options: RunOptions | None = None,
        command: Sequence[str] = (),
        scanned: Callable[[str], str] | None = None,
    ) -> None:
        self._inputs = [os.fspath(one) for one in inputs]
        self._outputs = [os.fspath(one) for one in outputs]
        self._ledger = ledger
        self._lock = Path(lock)
        self._options = options or RunOptions()
        self._command = list(command)
        self._scanned = scanned or _scan
        self._admitted: list[Admitted] = []
        self._lineage = Lineage(())
        self._started = ""
        self.exit_code: int | None = None
        self.receipt: Receipt | None = None
        self.notes: list[str] = []

    @property
    def objections(self) -> list[str]:
        """What the gate has against the inputs."""
        return [objection for one in self._admitted for objection in one.objections]

    def __enter__(self) -> Self:
        """Identify the inputs and ask the gate.

        Raises:
            UsageError: An input cannot be read.
            RefusedError: The gate objects, and nobody says why it is to go on.
        """
        self._lineage = read_lineage(self._ledger)
        admission = Admission(self._lock, self._lineage, self._scanned)
        self._admitted = [admission.admitted(target) for target in dict.fromkeys(self._inputs)]
        if self.objections and not self._options.force:
            advice = "`--force REASON` goes on all the same, and the reason is recorded."
            raise RefusedError(f"refused: {'; '.join(self.objections)}.", advice)
        if admission.begins and self._admitted:
            today = dt.datetime.now(tz=dt.UTC).date().isoformat()
            pins = [replace(one.pin, pinned=today) for one in self._admitted]
            locks.write_aside(self._lock, locks.written(Lock().with_pins(pins)))
            self.notes.append(f"inputs are pinned -> {self._lock}")
        self._started = predicates.now()
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        """Hash the outputs and seal the record.

        Raises:
            LedgerError: It cannot be recorded.
        """
        if self.exit_code is None:
            self.exit_code = 0 if kind is None else 1
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        status = INTERRUPTED if interrupted or self.exit_code < 0 else SUCCEEDED if not self.exit_code else FAILED
        self.seal(status)

    def seal(self, status: str) -> Receipt:
        """Record the run.

        Args:
            status: ``succeeded``, ``failed`` or ``interrupted``.
        """
        outputs = [made for target in self._outputs for made in self._made(target)]
        code = code_of(".")
        said: dict[str, Json] = {
            "startedOn": self._started,
            "finishedOn": predicates.now(),
            "exitCode": self.exit_code or 0,
            **({"command": list(self._command)} if self._command else {}),
            "workingDirectory": os.path.relpath(".", self._home),
            **({} if code is None else {"code": code}),
            "environment": environment_of(),
            "hardware": hardware_of(),
            "parameters": dict(self._options.parameters),
            "seeds": dict(self._options.seeds),
            **({"stage": self._options.stage} if self._options.stage else {}),
            "gate": self._gate(),
            **self._dropped(),
            **({} if outputs else {"madeNothing": True}),
        }
        changed = self._changed()
        if changed:
            said["changedMeanwhile"] = list(changed)
            self.notes.append(f"changed while the run went on: {', '.join(changed)}")
        inputs = [self._resource(one.pin, one.target, one.source) for one in self._admitted]
        if not inputs and not outputs:
            raise UsageError("a run without inputs and outputs leaves nothing to record.", "Name them with --input and --output.")
        statement = predicates.training(outputs, inputs=inputs, status=status, time=predicates.now(), **said)
        self.receipt = self._ledger.append(statement)
        return self.receipt

    @property
    def _home(self) -> Path:
        return self._lock.absolute().parent

    def _gate(self) -> dict[str, Json]:
        reasons: list[Json] = list(self.objections)
        if not reasons:
            return {"passed": True}
        return {"passed": False, "forced": self._options.force, "reasons": reasons}

    def _dropped(self) -> dict[str, Json]:
        """Say which rows were left out of the inputs, and why: the cleanings that they came from."""
        steps = [
            step
            for one in self._admitted
            for step in self._lineage.makers(digests_of(one.pin))
            if step.kind == CLEANED and step.outputs and digests_of(one.pin) & step.outputs[0].digests
        ]
        if not steps:
            return {}
        counts: dict[str, Json] = {}
        rows = 0
        for step in steps:
            said = step.said
            rows += int(said.get("rows", {}).get("quarantined", 0))
            for check, count in said.get("checks", {}).items():
                known = counts.get(check, 0)
                counts[check] = (known if isinstance(known, int) else 0) + int(count)
        records: list[Json] = [{"entry": step.index} for step in steps]
        return {"dropped": {"rows": rows, "checks": counts}, "records": records}

    def _changed(self) -> list[str]:
        """Name the local inputs that are not any more what went in."""
        found: list[str] = []
        for one in self._admitted:
            if "://" in one.target:
                continue
            try:
                now = Pinner(self._lock, PinOptions(), keep=False).pinned(one.target)
            except UsageError:
                found.append(one.target)
                continue
            if now.root != one.pin.root:
                found.append(one.target)
        return found

    def _made(self, target: str) -> list[predicates.Made]:
        if not os.path.lexists(target):
            self.notes.append(f"{target} was not made")
            return []
        pin = Pinner(self._lock, PinOptions()).pinned(target)
        name = shown_name(target, self._home)
        files = [entry for entry in pin.entries or () if entry.sha256][:_LISTED]
        inner = [predicates.resource(f"{name}/{entry.path}", {"sha256": entry.sha256}) for entry in files]
        return [self._resource(pin, target, ""), *inner]

    def _resource(self, pin: Pin, target: str, source: str) -> predicates.Made:
        tables: list[Json] = [
            {"path": table.path, "rows": table.rows, "content": table.content, "rowRoot": table.row_root} for table in pin.tables
        ]
        notes: dict[str, Json] = {"kind": pin.kind, "size": pin.size, **({"scan": pin.scan} if pin.scan else {})}
        if len(tables) > _TABLES:
            notes["tablesIn"] = self._beside(pin, tables)
        else:
            notes |= {"tables": tables} if tables else {}
        notes |= {"source": source} if source else {}
        notes |= {key: value for key in ("licence", "owner", "revision") if (value := getattr(pin, key))}
        more: dict[str, Json] = {"uri": target} if "://" in target else {}
        return predicates.resource(shown_name(target, self._home), digest_set(pin), annotations=notes, **more)

    def _beside(self, pin: Pin, tables: list[Json]) -> dict[str, Json]:
        """Keep a list that is too long for a record in a file, which the record names with its digest."""
        store = self._home / STORE
        store.mkdir(parents=True, exist_ok=True)
        text = json.dumps(tables, sort_keys=True)
        name = f"{pin.root[:32]}.tables"
        locks.write_aside(store / name, text)
        return {"name": name, "digest": {"sha256": hashlib.sha256(text.encode()).hexdigest()}}


def run(
    inputs: Sequence[str | os.PathLike[str]],
    outputs: Sequence[str | os.PathLike[str]],
    *,
    ledger: Ledger | None = None,
    lock: str | os.PathLike[str] = locks.NAME,
    options: RunOptions | None = None,
) -> Run:
    """Record what the code inside a ``with`` block takes in and makes.

    Args:
        inputs: Files, folders, remotes.
        outputs: Files and folders that it is to make.
        ledger: Where it is recorded; by default the nearest one.
        lock: Path of the lock.
        options: What is told about it.

    Raises:
        UsageError: An input cannot be read.
        RefusedError: The gate objects.
        LedgerError: The ledger or its key cannot be used.
    """
    from toadstone.verbs.record import open_ledger  # noqa: PLC0415  (only when none is given)

    return Run(inputs, outputs, ledger if ledger is not None else open_ledger(), lock=lock, options=options)


def run_command(recorded: Run, command: Sequence[str], folder: str | None = None) -> int:
    """Run a command inside a record that is open; what interrupts this process is left to the command.

    Args:
        recorded: The run; its exit code is set.
        command: Program and arguments.
        folder: Where; by default here.

    Returns:
        The exit code as a shell gives it: 128 and the signal for a command that was killed by one.

    Raises:
        UsageError: There is no such program.
    """
    if shutil.which(command[0]) is None:
        raise UsageError(f"{command[0]} is no program that can be started.", "The command stands behind --.")
    kept = signal.signal(signal.SIGINT, signal.SIG_IGN) if sys.platform != "win32" else None
    try:
        with subprocess.Popen(command, cwd=folder, preexec_fn=_listening if sys.platform != "win32" else None) as child:  # noqa: S603, PLW1509  (what the user asked for; the handler alone is set)
            code = child.wait()
    finally:
        if kept is not None:
            signal.signal(signal.SIGINT, kept)
    recorded.exit_code = code
    return code if code >= 0 else 128 - code


def _listening() -> None:
    """Let the command hear an interruption, which this process leaves to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _scan(target: str) -> str:
    from toadstone.verbs.scan import scan  # noqa: PLC0415  (start-up time)

    return scan(target).verdict
