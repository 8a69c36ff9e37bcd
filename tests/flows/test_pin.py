"""``pin`` and ``verify`` on real folders: what is reported, and what is not."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from toadstone.faces.cli import main

ROWS = 12_000


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    table = pa.table({"text": [f"text {number}" for number in range(ROWS)], "label": rng.integers(0, 2, ROWS)})
    (tmp_path / "data").mkdir()
    pq.write_table(table, "data/train.parquet")
    model = tmp_path / "model"
    (model / "empty").mkdir(parents=True)
    (model / "weights.bin").write_bytes(bytes(1000))
    (model / "config.json").write_text("{}")
    return table


def verified(capsys, *words):
    capsys.readouterr()
    code = main(["verify", "--format", "json", *words])
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "toadstone.verify/1"
    return code, [(one["source"], one.get("path", ""), one["kind"], len(one["rows"])) for one in document["changes"]], document


def test_what_is_the_same_is_said_to_be(project, capsys):
    assert main(["pin", "data/train.parquet", "model", "--quiet"]) == 0
    assert verified(capsys)[:2] == (0, [])
    assert main(["verify"]) == 0
    assert capsys.readouterr().out == "same: 2 sources, content as it was pinned.\n"


@pytest.mark.parametrize("codec", ["snappy", "zstd", "gzip", "brotli", "lz4", "none"])
def test_another_codec_is_the_same_content(project, capsys, codec):
    main(["pin", "data/train.parquet", "--quiet", "--no-scan"])
    pq.write_table(project, "data/train.parquet", compression=codec, row_group_size=777, use_dictionary=codec == "zstd")
    assert verified(capsys)[:2] == (0, [("data/train.parquet", "", "re-encoded", 0)])


@pytest.mark.parametrize("writer", ["pandas", "polars", "arrow", "feather"])
def test_another_writer_is_the_same_content(project, capsys, writer):
    main(["pin", "data/train.parquet", "--quiet", "--no-scan"])
    if writer == "pandas":
        project.to_pandas().to_parquet("data/train.parquet", index=False)
    elif writer == "polars":
        pl.from_arrow(project).write_parquet("data/train.parquet")
    elif writer == "arrow":
        with pa.OSFile("data/train.parquet", "wb") as sink, pa.ipc.new_file(sink, project.schema) as stream:
            stream.write_table(project, max_chunksize=100)
    else:
        pa.feather.write_feather(project, "data/train.parquet", compression="zstd")
    assert verified(capsys)[:2] == (0, [("data/train.parquet", "", "re-encoded", 0)])


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.jsonl.gz"])
def test_texts_are_compared_by_their_rows(project, capsys, name):
    frame = project.to_pandas()

    def put(frame, **how):
        frame.to_csv(name, index=False, **how) if name.endswith("csv") else frame.to_json(name, orient="records", lines=True)

    put(frame)
    main(["pin", name, "--quiet", "--no-scan"])
    if name.endswith("csv"):
        put(frame, quoting=1, lineterminator="\r\n")
    elif name.endswith("gz"):
        held = gzip.decompress(Path(name).read_bytes())
        Path(name).write_bytes(gzip.compress(held, 1, mtime=77))
    else:
        put(frame[["label", "text"]])
    assert verified(capsys)[:2] == (0, [(name, "", "re-encoded", 0)])
    frame.loc[11_111, "label"] += 5
    put(frame)
    code, changes, document = verified(capsys)
    assert (code, changes) == (1, [(name, "", "relabelled", 1)])
    assert document["changes"][0]["rows"] == [11_111]
    assert document["changes"][0]["columns"] == ["label"]


def test_labels_flipped_behind_the_first_ten_thousand_rows(project, capsys):
    main(["pin", "data", "--quiet", "--no-scan"])
    labels = project["label"].to_numpy().copy()
    labels[10_000:] = 1 - labels[10_000:]
    pq.write_table(project.set_column(1, "label", pa.array(labels)), "data/train.parquet")
    code, changes, document = verified(capsys)
    assert (code, changes) == (1, [("data", "train.parquet", "relabelled", 2000)])
    assert document["changes"][0]["rows"] == list(range(10_000, ROWS))
    assert main(["verify"]) == 1
    assert "2,000 rows relabelled: 10000-11999 in label" in capsys.readouterr().out


def plant_hidden(model):
    (model / ".git").mkdir()
    (model / ".git" / "hook").write_text("echo")


TAMPERED = {
    "a planted hidden file": (plant_hidden, [(".git", "added"), (".git/hook", "added")]),
    "a renamed file": (
        lambda model: (model / "config.json").rename(model / "c.json"),
        [("c.json", "added"), ("config.json", "removed")],
    ),
    "an empty folder gone": (lambda model: (model / "empty").rmdir(), [("empty", "removed")]),
    "an empty folder come": (lambda model: (model / "new").mkdir(), [("new", "added")]),
    "one flipped bit": (lambda model: (model / "weights.bin").write_bytes(bytes(999) + b"\1"), [("weights.bin", "edited")]),
    "a longer file": (lambda model: (model / "weights.bin").write_bytes(bytes(1001)), [("weights.bin", "edited")]),
    "a swap of two files": (
        lambda model: (
            (model / "weights.bin").rename(model / "x"),
            (model / "config.json").rename(model / "weights.bin"),
            (model / "x").rename(model / "config.json"),
        ),
        [("config.json", "edited"), ("weights.bin", "edited")],
    ),
    "a link in place of a file": (
        lambda model: (
            shutil.copy(model / "weights.bin", model.parent / "w"),
            (model / "weights.bin").unlink(),
            (model / "weights.bin").symlink_to("../w"),
        ),
        [("weights.bin", "edited")],
    ),
    "a pipe": (lambda model: os.mkfifo(model / "pipe"), [("pipe", "added")]),
    "a name that is no UTF-8": (lambda model: (model / os.fsdecode(b"x\xff")).write_text(""), [("x\udcff", "added")]),
    "a name with a line break": (lambda model: (model / "a\nb").write_text(""), [("a\nb", "added")]),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_is_done_to_a_folder_is_reported(project, capsys, tmp_path, what):
    tamper, expected = TAMPERED[what]
    main(["pin", "model", "--quiet", "--no-scan"])
    tamper(tmp_path / "model")
    code, changes, _ = verified(capsys)
    assert code == 1
    assert sorted((path, kind) for _, path, kind, _ in changes) == expected


def test_odd_names_are_pinned_too(project, capsys, tmp_path):
    (tmp_path / "model" / os.fsdecode(b"x\xff")).write_text("a")
    (tmp_path / "model" / "with\nbreak").write_text("b")
    main(["pin", "model", "--quiet", "--no-scan"])
    assert verified(capsys)[:2] == (0, [])
    (tmp_path / "model" / os.fsdecode(b"x\xff")).write_text("c")
    assert verified(capsys)[1] == [("model", "x\udcff", "edited", 0)]


def test_many_files_stand_beside_the_lock(project, capsys, tmp_path):
    for number in range(600):
        (tmp_path / "model" / f"{number}.txt").write_text(str(number))
    main(["pin", "model", "--quiet", "--no-scan"])
    assert Path("toadstone.lock").stat().st_size < 1000
    (tmp_path / "model" / "77.txt").write_text("78")
    assert verified(capsys)[:2] == (1, [("model", "77.txt", "edited", 0)])
    shutil.rmtree(".toadstone")
    code, changes, document = verified(capsys)
    assert (code, changes) == (1, [("model", "", "edited", 0)])
    assert "none can be named" in document["changes"][0]["note"]


def test_without_what_stands_beside_the_lock_a_change_is_still_seen(project, capsys):
    main(["pin", "data/train.parquet", "--quiet", "--no-scan"])
    shutil.rmtree(".toadstone")
    pq.write_table(project, "data/train.parquet", compression="zstd")
    assert verified(capsys)[:2] == (0, [("data/train.parquet", "", "re-encoded", 0)])
    pq.write_table(project.slice(1), "data/train.parquet")
    assert verified(capsys)[:2] == (1, [("data/train.parquet", "", "edited", 0)])


@pytest.mark.parametrize("suffix", ["rows", "blocks"])
def test_digests_beside_the_lock_that_are_not_those_it_names(project, capsys, tmp_path, suffix):
    main(["pin", "data/train.parquet", "--quiet", "--no-scan"])
    (path,) = (tmp_path / ".toadstone" / "pins").glob(f"*.{suffix}")
    held = bytearray(path.read_bytes())
    held[-1] ^= 1 if suffix == "rows" else 0
    held[held.index(b"\n") + 40 if suffix == "blocks" else -2] ^= 1
    path.write_bytes(bytes(held))
    pq.write_table(project.slice(1), "data/train.parquet")
    code, changes, document = verified(capsys)
    assert (code, [change[2] for change in changes]) == (1, ["edited"])
    assert "is not what the lock names" in document["unknown"][0]


def test_a_source_that_is_gone(project, capsys):
    main(["pin", "data/train.parquet", "model", "--quiet", "--no-scan"])
    shutil.rmtree("model")
    assert verified(capsys)[:2] == (1, [("model", "", "removed", 0)])
    assert verified(capsys, "data/train.parquet")[:2] == (0, [])


def test_pinning_again_changes_nothing_but_what_changed(project):
    main(
        [
            "pin",
            "data/train.parquet",
            "model",
            "--quiet",
            "--no-scan",
            "--trust",
            "high",
            "--vouched-by",
            "Ada",
            "--licence",
            "CC0-1.0",
        ]
    )
    before = Path("toadstone.lock").read_text()
    assert 'trust = "high"' in before
    main(
        [
            "pin",
            "data/train.parquet",
            "model",
            "--quiet",
            "--no-scan",
            "--trust",
            "high",
            "--vouched-by",
            "Ada",
            "--licence",
            "CC0-1.0",
        ]
    )
    assert Path("toadstone.lock").read_text() == before


def test_the_scan_is_written_down_and_told(project, capsys, tmp_path):
    (tmp_path / "model" / "evil.pkl").write_bytes(b"\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00echo inert!\x85R.")
    assert main(["pin", "model"]) == 0
    assert 'scan = "malicious"' in Path("toadstone.lock").read_text()
    assert "is malicious" in capsys.readouterr().err


WRONG = {
    "no TOML": ("schema = ", "is no TOML"),
    "another version": ('schema = "toadstone.lock/9"\n', "is of version"),
    "an unknown key": ("size = ", "sise = ", "unknown key sise"),
    "a digest that is none": ('root = "', 'root = "x', "is no SHA-256"),
    "a missing key": ('kind = "file"\n', "", "kind is missing"),
    "an odd kind": ('kind = "file"', 'kind = "fiel"', "kind is 'fiel'"),
    "a size that is text": ("size = ", 'size = "1" #', "is no count"),
    "columns that are none": ("columns = [[", 'columns = ["a", [', "columns is no list"),
    "a source twice": None,
}


@pytest.mark.parametrize("what", WRONG)
def test_a_lock_edited_by_hand(project, capsys, what):
    main(["pin", "data/train.parquet", "--quiet", "--no-scan"])
    text = Path("toadstone.lock").read_text()
    wrong = WRONG[what]
    if wrong is None:
        text, message = text + text[text.index("[[source]]") :], "names a source twice"
    elif len(wrong) == 2:
        text, message = wrong
    else:
        assert wrong[0] in text
        text, message = text.replace(wrong[0], wrong[1], 1), wrong[2]
    Path("toadstone.lock").write_text(text)
    capsys.readouterr()
    assert main(["verify"]) == 2
    assert message in capsys.readouterr().err
    assert main(["pin", "data/train.parquet", "--quiet"]) == 2
    assert Path("toadstone.lock").read_text() == text


def test_what_cannot_be_pinned(project, capsys, tmp_path):
    assert main(["pin", "nothing-there"]) == 2
    assert main(["verify"]) == 2
    os.mkfifo("pipe")
    assert main(["pin", "pipe", "--no-scan"]) == 2
    assert "neither a file nor a folder" in capsys.readouterr().err
    assert not Path("toadstone.lock").exists()
    assert main(["pin", "data/train.parquet", "--label", "lable", "--no-scan"]) == 2
    assert "label" in capsys.readouterr().err
    main(["pin", "model", "--quiet", "--no-scan"])
    assert main(["verify", "modle"]) == 2
    assert "'model'" in capsys.readouterr().err


def test_rows_that_cannot_be_read_are_pinned_as_bytes_and_it_is_said(project, capsys):
    held = bytearray(Path("data/train.parquet").read_bytes())
    held[40:400] = bytes(360)
    Path("data/train.parquet").write_bytes(held)
    assert main(["pin", "data/train.parquet", "--no-scan"]) == 0
    assert "pinned as bytes only" in capsys.readouterr().out
    Path("data/train.parquet").write_bytes(bytes(held) + b"x")
    assert verified(capsys)[:2] == (1, [("data/train.parquet", "", "edited", 0)])


def test_rows_without_the_slow_tier(project, capsys):
    main(["pin", "data/train.parquet", "--quiet", "--no-scan", "--no-rows"])
    labels = project["label"].to_numpy().copy()
    labels[5] += 1
    pq.write_table(project.set_column(1, "label", pa.array(labels)), "data/train.parquet")
    code, _, document = verified(capsys)
    assert code == 1
    assert document["changes"][0]["columns"] == ["label"]
    assert "rows 0-8191" in document["changes"][0]["note"]


def test_a_saved_data_set_and_pandas_of_many_types(project, capsys):
    frame = pd.DataFrame(
        {
            "c": pd.Categorical(["a", "b", None]),
            "t": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
            "z": pd.to_datetime(["2020-01-01", None, "2021-01-01"]).tz_localize("Europe/Paris"),
            "n": pd.array([1, None, 3], "Int64"),
            "l": [[1, 2], None, []],
        }
    )
    frame.to_parquet("mixed.parquet")
    main(["pin", "mixed.parquet", "--quiet", "--no-scan"])
    pl.read_parquet("mixed.parquet").write_parquet("mixed.parquet")
    assert verified(capsys)[:2] == (0, [("mixed.parquet", "", "re-encoded", 0)])
