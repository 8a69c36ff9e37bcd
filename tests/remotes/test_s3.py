"""Buckets: on a real S3 server (moto) on loopback, and listings that lie."""

from __future__ import annotations

import pickle

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from tests.remotes import hostile_server
from tests.remotes.hostile_server import misbehaving
from tests.remotes.large_files import npy
from toadstone import Severity, UsageError, scan
from toadstone.faces.cli import main
from toadstone.remotes.access import Access, Limits
from toadstone.remotes.s3 import listing
from toadstone.remotes.trouble import RemoteError

EVIL = b"\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00echo inert!\x85R."
GOOD = pickle.dumps({"a": 1})
QUICK = Access(limits=Limits(patience=1.0, connect=1.0, idle=0.3, attempts=2, pause=0.01, wait=0.2, whole=1 << 20, pages=20))


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
    store.create_bucket(Bucket="models")
    yield store
    found = store.list_objects_v2(Bucket="models").get("Contents", [])
    for entry in found:
        store.delete_object(Bucket="models", Key=entry["Key"])
    store.delete_bucket(Bucket="models")


def test_an_object_and_a_prefix(bucket):
    bucket.put_object(Bucket="models", Key="a/model.pkl", Body=EVIL)
    bucket.put_object(Bucket="models", Key="a/b/other one.pkl", Body=GOOD)
    bucket.put_object(Bucket="models", Key="ab.pkl", Body=EVIL)
    report = scan("s3://models/a/model.pkl")
    assert [subject.path for subject in report.subjects] == ["s3://models/a/model.pkl"]
    assert report.exit_code(Severity.HIGH) == 1
    assert report.subjects[0].digests
    assert report.subjects[0].origin["etag"]
    for target in ("s3://models/a", "s3://models/a/"):
        paths = [subject.path for subject in scan(target).subjects]
        assert paths == ["s3://models/a/b/other one.pkl", "s3://models/a/model.pkl"], "ab.pkl is not below a"
    assert len(scan("s3://models").subjects) == 3
    assert "inert-secret" not in str(report.as_dict())
    assert "Signature" not in str(report.as_dict())


def test_only_what_is_needed_is_fetched(bucket):
    content = npy(24 << 20)
    bucket.put_object(Bucket="models", Key="a.npy", Body=content.read(0, content.size))
    report = scan("s3://models/a.npy")
    assert report.verdict == "clean"
    assert report.received < content.size / 50
    assert report.subjects[0].digests == {}
    whole = scan("s3://models/a.npy", access=Access(digests=True))
    assert whole.subjects[0].digests["sha256"] == content.sha256()


def test_an_object_that_is_exchanged_meanwhile(bucket, monkeypatch):
    """The listing's ETag goes along with each request; the store itself refuses what is no longer that version."""
    from toadstone.remotes import s3

    bucket.put_object(Bucket="models", Key="a.pkl", Body=GOOD)
    listed = s3.Bucket.files

    def exchanged(self):
        files = list(listed(self))
        bucket.put_object(Bucket="models", Key="a.pkl", Body=EVIL)
        return iter(files)

    monkeypatch.setattr(s3.Bucket, "files", exchanged)
    report = scan("s3://models/a.pkl")
    assert report.exit_code(Severity.HIGH) == 3
    assert "changed on the server" in report.subjects[0].unread[0].reason or "declared" in report.subjects[0].unread[0].reason


@pytest.mark.parametrize(("target", "word"), [("s3://models/nothing", "has nothing at"), ("s3://nowhere/a", "no such bucket")])
def test_what_is_not_there(bucket, target, word, capsys):
    assert main(["scan", target]) == 3
    assert word in capsys.readouterr().out


def test_without_credentials_nothing_is_signed(bucket, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    seen = []

    def answer(request):
        seen.append(request)
        request.send("403 Forbidden")

    with misbehaving(answer) as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.url)
        report = scan("s3://models/a.pkl", access=QUICK)
    assert "Signature" not in seen[0].path
    assert "look at your credentials" in report.subjects[0].unread[0].reason


@pytest.mark.parametrize("target", ["s3://", "s3:///key", "s3://a b/key"])
def test_addresses_that_are_none(target):
    with pytest.raises(UsageError, match="names no bucket"):
        scan(target)


def page(objects: str, rest: str = "") -> bytes:
    space = "http://s3.amazonaws.com/doc/2006-03-01/"
    return (
        f'<?xml version="1.0"?><ListBucketResult xmlns="{space}"><Name>models</Name>{objects}{rest}</ListBucketResult>'.encode()
    )


def test_a_listing():
    one = "<Contents><Key>a&amp;b.pkl</Key><Size>5</Size><ETag>&quot;x&quot;</ETag></Contents>"
    assert listing(page(one)) == ([{"Key": "a&b.pkl", "Size": "5", "ETag": '"x"'}], "")
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>"
    assert listing(page(one, more))[1] == "next"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "no XML"),
        (b"<html>", "no XML"),
        (b"<html></html>", "no listing"),
        (page("<Contents><Size>5</Size></Contents>"), "no listing"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "entities"),
        (b"<a>" * 10_000, "no listing"),
    ],
)
def test_listings_that_are_none(data, word):
    with pytest.raises(RemoteError, match=word):
        listing(data)


def test_a_listing_without_end(monkeypatch):
    def answer(request):
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{request.number}</NextContinuationToken>"
        request.send("200 OK", page("", more))

    with misbehaving(answer) as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.url)
        report = scan("s3://models/a.pkl", access=QUICK)
    assert "does not end" in report.subjects[0].unread[0].reason


@pytest.mark.parametrize(
    "behaviour",
    [hostile_server.slow_drip, hostile_server.endless_body, hostile_server.to_metadata_service, hostile_server.gigabyte_header],
    ids=lambda behaviour: behaviour.__name__,
)
def test_a_store_that_misbehaves(behaviour, monkeypatch):
    with misbehaving(behaviour) as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.url)
        report = scan("s3://models/a.pkl", access=QUICK)
    assert report.exit_code(Severity.HIGH) == 3
    assert "internal error" not in report.subjects[0].unread[0].reason
