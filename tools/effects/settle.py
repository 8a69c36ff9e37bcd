"""Shrinks analysed modules to what later packages need: signatures, results and attribute types without calls."""

from __future__ import annotations

from collections.abc import Iterable

from tools.effects.ir import Function, Module, Ref, Value
from tools.effects.resolve import Program, ordered


def settled_refs(program: Program, function: Function, value: Value) -> frozenset[Ref]:
    """References that hold outside the function."""
    refs: set[Ref] = set()
    for ref in ordered(value.refs):
        if ref[0] in {"g", "self"}:
            refs.add(ref)
            continue
        for kind, name in program.entities(ref, function):
            if kind in {"inst", "extern"}:
                refs.add(("inst", ("g", name)))
            elif kind in {"func", "class", "module", "seed"}:
                refs.add(("g", name))
    return frozenset(refs)


def settle(program: Program, modules: Iterable[Module]) -> None:
    """Drop the bodies of analysed functions, after their results have been expressed without them."""
    functions = [function for module in modules for function in functions_of(module)]
    for function in functions:
        function.returns = Value(refs=settled_refs(program, function, function.returns))
        function.writes = {
            attr: Value(value.origins, settled_refs(program, function, value)) for attr, value in function.writes.items()
        }
    for function in functions:
        function.calls = []
    program.forget_links()


def functions_of(module: Module) -> Iterable[Function]:
    """Every function and method of a module, and its own code."""
    yield from module.functions.values()
    for cls in module.classes.values():
        yield from cls.methods.values()
    if module.body:
        yield module.body
