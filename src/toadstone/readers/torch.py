"""PyTorch's zip files: checkpoints, modules, TorchScript.

``torch.save`` writes ``NAME/data.pkl`` and one stored member ``NAME/data/KEY`` for each storage that the pickle names by
a persistent id with its type and number of elements. A member that is exactly such a storage is inert; everything else
in the file is read as what it is. Source: ``torch/serialization.py``, ``torch/csrc/jit/serialization``.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.budget import Budget
from toadstone.core.coverage import Coverage
from toadstone.core.fact import Fact, PersistentLoad
from toadstone.readers.pickle import follow
from toadstone.readers.pickle.torch_legacy import Storage, storage_of
from toadstone.readers.reader import Reader, Source
from toadstone.readers.zip import behind_prefix, open_zip, prefix_facts

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from toadstone.readers.zip import Archive, Entry

_SIGNATURE = b"PK\x03\x04"
ARRAY = b"\x93NUMPY"
_PICKLES = {"data.pkl": "data", "constants.pkl": "constants"}
"""Pickles whose tensors lie in members of a folder beside them."""


def read(source: Source) -> Iterator[Fact]:
    """Read a PyTorch zip file: its pickles, what they declare, and all that is not declared."""
    archive = open_zip(source)
    script = any("/code/" in entry.name for entry in archive.entries)
    source.notes["kind"] = "torchscript" if script else "torch-zip"
    names = {entry.name: entry for entry in archive.entries}
    for name, entry in names.items():
        folder, _, base = name.rpartition("/")
        if base in _PICKLES:
            for storage in declared(source, archive, entry):
                inside = names.get(f"{folder}/{_PICKLES[base]}/{storage.key}" if folder else f"{_PICKLES[base]}/{storage.key}")
                if inside is not None and inside.size == storage.size and is_storage(source, archive, inside, storage):
                    archive.inert(source, inside)
    yield from archive.facts(source, lambda entry: _hint(entry, script=script))


def is_storage(source: Source, archive: Archive, entry: Entry, storage: Storage) -> bool:
    """Whether a declared storage cannot be anything else to another loader.

    PyTorch numbers its storages. ``numpy.load`` opens the same file as well, gives any member by its name, and unpickles
    those that begin like an array; other tools go by suffixes.
    """
    return storage.key.isdecimal() and not archive.read(source, entry, len(ARRAY)).startswith(ARRAY)


def _hint(entry: Entry, *, script: bool) -> str:
    if entry.name.rpartition("/")[2] in _PICKLES:
        return "pickle"
    return "torchscript-code" if script and "/code/" in entry.name and entry.name.endswith(".py") else ""


def declared(source: Source, archive: Archive, entry: Entry) -> Iterator[Storage]:
    """List the storages that a pickle names. Its facts are not reported here: the pickle is read as a member as well."""
    blob = archive.content(source, entry)
    if blob is None:
        return
    probe = Source(blob, entry.name, source.place, Budget.of(blob.size))
    probe.coverage = Coverage(blob.size)
    for fact in follow(probe, 0, deep=False):
        if isinstance(fact, PersistentLoad) and (storage := storage_of(fact.identity)):
            yield storage
    blob.close()


def _claims(source: Source) -> bool:
    return any(entry.name.rpartition("/")[2] == "data.pkl" for entry in open_zip(source).entries)


def _is_zip(source: Source) -> bool:
    return source.head(4) == _SIGNATURE and _claims(source)


def read_behind_prefix(source: Source) -> Iterator[Fact]:
    """Read a PyTorch file behind something else: PyTorch's own reader starts at the end, as every reader of zips does."""
    if (yield from prefix_facts(source)):
        yield from read(source)


def _is_behind_prefix(source: Source) -> bool:
    return behind_prefix(source) and _claims(source)


READERS = (
    Reader("torch-zip", read, marks=((0, _SIGNATURE),), claims=_is_zip, rank=8),
    Reader("torch-behind-prefix", read_behind_prefix, claims=_is_behind_prefix, always=True, rank=78),
)
