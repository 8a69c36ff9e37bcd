"""Which bytes are code of which kind: cheap looks at the beginning, without any import that costs time."""

from __future__ import annotations

from toadstone.readers.reader import Source

LARGEST_STARTUP = 1 << 20
"""Bytes of a start-up file that are read; the interpreter reads it line by line."""

_RANGES = {
    "3.6": (3360, 3379),
    "3.7": (3390, 3399),
    "3.8": (3400, 3419),
    "3.9": (3420, 3429),
    "3.10": (3430, 3439),
    "3.11": (3450, 3499),
    "3.12": (3500, 3549),
    "3.13": (3550, 3599),
    "3.14": (3600, 3649),
}
"""First two bytes of the magic, as a number, by version."""


def is_python(source: Source) -> bool:
    """Whether the content can be Python source: text, named or marked as such."""
    head = source.head()
    if not head or b"\0" in head:
        return False
    name = source.name.lower()
    return name.endswith((".py", ".pyw")) or (head.startswith(b"#!") and b"python" in head[:100].split(b"\n", 1)[0])


def is_pyc(source: Source) -> bool:
    """Whether the content is a compiled module of a known version: its magic, valid flags, then a code object."""
    head = source.head(24)
    version = version_of(head)
    if not version:
        return head[2:4] == b"\r\n" and source.suffix in (".pyc", ".pyo") and len(head) > 8
    start = 12 if version == "3.6" else 16
    return head[start : start + 1] in (b"\xe3", b"c") and (start == 12 or int.from_bytes(head[4:8], "little") < 4)


def version_of(magic: bytes) -> str:
    """Give the CPython version that writes a magic number; empty if none from 3.6 to 3.14 does."""
    if len(magic) < 4 or magic[2:4] != b"\r\n":
        return ""
    number = int.from_bytes(magic[:2], "little")
    return next((version for version, (first, last) in _RANGES.items() if first <= number <= last), "")


def is_startup(source: Source) -> bool:
    """Whether a ``.pth`` file is text that the interpreter would read line by line."""
    head = source.head()
    if not head or b"\0" in head:
        return False
    if any(
        line.startswith((b"import ", b"import\t"))
        for line in head.replace(b"\r", b"\n").removeprefix(b"\xef\xbb\xbf").split(b"\n")
    ):
        return True
    text = head.decode("utf-8", "replace")
    return "\ufffd" not in text[:-1] and all(character >= " " or character in "\t\r\n\f" for character in text)


def is_notebook(source: Source) -> bool:
    """Whether the content is a JSON object that looks like a notebook."""
    head = source.head().lstrip()
    if source.name.lower().endswith(".ipynb"):
        return head.startswith((b"{", b"["))  # a list is none, which the reader says
    return head.startswith(b"{") and b'"cells"' in head and b'"cell_type"' in head
