"""What the references of checks mean: names and addresses of taxonomy ids, each with its edition.

Numbers move between editions (supply chain is ``LLM03`` in the OWASP list of 2025 and ``LLM04`` in that of 2026), so an
id without its edition says nothing. The table ``taxonomy.json`` holds the editions that the product speaks, with aliases
for ids that were retired. It is read at the first question, never at start-up.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib import resources
from typing import TypedDict

from toadstone.core.errors import ToadstoneError, nearest
from toadstone.core.record import dataclass


class TaxonomyError(ToadstoneError):
    """A reference names no entry of a known edition."""


class _Edition(TypedDict):
    url: str
    entries: dict[str, str]
    aliases: dict[str, str]


@dataclass(frozen=True)
class Entry:
    """One entry of a taxonomy, or one advisory or paper.

    Attributes:
        scheme: Taxonomy with its edition, such as ``OWASP LLM 2026``; ``CVE``, ``GHSA`` or ``arXiv`` for single documents.
        id: The id that counts today; differs from the one asked for when that one was retired.
        name: Its name; empty for single documents.
        url: Where it is explained.
    """

    scheme: str
    id: str
    name: str
    url: str


_DOCUMENTS = (
    ("CVE", re.compile(r"CVE-\d{4}-\d{4,7}"), "https://www.cve.org/CVERecord?id={id}"),
    ("GHSA", re.compile(r"GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}"), "https://github.com/advisories/{id}"),
    ("PYSEC", re.compile(r"PYSEC-\d{4}-\d{1,6}"), "https://osv.dev/vulnerability/{id}"),
    ("arXiv", re.compile(r"arXiv:\d{4}\.\d{4,5}"), "https://arxiv.org/abs/{number}"),
)
"""Single documents: scheme, form of the id, address."""

_SHORT = re.compile(r"(LLM|ML|ASI)(\d\d):(\d{4})")
"""The OWASP lists' own way of writing an id with its year."""


@lru_cache(maxsize=1)
def _editions() -> dict[str, _Edition]:
    text = resources.files("toadstone.core").joinpath("taxonomy.json").read_text(encoding="utf-8")
    table: dict[str, _Edition] = json.loads(text)
    return table


def editions() -> tuple[str, ...]:
    """Name the known taxonomies with their editions."""
    return tuple(_editions())


def resolve(reference: str) -> Entry:
    """Look a reference up.

    Args:
        reference: A taxonomy with its edition and an id (``MITRE ATLAS 2026.08 AML.T0011.000``, ``LLM04:2026``), a CWE id
            (those are permanent and need no edition), or a CVE, GHSA, PYSEC or arXiv id. Retired ids resolve to their
            successors.

    Raises:
        TaxonomyError: If the edition or the id is unknown.
    """
    for scheme, form, url in _DOCUMENTS:
        if form.fullmatch(reference):
            return Entry(scheme, reference, "", url.format(id=reference, number=reference.rpartition(":")[2]))
    if short := _SHORT.fullmatch(reference):
        reference = f"OWASP {short[1]} {short[3]} {short[1]}{short[2]}"
    edition, _, wanted = ("CWE 4", "", reference) if reference.startswith("CWE-") else reference.rpartition(" ")
    table = _editions().get(edition)
    if table is None:
        raise TaxonomyError(f"{reference!r} names no known taxonomy with its edition.", f"Known are {', '.join(editions())}.")
    found = table["aliases"].get(wanted, wanted)
    name = table["entries"].get(found)
    if name is None:
        raise TaxonomyError(f"{edition} has no entry {wanted!r} here.", nearest(wanted, table["entries"]))
    return Entry(edition, found, name, table["url"].format(id=found, number=found.rpartition("-")[2]))
