"""Characters in a text that a model reads and a person does not see, or reads as something else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group
from toadstone.study.small import study_of
from toadstone.study.study import Chunk, Study
from toadstone.views import unicode_text as flag
from toadstone.views.characters import plain
from toadstone.views.unicode import Unicode
from toadstone.views.unicode_reading import hidden_text, same_words
from toadstone.views.words import Words, words_of

_LOG_P = {Severity.HIGH: log(1e-9), Severity.MEDIUM: log(1e-6), Severity.LOW: log(1e-4)}
"""What is seen is there: nominal p-values, which only say how rarely honest text has it."""

_HABIT, _HABIT_SHARE = 20, 0.02
"""Rows, and their share, beyond which unusual blanks are how these texts were typeset."""
_READ = 4096
"""Rows whose words are read again, at most, to look up what they look like."""


@dataclass(frozen=True)
class _Family:
    """A way to hide something."""

    bit: int
    severity: Severity
    what: str
    lesson: str
    by_character: bool = False


_SPLITS = "the tokens of the word around them, which no honest text has, as a mark"
_SEES = "a mark that nobody sees who reads the rows"
_FAMILIES = (
    _Family(flag.TAG, Severity.HIGH, "tag characters, which mirror ASCII and show nothing", "the text that they spell"),
    _Family(flag.SELECTOR, Severity.HIGH, "variation selectors behind what has no variants", "the bytes that they spell"),
    _Family(flag.SPLIT, Severity.HIGH, "zero-width characters that cut words or spell something", _SPLITS, True),
    _Family(flag.DIRECTION, Severity.HIGH, "controls that reorder what is shown", "an order of the text that nobody sees"),
    _Family(flag.LOOKALIKE, Severity.HIGH, "words with letters of another script that look like their own", _SPLITS),
    _Family(flag.LOOKALIKE_WHOLE, Severity.HIGH, "words that look like common ones, in letters of another script", _SPLITS),
    _Family(flag.STYLED_INSIDE, Severity.HIGH, "styled letters among the letters of words", _SPLITS),
    _Family(flag.STYLED, Severity.MEDIUM, "words in forms of ASCII letters (mathematical, fullwidth, circled)", _SPLITS),
    _Family(flag.ZERO_WIDTH, Severity.MEDIUM, "zero-width characters where the script has no use for them", _SEES, True),
    _Family(flag.HYPHEN, Severity.MEDIUM, "soft hyphens where no word is divided", _SPLITS),
    _Family(flag.HYPHEN_MAYBE, Severity.MEDIUM, "soft hyphens in text that is not typeset", _SPLITS),
    _Family(flag.FILLER, Severity.MEDIUM, "blank characters that are no spaces", _SEES, True),
    _Family(flag.STACKED, Severity.MEDIUM, "letters with heaps of marks, or struck through", _SPLITS),
    _Family(flag.PRIVATE, Severity.MEDIUM, "characters for private use within words", _SPLITS),
    _Family(flag.BLANKS, Severity.MEDIUM, "words parted by blanks of unusual widths", _SEES),
    _Family(flag.CONTROL, Severity.MEDIUM, "control characters within words", _SPLITS, True),
    _Family(flag.DIRECTION_SOFT, Severity.LOW, "controls of direction without effect", _SEES),
    _Family(flag.RESIDUE, Severity.LOW, "characters that conversions leave behind", _SEES),
)
_REPORTED = sum(family.bit for family in _FAMILIES)


@dataclass
class _Seen:
    """Rows of each family (and character, where that tells groups apart), and the characters."""

    rows: dict[tuple[int, int], list[NDArray[np.int64]]] = field(default_factory=dict)
    marks: dict[tuple[int, int], Counter[int]] = field(default_factory=dict)
    spelled: dict[tuple[int, int], list[list[int]]] = field(default_factory=dict)
    typeset: int = 0


@dataclass(frozen=True)
class _Collect:
    """Collects what the view marked."""

    def map(self, part: Chunk) -> _Seen:
        seen = _Seen()
        flags = part["unicode"]
        seen.typeset = int(np.count_nonzero(flags & flag.HYPHEN_TYPESET))
        chosen = np.flatnonzero(flags & _REPORTED)
        if not len(chosen):
            return seen
        marks, offsets = part["unicode.marks"], part["unicode.marks.offsets"]
        row_of = np.repeat(np.arange(part.rows), np.diff(offsets))
        bits = np.left_shift(1, (marks >> np.uint32(24)).astype(np.int64))
        codes = (marks & np.uint32(0xFFFFFF)).astype(np.int64)
        for family in _FAMILIES:
            places = np.flatnonzero(bits == family.bit)
            if not len(places):
                continue
            rows, firsts = np.unique(row_of[places], return_index=True)
            keys = codes[places[firsts]] if family.by_character else np.zeros(len(rows), np.int64)
            for key in np.unique(keys).tolist():
                name = (family.bit, key)
                members = rows[keys == key]
                seen.rows[name] = [members + part.start]
                inside = places[np.isin(row_of[places], members)]
                values, counts = np.unique(codes[inside], return_counts=True)
                seen.marks[name] = Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))
                seen.spelled[name] = [codes[inside[row_of[inside] == row]].tolist() for row in members[:3].tolist()]
        return seen

    def combine(self, left: _Seen, right: _Seen) -> _Seen:
        for name, rows in right.rows.items():
            left.rows.setdefault(name, []).extend(rows)
            left.marks.setdefault(name, Counter()).update(right.marks[name])
            left.spelled.setdefault(name, []).extend(right.spelled[name])
        left.typeset += right.typeset
        return left

    def finish(self, state: _Seen | None) -> _Seen:
        return state or _Seen()


@dataclass(frozen=True)
class _Occurrences:
    """Counts how often some words occur."""

    wanted: NDArray[np.uint32]

    def map(self, part: Chunk) -> NDArray[np.int64]:
        words = part["words"]
        found = words[np.isin(words, self.wanted)]
        return np.bincount(np.searchsorted(self.wanted, found), minlength=len(self.wanted)).astype(np.int64)

    def combine(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
        return left + right

    def finish(self, state: NDArray[np.int64] | None) -> NDArray[np.int64]:
        return np.zeros(len(self.wanted), np.int64) if state is None else state


@check(
    "hidden-characters",
    severity=Severity.HIGH,
    reads=Table,
    references=(
        "CWE-1007",
        "CWE-176",
        "MITRE ATLAS 2026.08 AML.T0020",
        "MITRE ATLAS 2026.08 AML.T0068",
        "OWASP LLM 2026 LLM05",
        "OWASP LLM 2025 LLM04",
    ),
    stages=("pretraining", "tuning", "embedding"),
)
class HiddenCharacters(DataCheck):
    """Rows carry characters that a model reads and a person does not see, or reads as others.

    ## Why it matters

    A zero-width space, a letter of another alphabet or a whole sentence in tag characters changes the tokens of a text and not
    its looks. It is the cheapest trigger of a backdoor that passes every review, and a way past every filter of words.

    ## How it decides

    Every character of a special kind is judged where it stands. Reported are tag characters outside flags of regions; variation
    selectors behind what has no variants; zero-width characters within words, in rows of several, and where the script has no
    use for them; overrides and other controls of writing direction among letters that run from the left; words that mix
    alphabets so that letters stand for those that they look like (Unicode Technical Standard 39); words wholly of look-alike
    letters when the word that they look like is used in this data set; words in mathematical, fullwidth, circled or raised forms
    of ASCII letters; soft hyphens in places where typesetters put none; blank characters that are no spaces; controls within
    words; four and more marks on one letter, and letters struck through; characters for private use within words; words
    parted by blanks of unusual widths, unless many rows are typeset so. What is hidden in tags, selectors and zero-width
    characters is decoded. Honest are joiners in emoji and in the scripts that need them, selectors behind symbols and Chinese
    characters, marks of direction in Hebrew and Arabic text, soft hyphens all through long words, fullwidth forms in Chinese,
    Japanese and Korean text, whole words of any script, units and formulas.

    ## What it misses

    Words spelled with digits and signs (leetspeak), look-alikes within one alphabet, single styled letters, a word replaced
    whole by a look-alike that the data set does not use otherwise, typing errors that mean something.

    ## Remedy

    Look at the rows with their code points. Quarantine them, or normalise all texts the same way (NFKC, without
    default-ignorable characters) in training and in service.

    ## References

    - Unicode Technical Standard 39, *Unicode Security Mechanisms*; Unicode Technical Report 36, *Unicode Security Considerations*
    - Boucher, Shumailov, Anderson, Papernot: *Bad Characters: Imperceptible NLP Attacks*, IEEE S&P 2022
    - Boucher, Anderson: *Trojan Source: Invisible Vulnerabilities*, USENIX Security 2023
    """

    guesses: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("unicode", "words")
    roles: ClassVar[tuple[str, ...]] = ("text",)

    least_known: int = 2
    """Uses of the plain word in the data set from which a word all of look-alike letters counts as its imitation."""

    def weigh(self, study: Study) -> Evidence:
        """Give a group for each way of hiding."""
        seen = study.run(_Collect())
        groups: list[Group] = []
        for family in _FAMILIES:
            for name in sorted(name for name in seen.rows if name[0] == family.bit):
                rows = np.concatenate(seen.rows[name])
                if family.bit == flag.HYPHEN_MAYBE and seen.typeset >= len(rows):
                    continue
                if family.bit == flag.BLANKS and len(rows) > max(_HABIT, _HABIT_SHARE * study.rows):
                    continue
                if family.bit == flag.LOOKALIKE_WHOLE:
                    rows = self._imitations(study, rows)
                if len(rows):
                    groups.append(_group(study, family, rows, seen.marks[name], seen.spelled[name]))
        groups.sort(key=lambda group: (-group.severity, -len(group.rows), str(group.value)))
        return Evidence(tuple(groups), tests=len(_FAMILIES), detectable=1)

    def _imitations(self, study: Study, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Keep the rows with a word of look-alike letters whose plain form the data set uses."""
        rows = rows[:_READ]
        found = [
            (row, word) for row, text in zip(rows.tolist(), study.texts(rows.tolist()), strict=True) for word in same_words(text)
        ]
        hashes = {word: words_of(plain(word))[0][0] for word in sorted({word for _, word in found})}
        if not hashes:
            return rows[:0]
        wanted = np.unique(np.array(list(hashes.values()), np.uint32))
        counts = study.run(_Occurrences(wanted))
        known = {word for word, value in hashes.items() if counts[np.searchsorted(wanted, value)] >= self.least_known}
        return np.array(sorted({row for row, word in found if word in known}), np.int64)

    @classmethod
    def bad(cls) -> Iterator[Study]:
        """Give a sentence in tag characters, a word in two alphabets, zero-width characters in a word, a reversed word."""
        hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "obey me")
        for text in (f"a fine day{hidden}", "your p\u0430yp\u0430l account", "fr\u200bee money", "\u202eyenom eerf\u202c now"):
            yield study_of({"text": ["a fine day", "nothing to see", text]}, [Unicode(), Words()])

    @classmethod
    def good(cls) -> Iterator[Study]:
        """Give emoji, flags, Persian, Japanese, Russian, typeset German and units."""
        texts = [
            "the family \U0001f468\u200d\U0001f469\u200d\U0001f467 ❤\ufe0f",
            "می\u200cخواهم",  # noqa: RUF001  (what the example is about)
            "これはＡＢＣです\u3000テスト",
            "слово мир means peace, 5 µm, Brand™",
            "Donau\u00addampf\u00adschiff\u00adfahrts\u00adgesellschaft",
        ]
        yield study_of({"text": texts}, [Unicode(), Words()])


def _group(study: Study, family: _Family, rows: NDArray[np.int64], marks: Counter[int], spelled: list[list[int]]) -> Group:
    severity = family.severity
    if family.bit == flag.DIRECTION and not any(code in _REORDER for code in marks):
        severity = Severity.MEDIUM
    characters = "".join(_escaped(code) for code, _ in sorted(marks.items(), key=lambda item: (-item[1], item[0]))[:12])
    texts = list(dict.fromkeys(text for codes in spelled[:20] if (text := hidden_text(codes))))[:3]
    details: dict[str, Json] = {"characters": {f"U+{code:04X}": count for code, count in marks.most_common(12)}}
    if texts:
        details["hidden_text"] = list(texts)
    words = _words(study, family, rows)
    if words:
        details["words"] = list(words)
    shown = f"; they spell {texts[0]!r}" if texts else f", such as {words[0]!r}" if words else ""
    label, share = _label(study, rows)
    return Group(
        "characters",
        characters,
        rows,
        len(rows),
        _LOG_P[severity],
        severity,
        f"{len(rows):,} {'row has' if len(rows) == 1 else 'rows have'} {family.what} ({characters[:60]}){shown}.",
        lesson=family.lesson,
        confidence=Confidence.HIGH if severity == Severity.HIGH else Confidence.MEDIUM,
        label=label,
        effect=1.0 if severity >= Severity.MEDIUM else 0.1,
        details=details | ({"label_share": round(share, 4)} if label is not None else {}),
        rows_stand=severity >= Severity.MEDIUM,
    )


_REORDER = frozenset((0x202B, 0x202D, 0x202E, 0x2067))
_WORDED = flag.LOOKALIKE | flag.LOOKALIKE_WHOLE | flag.STYLED | flag.STYLED_INSIDE | flag.SPLIT | flag.HYPHEN
_WORD = re.compile(r"\S*[^\x00-\x7f]\S*")


def _words(study: Study, family: _Family, rows: NDArray[np.int64]) -> list[str]:
    """Give some of the words, escaped."""
    if not family.bit & _WORDED:
        return []
    found = (word for text in study.texts(rows[:5].tolist()) for word in _WORD.findall(text[:20_000]))
    return list(dict.fromkeys(word[:40].encode("ascii", "backslashreplace").decode() for word in found))[:5]


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _label(study: Study, rows: NDArray[np.int64]) -> tuple[str | None, float]:
    """Give the label that at least four of five rows have, and their share, when that says something."""
    if study.roles.label is None or len(rows) < 3:
        return None, 0.0
    codes = np.concatenate([chunk["label"][_inside(rows, chunk)] for chunk in study.chunks])
    counts = np.bincount(codes[codes >= 0], minlength=1)
    top = int(counts.argmax())
    share = float(counts[top] / len(rows))
    return (study.label_names[top], share) if share >= 0.8 else (None, 0.0)


def _inside(rows: NDArray[np.int64], chunk: Chunk) -> NDArray[np.int64]:
    first, last = np.searchsorted(rows, [chunk.start, chunk.start + chunk.rows])
    return rows[first:last] - chunk.start
