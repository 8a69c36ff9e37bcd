"""Requirements that are taken from somewhere else than the package index."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Setting
from toadstone.core.finding import Finding, Indicator, Severity
from toadstone.core.place import Place
from toadstone.core.regex import regex
from toadstone.core.value import render

_INDEX = frozenset({"-i", "--index-url", "--pypi-url", "--extra-index-url", "-f", "--find-links"})
_FILES = frozenset({"-r", "--requirement", "-c", "--constraint", "-e", "--editable"})
_URL = regex(r"(?:(?:git|hg|svn|bzr)\+)?(?:https?|ftp|ssh|git|s3)://[^\s;#'\"]+|\bgit@[\w.-]+:\S+", re.IGNORECASE)
_SHARED = ("storage.googleapis.com", "amazonaws.com", "bcebos.com", "github.com", ".github.io", "gitlab.com", "huggingface.co")
"""Places where anybody may put files; honest builds are there as well."""
_PINNED = regex(r"(?:#|&)(?:sha256|sha384|sha512)=[0-9a-f]{64,}|@[0-9a-f]{40}\b", re.IGNORECASE)
_INTERNAL = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7")
)


@check(
    "package-source",
    severity=Severity.MEDIUM,
    reads=Setting,
    references=(
        "CWE-494",
        "CWE-829",
        "CWE-319",
        "CWE-427",
        "MITRE ATLAS 2026.08 AML.T0010.001",
        "OWASP LLM 2026 LLM04",
        "OWASP ML 2023 ML06",
    ),
)
class PackageSource(Check):
    """The model's requirements make pip install packages from a place of the author's choosing.

    ## Why it matters
    Installing a package runs its code. A requirement that is a URL, or an option that names another index, takes that code
    from whoever owns the address, and a second index next to the first makes every name a race between the two (dependency
    confusion). A repository that looks like a model then installs something else than what the names say.

    ## How it decides
    `high`: an address in numbers on a public network. Such an address has no owner that anybody could name and no certificate;
    no publisher hands out packages like this. `medium`: transport without encryption, and an index or a folder of links at a
    host that is not in `known_hosts`. `low`: an index at one of the big hosts where anybody may put files, and a requirement by
    URL or from a version control system, which many honest
    repositories have (a build for one GPU, an unreleased version); when it is pinned to a digest or commit it is `info`.
    Addresses of internal networks count as unknown hosts. Indexes at a host in `known_hosts` are silent.

    ## What it misses
    Hostile packages on the public index, names that resemble others, and indexes that the user's own pip configuration names.

    ## Remedy
    Install from the public index, or from a mirror that you control, with versions and hashes (`pip install --require-hashes`).

    ## References
    pip documentation, "Requirements File Format"; A. Birsan, "Dependency Confusion" (2021); CWE-427, CWE-494, CWE-829.
    """

    known_hosts: frozenset[str] = frozenset({
        "pypi.org", "test.pypi.org", "files.pythonhosted.org", "pypi.python.org", "pypi.nvidia.com", "pypi.ngc.nvidia.com",
        "developer.download.nvidia.com", "download.pytorch.org", "data.pyg.org", "conda.anaconda.org",
        "pypi.tuna.tsinghua.edu.cn", "mirrors.aliyun.com", "mirrors.cloud.tencent.com", "mirror.baidu.com",
        "pypi.mirrors.ustc.edu.cn", "pypi.doubanio.com", "pypi.douban.com", "repo.huaweicloud.com", "mirrors.huaweicloud.com",
        "www.paddlepaddle.org.cn", "download.openmmlab.com", "flashinfer.ai", "wheels.vllm.ai", "repo.radeon.com",
        "pytorch-extension.intel.com", "download.tensorflow.org", "piwheels.org", "www.piwheels.org",
    })  # fmt: skip
    """Hosts of package indexes that honest requirement files name."""

    def examine(self, fact: Setting) -> Iterator[Finding]:
        """Judge one option or requirement."""
        if fact.schema != "pip" or fact.key.startswith("build-system"):
            return
        text = fact.value if isinstance(fact.value, str) else render(fact.value, 400)
        if fact.key == "--trusted-host":
            if _host(f"//{text}") not in self.known_hosts:
                yield self._found(fact, text, Severity.MEDIUM, "switches the check of certificates off for")
            return
        if fact.key not in _INDEX | _FILES and fact.key != "requirement":
            return
        for url in _URL.findall(text)[:16]:
            severity = self._judged(fact.key, url, text)
            if severity is not None:
                yield self._found(
                    fact, url, severity, "takes packages from" if fact.key in _INDEX else "takes a requirement from"
                )

    def _judged(self, key: str, url: str, text: str) -> Severity | None:
        host = _host(url)
        plain = bool(re.match(r"(?:\w+\+)?(?:http|ftp|git|svn)://", url, re.IGNORECASE))
        if _numeric(host):
            return Severity.HIGH
        if key in _INDEX:
            if host in self.known_hosts:
                return None
            return Severity.LOW if host.endswith(_SHARED) and not plain else Severity.MEDIUM
        if plain and host not in self.known_hosts:
            return Severity.MEDIUM
        return Severity.INFO if _PINNED.search(text) else Severity.LOW

    def _found(self, fact: Setting, what: str, severity: Severity, deed: str) -> Finding:
        kind = "ipv4" if _numeric(_host(what)) and "." in _host(what) else "url"
        message = f"The requirements file {deed} {what}."
        return self.finding(
            fact.place,
            message,
            severity=severity,
            key=f"{fact.key}:{what}",
            indicators=(Indicator("url" if "//" in what else kind, what),),
            option=fact.key,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give an index in numbers, an unknown one, a requirement by URL, and a host without certificate checks."""
        place = Place("requirements.txt", row=0)
        yield Setting(place, "pip", "--index-url", "http://198.51.100.7/simple")
        yield Setting(place, "pip", "--extra-index-url", "https://packages.corp.example/simple")
        yield Setting(place, "pip", "requirement", "tool @ http://packages.example/tool-1.0.tar.gz")
        yield Setting(place, "pip", "requirement", "git+https://github.com/acme/tool")
        yield Setting(place, "pip", "--trusted-host", "packages.example")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give the usual second index, and options that name no place."""
        place = Place("requirements.txt", row=0)
        yield Setting(place, "pip", "--extra-index-url", "https://download.pytorch.org/whl/cu121")
        yield Setting(place, "pip", "--pre", "")
        yield Setting(place, "pip", "-r", "requirements-base.txt")


def _host(url: str) -> str:
    try:
        return (urlsplit(url.partition("+")[2] if re.match(r"\w+\+", url) else url).hostname or "").lower()
    except ValueError:
        return ""


def _numeric(host: str) -> bool:
    """Whether a host is an address in numbers that does not belong to an internal network. Decimal and hex spellings count."""
    try:
        address = ipaddress.ip_address(int(host, 0) if re.fullmatch(r"\d{8,10}|0x[0-9a-f]{1,8}", host) else host)
    except ValueError:
        return False
    return not any(address in network for network in _INTERNAL if network.version == address.version)
