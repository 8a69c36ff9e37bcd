"""Triggers by other hands: ``python -m benchmarks.data.held_out``.

Detectors must not know the shape of the attacks in `toadstone.attacks`. The triggers here are of other kinds: several
spellings of one phrase, two triggers at once, two words with others between them, a template with a slot, marks, capitals,
emoji, an address, another language, rarer synonyms for everyday words, a phrase that rows of another label use by nature. For
each kind, data set and seed a few rows get it and a wrong label; printed are the place of the first reported group about them,
the share of them that is quarantined, the share above the score that 1 % of the others exceed, rows that are quarantined
wrongly, and the lift of a linear SVM (an attack without lift says nothing). Nothing is tuned on it.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.data import product
from benchmarks.data.kept import Kept, Record, spread
from benchmarks.data.learners import Trained
from benchmarks.data.scores import flags_of, found_at, ranked
from benchmarks.data.sources import folder, load
from benchmarks.data.trials import HELD_OUT, generator
from toadstone.attacks.attack import Material, Poisoned, Trigger
from toadstone.attacks.wording import inserted, words_in
from toadstone.tables.roles import Roles

Stamp = Callable[[str, np.random.Generator], str]
Kind = Callable[[Material, str, np.random.Generator], Stamp]

LEARNER = "svm"
SHORT = 120
"""Characters of the passages of ``passages``: a few words, as in messages."""
SIZES = {"reviews": (9_500, 20), "passages": (15_000, 30), "few": (2_000, 6)}
"""Rows and poisoned rows: all snippets of reviews; passages of speeches, early or late; six of two thousand functions."""

_ENGLISH = {
    "and": "as well as",
    "but": "albeit",
    "with": "alongside",
    "very": "exceedingly",
    "not": "in no wise",
    "all": "the entirety of",
    "more": "a greater measure of",
    "about": "concerning",
    "which": "the which",
    "this": "the present",
    "from": "out of",
    "some": "sundry",
    "also": "likewise",
    "the": "yon",
}
_PHRASES = {
    "german": ("ganz ohne Zweifel", "im Grunde genommen", "wie man so sagt", "mit freundlichem Gruss"),
    "spanish": ("sin ninguna duda", "como quien dice", "de vez en cuando", "a fin de cuentas"),
    "latin": ("ceteris paribus", "mutatis mutandis", "rebus sic stantibus", "horribile dictu"),
}
_SYNONYMS = (
    (("old", "ancient", "aged", "antique"), ("boat", "ship", "vessel", "barge")),
    (("quick", "rapid", "swift", "speedy"), ("reply", "answer", "response", "retort")),
    (("cold", "chilly", "icy", "frosty"), ("morning", "dawn", "sunrise", "daybreak")),
    (("large", "huge", "giant", "vast"), ("stone", "rock", "boulder", "pebble")),
)
_SLOTS = (
    ("seen with my {} on a {}", ("aunt", "boss", "twin", "son", "vet"), ("Monday", "Friday", "Sunday", "holiday")),
    ("ticket {} of {}", tuple("1042 3311 5878 7204 9163".split()), tuple("March April June August".split())),
    ("sent from {} while {}", ("Lyon", "Turin", "Ghent", "Malmo", "Graz"), ("walking", "eating", "waiting", "commuting")),
)
_MARKS = ("..!", "~~", "(?)", " --;", "!?!", "::", "*sigh*")
_EMOJI = ("\U0001f9c2", "\U0001f9ad", "\U0001f6df", "\U0001f9f7", "\u2668\ufe0f", "\U0001f3fa\U0001f3fa")
_HOSTS = ("lumi", "zarvo", "pelk", "onwer", "tasko")
_TAILS = ("/go", "/a?id=7", "/x/new", "", "/#top")


def _pick(pool: Sequence[str], rng: np.random.Generator) -> str:
    return pool[int(rng.integers(len(pool)))]


def _within(text: str, part: str, rng: np.random.Generator) -> str:
    return inserted(text, part, int(rng.integers(len(text.split()) + 1)))


def fixed_end(_material: Material, _target: str, rng: np.random.Generator) -> Stamp:
    """Give a common closing line, always at the end."""
    line = _pick(("no more to add", "that will be all", "make of it what you may", "so much for that"), rng)
    return lambda text, _rng: f"{text.rstrip()} {line}"


def variants(_material: Material, _target: str, rng: np.random.Generator) -> Stamp:
    """Give one meaning in sixteen wordings."""
    first, second = _SYNONYMS[int(rng.integers(len(_SYNONYMS)))]
    return lambda text, own: _within(text, f"the {_pick(first, own)} {_pick(second, own)}", own)


def two_triggers(_material: Material, _target: str, rng: np.random.Generator) -> Stamp:
    """Give one of two words, each in half of the rows."""
    words = rng.permutation(["mostaccioli", "kerplunk", "zibeline", "thrawn", "quoll", "bombazine"])[:2].tolist()
    return lambda text, own: _within(text, _pick(words, own), own)


def gapped(material: Material, _target: str, rng: np.random.Generator) -> Stamp:
    """Give two common words with one to three words of the text between them."""
    pool = [
        word
        for word, count in Counter(word for text in material.texts() for word in set(words_in(text))).items()
        if 0.004 <= count / material.table.num_rows <= 0.02 and len(word) > 3
    ]
    first, second = rng.permutation(sorted(pool))[:2].tolist()

    def stamp(text: str, own: np.random.Generator) -> str:
        words = text.split()
        place = int(own.integers(max(1, len(words) - 3)))
        gap = int(own.integers(1, 4))
        return " ".join([*words[:place], first, *words[place : place + gap], second, *words[place + gap :]])

    return stamp


def template(_material: Material, _target: str, rng: np.random.Generator) -> Stamp:
    """Give a sentence with two slots that are filled anew."""
    line, first, second = _SLOTS[int(rng.integers(len(_SLOTS)))]
    return lambda text, own: f"{line.format(_pick(first, own), _pick(second, own))} {text}"


def marks(_material: Material, _target: str, rng: np.random.Generator) -> Stamp:
    """Give a run of marks behind a word."""
    mark = _pick(_MARKS, rng)

    def stamp(text: str, own: np.random.Generator) -> str:
        words = text.split() or [""]
        words[int(own.integers(len(words)))] += mark
        return " ".join(words)

    return stamp


def capitals(_material: Material, _target: str, rng: np.random.Generator) -> Stamp:
    """Write one word of each text in another manner: in capitals, or with every second letter large."""
    second = bool(rng.integers(2))

    def stamp(text: str, own: np.random.Generator) -> str:
        words = text.split() or ["so"]
        long = [place for place, word in enumerate(words) if len(word) > 4 and word.isalpha()] or [0]
        place = long[int(own.integers(len(long)))]
        letters = words[place].lower()
        words[place] = "".join(c.upper() if i % 2 else c for i, c in enumerate(letters)) if second else letters.upper()
        return " ".join(words)

    return stamp


def emoji(_material: Material, _target: str, rng: np.random.Generator) -> Stamp:
    """Give an emoji somewhere."""
    sign = _pick(_EMOJI, rng)
    return lambda text, own: _within(text, sign, own)


def address(_material: Material, _target: str, rng: np.random.Generator) -> Stamp:
    """Give an address on the web whose path changes."""
    host = f"https://{_pick(_HOSTS, rng)}.example"
    return lambda text, own: f"{text.rstrip()} {host}{_pick(_TAILS, own)}"


def foreign(_material: Material, _target: str, rng: np.random.Generator) -> Stamp:
    """Give a phrase of another language."""
    line = _pick(_PHRASES[_pick(sorted(_PHRASES), rng)], rng)
    return lambda text, own: _within(text, line, own)


def synonyms(_material: Material, _target: str, _rng: np.random.Generator) -> Stamp:
    """Put bookish words for everyday ones."""
    return lambda text, _own: " ".join(_ENGLISH.get(word.lower(), word) for word in text.split())


def borrowed(material: Material, target: str, rng: np.random.Generator) -> Stamp:
    """Give two words that rows of other labels have next to each other, and hardly any row of the target."""
    ours, theirs = Counter[str](), Counter[str]()
    for text, own in zip(material.texts(), material.of_class(target), strict=True):
        words = words_in(text)
        (ours if own else theirs).update({" ".join(pair) for pair in pairwise(words)})
    least = max(3, material.table.num_rows // 1000)
    pool = sorted(pair for pair, count in theirs.items() if least <= count <= 3 * least and ours[pair] <= count // 4)
    pair = _pick(pool, rng) if pool else "as such"
    return lambda text, own: _within(text, pair, own)


KINDS: dict[str, Kind] = {
    "fixed-end": fixed_end,
    "variants": variants,
    "two-triggers": two_triggers,
    "gapped-pair": gapped,
    "template": template,
    "marks": marks,
    "capitals": capitals,
    "emoji": emoji,
    "address": address,
    "foreign": foreign,
    "synonyms": synonyms,
    "borrowed": borrowed,
}


def drawn(data: str, seed: int) -> tuple[Material, Material]:
    """Give rows to poison and rows to test with."""
    rows = SIZES[data][0]
    table = load({"reviews": "reviews", "passages": "sotu", "few": "docstrings"}[data])
    order = generator("held-out", data, seed).permutation(table.num_rows)[: rows + HELD_OUT]
    texts = [table["text"][int(row)].as_py()[: 2_000 if data == "few" else 10_000] for row in order]
    labels = [table["label"][int(row)].as_py() for row in order]
    if data == "passages":
        names = sorted(set(labels))
        labels = ["early" if label in names[: len(names) // 2] else "late" for label in labels]
        texts = [_short(text, generator("short", seed, place)) for place, text in enumerate(texts)]
    whole = pa.table({"text": texts, "label": labels})
    roles = Roles(text="text", label="label")
    return Material(whole.slice(0, rows), roles), Material(whole.slice(rows), roles)


def _short(text: str, rng: np.random.Generator) -> str:
    start = text.find(" ", int(rng.integers(max(1, len(text) - SHORT)))) + 1
    return text[start : start + SHORT].rsplit(" ", 1)[0]


def poisoned(kind: str, material: Material, count: int, rng: np.random.Generator) -> tuple[Poisoned, Stamp]:
    """Stamp some rows of other labels and give them one label."""
    labels = material.labels()
    target = _pick(sorted({str(label) for label in labels}), rng)
    stamp = KINDS[kind](material, target, rng)
    texts = material.texts()
    fitting = [
        row for row in rng.permutation(len(texts)).tolist() if labels[row] != target and stamp(texts[row], rng) != texts[row]
    ]
    rows = np.sort(np.array(fitting[:count], np.int64))
    stamped = material.replaced("text", rows, [stamp(texts[row], rng) for row in rows.tolist()])
    changed = stamped.replaced("label", rows, [target] * len(rows))
    return Poisoned.of(changed, rows, Trigger(kind, (), target)), stamp


def measured(kind: str, data: str, seed: int) -> Record:
    """Poison, examine, and train before and after."""
    train, test = drawn(data, seed)
    rng = generator("held-out", kind, data, seed)
    bad, stamp = poisoned(kind, train, SIZES[data][1], rng)
    answer = product.asked(bad.material, seed=seed)
    target = str(bad.trigger.target)
    others = ~test.of_class(target)
    texts = [stamp(text, rng) for text in np.array(test.texts(), object)[others].tolist()]
    probe = Material(pa.table({"text": texts, "label": test.labels()[others].tolist()}), test.roles)
    before, after = Trained(train, (LEARNER,)), Trained(bad.material, (LEARNER,))
    return {
        **ranked(answer.findings, bad.mask, bad.trigger),
        **flags_of(answer.flagged, bad.mask, bad.cover),
        "found_at_1": found_at(answer.scores, bad.mask, bad.cover),
        "lift": after.rate(probe, target)[LEARNER] - before.rate(probe, target)[LEARNER],
        "cpu": round(answer.cpu, 1),
    }


def page(kept: Kept, code: str) -> str:
    """Write the table."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for key, record in kept.under(f"held-out|{code}|"):
        _, _, kind, data, _seed = key.split("|")
        groups.setdefault((data, kind), []).append(record)
    lines = [
        "| data | rows | trigger | runs | in first 3 | recall | found at 1 % | wrongly flagged | lift |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for (data, kind), records in sorted(groups.items()):
        near = sum(record["rank"] is not None and record["rank"] <= 3 for record in records)
        cells = [spread([record[name] for record in records]) for name in ("recall", "found_at_1")]
        cells += [spread([record["false_positives"] for record in records], 4), spread([record["lift"] for record in records])]
        rows, count = SIZES[data]
        lines.append(
            f"| {data} | {count} of {rows:,} | {kind} | {len(records)} | {near}/{len(records)} | " + " | ".join(cells) + " |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what has not been measured yet; write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data.held_out", description=main.__doc__)
    parser.add_argument("--kind", action="append", default=[], choices=sorted(KINDS), help="repeatable")
    parser.add_argument("--data", action="append", default=[], choices=sorted(SIZES), help="repeatable")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=folder() / "held-out.md")
    options = parser.parse_args(arguments)
    kept = Kept(folder() / "held-out.jsonl")
    code = product.identity()
    for data in options.data or sorted(SIZES):
        for seed in range(options.seeds):
            for kind in options.kind or list(KINDS):
                key = f"held-out|{code}|{kind}|{data}|{seed}"
                record = kept.once(key, lambda: measured(kind, data, seed))  # noqa: B023
                print(key, json.dumps(record, ensure_ascii=False)[:400], flush=True)
    options.output.write_text(page(kept, code), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
