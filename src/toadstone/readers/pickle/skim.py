"""The fast paths: passes over the opcodes that build no values.

`skim` follows a stream that holds only plain data (numbers, strings, containers, memo) exactly as far as a real
unpickler would, counting the stack instead of keeping it. It gives up, without a verdict, at the first opcode that
could import or call, and at the first irregularity; the interpreter then does the whole stream. On what it accepts, it
gives what the interpreter gives (a property test holds the two together).

`slots_read` finds which memo slots a stream reads back, so that the interpreter keeps only those.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from toadstone.core.blob import Blob
from toadstone.core.record import dataclass
from toadstone.core.value import KEPT_TEXT
from toadstone.readers.pickle.embedded import may_hold
from toadstone.readers.pickle.memo import MOST_READ
from toadstone.readers.pickle.opcodes import COUNTED, FIXED, LINES, MARGIN, SIGNED_COUNT
from toadstone.readers.pickle.state import HEADS
from toadstone.readers.pickle.tape import Tape

_PUSHES = (0x4E, 0x88, 0x89, 0x29, 0x5D, 0x7D, 0x8F, 0x4A, 0x4B, 0x4D, 0x47)
_LONG = struct.Struct("<I").unpack_from
_WIDTH = [FIXED[code] if code in _PUSHES else 0 for code in range(256)]
"""Width of the opcodes that only push something of fixed size; 0 for all others."""


STEP_BYTES = 4
"""Bytes of plain opcodes that are followed in the time of one step of an interpreter."""

MOST_STRINGS = 50_000
"""Strings that may hold another pickle: so many are kept before they are looked into."""


@dataclass(frozen=True)
class Skimmed:
    """A plain stream.

    Attributes:
        end: Offset behind ``STOP``.
        strings: Offset, length and whether it is bytes, of string contents that may hold another pickle.
    """

    end: int
    strings: tuple[tuple[int, int, bool], ...]


@dataclass(frozen=True)
class Halt:
    """Where `skim` gave up.

    Attributes:
        offset: Of the opcode that is not plain (or where the stream ends or is irregular).
        slots: Memo slots that were read back before.
    """

    offset: int
    slots: set[int]


def skim(  # noqa: C901, PLR0912, PLR0915  (the loop)
    blob: Blob,
    start: int,
    stop: int | None = None,
    spend: Callable[[int], None] = lambda _steps: None,
) -> Skimmed | Halt:
    """Follow a plain stream from ``start`` as far as it is plain, whole and regular.

    ``spend`` accounts for the opcodes of each window when it is left; the caller accounts for the last one.
    """
    tape = Tape(blob, stop)
    read_back: set[int] = set()
    note = read_back.add
    if not tape.load(start):
        return Halt(start, read_back)
    buffer, pos, limit, width = tape.buffer, 0, tape.limit, _WIDTH
    size = tape.size
    depth = fence = slots = 0
    frame_end = -1
    marks: list[int] = []
    strings: list[tuple[int, int, bool]] = []
    while True:
        if pos >= limit:
            here = tape.base + pos
            if 0 <= frame_end <= here:
                if here > frame_end:
                    break
                frame_end = -1
                limit = tape.limit
                if pos < limit:
                    continue
            spend(min(pos, tape.filled) // STEP_BYTES)
            if len(strings) > MOST_STRINGS or not tape.load(here):
                break
            buffer, pos, limit = tape.buffer, 0, tape.limit
            if frame_end >= 0:
                limit = min(limit, frame_end - here)
        op = buffer[pos]
        if step := width[op]:
            depth += 1
            pos += step
        elif op == 0x94:  # MEMOIZE
            if depth <= fence:
                break
            slots += 1
            pos += 1
        elif op == 0x8C or op == 0x58 or op == 0x43 or op == 0x55:  # noqa: PLR1714  (a set look-up is slower here)
            if op == 0x58:
                length = _LONG(buffer, pos + 1)[0]
                pos += 5
            else:
                length = buffer[pos + 1]
                pos += 2
            if length > 15 and (pos >= tape.filled or buffer[pos] in HEADS) and may_hold(tape.take(tape.base + pos, 2)):
                strings.append((tape.base + pos, length, op == 0x43))
            if (op == 0x8C or op == 0x58) and length <= KEPT_TEXT:  # noqa: PLR1714
                text = buffer[pos : pos + length] if pos + length <= tape.filled else tape.take(tape.base + pos, length)
                if not text.isascii() and not is_text(text):
                    return Halt(tape.base + pos - 2 if op == 0x8C else tape.base + pos - 5, read_back)
            depth += 1
            pos += length
        elif op == 0x68 or op == 0x6A:  # BINGET, LONG_BINGET  # noqa: PLR1714
            slot, step = (buffer[pos + 1], 2) if op == 0x68 else (_LONG(buffer, pos + 1)[0], 5)
            if slot >= slots:
                break
            note(slot)
            depth += 1
            pos += step
        elif op == 0x71 or op == 0x72:  # BINPUT, LONG_BINPUT  # noqa: PLR1714
            slot, step = (buffer[pos + 1], 2) if op == 0x71 else (_LONG(buffer, pos + 1)[0], 5)
            if depth <= fence or slot > slots:
                break
            if slot == slots:
                slots += 1
            pos += step
        elif op == 0x28:  # MARK
            marks.append(fence)
            fence = depth
            if len(marks) > 10_000:
                break
            pos += 1
        elif op in _TO_MARK:
            if not marks or (op in _BY_PAIRS and (depth - fence) & 1):
                break
            depth = fence
            fence = marks.pop()
            if op in _INTO_BELOW:
                if depth <= fence:
                    break
            else:
                depth += 1
            pos += 1
        elif op in _POPS:
            need, effect = _POPS[op]
            if depth - fence < need:
                break
            depth += effect
            pos += 1
        elif op in (0x42, 0x8D, 0x8E, 0x96, 0x8A):  # other counted strings and LONG1
            count = COUNTED[op]
            length = int.from_bytes(buffer[pos + 1 : pos + 1 + count], "little")
            pos += 1 + count
            telling = length > 15 and op != 0x8A and (pos >= tape.filled or buffer[pos] in HEADS)
            if telling and may_hold(tape.take(tape.base + pos, 2)):
                strings.append((tape.base + pos, length, op != 0x8D))
            depth += 1
            pos += length
        elif op == 0x2E:  # STOP
            if depth <= fence or marks:
                break
            end = tape.base + pos + 1
            if frame_end > end:
                break
            return Skimmed(end, tuple(strings))
        elif op == 0x95:  # FRAME
            if frame_end >= 0:
                break
            frame_end = tape.base + pos + 9 + int.from_bytes(buffer[pos + 1 : pos + 9], "little")
            if frame_end > size:
                break
            pos += 9
            limit = min(tape.limit, max(frame_end - tape.base, pos))
        elif op == 0x80 and tape.base + pos == start and buffer[pos + 1] <= 5:  # PROTO
            pos += 2
        else:
            break
    return Halt(tape.base + pos, read_back)


def is_text(content: bytes) -> bool:
    """Whether unpicklers accept the content of a string (UTF-8, lone surrogates included)."""
    try:
        content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


_TO_MARK = frozenset({0x74, 0x6C, 0x64, 0x65, 0x75, 0x90, 0x91, 0x31})
_BY_PAIRS = frozenset({0x64, 0x75})
_INTO_BELOW = frozenset({0x65, 0x75, 0x90, 0x31})
_POPS = {0x85: (1, 0), 0x86: (2, -1), 0x87: (3, -2), 0x61: (2, -1), 0x73: (3, -2)}
"""Opcodes that pop a fixed number: how many they need above the fence, and their effect on the depth.

POP, DUP and the text opcodes are left to the interpreter: no pickler of the last twenty years writes them for plain data.
"""


def slots_read(blob: Blob, start: int, found: set[int], spend: Callable[[int], None]) -> set[int] | None:  # noqa: C901, PLR0912  (one branch a class of opcodes)
    """Collect the memo slots that a stream reads back, up to its ``STOP`` or its first undecodable opcode.

    Args:
        blob: The bytes.
        start: Offset of an opcode.
        found: Slots known to be read back before; is added to.
        spend: Accounts for steps.

    Returns:
        The slots, at most about `MOST_READ` of them; None when they cannot be told (raw arrays lie between the opcodes) and
        all must be kept.
    """
    tape = Tape(blob)
    offset = start
    while tape.load(offset):
        buffer, pos, limit = tape.buffer, 0, tape.limit
        spend(limit // 4)
        while pos < limit:
            op = buffer[pos]
            if op == 0x68:
                found.update(buffer[pos + 1 : pos + 2])
                pos += 2
            elif op == 0x6A:
                found.add(int.from_bytes(buffer[pos + 1 : pos + 5], "little"))
                pos += 5
            elif step := _STEP[op]:
                pos += step
            elif op in COUNTED:
                count = COUNTED[op]
                length = int.from_bytes(buffer[pos + 1 : pos + 1 + count], "little", signed=op in SIGNED_COUNT)
                if length < 0:
                    return found
                if length == len(_RAW) and tape.take(tape.base + pos + 1 + count, length) == _RAW:
                    return None
                pos += 1 + count + length
            elif op in LINES:
                line = tape.line(tape.base + pos + 1)
                if line is not None and LINES[op] == 2:
                    line = tape.line(line[1])
                if line is None:
                    return found
                if line[0] == _RAW:
                    return None
                if op == 0x67:
                    found.update(_text_slot(line[0]))
                pos = line[1] - tape.base
            else:
                return found
        if len(found) > MOST_READ:
            return found
        offset = tape.base + pos
    return found


_RAW = b"NumpyArrayWrapper"
_DIGITS = 4_000
_STEP = [FIXED[code] if code in FIXED and code != 0x2E else 0 for code in range(256)]


def _text_slot(line: bytes) -> tuple[int, ...]:
    try:
        return (int(line[:_DIGITS]),)
    except ValueError:
        return ()


assert MARGIN > 9
