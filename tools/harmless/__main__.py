"""Collect the harmless uses of symbols from real models made by the real libraries.

    python -m tools.harmless --corpus .bench/benign

Reads the `tune` half of the benign corpus, takes every call that the judgement would report although no effect of it is
known, and writes symbol, use and argument shape to ``src/toadstone/symbols/harmless.tsv``. Uses with a known effect
are never taken from files: they stand in ``reviewed.toml``, each with its reason.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

from toadstone.core.blob import open_blob
from toadstone.core.budget import Budget
from toadstone.core.fact import Call, Moment
from toadstone.core.place import Place
from toadstone.core.value import Symbol
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk
from toadstone.symbols import effects_of, harmless
from toadstone.symbols.arguments import looks_of
from toadstone.symbols.judgement import judge_call

_HERE = Path(__file__).parent
_TABLE = Path("src/toadstone/symbols/harmless.tsv")
_MOST_SHAPES = 6
"""Symbols with more shapes than this take any arguments of the commonest number; their strings are still looked at."""
_CODE = frozenset({"python", "bytecode", "notebook", "jinja"})
_SETTING = frozenset({"BUILD", "APPENDS", "SETITEMS", "ADDITEMS"})


def files(corpus: Path) -> list[Path]:
    """List the files of the tune half of a corpus, without those that carry code."""
    manifest = json.loads((corpus / "manifest.json").read_text(encoding="utf-8"))
    found: list[Path] = []
    for entry in manifest["files"]:
        if entry["split"] == "tune" and entry["label"] == "benign":
            path = corpus / entry["path"]
            found.extend(sorted(inner for inner in path.rglob("*") if inner.is_file()) if path.is_dir() else [path])
    return found


def collect(paths: list[Path]) -> dict[tuple[str, str], Counter[str]]:
    """Count the shapes of every use that is reported without a known effect."""
    uses: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for path in paths:
        blob = open_blob(path)
        for fact in walk(Source(blob, path.name, Place(str(path)), Budget.of(blob.size))):
            if (
                not isinstance(fact, Call)
                or fact.when is not Moment.LOAD
                or fact.language in _CODE
                or not isinstance(fact.callee, Symbol)
            ):
                continue
            judged = judge_call(fact)
            if judged is None or judged.effects or not judged.symbol:
                continue
            if fact.how in _SETTING:
                uses[judged.symbol, fact.how]["any"] += 1
                continue
            proxied = judged.symbol != str(fact.callee)
            if not proxied and effects_of(fact.callee.module, fact.callee.name) is not None:
                continue
            args = fact.args[1:] if proxied else fact.args
            if looks_of([*args, *(value for _, value in fact.kwargs)]):
                continue  # arguments that look like a payload are never taken from a file
            how = "NEWOBJ" if proxied else fact.how
            uses[judged.symbol, how]["*" if proxied else harmless.shape(args, fact.kwargs)] += 1
        blob.close()
    return uses


def lines(uses: dict[tuple[str, str], Counter[str]]) -> list[str]:
    """Write the table's lines: reviewed uses first, then those of real models."""
    reviewed = tomllib.loads((_HERE / "reviewed.toml").read_text(encoding="utf-8"))
    found = {
        f"{entry['symbol']}\t{how}\t{shape}" for entry in reviewed["use"] for how in entry["how"] for shape in entry["shapes"]
    }
    for (symbol, how), shapes in uses.items():
        kept = list(shapes)
        if len(shapes) > _MOST_SHAPES:
            kept = ["*"]
        found.update(f"{symbol}\t{how}\t{shape}" for shape in kept)
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(description="Collect the harmless uses of symbols from real models.")
    parser.add_argument("--corpus", type=Path, default=Path(".bench/benign"))
    options = parser.parse_args()
    paths = files(options.corpus)
    before = _TABLE.read_text(encoding="utf-8")
    _TABLE.write_text("", encoding="utf-8")
    harmless._table.cache_clear()  # noqa: SLF001  (the table that is being made must not hide what belongs in it)
    try:
        table = lines(collect(paths))
    except BaseException:
        _TABLE.write_text(before, encoding="utf-8")
        raise
    head = [
        "# symbol, how it is used, shape of its arguments. Written by `python -m tools.harmless`;",
        "# reviewed uses: tools/harmless/reviewed.toml.",
    ]
    _TABLE.write_text("\n".join([*head, *table]) + "\n", encoding="utf-8")
    print(f"{len(table):,} uses")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
