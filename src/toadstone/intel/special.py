"""What an address or a name is when nobody in particular owns it: reserved ranges, public resolvers, common services.

A report says so instead of alarming: ``8.8.8.8`` in a payload is a connectivity test, ``192.0.2.1`` an example in a text.
"""

from __future__ import annotations

import ipaddress

_RANGES = (
    ("0.0.0.0/8", "this network (RFC 791)"),
    ("10.0.0.0/8", "private (RFC 1918)"),
    ("100.64.0.0/10", "shared address space of providers (RFC 6598)"),
    ("127.0.0.0/8", "loopback (RFC 1122)"),
    ("169.254.169.254/32", "metadata service of clouds (link-local, RFC 3927)"),
    ("169.254.0.0/16", "link-local (RFC 3927)"),
    ("172.16.0.0/12", "private (RFC 1918)"),
    ("192.0.0.0/24", "IETF protocol assignments (RFC 6890)"),
    ("192.0.2.0/24", "documentation (RFC 5737)"),
    ("192.31.196.0/24", "AS112 (RFC 7535)"),
    ("192.52.193.0/24", "AMT (RFC 7450)"),
    ("192.88.99.0/24", "deprecated 6to4 relay (RFC 7526)"),
    ("192.168.0.0/16", "private (RFC 1918)"),
    ("192.175.48.0/24", "AS112 (RFC 7534)"),
    ("198.18.0.0/15", "benchmarking (RFC 2544)"),
    ("198.51.100.0/24", "documentation (RFC 5737)"),
    ("203.0.113.0/24", "documentation (RFC 5737)"),
    ("224.0.0.0/4", "multicast (RFC 1112)"),
    ("255.255.255.255/32", "broadcast (RFC 8190)"),
    ("240.0.0.0/4", "reserved (RFC 1112)"),
    ("::1/128", "loopback (RFC 4291)"),
    ("::/128", "unspecified (RFC 4291)"),
    ("64:ff9b:1::/48", "translation, local use (RFC 8215)"),
    ("100::/64", "discard-only (RFC 6666)"),
    ("2001:2::/48", "benchmarking (RFC 5180)"),
    ("2001:db8::/32", "documentation (RFC 3849)"),
    ("3fff::/20", "documentation (RFC 9637)"),
    ("5f00::/16", "segment routing (RFC 9602)"),
    ("fc00::/7", "unique local (RFC 4193)"),
    ("fe80::/10", "link-local (RFC 4291)"),
    ("ff00::/8", "multicast (RFC 4291)"),
)
"""IANA special-purpose address registries (RFC 6890 and its updates); more specific ranges first."""

_RESOLVERS = {
    "Google Public DNS": "8.8.8.8 8.8.4.4 2001:4860:4860::8888 2001:4860:4860::8844",
    "Cloudflare DNS": "1.1.1.1 1.0.0.1 1.1.1.2 1.0.0.2 1.1.1.3 1.0.0.3 2606:4700:4700::1111 2606:4700:4700::1001",
    "Quad9 DNS": "9.9.9.9 149.112.112.112 9.9.9.10 149.112.112.10 2620:fe::fe 2620:fe::9",
    "OpenDNS": "208.67.222.222 208.67.220.220 2620:119:35::35 2620:119:53::53",
    "Yandex DNS": "77.88.8.8 77.88.8.1",
    "AliDNS": "223.5.5.5 223.6.6.6 2400:3200::1 2400:3200:baba::1",
    "DNSPod DNS": "119.29.29.29",
    "114DNS": "114.114.114.114 114.114.115.115",
    "AdGuard DNS": "94.140.14.14 94.140.15.15",
    "Level 3 DNS": "4.2.2.1 4.2.2.2",
}
_RESOLVER = {address: name for name, addresses in _RESOLVERS.items() for address in addresses.split()}

_NAMES = {
    "example": "reserved for examples (RFC 2606)",
    "example.com": "reserved for examples (RFC 2606)",
    "example.net": "reserved for examples (RFC 2606)",
    "example.org": "reserved for examples (RFC 2606)",
    "invalid": "reserved, never resolves (RFC 2606)",
    "test": "reserved for tests (RFC 2606)",
    "localhost": "this machine (RFC 6761)",
    "local": "local network (RFC 6762)",
    "internal": "private networks (ICANN)",
    "lan": "private networks",
    "home.arpa": "home networks (RFC 8375)",
    "alt": "not resolved by the DNS (RFC 9476)",
    "onion": "Tor onion service (RFC 7686)",
}

_COMMON = frozenset(
    """huggingface.co hf.co hf.space github.com githubusercontent.com github.io gitlab.com bitbucket.org pypi.org
    python.org pythonhosted.org readthedocs.io readthedocs.org anaconda.org anaconda.com conda.io pytorch.org
    tensorflow.org keras.io tfhub.dev kaggle.com modelscope.cn modelscope.ai onnx.ai scikit-learn.org numpy.org
    scipy.org pandas.pydata.org pydata.org jupyter.org wandb.ai mlflow.org openai.com anthropic.com nvidia.com
    ngc.nvidia.com docker.com docker.io ghcr.io quay.io npmjs.com npmjs.org nodejs.org debian.org ubuntu.com
    apache.org w3.org ietf.org rfc-editor.org iana.org json-schema.org schema.org creativecommons.org spdx.org
    opensource.org gnu.org fsf.org mozilla.org arxiv.org doi.org wikipedia.org wikimedia.org stackoverflow.com
    medium.com google.com googleapis.com googleusercontent.com microsoft.com apple.com""".split()
)
"""Registered names of hubs, indexes, standards and documentation that benign texts point to; a name below one is as common."""

_HOSTED = frozenset(
    """huggingface.co hf.space github.com githubusercontent.com github.io gitlab.com googleapis.com
    googleusercontent.com medium.com""".split()
)
"""Of these, the ones where anybody may put content."""

_KINDS = {
    "content delivery network": "13335 54113 20940 16625 15133 60068 32787",
    "cloud": "16509 14618 15169 396982 8075 8068 31898 45102 37963 132203 45090",
    "hosting": "14061 16276 24940 20473 63949 51167 36352 12876 9009 26496 40021",
    "common service": "36459",
}
_CARRIERS = {int(number): kind for kind, numbers in _KINDS.items() for number in numbers.split()}
"""Autonomous systems whose addresses belong to whoever rents them: Cloudflare, Fastly, Akamai, Edgio, CDN77; Amazon, Google,
Microsoft, Oracle, Alibaba, Tencent; DigitalOcean, OVH, Hetzner, Vultr, Linode, Contabo,
HostPapa, Scaleway, M247, GoDaddy; GitHub."""

_RESEARCH = {
    1237: "KREONET", 786: "JANET", 680: "DFN", 2200: "RENATER", 1103: "SURFnet", 2907: "SINET", 7575: "AARNet", 4538: "CERNET",
    11537: "Internet2", 17579: "KREONET2",
}  # fmt: skip
"""Research networks by the name under which they are known, where the registered organisation is another one."""

_NETWORKS = tuple((ipaddress.ip_network(text), label) for text, label in _RANGES)


def address_label(address: str) -> str:
    """Say what a special address is; an empty string for an ordinary one."""
    if address in _RESOLVER:
        return f"public DNS resolver ({_RESOLVER[address]})"
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return next((label for network, label in _NETWORKS if parsed.version == network.version and parsed in network), "")


def name_label(domain: str) -> str:
    """Say what a reserved or very common name is; an empty string for any other."""
    for parent in parents(domain):
        if parent in _NAMES:
            return _NAMES[parent]
        if parent in _COMMON:
            return "common service, content by anybody" if parent in _HOSTED else "common service"
    return ""


def carrier_label(asn: int) -> str:
    """Say whether an autonomous system rents its addresses out: ``cloud``, ``hosting``, ``content delivery network``."""
    return _CARRIERS.get(asn, "")


def organisation(asn: int, registered: str) -> str:
    """Give the name of an organisation, with the name of its network where that is the better known one."""
    known = _RESEARCH.get(asn, "")
    return f"{registered} ({known})" if known and known.lower() not in registered.lower() else registered


def parents(domain: str) -> list[str]:
    """List a domain and the domains above it, the longest first, down to the top level."""
    labels = domain.split(".")
    return [".".join(labels[index:]) for index in range(len(labels))]
