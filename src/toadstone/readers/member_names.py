"""What the names of archive members do to the file system they are unpacked into."""

from __future__ import annotations

import re

_LONG_NAME = 1024
_CONTROL = r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"


def traverses(name: str) -> bool:
    """Whether a name leads out of the folder it is unpacked into: absolute, with a drive letter, or through ``..``."""
    path = name.replace("\\", "/")
    has_drive = path[1:2] == ":" and path[0].isascii() and path[0].isalpha()
    return path.startswith("/") or has_drive or ".." in path.split("/")


def trick(name: str) -> str:
    """Say in what way a name reads differently to a person, a loader and a file system; empty if it does not."""
    if "\0" in name:
        return "contains NUL: C loaders and Python cut it there, Java does not"
    if not (name.isascii() and name.isprintable()) and re.search(_CONTROL, name):
        return "contains control or invisible characters"
    if len(name) > _LONG_NAME:
        return f"has {len(name):,} characters"
    if name[-1:] in {".", " "} or ". /" in name or " /" in name or "./" in name:
        parts = name.split("/")
        if any(part != part.rstrip(". ") and part not in {".", ".."} for part in parts):
            return "ends in dots or spaces, which Windows drops"
    return ""


def folded(name: str) -> str:
    """Give the form in which loaders and file systems compare names that ignore case, Unicode form and trailing dots."""
    if not name.isascii():
        import unicodedata  # noqa: PLC0415  (its tables are only needed for such names)

        name = unicodedata.normalize("NFC", name)
    name = name.replace("\\", "/").casefold()
    return name if name[-1:] not in {".", " "} else name.rstrip(". ")
