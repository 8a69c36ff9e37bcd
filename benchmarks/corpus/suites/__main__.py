"""``python -m benchmarks.corpus.suites``: fetch the test files of other scanners by name and write them down as a corpus.

modelaudit ships its assets with its source distribution; aisbom-cli has a generator of documented bypasses, which runs in its
own environment (it writes files and loads none). Labels are the publishers' own: the folder, or the name of the file.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.corpus.manifest import Entry, Manifest, save
from benchmarks.peers import PEERS, install
from benchmarks.place import work_folder

MODELAUDIT = "modelaudit==0.2.54"
_ASSETS = "tests/assets/"
_TEXT = frozenset({".py", ".md", ".txt", ".png", ".license"})
_BENIGN = ("safe_", "benign", "no_template", "empty_template", "pipeline.skops", "sentencepiece", "license_scenarios")
_HOSTILE = ("exploit", "attack", "malicious", "evil", "injection", "obfuscated", "traversal", "decode_exec", "nested_pickle")
_GENERATE = """
import json, sys
from pathlib import Path
from aisbom.corpus import CASES, CorpusDependencyError
for case in CASES:
    folder = Path(sys.argv[1]) / case.id
    folder.mkdir(parents=True)
    try:
        case.builder(folder)
    except CorpusDependencyError as error:
        print(f"{case.id}: {error}", file=sys.stderr)
    else:
        print(json.dumps([case.id, case.malicious, case.evasion_class]))
"""


def label_of(path: str) -> str:
    """Read the publisher's label off a path; empty when it says neither."""
    lower = path.lower()
    if any(word in lower for word in _BENIGN):
        return "benign"
    return "malicious" if any(word in lower for word in _HOSTILE) else ""


def modelaudit(folder: Path) -> Iterator[Entry]:
    """Fetch modelaudit's assets; those whose label cannot be told are left out."""
    fetched = folder / "fetched"
    fetched.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "modelaudit", MODELAUDIT]
    subprocess.run([*command, "--dest", str(fetched)], check=True)
    (source,) = fetched.glob("modelaudit-*.tar.gz")
    with tarfile.open(source) as archive:
        for member in archive.getmembers():
            inner = member.name.partition("/")[2]
            label = label_of(inner.removeprefix(_ASSETS))
            if not member.isfile() or not inner.startswith(_ASSETS) or Path(inner).suffix in _TEXT or not label:
                continue
            path = folder / "modelaudit" / inner.removeprefix(_ASSETS)
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = archive.extractfile(member)
            assert stream is not None
            path.write_bytes(stream.read())
            yield _entry(folder, path, label, "modelaudit", path.parent.name)


def aisbom(folder: Path) -> Iterator[Entry]:
    """Let aisbom-cli write its corpus of bypasses."""
    import json  # noqa: PLC0415

    peer = next(peer for peer in PEERS if peer.name == "aisbom")
    install(peer)
    python = work_folder() / "peers" / peer.name / "bin" / "python"
    command = [str(python), "-I", "-c", _GENERATE, str(folder / "aisbom")]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    for name, malicious, technique in map(json.loads, done.stdout.splitlines()):
        for path in sorted(item for item in (folder / "aisbom" / name).rglob("*") if item.is_file()):
            yield _entry(folder, path, "malicious" if malicious else "benign", "aisbom", technique)


def _entry(folder: Path, path: Path, label: str, family: str, technique: str) -> Entry:
    place = path.relative_to(folder).as_posix()
    return Entry(place, label, family, technique, f"{family}'s own test files", label == "malicious", "report", path.name)


def main() -> None:
    folder = work_folder() / "malicious" / "suites"
    shutil.rmtree(folder, ignore_errors=True)
    manifest = Manifest("suites", folder)
    for suite in (modelaudit, aisbom):
        manifest.files += suite(folder)
    shutil.rmtree(folder / "fetched")
    save(manifest)
    labels = [entry.label for entry in manifest.files]
    print(f"suites: {labels.count('malicious')} malicious and {labels.count('benign')} benign files in {folder}")


if __name__ == "__main__":
    main()
