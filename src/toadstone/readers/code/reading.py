"""One Python source read as a whole: parsed in bounded pieces, worked through, turned into facts."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator

from toadstone.core.fact import Call, Fact, Import, Moment, Unread
from toadstone.core.place import Place
from toadstone.core.record import dataclass, field
from toadstone.core.value import Result, Symbol, Value
from toadstone.readers.code.chains import chain_of
from toadstone.readers.code.machine import Args, Kwargs
from toadstone.readers.code.pieces import ALL_WORDS, STEPS, WORDS, pieces, words
from toadstone.readers.code.requested import sent
from toadstone.readers.code.scopes import Function, Record, Unit, reach
from toadstone.readers.code.statements import Statements
from toadstone.readers.code.tolerant import is_data, skim
from toadstone.readers.code.values import UNKNOWN, Known, plain

_EXECUTED_DEPTH = 6
_EXECUTED_TEXT = 1 << 18
_SKIMMED = 4
"""Characters that are cut into words in the time of a step."""

_REPEATED = 8
"""Times that one call is reported with different arguments."""

PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What CPython's parser raises on text that it refuses; it bounds its own stack."""


@dataclass
class Context:
    """How a source runs.

    Attributes:
        place: Where it is.
        language: Of its facts: ``python`` or ``notebook``.
        moment: When its top level runs.
        prefix: Put before every fact's ``how``.
    """

    place: Place
    language: str = "python"
    moment: Moment = Moment.IMPORT
    prefix: str = ""


@dataclass
class Embedded:
    """Serialised data that the source itself carries and hands to a deserialiser."""

    line: int
    data: bytes
    hint: str


def parse(text: str) -> ast.Module:
    """Parse without a word on standard error.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: As `PARSE_ERRORS`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


_DESERIALISERS = {
    "pickle": "pickle",
    "_pickle": "pickle",
    "cPickle": "pickle",
    "dill": "pickle",
    "cloudpickle": "pickle",
    "marshal": "marshal",
}


@dataclass(eq=False)
class Reading(Statements):
    """Reads one source; `facts` gives what was met."""

    context: Context
    problems: list[tuple[int, str]] = field(default_factory=list)
    embedded: list[Embedded] = field(default_factory=list)
    spend: Callable[[int], None] = lambda _steps: None
    executed: int = 0
    words: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self._trees: list[ast.Module] = []
        self._sent: dict[int, Symbol] = {}

    def read(self, text: str) -> None:
        """Work through a source text."""
        self.revealing.texts.append(text)
        whole = True
        for first_line, piece, last in pieces(text):
            whole = whole and last
            self._piece_of(piece, first_line)
            if not whole:
                self._forget()
        if self.too_deep:
            self.problems.append((-1, "expressions nested deeper than any real code were searched for calls only"))
        if self.flood.crowded:
            self.problems.append((-1, "more calls than any real source has; not all of them are reported"))

    def _piece_of(self, piece: str, first_line: int) -> None:
        count = words(piece) if self.words <= ALL_WORDS else 0
        self.words += count
        self.spend(len(piece) // _SKIMMED + STEPS * count)
        if count > WORDS or self.words > ALL_WORDS:
            if is_data(piece):
                return
            self.problems.append((first_line, "more code in one piece than any real source has; read word by word"))
            skim(self, piece, first_line)
            return
        try:
            tree = parse(piece)
        except PARSE_ERRORS as error:
            self.problems.append((first_line + (getattr(error, "lineno", None) or 1) - 1, _reason(error)))
            skim(self, piece, first_line)
            return
        self.first_line = first_line
        if asked := sent(tree, piece):
            self._sent.update(asked)
            self._trees.append(tree)  # identities of its nodes stay unique as long as it lives
        self.module(tree)

    def _forget(self) -> None:
        """Let go of the syntax trees of a piece; what its functions return stays known."""
        for function in self.functions.values():
            function.state = 2
            if not isinstance(function.node, ast.Lambda):
                function.node.body = []
        self.functions.clear()

    # code in text

    def on_call(self, callee: Value, args: Args, kwargs: Kwargs, how: str) -> Value:
        super().on_call(callee, args, kwargs, how)
        if isinstance(callee, Symbol) and args:
            if callee.module == "builtins" and callee.name in ("exec", "eval", "compile"):
                return self.execute(args[0]) if callee.name != "compile" else UNKNOWN
            if callee.module in _DESERIALISERS and callee.name == "loads":
                data = plain(args[0])
                if isinstance(data, bytes) and len(self.embedded) < 64:
                    self.embedded.append(Embedded(self.line_of(self.node), data, _DESERIALISERS[callee.module]))
        return UNKNOWN

    def execute(self, given: Value) -> Value:
        """Read text that the code runs as code; gives the value of its last expression."""
        if isinstance(given, Result) and given.callee == Symbol("builtins", "compile") and given.args:
            given = given.args[0]
        text = plain(given)
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        if not isinstance(text, str) or self.executed >= _EXECUTED_DEPTH or len(text) > _EXECUTED_TEXT or self.level > 60:
            return UNKNOWN
        try:
            tree = parse(text.strip())
        except PARSE_ERRORS:
            return UNKNOWN
        shift, node = self.shift, self.node
        self.shift = self.line_of(self.node) + 1
        self.executed += 1
        self.steps += len(tree.body)
        value: Value = UNKNOWN
        within = self.revealing.within
        if isinstance(given, Known):
            self.revealing.within = ("exec", *chain_of(given), *within)
        self.revealing.texts.append(text)
        self._trees.append(tree)  # identities of its nodes stay unique as long as it lives
        self.block(tree.body[:-1])
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            value = self.eval(tree.body[-1].value)
        else:
            self.block(tree.body[-1:])
        self.executed -= 1
        self.revealing.within = within
        self.shift, self.node = shift, node
        return value

    # facts

    def facts(self) -> Iterator[Fact]:
        """Give what was met, with the moment at which it runs."""
        at_import = reach(self.module_unit) if self.context.moment is not Moment.USE else set[Unit]()
        units = [self.module_unit, self.main, *(unit for unit in self.units if unit not in (self.module_unit, self.main))]
        best: dict[int, int] = {}
        for unit in units:
            for record in unit.records:
                best[record.node] = max(best.get(record.node, 0), record.inlined + (1000 if unit is self.module_unit else 0))
        seen: dict[tuple[int, bool], list[tuple[Args | None, Value]]] = {}
        for unit in units:
            moment = self.context.moment if unit in at_import else Moment.USE
            for record in unit.records:
                if (
                    record.inlined == 0
                    and unit not in (self.module_unit, self.main)
                    and best[record.node] >= 1000
                    and moment is not Moment.USE
                ):
                    continue  # the same call is known better from where it is made
                key = (record.node, record.args is None)
                earlier = seen.setdefault(key, [])
                if len(earlier) >= _REPEATED and not _decoded(record):
                    continue
                earlier.append((record.args, record.callee))
                yield self._fact(record, unit, moment)
        yield from self.revealing.facts(
            (record for unit in units for record in unit.records),
            lambda line: self.context.place.line(max(line, 0)),
            lambda unit: self.context.moment if unit in at_import else Moment.USE,
            self.context.language,
        )
        if self.revealing.cut:
            reason = "more encoded text than is looked into; what is hidden in the rest is not known"
            yield Unread(self.context.place, reason)

    def _fact(self, record: Record, unit: Unit, moment: Moment) -> Fact:
        how = self.context.prefix + (unit.label or record.how)
        place = self.context.place.line(max(record.line, 0))
        if record.args is None:
            symbol = record.callee if isinstance(record.callee, Symbol) else Symbol("", "")
            return Import(place, symbol, how, self.context.language, moment)
        args = record.args
        if record.node in self._sent and args:
            args = (Result(self._sent[record.node], args[:1]), *args[1:])
        return Call(place, record.callee, args, record.kwargs, how, self.context.language, moment)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, name: str, owner: object = None) -> Function:
        made = super().function(node, name, owner)  # type: ignore[arg-type]
        self.units.setdefault(made.unit)
        return made


def _decoded(record: Record) -> bool:
    return any(isinstance(value, Known) for value in record.args or ())


def _reason(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"Python syntax not understood here ({error.msg}); read word by word"
    if isinstance(error, (RecursionError, MemoryError)):
        return "Python source nested deeper than the parser accepts; read word by word"
    return "Python source with characters that the parser refuses; read word by word"
