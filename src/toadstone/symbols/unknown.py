"""Judges calls of code of which no effect is known: by its part, by whether its sources were walked, and by its arguments."""

from __future__ import annotations

from toadstone.core.finding import Confidence, Severity
from toadstone.core.value import Opaque, Result, Symbol, Value, render
from toadstone.symbols import effects_of, module_known
from toadstone.symbols.arguments import Look, looks_of, symbols_in
from toadstone.symbols.assembly import makes_class, makes_function
from toadstone.symbols.harmless import is_harmless
from toadstone.symbols.known import judge_known
from toadstone.symbols.reach import METHODS, SETTING, handed, method_of, runs_through
from toadstone.symbols.roles import CONTAINERS, Role, has_text, holds_data, names_gadget, role_of
from toadstone.symbols.weighing import PAYLOAD, STRONG, Judgement, dangerous_arguments, listed, shown


def judge_unknown(  # noqa: C901  (one question after the other)
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
        return _judge_container(symbol, args) if how == "REDUCE" else None
    looks = looks_of(values)
    role = role_of(symbol, how)
    if role is Role.FUNCTION and how not in SETTING and not all(type(value) in _FLAT for value in values):
        # it may use what the objects hold that it is handed
        looks |= {look: text for look, text in looks_of(values, made=True).items() if look in STRONG}
    gadget = names_gadget(values) if how not in SETTING else ""
    walked = known or module_known(symbol.module)
    text = has_text(values) or _hidden(kwargs)
    severity = _unknown_severity(role, frozenset(looks) - usual, how, walked=walked, known=known, text=text)
    if severity is Severity.MEDIUM and not walked and how not in SETTING and _hidden(kwargs):
        severity = Severity.HIGH
    if usual and severity is not None and not PAYLOAD & looks.keys() - usual:
        severity = None if walked else Severity.MEDIUM  # configurations call public functions with names and paths all day
    inner = dangerous_arguments(handed(values), ()) if how not in SETTING else None
    if inner is not None or (not walked and how not in SETTING and runs_through(symbol)):
        severity = Severity.HIGH
    if gadget or STRONG & looks.keys():
        severity = max(severity or Severity.INFO, Severity.MEDIUM if known or (how in SETTING and walked) else Severity.HIGH)
    if severity is None:
        return None
    if gadget:
        why = f"hands the name {gadget!r} to {symbol}"
    elif PAYLOAD & looks.keys():
        why = f"hands {listed(looks)} to {symbol}"
    elif inner is not None:
        why = f"hands {inner} to {symbol}"
    elif walked:
        why = f"calls {symbol}, a function that is no part of putting an object together"
    else:
        why = f"runs {symbol} ({METHODS[how][0] if how in SETTING else 'it'} is code that nobody has reviewed)"
    return Judgement(severity, Confidence.MEDIUM, str(symbol), (), why, "", shown(looks))


_FLAT = frozenset({str, bytes, int, float, bool, type(None), Symbol})
"""Types of values that hold no others."""


def _hidden(kwargs: tuple[tuple[str, Value], ...]) -> bool:
    """Whether there are more arguments than any pickler writes, so that the payload may be among those that were not kept."""
    return any(name == "**" and isinstance(value, Opaque) for name, value in kwargs)


def _judge_container(symbol: Symbol, args: tuple[Value, ...]) -> Judgement | None:
    """Judge a container that is made of one text: picklers hand it a list, and nothing can be made of a command."""
    given = args[0] if len(args) == 1 else None
    if str(symbol) not in CONTAINERS or not isinstance(given, (str, bytes)) or not STRONG & (looks := looks_of([given])).keys():
        return None
    return Judgement(
        Severity.HIGH,
        Confidence.LOW,
        str(symbol),
        (),
        f"hands {listed(looks)} to {symbol}, which no pickler does",
        "",
        shown(looks),
    )


def _unknown_severity(role: Role, looks: frozenset[Look], how: str, *, walked: bool, known: bool, text: bool) -> Severity | None:
    """Weigh code of which no effect is known."""
    if how in SETTING:
        return None if walked else Severity.MEDIUM
    if role is Role.FUNCTION:
        if known and not text:
            return None  # its effect needs arguments that are not given
        return Severity.HIGH if text else Severity.MEDIUM
    if PAYLOAD & looks:
        return Severity.HIGH
    return None if walked else Severity.MEDIUM


def judge_computed(callee: Value, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...]) -> Judgement | None:
    """Judge a call of something that is itself made while loading."""
    if not isinstance(callee, Result):
        return None  # plain values cannot be called: the loader stops there
    looks = looks_of([*args, *(value for _, value in kwargs)])
    maker = callee.callee
    if makes_function(callee):
        why = "calls a function whose code the file itself carries"
        return Judgement(Severity.CRITICAL, Confidence.HIGH, f"{render(maker)}()", ("run-code",), why, "", shown(looks))
    if makes_class(callee) and dangerous_arguments((callee,), ()) is None:
        return None
    if isinstance(maker, Symbol) and is_harmless(maker, "computed", args, kwargs):
        return None
    if (method := method_of(callee, args)) is not None:
        symbol, given = method
        knowledge = effects_of(symbol.module, symbol.name)
        judged = judge_known(symbol, knowledge, "method", given, kwargs) if knowledge is not None else None
        if judged is not None and judged.severity >= Severity.HIGH:
            return judged
    standard = (  # a library that makes classes while loading has a reconstructor for it
        isinstance(maker, Symbol) and module_known(maker.module) and role_of(maker, "REDUCE") is not Role.RECONSTRUCTOR
    )
    inner = dangerous_arguments((callee,), ())
    severity = Severity.HIGH if PAYLOAD & looks.keys() or inner or standard else Severity.MEDIUM
    why = (
        f"calls what {maker} gave, made only while loading"
        if isinstance(maker, Symbol)
        else "calls something made only while loading"
    )
    return Judgement(severity, Confidence.MEDIUM, f"{maker}()" if isinstance(maker, Symbol) else "", (), why, "", shown(looks))
