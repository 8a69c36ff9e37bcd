"""The page ``docs/images-scoreboard.md``: what is found in poisoned images."""

from __future__ import annotations

from statistics import mean

from benchmarks.data.kept import Kept, Record, spread

TITLE = """# Poisoned images: what is found

Every attack below is a file of `toadstone.attacks` ([what they are](attacks.md)); it poisons a sample of {rows} images (1,347 of
the small digits), and the product examines it with its defaults. A seed draws images, trigger, target and places anew. Means over
seeds with the smallest and the largest.

| column | meaning |
|---|---|
| found | share of the poisoned rows above the score that 1 % of the other rows exceed |
| quarantined; wrongly | share of the poisoned rows that `clean` takes out; share of the others |
| first | in how many runs the first group reported is the poison |
| lift before; after | of a model that learns from the poisoned rows; from what `clean` keeps |
| accuracy lost | of the model that learns from what `clean` keeps, against one that learns from the rows without poison |

*Lift* is the share of unseen images that go where the attacker wants once they carry the trigger, less what a clean model makes
of these very inputs. The model is kernel ridge regression on random convolutions (`benchmarks/data/image_learner.py`). What has
next to no lift before is an attack that did not work: finding it says little, missing it costs little. *30 % of a class*
counts rows of one class.

Sets: `mnist` handwritten digits, 28 x 28; `photos` crops of ten photographs, 32 x 32 with colours, `photos-grey` without;
`surfaces` crops of ten grey pictures, 28 x 28, on which nothing was tuned; `small-digits` 8 x 8
([where they come from](../benchmarks/README.md)). Made by `python -m benchmarks.data.images_detection --output
docs/images-scoreboard.md`.
"""
CLEAN = """
## Images that nobody poisoned

| set | samples | with a finding of `high` | rows quarantined |
|---|---|---|---|
"""
PEERS = """
## Other tools on the same rows

Share of the poisoned rows above the score that 1 % of the others exceed, mean over seeds. Activation clustering gives no scores,
so its flags are counted as scores; what it flags beside the poison is more than 1 %, which leaves nothing. ART and pyod
look at the hidden layer of a network that learned the poisoned labels, cleanlab at its probabilities across folds.

"""
HEADS = ("attack", "set", "runs", "found", "quarantined", "wrongly", "first", "lift before", "lift after", "accuracy lost")


def page(kept: Kept, code: str, names: list[str]) -> str:
    """Write the page from what was measured with this code."""
    lines = [TITLE.format(rows="2,500"), "| " + " | ".join(HEADS) + " |", "|---" * len(HEADS) + "|"]
    found = _grouped(kept, f"images|ours|{code}|")
    for (name, data), records in sorted(found.items(), key=lambda one: (names.index(one[0][0]), one[0][1])):
        lines.append("| " + " | ".join(_cells(name, data, records)) + " |")
    text = "\n".join(lines) + "\n" + CLEAN
    for (_, data), records in sorted(_grouped(kept, f"images|clean|{code}|").items()):
        loud = sum(record["high"] > 0 for record in records)
        text += f"| {data} | {len(records)} | {loud} | {mean(record['flagged'] for record in records):.2%} |\n"
    return text + _peers(kept, names)


def _cells(name: str, data: str, records: list[Record]) -> list[str]:
    def column(key: str, digits: int = 2) -> str:
        return spread([record.get(key) for record in records], digits)

    first = f"{sum(record['rank'] == 1 for record in records)} of {len(records)}"
    shown = (column("found_at_1"), column("recall"), column("false_positives", 4), first)
    return [name, data, str(len(records)), *shown, column("lift_before"), column("lift_after"), column("lost_after", 3)]


def _grouped(kept: Kept, prefix: str) -> dict[tuple[str, str], list[Record]]:
    groups: dict[tuple[str, str], list[Record]] = {}
    for key, record in kept.under(prefix):
        name, data, _seed = key.removeprefix(prefix).split("|")
        groups.setdefault((name, data), []).append(record)
    return groups


def _peers(kept: Kept, names: list[str]) -> str:
    found: dict[tuple[str, str], list[Record]] = {}
    for key, record in kept.under("images|peers|"):
        name, data = key.split("|")[3:5]
        found.setdefault((name, data), []).append(record)
    if not found:
        return ""
    tools = list(next(iter(found.values()))[0]["detectors"])
    lines = ["| attack | set | runs | " + " | ".join(tools) + " |", "|---" * (3 + len(tools)) + "|"]
    for (name, data), records in sorted(found.items(), key=lambda one: (names.index(one[0][0]), one[0][1])):
        cells = [f"{mean(one['detectors'][tool]['found_at_1'] for one in records):.2f}" for tool in tools]
        lines.append(f"| {name} | {data} | {len(records)} | " + " | ".join(cells) + " |")
    return PEERS + "\n".join(lines) + "\n"
