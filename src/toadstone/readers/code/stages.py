"""What code hides: the values that it works out, and the constants that are strictly written in an encoding, as `Stage` facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from toadstone.core.fact import Moment, Stage
from toadstone.core.place import Place
from toadstone.core.value import Items, Result, Symbol, Value
from toadstone.forensics.candidates import SHORTEST, may_hold
from toadstone.forensics.content import Content, content_of
from toadstone.forensics.steps import is_built
from toadstone.forensics.unwrap import Unwrapped, meant, unwrap
from toadstone.intel.spotting_types import Spotted
from toadstone.readers.code.chains import chain_of
from toadstone.readers.code.scopes import Record, Unit
from toadstone.readers.code.values import Bound, Known

_VALUES = 4000
_CONSTANTS = 20_000
_CONSTANT_BYTES = 8 << 20
_REVEALED = 1_000
"""Constants without a decoder in sight that are told of one source; each is decoded, judged and looked up."""

_PARTS = 400
_ADDRESS = re.compile(r"://|\w\.\w|::")
_RUNNERS = frozenset({"builtins.exec", "builtins.eval", "builtins.compile", "builtins.execfile"})


@dataclass(eq=False)
class Revealed:
    """One value or constant, where it was met.

    Attributes:
        value: The value.
        line: 0-based line, or offset in compiled code.
        unit: The body in which it stands.
        within: Chain of the text around it, when that was itself hidden and is run as code.
    """

    value: Value
    line: int
    unit: Unit
    within: tuple[str, ...] = ()


@dataclass
class Hidden:
    """A decoded file or program that is to be read in its turn."""

    line: int
    data: bytes
    hint: str
    name: str


@dataclass
class Revealing:
    """Collects what one source hides.

    Attributes:
        texts: The source's own text, and the texts that it runs; what stands there is not hidden.
        within: Chain of the text that is being read.
        told: How many constants turned out to hide something.
        cut: Whether further ones were not tried any more.
    """

    values: dict[object, Revealed] = field(default_factory=dict)
    constants: dict[str | bytes, Revealed] = field(default_factory=dict)
    rows: dict[bytes, Revealed] = field(default_factory=dict)
    compiled: dict[str, Revealed] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    within: tuple[str, ...] = ()
    hidden: list[Hidden] = field(default_factory=list)
    room: int = _CONSTANT_BYTES
    told: int = 0
    cut: bool = False

    def notice(self, value: Value, line: int, unit: Unit) -> None:
        """Remember a value that was worked out."""
        if isinstance(value, Known):
            key: object = id(value)
        elif isinstance(value, (str, bytes)):
            if len(value) < 7 or not _ADDRESS.search(value if isinstance(value, str) else value.decode("latin-1")):
                return
            key = value
        else:
            return
        if key not in self.values and len(self.values) < _VALUES:
            self.values[key] = Revealed(value, line, unit, self.within)

    def codes(self, data: bytes, line: int, unit: Unit) -> None:
        """Remember a row of numbers that may be the characters of a text."""
        if len(data) >= SHORTEST and len(self.rows) < _VALUES and self.room >= 0:
            self.room -= len(data)
            self.rows[data] = Revealed(data, line, unit, self.within)

    def constant(self, value: str | bytes, line: int, unit: Unit) -> None:
        """Remember a constant that may be encoded."""
        if len(value) >= SHORTEST and value not in self.constants and len(self.constants) < _CONSTANTS and may_hold(value):
            self.room -= len(value)
            if self.room >= 0:
                self.constants[value] = Revealed(value, line, unit, self.within)

    def compiled_text(self, value: str, line: int, unit: Unit) -> None:
        """Remember a text of a code object inside data: compiling is the stage that it lies behind."""
        if len(value) >= 7 and _ADDRESS.search(value) and len(self.compiled) < _VALUES:
            self.compiled.setdefault(value, Revealed(value, line, unit, self.within))

    def forget(self) -> None:
        """Start anew with the next part of the source; its text and its names stay."""
        self.values.clear()
        self.constants.clear()
        self.rows.clear()
        self.hidden.clear()

    def facts(
        self,
        records: Iterable[Record],
        place_of: Callable[[int], Place],
        moment_of: Callable[[Unit], Moment],
        language: str,
    ) -> Iterator[Stage]:
        """Give what was hidden."""
        sinks: dict[object, str] = {}
        for record in records if self.values else ():
            for held in _outermost((*(record.args or ()), *(value for _, value in record.kwargs))):
                sinks.setdefault(_key(held), _called(record.callee))
        tried: set[str | bytes] = set()
        told: set[str] = set()
        for revealed in self._outer():
            stage = self._stage(revealed, sinks, tried)
            if stage is None or f"{revealed.line}:{stage[1].text}" in told:
                continue
            chain, content, sink = stage
            told |= {content.text, f"{revealed.line}:{content.text}"}
            place, moment = place_of(revealed.line), moment_of(revealed.unit)
            yield Stage(place, chain, content.kind, content.text, sink, True, language, moment)
        for revealed, found in self._tried(tried):
            if found.content.text not in told:
                told.add(found.content.text)
                self._hand_on(found, revealed, found.steps)
                place, moment = place_of(revealed.line), moment_of(revealed.unit)
                chain = (*found.steps, *revealed.within)
                yield Stage(place, chain, found.content.kind, found.content.text, "", False, language, moment)

    def _tried(self, known: set[str | bytes]) -> Iterator[tuple[Revealed, Unwrapped]]:
        """Try the constants whose decoder is not in sight."""
        for constant, revealed in self.constants.items():
            if self.told >= _REVEALED:
                self.cut = True
                return
            found = unwrap(constant, thorough=False) if constant not in known else None
            if found is not None:
                self.told += 1
                steps = (*found.steps, f"{type(constant).__name__} constant")
                yield revealed, Unwrapped(steps, found.value, found.content)
        for text, revealed in self.compiled.items():
            content = content_of(text)
            if content.addresses:
                yield revealed, Unwrapped(("marshal", "code constant"), text, content)
        for row, revealed in self.rows.items():
            found = (meant(("byte values",), row, b"") or unwrap(row, thorough=False)) if row not in known else None
            if found is not None:
                steps = tuple(step for step in found.steps if step != "byte values")
                yield revealed, Unwrapped((*steps, "byte values", "list of constants"), found.value, found.content)

    def _outer(self) -> Iterator[Revealed]:
        """Leave out values that are only a step on the way to another one."""
        inner: set[object] = set()
        for revealed in reversed(self.values.values()):  # what is made of others comes after them
            value = revealed.value
            if isinstance(value, Known) and (id(value) in inner or content_of(value.value).telling):
                base = (value.callee.base,) if isinstance(value.callee, Bound) else ()
                inner.update(map(_key, _outermost((*value.args, *base))))
        for revealed in self.values.values():
            if _key(revealed.value) not in inner:
                yield revealed

    def _stage(
        self, revealed: Revealed, sinks: dict[object, str], tried: set[str | bytes]
    ) -> tuple[tuple[str, ...], Content, str] | None:
        value = revealed.value
        held = value.value if isinstance(value, Known) else value
        assert isinstance(held, (str, bytes))
        content = content_of(held)
        chain = chain_of(value) if isinstance(value, Known) else ("built", f"{type(held).__name__} constants")
        tried.update(_constants(value))
        if not content.telling or content.kind == "command":
            deeper = unwrap(held)
            if deeper is not None:
                content, chain = deeper.content, (*deeper.steps, *chain)
                self._hand_on(deeper, revealed, chain)
        sink = sinks.get(_key(value), "")
        runs = sink in _RUNNERS
        if not content.telling or (not runs and is_built(chain) and self._in_sight(content, sink)):
            return None
        if content.kind in ("pickle", "bytecode", "executable", "archive") and isinstance(held, bytes):
            self._hand_on(Unwrapped(chain, held, content), revealed, chain)
        shown = (sink.removeprefix("builtins."), *chain) if sink else chain
        return (*shown, *revealed.within), content, sink

    def _hand_on(self, found: Unwrapped, revealed: Revealed, chain: tuple[str, ...]) -> None:
        """Let a decoded file or program be read as what it is."""
        hint = {"pickle": "pickle", "bytecode": "marshal", "executable": "", "python": "python-used"}.get(found.content.kind)
        if hint is not None and len(self.hidden) < 64:
            data = found.value if isinstance(found.value, bytes) else found.value.encode("utf-8", "surrogatepass")
            self.hidden.append(Hidden(revealed.line, data, hint, " ← ".join(chain)))

    def _in_sight(self, content: Content, sink: str) -> bool:
        """Whether all that a text names can be read in the source as it stands.

        A scheme or a path around a host says nothing new, unless the whole is what is called.
        """
        if not content.addresses:
            return content.kind == "text"
        whole = bool(_REACHING.match(sink))
        return all(any(_named(found, content.text, whole) in text for text in self.texts) for found in content.addresses)


def _named(found: Spotted, text: str, whole: bool) -> str:
    """Give what an address is called, as it is written: all of it, or its host alone."""
    written = text[found.start : found.end]
    return written if whole or not found.host or found.host not in written else found.host


_REACHING = re.compile(r"(?:urllib\d?|requests|httpx|http|aiohttp|socket|ftplib|os|posix|subprocess|asyncio)\.")
"""What reaches the network or runs commands."""


def _constants(value: Value) -> Iterator[str | bytes]:
    """List the text in a value's story: it is told already."""
    stack: list[Value] = [value]
    for _ in range(_PARTS):
        if not stack:
            return
        top = stack.pop()
        if isinstance(top, (str, bytes)):
            yield top
        elif isinstance(top, Result):
            if isinstance(top, Known):
                yield top.value
            stack.extend((*top.args, *((top.callee.base,) if isinstance(top.callee, Bound) else ())))
        elif isinstance(top, Items):
            stack.extend(top.items[:64])


def _key(value: Value) -> object:
    return id(value) if isinstance(value, Known) else value


def _outermost(values: tuple[Value, ...]) -> Iterator[Known | str | bytes]:
    """List the texts in values, worked out or not, but not those inside them."""
    stack = list(values)
    for _ in range(_PARTS):
        if not stack:
            return
        top = stack.pop()
        if isinstance(top, (Known, str, bytes)):
            yield top
        elif isinstance(top, Result):
            stack.extend((top.callee, *top.args, *(value for _, value in top.kwargs)))
        elif isinstance(top, Items):
            stack.extend(top.items[:64])


def _called(callee: Value) -> str:
    """Name what is called."""
    for _ in range(4):
        if isinstance(callee, Symbol):
            return str(callee)
        if isinstance(callee, Bound):
            base = callee.base
            maker = base.callee if isinstance(base, Result) else base
            return f"{maker}.{callee.name}" if isinstance(maker, Symbol) else callee.name
        if not isinstance(callee, Result):
            break
        callee = callee.callee
    return ""
