"""R: objects (``.rds``), workspaces (``.RData``, ``.rda``) and databases of packages (``.rdb``), versions 2 and 3.

Reading an object runs nothing, but what was read may run when it is touched: a promise is evaluated when somebody looks at it
(CVE-2024-27322), an active binding calls its function, ``.First`` runs when R starts in the folder of a ``.RData``. Functions
and unevaluated calls are read as expressions and reported with what they call. Source: "R Internals", section 1.8
"Serialization Formats", and ``src/main/serialize.c`` of R 4. Compressed files are unpacked first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source

_WORKSPACE = re.compile(rb"RD([XAB])([23])\n")
_VERSIONS = re.compile(rb"A\n[23]\n\d{5,7}\n\d{5,7}\n")
_OLDEST, _LATEST = 0x00010000, 0x000A0000


def _claims(source: Source) -> bool:
    """Whether the three versions at the beginning are those of R."""
    head = source.head(32)
    if source.hint == "rdata-part":
        return False  # that has been read, as part of a package
    if _WORKSPACE.match(head):
        return True
    if head[:2] == b"A\n":
        return _VERSIONS.match(head) is not None
    if head[:2] not in (b"X\n", b"B\n") or len(head) < 18:
        return False
    order = "big" if head[:1] == b"X" else "little"
    version, writer, oldest = (int.from_bytes(head[at : at + 4], order) for at in (2, 6, 10))  # type: ignore[arg-type]
    return version in (2, 3) and _OLDEST <= oldest <= writer < _LATEST


def _read(source: Source) -> Iterator[Fact]:
    """Read one object after the other."""
    from toadstone.readers.flood import thinned  # noqa: PLC0415  (start-up time)
    from toadstone.readers.rdata.document import read  # noqa: PLC0415

    yield from thinned(source, read(source))


_MARKS = tuple((0, mark) for mark in (b"X\n", b"A\n", b"B\n", b"RDX", b"RDA", b"RDB"))


def _read_part(source: Source) -> Iterator[Fact]:
    """Read an object of a package, whose functions are the package's own: only what runs unasked counts."""
    from toadstone.readers.flood import thinned  # noqa: PLC0415  (start-up time)
    from toadstone.readers.rdata.document import read  # noqa: PLC0415

    yield from thinned(source, read(source, functions=False))


def _claims_lazyload(source: Source) -> bool:
    from toadstone.readers.rdata.lazyload import first_is_object  # noqa: PLC0415  (start-up time)

    return first_is_object(source)


def _read_lazyload(source: Source) -> Iterator[Fact]:
    """Unpack every object of a package's database."""
    from toadstone.readers.rdata.lazyload import read  # noqa: PLC0415  (start-up time)

    yield from read(source)


READERS = (
    Reader(kind="rdata", read=_read, marks=_MARKS, claims=_claims, rank=40),
    Reader(kind="rdata-part", read=_read_part),
    Reader(kind="r-lazyload", read=_read_lazyload, suffixes=(".rdb",), claims=_claims_lazyload, rank=40),
)
