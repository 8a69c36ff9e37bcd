"""Servers on loopback: a small hub that speaks the Hugging Face hub's API, and content that exists only while it is sent."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Content:
    """Bytes that are there when asked for: literal parts and long runs of one byte, so that gigabytes cost nothing."""

    def __init__(self, *parts: bytes | tuple[int, int]) -> None:
        self.parts = parts
        self.size = sum(len(part) if isinstance(part, bytes) else part[1] for part in parts)

    def read(self, start: int, stop: int) -> bytes:
        found = bytearray()
        at = 0
        for part in self.parts:
            size = len(part) if isinstance(part, bytes) else part[1]
            first, last = max(start - at, 0), min(stop - at, size)
            if first < last:
                found += part[first:last] if isinstance(part, bytes) else bytes([part[0]]) * (last - first)
            at += size
        return bytes(found)

    def sha256(self) -> str:
        state = hashlib.sha256()
        for start in range(0, self.size, 1 << 20):
            state.update(self.read(start, min(start + (1 << 20), self.size)))
        return state.hexdigest()


@dataclass
class Stored:
    """A file of the hub; what is None is computed, everything else is said as it stands."""

    content: Content
    lfs: bool = False
    sha256: str | None = None
    size: int | None = None
    status: dict[str, object] | None = None

    def entry(self, path: str) -> dict[str, object]:
        size = self.content.size if self.size is None else self.size
        oid = "f" * 40
        if self.content.size <= 1 << 20:
            data = self.content.read(0, self.content.size)
            oid = hashlib.sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()
        entry: dict[str, object] = {"type": "file", "oid": oid, "size": size, "path": path}
        if self.lfs:
            entry["lfs"] = {"oid": self.digest(), "size": size, "pointerSize": 135}
        if self.status is not None:
            entry["securityFileStatus"] = self.status
        return entry

    def digest(self) -> str:
        if self.sha256 is None:
            self.sha256 = self.content.sha256()
        return self.sha256


def judged(status: str, **scanners: str) -> dict[str, object]:
    """Make a `securityFileStatus` as the hub gives it."""
    scans = {
        "avScan": "safe",
        "pickleImportScan": "unscanned",
        "jFrogScan": "unscanned",
        "protectAiScan": "unscanned",
        **scanners,
    }
    return {"status": status, **{name: {"status": word} for name, word in scans.items()}}


@dataclass
class LoopbackHub:
    """One repository, ``owner/name``, in one commit that ``main`` and ``v1`` stand for.

    Attributes:
        files: By path.
        served: Bytes of bodies that were sent.
        requests: Path and headers of every request.
        cdn: Whether large files are handed out behind a redirect, as the real hub does.
        token: When set, nothing is given without it.
        page: Entries of one page of a listing.
        commit: What ``main`` and ``v1`` stand for.
        past: Commits that are still to be had, with the same files.
        about: What else is said of the repository: ``author``, ``_id``, ``lastModified``, ``cardData``.
    """

    files: dict[str, Stored] = field(default_factory=dict)
    served: int = 0
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    cdn: bool = True
    token: str = ""
    page: int = 50
    url: str = ""
    commit: str = COMMIT
    past: tuple[str, ...] = ()
    about: dict[str, object] = field(default_factory=dict)

    @property
    def store(self) -> str:
        """Where large files lie: another host by its name, the same socket by its address."""
        return self.url.replace("127.0.0.1", "localhost")

    def add(self, path: str, data: bytes | Content, **told: object) -> None:
        content = data if isinstance(data, Content) else Content(data)
        self.files[path] = Stored(content, **told)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes; without this each answer waits for an acknowledgement
    hub: LoopbackHub

    def log_message(self, *_rest: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub = self.hub
        hub.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        url = urlsplit(self.path)
        path = unquote(url.path)
        if hub.token and not path.startswith("/cdn/") and self.headers.get("Authorization") != f"Bearer {hub.token}":
            self.refuse(401, "RepoNotFound", "Repository not found")
        elif found := re.fullmatch(r"/api/(models|datasets|spaces)/owner/name(?:/revision/(.+))?", path):
            self.info(found[2] or "main")
        elif found := re.fullmatch(r"/api/(models|datasets|spaces)/owner/name/tree/([^/]+)(?:/(.+))?", path):
            self.tree(found[3] or "", parse_qs(url.query))
        elif found := re.fullmatch(r"/(?:datasets/|spaces/)?owner/name/resolve/([^/]+)/(.+)", path):
            self.resolve(found[2])
        elif path.startswith("/cdn/"):
            self.content(path.removeprefix("/cdn/"))
        else:
            self.refuse(404, "RepoNotFound", "Repository not found")

    def info(self, revision: str) -> None:
        known = ("main", "v1", "refs/pr/1", self.hub.commit, *self.hub.past)
        if revision not in known:
            self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        flagged = [path for path, stored in self.hub.files.items() if stored.status and stored.status["status"] == "unsafe"]
        self.json(
            {
                "id": "owner/name",
                "sha": revision if revision in self.hub.past else self.hub.commit,
                **self.hub.about,
                "siblings": [{"rfilename": path} for path in self.hub.files],
                "securityRepoStatus": {
                    "scansDone": True,
                    "filesWithIssues": [{"path": path, "level": "unsafe"} for path in flagged],
                },
            }
        )

    def tree(self, folder: str, query: dict[str, list[str]]) -> None:
        prefix = f"{folder}/" if folder else ""
        below = sorted(path for path in self.hub.files if path.startswith(prefix))
        if folder and not below:
            self.refuse(404, "EntryNotFound", f"{folder} does not exist")
            return
        if query.get("recursive") != ["true"]:
            below = [path for path in below if "/" not in path[len(prefix) :]]
        start = int(query.get("cursor", ["0"])[0])
        page = [self.hub.files[path].entry(path) for path in below[start : start + self.hub.page]]
        more: dict[str, str] = {}
        if start + self.hub.page < len(below):
            kept = f"recursive={query['recursive'][0]}&expand=true&cursor={start + self.hub.page}"
            more = {"Link": f'<{self.hub.url}{urlsplit(self.path).path}?{kept}>; rel="next"'}
        self.json(page, more)

    def resolve(self, path: str) -> None:
        stored = self.hub.files.get(path)
        if stored is None:
            self.refuse(404, "EntryNotFound", "Entry not found")
            return
        told = {"X-Repo-Commit": self.hub.commit}
        if stored.lfs and self.hub.cdn:
            told |= {"X-Linked-Size": str(stored.content.size), "X-Linked-ETag": f'"{stored.digest()}"'}
            self.start(302, {**told, "Location": f"{self.hub.store}/cdn/{quote(path)}?signature=0123", "Content-Length": "0"})
        else:
            self.content(path, told)

    def content(self, path: str, told: dict[str, str] | None = None) -> None:
        content = self.hub.files[path].content
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, stop = (int(found[1]), min(int(found[2]) + 1, content.size)) if found else (0, content.size)
        fields = {"ETag": f'"{self.hub.files[path].entry(path)["oid"]}"', "Content-Length": str(stop - start), **(told or {})}
        if found and start >= content.size:
            self.start(416, {"Content-Range": f"bytes */{content.size}", "Content-Length": "0"})
            return
        if found:
            fields["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
        self.start(206 if found else 200, fields)
        if self.command == "GET":
            for at in range(start, stop, 1 << 20):
                self.body(content.read(at, min(at + (1 << 20), stop)))

    def json(self, value: object, more: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.start(200, {"Content-Type": "application/json", "Content-Length": str(len(data)), **(more or {})})
        self.body(data)

    def refuse(self, status: int, code: str, message: str) -> None:
        self.start(status, {"X-Error-Code": code, "X-Error-Message": message, "Content-Length": "0"})

    def start(self, status: int, fields: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()

    def body(self, data: bytes) -> None:
        self.hub.served += len(data)
        self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_rest: object) -> None:
        """A client that hangs up is no error here."""


@contextmanager
def serving(hub: LoopbackHub) -> Iterator[LoopbackHub]:
    """Serve a hub on a free port of loopback."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = _Server(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
