"""Sources on servers: pinned by commit, owner and digests, compared later. The servers are real, on loopback."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.remotes.test_web import folder_served
from toadstone.faces.cli import main

OTHER = "89abcdef0123456789abcdef0123456789abcdef"


@pytest.fixture
def repository(hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = pa.table({"text": [f"text {number}" for number in range(3000)], "label": np.arange(3000) % 2})
    pq.write_table(table, "train.parquet")
    hub.about = {"author": "owner", "_id": "64a0", "cardData": {"license": "apache-2.0"}}
    hub.add("README.md", b"hello")
    hub.add("model.safetensors", b"x" * 5000, lfs=True)
    hub.add("train.parquet", (tmp_path / "train.parquet").read_bytes(), lfs=True)
    return hub


def verified(capsys, *words):
    capsys.readouterr()
    code = main(["verify", "--format", "json", *words])
    document = json.loads(capsys.readouterr().out)
    return code, [(one.get("path", ""), one["kind"], one["note"]) for one in document["changes"]], document


def test_a_repository_is_pinned_by_commit_owner_and_digests(repository, capsys, tmp_path):
    served = repository.served
    assert main(["pin", "hf://owner/name", "--no-scan"]) == 0
    assert repository.served - served < 5000, "the host's own digests are taken"
    lock = (tmp_path / "toadstone.lock").read_text()
    for line in ('owner = "owner"', 'repository = "64a0"', 'licence = "apache-2.0"', "revision = "):
        assert line in lock
    assert verified(capsys)[:2] == (0, [])
    assert verified(capsys, "--download")[:2] == (0, [])


def test_a_tag_that_was_moved(repository, capsys):
    main(["pin", "hf://owner/name@v1", "--quiet", "--no-scan"])
    repository.past, repository.commit = (repository.commit,), OTHER
    repository.add("model.safetensors", b"y" * 5000, lfs=True)
    code, changes, _ = verified(capsys)
    assert code == 1
    assert [(path, kind) for path, kind, _ in changes] == [("", "reference"), ("model.safetensors", "edited")]
    assert "gone" not in changes[0][2]
    repository.past = ()
    assert "history was rewritten" in verified(capsys)[1][0][2]


def test_another_owner_under_the_same_name(repository, capsys):
    main(["pin", "hf://owner/name", "--quiet", "--no-scan"])
    repository.about = {"author": "squatter", "_id": "64a1"}
    code, changes, _ = verified(capsys)
    assert code == 1
    assert [kind for _, kind, _ in changes] == ["owner", "owner"]


def test_a_file_that_changed_under_its_name_and_commit(repository, capsys):
    main(["pin", "hf://owner/name", "--quiet", "--no-scan"])
    repository.add("README.md", b"other")
    assert verified(capsys)[:2] == (1, [("README.md", "edited", "5 bytes became 5")])
    repository.add("hidden.py", b"echo")
    assert [path for path, _, _ in verified(capsys)[1]] == ["README.md", "hidden.py"]


def test_a_host_whose_files_are_not_what_it_says(repository, capsys):
    main(["pin", "hf://owner/name", "--quiet", "--no-scan"])
    stored = repository.files["model.safetensors"]
    repository.add("model.safetensors", b"z" * 5000, lfs=True, sha256=stored.digest())
    assert verified(capsys)[0] == 0, "believed without --download"
    code, changes, document = verified(capsys, "--download")
    assert (code, changes) == (3, [])
    assert "states" in document["unknown"][0]


def test_rows_of_a_remote_table(repository, capsys, tmp_path):
    main(["pin", "hf://owner/name", "--quiet", "--no-scan", "--download"])
    table = pq.read_table(tmp_path / "train.parquet")
    labels = table["label"].to_numpy().copy()
    labels[2000:] = 7
    pq.write_table(table, tmp_path / "same.parquet", compression="zstd")
    repository.add("train.parquet", (tmp_path / "same.parquet").read_bytes(), lfs=True)
    assert verified(capsys, "--download")[1] == [("train.parquet", "re-encoded", "3,000 rows are the same")]
    pq.write_table(table.set_column(1, "label", pa.array(labels)), tmp_path / "flipped.parquet")
    repository.add("train.parquet", (tmp_path / "flipped.parquet").read_bytes(), lfs=True)
    code, changes, document = verified(capsys, "--download")
    assert (code, changes) == (1, [("train.parquet", "relabelled", "")])
    assert document["changes"][0]["rows"] == list(range(2000, 3000))


def test_an_edit_shortly_before_the_snapshot_is_told(repository, capsys):
    now = dt.datetime.now(tz=dt.UTC)
    repository.about["lastModified"] = (now - dt.timedelta(hours=3)).isoformat()
    main(["pin", "hf://owner/name", "--no-scan"])
    assert "3 hours before it was pinned" in capsys.readouterr().out
    repository.about["lastModified"] = (now - dt.timedelta(days=30)).isoformat()
    main(["pin", "hf://owner/name", "--no-scan"])
    assert "before it was pinned" not in capsys.readouterr().out


def test_a_file_on_the_web(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site").mkdir()
    page = tmp_path / "site" / "rows.csv"
    page.write_text("text,label\n" + "".join(f"row {number},{number % 2}\n" for number in range(50)))
    with folder_served(tmp_path / "site") as url:
        assert main(["pin", f"{url}/rows.csv", "--quiet", "--no-scan"]) == 0
        assert verified(capsys)[:2] == (0, [])
        page.write_text(page.read_text().replace("row 7,1", "row 7,0"))
        code, changes, document = verified(capsys)
        assert (code, changes) == (1, [("rows.csv", "relabelled", "")])
        assert document["changes"][0]["rows"] == [7]
        page.unlink()
        code, changes, document = verified(capsys)
        assert (code, changes) == (3, [])
        assert "404" in document["unknown"][0]
    assert verified(capsys)[0] == 3, "nobody listens there any more"


def test_nothing_is_written_when_a_server_fails(repository, capsys, tmp_path):
    repository.add("bad", b"x" * 10, lfs=True, sha256="0" * 64)
    assert main(["pin", "hf://owner/name", "--no-scan", "--download"]) == 2
    assert "states" in capsys.readouterr().err
    assert main(["pin", "ftp://example.invalid/x", "--no-scan"]) == 2
    assert main(["pin", "hf://owner/nothing", "--no-scan"]) == 2
    assert not (tmp_path / "toadstone.lock").exists()
