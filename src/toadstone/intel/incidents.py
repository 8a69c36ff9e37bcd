"""Published incidents with malicious models and packages, and whether a value belongs to one."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from toadstone.intel.bundled import bundled
from toadstone.intel.values import canonical


@dataclass(frozen=True)
class Incident:
    """One published incident.

    Attributes:
        id: Short name.
        title: Title of the publication.
        publisher: Who published it.
        date: Day of the publication, YYYY-MM-DD.
        url: Where it is.
        what: What happened, in a line.
        indicators: ``(type, value)`` of what nobody honest uses.
        shared: ``(type, value)`` of what others use as well.
    """

    id: str
    title: str
    publisher: str
    date: str
    url: str
    what: str
    indicators: tuple[tuple[str, str], ...]
    shared: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Publisher and month, as findings name it: ``JFrog 2024-02``."""
        return f"{self.publisher} {self.date[:7]}"


@functools.cache
def incidents() -> tuple[Incident, ...]:
    """Give all incidents of the bundle, in its order."""
    import tomllib  # noqa: PLC0415  (start-up time)

    text = bundled("incidents.toml").decode("utf-8")
    made: list[Incident] = []
    for entry in tomllib.loads(text)["incident"]:
        name, title, publisher, date, url, what = (str(entry[key]) for key in ("id", "title", "publisher", "date", "url", "what"))
        own, shared = (tuple(canonical(value) for value in entry.get(key, ())) for key in ("indicators", "shared"))
        made.append(Incident(name, title, publisher, date, url, what, own, shared))
    return tuple(made)


@functools.cache
def by_value() -> dict[tuple[str, str], tuple[tuple[Incident, bool], ...]]:
    """Give for each ``(type, value)`` its incidents, and whether honest people use it as well."""
    table: dict[tuple[str, str], list[tuple[Incident, bool]]] = {}
    for incident in incidents():
        for values, shared in ((incident.indicators, False), (incident.shared, True)):
            for value in values:
                table.setdefault(value, []).append((incident, shared))
    return {value: tuple(found) for value, found in table.items()}
