"""Croissant descriptions are held against the files and columns that they name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.remotes.test_web import folder_served
from toadstone.faces.cli import main


@pytest.fixture
def described(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("text,label\na,0\nb,1\n")
    digest = hashlib.sha256(Path("rows.csv").read_bytes()).hexdigest()
    source = {"fileObject": {"@id": "rows.csv"}, "extract": {"column": "label"}}
    return {
        "@context": {"@vocab": "https://schema.org/", "cr": "http://mlcommons.org/croissant/"},
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "rows",
        "distribution": [{"@type": "cr:FileObject", "@id": "rows.csv", "contentUrl": "rows.csv", "sha256": digest}],
        "recordSet": [{"@type": "cr:RecordSet", "field": [{"@type": "cr:Field", "@id": "rows/label", "source": source}]}],
    }


def verified(capsys, document, *words):
    Path("croissant.json").write_text(json.dumps(document))
    capsys.readouterr()
    code = main(["verify", "croissant.json", "--format", "json", *words])
    found = json.loads(capsys.readouterr().out)
    return code, [(one["path"], one["kind"], one["columns"]) for one in found["changes"]], found["unknown"]


def test_what_is_described_is_there(described, capsys):
    assert verified(capsys, described) == (0, [], [])


def test_a_wrong_digest(described, capsys):
    described["distribution"][0]["sha256"] = "0" * 64
    assert verified(capsys, described) == (1, [("rows.csv", "edited", [])], [])
    del described["distribution"][0]["sha256"]
    assert verified(capsys, described) == (1, [("rows.csv", "edited", [])], []), "without a digest anything can be in its place"


def test_a_missing_file_and_column(described, capsys):
    described["recordSet"][0]["field"][0]["source"]["extract"]["column"] = "lable"
    assert verified(capsys, described) == (1, [("rows.csv", "removed", ["lable"])], [])
    Path("rows.csv").unlink()
    assert verified(capsys, described) == (1, [("rows.csv", "removed", [])], [])
    described["distribution"][0]["contentUrl"] = "../../../etc/hostname"
    assert verified(capsys, described) == (1, [("rows.csv", "removed", [])], [])


def test_files_on_the_web(described, capsys, tmp_path):
    with folder_served(tmp_path) as url:
        described["distribution"][0]["contentUrl"] = f"{url}/rows.csv"
        code, changes, unknown = verified(capsys, described)
        assert (code, changes) == (3, [])
        assert "--download" in unknown[0]
        allow = ["--download", "--allow-host", url.removeprefix("http://")]
        assert verified(capsys, described, *allow) == (0, [], [])
        Path("rows.csv").write_text("text,label\na,1\nb,1\n")
        assert verified(capsys, described, *allow) == (1, [("rows.csv", "edited", [])], [])
        described["distribution"][0]["contentUrl"] = f"{url}/nothing.csv"
        assert verified(capsys, described, *allow)[:2] == (1, [("rows.csv", "removed", [])])


@pytest.mark.parametrize(
    "wrong", [{"distribution": 3}, {"distribution": [3, {"@type": []}]}, {"recordSet": {"field": [{"source": 3}]}}]
)
def test_descriptions_that_are_odd(described, capsys, wrong):
    code, _, _ = verified(capsys, described | wrong)
    assert code in (0, 1)


def test_other_json_is_a_name_like_any_other(described, capsys):
    Path("config.json").write_text("{}")
    assert main(["verify", "config.json"]) == 2
    main(["pin", "config.json", "--quiet", "--no-scan"])
    assert main(["verify", "config.json", "--quiet"]) == 0
