"""PyTorch's zip files: checkpoints, modules, TorchScript.

``torch.save`` writes ``NAME/data.pkl`` and one stored member ``NAME/data/KEY`` for each storage that the pickle names by
a persistent id with its type and number of elements. A member that is exactly such a storage is inert; everything else
in the file is read as what it is. Source: ``torch/serialization.py``, ``torch/csrc/jit/serialization``.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.budget import Budget
from toadstone.core.coverage import Coverage
from toadstone.core.fact import Fact, Operator, Setting
from toadstone.readers.pickle import follow
from toadstone.readers.pickle.torch_legacy import Storage, storage_of
from toadstone.readers.reader import Reader, Source
from toadstone.readers.zip import Archive, Entry, open_zip

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
            for storage in _declared(source, archive, entry):
                inside = names.get(f"{folder}/{_PICKLES[base]}/{storage.key}" if folder else f"{_PICKLES[base]}/{storage.key}")
                if inside is not None and inside.size == storage.size:
                    archive.inert(source, inside)
    yield from archive.facts(source, lambda entry: _hint(entry, script=script))


def _hint(entry: Entry, *, script: bool) -> str:
    if entry.name.rpartition("/")[2] in _PICKLES:
        return "pickle"
    return "torchscript-code" if script and "/code/" in entry.name and entry.name.endswith(".py") else ""


def _declared(source: Source, archive: Archive, entry: Entry) -> Iterator[Storage]:
    """List the storages that a pickle names. Its facts are not reported here: the pickle is read as a member as well."""
    blob = archive.content(source, entry)
    if blob is None:
        return
    probe = Source(blob, entry.name, source.place, Budget.of(blob.size))
    probe.coverage = Coverage(blob.size)
    for fact in follow(probe, 0):
        if isinstance(fact, Setting) and (storage := storage_of(fact.value)):
            yield storage
    blob.close()


def _claims(source: Source) -> bool:
    return any(entry.name.rpartition("/")[2] == "data.pkl" for entry in open_zip(source).entries)


def _is_zip(source: Source) -> bool:
    return source.head(4) == b"PK\x03\x04" and _claims(source)


def read_code(source: Source) -> Iterator[Fact]:
    """Read a TorchScript source file: a subset of Python that the JIT compiles. Reports the operators that it calls."""
    import ast  # noqa: PLC0415  (only needed for this format)

    if source.blob.size > _LONGEST:
        yield source.unread(f"TorchScript source of more than {_LONGEST:,} bytes")
        return
    source.budget.spend_steps(source.blob.size // 4)
    text = source.blob.read(0, source.blob.size)
    if max((text.count(mark) for mark in (b"(", b"[")), default=0) > source.blob.size // 2 and source.blob.size > 1000:
        yield source.unread("TorchScript source that is nothing but brackets")
        return
    try:
        tree = ast.parse(text.decode("utf-8"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield source.unread("TorchScript source that does not parse")
        return
    source.coverage.read(0, source.blob.size)
    seen: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _dotted(node.func)) and name not in seen:
            seen.add(name)
            domain, _, operator = name.rpartition(".")
            yield Operator(source.place.line(node.lineno - 1), f"torchscript:{domain}", operator, name)


_LONGEST = 16 << 20


def _dotted(node: object) -> str:
    parts: list[str] = []
    while (attribute := getattr(node, "attr", None)) is not None:
        parts.append(attribute)
        node = getattr(node, "value", None)
    base = getattr(node, "id", None)
    return ".".join([base, *reversed(parts)]) if isinstance(base, str) and base in ("torch", "ops", "annotate", "uninitialized") else ""


READERS = (
    Reader("torch-zip", read, claims=_is_zip, always=True, rank=8),
    Reader("torchscript-code", read_code),
)
