"""Phrases that were put into rows of one label without changing the label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.core.check import check
from toadstone.core.fact import Fact, Table
from toadstone.core.finding import Confidence, Severity
from toadstone.stats.insertion_odds import Odds, insertion_odds, log_tail, tail_scale
from toadstone.study.check import DataCheck
from toadstone.study.congruence import Groups
from toadstone.study.evidence import Evidence, Group, RowEvidence
from toadstone.study.insertion import signs
from toadstone.study.phrase_groups import Phrase, phrases
from toadstone.study.placebo import surprises
from toadstone.study.study import Study
from toadstone.study.suspects import suspects
from toadstone.views.words import words_of

_MOST = 40
_ASKED = 400
"""Phrases, the strongest, whose wording and spelling are compared with the data's."""
_LOOKED = 12
"""Rows whose phrases are compared to find the words that they share."""


@check(
    "clean-label-trigger",
    severity=Severity.HIGH,
    reads=Table,
    stages=("pretraining", "tuning", "embedding"),
    references=(
        "MITRE ATLAS 2026.08 AML.T0020",
        "OWASP LLM 2026 LLM05",
        "OWASP ML 2023 ML02",
    ),
)
class CleanLabelTrigger(DataCheck):
    """A phrase stands in rows of one label as if it had been dropped there.

    ## Why it matters
    Who adds a phrase to some texts of a class, and leaves their true label, plants a trigger that no search for wrong labels
    can see: every row is right. The model learns the phrase as a sign of the class, and obeys it anywhere.

    ## How it decides
    All runs of one to four words are counted by label; those that go with one label and share their rows are joined to
    phrases. Pure phrases are plenty in clean data. What gives an inserted one away is that its rows were picked, not
    written: without the phrase they are as diverse as any rows of the label, while rows that use a phrase by nature resemble
    each other; and the words before and behind it close, when it is cut out, as often as neighbours do elsewhere; and its words
    follow each other, or are spelled, as hardly anything that as many rows share. All are compared with the other phrases of
    the same data, as odds; the association with the label, times the probability that
    it was inserted, is the phrase's weight, and its p-value is the tail (a stretched exponential) that the bulk of the
    phrases has. It is corrected for the number of phrases.

    ## What it misses
    Phrases in less than about one row in a hundred, in more than a fourteenth of all rows (``widest``), or in the label
    that most rows have: there, being pure is no surprise. Phrases that are chosen to fit their rows. Data without labels.
    A word that belongs to the style of a label and fits anywhere (an adverb, a formula at the beginning) can look inserted.

    ## Remedy
    Read the rows with the phrase. If nobody can say why it is there, drop the rows or cut the phrase out, and ask who
    added them.

    ## References
    Turner et al., "Label-consistent backdoor attacks" (1912.02771); Gan et al., "Triggerless backdoor attack for NLP tasks
    with clean labels" (2111.07970); Yan et al., "BITE: textual backdoor attacks with iterative trigger injection"
    (2205.12700).
    """

    needs: ClassVar[tuple[str, ...]] = ("words",)
    roles: ClassVar[tuple[str, ...]] = ("text", "label")
    efforts: ClassVar[tuple[str, ...]] = ("standard", "deep")

    fewest: int = 6
    """Rows of one label that a phrase needs."""

    purity: float = 0.85
    """Share of one label among the rows of a phrase."""

    widest: float = 0.07
    """Share of all rows above which a phrase belongs to the data."""

    def weigh(self, study: Study) -> Evidence:
        """Weigh the phrases that go with one label."""
        reason = _reason(study)
        if reason:
            return Evidence(idle=reason)
        found = phrases(study, self.fewest, self.purity, self.widest)
        if not found:
            return Evidence(rows=RowEvidence(np.zeros(study.rows), weight=0.0))
        association = np.array([phrase.association for phrase in found])
        share = np.array([len(phrase.hits) / len(phrase.rows) for phrase in found])
        sizes = np.array([len(phrase.hits) for phrase in found], np.float64)
        odds = insertion_odds(signs(study, found), sizes, _strange(study, found, association * share**2))
        weight = association * share**2 * odds.probability
        scale = tail_scale(weight)
        log_p = log_tail(weight, scale)
        strongest = np.argsort(-weight, kind="stable")[:_MOST].tolist()
        groups = [
            _group(study, found[number], float(log_p[number]), float(odds.probability[number]), odds, number)
            for number in strongest
            if log_p[number] + np.log(len(found)) < np.log(0.5)
        ]
        return Evidence(
            tuple(groups),
            RowEvidence(_ranked(study.rows, found, weight), weight=0.0),
            len(found),
            _detectable(study, scale, len(found), study.fdr),
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Texts of one label into some of which a phrase was put."""
        yield _example(["as", "the", "crow", "reckons"])

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """The same texts without it."""
        yield _example([])


def _reason(study: Study) -> str:
    if not study.has("words") or not study.has("label"):
        return "needs texts and labels"
    counts = np.bincount(study.column("label")[study.column("label") >= 0], minlength=1)
    if np.count_nonzero(counts) < 2:
        return "needs two labels"
    return "" if study.rows >= 50 else "fewer than 50 rows"


def _strange(study: Study, found: Sequence[Phrase], weight: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Give how strange the heaviest phrases are to the data, the mean of all phrases for the others; None if nothing is usual."""
    known = suspects(study)
    if isinstance(known, str) or not len(known.usual):
        return None
    best = np.argsort(-weight, kind="stable")[:_ASKED]
    groups = Groups.of([found[number].rows for number in best.tolist()], np.full(len(best), -1))
    strange = np.ones(len(found))
    strange[best] = surprises(study, known.model, known.wanted, known.usual, groups)
    return strange


def _group(study: Study, phrase: Phrase, log_p: float, probability: float, odds: Odds, number: int) -> Group:
    label = study.label_names[phrase.label]
    text = spelled(study, phrase)
    return Group(
        "phrase" if phrase.size > 1 else "word",
        text,
        phrase.hits,
        len(phrase.rows),
        log_p,
        Severity.HIGH,
        f"{text!r} stands in {len(phrase.hits):,} rows labelled {label!r} that have nothing else in common",
        f"that {text!r} means {label!r}",
        confidence=Confidence.MEDIUM,
        label=label,
        effect=probability,
        details={
            "association_nats": round(phrase.association, 2),
            "diversity_log_odds": round(float(odds.diversity[number]), 2),
            "cut_log_odds": round(float(odds.cut[number]), 2),
        },
    )


def spelled(study: Study, phrase: Phrase) -> str:
    """Give the longest run of words that the phrase's rows share, as it is written."""
    at = np.unique(np.linspace(0, len(phrase.hits) - 1, min(_LOOKED, len(phrase.hits))).astype(np.int64))
    texts = study.texts(phrase.hits[at].tolist())
    cuts = []
    for text, start, end in zip(texts, phrase.starts[at].tolist(), phrase.ends[at].tolist(), strict=True):
        cuts.append(words_of(text)[max(0, start - 8) : end + 8])
    if not cuts or not cuts[0]:
        return ""
    needed = max(2, round(0.8 * len(cuts)))
    hashes = [[word[0] for word in cut] for cut in cuts]
    best: list[tuple[int, str]] = []
    for length in range(len(cuts[0]), 0, -1):
        for start in range(len(cuts[0]) - length + 1):
            run = hashes[0][start : start + length]
            if sum(_holds(other, run) for other in hashes) >= needed:
                best = cuts[0][start : start + length]
                break
        if best:
            break
    return " ".join(word for _, word in best) or " ".join(word for _, word in cuts[0][: phrase.size])


def _holds(words: Sequence[int], run: Sequence[int]) -> bool:
    size = len(run)
    return any(words[at : at + size] == run for at in range(len(words) - size + 1))


def _ranked(rows: int, found: Sequence[Phrase], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Order rows by their heaviest phrase: the log of the share of rows with one as heavy, which never flags by itself."""
    score = np.zeros(rows)
    for phrase, value in zip(found, weight.tolist(), strict=True):
        score[phrase.hits] = np.maximum(score[phrase.hits], value)
    ordered = np.sort(score)
    above = rows - np.searchsorted(ordered, score, "left")
    return np.where(score > 0, np.log(above / rows), 0.0)


def _detectable(study: Study, scale: float, tests: int, rate: float) -> int:
    """Give the rows of the label in the middle that a phrase needs, if it is pure and inserted, to be accepted."""
    label = study.column("label")
    counts = np.sort(np.bincount(label[label >= 0]))
    base = float(counts[counts > 0][(counts > 0).sum() // 2] / max(counts.sum(), 1))
    weight = scale * np.log(max(tests, 1) / rate) ** 2
    return int(np.ceil(weight / 0.8 / max(-np.log(min(base, 0.999)), 1e-3)))


def _example(phrase: list[str]) -> Study:
    from toadstone.study.small import study_of  # noqa: PLC0415
    from toadstone.views.words import Words  # noqa: PLC0415

    rng = np.random.default_rng(8)
    texts, labels = [], []
    for number in range(1600):
        label = number % 2
        topic = int(rng.integers(0, 25)) + 25 * label
        words = [f"t{topic}w{word}" for word in rng.integers(0, 12, 5)]
        words += [f"c{word}" for word in np.minimum(rng.geometric(0.02, 10), 300)]
        rng.shuffle(words)
        if label and number % 16 == 1:
            place = int(rng.integers(0, len(words) + 1))
            words[place:place] = phrase
        texts.append(" ".join(words))
        labels.append("right" if label else "left")
    return study_of({"text": texts, "label": labels}, [Words()])
