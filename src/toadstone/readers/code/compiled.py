"""Compiled Python: ``.pyc`` files and naked ``marshal`` data.

A ``.pyc`` is a 16-byte header (PEP 552: magic, flags, then time and size or a hash; 12 bytes up to 3.6) and one marshalled
code object. Magic numbers: ``Lib/importlib/_bootstrap_external.py`` of each release, pre-releases included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Call, Code, Fact, Member, Moment
from toadstone.core.value import render_call
from toadstone.readers.code.claims import version_of
from toadstone.readers.reader import Source

if TYPE_CHECKING:
    from toadstone.readers.code.marshal_reader import CodeObject

LARGEST = 24 << 20
"""Bytes of marshal data that are read; the largest real modules have a few megabytes."""


def read_pyc(source: Source) -> Iterator[Fact]:
    """Read a compiled module."""
    from toadstone.readers.code.remote import named_by  # noqa: PLC0415

    version = version_of(source.head(4))
    if not version:
        source.coverage.read(0, source.blob.size)
        yield source.unread("compiled by a Python version whose bytecode is not known here", 0, source.blob.size)
        return
    start = 12 if version == "3.6" else 16
    entry = named_by(source.sibling, source.name.replace(".pyc", ".py"))
    if entry:
        yield Code(source.place, "python", source.name, f"remote code, named by {entry}")
    yield from _read(source, start, (version,), Moment.IMPORT, module=True, prefix="remote-code:" if entry else "")


def read_used(source: Source) -> Iterator[Fact]:
    """Read marshal data whose code runs when the artefact is used."""
    yield from _read(source, 0, (), Moment.USE, module=False)


def read_run(source: Source) -> Iterator[Fact]:
    """Read marshal data whose code runs while the artefact is loaded."""
    yield from _read(source, 0, (), Moment.LOAD, module=False)


def _read(
    source: Source, start: int, versions: tuple[str, ...], moment: Moment, *, module: bool, prefix: str = ""
) -> Iterator[Fact]:
    from toadstone.readers.code.bytecode import constants_of  # noqa: PLC0415  (tables are only needed once there is bytecode)
    from toadstone.readers.code.disassemble import OF_LAYOUT, likely_versions  # noqa: PLC0415
    from toadstone.readers.code.marshal_reader import LAYOUTS, OBJECTS, load_all  # noqa: PLC0415

    data = source.blob.read(0, min(source.blob.size, LARGEST))
    layouts = tuple(layout for layout in LAYOUTS if not versions or versions[0] in OF_LAYOUT[layout])
    source.budget.spend_steps(min(len(data), OBJECTS))
    found, reason = load_all(data, layouts, start)
    if not found:
        source.coverage.read(0, start)
        yield source.unread(f"marshal data: {reason}", start, source.blob.size - start)
        source.coverage.read(start, source.blob.size)
        if module or data[start : start + 1] in (b"\xe3", b"c"):
            yield source.anomaly("malformed", f"compiled code that does not read to its end: {reason}", start)
        return
    for loaded in found:
        source.coverage.read(0, loaded.end)
        if loaded.codes:
            chosen = list(versions) or likely_versions(loaded.codes, loaded.layout)
            yield from _walked(source, loaded.codes, chosen, moment, module=module, prefix=prefix)
        yield from constants_of(loaded.codes, source.place)
    source.budget.spend_steps(sum(len(loaded.codes) for loaded in found))


def _walked(
    source: Source, codes: list[CodeObject], versions: list[str], moment: Moment, *, module: bool, prefix: str
) -> Iterator[Fact]:
    from toadstone.readers.code.bytecode import BytecodeReading  # noqa: PLC0415

    kind = type(codes[0])
    nested = {id(constant) for code in codes for constant in code.consts if isinstance(constant, kind)}
    for code in codes:
        if id(code) in nested:
            continue
        if not module:
            spoken = " to ".join(dict.fromkeys((versions[0], versions[-1])))
            names = ", ".join(code.names[:8]) or "none"
            summary = f"CPython {spoken}, {len(code.code)} bytes, {code.argcount} arguments, names: {names}"
            yield Code(source.place.at(code.offset), "bytecode", code.name, summary)
        seen: set[str] = set()
        handed: set[bytes] = set()
        for version in versions:
            reading = BytecodeReading(code, version, source.place, moment, module, prefix)
            reading.read()
            source.budget.spend_steps(reading.steps)
            yield from _unseen(reading.facts(), seen if len(versions) > 1 else None)
            for hidden in reading.revealing.hidden:
                if hidden.data not in handed:
                    handed.add(hidden.data)
                    yield Member(
                        source.place, f"@{hidden.line} ({hidden.name})", BytesBlob(hidden.data), hidden.hint, derived=True
                    )


def _unseen(facts: Iterator[Fact], seen: set[str] | None) -> Iterator[Fact]:
    """Leave out what another version's reading of the same code gave already."""
    for fact in facts:
        key = ""
        if seen is not None and isinstance(fact, Call):
            key = f"{fact.place} {fact.when} {render_call(fact.callee, fact.args, fact.kwargs)}"
        elif seen is not None:
            key = repr(fact)
        if seen is None or key not in seen:
            yield fact
        if seen is not None:
            seen.add(key)
