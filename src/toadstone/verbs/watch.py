"""``watch``: verify again and again, and sample what is too large to fetch each time."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from toadstone.core.errors import ToadstoneError, UsageError
from toadstone.identity import lock as locks
from toadstone.identity.lock import Pin, TablePin
from toadstone.identity.verified import Verified
from toadstone.stats.sequential import detectable_rate, log_e_value, log_mean_e
from toadstone.tables.open import open_dataset
from toadstone.verbs.addresses import Expected, Fetcher, expected_of, host_of
from toadstone.verbs.pin import STORE
from toadstone.verbs.verify import verify

SCHEMA = "toadstone.watch/1"
PLACE = Path(".toadstone", "watch")


@dataclass(frozen=True)
class WatchOptions:
    """How sources are watched.

    Attributes:
        sample: Addresses that are fetched in a round.
        benign: Share of addresses that change without anybody's fault; 0: none does.
        alpha: Chance of a false alarm over all rounds together.
        seed: Of the sampling.
        hosts: Hosts that addresses may lead to although they are private.
    """

    sample: int = 300
    benign: float = 0.0
    alpha: float = 0.01
    seed: int = 0
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sampled:
    """What a round of sampling said of a list of addresses, together with the rounds before.

    Attributes:
        source: Name in the lock.
        path: Within it.
        rounds: How many, with this one.
        looked: Addresses fetched in all rounds.
        changed: Of them: led to something else, or nowhere.
        rows: Of this round: the rows that changed.
        unknown: Of this round: could not be fetched.
        log_e: How much speaks against the benign rate, over hosts and as a whole.
        alarm: Whether that is more than chance.
        worst: Host that speaks most against it; empty: none does.
        detectable: Least rate of changed addresses that so many looks find nine times in ten.
    """

    source: str
    path: str
    rounds: int
    looked: int
    changed: int
    rows: tuple[int, ...]
    unknown: int
    log_e: float
    alarm: bool
    worst: str
    detectable: float


@dataclass(frozen=True)
class Watched:
    """What a round found.

    Attributes:
        verified: Of everything that is compared whole.
        sampled: Of lists of addresses.
    """

    verified: Verified
    sampled: tuple[Sampled, ...] = ()

    @property
    def exit_code(self) -> int:
        """0: nothing; 1: something changed, or more addresses than chance explains; 3: something could not be compared."""
        if not self.verified.same or any(one.alarm for one in self.sampled):
            return 1
        return 3 if self.verified.unknown else 0


@dataclass
class _State:
    """What is kept between rounds: counts by host, and which rows were drawn."""

    content: str
    rounds: int = 0
    hosts: dict[str, list[int]] = field(default_factory=dict)


def watch(
    *sources: str,
    lock: str | os.PathLike[str] = locks.NAME,
    options: WatchOptions | None = None,
    progress: Callable[[str], None] | None = None,
) -> Watched:
    """Do one round: compare everything that is pinned, and sample the addresses.

    Args:
        sources: Names in the lock; none: all.
        lock: Path of the lock. What is kept between rounds stands in ``.toadstone/watch`` beside it.
        options: How.
        progress: Called with each source before it is read.

    Raises:
        UsageError: A source is not in the lock.
        LockError: The lock cannot be read.
    """
    options = options or WatchOptions()
    path = Path(lock)
    home = path.absolute().parent
    found = verify(*sources, lock=lock, addresses=False, hosts=options.hosts, progress=progress)
    named = set(found.sources)
    sampled: list[Sampled] = []
    unknown: list[str] = []
    for pin in locks.read_lock(path).pins:
        if pin.name in named and pin.kind != "remote":
            for table in pin.tables:
                if table.urls:
                    try:
                        sampled.append(_round(pin, table, home, options))
                    except ToadstoneError as error:
                        unknown.append(f"{pin.name}: {error}")
    return Watched(Verified(found.sources, found.changes, (*found.unknown, *unknown)), tuple(sampled))


def _round(pin: Pin, table: TablePin, home: Path, options: WatchOptions) -> Sampled:
    """Sample the addresses of one table."""
    place = home / PLACE / f"{table.content[:32]}.json"
    state = _read(place, table.content)
    dataset = open_dataset(home / pin.name / table.path if table.path else home / pin.name)
    expected = expected_of(table, dataset, home / STORE)
    rows = drawn(expected, options.sample, options.seed, state.rounds)
    fetcher = Fetcher(options.hosts)
    try:
        judged = [(found.row, expected.judge(found)) for found in fetcher.fetched({row: expected.urls[row] for row in rows})]
    finally:
        fetcher.close()
    for row, how in judged:
        if how != "unknown":
            counts = state.hosts.setdefault(host_of(expected.urls[row]), [0, 0])
            counts[0] += 1
            counts[1] += how != "same"
    state.rounds += 1
    _write(place, state)
    return _told(pin.name, table.path, state, judged, options)


def _told(source: str, path: str, state: _State, judged: Sequence[tuple[int, str]], options: WatchOptions) -> Sampled:
    looked, changed = (sum(counts[index] for counts in state.hosts.values()) for index in (0, 1))
    by_host = {host: log_e_value(counts[0], counts[1], options.benign) for host, counts in state.hosts.items()}
    whole = log_e_value(looked, changed, options.benign)
    both = log_mean_e([whole, log_mean_e(by_host.values())]) if by_host else whole
    worst = max(by_host, key=lambda host: (by_host[host], host), default="")
    return Sampled(
        source,
        path,
        state.rounds,
        looked,
        changed,
        tuple(row for row, how in judged if how not in ("same", "unknown")),
        sum(how == "unknown" for _, how in judged),
        both,
        both >= math.log(1 / options.alpha),
        worst if by_host.get(worst, 0.0) > 0 else "",
        detectable_rate(looked, options.benign, alpha=options.alpha),
    )


def drawn(expected: Expected, sample: int, seed: int, number: int) -> list[int]:
    """Draw the rows of a round: every host in turn, so that a small one is not overlooked; no row twice until all were drawn.

    Each host's rows stand in a random order that follows the seed; each round goes on in it where the one before ended.

    Args:
        expected: The addresses.
        sample: Rows of a round.
        seed: Of the order.
        number: Of the round, from 0.
    """
    hosts: dict[str, list[int]] = {}
    for row in expected.rows():
        hosts.setdefault(host_of(expected.urls[row]), []).append(row)
    if not hosts:
        return []
    rng = np.random.default_rng([seed, 0x57415443])
    orders = [rng.permutation(rows).tolist() for _, rows in sorted(hosts.items())]
    total = sum(map(len, orders))
    shares = _shares([len(order) for order in orders], min(sample, total), number)
    found = []
    for order, share in zip(orders, shares, strict=True):
        start = (number * share if sample > len(orders) else number * sample // len(orders)) % len(order)
        found += [order[(start + step) % len(order)] for step in range(min(share, len(order)))]
    return sorted(set(found))


def _shares(sizes: Sequence[int], sample: int, number: int) -> list[int]:
    """Divide a sample among hosts by size, at least one each; when there are more hosts than draws, in turn."""
    if len(sizes) >= sample:
        first = number * sample % len(sizes)
        return [int((index - first) % len(sizes) < sample) for index in range(len(sizes))]
    spare = sample - len(sizes)
    total = sum(sizes)
    return [1 + spare * size // total for size in sizes]


def _read(path: Path, content: str) -> _State:
    try:
        held = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return _State(content)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", "Remove it to begin the watch anew.") from None
    hosts = held.get("hosts") if isinstance(held, dict) and held.get("schema") == SCHEMA else None
    if (
        not isinstance(hosts, dict)
        or not all(_counts(counts) for counts in hosts.values())
        or type(held.get("rounds")) is not int
    ):
        raise UsageError(f"{path} is not what `toadstone watch` writes.", "Remove it to begin the watch anew.")
    return _State(content, held["rounds"], hosts) if held.get("content") == content else _State(content)


def _counts(found: object) -> bool:
    return isinstance(found, list) and len(found) == 2 and all(type(one) is int for one in found) and 0 <= found[1] <= found[0]


def _write(path: Path, state: _State) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"schema": SCHEMA, "content": state.content, "rounds": state.rounds, "hosts": dict(sorted(state.hosts.items()))}
    locks.write_aside(path, json.dumps(document, indent=1) + "\n")
