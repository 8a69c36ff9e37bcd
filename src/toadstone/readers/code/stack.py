"""The symbolic stack walk: what bytecode imports and calls, found without running it.

Instructions are followed along the control flow (both ways at every branch, each instruction once), then whatever is left over
in order, with a stack of pictures. A jump into the middle of an instruction is decoded from there, as the interpreter would.
"""

# ruff: noqa: ANN401  (constants of any type are pictured)
from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from toadstone.core.value import Items, Opaque, Symbol, Value
from toadstone.readers.code.disassemble import ENDS, UNCONDITIONAL, Instruction, Table, decode, target
from toadstone.readers.code.machine import Machine
from toadstone.readers.code.marshal_reader import BigInt, CodeObject, Sequence
from toadstone.readers.code.values import UNKNOWN, Known, Local, Namespace, join, noted

NULL = Opaque("NULL")
"""The marker that the interpreter pushes next to a callable."""

_KEPT_CONSTANT = 4096
_KEPT_NUMBERS = 1 << 16
"""Numbers of one constant: character codes of a hidden text may be many."""


class CodeFunction:
    """A code object with what surrounds it."""

    def __init__(self, code: CodeObject, closure: dict[str, Value], defaults: dict[str, Value] | None = None) -> None:
        self.code = code
        self.closure = closure
        self.defaults = defaults or {}
        self.returned: Value = UNKNOWN
        self.yielded: Value = UNKNOWN

    @property
    def result(self) -> Value:
        """What calling it gives; for a generator, the values it yields."""
        if self.code.flags & 0x20:
            return Items("list", [self.yielded], 1) if noted(self.yielded) else UNKNOWN
        return self.returned


def constant(value: Any, depth: int = 0) -> Value:
    """Picture an unmarshalled constant."""
    if value is None or isinstance(value, (str, bytes, bool, int, float)):
        return value
    if isinstance(value, CodeObject):
        return Local(value.name, CodeFunction(value, {}))
    if isinstance(value, (tuple, Sequence)) and depth < 6:
        items = list(value) if isinstance(value, tuple) else value.items
        kind = "tuple" if isinstance(value, tuple) else value.kind
        if kind == "dict":
            pairs: list[Value] = [
                Items("tuple", [constant(key, depth + 1), constant(item, depth + 1)])
                for key, item in zip(items[::2], items[1::2], strict=False)
            ]
            return Items("dict", pairs[:256], max(len(pairs) - 256, 0))
        kept = _KEPT_CONSTANT if depth == 0 else 64
        if depth == 0 and all(type(item) is int for item in items[:_KEPT_NUMBERS]):
            kept = _KEPT_NUMBERS
        return Items(kind, [constant(item, depth + 1) for item in items[:kept]], max(len(items) - kept, 0))
    return Opaque(f"<{value.digits} digits>") if isinstance(value, BigInt) else UNKNOWN


class Walk:
    """Walks one code object.

    Args:
        machine: Follows names and calls.
        function: What is walked.
        names: Names at module or class level, or globals; shared and changed.
        opcodes: The version's table.
        given: Arguments by name.
    """

    def __init__(
        self, machine: Machine, function: CodeFunction, names: dict[str, Value], opcodes: Table, given: dict[str, Value]
    ) -> None:
        self.machine = machine
        self.function = function
        self.code = function.code
        self.names = names
        self.opcodes = opcodes
        self.locals: dict[str, Value] = {**function.closure, **given}
        self.stack: list[Value] = []
        self.keywords: tuple[str, ...] = ()
        self.odd = 0
        self.steps = 0

    # the walk

    def run(self) -> None:
        """Walk everything; `odd` counts what no compiler writes."""
        size = len(self.code.code)
        seen: set[int] = set()
        waiting: list[tuple[int, int, list[Value]]] = [(0, 0, [])]
        arriving: dict[int, list[Value]] = {}
        order = 1
        while waiting:
            offset, _, self.stack = heapq.heappop(waiting)
            while offset < size and offset not in seen:
                seen.add(offset)
                self._meet(arriving.pop(offset, None))
                instruction = decode(self.code.code, offset, self.opcodes)
                if instruction is None:
                    break
                self.steps += 1
                self.step(instruction)
                where = target(instruction, self.opcodes.minor)
                if 0 <= where < size and where not in seen:
                    heapq.heappush(waiting, (where, order, list(self.stack)))
                    arriving.setdefault(where, list(self.stack))
                    order += 1
                elif where >= size + 2 or where < -1:
                    self.odd += 1
                if instruction.name in ENDS or instruction.name in UNCONDITIONAL:
                    offset = instruction.after
                    break
                offset = instruction.after
            if not waiting:
                rest = self._left_over(seen, size)
                if rest >= 0:
                    waiting.append((rest, order, []))

    def _meet(self, other: list[Value] | None) -> None:
        """Two ways lead here: what either leaves on top of the stack is possible."""
        if other and len(other) == len(self.stack) and other[-1] is not self.stack[-1]:
            self.stack[-1] = join(self.stack[-1], other[-1])

    def _left_over(self, seen: set[int], size: int) -> int:
        """The first code unit that nothing led to: exception handlers, or what hides behind a jump."""
        start = getattr(self, "_swept", 0)
        covered: int = start
        while covered < size:
            if covered not in seen:
                self._swept = covered
                return covered
            instruction = decode(self.code.code, covered, self.opcodes)
            if instruction is None:
                break
            covered = instruction.after
        self._swept = size
        return -1

    def step(self, instruction: Instruction) -> None:
        """Do one instruction."""
        method = _HANDLERS.get(instruction.name)
        if method is not None:
            method(self, instruction)
        elif instruction.name.startswith(("BINARY_", "INPLACE_")):
            self._operator(_NAMED.get(instruction.name.partition("_")[2], "?"))
        else:
            self._other(instruction)

    def _other(self, instruction: Instruction) -> None:
        if not instruction.known:
            self.odd += 1
            return
        operation = instruction.operation
        change = (operation.effect or 0) + operation.slope * min(instruction.arg, 1 << 16)
        if change > 0:
            self.stack += [UNKNOWN] * min(change, 300)
        elif change < 0:
            del self.stack[max(len(self.stack) + change, 0) :]
            if self.stack and instruction.name.startswith(("COMPARE", "CONTAINS", "IS_OP")):
                self.stack[-1] = UNKNOWN

    def pop(self) -> Value:
        """Take the top of the stack; an empty one gives the unknown."""
        return self.stack.pop() if self.stack else UNKNOWN

    def pops(self, count: int) -> list[Value]:
        """Take several values, in the order in which they were pushed."""
        if count <= 0:
            return []
        taken = self.stack[-count:]
        del self.stack[-count:]
        missing = min(count - len(taken), 256)
        return [*([UNKNOWN] * missing), *taken]

    def push(self, value: Value) -> None:
        """Put a value on the stack."""
        if len(self.stack) < 10_000:
            self.stack.append(value)

    def name(self, index: int) -> str:
        """Give an entry of ``co_names``."""
        if 0 <= index < len(self.code.names):
            return self.code.names[index]
        self.odd += 1
        return ""

    def local(self, index: int) -> str:
        """Give the name of a local variable."""
        if 0 <= index < len(self.code.locals):
            return self.code.locals[index]
        self.odd += 1
        return ""

    def cell(self, index: int) -> str:
        """Give the name of a cell or free variable."""
        names = self.code.locals if self.opcodes.minor >= 11 else self.code.cells
        return names[index] if 0 <= index < len(names) else ""

    def global_name(self, name: str) -> Value:
        """Give what a global name holds."""
        found = self.names.get(name)
        return found if found is not None else self.machine.lookup(name)

    def store(self, name: str, value: Value, where: dict[str, Value]) -> None:
        """Bind a name; earlier values stay possible, as the flow is not known."""
        old = where.get(name)
        where[name] = join(old, value) if old is not None and noted(old) else value

    def constant(self, index: int) -> Value:
        """Picture a constant, once for each code object."""
        key = (id(self.code), index)
        if key not in self.machine.constants:
            self.machine.constants[key] = constant(self.code.consts[index])
        return self.machine.constants[key]

    def _operator(self, sign: str) -> None:
        right, left = self.pop(), self.pop()
        if sign == "[]":
            self.made(self.machine.item(left, right) if left is not UNKNOWN else UNKNOWN)
        else:
            self.made(self.machine.strings.binary(sign, left, right) if noted(left) or noted(right) else UNKNOWN)

    def made(self, value: Value) -> None:
        """Put a value on the stack that was worked out."""
        if isinstance(value, (str, bytes, Known)):
            self.machine.notice(value)
        self.push(value)

    def call(self, callee: Value, other: Value, args: list[Value], kwargs: list[tuple[str, Value]]) -> None:
        """Call what stands on the stack: one of the two is a marker, or the second is the receiver."""
        actual = other if callee is NULL else callee
        if callee is not NULL and other is not NULL:
            args = [other, *args]
        if actual is UNKNOWN or actual is NULL:
            self.push(UNKNOWN)
            return
        self.made(self.machine.call(actual, tuple(args), tuple(kwargs)))

    def namespace(self) -> Value:
        """What ``locals()`` of a class body or module gives."""
        return Namespace()

    def function_of(self, value: Value, defaults: Value = UNKNOWN) -> Value:
        """Make a function of a code constant, closed over the names in sight."""
        if isinstance(value, Local) and isinstance(value.definition, CodeFunction):
            return Local(
                value.what,
                CodeFunction(
                    value.definition.code,
                    {
                        name: self.locals[name]
                        for name in value.definition.code.locals + value.definition.code.cells
                        if name in self.locals
                    },
                    _defaults(value.definition.code, defaults),
                ),
            )
        return UNKNOWN


def _defaults(code: CodeObject, given: Value) -> dict[str, Value]:
    """Give the parameters that have a default, with it."""
    if not isinstance(given, Items) or given.kind != "tuple" or given.more or len(given.items) > code.argcount:
        return {}
    return dict(zip(code.locals[code.argcount - len(given.items) : code.argcount], given.items, strict=False))


_NAMED = {
    "ADD": "+",
    "SUBTRACT": "-",
    "MULTIPLY": "*",
    "TRUE_DIVIDE": "/",
    "MODULO": "%",
    "POWER": "**",
    "LSHIFT": "<<",
    "RSHIFT": ">>",
    "OR": "|",
    "XOR": "^",
    "AND": "&",
    "FLOOR_DIVIDE": "//",
    "MATRIX_MULTIPLY": "@",
    "SUBSCR": "[]",
}

_HANDLERS: dict[str, Callable[[Walk, Instruction], None]] = {}


def handles(*names: str) -> Callable[[Callable[[Walk, Instruction], None]], Callable[[Walk, Instruction], None]]:
    """Declare what an opcode does; the meanings stand in `toadstone.readers.code.instructions`."""

    def declare(function: Callable[[Walk, Instruction], None]) -> Callable[[Walk, Instruction], None]:
        for name in names:
            _HANDLERS[name] = function
        return function

    return declare


SYMBOL_BUILD_CLASS = Symbol("builtins", "__build_class__")
