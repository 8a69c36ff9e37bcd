from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Stage, Unread
from toadstone.core.place import Place
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

FIXTURES = json.loads((Path(__file__).parents[1] / "data/forensics/bytecode.json").read_text("utf-8"))
CASES = [(version, name) for version in FIXTURES for name in FIXTURES[version]]


@pytest.mark.parametrize(("version", "name"), CASES)
def test_loops_and_generators_of_every_version_are_followed(version, name):
    data = bytes.fromhex(FIXTURES[version][name])
    facts = list(walk(Source(BytesBlob(data), "code", Place("code"), Budget.of(len(data)), hint="marshal-run")))
    stages = [fact for fact in facts if isinstance(fact, Stage) and fact.text == "http://203.0.113.7/x"]
    assert stages
    assert any(fact.exact and fact.sink == "urllib.request.urlopen" for fact in stages)
    assert not [fact for fact in facts if isinstance(fact, Unread)]


def test_the_versions_are_there():
    assert {"3.10", "3.11", "3.12", "3.13"} <= set(FIXTURES)
    assert sys.version_info >= (3, 11)
