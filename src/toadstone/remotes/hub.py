"""The Hugging Face hub, or a mirror of it: one commit is listed and read, whatever the branch does meanwhile.

Source: the hub's HTTP API as `huggingface_hub` speaks it (``HfApi.model_info``, ``list_repo_tree``, ``hf_hub_url``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from toadstone.core.blob import Blob
from toadstone.core.errors import UsageError
from toadstone.core.finding import Json
from toadstone.readers.bounded_json import JsonError
from toadstone.readers.bounded_json import parse as parse_json
from toadstone.remotes.client import Answer, Client, origin
from toadstone.remotes.files import RemoteFile, believable
from toadstone.remotes.hub_address import HubAddress, parse
from toadstone.remotes.ranges import Piece, Remote
from toadstone.remotes.trouble import PassingError, RemoteError, StatusError, plain

DEFAULT = "https://huggingface.co"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEXT = re.compile(r"<([^<>]{1,4096})>\s*;[^,]*\brel\s*=\s*\"?next\b", re.IGNORECASE)
_SCANNERS = ("avScan", "pickleImportScan", "jFrogScan", "protectAiScan", "virusTotalScan")
_UNKNOWN = -1
"""Size of a file that nobody has stated; only without a listing."""
_ADVICE = {
    "GatedRepo": "it is gated: accept its conditions on the hub and set HF_TOKEN",
    "RepoNotFound": "there is no such repository, or it is private: check the name, or set HF_TOKEN",
    "RevisionNotFound": "it has no such branch, tag or commit",
    "EntryNotFound": "it has no such file or folder at this revision",
}


def endpoint() -> str:
    """Give the address of the hub, as ``HF_ENDPOINT`` has it.

    Raises:
        UsageError: If that is no web address.
    """
    address = (os.environ.get("HF_ENDPOINT") or DEFAULT).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"HF_ENDPOINT is {address!r}, which is no web address.", f"The usual one is {DEFAULT}.")
    return address


def token() -> str:
    """Give the user's token: ``HF_TOKEN``, or what ``hf auth login`` stored; empty when there is none.

    With `huggingface_hub` installed it is asked, since it also knows vaults of notebooks and renews tokens.
    """
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if value := os.environ.get(name, "").strip():
            return value
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        from huggingface_hub import get_token  # noqa: PLC0415  (optional, slow)
    except ImportError:
        return _stored_token()
    return str(get_token() or "")


def _stored_token() -> str:
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    path = Path(os.environ.get("HF_TOKEN_PATH") or Path(home) / "token")
    try:
        return path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, RuntimeError):
        return ""


class Hub:
    """One repository at one commit.

    Args:
        client: Makes the requests.
        target: As typed.
    """

    def __init__(self, client: Client, target: str) -> None:
        self._client = client
        self._target = target
        self.address: HubAddress = parse(target)
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
            raise UsageError(f"{target} is not read: HF_HUB_OFFLINE is set.", "Scan the folder of the cache, or unset it.")
        self._base = endpoint()
        _, host, port = origin(urlsplit(self._base))
        client.reach.name(host, port)
        secret = token()
        if any(not "!" <= character <= "~" for character in secret):
            raise UsageError("the hub token has characters that no token has.", "Look at HF_TOKEN.")
        self._secret = f"Bearer {secret}" if secret else ""
        self._commit = ""
        self.about: dict[str, str] = {}
        """What the hub says of the repository, after `files`: commit, owner, its number, licence, when it was changed."""
        self._files: dict[str, RemoteFile] = {}

    def files(self) -> Iterator[RemoteFile]:
        """List the files below the address, at the commit that its revision stands for right now.

        Raises:
            RemoteError: If the hub does not give what it should.
        """
        try:
            self._commit, status = self._pinned()
            entries = self._listed()
        except StatusError as error:
            raise RemoteError(f"{self.address.repository}: {_helpful(error, anonymous=not self._secret)}") from None
        for entry in entries:
            path = str(entry["path"])
            file = self._file(entry, status)
            if path in self._files:
                file = RemoteFile(file.shown, file.name, trouble=f"the hub lists {plain(path)!r} twice")
            self._files[path] = file
        if not entries:
            what = plain(repr(self.address.path)) if self.address.path else "file"
            raise RemoteError(f"{self.address.repository} has no {what} at {plain(self.address.revision)}")
        yield from self._files.values()

    def _pinned(self) -> tuple[str, dict[str, str]]:
        """Resolve the revision, and ask what the hub's scanners say of the repository."""
        query = "?securityStatus=true" if self.address.kind == "models" else ""
        info = self._json(f"{self._base}{self.address.api}/revision/{quote(self.address.revision, safe='')}{query}")[0]
        commit = info.get("sha") if isinstance(info, dict) else None
        if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
            raise RemoteError("the hub names no commit for this revision")
        if _COMMIT.fullmatch(self.address.revision) and commit != self.address.revision:
            raise RemoteError(f"the hub answers with another commit ({commit[:12]}…) than the one that was asked for")
        self.about = {"commit": commit, **_told(info)}
        found = info.get("securityRepoStatus")
        issues = found.get("filesWithIssues") if isinstance(found, dict) else None
        flagged = {
            str(issue["path"]): plain(str(issue.get("level") or issue.get("status") or "issue"), 40)
            for issue in (issues if isinstance(issues, list) else [])
            if isinstance(issue, dict) and isinstance(issue.get("path"), str)
        }
        return commit, flagged

    def _listed(self) -> list[dict[str, Any]]:
        """List the files, also on a mirror that has no listing but names the files of a repository."""
        try:
            return list(self._entries())
        except StatusError as error:
            if error.code or error.status not in (404, 405, 501):
                raise
            named = list(self._named())
            if not named:
                raise
            return named

    def _named(self) -> Iterator[dict[str, Any]]:
        """Yield the files that the repository's own description names; their sizes may be missing."""
        url = f"{self._base}{self.address.api}/revision/{quote(self._commit, safe='')}?blobs=true"
        info = self._json(url)[0]
        siblings = info.get("siblings") if isinstance(info, dict) else None
        for entry in siblings if isinstance(siblings, list) else ():
            path = entry.get("rfilename") if isinstance(entry, dict) else None
            if isinstance(path, str) and f"{path}/".startswith(f"{self.address.path}/" if self.address.path else ""):
                lfs = entry.get("lfs")
                kept = {"lfs": {"oid": lfs.get("sha256"), "size": lfs.get("size")}} if isinstance(lfs, dict) else {}
                yield {"path": path, "size": entry.get("size", _UNKNOWN), "oid": entry.get("blobId"), **kept}

    def _entries(self) -> Iterator[dict[str, Any]]:
        """Yield the files of the listing, page after page."""
        base = f"{self._base}{self.address.api}/tree/{self._commit}"
        try:
            yield from self._pages(f"{base}/{quote(self.address.path)}" if self.address.path else base)
        except StatusError as error:
            if not self.address.path or error.status != 404:
                raise
            folder = self.address.path.rpartition("/")[0]  # it may be a file, which has no listing of its own
            for entry in self._pages(f"{base}/{quote(folder)}" if folder else base, recursive=False):
                if entry["path"] == self.address.path:
                    yield entry
                    return

    def _pages(self, url: str, *, recursive: bool = True) -> Iterator[dict[str, Any]]:
        limits = self._client.limits
        seen: set[str] = set()
        count = 0
        url = f"{url}?recursive={str(recursive).lower()}&expand=true"
        while url:
            if url in seen or len(seen) >= limits.pages:
                raise RemoteError("the listing of the repository does not end")
            seen.add(url)
            page, link = self._json(url)
            if not isinstance(page, list):
                raise RemoteError("the hub's listing is of another form than the API's")
            for entry in page:
                if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
                    raise RemoteError("the hub's listing is of another form than the API's")
                count += 1
                if count > limits.entries:
                    raise RemoteError(f"the repository has more than {limits.entries:,} files")
                if entry.get("type") != "directory":
                    yield entry
            url = self._following(url, link)

    def _following(self, url: str, link: str) -> str:
        match = _NEXT.search(link)
        if match is None:
            return ""
        following = str(urljoin(url, match[1]))
        if origin(urlsplit(following)) != origin(urlsplit(self._base)):
            raise RemoteError("the listing goes on at another server, which was not asked")
        return following

    def _json(self, url: str) -> tuple[Any, str]:
        most = self._client.limits.listing

        def consume(answer: Answer) -> tuple[Any, str]:
            data = self._client.took(answer.read(most + 1))
            if len(data) > most:
                raise RemoteError(f"the hub's answer is longer than {most:,} bytes")
            if answer.length > len(data):
                raise PassingError("the hub's answer is cut short")
            try:
                return parse_json(data, utf8_only=True).root, answer.header("Link")
            except JsonError as error:
                raise RemoteError(f"the hub's answer is no JSON: {plain(str(error))}") from None

        return self._client.exchange(url, consume, {"Accept": "application/json"}, self._secret)

    def _file(self, entry: dict[str, Any], flagged: dict[str, str]) -> RemoteFile:
        path = str(entry["path"])
        inner = path.removeprefix(self.address.path).lstrip("/") if self.address.path else path
        shown = f"{self._target.rstrip('/')}/{plain(inner, 1024)}" if inner else self._target
        name = path.rpartition("/")[2]
        size = entry.get("size")
        wrong = believable(path)
        if self.address.path and path != self.address.path and not path.startswith(f"{self.address.path}/"):
            wrong = "it was not asked for"
        if type(size) is not int or size < _UNKNOWN or (size == _UNKNOWN and entry.get("type") == "file"):
            wrong = wrong or "it has no size"
        if wrong:
            return RemoteFile(shown, name, trouble=f"the hub lists {plain(path)!r}: {wrong}")
        assert isinstance(size, int)
        url = self._base + self.address.page(self._commit, path)
        claimed, size = _claims(entry, size)
        opinion = _opinion(entry, flagged.get(path, ""))
        remote = Remote(self._client, lambda: url, size, secret=self._secret, verify=lambda piece: self._held(piece, size))
        told: dict[str, Json] = {"url": url, "commit": self._commit, "claimed": dict(claimed), "hub": dict(opinion)}
        folder = path.rpartition("/")[0]
        return RemoteFile(shown, name, "the hub", remote, claimed, told, opinion, sibling=lambda name: self._beside(folder, name))

    def _held(self, piece: Piece, size: int) -> None:
        """Hold an answer to the pinned commit and the listed size."""
        commit = piece.told.get("x-repo-commit", "")
        if commit and commit != self._commit:
            raise RemoteError(f"the hub serves commit {plain(commit, 12)} instead of {self._commit[:12]}")
        linked = piece.told.get("x-linked-size", "")
        if linked and size != _UNKNOWN and linked != str(size):
            raise RemoteError(f"the hub declares {plain(linked, 20)} bytes now; {size:,} were listed")

    def _beside(self, folder: str, name: str) -> Blob | None:
        file = self._files.get(f"{folder}/{name}" if folder else name)
        return file.open() if file is not None and file.remote is not None else None


def _told(info: dict[str, Any]) -> dict[str, str]:
    """Take who owns a repository, the number that a later one of the same name does not have, and its licence."""
    card = info.get("cardData")
    licence = card.get("license") if isinstance(card, dict) else None
    found = {"owner": info.get("author"), "repository": info.get("_id"), "licence": licence, "changed": info.get("lastModified")}
    return {name: plain(value, 100) for name, value in found.items() if isinstance(value, str)}


def _claims(entry: dict[str, Any], size: int) -> tuple[dict[str, str], int]:
    """Give the digests that the listing claims, and the size of the content (of large files, not of their pointer)."""
    lfs = entry.get("lfs")
    if isinstance(lfs, dict):
        content = lfs.get("size")
        digest = str(lfs.get("oid", "")).removeprefix("sha256:")
        claimed = {"sha256": digest} if _SHA256.fullmatch(digest) else {}
        return claimed, content if type(content) is int and content >= 0 else size
    oid = str(entry.get("oid", ""))
    return ({"git-sha1": oid} if len(oid) == 40 and _COMMIT.fullmatch(oid) else {}), size


def _opinion(entry: dict[str, Any], level: str) -> dict[str, str]:
    """Give what the hub's scanners say: the overall word under ``status``, then each scanner's."""
    found = entry.get("securityFileStatus")
    said: dict[str, str] = {}
    if isinstance(found, dict):
        if isinstance(found.get("status"), str):
            said["status"] = plain(found["status"], 40)
        for scanner in _SCANNERS:
            result = found.get(scanner)
            if isinstance(result, dict) and isinstance(result.get("status"), str):
                said[scanner] = plain(result["status"], 40)
    if level and said.get("status", "safe") in ("safe", "unscanned", "queued"):
        said["status"] = level
    return said


def _helpful(error: StatusError, *, anonymous: bool) -> str:
    """Say what to do about a refusal."""
    if error.code in _ADVICE:
        return f"{error}; {_ADVICE[error.code]}"
    if error.status in (401, 403):
        return f"{error}; " + ("set HF_TOKEN to a token that may read it" if anonymous else "the token may not read it")
    return f"{error}; {_ADVICE['RepoNotFound']}" if error.status == 404 else str(error)
