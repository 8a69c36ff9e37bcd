"""Same bytes, same report: twice, under any hash seed, in any order of the directory, and out of the cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.payloads import COMMAND
from toadstone import Config, Policy, scan
from toadstone.formats import Envelope, write
from toadstone.verbs.cache import SMALLEST, Cache

PROJECT = Path(__file__).parents[2] / "examples" / "project"


def document(report) -> str:
    return write(report, "json", Envelope())


def test_twice():
    assert document(scan(PROJECT)) == document(scan(PROJECT))


def test_under_any_hash_seed(root):
    seen = set()
    for seed in ("0", "1", "4242"):
        command = [sys.executable, "-m", "toadstone", "scan", "examples/project", "--no-cache", "--format", "json"]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, timeout=120, check=False)
        assert done.returncode == 1, done.stderr
        seen.add(hashlib.sha256(done.stdout).hexdigest())
    assert len(seen) == 1


def test_in_any_order_of_the_directory(monkeypatch):
    expected = document(scan(PROJECT))
    real = os.walk

    def reversed_walk(top, *rest, **named):
        for folder, names, entries in real(top, *rest, **named):
            names.reverse()
            yield folder, names, entries[::-1]

    monkeypatch.setattr(os, "walk", reversed_walk)
    assert document(scan(PROJECT)) == expected


def test_each_file_says_the_same_alone_and_in_company():
    together = {subject.path: subject for subject in scan(PROJECT).subjects}
    for path, subject in reversed(together.items()):
        (alone,) = scan(path).subjects
        same = [(finding.check, finding.message, finding.severity) for finding in alone.findings]
        if subject.path.startswith(f"{PROJECT}/assistant"):
            continue  # these are judged with the files next to them
        assert same == [(finding.check, finding.message, finding.severity) for finding in subject.findings], path


@pytest.fixture
def big(tmp_path) -> Path:
    """A booby-trapped file large enough for the cache."""
    path = tmp_path / "model.pkl"
    path.write_bytes(COMMAND[:-1] + b"B" + (SMALLEST).to_bytes(4, "little") + b"\x01" * SMALLEST + b"0.")
    return path


def test_the_cache_gives_the_same_report_and_is_used(tmp_path, big, monkeypatch):
    from toadstone.verbs import scan as module

    fresh = document(scan(big))
    cache = Cache(tmp_path / "cache", Config())
    assert document(scan(big, cache=cache)) == fresh

    def refuse(_source):
        raise AssertionError("scanned again")

    monkeypatch.setattr(module, "walk", refuse)
    assert document(scan(big, cache=cache)) == fresh
    cache.close()


def test_the_cache_knows_content_not_names(tmp_path, big):
    cache = Cache(tmp_path / "cache", Config())
    assert scan(big, cache=cache).verdict == "malicious"
    big.write_bytes(
        big.read_bytes().replace(b"cos\nsystem\n(", b"cbuiltins\nlist\n(").replace(b"echo toadstone", b"echo-toadstone")
    )
    assert document(scan(big, cache=cache)) == document(scan(big))
    cache.close()


def test_waivers_are_applied_to_what_comes_from_the_cache(tmp_path, big):
    import datetime as dt

    from toadstone import Waiver

    cache = Cache(tmp_path / "cache", Config())
    assert scan(big, cache=cache).verdict == "malicious"
    waiver = Waiver("reviewed", dt.date(2999, 1, 1), check="unsafe-import")
    assert not scan(big, cache=cache, policy=Policy(waivers=(waiver,))).findings
    assert scan(big, cache=cache).findings
    cache.close()


def test_other_settings_or_other_rules_are_another_result(tmp_path, big, monkeypatch):
    from toadstone.verbs import cache as module

    for config, code in ((Config(), "a"), (Config(checks={"unsafe-import": {"enabled": False}}), "a"), (Config(), "b")):
        monkeypatch.setattr(module, "code_identity", lambda code=code: code)
        cache = Cache(tmp_path / "cache", config)
        report = scan(big, config=config, cache=cache)
        assert bool([finding for finding in report.findings if finding.check == "unsafe-import"]) is (not config.checks)
        cache.close()


def test_a_broken_cache_is_no_obstacle(tmp_path, big):
    cache = Cache(tmp_path / "cache", Config())
    assert scan(big, cache=cache).verdict == "malicious"
    cache.close()
    (tmp_path / "cache" / "results-1.sqlite").write_bytes(b"this is no database" * 100)
    cache = Cache(tmp_path / "cache", Config())
    assert scan(big, cache=cache).verdict == "malicious"
    cache.close()
    nowhere = tmp_path / "file"
    nowhere.write_bytes(b"")
    assert scan(big, cache=Cache(nowhere / "below", Config())).verdict == "malicious"


def test_a_file_that_changes_while_it_is_read_is_incomplete(tmp_path, monkeypatch):
    from toadstone.verbs import scan as module

    path = tmp_path / "model.pkl"
    path.write_bytes(COMMAND)
    walk = module.walk

    def meddling(source):
        path.write_bytes(COMMAND + b"more")
        return walk(source)

    monkeypatch.setattr(module, "walk", meddling)
    report = scan(path)
    assert report.verdict == "malicious"
    (subject,) = report.subjects
    assert [gap.reason for gap in subject.unread] == ["the file changed while it was being read"]
    assert subject.digests == {}, "nobody knows which bytes these digests would be of"
