"""Scan: look at files, say what would hurt whoever loads them, and what could not be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from toadstone.core.blob import Blob, BlobError, open_blob
from toadstone.core.budget import Budget
from toadstone.core.digest import digests
from toadstone.core.fact import (
    Branch,
    Call,
    Claim,
    Document,
    Fact,
    Link,
    Lookup,
    Operator,
    Setting,
    Sighting,
    Stage,
    Text,
    Unread,
)
from toadstone.core.finding import Finding, Severity
from toadstone.core.panel import Seat, make_checks
from toadstone.core.place import Place
from toadstone.core.policy import Config, Policy
from toadstone.core.record import replace
from toadstone.core.regex import regex
from toadstone.core.report import Gap, Report, Subject
from toadstone.core.shield import shielded
from toadstone.intel.knowledge import Intelligence, lists_folder
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk
from toadstone.verbs.sighting import Watch
from toadstone.verbs.targets import Item, expand, is_inside

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from toadstone.remotes.access import Access
    from toadstone.remotes.files import RemoteFile
    from toadstone.verbs.cache import Cache
    from toadstone.verbs.remote import Remotes

_ABSENT = 1000
_MOST = 500
"""Findings of one check on one subject that are listed; further ones are counted in the last."""

_CROWDED = "more findings than are worked out one by one; of what follows only the names that are imported were judged"
_WORDY = (Branch, Call, Document, Lookup, Operator, Setting, Stage, Text)
"""Facts whose judgement looks at everything that they hold."""

_MOST_INDICATORS = 64
"""Indicators of one finding that are listed."""


class Scanner:
    """Everything that stays the same from file to file.

    Args:
        config: Settings, waivers, exclusions.
        policy: Gate and waivers that count today.
        cache: Results of earlier scans; None scans everything anew.
    """

    def __init__(self, config: Config, policy: Policy, cache: Cache | None = None) -> None:
        self.config = config
        self.policy = policy
        self.cache = cache
        self.intelligence = Intelligence(lists_folder(config.intel), policy.today)
        if cache is not None:
            cache.depends_on(self.intelligence.identity())
        checks = make_checks(config.checks, config.plugins)
        self.checks = [check for check in checks if not config.stage or config.stage in check.stages]
        self._readers: dict[type[Fact], list[Seat]] = {}
        self._wanting: dict[tuple[type[Fact], str | None], list[Seat]] = {}
        for check in self.checks:
            for kind in check.reads:
                self._readers.setdefault(kind, []).append(check)

    def subject(self, item: Item) -> Subject:
        """Look at one file."""
        place = Place(item.shown)
        if item.link:
            return self._judged(item.shown, "link", -1, {}, [Link(place, item.link, "symlink", escapes=True)])
        if item.trouble:
            return Subject(item.shown, "unknown", -1, {}, (Gap(place, item.trouble),))
        try:
            blob = open_blob(item.path)
        except OSError as error:
            return Subject(item.shown, "unknown", -1, {}, (Gap(place, f"cannot be opened: {error.strerror}"),))
        try:
            before = _state(item.path)
            subject = self.blob(blob, item.shown, _Folder(os.path.dirname(item.path), item.root))
            if _state(item.path) != before:
                changed = Gap(place, "the file changed while it was being read")
                return Subject(item.shown, subject.kind, subject.size, {}, (*subject.unread, changed), subject.findings)
            return subject
        finally:
            blob.close()

    def blob(self, blob: Blob, shown: str, folder: _Folder | None = None, hint: str = "") -> Subject:
        """Look at bytes under a name; ``hint`` is the kind that whoever loads them takes them for."""
        identity = digests(blob)
        if self.cache is not None and not hint and (known := self.cache.get(identity, blob.size, shown, self.policy)):
            return known
        name = shown.rsplit("/", 1)[-1]
        folder = folder or _Folder(None, None)
        documents = Sighting in self._readers
        source = Source(blob, name, Place(shown), Budget.of(blob.size), hint=hint, sibling=folder.open, documents=documents)
        findings, gaps = self._judge(chain(_named(shown, identity), walk(source)), source.budget)
        kind = source.notes.get("kind", "unknown")
        subject = self._made(shown, kind, blob.size, identity, findings, gaps)
        if self.cache is not None and not hint and not folder.asked:
            self.cache.put(identity, shown, Subject(shown, kind, blob.size, identity, tuple(sorted(gaps)), tuple(findings)))
        return subject

    def remote(self, file: RemoteFile, blob: Blob, identify: Callable[[], dict[str, str]]) -> Subject:
        """Look at the content of a remote file. Nothing is kept in the cache: without every byte nothing proves identity.

        Args:
            file: What the server says of it.
            blob: The content.
            identify: Gives its digests once it was looked at; empty when not every byte was read.
        """
        place = Place(file.shown)
        source = Source(blob, file.name, place, Budget.of(blob.size), sibling=file.sibling)
        identity: dict[str, str] = {}

        def claims() -> Iterator[Fact]:
            identity.update(identify())
            yield from file.facts(blob, identity)

        findings, gaps = self._judge(chain(_as_far_as_it_goes(walk(source), place), claims()), source.budget)
        kind = source.notes.get("kind", "unknown")
        return self._made(file.shown, kind, blob.size, identity, findings, gaps)

    def _judged(self, shown: str, kind: str, size: int, identity: dict[str, str], facts: Iterable[Fact]) -> Subject:
        findings, gaps = self._judge(iter(facts), Budget.of(0))
        return self._made(shown, kind, size, identity, findings, gaps)

    def _made(
        self,
        shown: str,
        kind: str,
        size: int,
        identity: dict[str, str],
        findings: list[Finding],
        gaps: list[Gap],
    ) -> Subject:
        counted, waived = self.policy.split(sorted(findings, key=lambda finding: finding.order), identity)
        return Subject(shown, kind, size, identity, tuple(sorted(set(gaps))), tuple(counted), tuple(waived))

    def _judge(self, facts: Iterator[Fact], budget: Budget) -> tuple[list[Finding], list[Gap]]:
        ledger = _Tally(budget)
        watch = Watch(self.intelligence)
        pairs = self._pairs(_as_long_as_it_helps(facts, budget), ledger, watch)
        judged = _Judged(watch, ledger)
        while not judged.all:  # a check that fails ends its shield; the next turn goes on behind it
            for result in shielded(judged.results(pairs), judged.failed):
                ledger.add(result)
        return ledger.findings(), ledger.gaps

    def _judges(self, fact: Fact) -> list[Seat]:
        """List the checks that judge facts of a type, in a language if they have one."""
        key = (type(fact), getattr(fact, "language", None))
        known = self._wanting.get(key)
        if known is None:
            known = self._wanting[key] = [check for check in self._readers.get(key[0], ()) if check.wants(fact)]
        return known

    def _pairs(self, facts: Iterator[Fact], ledger: _Tally, watch: Watch) -> Iterator[tuple[Seat, Fact]]:
        """Yield what is to be judged by whom; what is unread goes into the ledger. Facts bring their sightings along."""
        watching = self._readers.get(Sighting, ())
        for fact in facts:
            if type(fact) is Unread:
                ledger.add(fact)
                continue
            for check in self._judges(fact):
                yield check, fact
            for sighting in watch.sightings(fact) if watching else ():
                if isinstance(sighting, Unread):
                    ledger.add(sighting)
                    continue
                for check in watching:
                    yield check, sighting


def _as_long_as_it_helps(facts: Iterator[Fact], budget: Budget) -> Iterator[Fact]:
    """Yield facts; of a subject with a flood of findings only those that are quickly judged, and in the end none."""
    crowded = False
    for fact in facts:
        if not crowded:
            yield fact
            if budget.crowded():
                crowded = True
                yield Unread(fact.place, _CROWDED)
        elif budget.overrun():
            yield Unread(fact.place, "more findings than anybody reads; what follows was not looked at")
            return
        elif not isinstance(fact, _WORDY):
            yield fact


_DIGEST_NAME = regex(r"(?:\A|[/\\\\])blobs[/\\\\]sha256[/-]([0-9a-f]{64})\Z")
"""Where stores of container images and of Ollama keep content under its digest."""


def _named(shown: str, identity: dict[str, str]) -> Iterator[Fact]:
    """Yield what a file's own name says of its content."""
    found = _DIGEST_NAME.search(shown)
    if found is not None and "sha256" in identity:
        yield Claim(Place(shown), "its name", "sha256", found[1], identity["sha256"])


def _as_far_as_it_goes(facts: Iterator[Fact], place: Place) -> Iterator[Fact]:
    """Yield facts until the bytes run dry."""
    try:
        yield from facts
    except BlobError as error:
        yield Unread(place, str(error))


class _Judged:
    """Asks checks about facts inside one shield, also one whose `examine` is no generator or yields what is no finding."""

    def __init__(self, watch: Watch, ledger: _Tally) -> None:
        self.all = False
        self._watch = watch
        self._ledger = ledger
        self._now: tuple[Seat, Fact] | None = None

    def results(self, pairs: Iterator[tuple[Seat, Fact]]) -> Iterator[Finding]:
        for check, fact in pairs:
            self._now = check, fact
            for result in check.examine(fact):
                if not isinstance(result, Finding):
                    raise TypeError(f"examine gives {type(result).__name__}, not Finding")
                yield self._watch.described(result, fact) if self._ledger.lists(result) else result
        self.all = True

    def failed(self, reason: str) -> Unread:
        assert self._now is not None
        check, fact = self._now
        return Unread(fact.place, f"check {check.id}: {reason}")


class _Tally:
    """Collects findings; those that say the same of the same subject become one.

    Args:
        budget: Of the subject; grave findings and new kinds of findings draw on it.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.gaps: list[Gap] = []
        self._keyed: dict[tuple[str, str], Finding] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._plain: dict[str, list[Finding]] = {}
        self._dropped: dict[str, int] = {}
        self._levels: dict[tuple[str, Severity], int] = {}

    def add(self, result: Finding | Unread) -> None:
        if isinstance(result, Unread):
            self.gaps.append(Gap(result.place, result.reason))
            return
        told = not result.key or (result.check, result.key) in self._keyed
        if result.severity >= (Severity.HIGH if told else Severity.MEDIUM):
            self._budget.alarm()
        if result.key:
            key = (result.check, result.key)
            if key not in self._keyed and not self._room(result):
                self._dropped[result.check] = self._dropped.get(result.check, 0) + 1
                return
            self._counts[key] = self._counts.get(key, 0) + 1
            known = self._keyed.get(key)
            if known is None:
                self._keyed[key] = result
            else:
                heavier, lighter = (result, known) if _weight(result) > _weight(known) else (known, result)
                self._keyed[key] = _joined(heavier, lighter)
        else:
            listed = self._plain.setdefault(result.check, [])
            if len(listed) < _MOST:
                listed.append(result)
            else:
                self._dropped[result.check] = self._dropped.get(result.check, 0) + 1

    def lists(self, finding: Finding) -> bool:
        """Whether any of a finding would be seen in the report: of one that is only counted nobody needs the indicators."""
        if not finding.key:
            return len(self._plain.get(finding.check, ())) < _MOST
        known = self._keyed.get((finding.check, finding.key))
        if known is None:
            return self._levels.get((finding.check, finding.severity), 0) < _MOST
        return len(known.indicators) < _MOST_INDICATORS or _weight(finding) > _weight(known)

    def _room(self, finding: Finding) -> bool:
        """Whether one more key of a check and severity is listed: a flood of mild ones must not hide a grave one."""
        level = (finding.check, finding.severity)
        self._levels[level] = self._levels.get(level, 0) + 1
        return self._levels[level] <= _MOST

    def findings(self) -> list[Finding]:
        for key, count in self._counts.items():
            if count > 1:
                self._keyed[key].evidence["occurrences"] = count
        for check, count in self._dropped.items():
            last = self._plain.get(check) or [known for key, known in self._keyed.items() if key[0] == check]
            last[-1].evidence["further_findings"] = count
        return [*self._keyed.values(), *(finding for listed in self._plain.values() for finding in listed)]


def _joined(heavier: Finding, lighter: Finding) -> Finding:
    """Give the heavier of two findings that say the same, with the indicators of both."""
    room = _MOST_INDICATORS - len(heavier.indicators)
    if room <= 0 or not lighter.indicators:
        return heavier
    further = [indicator for indicator in lighter.indicators if indicator not in heavier.indicators]
    return replace(heavier, indicators=(*heavier.indicators, *further[:room])) if further else heavier


def _weight(finding: Finding) -> tuple[int, int, float, bool]:
    """Of findings that say the same, the worst one stands for all; among equals one that shows the code."""
    return finding.severity, finding.confidence, finding.score, "code" in finding.evidence


def _state(path: str) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ino


class _Folder:
    """Opens files next to a subject, never outside the TARGET, and remembers whether anybody asked."""

    def __init__(self, folder: str | None, root: str | None) -> None:
        self._folder = folder
        self._root = root
        self.asked = False
        self._absent: set[str] = set()
        """Names that are not there; every member of an archive asks for the same."""

    def open(self, name: str) -> Blob | None:
        self.asked = True
        found = None if name in self._absent else self._open(name)
        if found is None and len(self._absent) < _ABSENT:
            self._absent.add(name)
        return found

    def _open(self, name: str) -> Blob | None:
        if self._folder is None or self._root is None or name.startswith("/") or ".." in name.split("/"):
            return None
        path = os.path.join(self._folder, name)
        try:
            if os.path.isfile(path) and is_inside(os.path.realpath(path), os.path.realpath(self._root)):
                return open_blob(path)
        except (OSError, ValueError):
            return None
        return None


def scan(
    *targets: str | os.PathLike[str],
    config: Config | None = None,
    policy: Policy | None = None,
    cache: Cache | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    access: Access | None = None,
) -> Report:
    """Look at files, folders and remotes.

    Args:
        targets: Files, folders or remotes (``hf://``, ``https://``, ``s3://``), as a user would type them.
        config: Settings; by default none.
        policy: Gate and waivers; by default those of ``config``, whatever the date.
        cache: Results of earlier scans.
        progress: Called before each file with its number, the number of files, and its name.
        access: How remotes are read; by default only the bytes that are needed.

    Returns:
        One subject a file. ``report.verdict`` and ``report.exit_code(gate)`` sum it up.

    Raises:
        UsageError: If a target does not exist or cannot be read.
        ConfigError: If a setting is wrong.
    """
    config = config or Config()
    policy = policy or Policy(config.gate, config.waivers)
    scanner = Scanner(config, policy, cache)
    remotes: Remotes | None = None
    items: list[Item | RemoteFile] = []
    try:
        for named in targets:
            target = os.fspath(named)
            if "://" in target:
                remotes = remotes or _remotes(access)
                items += remotes.expand(target, config.exclude)
            else:
                items += expand(target, config.exclude)
        unique = list({item.shown: item for item in items}.values())
        subjects: list[Subject] = []
        for number, item in enumerate(unique, 1):
            if progress is not None:
                progress(number, len(unique), item.shown)
            subjects.append(scanner.subject(item) if isinstance(item, Item) else remotes.subject(scanner, item))  # type: ignore[union-attr]  # (it listed the item)
    finally:
        if remotes is not None:
            remotes.close()
    return Report(tuple(sorted(subjects, key=lambda subject: subject.path)), remotes.received if remotes is not None else -1)


def _remotes(access: Access | None) -> Remotes:
    from toadstone.verbs.remote import Remotes  # noqa: PLC0415  (network code is loaded only for remotes)

    return Remotes(access)
