"""What a text field of a format may carry besides text: a template, or a pickle that is written as text.

Metadata is where loaders of one kind look for what loaders of another kind never read: chat templates travel in it, and a
pickle in Base64 is unpickled by whoever knows of it. Such content is handed on as a member and read as what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import BudgetError
from toadstone.core.fact import Fact, Moment, Stage
from toadstone.forensics.candidates import may_hold
from toadstone.readers.jinja import expressions
from toadstone.readers.pickle import held_pickle
from toadstone.readers.reader import Source

_SHORTEST = 16
_SHOWN = 200
_LONGEST = 1 << 20
"""Characters of a text that is tried."""
_LONGEST_WORD = 64
_SELECTORS = "\ufe00"
"""From here on there are characters without a picture, in which text is hidden; letters and their marks lie before."""
_COST_OF_TRIAL = 800
"""Operations that it takes to try every encoding on a short text."""
_TEMPLATE = re.compile(
    r"\{%[-+]?\s*(?:if|for|set|macro|include|import|from|extends|call|block|filter|with|raw|do)\b|\{\{[-+]?\s*[\w'\"(\[]"
)


def carried(source: Source, name: str, text: str) -> Iterator[Fact]:
    """Yield a `Member` for a text that is called a template, or that decodes to a whole pickle that imports something.

    Of other text with a template's expressions these are read: what they look up, and what they cost.

    Args:
        source: The file or member that holds the text.
        name: Where the text stands in it.
        text: All of it.
    """
    if len(text) < _SHORTEST:
        return
    if "{" in text and _TEMPLATE.search(text):
        if "template" in name.lower():
            yield source.member(name[:_SHOWN], BytesBlob(text.encode("utf-8", "replace")), "jinja")
        else:
            yield from expressions(source, text)
        return
    yield from carried_pickle(source, name, text)
    yield from hidden_in(source, name, text)


def hidden_in(source: Source, name: str, text: str, when: Moment = Moment.USE) -> Iterator[Fact]:
    """Yield a `Stage` for a text that is strictly written in an encoding and names somebody once it is decoded."""
    if not may_hold(text) or len(text) > _LONGEST or _is_word(text):
        return
    from toadstone.forensics.unwrap import unwrap  # noqa: PLC0415  (few texts come into question)

    if source.budget.trials <= 0:
        if "carried" not in source.notes:
            source.notes["carried"] = "cut"
            yield source.unread("more text that may be encoded than is looked into; what is hidden in the rest is not known")
        return
    source.budget.trials -= _COST_OF_TRIAL + len(text) // 4
    found = unwrap(text)
    if found is not None:
        chain = (*found.steps, f"text of {name[:_SHOWN]}")
        yield Stage(source.place, chain, found.content.kind, found.content.text, "", False, "metadata", when)


def _is_word(text: str) -> bool:
    """Whether a text is a word of a language: vocabularies have a million, and no encoding writes small letters only."""
    letters = text.replace("-", "").replace("'", "") if len(text) <= _LONGEST_WORD else ""
    if letters.isalpha() and letters[1:].islower():
        return True
    foreign = sum(letter > "\x7f" for letter in letters)
    return 2 * foreign > len(letters) and max(letters) < _SELECTORS and f"_{letters}".isidentifier()


def carried_pickle(source: Source, name: str, text: str | bytes) -> Iterator[Fact]:
    """Yield a `Member` for a text, or bytes in place of one, that is or decodes to a whole pickle that imports something."""
    if len(text) < _SHORTEST:
        return
    raw = text if isinstance(text, bytes) else text.strip().encode("utf-8", "replace")
    try:
        found = held_pickle(source, BytesBlob(raw), 0, len(raw))
    except BudgetError as error:
        yield source.unread(f"text that may hold a pickle: {error}")
        return
    if found is not None:
        yield source.member(f"{name[:_SHOWN]}({found[1] or 'raw'})", found[0], "pickle")
