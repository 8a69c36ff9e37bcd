"""Tricks in the formats, written to get past the product: each must be found at the default gate."""

from __future__ import annotations

import pytest

from tests.adversarial.hostile_formats import CASES
from toadstone.core.finding import Severity
from toadstone.verbs.scan import scan


@pytest.mark.parametrize("name", sorted(CASES))
def test_it_is_found(name, tmp_path):
    for path, data in CASES[name].items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    report = scan(tmp_path)
    shown = [(finding.check, finding.severity.label, finding.message) for finding in report.findings]
    assert report.worst is not None, shown
    assert report.worst >= Severity.HIGH, shown
