"""Hidden addresses: how many each tool finds, and how often it sees one where there is none.

::

    python -m benchmarks.forensics                        made cases, found and missed, by host and by number of stages
    python -m benchmarks.forensics --peers 20             the same for the peers that are installed, on 20 cases of each host
    python -m benchmarks.forensics --benign [FOLDER ...]  findings on texts and files that hide nothing

A case counts as found when a finding's ``indicators`` hold the address in its canonical form; for a peer, when its output holds
the address anywhere, in any form that names the host.
"""

from __future__ import annotations

import argparse
import ast
import base64
import json
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.hidden.hosts import HOSTS, Hidden, cases
from benchmarks.measure import Limits, run
from benchmarks.peers import TARGET, TOADSTONE, named
from toadstone.core.blob import BytesBlob
from toadstone.core.finding import Severity
from toadstone.core.policy import Config, Policy
from toadstone.intel.spotting import spot
from toadstone.verbs.scan import Scanner, scan

_TEXTS = 10_000
_LONGEST = 4000


def _written(case: Hidden, folder: Path) -> Path:
    target = folder / case.name
    target.mkdir()
    for name, content in case.files.items():
        (target / name).write_bytes(content)
    return target


def found_by_toadstone(case: Hidden, target: Path) -> bool:
    """Whether a finding's indicators hold the address."""
    report = scan(target)
    wanted = {(one.type, one.value) for one in spot(case.address)}
    return bool(wanted & {(one.type, one.value) for finding in report.findings for one in finding.indicators})


def own(count: int, seed: int) -> int:
    """Measure ourselves; print a table; give the number of missed cases."""
    total: Counter[tuple[str, int]] = Counter()
    found: Counter[tuple[str, int]] = Counter()
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(count, seed):
            key = (case.host, max(len(case.encodings), 1))
            total[key] += 1
            if found_by_toadstone(case, _written(case, Path(folder))):
                found[key] += 1
            else:
                print(f"missed: {case.name} {' '.join(case.encodings) or 'built'} {case.address}")
    print(f"| host | {' | '.join(f'{depth} stages' for depth in range(1, 5))} | all |")
    for host in HOSTS:
        cells = [f"{found[host, depth]}/{total[host, depth]}" for depth in range(1, 5)]
        print(f"| {host} | {' | '.join(cells)} | {_sum(found, host)}/{_sum(total, host)} |")
    print(f"{sum(found.values())} of {sum(total.values())} in {time.perf_counter() - begin:.0f} s (seed {seed})")
    return sum(total.values()) - sum(found.values())


def _sum(counted: Counter[tuple[str, int]], host: str) -> int:
    return sum(count for (name, _), count in counted.items() if name == host)


def peers(count: int, seed: int) -> None:
    """Measure the peers that are installed."""
    for peer in named(()):
        if peer is TOADSTONE:
            continue
        if not (peer.folder / "bin").is_dir():
            print(f"{peer.name}: not installed")
            continue
        found: Counter[str] = Counter()
        total: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as folder:
            for case in cases(count, seed):
                target = _written(case, Path(folder))
                total[case.host] += 1
                for command in peer.commands[:1]:
                    arguments = [part.replace(TARGET, str(target)) for part in command.arguments]
                    done = run([str(peer.folder / "bin" / peer.program), *arguments], Limits(), command.keep)
                    said = " ".join((done.output, done.errors, *done.files.values()))
                    hosts = {one.host or one.value for one in spot(case.address)}
                    found[case.host] += any(host in said for host in hosts)
        print(f"{peer.name}: " + ", ".join(f"{host} {found[host]}/{total[host]}" for host in HOSTS))


def benign_texts(folders: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Give texts that hide nothing: docstrings, string constants and pages, as what they are and inside code and templates."""
    given = 0
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, ValueError, OSError, RecursionError):
            continue
        for node in ast.walk(tree):
            if (
                not isinstance(node, ast.Constant)
                or not isinstance(node.value, (str, bytes))
                or not 40 <= len(node.value) <= _LONGEST
            ):
                continue
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            given += 1
            if given > _TEXTS:
                return
            yield from _as_host(text, given)


def _as_host(text: str, number: int) -> Iterator[tuple[str, bytes]]:
    kind = number % 5
    if kind == 0:
        yield "README.md", text.encode("utf-8", "replace")
    elif kind == 1:
        yield "module.py", f"TEXT = {text!r}\n\ndef show():\n    print(TEXT)\n".encode("utf-8", "replace")
    elif kind == 2:
        encoded = base64.b64encode(text.encode("utf-8", "replace")).decode()
        yield "resource.py", f"import base64\nDATA = base64.b64decode({encoded!r})\nPAGE = DATA.decode('utf-8')\n".encode()
    elif kind == 3:
        yield "vocabulary.json", json.dumps(dict.fromkeys(text.split(), number)).encode()
    else:
        quoted = text.replace("{", "(").replace("}", ")")
        yield "chat_template.jinja", f"{{{{ messages[0]['content'] }}}}\n{quoted}".encode("utf-8", "replace")


def benign(folders: list[Path]) -> int:
    """Count findings of the check on texts and on the files of folders; give those at high."""
    scanner = Scanner(Config(), Policy(Config().gate, Config().waivers))
    grave = 0
    for what, items in (("texts", benign_texts(folders)), ("files", _files(folders))):
        counted: Counter[str] = Counter()
        looked = 0
        for name, content in items:
            looked += 1
            for finding in scanner.blob(BytesBlob(content), name).findings:
                if finding.check == "hidden-payload":
                    counted[finding.severity.label] += 1
                    if finding.severity >= Severity.HIGH:
                        grave += 1
                        print(f"{name}: {finding.message} {finding.evidence.get('stages')}")
        listed = ", ".join(f"{count} {label}" for label, count in sorted(counted.items()))
        print(f"{looked:,} {what}: {listed or 'nothing'}", flush=True)
    return grave


def _files(folders: list[Path]) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if (
                path.suffix in (".py", ".md", ".txt", ".rst", ".json", ".ipynb", ".jinja", ".j2", ".toml", ".cfg")
                and path.is_file()
            ):
                yield str(path), path.read_bytes()


def main() -> int:
    """Run; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forensics", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=400, help="cases of each host")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peers", type=int, default=0, metavar="N", help="run the peers on N cases of each host")
    parser.add_argument("--benign", nargs="*", type=Path, metavar="FOLDER", help="by default this Python's library and packages")
    options = parser.parse_args()
    if options.benign is not None:
        default = [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))]
        return 1 if benign(options.benign or default) else 0
    if options.peers:
        peers(options.peers, options.seed)
        return 0
    return 1 if own(options.count, options.seed) else 0


if __name__ == "__main__":
    sys.exit(main())
