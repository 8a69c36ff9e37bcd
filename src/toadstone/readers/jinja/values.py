"""What the analysis knows of a template's values: where they come from, and on which literals they depend."""

from __future__ import annotations

from typing import Any

from toadstone.core.record import dataclass, field


@dataclass(frozen=True, order=True)
class Needle:
    """A literal that must be present for something to happen.

    Attributes:
        text: The literal, or a description (``length > 40``).
        scope: As for `toadstone.core.fact.Branch`.
    """

    text: str
    scope: str = ""


Needles = frozenset[Needle]
NONE: Needles = frozenset()


@dataclass(frozen=True)
class Flow:
    """Where a value comes from.

    Attributes:
        kind: ``messages`` (a list of messages), ``message``, ``part`` (of a message's content), ``text`` (what somebody
            wrote), ``field`` (structure such as a role), ``number``, ``time``, ``random``, ``tools``; empty for the rest.
        scope: Whose text it is, if that is known.
        needles: Literals on whose presence a true value depends.
        probes: Literals that were searched for, counted or cut out on the way to this value.
    """

    kind: str = ""
    scope: str = ""
    needles: Needles = NONE
    probes: frozenset[str] = frozenset()


NOWHERE = Flow()
_STRENGTH = {
    "": 0,
    "number": 1,
    "field": 2,
    "tools": 3,
    "time": 4,
    "random": 5,
    "messages": 6,
    "message": 7,
    "part": 8,
    "text": 9,
}


def joined(flows: list[Flow]) -> Flow:
    """Give what holds of a value that may come from any of several sources."""
    flows = [flow for flow in flows if flow is not NOWHERE]
    if not flows:
        return NOWHERE
    if len(flows) == 1:
        return flows[0]
    strongest = max(flows, key=lambda flow: _STRENGTH[flow.kind])
    scopes = {flow.scope for flow in flows if flow.kind == strongest.kind}
    needles = frozenset(needle for flow in flows for needle in flow.needles)
    probes = frozenset(probe for flow in flows for probe in flow.probes)
    return Flow(strongest.kind, scopes.pop() if len(scopes) == 1 else "", needles, probes)


UNKNOWN: Any = object()
"""The value of an assignment that is no constant."""

_KEPT = 48


@dataclass
class Variable:
    """What was assigned to a name, anywhere in the template.

    Attributes:
        values: Each constant (or `UNKNOWN`) with the literals under whose presence it was assigned.
        flow: Where its values come from.
        words: Literal text that it may hold.
    """

    values: list[tuple[Any, Needles]] = field(default_factory=list)
    flow: Flow = NOWHERE
    words: list[str] = field(default_factory=list)

    def assign(self, value: Any, needles: Needles) -> None:  # noqa: ANN401  (a constant of the template)
        """Remember one assignment."""
        entry = (value, needles)
        if len(self.values) < _KEPT and not any(known[0] is value and known[1] == needles for known in self.values):
            if value is not UNKNOWN and any(type(known[0]) is type(value) and known == entry for known in self.values):
                return
            self.values.append(entry)

    def hold(self, texts: list[str]) -> None:
        """Remember literal text that the name may hold."""
        for text in texts:
            if len(self.words) < _KEPT and text not in self.words:
                self.words.append(text)
