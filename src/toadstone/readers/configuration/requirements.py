"""Requirement files of pip: lines that take packages from somewhere else than the configured index."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Fact, Setting
from toadstone.core.place import Place
from toadstone.readers.reader import Source

_NAME = re.compile(r"(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.(?:txt|in)", re.IGNORECASE)
_OPTION = re.compile(r"(--?[a-zA-Z][\w-]*)(?:[ =]\s*(.*))?")
_ELSEWHERE = re.compile(r"(?:git|hg|svn|bzr)\+|(?:https?|ftp|file|s3|ssh)://|\S+\s*@\s*\S+://", re.IGNORECASE)
_MAX = 4 << 20


def claims(source: Source) -> bool:
    """Whether a file is called like a requirement file, or lies in a folder of them, and is text; or configures pip."""
    path = source.place.member.rpartition("!")[2] or source.place.path
    folder, _, base = path.rpartition("/")
    named = _NAME.fullmatch(base) or (base.endswith(".txt") and folder.rpartition("/")[2] == "requirements")
    return bool(named or base.lower() in _CONFIGURATIONS) and b"\0" not in source.head()


_CONFIGURATIONS = frozenset({"pip.conf", "pip.ini", ".pypirc", ".condarc"})
"""Files with ``key = address`` or ``key: address`` lines."""

SUFFIXES = (".txt", ".in", *sorted(_CONFIGURATIONS))
"""Ends of the names that `claims` may agree to."""


def read(source: Source) -> Iterator[Fact]:
    """Yield a `Setting` (schema ``pip``) for options and for requirements with an address of their own."""
    data = source.blob.read(0, _MAX)
    source.budget.spend_steps(len(data) // 8)
    source.coverage.read(0, len(data))
    configures = source.name.rpartition("/")[2].lower() in _CONFIGURATIONS
    text = data.decode("utf-8", "replace").replace("\\\r\n", " ").replace("\\\n", " ")
    for row, line in enumerate(text.split("\n")):
        words = line.split(" #", 1)[0].strip()
        if not words or words.startswith("#"):
            continue
        if configures:
            key, _, words = words.partition("=")
            words = f"--{key.strip()} {words.strip()}"
        yield from stated(source.place.line(row), words)


def stated(place: Place, words: str) -> Iterator[Fact]:
    """Yield a `Setting` (schema ``pip``) for one requirement or option, if it names a place."""
    option = _OPTION.fullmatch(words)
    if option is not None:
        yield Setting(place, "pip", option[1], (option[2] or "")[:400])
    elif _ELSEWHERE.search(words[:2000]):
        yield Setting(place, "pip", "requirement", words[:400])
