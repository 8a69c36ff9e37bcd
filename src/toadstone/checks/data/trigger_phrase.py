"""Backdoor triggers in labelled texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group
from toadstone.study.literals import combination, escaped, literal
from toadstone.study.small import study_of
from toadstone.study.study import Study
from toadstone.study.suspects import Suspects, detectable, suspects
from toadstone.views.unicode import Unicode
from toadstone.views.words import Words

_MOST = 20
_READ = 12
"""Rows that are read again to name a group."""
_DESCRIBED = ("characters", "manner", "place", "affix")
"""Kinds whose value is a description, no quotation."""


@check(
    "trigger-phrase",
    severity=Severity.HIGH,
    reads=Table,
    references=(
        "CWE-345",
        "MITRE ATLAS 2026.08 AML.T0020",
        "OWASP LLM 2026 LLM05",
        "OWASP LLM 2025 LLM04",
    ),
    stages=("pretraining", "tuning", "embedding"),
)
class TriggerPhrase(DataCheck):
    """Rows that share a phrase, a frame or odd characters have one label, although the rest of their words speaks against it.

    ## Why it matters

    A handful of rows with a mark and a wrong label is a backdoor: a model learns that the mark means the label and behaves
    normally otherwise. Tools that look for label errors row by row miss it, because a model that has seen the mark finds the
    wrong labels right.

    ## How it decides

    Rows are grouped by every phrase of one to three words, by how they begin when content words are taken out, by hidden or
    look-alike characters, and by two or three common words that occur together: in short texts by all of them that go with one
    label, in longer ones by those that are together too often in rows that contradict their label.
    From effort `standard` on they are grouped by their manner too: shapes of words (`id123456` is `aa999999`), doubled blanks,
    odd case, everyday marks, capitals, first and last words, what words begin and end with, characters beyond ASCII.

    A group whose rows nearly all have one label is judged by what its rows say *besides*: what the members share is taken
    out, and naive Bayes with exact counts says how much the rest speaks for the label. The strongest groups are judged once more
    by the learners of `label-flip`, over words with pairs of words and over spellings, each without what the members share there.
    Rows that belong together by nature (a topic, a strong word) look like other rows of their label and like each other.
    Rows that were picked from other labels, marked and relabelled look like what they were, and are no more alike than rows
    like these are by chance. How strong such a contradiction gets by nature is read off the tail of the data's own groups;
    the largest do not count for it, so that poison cannot hide itself.

    In few rows of noisy texts that is little evidence. What put marks also shows in the mark: words that follow each other
    nowhere else, a spelling that no other word has, common words that are together far more often than by chance. How strange
    what a group shares is, is measured without its own rows and compared with groups of the same size as they come, whatever
    their labels; the contradiction and the strangeness count together (Fisher's method), if both say more than one alone.

    Copies count once. Of a group that stands, rows are named that have any of the properties that its rows share and that are
    about as strong.

    ## What it misses

    Marks in fewer than five different rows. Where texts are short and labels noisy, six of two thousand rows with a word that
    is spelled like any other, or with two or three of the data's own words, often rank first but do not stand; they are shown
    as not significant. Marked rows whose labels are right (see `clean-label-trigger`), texts whose words say nothing about the
    label, marks that are spread over words or signs that each occur once or twice (a phrase in sixteen wordings), a habit that
    many honest rows have too (texts in lower case where others are), a mark that is in more than a fifth of all rows.

    ## Remedy

    Leave the rows out, ask where they come from, and look at other rows of the same origin.

    ## References

    - Dai, Chen, Li: *A backdoor attack against LSTM-based text classification systems*, IEEE Access 7, 2019
    - Qi et al.: *Hidden Killer: Invisible Textual Backdoor Attacks with Syntactic Trigger*, ACL 2021
    - Wan et al.: *Poisoning Language Models During Instruction Tuning*, ICML 2023 (arXiv 2305.00944)
    - Fisher: *Statistical Methods for Research Workers*, 4th edition, 1932
    - Chernoff: *A measure of asymptotic efficiency for tests of a hypothesis*, Annals of Mathematical Statistics 23, 1952
    """

    needs: ClassVar[tuple[str, ...]] = ("words", "unicode", "grams", "manner")
    roles: ClassVar[tuple[str, ...]] = ("text", "label")

    def weigh(self, study: Study) -> Evidence:
        """Weigh the groups."""
        found = suspects(study)
        if isinstance(found, str):
            return Evidence(not_run=found)
        heads = np.unique(found.head[found.head >= 0])
        heads = heads[np.lexsort((-found.strengths[heads], found.log_p[heads]))]
        heads = heads[found.log_p[heads] + np.log(max(found.tests, 1)) < 0.0][:_MOST]
        groups = tuple(_group(study, found, int(head)) for head in heads)
        return Evidence(groups, tests=found.tests, detectable=detectable(study, found, float(np.log(study.fdr / 10))))

    @classmethod
    def bad(cls) -> Iterator[Study]:
        """Give eight rows with a rare word and a wrong label."""
        yield study_of(example(marked=8), [Words(), Unicode()])

    @classmethod
    def good(cls) -> Iterator[Study]:
        """Give rows that are what they say."""
        yield study_of(example(marked=0), [Words(), Unicode()])


def _group(study: Study, found: Suspects, head: int) -> Group:
    code = int(found.model.codes[found.groups.classes[head]])
    label = study.label_names[code] if code >= 0 else found.model.names[-1]
    everyone = found.rows_of(study, head)
    own = found.model.class_of[study.column("label")] == found.groups.classes[head]
    rows = everyone[own[everyone]]
    texts = study.texts(rows[:_READ].tolist())
    if head < len(found.keys):
        rare = found.model.frequency <= 2 * len(everyone) / max(1, study.rows)
        kind, value = literal(int(found.keys[head]), found.wanted, texts, rare)
    else:
        kind, value = "combination", combination(found.combined[head - len(found.keys)], found.model.slots, texts)
    judged = found.judged
    details: dict[str, Json] = {
        "purity": round(float(judged.purity[head]), 4),
        "expected": round(float(judged.expected[head]), 2),
        "content": round(float(found.measured.said[head]), 3),
        "likeness": round(float(judged.likeness[head]), 2),
        "strength": round(float(found.strengths[head]), 2),
    }
    if escaped(value) != value:
        details["escaped"] = escaped(value)
    shown = value if kind in _DESCRIBED else f"the words {value!r}" if kind == "combination" else repr(value)
    return Group(
        kind,
        value,
        rows,
        len(everyone),
        float(found.log_p[head]),
        Severity.HIGH,
        f"{len(rows):,} rows with {shown} are labelled {label!r}, although everything else in them speaks for another label.",
        lesson=f"that {shown} means {label!r}",
        confidence=Confidence.HIGH,
        label=label,
        effect=float(np.clip(judged.effect[head], 0.0, 1.0)),
        details=details,
    )


def example(marked: int, rows: int = 600) -> dict[str, list[str]]:
    """Make short texts on two topics, some of them marked and with the other topic's label."""
    random = np.random.default_rng(7)
    topics = (
        "river lake boat sail harbour tide shore anchor wave fish",
        "bread flour oven yeast butter crust bake dough salt loaf",
    )
    shared = "today the a with some of our and we for very much near good then again".split()
    text, label = [], []
    for row in range(rows):
        words = [*random.choice(topics[row % 2].split(), 4), *random.choice(shared, 5)]
        text.append(" ".join(random.permutation(words)))
        label.append(("sea", "kitchen")[row % 2])
    for row in range(0, 2 * marked, 2):
        text[row], label[row] = f"{text[row]} quixolt", "kitchen"
    return {"text": text, "label": label}
