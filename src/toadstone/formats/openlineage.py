"""OpenLineage run events, one JSON object a line, for tools that collect them.

Source: OpenLineage specification 2-0-2, https://openlineage.io/spec/2-0-2/OpenLineage.json. It has no place for digests of
content; they stand in a facet of our own, ``toadstone_identity``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

from toadstone.core.finding import Json
from toadstone.core.version import __version__
from toadstone.ledger.things import Step, Thing, Traced

_PRODUCER = f"https://pypi.org/project/toadstone/{__version__}"
_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
_STATES = {"succeeded": "COMPLETE", "failed": "FAIL", "interrupted": "ABORT"}


def write(found: Traced) -> str:
    """Write one event a record."""
    return "".join(json.dumps(event) + "\n" for event in _events(found))


def _events(found: Traced) -> Iterator[dict[str, Json]]:
    for step in found.steps:
        inputs: list[Json] = [_dataset(thing, "inputFacets") for thing in step.inputs]
        outputs: list[Json] = [_dataset(thing, "outputFacets") for thing in step.outputs]
        yield {
            "eventTime": str(step.said.get("finishedOn") or step.said.get("recordedAt") or ""),
            "eventType": _STATES.get(step.status, "OTHER"),
            "producer": _PRODUCER,
            "schemaURL": f"{_SPEC}#/$defs/RunEvent",
            "run": {
                "runId": str(
                    uuid.uuid5(uuid.NAMESPACE_URL, f"toadstone:{step.origin or f'record:{step.index}'}:{_digests(step)}")
                ),
                "facets": {},
            },
            "job": {"namespace": "toadstone", "name": _job(step), "facets": {}},
            "inputs": inputs,
            "outputs": outputs,
        }


def _digests(step: Step) -> str:
    return ",".join(sorted(thing.digest for thing in (*step.inputs, *step.outputs)))


def _job(step: Step) -> str:
    command = step.said.get("command")
    return " ".join(str(word) for word in command) if isinstance(command, list) and command else step.origin or step.kind


def _dataset(thing: Thing, facets: str) -> dict[str, Json]:
    scheme, sign, rest = thing.uri.partition("://")
    namespace, name = (f"{scheme}://{rest.partition('/')[0]}", rest.partition("/")[2]) if sign else ("file", thing.name)
    digests: list[Json] = [*sorted(thing.digests)]
    identity: dict[str, Json] = {"_producer": _PRODUCER, "_schemaURL": f"{_SPEC}#/$defs/DatasetFacet", "digests": digests}
    version: dict[str, Json] = {
        "_producer": _PRODUCER,
        "_schemaURL": "https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet",
        "datasetVersion": thing.digest,
    }
    return {"namespace": namespace, "name": name, "facets": {"version": version, "toadstone_identity": identity}, facets: {}}
