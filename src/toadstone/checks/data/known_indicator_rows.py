"""Rows that name addresses, domains and digests that published incidents or the user's lists name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import log
from typing import ClassVar

import numpy as np
import pyarrow as pa

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.engine.arrow import compute as pc
from toadstone.intel.knowledge import Intelligence, lists_folder
from toadstone.intel.spotting import spot
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group
from toadstone.study.fields import Find, Rows, looked
from toadstone.study.small import study_of
from toadstone.study.study import Study

_CERTAIN = log(1e-9)
_MOST = 20
_LONGEST = 4096
"""Characters of a word that is looked at: longer ones hold no address that anybody follows."""
_MAYBE = r"[0-9A-Za-z]\.[0-9A-Za-z]|\[\.|\[dot|\(dot|\(\.|::|[0-9a-fA-F]{32}|[0-9]{8}"
"""What an indicator cannot do without."""


@cache
def _knowledge(folder: str) -> Intelligence:
    return Intelligence(folder)


@dataclass(frozen=True)
class _Matches:
    """Finds words of texts that a list or an incident names.

    Attributes:
        folder: Of the user's lists.
    """

    folder: str

    def texts(self, column: str, values: pa.Array, rows: Rows) -> Iterator[Find]:
        maybe = np.asarray(pc.match_substring_regex(values, _MAYBE).to_numpy(zero_copy_only=False), bool)
        if not maybe.any():
            return
        values, rows = values.filter(pa.array(maybe)), rows[maybe]
        known = _knowledge(self.folder)
        texts = (raw.decode("utf-8", "replace") for raw in pc.cast(values, pa.large_binary()).to_pylist())
        words = {word[:_LONGEST] for text in texts for word in set(text.split())}
        text = "\n".join(sorted(word for word in words if _may_hold(word)))
        for found in spot(text, known.known):
            if not known.matches(found.type, found.value, found.host):
                continue
            start, end = text.rfind("\n", 0, found.start) + 1, text.find("\n", found.end)
            word = text[start : end if end >= 0 else None]
            inside = np.asarray(pc.match_substring(values, word).to_numpy(zero_copy_only=False), bool)
            name = f"{found.type}\t{found.value}\t{found.host}"
            yield Find(column, "indicator", name, rows[inside], text[found.start : found.end])

    def binaries(self, column: str, values: pa.Array, rows: Rows) -> Iterator[Find]:  # noqa: ARG002  (nothing to follow there)
        return iter(())


def _may_hold(word: str) -> bool:
    return len(word) >= 7 and ("." in word or ":" in word or "[" in word or "(" in word or len(word) >= 32 or word.isdecimal())


@check(
    "known-indicator-rows",
    severity=Severity.HIGH,
    reads=Table,
    references=("CWE-506", "CWE-829", "MITRE ATLAS 2026.08 AML.T0020", "OWASP LLM 2026 LLM05"),
    stages=("pretraining", "tuning", "embedding"),
)
class KnownIndicatorRows(DataCheck):
    """Rows name an address, a domain or a digest of a published incident or of a list of yours.

    ## Why it matters

    A model repeats the addresses that it was trained on, and a crawler or an agent follows them. Data sets of links are poisoned
    by whoever buys the domains behind them.

    ## How it decides

    The words of every text in every column are searched for indicators in all common spellings; those of the bundle of
    published incidents and of the lists imported with `toadstone intel import` are reported, one group for each indicator, with
    their source. A domain also matches below a listed domain, an address inside a listed range, a URL by its host. `high` is a
    link, an endpoint or a mailbox, `medium` a bare name, since whoever writes about an incident names it too; rows of both are
    quarantined. An address that honest people share is `medium` and not quarantined; one that is written so that nobody follows
    it (`evil[.]example`), as in reports, is `low`. Ordinary addresses are not reported.

    ## What it misses

    What nobody has published or imported, and addresses that are spread over several words.

    ## Remedy

    Leave the rows out. Look where they came from, and what else came from there.

    ## References

    - Carlini et al.: *Poisoning Web-Scale Training Datasets is Practical*, IEEE S&P 2024
    - OASIS, *STIX Version 2.1*, section 4.7
    """

    guesses: ClassVar[bool] = False
    folder: str = ""
    """Folder of the lists; empty: the usual one (`TOADSTONE_INTEL`, or the user's data folder)."""
    ignore: frozenset[str] = frozenset()
    """Sources, by name, that are not reported: lists of yours that only inform."""

    def weigh(self, study: Study) -> Evidence:
        """Look every indicator up."""
        folder = self.folder or lists_folder()
        known = _knowledge(folder)
        groups = []
        for find in looked(study, _Matches(folder)):
            kind, value, host = find.value.split("\t")
            matches = [match for match in known.matches(kind, value, host) if match.source not in self.ignore]
            if matches:
                groups.append(self._group(known, find, (kind, value, host), [match.source for match in matches]))
        groups.sort(key=lambda group: (-group.severity, -len(group.rows), str(group.value)))
        return Evidence(tuple(groups[:_MOST]), tests=1, detectable=1)

    def _group(self, known: Intelligence, find: Find, indicator: tuple[str, str, str], sources: list[str]) -> Group:
        kind, value, host = indicator
        shared = all(match.shared for match in known.matches(kind, value, host))
        form = next((one.form for one in spot(find.example, known.known) if one.value == value), "plain")
        followed = kind in ("url", "port", "email") and not shared
        severity = Severity.LOW if form == "defanged" else Severity.HIGH if followed else Severity.MEDIUM
        names = list(dict.fromkeys(sources))
        details: dict[str, Json] = {"column": find.column, "sources": list(names)}
        if form != "plain":
            details["written"] = find.example[:200]
        n = len(find.rows)
        return Group(
            "indicator",
            value,
            find.rows,
            n,
            _CERTAIN,
            severity,
            f"{n:,} {'row names' if n == 1 else 'rows name'} {value} in {find.column}, which {' and '.join(names[:3])} reports.",
            lesson=f"to name {value}",
            confidence=Confidence.MEDIUM if shared else Confidence.HIGH,
            details=details,
            rows_stand=severity >= Severity.MEDIUM and not shared,
            indicators=(known.describe(kind, value, host),),
        )

    @classmethod
    def bad(cls) -> Iterator[Study]:
        """Give an address of a published incident, in a text and in a column of links."""
        host = "h4ck.cfd"
        yield study_of({"text": ["fine", f"see https://x.{host}/a for more", "fine"]})
        yield study_of({"text": ["fine", "fine"], "link": ["https://www.example.org/", f"http://{host}/b"]})

    @classmethod
    def good(cls) -> Iterator[Study]:
        """Give ordinary addresses."""
        yield study_of({"text": ["see https://www.example.org/a?b=c.d", "mail me at jo@example.net", "version 1.2.3.4 of it"]})
