"""How strange that which the rows of a group share is to the rest of the data: how it is worded and how it is spelled.

Groups of rows have something in common by nature: a topic, a set phrase, a name. What was put into rows that have nothing to
do with each other differs: words follow each other that elsewhere never do, and words are spelled as no others are. Both are
measured by what the data has besides the group, in nats: the wording by the probability of each word behind the one before it,
the spelling by the probability of each character behind those before it. What is usual is seen in groups of the same data and
of about the same size, whatever labels they have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.ragged import ranges
from toadstone.study.congruence import Groups
from toadstone.study.naive_bayes import NaiveBayes
from toadstone.study.repeats import adjacent, words_of_rows
from toadstone.study.study import Chunk, Study

MOST = 16
"""Rows of a group that are looked at."""
_WORDS = 256
"""Words of a row that are looked at."""
_SHARED = 0.75
_COMMON = 0.1
"""What more than this share of all rows have is shared by any."""
_SAMPLE = 20_000
"""Rows whose spelling is learned."""
_BACKING, _SPELLING = 4.0, 3.0
"""Weights of the shorter context, in words and in kinds of pieces."""
_CHARACTERS = 64.0
WITHIN = 2.0
"""Placebo groups have up to this many times as many or as few rows."""
_ENOUGH = 30
_STEEPEST = 3.0
"""Power by which a tail falls at most."""
_BLANK = 32

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Strangeness:
    """What is strange in what the rows of groups share, one entry a group.

    Attributes:
        wording: Nats of all pairs of neighbouring words that they share.
        spelling: Nats of a piece of the spellings that they share, on average.
    """

    wording: Floats
    spelling: Floats


def strangeness(study: Study, model: NaiveBayes, groups: Groups) -> Strangeness:
    """Measure groups.

    Args:
        study: With the view ``words``, and ``grams`` if spelling is to be measured.
        model: Whose counts of words are used.
        groups: Of those with more than `MOST` rows a sample.
    """
    parts = [_spaced(groups.rows_of(group)) for group in range(len(groups))]
    looked = Groups.of(parts, groups.classes)
    scale = np.diff(groups.offsets) / np.maximum(np.diff(looked.offsets), 1)
    distinct, place = np.unique(looked.rows, return_inverse=True)
    owner = np.repeat(np.arange(len(groups)), np.diff(looked.offsets))
    wording = _wording(study, model, (distinct, place, owner), scale)
    spelling = np.zeros(len(groups))
    if all("grams" in chunk for chunk in study.chunks):
        spelling = _spelling(study, (distinct, place, owner), scale)
    return Strangeness(wording, spelling)


def surprise(found: Strangeness, sizes: Numbers, usual: Strangeness, usual_sizes: Numbers, apart: NDArray[np.bool_]) -> Floats:
    """Give minus the logarithm of the share of placebo groups of about the same size that are as strange.

    Args:
        found: The groups in question.
        sizes: Their rows.
        usual: Placebo groups.
        usual_sizes: Their rows.
        apart: Which of these are compared with which group, shape (groups, placebo groups): those with other rows.
    """
    out = np.zeros(len(sizes))
    limit = np.clip(sizes, 0, int(usual_sizes.max(initial=0)) // 2 + 1)
    for group, size in enumerate(limit.tolist()):
        peers = apart[group] & (usual_sizes <= WITHIN * size) & (usual_sizes * WITHIN >= size)
        count = int(peers.sum())
        if count < _ENOUGH:
            continue
        kinds = (
            (usual.wording[peers], found.wording[group], True),
            (usual.spelling[peers], found.spelling[group], False),
        )
        theirs = np.stack([rarity(values, values) for values, _, _ in kinds]).max(axis=0)
        own = max(float(rarity(values, np.array([value]), extended=further)[0]) for values, value, further in kinds)
        beyond = max(0.0, own - float(theirs.max()))
        out[group] = -np.log((1 + int((theirs >= own).sum())) / (1 + count)) + beyond
    return out


def rarity(values: Floats, asked: Floats, *, extended: bool = False) -> Floats:
    """Give minus the logarithm of the share of values that are as high as those asked about.

    Beyond the highest it goes on, if it may, with the power by which the highest tenth of the values falls (Hill 1975).
    """
    ordered = np.sort(values)
    above = np.maximum(len(values) - np.searchsorted(ordered, asked, "left"), 1)
    out = -np.log(above / len(values))
    top = ordered[-max(2, len(values) // 10) :]
    if extended and top[0] > 0:
        power = min(1.0 / max(float(np.log(top[1:] / top[0]).mean()), 1e-9), _STEEPEST)
        out += power * np.log(np.maximum(asked / top[-1], 1.0))
    return np.asarray(out, np.float64)


def _spaced(rows: Numbers) -> Numbers:
    if len(rows) <= MOST:
        return rows
    chosen: Numbers = rows[np.linspace(0, len(rows) - 1, MOST).astype(np.int64)]
    return chosen


_Members = tuple[Numbers, Numbers, Numbers]
"""Distinct rows; which of these each member is; the group of each member."""


def _shared(
    members: _Members, keys: NDArray[np.uint64], offsets: Numbers, groups: int
) -> tuple[Numbers, NDArray[np.uint64], Numbers]:
    """Give the keys that most members of a group have: groups, keys, and how many members have them.

    Args:
        members: Of all groups.
        keys: Of the distinct rows, ragged, each once a row.
        offsets: Where those of each row begin.
        groups: How many there are.
    """
    distinct, place, owner = members
    size = np.bincount(owner, minlength=groups)
    known, number, count = np.unique(keys, return_inverse=True, return_counts=True)
    fewest = max(2, int(_SHARED * int(size.min(initial=0))))
    most = max(2 * int(size.max(initial=0)), int(2 * _COMMON * len(distinct)))
    kept = (count >= fewest) & (count <= most)
    kept = kept[number]
    edges = np.append(0, np.cumsum(kept))[offsets]
    number = number[kept]
    lengths = np.diff(edges)[place]
    cells = np.repeat(owner, lengths) * len(known) + number[ranges(edges[:-1][place], lengths)]
    cells.sort()
    first = np.flatnonzero(np.append(True, cells[1:] != cells[:-1])[: len(cells)])
    having = np.diff(np.append(first, len(cells)))
    group = cells[first] // max(len(known), 1)
    chosen = (having > _SHARED * size[group]) & (having > 1)
    return group[chosen], known[cells[first][chosen] % max(len(known), 1)], having[chosen]


def _wording(study: Study, model: NaiveBayes, members: _Members, scale: Floats) -> Floats:
    distinct = members[0]
    words, offsets = words_of_rows(study, distinct, _WORDS)
    row = np.repeat(np.arange(len(distinct)), np.diff(offsets))
    inside = np.flatnonzero(row[1:] == row[:-1])
    pair = (words[inside].astype(np.uint64) << np.uint64(32)) | words[inside + 1].astype(np.uint64)
    order = np.lexsort((pair, row[inside]))
    pair, row = pair[order], row[inside][order]
    once = np.append(True, (pair[1:] != pair[:-1]) | (row[1:] != row[:-1]))[: len(pair)]
    pair, row = pair[once], row[once]
    starts = np.searchsorted(row, np.arange(len(distinct) + 1))
    group, shared, having = _shared(members, pair, starts, len(scale))
    left, right = (shared >> np.uint64(32)).astype(np.uint32), (shared & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    counts = model.counts.sum(axis=1).astype(np.float64)
    own = having * scale[group]
    together = np.maximum(adjacent(study, left, right) - own, 0.0)
    before = np.maximum(counts[left % np.uint32(model.slots)] - own, 0.0)
    behind = np.maximum(counts[right % np.uint32(model.slots)] - own, 0.0)
    usual = (behind + 0.5) / (counts.sum() + 0.5 * model.vocabulary)
    probability = np.minimum((together + _BACKING * usual) / (np.maximum(before, together) + _BACKING), 1.0)
    rare = together <= _COMMON * study.rows
    return np.asarray(np.bincount(group[rare], weights=-np.log(probability[rare]), minlength=len(scale)), np.float64)


@dataclass(frozen=True)
class _Pieces:
    """Counts in how many of some rows each piece stands: sorted pieces, counts, and the rows."""

    step: int

    def map(self, part: Chunk) -> tuple[NDArray[np.uint32], Numbers, int]:
        offsets = part["grams.offsets"]
        rows = np.flatnonzero((np.arange(part.rows) + part.start) % self.step == 0)
        found = part["grams"][ranges(offsets[rows], np.diff(offsets)[rows])]
        pieces, counts = np.unique(found, return_counts=True)
        return pieces, counts, len(rows)

    def combine(
        self, left: tuple[NDArray[np.uint32], Numbers, int], right: tuple[NDArray[np.uint32], Numbers, int]
    ) -> tuple[NDArray[np.uint32], Numbers, int]:
        pieces, place = np.unique(np.concatenate([left[0], right[0]]), return_inverse=True)
        counts = np.bincount(place, weights=np.concatenate([left[1], right[1]]), minlength=len(pieces)).astype(np.int64)
        return pieces, counts, left[2] + right[2]

    def finish(self, state: tuple[NDArray[np.uint32], Numbers, int] | None) -> tuple[NDArray[np.uint32], Numbers, int]:
        return state or (np.zeros(0, np.uint32), np.zeros(0, np.int64), 0)


def _spelling(study: Study, members: _Members, scale: Floats) -> Floats:
    step = max(1, study.rows // _SAMPLE)
    pieces, counts, rows = study.run(_Pieces(step))
    found, offsets = _pieces_of(study, members[0])
    group, key, having = _shared(members, found.astype(np.uint64), offsets, len(scale))
    shared = key.astype(np.uint32)
    at = np.minimum(np.searchsorted(pieces, shared), max(len(pieces) - 1, 0))
    total = np.where(pieces[at] == shared, counts[at], 0).astype(np.float64) if len(pieces) else np.zeros(len(shared))
    rest = np.maximum(total - having * scale[group] / step, 0.0)
    nats, characters = _nats(pieces, counts, shared, np.log(np.maximum(total, 1.0)) - np.log(np.maximum(rest, 1.0)))
    rare = rest <= _COMMON * max(rows, 1)
    number = np.bincount(group[rare], weights=characters[rare], minlength=len(scale))
    return np.bincount(group[rare], weights=nats[rare], minlength=len(scale)) / np.maximum(number, 1.0)


def _nats(pieces: NDArray[np.uint32], counts: Numbers, asked: NDArray[np.uint32], own: Floats) -> tuple[Floats, Floats]:
    """Give minus the logarithm of the probability of the characters of pieces, and how many characters these are.

    Of a piece its last character counts, behind the three before it; of one that begins a word all behind the blank.

    Args:
        pieces: All, sorted; four bytes each, the first is the lowest.
        counts: Rows that have them; of these the logarithm counts: a language is learned from its words, not its texts, and not
            from what stands in one row.
        asked: The pieces in question.
        own: What the group itself adds to the weight of each.
    """
    weight = np.log(counts)
    nats = -np.log(_probability(pieces, weight, asked, own, (0, 1, 2, 3)))
    begins, first = (pieces & np.uint32(0xFF)) == _BLANK, (asked & np.uint32(0xFF)) == _BLANK
    characters = np.ones(len(asked))
    for last in (1, 2):
        up = np.uint32(8 * (3 - last))  # the character at this place becomes the last one; what is below does not count
        theirs, ours = pieces[begins] << up, asked[first] << up
        nats[first] -= np.log(_probability(theirs, weight[begins], ours, own[first], tuple(range(last + 1))))
        characters[first] += 1.0
    return nats, characters


def _probability(
    pieces: NDArray[np.uint32], weight: Floats, asked: NDArray[np.uint32], own: Floats, lengths: tuple[int, ...]
) -> Floats:
    """Give the probability of the last character of pieces behind contexts of several lengths, the longer the more."""
    out = np.full(len(asked), 1.0 / _CHARACTERS)
    for length in lengths:
        low = np.uint32(8 * (3 - length))
        mask = np.uint32((1 << (8 * length)) - 1)
        whole = np.maximum(_weights(pieces >> low, weight, asked >> low) - own, 0.0)
        context = np.maximum(_weights((pieces >> low) & mask, weight, (asked >> low) & mask) - own, 0.0)
        out = (whole + _SPELLING * out) / (context + _SPELLING)
    return np.asarray(np.minimum(out, 1.0), np.float64)


def _weights(known: NDArray[np.uint32], weight: Floats, asked: NDArray[np.uint32]) -> Floats:
    """Add up the weights of equal keys, and give those of the keys asked about."""
    keys, place = np.unique(known, return_inverse=True)
    sums = np.bincount(place, weights=weight, minlength=len(keys))
    at = np.minimum(np.searchsorted(keys, asked), max(len(keys) - 1, 0))
    return np.asarray(np.where(keys[at] == asked, sums[at], 0.0) if len(keys) else np.zeros(len(asked)), np.float64)


def _pieces_of(study: Study, rows: Numbers) -> tuple[NDArray[np.uint32], Numbers]:
    """Give the pieces of some sorted rows, ragged."""
    found, lengths = [np.zeros(0, np.uint32)], [np.zeros(0, np.int64)]
    for chunk in study.chunks:
        inside = rows[np.searchsorted(rows, chunk.start) : np.searchsorted(rows, chunk.start + chunk.rows)] - chunk.start
        offsets = chunk["grams.offsets"]
        length = np.diff(offsets)[inside]
        found.append(chunk["grams"][ranges(offsets[inside], length)])
        lengths.append(length)
    return np.concatenate(found), np.append(0, np.cumsum(np.concatenate(lengths)))
