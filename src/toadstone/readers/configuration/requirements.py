"""Requirement files of pip: lines that take packages from somewhere else than the configured index."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Fact, Setting
from toadstone.readers.reader import Source

_NAME = re.compile(r"(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.(?:txt|in)", re.IGNORECASE)
_OPTION = re.compile(r"(--?[a-zA-Z][\w-]*)(?:[ =]\s*(.*))?")
_ELSEWHERE = re.compile(r"(?:git|hg|svn|bzr)\+|(?:https?|ftp|file|s3|ssh)://|\S+\s*@\s*\S+://", re.IGNORECASE)
_MAX = 4 << 20


def claims(source: Source) -> bool:
    """Whether a file is called like a requirement file and is text."""
    return bool(_NAME.fullmatch(source.name.rsplit("/", 1)[-1])) and b"\0" not in source.head()


def read(source: Source) -> Iterator[Fact]:
    """Yield a `Setting` (schema ``pip``) for options and for requirements with an address of their own."""
    data = source.blob.read(0, _MAX)
    source.budget.spend_steps(len(data) // 8)
    source.coverage.read(0, len(data))
    text = data.decode("utf-8", "replace").replace("\\\r\n", " ").replace("\\\n", " ")
    for row, line in enumerate(text.split("\n")):
        words = line.split(" #", 1)[0].strip()
        if not words or words.startswith("#"):
            continue
        option = _OPTION.fullmatch(words)
        if option is not None:
            yield Setting(source.place.line(row), "pip", option[1], (option[2] or "")[:400])
        elif _ELSEWHERE.search(words[:2000]):
            yield Setting(source.place.line(row), "pip", "requirement", words[:400])
