"""What may go into a run: pinned, unchanged, scanned, and not what was set aside."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toadstone.core.errors import ToadstoneError, UsageError
from toadstone.identity import lock as locks
from toadstone.identity.lock import Lock, Pin
from toadstone.ledger.things import CLEANED, TRAINED, Lineage
from toadstone.verbs.pin import Pinner, PinOptions, name_of

REFUSED = ("malicious", "poisoned", "suspicious")
"""Verdicts of a scan with which nothing is trained on."""


class RefusedError(ToadstoneError):
    """The gate refused the inputs of a run."""


@dataclass(frozen=True)
class Admitted:
    """An input that was looked at.

    Attributes:
        target: As it was named.
        pin: What it is right now.
        source: Name in the lock; empty when it is not in it.
        objections: Why it must not go in; empty when it may.
    """

    target: str
    pin: Pin
    source: str = ""
    objections: tuple[str, ...] = ()


class Admission:
    """Looks at inputs.

    Args:
        lock: Path of the lock. When there is none, inputs are pinned by being used.
        lineage: What the ledger tells.
        scanned: Scans a target and gives the verdict.
    """

    def __init__(self, lock: Path, lineage: Lineage, scanned: Callable[[str], str]) -> None:
        self._pinner = Pinner(lock, PinOptions())
        self._held: Lock | None = locks.read_lock(lock) if lock.exists() else None
        self._lineage = lineage
        self._scanned = scanned

    @property
    def begins(self) -> bool:
        """Whether there is no lock yet."""
        return self._held is None

    def admitted(self, target: str) -> Admitted:
        """Look at one input.

        Raises:
            UsageError: It is not there, or cannot be read.
        """
        if "://" not in target and not os.path.lexists(target):
            raise UsageError(f"{target} does not exist.", "Inputs are files, folders or remotes.")
        pin = self._pinner.pinned(target)
        known = self._pinned(pin)
        objections = list(self._of_pins(target, pin, known)) + list(self._of_cleanings(target, pin))
        verdict = known.scan if known is not None else self._scanned(target)
        if not verdict:
            objections.append(f"{target} is unscanned; `toadstone pin {target}` scans what it pins")
        elif verdict in REFUSED:
            objections.append(f"{target} is {verdict}; `toadstone scan {target}` tells why")
        return Admitted(target, replace(pin, scan=verdict), known.name if known is not None else "", tuple(objections))

    def _pinned(self, pin: Pin) -> Pin | None:
        """Give what the lock says of an input: of its name, or else of the same content under another one."""
        pins = self._held.pins if self._held is not None else ()
        named = next((held for held in pins if held.name == pin.name), None)
        return named or next((held for held in pins if held.kind == pin.kind and held.root == pin.root), None)

    def _of_pins(self, target: str, pin: Pin, known: Pin | None) -> Sequence[str]:
        if known is not None:
            return [] if same(known, pin) else [f"{target} changed since it was pinned; `toadstone verify {target}` tells what"]
        made = any(step.kind == TRAINED for step in self._lineage.makers(digests_of(pin)))
        if self._held is None or made or self._kept(pin):
            return []
        return [f"{target} is not pinned; `toadstone pin {target}` does it"]

    def _kept(self, pin: Pin) -> bool:
        """Whether it is what a recorded cleaning kept."""
        wanted = digests_of(pin)
        return any(step.outputs and wanted & step.outputs[0].digests for step in self._lineage.steps if step.kind == CLEANED)

    def _of_cleanings(self, target: str, pin: Pin) -> Sequence[str]:
        """Object to what a cleaning set aside, and to what was cleaned and is used as it was."""
        wanted = digests_of(pin)
        found = []
        for step in self._lineage.steps:
            if step.kind != CLEANED:
                continue
            rows = step.said.get("rows")
            aside = int(rows.get("quarantined", 0)) if isinstance(rows, dict) else 0
            if any(wanted & thing.digests for thing in step.outputs[1:]):
                found.append(f"{target} is quarantined (record {step.index})")
            elif aside and any(wanted & thing.digests for thing in step.inputs):
                kept = step.outputs[0].name if step.outputs else "what was kept"
                found.append(f"{aside:,} rows of {target} are quarantined (record {step.index}); train on {kept}")
        return found


def same(known: Pin, now: Pin) -> bool:
    """Whether an input has the content that was pinned: its bytes, or its rows in another encoding."""
    if known.root == now.root:
        return True
    if known.kind != "file" or len(known.tables) != 1 or len(now.tables) != 1:
        return False
    return known.tables[0].content == now.tables[0].content


def digests_of(pin: Pin) -> frozenset[str]:
    """Give the digests by which records name something."""
    return frozenset(f"{algorithm}:{value}" for algorithm, value in digest_set(pin).items())


def digest_set(pin: Pin) -> dict[str, str]:
    """Give the digests by which records name something, by algorithm.

    ``sha256`` of a file's bytes; ``toadstoneFolder`` over the entries of a folder or remote; ``toadstoneContent`` over the rows
    of a table, whatever their encoding; ``gitCommit`` of a repository.
    """
    found = {"sha256" if pin.kind == "file" else "toadstoneFolder": pin.root}
    if pin.kind == "file" and pin.tables:
        found["toadstoneContent"] = pin.tables[0].content
    if pin.revision:
        found["gitCommit"] = pin.revision
    return found


def shown_name(target: str, home: Path) -> str:
    """Give the name under which something is recorded: relative to the lock's folder."""
    return target if "://" in target else name_of(target, home)
