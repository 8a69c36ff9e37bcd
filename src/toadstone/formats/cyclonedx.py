"""CycloneDX 1.6 and 1.7: a bill of materials of models and data, with where they came from and what was found in them.

Written as plain documents, since no library knows model cards, data, formulation and declarations. Source: ECMA-424 (CycloneDX
1.6), https://cyclonedx.org/docs/1.7/json/. What the format has no field for stands in namespaced properties (``toadstone:…``).
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from toadstone.core.finding import Finding, Json, Severity
from toadstone.core.report import Subject
from toadstone.core.version import __version__
from toadstone.identity.lock import Pin, TablePin
from toadstone.ledger.things import CLEANED, TRAINED, Step, Thing

VERSIONS = ("1.6", "1.7")
_DATA = (".parquet", ".arrow", ".feather", ".jsonl", ".jsonl.gz", ".ndjson", ".csv", ".tsv", ".npz")
_PLAIN = (
    "text",
    "json",
    "yaml",
    "toml",
    "python",
    "notebook",
    "requirements",
    "png",
    "jpeg",
    "pdf",
    "html",
    "xml",
    "empty",
    "unknown",
)
_RATINGS = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "high",
    Severity.MEDIUM: "medium",
    Severity.LOW: "low",
    Severity.INFO: "info",
}
_CWE = re.compile(r"^CWE-(\d+)")

Document = dict[str, Json]


@dataclass(frozen=True)
class Card:
    """What a model says of itself.

    Attributes:
        task: Such as ``text-classification``.
        architecture: Such as ``BertForSequenceClassification``.
        family: Such as ``bert``.
        licence: As it is stated.
        bases: Models that it says it was made from.
        datasets: Data that it says it was trained on.
    """

    task: str = ""
    architecture: str = ""
    family: str = ""
    licence: str = ""
    bases: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Material:
    """What a bill is made of.

    Attributes:
        name: Of the whole.
        subjects: Files that were scanned.
        cards: By path of the file.
        pins: Sources of the lock.
        steps: Records of how things were made.
    """

    name: str
    subjects: tuple[Subject, ...]
    cards: dict[str, Card] = field(default_factory=dict)
    pins: tuple[Pin, ...] = ()
    steps: tuple[Step, ...] = ()


def is_model(subject: Subject) -> bool:
    """Whether a file is a model, or may be one: everything that is no data and no plain document."""
    return subject.kind not in _PLAIN and not is_data(subject)


def is_data(subject: Subject) -> bool:
    """Whether a file holds rows."""
    return subject.path.lower().endswith(_DATA)


def write(material: Material, version: str = "1.6") -> str:
    """Write a bill.

    Args:
        material: What it is made of.
        version: ``1.6`` or ``1.7``.
    """
    bill = _Bill(material)
    document: Document = {
        "$schema": f"http://cyclonedx.org/schema/bom-{version}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "version": 1,
        **bill.document(),
    }
    serial = uuid.UUID(bytes=hashlib.sha256(json.dumps(document, sort_keys=True).encode()).digest()[:16], version=5)
    document["serialNumber"] = f"urn:uuid:{serial}"
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


class _Bill:
    def __init__(self, material: Material) -> None:
        self._material = material
        self._components: dict[str, Document] = {}
        self._refs: dict[str, str] = {}
        """Reference by digest, so that records, pins and files that are the same thing are one component."""

    def document(self) -> Document:
        """Give everything but the head."""
        top: Document = {"bom-ref": "subject", "type": "application", "name": self._material.name}
        tool: Document = {"type": "application", "name": "toadstone", "version": __version__}
        for subject in self._material.subjects:
            self._file(subject)
        for pin in self._material.pins:
            self._pin(pin)
        for step in self._material.steps:
            for thing in (*step.inputs, *step.outputs):
                self._thing(thing)
        self._ancestors()
        components: list[Json] = [*self._components.values()]
        found: Document = {"metadata": {"tools": {"components": [tool]}, "component": top}, "components": components}
        found["dependencies"] = self._dependencies()
        if vulnerabilities := list(self._vulnerabilities()):
            found["vulnerabilities"] = list[Json](vulnerabilities)
        if workflows := [self._workflow(step) for step in self._material.steps]:
            found["formulation"] = [{"bom-ref": "formula", "workflows": list[Json](workflows)}]
        return found | self._declarations()

    def _add(self, component: Document, digests: Sequence[str]) -> str:
        known = next((self._refs[digest] for digest in digests if digest in self._refs), None)
        ref = known or f"component-{len(self._components) + 1}"
        if known is None:
            self._components[ref] = {"bom-ref": ref, **component}
        self._refs.update(dict.fromkeys(digests, ref))
        return ref

    def _file(self, subject: Subject) -> None:
        hashes = _hashes(subject.digests)
        worst = max((finding.severity for finding in subject.findings), default=None)
        told = {
            "kind": subject.kind,
            "complete": str(not subject.unread).lower(),
            "worst-finding": worst.label if worst is not None else "none",
        }
        component: Document = {
            "type": "file",
            "name": subject.path,
            **({"hashes": hashes} if hashes else {}),
            "properties": _properties(told),
        }
        if is_data(subject):
            component = component | {"type": "data", "data": [{"type": "dataset", "name": subject.path}]}
        elif is_model(subject):
            component = component | {"type": "machine-learning-model"} | _carded(self._material.cards.get(subject.path, Card()))
        digest = subject.digests.get("sha256", "")
        self._add(component, [f"sha256:{digest}"] if digest else [f"path:{subject.path}"])

    def _pin(self, pin: Pin) -> None:
        digests = [f"sha256:{pin.root}" if pin.kind == "file" else f"toadstoneFolder:{pin.root}"]
        digests += [f"toadstoneContent:{table.content}" for table in pin.tables if pin.kind == "file"]
        ref = self._add(_pinned(pin), digests)
        held = self._components[ref]
        if held["type"] != "machine-learning-model":
            data = _pinned(pin)
            held.update({key: data[key] for key in ("type", "data", "licenses", "externalReferences") if key in data})
        known = held.get("properties")
        told = {
            "source": pin.name,
            "pinned": pin.pinned,
            "trust": pin.trust,
            "vouched-by": pin.vouched,
            "revision": pin.revision,
            "scan": pin.scan,
        }
        held["properties"] = [
            *(known if isinstance(known, list) else []),
            *_properties({key: value for key, value in told.items() if value}),
        ]

    def _thing(self, thing: Thing) -> str:
        made = any(thing in step.outputs and step.kind == TRAINED for step in self._material.steps)
        digests = {digest.partition(":")[0]: digest.partition(":")[2] for digest in thing.digests}
        component: Document = {"type": "machine-learning-model" if made else "data", "name": thing.name}
        if hashes := _hashes(digests):
            component["hashes"] = hashes
        if not made:
            contents: Document = {"properties": _properties(_roots(thing))} if thing.tables else {}
            component["data"] = [{"type": "dataset", "name": thing.name, **({"contents": contents} if contents else {})}]
        component["properties"] = _properties({name: value for name, value in sorted(digests.items()) if name != "sha256"})
        if not component["properties"]:
            del component["properties"]
        return self._add(component, sorted(thing.digests))

    def _ref(self, thing: Thing) -> str:
        return next(self._refs[digest] for digest in sorted(thing.digests) if digest in self._refs)

    def _ancestors(self) -> None:
        """A model that a run took in is an ancestor of what it made."""
        for step in self._material.steps:
            if step.kind != TRAINED:
                continue
            bases = {
                self._ref(thing)
                for thing in step.inputs
                if self._components[self._ref(thing)]["type"] == "machine-learning-model"
            }
            for thing in step.outputs:
                own = self._components[self._ref(thing)]
                ancestors: list[Json] = [
                    {key: value for key, value in self._components[ref].items() if key in ("type", "name", "hashes")}
                    for ref in sorted(bases)
                    if ref != own["bom-ref"]
                ]
                if ancestors and own["type"] == "machine-learning-model":
                    own["pedigree"] = {"ancestors": ancestors}

    def _dependencies(self) -> list[Json]:
        needs: dict[str, set[str]] = {ref: set() for ref in self._components}
        for step in self._material.steps:
            for thing in step.outputs:
                needs[self._ref(thing)] |= {self._ref(one) for one in step.inputs} - {self._ref(thing)}
        found: list[Json] = [{"ref": "subject", "dependsOn": list[Json](sorted(self._components))}]
        found += [{"ref": ref, "dependsOn": list[Json](sorted(others))} for ref, others in needs.items()]
        return found

    def _vulnerabilities(self) -> Iterator[Document]:
        for subject in self._material.subjects:
            digest = subject.digests.get("sha256", "")
            ref = self._refs[f"sha256:{digest}" if digest else f"path:{subject.path}"]
            for number, finding in enumerate(subject.findings, 1):
                if finding.severity >= Severity.LOW:
                    yield _vulnerability(finding, ref, number)

    def _workflow(self, step: Step) -> Document:
        ref = f"record-{step.index}"
        command = step.said.get("command")
        words = " ".join(str(word) for word in command) if isinstance(command, list) else ""
        flow: Document = {
            "bom-ref": ref,
            "uid": ref,
            "name": step.kind,
            "taskTypes": ["other" if step.kind == CLEANED else "build"],
        }
        if step.inputs:
            flow["inputs"] = [{"resource": {"ref": self._ref(thing)}} for thing in step.inputs]
        if step.outputs:
            flow["outputs"] = [{"type": "artifact", "resource": {"ref": self._ref(thing)}} for thing in step.outputs]
        if words:
            flow["steps"] = [{"name": "command", "commands": [{"executed": words}]}]
        for field_name, key in (("timeStart", "startedOn"), ("timeEnd", "finishedOn")):
            if isinstance(value := step.said.get(key), str):
                flow[field_name] = value
        told = {"record": str(step.index), "status": step.status}
        for name in ("parameters", "seeds"):
            said = step.said.get(name)
            told |= {f"{name}:{key}": str(value) for key, value in said.items()} if isinstance(said, dict) else {}
        flow["properties"] = _properties(told)
        return flow

    def _declarations(self) -> Document:
        """Claim of each file that was read whole what its scan says."""
        claims: list[Json] = []
        for subject in self._material.subjects:
            if subject.unread or not subject.digests:
                continue
            held = any(finding.severity >= Severity.HIGH for finding in subject.findings)
            predicate = "findings at or above high" if held else "no finding at or above high; every byte was read"
            ref = self._refs[f"sha256:{subject.digests['sha256']}"]
            claims.append({"bom-ref": f"claim-{len(claims) + 1}", "target": ref, "predicate": predicate})
        if not claims:
            return {}
        assessor: Document = {"bom-ref": "assessor", "thirdParty": True, "organization": {"name": f"toadstone {__version__}"}}
        return {"declarations": {"assessors": [assessor], "claims": claims}}


def _hashes(digests: dict[str, str]) -> list[Json]:
    names = {"sha256": "SHA-256", "blake3": "BLAKE3"}
    return [{"alg": names[name], "content": digests[name]} for name in names if digests.get(name)]


def _properties(told: dict[str, str]) -> list[Json]:
    return [{"name": f"toadstone:{name}", "value": value} for name, value in told.items()]


def _roots(thing: Thing) -> dict[str, str]:
    told: dict[str, str] = {}
    for table in thing.tables:
        before = f"{table.path}:" if table.path else ""
        told |= {f"{before}rows": str(table.rows), f"{before}content-root": table.content, f"{before}row-root": table.row_root}
    return told


def _pinned(pin: Pin) -> Document:
    """Describe a source of the lock."""
    component: Document = {"type": "data", "name": pin.name}
    if pin.kind == "file":
        component["hashes"] = _hashes({"sha256": pin.root, "blake3": pin.blake3})
    else:
        component["properties"] = _properties({"folder-root": pin.root, "entries": str(pin.count)})
    data: Document = {"type": "dataset", "name": pin.name}
    if pin.tables:
        data["contents"] = {
            "properties": _properties({key: value for table in pin.tables for key, value in _table(table).items()})
        }
    people: Document = {}
    if pin.owner:
        people["owners"] = [{"organization": {"name": pin.owner}}]
    if pin.vouched:
        people["custodians"] = [{"contact": {"name": pin.vouched}}]
    if people:
        data["governance"] = people
    component["data"] = [data]
    if pin.licence:
        component["licenses"] = [{"license": {"name": pin.licence}}]
    if "://" in pin.name and not pin.name.startswith("hf://"):
        component["externalReferences"] = [{"type": "distribution", "url": pin.name}]
    return component


def _table(table: TablePin) -> dict[str, str]:
    before = f"{table.path}:" if table.path else ""
    found = {f"{before}rows": str(table.rows), f"{before}content-root": table.content}
    return found | ({f"{before}row-root": table.row_root} if table.row_root else {})


def _carded(card: Card) -> Document:
    """Give the model card and licence of a model."""
    said = {"task": card.task, "architectureFamily": card.family, "modelArchitecture": card.architecture}
    parameters: Document = {key: value for key, value in said.items() if value}
    if card.datasets:
        parameters["datasets"] = [{"type": "dataset", "name": name} for name in card.datasets]
    found: Document = {"modelCard": {"modelParameters": parameters}} if parameters else {}
    if card.licence:
        found["licenses"] = [{"license": {"name": card.licence}}]
    if card.bases:
        found["pedigree"] = {"ancestors": [{"type": "machine-learning-model", "name": name} for name in card.bases]}
    return found


def _vulnerability(finding: Finding, ref: str, number: int) -> Document:
    cwes: list[Json] = [int(match[1]) for reference in finding.references if (match := _CWE.match(reference))]
    found: Document = {
        "bom-ref": f"{ref}-finding-{number}",
        "id": finding.check,
        "source": {"name": "toadstone"},
        "ratings": [{"severity": _RATINGS[finding.severity], "method": "other"}],
        "description": finding.message,
        "affects": [{"ref": ref}],
    }
    if cwes:
        found["cwes"] = cwes
    if finding.remedy:
        found["recommendation"] = finding.remedy
    if finding.place.member:
        found["properties"] = _properties({"member": finding.place.member})
    return found
