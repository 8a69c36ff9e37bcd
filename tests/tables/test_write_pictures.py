"""Folders of images are split into folders of images: nothing is lost, nothing is altered, links lead nowhere new."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.tables.test_pictures import png
from toadstone.core.errors import UsageError
from toadstone.tables.open import open_dataset
from toadstone.tables.plan import Flags, Quarantine
from toadstone.tables.write import split


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "set"
    for label in ("cat", "dog"):
        (place / label).mkdir(parents=True)
        for number in range(4):
            (place / label / f"{number}.png").write_bytes(png(np.full((8, 8), 20 * number + 5, np.uint8)))
    return place


def files(place: Path) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


def reasons(rows: int, flagged: list[int]) -> Quarantine:
    return Quarantine(Flags(("label-flip",), (np.array(flagged, np.int64),)), np.linspace(0.001, 1, rows))


def run(place: Path, flagged: list[int], out: Path, **more: object) -> tuple[dict[str, bytes], dict[str, bytes]]:
    dataset = open_dataset(place)
    rows = sum(batch.num_rows for fragment in dataset.fragments for batch in fragment.batches(["label"]))
    mask = np.isin(np.arange(rows), flagged)
    parts = split(dataset, mask, out / "kept", out / "bad", reasons(rows, flagged), **more)
    assert (parts.kept, parts.quarantined) == (rows - len(flagged), len(flagged))
    return files(out / "kept"), files(out / "bad")


def test_both_sides_together_are_the_input(folder, tmp_path):
    before = files(folder)
    kept, bad = run(folder, [1, 6], tmp_path)
    listed = list(csv.DictReader(bad.pop("metadata.csv").decode().splitlines()))
    assert kept | bad == before
    assert set(bad) == {"cat/1.png", "dog/2.png"}
    assert [row["file_name"] for row in listed] == ["cat/1.png", "dog/2.png"]
    assert [(row["toadstone_row"], row["toadstone_checks"]) for row in listed] == [("1", "label-flip"), ("6", "label-flip")]
    assert open_dataset(tmp_path / "kept").kind == open_dataset(tmp_path / "bad").kind == "images"


def test_a_new_label_is_a_new_sub_folder(folder, tmp_path):
    kept, bad = run(folder, [1], tmp_path, relabel={0: "dog", 5: "bird"}, label="label")
    assert set(kept) == {"dog/0_1.png", "cat/2.png", "cat/3.png", "dog/0.png", "bird/1.png", "dog/2.png", "dog/3.png"}
    assert kept["dog/0_1.png"] == (folder / "cat/0.png").read_bytes()
    assert "cat/1.png" in bad


@pytest.mark.parametrize("kind", ["metadata.csv", "metadata.jsonl"])
def test_the_file_that_describes_them_is_split_too(folder, tmp_path, kind):
    rows = [{"file_name": name, "label": name[0], "note": f"n{place}"} for place, name in enumerate(reversed(files(folder)))]
    rows.append({"file_name": "gone.png", "label": "x", "note": "nobody"})
    if kind.endswith("csv"):
        lines = ["file_name,label,note", *(",".join(row.values()) for row in rows)]
    else:
        lines = [json.dumps(row) for row in rows]
    (folder / kind).write_text("\n".join(lines) + "\n", encoding="utf-8")
    kept, bad = run(folder, [2, 3], tmp_path, relabel={0: "z"}, label="label")
    text = kept.pop(kind).decode()
    assert "gone.png" in text
    assert "dog/0.png" in text
    assert "cat/2.png" not in text
    assert next(line for line in text.splitlines() if "cat/0.png" in line).count("z") == 1
    told = bad.pop(kind).decode()
    assert "cat/2.png" in told
    assert "label-flip" in told
    assert "toadstone_row" in told
    assert set(kept) | set(bad) == {name for name in files(folder) if name != kind}


def test_links_lead_nowhere_new(folder, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    (folder / "dog" / "out.png").symlink_to("../../secret.png")
    (folder / "dog" / "own.png").symlink_to("../cat/1.png")
    (folder / "dog" / "broken.png").symlink_to("nowhere.png")
    run(folder, [0], tmp_path)
    kept = tmp_path / "kept" / "dog"
    assert (kept / "out.png").is_symlink()
    assert (kept / "broken.png").is_symlink()
    assert not (kept / "own.png").is_symlink()
    assert (kept / "own.png").read_bytes() == (folder / "cat" / "1.png").read_bytes()


def test_a_folder_that_changed_is_said_and_nothing_is_written(folder, tmp_path):
    dataset = open_dataset(folder)
    (folder / "dog" / "3.png").unlink()
    with pytest.raises(UsageError, match="not there any more"):
        split(dataset, np.zeros(8, bool), tmp_path / "kept", tmp_path / "bad", reasons(8, []))
    assert not (tmp_path / "kept").exists()
    assert not (tmp_path / "bad").exists()


def test_places_within_the_input_are_refused(folder, tmp_path):
    with pytest.raises(UsageError, match="lies within"):
        split(open_dataset(folder), np.zeros(8, bool), folder / "kept", None, reasons(8, []))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(UsageError, match="not empty"):
        split(open_dataset(folder), np.zeros(8, bool), tmp_path / "full", None, reasons(8, []))
