"""STIX output: valid by the reference library, the same for the same report, with times only when a day is named."""

from __future__ import annotations

import json

import pytest

from toadstone.core.finding import Confidence, Finding, Indicator, Severity
from toadstone.core.place import Place
from toadstone.core.report import Report, Subject
from toadstone.formats import Envelope, write

OWNER = (("source", "routing table 2026-06-17"), ("asn", "AS64500"), ("organisation", "Example Org"), ("country", "KR"))
REPORTED = (("source", "Publisher 2024-02"), ("label", "A 'title'"), ("reference", "https://publisher.example/a"))
INDICATORS = (
    Indicator("ipv4", "93.184.216.34", (REPORTED, OWNER)),
    Indicator("ipv6", "2606:2800:220:1::1", (OWNER,)),
    Indicator("domain", "xn--bcher-kva.example", ()),
    Indicator("url", "http://evil.example/it's\\x", (REPORTED,)),
    Indicator("email", "joe@evil.example", ()),
    Indicator("sha256", "a" * 64, (REPORTED,)),
    Indicator("md5", "b" * 32, ()),
    Indicator("path", "/etc/cron.d/x", ()),
    Indicator("path", "C:\\Users\\x\\a.exe", ()),
    Indicator("wallet", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", ()),
    Indicator("port", "93.184.216.34:80", ()),
    Indicator("ipv4", "192.0.2.1", ((("source", "warning list"), ("label", "documentation (RFC 5737)")),)),
)
FINDING = Finding("unsafe-import", Severity.CRITICAL, Confidence.HIGH, Place("a.pkl"), "Bad.", indicators=INDICATORS)
REPORT = Report((Subject("a.pkl", "pickle", 1, {}, (), (FINDING, FINDING)),))


@pytest.mark.parametrize("date", ["", "2026-11-23"])
def test_the_reference_library_accepts_it(date):
    stix2 = pytest.importorskip("stix2", reason="part of requirements-dev.txt")
    text = write(REPORT, "stix", Envelope(date=date))
    bundle = stix2.parse(text, allow_custom=False, version="2.1")
    kinds = [made["type"] for made in bundle.objects]
    assert kinds.count("ipv4-addr") == 2
    assert kinds.count("autonomous-system") == 1
    assert kinds.count("file") == 4
    assert kinds.count("indicator") == (7 if date else 0)
    assert kinds.count("identity") == (1 if date else 0)
    again = {
        "domain-name": stix2.DomainName(value="xn--bcher-kva.example"),
        "url": stix2.URL(value="http://evil.example/it's\\x"),
    }
    for made in bundle.objects:  # identifiers are those that any other writer gives the same content
        if made["type"] in again:
            assert made["id"] == again[made["type"]]["id"]


def test_it_is_deterministic_and_names_no_time_unasked():
    text = write(REPORT, "stix", Envelope())
    assert text == write(REPORT, "stix", Envelope())
    assert "created" not in text
    assert "valid_from" not in text
    objects = {made["id"]: made for made in json.loads(text)["objects"]}
    address = next(made for made in objects.values() if made.get("value") == "93.184.216.34")
    assert objects[address["belongs_to_refs"][0]] == {
        "type": "autonomous-system",
        "spec_version": "2.1",
        "id": address["belongs_to_refs"][0],
        "number": 64500,
        "name": "Example Org",
    }


def test_what_is_reserved_is_no_indicator_and_what_is_reported_is_malicious():
    made = json.loads(write(REPORT, "stix", Envelope(date="2026-11-23")))["objects"]
    patterns = {one["pattern"]: one["indicator_types"] for one in made if one["type"] == "indicator"}
    assert "[ipv4-addr:value = '192.0.2.1']" not in patterns
    assert patterns["[ipv4-addr:value = '93.184.216.34']"] == ["malicious-activity"]
    assert patterns["[email-addr:value = 'joe@evil.example']"] == ["anomalous-activity"]
    assert patterns["[url:value = 'http://evil.example/it\\'s\\\\x']"] == ["malicious-activity"]


def test_an_empty_report_is_an_empty_bundle():
    assert set(json.loads(write(Report(()), "stix", Envelope()))) == {"type", "id"}


@pytest.mark.parametrize("form", ["terminal", "markdown", "sarif", "json"])
def test_other_formats_say_whose_it_is(form):
    text = write(REPORT, form, Envelope())
    assert "AS64500" in text
    assert "Publisher 2024-02" in text
    if form in ("terminal", "markdown"):
        assert "93.184.216.34:80" in text or "93.184.216.34 → AS64500 Example Org" in text
