"""From facts to sightings: what of the strings that readers saw is named by an incident or a list."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Document, Fact, Sighting, Unread
from toadstone.core.finding import Finding, Json
from toadstone.core.place import Place
from toadstone.core.record import replace
from toadstone.core.regex import regex
from toadstone.core.shield import shielded
from toadstone.intel.knowledge import Intelligence
from toadstone.intel.texts import MOST, texts_of
from toadstone.intel.top_levels import tlds

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from toadstone.intel.spotting_types import Spotted

_MAYBE = regex(
    r"[\w\])}>\[({<]\s?[.\u3002\uff0e\uff61]\s?[\w\])}>\[({<]|[/:]{2}|\\/\\|(?=\d{0,25}[A-Za-z])[0-9A-Za-z]{26}|[dD][oO][tT]\s?[\])}>]|\[:\]|0[xX][0-9a-fA-F]{6}|(?<!\d)\d{9,10}(?!\d)|~/|:\\|"
    r"/(?:etc|usr|var|tmp|home|root|opt|bin|sbin|dev|proc|sys|mnt|srv|run|boot|Users|Library)/"
)
"""What no indicator can do without; most strings have none of it, and cost nothing more."""
_LONG = 1 << 10
_STOPS = (".", "\u3002", "\uff0e", "\uff61")
_BETWEEN = regex(r"[\w\])}>\[({<]\s?[.\u3002\uff0e\uff61]\s?[\w\])}>\[({<]")
_SIGNS = ("//", "::", ":/", "/:", "\\/\\", "[:]", "~/", ":\\")
_RUN, _CODED = regex(r"[0-9A-Za-z]{26}"), regex(r"(?=\d{0,25}[A-Za-z])[0-9A-Za-z]{26}")
_DIGITS, _NUMBER = regex(r"\d{9}"), regex(r"(?<!\d)\d{9,10}(?!\d)")
_OTHERS = (
    regex(r"0[xX][0-9a-fA-F]{6}"),
    regex(r"/(?:etc|usr|var|tmp|home|root|opt|bin|sbin|dev|proc|sys|mnt|srv|run|boot|Users|Library)/"),
    regex(r"[dD][oO][tT]\s?[\])}>]"),
)
_DOTTED = regex(r"\w+(?:\.\w+)*\.[A-Za-z_]\w*", re.ASCII)
_PLENTY = 60_000
_FEW = 8
_REMEMBERED = 1 << 15
_SHOWN = ("decoded", "chain", "emits", "target", "text")
"""Evidence that checks made of the fact's strings, such as a payload without its encoding."""


class Watch:
    """Looks for known indicators in the facts of one subject.

    Args:
        intelligence: What is known.
    """

    def __init__(self, intelligence: Intelligence) -> None:
        self._intelligence = intelligence
        self._seen: set[int] = set()
        self._named: dict[int, bool] = {}
        self._looked = [0]
        self._last: tuple[Fact | None, list[str]] = (None, [])
        """The fact that was asked about last, and its texts: findings and sightings come of the same one."""

    def sightings(self, fact: Fact) -> Iterator[Sighting | Unread]:
        """Yield one sighting for every known indicator of a fact; each string is looked through once a subject."""
        yield from shielded(self._sightings(fact), lambda reason: Unread(fact.place, f"indicators: {reason}"))

    def _sightings(self, fact: Fact) -> Iterator[Sighting]:
        for text in self._texts(fact):
            if not self._new(text):
                continue
            for spotted in self._intelligence.spots(text):
                matches = self._intelligence.matches(spotted.type, spotted.value, spotted.host)
                if matches and spotted.type != "port":
                    yield Sighting(
                        _place(fact, text, spotted),
                        spotted.type,
                        spotted.value,
                        text[spotted.start : spotted.end][:400],
                        spotted.form,
                        tuple((match.source, match.label, match.reference) for match in matches),
                        all(match.shared for match in matches),
                        type(fact).__name__.lower(),
                    )

    def _texts(self, fact: Fact) -> list[str]:
        """List the texts of a fact."""
        if self._last[0] is not fact:
            self._last = fact, list(texts_of(fact, self._most, self._looked))
        return self._last[1]

    @property
    def _most(self) -> int:
        """Strings that are taken out of an argument: few, once a subject has given more than any real one."""
        return MOST if self._looked[-1] < _PLENTY else _FEW

    def _new(self, text: str) -> bool:
        """Whether a text can hold an indicator and was not looked at yet."""
        if not self._may_name(text) or _is_dotted_path(text):
            return False
        key = hash(text)
        if key in self._seen:
            return False
        if len(self._seen) < _REMEMBERED:
            self._seen.add(key)
        return True

    def _may_name(self, text: str) -> bool:
        """As `may_name`; a long text that a thousand calls share is looked through once."""
        if len(text) < _LONG:
            return may_name(text)
        key = hash(text)
        known = self._named.get(key)
        if known is None:
            known = may_name(text)
            if len(self._named) < _REMEMBERED:
                self._named[key] = known
        return known

    def described(self, finding: Finding, fact: Fact) -> Finding:
        """Give a finding the indicators of the fact it was made from, with what is known of each."""
        texts = [] if isinstance(fact, (Document, Sighting)) else self._texts(fact).copy()
        texts += [text for key in _SHOWN for text in _strings(finding.evidence.get(key))]
        if not texts and not isinstance(fact, (Document, Sighting)):
            texts = list(_strings(finding.evidence.get("code")))
        texts = [text for text in texts[:256] if self._may_name(text)]
        if not texts and not finding.indicators:
            return finding
        found = self._intelligence.indicators(texts, finding.indicators)
        return replace(finding, indicators=found) if found else finding


def may_name(text: str) -> bool:
    """Whether a text has anything that an indicator cannot do without.

    In a long text each sign is looked for by itself: that takes a third of the time of one expression for all of them.
    """
    if len(text) < _LONG:
        return _MAYBE.search(text) is not None
    return (
        (_RUN.search(text) is not None and _CODED.search(text) is not None)  # first: what is made to be long has it at once
        or any(sign in text for sign in _SIGNS)
        or (any(stop in text for stop in _STOPS) and _BETWEEN.search(text) is not None)
        or any(pattern.search(text) for pattern in _OTHERS)
        or (_DIGITS.search(text) is not None and _NUMBER.search(text) is not None)
    )


def _is_dotted_path(text: str) -> bool:
    """Whether a text is a path of names (``layer.0.weight``) that ends in no top-level domain; checkpoints hold thousands."""
    return _DOTTED.fullmatch(text) is not None and text.rpartition(".")[2].lower() not in tlds()


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value[:64]:
            yield from _strings(item)
    elif isinstance(value, dict):
        for item in list(value.values())[:64]:
            yield from _strings(item)


def _place(fact: Fact, text: str, spotted: Spotted) -> Place:
    if isinstance(fact, Document):
        return fact.place.line(fact.line + text.count("\n", 0, spotted.start))
    return fact.place
