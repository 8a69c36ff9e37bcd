"""The pickle machine: an abstract interpreter that does what any CPython unpickler would do, without doing it.

It keeps a stack, marks and a memo like the real ones, but its values are pictures (`toadstone.core.value`). Where the
C unpickler and the pure-Python one (both ship with CPython) disagree, it follows the one that goes further: a finding
must not depend on which of the two the victim runs. Names resolve before a later error, so an error ends a stream but
never takes back what was already seen.

Sources: CPython ``Lib/pickle.py``, ``Modules/_pickle.c``; PEP 307, 3154, 574.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator

from toadstone.core.fact import Fact
from toadstone.core.value import KEPT_TEXT, Items, Opaque, Table, Value
from toadstone.readers.pickle.arguments import Arguments
from toadstone.readers.pickle.embedded import may_hold
from toadstone.readers.pickle.opcodes import COUNTED, LINES, MARGIN, NAMES
from toadstone.readers.pickle.skim import MOST_STRINGS
from toadstone.readers.pickle.state import HEADS, MOST_MARKS, UNKNOWN, Broken, Raw, Stream

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import TypeAlias

_DOUBLE = struct.Struct(">d").unpack_from
_LONG = struct.Struct("<I").unpack_from
_SIGNED = struct.Struct("<i").unpack_from


class Machine(Arguments):
    """Follows one stream (see `toadstone.readers.pickle.state.State` for what it is given)."""

    def run(self, start: int) -> Generator[Fact, None, Stream]:  # noqa: C901, PLR0912, PLR0915  (the opcode loop)
        """Follow the stream that begins at ``start``, yielding `Import`, `Call`, `PersistentLoad` and `Anomaly` facts.

        The commonest opcodes are handled here, in the order of how common they are; the others by `rare`.
        """
        tape, stack, memo, facts, rare, stream = self.tape, self.stack, self.memo, self.facts, self.rare, self.stream
        push, slots, wanted, strings, marks = stack.append, memo.values, memo.wanted, self.strings, self.marks
        loaded = tape.load(start)
        buffer, pos, limit, base, filled = tape.buffer, 0, tape.limit, tape.base, tape.filled
        careful = False
        run = fence = 0  # memo slots in use from 0 on (-1: irregular, left to `rare`); stack height at the last mark
        try:
            if not loaded:
                raise Broken("no bytes")  # noqa: TRY301  (the way out of the loop)
            while True:
                if pos >= limit:
                    here = base + pos
                    if 0 <= self.frame_end <= here:
                        self.frame_end = -1
                        limit = tape.limit
                        if pos < limit:
                            continue
                    if here < self.frame_end and pos < tape.limit:
                        careful = True  # the last bytes of a frame, one opcode at a time
                    else:
                        self.account()
                        if len(strings) > MOST_STRINGS:
                            yield from self.full_of_strings()
                            strings.clear()
                        if not tape.load(here):
                            raise Broken("the stream ends before STOP")  # noqa: TRY301
                        buffer, pos, limit, base, filled = tape.buffer, 0, tape.limit, tape.base, tape.filled
                        if self.frame_end >= 0:
                            limit = min(limit, self.frame_end - base - MARGIN)
                        continue
                op = buffer[pos]
                if careful and op != 0x2E:
                    pass
                elif op >= 0x80:
                    if op == 0x94 and run >= 0 and len(stack) > fence:
                        if wanted is None or run in wanted:
                            slots[run] = stack[-1]
                        run += 1
                        pos += 1
                        continue
                    if op == 0x8C and (end := pos + 2 + buffer[pos + 1]) <= filled:
                        push(buffer[pos + 2 : end].decode("utf-8", "surrogatepass"))
                        if end - pos > 17 and buffer[pos + 2] in HEADS and may_hold(buffer[pos + 2 : pos + 4]):
                            strings.append((base + pos + 2, end - pos - 2, False))
                        pos = end
                        continue
                    if op == 0x86 and len(stack) - fence >= 2:
                        stack[-2:] = [Items("tuple", stack[-2:])]
                        pos += 1
                        continue
                    if op == 0x85 and len(stack) > fence:
                        stack[-1] = Items("tuple", [stack[-1]])
                        pos += 1
                        continue
                    if op == 0x88 or op == 0x89:  # noqa: PLR1714  (a set look-up is slower here)
                        push(op == 0x88)
                        pos += 1
                        continue
                elif op == 0x68:
                    if (slot := buffer[pos + 1]) < run:
                        push(slots[slot])
                        pos += 2
                        continue
                elif op == 0x4B:
                    push(buffer[pos + 1])
                    pos += 2
                    continue
                elif op == 0x47:
                    push(_DOUBLE(buffer, pos + 1)[0])
                    pos += 9
                    continue
                elif op == 0x71 or op == 0x72:  # noqa: PLR1714
                    if (buffer[pos + 1] if op == 0x71 else _LONG(buffer, pos + 1)[0]) == run and len(stack) > fence:
                        if wanted is None or run in wanted:
                            slots[run] = stack[-1]
                        run += 1
                        pos += 2 if op == 0x71 else 5
                        continue
                elif op == 0x58:
                    if (end := pos + 5 + _LONG(buffer, pos + 1)[0]) <= filled and end - pos <= KEPT_TEXT:
                        push(buffer[pos + 5 : end].decode("utf-8", "surrogatepass"))
                        if end - pos > 20 and buffer[pos + 5] in HEADS and may_hold(buffer[pos + 5 : pos + 7]):
                            strings.append((base + pos + 5, end - pos - 5, False))
                        pos = end
                        continue
                elif op == 0x4D:
                    push(buffer[pos + 1] | buffer[pos + 2] << 8)
                    pos += 3
                    continue
                elif op == 0x6A:
                    if (slot := _LONG(buffer, pos + 1)[0]) < run:
                        push(slots[slot])
                        pos += 5
                        continue
                elif op == 0x28:
                    if len(marks) < MOST_MARKS:
                        marks.append(fence)
                        fence = len(stack)
                        pos += 1
                        continue
                elif op == 0x75:
                    if fence and marks and fence > marks[-1] and type(target := stack[fence - 1]) is Table:
                        target.add_flat(stack[fence:])
                        del stack[fence:]
                        fence = marks.pop()
                        pos += 1
                        continue
                elif op == 0x7D:
                    push(Table())
                    pos += 1
                    continue
                elif op == 0x4E:
                    push(None)
                    pos += 1
                    continue
                elif op == 0x32:
                    if len(stack) > fence:
                        push(stack[-1])
                        pos += 1
                        continue
                elif op == 0x30:
                    if len(stack) > fence:
                        stack.pop()
                        pos += 1
                        continue
                elif op == 0x4A:
                    push(_SIGNED(buffer, pos + 1)[0])
                    pos += 5
                    continue
                elif op == 0x2E:
                    stream.end = base + pos + 1
                    if self.frame_end > stream.end:
                        self.note(
                            "frame-mismatch", f"a frame goes on {self.frame_end - stream.end:,} bytes after STOP", base + pos
                        )
                    stream.value = stack[-1] if stack else self.underflow(base + pos)
                    break
                if run >= 0:
                    memo.run = run
                self.fence = fence
                here = base + pos
                frame = self.frame_end
                pos = rare(op, here) - base
                if careful:
                    careful = False
                    if op != 0x95 and base + pos > frame:
                        self.straddles(op, here, frame)
                run = memo.run if not memo.others else -1
                fence = self.fence
                if op == 0x95:
                    limit = min(tape.limit, max(self.frame_end - base - MARGIN, pos))
                if facts:
                    for fact in facts:
                        if isinstance(fact, Raw):
                            if self.frame_end == base + pos:
                                self.frame_end = -1
                            resume = yield from fact.detour(fact.result, base + pos)
                            pos = resume - base
                            if not 0 <= pos < limit:  # the next turn loads the window there
                                base, pos, limit, filled = resume, 0, 0, 0
                        else:
                            yield fact
                    facts.clear()
        except (Broken, UnicodeDecodeError) as reason:
            stream.end = min(base + pos, tape.size)
            stream.broken = "text that is no UTF-8" if isinstance(reason, UnicodeDecodeError) else str(reason)
            stream.value = UNKNOWN
        yield from facts
        facts.clear()
        self.spend(max(pos, 0) // 2 + self.work)
        return stream

    def straddles(self, op: int, offset: int, frame_end: int) -> None:
        """Note that an argument runs over the end of its frame.

        The pure-Python unpickler stops there. The C one, reading from a file that cannot peek (a zip member, a
        ``BytesIO``), forgets the part inside the frame and reads the whole argument behind it.
        """
        self.note("frame-mismatch", "a frame ends in the middle of an opcode", offset)
        begin = offset + 1
        if op in COUNTED and begin + COUNTED[op] <= frame_end:
            begin += COUNTED[op]
        elif op in LINES and (first := self.tape.line(begin)) is not None and first[1] <= frame_end:
            begin = first[1]
        self.cuts.append((begin, frame_end))

    def rare(self, op: int, offset: int) -> int:
        """Follow one opcode; give the offset of the next."""
        self.work += 1
        if op in COUNTED:
            return self.counted(op, offset)
        if op in LINES:
            return self.lines(op, offset)
        handler = _HANDLERS.get(op)
        if handler is None:
            raise Broken(f"0x{op:02x} is no opcode")
        width, method = handler
        argument = 0
        if width > 1:
            raw = self.tape.take(offset + 1, width - 1)
            if len(raw) < width - 1:
                raise Broken(f"{NAMES[op]} is cut off")
            argument = int.from_bytes(raw, "little")
        method(self, argument, offset)
        return offset + width


_Method: TypeAlias = Callable[["Machine", int, int], None]


def _constant(value: Value) -> _Method:
    return lambda machine, _argument, _offset: machine.op_push(value, 0)


def _signed(machine: Machine, argument: int, _offset: int) -> None:
    machine.op_push(argument - (1 << 32) if argument >> 31 else argument, 0)


def _double(machine: Machine, argument: int, _offset: int) -> None:
    machine.op_push(_DOUBLE(argument.to_bytes(8, "little"))[0], 0)


def _number(machine: Machine, argument: int, _offset: int) -> None:
    machine.op_push(argument, 0)


def _fresh(kind: str) -> _Method:
    return lambda machine, _argument, _offset: machine.op_push(Items(kind), 0)


def _drop_to_mark(machine: Machine, _argument: int, offset: int) -> None:
    machine.to_mark(offset)


def _made(kind: str) -> _Method:
    return lambda machine, _argument, offset: machine.op_tuple(kind, offset)


def _small(size: int) -> _Method:
    return lambda machine, _argument, offset: machine.op_small_tuple(size, offset)


_HANDLERS: dict[int, tuple[int, _Method]] = {
    0x80: (2, Machine.op_proto), 0x95: (9, Machine.op_frame), 0x93: (1, Machine.op_stack_global),
    0x82: (2, Machine.op_extension), 0x83: (3, Machine.op_extension), 0x84: (5, Machine.op_extension),
    0x52: (1, Machine.op_reduce), 0x81: (1, Machine.op_newobj), 0x92: (1, Machine.op_newobj_ex),
    0x6F: (1, Machine.op_obj), 0x62: (1, Machine.op_build), 0x61: (1, Machine.op_append),
    0x65: (1, Machine.op_appends), 0x90: (1, Machine.op_additems), 0x73: (1, Machine.op_setitem),
    0x75: (1, Machine.op_setitems), 0x64: (1, Machine.op_dict), 0x74: (1, _made("tuple")), 0x6C: (1, _made("list")),
    0x91: (1, _made("frozenset")), 0x85: (1, _small(1)), 0x86: (1, _small(2)), 0x87: (1, _small(3)),
    0x30: (1, Machine.op_pop), 0x32: (1, Machine.op_dup), 0x31: (1, _drop_to_mark),
    0x51: (1, lambda machine, _a, offset: machine.persistent(machine.pop(offset), offset)),
    0x4B: (2, _number), 0x4D: (3, _number),
    0x4A: (5, _signed), 0x47: (9, _double), 0x88: (1, _constant(True)), 0x89: (1, _constant(False)),
    0x29: (1, _fresh("tuple")), 0x8F: (1, _fresh("set")),
    0x68: (2, Machine.get), 0x6A: (5, Machine.get), 0x71: (2, Machine.put), 0x72: (5, Machine.put),
    0x94: (1, Machine.op_memoize), 0x28: (1, Machine.op_mark), 0x4E: (1, _constant(None)),
    0x7D: (1, lambda machine, _a, _o: machine.op_push(Table(), 0)), 0x5D: (1, _fresh("list")),
    0x97: (1, lambda machine, _a, _o: machine.op_push(Opaque("buffer"), 0)), 0x98: (1, lambda _m, _a, _o: None),
}  # fmt: skip
