"""``python -m benchmarks.corpus.suites``: fetch the test files of other scanners by name and write them down as a corpus.

modelaudit ships its assets with its source distribution, and c4nary the chat templates of published malicious models; aisbom-cli
has a generator of documented bypasses, which runs in its own environment (it writes files and loads none). hayward writes its
files in its tests: those run in an environment of its own in which nothing can be unpickled, started or reached, and what they
hand to the scanner is kept. Labels are the publishers' own: the folder, the name of the file, or, for hayward, that its own
scanner calls the file high or critical in a test that passes.
"""

from __future__ import annotations

import os
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
C4NARY = "c4nary==0.3.1"
HAYWARD = "hayward==1.4.1"
_TESTS_NEED = ("pytest==8.4.2", "pytest-timeout==2.4.0", "numpy", "h5py", "onnx", "safetensors", "py7zr", "lz4", "zstandard")
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


def _source(folder: Path, requirement: str) -> Path:
    """Fetch a source distribution; give the archive."""
    name = requirement.partition("==")[0]
    fetched = folder / "fetched"
    fetched.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name, requirement]
    subprocess.run([*command, "--dest", str(fetched)], check=True)
    (source,) = fetched.glob(f"{name}-*.tar.gz")
    return source


def modelaudit(folder: Path) -> Iterator[Entry]:
    """Fetch modelaudit's assets; those whose label cannot be told are left out."""
    with tarfile.open(_source(folder, MODELAUDIT)) as archive:
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


def c4nary(folder: Path) -> Iterator[Entry]:
    """Take the templates of published models that c4nary keeps as its malicious ones."""
    with tarfile.open(_source(folder, C4NARY)) as archive:
        for member in archive.getmembers():
            if "/tests/fixtures/corpus-fail/" not in member.name or not member.name.endswith(".jinja"):
                continue
            path = folder / "c4nary" / Path(member.name).name
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = archive.extractfile(member)
            assert stream is not None
            path.write_bytes(stream.read())
            yield _entry(folder, path, "malicious", "c4nary", "published template")


def hayward(folder: Path) -> Iterator[Entry]:
    """Run hayward's tests with the recorder; keep what its scanner calls high or critical in tests that pass."""
    import json  # noqa: PLC0415

    environment, out = folder / "fetched" / "venv", folder / "fetched" / "recorded"
    python = environment / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", HAYWARD, *_TESTS_NEED], check=True)
    with tarfile.open(_source(folder, HAYWARD)) as archive:
        archive.extractall(folder / "fetched", filter="data")
    (tests,) = (folder / "fetched").glob("hayward-*/tests")
    out.mkdir()
    command = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "recorder",
        "-p",
        "no:cacheprovider",
        "--timeout=60",
        "-k",
        "not failure",
        "-rA",
        str(tests),
    ]
    settings = {**os.environ, "SUITE_OUT": str(out), "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([str(python), *command], cwd=tests.parent, env=settings, check=False, stdout=subprocess.PIPE, text=True)
    passed = {line.removeprefix("PASSED ") for line in done.stdout.splitlines() if line.startswith("PASSED ")}
    worst: dict[str, str] = {}
    for line in (out / "records.jsonl").read_text("utf-8").splitlines():
        name, test, verdict = json.loads(line)
        if verdict in ("high", "critical") and test in passed:
            worst.setdefault(name, test.rsplit("::", 1)[-1].partition("[")[0])
    for name, test in sorted(worst.items()):
        path = folder / "hayward" / name.removeprefix("files/")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(out / name, path)
        yield _entry(folder, path, "malicious", "hayward", test)


def _entry(folder: Path, path: Path, label: str, family: str, technique: str) -> Entry:
    place = path.relative_to(folder).as_posix()
    return Entry(place, label, family, technique, f"{family}'s own test files", label == "malicious", "report", path.name)


def main() -> None:
    folder = work_folder() / "malicious" / "suites"
    shutil.rmtree(folder, ignore_errors=True)
    manifest = Manifest("suites", folder)
    for suite in (modelaudit, aisbom, c4nary, hayward):
        manifest.files += suite(folder)
    shutil.rmtree(folder / "fetched")
    save(manifest)
    labels = [entry.label for entry in manifest.files]
    print(f"suites: {labels.count('malicious')} malicious and {labels.count('benign')} benign files in {folder}")


if __name__ == "__main__":
    main()
