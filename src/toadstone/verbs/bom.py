"""``bom``: the bill of materials of a model, a folder, a project: files, pinned sources, how things were made, what was found."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from toadstone.core.policy import Config, Policy
from toadstone.core.report import Subject
from toadstone.formats.cyclonedx import Card, Material, is_data, is_model, write
from toadstone.identity import lock as locks
from toadstone.ledger.ledger import Ledger
from toadstone.ledger.lineage import read_lineage
from toadstone.ledger.things import Lineage, Step
from toadstone.verbs.scan import scan

_LARGEST = 1 << 20


def bom(
    target: str,
    *,
    version: str = "1.6",
    lock: str | os.PathLike[str] = locks.NAME,
    ledger: Ledger | None = None,
    config: Config | None = None,
    policy: Policy | None = None,
) -> str:
    """Write the bill of materials of a target as CycloneDX.

    Args:
        target: File, folder or remote.
        version: ``1.6`` or ``1.7``.
        lock: Path of the lock, whose sources are in the bill; it may be missing.
        ledger: Records of how things were made.
        config: Settings of the scan.
        policy: Gate and waivers.

    Raises:
        UsageError: The target does not exist.
        LockError: The lock cannot be read.
    """
    report = scan(target, config=config, policy=policy)
    subjects = tuple(subject for subject in report.subjects if not _own(subject.path))
    digests = {f"sha256:{subject.digests['sha256']}" for subject in subjects if "sha256" in subject.digests}
    steps = _related(read_lineage(ledger), digests) if ledger is not None else ()
    place = Path(lock)
    pins = locks.read_lock(place).pins if place.exists() else ()
    used = digests | {digest for step in steps for thing in step.inputs for digest in thing.digests}
    chosen = tuple(pin for pin in pins if {f"sha256:{pin.root}", f"toadstoneFolder:{pin.root}"} & used or Path(target).is_dir())
    cards = {subject.path: card for subject in subjects if is_model(subject) and (card := _card(subject)) != Card()}
    return write(Material(Path(target).name or target, subjects, cards, chosen, steps), version)


def _own(path: str) -> bool:
    return ".toadstone" in Path(path).parts or Path(path).name == locks.NAME


def _related(lineage: Lineage, digests: Iterable[str]) -> tuple[Step, ...]:
    """Give the records that led to what is there."""
    return tuple(sorted(lineage.upstream(digests), key=lambda step: step.index))


def _card(subject: Subject) -> Card:
    """Read what stands beside a model: ``config.json`` and the head of its ``README.md``."""
    if "://" in subject.path or is_data(subject):
        return Card()
    folder = Path(subject.path).parent
    config = _json(folder / "config.json")
    told = _front(folder / "README.md")
    architectures = config.get("architectures")
    first = str(architectures[0]) if isinstance(architectures, list) and architectures else ""
    family = config.get("model_type")
    return Card(
        _one(told, "pipeline_tag"),
        first,
        family if isinstance(family, str) else "",
        _one(told, "license"),
        tuple(told.get("base_model", ())),
        tuple(told.get("datasets", ())),
    )


def _one(told: dict[str, list[str]], key: str) -> str:
    return told.get(key, [""])[0]


def _json(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _front(path: Path) -> dict[str, list[str]]:
    """Read the plain entries in front of a README: ``key: value``, and lists of them; nothing nested, nothing computed."""
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            lines = stream.read(64 << 10).splitlines()
    except OSError:
        return {}
    if not lines or lines[0].strip() != "---":
        return {}
    found: dict[str, list[str]] = {}
    key = ""
    for line in lines[1:]:
        if line.strip() == "---":
            break
        if line.startswith(("- ", "  - ")) and key:
            found[key].append(_bare(line.strip()[2:]))
        elif line[:1].isalpha() and ":" in line:
            key, _, value = line.partition(":")
            key = key.strip()
            found[key] = [_bare(value)] if value.strip() else []
    return {name: [value for value in values if value] for name, values in found.items() if any(values)}


def _bare(text: str) -> str:
    return text.strip().strip("'\"")
