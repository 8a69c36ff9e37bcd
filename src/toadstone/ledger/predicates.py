"""What the records of a ledger say: in-toto statements with predicates of our own, and the vetted ones that fit.

The schemas of ours lie in ``schemas`` (JSON Schema 2020-12) and are described in docs/ledger.md. Consumers ignore what they do
not know (in-toto parsing rules), so new fields may come; a field that changes its meaning makes a new version.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources

from toadstone.core.finding import Finding, Json, Severity
from toadstone.core.report import Report
from toadstone.core.version import __version__
from toadstone.ledger.envelope import STATEMENT
from toadstone.ledger.errors import LedgerError

_OURS = "https://toadstone.invalid/attestation"  # a name, not an address: the host is one that nobody can own (RFC 2606)
MANIFEST = f"{_OURS}/dataset-manifest/v1"
SCAN = f"{_OURS}/scan/v1"
TRAINING = f"{_OURS}/training/v1"
QUARANTINE = f"{_OURS}/quarantine/v1"
SVR = "https://in-toto.io/attestation/svr/v0.2"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
OWN = {MANIFEST: "dataset-manifest", SCAN: "scan", TRAINING: "training", QUARANTINE: "quarantine"}
"""Predicate type to the name of its schema."""

_ROOM = 30_000
"""Bytes of subjects in one statement; more become more statements."""
_MOST_FINDINGS = 50

Made = dict[str, Json]


def kind(predicate_type: str) -> str:
    """Give the short name of a predicate type: ``scan``, ``svr/v0.1``, or all of it."""
    for prefix in ("https://in-toto.io/attestation/", "https://slsa.dev/"):
        if predicate_type.startswith(prefix):
            return predicate_type.removeprefix(prefix)
    return OWN.get(predicate_type, predicate_type)


def schema(predicate_type: str) -> dict[str, Json]:
    """Give the JSON Schema of one of our predicates.

    Raises:
        LedgerError: If it is not ours.
    """
    if predicate_type not in OWN:
        raise LedgerError(f"{predicate_type} is no predicate of toadstone.", f"Those are {', '.join(OWN)}.")
    shipped = resources.files("toadstone.ledger") / "schemas" / f"{OWN[predicate_type]}.json"
    found: dict[str, Json] = json.loads(shipped.read_bytes())
    return found


def statement(predicate_type: str, subjects: Sequence[Made], predicate: Mapping[str, Json]) -> Made:
    """Make an in-toto statement.

    Args:
        predicate_type: URI of the predicate.
        subjects: What it is about; see `resource`.
        predicate: What it says.
    """
    return {"_type": STATEMENT, "subject": list(subjects), "predicateType": predicate_type, "predicate": dict(predicate)}


def resource(name: str, digest: Mapping[str, str], **more: Json) -> Made:
    """Make a ResourceDescriptor of in-toto: a name, digests by algorithm, and further fields such as ``uri``."""
    return {"name": name, "digest": dict(digest), **more}


def now() -> str:
    """Give the time by this machine's clock, UTC, in RFC 3339. A ledger is ordered by its entries, not by clocks."""
    return dt.datetime.now(tz=dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _made(time: str | None) -> Made:
    return {"recordedAt": time or now(), "tool": {"name": "toadstone", "version": __version__}}


def scan(report: Report, document: Mapping[str, str], *, gate: Severity, stage: str = "", time: str | None = None) -> list[Made]:
    """Say what a scan found, in as many statements as its subjects need; if it passed, also in the vetted form.

    Args:
        report: What was found.
        document: Digest of the JSON report, which may be kept elsewhere.
        gate: Severity from which findings fail the scan.
        stage: Of the model's life, if only its checks ran.
        time: When it is recorded; by default now.
    """
    known = [resource(subject.path, subject.digests) for subject in report.subjects if subject.digests]
    unknown: list[Json] = [subject.path for subject in report.subjects if not subject.digests]
    by_severity = Counter(finding.severity.label for finding in report.findings)
    unread: list[Json] = [subject.path for subject in report.subjects if not subject.complete]
    said: Made = {
        **_made(time),
        "verdict": report.verdict,
        "complete": report.complete,
        "passed": report.exit_code(gate) == 0,
        "gate": gate.label,
        "report": resource("report.json", document),
        "findings": {level.label: by_severity[level.label] for level in sorted(Severity, reverse=True)},
        "checks": dict(sorted(Counter(finding.check for finding in report.findings).items())),
        "worst": [_brief(finding) for finding in report.findings[:_MOST_FINDINGS]],
        "suppressed": len(report.suppressed),
        "unread": {"count": len(unread), "paths": unread[:_MOST_FINDINGS]},
        "undigested": {"count": len(unknown), "paths": unknown[:_MOST_FINDINGS]},
    }
    if stage:
        said["stage"] = stage
    if not unknown and said["passed"]:
        properties = ["TOADSTONE_EVERYTHING_READ", f"TOADSTONE_NO_FINDING_AT_{gate.label.upper()}_OR_ABOVE"]
        passed = [verification(part, properties, time=time) for part in _parts(known)]
    else:
        passed = []
    parts = list(_parts(known)) or [[resource("report.json", document)]]
    return [*(statement(SCAN, part, {**said, "part": at, "parts": len(parts)}) for at, part in enumerate(parts, 1)), *passed]


def _brief(finding: Finding) -> Json:
    path = finding.place.path
    return {"check": finding.check, "severity": finding.severity.label, "path": path[-300:], "message": finding.message[:200]}


def _parts(subjects: Sequence[Made]) -> Iterator[list[Made]]:
    """Cut a list of subjects so that each part has room in an entry."""
    part: list[Made] = []
    size = 0
    for subject in subjects:
        room = len(json.dumps(subject, ensure_ascii=False).encode(errors="replace"))
        if part and size + room > _ROOM:
            yield part
            part, size = [], 0
        part.append(subject)
        size += room
    if part:
        yield part


def quarantine(
    source: Made,
    kept: Made,
    quarantined: Made | None,
    *,
    rows: Mapping[str, int],
    checks: Mapping[str, int],
    document: Mapping[str, str],
    time: str | None = None,
) -> Made:
    """Say how a data set was split. The kept rows are what it is about: they are what is trained on.

    Args:
        source: The data set as it was, a resource.
        kept: The rows that stand.
        quarantined: The others; None if they were left out.
        rows: ``kept``, ``quarantined`` and ``relabelled``.
        checks: Rows that each check speaks against.
        document: Digest of the JSON report.
        time: When it is recorded; by default now.
    """
    said: Made = {
        **_made(time),
        "source": source,
        "rows": dict(rows),
        "checks": dict(checks),
        "report": resource("report.json", document),
    }
    subjects = [kept, *([quarantined] if quarantined else [])]
    if quarantined:
        said["quarantine"] = quarantined
    return statement(QUARANTINE, subjects, said)


def manifest(name: str, digest: Mapping[str, str], *, rows: int | None = None, time: str | None = None, **more: Json) -> Made:
    """Say what a data set is: its identity, and where it came from.

    Args:
        name: Of the data set.
        digest: Its identities by algorithm: of its bytes, its content, its rows.
        rows: How many it has.
        time: When it is recorded; by default now.
        **more: Further fields of the schema: ``columns``, ``blocks``, ``files``, ``origin``, ``licence``, ``trust``, ``stage``.
    """
    said: Made = {**_made(time), **({} if rows is None else {"rows": rows}), **more}
    return statement(MANIFEST, [resource(name, digest)], said)


def training(outputs: Sequence[Made], *, inputs: Sequence[Made], status: str, time: str | None = None, **more: Json) -> Made:
    """Say how a model was made.

    Args:
        outputs: The files that the run made; when it made none (failed, interrupted), its inputs are what it is about.
        inputs: Data sets and base models, resources; ``annotations`` may say the role of each.
        status: ``succeeded``, ``failed`` or ``interrupted``.
        time: When it is recorded; by default now.
        **more: Further fields of the schema: ``command``, ``code``, ``environment``, ``hardware``, ``parameters``, ``seeds``,
            ``dropped``, ``gate``, ``exitCode``, ``startedOn``, ``finishedOn``, ``records``.
    """
    said: Made = {**_made(time), "inputs": list(inputs), "status": status, **more}
    return statement(TRAINING, list(outputs) or list(inputs), said)


def verification(
    subjects: Sequence[Made], properties: Sequence[str], *, policies: Sequence[Made] = (), time: str | None = None
) -> Made:
    """Say in the vetted form (Simple Verification Result 0.2) which properties were seen to hold."""
    verifier: Made = {"id": f"{_OURS}/verifier/{__version__}", "policies": list(policies)}
    return statement(SVR, subjects, {"verifier": verifier, "timeCreated": time or now(), "properties": list(properties)})


def test_result(subjects: Sequence[Made], configuration: Sequence[Made], *, passed: Sequence[str], failed: Sequence[str]) -> Made:
    """Say in the vetted form (Test Result) which tests passed, such as the cells of a drill."""
    result = "FAILED" if failed else "PASSED"
    tests: Made = {"passedTests": list(passed), "warnedTests": [], "failedTests": list(failed)}
    return statement(TEST_RESULT, subjects, {"result": result, "configuration": list(configuration), **tests})
