"""What a user types about rows and what comes back."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from tests.poison import POISONED, WORD, lines, parquet, read, table

SCAN = ("scan", "--no-cache", "--jobs", "1")


@pytest.fixture
def data(toadstone):
    """A poisoned and a clean data set in the working folder."""
    return parquet(Path("bad.parquet"), table()), parquet(Path("good.parquet"), table(marked=0))


def test_poison_fails_the_gate_and_is_named(toadstone, data):
    told = toadstone(*SCAN, "bad.parquet", "--label", "label", "--text", "text")
    assert (told.code, told.err) == (1, "")
    assert "POISONED" in told.out
    assert "trigger-phrase: " in told.out
    assert WORD in told.out
    assert "600 examined (label: label, text: text)" in told.out
    assert max(map(len, told.out.splitlines())) <= 120


def test_clean_rows_are_called_clean_with_what_would_have_shown(toadstone, data):
    told = toadstone(*SCAN, "good.parquet")
    assert told.code == 0
    assert "CLEAN" in told.out
    assert "(guessed)" in told.out
    assert "fewest rows of poison that would have shown: " in told.out


@pytest.mark.parametrize("first", [True, False])
def test_options_before_and_after_the_data(toadstone, data, first):
    options = ("--label", "label", "--effort", "quick", "--fdr", "0.01", "--seed", "7", "--memory", "512M", "--jobs", "1")
    words = ("scan", "--no-cache", *options, "bad.parquet") if first else ("scan", "bad.parquet", "--no-cache", *options)
    told = toadstone(*words, "--format", "json")
    assert told.code == 1
    assert json.loads(told.out)["subjects"][0]["statistics"]["false_discovery_rate"] == 0.01


def test_the_report_is_of_the_promised_shape_and_the_same_twice(toadstone, data, request):
    first = toadstone(*SCAN, "bad.parquet", "--format", "json")
    document = first.report(request.config.rootpath)
    finding = document["findings"][0]
    assert finding["evidence"]["group"] == {"kind": "word", "value": WORD}
    assert finding["evidence"]["row_sample"] == POISONED
    assert toadstone(*SCAN, "bad.parquet", "--format", "json").out == first.out
    assert toadstone("scan", "--jobs", "2", "bad.parquet", "--format", "json").out == first.out


@pytest.mark.parametrize("kind", ["json", "sarif", "html", "markdown", "junit"])
def test_every_format_names_the_trigger(toadstone, data, kind):
    told = toadstone(*SCAN, "bad.parquet", "--format", kind, "--output", "report")
    assert (told.code, told.out) == (1, "")
    text = Path("report").read_text(encoding="utf-8")
    assert WORD in text
    if kind in ("json", "sarif"):
        json.loads(text)
    if kind == "junit":
        ET.fromstring(text)


def test_quiet_and_colours(toadstone, data, monkeypatch):
    assert toadstone(*SCAN, "bad.parquet", "--quiet").out == ""
    assert "\x1b" not in toadstone(*SCAN, "bad.parquet").out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in toadstone(*SCAN, "bad.parquet").out


def test_scores_are_written_whatever_the_exit_code(toadstone, data):
    assert toadstone(*SCAN, "bad.parquet", "--scores", "s.parquet").code == 1
    assert [row["row"] for row in read(Path("s.parquet")).to_pylist() if row["flagged"]] == POISONED
    assert toadstone(*SCAN, "good.parquet", "--scores", "t.parquet").code == 0
    assert read(Path("t.parquet")).num_rows == 600
    assert "exactly one data set" in toadstone(*SCAN, "bad.parquet", "good.parquet", "--scores", "u.parquet").err
    told = toadstone(*SCAN, "bad.parquet", "--scores", "bad.parquet")
    assert (told.code, "is the input" in told.err) == (2, True)
    assert read(Path("bad.parquet")).num_rows == 600


def test_reference_and_baseline(toadstone, data):
    told = toadstone(*SCAN, "bad.parquet", "--reference", "good.parquet", "--baseline", "good.parquet", "--format", "json")
    statistics = json.loads(told.out)["subjects"][0]["statistics"]
    assert statistics["references"] == 600
    assert told.code == 1


def test_two_data_sets_at_once(toadstone, data):
    told = toadstone(*SCAN, "bad.parquet", "good.parquet", "--format", "json")
    subjects = {subject["path"]: subject for subject in json.loads(told.out)["subjects"]}
    assert [subjects[name]["statistics"]["flagged"] for name in ("bad.parquet", "good.parquet")] == [8, 0]


def test_folders_are_examined_row_by_row_only_when_asked(toadstone, data):
    Path("folder").mkdir()
    parquet(Path("folder/bad.parquet"), table())
    Path("folder/notes.txt").write_text("nothing")
    assert toadstone(*SCAN, "folder").code == 0
    assert toadstone(*SCAN, "folder", "--rows").code == 1


def test_weights_in_an_archive_stay_a_file_scan(toadstone):
    np.savez("model.npz", **{"layer.0.weight": np.ones((4, 3)), "layer.0.bias": np.ones(4)})
    told = toadstone(*SCAN, "model.npz", "--format", "json")
    assert told.code == 0
    assert not json.loads(told.out)["subjects"][0].get("statistics")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bad.parquet", "--label", "lable"), "Did you mean 'label'?"),
        (("bad.parquet", "--memory", "64M"), "at least 256M"),
        (("bad.parquet", "--memory", "lots"), "'lots' is no size such as 500M or 4G"),
        (("bad.parquet", "--fdr", "2"), "between 0 and 1"),
        (("bad.parquet", "--jobs", "-1"), "must not be negative"),
        (("bad.parquet", "--effort", "fast"), "invalid choice: 'fast'"),
        (("bad.parquet", "--engine", "cloud"), "there is no engine 'cloud'"),
        (("bad.parquet", "--reference", "nowhere"), "nowhere is not there"),
        (("nowhere.parquet", "--label", "label"), "nowhere.parquet"),
    ],
)
@pytest.mark.parametrize("verb", ["scan", "clean"])
def test_mistakes_about_rows_are_usage_errors(toadstone, data, capsys, verb, words, said):
    more = ("-o", "kept.parquet") if verb == "clean" else ("--no-cache",)
    try:
        told = toadstone(verb, *words, *more)
        code, err = told.code, told.err
    except SystemExit as ended:
        code, err = ended.code, capsys.readouterr().err
    assert (code, said in err) == (2, True), err
    assert "Traceback" not in err
    assert not Path("kept.parquet").exists()


def test_clean_says_where_rows_went(toadstone, data):
    told = toadstone(
        "clean", "bad.parquet", "-o", "kept.parquet", "--quarantine", "out.parquet", "--label", "label", "--jobs", "1"
    )
    assert told.code == 1
    assert told.out.endswith("kept 592 rows -> kept.parquet\nquarantined 8 rows -> out.parquet\n")
    told = toadstone("clean", "good.parquet", "-o", "kept.parquet", "--jobs", "1")
    assert told.code == 0
    assert "quarantined 0 rows\n" in told.out
    told = toadstone("clean", "bad.parquet", "-o", "kept.parquet", "--jobs", "1", "--fail-on", "critical")
    assert told.code == 0
    assert "(left out; --quarantine FILE keeps them)" in told.out


def test_a_report_never_replaces_the_data(toadstone, data):
    for place in ("good.parquet", "kept.parquet"):
        told = toadstone("clean", "good.parquet", "-o", "kept.parquet", "--output", place, "--jobs", "1")
        assert (told.code, "would replace" in told.err) == (2, True)
    assert read(Path("good.parquet")).num_rows == 600


def test_an_incomplete_report_has_its_own_code(toadstone):
    rows = [{"text": row["text"], "label": "one"} for row in table(marked=0).to_pylist()]
    lines(Path("rows.jsonl"), rows)
    told = toadstone("clean", "rows.jsonl", "-o", "kept.jsonl", "--jobs", "1")
    assert told.code == 3
    assert "there is only one class" in told.out
    assert read(Path("kept.jsonl")).num_rows == 600


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_peak_memory_stays_within_the_budget(tmp_path):
    """A file is examined in a process of its own with the smallest budget."""
    rng = np.random.default_rng(0)
    words = np.array([f"w{number}" for number in range(5000)])
    texts = [" ".join(words[rng.integers(0, 5000, 120)].tolist()) for _ in range(12_000)]
    path = parquet(tmp_path / "rows.parquet", {"text": texts, "label": (["a", "b"] * 6000)})
    code = (
        "import re, sys\n"
        "from toadstone.verbs.rows import RowOptions, examine\n"
        "found = examine(sys.argv[1], RowOptions(memory=384 << 20, jobs=1, effort='quick'))\n"
        "print(found.rows, re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"  # not what the parent had
    )
    told = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    rows, peak = map(int, told.stdout.split())
    assert rows == 12_000
    assert peak <= 384 << 10
