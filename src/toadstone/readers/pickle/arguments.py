"""Opcodes with an argument of their own length: counted strings, numbers, and lines of text."""

from __future__ import annotations

import codecs

from toadstone.core.value import KEPT_TEXT, Excerpt, Opaque, Symbol, Value
from toadstone.readers.pickle.calls import LONGEST_NAME, Calls
from toadstone.readers.pickle.embedded import may_hold
from toadstone.readers.pickle.opcodes import COUNTED, LINES, NAMES, SIGNED_COUNT
from toadstone.readers.pickle.skim import is_text
from toadstone.readers.pickle.state import UNKNOWN, Broken

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import NoReturn


class Arguments(Calls):
    """Reads arguments as both unpicklers do. Each method gives the offset behind the argument."""

    def counted(self, op: int, offset: int) -> int:
        count = COUNTED[op]
        raw = self.tape.take(offset + 1, count)
        if len(raw) < count:
            raise Broken(f"{NAMES[op]} is cut off")
        length = int.from_bytes(raw, "little", signed=op in SIGNED_COUNT)
        begin = offset + 1 + count
        if length < 0 or begin + length > self.tape.size:
            raise Broken(f"{NAMES[op]} claims {length:,} bytes, more than there are")
        if op in (0x8A, 0x8B):
            self.stack.append(
                int.from_bytes(self.tape.take(begin, length), "little", signed=True) if length <= 4096 else Opaque("int")
            )
            return begin + length
        text = op in (0x58, 0x8C, 0x8D)
        if length > 15 and may_hold(self.tape.take(begin, 2)):
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

    def lines(self, op: int, offset: int) -> int:
        first = self.tape.line(offset + 1)
        if first is None:
            self.unfinished(op, None, offset + 1, offset)
        if LINES[op] == 1:
            self.text(op, first[0], offset)
            return first[1]
        second = self.tape.line(first[1])
        if second is None:
            self.unfinished(op, first[0], first[1], offset)
        self.name(op, first[0], second[0], offset)
        return second[1]

    def unfinished(self, op: int, module: bytes | None, begin: int, offset: int) -> NoReturn:
        """A last line without its newline: the pure-Python unpickler drops its last byte, resolves the name, then fails."""
        size = self.tape.size - begin
        if op in (0x63, 0x69) and size < 4096:
            rest = self.tape.take(begin, size)[:-1]
            if module is not None or rest:
                self.name(op, rest if module is None else module, b"" if module is None else rest, offset)
        raise Broken(f"{NAMES[op]} is cut off")

    def name(self, op: int, module: bytes, name: bytes, offset: int) -> None:
        if op == 0x63 and (known := self.names.get((module, name))) is not None:
            self.stack.append(known)
            return
        try:
            symbol = Symbol(module[:LONGEST_NAME].decode("utf-8"), name[:LONGEST_NAME].decode("utf-8"))
        except UnicodeDecodeError:
            raise Broken(f"{NAMES[op]} has a name that is no UTF-8") from None
        if op == 0x63:
            symbol = self.imported_name(symbol, "GLOBAL", offset)
            self.stack.append(symbol)
            if len(self.names) < _NAMES:
                self.names[module, name] = symbol
        else:
            args = self.to_mark(offset)
            self.stack.append(self.called(self.imported_name(symbol, "INST", offset), tuple(args), (), "INST", offset))

    def text(self, op: int, line: bytes, offset: int) -> None:
        if op in (0x67, 0x70):  # GET, PUT
            self.text_slot(op, line, offset)
        elif op == 0x50:
            self.persistent(line.decode("latin-1"), offset)
        else:
            value = _text_value(op, line)
            if value is UNKNOWN and not self.irregular:
                self.irregular = True
                self.note("malformed", f"{NAMES[op]} has an argument that unpicklers refuse", offset)
            quotes = int(op == 0x53)
            if isinstance(value, (str, bytes)) and len(value) > 15 and may_hold(line[quotes : quotes + 2]):
                self.strings.append((offset + 1 + quotes, len(line) - 2 * quotes, isinstance(value, bytes)))
            self.stack.append(value)

    def text_slot(self, op: int, line: bytes, offset: int) -> None:
        try:
            digits = line.partition(b"\0")[0]  # the C unpickler reads up to a zero
            slot = int(digits[:_MOST_DIGITS] if _many_digits(digits) else digits)
        except ValueError:
            raise Broken(f"{NAMES[op]} has no number") from None
        if op == 0x70:
            self.put(slot, offset)
        else:
            self.get(slot, offset)


_MOST_DIGITS = 4_000
_NAMES = 1_000


def _many_digits(line: bytes) -> bool:
    """Whether a number is so long that only Python before 3.10.7 converts it (CVE-2020-10735)."""
    return len(line) > _MOST_DIGITS and line.strip().removesuffix(b"L").lstrip(b"+-").isdigit()


def _text_value(op: int, line: bytes) -> Value:
    """Read the argument of a text opcode as ``Lib/pickle.py`` does; unknown when that would raise."""
    try:
        if op in (0x49, 0x4C) and _many_digits(line):
            return Opaque("int")
        if op == 0x49:
            return {b"01": True, b"00": False}.get(line) if line in (b"00", b"01") else _integer(line)
        if op == 0x4C:
            return _integer(line.partition(b"\0")[0].removesuffix(b"L"))
        if op == 0x46:
            return float(line.partition(b"\0")[0])
        if op == 0x56:
            return line.decode("raw-unicode-escape")
        if len(line) >= 2 and line[:1] == line[-1:] and line[:1] in (b'"', b"'"):
            return codecs.escape_decode(line[1:-1])[0].decode("latin-1")
    except (ValueError, UnicodeDecodeError):
        return UNKNOWN
    return UNKNOWN


def _integer(line: bytes) -> int:
    """Read an integer as the more lenient unpickler does: the C one stops at a zero byte and takes ``010`` for octal."""
    text = line.partition(b"\0")[0].strip()
    digits = text.lstrip(b"+-")
    if len(digits) > 1 and digits[:1] == b"0" and digits.isdigit() and len(digits) < 24:
        return int(text, 8)
    return int(text, 0)
