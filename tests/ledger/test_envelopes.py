"""Entries are DSSE envelopes that others verify, with statements that the shipped schemas describe."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.writer import KEY, OTHER, made, needed, sha256
from toadstone.core.finding import Severity
from toadstone.core.report import Gap, Place, Report, Subject
from toadstone.ledger import predicates
from toadstone.ledger.envelope import PAYLOAD_TYPE, flaw, mentions, open_envelope, pae, seal, statement_of
from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.predicates import resource
from toadstone.verbs.scan import scan

VERIFIER = KEY.verifier("example.com/ledger")
SEALED = seal(made(1), KEY, VERIFIER.keyid)
DIGEST = {"sha256": sha256("x")}


def test_the_encoding_of_the_specification():
    """The example of DSSE's protocol.md."""
    assert pae("http://example.com/HelloWorld", b"hello world") == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_an_envelope_comes_back():
    assert open_envelope(SEALED, VERIFIER) == statement_of(SEALED) == made(1)
    assert json.loads(SEALED)["payloadType"] == PAYLOAD_TYPE
    with pytest.raises(BrokenError, match="its signature is not one of"):
        open_envelope(SEALED, OTHER.verifier("example.com/ledger"))


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_a_changed_envelope_does_not_hold(at, change):
    changed = SEALED[:at] + bytes([SEALED[at] ^ change]) + SEALED[at + 1 :]
    try:
        statement = open_envelope(changed, VERIFIER)
    except BrokenError:
        return
    assert statement == made(1)  # the key id is a hint, and JSON has spaces; the tree hashes every byte
    assert changed != SEALED


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"payload":1,"payloadType":2,"signatures":3}',
        b'{"payload":"","payloadType":"","signatures":[{"sig":"!"}]}',
    ],
)
def test_what_is_no_envelope(raw):
    with pytest.raises(BrokenError):
        open_envelope(raw, VERIFIER)
    with pytest.raises(BrokenError):
        statement_of(raw)


def signed(kind: str, payload: bytes) -> bytes:
    form = {"payloadType": kind, "payload": base64.b64encode(payload).decode()}
    return json.dumps({**form, "signatures": [{"sig": base64.b64encode(KEY.sign(pae(kind, payload))).decode()}]}).encode()


def test_what_is_signed_and_no_statement():
    with pytest.raises(BrokenError, match="not a statement"):
        open_envelope(signed("text/plain", b"{}"), VERIFIER)
    with pytest.raises(BrokenError, match="no JSON object"):
        open_envelope(signed(PAYLOAD_TYPE, b"[]"), VERIFIER)
    with pytest.raises(BrokenError, match="holds no statement"):
        open_envelope(signed(PAYLOAD_TYPE, b"{}"), VERIFIER)


def test_securesystemslib_verifies_ours():
    needed("securesystemslib")
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    key = SSlibKey.from_crypto(load_pem_public_key(VERIFIER.pem().encode()))
    assert key.keyid == VERIFIER.keyid
    envelope = Envelope.from_dict(json.loads(SEALED))
    assert envelope.verify([key], 1) == {key.keyid: key}
    assert json.loads(envelope.payload) == made(1)
    envelope.payload += b" "
    with pytest.raises(VerificationError):
        envelope.verify([key], 1)


def test_we_verify_securesystemslib():
    needed("securesystemslib")
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    signer = CryptoSigner.generate_ed25519()
    envelope = Envelope(json.dumps(made(2)).encode(), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    raw = json.dumps(envelope.to_dict()).encode()
    from toadstone.ledger.keys import Verifier

    public = bytes.fromhex(signer.public_key.keyval["public"])
    assert open_envelope(raw, Verifier("x", public)) == made(2)
    with pytest.raises(BrokenError, match="its signature"):
        open_envelope(raw, VERIFIER)


def test_every_digest_is_mentioned():
    inner = {"name": "a", "digest": {"blake3": "b3", "sha256": "s2"}}
    statement = {
        **made(1),
        "predicate": {"inputs": [inner, {"deep": {"digest": {"sha512": "s5"}}}], "digest": "no", "x": {"digest": {"n": 1}}},
    }
    found = {(one.digest, one.subject) for one in mentions(statement)}
    assert found == {(f"sha256:{sha256('model 1')}", True), ("blake3:b3", False), ("sha256:s2", False), ("sha512:s5", False)}


SCHEMAS = Path(__file__).parents[2] / "src" / "toadstone" / "ledger" / "schemas"


def valid(statement):
    """See that a statement is one of in-toto and fits our schema."""
    assert flaw(statement) == ""
    kind = str(statement["predicateType"])
    checker = jsonschema.Draft202012Validator(predicates.schema(kind))
    checker.check_schema(checker.schema)
    checker.validate(statement["predicate"])
    assert json.loads(json.dumps(statement)) == statement
    return statement


def test_scans(tmp_path):
    root = Path(__file__).parents[2]
    report = scan(str(root / "examples" / "project" / "models"))
    (one,) = predicates.scan(report, DIGEST, gate=Severity.HIGH, stage="tuning")
    said = valid(one)["predicate"]
    assert said["verdict"] == "malicious"
    assert said["passed"] is False
    assert said["findings"]["critical"] == sum(finding.severity == Severity.CRITICAL for finding in report.findings)
    assert len(one["subject"]) == len(report.subjects)
    good = scan(str(root / "examples" / "project" / "models" / "encoder.safetensors"))
    first, second = predicates.scan(good, DIGEST, gate=Severity.HIGH)
    assert valid(first)["predicate"]["passed"] is True
    assert second["predicateType"] == "https://in-toto.io/attestation/svr/v0.2"
    assert second["predicate"]["properties"] == ["TOADSTONE_EVERYTHING_READ", "TOADSTONE_NO_FINDING_AT_HIGH_OR_ABOVE"]
    assert flaw(second) == ""


def test_a_scan_of_very_many_files_takes_several_statements():
    subjects = [Subject(f"folder/{number}/{'x' * 200}.bin", "text", 1, {"sha256": sha256(str(number))}) for number in range(1000)]
    parts = [
        one
        for one in predicates.scan(Report(tuple(subjects)), DIGEST, gate=Severity.HIGH)
        if one["predicateType"] == predicates.SCAN
    ]
    assert sum(len(valid(one)["subject"]) for one in parts) == 1000
    assert [one["predicate"]["part"] for one in parts] == list(range(1, len(parts) + 1))
    assert all(len(seal(one, KEY, VERIFIER.keyid)) < 65_536 for one in parts)


def test_a_scan_that_hashed_nothing():
    gap = Gap(Place("hf://x/y/z.bin"), "too large")
    (one,) = predicates.scan(Report((Subject("hf://x/y/z.bin", "unknown", -1, unread=(gap,)),)), DIGEST, gate=Severity.HIGH)
    assert valid(one)["subject"] == [resource("report.json", DIGEST)]
    assert one["predicate"]["undigested"] == {"count": 1, "paths": ["hf://x/y/z.bin"]}
    assert one["predicate"]["passed"] is False


def test_the_other_predicates():
    data, model = resource("data.parquet", DIGEST), resource("model.bin", {"sha256": sha256("m")})
    rows = {"kept": 90, "quarantined": 10, "relabelled": 0}
    split = predicates.quarantine(data, data, model, rows=rows, checks={"trigger-phrase": 10}, document=DIGEST)
    assert valid(split)["subject"] == [data, model]
    assert len(valid(predicates.quarantine(data, data, None, rows=rows, checks={}, document=DIGEST))["subject"]) == 1
    about = predicates.manifest(
        "data",
        DIGEST,
        rows=3,
        columns=[{"name": "text", "type": "string"}],
        origin={"uri": "hf://a/b", "revision": "c"},
        trust="vendor",
    )
    assert valid(about)["predicate"]["rows"] == 3
    trained = predicates.training(
        [model],
        inputs=[data],
        status="succeeded",
        exitCode=0,
        command=["python", "train.py"],
        gate={"passed": False, "forced": "we know"},
        dropped={"rows": 10, "checks": {"trigger-phrase": 10}},
        records=[{"entry": 3}],
    )
    assert valid(trained)["subject"] == [model]
    assert valid(predicates.training([], inputs=[data], status="interrupted"))["subject"] == [data]
    assert predicates.test_result([model], [data], passed=["a"], failed=["b"])["predicate"]["result"] == "FAILED"


def test_schemas_are_shipped_and_named():
    assert {path.stem for path in SCHEMAS.glob("*.json")} == set(predicates.OWN.values())
    for kind, name in predicates.OWN.items():
        assert predicates.schema(kind)["$id"] == kind
        assert predicates.kind(kind) == name
    with pytest.raises(LedgerError, match="no predicate of toadstone"):
        predicates.schema(predicates.SVR)
    assert predicates.kind(predicates.SVR) == "svr/v0.2"
