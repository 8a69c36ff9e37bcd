"""Regular expressions that are compiled when they are first used: most scans need few of those that their modules have."""

from __future__ import annotations

import re

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, without importing it
if TYPE_CHECKING:
    from typing import Any, AnyStr


class _Later:
    """Stands for a compiled expression until one of its methods is asked for; keeps the methods that were."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever a compiled expression has)
        found = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, found)
        return found


def regex(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Give what ``re.compile`` would give, without compiling it yet.

    For expressions at the level of a module. A mistake in one shows when it is first used.
    """
    return _Later(source, flags)  # type: ignore[return-value]
