"""How a text is written, whatever it says: the shapes of its words, blanks, marks, cases, and the odd characters in it.

A sign of manner is a 32-bit hash, each once a row:

- shapes of words: every run without blanks in which letters change their case, or which has digits or marks inside, with each
  letter as ``a`` or ``A`` and each digit as ``9``: once as long as it is, once with runs of one sign cut to one
  (``id123456`` gives ``aa999999`` and ``a9``);
- how often blanks are doubled between words, words are written in odd case, letters come three times, words come twice in a row:
  a sign for at least 1, 2, 4, 8 ...;
- everyday marks, each once, and the kind of sign that a text begins and ends with;
- whether all of a text is in lower case, in capitals, or without marks;
- characters beyond ASCII, each and by their blocks of 256 and of 4,096, but not those of scripts without blanks.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.views.unicode import decoded, odd_rows
from toadstone.views.view import Columns, View, text_bytes
from toadstone.views.words import hashed, mixed

LONGEST = 4096
"""Bytes of a row that are looked at."""
SHAPE, COUNT, MARK, EDGE, WHOLE, CHARACTER, BLOCK = range(1, 8)
BLANKS, TABS, LINES, ODD_CASE, REPEATED_LETTER, REPEATED_WORD, CAPITALS = range(7)
LOWER, UPPER, TITLED, BARE = range(4)
_LEVELS = 8
_SPACE, _LOWER, _UPPER, _DIGIT, _OTHER = ord(" "), ord("a"), ord("A"), ord("9"), ord("u")
_EVERYDAY = b"!\"'(),-./:;?"
_WIDEST = 32
"""Bytes of a word whose exact shape counts."""
_CHARACTERS = 64
"""Different characters beyond ASCII of one row that count."""
BLOCKS = (8, 12)
"""Binary logarithms of how many characters a block has."""
_UNDIVIDED = (0x2E80, 0xD7FF)

Numbers = NDArray[np.int64]
Signs = NDArray[np.uint64]


class Manner(View):
    """``manner``: uint32, the signs of how each row is written, in ascending order (ragged)."""

    name = "manner"
    role = "text"
    efforts = ("standard", "deep")

    def of(self, values: pa.Array) -> Columns:
        content, offsets = text_bytes(values)
        content, offsets = _beginnings(content, offsets)
        text = _Text(content, offsets)
        parts = [*_shapes(text), *_counts(text), *_marks(text), *_edges(text), *_whole(text), *_characters(values)]
        keys = np.sort(np.concatenate([(rows.astype(np.uint64) << np.uint64(32)) | signs for rows, signs in parts]))
        keys = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
        edges = np.searchsorted(keys, np.arange(len(values) + 1, dtype=np.uint64) << np.uint64(32))
        return {"manner": (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32), "manner.offsets": edges.astype(np.int64)}


def sign(kind: int, value: int, level: int = 0) -> int:
    """Give the hash of a sign.

    Args:
        kind: ``SHAPE``, ``COUNT`` ...
        value: What it is a sign of: a hash, a code point, a number.
        level: Of a count, its binary logarithm.
    """
    return int(_signs(kind, np.array([value]), np.array([level]))[0])


def shape_of(word: str) -> str:
    """Give the shape of a word as it is hashed: letters as ``a`` and ``A``, digits as ``9``, bytes beyond ASCII as ``u``."""
    return _classes()[np.frombuffer(word.encode()[:_WIDEST], np.uint8)].tobytes().decode("ascii", "replace")


def collapsed(shape: str) -> str:
    """Cut runs of one sign to one."""
    return "".join(one for place, one in enumerate(shape) if not place or shape[place - 1] != one)


def shape_hash(shape: str) -> int:
    """Hash a shape."""
    content = np.frombuffer(shape.encode(), np.uint8)
    return int(hashed(content, np.zeros(1, np.int64), np.array([len(content)]))[0])


def _signs(kind: int, values: NDArray[np.integer], levels: Numbers | int = 0) -> Signs:
    """Hash signs, in the lower 32 bits."""
    seeded = (values.astype(np.uint64) << np.uint64(12)) | np.uint64(kind << 8) | np.asarray(levels).astype(np.uint64)
    return mixed(seeded) >> np.uint64(32)


@cache
def _classes() -> NDArray[np.uint8]:
    """Say of each byte what it stands for in a shape."""
    table = np.arange(256, dtype=np.uint8)
    table[: ord(" ") + 1] = _SPACE
    table[127] = _SPACE
    for first, last, value in (("a", "z", _LOWER), ("A", "Z", _UPPER), ("0", "9", _DIGIT)):
        table[ord(first) : ord(last) + 1] = value
    table[128:] = _OTHER
    return table


def _beginnings(content: NDArray[np.uint8], offsets: Numbers) -> tuple[NDArray[np.uint8], Numbers]:
    """Cut rows to `LONGEST` bytes."""
    lengths = np.diff(offsets)
    if not len(lengths) or int(lengths.max()) <= LONGEST:
        return content, offsets
    kept = np.arange(len(content)) - np.repeat(offsets[:-1], lengths) < LONGEST
    return content[kept], np.append(0, np.cumsum(np.minimum(lengths, LONGEST)))


class _Text:
    """Bytes of all rows, what they stand for, and the runs without blanks.

    Attributes:
        content: The bytes.
        offsets: Where rows begin, and the end.
        shape: What each byte stands for.
        starts: First byte of each run.
        ends: Byte behind its last.
        rows: Row of each run.
    """

    def __init__(self, content: NDArray[np.uint8], offsets: Numbers) -> None:
        self.content = content
        self.offsets = offsets
        self.shape = _classes()[content]
        filled = self.shape != _SPACE
        begins = filled.copy()
        begins[1:] &= ~filled[:-1]
        first = offsets[:-1][offsets[:-1] < len(content)]
        begins[first] |= filled[first]
        closes = filled.copy()
        closes[:-1] &= ~filled[1:]
        last = offsets[1:][offsets[1:] > 0] - 1
        closes[last] |= filled[last]
        self.starts = np.flatnonzero(begins)
        self.ends = np.flatnonzero(closes) + 1
        self.rows = np.searchsorted(offsets, self.starts, "right") - 1

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.offsets) - 1

    def within(self, mask: NDArray[np.bool_]) -> Numbers:
        """Count marked bytes of each run."""
        sums = np.append(0, np.cumsum(mask, dtype=np.int64))
        return np.asarray(sums[self.ends] - sums[self.starts], np.int64)

    def of_rows(self, mask: NDArray[np.bool_]) -> Numbers:
        """Count marked bytes of each row."""
        sums = np.append(0, np.cumsum(mask, dtype=np.int64))
        return np.asarray(sums[self.offsets[1:]] - sums[self.offsets[:-1]], np.int64)

    def row_of(self, places: Numbers) -> Numbers:
        """Give the row of each byte."""
        return np.searchsorted(self.offsets, places, "right") - 1


def _shapes(text: _Text) -> list[tuple[Numbers, Signs]]:
    shape = text.shape
    if not len(text.starts):
        return []
    odd = np.zeros(len(shape), bool)
    odd[1:] = (shape[1:] == _UPPER) & (shape[:-1] == _LOWER)
    inside = (shape != _LOWER) & (shape != _UPPER) & (shape != _OTHER) & (shape != _SPACE)
    letters = (shape == _LOWER) | (shape == _UPPER) | (shape == _DIGIT) | (shape == _OTHER)
    framed = inside.copy()  # signs beside a letter or digit on both sides, or digits
    framed[1:-1] &= (letters[2:] & letters[:-2]) | (shape[1:-1] == _DIGIT)
    chosen = np.flatnonzero(text.within(odd | framed) > 0)
    starts, ends, rows = text.starts[chosen], text.ends[chosen], text.rows[chosen]
    exact = _signs(SHAPE, hashed(shape, starts, np.minimum(ends, starts + _WIDEST)))
    changes = np.append(True, shape[1:] != shape[:-1])
    changes[text.starts] = True
    place = np.append(0, np.cumsum(changes))
    short = _signs(SHAPE, hashed(shape[changes], place[starts], np.minimum(place[ends], place[starts] + _WIDEST)))
    return [(rows, exact), (rows, short)]


def _counts(text: _Text) -> list[tuple[Numbers, Signs]]:
    shape, content = text.shape, text.content
    if not len(shape):
        return []
    same = np.zeros(len(content), bool)  # a byte like the one before it, in the same row
    same[1:] = content[1:] == content[:-1]
    same[text.offsets[:-1][text.offsets[:-1] < len(content)]] = False
    doubled = same & (content == _SPACE)
    doubled[1:] &= ~(same & (content == _SPACE))[:-1]
    thrice = same & ((shape == _LOWER) | (shape == _UPPER))
    thrice[1:] &= same[:-1]
    lower, upper = text.within(shape == _LOWER), text.within(shape == _UPPER)
    first = shape[text.starts] == _UPPER if len(text.starts) else np.zeros(0, bool)
    odd = (lower > 0) & (upper > 0) & ~(first & (upper == 1))
    loud = (lower == 0) & (upper > 1)
    word = hashed(content, text.starts, text.ends)
    again = np.zeros(len(word), bool)
    again[1:] = (word[1:] == word[:-1]) & (text.rows[1:] == text.rows[:-1])
    counts = {
        BLANKS: text.of_rows(doubled),
        TABS: text.of_rows(content == 9),
        LINES: text.of_rows(content == 10),
        REPEATED_LETTER: text.of_rows(thrice),
        ODD_CASE: np.bincount(text.rows[odd], minlength=text.size),
        REPEATED_WORD: np.bincount(text.rows[again], minlength=text.size),
        CAPITALS: np.bincount(text.rows[loud], minlength=text.size),
    }
    out = []
    for kind, count in counts.items():
        for level in range(_LEVELS):
            rows = np.flatnonzero(count >= 1 << level)
            if not len(rows):
                break
            out.append((rows, np.full(len(rows), sign(COUNT, kind, level), np.uint64)))
    return out


def _marks(text: _Text) -> list[tuple[Numbers, Signs]]:
    everyday = np.zeros(256, bool)
    everyday[list(_EVERYDAY)] = True
    places = np.flatnonzero(everyday[text.content])
    codes = text.content[places].astype(np.int64)
    spaced = np.zeros(len(places), np.int64)  # a blank before the mark is a habit of its own
    known = np.flatnonzero(places > 0)
    spaced[known] = text.shape[places[known] - 1] == _SPACE
    return [(text.row_of(places), _signs(MARK, codes, spaced))]


def _edges(text: _Text) -> list[tuple[Numbers, Signs]]:
    filled = np.flatnonzero(np.diff(text.offsets))
    first, last = text.shape[text.offsets[filled]], text.shape[text.offsets[filled + 1] - 1]
    return [(filled, _signs(EDGE, first.astype(np.int64), 0)), (filled, _signs(EDGE, last.astype(np.int64), 1))]


def _whole(text: _Text) -> list[tuple[Numbers, Signs]]:
    lower, upper = text.of_rows(text.shape == _LOWER), text.of_rows(text.shape == _UPPER)
    marks = text.of_rows((text.shape != _LOWER) & (text.shape != _UPPER) & (text.shape != _DIGIT) & (text.shape != _SPACE))
    words = np.bincount(text.rows, minlength=text.size)
    initial = text.shape[text.starts] == _UPPER if len(text.starts) else np.zeros(0, bool)
    titled = np.bincount(text.rows[initial], minlength=text.size)
    habits = {
        LOWER: (upper == 0) & (lower > 0),
        UPPER: (lower == 0) & (upper > 2),
        TITLED: (titled >= words) & (words >= 4) & (lower > 0),
        BARE: (marks == 0) & (words >= 4),
    }
    found = [(np.flatnonzero(rows), kind) for kind, rows in habits.items()]
    return [(rows, np.full(len(rows), sign(WHOLE, kind), np.uint64)) for rows, kind in found]


def _characters(values: pa.Array) -> list[tuple[Numbers, Signs]]:
    rows = odd_rows(values)
    if not len(rows):
        return []
    texts = [text[:LONGEST] for text in decoded(values.take(pa.array(rows)))]
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    owner = np.repeat(rows.astype(np.uint64), np.fromiter(map(len, texts), np.int64, len(texts)))
    some = (codes > 127) & ~((codes >= _UNDIVIDED[0]) & (codes <= _UNDIVIDED[1]))
    keys = np.unique((owner[some] << np.uint64(32)) | codes[some])
    owners, codes = (keys >> np.uint64(32)).astype(np.int64), keys & np.uint64(0xFFFFFFFF)
    kept = np.arange(len(owners)) - np.searchsorted(owners, owners) < _CHARACTERS
    owners, codes = owners[kept], codes[kept]
    return [(owners, _signs(CHARACTER, codes)), *((owners, _signs(BLOCK, codes >> np.uint64(bits), bits)) for bits in BLOCKS)]
