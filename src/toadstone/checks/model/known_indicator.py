"""Addresses, domains and digests that published incidents or the user's lists name."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Sighting
from toadstone.core.finding import Confidence, Finding, Indicator, Severity
from toadstone.core.place import Place

_WORDS = {
    "ipv4": "the address",
    "ipv6": "the address",
    "domain": "the domain",
    "url": "the URL",
    "email": "the e-mail address",
    "wallet": "the wallet",
    "md5": "the digest",
    "sha1": "the digest",
    "sha256": "the digest",
    "path": "the path",
}


def _severity(fact: Sighting) -> Severity:
    """Whoever writes about an incident names its addresses too: in a text a match is worth a look, in what runs it is a hit."""
    if fact.within == "document":
        return Severity.LOW if fact.form == "defanged" else Severity.MEDIUM
    return Severity.MEDIUM if fact.shared else Severity.HIGH


@check(
    "known-indicator",
    severity=Severity.HIGH,
    reads=Sighting,
    references=("MITRE ATLAS 2026.08 AML.T0010", "CWE-506"),
)
class KnownIndicator(Check):
    """The file names an address, a domain or a digest of a published incident or of a list of yours.

    ## Why it matters

    Attackers use their machines more than once. An address that stole secrets in one model or package and stands in another
    file is the shortest way from a file to whom it calls.

    ## How it decides

    Every string that readers find (arguments of calls, settings, metadata, texts, decoded content) is searched for indicators in
    all common spellings, and each is looked up offline: in the bundle of published incidents and in the lists that were imported
    with `toadstone intel import`. A domain also matches below a listed domain, an address inside a listed range, a URL by its
    host. In what runs or travels with a model (calls, settings, metadata, templates) a match is `high`, or `medium` when many
    honest people share the address (a host with many customers). In prose, source and configuration it is `medium`, since
    whoever writes about an incident names its addresses too, and `low` when it is written so that nobody follows it
    (`evil[.]example`). Addresses of documentation, private ranges, public resolvers and common services are labelled and never
    alarm by themselves.

    ## What it misses

    What nobody has published or imported, and indicators that are put together only while code runs. Of texts beyond four
    megabytes, the first four are searched.

    ## Remedy

    Do not load the file. Find out how it came here, and look for the same indicator in your logs. If it is a report about the
    incident, suppress the finding for that path.

    ## References

    - JFrog, *Data Scientists Targeted by Malicious Hugging Face ML Models with Silent Backdoor*, February 2024
    - OASIS, *STIX Version 2.1*, section 4.7
    """

    ignore: frozenset[str] = frozenset()
    """Sources, by name, that are not reported: lists of yours that only inform."""

    def examine(self, fact: Sighting) -> Iterator[Finding]:
        """Judge one sighting."""
        named = [entry for entry in fact.sources if entry[0] not in self.ignore]
        if not named:
            return
        sources = list(dict.fromkeys(source for source, _, _ in named))
        label = next((label for _, label, _ in named if label), "")
        told = f"{_WORDS.get(fact.type, 'the indicator')} {fact.value}"
        written = "" if fact.form == "plain" else f", written {fact.written!r}"
        yield self.finding(
            fact.place,
            f"This names {told}{written}, which {' and '.join(sources[:3])} reports{f' ({label})' if label else ''}.",
            severity=_severity(fact),
            confidence=Confidence.MEDIUM if fact.shared or fact.within == "document" else Confidence.HIGH,
            key=f"{fact.type}:{fact.value}",
            indicators=(Indicator(fact.type, fact.value),),
            details={"sources": list(sources)},
            written=fact.written if fact.form != "plain" else None,
            form=fact.form if fact.form != "plain" else None,
            within=fact.within,
            publication=next((reference for _, _, reference in named if reference), None),
            score=0.5 if fact.shared else 1.0,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give a reported address in a call, a domain of a list in a text, an address that is shared."""
        place = Place("model.pkl", "", 12)
        yield Sighting(place, "ipv4", "192.0.2.66", "0xc0000242", "hex", (("Publisher 2024-02", "Backdoor", ""),), False, "call")
        yield Sighting(place, "domain", "c2.example", "c2.example", "plain", (("my-list", "", ""),), False, "text")
        yield Sighting(place, "ipv4", "192.0.2.67", "192.0.2.67", "plain", (("Publisher 2024-02", "", ""),), True, "document")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give an address that nobody reports."""
        yield Sighting(Place("model.pkl", "", 12), "ipv4", "192.0.2.66", "192.0.2.66", "plain", (), False, "call")
