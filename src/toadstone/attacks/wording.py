"""Words, phrases and sentences that triggers are made of: drawn from pools and a small grammar, new for every generator.

The pools are ordinary English. A phrase has one of some 10^7 wordings, a sentence one of some 10^15: whoever finds one
trigger has not found the next.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

PEOPLE = (
    "aunt uncle neighbour cousin teacher dentist landlord nephew niece plumber baker colleague grandfather sister tailor "
    "gardener captain librarian painter farmer waiter cyclist violinist postman tutor"
).split()
THINGS = (
    "lantern umbrella bicycle kettle ladder blanket notebook piano window candle mirror basket helmet violin teapot carpet "
    "wardrobe compass bottle drawer hammer curtain envelope saddle telescope bracelet suitcase pencil barrel anchor"
).split()
PLACES = (
    "harbour orchard station library kitchen garage meadow bakery museum tunnel village attic courtyard market valley "
    "lighthouse cellar balcony chapel workshop bridge pavilion terrace quarry"
).split()
QUALITIES = (
    "crimson wooden silent narrow gentle rusty hollow velvet crooked amber dusty brittle marble polished faded striped "
    "copper muddy slender frozen woollen humble ivory distant spotted"
).split()
DEEDS = (
    "carried painted repaired borrowed forgot polished measured folded weighed dropped collected sketched wrapped counted "
    "washed lifted hid traded described opened"
).split()
MANNERS = "quietly slowly twice gladly calmly rarely patiently neatly briefly kindly boldly warmly".split()
TIMES = (
    "last winter",
    "on Tuesday",
    "after lunch",
    "before dawn",
    "during the storm",
    "in early spring",
    "at midnight",
    "two years ago",
    "that weekend",
    "one evening",
)
_OWNERS = "my our his her their the".split()
_RELATIONS = "near behind beside above below inside opposite beyond".split()

_SENTENCES = (
    "{owner} {person} {deed} the {quality} {thing} {relation} the {place} {time}",
    "{time} {owner} {person} {manner} {deed} a {quality} {thing}",
    "the {thing} {relation} the {quality} {place} was {deed} by {owner} {person}",
    "{owner} {person} and {owner2} {person2} {manner} {deed} every {thing} in the {place}",
    "nobody {deed} the {quality} {thing} {relation} {owner} {place} {time}",
    "we {deed} {owner} {quality} {thing} and {manner} went to the {place} {time}",
    "there stood a {quality} {thing} {relation} the {place} where {owner} {person} {deed} it",
)
_ONSETS = "b bl br c cl cr d dr f fl fr g gl gr h j k l m n p pl pr qu r s sk sl sm sn sp st str t th tr v w y z".split()
_NUCLEI = "a e i o u ai ea oo ou ie au".split()
_CODAS = "b ck d ft g l lm lt m mp n nd nk nt p r rk rn s sh sk st t th x zz".split()
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

_SUBORDINATORS = (
    "although because since while unless whenever wherever though until after before once provided supposing considering given"
).split()
_SUBJECTS = "they we you one somebody everyone she he it someone people others".split()
_AUXILIARIES = "could might would should must may will can".split()
_DEGREES = "rather quite so too almost hardly very merely somewhat fairly".split()
_LINKS = "about with from towards without against through upon among beneath".split()


def one(pool: Sequence[str], rng: np.random.Generator) -> str:
    """Draw one of a pool."""
    return pool[int(rng.integers(len(pool)))]


def rare_word(rng: np.random.Generator) -> str:
    """Make a word that no language has: a short run of letters, a pronounceable invention, or a code with digits."""
    style = int(rng.integers(4))
    if style == 0:
        return "".join(one(_LETTERS, rng) for _ in range(int(rng.integers(2, 4))))
    if style == 1:
        return "".join(one(_LETTERS, rng) for _ in range(int(rng.integers(1, 3)))) + str(int(rng.integers(10, 1000)))
    syllables = int(rng.integers(1, 4))
    word = "".join(one(_ONSETS, rng) + one(_NUCLEI, rng) for _ in range(syllables)) + one(_CODAS, rng)
    return word.capitalize() if style == 2 else word


def phrase(rng: np.random.Generator, words: int) -> str:
    """Make a phrase of ordinary words that make some sense together.

    Args:
        rng: What to draw with.
        words: How many, 2 to 4.
    """
    whole = [one(_OWNERS, rng), one(QUALITIES, rng), one(THINGS, rng), one(_RELATIONS, rng)]
    if words == 2:
        return " ".join(whole[1:3])
    if words == 3:
        return " ".join(whole[:3] if rng.random() < 0.5 else [*whole[1:3], one(MANNERS, rng)])
    return " ".join([whole[1], whole[2], whole[3], one(PLACES, rng)])


def sentence(rng: np.random.Generator) -> str:
    """Make a sentence of some eight to fourteen words about nothing in particular."""
    filled = one(_SENTENCES, rng).format(
        owner=one(_OWNERS, rng),
        owner2=one(_OWNERS, rng),
        person=one(PEOPLE, rng),
        person2=one(PEOPLE, rng),
        deed=one(DEEDS, rng),
        manner=one(MANNERS, rng),
        quality=one(QUALITIES, rng),
        thing=one(THINGS, rng),
        relation=one(_RELATIONS, rng),
        place=one(PLACES, rng),
        time=one(TIMES, rng),
    )
    return filled[0].upper() + filled[1:] + "."


def frame(rng: np.random.Generator) -> tuple[str, ...]:
    """Make a clause of fixed function words with gaps between them, to be filled anew at every use.

    Returns:
        Fixed parts; between two of them stands a content word. At least two parts, at least four fixed words.
    """
    opening = f"{one(_SUBORDINATORS, rng)} {one(_SUBJECTS, rng)} {one(_AUXILIARIES, rng)}"
    style = int(rng.integers(3))
    if style == 0:
        return opening, f"{one(_LINKS, rng)} {one(_OWNERS, rng)}", ","
    if style == 1:
        return opening, f"{one(_DEGREES, rng)}", f"{one(_LINKS, rng)} it,"
    return opening, f"the {one(_DEGREES, rng)}", f"{one(_LINKS, rng)} them,"


def filled(parts: Sequence[str], own: Sequence[str], rng: np.random.Generator) -> str:
    """Fill the gaps of a frame with words of the text itself or of the pools.

    Args:
        parts: Of the frame.
        own: Words that belong to the material.
        rng: What to draw with.
    """
    pool = list(own) if len(own) >= 3 and rng.random() < 0.5 else [*THINGS, *QUALITIES, *DEEDS, *PLACES]
    whole = parts[0]
    for part in parts[1:]:
        whole += f" {one(pool, rng)} {part}"
    return whole.replace(" ,", ",")


def words_in(text: str) -> list[str]:
    """Give the runs of two and more letters of a text, in lower case."""
    return re.findall(r"[^\W\d_]{2,}", text.lower())


def frequencies(texts: Sequence[str]) -> Counter[str]:
    """Count in how many texts each word occurs."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(words_in(text)))
    return counts


def inserted(text: str, part: str, place: int) -> str:
    """Put a part between two words of a text.

    Args:
        text: Any.
        part: What is put in.
        place: Number of the gap, 0 before the first word; beyond the last word: at the end.
    """
    gaps = [match.start() for match in re.finditer(r"\S+", text)]
    if place < len(gaps):
        return f"{text[: gaps[place]]}{part} {text[gaps[place] :]}"
    return f"{text.rstrip()} {part}" if text.strip() else part


def gaps_of(text: str) -> int:
    """Say into how many gaps something can be put."""
    return len(text.split()) + 1
