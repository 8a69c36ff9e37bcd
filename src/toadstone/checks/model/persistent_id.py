"""Persistent ids that only one loader understands."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, PersistentLoad
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import Items, Symbol, Value, render


@check(
    "persistent-id",
    severity=Severity.MEDIUM,
    reads=PersistentLoad,
    references=("CWE-502", "MITRE ATLAS 2026.08 AML.T0011.000"),
)
class PersistentId(Check):
    """The file refers to objects by persistent ids that are not PyTorch storages.

    ## Why it matters

    A persistent id is handed to the loader's own ``persistent_load``; what it does with it is not in the file. Plain
    unpicklers refuse such a file; a loader with a hook may import, read a file or open a connection for it.

    ## How it decides

    PyTorch's own ids (storages with type, key, device and size; modules with their source; packages) are recognised by
    their shape. Any other id is reported.

    ## What it misses

    What the hook of a particular loader does.

    ## Remedy

    Find out which loader the file is meant for and what its ``persistent_load`` accepts.

    ## References

    - https://docs.python.org/3/library/pickle.html#persistence-of-external-objects
    """

    def examine(self, fact: PersistentLoad) -> Iterator[Finding]:
        """Judge one persistent id."""
        if not _is_torch(fact.identity):
            yield self.finding(
                fact.place,
                f"The file needs a loader that knows the persistent id {render(fact.identity, 120)}.",
                key="persistent-id",
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give an id that names a file."""
        yield PersistentLoad(Place("model.pkl", offset=2), "../weights.bin")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give a storage of PyTorch."""
        storage = Items("tuple", ["storage", Symbol("torch", "FloatStorage"), "0", "cpu", 10])
        yield PersistentLoad(Place("model.pt", "model/data.pkl", 2), storage)


def _is_torch(identity: Value) -> bool:
    if not isinstance(identity, Items) or not identity.items:
        return False
    kind, *rest = identity.items
    if kind in ("storage", b"storage"):
        return len(rest) >= 4 and isinstance(rest[0], Symbol) and rest[0].module.split(".")[0] == "torch"
    return kind in ("module", "reduce_package", "reduce_deploy", "package") and bool(rest)
