"""Judges calls whose effects are known: those count that the given arguments, or nothing but the call, decide about."""

from __future__ import annotations

from toadstone.core.finding import Confidence, Severity
from toadstone.core.record import replace
from toadstone.core.value import Excerpt, Items, Opaque, Result, Symbol, Value, leaves
from toadstone.symbols import Effect, Knowledge, Parameter, effects_of, module_known
from toadstone.symbols.arguments import looks_of, symbols_in
from toadstone.symbols.assembly import changes_foreign, is_own, makes_class
from toadstone.symbols.reach import SETTING, attributes_set
from toadstone.symbols.roles import Role, role_of
from toadstone.symbols.weighing import (
    CALLED,
    PAYLOAD,
    STRONG,
    Judgement,
    dangerous_arguments,
    listed,
    names_of,
    ordered,
    phrase,
    shown,
)

_STORES = "global variable assignment"
"""The witness of what keeps its argument where everybody looks: whoever made that, it replaces something of the process."""


def judge_known(
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
    severity = max(CALLED[effect] for effect in effects)
    if not knowledge.exact and not _tells([*args, *(value for _, value in kwargs)]):
        severity = Severity.MEDIUM  # its module is dangerous; an enum or an exception of it, made of numbers, is not
    inner = dangerous_arguments(args, kwargs) if Effect.CALL in effects else None
    if effects == [Effect.PATCH] and args and is_own(args[0]) and not _is_bound(symbol) and knowledge.witness != _STORES:
        severity = Severity.LOW  # it changes an object that the artefact has made
    if inner is not None:
        severity = max(severity, Severity.CRITICAL)
    elif severity == Severity.MEDIUM and PAYLOAD & looks.keys():
        severity = Severity.HIGH
    elif severity == Severity.HIGH and STRONG & looks.keys():
        severity = Severity.CRITICAL
    why = f"calls {symbol}, which can {phrase(effects)}" + (f", with {inner}" if inner else "")
    confidence = Confidence.HIGH if knowledge.exact else Confidence.MEDIUM
    return Judgement(severity, confidence, str(symbol), names_of(effects), why, knowledge.witness, shown(looks))


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
        return ordered(knowledge) if args or kwargs or how not in ("NEWOBJ", "BUILD") else []
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


def judge_destructor(symbol: Symbol, state: Value) -> Judgement | None:
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
    severity = max(CALLED[effect] for effect in effects)
    why = f"sets what {target} works on, which can {phrase(effects)}"
    return Judgement(severity, Confidence.HIGH, str(target), names_of(effects), why, knowledge.witness)


def judge_assembly(symbol: Symbol, args: tuple[Value, ...]) -> Judgement | None:
    """Judge a function that puts functions and classes together: by what it is given to work on."""
    if changes_foreign(symbol, args):
        why = f"calls {symbol} on something that the file has not made: it changes what other code relies on"
        return Judgement(Severity.HIGH, Confidence.HIGH, str(symbol), (Effect.PATCH.value,), why)
    inner = dangerous_arguments(args[:2], ())  # metaclass and bases: making a class runs them
    if inner is not None and makes_class(Result(symbol, args)):
        return Judgement(
            Severity.HIGH, Confidence.HIGH, str(symbol), (Effect.CALL.value,), f"makes a class of {inner} with {symbol}"
        )
    return None


def judge_deferred(symbol: Symbol, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...]) -> Judgement | None:
    """Judge a callable that is made and kept for later: it is ordinary unless what it will hand over is a command or code."""
    looks = looks_of([*args, *(value for _, value in kwargs)])
    held = args[0] if args and symbol.name.startswith("partial") else None
    if isinstance(held, Symbol) and (knowledge := effects_of(held.module, held.name)) is not None:
        judged = judge_known(held, knowledge, "REDUCE", args[1:], kwargs)
        if judged is not None and judged.severity >= Severity.HIGH:
            return replace(judged, severity=Severity.HIGH, why=f"keeps a call of {held} for later")
    if not STRONG & looks.keys():
        return None
    why = f"keeps {listed(looks)} in {symbol} for a later call"
    return Judgement(Severity.HIGH, Confidence.MEDIUM, str(symbol), (), why, "", shown(looks))
