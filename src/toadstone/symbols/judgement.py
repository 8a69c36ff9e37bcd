"""Judges a call that happens while an artefact is loaded: what is called, with what.

Three kinds of symbols decide (see ``docs/judgement.md``): those known to be harmless *when called in this way*; those
whose sources lead to an effect that the given arguments control; and the rest, unknown code, which is judged by what
its arguments look like.
"""

from __future__ import annotations

import re

from toadstone.core.fact import Call, Import, Moment
from toadstone.core.finding import Confidence, Severity
from toadstone.core.record import replace
from toadstone.core.value import Items, Symbol, Value
from toadstone.symbols import Effect, effects_of, module_known
from toadstone.symbols.arguments import Look
from toadstone.symbols.assembly import is_assembler
from toadstone.symbols.harmless import is_harmless
from toadstone.symbols.known import judge_assembly, judge_deferred, judge_destructor, judge_known
from toadstone.symbols.reach import DEFERRED, fetches_method, known_behind, targets
from toadstone.symbols.roles import Role, role_of
from toadstone.symbols.unknown import judge_computed, judge_unknown
from toadstone.symbols.weighing import IMPORTED, Judgement, names_of, ordered, phrase

_USUAL_IN_CONFIG = frozenset({Look.PATH})
"""Configurations tell classes where their data lies; a pickle has no reason to."""


_CALLING = {
    Symbol("torch._tensor", "_rebuild_from_type_v2"): (2, 1),
    Symbol("numba.core.types.abstract", "_type_reconstructor"): (1, None),
}
"""Reconstructors that call their first argument: where its arguments stand, and the class that gets the last one as state."""

_BY_PROXY = frozenset({Symbol("copyreg", "_reconstructor"), Symbol("copyreg", "__newobj__"), Symbol("copyreg", "__newobj_ex__")})

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
    effects = ordered(knowledge)
    if role_of(symbol, fact.how) is Role.CLASS and " -> " in knowledge.witness:
        return None  # an object's class: what its constructor can do matters when the constructor is called
    severity = max((IMPORTED.get(effect, Severity.INFO) for effect in effects), default=Severity.INFO)
    if severity < Severity.MEDIUM:
        return None
    why = f"resolves {symbol}, which can {phrase(effects)}"
    confidence = Confidence.HIGH if knowledge.exact else Confidence.MEDIUM
    return Judgement(severity, confidence, str(symbol), names_of(effects), why, knowledge.witness)


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
        return _judge_importer(callee, args)
    if isinstance(callee, Symbol) and callee in _BY_PROXY and args and isinstance(args[0], Symbol):
        if callee.name == "_reconstructor" and (judged := _judge_base(fact)):
            return judged
        callee, args, how = args[0], args[1:], "NEWOBJ"
        args = tuple(value for value in args if not isinstance(value, Symbol) and value is not None)
    if not isinstance(callee, Symbol):
        return judge_computed(callee, args, fact.kwargs)
    if callee in DEFERRED:
        return judge_deferred(callee, args, fact.kwargs)
    if fetches_method(callee, args):
        return Judgement(Severity.MEDIUM, Confidence.MEDIUM, str(callee), (), f"keeps the method {args[1]!r} of an object")
    if is_assembler(callee):
        return judge_assembly(callee, args)
    if is_harmless(callee, how, args, fact.kwargs):
        return _judge_handed(fact, callee, args)
    knowledge = None
    for target in targets(callee, how):
        knowledge = (effects_of(target.module, target.name) or known_behind(target)) if target.module else None
        if knowledge is not None and (judged := judge_known(target, knowledge, how, args, fact.kwargs)):
            return judged
    if how == "BUILD" and args and (judged := judge_destructor(callee, args[0])):
        return judged
    usual = _USUAL_IN_CONFIG if fact.language == "config" else frozenset()
    return judge_unknown(callee, how, args, fact.kwargs, known=knowledge is not None, usual=usual)


def _judge_importer(callee: Value, args: tuple[Value, ...]) -> Judgement | None:
    """Judge a call that only passes on a name: that import is judged by itself, unless nobody knows the module.

    Picklers write names; a function that imports what a text says is for programs (cloudpickle and dill have their own).
    """
    wanted = args[0] if args else None
    if not isinstance(callee, Symbol) or not isinstance(wanted, str) or is_assembler(callee):
        return None
    knowledge = effects_of(callee.module, callee.name)
    if knowledge is None or Effect.IMPORT_NAME not in knowledge.effects or module_known(re.split(r"[.:]", wanted)[0]):
        return None
    why = f"calls {callee} to import {wanted[:80]!r}, which nobody has reviewed"
    return Judgement(Severity.HIGH, Confidence.MEDIUM, str(callee), (Effect.IMPORT_NAME.value,), why, knowledge.witness)


def _judge_handed(fact: Call, callee: Symbol, args: tuple[Value, ...]) -> Judgement | None:
    """Judge what a harmless reconstructor calls: the function that it is handed, and the state of the class that it is handed."""
    given, owner = _CALLING.get(callee, (len(args), None))
    held = args[given] if given < len(args) else None
    if not isinstance(held, Items):
        return None
    judged = _judge_call(replace(fact, callee=args[0], args=tuple(held.items), kwargs=()))
    if judged is None and owner is not None:
        judged = _judge_call(replace(fact, callee=args[owner], args=args[-1:], kwargs=(), how="BUILD"))
    return judged


def _judge_base(fact: Call) -> Judgement | None:
    """Judge the second argument of ``copyreg._reconstructor``: the ``__init__`` of that class is run on the third."""
    _, *rest = fact.args
    if len(rest) < 2 or not isinstance(rest[0], Symbol) or rest[0] in (Symbol("builtins", "object"), fact.args[0]):
        return None
    return _judge_call(replace(fact, callee=rest[0], args=tuple(rest[1:2])))
