"""Bytecode followed as it would run, as long as every choice is known: loops over constants, generators, decoders.

`toadstone.readers.code.stack` walks both ways at every branch and each instruction once, which finds every call and little of
what loops compute. This walk goes one way only, as often as the code does, and stops at the first choice that depends on what
is not known. Nothing is run: the values are pictures, and only pure functions of constants are worked out.

Source: `dis` of CPython 3.6 to 3.14 and ``Python/bytecodes.c`` (``FOR_ITER`` and what stands behind a loop differ by version).
"""

# ruff: noqa: SLF001, ANN401  (one machine in two files; values of any type)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toadstone.core.value import Items, Opaque, Symbol, Value
from toadstone.forensics.effort import NotWorkedOut
from toadstone.forensics.interpreter import REFUSED, Steps
from toadstone.forensics.operators import compare, unary
from toadstone.readers.code.disassemble import ENDS, Instruction, Table, decode, target
from toadstone.readers.code.machine import Machine
from toadstone.readers.code.names import CHANGING
from toadstone.readers.code.pictures import picture
from toadstone.readers.code.stack import NULL, CodeFunction, Walk
from toadstone.readers.code.values import UNKNOWN, Bound, Held, Known

STEPS = 60_000
"""Instructions of one call that are followed."""

_ITEMS = 1 << 16
_OLD_SIGNS = ("<", "<=", "==", "!=", ">", ">=", "in", "not in", "is", "is not")
_GENERATOR = 0x20


class _Left(Exception):  # noqa: N818  (an exit from the loop)
    """A choice depends on what is not known."""


class Cursor(Opaque):
    """An iterator over known items."""

    __slots__ = ("items",)

    def __init__(self, items: Any) -> None:
        super().__init__("iterator")
        self.items = items


class Straight(Walk):
    """Follows one code object along the one way that it takes.

    Attributes:
        completed: Whether it came to its end.
        value: What it gave, if so.
    """

    def __init__(
        self, machine: Machine, function: CodeFunction, names: dict[str, Value], opcodes: Table, given: dict[str, Value]
    ) -> None:
        super().__init__(machine, function, names, opcodes, given)
        self.completed = False
        self.value: Value = UNKNOWN
        self.yielded: list[Value] = []
        self._next = -1
        self.steps_taken: list[str] = []

    def run(self) -> None:
        """Follow the code; `completed` tells how it ended."""
        interpreter = self.machine.strings.interpreter
        around, interpreter.steps = interpreter.steps, Steps()
        self._run()
        self.steps_taken, interpreter.steps = interpreter.steps.taken, around

    def _run(self) -> None:
        offset, size = 0, len(self.code.code)
        try:
            while 0 <= offset < size and self.steps < STEPS:
                instruction = decode(self.code.code, offset, self.opcodes)
                if instruction is None or not instruction.known:
                    return
                self.steps += 1
                self.machine.strings.effort.steps -= 1
                self._next = instruction.after
                if instruction.name in ENDS:
                    self._end(instruction)
                    return
                self._do(instruction)
                offset = self._next
        except _Left:
            return

    def _end(self, instruction: Instruction) -> None:
        if instruction.name == "RETURN_CONST":
            self.value = self.constant(instruction.arg) if instruction.arg < len(self.code.consts) else UNKNOWN
        elif instruction.name == "RETURN_VALUE":
            self.value = self.pop()
        else:
            return
        if self.code.flags & _GENERATOR:
            self.value = Items("list", self.yielded)
        self.completed = True

    def _do(self, instruction: Instruction) -> None:
        method = _EXACT.get(instruction.name)
        if method is not None:
            method(self, instruction)
        elif "JUMP" in instruction.name:
            self._jump(instruction)
        else:
            self.step(instruction)

    def store(self, name: str, value: Value, where: dict[str, Value]) -> None:
        where[name] = value  # the flow is known

    def _plain(self, value: Value) -> Any:
        """Give the plain value behind a picture, or leave the way."""
        try:
            return self.machine.strings.concrete(value)
        except REFUSED:
            raise _Left from None

    # control

    def _jump(self, instruction: Instruction) -> None:
        name, where = instruction.name, target(instruction, self.opcodes.minor)
        if "IF" not in name:
            self._next = where
            return
        value = self._plain(self.stack[-1] if self.stack else UNKNOWN)
        if "NONE" in name:
            taken = (value is None) is ("NOT_NONE" not in name)
        elif name == "JUMP_IF_NOT_EXC_MATCH":
            raise _Left
        else:
            taken = bool(value) is ("TRUE" in name)
        if "OR_POP" not in name or not taken:
            self.pop()
        if taken:
            self._next = where

    def _for_iter(self, instruction: Instruction) -> None:
        cursor = self.stack[-1] if self.stack else UNKNOWN
        if not isinstance(cursor, Cursor):
            self._iterate(instruction)
            cursor = self.stack[-1]
            assert isinstance(cursor, Cursor)
        try:
            item = next(cursor.items)
        except StopIteration:
            self._exhausted(target(instruction, self.opcodes.minor))
            return
        except REFUSED:
            raise _Left from None
        self.push(item if isinstance(item, (Opaque, Items, Symbol, Known)) else picture(item))

    def _exhausted(self, where: int) -> None:
        """Leave a loop: from 3.12 on, what the loop ends with is skipped."""
        minor = self.opcodes.minor
        if minor < 14:
            self.pop()
        landing = decode(self.code.code, where, self.opcodes) if minor >= 12 else None
        if landing is not None and landing.name == "END_FOR":
            where = landing.after
            following = decode(self.code.code, where, self.opcodes) if minor == 13 else None
            if following is not None and following.name == "POP_TOP":
                where = following.after
        self._next = where

    def _iterate(self, _instruction: Instruction) -> None:
        value = self.pop()
        if isinstance(value, Cursor):
            self.push(value)
        elif isinstance(value, Items) and not value.more and value.kind in ("list", "tuple"):
            self.push(Cursor(iter(list(value.items))))
        elif isinstance(value, Items) and not value.more and value.kind == "dict":
            self.push(Cursor(iter([pair.items[0] for pair in value.items if isinstance(pair, Items)])))
        else:
            held = self._plain(value)
            try:
                self.push(Cursor(self.machine.strings.interpreter.items(held)))
            except REFUSED:
                raise _Left from None

    def _compare(self, instruction: Instruction) -> None:
        right, left = self.pop(), self.pop()
        name, minor = instruction.name, self.opcodes.minor
        if name == "CONTAINS_OP":
            sign = "not in" if instruction.arg & 1 else "in"
        elif name == "IS_OP":
            sign = "is not" if instruction.arg & 1 else "is"
        else:
            index = instruction.arg >> (5 if minor >= 13 else 4 if minor == 12 else 0)
            sign = _OLD_SIGNS[index] if index < len(_OLD_SIGNS) else "?"
        try:
            strings = self.machine.strings
            self.push(compare(strings.effort, sign, strings.concrete(left), strings.concrete(right)))
        except REFUSED:
            self.push(UNKNOWN)

    def _unary(self, instruction: Instruction) -> None:
        sign = {"UNARY_NEGATIVE": "-", "UNARY_INVERT": "~", "UNARY_NOT": "not", "UNARY_POSITIVE": "+"}[instruction.name]
        value = self.pop()
        try:
            self.push(unary(self.machine.strings.effort, sign, self.machine.strings.concrete(value)))
        except REFUSED:
            self.push(UNKNOWN)

    # containers

    def _into(self, instruction: Instruction, values: list[Value]) -> None:
        position = -max(instruction.arg, 1)
        base = self.stack[position] if -position <= len(self.stack) else UNKNOWN
        if not isinstance(base, Items) or len(base.items) + len(values) > _ITEMS:
            raise _Left
        base.items.extend(values)  # the container was made on this way and belongs to it
        self.machine.strings.effort.room -= len(values)

    def _append(self, instruction: Instruction) -> None:
        self._into(instruction, [self.pop()])

    def _extend(self, instruction: Instruction) -> None:
        added = self.pop()
        if isinstance(added, Items) and not added.more and added.kind != "dict":
            self._into(instruction, added.items)
        else:
            held = self._plain(added)
            if not isinstance(held, (str, bytes, range)) or len(held) > _ITEMS:
                raise _Left
            self._into(instruction, [picture(item) for item in held])

    def _entry(self, instruction: Instruction) -> None:
        value, key = self.pop(), self.pop()
        if self.opcodes.minor < 8:
            value, key = key, value
        self._into(instruction, [Items("tuple", [key, value])])

    def _build_list(self, instruction: Instruction) -> None:
        kind = "list" if instruction.name == "BUILD_LIST" else "set"
        self.push(Items(kind, self.pops(min(instruction.arg, 10_000))))

    def _build_map(self, instruction: Instruction) -> None:
        parts = self.pops(2 * min(instruction.arg, 5_000))
        pairs: list[Value] = [Items("tuple", [key, value]) for key, value in zip(parts[::2], parts[1::2], strict=False)]
        self.push(Items("dict", pairs))

    def _store_item(self, instruction: Instruction) -> None:
        key, base, value = self.stack[-1:] or [UNKNOWN], self.stack[-2:-1] or [UNKNOWN], self.stack[-3:-2] or [UNKNOWN]
        owner = base[0]
        if isinstance(owner, Symbol) or not isinstance(owner, Items):
            self.step(instruction)
            return
        del self.stack[-3:]
        if owner.kind == "dict":
            owner.items.append(Items("tuple", [key[0], value[0]]))
        elif isinstance(key[0], int) and -len(owner.items) <= key[0] < len(owner.items):
            owner.items[key[0]] = value[0]
        else:
            raise _Left

    def _format(self, instruction: Instruction) -> None:
        spec: Value = ""
        if instruction.name == "FORMAT_WITH_SPEC" or (instruction.name == "FORMAT_VALUE" and instruction.arg & 4):
            spec = self.pop()
        value = self.pop()
        if isinstance(value, (str, Known)) and spec == "":
            self.push(value)
            return
        made = self.machine.strings.call(Symbol("builtins", "format"), (value, spec), ())
        self.push(made if made is not UNKNOWN else value if isinstance(value, (Symbol, Opaque)) else UNKNOWN)

    def _yield(self, _instruction: Instruction) -> None:
        self.yielded.append(self.pop())
        if len(self.yielded) > _ITEMS:
            raise _Left
        self.push(None)

    def call(self, callee: Value, other: Value, args: list[Value], kwargs: list[tuple[str, Value]]) -> None:
        args = [_listed(value) for value in args]
        actual = other if callee is NULL else callee
        if isinstance(actual, Bound) and actual.name in CHANGING and self._change(actual, args):
            return
        if actual == _BYTEARRAY:
            self.push(Held("bytearray", bytearray(self._plain(args[0])) if args else bytearray()))
            return
        super().call(callee, other, args, kwargs)

    def _change(self, method: Bound, args: list[Value]) -> bool:
        """Change a container in place, as its method does."""
        base = method.base
        if isinstance(base, Held) and isinstance(base.value, bytearray):
            held = self._plain(args[0]) if args else None
            if method.name == "append" and isinstance(held, int) and 0 <= held < 256 and len(base.value) < _ITEMS:
                base.value.append(held)
            elif method.name == "extend" and isinstance(held, (bytes, list, tuple)) and len(held) + len(base.value) < _ITEMS:
                base.value.extend(held)
            elif method.name == "reverse":
                base.value.reverse()
            else:
                raise _Left
        elif isinstance(base, Items) and base.kind == "list" and not base.more:
            if method.name == "append" and len(args) == 1 and len(base.items) < _ITEMS:
                base.items.append(args[0])
            elif (
                method.name == "extend" and args and isinstance(args[0], Items) and len(base.items) + len(args[0].items) < _ITEMS
            ):
                base.items.extend(args[0].items)
            elif method.name == "reverse":
                base.items.reverse()
            elif method.name == "insert" and len(args) == 2 and isinstance(args[0], int) and len(base.items) < _ITEMS:
                base.items.insert(args[0], args[1])
            else:
                raise _Left
        else:
            return False
        self.push(None)
        return True


def _listed(value: Value) -> Value:
    """Give what an iterator still holds as a list: a call takes it up."""
    if not isinstance(value, Cursor):
        return value
    made: list[Value] = []
    try:
        for item in value.items:
            made.append(item if isinstance(item, (Opaque, Items, Symbol, Known)) else picture(item))
            if len(made) > _ITEMS:
                return UNKNOWN
    except NotWorkedOut:
        return UNKNOWN
    return Items("list", made)


_BYTEARRAY = Symbol("builtins", "bytearray")

_EXACT: dict[str, Callable[[Straight, Instruction], None]] = {
    "FOR_ITER": Straight._for_iter,
    "GET_ITER": Straight._iterate,
    "COMPARE_OP": Straight._compare,
    "CONTAINS_OP": Straight._compare,
    "IS_OP": Straight._compare,
    "LIST_APPEND": Straight._append,
    "SET_ADD": Straight._append,
    "MAP_ADD": Straight._entry,
    "LIST_EXTEND": Straight._extend,
    "SET_UPDATE": Straight._extend,
    "BUILD_LIST": Straight._build_list,
    "BUILD_SET": Straight._build_list,
    "BUILD_MAP": Straight._build_map,
    "STORE_SUBSCR": Straight._store_item,
    "YIELD_VALUE": Straight._yield,
    "FORMAT_VALUE": Straight._format,
    "FORMAT_SIMPLE": Straight._format,
    "FORMAT_WITH_SPEC": Straight._format,
    **dict.fromkeys(("UNARY_NEGATIVE", "UNARY_INVERT", "UNARY_NOT", "UNARY_POSITIVE"), Straight._unary),
}
"""Opcodes that mean something else when the flow is known."""
