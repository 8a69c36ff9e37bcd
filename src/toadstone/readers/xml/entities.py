"""The document type: what its entities would make a parser read, and how far they would expand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from toadstone.readers.xml.tokens import plain

_LITERAL = r"(?:\"([^\"]*)\"|'([^']*)')"
_EXTERNAL = re.compile(rf"<!DOCTYPE\s+\S+\s+(?:SYSTEM\s+{_LITERAL}|PUBLIC\s+{_LITERAL}\s*{_LITERAL}?)", re.IGNORECASE)
_ENTITY = re.compile(
    rf"<!ENTITY\s++(%\s++)?([^\s\"'<>%&;]{{1,256}})\s++(?:{_LITERAL}|SYSTEM\s+{_LITERAL}|PUBLIC\s+{_LITERAL}\s+{_LITERAL})",
    re.IGNORECASE,
)
_USE = re.compile(r"[&%]([^\s&%;#]{1,256});")
_MOST = 4096
_CEILING = 1 << 62


@dataclass
class Types:
    """What a document type declares.

    Attributes:
        subset: Where the rest of the declarations is; empty if they are all here.
        public: Public identifier of the subset.
        external: Names of entities that stand outside, with where.
        values: Texts of the other entities.
    """

    subset: str = ""
    public: str = ""
    external: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)

    def size(self, name: str) -> int:
        """Give how many characters an entity expands to; entities that contain themselves have no end."""
        stack = [name]
        while stack:
            top = stack[-1]
            if self._sizes.get(top, -1) >= 0 or top not in self.values:
                stack.pop()
                continue
            uses = _USE.findall(self.values[top])
            waiting = [use for use in uses if use in self.values and use not in self._sizes]
            if top in self._sizes and not waiting:  # its parts are known now
                total = len(self.values[top]) + sum(max(self._sizes.get(use, 0), 0) for use in uses)
                self._sizes[top] = min(total, _CEILING)
                stack.pop()
            else:
                self._sizes[top] = -1
                stack += waiting
        return max(self._sizes.get(name, 0), 0)


def types_of(text: str) -> Types:
    """Read a document type as written; declared first counts, as the standard has it."""
    found = Types()
    external = _EXTERNAL.match(text)
    if external is not None:
        parts = external.groups()
        found.subset = plain(parts[0] or parts[1] or parts[4] or parts[5] or "")
        found.public = parts[2] or parts[3] or ""
    for count, entity in enumerate(_ENTITY.finditer(text)):
        if count >= _MOST:
            break
        name = entity[2]
        if name in found.external or name in found.values:
            continue
        groups = entity.groups()[2:]
        value = next((part for part in groups[:2] if part is not None), None)
        target = next((part for part in (*groups[2:4], *groups[6:8]) if part is not None), None)
        if value is not None:
            found.values[name] = _nested(value)
        elif target is not None:
            found.external[name] = plain(target)
    for name, target in _hidden(found):
        found.external.setdefault(name, target)
    return found


def _nested(value: str) -> str:
    """Resolve the numeric references that hide declarations inside declarations."""
    return plain(value) if "&#" in value else value


def _hidden(found: Types) -> Iterator[tuple[str, str]]:
    """Yield entities that only the text of another entity declares: the way data are carried out of a parser."""
    for value in list(found.values.values())[:_MOST]:
        for entity in _ENTITY.finditer(value):
            target = next((part for part in entity.groups()[4:] if part is not None), None)
            if target is not None:
                yield entity[2], plain(target)
