"""Whom a connection may reach: a server must not send us into the user's own network (server-side request forgery)."""

from __future__ import annotations

import ipaddress
import socket
from typing import TypeAlias

from toadstone.remotes.trouble import PassingError, RemoteError, plain

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
Endpoint: TypeAlias = "tuple[int, tuple[str, int]]"
"""Family, and address with port."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")


def is_public(text: str) -> bool:
    """Whether an address belongs to the public Internet, also through the IPv6 forms that carry an IPv4 address inside.

    Special ranges follow the IANA registries (RFC 6890) as `ipaddress` knows them; embedded addresses are those of
    RFC 4291 (mapped), RFC 3056 (6to4), RFC 4380 (Teredo) and RFC 6052 (NAT64).
    """
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return all(is_public(str(part)) for part in inner)
        if address in _LOCAL_NAT64 or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: ipaddress.IPv6Address) -> tuple[ipaddress.IPv4Address, ...] | None:
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64 or int(address) >> 32 == 0:  # the second are the "compatible" addresses of RFC 4291
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    return None


class Reach:
    """The addresses that connections may be made to.

    What the user named may be anywhere: a mirror on this machine, a store in the company's network. Whatever a *server*
    names (a redirect, a link to the next page) must be public, or be the very address and port of something that the
    user named. Addresses are judged after resolution and connected to as judged, so a name cannot change in between.

    Args:
        hosts: Further hosts that the user trusts, as ``name`` or ``name:port``.
    """

    def __init__(self, hosts: tuple[str, ...] = ()) -> None:
        self._hosts = {host.lower() for host in hosts}
        self._named: set[tuple[str, int]] = set()
        self._known: set[tuple[str, int]] = set()

    def name(self, host: str, port: int) -> None:
        """Note that the user named a host."""
        self._named.add((host.lower(), port))

    def is_named(self, host: str, port: int) -> bool:
        """Whether the user named exactly this host and port, or trusts the host."""
        host = host.lower()
        return (host, port) in self._named or host in self._hosts or f"{host}:{port}" in self._hosts

    def resolve(self, host: str, port: int) -> list[Endpoint]:
        """Look a host up and give the addresses that may be connected to.

        Raises:
            PassingError: If the name cannot be resolved now.
            RemoteError: If none of its addresses may be reached.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise PassingError(f"the name {plain(host)} cannot be resolved ({error.strerror})") from None
        except (UnicodeError, ValueError, OverflowError):
            raise RemoteError(f"{plain(host)!r} is no host name") from None
        places: list[Endpoint] = list(dict.fromkeys((int(entry[0]), (str(entry[4][0]), port)) for entry in found))
        if self.is_named(host, port):
            self._known.update(place for _, place in places)
            return places
        allowed = [(family, place) for family, place in places if is_public(place[0]) or place in self._known]
        if not allowed:
            where = ", ".join(place[0] for _, place in places[:3]) or "nowhere"
            raise RemoteError(
                f"the server sends us to {plain(host)} ({where}), which is no public address; it was not contacted"
                f" (--allow-host {plain(host)} if you trust it)"
            )
        return allowed
