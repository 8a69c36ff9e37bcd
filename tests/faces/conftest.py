from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.payloads import BENIGN, COMMAND, UNREADABLE
from toadstone.faces.cli import main


@dataclass
class Told:
    """What a run of the command line said."""

    code: int
    out: str
    err: str

    def report(self, root: Path) -> dict[str, Any]:
        """The report on standard output, which must be one JSON document of the promised shape."""
        document: dict[str, Any] = json.loads(self.out)
        schema = json.loads((root / "docs" / "report.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema).validate(document)
        return document


@pytest.fixture
def toadstone(capsys, monkeypatch, tmp_path) -> Callable[..., Told]:
    """Run the command line in an empty folder, with an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(*words: object) -> Told:
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return Told(code, said.out, said.err)

    return run


@pytest.fixture
def files(toadstone) -> dict[str, Path]:
    """A benign, a booby-trapped and an unreadable file in the working folder."""
    made = {"good": Path("good.pkl"), "bad": Path("bad.pkl"), "odd": Path("odd.bin")}
    for path, data in zip(made.values(), (BENIGN, COMMAND, UNREADABLE), strict=True):
        path.write_bytes(data)
    return made
