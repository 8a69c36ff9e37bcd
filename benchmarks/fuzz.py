"""Hostile inputs over all readers: no crash, no hang, bounded memory.

Mutates real and booby-trapped files (those of the corpora that are small, and a few made here), reads each mutant through
the whole walker, and counts internal errors, inputs that take more than 2 seconds of CPU, and the memory of the worker.

    python -m benchmarks.fuzz --inputs 1000000 --workers 2

The run is repeatable: worker W of seed S makes the same mutants every time.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import time
from collections import Counter
from pathlib import Path

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.check import make_checks
from toadstone.core.fact import Unread
from toadstone.core.place import Place
from toadstone.readers.reader import Source, readers
from toadstone.readers.walk import walk

_LARGEST = 40_000
_SLOW = 2.0
_INTERESTING = (
    0,
    1,
    2,
    4,
    7,
    8,
    15,
    16,
    31,
    32,
    63,
    64,
    127,
    128,
    255,
    256,
    1023,
    4096,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**64 - 1,
)


def seeds(folder: Path) -> list[tuple[str, bytes]]:
    """Collect small files: at most 12 of each suffix and family, so that no format drowns the others."""
    found: list[tuple[str, bytes]] = [("empty.bin", b"")]
    counts: Counter[str] = Counter()
    parts = [part for name in ("benign", "malicious") for part in (folder / name).rglob("*")]
    for path in sorted(parts):
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= _LARGEST:
            family = f"{path.parent.name[:20]}{path.suffix}"
            counts[family] += 1
            if counts[family] <= 12:
                found.append((path.name, path.read_bytes()))
    return found


def mutate(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """Change a file a little: flip, overwrite with telling numbers, cut, repeat, splice with another file."""
    content = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        size = len(content)
        at = chance.randrange(size + 1)
        kind = chance.randrange(8)
        if kind == 0 and size:
            content[min(at, size - 1)] ^= 1 << chance.randrange(8)
        elif kind == 1 and size:
            content[min(at, size - 1)] = chance.randrange(256)
        elif kind == 2:
            width = chance.choice((1, 2, 4, 8))
            number = chance.choice(_INTERESTING) % (1 << (8 * width))
            content[at : at + width] = number.to_bytes(width, chance.choice(("little", "big")))
        elif kind == 3:
            del content[at : at + chance.randrange(1, 64)]
        elif kind == 4:
            content[at:at] = content[at : at + chance.randrange(1, 256)] * chance.choice((1, 2, 50))
        elif kind == 5:
            content = content[:at]
        elif kind == 6 and other:
            begin = chance.randrange(len(other))
            content[at:at] = other[begin : begin + chance.randrange(1, 512)]
        else:
            content[at:at] = chance.randbytes(chance.randrange(1, 32))
    return bytes(content[: 4 * _LARGEST])


def work(arguments: tuple[int, int, int, str]) -> dict[str, object]:
    """Read ``count`` mutants; give what went wrong."""
    worker, count, seed, folder = arguments
    chance = random.Random(f"{seed}-{worker}")
    pool = seeds(Path(folder))
    kinds = [reader.kind for reader in readers()]
    dispatch: dict[type, list[object]] = {}
    for check in make_checks({}):
        for fact_type in check.reads:
            dispatch.setdefault(fact_type, []).append(check)
    troubles: list[dict[str, object]] = []
    seen: Counter[str] = Counter()
    slowest = 0.0
    for number in range(count):
        name, data = chance.choice(pool)
        mutant = mutate(chance, data, chance.choice(pool)[1])
        hint = chance.choice(kinds) if chance.random() < 0.15 else ""
        began = time.process_time()
        source = Source(BytesBlob(mutant), name, Place(name), Budget.of(len(mutant)), hint=hint)
        for fact in walk(source):
            if isinstance(fact, Unread) and "internal error" in fact.reason:
                troubles.append(
                    {"worker": worker, "number": number, "name": name, "hint": hint, "reason": fact.reason, "data": mutant.hex()}
                )
            for check in dispatch.get(type(fact), ()):
                list(check.examine(fact))  # type: ignore[attr-defined]
        spent = time.process_time() - began
        slowest = max(slowest, spent)
        seen[source.notes.get("kind", "?")] += 1
        if spent > _SLOW:
            troubles.append(
                {
                    "worker": worker,
                    "number": number,
                    "name": name,
                    "hint": hint,
                    "reason": f"took {spent:.1f} s",
                    "data": mutant.hex(),
                }
            )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"count": count, "troubles": troubles, "slowest": slowest, "memory": memory, "kinds": dict(seen)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", default=".bench", help="folder with files to mutate")
    parser.add_argument("--output", default=".bench/fuzz.json")
    options = parser.parse_args()
    batch = 2_000
    jobs = [(number, batch, options.seed, options.seeds) for number in range(max(options.inputs // batch, 1))]
    troubles: list[object] = []
    kinds: Counter[str] = Counter()
    done, slowest, memory = 0, 0.0, 0
    with multiprocessing.get_context("fork").Pool(options.workers, maxtasksperchild=10) as pool:
        for result in pool.imap_unordered(work, jobs):
            done += int(str(result["count"]))
            slowest = max(slowest, float(str(result["slowest"])))
            memory = max(memory, int(str(result["memory"])))
            kinds.update(result["kinds"])  # type: ignore[arg-type]
            troubles += result["troubles"]  # type: ignore[operator]
            print(f"\r{done:,} inputs, {len(troubles)} troubles, slowest {slowest:.2f} s, {memory} MB", end="", flush=True)
    print()
    Path(options.output).parent.mkdir(parents=True, exist_ok=True)
    summary = {
        "inputs": done,
        "seed": options.seed,
        "slowest_seconds": round(slowest, 3),
        "memory_mb": memory,
        "kinds": dict(kinds.most_common()),
    }
    Path(options.output).write_text(json.dumps({**summary, "troubles": troubles}, indent=1), encoding="utf-8")
    return 1 if troubles else 0


if __name__ == "__main__":
    raise SystemExit(main())
