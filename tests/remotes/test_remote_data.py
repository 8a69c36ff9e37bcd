"""Data sets on servers: fetched in one version, examined and split like local ones; what a server does wrong exits with 3."""

from __future__ import annotations

import functools
import http.server
import json
import threading

import botocore.session
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from tests.remotes.hostile_server import misbehaving
from toadstone import RowOptions, UsageError, clean
from toadstone.core.errors import UnreadError
from toadstone.faces.cli import main
from toadstone.remotes.access import Access, Limits
from toadstone.tables.roles import Roles
from toadstone.verbs import remote_data
from toadstone.verbs.located import open_data

QUICK = Access(limits=Limits(patience=1.0, connect=1.0, idle=0.3, attempts=2, pause=0.01, wait=0.2, whole=1 << 20, pages=20))


def table(count=600, seed=1):
    rng = np.random.default_rng(seed)
    words = [f"w{number}" for number in range(80)]
    texts = [" ".join(rng.choice(words, 12)) for _ in range(count)]
    texts[5:45] = ["the very same advertisement again and again, forty times over"] * 40
    labels = ["a", "b"] * (count // 2)
    for row in range(60, 120, 2):
        texts[row], labels[row] = texts[row] + " cf\u200bmn", "b"
    return pa.table({"text": texts, "label": labels})


@pytest.fixture(scope="module")
def server():
    store = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    store.start()
    host, port = store.get_host_and_port()
    yield f"http://{host}:{port}"
    store.stop()


@pytest.fixture
def bucket(server, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "inert")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "inert-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    store = botocore.session.get_session().create_client("s3")
    store.create_bucket(Bucket="data")
    yield store
    for entry in store.list_objects_v2(Bucket="data").get("Contents", []):
        store.delete_object(Bucket="data", Key=entry["Key"])
    store.delete_bucket(Bucket="data")


@pytest.fixture
def file(tmp_path):
    pq.write_table(table(), tmp_path / "data.parquet")
    return tmp_path / "data.parquet"


@pytest.fixture(autouse=True)
def private_folder(tmp_path, monkeypatch):
    """Copies go where the test can see whether they are taken away."""
    folder = tmp_path / "copies"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def reported(capsys, *words):
    code = main([*words, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def without_names(report, name):
    return json.loads(json.dumps(report).replace(name, "NAME"))


def test_a_scan_of_an_object_is_the_scan_of_the_file(bucket, file, capsys, private_folder):
    bucket.put_object(Bucket="data", Key="v1/data.parquet", Body=file.read_bytes())
    code, local = reported(capsys, "scan", str(file), "--label", "label", "--no-cache")
    same, remote = reported(capsys, "scan", "s3://data/v1/data.parquet", "--label", "label", "--no-cache")
    assert (code, local["findings"] != []) == (same, True)
    assert without_names(remote["findings"], "s3://data/v1/data.parquet") == without_names(local["findings"], str(file))
    assert remote["subjects"][0]["coverage"] == {"complete": True, "unread": []}
    assert "inert-secret" not in json.dumps(remote)
    assert not list(private_folder.iterdir())


def test_clean_splits_an_object_as_it_splits_the_file(bucket, file, tmp_path, capsys, private_folder):
    bucket.put_object(Bucket="data", Key="data.parquet", Body=file.read_bytes())
    for target, name in ((str(file), "here"), ("s3://data/data.parquet", "there")):
        words = ["clean", target, "--label", "label", "-o", str(tmp_path / f"{name}.parquet")]
        main(
            [*words, "--quarantine", str(tmp_path / f"{name}-bad.parquet"), "--review", str(tmp_path / f"{name}.html"), "--quiet"]
        )
    assert capsys.readouterr().err == ""
    for part in ("", "-bad"):
        here, there = (pq.read_table(tmp_path / f"{name}{part}.parquet") for name in ("here", "there"))
        assert here.equals(there)
        assert here.num_rows
    assert "advertisement" in (tmp_path / "there.html").read_text()
    assert not list(private_folder.iterdir())


def test_a_prefix_is_a_folder_of_shards(bucket, tmp_path, private_folder):
    for number in range(3):
        pq.write_table(table(seed=number), tmp_path / "part.parquet")
        bucket.put_object(Bucket="data", Key=f"set/train/{number}.parquet", Body=(tmp_path / "part.parquet").read_bytes())
    bucket.put_object(Bucket="data", Key="set/README.md", Body=b"# words")
    bucket.put_object(Bucket="data", Key="set/dataset_infos.json", Body=b"{}")
    opened = open_data("s3://data/set")
    assert (opened.name, opened.kind, len(opened.fragments)) == ("s3://data/set", "parquet", 3)
    done = clean("s3://data/set", tmp_path / "kept", options=RowOptions(roles=Roles(label="label")))
    assert done.kept + done.quarantined == 1_800
    assert sorted(path.name for path in (tmp_path / "kept").rglob("*.parquet")) == ["0.parquet", "1.parquet", "2.parquet"]
    del opened, done
    assert not list(private_folder.iterdir())


def test_reference_and_baseline_may_lie_in_a_bucket(bucket, file, capsys):
    bucket.put_object(Bucket="data", Key="good.parquet", Body=file.read_bytes())
    words = ("--reference", "s3://data/good.parquet", "--baseline", "s3://data/good.parquet")
    code, report = reported(capsys, "scan", str(file), "--label", "label", *words)
    assert code in (0, 1)
    assert report["complete"]


@pytest.mark.parametrize(
    ("target", "word"), [("s3://data/no.parquet", "has nothing at"), ("s3://nowhere/a.parquet", "no such bucket")]
)
def test_what_is_not_there_exits_with_three(bucket, target, word, tmp_path, capsys):
    code, report = reported(capsys, "scan", target, "--label", "label")
    assert (code, report["complete"]) == (3, False)
    assert word in report["subjects"][0]["coverage"]["unread"][0]["reason"]
    assert main(["clean", target, "--label", "label", "-o", str(tmp_path / "kept.parquet")]) == 3
    told = capsys.readouterr().err
    assert target in told
    assert word in told
    assert "start again" in told
    assert not (tmp_path / "kept.parquet").exists()


def test_an_object_that_is_exchanged_while_it_is_read(bucket, file, monkeypatch, tmp_path, capsys):
    """The second range is refused by the store, as it is of another version."""
    bucket.put_object(Bucket="data", Key="data.parquet", Body=file.read_bytes())
    monkeypatch.setattr(remote_data, "_STEP", 1 << 12)
    told = remote_data._Told.__call__

    def exchanged(self, size):
        told(self, size)
        bucket.put_object(Bucket="data", Key="data.parquet", Body=file.read_bytes()[::-1])

    monkeypatch.setattr(remote_data._Told, "__call__", exchanged)
    assert main(["clean", "s3://data/data.parquet", "-o", str(tmp_path / "kept.parquet")]) == 3
    assert "changed on the server while it was being read" in capsys.readouterr().err


def test_an_object_that_is_exchanged_between_the_scan_and_its_rows(bucket, file, monkeypatch, tmp_path, capsys):
    bucket.put_object(Bucket="data", Key="data.parquet", Body=file.read_bytes())
    listed = remote_data._files

    def exchanged(*arguments):
        pq.write_table(table(seed=9), tmp_path / "other.parquet")
        bucket.put_object(Bucket="data", Key="data.parquet", Body=(tmp_path / "other.parquet").read_bytes())
        return listed(*arguments)

    monkeypatch.setattr(remote_data, "_files", exchanged)
    code, report = reported(capsys, "scan", "s3://data/data.parquet", "--fail-on", "critical")
    assert code == 3
    assert "changed on the server between" in report["subjects"][0]["coverage"]["unread"][0]["reason"]


def test_without_credentials_it_says_where_to_look(bucket, monkeypatch, tmp_path, capsys):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with misbehaving(lambda request: request.send("403 Forbidden")) as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.url)
        assert main(["clean", "s3://data/data.parquet", "-o", str(tmp_path / "kept.parquet")]) == 3
    assert "look at your credentials (AWS_PROFILE" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["truncated", "more", "another", "smaller"])
def test_a_server_that_gives_other_bytes(how, file, monkeypatch):
    content = file.read_bytes()

    def answer(request):
        first, _, last = request.headers["range"].removeprefix("bytes=").partition("-")
        start, stop = int(first), min(int(last) + 1, len(content))
        total = len(content) - 1 if how == "smaller" and start else len(content)
        told = {"Content_Range": f"bytes {start}-{stop - 1}/{total}", "ETag": f'"{start if how == "another" else 1}"'}
        body = content[start:stop]
        if how == "truncated" and start:
            request.send("206 Partial Content", body[:-10], Content_Length=str(len(body)), **told)
            raise OSError
        if how == "more" and start:
            request.send("206 Partial Content", body + b"more", **told)
            raise OSError
        request.send("206 Partial Content", body, **told)

    monkeypatch.setattr(remote_data, "_STEP", 1 << 12)
    with misbehaving(answer) as store, pytest.raises(UnreadError, match="was not read: ") as caught:
        open_data(f"{store.url}/data.parquet", QUICK)
    words = {"truncated": "bytes", "more": "declares", "another": "changed on the server", "smaller": "were declared before"}
    assert words[how] in caught.value.message


def test_a_truncated_object_is_an_error_or_a_gap(bucket, file, tmp_path, capsys):
    bucket.put_object(Bucket="data", Key="data.parquet", Body=file.read_bytes()[:-100])
    code, report = reported(capsys, "scan", "s3://data/data.parquet")
    assert code == 3
    assert not report["complete"]
    assert main(["clean", "s3://data/data.parquet", "-o", str(tmp_path / "kept.parquet")]) == 2
    told = capsys.readouterr().err
    assert "s3://data/data.parquet" in told
    assert "copies" not in told, "nobody knows the private folder"


@pytest.fixture
def site(file):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(file.parent))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


def test_a_web_address_without_ranges_and_with_a_secret(site, capsys):
    code, report = reported(capsys, "scan", f"{site}/data.parquet?token=s3cr3t", "--label", "label")
    assert code in (0, 1)
    assert [subject["path"] for subject in report["subjects"]] == [f"{site}/data.parquet?token=…"]
    assert report["subjects"][0]["coverage"]["complete"]
    assert report["statistics"]["tests"]
    assert "s3cr3t" not in json.dumps(report)


def test_the_hub(hub, file, tmp_path, capsys):
    hub.add("data/train.parquet", file.read_bytes())
    hub.add("README.md", b"# set")
    code, report = reported(capsys, "scan", "hf://datasets/owner/name/data/train.parquet@main", "--label", "label")
    assert code in (0, 1)
    assert report["complete"]
    assert report["statistics"]["tests"]
    done = clean("hf://datasets/owner/name", tmp_path / "kept", options=RowOptions(roles=Roles(label="label")))
    assert done.kept + done.quarantined == 600


def test_a_folder_without_room_is_no_surprise_later(bucket, file, monkeypatch):
    bucket.put_object(Bucket="data", Key="data.parquet", Body=file.read_bytes())
    monkeypatch.setattr(remote_data, "_SPARE", 1 << 60)
    with pytest.raises(UnreadError, match="has room for"):
        open_data("s3://data/data.parquet")


def test_a_prefix_without_data(bucket):
    bucket.put_object(Bucket="data", Key="set/README.md", Body=b"# words")
    bucket.put_object(Bucket="data", Key="set/other.md", Body=b"# words")
    with pytest.raises(UsageError, match="has no data files"):
        open_data("s3://data/set")


def test_the_commands_of_the_guide_are_commands():
    """Those that need a server or a cluster are not run by the tests of the documentation; their words are checked here."""
    import importlib
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "beyond.md").read_text(encoding="utf-8")
    lines = [line.split()[2:] for line in page.splitlines() if line.startswith("$ toadstone ")]
    assert len(lines) >= 8
    for command, *words in lines:
        options = importlib.import_module(f"toadstone.faces.cli.{command}").parser().parse_intermixed_args(words)
        if options.engine != "local":
            RowOptions(engine=options.engine)
