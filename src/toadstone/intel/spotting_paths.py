"""Paths of files that say where code reads or writes: absolute ones of Unix and Windows, and those of a user's home."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.intel.spotting_types import Spotted

_UNIX = re.compile(
    r"/(?<![\w./:~\\$})\]>*?&=%-]/)(?:etc|usr|var|tmp|home|root|opt|bin|sbin|dev|proc|sys|mnt|srv|run|boot|Users|Library|Applications|System)"
    r"(?:/[\w.+@%~#-]+)+"
)
_HOME = re.compile(r"~/(?<![\w/.~]~/)[\w.+@%-]+(?:/[\w.+@%-]+)*")
_FOLDER = r"(?:[\w.+@%~-]{1,64}|[\w+@~-]{1,32}(?: [\w+@()~-]{1,32}){1,3})"
_DRIVE = re.compile(rf":(?<=[A-Za-z]:)(?<![A-Za-z0-9][A-Za-z]:)\\{{1,2}}(?:{_FOLDER}\\{{1,2}})*[\w.+@%~-]+")
_VARIABLE = re.compile(
    r"%(?:appdata|localappdata|temp|tmp|userprofile|programdata|windir|systemroot|public|allusersprofile|homepath)%\\{1,2}(?:[\w.+@%~-]+\\{1,2})*[\w.+@%~-]+",
    re.IGNORECASE,
)
_ENDS = ".,:;!?-"


def paths(text: str) -> Iterator[Spotted]:
    """Yield the absolute paths of a text."""
    for pattern in (_UNIX, _HOME):
        for found in pattern.finditer(text):
            written = found[0].rstrip(_ENDS)
            if written.startswith(("/dev/tcp/", "/dev/udp/")):
                continue  # bash's way to write an endpoint
            yield Spotted("path", written, found.start(), found.start() + len(written))
    if "\\" not in text:
        return
    for found in _DRIVE.finditer(text):
        written = text[found.start() - 1 : found.end()].rstrip(_ENDS)
        yield Spotted("path", written.replace("\\\\", "\\"), found.start() - 1, found.start() - 1 + len(written))
    for found in _VARIABLE.finditer(text):
        yield Spotted("path", found[0].replace("\\\\", "\\"), found.start(), found.end())
