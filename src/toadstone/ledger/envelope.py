"""Entries of a ledger: DSSE envelopes around in-toto statements.

Formats: DSSE 1.0 (github.com/secure-systems-lab/dsse), in-toto Statement v1 (in-toto.io/Statement/v1).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from toadstone.core.finding import Json
from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.keys import Key, Verifier

STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
MOST_BYTES = 65_535
"""Longest entry: bundles of c2sp.org/tlog-tiles give lengths in 16 bits."""
_DEEPEST = 64

Statement = Mapping[str, Json]


@dataclass(frozen=True)
class Mention:
    """A digest that a statement names.

    Attributes:
        digest: ``algorithm:value``.
        subject: Whether the statement is about it; otherwise its predicate refers to it.
    """

    digest: str
    subject: bool


def pae(payload_type: str, payload: bytes) -> bytes:
    """Encode what is signed (DSSE, protocol.md)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(statement: Statement, key: Key, keyid: str) -> bytes:
    """Sign a statement: the bytes of the envelope, as they stand in the ledger.

    Raises:
        LedgerError: If it is no statement, or too long for an entry.
    """
    if trouble := flaw(statement):
        raise LedgerError(f"this cannot be recorded: {trouble}.")
    try:
        payload = json.dumps(statement, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise LedgerError(f"this cannot be recorded as JSON: {error}.") from None
    signature = base64.b64encode(key.sign(pae(PAYLOAD_TYPE, payload)))
    head = b'{"payloadType":"' + PAYLOAD_TYPE.encode() + b'","payload":"'
    tail = b'","signatures":[{"keyid":"' + keyid.encode() + b'","sig":"' + signature + b'"}]}'
    made = head + base64.b64encode(payload) + tail
    if len(made) > MOST_BYTES:
        advice = "Keep long lists in a file of their own, and record its digest."
        raise LedgerError(f"a record of {len(made):,} bytes is too long: an entry has at most {MOST_BYTES:,}.", advice)
    return made


def open_envelope(raw: bytes, verifier: Verifier) -> dict[str, Json]:
    """Give the statement of an entry whose signature holds.

    Raises:
        BrokenError: If it is no envelope, is not signed by the key, or holds no statement.
    """
    form = _object(raw, "envelope")
    payload, kind, signatures = form.get("payload"), form.get("payloadType"), form.get("signatures")
    if not isinstance(payload, str) or not isinstance(kind, str) or not isinstance(signatures, list):
        raise BrokenError("this is no DSSE envelope.")
    try:
        content = base64.b64decode(payload, validate=True)
        given = [base64.b64decode(str(one["sig"]), validate=True) for one in signatures if isinstance(one, dict) and "sig" in one]
    except ValueError:
        raise BrokenError("this is no DSSE envelope: its base64 is damaged.") from None
    signed = pae(kind, content)
    if not any(verifier.holds(one, signed) for one in given[:16]):  # the key id is a hint only (DSSE, protocol.md)
        raise BrokenError(f"its signature is not one of the key {verifier.keyid[:16]}….")
    if kind != PAYLOAD_TYPE:
        raise BrokenError(f"its payload is {kind!r}, not a statement.")
    statement = _object(content, "statement")
    if trouble := flaw(statement):
        raise BrokenError(f"it holds no statement: {trouble}.")
    return statement


def statement_of(raw: bytes) -> dict[str, Json]:
    """Give the statement of an entry without looking at signatures, for what `check` has seen to.

    Raises:
        BrokenError: If it cannot be read.
    """
    payload = _object(raw, "envelope").get("payload")
    try:
        return _object(base64.b64decode(str(payload), validate=True), "statement")
    except ValueError:
        raise BrokenError("this is no DSSE envelope: its base64 is damaged.") from None


def _object(raw: bytes, what: str) -> dict[str, Json]:
    try:
        form = json.loads(raw)
    except (ValueError, RecursionError):
        form = None
    if not isinstance(form, dict):
        raise BrokenError(f"it is no {what}: it is no JSON object.")
    return form


def flaw(statement: Statement) -> str:
    """Say what keeps a statement from being one of in-toto v1; empty when nothing does."""
    if statement.get("_type") != STATEMENT:
        return f"its _type must be {STATEMENT}"
    subjects = statement.get("subject")
    if not isinstance(subjects, list) or not subjects:
        return "it needs at least one subject"
    for one in subjects:
        digest = one.get("digest") if isinstance(one, dict) else None
        if not isinstance(digest, dict) or not digest or not all(isinstance(value, str) and value for value in digest.values()):
            return "every subject needs a digest"
    kind = statement.get("predicateType")
    if not isinstance(kind, str) or ":" not in kind:
        return "its predicateType must be a URI"
    if not isinstance(statement.get("predicate", {}), dict):
        return "its predicate must be an object"
    return ""


def mentions(statement: Statement) -> set[Mention]:
    """Collect the digests that a statement names: those of its subjects, and every ``digest`` in its predicate."""
    subjects = {Mention(digest, subject=True) for digest in _digests(statement.get("subject"), 0)}
    known = {mention.digest for mention in subjects}
    others = set(_digests(statement.get("predicate"), 0)) - known
    return subjects | {Mention(digest, subject=False) for digest in others}


def _digests(value: Json, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for item in value:
            yield from _digests(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "digest" and isinstance(item, dict):
                yield from (f"{name}:{text}" for name, text in item.items() if isinstance(text, str))
            elif isinstance(item, (dict, list)):
                yield from _digests(item, depth + 1)


def recorded_at(statement: Statement) -> str:
    """Give the time that a statement bears, in RFC 3339; empty when it bears none."""
    predicate = statement.get("predicate")
    if isinstance(predicate, dict):
        for name in ("recordedAt", "timeCreated", "timeVerified", "createdOn"):
            value = predicate.get(name)
            if isinstance(value, str):
                return value
    return ""
