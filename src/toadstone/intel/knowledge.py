"""What is known of indicators, offline: the incidents of the bundle, the user's lists, owners of addresses, special ranges."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator

from toadstone.core.finding import Indicator
from toadstone.core.record import dataclass

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    import datetime as dt

    from toadstone.intel.incidents import Incident
    from toadstone.intel.spotting_types import Spotted
    from toadstone.intel.store import ListFile

_SINGLE = frozenset(("ipv4", "ipv6", "md5", "sha1", "sha256", "wallet", "path"))
"""Types whose only entry is the value itself."""
_MOST = 64
"""Indicators of one finding."""
_REMEMBERED = 4 << 20
_OBJECT = 512
"""Characters that a remembered text counts beside its own: for what remembers it."""


def lists_folder(configured: str = "") -> str:
    """Give the folder of the user's lists: ``TOADSTONE_INTEL``, else the configured one, else the user's data folder (XDG)."""
    named = os.environ.get("TOADSTONE_INTEL") or configured
    if named:
        return named
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(base, "toadstone", "intel")


@dataclass(frozen=True)
class Match:
    """A list or an incident that names a value.

    Attributes:
        source: ``JFrog 2024-02`` or the name of the user's list.
        label: What the source says of it.
        value: The entry that matched: the value, a domain above it, a range around it, the host of a URL.
        reference: Address of the publication; empty for a user's list.
        shared: Whether honest people use it as well.
    """

    source: str
    label: str
    value: str
    reference: str = ""
    shared: bool = False

    def as_intel(self) -> tuple[tuple[str, str], ...]:
        """Give the form of `toadstone.core.finding.Indicator.intel`."""
        pairs = (("source", self.source), ("label", self.label), ("reference", self.reference))
        return tuple(pair for pair in pairs if pair[1])


class Intelligence:
    """Looks indicators up. Nothing is loaded before it is needed.

    Args:
        folder: Folder of lists; None looks up the bundle and the tables only.
        today: Day on which entries must count; None makes every entry count, whatever its validity.

    Raises:
        IntelError: If a list is damaged.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, today: dt.date | None = None) -> None:
        self.today = today
        self._folder = folder
        self._memory: dict[tuple[str, str], tuple[Match, ...]] = {}
        self._spots: dict[str, Spots] = {}
        self._room = _REMEMBERED
        """Characters of further texts of which it is remembered what they hold."""

    @functools.cached_property
    def lists(self) -> tuple[ListFile, ...]:
        """The user's lists, by name."""
        if self._folder is None or not os.path.isdir(self._folder):
            return ()
        from pathlib import Path  # noqa: PLC0415  (start-up time)

        from toadstone.intel.store import SUFFIX, ListFile  # noqa: PLC0415  (only where there are lists)

        return tuple(ListFile(path) for path in sorted(Path(self._folder).glob(f"*{SUFFIX}")))

    def identity(self) -> str:
        """Give what changes whenever a look-up might: the lists, and the day if an entry expires."""
        parts = [found.identity() for found in self.lists]
        if any(found.expires for found in self.lists):
            parts.append(str(self.today))
        return "\n".join(parts)

    def matches(self, kind: str, value: str, host: str = "") -> tuple[Match, ...]:
        """Give the incidents and lists that name a value, its host, a domain above it or a range around it."""
        if kind in _SINGLE and not self._has_ranges and not self._may_name((kind, value)):
            return ()
        memory = self._memory.get((kind, value))
        if memory is None:
            if len(self._memory) > 1 << 16:
                self._memory.clear()
            keys = [(kind, value)] if kind in _SINGLE else list(_keys(kind, value, host))
            found = [match for key in keys if self._may_name(key) for match in self._named(*key)]
            if self._has_ranges:
                found += [match for key in self._ranges(kind, value, host) for match in self._named(*key)]
            memory = self._memory[kind, value] = tuple(dict.fromkeys(found)) if found else ()
        return memory

    @functools.cached_property
    def _has_ranges(self) -> bool:
        return any(found.prefixes for found in self.lists)

    @functools.cached_property
    def _incidents(self) -> dict[tuple[str, str], tuple[tuple[Incident, bool], ...]]:
        from toadstone.intel.incidents import by_value  # noqa: PLC0415  (start-up time)

        return by_value()

    def known(self, value: str) -> bool:
        """Whether a bare word is a domain, an address or a digest of the bundle or a list."""
        kind = {32: "md5", 40: "sha1", 64: "sha256"}.get(len(value), "") if "." not in value else "domain"
        return bool(self.matches(kind or "wallet", value))

    def _may_name(self, key: tuple[str, str]) -> bool:
        if key in self._incidents:
            return True
        for entries in self.lists:  # noqa: SIM110  (half the cost of a generator, and it runs for every indicator)
            if entries.may_hold(*key):
                return True
        return False

    def _named(self, kind: str, value: str) -> list[Match]:
        found = [
            Match(incident.name, incident.title, value, incident.url, shared)
            for incident, shared in self._incidents.get((kind, value), ())
        ]
        for entries in self.lists:
            found += [Match(entries.name, note.label, value) for note in entries.find(kind, value) if note.counts(self.today)]
        return found

    def _ranges(self, kind: str, value: str, host: str) -> Iterator[tuple[str, str]]:
        address = value if kind in ("ipv4", "ipv6") else host
        if not address:
            return
        import ipaddress  # noqa: PLC0415  (start-up time)

        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return
        for form in sorted({prefix for found in self.lists for prefix in found.prefixes if prefix[0] == str(parsed.version)}):
            yield "cidr", str(ipaddress.ip_network(f"{parsed}/{form[2:]}", strict=False))

    def describe(self, kind: str, value: str, host: str = "") -> Indicator:
        """Make an indicator with everything that is known of it: matches first, then the owner or what it is reserved for."""
        intel = [match.as_intel() for match in self.matches(kind, value, host)]
        intel += _about(kind, value, host)
        return Indicator(kind, value, tuple(intel))

    def indicators(self, texts: Iterable[str], given: Iterable[Indicator] = ()) -> tuple[Indicator, ...]:
        """Spot and look up: the indicators of texts, and those that a check found itself, without repetition."""
        found: dict[tuple[str, str], Indicator] = {}
        for text in texts:
            for spotted in self.spots(text).distinct:
                self._take(found, spotted)
                if len(found) >= _MOST:
                    break
            if len(found) >= _MOST:
                break
        for indicator in given:
            inside = self.spots(indicator.value).distinct if indicator.type != "path" else ()
            for spotted in inside:
                self._take(found, spotted)
            key = (indicator.type, indicator.value)
            if not inside and key not in found:
                found[key] = self.describe(*key)
        return tuple(found.values())

    def spots(self, text: str) -> Spots:
        """Find the indicators of a text; for texts that come again they are remembered."""
        known = self._spots.get(text)
        if known is None:
            self._room -= len(text) + _OBJECT
            if self._room < 0:
                self._spots.clear()
                self._room = _REMEMBERED
            known = self._spots[text] = Spots(text, self.known)
        return known

    def _take(self, found: dict[tuple[str, str], Indicator], spotted: Spotted) -> None:
        """Take what is spotted; a URL or an endpoint brings its host along."""
        key = (spotted.type, spotted.value)
        if key not in found:
            found[key] = self.describe(*key, spotted.host)
        if spotted.host and spotted.type in ("url", "port", "email"):
            inner = (_host_kind(spotted.host), spotted.host)
            if inner not in found:
                found[inner] = self.describe(*inner)


class Spots:
    """The indicators of one text: found as far as somebody asks, and kept for who asks next.

    Args:
        text: The text.
        known: See `toadstone.intel.spotting.spot`.
    """

    def __init__(self, text: str, known: Callable[[str], bool]) -> None:
        from toadstone.intel.spotting import spot  # noqa: PLC0415  (start-up time: most small files never need it)

        self._found: list[Spotted] = []
        self._more = spot(text, known)

    def __iter__(self) -> Iterator[Spotted]:
        """Yield all of them, in the order of their places."""
        for place in itertools.count():
            if place == len(self._found):
                further = next(self._more, None)
                if further is None:
                    return
                self._found.append(further)
            yield self._found[place]

    @functools.cached_property
    def distinct(self) -> tuple[Spotted, ...]:
        """The first of each value, of as many values as one finding lists."""
        first: dict[tuple[str, str, str], Spotted] = {}
        for spotted in self:
            first.setdefault((spotted.type, spotted.value, spotted.host), spotted)
            if len(first) >= _MOST:
                break
        return tuple(first.values())


def _host_kind(host: str) -> str:
    if ":" in host:
        return "ipv6"
    return "ipv4" if host.rpartition(".")[2].isdigit() else "domain"


def _keys(kind: str, value: str, host: str) -> Iterator[tuple[str, str]]:
    """List the entries that would match: the value itself, then what it contains or lies below."""
    from toadstone.intel.special import parents  # noqa: PLC0415  (start-up time)
    from toadstone.intel.values import url_key  # noqa: PLC0415

    if kind == "url":
        yield kind, url_key(value)
    elif kind != "port":
        yield kind, value
    inner = value if kind == "domain" else host
    if not inner:
        return
    if _host_kind(inner) == "domain":
        for parent in parents(inner)[: -1 if "." in inner else None]:
            if (kind, parent) != (kind, value) or kind != "domain":
                yield "domain", parent
    else:
        yield _host_kind(inner), inner


def _about(kind: str, value: str, host: str) -> Iterator[tuple[tuple[str, str], ...]]:
    """Say who owns the address behind an indicator, or what its name is reserved for."""
    from toadstone.intel.owners import owner, table_date  # noqa: PLC0415  (start-up time)
    from toadstone.intel.special import address_label, carrier_label, name_label, organisation  # noqa: PLC0415

    subject = value if kind in ("ipv4", "ipv6", "domain") else host
    if not subject:
        return
    if _host_kind(subject) == "domain":
        label = name_label(subject)
        if label:
            yield (("source", "warning list"), ("label", label))
        return
    label = address_label(subject)
    if label:
        yield (("source", "warning list"), ("label", label))
    found = owner(subject)
    if found is None:
        return
    pairs = (
        ("source", f"routing table {table_date()}"),
        ("label", carrier_label(found.asn)),
        ("asn", f"AS{found.asn}"),
        ("organisation", organisation(found.asn, found.organisation)),
        ("country", found.country),
    )
    yield tuple(pair for pair in pairs if pair[1])
