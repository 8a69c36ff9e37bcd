"""Writes docs/ledger-scoreboard.md of what was measured."""
# ruff: noqa: E501  (sentences of the page)

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

_INTRODUCTION = """# The ledger, measured

`python -m benchmarks.ledger` writes this page ([what is measured](../benchmarks/README.md)). Records are those of scans, about
{bytes:.0f} bytes each once signed; every one is signed on its own. The times are of a machine that did other work at the same
time (its load is given): compare within a table, and take the processor seconds for what the work itself costs.
"""


def page(known: dict[str, Any]) -> str:
    """Give the page."""
    speed, machine = known.get("speed"), known["machine"]
    size = speed["floors"]["bytes"] if speed else 900
    lines = [_INTRODUCTION.format(bytes=size)]
    lines.append(f"CPython {machine['python']}, SQLite {machine['sqlite']}, {machine['cores']} cores.\n")
    for name, write in (("speed", _speed), ("proofs", _proofs)):
        if name in known:
            lines += [*write(known[name]), ""]
    lines += _faults({**known.get("kills", {}), **known.get("crashes", {})})
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _spread(values: Sequence[float]) -> str:
    middle = statistics.median(values)
    return f"{middle:,.0f}" if len(values) == 1 else f"{middle:,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def _speed(found: dict[str, Any]) -> Iterator[str]:
    yield f"## Appending and checking (load {found['load']:.0f})\n"
    bars = {("SQLite", "durable"): "150", ("SQLite", "batched"): "10,000", ("PostgreSQL", "batched"): "8,000"}
    names = {
        "durable": "appended one by one, each on the disk before the next",
        "batched": "appended a thousand at a time",
        "check": "checked: signature, tree, checkpoint, index",
    }
    rows = []
    for base, rounds in found["rounds"].items():
        for key, label in names.items():
            per_second = [one[key]["per_second"] for one in rounds]
            per_cpu = statistics.median(one[key]["per_cpu_second"] for one in rounds)
            rows.append((base, label, _spread(per_second), f"{per_cpu:,.0f}", bars.get((base, key), "")))
    yield from _table(("kept in", "records", "a second (spread of rounds)", "a processor second", "bar"), rows)
    floors = found["floors"]
    durable = statistics.median(one["durable"]["per_second"] for one in found["rounds"]["SQLite"])
    batched = statistics.median(one["batched"]["per_cpu_second"] for one in found["rounds"]["SQLite"])
    yield (
        f"\nIn the same run, SQLite alone forced {floors['forced']['per_second']:,.0f} rows of as many bytes to the disk a second "
        f"(a ledger takes {floors['forced']['per_second'] / durable:.2f} times as long for a record), and the key alone signed "
        f"{floors['signed']['per_cpu_second']:,.0f} times a processor second (a batched record takes "
        f"{floors['signed']['per_cpu_second'] / batched:.1f} times as long)."
    )


def _proofs(found: dict[str, Any]) -> Iterator[str]:
    yield f"## Proofs at {found['entries']:,} records (load {found['load']:.0f})\n"
    rows = []
    for base in ("SQLite", "PostgreSQL"):
        if base in found:
            one = found[base]
            times = (
                f"{one['median']:.2f} ms",
                f"{one['p95']:.2f} ms",
                f"{one['cpu']:.2f} ms",
                f"{one['growth']:.2f} ms",
                f"{one['first']:.1f} ms",
            )
            rows.append((base, *times, str(one["hashes"])))
    head = ("kept in", "inclusion, median", "95th percentile", "processor", "growth, median", "open and first proof", "hashes")
    yield from _table(head, rows)
    yield (
        f"\nBar: 1 ms, 24 hashes. {found['SQLite']['count']:,} proofs, each of another record far from the last, so that tiles of "
        f"the lowest level are read anew. A record takes {found['SQLite']['bytes']:,.0f} bytes of the SQLite file, index and tree included."
    )
    if other := found.get("pymerkle"):
        agrees = "the same root" if other["agrees"] else "ANOTHER ROOT"
        yield (
            f"\npymerkle 7, in an environment of its own, has {agrees} over the first {other['size']:,} records; a proof takes it "
            f"{other['proof_ms']:.2f} ms with its tree in memory. Here the same proofs, among all records and from the file, take {other['ours']:.2f} ms."
        )


def _faults(found: dict[str, Any]) -> Iterator[str]:
    yield "## Faults\n"
    yield (
        "Two processes append batches of one to nine records; both are killed (SIGKILL) at random moments within 0.2 s of their first "
        "word; two others go on. Acknowledged is what a process had said was recorded; lost, what of it is not there in the end; torn, "
        "batches that are there in part.\n"
    )
    rows = []
    for name, one in found.items():
        if isinstance(one, dict):
            label = f"full disk ({_WAYS[one['way']]})" if "way" in one else f"{name}: processes killed"
            problems = "holds" if not one["problems"] else f"{len(one['problems'])} problems"
            numbers = (one["kills"], one["acknowledged"], one["size"], one["lost"], one["torn"])
            rows.append((label, *(f"{number:,}" for number in numbers), problems))
    yield from _table(("fault", "kills", "acknowledged", "there", "lost", "torn", "`check`"), rows)
    yield (
        "\nTampering with the database is part of the tests (`tests/ledger/test_check.py`): changed, moved, removed and added records, "
        "hashes, tiles, checkpoints, names, triggers; truncated files, zeroed pages, flipped bits anywhere in a file; shortened and "
        "rewritten histories against what was kept elsewhere. Each is reported with its place, in SQLite and in PostgreSQL alike."
    )


_WAYS = {"tmpfs": "a file system of 1 MiB", "limit": "a limit of 1 MiB on files"}
