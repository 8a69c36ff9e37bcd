"""Checks of third parties, and what happens when one of them crashes."""

from __future__ import annotations

import pytest

from tests.payloads import BENIGN, COMMAND
from toadstone import Config, ConfigError, Severity, scan
from toadstone.core.errors import RegistrationError

SOURCE = '''
from toadstone import Call, Check, Severity, check


@check("%(id)s", severity=Severity.HIGH, reads=Call, references=("CWE-502",))
class Found(Check):
    """A call is made.

    ## Why it matters
    Because it is a test.

    ## How it decides
    It does not.

    ## What it misses
    Everything else.

    ## Remedy
    None.

    ## References
    None.
    """

    words: frozenset[str] = frozenset({"system"})
    """Names that are looked for."""

    def examine(self, fact):
        %(body)s
'''

FIRES = 'yield from [self.finding(fact.place, f"Calls {fact.callee}.")] if fact.callee.name in self.words else []'


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(COMMAND)
    return path


def test_a_plugin_named_in_the_settings_finds(plugin, model):
    name = plugin("found_checks", SOURCE % {"id": "found-call", "body": FIRES})
    report = scan(model, config=Config(plugins=(name,)))
    assert {finding.check for finding in report.findings} == {"unsafe-import", "found-call"}
    quiet = Config(plugins=(name,), checks={"found-call": {"words": ["popen"]}, "unsafe-import": {"enabled": False}})
    report = scan(model, config=quiet)
    assert (report.findings, report.complete) == ([], True)


@pytest.mark.parametrize("body", ["yield None", "return [3]", "return None", "yield 'a finding'"])
def test_a_check_that_gives_no_findings_counts_as_crashed(plugin, model, body):
    name = plugin("odd_checks", SOURCE % {"id": "odd-check", "body": body})
    report = scan(model, config=Config(plugins=(name,)))
    assert {finding.check for finding in report.findings} == {"unsafe-import"}
    assert any("check odd-check: internal error TypeError" in gap.reason for gap in report.subjects[0].unread)


def test_a_crashing_check_costs_completeness_never_the_run(plugin, model):
    name = plugin("crashing_checks", SOURCE % {"id": "crashing-check", "body": 'raise ZeroDivisionError("on purpose")'})
    report = scan(model, config=Config(plugins=(name,)))
    assert report.verdict == "malicious", "the other checks still count"
    assert not report.complete
    (gap,) = [gap for gap in report.subjects[0].unread if "crashing-check" in gap.reason]
    assert "check crashing-check: internal error ZeroDivisionError(on purpose) in crashing_checks.examine" in gap.reason
    assert "/" not in gap.reason, "no paths of this machine"


def test_a_crashing_check_is_never_clean(plugin, tmp_path):
    from tests.payloads import calling

    path = tmp_path / "model.pkl"
    path.write_bytes(calling("collections", "OrderedDict"))
    assert scan(path).exit_code(Severity.HIGH) == 0
    name = plugin("crashing_too", SOURCE % {"id": "crashing-too", "body": "raise KeyError(1)"})
    report = scan(path, config=Config(plugins=(name,)))
    assert (report.verdict, report.exit_code(Severity.HIGH)) == ("incomplete", 3)


def test_a_crashing_reader_costs_completeness_never_the_run(tmp_path, monkeypatch):
    from dataclasses import replace

    from toadstone.readers import reader as module

    def broken(source):
        yield source.anomaly("malformed", "seen before the crash")
        raise IndexError("on purpose")

    changed = tuple(replace(known, read=broken) if known.kind == "pickle" else known for known in module.readers())
    real = module.readers
    monkeypatch.setattr(module, "readers", lambda: changed)
    _forget(module)
    path = tmp_path / "model.pkl"
    path.write_bytes(BENIGN)
    report = scan(path)
    monkeypatch.setattr(module, "readers", real)
    _forget(module)
    assert any("internal error IndexError" in gap.reason for gap in report.subjects[0].unread)
    assert not report.complete


def _forget(module):
    """Drop everything that is kept from call to call."""
    for value in vars(module).values():
        getattr(value, "cache_clear", int)()


def test_a_plugin_is_never_loaded_unasked(plugin, model):
    plugin("silent_checks", SOURCE % {"id": "silent-check", "body": FIRES})
    assert {finding.check for finding in scan(model).findings} == {"unsafe-import"}


def test_a_missing_plugin_is_said(model):
    with pytest.raises(ConfigError, match="no_such_module_anywhere"):
        scan(model, config=Config(plugins=("no_such_module_anywhere",)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"%(id)s"', '"Not_Kebab"'), "is not kebab-case"),
        (("## Remedy", "## Remedies"), "lacks the section 'Remedy'"),
        (("## What it misses", "## Misses"), "lacks the section 'What it misses'"),
        (('"%(id)s"', '"unsafe-import"'), "is used by toadstone.checks.model.unsafe_import"),
    ],
)
def test_a_wrongly_declared_check_is_refused(plugin, model, change, said):
    source = SOURCE.replace(*change)
    name = plugin("wrong_checks", source % {"id": "some-check", "body": FIRES})
    with pytest.raises(RegistrationError, match=said):
        scan(model, config=Config(plugins=(name,)))
