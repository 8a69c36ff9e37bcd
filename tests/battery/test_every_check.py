"""The same tests over every check: it fires on its bad example, is silent on its good one, and documents itself."""

from __future__ import annotations

import json

import pytest

from toadstone.core.check import SECTIONS, Check, discover, section, summary
from toadstone.core.fact import Anomaly, Table
from toadstone.core.finding import Severity
from toadstone.core.taxonomy import resolve
from tools.pages.checks import described

CHECKS = discover()


@pytest.fixture(params=sorted(CHECKS))
def cls(request) -> type[Check]:
    return CHECKS[request.param]


def test_each_bad_fact_makes_it_fire_on_its_own(cls):
    facts = list(cls.bad())
    assert facts
    for fact in facts:
        assert isinstance(fact, cls.reads)
        assert list(cls().examine(fact)), f"silent on {fact}"


def test_each_good_fact_leaves_it_silent(cls):
    facts = list(cls.good())
    assert facts
    for fact in facts:
        assert isinstance(fact, cls.reads), f"{fact} proves nothing: the check does not read it"
        assert list(cls().examine(fact)) == []


def test_findings_carry_the_check_and_are_ready_for_json(cls):
    for fact in cls.bad():
        for finding in cls().examine(fact):
            assert finding.check == cls.id
            assert finding.references == cls.references
            assert finding.place.path == fact.place.path
            assert len(finding.message) > 15
            assert finding.message.endswith((".", ")", "`", "'", '"')), finding.message
            assert finding.remedy
            assert json.loads(json.dumps(finding.as_dict(), allow_nan=False)) == finding.as_dict()


def test_its_usual_severity_is_among_those_it_gives(cls):
    given = {finding.severity for fact in cls.bad() for finding in cls().examine(fact)}
    assert cls.severity in given, f"declared {cls.severity.label}, gives {sorted(level.label for level in given)}"


def test_judging_twice_gives_the_same(cls):
    judge = cls()
    for fact in cls.bad():
        assert list(judge.examine(fact)) == list(judge.examine(fact)) == list(cls().examine(fact))


def test_it_documents_itself(cls):
    assert summary(cls).endswith(".")
    assert len(summary(cls)) < 160
    for title in SECTIONS:
        assert len(section(cls, title)) > 10, title
    for phrase in ("TODO", "TBD", "FIXME"):
        assert phrase not in cls.__doc__


def test_every_setting_is_documented(cls):
    documented = {name: text for name, _, _, text in described(cls)}
    assert documented.keys() == cls.settings.keys()
    assert all(len(text) > 10 for text in documented.values())


def test_every_setting_has_a_type_that_toml_has(cls):
    for name, value in cls.settings.items():
        assert isinstance(value, (bool, int, float, str, tuple, frozenset)), name


def test_references_resolve_and_are_not_repeated(cls):
    weaknesses = ("MITRE ATLAS", "OWASP") if Table in cls.reads else ("CWE-", "CVE-")
    assert any(reference.startswith(weaknesses) for reference in cls.references)
    assert len(set(cls.references)) == len(cls.references)
    for reference in cls.references:
        entry = resolve(reference)
        assert entry.url.startswith("https://")
        assert reference.endswith(entry.id), f"{reference} was retired; use {entry.id}"


def test_it_is_found_where_it_belongs(cls):
    family = "data" if Table in cls.reads else "model"
    assert cls.__module__ == f"toadstone.checks.{family}.{cls.id.replace('-', '_')}", "one file a flaw, named like the flaw"


def test_every_kind_of_anomaly_is_judged_by_some_check():
    from toadstone.core.place import Place

    place = Place("model.bin", "", 4)
    silent = [
        kind
        for kind in Anomaly.KINDS
        if not any(list(cls().examine(Anomaly(place, kind, "detail"))) for cls in CHECKS.values() if Anomaly in cls.reads)
    ]
    assert silent == []


def test_severities_spread():
    """A product that calls everything critical says nothing."""
    assert {Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW} <= {cls.severity for cls in CHECKS.values()}
