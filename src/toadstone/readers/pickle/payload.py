"""What the calls of a pickle hide: decoded arguments, code that is run as text, commands with encoded words."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Call, Fact, Member, Moment, Stage, Unread
from toadstone.core.place import Place
from toadstone.core.value import Result, Symbol, Value, leaves
from toadstone.forensics.candidates import SHORTEST, may_hold
from toadstone.forensics.traced import TracedBytes, TracedText, chain_behind, untraced
from toadstone.readers.pickle.state import State
from toadstone.readers.reader import Source

_LEAVES = 300
_FEW = 8
_PLENTY = 60_000
"""Values of one stream that are looked at before only the first few of each call are: graphs hold the same ones in every call."""
_TRIED = 400
"""Strings of one stream that are tried at most; honest streams have a handful that come into question."""

_CHARACTERS = 4 << 20
"""Characters of one stream that are tried at most: a few opcodes double a text as often as they like."""

_RUNNERS = frozenset({"exec", "eval", "compile", "execfile", "runsource", "run_code", "runctx", "runcode", "timeit", "repeat"})
_HINTS = {"pickle": "pickle", "bytecode": "marshal", "executable": ""}


class Payloads:
    """Looks into the calls of one stream.

    Args:
        source: The blob of the stream.
        machine: Follows the stream.
    """

    def __init__(self, source: Source, machine: State) -> None:
        self._source = source
        self._machine = machine
        self._told: set[str | bytes] = set()
        self._left = _TRIED
        self._characters = _CHARACTERS
        self._looked = 0
        self._said = False

    def of(self, call: Call) -> Iterator[Fact]:
        """Give what the arguments of a call hide."""
        if call.how.endswith(" resolved") or call.place.offset == self._machine.worked_at:
            return  # what it gave is looked at where it goes
        sink = _sink(call.callee)
        runs = sink.rpartition(".")[2] in _RUNNERS
        if len(call.args) == 1 and not call.kwargs:
            found = leaves(call.args[0], _LEAVES if self._looked < _PLENTY else _FEW)
        else:
            found = leaves(_all(call), _LEAVES if self._looked < _PLENTY else _FEW)
        self._looked += len(found)
        for value in found:
            if isinstance(value, (str, bytes)) and len(value) >= 7:
                yield from self._argument(call.place, value, sink, runs)

    def held(self, place: Place, value: Value) -> Iterator[Fact]:
        """Give what the strings of a finished stream hide, of those that no call was given."""
        for leaf in leaves(value, _LEAVES):
            if isinstance(leaf, (str, bytes)) and len(leaf) >= 16:
                yield from self._argument(place, leaf, "", False)

    def _argument(self, place: Place, value: str | bytes, sink: str, runs: bool) -> Iterator[Fact]:
        hidden = isinstance(value, (TracedText, TracedBytes))
        plain = untraced(value)
        if runs:
            yield from self._code(place, plain, chain_behind(value))
        if hidden:
            yield from self._decoded(place, plain, chain_behind(value), sink)
        elif len(plain) >= SHORTEST and plain not in self._told and may_hold(plain):
            if not self._affords(plain):
                yield from self._exhausted(place)
                return
            self._told.add(plain)
            from toadstone.forensics.unwrap import unwrap  # noqa: PLC0415  (few strings come into question)

            found = unwrap(plain)
            if found is not None:
                chain = (*found.steps, *chain_behind(value))
                yield from self._stage(place, found.value, chain, sink, exact=False)

    def _affords(self, plain: str | bytes) -> bool:
        """Account for looking into one more string; whether there is room for it."""
        if self._left <= 0 or len(plain) > self._characters:
            return False
        self._left -= 1
        self._characters -= len(plain)
        self._source.budget.spend_steps(100 + len(plain) // 4)
        return True

    def _exhausted(self, place: Place) -> Iterator[Fact]:
        """Say once that something encoded was not looked into: it may be what the rest is there to hide."""
        if not self._said:
            self._said = True
            yield Unread(place, "more encoded text than is looked into; what is hidden in the rest is not known")

    def _decoded(self, place: Place, plain: str | bytes, chain: tuple[str, ...], sink: str) -> Iterator[Fact]:
        from toadstone.forensics.content import content_of  # noqa: PLC0415
        from toadstone.forensics.unwrap import unwrap  # noqa: PLC0415

        if not self._affords(plain):
            yield from self._exhausted(place)
            return
        content = content_of(plain)
        if not content.telling:
            found = unwrap(plain)
            if found is None:
                return
            plain, chain = found.value, (*found.steps, *chain)
        yield from self._stage(place, plain, chain, sink, exact=True)

    def _stage(self, place: Place, value: str | bytes, chain: tuple[str, ...], sink: str, *, exact: bool) -> Iterator[Fact]:
        from toadstone.forensics.content import content_of  # noqa: PLC0415

        content = content_of(value)
        key = f"{sink}:{content.text}"
        if key in self._told:
            return
        self._told.add(key)
        shown = (sink.removeprefix("builtins."), *chain) if sink else chain
        yield Stage(place, shown, content.kind, content.text, sink, exact, "pickle", Moment.LOAD)
        hint = _HINTS.get(content.kind, "python-used" if content.kind == "python" else None)
        if hint is not None:
            data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
            yield Member(self._source.place, f"@{place.offset} ({' ← '.join(shown)})", BytesBlob(data), hint, derived=True)

    def _code(self, place: Place, text: str | bytes, chain: tuple[str, ...]) -> Iterator[Fact]:
        """Read text that loading runs as code."""
        from toadstone.forensics.content import is_python  # noqa: PLC0415

        source = text if isinstance(text, str) else text.decode("utf-8", "replace")
        if source in self._told or not is_python(source):
            return
        self._told.add(source)
        data = source.encode("utf-8", "surrogatepass")
        yield Member(
            self._source.place, f"@{place.offset} ({' ← '.join(('exec', *chain))})", BytesBlob(data), "python-run", derived=True
        )


def _all(call: Call) -> Value:
    return Result(None, call.args, call.kwargs)


def _sink(callee: Value) -> str:
    for _ in range(4):
        if isinstance(callee, Symbol):
            return str(callee)
        if not isinstance(callee, Result):
            break
        callee = callee.callee
    return ""
