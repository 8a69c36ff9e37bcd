"""The bar: an address behind one to four stages, every encoding and their combinations, in every host."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hidden.encodings import ENCODINGS
from benchmarks.hidden.hosts import HOSTS, cases, make
from toadstone.core.finding import Severity
from toadstone.intel.spotting import spot
from toadstone.verbs.scan import scan

NAMES = [encoding.name for encoding in ENCODINGS]


def report_of(case, folder):
    for name, content in case.files.items():
        (folder / name).write_bytes(content)
    return scan(folder)


def named(report):
    return {(one.type, one.value) for finding in report.findings for one in finding.indicators}


def wanted(address):
    return {(one.type, one.value) for one in spot(address)}


def test_there_are_enough_encodings():
    assert len(set(NAMES)) >= 20


@pytest.mark.parametrize("host", HOSTS)
def test_every_encoding_alone(host, tmp_path_factory):
    found = 0
    for number, name in enumerate(NAMES):
        case = make(host, "case", "http://203.0.113.7:8080/gate", (name,), random.Random(number))
        if case is None:
            continue  # the encoding leaves the address readable there, or the host cannot take it
        report = report_of(case, tmp_path_factory.mktemp("case"))
        assert wanted(case.address) & named(report), (host, name)
        assert report.complete, (host, name)
        found += 1
    assert found >= 14


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.sampled_from(HOSTS), st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), st.integers(0, 1 << 30))
def test_combinations(tmp_path_factory, host, names, seed):
    choice = random.Random(seed)
    address = f"https://198.51.100.{choice.randrange(1, 255)}:8443/{choice.randrange(1000)}"
    case = make(host, "case", address, tuple(names), choice)
    if case is None:
        return
    report = report_of(case, tmp_path_factory.mktemp("case"))
    assert wanted(address) & named(report)
    assert report.complete


def test_the_corpus_of_the_benchmark(tmp_path_factory):
    missed = []
    for case in cases(26, seed=7):
        report = report_of(case, tmp_path_factory.mktemp("case"))
        if not wanted(case.address) & named(report):
            missed.append((case.name, case.encodings))
    assert missed == []


def test_the_chain_is_told(tmp_path):
    case = make("auto-map", "case", "http://203.0.113.7/x", ("zlib", "base64"), random.Random(5))
    assert case is not None
    report = report_of(case, tmp_path)
    findings = [finding for finding in report.findings if finding.check == "hidden-payload"]
    assert findings
    stages = findings[0].evidence["stages"]
    assert isinstance(stages, list)
    assert stages.index("zlib") < stages.index("base64")
    assert "203.0.113.7" in str(findings[0].evidence["decoded"])
    assert findings[0].severity >= Severity.MEDIUM
