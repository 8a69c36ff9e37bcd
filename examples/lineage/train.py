"""Trains a small filter: how often each word stands in each class, as JSON. ``train.py DATA MODEL [BASE]``."""

import json
import sys
from collections import Counter

import pyarrow.parquet as pq

data, model, *base = sys.argv[1:]
counts: dict[str, Counter[str]] = {}
if base:
    with open(base[0], encoding="utf-8") as stream:
        counts = {label: Counter(words) for label, words in json.load(stream)["counts"].items()}
table = pq.read_table(data)
for text, label in zip(table["text"].to_pylist(), table["label"].to_pylist()):
    counts.setdefault(label, Counter()).update(set(text.lower().split()))
with open(model, "w", encoding="utf-8") as stream:
    json.dump({"counts": counts}, stream, sort_keys=True)
print(f"{table.num_rows} rows, {len(counts)} classes -> {model}")
