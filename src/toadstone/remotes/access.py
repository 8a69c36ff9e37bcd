"""How remotes are read: what a request may cost, and whom it may reach."""

from __future__ import annotations

from dataclasses import dataclass, field

KIB, MIB = 1 << 10, 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a server may cost. Hitting one leaves the file unread; it never ends the run.

    Attributes:
        patience: Seconds for one request with its redirects and retries, beyond what ``rate`` grants for bytes that came.
        rate: Bytes a second that a body has to keep up with once the patience is used up.
        connect: Seconds for one connection.
        idle: Seconds without a single byte.
        attempts: Times that one request is made when a failure may pass.
        pause: Seconds before the second attempt; doubled for each further one.
        wait: Longest ``Retry-After``, in seconds, that is obeyed; a longer one is an error.
        failures: Files in a row that may fail before a server is given up.
        redirects: Redirects of one request.
        headers: Bytes of all headers of one answer.
        listing: Bytes of one page of a listing.
        pages: Pages of one listing.
        entries: Files of one listing.
        page: Bytes of the smallest range that is asked for.
        ahead: Bytes of the largest range that is asked for.
        cache: Bytes of a file that are kept in memory, the latest.
        together: Requests that are under way at once where it is known beforehand what will be read.
        kept: Bytes of a file whose pages are kept on disk while it is read; of larger ones only the latest are.
        whole: Bytes of a file that is taken whole from a server that serves no ranges.
        largest: Bytes of a file that are believed at all.
    """

    patience: float = 20.0
    rate: int = 16 * KIB
    connect: float = 10.0
    idle: float = 15.0
    attempts: int = 4
    pause: float = 0.5
    wait: float = 10.0
    failures: int = 2
    redirects: int = 8
    headers: int = 256 * KIB
    listing: int = 16 * MIB
    pages: int = 1_000
    entries: int = 50_000
    page: int = 8 * KIB
    ahead: int = 4 * MIB
    cache: int = 16 * MIB
    together: int = 6
    kept: int = 4096 * MIB
    whole: int = 64 * MIB
    largest: int = 1 << 40


@dataclass(frozen=True)
class Access:
    """What the user asked for when naming a remote.

    Attributes:
        digests: Fetch every byte, so that digests are computed and compared with what the server claims.
        hosts: Hosts, as ``name`` or ``name:port``, that redirects may lead to although their addresses are private.
        limits: See `Limits`.
    """

    digests: bool = False
    hosts: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
