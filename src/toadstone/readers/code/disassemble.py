"""Instructions of CPython bytecode, 3.6 to 3.14, from our own tables (``opcodes.json``, written by ``tools/opcodes``)."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from toadstone.core.record import dataclass
from toadstone.readers.code.marshal_reader import CodeObject
from toadstone.readers.code.names import words

VERSIONS = ("3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
OF_LAYOUT = {"3.6": ("3.6", "3.7"), "3.8": ("3.8", "3.9", "3.10"), "3.11": ("3.11", "3.12", "3.13", "3.14")}
"""Versions that write each layout of `toadstone.readers.code.marshal_reader`."""


@dataclass(frozen=True)
class Operation:
    """One opcode of one version.

    Attributes:
        name: As in `dis`; specialised and instrumented forms carry the name of what they stand for.
        caches: Inline cache entries behind it.
        effect: Change of the stack's depth for argument 0, or None.
        slope: Further change for each unit of the argument.
    """

    name: str
    caches: int
    effect: int | None
    slope: int


@dataclass(frozen=True)
class Table:
    """The opcodes of one version."""

    minor: int
    operations: dict[int, Operation]
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Instruction:
    """One decoded instruction.

    Attributes:
        offset: Of its first byte (of its prefixes, if it has any).
        after: Offset behind it and its caches.
        known: Whether the version has this opcode.
    """

    offset: int
    after: int
    name: str
    arg: int
    known: bool
    operation: Operation


@lru_cache(maxsize=1)
def _raw() -> dict[str, dict[str, object]]:
    loaded: dict[str, dict[str, object]] = json.loads(Path(__file__).with_name("opcodes.json").read_text("utf-8"))
    return loaded


@lru_cache(maxsize=len(VERSIONS))
def table(version: str) -> Table:
    """Give the opcodes of a version such as ``3.11``."""
    raw = _raw()[version]
    operations: dict[int, Operation] = {}
    entries = raw["ops"]
    assert isinstance(entries, dict)
    for number, (name, caches, effect, slope) in entries.items():
        operations[int(number)] = Operation(name, caches, effect, slope or 0)
    binary = raw["binary"]
    assert isinstance(binary, list)
    return Table(
        int(version.partition(".")[2]),
        operations,
        tuple(str(sign).removesuffix("=") if sign != "==" else "==" for sign in binary),
    )


_NOTHING = Operation("<unknown>", 0, None, 0)


def decode(code: bytes, offset: int, opcodes: Table) -> Instruction | None:
    """Decode the instruction at an offset, with its ``EXTENDED_ARG`` prefixes; None at the end."""
    start = offset
    extended = 0
    while offset + 1 < len(code):
        operation = opcodes.operations.get(code[offset], _NOTHING)
        arg = (extended << 8 | code[offset + 1]) & 0xFFFFFFFF
        offset += 2
        if operation.name == "EXTENDED_ARG":
            extended = arg
            continue
        return Instruction(start, offset + 2 * operation.caches, operation.name, arg, operation is not _NOTHING, operation)
    return None


_ABSOLUTE = frozenset({"JUMP_ABSOLUTE", "CONTINUE_LOOP", "JUMP_IF_FALSE_OR_POP", "JUMP_IF_TRUE_OR_POP", "JUMP_IF_NOT_EXC_MATCH"})
_RELATIVE = (
    "FOR_ITER",
    "JUMP_FORWARD",
    "SETUP_LOOP",
    "SETUP_EXCEPT",
    "SETUP_FINALLY",
    "SETUP_WITH",
    "SETUP_ASYNC_WITH",
    "SEND",
    "CALL_FINALLY",
)
ENDS = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "INTERPRETER_EXIT"})
UNCONDITIONAL = frozenset(
    {"JUMP_FORWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "CONTINUE_LOOP", "JUMP_NO_INTERRUPT"}
)


def target(instruction: Instruction, minor: int) -> int:
    """Give the byte offset an instruction may jump to, or -1."""
    name = instruction.name
    unit = 2 if minor >= 10 else 1
    if "BACKWARD" in name:
        return instruction.after - 2 * instruction.arg
    if name.startswith("POP_JUMP"):
        return instruction.after + 2 * instruction.arg if minor >= 11 else unit * instruction.arg
    if name in _ABSOLUTE:
        return instruction.after + 2 * instruction.arg if minor >= 11 and name.startswith("JUMP_IF") else unit * instruction.arg
    return instruction.after + unit * instruction.arg if name in _RELATIVE else -1


_CONSTANTS = frozenset({"LOAD_CONST", "RETURN_CONST", "KW_NAMES"})
_NAMES = words(
    "LOAD_NAME STORE_NAME DELETE_NAME LOAD_GLOBAL STORE_GLOBAL DELETE_GLOBAL LOAD_ATTR STORE_ATTR DELETE_ATTR IMPORT_NAME "
    "IMPORT_FROM LOAD_METHOD LOAD_FROM_DICT_OR_GLOBALS LOAD_SUPER_ATTR",
)
_LOCALS = frozenset({"LOAD_FAST", "STORE_FAST", "DELETE_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW", "LOAD_FAST_AND_CLEAR"})


def name_index(instruction: Instruction, minor: int) -> int:
    """Which entry of ``co_names`` an instruction means; -1 for none."""
    if instruction.name not in _NAMES:
        return -1
    if instruction.name == "LOAD_GLOBAL" and minor >= 11:
        return instruction.arg >> 1
    if instruction.name == "LOAD_ATTR" and minor >= 12:
        return instruction.arg >> 1
    return instruction.arg >> 2 if instruction.name == "LOAD_SUPER_ATTR" else instruction.arg


def plausibility(code: CodeObject, version: str) -> float:
    """How well a code object reads as the bytecode of a version: 0 (not at all) to 1."""
    opcodes = table(version)
    good = total = 0
    used: set[int] = set()
    offset = 0
    while (instruction := decode(code.code, offset, opcodes)) is not None and total < 20_000:
        total += 1
        good += _fits(code, instruction, opcodes, used)
        offset = instruction.after
    if not total:
        return 0.0
    named = len(used & set(range(len(code.names)))) / len(code.names) if code.names else 1.0
    first = decode(code.code, 0, opcodes)
    if opcodes.minor >= 11 and first is not None and first.name not in _FIRST:
        named -= 0.5
    return good / total * 0.8 + max(named, 0.0) * 0.2


_FIRST = frozenset({"RESUME", "COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "NOP"})


def _fits(code: CodeObject, instruction: Instruction, opcodes: Table, used: set[int]) -> bool:
    """Whether an instruction makes sense where it stands."""
    name = instruction.name
    if not instruction.known or name == "CACHE":
        return False
    if name in _CONSTANTS:
        return instruction.arg < len(code.consts)
    if name in _LOCALS:
        return instruction.arg < len(code.locals)
    index = name_index(instruction, opcodes.minor)
    if index >= 0:
        used.add(index)
        return index < len(code.names)
    if instruction.operation.caches:
        return not any(code.code[instruction.after - 2 * instruction.operation.caches : instruction.after])
    if name == "BINARY_OP":
        return instruction.arg < len(opcodes.operators)
    where = target(instruction, opcodes.minor)
    return where < 0 or where <= len(code.code)


def likely_versions(codes: list[CodeObject], layout: str) -> list[str]:
    """Versions as which code objects read best; several when they read equally well."""
    sample = sorted(codes, key=lambda code: -len(code.code))[:12]
    scored = [
        (sum(plausibility(code, version) for code in sample) / max(len(sample), 1), version) for version in OF_LAYOUT[layout]
    ]
    best = max(score for score, _ in scored)
    return [version for score, version in scored if score >= best - 1e-9]
