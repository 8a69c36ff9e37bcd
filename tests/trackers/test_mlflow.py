"""MLflow's runs in `trace`: read from both kinds of store, joined by bytes and places, never taken for sealed."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trackers.stores import DATA, MODEL, RUN, TUNED, database, folder
from toadstone.core.errors import ToadstoneError, UnreadError, UsageError
from toadstone.faces.cli import main
from toadstone.trackers.mlflow import Places, data_of, read_mlflow, status_of
from toadstone.trackers.mlflow_files import _flat, _MetaError


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOADSTONE_LEDGER", raising=False)
    pq.write_table(pa.table({"text": ["a", "b"], "label": [0, 1]}), "train.parquet")
    return tmp_path


@pytest.fixture(params=[folder, database])
def store(home, request):
    return request.param(home)


def asked(capsys, *words):
    capsys.readouterr()
    assert main(["trace", *words, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_both_stores_tell_the_same(home):
    told = read_mlflow(folder(home))
    assert told == read_mlflow(database(home))
    first, second = told.runs
    assert (first.name, first.status, first.commit, first.parameters) == (
        "first",
        "succeeded",
        "0a1b2c",
        {"optimizer/alpha": "0.5"},
    )
    assert [(one.name, one.digest, one.location) for one in first.data] == [("mails", "7db13eb5", "train.parquet")]
    assert (second.status, second.models, [one.name for one in second.outputs]) == ("failed", (MODEL,), ["tuned"])


def test_a_model_is_known_by_its_bytes(home, store, capsys):
    Path("copy.bin").write_text("weights")  # as model.bin of the logged model has it
    found = asked(capsys, "copy.bin", "--mlflow", str(store))
    assert [(one["uri"], one["toldBy"]) for one in found["inputs"]] == [("train.parquet", f"MLflow run first ({RUN[:8]})")]
    whole = asked(capsys, str(home / "mlruns" / "17" / "models" / MODEL / "artifacts"), "--mlflow", str(store))
    assert [one["path"] for one in whole["models"]] == ["tuned"]
    assert found["records"][0]["code"] == {"commit": "0a1b2c"}
    assert found["records"][0]["record"] is None


def test_data_is_known_by_its_place_and_the_answer_says_how_little_that_is(home, store, capsys):
    found = asked(capsys, "train.parquet", "--mlflow", str(store))
    assert [(one["path"], one["status"], one["record"]) for one in found["models"]] == [
        ("filter", "succeeded", None),
        ("tuned", "failed", None),
    ]
    assert any("10,000 rows at most" in note for note in found["notes"])
    assert any("sealed" in note for note in found["notes"])
    assert "not sealed" in printed(capsys, "train.parquet", "--mlflow", str(store))
    assert "records no rows" in printed(capsys, "train.parquet", "--row", "1", "--mlflow", str(store))


def printed(capsys, *words):
    capsys.readouterr()
    assert main(["trace", *words]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("form", ["mermaid", "svg", "html", "openlineage"])
def test_drawings_name_the_run(home, store, capsys, form):
    assert RUN[:8] in printed(capsys, "mails", "--mlflow", str(store), "--format", form)


def test_two_sets_of_one_digest_stay_two(home, capsys):
    """MLflow's digest cannot tell a clean data set from one that was poisoned behind row 10,000."""
    store = folder(home)
    other = home / "mlruns" / "17" / "3f3f"
    text = (home / "mlruns" / "17" / RUN / "meta.yaml").read_text().replace("first", "third")
    (other / "inputs" / "9").mkdir(parents=True)
    (other / "meta.yaml").write_text(text)
    linked = (home / "mlruns" / "17" / RUN / "inputs" / "1" / "meta.yaml").read_text().replace(DATA, "feed")
    (other / "inputs" / "9" / "meta.yaml").write_text(linked)
    held = (home / "mlruns" / "17" / "datasets" / DATA / "meta.yaml").read_text().replace("train.parquet", "poisoned.parquet")
    (home / "mlruns" / "17" / "datasets" / "feed").mkdir()
    (home / "mlruns" / "17" / "datasets" / "feed" / "meta.yaml").write_text(held)
    found = asked(capsys, "train.parquet", "--mlflow", str(store))
    assert {one["toldBy"] for one in found["models"]} == {f"MLflow run first ({RUN[:8]})", "MLflow run second (dd1a1af1)"}


def test_nothing_outside_the_project_is_looked_at(home, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret").write_text("s")
    places = Places(folder(home))
    assert places.found(str(outside), ()) is None
    assert places.found(f"file://{outside}", ()) is None
    assert places.found("file://elsewhere.invalid/share", ()) is None
    assert places.found("s3://bucket/key", ("..", "..")) is None
    (home / "mlruns" / "17" / "link").symlink_to(outside)
    assert places.found(str(home / "mlruns" / "17" / "link"), ()) is None
    artifacts = home / "mlruns" / "17" / TUNED / "artifacts"
    (artifacts / "secret").symlink_to(outside / "secret")
    assert [one.name for one in places.artifacts(artifacts)] == ["tuned"]


def test_what_cannot_be_read_is_said(home, capsys):
    store = folder(home)
    (store / "17" / RUN / "meta.yaml").write_text("a: [1, 2\nb: }")
    (store / "17" / "5e5e").mkdir()
    os.mkfifo(store / "17" / "5e5e" / "meta.yaml")
    told = read_mlflow(store)
    assert [run.name for run in told.runs] == ["second"]
    assert len(told.notes) == 1
    (store / "17" / "datasets" / DATA / "meta.yaml").write_bytes(b"\xff" * (5 << 20))
    read_mlflow(store)


@pytest.mark.parametrize("damage", [b"", b"no database at all", b"SQLite format 3\0" + b"\0" * 4000])
def test_what_is_no_store_is_an_error(home, damage, capsys):
    Path("mlflow.db").write_bytes(damage)
    with pytest.raises(ToadstoneError):
        read_mlflow(Path("mlflow.db"))
    assert main(["trace", "train.parquet", "--mlflow", "mlflow.db"]) != 0
    with pytest.raises(UsageError):
        read_mlflow(Path("nowhere"))
    with pytest.raises(UsageError):
        read_mlflow(home)
    assert main(["trace", "--diff", "a", "b", "--mlflow", "mlflow.db"]) == 2


def test_an_older_database_lacks_tables_and_columns(home):
    path = home / "old.db"
    held = sqlite3.connect(path)
    held.execute("CREATE TABLE experiments (experiment_id INTEGER)")
    held.execute("CREATE TABLE runs (run_uuid TEXT, status TEXT, start_time TEXT)")
    held.execute("INSERT INTO runs VALUES ('abc', 'FINISHED', 'yesterday')")
    held.commit()
    held.close()
    (run,) = read_mlflow(path).runs
    assert (run.id, run.status, run.started, run.data) == ("abc", "succeeded", 0, ())
    held = sqlite3.connect(path)
    held.execute("DROP TABLE experiments")
    held.commit()
    held.close()
    with pytest.raises(UsageError, match="no tables"):
        read_mlflow(path)


def test_a_database_that_counts_for_ever_is_stopped(home):
    path = home / "endless.db"
    held = sqlite3.connect(path)
    held.execute("CREATE TABLE experiments (experiment_id INTEGER)")
    endless = "(WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n)"
    held.execute("CREATE TABLE other (x)")
    held.execute(f"CREATE VIEW endless AS SELECT {endless} AS x")
    held.execute("CREATE TABLE runs (run_uuid TEXT, status TEXT AS (length(run_uuid)) VIRTUAL)")
    held.execute("INSERT INTO runs VALUES (?)", ("a" * 1000,))
    held.commit()
    held.close()
    assert read_mlflow(path).runs[0].status == "running"


@given(st.binary(max_size=200) | st.text(alphabet="ab: -[]{}'\"\n&*!|>#", max_size=80).map(str.encode))
def test_descriptions_are_total(data):
    try:
        found = _flat(data)
    except _MetaError:
        return
    assert all(isinstance(value, str) for value in found.values())


@given(st.dictionaries(st.sampled_from(["name", "digest", "source", "source_type"]), st.text(max_size=40)))
def test_sources_are_total(said):
    data_of(said)


def test_sources_of_each_kind():
    assert (
        data_of({"source": '{"path": "squad", "revision": "v2"}', "source_type": "hugging_face"}).location
        == "hf://datasets/squad@v2"
    )
    assert data_of({"source": '{"uri": "file:///d/a%20b.csv"}'}).location == "/d/a b.csv"
    assert data_of({"source": '{"url": "https://example.com/a.csv"}'}).location == "https://example.com/a.csv"
    assert data_of({"source": "[" * 100_000}).location == ""
    assert status_of(9) == "running"


def test_a_locked_database_is_an_error(home):
    path = database(home)
    held = sqlite3.connect(path, isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UnreadError, match="locked"):
        read_mlflow(path)
    held.close()
