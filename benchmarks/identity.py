"""What identity costs, and what is seen of tampering: ``python -m benchmarks.identity --date DAY``.

Times are CPU seconds of this process, medians of the rounds; ratios are taken in one run. Peers run in environments of their own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.place import REPOSITORY, work_folder
from toadstone.identity.blocks import Blocks, columns_of, fixed_blocks
from toadstone.identity.difference import Known, compare
from toadstone.identity.files import file_digests
from toadstone.identity.index import RowIndex, write_index
from toadstone.identity.table import identify, ordered, shape
from toadstone.tables.dataset import Dataset
from toadstone.tables.open import open_dataset

WORDS = np.array("alpha beta gamma delta epsilon zeta eta theta".split())


def clocked(action: Callable[[], object], rounds: int) -> float:
    """Measure CPU seconds: the median of the rounds."""
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        action()
        times.append(time.process_time() - begin)
    return median(times)


def made(rows: int, *, vector: bool = True) -> pa.Table:
    """Make a table of five columns: text, label, number, vector of 16 or a second number, source."""
    rng = np.random.default_rng(0)
    texts = pa.array([" ".join(WORDS[row]) for row in rng.integers(0, len(WORDS), (min(rows, 300_000), 8))])
    text = pa.chunked_array([texts.take(pa.array(rng.integers(0, len(texts), rows)))]) if rows > len(texts) else texts
    fourth = pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=rows * 16).astype(np.float32)), 16)
    return pa.table(
        {
            "text": text,
            "label": rng.integers(0, 4, rows),
            "number": rng.normal(size=rows),
            "vector" if vector else "second": fourth if vector else rng.normal(size=rows),
            "source": pa.array([f"host{number}.example" for number in range(37)]).take(pa.array(rng.integers(0, 37, rows))),
        }
    )


def hashing(rounds: int) -> list[tuple[str, str, str]]:
    """Rows a second of both tiers, of held batches, against a digest of every row as JSON."""
    table = made(300_000).combine_chunks()
    _, order = ordered(shape(table.schema))
    batches = table.to_batches(max_chunksize=65_536)

    def fast() -> None:
        blocks = Blocks(len(order))
        for batch in batches:
            list(fixed_blocks(columns_of(batch, order), batch.num_rows, blocks))

    def naive() -> None:
        for row in table.slice(0, 20_000).to_pylist():
            hashlib.sha256(json.dumps(row).encode()).digest()

    held = Dataset.of(table)
    quick, slow, plain = clocked(fast, rounds), clocked(lambda: identify(held), rounds), clocked(naive, rounds)
    return [
        (
            "blocks of fixed length, five columns",
            f"{0.3 / quick:.1f} M rows/s, {table.nbytes / quick / 1e9:.1f} GB/s",
            "5 M rows/s, 1 GB/s",
        ),
        ("with rows and blocks cut by content", f"{0.3 / slow:.2f} M rows/s", "0.6 M rows/s"),
        ("each row as JSON, SHA-256 (naive)", f"{0.02 / plain:.3f} M rows/s", ""),
    ]


def bytes_(rounds: int, folder: Path) -> list[tuple[str, str, str]]:
    """Both digests of a file against SHA-256 alone."""
    path = folder / "bytes.bin"
    path.write_bytes(np.random.default_rng(0).bytes(256 << 20))

    def alone() -> None:
        sha = hashlib.sha256()
        with path.open("rb", buffering=0) as stream:
            while block := stream.read(1 << 20):
                sha.update(block)

    pairs = [(clocked(lambda: file_digests(str(path)), 1), clocked(alone, 1)) for _ in range(rounds)]
    ratios = sorted(both / one for both, one in pairs)
    path.unlink()
    return [
        ("both digests of 256 MB against SHA-256 alone", f"{median(ratios):.2f}x [{ratios[0]:.2f}, {ratios[-1]:.2f}]", "1.4x")
    ]


def one_cell(rows: int, folder: Path) -> list[tuple[str, str, str]]:
    """One cell of many rows: the time to find and name it against one pass of verification."""
    path = folder / "rows.parquet"
    table = made(rows, vector=False)
    pq.write_table(table, path)
    begin = time.process_time()
    found = identify(open_dataset(str(path)))
    pinning = time.process_time() - begin
    index = write_index(
        folder / "rows.index", found.prefixes if found.prefixes is not None else np.zeros(0, np.uint64), bytes(32)
    )
    labels = table["label"].to_numpy().copy()
    wanted = rows * 7 // 9
    labels[wanted] += 1
    pq.write_table(table.set_column(1, "label", pa.array(labels)), path)
    dataset = open_dataset(str(path))
    begin = time.process_time()
    now = identify(dataset, rows=False)
    once = time.process_time() - begin
    begin = time.process_time()
    opened = RowIndex(folder / "rows.index")
    assert opened.digest() == index
    changes = compare(Known(found, opened.prefixes(), "label"), now, dataset)
    more = time.process_time() - begin
    told = [(change.kind, change.rows, change.columns) for change in changes]
    right = told == [("relabelled", (wanted,), ("label",))]
    size = (folder / "rows.index").stat().st_size / rows
    return [
        (
            f"one cell of {rows:,} rows",
            f"{'named' if right else 'NOT named'}, {(once + more) / once:.2f}x one pass ({once:.1f} s)",
            "2x",
        ),
        ("pinning the same, with rows", f"{pinning:.1f} s ({rows / pinning / 1e6:.2f} M rows/s with decoding)", ""),
        ("index", f"{size:.2f} bytes a row", "12"),
    ]


def insertion() -> list[tuple[str, str, str]]:
    """Four rows inserted in two places."""
    table = made(300_000)
    extra = table.slice(5, 2)
    longer = pa.concat_tables([table.slice(0, 100_000), extra, table.slice(100_000, 100_000), extra, table.slice(200_000)])
    before, after = identify(Dataset.of(table)), identify(Dataset.of(longer))
    old, new = ({cut.root for cut in found.cuts or ()} for found in (before, after))
    return [("4 rows inserted in 300,000: blocks changed", f"{len(new - old)} of {len(new)}", "4")]


def look_up(models: int, rows: int, sets: int, folder: Path) -> list[tuple[str, str, str]]:
    """Which of many models saw these 1,000 rows."""
    rng = np.random.default_rng(1)
    paths = []
    for number in range(sets):
        paths.append(folder / f"{number}.index")
        write_index(paths[-1], rng.integers(0, 1 << 63, rows).astype(np.uint64), bytes(32))
    trained = [paths[number % sets] for number in range(models)]
    opened = {path: RowIndex(path) for path in paths}
    queries = np.concatenate([opened[paths[0]].prefixes()[:500], rng.integers(0, 1 << 63, 500).astype(np.uint64)])

    def ask() -> int:
        seen = {path: opened[path].contains(queries) for path in set(trained)}
        return sum(bool(seen[path].any()) for path in trained)

    ask()
    begin = time.perf_counter()
    found = ask()
    took = (time.perf_counter() - begin) * 1000
    return [
        (
            f"which of {models:,} models on {sets} data sets of {rows:,} rows saw these 1,000 rows",
            f"{took:.1f} ms ({found} models)",
            "50 ms",
        )
    ]


def main(arguments: list[str] | None = None) -> int:
    """Measure and write the page; 0 when it is written."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identity", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--date", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "identity-scoreboard.md")
    options = parser.parse_args(arguments)
    from benchmarks.tampering import table as tampering  # noqa: PLC0415  (after the options are known to be good)

    with tempfile.TemporaryDirectory(dir=work_folder()) as held:
        folder = Path(held)
        lines = hashing(options.rounds) + bytes_(options.rounds, folder) + one_cell(options.rows, folder) + insertion()
        lines += look_up(1000, options.rows, 4, folder)
    page = [
        "# Identity: scoreboard",
        "",
        f"Measured on {options.date} by `python -m benchmarks.identity`: CPU seconds of one core, medians.",
        "",
        "| what | measured | bar |",
        "|---|---|---|",
        *(f"| {what} | {measured} | {bar} |" for what, measured, bar in lines),
        "",
        *tampering(),
    ]
    options.output.write_text("\n".join(page) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
