"""Modules, classes and function signatures: from a source file to the intermediate form."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from tools.effects.expressions import Scope
from tools.effects.ir import NOTHING, UNKNOWN, Class, Function, Module, Parameter, Ref, Value
from tools.effects.statements import Statements, imported_names, resolve_relative

Definition = ast.FunctionDef | ast.AsyncFunctionDef
RECORDS = {"dataclass", "dataclasses.dataclass", "attr.s", "attrs.define", "attr.define", "attrs.frozen", "define"}
IMPLICIT_CLASS_METHODS = {"__new__", "__init_subclass__", "__class_getitem__"}


def dotted(node: ast.expr) -> str:
    """``a.b.c`` as text, empty for anything else; a call stands for what it calls."""
    if isinstance(node, ast.Call):
        node = node.func
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


class Lowering:
    """Lowers one module."""

    def __init__(self, name: str, tree: ast.Module, *, package: bool) -> None:
        self.module = Module(name, package)
        self.package = name if package else name.rpartition(".")[0]
        self.scope = Scope(self.module)
        self.tree = tree
        self.pending: list[tuple[Function, Definition]] = []

    def lower(self) -> Module:
        """Collect the definitions, then walk the module's code and every body."""
        self.collect(self.tree.body)
        self.scope.defined = set(self.module.names)
        body = Function(f"{self.module.name}.<module>", ())
        walker = self.walker(body)
        walker.run([node for node in self.tree.body if not self.is_main(node)])
        self.module.body = body
        for name, value in walker.env.items():
            self.define(name, self.exported_value(body, value))
        for function, node in self.pending:
            self.lower_body(function, node)
        return self.module

    def exported_value(self, body: Function, value: Value) -> Value:
        """A module-level value without references to calls of the module body: those become instances."""
        refs: set[Ref] = set()
        for ref in value.refs:
            refs |= self.settled(body, ref)
        return Value(refs=frozenset(refs), consts=value.consts)

    def settled(self, body: Function, ref: Ref) -> set[Ref]:
        """``("ret", i)`` of module code becomes ``("inst", callee)``."""
        if ref[0] == "ret":
            return {("inst", callee) for callee in body.calls[int(ref[1])].callee.refs if callee[0] == "g"}  # type: ignore[call-overload]
        if ref[0] == "attr":
            return {("attr", inner, ref[2]) for inner in self.settled(body, ref[1])}  # type: ignore[arg-type]
        return {ref} if ref[0] == "g" else set()

    @staticmethod
    def is_main(node: ast.stmt) -> bool:
        """Whether a statement runs only when the module is the program."""
        return isinstance(node, ast.If) and "__main__" in ast.dump(node.test)

    def define(self, name: str, value: Value) -> None:
        """Add a meaning to a global name."""
        self.module.names[name] = self.module.names.get(name, NOTHING).join(value)

    def walker(self, function: Function) -> Statements:
        """A statement walker for a body of this module."""
        walker = (
            ModuleStatements(self.scope, function) if function.name.endswith("<module>") else Statements(self.scope, function)
        )
        walker.package = self.package
        return walker

    # -- definitions -------------------------------------------------------------------------------------------------

    def collect(self, body: Sequence[ast.stmt]) -> None:
        """Note every function, class and import of the module, in all branches."""
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.collect_function(node)
            elif isinstance(node, ast.ClassDef):
                self.collect_class(node, self.module.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self.collect_import(node)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    for part in ast.walk(target):
                        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                            self.scope.defined.add(part.id)
                            self.module.names.setdefault(part.id, NOTHING)
            else:
                self.collect_inside(node)

    def collect_inside(self, node: ast.stmt) -> None:
        """Look into the branches of a compound statement."""
        if self.is_main(node):
            return
        for name in ("body", "orelse", "finalbody"):
            self.collect(getattr(node, name, []) if not isinstance(node, ast.Expr) else [])
        for handler in getattr(node, "handlers", []):
            self.collect(handler.body)

    def collect_import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Bind imported names; a star import is resolved when linking."""
        for name, target in imported_names(node, self.package):
            if name == "*":
                self.module.stars.append(resolve_relative(node, self.package))  # type: ignore[arg-type]
                continue
            if isinstance(node, ast.Import):
                self.scope.imports.add(name)
            self.define(name, Value(refs=frozenset({("g", target)}), consts=frozenset({UNKNOWN})))

    def collect_function(self, node: Definition) -> None:
        """A module-level function; alternatives of the same name get a number."""
        if any(dotted(decorator).endswith("overload") for decorator in node.decorator_list):
            return
        name, count = node.name, 1
        while name in self.module.functions:
            count += 1
            name = f"{node.name}#{count}"
        function = Function(f"{self.module.name}.{name}", self.parameters(node))
        self.module.functions[name] = function
        self.pending.append((function, node))
        self.define(node.name, Value(refs=frozenset({("g", function.name)}), consts=frozenset({UNKNOWN})))

    def collect_class(self, node: ast.ClassDef, prefix: str) -> None:
        """A class with its methods, attributes and nested classes."""
        name = f"{prefix}.{node.name}"
        local = name[len(self.module.name) + 1 :]
        scratch = self.walker(Function(name, ()))
        bases = [ref for base in node.bases for ref in scratch.value(base).refs if ref[0] == "g"]
        result = Class(name, bases)
        self.module.classes[local] = result
        if prefix == self.module.name:
            self.define(node.name, Value(refs=frozenset({("g", name)}), consts=frozenset({UNKNOWN})))
        self.class_body(result, node.body, scratch)
        if any(dotted(decorator) in RECORDS for decorator in node.decorator_list) or ("g", "typing.NamedTuple") in bases:
            result.fields = self.record_fields(node)

    def class_body(self, result: Class, body: Iterable[ast.stmt], scratch: Statements) -> None:
        """The members of a class, in all branches."""
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.collect_method(result, node)
            elif isinstance(node, ast.ClassDef):
                self.collect_class(node, result.name)
            elif isinstance(node, ast.Assign):
                value = scratch.value(node.value)
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        result.attributes[target.id] = self.exported_value(scratch.function, value)
                        scratch.env[target.id] = value
            elif isinstance(node, ast.If | ast.Try):
                self.class_body(result, [*node.body, *node.orelse], scratch)

    def collect_method(self, owner: Class, node: Definition) -> None:
        """A method; setters and overloads add nothing that can be reached by name."""
        decorators = {dotted(decorator).rpartition(".")[2] for decorator in node.decorator_list}
        if decorators & {"overload", "setter", "deleter"}:
            return
        kind = "method"
        if "staticmethod" in decorators:
            kind = "static"
        elif "classmethod" in decorators or node.name in IMPLICIT_CLASS_METHODS:
            kind = "class"
        function = Function(f"{owner.name}.{node.name}", self.parameters(node, kind), kind, owner.name)
        owner.methods[node.name] = function
        self.pending.append((function, node))

    def record_fields(self, node: ast.ClassDef) -> list[Parameter]:
        """The constructor parameters that a data class generates."""
        scratch = self.walker(Function("", ()))
        return [
            Parameter(item.target.id, positional=True, default=self.default(scratch, item.value))
            for item in node.body
            if isinstance(item, ast.AnnAssign)
            and isinstance(item.target, ast.Name)
            and "ClassVar" not in ast.dump(item.annotation)
        ]

    # -- signatures and bodies -----------------------------------------------------------------------------------------

    def parameters(self, node: Definition, kind: str = "function") -> tuple[Parameter, ...]:
        """The formal parameters; the class of a class method is not one, the receiver is called ``self``."""
        arguments = node.args
        scratch = self.walker(Function("", ()))
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
        result = [
            Parameter(arg.arg, positional=True, default=self.default(scratch, default))
            for arg, default in zip(positional, defaults, strict=True)
        ]
        if result and kind in {"method", "class"}:
            result = ([Parameter("self", positional=True, default=None)] if kind == "method" else []) + result[1:]
        if arguments.vararg:
            result.append(Parameter(f"*{arguments.vararg.arg}", positional=True, default=None))
        for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            result.append(Parameter(arg.arg, positional=False, default=self.default(scratch, default)))
        if arguments.kwarg:
            result.append(Parameter(f"**{arguments.kwarg.arg}", positional=False, default=None))
        return tuple(result)

    @staticmethod
    def default(scratch: Statements, node: ast.expr | None) -> Value | None:
        """A default value: its constants and the global names it refers to."""
        if node is None:
            return None
        value = scratch.value(node)
        return Value(refs=frozenset(ref for ref in value.refs if ref[0] == "g"), consts=value.consts)

    def lower_body(self, function: Function, node: Definition) -> None:
        """Walk one body with its parameters as inputs."""
        walker = self.walker(function)
        annotations = {arg.arg: arg.annotation for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
        for parameter in function.params:
            refs = set(parameter.default.refs) if parameter.default else set()
            refs |= self.annotated(walker, annotations.get(parameter.name))
            plain = parameter.name.lstrip("*")
            walker.env[plain] = Value(frozenset({parameter.name}), frozenset({*refs, ("param", plain)}), frozenset({UNKNOWN}))
        first = (node.args.posonlyargs + node.args.args)[:1]
        if first and function.kind == "method":
            walker.env[first[0].arg] = Value(frozenset({"self"}), frozenset({("self",)}), frozenset({UNKNOWN}))
        elif first and function.kind == "class":
            walker.env[first[0].arg] = Value(refs=frozenset({("g", function.owner)}), consts=frozenset({UNKNOWN}))
        walker.run(node.body)

    def annotated(self, walker: Statements, node: ast.expr | None) -> set[Ref]:
        """An annotation that names a class gives its methods a receiver."""
        if isinstance(node, ast.BinOp):
            return self.annotated(walker, node.left) | self.annotated(walker, node.right)
        if isinstance(node, ast.Subscript) and dotted(node.value).endswith("Optional"):
            return self.annotated(walker, node.slice)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            node = ast.Name(node.value, ast.Load())
        if isinstance(node, ast.Name | ast.Attribute):
            return {("inst", ref) for ref in walker.value(node).refs if ref[0] == "g"}
        return set()


class ModuleStatements(Statements):
    """Module code: functions and classes are defined elsewhere, imports bind global names."""

    def do_functiondef(self, node: Definition) -> None:
        for decorator in node.decorator_list:
            self.value(decorator)

    do_asyncfunctiondef = do_functiondef

    def do_classdef(self, node: ast.ClassDef) -> None:
        """Class bodies are collected apart."""

    def do_import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Imports are collected apart."""

    do_importfrom = do_import


def lower_module(name: str, source: bytes, *, package: bool) -> Module:
    """Parse and lower one source file.

    Raises:
        SyntaxError: The source is not of this interpreter's grammar.
        RecursionError: The source nests too deeply.
    """
    return Lowering(name, ast.parse(source), package=package).lower()
