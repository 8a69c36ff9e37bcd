"""STIX 2.1: the indicators of a report as a bundle, for platforms that exchange them.

Observables (addresses, domains, URLs, files, owners) have identifiers made of their content, as section 2.9 of the standard
asks, so two reports that name one address name one object. Objects that must bear a time (indicators, the identity of the
tool) are written when the caller names a day; nothing here reads a clock.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

from toadstone.core.finding import Indicator, Json
from toadstone.core.report import Report
from toadstone.formats import Envelope
from toadstone.formats.indicators import every

_SCO = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""Namespace of deterministic observables (STIX 2.1, section 2.9)."""
_OWN = uuid.uuid5(uuid.NAMESPACE_URL, "urn:toadstone:stix")
"""Namespace of our bundles, indicators and identity."""

_VALUES = {"ipv4": "ipv4-addr", "ipv6": "ipv6-addr", "domain": "domain-name", "url": "url", "email": "email-addr"}
_HASHES = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256"}

Object = dict[str, Json]


def write(report: Report, envelope: Envelope) -> str:
    """Write the indicators of all findings as one STIX bundle."""
    objects: dict[str, Object] = {}
    for indicator in every(report.findings):
        for made in observables(indicator):
            objects.setdefault(str(made["id"]), made)
        if envelope.date and (found := _indicator(indicator, envelope.date)):
            objects[str(found["id"])] = found
    if envelope.date and any(made["type"] == "indicator" for made in objects.values()):
        tool = _identity(envelope.date)
        objects[str(tool["id"])] = tool
    listed: list[Json] = [objects[name] for name in sorted(objects)]
    name = uuid.uuid5(_OWN, json.dumps(listed, sort_keys=True))
    bundle: Object = {"type": "bundle", "id": f"bundle--{name}"}
    if listed:
        bundle["objects"] = listed
    return json.dumps(bundle, indent=1, ensure_ascii=True) + "\n"


def observables(indicator: Indicator) -> Iterator[Object]:
    """Yield the observable of an indicator and, for an address, the systems that announce it."""
    if indicator.type in _VALUES or indicator.type == "cidr":
        kind = _VALUES.get(indicator.type) or ("ipv6-addr" if ":" in indicator.value else "ipv4-addr")
        made = _sco(kind, {"value": indicator.value})
        if kind in ("ipv4-addr", "ipv6-addr"):
            owners = [owner for entry in indicator.intel if (owner := _system(dict(entry)))]
            if owners:
                made["belongs_to_refs"] = [owner["id"] for owner in owners]
            yield from owners
        yield made
    elif indicator.type in _HASHES:
        yield _sco("file", {"hashes": {_HASHES[indicator.type]: indicator.value}})
    elif indicator.type == "path":
        yield from _file(indicator.value)


def _file(path: str) -> Iterator[Object]:
    cut = max(path.rfind("/"), path.rfind("\\"))
    folder, name = path[: max(cut, 0)], path[cut + 1 :]
    if not name:
        return
    if not folder:
        yield _sco("file", {"name": name})
        return
    above = _sco("directory", {"path": folder})
    yield above
    yield _sco("file", {"name": name, "parent_directory_ref": above["id"]})


def _system(entry: dict[str, str]) -> Object | None:
    number = entry.get("asn", "").removeprefix("AS")
    if not number.isdigit():
        return None
    made = _sco("autonomous-system", {"number": int(number)})
    if entry.get("organisation"):
        made["name"] = entry["organisation"]
    return made


def _sco(kind: str, contributing: Object) -> Object:
    """Make an observable; its identifier is a UUIDv5 of the contributing properties in canonical JSON (RFC 8785)."""
    name = json.dumps(contributing, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid.uuid5(_SCO, name)}", **contributing}


def _indicator(indicator: Indicator, date: str) -> Object | None:
    """Make an indicator of what somebody reports or what is not labelled as harmless; None for the rest."""
    entries = [dict(entry) for entry in indicator.intel]
    if any(entry.get("source") == "warning list" for entry in entries):
        return None
    pattern = _pattern(indicator)
    if not pattern:
        return None
    time = f"{date}T00:00:00.000Z"
    reported = [entry for entry in entries if "asn" not in entry]
    references: list[Json] = [
        {
            "source_name": entry.get("source", ""),
            **({"url": entry["reference"]} if "reference" in entry else {}),
            "description": entry.get("label", ""),
        }
        for entry in reported
    ]
    made: Object = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid5(_OWN, f'{pattern} {date}')}",
        "created_by_ref": _identity(date)["id"],
        "created": time,
        "modified": time,
        "name": indicator.value[:200],
        "indicator_types": ["malicious-activity" if reported else "anomalous-activity"],
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": time,
    }
    if references:
        made["external_references"] = references
    return made


def _pattern(indicator: Indicator) -> str:
    value = indicator.value.replace("\\", "\\\\").replace("'", "\\'")
    if indicator.type in _VALUES:
        return f"[{_VALUES[indicator.type]}:value = '{value}']"
    if indicator.type in _HASHES:
        return f"[file:hashes.'{_HASHES[indicator.type]}' = '{value}']"
    return ""


def _identity(date: str) -> Object:
    time = f"{date}T00:00:00.000Z"
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": f"identity--{uuid.uuid5(_OWN, 'toadstone')}",
        "created": time,
        "modified": time,
        "name": "toadstone",
        "identity_class": "system",
    }
