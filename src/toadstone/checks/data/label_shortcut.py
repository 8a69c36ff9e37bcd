"""Honest features of the data that a model may learn in place of its task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Severity
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group
from toadstone.study.literals import literal
from toadstone.study.shortcuts import Shortcuts, shortcuts
from toadstone.study.small import study_of
from toadstone.study.study import Study
from toadstone.views.unicode import Unicode
from toadstone.views.words import Words

_MOST = 5
_READ = 12


@check(
    "label-shortcut",
    severity=Severity.LOW,
    reads=Table,
    references=(
        "CWE-1426",
        "OWASP LLM 2026 LLM05",
        "OWASP LLM 2025 LLM04",
    ),
    stages=("pretraining", "tuning", "embedding"),
)
class LabelShortcut(DataCheck):
    """A phrase nearly always comes with one label, more than the rest of its rows explains.

    ## Why it matters

    A model learns the easiest way to the label. When a mailing list's signature, a template or a header is in hundreds of
    rows with one label, it learns the signature, does well on held-out rows of the same data and fails elsewhere; and whoever
    writes the signature under another text chooses the answer. That is no attack, and nothing is quarantined.

    ## How it decides

    Of all phrases in at least ten rows and 0.5 % of the data, of which 97 % have one label, a naive Bayes model that was
    fitted without the phrase's rows says how many would have the label by their other words. Reported are those where that
    explains less than 70 % of them, by five standard deviations and far beyond what is usual among such phrases of the same
    data, while the rows otherwise look like others of the label (when they do not, see `trigger-phrase`).

    ## What it misses

    Shortcuts that are not phrases (length, layout, style), and strong words of the task itself are reported too when a
    few of them decide the label: a person has to say which is which.

    ## Remedy

    Take signatures, headers and templates out of the text, or add rows with the same phrase and other labels.

    ## References

    - Geirhos et al.: *Shortcut learning in deep neural networks*, Nature Machine Intelligence 2, 2020
    - Gururangan et al.: *Annotation Artifacts in Natural Language Inference Data*, NAACL 2018
    """

    needs: ClassVar[tuple[str, ...]] = ("words", "unicode")
    roles: ClassVar[tuple[str, ...]] = ("text", "label")

    def weigh(self, study: Study) -> Evidence:
        """Weigh the phrases."""
        if study.effort == "quick":
            return Evidence(idle="shortcuts are looked for from effort `standard` on")
        found = shortcuts(study)
        if isinstance(found, str):
            return Evidence(not_run=found)
        return Evidence(tuple(_group(study, found, int(one)) for one in found.chosen[:_MOST]), tests=found.tests)

    @classmethod
    def bad(cls) -> Iterator[Study]:
        """Give rows of which one label's often have a signature."""
        yield study_of(example(signed=60), [Words(), Unicode()])

    @classmethod
    def good(cls) -> Iterator[Study]:
        """Give the same rows without one."""
        yield study_of(example(signed=0), [Words(), Unicode()])


def _group(study: Study, found: Shortcuts, one: int) -> Group:
    rows = found.groups.rows_of(one)
    code = int(found.model.codes[found.groups.classes[one]])
    label = study.label_names[code] if code >= 0 else found.model.names[-1]
    own = rows[found.model.class_of[study.column("label")][rows] == found.groups.classes[one]]
    kind, value = literal(int(found.keys[one]), found.wanted, study.texts(own[:_READ].tolist()))
    judged = found.judged
    explained = float(judged.expected[one] / max(judged.sizes[one], 1))
    return Group(
        kind,
        value,
        own,
        len(rows),
        float(found.log_p[one]),
        Severity.LOW if len(rows) >= 0.02 * study.rows else Severity.INFO,
        f"{judged.purity[one]:.0%} of the {len(rows):,} rows with {value!r} are labelled {label!r};"
        f" their other words explain {explained:.0%}.",
        lesson=f"that {value!r} means {label!r}",
        confidence=Confidence.MEDIUM,
        label=label,
        effect=float(np.clip(judged.effect[one], 0.0, 1.0)),
        details={"purity": round(float(judged.purity[one]), 4), "explained": round(explained, 4)},
        rows_stand=False,
    )


def example(signed: int, rows: int = 600) -> dict[str, list[str]]:
    """Make short texts on two topics with many words in common; some of one topic have a signature and little else to say."""
    random = np.random.default_rng(11)
    topics = (
        "river lake boat sail harbour tide shore anchor wave fish",
        "bread flour oven yeast butter crust bake dough salt loaf",
    )
    shared = [f"{first}{second}" for first in ("mo", "ta", "re", "li", "su") for second in ("ra", "ne", "vi", "to", "ku", "sen")]
    text, label = [], []
    for row in range(rows):
        sign = row % 2 == 0 and row < 2 * signed
        words = [*random.choice(topics[row % 2].split(), 1 if sign else 2), *random.choice(shared, 8)]
        if sign:
            words[0] = str(random.choice([*topics[0].split(), *shared]))
        text.append(" ".join(random.permutation(words)) + (" sent from the pier" if sign else ""))
        label.append(("sea", "kitchen")[row % 2])
    return {"text": text, "label": label}
