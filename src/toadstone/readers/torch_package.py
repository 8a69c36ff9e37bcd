"""torch.package archives: a model pickled together with the Python modules that it needs.

``PackageImporter.load_pickle`` imports the packed modules and calls what the pickle names in them, so the sources are code
that loading runs. Storages lie in ``NAME/.data/KEY.storage``; persistent ids name them, or call a function of the package
(``reduce_package``). Source: ``torch/package/package_exporter.py`` and ``package_importer.py``.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source
from toadstone.readers.torch import declared, is_storage
from toadstone.readers.zip import Archive, Entry, open_zip

_MARK = ".data/extern_modules"
"""The member that every package has: the modules that it takes from its surroundings."""


def read(source: Source) -> Iterator[Fact]:
    """Read a package: its pickles, the storages that they declare, and the sources that they run."""
    archive = open_zip(source)
    names = {entry.name: entry for entry in archive.entries}
    roots = [name[: -len(_MARK)] for name in names if name.endswith(_MARK)]
    for entry in names.values():
        if entry.name.endswith(".pkl"):
            _claim_storages(source, archive, names, entry, roots)
    yield from archive.facts(source, _hint)


def _claim_storages(source: Source, archive: Archive, names: dict[str, Entry], entry: Entry, roots: list[str]) -> None:
    for storage in declared(source, archive, entry):
        for root in roots:
            inside = names.get(f"{root}.data/{storage.key}.storage")
            if inside is not None and inside.size == storage.size and is_storage(source, archive, inside, storage):
                archive.inert(source, inside)


def _hint(entry: Entry) -> str:
    if entry.name.endswith(".pkl"):
        return "pickle"
    return "packaged-python" if entry.name.endswith(".py") else ""


def _claims(source: Source) -> bool:
    return source.head(4) == b"PK\x03\x04" and any(entry.name.endswith(f"/{_MARK}") for entry in open_zip(source).entries)


READERS = (Reader("torch-package", read, marks=((0, b"PK"),), claims=_claims, rank=7),)
