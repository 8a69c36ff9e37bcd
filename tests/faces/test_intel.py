"""``toadstone intel`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toadstone.faces.cli import main


@pytest.fixture
def lists(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("TOADSTONE_INTEL", str(tmp_path / "lists"))
    return tmp_path / "lists"


def test_import_list_look_up_export_remove(toadstone, lists):
    Path("feed.csv").write_text("ioc,threat\nevil.partner.example,Stealer\n203.0.113.0/24,Botnet\nnothing,x\n")
    told = toadstone("intel", "import", "feed.csv", "--name", "partner", "--valid-days", "30")
    assert (told.code, told.err) == (0, "")
    assert told.out == "partner: 2 indicators (1 cidr, 1 domain)\n  not understood: no indicator in the row (1)\n"
    listed = toadstone("intel", "list").out
    assert "incidents" in listed
    assert "partner" in listed
    assert "with validity" in listed
    told = toadstone("intel", "lookup", "a.evil.partner.example", "hxxp://203.0.113[.]5/x", "0xd275d45d", "junk", "pypi.org")
    assert told.code == 1
    lines = told.out.splitlines()
    assert lines[0] == "a.evil.partner.example: domain, reserved for examples (RFC 2606), partner"
    assert lines[1] == "  Stealer"
    assert lines[2].startswith("hxxp://203.0.113[.]5/x (http://203.0.113.5/x): url, documentation (RFC 5737), partner")
    assert "AS1237 KISTI (KREONET) (KR), JFrog 2024-02" in told.out
    assert "junk: no indicator" in lines
    assert lines[-1] == "pypi.org: domain, common service"
    assert toadstone("intel", "lookup", "pypi.org").code == 0
    answer = json.loads(toadstone("intel", "lookup", "8.8.8.8", "junk", "--format", "json").out)
    assert [entry["type"] for entry in answer] == ["ipv4", None]
    rows = toadstone("intel", "export", "partner").out.splitlines()
    assert rows[0] == "type,value,source,label,reference,valid_from,valid_until"
    assert len(rows) == 3
    objects = [json.loads(line) for line in toadstone("intel", "export", "--format", "json").out.splitlines()]
    assert {"partner", "JFrog 2024-02"} <= {entry["source"] for entry in objects}
    bundle = json.loads(toadstone("intel", "export", "partner", "--format", "stix").out)
    assert [made["type"] for made in bundle["objects"]] == ["domain-name", "ipv4-addr"]
    assert toadstone("intel", "remove", "partner").code == 0
    assert "partner" not in toadstone("intel", "list").out


def test_what_is_exported_can_be_imported(toadstone, lists):
    for form in ("csv", "stix"):
        Path(f"out.{form}").write_text(toadstone("intel", "export", "incidents", "--format", form).out)
        told = toadstone("intel", "import", f"out.{form}", "--name", f"again-{form}")
        assert told.code == 0, told.err
        assert toadstone("intel", "lookup", "x.h4ck.cfd").out.count(f"again-{form}") == 1


def test_a_cell_that_a_spreadsheet_would_run_is_quoted(toadstone, lists):
    Path("feed.csv").write_text("value,label\nevil.example,=cmd|x\n")
    toadstone("intel", "import", "feed.csv")
    assert "'=cmd|x" in toadstone("intel", "export", "feed").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("intel",), "required: ACTION"),
        (("intel", "import", "missing.txt"), "missing.txt is no file"),
        (("intel", "import", "empty.txt"), "holds no indicator, read as plain: it is empty"),
        (("intel", "import", "prose.txt"), "1 times no indicator in the line"),
        (("intel", "import", "good.txt", "--name", "../x"), "is no name for a list"),
        (("intel", "import", "good.txt", "--valid-days", "0"), "is no number of days"),
        (("intel", "export", "nobody"), "there is no list 'nobody'"),
        (("intel", "remove", "nobody"), "there is no list 'nobody'"),
        (("intel", "lookup"), "required: VALUE"),
        (("scan", ".", "--date", "soon"), "is no day such as 2027-01-31"),
    ],
)
def test_mistakes_are_told(toadstone, lists, words, said):
    Path("empty.txt").touch()
    Path("prose.txt").write_text("nothing here\n")
    Path("good.txt").write_text("evil.example\n")
    told = toadstone(*words)
    assert told.code == 2
    assert said in told.err
    assert "Traceback" not in told.err


def test_a_damaged_list_stops_the_scan_before_it_begins(toadstone, lists):
    lists.mkdir()
    (lists / "x.list").write_bytes(b"toadstone list 1\n\xff\xff\xff\xff")
    Path("a.txt").write_text("x")
    told = toadstone("scan", "a.txt")
    assert told.code == 2
    assert "x.list is damaged" in told.err


def test_the_configuration_names_a_folder(toadstone, monkeypatch):
    monkeypatch.delenv("TOADSTONE_INTEL", raising=False)
    Path("toadstone.toml").write_text('intel = "lists"\n')
    Path("good.txt").write_text("evil.partner.example\n")
    assert toadstone("intel", "import", "good.txt").code == 0
    assert Path("lists/good.list").is_file()
    Path("toadstone.toml").write_text("intel = 5\n")
    told = toadstone("intel", "list")
    assert told.code == 2
    assert "intel must be the path of a folder" in told.err


def test_the_folder_may_be_named_before_or_after_the_action(tmp_path):
    source = tmp_path / "list.txt"
    source.write_text("evil-host.example\n198.51.100.9\n")
    folder = tmp_path / "lists"
    for place in (["--folder", str(folder), "import", str(source)], ["import", str(source), "--folder", str(folder)]):
        assert main(["intel", *place]) == 0
