"""Values of lists: what one entry says, in the canonical form that the extractor gives too."""

from __future__ import annotations

import ipaddress
import re

from toadstone.intel.spotting_hosts import host, ipv4, ipv6, name
from toadstone.intel.spotting_runs import bitcoin_base58, bitcoin_bech32, eip55
from toadstone.intel.spotting_urls import refang, urls

TYPES = ("ipv4", "ipv6", "cidr", "domain", "url", "email", "md5", "sha1", "sha256", "wallet", "path")
"""Types of list entries; a range of addresses is a ``cidr``, everything else as `toadstone.intel.spotting_types.Spotted`."""

_DIGEST = {32: "md5", 40: "sha1", 64: "sha256"}
_HEX = re.compile(r"[0-9a-fA-F]+")
_FAST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ENDPOINT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:/\s]+):(\d{1,5})")
_LONGEST = 2048


def canonical(text: str) -> tuple[str, str]:
    """Tell what an entry is.

    Args:
        text: One value as lists write it, possibly defanged, with a port or a wildcard (``*.evil.example``).

    Returns:
        Type (of `TYPES`) and canonical value; two empty strings when it is nothing that can be looked up.
    """
    if len(text) < 64 and _FAST.fullmatch(text):
        return "domain", text
    text = text.strip().strip("\"'<>")
    if not text or len(text) > _LONGEST or "\n" in text:
        return "", ""
    return _digest_or_wallet(text) or _network(refang(text)) or ("", "")


def _digest_or_wallet(text: str) -> tuple[str, str] | None:
    bare = text.removeprefix("sha256:").removeprefix("sha1:").removeprefix("md5:")
    kind = _DIGEST.get(len(bare))
    if kind and _HEX.fullmatch(bare):
        return kind, bare.lower()
    if text[:2] == "0x" and len(text) == 42 and _HEX.fullmatch(text[2:]):
        return "wallet", eip55(text[2:])
    if bitcoin_base58(text):
        return "wallet", text
    return ("wallet", text.lower()) if text[:3].lower() == "bc1" and bitcoin_bech32(text) else None


def _network(text: str) -> tuple[str, str] | None:
    if "://" in text:
        return _url(text)
    if "@" in text:
        local, _, domain = text.rpartition("@")
        value = _domain(domain)
        return ("email", f"{local}@{value}") if local and value and len(local) <= 64 else None
    if "/" in text:
        return _range_or_url(text)
    endpoint = _ENDPOINT.fullmatch(text)
    if endpoint is not None:
        text = endpoint[1]
    text = text.strip("[]")
    for kind, read in (("ipv4", ipv4), ("ipv6", ipv6), ("domain", _domain)):
        value = read(text)
        if value:
            return kind, value
    return None


def _url(text: str) -> tuple[str, str] | None:
    found = next(urls(text), None)
    return ("url", url_key(found.value)) if found is not None and found.start <= 1 else None


def _range_or_url(text: str) -> tuple[str, str] | None:
    """Read a range of addresses, a path, or a URL that lacks its scheme."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        pass
    else:
        if network.num_addresses == 1:
            kind = f"ipv{network.version}"
            return kind, ipv6(str(network.network_address)) if kind == "ipv6" else str(network.network_address)
        return "cidr", str(network)
    if text.startswith(("/", "~/")):
        return "path", text
    authority = text.partition("/")[0]
    return _url(f"http://{text}") if host(authority.partition(":")[0])[0] else None


def _domain(text: str) -> str:
    """Read a domain of a list: also below top-level names that nobody delegated, and with a wildcard before it."""
    text = text.removeprefix("*.").removeprefix(".").removesuffix(".")
    value = name(text)[0]
    if value:
        return value
    lower = text.lower()
    return lower if len(lower) <= 253 and _NAME.fullmatch(lower) else ""


def url_key(url: str) -> str:
    """Give the form of a URL under which lists keep it: without fragment and without a slash at the end."""
    return url.partition("#")[0].rstrip("/")
