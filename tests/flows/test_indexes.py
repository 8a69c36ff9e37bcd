"""A scan imports what its files need, by way of two generated indexes; a stale one costs time, never a reader or a check."""

from __future__ import annotations

import importlib
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from tests.payloads import BENIGN, COMMAND
from toadstone import scan
from toadstone.core import modules
from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.check import discover, registry
from toadstone.core.errors import RegistrationError
from toadstone.core.panel import make_checks
from toadstone.core.place import Place
from toadstone.readers import reader as module
from toadstone.readers.reader import Reader, Source, readers, registered

SAMPLES = sorted(path for path in (Path(__file__).parents[2] / "examples" / "project").rglob("*") if path.is_file())


def test_the_index_of_readers_is_what_the_modules_declare():
    assert modules.index_of(importlib.import_module("toadstone.readers")) is not None, "stale: make docs"
    declared = [field.name for field in fields(Reader) if field.name not in ("read", "claims")]
    for listed, real in zip(readers(), registered(), strict=True):
        assert [getattr(listed, name) for name in declared] == [getattr(real, name) for name in declared]
        assert (listed.claims is None) == (real.claims is None)


def test_the_index_of_checks_is_what_the_modules_declare():
    index = modules.index_of(importlib.import_module("toadstone.checks"))
    assert index is not None, "stale: make docs"
    real = {name: cls for name, cls in discover().items() if cls.__module__.startswith("toadstone.checks.")}
    assert {
        name: (cls.__module__, tuple(kind.__name__ for kind in cls.reads), cls.stages, cls.languages)
        for name, cls in real.items()
    } == index.CHECKS
    for seat in make_checks({}):
        cls = type(seat.check)
        assert (seat.id, seat.reads, seat.stages, seat.languages) == (cls.id, cls.reads, cls.stages, cls.languages)
        assert all(seat.wants(fact) for fact in cls.bad()), "its own example is never shown to it"


@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_stale_index_is_not_used(monkeypatch, change):
    for name in ("toadstone.readers", "toadstone.checks"):
        package = importlib.import_module(name)
        index = importlib.import_module(f"{name}.index")
        known = [*index.MODULES, f"{name}.newer"] if change == "removed" else list(index.MODULES[1:])
        monkeypatch.setattr(index, "MODULES", tuple(known))
        assert modules.index_of(package) is None
        assert not any(listed.endswith(".index") for listed in modules.names_below(package))
    module.readers.cache_clear()
    try:
        assert module.readers() == registered()
        assert {seat.id for seat in make_checks({})} == set(registry)
    finally:
        monkeypatch.undo()
        module.readers.cache_clear()


def test_a_package_without_an_index_has_none():
    assert modules.index_of(importlib.import_module("toadstone.formats")) is None


@pytest.mark.parametrize("real", [known for known in registered() if known.marks], ids=lambda known: known.kind)
def test_a_reader_claims_nothing_without_its_mark(real):
    """Else the index would keep it from being asked."""
    for path in SAMPLES:
        data = path.read_bytes()
        for content in (data, data[1:], data[:20], b"\0" + data, b" " + data):
            source = Source(BytesBlob(content), "file", Place("file"), Budget.of(len(content)))
            assert real.claims is not None
            assert real.marked(source.head()) or not real.claims(source)


def test_a_check_that_cannot_be_imported_makes_the_report_incomplete(tmp_path, monkeypatch):
    path = tmp_path / "model.pkl"
    path.write_bytes(COMMAND)
    name = "toadstone.checks.model.unreviewed_call"
    monkeypatch.setitem(sys.modules, name, None)
    (subject,) = scan(path).subjects
    assert "unsafe-import" in {finding.check for finding in subject.findings}
    assert any(
        f"check unreviewed-call: internal error ModuleNotFoundError(import of {name} halted" in gap.reason
        for gap in subject.unread
    )


def test_a_reader_that_cannot_be_imported_makes_the_report_incomplete(tmp_path, monkeypatch):
    path = tmp_path / "archive.bin"
    path.write_bytes(b"Rar!\x1a\x07\x00 and more")
    monkeypatch.setitem(sys.modules, "toadstone.readers.unopened", None)
    (subject,) = scan(path).subjects
    assert any("rar: internal error ModuleNotFoundError" in gap.reason for gap in subject.unread)


def test_an_id_that_a_check_not_yet_imported_has_is_refused(monkeypatch):
    cls = discover()["unsafe-import"]
    monkeypatch.setitem(registry, "unsafe-import", type("Other", (cls,), {"__module__": "somewhere.else"}))
    with pytest.raises(RegistrationError, match=r"is used by toadstone\.checks\.model\.unsafe_import and by somewhere\.else"):
        make_checks({})


def imported(path: Path) -> set[str]:
    """Modules that a scan of one file in a fresh interpreter imports."""
    code = """
import sys
before = set(sys.modules)
from toadstone.faces.cli import main
main(sys.argv[1:])
print(*set(sys.modules) - before)
"""
    command = [sys.executable, "-c", code, "scan", str(path), "--no-cache", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=path.parent)
    return set(done.stdout.split())


def test_a_plain_pickle_needs_no_other_format_and_no_check(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(BENIGN)
    names = imported(path)
    ours = {name.split(".")[2] for name in names if name.startswith(("toadstone.readers.", "toadstone.checks."))}
    assert ours.isdisjoint({"model", "code", "configuration", "gguf", "jinja", "keras", "npy", "onnx", "safetensors", "skops"})
    assert "toadstone.checks.index" in names
    assert names.isdisjoint({"toadstone.readers.zip.archive", "jinja2", "yaml", "zstandard", "lz4"})
    heavy = {"dataclasses", "inspect", "typing", "pathlib", "datetime", "tempfile", "json", "sqlite3", "locale", "shutil"}
    assert names & heavy == set(), "docs/decisions/0010-start-up.md"
