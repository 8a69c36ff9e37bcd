"""The page ``docs/data-scoreboard.md``: what was found, what was left, what it cost, next to the peers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks.data.kept import Kept, Record, spread

Cells = dict[tuple[str, str, str], list[Record]]

TITLE = """# What is found in poisoned data sets

Every figure is the mean over seeds with the smallest and the largest in parentheses; a seed draws the rows, the trigger,
its wording and its places anew. No data set here is blind: rules were tuned on `reviews` and `sotu`, and some were set
while looking at `spam` and `docstrings` too. Texts are cut at 2,000 characters. `benchmarks/README.md` says how to repeat
it; the attacks are in `toadstone.attacks`.
"""


ATTACKS = """## Attacks found

*First group*: place of the first reported group most of whose rows are poisoned, and in how many runs it was among the first
three. *Found at 1 %*: share of the poisoned rows above the score that 1 % of the other rows exceed. *Lift*: before and after
cleaning, of a linear SVM; *lost*: accuracy that is still lost after cleaning against a model that was never poisoned.
"""


def page(kept: Kept, code: str, peers: str) -> str:
    """Write the page.

    Args:
        kept: Outcomes of the product and its peers.
        code: Digest of the product: outcomes of other code are left out.
        peers: The same for the peers.
    """
    parts = [
        TITLE,
        ATTACKS,
        _attacks(_cells(kept, f"plain|{code}|standard|", 3), _peers(kept, peers)),
        "## Clean data\n\nSubsamples that nobody poisoned. *Beyond repeats*: rows whose text occurs once.\n",
        _clean(kept, code),
        "## Promised false-discovery rate\n\nWith 500 rows known to be good; asked for: 0.05.\n",
        _promised(_cells(kept, f"reference|{code}|standard|", 3)),
        "## Peers\n\nShare of poisoned rows found at 1 % false positives.\n",
        _peer_table(_peers(kept, peers)),
        "What the attacks do to models stands under [attacks](attacks.md).\n",
    ]
    return "\n".join(parts)


def _cells(kept: Kept, prefix: str, skip: int) -> Cells:
    """Group outcomes by attack, data set and rows."""
    cells: Cells = {}
    for key, record in kept.under(prefix):
        name, data, rows, _seed = key.split("|")[skip:]
        cells.setdefault((name, data, rows), []).append(record)
    return cells


def _peers(kept: Kept, code: str) -> dict[tuple[str, str, str], dict[str, list[Record]]]:
    """Give the outcomes of every detector of every peer, by attack, data set and rows."""
    found: dict[tuple[str, str, str], dict[str, list[Record]]] = {}
    for cell, records in _cells(kept, f"peers|{code}|", 3).items():
        for record in records:
            for name, said in record["detectors"].items():
                found.setdefault(cell, {}).setdefault(name, []).append(said)
    return found


def _best(detectors: dict[str, list[Record]]) -> tuple[str, float] | None:
    """Give the detector with the highest mean, and the mean."""
    means = {name: float(np.mean([one["found_at_1"] for one in said])) for name, said in detectors.items()}
    return max(means.items(), key=lambda item: item[1]) if means else None


def _attacks(cells: Cells, peers: dict[tuple[str, str, str], dict[str, list[Record]]]) -> str:
    heads = ["attack", "data", "rows", "runs", "first group", "in first 3", "recall", "wrongly flagged", "found at 1 %"]
    heads += ["best peer at 1 %", "lift before", "lift after", "lost"]
    rows = []
    for cell, records in sorted(cells.items()):
        best = _best(peers.get(cell, {}))
        first = sum(1 for one in records if one["rank"] is not None and one["rank"] <= 3)
        rows.append(
            [
                *_place(cell),
                str(len(records)),
                spread(_of(records, "rank"), 0) + ("" if all(one["rank"] for one in records) else ", not always"),
                f"{first}/{len(records)}",
                spread(_of(records, "recall")),
                spread(_of(records, "false_positives"), 4),
                spread(_of(records, "found_at_1")),
                f"{best[1]:.2f} {best[0]}" if best else "n/a",
                spread(_of(records, "lift_before")),
                spread(_of(records, "lift_after")),
                spread(_of(records, "lost_after"), 3),
            ]
        )
    return _table(heads, rows)


def _clean(kept: Kept, code: str) -> str:
    rows = []
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for key, record in kept.under(f"clean|{code}|"):
        effort, data, size, _seed = key.split("|")[2:]
        groups.setdefault((effort, data, size), []).append(record)
        groups.setdefault((effort, "all", size), []).append(record)
    for (effort, data, size), records in sorted(groups.items()):
        loud = [record for record in records if record["high"]]
        names = sorted({name for record in loud for name in record["checks"]})
        rows.append(
            [
                data,
                f"{int(size):,}",
                effort,
                str(len(records)),
                f"{len(loud)} ({len(loud) / len(records):.1%}) {', '.join(names)}".strip(),
                spread(_of(records, "flagged"), 4),
                spread(_of(records, "flagged_singles"), 4),
                spread(_of(records, "cpu"), 1),
            ]
        )
    heads = ["data", "rows", "effort", "samples", "with a finding at `high`", "quarantined", "beyond repeats", "CPU seconds"]
    return _table(heads, rows)


def _promised(cells: Cells) -> str:
    rows = []
    everything: list[float] = []
    for cell, records in sorted(cells.items()):
        rates = [float(one["false_discoveries"]) for one in records]
        everything += rates
        rows.append([*_place(cell), str(len(records)), spread(list(rates)), spread(_of(records, "recall"))])
    if everything:
        error = float(np.std(everything) / np.sqrt(len(everything)))
        mean = f"**{np.mean(everything):.3f}** ± {2 * error:.3f} (two standard errors)"
        rows.append(["all", "", "", str(len(everything)), mean, ""])
    return _table(["attack", "data", "rows", "runs", "false discoveries among flagged", "recall"], rows)


def _peer_table(peers: dict[tuple[str, str, str], dict[str, list[Record]]]) -> str:
    names = sorted({name for detectors in peers.values() for name in detectors})
    rows = []
    for cell, detectors in sorted(peers.items()):
        said = [spread(_of(detectors.get(name, []), "found_at_1")) for name in names]
        ranks = _of(detectors.get("n-gram z", []), "rank")
        rows.append([*_place(cell), *said, spread(ranks, 0)])
    return _table(["attack", "data", "rows", *names, "n-gram z: place of the first poisoned n-gram"], rows)


def _place(cell: tuple[str, str, str]) -> list[str]:
    return [cell[0], cell[1], f"{int(cell[2]):,}"]


def _of(records: Iterable[Record], name: str) -> list[float | None]:
    values: list[Any] = [record.get(name) for record in records]
    return [None if value is None else float(value) for value in values]


def _table(heads: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return "Not measured yet.\n"
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"
