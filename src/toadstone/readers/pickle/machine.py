"""The pickle machine: an abstract interpreter that does what any CPython unpickler would do, without doing it.

It keeps a stack, marks and a memo like the real ones, but its values are pictures (`toadstone.core.value`). Where the
C unpickler and the pure-Python one (both ship with CPython) disagree, it follows the one that goes further: a finding
must not depend on which of the two the victim runs. Names resolve before a later error, so an error ends a stream but
never takes back what was already seen.

Sources: CPython ``Lib/pickle.py``, ``Modules/_pickle.c``; PEP 307, 3154, 574.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias

from toadstone.core.fact import Anomaly, Call, Fact, Import, Setting
from toadstone.core.place import Place
from toadstone.core.value import KEPT_TEXT, Excerpt, Items, Opaque, Result, Symbol, Table, Value
from toadstone.readers.pickle.indirection import resolved
from toadstone.readers.pickle.memo import MISSING, Memo
from toadstone.readers.pickle.opcodes import COUNTED, LINES, MARGIN, NAMES, SIGNED_COUNT
from toadstone.readers.pickle.python2 import python3_name
from toadstone.readers.pickle.skim import is_text
from toadstone.readers.pickle.tape import Tape

Detour: TypeAlias = Callable[[Result, int], "Generator[Fact, None, int]"]
"""Called when a built object is known to be followed by bytes that are no opcodes; gives the offset to go on at."""

_UNKNOWN = Opaque("unknown")
_DOUBLE = struct.Struct(">d").unpack_from
_LONG = struct.Struct("<I").unpack_from
_SIGNED = struct.Struct("<i").unpack_from
_BY_PROXY = (Symbol("copyreg", "_reconstructor"), Symbol("copyreg", "__newobj__"), Symbol("copyreg", "__newobj_ex__"))
_MOST_MARKS = 1_000_000
_STATES = 8
"""States of one object that are kept (`Result.state`)."""


@dataclass
class Stream:
    """What became of one stream.

    Attributes:
        end: Offset behind the last opcode that was followed.
        value: What the stream would give; unknown if it is broken.
        broken: Why it ended before ``STOP``; empty if it did not.
        acted: Whether anything was imported or called.
        persistent: Persistent ids, in order.
    """

    end: int
    value: Value = None
    broken: str = ""
    acted: bool = False
    persistent: list[Value] = field(default_factory=list)


class Broken(Exception):  # noqa: N818  (an exit from the loop, no error)
    """The stream cannot be followed any further."""


class Machine:
    """Follows one stream.

    Args:
        tape: The bytes.
        place: Of the blob; facts get the offset of their opcode.
        wanted: Memo slots that are read back (see `Memo`).
        detours: By callee, for objects that are followed by raw bytes.
        spend: Accounts for steps against the budget.
    """

    def __init__(
        self,
        tape: Tape,
        place: Place,
        wanted: set[int] | None,
        detours: dict[Symbol, Detour],
        spend: Callable[[int], None],
    ) -> None:
        self.tape = tape
        self.place = place
        self.memo = Memo(wanted)
        self.detours = detours
        self.spend = spend
        self.stack: list[Value] = []
        self.marks: list[int] = []
        self.fence = 0
        self.protocol = 0
        self.frame_end = -1
        self.imported: set[Symbol] = set()
        self.strings: list[tuple[int, int, bool]] = []
        self.facts: list[Fact] = []
        self.cuts: list[tuple[int, int]] = []
        """Spans that the C unpickler may not see (see `_straddles`)."""
        self.irregular = False
        self.stream = Stream(0)

    # -- the loop ------------------------------------------------------------------------------------------------

    def run(self, start: int) -> Generator[Fact, None, Stream]:  # noqa: C901, PLR0912, PLR0915  (the opcode loop)
        """Follow the stream that begins at ``start``, yielding `Import`, `Call`, `Setting` and `Anomaly` facts.

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
                raise Broken("no bytes")
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
                        self.spend(filled // 4)
                        if not tape.load(here):
                            raise Broken("the stream ends before STOP")
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
                        if end - pos > 17 and buffer[pos + 2] in HEADS:
                            strings.append((base + pos + 2, end - pos - 2, False))
                        pos = end
                        continue
                    if op == 0x86 and len(stack) - fence >= 2:
                        stack[-2:] = [Items("tuple", stack[-2:])]
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
                        if end - pos > 20 and buffer[pos + 5] in HEADS:
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
                    if len(marks) < _MOST_MARKS:
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
                elif op == 0x4A:
                    push(_SIGNED(buffer, pos + 1)[0])
                    pos += 5
                    continue
                elif op == 0x2E:
                    stream.end = base + pos + 1
                    if self.frame_end > stream.end:
                        self.note("frame-mismatch", f"a frame goes on {self.frame_end - stream.end:,} bytes after STOP", base + pos)
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
                        self._straddles(op, here, frame)
                run = memo.run if not memo.others else -1
                fence = self.fence
                if op == 0x95:
                    limit = min(tape.limit, max(self.frame_end - base - MARGIN, pos))
                if facts:
                    for fact in facts:
                        if isinstance(fact, _Raw):
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
            stream.value = _UNKNOWN
        yield from facts
        facts.clear()
        return stream

    # -- frames --------------------------------------------------------------------------------------------------

    def _straddles(self, op: int, offset: int, frame_end: int) -> None:
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

    # -- stack, memo, notes --------------------------------------------------------------------------------------

    def note(self, kind: str, detail: str, offset: int) -> None:
        self.facts.append(Anomaly(self.place.at(offset), kind, detail))

    def underflow(self, offset: int) -> Value:
        """A real unpickler stops here. What follows is read all the same: damage must not hide anything."""
        if not self.irregular:
            self.irregular = True
            self.note("malformed", "an opcode needs more than is on the stack; unpicklers stop here", offset)
        return _UNKNOWN

    def _no_slot(self, slot: int, offset: int) -> Value:
        if not self.irregular:
            self.irregular = True
            self.note("malformed", f"memo slot {slot} was never written; unpicklers stop here", offset)
        return _UNKNOWN

    def _pop(self, offset: int) -> Value:
        return self.stack.pop() if len(self.stack) > self.fence else self.underflow(offset)

    def _to_mark(self, offset: int) -> list[Value]:
        if not self.marks:
            self.underflow(offset)
            values = self.stack[:]
            self.stack.clear()
            return values
        values = self.stack[self.fence :]
        del self.stack[self.fence :]
        self.fence = self.marks.pop()
        return values

    # -- everything but the commonest opcodes --------------------------------------------------------------------

    def rare(self, op: int, offset: int) -> int:
        """Follow one opcode; give the offset of the next."""
        if op in COUNTED:
            return self._counted(op, offset)
        if op in LINES:
            return self._lines(op, offset)
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

    def _counted(self, op: int, offset: int) -> int:
        count = COUNTED[op]
        raw = self.tape.take(offset + 1, count)
        if len(raw) < count:
            raise Broken(f"{NAMES[op]} is cut off")
        length = int.from_bytes(raw, "little", signed=op in SIGNED_COUNT)
        begin = offset + 1 + count
        if length < 0 or begin + length > self.tape.size:
            raise Broken(f"{NAMES[op]} claims {length:,} bytes, more than there are")
        if op in (0x8A, 0x8B):
            self.stack.append(int.from_bytes(self.tape.take(begin, length), "little", signed=True) if length <= 4096 else Opaque("int"))
            return begin + length
        text = op in (0x58, 0x8C, 0x8D)
        if length > 15 and (not (head := self.tape.take(begin, 1)) or head[0] in HEADS):
            self.strings.append((begin, length, not text))
        if length > KEPT_TEXT:
            self.stack.append(Excerpt("str" if text else "bytes", self.tape.take(begin, KEPT_TEXT), length, begin))
            return begin + length
        content = self.tape.take(begin, length)
        if text:
            if not is_text(content):
                raise Broken("text that is no UTF-8")
            self.stack.append(content.decode("utf-8", "surrogatepass"))
        elif op in (0x54, 0x55):
            self.stack.append(content.decode("latin-1"))  # Python 2 strings: text under encoding=..., names under ASCII
        else:
            self.stack.append(content)
        return begin + length

    def _lines(self, op: int, offset: int) -> int:
        first = self.tape.line(offset + 1)
        if first is None:
            self._unfinished(op, None, offset + 1, offset)
        if LINES[op] == 1:
            self._text(op, first[0], offset)
            return first[1]
        second = self.tape.line(first[1])
        if second is None:
            self._unfinished(op, first[0], first[1], offset)
        self._name(op, first[0], second[0], offset)
        return second[1]

    def _unfinished(self, op: int, module: bytes | None, begin: int, offset: int) -> NoReturn:
        """A last line without its newline: the pure-Python unpickler drops its last byte, resolves the name, then fails."""
        size = self.tape.size - begin
        if op in (0x63, 0x69) and size < 4096:
            rest = self.tape.take(begin, size)[:-1]
            if module is not None or rest:
                self._name(op, rest if module is None else module, b"" if module is None else rest, offset)
        raise Broken(f"{NAMES[op]} is cut off")

    def _name(self, op: int, module: bytes, name: bytes, offset: int) -> None:
        try:
            symbol = Symbol(module.decode("utf-8"), name.decode("utf-8"))
        except UnicodeDecodeError:
            raise Broken(f"{NAMES[op]} has a name that is no UTF-8") from None
        if op == 0x63:
            self.stack.append(self._import(symbol, "GLOBAL", offset))
        else:
            args = self._to_mark(offset)
            self.stack.append(self._call(self._import(symbol, "INST", offset), tuple(args), (), "INST", offset))

    def _text(self, op: int, line: bytes, offset: int) -> None:
        if op in (0x67, 0x70):  # GET, PUT
            self._text_slot(op, line, offset)
        elif op == 0x50:
            self._persistent(line.decode("latin-1"), offset)
        else:
            value = _text_value(op, line)
            if value is _UNKNOWN and not self.irregular:
                self.irregular = True
                self.note("malformed", f"{NAMES[op]} has an argument that unpicklers refuse", offset)
            if isinstance(value, (str, bytes)) and len(value) > 15:
                self.strings.append((offset + 1, len(line), isinstance(value, bytes)))
            self.stack.append(value)

    def _text_slot(self, op: int, line: bytes, offset: int) -> None:
        try:
            slot = int(line)
        except ValueError:
            raise Broken(f"{NAMES[op]} has no number") from None
        if op == 0x70:
            self._put(slot, offset)
        else:
            self._get(slot, offset)

    def _get(self, slot: int, offset: int) -> None:
        self.stack.append(self.memo.get(slot) if slot in self.memo else self._no_slot(slot, offset))

    def _put(self, slot: int, offset: int) -> None:
        if slot < 0:
            raise Broken("a negative memo slot")
        self.memo.put(slot, self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset))

    def _op_memoize(self, _argument: int, offset: int) -> None:
        self.memo.memoize(self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset))

    def _op_mark(self, _argument: int, _offset: int) -> None:
        if len(self.marks) >= _MOST_MARKS:
            raise Broken(f"more than {_MOST_MARKS:,} marks")
        self.marks.append(self.fence)
        self.fence = len(self.stack)

    # -- names, calls, states ------------------------------------------------------------------------------------

    def _import(self, symbol: Symbol, how: str, offset: int) -> Symbol:
        if self.protocol < 3:
            symbol = python3_name(symbol)
        self.stream.acted = True
        if symbol not in self.imported:
            self.imported.add(symbol)
            self.facts.append(Import(self.place.at(offset), symbol, how, "pickle"))
        return symbol

    def _call(self, callee: Value, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...], how: str, offset: int) -> Value:
        """Report a call; give what it gives as far as that is known (see `toadstone.readers.pickle.indirection`)."""
        self.stream.acted = True
        given = resolved(callee, args)
        if isinstance(given, Symbol):
            self.facts.append(Call(self.place.at(offset), callee, args, kwargs, f"{how} resolved", "pickle"))
            return self._import(given, "getattr" if given.name else "import_module", offset)
        if isinstance(given, Result) and not isinstance(given.callee, Result):
            self.facts.append(Call(self.place.at(offset), callee, args, kwargs, f"{how} resolved", "pickle"))
            if not (isinstance(given.callee, Symbol) and given.callee.module == "builtins" and given.callee.name.startswith(("str.", "bytes."))):
                return self._call(given.callee, given.args, given.kwargs, how, offset)
            return given
        self.facts.append(Call(self.place.at(offset), callee, args, kwargs, how, "pickle"))
        if given is not None:
            return given
        if isinstance(callee, Result) and isinstance(callee.callee, Symbol) and callee.callee.module == "builtins":
            bound = resolved(callee.callee, (*callee.args, *args))  # a method of known text, called
            if isinstance(bound, (str, bytes)):
                return bound
        if callee in _BY_PROXY and args and isinstance(args[0], Symbol):
            return Result(args[0], args[1:], kwargs)  # an instance of the first argument, made by the protocol's own function
        return Result(callee, args, kwargs)

    def _persistent(self, identity: Value, offset: int) -> None:
        self.stream.persistent.append(identity)
        self.facts.append(Setting(self.place.at(offset), "pickle", "persistent_id", identity))
        self.stream.acted = True
        fields = identity.items if isinstance(identity, Items) else []
        if len(fields) > 1 and fields[0] == "module" and isinstance(fields[1], Symbol):
            self.stack.append(fields[1])  # legacy PyTorch: a class, with its source for comparison only
        else:
            self.stack.append(Result(Symbol("", "persistent_load"), (identity,)))

    def _op_proto(self, version: int, offset: int) -> None:
        if version > 5:
            raise Broken(f"protocol {version} does not exist")
        self.protocol = version

    def _op_frame(self, length: int, offset: int) -> None:
        end = offset + 9 + length
        if offset < self.frame_end:
            self.note("frame-mismatch", "a frame begins inside another", offset)
            if end > self.frame_end:
                self.cuts.append((offset + 9, self.frame_end))
        if end > self.tape.size:
            self.note("frame-mismatch", f"a frame claims {length:,} bytes, more than there are; the C unpickler stops here", offset)
        self.frame_end = end

    def _op_stack_global(self, _argument: int, offset: int) -> None:
        name, module = self._pop(offset), self._pop(offset)
        if isinstance(name, str) and isinstance(module, str):
            self.stack.append(self._import(Symbol(module, name), "STACK_GLOBAL", offset))
        elif isinstance(name, (Result, Opaque, str)) and isinstance(module, (Result, Opaque, str)):
            shown = module if isinstance(module, str) else ""
            self.stack.append(self._import(Symbol(shown, name if isinstance(name, str) else ""), "STACK_GLOBAL computed", offset))
        else:
            raise Broken("STACK_GLOBAL needs two strings")

    def _op_extension(self, code: int, offset: int) -> None:
        self.stack.append(self._import(Symbol("", f"extension-{code}"), "EXT", offset))

    def _op_reduce(self, _argument: int, offset: int) -> None:
        args, callee = self._pop(offset), self._pop(offset)
        self.stack.append(self._call(callee, _arguments(args), (), "REDUCE", offset))

    def _op_newobj(self, _argument: int, offset: int) -> None:
        args, callee = self._pop(offset), self._pop(offset)
        self.stack.append(self._call(callee, _arguments(args), (), "NEWOBJ", offset))

    def _op_newobj_ex(self, _argument: int, offset: int) -> None:
        kwargs, args, callee = self._pop(offset), self._pop(offset), self._pop(offset)
        self.stack.append(self._call(callee, _arguments(args), _named(kwargs), "NEWOBJ_EX", offset))

    def _op_obj(self, _argument: int, offset: int) -> None:
        values = self._to_mark(offset)
        callee = values.pop(0) if values else self.underflow(offset)
        self.stack.append(self._call(callee, tuple(values), (), "OBJ", offset))

    def _op_build(self, _argument: int, offset: int) -> None:
        state = self._pop(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self._change(target, state, "BUILD", offset)
        if isinstance(target, Result) and isinstance(target.callee, Symbol) and target.callee in self.detours:
            self.facts.append(_Raw(self.place, self.detours[target.callee], target))

    def _change(self, target: Value, value: Value, how: str, offset: int) -> None:
        """Something is set on an object that is no plain container: its class's code runs."""
        if isinstance(target, Result) and len(target.state) < _STATES:
            target.state.append(value)
        callee = target.callee if isinstance(target, Result) else target
        self.stream.acted = True
        how = how if not isinstance(target, Symbol) else f"{how} on import"
        self.facts.append(Call(self.place.at(offset), callee, (value,), (), how, "pickle"))

    # -- containers ----------------------------------------------------------------------------------------------

    def _extend(self, target: Value, values: list[Value], kind: str, how: str, offset: int) -> None:
        if isinstance(target, Items):
            target.add(values)
        elif isinstance(target, (Result, Symbol)):
            kept = Items(kind)
            kept.add(values)
            self._change(target, values[0] if kind == "dict" else kept, how, offset)

    def _op_append(self, _argument: int, offset: int) -> None:
        value = self._pop(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self._extend(target, [value], "list", "APPENDS", offset)

    def _op_appends(self, _argument: int, offset: int) -> None:
        values = self._to_mark(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self._extend(target, values, "list", "APPENDS", offset)

    def _op_additems(self, _argument: int, offset: int) -> None:
        values = self._to_mark(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self._extend(target, values, "set", "ADDITEMS", offset)

    def _op_setitem(self, _argument: int, offset: int) -> None:
        value, key = self._pop(offset), self._pop(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self._set(target, [key, value], offset)

    def _op_setitems(self, _argument: int, offset: int) -> None:
        values = self._to_mark(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self._set(target, values, offset)

    def _set(self, target: Value, values: list[Value], offset: int) -> None:
        if isinstance(target, Table):
            target.add_flat(values)
        else:
            kept = Table()
            kept.add_flat(values)
            self._extend(target, [kept], "dict", "SETITEMS", offset)

    def _op_dict(self, _argument: int, offset: int) -> None:
        made = Table()
        made.add_flat(self._to_mark(offset))
        self.stack.append(made)

    def _op_tuple(self, kind: str, offset: int) -> None:
        made = Items(kind)
        made.add(self._to_mark(offset))
        self.stack.append(made)

    def _op_small_tuple(self, size: int, offset: int) -> None:
        values = [self._pop(offset) for _ in range(size)]
        values.reverse()
        self.stack.append(Items("tuple", values))

    def _op_pop(self, _argument: int, offset: int) -> None:
        """POP removes a mark when nothing lies above it, as both unpicklers do."""
        if len(self.stack) > self.fence:
            self.stack.pop()
        elif self.marks:
            self.fence = self.marks.pop()
        else:
            self.underflow(offset)

    def _op_dup(self, _argument: int, offset: int) -> None:
        self.stack.append(self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset))

    def _op_push(self, value: Value, _offset: int) -> None:
        self.stack.append(value)


@dataclass(frozen=True)
class _Raw(Fact):
    """Not a fact: tells the loop that raw bytes follow."""

    detour: Detour
    result: Result


HEADS = frozenset({0x80, 0x67, 0x38, 0x65, 0x48, 0x78, 0x1F})


def _text_value(op: int, line: bytes) -> Value:
    """Read the argument of a text opcode as ``Lib/pickle.py`` does; unknown when that would raise."""
    try:
        if op == 0x49:
            return {b"01": True, b"00": False}.get(line) if line in (b"00", b"01") else int(line, 0)
        if op == 0x4C:
            return int(line.removesuffix(b"L"), 0)
        if op == 0x46:
            return float(line)
        if op == 0x56:
            return line.decode("raw-unicode-escape")
        if len(line) >= 2 and line[:1] == line[-1:] and line[:1] in (b'"', b"'"):
            return codecs.escape_decode(line[1:-1])[0].decode("latin-1")  # type: ignore[attr-defined]
    except (ValueError, UnicodeDecodeError):
        return _UNKNOWN
    return _UNKNOWN


def _arguments(value: Value) -> tuple[Value, ...]:
    """Spread a call's argument tuple; the pure-Python unpickler spreads any iterable."""
    if isinstance(value, Items):
        return tuple(value.items)
    return (value,)


def _named(value: Value) -> tuple[tuple[str, Value], ...]:
    if not isinstance(value, Items):
        return (("**", value),)
    pairs = [item.items for item in value.items if isinstance(item, Items) and len(item.items) == 2]
    return tuple((key if isinstance(key, str) else "?", argument) for key, argument in pairs)


_Method: TypeAlias = Callable[["Machine", int, int], None]


def _constant(value: Value) -> _Method:
    return lambda machine, _argument, _offset: machine._op_push(value, 0)  # noqa: SLF001  (the machine's own table)


def _signed(machine: Machine, argument: int, _offset: int) -> None:
    machine._op_push(argument - (1 << 32) if argument >> 31 else argument, 0)  # noqa: SLF001


def _double(machine: Machine, argument: int, _offset: int) -> None:
    machine._op_push(_DOUBLE(argument.to_bytes(8, "little"))[0], 0)  # noqa: SLF001


def _made(kind: str) -> _Method:
    return lambda machine, _argument, offset: machine._op_tuple(kind, offset)  # noqa: SLF001


def _small(size: int) -> _Method:
    return lambda machine, _argument, offset: machine._op_small_tuple(size, offset)  # noqa: SLF001


_HANDLERS: dict[int, tuple[int, _Method]] = {
    0x80: (2, Machine._op_proto), 0x95: (9, Machine._op_frame), 0x93: (1, Machine._op_stack_global),
    0x82: (2, Machine._op_extension), 0x83: (3, Machine._op_extension), 0x84: (5, Machine._op_extension),
    0x52: (1, Machine._op_reduce), 0x81: (1, Machine._op_newobj), 0x92: (1, Machine._op_newobj_ex),
    0x6F: (1, Machine._op_obj), 0x62: (1, Machine._op_build), 0x61: (1, Machine._op_append),
    0x65: (1, Machine._op_appends), 0x90: (1, Machine._op_additems), 0x73: (1, Machine._op_setitem),
    0x75: (1, Machine._op_setitems), 0x64: (1, Machine._op_dict), 0x74: (1, _made("tuple")), 0x6C: (1, _made("list")),
    0x91: (1, _made("frozenset")), 0x85: (1, _small(1)), 0x86: (1, _small(2)), 0x87: (1, _small(3)),
    0x30: (1, Machine._op_pop), 0x32: (1, Machine._op_dup), 0x31: (1, lambda machine, _a, offset: void(machine._to_mark(offset))),
    0x51: (1, lambda machine, _a, offset: machine._persistent(machine._pop(offset), offset)),
    0x4B: (2, lambda machine, argument, _o: machine._op_push(argument, 0)), 0x4D: (3, lambda machine, argument, _o: machine._op_push(argument, 0)),
    0x4A: (5, _signed), 0x47: (9, _double), 0x88: (1, _constant(True)), 0x89: (1, _constant(False)),
    0x29: (1, lambda machine, _a, _o: machine._op_push(Items("tuple"), 0)), 0x8F: (1, lambda machine, _a, _o: machine._op_push(Items("set"), 0)),
    0x68: (2, Machine._get), 0x6A: (5, Machine._get), 0x71: (2, Machine._put), 0x72: (5, Machine._put),
    0x94: (1, Machine._op_memoize), 0x28: (1, Machine._op_mark), 0x4E: (1, _constant(None)),
    0x7D: (1, lambda machine, _a, _o: machine._op_push(Table(), 0)), 0x5D: (1, lambda machine, _a, _o: machine._op_push(Items("list"), 0)),
    0x97: (1, lambda machine, _a, _o: machine._op_push(Opaque("buffer"), 0)), 0x98: (1, lambda _m, _a, _o: None),
}  # fmt: skip


def void(_value: object) -> None:
    """Throw a value away where a statement is wanted."""


assert MISSING is not None  # noqa: S101
