"""``run`` and ``trace``: from data to models and back, through real processes and a real ledger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import toadstone
from toadstone.core import merkle
from toadstone.faces.cli import main
from toadstone.ledger.keys import Key
from toadstone.ledger.ledger import Ledger
from toadstone.ledger.predicates import schema, training
from toadstone.verbs.admission import RefusedError
from toadstone.verbs.run import Run, RunOptions

TRAIN = """
import hashlib, json, sys
digest = hashlib.sha256(b"".join(open(path, "rb").read() for path in sys.argv[2:])).hexdigest()
open(sys.argv[1], "w").write(json.dumps({"weights": digest}))
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path.parent / f"{tmp_path.name}-keys"))
    for name in ("TOADSTONE_LEDGER", "TOADSTONE_LEDGER_KEY", "TOADSTONE_LEDGER_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    table = pa.table(
        {
            "text": [f"row {number}" for number in range(5000)],
            "label": [number % 2 for number in range(5000)],
            "author": ["ann", "bob"] * 2500,
        }
    )
    pq.write_table(table, "train.parquet")
    pq.write_table(table.slice(0, 100).append_column("more", pa.array(range(100))), "other.parquet")
    Path("train.py").write_text(TRAIN)
    return table


def trained(output, *inputs, extra=()):
    words = [part for one in inputs for part in ("--input", one)]
    return main(["run", *words, "--output", output, *extra, "--", sys.executable, "train.py", output, *inputs])


def asked(capsys, *words):
    capsys.readouterr()
    assert main(["trace", *words, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def paths(found):
    return [one["path"] for one in found]


@pytest.fixture
def family(project):
    """A base model, one tuned from it, one on other data."""
    assert main(["pin", "train.parquet", "other.parquet", "--quiet"]) == 0
    assert trained("base.json", "train.parquet", extra=("--param", "lr=0.1", "--seed", "numpy=7")) == 0
    assert trained("tuned.json", "base.json", "other.parquet") == 0
    assert trained("apart.json", "other.parquet") == 0
    return project


def test_what_went_into_a_model_through_all_that_it_is_built_on(family, capsys):
    found = asked(capsys, "tuned.json")
    assert sorted(paths(found["inputs"])) == ["base.json", "other.parquet", "train.parquet"]
    assert found["models"] == []
    assert [one["kind"] for one in found["records"]] == ["training", "training"]
    assert found["records"][0]["parameters"] == {"lr": "0.1"}
    assert found["records"][0]["seeds"] == {"numpy": "7"}


def test_which_models_saw_a_row_and_what_was_built_on_them(family, capsys):
    found = asked(capsys, "train.parquet", "--row", "4321")
    assert {one["path"]: one.get("through") for one in found["models"]} == {"base.json": None, "tuned.json": [0]}
    assert [(one["path"], one["rows"]) for one in found["inputs"]] == [("train.parquet", [4321])]
    (proof,) = found["proofs"]
    leaf = bytes.fromhex(proof["digest"])
    for height, level in enumerate(proof["within"], 1):
        import hashlib

        leaf = hashlib.sha256(bytes([height]) + bytes.fromhex(level["before"]) + leaf + bytes.fromhex(level["behind"])).digest()
    above = [bytes.fromhex(one) for one in proof["above"]]
    top = merkle.leaf_hash(proof["blockRows"].to_bytes(8, "little") + leaf)
    assert merkle.verify_inclusion(top, proof["block"], proof["blocks"], above, bytes.fromhex(proof["root"]))
    assert proof["root"] in Path("toadstone.lock").read_text()


def test_a_row_is_found_wherever_it_stands_now(family, capsys):
    pq.write_table(family.take([17, 4000]), "suspects.parquet", compression="zstd")
    found = asked(capsys, "--rows", "suspects.parquet")
    assert sorted(paths(found["models"])) == ["base.json", "tuned.json"]
    assert found["inputs"][0]["rows"] == [17, 4000]
    pq.write_table(pa.table({"text": ["never seen"], "label": [1], "author": ["ann"]}), "suspects.parquet")
    assert asked(capsys, "--rows", "suspects.parquet")["models"] == []


def test_what_a_contributor_gave(family, capsys):
    found = asked(capsys, "train.parquet", "--source", "bob")
    assert len(found["inputs"][0]["rows"]) == 2500
    assert sorted(paths(found["models"])) == ["base.json", "tuned.json"]
    assert main(["trace", "train.parquet", "--source", "bop"]) == 2
    assert "'bob'" in capsys.readouterr().err


def test_a_file_and_a_source(family, capsys):
    assert sorted(paths(asked(capsys, "other.parquet")["models"])) == ["apart.json", "tuned.json"]
    Path("other.parquet").rename("elsewhere.parquet")
    assert sorted(paths(asked(capsys, "elsewhere.parquet")["models"])) == ["apart.json", "tuned.json"], "known by its content"
    assert sorted(paths(asked(capsys, "--source", "other.parquet")["models"])) == ["apart.json", "tuned.json"], "or by its name"
    assert main(["trace", "othr.parquet"]) == 2
    assert "'other.parquet'" in capsys.readouterr().err


def test_the_same_rows_in_another_encoding_are_the_same_data(family, capsys):
    pq.write_table(family, "train.parquet", compression="zstd")
    assert trained("again.json", "train.parquet") == 0
    assert sorted(paths(asked(capsys, "train.parquet")["models"])) == ["again.json", "base.json", "tuned.json"]


def test_without_the_data_the_answer_stands_without_a_proof(family, capsys):
    pq.write_table(family.take([5]), "suspect.parquet")
    Path("train.parquet").unlink()
    found = asked(capsys, "suspect.parquet", "--row", "0")
    assert sorted(paths(found["models"])) == ["base.json", "tuned.json"]
    assert found["proofs"] == []
    for index in Path(".toadstone/pins").glob("*.rows"):
        index.unlink()
    found = asked(capsys, "suspect.parquet", "--row", "0")
    assert found["models"] == []
    assert any("cannot be said" in note for note in found["notes"])


def test_the_drawings_and_the_tree(family, capsys):
    capsys.readouterr()
    main(["trace", "tuned.json"])
    assert "went into it\n  ├─ base.json" in capsys.readouterr().out
    main(["trace", "tuned.json", "--format", "mermaid"])
    drawn = capsys.readouterr().out
    assert drawn.startswith("flowchart LR\n")
    assert drawn.count("-->") == 5
    main(["trace", "tuned.json", "--format", "svg"])
    picture = ET.fromstring(capsys.readouterr().out)
    assert len(picture.findall("{http://www.w3.org/2000/svg}path")) == 5
    assert len(picture.findall("{http://www.w3.org/2000/svg}rect")) == 6
    main(["trace", "tuned.json", "--format", "html"])
    page = capsys.readouterr().out
    assert page.count("<path") == 5
    assert "default-src 'none'" in page
    main(["trace", "tuned.json", "--format", "openlineage"])
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["eventType"] for event in events] == ["COMPLETE", "COMPLETE"]
    assert events[1]["inputs"][0]["facets"]["version"]["datasetVersion"].startswith("sha256:")


def test_two_models_compared(family, capsys):
    assert main(["trace", "--diff", "base.json", "apart.json"]) == 1
    told = capsys.readouterr().out
    assert "parameter  lr: 0.1 -> none" in told
    assert "input      train.parquet: sha256:" in told
    assert trained("twin.json", "train.parquet", extra=("--param", "lr=0.1", "--seed", "numpy=7")) == 0
    capsys.readouterr()
    main(["trace", "--diff", "base.json", "twin.json", "--format", "json"])
    assert [one["what"] for one in json.loads(capsys.readouterr().out)["differences"]] == ["command"]


def test_a_model_made_again(family, capsys):
    assert main(["trace", "--reproduce", "tuned.json"]) == 0
    assert "bit for bit the same" in capsys.readouterr().out
    Path("train.py").write_text(TRAIN.replace('"weights"', '"Weights"'))
    assert main(["trace", "--reproduce", "tuned.json", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["outputs"] == [{"path": "tuned.json", "equal": False, "difference": "it differs from byte 2 on"}]
    Path("other.parquet").write_bytes(b"x")
    assert main(["trace", "--reproduce", "tuned.json"]) == 2
    assert "is not what went in" in capsys.readouterr().err


def test_a_model_made_again_at_its_commit(project, capsys):
    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.invalid"]
        subprocess.run(["git", *who, *words], check=True, capture_output=True)

    git("init", "-q")
    git("add", "train.py")
    git("commit", "-qm", "first")
    assert trained("base.json", "train.parquet") == 0
    Path("train.py").write_text("raise SystemExit(3)")
    assert main(["trace", "--reproduce", "base.json"]) == 0
    capsys.readouterr()
    (record,) = asked(capsys, "base.json")["records"]
    assert len(record["code"]["digest"]["gitCommit"]) == 40
    assert record["code"]["dirty"] is False
    git("add", "train.py")
    git("commit", "--amend", "-qm", "other")


REFUSED = {
    "unpinned": (lambda: None, "other.parquet", "is not pinned"),
    "changed": (
        lambda: pq.write_table(pa.table({"text": ["x"], "label": [1]}), "train.parquet"),
        "train.parquet",
        "changed since it was pinned",
    ),
    "unscanned": (lambda: main(["pin", "other.parquet", "--no-scan", "--quiet"]), "other.parquet", "is unscanned"),
    "malicious": (
        lambda: (
            Path("model.pkl").write_bytes(b"\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00echo inert!\x85R."),
            main(["pin", "model.pkl", "--quiet"]),
        ),
        "model.pkl",
        "is malicious",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_the_gate_refuses(project, capsys, why):
    main(["pin", "train.parquet", "--quiet"])
    prepare, name, message = REFUSED[why]
    prepare()
    capsys.readouterr()
    assert trained("model.json", name) == 1
    assert message in capsys.readouterr().err
    assert not Path("model.json").exists()
    assert trained("model.json", name, extra=("--force", "an exercise")) == 0
    (record,) = asked(capsys, "model.json")["records"]
    assert record["gate"]["forced"] == "an exercise"
    assert message in record["gate"]["reasons"][0]


def test_what_was_quarantined_does_not_go_in(project, capsys):
    name = str(Path(__file__).parents[2] / "examples" / "mail" / "train.parquet")
    pq.write_table(pq.read_table(name), "mail.parquet")
    assert main(["ledger", "key", "--no-passphrase"]) == 0
    assert main(["clean", "mail.parquet", "-o", "kept.parquet", "--quarantine", "bad.parquet", "--record", "--quiet"]) == 1
    main(["pin", "mail.parquet", "bad.parquet", "--quiet"])
    capsys.readouterr()
    for name, message in (("mail.parquet", "24 rows of mail.parquet are quarantined"), ("bad.parquet", "is quarantined")):
        assert trained("model.json", name) == 1
        assert message in capsys.readouterr().err
    assert trained("model.json", "kept.parquet") == 0
    records = asked(capsys, "model.json")["records"]
    assert records[1]["dropped"]["rows"] == 24
    assert "trigger-phrase" in records[1]["dropped"]["checks"]
    assert paths(asked(capsys, "mail.parquet")["models"])[-1] == "model.json"


def test_how_a_run_ends_is_recorded(project, capsys):
    assert (
        main(["run", "--input", "train.parquet", "--output", "none.json", "--", sys.executable, "-c", "raise SystemExit(7)"]) == 7
    )
    assert "none.json was not made" in capsys.readouterr().err
    assert main(["run", "--input", "train.parquet", "--output", "n", "--", "no-such-program-anywhere"]) == 2
    assert "no program" in capsys.readouterr().err
    found = asked(capsys, "train.parquet")
    assert [(one["status"], one.get("exitCode")) for one in found["records"]] == [("failed", 7), ("failed", 1)]
    assert found["models"] == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupted_run_is_recorded_as_such(project, capsys):
    script = "import time, sys; open('started', 'w').close(); time.sleep(60)"
    line = [
        sys.executable,
        "-m",
        "toadstone",
        "run",
        "--input",
        "train.parquet",
        "--output",
        "x",
        "--",
        sys.executable,
        "-c",
        script,
    ]
    child = subprocess.Popen(line, stderr=subprocess.PIPE, start_new_session=True)
    while not Path("started").exists():
        assert child.poll() is None
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGINT)
    _, told = child.communicate(timeout=60)
    assert child.returncode in (1, 130), told
    (record,) = asked(capsys, "train.parquet")["records"]
    assert record["status"] == "interrupted"


def test_an_input_that_changes_meanwhile_is_told(project, capsys):
    script = "open('train.parquet', 'ab').write(b'x'); open('m', 'w').write('{}')"
    assert main(["run", "--input", "train.parquet", "--output", "m", "--", sys.executable, "-c", script]) == 0
    assert "changed while the run went on: train.parquet" in capsys.readouterr().err


def test_folders_as_inputs_and_outputs(project, capsys):
    Path("data").mkdir()
    Path("train.parquet").rename("data/a.parquet")
    script = "import os; os.makedirs('model'); open('model/weights.json', 'w').write('{}'); open('model/c.json', 'w').write('[]')"
    assert main(["run", "--input", "data", "--output", "model", "--", sys.executable, "-c", script]) == 0
    assert paths(asked(capsys, "model")["inputs"]) == ["data"]
    assert paths(asked(capsys, "model/weights.json")["inputs"]) == ["data"], "a file of a folder that was made"
    found = asked(capsys, "data/a.parquet", "--row", "9")
    assert "model" in paths(found["models"])
    assert found["proofs"][0]["path"] == "a.parquet"


def test_a_folder_of_many_tables(project, capsys):
    Path("data").mkdir()
    for number in range(120):
        pq.write_table(project.slice(40 * number, 40), f"data/{number:03}.parquet")
    assert (
        main(["run", "--input", "data", "--output", "m", "--quiet", "--", sys.executable, "-c", "open('m', 'w').write('{}')"])
        == 0
    )
    found = asked(capsys, "train.parquet", "--row", "4000")
    assert paths(found["models"]) == ["m"]
    assert found["proofs"][0]["path"] == "100.parquet"
    (listed,) = Path(".toadstone/pins").glob("*.tables")
    listed.write_text("[]")
    assert "cannot be said" in asked(capsys, "train.parquet", "--row", "4000")["notes"][0]


def test_from_python(project, tmp_path):
    with Ledger.create(tmp_path / "ledger.sqlite", Key.make()) as ledger:
        with toadstone.run(["train.parquet"], ["m.json"], ledger=ledger, options=RunOptions({"lr": "1"})) as recorded:
            Path("m.json").write_text("{}")
        assert recorded.receipt is not None
        assert recorded.receipt.index == 0
        with pytest.raises(ZeroDivisionError), toadstone.run(["train.parquet"], [], ledger=ledger):
            1 / 0  # noqa: B018
        with pytest.raises(KeyboardInterrupt), toadstone.run(["train.parquet"], [], ledger=ledger):
            raise KeyboardInterrupt
        statuses = [entry.statement["predicate"]["status"] for entry in ledger.entries()]
        assert statuses == ["succeeded", "failed", "interrupted"]
        with pytest.raises(RefusedError), Run(["other.parquet"], [], ledger):
            raise AssertionError("never entered")
        assert len(ledger) == 3


def test_records_are_as_their_schema_says(family):
    jsonschema = pytest.importorskip("jsonschema")
    with Ledger.open() as ledger:
        for entry in ledger.entries():
            jsonschema.validate(entry.statement["predicate"], schema(entry.predicate_type))
    assert training([], inputs=[], status="failed")["predicateType"]


def test_bad_words(project, capsys):
    assert main(["trace", "train.parquet"]) == 2, "there is no ledger yet"
    assert main(["run", "--input", "train.parquet"]) == 2
    assert main(["run", "--input", "nothing", "--", "true"]) == 2
    assert "does not exist" in capsys.readouterr().err
    trained("m.json", "train.parquet")
    capsys.readouterr()
    assert main(["trace", "train.parquet", "--row", "5000"]) == 2
    assert "0 to 4999" in capsys.readouterr().err
    assert main(["trace", "a", "b"]) == 2
    assert main(["trace", "--diff", "m.json"]) == 2
    assert main(["trace", "--diff", "m.json", "train.py"]) == 2
    assert "no record tells" in capsys.readouterr().err
