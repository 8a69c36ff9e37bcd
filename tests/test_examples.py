"""The example project: made by its script, small, and judged as its author means it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from toadstone import Severity, clean, scan

ROOT = Path(__file__).parents[1]
TRAPS = {
    "assistant/modeling_acme.py": "remote-code",
    "assistant/tokenizer_config.json": "template-escape",
    "conf/serve.yaml": "unsafe-import",
    "data/delivery.zip": "unsafe-import",
    "models/ranker.pt": "unsafe-import",
    "models/recommender.pkl": "hidden-payload",
    "models/sentiment.pkl": "unsafe-import",
    "models/vision.keras": "keras-lambda",
    "notebooks/setup.ipynb": "suspicious-code",
}
"""What is booby-trapped, and a check that must say so at the default gate."""

REVIEW = {"models/pipeline.pkl", "assistant/config.json"}
"""What a person should look at: unknown code, and code that comes with a model."""


@pytest.fixture(scope="module")
def subjects():
    report = scan(ROOT / "examples" / "project")
    return {subject.path.removeprefix(f"{ROOT}/examples/project/"): subject for subject in report.subjects}


def test_the_script_writes_what_is_there():
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "make.py", "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout


def test_it_is_small(subjects):
    assert sum(subject.size for subject in subjects.values()) < 150_000


@pytest.mark.parametrize("path", sorted(TRAPS))
def test_every_trap_is_found(subjects, path):
    found = {finding.check for finding in subjects[path].findings if finding.severity >= Severity.HIGH}
    assert TRAPS[path] in found


def test_nothing_else_is_accused(subjects):
    quiet = {path: subject for path, subject in subjects.items() if path not in TRAPS | dict.fromkeys(REVIEW)}
    accused = {
        path: [f"{finding.severity.label} {finding.check}" for finding in subject.findings] for path, subject in quiet.items()
    }
    assert {path: said for path, said in accused.items() if said} == {}


def test_unknown_code_is_left_to_a_person(subjects):
    (finding,) = subjects["models/pipeline.pkl"].findings
    assert (finding.check, finding.severity) == ("unreviewed-call", Severity.MEDIUM)


def test_everything_is_read(subjects):
    assert {path: subject.unread for path, subject in subjects.items() if subject.unread} == {}


def test_payloads_are_inert():
    """Addresses are from ranges for documentation, and nothing names a real host."""
    import ipaddress
    import re

    for path in (ROOT / "examples" / "project").rglob("*"):
        text = path.read_bytes().decode("latin-1") if path.is_file() else ""
        for word in re.findall(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", text):
            assert any(
                ipaddress.ip_address(word) in net
                for net in map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
            ), path
        assert not re.findall(r"https?://(?!192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|[\w.-]+\.(?:invalid|example)\b)\S+", text), (
            path
        )


def test_the_digits_are_cleaned(tmp_path):
    folder = ROOT / "examples" / "digits"
    cleaned = clean(folder / "train.npz", tmp_path / "kept.npz", tmp_path / "quarantine.npz")
    assert cleaned.quarantined == 45
    assert cleaned.report.verdict == "poisoned"
    line = [sys.executable, folder / "before_after.py", tmp_path / "kept.npz"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=True)
    before, after = done.stdout.splitlines()
    assert float(before.split()[-2].rstrip("%")) > 80
    assert float(after.split()[-2].rstrip("%")) < 5


def test_the_digits_are_made_by_their_script(tmp_path):
    folder = ROOT / "examples" / "digits"
    shutil.copy(folder / "make.py", tmp_path)
    subprocess.run([sys.executable, tmp_path / "make.py"], timeout=120, check=True)
    for name in ("train.npz", "held_out.npz"):
        made, there = np.load(tmp_path / name), np.load(folder / name)
        assert all((made[array] == there[array]).all() for array in ("x", "y"))
