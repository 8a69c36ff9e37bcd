"""What a person chose after looking at groups and rows, read from a file and applied to a decision."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toadstone.core.config import read_suppressions
from toadstone.core.errors import ConfigError, UsageError, nearest
from toadstone.core.finding import Confidence, Finding, Severity
from toadstone.core.place import Place
from toadstone.core.policy import Policy, Waiver, group_of
from toadstone.study.decision import Decision, Mark
from toadstone.tables.dataset import Dataset

REVIEW = "review"
"""Instead of the id of a check: a person flags these rows."""

_ROWS = ("sha256", "count", "keep", "quarantine")
_GROUP = ("check", "group", "reason")


@dataclass(frozen=True)
class Choices:
    """Choices of a review.

    Attributes:
        waivers: Findings whose rows are kept.
        groups: Check and value of groups whose rows are quarantined though they do not stand.
        keep: Rows that are kept, whatever flags them.
        quarantine: Rows that are quarantined, whatever keeps them.
        sha256: Of the file that the rows are numbered in; empty when it was no single file.
        count: Its rows; -1 when no row is chosen.
        origin: Where the choices come from, for messages.
    """

    waivers: tuple[Waiver, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    keep: tuple[int, ...] = ()
    quarantine: tuple[int, ...] = ()
    sha256: str = ""
    count: int = -1
    origin: str = ""


def read_choices(path: str | os.PathLike[str]) -> Choices:
    """Read a suppression file with, besides ``[[suppress]]``, ``[[quarantine]]`` entries and ``[rows]``.

    Raises:
        ConfigError: It cannot be read, or is wrong.
    """
    waivers = read_suppressions(path)
    table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    entries, rows = table.get("quarantine", []), table.get("rows", {})
    if not isinstance(entries, list):
        raise ConfigError(f"{path}: quarantine must be a list of tables, [[quarantine]].")
    if not isinstance(rows, dict):
        raise ConfigError(f"{path}: rows must be a table, [rows].")
    for key in rows:
        if key not in _ROWS:
            raise ConfigError(f"{path}: [rows]: unknown key {key!r}.", nearest(key, _ROWS))
    groups = tuple(_group(entry, f"{path}: [[quarantine]] number {number}") for number, entry in enumerate(entries, 1))
    keep, quarantine = (_numbers(rows.get(key, []), f"{path}: [rows]: {key}") for key in ("keep", "quarantine"))
    if both := sorted(set(keep) & set(quarantine)):
        raise ConfigError(f"{path}: [rows]: row {both[0]} is to be kept and to be quarantined.")
    count = rows.get("count", -1)
    if (keep or quarantine) and (not isinstance(count, int) or count < 1):
        raise ConfigError(f"{path}: [rows] needs `count`, the number of rows of the data set.")
    return Choices(waivers, groups, keep, quarantine, str(rows.get("sha256", "")), count, str(path))


def _group(entry: object, origin: str) -> tuple[str, str]:
    if not isinstance(entry, dict):
        raise ConfigError(f"{origin} must be a table.")
    for key in entry:
        if key not in _GROUP:
            raise ConfigError(f"{origin}: unknown key {key!r}.", nearest(key, _GROUP))
    for key in ("check", "group"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise ConfigError(f"{origin} needs `{key}`.")
    return entry["check"], entry["group"]


def _numbers(given: object, origin: str) -> tuple[int, ...]:
    if not isinstance(given, list) or any(type(number) is not int or number < 0 for number in given):
        raise ConfigError(f"{origin} must be a list of row numbers, 0 for the first.")
    return tuple(sorted(set(given)))


def applied(decision: Decision, chosen: Sequence[Choices], policy: Policy, dataset: Dataset) -> Decision:
    """Let a person's choices decide: rows of waived findings are kept, rows of chosen groups are quarantined.

    Args:
        decision: What the checks say.
        chosen: Choices of reviews.
        policy: Its waivers count, as long as they have not expired.
        dataset: What the rows are of.

    Raises:
        UsageError: Rows were chosen in other data, or a group is not there.
    """
    marks = [replace(mark, stands=mark.stands and not policy.waived(mark.finding, {})) for mark in decision.marks]
    keep: set[int] = set()
    for choices in chosen:
        _same_data(choices, dataset, len(decision.flagged))
        for check, group in choices.groups:
            found = [place for place, mark in enumerate(marks) if (mark.finding.check, group_of(mark.finding)) == (check, group)]
            if not found:
                advice = "The data or the checks have changed since the review: review again, or remove the entry."
                raise UsageError(f"{choices.origin}: no finding of {check} is about the group {group!r}.", advice)
            for place in found:
                marks[place] = replace(marks[place], stands=True)
        keep |= set(choices.keep)
        if choices.quarantine:
            rows = np.array(choices.quarantine, np.int64)
            marks.append(Mark(_by_hand(rows, choices.origin, dataset.name), rows, stands=True))
    for choices in chosen:
        keep -= set(choices.quarantine)
    return decision.reviewed(marks, np.array(sorted(keep), np.int64))


def _same_data(choices: Choices, dataset: Dataset, rows: int) -> None:
    """See that row numbers mean the same rows.

    Raises:
        UsageError: They do not.
    """
    if not choices.keep and not choices.quarantine:
        return
    digest = digest_of(dataset)
    if choices.count != rows or (choices.sha256 and digest and choices.sha256 != digest):
        raise UsageError(
            f"{choices.origin}: the rows were chosen in another version of the data: it had {choices.count:,} rows, "
            f"{dataset.name} has {rows:,}{'' if choices.count != rows else ' with other content'}.",
            "Review again, or remove [rows]; groups are known by their value and still count.",
        )


def digest_of(dataset: Dataset) -> str:
    """Give the SHA-256 of a data set that is one file, else an empty string."""
    path = Path(dataset.path)
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _by_hand(rows: NDArray[np.int64], origin: str, name: str) -> Finding:
    return Finding(
        check=REVIEW,
        severity=Severity.INFO,
        confidence=Confidence.HIGH,
        place=Place(name, "", -1, int(rows[0])),
        message=f"{len(rows):,} {'row was' if len(rows) == 1 else 'rows were'} chosen by a person ({origin}).",
        remedy="Nothing: it was decided.",
        evidence={"group": {"kind": "rows", "value": REVIEW}, "rows": len(rows), "row_sample": rows[:20].tolist()},
    )
