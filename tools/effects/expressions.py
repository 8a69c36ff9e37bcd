"""Abstract evaluation of expressions: from syntax to :class:`~tools.effects.ir.Value`."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tools.effects.ir import NOTHING, OPAQUE, UNKNOWN, Call, Function, Guard, Module, Ref, Value, join_all, opaque

MAX_REF_DEPTH = 5
BUILTIN_NAMES = frozenset(dir(builtins)) | {"WindowsError", "__builtins__"}
LOOKUPS = frozenset({"get", "pop", "index", "count", "find", "startswith", "endswith", "issubset", "isdisjoint"})
"""Methods of tables and texts whose result is chosen by the argument, but not made of it."""

IMPORTERS = frozenset({"import_module", "import_optional_dependency"})
"""Functions that give the module that their first argument names."""

LOADING = frozenset({"exec_module", "load_module"})
"""Methods that only loaders of modules have."""

MUTATORS = frozenset({"append", "extend", "insert", "add", "update", "setdefault", "appendleft", "extendleft"})


@dataclass(slots=True)
class Scope:
    """What a module's code can see besides its locals."""

    module: Module
    imports: set[str] = field(default_factory=set)
    """Names bound by plain ``import x`` at module level: these are certainly modules."""
    defined: set[str] = field(default_factory=set)


@dataclass(slots=True)
class LocalFunction:
    """A nested function or lambda, walked as part of the function around it."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    bound: dict[str, Value] = field(default_factory=dict)
    returns: Value = NOTHING
    walked: bool = False


def depth_of(ref: Ref) -> int:
    """How many attribute or result steps a reference has."""
    depth = 0
    while ref[0] in {"attr", "inst"}:
        ref, depth = ref[1], depth + 1  # type: ignore[assignment]
    return depth


def attribute(value: Value, name: str) -> Value:
    """The value of ``value.name``."""
    refs: set[Ref] = set()
    for ref in value.refs:
        if ref[0] == "g":
            refs.add(("g", f"{ref[1]}.{name}"))
        elif ref[0] != "local" and depth_of(ref) < MAX_REF_DEPTH:
            refs.add(("attr", ref, name))
    origins = value.origins
    if ("self",) in value.refs:
        origins = frozenset(f"self.{name}" if origin == "self" else origin for origin in origins)
    return Value(origins, frozenset(refs), frozenset({UNKNOWN}))


class Expressions:
    """Evaluates expressions inside one function; records every call it meets."""

    def __init__(self, scope: Scope, function: Function, outer: Expressions | None = None) -> None:
        self.scope = scope
        self.function = function
        self.outer = outer
        self.env: dict[str, Value] = {}
        self.guards: list[Guard] = []
        self.conditional = 0
        self.index: dict[tuple[int, str], int] = outer.index if outer else {}
        self.locals: list[LocalFunction] = outer.locals if outer else []
        self.local_index: dict[int, int] = outer.local_index if outer else {}
        self.imported: set[str] = set()

    # -- names ---------------------------------------------------------------------------------------------------

    def name(self, name: str) -> Value:
        """What a bare name stands for, from the innermost scope outwards."""
        walker: Expressions | None = self
        while walker is not None:
            found = walker.env.get(name)
            if found is not None:
                return found
            walker = walker.outer
        if name in BUILTIN_NAMES and name not in self.scope.defined:
            return Value(refs=frozenset({("g", f"builtins.{name}")}), consts=frozenset({UNKNOWN}))
        return Value(refs=frozenset({("g", f"{self.scope.module.name}.{name}")}), consts=frozenset({UNKNOWN}))

    def is_module(self, node: ast.expr) -> bool:
        """Whether the expression is a name (or dotted name) bound by an ``import`` statement."""
        while isinstance(node, ast.Attribute):
            node = node.value
        if not isinstance(node, ast.Name):
            return False
        return node.id in self.imported or (node.id in self.scope.imports and node.id not in self.env)

    def is_global(self, node: ast.expr) -> bool:
        """Whether the expression is a variable of the module, seen from inside a function."""
        if not isinstance(node, ast.Name) or self.function.name.endswith("<module>") or node.id not in self.scope.defined:
            return False
        walker: Expressions | None = self
        while walker is not None:
            if node.id in walker.env:
                return False
            walker = walker.outer
        return True

    # -- expressions ---------------------------------------------------------------------------------------------

    def value(self, node: ast.expr | None) -> Value:
        """The possibilities of an expression."""
        if node is None:
            return NOTHING
        handler: Callable[[ast.expr], Value] | None = getattr(self, f"on_{type(node).__name__.lower()}", None)
        return handler(node) if handler else self.union(node)

    def union(self, node: ast.AST) -> Value:
        """The inputs of every part of an expression whose kind needs no more precision."""
        parts = [self.value(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        return opaque(join_all(parts))

    def on_constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, str | bool | int | None) and (not isinstance(node.value, str) or len(node.value) <= 40):
            return Value(consts=frozenset({node.value}))
        return OPAQUE

    def on_name(self, node: ast.Name) -> Value:
        return self.name(node.id)

    def on_attribute(self, node: ast.Attribute) -> Value:
        return attribute(self.value(node.value), node.attr)

    def on_subscript(self, node: ast.Subscript) -> Value:
        base, key = self.value(node.value), self.value(node.slice)
        if key.origins and isinstance(node.value, ast.Attribute):
            for ref in base.refs:
                if ref[0] == "g":
                    self.synthetic(node, f"{ref[1]}.__getitem__", [key], base)
        return opaque(self.item(base, key))

    @staticmethod
    def item(base: Value, key: Value) -> Value:
        """``kwargs["x"]`` and ``args[0]`` are one keyword and one position, not all of them."""
        names = [const for const in key.consts if isinstance(const, str | int) and not isinstance(const, bool)]
        if len(names) != 1 or not key.constant or str(names[0]).startswith("-"):
            return base
        starred = {o: f"{o}.{names[0]}" for o in base.origins if isinstance(o, str) and o[:1] == "*" and "." not in o}
        return Value(frozenset(starred.get(origin, origin) for origin in base.origins))  # type: ignore[arg-type]

    def on_compare(self, node: ast.Compare) -> Value:
        self.union(node)
        return OPAQUE

    def on_boolop(self, node: ast.BoolOp) -> Value:
        return join_all(self.value(part) for part in node.values)

    def on_ifexp(self, node: ast.IfExp) -> Value:
        self.value(node.test)
        self.conditional += 1
        result = self.value(node.body).join(self.value(node.orelse))
        self.conditional -= 1
        return result

    def on_namedexpr(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        self.env[node.target.id] = value
        return value

    def on_await(self, node: ast.Await) -> Value:
        return self.value(node.value)

    def on_starred(self, node: ast.Starred) -> Value:
        return opaque(self.value(node.value))

    def on_yield(self, node: ast.Yield | ast.YieldFrom) -> Value:
        self.returned(self.value(node.value))
        return OPAQUE

    on_yieldfrom = on_yield

    def on_lambda(self, node: ast.Lambda) -> Value:
        return self.local(node)

    def on_listcomp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        saved = dict(self.env)
        self.conditional += 1
        for generator in node.generators:
            self.bind(generator.target, opaque(self.value(generator.iter)))
            for test in generator.ifs:
                self.value(test)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        result = opaque(join_all(self.value(part) for part in parts))
        self.conditional -= 1
        self.env = saved
        return result

    on_setcomp = on_generatorexp = on_dictcomp = on_listcomp

    # -- nested functions ----------------------------------------------------------------------------------------

    def local(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Value:
        """A nested function as a value; its body is walked once the surrounding body is."""
        index = self.local_index.setdefault(id(node), len(self.locals))
        if index == len(self.locals):
            self.locals.append(LocalFunction(node))
        return Value(refs=frozenset({("local", index)}), consts=frozenset({UNKNOWN}))

    def feed_locals(self, callee: Value, args: Iterable[Value], keywords: dict[str, Value]) -> Value:
        """Bind a call's arguments to the nested functions it may reach; returns what they return."""
        result, given = NOTHING, list(args)
        for ref in callee.refs:
            if ref[0] != "local":
                continue
            local = self.locals[int(ref[1])]  # type: ignore[call-overload]
            names = [arg.arg for arg in (*local.node.args.posonlyargs, *local.node.args.args)]
            pairs = [*zip(names, given, strict=False), *keywords.items()]
            for name, value in pairs:
                local.bound[name] = local.bound.get(name, NOTHING).join(value)
            result = result.join(local.returns)
        return result

    # -- calls ---------------------------------------------------------------------------------------------------

    def on_call(self, node: ast.Call) -> Value:
        if isinstance(node.func, ast.Name) and node.func.id == "super" and self.function.owner:
            return Value(frozenset({"self"}), frozenset({("super", self.function.owner)}), frozenset({UNKNOWN}))
        bare = not isinstance(node.func, ast.Attribute)
        receiver = self.value(node.func.value) if isinstance(node.func, ast.Attribute) else NOTHING
        callee = attribute(receiver, node.func.attr) if isinstance(node.func, ast.Attribute) else self.value(node.func)
        args = tuple(self.value(arg) for arg in node.args if not isinstance(arg, ast.Starred))
        stars = [opaque(self.value(arg)) for arg in node.args if isinstance(arg, ast.Starred)]
        keywords = {word.arg: self.value(word.value) for word in node.keywords if word.arg}
        doubles = [opaque(self.value(word.value)) for word in node.keywords if word.arg is None]
        self.feed_callbacks([*args, *keywords.values()])
        special = self.reflective(node, args)
        if special is not None:
            return special
        inner = self.feed_locals(callee, args, keywords)
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in MUTATORS:
                self.taint(node.func.value, opaque(join_all([*args, *stars, *keywords.values(), *doubles])))
            if node.func.attr in {"get", "pop"} and args and (item := self.item(receiver, args[0])) is not receiver:
                return opaque(join_all([item, *args[1:]]))
            if node.func.attr in LOOKUPS and args and not receiver.origins and not self.own(receiver):
                return opaque(join_all([*args[1:], *keywords.values()]))
        call = Call(
            callee, receiver, args, keywords, join_all(stars) if stars else None, join_all(doubles) if doubles else None,
            tuple(self.guards), self.conditional == 0, bare,
        )  # fmt: skip
        index = self.record(node, call)
        if isinstance(node.func, ast.Attribute) and node.func.attr in LOADING and "self" not in receiver.origins:
            self.synthetic(node, "toadstone.loader-run", [opaque(join_all([receiver, *args]))])
        return Value(frozenset({index}), frozenset({("ret", index)}), frozenset({UNKNOWN})).join(inner)

    def feed_callbacks(self, values: list[Value]) -> None:
        """A nested function handed to a call may be given anything else that was handed over."""
        plain = opaque(join_all(value for value in values if not any(ref[0] == "local" for ref in value.refs)))
        if plain.origins:
            for value in values:
                self.feed_locals(value, [plain] * 8, {})

    def reflective(self, node: ast.Call, args: tuple[Value, ...]) -> Value | None:
        """``getattr`` with a constant name is an attribute; on a module with a chosen name it is a finding."""
        if (known := self.module_by_name(node, args)) is not None:
            return known
        if not (isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(args) >= 2):
            return None
        names = [const for const in args[1].consts if isinstance(const, str)]
        if args[1].constant and names:
            return join_all([attribute(args[0], name) for name in names] + list(args[2:]))
        if args[1].origins and self.is_module(node.args[0]):
            return self.synthetic(node, "toadstone.module-getattr", [args[1]])
        return opaque(join_all(args))

    @staticmethod
    def module_by_name(node: ast.Call, args: tuple[Value, ...]) -> Value | None:
        """``import_module("x.y")`` with a constant name is that module."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in IMPORTERS or not args or not args[0].constant or len(args[0].consts) != 1:
            return None
        (module,) = args[0].consts
        if not isinstance(module, str) or not module or module.startswith("."):
            return None
        return Value(refs=frozenset({("g", module)}), consts=frozenset({UNKNOWN}))

    @staticmethod
    def own(value: Value) -> bool:
        """Whether a value may be something of the program, whose method of that name does something else."""
        return any(ref[0] in {"inst", "ret", "attr", "super", "self"} for ref in value.refs)

    def synthetic(self, node: ast.AST, target: str, args: list[Value], receiver: Value | None = None) -> Value:
        """Record a call that the syntax only implies; of a method, when there is a receiver."""
        callee, owner = Value(refs=frozenset({("g", target)})), receiver or NOTHING
        certain, bare = self.conditional == 0, receiver is None
        call = Call(callee, owner, tuple(args), {}, None, None, tuple(self.guards), certain, bare)
        index = self.record(node, call, target)
        return Value(frozenset({index}), frozenset(), frozenset({UNKNOWN}))

    def record(self, node: ast.AST, call: Call, implied: str = "") -> int:
        """Store a call; a second visit of the same node (a loop) adds to the first.

        A node may imply several calls besides its own: ``implied`` tells them apart.
        """
        calls, key = self.function.calls, (id(node), implied)
        index = self.index.get(key)
        if index is None:
            index = self.index[key] = len(calls)
            calls.append(call)
            return index
        old = calls[index]
        call.callee, call.receiver = old.callee.join(call.callee), old.receiver.join(call.receiver)
        call.args = tuple(a.join(b) for a, b in zip(old.args, call.args, strict=True))
        call.keywords = {name: value.join(old.keywords.get(name, NOTHING)) for name, value in call.keywords.items()}
        call.star = call.star.join(old.star) if call.star and old.star else call.star
        call.dstar = call.dstar.join(old.dstar) if call.dstar and old.dstar else call.dstar
        call.guards = old.guards if len(old.guards) < len(call.guards) else call.guards
        calls[index] = call
        return index

    # -- given by the statement walker -----------------------------------------------------------------------------

    def bind(self, target: ast.expr, value: Value) -> None:
        """Assign to a target."""
        raise NotImplementedError

    def taint(self, node: ast.expr, value: Value) -> None:
        """Note that an object now carries a value."""
        raise NotImplementedError

    def returned(self, value: Value) -> None:
        """Note a result of the function."""
        raise NotImplementedError
