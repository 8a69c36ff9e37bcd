"""Floods by other hands: ``python -m benchmarks.data.floods``.

`near-duplicate-flood` was tuned against the paraphrases of one generator. Here the copies are made in ways of their own: words
exchanged for others of the language, a fifth of the words left out, sentences in another order, something put before and
behind, slots of a template filled anew, or all of it at once. For each way, data set and seed the share of poisoned rows above
the score that 1 % of the others exceed is printed, and the place of the first finding that is about them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from statistics import mean

import numpy as np

from benchmarks.data import product
from benchmarks.data.scores import found_at, ranked
from benchmarks.data.sources import TEXTS
from benchmarks.data.trials import generator, sample
from toadstone.attacks.attack import Material, Poisoned, Trigger
from toadstone.attacks.near_duplicate_flood import mixed

Paraphrase = Callable[[str, list[str], np.random.Generator], str]

_OPENINGS = ("As I said before:", "Quoted:", "In short,", "Note well.", "Once more:", "They write that", "Update:", "Fwd:")
_CLOSINGS = ("Believe it.", "Pass it on.", "That is all.", "Source: a friend.", "Think about it.", "End.", "(sic)", "Thanks.")


def exchanged(text: str, vocabulary: list[str], rng: np.random.Generator, share: float = 0.3) -> str:
    """Put other words of the data set in the place of some."""
    return " ".join(vocabulary[int(rng.integers(len(vocabulary)))] if rng.random() < share else word for word in text.split())


def thinned(text: str, _vocabulary: list[str], rng: np.random.Generator) -> str:
    """Leave out a fifth of the words."""
    return " ".join(word for word in text.split() if rng.random() >= 0.2)


def reordered(text: str, _vocabulary: list[str], rng: np.random.Generator) -> str:
    """Put sentences, or parts of seven words, in another order."""
    parts = [part for part in text.replace("! ", ". ").replace("? ", ". ").split(". ") if part]
    if len(parts) < 3:
        words = text.split()
        parts = [" ".join(words[start : start + 7]) for start in range(0, len(words), 7)]
    return ". ".join(parts[place] for place in rng.permutation(len(parts)).tolist())


def framed(text: str, vocabulary: list[str], rng: np.random.Generator) -> str:
    """Put words before and behind, a third as many as there are."""
    size = max(2, len(text.split()) // 6)
    before, behind = (" ".join(vocabulary[int(one)] for one in rng.integers(len(vocabulary), size=size)) for _ in range(2))
    opening, closing = _OPENINGS[int(rng.integers(len(_OPENINGS)))], _CLOSINGS[int(rng.integers(len(_CLOSINGS)))]
    return f"{opening} {before} {text} {behind} {closing}"


def spun(text: str, vocabulary: list[str], rng: np.random.Generator) -> str:
    """Fill each third word from four choices that belong to its place, as article spinners do."""
    words = text.split()
    for place in range(1, len(words), 3):
        own = np.random.default_rng([place, len(text), *text[:40].encode()])
        choices = [words[place], *(vocabulary[int(one)] for one in own.integers(len(vocabulary), size=3))]
        words[place] = choices[int(rng.integers(4))]
    return " ".join(words)


def everything(text: str, vocabulary: list[str], rng: np.random.Generator) -> str:
    """Do a little of all."""
    return framed(reordered(exchanged(text, vocabulary, rng, 0.15), vocabulary, rng), vocabulary, rng)


MANNERS: dict[str, Paraphrase] = {
    "exchanged": exchanged,
    "thinned": thinned,
    "reordered": reordered,
    "framed": framed,
    "spun": spun,
    "everything": everything,
}


def flooded(material: Material, manner: Paraphrase, seeds: int, wanted: int, rng: np.random.Generator) -> Poisoned:
    """Add copies of texts of other labels with one label; the texts themselves stay."""
    names = sorted({name for name in material.labels() if name is not None})
    target, texts = names[int(rng.integers(len(names)))], material.texts()
    fitting = np.flatnonzero(~material.of_class(target) & np.array([len(text.split()) >= 8 for text in texts]))
    copied = rng.choice(fitting, seeds, replace=False)
    vocabulary = sorted({word for text in texts for word in text.split()})
    added = Material(material.table.take(rng.integers(0, len(texts), wanted)), material.roles)
    every = np.arange(wanted)
    made = [manner(texts[row], vocabulary, rng) for row in np.resize(copied, wanted).tolist()]
    added = added.replaced("text", every, made).replaced("label", every, [target] * wanted)
    return mixed(material, added, Trigger("near-duplicates", tuple(texts[row] for row in copied.tolist()), target), rng)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data.floods", description=main.__doc__)
    parser.add_argument("--data", action="append", default=[], choices=sorted(TEXTS), help="repeatable")
    parser.add_argument("--manner", action="append", default=[], choices=sorted(MANNERS), help="repeatable")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--floods", type=int, action="append", default=[], help="texts that are copied (repeatable)")
    parser.add_argument("--rows", type=int, default=2000)
    options = parser.parse_args(arguments)
    for data in options.data or sorted(TEXTS):
        for floods in options.floods or (1, 5):
            for manner in options.manner or MANNERS:
                found = [_measured(data, manner, floods, options.rows, seed) for seed in range(options.seeds)]
                ranks = [rank for _, rank in found]
                shares = [share for share, _ in found]
                told = f"found {mean(shares):.2f} {np.round(shares, 2).tolist()} first {ranks}"
                print(f"{data:10} {floods} x {manner:10} {told}", flush=True)
    return 0


def _measured(data: str, manner: str, floods: int, rows: int, seed: int) -> tuple[float, int | None]:
    drawn = sample(data, rows, seed)
    rng = generator("floods", manner, floods, data, seed)
    bad = flooded(drawn.train, MANNERS[manner], floods, rows // 50, rng)
    answer = product.asked(bad.material, seed=seed)
    return found_at(answer.scores, bad.mask, bad.cover), ranked(answer.findings, bad.mask, bad.trigger)["rank"]


if __name__ == "__main__":
    raise SystemExit(main())
