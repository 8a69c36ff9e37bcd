"""YAML as a stream of parser events: tags become facts, nothing is constructed, aliases are never expanded.

``yaml.parse`` gives events; constructing objects from tags is what `yaml.load` with an unsafe loader does afterwards
(CVE-2020-14343, CVE-2020-1747). A tag is the same tag in all its spellings: ``!!python/…``, ``!<tag:yaml.org,2002:…>`` and
a handle declared by ``%TAG`` are resolved by the parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toadstone.core.fact import Call, Fact, Import, Link, Setting, Unread
from toadstone.core.record import dataclass, field
from toadstone.core.value import Result, Symbol, Value
from toadstone.readers.configuration.pictures import picture
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source

MAX_DEPTH = 200
_STANDARD = "tag:yaml.org,2002:"
_CORE = frozenset(
    ["map", "seq", "str", "int", "float", "bool", "null", "binary", "timestamp", "set", "omap", "pairs", "merge", "value", "yaml"]
)
_PLAIN = frozenset(["none", "bool", "str", "unicode", "bytes", "int", "long", "float", "complex", "list", "tuple", "dict"])
_INTEGER = re.compile(r"[-+]?\d{1,18}")
_CONSTANTS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "null": None, "~": None, "": None}
_BOMB = 5_000_000
_TAGS = 40_000
"""Facts of tags that one stream gives; what follows is said to be unread."""


class YamlError(ValueError):
    """The text is no YAML, or deeper than any real document."""


@dataclass
class _Open:
    """A container that is being read."""

    value: Any
    tag: str
    anchor: str
    line: int
    size: int = 1
    key: Any = None
    waits: bool = True


@dataclass
class Reading:
    """A YAML stream on its way to plain values.

    Attributes:
        documents: The values of the documents that ended.
        facts: What tags mean.
        shadowed: Pairs that a later value of the same key replaced.
        expanded: Nodes that a loader would visit if every alias were a copy.
    """

    source: Source
    documents: list[Any] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    expanded: int = 0
    repeated: list[str] = field(default_factory=list)
    shadowed: list[Any] = field(default_factory=list)
    _cut: bool = False
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)

    def run(self, data: bytes) -> None:
        """Read a stream to its end.

        Raises:
            YamlError: If it breaks off; what was read until then stays.
        """
        import yaml  # noqa: PLC0415  (only when a YAML file is met)

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        steps = 0
        try:
            for event in yaml.parse(data, Loader=loader):
                steps += 1
                if steps % 1024 == 0:
                    self.source.budget.spend_steps(1024)
                self._event(event)
        except yaml.YAMLError as error:
            raise YamlError(" ".join(str(error).split())[:160]) from None
        except YamlError:
            raise
        except (ValueError, RecursionError) as error:
            raise YamlError(f"{type(error).__name__}: {str(error)[:100]}") from None

    def _event(self, event: Any) -> None:  # noqa: ANN401  (PyYAML's events have no common type)
        kind = type(event).__name__
        if kind in {"MappingStartEvent", "SequenceStartEvent"}:
            if len(self._stack) >= MAX_DEPTH:
                raise YamlError(f"nested deeper than {MAX_DEPTH} levels")
            container: Any = {} if kind == "MappingStartEvent" else []
            self._stack.append(_Open(container, event.tag or "", event.anchor or "", event.start_mark.line))
            if event.anchor:
                self._anchors[event.anchor] = (container, 1)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            done = self._stack.pop()
            value = self._tagged(done.tag, done.value, done.line)
            if done.anchor:
                self._anchors[done.anchor] = (value, done.size)
            self._put(value, done.size)
        elif kind == "ScalarEvent":
            plain = not event.style and event.implicit[0] and not event.tag
            value = self._tagged(event.tag or "", _resolved(event.value) if plain else event.value, event.start_mark.line)
            if event.anchor:
                self._anchors[event.anchor] = (value, 1)
            self._put(value, 1)
        elif kind == "AliasEvent":
            value, size = self._anchors.get(event.anchor, (None, 1))
            self._put(value, size)
        elif kind == "DocumentStartEvent":
            self._anchors.clear()

    def _put(self, value: Any, size: int) -> None:  # noqa: ANN401
        if not self._stack:
            self.documents.append(value)
            self.expanded = max(self.expanded, size)
            return
        top = self._stack[-1]
        top.size = min(top.size + size, 1 << 62)
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.waits:
            top.key, top.waits = (value if isinstance(value, (str, int, float, bool)) else str(type(value).__name__)), False
        else:
            self._entry(top, value)

    def _entry(self, top: _Open, value: Any) -> None:  # noqa: ANN401
        if top.key == "<<":
            for merged in value if isinstance(value, list) else [value]:
                if isinstance(merged, dict) and merged is not top.value:
                    for key in list(merged)[:1000]:
                        top.value.setdefault(key, merged[key])
        else:
            if top.key in top.value and isinstance(top.key, str) and len(self.repeated) < 64:
                self.repeated.append(top.key)
                self.shadowed.append({top.key: top.value[top.key]})
            top.value[top.key] = value
        top.waits = True

    # ---- tags

    def _tagged(self, tag: str, value: Any, line: int) -> Any:  # noqa: ANN401
        """Note what a tag does; give what stands for the node's value."""
        if not tag or tag == "!":
            return value
        if len(self.facts) >= _TAGS:
            if not self._cut:
                self._cut = True
                self.facts.append(
                    Unread(self.source.place.line(line), "more tags than any real document has; the rest was not judged")
                )
            return value
        if not tag.startswith(_STANDARD):
            self._custom(tag, value, line)
            return value
        name = tag[len(_STANDARD) :]
        if name in _CORE or name.removeprefix("python/") in _PLAIN:
            return value
        if name.startswith("python/"):
            return self._python(name.removeprefix("python/"), value, line)
        made, how, place = _symbol(name.split(":", 1)[-1]), f"!!{name[:80]}", self.source.place.line(line)
        self.facts.append(Import(place, made, how, "yaml"))
        if "." in name:  # parsers in Java take the tag for a class and the items for its constructor (CVE-2022-1471)
            given = tuple(picture(item) for item in value[:256]) if isinstance(value, list) else (picture(value),)
            self.facts.append(Call(place, made, given, (), how, "yaml"))
            return Result(made, given)
        return value

    def _custom(self, tag: str, value: Any, line: int) -> None:  # noqa: ANN401
        place = self.source.place.line(line)
        self.facts.append(Setting(place, "yaml", "tag", tag[:200]))
        if "include" in tag.lower() and isinstance(value, str):
            self.facts.append(Link(place, value[:1000], "include", escapes(value, nested=self.source.depth > 0)))

    def _python(self, name: str, value: Any, line: int) -> Any:  # noqa: ANN401
        kind, _, path = name.partition(":")
        how = f"!!python/{kind}"
        place = self.source.place.line(line)
        callee = Symbol(path, "") if kind == "module" else _symbol(path)
        self.facts.append(Import(place, callee, how, "yaml"))
        if kind not in {"object/apply", "object/new", "object"}:
            return callee if kind in {"name", "module"} else value
        args, kwargs, state = _arguments(kind, value)
        self.facts.append(Call(place, callee, args, kwargs, how, "yaml"))
        made = Result(callee, args, kwargs, [state] if state is not None else [])
        if state is not None:
            self.facts.append(Call(place, made, (state,), (), f"{how} state", "yaml"))
        return made


def _arguments(kind: str, value: Any) -> tuple[tuple[Value, ...], tuple[tuple[str, Value], ...], Value]:  # noqa: ANN401
    """Split a tagged node into positional arguments, named arguments and state, as PyYAML's constructor does."""
    if kind == "object":
        return (), (), picture(value) if value else None
    if isinstance(value, list):
        return tuple(picture(item) for item in value[:256]), (), None
    if isinstance(value, dict):
        given = value.get("args")
        named = value.get("kwds")
        args = tuple(picture(item) for item in given[:256]) if isinstance(given, list) else ()
        kwargs = tuple((str(key), picture(item)) for key, item in list(named.items())[:256]) if isinstance(named, dict) else ()
        rest = {key: value[key] for key in ("state", "listitems", "dictitems") if value.get(key)}
        return args, kwargs, picture(rest) if rest else None
    return (picture(value),) if value not in (None, "") else (), (), None


def _symbol(path: str) -> Symbol:
    module, _, name = path.rpartition(".")
    return Symbol(module or "builtins", name)


def _resolved(text: str) -> Any:  # noqa: ANN401
    lowered = text.lower()
    if lowered in _CONSTANTS:
        return _CONSTANTS[lowered]
    return int(text) if _INTEGER.fullmatch(text) else text


def is_bomb(reading: Reading, size: int) -> bool:
    """Whether following all aliases would cost out of all proportion to the text's size in bytes."""
    return reading.expanded > max(_BOMB, 10 * size)


def yaml_facts(reading: Reading) -> Iterator[Fact]:
    """Yield what the tags of a stream mean, in order."""
    yield from reading.facts
