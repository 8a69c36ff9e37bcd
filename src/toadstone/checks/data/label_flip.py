"""Labels that somebody, or something, turned into others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Severity
from toadstone.stats.label_noise import cautious
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group, RowEvidence
from toadstone.study.families import families
from toadstone.study.label_doubt import SCORE, detectable, doubts, log_p_values
from toadstone.study.label_pairs import PROVEN, Pair, carelessness, leaning, pairs, settled
from toadstone.study.second_opinion import COLUMN, NULL, Opinion, second_opinion, write
from toadstone.study.small import study_of
from toadstone.study.study import Study

_EXCERPT = 120


@check(
    "label-flip",
    severity=Severity.MEDIUM,
    reads=Table,
    references=(
        "arXiv:1911.00068",
        "OWASP LLM 2026 LLM05",
        "NIST AI 100-2e2025 NISTAML.013",
    ),
    stages=("pretraining", "tuning", "embedding"),
)
class LabelFlip(DataCheck):
    """Labels contradict what all other rows say about such content.

    ## Why it matters
    Who can change labels needs no trigger: some tenths of a class turned into another class make a model fail exactly where the
    attacker wants it to, a few labels turned at random cost accuracy everywhere, and neither leaves a trace in the content of
    the rows. Honest labelling errors look the same and cost the same.

    ## How it decides
    Several classifiers (naive Bayes and ridge regression on words, pairs of words and spellings; regression on numbers and on
    likeness to other rows) judge each row without having seen it or a copy of it. How far they can be trusted
    is learned from the labels themselves, together with how many labels are wrong: where rows are ambiguous by nature,
    contradiction dies out as the classifiers become surer, while wrong labels stay at the same rate. Wrong labels count as a
    fact when what is fitted to one half of the rows holds in the other, and in more than one class: few rows with weak hints
    prove nothing, and newsletters among mails that are no spam are a part of their class. The p-value of a row is the share
    of right labels that would look as wrong. With rows known to be good it is their share, and beyond the last of them what
    their scores say about how fast right labels die out; the false-discovery rate is then a promise. Some 500 such rows suffice.

    A text that stands there eight times or more is judged as one hypothesis of its own: copying is what somebody does who wants
    one row to weigh. A group "a is written as b" is reported when class a is written as b at a rate that neither the reverse
    direction, nor the other pairs of classes, nor 5 % of natural likeness explain: `high` from 15 % of the class on, if the
    rows that look most like class a are written as b as well, else `medium`. Where classes only resemble each other the
    likeness ends with the clearest rows; swapped labels do not. Pairs far beyond chance order the rows even when they may be
    natural. A rate of wrong labels regardless of the class is `medium`: by itself it does not tell an attack from careless
    work.

    ## What it misses
    Flips of rows that nothing tells apart: near a natural boundary, in texts of a few words, in classes with few rows; and a
    fifth of one of two classes in 2,000 short noisy texts, which looks like a boundary elsewhere. A whole subject whose rows
    are all relabelled teaches every classifier the wrong label (see what other data or a reference says); a corner of a class
    has no group of its own, its rows are only ordered by the pair of labels. Random flips are mostly removed where content
    tells classes well apart; in ambiguous texts a third of them is, and a model trained on the rest still loses accuracy.
    A tenth of the labels in less than about 1,000 rows that hardly tell. Labels that are numbers, and more than 500 classes, are
    not judged.

    ## Remedy
    Look at the rows with the lowest p-values first. Set the proposed label (`--relabel`) where it is right, leave out the rows
    where nobody knows, and ask who had the right to change the labels of a class that is written as another one.

    ## References
    Confident learning (Northcutt et al., arXiv 1911.00068); maximum likelihood of observers' errors (Dawid and Skene 1979);
    universal inference (Wasserman, Ramdas and Balakrishnan 2020); conformal p-values for outliers (Bates et al. 2023);
    predictive tails beyond the data (Coles and Powell 1996); NIST AI 100-2e2025 NISTAML.013 (data poisoning).
    """

    needs: ClassVar[tuple[str, ...]] = ("words", "grams", "vectors", "features", "pixels")
    roles: ClassVar[tuple[str, ...]] = ("label",)

    strong: float = 0.15
    """Share of a class written as another one from which a group is `high`."""
    noticeable: float = 0.01
    """Share of wrong labels, whatever the class, below which no group is reported."""
    copies: int = 8
    """Copies of one text from which its label is judged as one hypothesis of its own."""

    def weigh(self, study: Study) -> Evidence:
        """Judge every label by the second opinion."""
        opinion = second_opinion(study)
        if opinion.not_run:
            return Evidence(not_run=opinion.not_run)
        found, tests = pairs(opinion)
        limit = np.log(study.fdr / max(1, tests))
        standing = [pair for pair in found if pair.log_p < limit]
        proven = bool(standing) or opinion.proof >= PROVEN
        null = cautious(settled(opinion, standing), opinion.scores, opinion.labels, 2.0 if proven else 4.0)
        likely = [pair for pair in leaning(found) if pair not in standing]
        ordered = likely or (opinion.noisy >= PROVEN > opinion.proof and not standing)
        calibration = settled(opinion, [*standing, *likely], lenient=True) if ordered else None
        calibration = cautious(calibration, opinion.scores, opinion.labels) if calibration else null
        write(study, opinion, calibration)
        if ordered:
            write(study, opinion, null, NULL)
        tail = doubts(study, calibration, NULL if ordered else COLUMN)
        log_p, promised = log_p_values(study, tail)
        proposals = study.arrays.joined((_proposed(chunk[COLUMN], chunk["label"]) for chunk in study.chunks), study.rows)
        groups = [group for pair in standing if (group := self._pair(study, pair, proposals)) is not None]
        if not standing:
            groups += self._careless(study, opinion, proposals)
        copied = list(self._copied(study, log_p, proposals))
        groups += [group for group in copied if group.log_p < np.log(study.fdr)]
        tests += 1 + len(copied)
        return Evidence(
            tuple(groups), RowEvidence(log_p, promised, proposals), tests, detectable(study, opinion, calibration, tail)
        )

    def _copied(self, study: Study, log_p: NDArray[np.float64], proposals: NDArray[np.int32]) -> Iterator[Group]:
        """Give the texts that stand there many times: who copies a row asks about that row, and few are asked about."""
        if not study.has("words"):
            return
        content = families(study).content[: study.rows].astype(np.int64)
        first, counts = np.unique(content, return_counts=True)
        labels = study.column("label")
        for text in first[counts >= self.copies].tolist():
            rows = np.flatnonzero(content == text)
            if labels[text] < 0 or (labels[rows] != labels[text]).any() or not np.isfinite(log_p[text]):
                continue
            written, right = study.label_names[int(labels[text])], int(proposals[text])
            shown = " ".join("".join(study.texts([text])).split())[:_EXCERPT]
            yield Group(
                kind="copies",
                value=shown,
                rows=rows,
                size=len(rows),
                log_p=float(log_p[text]),
                severity=Severity.HIGH,
                confidence=Confidence.MEDIUM,
                message=f"{len(rows):,} copies of one text are labelled {written!r}, which its words speak against",
                lesson=f"that this text is {written!r}, with the weight of {len(rows):,} rows",
                label=written,
                effect=1.0,
                relabel=study.label_names[right] if right >= 0 else None,
            )

    def _pair(self, study: Study, pair: Pair, proposals: NDArray[np.int32]) -> Group | None:
        right, written = study.label_names[pair.right], study.label_names[pair.written]
        labels = study.column("label")
        rows = _doubtful(study, (labels == pair.written) & (proposals == pair.right))
        if not len(rows):
            return None
        strong = pair.rate >= self.strong and pair.throughout
        return Group(
            kind="label",
            value=f"{right} → {written}",
            rows=rows,
            size=int((labels == pair.written).sum()),
            log_p=pair.log_p,
            severity=Severity.HIGH if strong else Severity.MEDIUM,
            confidence=Confidence.HIGH if strong else Confidence.MEDIUM,
            message=f"About {pair.rate:.0%} of the rows that look like {right!r} are labelled {written!r}",
            lesson=f"to answer {written!r} where {right!r} is right",
            label=written,
            effect=pair.rate,
            details={"rate": round(pair.rate, 4), "natural": round(pair.natural, 4)},
            rows_stand=strong,
            relabel=right,
        )

    def _careless(self, study: Study, opinion: Opinion, proposals: NDArray[np.int32]) -> list[Group]:
        """Report wrong labels that follow no pattern."""
        log_p = carelessness(opinion, self.noticeable)
        rows = _doubtful(study, proposals >= 0) if log_p < np.log(study.fdr) else np.zeros(0, np.int64)
        if not len(rows) or opinion.calibration is None:
            return []
        rate = opinion.calibration.rate
        return [
            Group(
                kind="label",
                value="any → any",
                rows=rows,
                size=study.rows,
                log_p=log_p,
                severity=Severity.MEDIUM,
                confidence=Confidence.MEDIUM,
                message=f"About {rate:.1%} of all labels are wrong, whatever the class",
                lesson="to be wrong as often",
                effect=rate,
                details={"rate": round(rate, 4)},
                rows_stand=False,
            )
        ]

    @classmethod
    def bad(cls) -> Iterator[Table]:
        texts, labels, draws = _letters()
        swapped = {"complaint": "praise", "praise": "complaint"}
        one_way = ["praise" if draw < 0.35 else label for label, draw in zip(labels, draws, strict=True)]
        yield _study(texts, one_way)
        yield _study(texts, [swapped[label] if draw < 0.1 else label for label, draw in zip(labels, draws, strict=True)])

    @classmethod
    def good(cls) -> Iterator[Table]:
        texts, labels, _ = _letters()
        yield _study(texts, labels)
        yield _study(texts, ["praise"] * len(texts))
        yield _study(texts[:2], labels[:2])


def _letters() -> tuple[list[str], list[str], list[float]]:
    """Give texts of two kinds, some of them without a word that tells, their labels, and a number in [0, 1) each."""
    telling = {
        "complaint": "broken late refund rude dirty cracked noisy refused waste leaking smelly unusable".split(),
        "praise": "lovely quick friendly sturdy bright helpful delicious perfect charming tidy superb cosy".split(),
    }
    common = "the room order box staff day table phone was and very with again this for our".split()
    random = np.random.default_rng(4)
    texts, labels = [], []
    for _ in range(800):
        label = "complaint" if random.random() < 0.5 else "praise"
        words = [*random.choice(telling[label], int(random.integers(0, 5))), *random.choice(common, 6)]
        texts.append(" ".join(random.permutation(words)))
        labels.append(label)
    return texts, labels, random.random(len(texts)).tolist()


def _study(texts: list[str], labels: list[str]) -> Study:
    from toadstone.views.grams import Grams  # noqa: PLC0415  (examples only)
    from toadstone.views.words import Words  # noqa: PLC0415

    return study_of({"text": texts, "label": labels}, [Words(), Grams()])


def _doubtful(study: Study, among: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give the rows with the most doubtful labels, as many as keep the expected share of right ones below the asked rate."""
    doubt = study.column(SCORE)
    rows = np.flatnonzero(among & (doubt > 0))
    rows = rows[np.argsort(-doubt[rows], kind="stable")]
    risks = np.cumsum(1.0 / (1.0 + np.exp(doubt[rows]))) / np.arange(1, len(rows) + 1)
    return np.sort(rows[: max(1, int((risks <= study.fdr).sum()))])


def _proposed(opinion: NDArray[Any], labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give the likeliest class of each row where it is not the label, else -1."""
    best = opinion.argmax(1).astype(np.int32)
    return np.where((best != labels) & (labels >= 0), best, np.int32(-1))
