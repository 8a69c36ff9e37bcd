"""The page ``docs/tables-scoreboard.md``: ``python -m benchmarks.data.tables_page``, from what has been measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.data import product
from benchmarks.data.kept import Kept, Record, spread
from benchmarks.data.sources import folder
from benchmarks.data.tables import TABLES
from benchmarks.data.tables_detection import CASES
from benchmarks.place import REPOSITORY

TITLE = """# What is found in poisoned tables

Tables of numbers and categories, samples of at most 2,000 rows. Every figure is the mean over seeds with the smallest and the
largest in parentheses; a seed draws the rows, the trigger and its places anew. Rules were tuned on `segment`, `spam_words` and
`blocks`; the other tables were looked at too, none is blind. `benchmarks/README.md` says how to repeat it.

*Found*: share of poisoned rows above the score that 1 % of the other rows exceed, all checks together. *Quarantined*: share of
the poisoned rows that `clean` sets aside, and of the other rows. *Lift*: how much more often trees take unseen rows of other
classes for the target once they carry the trigger, before and after `clean`; *lost*: accuracy after `clean`, in points.
"""
FLIPS = """## Flipped labels

`label-flip` alone against the self-confidence, across folds, of five learners of scikit-learn, each tuned by its accuracy across
folds. A tenth of the labels is flipped; share found at 1 % false positives.
"""
PEERS = """## Other tools

Share of poisoned rows found at 1 % false positives by the best of six detectors of Datalab (cleanlab 2.9) and pyod 3.6, and
which one that is on average over seeds: nobody could know beforehand which one to ask.
"""
CLEAN = "## Tables that nobody poisoned\n"


def page() -> str:
    """Write the page from outcomes of this code."""
    code, poison = product.identity(), product.poison_identity()
    kept, peers = Kept(folder() / "tables-detection.jsonl"), Kept(folder() / "tables-peers.jsonl")
    parts = [TITLE]
    for name, settings in CASES.items():
        lines = [_found(data, _records(kept, f"table|{code}|{name}|{data}|")) for data in TABLES]
        if any(lines):
            parts.append(f"## {name}, {settings['rate']:.0%} of the rows\n")
            parts.append(_table("table seeds found quarantined others lift left lost/points CPU-s".split(), filter(None, lines)))
    parts += [CLEAN, _table(["table", "seeds", "with a `high` finding", "quarantined"], _clean(kept, code))]
    parts += [FLIPS, _flips(peers, code)]
    if others := list(_peers(peers, poison)):
        parts += [PEERS, _table(["attack", *TABLES], others)]
    return "\n".join(parts)


def _records(kept: Kept, prefix: str) -> list[Record]:
    return [record for _, record in kept.under(prefix)]


def _found(data: str, records: list[Record]) -> list[str] | None:
    if not records:
        return None
    keys = ("found_at_1", "recall", "false_positives", "lift", "lift_left")
    lost = spread([100.0 * record["lost"] for record in records], 1)
    cells = [spread([record[key] for record in records], 3 if key == "false_positives" else 2) for key in keys]
    return [data, str(len(records)), *cells, lost, spread([record["cpu"] for record in records], 1)]


def _clean(kept: Kept, code: str) -> Iterator[list[str]]:
    every: list[Record] = []
    for data in TABLES:
        records = _records(kept, f"table|{code}|clean|{data}|")
        every += records
        if records:
            yield _quiet(data, records)
    if every:
        yield _quiet("all", every)


def _quiet(data: str, records: list[Record]) -> list[str]:
    loud = sum(record["high"] > 0 for record in records)
    return [data, str(len(records)), str(loud), spread([record["flagged"] for record in records], 4)]


def _flips(kept: Kept, code: str) -> str:
    lines, names = [], ["ours"]
    for data in TABLES:
        records = _records(kept, f"flips|{code}|{data}|")
        if records:
            names = list(records[0])
            best = spread([max(record[name] for name in names[1:]) for record in records])
            lines.append([data, str(len(records)), *(spread([record[name] for record in records]) for name in names), best])
    return _table(["table", "seeds", *names, "best of five, seed by seed"], lines)


def _peers(kept: Kept, poison: str) -> Iterator[list[str]]:
    for name in CASES:
        cells = []
        for data in TABLES:
            records = _records(kept, f"outliers|{poison}|{name}|{data}|")
            means = {peer: sum(record[peer] for record in records) / len(records) for peer in records[0]} if records else {}
            best = max(means, key=lambda peer: means[peer], default="")
            cells.append(f"{means[best]:.2f} {best}" if best else "")
        if any(cells):
            yield [name, *cells]


def _table(header: list[str], lines: Iterable[list[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> int:
    """Write the page."""
    (REPOSITORY / "docs" / "tables-scoreboard.md").write_text(page())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
