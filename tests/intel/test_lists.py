"""Lists: what importers understand, what they count as not understood, what look-ups find, what hostile files do."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toadstone.intel.importing import import_file, recognise
from toadstone.intel.knowledge import Intelligence
from toadstone.intel.store import IntelError, ListBuilder, ListFile
from toadstone.intel.values import canonical

DAY = dt.date(2026, 11, 23)


def imported(tmp_path: Path, content: str | bytes, name: str = "mine", valid_days: int | None = None) -> tuple[ListFile, str]:
    file = tmp_path / "input"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    builder = ListBuilder(name, DAY)
    kind = import_file(file, builder, valid_days)
    return ListFile(builder.write(tmp_path / "lists")), kind


def values(made: ListFile) -> list[tuple[str, str]]:
    return [(entry.type, entry.value) for entry in made.entries()]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("EVIL.example", ("domain", "evil.example")),
        ("*.evil.example", ("domain", "evil.example")),
        ("evil[.]example", ("domain", "evil.example")),
        ("bücher.de", ("domain", "xn--bcher-kva.de")),
        ("203.0.113.7:4444", ("ipv4", "203.0.113.7")),
        ("203.0.113.0/24", ("cidr", "203.0.113.0/24")),
        ("203.0.113.7/32", ("ipv4", "203.0.113.7")),
        ("2001:DB8:0::1", ("ipv6", "2001:db8::1")),
        ("2001:db8::/32", ("cidr", "2001:db8::/32")),
        ("hxxp://evil[.]example/x/", ("url", "http://evil.example/x")),
        ("webhook.example/abc", ("url", "http://webhook.example/abc")),
        ("joe@evil.example", ("email", "joe@evil.example")),
        ("D41D8CD98F00B204E9800998ECF8427E", ("md5", "d41d8cd98f00b204e9800998ecf8427e")),
        ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", ("wallet", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")),
        ("/etc/ld.so.preload", ("path", "/etc/ld.so.preload")),
        ("", ("", "")),
        ("two words", ("", "")),
        ("x" * 5000, ("", "")),
    ],
)
def test_values_of_lists(written, read):
    assert canonical(written) == read


def test_plain_text_with_comments_and_hosts_lines(tmp_path):
    text = "# comment\n; other\n// third\n\nevil.example\n0.0.0.0 ads.example # blocked\n203.0.113.9  # seen\nnothing here\n"
    made, kind = imported(tmp_path, text)
    assert kind == "plain"
    assert values(made) == [("domain", "evil.example"), ("domain", "ads.example"), ("ipv4", "203.0.113.9")]
    assert made.skipped == {"no indicator in the line": 1}


def test_csv_with_a_header_names_its_columns(tmp_path):
    text = (
        "id,ioc_value,malware,first_seen,valid_until\n"
        "1,evil.example,Stealer,2026-01-02 10:00:00,2026-12-31\n"
        "2,hxxp://evil.example/a,Loader,,\n3,,Nothing,,\n"
    )
    made, kind = imported(tmp_path, text, valid_days=10)
    assert kind == "csv"
    notes = [entry.note for entry in made.entries()]
    assert [(note.label, note.valid_from, note.valid_until) for note in notes] == [
        ("Stealer", "2026-01-02", "2026-12-31"),
        ("Loader", "", "2026-12-03"),
    ]
    assert made.skipped == {"no indicator in the row": 1}


def test_csv_without_a_header_takes_the_first_indicator_of_a_row(tmp_path):
    made, _ = imported(tmp_path, '"7";"evil.example";"x"\n"8";"203.0.113.8:80";"y"\n')
    assert values(made) == [("domain", "evil.example"), ("ipv4", "203.0.113.8")]


def test_stix_bundles(tmp_path):
    def indicator(pattern: str, **more: object) -> dict[str, object]:
        return {"type": "indicator", "pattern": pattern, "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z", **more}

    digest = "a" * 63 + "b"
    bundle = {
        "type": "bundle",
        "id": "bundle--0",
        "objects": [
            {"type": "identity", "name": "somebody"},
            indicator("[ipv4-addr:value = '203.0.113.5']", name="C2", valid_until="2026-06-01T00:00:00Z"),
            indicator(f"[domain-name:value = 'evil.example'] OR [file:hashes.'SHA-256' = '{digest}']"),
            indicator("[url:value = 'http://evil.example/its' OR ipv6-addr:value = '2001:db8::5']"),
            indicator("[file:name = 'x.exe']"),
            indicator("[ipv4-addr:value = '203.0.113.6' AND domain-name:value = 'b.example']"),
            indicator("[ipv4-addr:value = '203.0.113.99']", revoked=True),
            indicator("rule x {}", pattern_type="yara"),
            {"type": "domain-name", "value": "observed.example"},
            {"type": "file", "hashes": {"MD5": "d41d8cd98f00b204e9800998ecf8427e", "SSDEEP": "3:x"}},
        ],
    }
    made, kind = imported(tmp_path, json.dumps(bundle))
    assert kind == "stix"
    assert values(made) == [
        ("ipv4", "203.0.113.5"),
        ("domain", "evil.example"),
        ("sha256", digest),
        ("url", "http://evil.example/its"),
        ("ipv6", "2001:db8::5"),
        ("domain", "observed.example"),
        ("md5", "d41d8cd98f00b204e9800998ecf8427e"),
    ]
    assert made.skipped == {
        "hash of another kind": 1,
        "pattern of another language": 1,
        "pattern that is more than values joined by OR": 2,
        "revoked indicator": 1,
    }
    assert next(made.entries()).note.valid_until == "2026-06-01"


def test_misp_events_and_feeds(tmp_path):
    attribute = {
        "category": "Network activity",
        "to_ids": True,
        "type": "ip-dst|port",
        "value": "203.0.113.4|443",
        "comment": "C2",
    }
    event = {
        "Event": {
            "info": "x",
            "Attribute": [
                attribute,
                {"type": "domain", "value": "evil.example", "to_ids": False},
                {"type": "text", "value": "x", "to_ids": True},
            ],
            "Object": [
                {
                    "name": "file",
                    "Attribute": [{"type": "filename|md5", "value": "a|d41d8cd98f00b204e9800998ecf8427e", "to_ids": True}],
                }
            ],
        }
    }
    for document in (event, {"response": [event]}, [event]):
        made, kind = imported(tmp_path, json.dumps(document))
        assert kind == "misp"
        assert values(made) == [("ipv4", "203.0.113.4"), ("md5", "d41d8cd98f00b204e9800998ecf8427e")]
        assert made.skipped == {"attribute of type text": 1, "attribute that is not for detection (to_ids)": 1}
        assert next(made.entries()).note.label == "C2"


HOSTILE = {
    "deep": b"[" * 200_000,
    "deep objects": b'{"objects":' * 50_000,
    "half": b'{"type":"bundle","objects":[{"type":"indicator","pattern":"[ipv4-addr:value = \'203.0.113.5\']"},{"typ',
    "wrong types": b'{"type":"bundle","objects":[1,null,"x",[],{"type":5},{"type":"indicator","pattern":7},'
    b'{"type":"file","hashes":{"MD5":[]}}]}',
    "numbers": b'{"objects":' + b"9" * 300_000,
    "one line": b"a" * 3_000_000,
    "nul": b"\0" * 10_000,
    "commas": b"," * 1_000_000,
    "quotes": b'"' * 100_001 + b",x\n",
    "wide": "evil.example\n".encode("utf-16"),
    "regex": b'{"objects":[{"type":"indicator","pattern":"[ipv4-addr:value = ' + b"'\\\\" * 50_000 + b'"}]}',
    "or": b'{"objects":[{"type":"indicator","pattern":"' + b"[ipv4-addr:value = '1.2.3.4'] OR " * 20_000 + b'"}]}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_counted_and_end(tmp_path, name):
    import time

    began = time.process_time()
    made, _ = imported(tmp_path, HOSTILE[name])
    assert time.process_time() - began < 8
    assert len(made) <= 1
    assert len(made) == 1 or made.skipped or name in ("nul", "deep objects", "deep")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["indicator", "[ipv4-addr:value = '1.2.3.4']"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "objects", "pattern", "Event", "Attribute", "value", "to_ids", "hashes"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(JSON, st.integers(0, 40))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_and_any_cut_of_it(tmp_path, document, cut):
    text = json.dumps(document)
    for content in (text, text[: len(text) - cut], "{" + text):
        imported(tmp_path, content)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_as_a_list_to_import_and_as_a_list_to_open(tmp_path, data):
    imported(tmp_path, data)
    recognise(data)
    (tmp_path / "damaged.list").write_bytes(b"toadstone list 1\n" + data)
    with pytest.raises(IntelError, match="damaged"):
        ListFile(tmp_path / "damaged.list")


def test_look_ups_by_value_parent_host_and_range(tmp_path):
    imported(tmp_path, "evil.example\n203.0.113.0/24\n2001:db8:5::/48\nhttp://other.example/x\n198.51.100.7\n")
    known = Intelligence(tmp_path / "lists")
    hits = {
        ("domain", "evil.example", ""): "evil.example",
        ("domain", "a.b.evil.example", ""): "evil.example",
        ("url", "http://c.evil.example/q", "c.evil.example"): "evil.example",
        ("email", "joe@evil.example", "evil.example"): "evil.example",
        ("ipv4", "203.0.113.77", ""): "203.0.113.0/24",
        ("url", "http://203.0.113.77/", "203.0.113.77"): "203.0.113.0/24",
        ("ipv6", "2001:db8:5::9", ""): "2001:db8:5::/48",
        ("url", "http://other.example/x", "other.example"): "http://other.example/x",
        ("url", "http://other.example/x/#top", "other.example"): "http://other.example/x",
        ("ipv4", "198.51.100.7", ""): "198.51.100.7",
    }
    for (kind, value, host), entry in hits.items():
        assert [(match.source, match.value) for match in known.matches(kind, value, host)] == [("mine", entry)], value
    for kind, value, host in (
        ("domain", "notevil.example", ""),
        ("domain", "example", ""),
        ("domain", "other.example", ""),
        ("url", "http://other.example/y", "other.example"),
        ("ipv4", "203.0.114.1", ""),
        ("ipv6", "2001:db8:6::9", ""),
    ):
        assert known.matches(kind, value, host) == ()


def test_validity_is_judged_by_the_day_that_is_given(tmp_path):
    made, _ = imported(tmp_path, "value,valid_from,valid_until\nevil.example,2026-02-01,2026-03-01\n")
    assert made.expires
    folder = tmp_path / "lists"
    for day, counts in ((None, True), ("2026-01-31", False), ("2026-02-01", True), ("2026-03-01", True), ("2026-03-02", False)):
        today = dt.date.fromisoformat(day) if day else None
        assert bool(Intelligence(folder, today).matches("domain", "evil.example")) is counts, day
    assert Intelligence(folder, DAY).identity() != Intelligence(folder, dt.date(2026, 11, 24)).identity()


def test_a_list_is_replaced_whole_and_names_are_checked(tmp_path):
    imported(tmp_path, "evil.example\n")
    made, _ = imported(tmp_path, "other.example\n")
    assert values(made) == [("domain", "other.example")]
    assert [path.name for path in (tmp_path / "lists").iterdir()] == ["mine.list"]
    with pytest.raises(IntelError, match="is no name for a list"):
        ListBuilder("../x", DAY)


@given(
    st.lists(st.from_regex(r"[a-z]{1,8}\.(com|ru|example)", fullmatch=True), max_size=60),
    st.from_regex(r"[a-z]{1,8}\.com", fullmatch=True),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_list_finds_its_entries_and_nothing_else(tmp_path, names, other):
    builder = ListBuilder("many", DAY)
    for name in names:
        builder.add("domain", name, f"label of {name}")
    made = ListFile(builder.write(tmp_path))
    for name in names:
        assert made.may_hold("domain", name)
        assert {note.label for note in made.find("domain", name)} == {f"label of {name}"}
    assert bool(made.find("domain", other)) is (other in names)
    assert made.find("url", names[0] if names else "x") == []
