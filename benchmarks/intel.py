"""Measures the extractor of indicators, the lists and the owner tables.

    python -m benchmarks.intel speed                        # 30 MB of text against a million indicators
    python -m benchmarks.intel owners                       # addresses of three continents, IPv4 and IPv6
    python -m benchmarks.intel false FOLDER...              # false indicators in benign texts, vocabularies, tensors

The folders of ``false`` hold benign material; without any, the standard library and what is installed are read. A find counts as
right when the same host is written beyond doubt elsewhere in the material (in a URL or an e-mail address), or when it was
reviewed by hand (``benchmarks/intel_reviewed.txt``); everything else is listed as false.
"""

from __future__ import annotations

import collections
import datetime as dt
import os
import random
import re
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from toadstone.intel.importing import import_file
from toadstone.intel.knowledge import Intelligence
from toadstone.intel.owners import owner
from toadstone.intel.spotting import Spotted, spot, spot_bytes
from toadstone.intel.store import ListBuilder

_OWNERS = (
    ("210.117.212.93", 1237, "KR", "Asia, JFrog 2024-02"),
    ("136.243.156.120", 24940, "DE", "Europe, JFrog 2024-02"),
    ("107.173.7.141", 36352, "US", "North America, ReversingLabs 2025-02"),
    ("8.8.8.8", 15169, "US", "North America"),
    ("200.160.2.3", 22548, "BR", "South America"),
    ("193.0.6.139", 3333, "NL", "Europe"),
    ("202.12.29.175", 4608, "AU", "Oceania"),
    ("196.216.2.1", 33764, "ZA", "Africa"),
    ("2001:4860:4860::8888", 15169, "US", "North America, IPv6"),
    ("2001:67c:2e8:22::c100:68b", 3333, "NL", "Europe, IPv6"),
    ("2001:200:dff:fff1:216:3eff:feb1:44d7", 2500, "JP", "Asia, IPv6"),
    ("2001:12ff:0:2::3", 22548, "BR", "South America, IPv6"),
)
_REVIEWED = Path(__file__).with_name("intel_reviewed.txt")
_SUFFIXES = tuple(".py .pyi .md .rst .txt .json .toml .cfg .yaml .yml .html METADATA README RECORD".split())


def main(words: list[str]) -> int:
    if words[:1] == ["speed"]:
        return speed()
    if words[:1] == ["speed-child"]:
        return _load_and_spot(Path(words[1]), Path(words[2]))
    if words[:1] == ["owners"]:
        return owners()
    if words[:1] == ["false"]:
        return false(words[1:])
    print(__doc__)
    return 2


def speed() -> int:
    """Import a million indicators; then, in a fresh process, load them and look 30 MB of text through."""
    generator = random.Random(20261123)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain, text = folder / "million.txt", folder / "text.log"
        with plain.open("w") as stream:
            for number in range(600_000):
                ending = generator.choice(("com", "ru", "top", "net", "xyz", "example"))
                stream.write(f"h{number}-{generator.choice('abcdef') * 5}.{ending}\n")
            for _ in range(300_000):
                stream.write(".".join(str(generator.randint(11, 223)) for _ in range(4)) + "\n")
            for _ in range(100_000):
                stream.write(f"{generator.getrandbits(256):064x}\n")
        began = time.process_time()
        builder = ListBuilder("million", dt.date(2026, 11, 23))
        import_file(plain, builder)
        builder.write(folder / "lists")
        print(f"import: {len(builder):,} indicators, {time.process_time() - began:.1f} cpu-s, {_peak():.0f} MB")
        text.write_text("".join(_log(generator, 30_000_000)))
        command = [sys.executable, "-m", "benchmarks.intel", "speed-child", folder / "lists", text]
        return subprocess.run(command, check=False).returncode


def _load_and_spot(lists: Path, text: Path) -> int:
    base = _peak()
    began = time.process_time()
    intelligence = Intelligence(lists)
    entries = sum(len(found) for found in intelligence.lists)
    intelligence.known("x.example")
    loaded = time.process_time() - began
    memory = _peak() - base
    content = text.read_text()
    began = time.process_time()
    found = hits = 0
    for spotted in spot(content, intelligence.known):
        found += 1
        hits += bool(intelligence.matches(spotted.type, spotted.value, spotted.host))
    took = time.process_time() - began
    print(f"load: {entries:,} indicators, {loaded:.3f} cpu-s, {memory:.0f} MB")
    print(f"text: {len(content) / 1e6:.1f} MB, {found:,} indicators, {hits:,} hits, {len(content) / 1e6 / took:.1f} MB/cpu-s")
    return 0


def _log(generator: random.Random, size: int) -> Iterator[str]:
    """Yield lines as logs and data rows have them; one in a hundred names something of the list."""
    written = 0
    while written < size:
        draw = generator.random()
        if draw < 0.3:
            line = (
                f"2026-11-{generator.randint(1, 28):02d}T12:{generator.randint(0, 59):02d}:01.{generator.randint(0, 999):03d}Z "
                f"INFO com.acme.svc.Handler - GET /v1/models/{generator.randint(0, 9999)} from 10.{generator.randint(0, 255)}.3."
                f"{generator.randint(0, 255)} 200 {generator.random():.4f}s\n"
            )
        elif draw < 0.55:
            words = "It was a bright cold day in April, and the clocks were striking. He read on."
            line = f'{{"text": "{words}", "label": {written % 9}}}\n'
        elif draw < 0.64:
            host = f"host{generator.randint(0, 999)}.example.com"
            line = f'{{"url": "https://{host}/a/b?c={written}", "user": "u{written % 999}@mail.example"}}\n'
        elif draw < 0.65:
            line = f"connect to h{generator.randint(0, 599_999)}-{generator.choice('abcdef') * 5}.com:443 failed\n"
        else:
            numbers = ", ".join(f"{generator.random():.6f}" for _ in range(12))
            line = f'{{"id": {generator.randint(0, 10**9)}, "embedding": [{numbers}]}}\n'
        written += len(line)
        yield line


def owners() -> int:
    """Look known addresses up; every answer has to be right."""
    began = time.process_time()
    owner("192.0.2.1")
    owner("2001:db8::1")
    print(f"load: {time.process_time() - began:.2f} cpu-s, {_peak():.0f} MB in all")
    wrong = 0
    for address, asn, country, where in _OWNERS:
        found = owner(address)
        right = found is not None and (found.asn, found.country) == (asn, country)
        wrong += not right
        print(f"{'ok   ' if right else 'WRONG'} {address:<40} {where:<40} {found}")
    began = time.process_time()
    for number in range(20_000):
        owner(f"93.184.{number % 256}.34")
    print(f"look-up: {(time.process_time() - began) / 20_000 * 1e6:.1f} cpu-µs; wrong: {wrong}")
    return 1 if wrong else 0


def false(folders: list[str]) -> int:
    """Count false indicators."""
    roots = [Path(name) for name in folders] or [Path(sysconfig.get_paths()["stdlib"]), Path(sysconfig.get_paths()["purelib"])]
    beyond_doubt: set[str] = set(_REVIEWED.read_text(encoding="utf-8").split()) if _REVIEWED.exists() else set()
    doubtful: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
    counts: collections.Counter[str] = collections.Counter()
    texts = size = 0
    for name, content in _texts(roots):
        texts += 1
        size += len(content)
        for spotted in spot(content):
            counts[spotted.type] += 1
            if spotted.type in ("url", "email"):
                beyond_doubt.update((spotted.host, spotted.host.removeprefix("www.")))
            if spotted.type in ("ipv4", "ipv6", "domain", "md5", "sha1", "sha256", "wallet"):
                doubtful[spotted.type, spotted.value].append(_around(content, spotted, name))
    tensors, chance = _tensors()
    print(f"{texts:,} texts, {size / 1e6:.0f} MB: {dict(counts)}")
    print(f"{tensors} tensors of a megabyte: {len(chance)} indicators")
    registered = {_registered(host) for host in beyond_doubt}
    left = {
        (kind, value): places
        for (kind, value), places in doubtful.items()
        if value not in beyond_doubt and not (kind == "domain" and _registered(value) in registered)
    }
    for (kind, value), places in sorted(left.items()):
        print(f"{kind}\t{value}\t{len(places)}\t{places[0]}")
    print(f"{len(doubtful):,} different bare values, {len(left):,} not corroborated")
    return 1 if left or chance else 0


def _registered(host: str) -> str:
    """Give about what is registered of a name: two labels, or three below a country's ``co``, ``com`` and the like."""
    labels = host.split(".")
    return ".".join(labels[-3:] if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else labels[-2:])


def _around(content: str, spotted: Spotted, name: str) -> str:
    around = content[max(0, spotted.start - 40) : spotted.end + 20]
    return re.sub(r"\s+", " ", around) + f"   <{name[-40:]}>"


def _texts(roots: list[Path]) -> Iterator[tuple[str, str]]:
    for root in roots:
        for folder, names, files in os.walk(root):
            names.sort()
            for name in sorted(files):
                path = Path(folder, name)
                if name.endswith(_SUFFIXES) or "." not in name or root.name == "spam":
                    try:
                        yield str(path), path.read_bytes()[:1_000_000].decode("utf-8", "replace")
                    except OSError:
                        continue


def _tensors() -> tuple[int, list[Spotted]]:
    """Look through random numbers of the kinds that models store."""
    generator = random.Random(7)
    found: list[Spotted] = []
    made = 0
    import array  # noqa: PLC0415
    import struct  # noqa: PLC0415

    for round_ in range(24):
        floats = array.array("f", (generator.gauss(0, 0.02) for _ in range(1 << 18))).tobytes()
        half = b"".join(floats[index + 2 : index + 4] for index in range(0, len(floats), 4))  # bfloat16: the upper half
        halves = struct.pack(f"<{1 << 16}e", *(generator.gauss(0, 0.5) for _ in range(1 << 16))) * 2
        whole = bytes(generator.getrandbits(8) for _ in range(1 << 18)) if round_ % 4 == 0 else generator.randbytes(1 << 20)
        small = bytes(min(255, max(0, int(generator.gauss(100, 12)))) for _ in range(1 << 18))
        for data in (floats, half, halves, whole, small):
            made += 1
            found += spot_bytes(data)
    return made, found


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
