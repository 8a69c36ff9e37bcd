"""Code objects that a pickle builds: the arguments of ``types.CodeType``, and of dill's and cloudpickle's ways to call it.

The order of the arguments differs from version to version and from pickler to pickler, but not their pattern: numbers, the
instructions as bytes, constants, names and local names as tuples, then the file and function names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Call, Code, Fact, Member, Moment
from toadstone.core.value import Items, Value
from toadstone.readers.code.marshal_reader import CodeObject
from toadstone.readers.reader import Source


def looks_like_code(args: tuple[Value, ...]) -> bool:
    """Whether the arguments of a call have the pattern of a code object."""
    return len(args) >= 12 and _instructions(args) is not None


def _instructions(args: tuple[Value, ...]) -> int | None:
    """Find the index of the instructions: bytes behind at least five numbers, before three tuples."""
    for index in range(5, len(args) - 4):
        if isinstance(args[index], bytes) and all(isinstance(value, int) for value in args[index - 5 : index]):
            following = args[index + 1 : index + 4]
            if all(isinstance(value, Items) and value.kind == "tuple" for value in following):
                return index
    return None


def code_facts(source: Source, call: Call) -> Iterator[Fact]:
    """Read the code object that a call of a pickle makes; its code runs when the function is used."""
    from toadstone.readers.code.bytecode import BytecodeReading  # noqa: PLC0415  (tables are only needed once there is bytecode)
    from toadstone.readers.code.disassemble import likely_versions  # noqa: PLC0415

    index = _instructions(call.args)
    if index is None:
        return
    code = _code_object(call.args, index)
    versions = likely_versions([code], code.layout)
    if not versions:
        yield source.anomaly(
            "parser-confusion", "a code object whose instructions fit no known version of Python", call.place.offset
        )
    for version in versions:
        reading = BytecodeReading(code, version, call.place, Moment.USE, module=False)
        reading.read()
        source.budget.spend_steps(reading.steps)
        names = ", ".join(code.names[:8])
        summary = f"CPython {version}, {len(code.code)} bytes, {code.argcount} arguments, names: {names or 'none'}"
        yield Code(call.place, "bytecode", code.name, summary)
        yield from reading.facts()
        for hidden in reading.revealing.hidden:
            yield Member(source.place, f"@{call.place.offset} ({hidden.name})", BytesBlob(hidden.data), hidden.hint, derived=True)


def _code_object(args: tuple[Value, ...], index: int) -> CodeObject:
    names = [_texts(args[index + 2]), _texts(args[index + 3])]
    texts = [value for value in args[index + 4 : index + 8] if isinstance(value, str)]
    tail = [_texts(value) for value in args[index + 4 :] if isinstance(value, Items) and value.kind == "tuple"]
    free, cells = (*tail, (), ())[:2]
    modern = len(texts) >= 3  # file, name, qualified name: CPython 3.11 and later
    instructions = args[index]
    assert isinstance(instructions, bytes)
    first = args[index - 6] if index >= 6 else 0
    return CodeObject(
        layout="3.11" if modern else "3.8",
        argcount=first if isinstance(first, int) else 0,
        flags=int(args[index - 1]),  # type: ignore[arg-type]
        code=instructions,
        consts=tuple(_constant(value) for value in _items(args[index + 1])),
        names=names[0],
        locals=(*names[1], *cells, *free) if modern else names[1],
        cells=() if modern else (*cells, *free),
        filename=texts[0] if texts else "",
        name=texts[1] if len(texts) > 1 else "",
        qualname=texts[2] if modern else "",
        offset=0,
    )


def _items(value: Value) -> list[Value]:
    return value.items if isinstance(value, Items) else []


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(item if isinstance(item, str) else "?" for item in _items(value))


def _constant(value: Value) -> Any:  # noqa: ANN401  (constants of any type)
    if isinstance(value, Items) and value.kind == "tuple":
        return tuple(_constant(item) for item in value.items)
    return value if isinstance(value, (str, bytes, int, float, complex)) else None
