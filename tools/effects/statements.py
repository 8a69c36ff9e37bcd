"""Abstract execution of statements: a function body becomes its calls, its results and what it stores on ``self``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence

from tools.effects.expressions import MUTATORS, Expressions, LocalFunction
from tools.effects.ir import FALSE, FILLED, GIVEN, MADE, NONE, NOTHING, OPAQUE, TRUE, UNKNOWN, Guard, Value, join_all, opaque

PASSES = 2
LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def leaves(body: Sequence[ast.stmt]) -> bool:
    """Whether control never falls off the end of a block."""
    return bool(body) and isinstance(body[-1], LEAVES)


def imported_names(node: ast.Import | ast.ImportFrom, package: str) -> Iterable[tuple[str, str]]:
    """The names an import statement binds, with what each refers to."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0], alias.name if alias.asname else alias.name.partition(".")[0]
        return
    base = resolve_relative(node, package)
    for alias in node.names:
        yield alias.asname or alias.name, f"{base}.{alias.name}" if base else alias.name


def resolve_relative(node: ast.ImportFrom, package: str) -> str:
    """The absolute name of the module an ``from … import`` names; ``package`` is the importing package."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    parts = parts[: len(parts) - (node.level - 1)]
    return ".".join([*parts, node.module] if node.module else parts)


class Statements(Expressions):
    """Walks one function body."""

    package = ""
    looping = 0
    declared_global: frozenset[str] = frozenset()

    def run(self, body: Sequence[ast.stmt]) -> None:
        """Walk the body, then the functions nested in it, until their inputs are known."""
        inputs = dict(self.env)
        for _ in range(PASSES):
            self.env = dict(inputs)
            self.guards = []
            self.conditional = 0
            self.block(body)
            if not self.locals:
                break
            self.run_locals()

    def run_locals(self) -> None:
        """Walk nested functions: what they do counts for the function that makes them."""
        done = 0
        while done < len(self.locals):
            self.run_local(self.locals[done])
            done += 1

    def run_local(self, local: LocalFunction) -> None:
        """Walk one nested function with the inputs seen so far."""
        walker = type(self)(self.scope, self.function, outer=self)
        walker.package = self.package
        walker.conditional = 1
        arguments = local.node.args
        for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            walker.env[arg.arg] = local.bound.get(arg.arg, OPAQUE)
        for extra in (arguments.vararg, arguments.kwarg):
            if extra:
                walker.env[extra.arg] = OPAQUE
        results: list[Value] = []
        walker.returned = results.append  # type: ignore[method-assign, assignment]
        if isinstance(local.node, ast.Lambda):
            results.append(walker.value(local.node.body))
        else:
            walker.block(local.node.body)
        local.returns = local.returns.join(join_all(results))

    def block(self, body: Sequence[ast.stmt]) -> None:
        """Walk statements in order; a branch that leaves makes the rest conditional on its opposite."""
        guards = list(self.guards)
        for statement in body:
            handler: Callable[[ast.stmt], None] | None = getattr(self, f"do_{type(statement).__name__.lower()}", None)
            if handler:
                handler(statement)
            else:
                self.union(statement)
        self.guards = guards

    # -- branches --------------------------------------------------------------------------------------------------

    def guard(self, test: ast.expr, *, negate: bool = False) -> list[Guard]:
        """The conditions on single inputs that a test expresses."""
        kind = FALSE if negate else TRUE
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return self.guard(test.operand, negate=not negate)
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) is not negate:
            return [guard for part in test.values for guard in self.guard(part, negate=negate)]
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and self.is_none(test.comparators[0]):
            if isinstance(test.ops[0], ast.Is | ast.IsNot):
                return self.single(test.left, NONE if isinstance(test.ops[0], ast.Is) is not negate else GIVEN)
            return []
        return self.single(test, kind)

    def single(self, node: ast.expr, kind: str) -> list[Guard]:
        """A condition on one input, when the tested expression is exactly that."""
        value = self.value(node) if isinstance(node, ast.Name | ast.Attribute) else NOTHING
        if len(value.origins) == 1 and all(isinstance(origin, str) for origin in value.origins):
            return [Guard(next(iter(value.origins)), kind)]
        return []

    @staticmethod
    def is_none(node: ast.expr) -> bool:
        """Whether the expression is ``None``."""
        return isinstance(node, ast.Constant) and node.value is None

    def do_if(self, node: ast.If) -> None:
        self.value(node.test)
        before, guards = dict(self.env), list(self.guards)
        self.conditional += 1
        self.guards = guards + self.guard(node.test)
        self.block(node.body)
        after_body = self.env
        self.env, self.guards = dict(before), guards + self.guard(node.test, negate=True)
        self.block(node.orelse)
        self.conditional -= 1
        self.guards = guards
        if leaves(node.body) and not node.orelse:
            self.guards = guards + self.guard(node.test, negate=True)
            if not isinstance(node.body[-1], ast.Raise):
                self.conditional += 1
        else:
            self.merge(after_body)

    def merge(self, other: dict[str, Value]) -> None:
        """Join another branch's variables into this one's."""
        for name, value in other.items():
            self.env[name] = self.env.get(name, NOTHING).join(value)

    def passes(self) -> Iterator[None]:
        """A loop body is walked twice, so that what it binds late is seen early; an inner loop takes part in that."""
        count = 1 if self.looping else PASSES
        self.looping += 1
        for _ in range(count):
            yield
        self.looping -= 1

    def do_for(self, node: ast.For | ast.AsyncFor) -> None:
        iterated = opaque(self.value(node.iter))
        before = dict(self.env)
        self.conditional += 1
        for _ in self.passes():
            self.bind(node.target, iterated)
            self.block(node.body)
        self.block(node.orelse)
        self.conditional -= 1
        self.merge(before)

    do_asyncfor = do_for

    def do_while(self, node: ast.While) -> None:
        before = dict(self.env)
        for _ in self.passes():
            self.value(node.test)
            self.conditional += 1
            self.block(node.body)
            self.conditional -= 1
        self.block(node.orelse)
        self.merge(before)

    def do_with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
        self.block(node.body)

    do_asyncwith = do_with

    def do_try(self, node: ast.Try) -> None:
        before = dict(self.env)
        self.block(node.body)
        body = dict(self.env)
        self.conditional += 1
        for handler in node.handlers:
            self.merge(before)
            self.block(handler.body)
            self.merge(body)
        self.block(node.orelse)
        self.conditional -= 1
        self.block(node.finalbody)

    do_trystar = do_try

    def do_match(self, node: ast.Match) -> None:
        subject = opaque(self.value(node.subject))
        self.conditional += 1
        for case in node.cases:
            for part in ast.walk(case.pattern):
                name = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(name, str):
                    self.env[name] = subject
            self.block(case.body)
        self.conditional -= 1

    def do_raise(self, node: ast.Raise) -> None:
        """What only builds an error message is not an effect of the function."""

    do_assert = do_raise

    # -- bindings --------------------------------------------------------------------------------------------------

    def do_return(self, node: ast.Return) -> None:
        self.returned(self.value(node.value))

    def returned(self, value: Value) -> None:
        self.function.returns = self.function.returns.join(value)

    def do_expr(self, node: ast.Expr) -> None:
        """A call whose result nobody wants changes its receiver: a local object then carries the arguments."""
        self.value(node.value)
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            parts = [*(arg for arg in call.args if not isinstance(arg, ast.Starred)), *(word.value for word in call.keywords)]
            names = [part for part in parts if isinstance(part, ast.Name | ast.Attribute)]
            if call.func.attr in MUTATORS and self.is_global(call.func.value):
                self.shared(call, join_all(self.value(part) for part in names))
            self.taint(call.func.value, opaque(join_all(self.value(part) for part in names)))

    def do_assign(self, node: ast.Assign) -> None:
        pairs = self.parallel(node.targets[0], node.value) if len(node.targets) == 1 else None
        if pairs is not None:
            values = [self.value(element) for _, element in pairs]
            for (target, _), value in zip(pairs, values, strict=True):
                self.bind(target, value)
            return
        value = self.value(node.value)
        for target in node.targets:
            self.bind(target, value)

    @staticmethod
    def parallel(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]] | None:
        """The single assignments that ``a, b = x, y`` stands for."""
        if not isinstance(target, ast.Tuple) or not isinstance(value, ast.Tuple) or len(target.elts) != len(value.elts):
            return None
        if any(isinstance(element, ast.Starred) for element in (*target.elts, *value.elts)):
            return None
        return list(zip(target.elts, value.elts, strict=True))

    def do_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.bind(node.target, self.value(node.value))

    def do_augassign(self, node: ast.AugAssign) -> None:
        old = self.value(node.target)
        self.bind(node.target, opaque(old.join(self.value(node.value))))

    def bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            if target.id in self.declared_global:
                self.shared(target, value)
            self.env[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self.bind(element, opaque(value))
        elif isinstance(target, ast.Starred):
            self.bind(target.value, opaque(value))
        elif isinstance(target, ast.Attribute):
            self.bind_attribute(target, value)
        elif isinstance(target, ast.Subscript):
            self.bind_item(target, value)

    def bind_attribute(self, target: ast.Attribute, value: Value) -> None:
        """``self.x = …`` is remembered for the class; ``module.x = …`` patches what others use."""
        base = self.value(target.value)
        if ("self",) in base.refs:
            writes = self.function.writes
            writes[target.attr] = writes.get(target.attr, NOTHING).join(value)
        elif self.is_module(target.value):
            self.synthetic(target, "toadstone.module-setattr", [value])
        self.taint(target.value, value)

    def bind_item(self, target: ast.Subscript, value: Value) -> None:
        """``module.table[key] = …`` may be a patch; elsewhere the container now carries the value."""
        base, key = self.value(target.value), self.value(target.slice)
        for ref in base.refs:
            if ref[0] == "g" and isinstance(target.value, ast.Attribute):
                self.synthetic(target, f"{ref[1]}.__setitem__", [key, value])
        if ("attr", ("self",), getattr(target.value, "attr", "")) in base.refs:
            self.bind_attribute(target.value, opaque(value))  # type: ignore[arg-type]
            return
        if self.is_global(target.value):
            self.shared(target, value)
        self.taint(target.value, value)

    def shared(self, node: ast.expr, value: Value) -> None:
        """An argument that is stored in a global variable or table replaces what everybody else uses.

        What a call made of an argument is a result that is kept, as in a cache; an object that enters itself is one more.
        """
        given = frozenset(o for o in value.origins if isinstance(o, str) and o.partition(".")[0] != "self")
        if given and FILLED not in value.refs:
            self.synthetic(node, "toadstone.global-write", [Value(given, consts=frozenset({UNKNOWN}))])

    def taint(self, node: ast.expr, value: Value) -> None:
        """A local object that a value was stored in carries the value's inputs."""
        if not value.origins:
            return
        if isinstance(node, ast.Attribute) and ("self",) in self.value(node.value).refs:
            writes = self.function.writes
            writes[node.attr] = writes.get(node.attr, NOTHING).join(opaque(value))
        if isinstance(node, ast.Name) and node.id in self.env:
            known = self.env[node.id]
            if ("self",) not in known.refs:
                refs = known.refs if any(isinstance(origin, str) for origin in known.origins) else known.refs | {FILLED}
                self.env[node.id] = Value(known.origins | value.origins, refs, known.consts)

    def do_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.value(decorator)
        self.env[node.name] = self.local(node)

    do_asyncfunctiondef = do_functiondef

    def do_classdef(self, node: ast.ClassDef) -> None:
        """A class made inside a function stands for its bases; its methods count as nested functions."""
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self.local(statement)
        bases = join_all(self.value(base) for base in node.bases)
        refs = frozenset(ref for ref in bases.refs if ref[0] == "g")
        self.env[node.name] = Value(refs=refs | {MADE}, consts=OPAQUE.consts)

    def do_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, target in imported_names(node, self.package):
            self.env[name] = Value(refs=frozenset({("g", target)}), consts=frozenset({UNKNOWN}))
            if isinstance(node, ast.Import):
                self.imported.add(name)

    do_importfrom = do_import

    def do_delete(self, node: ast.Delete) -> None:
        """Forgetting a name has no effect here: joins keep what it was."""

    do_nonlocal = do_pass = do_delete

    def do_global(self, node: ast.Global) -> None:
        self.declared_global |= frozenset(node.names)
