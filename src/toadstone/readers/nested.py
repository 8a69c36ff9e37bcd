"""Bytes inside data: what some program would open is handed on, the rest is payload."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.blob import Blob
from toadstone.core.budget import BudgetError
from toadstone.core.fact import Fact
from toadstone.readers.reader import Source

_HEAD = 16


def nested(source: Source, name: str, blob: Blob) -> Iterator[Fact]:
    """Yield a `Member` for bytes that begin like a file, or that are or decode to a whole pickle which imports something.

    Args:
        source: Where the bytes are.
        name: What they are called there.
        blob: The bytes.
    """
    from toadstone.readers.hdf5.content import begins_like_a_file  # noqa: PLC0415  (start-up time)
    from toadstone.readers.pickle.embedded import embedded_pickle, may_hold  # noqa: PLC0415

    head = blob.read(0, _HEAD)
    if may_hold(head[:2]):
        found = embedded_pickle(blob, 0, blob.size, source.budget)
        if found is not None and _acts(source, found[0]):
            yield source.member(f"{name}({found[1]})" if found[1] else name, found[0], "pickle")
            return
    if head[:1] != b"\x80" and begins_like_a_file(head):
        yield source.member(name, blob)


def _acts(source: Source, blob: Blob) -> bool:
    """Whether a blob begins with a whole pickle that imports something; numbers begin like pickles by chance."""
    from toadstone.readers.pickle import follow  # noqa: PLC0415  (start-up time)

    run = follow(Source(blob, "", source.place, source.budget, notes={"probe": ""}), 0)
    while True:
        try:
            next(run)
        except StopIteration as done:
            return bool(done.value.acted) and not done.value.broken
        except BudgetError:
            return False
