"""Text: UTF-8, UTF-16 and UTF-32 with a byte order mark, and the single-byte encodings of Western text.

A stream that is text from the first byte to the last runs nowhere by itself; scripts are said to be scripts.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from toadstone.core.fact import Code, Fact, Setting, Text
from toadstone.core.regex import regex
from toadstone.readers.reader import HEAD, Reader, Source

_CONTROLS = bytes(byte for byte in range(1, 32) if byte not in b"\b\t\n\v\f\r\x1a\x1b") + b"\x7f"
_C1 = bytes(range(0x80, 0xA0))
_HIGH = bytes(range(0xA0, 0x100))
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SHEBANG = regex(rb"#![ \t]*(/\S+(?:[ \t]+[^\r\n]{1,80})?)")
_SCRIPTS = {
    ".sh": "shell", ".bash": "shell", ".zsh": "shell", ".bat": "batch", ".cmd": "batch", ".ps1": "powershell",
    ".vbs": "vbscript", ".wsf": "vbscript", ".hta": "html",
}  # fmt: skip
_PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".dill"})
"""Names under which a loader takes any bytes for opcodes."""

_SHORT = 64
"""Bytes below which anything but UTF-8 is too little evidence."""


class _Tally:
    """What a text has shown so far, in constant memory.

    Args:
        encoding: ``utf-16``, ``utf-32`` or empty for the byte-oriented ones.
        lenient: Go on behind bytes that are no UTF-8, and count them; otherwise the first one breaks the text.
    """

    def __init__(self, encoding: str, *, lenient: bool = False) -> None:
        self.encoding = encoding
        self.lenient = lenient
        self.size = self.controls = self.c1 = self.high = self.bad = 0
        self.broken = False
        self.decoder = codecs.getincrementaldecoder(encoding or "utf-8")("replace" if lenient else "strict")

    def add(self, chunk: bytes, *, final: bool) -> None:
        self.size += len(chunk)
        try:
            decoded = self.decoder.decode(chunk, final)
        except UnicodeDecodeError:
            self.broken = True
            return
        if self.encoding:
            self.controls += sum(decoded.count(chr(byte)) for byte in b"\0" + _CONTROLS)
            return
        self.broken = self.broken or b"\0" in chunk
        self.controls += len(chunk) - len(chunk.translate(None, _CONTROLS))
        if self.lenient and not chunk.isascii():
            self.bad += decoded.count("\ufffd")
            self.c1 += len(chunk) - len(chunk.translate(None, _C1))
            self.high += len(chunk) - len(chunk.translate(None, _HIGH))

    @property
    def text(self) -> bool:
        """Whether it is text: next to no controls, and UTF-8 with at most stray damage, or plausible Western text."""
        if self.broken or self.controls * 512 > self.size:
            return False
        if self.encoding or self.bad * 200 <= self.size:
            return True
        western = self.high * 10 <= 3 * self.size and self.c1 * 20 <= self.size
        return western and not self.controls and self.size >= _SHORT


def _encoding(head: bytes) -> str:
    return next((name for mark, name in _MARKS if head.startswith(mark)), "")


def claims(source: Source) -> bool:
    """Whether the beginning is text, or a script with anything behind it. Zeros at the end are left to the walker as padding."""
    head = source.head(HEAD)
    encoding = _encoding(head)
    whole = source.blob.size <= HEAD
    if not encoding and whole:
        head = head.rstrip(b"\0")
    if not head or head[:1] == b"\b":  # nobody's text begins with a step back; many a binary message does
        return False
    if encoding and not whole:
        head = head[: len(head) // 4 * 4]
    size = len(head) if whole else -1
    text = _judged([head], encoding, size) or (not encoding and _judged([head], encoding, size, lenient=True))
    return text or (head.startswith(b"#!") and _SHEBANG.match(head) is not None)


def read(source: Source) -> Iterator[Fact]:
    """Read all of it, twice if it is no clean UTF-8; claims nothing if it is no text to its end."""
    head = source.head(256)
    encoding = _encoding(head)
    end = source.blob.size if encoding else _trimmed(source)
    if _judged(source.blob.chunks(0, end), encoding, end) or (
        not encoding and _judged(source.blob.chunks(0, end), encoding, end, lenient=True)
    ):
        if source.suffix in _PICKLES:
            yield source.unread("text under the name of a pickle; what a loader makes of it is not known", 0, end)
            source.coverage.read(0, end)
        source.coverage.inert(0, end)
    yield from _script(source, head)  # also when an archive is glued behind the script: its bytes then stay unclaimed


def _judged(chunks: Iterable[bytes], encoding: str, end: int, *, lenient: bool = False) -> bool:
    """Whether a stream of ``end`` bytes is text; stops at the first chunk that cannot be."""
    tally = _Tally(encoding, lenient=lenient)
    for chunk in chunks:
        tally.add(chunk, final=tally.size + len(chunk) == end)
        if tally.broken:
            return False
    return tally.text


def _trimmed(source: Source) -> int:
    """Give the size without zeros at the end."""
    end = source.blob.size
    while end > 0:
        step = min(end, 1 << 16)
        kept = source.blob.read(end - step, step).rstrip(b"\0")
        if kept:
            return end - step + len(kept)
        end -= step
    return 0


def _script(source: Source, head: bytes) -> Iterator[Fact]:
    shebang = _SHEBANG.match(head) if head.startswith(b"#!") else None
    if shebang:
        from toadstone.readers.plain.native import promises_data  # noqa: PLC0415  (few texts are scripts)

        program = shebang.group(1).decode("utf-8", "replace")
        if promises_data(source):
            yield source.anomaly("false-name", f"a script for {program} is named {source.name[-80:]!r}", 0)
        elif "python" not in program:  # Python sources are read as Python
            yield Code(source.place, "script", source.name, f"script for {program}")
    elif language := _SCRIPTS.get(source.suffix):
        yield Code(source.place, "script", source.name, f"{language} script")
    if _OBEYED.search(f"/{source.place.path}/{source.place.member}/{source.name}"):
        text = source.blob.read(0, min(source.blob.size, _SCRIPT_READ)).decode("utf-8", "replace")
        yield Text(source.place, "agent-instructions", text)
    if _UNASKED.search(f"{source.place.path}/{source.place.member}/{source.name}"):
        yield from _commands(source)


_OBEYED = regex(
    r"(?i)/(?:agents|claude|gemini|skill|copilot-instructions|conventions)\.md\Z|/\.(?:cursorrules|windsurfrules|clinerules|goosehints)\Z"
    r"|/\.(?:cursor/rules|github/instructions|clinerules|continue/rules)/[^/]+\.mdc?\Z"
)
"""Files that agents for programming take as orders."""
_UNASKED = regex(
    r"(?:/|\A)\.envrc\Z|(?:/|\A)\.[\w.+-]{1,100}-(?:post|pre)-(?:un)?link\.sh\Z|/activate\.d/[^/]+\.sh\Z|/\.git/hooks/[\w-]+\Z"
)
"""Scripts that somebody else's tool runs by itself: direnv, conda at installation and activation, Git."""
_SCRIPT_READ = 256 << 10
_LINES = 4000


def _commands(source: Source) -> Iterator[Fact]:
    text = source.blob.read(0, min(source.blob.size, _SCRIPT_READ)).decode("utf-8", "replace").replace("\\\n", " ")
    for number, line in enumerate(text.splitlines()[:_LINES]):
        if (line := line.strip()) and not line.startswith("#"):
            yield Setting(source.place.line(number), "command", source.name[-80:], line[:4000])
    if source.blob.size > _SCRIPT_READ:
        yield source.unread("a script that a tool runs by itself, of no real length; the rest was not judged", _SCRIPT_READ)


READERS = (Reader(kind="text", read=read, claims=claims, always=True, rank=90),)
