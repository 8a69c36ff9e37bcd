"""Folders as people have them: links in and out, the Hugging Face cache, exclusions, odd entries."""

from __future__ import annotations

import os

import pytest

from tests.payloads import BENIGN, COMMAND
from toadstone import Config, UsageError, scan


def paths(report) -> list[str]:
    return [subject.path for subject in report.subjects]


def test_a_tree_is_listed_below_the_target_as_typed(tmp_path, monkeypatch):
    (tmp_path / "models" / "deep").mkdir(parents=True)
    (tmp_path / "models" / "deep" / "b.pkl").write_bytes(BENIGN)
    (tmp_path / "models" / "a.pkl").write_bytes(BENIGN)
    monkeypatch.chdir(tmp_path)
    assert paths(scan("models/")) == ["models/a.pkl", "models/deep/b.pkl"]
    assert paths(scan("models/deep/b.pkl", "models")) == ["models/a.pkl", "models/deep/b.pkl"]


def test_a_link_inside_the_target_is_followed_once(tmp_path):
    (tmp_path / "real.pkl").write_bytes(COMMAND)
    (tmp_path / "latest.pkl").symlink_to("real.pkl")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "latest.pkl").symlink_to("../real.pkl")
    report = scan(tmp_path)
    assert paths(report) == [f"{tmp_path}/latest.pkl", f"{tmp_path}/real.pkl"], "once under each name"
    assert report.verdict == "malicious"


def test_a_link_out_of_the_target_is_a_finding_and_not_followed(tmp_path):
    outside = tmp_path / "outside.pkl"
    outside.write_bytes(COMMAND)
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights.pkl").symlink_to("../outside.pkl")
    (model / "secrets").symlink_to("/etc")
    report = scan(model)
    assert {(subject.path.rsplit("/", 1)[1], subject.kind) for subject in report.subjects} == {
        ("weights.pkl", "link"),
        ("secrets", "link"),
    }
    assert {finding.check for finding in report.findings} == {"escaping-link"}
    assert not [subject for subject in report.subjects if subject.digests]


def test_broken_and_circular_links_end(tmp_path):
    (tmp_path / "gone").symlink_to("nothing-there")
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "up").symlink_to(tmp_path)
    report = scan(tmp_path)
    assert report.exit_code(report.worst) == 1 if report.worst is not None else not report.complete


def test_the_hugging_face_cache_is_read_once_under_its_snapshot_names(tmp_path):
    repository = tmp_path / "models--acme--ranker"
    blobs, snapshot, older = repository / "blobs", repository / "snapshots" / "0123abc", repository / "snapshots" / "00ff"
    for folder in (blobs, snapshot, older, repository / "refs"):
        folder.mkdir(parents=True)
    (repository / "refs" / "main").write_text("0123abc")
    (blobs / "d1").write_bytes(COMMAND)
    (blobs / "d2").write_bytes(BENIGN)
    (snapshot / "pytorch_model.bin").symlink_to("../../blobs/d1")
    (snapshot / "extra.pkl").symlink_to("../../blobs/d2")
    (older / "extra.pkl").symlink_to("../../blobs/d2")
    report = scan(tmp_path)
    names = [path.removeprefix(f"{repository}/") for path in paths(report)]
    assert names == ["refs/main", "snapshots/00ff/extra.pkl", "snapshots/0123abc/pytorch_model.bin"]
    assert [finding.place.path for finding in report.findings] == [f"{snapshot}/pytorch_model.bin"]


@pytest.mark.parametrize(
    ("glob", "left"),
    [
        ("**/fixtures/**", ["a.pkl"]),
        ("fixtures/*", ["a.pkl"]),
        ("*.pkl", []),
        ("fixtures", ["a.pkl"]),
        ("b.pkl", ["a.pkl", "fixtures/b.pkl"]),
        ("**/b.pkl", ["a.pkl"]),
    ],
)
def test_exclusions(tmp_path, glob, left):
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "a.pkl").write_bytes(BENIGN)
    (tmp_path / "fixtures" / "b.pkl").write_bytes(BENIGN)
    found = paths(scan(tmp_path, config=Config(exclude=(glob,))))
    assert [path.removeprefix(f"{tmp_path}/") for path in found] == left


def test_what_is_no_file_makes_a_folder_incomplete(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    report = scan(tmp_path)
    assert not report.complete
    assert report.verdict == "incomplete"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_an_unreadable_file_makes_a_folder_incomplete(tmp_path):
    (tmp_path / "locked.pkl").write_bytes(BENIGN)
    (tmp_path / "locked.pkl").chmod(0)
    assert not scan(tmp_path).complete


def test_names_that_are_no_text(tmp_path):
    name = os.fsencode(tmp_path) + b"/we\xffird.pkl"
    with open(name, "wb") as stream:
        stream.write(COMMAND)
    report = scan(tmp_path)
    assert report.verdict == "malicious"
    from toadstone.formats import FORMATS, Envelope, write

    for form in FORMATS:
        write(report, form, Envelope()).encode("utf-8", "strict" if form in ("json", "sarif", "terminal") else "surrogateescape")


def test_a_missing_target_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        scan(tmp_path / "missing.pkl")
