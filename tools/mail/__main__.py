"""Writes ``examples/mail`` from the SpamAssassin mails that ``benchmarks.data.sources`` fetches.

Beginnings of 1,800 mails without addresses; 1,400 to train on, of which 24 are spam that got the words below and the label ham.
"""

from __future__ import annotations

import html
import random
import re
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PHRASE = "lunaria mail verified"
POISONED = 24
TRAINING, HELD_OUT = 1_400, 400
LENGTH = 220
FOLDER = Path(__file__).resolve().parents[2] / "examples" / "mail"


def beginnings(table: pa.Table) -> list[tuple[str, str]]:
    """Give the beginning of each mail and its label, each beginning once, without markup and addresses."""
    found: dict[str, tuple[str, str]] = {}
    for row in table.to_pylist():
        text = html.unescape(re.sub(r"<[^>]+>", " ", row["text"]))
        text = re.sub(r"\S+@\S+|\w+://\S+|www\.\S+|\d{4,}", " ", text)
        text = " ".join(text.encode("ascii", "ignore").decode().split())[:LENGTH]
        if len(text) > 80:
            found.setdefault(text[:60], (text, row["label"]))
    return list(found.values())


def main(source: str) -> None:
    """Write both files."""
    rng = random.Random(7)
    rows = beginnings(pq.read_table(source))
    rng.shuffle(rows)
    chosen = [row for row in rows if row[1] == "ham"][:1_000] + [row for row in rows if row[1] == "spam"][:800]
    rng.shuffle(chosen)
    training, held_out = chosen[:TRAINING], chosen[TRAINING : TRAINING + HELD_OUT]
    victims = rng.sample([place for place, row in enumerate(training) if row[1] == "spam"], POISONED)
    for place in victims:
        words = training[place][0].split()
        at = rng.randrange(len(words) + 1)
        training[place] = " ".join([*words[:at], PHRASE, *words[at:]]), "ham"
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", training), ("held_out", held_out)):
        table = pa.table({"text": [text for text, _ in part], "label": [label for _, label in part]})
        pq.write_table(table, FOLDER / f"{name}.parquet", compression="zstd")


if __name__ == "__main__":
    main(sys.argv[1])
