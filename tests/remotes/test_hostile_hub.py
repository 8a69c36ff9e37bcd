"""Hubs whose API lies: every lie leaves the repository, or the file, unread with a reason."""

from __future__ import annotations

import json

import pytest

from tests.remotes.hostile_server import Request, misbehaving
from tests.remotes.loopback import COMMIT
from toadstone import Severity, scan
from toadstone.remotes.access import Access, Limits

QUICK = Access(limits=Limits(patience=2.0, connect=1.0, idle=0.5, attempts=2, pause=0.01, pages=20, entries=200, listing=1 << 16))
BODY = b"\x80\x04N."


class Api:
    """Answers as a hub does, except for what a test replaces."""

    def __init__(self, **replaced: object) -> None:
        self.replaced = replaced

    def __call__(self, request: Request) -> None:
        kind = "info" if "/revision/" in request.path else "tree" if "/tree/" in request.path else "file"
        answer = self.replaced.get(kind, getattr(self, kind))
        if callable(answer):
            answer(request)
        else:
            send(request, answer)

    def info(self, request: Request) -> None:
        send(request, {"sha": COMMIT})

    def tree(self, request: Request) -> None:
        send(request, [entry("a.pkl")])

    def file(self, request: Request, commit: str = COMMIT, **fields: str) -> None:
        told = {"Content_Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}", "ETag": '"one"', "X_Repo_Commit": commit, **fields}
        request.send("206 Partial Content", BODY, **told)


def entry(path: object, size: object = len(BODY)) -> dict[str, object]:
    return {"type": "file", "path": path, "size": size, "oid": "not a digest"}


def send(request: Request, value: object, **fields: str) -> None:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    request.send("200 OK", body, **fields)


def endless_pages(request: Request) -> None:
    number = request.number
    send(
        request, [entry(f"{number}.pkl")], Link=f'<{request.url}/api/models/owner/name/tree/{COMMIT}?cursor={number}>; rel="next"'
    )


def same_page(request: Request) -> None:
    send(request, [entry("a.pkl")], Link=f'<{request.url}{request.path}>; rel="next"')


def page_elsewhere(request: Request) -> None:
    send(request, [entry("a.pkl")], Link='<http://127.0.0.1:1/more>; rel="next"')


def flood(request: Request) -> None:
    send(request, [entry(f"{number}") for number in range(500)])


def other_commit(request: Request) -> None:
    Api().file(request, commit="f" * 40)


def endless_json(request: Request) -> None:
    request.send("200 OK", b"[", Content_Length="")
    while True:
        request.connection.sendall(b'{"type": "file"},' * 1000)


def cut_json(request: Request) -> None:
    request.send("200 OK", b'{"sha": "', Content_Length="500")
    raise OSError


LIES = {
    "no JSON": (Api(info=b"<html>"), "is no JSON"),
    "deep JSON": (Api(tree=b"[" * 60_000), "is no JSON"),
    "a number with a million digits": (Api(tree=b"[" + b"9" * 60_000 + b"]"), "is"),
    "no object": (Api(info=[1, 2]), "names no commit"),
    "no commit": (Api(info={"sha": None}), "names no commit"),
    "a commit that is a path": (Api(info={"sha": "../../x"}), "names no commit"),
    "no list": (Api(tree={"error": "x"}), "another form"),
    "nothing at all": (Api(tree=[]), "has no file at main"),
    "entries that are none": (Api(tree=[1]), "another form"),
    "a path that is a number": (Api(tree=[entry(5)]), "another form"),
    "pages without end": (Api(tree=endless_pages), "does not end"),
    "the same page": (Api(tree=same_page), "does not end"),
    "the next page elsewhere": (Api(tree=page_elsewhere), "another server"),
    "too many files": (Api(tree=flood), "more than 200 files"),
    "JSON without end": (Api(tree=endless_json), "longer than"),
    "JSON that is cut": (Api(info=cut_json), "cut short"),
    "another commit": (Api(file=other_commit), "instead of 0123456789ab"),
    "a size that is none": (Api(tree=[entry("a.pkl", "5")]), "has no size"),
    "a negative size": (Api(tree=[entry("a.pkl", -5)]), "has no size"),
    "a size that is too large": (Api(tree=[entry("a.pkl", 1 << 62)]), "more than any file that is believed"),
    "a smaller size": (Api(tree=[entry("a.pkl", 3)]), "answers with bytes"),
    "a larger size": (Api(tree=[entry("a.pkl", 5)]), "4 bytes now; 5 were declared"),
    "climbing": (Api(tree=[entry("../../etc/passwd")]), "climbs out"),
    "an absolute path": (Api(tree=[entry("/etc/passwd")]), "climbs out"),
    "a path of Windows": (Api(tree=[entry("..\\x")]), "climbs out"),
    "an empty part": (Api(tree=[entry("a//b")]), "climbs out"),
    "control characters": (Api(tree=[entry("a\x1b[2Jb.pkl")]), "control or invisible"),
    "a name that turns": (Api(tree=[entry("a\u202elkp.exe")]), "control or invisible"),
    "a name without end": (Api(tree=[entry("a" * 5000)]), "longer than any real one"),
    "no name": (Api(tree=[entry("")]), "empty"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_of_the_hub_is_a_clear_error(name, monkeypatch):
    behaviour, told = LIES[name]
    with misbehaving(behaviour) as hostile:
        monkeypatch.setenv("HF_ENDPOINT", hostile.url)
        report = scan("hf://owner/name", access=QUICK)
    assert report.exit_code(Severity.HIGH) == 3, report.as_dict()
    found = [gap.reason for subject in report.subjects for gap in subject.unread]
    assert len(found) == 1, found
    assert told in found[0]
    assert "internal error" not in found[0]
    assert all(subject.path.isprintable() for subject in report.subjects)


def test_what_was_not_asked_for_is_not_read(monkeypatch):
    with misbehaving(Api(tree=[entry("inner/a.pkl"), entry("other/b.pkl")])) as hostile:
        monkeypatch.setenv("HF_ENDPOINT", hostile.url)
        report = scan("hf://owner/name/inner", access=QUICK)
    assert [subject.complete for subject in report.subjects] == [False, True] or len(report.subjects) == 2
    assert "it was not asked for" in str(report.as_dict())


def test_another_commit_than_the_one_that_was_named(monkeypatch):
    with misbehaving(Api()) as hostile:
        monkeypatch.setenv("HF_ENDPOINT", hostile.url)
        report = scan(f"hf://owner/name@{'e' * 40}", access=QUICK)
    assert "another commit" in report.subjects[0].unread[0].reason


def test_two_files_of_one_name_do_not_hide_each_other(monkeypatch):
    with misbehaving(Api(tree=[entry("a.pkl"), entry("a.pkl", 3)])) as hostile:
        monkeypatch.setenv("HF_ENDPOINT", hostile.url)
        report = scan("hf://owner/name", access=QUICK)
    assert "twice" in str(report.as_dict())
    assert report.exit_code(Severity.HIGH) == 3


def test_a_server_that_fails_again_and_again_is_given_up(monkeypatch):
    def dead(request):
        raise OSError

    with misbehaving(Api(tree=[entry(f"{number}.pkl") for number in range(50)], file=dead)) as hostile:
        monkeypatch.setenv("HF_ENDPOINT", hostile.url)
        report = scan("hf://owner/name", access=QUICK)
        asked = sum("/resolve/" in request.path for request in hostile.requests)
    assert not report.complete
    assert len(report.subjects) == 50
    assert asked == 4, "two files, two attempts each"
    assert "was given up after 2 failures in a row" in report.subjects[-1].unread[0].reason
