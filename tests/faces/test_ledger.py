"""``toadstone ledger`` and ``--record`` as a user types them."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from toadstone import Ledger, open_ledger
from toadstone.ledger.keys import KEY_VARIABLE, PASSPHRASE_VARIABLE
from toadstone.ledger.ledger import LEDGER_VARIABLE

LEDGER = Path(".toadstone/ledger.sqlite")


@pytest.fixture
def key(monkeypatch, tmp_path) -> Path:
    """A passphrase in the environment, and no key yet."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "a passphrase")
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.delenv(LEDGER_VARIABLE, raising=False)
    return tmp_path / "data" / "toadstone" / "ledger-key.pem"


@pytest.fixture
def begun(toadstone, key, files) -> str:
    """A ledger with three records; gives its verifier key."""
    assert toadstone("ledger", "key").code == 0
    told = toadstone("ledger", "init", "--origin", "example.com/models")
    assert (told.code, told.err) == (0, "")
    assert toadstone("scan", "good.pkl", "--record").code == 0
    assert toadstone("scan", "bad.pkl", "--record").code == 1
    return next(line.removeprefix("verifier key: ") for line in told.out.splitlines() if line.startswith("verifier key"))


def test_a_key_is_made_once(toadstone, key):
    told = toadstone("ledger", "key")
    assert told.out.startswith(f"a new key -> {key}\n")
    assert "-----BEGIN PUBLIC KEY-----" in told.out
    again = toadstone("ledger", "key")
    assert again.out == told.out[told.out.index("-----BEGIN") :]
    assert "PRIVATE" not in told.out
    assert "ENCRYPTED PRIVATE KEY" in key.read_text()
    other = toadstone("ledger", "key", "--key", "other.pem", "--no-passphrase")
    assert f"{KEY_VARIABLE}=other.pem" in other.out
    assert Path("other.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_a_key_needs_a_passphrase(toadstone, key, monkeypatch):
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    told = toadstone("ledger", "key")
    assert told.code == 2
    assert "a key needs a passphrase" in told.err
    assert not key.exists()
    typed = iter(["one", "two", "same", "same", "same"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    assert "the two passphrases differ" in toadstone("ledger", "key").err
    assert toadstone("ledger", "key").code == 0
    assert toadstone("ledger", "init").code == 0


def test_what_is_recorded_is_listed(toadstone, begun):
    lines = toadstone("ledger", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1", "2"]
    assert [line.split()[3] for line in lines] == ["scan", "svr/v0.2", "scan"]
    assert lines[0].endswith("clean       good.pkl")
    assert lines[2].endswith("malicious   bad.pkl")
    listed = json.loads(toadstone("ledger", "list", "--format", "json").out)
    assert [one["entry"] for one in listed] == [0, 1, 2]
    assert listed[2]["statement"]["predicate"]["passed"] is False
    assert toadstone("ledger", "list", "--last", "1").out.splitlines() == lines[2:]
    assert toadstone("ledger", "list", "--kind", "scan").out.splitlines() == [lines[0], lines[2]]
    assert toadstone("ledger", "list", "--kind", "scan", "--last", "1").out.splitlines() == lines[2:]
    assert toadstone("ledger", "list", "--about", "bad.pkl").out.splitlines() == lines[2:]
    digest = listed[0]["statement"]["subject"][0]["digest"]["blake3"]
    assert toadstone("ledger", "list", "--about", f"blake3:{digest}").out.splitlines() == lines[:2]
    assert json.loads(toadstone("ledger", "list", "--about", "odd.bin", "--format", "json").out) == []
    assert json.loads(toadstone("ledger", "show", "2").out) == listed[2]["statement"]


def test_a_record_of_a_report_that_was_kept(toadstone, begun):
    told = toadstone("scan", "bad.pkl", "--record", "--format", "json", "--output", "report.json")
    assert "recorded -> " in told.err
    assert told.out == ""
    statement = json.loads(toadstone("ledger", "show", "3").out)
    from toadstone.core.blob import BytesBlob
    from toadstone.core.digest import digests

    assert statement["predicate"]["report"]["digest"]["sha256"] == digests(BytesBlob(Path("report.json").read_bytes()))["sha256"]
    assert [line.split()[0] for line in toadstone("ledger", "list", "--about", "report.json").out.splitlines()] == ["2", "3"]
    told = toadstone("scan", "bad.pkl", "--record", "--format", "json")
    assert json.loads(told.out)["verdict"] == "malicious"
    assert toadstone("scan", "bad.pkl", "--record", "--quiet").out == ""


def test_proofs_stand_alone(toadstone, begun):
    kept = Path("kept")
    assert toadstone("ledger", "checkpoint", "--output", kept).code == 0
    assert toadstone("scan", "odd.bin", "--record").code == 3
    assert toadstone("ledger", "prove", "bad.pkl", "--output", "bad.tlog-proof").code == 0
    Path("first.tlog-proof").write_text(toadstone("ledger", "prove", "0").out)
    assert toadstone("ledger", "prove", "--since", kept, "--output", "grown").code == 0
    LEDGER.unlink()
    proofs = [word for name in ("bad.tlog-proof", "first.tlog-proof", "grown") for word in ("--proof", name)]
    told = toadstone("ledger", "check", *proofs, "--verifier", begun)
    assert told.code == 0
    assert "bad.tlog-proof: holds: one of 4 records of example.com/models" in told.out
    assert "grown: holds: the ledger of 4 records begins with that of 3" in told.out
    Path("bad.tlog-proof").write_text(Path("bad.tlog-proof").read_text().replace("index 2", "index 1"))
    told = toadstone("ledger", "check", *proofs, "--verifier", begun)
    assert told.code == 1
    assert "bad.tlog-proof: the proof does not hold: entry 1 is not in the ledger" in told.out
    for wrong in ("kept", "good.pkl", "{"):
        Path("{").write_text("{}")
        told = toadstone("ledger", "check", "--proof", wrong, "--verifier", begun)
        assert told.code in (1, 2)
        assert "Traceback" not in told.err
    assert "--proof needs --verifier" in toadstone("ledger", "check", "--proof", kept).err


def test_check_says_what_holds_and_what_does_not(toadstone, begun):
    told = toadstone("ledger", "check", "--verifier", begun)
    assert (told.code, told.out) == (0, f"{LEDGER}: 3 records and 3 checkpoints hold\n")
    assert "judged by the key that it names itself" in toadstone("ledger", "check").out
    assert toadstone("ledger", "checkpoint", "--output", "kept").code == 0
    assert toadstone("ledger", "export", "copy").out == "3 records, 3 files written -> copy\n"
    with closing(sqlite3.connect(LEDGER)) as connection, connection:
        connection.execute("UPDATE entry SET envelope = replace(envelope, 'e', 'f') WHERE number = 1")
    told = toadstone("ledger", "check")
    assert told.code == 1
    assert told.out.startswith("entry 1: it was changed")
    answer = json.loads(toadstone("ledger", "check", "--format", "json").out)
    assert (answer["holds"], answer["records"], answer["verifier"]) == (False, 3, begun)
    assert answer["problems"][0]["place"] == "entry 1"
    with closing(sqlite3.connect(LEDGER)) as connection, connection:
        for query in (
            "DELETE FROM entry WHERE number > 0",
            "DELETE FROM naming WHERE entry > 0",
            "DELETE FROM checkpoint WHERE size > 1",
        ):
            connection.execute(query)
        connection.execute("UPDATE checkpoint SET size = size")
    answer = json.loads(toadstone("ledger", "check", "--format", "json", "--checkpoint", "kept", "--checkpoint", "copy").out)
    assert [problem["place"] for problem in answer["problems"]][-2:] == ["entries 1 to 2", "entries 1 to 2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ledger"], "are required: ACTION"),
        (["ledger", "lst"], "invalid choice"),
        (["ledger", "list", "--ledger", "none.sqlite"], "there is no ledger none.sqlite"),
        (["ledger", "check", "--ledger", "none.sqlite"], "there is no ledger none.sqlite"),
        (["ledger", "show", "99"], "has no entry 99; it has 3"),
        (["ledger", "show", "x"], "'x' is no number of a record"),
        (["ledger", "list", "--last", "0"], "'0' is no number of records"),
        (["ledger", "list", "--about", "nothing"], "neither a file nor a digest"),
        (["ledger", "prove"], "either which record, or --since"),
        (["ledger", "prove", "odd.bin"], "no record names odd.bin"),
        (["ledger", "prove", "--since", "nothing"], "nothing cannot be read"),
        (["ledger", "prove", "--since", "good.pkl"], "it is no text"),
        (["ledger", "prove", "0", "--output", "no/where"], "cannot be written"),
        (["ledger", "check", "--verifier", "x"], "is no verifier key"),
        (["ledger", "check", "--checkpoint", "nothing"], "the checkpoint nothing cannot be read"),
        (["ledger", "init"], "holds a ledger already"),
        (["ledger", "key", "--key", "good.pkl"], "good.pkl is no private key in PEM"),
        (["ledger", "export", "good.pkl"], "cannot be"),
    ],
)
def test_wrong_words_are_explained(toadstone, begun, words, said):
    told = toadstone(*words)
    assert told.code == 2
    assert said in told.err
    assert "Traceback" not in told.err


def test_a_lost_key_a_wrong_passphrase_and_a_locked_ledger(toadstone, begun, key, monkeypatch):
    with closing(sqlite3.connect(LEDGER)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(
            "toadstone.ledger.ledger.Ledger.create.__func__.__kwdefaults__", {"origin": "", "timeout": 0.2, "existing": False}
        )
        told = toadstone("scan", "good.pkl", "--record")
        assert told.code == 2
        assert "was locked for 0.2 s; nothing was recorded" in told.err
        assert toadstone("ledger", "list").code == 0
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "wrong")
    told = toadstone("scan", "good.pkl", "--record")
    assert (told.code, told.out) == (2, "")
    assert "the passphrase does not open" in told.err
    key.rename(key.with_name("moved.pem"))
    told = toadstone("scan", "good.pkl", "--record")
    assert (told.code, told.out) == (2, "")
    assert "is not there" in told.err
    assert "A lost key cannot be replaced" in told.err
    assert toadstone("ledger", "check").code == 0


def test_the_ledger_may_lie_in_what_is_scanned(toadstone, begun):
    Path("bad.pkl").unlink()
    Path("odd.bin").unlink()
    for _ in range(2):
        told = toadstone("scan", ".", "--record")
        assert (told.code, "incomplete" in told.out.lower()) == (0, False), told.out


def test_cleaning_is_recorded(toadstone, begun, root):
    data = os.path.relpath(root / "examples" / "mail" / "train.parquet")
    told = toadstone("clean", data, "-o", "kept.parquet", "--quarantine", "out.parquet", "--record")
    assert told.out.splitlines()[-1] == f"recorded -> {LEDGER}, entry 3"
    statement = json.loads(toadstone("ledger", "show", "3").out)
    assert statement["predicate"]["rows"] == {"kept": 1376, "quarantined": 24, "relabelled": 0}
    for name in (data, "kept.parquet", "out.parquet"):
        assert toadstone("ledger", "list", "--about", name).out.split()[0] == "3"


def test_the_nearest_ledger_is_meant(toadstone, begun, monkeypatch, tmp_path):
    Path("deep/er").mkdir(parents=True)
    monkeypatch.chdir("deep/er")
    assert len(toadstone("ledger", "list").out.splitlines()) == 3
    monkeypatch.setenv(LEDGER_VARIABLE, str(tmp_path / "another.sqlite"))
    assert "there is no ledger" in toadstone("ledger", "list").err
    with open_ledger() as ledger:  # begins it
        assert len(ledger) == 0
        assert isinstance(ledger, Ledger)
    assert toadstone("ledger", "list").out == ""
