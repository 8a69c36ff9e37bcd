"""TorchServe's model archives (``.mar``): the manifest says what each member is for.

The manifest itself is read with the other configurations. Source: ``model-archiver`` of TorchServe 0.12.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.bounded_json import JsonError, parse
from toadstone.readers.reader import Reader, Source
from toadstone.readers.zip import Entry, open_zip

_MANIFEST = "MAR-INF/MANIFEST.json"
_LIMIT = 1 << 20


def read(source: Source) -> Iterator[Fact]:
    """Read every member; the file of requirements is one whatever it is called."""
    archive = open_zip(source)
    requirements: set[str] = set()
    for entry in archive.named(_MANIFEST):
        try:
            document = parse(archive.read(source, entry, _LIMIT)).root
        except JsonError:
            continue  # the member itself is reported
        model = document.get("model") if isinstance(document, dict) else None
        name = model.get("requirementsFile") if isinstance(model, dict) else None
        requirements.add(str(name))

    def hint(entry: Entry) -> str:
        return "requirements" if entry.name in requirements else ""

    yield from archive.facts(source, hint)


def _claims(source: Source) -> bool:
    return source.head(4) == b"PK\x03\x04" and bool(open_zip(source).named(_MANIFEST))


READERS = (Reader("torchserve", read, marks=((0, b"PK\x03\x04"),), claims=_claims, rank=8),)
