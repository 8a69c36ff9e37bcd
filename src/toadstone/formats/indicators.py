"""Indicators in a line each: what it is, whose it is, who reports it."""

from __future__ import annotations

from collections.abc import Iterable

from toadstone.core.finding import Finding, Indicator

_ARROW = " → "


def about(indicator: Indicator) -> str:
    """Say what is known of an indicator: ``AS1237 KISTI (KREONET) (KR), JFrog 2024-02``; empty when nothing is."""
    owners: list[str] = []
    labels: list[str] = []
    sources: list[str] = []
    for entry in map(dict, indicator.intel):
        if "asn" in entry:
            country = f" ({entry['country']})" if entry.get("country") else ""
            owners.append(f"{entry['asn']} {entry.get('organisation', '')}{country}")
        elif entry.get("source") == "warning list":
            labels.append(entry.get("label", ""))
        else:
            sources.append(entry.get("source", ""))
    return ", ".join(dict.fromkeys(text for text in (*labels, *owners, *sources) if text))


def line(indicator: Indicator) -> str:
    """Write an indicator with what is known of it."""
    known = about(indicator)
    return f"{indicator.value}{_ARROW}{known}" if known else indicator.value


def lines(finding: Finding) -> list[str]:
    """Write the indicators of a finding, those that somebody reports first; a host is not repeated behind its URL."""
    shown: list[Indicator] = []
    for indicator in sorted(finding.indicators, key=_rank):
        if not any(indicator.value in other.value and set(indicator.intel) <= set(other.intel) for other in shown):
            shown.append(indicator)
    return [line(indicator) for indicator in shown]


def _rank(indicator: Indicator) -> tuple[bool, int, bool]:
    reported = any(
        dict(entry).get("reference") or (dict(entry).get("source") not in (None, "warning list") and "asn" not in dict(entry))
        for entry in indicator.intel
    )
    return not reported, ("url", "port").index(indicator.type) if indicator.type in ("url", "port") else 2, not indicator.intel


def every(findings: Iterable[Finding]) -> list[Indicator]:
    """List the indicators of findings, each once, in the order of type and value; what is known of equal ones is joined."""
    joined: dict[tuple[str, str], dict[tuple[tuple[str, str], ...], None]] = {}
    for finding in findings:
        for indicator in finding.indicators:
            joined.setdefault((indicator.type, indicator.value), {}).update(dict.fromkeys(indicator.intel))
    return [Indicator(kind, value, tuple(known)) for (kind, value), known in sorted(joined.items())]
