"""XML as a stream of tokens, without building or expanding anything."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from toadstone.core.blob import CHUNK
from toadstone.readers.reader import Source

OPEN, SINGLE, CLOSE, DECLARATION, INSTRUCTION, TEXT = range(6)

_LONGEST = 16 << 20
"""Characters of the longest token: a tag with an array in an attribute."""

_TAG = re.compile(r"<(/?)([^\s<>/=\"'!?]{1,256})((?:[^<>\"']|\"[^\"]*\"|'[^']*')*+)>")
_BEGUN = re.compile(r"</?[^\s<>/=\"'!?]{1,256}(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+(?:\"[^\"]*|'[^']*)?\Z")
_MARK = re.compile(r"[\[\]>\"']|<!--|<\?")
_ENDS = {"<!--": "-->", "<?": "?>", '"': '"', "'": "'"}
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_KNOWN = frozenset(
    """
    utf-8 ascii us-ascii iso8859-1 latin-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9
    iso8859-10 iso8859-13 iso8859-14 iso8859-15 iso8859-16 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258
    gbk gb2312 gb18030 shift_jis cp932 euc_jp iso2022_jp euc_kr big5 koi8-r koi8-u tis-620
    """.split(),
)
_STRANGE = frozenset({"utf-7", "utf-32", "utf-32-le", "utf-32-be", "cp037", "cp500"})
"""Encodings in which documents are written that are to be read by one program and overlooked by another."""

_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")


class XmlError(ValueError):
    """The text is no XML from here on."""


class Token(NamedTuple):
    """One token.

    Attributes:
        kind: `OPEN`, `SINGLE` (an element without content), `CLOSE`, `DECLARATION` (the document type), `INSTRUCTION`, `TEXT`.
        name: Of the element, as written.
        text: Attributes as written, or the content.
    """

    kind: int
    name: str
    text: str


def encoding_of(source: Source) -> tuple[str, bool]:
    """Name the encoding as Python does, empty if it is not read, and say whether documents have it for honest reasons."""
    head = source.head(256)
    if head.startswith((b"\xff\xfe", b"<\0")):
        return "utf-16-le", True
    if head.startswith((b"\xfe\xff", b"\0<")):
        return "utf-16-be", True
    found = _ENCODING.search(head)
    try:
        name = codecs.lookup(found[1].decode("ascii")).name if found else "utf-8"
    except LookupError:
        return "", False
    if name.startswith("utf-16"):  # the declaration itself is not, so that it does not hold
        return "utf-8", True
    return (name, name in _KNOWN) if name in _KNOWN or name in _STRANGE else ("", False)


class Tokens:
    """Moves over a document.

    Args:
        source: The file.
        encoding: Of its text.
        wanted: Gives the expression that the next interesting tag matches, or None if every token is wanted. Comments, sections
            of character data, instructions and declarations are never taken for something else.

    Attributes:
        depth: Elements that are open at the end of the last piece of text, as counted from its tags.
        deepest: The largest such number.
    """

    def __init__(self, source: Source, encoding: str, wanted: Callable[[], re.Pattern[str] | None]) -> None:
        self._source = source
        self._encoding = encoding
        self._wanted = wanted
        self._held = ""
        self._position = 0
        self._behind = self._marked = 0
        self.depth = self.deepest = 0

    def __iter__(self) -> Iterator[Token]:
        """Yield the tokens; text between tags only if it is more than blanks.

        Raises:
            XmlError: Where the text is no XML.
        """
        decoder = codecs.getincrementaldecoder(self._encoding)("replace" if self._encoding[:5] == "utf-1" else "surrogateescape")
        for chunk in self._source.blob.chunks(0, None, CHUNK):
            self._source.budget.spend_steps(len(chunk) // 8)
            try:
                piece = decoder.decode(chunk)
            except UnicodeError:
                raise XmlError("bytes that are no text") from None
            self._measure(piece)
            self._held = self._held[self._position :] + piece
            self._behind += self._position
            self._position = 0
            while (token := self._next()) is not None:
                if token is not _NOTHING:
                    yield token
            if _CONTROL.search(self._held, self._position):
                raise XmlError("characters that XML does not have")
            if len(self._held) - self._position > _LONGEST:
                raise XmlError("a token without its end")
        if self._held[self._position :].strip("\r\n\t \ufeff"):
            raise XmlError("the text breaks off")

    def mark(self) -> None:
        """Remember the end of the token that was given last."""
        self._marked = self._behind + self._position

    def end(self) -> int:
        """Give the byte behind the token that was marked; -1 if the encoding does not tell."""
        if self._encoding not in ("utf-8", "ascii", "us-ascii", "iso8859-1", "cp1252"):
            return -1
        left = self._marked
        end = 0
        decoder = codecs.getincrementaldecoder(self._encoding)("surrogateescape")
        for chunk in self._source.blob.chunks(0, None, CHUNK):
            piece = decoder.decode(chunk)
            if len(piece) >= left:
                return end + len(piece[:left].encode(self._encoding, "surrogateescape"))
            left -= len(piece)
            end += len(piece.encode(self._encoding, "surrogateescape"))
        return end

    def _measure(self, piece: str) -> None:
        for start in range(0, len(piece), 1 << 16):
            part = piece[start : start + (1 << 16)]
            closed = part.count("</")
            self.depth += part.count("<") - 2 * closed - part.count("/>") - part.count("<!") - part.count("<?")
            self.deepest = max(self.deepest, self.depth)

    def _next(self) -> Token | None:
        """Give the next token, `_NOTHING` for what is no token, or None if more text is needed."""
        held = self._held
        pattern = self._wanted()
        if pattern is not None:
            found = pattern.search(held, self._position)
            if found is None:
                self._position = max(self._position, len(held) - 300)
                return None
            self._position = found.start()
        start = held.find("<", self._position)
        if start < 0:
            return None
        if start > self._position:
            text = held[self._position : start]
            self._position = start
            if _CONTROL.search(text):
                raise XmlError("characters that XML does not have")
            return Token(TEXT, "", text) if text.strip("\ufeff \t\r\n") else _NOTHING
        following = held[start + 1 : start + 2]
        if following in ("!", "?"):
            return self._markup(start)
        found = _TAG.match(held, start)
        if found is None:
            if len(held) - start > 300 and _BEGUN.match(held, start) is None:
                raise XmlError(f"{held[start : start + 20]!r} is no tag")
            return None
        if _CONTROL.search(found[0]):
            raise XmlError("characters that XML does not have")
        self._position = found.end()
        return Token(CLOSE if found[1] else SINGLE if found[3].endswith("/") else OPEN, found[2], found[3])

    def _markup(self, start: int) -> Token | None:
        held = self._held
        for opening, ending, kind in (("<!--", "-->", -1), ("<![CDATA[", "]]>", TEXT), ("<?", "?>", INSTRUCTION)):
            if held.startswith(opening, start):
                end = held.find(ending, start + len(opening))
                if end < 0:
                    return None
                self._position = end + len(ending)
                content = held[start + len(opening) : end]
                if _CONTROL.search(content):
                    raise XmlError("characters that XML does not have")
                return Token(kind, "", content) if kind >= 0 else _NOTHING
        if len(held) - start >= 9 and held[start : start + 9].upper() != "<!DOCTYPE":
            raise XmlError(f"{held[start : start + 20]!r} is no markup")
        end = _declaration_end(held, start + 9)
        if not end:
            return None
        if _CONTROL.search(held, start, end):
            raise XmlError("characters that XML does not have")
        self._position = end
        return Token(DECLARATION, "", held[start:end])


_NOTHING = Token(-1, "", "")


def _declaration_end(held: str, position: int) -> int:
    """Give the position behind a document type with its declarations; 0 if it does not end here."""
    inside = False
    while (found := _MARK.search(held, position)) is not None:
        mark, position = found[0], found.end()
        if mark in _ENDS:
            end = held.find(_ENDS[mark], position)
            if end < 0:
                return 0
            position = end + len(_ENDS[mark])
        elif mark == ">" and not inside:
            return position
        elif mark != ">":
            inside = mark == "["
    return 0


def interesting(names: str, others: str = "") -> re.Pattern[str]:
    """Make the expression for tags of these names (an alternation), whatever their prefix, and for all that is no tag."""
    return re.compile(rf"<(?:[!?]|/?(?:[\w.-]{{1,64}}:)?(?:{names})(?=[\s/>])){others}")


_ATTRIBUTE = re.compile(r"(?:^|(?<=[\s\"']))([^\s=<>\"'/]{1,256})\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)')")
_REFERENCE = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def attributes(text: str) -> dict[str, str]:
    """Give the attributes of a tag; predefined and numeric references are resolved, no others."""
    return {found[1]: plain(found[2] if found[2] is not None else found[3]) for found in _ATTRIBUTE.finditer(text)}


def plain(text: str) -> str:
    """Resolve predefined and numeric references."""
    return _REFERENCE.sub(_resolved, text) if "&" in text else text


def _resolved(found: re.Match[str]) -> str:
    if found[1]:
        return _NAMED[found[1]]
    number = int(found[2]) if found[2] else int(found[3], 16)
    return chr(number) if number < 0x110000 else "\ufffd"


def local(name: str) -> str:
    """Give a name without its prefix."""
    return name.rpartition(":")[2]
