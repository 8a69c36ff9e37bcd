"""Judges a call that happens while an artefact is loaded: what is called, with what.

Three kinds of symbols decide (see ``docs/judgement.md``): those known to be harmless *when called in this way*; those
whose sources lead to an effect that the given arguments control; and the rest, unknown code, which is judged by what
its arguments look like.
"""

from __future__ import annotations

from toadstone.core.fact import Call, Import, Moment
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.core.record import dataclass, replace
from toadstone.core.value import Excerpt, Items, Opaque, Result, Symbol, Value, leaves, render
from toadstone.symbols import Effect, Knowledge, Parameter, effects_of, module_known
from toadstone.symbols.arguments import Look, looks_of, symbols_in
from toadstone.symbols.assembly import changes_foreign, is_assembler, is_own, makes_class, makes_function
from toadstone.symbols.harmless import is_harmless
from toadstone.symbols.reach import (
    DEFERRED,
    METHODS,
    SETTING,
    attributes_set,
    fetches_method,
    handed,
    known_behind,
    method_of,
    runs_through,
    targets,
)
from toadstone.symbols.roles import Role, has_text, holds_data, names_gadget, role_of

_CALLED = {
    Effect.RUN_COMMAND: Severity.CRITICAL,
    Effect.RUN_CODE: Severity.CRITICAL,
    Effect.LOAD_NATIVE: Severity.CRITICAL,
    Effect.DESERIALISE: Severity.HIGH,
    Effect.IMPORT_NAME: Severity.HIGH,
    Effect.WRITE_FILE: Severity.HIGH,
    Effect.NETWORK: Severity.HIGH,
    Effect.PATCH: Severity.HIGH,
    Effect.KILL_HANG: Severity.HIGH,
    Effect.READ_FILE: Severity.HIGH,
    Effect.CALL: Severity.MEDIUM,
}
"""How bad it is that a loader calls something with this effect, when the arguments that decide about it are given."""

_IMPORTED = {
    Effect.RUN_COMMAND: Severity.HIGH,
    Effect.RUN_CODE: Severity.HIGH,
    Effect.LOAD_NATIVE: Severity.HIGH,
    Effect.DESERIALISE: Severity.HIGH,
    Effect.IMPORT_NAME: Severity.MEDIUM,
    Effect.NETWORK: Severity.HIGH,
    Effect.WRITE_FILE: Severity.MEDIUM,
    Effect.PATCH: Severity.MEDIUM,
    Effect.KILL_HANG: Severity.MEDIUM,
}
"""How bad it is that a loader resolves it without calling it."""

_PAYLOAD = frozenset({Look.COMMAND, Look.CODE, Look.ADDRESS, Look.PATH, Look.ENCODED})
_STRONG = frozenset({Look.COMMAND, Look.CODE})
_USUAL_IN_CONFIG = frozenset({Look.PATH})
"""Configurations tell classes where their data lies; a pickle has no reason to."""


_BY_PROXY = frozenset({Symbol("copyreg", "_reconstructor"), Symbol("copyreg", "__newobj__"), Symbol("copyreg", "__newobj_ex__")})
"""Functions of the pickle protocol itself that make an instance of their first argument."""


@dataclass(frozen=True)
class Judgement:
    """What is wrong with a call or an import.

    Attributes:
        severity: How bad.
        confidence: How sure.
        symbol: Dotted name of what is judged; empty when it has none.
        effects: Names of the effects that the call can have, strongest first; empty for unknown code.
        why: One clause for a person.
        witness: The chain of calls that shows the effect; may be empty.
        looks: What the arguments look like, each with an example.
    """

    severity: Severity
    confidence: Confidence
    symbol: str
    effects: tuple[str, ...]
    why: str
    witness: str = ""
    looks: tuple[tuple[str, str], ...] = ()

    def evidence(self, how: str, code: str) -> dict[str, Json]:
        """Give the evidence of a finding: what is judged, the payload as code, how it comes to its effect."""
        given: dict[str, Json] = {"symbol": self.symbol, "how": how}
        if self.effects:
            given["effects"] = list(self.effects)
        if code:
            given["code"] = code
        if self.witness:
            given["witness"] = self.witness
        if self.looks:
            given["arguments"] = dict(self.looks)
        return given

    @property
    def examples(self) -> str:
        """The arguments that look like something, as one text."""
        return " ".join(example for _, example in self.looks)


_CODE_LANGUAGES = frozenset({"python", "bytecode", "notebook", "jinja"})
"""Languages in which calls are ordinary; their facts have checks of their own."""


def runs_while_loading(fact: Import | Call) -> bool:
    """Whether a fact is one that is judged here: a loader does it, before anybody uses the artefact."""
    return fact.when is Moment.LOAD and fact.language not in _CODE_LANGUAGES


def judge_import(fact: Import) -> Judgement | None:
    """Judge a name that is resolved while loading; None when nothing is wrong with that alone."""
    symbol = fact.symbol
    if not symbol.module:
        return None  # extension codes and computed names have a check of their own
    knowledge = effects_of(symbol.module, symbol.name) or known_behind(symbol)
    if knowledge is None and not symbol.name and not module_known(symbol.module):
        why = f"imports the module {symbol.module} by name, which nobody has reviewed"
        severity = Severity.HIGH if fact.how == "import_module" else Severity.MEDIUM
        return Judgement(severity, Confidence.MEDIUM, symbol.module, ("import-name",), why)
    if knowledge is None or symbol in DEFERRED or is_assembler(symbol) or is_harmless(symbol, "import", ()):
        return None
    effects = _ordered(knowledge)
    if role_of(symbol, fact.how) is Role.CLASS and " -> " in knowledge.witness:
        return None  # an object's class: what its constructor can do matters when the constructor is called
    severity = max((_IMPORTED.get(effect, Severity.INFO) for effect in effects), default=Severity.INFO)
    if severity < Severity.MEDIUM:
        return None
    why = f"resolves {symbol}, which can {_phrase(effects)}"
    confidence = Confidence.HIGH if knowledge.exact else Confidence.MEDIUM
    return Judgement(severity, confidence, str(symbol), _names(effects), why, knowledge.witness)


_last: tuple[Call | None, Judgement | None] = (None, None)
"""The last question and its answer: two checks ask about each call, one after the other."""


def judge_call(fact: Call) -> Judgement | None:
    """Judge a call that is made while loading; None when nothing is wrong with it."""
    global _last  # noqa: PLW0603  (one step behind a pure function)
    known, judged = _last
    if known is not fact:
        judged = _judge_call(fact)
        _last = fact, judged
    return judged


def _judge_call(fact: Call) -> Judgement | None:  # noqa: C901, PLR0911  (one question after the other)
    callee, args, how = fact.callee, fact.args, fact.how
    if how.endswith(" resolved"):
        return None  # it only passes on a name, and that import is judged by itself
    if isinstance(callee, Symbol) and callee in _BY_PROXY and args and isinstance(args[0], Symbol):
        if callee.name == "_reconstructor" and (judged := _judge_base(fact)):
            return judged
        callee, args, how = args[0], args[1:], "NEWOBJ"
        args = tuple(value for value in args if not isinstance(value, Symbol) and value is not None)
    if not isinstance(callee, Symbol):
        return _judge_computed(callee, args, fact.kwargs)
    if callee in DEFERRED:
        return _judge_deferred(callee, args, fact.kwargs)
    if fetches_method(callee, args):
        return Judgement(Severity.MEDIUM, Confidence.MEDIUM, str(callee), (), f"keeps the method {args[1]!r} of an object")
    if is_assembler(callee):
        return _judge_assembly(callee, args)
    if is_harmless(callee, how, args, fact.kwargs):
        return None
    knowledge = None
    for target in targets(callee, how):
        knowledge = (effects_of(target.module, target.name) or known_behind(target)) if target.module else None
        if knowledge is not None and (judged := _judge_known(target, knowledge, how, args, fact.kwargs)):
            return judged
    if how == "BUILD" and args and (judged := _judge_destructor(callee, args[0])):
        return judged
    usual = _USUAL_IN_CONFIG if fact.language == "config" else frozenset()
    return _judge_unknown(callee, how, args, fact.kwargs, known=knowledge is not None, usual=usual)


def _judge_base(fact: Call) -> Judgement | None:
    """Judge the second argument of ``copyreg._reconstructor``: the ``__init__`` of that class is run on the third."""
    _, *rest = fact.args
    if len(rest) < 2 or not isinstance(rest[0], Symbol) or rest[0] in (Symbol("builtins", "object"), fact.args[0]):
        return None
    return judge_call(replace(fact, callee=rest[0], args=tuple(rest[1:2])))


def _judge_destructor(symbol: Symbol, state: Value) -> Judgement | None:
    """Judge an object whose attributes the stream sets: its destructor runs on them, whatever the loader does with it."""
    target = Symbol(symbol.module, f"{symbol.name}.__del__")
    knowledge = effects_of(target.module, target.name) if symbol.module else None
    if knowledge is None or not knowledge.exact:
        return None
    private = f"_{symbol.name.rpartition('.')[2].lstrip('_')}__"
    given = {str(key).replace(private, "__") for key in attributes_set(state)}
    cut = isinstance(state, Items) and state.more > 0  # what was not kept may be anything
    effects = [
        effect
        for effect in Effect
        if any(
            way.effect is effect and way.parameters and all(parameter.attribute in given or cut for parameter in way.parameters)
            for way in knowledge.sensitive
        )
    ]
    if not effects:
        return None
    severity = max(_CALLED[effect] for effect in effects)
    why = f"sets what {target} works on, which can {_phrase(effects)}"
    return Judgement(severity, Confidence.HIGH, str(target), _names(effects), why, knowledge.witness)


def _judge_assembly(symbol: Symbol, args: tuple[Value, ...]) -> Judgement | None:
    """Judge a function that puts functions and classes together: by what it is given to work on."""
    if changes_foreign(symbol, args):
        why = f"calls {symbol} on something that the file has not made: it changes what other code relies on"
        return Judgement(Severity.HIGH, Confidence.HIGH, str(symbol), (Effect.PATCH.value,), why)
    inner = _dangerous_arguments(args[:2], ())  # metaclass and bases: making a class runs them
    if inner is not None and makes_class(Result(symbol, args)):
        return Judgement(
            Severity.HIGH, Confidence.HIGH, str(symbol), (Effect.CALL.value,), f"makes a class of {inner} with {symbol}"
        )
    return None


def _judge_deferred(symbol: Symbol, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...]) -> Judgement | None:
    """Judge a callable that is made and kept for later: it is ordinary unless what it will hand over is a command or code."""
    looks = looks_of([*args, *(value for _, value in kwargs)])
    held = args[0] if args and symbol.name.startswith("partial") else None
    if isinstance(held, Symbol) and (knowledge := effects_of(held.module, held.name)) is not None:
        judged = _judge_known(held, knowledge, "REDUCE", args[1:], kwargs)
        if judged is not None and judged.severity >= Severity.HIGH:
            return replace(judged, severity=Severity.HIGH, why=f"keeps a call of {held} for later")
    if not _STRONG & looks.keys():
        return None
    why = f"keeps {_listed(looks)} in {symbol} for a later call"
    return Judgement(Severity.HIGH, Confidence.MEDIUM, str(symbol), (), why, "", _shown(looks))


def _judge_known(
    symbol: Symbol,
    knowledge: Knowledge,
    how: str,
    args: tuple[Value, ...],
    kwargs: tuple[tuple[str, Value], ...],
) -> Judgement | None:
    """Judge a call whose effects are known: those count that its arguments (or nothing but the call) decide about."""
    effects = _effective(knowledge, how, args, kwargs)
    if not effects or (effects == [Effect.CALL] and _calls_the_known(args, kwargs)):
        return None
    looks = looks_of([*args, *(value for _, value in kwargs)])
    severity = max(_CALLED[effect] for effect in effects)
    if not knowledge.exact and not _tells([*args, *(value for _, value in kwargs)]):
        severity = Severity.MEDIUM  # its module is dangerous; an enum or an exception of it, made of numbers, is not
    inner = _dangerous_arguments(args, kwargs) if Effect.CALL in effects else None
    if effects == [Effect.PATCH] and args and is_own(args[0]) and not _is_bound(symbol):
        severity = Severity.LOW  # it changes an object that the artefact has made
    if inner is not None:
        severity = max(severity, Severity.CRITICAL)
    elif severity == Severity.MEDIUM and _PAYLOAD & looks.keys():
        severity = Severity.HIGH
    elif severity == Severity.HIGH and _STRONG & looks.keys():
        severity = Severity.CRITICAL
    why = f"calls {symbol}, which can {_phrase(effects)}" + (f", with {inner}" if inner else "")
    confidence = Confidence.HIGH if knowledge.exact else Confidence.MEDIUM
    return Judgement(severity, confidence, str(symbol), _names(effects), why, knowledge.witness, _shown(looks))


def _calls_the_known(args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...]) -> bool:
    """Whether all that a higher-order function is given to call are classes of walked modules without an effect."""
    given = symbols_in([*args, *(value for _, value in kwargs)])
    return bool(given) and all(
        module_known(symbol.module)
        and role_of(symbol, "REDUCE") is not Role.FUNCTION
        and effects_of(symbol.module, symbol.name) is None
        for symbol in given
    )


def _is_bound(symbol: Symbol) -> bool:
    """Whether a name is a method of an object of the process (``os.environ.update``): what it changes is no argument then."""
    first, _, rest = symbol.name.partition(".")
    return bool(rest) and symbol.module != "builtins" and not any(character.isupper() for character in first)


def _tells(values: list[Value]) -> bool:
    """Whether any text, code or callable is among the arguments."""
    return any(
        isinstance(leaf, (str, bytes, Excerpt, Symbol, Opaque)) and leaf != "" for value in values for leaf in leaves(value)
    )


def _effective(knowledge: Knowledge, how: str, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...]) -> list[Effect]:
    """List the effects that this call can really have, strongest first."""
    if not knowledge.sensitive:  # only its module is judged
        return _ordered(knowledge) if args or kwargs or how not in ("NEWOBJ", "BUILD") else []
    names = {name for name, _ in kwargs}
    found: set[Effect] = set()
    for way in knowledge.sensitive:
        if way.unconditional:
            if how != "NEWOBJ" or args:  # NEWOBJ makes the object without its __init__
                found.add(way.effect)
        elif all(_given(parameter, args, names, how) for parameter in way.parameters):
            found.add(way.effect)
    return [effect for effect in Effect if effect in found] if found else []


def _given(parameter: Parameter, args: tuple[Value, ...], names: set[str], how: str) -> bool:
    offset = 1 if how in SETTING else 0  # a method's receiver is not among the arguments of BUILD and its like
    count = len(args) + offset
    if parameter.position is not None and parameter.position < count:
        return parameter.position >= offset
    return parameter.name.strip("*") in names or "**" in names or (parameter.name.startswith("**") and bool(names))


def _judge_unknown(  # noqa: C901  (one question after the other)
    symbol: Symbol,
    how: str,
    args: tuple[Value, ...],
    kwargs: tuple[tuple[str, Value], ...],
    *,
    known: bool,
    usual: frozenset[Look] = frozenset(),
) -> Judgement | None:
    """Judge code of which no effect is known: by its part, by whether its sources were walked, and by its arguments."""
    values = [*args, *(value for _, value in kwargs)]
    if holds_data(symbol) and not symbols_in(values):
        return None
    looks = looks_of(values)
    if role_of(symbol, how) is Role.FUNCTION and how not in SETTING:  # it may use what the objects hold that it is handed
        looks |= {look: text for look, text in looks_of(values, made=True).items() if look in _STRONG}
    gadget = names_gadget(values) if how not in SETTING else ""
    walked = known or module_known(symbol.module)
    severity = _unknown_severity(
        role_of(symbol, how), frozenset(looks) - usual, how, walked=walked, known=known, text=has_text(values)
    )
    if usual and severity is not None and not _PAYLOAD & looks.keys() - usual:
        severity = None if walked else Severity.MEDIUM  # configurations call public functions with names and paths all day
    inner = _dangerous_arguments(handed(values), ()) if how not in SETTING else None
    if inner is not None or (not walked and how not in SETTING and runs_through(symbol)):
        severity = Severity.HIGH
    if gadget or _STRONG & looks.keys():
        severity = max(severity or Severity.INFO, Severity.MEDIUM if known or (how in SETTING and walked) else Severity.HIGH)
    if severity is None:
        return None
    if gadget:
        why = f"hands the name {gadget!r} to {symbol}"
    elif _PAYLOAD & looks.keys():
        why = f"hands {_listed(looks)} to {symbol}"
    elif inner is not None:
        why = f"hands {inner} to {symbol}"
    elif walked:
        why = f"calls {symbol}, a function that is no part of putting an object together"
    else:
        why = f"runs {symbol} ({METHODS[how][0] if how in SETTING else 'it'} is code that nobody has reviewed)"
    return Judgement(severity, Confidence.MEDIUM, str(symbol), (), why, "", _shown(looks))


def _unknown_severity(role: Role, looks: frozenset[Look], how: str, *, walked: bool, known: bool, text: bool) -> Severity | None:
    """Weigh code of which no effect is known."""
    if how in SETTING:
        return None if walked else Severity.MEDIUM
    if known:  # its effect needs arguments that are not given
        return Severity.MEDIUM if role is Role.FUNCTION and text else None
    if role is Role.FUNCTION:
        return Severity.HIGH if text else Severity.MEDIUM
    if _PAYLOAD & looks:
        return Severity.HIGH
    return None if walked else Severity.MEDIUM


def _judge_computed(callee: Value, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...]) -> Judgement | None:
    """Judge a call of something that is itself made while loading."""
    if not isinstance(callee, Result):
        return None  # plain values cannot be called: the loader stops there
    looks = looks_of([*args, *(value for _, value in kwargs)])
    maker = callee.callee
    if makes_function(callee):
        why = "calls a function whose code the file itself carries"
        return Judgement(Severity.CRITICAL, Confidence.HIGH, f"{render(maker)}()", ("run-code",), why, "", _shown(looks))
    if makes_class(callee) and _dangerous_arguments((callee,), ()) is None:
        return None
    if isinstance(maker, Symbol) and is_harmless(maker, "computed", args, kwargs):
        return None
    if (method := method_of(callee, args)) is not None:
        symbol, given = method
        knowledge = effects_of(symbol.module, symbol.name)
        judged = _judge_known(symbol, knowledge, "method", given, kwargs) if knowledge is not None else None
        if judged is not None and judged.severity >= Severity.HIGH:
            return judged
    standard = isinstance(maker, Symbol) and module_known(maker.module)
    inner = _dangerous_arguments((callee,), ())
    severity = Severity.HIGH if _PAYLOAD & looks.keys() or inner or standard else Severity.MEDIUM
    why = (
        f"calls what {maker} gave, made only while loading"
        if isinstance(maker, Symbol)
        else "calls something made only while loading"
    )
    return Judgement(severity, Confidence.MEDIUM, f"{maker}()" if isinstance(maker, Symbol) else "", (), why, "", _shown(looks))


def _dangerous_arguments(args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...]) -> str | None:
    if any(makes_function(value) for value in args):
        return "a function whose code the file itself carries"
    for symbol in symbols_in([*args, *(value for _, value in kwargs)]):
        knowledge = effects_of(symbol.module, symbol.name) if symbol.module else None
        if knowledge is not None and any(_IMPORTED.get(effect, Severity.INFO) >= Severity.MEDIUM for effect in knowledge.effects):
            return str(symbol)
    return None


def _ordered(knowledge: Knowledge) -> list[Effect]:
    return [effect for effect in Effect if effect in knowledge.effects]


def _names(effects: list[Effect]) -> tuple[str, ...]:
    return tuple(effect.value for effect in effects)


_PHRASES = {
    Effect.RUN_COMMAND: "run commands",
    Effect.RUN_CODE: "run code",
    Effect.LOAD_NATIVE: "load native code",
    Effect.DESERIALISE: "deserialise again",
    Effect.IMPORT_NAME: "import by name",
    Effect.WRITE_FILE: "write or remove files",
    Effect.NETWORK: "open network connections",
    Effect.PATCH: "change what other code relies on",
    Effect.READ_FILE: "read files",
    Effect.KILL_HANG: "end or hang the process",
    Effect.CALL: "call what it is given",
}


def _phrase(effects: list[Effect]) -> str:
    words = [_PHRASES[effect] for effect in effects[:3]]
    return " and ".join(words) if len(words) < 3 else f"{words[0]}, {words[1]} and {words[2]}"


def _listed(looks: dict[Look, str]) -> str:
    return " and ".join(look.value for look in Look if look in looks)


def _shown(looks: dict[Look, str]) -> tuple[tuple[str, str], ...]:
    return tuple((look.value, looks[look][:200]) for look in Look if look in looks)
