"""CONTRIBUTING.md is followed to the letter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.payloads import text
from toadstone import Config, ConfigError, scan
from toadstone.core.check import registry
from tools.pages.checks import check_page


@pytest.fixture
def example(root: Path) -> str:
    page = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return found


def test_the_example_is_a_check_that_holds_in_the_battery(example, plugin):
    name = plugin("replaced_output", example)
    scan(Path(__file__), config=Config(plugins=(name,)))
    cls = registry["replaced-output"]
    assert cls.__module__ == name
    for fact in cls.bad():
        assert len(list(cls().examine(fact))) == 1
    for fact in cls.good():
        assert list(cls().examine(fact)) == []
    page = check_page(cls)
    assert "| `streams` | `frozenset[str]` |" in page
    assert "Loading this replaces sys.stdout." in page


def test_the_example_finds_the_flaw_in_a_real_pickle(example, plugin, tmp_path):
    stream = b"\x80\x02cbuiltins\nsetattr\n(cimportlib\nimport_module\n(" + text("sys") + b"tR" + text("stdout") + b"NtR."
    path = tmp_path / "model.pkl"
    path.write_bytes(stream)
    name = plugin("replaced_output", example)
    found = {finding.check for finding in scan(path, config=Config(plugins=(name,))).findings}
    assert "replaced-output" in found


def test_its_settings_are_checked(example, plugin, tmp_path):
    name = plugin("replaced_output", example)
    with pytest.raises(ConfigError, match="has no setting 'stream'"):
        scan(tmp_path, config=Config(plugins=(name,), checks={"replaced-output": {"stream": ["stdin"]}}))
    scan(tmp_path, config=Config(plugins=(name,), checks={"replaced-output": {"streams": ["stdin"]}}))


def test_the_example_is_written_as_the_project_writes(example, root, tmp_path):
    import subprocess
    import sys

    path = tmp_path / "replaced_output.py"
    path.write_text(example, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff", "check", "--config", str(root / "pyproject.toml"), "--ignore", "INP001", str(path)]
    done = subprocess.run(ruff, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
