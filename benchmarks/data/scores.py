"""How well scores, flags and groups match the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.attacks.attack import Mask, Trigger
from toadstone.core.finding import Finding

FALSE_POSITIVES = 0.01
SAME = 0.5
"""A group is about the poison when at least this share of the rows that it shows are poisoned."""


def found_at(scores: NDArray[np.float64], mask: Mask, ignored: Mask, rate: float = FALSE_POSITIVES) -> float:
    """Give the share of poisoned rows above the score that leaves a share of the others above it; ties count against.

    Args:
        scores: Higher is worse.
        mask: Poisoned rows.
        ignored: Rows that count neither way.
        rate: Largest share of the others above the score.
    """
    others = np.sort(scores[~mask & ~ignored])[::-1]
    threshold = others[int(rate * len(others))] if len(others) else -np.inf
    return float((scores[mask] > threshold).mean())


def flags_of(flagged: Mask, mask: Mask, ignored: Mask) -> dict[str, float]:
    """Give recall, false-positive rate and false-discovery rate of flags."""
    wrong = flagged & ~mask & ~ignored
    right = int((flagged & mask).sum())
    return {
        "recall": right / max(1, int(mask.sum())),
        "false_positives": int(wrong.sum()) / max(1, int((~mask & ~ignored).sum())),
        "false_discoveries": int(wrong.sum()) / max(1, int(wrong.sum()) + right),
    }


def rank_of(groups: Sequence[Sequence[int]], mask: Mask) -> int | None:
    """Give the place, from 1, of the first group most of whose rows are poisoned; None when there is none."""
    for place, rows in enumerate(groups, 1):
        if len(rows) and mask[np.array(rows)].mean() >= SAME:
            return place
    return None


def ranked(findings: Sequence[Finding], mask: Mask, trigger: Trigger) -> dict[str, Any]:
    """Say where the trigger stands among the findings on groups.

    Returns:
        ``rank``: place, from 1, of the first group most of whose shown rows are poisoned, or None; ``named``: of the first
        that also shows the trigger itself; ``check`` that found it; ``value`` it showed; ``others``: how many findings of
        ``high`` and above are about other rows.
    """
    groups = [finding for finding in findings if dict_of(finding).get("kind") != "rows"]
    rows = [row for finding in groups if isinstance(row := finding.evidence.get("row_sample"), list)]
    rank = rank_of(rows, mask)
    named = next((place for place, one in enumerate(groups, 1) if rank and mask_share(one, mask) and shows(one, trigger)), None)
    first = groups[rank - 1] if rank else None
    others = sum(1 for one in findings if one.severity.label in ("high", "critical") and not mask_share(one, mask))
    return {
        "rank": rank,
        "named": named,
        "check": first.check if first else None,
        "value": str(dict_of(first).get("value"))[:80] if first else None,
        "others": others,
    }


def dict_of(finding: Finding | None) -> dict[str, Any]:
    """Give a finding's group: its kind and value."""
    group = finding.evidence.get("group") if finding else None
    return group if isinstance(group, dict) else {}


def mask_share(finding: Finding, mask: Mask) -> bool:
    """Say whether most of the rows that a finding shows are poisoned."""
    rows = finding.evidence.get("row_sample")
    return isinstance(rows, list) and bool(rows) and rank_of([rows], mask) == 1


def shows(finding: Finding, trigger: Trigger) -> bool:
    """Say whether a finding shows the trigger, or a good part of it: a run of its words, its characters or their numbers."""
    also = finding.evidence.get("also")
    shown = [str(value).lower() for value in [dict_of(finding).get("value"), *(also if isinstance(also, list) else [])]]
    return any(_part(text, value.lower().strip(" .,")) for text in shown for value in trigger.values)


def _part(shown: str, value: str) -> bool:
    if not value:
        return False
    numbers = [f"{ord(letter):04x}" for letter in value if not letter.isascii()]
    if numbers and any(number in shown for number in numbers):
        return True
    words = shown.split()
    return value in shown or (shown in value and (len(words) > 1 or len(shown) > 3 or shown in value.split()))
