"""Bills of materials: valid by the official schemas, complete, and the same for the same things."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from toadstone.faces.cli import main

ROOT = Path(__file__).parents[2]
VERSIONS = {"1.6": SchemaVersion.V1_6, "1.7": SchemaVersion.V1_7}
EVIL = b"\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00echo inert!\x85R."


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path.parent / f"{tmp_path.name}-keys"))
    for name in ("TOADSTONE_LEDGER", "TOADSTONE_LEDGER_KEY"):
        monkeypatch.delenv(name, raising=False)
    pq.write_table(pa.table({"text": ["a", "b"], "label": [0, 1]}), "train.parquet")
    Path("model").mkdir()
    Path("model/config.json").write_text('{"model_type": "bert", "architectures": ["BertForMaskedLM"]}')
    Path("model/README.md").write_text(
        "---\nlicense: mit\npipeline_tag: fill-mask\nbase_model:\n- owner/base\ndatasets:\n  - owner/data\n---\n# A model\n"
    )
    script = "import sys; open('model/weights.pkl', 'wb').write(b'\\x80\\x04K\\x01.')"
    main(["pin", "train.parquet", "--quiet", "--vouched-by", "Ada", "--licence", "CC0-1.0"])
    assert (
        main(
            [
                "run",
                "--input",
                "train.parquet",
                "--output",
                "model/weights.pkl",
                "--param",
                "lr=1",
                "--quiet",
                "--",
                sys.executable,
                "-c",
                script,
            ]
        )
        == 0
    )
    script = "open('tuned.pkl', 'wb').write(b'\\x80\\x04K\\x02.')"
    assert (
        main(
            [
                "run",
                "--input",
                "model/weights.pkl",
                "--output",
                "tuned.pkl",
                "--force",
                "an exercise",
                "--quiet",
                "--",
                sys.executable,
                "-c",
                script,
            ]
        )
        == 0
    )
    return tmp_path


def billed(capsys, target, version="1.6"):
    capsys.readouterr()
    assert main(["bom", target, "--spec", version]) == 0
    text = capsys.readouterr().out
    error = JsonStrictValidator(VERSIONS[version]).validate_str(text)
    assert error is None, str(error)[:2000]
    return json.loads(text)


def named(bill, name):
    (found,) = [one for one in bill["components"] if one["name"] == name]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_a_project(project, capsys, version):
    bill = billed(capsys, ".", version)
    model = named(bill, "./model/weights.pkl")
    assert model["type"] == "machine-learning-model"
    assert model["modelCard"]["modelParameters"]["modelArchitecture"] == "BertForMaskedLM"
    assert model["licenses"] == [{"license": {"name": "mit"}}]
    data = named(bill, "./train.parquet")
    assert data["type"] == "data"
    assert data["data"][0]["governance"] == {"custodians": [{"contact": {"name": "Ada"}}]}
    roots = {one["name"]: one["value"] for one in data["data"][0]["contents"]["properties"]}
    assert roots["toadstone:content-root"] in Path("toadstone.lock").read_text()
    tuned = named(bill, "./tuned.pkl")
    assert [one["name"] for one in tuned["pedigree"]["ancestors"]] == ["./model/weights.pkl"]
    needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    assert needs[model["bom-ref"]] == [data["bom-ref"]]
    assert needs[tuned["bom-ref"]] == [model["bom-ref"]]
    first, second = bill["formulation"][0]["workflows"]
    assert first["outputs"][0]["resource"] == {"ref": model["bom-ref"]}
    assert {"name": "toadstone:parameters:lr", "value": "1"} in first["properties"]
    assert second["inputs"][0]["resource"] == {"ref": model["bom-ref"]}
    assert {claim["predicate"] for claim in bill["declarations"]["claims"]} == {
        "no finding at or above high; every byte was read"
    }
    assert "vulnerabilities" not in bill


def test_findings_are_vulnerabilities(project, capsys):
    Path("model/weights.pkl").write_bytes(EVIL)
    bill = billed(capsys, "model")
    (found,) = [one for one in bill["vulnerabilities"] if one["id"] == "unsafe-import"] or [bill["vulnerabilities"][0]]
    assert found["ratings"][0]["severity"] == "critical"
    assert 502 in found["cwes"]
    assert found["affects"] == [{"ref": named(bill, "model/weights.pkl")["bom-ref"]}]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_examples_and_no_ledger(tmp_path, monkeypatch, capsys, version):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    bill = billed(capsys, "examples/project/models", version)
    assert len(bill["components"]) > 8
    assert {one["type"] for one in bill["components"]} >= {"machine-learning-model", "file"}


def test_the_same_things_have_the_same_bill(project, capsys):
    assert billed(capsys, ".") == billed(capsys, ".")
    before = billed(capsys, ".")["serialNumber"]
    Path("model/config.json").write_text("{}")
    assert billed(capsys, ".")["serialNumber"] != before


def test_nothing_to_bill(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["bom", "nothing"]) == 2
    Path("a.txt").write_text("hello")
    assert main(["bom", "a.txt", "--spec", "1.5"]) == 2
    assert billed(capsys, "a.txt")["components"][0]["type"] == "file"
    Path("out").mkdir()
    assert main(["bom", "a.txt", "--output", "out"]) == 2
